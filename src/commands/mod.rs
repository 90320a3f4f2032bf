//! The verbs: one file each, which only sequences reading, planning, carrying out and reporting.

pub(crate) mod completions;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod show;

use crate::hint::Hint;
use std::path::PathBuf;

/// How a command ended that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what was asked.
    Success,
}

/// What was typed makes no sense, whatever the template.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    /// `--set` without `=`.
    #[error("`--set {}` names no value", .0.escape_debug())]
    SetWithoutValue(String),
    /// A file of answers that cannot be read.
    #[error("`{}` is no file of answers: {reason}", .path.display())]
    Answers {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        reason: String,
    },
    /// The project's name cannot be the name of a folder.
    #[error("`{}` cannot be the name of a folder: {reason}", .name.escape_debug())]
    FolderName {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// The image and `--python` contradict each other.
    #[error(
        "image `{image}` holds Python {version}, which is not the Python {python} that was asked for"
    )]
    PythonOfImage {
        /// The image reference.
        image: String,
        /// What its tag says.
        version: String,
        /// What was asked for.
        python: String,
    },
    /// A file that holds no certificate.
    #[error("`{}` holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// No bundle where systems keep one.
    #[error("no CA bundle was found on this machine")]
    NoBundle(Vec<PathBuf>),
}

impl Hint for UsageError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::SetWithoutValue(_) => "write `--set OPTION=VALUE`".to_owned(),
            Self::Answers { .. } => {
                "write a JSON object such as `{ \"python\": \"3.13\" }`, or name the `.scaffold.json` of another project".to_owned()
            }
            Self::FolderName { .. } => "name the folder: `scaffold new DIR`".to_owned(),
            Self::PythonOfImage { version, .. } => {
                format!("pass `--python {version}`, or choose another image")
            }
            Self::NoCertificate(_) => {
                "name a file that has lines of `-----BEGIN CERTIFICATE-----`; a folder to write to comes before `--ca-bundle`".to_owned()
            }
            Self::NoBundle(places) => {
                let places = places.iter().map(|path| path.display().to_string());
                let places = places.collect::<Vec<_>>().join(", ");
                format!("name it: `--ca-bundle FILE`; looked at {places}")
            }
        })
    }
}
