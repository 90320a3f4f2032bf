//! Every template with every combination of its options, through the binary.

use crate::support::{Entry, folder, json, names, run, snapshot, tool};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The ids of all templates: those that `list` shows, and our own.
fn ids() -> Vec<String> {
    let folders = fs::read_dir("templates")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut ids: Vec<String> = folders
        .filter(|path| path.join("devcontainer-template.json").is_file())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn list_shows_the_templates_whose_names_begin_with_a_letter() {
    let dir = folder();
    let listed = json(&run(dir.path(), &["list", "--json"]).succeeds().stdout);
    let listed: Vec<String> = listed["templates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|template| template["id"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<String> = ids()
        .into_iter()
        .filter(|id| !id.starts_with('_'))
        .collect();
    assert_eq!(listed, expected);
}

/// Every choice and proposal of every option with every other; what has neither keeps its default.
fn combinations(template: &str) -> Vec<BTreeMap<String, String>> {
    let dir = folder();
    let shown = json(
        &run(dir.path(), &["show", template, "--json"])
            .succeeds()
            .stdout,
    );
    let mut combinations = vec![BTreeMap::new()];
    for option in shown["template"]["options"].as_array().unwrap() {
        let name = option["name"].as_str().unwrap();
        let values = values(option);
        if values.is_empty() {
            continue;
        }
        combinations = combinations
            .iter()
            .flat_map(|so_far| {
                values.iter().map(move |value| {
                    let mut next: BTreeMap<String, String> = so_far.clone();
                    next.insert(name.to_owned(), value.clone());
                    next
                })
            })
            .collect();
    }
    combinations
}

fn values(option: &Value) -> Vec<String> {
    if option["type"] == "boolean" {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    let mut values = Vec::new();
    for key in ["enum", "proposals"] {
        values.extend(
            option[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| value.as_str().unwrap().to_owned()),
        );
    }
    if option["pattern"] == "image" {
        values.push("ghcr.io/acme/python:latest".to_owned());
    }
    values
}

#[test]
fn every_combination_of_options_renders_and_every_file_parses() {
    let dir = folder();
    let ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    fs::write(dir.path().join("ca.pem"), ca).unwrap();
    let mut sources: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for id in ids() {
        for (index, combination) in combinations(&id).into_iter().enumerate() {
            let place = format!("{id}-{index}");
            let args = arguments(&id, &place, &combination);
            run(dir.path(), &args).succeeds();
            collect(&dir.path().join(&place), &mut sources);
            fs::remove_dir_all(dir.path().join(&place)).unwrap();
        }
    }
    assert_python_and_shell_parse(dir.path(), &sources);
}

fn arguments(id: &str, place: &str, combination: &BTreeMap<String, String>) -> Vec<String> {
    let mut args = ["new", place, "-t", id, "--name", "Demo project"]
        .map(str::to_owned)
        .to_vec();
    for (option, value) in combination {
        if option == "caBundle" && value == "true" {
            args.extend(["--ca-bundle".to_owned(), "ca.pem".to_owned()]);
        } else {
            args.extend(["--set".to_owned(), format!("{option}={value}")]);
        }
    }
    args
}

/// Gathers each different Python or shell file once.
fn collect(folder: &Path, sources: &mut BTreeMap<String, Vec<u8>>) {
    for (path, entry) in snapshot(folder) {
        let Entry::File(bytes) = entry else {
            continue;
        };
        let extension = path.rsplit('.').next().unwrap_or_default();
        if ["py", "sh"].contains(&extension) {
            let known = sources.values().filter(|known| **known == bytes).count();
            if known == 0 {
                sources.insert(format!("{}.{extension}", sources.len()), bytes);
            }
        }
        if let Ok(text) = String::from_utf8(fs::read(folder.join(&path)).unwrap()) {
            assert!(!text.contains('\r'), "{path} has a carriage return");
            assert!(
                text.is_empty() || text.ends_with('\n'),
                "{path} does not end its last line"
            );
            assert!(
                text.lines().all(|line| line.trim_end() == line),
                "{path} has a trailing space"
            );
        }
    }
}

fn assert_python_and_shell_parse(dir: &Path, sources: &BTreeMap<String, Vec<u8>>) {
    let folder = dir.join("sources");
    fs::create_dir(&folder).unwrap();
    let mut shells = 0;
    for (name, bytes) in sources {
        fs::write(folder.join(name), bytes).unwrap();
        if Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "sh")
        {
            shells += 1;
            tool(Command::new("sh").arg("-n").arg(folder.join(name)));
        }
    }
    assert!(
        shells > 0 && sources.len() > shells,
        "the templates hold Python and shell"
    );
    let script = "import ast, pathlib, sys\n\
                  for path in pathlib.Path(sys.argv[1]).glob('*.py'):\n    ast.parse(path.read_bytes(), str(path))\n";
    tool(
        Command::new("python3")
            .args(["-W", "error", "-c", script])
            .arg(&folder),
    );
}

/// With `SNAPSHOTS=overwrite`, what lies here becomes what the template gives.
#[test]
fn new_writes_our_own_dev_container() {
    let dir = folder();
    run(dir.path(), &["new", "scaffold", "--template", "_rust"]).succeeds();
    let written = snapshot(&dir.path().join("scaffold"));
    let overwrites = std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite");
    for (path, entry) in &written {
        let Entry::File(bytes) = entry else {
            fs::create_dir_all(path).unwrap();
            continue;
        };
        if overwrites {
            fs::write(path, bytes).unwrap();
        }
        let ours = fs::read(path).unwrap();
        assert_eq!(ours, *bytes, "{path} is not what the template gives");
    }
    let mut ours = names(Path::new(".devcontainer"));
    ours.retain(|name| name != "ca-bundle.crt");
    let theirs = names(&dir.path().join("scaffold/.devcontainer"));
    assert_eq!(ours, theirs);
}
