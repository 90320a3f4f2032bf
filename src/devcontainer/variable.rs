//! `${localWorkspaceFolder}` and the rest, in three phases: what the host knows, the id, what the container knows.
//!
//! Dev Container specification, "Variables in devcontainer.json". A variable that is not known in a phase stays as it is, for the next one.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Environment variables by name.
pub(crate) type Environment = BTreeMap<String, String>;

/// What the host knows before there is a container.
#[derive(Debug, Clone)]
pub(crate) struct Local<'a> {
    /// The host's environment.
    pub(crate) environment: &'a Environment,
    /// The absolute path of the workspace folder on the host.
    pub(crate) workspace_folder: &'a str,
    /// The path of the workspace folder in the container, where it is known.
    pub(crate) container_workspace_folder: Option<String>,
}

/// What is longer is no path on Linux (`PATH_MAX`), and would only multiply where it is put in.
const LONGEST_PATH: usize = 4096;

/// A variable that names no environment variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no environment variable")]
pub(crate) struct Unnamed(pub(crate) String);

/// What one variable stands for; `None` leaves it as it is.
type Replacement = Result<Option<String>, Unnamed>;

/// One `${name:argument:…}`.
struct Variable<'a> {
    whole: &'a str,
    name: &'a str,
    arguments: Option<&'a str>,
}

impl Local<'_> {
    /// Replaces in all strings of `value`, keys excepted.
    pub(crate) fn substitute(&self, value: &Value) -> Result<Value, Unnamed> {
        let mut whole = self.clone();
        if let Some(folder) = &self.container_workspace_folder {
            let folder = resolve(folder, &|variable| self.lookup(variable))?;
            whole.container_workspace_folder = Some(folder);
        }
        walk(value, &|variable| whole.lookup(variable))
    }

    fn lookup(&self, variable: &Variable<'_>) -> Replacement {
        let container = self.container_workspace_folder.as_deref();
        let container = container.filter(|path| path.len() <= LONGEST_PATH);
        Ok(match variable.name {
            "env" | "localEnv" => return environment(self.environment, variable),
            "localWorkspaceFolder" => Some(self.workspace_folder.to_owned()),
            "localWorkspaceFolderBasename" => Some(basename(self.workspace_folder).to_owned()),
            "containerWorkspaceFolder" => container.map(str::to_owned),
            "containerWorkspaceFolderBasename" => container.map(|path| basename(path).to_owned()),
            _ => None,
        })
    }
}

/// Replaces `${devcontainerId}`.
pub(crate) fn substitute_id(value: &Value, id: &str) -> Value {
    let replace =
        |variable: &Variable<'_>| Ok((variable.name == "devcontainerId").then(|| id.to_owned()));
    // This phase knows no variable that could lack a name.
    walk(value, &replace).unwrap_or_else(|_| value.clone())
}

/// Replaces `${containerEnv:NAME}`.
pub(crate) fn substitute_container(
    value: &Value,
    container: &Environment,
) -> Result<Value, Unnamed> {
    walk(value, &|variable| match variable.name {
        "containerEnv" => environment(container, variable),
        _ => Ok(None),
    })
}

/// The id of the dev container that carries `labels`: their SHA-256 as 52 digits of base 32
/// (specification, "devcontainerId": a string that is unique and stable across rebuilds).
pub(crate) fn devcontainer_id(labels: &BTreeMap<String, String>) -> String {
    let text = serde_json::to_string(labels).unwrap_or_default();
    let hash = Sha256::digest(text);
    let mut digits = String::with_capacity(52);
    // 52 digits of 5 bits hold 260, so that the first digit has the hash's first bit alone.
    for digit in 0..52_usize {
        let value = (0..5).fold(0_usize, |value, bit| {
            let position = (digit * 5 + bit).checked_sub(4);
            let bit = position.map_or(0, |at| usize::from(hash[at / 8] >> (7 - at % 8) & 1));
            value << 1 | bit
        });
        digits.push(char::from(b"0123456789abcdefghijklmnopqrstuv"[value]));
    }
    digits
}

/// The value of the environment variable that `${…:NAME:DEFAULT}` names; an unset one is the default, or empty.
fn environment(environment: &Environment, variable: &Variable<'_>) -> Replacement {
    let Some(arguments) = variable.arguments else {
        return Err(Unnamed(variable.whole.to_owned()));
    };
    let (name, default) = arguments.split_once(':').unwrap_or((arguments, ""));
    let value = environment.get(name).map_or(default, String::as_str);
    Ok(Some(value.to_owned()))
}

