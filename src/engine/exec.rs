//! Commands in a running container.

use super::container::Stream;
use super::{Engine, EngineError, status};
use crate::devcontainer::variable::Environment;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt as _;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Receiver;

/// The exit code of a command that could not be asked for (docker's documentation, "docker exec").
const NOT_ASKED: i64 = 126;

/// A command in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExecPlan {
    /// Who runs it; the container's user if nobody is named.
    pub(crate) user: Option<String>,
    /// Where.
    pub(crate) folder: Option<String>,
    /// With which variables beside the container's own.
    pub(crate) environment: Environment,
    /// Without which of the container's own.
    pub(crate) unset: Vec<String>,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
}

/// What a command printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captured {
    /// Its exit code; `None` where it did not end in time.
    pub(crate) code: Option<i64>,
    /// What it printed.
    pub(crate) out: Vec<u8>,
    /// What it complained of.
    pub(crate) err: Vec<u8>,
}

impl Captured {
    fn add(&mut self, part: LogOutput) {
        let to = match part {
            LogOutput::StdErr { .. } => &mut self.err,
            _ => &mut self.out,
        };
        to.extend_from_slice(&part.into_bytes());
    }
}

/// Takes what a command prints, and says whether that is enough.
pub(crate) type Sink<'a> = dyn FnMut(Stream, &[u8]) -> io::Result<ControlFlow<()>> + 'a;

/// The person's end of a command.
pub(crate) struct Person<'a> {
    /// What they type, until the sender goes away.
    pub(crate) input: Receiver<Vec<u8>>,
    /// The size of their terminal in lines and columns, if the command gets one.
    pub(crate) size: Option<&'a dyn Fn() -> (u16, u16)>,
    /// Takes what the command prints.
    pub(crate) output: &'a mut Sink<'a>,
}

impl Engine {
    /// Runs a command to its end, or for as long as `limit`.
    pub(crate) fn capture(
        &self,
        container: &str,
        plan: &ExecPlan,
        limit: Duration,
    ) -> Result<Captured, EngineError> {
        let mut captured = Captured {
            code: None,
            out: Vec::new(),
            err: Vec::new(),
        };
        let running = self.run(container, plan, &mut captured);
        let ended = self.wait(async { tokio::time::timeout(limit, running).await });
        captured.code = ended.ok().transpose()?;
        Ok(captured)
    }

    /// Runs commands at the same time, each to its end.
    pub(crate) fn capture_all(
        &self,
        container: &str,
        plans: &[ExecPlan],
    ) -> Vec<Result<Captured, EngineError>> {
        let running = plans.iter().map(|plan| async move {
            let mut captured = Captured {
                code: None,
                out: Vec::new(),
                err: Vec::new(),
            };
            captured.code = Some(self.run(container, plan, &mut captured).await?);
            Ok(captured)
        });
        self.wait(futures_util::future::join_all(running))
    }

    async fn run(
        &self,
        container: &str,
        plan: &ExecPlan,
        captured: &mut Captured,
    ) -> Result<i64, EngineError> {
        let id = self.created(container, options(plan)).await?;
        let started = self.docker.start_exec(&id, None::<StartExecOptions>).await;
        let started = started.map_err(|source| self.failed("start a command", source))?;
        if let StartExecResults::Attached { mut output, .. } = started {
            while let Some(part) = output.next().await {
                captured.add(part.map_err(|source| self.failed("follow a command", source))?);
            }
        }
        self.code(&id).await
    }

    /// Runs a command with a person at its other end, and returns its exit code.
    pub(crate) fn exec(
        &self,
        container: &str,
        plan: &ExecPlan,
        person: Person<'_>,
    ) -> Result<i64, EngineError> {
        self.wait(async {
            let options = CreateExecOptions {
                attach_stdin: Some(true),
                tty: Some(person.size.is_some()),
                ..options(plan)
            };
            let id = match self.created(container, options).await {
                // The engine looks for the user and the folder when it is asked.
                Err(EngineError::Refused { source, .. }) if status(&source) == Some(400) => {
                    return Ok(NOT_ASKED);
                }
                created => created?,
            };
            let start = StartExecOptions {
                tty: person.size.is_some(),
                ..StartExecOptions::default()
            };
            let started = self.docker.start_exec(&id, Some(start)).await;
            let started = started.map_err(|source| self.failed("start a command", source))?;
            if let StartExecResults::Attached { output, input } = started {
                self.attach(&id, person, (output, input)).await?;
            }
            self.code(&id).await
        })
    }

    /// Carries bytes both ways until the command has printed all.
    async fn attach(
        &self,
        id: &str,
        mut person: Person<'_>,
        (mut output, mut input): (Output, Input),
    ) -> Result<(), EngineError> {
        let mut resized = signal(SignalKind::window_change())?;
        if let Some(size) = person.size {
            self.resize(id, size()).await;
        }
        let mut is_open = true;
        loop {
            tokio::select! {
                part = output.next() => {
                    let Some(part) = part else { return Ok(()) };
                    let part = part.map_err(|source| self.failed("follow a command", source))?;
                    let stream = match part {
                        LogOutput::StdErr { .. } => Stream::Err,
                        _ => Stream::Out,
                    };
                    if (person.output)(stream, &part.into_bytes())?.is_break() {
                        return Ok(());
                    }
                }
                typed = person.input.recv(), if is_open => {
                    is_open = hand_on(&mut input, typed).await;
                }
                _ = resized.recv(), if person.size.is_some() => {
                    if let Some(size) = person.size {
                        self.resize(id, size()).await;
                    }
                }
            }
        }
    }

    /// Tells the command how large its terminal is; one that has ended does not care.
    async fn resize(&self, id: &str, (height, width): (u16, u16)) {
        let _ = self
            .docker
            .resize_exec(id, ResizeExecOptions { height, width })
            .await;
    }

    async fn created(
        &self,
        container: &str,
        options: CreateExecOptions<String>,
    ) -> Result<String, EngineError> {
        let created = self.docker.create_exec(container, options).await;
        let created = created.map_err(|source| self.failed("prepare a command", source))?;
        Ok(created.id)
    }

    async fn code(&self, id: &str) -> Result<i64, EngineError> {
        let inspected = self.docker.inspect_exec(id).await;
        let inspected =
            inspected.map_err(|source| self.failed("see how a command ended", source))?;
        Ok(inspected.exit_code.unwrap_or(NOT_ASKED))
    }
}

/// Hands on what was typed, or that there is no more; whether the command may want more.
async fn hand_on(input: &mut Input, typed: Option<Vec<u8>>) -> bool {
    let Some(typed) = typed else {
        let _ = input.shutdown().await;
        return false;
    };
    // A command that has closed its input wants no more of it.
    input.write_all(&typed).await.is_ok() && input.flush().await.is_ok()
}

type Output = std::pin::Pin<
    Box<dyn futures_util::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>,
>;
type Input = std::pin::Pin<Box<dyn tokio::io::AsyncWrite + Send>>;

fn options(plan: &ExecPlan) -> CreateExecOptions<String> {
    let variables = plan.environment.iter();
    let variables = variables.map(|(name, value)| format!("{name}={value}"));
    // A name alone takes the variable away that the container has.
    let variables = variables.chain(plan.unset.iter().cloned());
    CreateExecOptions {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        env: Some(variables.collect()),
        cmd: Some(plan.command.clone()),
        user: plan.user.clone(),
        working_dir: plan.folder.clone(),
        ..CreateExecOptions::default()
    }
}
