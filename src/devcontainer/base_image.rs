//! A Dockerfile → the image that it builds on.

use super::variable::Environment;
use std::collections::BTreeMap;

/// What a build is told beside its Dockerfile.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuildOptions<'a> {
    /// `--build-arg`.
    pub(crate) args: BTreeMap<String, String>,
    /// `--target`.
    pub(crate) target: Option<&'a str>,
}

/// A FROM and its ARGs, as far as they bear on the base.
struct Stage<'a> {
    image: &'a str,
    name: Option<&'a str>,
}

/// The base of the stage that is built: `None` where that is `scratch` or no stage at all.
///
/// A stage that is built on an earlier one leads on to that one's base.
pub(crate) fn base_image(
    dockerfile: &str,
    options: &BuildOptions<'_>,
    platform: &Environment,
) -> Option<String> {
    let mut args: Vec<(&str, Option<&str>)> = Vec::new();
    let mut stages: Vec<Stage<'_>> = Vec::new();
    let lines = instructions(dockerfile);
    for Instruction { text, .. } in &lines {
        let mut words = words(text);
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("ARG") if stages.is_empty() => args.extend(words.map(argument)),
            Some("FROM") => stages.extend(stage(words)),
            _ => {}
        }
    }
    let known = known(&args, options, platform);
    let find = |name: &str, before: usize| {
        let is_it = |stage: &Stage<'_>| stage.name.is_some_and(|n| n.eq_ignore_ascii_case(name));
        stages[..before].iter().rposition(is_it)
    };
    let mut at = match options.target {
        None => stages.len().checked_sub(1)?,
        Some(target) => find(target, stages.len())
            .or_else(|| target.parse().ok().filter(|&at: &usize| at < stages.len()))?,
    };
    loop {
        let image = expand(stages[at].image, &known);
        match find(&image, at) {
            Some(earlier) => at = earlier,
            // A stage is built neither on itself nor on a later one: `FROM python AS python` means the image.
            None => return Some(image).filter(|image| image != "scratch"),
        }
    }
}

/// The platform's variables, for containers of Linux on a machine of this architecture (Dockerfile reference, "Automatic platform ARGs in
/// the global scope").
pub(crate) fn platform(architecture: &str) -> Environment {
    let variables = ["BUILD", "TARGET"].into_iter().flat_map(|who| {
        [
            (format!("{who}PLATFORM"), format!("linux/{architecture}")),
            (format!("{who}OS"), "linux".to_owned()),
            (format!("{who}ARCH"), architecture.to_owned()),
            (format!("{who}VARIANT"), String::new()),
        ]
    });
    variables.collect()
}

/// How long a variable may be: each can hold the one before it many times, and no image has such a name.
const LONGEST: usize = 4096;

/// What the variables of FROM stand for: ARGs before the first of them, and the platform's.
fn known(
    args: &[(&str, Option<&str>)],
    options: &BuildOptions<'_>,
    platform: &Environment,
) -> Environment {
    let mut known = platform.clone();
    for (name, default) in args {
        let given = options.args.get(*name).cloned();
        let value = given.or_else(|| default.map(|default| expand(default, &known)));
        if let Some(value) = value.filter(|value| value.len() <= LONGEST) {
            known.insert((*name).to_owned(), value);
        }
    }
    known
}

/// `NAME` or `NAME=default` of an ARG.
fn argument(word: &str) -> (&str, Option<&str>) {
    let (name, default) = match word.split_once('=') {
        Some((name, default)) => (name, Some(unquoted(default))),
        None => (word, None),
    };
    (name, default)
}

/// `[--platform=…] IMAGE [AS NAME]`.
fn stage<'a>(words: impl Iterator<Item = &'a str>) -> Option<Stage<'a>> {
    let mut words = words.skip_while(|word| word.starts_with("--"));
    let image = unquoted(words.next()?);
    let is_named = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("as"));
    Some(Stage {
        image,
        name: is_named.then(|| words.next()).flatten(),
    })
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}

/// The words of an instruction; quotes keep one together.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    line.split(move |c: char| {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
        quote.is_none() && c.is_whitespace()
    })
    .filter(|word| !word.is_empty())
}

/// An instruction of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    /// What it says, on one line.
    pub(super) text: String,
}

/// The instructions, each on one line: comments and the bodies of heredocs left out, continued lines joined
/// (Dockerfile reference, "Format", "Parser directives", "Here-Documents").
pub(super) fn instructions(dockerfile: &str) -> Vec<Instruction> {
    let dockerfile = dockerfile.trim_start_matches('\u{feff}');
    let escape = escape(dockerfile);
    let mut instructions = Vec::new();
    let mut open: Option<Instruction> = None;
    let mut lines = (1..).zip(dockerfile.lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let mut whole = open.take().unwrap_or(Instruction {
            line: number,
            text: String::new(),
        });
        if let Some(begun) = line.strip_suffix(escape) {
            whole.text.push_str(begun);
            open = Some(whole);
            continue;
        }
        whole.text.push_str(line);
        for end in heredocs(&whole.text) {
            let is_end = |line: &str| line.trim_start_matches('\t') == end;
            lines.by_ref().find(|(_, line)| is_end(line));
        }
        instructions.push(whole);
    }
    instructions.extend(open);
    instructions
}

