//! What may be forgotten: files in the person's cache folder, which nobody else may read.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the room that touches the disk"
)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

/// A place in the cache for what is known of one thing.
#[derive(Debug, Clone)]
pub(crate) struct Cache(Option<PathBuf>);

impl Cache {
    /// The file called `name` among those of a `kind` (XDG base directory specification, `XDG_CACHE_HOME`).
    pub(crate) fn new(environment: &BTreeMap<String, String>, kind: &str, name: &str) -> Self {
        let given = |name: &str| environment.get(name).filter(|path| path.starts_with('/'));
        let root = given("XDG_CACHE_HOME").map(PathBuf::from);
        let root = root.or_else(|| Some(PathBuf::from(given("HOME")?).join(".cache")));
        Self(root.map(|root| root.join("scaffold").join(kind).join(name)))
    }

    /// What was kept; nothing where that cannot be read.
    pub(crate) fn read(&self) -> Option<String> {
        fs::read_to_string(self.0.as_ref()?).ok()
    }

    /// Keeps `text`. What cannot be kept is found out again the next time, so that no failure is one.
    pub(crate) fn keep(&self, text: &str) {
        let Some(path) = &self.0 else { return };
        let Some(folder) = path.parent() else { return };
        let mut builder = fs::DirBuilder::new();
        let _ = builder.recursive(true).mode(0o700).create(folder);
        let staged = path.with_extension(format!("{}.new", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&staged);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        if written.and_then(|()| fs::rename(&staged, path)).is_err() {
            let _ = fs::remove_file(&staged);
        }
    }

    /// Forgets it.
    pub(crate) fn forget(&self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_kept_is_for_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().to_str().unwrap().to_owned();
        let environment = BTreeMap::from([("HOME".to_owned(), home)]);
        let cache = Cache::new(&environment, "things", "one");
        assert_eq!(cache.read(), None);
        cache.keep("a");
        cache.keep("b");
        assert_eq!(cache.read().as_deref(), Some("b"));
        let folder = dir.path().join(".cache/scaffold/things");
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.clone()), 0o700);
        assert_eq!(mode(folder.join("one")), 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        cache.forget();
        assert_eq!(cache.read(), None);
        Cache::new(&BTreeMap::new(), "things", "one").keep("nowhere");
    }
}
