//! Commands in a running container.

use super::container::Stream;
use super::signals::{Signal, Signals};
use super::{Engine, EngineError};
use crate::devcontainer::process::{self, FirstLine, Note};
use crate::devcontainer::variable::Environment;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt as _;
use std::cell::Cell;
use std::future::{Future, pending};
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

/// The exit code of a command that could not be asked for (docker's documentation, "docker exec").
const NOT_ASKED: i64 = 126;

/// How long a command may take that was told to end, before it is made to.
const GRACE: Duration = Duration::from_secs(5);

/// How long a command may take to say that it has started, before it is asked again.
const START: Duration = Duration::from_millis(20);

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
    /// Where it is noted that it runs, if anywhere.
    pub(crate) note: Option<Note>,
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
    fn nothing() -> Self {
        Self {
            code: None,
            out: Vec::new(),
            err: Vec::new(),
        }
    }

    fn add(&mut self, stream: Stream, bytes: &[u8]) {
        let to = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        to.extend_from_slice(bytes);
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

/// What a signal means for the command that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnSignal {
    /// It gets the signal, and decides.
    PassOn,
    /// It gets the signal, and is killed if it has not ended soon after, or at a second signal.
    End,
}

/// How a command ended, and the signal that came in meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended<T> {
    /// How.
    pub(crate) how: T,
    /// The signal.
    pub(crate) signal: Option<Signal>,
}

/// The process of a command in its container, once it is known.
#[derive(Debug, Default)]
struct Leader(Cell<Option<u32>>);

impl Engine {
    /// Runs a command to its end, or for as long as `limit`.
    pub(crate) fn capture(
        &self,
        container: &str,
        plan: &ExecPlan,
        limit: Duration,
    ) -> Result<Captured, EngineError> {
        let mut captured = Captured::nothing();
        let running = self.collect(container, plan, &mut captured);
        let ended = self.wait(async { tokio::time::timeout(limit, running).await });
        captured.code = ended.ok().transpose()?;
        Ok(captured)
    }

