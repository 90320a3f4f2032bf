//! What is run in a container before anybody works in it: its setting up, and the commands of its life.

use super::inside::Inside;
use crate::devcontainer::lifecycle::{Command, Hook, Moments, Step, Unfinished, due, steps};
use crate::devcontainer::metadata::Entry;
use crate::devcontainer::process::Note;
use crate::devcontainer::setup::{self, Said};
use crate::engine::exec::{Captured, Ended};
use crate::engine::signals::Signal;
use crate::hint::Hint;
use std::ops::ControlFlow;
use std::time::Duration;

/// How long setting up may take.
const SETUP: Duration = Duration::from_secs(60);

/// How much of a failed command's output is shown again: its last lines.
const LAST_LINES: usize = 20;

/// What went wrong in the container.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    /// The container cannot be set up.
    #[error("the container cannot be set up: {0}")]
    Setup(String),
    /// The user is not there.
    #[error("the container has no user `{}`", .0.escape_debug())]
    NoUser(String),
    /// A command failed.
    #[error("{hook} of {origin} failed with exit code {code}: `{}`", .command.escape_debug())]
    Failed {
        /// When.
        hook: Hook,
        /// Who wants it.
        origin: String,
        /// The command, as it is written.
        command: String,
        /// Its exit code.
        code: i64,
        /// The last of what it printed, where that was not shown as it came.
        last: String,
    },
    /// The container is no more.
    #[error("the container was stopped or removed while {0} ran in it")]
    Gone(Hook),
    /// The person stopped it.
    #[error("{hook} of {origin} was stopped by {signal}: `{}`", .command.escape_debug())]
    Stopped {
        /// When.
        hook: Hook,
        /// Who wants it.
        origin: String,
        /// The commands, as they are written.
        command: String,
        /// By what.
        signal: Signal,
    },
    /// What was done cannot be remembered.
    #[error("what was done cannot be remembered in the container: {0}")]
    Unmarked(String),
}

impl Hint for HookError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Setup(_) => "a dev container needs `/bin/sh`, and root to be allowed in it".to_owned(),
            Self::NoUser(_) => "`remoteUser` must be a user of the image: make it in the Dockerfile (`RUN useradd --create-home NAME`), or name another".to_owned(),
            Self::Failed { .. } => "mend it and run `scaffold up` again: it goes on with this command".to_owned(),
            Self::Gone(_) => "`scaffold up` starts it, or makes it anew, and goes on".to_owned(),
            Self::Stopped { .. } => "`scaffold up` goes on with it, and `scaffold down` removes the container".to_owned(),
            Self::Unmarked(_) => "see that the container's file system has room and can be written to".to_owned(),
        })
    }
}

/// What is to be run, and how far.
#[derive(Debug)]
pub(crate) struct Life<'a> {
    /// Where it is run.
    pub(crate) inside: &'a mut Inside,
    /// Who says what.
    pub(crate) entries: &'a [Entry],
    /// What devcontainer.json says.
    pub(crate) own: &'a Entry,
    /// The last hook that is run; `None` where none is.
    pub(crate) until: Option<Hook>,
}

impl Life<'_> {
    /// Sets the container up and runs what is due, in the order of the specification.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Self {
            inside,
            entries,
            own,
            until,
        } = self;
        // The container would say so too, but to ask it takes as long as a command.
        if inside.is_settled() && !runs_at_attach(entries, own, until) {
            return Ok(());
        }
        let moments = inside.moments();
        let said = set_up(inside, &moments)?;
        let hooks = Hook::ALL.into_iter().filter(|hook| Some(*hook) <= until);
        let mut done = Vec::new();
        for hook in hooks {
            let Some(first) = due(hook, &said.past, &moments) else {
                continue;
            };
            let steps = steps(hook, entries, own);
            if !steps.is_empty() {
                // What has nothing to run is marked with what is run next, for that takes as long as a command.
                let mut run = Run {
                    inside,
                    said: &said,
                    moments: &moments,
                    before: std::mem::take(&mut done),
                };
                run.steps(hook, &steps, first)?;
            }
            if hook != Hook::PostAttach {
                done.push(hook);
            }
        }
        if !done.is_empty() {
            remember(inside, setup::mark(&said, &done, &moments, None))?;
        }
        if until >= Some(Hook::PostStart) {
            inside.settle();
        }
        Ok(())
    }
}

/// Whether something is to be run each time that somebody comes.
fn runs_at_attach(entries: &[Entry], own: &Entry, until: Option<Hook>) -> bool {
    until == Some(Hook::PostAttach) && !steps(Hook::PostAttach, entries, own).is_empty()
}

/// A hook that is being run.
struct Run<'a> {
    inside: &'a mut Inside,
    said: &'a Said,
    moments: &'a Moments,
    /// Hooks that are done and not marked yet.
    before: Vec<Hook>,
}

