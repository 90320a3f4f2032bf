//! Where a value comes from → text or JSON.

use super::report::SCHEMA_VERSION;
use super::source::Source;
use crate::devcontainer::explain::{Explanation, Said};
use crate::devcontainer::metadata::Origin;
use serde_json::{Value, json};
use std::fmt::Write;

/// The property and its value, and a line for each who says something, the one that is right first.
pub(crate) fn text(explanation: &Explanation, source: &Source<'_>) -> String {
    let Explanation {
        key,
        value,
        said,
        default,
    } = explanation;
    let mut text = match value {
        Some(value) => format!("{key} = {value}"),
        None => format!("{key} is not set"),
    };
    if let Some(default) = default {
        let _ = write!(text, "\n  nobody says it; the default is: {default}");
    } else if said.is_empty() && value.is_some() {
        text.push_str("\n  not in the file: it follows from its place");
    }
    if let [said] = said.as_slice() {
        let _ = write!(text, "\n  {}", from(said, source));
        return text;
    }
    for said in said.iter().rev().filter(|said| !said.is_overridden) {
        let _ = write!(text, "\n  {} {}", said.value, from(said, source));
    }
    for said in said.iter().rev().filter(|said| said.is_overridden) {
        let _ = write!(text, "\n  over {} {}", said.value, from(said, source));
    }
    text
}

/// Who says it, where, and how it is written.
fn from(said: &Said, source: &Source<'_>) -> String {
    let mut text = format!("from {}", origin(said, source));
    if let Some(written) = &said.written {
        let _ = write!(text, "\n  written as {written}");
    }
    text
}

fn origin(said: &Said, source: &Source<'_>) -> String {
    match &said.place {
        Some(place) => source.position(place.start),
        None => said.origin.to_string(),
    }
}

/// The whole as one JSON object.
pub(crate) fn json(explanation: &Explanation, source: &Source<'_>) -> Value {
    let said = explanation.said.iter().map(|said| {
        let (origin, name, entry) = match &said.origin {
            Origin::File => ("file", None, None),
            Origin::Image(name, entry) => ("image", Some(name), Some(entry)),
            Origin::Container(entry) => ("container", None, Some(entry)),
            Origin::Feature(id) => ("feature", Some(id), None),
        };
        let place = said.place.as_ref();
        json!({
            "origin": origin,
            "name": name,
            "entry": entry,
            "place": place.map(|place| source.position(place.start)),
            "value": said.value,
            "written": said.written,
            "overridden": said.is_overridden,
        })
    });
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "key": explanation.key,
        "value": explanation.value,
        "said": said.collect::<Vec<_>>(),
        "default": explanation.default,
    })
}
