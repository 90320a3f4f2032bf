//! Templates: what can be asked, and what is written for the answers.
//!
//! [`catalog`] finds a [`Template`], [`answers`] settles its options, [`render`] makes the tree, [`parse`] proves that its
//! files can be read, [`change`] compares it with the disk, and [`receipt`] records what was generated.

pub(crate) mod answers;
pub(crate) mod catalog;
pub(crate) mod change;
pub(crate) mod image;
pub(crate) mod manifest;
pub(crate) mod parse;
pub(crate) mod pattern;
pub(crate) mod receipt;
pub(crate) mod render;
pub(crate) mod sink;

use crate::hint::Hint;
use crate::hint::{enumerate, nearest};
use crate::tree::RelPathError;
use std::collections::BTreeSet;

use manifest::Manifest;

/// A template as it lies in this binary.
#[derive(Debug)]
pub(crate) struct Template {
    /// What `devcontainer-template.json` says.
    pub(crate) manifest: Manifest,
    /// What lies below `files/`, in the order of the paths.
    pub(crate) files: Vec<Source>,
    /// What `{{> name}}` may put in: the template's own pieces before the shared ones.
    pub(crate) partials: Vec<Partial>,
    /// The import names that the template's pins bring.
    pub(crate) modules: BTreeSet<String>,
}

/// One file of a template, not yet rendered.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path below `files/`, with `.hbs` and unrendered braces: the file's id.
    pub(crate) path: String,
    /// The content.
    pub(crate) bytes: &'static [u8],
    /// Whether it may be run.
    pub(crate) executable: bool,
}

/// A piece of text that files share.
#[derive(Debug)]
pub(crate) struct Partial {
    /// The name that `{{> name}}` uses.
    pub(crate) name: String,
    /// The text.
    pub(crate) text: &'static str,
}

/// What can go wrong between a template's name and its tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// No template has this id.
    #[error("no template is named `{}`", .id.escape_debug())]
    Unknown {
        /// What was asked for.
        id: String,
        /// The ids that there are.
        known: Vec<String>,
    },
    /// A template in this binary breaks the rules of its format.
    #[error("template `{template}` is broken: {reason}")]
    Broken {
        /// The template's id.
        template: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option that the template does not have.
    #[error("template `{template}` has no option `{}`, named by {origin}", .option.escape_debug())]
    UnknownOption {
        /// The template's id.
        template: String,
        /// The option that was named.
        option: String,
        /// Who named it.
        origin: String,
        /// The options that there are.
        known: Vec<String>,
    },
    /// Two places give one option.
    #[error("option `{option}` is given twice: by {first} and by {second}")]
    GivenTwice {
        /// The option.
        option: String,
        /// Who gave it first.
        first: String,
        /// Who gave it again.
        second: String,
    },
    /// A value that the option does not take.
    #[error("`{}` is no value of `{option}`, from {origin}: {reason}", excerpt(.value))]
    Value {
        /// The option.
        option: String,
        /// The value as it was given.
        value: String,
        /// Who gave it.
        origin: String,
        /// Why it is refused.
        reason: String,
        /// What to give instead, where that can be said.
        hint: Option<String>,
    },
    /// A file of answers that cannot be read.
    #[error("`{}` is no file of answers: {reason}", .file.escape_debug())]
    Answers {
        /// The file.
        file: String,
        /// What is wrong, with line and column where known.
        reason: String,
    },
    /// The image and the Python version contradict each other.
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
    /// A person could not be asked.
    #[error("cannot ask for `{option}`")]
    Asking {
        /// The option.
        option: String,
        /// What the terminal said.
        source: std::io::Error,
    },
    /// A file of the template cannot be rendered.
    #[error("failed to render `{file}` of template `{template}`: {reason}")]
    Render {
        /// The template's id.
        template: String,
        /// The file's path in the template.
        file: String,
        /// What went wrong, with line and column where known.
        reason: String,
    },
    /// A rendered path is none that may be written.
    #[error("file `{file}` of template `{template}` would get a path that cannot be written")]
    Path {
        /// The template's id.
        template: String,
        /// The file's path in the template.
        file: String,
        /// Why not.
        source: RelPathError,
    },
    /// A rendered file cannot be read back by its own kind's parser.
    #[error("template `{template}` would write a broken `{path}`: {reason}")]
    Unparsable {
        /// The template's id.
        template: String,
        /// The path that it would have.
        path: String,
        /// What the parser said, with line and column.
        reason: String,
    },
}

/// As much of `value` as a message needs, with nothing in it that could disturb a terminal.
fn excerpt(value: &str) -> String {
    const LONGEST: usize = 60;
    let mut text: String = value.chars().take(LONGEST).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text.escape_debug().to_string()
}

impl Hint for TemplateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { id, known } => {
                let all = "`scaffold list` shows them all";
                Some(match nearest(id, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`? {all}"),
                    None => all.to_owned(),
                })
            }
            Self::UnknownOption { option, known, .. } => {
                let names = known.iter().map(String::as_str);
                let all = format!("the options are {}", enumerate(names.clone()));
                Some(match nearest(option, names) {
                    Some(near) => format!("did you mean `{near}`? {all}"),
                    None => all,
                })
            }
            Self::Answers { .. } => Some(
                "write a JSON object such as `{ \"python\": \"3.13\" }`, or name the `.scaffold.json` of another project"
                    .to_owned(),
            ),
            Self::PythonOfImage { version, .. } => {
                Some(format!("pass `--python {version}`, or choose another image"))
            }
            Self::GivenTwice { .. } => Some("give it once".to_owned()),
            Self::Asking { option, .. } => Some(format!("give it by a flag or `--set {option}=VALUE`")),
            Self::Value { hint, .. } => hint.clone(),
            Self::Broken { .. }
            | Self::Render { .. }
            | Self::Path { .. }
            | Self::Unparsable { .. } => Some(
                "nothing was written; this is a defect of scaffold, please report it with the answers that you gave"
                    .to_owned(),
            ),
        }
    }
}
