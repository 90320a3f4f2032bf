//! What a person's own shell adds to the environment (specification, "userEnvProbe").

use super::variable::Environment;
use serde_json::Value;

/// Which shell is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Probe {
    /// None at all.
    None,
    /// One that reads what an interactive login shell reads.
    LoginInteractive,
    /// One that reads what an interactive shell reads.
    Interactive,
    /// One that reads what a login shell reads.
    Login,
}

impl Probe {
    /// The value of `userEnvProbe`; where nobody says one, an interactive login shell is asked.
    pub(crate) fn of(value: Option<&Value>) -> Self {
        match value.and_then(Value::as_str) {
            Some("none") => Self::None,
            Some("interactiveShell") => Self::Interactive,
            Some("loginShell") => Self::Login,
            _ => Self::LoginInteractive,
        }
    }

    /// The command that prints the environment of the user's shell between two `mark`s; `None` where nobody is asked.
    ///
    /// The shell is that of the variable `SHELL` or, as `login` has it, that of the user's line in the list of users.
    pub(crate) fn command(self, mark: &str) -> Option<[String; 3]> {
        let (posix, power) = match self {
            Self::None => return None,
            Self::LoginInteractive => ("-lic", "-Login -Command"),
            Self::Interactive => ("-ic", "-Command"),
            Self::Login => ("-lc", "-Login -Command"),
        };
        let script = format!(
            r#"shell=$SHELL
if [ -z "$shell" ]; then
  uid=$(id -u)
  entry=$(getent passwd "$uid" 2>/dev/null || grep "^[^:]*:[^:]*:$uid:" /etc/passwd 2>/dev/null)
  shell=${{entry##*:}}
fi
shell=${{shell:-/bin/sh}}
print='printf %s {mark}; cat /proc/self/environ; printf %s {mark}'
case ${{shell##*/}} in
  pwsh*) exec "$shell" {power} "$print" ;;
  *) exec "$shell" {posix} "$print" ;;
esac"#
        );
        Some(["/bin/sh".to_owned(), "-c".to_owned(), script])
    }
}

/// The environment between two `mark`s of what the command printed; `None` where they are not there.
///
/// The folder that the shell stood in is not the one that a later command stands in.
pub(crate) fn parse(printed: &[u8], mark: &str) -> Option<Environment> {
    let text = String::from_utf8_lossy(printed);
    let (_, rest) = text.split_once(mark)?;
    let (inside, _) = rest.split_once(mark)?;
    let pairs = inside.split('\0').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.filter(|(name, _)| *name != "PWD");
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some(pairs.collect()).filter(|all: &Environment| !all.is_empty())
}

/// The environment of a command: what the shell says, then `remoteEnv`; and what null takes away there, from the container's own too.
pub(crate) fn remote_environment(
    shell: Environment,
    remote_env: Option<&Value>,
) -> (Environment, Vec<String>) {
    let mut all = shell;
    let mut unset = Vec::new();
    let said = remote_env.and_then(Value::as_object);
    for (name, value) in said.into_iter().flatten() {
        match value {
            Value::Null => {
                all.remove(name);
                unset.push(name.clone());
            }
            Value::String(text) => drop(all.insert(name.clone(), text.clone())),
            other => drop(all.insert(name.clone(), other.to_string())),
        }
    }
    (all, unset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_shell_prints_around_it_does_not_count() {
        let printed = b"welcome\nMARKA=1\0PWD=/\0B=x=y\nz\0nothing\0MARKbye";
        let found = parse(printed, "MARK").unwrap();
        let expected = [("A", "1"), ("B", "x=y\nz")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found, Environment::from(expected));
        assert_eq!(parse(b"MARKMARK", "MARK"), None);
        assert_eq!(parse(b"no", "MARK"), None);
    }

    #[test]
    fn null_takes_a_variable_away() {
        let shell = Environment::from([("A".to_owned(), "1".to_owned())]);
        let remote = json!({ "A": null, "B": 2, "C": "x" });
        let (found, unset) = remote_environment(shell, Some(&remote));
        assert_eq!(unset, ["A"]);
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["B", "C"]);
    }
}
