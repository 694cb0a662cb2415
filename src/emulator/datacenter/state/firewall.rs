//! Firewall rules as they are kept. Plain data.

use serde::{Deserialize, Serialize};

/// A firewall rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FirewallRule {
    pub(crate) id: String,
    /// The account; empty for a global rule.
    pub(crate) owner: String,
    /// Its text, in the fixed form.
    pub(crate) rule: String,
    pub(crate) enabled: bool,
    pub(crate) log: bool,
    pub(crate) global: bool,
    pub(crate) description: String,
}
