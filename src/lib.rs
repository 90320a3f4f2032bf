//! `scaffold` makes dev containers for Python and machine learning from templates.
//!
//! Every command is read → plan → carry out → report. Start at [`commands`]: one file a verb.
//!
//! - What is decided, without touching the world: [`template`] (options, answers, rendering, what a change means), [`devcontainer`] (what a
//!   configuration means), [`ca_bundle`].
//! - What touches it, without deciding: [`workspace`] (disk), [`engine`] (Docker), [`registry`] (the network), [`host`] (this machine),
//!   [`terminal`] (the person).
//! - What everybody reads: [`jsonc`], [`yaml`]. What passes between them: [`tree::Tree`], answers, changes.
//!
//! Invariants:
//! - Nothing under [`template`] and [`devcontainer`] reads a file, a clock, an environment variable or a terminal.
//! - A plan is complete, and every file of it parsed, before the first byte is written.
//! - Same inputs, same bytes: every map that is printed or written is ordered.
//! - An error is data until [`terminal::report`]: no colour and no newline art in a message.
//! - stdout carries data, stderr talks.
//!
//! `tests/architecture.rs` holds the list of who may use whom.

mod ca_bundle;
mod cli;
mod commands;
mod devcontainer;
mod engine;
#[cfg(test)]
mod fuzz;
mod hint;
mod host;
mod jsonc;
mod registry;
mod template;
mod terminal;
mod tree;
mod workspace;
mod yaml;

use anyhow::Context;
use clap::Parser;
use cli::{Cli, Command};
use commands::build::BuildRefusal;
use commands::hooks::HookError;
use commands::inside::InsideError;
use commands::list::List;
use commands::making::MakingError;
use commands::reading::ReadingError;
use commands::run::RunError;
use commands::target::TargetError;
use commands::up::UpError;
use commands::{Outcome, UsageError};
use devcontainer::configuration::ConfigurationError;
use devcontainer::container::PlanError;
use devcontainer::explain::NoSuchProperty;
use devcontainer::feature::FeatureError;
use engine::EngineError;
use engine::build::BuildError;
use engine::signals::Signal;
use hint::Hint;
use host::Host;
use registry::RegistryError;
use std::ffi::OsString;
use std::process::ExitCode;
use template::TemplateError;
use template::change::InTheWay;
use terminal::{Format, Terminal, Verbosity, report};
use workspace::WorkspaceError;

/// The exit code of a command that found what it looked for.
const FOUND_SOMETHING: u8 = 1;

/// The exit code of a command that could not run.
const COULD_NOT_RUN: u8 = 2;

/// The exit code of a command that ran nothing in a container, which is docker's (docker's documentation, "Exit status" of `docker run`).
const NOTHING_WAS_RUN: u8 = 125;

/// What a signal's number is added to (POSIX, "Exit Status for Commands").
const BY_SIGNAL: u8 = 128;

/// Runs the program with `args`, its own name first.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &args),
    };
    let terminal = cli.terminal();
    let fails_as = could_not_run(&args);
    match dispatch(cli.command, terminal) {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(FOUND_SOMETHING),
        Ok(Outcome::External(code)) => ExitCode::from(code),
        Err(error) => {
            let code = exit_code(&error, fails_as);
            report::error(terminal, &error, hint(&error).as_deref(), code);
            ExitCode::from(code)
        }
    }
}

/// A build or a command that failed is what the command found; all else kept it from running. What a signal ended says so as a shell does.
fn exit_code(error: &anyhow::Error, fails_as: u8) -> u8 {
    if let Some(signal) = error.chain().find_map(signal) {
        return BY_SIGNAL + signal.number();
    }
    let failed = error.chain().any(|cause| {
        let hook = cause.downcast_ref::<HookError>();
        let build = cause.downcast_ref::<BuildError>();
        let is_step = build.is_some_and(|build| matches!(build, BuildError::Step(_)));
        let is_hook = hook.is_some_and(|hook| matches!(hook, HookError::Failed { .. }));
        is_step || is_hook || cause.is::<MakingError>()
    });
    if failed && fails_as == COULD_NOT_RUN {
        FOUND_SOMETHING
    } else {
        fails_as
    }
}

