//! The disk: reads what is there, and writes a tree whole or not at all.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

pub(crate) mod cache;
pub(crate) mod find;
mod fresh;
mod journal;
pub(crate) mod lock;
pub(crate) mod walk;

use crate::hint::{Hint, enumerate, shown};
use crate::template::change::{Change, OnDisk};
use crate::tree::{RelPath, Tree};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

pub(crate) use journal::{Recovered, recover};

/// A folder that a project lies in, or will lie in.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The absolute path; of a folder that is there, without symbolic links.
    folder: PathBuf,
    /// Whether the folder is there.
    exists: bool,
}

/// What can go wrong on the disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    /// The system refused.
    #[error("failed to {doing} `{}`", shown(.path))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path that should be a folder is something else.
    #[error("`{}` is no folder", shown(.0))]
    NotAFolder(PathBuf),
    /// A path that is not there goes up and down again.
    #[error("`{}` leads through a folder that does not exist", shown(.0))]
    Wandering(PathBuf),
    /// Something came to lie at a path after the plan was made.
    #[error("`{}` came to be there while the project was written", shown(.0))]
    Appeared(PathBuf),
    /// A folder above a path is a symbolic link or a file.
    #[error("`{}` is no folder of this project", shown(.0))]
    Blocked(PathBuf),
    /// Another process is writing here.
    #[error("another scaffold is writing to `{}`", shown(.0))]
    Busy(PathBuf),
    /// A journal that this program did not write.
    #[error("`{}` is no journal of an interrupted command: {reason}", shown(.path))]
    BrokenJournal {
        /// Its folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No configuration where one was looked for.
    #[error("no devcontainer.json in `{}`", shown(.0))]
    NoConfiguration(PathBuf),
    /// Several configurations, none of which is the usual one.
    #[error("`{}` has several configurations", shown(.folder))]
    Several {
        /// The project's folder.
        folder: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// Neither finished nor undone.
    #[error("writing to `{}` was cut short and could not be undone", shown(.folder))]
    Stuck {
        /// The project's folder.
        folder: PathBuf,
        /// Why it could not be undone.
        source: Box<WorkspaceError>,
    },
}

impl Hint for WorkspaceError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Io {
                doing: "read" | "list",
                ..
            } => return None,
            Self::Io { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    "free some space and try again; the folder is as it was"
                }
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    "choose a folder that you may write to; the folder is as it was"
                }
                _ => return None,
            },
            Self::NoConfiguration(_) => {
                "`scaffold new` makes a project with one; `--config FILE` reads one that lies elsewhere"
            }
            Self::Several { names, .. } => {
                let names = enumerate(names.iter().map(String::as_str));
                return Some(format!(
                    "choose one with `--config NAME`: there are {names}"
                ));
            }
            Self::NotAFolder(_) | Self::Blocked(_) => {
                "nothing is written through a file or a symbolic link; choose another folder"
            }
            Self::Wandering(_) => "name the folder without `..`",
            Self::Appeared(_) => "the folder is as it was; try again",
            Self::Busy(_) => "wait until it has finished",
            Self::BrokenJournal { .. } => "look into it, and remove it if it is not needed",
            Self::Stuck { .. } => {
                "remove the cause and give the same command again: it first undoes the rest"
            }
        };
        Some(text.to_owned())
    }
}

/// Names what was tried on which path.
trait During<T> {
    fn during(self, doing: &'static str, path: &Path) -> Result<T, WorkspaceError>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, doing: &'static str, path: &Path) -> Result<T, WorkspaceError> {
        self.map_err(|source| WorkspaceError::Io {
            doing,
            path: path.to_owned(),
            source,
        })
    }
}

