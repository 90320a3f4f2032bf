//! Images are built by the engine's own builder, without the docker client.

use super::{Desk, Person, setting};
use crate::support::{Run, follows_schema, json};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

/// A project that is built of a Dockerfile, under a name of its own.
struct Project {
    desk: Desk,
    image: String,
}

impl Project {
    fn new(name: &str, dockerfile: &str) -> Self {
        let desk = Desk::new(&format!("builds-{name}"), Person::Ordinary);
        let project = Self {
            desk,
            image: format!("scaffold-test/builds-{name}:1"),
        };
        project.write("Dockerfile", dockerfile);
        project.write(
            ".devcontainer.json",
            "{ \"build\": { \"dockerfile\": \"Dockerfile\" } }",
        );
        project
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        let folder = path.parent().unwrap();
        self.desk
            .run(Command::new("mkdir").arg("-p").arg(folder))
            .succeeds();
        fs::write(path, text).unwrap();
    }

    /// Beside the program, which is no part of it.
    fn folder(&self) -> PathBuf {
        self.desk.folder.join("project")
    }

    /// Builds with more of an environment than the desk has.
    fn build_with(&self, environment: &[&str], args: &[&str]) -> Run {
        let mut command = Command::new("env");
        command.args(environment).arg(self.desk.program());
        command.args(["build", "--tag", &self.image]).args(args);
        self.desk.run(command.current_dir(self.folder()))
    }

    fn build(&self, args: &[&str]) -> Run {
        self.build_with(&[], args)
    }

    fn build_classic(&self, args: &[&str]) -> Run {
        self.build_with(&["DOCKER_BUILDKIT=0"], args)
    }

    /// What the image's shell prints.
    fn says(&self, script: &str) -> String {
        let args = ["run", "--rm", &self.image, "sh", "-c", script];
        self.desk.docker(&args).succeeds().stdout
    }

    fn label(&self, name: &str) -> String {
        let format = format!("{{{{ index .Config.Labels \"{name}\" }}}}");
        let args = ["inspect", "--format", &format, &self.image];
        let label = self.desk.docker(&args).succeeds().stdout;
        label.trim().to_owned()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.desk.docker(&["rmi", "--force", &self.image]);
        }
    }
}

/// The events of `--json`.
fn events(run: &Run) -> Vec<Value> {
    run.stderr.lines().map(json).collect()
}

/// How many bytes of the context travelled.
fn transferred(run: &Run) -> u64 {
    let events = events(run);
    let of_context = events
        .iter()
        .filter(|event| event["name"] == "transferring context:");
    let moved = of_context.filter_map(|event| event["current"].as_u64());
    moved.max().expect("the context was asked for")
}

#[test]
#[ignore = "needs an engine"]
fn caches_secrets_arguments_and_the_label_reach_the_image() {
    let dockerfile = "\
FROM debian:bookworm-slim AS base
ARG GREETING
RUN echo $GREETING >/greeting
RUN --mount=type=cache,target=/cache echo $GREETING >>/cache/log && cp /cache/log /log
RUN --mount=type=secret,id=file --mount=type=secret,id=variable sha256sum </run/secrets/file >/sum && cat /run/secrets/variable | sha256sum >>/sum
FROM base
RUN false
";
    let project = Project::new("mounts", dockerfile);
    project.write(
        ".devcontainer.json",
        "{ \"build\": { \"dockerfile\": \"Dockerfile\", \"target\": \"base\", \"args\": { \"GREETING\": \"${localEnv:NOBODY:hi}\" } }, \"remoteUser\": \"${localEnv:USER}\" }",
    );
    project.write("secret", "hunter2-of-file");
    let secrets = [
        "--secret",
        "id=file,src=secret",
        "--secret",
        "id=variable,env=SECRET_OF_TEST",
        "--json",
    ];
    let built = project
        .build_with(&["SECRET_OF_TEST=hunter2-of-variable"], &secrets)
        .succeeds();
    let printed = follows_schema("build", &built.stdout);
    assert_eq!(printed["imageName"][0], project.image.as_str());
    assert_eq!(project.says("cat /greeting"), "hi\n");
    assert_eq!(project.says("wc -l </sum"), "2\n");
    let label = project.label("devcontainer.metadata");
    assert_eq!(label, "[{\"remoteUser\":\"${localEnv:USER}\"}]");
    // The second build finds what the first put into the cache.
    project
        .build(&[
            "--secret",
            "id=file,src=secret",
            "--secret",
            "id=variable,src=secret",
            "--build-arg",
            "GREETING=ho",
        ])
        .succeeds();
    assert!(project.says("cat /log").ends_with("hi\nho\n"));
}

