//! Images.

use super::{Engine, EngineError, status};
use std::collections::BTreeMap;

/// What an image says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
}

impl Engine {
    /// What the image says that the engine has under `name`; `None` where it has none.
    pub(crate) fn image(&self, name: &str) -> Result<Option<Image>, EngineError> {
        match self.wait(self.docker.inspect_image(name)) {
            Ok(image) => {
                let labels = image.config.and_then(|config| config.labels);
                Ok(Some(Image {
                    labels: labels.unwrap_or_default().into_iter().collect(),
                }))
            }
            // 400 is the answer to a name that no image could have.
            Err(error) if matches!(status(&error), Some(400 | 404)) => Ok(None),
            Err(source) => Err(self.failed("inspect an image", source)),
        }
    }
}
