//! Where the log is, and whose key signs it.

use crate::class::Failure;
use events::vault::MasterKey;
use serde::Deserialize;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What a development service leaves behind; only what is needed here.
#[derive(Deserialize, Default)]
struct DevFile {
    database_url: Option<String>,
    log_vkey: Option<String>,
    /// Where it was found.
    #[serde(skip)]
    folder: Option<PathBuf>,
}

/// Where to connect, and what to believe.
pub(crate) struct Settings {
    pub database_url: String,
    /// The log's verifier key, where one is configured.
    pub vkey: Option<String>,
    /// The development service's data directory.
    folder: Option<PathBuf>,
}

impl Settings {
    /// A URL given wins over a dev file; a dev file given wins over one that lies around.
    pub fn find(database_url: Option<String>, dev_file: Option<PathBuf>, vkey: Option<String>) -> Result<Self, Failure> {
        let dev = match (&database_url, &dev_file) {
            (_, Some(path)) => read(path)?,
            // The key of another service says nothing about this database.
            (Some(_), None) => DevFile::default(),
            (None, None) => match lying_around() {
                Some(path) => read(&path)?,
                None => DevFile::default(),
            },
        };
        let database_url = database_url
            .or(dev.database_url)
            .ok_or_else(|| Failure::Input("no database: give --database-url or HILT_DATABASE_URL, or --dev-file".to_owned()))?;
        Ok(Settings { database_url, vkey: vkey.or(dev.log_vkey), folder: dev.folder })
    }

    /// Whether the development service's own master key is at hand.
    pub fn has_master_key(&self) -> bool {
        self.folder.is_some()
    }

    /// The log's verifier key alone: the one given, or the development service's own.
    pub fn find_vkey(dev_file: Option<PathBuf>, given: Option<String>) -> Result<Option<String>, Failure> {
        match (given, dev_file) {
            (Some(given), _) => Ok(Some(given)),
            (None, Some(path)) => Ok(read(&path)?.log_vkey),
            (None, None) => Ok(None),
        }
    }

    /// The key that opens personal data: the one given, or the development service's own.
    pub fn master_key(&self, given: Option<String>) -> Result<MasterKey, Failure> {
        let text = match (given, &self.folder) {
            (Some(text), _) => text,
            (None, Some(folder)) => {
                let path = folder.join("master.key");
                std::fs::read_to_string(&path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?
            }
            (None, None) => return Err(Failure::Input("no master key: set HILT_MASTER_KEY, or give --dev-file".to_owned())),
        };
        MasterKey::parse(&text).map_err(|error| Failure::Input(error.to_string()))
    }

    pub async fn connect(&self) -> Result<PgPool, Failure> {
        let options: PgConnectOptions =
            self.database_url.parse().map_err(|_| Failure::Input("the database URL is not a PostgreSQL URL".to_owned()))?;
        let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(10));
        pool.connect_with(options.application_name("hilt-replay"))
            .await
            .map_err(|source| Failure::Database { doing: "connecting to the database", source })
    }
}

fn lying_around() -> Option<PathBuf> {
    let data_dir = std::env::var_os("HILT_DATA_DIR").map_or_else(|| PathBuf::from(".hilt"), PathBuf::from);
    Some(data_dir.join("dev.json")).filter(|path| path.is_file())
}

fn read(path: &Path) -> Result<DevFile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    let mut dev: DevFile = serde_json::from_str(&text).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    dev.folder = path.parent().map(Path::to_owned);
    Ok(dev)
}
