//! The person: data goes to stdout, talk to stderr, and questions come back as answers.

pub(crate) mod build;
pub(crate) mod containers;
pub(crate) mod explanation;
pub(crate) mod keyboard;
pub(crate) mod listing;
pub(crate) mod made;
pub(crate) mod prompt;
pub(crate) mod report;
pub(crate) mod source;

use crate::engine::container::Stream;
use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// How much is said beside the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// What was done.
    Normal,
    /// How it was decided, too.
    Verbose,
}

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For a person.
    Text,
    /// One JSON object.
    Json,
}

/// Where output goes, and how much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// How much is said.
    pub(crate) verbosity: Verbosity,
    /// How data is written.
    pub(crate) format: Format,
}

impl Terminal {
    /// Writes data to stdout, however quiet the person wants it. A reader who has gone away has seen enough, so that is no error.
    #[expect(
        clippy::unused_self,
        reason = "data goes where talk goes: through the terminal"
    )]
    pub(crate) fn print(self, text: impl fmt::Display) -> io::Result<()> {
        // Data passes as it is: what takes colours out would take other bytes with them.
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Hands on what a process in a container printed, byte for byte; a reader who has gone away has seen enough.
    #[expect(
        clippy::unused_self,
        reason = "data goes where talk goes: through the terminal"
    )]
    pub(crate) fn pass(self, stream: Stream, bytes: &[u8]) -> io::Result<ControlFlow<()>> {
        let passed = match stream {
            Stream::Out => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Stream::Err => {
                let mut err = io::stderr().lock();
                err.write_all(bytes).and_then(|()| err.flush())
            }
        };
        match passed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            passed => passed.map(|()| ControlFlow::Continue(())),
        }
    }

    /// Hands on what a command prints that prepares something: it is talk, unless the person wants none.
    pub(crate) fn talk(self, bytes: &[u8]) {
        if self.verbosity > Verbosity::Quiet {
            let mut err = io::stderr().lock();
            // A reader who has gone away has seen enough.
            let _ = err.write_all(bytes).and_then(|()| err.flush());
        }
    }

    /// Writes `value` to stdout as one JSON object.
    pub(crate) fn print_json(self, value: &impl serde::Serialize) -> io::Result<()> {
        self.print(serde_json::to_string_pretty(value)?)
    }

    /// Says what was done, on stderr; nobody listening is no error.
    pub(crate) fn say(self, text: impl fmt::Display) {
        self.say_from(Verbosity::Normal, text);
    }

    /// Says how something was decided, on stderr, if the person wants to know.
    pub(crate) fn detail(self, text: impl fmt::Display) {
        self.say_from(Verbosity::Verbose, text);
    }

    /// Says what stopped the command, on stderr, however quiet the person wants it.
    pub(crate) fn complain(self, text: impl fmt::Display) {
        self.say_from(Verbosity::Quiet, text);
    }

    fn say_from(self, least: Verbosity, text: impl fmt::Display) {
        if self.verbosity >= least {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }
}
