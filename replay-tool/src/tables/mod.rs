//! Every table of the database, and what holds it to the log. A table is either bound by the log's own hashes, or the replay checks
//! it; a test fails when there is one in neither.

use crate::class::{Break, BreakClass, Doing, Failure};
use events::vault::{Opened, Vault, VaultError};
use serde::Serialize;
use sqlx::PgConnection;

/// What holds a table to the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cover {
    /// `verify` recomputes it: leaves, tree, frontier, signatures, claims.
    Verify,
    /// The replay asks for rows that cannot be, by what the log says; this statement finds the first and says what it is.
    Replay(&'static str),
    /// With the master key every row is opened; what a row is authenticated with binds it to its place.
    Key,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its schema and name.
    pub name: &'static str,
    /// What holds it.
    pub cover: Cover,
    /// What is asked of it, in words.
    pub asks: &'static str,
}

/// What was asked of a table, and held.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Checked {
    /// The table.
    pub table: &'static str,
    /// What was asked.
    pub asks: &'static str,
    /// Whether this role may look; an auditor may not see keys.
    pub checked: bool,
}

const fn verified(name: &'static str, asks: &'static str) -> Table {
    Table { name, cover: Cover::Verify, asks }
}
const fn replayed(name: &'static str, sql: &'static str, asks: &'static str) -> Table {
    Table { name, cover: Cover::Replay(sql), asks }
}

/// Every table but those of the read models, which are `p<number>_<projection>_v<version>.<projection>`.
pub const TABLES: &[Table] = &[
    verified("log.events", "every column but the position is in the leaf, and the position is the leaf's place in the tree"),
    verified("log.head", "its count and frontier are those of the leaves"),
    verified("log.tree_heads", "each is signed by the log's key and has the root of the leaves at its size"),
    verified("log.tree_nodes", "they are the roots of full tiles of leaves"),
    verified("log.cosignatures", "each is of a kept checkpoint and says who signed it and when; with a witness's key, that he did"),
    verified("log.claims", "they are what follows from the events"),
    replayed(
        "log.subject_keys",
        include_str!("sql/subject_keys.sql"),
        "a key is destroyed where the log says that the person is erased, and nowhere else; everyone whose data is sealed has a row",
    ),
    replayed(
        "log.subject_identities",
        include_str!("sql/subject_identities.sql"),
        "an identity leads to a person of the same workspace who is not erased",
    ),
    Table { name: "log.secrets", cover: Cover::Key, asks: "with the master key, each opens in its own place" },
    replayed("log.signing_keys", include_str!("sql/signing_keys.sql"), "a key's id is the hash of its public part"),
    replayed("log.idempotency", include_str!("sql/idempotency.sql"), "an answer committed with an event that the log has"),
    replayed("log.api_key_uses", include_str!("sql/api_key_uses.sql"), "it was a key that the log knows"),
    replayed("projections.slots", include_str!("sql/slots.sql"), "no build is further than the log"),
    replayed("projections.subscriptions", include_str!("sql/subscriptions.sql"), "no reader is further than the log"),
    replayed("projections.dead_letters", include_str!("sql/dead_letters.sql"), "the event at that position is the one that is named"),
    replayed("projections.swaps", include_str!("sql/swaps.sql"), "what is said to be certified has a certificate in the log"),
    replayed("migrations.applied", include_str!("sql/applied.sql"), "each is a file that this program holds, unchanged"),
];

/// Opens everything that is kept encrypted.
pub async fn open(vault: &Vault) -> Result<Opened, Failure> {
    match vault.check().await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(wrong)) => Err(Break::at(BreakClass::TableMismatch, 0, wrong).into()),
        Err(VaultError::Database(source)) => Err(Failure::Database { doing: "opening the vault", source }),
        Err(_) => Err(Failure::Unreadable("the vault's tables")),
    }
}

/// Asks every table that the replay checks.
pub async fn hold(connection: &mut PgConnection) -> Result<Vec<Checked>, Failure> {
    let mut held = Vec::new();
    for Table { name, cover, asks } in TABLES {
        let Cover::Replay(statement) = cover else { continue };
        let may: bool =
            sqlx::query_scalar(include_str!("sql/may_read.sql")).bind(name).fetch_one(&mut *connection).await.doing("asking for rights")?;
        if may {
            let (versions, checksums) = files();
            let query = sqlx::query_scalar::<_, String>(*statement).bind(versions).bind(checksums);
            let wrong = query.fetch_optional(&mut *connection).await.doing("looking at a table")?;
            if let Some(wrong) = wrong {
                return Err(Break::at(BreakClass::TableMismatch, 0, format!("{name}: {wrong}")).into());
            }
        }
        held.push(Checked { table: name, asks, checked: may });
    }
    Ok(held)
}

/// The migrations that this program holds, for the one statement that asks.
fn files() -> (Vec<i32>, Vec<Vec<u8>>) {
    migrations::ALL.iter().map(|file| (file.version, file.checksum())).unzip()
}
