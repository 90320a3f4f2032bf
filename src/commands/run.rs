//! `scaffold run`

use super::hooks::Life;
use super::inside::{Inside, Variables, forget};
use super::making::{begin, initialize, plan};
use super::reading::{Machine, Named, Reading, Scope, Unreadable, Whole};
use super::{Outcome, config};
use crate::devcontainer::container::Purpose;
use crate::devcontainer::drift::RUN;
use crate::devcontainer::lifecycle::{Command, Hook};
use crate::devcontainer::metadata::Entry;
use crate::devcontainer::task::{tasks, with_words};
use crate::devcontainer::variable::devcontainer_id;
use crate::engine::container::Volumes;
use crate::engine::{Engine, new_id};
use crate::hint::{Hint, enumerate, nearest};
use crate::host::Host;
use crate::terminal::{Terminal, Verbosity};
use crate::workspace;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Run a task or a command once, in a container of its own that is removed then
///
/// The container is made as `scaffold up` makes one, up to postStartCommand, but it publishes no port and has no name: it never meets the
/// one that a person works in. Tasks are the project's own, in devcontainer.json:
/// `"customizations": { "scaffold": { "tasks": { "test": "pytest" } } }`. The exit code is the command's own.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// A devcontainer.json, or the name of a folder in `.devcontainer` that has one
    #[arg(long, value_name = "FILE|NAME")]
    config: Option<PathBuf>,
    /// The task
    #[arg(long, short, value_name = "NAME", required_unless_present = "command")]
    task: Option<String>,
    #[command(flatten)]
    variables: Variables,
    /// The command and its arguments, or more arguments for the task, after `--`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Why nothing is run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// No such task.
    #[error("`{file}` has no task `{}`", .task.escape_debug())]
    NoTask {
        /// The configuration.
        file: String,
        /// The task.
        task: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A task of several commands at once, with more words for one.
    #[error("the task `{}` is several commands at the same time, which take no more arguments", .0.escape_debug())]
    Several(String),
}

impl Hint for RunError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoTask { task, known, .. } => {
                let known = || known.iter().map(String::as_str);
                Some(match nearest(task, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known().next().is_none() => {
                        "write one: `\"customizations\": { \"scaffold\": { \"tasks\": { \"test\": \"pytest\" } } }`".to_owned()
                    }
                    None => format!("there are {}", enumerate(known())),
                })
            }
            Self::Several(_) => None,
        }
    }
}

impl Run {
    /// Makes the container, runs the command, and removes the container.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let folder = workspace::absolute(&host.current_dir.join(&self.path));
        let file = config::find(&folder, self.config.as_deref(), host)?;
        let named = Named::read(&folder, &file, host)?;
        // What it says of its own doing is for whoever asks: the command is what the person wants to see.
        let quiet = Terminal {
            verbosity: match terminal.verbosity {
                Verbosity::Normal => Verbosity::Quiet,
                other => other,
            },
            ..terminal
        };
        let machine = Machine::reach(quiet, host, Scope::Nothing)?;
        let labels = BTreeMap::from([(RUN.to_owned(), new_id())]);
        let reading = named.configure(&machine)?.with_id(&labels)?;
        let given = self.variables.read(host)?;
        initialize(&reading)?;
        let plan = plan(&reading, labels.clone(), Purpose::OneCommand)?;
        let commands = self.commands(&reading, &reading.merge(Unreadable::Fails)?)?;
        let engine = machine.engine()?;
        let (id, tether) = begin(&reading, &plan, |engine, id| {
            let tether = engine.tether(id)?;
            engine.start(id)?;
            Ok(tether)
        })?;
        let outcome = inside(&reading, (&id, &labels), given, commands);
        let removed = remove(engine, &id, &devcontainer_id(&labels));
        drop(tether);
        forget(host, &id);
        let outcome = outcome?;
        removed?;
        Ok(outcome)
    }

    /// What is to be run.
    fn commands(&self, reading: &Reading<'_>, whole: &Whole) -> Result<Vec<Vec<String>>, RunError> {
        let Some(name) = &self.task else {
            return Ok(vec![self.command.clone()]);
        };
        let mut tasks = tasks(&whole.merged);
        let Some(task) = tasks.remove(name) else {
            return Err(RunError::NoTask {
                file: reading.named.file.clone(),
                task: name.clone(),
                known: tasks.into_keys().collect(),
            });
        };
        match task.as_slice() {
            [command] => Ok(vec![with_words(command, &self.command)]),
            _ if !self.command.is_empty() => Err(RunError::Several(name.clone())),
            commands => Ok(commands
                .iter()
                .map(|Command { argv, .. }| argv.clone())
                .collect()),
        }
    }
}

/// Runs what is due in the new container, and then the commands.
fn inside(
    reading: &Reading<'_>,
    (id, labels): (&str, &BTreeMap<String, String>),
    given: Vec<(String, String)>,
    commands: Vec<Vec<String>>,
) -> anyhow::Result<Outcome> {
    let reading = reading.in_container(id, labels)?;
    let whole = reading.merge(Unreadable::Fails)?;
    let (mut inside, _) = Inside::new(&reading, &whole, given)?;
    let life = Life {
        inside: &mut inside,
        entries: &whole.entries,
        own: &Entry::of_file(&reading.configuration.config),
        until: Some(Hook::PostStart),
    };
    life.run()?;
    match <[Vec<String>; 1]>::try_from(commands) {
        Ok([command]) => inside.exec(command),
        Err(several) => inside.exec_all(several),
    }
}

/// Removes a container, and the volumes that are named after its own id.
fn remove(engine: &Engine, id: &str, devcontainer_id: &str) -> anyhow::Result<()> {
    let volumes = engine.volumes_of(id)?;
    engine.remove(id, Volumes::Remove)?;
    engine.await_removal(id)?;
    for volume in volumes.iter().filter(|name| name.contains(devcontainer_id)) {
        engine.remove_volume(volume)?;
    }
    Ok(())
}
