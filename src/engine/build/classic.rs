//! The builder before BuildKit: it is sent the whole context, as an archive, and tells of its steps in lines.

use super::archive::{self, Extra};
use super::context::{self, Selection, Unreadable};
use super::trace::line;
use super::{Agreed, BuildError, Caller, Ended, Event, Heard, Line, listen, new_id};
use crate::devcontainer::build_failure::{base_images, instruction};
use crate::devcontainer::build_plan::{BuildPlan, Login};
use crate::devcontainer::build_progress::{Progress, StepOutcome};
use crate::devcontainer::ignore_patterns::{Patterns, clean, lines};
use crate::engine::http::{HttpError, Sent};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::HeaderValue;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;
use tokio::sync::mpsc;

/// How many parts of the archive wait to be sent.
const WAITING: usize = 8;

/// How many lines of a step's output are kept for the case that it fails.
const KEPT: usize = 20;

/// What the builder is sent.
struct Package {
    /// Whether the folder goes too; an image and a few labels need none.
    root: Option<String>,
    selection: Selection,
    extras: Vec<Extra>,
    /// The Dockerfile's name in the archive.
    dockerfile: String,
    text: String,
}

impl Agreed<'_> {
    pub(super) async fn build_classic(
        &self,
        plan: &BuildPlan,
        caller: Caller<'_>,
    ) -> Result<String, BuildError> {
        let package = package(plan)?;
        let mut query = super::query(plan, &package.dockerfile);
        query.push(("forcerm", "1".to_owned()));
        let (parts, body) = mpsc::channel(WAITING);
        let mut request = self.request("/build", &query, Sent::Parts(body));
        let headers = request.headers_mut();
        headers.insert(
            "content-type",
            HeaderValue::from_static("application/x-tar"),
        );
        if let Some(logins) = logins(&package.text, caller.credentials) {
            headers.insert("x-registry-config", logins);
        }
        let text = package.text.clone();
        let (events, inbox) = mpsc::channel(super::EVENTS);
        let writing = tokio::task::spawn_blocking(move || {
            let root = package.root.as_deref().map(Path::new);
            archive::write(root, &package.selection, &package.extras, parts)
        });
        tokio::spawn(listen(self.host.to_owned(), request, events));
        let ended = follow(inbox, caller, &text).await;
        // A part of the context that is missing makes the builder fail later than what makes it so.
        if let Ok(Err(unreadable)) = writing.await {
            return Err(unreadable.into());
        }
        match ended? {
            Ended::Image(id) => Ok(id),
            Ended::Silently => Err(BuildError::NoImage(plan.dockerfile.clone())),
            Ended::Failed(heard) => Err(super::failure(plan, heard)),
        }
    }
}

/// Decides what is sent. The Dockerfile and `.dockerignore` always are, since the builder reads them, and a Dockerfile that lies elsewhere goes
/// under a name that no COPY finds.
fn package(plan: &BuildPlan) -> Result<Package, BuildError> {
    if let Some(text) = &plan.inline {
        let text = text.clone();
        return Ok(Package {
            root: None,
            selection: Selection::default(),
            extras: vec![Extra {
                name: "Dockerfile".to_owned(),
                bytes: text.clone().into_bytes(),
            }],
            dockerfile: "Dockerfile".to_owned(),
            text,
        });
    }
    let bytes = context::read(Path::new(&plan.dockerfile))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let file = Path::new(&plan.context).join(IGNORE);
    let ignored = match context::read(&file) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
        Err(unreadable) => return Err(unreadable.into()),
    };
    let mut patterns = lines(ignored.as_deref().unwrap_or_default());
    let folder = clean(&plan.context);
    let inside = clean(&plan.dockerfile);
    let inside = inside.strip_prefix(&format!("{}/", folder.trim_end_matches('/')));
    let (dockerfile, extras) = if let Some(inside) = inside {
        patterns.extend([format!("!{inside}"), format!("!{IGNORE}")]);
        (inside.to_owned(), Vec::new())
    } else {
        let name = format!(".dockerfile.{}", new_id());
        let ignored = ignored.unwrap_or_else(|| IGNORE.to_owned());
        let extra = |name: &str, bytes| Extra {
            name: name.to_owned(),
            bytes,
        };
        let ignored = format!("{ignored}\n{name}\n").into_bytes();
        let extras = vec![extra(&name, bytes), extra(IGNORE, ignored)];
        (name, extras)
    };
    let exclude = Patterns::parse(patterns.iter().map(String::as_str))
        .map_err(|source| BuildError::Ignore { file, source })?;
    Ok(Package {
        root: Some(plan.context.clone()),
        selection: Selection {
            exclude,
            ..Selection::default()
        },
        extras,
        dockerfile,
        text,
    })
}

