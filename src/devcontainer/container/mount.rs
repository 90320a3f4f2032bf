//! A mount as devcontainer.json or `docker run --mount` has it → the engine's.

use super::run_args::value::{absolute, boolean, bytes, csv};
use serde_json::{Map, Value, json};

/// Why a mount cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MountFault {
    /// Neither text nor an object.
    #[error("it is neither text nor an object")]
    Kind,
    /// No line of CSV.
    #[error("it is no line of CSV: {0}")]
    Line(String),
    /// No target.
    #[error("it names no target in the container")]
    NoTarget,
    /// A field that nobody knows.
    #[error("it has an unknown field `{0}`")]
    Field(String),
    /// A field without a value.
    #[error("its field `{0}` wants a value")]
    NoValue(String),
    /// A value that its field cannot have.
    #[error("its field `{0}` cannot be `{1}`")]
    Value(String, String),
    /// A field of another type of mounts.
    #[error("its type is `{kind}`, which has no `{options}` fields")]
    Mixed {
        /// The type.
        kind: String,
        /// How the field begins.
        options: &'static str,
    },
    /// A field that needs another one.
    #[error("its field `{0}` needs `{1}`")]
    Needs(&'static str, &'static str),
}

/// The mount of a configuration in the form of the engine's API; a relative source is below `folder`.
pub(super) fn mount(written: &Value, folder: &str) -> Result<Value, MountFault> {
    match written {
        Value::String(text) => of_fields(&fields(text), folder),
        Value::Object(object) => of_fields(&of_object(object), folder),
        _ => Err(MountFault::Kind),
    }
}

/// The mount of `docker run --mount`.
pub(super) fn mount_of_flag(text: &str, folder: &str) -> Result<Value, String> {
    csv(text)
        .map_err(MountFault::Line)
        .and_then(|fields| of_fields(&fields, folder))
        .map_err(|fault| fault.to_string())
}

/// The object form knows `type`, `source` and `target`, and hands nothing else on (specification, "mounts").
fn of_object(object: &Map<String, Value>) -> Vec<String> {
    let fields = ["type", "source", "target"].into_iter().filter_map(|name| {
        let value = object.get(name)?.as_str()?;
        Some(format!("{name}={value}"))
    });
    fields.collect()
}

/// The fields of a text, which is a line of CSV: quotes around a field keep its commas; one within a field is a sign like any other.
fn fields(text: &str) -> Vec<String> {
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
    fields.retain(|field| !field.is_empty());
    fields
}

/// Docker's documentation, "docker container run", `--mount`.
fn of_fields(fields: &[String], folder: &str) -> Result<Value, MountFault> {
    let mut mount = json!({ "Type": "volume" });
    for field in fields {
        let (name, value) = match field.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (field.as_str(), None),
        };
        set(&mut mount, &name.to_lowercase(), value, folder)?;
    }
    check(&mount)?;
    Ok(mount)
}

