//! Images and packages. Plain data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An image, in the words of the API's newest version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Image {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) os: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    pub(crate) requirements: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_size: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) tags: Map<String, Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) homepage: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) eula: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) published_at: String,
    pub(crate) owner: String,
    pub(crate) public: bool,
    pub(crate) state: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) acl: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) origin: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) error: Value,
    /// Not shown: machines of it get a password instead of SSH keys.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) needs_password: bool,
}

/// A package. Sizes are MiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    pub(crate) memory: u64,
    pub(crate) disk: u64,
    pub(crate) swap: u64,
    pub(crate) lwps: u64,
    pub(crate) vcpus: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    pub(crate) default: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) brand: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flexible_disk: Option<bool>,
    /// The disks that a machine of it gets if none are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) disks: Vec<Value>,
    /// Not shown: what compute nodes must have. A resize cannot change it.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) traits: Map<String, Value>,
    /// Percent of a core. What follows only operators see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_cap: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zfs_io_priority: Option<u64>,
    /// Shares of a server's processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fss: Option<u64>,
    /// The accounts that may have it; none where all may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
    /// Other fields, by PAPI's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) more: Map<String, Value>,
    /// Milliseconds since 1970; 0 where nobody knows.
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// Not shown: one that can no longer be bought.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) inactive: bool,
}

impl Package {
    /// Whether an account may have it.
    pub(crate) fn visible(&self, account: &str) -> bool {
        self.owners.is_empty() || self.owners.iter().any(|owner| owner == account)
    }

    /// How much of the processors a VM of it gets at most, in percent of a core: all of its own where nothing is said.
    pub(crate) fn cap(&self) -> u64 {
        self.cpu_cap.unwrap_or(self.vcpus.max(1).saturating_mul(100))
    }

    /// The shares of a server's processors that a VM of it gets.
    pub(crate) fn shares(&self) -> u64 {
        self.fss.unwrap_or((self.memory / 128).max(1))
    }
}
