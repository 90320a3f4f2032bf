//! What BuildKit tells of its steps → [`Progress`] (its `api/services/control/control.proto`, `StatusResponse`).

use super::wire::{Fields, Value};
use crate::devcontainer::build_progress::{Progress, StepOutcome};
use std::collections::{HashMap, VecDeque};

/// How many lines of a step's output are kept for the case that it fails.
const KEPT: usize = 20;

/// The steps that were heard of.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The places in `steps`, by the digests by which the builder knows them.
    known: HashMap<String, usize>,
    steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// What it does.
    pub(super) name: String,
    /// What went wrong.
    pub(super) error: Option<String>,
    /// The last lines that it wrote.
    pub(super) output: VecDeque<String>,
    state: State,
    /// A line without an end.
    begun: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    Running,
    Over,
}

/// A step as it is told.
#[derive(Default)]
struct Vertex {
    digest: String,
    name: String,
    is_cached: bool,
    started: Option<i128>,
    completed: Option<i128>,
    error: String,
}

impl Trace {
    /// Reads a message, and tells what is new.
    pub(super) fn read(&mut self, message: &[u8], tell: &mut dyn FnMut(&Progress)) {
        for (field, value) in Fields::of(message) {
            match field {
                1 => self.vertex(Vertex::read(value), tell),
                2 => self.moved(value, tell),
                3 => self.log(value, tell),
                4 => warn(value, tell),
                _ => {}
            }
        }
    }

    /// The step that failed first by itself: when one fails, others are stopped.
    pub(super) fn failed(&self) -> Option<&Step> {
        let is_stopped = |error: &str| error.contains("context canceled");
        let has_failed = |step: &&Step| {
            step.error
                .as_deref()
                .is_some_and(|error| !is_stopped(error))
        };
        self.steps.iter().find(has_failed)
    }

    fn step(&mut self, digest: String) -> usize {
        let next = self.steps.len();
        let index = *self.known.entry(digest).or_insert(next);
        if index == next {
            self.steps.push(Step::default());
        }
        index
    }

    fn vertex(&mut self, vertex: Vertex, tell: &mut dyn FnMut(&Progress)) {
        let index = self.step(vertex.digest);
        let step = &mut self.steps[index];
        step.name.clone_from(&vertex.name);
        let number = index + 1;
        if step.state == State::Waiting && vertex.started.is_some() {
            step.state = State::Running;
            tell(&Progress::Started {
                step: number,
                name: vertex.name.clone(),
            });
        }
        let (Some(started), Some(completed)) = (vertex.started, vertex.completed) else {
            return;
        };
        if step.state == State::Over {
            return;
        }
        step.state = State::Over;
        if let Some(line) = step.rest() {
            tell(&Progress::Log {
                step: number,
                lines: vec![line],
            });
        }
        let outcome = match (vertex.error, vertex.is_cached) {
            (error, _) if !error.is_empty() => StepOutcome::Failed(error),
            (_, true) => StepOutcome::Cached,
            (_, false) => StepOutcome::Done,
        };
        if let StepOutcome::Failed(error) = &outcome {
            step.error = Some(error.clone());
        }
        let nanoseconds = completed.saturating_sub(started).max(0);
        tell(&Progress::Completed {
            step: number,
            name: vertex.name,
            outcome,
            milliseconds: u64::try_from(nanoseconds / 1_000_000).unwrap_or(u64::MAX),
        });
    }

    fn moved(&mut self, status: Value<'_>, tell: &mut dyn FnMut(&Progress)) {
        let mut digest = String::new();
        let mut moved = (String::new(), 0, 0);
        for (field, value) in Fields::of(status.bytes()) {
            match field {
                1 => moved.0 = value.text(),
                2 => digest = value.text(),
                4 => moved.1 = value.number(),
                5 => moved.2 = value.number(),
                _ => {}
            }
        }
        let (name, current, total) = moved;
        tell(&Progress::Moved {
            step: self.step(digest) + 1,
            name,
            current,
            total,
        });
    }

    fn log(&mut self, log: Value<'_>, tell: &mut dyn FnMut(&Progress)) {
        let mut digest = String::new();
        let mut written: &[u8] = &[];
        for (field, value) in Fields::of(log.bytes()) {
            match field {
                1 => digest = value.text(),
                4 => written = value.bytes(),
                _ => {}
            }
        }
        let index = self.step(digest);
        let lines = self.steps[index].write(written);
        if !lines.is_empty() {
            tell(&Progress::Log {
                step: index + 1,
                lines,
            });
        }
    }
}

