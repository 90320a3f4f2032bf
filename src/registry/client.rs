//! Requests: over TLS, through proxies, with what a registry wants to know of us.

use super::RegistryError;
use super::authorization::{Challenge, Credential, Token, credential};
use crate::devcontainer::feature::{File, archive};
use crate::devcontainer::variable::Environment;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a whole answer may take.
const ANSWER: Duration = Duration::from_secs(120);

/// How many bytes an answer may have; a Feature is some scripts.
const MOST: u64 = 256 << 20;

/// What a server is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    /// The address.
    pub(super) url: &'a str,
    /// The media types that are understood.
    pub(super) accept: &'a str,
    /// The registry that may ask who we are; another server is told nothing.
    pub(super) registry: Option<&'a str>,
}

/// The scheme that a registry speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// A way to servers, which remembers what they asked for.
#[derive(Debug)]
pub(super) struct Client<'a> {
    agent: Agent,
    environment: &'a Environment,
    /// The header that a registry took last, by its name.
    authorizations: Mutex<BTreeMap<String, String>>,
    /// What a registry is known to speak, by its name.
    schemes: Mutex<BTreeMap<String, Scheme>>,
}

/// An answer, with the address that it was asked for.
pub(super) struct Answer {
    /// The address.
    pub(super) url: String,
    body: Vec<u8>,
}

impl Answer {
    /// Its digest.
    pub(super) fn digest(&self) -> String {
        let hash = Sha256::digest(&self.body);
        let mut digest = "sha256:".to_owned();
        for byte in hash {
            let _ = write!(digest, "{byte:02x}");
        }
        digest
    }

    /// The answer, if its digest is the one that is expected.
    pub(super) fn verified(self, expected: Option<&str>) -> Result<Self, RegistryError> {
        let found = self.digest();
        match expected {
            Some(expected) if expected != found => Err(RegistryError::Digest {
                url: self.url,
                expected: expected.to_owned(),
                found,
            }),
            _ => Ok(self),
        }
    }

    /// Its JSON.
    pub(super) fn json(&self) -> Result<Value, RegistryError> {
        serde_json::from_slice(&self.body).map_err(|error| RegistryError::Malformed {
            url: self.url.clone(),
            reason: error.to_string(),
        })
    }

    /// The Feature's file in an archive.
    pub(super) fn metadata(&self) -> Result<File, RegistryError> {
        let none = || io::Error::other("it has no such file");
        let file = archive::metadata(&self.body).and_then(|file| file.ok_or_else(none));
        file.map_err(|source| RegistryError::Archive {
            url: self.url.clone(),
            source,
        })
    }
}

