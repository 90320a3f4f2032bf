//! A running dev container, as seen by somebody who works in it.

use super::reading::{Machine, Named, Reading, Scope, Unreadable, Whole, engine};
use super::target::TargetError;
use super::{Outcome, config};
use crate::devcontainer::lifecycle::Moments;
use crate::devcontainer::process::Note;
use crate::devcontainer::user_environment::{Probe, parse, remote_environment};
use crate::devcontainer::variable::Environment;
use crate::engine::container::{Container, Stream};
use crate::engine::exec::{Captured, Ended, ExecPlan, OnSignal, Person, Sink};
use crate::engine::signals::{Signal, Signals};
use crate::engine::{Engine, EngineError};
use crate::hint::{Hint, shown};
use crate::host::Host;
use crate::terminal::{Terminal, keyboard};
use crate::workspace::{self, cache::Cache};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the user's shell gets to say its environment (reference implementation: it waits as long).
const PROBE: Duration = Duration::from_secs(10);

/// What stands around the environment in what the shell prints.
const MARK: &str = "d6f2a1c0-scaffold-9be47d35";

/// How a command is to be run.
#[derive(Debug, clap::Args)]
pub(crate) struct Wish {
    /// A devcontainer.json, or the name of a folder in `.devcontainer` that has one
    #[arg(long, value_name = "FILE|NAME")]
    config: Option<PathBuf>,
    #[command(flatten)]
    variables: Variables,
}

/// Variables for commands in the container, which no list of processes and no container shows.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Variables {
    /// A variable for the command; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    remote_env: Vec<(String, String)>,
    /// A JSON file of names and values, for variables that nobody else is to see
    #[arg(long, value_name = "FILE")]
    secrets_file: Option<PathBuf>,
}

impl Variables {
    /// What was given, the secrets last.
    pub(crate) fn read(&self, host: &Host) -> anyhow::Result<Vec<(String, String)>> {
        let mut all = self.remote_env.clone();
        if let Some(file) = &self.secrets_file {
            let path = workspace::absolute(&host.current_dir.join(file));
            let text = workspace::read_text(&path)?;
            let secrets: BTreeMap<String, String> = serde_json::from_str(&text)
                .map_err(|error| InsideError::Secrets(path, error.line(), error.column()))?;
            all.extend(secrets);
        }
        Ok(all)
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write `NAME=VALUE`".to_owned()),
    }
}

/// Why nobody can work there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsideError {
    /// It does not run.
    #[error("the dev container of `{}` does not run", shown(.0))]
    Stopped(PathBuf),
    /// A file of secrets that holds something else; what it holds is not said.
    #[error("{}:{}:{}: not an object of names and texts", shown(.0), .1, .2)]
    Secrets(PathBuf, usize, usize),
}

impl Hint for InsideError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Stopped(_) => "`scaffold up` starts it".to_owned(),
            Self::Secrets(..) => "write `{ \"NAME\": \"value\" }`".to_owned(),
        })
    }
}

/// Where the environment of a container's user is kept.
fn environment_cache(host: &Host, container: &str) -> Cache {
    Cache::new(&host.environment, "environment", container)
}

/// Where it is kept that nothing is left to do in a container before somebody works in it.
fn settled_cache(host: &Host, container: &str) -> Cache {
    Cache::new(&host.environment, "settled", container)
}

/// Forgets what is kept of a container that is no more.
pub(crate) fn forget(host: &Host, container: &str) {
    environment_cache(host, container).forget();
    settled_cache(host, container).forget();
}

/// A running dev container.
#[derive(Debug)]
pub(crate) struct Inside {
    engine: Engine,
    container: Container,
    terminal: Terminal,
    user: Option<String>,
    folder: Option<String>,
    /// Which shell says the environment.
    probe: Probe,
    /// What goes over what it says.
    remote_env: Value,
    given: Vec<(String, String)>,
    /// Where it is kept.
    cache: Cache,
    /// Where it is kept that nothing is left to do.
    settled: Cache,
    /// What a command is given, once that is known.
    environment: Option<(Environment, Vec<String>)>,
    /// The signals that come in since the first command.
    signals: Option<Signals>,
}

impl Inside {
    /// The container that was made from the configuration of `path`.
    pub(crate) fn find(
        terminal: Terminal,
        host: &Host,
        path: &Path,
        wish: &Wish,
    ) -> anyhow::Result<Self> {
        let folder = workspace::absolute(&host.current_dir.join(path));
        let file = config::find(&folder, wish.config.as_deref(), host)?;
        let named = Named::read(&folder, &file, host)?;
        let machine = Machine::reach(terminal, host, Scope::Folder(&named.folder))?;
        let reading = named.configure(&machine)?;
        let whole = reading.merge(Unreadable::Fails)?;
        let (inside, _) = Self::new(&reading, &whole, wish.variables.read(host)?)?;
        Ok(inside)
    }

