//! Rendered × disk → [`Change`]s: what writing a tree into a folder means.

use crate::hint::Hint;
use crate::tree::{File, RelPath, Tree};
use std::collections::BTreeMap;
use std::fmt;

/// What lies at a path now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OnDisk {
    /// Nothing.
    Missing,
    /// A file.
    File {
        /// Its content.
        bytes: Vec<u8>,
        /// Whether it may be run.
        executable: bool,
    },
    /// A symbolic link, which is never followed.
    Symlink,
    /// A folder, a socket or whatever else holds no text.
    Other,
    /// One of the folders above the path is no folder.
    Blocked(RelPath),
}

/// Whether a file that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// It is in the way.
    Refuse,
    /// The person said so.
    Allow,
}

/// What happens to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// It is written where nothing was.
    Create,
    /// It is written over what was there.
    Replace,
    /// It is there already, byte for byte.
    Keep,
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Keep => "keep",
        })
    }
}

/// What happens to one path, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Change {
    /// The path below the folder.
    pub(crate) path: RelPath,
    /// What happens to it.
    pub(crate) action: Action,
    /// The size of the new content, in bytes.
    pub(crate) bytes: usize,
    /// Whether the file may be run.
    pub(crate) executable: bool,
    /// Why the file is there.
    pub(crate) reason: String,
}

/// Paths that cannot be written without losing something.
#[derive(Debug, thiserror::Error)]
#[error("{}", message(.paths))]
pub(crate) struct InTheWay {
    paths: Vec<(RelPath, Obstacle)>,
}

/// Why a path is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Obstacle {
    Differs,
    Symlink,
    NoFile,
    Blocked(RelPath),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs => formatter.write_str("is there and differs"),
            Self::Symlink => formatter.write_str("is a symbolic link"),
            Self::NoFile => formatter.write_str("is there and is no file"),
            Self::Blocked(folder) => write!(formatter, "`{folder}` is no folder of this project"),
        }
    }
}

fn message(paths: &[(RelPath, Obstacle)]) -> String {
    let count = match paths.len() {
        1 => "1 path is in the way".to_owned(),
        count => format!("{count} paths are in the way"),
    };
    let lines = paths
        .iter()
        .map(|(path, obstacle)| format!("\n  {path}: {obstacle}"));
    format!("{count}:{}", lines.collect::<String>())
}

impl Hint for InTheWay {
    fn hint(&self) -> Option<String> {
        let can_be_forced = |(_, obstacle): &(RelPath, Obstacle)| {
            matches!(obstacle, Obstacle::Differs | Obstacle::Symlink)
        };
        Some(if self.paths.iter().all(can_be_forced) {
            "nothing was written; move them away, choose another folder, or pass `--force` to replace them".to_owned()
        } else {
            "nothing was written; move them away or choose another folder".to_owned()
        })
    }
}

/// Compares `tree` with what is on the disk; `disk` has an entry for each path of the tree.
pub(crate) fn changes(
    tree: &Tree,
    disk: &BTreeMap<RelPath, OnDisk>,
    overwrite: Overwrite,
) -> Result<Vec<Change>, InTheWay> {
    let mut changes = Vec::new();
    let mut in_the_way = Vec::new();
    for (path, file) in tree.iter() {
        let there = disk.get(path).unwrap_or(&OnDisk::Missing);
        match action(file, there, overwrite) {
            Ok(action) => changes.push(Change {
                path: path.clone(),
                action,
                bytes: file.bytes.len(),
                executable: file.executable,
                reason: file.reason.clone(),
            }),
            Err(obstacle) => in_the_way.push((path.clone(), obstacle)),
        }
    }
    if in_the_way.is_empty() {
        Ok(changes)
    } else {
        Err(InTheWay { paths: in_the_way })
    }
}

fn action(file: &File, there: &OnDisk, overwrite: Overwrite) -> Result<Action, Obstacle> {
    let obstacle = match there {
        OnDisk::Missing => return Ok(Action::Create),
        OnDisk::File { bytes, executable }
            // Some file systems call every file executable, which takes nothing away.
            if *bytes == file.bytes && (*executable || !file.executable) =>
        {
            return Ok(Action::Keep);
        }
        OnDisk::Other => return Err(Obstacle::NoFile),
        OnDisk::Blocked(folder) => return Err(Obstacle::Blocked(folder.clone())),
        OnDisk::File { .. } => Obstacle::Differs,
        OnDisk::Symlink => Obstacle::Symlink,
    };
    match overwrite {
        Overwrite::Allow => Ok(Action::Replace),
        Overwrite::Refuse => Err(obstacle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_disk_decides_what_happens() {
        let file = File {
            bytes: b"new".to_vec(),
            executable: false,
            id: String::new(),
            reason: String::new(),
        };
        let on_disk = |bytes: &[u8], executable| OnDisk::File {
            bytes: bytes.to_vec(),
            executable,
        };
        let folder = RelPath::parse("a").unwrap();
        let table = [
            (OnDisk::Missing, Some(Action::Create), Some(Action::Create)),
            (
                on_disk(b"new", false),
                Some(Action::Keep),
                Some(Action::Keep),
            ),
            (
                on_disk(b"new", true),
                Some(Action::Keep),
                Some(Action::Keep),
            ),
            (on_disk(b"old", false), None, Some(Action::Replace)),
            (OnDisk::Symlink, None, Some(Action::Replace)),
            (OnDisk::Other, None, None),
            (OnDisk::Blocked(folder), None, None),
        ];
        for (there, refused, forced) in table {
            assert_eq!(
                action(&file, &there, Overwrite::Refuse).ok(),
                refused,
                "{there:?}"
            );
            assert_eq!(
                action(&file, &there, Overwrite::Allow).ok(),
                forced,
                "{there:?}"
            );
        }
    }
}
