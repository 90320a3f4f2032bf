//! Containers: found, looked at, stopped, removed.

use super::http::{self, HttpError, Sent};
use super::{Engine, EngineError, TIMEOUT, status};
use crate::devcontainer::container::{ContainerPlan, Need};
use crate::devcontainer::variable::Environment;
use ::http::{Method, Request, Response};
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    AttachContainerOptions, InspectContainerOptions, ListContainersOptionsBuilder, LogsOptions,
    RemoveContainerOptions, RemoveVolumeOptions, StartContainerOptions, StopContainerOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::timeout;

/// What an engine says of a container that it has made.
#[derive(Debug, Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

/// A container as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its id.
    pub(crate) id: String,
    /// Its name, without the slash.
    pub(crate) name: String,
    /// The name of its image.
    pub(crate) image: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// `running`, `exited` and the like.
    pub(crate) state: String,
    /// The state for a person: `Up 3 minutes`.
    pub(crate) status: String,
}

/// A container as far as a configuration can refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its id.
    pub(crate) id: String,
    /// Whether it runs.
    pub(crate) is_running: bool,
    /// When it was made, in the engine's words.
    pub(crate) created: String,
    /// When it was started last, in the engine's words.
    pub(crate) started: String,
    /// Who runs its processes, where its image or its maker names somebody.
    pub(crate) user: Option<String>,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The environment that its processes are given.
    pub(crate) environment: Environment,
}

/// A stream of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// What it prints.
    Out,
    /// What it complains of.
    Err,
}

/// What is to be seen of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogPlan {
    /// Only so many of the last lines.
    pub(crate) tail: Option<u32>,
    /// Whether to wait for more.
    pub(crate) until: Until,
}

/// What a container is tied to this program by.
pub(crate) struct Tether(
    #[expect(dead_code, reason = "it is held, not used")] AttachContainerResults,
);

/// How long a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// To what there is now.
    Now,
    /// To the container's end.
    TheEnd,
}

/// What came of removing a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone.
    Done,
    /// A container uses it.
    InUse,
}

/// What becomes of the volumes that only a removed container used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Volumes {
    /// They stay.
    Keep,
    /// Those without a name go with it.
    Remove,
}

