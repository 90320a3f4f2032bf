//! What `new` came to → text or JSON.

use super::Terminal;
use super::report::SCHEMA_VERSION;
use crate::hint::shown;
use crate::template::Template;
use crate::template::answers::Answers;
use crate::template::change::{Action, Change};
use crate::template::sink::Sink;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// A project that was written, or would be.
#[derive(Debug)]
pub(crate) struct Made<'a> {
    /// What it was made from.
    pub(crate) template: &'a Template,
    /// With these answers.
    pub(crate) answers: &'a Answers,
    /// What happens to each path.
    pub(crate) changes: &'a [Change],
    /// Where it lies.
    pub(crate) folder: &'a Path,
    /// The same, as the person would name it.
    pub(crate) named: &'a Path,
}

impl Made<'_> {
    /// The plan: what happens to each path, its size in bytes and why.
    pub(crate) fn plan(&self) -> String {
        let widest = self.changes.iter().map(|change| change.path.as_str().len());
        let width = widest.max().unwrap_or_default() + 1;
        let mut text = String::new();
        let mut total = 0;
        for change in self.changes {
            let Change {
                path,
                action,
                bytes,
                executable,
                reason,
            } = change;
            total += bytes;
            let mark = if *executable { "*" } else { "" };
            let path = format!("{path}{mark}");
            let _ = writeln!(text, "{action:<7}  {bytes:>7}  {path:<width$}  {reason}");
        }
        let (count, folder) = (self.changes.len(), shown(self.named));
        let _ = write!(text, "{count} files, {total} bytes, in `{folder}`");
        text
    }

    /// The whole as one JSON object; `outcome` is `planned` or `written`.
    pub(crate) fn as_json(&self, outcome: &str) -> Value {
        let answers = self.answers.iter().map(|(name, value, origin)| {
            json!({ "name": name, "value": value, "origin": origin.to_string().replace('`', "") })
        });
        let manifest = &self.template.manifest;
        json!({
            "schemaVersion": SCHEMA_VERSION,
            "outcome": outcome,
            "folder": self.folder.to_string_lossy(),
            "template": { "id": manifest.id, "version": manifest.version },
            "answers": answers.collect::<Vec<_>>(),
            "files": self.changes,
        })
    }

    /// One line on what was made and where, and the next step.
    pub(crate) fn say(&self, terminal: Terminal) {
        let folder = shown(self.named);
        let of = |action| {
            let changes = self.changes.iter();
            changes.filter(move |change| change.action == action)
        };
        let count = of(Action::Create).count() + of(Action::Replace).count();
        if count == 0 {
            terminal.say(format!("`{folder}` is up to date"));
            return;
        }
        for change in of(Action::Replace) {
            terminal.say(format!("Replaced `{}`", change.path));
        }
        let id = &self.template.manifest.id;
        let verb = if of(Action::Create).count() == 0 {
            "Updated"
        } else {
            "Created"
        };
        let files = if count == 1 { "file" } else { "files" };
        terminal.say(format!(
            "{verb} `{folder}` from template `{id}`: {count} {files}"
        ));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let word = if folder.chars().all(is_plain) {
            folder
        } else {
            Sink::Shell.escape(&folder).unwrap_or(folder)
        };
        terminal.say(format!(
            "Open it in VS Code (`code {word}`) and choose “Reopen in Container”"
        ));
    }
}