impl<'a> Client<'a> {
    /// A way that takes proxies, certificates and credentials from `environment` and the docker client's configuration.
    pub(super) fn new(environment: &'a Environment) -> Self {
        let tls = ureq::tls::TlsConfig::builder()
            .root_certs(ureq::tls::RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .user_agent(concat!("scaffold/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            environment,
            authorizations: Mutex::default(),
            schemes: Mutex::default(),
        }
    }

    /// Asks a registry; one on this machine may speak HTTP alone, as docker takes it.
    pub(super) fn ask(
        &self,
        registry: &str,
        path: &str,
        accept: &str,
    ) -> Result<Answer, RegistryError> {
        let host = match registry {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        let get = |scheme: &str| {
            self.get(Request {
                url: &format!("{scheme}://{host}{path}"),
                accept,
                registry: Some(registry),
            })
        };
        let known = locked(&self.schemes).get(registry).copied();
        let is_unreachable =
            |answer: &Result<_, _>| matches!(answer, Err(RegistryError::Unreachable { .. }));
        if known == Some(Scheme::Http) {
            return get("http");
        }
        let answer = get("https");
        if !is_unreachable(&answer) {
            locked(&self.schemes).insert(registry.to_owned(), Scheme::Https);
            return answer;
        }
        if known.is_some() || !is_loopback(registry) {
            return answer;
        }
        let plain = get("http");
        if is_unreachable(&plain) {
            return answer;
        }
        locked(&self.schemes).insert(registry.to_owned(), Scheme::Http);
        plain
    }

    /// Gets what an address has, and says who we are where that is asked for.
    pub(super) fn get(&self, request: Request<'_>) -> Result<Answer, RegistryError> {
        let url = request.url;
        let known = request
            .registry
            .and_then(|registry| locked(&self.authorizations).get(registry).cloned());
        let mut response = self.call(request, known.as_deref())?;
        if let Some((registry, authorization)) = self.authorize(request, &response)? {
            response = self.call(request, Some(&authorization))?;
            if response.status() != 401 {
                locked(&self.authorizations).insert(registry.to_owned(), authorization);
            }
        }
        let status = response.status().as_u16();
        let body = body(url, &mut response)?;
        if status > 299 {
            return Err(RegistryError::Refused {
                url: url.to_owned(),
                registry: request.registry.map(str::to_owned),
                status,
                reason: reason(&body),
            });
        }
        Ok(Answer {
            url: url.to_owned(),
            body,
        })
    }

    fn call(
        &self,
        request: Request<'_>,
        authorization: Option<&str>,
    ) -> Result<Response<Body>, RegistryError> {
        let mut call = self.agent.get(request.url).header("accept", request.accept);
        if let Some(authorization) = authorization {
            call = call.header("authorization", authorization);
        }
        call.call()
            .map_err(|source| unreachable(request.url, source))
    }

    /// The registry that asks who we are, and the header that tells it; `None` where nobody asks, or there is nothing to say.
    fn authorize<'r>(
        &self,
        request: Request<'r>,
        response: &Response<Body>,
    ) -> Result<Option<(&'r str, String)>, RegistryError> {
        let is_asked = [401, 403].contains(&response.status().as_u16());
        let Some(registry) = request.registry.filter(|_| is_asked) else {
            return Ok(None);
        };
        let header = response.headers().get("www-authenticate");
        let header = header.and_then(|header| header.to_str().ok());
        let credential = || credential(registry, self.environment);
        let authorization = match header.and_then(Challenge::parse) {
            None => None,
            Some(Challenge::Basic) => credential().and_then(|credential| credential.basic()),
            Some(Challenge::Bearer(token)) => self.token(&token, credential().as_ref())?,
        };
        Ok(authorization.map(|authorization| (registry, authorization)))
    }

    /// The header with the token that another server gives.
    fn token(
        &self,
        asked: &Token,
        credential: Option<&Credential>,
    ) -> Result<Option<String>, RegistryError> {
        let realm = asked.realm.as_str();
        let anonymous = || self.agent.get(realm).query_pairs(asked.query());
        let answer = match credential {
            None => anonymous().call(),
            Some(credential) => match (credential.refresh_token(), credential.basic()) {
                (Some(token), _) => self.agent.post(realm).send_form(asked.refresh(token)),
                (None, Some(basic)) => anonymous().header("authorization", basic).call(),
                (None, None) => anonymous().call(),
            },
        };
        let mut answer = answer.map_err(|source| unreachable(realm, source))?;
        if credential.is_some() && !answer.status().is_success() {
            // What is public stays so for one whose password is old.
            let again = anonymous().call();
            answer = again.map_err(|source| unreachable(realm, source))?;
        }
        let answer: Option<Value> = serde_json::from_slice(&body(realm, &mut answer)?).ok();
        let token = answer.as_ref().and_then(|answer| {
            let token = answer.get("token").or_else(|| answer.get("access_token"));
            token.and_then(Value::as_str)
        });
        Ok(token.map(|token| format!("Bearer {token}")))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn body(url: &str, response: &mut Response<Body>) -> Result<Vec<u8>, RegistryError> {
    let body = response.body_mut().with_config().limit(MOST).read_to_vec();
    body.map_err(|source| unreachable(url, source))
}

fn unreachable(url: &str, source: ureq::Error) -> RegistryError {
    RegistryError::Unreachable {
        url: url.to_owned(),
        source: Box::new(source),
    }
}

/// What a registry says of an error (OCI distribution specification, "Error codes").
fn reason(body: &[u8]) -> String {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let said = answer.as_ref().and_then(|answer| {
        let first = answer.pointer("/errors/0")?;
        let message = first.get("message").and_then(Value::as_str);
        let message = message.filter(|message| !message.is_empty());
        message.or_else(|| first.get("code").and_then(Value::as_str))
    });
    said.map_or(String::new(), |said| format!(": {}", said.escape_debug()))
}

fn is_loopback(registry: &str) -> bool {
    let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}
