//! devcontainer.json → what it means on this host.

use super::properties::PROPERTIES;
use super::variable::{
    Environment, Local, Unnamed, devcontainer_id, substitute_container, substitute_id,
};
use super::workspace_folder::{HostFolder, WorkspaceFolder, is_given, workspace_folder};
use crate::hint::{Hint, nearest};
use crate::jsonc::{self, Document};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::Range;

/// The label that names the configuration of a container.
pub(crate) const CONFIG_FILE: &str = "devcontainer.config_file";

/// What the host knows that the meaning depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The folder that holds the project.
    pub(crate) folder: HostFolder<'a>,
    /// The absolute path of devcontainer.json.
    pub(crate) config_file: &'a str,
    /// The host's environment.
    pub(crate) environment: &'a Environment,
}

/// A configuration as it holds on this host.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// The properties, legacy ones folded and the host's variables replaced.
    pub(crate) config: Map<String, Value>,
    /// Where the project lies in the container.
    pub(crate) workspace: WorkspaceFolder,
    /// What the file says, with positions and faults.
    pub(crate) document: Document,
}

/// Why a file is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigurationError {
    /// It holds no JSON object.
    #[error("`{file}` must contain a JSON object")]
    NoObject {
        /// The file.
        file: String,
    },
    /// A workspace folder that is no path.
    #[error("`workspaceFolder` in `{file}` is no text")]
    WorkspaceFolder {
        /// The file.
        file: String,
    },
    /// A variable without a name.
    #[error("`{file}` cannot be resolved")]
    Variable {
        /// The file.
        file: String,
        /// The variable.
        source: Unnamed,
    },
}

impl Hint for ConfigurationError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoObject { .. } => {
                "begin with `{ \"image\": \"…\" }` or `{ \"build\": { \"dockerfile\": \"…\" } }`"
                    .to_owned()
            }
            Self::WorkspaceFolder { .. } => {
                "give the path in the container, such as `\"/workspaces/demo\"`".to_owned()
            }
            Self::Variable { .. } => "write `${localEnv:NAME}`".to_owned(),
        })
    }
}

/// A fault of the text, or a property that nobody reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remark {
    /// Where, in bytes.
    pub(crate) place: Range<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// The way out, where it is known.
    pub(crate) hint: Option<String>,
}

/// Reads `text` as it holds in `surroundings`.
pub(crate) fn configure(
    text: &str,
    surroundings: Surroundings<'_>,
) -> Result<Configuration, ConfigurationError> {
    let document = jsonc::parse(text);
    let file = surroundings.config_file;
    let Some(Value::Object(raw)) = &document.value else {
        return Err(ConfigurationError::NoObject {
            file: file.to_owned(),
        });
    };
    let raw = fold_legacy(raw.clone());
    let mut workspace = workspace_folder(&raw, surroundings.folder);
    if !matches!(workspace.workspace_folder, None | Some(Value::String(_))) {
        return Err(ConfigurationError::WorkspaceFolder {
            file: file.to_owned(),
        });
    }
    let local = Local {
        environment: surroundings.environment,
        workspace_folder: surroundings.folder.path,
        container_workspace_folder: match &workspace.workspace_folder {
            Some(Value::String(folder)) => Some(folder.clone()),
            _ => None,
        },
    };
    let substituted = local.substitute(&Value::Object(raw));
    let substituted = substituted.map_err(|source| ConfigurationError::Variable {
        file: file.to_owned(),
        source,
    })?;
    let Value::Object(mut config) = substituted else {
        unreachable!("an object stays one")
    };
    if let Some(folder @ Value::String(_)) = config.get("workspaceFolder") {
        workspace.workspace_folder = Some(folder.clone());
    }
    if let Some(mount) = config.get("workspaceMount") {
        workspace.workspace_mount = Some(mount.clone());
    }
    config.insert("configFilePath".to_owned(), file_uri(file));
    Ok(Configuration {
        config,
        workspace,
        document,
    })
}

/// The form in which VS Code's own tools write the URI of a file of the host.
fn file_uri(path: &str) -> Value {
    json!({ "$mid": 1, "fsPath": path, "path": path, "scheme": "vscode-fileHost" })
}

