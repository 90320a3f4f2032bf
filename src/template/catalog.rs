//! The templates inside this binary.

use super::manifest::Manifest;
use super::{Partial, Source, Template, TemplateError};
use include_dir::{Dir, include_dir};
use std::collections::BTreeSet;
use std::path::Path;

static TEMPLATES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The executable files below `templates/`, sorted: `include_dir` keeps no modes.
static EXECUTABLES: &[&str] = include!(concat!(env!("OUT_DIR"), "/executables.rs"));

/// The folder of the pieces that templates share.
const SHARED_PARTIALS: &str = "_partials";

/// The ids of the templates that `list` shows, sorted.
pub(crate) fn ids() -> Vec<&'static str> {
    let listed = all_ids().into_iter().filter(|id| !id.starts_with('_'));
    listed.collect()
}

/// The ids of all templates, sorted: those that are not listed too.
pub(crate) fn all_ids() -> Vec<&'static str> {
    let mut ids: Vec<&str> = TEMPLATES
        .dirs()
        .filter_map(|folder| folder.path().to_str())
        .filter(|id| *id != SHARED_PARTIALS)
        .collect();
    ids.sort_unstable();
    ids
}

/// The template whose id is `id`.
pub(crate) fn find(id: &str) -> Result<Template, TemplateError> {
    let known = all_ids()
        .contains(&id)
        .then(|| TEMPLATES.get_dir(id))
        .flatten();
    let Some(folder) = known else {
        return Err(TemplateError::Unknown {
            id: id.to_owned(),
            known: ids().into_iter().map(str::to_owned).collect(),
        });
    };
    let broken = |reason: String| TemplateError::Broken {
        template: id.to_owned(),
        reason,
    };
    let manifest = text(folder, "devcontainer-template.json")
        .ok_or_else(|| broken("it has no `devcontainer-template.json`".to_owned()))?;
    let manifest: Manifest = serde_json::from_str(manifest)
        .map_err(|error| broken(format!("`devcontainer-template.json`: {error}")))?;
    if manifest.id != id {
        return Err(broken(format!("its manifest calls it `{}`", manifest.id)));
    }
    Ok(Template {
        manifest,
        files: sources(folder),
        partials: partials(folder),
        modules: modules(folder),
    })
}

