//! A folder that is not there yet: the project is written beside its place and renamed into it.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use super::{During, Executable, Kind, WorkspaceError, kind, write_new};
use crate::template::change::Change;
use crate::tree::Tree;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// How the folders are named in which a project is written before it is renamed.
const PREFIX: &str = ".scaffold-new-";

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
    let root = staging.folder.join("tree");
    let inner: PathBuf = missing.components().skip(1).collect();
    let written = fill(&root.join(inner), changes, tree).and_then(|()| {
        let place = anchor.join(first);
        match fs::rename(&root, &place) {
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

/// A folder of our own beside the target; the lock on a file in it says that it is in use.
struct Staging {
    folder: PathBuf,
    _lock: File,
}

impl Staging {
    fn new(anchor: &Path) -> Result<Self, WorkspaceError> {
        let process = std::process::id();
        let mut attempt = 0_u32;
        loop {
            let folder = anchor.join(format!("{PREFIX}{process}-{attempt}"));
            match fs::create_dir(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    attempt += 1;
                    continue;
                }
                Err(error) => return Err(error).during("create a folder in", anchor),
            }
            if let Some(staging) = Self::lock(folder)? {
                return Ok(staging);
            }
            attempt += 1;
        }
    }

    /// Locks the folder; `None` if somebody swept it before it was locked.
    fn lock(folder: PathBuf) -> Result<Option<Self>, WorkspaceError> {
        let path = folder.join("lock");
        let locked = File::create_new(&path).and_then(|lock| {
            lock.lock()?;
            Ok(lock)
        });
        match locked {
            Ok(_) if kind(&path)? == Kind::Missing => Ok(None),
            Ok(lock) => Ok(Some(Self {
                folder,
                _lock: lock,
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error).during("lock", &path)
            }
        }
    }

    /// Removes the folder; what cannot be removed now is swept by a later command.
    fn discard(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what commands that were killed left in `anchor`, as far as that is possible.
pub(super) fn sweep(anchor: &Path) {
    for entry in fs::read_dir(anchor).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let folder = entry.path();
        if !ours || !matches!(kind(&folder), Ok(Kind::Folder)) {
            continue;
        }
        // The lock is held until the folder is gone, so that nobody takes it over meanwhile.
        if let Some(_lock) = abandoned(&folder) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// The lock of a folder whose maker is gone.
fn abandoned(folder: &Path) -> Option<File> {
    let path = folder.join("lock");
    if !matches!(kind(&path), Ok(Kind::File)) {
        return None;
    }
    let lock = File::open(&path).ok()?;
    lock.try_lock().is_ok().then_some(lock)
}
