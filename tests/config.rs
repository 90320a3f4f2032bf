//! `scaffold config`, beside the reference and where it goes further.

use crate::support::{folder, follows_schema, json, program, run, tool};
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
fn explain_says_who_said_it_and_what_it_went_over() {
    let dir = folder();
    let place = dir.path().join(".devcontainer");
    fs::create_dir_all(place.join("one")).unwrap();
    let text = "{\n  \"build\": { \"dockerfile\": \"Dockerfile\" },\n  \"features\": { \"./one\": {} },\n  \"postCreateCommand\": \"mine\"\n}";
    fs::write(place.join("devcontainer.json"), text).unwrap();
    fs::write(place.join("Dockerfile"), "FROM scratch").unwrap();
    let feature = "{ \"id\": \"one\", \"init\": true, \"postCreateCommand\": \"its\" }";
    fs::write(place.join("one/devcontainer-feature.json"), feature).unwrap();
    let table = [
        ("init", "init = true\n  from the Feature ./one\n"),
        (
            "postCreateCommand",
            "postCreateCommands = [\"its\",\"mine\"]\n  \"mine\" from .devcontainer/devcontainer.json:4:24\n  \"its\" from the Feature ./one\n",
        ),
        (
            "waitFor",
            "waitFor is not set\n  nobody says it; the default is: \"updateContentCommand\"\n",
        ),
        (
            "build.dockerfile",
            "build.dockerfile = \"Dockerfile\"\n  from .devcontainer/devcontainer.json:2:28\n",
        ),
    ];
    for (key, expected) in table {
        let said = run(dir.path(), &["config", "--explain", key]).succeeds();
        assert_eq!(said.stdout, expected, "{key}");
    }
    // An image that nobody knows leaves the rest to be explained, and fails what needs the whole.
    fs::write(place.join("Dockerfile"), "FROM localhost:1/none").unwrap();
    let said = run(dir.path(), &["config", "--explain", "init"]).succeeds();
    assert!(said.stdout.ends_with("from the Feature ./one\n"));
    let why = "neither the engine nor a registry tells of the image `localhost:1/none`";
    assert!(said.stderr.contains(why), "{}", said.stderr);
    run(dir.path(), &["config", "--merged"]).fails_with(why);
}

#[test]
fn all_dev_containers_below_a_folder_are_read_apart_from_what_git_ignores() {
    let dir = folder();
    let write = |path: &str, text: &str| {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("a/.devcontainer.json", "{ \"image\": \"python\" }");
    let build = "{ \"build\": { \"dockerfile\": \"Dockerfile\" } }";
    write("b/c/.devcontainer/gpu/devcontainer.json", build);
    write("broken/.devcontainer.json", "[]");
    write(".gitignore", "ignored/");
    write("ignored/.devcontainer.json", "{ \"image\": \"python\" }");
    let said = run(dir.path(), &["config", "--all"]);
    let expected = "a/.devcontainer.json                     image python\nb/c/.devcontainer/gpu/devcontainer.json  Dockerfile Dockerfile\nbroken/.devcontainer.json                unreadable\n3 dev containers\n";
    assert_eq!((said.code, said.stdout.as_str()), (1, expected));
    let why = "error: broken/.devcontainer.json: `";
    assert!(said.stderr.contains(why), "{}", said.stderr);
    let said = run(dir.path(), &["config", "--all", "--json"]);
    assert_eq!(said.code, 1);
    let all = follows_schema("config-all", &said.stdout);
    let images = all["devContainers"].as_array().unwrap().iter();
    let images: Vec<_> = images.map(|one| &one["configuration"]["image"]).collect();
    assert_eq!(images.len(), 3);
    assert_eq!(*images[0], "python");
    fs::remove_file(dir.path().join("broken/.devcontainer.json")).unwrap();
    run(dir.path(), &["config", "--all"]).succeeds();
    run(dir.path(), &["config", "missing", "--all"]).fails_with("failed to list");
}

#[test]
fn json_follows_its_schema() {
    let dir = folder();
    run(dir.path(), &["new", "demo"]).succeeds();
    let config = run(dir.path(), &["config", "demo", "--json"]).succeeds();
    follows_schema("config", &config.stdout);
    let bare = "{ \"build\": { \"dockerfile\": \"Dockerfile\" }, \"features\": { \"./one\": {} } }";
    let place = dir.path().join("bare/.devcontainer");
    fs::create_dir_all(place.join("one")).unwrap();
    fs::write(place.join("devcontainer.json"), bare).unwrap();
    fs::write(place.join("Dockerfile"), "FROM scratch").unwrap();
    let feature = "{ \"id\": \"one\", \"init\": true }";
    fs::write(place.join("one/devcontainer-feature.json"), feature).unwrap();
    let merged = run(dir.path(), &["config", "bare", "--merged", "--json"]).succeeds();
    follows_schema("config", &merged.stdout);
    for key in ["init", "build.dockerfile", "remoteUser"] {
        let explained = run(dir.path(), &["config", "bare", "--explain", key, "--json"]);
        follows_schema("explain", &explained.succeeds().stdout);
    }
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
