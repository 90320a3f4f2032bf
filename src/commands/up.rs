//! `scaffold up`

use super::hooks::Life;
use super::inside::{Inside, Variables};
use super::making::{begin, fingerprint, initialize, plan};
use super::reading::{Machine, Named, Scope, Unreadable};
use super::{Outcome, config};
use crate::devcontainer::container::Purpose;
use crate::devcontainer::drift::{Fingerprint, LABEL as FINGERPRINT};
use crate::devcontainer::lifecycle::Hook;
use crate::devcontainer::metadata::Entry;
use crate::devcontainer::variable::devcontainer_id;
use crate::engine::Engine;
use crate::engine::container::Volumes;
use crate::hint::{Hint, enumerate};
use crate::host::Host;
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use crate::workspace::{self, lock::Lock};
use serde_json::json;
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
    /// It ended as soon as it was started.
    #[error("the container ended as soon as it was started")]
    Ended,
}

impl Hint for UpError {
    fn hint(&self) -> Option<String> {
        Some(match self {
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
        initialize(&reading)?;
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
                let labels = named.labels();
                let reading = reading.with_id(&labels)?;
                let plan = plan(&reading, labels, Purpose::Work)?;
                terminal.say("Starting the container");
                begin(&reading, &plan, Engine::start)?.0
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
