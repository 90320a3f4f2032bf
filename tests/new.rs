//! `scaffold new`, as the person at the keyboard sees it.

use crate::support::{
    Entry, folder, follows_schema, json, jsonc, names, program, run, scaffold, snapshot, tool,
};
use base64::Engine as _;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

#[test]
fn new_makes_the_folder_and_everything_above_it() {
    let dir = folder();
    let made = run(dir.path(), &["new", "a/b/demo"]).succeeds();
    assert!(
        made.stderr.contains("Created `a/b/demo`"),
        "{}",
        made.stderr
    );
    assert_eq!(made.stdout, "");
    let config = jsonc(&dir.path().join("a/b/demo/.devcontainer/devcontainer.json"));
    assert_eq!(config["name"], "demo");
    let beside: Vec<String> = names(&dir.path().join("a/b"));
    assert!(
        beside.iter().all(|name| name.starts_with("demo")),
        "{beside:?}"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn new_without_a_folder_goes_to_the_name() {
    let dir = folder();
    fs::write(dir.path().join("other"), "").unwrap();
    run(dir.path(), &["new", "--name", "demo"]).succeeds();
    assert!(dir.path().join("demo/README.md").is_file());
}

#[test]
fn new_without_a_folder_fills_the_current_one_if_it_is_empty() {
    let dir = folder();
    let here = dir.path().join("my-thing");
    fs::create_dir(&here).unwrap();
    run(&here, &["new"]).succeeds();
    let config = jsonc(&here.join(".devcontainer/devcontainer.json"));
    assert_eq!(config["name"], "my-thing");
    assert!(here.join("src/my_thing/__init__.py").is_file());
}

#[test]
fn new_leaves_what_a_folder_holds_as_it_is() {
    let dir = folder();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("src/mine.py"), "x = 1\n").unwrap();
    let before = snapshot(dir.path());
    run(dir.path(), &["new", ".", "--name", "demo"]).succeeds();
    let after = snapshot(dir.path());
    for (path, entry) in before {
        assert_eq!(after[&path], entry, "{path}");
    }
    assert!(!dir.path().join(".scaffold-journal").exists());
}

#[test]
fn files_in_the_way_are_listed_and_nothing_is_written() {
    let dir = folder();
    fs::write(dir.path().join("README.md"), "mine").unwrap();
    fs::create_dir(dir.path().join("pyproject.toml")).unwrap();
    let before = snapshot(dir.path());
    let refused =
        run(dir.path(), &["new", ".", "--name", "demo"]).fails_with("2 paths are in the way");
    assert!(refused.stderr.contains("README.md: is there and differs"));
    assert!(
        refused
            .stderr
            .contains("pyproject.toml: is there and is no file")
    );
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn force_replaces_what_is_in_the_way_and_says_so() {
    let dir = folder();
    fs::write(dir.path().join("README.md"), "mine").unwrap();
    let args = ["new", ".", "--name", "demo"];
    run(dir.path(), &args).fails_with("--force");
    let forced = run(dir.path(), &["new", ".", "--name", "demo", "--force"]).succeeds();
    assert!(
        forced.stderr.contains("Replaced `README.md`"),
        "{}",
        forced.stderr
    );
    assert!(
        fs::read_to_string(dir.path().join("README.md"))
            .unwrap()
            .contains("demo")
    );
    let again = run(dir.path(), &args).succeeds();
    assert!(again.stderr.contains("is up to date"), "{}", again.stderr);
}

#[test]
fn a_symbolic_link_is_never_written_through() {
    let (dir, outside) = (folder(), folder());
    fs::write(outside.path().join("victim"), "precious").unwrap();
    symlink(outside.path().join("victim"), dir.path().join("README.md")).unwrap();
    run(dir.path(), &["new", ".", "--name", "demo"]).fails_with("README.md: is a symbolic link");
    run(dir.path(), &["new", ".", "--name", "demo", "--force"]).succeeds();
    assert!(
        dir.path()
            .join("README.md")
            .symlink_metadata()
            .unwrap()
            .is_file()
    );
    assert_eq!(
        fs::read_to_string(outside.path().join("victim")).unwrap(),
        "precious"
    );

    let (dir, outside) = (folder(), folder());
    symlink(outside.path(), dir.path().join(".devcontainer")).unwrap();
    let args = ["new", ".", "--name", "demo", "--force"];
    run(dir.path(), &args).fails_with("`.devcontainer` is no folder of this project");
    assert_eq!(names(outside.path()), Vec::<String>::new());
    assert_eq!(names(dir.path()), [".devcontainer"]);
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let dir = folder();
    let planned = run(dir.path(), &["new", "demo", "--dry-run"]).succeeds();
    assert_eq!(names(dir.path()), Vec::<String>::new());
    run(dir.path(), &["new", "demo"]).succeeds();
    for (path, entry) in snapshot(&dir.path().join("demo")) {
        let Entry::File(bytes) = entry else { continue };
        let line = planned
            .stdout
            .lines()
            .find(|line| line.contains(&format!(" {path} ")));
        let line = line.unwrap_or_else(|| panic!("{path} is not in the plan"));
        assert!(line.starts_with("create "), "{line}");
        assert!(line.contains(&format!(" {} ", bytes.len())), "{line}");
    }
}

#[test]
fn the_same_answers_give_the_same_bytes() {
    let (one, other) = (folder(), folder());
    for dir in [&one, &other] {
        run(dir.path(), &["new", "demo", "--image", "image"]).succeeds();
    }
    assert_eq!(snapshot(one.path()), snapshot(other.path()));
}

#[test]
fn json_is_one_object_that_follows_its_schema() {
    let dir = folder();
    follows_schema(
        "list",
        &run(dir.path(), &["list", "--json"]).succeeds().stdout,
    );
    follows_schema(
        "show",
        &run(dir.path(), &["show", "python", "--json"])
            .succeeds()
            .stdout,
    );
    for (name, args) in [
        ("completions", ["completions", "bash", "--json"]),
        ("man", ["man", "new", "--json"]),
    ] {
        follows_schema(name, &run(dir.path(), &args).succeeds().stdout);
    }
    let planned = run(dir.path(), &["new", "demo", "--dry-run", "--json"]).succeeds();
    assert_eq!(follows_schema("new", &planned.stdout)["outcome"], "planned");
    let written = run(dir.path(), &["new", "demo", "--json"]).succeeds();
    assert_eq!(follows_schema("new", &written.stdout)["outcome"], "written");
    assert_eq!(written.stderr, "");
    let failures: [&[&str]; 4] = [
        &["new", "x", "--json", "--python", "2.7"],
        &["new", "x", "--json", "--pyhton", "3.13"],
        &["show", "nothing", "--json"],
        &["--json", "new", "x", "--answers", "missing.json"],
    ];
    for args in failures {
        let failed = run(dir.path(), args);
        assert_eq!((failed.code, failed.stderr.as_str()), (2, ""), "{args:?}");
        follows_schema("error", &failed.stdout);
    }
}

#[test]
fn a_file_of_answers_gives_what_no_flag_gives() {
    let dir = folder();
    let answers = "{ // ours\n \"python\": \"3.11\", \"tests\": \"doctest\", \"name\": \"demo\", }";
    fs::write(dir.path().join("answers.json"), answers).unwrap();
    let args = [
        "new",
        "--answers",
        "answers.json",
        "--tests",
        "pytest",
        "--json",
    ];
    let made = json(&run(dir.path(), &args).succeeds().stdout);
    let value = |name: &str| {
        let answers = made["answers"].as_array().unwrap();
        let answer = answers
            .iter()
            .find(|answer| answer["name"] == name)
            .unwrap();
        (
            answer["value"].clone(),
            answer["origin"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(value("python"), ("3.11".into(), "answers.json".to_owned()));
    assert_eq!(value("tests"), ("pytest".into(), "--tests".to_owned()));
    assert_eq!(value("name"), ("demo".into(), "answers.json".to_owned()));
    assert_eq!(value("image"), ("build".into(), "the default".to_owned()));
}

#[test]
fn a_receipt_makes_the_same_project_again() {
    let dir = folder();
    let args = [
        "new",
        "demo",
        "-t",
        "library",
        "--tests",
        "doctest",
        "--set",
        "environment=tools",
    ];
    run(dir.path(), &args).succeeds();
    run(
        dir.path(),
        &["new", "again", "--answers", "demo/.scaffold.json"],
    )
    .succeeds();
    assert_eq!(
        snapshot(&dir.path().join("demo")),
        snapshot(&dir.path().join("again"))
    );
}

#[test]
fn the_receipt_holds_every_file_as_it_was_rendered() {
    let dir = folder();
    run(dir.path(), &["new", "demo"]).succeeds();
    let root = dir.path().join("demo");
    let receipt = json(&fs::read_to_string(root.join(".scaffold.json")).unwrap());
    assert_eq!(receipt["template"]["id"], "python");
    assert_eq!(receipt["answers"]["name"], "demo");
    let packed = receipt["baseline"].as_str().unwrap();
    let packed = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .unwrap();
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(packed.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    let baseline = json(&text);
    for (path, entry) in snapshot(&root) {
        let Entry::File(bytes) = entry else { continue };
        if path != ".scaffold.json" {
            assert_eq!(
                baseline[&path].as_str().unwrap().as_bytes(),
                bytes,
                "{path}"
            );
            assert!(receipt["files"][&path]["id"].is_string(), "{path}");
        }
    }
}

#[test]
fn an_image_that_names_its_python_decides_the_locks() {
    let dir = folder();
    run(
        dir.path(),
        &["new", "demo", "--image", "python:3.11-slim-bookworm"],
    )
    .succeeds();
    let config = jsonc(&dir.path().join("demo/.devcontainer/devcontainer.json"));
    assert_eq!(config["image"], "python:3.11-slim-bookworm");
    let args = ["new", "other", "--image", "python:3.11", "--python", "3.13"];
    run(dir.path(), &args).fails_with("holds Python 3.11, which is not the Python 3.13");
    run(dir.path(), &["new", "other", "--image", "python:3.9"])
        .fails_with("from the tag of `python:3.9`");
}

#[test]
fn only_the_certificates_of_the_bundle_come_along_and_git_ignores_them() {
    let dir = folder();
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n";
    fs::write(
        dir.path().join("acme.pem"),
        format!("# Acme\n{key}{certificate}"),
    )
    .unwrap();
    run(dir.path(), &["new", "demo", "--ca-bundle", "acme.pem"]).succeeds();
    let root = dir.path().join("demo");
    let copy = ".devcontainer/ca-bundle.crt";
    assert_eq!(fs::read_to_string(root.join(copy)).unwrap(), certificate);
    assert!(
        !fs::read_to_string(root.join(".scaffold.json"))
            .unwrap()
            .contains("MIIB")
    );
    tool(Command::new("git").args(["init", "-q"]).current_dir(&root));
    tool(
        Command::new("git")
            .args(["check-ignore", copy])
            .current_dir(&root),
    );
    let named = run(dir.path(), &["new", "x", "--ca-bundle", "demo/README.md"]);
    named.fails_with("holds no certificate");
    assert!(!dir.path().join("x").exists());
}

#[test]
fn the_bundle_of_this_machine_is_found_by_its_variable() {
    let dir = folder();
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n";
    fs::write(dir.path().join("host.pem"), certificate).unwrap();
    let mut command = scaffold(dir.path());
    command
        .args(["new", "demo", "--ca-bundle"])
        .env("SSL_CERT_FILE", dir.path().join("host.pem"));
    tool(&mut command);
    let copy = dir.path().join("demo/.devcontainer/ca-bundle.crt");
    assert_eq!(fs::read_to_string(copy).unwrap(), certificate);
}

#[test]
fn a_name_that_is_no_package_asks_for_one() {
    let dir = folder();
    for name in ["class", "pandas", "json", "数据", "3d", "tests"] {
        run(dir.path(), &["new", "x", "--name", name]).fails_with("--set package=NAME");
        assert_eq!(names(dir.path()), Vec::<String>::new(), "{name}");
    }
    run(
        dir.path(),
        &["new", "x", "--name", "数据", "--set", "package=data"],
    )
    .succeeds();
    assert!(dir.path().join("x/src/data/__init__.py").is_file());
}

#[test]
fn a_folder_that_is_none_is_named() {
    let dir = folder();
    fs::write(dir.path().join("file"), "").unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    run(dir.path(), &["new", "file"]).fails_with("is no folder");
    run(dir.path(), &["new", "file/inner"]).fails_with("is no folder");
    run(dir.path(), &["new", "dangling"]).fails_with("is no folder");
    run(dir.path(), &["new", "missing/../demo"])
        .fails_with("leads through a folder that does not exist");
    assert_eq!(names(dir.path()), ["dangling", "file"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = folder();
    let mut child = scaffold(dir.path())
        .args(["show", "python"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn new_never_asks_off_a_terminal() {
    let dir = folder();
    let mut command = scaffold(dir.path());
    let mut child = command
        .args(["new", "demo"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The pipe stays open: a question would wait for ever.
    let stdin = child.stdin.take();
    let status = child.wait().unwrap();
    drop(stdin);
    assert!(status.success());
}

#[test]
fn one_key_accepts_each_default_on_a_terminal() {
    let (asked, plain) = (folder(), folder());
    on_a_terminal(asked.path(), "new demo", "\r\r\r\r\r\r\r\r");
    run(plain.path(), &["new", "demo"]).succeeds();
    assert_eq!(snapshot(asked.path()), snapshot(plain.path()));
}

#[test]
fn what_is_typed_on_a_terminal_is_what_is_made() {
    let dir = folder();
    fs::write(dir.path().join("other"), "").unwrap();
    // The template, the name, the package's default, the second line for the image, and the defaults of the rest.
    let screen = on_a_terminal(dir.path(), "new", "\rtyped here\r\r\u{1b}[B\r\r\r\r\r");
    assert!(
        dir.path().join("typed here/src/typed_here").is_dir(),
        "{screen}"
    );
    let config = jsonc(
        &dir.path()
            .join("typed here/.devcontainer/devcontainer.json"),
    );
    assert!(config["image"].is_string(), "{config}");
}

/// The program on a pseudo-terminal.
fn at_a_terminal(folder: &std::path::Path, args: &str) -> std::process::Child {
    let command = format!("{} {args}", program().display());
    Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(folder)
        .env_remove("CI")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the program on a pseudo-terminal with `keys` typed at it; its exit code and what it showed.
fn typed(folder: &std::path::Path, args: &str, keys: &str) -> (i32, String) {
    let mut child = at_a_terminal(folder, args);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(keys.as_bytes()).unwrap();
    stdin.flush().unwrap();
    let mut screen = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut screen).unwrap();
    drop(stdin);
    (child.wait().unwrap().code().unwrap_or(-1), screen)
}

/// The same where it must succeed; what it showed.
fn on_a_terminal(folder: &std::path::Path, args: &str, keys: &str) -> String {
    let (code, screen) = typed(folder, args, keys);
    assert_eq!(code, 0, "{screen}");
    screen
}

#[test]
fn an_executable_file_of_a_template_is_executable_in_the_project() {
    let dir = folder();
    run(dir.path(), &["new", "demo", "--image", "image"]).succeeds();
    let shown = json(
        &run(dir.path(), &["show", "python", "--json"])
            .succeeds()
            .stdout,
    );
    for file in shown["template"]["files"].as_array().unwrap() {
        let path = file["id"].as_str().unwrap().trim_end_matches(".hbs");
        let path = dir.path().join("demo").join(path);
        if let Ok(metadata) = path.metadata() {
            let is_executable = metadata.permissions().mode() & 0o111 != 0;
            assert_eq!(file["executable"], is_executable, "{}", path.display());
        }
    }
}

#[test]
fn a_replaced_file_keeps_its_rights() {
    let dir = folder();
    let readme = dir.path().join("README.md");
    fs::write(&readme, "mine").unwrap();
    fs::set_permissions(&readme, fs::Permissions::from_mode(0o600)).unwrap();
    run(dir.path(), &["new", ".", "--name", "demo", "--force"]).succeeds();
    assert_eq!(
        readme.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_folder_that_is_no_text_is_made_and_reported() {
    use std::os::unix::ffi::OsStrExt;
    let dir = folder();
    let name = std::ffi::OsStr::from_bytes(b"demo\xff");
    let mut command = scaffold(dir.path());
    let text = tool(
        command
            .arg("new")
            .arg(name)
            .args(["--name", "demo", "--json"]),
    );
    assert_eq!(json(&text)["outcome"], "written");
    assert!(dir.path().join(name).join("README.md").is_file());
}

#[test]
fn a_broken_file_of_answers_is_named_with_line_and_column() {
    let dir = folder();
    let table = [
        (
            "{ \"python\": \"3.13\"\n  \"tests\": \"both\" }",
            "2:3: expected `,`",
        ),
        (
            "{ \"python\": \"3.13\", \"python\": \"3.11\" }",
            "1:21: the key `python` is given twice",
        ),
        ("{ \"python\": 3.10 }", "write it in quotes"),
        ("[]", "it holds no JSON object"),
        (
            "{ \"format\": 99, \"template\": { \"id\": \"python\" }, \"answers\": {} }",
            "a format that this version does not read",
        ),
    ];
    for (text, reason) in table {
        fs::write(dir.path().join("answers.json"), text).unwrap();
        run(dir.path(), &["new", "demo", "--answers", "answers.json"]).fails_with(reason);
        assert_eq!(names(dir.path()), ["answers.json"]);
    }
}

#[test]
fn what_was_given_is_checked_before_the_first_question() {
    let dir = folder();
    // The template is asked for first; the version is wrong whatever comes after.
    let (code, screen) = typed(dir.path(), "new demo --python 3.9", "\r");
    assert_eq!(code, 2, "{screen}");
    assert!(!screen.contains("Name of the project"), "{screen}");
}

#[test]
fn ctrl_c_at_a_question_brings_the_cursor_back_and_writes_nothing() {
    const HIDE: &[u8] = b"\x1b[?25l";
    const SHOW: &[u8] = b"\x1b[?25h";
    let dir = folder();
    let mut child = at_a_terminal(dir.path(), "new demo");
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut screen = Vec::new();
    // The cursor is hidden when the question stands.
    while !screen.ends_with(HIDE) {
        let mut byte = [0];
        stdout.read_exact(&mut byte).unwrap();
        screen.push(byte[0]);
    }
    stdin.write_all(b"\x03").unwrap();
    let mut after = Vec::new();
    stdout.read_to_end(&mut after).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let last = |mark: &[u8]| after.windows(mark.len()).rposition(|window| window == mark);
    assert!(
        last(SHOW) > last(HIDE),
        "{:?}",
        String::from_utf8_lossy(&after)
    );
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn the_root_is_no_place_for_a_project() {
    run(folder().path(), &["new", "/", "--dry-run"]).fails_with("the root of the file system");
}

#[test]
fn completions_and_manuals_are_there() {
    let dir = folder();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(dir.path(), &["completions", shell]).succeeds().stdout;
        assert!(script.contains("ca-bundle"), "{shell}");
    }
    tool(
        Command::new("bash")
            .args(["-c", "source <(\"$0\" completions bash)"])
            .arg(program()),
    );
    let page = run(dir.path(), &["man", "new"]).succeeds().stdout;
    assert!(page.contains(".TH scaffold-new 1"), "{page}");
    run(dir.path(), &["man", "nwe"]).fails_with("no command is named `nwe`");
    let object = json(&run(dir.path(), &["man", "--json"]).succeeds().stdout);
    assert!(object["page"].as_str().unwrap().contains("scaffold"));
}

#[test]
fn the_next_step_can_be_pasted_into_a_shell() {
    let dir = folder();
    let made = run(dir.path(), &["new", "my demo"]).succeeds();
    assert!(made.stderr.contains("`code 'my demo'`"), "{}", made.stderr);
}

#[test]
fn an_image_that_is_typed_decides_the_locks_too() {
    let dir = folder();
    // The template, the package, the last line for the image, its reference, and the defaults of the rest.
    let keys = "\r\r\u{1b}[B\u{1b}[B\rpython:3.12\r\r\r\r\r";
    let screen = on_a_terminal(dir.path(), "new demo", keys);
    let config = jsonc(&dir.path().join("demo/.devcontainer/devcontainer.json"));
    assert_eq!(config["image"], "python:3.12", "{screen}");
    let project = fs::read_to_string(dir.path().join("demo/pyproject.toml")).unwrap();
    assert!(project.contains(">=3.12"), "{project}");
}
