//! The metadata that an image, its Features and devcontainer.json add up to
//! (specification, "Dev Container metadata reference" and "Image metadata").

use serde_json::{Map, Value};
use std::fmt;

/// The label of an image or a container that holds its metadata.
pub(crate) const LABEL: &str = "devcontainer.metadata";

/// The properties of devcontainer.json that are merged; all others count as they are written there.
const OF_THE_FILE: &[&str] = &[
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
    "waitFor",
    "customizations",
    "mounts",
    "containerEnv",
    "containerUser",
    "init",
    "privileged",
    "capAdd",
    "securityOpt",
    "remoteUser",
    "userEnvProbe",
    "remoteEnv",
    "overrideCommand",
    "portsAttributes",
    "otherPortsAttributes",
    "forwardPorts",
    "shutdownAction",
    "updateRemoteUserUID",
    "hostRequirements",
];

/// The properties of devcontainer.json that reach a container which is already there.
const OF_A_RUNNING_ONE: &[&str] = &["remoteUser", "userEnvProbe", "remoteEnv"];

/// The properties of a Feature that are merged.
const OF_A_FEATURE: &[&str] = &[
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
    "init",
    "privileged",
    "capAdd",
    "securityOpt",
    "entrypoint",
    "mounts",
    "customizations",
];

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The label of an image: its name, and which entry, from 1.
    Image(String, usize),
    /// The label of the container that is there: which entry, from 1.
    Container(usize),
    /// A Feature, as devcontainer.json or another Feature names it.
    Feature(String),
    /// devcontainer.json itself.
    File,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(name, entry) => {
                write!(f, "entry {entry} of the label of the image {name}")
            }
            Self::Container(entry) => write!(f, "entry {entry} of the label of the container"),
            Self::Feature(id) => write!(f, "the Feature {id}"),
            Self::File => f.write_str("devcontainer.json"),
        }
    }
}

/// The label's text that says what `entries` say; those that say nothing are left out.
pub(crate) fn label_text(entries: &[Entry]) -> String {
    let entries = entries.iter().map(|entry| &entry.properties);
    let entries: Vec<_> = entries
        .filter(|properties| !properties.is_empty())
        .collect();
    serde_json::to_string(&entries).unwrap_or_default()
}

/// What one of them says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Who says it.
    pub(crate) origin: Origin,
    /// The properties, by name.
    pub(crate) properties: Map<String, Value>,
}

/// A label that is no JSON, or neither an array nor an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the label `{LABEL}` holds no metadata: {0}")]
pub(crate) struct LabelFault(String);

/// The entries of the label's text; `origin` makes one of an entry's number.
pub(crate) fn of_label(
    text: &str,
    origin: impl Fn(usize) -> Origin,
) -> Result<Vec<Entry>, LabelFault> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let value = serde_json::from_str(text).map_err(|error| LabelFault(error.to_string()))?;
    let entries = match value {
        Value::Array(entries) => entries,
        Value::Object(entry) => vec![Value::Object(entry)],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(LabelFault(format!("{value} is no array")));
        }
    };
    let entries = entries.into_iter().enumerate();
    Ok(entries
        .filter_map(|(index, entry)| match entry {
            Value::Object(properties) => Some(Entry {
                origin: origin(index + 1),
                properties,
            }),
            _ => None,
        })
        .collect())
}

impl Entry {
    /// What devcontainer.json adds to a container that is made from it.
    pub(crate) fn of_file(config: &Map<String, Value>) -> Self {
        Self {
            origin: Origin::File,
            properties: pick(config, OF_THE_FILE),
        }
    }

    /// What devcontainer.json still adds to a container that carries metadata of its own.
    pub(crate) fn of_file_now(config: &Map<String, Value>) -> Self {
        Self {
            origin: Origin::File,
            properties: pick(config, OF_A_RUNNING_ONE),
        }
    }

    /// What a Feature adds that is named `id`.
    pub(crate) fn of_feature(id: &str, feature: &Map<String, Value>) -> Self {
        Self {
            origin: Origin::Feature(id.to_owned()),
            properties: pick(feature, OF_A_FEATURE),
        }
    }
}

fn pick(from: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let picked = names.iter().filter_map(|name| from.get_key_value(*name));
    picked
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_what_its_objects_say() {
        let read = |text| of_label(text, Origin::Container);
        assert_eq!(read(""), Ok(Vec::new()));
        assert_eq!(read("{}").unwrap().len(), 1);
        let origins = read("[{}, null, 3, {}]").unwrap();
        let origins = origins.into_iter().map(|entry| entry.origin);
        assert!(origins.eq([Origin::Container(1), Origin::Container(4)]));
        assert!(read("[{},]").is_err());
        assert!(read("7").is_err());
    }
}