impl Run<'_> {
    fn steps(&mut self, hook: Hook, steps: &[Step], first: usize) -> anyhow::Result<()> {
        for (index, step) in steps.iter().enumerate().skip(first) {
            let terminal = self.inside.terminal();
            terminal.say(format!("Running {hook} of {}", step.origin));
            // Somebody else's server may be what runs when one attaches.
            let note = (hook != Hook::PostAttach).then(|| self.said.note(&self.moments.started));
            let ended = run(self.inside, hook, step, note.as_ref());
            if let Err(error) = ended {
                return Err(self.unfinished(hook, index, error));
            }
        }
        if hook != Hook::PostAttach {
            let mut done = std::mem::take(&mut self.before);
            done.push(hook);
            remember(
                self.inside,
                setup::mark(self.said, &done, self.moments, None),
            )?;
        }
        Ok(())
    }

    /// Remembers that a hook did not get beyond its first `done` steps, and says why: as it was told, unless the container is gone.
    fn unfinished(&mut self, hook: Hook, done: usize, why: anyhow::Error) -> anyhow::Error {
        let unfinished = Unfinished {
            hook,
            moment: self.moments.of(hook).to_owned(),
            done,
        };
        let unfinished = serde_json::to_string(&unfinished).unwrap_or_default();
        let mark = setup::mark(self.said, &self.before, self.moments, Some(unfinished));
        match remember(self.inside, mark) {
            Ok(()) => why,
            Err(error) => match self.inside.is_running() {
                Ok(false) => HookError::Gone(hook).into(),
                Ok(true) => error.context(why),
                Err(error) => error.into(),
            },
        }
    }
}

/// Runs the commands of a step; all are run to their end, whether or not one fails.
fn run(inside: &mut Inside, hook: Hook, step: &Step, note: Option<&Note>) -> anyhow::Result<()> {
    let terminal = inside.terminal();
    let stopped = |signal| {
        let commands = step.commands.iter().map(|command| command.written.as_str());
        HookError::Stopped {
            hook,
            origin: step.origin.clone(),
            command: commands.collect::<Vec<_>>().join("`, `"),
            signal,
        }
    };
    if let Some(signal) = inside.signal() {
        return Err(stopped(signal).into());
    }
    let failed = |command: &Command, code, last| HookError::Failed {
        hook,
        origin: step.origin.clone(),
        command: command.written.clone(),
        code,
        last,
    };
    if let [command] = step.commands.as_slice() {
        let mut show = |_, bytes: &[u8]| {
            terminal.talk(bytes);
            Ok(ControlFlow::Continue(()))
        };
        let ended = inside.run(command.argv.clone(), note.cloned(), &mut show)?;
        return match ended {
            Ended { how: 0, .. } => Ok(()),
            Ended {
                signal: Some(signal),
                ..
            } => Err(stopped(signal).into()),
            Ended { how: code, .. } => Err(failed(command, code, String::new()).into()),
        };
    }
    let argvs = step.commands.iter().map(|command| command.argv.clone());
    let Ended { how, signal } = inside.run_all(argvs.collect(), note)?;
    let mut fault = None;
    for (command, ended) in step.commands.iter().zip(how) {
        let Captured { code, out, err } = ended?;
        // What several print at the same time is kept apart.
        let name = command.name.as_deref().unwrap_or_default();
        terminal.say(format!("{name} of {hook}:"));
        terminal.talk(&out);
        terminal.talk(&err);
        let code = code.unwrap_or_default();
        if code != 0 && fault.is_none() {
            fault = Some(failed(command, code, last_lines(&out, &err)));
        }
    }
    match (fault, signal) {
        (Some(_), Some(signal)) => Err(stopped(signal).into()),
        (Some(fault), None) => Err(fault.into()),
        (None, _) => Ok(()),
    }
}

fn last_lines(out: &[u8], err: &[u8]) -> String {
    let text = [out, err].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// Sets the container up, and asks what became of it so far.
fn set_up(inside: &Inside, moments: &Moments) -> anyhow::Result<Said> {
    let user = inside.user();
    let command = setup::command(user, inside.container_environment(), moments);
    let captured = inside.as_root(command, SETUP)?;
    let Some(said) = setup::parse(&captured.out) else {
        return Err(HookError::Setup(complaint(&captured)).into());
    };
    let is_number = user
        .split(':')
        .next()
        .is_some_and(|name| name.chars().all(|c| c.is_ascii_digit()));
    if said.user.is_none() && !is_number {
        return Err(HookError::NoUser(user.to_owned()).into());
    }
    if said.ended > 0 {
        let terminal = inside.terminal();
        terminal
            .say("Ended a lifecycle command that still ran for a `scaffold up` that was killed");
    }
    Ok(said)
}

fn remember(inside: &Inside, command: Vec<String>) -> anyhow::Result<()> {
    let captured = inside.as_root(command, SETUP)?;
    match captured.code {
        Some(0) => Ok(()),
        _ => Err(HookError::Unmarked(complaint(&captured)).into()),
    }
}

/// What a command complained of.
fn complaint(captured: &Captured) -> String {
    if captured.code.is_none() {
        return "it does not answer".to_owned();
    }
    let said = [captured.out.as_slice(), captured.err.as_slice()].concat();
    let said = String::from_utf8_lossy(&said);
    match said.trim() {
        "" => "it says nothing".to_owned(),
        said => said.to_owned(),
    }
}
