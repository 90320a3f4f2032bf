//! Errors → text or JSON.

use super::{Format, Terminal};
use anstyle::{AnsiColor, Style};
use std::fmt::Write as _;

/// The version of every JSON object that this program prints; it rises when a field changes its meaning or goes.
pub(crate) const SCHEMA_VERSION: u32 = 1;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// An error as `--json` prints it.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorObject<'a> {
    schema_version: u32,
    error: ErrorBody<'a>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    message: String,
    causes: Vec<String>,
    hint: Option<&'a str>,
    exit_code: u8,
}

/// Shows an error: what failed, why, and the way out.
pub(crate) fn error(terminal: Terminal, error: &anyhow::Error, hint: Option<&str>, exit_code: u8) {
    let mut chain = error.chain().map(ToString::to_string);
    let message = chain.next().unwrap_or_default();
    let causes: Vec<String> = chain.collect();
    if terminal.format == Format::Json {
        let body = ErrorBody {
            message,
            causes,
            hint,
            exit_code,
        };
        let object = ErrorObject {
            schema_version: SCHEMA_VERSION,
            error: body,
        };
        let _ = terminal.print_json(&object);
        return;
    }
    let mut text = format!("{ERROR}error{ERROR:#}: {message}");
    for cause in causes {
        // What a builder said is several lines.
        let cause = cause.replace('\n', "\n    ");
        let _ = write!(text, "\n  caused by: {cause}");
    }
    if let Some(hint) = hint {
        let _ = write!(text, "\n{HINT}hint{HINT:#}: {hint}");
    }
    terminal.complain(text);
}
