//! What a person types, for a command in a container.

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::{self, Read};
use std::thread;
use tokio::sync::mpsc::{Receiver, channel};

/// How much is read at once.
const CHUNK: usize = 16 << 10;

/// Whether a person sits at both ends of this program.
pub(crate) fn is_terminal() -> bool {
    isatty(io::stdin()) && isatty(io::stdout())
}

/// The lines and the columns of the terminal.
pub(crate) fn size() -> (u16, u16) {
    tcgetwinsize(io::stdout()).map_or((24, 80), |size| (size.ws_row, size.ws_col))
}

/// The terminal with every key handed on as it is, until this is dropped.
#[derive(Debug)]
pub(crate) struct Raw(Option<Termios>);

impl Raw {
    /// Sets the terminal so, if there is one.
    pub(crate) fn new() -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.make_raw();
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &raw);
        }
        Self(before)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// What is typed, or comes in by a pipe; it ends where that ends.
///
/// A thread reads it, which ends with the program: nothing can interrupt a read of a terminal.
pub(crate) fn input() -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel(4);
    thread::spawn(move || {
        let mut buffer = vec![0; CHUNK];
        let mut stdin = io::stdin().lock();
        while let Ok(count @ 1..) = stdin.read(&mut buffer) {
            if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// What is typed for a command that nobody types for.
pub(crate) fn nothing() -> Receiver<Vec<u8>> {
    channel(1).1
}
