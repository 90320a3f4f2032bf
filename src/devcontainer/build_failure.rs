//! What a builder says when it fails → the place in the Dockerfile, and what to do.

use super::base_image::{Instruction, instructions, words};

/// An instruction that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line that it begins on, from 1.
    pub(crate) line: usize,
    /// What it says, on one line.
    pub(crate) instruction: String,
}

/// A stage of a Dockerfile.
struct Stage<'a> {
    from: &'a Instruction,
    name: Option<&'a str>,
    steps: Vec<&'a Instruction>,
}

/// What the name of a step says: `[base 2/4] RUN make`, or `[internal] load metadata for docker.io/library/python:3.13`.
struct Step<'a> {
    stage: Option<&'a str>,
    number: Option<usize>,
    does: &'a str,
}

/// The instructions that BuildKit counts beside FROM.
const COUNTED: &[&str] = &["ADD", "COPY", "RUN", "WORKDIR"];

/// What a step begins with that looks at a base image.
const METADATA: &str = "load metadata for ";

/// The instruction of the Dockerfile that the builder's step called `name` carries out.
pub(crate) fn place(dockerfile: &str, name: &str) -> Option<Place> {
    let instructions = instructions(dockerfile);
    let stages = stages(&instructions);
    let step = Step::parse(name)?;
    if let Some(image) = step.does.strip_prefix(METADATA) {
        return base(&stages, image).map(Place::of);
    }
    let stage = step.stage(&stages)?;
    let keyword = first_word(step.does);
    if keyword.eq_ignore_ascii_case("FROM") {
        return Some(Place::of(stage.from));
    }
    let is_kind =
        |instruction: &&&Instruction| first_word(&instruction.text).eq_ignore_ascii_case(keyword);
    let said = spaced(step.does);
    let is_said = |instruction: &&Instruction| spaced(&instruction.text) == said;
    let mut alike = stage.steps.iter().copied().filter(is_said);
    let exact = alike.next().filter(|_| alike.next().is_none());
    exact
        .or_else(|| stage.counted(step.number?, &stages))
        .filter(|instruction| first_word(&instruction.text).eq_ignore_ascii_case(keyword))
        .or_else(|| {
            let alike = stage.steps.iter().filter(is_kind);
            alike
                .max_by_key(|instruction| common(&spaced(&instruction.text), &said))
                .copied()
        })
        .map(Place::of)
}

/// The place that the builder itself names: `dockerfile parse error line 3: …`.
pub(crate) fn named_place(dockerfile: &str, message: &str) -> Option<Place> {
    let (_, rest) = [
        "parse error line ",
        "parse error on line ",
        "Dockerfile line ",
    ]
    .iter()
    .find_map(|before| message.split_once(before))?;
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let line = rest[..end].parse().ok()?;
    let instructions = instructions(dockerfile);
    let found = instructions.iter().rfind(|found| found.line <= line);
    Some(Place {
        line,
        instruction: found.map(|found| found.text.clone()).unwrap_or_default(),
    })
}

/// The instruction with that index.
pub(crate) fn instruction(dockerfile: &str, index: usize) -> Option<Place> {
    instructions(dockerfile).get(index).map(Place::of)
}

/// The images that the stages are built on, as far as no variable names them.
pub(crate) fn base_images(dockerfile: &str) -> Vec<String> {
    let instructions = instructions(dockerfile);
    let stages = stages(&instructions);
    let names: Vec<&str> = stages.iter().filter_map(|stage| stage.name).collect();
    let images = stages.iter().map(|stage| image(stage.from));
    let images = images.filter(|image| !image.contains('$') && *image != "scratch");
    images
        .filter(|image| !names.contains(image))
        .map(str::to_owned)
        .collect()
}

