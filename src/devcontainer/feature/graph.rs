//! Who waits for whom (specification, "dependsOn", "installsAfter", "overrideFeatureInstallOrder", "Round-based sort").

use super::super::script::{as_list, is_given};
use super::collation::compare;
use super::source::{Place, Reference, Source, source};
use super::{FeatureError, FeatureSet, Fetched, Part, Resolved, Wanted};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The type of an artifact's configuration that makes it a Feature or a Template (specification, "Distribution").
const ARTIFACT: &str = "application/vnd.devcontainers";

/// A Feature that is to be installed.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The id as it was written.
    pub(super) id: String,
    /// Where it comes from.
    pub(super) source: Source,
    /// Its options.
    pub(super) options: Value,
    /// What it says.
    pub(super) metadata: Option<Value>,
    /// What was read of it.
    pub(super) fetched: Fetched,
    /// The last components of its present name and of its old ones.
    names: Vec<String>,
    depends_on: Vec<Hard>,
    installs_after: Vec<Soft>,
    priority: usize,
}

/// A Feature with options that must be there first.
#[derive(Debug, Clone)]
struct Hard {
    source: Source,
    digest: Option<String>,
    names: Vec<String>,
    id: String,
    options: Value,
}

/// A Feature that must be there first if it is there at all.
#[derive(Debug, Clone)]
struct Soft {
    source: Source,
    names: Vec<String>,
}

/// The Features that are asked for, and all that they depend on.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    place: Place<'a>,
    known: &'a BTreeMap<Source, Fetched>,
    missing: BTreeSet<Wanted>,
    nodes: Vec<Node>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(place: Place<'a>, known: &'a BTreeMap<Source, Fetched>) -> Self {
        Self {
            place,
            known,
            missing: BTreeSet::new(),
            nodes: Vec::new(),
        }
    }

    /// Adds the Features and, breadth first, what they depend on; the same one with the same options once.
    pub(super) fn add_all(&mut self, asked: Vec<(String, Value)>) -> Result<(), FeatureError> {
        let mut waiting = VecDeque::from(asked);
        while let Some((id, options)) = waiting.pop_front() {
            let source = source(&id, self.place)?;
            let Some(fetched) = self.fetched(&source, Part::Whole) else {
                continue;
            };
            let metadata = fetched.metadata().filter(is_given);
            let node = Node {
                names: names(&source, metadata.as_ref()),
                id,
                source,
                options,
                metadata,
                fetched,
                depends_on: Vec::new(),
                installs_after: Vec::new(),
                priority: 0,
            };
            check_type(&node)?;
            if self.nodes.iter().any(|known| is_same(known, &node)) {
                continue;
            }
            let before = dependencies(&node)?;
            let after = self.installs_after(&node)?;
            let depends_on = self.depends_on(&before)?;
            waiting.extend(before);
            self.nodes.push(Node {
                depends_on,
                installs_after: after,
                ..node
            });
        }
        Ok(())
    }

    /// What is known of a Feature; what is not is noted as missing.
    fn fetched(&mut self, source: &Source, part: Part) -> Option<Fetched> {
        if matches!(source, Source::Release(_)) {
            return Some(Fetched::default());
        }
        let known = self.known.get(source);
        let known = known.filter(|known| part == Part::Names || known.file.is_some());
        if known.is_none() {
            let source = source.clone();
            self.missing.insert(Wanted { source, part });
        }
        known.cloned()
    }

    fn depends_on(&mut self, before: &[(String, Value)]) -> Result<Vec<Hard>, FeatureError> {
        let mut all = Vec::new();
        for (id, options) in before {
            let source = source(id, self.place)?;
            let fetched = self.fetched(&source, Part::Whole).unwrap_or_default();
            let metadata = fetched.metadata().filter(is_given);
            all.push(Hard {
                names: names(&source, metadata.as_ref()),
                digest: fetched.digest,
                source,
                id: id.clone(),
                options: options.clone(),
            });
        }
        Ok(all)
    }

    fn installs_after(&mut self, node: &Node) -> Result<Vec<Soft>, FeatureError> {
        let after = property(node, "installsAfter");
        let ids = match after {
            None => Vec::new(),
            Some(Value::Array(ids)) => ids.clone(),
            Some(_) => {
                return Err(FeatureError::Type {
                    id: node.id.clone(),
                    property: "installsAfter",
                    expected: "list of ids",
                });
            }
        };
        let ids = ids.iter().filter_map(Value::as_str);
        ids.map(|id| self.soft(id)).collect()
    }

    /// A Feature that is only named in an order: a folder need not be there, an artifact must.
    fn soft(&mut self, id: &str) -> Result<Soft, FeatureError> {
        let source = source(id, self.place)?;
        let metadata = match &source {
            Source::Registry { .. } => {
                let fetched = self.fetched(&source, Part::Names);
                fetched.and_then(|fetched| fetched.metadata())
            }
            _ => None,
        };
        let names = names(&source, metadata.as_ref());
        Ok(Soft { source, names })
    }

    /// Gives the Features of `order` priority, the first the highest.
    pub(super) fn prefer(&mut self, order: &[Value]) -> Result<(), FeatureError> {
        let ids: Vec<&str> = order.iter().filter_map(Value::as_str).collect();
        for (index, id) in ids.iter().enumerate() {
            let soft = self.soft(id)?;
            let priority = ids.len() - index;
            for node in self.nodes.iter_mut().filter(|node| meets(node, &soft)) {
                node.priority = node.priority.max(priority);
            }
        }
        Ok(())
    }

    /// Round by round: of those that wait for nothing, the ones of the highest priority, in the order of a dictionary.
    pub(super) fn install(self) -> Result<Resolved, FeatureError> {
        if !self.missing.is_empty() {
            return Ok(Resolved::Missing(self.missing.into_iter().collect()));
        }
        let mut left = self.nodes;
        for index in 0..left.len() {
            let mut after = std::mem::take(&mut left[index].installs_after);
            after.retain(|soft| left.iter().any(|node| meets(node, soft)));
            left[index].installs_after = after;
        }
        let mut installed: Vec<Node> = Vec::new();
        while !left.is_empty() {
            let is_ready = |node: &Node| {
                let has = |hard: &Hard| installed.iter().any(|there| is_it(there, hard));
                let follows = |soft: &Soft| installed.iter().any(|there| meets(there, soft));
                node.depends_on.iter().all(has) && node.installs_after.iter().all(follows)
            };
            let ready = left.iter().filter(|node| is_ready(node));
            let Some(highest) = ready.map(|node| node.priority).max() else {
                let ids = left.into_iter().map(|node| node.id);
                return Err(FeatureError::Circle(ids.collect()));
            };
            let (round, rest): (Vec<Node>, Vec<Node>) = left
                .into_iter()
                .partition(|node| node.priority == highest && is_ready(node));
            left = rest;
            installed.append(&mut sorted(round));
        }
        let sets = installed.into_iter().enumerate();
        let sets = sets.map(|(index, node)| FeatureSet::new(node, index));
        Ok(Resolved::Order(sets.collect::<Result<_, _>>()?))
    }
}

