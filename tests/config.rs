//! `scaffold config`, beside the reference and where it goes further.

use crate::support::{folder, json, program, run, tool};
use std::fs;
use std::process::Command;

/// Every case, against the recorded answers of the reference.
#[test]
fn a_configuration_means_what_the_reference_answers() {
    let mut check = Command::new("python3");
    check
        .args(["tests/conformance/run", "--quiet", "--scaffold"])
        .arg(program());
    tool(&mut check);
}

#[test]
fn a_fault_is_shown_with_its_line_and_stops_only_when_asked() {
    let dir = folder();
    let text = "{\n  \"image\": \"python\"\n  \"remoteUsr\": \"dev\"\n}\n";
    fs::write(dir.path().join(".devcontainer.json"), text).unwrap();
    let lenient = run(dir.path(), &["config"]).succeeds();
    assert!(
        lenient.stderr.contains("--> .devcontainer.json:3:3"),
        "{}",
        lenient.stderr
    );
    assert!(lenient.stderr.contains("expected `,`"));
    assert!(lenient.stderr.contains("did you mean `remoteUser`?"));
    assert_eq!(json(&lenient.stdout)["configuration"]["image"], "python");
    let strict = run(dir.path(), &["config", "--strict", "--quiet"]);
    assert_eq!(strict.code, 1);
    assert!(
        strict.stderr.contains("error: expected `,`"),
        "{}",
        strict.stderr
    );
}

#[test]
fn explain_says_the_line_and_what_became_of_it() {
    let dir = folder();
    let text = "{ \"image\": \"python\",\n  \"name\": \"${localWorkspaceFolderBasename}!\" }";
    fs::create_dir(dir.path().join("demo")).unwrap();
    fs::write(dir.path().join("demo/.devcontainer.json"), text).unwrap();
    let said = run(dir.path(), &["config", "demo", "--explain", "name"]).succeeds();
    let expected = "name = \"demo!\"\n  from demo/.devcontainer.json:2:11\n  written as \"${localWorkspaceFolderBasename}!\"\n";
    assert_eq!(said.stdout, expected);
    run(dir.path(), &["config", "demo", "--explain", "nmae"]).fails_with("did you mean `name`?");
}

#[test]
fn several_configurations_are_listed_and_one_is_chosen_by_name() {
    let dir = folder();
    for name in ["cpu", "gpu"] {
        let place = dir.path().join(".devcontainer").join(name);
        fs::create_dir_all(&place).unwrap();
        fs::write(
            place.join("devcontainer.json"),
            format!("{{ \"image\": \"{name}\" }}"),
        )
        .unwrap();
    }
    run(dir.path(), &["config"]).fails_with("there are `cpu` and `gpu`");
    let chosen = run(dir.path(), &["config", "--config", "gpu", "--json"]).succeeds();
    assert_eq!(json(&chosen.stdout)["configuration"]["image"], "gpu");
    assert_eq!(
        chosen.stdout.lines().count(),
        1,
        "callers of the reference read one line"
    );
}

#[test]
fn a_folder_without_a_configuration_says_so() {
    let dir = folder();
    run(dir.path(), &["config"]).fails_with("no devcontainer.json in");
    run(dir.path(), &["config", "missing"]).fails_with("no devcontainer.json in");
    run(dir.path(), &["config", "--config", "missing.json"]).fails_with("failed to read");
}
