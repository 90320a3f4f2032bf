//! `scaffold build`

use super::Outcome;
use super::reading::{Machine, Named, Reading, Scope, engine};
use crate::devcontainer::build_config::{self, Base, image_name};
use crate::devcontainer::build_plan::{BuildPlan, Builder, Cache, Pull, Secret, SecretSource};
use crate::devcontainer::metadata::LABEL;
use crate::engine::Engine;
use crate::engine::build::Caller;
use crate::hint::{Hint, enumerate};
use crate::host::Host;
use crate::registry;
use crate::terminal::build::{Display, Paper};
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use crate::workspace::{self, WorkspaceError, find};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Build the image of a dev container
#[derive(Debug, clap::Args)]
pub(crate) struct Build {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The devcontainer.json, or the name of its folder in `.devcontainer`
    #[arg(long, value_name = "FILE|NAME")]
    config: Option<PathBuf>,
    /// Name the image; more than one name may be given
    #[arg(long, short, value_name = "NAME")]
    tag: Vec<String>,
    /// Build for this platform: `linux/arm64`
    #[arg(long)]
    platform: Option<String>,
    /// Give RUN a secret that no layer keeps: `id=ID,src=FILE` or `id=ID,env=NAME`
    #[arg(long, value_name = "id=ID,src=FILE|env=NAME")]
    secret: Vec<String>,
    /// Run every step, whatever earlier builds left
    #[arg(long)]
    no_cache: bool,
    /// Ask the registries for newer base images
    #[arg(long)]
    pull: bool,
    /// Give an ARG a value, over that of devcontainer.json; without a value, that of the environment
    #[arg(long = "build-arg", value_name = "NAME[=VALUE]")]
    arg: Vec<String>,
    /// Take over layers of an image that says how it was built
    #[arg(long, value_name = "IMAGE")]
    cache_from: Vec<String>,
}

/// Why a configuration is not built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildRefusal {
    /// Features.
    #[error("`{0}` has Features, which this version does not build")]
    Features(String),
    /// Compose.
    #[error("`{0}` is a service of Compose, which this version does not build")]
    Compose(String),
    /// Nothing to build.
    #[error("`{0}` names neither `image` nor `build`")]
    Nothing(String),
    /// A secret that was named in another way.
    #[error("`--secret {0}` names no secret")]
    Secret(String),
    /// A secret of a variable that is not set.
    #[error("the secret `{id}` is to come from `{variable}`, which is not set")]
    Unset {
        /// The secret.
        id: String,
        /// The variable.
        variable: String,
    },
}

impl Hint for BuildRefusal {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Features(_) => "until it does, `devcontainer build --workspace-folder DIR` does; or install in the Dockerfile what the Features install".to_owned(),
            Self::Compose(_) => "until it does, `docker compose build SERVICE` does".to_owned(),
            Self::Nothing(_) => "begin with `\"image\": \"…\"` or `\"build\": { \"dockerfile\": \"…\" }`".to_owned(),
            Self::Secret(_) => "write `--secret id=ID,src=FILE` or `--secret id=ID,env=NAME`".to_owned(),
            Self::Unset { variable, .. } => format!("export `{variable}`, or name a file: `src=FILE`"),
        })
    }
}

/// An engine, and who asks it.
struct Site<'a> {
    engine: Engine,
    terminal: Terminal,
    host: &'a Host,
}

