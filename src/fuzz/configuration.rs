//! devcontainer.json on any host, and its variables.

use super::grammar::{Objects, Tokens, Values, below, one, some};
use crate::devcontainer::configuration::{Remark, Surroundings, configure, id_labels, remarks};
use crate::devcontainer::explain::explain;
use crate::devcontainer::properties::PROPERTIES;
use crate::devcontainer::variable::{Environment, Local};
use crate::devcontainer::workspace_folder::HostFolder;
use crate::jsonc;
use crate::terminal::source::{Source, Weight, framed};
use bolero::{Driver, ValueGenerator, check};
use serde_json::{Value, json};

pub(super) const VALUES: Values = Values {
    keys: &[
        "workspaceFolder",
        "workspaceMount",
        "dockerComposeFile",
        "service",
        "image",
        "name",
        "extensions",
        "settings",
        "devPort",
        "customizations",
        "vscode",
        "remoteEnv",
        "containerEnv",
        "remoteUser",
        "features",
        "mounts",
        "postCreateCommand",
        "forwardPorts",
        "configFilePath",
        "a",
        "a/b",
        "~",
        "a.b",
        "PATH",
        "",
    ],
    texts: &[
        "${localEnv:HOME}",
        "${localEnv:UNSET:x}",
        "${localEnv}",
        "${localWorkspaceFolder}",
        "${localWorkspaceFolderBasename}",
        "${containerWorkspaceFolder}",
        "${containerWorkspaceFolderBasename}",
        "${devcontainerId}",
        "${containerEnv:PATH}",
        "${containerEnv}",
        "${",
        "}",
        "$",
        "\n",
        "/workspaces",
        "/",
        "a",
    ],
};

/// A text, and a host.
#[derive(Debug, Clone, Copy)]
struct Cases;

#[derive(Debug)]
struct Case {
    text: String,
    folder: &'static str,
    git_root: Option<&'static str>,
    environment: Environment,
}

impl ValueGenerator for Cases {
    type Output = Case;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Case> {
        let text = Value::from(Objects(VALUES).generate(driver)?).to_string();
        let folders = ["/home/me/demo", "/", "", "relative", "/a,b/${x}/é", "/a/"];
        let roots = [None, Some("/home/me"), Some("/"), Some("/elsewhere")];
        let names = ["HOME", "PATH", "EMPTY", ""];
        let environment = some(driver, 4, |driver| {
            let value = one(driver, VALUES.texts)?;
            Some((one(driver, &names)?.to_owned(), value.to_owned()))
        })?;
        Some(Case {
            text: broken(driver, text)?,
            folder: one(driver, &folders)?,
            git_root: one(driver, &roots)?,
            environment: environment.into_iter().collect(),
        })
    }
}

/// The text as it is, or cut short, or with something put in.
fn broken(driver: &mut impl Driver, mut text: String) -> Option<String> {
    let mut at = below(driver, text.len().max(1))?;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    match below(driver, 4)? {
        0 => text.truncate(at),
        1 => text.insert_str(
            at,
            one(driver, &["\"", ",", "//", "/*", "{", "}", ":", "\n"])?,
        ),
        _ => {}
    }
    Some(text)
}

#[test]
fn any_text_on_any_host_is_a_configuration_or_an_error() {
    check!()
        .with_generator(Cases)
        .with_iterations(1000)
        .for_each(is_read);
}

fn is_read(case: &Case) {
    let surroundings = Surroundings {
        folder: HostFolder {
            path: case.folder,
            git_root: case.git_root,
        },
        config_file: "/home/me/demo/.devcontainer/devcontainer.json",
        environment: &case.environment,
    };
    let Ok(configuration) = configure(&case.text, surroundings) else {
        return;
    };
    for remark in remarks(&configuration.document) {
        assert!(case.text.get(remark.place.clone()).is_some());
        if remark.message.ends_with("nothing reads it") {
            assert!(!remark.place.is_empty(), "{}", remark.message);
        }
    }
    let keys = configuration.config.keys().map(String::as_str);
    for key in keys.chain(PROPERTIES.iter().copied()) {
        let explanation = explain(key, &configuration, None);
        let known = explanation.expect("what is there can be explained");
        for said in known.said {
            let place = said.place.unwrap_or_default();
            assert!(case.text.get(place).is_some());
        }
    }
    for key in ["", ".", "remoteEnv.PATH", "a.b.c", "customizations.vscode"] {
        let _ = explain(key, &configuration, None);
    }
    let labels = &id_labels(case.folder, surroundings.config_file)[0];
    let keys: Vec<String> = configuration.config.keys().cloned().collect();
    if let Ok(configuration) = configuration.in_container(labels, &case.environment) {
        let now = configuration.config.keys();
        assert!(now.len() == keys.len() && now.clone().all(|key| keys.contains(key)));
    }
}