/// The exit code of our own failures: another for the commands of which it is the container's command that has the usual ones.
fn could_not_run(args: &[OsString]) -> u8 {
    let words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    let verb = words.into_iter().find(|word| !word.starts_with('-'));
    match verb {
        Some("exec" | "shell" | "run") => NOTHING_WAS_RUN,
        _ => COULD_NOT_RUN,
    }
}

/// The signal that ended what was going on.
fn signal(cause: &(dyn std::error::Error + 'static)) -> Option<Signal> {
    if let Some(HookError::Stopped { signal, .. }) = cause.downcast_ref() {
        return Some(*signal);
    }
    match cause.downcast_ref() {
        Some(EngineError::Left(signal)) => Some(*signal),
        _ => None,
    }
}

fn dispatch(command: Command, terminal: Terminal) -> anyhow::Result<Outcome> {
    match command {
        Command::New(new) => new.run(terminal, &facts()?),
        Command::Config(config) => config.run(terminal, &facts()?),
        Command::Build(build) => build.run(terminal, &facts()?),
        Command::Up(up) => up.run(terminal, &facts()?),
        Command::Exec(exec) => exec.run(terminal, &facts()?),
        Command::Shell(shell) => shell.run(terminal, &facts()?),
        Command::Run(run) => run.run(terminal, &facts()?),
        Command::Ps(ps) => ps.run(terminal, &facts()?),
        Command::Logs(logs) => logs.run(terminal, &facts()?),
        Command::Stop(stop) => stop.run(terminal, &facts()?),
        Command::Down(down) => down.run(terminal, &facts()?),
        Command::Prune(prune) => prune.run(terminal, &facts()?),
        Command::List(List {}) => List::run(terminal),
        Command::Show(show) => show.run(terminal),
        Command::Completions(completions) => completions.run(terminal),
        Command::Man(man) => man.run(terminal),
    }
}

/// What the commands need to know of this machine.
fn facts() -> anyhow::Result<Host> {
    Host::read().context("failed to read the current folder")
}

/// Shows what clap has to say: help as data, a slip as an error.
fn usage(error: &clap::Error, args: &[OsString]) -> ExitCode {
    let is_json = args.iter().any(|arg| arg == "--json");
    if !error.use_stderr() || !is_json {
        // A reader who has gone away has seen enough.
        let _ = error.print();
        let code = if error.use_stderr() {
            could_not_run(args)
        } else {
            0
        };
        return ExitCode::from(code);
    }
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let message = paragraphs.next().unwrap_or_default();
    let message = message.trim_start_matches("error: ").to_owned();
    let tip = paragraphs.find_map(|paragraph| paragraph.strip_prefix("tip: "));
    let terminal = Terminal {
        verbosity: Verbosity::Normal,
        format: Format::Json,
    };
    let code = could_not_run(args);
    report::error(terminal, &anyhow::anyhow!(message), tip, code);
    ExitCode::from(code)
}

/// The way out that the first error of the chain knows.
fn hint(error: &anyhow::Error) -> Option<String> {
    let known = [
        hint_of::<TemplateError>,
        hint_of::<InTheWay>,
        hint_of::<UsageError>,
        hint_of::<BuildRefusal>,
        hint_of::<BuildError>,
        hint_of::<ConfigurationError>,
        hint_of::<NoSuchProperty>,
        hint_of::<FeatureError>,
        hint_of::<EngineError>,
        hint_of::<ReadingError>,
        hint_of::<TargetError>,
        hint_of::<InsideError>,
        hint_of::<UpError>,
        hint_of::<MakingError>,
        hint_of::<RunError>,
        hint_of::<HookError>,
        hint_of::<PlanError>,
        hint_of::<RegistryError>,
        hint_of::<WorkspaceError>,
    ];
    error
        .chain()
        .find_map(|cause| known.iter().find_map(|hint_of| hint_of(cause)))
}

fn hint_of<E: std::error::Error + Hint + 'static>(
    cause: &(dyn std::error::Error + 'static),
) -> Option<String> {
    cause.downcast_ref::<E>().and_then(Hint::hint)
}