impl Build {
    /// Builds the image and prints its name.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let folder = workspace::absolute(&host.current_dir.join(&self.path));
        let file = self.find(&folder, host)?;
        let named = Named::read(&folder, &file, host)?;
        let machine = Machine::look(terminal, host, Scope::Folder(&named.folder));
        let reading = named.configure(&machine)?;
        let mut plan = plan(&reading, &named, terminal)?;
        self.add_to(&mut plan, host)?;
        let site = Site {
            engine: engine(host)?,
            terminal,
            host,
        };
        add_proxies(&mut plan, host, site.engine.host())?;
        // What this program does not build is refused by now, and what it does is tagged.
        if plan.tags.is_empty() {
            let suffix = if plan.dockerfile.is_empty() {
                "-features"
            } else {
                ""
            };
            plan.tags = vec![image_name(&named.folder) + suffix];
        }
        site.labelled(plan.clone(), &reading)?;
        match terminal.format {
            Format::Json => terminal.print(json!({
                "schemaVersion": SCHEMA_VERSION,
                "outcome": "success",
                "imageName": plan.tags,
            }))?,
            Format::Text => terminal.print(plan.tags.join("\n"))?,
        }
        Ok(Outcome::Success)
    }

    fn find(&self, folder: &Path, host: &Host) -> anyhow::Result<PathBuf> {
        let Some(named) = &self.config else {
            let found = find::configuration(folder)?;
            return found.ok_or_else(|| WorkspaceError::NoConfiguration(folder.to_owned()).into());
        };
        let mut of_folder = find::named_configurations(folder)?.into_iter();
        if let Some((_, path)) = of_folder.find(|(name, _)| Path::new(name) == named) {
            return Ok(path);
        }
        Ok(workspace::absolute(&host.current_dir.join(named)))
    }

    /// What was typed goes over what the file says.
    fn add_to(&self, plan: &mut BuildPlan, host: &Host) -> Result<(), BuildRefusal> {
        plan.tags.extend(self.tag.iter().cloned());
        plan.cache_from.extend(self.cache_from.iter().cloned());
        if self.platform.is_some() {
            plan.platform.clone_from(&self.platform);
        }
        if self.no_cache {
            plan.cache = Cache::Ignore;
        }
        if self.pull {
            plan.pull = Pull::Always;
        }
        for given in &self.arg {
            let (name, value) = match given.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (
                    given.as_str(),
                    host.environment.get(given).map(String::as_str),
                ),
            };
            let value = value.map(|value| (name.to_owned(), value.to_owned()));
            plan.args.extend(value);
        }
        // The docker client's own switch.
        if host
            .environment
            .get("DOCKER_BUILDKIT")
            .is_some_and(|value| value == "0")
        {
            plan.builder = Builder::Classic;
        }
        for given in &self.secret {
            plan.secrets.push(secret(given, host)?);
        }
        Ok(())
    }
}

impl Site<'_> {
    /// Builds the image with the label that tells what the image below it and the file say.
    fn labelled(&self, mut plan: BuildPlan, reading: &Reading<'_>) -> anyhow::Result<()> {
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
fn plan(
    reading: &Reading<'_>,
    named: &Named,
    terminal: Terminal,
) -> Result<BuildPlan, BuildRefusal> {
    let config = &reading.configuration.config;
    let features = config.get("features").and_then(Value::as_object);
    if features.is_some_and(|features| !features.is_empty()) {
        return Err(BuildRefusal::Features(named.file.clone()));
    }
    match reading.base() {
        Base::Compose => Err(BuildRefusal::Compose(named.file.clone())),
        Base::None => Err(BuildRefusal::Nothing(named.file.clone())),
        Base::Image(image) => Ok(BuildPlan {
            image: Some(image),
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

/// `id=ID,src=FILE` or `id=ID,env=NAME`; like the docker client's, the id alone means the variable or the file of that name.
fn secret(given: &str, host: &Host) -> Result<Secret, BuildRefusal> {
    let bad = || BuildRefusal::Secret(given.to_owned());
    let (mut id, mut file, mut variable) = (None, None, None);
    for part in given.split(',') {
        match part.split_once('=') {
            Some(("id", value)) => id = Some(value),
            Some(("src" | "source", value)) => file = Some(value),
            Some(("env", value)) => variable = Some(value),
            Some(("type", "file" | "env")) => {}
            _ => return Err(bad()),
        }
    }
    let id = id.filter(|id| !id.is_empty()).ok_or_else(bad)?.to_owned();
    let is_set = || host.environment.contains_key(&id);
    let source = match (file, variable) {
        (Some(_), Some(_)) => return Err(bad()),
        (Some(file), None) => of_file(file, host),
        (None, None) if !is_set() => of_file(&id, host),
        (None, variable) => {
            let variable = variable.unwrap_or(&id);
            let value = host.environment.get(variable);
            let value = value.ok_or_else(|| BuildRefusal::Unset {
                id: id.clone(),
                variable: variable.to_owned(),
            })?;
            SecretSource::Value(value.clone())
        }
    };
    Ok(Secret { id, source })
}

fn of_file(file: &str, host: &Host) -> SecretSource {
    let path = workspace::absolute(&host.current_dir.join(file));
    SecretSource::File(path.to_string_lossy().into_owned())
}

/// What the docker client would give to every RUN.
fn add_proxies(plan: &mut BuildPlan, host: &Host, engine: &str) -> anyhow::Result<()> {
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
