//! `scaffold config`

use super::{Outcome, UsageError};
use crate::devcontainer::configuration::{
    CONFIG_FILE, Configuration, Surroundings, configure, id_labels, remarks,
};
use crate::devcontainer::workspace_folder::HostFolder;
use crate::engine::{Container, Engine};
use crate::hint::{self, enumerate, nearest};
use crate::host::Host;
use crate::terminal::source::{self, Source, Weight};
use crate::terminal::{Format, Terminal};
use crate::workspace::{self, WorkspaceError, find};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show what a dev container's configuration means on this machine
///
/// The values are those that VS Code uses: legacy properties folded, variables of the host replaced, the workspace folder and its mount
/// decided. A broken file is read as leniently as VS Code reads it, and every fault that it passes over is said.
#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// A devcontainer.json, or the name of a folder in `.devcontainer` that has one
    #[arg(long = "config", value_name = "FILE|NAME")]
    file: Option<PathBuf>,
    /// Show where the value of one property comes from
    #[arg(long, value_name = "KEY")]
    explain: Option<String>,
    /// Take every fault of the file for an error
    #[arg(long)]
    strict: bool,
}

impl Config {
    /// Reads the configuration and prints it.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let folder = workspace::absolute(&host.current_dir.join(&self.path));
        let file = self.find(&folder, host)?;
        let text = workspace::read_text(&file)?;
        if text.is_empty() {
            return Err(WorkspaceError::NoConfiguration(folder).into());
        }
        let (folder, shown) = (folder.to_string_lossy(), file.to_string_lossy());
        let root = find::git_root(Path::new(&*folder), &host.environment);
        let root = root.as_deref().map(Path::to_string_lossy);
        let configuration = configure(
            &text,
            Surroundings {
                folder: HostFolder {
                    path: &folder,
                    git_root: root.as_deref(),
                },
                config_file: &shown,
                environment: &host.environment,
            },
        )?;
        let configuration = match container(terminal, host, &folder, &shown) {
            Some((labels, container)) => {
                configuration.in_container(&labels, &container.environment)?
            }
            None => configuration,
        };
        let source = Source {
            name: &hint::shown(file.strip_prefix(&host.current_dir).unwrap_or(&file)),
            text: &text,
        };
        let remarks = remarks(&configuration.document);
        let weight = if self.strict {
            Weight::Error
        } else {
            Weight::Warning
        };
        for remark in &remarks {
            source::remark(terminal, &source, remark, weight);
        }
        match &self.explain {
            Some(key) => terminal.print(explain(&configuration, &source, key)?)?,
            None => print(terminal, &configuration)?,
        }
        Ok(if self.strict && !remarks.is_empty() {
            Outcome::Findings
        } else {
            Outcome::Success
        })
    }

    /// The file to read.
    fn find(&self, folder: &Path, host: &Host) -> anyhow::Result<PathBuf> {
        let Some(named) = &self.file else {
            let found = find::configuration(folder)?;
            return found.ok_or_else(|| WorkspaceError::NoConfiguration(folder.to_owned()).into());
        };
        let mut of_folder = find::named_configurations(folder)?.into_iter();
        if let Some((_, path)) = of_folder.find(|(name, _)| Path::new(name) == named) {
            return Ok(path);
        }
        Ok(workspace::absolute(&host.current_dir.join(named)))
    }
}

/// The container that was started from the configuration, and the labels by which it was found.
///
/// Without an engine there is none, as far as anybody can tell.
fn container(
    terminal: Terminal,
    host: &Host,
    folder: &str,
    file: &str,
) -> Option<(BTreeMap<String, String>, Container)> {
    let [labels, old] = id_labels(folder, file);
    let found = Engine::connect(&host.environment).and_then(|engine| {
        if let Some(container) = engine.find(&labels)? {
            return Ok(Some((labels, container)));
        }
        let container = engine.find(&old)?;
        let is_old = |container: &Container| !container.labels.contains_key(CONFIG_FILE);
        Ok(container.filter(is_old).map(|container| (old, container)))
    });
    found.unwrap_or_else(|error| {
        terminal.detail(format!("{error}, so that no container is looked at"));
        None
    })
}

fn print(terminal: Terminal, configuration: &Configuration) -> anyhow::Result<()> {
    let whole = json!({
        "configuration": configuration.config,
        "workspace": configuration.workspace,
    });
    match terminal.format {
        // The reference prints one line, and its callers read one line.
        Format::Json => terminal.print(whole)?,
        Format::Text => terminal.print_json(&whole)?,
    }
    Ok(())
}

/// Where the value of `key` comes from: the lines of the file, and what became of them.
fn explain(
    configuration: &Configuration,
    source: &Source<'_>,
    key: &str,
) -> anyhow::Result<String> {
    let config = &configuration.config;
    let Some(value) = config.get(key) else {
        let keys = config.keys().map(String::as_str);
        return Err(UsageError::NoSuchProperty {
            key: key.to_owned(),
            near: nearest(key, keys.clone()).map(str::to_owned),
            known: enumerate(keys),
        }
        .into());
    };
    let written = configuration.document.value.as_ref();
    let written = written.and_then(|written| written.get(key));
    let pointer = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
    let place = configuration.document.places.get(&pointer);
    let (Some(written), Some(place)) = (written, place) else {
        return Ok(format!(
            "{key} = {value}\n  not in the file: decided by scaffold"
        ));
    };
    let became = if written == value {
        String::new()
    } else {
        format!("\n  written as {}", compact(written))
    };
    let position = source.position(place.start);
    Ok(format!(
        "{key} = {}\n  from {position}{became}",
        compact(value)
    ))
}

fn compact(value: &Value) -> String {
    value.to_string()
}
