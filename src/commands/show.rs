//! `scaffold show`

use super::Outcome;
use crate::template::manifest::{OptionType, TemplateOption};
use crate::template::render::covers;
use crate::template::{Template, catalog};
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use serde_json::{Value, json};
use std::fmt::Write;

/// Show a template: its options and its files
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The template's id, as `scaffold list` shows it
    template: String,
}

impl Show {
    /// Prints the template.
    pub(crate) fn run(self, terminal: Terminal) -> anyhow::Result<Outcome> {
        let template = catalog::find(&self.template)?;
        match terminal.format {
            Format::Json => terminal.print_json(&as_json(&template))?,
            Format::Text => terminal.print(as_text(&template).trim_end())?,
        }
        Ok(Outcome::Success)
    }
}

fn as_text(template: &Template) -> String {
    let manifest = &template.manifest;
    let mut text = format!(
        "{} {}: {}\n{}\n\nOptions (--set OPTION=VALUE):\n",
        manifest.id, manifest.version, manifest.name, manifest.description
    );
    let width = manifest.options.keys().map(String::len).max();
    let width = width.unwrap_or_default();
    for (name, option) in &manifest.options {
        let _ = writeln!(text, "  {name:width$}  {}", option.description);
        let _ = writeln!(text, "  {:width$}  {}", "", values(option));
    }
    text.push_str("\nFiles:\n");
    for source in &template.files {
        let path = source.path.strip_suffix(".hbs").unwrap_or(&source.path);
        match condition(template, &source.path) {
            Some(words) => {
                let _ = writeln!(text, "  {path}  (if {words})");
            }
            None => {
                let _ = writeln!(text, "  {path}");
            }
        }
    }
    text
}

/// The values that an option takes, and its default.
fn values(option: &TemplateOption) -> String {
    let default = match option.default.to_string() {
        // A default that is made of other answers has no value yet.
        default if default.contains("{{") => made_of(&default),
        default => default,
    };
    let values = if option.kind == OptionType::Boolean {
        "true, false".to_owned()
    } else if !option.choices.is_empty() {
        option.choices.join(", ")
    } else if !option.proposals.is_empty() {
        format!("{} or another", option.proposals.join(", "))
    } else {
        "text".to_owned()
    };
    format!("{values} [default: {default}]")
}

/// `{{snake name}}` as words: `from name`.
fn made_of(default: &str) -> String {
    let inside = default.trim_start_matches('{').trim_end_matches('}');
    let option = inside.split_whitespace().next_back().unwrap_or(inside);
    format!("from {option}")
}

/// When the file is written, if not always.
fn condition(template: &Template, path: &str) -> Option<String> {
    let conditions = template.manifest.when.iter();
    let words: Vec<String> = conditions
        .filter(|(prefix, _)| covers(prefix, path))
        .map(|(_, condition)| condition.words())
        .collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

fn as_json(template: &Template) -> Value {
    let manifest = &template.manifest;
    let options = manifest.options.iter().map(|(name, option)| {
        json!({
            "name": name,
            "type": option.kind,
            "description": option.description,
            "enum": option.choices,
            "proposals": option.proposals,
            "default": option.default,
            "pattern": option.pattern,
        })
    });
    let files = template.files.iter().map(|source| {
        json!({
            "id": source.path,
            "executable": source.executable,
            "when": condition(template, &source.path),
        })
    });
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "template": {
            "id": manifest.id,
            "version": manifest.version,
            "name": manifest.name,
            "description": manifest.description,
            "options": options.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
        },
    })
}
