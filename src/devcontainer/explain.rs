//! Where a value comes from, and what it went over.

use super::configuration::Configuration;
use super::merge::{Together, merged_property};
use super::metadata::{Entry, Origin};
use super::properties::{DEFAULTS, PROPERTIES};
use crate::hint::{Hint, enumerate, nearest};
use serde_json::{Map, Value};
use std::ops::Range;

/// A property, what it comes to, and who said what of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Explanation {
    /// Its name in the form that is explained.
    pub(crate) key: String,
    /// Its value; `None` where nobody says anything.
    pub(crate) value: Option<Value>,
    /// Who says what, the first to be merged first.
    pub(crate) said: Vec<Said>,
    /// What holds where nobody says anything.
    pub(crate) default: Option<&'static str>,
}

/// What one of them says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    /// Who.
    pub(crate) origin: Origin,
    /// What, with its variables put in.
    pub(crate) value: Value,
    /// Where in devcontainer.json, in bytes.
    pub(crate) place: Option<Range<usize>>,
    /// What is written there, where that is not the value.
    pub(crate) written: Option<Value>,
    /// Whether another went over it.
    pub(crate) is_overridden: bool,
}

/// A property that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has no `{}`", .key.escape_debug())]
pub(crate) struct NoSuchProperty {
    key: String,
    near: Option<String>,
    known: String,
}

impl Hint for NoSuchProperty {
    fn hint(&self) -> Option<String> {
        let near = self.near.as_ref();
        let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        Some(format!("{near}there are {}", self.known))
    }
}

/// Explains `key`, a property or what is in it (`remoteEnv.PATH`), in the merged form if `merged` has it.
pub(crate) fn explain(
    key: &str,
    configuration: &Configuration<'_>,
    merged: Option<(&Map<String, Value>, &[Entry])>,
) -> Result<Explanation, NoSuchProperty> {
    let (name, inner) = key.split_once('.').unwrap_or((key, ""));
    let rule = merged_property(name);
    let whole = merged.map_or(&configuration.config, |(config, _)| config);
    let name_now = match (rule, merged) {
        (Some(rule), Some(_)) => rule.merged,
        (Some(rule), None) => rule.name,
        (None, _) => name,
    };
    if rule.is_none() && !whole.contains_key(name) && !PROPERTIES.contains(&name) {
        return Err(no_such(key, name, whole));
    }
    let inside = |value: &Value| match inner {
        "" => Some(value.clone()),
        inner => within(value, inner).cloned(),
    };
    let property = rule.map_or(name, |rule| rule.name);
    let mut said: Vec<Said> = match (rule, merged) {
        (Some(rule), Some((_, entries))) => entries
            .iter()
            .filter_map(|entry| {
                let value = inside(entry.properties.get(rule.name)?)?;
                Some((entry.origin.clone(), value))
            })
            .map(|(origin, value)| said(configuration, origin, value, (property, inner)))
            .collect(),
        _ => configuration
            .config
            .get(name)
            .and_then(inside)
            .map(|value| said(configuration, Origin::File, value, (property, inner)))
            .into_iter()
            .collect(),
    };
    let value = match whole.get(name_now).and_then(inside) {
        // What each says is listed, so that nothing lies at a path into the list.
        None if !said.is_empty() => Some(said.iter().map(|said| said.value.clone()).collect()),
        None => configuration.workspace.get(name).and_then(inside),
        value => value,
    };
    let is_one = rule.is_some_and(|rule| match rule.together {
        Together::Last => true,
        Together::LastOfKey => !inner.is_empty(),
        Together::All => false,
    });
    if is_one {
        let right = said
            .iter()
            .rposition(|said| Some(&said.value) == value.as_ref());
        for (index, said) in said.iter_mut().enumerate() {
            said.is_overridden = Some(index) != right;
        }
    }
    let default = DEFAULTS.iter().find(|(known, _)| *known == property);
    Ok(Explanation {
        key: format!("{name_now}{}", &key[name.len()..]),
        value,
        default: default
            .filter(|_| said.is_empty())
            .map(|(_, default)| *default),
        said,
    })
}

fn no_such(key: &str, name: &str, whole: &Map<String, Value>) -> NoSuchProperty {
    let keys = whole.keys().map(String::as_str);
    let known = keys.clone().chain(PROPERTIES.iter().copied());
    NoSuchProperty {
        key: key.to_owned(),
        near: nearest(name, known).map(str::to_owned),
        known: enumerate(keys),
    }
}

/// What lies at a path of keys with dots between them; a key may have dots itself.
fn within<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    let mut dots = path.match_indices('.');
    dots.find_map(|(dot, _)| within(value.get(&path[..dot])?, &path[dot + 1..]))
}

/// What an origin says, with its place in the file where it is that.
fn said(
    configuration: &Configuration<'_>,
    origin: Origin,
    value: Value,
    (property, inner): (&str, &str),
) -> Said {
    let document = &configuration.document;
    let mut place = None;
    let mut written = None;
    if origin == Origin::File {
        // A legacy property stands elsewhere than where it is read.
        let names = [property, "extensions", "settings", "devPort"];
        let legacy = if property == "customizations" { 4 } else { 1 };
        let found = names[..legacy]
            .iter()
            .find_map(|name| Some((*name, document.value.as_ref()?.get(name)?)));
        if let Some((name, whole)) = found {
            let pointer = format!("/{}", escaped(name));
            let inner_pointer = format!("{pointer}/{}", escaped(inner).replace('.', "/"));
            let places = &document.places;
            let at = places.get(&inner_pointer).or_else(|| places.get(&pointer));
            place = at.cloned();
            let raw = if inner.is_empty() {
                Some(whole)
            } else {
                within(whole, inner)
            };
            written = raw.filter(|raw| **raw != value).cloned();
        }
    }
    Said {
        origin,
        value,
        place,
        written,
        is_overridden: false,
    }
}

/// A key within a JSON pointer (RFC 6901, section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
