//! The Docker engine: what is asked of it, and what it answers.

use crate::devcontainer::variable::Environment;
use crate::hint::Hint;
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use std::collections::{BTreeMap, HashMap};
use tokio::runtime::{Builder, Runtime};

/// Where the engine listens when `DOCKER_HOST` names no other place.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// How long an answer may take, in seconds.
const TIMEOUT: u64 = 30;

/// A connection to an engine.
#[derive(Debug)]
pub(crate) struct Engine {
    docker: Docker,
    runtime: Runtime,
    host: String,
}

/// What can go wrong with the engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// Nobody answers there.
    #[error("cannot reach Docker at `{host}`")]
    Unreachable {
        /// Where.
        host: String,
        /// What happened.
        source: bollard::errors::Error,
    },
    /// The engine refused.
    #[error("Docker could not {doing}")]
    Refused {
        /// What was asked.
        doing: &'static str,
        /// What it said.
        source: bollard::errors::Error,
    },
    /// No thread to talk from.
    #[error("cannot start to talk to Docker")]
    Runtime(#[from] std::io::Error),
}

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some("start Docker, or set `DOCKER_HOST`".to_owned()),
            Self::Refused { .. } | Self::Runtime(_) => None,
        }
    }
}

/// A container as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its id.
    pub(crate) id: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
}

/// A container as far as a configuration can refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The environment that its processes are given.
    pub(crate) environment: Environment,
}

impl Engine {
    /// A way to the engine that `environment` names by `DOCKER_HOST`, or to the local one.
    pub(crate) fn connect(environment: &Environment) -> Result<Self, EngineError> {
        let host = environment
            .get("DOCKER_HOST")
            .filter(|host| !host.is_empty());
        let host = host.map_or(DEFAULT_HOST, String::as_str);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let docker = if host.starts_with("unix://") {
            Docker::connect_with_unix(host, TIMEOUT, API_DEFAULT_VERSION)
        } else {
            Docker::connect_with_http(host, TIMEOUT, API_DEFAULT_VERSION)
        };
        let docker = docker.map_err(|source| EngineError::Unreachable {
            host: host.to_owned(),
            source,
        })?;
        Ok(Self {
            docker,
            runtime,
            host: host.to_owned(),
        })
    }

    /// The containers, running or not, that carry the label `name`, with `value` if one is given; those come first that were made last.
    pub(crate) fn labelled(
        &self,
        name: &str,
        value: Option<&str>,
    ) -> Result<Vec<Listed>, EngineError> {
        let label = match value {
            Some(value) => format!("{name}={value}"),
            None => name.to_owned(),
        };
        let filters = HashMap::from([("label".to_owned(), vec![label])]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        let listed = self
            .runtime
            .block_on(self.docker.list_containers(Some(options)));
        let listed = listed.map_err(|source| self.failed("list its containers", source))?;
        let listed = listed.into_iter().filter_map(|summary| {
            Some(Listed {
                id: summary.id?,
                labels: summary.labels.unwrap_or_default().into_iter().collect(),
            })
        });
        Ok(listed.collect())
    }

    /// The container `id`; `None` where it is gone, or being removed.
    pub(crate) fn container(&self, id: &str) -> Result<Option<Container>, EngineError> {
        let options = None::<InspectContainerOptions>;
        let inspected = self
            .runtime
            .block_on(self.docker.inspect_container(id, options));
        let inspected = match inspected {
            Ok(inspected) => inspected,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(source) => return Err(self.failed("inspect a container", source)),
        };
        let status = inspected.state.and_then(|state| state.status);
        if status.is_some_and(|status| status.to_string() == "removing") {
            return Ok(None);
        }
        let config = inspected.config.unwrap_or_default();
        Ok(Some(Container {
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            environment: environment(&config.env.unwrap_or_default()),
        }))
    }

    fn failed(&self, doing: &'static str, source: bollard::errors::Error) -> EngineError {
        if status(&source).is_some() {
            return EngineError::Refused { doing, source };
        }
        EngineError::Unreachable {
            host: self.host.clone(),
            source,
        }
    }
}

/// The status of an answer that is an error.
fn status(error: &bollard::errors::Error) -> Option<u16> {
    match error {
        bollard::errors::Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Engine {
    /// What the image says that the engine has under `name`; `None` where it has none.
    pub(crate) fn image(&self, name: &str) -> Result<Option<Image>, EngineError> {
        let found = self.runtime.block_on(self.docker.inspect_image(name));
        match found {
            Ok(image) => Ok(Some(Image {
                labels: image
                    .config
                    .and_then(|config| config.labels)
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
            })),
            // 400 is the answer to a name that no image could have.
            Err(error) if matches!(status(&error), Some(400 | 404)) => Ok(None),
            Err(source) => Err(self.failed("inspect an image", source)),
        }
    }
}

/// `NAME=value` lines as a map.
fn environment(lines: &[String]) -> Environment {
    let pairs = lines
        .iter()
        .map(|line| line.split_once('=').unwrap_or((line, "")));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