/// The exit code that a builder names.
pub(crate) fn exit_code(message: &str) -> Option<i64> {
    let codes = ["exit code: ", "returned a non-zero code: "].iter();
    let mut codes = codes.filter_map(|before| message.rsplit_once(before));
    let (_, rest) = codes.next()?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// What is left of a builder's message when the names of its own parts are taken away.
pub(crate) fn plain(message: &str) -> &str {
    const PARTS: &[&str] = &[
        "failed to solve: ",
        "failed to solve with frontend dockerfile.v0: ",
        "failed to create LLB definition: ",
        "rpc error: code = Unknown desc = ",
        "executor failed running ",
    ];
    let mut plain = message.trim();
    while let Some(rest) = PARTS.iter().find_map(|part| plain.strip_prefix(part)) {
        plain = rest;
    }
    plain
}

impl Place {
    fn of(instruction: &Instruction) -> Self {
        Self {
            line: instruction.line,
            instruction: spaced(&instruction.text),
        }
    }
}

impl<'a> Step<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (inside, does) = name.strip_prefix('[')?.split_once("] ")?;
        let mut words = inside.split(' ').rev();
        let count = words.next().and_then(|word| word.split_once('/'));
        let number = count.and_then(|(number, _)| number.parse().ok());
        let stage = words.next().filter(|word| !word.contains('/'));
        Some(Self {
            stage,
            number,
            does,
        })
    }

    fn stage<'b>(&self, stages: &'b [Stage<'b>]) -> Option<&'b Stage<'b>> {
        let Some(name) = self.stage else {
            return stages.last();
        };
        let is_it = |stage: &&Stage<'_>| {
            stage
                .name
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        let number = || name.strip_prefix("stage-")?.parse::<usize>().ok();
        let named = stages.iter().find(is_it);
        named.or_else(|| stages.get(number()?))
    }
}