    async fn collect(
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
                let (stream, bytes) = self.part(part)?;
                captured.add(stream, &bytes);
            }
        }
        self.code(&id).await
    }

    /// Runs commands at the same time, each to its end; a signal ends them.
    pub(crate) fn capture_all(
        &self,
        container: &str,
        plans: &[ExecPlan],
        signals: &mut Signals,
    ) -> Result<Ended<Vec<Result<Captured, EngineError>>>, EngineError> {
        let leaders: Vec<Leader> = plans.iter().map(|_| Leader::default()).collect();
        let running = plans.iter().zip(&leaders).map(|(plan, leader)| async move {
            let mut captured = Captured::nothing();
            let mut add = |stream, bytes: &[u8]| {
                captured.add(stream, bytes);
                Ok(ControlFlow::Continue(()))
            };
            let (_, input) = tokio::sync::mpsc::channel(1);
            let person = Person {
                input,
                size: None,
                output: &mut add,
            };
            captured.code = Some(self.follow(container, plan, person, leader).await?);
            Ok(captured)
        });
        let running = futures_util::future::join_all(running);
        let on_signal = OnSignal::End;
        self.wait(self.listening(container, &leaders, (signals, on_signal), running))
    }

    /// Runs a command with a person at its other end, and returns its exit code.
    pub(crate) fn exec(
        &self,
        container: &str,
        plan: &ExecPlan,
        person: Person<'_>,
        (signals, on_signal): (&mut Signals, OnSignal),
    ) -> Result<Ended<i64>, EngineError> {
        let leader = Leader::default();
        let running = self.follow(container, plan, person, &leader);
        let leaders = std::slice::from_ref(&leader);
        let ended = self.listening(container, leaders, (signals, on_signal), running);
        let Ended { how, signal } = self.wait(ended)?;
        how.map(|how| Ended { how, signal })
    }

    async fn follow(
        &self,
        container: &str,
        plan: &ExecPlan,
        person: Person<'_>,
        leader: &Leader,
    ) -> Result<i64, EngineError> {
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            tty: Some(person.size.is_some()),
            cmd: Some(process::started(&plan.command, plan.note.as_ref())),
            ..options(plan)
        };
        let id = self.created(container, options).await?;
        let start = StartExecOptions {
            tty: person.size.is_some(),
            ..StartExecOptions::default()
        };
        let started = self.docker.start_exec(&id, Some(start)).await;
        let started = started.map_err(|source| self.failed("start a command", source))?;
        if let StartExecResults::Attached { output, input } = started {
            let wants_more = self.attach(&id, person, leader, (output, input)).await?;
            if let (ControlFlow::Break(()), Leader(leader)) = (wants_more, leader) {
                // As in a pipeline of which the end has gone.
                self.tell(container, leader.get(), "PIPE").await;
                return Ok(128 + 13);
            }
        }
        self.code(&id).await
    }

    /// Does `work`, and lets the processes know of the signals that come in meanwhile.
    async fn listening<T>(
        &self,
        container: &str,
        leaders: &[Leader],
        (signals, on_signal): (&mut Signals, OnSignal),
        work: impl Future<Output = T>,
    ) -> Result<Ended<T>, EngineError> {
        tokio::pin!(work);
        let mut first = None;
        let mut next: Option<(&'static str, Instant)> = None;
        let mut count = 0;
        loop {
            let due = async {
                match next {
                    Some((_, at)) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                how = &mut work => return Ok(Ended { how, signal: first }),
                signal = signals.next() => {
                    count += 1;
                    first = first.or(Some(signal));
                    next = match (count, on_signal) {
                        (1, _) | (_, OnSignal::PassOn) => Some((signal.name(), Instant::now())),
                        (2, OnSignal::End) => Some(("KILL", Instant::now())),
                        // Whoever asks three times wants to leave, whatever goes on there.
                        (_, OnSignal::End) => return Err(EngineError::Left(signal)),
                    };
                }
                () = due => {
                    let (name, _) = next.unwrap_or(("TERM", Instant::now()));
                    let is_known = leaders.iter().all(|Leader(leader)| leader.get().is_some());
                    if !is_known {
                        next = Some((name, Instant::now() + START));
                        continue;
                    }
                    for Leader(leader) in leaders {
                        self.tell(container, leader.get(), name).await;
                    }
                    let is_last = name == "KILL" || on_signal == OnSignal::PassOn;
                    next = (!is_last).then(|| ("KILL", Instant::now() + GRACE));
                    if first == Some(Signal::HangUp) && on_signal == OnSignal::PassOn {
                        // Nobody is there to see how it ends.
                        return Err(EngineError::Left(Signal::HangUp));
                    }
                }
            }
        }
    }

    /// Sends a signal to what a process leads; one that has ended does not care.
    async fn tell(&self, container: &str, leader: Option<u32>, signal: &str) {
        let Some(leader) = leader else { return };
        let options = CreateExecOptions {
            cmd: Some(process::told(leader, signal)),
            user: Some("root".to_owned()),
            working_dir: Some("/".to_owned()),
            ..CreateExecOptions::default()
        };
        let start = StartExecOptions {
            detach: true,
            ..StartExecOptions::default()
        };
        if let Ok(id) = self.created(container, options).await {
            let _ = self.docker.start_exec(&id, Some(start)).await;
        }
    }

    /// Carries bytes both ways until the command has printed all, or nobody wants to see more.
    async fn attach(
        &self,
        id: &str,
        mut person: Person<'_>,
        Leader(leader): &Leader,
        (mut output, mut input): (Output, Input),
    ) -> Result<ControlFlow<()>, EngineError> {
        let mut resized = signal(SignalKind::window_change())?;
        if let Some(size) = person.size {
            self.resize(id, size()).await;
        }
        let mut first = FirstLine::default();
        let mut is_open = true;
        loop {
            tokio::select! {
                part = output.next() => {
                    let Some(part) = part else {
                        let rest = first.rest();
                        return Ok((person.output)(Stream::Out, &rest)?);
                    };
                    let (stream, mut bytes) = self.part(part)?;
                    if stream == Stream::Out {
                        bytes = first.pass(bytes);
                        leader.set(first.leader());
                    }
                    if !bytes.is_empty() && (person.output)(stream, &bytes)?.is_break() {
                        return Ok(ControlFlow::Break(()));
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

    /// What a command printed, and where.
    fn part(
        &self,
        part: Result<LogOutput, bollard::errors::Error>,
    ) -> Result<(Stream, Vec<u8>), EngineError> {
        let part = part.map_err(|source| self.failed("follow a command", source))?;
        let stream = match part {
            LogOutput::StdErr { .. } => Stream::Err,
            _ => Stream::Out,
        };
        Ok((stream, part.into_bytes().to_vec()))
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
