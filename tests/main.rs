//! Every test that runs the program, in one binary. `README.md` beside this file is the guide.
//!
//! They drive links, modes, mounts and pseudo-terminals, as Unix has them.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests touch the disk, and may panic"
)]

mod architecture;
mod config;
mod disk;
mod engine;
mod hostile;
mod new;
mod readme;
mod support;
mod templates;
mod transcripts;
