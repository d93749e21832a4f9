//! Subject keys: sealing and opening personal data, and erasing a person.

use super::{Cache, Vault, VaultError, crypto::Key, watch::CHANNEL};
use crate::vocab::{
    id::{EventId, OwnerId, SubjectId},
    personal::Personal,
    stream::{Recorded, StreamId},
};
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

impl Cache {
    pub(super) fn forget(&mut self, subject: SubjectId) {
        self.keys.remove(&subject);
        self.erasures += 1;
    }
    pub(super) fn forget_all(&mut self, listening: bool) {
        self.keys.clear();
        self.erasures += 1;
        self.listening = listening;
    }
}

/// A person, as the vault knows him.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The workspace that knows the person.
    pub owner: OwnerId,
    /// Whether his key is destroyed.
    pub erased: bool,
}

impl Vault {
    /// A new data subject of `owner` with a key of its own.
    pub async fn new_subject(&self, owner: OwnerId) -> Result<SubjectId, VaultError> {
        let mut connection = self.0.pool.acquire().await?;
        self.insert_subject(&mut connection, owner).await
    }

    pub(super) async fn insert_subject(&self, connection: &mut PgConnection, owner: OwnerId) -> Result<SubjectId, VaultError> {
        let subject: SubjectId = crate::clock::new_id();
        let wrapped = self.0.subjects.seal(subject.0.as_bytes(), Key::generate().as_bytes());
        sqlx::query(include_str!("sql/insert_subject.sql"))
            .bind(subject.0)
            .bind(owner.0)
            .bind(wrapped)
            .bind(self.0.clock.now().micros())
            .execute(connection)
            .await?;
        Ok(subject)
    }

