//! Compose files → what a service is made of (Compose specification: "Merge", "Interpolation", "extends", "include").

use super::variable::{Environment, in_strings};
use crate::yaml::{self, YamlError};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a service's image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A ready image.
    Image(String),
    /// A Dockerfile.
    Build(Build),
}

/// The `build` of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Build {
    /// The Dockerfile's path.
    pub(crate) dockerfile: String,
    /// Its text, where it stands in the Compose file itself.
    pub(crate) inline: Option<String>,
    /// The build arguments that have a value.
    pub(crate) args: BTreeMap<String, String>,
    /// The stage.
    pub(crate) target: Option<String>,
}

/// What is known of the files, and of the variables in them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Project<'a> {
    /// The files that the project is made of, by absolute path; later ones go over earlier ones.
    pub(crate) files: &'a [String],
    /// The texts of all files that were read so far, by absolute path.
    pub(crate) texts: &'a BTreeMap<String, String>,
    /// The environment, over what `.env` says.
    pub(crate) environment: &'a Environment,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// This.
    Source(Source),
    /// A file has to be read first, of this absolute path.
    Missing(String),
}

/// Why there is no such service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ComposeError {
    /// A file is no YAML.
    #[error("`{file}` is no YAML")]
    Yaml {
        /// The file.
        file: String,
        /// Where and why.
        source: YamlError,
    },
    /// A variable that must be set.
    #[error("`{file}` needs the variable `{name}`: {reason}")]
    Variable {
        /// The file.
        file: String,
        /// The variable.
        name: String,
        /// What the file says of it.
        reason: String,
    },
    /// No service of this name.
    #[error("there is no service `{service}` in `{file}`")]
    NoService {
        /// Its name.
        service: String,
        /// The last file that was looked at.
        file: String,
        /// The services that there are.
        known: Vec<String>,
    },
    /// A service that extends itself.
    #[error("the service `{service}` in `{file}` extends itself")]
    Circle {
        /// Its name.
        service: String,
        /// The file.
        file: String,
    },
    /// A service of nothing.
    #[error("the service `{service}` in `{file}` has neither `image` nor `build`")]
    NoImage {
        /// Its name.
        service: String,
        /// The file.
        file: String,
    },
}

/// Why the walk stops: a fault, or a file that is not read yet.
enum Stop {
    Error(ComposeError),
    Missing(String),
}

impl From<ComposeError> for Stop {
    fn from(error: ComposeError) -> Self {
        Self::Error(error)
    }
}

/// What `service` is made of, whatever its profiles.
pub(crate) fn source(project: Project<'_>, service: &str) -> Result<Found, ComposeError> {
    let mut walk = Walk {
        project,
        read: BTreeMap::new(),
    };
    match walk.of_project(service) {
        Ok(source) => Ok(Found::Source(source)),
        Err(Stop::Missing(file)) => Ok(Found::Missing(file)),
        Err(Stop::Error(error)) => Err(error),
    }
}

struct Walk<'a> {
    project: Project<'a>,
    /// The services of the files that were read, by file and folder.
    read: BTreeMap<(String, String), Rc<Map<String, Value>>>,
}

