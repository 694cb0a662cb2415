//! Every interface of the data center, whoever has it: VMs, VMs in the making, volumes, servers, or nobody any more.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::state::{LooseNic, Network, Nic, OVERLAY, State, Vm, Volume, Work};

/// Who has an interface.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Holder<'a> {
    Vm(&'a Vm),
    /// A VM in the making, and the server that it will be on.
    Planned(&'a Vm, &'a str),
    Volume(&'a Volume),
    Loose(&'a LooseNic),
}

/// An interface, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'a> {
    pub(crate) nic: &'a Nic,
    /// The id of the account.
    pub(crate) owner: &'a str,
    /// The id of the machine; `None` for what is of none.
    pub(crate) machine: Option<&'a str>,
    pub(crate) by: Holder<'a>,
}

impl<'a> Held<'a> {
    fn of_vm(nic: &'a Nic, vm: &'a Vm, by: Holder<'a>) -> Held<'a> {
        Held { nic, owner: &vm.owner_uuid, machine: Some(&vm.uuid), by }
    }

    /// `zone`, `server` or `other`.
    pub(crate) fn kind(&self) -> &'a str {
        match self.by {
            Holder::Loose(loose) => &loose.belongs_to_type,
            _ => "zone",
        }
    }

    /// The id of what has it.
    pub(crate) fn uuid(&self) -> String {
        match self.by {
            Holder::Vm(vm) | Holder::Planned(vm, _) => vm.uuid.clone(),
            Holder::Volume(volume) => volume.zone_id(),
            Holder::Loose(loose) => loose.belongs_to_uuid.clone(),
        }
    }

    /// `provisioning`, `running` or `stopped`.
    pub(crate) fn state(&self) -> &'a str {
        match self.by {
            _ if !self.nic.state.is_empty() => &self.nic.state,
            Holder::Planned(..) => "provisioning",
            Holder::Vm(vm) if vm.state == "provisioning" => "provisioning",
            Holder::Vm(vm) if vm.state == "stopped" => "stopped",
            Holder::Volume(volume) if volume.state == "creating" => "provisioning",
            _ => "running",
        }
    }

    /// The server that it is on; empty where nobody knows.
    pub(crate) fn server(&self) -> &'a str {
        match self.by {
            Holder::Vm(vm) => &vm.server_uuid,
            Holder::Planned(_, server) => server,
            Holder::Volume(volume) => volume.server(),
            Holder::Loose(loose) => loose.nic.more.get("cn_uuid").and_then(Value::as_str).unwrap_or_default(),
        }
    }

    /// When it was made, and when it last changed.
    pub(crate) fn times(&self) -> (i64, i64) {
        match self.by {
            Holder::Vm(vm) | Holder::Planned(vm, _) => (vm.create_timestamp, vm.last_modified),
            Holder::Volume(volume) => (volume.created, volume.created),
            Holder::Loose(loose) => (loose.created, loose.modified),
        }
    }
}

