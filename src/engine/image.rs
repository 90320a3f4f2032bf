//! Images.

use super::{Engine, EngineError, status};
use crate::devcontainer::build_plan::Login;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{CreateImageOptions, PushImageOptions};
use futures_util::StreamExt as _;
use std::collections::BTreeMap;

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Who runs its processes, where it names somebody.
    pub(crate) user: Option<String>,
    /// Its ENTRYPOINT and its CMD.
    pub(crate) command: Vec<String>,
}

impl Engine {
    /// Pulls an image under the name that it has, and tells `each` what the engine says of it.
    pub(crate) fn pull(
        &self,
        name: &str,
        platform: Option<&str>,
        login: Option<Login>,
        each: &mut dyn FnMut(String),
    ) -> Result<(), EngineError> {
        let is_whole =
            name.contains('@') || name.rsplit('/').next().unwrap_or_default().contains(':');
        let tag = if is_whole { "" } else { "latest" };
        let options = CreateImageOptions {
            from_image: Some(name.to_owned()),
            tag: Some(tag.to_owned()).filter(|tag| !tag.is_empty()),
            platform: platform.unwrap_or_default().to_owned(),
            ..CreateImageOptions::default()
        };
        let credentials = login.map(credentials);
        let mut said = self.docker.create_image(Some(options), None, credentials);
        while let Some(part) = self.wait(said.next()) {
            let part = part.map_err(|source| self.failed("pull the image", source))?;
            let (id, status) = (part.id.unwrap_or_default(), part.status.unwrap_or_default());
            each(format!("{id} {status}").trim().to_owned());
        }
        Ok(())
    }

    /// Pushes an image to the registry that its name says, and tells `each` what the engine says of it.
    pub(crate) fn push(
        &self,
        name: &str,
        login: Option<Login>,
        each: &mut dyn FnMut(String),
    ) -> Result<(), EngineError> {
        let last = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[last..].find(':') {
            Some(colon) => (&name[..last + colon], &name[last + colon + 1..]),
            None => (name, "latest"),
        };
        let options = PushImageOptions {
            tag: Some(tag.to_owned()),
            ..PushImageOptions::default()
        };
        // The engine wants to be told that there is no login, too.
        let login = login.map(credentials).unwrap_or_default();
        let mut said = self.docker.push_image(name, Some(options), Some(login));
        while let Some(part) = self.wait(said.next()) {
            let part = part.map_err(|source| self.failed("push the image", source))?;
            each(part.status.unwrap_or_default());
        }
        Ok(())
    }

    /// What the image says that the engine has under `name`; `None` where it has none.
    pub(crate) fn image(&self, name: &str) -> Result<Option<Image>, EngineError> {
        match self.wait(self.docker.inspect_image(name)) {
            Ok(image) => {
                let config = image.config.unwrap_or_default();
                let entrypoint = config.entrypoint.unwrap_or_default();
                let command = entrypoint.into_iter().chain(config.cmd.unwrap_or_default());
                Ok(Some(Image {
                    labels: config.labels.unwrap_or_default().into_iter().collect(),
                    user: config.user.filter(|user| !user.is_empty()),
                    command: command.collect(),
                }))
            }
            // 400 is the answer to a name that no image could have.
            Err(error) if matches!(status(&error), Some(400 | 404)) => Ok(None),
            Err(source) => Err(self.failed("inspect an image", source)),
        }
    }
}

/// A login in the words of the engine's API (Docker Engine API, "Authentication").
fn credentials(Login { user, secret }: Login) -> DockerCredentials {
    match user.as_str() {
        "" => DockerCredentials {
            identitytoken: Some(secret),
            ..DockerCredentials::default()
        },
        _ => DockerCredentials {
            username: Some(user),
            password: Some(secret),
            ..DockerCredentials::default()
        },
    }
}
