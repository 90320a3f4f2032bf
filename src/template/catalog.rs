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
