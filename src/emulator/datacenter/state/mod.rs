//! What the emulated cloud holds: plain data that can be written to a file and read again.
//! What happens to it over time is in `jobs`; how it is asked for, in `handlers`.

mod account;
mod firewall;
mod image;
mod job;
mod machine;
mod migration;
mod network;
mod storage;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clock::Pace;

pub(crate) use account::{AccessKey, Account, Key, Limit, Member, Policy, Role, User};
pub(crate) use firewall::FirewallRule;
pub(crate) use image::{Image, Package};
pub(crate) use job::{Job, Work};
pub(crate) use machine::{Entry, Machine, Machines};
pub(crate) use migration::{Migration, Progress, Step};
#[cfg(test)]
pub(crate) use network::Record;
pub(crate) use network::{Network, Nic, Pool, Vlan};
pub(crate) use storage::{Disk, Mount, Snapshot, Volume};

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
    pub(crate) machines: Machines,
    pub(crate) migrations: Vec<Migration>,
    /// Images of the other data centers.
    pub(crate) elsewhere: Vec<RemoteImage>,
    pub(crate) switches: Switches,
    /// What will have happened by some time, earliest first.
    pub(crate) jobs: Vec<Job>,
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

    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }
}

/// Whether text has the form of a UUID in its usual writing.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// A new random id.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
