//! The images that dev containers are made of: built, or pulled.

use super::build::BuildRefusal;
use super::reading::Reading;
use crate::devcontainer::build_config::{self, Base, image_name};
use crate::devcontainer::build_plan::BuildPlan;
use crate::devcontainer::container;
use crate::devcontainer::metadata::LABEL;
use crate::devcontainer::uid;
use crate::engine::Engine;
use crate::engine::build::Caller;
use crate::hint::enumerate;
use crate::host::Host;
use crate::registry;
use crate::terminal::build::{Display, Paper};
use crate::terminal::{Terminal, Verbosity};
use crate::workspace;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// An engine, and who asks it for an image.
pub(crate) struct Site<'a> {
    engine: &'a Engine,
    terminal: Terminal,
    host: &'a Host,
}

/// An image that a container can be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// Its name.
    pub(crate) name: String,
    /// The metadata that the container is to carry, where the image does not.
    pub(crate) label: Option<String>,
}

impl<'a> Site<'a> {
    /// The engine of the machine that the configuration was read on.
    pub(crate) fn new(reading: &Reading<'a>) -> anyhow::Result<Self> {
        let machine = reading.machine;
        Ok(Self {
            engine: machine.engine()?,
            terminal: machine.terminal,
            host: machine.host,
        })
    }

    /// The image of a configuration: built, or pulled where the engine does not have it.
    pub(crate) fn image(&self, reading: &Reading<'_>) -> anyhow::Result<Made> {
        let mut plan = plan(reading)?;
        if let Base::Image(name) = reading.base() {
            let platform = container::platform_of_run_args(&reading.configuration.config);
            if self.engine.image(&name)?.is_none() {
                self.pull(&name, platform.as_deref())?;
            }
            let image = self.engine.image(&name)?.unwrap_or_default();
            return Ok(Made {
                label: Some(reading.label(Some(&image))?),
                name,
            });
        }
        add_proxies(&mut plan, self.host, self.engine.host())?;
        let name = image_name(reading.folder());
        plan.tags.insert(0, name.clone());
        self.labelled(plan, reading)?;
        Ok(Made { name, label: None })
    }

    /// Pulls an image.
    pub(crate) fn pull(&self, name: &str, platform: Option<&str>) -> anyhow::Result<()> {
        self.terminal.say(format!("Pulling `{name}`"));
        let login = registry::login(&registry::host(name), &self.host.environment);
        let terminal = self.terminal;
        self.engine
            .pull(name, platform, login, &mut |said| terminal.detail(said))?;
        Ok(())
    }

    /// Pushes an image to the registry that its name says.
    pub(crate) fn push(&self, name: &str) -> anyhow::Result<()> {
        self.terminal.say(format!("Pushing `{name}`"));
        let login = registry::login(&registry::host(name), &self.host.environment);
        let terminal = self.terminal;
        self.engine
            .push(name, login, &mut |said| terminal.detail(said))?;
        Ok(())
    }

    /// The image in which `user` has the ids of the person on the host.
    pub(crate) fn with_ids(
        &self,
        folder: &str,
        (image, image_user): (&str, Option<&str>),
        (user, (uid, gid)): (&str, (u32, u32)),
    ) -> anyhow::Result<String> {
        let name = format!("{}-uid", image_name(folder));
        let args = [
            ("BASE", image.to_owned()),
            ("REMOTE_USER", user.to_owned()),
            ("NEW_UID", uid.to_string()),
            ("NEW_GID", gid.to_string()),
            ("IMAGE_USER", image_user.unwrap_or("root").to_owned()),
        ];
        let plan = BuildPlan {
            inline: Some(uid::dockerfile().to_owned()),
            args: args
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            tags: vec![name.clone()],
            ..BuildPlan::default()
        };
        self.terminal.say(format!(
            "Giving `{user}` the ids of the person on this machine"
        ));
        // It is seconds of work that nobody asked for in so many words.
        let verbosity = match self.terminal.verbosity {
            Verbosity::Verbose => Verbosity::Verbose,
            Verbosity::Normal | Verbosity::Quiet => Verbosity::Quiet,
        };
        let site = Site {
            engine: self.engine,
            terminal: Terminal {
                verbosity,
                ..self.terminal
            },
            host: self.host,
        };
        site.build(&plan)?;
        Ok(name)
    }

    /// Builds the image with the label that tells what the image below it and the file say.
    pub(crate) fn labelled(
        &self,
        mut plan: BuildPlan,
        reading: &Reading<'_>,
    ) -> anyhow::Result<()> {
        let label = match reading.label(None) {
            Ok(label) => label,
            // An image that only the engine can get is known by what is built on it.
            Err(error) => {
                self.terminal
                    .detail(format!("{error}, so that the engine is asked"));
                let tags = std::mem::take(&mut plan.tags);
                let id = self.build(&plan)?;
                plan.tags = tags;
                let image = self.engine.image(&id)?;
                reading.label(Some(&image.unwrap_or_default()))?
            }
        };
        plan.labels.insert(LABEL.to_owned(), label);
        self.build(&plan)?;
        Ok(())
    }

    fn build(&self, plan: &BuildPlan) -> anyhow::Result<String> {
        let paper = if self.host.can_redraw {
            Paper::Redraws
        } else {
            Paper::Stays
        };
        let mut display = Display::new(self.terminal, paper);
        let environment = &self.host.environment;
        let built = self.engine.build(
            plan,
            Caller {
                on_progress: &mut |progress| display.show(progress),
                credentials: &|registry| registry::login(registry, environment),
            },
        );
        display.finish();
        Ok(built?)
    }
}

/// What the file says of the build.
pub(crate) fn plan(reading: &Reading<'_>) -> Result<BuildPlan, BuildRefusal> {
    let named = reading.named;
    let terminal = reading.machine.terminal;
    let config = &reading.configuration.config;
    let features = config.get("features").and_then(Value::as_object);
    if features.is_some_and(|features| !features.is_empty()) {
        return Err(BuildRefusal::Features(named.file.clone()));
    }
    match reading.base() {
        Base::Compose => Err(BuildRefusal::Compose(named.file.clone())),
        Base::None => Err(BuildRefusal::Nothing(named.file.clone())),
        Base::Image(image) => Ok(BuildPlan {
            inline: Some(format!("FROM {image}\n")),
            ..BuildPlan::default()
        }),
        Base::Dockerfile(plan, unknown) => {
            if !unknown.is_empty() {
                let unknown = enumerate(unknown.iter().map(String::as_str));
                terminal.say(format!(
                    "warning: `build.options` has {unknown}, which the engine's API has no word for: passed over"
                ));
            }
            Ok(*plan)
        }
    }
}

/// What the docker client would give to every RUN.
pub(crate) fn add_proxies(plan: &mut BuildPlan, host: &Host, engine: &str) -> anyhow::Result<()> {
    let folder = match host.environment.get("DOCKER_CONFIG") {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => host
            .environment
            .get("HOME")
            .map(|home| Path::new(home).join(".docker")),
    };
    let file = folder.map(|folder| folder.join("config.json"));
    if let Some(file) = file.filter(|file| workspace::is_file(file)) {
        let text = workspace::read_text(&file)?;
        let client = serde_json::from_str(&text).unwrap_or_default();
        build_config::add_proxies(plan, &client, engine);
    }
    Ok(())
}