/// The file that names what is left out.
const IGNORE: &str = ".dockerignore";

/// Credentials for the registries of the base images, as the header `X-Registry-Config` has them.
fn logins(dockerfile: &str, credentials: &dyn Fn(&str) -> Option<Login>) -> Option<HeaderValue> {
    let mut logins = Map::new();
    for image in base_images(dockerfile) {
        let first = image.split_once('/').map_or("", |(first, _)| first);
        let is_host = first.contains(['.', ':']) || first == "localhost";
        let registry = if is_host { first } else { "docker.io" };
        let name = if is_host {
            first
        } else {
            "https://index.docker.io/v1/"
        };
        if logins.contains_key(name) {
            continue;
        }
        let Some(Login { user, secret }) = credentials(registry) else {
            continue;
        };
        let login = if user.is_empty() {
            json!({ "identitytoken": secret, "serveraddress": name })
        } else {
            json!({ "username": user, "password": secret, "serveraddress": name })
        };
        logins.insert(name.to_owned(), login);
    }
    if logins.is_empty() {
        return None;
    }
    let mut value =
        HeaderValue::from_str(&URL_SAFE.encode(Value::from(logins).to_string())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What was heard of the steps.
#[derive(Default)]
struct Steps {
    /// How many have begun.
    number: usize,
    name: String,
    began: Option<Instant>,
    outcome: Option<StepOutcome>,
    output: VecDeque<String>,
}

/// Tells the caller what the builder tells.
async fn follow(
    mut inbox: mpsc::Receiver<Event>,
    caller: Caller<'_>,
    dockerfile: &str,
) -> Result<Ended, HttpError> {
    let mut steps = Steps::default();
    let mut ended = Ended::Silently;
    while let Some(event) = inbox.recv().await {
        let told = match event {
            Event::Told(told) => told,
            // This builder was given what it may want.
            Event::Credentials { .. } => continue,
            Event::End(Ok(())) => break,
            Event::End(Err(error)) => return Err(error),
        };
        let told: Line = serde_json::from_slice(&told).unwrap_or_default();
        if let Some(image) = super::image(told.aux.as_ref()) {
            ended = image;
        }
        if let Some(message) = &told.error {
            steps.end(StepOutcome::Failed(message.clone()), caller.on_progress);
            ended = Ended::Failed(steps.heard(message, dockerfile));
        }
        steps.read(told, caller.on_progress);
    }
    if let Ended::Image(_) = ended {
        steps.end(StepOutcome::Done, caller.on_progress);
    }
    Ok(ended)
}

impl Steps {
    fn read(&mut self, told: Line, tell: &mut dyn FnMut(&Progress)) {
        if let (Some(name), Some(moved)) = (told.id, told.progress)
            && let Some(current) = moved.current
        {
            tell(&Progress::Moved {
                step: self.number,
                name: told.status.unwrap_or_default() + " " + &name,
                current,
                total: moved.total.unwrap_or_default(),
            });
        }
        let Some(stream) = told.stream else {
            return;
        };
        if let Some((count, does)) = step(&stream) {
            self.end(StepOutcome::Done, tell);
            self.number += 1;
            self.name = format!("[{count}] {does}");
            self.began = Some(Instant::now());
            self.output.clear();
            tell(&Progress::Started {
                step: self.number,
                name: self.name.clone(),
            });
        } else if stream.trim() == "---> Using cache" {
            self.outcome = Some(StepOutcome::Cached);
        } else if !is_about_layers(&stream) && self.began.is_some() {
            self.log(&stream, tell);
        }
    }

    fn log(&mut self, stream: &str, tell: &mut dyn FnMut(&Progress)) {
        // What was written to stderr is red.
        let written = stream.replace("\x1b[91m", "").replace("\x1b[0m", "");
        let written = written.trim_end_matches('\n');
        if written.is_empty() {
            return;
        }
        let lines: Vec<String> = written
            .split('\n')
            .map(|text| line(text.as_bytes()))
            .collect();
        for line in &lines {
            if self.output.len() == KEPT {
                self.output.pop_front();
            }
            self.output.push_back(line.clone());
        }
        tell(&Progress::Log {
            step: self.number,
            lines,
        });
    }

    /// Ends the step that runs, if one does.
    fn end(&mut self, outcome: StepOutcome, tell: &mut dyn FnMut(&Progress)) {
        let Some(began) = self.began.take() else {
            return;
        };
        tell(&Progress::Completed {
            step: self.number,
            name: self.name.clone(),
            outcome: self.outcome.take().unwrap_or(outcome),
            milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }

    fn heard(&self, message: &str, dockerfile: &str) -> Heard {
        Heard {
            name: self.name.clone(),
            message: message.to_owned(),
            output: self.output.iter().cloned().collect(),
            place: self
                .number
                .checked_sub(1)
                .and_then(|index| instruction(dockerfile, index)),
        }
    }
}

/// `Step 2/4 : RUN make` → `2/4` and `RUN make`.
fn step(stream: &str) -> Option<(&str, &str)> {
    let (count, does) = stream.strip_prefix("Step ")?.split_once(" : ")?;
    Some((count, does.trim_end()))
}

/// What this builder says of its own containers and images.
fn is_about_layers(stream: &str) -> bool {
    let stream = stream.trim();
    stream.is_empty()
        || [
            "---> ",
            "Removing intermediate container ",
            "Removed intermediate container ",
            "Successfully built ",
            "Successfully tagged ",
        ]
        .iter()
        .any(|start| stream.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_builder_are_steps() {
        let mut steps = Steps::default();
        let mut told = Vec::new();
        for stream in [
            "Step 1/3 : FROM x\n",
            " ---> 0123456789ab\n",
            "Step 2/3 : RUN a\n",
            " ---> Using cache\n",
            " ---> 0123456789ab\n",
            "Step 3/3 : RUN b\n",
            " ---> Running in 0123456789ab\n",
            "out\n",
        ] {
            let line = Line {
                stream: Some(stream.to_owned()),
                ..Line::default()
            };
            steps.read(line, &mut |progress| {
                told.push(match progress {
                    Progress::Started { name, .. } => name.clone(),
                    Progress::Completed { outcome, .. } => format!("{outcome:?}"),
                    Progress::Log { lines, .. } => lines.join("\n"),
                    other => format!("{other:?}"),
                });
            });
        }
        let expected = [
            "[1/3] FROM x",
            "Done",
            "[2/3] RUN a",
            "Cached",
            "[3/3] RUN b",
            "out",
        ];
        assert_eq!(told, expected);
        let place = steps
            .heard("no", "# c\nFROM x\n\nRUN a\nRUN b\n")
            .place
            .unwrap();
        assert_eq!((place.line, place.instruction.as_str()), (5, "RUN b"));
    }

    #[test]
    fn only_registries_of_base_images_see_credentials() {
        let asked = std::cell::RefCell::new(Vec::new());
        let credentials = |registry: &str| {
            asked.borrow_mut().push(registry.to_owned());
            (registry == "a.test:5000").then(|| Login {
                user: "me".to_owned(),
                secret: "pass".to_owned(),
            })
        };
        let dockerfile = "FROM a.test:5000/x AS base\nFROM python\nFROM base\n";
        let header = logins(dockerfile, &credentials).unwrap();
        assert_eq!(*asked.borrow(), ["a.test:5000", "docker.io"]);
        let decoded = URL_SAFE.decode(header.as_bytes()).unwrap();
        let decoded: Value = serde_json::from_slice(&decoded).unwrap();
        assert_eq!(decoded["a.test:5000"]["password"], "pass");
        assert!(!format!("{header:?}").contains(header.to_str().unwrap()));
    }
}
