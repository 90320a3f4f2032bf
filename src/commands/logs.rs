//! `scaffold logs`

use super::Outcome;
use super::target::Target;
use crate::engine::container::{LogPlan, Until};
use crate::host::Host;
use crate::terminal::{Format, Terminal};
use serde_json::json;
use std::ops::ControlFlow;

/// Show what the first process of a dev container printed
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    target: Target,
    /// Go on until the container ends
    #[arg(long, short)]
    follow: bool,
    /// Only so many of the last lines
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
}

impl Logs {
    /// Finds the container and hands on what it printed.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let (engine, container) = self.target.one(host)?;
        let plan = LogPlan {
            tail: self.tail,
            until: if self.follow {
                Until::TheEnd
            } else {
                Until::Now
            },
        };
        let mut whole = String::new();
        let mut fault = None;
        engine.logs(&container.id, &plan, &mut |stream, bytes| {
            if terminal.format == Format::Json {
                whole.push_str(&String::from_utf8_lossy(bytes));
                return ControlFlow::Continue(());
            }
            match terminal.pass(stream, bytes) {
                Ok(flow) => flow,
                Err(error) => {
                    fault = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = fault {
            return Err(error.into());
        }
        if terminal.format == Format::Json {
            terminal.print_json(&json!({
                "schemaVersion": crate::terminal::report::SCHEMA_VERSION,
                "containerId": container.id,
                "log": whole,
            }))?;
        }
        Ok(Outcome::Success)
    }
}