    /// The container of a configuration that was read, and the workspace folder in it.
    pub(crate) fn new(
        reading: &Reading<'_>,
        whole: &Whole,
        given: Vec<(String, String)>,
    ) -> anyhow::Result<(Self, Option<String>)> {
        let place = PathBuf::from(reading.folder());
        let Some(container) = reading.container.clone() else {
            return Err(TargetError::None(place).into());
        };
        if !container.is_running {
            return Err(InsideError::Stopped(place).into());
        }
        let user = whole.merged.get("remoteUser").and_then(Value::as_str);
        let user = user.filter(|user| !user.is_empty()).map(str::to_owned);
        let folder = reading.configuration.workspace.get("workspaceFolder");
        let folder = folder.and_then(Value::as_str).map(str::to_owned);
        let host = reading.machine.host;
        let inside = Self {
            engine: engine(host)?,
            terminal: reading.machine.terminal,
            user: user.or_else(|| container.user.clone()),
            folder: folder.clone(),
            probe: Probe::of(whole.merged.get("userEnvProbe")),
            remote_env: whole.merged.get("remoteEnv").cloned().unwrap_or_default(),
            given,
            cache: environment_cache(host, &container.id),
            settled: settled_cache(host, &container.id),
            environment: None,
            signals: None,
            container,
        };
        Ok((inside, folder))
    }

    /// The person at this machine.
    pub(crate) fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Whether the container still runs.
    pub(crate) fn is_running(&self) -> Result<bool, EngineError> {
        let now = self.engine.container(&self.container.id)?;
        Ok(now.is_some_and(|now| now.is_running))
    }

