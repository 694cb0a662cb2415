//! Machines, and what belongs to one: interfaces, disks, snapshots, what was done to it.

use serde::{Deserialize, Serialize};

use super::{Map, Open, Private, Time, or_default};

/// The API's Machine. A deleted one comes with status 410, as the body of the error ([`crate::Error::body`]).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Alias.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Deprecated: see `brand`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: Open<MachineType>,
    /// How it is virtualised; since 8.0.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Open<Brand>>,
    /// What it is doing.
    #[serde(deserialize_with = "or_default")]
    pub state: Open<MachineState>,
    /// UUID of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Addresses; one can be `dhcp`, or unknown; deprecated.
    #[serde(deserialize_with = "or_default")]
    pub ips: Vec<Option<String>>,
    /// UUIDs of the networks, in the order of `ips`; deprecated; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<Option<String>>>,
    /// Interfaces; since 9.10.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nics: Option<Vec<MachineNic>>,
    /// The first address; absent without interfaces.
    #[serde(rename = "primaryIp", skip_serializing_if = "Option::is_none")]
    pub primary_ip: Option<String>,
    /// Memory, in MiB; null where the platform does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Disk, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Whether it refuses to be deleted; since 8.6.0.
    #[serde(deserialize_with = "or_default")]
    pub deletion_protection: bool,
    /// Metadata, which may hold passwords: `Debug` does not show it.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Private<Map>,
    /// Tags: text, number, true or false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Map>,
    /// When it was made.
    #[serde(deserialize_with = "or_default")]
    pub created: Time,
    /// When it was last changed.
    #[serde(deserialize_with = "or_default")]
    pub updated: Time,
    /// True for one of Docker's, else absent; since 8.0.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<bool>,
    /// Whether the firewall's rules hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_enabled: Option<bool>,
    /// UUID of the server; null before there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compute_node: Option<String>,
    /// Name of the package; empty where unknown, and just after creation.
    #[serde(deserialize_with = "or_default")]
    pub package: String,
    /// Whether disks can be added; only `bhyve`; since 9.4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flexible: Option<bool>,
    /// What disks leave of the package, in MiB; only `bhyve`; since 9.4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_space: Option<u64>,
    /// Disks; only `bhyve`; since 9.4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disks: Option<Vec<MachineDisk>>,
    /// Names in the DNS; GetMachine alone tells; since 8.0.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_names: Option<Vec<String>>,
    /// Whether the zone has a dataset of its own; since 9.12.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate_dataset: Option<bool>,
    /// Whether it is on encrypted disks; since 9.8.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<bool>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The old name of what a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MachineType {
    /// A virtual machine with a kernel of its own.
    Virtualmachine,
    /// A zone.
    Smartmachine,
}

/// How a machine is virtualised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Brand {
    /// Bhyve.
    Bhyve,
    /// A zone.
    Joyent,
    /// A zone with little in it.
    JoyentMinimal,
    /// KVM.
    Kvm,
    /// A zone that runs Linux programs.
    Lx,
}

/// What a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MachineState {
    /// It is being made.
    Provisioning,
    /// Short, while it boots.
    Ready,
    /// It runs.
    Running,
    /// It is on its way to `stopped`.
    Stopping,
    /// It does not run.
    Stopped,
    /// Its server cannot be reached.
    Offline,
    /// It is no more.
    Deleted,
    /// It could not be made.
    Failed,
    /// The service itself does not know.
    Unknown,
}

/// An interface within a [`Machine`]; since 9.10.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineNic {
    /// MAC address, with colons.
    #[serde(deserialize_with = "or_default")]
    pub mac: String,
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Whether it has the default route.
    #[serde(deserialize_with = "or_default")]
    pub primary: bool,
    /// Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Netmask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// UUID of the network.
    #[serde(deserialize_with = "or_default")]
    pub network: String,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// A disk within a [`Machine`]; since 9.4.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineDisk {
    /// UUID; since 9.4.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What 9.4.0 and 9.4.1 call `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Size in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Block size in bytes; since 9.19.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_size: Option<u64>,
    /// True for the one that is booted from, else absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<bool>,
    /// UUID of the image that it began as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's NIC, an interface asked for by itself; since 7.2.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Nic {
    /// MAC address, with colons; paths have it without.
    #[serde(deserialize_with = "or_default")]
    pub mac: String,
    /// IPv4 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Whether it has the default route.
    #[serde(deserialize_with = "or_default")]
    pub primary: bool,
    /// Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Netmask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// Whether it is there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Open<NicState>>,
    /// UUID of the network, never of a pool.
    #[serde(deserialize_with = "or_default")]
    pub network: String,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// Whether an interface is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NicState {
    /// Not yet.
    Provisioning,
    /// It is.
    Running,
    /// Its machine is stopped.
    Stopped,
}

/// The API's Disk, asked for by itself; since 9.4.1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disk {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `bus:device:function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pci_slot: Option<String>,
    /// Size in MiB; the old one in the answer to a resize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Block size in bytes; since 9.19.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_size: Option<u64>,
    /// Whether it is the one that is booted from.
    #[serde(deserialize_with = "or_default")]
    pub boot: bool,
    /// What happens to it, else the state of its machine.
    #[serde(deserialize_with = "or_default")]
    pub state: Open<DiskState>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// What happens to a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DiskState {
    /// It is being made.
    Creating,
    /// It is being resized.
    Resizing,
    /// It is being deleted.
    Deleting,
    /// Its machine runs.
    Running,
    /// Its machine is stopped.
    Stopped,
}

/// The API's Snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// How far it is; absent when nobody remembers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Open<SnapshotState>>,
    /// Size in MiB; since 9.4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// The same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Time>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SnapshotState {
    /// It waits.
    Queued,
    /// It is being made.
    Running,
    /// It is there.
    Created,
    /// It could not be made.
    Failed,
    /// Its making was stopped.
    Canceled,
    /// Its making waits for something else.
    Waiting,
    /// Its making was begun anew.
    Retried,
    /// It is no more.
    Deleted,
}

/// An element of the answer to MachineAudit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditAction {
    /// What was done, such as `provision`, `stop`, `resize`; `unknown` stands for much.
    #[serde(deserialize_with = "or_default")]
    pub action: String,
    /// `yes` or `no`.
    #[serde(deserialize_with = "or_default")]
    pub success: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// Who did something to a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Caller {
    /// How the caller was known.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: Open<CallerKind>,
    /// Address that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The key that signed.
    #[serde(rename = "keyId", skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// UUID or login of the sub-user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// How a caller was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CallerKind {
    /// By a signature.
    Signature,
    /// By a token.
    Token,
    /// By a password.
    Basic,
    /// It was the operator, or nobody knows.
    Operator,
}