/// Of what is said of an interface that which stays with it when a VM has it: the rest follows from the VM.
pub(crate) fn of_vm(more: &Map<String, Value>) -> Map<String, Value> {
    let stays =
        more.iter().filter(|(name, _)| !["cn_uuid", "model", "nic_tags_provided", "underlay"].contains(&name.as_str()));
    stays.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What is known of an address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Address {
    pub(crate) reserved: bool,
    /// The platform keeps it for itself.
    pub(crate) managed: bool,
    /// Something has it, whoever that belongs to.
    pub(crate) held: bool,
    pub(crate) owner: String,
    /// What has it: `zone`, `server` or `other`, and its id.
    pub(crate) kind: String,
    pub(crate) uuid: String,
}

impl Address {
    /// Nobody has it, and nobody keeps it.
    pub(crate) fn is_free(&self) -> bool {
        !self.reserved && !self.managed && !self.held && self.owner.is_empty() && self.uuid.is_empty()
    }
}

impl State {
    /// Every interface, with an address or without. Machines that are gone or failed have given theirs back; machines in
    /// the making get theirs only when they run.
    pub(crate) fn nics(&self) -> impl Iterator<Item = Held<'_>> {
        let machines = self.vms.iter().filter(|machine| machine.is_active());
        let machines = machines.flat_map(|vm| vm.nics.iter().map(move |nic| Held::of_vm(nic, vm, Holder::Vm(vm))));
        let planned = self.jobs.iter().filter_map(|job| match &job.work {
            Work::Provision { nics, compute_node } => Some((self.vms.get(&job.vm_uuid)?, nics, compute_node)),
            _ => None,
        });
        let planned = planned.flat_map(|(vm, nics, server)| {
            nics.iter().map(move |nic| Held::of_vm(nic, vm, Holder::Planned(vm, server)))
        });
        let volumes = self.volumes.iter().filter(|volume| !volume.nic.mac.is_empty());
        let volumes = volumes.map(|volume| Held {
            nic: &volume.nic,
            owner: &volume.owner,
            machine: None,
            by: Holder::Volume(volume),
        });
        let loose = self.operators.nics.iter().map(|loose| Held {
            nic: &loose.nic,
            owner: &loose.owner_uuid,
            machine: None,
            by: Holder::Loose(loose),
        });
        machines.chain(planned).chain(volumes).chain(loose)
    }

    /// The interface of this hardware address.
    pub(crate) fn nic(&self, mac: &str) -> Option<Held<'_>> {
        self.nics().find(|held| held.nic.mac == mac)
    }

    /// The same, to change it.
    pub(crate) fn nic_mut(&mut self, mac: &str) -> Option<&mut Nic> {
        let machines = self.vms.iter_mut().filter(|machine| machine.is_active());
        let planned = self.jobs.iter_mut().filter_map(|job| match &mut job.work {
            Work::Provision { nics, .. } => Some(nics),
            _ => None,
        });
        machines
            .flat_map(|vm| vm.nics.iter_mut())
            .chain(planned.flatten())
            .chain(self.volumes.iter_mut().map(|volume| &mut volume.nic))
            .chain(self.operators.nics.iter_mut().map(|loose| &mut loose.nic))
            .find(|nic| nic.mac == mac)
    }

    /// Takes an interface from whoever has it, and remembers its address as one that was in use.
    pub(crate) fn drop_nic(&mut self, mac: &str) {
        let mut left: Vec<Nic> = Vec::new();
        for vm in self.vms.iter_mut().filter(|vm| vm.is_active()) {
            left.extend(vm.take_nic(mac));
        }
        for job in &mut self.jobs {
            if let Work::Provision { nics, .. } = &mut job.work {
                left.extend(nics.extract_if(.., |nic| nic.mac == mac));
            }
        }
        for volume in self.volumes.iter_mut().filter(|volume| volume.nic.mac == mac) {
            left.push(std::mem::take(&mut volume.nic));
        }
        left.extend(self.operators.nics.extract_if(.., |loose| loose.nic.mac == mac).map(|loose| loose.nic));
        for nic in &left {
            self.free(nic);
        }
    }

    /// Whether a server is on the networks of a tag: by its interfaces, or by those that are used as one. Fabrics are
    /// on every server that is on the network below them.
    pub(crate) fn carries(&self, server: &str, tag: &str) -> bool {
        let named = |value: &Value| value.as_array().is_some_and(|tags| tags.iter().any(|one| one == tag));
        let of = |held: &Held<'_>| match held.nic.more.get("underlay") {
            Some(Value::Bool(true)) if tag == OVERLAY => true,
            _ => held.nic.more.get("nic_tags_provided").is_some_and(named),
        };
        let mut own = self.nics().filter(|held| held.kind() == "server" && held.uuid() == server);
        let together = self.operators.aggregations.iter().filter(|one| one.belongs_to_uuid == server);
        own.any(|held| of(&held)) || together.flat_map(|one| &one.nic_tags_provided).any(|one| one == tag)
    }

    /// Loses the interfaces that were made for a VM that will never have them.
    pub(crate) fn drop_loose_of(&mut self, vm: &str) {
        let gone: Vec<Nic> = (self.operators.nics)
            .extract_if(.., |loose| loose.belongs_to_type == "zone" && loose.belongs_to_uuid == vm)
            .map(|loose| loose.nic)
            .collect();
        for nic in &gone {
            self.free(nic);
        }
    }

    /// Keeps interfaces in NAPI that their VM has no more, or never had: nobody has given them up.
    pub(crate) fn leave_behind(&mut self, now: i64, vm: &str, nics: Vec<Nic>) {
        let Some(vm) = self.vms.get(vm) else { return };
        let was = if vm.is_destroyed() { "stopped" } else { "provisioning" };
        let left = nics.into_iter().map(|nic| {
            let mut more = nic.more;
            more.insert("cn_uuid".to_owned(), vm.server_uuid.clone().into());
            LooseNic {
                nic: Nic { state: was.to_owned(), more, ..nic },
                belongs_to_type: "zone".to_owned(),
                belongs_to_uuid: vm.uuid.clone(),
                owner_uuid: vm.owner_uuid.clone(),
                nic_tag: String::new(),
                created: vm.create_timestamp,
                modified: now,
            }
        });
        self.operators.nics.extend(left);
    }

    /// The interfaces that were created in NAPI for a VM and are not attached to it, in the form that they take on it.
    pub(crate) fn loose_of<'a>(&'a self, vm: &'a str) -> impl Iterator<Item = Nic> + 'a {
        let own = move |loose: &&LooseNic| loose.belongs_to_type == "zone" && loose.belongs_to_uuid == vm;
        self.operators.nics.iter().filter(own).map(|LooseNic { nic, .. }| Nic {
            state: String::new(),
            more: of_vm(&nic.more),
            ..nic.clone()
        })
    }

    /// Removes interfaces from those that are not attached to a VM.
    pub(crate) fn take_loose(&mut self, nics: &[Nic]) {
        self.operators.nics.retain(|loose| !nics.iter().any(|nic| nic.mac == loose.nic.mac));
    }

    /// What has an address of a network: its kind, and its id.
    pub(crate) fn holder(&self, network: &Network, ip: Ipv4Addr) -> Option<(String, String)> {
        let text = ip.to_string();
        let held = self.held().find(|held| held.nic.network == network.id && held.nic.ip == text);
        if let Some(held) = held {
            return Some((held.kind().to_owned(), held.uuid()));
        }
        let record = network.records.get(&ip).filter(|record| !record.belongs_to_uuid.is_empty())?;
        Some((record.belongs_to_type.clone(), record.belongs_to_uuid.clone()))
    }

    /// All records of a network, those too of addresses that were reserved or in use once and are free now.
    pub(crate) fn addresses(&self, network: &Network) -> BTreeMap<Ipv4Addr, Address> {
        let mut all: BTreeMap<Ipv4Addr, Address> = BTreeMap::new();
        for (ip, record) in &network.records {
            let address = Address {
                reserved: record.reserved,
                owner: record.owner.clone(),
                kind: record.belongs_to_type.clone(),
                uuid: record.belongs_to_uuid.clone(),
                ..Address::default()
            };
            all.insert(*ip, address);
        }
        // A machine that is gone or failed leaves its address behind as a free one.
        for machine in self.vms.iter().filter(|machine| !machine.is_active()) {
            for nic in machine.nics.iter().filter(|nic| nic.network == network.id) {
                if let Ok(ip) = nic.ip.parse() {
                    all.entry(ip).or_default();
                }
            }
        }
        for held in self.held().filter(|held| held.nic.network == network.id) {
            if let Ok(ip) = held.nic.ip.parse() {
                let address = all.entry(ip).or_default();
                address.held = true;
                held.owner.clone_into(&mut address.owner);
                held.kind().clone_into(&mut address.kind);
                address.uuid = held.uuid();
            }
        }
        for ip in network.managed_ips() {
            let address = all.entry(ip).or_default();
            (address.managed, address.reserved) = (true, true);
        }
        all
    }
}
