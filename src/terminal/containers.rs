//! Containers → text or JSON.

use super::report::SCHEMA_VERSION;
use crate::devcontainer::configuration::{CONFIG_FILE, LOCAL_FOLDER};
use crate::engine::container::Listed;
use crate::hint::shown;
use serde_json::{Value, json};
use std::path::Path;

/// A table: name, state, image, folder and the configuration in it.
pub(crate) fn text(listed: &[Listed]) -> String {
    let heads = ["NAME", "STATE", "IMAGE", "FOLDER"].map(str::to_owned);
    let rows = listed.iter().map(|one| {
        [
            one.name.clone(),
            one.status.clone(),
            one.image.clone(),
            place(one),
        ]
    });
    let rows: Vec<[String; 4]> = std::iter::once(heads).chain(rows).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (name, state, image) = (width(0), width(1), width(2));
    let lines = rows
        .iter()
        .map(|[n, s, i, folder]| format!("{n:<name$}  {s:<state$}  {i:<image$}  {folder}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The folder, with the configuration where it is not the usual one.
fn place(one: &Listed) -> String {
    let label = |name| one.labels.get(name).map(String::as_str);
    let folder = label(LOCAL_FOLDER).unwrap_or_default();
    let config = label(CONFIG_FILE).and_then(|config| config.strip_prefix(folder));
    let usual = ["/.devcontainer/devcontainer.json", "/.devcontainer.json"];
    let config = config.filter(|config| !usual.contains(config));
    let named = config.map_or(String::new(), |config| {
        format!(" ({})", config.trim_start_matches('/'))
    });
    shown(Path::new(&format!("{folder}{named}")))
}

/// The whole as one JSON object.
pub(crate) fn json(listed: &[Listed]) -> Value {
    let all: Vec<Value> = listed.iter().map(one).collect();
    json!({ "schemaVersion": SCHEMA_VERSION, "containers": all })
}

/// What was done to which containers.
pub(crate) fn done(outcome: &str, listed: &[Listed]) -> Value {
    let all: Vec<Value> = listed.iter().map(one).collect();
    json!({ "schemaVersion": SCHEMA_VERSION, "outcome": outcome, "containers": all })
}

fn one(one: &Listed) -> Value {
    json!({
        "containerId": one.id,
        "name": one.name,
        "image": one.image,
        "state": one.state,
        "localFolder": one.labels.get(LOCAL_FOLDER),
        "configFile": one.labels.get(CONFIG_FILE),
    })
}
