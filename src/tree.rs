//! A folder as a value: relative paths and the files that lie there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The longest name of one path component, in bytes, that common file systems take.
const LONGEST_COMPONENT: usize = 255;

/// Device names that Windows reserves in every folder, whatever the extension
/// (Microsoft, "Naming Files, Paths, and Namespaces").
const RESERVED: &[&str] = &[
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "com¹", "com²",
    "com³", "lpt¹", "lpt²", "lpt³", "conin$", "conout$",
];

/// A path below a folder: no root, no `..`, always `/`, and a name on every file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct RelPath(String);

/// Why a path is none that may be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no path to write to: {reason}", .path.escape_debug())]
pub(crate) struct RelPathError {
    path: String,
    reason: &'static str,
}

impl RelPath {
    /// The path that `text` names, component by component.
    pub(crate) fn parse(text: &str) -> Result<Self, RelPathError> {
        match text.split('/').find_map(component_fault) {
            None => Ok(Self(text.to_owned())),
            Some(reason) => Err(RelPathError {
                path: text.to_owned(),
                reason,
            }),
        }
    }

    /// The path with `/` between its components.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folders that hold this path, outermost first.
    pub(crate) fn folders(&self) -> impl Iterator<Item = RelPath> + '_ {
        self.0
            .match_indices('/')
            .map(|(end, _)| Self(self.0[..end].to_owned()))
    }

    /// Where this path lies below `folder`.
    pub(crate) fn below(&self, folder: &Path) -> PathBuf {
        self.0
            .split('/')
            .fold(folder.to_owned(), |path, part| path.join(part))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why `component` cannot be the name of a file or folder, if so.
pub(crate) fn component_fault(component: &str) -> Option<&'static str> {
    let stem = component.split('.').next().unwrap_or_default().trim_end();
    if component.is_empty() {
        Some("a component is empty")
    } else if component == "." || component == ".." {
        Some("`.` and `..` would leave the folder")
    } else if component.len() > LONGEST_COMPONENT {
        Some("a component is longer than 255 bytes")
    } else if component.contains(|c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c)) {
        Some(r#"a component may hold no control character and none of \ / : * ? " < > |"#)
    } else if component.ends_with(['.', ' ']) {
        Some("Windows drops a full stop or space at the end of a component")
    } else if RESERVED.contains(&stem.to_lowercase().as_str()) {
        Some("Windows reserves the name")
    } else {
        None
    }
}

/// A file's content and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// The content, byte for byte.
    pub(crate) bytes: Vec<u8>,
    /// Whether it may be run.
    pub(crate) executable: bool,
    /// Its path in the template, which stays the same when answers change its place.
    pub(crate) id: String,
    /// Why it is there, for a person.
    pub(crate) reason: String,
}

/// A folder as a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<RelPath, File>);

impl Tree {
    /// Puts `file` at `path`; the file that was there, if any.
    pub(crate) fn insert(&mut self, path: RelPath, file: File) -> Option<File> {
        self.0.insert(path, file)
    }

    /// Every file, in the order of their paths.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RelPath, &File)> {
        self.0.iter()
    }

    /// The file at `path`.
    pub(crate) fn get(&self, path: &RelPath) -> Option<&File> {
        self.0.get(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_its_folder_or_a_file_system_is_refused() {
        for bad in [
            "",
            "/etc/passwd",
            "..",
            "a/../b",
            "a//b",
            "./a",
            "a\\b",
            "a\0b",
            "a\nb",
            "con",
            "x/NUL.txt",
            "aux.json/y",
            "a.",
            "a ",
            "C:",
            "con .txt",
            "LPT¹",
        ] {
            assert!(RelPath::parse(bad).is_err(), "{bad:?} passed");
        }
        assert!(RelPath::parse(&"x".repeat(256)).is_err());
        for good in ["a", ".gitignore", "a/b.c/d", "console", "élan/数据.py"] {
            assert!(RelPath::parse(good).is_ok(), "{good:?} was refused");
        }
    }
}
