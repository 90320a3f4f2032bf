//! `scaffold build`

use super::images::{Site, add_proxies, plan};
use super::reading::{Machine, Named, Scope};
use super::{Outcome, config};
use crate::devcontainer::build_config::image_name;
use crate::devcontainer::build_plan::{BuildPlan, Builder, Cache, Pull, Secret, SecretSource};
use crate::hint::Hint;
use crate::host::Host;
use crate::terminal::report::SCHEMA_VERSION;
use crate::terminal::{Format, Terminal};
use crate::workspace;
use serde_json::json;
use std::path::PathBuf;

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
    /// Push the image to the registry of each of its names
    #[arg(long, requires = "tag")]
    push: bool,
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

impl Build {
    /// Builds the image and prints its name.
    pub(crate) fn run(self, terminal: Terminal, host: &Host) -> anyhow::Result<Outcome> {
        let folder = workspace::absolute(&host.current_dir.join(&self.path));
        let file = config::find(&folder, self.config.as_deref(), host)?;
        let named = Named::read(&folder, &file, host)?;
        let machine = Machine::reach(terminal, host, Scope::Folder(&named.folder))?;
        let reading = named.configure(&machine)?;
        let mut plan = plan(&reading)?;
        self.add_to(&mut plan, host)?;
        let site = Site::new(&reading)?;
        add_proxies(&mut plan, host, machine.engine()?.host())?;
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
        for name in plan.tags.iter().filter(|_| self.push) {
            site.push(name)?;
        }
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
