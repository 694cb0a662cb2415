//! Moving a machine to another server, and how far that is.

use serde::{Deserialize, Serialize};

use super::{Map, Open, Time, or_default};

/// The API's Migration; since 9.6.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Migration {
    /// UUID of the machine.
    #[serde(deserialize_with = "or_default")]
    pub machine: String,
    /// Whether all steps follow by themselves.
    #[serde(deserialize_with = "or_default")]
    pub automatic: bool,
    /// When it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_timestamp: Option<Time>,
    /// When its last step was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_timestamp: Option<Time>,
    /// When its last step ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_timestamp: Option<Time>,
    /// When it is to happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_timestamp: Option<Time>,
    /// How long it has taken, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<serde_json::Number>,
    /// Its step.
    #[serde(deserialize_with = "or_default")]
    pub phase: Open<MigrationPhase>,
    /// How that goes.
    #[serde(deserialize_with = "or_default")]
    pub state: Open<MigrationState>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What happened.
    #[serde(deserialize_with = "or_default")]
    pub progress_history: Vec<ProgressEvent>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// A step of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MigrationPhase {
    /// A machine is made on the other server.
    Begin,
    /// Its data is copied.
    Sync,
    /// It takes the first one's place.
    Switch,
    /// It is given up.
    Abort,
    /// It is paused.
    Pause,
    /// It is undone.
    Rollback,
    /// What it left behind is deleted.
    Finalize,
}

/// How a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MigrationState {
    /// A step is under way.
    Running,
    /// It waits for the next step.
    Paused,
    /// It is done.
    Successful,
    /// It failed.
    Failed,
    /// It was given up.
    Aborted,
    /// The service does not know.
    Unknown,
}

/// One piece of news from a migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressEvent {
    /// `progress`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The step.
    #[serde(deserialize_with = "or_default")]
    pub phase: Open<MigrationPhase>,
    /// How that goes.
    #[serde(deserialize_with = "or_default")]
    pub state: Open<MigrationState>,
    /// How far it is: bytes while `sync` is watched, else up to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_progress: Option<serde_json::Number>,
    /// Where it ends, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_progress: Option<serde_json::Number>,
    /// Words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_timestamp: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_timestamp: Option<Time>,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<serde_json::Number>,
    /// How long it will take, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<serde_json::Number>,
    /// Bytes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_bytes_second: Option<serde_json::Number>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The last line of a watch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndEvent {
    /// `end`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The step.
    #[serde(deserialize_with = "or_default")]
    pub phase: Open<MigrationPhase>,
    /// How it ended.
    #[serde(deserialize_with = "or_default")]
    pub state: Open<MigrationState>,
    /// Words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// How much a migration would copy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MigrationEstimate {
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<serde_json::Number>,
    /// How long it would take, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<serde_json::Number>,
    /// Bytes a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_bytes_second: Option<serde_json::Number>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}
