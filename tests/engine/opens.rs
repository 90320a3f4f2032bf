//! Each template in each image mode opens, is what it says it is, and passes its own tests.

use super::{Desk, Person};
use crate::support::jsonc;
use std::process::Command;

/// Asks the container's own Python what is installed: each pin at its version, each of its modules importable.
const PROVE_PINS: &str = r#"
import importlib, importlib.metadata as metadata, pathlib, re
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
modules = {}
for module, names in metadata.packages_distributions().items():
    for name in names:
        modules.setdefault(canonicalize_name(name), set()).add(module)
lines = re.findall(r"^[A-Za-z0-9][^\\\n]*", pathlib.Path("requirements.txt").read_text(), re.M)
pins = [Requirement(line) for line in lines]
pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
for pin in pins:
    assert pin.specifier.contains(metadata.version(pin.name)), pin
    for module in modules[canonicalize_name(pin.name)]:
        if module.isidentifier() and not module.startswith("_"):
            try:
                importlib.import_module(module)
            except ModuleNotFoundError as error:
                # The bridge to a package that these pins leave to the person.
                assert (module, error.name) == ("matplotlib_inline", "matplotlib"), error
print("proved", len(pins))
"#;

/// Makes, launches and proves a project.
struct Case {
    name: &'static str,
    template: &'static str,
    image: &'static str,
    python: &'static str,
    user: &'static str,
}

impl Case {
    /// The case called `name`: a template in an image mode, the Python that it has, and the user who is in the container.
    fn new(
        name: &'static str,
        (template, image): (&'static str, &'static str),
        python: &'static str,
        user: &'static str,
    ) -> Self {
        Self {
            name,
            template,
            image,
            python,
            user,
        }
    }

    /// Launches it and asks the container everything that a person would notice.
    fn prove(&self, person: Person) {
        let desk = Desk::new(self.name, person);
        let args = [
            "demo",
            "--template",
            self.template,
            "--image",
            self.image,
            "--python",
            self.python,
        ];
        desk.scaffold_new(&args).succeeds();
        desk.up("demo");
        self.prove_environment(&desk, person);
        prove_packages(&desk);
        prove_tests(&desk);
    }

    fn prove_environment(&self, desk: &Desk, person: Person) {
        let config = jsonc(&desk.folder.join("demo/.devcontainer/devcontainer.json"));
        let settings = &config["customizations"]["vscode"]["settings"];
        let interpreter = settings["python.defaultInterpreterPath"].as_str().unwrap();
        let script = format!(
            "{interpreter} -c 'import sys; print(\"%d.%d\" % sys.version_info[:2], sys.prefix)'"
        );
        let said = desk.exec("demo", &script).succeeds();
        assert_eq!(said.stdout.trim(), format!("{} /opt/demo", self.python));
        let said = desk
            .exec("demo", "command -v python pytest uv; id -un")
            .succeeds();
        let first = said.stdout.lines().next().unwrap();
        assert_eq!(first, "/opt/demo/bin/python");
        assert_eq!(said.stdout.lines().last(), Some(self.user));
        if person == Person::Ordinary && self.user != "root" {
            let uid = desk.exec("demo", "id -u").succeeds();
            assert_eq!(
                uid.stdout.trim(),
                "1001",
                "the user has the uid of the person on the host"
            );
        }
        // A folder of root's belongs to nobody whose uid the image's user could take: the user can read it, and no more.
        if person == Person::Ordinary {
            desk.exec("demo", "touch src/written && rm src/written")
                .succeeds();
        }
    }
}

/// Every pin is there, and the user may add, replace and remove packages.
fn prove_packages(desk: &Desk) {
    let script = format!("python - <<'END'\n{PROVE_PINS}\nEND");
    let said = desk.exec("demo", &script).succeeds().stdout;
    let proved = said.trim().rsplit(' ').next().unwrap();
    assert!(proved.parse::<u32>().unwrap() > 5, "{said}");
    desk.exec("demo", "uv pip check").succeeds();
    let change = "pip install --quiet --no-deps --force-reinstall iniconfig==2.0.0 colorama==0.4.6 \
                  && pip uninstall --quiet --yes colorama ruff \
                  && uv pip install --quiet --require-hashes --requirement requirements.txt && ruff --version";
    desk.exec("demo", change).succeeds();
}

fn prove_tests(desk: &Desk) {
    let said = desk.exec("demo", "pytest").succeeds().stdout;
    assert!(
        said.contains("README.md"),
        "no doctest of the README: {said}"
    );
    assert!(said.contains(" passed"), "{said}");
    assert!(!said.contains("skipped"), "{said}");
    let script = "ruff check --no-cache && ruff format --no-cache --check";
    desk.exec("demo", script).succeeds();
}

