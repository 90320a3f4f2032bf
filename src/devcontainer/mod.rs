//! What a dev container's files say: read as VS Code reads them, with every fault named that it passes over.
//!
//! [`configuration`] makes a text what it means on this host, with [`workspace_folder`] and [`variable`]. [`merge`] adds what the image
//! and the Features say: their [`metadata`], the image that a Dockerfile or a Compose service builds on ([`base_image`], [`compose`]), and
//! the Features themselves ([`feature`]). [`build_config`] makes of it what a builder is asked for ([`build_plan`]), [`build_progress`] is what it tells, [`build_failure`]
//! what its failure means, and [`ignore_patterns`] which files it is given. [`container`] is what the engine is asked for, [`setup`] and
//! [`lifecycle`] are what is run in it, and [`process`] how that can be ended.
//! Nothing here touches disk, engine or environment: what they know is passed in.

pub(crate) mod base_image;
pub(crate) mod build_config;
pub(crate) mod build_failure;
pub(crate) mod build_plan;
pub(crate) mod build_progress;
pub(crate) mod compose;
pub(crate) mod configuration;
pub(crate) mod container;
pub(crate) mod drift;
pub(crate) mod explain;
pub(crate) mod feature;
pub(crate) mod ignore_patterns;
mod legacy;
pub(crate) mod lifecycle;
pub(crate) mod merge;
pub(crate) mod metadata;
pub(crate) mod process;
pub(crate) mod properties;
mod script;
pub(crate) mod setup;
pub(crate) mod task;
pub(crate) mod uid;
pub(crate) mod user_environment;
pub(crate) mod variable;
pub(crate) mod workspace_folder;
