//! Tickets that keep apart what is done to one thing on one server. Plain data. Those of jobs that are under way follow
//! from the jobs; these are the others.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A ticket that somebody has asked CNAPI for, or that a job has left behind. Times are milliseconds since 1970 by the
/// VMs' clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ticket {
    pub(crate) uuid: String,
    /// The server's id, or `default`.
    pub(crate) server_uuid: String,
    /// What kind of thing: `vm`.
    pub(crate) scope: String,
    /// Which one.
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) action: String,
    pub(crate) expires_at: i64,
    pub(crate) created: i64,
    pub(crate) reqid: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) extra: Map<String, Value>,
    /// The jobs that are before it in the queue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<String>,
    /// When and how it ended; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<(i64, Ended)>,
}

/// How a ticket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ended {
    Finished,
    Expired,
}

impl Ticket {
    /// Whether it is for the same thing on the same server.
    pub(crate) fn is_beside(&self, other: &Ticket) -> bool {
        self.is_for(&other.server_uuid, &other.scope, &other.id)
    }

    /// Whether it is for this thing.
    pub(crate) fn is_for(&self, server: &str, scope: &str, id: &str) -> bool {
        self.server_uuid == server && self.scope == scope && self.id == id
    }
}