#[test]
#[ignore = "needs an engine"]
fn python_built_opens() {
    Case::new("python-build", ("python", "build"), "3.13", "dev").prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn python_from_a_ready_image_opens() {
    Case::new("python-image", ("python", "image"), "3.13", "vscode").prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn python_from_the_image_that_the_person_names_opens() {
    Case::new(
        "python-reference",
        ("python", "python:3.11"),
        "3.11",
        "root",
    )
    .prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn python_built_for_an_older_python_opens() {
    Case::new("python-build-older", ("python", "build"), "3.11", "dev").prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn library_built_opens() {
    Case::new("library-build", ("library", "build"), "3.13", "dev").prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn library_from_a_ready_image_opens() {
    Case::new("library-image", ("library", "image"), "3.11", "vscode").prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn library_from_the_image_that_the_person_names_opens() {
    Case::new(
        "library-reference",
        ("library", "python:3.13"),
        "3.13",
        "root",
    )
    .prove(Person::Ordinary);
}

#[test]
#[ignore = "needs an engine"]
fn library_built_by_root_opens() {
    Case::new("library-root", ("library", "build"), "3.13", "dev").prove(Person::Root);
}

/// `docker exec`, cron and CI start no interactive shell, which is where an activated environment gets lost.
#[test]
#[ignore = "needs an engine"]
fn the_environment_is_active_in_every_process() {
    let desk = Desk::new("every-process", Person::Ordinary);
    desk.scaffold_new(&["demo", "--template", "library"])
        .succeeds();
    let id = desk.up("demo")["containerId"].as_str().unwrap().to_owned();
    for user in ["dev", "root"] {
        let said = desk.docker(&[
            "exec",
            "--user",
            user,
            &id,
            "python",
            "-c",
            "import numpy, sys; print(sys.prefix)",
        ]);
        assert_eq!(said.succeeds().stdout.trim(), "/opt/demo", "{user}");
    }
}

#[test]
#[ignore = "needs an engine"]
fn pytest_doctest_and_both_collect_what_they_say() {
    let desk = Desk::new("tests-option", Person::Ordinary);
    desk.scaffold_new(&["demo", "--template", "library"])
        .succeeds();
    desk.up("demo");
    let mut counts = Vec::new();
    for tests in ["pytest", "doctest", "both"] {
        let place = format!("demo/variants/{tests}");
        desk.scaffold_new(&[
            &place,
            "--template",
            "library",
            "--tests",
            tests,
            "--name",
            "demo",
        ])
        .succeeds();
        let script =
            format!("cd variants/{tests} && pytest --quiet && pytest --collect-only --quiet");
        let said = desk.exec("demo", &script).succeeds().stdout;
        let is_doctest = |line: &&str| line.contains("README.md") || line.contains(".py::demo.");
        let items: Vec<&str> = said.lines().filter(|line| line.contains("::")).collect();
        let doctests = items.iter().filter(|line| is_doctest(line)).count();
        counts.push((items.len() - doctests, doctests));
    }
    let [(pytest, none), (nothing, doctest), both] = counts[..] else {
        unreachable!("three variants were tried")
    };
    assert_eq!((none, nothing), (0, 0));
    assert!(pytest > 0 && doctest > 0);
    assert_eq!(both, (pytest, doctest));
}

#[test]
#[ignore = "needs an engine"]
fn an_image_without_python_says_so() {
    let desk = Desk::new("no-python", Person::Ordinary);
    desk.scaffold_new(&["demo", "--image", "debian:trixie-slim"])
        .succeeds();
    let failed = desk.devcontainer("up", "demo", &[]);
    assert_ne!(failed.code, 0);
    let said = failed.stdout + &failed.stderr;
    assert!(said.contains("this image has no Python"), "{said}");
}

#[test]
#[ignore = "needs an engine"]
fn an_image_with_another_python_says_so() {
    let desk = Desk::new("other-python", Person::Ordinary);
    let args = [
        "demo",
        "--image",
        "mcr.microsoft.com/devcontainers/python:3.11-trixie",
    ];
    desk.scaffold_new(&args).succeeds();
    let config = desk.folder.join("demo/.devcontainer/devcontainer.json");
    let swap = "s/python:3.11-trixie/python:3.13-trixie/";
    desk.run(Command::new("sed").args(["-i", swap]).arg(config))
        .succeeds();
    let failed = desk.devcontainer("up", "demo", &[]);
    assert_ne!(failed.code, 0);
    let said = failed.stdout + &failed.stderr;
    assert!(said.contains("this image has Python 3.13"), "{said}");
}
