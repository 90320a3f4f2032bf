//! `scaffold stop`

use super::Outcome;
use super::target::Targets;
use crate::host::Host;
use crate::terminal::{Format, Terminal, containers};

/// Stop a dev container; what is in it stays
#[derive(Debug, clap::Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    targets: Targets,
    /// The seconds that its processes get to end by themselves
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i32).range(0..=3600))]
    time: Option<i32>,
}

impl Stop {
    /// Finds the containers and stops them.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let (engine, listed) = self.targets.find(host)?;
        let mut stopped = Vec::new();
        for container in listed {
            if container.is_running() {
                engine.stop(&container.id, self.time)?;
                terminal.say(format!("Stopped `{}`", container.name));
                stopped.push(container);
            } else {
                terminal.say(format!("`{}` does not run", container.name));
            }
        }
        if terminal.format == Format::Json {
            terminal.print_json(&containers::done("stopped", &stopped))?;
        }
        Ok(Outcome::Success)
    }
}