/// Neither in a layer, nor in a label, nor in the history.
#[test]
#[ignore = "needs an engine"]
fn no_credential_of_a_proxy_and_no_secret_stays_in_the_image() {
    let dockerfile = "\
FROM debian:bookworm-slim
RUN test \"${HTTP_PROXY#http://me:}\" != \"$HTTP_PROXY\"
RUN --mount=type=secret,id=token test -s /run/secrets/token
";
    let project = Project::new("secrets", dockerfile);
    project.write("docker/config.json", "{ \"proxies\": { \"default\": { \"httpProxy\": \"http://me:hunter2-of-proxy@127.0.0.1:9\" } } }");
    project.write("token", "hunter2-of-token");
    let config = format!("DOCKER_CONFIG={}", project.path("docker").display());
    let built = project
        .build_with(&[&config], &["--secret", "id=token,src=token"])
        .succeeds();
    let saved = project.path("saved.tar");
    let saved = saved.to_str().unwrap();
    project
        .desk
        .docker(&["save", "--output", saved, &project.image])
        .succeeds();
    let script = format!(
        "mkdir all && tar -xf {saved} -C all && for layer in $(find all -name layer.tar); do tar -xOf $layer; done | cat - $(find all -name '*.json') | grep --text --count hunter2"
    );
    let mut grep = Command::new("sh");
    let found = project
        .desk
        .run(grep.args(["-c", &script]).current_dir(project.folder()));
    assert_eq!(found.stdout, "0\n", "{}", found.stderr);
    let history = project
        .desk
        .docker(&["history", "--no-trunc", &project.image]);
    assert!(!history.succeeds().stdout.contains("hunter2"));
    assert!(!(built.stdout + &built.stderr).contains("hunter2-of-token"));
}

#[test]
#[ignore = "needs an engine"]
fn only_what_has_changed_of_a_context_travels() {
    let project = Project::new("travels", "FROM debian:bookworm-slim\nCOPY . /src\n");
    project.write("large", &"x".repeat(3_000_000));
    project.write("small", "one");
    let first = transferred(&project.build(&["--json"]).succeeds());
    assert!(first > 3_000_000, "{first}");
    project.write("small", "two");
    let second = transferred(&project.build(&["--json"]).succeeds());
    assert!(second < 10_000, "{second}");
    assert_eq!(project.says("cat /src/small"), "two");
}

