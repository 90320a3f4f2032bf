//! The verbs: one file each, which only sequences reading, planning, carrying out and reporting.

pub(crate) mod build;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod hooks;
pub(crate) mod images;
pub(crate) mod inside;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod making;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod prune;
pub(crate) mod ps;
pub(crate) mod reading;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod stop;
pub(crate) mod target;
pub(crate) mod up;

use crate::hint::{Hint, shown};
use crate::terminal::Terminal;
use crate::workspace::{self, Recovered, WorkspaceError};
use std::path::{Path, PathBuf};

/// How a command ended that could run, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It did what was asked.
    Success,
    /// It did, and found what the person asked it to take for an error.
    Findings,
    /// A command in a container ended with this code.
    External(u8),
}

/// Finishes or undoes what a command that was killed had begun to write in `folder`, and says so.
pub(crate) fn recover(terminal: Terminal, folder: &Path) -> Result<(), WorkspaceError> {
    match workspace::recover(folder)? {
        None => {}
        Some(Recovered::Completed) => terminal.say(format!(
            "Finished what an interrupted scaffold had begun to write in `{}`",
            shown(folder)
        )),
        Some(Recovered::RolledBack) => terminal.say(format!(
            "Undid what an interrupted scaffold had begun to write in `{}`",
            shown(folder)
        )),
    }
    Ok(())
}

/// What was typed makes no sense, whatever the template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    /// `--set` without `=`.
    #[error("`--set {}` names no value", .0.escape_debug())]
    SetWithoutValue(String),
    /// The project's name cannot be the name of a folder.
    #[error("`{}` cannot be the name of a folder: {reason}", .name.escape_debug())]
    FolderName {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// The root of the file system.
    #[error("the root of the file system is no place for a project")]
    Root,
    /// A file that holds no certificate.
    #[error("`{}` holds no certificate in PEM form", shown(.0))]
    NoCertificate(PathBuf),
    /// No bundle where systems keep one.
    #[error("no CA bundle was found on this machine")]
    NoBundle(Vec<PathBuf>),
}

impl Hint for UsageError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::SetWithoutValue(_) => "write `--set OPTION=VALUE`".to_owned(),
            Self::Root | Self::FolderName { .. } => "name the folder: `scaffold new DIR`".to_owned(),
            Self::NoCertificate(_) => {
                "name a file in PEM form, with lines of `-----BEGIN CERTIFICATE-----` (`openssl x509 -inform der -in FILE` turns DER into it); a folder to write to comes before `--ca-bundle`".to_owned()
            }
            Self::NoBundle(places) => {
                let places = places.iter().map(|path| shown(path));
                let places = places.collect::<Vec<_>>().join(", ");
                format!("name it: `--ca-bundle FILE`; looked at {places}")
            }
        })
    }
}
