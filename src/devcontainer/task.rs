//! The tasks of a project: commands with a name, in `customizations.scaffold.tasks`, in the forms that lifecycle commands have.

use super::lifecycle::{Command, commands};
use super::script::as_list;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The tasks of a configuration in its merged form; the last one of a name counts, which is devcontainer.json's own if it has one.
pub(crate) fn tasks(merged: &Map<String, Value>) -> BTreeMap<String, Vec<Command>> {
    let ours = merged
        .get("customizations")
        .and_then(|customizations| customizations.get("scaffold"));
    let all = as_list(ours.cloned()).into_iter().flat_map(|one| {
        let tasks = one.get("tasks").and_then(Value::as_object).cloned();
        tasks.into_iter().flatten()
    });
    let all = all.map(|(name, value)| (name, commands(&value)));
    all.filter(|(_, commands)| !commands.is_empty()).collect()
}

/// The command line of a command with more words at its end.
pub(crate) fn with_words(command: &Command, words: &[String]) -> Vec<String> {
    let mut argv = command.argv.clone();
    if words.is_empty() {
        return argv;
    }
    if let ["/bin/sh", "-c", text] = argv.iter().map(String::as_str).collect::<Vec<_>>()[..]
        && command.written == text
    {
        argv[2] = format!("{text} \"$@\"");
        argv.push("sh".to_owned());
    }
    argv.extend(words.iter().cloned());
    argv
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_task_of_a_name_counts() {
        let merged = json!({ "customizations": { "scaffold": [
            { "tasks": { "test": "make check", "lint": ["ruff", "check"], "none": "" } },
            { "other": 1 },
            { "tasks": { "test": "pytest" } },
        ] } });
        let tasks = tasks(merged.as_object().unwrap());
        let names: Vec<&str> = tasks.keys().map(String::as_str).collect();
        assert_eq!(names, ["lint", "test"]);
        assert_eq!(tasks["test"][0].argv, ["/bin/sh", "-c", "pytest"]);
    }

    #[test]
    fn more_words_are_words_and_no_script() {
        let words = ["a b".to_owned(), "$(x)".to_owned()];
        let of_shell = &commands(&json!("pytest -q"))[0];
        let expected = ["/bin/sh", "-c", "pytest -q \"$@\"", "sh", "a b", "$(x)"];
        assert_eq!(with_words(of_shell, &words), expected);
        assert_eq!(with_words(of_shell, &[]), of_shell.argv);
        let of_list = &commands(&json!(["ruff", "check"]))[0];
        assert_eq!(
            with_words(of_list, &words),
            ["ruff", "check", "a b", "$(x)"]
        );
    }
}