/// Links, pipes, sockets, names that are no text: what the builder makes of them is what lies in the context, in both builders.
#[test]
#[ignore = "needs an engine"]
fn a_context_arrives_as_it_lies_there() {
    let project = Project::new("odd", "FROM debian:bookworm-slim\nCOPY . /src\n");
    project.write("a/first", "one");
    fs::hard_link(project.path("a/first"), project.path("second")).unwrap();
    symlink("a/first", project.path("link")).unwrap();
    symlink("nowhere", project.path("dangling")).unwrap();
    project.write("run", "");
    fs::set_permissions(project.path("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let script = "mkfifo pipe && mkdir empty && printf x >\"$(printf 'n\\351')\" && printf y >é && mkdir data && printf 1 >data/no && printf 2 >data/yes && printf 3 >deep.log";
    let mut command = Command::new("sh");
    project
        .desk
        .run(command.args(["-c", script]).current_dir(project.folder()))
        .succeeds();
    project.write(
        ".dockerignore",
        "data/*\n!data/yes\n**/*.log\n.dockerignore\nDockerfile\n.devcontainer.json\n",
    );
    let look = "cd /src && LC_ALL=C find . -mindepth 1 -printf '%P %y %m %l %U\\n' | LC_ALL=C sort | LC_ALL=C tr '\\351' '?'";
    project.build(&[]).succeeds();
    let expected = "\
a d 755  0
a/first f 644  0
dangling l 777 nowhere 0
data d 755  0
data/yes f 644  0
empty d 755  0
link l 777 a/first 0
n? f 644  0
pipe p 644  0
run f 755  0
second f 644  0
é f 644  0
";
    // BuildKit has never copied a pipe.
    let without = expected.replace("pipe p 644  0\n", "");
    assert_eq!(project.says(look), without);
    project.build_classic(&[]).succeeds();
    assert_eq!(project.says(look), expected);
}

#[test]
#[ignore = "needs an engine"]
fn a_dockerfile_may_lie_outside_its_context() {
    let project = Project::new("outside", "FROM scratch\n");
    project.write(
        "docker/Dockerfile",
        "FROM debian:bookworm-slim\nCOPY . /src\n",
    );
    project.write("context/a", "1");
    project.write("context/b", "2");
    project.write("context/.dockerignore", "b\n");
    project.write(
        ".devcontainer.json",
        "{ \"build\": { \"dockerfile\": \"docker/Dockerfile\", \"context\": \"context\" } }",
    );
    project.build(&[]).succeeds();
    assert_eq!(project.says("ls /src"), "a\n");
    project.build_classic(&[]).succeeds();
    assert_eq!(project.says("ls /src"), "a\n");
    // BuildKit reads the list beside the Dockerfile first.
    project.write("docker/Dockerfile.dockerignore", "a\n");
    project.build(&[]).succeeds();
    assert_eq!(project.says("ls /src"), "b\n");
}

/// Instructions that fail: what the message says, what the builder does, and the way out, if there is one.
const FAILURES: &[(&str, usize, &str, &str, &str)] = &[
    (
        "RUN echo words && \\\n  exit 3",
        3,
        "with exit code 3",
        "words",
        "",
    ),
    (
        "RUN nosuchprogram",
        3,
        "with exit code 127",
        "not found",
        "no such program",
    ),
    (
        "RUN apt-get install --yes nosuchpackage",
        3,
        "exit code 100",
        "Unable to locate package",
        "apt-get update",
    ),
    (
        "COPY nosuch /",
        3,
        "COPY nosuch /",
        "not found",
        ".dockerignore",
    ),
    (
        "RUN dd if=/dev/zero of=/dev/full count=1",
        3,
        "exit code 1",
        "No space left",
        "disk is full",
    ),
    (
        "RUN echo 'Could not resolve host: pypi.org' && exit 6",
        3,
        "exit code 6",
        "pypi.org",
        "no network",
    ),
    (
        "NOSUCH instruction",
        3,
        "NOSUCH instruction",
        "unknown instruction",
        "",
    ),
    (
        "FROM nosuch.invalid/image:9",
        3,
        "FROM nosuch.invalid/image:9",
        "nosuch.invalid",
        "no network",
    ),
];

#[test]
#[ignore = "needs an engine"]
fn a_step_that_fails_is_named_with_its_line_its_words_and_a_way_out() {
    for (instruction, line, message, words, hint) in FAILURES {
        let dockerfile = format!("# comment\nFROM debian:bookworm-slim\n{instruction}\n");
        let project = Project::new("fails", &dockerfile);
        let run = project.build(&["--json"]);
        assert_eq!(run.code, 1, "{instruction}: {}", run.stderr);
        let error = &json(&run.stdout)["error"];
        let said = error["message"].as_str().unwrap();
        assert!(said.contains(message), "{instruction}: {error}");
        let place = format!("Dockerfile:{line}");
        assert!(said.ends_with(&place), "{instruction}: {error}");
        assert!(
            error["causes"].to_string().contains(words),
            "{instruction}: {error}"
        );
        let way_out = error["hint"].as_str().unwrap_or_default();
        assert!(way_out.contains(hint), "{instruction}: {error}");
        assert_eq!(
            hint.is_empty(),
            way_out.is_empty(),
            "{instruction}: {error}"
        );
    }
}

#[test]
#[ignore = "needs an engine"]
fn an_unreadable_file_stops_the_build_and_is_named() {
    let project = Project::new("unreadable", "FROM debian:bookworm-slim\nCOPY . /src\n");
    project.write("closed", "x");
    fs::set_permissions(project.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    project.build(&[]).fails_with("closed");
    project.build_classic(&[]).fails_with("closed");
    project.write(".dockerignore", "closed\n");
    project.build(&[]).succeeds();
    project.build_classic(&[]).succeeds();
}

#[test]
#[ignore = "needs an engine"]
fn an_image_of_the_registry_is_a_base_and_an_image_gets_the_label() {
    let registry = setting("SCAFFOLD_LAB_REGISTRY");
    let project = Project::new("registry", "ARG BASE=none\nFROM $BASE\nRUN true\n");
    let base = format!("BASE={registry}/library/debian:bookworm-slim");
    project.build(&["--build-arg", &base]).succeeds();
    project.write(
        ".devcontainer.json",
        &format!(
            "{{ \"image\": \"{registry}/library/debian:bookworm-slim\", \"remoteUser\": \"me\" }}"
        ),
    );
    project.build(&[]).succeeds();
    let label = project.label("devcontainer.metadata");
    assert_eq!(label, "[{\"remoteUser\":\"me\"}]");
}

#[test]
#[ignore = "needs an engine"]
fn an_image_for_another_processor_is_built() {
    let project = Project::new("platform", "FROM scratch\nCOPY Dockerfile /\n");
    for platform in ["linux/arm64", "linux/amd64"] {
        project.build(&["--platform", platform]).succeeds();
        let format = "{{.Os}}/{{.Architecture}}";
        let said = project
            .desk
            .docker(&["inspect", "--format", format, &project.image]);
        assert_eq!(said.succeeds().stdout.trim(), platform);
    }
}

#[test]
#[ignore = "needs an engine"]
fn what_is_not_built_yet_is_refused_before_anything_is() {
    let project = Project::new("refused", "FROM debian:bookworm-slim\n");
    let features = "{ \"image\": \"x\", \"features\": { \"./f\": {} } }";
    project.write(".devcontainer.json", features);
    project.build(&[]).fails_with("has Features");
    let compose = "{ \"dockerComposeFile\": \"c.yml\", \"service\": \"s\" }";
    project.write(".devcontainer.json", compose);
    project.build(&[]).fails_with("Compose");
    let options =
        "{ \"build\": { \"dockerfile\": \"Dockerfile\", \"options\": [\"--ssh\", \"default\"] } }";
    project.write(".devcontainer.json", options);
    let said = project.build(&[]).succeeds();
    assert!(
        said.stderr.contains("`--ssh` and `default`"),
        "{}",
        said.stderr
    );
    project
        .build(&["--secret", "id=a,env=NOT_SET_AT_ALL"])
        .fails_with("is not set");
    let secret = ["--secret", "id=a,src=Dockerfile"];
    project
        .build_classic(&secret)
        .fails_with("no build secrets");
}
