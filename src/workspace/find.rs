//! Where a project's devcontainer.json lies, and the git repository that the project belongs to.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use super::{During, WorkspaceError};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The configuration of the project in `folder` (specification, "devcontainer.json": the two places that are looked at first, then
/// `.devcontainer/<name>/devcontainer.json`).
///
/// `Ok(None)` where there is none at all.
pub(crate) fn configuration(folder: &Path) -> Result<Option<PathBuf>, WorkspaceError> {
    let usual = [".devcontainer/devcontainer.json", ".devcontainer.json"];
    let usual = usual.map(|path| folder.join(path));
    if let Some(found) = usual.into_iter().find(|path| path.is_file()) {
        return Ok(Some(found));
    }
    let mut named = named_configurations(folder)?;
    if named.len() > 1 {
        return Err(WorkspaceError::Several {
            folder: folder.to_owned(),
            names: named.into_iter().map(|(name, _)| name).collect(),
        });
    }
    Ok(named.pop().map(|(_, path)| path))
}

/// The configurations in the folders of `.devcontainer`, by the folder's name.
pub(crate) fn named_configurations(
    folder: &Path,
) -> Result<Vec<(String, PathBuf)>, WorkspaceError> {
    let root = folder.join(".devcontainer");
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&root).during("list", &root)? {
        let entry = entry.during("list", &root)?;
        let path = entry.path().join("devcontainer.json");
        if path.is_file() {
            found.push((entry.file_name().to_string_lossy().into_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// The root of the git repository that `folder` lies in, as a path that goes up from `folder` as it is written.
///
/// What `git rev-parse --show-cdup` answers: a worktree is its own root, a `.git` that git cannot read ends the search, and the variables
/// count by which git is told where to look (git's documentation, "The Git Repository" under "Environment Variables").
pub(crate) fn git_root(folder: &Path, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let real = folder.canonicalize().ok()?;
    let up_to = |root: &Path| {
        let ups = real.strip_prefix(root).ok()?.components().count();
        folder.ancestors().nth(ups).map(Path::to_owned)
    };
    if environment.contains_key("GIT_DIR") {
        let Some(tree) = environment.get("GIT_WORK_TREE") else {
            return Some(folder.to_owned());
        };
        return up_to(&Path::new(tree).canonicalize().ok()?);
    }
    let ceilings = environment.get("GIT_CEILING_DIRECTORIES");
    let ceilings: Vec<&Path> = ceilings
        .into_iter()
        .flat_map(|list| list.split(':'))
        .map(Path::new)
        .collect();
    for ancestor in real.ancestors() {
        if ancestor != real && ceilings.contains(&ancestor) {
            return None;
        }
        match repository_at(ancestor) {
            Repository::None => {}
            Repository::Broken => return None,
            Repository::Root => return up_to(ancestor),
            // Within a repository's own folder there is no work tree to go up to.
            Repository::Inside => return Some(folder.to_owned()),
        }
    }
    None
}

/// What git finds in a folder.
enum Repository {
    None,
    Broken,
    Root,
    Inside,
}

fn repository_at(folder: &Path) -> Repository {
    let git = folder.join(".git");
    if git.is_file() {
        let is_sound = linked(&git).is_some_and(|linked| is_repository(&linked));
        return if is_sound {
            Repository::Root
        } else {
            Repository::Broken
        };
    }
    if is_repository(&git) {
        Repository::Root
    } else if is_repository(folder) {
        Repository::Inside
    } else {
        Repository::None
    }
}

/// The repository that a `.git` file names: `gitdir: PATH` (git's documentation, gitrepository-layout).
fn linked(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let path = text.strip_prefix("gitdir:")?.trim();
    Some(file.parent()?.join(path))
}

/// Whether git takes the folder for a repository: it has a HEAD, and objects and refs, or names where they are.
fn is_repository(folder: &Path) -> bool {
    let has_objects = folder.join("objects").is_dir() && folder.join("refs").is_dir();
    folder.join("HEAD").is_file() && (has_objects || folder.join("commondir").is_file())
}
