//! What comes before a container: the command on the host, its image, and the plan of it.

use super::images::{Made, Site, plan as build_plan};
use super::reading::Reading;
use crate::devcontainer::container::{self, ContainerPlan, Purpose, Surroundings};
use crate::devcontainer::drift::{Fingerprint, LABEL as FINGERPRINT};
use crate::devcontainer::lifecycle::commands;
use crate::devcontainer::{metadata, uid};
use crate::engine::container::Volumes;
use crate::engine::image::Image;
use crate::engine::{Engine, EngineError};
use crate::hint::Hint;
use crate::host::program;
use crate::workspace;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// Why there is no container.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakingError {
    /// The command on the host failed.
    #[error("initializeCommand of `{file}` failed: `{}`{reason}", .command.escape_debug())]
    Initialize {
        /// The configuration.
        file: String,
        /// The command.
        command: String,
        /// How.
        reason: String,
    },
}

impl Hint for MakingError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Initialize { .. } => {
                Some("it runs on this machine, in the workspace folder".to_owned())
            }
        }
    }
}

/// Runs `initializeCommand` on the host.
pub(crate) fn initialize(reading: &Reading<'_>) -> anyhow::Result<()> {
    let value = reading.configuration.config.get("initializeCommand");
    let all = value.map(commands).unwrap_or_default();
    if all.is_empty() {
        return Ok(());
    }
    let terminal = reading.machine.terminal;
    terminal.say("Running initializeCommand on this machine");
    let argvs: Vec<Vec<String>> = all.iter().map(|command| command.argv.clone()).collect();
    let ended = program::run_all(&argvs, Path::new(reading.folder()));
    for (command, ended) in all.iter().zip(ended) {
        let reason = match ended {
            Ok(status) if status.success() => continue,
            Ok(status) => format!(" ({status})"),
            Err(error) => format!(" ({error})"),
        };
        return Err(MakingError::Initialize {
            file: reading.named.file.clone(),
            command: command.written.clone(),
            reason,
        }
        .into());
    }
    Ok(())
}

/// Sees to the image, and plans the container that is to be found by `labels`.
pub(crate) fn plan(
    reading: &Reading<'_>,
    mut labels: BTreeMap<String, String>,
    purpose: Purpose,
) -> anyhow::Result<ContainerPlan> {
    let host = reading.machine.host;
    let engine = reading.machine.engine()?;
    let site = Site::new(reading)?;
    let Made { name, label } = site.image(reading)?;
    let found = engine.image(&name)?.unwrap_or_default();
    let merged = reading.merge_on(&found, &name)?;
    let user = remote_user(&merged, &found, &reading.configuration.config);
    let image = match host.ids {
        Some(ids) if changes_ids(&merged, &user) && ids.0 != 0 => site.with_ids(
            reading.folder(),
            (&name, found.user.as_deref()),
            (&user, ids),
        )?,
        _ => name,
    };
    labels.extend(label.map(|label| (metadata::LABEL.to_owned(), label)));
    labels.insert(FINGERPRINT.to_owned(), fingerprint(reading)?.to_string());
    let mut files = BTreeMap::new();
    for file in container::wanted_files(&merged) {
        let text = workspace::read_text(&Path::new(reading.folder()).join(&file))?;
        files.insert(file, text);
    }
    let surroundings = Surroundings {
        image: &image,
        image_command: &found.command,
        labels: &labels,
        folder: reading.folder(),
        workspace: &reading.configuration.workspace,
        files: &files,
        environment: &host.environment,
        purpose,
    };
    let plan = container::plan(&merged, &surroundings)?;
    for remark in &plan.remarks {
        reading.machine.terminal.say(format!("warning: {remark}"));
    }
    Ok(plan)
}

/// Makes a container that is nobody's until it runs: `start` starts it.
pub(crate) fn begin<T>(
    reading: &Reading<'_>,
    plan: &ContainerPlan,
    start: impl FnOnce(&Engine, &str) -> Result<T, EngineError>,
) -> anyhow::Result<(String, T)> {
    let engine = reading.machine.engine()?;
    let id = match (engine.create(plan), plan.platform.as_deref()) {
        // Only the engine knows whether the image that it has is for that platform.
        (Err(error), Some(platform)) if error.is_absence() => {
            let image = plan.body["Image"].as_str().unwrap_or_default();
            Site::new(reading)?.pull(image, Some(platform))?;
            engine.create(plan)?
        }
        (created, _) => created?,
    };
    match start(engine, &id) {
        Ok(started) => Ok((id, started)),
        Err(error) => {
            engine.remove(&id, Volumes::Remove)?;
            Err(error.into())
        }
    }
}

/// Who works in the container.
fn remote_user(merged: &Map<String, Value>, image: &Image, config: &Map<String, Value>) -> String {
    let said = |name| {
        let user = merged.get(name).and_then(Value::as_str);
        user.filter(|user: &&str| !user.is_empty())
            .map(str::to_owned)
    };
    said("remoteUser")
        .or_else(|| container::user_of_run_args(config))
        .or_else(|| said("containerUser"))
        .or_else(|| image.user.clone())
        .unwrap_or_else(|| "root".to_owned())
}

fn changes_ids(merged: &Map<String, Value>, user: &str) -> bool {
    merged.get("updateRemoteUserUID") != Some(&Value::Bool(false)) && uid::applies(user)
}

/// What the container is made of now.
pub(crate) fn fingerprint(reading: &Reading<'_>) -> anyhow::Result<Fingerprint> {
    let config = &reading.configuration.config;
    let dockerfile = match build_plan(reading) {
        Ok(plan) if !plan.dockerfile.is_empty() => {
            Some(workspace::read_text(Path::new(&plan.dockerfile))?)
        }
        _ => None,
    };
    Ok(Fingerprint::of(config, dockerfile.as_deref()))
}
