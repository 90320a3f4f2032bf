//! A [`BuildPlan`] → an image, by the engine's own builder: BuildKit, or the one before it where an engine has no other.
//!
//! The engine is asked over connections of the build's own. Over one goes the request, and comes what the builder tells ([`trace`], or
//! [`classic`]); over the other BuildKit asks for files, secrets and credentials ([`session`]), by gRPC ([`grpc`]), of which the messages are
//! few enough to be written out ([`wire`]). Files travel only where the builder has not seen them before ([`filesync`]).

mod archive;
mod classic;
mod context;
mod filesync;
mod grpc;
mod session;
mod trace;
mod wire;

use super::http::{self, HttpError, Sent, request, target};
use super::{Engine, hex, new_id};
use crate::devcontainer::build_failure::{self, Place};
use crate::devcontainer::build_plan::{BuildPlan, Builder, Cache, Login, Pull, SecretSource};
use crate::devcontainer::build_progress::Progress;
use crate::devcontainer::ignore_patterns::BadPattern;
use crate::hint::{Hint, shown};
use ::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use context::Unreadable;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use tokio::sync::{mpsc, oneshot};
use trace::Trace;

/// Whoever wants something built.
pub(crate) struct Caller<'a> {
    /// Is told what happens.
    pub(crate) on_progress: &'a mut dyn FnMut(&Progress),
    /// Knows what to show the registry of that name.
    pub(crate) credentials: &'a dyn Fn(&str) -> Option<Login>,
}

/// Something that happens while an image is built.
#[derive(Debug)]
enum Event {
    /// The builder told something.
    Told(Vec<u8>),
    /// The builder wants to log in to a registry.
    Credentials {
        registry: String,
        reply: oneshot::Sender<Option<Login>>,
    },
    /// The builder tells no more.
    End(Result<(), HttpError>),
}

/// How many events wait to be looked at.
const EVENTS: usize = 64;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// A step of the Dockerfile failed.
    #[error(transparent)]
    Step(Box<StepFailure>),
    /// The builder gave up for another reason.
    #[error("the engine could not build `{dockerfile}`")]
    Failed {
        /// The Dockerfile.
        dockerfile: String,
        /// What to do.
        hint: Option<&'static str>,
        /// What the builder said.
        source: Told,
    },
    /// A file cannot be read.
    #[error("the build cannot read what it needs")]
    Unreadable(#[from] Unreadable),
    /// `.dockerignore` holds what is no pattern.
    #[error("`{}` cannot be used", shown(file))]
    Ignore {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        source: BadPattern,
    },
    /// The builder before BuildKit keeps no secrets.
    #[error("this engine has no BuildKit, and without it there are no build secrets")]
    NoSecrets,
    /// A secret that is too long for the builder.
    #[error("the secret `{0}` is longer than 500 KiB")]
    LongSecret(String),
    /// The engine does not answer as it should.
    #[error("Docker could not build")]
    Engine(#[from] HttpError),
    /// It ended without an image and without an error.
    #[error("Docker ended the build of `{0}` without saying how")]
    NoImage(String),
}

impl Hint for BuildError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Step(failure) => failure.hint.map(str::to_owned),
            Self::Failed { hint, .. } => hint.map(str::to_owned),
            Self::Unreadable(_) => {
                Some("make it readable, or leave it out by a line in `.dockerignore`".to_owned())
            }
            Self::NoSecrets => {
                Some("unset `DOCKER_BUILDKIT`, or use Docker 18.09 or later".to_owned())
            }
            Self::Engine(HttpError::Broken(_)) => Some(
                "the engine ended, or the way to it broke: see that it runs, and build again; what was built stays in its cache".to_owned(),
            ),
            Self::Ignore { .. } | Self::LongSecret(_) | Self::Engine(_) | Self::NoImage(_) => None,
        }
    }
}

/// A step of a Dockerfile that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) struct StepFailure {
    /// The instruction, on one line.
    instruction: String,
    /// The Dockerfile.
    dockerfile: String,
    /// The line, from 1.
    line: usize,
    /// What its command ended with.
    exit_code: Option<i64>,
    hint: Option<&'static str>,
    /// The last lines of what it wrote, or what the builder says.
    source: Told,
}

