//! YAML, and the services of Compose files.

use super::grammar::{Tokens, Values, below, one, some};
use crate::devcontainer::compose::{Found, Project, Source, dot_env, join, source};
use crate::devcontainer::variable::Environment;
use crate::yaml;
use bolero::{Driver, ValueGenerator, check};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const TOKENS: &[&str] = &[
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    ": ",
    "? ",
    "a",
    "b",
    "&a ",
    "*a",
    "<<: ",
    "<<: *a",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "\"",
    "'",
    "|",
    ">",
    "|2-\n",
    "!!str ",
    "!t ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "%TAG ! x",
    "# ",
    "\\x",
    "\\u12",
    "~",
    "true",
    "1",
    "0x",
    "\t",
    "\r",
    "@",
    "`",
    "\u{85}",
    "services:\n  ",
    "image: ",
    "extends: ",
    "include: ",
    "$",
    "${",
    ":-",
    ":?",
];

const VALUES: Values = Values {
    keys: &["a", "b c", "", "1", "é", "<", "-", "?", "#"],
    texts: &[
        "a", "\"", "\\", "\n", "- ", ": ", "#", "*a", "😀", "\u{85}", "~", "null", "1", "---",
    ],
};

#[test]
fn any_text_is_yaml_or_has_its_fault() {
    check!()
        .with_generator(Tokens(TOKENS))
        .with_iterations(1000)
        .for_each(|text| {
            let _ = yaml::parse(text);
            is_found_or_refused(text);
        });
}

#[test]
fn any_bytes_are_yaml_or_have_their_fault() {
    check!().with_iterations(1000).for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let _ = yaml::parse(&text);
        let _ = dot_env(&text);
    });
}

#[test]
fn json_is_yaml() {
    check!()
        .with_generator(VALUES)
        .with_iterations(1000)
        .for_each(|value| {
            let text = value.to_string();
            let read = yaml::parse(&text).expect("JSON is YAML");
            assert_eq!(read, with_texts(value), "{text}");
        });
}

/// A value whose numbers are texts where they would be written otherwise.
fn with_texts(value: &Value) -> Value {
    match value {
        Value::Number(number) if !number.is_i64() => number.to_string().into(),
        Value::Array(members) => members.iter().map(with_texts).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, member)| (key.clone(), with_texts(member)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

fn is_found_or_refused(text: &str) {
    let file = "/p/compose.yml".to_owned();
    let texts = BTreeMap::from([(file.clone(), text.to_owned())]);
    let environment = Environment::from([("a".to_owned(), "b".to_owned())]);
    let project = Project {
        files: &[file],
        texts: &texts,
        environment: &environment,
    };
    for service in ["a", "b"] {
        let _ = source(project, service);
    }
}

/// Services that extend and include each other.
#[derive(Debug, Clone, Copy)]
struct Projects;

const FILES: [&str; 3] = ["/p/a.yml", "/p/b.yml", "/p/sub/c.yml"];

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

impl ValueGenerator for Projects {
    type Output = BTreeMap<String, String>;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Self::Output> {
        let count = below(driver, FILES.len() + 1)?;
        let files = FILES[..count].iter().map(|file| {
            let services = some(driver, 5, |driver| {
                Some((one(driver, &NAMES)?.to_owned(), service(driver)?.into()))
            })?;
            let services: Map<String, Value> = services.into_iter().collect();
            let include = some(driver, 3, |driver| one(driver, &PATHS))?;
            let text = json!({ "include": include, "services": services });
            Some(((*file).to_owned(), text.to_string()))
        });
        files.collect()
    }
}

const PATHS: [&str; 4] = ["a.yml", "b.yml", "sub/c.yml", "../b.yml"];

fn service(driver: &mut impl Driver) -> Option<Map<String, Value>> {
    let members = some(driver, 3, |driver| {
        let name = one(driver, &NAMES)?;
        Some(match below(driver, 6)? {
            0 => ("image", name.into()),
            1 => ("image", "${MISSING:-${a:?}}".into()),
            2 => ("build", json!({ "args": [name, "x=1"], "target": name })),
            3 => ("build", name.into()),
            4 => ("extends", name.into()),
            _ => (
                "extends",
                json!({ "service": name, "file": one(driver, &PATHS)? }),
            ),
        })
    })?;
    let members = members.into_iter();
    Some(
        members
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

#[test]
fn services_that_lean_on_each_other_are_found_or_refused() {
    check!()
        .with_generator(Projects)
        .with_iterations(400)
        .for_each(|texts| {
            let environment = Environment::new();
            let files: Vec<String> = texts.keys().take(2).cloned().collect();
            let project = Project {
                files: &files,
                texts,
                environment: &environment,
            };
            for name in NAMES {
                match source(project, name) {
                    Ok(Found::Missing(file)) => assert!(!texts.contains_key(&file)),
                    Ok(Found::Source(Source::Build(build))) => {
                        assert_eq!(build.dockerfile, join("/", &build.dockerfile));
                    }
                    Ok(Found::Source(Source::Image(image))) => assert!(!image.is_empty()),
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        });
}

#[test]
fn a_line_of_dot_env_says_what_is_between_its_quotes() {
    let tokens = &["a", " ", "#", "=", "\"", "$", "export ", "é", "\\n"];
    check!()
        .with_generator(Tokens(tokens))
        .with_iterations(1000)
        .for_each(|text| {
            let _ = dot_env(text);
            let value: String = text
                .chars()
                .filter(|c| !c.is_control() && *c != '\'')
                .collect();
            let read = dot_env(&format!("# {value}\nexport NAME = '{value}' # {value}\n"));
            assert_eq!(read, Environment::from([("NAME".to_owned(), value)]));
        });
}
