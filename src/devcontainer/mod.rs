//! What a dev container's files say: read as VS Code reads them, with every fault named that it passes over.
//!
//! [`configuration`] makes a text what it means on this host, with [`workspace_folder`] and [`variable`].
//! Nothing here touches disk, engine or environment: what they know is passed in.

pub(crate) mod configuration;
pub(crate) mod properties;
pub(crate) mod variable;
pub(crate) mod workspace_folder;
