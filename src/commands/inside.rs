//! A running dev container, as seen by somebody who works in it.

use super::reading::{Machine, Named, Scope, Unreadable};
use super::target::TargetError;
use super::{Outcome, config};
use crate::devcontainer::user_environment::{Probe, parse, remote_environment};
use crate::devcontainer::variable::Environment;
use crate::engine::Engine;
use crate::engine::container::Container;
use crate::engine::exec::{ExecPlan, Person};
use crate::hint::{Hint, shown};
use crate::host::Host;
use crate::terminal::{Terminal, keyboard};
use crate::workspace::{self, cache::Cache};
use serde_json::{Map, Value, json};
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
    /// A variable for the command; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    remote_env: Vec<(String, String)>,
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
}

impl Hint for InsideError {
    fn hint(&self) -> Option<String> {
        let Self::Stopped(_) = self;
        Some("`docker start` it, or open the folder with VS Code".to_owned())
    }
}

/// Where the environment of a container's user is kept.
pub(crate) fn environment_cache(host: &Host, container: &str) -> Cache {
    Cache::new(&host.environment, "environment", container)
}

/// A running dev container.
#[derive(Debug)]
pub(crate) struct Inside {
    engine: Engine,
    container: Container,
    terminal: Terminal,
    user: Option<String>,
    folder: Option<String>,
    environment: Environment,
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
        let Some(container) = reading.container.clone() else {
            return Err(TargetError::None(folder).into());
        };
        if !container.is_running {
            return Err(InsideError::Stopped(folder).into());
        }
        let whole = reading.merge(Unreadable::Fails)?;
        let text = |map: &Map<String, Value>, name| {
            let value = map.get(name).and_then(Value::as_str);
            value
                .filter(|text: &&str| !text.is_empty())
                .map(str::to_owned)
        };
        let user = text(&whole.merged, "remoteUser").or_else(|| container.user.clone());
        let folder = reading.configuration.workspace.get("workspaceFolder");
        let folder = folder.and_then(Value::as_str).map(str::to_owned);
        let probe = Probe::of(whole.merged.get("userEnvProbe"));
        drop(reading);
        let Some(engine) = machine.engine else {
            return Err(TargetError::None(PathBuf::from(&named.folder)).into());
        };
        let mut inside = Self {
            engine,
            container,
            terminal,
            user,
            folder,
            environment: Environment::new(),
        };
        let shell = inside.shell(probe, host)?;
        let remote_env = whole.merged.get("remoteEnv");
        inside.environment = remote_environment(shell, remote_env);
        inside.environment.extend(wish.remote_env.iter().cloned());
        Ok(inside)
    }

    /// What the user's shell says of the environment; it is asked once for each start of the container.
    fn shell(&self, probe: Probe, host: &Host) -> anyhow::Result<Environment> {
        let cache = environment_cache(host, &self.container.id);
        let asked = json!([self.container.started, self.user, format!("{probe:?}")]);
        let kept: Option<(Value, Environment)> = cache
            .read()
            .and_then(|text| serde_json::from_str(&text).ok());
        if let Some((_, environment)) = kept.filter(|(what, _)| *what == asked) {
            return Ok(environment);
        }
        let environment = self.probe(probe)?;
        if !environment.is_empty() {
            cache.keep(&json!([asked, environment]).to_string());
        }
        Ok(environment)
    }

    /// Asks the user's shell.
    fn probe(&self, probe: Probe) -> anyhow::Result<Environment> {
        let Some(command) = probe.command(MARK) else {
            return Ok(Environment::new());
        };
        let plan = self.plan(command.into());
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

    fn plan(&self, command: Vec<String>) -> ExecPlan {
        ExecPlan {
            user: self.user.clone(),
            folder: self.folder.clone(),
            environment: self.environment.clone(),
            command,
        }
    }

    /// Runs a command with the person at its other end.
    pub(crate) fn exec(self, command: Vec<String>) -> anyhow::Result<Outcome> {
        let plan = self.plan(command);
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
        let code = self.engine.exec(&self.container.id, &plan, person);
        drop(raw);
        Ok(Outcome::External(u8::try_from(code?).unwrap_or(u8::MAX)))
    }
}
