//! `scaffold completions`

use super::Outcome;
use crate::cli::Cli;
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use clap::CommandFactory;
use serde_json::json;

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
        let script = String::from_utf8_lossy(&script);
        match terminal.format {
            Format::Text => terminal.print(script.trim_end())?,
            Format::Json => terminal.print_json(&json!({
                "schemaVersion": SCHEMA_VERSION,
                "shell": self.shell.to_string(),
                "script": script,
            }))?,
        }
        Ok(Outcome::Success)
    }
}
