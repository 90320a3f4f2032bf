//! Every dev container below a folder.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use super::{During, WorkspaceError, find};
use ignore::{DirEntry, WalkBuilder, WalkParallel, WalkState};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};

const DEVCONTAINER: &str = ".devcontainer";

/// What a configuration is called in a `.devcontainer`, and what outside of one.
const CONFIGURATIONS: [&str; 2] = ["devcontainer.json", ".devcontainer.json"];

/// A configuration and the folder that it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// The workspace folder, as a path that begins as the root of the walk is written.
    pub(crate) folder: PathBuf,
    /// Its devcontainer.json or `.devcontainer.json`.
    pub(crate) file: PathBuf,
}

/// What a walk came to.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// The configurations, by path.
    pub(crate) found: BTreeSet<Found>,
    /// The folders that could not be read, each with the reason, by path.
    pub(crate) unread: Vec<WorkspaceError>,
}

/// Every configuration of `root` and of the folders below it, also where a folder has several.
///
/// What git ignores is passed over, but not what `root` itself has: who names a folder means it. In a repository its `.gitignore` files
/// and its `info/exclude` count, elsewhere the `.gitignore` files from `root` on. The person's own ignore file does not count, because
/// no habit of theirs may hide what a repository holds. The index is not read, so that an ignored file stays one although git tracks it.
///
/// A link to a folder is followed only where it is a `.devcontainer` or lies in one, which cannot lead into a circle.
pub(crate) fn configurations(root: &Path) -> Result<Walked, WorkspaceError> {
    fs::read_dir(root).during("list", root)?;
    let mut walked = Walked::default();
    walked.add(root, [root.join(".devcontainer.json")]);
    walked.add_devcontainer(root, &root.join(DEVCONTAINER));
    for entry in walk(root) {
        match entry {
            Ok(entry) => walked.add_entry(&entry),
            Err(error) => walked.unread.extend(unread(error, root)),
        }
    }
    walked.unread.sort_by_cached_key(ToString::to_string);
    walked.unread.dedup_by_key(|error| error.to_string());
    Ok(walked)
}

impl Walked {
    /// Adds the configurations that an entry is or, if it is a link, leads to.
    fn add_entry(&mut self, entry: &DirEntry) {
        let path = entry.path();
        let Some(devcontainer) = devcontainer_of(entry) else {
            if let (Some(folder), ".devcontainer.json") = (path.parent(), name(path)) {
                self.add(folder, [path.to_owned()]);
            }
            return;
        };
        let Some(folder) = devcontainer.parent() else {
            return;
        };
        if name(path) == "devcontainer.json" {
            self.add(folder, [path.to_owned()]);
        }
        if entry.path_is_symlink() {
            if path == devcontainer {
                self.add_devcontainer(folder, devcontainer);
            } else if path.parent() == Some(devcontainer) {
                self.add(folder, [path.join("devcontainer.json")]);
            }
        }
    }

    /// Adds what a `.devcontainer` holds, whether git ignores it or not.
    fn add_devcontainer(&mut self, folder: &Path, devcontainer: &Path) {
        self.add(folder, [devcontainer.join("devcontainer.json")]);
        match find::named_configurations(folder) {
            Ok(named) => self.add(folder, named.into_iter().map(|(_, file)| file)),
            Err(error) => self.unread.push(error),
        }
    }

    /// Adds those of the files that are there.
    fn add(&mut self, folder: &Path, files: impl IntoIterator<Item = PathBuf>) {
        let files = files.into_iter().filter(|file| file.is_file());
        self.found.extend(files.map(|file| Found {
            folder: folder.to_owned(),
            file,
        }));
    }
}

/// What lies below `root` and may be a configuration or lead to one, in no order.
///
/// Threads read the folders, for listing them is nearly all that a walk takes.
fn walk(root: &Path) -> Receiver<Result<DirEntry, ignore::Error>> {
    let (sender, entries) = mpsc::channel();
    walker(root).run(|| {
        let sender = sender.clone();
        Box::new(move |entry| match sender.send(entry) {
            Ok(()) => WalkState::Continue,
            Err(_) => WalkState::Quit,
        })
    });
    entries
}

