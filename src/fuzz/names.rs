//! What names something: images in Dockerfiles, Features, properties.

use super::grammar::{Tokens, one, some};
use crate::devcontainer::base_image::{BuildOptions, base_image, platform};
use crate::devcontainer::feature::archive;
use crate::devcontainer::feature::lock;
use crate::devcontainer::feature::source::{Place, Reference, Source, source, tarball_id};
use crate::devcontainer::properties::PROPERTIES;
use crate::hint::{enumerate, nearest, shown};
use bolero::{Driver, ValueGenerator, check};
use std::collections::BTreeMap;
use std::path::Path;

const DOCKERFILE: &[&str] = &[
    "FROM ",
    "from ",
    "ARG ",
    "RUN ",
    "COPY ",
    "\n",
    "\\\n",
    "`\n",
    "\r\n",
    " AS ",
    " ",
    "a",
    "b",
    "scratch",
    "--platform=x ",
    "A=",
    "$A",
    "${A}",
    "${A:-",
    "${A:+",
    "}",
    "<<EOF",
    "<<-'a'",
    "EOF",
    "# escape=`\n",
    "#",
    "=",
    "\"",
    "'",
    "$",
    "{",
    "0",
    "\t",
    "\u{feff}",
    ":",
    "é",
];

#[test]
fn any_dockerfile_has_a_base_or_none() {
    check!()
        .with_generator(Tokens(DOCKERFILE))
        .with_iterations(1000)
        .for_each(|text| {
            let mut args = BTreeMap::from([("A".to_owned(), "a$A".to_owned())]);
            for target in [None, Some("a"), Some("0"), Some("18446744073709551616")] {
                let options = BuildOptions {
                    args: std::mem::take(&mut args),
                    target,
                };
                let base = base_image(text, &options, &platform("amd64"));
                assert_ne!(base.as_deref(), Some("scratch"));
            }
        });
}

/// The images and names of the stages of a Dockerfile.
#[derive(Debug, Clone, Copy)]
struct Stages;

impl ValueGenerator for Stages {
    type Output = Vec<(&'static str, &'static str)>;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Self::Output> {
        let names = ["a", "b", "c", "python:3"];
        some(driver, 8, |driver| {
            Some((one(driver, &names)?, one(driver, &names)?))
        })
    }
}

#[test]
fn the_base_of_stages_is_what_the_first_of_them_stands_on() {
    check!()
        .with_generator(Stages)
        .with_iterations(1000)
        .for_each(|stages| {
            let lines = stages
                .iter()
                .map(|(image, name)| format!("FROM {image} AS {name}\nRUN x\n"));
            let text: String = lines.collect();
            // Of each name, what the last stage so far that is called so stands on.
            let mut bases = BTreeMap::new();
            let mut base = None;
            for (image, name) in stages {
                base = Some(*bases.get(image).unwrap_or(image));
                bases.insert(name, base.unwrap_or(image));
            }
            let found = base_image(&text, &BuildOptions::default(), &BTreeMap::new());
            assert_eq!(found.as_deref(), base);
        });
}

const IDS: &[&str] = &[
    "ghcr.io",
    "localhost:5000",
    "devcontainers",
    "devcontainers-contrib",
    "/",
    ":",
    "@",
    "sha256:",
    "0",
    "a",
    "A",
    "node",
    "1.2",
    ".",
    "..",
    "./",
    "../",
    "-",
    "_",
    "https://",
    "devcontainer-feature-",
    ".tgz",
    "?",
    "#",
    "\\",
    "é",
    "İ",
    "golang",
    "pyhton",
];

#[test]
fn any_id_has_a_source_or_an_error() {
    check!()
        .with_generator(Tokens(IDS))
        .with_iterations(1000)
        .for_each(|id| {
            let integrity = BTreeMap::new();
            let place = Place {
                config_folder: "/p/.devcontainer",
                workspace_folder: "/p",
                integrity: &integrity,
            };
            match source(id, place) {
                Ok(Source::Folder(path)) => {
                    assert!(path.starts_with("/p/.devcontainer") && !path.contains("/../"));
                }
                Ok(Source::Tarball { uri, .. }) => assert!(tarball_id(&uri).is_some()),
                Ok(registry @ Source::Registry { .. }) => {
                    assert_eq!(source(&registry.to_string(), place).as_ref(), Ok(&registry));
                }
                Ok(Source::Release(_)) => {}
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            if let Some(reference) = Reference::parse(id) {
                let json = reference.as_json();
                assert_eq!(json["path"], reference.path.as_str());
                assert!(reference.path.ends_with(reference.id()));
                assert!(reference.resource.len() <= id.to_lowercase().len());
            }
        });
}

#[test]
fn any_bytes_are_an_archive_and_a_lock_file_or_none() {
    check!().with_iterations(1000).for_each(|bytes: &[u8]| {
        let _ = archive::metadata(bytes);
        let _ = lock::integrity("lock", &String::from_utf8_lossy(bytes));
    });
}

#[test]
fn a_name_is_nearest_to_itself() {
    let tokens = &[
        "post", "Create", "Command", "remote", "Env", "a", "İ", "ß", "\u{0}", "\u{1b}",
    ];
    check!()
        .with_generator(Tokens(tokens))
        .with_iterations(100)
        .for_each(|typed| {
            let known = PROPERTIES.iter().copied().chain([typed.as_str()]);
            let near = nearest(typed, known).expect("it is there itself");
            assert_eq!(near.to_lowercase(), typed.to_lowercase());
            assert!(!shown(Path::new(typed)).contains(char::is_control));
            assert!(enumerate([typed.as_str(), near]).contains(" and "));
        });
}
