//! A mount as devcontainer.json or `docker run --mount` has it → the engine's.

use serde_json::{Map, Value, json};

/// Why a mount cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountFault {
    /// Neither text nor an object.
    #[error("it is neither text nor an object")]
    Kind,
    /// No target.
    #[error("it names no target in the container")]
    NoTarget,
    /// A field that nobody knows.
    #[error("it has an unknown field `{0}`")]
    Field(String),
    /// A value that its field cannot have.
    #[error("its field `{0}` cannot be `{1}`")]
    Value(&'static str, String),
}

/// The mount in the form of the engine's API.
pub(super) fn mount(written: &Value) -> Result<Value, MountFault> {
    match written {
        Value::String(text) => of_fields(&fields(text)),
        Value::Object(object) => of_object(object),
        _ => Err(MountFault::Kind),
    }
}

/// The object form knows `type`, `source` and `target`, and hands nothing else on (specification, "mounts").
fn of_object(object: &Map<String, Value>) -> Result<Value, MountFault> {
    let pairs = ["type", "source", "target"].into_iter().filter_map(|name| {
        let value = object.get(name)?.as_str()?;
        Some((name.to_owned(), Some(value.to_owned())))
    });
    of_fields(&pairs.collect::<Vec<_>>())
}

/// The fields of a text, which is a line of CSV: quotes around a field keep its commas; one within a field is a sign like any other.
fn fields(text: &str) -> Vec<(String, Option<String>)> {
    let mut fields = Vec::new();
    let mut rest = Some(text);
    while let Some(left) = rest {
        let quoted = left.strip_prefix('"').and_then(|inside| {
            let end = inside
                .find("\",")
                .map(|end| (&inside[..end], Some(&inside[end + 2..])));
            end.or_else(|| inside.strip_suffix('"').map(|inside| (inside, None)))
        });
        let (field, next) = quoted.unwrap_or_else(|| match left.split_once(',') {
            Some((field, next)) => (field, Some(next)),
            None => (left, None),
        });
        fields.push(field.to_owned());
        rest = next;
    }
    let pairs = fields.into_iter().map(|field| match field.split_once('=') {
        Some((name, value)) => (name.to_lowercase(), Some(value.to_owned())),
        None => (field.to_lowercase(), None),
    });
    pairs.collect()
}

/// Docker's documentation, "docker container run", `--mount`.
fn of_fields(fields: &[(String, Option<String>)]) -> Result<Value, MountFault> {
    let mut mount = json!({ "Type": "volume" });
    for (name, value) in fields {
        let text = value.clone().unwrap_or_default();
        let flag = || match text.as_str() {
            "" | "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            other => Err(MountFault::Value("readonly", other.to_owned())),
        };
        match name.as_str() {
            "type" => mount["Type"] = text.to_lowercase().into(),
            "source" | "src" => mount["Source"] = text.into(),
            "target" | "dst" | "destination" => mount["Target"] = text.into(),
            "readonly" | "ro" => mount["ReadOnly"] = flag()?.into(),
            "consistency" => mount["Consistency"] = text.to_lowercase().into(),
            "bind-propagation" => mount["BindOptions"]["Propagation"] = text.into(),
            "bind-nonrecursive" => mount["BindOptions"]["NonRecursive"] = flag()?.into(),
            "volume-nocopy" => mount["VolumeOptions"]["NoCopy"] = flag()?.into(),
            "volume-subpath" => mount["VolumeOptions"]["Subpath"] = text.into(),
            "volume-driver" => mount["VolumeOptions"]["DriverConfig"]["Name"] = text.into(),
            "volume-label" => pair(&mut mount["VolumeOptions"]["Labels"], &text),
            "volume-opt" => {
                pair(
                    &mut mount["VolumeOptions"]["DriverConfig"]["Options"],
                    &text,
                );
            }
            "tmpfs-size" => {
                let size = super::run_args::bytes(&text);
                let size = size.ok_or(MountFault::Value("tmpfs-size", text))?;
                mount["TmpfsOptions"]["SizeBytes"] = size.into();
            }
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(&text, 8);
                let mode = mode.map_err(|_| MountFault::Value("tmpfs-mode", text))?;
                mount["TmpfsOptions"]["Mode"] = mode.into();
            }
            "" => {}
            other => return Err(MountFault::Field(other.to_owned())),
        }
    }
    let kind = mount["Type"].as_str().unwrap_or_default();
    if !["bind", "volume", "tmpfs", "npipe", "cluster", "image"].contains(&kind) {
        return Err(MountFault::Value("type", kind.to_owned()));
    }
    match mount.get("Target").and_then(Value::as_str) {
        Some(target) if !target.is_empty() => Ok(mount),
        _ => Err(MountFault::NoTarget),
    }
}

/// Adds `NAME=value` to an object, which is made where it is not there.
fn pair(place: &mut Value, text: &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    place[name] = value.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let table = [
            (
                json!("type=bind,source=/a,target=/b,readonly,consistency=cached"),
                json!({ "Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true, "Consistency": "cached" }),
            ),
            (
                json!("src=v,dst=/v"),
                json!({ "Type": "volume", "Source": "v", "Target": "/v" }),
            ),
            (
                json!("type=bind,\"source=/a,b\",\"target=/c,d\""),
                json!({ "Type": "bind", "Source": "/a,b", "Target": "/c,d" }),
            ),
            (
                json!("type=bind,source=/a\"b,target=/c\nd"),
                json!({ "Type": "bind", "Source": "/a\"b", "Target": "/c\nd" }),
            ),
            (
                json!("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770"),
                json!({ "Type": "tmpfs", "Target": "/t", "TmpfsOptions": { "SizeBytes": 1_048_576, "Mode": 0o1770 } }),
            ),
            (
                json!({ "type": "volume", "source": "v", "target": "/v", "external": true }),
                json!({ "Type": "volume", "Source": "v", "Target": "/v" }),
            ),
        ];
        for (written, expected) in table {
            assert_eq!(mount(&written), Ok(expected), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let table = [
            (
                json!("type=bind,source=/a"),
                "it names no target in the container",
            ),
            (
                json!("target=/a,colour=red"),
                "it has an unknown field `colour`",
            ),
            (
                json!("type=disk,target=/a"),
                "its field `type` cannot be `disk`",
            ),
            (json!(7), "it is neither text nor an object"),
        ];
        for (written, expected) in table {
            assert_eq!(mount(&written).unwrap_err().to_string(), expected);
        }
    }
}
