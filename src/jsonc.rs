//! JSON with comments → value, positions and diagnostics.
//!
//! A broken file still gives the value that VS Code and the reference implementation read from it, because that is what will be launched;
//! every fault that they pass over in silence is a [`Diagnostic`] here.

use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// What was read from a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    /// The value, or `None` where there is none at all.
    pub(crate) value: Option<Value>,
    /// Where it stands.
    pub(crate) places: Places,
    /// What is wrong, in the order of the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Where a value stands, and where those in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Places {
    /// In bytes.
    pub(crate) place: Range<usize>,
    members: BTreeMap<String, Places>,
}

impl Places {
    /// Where the value of a key or of an index stands.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.members.get(key)
    }
}

/// One fault in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// Where, in bytes.
    pub(crate) place: Range<usize>,
    /// What is wrong.
    pub(crate) fault: Fault,
}

/// What can be wrong with a text that should be JSON with comments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Something that begins no token.
    #[error("`{0}` is no JSON")]
    Symbol(String),
    /// A key in single quotes, or bare.
    #[error("expected a key in double quotes")]
    KeyExpected,
    /// No value where one belongs.
    #[error("expected a value")]
    ValueExpected,
    /// No colon after a key.
    #[error("expected `:` after the key")]
    ColonExpected,
    /// No comma between two members.
    #[error("expected `,`")]
    CommaExpected,
    /// A comma after the last member.
    #[error("the comma before `{0}` is one too many")]
    TrailingComma(char),
    /// An object or array that is never closed.
    #[error("expected `{0}`")]
    CloseExpected(char),
    /// Text after the end.
    #[error("expected the end of the file")]
    EndExpected,
    /// A string that its line ends.
    #[error("the string is not closed on its line")]
    StringEnd,
    /// A comment that the file ends.
    #[error("the comment is not closed")]
    CommentEnd,
    /// A number without its digits.
    #[error("the number lacks a digit")]
    NumberEnd,
    /// A backslash before a character that needs none.
    #[error("`\\{0}` is no escape")]
    Escape(String),
    /// A control character in a string.
    #[error("a control character stands in the string")]
    Control,
    /// A key that the object has already.
    #[error("the key `{0}` is given twice, and the last one counts")]
    DuplicateKey(String),
}

impl Document {
    /// The first fault that no reader passes over without loss, with its line and column: `3:7: expected …`.
    ///
    /// A comma after the last member loses nothing.
    pub(crate) fn fault(&self, text: &str) -> Option<String> {
        let loses = |one: &&Diagnostic| !matches!(one.fault, Fault::TrailingComma(_));
        let first = self.diagnostics.iter().find(loses)?;
        let (line, column) = line_and_column(text, first.place.start);
        Some(format!("{line}:{column}: {}", first.fault))
    }
}

/// The line and the column, in characters, of a byte of `text`; both begin with 1.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Colon,
    String(String),
    Number(f64),
    True,
    False,
    Null,
    End,
}

/// Reads `text`.
pub(crate) fn parse(text: &str) -> Document {
    let mut parser = Parser {
        scanner: Scanner { text, at: 0 },
        token: Token::End,
        place: 0..0,
        diagnostics: Vec::new(),
        depth: 0,
    };
    let (value, places) = parser.document().unzip();
    // What is wrong with a token is found before what is wrong with its being there.
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.place.start);
    Document {
        value,
        places: places.unwrap_or_default(),
        diagnostics,
    }
}

/// What stands before a member of an object or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// The bracket.
    Nothing,
    /// Another member.
    Member,
}

/// How deep objects and arrays may be nested before the rest is read as missing: the stack is finite.
const DEEPEST: usize = 256;

