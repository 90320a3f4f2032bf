//! Files of the host that flags name.

use super::draft::Host;
use super::value::pair;
use serde::de::IgnoredAny;

/// The lines of a file of variables or labels, without comments. A name alone has the value that `value` knows, or is left out.
fn lines(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim_start) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, _) = pair(line);
        if name.is_empty() {
            return Err(format!("its line `{line}` has no name"));
        }
        if name.contains([' ', '\t']) {
            return Err(format!("its name `{name}` has a space"));
        }
        if line.contains('=') {
            lines.push(line.to_owned());
        } else {
            lines.extend(value(name).map(|value| format!("{name}={value}")));
        }
    }
    Ok(lines)
}

/// The variables of a file; a name alone has the value that it has on the host.
pub(super) fn variables(host: Host<'_>, path: &str) -> Result<Vec<String>, String> {
    lines(host.text(path)?, |name| host.environment.get(name).cloned())
}

/// The labels of a file.
pub(super) fn labels(host: Host<'_>, path: &str) -> Result<Vec<String>, String> {
    lines(host.text(path)?, |_| None)
}

/// The name and the value of a `--security-opt`.
fn security(option: &str) -> Option<(&str, &str)> {
    let (name, value) = match option.split_once('=') {
        Some(pair) => pair,
        None if option == "no-new-privileges" => (option, ""),
        None => option.split_once(':')?,
    };
    (!value.is_empty() || name == "no-new-privileges").then_some((name, value))
}

/// The file of a `--security-opt` that names one: a profile of seccomp.
pub(super) fn profile(option: &str) -> Option<&str> {
    match security(option) {
        Some(("seccomp", path)) if !["builtin", "unconfined"].contains(&path) => Some(path),
        _ => None,
    }
}

/// The option as the engine takes it, with the text of a profile in place of its path.
pub(super) fn security_option(host: Host<'_>, option: &str) -> Result<String, String> {
    security(option).ok_or("it is not NAME=value")?;
    match profile(option) {
        Some(path) => Ok(format!("seccomp={}", compact(host.text(path)?)?)),
        None => Ok(option.to_owned()),
    }
}

/// JSON without the white space between its parts.
fn compact(text: &str) -> Result<String, String> {
    serde_json::from_str::<IgnoredAny>(text)
        .map_err(|error| format!("its file is no JSON: {error}"))?;
    let (mut is_quoted, mut is_escaped) = (false, false);
    let kept = text.chars().filter(|c| {
        let is_kept = is_quoted || !c.is_ascii_whitespace();
        is_quoted ^= *c == '"' && !is_escaped;
        is_escaped = is_quoted && *c == '\\' && !is_escaped;
        is_kept
    });
    Ok(kept.collect())
}
