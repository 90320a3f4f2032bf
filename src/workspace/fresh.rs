//! A folder that is not there yet: the project is written beside its place and renamed into it.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use super::{During, Executable, Kind, WorkspaceError, kind, write_new};
use crate::template::change::Change;
use crate::tree::Tree;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// How the folders are named in which a project is written before it is renamed.
const PREFIX: &str = ".scaffold-new-";

/// What the lock of such a folder has after its name.
const LOCK: &str = ".lock";

/// The absolute path of a folder that is not there, with the part that is there resolved.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, WorkspaceError> {
    let path = std::path::absolute(path).during("resolve", path)?;
    let (anchor, missing) = split(&path)?;
    let anchor = anchor.canonicalize().during("resolve", anchor)?;
    Ok(anchor.join(missing))
}

/// Splits a path into the longest part that is there and the rest.
fn split(path: &Path) -> Result<(&Path, &Path), WorkspaceError> {
    let mut anchor = path;
    while kind(anchor)? == Kind::Missing {
        let Some(parent) = anchor.parent() else { break };
        anchor = parent;
    }
    let missing = path.strip_prefix(anchor).unwrap_or(path);
    let wanders = |part: Component<'_>| !matches!(part, Component::Normal(_));
    if missing.components().any(wanders) {
        return Err(WorkspaceError::Wandering(path.to_owned()));
    }
    // Links are followed here: the person named this path.
    match fs::metadata(anchor) {
        Ok(metadata) if metadata.is_dir() => Ok((anchor, missing)),
        _ => Err(WorkspaceError::NotAFolder(anchor.to_owned())),
    }
}

/// Writes all files of `tree` into the folder `target`, which appears at once and complete.
pub(super) fn write(target: &Path, changes: &[Change], tree: &Tree) -> Result<(), WorkspaceError> {
    let (anchor, missing) = split(target)?;
    let Some(first) = missing.components().next() else {
        return Err(WorkspaceError::Appeared(target.to_owned()));
    };
    sweep(anchor);
    let staging = Staging::new(anchor)?;
    let inner: PathBuf = missing.components().skip(1).collect();
    let written = fill(&staging.folder.join(inner), changes, tree).and_then(|()| {
        let place = anchor.join(first);
        match fs::rename(&staging.folder, &place) {
            Err(error) if kind(&place)? != Kind::Missing => {
                drop(error);
                Err(WorkspaceError::Appeared(place))
            }
            renamed => renamed.during("create", &place),
        }
    });
    staging.discard();
    written
}

fn fill(folder: &Path, changes: &[Change], tree: &Tree) -> Result<(), WorkspaceError> {
    fs::create_dir_all(folder).during("create", folder)?;
    for change in changes {
        let Some(file) = tree.get(&change.path) else {
            continue;
        };
        let path = change.path.below(folder);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).during("create", parent)?;
        }
        write_new(&path, &file.bytes, Executable(file.executable))?;
    }
    Ok(())
}

/// A folder of our own beside the target, and beside it the lock that says that it is in use.
///
/// The lock is there before the folder and goes after it, so that no kill leaves a folder that nobody may sweep.
struct Staging {
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Staging {
    fn new(anchor: &Path) -> Result<Self, WorkspaceError> {
        let process = std::process::id();
        let mut attempt = 0_u32;
        loop {
            let name = format!("{PREFIX}{process}-{attempt}");
            let lock_path = anchor.join(format!("{name}{LOCK}"));
            match lock_new(&lock_path) {
                Ok(Some(lock)) => {
                    let staging = Self {
                        folder: anchor.join(name),
                        lock_path,
                        _lock: lock,
                    };
                    return Ok(staging);
                }
                // Somebody was faster: another process in a container with the same number, or one that swept.
                Ok(None) => attempt += 1,
                Err(error) => return Err(error).during("create a file in", anchor),
            }
        }
    }

    /// Removes the folder; what cannot be removed now is swept by a later command.
    fn discard(self) {
        remove(&self.folder, &self.lock_path);
    }
}

fn remove(folder: &Path, lock_path: &Path) {
    let gone = match fs::remove_dir_all(folder) {
        Err(error) => error.kind() == ErrorKind::NotFound,
        Ok(()) => true,
    };
    if gone {
        let _ = fs::remove_file(lock_path);
    }
}

/// A new file that is locked; `None` where there is one already, or where it was swept before it was locked.
fn lock_new(path: &Path) -> io::Result<Option<File>> {
    let lock = match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        lock => lock?,
    };
    lock.lock()?;
    Ok(fs::exists(path)?.then_some(lock))
}

/// Removes what commands that were killed left in `anchor`, as far as that is possible.
pub(super) fn sweep(anchor: &Path) {
    for entry in fs::read_dir(anchor).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().and_then(|name| name.strip_suffix(LOCK)) else {
            continue;
        };
        if !name.starts_with(PREFIX) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        // The lock is held until the folder is gone, so that nobody takes it over meanwhile.
        let Ok(lock) = File::open(entry.path()) else {
            continue;
        };
        if lock.try_lock().is_ok() && is_folder(&anchor.join(name)) {
            remove(&anchor.join(name), &entry.path());
        }
    }
}

/// Whether a folder lies there, or nothing: a link is nothing that we made.
fn is_folder(path: &Path) -> bool {
    matches!(kind(path), Ok(Kind::Folder | Kind::Missing))
}
