//! The Docker engine: what is asked of it, and what it answers.

pub(crate) mod address;
pub(crate) mod build;
pub(crate) mod container;
pub(crate) mod exec;
mod http;
pub(crate) mod image;
pub(crate) mod signals;

use crate::hint::Hint;
use address::{Address, Origin};
use bollard::{API_DEFAULT_VERSION, Docker};
use sha2::{Digest, Sha256};
use signals::Signal;
use std::fmt::Write as _;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use tokio::runtime::{Builder, Runtime};

/// How long an answer may take, in seconds.
const TIMEOUT: u64 = 120;

/// A connection to an engine.
#[derive(Debug)]
pub(crate) struct Engine {
    docker: Docker,
    runtime: Runtime,
    address: Address,
}

/// What can go wrong with the engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody answers there.
    #[error("cannot reach Docker at `{}`", .address.host)]
    Unreachable {
        /// Where.
        address: Address,
        /// What happened.
        source: bollard::errors::Error,
    },
    /// Nobody was asked, for nobody answered before.
    #[error("no engine answers")]
    None,
    /// A scheme that is not spoken.
    #[error("`{0}` is no address of an engine that can be reached from here")]
    Scheme(String),
    /// A context that is not there.
    #[error("the docker client has no context `{0}`")]
    NoContext(String),
    /// The engine refused.
    #[error("Docker could not {doing}")]
    Refused {
        /// What was asked.
        doing: &'static str,
        /// What it said.
        source: bollard::errors::Error,
    },
    /// The person did not want to wait for a command's end.
    #[error("left by {0} while a command went on in the container")]
    Left(Signal),
    /// It has never heard of what it is asked for, and would leave it aside.
    #[error("{what} needs an engine with version 1.{needs} of Docker's API; this one has 1.{has}")]
    TooOld {
        /// What is asked for.
        what: String,
        /// The version that knows it.
        needs: u32,
        /// The engine's.
        has: u32,
    },
    /// No thread to talk from.
    #[error("cannot start to talk to Docker")]
    Runtime(#[from] std::io::Error),
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { address, .. } => match &address.origin {
                Origin::Variable => {
                    "`DOCKER_HOST` names it: start the engine there, or unset the variable"
                        .to_owned()
                }
                Origin::Context(name) => format!(
                    "the context `{name}` names it: start the engine there, or choose another by `docker context use`"
                ),
                Origin::Usual => {
                    "start Docker, or name the engine by `DOCKER_HOST`; if it runs, see that you may use its socket"
                        .to_owned()
                }
            },
            Self::Scheme(_) => "name a socket: `unix:///…` or `tcp://HOST:PORT`".to_owned(),
            Self::NoContext(_) => "`docker context ls` lists them".to_owned(),
            Self::Refused { source, .. } if wants_login(source) => {
                "`docker login REGISTRY` notes who you are for the registry of the image; its list of credentials, or the program that keeps them, is read here too".to_owned()
            }
            Self::TooOld { .. } => "update Docker, or do without it".to_owned(),
            Self::None | Self::Refused { .. } | Self::Left(_) | Self::Runtime(_) => return None,
        })
    }
}

impl EngineError {
    /// Whether the engine does not have what it was asked about.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(self, Self::Refused { source, .. } if status(source) == Some(404))
    }
}

impl Engine {
    /// A way to the engine at `address`; whether somebody answers is seen by the first question.
    pub(crate) fn connect(address: Address) -> Result<Self, EngineError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let host = address.host.as_str();
        let docker = if host.starts_with("unix://") {
            Docker::connect_with_unix(host, TIMEOUT, API_DEFAULT_VERSION)
        } else if host.starts_with("tcp://") || host.starts_with("http://") {
            Docker::connect_with_http(host, TIMEOUT, API_DEFAULT_VERSION)
        } else {
            return Err(EngineError::Scheme(address.host));
        };
        match docker {
            Ok(docker) => Ok(Self {
                docker,
                runtime,
                address,
            }),
            Err(source) => Err(EngineError::Unreachable { address, source }),
        }
    }

    /// Its address, as the docker client writes it.
    pub(crate) fn host(&self) -> &str {
        &self.address.host
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn failed(&self, doing: &'static str, source: bollard::errors::Error) -> EngineError {
        let is_answer = matches!(source, bollard::errors::Error::DockerStreamError { .. });
        if is_answer || status(&source).is_some() {
            return EngineError::Refused { doing, source };
        }
        EngineError::Unreachable {
            address: self.address.clone(),
            source,
        }
    }
}

/// Whether a registry wants to know who asks, in the words in which engines tell of it.
fn wants_login(error: &bollard::errors::Error) -> bool {
    let words = [
        "unauthorized",
        "authentication required",
        "no basic auth",
        "denied",
    ];
    let said = error.to_string().to_lowercase();
    words.iter().any(|word| said.contains(word))
}

/// The status of an answer that is an error.
fn status(error: &bollard::errors::Error) -> Option<u16> {
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// An id that nothing else has: 32 digits of 16.
pub(crate) fn new_id() -> String {
    let mut digest = Sha256::new();
    for _ in 0..4 {
        // Every state is begun with numbers of its own from the system's source of randomness.
        digest.update(RandomState::new().build_hasher().finish().to_le_bytes());
    }
    hex(&digest.finalize())[..32].to_owned()
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
