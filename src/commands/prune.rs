//! `scaffold prune`

use super::Outcome;
use super::inside::forget;
use super::reading::engine;
use crate::devcontainer::drift;
use crate::engine::container::Volumes;
use crate::host::Host;
use crate::terminal::{Format, Terminal, containers};

/// Remove the stopped dev containers that this program made; what others made stays
#[derive(Debug, clap::Args)]
pub(crate) struct Prune {
    /// List them and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    /// Finds the containers by their label, and removes them.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let engine = engine(host)?;
        let mut listed = engine.labelled(drift::LABEL, None)?;
        listed.retain(|container| !container.is_running());
        if !self.dry_run {
            for container in &listed {
                engine.remove(&container.id, Volumes::Remove)?;
                forget(host, &container.id);
                terminal.say(format!("Removed `{}`", container.name));
            }
        }
        let outcome = if self.dry_run { "planned" } else { "removed" };
        match terminal.format {
            Format::Json => terminal.print_json(&containers::done(outcome, &listed))?,
            Format::Text if self.dry_run => terminal.print(containers::text(&listed))?,
            Format::Text if listed.is_empty() => terminal.say("Nothing to remove"),
            Format::Text => {}
        }
        Ok(Outcome::Success)
    }
}
