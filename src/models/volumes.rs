//! Volumes that machines share.

use serde::{Deserialize, Serialize};

use super::{Map, Open, Time, or_default};

/// The API's Volume; since 8.3.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Name, unique in the account.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// UUID of the account.
    #[serde(deserialize_with = "or_default")]
    pub owner_uuid: String,
    /// `tritonnfs`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// How far it is.
    #[serde(deserialize_with = "or_default")]
    pub state: Open<VolumeState>,
    /// When it was made.
    #[serde(deserialize_with = "or_default")]
    pub created: Time,
    /// Size in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// UUIDs of the fabric networks that it can be reached from.
    #[serde(deserialize_with = "or_default")]
    pub networks: Vec<String>,
    /// UUIDs of the machines that use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refs: Option<Vec<String>>,
    /// `host:/path`; absent until ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filesystem_path: Option<String>,
    /// Tags; since 9.8.6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Map>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// How far a volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VolumeState {
    /// It is being made.
    Creating,
    /// It can be used.
    Ready,
    /// It could not be made.
    Failed,
    /// It is being deleted.
    Deleting,
    /// It is no more.
    Deleted,
}

/// The API's VolumeSize: one that can be asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeSize {
    /// Size in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// `tritonnfs`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// What CreateMachine's `volumes` take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeMount {
    /// Name of the volume.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The folder in the machine.
    #[serde(deserialize_with = "or_default")]
    pub mountpoint: String,
    /// `tritonnfs`, also when absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it may be written; it may when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Open<MountMode>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// Whether a volume may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MountMode {
    /// It may.
    Rw,
    /// It may not.
    Ro,
}