/// Sets the field of a mount that is called `name` in the flag.
fn set(mount: &mut Value, name: &str, value: Option<&str>, folder: &str) -> Result<(), MountFault> {
    let bad = |text: &str| MountFault::Value(name.to_owned(), text.to_owned());
    let is_true = match value {
        None => Ok(true),
        Some(text) => boolean(text).ok_or_else(|| bad(text)),
    };
    let switch = match name {
        "readonly" | "ro" => "/ReadOnly",
        "bind-nonrecursive" => "/BindOptions/NonRecursive",
        "bind-create-src" => "/BindOptions/CreateMountpoint",
        "volume-nocopy" => "/VolumeOptions/NoCopy",
        _ => "",
    };
    if !switch.is_empty() {
        *at(mount, switch) = is_true?.into();
        return Ok(());
    }
    let text = value.ok_or_else(|| MountFault::NoValue(name.to_owned()))?;
    match name {
        "type" => *at(mount, "/Type") = text.to_lowercase().into(),
        "source" | "src" => *at(mount, "/Source") = absolute(text, folder).into(),
        "target" | "dst" | "destination" => *at(mount, "/Target") = text.into(),
        "consistency" => *at(mount, "/Consistency") = text.to_lowercase().into(),
        "bind-propagation" => {
            *at(mount, "/BindOptions/Propagation") = text.to_lowercase().into();
        }
        "bind-recursive" => recursive(mount, text).ok_or_else(|| bad(text))?,
        "volume-subpath" => *at(mount, "/VolumeOptions/Subpath") = text.into(),
        "volume-driver" => *at(mount, "/VolumeOptions/DriverConfig/Name") = text.into(),
        "volume-label" => pair(at(mount, "/VolumeOptions/Labels"), text),
        "volume-opt" => pair(at(mount, "/VolumeOptions/DriverConfig/Options"), text),
        "image-subpath" => *at(mount, "/ImageOptions/Subpath") = text.into(),
        "tmpfs-size" => {
            let size = bytes(text).ok_or_else(|| bad(text))?;
            *at(mount, "/TmpfsOptions/SizeBytes") = size.into();
        }
        "tmpfs-mode" => {
            let mode = u32::from_str_radix(text, 8);
            let mode = mode.map_err(|_| bad(text))?;
            *at(mount, "/TmpfsOptions/Mode") = mode.into();
        }
        other => return Err(MountFault::Field(other.to_owned())),
    }
    Ok(())
}

/// How much of what is mounted below the source is mounted too, and how.
fn recursive(mount: &mut Value, how: &str) -> Option<()> {
    let field = match how {
        "enabled" => return Some(()),
        "disabled" => "/BindOptions/NonRecursive",
        "writable" => "/BindOptions/ReadOnlyNonRecursive",
        "readonly" => "/BindOptions/ReadOnlyForceRecursive",
        _ => return None,
    };
    *at(mount, field) = true.into();
    Some(())
}

/// What the docker client refuses, since the engine would make something else of it, or nothing.
fn check(mount: &Value) -> Result<(), MountFault> {
    let kind = mount["Type"].as_str().unwrap_or_default();
    if !["bind", "volume", "tmpfs", "npipe", "cluster", "image"].contains(&kind) {
        return Err(MountFault::Value("type".to_owned(), kind.to_owned()));
    }
    if mount["Target"].as_str().is_none_or(str::is_empty) {
        return Err(MountFault::NoTarget);
    }
    for (field, of, options) in [
        ("BindOptions", "bind", "bind-…"),
        ("VolumeOptions", "volume", "volume-…"),
        ("ImageOptions", "image", "image-…"),
        ("TmpfsOptions", "tmpfs", "tmpfs-…"),
    ] {
        if kind != of && mount.get(field).is_some() {
            let kind = kind.to_owned();
            return Err(MountFault::Mixed { kind, options });
        }
    }
    let of_bind = &mount["BindOptions"];
    let is_set = |field: &str| of_bind[field] == json!(true);
    let is_readonly = mount["ReadOnly"] == json!(true);
    if is_set("ReadOnlyNonRecursive") && !is_readonly {
        return Err(MountFault::Needs("bind-recursive=writable", "readonly"));
    }
    if is_set("ReadOnlyForceRecursive") {
        let field = "bind-recursive=readonly";
        if !is_readonly {
            return Err(MountFault::Needs(field, "readonly"));
        }
        if of_bind["Propagation"] != json!("rprivate") {
            return Err(MountFault::Needs(field, "bind-propagation=rprivate"));
        }
    }
    Ok(())
}

/// The place at a pointer, which is made where it is not there.
fn at<'a>(mount: &'a mut Value, pointer: &str) -> &'a mut Value {
    let steps = pointer.split('/').skip(1);
    steps.fold(mount, |place, step| &mut place[step])
}

/// Adds `NAME=value` to an object, which is made where it is not there.
fn pair(place: &mut Value, text: &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if !name.is_empty() {
        place[name] = value.into();
    }
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
            assert_eq!(mount(&written, "/w"), Ok(expected), "{written}");
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
            assert_eq!(mount(&written, "/w").unwrap_err().to_string(), expected);
        }
    }
}
