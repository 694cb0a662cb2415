//! Migrations: how far each is. Plain data.

use serde::{Deserialize, Serialize};

/// What is done to a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Begin,
    /// One of the reports of a sync; the last one ends it.
    Sync {
        report: u8,
    },
    Switch,
    Pause,
    Abort,
    Finalize,
    /// Back to where it was before the switch; only operators can.
    Rollback,
}

/// A migration, from its begin until it is finalized or aborted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Migration {
    pub(crate) machine: String,
    pub(crate) automatic: bool,
    pub(crate) phase: String,
    pub(crate) state: String,
    pub(crate) created: i64,
    /// When it was successful, or failed.
    pub(crate) finished: Option<i64>,
    pub(crate) error: String,
    /// Where it goes; empty until there is a place.
    pub(crate) target: String,
    /// A sync has run to its end.
    pub(crate) synced: bool,
    pub(crate) history: Vec<Progress>,
}

/// How far a phase has come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Progress {
    pub(crate) phase: String,
    pub(crate) state: String,
    pub(crate) current: u64,
    pub(crate) total: u64,
    pub(crate) message: String,
    pub(crate) error: String,
    pub(crate) started: i64,
    pub(crate) finished: Option<i64>,
}
