//! The commands of a dev container's life: which there are, in which order, and which of them are still due
//! (specification, "Lifecycle scripts").

use super::metadata::{Entry, Origin};
use serde_json::Value;
use std::fmt;

/// A moment in the life of a container, in the order in which they come.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(crate) enum Hook {
    /// When the container was made.
    #[serde(rename = "onCreateCommand")]
    OnCreate,
    /// When there is new content.
    #[serde(rename = "updateContentCommand")]
    UpdateContent,
    /// When it is made for a person.
    #[serde(rename = "postCreateCommand")]
    PostCreate,
    /// When it was started.
    #[serde(rename = "postStartCommand")]
    PostStart,
    /// When somebody comes to work in it.
    #[serde(rename = "postAttachCommand")]
    PostAttach,
}

impl Hook {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 5] = [
        Self::OnCreate,
        Self::UpdateContent,
        Self::PostCreate,
        Self::PostStart,
        Self::PostAttach,
    ];

    /// The hook that `waitFor` names, the second where it names none; `None` where it is the command of the host.
    pub(crate) fn awaited(wait_for: Option<&Value>) -> Option<Self> {
        let name = wait_for.and_then(Value::as_str);
        if name == Some("initializeCommand") {
            return None;
        }
        let named = Self::ALL.into_iter().find(|hook| Some(hook.name()) == name);
        Some(named.unwrap_or(Self::UpdateContent))
    }

    /// The property.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OnCreate => "onCreateCommand",
            Self::UpdateContent => "updateContentCommand",
            Self::PostCreate => "postCreateCommand",
            Self::PostStart => "postStartCommand",
            Self::PostAttach => "postAttachCommand",
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Commands that are run at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Who wants them.
    pub(crate) origin: String,
    /// They.
    pub(crate) commands: Vec<Command>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// Its name among those that run at the same time.
    pub(crate) name: Option<String>,
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// As it is written.
    pub(crate) written: String,
}

/// The steps of a hook, in the order in which they are run; `own` is what devcontainer.json says, which the label of its container says too.
pub(crate) fn steps(hook: Hook, entries: &[Entry], own: &Entry) -> Vec<Step> {
    let steps = entries.iter().filter_map(|entry| {
        let commands = commands(entry.properties.get(hook.name())?);
        (!commands.is_empty()).then(|| Step {
            origin: match &entry.origin {
                Origin::Feature(id) => format!("the Feature {id}"),
                Origin::Container(_) if entry.properties == own.properties => {
                    own.origin.to_string()
                }
                Origin::Image(..) | Origin::Container(_) => entry
                    .properties
                    .get("id")
                    .and_then(Value::as_str)
                    .map_or("the image".to_owned(), |id| format!("the Feature {id}")),
                Origin::File => entry.origin.to_string(),
            },
            commands,
        })
    });
    steps.collect()
}

/// The commands that a value stands for: text is for a shell, a list is a program and its arguments, an object is several at once.
pub(crate) fn commands(value: &Value) -> Vec<Command> {
    if let Value::Object(all) = value {
        let named = all.iter().filter_map(|(name, value)| {
            let command = command(value)?;
            Some(Command {
                name: Some(name.clone()),
                ..command
            })
        });
        return named.collect();
    }
    command(value).into_iter().collect()
}

fn command(value: &Value) -> Option<Command> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(Command {
            name: None,
            argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
            written: text.clone(),
        }),
        Value::Array(members) if !members.is_empty() => {
            let argv = members.iter().map(|member| match member {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            let argv: Vec<String> = argv.collect();
            Some(Command {
                name: None,
                written: argv.join(" "),
                argv,
            })
        }
        _ => None,
    }
}

/// What is remembered of a hook that failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Unfinished {
    /// The hook.
    pub(crate) hook: Hook,
    /// When the container was made, or started.
    pub(crate) moment: String,
    /// How many of its steps were done.
    pub(crate) done: usize,
}

/// What a container says of its own past.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// What the file of each hook but the last holds that tools leave behind; `None` where there is none.
    pub(crate) markers: [Option<String>; 4],
    /// What we remember.
    pub(crate) unfinished: Option<Unfinished>,
}

/// The moments of a container's life, in the engine's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moments {
    /// When it was made.
    pub(crate) created: String,
    /// When it was started last.
    pub(crate) started: String,
}

impl Moments {
    /// The moment that a hook belongs to.
    pub(crate) fn of(&self, hook: Hook) -> &str {
        match hook {
            Hook::OnCreate | Hook::UpdateContent | Hook::PostCreate => &self.created,
            Hook::PostStart | Hook::PostAttach => &self.started,
        }
    }
}

/// The step with which a hook goes on; `None` where it was done.
///
/// What failed here is due from where it failed, whatever marker another tool has set since: that sets it before it runs anything.
/// A marker of which nothing else is known is believed.
pub(crate) fn due(hook: Hook, past: &Past, moments: &Moments) -> Option<usize> {
    let moment = moments.of(hook);
    let of_hook = |unfinished: &&Unfinished| unfinished.hook == hook && unfinished.moment == moment;
    if let Some(unfinished) = past.unfinished.as_ref().filter(of_hook) {
        return Some(unfinished.done);
    }
    let marker = past.markers.get(hook as usize).and_then(Option::as_ref);
    // An empty marker counts as one of any moment.
    let is_done = marker.is_some_and(|marker| marker.is_empty() || marker == moment);
    (!is_done).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_three_forms_of_a_command_are_read() {
        let argv = |value: Value| -> Vec<Vec<String>> {
            commands(&value)
                .into_iter()
                .map(|command| command.argv)
                .collect()
        };
        assert_eq!(argv(json!("a b")), [["/bin/sh", "-c", "a b"]]);
        assert_eq!(argv(json!(["a", "b c"])), [["a", "b c"]]);
        let parallel = argv(json!({ "x": "a", "y": ["b"], "z": "" }));
        assert_eq!(parallel.len(), 2);
        for nothing in [
            json!(""),
            json!(" "),
            json!([]),
            json!({}),
            json!(null),
            json!(7),
        ] {
            assert_eq!(argv(nothing), Vec::<Vec<String>>::new());
        }
    }

    #[test]
    fn a_hook_is_due_until_it_succeeded() {
        let moments = Moments {
            created: "c".to_owned(),
            started: "s".to_owned(),
        };
        let marked = |marker: &str| Past {
            markers: [None, None, Some(marker.to_owned()), Some(marker.to_owned())],
            unfinished: None,
        };
        assert_eq!(due(Hook::PostCreate, &Past::default(), &moments), Some(0));
        assert_eq!(due(Hook::PostCreate, &marked("c"), &moments), None);
        assert_eq!(due(Hook::PostCreate, &marked("older"), &moments), Some(0));
        assert_eq!(due(Hook::PostCreate, &marked(""), &moments), None);
        assert_eq!(due(Hook::PostStart, &marked("c"), &moments), Some(0));
        assert_eq!(due(Hook::PostStart, &marked("s"), &moments), None);
        assert_eq!(due(Hook::PostAttach, &marked("s"), &moments), Some(0));
        let unfinished = |moment: &str| Past {
            unfinished: Some(Unfinished {
                hook: Hook::PostCreate,
                moment: moment.to_owned(),
                done: 2,
            }),
            ..marked("c")
        };
        assert_eq!(due(Hook::PostCreate, &unfinished("c"), &moments), Some(2));
        assert_eq!(due(Hook::PostCreate, &unfinished("older"), &moments), None);
    }
}
