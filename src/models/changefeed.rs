//! News of machines as it happens, over a WebSocket.

use serde::{Deserialize, Serialize};

use super::{Machine, Map, Open, or_default};

/// What a client sends first: which news it wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangefeedRegistration {
    /// `vm`.
    #[serde(deserialize_with = "or_default")]
    pub resource: String,
    /// What may have changed.
    #[serde(rename = "subResources", deserialize_with = "or_default")]
    pub sub_resources: Vec<Open<SubResource>>,
    /// UUIDs of the machines; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vms: Option<Vec<String>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// A part of a machine that can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubResource {
    /// Its name.
    Alias,
    /// Its metadata.
    CustomerMetadata,
    /// Whether it is there.
    Destroyed,
    /// Its interfaces.
    Nics,
    /// Whose it is.
    OwnerUuid,
    /// Its server.
    ServerUuid,
    /// Its state.
    State,
    /// Its tags.
    Tags,
}

/// One change of a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangefeedEvent {
    /// UUID of the machine.
    #[serde(rename = "changedResourceId", deserialize_with = "or_default")]
    pub changed_resource_id: String,
    /// When, in milliseconds since 1970, as text.
    #[serde(deserialize_with = "or_default")]
    pub published: String,
    /// What changed.
    #[serde(rename = "changeKind", deserialize_with = "or_default")]
    pub change_kind: ChangeKind,
    /// The platform's own word for the state, such as `shutting_down`.
    #[serde(rename = "resourceState", skip_serializing_if = "Option::is_none")]
    pub resource_state: Option<String>,
    /// The machine, without the name of its package.
    #[serde(rename = "resourceObject", skip_serializing_if = "Option::is_none")]
    pub resource_object: Option<Machine>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeKind {
    /// `vm`.
    #[serde(deserialize_with = "or_default")]
    pub resource: String,
    /// The parts.
    #[serde(rename = "subResources", deserialize_with = "or_default")]
    pub sub_resources: Vec<Open<SubResource>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}
