//! A folder that is there: every new file is staged in it, a journal says where each belongs, and only then is the first one moved.
//!
//! The journal's appearance is the point of no return: a command that is killed before it has changed nothing, and whoever comes after one
//! that was killed later finishes its moves, or takes them back where they cannot be finished.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

mod fingerprint;
mod plan;

use super::{During, Executable, Kind, WorkspaceError, kind, write_new};
use crate::template::change::{Action, Change};
use crate::tree::{RelPath, Tree};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fingerprint::{digest, fingerprint, identity, is_same, keep_mode};
use plan::{FORMAT, Move, Phase, Plan};

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

/// An open journal: nobody else has it while this value lives.
struct Journal {
    project: PathBuf,
    folder: PathBuf,
    lock: File,
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
        // Somebody who recovers was faster, and removes the folder.
        Ok(None) | Err(WorkspaceError::Busy(_)) => {
            return Err(WorkspaceError::Busy(project.to_owned()));
        }
        Err(error) => {
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
    };
    match journal.stage(&changes, tree) {
        Ok(plan) => journal.carry_out(&plan),
        Err(error) => {
            journal.discard();
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
    let recovered = match journal.read()? {
        None => Recovered::RolledBack,
        Some((Phase::Done, _)) => Recovered::Completed,
        Some((Phase::Forward, plan)) if journal.roll_forward(&plan, Appeared::Stays).is_ok() => {
            Recovered::Completed
        }
        Some((Phase::Forward | Phase::Backward, plan)) => {
            journal.roll_back(&plan)?;
            Recovered::RolledBack
        }
    };
    journal.discard();
    Ok(Some(recovered))
}

/// What becomes of a file that somebody else put where one of ours belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Appeared {
    /// It stops the command.
    Stops,
    /// It stays, and ours is dropped: a person has worked on after a kill.
    Stays,
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
            lock,
        }))
    }

    fn plan(&self, phase: Phase) -> PathBuf {
        self.folder.join(phase.file())
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
            format: FORMAT,
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
            let target = change.path.below(&self.project);
            if change.action == Action::Replace {
                keep_mode(&target, &staged, executable)?;
            }
            self.note_folders(&change.path, &mut plan.folders)?;
            plan.moves.push(Move {
                path: change.path.to_string(),
                old: fingerprint(&target)?,
                new: digest(&file.bytes),
            });
        }
        let draft = self.folder.join("plan.draft");
        let text = serde_json::to_vec(&plan).map_err(std::io::Error::from);
        write_new(&draft, &text.during("write", &draft)?, Executable(false))?;
        let plan_path = self.plan(Phase::Forward);
        fs::rename(&draft, &plan_path).during("write", &plan_path)?;
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
    fn carry_out(self, plan: &Plan) -> Result<(), WorkspaceError> {
        let result = self.roll_forward(plan, Appeared::Stops);
        if result.is_err() {
            self.roll_back(plan)?;
        }
        self.discard();
        result
    }

    /// How far a command had come and its plan, or `None` if it was killed before it had one.
    fn read(&self) -> Result<Option<(Phase, Plan)>, WorkspaceError> {
        for phase in Phase::ALL {
            let path = self.plan(phase);
            match fs::read(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                text => {
                    let plan = self.check(&text.during("read", &path)?)?;
                    return Ok(Some((phase, plan)));
                }
            }
        }
        Ok(None)
    }

    /// The plan in `text`, if this program wrote it for this very folder.
    fn check(&self, text: &[u8]) -> Result<Plan, WorkspaceError> {
        let broken = |reason: String| WorkspaceError::BrokenJournal {
            path: self.folder.clone(),
            reason,
        };
        let plan: Plan = serde_json::from_slice(text)
            .map_err(|error| broken(format!("another version wrote it, or none: {error}")))?;
        if plan.format != FORMAT {
            return Err(broken("another version wrote it".to_owned()));
        }
        if plan.identity != identity(&self.folder)? {
            return Err(broken("it was not written here".to_owned()));
        }
        let paths = plan.moves.iter().map(|one| &one.path);
        for path in paths.chain(&plan.folders) {
            self.parse(path)?;
            if path
                .split('/')
                .any(|part| part.eq_ignore_ascii_case(".git"))
            {
                return Err(broken(
                    "it would write into a git repository's own folder".to_owned(),
                ));
            }
        }
        Ok(plan)
    }

    /// Moves what is not yet in its place; without an error, there is no way back.
    fn roll_forward(&self, plan: &Plan, appeared: Appeared) -> Result<(), WorkspaceError> {
        for (index, one) in plan.moves.iter().enumerate() {
            if kind(&self.new_file(index))? == Kind::Missing {
                continue;
            }
            match self.advance(index, one) {
                Err(WorkspaceError::Appeared(_)) if appeared == Appeared::Stays => {}
                moved => moved?,
            }
        }
        let (plan, done) = (self.plan(Phase::Forward), self.plan(Phase::Done));
        fs::rename(&plan, &done).during("finish", &plan)
    }

    fn advance(&self, index: usize, one: &Move) -> Result<(), WorkspaceError> {
        let target = self.make_room(&one.path)?;
        let (new, old) = (self.new_file(index), self.old_file(index));
        let there = fingerprint(&target)?;
        if there.is_none() && kind(&old)? != Kind::Missing || one.old.is_none() {
            return place(&new, &target);
        }
        // Only what was there when the person agreed to lose it may go.
        if there != one.old || kind(&old)? != Kind::Missing {
            return Err(WorkspaceError::Appeared(target));
        }
        fs::rename(&target, &old).during("move away", &target)?;
        place(&new, &target)
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

    /// Takes every move back, last first; an error means that a later command has to go on with it.
    fn roll_back(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        self.retreat(plan).map_err(|source| WorkspaceError::Stuck {
            folder: self.project.clone(),
            source: Box::new(source),
        })
    }

    fn retreat(&self, plan: &Plan) -> Result<(), WorkspaceError> {
        let (forward, backward) = (self.plan(Phase::Forward), self.plan(Phase::Backward));
        if kind(&forward)? != Kind::Missing {
            fs::rename(&forward, &backward).during("undo", &forward)?;
        }
        for (index, one) in plan.moves.iter().enumerate().rev() {
            self.take_back(index, one)?;
        }
        for folder in plan.folders.iter().rev() {
            let folder = self.project.join(folder);
            match fs::remove_dir(&folder) {
                // A folder that holds something else by now is not ours to remove.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::NotFound
                            | ErrorKind::DirectoryNotEmpty
                            | ErrorKind::NotADirectory
                    ) => {}
                removed => removed.during("take back", &folder)?,
            }
        }
        Ok(())
    }

    /// Puts the old file back, or removes the new one; done twice, it changes nothing.
    fn take_back(&self, index: usize, one: &Move) -> Result<(), WorkspaceError> {
        let Some(target) = self.place_of(&one.path)? else {
            return Ok(());
        };
        let old = self.old_file(index);
        let has_old = kind(&old)? != Kind::Missing;
        match fingerprint(&target)? {
            // What a person has edited since is theirs, and what it replaced lies beside it.
            Some(there) if there != one.new => set_aside(&old, &target),
            _ if has_old => fs::rename(&old, &target).during("restore", &target),
            Some(_) if one.old.is_none() => fs::remove_file(&target).during("take back", &target),
            _ => Ok(()),
        }
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

    /// Removes the journal. The plan goes last, so that what cannot be removed now is removed by a later command.
    fn discard(self) {
        for name in ["old", "new"] {
            let _ = fs::remove_dir_all(self.folder.join(name));
        }
        for phase in Phase::ALL {
            let _ = fs::remove_file(self.plan(phase));
        }
        let Self { folder, lock, .. } = self;
        // Some systems remove no folder that holds an open file.
        drop(lock);
        let _ = fs::remove_dir_all(folder);
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
