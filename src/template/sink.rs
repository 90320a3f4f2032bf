//! Where a value lands, and how it is written there so that it stays a value.

use std::fmt::Write as _;

/// The place that a value lands in, by the name of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    /// Inside a JSON string.
    Json,
    /// Inside a TOML basic string.
    Toml,
    /// Inside a double-quoted YAML scalar.
    Yaml,
    /// Inside double quotes in a Dockerfile.
    Dockerfile,
    /// One word of a shell script, with its quotes.
    Shell,
    /// Inside a Python string literal, of either quote and however many.
    Python,
    /// Text of a Markdown document.
    Markdown,
    /// A component of a path.
    Path,
    /// The default of another option.
    Value,
    /// A file whose syntax is not known.
    Plain,
}

impl Sink {
    /// The sink of a file called `name`, without `.hbs`.
    pub(crate) fn of(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if name == "Dockerfile" || name.starts_with("Dockerfile.") {
            return Self::Dockerfile;
        }
        match extension {
            "json" | "jsonc" | "code-workspace" | "ipynb" => Self::Json,
            "toml" => Self::Toml,
            "yml" | "yaml" => Self::Yaml,
            "Dockerfile" | "dockerfile" => Self::Dockerfile,
            "sh" | "bash" => Self::Shell,
            "py" | "pyi" => Self::Python,
            "md" => Self::Markdown,
            _ => Self::Plain,
        }
    }

    /// `value` as it must be written here, or why it cannot be.
    pub(crate) fn escape(self, value: &str) -> Result<String, &'static str> {
        if value.contains(char::is_control) {
            return Err("a value with a control character can be written nowhere");
        }
        match self {
            // YAML 1.2 takes every JSON string as a double-quoted scalar (section 1.3, and 7.3.1).
            Self::Json | Self::Yaml => Ok(json(value)),
            Self::Toml => Ok(backslashed(value, &['\\', '"'])),
            Self::Dockerfile => Ok(backslashed(value, &['\\', '"', '$'])),
            Self::Python => Ok(backslashed(value, &['\\', '"', '\''])),
            Self::Shell => Ok(format!("'{}'", value.replace('\'', r"'\''"))),
            Self::Markdown => Ok(markdown(value)),
            Self::Path => match crate::tree::component_fault(value) {
                None => Ok(value.to_owned()),
                Some(reason) => Err(reason),
            },
            Self::Value => Ok(value.to_owned()),
            Self::Plain => plain(value),
        }
    }
}

fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn backslashed(value: &str, special: &[char]) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if special.contains(&c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Escapes what begins a span in `CommonMark` 0.31 or in GitHub's tables, and leaves what only begins a block at the start of a line.
fn markdown(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut before = ' ';
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        // An underscore inside a word emphasises nothing, and a module's name must stay one in code.
        let is_inside = before.is_alphanumeric() && after.is_alphanumeric();
        before = c;
        match c {
            '_' if is_inside => text.push(c),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '$' => {
                text.push('\\');
                text.push(c);
            }
            '&' => text.push_str("&amp;"),
            _ => {
                let _ = text.write_char(c);
            }
        }
    }
    text
}

fn plain(value: &str) -> Result<String, &'static str> {
    let known = |c: char| c.is_ascii_alphanumeric() || "._:/@+-".contains(c);
    if value.chars().all(known) {
        Ok(value.to_owned())
    } else {
        Err(
            "only letters, digits and `._:/@+-` can be written into a file whose syntax is not known",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_tries_to_break_out_stays_a_value() {
        let odd = r#"a"b\c'd $(e) ${f} {{g}} `h` 😀"#;
        let json: String =
            serde_json::from_str(&format!("\"{}\"", Sink::Json.escape(odd).unwrap())).unwrap();
        assert_eq!(json, odd);
        let toml = format!("x = \"{}\"", Sink::Toml.escape(odd).unwrap());
        let toml: toml_edit::DocumentMut = toml.parse().unwrap();
        assert_eq!(toml["x"].as_str(), Some(odd));
        assert_eq!(Sink::Shell.escape("it's").unwrap(), r"'it'\''s'");
        assert_eq!(Sink::Dockerfile.escape(r#"a"$b\"#).unwrap(), r#"a\"\$b\\"#);
        assert_eq!(
            Sink::Markdown.escape("_a_ my_pkg_").unwrap(),
            r"\_a\_ my_pkg\_"
        );
        let yaml = format!("\"{}\"", Sink::Yaml.escape(odd).unwrap());
        let event = saphyr_parser::Parser::new_from_str(&yaml)
            .nth(2)
            .unwrap()
            .unwrap()
            .0;
        assert!(matches!(event, saphyr_parser::Event::Scalar(text, ..) if text == odd));
        assert_eq!(Sink::Python.escape(r#"a"b'c\"#).unwrap(), r#"a\"b\'c\\"#);
        assert!(Sink::Plain.escape("a b").is_err());
        assert!(Sink::Path.escape("a/b").is_err());
        for sink in [
            Sink::Json,
            Sink::Dockerfile,
            Sink::Shell,
            Sink::Markdown,
            Sink::Value,
        ] {
            assert!(sink.escape("a\nRUN x").is_err());
        }
    }
}
