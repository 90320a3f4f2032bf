//! Devices, and how much of what a container may use.

use super::value::{bytes, clean, csv, decimal, pair};
use serde_json::{Map, Value, json};

/// Whether it is the name of a device by the Container Device Interface: `vendor.com/class=name` (CDI specification, "kind", "name").
pub(super) fn is_cdi(value: &str) -> bool {
    let Some((kind, name)) = value.split_once('=') else {
        return false;
    };
    let Some((vendor, class)) = kind.split_once('/') else {
        return false;
    };
    let is_word = |word: &str, more: &str| {
        let ends = [word.chars().next(), word.chars().last()];
        ends.iter()
            .all(|end| end.is_some_and(|c| c.is_ascii_alphanumeric()))
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let is_kind =
        |word: &str| is_word(word, "_-.") && word.starts_with(|c: char| c.is_ascii_alphabetic());
    is_kind(vendor) && is_kind(class) && is_word(name, "_-.:")
}

/// `PATH[:PATH-IN-CONTAINER[:rwm]]`
pub(super) fn device(value: &str) -> Result<Value, String> {
    let parts: Vec<&str> = value.split(':').collect();
    let (host, inside, mode) = match parts[..] {
        [host] => (clean(host), clean(host), "rwm"),
        [host, mode] if is_mode(mode) => (clean(host), clean(host), mode),
        [host, inside] => (host.to_owned(), clean(inside), "rwm"),
        [host, inside, mode] if is_mode(mode) => (host.to_owned(), inside.to_owned(), mode),
        _ => return Err("it is not PATH:PATH:MODE, with `r`, `w` or `m` as the mode".to_owned()),
    };
    if parts[0].is_empty() || !inside.starts_with('/') {
        return Err("its path must begin with `/`".to_owned());
    }
    Ok(json!({ "PathOnHost": host, "PathInContainer": inside, "CgroupPermissions": mode }))
}

/// Whether it says what may be done with a device: read it, write it, make it, each once.
fn is_mode(text: &str) -> bool {
    let is_once = |c: char| "rwm".contains(c) && text.matches(c).count() == 1;
    !text.is_empty() && text.chars().all(is_once)
}

/// `all`, a count, or fields of CSV: `device=0`, `"capabilities=gpu,utility"` (docker's documentation, "Access an NVIDIA GPU").
pub(super) fn gpus(value: &str) -> Result<Value, String> {
    let mut request = json!({ "Driver": "", "Count": 0, "Capabilities": [["gpu"]], "Options": {} });
    let mut seen: Vec<String> = Vec::new();
    for field in csv(value)? {
        let (name, text) = field.split_once('=').unwrap_or(("count", &field));
        let written = field.split('=').next().unwrap_or_default();
        if seen.iter().any(|seen| seen == written) {
            return Err(format!("its field `{written}` is there twice"));
        }
        seen.extend([written, name].map(str::to_owned));
        let words = text.split(',');
        match name {
            "count" if text == "all" => request["Count"] = (-1).into(),
            "count" => {
                let count =
                    decimal(text).ok_or(format!("`{text}` is neither `all` nor a count"))?;
                request["Count"] = count.into();
            }
            "device" => request["DeviceIDs"] = words.collect(),
            "driver" => request["Driver"] = text.into(),
            "capabilities" => {
                request["Capabilities"] = json!([words.chain(["gpu"]).collect::<Vec<_>>()]);
            }
            "options" => {
                let options = csv(text)?;
                let options = options.iter().map(|option| pair(option));
                let options = options.map(|(name, value)| (name.to_owned(), value.into()));
                request["Options"] = options.collect::<Map<_, _>>().into();
            }
            other => return Err(format!("`{other}` is no field of it")),
        }
    }
    let has = |name: &str| seen.iter().any(|seen| seen == name);
    if !has("count") && !has("device") {
        request["Count"] = 1.into();
    }
    Ok(request)
}

const LIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// `NAME=SOFT[:HARD]`, where -1 is no limit.
pub(super) fn ulimit(value: &str) -> Result<Value, String> {
    let (name, limits) = value.split_once('=').ok_or("it is not NAME=SOFT:HARD")?;
    if !LIMITS.contains(&name) {
        return Err(format!(
            "`{name}` is no limit; there are {}",
            LIMITS.join(", ")
        ));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| decimal(text).ok_or(format!("`{text}` is no number"));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err("the soft limit is above the hard one".to_owned());
    }
    Ok(json!({ "Name": name, "Soft": soft, "Hard": hard }))
}

/// The path of a block device and what it may do.
fn throttled(value: &str) -> Result<(&str, &str), String> {
    let parts = value.split_once(':');
    let parts = parts.filter(|(path, _)| path.starts_with("/dev/"));
    parts.ok_or("it is not /dev/NAME:NUMBER".to_owned())
}

/// `/dev/NAME:WEIGHT`
pub(super) fn weight(value: &str) -> Result<Value, String> {
    let (path, weight) = throttled(value)?;
    let weight = decimal(weight).filter(|weight| *weight == 0 || (10..=1000).contains(weight));
    let weight = weight.ok_or("its weight is neither 0 nor from 10 to 1000")?;
    Ok(json!({ "Path": path, "Weight": weight }))
}

/// `/dev/NAME:BYTES`, each second.
pub(super) fn bytes_per_second(value: &str) -> Result<Value, String> {
    let (path, rate) = throttled(value)?;
    let rate = bytes(rate).ok_or("its rate is no size, such as `1mb`")?;
    Ok(json!({ "Path": path, "Rate": rate }))
}

/// `/dev/NAME:NUMBER`, each second.
pub(super) fn operations_per_second(value: &str) -> Result<Value, String> {
    let (path, rate) = throttled(value)?;
    let rate: u64 = rate.parse().map_err(|_| "its rate is no whole number")?;
    Ok(json!({ "Path": path, "Rate": rate }))
}
