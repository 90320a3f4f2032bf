//! Commands in a container that the reference started: the same user, folder, environment, bytes and exit codes as there.

use super::{Desk, Person};
use crate::support::Run;
use std::fs;
use std::process::Command;

const CONFIG: &str = r#"{
  "build": { "dockerfile": "Dockerfile" },
  "remoteUser": "dev",
  "remoteEnv": { "GREETING": "hello ${containerEnv:FROM_IMAGE}", "FROM_PROFILE": null }
}"#;

const DOCKERFILE: &str = r"FROM debian:bookworm-slim
ENV FROM_IMAGE=image
RUN useradd --create-home --shell /bin/bash dev && printf 'export FROM_PROFILE=1\nexport OF_PROFILE=profile\n' >> /home/dev/.profile
";

fn exec(desk: &Desk, command: &[&str]) -> Run {
    let mut whole = Command::new(desk.program());
    whole.args(["exec", "demo", "--"]).args(command);
    desk.run(whole.current_dir(&desk.folder))
}

fn shell(desk: &Desk, script: &str) -> Run {
    desk.run(
        Command::new("sh")
            .args(["-c", script])
            .current_dir(&desk.folder),
    )
}

fn demo(name: &str) -> Desk {
    let desk = Desk::new(name, Person::Ordinary);
    let folder = desk.folder.join("demo");
    desk.run(Command::new("mkdir").arg(&folder)).succeeds();
    fs::write(folder.join("Dockerfile"), DOCKERFILE).unwrap();
    fs::write(folder.join(".devcontainer.json"), CONFIG).unwrap();
    desk
}

#[test]
#[ignore = "needs an engine"]
fn a_command_finds_what_the_reference_gives_it() {
    let desk = demo("exec");
    let failed = exec(&desk, &["true"]);
    assert_eq!(failed.code, 125);
    assert!(
        failed.stderr.contains("has no dev container"),
        "{}",
        failed.stderr
    );
    let id = desk.up("demo")["containerId"].as_str().unwrap().to_owned();
    let script = "id -un; pwd; echo \"$GREETING|$OF_PROFILE|${FROM_PROFILE-none}\"";
    let ours = exec(&desk, &["sh", "-c", script]).succeeds();
    let expected = "dev\n/workspaces/demo\nhello image|profile|none\n";
    assert_eq!(ours.stdout, expected);
    // The reference makes the text `null` of null; all else is the same.
    let theirs = desk
        .exec("demo", script)
        .succeeds()
        .stdout
        .replace("null", "none");
    assert_eq!(theirs.replace('\r', ""), expected);
    for (script, code) in [("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)] {
        assert_eq!(exec(&desk, &["sh", "-c", script]).code, code, "{script}");
    }
    assert_eq!(exec(&desk, &["no-such-command"]).code, 127);
    assert_eq!(exec(&desk, &["/etc/passwd"]).code, 126);
    desk.docker(&["stop", &id]).succeeds();
    let failed = exec(&desk, &["true"]);
    assert_eq!(failed.code, 125);
    assert!(failed.stderr.contains("does not run"), "{}", failed.stderr);
}

#[test]
#[ignore = "needs an engine"]
fn bytes_pass_as_they_are_and_a_terminal_is_one() {
    let desk = demo("exec-bytes");
    desk.up("demo");
    let said = shell(
        &desk,
        "head -c 3000000 /dev/urandom > bytes && ./scaffold exec demo -- cat < bytes | cmp - bytes && echo same",
    );
    assert_eq!(said.succeeds().stdout, "same\n");
    let said = shell(
        &desk,
        "./scaffold exec demo -- sh -c 'echo out; echo err >&2' 2>/dev/null",
    );
    assert_eq!(said.succeeds().stdout, "out\n");
    // A reader who goes away ends it, whatever the command still has to say.
    let said = shell(&desk, "./scaffold exec demo -- yes | head -n 1");
    assert_eq!(said.succeeds().stdout, "y\n");
    let said = shell(&desk, "./scaffold exec demo -- tty < /dev/null");
    assert_eq!((said.code, said.stdout.as_str()), (1, "not a tty\n"));
    let script =
        "stty rows 33 cols 77; ./scaffold exec demo -- sh -c 'sleep 0.3; stty size; exit 5'";
    let said = shell(&desk, &format!("script -qec \"{script}\" /dev/null"));
    assert_eq!(said.code, 5);
    assert!(said.stdout.trim().ends_with("33 77"), "{}", said.stdout);
    let said = shell(
        &desk,
        "echo 'echo $0 $OF_PROFILE; exit 3' | ./scaffold shell demo",
    );
    assert_eq!(
        (said.code, said.stdout.as_str()),
        (3, "/bin/bash profile\n")
    );
}
