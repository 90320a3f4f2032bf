//! The grammars that an option's value may have to follow.

use super::Template;
use super::image::Image;
use crate::tree::component_fault;

/// The longest text that an option takes, in characters.
const LONGEST_TEXT: usize = 200;

/// The longest name, in characters: what Python packaging tools and image registries all take.
const LONGEST_NAME: usize = 64;

/// Words that are no names in Python 3 (Language Reference, 2.3.1 "Keywords").
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// The public modules of the standard library of Python 3.11 to 3.14 (`sys.stdlib_module_names`), one a line.
const STANDARD_LIBRARY: &str = include_str!("stdlib.txt");

/// Names that the layout of a generated project uses itself.
const LAYOUT: &[&str] = &["conftest", "src", "tests"];

/// The grammar that a value follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Pattern {
    /// One line of visible text.
    #[default]
    Text,
    /// A Python module that hides no other.
    Module,
    /// One component of a path, plain enough for every tool.
    Folder,
    /// `build`, `image` or an image reference.
    Image,
}

/// Why a value does not follow its grammar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The reason.
    pub(crate) reason: String,
    /// The way out, where that can be said.
    pub(crate) hint: Option<String>,
}

impl From<&str> for Fault {
    fn from(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            hint: None,
        }
    }
}

impl Pattern {
    /// Checks `value` as an answer to `template`.
    pub(crate) fn check(self, value: &str, template: &Template) -> Result<(), Fault> {
        text_fault(value).map_or(Ok(()), |reason| Err(Fault::from(reason)))?;
        match self {
            Self::Text => Ok(()),
            Self::Module => module(value, template),
            Self::Folder => folder(value),
            Self::Image => Image::parse(value).map(|_| ()),
        }
    }
}

/// Why `value` is not one line of visible text, if so.
fn text_fault(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("it is empty")
    } else if value.chars().any(char::is_control) {
        Some("it holds a control character, such as a newline")
    } else if value.chars().any(changes_reading_order) {
        Some("it holds an invisible mark that changes the order in which text is shown")
    } else if value.trim() != value {
        Some("it begins or ends with a space")
    } else if value.chars().count() > LONGEST_TEXT {
        Some("it is longer than 200 characters")
    } else {
        None
    }
}

/// Bidirectional controls (Unicode Standard Annex 9, 2) and line separators, with which text reads as what it is not.
fn changes_reading_order(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

fn module(value: &str, template: &Template) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let hint = |reason: &str| Fault {
        reason: reason.to_owned(),
        hint: Some("name the Python package with `--set package=NAME`".to_owned()),
    };
    if !value.starts_with(|c: char| c.is_ascii_lowercase()) || !value.chars().all(plain) {
        return Err(hint(
            "a Python package is named by lower-case letters, digits and `_`, a letter first",
        ));
    }
    if value.len() > LONGEST_NAME {
        return Err(hint("it is longer than 64 characters"));
    }
    if value.ends_with('_') || value.contains("__") {
        return Err(hint(
            "`_` stands alone between letters or digits, so that the distribution can have the same name",
        ));
    }
    if KEYWORDS.contains(&value) {
        return Err(hint("it is a keyword of Python"));
    }
    if STANDARD_LIBRARY.lines().any(|name| name == value) {
        return Err(hint("it would hide a module of Python's standard library"));
    }
    if template.modules.contains(value) {
        return Err(hint("it would hide a package that the template installs"));
    }
    if LAYOUT.contains(&value) {
        return Err(hint("the layout of the project uses the name itself"));
    }
    component_fault(value).map_or(Ok(()), |reason| Err(hint(reason)))
}

fn folder(value: &str) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !value.starts_with(|c: char| c.is_ascii_alphanumeric()) || !value.chars().all(plain) {
        return Err(Fault::from(
            "a folder here is named by letters, digits, `.`, `_` and `-`, a letter or digit first",
        ));
    }
    if value.len() > LONGEST_NAME {
        return Err(Fault::from("it is longer than 64 characters"));
    }
    component_fault(value).map_or(Ok(()), |reason| Err(Fault::from(reason)))
}
