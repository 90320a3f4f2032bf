//! A command in a container, started so that it can be told to end.
//!
//! The engine knows the process of a command by its number on the engine's own machine, and has no way to end it (Docker Engine API,
//! `ExecInspect`). So the command is started by a shell that first prints its number in the container, and becomes the command then: that
//! process leads a session, and whoever belongs to the session belongs to the command.

/// The script that becomes a command. What the shell puts into the environment for itself is taken out again: a variable that the command was given stays.
const START: &str = r#"printf '%s\n' "$$"
unset PWD
exec "$@""#;

/// The same, where the number is also noted in a file beside the moment at which the container was started.
const START_NOTED: &str = r#"printf '%s\n' "$$"
{ mkdir -p "$1" && printf '%s %s\n' "$$" "$2" >>"$1/$3"; } 2>/dev/null
shift 3
unset PWD
exec "$@""#;

/// The script that sends a signal to a session.
const TELL: &str = r#"signal=$1 leader=$2
for folder in /proc/[0-9]*; do
  { read -r line <"$folder/stat"; } 2>/dev/null || continue
  set -- ${line##*) }
  [ "$4" != "$leader" ] || kill -s "$signal" "${folder#/proc/}" 2>/dev/null
done"#;

/// The longest number of a process, in digits (proc(5), `pid_max`).
const DIGITS: usize = 7;

/// Where the number of a running command is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// The folder.
    pub(crate) folder: String,
    /// The file in it.
    pub(crate) file: &'static str,
    /// When the container was started.
    pub(crate) moment: String,
}

/// The command line that becomes `command`.
pub(crate) fn started(command: &[String], note: Option<&Note>) -> Vec<String> {
    let (script, note) = match note {
        None => (START, Vec::new()),
        Some(note) => (
            START_NOTED,
            vec![
                note.folder.clone(),
                note.moment.clone(),
                note.file.to_owned(),
            ],
        ),
    };
    let start = ["/bin/sh", "-c", script, "sh"].map(str::to_owned);
    let words = start.into_iter().chain(note);
    words.chain(command.iter().cloned()).collect()
}

/// The command line that sends the signal of that name to what `leader` leads.
pub(crate) fn told(leader: u32, signal: &str) -> Vec<String> {
    let leader = leader.to_string();
    ["/bin/sh", "-c", TELL, "sh", signal, &leader]
        .map(str::to_owned)
        .into()
}

/// Takes the line with the number off what a command prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FirstLine {
    begun: Vec<u8>,
    is_over: bool,
    leader: Option<u32>,
}

impl FirstLine {
    /// What of `printed` is the command's own. Where the command did not start, all is: it is why.
    pub(crate) fn pass(&mut self, printed: Vec<u8>) -> Vec<u8> {
        if self.is_over {
            return printed;
        }
        self.begun.extend(printed);
        let end = self.begun.iter().position(|byte| *byte == b'\n');
        let line = &self.begun[..end.unwrap_or(self.begun.len())];
        // A terminal ends lines in its own way.
        let digits = line.strip_suffix(b"\r").unwrap_or(line);
        if !digits.iter().all(u8::is_ascii_digit) || digits.len() > DIGITS {
            self.is_over = true;
            return std::mem::take(&mut self.begun);
        }
        let Some(end) = end else { return Vec::new() };
        self.leader = str::from_utf8(digits)
            .ok()
            .and_then(|text| text.parse().ok());
        self.is_over = true;
        let rest = self.begun.split_off(end + 1);
        self.begun.clear();
        rest
    }

    /// The number of the process, once it is known.
    pub(crate) fn leader(&self) -> Option<u32> {
        self.leader
    }

    /// What was held back, where the command printed no more.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_taken_off_whatever_the_parts_it_comes_in() {
        for parts in [
            vec!["123\nabc"],
            vec!["1", "23", "\nab", "c"],
            vec!["123\r", "\nabc"],
        ] {
            let mut line = FirstLine::default();
            let mut passed = Vec::new();
            for part in parts {
                passed.extend(line.pass(part.as_bytes().to_vec()));
            }
            assert_eq!(
                (passed.as_slice(), line.leader()),
                (b"abc".as_slice(), Some(123))
            );
        }
    }

    #[test]
    fn why_a_command_did_not_start_is_passed_on() {
        for why in ["OCI runtime exec failed\n", "12345678\n", "\0\n"] {
            let mut line = FirstLine::default();
            let mut passed = line.pass(why.as_bytes().to_vec());
            passed.extend(line.rest());
            assert_eq!((passed.as_slice(), line.leader()), (why.as_bytes(), None));
        }
        let mut line = FirstLine::default();
        assert_eq!(line.pass(b"12".to_vec()), b"");
        assert_eq!(line.rest(), b"12");
    }
}
