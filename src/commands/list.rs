//! `scaffold list`

use super::Outcome;
use crate::template::catalog;
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use serde_json::json;

/// List the templates
#[derive(Debug, clap::Args)]
pub(crate) struct List {}

impl List {
    /// Prints one line a template.
    pub(crate) fn run(terminal: Terminal) -> anyhow::Result<Outcome> {
        let mut templates = Vec::new();
        for id in catalog::ids() {
            templates.push(catalog::find(id)?.manifest);
        }
        match terminal.format {
            Format::Json => {
                let templates = templates.iter().map(|manifest| {
                    json!({
                        "id": manifest.id,
                        "version": manifest.version,
                        "name": manifest.name,
                        "description": manifest.description,
                    })
                });
                let templates: Vec<_> = templates.collect();
                terminal.print_json(&json!({
                    "schemaVersion": SCHEMA_VERSION,
                    "templates": templates,
                }))?;
            }
            Format::Text => {
                let widest = templates.iter().map(|manifest| manifest.id.len()).max();
                let width = widest.unwrap_or_default();
                let lines = templates
                    .iter()
                    .map(|manifest| format!("{:width$}  {}", manifest.id, manifest.description));
                terminal.print(lines.collect::<Vec<_>>().join("\n"))?;
            }
        }
        Ok(Outcome::Success)
    }
}
