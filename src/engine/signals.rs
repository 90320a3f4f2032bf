//! What the person's machine tells this program to do while a command runs in a container: to stop, to end, that the terminal is gone.

use super::{Engine, EngineError};
use futures_util::FutureExt as _;
use std::fmt;
use tokio::signal::unix::{self, SignalKind, signal};

/// A signal that ends a program, unless it does otherwise (signal(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The terminal is gone.
    HangUp,
    /// Ctrl-C.
    Interrupt,
    /// Somebody wants it to end.
    Terminate,
}

impl Signal {
    /// Its number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// Its name, without the syllable that all of them have.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HangUp => "HUP",
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIG{}", self.name())
    }
}

/// The signals that come in. From the moment that this is made they no longer end the program.
#[derive(Debug)]
pub(crate) struct Signals {
    hang_up: unix::Signal,
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hang_up.recv() => Signal::HangUp,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

impl Engine {
    /// Listens for signals from now on.
    pub(crate) fn signals(&self) -> Result<Signals, EngineError> {
        let _inside = self.runtime.enter();
        Ok(Signals {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The signal that has come in, if one has.
    pub(crate) fn come_in(&self, signals: &mut Signals) -> Option<Signal> {
        // What came in is told by the runtime when it next runs.
        self.wait(async {
            tokio::task::yield_now().await;
            signals.next().now_or_never()
        })
    }
}
