//! `scaffold completions`

use super::Outcome;
use crate::cli::Cli;
use crate::terminal::Terminal;
use clap::CommandFactory;

/// Print the completion script for a shell
///
/// For bash: `scaffold completions bash > ~/.local/share/bash-completion/completions/scaffold`
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints the script.
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<Outcome> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "scaffold", &mut script);
        terminal.print(String::from_utf8_lossy(&script).trim_end())?;
        Ok(Outcome::Success)
    }
}
