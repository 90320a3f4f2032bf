//! The folders that a build reads, on the disk.
#![expect(
    clippy::disallowed_methods,
    reason = "a context is read as the builder asks for it, at the pace at which it takes it"
)]

use crate::devcontainer::ignore_patterns::{Above, BadPattern, Patterns, clean};
use crate::hint::shown;
use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Something of a context that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`", shown(path))]
pub(crate) struct Unreadable {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) source: io::Error,
}

/// Which files of a folder are asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    /// Those that match; all, where there is no pattern.
    pub(super) include: Patterns,
    /// But not those that match.
    pub(super) exclude: Patterns,
}

/// A file, folder, link, pipe, socket or device of a context.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// The same below the context.
    pub(super) inside: PathBuf,
    /// The same with `/`, in the bytes of the disk.
    pub(super) name: Vec<u8>,
    /// What the disk says of it.
    pub(super) metadata: Metadata,
}

/// Visits what is asked for of the folder `root`, folders before what they hold, names in the order of their bytes. A folder that is not asked
/// for is visited before something in it that is.
pub(super) fn walk(
    root: &Path,
    selection: &Selection,
    visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    let mut walk = Walk {
        selection,
        visit,
        held: Vec::new(),
    };
    let place = Place {
        path: root.to_owned(),
        inside: PathBuf::new(),
        name: Vec::new(),
        text: String::new(),
        included: Above::default(),
        excluded: Above::default(),
    };
    walk.folder(&place, Wanted::Yes).map(|_| ())
}

struct Walk<'a> {
    selection: &'a Selection,
    visit: &'a mut dyn FnMut(Entry) -> ControlFlow<()>,
    /// Folders that are visited once something in them is.
    held: Vec<Entry>,
}

/// A folder on the way.
struct Place {
    path: PathBuf,
    inside: PathBuf,
    name: Vec<u8>,
    text: String,
    included: Above,
    excluded: Above,
}

/// Whether something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    /// It is not, but what it holds may be.
    Within,
    No,
}

impl Walk<'_> {
    fn folder(&mut self, place: &Place, wanted: Wanted) -> Result<ControlFlow<()>, Unreadable> {
        let children = match children(&place.path) {
            Ok(children) => children,
            // What goes away while it is read was not there.
            Err(error) if error.kind() == ErrorKind::NotFound && !place.name.is_empty() => {
                return Ok(ControlFlow::Continue(()));
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied && wanted != Wanted::Yes => {
                return Ok(ControlFlow::Continue(()));
            }
            Err(source) => return Err(unreadable(&place.path, source)),
        };
        for (name, kind) in children {
            if self.child(place, &name, kind)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn child(
        &mut self,
        parent: &Place,
        name: &OsString,
        kind: FileType,
    ) -> Result<ControlFlow<()>, Unreadable> {
        let (place, wanted) = self.judge(parent, name, kind);
        if wanted == Wanted::No {
            return Ok(ControlFlow::Continue(()));
        }
        let metadata = match fs::symlink_metadata(&place.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(ControlFlow::Continue(()));
            }
            metadata => metadata.map_err(|source| unreadable(&place.path, source))?,
        };
        let entry = Entry {
            path: place.path.clone(),
            inside: place.inside.clone(),
            name: place.name.clone(),
            metadata,
        };
        self.held.push(entry);
        let depth = self.held.len();
        if wanted == Wanted::Yes {
            let mut held = std::mem::take(&mut self.held).into_iter();
            if held.any(|entry| (self.visit)(entry).is_break()) {
                return Ok(ControlFlow::Break(()));
            }
        }
        let flow = if kind.is_dir() {
            self.folder(&place, wanted)?
        } else {
            ControlFlow::Continue(())
        };
        // Unless it was visited for something in it, it is not visited.
        if self.held.len() == depth {
            self.held.pop();
        }
        Ok(flow)
    }

    fn judge(&self, parent: &Place, name: &OsString, kind: FileType) -> (Place, Wanted) {
        let mut bytes = parent.name.clone();
        let mut text = parent.text.clone();
        if !bytes.is_empty() {
            bytes.push(b'/');
            text.push('/');
        }
        bytes.extend_from_slice(name.as_encoded_bytes());
        text.push_str(&name.to_string_lossy());
        let Selection { include, exclude } = self.selection;
        let (is_included, included) = include.matches(&text, &parent.included);
        let (is_excluded, excluded) = exclude.matches(&text, &parent.excluded);
        let is_included = is_included || include.is_empty();
        let may_hold = kind.is_dir()
            && (is_included || include.may_match_below(&text))
            && (!is_excluded || exclude.may_exempt_below(&text));
        let wanted = match (is_included && !is_excluded, may_hold) {
            (true, _) => Wanted::Yes,
            (false, true) => Wanted::Within,
            (false, false) => Wanted::No,
        };
        let place = Place {
            path: parent.path.join(name),
            inside: parent.inside.join(name),
            name: bytes,
            text,
            included,
            excluded,
        };
        (place, wanted)
    }
}

/// What a folder holds, in the order of the names' bytes.
fn children(folder: &Path) -> io::Result<Vec<(OsString, FileType)>> {
    let mut children = Vec::new();
    for child in fs::read_dir(folder)? {
        let child = child?;
        match child.file_type() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            kind => children.push((child.file_name(), kind?)),
        }
    }
    children.sort_unstable_by(|(a, _), (b, _)| a.as_encoded_bytes().cmp(b.as_encoded_bytes()));
    Ok(children)
}

/// Where a symbolic link leads.
pub(super) fn link(path: &Path) -> Result<PathBuf, Unreadable> {
    fs::read_link(path).map_err(|source| unreadable(path, source))
}

/// Opens a file; `None` where it has gone meanwhile, or is a socket.
pub(super) fn open(path: &Path) -> Result<Option<File>, Unreadable> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.is_file() => Ok(None),
            _ => Err(unreadable(path, source)),
        },
    }
}

/// A whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    fs::read(path).map_err(|source| unreadable(path, source))
}

/// What is wrong with a file.
pub(super) fn unreadable(path: &Path, source: io::Error) -> Unreadable {
    Unreadable {
        path: path.to_owned(),
        source,
    }
}

/// The paths below `root` that `paths` lead to: the links on the way, and what they point at. `None` where one leads to all of it.
pub(super) fn follow(root: &Path, paths: &[String]) -> Result<Option<Vec<String>>, BadPattern> {
    let mut found = Vec::new();
    for path in paths {
        follow_one(root, path, &mut found)?;
    }
    found.sort();
    found.dedup();
    let is_all = found.iter().any(|path| path == ".");
    Ok((!is_all).then_some(found))
}

fn follow_one(root: &Path, path: &str, found: &mut Vec<String>) -> Result<(), BadPattern> {
    let path = clean(&format!("/{path}"));
    let mut current = String::new();
    let mut rest = path.trim_start_matches('/');
    loop {
        let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
        let folder = current.clone();
        let joined = clean(&format!("{folder}/{part}"));
        joined.trim_start_matches('/').clone_into(&mut current);
        if current.is_empty() {
            ".".clone_into(&mut current);
        }
        let targets = targets(root, &folder, part)?;
        if targets.is_empty() && !after.is_empty() {
            rest = after;
            continue;
        }
        if found.contains(&current) {
            return Ok(());
        }
        found.push(current);
        for target in targets {
            follow_one(root, &format!("{target}/{after}"), found)?;
        }
        return Ok(());
    }
}

/// Where the links point that `part`, a name or a pattern, fits in `folder`.
fn targets(root: &Path, folder: &str, part: &str) -> Result<Vec<String>, BadPattern> {
    let names = if part.contains(['*', '?', '[']) {
        let pattern = Patterns::parse([part])?;
        let children = children(&root.join(folder)).unwrap_or_default();
        let names = children.into_iter().map(|(name, _)| name);
        let names = names.filter(|name| {
            let name = name.to_string_lossy();
            pattern.matches(&name, &Above::default()).0
        });
        names.collect()
    } else {
        vec![OsString::from(part)]
    };
    let links = names
        .into_iter()
        .filter_map(|name| fs::read_link(root.join(folder).join(name)).ok());
    let targets = links.map(|link| {
        let link = link.to_string_lossy().into_owned();
        if link.starts_with('/') {
            link
        } else {
            format!("/{folder}/{link}")
        }
    });
    Ok(targets.collect())
}
