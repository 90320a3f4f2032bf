//! Generated projects in a real engine, launched by the reference CLI, unmodified.
//!
//! `tests/run` brings the engine up and says in the environment where it is. The tests run their commands as an ordinary user, as people do.

mod acts;
mod builds;
mod engines;
mod exec;
mod faults;
mod lab;
mod logins;
mod opens;
mod reads;
mod run_args;
mod runs;
mod up;

use crate::support::{Run, json, program};
use serde_json::Value;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What `tests/run` says of the engine and of the user.
fn setting(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `tests/run` sets it"))
}

/// Who runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Person {
    /// The lab's ordinary user, whose uid is not that of the image's user.
    Ordinary,
    /// Root, as in many a CI.
    Root,
}

/// An engine of the lab, and the way to it. A person's own engine is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    /// The lab's first: dockerd 20.10, which has no GPU.
    First,
    /// The first by TCP, with TLS and a certificate of the client's.
    FirstByTls,
    /// The first by ssh.
    FirstBySsh,
    /// Dockerd 26.1, which has GPUs by the Container Device Interface.
    Newer,
    /// Dockerd 26.1, which has GPUs by nvidia's hook.
    Nvidia,
    /// Podman 4.3, which serves Docker's API.
    Podman,
}

impl Engine {
    /// The variables that lead a client to it.
    fn variables(self) -> Vec<(&'static str, String)> {
        let host = match self {
            Self::First => "DOCKER_HOST",
            Self::FirstByTls => "SCAFFOLD_LAB_TLS_HOST",
            Self::FirstBySsh => "SCAFFOLD_LAB_SSH_HOST",
            Self::Newer => "SCAFFOLD_LAB_NEWER_HOST",
            Self::Nvidia => "SCAFFOLD_LAB_NVIDIA_HOST",
            Self::Podman => "SCAFFOLD_LAB_PODMAN_HOST",
        };
        let mut variables = vec![("DOCKER_HOST", setting(host))];
        if self == Self::FirstByTls {
            let certificates = setting("SCAFFOLD_LAB_TLS_CERT_PATH");
            variables.push(("DOCKER_CERT_PATH", certificates));
            variables.push(("DOCKER_TLS_VERIFY", "1".to_owned()));
        }
        variables
    }
}

/// A folder for one test, and what was started from it.
struct Desk {
    folder: PathBuf,
    person: Person,
    engine: Engine,
}

impl Desk {
    /// An empty desk for the test called `name`; what an earlier run left on it is cleared away.
    fn new(name: &str, person: Person) -> Self {
        Self::with_engine(name, person, Engine::First)
    }

    /// The same, for what works with another engine or goes another way to the first.
    fn with_engine(name: &str, person: Person, engine: Engine) -> Self {
        let folder = Path::new(&setting("SCAFFOLD_LAB_WORK")).join(name);
        let desk = Self {
            folder,
            person,
            engine,
        };
        desk.clear();
        desk.run(Command::new("mkdir").arg("-p").arg(&desk.folder))
            .succeeds();
        // The user may not be able to reach the folder that cargo builds in.
        desk.run(Command::new("rm").arg("-f").arg(desk.program()))
            .succeeds();
        fs::copy(program(), desk.program()).unwrap();
        desk
    }

    /// The person's home: what one of them writes there, the other may not.
    fn home(&self) -> PathBuf {
        let home = PathBuf::from(setting("SCAFFOLD_LAB_HOME"));
        match self.person {
            Person::Ordinary => home,
            Person::Root => home.join("of-root"),
        }
    }

    fn program(&self) -> PathBuf {
        self.folder.join("scaffold")
    }

    /// Runs `scaffold new` with `args`, the host's certificate authorities included.
    fn scaffold_new(&self, args: &[&str]) -> Run {
        let mut command = Command::new(self.program());
        command
            .arg("new")
            .args(args)
            .arg("--ca-bundle")
            .arg(setting("SCAFFOLD_LAB_CA"));
        self.run(command.current_dir(&self.folder))
    }

    /// Runs the reference CLI on the project `name`.
    fn devcontainer(&self, verb: &str, name: &str, args: &[&str]) -> Run {
        let mut command = Command::new(setting("SCAFFOLD_LAB_DEVCONTAINER"));
        command
            .arg(verb)
            .arg("--workspace-folder")
            .arg(self.folder.join(name))
            .args(args);
        self.run(command.current_dir(&self.folder))
    }

