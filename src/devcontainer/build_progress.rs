//! What a builder tells while it builds.

use serde::Serialize;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Progress {
    /// A step has begun.
    Started {
        /// Its number, in the order in which steps are first heard of, from 1.
        step: usize,
        /// What it does, such as `[2/4] RUN make`.
        name: String,
    },
    /// A step is over.
    Completed {
        /// Its number.
        step: usize,
        /// What it does.
        name: String,
        /// How it ended.
        outcome: StepOutcome,
        /// How long it took, in milliseconds, by the builder's clock.
        milliseconds: u64,
    },
    /// A step wrote lines.
    Log {
        /// Its number.
        step: usize,
        /// The lines, without their ends.
        lines: Vec<String>,
    },
    /// Bytes of a step have moved: a layer that is fetched, a context that is sent.
    Moved {
        /// Its number.
        step: usize,
        /// What moves.
        name: String,
        /// How many have.
        current: u64,
        /// Of how many; 0 where that is not known.
        total: u64,
    },
    /// The builder has something against the Dockerfile.
    Warning {
        /// What.
        message: String,
    },
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StepOutcome {
    /// It ran.
    Done,
    /// An earlier result was taken.
    Cached,
    /// It failed.
    Failed(String),
}
