//! Features: which a configuration asks for, what they say, and in which order they are installed
//! (specification, "Dev Container Features").
//!
//! [`resolve`] names what it does not know yet, is told, and is asked again, until it knows all.

pub(crate) mod archive;
mod collation;
mod graph;
pub(crate) mod lock;
pub(crate) mod source;

use super::legacy;
use super::script::{as_list, as_members, is_given};
use crate::hint::{Hint, enumerate};
use crate::jsonc;
use graph::Node;
use serde_json::{Map, Value, json};
use source::{BECAME_OPTIONS, Place, Source, is_published, published};
use std::collections::BTreeMap;

/// The file that says what a Feature is.
pub(crate) const METADATA_FILE: &str = "devcontainer-feature.json";

/// The file of the first Features, for many in one archive.
pub(crate) const COLLECTION_FILE: &str = "devcontainer-features.json";

/// The annotation of an artifact's manifest that holds the same.
const METADATA_ANNOTATION: &str = "dev.containers.metadata";

/// What was read of a Feature.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fetched {
    /// The manifest of an artifact.
    pub(crate) manifest: Option<Value>,
    /// The digest of the manifest, or of the archive.
    pub(crate) digest: Option<String>,
    /// The file that says what the Feature is, where it was read.
    pub(crate) file: Option<File>,
}

/// A file that says what a Feature is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum File {
    /// The text of [`METADATA_FILE`], of this Feature alone.
    Feature(String),
    /// The text of [`COLLECTION_FILE`], the old form, of several Features.
    Collection(String),
}

impl Fetched {
    /// What the manifest alone says of the Feature.
    pub(crate) fn annotation(&self) -> Option<&str> {
        let annotations = self.manifest.as_ref()?.get("annotations")?;
        annotations.get(METADATA_ANNOTATION)?.as_str()
    }

    /// What the Feature says, the manifest's word before the file's.
    fn metadata(&self) -> Option<Value> {
        let file = match &self.file {
            Some(File::Feature(text)) => Some(text.as_str()),
            Some(File::Collection(_)) | None => None,
        };
        jsonc::parse(self.annotation().or(file)?).value
    }
}

/// A Feature that has to be read, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    /// Where it comes from.
    pub(crate) source: Source,
    /// Whether the manifest is enough, as it is where a Feature is only named in an order.
    pub(crate) part: Part,
}

/// How much of a Feature is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// What says its names.
    Names,
    /// Its file too.
    Whole,
}

/// Features in the order in which they are installed, or what has to be read first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resolved {
    /// They.
    Order(Vec<FeatureSet>),
    /// These.
    Missing(Vec<Wanted>),
}

/// A Feature to install: the reference's word for one Feature and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureSet {
    /// The id as it was written.
    pub(crate) id: String,
    /// What the Feature says, with `id`, `value` (its options) and the like.
    pub(crate) feature: Map<String, Value>,
    source: Source,
    fetched: Fetched,
}

/// What is wrong with a Feature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FeatureError {
    /// An id without a slash.
    #[error("`{}` is the name of no Feature", .id.escape_debug())]
    Legacy {
        /// The id.
        id: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// An id that says no place at all.
    #[error("`{}` is no Feature's name", .0.escape_debug())]
    Malformed(String),
    /// A Feature that was released on GitHub, before there were registries.
    #[error("`{}` names a release on GitHub, where Features are no longer looked up", .0.escape_debug())]
    Release(String),
    /// An absolute path.
    #[error("the Feature `{}` is an absolute path", .0.escape_debug())]
    Absolute(String),
    /// A path that leads out.
    #[error("the Feature `{}` lies outside `{}`", .id.escape_debug(), .root.escape_debug())]
    Outside {
        /// The id.
        id: String,
        /// The folder that it must lie in.
        root: String,
    },
    /// An archive whose name says no Feature.
    #[error("`{}` is not named like a Feature's archive", .0.escape_debug())]
    TarballName(String),
    /// An artifact that is something else.
    #[error("`{}` is no Feature", .0.escape_debug())]
    NoFeature(String),
    /// A Feature without a name.
    #[error("the Feature `{}` has no `id` in its {METADATA_FILE}", .0.escape_debug())]
    NoId(String),
    /// A property of the wrong type.
    #[error("`{property}` of the Feature `{}` is no {expected}", .id.escape_debug())]
    Type {
        /// The Feature.
        id: String,
        /// The property.
        property: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// Features that wait for each other.
    #[error("the Features {} wait for each other", enumerate(.0.iter().map(String::as_str)))]
    Circle(Vec<String>),
}

impl Hint for FeatureError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Legacy { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::Legacy { .. } | Self::Malformed(_) | Self::Release(_) => "write `REGISTRY/OWNER/COLLECTION/ID:VERSION`, such as `ghcr.io/devcontainers/features/node:1`, or `./ID` for a folder in `.devcontainer`".to_owned(),
            Self::Absolute(_) | Self::Outside { .. } => "move it into `.devcontainer` and name it from there: `./ID`".to_owned(),
            Self::TarballName(_) => "call the archive `devcontainer-feature-ID.tgz`".to_owned(),
            Self::NoFeature(_) => "the artifact's configuration must be of the type `application/vnd.devcontainers`".to_owned(),
            Self::NoId(_) => "write `\"id\": \"…\"`, the name of its folder".to_owned(),
            Self::Type { .. } => return None,
            Self::Circle(_) => "take a Feature out of one of their `dependsOn` or `installsAfter`".to_owned(),
        })
    }
}

