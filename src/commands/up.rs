//! `scaffold up`

use super::hooks::Life;
use super::images::{Made, Site, plan as build_plan};
use super::inside::{Inside, Variables};
use super::reading::{Machine, Named, Reading, Scope, Unreadable};
use super::{Outcome, config};
use crate::devcontainer::container::{self, ContainerPlan, Surroundings};
use crate::devcontainer::drift::{Fingerprint, LABEL as FINGERPRINT};
use crate::devcontainer::lifecycle::{Hook, commands};
use crate::devcontainer::metadata::{self, Entry};
use crate::devcontainer::uid;
use crate::devcontainer::variable::devcontainer_id;
use crate::engine::container::Volumes;
use crate::engine::image::Image;
use crate::hint::{Hint, enumerate};
use crate::host::{Host, program};
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use crate::workspace::{self, lock::Lock};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Start the dev container of a project, and make it first where there is none
///
/// VS Code and the reference CLI find the container that this command starts, and this command finds theirs. A lifecycle command that
/// failed is run again by the next `up`, until it succeeds.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// A devcontainer.json, or the name of a folder in `.devcontainer` that has one
    #[arg(long, value_name = "FILE|NAME")]
    config: Option<PathBuf>,
    /// Remove the container that there is, and make it anew
    #[arg(long)]
    recreate: bool,
    /// Leave `postAttachCommand` to the tool that attaches
    #[arg(long)]
    skip_post_attach: bool,
    /// Leave what comes after `waitFor` to the next `up`
    #[arg(long)]
    skip_non_blocking_commands: bool,
    #[command(flatten)]
    variables: Variables,
}

/// Why a container is not up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpError {
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
    /// It ended as soon as it was started.
    #[error("the container ended as soon as it was started")]
    Ended,
}

impl Hint for UpError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Initialize { .. } => "it runs on this machine, in the workspace folder".to_owned(),
            Self::Ended => "`scaffold logs` shows what it printed; with `\"overrideCommand\": false` the image's own command must go on".to_owned(),
        })
    }
}

impl Up {
    /// Brings the container up and prints what it is.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let folder = workspace::absolute(&host.current_dir.join(&self.path));
        let file = config::find(&folder, self.config.as_deref(), host)?;
        let named = Named::read(&folder, &file, host)?;
        let id = devcontainer_id(&named.labels());
        let _lock = Lock::take(&host.environment, &id, || {
            terminal.say("Waiting for another scaffold that brings up the same container");
        })?;
        let machine = Machine::reach(terminal, host, Scope::Folder(&named.folder))?;
        let reading = named.configure(&machine)?;
        initialize(&reading, &named)?;
        let id = match &reading.container {
            Some(container) if !self.recreate => {
                if !container.is_running {
                    terminal.say("Starting the container");
                    machine.engine()?.start(&container.id)?;
                }
                let then = container.labels.get(FINGERPRINT).map(String::as_str);
                say_drift(terminal, then, &fingerprint(&reading)?);
                container.id.clone()
            }
            there => {
                if let Some(container) = there {
                    machine.engine()?.remove(&container.id, Volumes::Keep)?;
                }
                make(&reading.with_id()?, &named)?
            }
        };
        let up = self.live(terminal, host, &named)?;
        match terminal.format {
            Format::Json => terminal.print(json!({
                "schemaVersion": SCHEMA_VERSION,
                "outcome": "success",
                "containerId": id,
                "remoteUser": up.0,
                "remoteWorkspaceFolder": up.1,
            }))?,
            Format::Text => terminal.say(format!(
                "The dev container of `{}` is up; `scaffold shell` opens a shell in it",
                crate::hint::shown(Path::new(&named.folder))
            )),
        }
        Ok(Outcome::Success)
    }

    /// Runs what is due in the container that is there now; its user, and the workspace folder in it.
    fn live(
        &self,
        terminal: Terminal,
        host: &Host,
        named: &Named,
    ) -> anyhow::Result<(String, Option<String>)> {
        let machine = Machine::reach(terminal, host, Scope::Folder(&named.folder))?;
        let reading = named.configure(&machine)?;
        let whole = reading.merge(Unreadable::Fails)?;
        if reading
            .container
            .as_ref()
            .is_some_and(|container| !container.is_running)
        {
            return Err(UpError::Ended.into());
        }
        let given = self.variables.read(host)?;
        let (mut inside, folder) = Inside::new(&reading, &whole, given)?;
        let mut until = Some(if self.skip_post_attach {
            Hook::PostStart
        } else {
            Hook::PostAttach
        });
        if self.skip_non_blocking_commands {
            until = until.min(Hook::awaited(whole.merged.get("waitFor")));
        }
        let life = Life {
            inside: &mut inside,
            entries: &whole.entries,
            own: &Entry::of_file(&reading.configuration.config),
            until,
        };
        life.run()?;
        let user = inside.user().split(':').next();
        Ok((user.unwrap_or_default().to_owned(), folder))
    }
}

