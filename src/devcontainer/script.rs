//! The rules of JavaScript by which the reference treats values of types that nobody meant.

use serde_json::{Map, Number, Value};

/// Whether a value counts as given.
pub(crate) fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}

/// The members of an array, or the value itself as the only one.
pub(crate) fn as_list(value: Option<Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(members)) => members,
        Some(value) => vec![value],
    }
}

/// The members of an object; an array has its indices for keys, and a string its characters' too.
pub(crate) fn as_members(value: Value) -> Map<String, Value> {
    let numbered = |values: Vec<Value>| {
        let numbered = values.into_iter().enumerate();
        numbered
            .map(|(index, value)| (index.to_string(), value))
            .collect()
    };
    match value {
        Value::Object(members) => members,
        Value::Array(members) => numbered(members),
        Value::String(text) => numbered(text.chars().map(|c| c.to_string().into()).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Map::new(),
    }
}

/// The number that a value stands for; NaN where it is none.
pub(crate) fn as_number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
        Value::String(text) if text.trim().is_empty() => 0.0,
        Value::String(text) => text.trim().parse().unwrap_or(f64::NAN),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

/// A number as JSON has it: without a fraction where it has none, and null where it is none.
pub(crate) fn to_json(number: f64) -> Value {
    match whole(number) {
        Some(whole) => whole.into(),
        None => Number::from_f64(number).map_or(Value::Null, Value::Number),
    }
}

/// A number as text.
pub(crate) fn to_text(number: f64) -> String {
    match whole(number) {
        Some(whole) => whole.to_string(),
        None => number.to_string(),
    }
}

/// The number without a fraction, if it has none and is small enough to be exact.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the bound, 2^53, is below that of the type"
)]
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    is_whole.then_some(number as i64)
}
