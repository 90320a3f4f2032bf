//! A Feature's id → where the Feature comes from (specification, "Referencing a Feature").

use super::super::compose::join;
use super::FeatureError;
use crate::hint::nearest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// Where the published Features are that were once built into the tools.
const PUBLISHED: &str = "ghcr.io/devcontainers/features";

/// The ids of those that kept their names (reference implementation, its mapping of old ids).
const ONCE_BUILT_IN: &[&str] = &[
    "aws-cli",
    "azure-cli",
    "desktop-lite",
    "docker-in-docker",
    "docker-from-docker",
    "dotnet",
    "git",
    "git-lfs",
    "github-cli",
    "java",
    "kubectl-helm-minikube",
    "node",
    "powershell",
    "python",
    "ruby",
    "rust",
    "sshd",
    "terraform",
];

/// Those that were renamed.
const RENAMED: &[(&str, &str)] = &[("golang", "go"), ("common", "common-utils")];

/// Those that became an option of another: id, the other, its option.
pub(crate) const BECAME_OPTIONS: &[(&str, &str, &str)] = &[
    ("gradle", "java", "installGradle"),
    ("maven", "java", "installMaven"),
    ("jupyterlab", "python", "installJupyterlab"),
];

/// The published Feature that stands for an old id.
pub(crate) fn published(name: &str) -> String {
    format!("{PUBLISHED}/{name}:1")
}

/// Whether an id is that of the published Feature, of whatever version.
pub(crate) fn is_published(id: &str, name: &str) -> bool {
    let whole = format!("{PUBLISHED}/{name}");
    id == name || id == whole || id.starts_with(&format!("{whole}:"))
}

/// Where a Feature comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A folder beside devcontainer.json, by absolute path.
    Folder(String),
    /// An archive.
    Tarball {
        /// Its address.
        uri: String,
        /// The digest that it must have, by the lock file.
        integrity: Option<String>,
    },
    /// An artifact in an OCI registry.
    Registry {
        /// Its name.
        reference: Reference,
        /// The digest that its manifest must have, by the lock file.
        integrity: Option<String>,
    },
    /// A release on GitHub, the form of before registries: it may be named in an order, and not be installed.
    Release(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(name) | Self::Tarball { uri: name, .. } | Self::Release(name) => {
                f.write_str(name)
            }
            Self::Registry { reference, .. } => {
                let sign = if reference.digest.is_some() { '@' } else { ':' };
                write!(f, "{}{sign}{}", reference.resource, reference.version())
            }
        }
    }
}

/// The name of an artifact in a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    /// Host and port.
    pub(crate) registry: String,
    /// The registry and the repository's path, as they were written.
    pub(crate) resource: String,
    /// The repository's path of today.
    pub(crate) path: String,
    /// The tag, unless a digest is named.
    pub(crate) tag: Option<String>,
    /// The digest.
    pub(crate) digest: Option<String>,
}

impl Reference {
    /// Reads `registry/path[:tag|@digest]`; a Feature's name is the same in any case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let (resource, tag, digest) = match text.rsplit_once('@') {
            Some((resource, digest)) => {
                let hash = digest.strip_prefix("sha256:")?;
                if hash.contains(':') {
                    return None;
                }
                (resource, None, Some(digest.to_owned()))
            }
            None => match text.rsplit_once(':') {
                Some((resource, tag)) if !tag.contains('/') => (resource, Some(tag), None),
                _ => (text.as_str(), Some("latest"), None),
            },
        };
        if !tag.is_none_or(is_tag) {
            return None;
        }
        let (registry, path) = resource.split_once('/')?;
        let path = match path.strip_prefix("devcontainers-contrib/") {
            // The collection moved as a whole.
            Some(rest) => format!("devcontainers-extra/{rest}"),
            None => path.to_owned(),
        };
        (is_path(&path) && path.contains('/')).then(|| Self {
            registry: registry.to_owned(),
            resource: resource.to_owned(),
            path,
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// The last component.
    pub(crate) fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The registry and the path without its last component.
    pub(crate) fn collection(&self) -> String {
        format!("{}/{}", self.registry, self.namespace())
    }

    fn namespace(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(namespace, _)| namespace)
    }

    /// The digest, or else the tag.
    pub(crate) fn version(&self) -> &str {
        let version = self.digest.as_deref().or(self.tag.as_deref());
        version.unwrap_or("latest")
    }

    /// The form in which the reference prints it.
    pub(crate) fn as_json(&self) -> Value {
        // Of this very name the reference takes it that it speaks HTTP alone.
        let is_local = self.registry.split(':').next() == Some("localhost");
        let mut json = json!({
            "scheme": if is_local { "http" } else { "https" },
            "id": self.id(),
            "owner": self.path.split('/').next(),
            "namespace": self.namespace(),
            "registry": self.registry,
            "resource": self.resource,
            "path": self.path,
            "version": self.version(),
        });
        for (name, value) in [("tag", &self.tag), ("digest", &self.digest)] {
            if let Some(value) = value {
                json[name] = value.clone().into();
            }
        }
        json
    }
}

