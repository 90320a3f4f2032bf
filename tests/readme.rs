//! The commands of the README do what the README shows.

use crate::support::{folder, program};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// One command of a `console` block, and what it prints.
struct Step {
    command: String,
    expected: Vec<String>,
}

/// The commands of all `console` blocks, in order.
fn steps(markdown: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_inside = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            is_inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_inside) {
            steps.push(Step {
                command: command.to_owned(),
                expected: Vec::new(),
            });
        } else if let Some(step) = steps.last_mut().filter(|_| is_inside) {
            step.expected.push(line.to_owned());
        }
    }
    steps
}

/// Everything that a shell in `folder` shows of the command, with the program under test for the one that cargo would build.
fn shown(folder: &Path, command: &str) -> Vec<String> {
    let command = command.replace("cargo run --release --", "scaffold");
    let path = format!("{}:/usr/bin:/bin", program().parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Whether the lines are the expected ones, where `...` stands for any number of lines.
fn matches(shown: &[String], expected: &[String]) -> bool {
    match expected.split_first() {
        None => shown.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=shown.len()).any(|skipped| matches(&shown[skipped..], rest))
        }
        Some((first, rest)) => shown.first() == Some(first) && matches(&shown[1..], rest),
    }
}

#[test]
fn the_transcripts_of_the_readme_are_real() {
    let readme = fs::read_to_string("README.md").unwrap();
    let dir = folder();
    // The README's reader stands in a clone, so that `..` is a folder of theirs.
    let clone = dir.path().join("scaffold");
    fs::create_dir(&clone).unwrap();
    fs::write(clone.join("README.md"), "").unwrap();
    let steps = steps(&readme);
    assert!(steps.len() >= 4, "the README has {} commands", steps.len());
    for step in steps {
        let shown = shown(&clone, &step.command);
        let ours = shown.join("\n");
        assert!(
            matches(&shown, &step.expected),
            "`{}` shows:\n{ours}",
            step.command
        );
    }
}

#[test]
fn the_test_command_of_the_readme_is_what_ci_runs() {
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.contains("\ntests/run\n"));
    assert!(
        fs::read_to_string(".ci/run")
            .unwrap()
            .contains("/../tests/run\"")
    );
}

#[test]
fn every_command_of_the_program_is_in_the_readme() {
    let readme = fs::read_to_string("README.md").unwrap();
    let output = Command::new(program()).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    for line in commands.lines() {
        let name = line.split_whitespace().next().unwrap();
        assert!(
            name == "help" || readme.contains(&format!("| `{name}")),
            "`{name}` is not in the README"
        );
    }
}
