//! Which files of a context count: the patterns of `.dockerignore`, and those by which BuildKit asks for files
//! (Dockerfile reference, ".dockerignore file"; Go's `path.Match` and `path.Clean`).

/// A pattern that no path can be held against.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern")]
pub(crate) struct BadPattern(pub(crate) String);

/// Patterns, the last of which that fits a path decides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone)]
struct Pattern {
    /// The pattern without its `!`.
    text: String,
    effect: Effect,
    shape: Shape,
}

/// What a pattern does with the paths that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Matches,
    /// `!`: takes them out again.
    Exempts,
}

/// How a path is held against a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Exact,
    /// `x**`.
    Prefix(String),
    /// `**x`.
    Suffix(String),
    Glob(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`.
    One,
    /// `*`.
    Name,
    /// `**/` or `**`: any folders, or none.
    Folders,
    /// `**` at the end.
    Rest,
    /// `[…]`: the ranges, and whether they are those that do not fit.
    Class(Vec<(char, char)>, Fit),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Within,
    Outside,
}

/// Which patterns a folder fits: so does all that is in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Above(Vec<bool>);

/// The patterns that `.dockerignore` holds, one a line.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (mark, pattern) = match line.strip_prefix('!') {
                Some(pattern) => ("!", pattern.trim()),
                None => ("", line),
            };
            if pattern.is_empty() {
                return mark.to_owned();
            }
            let pattern = clean(pattern);
            let relative = pattern.strip_prefix('/').filter(|rest| !rest.is_empty());
            format!("{mark}{}", relative.unwrap_or(&pattern))
        })
        .collect()
}

/// The shortest path that means the same, by its letters alone.
pub(crate) fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

impl Patterns {
    /// Reads patterns; empty ones do not count.
    pub(crate) fn parse<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, BadPattern> {
        let patterns = patterns.into_iter().map(str::trim);
        let patterns = patterns.filter(|pattern| !pattern.is_empty());
        patterns
            .map(Pattern::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the path, relative and with `/`, is matched, by what is known of the folder that it is in.
    pub(crate) fn matches(&self, path: &str, above: &Above) -> (bool, Above) {
        let mut is_matched = false;
        let mut fits = vec![false; self.0.len()];
        for (index, pattern) in self.0.iter().enumerate() {
            let is_below = above.0.get(index).copied().unwrap_or(false);
            // A pattern that would change nothing is not tried.
            let may_change = (pattern.effect == Effect::Exempts) == is_matched;
            fits[index] = is_below || (may_change && pattern.fits(path));
            if fits[index] {
                is_matched = pattern.effect == Effect::Matches;
            }
        }
        (is_matched, Above(fits))
    }

    /// Whether anything below `folder` could be matched, where the folder is not.
    pub(crate) fn may_match_below(&self, folder: &str) -> bool {
        self.may_reach(folder, Effect::Matches)
    }

    /// Whether anything below `folder` could be taken out again, where the folder is matched.
    pub(crate) fn may_exempt_below(&self, folder: &str) -> bool {
        self.may_reach(folder, Effect::Exempts)
    }

    fn may_reach(&self, folder: &str, effect: Effect) -> bool {
        let folder = format!("{folder}/");
        let mut patterns = self.0.iter().filter(|pattern| pattern.effect == effect);
        patterns.any(|pattern| {
            let fixed = pattern.text.strip_suffix("/**").unwrap_or(&pattern.text);
            let fixed = fixed.strip_suffix("/*").unwrap_or(fixed);
            fixed.contains(['*', '[', ']', '?', '^', '\\'])
                || format!("{fixed}/").starts_with(&folder)
        })
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let bad = || BadPattern(pattern.to_owned());
        let cleaned = clean(pattern);
        let (effect, text) = match cleaned.strip_prefix('!') {
            Some("") => return Err(bad()),
            Some(text) => (Effect::Exempts, text),
            None => (Effect::Matches, cleaned.as_str()),
        };
        Ok(Self {
            shape: Shape::parse(text).ok_or_else(bad)?,
            text: text.to_owned(),
            effect,
        })
    }

    fn fits(&self, path: &str) -> bool {
        match &self.shape {
            Shape::Exact => path == self.text,
            Shape::Prefix(prefix) => path.starts_with(prefix),
            Shape::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Shape::Glob(tokens) => fits(tokens, path),
        }
    }
}

impl Shape {
    /// `None` where the pattern is none.
    fn parse(text: &str) -> Option<Self> {
        let tokens = tokens(text)?;
        let is_plain =
            |tokens: &[Token]| tokens.iter().all(|token| matches!(token, Token::Char(_)));
        let has_escape = text.contains('\\');
        Some(match tokens.as_slice() {
            tokens if is_plain(tokens) && !has_escape => Self::Exact,
            [Token::Rest] => Self::Suffix(String::new()),
            [start @ .., Token::Rest] if is_plain(start) && !has_escape => {
                Self::Prefix(start.iter().filter_map(Token::char).collect())
            }
            [Token::Folders, end @ ..] if is_plain(end) && !has_escape => {
                Self::Suffix(text.trim_start_matches("**").to_owned())
            }
            _ => Self::Glob(tokens),
        })
    }
}

impl Token {
    fn char(&self) -> Option<char> {
        match self {
            Self::Char(c) => Some(*c),
            _ => None,
        }
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_some() {
                    Token::Folders
                } else {
                    Token::Rest
                }
            }
            '*' => Token::Name,
            '?' => Token::One,
            '[' => class(&mut chars)?,
            '\\' => Token::Char(chars.next()?),
            c => Token::Char(c),
        });
    }
    Some(tokens)
}

/// The rest of `[…]`.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Token> {
    let fit = if chars.next_if_eq(&'^').is_some() {
        Fit::Outside
    } else {
        Fit::Within
    };
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Some(Token::Class(ranges, fit));
        }
        let low = member(chars)?;
        let high = match chars.next_if_eq(&'-') {
            Some(_) => member(chars)?,
            None => low,
        };
        ranges.push((low, high));
    }
}

fn member(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

fn fits(tokens: &[Token], path: &str) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return path.is_empty();
    };
    let first = path.chars().next();
    let one = |is_it: bool| is_it && first.is_some_and(|c| fits(rest, &path[c.len_utf8()..]));
    match token {
        Token::Char(c) => one(first == Some(*c)),
        Token::One => one(first != Some('/')),
        Token::Class(ranges, fit) => one(first.is_some_and(|c| {
            let is_within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&c));
            is_within == (*fit == Fit::Within)
        })),
        Token::Name => {
            let end = path.find('/').unwrap_or(path.len());
            ends(&path[..end]).any(|end| fits(rest, &path[end..]))
        }
        Token::Folders => {
            let below = path.match_indices('/').map(|(at, _)| at + 1);
            std::iter::once(0)
                .chain(below)
                .any(|at| fits(rest, &path[at..]))
        }
        Token::Rest => true,
    }
}

/// Where a text can be cut, its end too.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let starts = text.char_indices().map(|(at, _)| at);
    starts.chain(std::iter::once(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ignored(patterns: &str, path: &str) -> bool {
        let lines = lines(patterns);
        let patterns = Patterns::parse(lines.iter().map(String::as_str)).unwrap();
        let mut above = Above::default();
        for (end, _) in path.match_indices('/') {
            above = patterns.matches(&path[..end], &above).1;
        }
        patterns.matches(path, &above).0
    }

    /// Patterns, paths that they match, and paths that they do not.
    const TABLE: &[(&str, &[&str], &[&str])] = &[
        (
            "docs",
            &["docs", "docs/a", "docs/a/b"],
            &["doc", "src/docs"],
        ),
        ("/docs/", &["docs", "docs/a"], &["src/docs"]),
        ("./a/../b", &["b", "b/c"], &["a", "a/b"]),
        ("*.md", &["a.md", ".md"], &["src/a.md", "a.mdx"]),
        ("*/*.md", &["src/a.md"], &["a.md", "src/lib/a.md"]),
        (
            "*/temp*",
            &["a/temp", "a/temporary/b"],
            &["temp", "a/b/temp"],
        ),
        ("temp?", &["tempa", "temp☺"], &["temp", "temp/", "tempab"]),
        ("**", &["a", "a/b"], &[]),
        ("**/*.go", &["a.go", "a/b.go", "a/b/c.go"], &["a.god"]),
        (
            "**/name",
            &["name", "a/name", "a/b/name", "a/name/c"],
            &["aname", "name2"],
        ),
        ("**name", &["name", "aname", "a/bname"], &["name2"]),
        ("**name*", &["name", "a/name2"], &["aname"]),
        ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
        ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "b"]),
        ("a**b", &["ab", "ax/b"], &["axb"]),
        ("**/a/*", &["a/b", "x/a/b", "x/a/b/c"], &["a", "x/a"]),
        ("a[b-d]e", &["abe", "ade"], &["aae", "aee", "ae"]),
        ("a[^b-d]e", &["aae"], &["abe"]),
        ("[\\]a]", &["]", "a"], &["b"]),
        ("a\\*b", &["a*b"], &["axb"]),
        ("a.(b)+{c}$|^", &["a.(b)+{c}$|^"], &["ax(b)+{c}$|^"]),
        ("*\n!keep", &["a", "keep2"], &["keep", "keep/a"]),
        (
            "*\n!src/**\nsrc/secret",
            &["a", "src", "src/secret/b"],
            &["src/a", "src/b/c"],
        ),
        ("**\n!src/a", &["b", "src", "src/b"], &["src/a", "src/a/b"]),
        (
            "docs\n!docs/README.md",
            &["docs", "docs/a"],
            &["docs/README.md"],
        ),
        ("!a\n*", &["a", "b"], &[]),
        (
            "*.md\n!READ*.md\nREADME-secret.md",
            &["a.md", "README-secret.md"],
            &["README.md"],
        ),
        ("# a\n\n  b  \n !c", &["b"], &["# a", "a", "c"]),
        ("\u{feff}a", &["a"], &["b"]),
        ("*\n! keep ", &["a"], &["keep"]),
    ];

    #[test]
    fn the_last_pattern_that_fits_decides() {
        for (patterns, matched, kept) in TABLE {
            for path in *matched {
                assert!(is_ignored(patterns, path), "{patterns:?} {path}");
            }
            for path in *kept {
                assert!(!is_ignored(patterns, path), "{patterns:?} {path}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for bad in [
            "!", "[", "[]a]", "a[", "[-x]", "[x-]", "[a-b-c]", "\\", "[^bc",
        ] {
            let parsed = Patterns::parse([bad]);
            assert_eq!(parsed.err(), Some(BadPattern(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_folder_is_entered_only_for_what_could_be_in_it() {
        let patterns = Patterns::parse(["data", "!data/small/*", "!*.md"]).unwrap();
        assert!(patterns.may_exempt_below("data"), "*.md could");
        let patterns = Patterns::parse(["data", "other", "!data/small/*"]).unwrap();
        assert!(patterns.may_exempt_below("data"));
        assert!(patterns.may_exempt_below("data/small"));
        assert!(!patterns.may_exempt_below("other"));
        assert!(!patterns.may_exempt_below("data/large"));
        let wanted = Patterns::parse(["src/a", "lib/**"]).unwrap();
        assert!(wanted.may_match_below("src"));
        assert!(!wanted.may_match_below("srcs"));
    }
}
