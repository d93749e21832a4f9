//! Files only their user may read, replaced whole or not at all.

use super::error::{AtPath, StackError};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Writes `content` to `path`, mode 0600: written aside, synced, renamed. A crash leaves the old file or the new one.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), StackError> {
    let aside = aside(path);
    // Made anew, so that the mode is ours and not that of a file left by a crash.
    let _ = fs::remove_file(&aside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).at("create", &aside)?;
    file.write_all(content).and_then(|()| file.sync_all()).at("write", &aside)?;
    fs::rename(&aside, path).at("replace", path)?;
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

/// Where [`write_private`] writes first.
pub(super) fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Makes a rename inside `directory` survive a loss of power.
pub(super) fn sync_directory(directory: &Path) -> Result<(), StackError> {
    File::open(directory).and_then(|directory| directory.sync_all()).at("sync", directory)
}

/// `N` random bytes as lower-case hexadecimal.
pub(super) fn random_hex<const N: usize>() -> Result<String, StackError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StackError::Randomness)?;
    Ok(hex::encode(bytes))
}
