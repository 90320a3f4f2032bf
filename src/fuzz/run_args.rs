//! The flags of `docker run`.

use super::grammar::Tokens;
use crate::devcontainer::container::{Purpose, Surroundings, plan, user_of_run_args, wanted_files};
use crate::devcontainer::workspace_folder::WorkspaceFolder;
use bolero::check;
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// A line is a word.
const WORDS: &[&str] = &[
    "\n",
    "\n--mount=",
    "\n--gpus=",
    "\n--network=",
    "\n-p",
    "\n--expose=",
    "\n-v",
    "\n--device=",
    "\n--cpus=",
    "\n-m",
    "\n-c",
    "\n--health-timeout=",
    "\n--ulimit=",
    "\n--platform=",
    "\n--mac-address=",
    "\n--security-opt=",
    "\n--env-file=f",
    "\n--dns-search=",
    "\n--add-host=",
    "\n--device-cgroup-rule=",
    "\n-u",
    "\n-it",
    "type=bind",
    "src=",
    "dst=/a",
    "seccomp=f",
    "name=",
    "nofile=",
    "all",
    ",",
    "=",
    ":",
    "::1",
    "[",
    "]",
    "/",
    "./",
    "..",
    "-",
    "+",
    "_",
    "\"",
    ".",
    "0",
    "0x",
    "1",
    "65535",
    "9223372036854775807",
    "e",
    "E9",
    "g",
    "iB",
    "s",
    "µs",
    "h",
    " ",
    "a",
    "é",
    "/dev/a",
    "a.b/c=d",
    "c *:1 rwm",
    "linux/arm/v7",
];

#[test]
fn any_words_make_a_container_or_are_refused() {
    check!()
        .with_generator(Tokens(WORDS))
        .with_iterations(1000)
        .for_each(|text| {
            let words: Vec<&str> = text.split('\n').skip(1).collect();
            let config = json!({ "runArgs": words, "mounts": [text], "appPort": [text.trim()] });
            let with = |properties: &[&str]| {
                let kept = properties
                    .iter()
                    .map(|name| ((*name).to_owned(), config[*name].clone()));
                kept.collect::<Map<_, _>>()
            };
            let (nothing, workspace) = (BTreeMap::new(), WorkspaceFolder::default());
            let files = BTreeMap::from([("f".to_owned(), (*text).clone())]);
            let surroundings = Surroundings {
                image: "i",
                image_command: &[],
                labels: &nothing,
                folder: "/project",
                workspace: &workspace,
                files: &files,
                environment: &nothing,
                purpose: Purpose::Work,
            };
            for properties in [&["runArgs"], &["mounts"], &["appPort"]] {
                let merged = with(properties);
                match plan(&merged, &surroundings) {
                    Ok(plan) => assert!(plan.body["HostConfig"].is_object(), "{}", plan.body),
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
            let merged = with(&["runArgs"]);
            if let Ok(plan) = plan(&merged, &surroundings) {
                let files_are_known = wanted_files(&merged)
                    .iter()
                    .all(|file| files.contains_key(file));
                assert!(files_are_known);
                let user = plan.body["User"].as_str().filter(|user| !user.is_empty());
                assert_eq!(user_of_run_args(&merged).as_deref(), user);
            }
        });
}
