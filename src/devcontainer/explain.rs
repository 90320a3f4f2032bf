//! Where a value comes from, and what it went over.

use super::configuration::Configuration;
use super::merge::{Together, merged_property};
use super::metadata::{Entry, Origin};
use super::properties::{DEFAULTS, PROPERTIES};
use crate::hint::{Hint, enumerate, nearest};
use crate::jsonc::Places;
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
    let whole = merged.map_or(&configuration.config, |(config, _)| config);
    let (name, inner) = halves(key, whole);
    let rule = merged_property(name);
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
    let is_in_list = rule.is_some_and(|rule| rule.together == Together::All && !inner.is_empty());
    let value = match whole.get(name_now).and_then(inside) {
        // What each says is listed, so that nothing lies at a path into the list.
        None if is_in_list && !said.is_empty() => {
            Some(said.iter().map(|said| said.value.clone()).collect())
        }
        None => configuration.workspace.get(name).and_then(inside),
        value => value,
    };
    let is_one = rule.is_some_and(|rule| match rule.together {
        Together::Last => true,
        Together::LastOfKey => !inner.is_empty(),
        Together::All => false,
    });
    if is_one {
        override_all_but_last(&mut said, value.as_ref());
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

/// The name of a property, and the path into it; a property that is there may have dots itself.
fn halves<'a>(key: &'a str, whole: &Map<String, Value>) -> (&'a str, &'a str) {
    match key.split_once('.') {
        Some(halves) if !whole.contains_key(key) => halves,
        _ => (key, ""),
    }
}

/// Of those that say `value`, the last is right.
fn override_all_but_last(said: &mut [Said], value: Option<&Value>) {
    let right = said.iter().rposition(|said| Some(&said.value) == value);
    for (index, said) in said.iter_mut().enumerate() {
        said.is_overridden = Some(index) != right;
    }
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

/// The same of the places of a value.
fn place_within<'a>(places: &'a Places, path: &str) -> Option<&'a Places> {
    if let Some(found) = places.get(path) {
        return Some(found);
    }
    let mut dots = path.match_indices('.');
    dots.find_map(|(dot, _)| place_within(places.get(&path[..dot])?, &path[dot + 1..]))
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
            let outer = document.places.get(name);
            let inside = |places| place_within(places, inner);
            let found = outer.and_then(inside).or(outer);
            place = found.map(|places| places.place.clone());
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

#[cfg(test)]
mod tests {
    use super::super::configuration::{Surroundings, configure};
    use super::super::merge::merge;
    use super::super::variable::Environment;
    use super::super::workspace_folder::HostFolder;
    use super::*;
    use serde_json::json;

    /// What `text` says of `key`, on its own and then merged, with the text at each place.
    fn explained(text: &str, key: &str) -> [(Option<Value>, Vec<String>); 2] {
        let environment = Environment::new();
        let surroundings = Surroundings {
            folder: HostFolder {
                path: "/p",
                git_root: None,
            },
            config_file: "/p/.devcontainer.json",
            environment: &environment,
        };
        let configuration = configure(text, surroundings).unwrap();
        let entries = [Entry::of_file(&configuration.config)];
        let merged = merge(&configuration.config, &entries);
        [None, Some((&merged, &entries[..]))].map(|merged| {
            let explanation = explain(key, &configuration, merged).unwrap();
            let places = explanation.said.into_iter().filter_map(|said| said.place);
            let texts = places.map(|place| text[place].to_owned());
            (explanation.value, texts.collect())
        })
    }

    #[test]
    fn a_key_with_dots_is_found_with_its_place() {
        let text = r#"{ "a.b": 1, "remoteEnv": { "c.d/e": "2" } }"#;
        let one = (Some(json!(1)), vec!["1".to_owned()]);
        assert_eq!(explained(text, "a.b"), [one.clone(), one]);
        let two = (Some(json!("2")), vec!["\"2\"".to_owned()]);
        assert_eq!(explained(text, "remoteEnv.c.d/e"), [two.clone(), two]);
    }

    #[test]
    fn what_says_nothing_is_no_value() {
        let text = r#"{ "capAdd": [], "remoteUser": "" }"#;
        assert_eq!(explained(text, "capAdd")[1].0, None);
        assert_eq!(explained(text, "remoteUser")[1].0, None);
    }
}
