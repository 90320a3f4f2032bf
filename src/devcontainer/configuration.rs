//! devcontainer.json → what it means on this host.

use super::legacy;
use super::properties::PROPERTIES;
use super::script::as_members;
use super::variable::{
    Environment, Local, Unnamed, devcontainer_id, substitute_container, substitute_id,
};
use super::workspace_folder::{HostFolder, WorkspaceFolder, workspace_folder};
use crate::hint::{Hint, nearest};
use crate::jsonc::{self, Document};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::Range;

/// The label that names the workspace folder of a container.
pub(crate) const LOCAL_FOLDER: &str = "devcontainer.local_folder";

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
pub(crate) struct Configuration<'a> {
    /// The properties, legacy ones folded and the host's variables replaced.
    pub(crate) config: Map<String, Value>,
    /// Where the project lies in the container.
    pub(crate) workspace: WorkspaceFolder,
    /// What the file says, with positions and faults.
    pub(crate) document: Document,
    /// What the variables stand for.
    variables: Variables<'a>,
}

/// What variables stand for, as far as it is known.
#[derive(Debug, Clone)]
struct Variables<'a> {
    /// The absolute path of devcontainer.json.
    file: &'a str,
    local: Local<'a>,
    /// The id of the dev container, once it is known.
    id: Option<String>,
    /// The environment of its container, once that is there.
    container: Option<Environment>,
}

impl Variables<'_> {
    /// Puts in what the host knows.
    fn of_host(&self, value: &Value) -> Result<Value, ConfigurationError> {
        self.named(self.local.substitute(value))
    }

    /// Puts in the id and what the container knows, as far as they are there.
    fn of_container(&self, value: Value) -> Result<Value, ConfigurationError> {
        let value = match &self.id {
            Some(id) => substitute_id(&value, id),
            None => value,
        };
        match &self.container {
            Some(environment) => self.named(substitute_container(&value, environment)),
            None => Ok(value),
        }
    }

    fn named(&self, value: Result<Value, Unnamed>) -> Result<Value, ConfigurationError> {
        value.map_err(|source| ConfigurationError::Variable {
            file: self.file.to_owned(),
            source,
        })
    }
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
pub(crate) fn configure<'a>(
    text: &str,
    surroundings: Surroundings<'a>,
) -> Result<Configuration<'a>, ConfigurationError> {
    let document = jsonc::parse(text);
    let file = surroundings.config_file;
    let Some(Value::Object(raw)) = &document.value else {
        return Err(ConfigurationError::NoObject {
            file: file.to_owned(),
        });
    };
    let raw = legacy::fold(raw.clone());
    let mut workspace = workspace_folder(&raw, surroundings.folder);
    if !matches!(workspace.workspace_folder, None | Some(Value::String(_))) {
        return Err(ConfigurationError::WorkspaceFolder {
            file: file.to_owned(),
        });
    }
    let variables = Variables {
        file,
        local: Local {
            environment: surroundings.environment,
            workspace_folder: surroundings.folder.path,
            container_workspace_folder: match &workspace.workspace_folder {
                Some(Value::String(folder)) => Some(folder.clone()),
                _ => None,
            },
        },
        id: None,
        container: None,
    };
    let substituted = variables.of_host(&Value::Object(raw))?;
    let mut config = as_members(substituted);
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
        variables,
    })
}

/// The form in which VS Code's own tools write the URI of a file of the host.
fn file_uri(path: &str) -> Value {
    json!({ "$mid": 1, "fsPath": path, "path": path, "scheme": "vscode-fileHost" })
}

/// The labels by which dev container tools find the container of `file` in `folder` again: those of every tool, and those that tools
/// set before configurations could be several.
pub(crate) fn id_labels(folder: &str, file: &str) -> [BTreeMap<String, String>; 2] {
    let folder = (LOCAL_FOLDER.to_owned(), folder.to_owned());
    let file = (CONFIG_FILE.to_owned(), file.to_owned());
    [
        BTreeMap::from([folder.clone(), file]),
        BTreeMap::from([folder]),
    ]
}

impl Configuration<'_> {
    /// The properties, legacy ones folded and no variable replaced.
    pub(crate) fn raw(&self) -> Map<String, Value> {
        let raw = self.document.value.as_ref().and_then(Value::as_object);
        legacy::fold(raw.cloned().unwrap_or_default())
    }

    /// The configuration as it holds for the container that carries `labels` and has `environment`.
    pub(crate) fn in_container(
        mut self,
        labels: &BTreeMap<String, String>,
        environment: &Environment,
    ) -> Result<Self, ConfigurationError> {
        self.variables.container = Some(environment.clone());
        self.with_id(labels)
    }

    /// The configuration as it holds for the container that will carry `labels`.
    pub(crate) fn with_id(
        mut self,
        labels: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigurationError> {
        self.variables.id = Some(devcontainer_id(labels));
        let file = self.config.shift_remove("configFilePath");
        let value = self.variables.of_container(Value::Object(self.config))?;
        self.config = as_members(value);
        self.config
            .extend(file.map(|file| ("configFilePath".to_owned(), file)));
        Ok(self)
    }

    /// What `properties` of an image's or a Feature's metadata mean here.
    pub(crate) fn substitute(
        &self,
        properties: Map<String, Value>,
    ) -> Result<Map<String, Value>, ConfigurationError> {
        let value = self.variables.of_host(&Value::Object(properties))?;
        Ok(as_members(self.variables.of_container(value)?))
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
        let places = document.places.get(key);
        remarks.push(Remark {
            place: places
                .map(|places| places.place.clone())
                .unwrap_or_default(),
            message: format!("`{key}` is no property of devcontainer.json, and nothing reads it"),
            hint: near.map(|near| format!("did you mean `{near}`?")),
        });
    }
    remarks.sort_by_key(|remark| remark.place.start);
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_found_whatever_is_in_it() {
        let text = r#"{ "a/b": 1, "~": 2, "": 3 }"#;
        let remarks = remarks(&jsonc::parse(text)).into_iter();
        let places: Vec<&str> = remarks.map(|remark| &text[remark.place]).collect();
        assert_eq!(places, ["1", "2", "3"]);
    }
}