/// The character that continues a line: a backslash, unless a directive at the top says another.
fn escape(dockerfile: &str) -> char {
    let directives = dockerfile
        .lines()
        .map_while(|line| line.trim().strip_prefix('#')?.split_once('='));
    let mut escapes = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    let escape = escapes.next().map(|(_, value)| value.trim());
    if escape == Some("`") { '`' } else { '\\' }
}

/// The words that end the heredocs which an instruction opens.
fn heredocs(line: &str) -> Vec<String> {
    let takes_them = ["RUN", "COPY", "ADD"].iter().any(|name| {
        line.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    let opened = line.split("<<").skip(1).filter(|_| takes_them);
    let ends = opened.filter_map(|rest| {
        let rest = rest.strip_prefix('-').unwrap_or(rest);
        let rest = rest.trim_start_matches(['"', '\'']);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let word = &rest[..end.unwrap_or(rest.len())];
        (!word.is_empty()).then(|| word.to_owned())
    });
    ends.collect()
}

/// Puts in `$X`, `${X}`, `${X:-word}` and `${X:+word}`; what is not known is empty, and what grows too long is left as it is.
fn expand(text: &str, known: &Environment) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while expanded.len() <= LONGEST
        && let Some((before, after)) = rest.split_once('$')
    {
        expanded.push_str(before);
        let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
        let braced = after.strip_prefix('{').and_then(|inside| {
            let end = inside.find('}')?;
            Some((&inside[..end], &inside[end + 1..]))
        });
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let (expression, left) = braced.unwrap_or((&after[..end], &after[end..]));
        let end = expression.find(|c| !is_name(c));
        let (name, word) = expression.split_at(end.unwrap_or(expression.len()));
        let value = known.get(name).map_or("", String::as_str);
        let word = |sign| {
            word.trim_start_matches(':')
                .strip_prefix(sign)
                .map(unquoted)
        };
        expanded.push_str(match (word('-'), word('+')) {
            (Some(default), _) if value.is_empty() => default,
            (_, Some(_)) if value.is_empty() => "",
            (_, Some(other)) => other,
            _ => value,
        });
        rest = left;
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(dockerfile: &str, args: &[(&str, &str)], target: Option<&str>) -> Option<String> {
        let args = args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = BuildOptions {
            args: args.collect(),
            target,
        };
        let platform = Environment::from([("TARGETARCH".to_owned(), "amd64".to_owned())]);
        base_image(dockerfile, &options, &platform)
    }

    #[test]
    fn the_base_is_that_of_the_stage_that_is_built() {
        let stages = "ARG V=3\nARG A=\"x\" B=y$V\nFROM a:$V AS One\nARG V=9\nFROM one as two\nFROM ${B:-z} AS three\nfrom c-$TARGETARCH:${MISSING:-4}";
        let table = [
            (None, Some("c-amd64:4")),
            (Some("two"), Some("a:3")),
            (Some("three"), Some("y3")),
            (Some("0"), Some("a:3")),
            (Some("four"), None),
        ];
        for (target, expected) in table {
            assert_eq!(base(stages, &[], target).as_deref(), expected, "{target:?}");
        }
        assert_eq!(
            base(stages, &[("V", "4")], Some("two")).as_deref(),
            Some("a:4")
        );
        assert_eq!(base("FROM scratch", &[], None), None);
        assert_eq!(
            base("FROM a AS b\nFROM b AS b\nFROM b", &[], None).as_deref(),
            Some("a")
        );
        assert_eq!(base("FROM b AS b", &[], None).as_deref(), Some("b"));
        assert_eq!(base("RUN true", &[], None), None);
        assert_eq!(base("FROM", &[], None), None);
    }

    #[test]
    fn arguments_that_double_each_other_do_not_grow_without_end() {
        let lines = "ARG A=$A$A\n".repeat(100);
        let dockerfile = format!("ARG A=x\n{lines}FROM base-$A");
        let image = base(&dockerfile, &[], None).unwrap();
        assert_eq!(image.len(), "base-".len() + LONGEST);
        let many = "$A".repeat(100_000);
        let image = base(
            &format!("ARG A={}\nFROM {many}", "x".repeat(LONGEST)),
            &[],
            None,
        );
        assert!(image.unwrap().len() < 300_000);
    }

    #[test]
    fn only_instructions_count() {
        let table = [
            "FROM \\\n  base\nRUN true",
            "FROM \\\n# why\n\n  base",
            "# escape=`\nFROM `\n base",
            "\u{feff}# FROM no\r\nFROM base\r\n",
            "FROM base\nRUN python3 <<EOF\nfrom os import path\nEOF\n",
            "FROM base\nCOPY <<-'END' /x\nFROM no\n\tEND\nUSER me",
            "FROM base\nRUN echo \\\n  FROM no",
        ];
        for dockerfile in table {
            assert_eq!(
                base(dockerfile, &[], None).as_deref(),
                Some("base"),
                "{dockerfile:?}"
            );
        }
    }
}
