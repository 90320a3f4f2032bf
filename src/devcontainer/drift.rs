//! What a container was made of, so that a later change of its configuration is noticed.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The label of a container that holds it.
pub(crate) const LABEL: &str = "dev.scaffold.configuration";

/// The label of a container that is made for one command: the id of that.
pub(crate) const RUN: &str = "dev.scaffold.run";

/// The properties that a container which is there follows without being made anew.
const FOLLOWED: &[&str] = &[
    "$schema",
    "configFilePath",
    "customizations",
    "forwardPorts",
    "initializeCommand",
    "name",
    "otherPortsAttributes",
    "portsAttributes",
    "remoteEnv",
    "remoteUser",
    "shutdownAction",
    "userEnvProbe",
];

/// The bytes of a hash that are kept: enough to tell two values of one person's file apart.
const KEPT: usize = 6;

/// A hash of each property's value, and of the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(BTreeMap<String, String>);

impl Fingerprint {
    /// That of a configuration and of the text of its Dockerfile.
    pub(crate) fn of(config: &Map<String, Value>, dockerfile: Option<&str>) -> Self {
        let properties = config
            .iter()
            .filter(|(name, _)| !FOLLOWED.contains(&name.as_str()));
        let properties = properties.map(|(name, value)| (name.clone(), hash(&value.to_string())));
        let file = dockerfile.map(|text| ("Dockerfile".to_owned(), hash(text)));
        Self(properties.chain(file).collect())
    }

    /// The names of what is not as it was when `then` was printed; none where that cannot be read.
    pub(crate) fn changed_since(&self, then: &str) -> Vec<String> {
        let Ok(then) = serde_json::from_str::<BTreeMap<String, String>>(then) else {
            return Vec::new();
        };
        let names = self
            .0
            .keys()
            .chain(then.keys().filter(|name| !self.0.contains_key(*name)));
        names
            .filter(|name| self.0.get(*name) != then.get(*name))
            .cloned()
            .collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&self.0).unwrap_or_default())
    }
}

fn hash(text: &str) -> String {
    let mut hash = String::new();
    for byte in &Sha256::digest(text)[..KEPT] {
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_is_named() {
        let print =
            |config: Value, dockerfile| Fingerprint::of(config.as_object().unwrap(), dockerfile);
        let then = print(
            json!({ "image": "a", "name": "x", "init": true }),
            Some("FROM a"),
        );
        let now = print(
            json!({ "image": "b", "name": "y", "mounts": [] }),
            Some("FROM b"),
        );
        let changed = now.changed_since(&then.to_string());
        assert_eq!(changed, ["Dockerfile", "image", "mounts", "init"]);
        assert_eq!(then.changed_since(&then.to_string()), Vec::<String>::new());
        assert_eq!(now.changed_since("no json"), Vec::<String>::new());
    }
}
