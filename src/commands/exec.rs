//! `scaffold exec` and `scaffold shell`

use super::Outcome;
use super::inside::{Inside, Wish};
use crate::host::Host;
use crate::terminal::Terminal;
use std::path::PathBuf;

/// Run a command in the dev container, as its user and with its environment
///
/// The exit code is the command's own.
#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    wish: Wish,
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Exec {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        Inside::find(terminal, host, &self.path, &self.wish)?.exec(self.command)
    }
}

/// Open a shell in the dev container, that of its user
#[derive(Debug, clap::Args)]
pub(crate) struct Shell {
    #[command(flatten)]
    wish: Wish,
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
}

impl Shell {
    /// Runs the shell that the list of users names, or else the plainest one.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let script = r#"shell=$SHELL
[ -n "$shell" ] || { entry=$(getent passwd "$(id -u)" 2>/dev/null || grep "^[^:]*:[^:]*:$(id -u):" /etc/passwd); shell=${entry##*:}; }
exec "${shell:-/bin/sh}" -l"#;
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        Inside::find(terminal, host, &self.path, &self.wish)?.exec(command.into())
    }
}
