//! Many entries → one configuration (specification, "Merge logic").

use super::metadata::Entry;
use super::script::{as_list, as_members, as_number, is_given, to_json, to_text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a property of the merged form is made of.
struct Rule {
    /// Its name in the merged form.
    merged: &'static str,
    /// Its name in each entry.
    property: &'static str,
    /// What all entries' values come to; `None` leaves it out.
    merge: fn(&[&Value]) -> Option<Value>,
}

/// The rules, in the order in which the merged form has them.
const RULES: &[Rule] = &[
    rule("init", "init", any_true),
    rule("privileged", "privileged", any_true),
    rule("capAdd", "capAdd", union),
    rule("securityOpt", "securityOpt", union),
    rule("entrypoints", "entrypoint", collected),
    rule("mounts", "mounts", mounts),
    rule("customizations", "customizations", customizations),
    rule("onCreateCommands", "onCreateCommand", hooks),
    rule("updateContentCommands", "updateContentCommand", hooks),
    rule("postCreateCommands", "postCreateCommand", hooks),
    rule("postStartCommands", "postStartCommand", hooks),
    rule("postAttachCommands", "postAttachCommand", hooks),
    rule("waitFor", "waitFor", last_given),
    rule("remoteUser", "remoteUser", last_given),
    rule("containerUser", "containerUser", last_given),
    rule("userEnvProbe", "userEnvProbe", last_given),
    rule("remoteEnv", "remoteEnv", by_key),
    rule("containerEnv", "containerEnv", by_key),
    rule("overrideCommand", "overrideCommand", last_boolean),
    rule("portsAttributes", "portsAttributes", by_key),
    rule("otherPortsAttributes", "otherPortsAttributes", last_given),
    rule("forwardPorts", "forwardPorts", forward_ports),
    rule("shutdownAction", "shutdownAction", last_given),
    rule("updateRemoteUserUID", "updateRemoteUserUID", last_boolean),
    rule("hostRequirements", "hostRequirements", host_requirements),
];

const fn rule(
    merged: &'static str,
    property: &'static str,
    merge: fn(&[&Value]) -> Option<Value>,
) -> Rule {
    Rule {
        merged,
        property,
        merge,
    }
}

/// The configuration in its merged form: of `entries` what is merged, of `config` all the rest.
pub(crate) fn merge(config: &Map<String, Value>, entries: &[Entry]) -> Map<String, Value> {
    let mut merged = config.clone();
    for rule in RULES {
        let values: Vec<&Value> = entries
            .iter()
            .filter_map(|entry| entry.properties.get(rule.property))
            .collect();
        if rule.merged != rule.property {
            merged.shift_remove(rule.property);
        }
        match (rule.merge)(&values) {
            Some(value) => drop(merged.insert(rule.merged.to_owned(), value)),
            None => drop(merged.shift_remove(rule.merged)),
        }
    }
    merged
}

/// How what several say of one property comes to one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Together {
    /// The last that says something is right.
    Last,
    /// The last is right for each key.
    LastOfKey,
    /// All count.
    All,
}

/// What is known of a property that is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Property {
    /// Its name in devcontainer.json.
    pub(crate) name: &'static str,
    /// Its name in the merged form.
    pub(crate) merged: &'static str,
    /// How it is merged.
    pub(crate) together: Together,
}

/// The merged property of this name, in the merged form or in devcontainer.json; `None` where it is not merged at all.
pub(crate) fn merged_property(name: &str) -> Option<Property> {
    let is_it = |rule: &&Rule| rule.merged == name || rule.property == name;
    let rule = RULES.iter().find(is_it)?;
    let by_key = ["remoteEnv", "containerEnv", "portsAttributes"];
    let last = [
        "waitFor",
        "remoteUser",
        "containerUser",
        "userEnvProbe",
        "overrideCommand",
        "otherPortsAttributes",
        "shutdownAction",
        "updateRemoteUserUID",
    ];
    Some(Property {
        name: rule.property,
        merged: rule.merged,
        together: if by_key.contains(&rule.merged) {
            Together::LastOfKey
        } else if last.contains(&rule.merged) {
            Together::Last
        } else {
            Together::All
        },
    })
}

#[expect(clippy::unnecessary_wraps, reason = "every rule has this form")]
fn any_true(values: &[&Value]) -> Option<Value> {
    Some(values.iter().any(|value| is_given(value)).into())
}

fn last_given(values: &[&Value]) -> Option<Value> {
    let last = values.iter().rev().find(|value| is_given(value));
    last.map(|value| (*value).clone())
}

fn last_boolean(values: &[&Value]) -> Option<Value> {
    let last = values.iter().rev().find(|value| value.is_boolean());
    last.map(|value| (*value).clone())
}

fn given(values: &[&Value]) -> Vec<Value> {
    let given = values.iter().filter(|value| is_given(value));
    given.map(|value| (*value).clone()).collect()
}

/// Every value that says something, even if none does.
#[expect(clippy::unnecessary_wraps, reason = "every rule has this form")]
fn hooks(values: &[&Value]) -> Option<Value> {
    Some(given(values).into())
}

fn collected(values: &[&Value]) -> Option<Value> {
    some_of(given(values))
}

fn some_of(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then(|| values.into())
}

/// All members of all lists.
fn members(values: &[&Value]) -> impl Iterator<Item = Value> {
    given(values)
        .into_iter()
        .flat_map(|value| as_list(Some(value)))
}

/// Each member once, where it is first; an object is like no other.
fn union(values: &[&Value]) -> Option<Value> {
    some_of(distinct(members(values)))
}

