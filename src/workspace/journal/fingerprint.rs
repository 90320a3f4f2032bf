//! What tells one file or folder from another, so that nothing of somebody else's is taken for ours.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use crate::workspace::{During, Executable, Kind, WorkspaceError, kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// What lies at `path`, so far as it can be told from something else: nothing, a file by its content, a link by where it leads.
pub(super) fn fingerprint(path: &Path) -> Result<Option<String>, WorkspaceError> {
    Ok(match kind(path)? {
        Kind::Missing => None,
        Kind::File => Some(digest(&fs::read(path).during("read", path)?)),
        Kind::Symlink => {
            let target = fs::read_link(path).during("read", path)?;
            Some(format!("-> {}", target.display()))
        }
        Kind::Folder | Kind::Other => Some("no file".to_owned()),
    })
}

/// Whether both are files of the same content.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let is_file = matches!(kind(other), Ok(Kind::File));
    is_file && matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// The SHA-256 of a content, in base64.
pub(super) fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

/// What tells this folder from every copy of it.
#[cfg(unix)]
pub(super) fn identity(folder: &Path) -> Result<String, WorkspaceError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(folder).during("look at", folder)?;
    // The number of the device changes when some file systems are mounted again.
    Ok(metadata.ino().to_string())
}

#[cfg(not(unix))]
pub(super) fn identity(folder: &Path) -> Result<String, WorkspaceError> {
    let folder = folder.canonicalize().during("resolve", folder)?;
    Ok(folder.display().to_string())
}

/// Gives `new` the rights that the file it replaces has: whoever narrowed them meant it.
#[cfg(unix)]
pub(super) fn keep_mode(
    old: &Path,
    new: &Path,
    executable: Executable,
) -> Result<(), WorkspaceError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::symlink_metadata(old).during("look at", old)?;
    if !metadata.is_file() {
        return Ok(());
    }
    let plain = metadata.permissions().mode() & 0o666;
    // Whoever may read it may run it, if it may be run at all.
    let mode = if executable.0 {
        plain | (plain & 0o444) >> 2
    } else {
        plain
    };
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(new, permissions).during("set the rights of", new)
}

#[cfg(not(unix))]
pub(super) fn keep_mode(_: &Path, _: &Path, _: Executable) -> Result<(), WorkspaceError> {
    Ok(())
}
