//! Programs of this machine.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that runs programs"
)]

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Starts a program in `folder`; what it prints goes where talk goes.
///
/// # Errors
/// Where there is no such program, or it may not be run.
fn start(argv: &[String], folder: &Path) -> io::Result<Child> {
    let (first, rest) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    Command::new(first)
        .args(rest)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .spawn()
}

/// Runs programs at the same time, and returns how each ended.
pub(crate) fn run_all(all: &[Vec<String>], folder: &Path) -> Vec<io::Result<ExitStatus>> {
    let started: Vec<io::Result<Child>> = all.iter().map(|argv| start(argv, folder)).collect();
    let ended = started.into_iter().map(|child| child?.wait());
    ended.collect()
}
