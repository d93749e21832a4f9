//! Finding a person again by an identity, without storing the identity.

use super::{Vault, VaultError};
use crate::vocab::id::{OwnerId, SubjectId};
use sqlx::{PgConnection, PgExecutor};
use std::{collections::BTreeSet, fmt};
use uuid::Uuid;

/// The keyed hash of an identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Blind(pub [u8; 32]);

impl fmt::Debug for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blind(..)")
    }
}

impl Vault {
    /// The data subject that `owner` knows under one of `identities` (kind and value; the first that is known, in the order
    /// given, wins), or a new one. Identities not known yet are linked to it. E-mail addresses (kind `email`) are compared
    /// without regard to case. Without identities there is always a new subject.
    pub async fn resolve_subject(&self, owner: OwnerId, identities: &[(&str, &str)]) -> Result<SubjectId, VaultError> {
        let blinds = self.blind_all(owner, identities);
        let known = find(&self.0.pool, owner, &blinds).await?;
        if let (Some(Some(subject)), true) = (known.iter().find(|known| known.is_some()), known.iter().all(Option::is_some)) {
            return Ok(*subject);
        }
        let mut transaction = self.0.pool.begin().await?;
        // One at a time for each owner: two first visits of one person must not make two subjects.
        sqlx::query(include_str!("sql/lock_identities.sql")).bind(owner.0).execute(&mut *transaction).await?;
        let known = find(&mut *transaction, owner, &blinds).await?;
        let subject = match known.iter().flatten().next() {
            Some(subject) => *subject,
            None => self.insert_subject(&mut transaction, owner).await?,
        };
        link(&mut transaction, owner, &blinds, subject).await?;
        transaction.commit().await?;
        Ok(subject)
    }

    /// The data subject that `owner` knows under one of `identities`, the first known one in the order given.
    pub async fn find_subject(&self, owner: OwnerId, identities: &[(&str, &str)]) -> Result<Option<SubjectId>, VaultError> {
        let known = find(&self.0.pool, owner, &self.blind_all(owner, identities)).await?;
        Ok(known.into_iter().flatten().next())
    }

    /// The data subjects that `owner` knows under `identities`: usually one, several when they belong to different people.
    pub async fn find_subjects(&self, owner: OwnerId, identities: &[(&str, &str)]) -> Result<BTreeSet<SubjectId>, VaultError> {
        let known = find(&self.0.pool, owner, &self.blind_all(owner, identities)).await?;
        Ok(known.into_iter().flatten().collect())
    }

    /// What `subjects` can be found by: kind and keyed hash of each of their identities, in no order.
    pub async fn identities_of(&self, subjects: &[SubjectId]) -> Result<Vec<(SubjectId, String, Blind)>, VaultError> {
        let ids: Vec<Uuid> = subjects.iter().map(|subject| subject.0).collect();
        let rows: Vec<(Uuid, String, Vec<u8>)> =
            sqlx::query_as(include_str!("sql/identities_of.sql")).bind(ids).fetch_all(&self.0.pool).await?;
        let malformed = || sqlx::Error::Decode("the keyed hash of an identity is 32 bytes".into());
        let identity = |(subject, kind, blind): (Uuid, String, Vec<u8>)| {
            Ok((SubjectId(subject), kind, Blind(blind.try_into().map_err(|_| malformed())?)))
        };
        Ok(rows.into_iter().map(identity).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The keyed hash that stands for an identity of one of `owner`'s people: equal for equal identities, and of no use to anyone
    /// without the master key.
    pub fn blind_identity(&self, owner: OwnerId, kind: &str, value: &str) -> Blind {
        // The same person, however he writes his address.
        let lower = (kind == "email").then(|| value.trim().to_lowercase());
        let value = lower.as_deref().unwrap_or(value);
        let length = u64::try_from(kind.len()).unwrap_or(u64::MAX).to_be_bytes();
        Blind(self.0.identities.mac(&[owner.0.as_bytes(), &length, kind.as_bytes(), value.as_bytes()]))
    }

    fn blind_all<'a>(&self, owner: OwnerId, identities: &[(&'a str, &str)]) -> Vec<(&'a str, Vec<u8>)> {
        identities.iter().map(|(kind, value)| (*kind, self.blind_identity(owner, kind, value).0.to_vec())).collect()
    }
}

async fn find(executor: impl PgExecutor<'_>, owner: OwnerId, blinds: &[(&str, Vec<u8>)]) -> Result<Vec<Option<SubjectId>>, sqlx::Error> {
    let rows: Vec<(i64, Uuid)> = sqlx::query_as(include_str!("sql/find_identities.sql"))
        .bind(owner.0)
        .bind(blinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())
        .bind(blinds.iter().map(|(_, blind)| blind.as_slice()).collect::<Vec<_>>())
        .fetch_all(executor)
        .await?;
    let at = |index: usize| rows.iter().find(|(ordinal, _)| usize::try_from(*ordinal) == Ok(index + 1)).map(|(_, id)| SubjectId(*id));
    Ok((0..blinds.len()).map(at).collect())
}

async fn link(connection: &mut PgConnection, owner: OwnerId, blinds: &[(&str, Vec<u8>)], subject: SubjectId) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("sql/link_identities.sql"))
        .bind(owner.0)
        .bind(blinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>())
        .bind(blinds.iter().map(|(_, blind)| blind.as_slice()).collect::<Vec<_>>())
        .bind(subject.0)
        .execute(connection)
        .await?;
    Ok(())
}
