//! A folder that is there: every new file is staged in it, a journal says where each belongs, and only then is the first one moved.
//!
//! The journal's appearance is the point of no return: a command that is killed before it has changed nothing, and whoever comes after one
//! that was killed later finishes its moves, or takes them back where they cannot be finished.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use super::{During, Executable, Kind, WorkspaceError, kind, write_new};
use crate::template::change::{Action, Change};
use crate::tree::{RelPath, Tree};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the journal lies while a command writes.
const FOLDER: &str = ".scaffold-journal";

/// How a later command dealt with one that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovered {
    /// Every file is in its place.
    Completed,
    /// The folder is as it was before.
    RolledBack,
}

/// What has to happen, in order; the index of a move is the name of its files below `new/` and `old/`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Plan {
    /// Which folder on which disk the journal is: one that came along in a repository or a copy is nobody's unfinished work.
    identity: String,
    /// The folders that the command makes, outermost first.
    folders: Vec<String>,
    /// The files that it moves into their places.
    moves: Vec<Move>,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Move {
    path: String,
    replaces: bool,
    /// The SHA-256 of what is written, in base64, by which an edit that a person made since is known.
    digest: String,
}

/// An open journal: nobody else has it while this value lives.
struct Journal {
    project: PathBuf,
    folder: PathBuf,
    _lock: File,
}