/// OCI distribution specification, "Pulling manifests": the form of a tag.
fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    tag.len() <= 128
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

/// OCI distribution specification, "Pulling manifests": the form of a repository's name.
fn is_path(path: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    path.split('/').all(|part| {
        let mut words = part.split(['.', '_', '-']);
        words.all(|word| !word.is_empty() && word.chars().all(is_plain))
    })
}

/// What the place of a configuration decides about its Features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The folder that holds devcontainer.json.
    pub(crate) config_folder: &'a str,
    /// The workspace folder.
    pub(crate) workspace_folder: &'a str,
    /// The digests of the lock file, by id or address.
    pub(crate) integrity: &'a BTreeMap<String, String>,
}

/// Where the Feature `id` comes from.
pub(crate) fn source(id: &str, place: Place<'_>) -> Result<Source, FeatureError> {
    let id = current(id);
    let integrity = |name: &str| place.integrity.get(name).cloned();
    if !id.contains(['/', '\\']) {
        let known = ONCE_BUILT_IN.iter().copied();
        return Err(FeatureError::Legacy {
            near: nearest(&id, known).map(published),
            id,
        });
    }
    if id.starts_with("https://") {
        return Ok(Source::Tarball {
            integrity: integrity(&id),
            uri: tarball(&id)?,
        });
    }
    if id.starts_with('/') {
        return Err(FeatureError::Absolute(id));
    }
    if id.starts_with("./") || id.starts_with("../") {
        let path = join(place.config_folder, &id);
        let root = join(place.workspace_folder, ".devcontainer");
        let is_below = path
            .strip_prefix(&root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        return if is_below {
            Ok(Source::Folder(path))
        } else {
            Err(FeatureError::Outside { id, root })
        };
    }
    match Reference::parse(&id) {
        // A registry is a host with a dot, or this machine.
        Some(reference)
            if reference.registry.contains('.') || reference.registry.starts_with("localhost") =>
        {
            Ok(Source::Registry {
                integrity: integrity(&id),
                reference,
            })
        }
        _ => release(&id),
    }
}

/// The id as it is written today.
fn current(id: &str) -> String {
    let renamed = RENAMED.iter().find(|(old, _)| *old == id);
    if let Some((_, new)) = renamed {
        return published(new);
    }
    if ONCE_BUILT_IN.contains(&id) {
        return published(id);
    }
    id.to_owned()
}

/// `owner/repository/id[@tag]`.
fn release(id: &str) -> Result<Source, FeatureError> {
    let mut halves = id.split('@');
    let name = halves.next().unwrap_or_default();
    let parts: Vec<&str> = name.split('/').collect();
    let is_id = parts.len() == 3 && parts.iter().all(|part| !part.is_empty()) && is_id(parts[2]);
    if is_id && halves.count() <= 1 {
        Ok(Source::Release(name.to_owned()))
    } else {
        Err(FeatureError::Malformed(id.to_owned()))
    }
}

fn is_id(id: &str) -> bool {
    let is_sign = |c: char| c == '-' || c == '_' || c.is_ascii_alphanumeric();
    !id.is_empty() && id.chars().all(is_sign)
}

/// The address of an archive, whose name must say the Feature's id (specification, "Directly referencing a tarball").
fn tarball(uri: &str) -> Result<String, FeatureError> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    match tarball_id(path) {
        Some(id) if is_id(id) => Ok(uri.to_owned()),
        _ => Err(FeatureError::TarballName(uri.to_owned())),
    }
}

/// The id that an archive's name says.
pub(crate) fn tarball_id(uri: &str) -> Option<&str> {
    let path = uri.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let (_, rest) = name.split_once("devcontainer-feature-")?;
    // The reference looks for the pattern anywhere in the name, with any sign for the dot.
    let end = rest.rfind("tgz")?;
    let sign = rest[..end].chars().next_back()?;
    Some(&rest[..end - sign.len_utf8()])
}