fn walker(root: &Path) -> WalkParallel {
    let is_in_repository = root.canonicalize().is_ok_and(|real| {
        real.ancestors()
            .any(|ancestor| ancestor.join(".git").exists())
    });
    WalkBuilder::new(root)
        .standard_filters(false)
        .git_ignore(true)
        .git_exclude(true)
        // Without a repository there is no root of it, and the whole disk above would count.
        .parents(is_in_repository)
        .require_git(is_in_repository)
        .filter_entry(is_wanted)
        .build_parallel()
}

fn is_wanted(entry: &DirEntry) -> bool {
    let path = entry.path();
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return entry.path_is_symlink() || CONFIGURATIONS.contains(&name(path));
    }
    if let Some(devcontainer) = devcontainer_of(entry) {
        // No workspace lies in a `.devcontainer`: its folders are named configurations, and theirs hold what an image needs.
        return path == devcontainer || path.parent() == Some(devcontainer);
    }
    // What was installed has dev containers of its authors, if any: npm's packages, and a Python environment, whatever it is called
    // (PEP 405).
    ![".git", "node_modules"].contains(&name(path)) && !path.join("pyvenv.cfg").is_file()
}

/// The `.devcontainer` that an entry is or lies in; of several in one another the outermost.
fn devcontainer_of(entry: &DirEntry) -> Option<&Path> {
    let below_root = entry.path().ancestors().take(entry.depth());
    below_root.filter(|path| name(path) == DEVCONTAINER).last()
}

/// The name, or nothing where it is no text, since all names that count are.
fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

