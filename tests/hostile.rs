//! Values that try to break out of the files that they land in.

use crate::support::{folder, json, jsonc, names, run, tool};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What people and attackers type. Each is refused with a reason, or comes out of every file exactly as it went in.
fn odd_values() -> Vec<String> {
    let mut values: Vec<String> = [
        "it's",
        "say \"hi\"",
        "back\\slash\\",
        "two\nlines",
        "x\nRUN curl evil.example",
        "carriage\rreturn",
        "$(id)",
        "`id`",
        "${HOME} $PATH",
        "${localEnv:HOME}",
        "{{name}} {{{name}}}",
        "{% raw %}",
        "../escaped",
        "/etc/passwd",
        "nul\0byte",
        "emoji 😀 👩‍💻",
        "العربية \u{200f}mark",
        "\u{202e}gnp.exe",
        "con",
        "NUL.txt",
        "aux",
        " padded ",
        "",
        "-rf",
        "--help",
        "# heading",
        "<script>alert(1)</script> &amp;",
        "[link](http://evil.example) *bold* _it_ ~~x~~",
        ">>> 1/0",
        "''' \"\"\" end",
        "a: b # c",
        "percent %s %(x)s {0} {x}",
        "C:\\new\\table",
        "trailing\\",
        "tab\there",
    ]
    .map(str::to_owned)
    .to_vec();
    values.push("x".repeat(10_000));
    values
}

#[test]
fn a_hostile_value_is_refused_or_stays_a_value() {
    let dir = folder();
    let mut landed = 0;
    let listed = json(&run(dir.path(), &["list", "--json"]).succeeds().stdout);
    for template in listed["templates"].as_array().unwrap() {
        let template = template["id"].as_str().unwrap();
        for option in options(template) {
            let values = odd_values();
            let let_in = values
                .iter()
                .filter(|value| try_value(dir.path(), template, &option, value));
            landed += let_in.count();
        }
    }
    // A door that lets nothing in would pass as well.
    assert!(landed > 40, "only {landed} values were let in");
}

fn options(template: &str) -> Vec<String> {
    let dir = folder();
    let shown = json(
        &run(dir.path(), &["show", template, "--json"])
            .succeeds()
            .stdout,
    );
    let options = shown["template"]["options"].as_array().unwrap();
    options
        .iter()
        .map(|option| option["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether the value was let in; then it is where it belongs and nowhere else.
fn try_value(dir: &Path, template: &str, option: &str, value: &str) -> bool {
    // A command line cannot carry NUL, and a file of answers can.
    let mut answers = serde_json::json!({ "package": "demo_pkg", "environment": "demo-env" });
    answers[option] = value.into();
    fs::write(dir.join("answers.json"), answers.to_string()).unwrap();
    let args = [
        "new",
        "out",
        "--template",
        template,
        "--answers",
        "answers.json",
    ];
    let result = run(dir, &args);
    if result.code != 0 {
        assert_eq!(result.code, 2, "{option}={value:?}: {}", result.stderr);
        assert!(
            result
                .stderr
                .contains(&format!("is no value of `{option}`")),
            "{option}={value:?}: {}",
            result.stderr
        );
        assert!(
            !result.stderr.contains(['\r', '\0', '\u{202e}', '\u{200f}']),
            "{:?}",
            result.stderr
        );
        assert_eq!(names(dir), ["answers.json"], "{option}={value:?}");
        return false;
    }
    assert!(
        !value.contains("${"),
        "a dev container tool would replace {value:?}"
    );
    let root = dir.join("out");
    let receipt = json(&fs::read_to_string(root.join(".scaffold.json")).unwrap());
    assert_eq!(receipt["answers"][option], value);
    check_places(&root, option, value);
    assert_python_compiles(&root);
    assert_eq!(
        fs::read_dir(dir).unwrap().count(),
        2,
        "{option}={value:?} wrote elsewhere"
    );
    fs::remove_dir_all(&root).unwrap();
    true
}

/// Reads the value back with the parser of each file that it lands in.
fn check_places(root: &Path, option: &str, value: &str) {
    let config = jsonc(&root.join(".devcontainer/devcontainer.json"));
    let text = fs::read_to_string(root.join("pyproject.toml")).unwrap();
    let project: toml_edit::DocumentMut = text.parse().unwrap();
    match option {
        "name" => {
            assert_eq!(config["name"], value);
            let description = project["project"]["description"].as_str();
            assert_eq!(description.unwrap(), value);
            assert_eq!(
                heading(&fs::read_to_string(root.join("README.md")).unwrap()),
                value
            );
        }
        "package" => assert!(root.join("src").join(value).is_dir()),
        "environment" => {
            let path =
                &config["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"];
            assert_eq!(*path, format!("/opt/{value}/bin/python"));
        }
        "image" => assert_eq!(config["image"], value),
        _ => {}
    }
    let package = if option == "package" {
        value
    } else {
        "demo_pkg"
    };
    assert_eq!(
        project["project"]["name"].as_str().unwrap(),
        package.replace('_', "-")
    );
    if let Ok(text) = fs::read_to_string(root.join(".devcontainer/Dockerfile")) {
        let parsed = parse_dockerfile::parse(&text).unwrap();
        assert!(!text.contains("evil"), "{option}={value:?}: {parsed:?}");
    }
}

/// The text of the first heading, as a reader of the Markdown sees it.
fn heading(markdown: &str) -> String {
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};
    let mut text = String::new();
    let mut events = Parser::new(markdown);
    let _ = events.find(|event| matches!(event, Event::Start(Tag::Heading { .. })));
    for event in events {
        match event {
            Event::Text(part) => text.push_str(&part),
            Event::End(TagEnd::Heading(_)) => break,
            other => panic!("the name became {other:?}"),
        }
    }
    text
}

fn assert_python_compiles(root: &Path) {
    let script = "import ast, pathlib, sys\n\
                  for path in pathlib.Path(sys.argv[1]).rglob('*.py'):\n    ast.parse(path.read_bytes(), str(path))\n";
    tool(Command::new("python3").args(["-c", script]).arg(root));
}

#[test]
fn an_odd_name_of_a_folder_is_refused_or_used() {
    let dir = folder();
    for name in ["two\nlines", "\u{202e}x"] {
        run(dir.path(), &["new", name]).fails_with("from the name of the folder");
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }
    run(
        dir.path(),
        &["new", "it's \"odd\" $(x)", "--set", "package=odd"],
    )
    .succeeds();
    let config = jsonc(
        &dir.path()
            .join("it's \"odd\" $(x)/.devcontainer/devcontainer.json"),
    );
    assert_eq!(config["name"], "it's \"odd\" $(x)");
}
