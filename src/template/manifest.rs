//! `devcontainer-template.json`: what a template says of itself.
//!
//! The fields are those of the Dev Container Template specification (containers.dev, "devcontainer-template.json
//! properties"); `pattern` and `when` are ours, and `templates/README.md` documents them.

use super::answers::{Answer, Answers};
use super::pattern::Pattern;
use indexmap::IndexMap;

/// The manifest of a template.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Manifest {
    /// The template's id, which is the name of its folder.
    pub(crate) id: String,
    /// Its version, as semver.
    pub(crate) version: String,
    /// Its name for a person.
    pub(crate) name: String,
    /// One sentence that says what it is for.
    pub(crate) description: String,
    /// What can be asked, in the order of asking.
    #[serde(default)]
    pub(crate) options: IndexMap<String, TemplateOption>,
    /// Which files are written only under a condition, by their path below `files/`.
    #[serde(default)]
    pub(crate) when: IndexMap<String, Condition>,
}

/// One option of a template.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TemplateOption {
    /// Whether it takes text or yes and no.
    #[serde(rename = "type")]
    pub(crate) kind: OptionType,
    /// What it decides, for a person.
    pub(crate) description: String,
    /// The only values that it takes, if any are named.
    #[serde(default, rename = "enum")]
    pub(crate) choices: Vec<String>,
    /// Values to offer beside any other.
    #[serde(default)]
    pub(crate) proposals: Vec<String>,
    /// Its value when none is given; text may use the options above it.
    pub(crate) default: Answer,
    /// The grammar that a value follows.
    #[serde(default)]
    pub(crate) pattern: Pattern,
    /// When it is worth asking.
    #[serde(default)]
    pub(crate) when: Option<Condition>,
}

/// The type of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum OptionType {
    /// Text.
    String,
    /// Yes or no.
    Boolean,
}

/// What the answers must be for something to hold: each option named must pass its test.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Condition(pub(crate) IndexMap<String, Test>);

/// What one answer must be.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum Test {
    /// This value.
    Is(Answer),
    /// One of these values.
    In(Vec<Answer>),
    /// Not what the inner test asks.
    Not {
        /// The test that must fail.
        not: Box<Test>,
    },
}

impl Condition {
    /// Whether `answers` fulfil it.
    pub(crate) fn holds(&self, answers: &Answers) -> bool {
        self.0.iter().all(|(option, test)| {
            answers
                .get(option)
                .is_some_and(|answer| test.passes(answer))
        })
    }

    /// The condition as words: `` `image` is `build` ``.
    pub(crate) fn words(&self) -> String {
        let parts = self
            .0
            .iter()
            .map(|(option, test)| format!("`{option}` {}", test.words("is")));
        parts.collect::<Vec<_>>().join(" and ")
    }
}

impl Test {
    fn passes(&self, answer: &Answer) -> bool {
        match self {
            Self::Is(value) => value == answer,
            Self::In(values) => values.contains(answer),
            Self::Not { not } => !not.passes(answer),
        }
    }

    fn words(&self, verb: &str) -> String {
        match self {
            Self::Is(value) => format!("{verb} `{value}`"),
            Self::In(values) => {
                let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                format!("{verb} {}", values.join(" or "))
            }
            Self::Not { not } => not.words("is not"),
        }
    }
}