/// Which folder could not be read, and why; `None` for a pattern in an ignore file that is none, which git passes over too.
fn unread(error: ignore::Error, root: &Path) -> Option<WorkspaceError> {
    let mut inner = &error;
    while let ignore::Error::WithDepth { err, .. } = inner {
        inner = err;
    }
    let path = match inner {
        ignore::Error::WithPath { path, .. } => path.clone(),
        _ => root.to_owned(),
    };
    Some(WorkspaceError::Io {
        doing: "list",
        path,
        source: error.into_io_error()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A folder with these files, each as its path and its text.
    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// A folder with a configuration at each of these paths.
    fn configured(paths: &[&str]) -> TempDir {
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (*path, "{}")).collect();
        folder(&files)
    }

    /// What is found below `root`, as `FOLDER: FILE` with paths from there.
    fn found(root: &Path) -> Vec<String> {
        let walked = configurations(root).unwrap();
        assert!(walked.unread.is_empty(), "{:?}", walked.unread);
        let below = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        let found = walked.found.iter();
        found
            .map(|found| format!("{}: {}", below(&found.folder), below(&found.file)))
            .collect()
    }

    /// Checks what is found in a folder with these files, which is no repository.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        assert_eq!(found(folder(files).path()), expected);
    }

    #[test]
    fn every_configuration_of_every_folder_is_found_in_order() {
        let dir = configured(&[
            "b/.devcontainer.json",
            "a/deep/er/.devcontainer/devcontainer.json",
            ".devcontainer/gpu/devcontainer.json",
            ".devcontainer/cpu/devcontainer.json",
            ".devcontainer/devcontainer.json",
            ".devcontainer.json",
            ".hidden/.devcontainer.json",
            "a/devcontainer.json",
            "c/.devcontainer/Dockerfile",
        ]);
        let expected = [
            ": .devcontainer/cpu/devcontainer.json",
            ": .devcontainer/devcontainer.json",
            ": .devcontainer/gpu/devcontainer.json",
            ": .devcontainer.json",
            ".hidden: .hidden/.devcontainer.json",
            "a/deep/er: a/deep/er/.devcontainer/devcontainer.json",
            "b: b/.devcontainer.json",
        ];
        assert_eq!(found(dir.path()), expected);
    }

    #[test]
    fn no_workspace_lies_in_a_devcontainer_folder() {
        let dir = configured(&[
            "a/.devcontainer/.devcontainer.json",
            "a/.devcontainer/.devcontainer/devcontainer.json",
            "a/.devcontainer/gpu/.devcontainer.json",
            "a/.devcontainer/gpu/.devcontainer/devcontainer.json",
            "a/.devcontainer/gpu/deep/devcontainer.json",
        ]);
        let named = "a: a/.devcontainer/.devcontainer/devcontainer.json";
        assert_eq!(found(dir.path()), [named]);
        // Who names the folder means it.
        let inner = dir.path().join("a/.devcontainer");
        let expected = [
            ": .devcontainer/devcontainer.json",
            ": .devcontainer.json",
            "gpu: gpu/.devcontainer/devcontainer.json",
            "gpu: gpu/.devcontainer.json",
        ];
        assert_eq!(found(&inner), expected);
    }

    #[test]
    fn what_is_no_file_is_no_configuration() {
        let dir = folder(&[
            ("a/.devcontainer.json/x", ""),
            ("b/.devcontainer/devcontainer.json/x", ""),
            ("c/.devcontainer/devcontainer.json/devcontainer.json", ""),
        ]);
        symlink("nowhere", dir.path().join("b/.devcontainer.json")).unwrap();
        let named = "c: c/.devcontainer/devcontainer.json/devcontainer.json";
        assert_eq!(found(dir.path()), [named]);
    }

    #[test]
    fn what_others_installed_is_passed_over() {
        let dir = configured(&[
            "node_modules/left/.devcontainer.json",
            "web/node_modules/.devcontainer.json",
            "env/lib/.devcontainer.json",
            "env/pyvenv.cfg",
            ".git/.devcontainer.json",
            ".venv/.devcontainer.json",
        ]);
        // A name alone makes no environment.
        assert_eq!(found(dir.path()), [".venv: .venv/.devcontainer.json"]);
    }

    #[test]
    fn what_git_ignores_is_passed_over_without_a_repository_too() {
        let files = [
            (".gitignore", "build/\n/vendor\n!vendor/kept\n"),
            ("build/.devcontainer.json", ""),
            ("a/build/.devcontainer.json", ""),
            ("a/vendor/.devcontainer.json", ""),
            ("vendor/.devcontainer.json", ""),
            ("b/.gitignore", "*\n!.devcontainer/\n!.devcontainer/**\n"),
            ("b/.devcontainer.json", ""),
            ("b/.devcontainer/devcontainer.json", ""),
            ("c/.gitignore", "local/\n"),
            ("c/.devcontainer/local/devcontainer.json", ""),
            ("c/.devcontainer/shared/devcontainer.json", ""),
        ];
        let expected = [
            "a/vendor: a/vendor/.devcontainer.json",
            "b: b/.devcontainer/devcontainer.json",
            "c: c/.devcontainer/shared/devcontainer.json",
        ];
        check(&files, &expected);
    }

    #[test]
    fn what_the_named_folder_has_is_found_although_git_ignores_it() {
        let files = [
            (".gitignore", ".devcontainer*\n"),
            (".devcontainer/devcontainer.json", ""),
            (".devcontainer/gpu/devcontainer.json", ""),
            (".devcontainer.json", ""),
            ("a/.devcontainer.json", ""),
        ];
        let expected = [
            ": .devcontainer/devcontainer.json",
            ": .devcontainer/gpu/devcontainer.json",
            ": .devcontainer.json",
        ];
        check(&files, &expected);
    }

    #[test]
    fn the_rules_of_a_repository_end_at_its_root() {
        let dir = folder(&[
            (".gitignore", "*\n"),
            ("repository/.git/info/exclude", "scratch\n"),
            ("repository/.gitignore", "cache\n"),
            ("repository/scratch/.devcontainer.json", ""),
            ("repository/a/b/cache/.devcontainer.json", ""),
            ("repository/a/b/c/.devcontainer.json", ""),
            ("repository/clone/.git/HEAD", ""),
            ("repository/clone/cache/.devcontainer.json", ""),
        ]);
        let repository = dir.path().join("repository");
        let expected = [
            "a/b/c: a/b/c/.devcontainer.json",
            "clone/cache: clone/cache/.devcontainer.json",
        ];
        assert_eq!(found(&repository), expected);
        let below = found(&repository.join("a/b"));
        assert_eq!(below, ["c: c/.devcontainer.json"]);
    }

    #[test]
    fn without_a_repository_nothing_above_the_named_folder_counts() {
        let dir = folder(&[(".gitignore", "*\n"), ("named/a/.devcontainer.json", "")]);
        let below = found(&dir.path().join("named"));
        assert_eq!(below, ["a: a/.devcontainer.json"]);
    }

    #[test]
    fn an_ignore_file_that_is_not_gits_hides_nothing() {
        let files = [(".ignore", "a\n"), ("a/.devcontainer.json", "")];
        check(&files, &["a: a/.devcontainer.json"]);
    }

    #[test]
    fn a_link_is_followed_only_to_a_devcontainer() {
        let dir = configured(&[
            "elsewhere/common/devcontainer.json",
            "elsewhere/common/gpu/devcontainer.json",
            "elsewhere/.devcontainer.json",
            "c/.devcontainer/own/devcontainer.json",
        ]);
        let link = |target: &str, path: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, path).unwrap();
        };
        link("..", "elsewhere/circle");
        link("elsewhere", "other");
        link("../elsewhere/common", "a/.devcontainer");
        link("../elsewhere/.devcontainer.json", "b/.devcontainer.json");
        link("../../elsewhere/common", "c/.devcontainer/linked");
        link("../../../elsewhere/common", "c/.devcontainer/own/deep");
        let expected = [
            "a: a/.devcontainer/devcontainer.json",
            "a: a/.devcontainer/gpu/devcontainer.json",
            "b: b/.devcontainer.json",
            "c: c/.devcontainer/linked/devcontainer.json",
            "c: c/.devcontainer/own/devcontainer.json",
            "elsewhere: elsewhere/.devcontainer.json",
        ];
        assert_eq!(found(dir.path()), expected);
        // The root itself may be a link.
        let through = found(&dir.path().join("other"));
        assert_eq!(through, [": .devcontainer.json"]);
    }

    /// Makes folders below `root` down to a path that is too long for the system, so that even an administrator cannot list it.
    fn make_unreadable(root: &Path) -> PathBuf {
        let long = PathBuf::from("x".repeat(250));
        let half: PathBuf = std::iter::repeat_n(long, 10).collect();
        for place in ["upper", "lower"] {
            fs::create_dir_all(root.join(place).join(&half)).unwrap();
        }
        let joined = root.join("upper").join(&half).join("lower");
        fs::rename(root.join("lower"), &joined).unwrap();
        joined
    }

    #[test]
    fn a_folder_that_cannot_be_read_stops_nothing() {
        let dir = configured(&["a/.devcontainer.json", "z/.devcontainer.json"]);
        let deep = make_unreadable(&dir.path().join("m"));
        let walked = configurations(dir.path()).unwrap();
        assert_eq!(walked.found.len(), 2);
        let [WorkspaceError::Io { path, source, .. }] = &walked.unread[..] else {
            panic!("{:?}", walked.unread);
        };
        assert!(path.starts_with(deep));
        assert_eq!(source.kind(), ErrorKind::InvalidFilename);
        assert!(source.raw_os_error().is_some(), "{source}");
        // What is ignored need not be readable.
        fs::write(dir.path().join(".gitignore"), "m\n").unwrap();
        assert_eq!(found(dir.path()).len(), 2);
    }

    #[test]
    fn a_folder_that_is_not_there_cannot_be_walked() {
        let dir = configured(&["file"]);
        for name in ["missing", "file"] {
            let path = dir.path().join(name);
            let said = configurations(&path).unwrap_err().to_string();
            assert_eq!(said, format!("failed to list `{}`", path.display()));
        }
    }
}
