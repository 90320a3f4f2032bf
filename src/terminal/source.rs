//! Remarks on a text → frames that show the line.

use super::Terminal;
use crate::devcontainer::configuration::Remark;
use crate::jsonc::line_and_column;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text that a person wrote, and what they call it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The file's path.
    pub(crate) name: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// `file:line:column` of a byte of the text.
    pub(crate) fn position(&self, at: usize) -> String {
        let (line, column) = line_and_column(self.text, at);
        format!("{}:{line}:{column}", self.name)
    }
}

/// How much a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is passed over.
    Warning,
    /// It stops the command.
    Error,
}

/// Says a remark, with the line that it is about.
pub(crate) fn remark(terminal: Terminal, source: &Source<'_>, remark: &Remark, weight: Weight) {
    let level = match weight {
        Weight::Warning => Level::WARNING,
        Weight::Error => Level::ERROR,
    };
    // A mark at the very end of the text has no character to stand under.
    let end = remark.place.end.min(source.text.len());
    let place = remark.place.start.min(end)..end;
    let frame = Snippet::source(source.text)
        .path(source.name)
        .annotation(AnnotationKind::Primary.span(place));
    let mut group = level.primary_title(&remark.message).element(frame);
    if let Some(hint) = &remark.hint {
        group = group.element(Level::HELP.message(hint));
    }
    let text = Renderer::styled().render(&[group]);
    match weight {
        Weight::Warning => terminal.say(text),
        Weight::Error => terminal.complain(text),
    }
}