/// How much of an instruction a message shows.
const SHOWN: usize = 100;

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instruction,
            dockerfile,
            line,
            ..
        } = self;
        let mut shown: String = instruction.chars().take(SHOWN).collect();
        if shown.len() < instruction.len() {
            shown.push('…');
        }
        write!(f, "`{shown}` failed")?;
        if let Some(code) = self.exit_code {
            write!(f, " with exit code {code}")?;
        }
        write!(f, " at {dockerfile}:{line}")
    }
}

/// What was said, line by line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub(crate) struct Told(Vec<String>);

/// What a builder tells, in either builder's words.
#[derive(Debug, Default, Deserialize)]
struct Line {
    stream: Option<String>,
    status: Option<String>,
    id: Option<String>,
    #[serde(rename = "progressDetail")]
    progress: Option<Moved>,
    error: Option<String>,
    aux: Option<Value>,
}

/// How far a layer is.
#[derive(Debug, Default, Deserialize)]
struct Moved {
    current: Option<u64>,
    total: Option<u64>,
}

/// What was heard of a step that failed.
struct Heard {
    name: String,
    message: String,
    output: Vec<String>,
    /// Its place, where the builder counts as the Dockerfile does.
    place: Option<Place>,
}

impl Engine {
    /// Builds, and says by which id the engine knows the image.
    pub(crate) fn build(&self, plan: &BuildPlan, caller: Caller<'_>) -> Result<String, BuildError> {
        check_secrets(plan)?;
        self.wait(async {
            let agreed = Agreed::with(&self.address.host).await?;
            // What copies nothing needs no session.
            let is_classic =
                plan.builder == Builder::Classic || plan.inline.is_some() || !agreed.has_buildkit;
            match is_classic {
                true if !plan.secrets.is_empty() => Err(BuildError::NoSecrets),
                true => agreed.build_classic(plan, caller).await,
                false => agreed.build_with_buildkit(plan, caller).await,
            }
        })
    }
}

/// An engine, and what is known of it.
struct Agreed<'a> {
    host: &'a str,
    /// The version of the API that both speak.
    version: String,
    has_buildkit: bool,
}

/// The last version of the API for which this was written, as a number.
const VERSION: (u32, u32) = (1, 53);

/// The version from which on the engine has BuildKit.
const BUILDKIT: (u32, u32) = (1, 39);