impl Engine {
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
        let listed = self.wait(self.docker.list_containers(Some(options)));
        let listed = listed.map_err(|source| self.failed("list its containers", source))?;
        let listed = listed.into_iter().filter_map(|summary| {
            let names = summary.names.unwrap_or_default();
            let name = names.first().map(|name| name.trim_start_matches('/'));
            Some(Listed {
                id: summary.id?,
                name: name.unwrap_or_default().to_owned(),
                image: summary.image.unwrap_or_default(),
                labels: summary.labels.unwrap_or_default().into_iter().collect(),
                state: summary
                    .state
                    .map(|state| state.to_string())
                    .unwrap_or_default(),
                status: summary.status.unwrap_or_default(),
            })
        });
        Ok(listed.collect())
    }

    /// Makes a container, which does not run yet, and returns its id. The engine is asked in the plan's own words, so that nothing of it
    /// is lost.
    pub(crate) fn create(&self, plan: &ContainerPlan) -> Result<String, EngineError> {
        let query = [("name", &plan.name), ("platform", &plan.platform)];
        let query = query
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)));
        let target = http::target("/containers/create", &query.collect::<Vec<_>>());
        let body = Sent::Json(plan.body.to_string().into());
        let request = http::request(Method::POST, target, body);
        self.wait(async {
            self.meet(&plan.needs).await?;
            let doing = "make the container";
            let created = self.answer(request, doing).await?;
            let created = created.into_body().collect().await;
            let created = created.map_err(|error| self.broken(doing, error.into()))?;
            let created = serde_json::from_slice::<Created>(&created.to_bytes());
            Ok(created
                .map_err(|error| self.failed(doing, error.into()))?
                .id)
        })
    }

    /// Whether the engine knows all that is needed.
    async fn meet(&self, needs: &[Need]) -> Result<(), EngineError> {
        let Some(need) = needs.iter().max_by_key(|need| need.minor) else {
            return Ok(());
        };
        let request = http::request(Method::GET, "/_ping".to_owned(), Sent::Nothing);
        let answer = self.answer(request, "say what it is").await?;
        let version = answer.headers().get("api-version");
        let version =
            version.and_then(|version| version.to_str().ok()?.strip_prefix("1.")?.parse().ok());
        match version {
            Some(has) if has < need.minor => Err(EngineError::TooOld {
                what: need.what.clone(),
                needs: need.minor,
                has,
            }),
            _ => Ok(()),
        }
    }

    /// What the engine answers to a request, within its time.
    async fn answer(
        &self,
        request: Request<Sent>,
        doing: &'static str,
    ) -> Result<Response<Incoming>, EngineError> {
        let answer = http::ask(&self.address.host, request);
        match timeout(Duration::from_secs(TIMEOUT), answer).await {
            Ok(answer) => answer.map_err(|error| self.broken(doing, error)),
            Err(_) => Err(self.failed(doing, bollard::errors::Error::RequestTimeoutError)),
        }
    }

    fn broken(&self, doing: &'static str, error: HttpError) -> EngineError {
        let source = match error {
            HttpError::Refused { status, message } => {
                bollard::errors::Error::DockerResponseServerError {
                    status_code: status,
                    message,
                }
            }
            HttpError::Dial(error) => error.into(),
            HttpError::Broken(error) => error.into(),
        };
        self.failed(doing, source)
    }

    /// Starts a container; one that runs is started.
    pub(crate) fn start(&self, id: &str) -> Result<(), EngineError> {
        let options = None::<StartContainerOptions>;
        let started = self.wait(self.docker.start_container(id, options));
        self.unless("start the container", started, &[304])
    }

    /// Ties a container that does not run yet to this program: its first process, which reads, meets the end of what it reads when the
    /// tether is dropped, or this program ends in whatever way.
    pub(crate) fn tether(&self, id: &str) -> Result<Tether, EngineError> {
        let options = AttachContainerOptions {
            stdin: true,
            stream: true,
            ..AttachContainerOptions::default()
        };
        let attached = self.wait(self.docker.attach_container(id, Some(options)));
        let attached = attached.map_err(|source| self.failed("attach to the container", source))?;
        Ok(Tether(attached))
    }

    /// The container `id`; `None` where it is gone, or being removed.
    pub(crate) fn container(&self, id: &str) -> Result<Option<Container>, EngineError> {
        let Some(inspected) = self.inspect(id)? else {
            return Ok(None);
        };
        let config = inspected.config.unwrap_or_default();
        let state = inspected.state.unwrap_or_default();
        Ok(Some(Container {
            id: id.to_owned(),
            is_running: state.running == Some(true),
            created: inspected.created.unwrap_or_default(),
            started: state.started_at.unwrap_or_default(),
            user: config.user.filter(|user| !user.is_empty()),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            environment: environment(&config.env.unwrap_or_default()),
        }))
    }

    fn inspect(&self, id: &str) -> Result<Option<ContainerInspectResponse>, EngineError> {
        let options = None::<InspectContainerOptions>;
        let inspected = match self.wait(self.docker.inspect_container(id, options)) {
            Ok(inspected) => inspected,
            Err(error) if status(&error) == Some(404) => return Ok(None),
            Err(source) => return Err(self.failed("inspect a container", source)),
        };
        let state = inspected.state.as_ref().and_then(|state| state.status);
        let is_going = state.is_some_and(|state| state.to_string() == "removing");
        Ok((!is_going).then_some(inspected))
    }

    /// Stops a container, which gets `seconds` to end by itself; one that does not run, or is gone, is stopped.
    pub(crate) fn stop(&self, id: &str, seconds: Option<i32>) -> Result<(), EngineError> {
        let options = StopContainerOptions {
            t: seconds,
            ..StopContainerOptions::default()
        };
        let stopped = self.wait(self.docker.stop_container(id, Some(options)));
        self.unless("stop a container", stopped, &[304, 404])
    }

    /// Removes a container, running or not; one that is gone is removed.
    pub(crate) fn remove(&self, id: &str, volumes: Volumes) -> Result<(), EngineError> {
        let options = RemoveContainerOptions {
            v: volumes == Volumes::Remove,
            force: true,
            ..RemoveContainerOptions::default()
        };
        let removed = self.wait(self.docker.remove_container(id, Some(options)));
        // 409 says that another has begun to remove it.
        self.unless("remove a container", removed, &[404, 409])
    }

    /// Waits until a container is gone: one that is removed at its end may be on its way already.
    pub(crate) fn await_removal(&self, id: &str) -> Result<(), EngineError> {
        let options = WaitContainerOptions {
            condition: "removed".to_owned(),
        };
        let mut waiting = self.docker.wait_container(id, Some(options));
        match self.wait(waiting.next()) {
            // How it ended is no failure of this.
            Some(Err(bollard::errors::Error::DockerContainerWaitError { .. })) | None => Ok(()),
            Some(ended) => self.unless("remove a container", ended.map(drop), &[404]),
        }
    }

    /// The named volumes that a container uses.
    pub(crate) fn volumes_of(&self, id: &str) -> Result<Vec<String>, EngineError> {
        let mounts = self.inspect(id)?.and_then(|inspected| inspected.mounts);
        let volumes = mounts.unwrap_or_default().into_iter().filter_map(|mount| {
            let is_volume = mount.typ.as_deref() == Some("volume");
            // A volume that nobody named is called by 64 digits.
            let is_named =
                |name: &String| name.len() != 64 || !name.chars().all(|c| c.is_ascii_hexdigit());
            mount.name.filter(|name| is_volume && is_named(name))
        });
        Ok(volumes.collect())
    }

    /// Removes a volume, unless a container still uses it.
    pub(crate) fn remove_volume(&self, name: &str) -> Result<Removal, EngineError> {
        let options = None::<RemoveVolumeOptions>;
        match self.wait(self.docker.remove_volume(name, options)) {
            Err(error) if status(&error) == Some(409) => Ok(Removal::InUse),
            Err(error) if status(&error) == Some(404) => Ok(Removal::Done),
            Err(source) => Err(self.failed("remove a volume", source)),
            Ok(()) => Ok(Removal::Done),
        }
    }

    /// Hands on what a container's first process printed, until `each` says that it is enough.
    pub(crate) fn logs(
        &self,
        id: &str,
        plan: &LogPlan,
        each: &mut dyn FnMut(Stream, &[u8]) -> std::ops::ControlFlow<()>,
    ) -> Result<(), EngineError> {
        let options = LogsOptions {
            follow: plan.until == Until::TheEnd,
            stdout: true,
            stderr: true,
            tail: plan
                .tail
                .map_or("all".to_owned(), |lines| lines.to_string()),
            ..LogsOptions::default()
        };
        let mut parts = self.docker.logs(id, Some(options));
        while let Some(part) = self.wait(parts.next()) {
            let part = part.map_err(|source| self.failed("read a container's log", source))?;
            let stream = match part {
                LogOutput::StdErr { .. } => Stream::Err,
                _ => Stream::Out,
            };
            if each(stream, &part.into_bytes()).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The result, where the statuses that mean that it is done already are no errors.
    fn unless(
        &self,
        doing: &'static str,
        result: Result<(), bollard::errors::Error>,
        done: &[u16],
    ) -> Result<(), EngineError> {
        match result {
            Err(error) if status(&error).is_some_and(|status| done.contains(&status)) => Ok(()),
            result => result.map_err(|source| self.failed(doing, source)),
        }
    }
}

impl Listed {
    /// Whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.state == "running"
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
