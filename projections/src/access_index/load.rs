//! The first fill: from the read models, each as far as it is, all in one snapshot. The log gives the rest.

use super::{
    entry::{Flags, Grant, Member},
    index::{APPEND, Index, Loaded},
    links::{Identity, Kind},
};
use crate::{
    access_products::{AccessProduct, AccessProducts},
    entitlements::{EntitlementStatus, Entitlements},
    memberships::Memberships,
    payment_sessions::PaymentSessions,
    payments::Payments,
    runner::Projection,
    test_clocks::TestClocks,
};
use events::{
    vault::{Vault, VaultError},
    vocab::{
        id::{OwnerId, SubjectId, TestClockId},
        membership::MembershipStatus,
        rail::RailId,
        time::Timestamp,
    },
};
use futures::TryStreamExt as _;
use sqlx::{FromRow, PgPool, Postgres, Transaction, types::time::OffsetDateTime};
use std::collections::HashMap;
use uuid::Uuid;

/// The read models that it reads, and the versions of them that it knows.
const MODELS: [(&str, i32); 6] = [
    (AccessProducts::NAME, AccessProducts::VERSION),
    (Entitlements::NAME, Entitlements::VERSION),
    (Memberships::NAME, Memberships::VERSION),
    (PaymentSessions::NAME, PaymentSessions::VERSION),
    (Payments::NAME, Payments::VERSION),
    (TestClocks::NAME, TestClocks::VERSION),
];

/// How many people's identities are asked for at a time.
const PEOPLE: usize = 10_000;

