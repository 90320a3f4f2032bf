//! What only the lab's own engine and registry can show.

use super::reads::{build, config, write_config};
use super::{Desk, Person, setting};
use crate::support::{json, tool};
use std::path::Path;
use std::process::Command;

/// The house's first guest is its builder: this repository builds, and its tests pass, in its own dev container.
#[test]
#[ignore = "needs an engine"]
fn this_repository_builds_and_tests_in_its_own_dev_container() {
    let desk = Desk::new("ourselves", Person::Ordinary);
    let repository = desk.folder.join("repository");
    let listed = tool(Command::new("git").args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]));
    let files: Vec<&str> = listed
        .split('\0')
        .filter(|file| Path::new(file).is_file())
        .collect();
    desk.run(Command::new("mkdir").arg(&repository)).succeeds();
    copy(&files, &repository);
    // The same dev container, with the certificate authorities that this network asks for.
    let args = [
        "repository",
        "--template",
        "_rust",
        "--name",
        "scaffold",
        "--force",
    ];
    desk.scaffold_new(&args).succeeds();
    desk.up("repository");
    // One of the tests compares these files with the template.
    let ours = |file: &&&str| file.starts_with(".devcontainer/") || **file == ".scaffold.json";
    let ours: Vec<&str> = files.iter().filter(ours).copied().collect();
    copy(&ours, &repository);
    // Inputs that nobody thought of are the same everywhere, and what a debugger wants takes a third of the time.
    let script =
        "git init --quiet && CARGO_PROFILE_DEV_DEBUG=0 cargo test --locked -- --skip fuzz:: 2>&1";
    let said = desk.exec("repository", script).succeeds();
    assert!(said.stdout.contains("test result: ok."), "{}", said.stdout);
}

#[test]
#[ignore = "needs an engine"]
fn what_the_engine_does_not_have_the_registry_tells() {
    let desk = Desk::new("reads-registry", Person::Ordinary);
    let registry = setting("SCAFFOLD_LAB_REGISTRY");
    let image = format!("{registry}/scaffold-test/labelled:2");
    build(&desk, &image);
    desk.docker(&["push", &image]).succeeds();
    desk.docker(&["rmi", &image]).succeeds();
    write_config(&desk, &format!("{{ \"image\": \"{image}\" }}"));
    let merged = config(&desk, &["--merged", "--json"]);
    assert_eq!(json(&merged)["mergedConfiguration"]["remoteUser"], "nobody");
    let there = desk.docker(&["images", "--quiet", &image]).succeeds();
    assert_eq!(there.stdout, "", "nothing was pulled");
}

/// Copies files of this repository, which the lab's user then owns.
fn copy(files: &[&str], folder: &Path) {
    let mut copy = Command::new("cp");
    copy.args(["--parents", "--preserve=mode", "--target-directory"]);
    tool(copy.arg(folder).args(files));
    let user = setting("SCAFFOLD_LAB_USER");
    tool(Command::new("chown").args(["-R", &user]).arg(folder));
}
