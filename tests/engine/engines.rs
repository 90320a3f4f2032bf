//! What the lab's further engines are, and the further ways to the first: a person's own engine has none of them.

use super::{Desk, Engine, Person, setting};
use crate::support::Run;
use std::fs;
use std::process::Command;

const IMAGE: &str = "debian:bookworm-slim";

fn desk(name: &str, engine: Engine) -> Desk {
    Desk::with_engine(name, Person::Ordinary, engine)
}

fn info(desk: &Desk, field: &str) -> String {
    let format = format!("{{{{.{field}}}}}");
    let said = desk.docker(&["info", "--format", &format]).succeeds();
    said.stdout.trim().to_owned()
}

#[test]
#[ignore = "needs an engine"]
fn a_dev_container_starts_on_every_further_engine() {
    for engine in [Engine::Newer, Engine::Nvidia, Engine::Podman] {
        let desk = desk("engines-up", engine);
        let folder = desk.folder.join("demo");
        desk.run(Command::new("mkdir").arg(&folder)).succeeds();
        let config = format!(
            "{{ \"image\": \"{IMAGE}\", \"userEnvProbe\": \"none\", \"onCreateCommand\": \"echo $PWD > made\" }}"
        );
        fs::write(folder.join(".devcontainer.json"), config).unwrap();
        let scaffold = |args: &[&str]| {
            let mut command = Command::new(desk.program());
            desk.run(command.args(args).current_dir(&desk.folder))
                .succeeds()
        };
        scaffold(&["up", "demo"]);
        // The folder is the host's own, and what is started later is in the container as well.
        let made = fs::read_to_string(folder.join("made")).unwrap();
        assert_eq!(made, "/workspaces/demo\n", "{engine:?}");
        let said = scaffold(&["exec", "demo", "--", "cat", "made"]);
        assert_eq!(said.stdout, made, "{engine:?}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn a_gpu_is_had_by_the_hook_or_by_cdi_or_not_at_all() {
    let by_hook: &[&str] = &["--gpus", "all"];
    let by_cdi: &[&str] = &["--device", "nvidia.com/gpu=all"];
    let first_by_cdi: &[&str] = &["--device", "nvidia.com/gpu=0"];
    let runtime: &[&str] = &["--runtime", "nvidia"];
    let no_hook = Err("could not select device driver \"\" with capabilities: [[gpu]]");
    let no_cdi = Err("could not select device driver \"cdi\"");
    let cases = [
        (Engine::First, by_hook, no_hook),
        (Engine::First, by_cdi, no_cdi),
        (Engine::First, runtime, Err("Unknown runtime specified")),
        (Engine::Newer, by_hook, no_hook),
        (Engine::Newer, by_cdi, Ok("SCAFFOLD_LAB_CDI=all\n")),
        (Engine::Newer, first_by_cdi, Ok("SCAFFOLD_LAB_CDI=0\n")),
        (Engine::Newer, runtime, Err("invalid runtime name: nvidia")),
        (Engine::Nvidia, by_hook, Ok("NVIDIA_VISIBLE_DEVICES=all\n")),
        (Engine::Nvidia, by_cdi, no_cdi),
        (Engine::Nvidia, runtime, Ok("")),
    ];
    for (engine, args, expected) in cases {
        let desk = desk("engines-gpu", engine);
        let script = "env | grep -e NVIDIA -e SCAFFOLD_LAB_CDI || true";
        let run = [&["run", "--rm"], args, &[IMAGE, "sh", "-c", script]].concat();
        let said = desk.docker(&run);
        match expected {
            Ok(variables) => assert_eq!(said.succeeds().stdout, variables, "{engine:?} {args:?}"),
            Err(part) => {
                assert_eq!(said.code, 125, "{engine:?} {args:?}");
                assert!(said.stderr.contains(part), "{engine:?}: {}", said.stderr);
            }
        }
    }
}

#[test]
#[ignore = "needs an engine"]
fn the_ways_to_the_first_engine_lead_to_the_same() {
    let first = info(&desk("engines-ways", Engine::First), "ID");
    for engine in [Engine::FirstByTls, Engine::FirstBySsh] {
        let desk = desk("engines-ways", engine);
        assert_eq!(info(&desk, "ID"), first, "{engine:?}");
        let said = desk.docker(&["run", "--rm", IMAGE, "echo", "hello"]);
        assert_eq!(said.succeeds().stdout, "hello\n", "{engine:?}");
    }
    // As people name a host in their ssh configuration.
    let desk = desk("engines-ways", Engine::First);
    let said = desk.docker(&[
        "--host",
        "ssh://scaffold-lab",
        "info",
        "--format",
        "{{.ID}}",
    ]);
    assert_eq!(said.succeeds().stdout.trim(), first);
}

#[test]
#[ignore = "needs an engine"]
fn without_the_clients_certificate_there_is_no_way_by_tls() {
    let desk = desk("engines-tls", Engine::First);
    let host = setting("SCAFFOLD_LAB_TLS_HOST");
    let plain = desk.docker(&["--host", &host, "version"]);
    let expected = "Client sent an HTTP request to an HTTPS server";
    assert!(plain.stderr.contains(expected), "{}", plain.stderr);
    let certificates = setting("SCAFFOLD_LAB_TLS_CERT_PATH");
    let ping = |args: &[String]| -> Run {
        let url = host.replace("tcp://", "https://") + "/_ping";
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", "--cacert"]);
        curl.arg(format!("{certificates}/ca.pem"));
        desk.run(curl.args(args).arg(url))
    };
    let refused = ping(&[]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    let client =
        ["cert", "key"].map(|name| [format!("--{name}"), format!("{certificates}/{name}.pem")]);
    assert_eq!(ping(&client.concat()).succeeds().stdout, "OK");
}
