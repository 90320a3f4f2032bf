//! What an engine tells of an image is part of a configuration.

use super::{Desk, Person};
use crate::support::json;
use std::fs;
use std::process::Command;

/// A label of two entries, over the second of which devcontainer.json goes.
const DOCKERFILE: &str = "FROM debian:bookworm-slim\nLABEL devcontainer.metadata='[{\"remoteUser\":\"root\",\"init\":true},{\"remoteUser\":\"nobody\"}]'\n";

#[test]
#[ignore = "needs an engine"]
fn the_label_of_an_image_is_merged_and_explained() {
    let desk = Desk::new("reads-label", Person::Ordinary);
    let image = "scaffold-test/labelled:1";
    build(&desk, image);
    write_config(
        &desk,
        &format!("{{ \"image\": \"{image}\", \"remoteUser\": \"me\" }}"),
    );
    let merged = config(&desk, &["--merged", "--json"]);
    let merged = &json(&merged)["mergedConfiguration"];
    assert_eq!(merged["remoteUser"], "me");
    assert_eq!(merged["init"], true);
    let said = config(&desk, &["--explain", "remoteUser"]);
    let expected = format!(
        "remoteUser = \"me\"\n  \"me\" from .devcontainer.json:1:54\n  over \"nobody\" from entry 2 of the label of the image {image}\n  over \"root\" from entry 1 of the label of the image {image}\n"
    );
    assert_eq!(said, expected);
    desk.docker(&["rmi", image]).succeeds();
}

/// Builds an image with a label.
pub(super) fn build(desk: &Desk, image: &str) {
    let dockerfile = desk.folder.join("Dockerfile");
    fs::write(&dockerfile, DOCKERFILE).unwrap();
    let folder = desk.folder.to_str().unwrap();
    desk.docker(&["build", "--quiet", "--tag", image, folder])
        .succeeds();
}

/// Writes the desk's configuration.
pub(super) fn write_config(desk: &Desk, text: &str) {
    fs::write(desk.folder.join(".devcontainer.json"), text).unwrap();
}

/// What `scaffold config` says of it.
pub(super) fn config(desk: &Desk, args: &[&str]) -> String {
    let mut command = Command::new(desk.program());
    command.arg("config").args(args).current_dir(&desk.folder);
    desk.run(&mut command).succeeds().stdout
}
