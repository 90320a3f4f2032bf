//! Features that depend on each other, and the order in which they are installed.

use super::grammar::{below, one, some};
use crate::devcontainer::feature::source::{Place, Source, source};
use crate::devcontainer::feature::{
    FeatureError, FeatureSet, Fetched, File, Resolved, Wanted, resolve,
};
use bolero::{Driver, ValueGenerator, check};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Features, some of them under several names.
const IDS: [&str; 14] = [
    "./a",
    "./b",
    "./c",
    "./d/../c",
    "./é",
    "ghcr.io/x/y/a:1",
    "ghcr.io/x/y/a:2",
    "ghcr.io/x/y/b",
    "GHCR.io/x/y/b:latest",
    "ghcr.io/x/z/old",
    "ghcr.io/x/y/b@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    "https://x/devcontainer-feature-a.tgz",
    "https://x/devcontainer-feature-b.tgz",
    "x/y/a",
];

/// What a configuration asks for, and what each Feature says.
#[derive(Debug, Clone, Copy)]
struct Cases;

#[derive(Debug)]
struct Case {
    config: Map<String, Value>,
    said: Vec<Value>,
}

impl ValueGenerator for Cases {
    type Output = Case;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Case> {
        let order = some(driver, 4, |driver| one(driver, &IDS))?;
        let config = json!({
            "features": asked(driver, 10)?,
            "overrideFeatureInstallOrder": order,
        });
        let said = IDS.iter().map(|_| says(driver));
        Some(Case {
            config: config.as_object()?.clone(),
            said: said.collect::<Option<_>>()?,
        })
    }
}

/// Features with options.
fn asked(driver: &mut impl Driver, most: usize) -> Option<Map<String, Value>> {
    let options = [
        json!({}),
        json!("1"),
        json!(true),
        json!({ "v": "1" }),
        json!({ "v": "2" }),
        json!({ "v": true, "w": "" }),
        json!(null),
        json!(["1"]),
        json!(7),
    ];
    let pairs = some(driver, most, |driver| {
        let id = one(driver, &IDS)?;
        Some((
            id.to_owned(),
            options[below(driver, options.len())?].clone(),
        ))
    })?;
    Some(pairs.into_iter().collect())
}

/// What a Feature says of itself.
fn says(driver: &mut impl Driver) -> Option<Value> {
    let mut said = json!({ "id": one(driver, &["a", "b", "c"])? });
    if below(driver, 3)? > 0 {
        said["dependsOn"] = asked(driver, 3)?.into();
    }
    if below(driver, 3)? > 0 {
        said["installsAfter"] = some(driver, 3, |driver| one(driver, &IDS))?.into();
    }
    if below(driver, 4)? == 0 {
        said["legacyIds"] = some(driver, 2, |driver| one(driver, &["a", "b", "old"]))?.into();
    }
    if below(driver, 16)? == 0 {
        said["dependsOn"] = one(driver, &["x", ""])?.into();
    }
    Some(said)
}

#[test]
fn features_come_after_what_they_depend_on_and_once() {
    check!()
        .with_generator(Cases)
        .with_iterations(400)
        .for_each(|case| {
            let integrity = BTreeMap::new();
            let place = Place {
                config_folder: "/p/.devcontainer",
                workspace_folder: "/p",
                integrity: &integrity,
            };
            match resolved(case, place) {
                Ok(sets) => is_in_order(&sets, place),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        });
}

/// Tells what is wanted until nothing is.
fn resolved(case: &Case, place: Place<'_>) -> Result<Vec<FeatureSet>, FeatureError> {
    let mut known = BTreeMap::new();
    for _ in 0..=2 * IDS.len() {
        let wanted = match resolve(&case.config, place, &known)? {
            Resolved::Order(sets) => return Ok(sets),
            Resolved::Missing(wanted) => wanted,
        };
        for Wanted { source: of, .. } in wanted {
            let is_it = |id: &&str| source(id, place).as_ref() == Ok(&of);
            let index = IDS.iter().position(is_it).expect("it is one of these");
            known.insert(of.clone(), fetched(&of, &case.said[index]));
        }
    }
    panic!("it wants more than there is");
}

fn fetched(of: &Source, said: &Value) -> Fetched {
    let is_artifact = matches!(of, Source::Registry { .. });
    let manifest = json!({ "config": { "mediaType": "application/vnd.devcontainers" } });
    Fetched {
        manifest: is_artifact.then_some(manifest),
        digest: is_artifact.then(|| of.to_string()),
        file: Some(File::Feature(said.to_string())),
    }
}

/// What tells one Feature from another: where it comes from, and its options, as members if they are several.
fn identity(source: &Source, options: &Value) -> String {
    let members = match options {
        Value::Null => json!({}),
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values
                .map(|(index, value)| (index.to_string(), value.clone()))
                .collect::<Map<_, _>>()
                .into()
        }
        other => other.clone(),
    };
    format!("{source} {members}")
}

fn is_in_order(sets: &[FeatureSet], place: Place<'_>) {
    let of = |id: &str| source(id, place).expect("it was found before");
    let mut there: Vec<String> = Vec::new();
    for set in sets {
        let depends_on = set.feature.get("dependsOn").and_then(Value::as_object);
        for (id, options) in depends_on.into_iter().flatten() {
            let needed = identity(&of(id), options);
            assert!(
                there.contains(&needed),
                "{} needs {needed} after {there:?}",
                set.id
            );
        }
        let own = identity(&of(&set.id), &set.feature["value"]);
        assert!(!there.contains(&own), "{own} is there twice");
        there.push(own);
        assert!(set.as_json().is_object());
    }
}
