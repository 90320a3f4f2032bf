//! What was generated: template, answers, and every file as it was rendered.
//!
//! The rendered baseline is in the receipt itself, because a later version of this program no longer holds today's templates, and
//! a merge needs to know what was written then.

use super::answers::{Answer, Answers, Given, Origin};
use super::{Template, TemplateError};
use crate::jsonc;
use crate::tree::{File, RelPath, Tree};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Where the receipt lies in a project.
pub(crate) const PATH: &str = ".scaffold.json";

/// The version of the receipt's format.
const FORMAT: u32 = 1;

/// The receipt for `tree`, as a file to lie beside the others.
///
/// `baseline` is a JSON object from path to text, deflated (RFC 1951) and in base64 (RFC 4648); `files` says for each path which file
/// of the template it came from, so that a file is known again when its path changes.
///
/// # Errors
/// None in practice: it compresses in memory.
pub(crate) fn receipt(template: &Template, answers: &Answers, tree: &Tree) -> io::Result<File> {
    let mut files = Map::new();
    let mut baseline = Map::new();
    for (path, file) in tree.iter() {
        files.insert(path.to_string(), entry(file));
        baseline.insert(path.to_string(), content(&file.bytes));
    }
    let receipt = json!({
        "format": FORMAT,
        "template": { "id": template.manifest.id, "version": template.manifest.version },
        "answers": answers.to_json(),
        "files": files,
        "baseline": deflate(&Value::Object(baseline).to_string())?,
    });
    let mut text = serde_json::to_string_pretty(&receipt).map_err(io::Error::from)?;
    text.push('\n');
    Ok(File {
        bytes: text.into_bytes(),
        executable: false,
        id: PATH.to_owned(),
        reason:
            "records template, answers and rendered files, so that an update can keep your edits"
                .to_owned(),
    })
}

/// The receipt's path.
pub(crate) fn path() -> RelPath {
    RelPath::parse(PATH).expect("the constant is one plain component")
}

/// The template's file, and that it may be run where it may.
fn entry(file: &File) -> Value {
    let mut entry = Map::new();
    entry.insert("id".to_owned(), Value::from(file.id.as_str()));
    if file.executable {
        entry.insert("executable".to_owned(), Value::from(true));
    }
    Value::Object(entry)
}

/// Text as text, anything else as an object that holds its base64.
fn content(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

fn deflate(text: &str) -> io::Result<String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// What a file of answers says.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The template's id, where the file is a receipt.
    pub(crate) template: Option<String>,
    /// The answers.
    pub(crate) given: Vec<Given>,
}

/// The answers in `text`, which is an object of options or a receipt; JSON, with comments if need be.
pub(crate) fn recorded(file: &str, text: &str) -> Result<Recorded, TemplateError> {
    let fault = |reason: String| TemplateError::Answers {
        file: file.to_owned(),
        reason,
    };
    let document = jsonc::parse(text);
    if let Some(reason) = document.fault(text) {
        return Err(fault(reason));
    }
    let Some(Value::Object(mut object)) = document.value else {
        return Err(fault("it holds no JSON object".to_owned()));
    };
    let mut recorded = Recorded::default();
    if let (Some(Value::Object(template)), Some(Value::Object(answers))) =
        (object.get("template"), object.get("answers"))
    {
        let format = object.get("format").and_then(Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            return Err(fault(
                "it is a receipt of a format that this version does not read".to_owned(),
            ));
        }
        let id = template.get("id").and_then(Value::as_str);
        recorded.template = id.map(str::to_owned);
        let answers = answers.clone();
        object = answers;
    }
    for (option, value) in object {
        let value = answer(&option, value).map_err(&fault)?;
        recorded.given.push(Given {
            option,
            value,
            origin: Origin::File(file.to_owned()),
        });
    }
    Ok(recorded)
}

fn answer(option: &str, value: Value) -> Result<Answer, String> {
    match value {
        Value::Bool(flag) => Ok(Answer::Flag(flag)),
        Value::String(text) => Ok(Answer::Text(text)),
        Value::Number(number) => Err(format!(
            "`{option}` is the number {number}; write it in quotes, since 3.10 as a number is 3.1"
        )),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("`{option}` is neither text nor true or false"))
        }
    }
}
