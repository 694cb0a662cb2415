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

impl Migration {
    /// What it does not allow in its present state, in the words of VMAPI; none where it is allowed.
    pub(crate) fn forbids(&self, action: &str) -> Option<String> {
        let (phase, state) = (self.phase.as_str(), self.state.as_str());
        match action {
            "sync" if !matches!(phase, "begin" | "sync") => {
                Some(format!("Cannot sync when in migration phase: {phase}"))
            }
            "sync" if state != "paused" && !(phase == "sync" && state == "failed") => {
                Some(format!("Cannot sync in migration state: {state}"))
            }
            "switch" if !matches!(phase, "begin" | "sync" | "switch") => {
                Some(format!("Cannot switch in migration phase: {phase}"))
            }
            "switch" if !self.synced => {
                Some("You must perform at least one \"migration sync\" operation before switching".to_owned())
            }
            "switch" if !matches!(state, "paused" | "failed") => {
                Some(format!("Cannot switch in migration state: {state}"))
            }
            "pause" if !(phase == "sync" && state == "running") => {
                Some("Pause requires a running migration sync action".to_owned())
            }
            "abort" if matches!(state, "running" | "successful") => {
                Some(format!("Abort cannot work on a {state} migration"))
            }
            "finalize" if state != "successful" => Some("Finalize only works on a successful migration".to_owned()),
            "rollback" if state != "successful" => Some("Rollback only works on a successful migration".to_owned()),
            _ => None,
        }
    }

    /// Why there can be no other one beside it.
    pub(crate) fn in_the_way(&self) -> &'static str {
        match self.state.as_str() {
            "successful" => "A previous migration exists for this instance, use migration finalize to complete it.",
            _ => "An active migration already exists for this instance",
        }
    }
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