/// The text of the file `name` directly in `folder`.
fn text(folder: &Dir<'static>, name: &str) -> Option<&'static str> {
    let file = TEMPLATES.get_file(folder.path().join(name))?;
    file.contents_utf8()
}

fn sources(folder: &Dir<'static>) -> Vec<Source> {
    let root = folder.path().join("files");
    let mut found = Vec::new();
    if let Some(folder) = TEMPLATES.get_dir(&root) {
        collect(folder, &root, &mut found);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(folder: &Dir<'static>, root: &Path, found: &mut Vec<Source>) {
    for file in folder.files() {
        let whole = slashed(file.path());
        let below = file.path().strip_prefix(root).expect("it was found there");
        found.push(Source {
            path: slashed(below),
            bytes: file.contents(),
            executable: EXECUTABLES.binary_search(&whole.as_str()).is_ok(),
        });
    }
    for inner in folder.dirs() {
        collect(inner, root, found);
    }
}

/// The path with `/` between its components, on every host.
fn slashed(path: &Path) -> String {
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// The shared pieces first, so that the template's own of the same name takes their place.
fn partials(folder: &Dir<'static>) -> Vec<Partial> {
    let own = folder.path().join("partials");
    [Path::new(SHARED_PARTIALS), &own]
        .into_iter()
        .filter_map(|path| TEMPLATES.get_dir(path))
        .flat_map(Dir::files)
        .filter_map(|file| {
            Some(Partial {
                name: file.path().file_name()?.to_str()?.to_owned(),
                text: file.contents_utf8()?,
            })
        })
        .collect()
}

fn modules(folder: &Dir<'static>) -> BTreeSet<String> {
    let names = text(folder, "modules.txt").unwrap_or_default().lines();
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::render::{compile, partials_in};
    use handlebars::template::{Parameter, Template as Compiled, TemplateElement as Element};

    /// Adds the variables that `template` names, in conditions and computed names too.
    fn variables(template: &Compiled, found: &mut BTreeSet<String>) {
        for element in &template.elements {
            variables_of(element, found);
        }
    }

    fn variables_of(element: &Element, found: &mut BTreeSet<String>) {
        match element {
            Element::Expression(helper) | Element::HtmlExpression(helper) => {
                if helper.params.is_empty() && helper.hash.is_empty() {
                    parameter(&helper.name, found);
                }
                helper.params.iter().for_each(|one| parameter(one, found));
            }
            Element::HelperBlock(helper) => {
                helper.params.iter().for_each(|one| parameter(one, found));
                let branches = helper.template.iter().chain(&helper.inverse);
                branches.for_each(|branch| variables(branch, found));
            }
            Element::PartialExpression(partial) => {
                if let Parameter::Subexpression(computed) = &partial.name {
                    variables_of(&computed.element, found);
                }
                partial.params.iter().for_each(|one| parameter(one, found));
            }
            Element::RawString(_) | Element::Comment(_) => {}
            other => panic!("templates/README.md knows no {other:?}"),
        }
    }

    fn parameter(parameter: &Parameter, found: &mut BTreeSet<String>) {
        match parameter {
            Parameter::Subexpression(inner) => variables_of(&inner.element, found),
            // A literal has no name.
            named => found.extend(named.as_name().map(str::to_owned)),
        }
    }

    /// The variables of every file, path, partial and default of the template.
    fn all_variables(template: &Template) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut add = |name: &str, text: &str| {
            let compiled = compile(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
            variables(&compiled, &mut found);
        };
        for source in &template.files {
            add(&source.path, &source.path);
            if source.path.strip_suffix(".hbs").is_some() {
                add(&source.path, std::str::from_utf8(source.bytes).unwrap());
            }
        }
        let texts = template.files.iter().map(|source| source.bytes);
        let mut texts: Vec<&str> = texts
            .filter_map(|bytes| std::str::from_utf8(bytes).ok())
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(text) = texts.pop() {
            let mut partials = partials_in(text, &template.partials);
            partials.retain(|partial| seen.insert(&partial.name));
            for partial in partials {
                add(&partial.name, partial.text);
                texts.push(partial.text);
            }
        }
        for option in template.manifest.options.values() {
            add("a default", &option.default.to_string());
        }
        found
    }

    #[test]
    fn every_variable_is_an_option_and_every_option_is_used() {
        for id in all_ids() {
            let template = find(id).unwrap();
            let options = &template.manifest.options;
            let mut used = all_variables(&template);
            used.extend(conditions(&template));
            for name in &used {
                assert!(options.contains_key(name), "{id}: `{name}` is no option");
            }
            for name in options.keys() {
                assert!(used.contains(name), "{id}: nothing uses `{name}`");
            }
        }
    }

    /// The options that conditions name.
    fn conditions(template: &Template) -> Vec<String> {
        let options = template.manifest.options.values();
        let of_options = options.filter_map(|option| option.when.as_ref());
        let conditions = template.manifest.when.values().chain(of_options);
        conditions
            .flat_map(|condition| condition.0.keys().cloned())
            .collect()
    }

    #[test]
    fn every_condition_is_about_files_that_are_there() {
        for id in all_ids() {
            let template = find(id).unwrap();
            for prefix in template.manifest.when.keys() {
                let mut files = template.files.iter();
                let is_there =
                    files.any(|source| crate::template::render::covers(prefix, &source.path));
                assert!(
                    is_there,
                    "{id}: `when` names `{prefix}`, which is not there"
                );
            }
        }
    }

    #[test]
    fn templates_hold_no_junk() {
        let mut folders = vec![&TEMPLATES];
        while let Some(folder) = folders.pop() {
            for entry in folder.entries() {
                let path = entry.path().to_string_lossy();
                let junk = ["__pycache__", ".DS_Store", ".swp", ".pyc", "~", ".orig"];
                assert!(!junk.iter().any(|end| path.ends_with(end)), "{path}");
            }
            folders.extend(folder.dirs());
        }
    }

    #[test]
    fn every_version_is_semver_and_every_choice_follows_its_pattern() {
        for id in all_ids() {
            let template = find(id).unwrap();
            let parts: Vec<&str> = template.manifest.version.split('.').collect();
            let is_semver =
                parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok());
            assert!(is_semver, "{id}: {}", template.manifest.version);
            for (name, option) in &template.manifest.options {
                let mut values = option.choices.iter().chain(&option.proposals);
                let fault = values.find(|value| option.pattern.check(value, &template).is_err());
                assert_eq!(fault, None, "{id}: {name}");
            }
        }
    }
}
