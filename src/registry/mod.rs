//! Registries and web servers: Features, and what an image says that no engine has
//! (OCI distribution specification 1.1, "Pull").

mod authorization;
mod client;
mod image_name;

use crate::devcontainer::build_plan::Login;
use crate::devcontainer::feature::source::{Reference, Source};
use crate::devcontainer::feature::{Fetched, Part, Wanted};
use crate::devcontainer::variable::Environment;
use crate::hint::Hint;
use client::{Client, Request};
use image_name::ImageName;
use serde_json::Value;
use std::io;

/// What a Feature's manifest is asked for as.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What an image is asked for as: for one platform or for several, in OCI's form or in Docker's.
const IMAGE: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A way to registries.
#[derive(Debug)]
pub(crate) struct Registry<'a>(Client<'a>);

/// What can go wrong with a registry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// Nobody answers there.
    #[error("cannot reach `{url}`")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        source: Box<ureq::Error>,
    },
    /// It is not there, or not for us: registries do not tell these apart.
    #[error("`{url}` answers {status}{reason}")]
    Refused {
        /// The address.
        url: String,
        /// The registry.
        registry: Option<String>,
        /// The status.
        status: u16,
        /// What it says of it.
        reason: String,
    },
    /// It is not what its digest says.
    #[error("`{url}` has the digest {found}, not {expected}")]
    Digest {
        /// The address.
        url: String,
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// It is no answer that the specification knows.
    #[error("`{url}` is not understood: {reason}")]
    Malformed {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// An archive that cannot be read.
    #[error("`{url}` is no archive of a Feature")]
    Archive {
        /// The address.
        url: String,
        /// What happened.
        source: io::Error,
    },
    /// A name that no registry could have.
    #[error("`{}` is not the name of an image", .0.escape_debug())]
    Name(String),
    /// An image for other machines.
    #[error("`{url}` has no image for {platform}")]
    Platform {
        /// The address.
        url: String,
        /// The platform that was asked for.
        platform: String,
        /// Those that there are.
        known: String,
    },
}

impl Hint for RegistryError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { source, .. } => Some(if is_about_tls(source) {
                "behind a proxy that looks into TLS, set `SSL_CERT_FILE` to its bundle of certificates".to_owned()
            } else {
                "check the name and the network; a proxy is taken from `HTTPS_PROXY`".to_owned()
            }),
            Self::Refused {
                registry: Some(registry),
                status: 401 | 403 | 404,
                ..
            } => Some(format!(
                "check the name; if it is private, `docker login {registry}`"
            )),
            Self::Digest { .. } => Some(
                "somebody changed it, or the lock file is of another one: remove its entry there if the change is meant".to_owned(),
            ),
            Self::Archive { .. } => Some(format!(
                "it must be a tar archive with `{}` at its top",
                crate::devcontainer::feature::METADATA_FILE
            )),
            Self::Platform { known, .. } => Some(format!("there are {known}")),
            Self::Refused { .. } | Self::Malformed { .. } | Self::Name(_) => None,
        }
    }
}