impl<'a> Agreed<'a> {
    /// Asks the engine for its version, and whether it has BuildKit: Docker has since API 1.39, where it builds for Linux; Podman, which has
    /// not, names an empty builder (Docker Engine API, "Ping").
    async fn with(host: &'a str) -> Result<Self, HttpError> {
        let request = request(Method::GET, "/_ping".to_owned(), Sent::Nothing);
        let answer = http::ask(host, request).await?;
        let header = |name: &str| answer.headers().get(name)?.to_str().ok();
        let version = header("api-version").and_then(|version| {
            let (major, minor) = version.split_once('.')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        let version = version.unwrap_or(BUILDKIT).min(VERSION);
        let is_windows = header("ostype").is_some_and(|system| system == "windows");
        let is_podman = header("libpod-api-version").is_some()
            || header("builder-version").is_some_and(str::is_empty);
        Ok(Self {
            host,
            version: format!("v{}.{}", version.0, version.1),
            has_buildkit: !is_windows && !is_podman && version >= BUILDKIT,
        })
    }

    async fn build_with_buildkit(
        &self,
        plan: &BuildPlan,
        caller: Caller<'_>,
    ) -> Result<String, BuildError> {
        let (events, inbox) = mpsc::channel(EVENTS);
        let (folder, file) = split(&plan.dockerfile);
        let fault = filesync::Fault::default();
        let session = session::Session {
            context: PathBuf::from(&plan.context),
            dockerfile: PathBuf::from(folder),
            secrets: plan.secrets.clone(),
            events: events.clone(),
            fault: fault.clone(),
        };
        let id = new_id();
        let opened = http::upgrade(self.host, self.session_request(&id, &plan.context)).await?;
        let serving = tokio::spawn(session::serve(opened, Arc::new(session)));
        let mut query = query(plan, file);
        query.push(("version", "2".to_owned()));
        query.push(("remote", "client-session".to_owned()));
        query.push(("session", id));
        query.push(("buildid", new_id()));
        let request = self.request("/build", &query, Sent::Nothing);
        tokio::spawn(listen(self.host.to_owned(), request, events));
        let ended = follow_buildkit(inbox, caller).await;
        serving.abort();
        let unreadable = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (unreadable, ended?) {
            (Some(unreadable), _) => Err(unreadable.into()),
            (None, Ended::Image(id)) => Ok(id),
            (None, Ended::Silently) => Err(BuildError::NoImage(plan.dockerfile.clone())),
            (None, Ended::Failed(heard)) => Err(failure(plan, heard)),
        }
    }

    /// A session is told by name, and by a key that is the same for every build of one context, by which the builder finds the files that
    /// it was sent before.
    fn session_request(&self, id: &str, context: &str) -> Request<Sent> {
        let mut request = self.request("/session", &[], Sent::Nothing);
        let headers = request.headers_mut();
        let mut add = |name: &'static str, value: &str| {
            if let Ok(value) = value.parse() {
                headers.append(name, value);
            }
        };
        add("connection", "Upgrade");
        add("upgrade", "h2c");
        add("x-docker-expose-session-uuid", id);
        add("x-docker-expose-session-name", "scaffold");
        add(
            "x-docker-expose-session-sharedkey",
            &hex(&Sha256::digest(format!("scaffold:{context}"))),
        );
        for method in session::METHODS {
            add("x-docker-expose-session-grpc-method", method);
        }
        request
    }

    /// A POST in the version of the API that was agreed.
    fn request(&self, path: &str, query: &[(&str, String)], sent: Sent) -> Request<Sent> {
        let path = format!("/{}{path}", self.version);
        request(Method::POST, target(&path, query), sent)
    }
}

/// What both builders are asked (Docker Engine API, "Build an image").
fn query(plan: &BuildPlan, dockerfile: &str) -> Vec<(&'static str, String)> {
    let json = |map: &BTreeMap<String, String>| serde_json::to_string(map).unwrap_or_default();
    let mut query = vec![
        ("dockerfile", dockerfile.to_owned()),
        ("rm", "1".to_owned()),
    ];
    query.extend(plan.tags.iter().map(|tag| ("t", tag.clone())));
    if !plan.args.is_empty() {
        query.push(("buildargs", json(&plan.args)));
    }
    if !plan.labels.is_empty() {
        query.push(("labels", json(&plan.labels)));
    }
    if !plan.cache_from.is_empty() {
        let images = serde_json::to_string(&plan.cache_from);
        query.push(("cachefrom", images.unwrap_or_default()));
    }
    let given = [
        ("target", &plan.target),
        ("platform", &plan.platform),
        ("networkmode", &plan.network),
    ];
    for (name, value) in given {
        query.extend(value.iter().map(|value| (name, value.clone())));
    }
    if !plan.extra_hosts.is_empty() {
        query.push(("extrahosts", plan.extra_hosts.join(",")));
    }
    if plan.cache == Cache::Ignore {
        query.push(("nocache", "1".to_owned()));
    }
    if plan.pull == Pull::Always {
        query.push(("pull", "1".to_owned()));
    }
    query
}

/// Sends a request, and passes on what is told, a line at a time.
async fn listen(host: String, request: Request<Sent>, events: mpsc::Sender<Event>) {
    let ended = match http::ask(&host, request).await {
        Ok(answer) => pass_on(answer.into_body(), &events).await,
        Err(error) => Err(error),
    };
    // Whoever has gone does not want to know.
    let _ = events.send(Event::End(ended)).await;
}

async fn pass_on(mut body: Incoming, events: &mpsc::Sender<Event>) -> Result<(), HttpError> {
    let mut begun = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        begun.extend_from_slice(&data);
        while let Some(end) = begun.iter().position(|byte| *byte == b'\n') {
            let rest = begun.split_off(end + 1);
            let line = std::mem::replace(&mut begun, rest);
            if events.send(Event::Told(line)).await.is_err() {
                return Ok(());
            }
        }
    }
    let _ = events.send(Event::Told(begun)).await;
    Ok(())
}

