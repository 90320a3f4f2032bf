//! JSON with comments.

use super::grammar::{Tokens, Values};
use crate::jsonc::{Fault, Places, line_and_column, parse};
use bolero::check;
use serde_json::Value;
use std::ops::Range;

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "'",
    "\\",
    "\"a\"",
    "\"b\"",
    "\"a\":",
    "\"__proto__\":",
    "\"~/\":",
    "1",
    "-",
    "0",
    ".5",
    "e9",
    "1e999",
    "true",
    "null",
    "//",
    "/*",
    "*/",
    "\n",
    "\r",
    " ",
    "\u{feff}",
    "\\u",
    "d83d",
    "\\ude00",
    "\\n",
    "\t",
    "😀",
];

const VALUES: Values = Values {
    keys: &["a", "b", "~/", "", "__proto__", "é\u{0}"],
    texts: &[
        "a", "\"", "\\", "\n", "\u{7f}", "\u{2028}", "😀", "/*", "//",
    ],
};

#[test]
fn of_any_text_all_places_and_faults_lie_in_it() {
    check!()
        .with_generator(Tokens(TOKENS))
        .with_iterations(1000)
        .for_each(|text| places_and_faults_lie_in(text));
}

#[test]
fn of_any_bytes_all_places_and_faults_lie_in_them() {
    check!().with_iterations(1000).for_each(|bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        places_and_faults_lie_in(&text);
        if let Ok(value) = serde_json::from_str(&text) {
            is_read_as(&text, &value);
        }
    });
}

#[test]
fn what_json_allows_is_read_without_a_fault() {
    check!()
        .with_generator(VALUES)
        .with_iterations(1000)
        .for_each(|value| {
            is_read_as(&value.to_string(), value);
            is_read_as(&format!("{value:#}"), value);
        });
}

fn places_and_faults_lie_in(text: &str) {
    let document = parse(text);
    let mut last = 0;
    for diagnostic in &document.diagnostics {
        lies_in(text, &diagnostic.place);
        assert!(last <= diagnostic.place.start, "the order of the text");
        last = diagnostic.place.start;
    }
    // What lies too deep to be read could be read on its own.
    let is_shallow = text.matches(['[', '{']).count() < 200;
    if let Some(value) = document.value.as_ref().filter(|_| is_shallow) {
        holds(text, &document.places, value);
    }
}

fn lies_in(text: &str, place: &Range<usize>) {
    assert!(text.get(place.clone()).is_some(), "{place:?}");
    let (line, column) = line_and_column(text, place.start);
    let before = text.split('\n').nth(line - 1).unwrap_or_default();
    assert!((1..=before.chars().count() + 1).contains(&column));
}

/// Each place holds its value, and each value has one.
fn holds(text: &str, places: &Places, value: &Value) {
    lies_in(text, &places.place);
    let read = parse(&text[places.place.clone()]).value;
    assert_eq!(read.as_ref(), Some(value));
    let place = |key: &str| places.get(key).expect("each value has one");
    match value {
        Value::Array(members) => {
            for (index, member) in members.iter().enumerate() {
                holds(text, place(&index.to_string()), member);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                holds(text, place(key), member);
            }
        }
        _ => {}
    }
}

fn is_read_as(text: &str, value: &Value) {
    let document = parse(text);
    let is_twice = |fault: &Fault| matches!(fault, Fault::DuplicateKey(_));
    assert!(document.diagnostics.iter().all(|one| is_twice(&one.fault)));
    let read = document.value.expect("there is a value");
    assert!(is_alike(&read, value), "{read} is not {value}");
}

/// Whether a value is another, as far as numbers have a double, and without the key that no reader sees.
fn is_alike(read: &Value, value: &Value) -> bool {
    match (read, value) {
        (Value::Number(read), Value::Number(value)) => {
            let (read, value) = (read.as_f64(), value.as_f64());
            let (read, value) = (read.unwrap_or_default(), value.unwrap_or_default());
            // Of the last bit serde_json makes no promise.
            (read - value).abs() <= value.abs() * 1e-15
        }
        (Value::Array(read), Value::Array(value)) => {
            let mut pairs = read.iter().zip(value);
            read.len() == value.len() && pairs.all(|(read, value)| is_alike(read, value))
        }
        (Value::Object(read), Value::Object(value)) => {
            let value = value.iter().filter(|(key, _)| *key != "__proto__");
            let mut pairs = read.iter().zip(value.clone());
            read.len() == value.count()
                && pairs.all(|((one, read), (other, value))| one == other && is_alike(read, value))
        }
        (read, value) => read == value,
    }
}
