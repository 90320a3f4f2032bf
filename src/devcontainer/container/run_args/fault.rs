//! What can be wrong with a flag.

use crate::hint::Hint;

/// What is wrong with a flag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RunArgFault {
    /// Nobody knows it.
    #[error("`{}` is no flag of `docker run`", .flag.escape_debug())]
    Unknown {
        /// As it is written.
        flag: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// The docker client makes no container with it either.
    #[error("`{flag}` cannot be passed on: {reason}")]
    Never {
        /// The flag.
        flag: String,
        /// Why.
        reason: &'static str,
    },
    /// It wants a value.
    #[error("`{0}` wants a value")]
    NoValue(String),
    /// It cannot have this one.
    #[error("`{flag}` cannot be `{}`: {reason}", .value.escape_debug())]
    Value {
        /// The flag.
        flag: String,
        /// Its value.
        value: String,
        /// Why.
        reason: String,
    },
    /// Two that exclude each other.
    #[error("`{first}` and `{second}` exclude each other")]
    Together {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// It is no flag at all.
    #[error("`{}` is no flag", .0.escape_debug())]
    NoFlag(String),
}

impl RunArgFault {
    pub(super) fn together(first: &str, second: &str) -> Self {
        Self::Together {
            first: first.to_owned(),
            second: second.to_owned(),
        }
    }
}

impl Hint for RunArgFault {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown {
                near: Some(near), ..
            } => Some(format!("did you mean `{near}`?")),
            Self::Unknown { .. } | Self::Never { .. } => {
                Some("take it out of `runArgs`".to_owned())
            }
            Self::NoFlag(_) => Some(
                "each flag and each value is a member of its own: `[\"--shm-size\", \"1g\"]`"
                    .to_owned(),
            ),
            Self::NoValue(_) | Self::Value { .. } | Self::Together { .. } => None,
        }
    }
}
