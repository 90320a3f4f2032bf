//! How a build is shown: plain lines, a few lines that are written over, or JSON.

use super::{Format, Terminal, Verbosity};
use crate::devcontainer::build_progress::{Progress, StepOutcome};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Instant;

/// The lines of a build.
#[derive(Debug)]
pub(crate) struct Display {
    style: Style,
    /// The steps that run, by their numbers.
    running: BTreeMap<usize, Running>,
    /// How many lines can be written over.
    drawn: usize,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Silent,
    /// One JSON object a line.
    Json,
    /// Every line stays.
    Plain,
    /// Steps that run are written over.
    Live,
}

/// Whether what was written can be written over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paper {
    /// A log.
    Stays,
    /// A terminal.
    Redraws,
}

/// A step that runs.
#[derive(Debug)]
struct Running {
    name: String,
    since: Instant,
    /// The last line that it wrote, or how far it is.
    last: String,
}

/// How wide a line is that is written over.
const WIDTH: usize = 78;

impl Display {
    /// For this terminal.
    pub(crate) fn new(terminal: Terminal, paper: Paper) -> Self {
        let style = match (terminal.verbosity, terminal.format, paper) {
            (Verbosity::Quiet, ..) => Style::Silent,
            (_, Format::Json, _) => Style::Json,
            // Who wants to know everything wants to keep it.
            (Verbosity::Verbose, ..) | (_, _, Paper::Stays) => Style::Plain,
            (_, _, Paper::Redraws) => Style::Live,
        };
        Self {
            style,
            running: BTreeMap::new(),
            drawn: 0,
        }
    }

    /// Shows what happened.
    pub(crate) fn show(&mut self, progress: &Progress) {
        let mut text = String::new();
        match self.style {
            Style::Silent => return,
            Style::Json => text = serde_json::to_string(progress).unwrap_or_default() + "\n",
            Style::Plain => plain(progress, &mut text),
            Style::Live => self.live(progress, &mut text),
        }
        // Nobody listening is no error.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }

    /// Takes away what can be written over.
    pub(crate) fn finish(mut self) {
        let mut text = String::new();
        self.erase(&mut text);
        let _ = io::stderr().write_all(text.as_bytes());
    }

    fn live(&mut self, progress: &Progress, text: &mut String) {
        self.erase(text);
        match progress {
            Progress::Started { step, name } => {
                let running = Running {
                    name: shown(name),
                    since: Instant::now(),
                    last: String::new(),
                };
                self.running.insert(*step, running);
            }
            Progress::Completed { step, .. } => {
                self.running.remove(step);
                plain(progress, text);
            }
            Progress::Warning { .. } => plain(progress, text),
            Progress::Log { step, lines } => {
                if let (Some(running), Some(last)) = (self.running.get_mut(step), lines.last()) {
                    running.last = shown(last);
                }
            }
            Progress::Moved { step, name, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    let name = shown(name);
                    running.last =
                        moved(progress).map_or(name.clone(), |far| format!("{name} {far}"));
                }
            }
        }
        self.draw(text);
    }

    fn draw(&mut self, text: &mut String) {
        for Running { name, since, last } in self.running.values() {
            let seconds = since.elapsed().as_secs();
            let _ = writeln!(text, "{}", cut(&format!("=> {name} {seconds}s")));
            self.drawn += 1;
            if !last.is_empty() {
                let _ = writeln!(text, "{}", cut(&format!("   {last}")));
                self.drawn += 1;
            }
        }
    }

    /// Cursor up and to the left, and nothing below (ECMA-48, CPL and ED).
    fn erase(&mut self, text: &mut String) {
        if self.drawn > 0 {
            let _ = write!(text, "\x1b[{}F\x1b[J", self.drawn);
            self.drawn = 0;
        }
    }
}

