//! The order of a dictionary, in which Features of one round are installed.
//!
//! The reference asks JavaScript's `localeCompare`, that is the root collation of Unicode (CLDR): letters count first, then accents, then
//! case, and signs go before digits, which go before letters. Here it is exact for ASCII and for Latin letters with accents; other
//! scripts follow in the order of their code points.

use std::cmp::Ordering;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The signs of ASCII in their order (CLDR root collation, chart "Punctuation" and "Symbol").
const SIGNS: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// Compares as a dictionary would.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (weights(a), weights(b));
    a.letters
        .cmp(&b.letters)
        .then_with(|| a.accents.cmp(&b.accents))
        .then_with(|| a.cases.cmp(&b.cases))
}

/// What a text weighs, the heaviest first.
#[derive(Debug, Default)]
struct Weights {
    letters: Vec<u32>,
    accents: Vec<u32>,
    cases: Vec<bool>,
}

fn weights(text: &str) -> Weights {
    let mut weights = Weights::default();
    for c in text.nfd() {
        if is_combining_mark(c) {
            weights.accents.push(c.into());
            continue;
        }
        let Some(letter) = letter(c) else {
            continue;
        };
        weights.letters.push(letter);
        weights.accents.push(0);
        weights.cases.push(c.is_uppercase());
    }
    weights
}

/// The place of a character without accent and case; one that does not print has none.
fn letter(c: char) -> Option<u32> {
    const AFTER_SIGNS: u32 = 0x100;
    if c.is_control() && !SIGNS.contains(c) {
        return None;
    }
    if let Some(place) = SIGNS.find(c) {
        return u32::try_from(place).ok();
    }
    let small = c.to_lowercase().next().unwrap_or(c);
    Some(AFTER_SIGNS + u32::from(small))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_as_in_a_dictionary() {
        let sorted = [
            "", " ", "_u", "-a", ".a", "@", "/", "1", "10", "2", "a", "A", "ä", "a-b", "a/b", "a1",
            "a10", "a2", "ab", "Ab", "AB", "äb", "B", "C", "z", "π",
        ];
        for (index, word) in sorted.iter().enumerate() {
            for later in &sorted[index + 1..] {
                assert_eq!(compare(word, later), Ordering::Less, "{word:?} {later:?}");
                assert_eq!(compare(later, word), Ordering::Greater);
            }
        }
        assert_eq!(compare("a\u{0}", "a"), Ordering::Equal);
    }
}
