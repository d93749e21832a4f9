//! Secrets that must be used again, such as those that sign webhooks.

use super::{Vault, VaultError};
use crate::vocab::time::Timestamp;
use uuid::Uuid;

impl Vault {
    /// Keeps `secret` for `id`, encrypted; replaces the one of that kind.
    pub async fn put_secret(&self, id: Uuid, kind: &str, secret: &[u8]) -> Result<(), VaultError> {
        sqlx::query(include_str!("sql/put_secret.sql"))
            .bind(id)
            .bind(kind)
            .bind(self.0.secrets.seal(&associated(id, kind), secret))
            .bind(self.0.clock.now().micros())
            .execute(&self.0.pool)
            .await?;
        Ok(())
    }

    /// The secret of `id`, if there is one of that kind.
    pub async fn get_secret(&self, id: Uuid, kind: &str) -> Result<Option<Vec<u8>>, VaultError> {
        let wrapped: Option<Vec<u8>> =
            sqlx::query_scalar(include_str!("sql/get_secret.sql")).bind(id).bind(kind).fetch_optional(&self.0.pool).await?;
        let opened = wrapped.map(|wrapped| self.0.secrets.open(&associated(id, kind), &wrapped)).transpose();
        opened.map(|secret| secret.map(|secret| secret.to_vec())).map_err(|source| VaultError::DoesNotOpen { what: "a secret", source })
    }

    /// Destroys the secret of `id`; `false` when there was none.
    pub async fn delete_secret(&self, id: Uuid, kind: &str) -> Result<bool, VaultError> {
        let deleted = sqlx::query(include_str!("sql/delete_secret.sql")).bind(id).bind(kind).execute(&self.0.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// Destroys secrets of these kinds that were kept before `older_than`; how many there were.
    pub async fn prune_secrets(&self, kinds: &[&str], older_than: Timestamp) -> Result<u64, VaultError> {
        let pruned = sqlx::query(include_str!("sql/prune_secrets.sql")).bind(kinds).bind(older_than.micros()).execute(&self.0.pool).await?;
        Ok(pruned.rows_affected())
    }
}

pub(super) fn associated(id: Uuid, kind: &str) -> Vec<u8> {
    [id.as_bytes().as_slice(), kind.as_bytes()].concat()
}
