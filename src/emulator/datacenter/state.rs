//! What the emulated cloud holds: plain data that can be written to a file and read again.
//! What happens to it over time is in `jobs`; how it is asked for, in `handlers`.

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::addresses::{Pool, Record, Vlan};
use super::fwrule::FirewallRule;
use super::jobs::Job;
use super::jobs::migrations::Migration;
use super::jobs::storage::{Disk, Snapshot};
use super::volume::{Mount, Volume};

/// Everything. What a file of an earlier version does not have is empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
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
    pub(crate) elsewhere: Vec<Elsewhere>,
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
pub(crate) struct Elsewhere {
    pub(crate) datacenter: String,
    pub(crate) image: Image,
}

/// An account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) login: String,
    /// The fields that are shown as they are: e-mail, names, address.
    pub(crate) profile: Map<String, Value>,
    pub(crate) cns: bool,
    pub(crate) disabled: bool,
    /// May not make machines yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unapproved: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) keys: Vec<Key>,
    pub(crate) users: Vec<User>,
    pub(crate) roles: Vec<Role>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) access_keys: Vec<AccessKey>,
    /// What it may have at most.
    pub(crate) limits: Vec<Limit>,
    /// The ids of the roles with which a thing is tagged, by its path without the account.
    pub(crate) role_tags: BTreeMap<String, Vec<String>>,
    pub(crate) default_network: Option<String>,
    /// May do anything with any account.
    pub(crate) operator: bool,
    /// May do so if it asks for the role `_operator`.
    pub(crate) role_operator: bool,
}

/// A sub-user of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) login: String,
    pub(crate) email: String,
    /// The fields that are shown as they are: names, address.
    pub(crate) profile: Map<String, Value>,
    pub(crate) disabled: bool,
    pub(crate) keys: Vec<Key>,
    pub(crate) access_keys: Vec<AccessKey>,
    /// Digests of the last passwords, newest last.
    pub(crate) passwords: Vec<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// A role: who has it, and what its policies allow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) held_by: Vec<Member>,
    /// The ids of its policies.
    pub(crate) policies: Vec<String>,
    /// How files of an earlier version say all that, in logins and names of actions.
    #[serde(flatten)]
    pub(crate) earlier: EarlierRole,
}

/// One who has a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Another account, and not a sub-user of this one.
    #[serde(default)]
    pub(crate) account: bool,
    pub(crate) id: String,
    /// Acts in it without asking.
    #[serde(default)]
    pub(crate) default: bool,
}

/// A role as it was kept when there were no policies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EarlierRole {
    #[serde(skip_serializing)]
    pub(crate) members: Vec<String>,
    #[serde(skip_serializing)]
    pub(crate) default_members: Vec<String>,
    #[serde(skip_serializing)]
    pub(crate) allows: Vec<String>,
}

/// A policy: rules by which a role may do things.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Each of them can be read by `aperture`.
    pub(crate) rules: Vec<String>,
    pub(crate) description: String,
}

/// A key for other services: an id and a secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) created: i64,
}

/// How much an account may have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limit {
    /// 0 is no limit at all, and less allows nothing.
    pub(crate) value: i64,
    /// What is counted: `ram` in MiB, `quota` in GiB, or `machines`, as when it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) by: String,
    /// Counts only machines whose `image`, `os` or `brand` is the value below; all when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) check: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) of: String,
}

/// An SSH key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    pub(crate) key: String,
}

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
    /// Not shown: one that can no longer be bought.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) inactive: bool,
}

