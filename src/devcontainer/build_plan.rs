//! What a builder is asked for.

use std::collections::BTreeMap;
use std::fmt;

/// An image, as it is to be built of a Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BuildPlan {
    /// The text of a Dockerfile that lies nowhere and copies nothing; then there is neither context nor file.
    pub(crate) inline: Option<String>,
    /// The folder that the Dockerfile may copy from, absolute.
    pub(crate) context: String,
    /// The Dockerfile, absolute; it may lie outside the context.
    pub(crate) dockerfile: String,
    /// What its ARGs are given.
    pub(crate) args: BTreeMap<String, String>,
    /// The stage to build, unless it is the last.
    pub(crate) target: Option<String>,
    /// Images whose layers may be taken over.
    pub(crate) cache_from: Vec<String>,
    /// What the image says of itself.
    pub(crate) labels: BTreeMap<String, String>,
    /// Its names.
    pub(crate) tags: Vec<String>,
    /// `linux/arm64`, unless it is the engine's own.
    pub(crate) platform: Option<String>,
    /// The network of the RUNs, unless it is the engine's usual one.
    pub(crate) network: Option<String>,
    /// `name:address` lines for `/etc/hosts` of the RUNs.
    pub(crate) extra_hosts: Vec<String>,
    /// Whether earlier results count.
    pub(crate) cache: Cache,
    /// Which base images are asked for at their registries.
    pub(crate) pull: Pull,
    /// Who builds.
    pub(crate) builder: Builder,
    /// What RUNs may read and no layer keeps.
    pub(crate) secrets: Vec<Secret>,
}

/// Whether results of earlier builds count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cache {
    /// They do.
    #[default]
    Use,
    /// Every step runs.
    Ignore,
}

/// Which base images are asked for at their registries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Pull {
    /// Those that the engine lacks.
    #[default]
    Missing,
    /// All of them.
    Always,
}

/// Which of the engine's builders builds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Builder {
    /// BuildKit where the engine has it.
    #[default]
    Automatic,
    /// The one before BuildKit.
    Classic,
}

/// A secret and its name in `RUN --mount=type=secret,id=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    /// The name.
    pub(crate) id: String,
    /// Where it comes from.
    pub(crate) source: SecretSource,
}

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// A file, absolute.
    File(String),
    /// The secret itself.
    Value(String),
}

/// The secret itself is never shown.
impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Value(_) => f.write_str("Value(…)"),
        }
    }
}

/// What a registry is shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The name; empty where the secret is a refresh token.
    pub(crate) user: String,
    /// The password or the token.
    pub(crate) secret: String,
}

/// The secret itself is never shown.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_printed_tells_no_secret() {
        let secret = Secret {
            id: "token".to_owned(),
            source: SecretSource::Value("hunter2".to_owned()),
        };
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
