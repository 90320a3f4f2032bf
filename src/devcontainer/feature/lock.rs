//! The lock file beside devcontainer.json (specification, "devcontainer-lock.json").

use serde_json::Value;
use std::collections::BTreeMap;

/// A lock file that is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}` is no JSON: {reason}")]
pub(crate) struct LockError {
    /// The file.
    pub(crate) file: String,
    reason: String,
}

/// The name of the lock file of a configuration that is called `config`.
pub(crate) fn name(config: &str) -> &'static str {
    if config.starts_with('.') {
        ".devcontainer-lock.json"
    } else {
        "devcontainer-lock.json"
    }
}

/// The digests that Features must have, by id or address; an empty file has none yet.
pub(crate) fn integrity(file: &str, text: &str) -> Result<BTreeMap<String, String>, LockError> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let lock: Value = serde_json::from_str(text).map_err(|error| LockError {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    let features = lock.get("features").and_then(Value::as_object);
    let digests = features.into_iter().flatten().filter_map(|(id, feature)| {
        let digest = feature.get("integrity")?.as_str()?;
        Some((id.clone(), digest.to_owned()))
    });
    Ok(digests.collect())
}