impl Walk<'_> {
    fn of_project(&mut self, service: &str) -> Result<Source, Stop> {
        let mut whole: Option<Map<String, Value>> = None;
        let mut known = Vec::new();
        // All files that are named count their paths from the first one's folder.
        let base = self.project.files.first().map_or("", |file| folder(file));
        for file in self.project.files {
            let services = self.services(file, base)?;
            known.extend(services.keys().cloned());
            if services.contains_key(service) {
                let found = self.service(service, (file, base))?;
                whole = Some(merge(whole.unwrap_or_default(), found));
            }
        }
        let file = self.project.files.first().cloned().unwrap_or_default();
        let Some(whole) = whole else {
            return Err(ComposeError::NoService {
                service: service.to_owned(),
                file,
                known,
            }
            .into());
        };
        Ok(
            made_of(&whole, self.project.environment).ok_or_else(|| ComposeError::NoImage {
                service: service.to_owned(),
                file,
            })?,
        )
    }

    /// The services of a file and of those that it includes; `base` is what its paths are counted from.
    fn services(&mut self, file: &str, base: &str) -> Result<Rc<Map<String, Value>>, Stop> {
        let here = (file.to_owned(), base.to_owned());
        if let Some(services) = self.read.get(&here) {
            return Ok(Rc::clone(services));
        }
        let mut services = Map::new();
        let mut seen = BTreeSet::new();
        let mut pending = vec![Step::Read(here.clone())];
        while let Some(step) = pending.pop() {
            let (file, base) = match step {
                Step::Read(here) => here,
                Step::Add(whole, base) => {
                    services.extend(own_services(&whole, &base));
                    continue;
                }
            };
            // A file that is included a second time, or by itself, brings nothing new.
            if !seen.insert(file.clone()) {
                continue;
            }
            let whole = self.file(&file)?;
            let below = included(&whole).into_iter().rev().map(|path| {
                let path = join(&base, &path);
                let base = folder(&path).to_owned();
                Step::Read((path, base))
            });
            let below: Vec<Step> = below.collect();
            pending.push(Step::Add(whole, base));
            pending.extend(below);
        }
        let services = Rc::new(services);
        self.read.insert(here, Rc::clone(&services));
        Ok(services)
    }

    /// A file's values, with its variables put in.
    fn file(&self, file: &str) -> Result<Value, Stop> {
        let Some(text) = self.project.texts.get(file) else {
            return Err(Stop::Missing(file.to_owned()));
        };
        let value = yaml::parse(text).map_err(|source| ComposeError::Yaml {
            file: file.to_owned(),
            source,
        })?;
        let value = interpolated(&value, self.project.environment);
        Ok(value.map_err(|(name, reason)| ComposeError::Variable {
            file: file.to_owned(),
            name,
            reason,
        })?)
    }

    /// A service of a file whose paths are counted from `base`, over those that it extends.
    fn service(
        &mut self,
        service: &str,
        (file, base): (&str, &str),
    ) -> Result<Map<String, Value>, Stop> {
        let (mut name, mut file, mut base) = (service.to_owned(), file.to_owned(), base.to_owned());
        let mut seen = BTreeSet::new();
        let mut chain: Vec<Map<String, Value>> = Vec::new();
        loop {
            let services = self.services(&file, &base)?;
            let Some(own) = services.get(&name).and_then(Value::as_object) else {
                return Err(ComposeError::NoService {
                    service: name,
                    file,
                    known: services.keys().cloned().collect(),
                }
                .into());
            };
            chain.push(own.clone());
            let Some((extended, other)) = own.get("extends").and_then(extended) else {
                let below_first = chain.into_iter().rev();
                return Ok(below_first.reduce(merge).unwrap_or_default());
            };
            if !seen.insert((name.clone(), file.clone())) {
                let service = name;
                return Err(ComposeError::Circle { service, file }.into());
            }
            name = extended;
            if let Some(other) = other {
                file = join(&base, &other);
                folder(&file).clone_into(&mut base);
            }
        }
    }
}

/// What is left to do for the services of a file.
enum Step {
    /// To read a file whose paths are counted from a folder.
    Read((String, String)),
    /// To add what it says itself, once all that it includes is there.
    Add(Value, String),
}

/// The services that a file has itself, their paths counted from `base`.
fn own_services(whole: &Value, base: &str) -> Map<String, Value> {
    let own = whole.get("services").and_then(Value::as_object);
    let resolved = own.into_iter().flatten().map(|(name, service)| {
        let mut service = service.as_object().cloned().unwrap_or_default();
        resolve_build(&mut service, base);
        (name.clone(), service.into())
    });
    resolved.collect()
}