/// Moves `extensions`, `settings` and `devPort` from the top, where they once belonged, to `customizations.vscode`.
///
/// What is not of the type that it should be is treated as the reference treats it, JavaScript's truth included.
fn fold_legacy(mut config: Map<String, Value>) -> Map<String, Value> {
    let mut take = |name: &str| {
        let is_given = config.get(name).is_some_and(is_given);
        is_given.then(|| config.shift_remove(name)).flatten()
    };
    let (extensions, settings) = (take("extensions"), take("settings"));
    let dev_port = config.get("devPort").cloned();
    if extensions.is_none() && settings.is_none() && dev_port.is_none() {
        return config;
    }
    let mut lost = Map::new();
    let vscode = object_at(&mut config, "customizations")
        .and_then(|customizations| object_at(customizations, "vscode"))
        .unwrap_or(&mut lost);
    if let Some(old) = extensions {
        let mut all = as_list(vscode.shift_remove("extensions").filter(is_given));
        all.append(&mut as_list(Some(old)));
        vscode.insert("extensions".to_owned(), Value::Array(all));
    }
    if let Some(old) = settings {
        let mut all = as_members(old);
        all.extend(
            vscode
                .shift_remove("settings")
                .map(as_members)
                .unwrap_or_default(),
        );
        vscode.insert("settings".to_owned(), Value::Object(all));
    }
    if let Some(port) = dev_port
        && !vscode.contains_key("devPort")
    {
        vscode.insert("devPort".to_owned(), port);
        config.shift_remove("devPort");
    }
    config
}

/// The object at `name`, made where nothing is given; `None` where something else is, on which properties are lost.
fn object_at<'a>(
    map: &'a mut Map<String, Value>,
    name: &str,
) -> Option<&'a mut Map<String, Value>> {
    if !map.get(name).is_some_and(is_given) {
        map.insert(name.to_owned(), Value::Object(Map::new()));
    }
    map.get_mut(name)?.as_object_mut()
}

/// The members of an array, or the value itself as the only one.
fn as_list(value: Option<Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(members)) => members,
        Some(value) => vec![value],
    }
}

/// The members of an object; an array has its indices for keys, and a string its characters' too.
fn as_members(value: Value) -> Map<String, Value> {
    let numbered = |values: Vec<Value>| {
        let numbered = values.into_iter().enumerate();
        numbered
            .map(|(index, value)| (index.to_string(), value))
            .collect()
    };
    match value {
        Value::Object(members) => members,
        Value::Array(members) => numbered(members),
        Value::String(text) => numbered(text.chars().map(|c| c.to_string().into()).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Map::new(),
    }
}

/// The labels by which dev container tools find the container of `file` in `folder` again: those of every tool, and those that tools
/// set before configurations could be several.
pub(crate) fn id_labels(folder: &str, file: &str) -> [BTreeMap<String, String>; 2] {
    let folder = ("devcontainer.local_folder".to_owned(), folder.to_owned());
    let file = (CONFIG_FILE.to_owned(), file.to_owned());
    [
        BTreeMap::from([folder.clone(), file]),
        BTreeMap::from([folder]),
    ]
}

impl Configuration {
    /// The configuration as it holds for the container that carries `labels` and has `environment`.
    pub(crate) fn in_container(
        mut self,
        labels: &BTreeMap<String, String>,
        environment: &Environment,
    ) -> Result<Self, ConfigurationError> {
        let file = self.config.shift_remove("configFilePath");
        let value = substitute_id(&Value::Object(self.config), &devcontainer_id(labels));
        let value = substitute_container(&value, environment);
        let value = value.map_err(|source| ConfigurationError::Variable {
            file: "devcontainer.json".to_owned(),
            source,
        })?;
        self.config = match value {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        self.config
            .extend(file.map(|file| ("configFilePath".to_owned(), file)));
        Ok(self)
    }
}

/// Everything that is wrong with the file and that the reference passes over, in the order of the text.
pub(crate) fn remarks(document: &Document) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = document
        .diagnostics
        .iter()
        .map(|diagnostic| Remark {
            place: diagnostic.place.clone(),
            message: diagnostic.fault.to_string(),
            hint: None,
        })
        .collect();
    let keys = document.value.as_ref().and_then(Value::as_object);
    for key in keys.into_iter().flat_map(Map::keys) {
        if PROPERTIES.contains(&key.as_str()) {
            continue;
        }
        let near = nearest(key, PROPERTIES.iter().copied());
        remarks.push(Remark {
            place: document
                .places
                .get(&format!("/{key}"))
                .cloned()
                .unwrap_or_default(),
            message: format!("`{key}` is no property of devcontainer.json, and nothing reads it"),
            hint: near.map(|near| format!("did you mean `{near}`?")),
        });
    }
    remarks.sort_by_key(|remark| remark.place.start);
    remarks
}