/// Why the index cannot be filled. It is tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("the read model {0} is being built")]
    NotBuilt(&'static str),
    #[error("the read models cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the identities of members cannot be read: {0}")]
    Vault(#[from] VaultError),
    #[error("a row of the read model is of another version")]
    Row(#[from] serde_json::Error),
}

/// An index as of the read models, and the position from which the log must be folded into it.
pub(super) async fn load(pool: &PgPool, vault: &Vault) -> Result<(Index, u64), LoadError> {
    let mut snapshot = pool.begin().await?;
    sqlx::query(include_str!("sql/snapshot.sql")).execute(&mut *snapshot).await?;
    let checkpoints = checkpoints(&mut snapshot).await?;
    let at = |name: &str| checkpoints.get(name).copied().flatten();
    let loaded =
        Loaded { access_products: at(AccessProducts::NAME), entitlements: at(Entitlements::NAME), memberships: at(Memberships::NAME) };
    let mut index = Index::new(loaded);
    load_products(&mut snapshot, &mut index).await?;
    load_entitlements(&mut snapshot, &mut index, vault).await?;
    load_memberships(&mut snapshot, &mut index).await?;
    load_clocks(&mut snapshot, &mut index).await?;
    snapshot.rollback().await?;
    identify(&mut index, vault).await?;
    // What belongs to one append may be in one model and not in the other yet: its first event is no further back than this.
    let from = MODELS.iter().map(|(name, _)| at(name).map_or(0, |position| position + 1)).min().unwrap_or(0);
    Ok((index, from.saturating_sub(APPEND)))
}

/// Position of the last event applied, of each model; `None` before the first.
async fn checkpoints(snapshot: &mut Transaction<'_, Postgres>) -> Result<HashMap<String, Option<u64>>, LoadError> {
    let names: Vec<&str> = MODELS.iter().map(|(name, _)| *name).collect();
    let slots: Vec<(String, i32, i64)> = sqlx::query_as(include_str!("sql/slots.sql")).bind(&names).fetch_all(&mut **snapshot).await?;
    for (name, version) in MODELS {
        if !slots.iter().any(|(found, at, _)| found == name && *at == version) {
            return Err(LoadError::NotBuilt(name));
        }
    }
    let entered: i64 = sqlx::query_scalar(include_str!("../runner/sql/enter_live.sql")).bind(&names).fetch_one(&mut **snapshot).await?;
    if usize::try_from(entered) != Ok(MODELS.len()) {
        return Err(LoadError::NotBuilt(MODELS[0].0));
    }
    Ok(slots.into_iter().map(|(name, _, checkpoint)| (name, u64::try_from(checkpoint).ok())).collect())
}

async fn load_products(snapshot: &mut Transaction<'_, Postgres>, index: &mut Index) -> Result<(), LoadError> {
    let mut rows = sqlx::query_scalar::<_, String>(include_str!("sql/access_products.sql")).fetch(&mut **snapshot);
    while let Some(row) = rows.try_next().await? {
        index.catalog_mut().put(serde_json::from_str::<AccessProduct>(&row)?);
    }
    Ok(())
}

#[derive(FromRow)]
struct EntitlementRow {
    id: Uuid,
    owner_id: Option<Uuid>,
    livemode: bool,
    subject_id: Option<Uuid>,
    created_at: OffsetDateTime,
    access_product_id: Uuid,
    external_customer_id: Option<String>,
    email: Option<String>,
    wallet: Option<String>,
    rail_id: String,
    sandbox: bool,
    payment_id: Option<Uuid>,
    receipt_id: Option<Uuid>,
    status: String,
    active_from: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    protocol: bool,
    test_clock_id: Option<Uuid>,
}

async fn load_entitlements(snapshot: &mut Transaction<'_, Postgres>, index: &mut Index, vault: &Vault) -> Result<(), LoadError> {
    let mut rows = sqlx::query_as::<_, EntitlementRow>(include_str!("sql/entitlements.sql")).fetch(&mut **snapshot);
    while let Some(row) = rows.try_next().await? {
        let Some(owner) = row.owner_id.map(OwnerId) else { continue };
        let identities = identities(vault, owner, row.external_customer_id.as_deref(), row.wallet.as_deref(), row.email.as_deref());
        let mut flags = Flags::default();
        flags.set(Flags::LIVE, row.livemode);
        flags.set(Flags::SANDBOX, row.sandbox);
        flags.set(Flags::PROTOCOL, row.protocol);
        let grant = Grant {
            id: row.id,
            subject: row.subject_id.unwrap_or_default(),
            access_product: row.access_product_id,
            payment: row.payment_id.unwrap_or_default(),
            receipt: row.receipt_id.unwrap_or_default(),
            created_at: row.created_at.into(),
            active_from: row.active_from.map_or(Grant::NEVER, Timestamp::from),
            expires_at: row.expires_at.map_or(Grant::NEVER, Timestamp::from),
            owner: 0,
            rail: row.rail_id.parse::<RailId>().map_err(|_| unknown("rail_id"))?,
            status: EntitlementStatus::parse(&row.status).ok_or_else(|| unknown("status"))?,
            flags,
        };
        if let Some(clock) = row.test_clock_id {
            index.clocks.hang(row.id, TestClockId(clock));
        }
        index.load_grant(owner, grant, &identities);
    }
    Ok(())
}

async fn load_clocks(snapshot: &mut Transaction<'_, Postgres>, index: &mut Index) -> Result<(), LoadError> {
    let mut rows = sqlx::query_as::<_, (Uuid, OffsetDateTime)>(include_str!("sql/test_clocks.sql")).fetch(&mut **snapshot);
    while let Some((id, frozen_time)) = rows.try_next().await? {
        index.clocks.show(TestClockId(id), frozen_time.into());
    }
    Ok(())
}

/// What an entitlement is found by.
pub(super) fn identities(
    vault: &Vault,
    owner: OwnerId,
    external_customer_id: Option<&str>,
    wallet: Option<&str>,
    email: Option<&str>,
) -> Vec<Identity> {
    let all = [(Kind::ExternalCustomerId, external_customer_id), (Kind::Wallet, wallet), (Kind::Email, email)];
    let identity = |(kind, value): (Kind, Option<&str>)| value.map(|value| Identity::new(vault, owner, kind, value));
    all.into_iter().filter_map(identity).collect()
}

#[derive(FromRow)]
struct MembershipRow {
    id: Uuid,
    owner_id: Option<Uuid>,
    livemode: bool,
    subject_id: Option<Uuid>,
    created_at: OffsetDateTime,
    product_id: Uuid,
    latest_payment_id: Uuid,
    receipt_id: Option<Uuid>,
    term_start_at: OffsetDateTime,
    current_period_end_at: OffsetDateTime,
    grace_end_at: OffsetDateTime,
    grace_period_days: i32,
    recorded_status: String,
    revoked: bool,
    starts: Vec<OffsetDateTime>,
}

async fn load_memberships(snapshot: &mut Transaction<'_, Postgres>, index: &mut Index) -> Result<(), LoadError> {
    let mut rows = sqlx::query_as::<_, MembershipRow>(include_str!("sql/memberships.sql")).fetch(&mut **snapshot);
    while let Some(row) = rows.try_next().await? {
        let Some(owner) = row.owner_id.map(OwnerId) else { continue };
        let member = Member {
            id: row.id,
            subject: row.subject_id.unwrap_or_default(),
            product: row.product_id,
            payment: row.latest_payment_id,
            receipt: row.receipt_id.unwrap_or_default(),
            created_at: row.created_at.into(),
            term_start: row.term_start_at.into(),
            period_end: row.current_period_end_at.into(),
            grace_end: row.grace_end_at.into(),
            starts: Member::starts(row.term_start_at.into(), row.starts.into_iter().map(Timestamp::from)),
            owner: 0,
            grace_days: u32::try_from(row.grace_period_days).map_err(|_| unknown("grace_period_days"))?,
            status: row.recorded_status.parse::<MembershipStatus>().map_err(|_| unknown("recorded_status"))?,
            live: row.livemode,
            revoked: row.revoked,
            forgotten: false,
        };
        index.load_member(owner, member);
    }
    Ok(())
}

/// What members can be found by, beside their entitlements. Read after the snapshot: what came since is true as well.
async fn identify(index: &mut Index, vault: &Vault) -> Result<(), LoadError> {
    let people: Vec<SubjectId> = index.people().into_iter().collect();
    for some in people.chunks(PEOPLE) {
        for (person, identity) in members_identities(vault, some).await? {
            index.identify(person, &identity);
        }
    }
    Ok(())
}

/// What these people can be found by, of the kinds that a question may name.
pub(super) async fn members_identities(vault: &Vault, people: &[SubjectId]) -> Result<Vec<(SubjectId, Identity)>, VaultError> {
    let known = vault.identities_of(people).await?;
    let of_kind = |(person, kind, blind): (SubjectId, String, _)| Some((person, Identity { kind: Kind::parse(&kind)?, blind }));
    Ok(known.into_iter().filter_map(of_kind).collect())
}

fn unknown(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} of a read model holds something unknown").into())
}
