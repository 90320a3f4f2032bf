//! One at a time: a lock that two commands on one thing cannot both have.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use super::{During, WorkspaceError};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// A lock, held until this is dropped, or the program ends in whatever way.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

impl Lock {
    /// Takes the lock called `name`; `waiting` is told once if another has it.
    ///
    /// # Errors
    /// Where no file can be made for it.
    pub(crate) fn take(
        environment: &BTreeMap<String, String>,
        name: &str,
        waiting: impl FnOnce(),
    ) -> Result<Self, WorkspaceError> {
        let given = |name: &str| environment.get(name).filter(|path| path.starts_with('/'));
        let folder = given("XDG_RUNTIME_DIR").or_else(|| given("TMPDIR"));
        let folder = folder.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        // Where many share a folder, a file of one cannot be opened by another, nor need it.
        let user = rustix::process::getuid().as_raw();
        let path = folder.join(format!("scaffold-{user}-{name}.lock"));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .during("open", &path)?;
        match file.try_lock() {
            Ok(()) => return Ok(Self(file)),
            Err(TryLockError::WouldBlock) => waiting(),
            Err(TryLockError::Error(_)) => {}
        }
        file.lock().during("lock", &path)?;
        Ok(Self(file))
    }
}
