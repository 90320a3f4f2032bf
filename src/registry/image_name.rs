//! The name of an image → where it lies.

/// The name of an image, completed as docker completes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ImageName {
    /// Host and port.
    pub(super) registry: String,
    /// The repository's path.
    pub(super) path: String,
    /// The tag or the digest.
    pub(super) version: String,
}

impl ImageName {
    /// Reads `[registry/]path[:tag][@digest]`.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (first, rest) = name.split_once('/').unwrap_or(("", name));
        let is_host = first.contains(['.', ':']) || first == "localhost";
        let (registry, path) = if is_host {
            (first, rest)
        } else {
            ("docker.io", name)
        };
        let (path, version) = match path.split_once('@') {
            Some((path, digest)) => (without_tag(path).0, digest),
            None => without_tag(path),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if path.is_empty() || version.is_empty() || !path.chars().all(is_plain) {
            return None;
        }
        let is_official = !path.contains('/') && registry == "docker.io";
        let library = if is_official { "library/" } else { "" };
        Some(Self {
            registry: registry.to_owned(),
            path: format!("{library}{path}"),
            version: version.to_owned(),
        })
    }
}

fn without_tag(path: &str) -> (&str, &str) {
    path.split_once(':').unwrap_or((path, "latest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_image_is_completed_as_docker_does() {
        let table = [
            ("python", "docker.io library/python latest"),
            ("python:3.13", "docker.io library/python 3.13"),
            ("docker.io/python", "docker.io library/python latest"),
            ("me/it", "docker.io me/it latest"),
            ("localhost/it", "localhost it latest"),
            ("localhost:5000/it:1", "localhost:5000 it 1"),
            ("ghcr.io/a/b/c@sha256:0", "ghcr.io a/b/c sha256:0"),
            ("ghcr.io/a/b:1@sha256:0", "ghcr.io a/b sha256:0"),
        ];
        for (name, expected) in table {
            let ImageName {
                registry,
                path,
                version,
            } = ImageName::parse(name).unwrap();
            assert_eq!(format!("{registry} {path} {version}"), expected, "{name}");
        }
        for name in ["", "a b", "a:", "ghcr.io/", "a?b"] {
            assert_eq!(ImageName::parse(name), None, "{name}");
        }
    }
}
