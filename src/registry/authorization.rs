//! What a registry asks of us, and what we have to show
//! (distribution's documentation, "Token Authentication Specification"; docker's, "docker login").

use crate::devcontainer::build_plan::Login;
use crate::devcontainer::variable::Environment;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::DockerCredential;

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token that another server gives.
    Bearer(Token),
}

/// A token, as a registry asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// The address of the server that gives it.
    pub(super) realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads the header `WWW-Authenticate` (RFC 9110, section 11.6.1).
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let value = |name: &str| {
            let start = rest.find(&format!("{name}=\""))? + name.len() + 2;
            rest[start..].split('"').next().map(str::to_owned)
        };
        Some(Self::Bearer(Token {
            realm: value("realm")?,
            service: value("service"),
            scope: value("scope"),
        }))
    }
}

impl Token {
    /// What is asked of the server that gives it.
    pub(super) fn query(&self) -> Vec<(&str, &str)> {
        let pairs = [("service", &self.service), ("scope", &self.scope)].into_iter();
        pairs
            .filter_map(|(name, value)| Some((name, value.as_deref()?)))
            .collect()
    }

    /// The same for one who has a refresh token.
    pub(super) fn refresh<'a>(&'a self, token: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut form = self.query();
        form.extend([
            ("client_id", "scaffold"),
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
        ]);
        form
    }
}

/// What we have to show.
#[derive(Debug)]
pub(super) struct Credential(DockerCredential);

impl Credential {
    /// The header of a name and a password.
    pub(super) fn basic(&self) -> Option<String> {
        match &self.0 {
            DockerCredential::UsernamePassword(user, password) => {
                let encoded = STANDARD.encode(format!("{user}:{password}"));
                Some(format!("Basic {encoded}"))
            }
            DockerCredential::IdentityToken(_) => None,
        }
    }

    /// The token of one who has no password.
    pub(super) fn refresh_token(&self) -> Option<&str> {
        match &self.0 {
            DockerCredential::IdentityToken(token) => Some(token),
            DockerCredential::UsernamePassword(..) => None,
        }
    }
}

/// What we have for a registry: from `DEVCONTAINERS_OCI_AUTH` (`registry|user|token`, several with commas), from the docker client's
/// configuration and its helpers, or, for GitHub's, from `GITHUB_TOKEN`.
pub(super) fn credential(registry: &str, environment: &Environment) -> Option<Credential> {
    let password = |user: &str, password: &str| {
        DockerCredential::UsernamePassword(user.to_owned(), password.to_owned())
    };
    let listed = environment.get("DEVCONTAINERS_OCI_AUTH");
    let listed = listed.and_then(|list| {
        let mut entries = list.split(',').map(|entry| {
            let mut parts = entry.split('|');
            (parts.next(), parts.next(), parts.next())
        });
        let (_, user, token) = entries.find(|(name, ..)| *name == Some(registry))?;
        Some(password(user?, token?))
    });
    let of_docker = || {
        let server = match registry {
            "docker.io" => "https://index.docker.io/v1/",
            server => server,
        };
        docker_credential::get_credential(server).ok()
    };
    let of_github = || {
        let is_github = environment
            .get("GITHUB_HOST")
            .is_none_or(|host| host.is_empty() || host == "github.com");
        let token = environment.get("GITHUB_TOKEN");
        let token = token.filter(|token| registry == "ghcr.io" && is_github && !token.is_empty());
        token.map(|token| password("USERNAME", token))
    };
    listed.or_else(of_docker).or_else(of_github).map(Credential)
}

impl Credential {
    /// What another is told who logs in for us.
    pub(super) fn login(self) -> Login {
        match self.0 {
            DockerCredential::UsernamePassword(user, secret) => Login { user, secret },
            DockerCredential::IdentityToken(secret) => Login {
                user: String::new(),
                secret,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_taken_apart() {
        let header =
            "Bearer realm=\"https://a.test/token\",service=\"a.test\",scope=\"repository:x:pull\"";
        let Some(Challenge::Bearer(token)) = Challenge::parse(header) else {
            panic!("{header}");
        };
        assert_eq!(token.realm, "https://a.test/token");
        assert_eq!(
            token.query(),
            [("service", "a.test"), ("scope", "repository:x:pull")]
        );
        assert_eq!(token.refresh("t").last(), Some(&("refresh_token", "t")));
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        assert_eq!(Challenge::parse("Bearer service=\"x\""), None);
        assert_eq!(Challenge::parse("Negotiate"), None);
    }

    #[test]
    fn the_list_of_the_environment_names_registries() {
        let list = "a.test|me|secret,b.test|you|other";
        let environment =
            Environment::from([("DEVCONTAINERS_OCI_AUTH".to_owned(), list.to_owned())]);
        let found = credential("b.test", &environment).unwrap();
        assert_eq!(found.basic().as_deref(), Some("Basic eW91Om90aGVy"));
        assert_eq!(found.refresh_token(), None);
    }
}