/// An artifact must say that it is one of ours.
fn check_type(node: &Node) -> Result<(), FeatureError> {
    let Some(manifest) = &node.fetched.manifest else {
        return Ok(());
    };
    let media_type = manifest.pointer("/config/mediaType");
    if media_type.and_then(Value::as_str) == Some(ARTIFACT) {
        Ok(())
    } else {
        Err(FeatureError::NoFeature(node.id.clone()))
    }
}

fn property<'a>(node: &'a Node, name: &str) -> Option<&'a Value> {
    let value = node.metadata.as_ref()?.get(name)?;
    Some(value).filter(|value| is_given(value))
}

/// `dependsOn` with the options of each.
fn dependencies(node: &Node) -> Result<Vec<(String, Value)>, FeatureError> {
    match property(node, "dependsOn") {
        None => Ok(Vec::new()),
        Some(Value::Object(all)) => Ok(all.clone().into_iter().collect()),
        Some(_) => Err(FeatureError::Type {
            id: node.id.clone(),
            property: "dependsOn",
            expected: "object of ids and options",
        }),
    }
}

/// The names by which a Feature goes: `currentId` or `id`, then its `legacyIds` (specification, "Steps to rename a Feature").
fn names(source: &Source, metadata: Option<&Value>) -> Vec<String> {
    let text = |name| {
        metadata
            .and_then(|metadata| metadata.get(name))
            .and_then(Value::as_str)
    };
    let own = match source {
        Source::Registry { reference, .. } => reference.id().to_owned(),
        _ => String::new(),
    };
    let current = text("currentId").or_else(|| text("id"));
    let legacy = metadata.and_then(|metadata| metadata.get("legacyIds"));
    let legacy = as_list(legacy.cloned());
    let legacy = legacy.iter().filter_map(Value::as_str).map(str::to_owned);
    let current = current.map_or(own, str::to_owned);
    std::iter::once(current).chain(legacy).collect()
}

/// Whether a Feature is one that an order names, by its present name or an old one.
fn meets(node: &Node, soft: &Soft) -> bool {
    match (&node.source, &soft.source) {
        (
            Source::Registry { reference, .. },
            Source::Registry {
                reference: named, ..
            },
        ) => {
            let is_renamed = |name| format!("{}/{name}", named.collection()) == reference.resource;
            reference.resource == named.resource || soft.names.iter().any(is_renamed)
        }
        (Source::Tarball { uri, .. }, Source::Tarball { uri: named, .. }) => uri == named,
        (a, b) => a == b,
    }
}

/// What two Features are compared by.
struct Key<'a> {
    source: &'a Source,
    digest: Option<&'a String>,
    names: &'a [String],
    id: &'a str,
    options: &'a Value,
}

impl Node {
    fn key(&self) -> Key<'_> {
        Key {
            source: &self.source,
            digest: self.fetched.digest.as_ref(),
            names: &self.names,
            id: &self.id,
            options: &self.options,
        }
    }
}

