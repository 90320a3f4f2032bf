//! Options + what was given + defaults → [`Answers`].

use super::manifest::{OptionType, TemplateOption};
use super::pattern::Fault;
use super::render::render_default;
use super::{Template, TemplateError, image};
use crate::hint::{enumerate, nearest};
use indexmap::IndexMap;
use std::fmt;
use std::io;

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// Yes or no.
    Flag(bool),
    /// Text.
    Text(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag of the command line, such as `--python`.
    Flag(&'static str),
    /// `--set`.
    Set,
    /// The file of `--answers`.
    File(String),
    /// Something else that was given, such as the name of the folder.
    Derived(String),
    /// The person at the terminal.
    Asked,
    /// The template's default.
    Default,
}

impl Origin {
    /// Whether a value of another origin takes the place of this one.
    fn yields(&self) -> bool {
        matches!(self, Self::File(_) | Self::Derived(_))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "`{flag}`"),
            Self::Set => formatter.write_str("`--set`"),
            Self::File(path) => write!(formatter, "`{}`", path.escape_debug()),
            Self::Derived(from) => formatter.write_str(from),
            Self::Asked => formatter.write_str("the prompt"),
            Self::Default => formatter.write_str("the default"),
        }
    }
}

/// A value before it is known to be one that its option takes.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The option's name.
    pub(crate) option: String,
    /// The value.
    pub(crate) value: Answer,
    /// Who gave it.
    pub(crate) origin: Origin,
}

impl Given {
    /// Text for `option`.
    pub(crate) fn text(option: &str, value: &str, origin: Origin) -> Self {
        Self {
            option: option.to_owned(),
            value: Answer::Text(value.to_owned()),
            origin,
        }
    }
}

/// A question that a person can be asked.
pub(crate) struct Question<'a> {
    /// The option's name.
    pub(crate) name: &'a str,
    /// The option.
    pub(crate) option: &'a TemplateOption,
    /// What one key accepts; none where the default does not fit.
    pub(crate) default: Option<Answer>,
    /// Says why a text is no answer.
    pub(crate) check: &'a dyn Fn(&str) -> Result<(), Fault>,
}

/// A value for every option of a template, in the order of the options.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers {
    values: IndexMap<String, Answer>,
    origins: Vec<Origin>,
}

impl Answers {
    /// Settles every option of `template`; `ask` is called for what was not given and may answer `None` for the default.
    pub(crate) fn resolve(
        template: &Template,
        given: Vec<Given>,
        mut ask: impl FnMut(&Question<'_>) -> io::Result<Option<Answer>>,
    ) -> Result<Self, TemplateError> {
        let mut given = collect(template, given)?;
        // Before the first question, so that nobody answers five to learn that the command line was wrong.
        for (name, given) in &given {
            settle(template, &template.manifest.options[name], given)?;
        }
        let mut answers = Self::default();
        for (name, option) in &template.manifest.options {
            let mut given = given.shift_remove(name);
            if name == "python" {
                let derived = image::python(answers.get("image"), given.as_ref())?;
                given = given.or(derived);
            }
            let given = match given {
                Some(given) => given,
                None => ask_or_default(template, &answers, (name, option), &mut ask)?,
            };
            let value = settle(template, option, &given)?;
            answers.values.insert(name.clone(), value);
            answers.origins.push(given.origin);
        }
        Ok(answers)
    }

    /// The value of `option`.
    pub(crate) fn get(&self, option: &str) -> Option<&Answer> {
        self.values.get(option)
    }

    /// Every option with its value and who gave it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Answer, &Origin)> {
        let values = self.values.iter().zip(&self.origins);
        values.map(|((name, value), origin)| (name.as_str(), value, origin))
    }

    /// The values as one JSON object.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let values = self.values.iter().map(|(name, value)| {
            let value = match value {
                Answer::Flag(flag) => serde_json::Value::Bool(*flag),
                Answer::Text(text) => serde_json::Value::String(text.clone()),
            };
            (name.clone(), value)
        });
        serde_json::Value::Object(values.collect())
    }
}