fn walk(value: &Value, replace: &dyn Fn(&Variable<'_>) -> Replacement) -> Result<Value, Unnamed> {
    in_strings(value, &|text| resolve(text, replace))
}

/// The value with all its strings replaced, keys excepted.
pub(super) fn in_strings<E>(
    value: &Value,
    replace: &dyn Fn(&str) -> Result<String, E>,
) -> Result<Value, E> {
    Ok(match value {
        Value::String(text) => Value::String(replace(text)?),
        Value::Array(members) => {
            let members = members.iter().map(|member| in_strings(member, replace));
            Value::Array(members.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, member)| Ok((key.clone(), in_strings(member, replace)?)));
            Value::Object(members.collect::<Result<_, E>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// Replaces every `${…}` that ends on its line; what is put in is not looked at again.
fn resolve(text: &str, replace: &dyn Fn(&Variable<'_>) -> Replacement) -> Result<String, Unnamed> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let inside = &rest[start + 2..];
        let Some(end) = inside.find(['}', '\n', '\r', '\u{2028}', '\u{2029}']) else {
            break;
        };
        if !inside[end..].starts_with('}') {
            // Whatever begins on this line does not end on it either.
            resolved.push_str(&rest[..start + 2 + end]);
            rest = &inside[end..];
            continue;
        }
        let (name, arguments) = match inside[..end].split_once(':') {
            Some((name, arguments)) => (name, Some(arguments)),
            None => (&inside[..end], None),
        };
        let whole = &rest[start..=start + 2 + end];
        let variable = Variable {
            whole,
            name,
            arguments,
        };
        resolved.push_str(&rest[..start]);
        resolved.push_str(replace(&variable)?.as_deref().unwrap_or(whole));
        rest = &inside[end + 1..];
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The last component of a path with `/`, as POSIX's `basename` gives it.
pub(crate) fn basename(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_variable_stands_for_what_the_specification_says() {
        let environment = [("HOME", "/home/me"), ("EMPTY", "")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::from(environment);
        let local = Local {
            environment: &environment,
            workspace_folder: "/home/me/demo",
            container_workspace_folder: Some("/workspaces/demo".to_owned()),
        };
        let table = [
            ("${localWorkspaceFolder}/x", "/home/me/demo/x"),
            ("${localWorkspaceFolderBasename}", "demo"),
            (
                "${containerWorkspaceFolder}${containerWorkspaceFolderBasename}",
                "/workspaces/demodemo",
            ),
            ("${localEnv:HOME} ${env:HOME}", "/home/me /home/me"),
            (
                "${localEnv:UNSET}|${localEnv:UNSET:x}|${localEnv:EMPTY:x}|",
                "|x||",
            ),
            ("${localEnv:PROXY:http://proxy:1}", "http://proxy:1"),
            (
                "${unknown} ${devcontainerId} ${containerEnv:HOME}",
                "${unknown} ${devcontainerId} ${containerEnv:HOME}",
            ),
            ("${open ${localEnv:HOME}", "${open ${localEnv:HOME}"),
            ("${line\n${localEnv:HOME}", "${line\n/home/me"),
            ("$HOME {x} ${", "$HOME {x} ${"),
        ];
        for (text, expected) in table {
            assert_eq!(
                local.substitute(&json!(text)),
                Ok(json!(expected)),
                "{text}"
            );
        }
        let nested = json!({ "${localEnv:HOME}": ["${localEnv:HOME}", 1, null] });
        let expected = json!({ "${localEnv:HOME}": ["/home/me", 1, null] });
        assert_eq!(local.substitute(&nested), Ok(expected));
        assert!(local.substitute(&json!("${localEnv}")).is_err());
    }

    #[test]
    fn braces_that_nothing_closes_are_passed_over_once() {
        let open = "${".repeat(500_000);
        for text in [open.clone(), format!("{open}\n")] {
            let id = substitute_id(&json!(text), "");
            assert_eq!(id, json!(text));
        }
    }

    #[test]
    fn a_folder_that_holds_itself_many_times_does_not_grow_without_end() {
        let environment = Environment::new();
        let folder = "${containerWorkspaceFolder}".repeat(20_000);
        let local = Local {
            environment: &environment,
            workspace_folder: "/p",
            container_workspace_folder: Some(folder.clone()),
        };
        assert_eq!(local.substitute(&json!(folder)), Ok(json!(folder)));
    }

    #[test]
    fn the_id_is_the_hash_of_the_labels_in_base_32() {
        let id = devcontainer_id(&BTreeMap::new());
        assert_eq!(id.len(), 52);
        // SHA-256 of `{}` is 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.
        assert_eq!(id, "0h0jduhlbcr7h88kdb8muvk697kkvd7s47v7fq1h1g30uoealvsa");
    }
}
