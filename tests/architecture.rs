//! The floors of the house: which room of `src/` may use which.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that it may name. `lib`, at the top, is free.
const MAY_USE: &[(&str, &[&str])] = &[
    ("hint", &[]),
    ("tree", &[]),
    ("host", &[]),
    ("jsonc", &[]),
    ("ca_bundle", &["tree"]),
    ("template", &["tree", "hint", "jsonc"]),
    ("yaml", &[]),
    ("devcontainer", &["hint", "jsonc", "yaml"]),
    ("engine", &["devcontainer", "hint"]),
    (
        "fuzz",
        &["devcontainer", "hint", "jsonc", "terminal", "yaml"],
    ),
    ("registry", &["devcontainer", "hint"]),
    ("workspace", &["tree", "template", "hint"]),
    (
        "terminal",
        &["devcontainer", "engine", "template", "hint", "jsonc"],
    ),
    (
        "commands",
        &[
            "ca_bundle",
            "devcontainer",
            "engine",
            "cli",
            "hint",
            "host",
            "registry",
            "template",
            "terminal",
            "tree",
            "workspace",
        ],
    ),
    ("cli", &["commands", "terminal"]),
];

#[test]
fn every_room_uses_only_the_rooms_below_it() {
    for (room, allowed) in MAY_USE {
        for file in files_of(room) {
            let text = fs::read_to_string(&file).unwrap();
            for used in rooms_named_in(&text) {
                let may = used == *room || allowed.contains(&used);
                assert!(may, "{}: `{room}` may not use `{used}`", file.display());
            }
        }
    }
}

#[test]
fn every_room_is_on_the_list() {
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_top = ["lib", "main"].contains(&name);
        let is_listed = MAY_USE.iter().any(|(room, _)| *room == name);
        assert!(is_top || is_listed, "`{name}` is on no floor");
    }
}

/// Only these rooms, and this file of another, may touch the world; each opens with the one `expect` that says so.
#[test]
fn effects_are_where_the_map_says() {
    let open = "clippy::disallowed_methods";
    for (room, _) in MAY_USE {
        for file in files_of(room) {
            let opens = fs::read_to_string(&file).unwrap().contains(open);
            let may = ["workspace", "host"].contains(room)
                || file == Path::new("src/engine/build/context.rs");
            assert!(may || !opens, "{} opens a fence", file.display());
        }
    }
}

/// The `x` of every `crate::x`; a grouped `crate::{x, y}` comes back as an empty name, which no list has.
fn rooms_named_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric());
        &rest[..end.unwrap_or(rest.len())]
    })
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let file = PathBuf::from(format!("src/{room}.rs"));
    if file.is_file() {
        return vec![file];
    }
    let mut files = Vec::new();
    let mut folders = vec![Path::new("src").join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}
