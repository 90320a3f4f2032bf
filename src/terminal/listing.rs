//! Many dev containers → text or JSON.

use super::report::SCHEMA_VERSION;
use serde_json::{Map, Value, json};

/// A dev container that was read.
#[derive(Debug)]
pub(crate) struct Read {
    /// The path of its devcontainer.json.
    pub(crate) name: String,
    /// What it means, as it is printed when it is the only one; or its `error`.
    pub(crate) all: Map<String, Value>,
}

/// A line for each: its path, and what it is made of.
pub(crate) fn text(read: &[Read]) -> String {
    let width = read.iter().map(|one| one.name.chars().count()).max();
    let width = width.unwrap_or_default();
    let lines = read.iter().map(|one| {
        let made = one
            .all
            .get("configuration")
            .map_or("unreadable".to_owned(), made_of);
        format!("{:<width$}  {made}", one.name)
    });
    let mut lines: Vec<String> = lines.collect();
    lines.push(match read.len() {
        1 => "1 dev container".to_owned(),
        count => format!("{count} dev containers"),
    });
    lines.join("\n")
}

/// What a container is made of.
fn made_of(configuration: &Value) -> String {
    let text = |pointer| configuration.pointer(pointer).and_then(Value::as_str);
    if let Some(file) = text("/dockerFile").or_else(|| text("/build/dockerfile")) {
        return format!("Dockerfile {file}");
    }
    if configuration.get("dockerComposeFile").is_some() {
        return format!("Compose service {}", text("/service").unwrap_or("?"));
    }
    match text("/image") {
        Some(image) => format!("image {image}"),
        None => "nothing to start from".to_owned(),
    }
}

/// The whole as one JSON object.
pub(crate) fn json(read: Vec<Read>) -> Value {
    let read = read.into_iter().map(|Read { name, mut all }| {
        all.insert("path".to_owned(), name.into());
        Value::Object(all)
    });
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "devContainers": read.collect::<Vec<_>>(),
    })
}
