//! What a person can do about an error.

use std::path::Path;

/// An error that may know the way out.
pub(crate) trait Hint {
    /// One sentence that says what to do, without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A path for a message: nothing in it can disturb a terminal.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(plain).collect()
}

/// The candidate that `typed` was probably meant to be, if one is near enough.
pub(crate) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let count = typed.chars().count();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let limit = (candidate.len() / 3).max(1);
            let lower = candidate.to_lowercase();
            // Their distance is at least this, and takes long to find for long texts.
            if count.abs_diff(lower.chars().count()) > limit {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&typed, &lower);
            (distance <= limit).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn enumerate<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_offers_a_slip_of_the_finger_and_nothing_else() {
        let known = ["python", "library"];
        assert_eq!(nearest("pyhton", known), Some("python"));
        assert_eq!(nearest("LIBRARY", known), Some("library"));
        assert_eq!(nearest("rust", known), None);
    }

    #[test]
    fn a_very_long_text_is_near_to_nothing_at_once() {
        assert_eq!(nearest(&"x".repeat(5_000_000), ["python"; 200]), None);
    }
}