impl Hard {
    fn key(&self) -> Key<'_> {
        Key {
            source: &self.source,
            digest: self.digest.as_ref(),
            names: &self.names,
            id: &self.id,
            options: &self.options,
        }
    }
}

fn is_same(a: &Node, b: &Node) -> bool {
    are_alike(&a.key(), &b.key())
}

fn is_it(node: &Node, hard: &Hard) -> bool {
    are_alike(&node.key(), &hard.key())
}

/// The Features of a round in their order, which is no total one: of three, each may come before the next, in a circle. `sort_by` may
/// panic on such; putting in one after the other does not, and is what JavaScript does.
fn sorted(round: Vec<Node>) -> Vec<Node> {
    let mut sorted: Vec<Node> = Vec::with_capacity(round.len());
    for node in round {
        let is_before = |other: &Node| by_key(&other.key(), &node.key()).is_le();
        sorted.insert(sorted.partition_point(is_before), node);
    }
    sorted
}

fn are_alike(a: &Key<'_>, b: &Key<'_>) -> bool {
    let is_one_kind = std::mem::discriminant(a.source) == std::mem::discriminant(b.source);
    is_one_kind && by_key(a, b) == Ordering::Equal
}

/// The order of a round: by name and then by options; of one artifact by tag, options and digest.
fn by_key(a: &Key<'_>, b: &Key<'_>) -> Ordering {
    match (a.source, b.source) {
        (
            Source::Registry { reference: one, .. },
            Source::Registry {
                reference: other, ..
            },
        ) => {
            if a.digest == b.digest && by_options(a.options, b.options) == Ordering::Equal {
                return Ordering::Equal;
            }
            by_resource((one, a.names), (other, b.names))
                .then_with(|| match (&one.tag, &other.tag) {
                    (Some(one), Some(other)) => compare(one, other),
                    _ => Ordering::Equal,
                })
                .then_with(|| by_options(a.options, b.options))
                .then_with(|| a.digest.cmp(&b.digest))
        }
        (Source::Folder(one), Source::Folder(other))
        | (Source::Tarball { uri: one, .. }, Source::Tarball { uri: other, .. })
        | (Source::Release(one), Source::Release(other)) => {
            compare(one, other).then_with(|| by_options(a.options, b.options))
        }
        _ => compare(a.id, b.id),
    }
}

/// By collection, then by name, where a name that one has had is as good as that of today.
fn by_resource(a: (&Reference, &[String]), b: (&Reference, &[String])) -> Ordering {
    let by_collection = compare(&a.0.collection(), &b.0.collection());
    by_collection.then_with(|| {
        if a.1.iter().any(|name| b.1.contains(name)) {
            Ordering::Equal
        } else {
            compare(a.0.id(), b.0.id())
        }
    })
}

/// Options of one type by value, of several by JavaScript's name of the type.
fn by_options(a: &Value, b: &Value) -> Ordering {
    let kind = |value: &Value| match value {
        Value::Bool(_) => "boolean",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Null | Value::Array(_) | Value::Object(_) => "object",
    };
    match (a, b) {
        (Value::String(a), Value::String(b)) => compare(a, b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ if kind(a) == "object" && kind(b) == "object" => by_members(&members(a), &members(b)),
        _ => kind(a).cmp(kind(b)),
    }
}

fn members(value: &Value) -> Map<String, Value> {
    super::super::script::as_members(value.clone())
}

/// By how many there are, then key by key.
fn by_members(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let sorted = |map: &Map<String, Value>| {
        let mut pairs: Vec<(String, Value)> = map.clone().into_iter().collect();
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        pairs
    };
    let by_count = a.len().cmp(&b.len());
    by_count.then_with(|| {
        let pairs = sorted(a).into_iter().zip(sorted(b));
        let by_pair = |((a, one), (b, other)): ((String, Value), (String, Value))| {
            let by_name = if a == b {
                Ordering::Equal
            } else {
                compare(&a, &b)
            };
            by_name.then_with(|| match (one, other) {
                (Value::String(one), Value::String(other)) => compare(&one, &other),
                (Value::Bool(one), Value::Bool(other)) => one.cmp(&other),
                _ => Ordering::Equal,
            })
        };
        pairs
            .map(by_pair)
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A number is like any other value, so that these have no total order.
    #[test]
    fn features_without_a_total_order_are_put_in_one_all_the_same() {
        let nodes = (0..1000).map(|index: usize| {
            let value = match index * 7 % 11 {
                0..3 => json!(1),
                sign => json!(format!("{}", sign * index % 13)),
            };
            Node {
                id: "./a".to_owned(),
                source: Source::Folder("/a".to_owned()),
                options: json!({ "a": value, "b": (index % 5).to_string() }),
                metadata: None,
                fetched: Fetched::default(),
                names: Vec::new(),
                depends_on: Vec::new(),
                installs_after: Vec::new(),
                priority: 0,
            }
        });
        assert_eq!(sorted(nodes.collect()).len(), 1000);
    }
}