/// Makes `project` what `changes` say.
pub(super) fn write(project: &Path, changes: &[Change], tree: &Tree) -> Result<(), WorkspaceError> {
    let changes: Vec<&Change> = changes
        .iter()
        .filter(|change| change.action != Action::Keep)
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    let folder = project.join(FOLDER);
    match fs::create_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(WorkspaceError::Busy(project.to_owned()));
        }
        made => made.during("create a folder in", project)?,
    }
    let journal = match Journal::open(project) {
        Ok(Some(journal)) => journal,
        Ok(None) => return Err(WorkspaceError::Busy(project.to_owned())),
        Err(error) => {
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    match journal.stage(&changes, tree) {
        Ok(plan) => journal.settle(&plan).map(drop),
        Err(error) => {
            journal.forget();
            Err(error)
        }
    }
}

/// Finishes or undoes what a command that was killed began in `project`; `None` where none was.
pub(crate) fn recover(project: &Path) -> Result<Option<Recovered>, WorkspaceError> {
    if kind(&project.join(FOLDER))? != Kind::Folder {
        return Ok(None);
    }
    let Some(journal) = Journal::open(project)? else {
        return Ok(None);
    };
    if let Some(plan) = journal.read()? {
        return journal.finish_or_undo(&plan).map(Some);
    }
    journal.forget();
    Ok(Some(Recovered::RolledBack))
}

impl Journal {
    /// Locks the journal of `project`; `None` if its owner removed it meanwhile.
    fn open(project: &Path) -> Result<Option<Self>, WorkspaceError> {
        let folder = project.join(FOLDER);
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        options.write(true);
        match kind(&path)? {
            Kind::File => {}
            Kind::Missing => drop(options.create_new(true)),
            Kind::Folder | Kind::Symlink | Kind::Other => {
                let reason = "its lock is no file".to_owned();
                return Err(WorkspaceError::BrokenJournal {
                    path: folder,
                    reason,
                });
            }
        }
        let lock = match options.open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(WorkspaceError::Busy(project.to_owned()));
            }
            lock => lock.during("create", &path)?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(WorkspaceError::Busy(project.to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(error).during("lock", &path),
        }
        // The lock of a journal that was removed between the two calls says nothing.
        if kind(&path)? == Kind::Missing {
            return Ok(None);
        }
        Ok(Some(Self {
            project: project.to_owned(),
            folder,
            _lock: lock,
        }))
    }

    fn plan_path(&self) -> PathBuf {
        self.folder.join("plan.json")
    }

    fn new_file(&self, index: usize) -> PathBuf {
        self.folder.join("new").join(index.to_string())
    }

    fn old_file(&self, index: usize) -> PathBuf {
        self.folder.join("old").join(index.to_string())
    }

    /// Writes everything that takes space, and at last the plan.
    fn stage(&self, changes: &[&Change], tree: &Tree) -> Result<Plan, WorkspaceError> {
        for name in ["new", "old"] {
            let path = self.folder.join(name);
            fs::create_dir(&path).during("create", &path)?;
        }
        let mut plan = Plan {
            identity: identity(&self.folder)?,
            folders: Vec::new(),
            moves: Vec::new(),
        };
        for (index, change) in changes.iter().enumerate() {
            let Some(file) = tree.get(&change.path) else {
                continue;
            };
            let executable = Executable(file.executable);
            let staged = self.new_file(index);
            write_new(&staged, &file.bytes, executable)?;
            if change.action == Action::Replace {
                keep_mode(&change.path.below(&self.project), &staged, executable)?;
            }
            self.note_folders(&change.path, &mut plan.folders)?;
            plan.moves.push(Move {
                path: change.path.to_string(),
                replaces: change.action == Action::Replace,
                digest: digest(&file.bytes),
            });
        }
        let draft = self.folder.join("plan.draft");
        let text = serde_json::to_vec(&plan).map_err(std::io::Error::from);
        write_new(&draft, &text.during("write", &draft)?, Executable(false))?;
        fs::rename(&draft, self.plan_path()).during("write", &self.plan_path())?;
        Ok(plan)
    }

    /// Adds the folders above `path` that are not there.
    fn note_folders(
        &self,
        path: &RelPath,
        folders: &mut Vec<String>,
    ) -> Result<(), WorkspaceError> {
        for folder in path.folders() {
            let known = folders.iter().any(|known| known == folder.as_str());
            if !known && kind(&folder.below(&self.project))? == Kind::Missing {
                folders.push(folder.to_string());
            }
        }
        Ok(())
    }

    /// Carries out a plan that was just made: an error means that it was undone.
    fn settle(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        let Err(error) = self.finish(plan) else {
            return Ok(());
        };
        self.undo_or_stick(plan)?;
        Err(error)
    }

    /// Carries out the plan of a command that was killed.
    fn finish_or_undo(&self, plan: &Plan) -> Result<Recovered, WorkspaceError> {
        if self.finish_around(plan).is_ok() {
            return Ok(Recovered::Completed);
        }
        self.undo_or_stick(plan)?;
        Ok(Recovered::RolledBack)
    }

    fn undo_or_stick(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        self.undo(plan).map_err(|source| WorkspaceError::Stuck {
            folder: self.project.clone(),
            source: Box::new(source),
        })
    }

    /// The plan, or `None` if the command was killed before the point of no return.
    fn read(&self) -> Result<Option<Plan>, WorkspaceError> {
        let path = self.plan_path();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.during("read", &path)?,
        };
        let broken = |reason: String| WorkspaceError::BrokenJournal {
            path: self.folder.clone(),
            reason,
        };
        let plan: Plan =
            serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        if plan.identity != identity(&self.folder)? {
            return Err(broken("it was not written here".to_owned()));
        }
        let paths = plan.moves.iter().map(|one| &one.path);
        for path in paths.chain(&plan.folders) {
            RelPath::parse(path).map_err(|error| broken(error.to_string()))?;
        }
        Ok(Some(plan))
    }

    /// Moves what is not yet in its place, and removes the journal.
    fn finish(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        for (index, one) in plan.moves.iter().enumerate() {
            if kind(&self.new_file(index))? != Kind::Missing {
                self.advance(index, one)?;
            }
        }
        self.close()
    }

    /// The same for a command that was killed: where a person has put a file since, theirs stays.
    fn finish_around(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        for (index, one) in plan.moves.iter().enumerate() {
            if kind(&self.new_file(index))? == Kind::Missing {
                continue;
            }
            match self.advance(index, one) {
                Err(WorkspaceError::Appeared(_)) => {}
                moved => moved?,
            }
        }
        self.close()
    }

    /// Removes what a plan that is carried out leaves.
    fn close(&self) -> Result<(), WorkspaceError> {
        // The old files go before the plan, so that a kill in between leaves a plan with nothing to do.
        for name in ["old", "new"] {
            let path = self.folder.join(name);
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.during("remove", &path)?,
            }
        }
        self.forget();
        Ok(())
    }

    fn advance(&self, index: usize, one: &Move) -> Result<(), WorkspaceError> {
        let target = self.make_room(&one.path)?;
        let (new, old) = (self.new_file(index), self.old_file(index));
        if !one.replaces {
            return place(&new, &target);
        }
        match (kind(&target)?, kind(&old)?) {
            (Kind::Missing, _) => {}
            (_, Kind::Missing) => fs::rename(&target, &old).during("move away", &target)?,
            _ => return Err(WorkspaceError::Appeared(target)),
        }
        fs::rename(&new, &target).during("create", &target)
    }

    /// The place of `path`, its folders made; an error where one of them is no folder.
    fn make_room(&self, path: &str) -> Result<PathBuf, WorkspaceError> {
        let path = self.parse(path)?;
        for folder in path.folders() {
            let folder = folder.below(&self.project);
            match kind(&folder)? {
                Kind::Folder => {}
                Kind::Missing => fs::create_dir(&folder).during("create", &folder)?,
                Kind::File | Kind::Symlink | Kind::Other => {
                    return Err(WorkspaceError::Blocked(folder));
                }
            }
        }
        Ok(path.below(&self.project))
    }

    /// Takes every move back, last first, and removes the journal.
    fn undo(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        for (index, one) in plan.moves.iter().enumerate().rev() {
            self.retreat(index, one)?;
        }
        for folder in plan.folders.iter().rev() {
            // A folder that holds something else by now is not ours to remove.
            let _ = fs::remove_dir(self.project.join(folder));
        }
        self.forget();
        Ok(())
    }

    fn retreat(&self, index: usize, one: &Move) -> Result<(), WorkspaceError> {
        let Some(target) = self.place_of(&one.path)? else {
            return Ok(());
        };
        let (new, old) = (self.new_file(index), self.old_file(index));
        let is_placed = kind(&new)? == Kind::Missing || (!one.replaces && is_same(&new, &target));
        if is_placed && kind(&target)? != Kind::Missing {
            // What a person has edited since is theirs.
            let ours = fs::read(&target).is_ok_and(|bytes| digest(&bytes) == one.digest);
            if !ours {
                return set_aside(&old, &target);
            }
            fs::remove_file(&target).during("take back", &target)?;
        }
        if kind(&old)? != Kind::Missing && kind(&target)? == Kind::Missing {
            fs::rename(&old, &target).during("restore", &target)?;
        }
        Ok(())
    }

    /// Where `path` lies, or `None` where one of its folders is no folder of this project.
    fn place_of(&self, path: &str) -> Result<Option<PathBuf>, WorkspaceError> {
        let path = self.parse(path)?;
        for folder in path.folders() {
            if kind(&folder.below(&self.project))? != Kind::Folder {
                return Ok(None);
            }
        }
        Ok(Some(path.below(&self.project)))
    }

    fn parse(&self, path: &str) -> Result<RelPath, WorkspaceError> {
        RelPath::parse(path).map_err(|error| WorkspaceError::BrokenJournal {
            path: self.folder.clone(),
            reason: error.to_string(),
        })
    }

    /// Removes the journal, the plan first: without it nothing is left to do.
    fn forget(&self) {
        let _ = fs::remove_file(self.plan_path());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Moves `new` to `target`, where nothing may be.
fn place(new: &Path, target: &Path) -> Result<(), WorkspaceError> {
    match fs::hard_link(new, target) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            // A kill between the link and the removal leaves both.
            if !is_same(new, target) {
                return Err(WorkspaceError::Appeared(target.to_owned()));
            }
        }
        // Some file systems have no hard links.
        Err(_) if kind(target)? == Kind::Missing => {
            return fs::rename(new, target).during("create", target);
        }
        Err(error) => return Err(error).during("create", target),
    }
    fs::remove_file(new).during("remove", new)
}

