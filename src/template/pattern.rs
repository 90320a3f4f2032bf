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

/// Names that the layout of a generated project uses itself, or that git and pytest are told to pass over.
const LAYOUT: &[&str] = &[
    "build",
    "conftest",
    "dist",
    "node_modules",
    "src",
    "tests",
    "venv",
];

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

impl Pattern {
    /// Checks `value` as an answer to `template`.
    pub(crate) fn check(self, value: &str, template: &Template) -> Result<(), Fault> {
        let reason = match self {
            Self::Text => text_fault(value).or_else(|| variable_fault(value)),
            Self::Module => text_fault(value).or_else(|| module_fault(value, template)),
            Self::Folder => text_fault(value).or_else(|| folder_fault(value)),
            Self::Image => match text_fault(value) {
                None => return Image::parse(value).map(drop),
                fault => fault,
            },
        };
        let hint = (self == Self::Module)
            .then(|| "name the Python package with `--set package=NAME`".to_owned());
        reason.map_or(Ok(()), |reason| {
            Err(Fault {
                reason: reason.to_owned(),
                hint,
            })
        })
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

/// Why a dev container tool would put something else in the place of `value`, if so.
///
/// The specification gives `${…}` no escape ("Variables in devcontainer.json"), so a text that holds one cannot be kept.
fn variable_fault(value: &str) -> Option<&'static str> {
    value
        .contains("${")
        .then_some("`${` begins a variable in `devcontainer.json`, and cannot be escaped there")
}

/// Bidirectional controls (Unicode Standard Annex 9, 2) and line separators, with which text reads as what it is not.
fn changes_reading_order(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

fn module_fault(value: &str, template: &Template) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !value.starts_with(|c: char| c.is_ascii_lowercase()) || !value.chars().all(plain) {
        Some("a Python package is named by lower-case letters, digits and `_`, a letter first")
    } else if value.len() > LONGEST_NAME {
        Some("it is longer than 64 characters")
    } else if value.ends_with('_') || value.contains("__") {
        Some(
            "`_` stands alone between letters or digits, so that the distribution can have the same name",
        )
    } else if KEYWORDS.contains(&value) {
        Some("it is a keyword of Python")
    } else if STANDARD_LIBRARY.lines().any(|name| name == value) {
        Some("it would hide a module of Python's standard library")
    } else if template.modules.contains(value) {
        Some("it would hide a package that the template installs")
    } else if LAYOUT.contains(&value) {
        Some("the layout of the project uses the name, or its tools pass over a folder so called")
    } else {
        component_fault(value)
    }
}

fn folder_fault(value: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !value.starts_with(|c: char| c.is_ascii_alphanumeric()) || !value.chars().all(plain) {
        Some("a folder here is named by letters, digits, `.`, `_` and `-`, a letter or digit first")
    } else if !value.ends_with(|c: char| c.is_ascii_alphanumeric()) || value.contains("__") {
        Some("a letter or digit stands last, and no two `_` together")
    } else if value.len() > LONGEST_NAME {
        Some("it is longer than 64 characters")
    } else {
        component_fault(value)
    }
}
