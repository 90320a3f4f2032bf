//! What goes wrong while a container is worked with: signals, programs that are killed, many at once.

use super::{Desk, Person};
use crate::support::Run;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

fn tell(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    let told = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(told.unwrap().success());
}

fn ended(child: Child) -> Run {
    child.wait_with_output().unwrap().into()
}

/// What a script prints in the container of `demo`.
fn says(desk: &Desk, script: &str) -> String {
    let exec = ["exec", "demo", "--", "sh", "-c", script];
    desk.scaffold(&exec).succeeds().stdout
}

/// Waits for a file in the container of `demo`.
fn await_file(desk: &Desk, file: &str) {
    let exec = ["exec", "demo", "--", "test", "-e", file];
    while desk.scaffold(&exec).code != 0 {
        sleep(Duration::from_millis(50));
    }
}

/// How many `sleep 1000`s run in the container of `demo`.
fn sleepers(desk: &Desk) -> String {
    says(
        desk,
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c '^1000$' || true",
    )
}

#[test]
#[ignore = "needs an engine"]
fn a_hook_that_is_interrupted_ends_and_the_next_up_goes_on_with_it() {
    let desk = Desk::demo(
        "faults-hook",
        r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none", "onCreateCommand": "echo created >> /log",
             "postCreateCommand": "echo begun >> /log; touch /begun; [ -e /go ] || sleep 1000; echo done >> /log",
             "postStartCommand": { "a": "touch /begun; [ -e /on ] || sleep 1000", "b": "true" } }"#,
    );
    for signal in ["INT", "TERM"] {
        let up = desk.start(&["up", "demo"]);
        await_file(&desk, "/begun");
        tell(&up, signal);
        let up = ended(up);
        let code = if signal == "INT" { 130 } else { 143 };
        assert_eq!(up.code, code, "{}", up.stderr);
        let expected = format!("postCreateCommand of devcontainer.json was stopped by SIG{signal}");
        assert!(up.stderr.contains(&expected), "{}", up.stderr);
        assert_eq!(sleepers(&desk), "0\n");
        says(&desk, "rm /begun");
    }
    // Nothing can be said by a program that is killed, so the next one ends what it left.
    let mut up = desk.start(&["up", "demo"]);
    await_file(&desk, "/begun");
    up.kill().unwrap();
    up.wait().unwrap();
    assert_eq!(sleepers(&desk), "1\n");
    says(&desk, "touch /go && rm /begun");
    let up = desk.start(&["up", "demo"]);
    await_file(&desk, "/begun");
    tell(&up, "INT");
    let up = ended(up);
    assert_eq!(up.code, 130, "{}", up.stderr);
    assert!(
        up.stderr.contains("Ended a lifecycle command"),
        "{}",
        up.stderr
    );
    assert_eq!(sleepers(&desk), "0\n");
    says(&desk, "touch /on");
    desk.scaffold(&["up", "demo"]).succeeds();
    let log = says(
        &desk,
        "cat /log; ls -A /root/.devcontainer | grep -c scaffold || true",
    );
    assert_eq!(log, "created\nbegun\nbegun\nbegun\nbegun\ndone\n0\n");
}

#[test]
#[ignore = "needs an engine"]
fn a_command_gets_the_signals_that_we_get() {
    let config = r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none" }"#;
    let desk = Desk::demo("faults-exec", config);
    desk.scaffold(&["up", "demo"]).succeeds();
    let script = "trap 'echo told; exit 9' TERM; touch /waits; while :; do sleep 0.05; done";
    let exec = desk.start(&["exec", "demo", "--", "sh", "-c", script]);
    await_file(&desk, "/waits");
    tell(&exec, "TERM");
    let exec = ended(exec);
    assert_eq!((exec.code, exec.stdout.as_str()), (9, "told\n"));
    let exec = desk.start(&[
        "exec",
        "demo",
        "--",
        "sh",
        "-c",
        "touch /sleeps; sleep 1000",
    ]);
    await_file(&desk, "/sleeps");
    tell(&exec, "INT");
    assert_eq!(ended(exec).code, 130);
    assert_eq!(sleepers(&desk), "0\n");
}

