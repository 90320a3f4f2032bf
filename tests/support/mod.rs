//! What the tests share.

use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test.
pub(crate) fn program() -> &'static Path {
    snapbox::cmd::cargo_bin!("scaffold")
}

/// The program under test in `folder`, as somebody runs it who is neither a terminal nor a CI.
pub(crate) fn scaffold(folder: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("CI")
        .env("NO_COLOR", "1");
    command
}

/// Asserts that `text` is one object of the schema called `name`, and returns it.
#[track_caller]
pub(crate) fn follows_schema(name: &str, text: &str) -> Value {
    let schema = fs::read_to_string(format!("tests/schemas/{name}.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&json(&schema)).unwrap();
    let value = json(text);
    let faults = validator.iter_errors(&value);
    let faults: Vec<String> = faults.map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{name}: {faults:?} in {text}");
    value
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Asserts that it did what was asked.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that it could not run, and says why in words that include `part`.
    #[track_caller]
    pub(crate) fn fails_with(self, part: &str) -> Self {
        assert_eq!(self.code, 2, "{}{}", self.stdout, self.stderr);
        assert!(self.stderr.contains(part), "no {part:?} in {}", self.stderr);
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program in `folder` with `args`.
pub(crate) fn run(folder: &Path, args: &[impl AsRef<OsStr>]) -> Run {
    scaffold(folder).args(args).output().unwrap().into()
}

/// Runs any program to its end, and returns its stdout; it must succeed.
#[track_caller]
pub(crate) fn tool(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let run = Run::from(output);
    assert_eq!(run.code, 0, "{command:?}: {}{}", run.stdout, run.stderr);
    run.stdout
}

/// A new folder that goes away with the value.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// What lies at a path of a [`snapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder,
    File(Vec<u8>),
    Link(PathBuf),
}

/// Everything below `root`, links not followed.
pub(crate) fn snapshot(root: &Path) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let entry = if metadata.is_symlink() {
                Entry::Link(fs::read_link(&path).unwrap())
            } else if metadata.is_dir() {
                folders.push(path);
                Entry::Folder
            } else {
                Entry::File(fs::read(&path).unwrap())
            };
            found.insert(name, entry);
        }
    }
    found
}

/// The names of everything below `root`.
pub(crate) fn names(root: &Path) -> Vec<String> {
    snapshot(root).into_keys().collect()
}

/// The JSON object in `text`.
#[track_caller]
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The JSON with comments in the file at `path`.
#[track_caller]
pub(crate) fn jsonc(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).unwrap()
}