fn distinct(values: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    values
        .filter(|value| is_composed(value) || seen.insert(value.to_string()))
        .collect()
}

fn is_composed(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_))
}

#[expect(clippy::unnecessary_wraps, reason = "every rule has this form")]
fn by_key(values: &[&Value]) -> Option<Value> {
    let mut all = Map::new();
    for value in values {
        all.extend(as_members((*value).clone()));
    }
    Some(all.into())
}

fn customizations(values: &[&Value]) -> Option<Value> {
    let mut tools = Map::new();
    for (tool, value) in values.iter().flat_map(|value| as_members((*value).clone())) {
        if let Value::Array(all) = tools.entry(tool).or_insert_with(|| json!([])) {
            all.push(value);
        }
    }
    (!tools.is_empty()).then(|| tools.into())
}

/// Of the mounts of one target the last is kept, where it stands.
fn mounts(values: &[&Value]) -> Option<Value> {
    let mut seen = BTreeSet::new();
    let mounts: Vec<Value> = members(values).collect();
    let mut kept: Vec<Value> = mounts
        .into_iter()
        .rev()
        .filter(|mount| !mount.is_null() && seen.insert(target(mount)))
        .collect();
    kept.reverse();
    some_of(kept)
}

/// The target of a mount in either form; those without one count as having the same.
fn target(mount: &Value) -> Option<String> {
    if let Value::String(text) = mount {
        let fields = text.split(',').map(|field| {
            let mut parts = field.split('=');
            (parts.next().unwrap_or_default(), parts.next())
        });
        let mut targets =
            fields.filter(|(name, _)| ["target", "dst", "destination"].contains(name));
        return targets.next_back()?.1.map(str::to_owned);
    }
    match mount.get("target")? {
        Value::String(target) => Some(target.clone()),
        other => Some(other.to_string()),
    }
}

/// Each port once; `localhost:N` is the port N of this host.
fn forward_ports(values: &[&Value]) -> Option<Value> {
    let local = |port: Value| match &port {
        Value::String(text) => match text.strip_prefix("localhost:").map(str::parse::<u32>) {
            Some(Ok(number)) => number.into(),
            _ => port,
        },
        _ => port,
    };
    some_of(distinct(members(values).map(local)))
}

/// The largest of each requirement; sizes in bytes, as text.
fn host_requirements(values: &[&Value]) -> Option<Value> {
    let largest = |name: &str, measure: fn(&Value) -> f64| {
        let all = values.iter().filter_map(|value| value.get(name));
        let all = all.filter(|value| is_given(value)).map(measure);
        all.fold(0.0, |a: f64, b| {
            if a.is_nan() || b.is_nan() {
                f64::NAN
            } else {
                a.max(b)
            }
        })
    };
    let (cpus, memory, storage) = (
        largest("cpus", as_number),
        largest("memory", bytes),
        largest("storage", bytes),
    );
    let gpus = values.iter().filter_map(|value| value.get("gpu"));
    let gpu = gpus.fold(None, |a, b| larger_gpu(a, Some(b.clone())));
    let is_any = [cpus, memory, storage]
        .iter()
        .any(|number| *number != 0.0 && !number.is_nan())
        || gpu.as_ref().is_some_and(is_given);
    if !is_any {
        return None;
    }
    let mut all = Map::from_iter([("cpus".to_owned(), to_json(cpus))]);
    let sizes = [("memory", memory), ("storage", storage)].into_iter();
    all.extend(sizes.filter_map(|(name, size)| Some((name.to_owned(), size_text(size)?))));
    all.extend(gpu.map(|gpu| ("gpu".to_owned(), gpu)));
    Some(all.into())
}

/// What satisfies both: of `false` and nothing the other, `"optional"` only where both are.
fn larger_gpu(a: Option<Value>, b: Option<Value>) -> Option<Value> {
    let says_nothing =
        |gpu: &Option<Value>| matches!(gpu, None | Some(Value::Null | Value::Bool(false)));
    if says_nothing(&a) {
        return b.filter(|gpu| !gpu.is_null()).or(a);
    }
    if says_nothing(&b) {
        return a;
    }
    let (a, b) = (a?, b?);
    if a == "optional" && b == "optional" {
        return Some(a);
    }
    let largest = |name: &str, measure: fn(&Value) -> f64| {
        let of = |gpu: &Value| {
            let limit = gpu.as_object().and_then(|gpu| gpu.get(name));
            limit.filter(|limit| is_given(limit)).map_or(0.0, measure)
        };
        of(&a).max(of(&b))
    };
    let cores = largest("cores", as_number);
    let cores = (cores != 0.0).then(|| ("cores".to_owned(), to_json(cores)));
    let memory = size_text(largest("memory", bytes)).map(|size| ("memory".to_owned(), size));
    Some(Value::Object(cores.into_iter().chain(memory).collect()))
}

fn size_text(size: f64) -> Option<Value> {
    (size != 0.0).then(|| to_text(size).into())
}

/// The bytes of `8gb`, 1024 a step; what is no size is nothing
/// (specification, "hostRequirements": a number and the suffix tb, gb, mb or kb).
fn bytes(value: &Value) -> f64 {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return 0.0,
    };
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let factor = match unit {
        "" => 1.0,
        "kb" => 1024.0,
        "mb" => 1024.0 * 1024.0,
        "gb" => 1024.0 * 1024.0 * 1024.0,
        "tb" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return 0.0,
    };
    digits.parse::<f64>().map_or(0.0, |number| number * factor)
}