impl Step {
    /// The lines that are whole now.
    fn write(&mut self, written: &[u8]) -> Vec<String> {
        self.begun.extend_from_slice(written);
        let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.begun.split_off(end + 1);
        let whole = std::mem::replace(&mut self.begun, rest);
        let lines = whole[..end].split(|byte| *byte == b'\n');
        let lines: Vec<String> = lines.map(line).collect();
        for line in &lines {
            self.keep(line.clone());
        }
        lines
    }

    /// The last line, if it has no end.
    fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.begun);
        if rest.is_empty() {
            return None;
        }
        let line = line(&rest);
        self.keep(line.clone());
        Some(line)
    }

    fn keep(&mut self, line: String) {
        if self.output.len() == KEPT {
            self.output.pop_front();
        }
        self.output.push_back(line);
    }
}

/// A line as it would stand on a terminal in the end: what was written over is gone.
pub(super) fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches('\r');
    text.rsplit('\r').next().unwrap_or(text).to_owned()
}

impl Vertex {
    fn read(value: Value<'_>) -> Self {
        let mut vertex = Self::default();
        for (field, value) in Fields::of(value.bytes()) {
            match field {
                1 => vertex.digest = value.text(),
                3 => vertex.name = value.text(),
                4 => vertex.is_cached = value.number() != 0,
                5 => vertex.started = Some(time(value)),
                6 => vertex.completed = Some(time(value)),
                7 => vertex.error = value.text(),
                _ => {}
            }
        }
        vertex
    }
}

/// Nanoseconds since 1970.
fn time(value: Value<'_>) -> i128 {
    let mut nanoseconds = 0;
    for (field, value) in Fields::of(value.bytes()) {
        match field {
            1 => nanoseconds += i128::from(value.number().cast_signed()) * 1_000_000_000,
            2 => nanoseconds += i128::from(value.number()),
            _ => {}
        }
    }
    nanoseconds
}

fn warn(warning: Value<'_>, tell: &mut dyn FnMut(&Progress)) {
    let mut fields = Fields::of(warning.bytes());
    if let Some((_, short)) = fields.find(|(field, _)| *field == 3) {
        tell(&Progress::Warning {
            message: short.text(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::Writer;
    use super::*;

    fn vertex(completed: u64, error: &str) -> Vec<u8> {
        let time = |seconds| Writer::default().number(1, seconds).finish();
        let mut vertex = Writer::default()
            .bytes(1, b"sha256:a")
            .bytes(3, b"[2/2] RUN x")
            .bytes(5, &time(10));
        if completed > 0 {
            vertex = vertex.bytes(6, &time(completed));
        }
        let vertex = vertex.bytes(7, error.as_bytes()).finish();
        Writer::default().bytes(1, &vertex).finish()
    }

    fn log(text: &[u8]) -> Vec<u8> {
        let log = Writer::default().bytes(1, b"sha256:a").bytes(4, text);
        Writer::default().bytes(3, &log.finish()).finish()
    }

    #[test]
    fn a_step_that_fails_is_told_once_with_its_lines() {
        let mut trace = Trace::default();
        let mut told = Vec::new();
        let messages = [
            vertex(0, ""),
            vertex(0, ""),
            log(b"one\n10%\r20"),
            log(b"%\r\ntwo"),
            vertex(12, "exit code: 1"),
            vertex(12, "exit code: 1"),
        ];
        for message in messages {
            trace.read(&message, &mut |progress| told.push(progress.clone()));
        }
        let name = "[2/2] RUN x".to_owned();
        let log = |line: &str| Progress::Log {
            step: 1,
            lines: vec![line.to_owned()],
        };
        let expected = [
            Progress::Started {
                step: 1,
                name: name.clone(),
            },
            log("one"),
            log("20%"),
            log("two"),
            Progress::Completed {
                step: 1,
                name,
                outcome: StepOutcome::Failed("exit code: 1".to_owned()),
                milliseconds: 2000,
            },
        ];
        assert_eq!(told, expected);
        assert_eq!(trace.failed().unwrap().output, ["one", "20%", "two"]);
    }
}