struct Parser<'a> {
    scanner: Scanner<'a>,
    token: Token,
    place: Range<usize>,
    diagnostics: Vec<Diagnostic>,
    /// How many objects and arrays the value that is read lies in.
    depth: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Option<(Value, Places)> {
        self.advance();
        let value = self.value();
        if value.is_none() {
            self.report(Fault::ValueExpected);
        } else if self.token != Token::End {
            self.report(Fault::EndExpected);
        }
        value
    }

    /// Moves to the next token that means something.
    fn advance(&mut self) {
        loop {
            let start = self.scanner.at;
            let scanned = self.scanner.scan(&mut self.diagnostics);
            self.place = start..self.scanner.at;
            match scanned {
                Scanned::Token(token) => {
                    self.token = token;
                    return;
                }
                Scanned::Trivia => {}
                Scanned::Unknown => self.unknown(),
            }
        }
    }

    fn unknown(&mut self) {
        let symbol = &self.scanner.text[self.place.clone()];
        // A byte order mark is no fault of the person's, and every reader passes over it.
        let is_mark = symbol == "\u{feff}" && self.place.start == 0;
        if !is_mark {
            self.report(Fault::Symbol(symbol.to_owned()));
        }
    }

    fn report(&mut self, fault: Fault) {
        let place = self.place.clone();
        self.diagnostics.push(Diagnostic { place, fault });
    }

    /// Reports a fault and goes on at the next token of `until`.
    fn skip_to(&mut self, fault: Fault, until: &[Token]) {
        self.report(fault);
        while self.token != Token::End && !until.contains(&self.token) {
            self.advance();
        }
    }

    /// Reads a value that lies in the current one.
    fn member(&mut self) -> Option<(Value, Places)> {
        self.depth += 1;
        let value = self.value();
        self.depth -= 1;
        value
    }

    fn value(&mut self) -> Option<(Value, Places)> {
        let value = match &self.token {
            Token::OpenBrace if self.depth < DEEPEST => return Some(self.object()),
            Token::OpenBracket if self.depth < DEEPEST => return Some(self.array()),
            Token::String(text) => Value::String(text.clone()),
            Token::Number(number) => as_json(*number),
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null => Value::Null,
            _ => return None,
        };
        let places = Places {
            place: self.place.clone(),
            members: BTreeMap::new(),
        };
        self.advance();
        Some((value, places))
    }

    fn object(&mut self) -> (Value, Places) {
        let start = self.place.start;
        let mut members = Map::new();
        let mut places = BTreeMap::new();
        self.advance();
        let mut before = Before::Nothing;
        while !matches!(self.token, Token::CloseBrace | Token::End) {
            if self.comma(before, &Token::CloseBrace) {
                break;
            }
            self.property(&mut members, &mut places);
            before = Before::Member;
        }
        let places = Places {
            place: self.close(&Token::CloseBrace, ('}', start)),
            members: places,
        };
        (Value::Object(members), places)
    }

    fn array(&mut self) -> (Value, Places) {
        let start = self.place.start;
        let mut members = Vec::new();
        let mut places = BTreeMap::new();
        self.advance();
        let mut before = Before::Nothing;
        while !matches!(self.token, Token::CloseBracket | Token::End) {
            if self.comma(before, &Token::CloseBracket) {
                break;
            }
            match self.member() {
                Some((value, place)) => {
                    places.insert(members.len().to_string(), place);
                    members.push(value);
                }
                None => self.skip_to(Fault::ValueExpected, &[Token::CloseBracket, Token::Comma]),
            }
            before = Before::Member;
        }
        let places = Places {
            place: self.close(&Token::CloseBracket, (']', start)),
            members: places,
        };
        (Value::Array(members), places)
    }

    /// Reads what separates two members; whether it turned out to be a comma before the end.
    fn comma(&mut self, before: Before, close: &Token) -> bool {
        if self.token != Token::Comma {
            if before == Before::Member {
                self.report(Fault::CommaExpected);
            }
            return false;
        }
        let place = self.place.clone();
        if before == Before::Nothing {
            self.report(Fault::ValueExpected);
        }
        self.advance();
        if self.token != *close {
            return false;
        }
        let bracket = if *close == Token::CloseBrace {
            '}'
        } else {
            ']'
        };
        let fault = Fault::TrailingComma(bracket);
        self.diagnostics.push(Diagnostic { place, fault });
        true
    }

    fn property(
        &mut self,
        members: &mut Map<String, Value>,
        places: &mut BTreeMap<String, Places>,
    ) {
        let until = [Token::CloseBrace, Token::Comma];
        let Token::String(key) = self.token.clone() else {
            return self.skip_to(Fault::KeyExpected, &until);
        };
        let key_place = self.place.clone();
        self.advance();
        if self.token != Token::Colon {
            return self.skip_to(Fault::ColonExpected, &until);
        }
        self.advance();
        if members.contains_key(&key) {
            let fault = Fault::DuplicateKey(key.clone());
            self.diagnostics.push(Diagnostic {
                place: key_place,
                fault,
            });
        }
        match self.member() {
            // JavaScript takes this key for the object's prototype, so that no reader ever sees it.
            Some(_) if key == "__proto__" => {}
            Some((value, place)) => {
                places.insert(key.clone(), place);
                members.insert(key, value);
            }
            None => self.skip_to(Fault::ValueExpected, &until),
        }
    }

    /// Passes over the bracket that closes what begins at `start`, and gives the place of the whole.
    fn close(&mut self, token: &Token, (bracket, start): (char, usize)) -> Range<usize> {
        let place = start..self.place.end;
        if self.token == *token {
            self.advance();
        } else {
            self.report(Fault::CloseExpected(bracket));
        }
        place
    }
}

