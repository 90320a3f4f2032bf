//! Many entries → one configuration, explained.

use super::grammar::{Values, below, one, some};
use crate::devcontainer::configuration::{Surroundings, configure};
use crate::devcontainer::explain::explain;
use crate::devcontainer::merge::{Together, merge, merged_property};
use crate::devcontainer::metadata::{Entry, LABEL, Origin, of_label};
use crate::devcontainer::variable::Environment;
use crate::devcontainer::workspace_folder::HostFolder;
use crate::jsonc;
use bolero::{Driver, ValueGenerator, check};
use serde_json::{Map, Value};

/// The properties that are merged, and some others.
const PROPERTIES: &[&str] = &[
    "init",
    "privileged",
    "capAdd",
    "securityOpt",
    "entrypoint",
    "mounts",
    "customizations",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
    "waitFor",
    "remoteUser",
    "containerUser",
    "userEnvProbe",
    "remoteEnv",
    "containerEnv",
    "overrideCommand",
    "portsAttributes",
    "otherPortsAttributes",
    "forwardPorts",
    "shutdownAction",
    "updateRemoteUserUID",
    "hostRequirements",
    "entrypoints",
    "onCreateCommands",
    "name",
    "extensions",
    "settings",
];

/// Those that the merged form always has.
const ALWAYS: [&str; 10] = [
    "init",
    "privileged",
    "onCreateCommands",
    "updateContentCommands",
    "postCreateCommands",
    "postStartCommands",
    "postAttachCommands",
    "remoteEnv",
    "containerEnv",
    "portsAttributes",
];

const VALUES: Values = Values {
    keys: &[
        "target",
        "source",
        "type",
        "cpus",
        "memory",
        "storage",
        "gpu",
        "cores",
        "vscode",
        "extensions",
        "settings",
        "PATH",
        "a.b",
        "3000",
        "",
    ],
    texts: &[
        "type=volume,target=/a",
        "source=x,dst=/a",
        "destination=/b",
        "target",
        "/a",
        "localhost:3000",
        "localhost:99999999999",
        "3000",
        "8gb",
        "1024tb",
        "12",
        "0kb",
        "optional",
        "99999999999999999999gb",
        "NaN",
        "inf",
        "1e400",
        "SYS_PTRACE",
        "root",
        "${localEnv:HOME}",
    ],
};

/// The objects that entries are.
#[derive(Debug, Clone, Copy)]
struct Entries;

impl ValueGenerator for Entries {
    type Output = Vec<Map<String, Value>>;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Self::Output> {
        some(driver, 4, |driver| {
            let properties = some(driver, 8, |driver| {
                let property = one(driver, PROPERTIES)?;
                let value = match below(driver, 4)? {
                    // What is in a list is what most rules look at.
                    0 => some(driver, 4, |driver| VALUES.generate(driver))?.into(),
                    _ => VALUES.generate(driver)?,
                };
                Some((property.to_owned(), value))
            })?;
            Some(properties.into_iter().collect())
        })
    }
}

#[test]
fn any_entries_are_merged_and_every_key_is_explained() {
    check!()
        .with_generator(Entries)
        .with_iterations(400)
        .for_each(|entries| {
            let text = Value::from(entries.last().cloned().unwrap_or_default()).to_string();
            let environment = Environment::new();
            let folder = HostFolder {
                path: "/home/me/demo",
                git_root: None,
            };
            let surroundings = Surroundings {
                folder,
                config_file: "/devcontainer.json",
                environment: &environment,
            };
            let Ok(configuration) = configure(&text, surroundings) else {
                return;
            };
            let mut all = of_image(entries);
            all.push(Entry::of_file(&configuration.config));
            let merged = merge(&configuration.config, &all);
            for key in ALWAYS {
                assert!(merged.contains_key(key), "{key}");
            }
            for key in merged
                .keys()
                .map(String::as_str)
                .chain(PROPERTIES.iter().copied())
            {
                is_explained(key, (&configuration, &merged, &all));
            }
        });
}

/// What the entries say as the label of an image.
fn of_image(entries: &[Map<String, Value>]) -> Vec<Entry> {
    let text = Value::from(entries.iter().cloned().map(Value::from).collect::<Vec<_>>());
    let text = text.to_string();
    let read = of_label(&text, |entry| Origin::Image(LABEL.to_owned(), entry));
    let read = read.expect("a list of objects is a label");
    assert!(read.iter().map(|entry| &entry.properties).eq(entries));
    read
}

fn is_explained(
    key: &str,
    (configuration, merged, all): (
        &crate::devcontainer::configuration::Configuration<'_>,
        &Map<String, Value>,
        &[Entry],
    ),
) {
    let explanation = explain(key, configuration, Some((merged, all)));
    let explanation = explanation.expect("what is there can be explained");
    assert_eq!(
        explanation.value.as_ref(),
        merged.get(&explanation.key),
        "{key}"
    );
    let Some(property) = merged_property(key) else {
        return;
    };
    assert_ne!(merged.get(property.merged), Some(&Value::Null), "{key}");
    if property.together == Together::Last {
        let stands = explanation.said.iter().filter(|said| !said.is_overridden);
        let is_said = explanation.value.is_some();
        assert_eq!(stands.count(), usize::from(is_said), "{key}");
    }
}

/// Those of which it does not matter how often they are said: neither a list of what each says, nor
/// what is computed.
const SETTLED: &[&str] = &[
    "init",
    "privileged",
    "mounts",
    "waitFor",
    "remoteUser",
    "containerUser",
    "userEnvProbe",
    "remoteEnv",
    "containerEnv",
    "overrideCommand",
    "portsAttributes",
    "otherPortsAttributes",
    "shutdownAction",
    "updateRemoteUserUID",
];

/// Those of which it does not matter either, unless an object or array is among their members.
const SETS: &[&str] = &["capAdd", "securityOpt", "forwardPorts"];

#[test]
fn what_is_said_twice_counts_once() {
    check!()
        .with_generator(VALUES)
        .with_iterations(1000)
        .for_each(|value| {
            let is_plain = |value: &Value| !value.is_array() && !value.is_object();
            let has_plain = match value {
                Value::Array(members) => members.iter().all(is_plain),
                other => is_plain(other),
            };
            let sets = SETS.iter().filter(|_| has_plain);
            let properties = SETTLED.iter().chain(sets);
            let properties = properties.map(|property| ((*property).to_owned(), value.clone()));
            let entry = Entry {
                origin: Origin::File,
                properties: properties.collect(),
            };
            let twice = [entry.clone(), entry];
            let once = merge(&Map::new(), &twice[..1]);
            assert_eq!(once, merge(&Map::new(), &twice));
        });
}

#[test]
fn any_label_is_read_or_refused() {
    let tokens = &[
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "null", "1e999", "[[[[[[[[", "\\u",
    ];
    check!()
        .with_generator(super::grammar::Tokens(tokens))
        .with_iterations(1000)
        .for_each(|text| {
            let Ok(entries) = of_label(text, Origin::Container) else {
                return;
            };
            let value = jsonc::parse(text).value;
            let members = value.as_ref().and_then(Value::as_array).map_or(1, Vec::len);
            assert!(entries.len() <= members);
        });
}
