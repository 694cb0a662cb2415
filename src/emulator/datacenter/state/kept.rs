//! A VM as a file has it: in the words of CloudAPI, which those who write seeds know. What operators alone see has
//! VMAPI's names there. Nothing else reads or writes this form.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::job::Entry;
use super::network::Nic;
use super::storage::{Disk, Mount, Snapshot};
use super::vm::{HVM_QUOTA, Vm};

/// A machine in a file. Sizes are MiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    id: String,
    owner: String,
    name: String,
    brand: String,
    state: String,
    image: String,
    package: String,
    memory: u64,
    disk: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    flexible_disk_size: Option<u64>,
    /// That of a hardware-virtualised machine, where it is another than the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<u64>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    credentials: Map<String, Value>,
    /// What else of the internal metadata.
    #[serde(skip_serializing_if = "Map::is_empty")]
    internal_metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    tags: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nics: Vec<Nic>,
    created: i64,
    updated: i64,
    #[serde(skip_serializing_if = "is_zero")]
    booted: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    firewall_enabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deletion_protection: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    docker: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    delegate_dataset: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    encrypted: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    compute_node: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disks: Vec<Disk>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snapshots: Vec<Snapshot>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    volumes: Vec<Mount>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    more: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audit: Vec<Entry>,
}

fn is_zero(time: &i64) -> bool {
    *time == 0
}

/// The states that the two have other words for: CloudAPI's, and VMAPI's.
const STATES: &[(&str, &str)] = &[("deleted", "destroyed"), ("offline", "unreachable")];

/// The word of VMAPI for a state in the words of CloudAPI.
pub(crate) fn internal_state(word: &str) -> &str {
    STATES.iter().find(|(cloud, _)| *cloud == word).map_or(word, |(_, vm)| vm)
}

/// The word of CloudAPI for a state in the words of VMAPI.
pub(crate) fn cloud_state(word: &str) -> &'static str {
    match word {
        "provisioning" | "configured" | "incomplete" | "unavailable" => "provisioning",
        "ready" => "ready",
        "running" => "running",
        "stopping" | "halting" | "shutting_down" => "stopping",
        "stopped" | "off" | "down" | "installed" => "stopped",
        "unreachable" => "offline",
        "failed" => "failed",
        "destroyed" => "deleted",
        _ => "unknown",
    }
}

/// The quota of a hardware-virtualised machine: of what is beside its disks.
fn usual_quota(flexible: Option<u64>) -> u64 {
    if flexible.is_some() { 0 } else { HVM_QUOTA }
}

impl From<Kept> for Vm {
    fn from(kept: Kept) -> Vm {
        let hvm = matches!(kept.brand.as_str(), "kvm" | "bhyve");
        let data = kept.disks.get(1).map(|disk| disk.size);
        // Files of an earlier version do not say which disks are flexible. This way CloudAPI shows what they say.
        let flexible =
            kept.flexible_disk_size.or((kept.brand == "bhyve" && data != Some(kept.disk)).then_some(kept.disk));
        let mut disks = kept.disks;
        if kept.brand == "kvm" && disks.is_empty() && kept.disk > 0 {
            disks = vec![
                Disk { size: HVM_QUOTA, boot: true, image: kept.image.clone(), ..Disk::default() },
                Disk { size: kept.disk, ..Disk::default() },
            ];
        }
        let mut vm = Vm {
            uuid: kept.id,
            owner_uuid: kept.owner,
            alias: kept.name,
            state: internal_state(&kept.state).to_owned(),
            image_uuid: kept.image,
            billing_id: kept.package,
            ram: kept.memory,
            quota: if hvm { kept.quota.unwrap_or(usual_quota(flexible)) } else { kept.disk },
            flexible_disk_size: flexible,
            customer_metadata: kept.metadata,
            internal_metadata: kept.internal_metadata,
            tags: kept.tags,
            nics: kept.nics,
            create_timestamp: kept.created,
            last_modified: kept.updated,
            booted: kept.booted,
            firewall_enabled: kept.firewall_enabled,
            indestructible_zoneroot: kept.deletion_protection,
            docker: kept.docker,
            delegate_dataset: kept.delegate_dataset,
            server_uuid: kept.compute_node,
            disks,
            snapshots: kept.snapshots,
            volumes: kept.volumes,
            more: kept.more,
            earlier: kept.audit,
            brand: kept.brand,
        };
        vm.set_passwords(kept.credentials);
        if kept.encrypted {
            vm.internal_metadata.insert("encrypted".to_owned(), true.into());
        }
        vm
    }
}

impl From<Vm> for Kept {
    fn from(vm: Vm) -> Kept {
        let (credentials, encrypted, disk) = (vm.passwords(), vm.encrypted(), vm.disk());
        let (image, hvm) = (vm.image().to_owned(), vm.hvm());
        let state = match STATES.iter().find(|(_, internal)| *internal == vm.state) {
            Some((cloud, _)) => (*cloud).to_owned(),
            None => vm.state,
        };
        let mut internal_metadata = vm.internal_metadata;
        internal_metadata.retain(|name, _| !name.ends_with("_pw") && name != "encrypted");
        Kept {
            id: vm.uuid,
            owner: vm.owner_uuid,
            name: vm.alias,
            brand: vm.brand,
            state,
            image,
            package: vm.billing_id,
            memory: vm.ram,
            disk,
            flexible_disk_size: vm.flexible_disk_size,
            quota: Some(vm.quota).filter(|quota| hvm && *quota != usual_quota(vm.flexible_disk_size)),
            metadata: vm.customer_metadata,
            credentials,
            internal_metadata,
            tags: vm.tags,
            nics: vm.nics,
            created: vm.create_timestamp,
            updated: vm.last_modified,
            booted: vm.booted,
            firewall_enabled: vm.firewall_enabled,
            deletion_protection: vm.indestructible_zoneroot,
            docker: vm.docker,
            delegate_dataset: vm.delegate_dataset,
            encrypted,
            compute_node: vm.server_uuid,
            disks: vm.disks,
            snapshots: vm.snapshots,
            volumes: vm.volumes,
            more: vm.more,
            audit: vm.earlier,
        }
    }
}