    /// Personal data of `subject`, encrypted so that it opens only as part of `event`.
    pub async fn seal(&self, subject: SubjectId, event: EventId, personal: &Personal) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys(&BTreeSet::from([subject])).await?;
        let key = keys.get(&subject).ok_or(VaultError::UnknownSubject(subject))?.as_ref().ok_or(VaultError::Erased)?;
        let plain = zeroize::Zeroizing::new(rmp_serde::to_vec_named(personal).map_err(|_| VaultError::Malformed(event))?);
        Ok(key.seal(event.0.as_bytes(), &plain))
    }

    /// The personal part of each event: `None` where there is none, or where the person is erased.
    pub async fn open_all(&self, events: &[Recorded]) -> Result<Vec<Option<Personal>>, VaultError> {
        let subjects = events.iter().filter_map(|event| event.envelope.subject_id).collect();
        let keys = self.keys(&subjects).await?;
        events.iter().map(|event| open(&keys, event)).collect()
    }

    /// The personal part of one event: `None` where there is none, or where the person is erased.
    pub async fn open(&self, event: &Recorded) -> Result<Option<Personal>, VaultError> {
        Ok(self.open_all(std::slice::from_ref(event)).await?.pop().flatten())
    }

    /// Whose person that is, and whether his key is destroyed; `None` when there never was one.
    pub async fn standing(&self, subject: SubjectId) -> Result<Option<Standing>, VaultError> {
        let row: Option<(Uuid, bool)> =
            sqlx::query_as(include_str!("sql/subject_standing.sql")).bind(subject.0).fetch_optional(&self.0.pool).await?;
        Ok(row.map(|(owner, erased)| Standing { owner: OwnerId(owner), erased }))
    }

    /// Destroys the key of `subject` and every identity that leads to it. What was sealed stays in the log and cannot be read
    /// again, here or in any other process. Answers stored for an `Idempotency-Key` that were about the person are emptied too, since
    /// they are sealed with a key of the service. `false` when it was erased before or never known; to do it again does no harm, and
    /// empties answers that were stored meanwhile. The disk still holds the old row until the database reuses its space, and backups
    /// hold it as long as they are kept.
    pub async fn erase(&self, subject: SubjectId) -> Result<bool, VaultError> {
        let erased = sqlx::query(include_str!("sql/erase_subject.sql"))
            .bind(subject.0)
            .bind(self.0.clock.now().micros())
            .bind(CHANNEL)
            .fetch_optional(&self.0.pool)
            .await?;
        self.0.cache().forget(subject);
        sqlx::query(include_str!("sql/empty_answers.sql")).bind(subject.0).execute(&self.0.pool).await?;
        Ok(erased.is_some())
    }

    /// Everyone whose personal data is sealed in the business transactions that a stream has events of.
    pub async fn subjects_beside(&self, stream: StreamId) -> Result<Vec<SubjectId>, VaultError> {
        let query = sqlx::query_scalar(include_str!("sql/subjects_beside.sql")).bind(stream.category.as_str()).bind(stream.id);
        let found: Vec<Uuid> = query.fetch_all(&self.0.pool).await?;
        Ok(found.into_iter().map(SubjectId).collect())
    }

    /// `subject`, while he can be read; else a new data subject of `owner`. So what is said of a person is sealed with his own key.
    pub async fn subject_or_new(&self, owner: OwnerId, subject: Option<SubjectId>) -> Result<SubjectId, VaultError> {
        if let Some(subject) = subject
            && self.standing(subject).await?.is_some_and(|standing| standing.owner == owner && !standing.erased)
        {
            return Ok(subject);
        }
        self.new_subject(owner).await
    }

    /// Keys of `subjects`; `None` where one is destroyed, absent where there never was one.
    async fn keys(&self, subjects: &BTreeSet<SubjectId>) -> Result<HashMap<SubjectId, Option<Key>>, VaultError> {
        let mut keys = HashMap::with_capacity(subjects.len());
        let mut missing = Vec::new();
        let erasures = {
            let mut cache = self.0.cache();
            for subject in subjects {
                match cache.keys.get(subject) {
                    Some(key) => drop(keys.insert(*subject, Some(key.clone()))),
                    None => missing.push(subject.0),
                }
            }
            cache.erasures
        };
        if missing.is_empty() {
            return Ok(keys);
        }
        let rows: Vec<(Uuid, Option<Vec<u8>>)> =
            sqlx::query_as(include_str!("sql/subject_keys.sql")).bind(missing).fetch_all(&self.0.pool).await?;
        for (subject, wrapped) in rows {
            keys.insert(SubjectId(subject), wrapped.map(|wrapped| self.unwrap_subject_key(subject, &wrapped)).transpose()?);
        }
        let mut cache = self.0.cache();
        if cache.listening && cache.erasures == erasures {
            keys.iter().filter_map(|(subject, key)| Some((subject, key.as_ref()?))).for_each(|(subject, key)| {
                cache.keys.insert(*subject, key.clone());
            });
        }
        Ok(keys)
    }

    fn unwrap_subject_key(&self, subject: Uuid, wrapped: &[u8]) -> Result<Key, VaultError> {
        let opened = self.0.subjects.open(subject.as_bytes(), wrapped).and_then(|key| Key::from_slice(&key));
        opened.map_err(|source| VaultError::DoesNotOpen { what: "a subject key", source })
    }
}

fn open(keys: &HashMap<SubjectId, Option<Key>>, event: &Recorded) -> Result<Option<Personal>, VaultError> {
    let (Some(subject), Some(sealed)) = (event.envelope.subject_id, &event.sealed) else { return Ok(None) };
    let Some(key) = keys.get(&subject).ok_or(VaultError::UnknownSubject(subject))? else { return Ok(None) };
    let event_id = event.envelope.event_id;
    let plain = key
        .open(event_id.0.as_bytes(), sealed)
        .map_err(|source| VaultError::DoesNotOpen { what: "the personal part of an event", source })?;
    rmp_serde::from_slice(&plain).map(Some).map_err(|_| VaultError::Malformed(event_id))
}
