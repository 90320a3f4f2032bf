//! `scaffold config`

use super::Outcome;
use super::reading::{Machine, Named, Reading, Scope, Unreadable, Whole};
use crate::devcontainer::configuration::remarks;
use crate::devcontainer::explain::explain;
use crate::devcontainer::feature::FeatureSet;
use crate::devcontainer::merge::merged_property;
use crate::hint;
use crate::host::Host;
use crate::terminal::source::{self, Source, Weight};
use crate::terminal::{Format, Terminal};
use crate::terminal::{explanation, listing};
use crate::workspace::walk::{self, Found};
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
    /// Read every dev container in the folder and below, apart from what git ignores
    #[arg(long, conflicts_with_all = ["file", "explain"])]
    all: bool,
    /// Take every fault of the file for an error
    #[arg(long)]
    strict: bool,
}

/// Whether anything is wrong with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    Faulty,
}

impl Config {
    /// Reads the configuration and prints it.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let folder = workspace::absolute(&host.current_dir.join(&self.path));
        if self.all {
            return self.every(terminal, host, &folder);
        }
        let file = find(&folder, self.file.as_deref(), host)?;
        let named = Named::read(&folder, &file, host)?;
        let machine = Machine::look(terminal, host, Scope::Folder(&named.folder));
        let source = Source {
            name: &hint::shown(file.strip_prefix(&host.current_dir).unwrap_or(&file)),
            text: &named.text,
        };
        let (reading, whole, state) = self.read(&machine, &named, &source)?;
        if let Some(key) = &self.explain {
            let merged = whole.as_ref();
            let merged = merged.map(|whole| (&whole.merged, whole.entries.as_slice()));
            let explanation = explain(key, &reading.configuration, merged)?;
            match terminal.format {
                Format::Text => terminal.print(explanation::text(&explanation, &source))?,
                Format::Json => terminal.print_json(&explanation::json(&explanation, &source))?,
            }
        } else {
            let all = all(&reading, whole.as_ref());
            match terminal.format {
                // The reference prints one line, and its callers read one line.
                Format::Json => terminal.print(Value::from(all))?,
                Format::Text => terminal.print_json(&all)?,
            }
        }
        Ok(self.outcome(state))
    }

    /// Reads what `named` means, and says what is wrong with it.
    fn read<'a>(
        &self,
        machine: &'a Machine<'a>,
        named: &'a Named,
        source: &Source<'_>,
    ) -> anyhow::Result<(Reading<'a>, Option<Whole>, State)> {
        let reading = named.configure(machine)?;
        let mut state = self.remark(machine.terminal, source, &reading);
        let whole = self.whole(&reading)?;
        for remark in whole.iter().flat_map(|whole| &whole.remarks) {
            self.say(machine.terminal, &format!("{}: {remark}", source.name));
            state = State::Faulty;
        }
        Ok((reading, whole, state))
    }

    fn outcome(&self, state: State) -> Outcome {
        match state {
            State::Faulty if self.strict => Outcome::Findings,
            State::Faulty | State::Sound => Outcome::Success,
        }
    }

    /// Reads every configuration below `root`; one that cannot be read does not keep the others from it.
    fn every(&self, terminal: Terminal, host: &Host, root: &Path) -> anyhow::Result<Outcome> {
        let walked = walk::configurations(root)?;
        let machine = Machine::look(terminal, host, Scope::All);
        let mut outcome = Outcome::Success;
        for fault in &walked.unread {
            terminal.say(format!(
                "warning: {}, so that it is passed over",
                chain(fault)
            ));
        }
        let mut listed = Vec::new();
        for Found { folder, file } in &walked.found {
            let name = hint::shown(file.strip_prefix(root).unwrap_or(file));
            match self.one(&machine, (folder, file), &name) {
                Ok((all, state)) => {
                    outcome = outcome.max(self.outcome(state));
                    listed.push(listing::Read { name, all });
                }
                Err(error) => {
                    outcome = Outcome::Findings;
                    let error = chain(error.as_ref());
                    terminal.complain(format!("error: {name}: {error}"));
                    listed.push(listing::Read {
                        name,
                        all: Map::from_iter([("error".to_owned(), error.into())]),
                    });
                }
            }
        }
        match terminal.format {
            Format::Text => terminal.print(listing::text(&listed))?,
            Format::Json => terminal.print(listing::json(listed))?,
        }
        Ok(outcome)
    }

    /// Reads one of many.
    fn one(
        &self,
        machine: &Machine<'_>,
        (folder, file): (&Path, &Path),
        name: &str,
    ) -> anyhow::Result<(Map<String, Value>, State)> {
        let named = Named::read(folder, file, machine.host)?;
        let source = Source {
            name,
            text: &named.text,
        };
        let (reading, whole, state) = self.read(machine, &named, &source)?;
        Ok((all(&reading, whole.as_ref()), state))
    }

    /// Says what is wrong with the file.
    fn remark(&self, terminal: Terminal, source: &Source<'_>, reading: &Reading<'_>) -> State {
        let remarks = remarks(&reading.configuration.document);
        let weight = if self.strict {
            Weight::Error
        } else {
            Weight::Warning
        };
        for remark in &remarks {
            source::remark(terminal, source, remark, weight);
        }
        if remarks.is_empty() {
            State::Sound
        } else {
            State::Faulty
        }
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
}

/// The file to read: the one that is named, or that of `folder`.
pub(crate) fn find(folder: &Path, named: Option<&Path>, host: &Host) -> anyhow::Result<PathBuf> {
    let Some(named) = named else {
        let found = find::configuration(folder)?;
        return found.ok_or_else(|| WorkspaceError::NoConfiguration(folder.to_owned()).into());
    };
    let mut of_folder = find::named_configurations(folder)?.into_iter();
    if let Some((_, path)) = of_folder.find(|(name, _)| Path::new(name) == named) {
        return Ok(path);
    }
    Ok(workspace::absolute(&host.current_dir.join(named)))
}

/// What the reference prints, in its shape.
fn all(reading: &Reading<'_>, whole: Option<&Whole>) -> Map<String, Value> {
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
    all
}

/// An error and its causes, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