impl Workspace {
    /// The folder at `path`, which need not be there.
    pub(crate) fn at(path: &Path) -> Result<Self, WorkspaceError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Self {
                folder: path.canonicalize().during("resolve", path)?,
                exists: true,
            }),
            Ok(_) => Err(WorkspaceError::NotAFolder(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self {
                folder: fresh::absolute(path)?,
                exists: false,
            }),
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                Err(WorkspaceError::NotAFolder(path.to_owned()))
            }
            Err(error) => Err(error).during("look at", path),
        }
    }

    /// The absolute path.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the folder is there.
    pub(crate) fn exists(&self) -> bool {
        self.exists
    }

    /// What lies at each path of `tree`.
    pub(crate) fn survey(&self, tree: &Tree) -> Result<BTreeMap<RelPath, OnDisk>, WorkspaceError> {
        let paths = tree.iter().map(|(path, _)| path);
        paths
            .map(|path| Ok((path.clone(), self.look(path)?)))
            .collect()
    }

    fn look(&self, path: &RelPath) -> Result<OnDisk, WorkspaceError> {
        for folder in path.folders() {
            match kind(&folder.below(&self.folder))? {
                Kind::Folder => {}
                Kind::Missing => return Ok(OnDisk::Missing),
                Kind::File | Kind::Symlink | Kind::Other => return Ok(OnDisk::Blocked(folder)),
            }
        }
        let path = path.below(&self.folder);
        Ok(match kind(&path)? {
            Kind::Missing => OnDisk::Missing,
            Kind::Symlink => OnDisk::Symlink,
            Kind::Folder | Kind::Other => OnDisk::Other,
            Kind::File => OnDisk::File {
                executable: is_executable(&path)?,
                bytes: fs::read(&path).during("read", &path)?,
            },
        })
    }

    /// Makes the folder what `changes` say, with the content that `tree` has; all of it or nothing.
    pub(crate) fn carry_out(&self, changes: &[Change], tree: &Tree) -> Result<(), WorkspaceError> {
        if !self.exists {
            return fresh::write(&self.folder, changes, tree);
        }
        // A command that was killed just after it had renamed this folder into its place left its staging beside it.
        if let Some(beside) = self.folder.parent() {
            fresh::sweep(beside);
        }
        journal::write(&self.folder, changes, tree)
    }
}

/// Whether the folder holds nothing at all.
pub(crate) fn is_empty(folder: &Path) -> Result<bool, WorkspaceError> {
    let mut entries = fs::read_dir(folder).during("list", folder)?;
    Ok(entries.next().is_none())
}

/// The path with `.` and `..` resolved as text, so that a link stays as it was written.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(resolved.pop()),
            part => resolved.push(part),
        }
    }
    resolved
}

/// The text of a file that the person named; bytes that are no UTF-8 become U+FFFD.
pub(crate) fn read_text(path: &Path) -> Result<String, WorkspaceError> {
    let bytes = fs::read(path).during("read", path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether anything, or a link to it, is there.
pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}

/// Whether a file, or a link to one, is there.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// What a path leads to, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Missing,
    File,
    Folder,
    Symlink,
    Other,
}

fn kind(path: &Path) -> Result<Kind, WorkspaceError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Ok(Kind::Symlink),
        Ok(metadata) if metadata.is_dir() => Ok(Kind::Folder),
        Ok(metadata) if metadata.is_file() => Ok(Kind::File),
        Ok(_) => Ok(Kind::Other),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Kind::Missing),
        Err(error) => Err(error).during("look at", path),
    }
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, bytes: &[u8], executable: Executable) -> Result<(), WorkspaceError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    executable.apply(&mut options);
    let mut file = options.open(path).during("create", path)?;
    file.write_all(bytes).during("write", path)
}

/// Whether a new file may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Executable(bool);

impl Executable {
    #[cfg(unix)]
    fn apply(self, options: &mut OpenOptions) {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(if self.0 { 0o777 } else { 0o666 });
    }

    #[cfg(not(unix))]
    fn apply(self, _: &mut OpenOptions) {
        // There is no such bit to set.
        let Self(_) = self;
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> Result<bool, WorkspaceError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).during("look at", path)?;
    Ok(metadata.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> Result<bool, WorkspaceError> {
    Ok(false)
}
