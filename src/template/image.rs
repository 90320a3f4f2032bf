//! Where a dev container's image comes from: what `--image` takes.

use super::TemplateError;
use super::answers::{Answer, Given, Origin};
use super::pattern::Fault;
use crate::hint::nearest;

/// The source of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Image {
    /// Built from a Dockerfile in the project.
    Build,
    /// The ready image that the template proposes.
    Ready,
    /// This very image.
    Reference(String),
}

/// The longest repository name that registries take, in characters (OCI Distribution Specification, "Pulling manifests").
const LONGEST_REPOSITORY: usize = 255;

/// The longest tag, in characters (same section).
const LONGEST_TAG: usize = 128;

impl Image {
    /// The source that `text` names.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "build" => Ok(Self::Build),
            "image" => Ok(Self::Ready),
            _ => reference(text).map(|()| Self::Reference(text.to_owned())),
        }
    }

    /// The Python version (`3.13`) that the image says it holds: the tag of an image whose last component is `python`.
    pub(crate) fn python_version(&self) -> Option<&str> {
        let Self::Reference(reference) = self else {
            return None;
        };
        let name = reference.split('@').next()?;
        let (repository, tag) = name.rsplit_once(':')?;
        if repository.rsplit('/').next() != Some("python") {
            return None;
        }
        tag.split('-').find_map(minor_version)
    }
}

/// The Python version that the tag of `image` names, where none was `given`; an error where one was and differs.
pub(crate) fn python(
    image: Option<&Answer>,
    given: Option<&Given>,
) -> Result<Option<Given>, TemplateError> {
    let image = image.map(ToString::to_string).unwrap_or_default();
    let parsed = Image::parse(&image).ok();
    let Some(version) = parsed.as_ref().and_then(Image::python_version) else {
        return Ok(None);
    };
    match given.map(|given| given.value.to_string()) {
        Some(python) if python != version => Err(TemplateError::PythonOfImage {
            version: version.to_owned(),
            image,
            python,
        }),
        Some(_) => Ok(None),
        None => {
            let origin = Origin::Derived(format!("the tag of `{image}`"));
            Ok(Some(Given::text("python", version, origin)))
        }
    }
}

/// `3.13` of `3.13.1`, if the text is such a version; a single number is one of the image's own.
fn minor_version(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("3.")
        .or_else(|| text.strip_prefix("2."))?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let ends_well = rest[digits..].is_empty() || rest[digits..].starts_with('.');
    (digits > 0 && ends_well).then(|| &text[..2 + digits])
}

/// Checks `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, the grammar of the OCI Distribution Specification.
fn reference(text: &str) -> Result<(), Fault> {
    let bare = !text.contains([':', '/', '@']);
    if let Some(near) = nearest(text, ["build", "image"]).filter(|_| bare) {
        return Err(Fault {
            reason:
                "it is neither `build` nor `image`, and too near to one to be taken for an image"
                    .to_owned(),
            hint: Some(format!(
                "did you mean `{near}`? write `{text}:latest` for an image of that name"
            )),
        });
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    };
    let good = is_repository(repository) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
    if good {
        return Ok(());
    }
    Err(Fault {
        reason: "it is neither `build` nor `image` nor an image reference".to_owned(),
        hint: Some(
            "an image reference looks like `python:3.13` or `ghcr.io/owner/name:tag`".to_owned(),
        ),
    })
}

fn is_repository(text: &str) -> bool {
    let (host, path) = match text.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), rest)
        }
        _ => (None, text),
    };
    text.len() <= LONGEST_REPOSITORY
        && host.is_none_or(is_host)
        && path.split('/').all(is_path_component)
}

fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    port_is_good && name.split('.').all(label)
}

fn is_path_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators_stand_alone = !text.contains("..")
        && !text.contains("___")
        && !text.contains("._")
        && !text.contains("_.");
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && separators_stand_alone
        && text
            .chars()
            .all(|c| alphanumeric(c) || matches!(c, '.' | '_' | '-'))
}

fn is_tag(text: &str) -> bool {
    text.len() <= LONGEST_TAG
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_reference_is_what_a_registry_takes() {
        let digest = format!("python@sha256:{}", "a".repeat(64));
        for good in [
            "python",
            "python:3.13",
            "ghcr.io/owner/name:tag",
            "localhost:5000/library/python:3.13",
            "nvcr.io/nvidia/pytorch:25.03-py3",
            "a--b/c__d",
            digest.as_str(),
        ] {
            assert_eq!(Image::parse(good), Ok(Image::Reference(good.to_owned())));
        }
        for bad in [
            "Python",
            "python:",
            "python:3.13:4",
            "-python",
            "python\nRUN x",
            "python 3",
            "a/../b",
            "python@sha256:12",
            "localhost:99999/x",
            "$(x)",
            "{{x}}",
            "python:3.1o\u{200f}",
            "/etc",
        ] {
            assert!(Image::parse(bad).is_err(), "{bad:?} passed");
        }
    }

    #[test]
    fn a_near_miss_of_a_mode_is_not_taken_for_an_image() {
        let fault = Image::parse("biuld").unwrap_err();
        assert!(fault.hint.unwrap().contains("`build`"));
    }

    #[test]
    fn a_python_image_says_its_version() {
        let version = |text: &str| {
            let image = Image::parse(text).unwrap();
            image.python_version().map(str::to_owned)
        };
        assert_eq!(version("python:3.11").as_deref(), Some("3.11"));
        assert_eq!(
            version("python:3.12.4-slim-bookworm").as_deref(),
            Some("3.12")
        );
        assert_eq!(
            version("mcr.microsoft.com/devcontainers/python:1-3.13-trixie").as_deref(),
            Some("3.13")
        );
        assert_eq!(version("python:2.7").as_deref(), Some("2.7"));
        assert_eq!(version("python:latest"), None);
        assert_eq!(version("debian:3.11"), None);
        assert_eq!(version("build"), None);
    }
}