/// Whether both are files of the same content.
fn is_same(one: &Path, other: &Path) -> bool {
    let is_file = matches!(kind(other), Ok(Kind::File));
    is_file && matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// Puts what was replaced beside the edit that stays.
fn set_aside(old: &Path, target: &Path) -> Result<(), WorkspaceError> {
    let mut beside = target.as_os_str().to_owned();
    beside.push(".orig");
    let beside = PathBuf::from(beside);
    if kind(old)? == Kind::Missing || kind(&beside)? != Kind::Missing {
        return Ok(());
    }
    fs::rename(old, &beside).during("set aside", old)
}

fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

/// What tells this folder from every copy of it.
#[cfg(unix)]
fn identity(folder: &Path) -> Result<String, WorkspaceError> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::symlink_metadata(folder).during("look at", folder)?;
    Ok(format!("{}:{}", metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(folder: &Path) -> Result<String, WorkspaceError> {
    let folder = folder.canonicalize().during("resolve", folder)?;
    Ok(folder.display().to_string())
}

/// Gives `new` the rights that the file it replaces has: whoever narrowed them meant it.
#[cfg(unix)]
fn keep_mode(old: &Path, new: &Path, executable: Executable) -> Result<(), WorkspaceError> {
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
fn keep_mode(_: &Path, _: &Path, _: Executable) -> Result<(), WorkspaceError> {
    Ok(())
}
