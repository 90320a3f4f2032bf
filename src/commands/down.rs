//! `scaffold down`

use super::Outcome;
use super::inside::forget;
use super::target::Targets;
use crate::engine::container::{Listed, Removal, Volumes};
use crate::engine::{Engine, EngineError};
use crate::host::Host;
use crate::terminal::{Format, Terminal, containers};

/// Stop a dev container and remove it; its image and its volumes with a name stay
#[derive(Debug, clap::Args)]
pub(crate) struct Down {
    #[command(flatten)]
    targets: Targets,
    /// Remove the volumes too that no other container uses
    #[arg(long)]
    volumes: bool,
}

impl Down {
    /// Finds the containers and removes them.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let (engine, listed) = self.targets.find(host)?;
        for container in &listed {
            self.remove(terminal, &engine, container)?;
            forget(host, &container.id);
        }
        if terminal.format == Format::Json {
            terminal.print_json(&containers::done("removed", &listed))?;
        }
        Ok(Outcome::Success)
    }

    fn remove(
        &self,
        terminal: Terminal,
        engine: &Engine,
        container: &Listed,
    ) -> Result<(), EngineError> {
        let (named, unnamed) = if self.volumes {
            (engine.volumes_of(&container.id)?, Volumes::Remove)
        } else {
            (Vec::new(), Volumes::Keep)
        };
        if container.is_running() {
            // A database gets the time to write what it knows.
            engine.stop(&container.id, None)?;
        }
        engine.remove(&container.id, unnamed)?;
        terminal.say(format!("Removed `{}`", container.name));
        for volume in named {
            let left = "which another container uses";
            terminal.say(match engine.remove_volume(&volume)? {
                Removal::Done => format!("Removed the volume `{volume}`"),
                Removal::InUse => format!("Left the volume `{volume}`, {left}"),
            });
        }
        Ok(())
    }
}