#[test]
#[ignore = "needs an engine"]
fn a_container_that_is_removed_meanwhile_is_named_and_made_anew() {
    let config = r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none", "postCreateCommand": "touch /begun; [ -e /etc/go ] || sleep 1000" }"#;
    let desk = Desk::demo("faults-removed", config);
    let up = desk.start(&["up", "demo"]);
    await_file(&desk, "/begun");
    desk.scaffold(&["down", "demo"]).succeeds();
    let up = ended(up);
    assert_eq!(up.code, 2, "{}", up.stderr);
    let expected = "the container was stopped or removed while postCreateCommand ran in it";
    assert!(up.stderr.contains(expected), "{}", up.stderr);
    let up = desk.start(&["up", "demo", "--skip-non-blocking-commands"]);
    let up = ended(up);
    assert_eq!(up.code, 0, "{}", up.stderr);
    // And behind the back of a command.
    let exec = desk.start(&["exec", "demo", "--", "sh", "-c", "touch /begun; sleep 1000"]);
    await_file(&desk, "/begun");
    desk.scaffold(&["down", "demo"]).succeeds();
    assert_eq!(ended(exec).code, 137);
}

#[test]
#[ignore = "needs an engine"]
fn twenty_workspaces_come_up_at_once() {
    let desk = Desk::new("faults-many", Person::Ordinary);
    let names: Vec<String> = (0..20).map(|number| format!("demo{number}")).collect();
    for name in &names {
        desk.project(name, r#"{ "image": "debian:bookworm-slim", "userEnvProbe": "none", "onCreateCommand": "hostname > /log" }"#);
    }
    let started: Vec<Child> = names.iter().map(|name| desk.start(&["up", name])).collect();
    for up in started {
        let up = ended(up);
        assert_eq!(up.code, 0, "{}", up.stderr);
    }
    let listed = desk.scaffold(&["ps", ".", "--json"]).succeeds().stdout;
    assert_eq!(listed.matches("\"running\"").count(), 20, "{listed}");
    desk.scaffold(&["down", "--all"]).succeeds();
}

/// Whatever a signal interrupts: `up` goes on from there, or `down` leaves nothing.
#[test]
#[ignore = "needs an engine"]
fn up_goes_on_from_wherever_it_was_interrupted() {
    let dockerfile = "FROM debian:bookworm-slim\nRUN sleep 0.2\nRUN useradd --create-home dev\n";
    let config = r#"{ "build": { "dockerfile": "Dockerfile" }, "remoteUser": "dev",
        "onCreateCommand": "sleep 0.2", "postCreateCommand": { "a": "sleep 0.2", "b": "true" }, "postStartCommand": "sleep 0.2" }"#;
    let desk = Desk::demo("faults-moments", config);
    std::fs::write(desk.folder.join("demo/Dockerfile"), dockerfile).unwrap();
    let begun = std::time::Instant::now();
    desk.scaffold(&["up", "demo"]).succeeds();
    let whole = begun.elapsed();
    desk.scaffold(&["down", "demo"]).succeeds();
    let moments = 8;
    for moment in 0..moments {
        let up = desk.start(&["up", "demo"]);
        sleep(whole * moment / moments);
        tell(&up, if moment % 2 == 0 { "INT" } else { "TERM" });
        ended(up);
        if moment % 3 != 0 {
            let up = desk.scaffold(&["up", "demo", "--json"]);
            assert_eq!(up.code, 0, "at {moment}: {}", up.stderr);
            assert_eq!(says(&desk, "id -un"), "dev\n");
        }
        desk.scaffold(&["down", "demo"]);
        let left = desk.scaffold(&["ps", ".", "--json"]).succeeds().stdout;
        assert!(!left.contains("containerId"), "at {moment}: {left}");
    }
}
