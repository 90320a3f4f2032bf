//! YAML → values: anchors put in, merge keys taken apart, tags left aside.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How much a text may come to, and as much again what its anchors keep; anchors within anchors would be without end. A value weighs one,
/// and a long text more.
const MOST: usize = 200_000;

/// The bytes of a text that weigh as much as a value.
const BYTES: usize = 64;

/// How deep collections may lie in one another.
const DEEPEST: usize = 200;

/// Why a text is no YAML, and where: line and column, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {reason}")]
pub(crate) struct YamlError {
    line: usize,
    column: usize,
    reason: String,
}

/// Reads the first document of `text`; an empty one is null.
pub(crate) fn parse(text: &str) -> Result<Value, YamlError> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        left: MOST,
        kept: MOST,
    };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Null),
            first => {
                let value = reader.value(first, span, 0)?;
                reader.rest()?;
                return Ok(value);
            }
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, (Value, usize)>,
    /// How much may still come.
    left: usize,
    /// How much anchors may still keep.
    kept: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(YamlError {
                line: error.marker().line(),
                column: error.marker().col() + 1,
                reason: error.info().to_owned(),
            }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Reads on to the end, for a fault after the first document's value is one too.
    fn rest(&mut self) -> Result<(), YamlError> {
        while !matches!(self.next()?.0, Event::StreamEnd) {}
        Ok(())
    }

    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Value, YamlError> {
        let fault = |reason| fault(reason, span);
        let before = self.left;
        self.left = less(before, 1, span)?;
        if depth > DEEPEST {
            return Err(fault("too deep"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                self.left = less(self.left, text.len() / BYTES, span)?;
                (scalar(&text, style), anchor)
            }
            Event::SequenceStart(anchor, _) => (self.sequence(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => {
                let Some((value, size)) = self.anchors.get(&anchor) else {
                    return Err(fault("an alias within its own anchor"));
                };
                self.left = less(self.left, *size, span)?;
                (value.clone(), 0)
            }
            _ => return Err(fault("a value is missing")),
        };
        if anchor != 0 {
            let size = before - self.left;
            self.kept = less(self.kept, size, span)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut values = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(values));
            }
            values.push(self.value(event, span, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut members = Map::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let key = self.value(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.value(event, span, depth + 1)?;
            match key {
                Value::String(key) if key == "<<" => merged.push(value),
                Value::String(key) => drop(members.insert(key, value)),
                key => {
                    // Within another key that is no text, its quotes are written twice as long.
                    let key = key.to_string();
                    self.left = less(self.left, key.len() / BYTES, span)?;
                    members.insert(key, value);
                }
            }
        }
        // A key of its own goes over a merged one, and of the merged ones the first (YAML merge key type).
        let merged = merged.into_iter().flat_map(|value| match value {
            Value::Array(values) => values,
            value => vec![value],
        });
        for (key, value) in merged.filter_map(as_mapping).flatten() {
            members.entry(key).or_insert(value);
        }
        Ok(Value::Object(members))
    }
}

fn fault(reason: &str, span: Span) -> YamlError {
    YamlError {
        line: span.start.line(),
        column: span.start.col() + 1,
        reason: reason.to_owned(),
    }
}

/// What is left of `left` after something that weighs `weight`.
fn less(left: usize, weight: usize, span: Span) -> Result<usize, YamlError> {
    let left = left.checked_sub(weight);
    left.ok_or_else(|| fault("too large", span))
}

fn as_mapping(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// A scalar by the core schema (YAML 1.2, chapter 10.3); only a plain one can be other than text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return true.into(),
        "false" | "False" | "FALSE" => return false.into(),
        _ => {}
    }
    // A number keeps its text where JSON would write it otherwise: what is read here is names and versions.
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => number.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_anchors_and_merge_keys_are_read() {
        let text = "a: &a {x: 1, y: '1'}\nb:\n  <<: *a\n  y: 2\nc: [~, true, 3.10, \"no\"]\nd: *a\n3: |\n  text\n";
        let expected = json!({
            "a": { "x": 1, "y": "1" }, "b": { "y": 2, "x": 1 },
            "c": [null, true, "3.10", "no"], "d": { "x": 1, "y": "1" }, "3": "text\n",
        });
        assert_eq!(parse(text), Ok(expected));
        assert_eq!(parse("# nothing\n"), Ok(Value::Null));
    }

    #[test]
    fn a_fault_has_its_place_and_a_bomb_does_not_go_off() {
        let error = parse("a: b\n  c: d\n").unwrap_err().to_string();
        assert!(error.starts_with("2:"), "{error}");
        assert!(parse("a: &a [*a]").is_err());
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..9 {
            let last = level - 1;
            let aliases = vec![format!("*a{last}"); 10].join(",");
            let level = format!("a{level}: &a{level} [{aliases}]\n");
            bomb.push_str(&level);
        }
        assert!(parse(&bomb).unwrap_err().to_string().ends_with("too large"));
        assert!(parse(&"[".repeat(5000)).is_err());
    }

    #[test]
    fn a_long_text_cannot_be_had_many_times() {
        let (text, aliases) = ("x".repeat(1_000_000), "*a,".repeat(50_000));
        let bomb = format!("a: &a {text}\nb: [{aliases}]\n");
        assert!(parse(&bomb).unwrap_err().to_string().ends_with("too large"));
    }

    #[test]
    fn keys_in_keys_do_not_grow_without_end() {
        assert_eq!(parse("? {a: 1}\n: 2"), Ok(json!({ r#"{"a":1}"#: 2 })));
        let error = parse(&"? ".repeat(100)).unwrap_err().to_string();
        assert!(error.ends_with("too large"), "{error}");
    }

    #[test]
    fn anchors_in_anchors_keep_no_more_than_the_text_comes_to() {
        let open: Vec<String> = (0..150).map(|level| format!("&a{level} [")).collect();
        let bomb = open.concat() + &"x,".repeat(50_000) + &"]".repeat(150);
        assert!(parse(&bomb).unwrap_err().to_string().ends_with("too large"));
    }
}