/// How a build ended.
enum Ended {
    Image(String),
    Failed(Heard),
    Silently,
}

/// Tells the caller what BuildKit tells, and asks them what it asks.
async fn follow_buildkit(
    mut inbox: mpsc::Receiver<Event>,
    caller: Caller<'_>,
) -> Result<Ended, HttpError> {
    let mut trace = Trace::default();
    let mut ended = Ended::Silently;
    while let Some(event) = inbox.recv().await {
        let told = match event {
            Event::Told(told) => told,
            Event::Credentials { registry, reply } => {
                // A builder that has gone needs no answer.
                let _ = reply.send((caller.credentials)(&registry));
                continue;
            }
            Event::End(Ok(())) => break,
            Event::End(Err(error)) => return Err(error),
        };
        let line: Line = serde_json::from_slice(&told).unwrap_or_default();
        match line.id.as_deref() {
            Some("moby.buildkit.trace") => {
                let encoded = line
                    .aux
                    .as_ref()
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let message = STANDARD.decode(encoded).unwrap_or_default();
                trace.read(&message, caller.on_progress);
            }
            Some("moby.image.id") => ended = image(line.aux.as_ref()).unwrap_or(ended),
            _ => {}
        }
        if let Some(message) = line.error {
            let failed = trace.failed();
            ended = Ended::Failed(Heard {
                name: failed.map(|step| step.name.clone()).unwrap_or_default(),
                output: failed
                    .map(|step| step.output.iter().cloned().collect())
                    .unwrap_or_default(),
                message,
                place: None,
            });
        }
    }
    Ok(ended)
}

fn image(aux: Option<&Value>) -> Option<Ended> {
    let id = aux?.get("ID")?.as_str()?;
    Some(Ended::Image(id.to_owned()))
}

/// What the failure means for the Dockerfile.
fn failure(plan: &BuildPlan, heard: Heard) -> BuildError {
    let dockerfile = plan.dockerfile.clone();
    let text = context::read(Path::new(&dockerfile)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let message = build_failure::plain(&heard.message).to_owned();
    let place = heard
        .place
        .or_else(|| build_failure::place(&text, &heard.name))
        .or_else(|| build_failure::named_place(&text, &message));
    let instruction = place.as_ref().map(|place| place.instruction.as_str());
    let hint = build_failure::hint(instruction.unwrap_or_default(), &message, &heard.output);
    let exit_code = build_failure::exit_code(&message);
    let mut told = heard.output;
    if told.is_empty() || exit_code.is_none() {
        told.push(message);
    }
    match place {
        Some(Place { line, instruction }) => BuildError::Step(Box::new(StepFailure {
            instruction,
            dockerfile,
            line,
            exit_code,
            hint,
            source: Told(told),
        })),
        None => BuildError::Failed {
            dockerfile,
            hint,
            source: Told(told),
        },
    }
}

/// The longest secret that BuildKit takes (its `session/secrets/secretsprovider`).
const LONGEST_SECRET: usize = 500 * 1024;

fn check_secrets(plan: &BuildPlan) -> Result<(), BuildError> {
    for secret in &plan.secrets {
        let length = match &secret.source {
            SecretSource::Value(value) => value.len(),
            SecretSource::File(path) => context::read(Path::new(path))?.len(),
        };
        if length > LONGEST_SECRET {
            return Err(BuildError::LongSecret(secret.id.clone()));
        }
    }
    Ok(())
}

/// The folder and the name of a file.
fn split(path: &str) -> (&str, &str) {
    match path.rsplit_once(['/', std::path::MAIN_SEPARATOR]) {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => (".", path),
    }
}