/// `extends: NAME`, or with `service` and `file`.
fn extended(extends: &Value) -> Option<(String, Option<String>)> {
    if let Some(service) = extends.as_str() {
        return Some((service.to_owned(), None));
    }
    let text = |name| extends.get(name).and_then(Value::as_str).map(str::to_owned);
    Some((text("service")?, text("file")))
}

/// The paths of `include`: text, or objects with one path or several.
fn included(file: &Value) -> Vec<String> {
    let list = |value: &Value| match value {
        Value::Array(members) => members.clone(),
        Value::Null => Vec::new(),
        other => vec![other.clone()],
    };
    let entries = file.get("include").map(list).unwrap_or_default();
    let paths = entries.iter().flat_map(|entry| match entry.get("path") {
        Some(paths) => list(paths),
        None => vec![entry.clone()],
    });
    paths
        .filter_map(|path| path.as_str().map(str::to_owned))
        .collect()
}

/// Makes `build` an object whose context is absolute, so that it may be merged with one of another folder.
fn resolve_build(service: &mut Map<String, Value>, folder: &str) {
    let Some(build) = service.get_mut("build").filter(|build| !build.is_null()) else {
        return;
    };
    if let Some(context) = build.as_str() {
        *build = json!({ "context": context });
    }
    let Some(build) = build.as_object_mut() else {
        return;
    };
    if let Some(context) = build.get("context").and_then(Value::as_str) {
        let context = join(folder, context);
        build.insert("context".to_owned(), context.into());
    }
    if let Some(args) = build.get("args") {
        let args = pairs(args);
        build.insert("args".to_owned(), args.into());
    }
    build
        .entry("context")
        .or_insert_with(|| folder.to_owned().into());
}

/// `NAME: value` or a list of `NAME=value`; one without a value is the environment's.
fn pairs(value: &Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members.clone(),
        Value::Array(members) => {
            let members = members.iter().filter_map(Value::as_str);
            let pairs = members.map(|member| match member.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.into()),
                None => (member.to_owned(), Value::Null),
            });
            pairs.collect()
        }
        _ => Map::new(),
    }
}

/// `over` on top of `base`: objects key by key, all else whole.
fn merge(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in over {
        let value = match (base.remove(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over).into(),
            (Some(base), Value::Null) => base,
            (_, value) => value,
        };
        base.insert(key, value);
    }
    base
}

/// What a whole service is made of; a build goes before an image, whose name is then that of the result.
fn made_of(service: &Map<String, Value>, environment: &Environment) -> Option<Source> {
    let text = |map: &Map<String, Value>, name| map.get(name).and_then(plain);
    if let Some(build) = service.get("build").and_then(Value::as_object) {
        let context = text(build, "context").unwrap_or_default();
        let dockerfile = text(build, "dockerfile").unwrap_or_else(|| "Dockerfile".to_owned());
        let args = build.get("args").map(pairs).unwrap_or_default();
        let args = args.into_iter().filter_map(|(name, value)| {
            let value = plain(&value).or_else(|| environment.get(&name).cloned())?;
            Some((name, value))
        });
        return Some(Source::Build(Build {
            dockerfile: join(&context, &dockerfile),
            inline: text(build, "dockerfile_inline"),
            args: args.collect(),
            target: text(build, "target").filter(|target| !target.is_empty()),
        }));
    }
    let image = text(service, "image").filter(|image| !image.is_empty());
    image.map(Source::Image)
}

/// A scalar as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The folder of a file.
fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or(
        "",
        |(folder, _)| if folder.is_empty() { "/" } else { folder },
    )
}

/// `path` as seen from `folder`, without `.` and `..`.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// A variable that has no value, and what is to be said of it.
type Unset = (String, String);

/// Puts in the variables of all strings, keys excepted.
fn interpolated(value: &Value, environment: &Environment) -> Result<Value, Unset> {
    in_strings(value, &|text| interpolate(text, environment, 0))
}

