//! `dev.json`: what tools and tests need to reach a development service (design §8).

use super::{error::StackError, files::write_private};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The content of `<data dir>/dev.json`, readable by its user only. Its names are fixed.
#[derive(Clone, Serialize, Deserialize)]
pub struct DevFile {
    /// Where the service answers, without a trailing slash.
    pub base_url: String,
    /// The first owner.
    pub owner_id: String,
    /// A live API key of the first owner.
    pub live_key: String,
    /// A sandbox API key of the first owner.
    pub sandbox_key: String,
    /// A JWT of the first owner.
    pub owner_jwt: String,
    /// A JWT of another owner.
    pub second_owner_jwt: String,
    /// A JWT of a staff member.
    pub staff_token: String,
    /// A JWT of another staff member.
    pub second_staff_token: String,
    /// The database as the service's role.
    pub database_url: String,
    /// The database as the owner of the schema.
    pub admin_database_url: String,
    /// The nats-server.
    pub nats_url: String,
    /// The log's origin, as signed checkpoints name it.
    pub log_origin: String,
    /// The log's verifier key (C2SP signed-note).
    pub log_vkey: String,
}

impl DevFile {
    /// Writes `dev.json` into `data_dir`, whole or not at all: a reader who sees it may rely on it.
    pub fn write(&self, data_dir: &Path) -> Result<(), StackError> {
        let path = data_dir.join("dev.json");
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|error| StackError::Damaged { path: path.clone(), why: error.to_string() })?;
        text.push(b'\n');
        write_private(&path, &text)
    }

    /// Removes `dev.json`, so that nobody takes a stopped service for a ready one.
    pub fn remove(data_dir: &Path) {
        let _ = std::fs::remove_file(data_dir.join("dev.json"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::MetadataExt as _};

    #[test]
    fn it_is_its_users_alone_and_goes_away() {
        let folder = std::env::temp_dir().join(format!("hilt-dev-file-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let names = "base_url owner_id live_key sandbox_key owner_jwt second_owner_jwt staff_token second_staff_token \
                     database_url admin_database_url nats_url log_origin log_vkey";
        let values: serde_json::Map<_, _> = names.split_whitespace().map(|name| (name.to_owned(), name.into())).collect();
        let file: DevFile = serde_json::from_value(values.clone().into()).unwrap();
        file.write(&folder).unwrap();
        let path = folder.join("dev.json");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(serde_json::from_slice::<serde_json::Map<_, _>>(&fs::read(&path).unwrap()).unwrap(), values);
        DevFile::remove(&folder);
        assert!(!path.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