/// The Features that `config` asks for, in the order in which they are installed.
pub(crate) fn resolve(
    config: &Map<String, Value>,
    place: Place<'_>,
    known: &BTreeMap<Source, Fetched>,
) -> Result<Resolved, FeatureError> {
    let asked = asked(config);
    if asked.is_empty() {
        return Ok(Resolved::Order(Vec::new()));
    }
    let order = config.get("overrideFeatureInstallOrder");
    let order = order.cloned().filter(|order| !order.is_null());
    let mut graph = graph::Graph::new(place, known);
    graph.add_all(asked)?;
    graph.prefer(&as_list(order))?;
    graph.install()
}

/// `features` with their options, those that became options of others put there.
fn asked(config: &Map<String, Value>) -> Vec<(String, Value)> {
    let features = config.get("features").cloned().map(as_members);
    let mut asked: Vec<(String, Value)> = features.unwrap_or_default().into_iter().collect();
    let became = |id: &str| BECAME_OPTIONS.iter().find(|(old, ..)| *old == id);
    let old: Vec<String> = asked.iter().map(|(id, _)| id.clone()).collect();
    for (_, name, option) in old.iter().filter_map(|id| became(id)) {
        match asked.iter_mut().find(|(id, _)| is_published(id, name)) {
            Some((_, options)) => {
                let mut all = match std::mem::take(options) {
                    Value::Object(all) => all,
                    Value::String(version) => {
                        Map::from_iter([("version".to_owned(), version.into())])
                    }
                    _ => Map::new(),
                };
                all.insert((*option).to_owned(), true.into());
                *options = all.into();
            }
            None => asked.push((published(name), json!({ *option: true }))),
        }
    }
    asked.retain(|(id, _)| became(id).is_none());
    asked
}

impl FeatureSet {
    /// The Feature of a node, as the one that is installed at `index`.
    fn new(node: Node, index: usize) -> Result<Self, FeatureError> {
        let Node {
            id,
            source,
            options,
            metadata,
            fetched,
            ..
        } = node;
        let mut own = Map::new();
        let short = match &source {
            Source::Folder(path) => path.rsplit('/').next().unwrap_or_default(),
            Source::Tarball { uri, .. } => source::tarball_id(uri).unwrap_or_default(),
            Source::Registry { reference, .. } => reference.id(),
            Source::Release(_) => return Err(FeatureError::Release(id)),
        };
        own.insert("id".to_owned(), short.into());
        if !matches!(source, Source::Registry { .. }) {
            own.insert("name".to_owned(), id.clone().into());
        }
        own.insert("value".to_owned(), options);
        own.insert("included".to_owned(), true.into());
        own.extend(metadata.into_iter().flat_map(as_members));
        let Some(short) = own.get("id").filter(|id| is_given(id)) else {
            return Err(FeatureError::NoId(id));
        };
        let short = short
            .as_str()
            .map_or_else(|| short.to_string(), str::to_owned);
        let number = format!("{short}_{index}");
        own.insert("consecutiveId".to_owned(), number.into());
        let said = match &fetched.file {
            Some(File::Feature(text)) => jsonc::parse(text).value,
            Some(File::Collection(text)) => {
                let found = of_collection(text, &short);
                Some(found.ok_or_else(|| FeatureError::NoFeature(id.clone()))?)
            }
            None => None,
        };
        let mut feature = said.map(as_members).unwrap_or_default();
        feature.extend(own);
        Ok(Self {
            id,
            feature: legacy::fold_customizations(feature),
            source,
            fetched,
        })
    }

    /// The form in which the reference prints it.
    pub(crate) fn as_json(&self) -> Value {
        let mut json = json!({
            "sourceInformation": self.source_information(),
            "features": [self.feature],
        });
        if matches!(self.fetched.file, Some(File::Collection(_))) {
            json["internalVersion"] = "1".into();
            return json;
        }
        json["internalVersion"] = "2".into();
        if let Some(digest) = &self.fetched.digest {
            json["computedDigest"] = digest.clone().into();
        }
        json
    }

    fn source_information(&self) -> Value {
        match &self.source {
            Source::Folder(path) => json!({
                "type": "file-path", "resolvedFilePath": path, "userFeatureId": self.id,
            }),
            Source::Tarball { uri, .. } => json!({
                "type": "direct-tarball", "tarballUri": uri, "userFeatureId": self.id,
            }),
            Source::Registry { reference, .. } => json!({
                "type": "oci",
                "manifest": self.fetched.manifest,
                "manifestDigest": self.fetched.digest,
                "featureRef": reference.as_json(),
                "userFeatureId": self.id,
                "userFeatureIdWithoutVersion": without_version(&self.id),
            }),
            Source::Release(name) => json!({ "type": "github-repo", "userFeatureId": name }),
        }
    }
}

/// What the file of many Features says of the one called `id`.
fn of_collection(text: &str, id: &str) -> Option<Value> {
    let all = jsonc::parse(text).value?;
    let mut features = all.get("features")?.as_array()?.iter();
    let found = features.find(|feature| feature.get("id").and_then(Value::as_str) == Some(id));
    found.cloned()
}

/// An id without its tag or digest.
fn without_version(id: &str) -> &str {
    let name = id.rfind('/').map_or(0, |slash| slash + 1);
    match id[name..].find([':', '@']) {
        Some(end) => &id[..name + end],
        None => id,
    }
}
