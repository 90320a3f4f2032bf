//! Proof that what was rendered can be read by those whom it is for.

use super::{Template, TemplateError};
use crate::jsonc;
use crate::tree::{RelPath, Tree};

/// Parses every JSON, TOML, YAML and Dockerfile in `tree`.
pub(crate) fn check(template: &Template, tree: &Tree) -> Result<(), TemplateError> {
    for (path, file) in tree.iter() {
        fault(path, &file.bytes).map_or(Ok(()), |reason| {
            Err(TemplateError::Unparsable {
                template: template.manifest.id.clone(),
                path: path.to_string(),
                reason,
            })
        })?;
    }
    Ok(())
}

/// Why the file cannot be read, if its kind has a parser here.
fn fault(path: &RelPath, bytes: &[u8]) -> Option<String> {
    let parse = parser(path)?;
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text).err(),
        Err(error) => Some(error.to_string()),
    }
}

/// A parser of a whole file, which says where and why it failed.
type Parser = fn(&str) -> Result<(), String>;

fn parser(path: &RelPath) -> Option<Parser> {
    let name = path.file_name();
    if name == "Dockerfile" || name.starts_with("Dockerfile.") {
        return Some(dockerfile);
    }
    // Dev container tools and VS Code read these as JSON with comments; everything else called `.json` is strict.
    let with_comments =
        name.ends_with("devcontainer.json") || path.as_str().starts_with(".vscode/");
    match name.rsplit_once('.')?.1 {
        "jsonc" | "code-workspace" => Some(json_with_comments),
        "json" if with_comments => Some(json_with_comments),
        "json" | "ipynb" => Some(json),
        "toml" => Some(toml),
        "yml" | "yaml" => Some(yaml),
        "Dockerfile" | "dockerfile" => Some(dockerfile),
        _ => None,
    }
}

fn json(text: &str) -> Result<(), String> {
    let parsed: Result<serde_json::Value, _> = serde_json::from_str(text);
    parsed.map(drop).map_err(|error| error.to_string())
}

fn json_with_comments(text: &str) -> Result<(), String> {
    let document = jsonc::parse(text);
    let mut faults = document.diagnostics.iter();
    faults.next().map_or(Ok(()), |first| {
        let (line, column) = jsonc::line_and_column(text, first.place.start);
        Err(format!("{line}:{column}: {}", first.fault))
    })
}

fn toml(text: &str) -> Result<(), String> {
    let parsed: Result<toml_edit::DocumentMut, _> = text.parse();
    parsed.map(drop).map_err(|error| error.to_string())
}

fn yaml(text: &str) -> Result<(), String> {
    let mut parser = saphyr_parser::Parser::new_from_str(text);
    let fault = parser.find_map(Result::err);
    fault.map_or(Ok(()), |error| Err(error.to_string()))
}

fn dockerfile(text: &str) -> Result<(), String> {
    let parsed = parse_dockerfile::parse(text);
    parsed.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_its_reader_would_refuse_is_found() {
        let broken = [
            (".devcontainer/devcontainer.json", "{ \"a\": \"b\"c\" }"),
            (".devcontainer/devcontainer.json", "{ \"a\": 1, }"),
            ("data.json", "{ /* c */ }"),
            ("pyproject.toml", "name = \"a\"b\""),
            ("ci.yml", "a: \"b\nc: d"),
            (".devcontainer/Dockerfile", "FROM debian\nRUNN true"),
            (".devcontainer/Dockerfile", "RUN true"),
        ];
        for (path, text) in broken {
            let path = RelPath::parse(path).unwrap();
            assert!(
                fault(&path, text.as_bytes()).is_some(),
                "{path}: {text:?} passed"
            );
        }
        let sound = [
            (".devcontainer/devcontainer.json", "{ \"a\": 1 } // why"),
            ("ci.yml", "a:\n  - \"b\"\n"),
            (
                "Dockerfile.dev",
                "ARG V=1\nFROM debian:$V\nRUN --mount=type=cache,target=/c true\n",
            ),
            ("notes.txt", "\"{"),
        ];
        for (path, text) in sound {
            let path = RelPath::parse(path).unwrap();
            assert_eq!(fault(&path, text.as_bytes()), None);
        }
    }
}