/// A remark is shown, and disturbs no terminal.
fn is_framed(text: &str, remark: &Remark) {
    let source = Source {
        name: "devcontainer.json",
        text,
    };
    let shown = framed(&source, remark, Weight::Warning);
    // Colours apart, no control character gets through.
    let plain = anstream::adapter::strip_str(&shown).to_string();
    assert!(!plain.contains(|c: char| c.is_control() && c != '\n'));
    let colours = shown.matches('\u{1b}').count();
    assert_eq!(shown.matches("\u{1b}[").count(), colours);
}

#[test]
fn the_remarks_on_any_text_can_be_shown() {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\u{1b}[2J",
        "\u{0}",
        "é",
        "😀",
        "\u{feff}",
        "\u{200d}",
        "\u{202e}",
        "\u{301}",
        "\u{85}",
        "/*",
        "//",
        " ",
        "1.",
        "\\x",
        "\"imag\": 1",
    ];
    check!()
        .with_generator(Tokens(TOKENS))
        .with_iterations(400)
        .for_each(|text| {
            for remark in remarks(&jsonc::parse(text)) {
                is_framed(text, &remark);
            }
        });
}

/// A text with variables, and what it must come to.
#[derive(Debug, Clone, Copy)]
struct Substitutions;

#[derive(Debug)]
struct Substitution {
    text: String,
    expected: String,
    folder: &'static str,
}

const ENVIRONMENT: [(&str, &str); 3] = [("HOME", "/home/me"), ("EMPTY", ""), ("ODD", "a:$b\n")];

impl ValueGenerator for Substitutions {
    type Output = Substitution;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Substitution> {
        let folder = one(driver, &["/home/me/demo", "/", "", "/é/"])?;
        let pieces = some(driver, 12, |driver| piece(driver, folder))?;
        let (text, expected): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        Some(Substitution {
            text: text.concat(),
            expected: expected.concat(),
            folder,
        })
    }
}

/// A piece of text, and what it stands for.
fn piece(driver: &mut impl Driver, folder: &str) -> Option<(String, String)> {
    let plain = [
        "a",
        "/x",
        " ",
        "é",
        "\n",
        ":",
        "}",
        "$",
        "${unknown}",
        "${devcontainerId}",
        "${\n",
        "${containerEnv:HOME:x}",
        "${:}",
    ];
    let same = |text: &str| Some((text.to_owned(), text.to_owned()));
    let of = |text: &str, value: &str| Some((text.to_owned(), value.to_owned()));
    let base = folder.trim_end_matches('/').rsplit('/').next();
    match below(driver, 6)? {
        0 => of("${localWorkspaceFolder}", folder),
        1 => of("${localWorkspaceFolderBasename}", base.unwrap_or_default()),
        2 => {
            let name = one(driver, &["HOME", "EMPTY", "ODD", "UNSET"])?;
            let default = one(driver, &["", ":", ":d", ":a:b", ":é"])?;
            let set = ENVIRONMENT.iter().find(|(known, _)| *known == name);
            let value = set.map_or(default.strip_prefix(':').unwrap_or(""), |(_, value)| value);
            let phase = one(driver, &["localEnv", "env"])?;
            of(&format!("${{{phase}:{name}{default}}}"), value)
        }
        _ => same(one(driver, &plain)?),
    }
}

#[test]
fn a_variable_is_put_in_wherever_it_stands_and_nothing_else_is_changed() {
    check!()
        .with_generator(Substitutions)
        .with_iterations(1000)
        .for_each(|case| {
            let environment = ENVIRONMENT.map(|(name, value)| (name.into(), value.into()));
            let environment = Environment::from(environment);
            let local = Local {
                environment: &environment,
                workspace_folder: case.folder,
                container_workspace_folder: None,
            };
            let value = json!({ "k": [case.text, 1], case.text.clone(): null });
            let expected = json!({ "k": [case.expected, 1], case.text.clone(): null });
            let once = local.substitute(&value).expect("every variable has a name");
            assert_eq!(once, expected);
            if !case.text.contains("$$") && !case.text.contains("ODD") {
                assert_eq!(local.substitute(&once), Ok(expected), "a second time");
            }
        });
}