/// Runs `initializeCommand` on the host.
fn initialize(reading: &Reading<'_>, named: &Named) -> anyhow::Result<()> {
    let value = reading.configuration.config.get("initializeCommand");
    let all = value.map(commands).unwrap_or_default();
    if all.is_empty() {
        return Ok(());
    }
    reading
        .machine
        .terminal
        .say("Running initializeCommand on this machine");
    let argvs: Vec<Vec<String>> = all.iter().map(|command| command.argv.clone()).collect();
    let ended = program::run_all(&argvs, Path::new(&named.folder));
    for (command, ended) in all.iter().zip(ended) {
        let reason = match ended {
            Ok(status) if status.success() => continue,
            Ok(status) => format!(" ({status})"),
            Err(error) => format!(" ({error})"),
        };
        return Err(UpError::Initialize {
            file: named.file.clone(),
            command: command.written.clone(),
            reason,
        }
        .into());
    }
    Ok(())
}

/// Makes a container and starts it.
fn make(reading: &Reading<'_>, named: &Named) -> anyhow::Result<String> {
    let machine = reading.machine;
    let (terminal, host) = (machine.terminal, machine.host);
    let engine = machine.engine()?;
    let site = Site::new(reading)?;
    let Made { name, label } = site.image(reading)?;
    let found = engine.image(&name)?.unwrap_or_default();
    let merged = reading.merge_on(&found, &name)?;
    let user = remote_user(&merged, &found, &reading.configuration.config);
    let image = match host.ids {
        Some(ids) if changes_ids(&merged, &user) && ids.0 != 0 => {
            site.with_ids(&named.folder, (&name, found.user.as_deref()), (&user, ids))?
        }
        _ => name,
    };
    let mut labels = named.labels();
    labels.extend(label.map(|label| (metadata::LABEL.to_owned(), label)));
    labels.insert(FINGERPRINT.to_owned(), fingerprint(reading)?.to_string());
    let plan = plan(reading, &merged, (&image, &found), &labels)?;
    for remark in &plan.remarks {
        terminal.say(format!("warning: {remark}"));
    }
    terminal.say("Starting the container");
    let id = engine.create(&plan)?;
    if let Err(error) = engine.start(&id) {
        // What cannot be started is nobody's: the next `up` makes another.
        engine.remove(&id, Volumes::Remove)?;
        return Err(error.into());
    }
    Ok(id)
}

fn plan(
    reading: &Reading<'_>,
    merged: &Map<String, Value>,
    (name, image): (&str, &Image),
    labels: &BTreeMap<String, String>,
) -> anyhow::Result<ContainerPlan> {
    let host = reading.machine.host;
    let mut files = BTreeMap::new();
    for file in container::wanted_files(merged) {
        let text = workspace::read_text(&host.current_dir.join(&file))?;
        files.insert(file, text);
    }
    Ok(container::plan(
        merged,
        &Surroundings {
            image: name,
            image_command: &image.command,
            labels,
            workspace: &reading.configuration.workspace,
            files: &files,
            environment: &host.environment,
        },
    )?)
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
fn fingerprint(reading: &Reading<'_>) -> anyhow::Result<Fingerprint> {
    let config = &reading.configuration.config;
    let dockerfile = match build_plan(reading) {
        Ok(plan) if !plan.dockerfile.is_empty() => {
            Some(workspace::read_text(Path::new(&plan.dockerfile))?)
        }
        _ => None,
    };
    Ok(Fingerprint::of(config, dockerfile.as_deref()))
}

/// Says what has changed since the container was made.
fn say_drift(terminal: Terminal, then: Option<&str>, now: &Fingerprint) {
    let changed = then.map(|then| now.changed_since(then)).unwrap_or_default();
    if !changed.is_empty() {
        let changed = enumerate(changed.iter().map(String::as_str));
        terminal.say(format!(
            "warning: {changed} changed since the container was made; `scaffold up --recreate` makes it anew"
        ));
    }
}
