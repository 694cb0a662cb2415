//! What the emulated cloud holds: plain data that can be written to a file and read again.
//! What happens to it over time is in `jobs`; how it is asked for, in `handlers`.

mod account;
mod firewall;
mod image;
mod job;
mod kept;
mod migration;
mod network;
mod server;
mod storage;
mod ticket;
mod vm;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

use super::clock::Pace;

pub(crate) use account::{AccessKey, Account, Key, Limit, Member, Policy, Role, User};
pub(crate) use firewall::FirewallRule;
pub(crate) use image::{Image, Package};
pub(crate) use job::{Entry, Failure, Job, Planned, Runner, Work};
pub(crate) use kept::{cloud_state, internal_state};
pub(crate) use migration::{Migration, Progress, Step};
pub(crate) use network::{Network, Nic, OVERLAY, Pool, Record, Vlan, is_external, vnet_id};
pub(crate) use server::{Aggregation, LooseNic, NicTag, Operators, OwnJob, Resumed, Sapi, Server};
pub(crate) use storage::{Disk, Mount, Snapshot, Volume};
pub(crate) use ticket::{Ended, Ticket};
pub(crate) use vm::{BRANDS, Vm, Vms};

/// The form of what is written, and its version: one that reads otherwise has another.
pub(crate) const FORMAT: &str = "sdc-emulator/1";

/// Everything. What a file of an earlier version does not have is empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// [`FORMAT`] in what is written; empty in files of earlier versions.
    pub(crate) format: String,
    pub(crate) accounts: Vec<Account>,
    pub(crate) images: Vec<Image>,
    pub(crate) packages: Vec<Package>,
    pub(crate) networks: Vec<Network>,
    pub(crate) pools: Vec<Pool>,
    pub(crate) vlans: Vec<Vlan>,
    /// This data center has no fabrics: calls about them are refused.
    pub(crate) fabrics_off: bool,
    pub(crate) firewall_rules: Vec<FirewallRule>,
    pub(crate) volumes: Vec<Volume>,
    #[serde(rename = "machines")]
    pub(crate) vms: Vms,
    pub(crate) migrations: Vec<Migration>,
    /// Images of the other data centers.
    pub(crate) elsewhere: Vec<RemoteImage>,
    /// What only operators see; empty until the internal services are asked for.
    #[serde(skip_serializing_if = "Operators::is_empty")]
    pub(crate) operators: Operators,
    pub(crate) switches: Switches,
    /// What will have happened by some time, earliest first.
    pub(crate) jobs: Vec<Job>,
    /// Jobs that have ended, in the order of their ends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) history: Vec<Job>,
    /// The time of the machines when this was written: it never goes back.
    pub(crate) now: i64,
    /// The name of this data center.
    pub(crate) datacenter: String,
    /// The URLs of the other data centers.
    pub(crate) datacenters: Map<String, Value>,
    /// The URLs of the other services.
    pub(crate) services: Map<String, Value>,
    /// Its own URL. Not kept, since the next run listens on another port.
    #[serde(skip)]
    pub(crate) url: String,
    /// How fast work is done, which each run says anew.
    #[serde(skip)]
    pub(crate) pace: Pace,
}

/// What an operator allows in a data center.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Switches {
    pub(crate) bhyve_snapshots: bool,
    pub(crate) delegated_datasets: bool,
    pub(crate) user_migrations: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Switches { bhyve_snapshots: false, delegated_datasets: true, user_migrations: true }
    }
}

/// An image of another data center.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RemoteImage {
    pub(crate) datacenter: String,
    pub(crate) image: Image,
}

impl State {
    /// The account of this login or id.
    pub(crate) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.login == name || account.id == name)
    }

    pub(crate) fn account_mut(&mut self, name: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.login == name || account.id == name)
    }

    /// Makes jobs of what files of an earlier version, and seeds, say of the past of their VMs.
    pub(crate) fn enter_past(&mut self) {
        let mut past = Vec::new();
        for vm in self.vms.iter_mut() {
            let entries = std::mem::take(&mut vm.earlier);
            past.extend(entries.into_iter().enumerate().map(|(at, entry)| Job::past(&vm.uuid, at, entry)));
        }
        // So are the zones of volumes: their jobs are those of the zones, and each was made by one.
        for volume in &mut self.volumes {
            volume.nic.primary = true;
            let zone = volume.zone_id();
            let all = self.jobs.iter_mut().chain(&mut self.history);
            all.filter(|job| job.vm_uuid == volume.id).for_each(|job| zone.clone_into(&mut job.vm_uuid));
            let known = self.jobs.iter().chain(&self.history).any(|job| job.vm_uuid == zone);
            if !known && volume.state != "creating" {
                let (action, success) = ("provision".to_owned(), volume.state != "failed");
                let caller = serde_json::json!({ "type": "operator" });
                past.push(Job::past(&zone, 0, Entry { action, success, time: volume.created, caller }));
            }
        }
        self.history.extend(past);
        // Files of an earlier version lack the time at which a job was created.
        for job in self.jobs.iter_mut().chain(&mut self.history).filter(|job| job.created == 0) {
            job.created = job.due.saturating_sub(job.work.takes());
            job.begins = job.begins.max(job.created);
        }
        self.history.sort_by_key(|job| job.end.as_ref().map_or(job.due, |end| end.at));
    }

    /// The server of this id.
    pub(crate) fn server(&self, uuid: &str) -> Option<&Server> {
        self.operators.servers.iter().find(|server| server.uuid == uuid)
    }

    /// Where the workflow service is, as answers that begin jobs say.
    pub(crate) fn workflow_url(&self) -> String {
        format!("http://workflow.{}.{DOMAIN}", self.datacenter)
    }

    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}

/// The platform of the servers.
pub(crate) const PLATFORM: &str = "20260115T000102Z";

/// The domain of all names in the data center.
pub(crate) const DOMAIN: &str = "example.com";

/// Whether text has the form of a UUID in its usual writing.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// A new random id.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The namespace of URLs, as RFC 9562 has it.
const NAMESPACE: [u8; 16] =
    [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];

/// The id of a thing of this path, such as `machines/acme/web1`: the same in every run, and on every machine. It is the
/// UUID of version 5 of `sdc-emulator:` and the path, among URLs.
pub(crate) fn id_of(path: &str) -> String {
    let digest = Sha1::new().chain_update(NAMESPACE).chain_update("sdc-emulator:").chain_update(path).finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
    uuid::Builder::from_sha1_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::id_of;

    #[test]
    fn an_id_is_a_uuid_of_version_5_that_others_can_compute() {
        // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "sdc-emulator:machines/acme/web1"))'
        assert_eq!(id_of("machines/acme/web1"), "d3142dea-1dc3-51c9-87ce-5173437f3d23");
    }
}
