//! `scaffold up`: what it starts the reference finds, what failed is run again, and two at once make one container.

use super::Desk;
use crate::support::{follows_schema, tool};
use std::fs;
use std::process::{Command, Stdio};

fn id(desk: &Desk, args: &[&str]) -> String {
    let up = desk
        .scaffold(&[&["up", "demo", "--json"], args].concat())
        .succeeds();
    let up = follows_schema("up", up.stdout.lines().last().unwrap());
    up["containerId"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs an engine"]
fn a_command_that_failed_is_run_again_until_it_succeeds() {
    let desk = Desk::demo(
        "up-fails",
        r#"{ "image": "debian:bookworm-slim", "remoteUser": "root", "userEnvProbe": "none",
             "onCreateCommand": "echo created >> /log",
             "postCreateCommand": { "good": "echo good >> /log", "bad": ["sh", "-c", "echo why; test -e /mended"] },
             "postStartCommand": "echo started >> /log" }"#,
    );
    for _ in 0..2 {
        let failed = desk.scaffold(&["up", "demo"]);
        assert_eq!(failed.code, 1, "{}", failed.stderr);
        let expected = "postCreateCommand of devcontainer.json failed with exit code 1: `sh -c echo why; test -e /mended`";
        assert!(failed.stderr.contains(expected), "{}", failed.stderr);
        assert!(failed.stderr.contains("\nwhy\n"), "{}", failed.stderr);
    }
    let exec = |script: &str| {
        desk.scaffold(&["exec", "demo", "--", "sh", "-c", script])
            .succeeds()
    };
    exec("touch /mended");
    let first = id(&desk, &[]);
    let log = exec("cat /log").stdout;
    assert_eq!(log, "created\ngood\ngood\ngood\nstarted\n");
    // Neither this program nor the reference runs anything again.
    assert_eq!(id(&desk, &[]), first);
    assert_eq!(desk.up("demo")["containerId"], first.as_str());
    assert_eq!(exec("cat /log").stdout, log);
}

#[test]
#[ignore = "needs an engine"]
fn a_changed_configuration_is_noticed_and_named() {
    let config = |more: &str| {
        format!("{{ \"image\": \"debian:bookworm-slim\", \"userEnvProbe\": \"none\"{more} }}")
    };
    let desk = Desk::demo("up-drift", &config(""));
    let first = id(&desk, &[]);
    let file = desk.folder.join("demo/.devcontainer.json");
    fs::write(&file, config(", \"init\": true, \"name\": \"new\"")).unwrap();
    let said = desk.scaffold(&["up", "demo"]).succeeds();
    let expected = "warning: `init` changed since the container was made; `scaffold up --recreate` makes it anew";
    assert!(said.stderr.contains(expected), "{}", said.stderr);
    let second = id(&desk, &["--recreate"]);
    assert_ne!(second, first);
    let init = desk.docker(&["inspect", "--format", "{{.HostConfig.Init}}", &second]);
    assert_eq!(init.succeeds().stdout.trim(), "true");
}

#[test]
#[ignore = "needs an engine"]
fn a_secret_reaches_a_command_and_stays_nowhere() {
    let desk = Desk::demo(
        "up-secret",
        r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none", "waitFor": "onCreateCommand",
             "onCreateCommand": "echo ${#TOKEN} > /length", "postCreateCommand": "touch /later" }"#,
    );
    fs::write(
        desk.folder.join("secrets.json"),
        r#"{ "TOKEN": "hunter2hunter2" }"#,
    )
    .unwrap();
    let first = id(
        &desk,
        &[
            "--secrets-file",
            "secrets.json",
            "--skip-non-blocking-commands",
        ],
    );
    let exec = |args: &[&str], script: &str| {
        let start = [&["exec", "demo"], args, &["--", "sh", "-c", script]].concat();
        desk.scaffold(&start).succeeds().stdout
    };
    assert_eq!(
        exec(&[], "cat /length; ls /later 2>&1 | grep -c No; echo $TOKEN"),
        "14\n1\n\n"
    );
    assert_eq!(
        exec(&["--secrets-file", "secrets.json"], "echo $TOKEN"),
        "hunter2hunter2\n"
    );
    let inspected = desk.docker(&["inspect", &first]).succeeds().stdout;
    assert!(!inspected.contains("hunter2"), "{inspected}");
    id(&desk, &[]);
    assert_eq!(exec(&[], "ls /later"), "/later\n");
    fs::write(desk.folder.join("secrets.json"), "[\"hunter2\"]").unwrap();
    let failed = desk.scaffold(&["up", "demo", "--secrets-file", "secrets.json"]);
    assert!(
        failed.stderr.contains("not an object of names and texts"),
        "{}",
        failed.stderr
    );
    assert!(!failed.stderr.contains("hunter2"), "{}", failed.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn prune_removes_what_was_stopped_and_made_here_alone() {
    let config = r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none" }"#;
    let desk = Desk::demo("up-prune", config);
    let other = desk.folder.join("other");
    desk.run(Command::new("mkdir").arg(&other)).succeeds();
    fs::write(other.join(".devcontainer.json"), config).unwrap();
    let theirs = desk.up("other")["containerId"].as_str().unwrap().to_owned();
    let ours = id(&desk, &[]);
    let planned = |desk: &Desk| {
        let said = desk.scaffold(&["prune", "--dry-run", "--json"]).succeeds();
        follows_schema("done", &said.stdout).to_string()
    };
    assert!(!planned(&desk).contains(&ours), "it runs");
    desk.scaffold(&["stop", "--all"]).succeeds();
    let plan = planned(&desk);
    assert!(plan.contains(&ours) && !plan.contains(&theirs), "{plan}");
    desk.scaffold(&["prune"]).succeeds();
    let left = desk.scaffold(&["ps", ".", "--json"]).succeeds().stdout;
    assert!(left.contains(&theirs) && !left.contains(&ours), "{left}");
}

#[test]
#[ignore = "needs an engine"]
fn two_at_once_make_one_container() {
    let desk = Desk::demo(
        "up-twice",
        r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none", "onCreateCommand": "sleep 1; echo created >> /log" }"#,
    );
    let script = "./scaffold up demo & ./scaffold up demo & ./scaffold up demo; wait";
    let mut shell = Command::new("sh");
    desk.run(
        shell
            .args(["-c", script])
            .current_dir(&desk.folder)
            .stdin(Stdio::null()),
    )
    .succeeds();
    let listed = desk.scaffold(&["ps", ".", "--json"]).succeeds();
    let listed = follows_schema("containers", &listed.stdout);
    assert_eq!(listed["containers"].as_array().unwrap().len(), 1);
    let log = desk
        .scaffold(&["exec", "demo", "--", "cat", "/log"])
        .succeeds();
    assert_eq!(log.stdout, "created\n");
}

#[test]
#[ignore = "needs an engine"]
fn what_cannot_be_started_is_named_and_leaves_nothing() {
    let table = [
        (
            r#"{ "image": "debian:bookworm-slim", "remoteUser": "nobody-here" }"#,
            "has no user `nobody-here`",
        ),
        (
            r#"{ "image": "debian:bookworm-slim", "runArgs": ["--shm-sise=1g"] }"#,
            "did you mean `--shm-size`?",
        ),
        (
            r#"{ "image": "debian:bookworm-slim", "features": { "./x": {} } }"#,
            "has Features",
        ),
        (
            r#"{ "dockerComposeFile": "c.yml", "service": "x" }"#,
            "Compose",
        ),
        (
            r#"{ "image": "debian:bookworm-slim", "mounts": ["type=bind,source=/no/such,target=/x"] }"#,
            "/no/such",
        ),
        (
            r#"{ "image": "debian:bookworm-slim", "initializeCommand": "exit 3" }"#,
            "initializeCommand of",
        ),
    ];
    for (config, expected) in table {
        let desk = Desk::demo("up-refused", config);
        let failed = desk.scaffold(&["up", "demo"]);
        // A command that failed is what `up` found; all else keeps it from running.
        let code = if config.contains("exit 3") { 1 } else { 2 };
        assert_eq!(failed.code, code, "{config}: {}", failed.stderr);
        assert!(
            failed.stderr.contains(expected),
            "{config}: {}",
            failed.stderr
        );
    }
}

/// Every case of `up`, against what was recorded of the reference's containers.
#[test]
#[ignore = "needs an engine"]
fn a_container_is_what_the_reference_makes() {
    let mut check = Command::new("tests/conformance/up/run");
    tool(
        check
            .args(["--quiet", "--scaffold"])
            .arg(crate::support::program()),
    );
}

/// Beside the reference itself: what either has started the other goes on with, and runs nothing again.
#[test]
#[ignore = "needs an engine"]
fn the_reference_goes_on_with_our_containers_and_we_with_its() {
    let mut check = Command::new("tests/conformance/up/run");
    check.args(["--live", "--quiet", "--scaffold"]);
    check.arg(crate::support::program());
    for case in [
        "hooks-as-texts",
        "wait-for",
        "a-label-and-a",
        "dockerfile-with-user",
    ] {
        check.args(["--case", case]);
    }
    tool(&mut check);
}
