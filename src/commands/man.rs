//! `scaffold man`

use super::Outcome;
use crate::cli::Cli;
use crate::hint::enumerate;
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use anyhow::bail;
use clap::CommandFactory;
use serde_json::json;

/// Print a manual page
///
/// To read it: `scaffold man new | man -l -`
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The command whose page to print; without it the page of `scaffold` itself
    command: Option<String>,
}

impl Man {
    /// Prints the page in roff.
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<Outcome> {
        let mut program = Cli::command();
        program.build();
        let command = match &self.command {
            None => program,
            Some(name) => {
                let Some(command) = program.find_subcommand(name) else {
                    let known = program.get_subcommands().map(clap::Command::get_name);
                    bail!(
                        "no command is named `{name}`; there are {}",
                        enumerate(known)
                    );
                };
                command.clone().name(format!("scaffold-{name}"))
            }
        };
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        let page = String::from_utf8_lossy(&page);
        match terminal.format {
            Format::Text => terminal.print(page.trim_end())?,
            Format::Json => terminal.print_json(&json!({
                "schemaVersion": SCHEMA_VERSION,
                "page": page,
            }))?,
        }
        Ok(Outcome::Success)
    }
}