/// A number as JavaScript writes it: `1.0` is 1.
fn as_json(number: f64) -> Value {
    /// The largest whole number up to which every one has a double of its own (2^53).
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= LARGEST_EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole and far below the limit"
        )]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

enum Scanned {
    Token(Token),
    Trivia,
    Unknown,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_while(&mut self, holds: impl Fn(char) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c| !holds(c)).unwrap_or(rest.len());
    }

    fn scan(&mut self, diagnostics: &mut Vec<Diagnostic>) -> Scanned {
        let start = self.at;
        let Some(first) = self.peek() else {
            return Scanned::Token(Token::End);
        };
        self.at += first.len_utf8();
        let token = match first {
            ' ' | '\t' | '\n' | '\r' => return Scanned::Trivia,
            '{' => Token::OpenBrace,
            '}' => Token::CloseBrace,
            '[' => Token::OpenBracket,
            ']' => Token::CloseBracket,
            ',' => Token::Comma,
            ':' => Token::Colon,
            '"' => Token::String(self.string(diagnostics)),
            '/' => return self.comment(diagnostics),
            '-' | '0'..='9' => match self.number(start, diagnostics) {
                Some(number) => Token::Number(number),
                None => return Scanned::Unknown,
            },
            _ => return self.word(start),
        };
        Scanned::Token(token)
    }

    fn word(&mut self, start: usize) -> Scanned {
        self.skip_while(|c| !matches!(c, ' ' | '\t' | '\n' | '\r') && !"{}[]\":,/".contains(c));
        match &self.text[start..self.at] {
            "true" => Scanned::Token(Token::True),
            "false" => Scanned::Token(Token::False),
            "null" => Scanned::Token(Token::Null),
            _ => Scanned::Unknown,
        }
    }

    /// A comment, its first `/` read already.
    fn comment(&mut self, diagnostics: &mut Vec<Diagnostic>) -> Scanned {
        let start = self.at - 1;
        match self.peek() {
            Some('/') => {
                self.skip_while(|c| !matches!(c, '\n' | '\r'));
                Scanned::Trivia
            }
            Some('*') => {
                let rest = &self.text[self.at + 1..];
                if let Some(end) = rest.find("*/") {
                    self.at += 1 + end + 2;
                } else {
                    self.at = self.text.len();
                    diagnostics.push(Diagnostic {
                        place: start..self.at,
                        fault: Fault::CommentEnd,
                    });
                }
                Scanned::Trivia
            }
            _ => Scanned::Unknown,
        }
    }

    /// A number, its first character read already; `None` for a minus that stands alone.
    fn number(&mut self, start: usize, diagnostics: &mut Vec<Diagnostic>) -> Option<f64> {
        if self.text.as_bytes()[start] == b'-' {
            let digit = self.peek().filter(char::is_ascii_digit)?;
            self.at += digit.len_utf8();
        }
        // A number that begins with 0 has no further digit before its point.
        if self.text.as_bytes()[self.at - 1] != b'0' {
            self.digits();
        }
        let mut whole = self.at;
        let mut is_whole = true;
        if self.peek() == Some('.') {
            self.at += 1;
            is_whole = self.digits();
            whole = if is_whole { self.at } else { whole };
        }
        if is_whole && matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            is_whole = self.digits();
            whole = if is_whole { self.at } else { whole };
        }
        if !is_whole {
            diagnostics.push(Diagnostic {
                place: start..self.at,
                fault: Fault::NumberEnd,
            });
        }
        // What breaks off counts up to the last digit that makes a number, as it does for the reference.
        self.text[start..whole].parse().ok()
    }

    /// Passes over digits; whether there was one.
    fn digits(&mut self) -> bool {
        let before = self.at;
        self.skip_while(|c| c.is_ascii_digit());
        self.at > before
    }

    /// A string, its opening quote read already.
    fn string(&mut self, diagnostics: &mut Vec<Diagnostic>) -> String {
        let start = self.at - 1;
        let mut text = String::new();
        loop {
            let at = self.at;
            let mut report = |place: Range<usize>, fault| {
                diagnostics.push(Diagnostic { place, fault });
            };
            match self.peek() {
                None | Some('\n' | '\r') => {
                    report(start..at, Fault::StringEnd);
                    return text;
                }
                Some('"') => {
                    self.at += 1;
                    return text;
                }
                Some('\\') => {
                    self.at += 1;
                    match self.escape() {
                        Some(escaped) => text.push(escaped),
                        None => report(
                            at..self.at,
                            Fault::Escape(self.text[at + 1..self.at].to_owned()),
                        ),
                    }
                }
                Some(c) if c < ' ' => {
                    self.at += 1;
                    text.push(c);
                    report(at..self.at, Fault::Control);
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    /// What an escape stands for, its backslash read already; nothing where it is none.
    fn escape(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return None,
        })
    }

    /// The character of `\uXXXX`, or of two such that make a pair.
    fn unicode(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            // A half of a pair that stands alone has no character in UTF-8.
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_first = self.at;
        if self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            if let Some(second @ 0xdc00..0xe000) = self.four_digits() {
                return char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
        }
        self.at = after_first;
        Some(char::REPLACEMENT_CHARACTER)
    }

    /// The code of four hexadecimal digits; where there are fewer, those are passed over.
    fn four_digits(&mut self) -> Option<u32> {
        let rest = &self.text[self.at..];
        let count = rest
            .bytes()
            .take(4)
            .take_while(u8::is_ascii_hexdigit)
            .count();
        self.at += count;
        (count == 4).then(|| u32::from_str_radix(&rest[..4], 16).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is read from `text`, and the faults that are found in it.
    fn check(text: &str, value: &Value, faults: &[&str]) {
        let document = parse(text);
        assert_eq!(document.value.unwrap_or_default(), *value, "{text}");
        let found = document.diagnostics.iter().map(|one| {
            let (line, column) = line_and_column(text, one.place.start);
            format!("{line}:{column} {}", one.fault)
        });
        assert_eq!(found.collect::<Vec<_>>(), faults, "{text}");
    }

    #[test]
    fn sound_text_is_read_whole() {
        check(
            "{ // c\n \"a\": [1, -2.5e1, true, null] /* d */ }",
            &json!({ "a": [1, -25, true, null] }),
            &[],
        );
        check(r#""\u00e9\ud83d\ude00\n\\\/""#, &json!("é😀\n\\/"), &[]);
        check("\u{feff}{\r\n}", &json!({}), &[]);
    }

    #[test]
    fn broken_text_gives_what_the_reference_reads_and_says_what_is_wrong() {
        check(
            "{ \"a\": 1, }",
            &json!({ "a": 1 }),
            &["1:9 the comma before `}` is one too many"],
        );
        check(
            "{ \"a\": 1\n  \"b\": 2 }",
            &json!({ "a": 1, "b": 2 }),
            &["2:3 expected `,`"],
        );
        check(
            "{ 'a': 1, \"b\": 2 }",
            &json!({ "b": 2 }),
            &[
                "1:3 `'a'` is no JSON",
                "1:6 expected a key in double quotes",
            ],
        );
        check("{ \"a\": }", &json!({}), &["1:8 expected a value"]);
        check(
            "{ \"a\" 1 }",
            &json!({}),
            &["1:7 expected `:` after the key"],
        );
        check(
            "{ \"a\": [1, 2",
            &json!({ "a": [1, 2] }),
            &["1:13 expected `]`", "1:13 expected `}`"],
        );
        check(
            "{ \"a\": \"b\nc\" }",
            &json!({ "a": "b" }),
            &[
                "1:8 the string is not closed on its line",
                "2:1 `c` is no JSON",
                "2:2 the string is not closed on its line",
                "2:2 expected `,`",
                "2:5 expected `:` after the key",
                "2:5 expected `}`",
            ],
        );
        check(
            "{ \"a\": 1, \"a\": 2 }",
            &json!({ "a": 2 }),
            &["1:11 the key `a` is given twice, and the last one counts"],
        );
        check(
            "[1.] x",
            &json!([1]),
            &["1:2 the number lacks a digit", "1:6 `x` is no JSON"],
        );
        check("{} /*", &json!({}), &["1:4 the comment is not closed"]);
        check("", &Value::Null, &["1:1 expected a value"]);
        check("{}{}", &json!({}), &["1:3 expected the end of the file"]);
    }

    #[test]
    fn faults_stand_in_the_order_of_the_text() {
        check(
            r#"{ "a": 1, "a": "\x" }"#,
            &json!({ "a": "" }),
            &[
                "1:11 the key `a` is given twice, and the last one counts",
                "1:17 `\\x` is no escape",
            ],
        );
    }

    #[test]
    fn a_key_that_is_given_twice_has_the_places_of_its_last_value() {
        let places = parse(r#"{ "a": [1], "a": 2 }"#).places;
        let a = places.get("a").unwrap();
        assert_eq!(a.place, 17..18);
        assert_eq!(a.get("0"), None);
    }

    #[test]
    fn a_long_key_takes_its_room_once() {
        let key = "k".repeat(500_000);
        let members = "0,".repeat(250_000);
        let document = parse(&format!("{{ \"{key}\": [{members}0] }}"));
        assert!(document.diagnostics.is_empty());
    }

    #[test]
    fn a_text_of_brackets_alone_ends_no_stack() {
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).value.is_some());
    }
}
