//! `scaffold run`: one command in a container of its own, of which nothing stays.

use super::Desk;
use std::thread::sleep;
use std::time::Duration;

const CONFIG: &str = r#"{
  "image": "debian:bookworm-slim", "userEnvProbe": "none",
  "runArgs": ["--name", "scaffold-test-runs"], "appPort": [18123],
  "mounts": ["type=volume,source=runs-${devcontainerId},target=/v"],
  "onCreateCommand": "echo created >> /log",
  "postAttachCommand": "echo attached >> /log",
  "customizations": { "scaffold": { "tasks": {
    "log": "cat /log", "words": ["printf", "%s|"], "both": { "a": "echo a", "b": "echo b >&2; exit 4" }
  } } }
}"#;

/// What the engine has of the desk's containers and volumes.
fn left(desk: &Desk) -> (String, String) {
    let containers = [
        "ps",
        "--all",
        "--quiet",
        "--filter",
        "label=dev.scaffold.run",
    ];
    let volumes = ["volume", "ls", "--quiet", "--filter", "name=runs-"];
    let said = |args: &[&str]| desk.docker(args).succeeds().stdout;
    (said(&containers), said(&volumes))
}

#[test]
#[ignore = "needs an engine"]
fn a_task_has_a_container_of_its_own_and_leaves_the_persons_alone() {
    let desk = Desk::demo("runs", CONFIG);
    desk.scaffold(&["up", "demo"]).succeeds();
    let before = left(&desk);
    assert_eq!((before.0.as_str(), before.1.lines().count()), ("", 1));
    let log = desk.scaffold(&["run", "demo", "--task", "log"]).succeeds();
    assert_eq!(
        (log.stdout.as_str(), log.stderr.as_str()),
        ("created\n", "")
    );
    let words = desk.scaffold(&["run", "demo", "-t", "words", "--", "a b", "$(c)"]);
    assert_eq!(words.succeeds().stdout, "a b|$(c)|");
    let both = desk.scaffold(&["run", "demo", "-t", "both"]);
    assert_eq!(
        (both.code, both.stdout.as_str(), both.stderr.as_str()),
        (4, "a\n", "b\n")
    );
    for (args, code) in [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 137),
    ] {
        let run = desk.scaffold(&[&["run", "demo", "--"], args.as_slice()].concat());
        assert_eq!(run.code, code, "{}", run.stderr);
    }
    let unknown = desk.scaffold(&["run", "demo", "--task", "lag"]);
    assert_eq!(unknown.code, 125);
    assert!(
        unknown.stderr.contains("did you mean `log`?"),
        "{}",
        unknown.stderr
    );
    assert_eq!(desk.scaffold(&["run", "demo"]).code, 125);
    assert_eq!(left(&desk), before);
    let log = desk
        .scaffold(&["exec", "demo", "--", "cat", "/log"])
        .succeeds();
    assert_eq!(log.stdout, "created\nattached\n");
    desk.scaffold(&["down", "demo", "--volumes"]).succeeds();
}

#[test]
#[ignore = "needs an engine"]
fn the_container_of_a_run_that_is_killed_ends_and_is_removed() {
    let config = r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none" }"#;
    let desk = Desk::demo("runs-killed", config);
    let mut run = desk.start(&["run", "demo", "--", "sleep", "1000"]);
    while left(&desk).0.is_empty() {
        sleep(Duration::from_millis(50));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    while !left(&desk).0.is_empty() {
        sleep(Duration::from_millis(50));
    }
}

/// Wherever the person stands, and whichever container it is for.
#[test]
#[ignore = "needs an engine"]
fn relative_paths_in_run_args_start_from_the_projects_folder() {
    let config = r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none", "runArgs": ["-v", "./data:/data", "--env-file", "variables"] }"#;
    let desk = Desk::demo("runs-paths", config);
    let script =
        "mkdir demo/data && echo here > demo/data/file && echo GREETING=hello > demo/variables";
    let mut shell = std::process::Command::new("sh");
    desk.run(shell.args(["-c", script]).current_dir(&desk.folder))
        .succeeds();
    let command = ["demo", "--", "sh", "-c", "cat /data/file; echo $GREETING"];
    let run = desk.scaffold(&[&["run"], command.as_slice()].concat());
    assert_eq!(run.succeeds().stdout, "here\nhello\n");
    desk.scaffold(&["up", "demo"]).succeeds();
    let exec = desk.scaffold(&[&["exec"], command.as_slice()].concat());
    assert_eq!(exec.succeeds().stdout, "here\nhello\n");
}