    /// Launches the project `name`, and returns what the reference CLI says of it.
    fn up(&self, name: &str) -> Value {
        let up = self.devcontainer("up", name, &[]).succeeds();
        let result = json(up.stdout.lines().last().unwrap());
        assert_eq!(result["outcome"], "success", "{}", up.stderr);
        result
    }

    /// Runs a shell command in the project's container.
    fn exec(&self, name: &str, script: &str) -> Run {
        self.devcontainer("exec", name, &["sh", "-c", script])
    }

    /// Runs our program in the desk's folder.
    fn scaffold(&self, args: &[&str]) -> Run {
        let mut command = Command::new(self.program());
        self.run(command.args(args).current_dir(&self.folder))
    }

    /// Starts our program in the desk's folder, for whoever sends it signals.
    fn start(&self, args: &[&str]) -> Child {
        let mut command = Command::new(self.program());
        let mut whole = self.prepared(command.args(args).current_dir(&self.folder));
        let piped = whole.stdout(Stdio::piped()).stderr(Stdio::piped());
        piped.spawn().unwrap()
    }

    fn docker(&self, args: &[&str]) -> Run {
        self.run(Command::new("docker").args(args))
    }

    /// A project `demo` with that `.devcontainer.json`.
    fn demo(name: &str, config: &str) -> Self {
        let desk = Self::new(name, Person::Ordinary);
        desk.project("demo", config);
        desk
    }

    fn project(&self, name: &str, config: &str) {
        let folder = self.folder.join(name);
        self.run(Command::new("mkdir").arg(&folder)).succeeds();
        fs::write(folder.join(".devcontainer.json"), config).unwrap();
    }

    /// Runs `command` as the desk's person, with nothing of our own environment that matters.
    fn run(&self, command: &mut Command) -> Run {
        self.prepared(command).output().unwrap().into()
    }

    fn prepared(&self, command: &Command) -> Command {
        let mut whole = match self.person {
            Person::Root => Command::new(command.get_program()),
            Person::Ordinary => as_ordinary(command),
        };
        let folder = command.get_current_dir().unwrap_or(Path::new("/"));
        whole
            .args(command.get_args())
            .current_dir(folder)
            .env_clear()
            .env("HOME", self.home())
            .env("BUILDX_CONFIG", self.home().join("buildx"))
            .env("PATH", setting("SCAFFOLD_LAB_PATH"))
            .envs(self.engine.variables())
            .env("DOCKER_CONFIG", setting("DOCKER_CONFIG"))
            .stdin(Stdio::null());
        whole
    }

    /// Removes every container that was started from this desk, and the images that were built for them.
    fn clear(&self) {
        let label = "devcontainer.local_folder";
        let filter = format!("label={label}");
        let format = format!("{{{{.ID}}}} {{{{.Image}}}} {{{{.Label \"{label}\"}}}}");
        let listed = self.docker(&["ps", "--all", "--filter", &filter, "--format", &format]);
        for line in listed.succeeds().stdout.lines() {
            let mut words = line.splitn(3, ' ');
            let (id, image) = (words.next().unwrap(), words.next().unwrap());
            if !Path::new(words.next().unwrap()).starts_with(&self.folder) {
                continue;
            }
            self.docker(&["rm", "--force", "--volumes", id]).succeeds();
            if let Some(built) = image.strip_prefix("vsc-") {
                self.docker(&["rmi", &format!("vsc-{built}")]).succeeds();
            }
        }
        // Files that the container's user made belong to whoever that was.
        let removed = Command::new("rm")
            .arg("-rf")
            .arg(&self.folder)
            .status()
            .unwrap();
        assert!(removed.success());
    }
}

/// The start of a command line that runs `command` as the lab's user, whoever we are.
fn as_ordinary(command: &Command) -> Command {
    let user = setting("SCAFFOLD_LAB_USER");
    let ours = Command::new("id").arg("-un").output().unwrap();
    if String::from_utf8(ours.stdout).unwrap().trim() == user {
        return Command::new(command.get_program());
    }
    let mut whole = Command::new("setpriv");
    whole.args([format!("--reuid={user}"), format!("--regid={user}")]);
    whole
        .args(["--init-groups", "--"])
        .arg(command.get_program());
    whole
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.clear();
        }
    }
}
