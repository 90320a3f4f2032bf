//! What a command is about to do to a folder, as it is written down before it begins.

/// The version of the journal's format.
pub(super) const FORMAT: u32 = 1;

/// What has to happen, in order; the index of a move is the name of its files below `new/` and `old/`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// [`FORMAT`], when this version wrote it.
    pub(super) format: u32,
    /// Which folder of the disk the journal is: one that came along in a repository or a copy is nobody's unfinished work.
    pub(super) identity: String,
    /// The folders that the command makes, outermost first.
    pub(super) folders: Vec<String>,
    /// The files that it moves into their places.
    pub(super) moves: Vec<Move>,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    /// Where the file belongs, below the project.
    pub(super) path: String,
    /// The fingerprint of what is replaced, if anything is.
    pub(super) old: Option<String>,
    /// The fingerprint of what is written.
    pub(super) new: String,
}

/// How far a command has come; the name of the file that holds its plan says it, so that one rename changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Files move into their places.
    Forward,
    /// They move back.
    Backward,
    /// Only the journal is left to be removed.
    Done,
}

impl Phase {
    /// Every phase, the last one first: where a kill left two files, the later phase counts.
    pub(super) const ALL: [Self; 3] = [Self::Done, Self::Backward, Self::Forward];

    /// The name of the file that holds the plan in this phase.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Forward => "plan.json",
            Self::Backward => "undo.json",
            Self::Done => "done.json",
        }
    }
}
