//! `scaffold config`

use super::Outcome;
use super::reading::{Named, Reading, Unreadable, Whole};
use crate::devcontainer::configuration::remarks;
use crate::devcontainer::explain::explain;
use crate::devcontainer::feature::FeatureSet;
use crate::devcontainer::merge::merged_property;
use crate::hint;
use crate::host::Host;
use crate::terminal::explanation;
use crate::terminal::source::{self, Source, Weight};
use crate::terminal::{Format, Terminal};
use crate::workspace::{self, WorkspaceError, find};
use serde_json::{Map, Value, json};
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
    /// Add what the image and the Features say: all that a container is made of
    #[arg(long)]
    merged: bool,
    /// Show where the value of one property comes from, and what it went over: `remoteUser`, `remoteEnv.PATH`
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
        let named = Named::read(&folder, &file, host)?;
        let reading = named.configure(terminal, host)?;
        let source = Source {
            name: &hint::shown(file.strip_prefix(&host.current_dir).unwrap_or(&file)),
            text: &named.text,
        };
        let mut is_sound = self.remark(terminal, &source, &reading);
        let whole = self.whole(&reading)?;
        for remark in whole.iter().flat_map(|whole| &whole.remarks) {
            self.say(terminal, remark);
            is_sound = false;
        }
        match &self.explain {
            Some(key) => {
                let merged = whole.as_ref();
                let merged = merged.map(|whole| (&whole.merged, whole.entries.as_slice()));
                let explanation = explain(key, &reading.configuration, merged)?;
                match terminal.format {
                    Format::Text => terminal.print(explanation::text(&explanation, &source))?,
                    Format::Json => {
                        terminal.print_json(&explanation::json(&explanation, &source))?;
                    }
                }
            }
            None => print(terminal, &reading, whole.as_ref())?,
        }
        Ok(if self.strict && !is_sound {
            Outcome::Findings
        } else {
            Outcome::Success
        })
    }

    /// Says what is wrong with the file; whether nothing is.
    fn remark(&self, terminal: Terminal, source: &Source<'_>, reading: &Reading<'_>) -> bool {
        let remarks = remarks(&reading.configuration.document);
        let weight = if self.strict {
            Weight::Error
        } else {
            Weight::Warning
        };
        for remark in &remarks {
            source::remark(terminal, source, remark, weight);
        }
        remarks.is_empty()
    }

    fn say(&self, terminal: Terminal, remark: &str) {
        if self.strict {
            terminal.complain(format!("error: {remark}"));
        } else {
            terminal.say(format!("warning: {remark}"));
        }
    }

    /// The merged form, if it is asked for: a property that is merged is explained in it, as far as that can be had.
    fn whole(&self, reading: &Reading<'_>) -> anyhow::Result<Option<Whole>> {
        let is_of_many = |key: &String| {
            let name = key.split('.').next().unwrap_or_default();
            merged_property(name).is_some()
        };
        if self.merged {
            reading.merge(Unreadable::Fails).map(Some)
        } else if self.explain.as_ref().is_some_and(is_of_many) {
            reading.merge(Unreadable::IsSaid).map(Some)
        } else {
            Ok(None)
        }
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

/// Prints what the reference prints, in its shape.
fn print(terminal: Terminal, reading: &Reading<'_>, whole: Option<&Whole>) -> anyhow::Result<()> {
    let configuration = &reading.configuration;
    let mut all = Map::new();
    let mut add = |name: &str, value: Value| all.insert(name.to_owned(), value);
    add("configuration", configuration.config.clone().into());
    add("workspace", json!(configuration.workspace));
    if let Some(whole) = whole {
        let sets = whole.features.iter().flatten();
        let sets: Vec<Value> = sets.map(FeatureSet::as_json).collect();
        if !sets.is_empty() {
            add("featuresConfiguration", json!({ "featureSets": sets }));
        }
        add("mergedConfiguration", whole.merged.clone().into());
    }
    match terminal.format {
        // The reference prints one line, and its callers read one line.
        Format::Json => terminal.print(Value::from(all))?,
        Format::Text => terminal.print_json(&all)?,
    }
    Ok(())
}
