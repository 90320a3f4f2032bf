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
    let text = framed(source, remark, weight);
    match weight {
        Weight::Warning => terminal.say(text),
        Weight::Error => terminal.complain(text),
    }
}

/// A remark as text, with the line that it is about.
pub(crate) fn framed(source: &Source<'_>, remark: &Remark, weight: Weight) -> String {
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
    // The renderer knows no control characters but those of ASCII, and some terminals obey the others too.
    let is_control = |c| ('\u{80}'..='\u{9f}').contains(&c);
    let text = Renderer::styled().render(&[group]);
    text.replace(is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devcontainer::configuration::remarks;
    use crate::jsonc;

    #[test]
    fn no_control_character_of_a_file_reaches_the_terminal() {
        let text = "{ \"image\": 1, \u{9b}31m\u{7}\u{85} }";
        let source = Source { name: "f", text };
        let shown = remarks(&jsonc::parse(text)).into_iter();
        let shown = shown.map(|remark| framed(&source, &remark, Weight::Error));
        let shown: Vec<String> = shown.collect();
        let plain = anstream::adapter::strip_str(&shown.concat()).to_string();
        assert!(plain.contains("31m"), "{plain}");
        assert!(
            !plain.contains(|c: char| c.is_control() && c != '\n'),
            "{plain:?}"
        );
    }
}