fn is_about_tls(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => true,
        ureq::Error::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// The registry that an image's name means.
pub(crate) fn host(image: &str) -> String {
    ImageName::parse(image).map_or_else(String::new, |name| name.registry)
}

/// What there is to show the registry of that name; the docker client has another name for docker.io's server.
pub(crate) fn login(registry: &str, environment: &Environment) -> Option<Login> {
    let registry = match registry {
        "registry-1.docker.io" | "index.docker.io" => "docker.io",
        other => other,
    };
    authorization::credential(registry, environment).map(authorization::Credential::login)
}

impl<'a> Registry<'a> {
    /// A way that takes proxies, certificates and credentials from `environment` and the docker client's configuration.
    pub(crate) fn new(environment: &'a Environment) -> Self {
        Self(Client::new(environment))
    }

    /// Reads a Feature that lies in a registry or is an archive.
    pub(crate) fn feature(&self, wanted: &Wanted) -> Result<Fetched, RegistryError> {
        match &wanted.source {
            Source::Registry {
                reference,
                integrity,
            } => self.artifact(reference, integrity.as_deref(), wanted.part),
            Source::Tarball { uri, integrity } => {
                let answer = self.0.get(Request {
                    url: uri,
                    accept: "*/*",
                    registry: None,
                })?;
                let answer = answer.verified(integrity.as_deref())?;
                Ok(Fetched {
                    manifest: None,
                    digest: Some(answer.digest()),
                    file: Some(answer.metadata()?),
                })
            }
            Source::Folder(_) | Source::Release(_) => Ok(Fetched::default()),
        }
    }

    fn artifact(
        &self,
        reference: &Reference,
        integrity: Option<&str>,
        part: Part,
    ) -> Result<Fetched, RegistryError> {
        let version = integrity.unwrap_or_else(|| reference.version());
        let at = |kind: &str, name: &str| format!("/v2/{}/{kind}/{name}", reference.path);
        let registry = &reference.registry;
        let answer = self.0.ask(registry, &at("manifests", version), MANIFEST)?;
        let answer = answer.verified(integrity.or(reference.digest.as_deref()))?;
        let manifest = answer.json()?;
        let mut fetched = Fetched {
            digest: Some(answer.digest()),
            file: None,
            manifest: Some(manifest),
        };
        if part == Part::Names && fetched.annotation().is_some() {
            return Ok(fetched);
        }
        let layer = fetched
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.pointer("/layers/0/digest"))
            .and_then(Value::as_str);
        let Some(layer) = layer else {
            return Err(RegistryError::Malformed {
                url: answer.url,
                reason: "the manifest has no layer".to_owned(),
            });
        };
        let blob = self.0.ask(registry, &at("blobs", layer), "*/*")?;
        fetched.file = Some(blob.verified(Some(layer))?.metadata()?);
        Ok(fetched)
    }

    /// What the image's configuration says (OCI image specification, "Image Configuration"), for `platform`, an `os/architecture`.
    pub(crate) fn image(&self, name: &str, platform: &str) -> Result<Value, RegistryError> {
        let reference = ImageName::parse(name);
        let reference = reference.ok_or_else(|| RegistryError::Name(name.to_owned()))?;
        let ImageName {
            registry,
            path,
            version,
        } = &reference;
        let at = |kind: &str, name: &str| format!("/v2/{path}/{kind}/{name}");
        let digest = version.contains(':').then_some(version.as_str());
        let mut answer = self.0.ask(registry, &at("manifests", version), IMAGE)?;
        answer = answer.verified(digest)?;
        let mut manifest = answer.json()?;
        if let Some(images) = manifest.get("manifests").and_then(Value::as_array) {
            let digest = of_platform(images, platform, &answer.url)?;
            answer = self.0.ask(registry, &at("manifests", &digest), IMAGE)?;
            answer = answer.verified(Some(&digest))?;
            manifest = answer.json()?;
        }
        let config = manifest.pointer("/config/digest").and_then(Value::as_str);
        let config = config.ok_or_else(|| RegistryError::Malformed {
            url: answer.url,
            reason: "the manifest has no configuration".to_owned(),
        })?;
        let blob = self.0.ask(registry, &at("blobs", config), "*/*")?;
        let image = blob.verified(Some(config))?.json()?;
        Ok(image.get("config").cloned().unwrap_or_default())
    }
}

/// The digest of the image for a platform among those of an index.
fn of_platform(images: &[Value], platform: &str, url: &str) -> Result<String, RegistryError> {
    let text = |image: &Value, name: &str| {
        let value = image.pointer(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let name = |image: &Value| {
        let (os, architecture) = (
            text(image, "/platform/os"),
            text(image, "/platform/architecture"),
        );
        format!("{os}/{architecture}")
    };
    let found = images.iter().find(|image| name(image) == platform);
    let found = found.map(|image| text(image, "/digest"));
    found.ok_or_else(|| RegistryError::Platform {
        url: url.to_owned(),
        platform: platform.to_owned(),
        known: images.iter().map(name).collect::<Vec<_>>().join(", "),
    })
}
