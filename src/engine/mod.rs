//! The Docker engine: what is asked of it, and what it answers.

use crate::devcontainer::variable::Environment;
use crate::hint::Hint;
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptions, ListContainersOptionsBuilder,
};
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

/// A container as far as a configuration can refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The environment that its processes are given.
    pub(crate) environment: Environment,
}

impl Engine {
    /// The engine that `environment` names by `DOCKER_HOST`, or the local one.
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
        let unreachable = |source| EngineError::Unreachable {
            host: host.to_owned(),
            source,
        };
        let docker = docker.map_err(unreachable)?;
        let docker = runtime
            .block_on(docker.negotiate_version())
            .map_err(unreachable)?;
        Ok(Self { docker, runtime })
    }

    /// The first container, running or not, that carries all of `labels`; one that is being removed does not count.
    pub(crate) fn find(
        &self,
        labels: &BTreeMap<String, String>,
    ) -> Result<Option<Container>, EngineError> {
        let wanted = labels.iter().map(|(name, value)| format!("{name}={value}"));
        let filters = HashMap::from([("label".to_owned(), wanted.collect::<Vec<_>>())]);
        let options = ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        self.runtime.block_on(self.first(options))
    }

    async fn first(
        &self,
        options: ListContainersOptions,
    ) -> Result<Option<Container>, EngineError> {
        let listed = self.docker.list_containers(Some(options)).await;
        let listed = listed.map_err(|source| EngineError::Refused {
            doing: "list its containers",
            source,
        })?;
        for id in listed.into_iter().filter_map(|summary| summary.id) {
            let container = self.inspect(&id).await?;
            if container.is_some() {
                return Ok(container);
            }
        }
        Ok(None)
    }

    /// The container, unless it is being removed.
    async fn inspect(&self, id: &str) -> Result<Option<Container>, EngineError> {
        let options = None::<InspectContainerOptions>;
        let inspected = self.docker.inspect_container(id, options).await;
        let inspected = inspected.map_err(|source| EngineError::Refused {
            doing: "inspect a container",
            source,
        })?;
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
            Err(bollard::errors::Error::DockerResponseServerError {
                status_code: 400 | 404,
                ..
            }) => Ok(None),
            Err(source) => Err(EngineError::Refused {
                doing: "inspect an image",
                source,
            }),
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
