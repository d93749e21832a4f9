//! The data directory: whose it is, who may use it now, and the secrets kept in it.

use super::{
    error::{AtPath, StackError},
    files::{aside, random_hex, write_private},
    process::POLL,
};
use crate::secret::Secret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// The format of the directory this program writes.
const FORMAT: u32 = 1;
const MARKER: &str = "hilt-data.json";
const LOCK: &str = "hilt-data.lock";
const CREDENTIALS: &str = "stack.json";
const MASTER_KEY: &str = "master.key";
/// How long a dying process may still hold the directory.
const LOCK_FREE_WITHIN: Duration = Duration::from_secs(2);

/// `hilt-data.json`: what makes a directory ours.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marker {
    format: u32,
    /// Names this directory where its data cannot lie inside it.
    pub id: String,
    /// Where PostgreSQL's own directory lies, once chosen; relative to the data directory, or absolute.
    pub postgres: Option<PathBuf>,
}

/// `stack.json`: passwords of this stack's servers and the ports they had last.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    pub superuser_password: String,
    pub admin_password: String,
    pub service_password: String,
    pub nats_password: String,
    pub postgres_port: Option<u16>,
    pub nats_port: Option<u16>,
}

/// A data directory held by this process until dropped.
pub(super) struct DataDir {
    pub path: PathBuf,
    pub marker: Marker,
    pub credentials: Credentials,
    /// Whether this start made the directory's content.
    pub is_new: bool,
    /// The kernel releases the lock when the process ends, however it ends.
    _lock: File,
}

impl DataDir {
    /// Opens `path`, making it if it is absent or empty; refuses what is foreign, in use or another user's.
    pub async fn open(path: &Path) -> Result<Self, StackError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).at("create", path)?;
        let path = path.canonicalize().at("find", path)?;
        refuse_foreign(&path)?;
        let lock = lock(&path).await?;
        let is_new = !path.join(MARKER).exists();
        if is_new {
            // Others may pass through to PostgreSQL's own directory when that has another user, but list nothing.
            let mode = if nix::unistd::geteuid().is_root() { 0o711 } else { 0o700 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).at("protect", &path)?;
            // The marker comes last: without it, the next start begins again.
            write_json(&path.join(CREDENTIALS), &Credentials::generate()?)?;
            write_json(&path.join(MARKER), &Marker { format: FORMAT, id: random_hex::<16>()?, postgres: None })?;
        }
        let marker: Marker = read_json(&path.join(MARKER))?;
        if marker.format > FORMAT {
            return Err(StackError::Newer { path, found: marker.format, known: FORMAT });
        }
        let credentials = read_json(&path.join(CREDENTIALS))?;
        Ok(DataDir { path, marker, credentials, is_new, _lock: lock })
    }

    /// Remembers where PostgreSQL's directory lies.
    pub fn remember_postgres(&mut self, place: PathBuf) -> Result<(), StackError> {
        self.marker.postgres = Some(place);
        write_json(&self.path.join(MARKER), &self.marker)
    }

    /// Remembers the servers' ports, so that a later start offers the same addresses while they are free.
    pub fn remember_ports(&mut self, postgres: u16, nats: u16) -> Result<(), StackError> {
        if (self.credentials.postgres_port, self.credentials.nats_port) == (Some(postgres), Some(nats)) {
            return Ok(());
        }
        (self.credentials.postgres_port, self.credentials.nats_port) = (Some(postgres), Some(nats));
        write_json(&self.path.join(CREDENTIALS), &self.credentials)
    }

    /// Where [`Credentials`] are kept.
    pub fn credentials_file(&self) -> PathBuf {
        self.path.join(CREDENTIALS)
    }

    /// The key that wraps every other key of this directory; made once.
    pub fn master_key(&self) -> Result<Secret<[u8; 32]>, StackError> {
        let path = self.path.join(MASTER_KEY);
        if !path.exists() {
            write_private(&path, format!("{}\n", random_hex::<32>()?).as_bytes())?;
        }
        let text = fs::read_to_string(&path).at("read", &path)?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| StackError::Damaged { path, why: "a master key is 64 hexadecimal digits".to_owned() })?;
        Ok(Secret::new(key))
    }
}

impl Credentials {
    fn generate() -> Result<Self, StackError> {
        Ok(Credentials {
            superuser_password: random_hex::<24>()?,
            admin_password: random_hex::<24>()?,
            service_password: random_hex::<24>()?,
            nats_password: random_hex::<24>()?,
            postgres_port: None,
            nats_port: None,
        })
    }
}

/// A directory is ours if it has the marker, or holds nothing but what a start writes before the marker.
fn refuse_foreign(path: &Path) -> Result<(), StackError> {
    let first_files = [LOCK.into(), CREDENTIALS.into(), aside(Path::new(CREDENTIALS)), aside(Path::new(MARKER))];
    let mut is_foreign = false;
    for entry in fs::read_dir(path).at("read", path)? {
        let name = PathBuf::from(entry.at("read", path)?.file_name());
        if name == Path::new(MARKER) {
            return refuse_other_user(path);
        }
        is_foreign |= !first_files.contains(&name);
    }
    if is_foreign { Err(StackError::Foreign(path.to_owned())) } else { Ok(()) }
}

/// Two users on one directory would leave files the other cannot replace, root included.
fn refuse_other_user(path: &Path) -> Result<(), StackError> {
    let owner = fs::metadata(path.join(MARKER)).at("read", path)?.uid();
    if owner == nix::unistd::geteuid().as_raw() { Ok(()) } else { Err(StackError::OtherUser { path: path.to_owned(), owner }) }
}

/// Takes the directory for this process. A process killed a moment ago holds its lock until the kernel is done with it,
/// so the lock is waited for a little.
async fn lock(path: &Path) -> Result<File, StackError> {
    let name = path.join(LOCK);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name).at("open", &name)?;
    let deadline = Instant::now() + LOCK_FREE_WITHIN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(POLL).await,
            Err(TryLockError::WouldBlock) => return Err(StackError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(StackError::File { action: "lock", path: name, source }),
        }
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StackError> {
    let text = fs::read_to_string(path).at("read", path)?;
    serde_json::from_str(&text).map_err(|error| StackError::Damaged { path: path.to_owned(), why: position_of(&error) })
}

/// Where the damage is; the full message could quote a password.
fn position_of(error: &serde_json::Error) -> String {
    format!("not as written by this program, at line {} column {}", error.line(), error.column())
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StackError> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|error| StackError::Damaged { path: path.to_owned(), why: position_of(&error) })?;
    text.push(b'\n');
    write_private(path, &text)
}
