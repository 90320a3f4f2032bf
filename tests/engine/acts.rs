//! What another tool started, this program lists, shows, stops and removes.

use super::{Desk, Person};
use crate::support::follows_schema;
use std::fs;
use std::process::Command;

#[test]
#[ignore = "needs an engine"]
fn a_container_of_the_reference_is_listed_shown_stopped_and_removed() {
    let desk = Desk::new("acts", Person::Ordinary);
    let volume = "scaffold-test-acts";
    let config = format!(
        "{{ \"image\": \"debian:bookworm-slim\", \"mounts\": [\"type=volume,source={volume},target=/v\"] }}"
    );
    desk.run(Command::new("mkdir").arg(desk.folder.join("demo")))
        .succeeds();
    fs::write(desk.folder.join("demo/.devcontainer.json"), config).unwrap();
    desk.scaffold(&["logs", "demo"])
        .fails_with("has no dev container");
    let id = desk.up("demo")["containerId"].as_str().unwrap().to_owned();
    let listed = desk.scaffold(&["ps", ".", "--json"]).succeeds();
    let listed = follows_schema("containers", &listed.stdout);
    assert_eq!(listed["containers"][0]["containerId"], id.as_str());
    assert_eq!(listed["containers"][0]["state"], "running");
    let said = desk.scaffold(&["logs", "demo"]).succeeds();
    assert_eq!(said.stdout, "Container started\n");
    let said = desk.scaffold(&["logs", "demo", "--json"]).succeeds();
    follows_schema("logs", &said.stdout);
    let stopped = desk.scaffold(&["stop", "demo", "--json"]).succeeds();
    let stopped = follows_schema("done", &stopped.stdout);
    assert_eq!(stopped["outcome"], "stopped");
    let said = desk.scaffold(&["stop", "demo"]).succeeds();
    assert!(said.stderr.contains("does not run"), "{}", said.stderr);
    // The reference takes up again what was stopped here.
    assert_eq!(desk.up("demo")["containerId"], id.as_str());
    let removed = desk.scaffold(&["down", "--all", "--volumes"]).succeeds();
    let expected = format!("Removed the volume `{volume}`");
    assert!(removed.stderr.contains(&expected), "{}", removed.stderr);
    let left = desk.docker(&[
        "volume",
        "ls",
        "--quiet",
        "--filter",
        &format!("name={volume}"),
    ]);
    assert_eq!(left.succeeds().stdout, "");
    desk.scaffold(&["down", "demo"])
        .fails_with("has no dev container");
}