/// The lines that stay.
fn plain(progress: &Progress, text: &mut String) {
    match progress {
        Progress::Started { step, name } => {
            let _ = writeln!(text, "#{step} {}", shown(name));
        }
        Progress::Completed {
            step,
            name,
            outcome,
            milliseconds,
        } => {
            let name = shown(name);
            let seconds = format!("{}.{}s", milliseconds / 1000, milliseconds % 1000 / 100);
            let _ = match outcome {
                StepOutcome::Done => writeln!(text, "#{step} {name} done in {seconds}"),
                StepOutcome::Cached => writeln!(text, "#{step} {name} cached"),
                StepOutcome::Failed(_) => writeln!(text, "#{step} {name} failed after {seconds}"),
            };
        }
        Progress::Log { step, lines } => {
            for line in lines {
                let _ = writeln!(text, "#{step}   {}", shown(line));
            }
        }
        // Every percent would be a line: what moved is told when all of it has.
        Progress::Moved {
            step,
            name,
            current,
            total,
        } => {
            if current == total
                && let Some(far) = moved(progress)
            {
                let _ = writeln!(text, "#{step}   {} {far}", shown(name));
            }
        }
        Progress::Warning { message } => {
            let _ = writeln!(text, "warning: {}", shown(message));
        }
    }
}

/// How much has moved.
fn moved(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Moved {
            total: 0,
            current: 0,
            ..
        } => None,
        Progress::Moved {
            total: 0, current, ..
        } => Some(bytes(*current)),
        Progress::Moved { current, total, .. } => {
            Some(format!("{} of {}", bytes(*current), bytes(*total)))
        }
        _ => None,
    }
}

fn bytes(count: u64) -> String {
    const UNITS: &[(u64, &str)] = &[(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", count / size, count % size * 10 / size),
        None => format!("{count} B"),
    }
}

/// A text of which nothing can disturb a terminal.
fn shown(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let text = text.replace('\t', "    ");
    text.chars().filter(|c| !c.is_control()).collect()
}

fn cut(line: &str) -> String {
    let mut cut: String = line.chars().take(WIDTH).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_every_line() {
        let name = "[2/2] RUN x\u{1b}[2J".to_owned();
        let events = [
            Progress::Started {
                step: 5,
                name: name.clone(),
            },
            Progress::Log {
                step: 5,
                lines: vec!["\u{1b}[31mred\u{1b}[0m".to_owned(), "a\tb".to_owned()],
            },
            Progress::Moved {
                step: 5,
                name: "layer".to_owned(),
                current: 10,
                total: 20,
            },
            Progress::Completed {
                step: 5,
                name: name.clone(),
                outcome: StepOutcome::Done,
                milliseconds: 12_345,
            },
            Progress::Completed {
                step: 6,
                name,
                outcome: StepOutcome::Cached,
                milliseconds: 0,
            },
        ];
        let mut text = String::new();
        for event in &events {
            plain(event, &mut text);
        }
        let expected = "#5 [2/2] RUN x\n#5   red\n#5   a    b\n#5 [2/2] RUN x done in 12.3s\n#6 [2/2] RUN x cached\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_terminal_shows_what_runs() {
        let terminal = Terminal {
            verbosity: Verbosity::Normal,
            format: Format::Text,
        };
        let mut display = Display::new(terminal, Paper::Redraws);
        let mut text = String::new();
        let name = "[1/1] RUN x".to_owned();
        let step = 1;
        display.live(
            &Progress::Started {
                step,
                name: name.clone(),
            },
            &mut text,
        );
        let lines = vec!["one".to_owned()];
        display.live(&Progress::Log { step, lines }, &mut text);
        let outcome = StepOutcome::Done;
        display.live(
            &Progress::Completed {
                step,
                name,
                outcome,
                milliseconds: 1000,
            },
            &mut text,
        );
        let expected = "=> [1/1] RUN x 0s\n\u{1b}[1F\u{1b}[J=> [1/1] RUN x 0s\n   one\n\u{1b}[2F\u{1b}[J#1 [1/1] RUN x done in 1.0s\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 999, 1_500, 2_000_000, 5_100_000_000].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1.5 kB", "2.0 MB", "5.1 GB"]);
    }
}
