//! `scaffold ps`

use super::Outcome;
use super::reading::engine;
use super::target::is_below;
use crate::devcontainer::configuration::LOCAL_FOLDER;
use crate::host::Host;
use crate::terminal::{Format, Terminal, containers};
use crate::workspace;
use std::path::PathBuf;

/// List the dev containers that there are, whoever made them
#[derive(Debug, clap::Args)]
pub(crate) struct Ps {
    /// Only those of this folder and of the ones below it
    path: Option<PathBuf>,
}

impl Ps {
    /// Asks the engine and prints what it answers.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let engine = engine(host)?;
        let mut listed = engine.labelled(LOCAL_FOLDER, None)?;
        if let Some(path) = &self.path {
            let folder = workspace::absolute(&host.current_dir.join(path));
            listed.retain(|listed| is_below(listed, &folder));
        }
        match terminal.format {
            Format::Text => terminal.print(containers::text(&listed))?,
            Format::Json => terminal.print_json(&containers::json(&listed))?,
        }
        Ok(Outcome::Success)
    }
}