/// How deep variables may lie in one another before the rest is left as it is: the stack is finite.
const DEEPEST: usize = 64;

/// Puts in `$X`, `${X}` and the forms with `-`, `?` and `+`, with or without a colon; `$$` is a dollar.
fn interpolate(text: &str, environment: &Environment, depth: usize) -> Result<String, Unset> {
    if depth > DEEPEST {
        return Ok(text.to_owned());
    }
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        if let Some(left) = after.strip_prefix('$') {
            done.push('$');
            rest = left;
            continue;
        }
        let end = name_end(after);
        if end > 0 {
            done.push_str(environment.get(&after[..end]).map_or("", String::as_str));
            rest = &after[end..];
            continue;
        }
        if !after.starts_with('{') {
            done.push('$');
            rest = after;
            continue;
        }
        let Some((inside, left)) = braced(after) else {
            return Ok(done + "$" + after);
        };
        done.push_str(&substituted(inside, environment, depth)?);
        rest = left;
    }
    Ok(done + rest)
}

fn name_end(text: &str) -> usize {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

/// What is between `{` and the brace that closes it, and what comes after.
fn braced(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('{')?;
    let mut depth = 1;
    let end = inside.find(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    Some((&inside[..end], &inside[end + 1..]))
}

fn substituted(inside: &str, environment: &Environment, depth: usize) -> Result<String, Unset> {
    let (name, rest) = inside.split_at(name_end(inside));
    let is_colon = rest.starts_with(':');
    let value = environment.get(name);
    let value = value.filter(|value| !(is_colon && value.is_empty()));
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let mut chars = rest.chars();
    match (chars.next(), value) {
        (Some('+'), Some(_)) | (Some('-'), None) => {
            interpolate(chars.as_str(), environment, depth + 1)
        }
        (Some('?'), None) => Err((name.to_owned(), chars.as_str().to_owned())),
        (Some('+'), None) => Ok(String::new()),
        (_, value) => Ok(value.cloned().unwrap_or_default()),
    }
}

/// The variables of a `.env` file: `NAME=value` lines, with comments and quotes.
pub(crate) fn dot_env(text: &str) -> Environment {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.filter_map(|line| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=')?;
        Some((name.trim().to_owned(), dot_env_value(value.trim())))
    });
    pairs.collect()
}

fn dot_env_value(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value
            .strip_prefix(quote)
            .and_then(|inside| inside.split_once(quote))
        {
            return inside.to_owned();
        }
    }
    let end = value.find(" #").unwrap_or(value.len());
    value[..end].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)], service: &str) -> Result<Found, ComposeError> {
        let texts: BTreeMap<String, String> = files
            .iter()
            .map(|(name, text)| (format!("/p/{name}"), (*text).to_owned()))
            .collect();
        let named = files.iter().filter(|(name, _)| name.starts_with("compose"));
        let named: Vec<String> = named.map(|(name, _)| format!("/p/{name}")).collect();
        let environment = [("TAG", "7"), ("EMPTY", "")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::from(environment);
        source(
            Project {
                files: &named,
                texts: &texts,
                environment: &environment,
            },
            service,
        )
    }

    #[track_caller]
    fn assert_image(files: &[(&str, &str)], service: &str, expected: &str) {
        let image = Source::Image(expected.to_owned());
        assert_eq!(found(files, service), Ok(Found::Source(image)), "{files:?}");
    }

    #[test]
    fn a_build_takes_its_parts_from_all_files() {
        let first = "services: { app: { build: { context: ., args: [A=1, B=2, C, TAG] } } }";
        let second = "services: { app: { image: x, build: { dockerfile: sub/D, target: t, args: { B: 3 } } } }";
        let build = Build {
            dockerfile: "/p/sub/D".to_owned(),
            inline: None,
            args: [("A", "1"), ("B", "3"), ("TAG", "7")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            target: Some("t".to_owned()),
        };
        assert_eq!(
            found(&[("compose1", first), ("compose2", second)], "app"),
            Ok(Found::Source(Source::Build(build)))
        );
    }

    #[test]
    fn a_service_may_stand_on_others() {
        let extends = "services: { app: { extends: base }, base: { extends: { file: sub/other, service: it } } }";
        let other = "services: { it: { image: 'a:$TAG' } }";
        assert_eq!(
            found(&[("compose", extends)], "app"),
            Ok(Found::Missing("/p/sub/other".to_owned()))
        );
        assert_image(&[("compose", extends), ("sub/other", other)], "app", "a:7");
        let include = "include: [sub/other, { path: [more] }]";
        let more = "include: [compose]\nservices: { me: { image: m } }";
        let files = [("compose", include), ("sub/other", other), ("more", more)];
        assert_image(&files, "me", "m");
        assert_image(&files, "it", "a:7");
        let circle = "services: { a: { extends: b }, b: { extends: { service: a } } }";
        let error = found(&[("compose", circle)], "a").unwrap_err();
        assert!(matches!(error, ComposeError::Circle { .. }), "{error}");
    }

    #[test]
    fn variables_are_put_in_as_compose_does() {
        let table = [
            ("$TAG-${TAG}", "7-7"),
            ("a:${MISSING:-${TAG}}", "a:7"),
            ("${EMPTY:-x}|${EMPTY-x}|${TAG:+y}|${MISSING+y}|", "x||y||"),
            ("$$TAG $ ${", "$TAG $ ${"),
        ];
        for (text, expected) in table {
            let file = format!("services: {{ app: {{ image: '{text}' }} }}");
            assert_image(&[("compose", &file)], "app", expected);
        }
        let unset = "services: { app: { image: '${MISSING:?set it}' } }";
        let error = found(&[("compose", unset)], "app").unwrap_err();
        assert!(error.to_string().ends_with("`MISSING`: set it"), "{error}");
    }

    #[test]
    fn no_nesting_of_variables_ends_the_stack() {
        let environment = Environment::new();
        let nested = "${A:-".repeat(20_000) + "x" + &"}".repeat(20_000);
        assert!(interpolate(&nested, &environment, 0).is_ok());
        let open = "${".repeat(200_000);
        assert_eq!(interpolate(&open, &environment, 0), Ok(open.clone()));
    }

    #[test]
    fn a_long_chain_of_services_ends_neither_stack_nor_patience() {
        let links = (1..5_000).map(|link| {
            let last = link - 1;
            let file = if link % 2 == 0 { ", file: compose" } else { "" };
            format!("  s{link}: {{ extends: {{ service: s{last}{file} }} }}\n")
        });
        let links: String = links.collect();
        let file = format!("services:\n  s0: {{ image: x }}\n{links}");
        assert_image(&[("compose", &file)], "s4999", "x");
    }

    #[test]
    fn files_that_include_each_other_twice_are_read_once() {
        let names: Vec<String> = (0..60).map(|file| format!("compose{file}")).collect();
        let texts: Vec<String> = (1..=60)
            .map(|next| format!("include: [compose{next}, ./compose{next}]\nservices: {{}}\n"))
            .collect();
        let mut files: Vec<(&str, &str)> = names
            .iter()
            .zip(&texts)
            .map(|(n, t)| (&**n, &**t))
            .collect();
        files.push(("compose60", "services: { it: { image: x } }"));
        assert_image(&files, "it", "x");
    }

    #[test]
    fn dot_env_is_read_line_by_line() {
        let text = "# why\nA=1\nexport B = \"x # y\" # z\nC='$A'\nD=a b # c\nnothing\nE=\n";
        let expected = [
            ("A", "1"),
            ("B", "x # y"),
            ("C", "$A"),
            ("D", "a b"),
            ("E", ""),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(dot_env(text), Environment::from(expected));
    }
}
