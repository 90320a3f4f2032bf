//! Questions to a person.

use crate::template::answers::{Answer, Question};
use crate::template::manifest::OptionType;
use dialoguer::console::Term;
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, Select};
use std::io;

/// Brings the cursor back when Ctrl-C ends the program at a question, which hides it.
pub(crate) fn restore_cursor_on_interrupt() {
    /// The code of a program that SIGINT (2) ended, as shells give it.
    const INTERRUPTED: i32 = 130;
    // A handler that is there already does no worse.
    let _ = ctrlc::set_handler(|| {
        let _ = Term::stderr().show_cursor();
        #[expect(clippy::exit, reason = "nothing is written while a question stands")]
        std::process::exit(INTERRUPTED);
    });
}

/// Asks which of `templates`, each an id and what it is for, to take.
pub(crate) fn choose_template(templates: &[(String, String)], default: &str) -> io::Result<String> {
    let lines = templates.iter().map(|(id, name)| format!("{id}: {name}"));
    let default = templates.iter().position(|(id, _)| id == default);
    let index = Select::with_theme(&ColorfulTheme::default())
        .with_prompt("Template")
        .items(lines)
        .default(default.unwrap_or_default())
        .interact()
        .map_err(as_io)?;
    Ok(templates[index].0.clone())
}

/// Asks on the terminal; the default is shown, and one key accepts it.
pub(crate) fn ask(question: &Question<'_>) -> io::Result<Option<Answer>> {
    let option = question.option;
    match (option.kind, option.choices.is_empty()) {
        (OptionType::Boolean, _) => confirm(question).map(Some),
        (OptionType::String, false) => select(question, &option.choices).map(Some),
        (OptionType::String, true) if !option.proposals.is_empty() => propose(question).map(Some),
        (OptionType::String, true) => input(question).map(Some),
    }
}

fn confirm(question: &Question<'_>) -> io::Result<Answer> {
    let default = matches!(question.default, Some(Answer::Flag(true)));
    Confirm::with_theme(&ColorfulTheme::default())
        .with_prompt(&question.option.description)
        .default(default)
        .interact()
        .map(Answer::Flag)
        .map_err(as_io)
}

fn select(question: &Question<'_>, choices: &[String]) -> io::Result<Answer> {
    let index = choose(question, choices)?;
    Ok(Answer::Text(choices[index].clone()))
}

/// Offers the proposals, and a last line for any other value.
fn propose(question: &Question<'_>) -> io::Result<Answer> {
    let mut lines = question.option.proposals.clone();
    lines.push("another value".to_owned());
    let index = choose(question, &lines)?;
    match question.option.proposals.get(index) {
        Some(proposal) => Ok(Answer::Text(proposal.clone())),
        None => input(question),
    }
}

fn choose(question: &Question<'_>, lines: &[String]) -> io::Result<usize> {
    let default = question.default.as_ref().and_then(|default| {
        let default = default.to_string();
        lines.iter().position(|line| *line == default)
    });
    Select::with_theme(&ColorfulTheme::default())
        .with_prompt(&question.option.description)
        .items(lines)
        .default(default.unwrap_or_default())
        .interact()
        .map_err(as_io)
}

fn input(question: &Question<'_>) -> io::Result<Answer> {
    let theme = ColorfulTheme::default();
    let mut input = Input::<String>::with_theme(&theme)
        .with_prompt(&question.option.description)
        .validate_with(|text: &String| {
            // The way out is to type something else, which needs no saying here.
            (question.check)(text).map_err(|fault| fault.reason)
        });
    if let Some(default) = &question.default {
        input = input.default(default.to_string());
    }
    input.interact_text().map(Answer::Text).map_err(as_io)
}

fn as_io(error: dialoguer::Error) -> io::Error {
    let dialoguer::Error::IO(error) = error;
    if error.kind() == io::ErrorKind::Interrupted {
        // Ctrl-C: the handler is about to end the program, on a thread of its own.
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    error
}
