//! The schema of the database, as numbered SQL files built into the binary, and what applies them.
//!
//! A file that has been released is never edited: a change is a new file. Numbers below 10 make the log, from 10 on read models.

use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection};

/// One numbered file.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Order of application; unique.
    pub version: i32,
    /// File name without number and ending.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($( $version:literal $name:literal $file:literal ),* $(,)?) => {
        /// Every migration, in order.
        pub const ALL: &[Migration] =
            &[$( Migration { version: $version, name: $name, sql: include_str!(concat!("../sql/", $file)) } ),*];
    };
}

migrations! {
    1 "roles" "0001_roles.sql",
    2 "log" "0002_log.sql",
    3 "append_only" "0003_append_only.sql",
    4 "vault" "0004_vault.sql",
    5 "tree_heads" "0005_tree_heads.sql",
    6 "grants" "0006_grants.sql",
    7 "published_keys" "0007_published_keys.sql",
    8 "handoff_keys" "0008_handoff_keys.sql",
    9 "fee_payer_keys" "0009_fee_payer_keys.sql",
    10 "projections" "0010_projections.sql",
    11 "places" "0011_places.sql",
    12 "key_uses" "0012_key_uses.sql",
    13 "published_tree" "0013_published_tree.sql",
    14 "recovery" "0014_recovery.sql",
    15 "erased_answers" "0015_erased_answers.sql",
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database refused or did not answer.
    #[error("the database could not be reached or refused its bookkeeping")]
    Database(#[from] sqlx::Error),
    /// One file failed; nothing of it remains.
    #[error("migration {version} ({name}) failed")]
    Failed {
        /// Which file.
        version: i32,
        /// Its name.
        name: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A file was edited after it had been applied.
    #[error("migration {version} was applied in another form than this program holds")]
    Changed {
        /// Which file.
        version: i32,
    },
    /// The database was migrated by a newer program.
    #[error("the database has migration {version}, which this program does not know")]
    Newer {
        /// The newest one there.
        version: i32,
    },
}

/// Brings the database at `admin_url` up to date and returns how many migrations were applied. The role in the URL owns the
/// schema and may create roles. Several programs may call this at once: they take turns.
pub async fn run(admin_url: &str) -> Result<usize, MigrateError> {
    let mut connection = PgConnection::connect(admin_url).await?;
    // Held until the connection closes.
    sqlx::query(include_str!("statements/take_turn.sql")).execute(&mut connection).await?;
    let applied = apply_all(&mut connection).await?;
    connection.close().await?;
    Ok(applied)
}

async fn apply_all(connection: &mut PgConnection) -> Result<usize, MigrateError> {
    sqlx::raw_sql(include_str!("statements/make_bookkeeping.sql")).execute(&mut *connection).await?;
    let applied: Vec<(i32, Vec<u8>)> =
        sqlx::query_as(include_str!("statements/applied_migrations.sql")).fetch_all(&mut *connection).await?;
    if let Some((version, _)) = applied.iter().find(|(version, _)| ALL.iter().all(|known| known.version != *version)) {
        return Err(MigrateError::Newer { version: *version });
    }
    let mut count = 0;
    for migration in ALL {
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, checksum)) if *checksum == migration.checksum() => {}
            Some(_) => return Err(MigrateError::Changed { version: migration.version }),
            None => {
                let failed = |source| MigrateError::Failed { version: migration.version, name: migration.name, source };
                apply(connection, migration).await.map_err(failed)?;
                count += 1;
            }
        }
    }
    Ok(count)
}

async fn apply(connection: &mut PgConnection, migration: &Migration) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(migration.sql).execute(&mut *transaction).await?;
    sqlx::query(include_str!("statements/record_migration.sql"))
        .bind(migration.version)
        .bind(migration.name)
        .bind(migration.checksum())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

impl Migration {
    /// SHA-256 of its statements.
    pub fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.sql).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_once_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sql");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let listed: Vec<String> = ALL.iter().map(|m| format!("{:04}_{}.sql", m.version, m.name)).collect();
        assert_eq!(files, listed);
        assert!(ALL.windows(2).all(|pair| pair[0].version < pair[1].version));
    }
}