    /// Who works there.
    pub(crate) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("root")
    }

    /// What the container gives every process.
    pub(crate) fn container_environment(&self) -> &Environment {
        &self.container.environment
    }

    /// When it was made and started.
    pub(crate) fn moments(&self) -> Moments {
        Moments {
            created: self.container.created.clone(),
            started: self.container.started.clone(),
        }
    }

    /// Whether all was done that is done once for each start of the container, as far as this person's cache knows.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.read().as_deref() == Some(&self.start())
    }

    /// Keeps that it was.
    pub(crate) fn settle(&self) {
        self.settled.keep(&self.start());
    }

    /// This start of this container, for this user.
    fn start(&self) -> String {
        let Container {
            created, started, ..
        } = &self.container;
        json!([created, started, self.user]).to_string()
    }

    /// What a command is given; the user's shell is asked when the first one needs it, and once for each start of the container.
    fn environment(&mut self) -> anyhow::Result<&(Environment, Vec<String>)> {
        if self.environment.is_none() {
            let (mut all, unset) = remote_environment(self.shell()?, Some(&self.remote_env));
            all.extend(self.given.iter().cloned());
            self.environment = Some((all, unset));
        }
        Ok(self.environment.get_or_insert_default())
    }

    /// What the user's shell says of the environment.
    fn shell(&self) -> anyhow::Result<Environment> {
        let asked = json!([
            self.container.started,
            self.user,
            format!("{:?}", self.probe)
        ]);
        let kept: Option<(Value, Environment)> = self
            .cache
            .read()
            .and_then(|text| serde_json::from_str(&text).ok());
        if let Some((_, environment)) = kept.filter(|(what, _)| *what == asked) {
            return Ok(environment);
        }
        let environment = self.ask_shell()?;
        if !environment.is_empty() {
            self.cache.keep(&json!([asked, environment]).to_string());
        }
        Ok(environment)
    }

    /// Asks the user's shell.
    fn ask_shell(&self) -> anyhow::Result<Environment> {
        let Some(command) = self.probe.command(MARK) else {
            return Ok(Environment::new());
        };
        let plan = ExecPlan {
            user: self.user.clone(),
            folder: self.folder.clone(),
            environment: Environment::new(),
            unset: Vec::new(),
            command: command.into(),
            note: None,
        };
        let captured = self.engine.capture(&self.container.id, &plan, PROBE)?;
        if captured.code.is_none() {
            self.terminal.say("warning: the user's shell has not said its environment within 10 s, so that it does without: does a start-up script wait for an answer?");
        }
        let environment = parse(&captured.out, MARK);
        if environment.is_none() && captured.code.is_some() {
            let said = String::from_utf8_lossy(&captured.err);
            let said = said.trim();
            let why = if said.is_empty() {
                "it says nothing"
            } else {
                said
            };
            self.terminal.say(format!(
                "warning: the user's shell does not say its environment, so that it does without: {why}"
            ));
        }
        Ok(environment.unwrap_or_default())
    }

    fn plan(&mut self, command: Vec<String>) -> anyhow::Result<ExecPlan> {
        let (environment, unset) = self.environment()?.clone();
        Ok(ExecPlan {
            environment,
            unset,
            user: self.user.clone(),
            folder: self.folder.clone(),
            command,
            note: None,
        })
    }

    /// The signal that came in since the first command, if one did.
    pub(crate) fn signal(&mut self) -> Option<Signal> {
        self.engine.come_in(self.signals.as_mut()?)
    }

    /// Runs a command of root's, with the container's own environment.
    pub(crate) fn as_root(
        &self,
        command: Vec<String>,
        limit: Duration,
    ) -> Result<Captured, EngineError> {
        let plan = ExecPlan {
            user: Some("root".to_owned()),
            folder: Some("/".to_owned()),
            environment: Environment::new(),
            unset: Vec::new(),
            command,
            note: None,
        };
        self.engine.capture(&self.container.id, &plan, limit)
    }

    /// Runs a command that reads nothing, and hands on what it prints; a signal ends it.
    pub(crate) fn run(
        &mut self,
        command: Vec<String>,
        note: Option<Note>,
        output: &mut Sink<'_>,
    ) -> anyhow::Result<Ended<i64>> {
        let plan = ExecPlan {
            note,
            ..self.plan(command)?
        };
        let person = Person {
            input: keyboard::nothing(),
            size: None,
            output,
        };
        let signals = listen(&self.engine, &mut self.signals)?;
        let on_signal = (signals, OnSignal::End);
        Ok(self
            .engine
            .exec(&self.container.id, &plan, person, on_signal)?)
    }

    /// Runs commands at the same time; a signal ends them.
    pub(crate) fn run_all(
        &mut self,
        commands: Vec<Vec<String>>,
        note: Option<&Note>,
    ) -> anyhow::Result<Ended<Vec<Result<Captured, EngineError>>>> {
        let plans = commands.into_iter().map(|command| {
            let plan = self.plan(command)?;
            let note = note.cloned();
            Ok(ExecPlan { note, ..plan })
        });
        let plans: Vec<ExecPlan> = plans.collect::<anyhow::Result<_>>()?;
        let signals = listen(&self.engine, &mut self.signals)?;
        Ok(self
            .engine
            .capture_all(&self.container.id, &plans, signals)?)
    }

    /// Runs commands at the same time, and then hands on what each printed; the exit code is that of the first that failed.
    pub(crate) fn exec_all(mut self, commands: Vec<Vec<String>>) -> anyhow::Result<Outcome> {
        let Ended { how, .. } = self.run_all(commands, None)?;
        let mut code = 0;
        for ended in how {
            let ended = ended?;
            for (stream, bytes) in [(Stream::Out, &ended.out), (Stream::Err, &ended.err)] {
                let _ = self.terminal.pass(stream, bytes)?;
            }
            if code == 0 {
                code = ended.code.unwrap_or_default();
            }
        }
        Ok(external(code))
    }

    /// Runs a command with the person at its other end.
    pub(crate) fn exec(mut self, command: Vec<String>) -> anyhow::Result<Outcome> {
        let plan = self.plan(command)?;
        let terminal = self.terminal;
        let is_terminal = keyboard::is_terminal();
        let raw = is_terminal.then(keyboard::Raw::new);
        let person = Person {
            input: keyboard::input(),
            size: if is_terminal {
                Some(&keyboard::size)
            } else {
                None
            },
            output: &mut |stream, bytes| terminal.pass(stream, bytes),
        };
        let signals = listen(&self.engine, &mut self.signals)?;
        let on_signal = (signals, OnSignal::PassOn);
        let ended = self
            .engine
            .exec(&self.container.id, &plan, person, on_signal);
        drop(raw);
        Ok(external(ended?.how))
    }
}

/// An exit code of the container, as this program's own.
fn external(code: i64) -> Outcome {
    Outcome::External(u8::try_from(code).unwrap_or(u8::MAX))
}

/// The signals, listened for from the first time on.
fn listen<'a>(
    engine: &Engine,
    signals: &'a mut Option<Signals>,
) -> Result<&'a mut Signals, EngineError> {
    Ok(match signals {
        Some(signals) => signals,
        None => signals.insert(engine.signals()?),
    })
}