impl<'a> Stage<'a> {
    /// The instruction with that number; FROM is the first, unless it names another stage.
    fn counted(&self, number: usize, stages: &[Stage<'_>]) -> Option<&'a Instruction> {
        let base = image(self.from);
        let earlier = stages
            .iter()
            .take_while(|stage| stage.from.line < self.from.line);
        let mut earlier = earlier.filter_map(|stage| stage.name);
        let is_stage = earlier.any(|name| name.eq_ignore_ascii_case(base));
        let before = if is_stage || base == "scratch" { 1 } else { 2 };
        let counts = |instruction: &&&Instruction| {
            let keyword = first_word(&instruction.text).to_ascii_uppercase();
            COUNTED.contains(&keyword.as_str())
        };
        let mut counted = self.steps.iter().filter(counts);
        counted.nth(number.checked_sub(before)?).copied()
    }
}

fn stages(instructions: &[Instruction]) -> Vec<Stage<'_>> {
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for instruction in instructions {
        if first_word(&instruction.text).eq_ignore_ascii_case("FROM") {
            let mut words = words(&instruction.text);
            let is_as = |word: &str| word.eq_ignore_ascii_case("as");
            stages.push(Stage {
                from: instruction,
                name: words.find(|word| is_as(word)).and_then(|_| words.next()),
                steps: Vec::new(),
            });
        } else if let Some(stage) = stages.last_mut() {
            stage.steps.push(instruction);
        }
    }
    stages
}

/// The image that a FROM names.
fn image(from: &Instruction) -> &str {
    let mut words = words(&from.text).skip(1);
    words
        .find(|word| !word.starts_with("--"))
        .unwrap_or_default()
}

/// The FROM that means the image with this whole name; one that has a variable in it may.
fn base<'a>(stages: &[Stage<'a>], whole: &str) -> Option<&'a Instruction> {
    let bare = whole.strip_prefix("docker.io/").unwrap_or(whole);
    let bare = bare.strip_prefix("library/").unwrap_or(bare);
    let untagged = bare.strip_suffix(":latest").unwrap_or(bare);
    let means = |stage: &&Stage<'_>| [whole, bare, untagged].contains(&image(stage.from));
    let may_mean = |stage: &&Stage<'_>| image(stage.from).contains('$');
    let found = stages.iter().find(means);
    let found = found.or_else(|| stages.iter().find(may_mean));
    found.map(|stage| stage.from)
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// One space between words.
fn spaced(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// What a step says when it fails for a usual cause, in lower case, and the way out.
const CAUSES: &[(&[&str], &str)] = &[
    (
        &[
            "no space left on device",
            "you don't have enough free space",
        ],
        "the engine's disk is full: `docker system df` shows what takes the space, `docker system prune` frees what nothing uses",
    ),
    (
        &[
            "the --mount option requires buildkit",
            "unknown flag: mount",
            "requires buildkit",
        ],
        "this Dockerfile needs BuildKit: do not set `DOCKER_BUILDKIT=0`, or use an engine that has it (Docker 18.09 or later)",
    ),
    (
        &[
            "certificate verify failed",
            "certificate_verify_failed",
            "certificate signed by unknown authority",
            "unable to get local issuer certificate",
            "self-signed certificate",
            "self signed certificate",
            "server certificate verification failed",
            "certificate verification failed",
            "invalid peer certificate",
            "unknownissuer",
        ],
        "something on the way out intercepts TLS with a certificate authority that the image does not know: copy its certificate in before this step (`scaffold new --ca-bundle` makes projects that do)",
    ),
    (
        &[
            "could not resolve",
            "temporary failure in name resolution",
            "temporary failure resolving",
            "name or service not known",
            "nodename nor servname",
            "network is unreachable",
            "no route to host",
            "no such host",
            "failed to establish a new connection",
            "connection timed out",
            "connection refused",
            "could not connect to",
            "failed to connect to",
            "dns error",
            "i/o timeout",
            "proxyconnect",
        ],
        "the step reaches no network: behind a proxy, name it under `proxies` in `~/.docker/config.json`; with a VPN, look at the engine's DNS servers",
    ),
    (
        &[
            "pull access denied",
            "authorization failed",
            "authentication required",
            "no basic auth credentials",
            "unauthorized",
            "401 unauthorized",
            "403 forbidden",
            "requested access to the resource is denied",
        ],
        "the registry wants a login, or has no such image: `docker login REGISTRY` keeps the credentials that this command shows",
    ),
    (
        &["unable to locate package", "has no installation candidate"],
        "begin the same RUN with `apt-get update &&`; if that is there, this release of the distribution has no package of that name",
    ),
    (
        &[
            "no matching distribution found",
            "could not find a version that satisfies",
            "no solution found when resolving",
            "packagesnotfounderror",
            "' was not found",
            "no matching package",
            "unsatisfiable",
            "is not available for this platform",
        ],
        "there is no such version for this Python and this processor: look at what the package index has, and at the `requires-python` of the package",
    ),
    (
        &[
            "manifest unknown",
            "manifest for ",
            "not found: manifest",
            ": not found\nfrom",
            "failed to resolve source metadata",
            "failed to load metadata",
        ],
        "the registry has no such image or tag: look at its tags",
    ),
    (
        &[
            "python.h: no such file",
            ".h: no such file",
            "command 'gcc' failed",
            "unable to execute 'gcc'",
            "linux-gnu-gcc' failed",
            "linux-gnu-gcc: not found",
            "gcc: not found",
            "gcc: command not found",
            "g++: not found",
            "cc: not found",
            "make: not found",
            "cmake: not found",
            "pg_config executable not found",
            "pkg-config: not found",
            "pkg-config: command not found",
            "cannot find -l",
            "no acceptable c compiler",
            "failed to build `",
            "failed building wheel",
        ],
        "a package is compiled here and lacks a compiler or a library: install the system package first (`apt-get install --yes build-essential` and the library's `-dev` package), or take a version that has a wheel",
    ),
    (
        &["cannot open shared object file"],
        "a shared library is missing: install the system package that holds it in an earlier RUN",
    ),
    (
        &["exec format error"],
        "the image is for another processor: name the platform (`--platform`), and give the engine an emulator for it",
    ),
    (
        &[
            ": not found",
            "command not found",
            "executable file not found",
        ],
        "the image has no such program: install the package that holds it in an earlier RUN",
    ),
];

/// Why a COPY or an ADD finds nothing.
const NOT_IN_CONTEXT: &str = "paths are relative to the build's context, which holds nothing that `.dockerignore` leaves out";

/// What to do about a step that failed, if the cause is a usual one.
pub(crate) fn hint(instruction: &str, message: &str, output: &[String]) -> Option<&'static str> {
    let keyword = first_word(instruction).to_ascii_uppercase();
    let told = format!("{}\n{message}", output.join("\n")).to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| told.contains(part));
    if ["COPY", "ADD"].contains(&keyword.as_str())
        && has(&[
            "not found",
            "no such file",
            "no source files",
            "forbidden path",
        ])
    {
        return Some(NOT_IN_CONTEXT);
    }
    if keyword == "FROM" && has(&["not found"]) && !has(&["denied", "unauthorized"]) {
        return Some("the registry has no such image or tag: look at its tags");
    }
    let known = CAUSES.iter().find(|(parts, _)| has(parts));
    let killed = || {
        (exit_code(message) == Some(137)).then_some(
            "the step was killed, most likely for want of memory: give the engine more, or run fewer jobs at once",
        )
    };
    known.map(|(_, hint)| *hint).or_else(killed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "\
# syntax=docker/dockerfile:1
ARG TAG=3.13
FROM debian:bookworm-slim AS base
RUN apt-get update \\
 # a comment
 && apt-get install git
RUN true
COPY a \\
  /a
RUN true

FROM base
WORKDIR /work
ENV A=b
run make   all
FROM python:${TAG}
RUN <<EOF
make
EOF
COPY $SOURCE /b
";

    #[test]
    fn a_step_is_found_in_the_dockerfile() {
        let table = [
            (
                "[base 1/5] FROM docker.io/library/debian:bookworm-slim@sha256:1",
                Some(3),
            ),
            (
                "[base 2/5] RUN apt-get update  && apt-get install git",
                Some(4),
            ),
            ("[base 3/5] RUN true", Some(7)),
            ("[base 5/5] RUN true", Some(10)),
            ("[base 4/5] COPY a   /a", Some(8)),
            ("[stage-1 2/2] RUN make   all", Some(15)),
            ("[linux/amd64 stage-1 1/2] WORKDIR /work", Some(13)),
            ("[stage-2 3/3] COPY value /b", Some(20)),
            ("[stage-2 2/3] RUN <<EOF (make)", Some(17)),
            (
                "[internal] load metadata for docker.io/library/debian:bookworm-slim",
                Some(3),
            ),
            (
                "[internal] load metadata for docker.io/library/python:3.13",
                Some(16),
            ),
            ("[internal] load build context", None),
            ("exporting to image", None),
        ];
        for (name, line) in table {
            let found = place(DOCKERFILE, name).map(|place| place.line);
            assert_eq!(found, line, "{name}");
        }
    }

    #[test]
    fn the_builder_may_name_the_line() {
        let message = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 9: unknown instruction: COPPY";
        let place = named_place(DOCKERFILE, message).unwrap();
        assert_eq!(place.line, 9);
        assert_eq!(place.instruction, "COPY a /a");
        assert_eq!(
            plain(message),
            "dockerfile parse error line 9: unknown instruction: COPPY"
        );
    }

    #[test]
    fn the_exit_code_is_read_from_what_each_builder_says() {
        let table = [
            (
                "executor failed running [/bin/sh -c exit 3]: exit code: 3",
                Some(3),
            ),
            (
                "process \"/bin/sh -c x\" did not complete successfully: exit code: 127",
                Some(127),
            ),
            (
                "The command '/bin/sh -c x' returned a non-zero code: 2",
                Some(2),
            ),
            ("cache key: not found", None),
        ];
        for (message, code) in table {
            assert_eq!(exit_code(message), code, "{message}");
        }
    }

    #[test]
    fn the_usual_causes_have_a_way_out() {
        let table = [
            (
                "RUN x",
                "E: Could not resolve 'deb.debian.org'",
                "no network",
            ),
            (
                "RUN pip install x",
                "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed\nERROR: No matching distribution found for x",
                "intercepts TLS",
            ),
            (
                "RUN pip install x",
                "Failed to establish a new connection: [Errno -3]\nERROR: No matching distribution found for x",
                "no network",
            ),
            (
                "RUN pip install x==9",
                "ERROR: No matching distribution found for x==9",
                "no such version",
            ),
            (
                "RUN apt-get install x",
                "E: Unable to locate package x",
                "apt-get update",
            ),
            (
                "RUN pip install x",
                "error: command 'gcc' failed: No such file or directory",
                "compiler",
            ),
            ("RUN uvx", "/bin/sh: 1: uvx: not found", "no such program"),
            (
                "RUN dd",
                "dd: error writing 'x': No space left on device",
                "disk is full",
            ),
            (
                "COPY a b",
                "failed to compute cache key: \"/a\" not found: not found",
                "context",
            ),
            ("FROM x:9", "docker.io/library/x:9: not found", "tags"),
        ];
        for (instruction, said, expected) in table {
            let hint = hint(instruction, "", &[said.to_owned()]).unwrap();
            assert!(hint.contains(expected), "{instruction}: {hint}");
        }
        assert_eq!(hint("RUN false", "exit code: 1", &[]), None);
        assert!(
            hint("RUN x", "exit code: 137", &[])
                .unwrap()
                .contains("memory")
        );
    }
}