/// What was given, by option: each known, and given once.
fn collect(
    template: &Template,
    given: Vec<Given>,
) -> Result<IndexMap<String, Given>, TemplateError> {
    let mut collected: IndexMap<String, Given> = IndexMap::new();
    for one in given {
        if !template.manifest.options.contains_key(&one.option) {
            return Err(TemplateError::UnknownOption {
                template: template.manifest.id.clone(),
                option: one.option,
                origin: one.origin.to_string(),
                known: template.manifest.options.keys().cloned().collect(),
            });
        }
        match collected.get(&one.option) {
            Some(first) if first.origin.yields() == one.origin.yields() => {
                return Err(TemplateError::GivenTwice {
                    option: one.option,
                    first: first.origin.to_string(),
                    second: one.origin.to_string(),
                });
            }
            Some(_) if one.origin.yields() => {}
            _ => {
                collected.insert(one.option.clone(), one);
            }
        }
    }
    Ok(collected)
}

/// The answer of a person if the question is worth asking, else the default.
fn ask_or_default(
    template: &Template,
    answers: &Answers,
    (name, option): (&str, &TemplateOption),
    ask: &mut impl FnMut(&Question<'_>) -> io::Result<Option<Answer>>,
) -> Result<Given, TemplateError> {
    let value = match &option.default {
        Answer::Flag(flag) => Answer::Flag(*flag),
        Answer::Text(text) => Answer::Text(render_default(template, answers, text)?),
    };
    let default = Given {
        option: name.to_owned(),
        value,
        origin: Origin::Default,
    };
    if !option.when.as_ref().is_none_or(|when| when.holds(answers)) {
        return Ok(default);
    }
    let question = Question {
        name,
        option,
        default: settle(template, option, &default).ok(),
        check: &|text| option.pattern.check(text, template),
    };
    let asked = ask(&question).map_err(|source| TemplateError::Asking {
        option: name.to_owned(),
        source,
    })?;
    Ok(match asked {
        Some(value) => Given {
            value,
            origin: Origin::Asked,
            ..default
        },
        None => default,
    })
}

/// The value as the option's type, if the option takes it.
fn settle(
    template: &Template,
    option: &TemplateOption,
    given: &Given,
) -> Result<Answer, TemplateError> {
    let refuse = |fault: Fault| TemplateError::Value {
        option: given.option.clone(),
        value: given.value.to_string(),
        origin: given.origin.to_string(),
        reason: fault.reason,
        hint: fault.hint,
    };
    match (option.kind, &given.value) {
        (OptionType::Boolean, Answer::Flag(flag)) => Ok(Answer::Flag(*flag)),
        (OptionType::Boolean, Answer::Text(text)) => match text.as_str() {
            "true" => Ok(Answer::Flag(true)),
            "false" => Ok(Answer::Flag(false)),
            _ => Err(refuse(Fault {
                reason: "it is neither `true` nor `false`".to_owned(),
                hint: None,
            })),
        },
        (OptionType::String, Answer::Flag(_)) => Err(refuse(Fault {
            reason: "the option takes text".to_owned(),
            hint: Some("put the value in quotes".to_owned()),
        })),
        (OptionType::String, Answer::Text(text)) => {
            choice_fault(option, text).map_or(Ok(()), |fault| Err(refuse(fault)))?;
            option.pattern.check(text, template).map_err(refuse)?;
            Ok(given.value.clone())
        }
    }
}

/// Why `text` is not one of the option's choices, if it has any.
fn choice_fault(option: &TemplateOption, text: &str) -> Option<Fault> {
    if option.choices.is_empty() || option.choices.iter().any(|choice| choice == text) {
        return None;
    }
    let choices = || option.choices.iter().map(String::as_str);
    let all = format!("the values are {}", enumerate(choices()));
    Some(Fault {
        reason: "it is not one of the option's values".to_owned(),
        hint: Some(match nearest(text, choices()) {
            Some(near) => format!("did you mean `{near}`? {all}"),
            None => all,
        }),
    })
}