/// A network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) description: String,
    pub(crate) fabric: bool,
    pub(crate) vlan_id: u64,
    pub(crate) subnet: String,
    pub(crate) provision_start_ip: String,
    pub(crate) provision_end_ip: String,
    pub(crate) gateway: String,
    pub(crate) resolvers: Vec<String>,
    /// The next hop to each subnet.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) routes: Map<String, Value>,
    pub(crate) internet_nat: bool,
    /// Whose it is; empty for one that is there for all accounts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) owner: String,
    /// How many addresses have been given out; they are given in order, and never twice.
    pub(crate) given: u32,
    /// Addresses that have been reserved, or were once in use.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) records: BTreeMap<Ipv4Addr, Record>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Nic {
    pub(crate) mac: String,
    pub(crate) ip: String,
    pub(crate) primary: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) gateway: String,
    pub(crate) netmask: String,
    pub(crate) network: String,
    /// `provisioning` until the machine has it; then empty, and it is as the machine is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) state: String,
}

/// A machine. Sizes are MiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Machine {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) brand: String,
    pub(crate) state: String,
    pub(crate) image: String,
    /// The package's id.
    pub(crate) package: String,
    pub(crate) memory: u64,
    pub(crate) disk: u64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Value>,
    /// Passwords, shown only with `credentials`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) credentials: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) tags: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) nics: Vec<Nic>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) firewall_enabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deletion_protection: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) docker: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) delegate_dataset: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) encrypted: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) compute_node: String,
    /// Disks of a bhyve machine, the one it boots from first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) disks: Vec<Disk>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) snapshots: Vec<Snapshot>,
    /// The volumes that it mounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<Mount>,
    /// Newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) audit: Vec<Entry>,
}

/// A finished job, as the audit log keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) action: String,
    pub(crate) success: bool,
    pub(crate) time: i64,
    pub(crate) caller: Value,
}

impl Machine {
    /// Hardware-virtualised, with disks of its own.
    pub(crate) fn hvm(&self) -> bool {
        matches!(self.brand.as_str(), "kvm" | "bhyve")
    }
}

/// The machines of all accounts, in the order of their making, and found by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Machine>", into = "Vec<Machine>")]
pub(crate) struct Machines {
    list: Vec<Machine>,
    by_id: HashMap<String, usize>,
}

impl Machines {
    pub(crate) fn get(&self, id: &str) -> Option<&Machine> {
        self.list.get(*self.by_id.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Machine> {
        self.list.get_mut(*self.by_id.get(id)?)
    }

    pub(crate) fn push(&mut self, machine: Machine) {
        self.by_id.insert(machine.id.clone(), self.list.len());
        self.list.push(machine);
    }

    /// Loses every trace of one.
    pub(crate) fn forget(&mut self, id: &str) {
        let kept: Vec<Machine> =
            std::mem::take(&mut self.list).into_iter().filter(|machine| machine.id != id).collect();
        *self = kept.into();
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Machine> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

impl From<Vec<Machine>> for Machines {
    fn from(list: Vec<Machine>) -> Self {
        let by_id = list.iter().enumerate().map(|(at, machine)| (machine.id.clone(), at)).collect();
        Machines { list, by_id }
    }
}

impl From<Machines> for Vec<Machine> {
    fn from(machines: Machines) -> Self {
        machines.list
    }
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

impl Key {
    /// The key of an OpenSSH line, named so, else by its comment, else by its fingerprint.
    pub(crate) fn new(name: &str, line: &str) -> Option<Key> {
        let read = crate::emulator::cloudapi::verify::read_key(line)?;
        let name = [name, read.comment.as_str(), read.fingerprint.as_str()].into_iter().find(|n| !n.is_empty())?;
        Some(Key { name: name.to_owned(), key: line.trim().to_owned(), fingerprint: read.fingerprint })
    }
}

impl Account {
    /// The sub-user of this login or id.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.login == name || user.id == name)
    }

    /// The same, to change it.
    pub(crate) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.login == name || user.id == name)
    }

    /// Whether the key of that name or fingerprint is here, among this list.
    pub(crate) fn find_key<'a>(keys: &'a [Key], name: &str) -> Option<&'a Key> {
        keys.iter().find(|key| key.fingerprint == name).or_else(|| keys.iter().find(|key| key.name == name))
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
