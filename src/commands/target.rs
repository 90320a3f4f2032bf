//! Which containers a command is about.

use super::reading::engine;
use crate::devcontainer::configuration::{CONFIG_FILE, LOCAL_FOLDER};
use crate::engine::Engine;
use crate::engine::container::Listed;
use crate::hint::{Hint, enumerate, shown};
use crate::host::Host;
use crate::workspace;
use std::path::{Path, PathBuf};

/// The dev container that is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// The project's folder
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The devcontainer.json that the container was made from, or the name of its folder in `.devcontainer`
    #[arg(long, value_name = "FILE|NAME")]
    config: Option<PathBuf>,
}

/// One dev container, or those of a folder and below.
#[derive(Debug, clap::Args)]
pub(crate) struct Targets {
    #[command(flatten)]
    target: Target,
    /// Every dev container of the folder and of those below it
    #[arg(long, conflicts_with = "config")]
    all: bool,
}

impl Targets {
    /// The engine, and the containers that are meant.
    pub(crate) fn find(&self, host: &Host) -> anyhow::Result<(Engine, Vec<Listed>)> {
        if self.all {
            return self.target.all(host);
        }
        let (engine, one) = self.target.one(host)?;
        Ok((engine, vec![one]))
    }
}

/// Why no container is meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    /// There is none.
    #[error("`{}` has no dev container", shown(.0))]
    None(PathBuf),
    /// There are several.
    #[error("`{}` has several dev containers", shown(.folder))]
    Several {
        /// The folder.
        folder: PathBuf,
        /// The configurations that they were made from.
        configurations: Vec<String>,
    },
}

impl Hint for TargetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::None(_) => "`scaffold ps` lists those that there are".to_owned(),
            Self::Several { configurations, .. } => format!(
                "choose one with `--config`: there are {}",
                enumerate(configurations.iter().map(String::as_str))
            ),
        })
    }
}

impl Target {
    /// The engine, and the container that is meant.
    pub(crate) fn one(&self, host: &Host) -> anyhow::Result<(Engine, Listed)> {
        let folder = self.folder(host);
        let engine = engine(host)?;
        let mut found = engine.labelled(LOCAL_FOLDER, Some(&folder.to_string_lossy()))?;
        if let Some(config) = &self.config {
            let file = workspace::absolute(&host.current_dir.join(config));
            let is_named = |listed: &Listed| {
                let label = listed.labels.get(CONFIG_FILE).map(Path::new);
                let name = label.and_then(Path::parent).and_then(Path::file_name);
                label == Some(&file) || name.is_some_and(|name| Path::new(name) == config)
            };
            found.retain(is_named);
        }
        if found.len() > 1 {
            let of = |listed: &Listed| {
                let label = listed.labels.get(CONFIG_FILE);
                label.unwrap_or(&listed.name).clone()
            };
            return Err(TargetError::Several {
                folder,
                configurations: found.iter().map(of).collect(),
            }
            .into());
        }
        match found.pop() {
            Some(listed) => Ok((engine, listed)),
            None => Err(TargetError::None(folder).into()),
        }
    }

    /// The engine, and the containers of the folder and of those below it.
    fn all(&self, host: &Host) -> anyhow::Result<(Engine, Vec<Listed>)> {
        let folder = self.folder(host);
        let engine = engine(host)?;
        let mut found = engine.labelled(LOCAL_FOLDER, None)?;
        found.retain(|listed| is_below(listed, &folder));
        if found.is_empty() {
            return Err(TargetError::None(folder).into());
        }
        Ok((engine, found))
    }

    fn folder(&self, host: &Host) -> PathBuf {
        workspace::absolute(&host.current_dir.join(&self.path))
    }
}

/// Whether a container is that of `folder` or of one below it.
pub(crate) fn is_below(listed: &Listed, folder: &Path) -> bool {
    let label = listed.labels.get(LOCAL_FOLDER);
    label.is_some_and(|label| Path::new(label).starts_with(folder))
}
