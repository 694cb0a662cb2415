//! Interfaces. Those of VMs are the VMs' own; those of servers, and of what is not there yet or no longer, are kept by
//! themselves.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, is_lower_uuid, missing, route};
use super::fields::{self, Fields, among, check_match, denied, duplicate, tagged, wrong};
use super::networks::named;
use super::nic_tags::{check_tag, check_tags, is_id};
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::denied::Denied;
use crate::emulator::datacenter::nics::{Held, Holder};
use crate::emulator::datacenter::state::{LooseNic, Nic, State, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/nics", &["ListNics"], list),
    route("POST", "/nics", &["CreateNic"], create),
    route("POST", "/networks/:network_uuid/nics", &["ProvisionNic"], provision),
    route("GET", "/nics/:mac", &["GetNic"], get),
    route("PUT", "/nics/:mac", &["UpdateNic"], update),
    route("DELETE", "/nics/:mac", &["DeleteNic"], delete),
];

/// What may belong to an interface only when it is true.
const FLAGS: &[&str] = &[
    "allow_dhcp_spoofing",
    "allow_ip_spoofing",
    "allow_mac_spoofing",
    "allow_restricted_traffic",
    "allow_unfiltered_promisc",
    "underlay",
];

const KINDS: &[&str] = &["other", "server", "zone"];
const STATES: &[&str] = &["provisioning", "running", "stopped"];

/// An interface as NAPI shows it.
fn view(state: &State, held: &Held<'_>) -> Value {
    let nic = held.nic;
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    let (created, modified) = held.times();
    put("belongs_to_type", held.kind().into());
    put("belongs_to_uuid", held.uuid().into());
    put("mac", nic.mac.clone().into());
    put("owner_uuid", held.owner.into());
    put("primary", nic.primary.into());
    put("state", held.state().into());
    put("created_timestamp", iso(created).into());
    put("modified_timestamp", iso(modified).into());
    let network = state.networks.iter().find(|network| network.id == nic.network && !nic.ip.is_empty());
    if let Some(network) = network {
        put("ip", nic.ip.clone().into());
        let mut of_network = super::networks::view(network);
        for name in
            ["fabric", "gateway", "gateway_provisioned", "internet_nat", "mtu", "netmask", "resolvers", "vlan_id"]
        {
            if let Some(value) = of_network.remove(name) {
                put(name, value);
            }
        }
        put("network_uuid", network.id.clone().into());
        put("nic_tag", network.nic_tag().into());
        if !network.routes.is_empty() {
            let local = format!("macs[{}]", nic.mac);
            let hop = |hop: &Value| if hop == "linklocal" { local.clone().into() } else { hop.clone() };
            let routes: Map<String, Value> = network.routes.iter().map(|(to, via)| (to.clone(), hop(via))).collect();
            put("routes", Value::Object(routes));
        }
    } else if let Holder::Loose(loose) = held.by
        && !loose.nic_tag.is_empty()
    {
        put("nic_tag", loose.nic_tag.clone().into());
    }
    if !held.server().is_empty() {
        put("cn_uuid", held.server().into());
    }
    if let Holder::Vm(vm) | Holder::Planned(vm, _) = held.by
        && vm.hvm()
    {
        put("model", "virtio".into());
    }
    for (name, value) in &nic.more {
        put(name, value.clone());
    }
    Value::Object(view)
}

const FILTERS: &[&str] = &[
    "owner_uuid",
    "belongs_to_uuid",
    "belongs_to_type",
    "network_uuid",
    "nic_tag",
    "nic_tags_provided",
    "cn_uuid",
    "state",
];

fn list(call: &mut Call<'_>) -> Outcome {
    let known = [FILTERS, FLAGS].concat();
    let (mut fields, page) = Fields::of_list(call, &known);
    let mut filters: Vec<(&str, Vec<String>)> = Vec::new();
    for name in ["owner_uuid", "belongs_to_uuid", "network_uuid", "cn_uuid"] {
        filters.extend(fields.uuids(name).map(|list| (name, list)));
    }
    for (name, words) in [("belongs_to_type", KINDS), ("state", STATES)] {
        let Some(list) = fields.list(name) else { continue };
        if list.iter().any(|word| !words.contains(&word.as_str())) {
            fields.one_of(name, words);
        }
        filters.push((name, list));
    }
    filters.extend(fields.list("nic_tag").map(|list| ("nic_tag", list)));
    let provided = fields.list("nic_tags_provided");
    let flags: Vec<(&str, bool)> = FLAGS.iter().filter_map(|name| Some((*name, fields.flag(name)?))).collect();
    fields.check()?;
    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let fits = |row: &Value, (name, wanted): &(&str, Vec<String>)| {
        let has = text(row, name);
        // That of a fabric goes by its first half too.
        let whole = among(Some(wanted), &has);
        whole || *name == "nic_tag" && has.split_once('/').is_some_and(|(tag, _)| among(Some(wanted), tag))
    };
    let provides = |row: &Value| {
        let tags = row.get("nic_tags_provided").and_then(Value::as_array);
        provided.as_ref().is_none_or(|wanted| {
            tags.into_iter().flatten().filter_map(Value::as_str).any(|tag| wanted.iter().any(|one| one == tag))
        })
    };
    let flagged = |row: &Value| flags.iter().all(|(name, is)| (row.get(*name) == Some(&Value::Bool(true))) == *is);
    let mut found: Vec<Held<'_>> = call.state.nics().collect();
    found.sort_by(|one, other| one.nic.mac.cmp(&other.nic.mac));
    let rows = found.iter().map(|held| view(call.state, held));
    Ok(page.of(rows.filter(|row| filters.iter().all(|one| fits(row, one)) && provides(row) && flagged(row))))
}

/// The hardware address that the path names.
fn mac(call: &Call<'_>) -> Result<String, Refusal> {
    fields::mac(&call.part("mac")).ok_or_else(|| wrong("mac", "invalid MAC address"))
}

fn find<'a>(call: &'a Call<'_>) -> Result<Held<'a>, Refusal> {
    let mac = mac(call)?;
    call.state.nic(&mac).ok_or_else(|| missing("nic not found"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    tagged(call, &view(call.state, &find(call)?))
}

/// What a request says of an interface.
struct Wanted {
    mac: Option<String>,
    ip: Option<Ipv4Addr>,
    /// The id of a network or pool.
    network: Option<String>,
    nic_tag: Option<String>,
    vlan_id: Option<u64>,
    kind: Option<String>,
    uuid: Option<String>,
    owner: Option<String>,
    primary: Option<bool>,
    reserved: Option<bool>,
    state: Option<String>,
    server: Option<String>,
    /// Of a pool, only networks of these tags will do.
    available: Option<Vec<String>>,
    check_owner: bool,
    /// What is kept as it is: tags that it provides, its model, and what it may do.
    more: Map<String, Value>,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>, state: &State) -> Wanted {
        let mut more = Map::new();
        for name in FLAGS {
            if let Some(flag) = fields.flag(name) {
                more.insert((*name).to_owned(), flag.into());
            }
        }
        if let Some(tags) = check_tags(fields, "nic_tags_provided", state) {
            more.insert("nic_tags_provided".to_owned(), json!(tags));
        }
        if let Some(model) = fields.text("model") {
            more.insert("model".to_owned(), model.into());
        }
        let network = fields.get("network_uuid").and_then(params::text);
        if network.as_deref().is_some_and(|id| !is_id(id)) {
            fields.wrong("network_uuid", "invalid UUID");
        }
        let network = network.filter(|id| is_id(id));
        let there = |id: &String| named(state, id).is_some() || state.pool(id).is_some();
        if network.as_ref().is_some_and(|id| !there(id)) {
            fields.wrong("network_uuid", "network does not exist");
        }
        Wanted {
            mac: fields.mac("mac"),
            ip: fields.ip("ip"),
            network,
            nic_tag: check_tag(fields, state),
            vlan_id: fields.vlan(),
            kind: fields.one_of("belongs_to_type", KINDS),
            uuid: fields.uuid("belongs_to_uuid"),
            owner: fields.uuid("owner_uuid"),
            primary: fields.flag("primary"),
            reserved: fields.flag("reserved"),
            state: fields.one_of("state", STATES),
            server: fields.uuid("cn_uuid"),
            available: fields.list("nic_tags_available"),
            check_owner: fields.flag("check_owner") != Some(false),
            more,
        }
    }

    /// Notes what does not go together, of an interface of this kind.
    fn check(&mut self, fields: &mut Fields<'_>, kind: &str, owner: &str, server: &str, state: &State) {
        if self.more.get("underlay") == Some(&Value::Bool(true)) && kind != "server" {
            fields.wrong("underlay", "Only server NICs can be underlay NICs");
        }
        if let (Some(ip), None) = (self.ip, &self.network) {
            self.network = on(fields, state, ip, self.nic_tag.as_deref(), self.vlan_id);
        }
        let Some(id) = self.network.clone() else { return };
        if let Some(pool) = state.pool(&id) {
            if self.ip.is_some() {
                fields.wrong("ip", "IP cannot be specified with a network pool");
            }
            if self.check_owner && !state.may_use(pool, owner) {
                fields.wrong("owner_uuid", "owner cannot provision on network pool");
            }
            return;
        }
        let Some(network) = named(state, &id) else { return };
        self.network = Some(network.id.clone());
        if let Some(ip) = self.ip.filter(|ip| !network.holds(*ip)) {
            fields.wrong("ip", format!("IP address {ip} is outside the subnet for given network {}", network.id));
        }
        if self.check_owner && !state.may_provision(network, owner) {
            fields.wrong("owner_uuid", "owner cannot provision on network");
        }
        if network.fabric && server.is_empty() && kind == "zone" {
            fields.require(&["cn_uuid"]);
        }
    }

    /// An interface with an address on the network or pool that is wanted.
    fn place(&self, state: &mut State) -> Result<Option<Nic>, Refusal> {
        let Some(id) = &self.network else { return Ok(None) };
        let pool = state.pool(id).cloned();
        let members = pool.map_or_else(|| vec![id.clone()], |pool| pool.networks);
        let pooled = members.as_slice() != [id.clone()];
        let used = state.used(&[id]);
        for member in members {
            let network = named(state, &member);
            let tag = network.map(|network| network.tag().to_owned()).unwrap_or_default();
            if pooled && self.available.as_ref().is_some_and(|tags| !tags.contains(&tag)) {
                continue;
            }
            match state.interface(&member, self.ip, &used, &[]) {
                Ok(nic) => return Ok(Some(nic)),
                Err(Denied::SubnetFull) if pooled => {}
                Err(why) => {
                    let network = named(state, &member);
                    let holder = self.ip.zip(network).and_then(|(ip, network)| state.holder(network, ip));
                    return Err(denied(why, &member, holder));
                }
            }
        }
        Err(denied(Denied::PoolFull, id, None))
    }
}

/// The network on which an address is that is given with a tag and a VLAN alone.
fn on(fields: &mut Fields<'_>, state: &State, ip: Ipv4Addr, tag: Option<&str>, vlan_id: Option<u64>) -> Option<String> {
    let (Some(tag), Some(vlan_id)) = (tag, vlan_id) else {
        for (name, given) in [("nic_tag", tag.is_some()), ("vlan_id", vlan_id.is_some())] {
            if !given {
                fields.wrong(name, "required if IP specified but not network_uuid");
            }
        }
        return None;
    };
    let mut all = state.networks.iter().filter(|network| network.tag() == tag && network.vlan_id == vlan_id);
    let found = all.find(|network| network.holds(ip)).map(|network| network.id.clone());
    if found.is_none() {
        let words = format!(
            "No networks matching this nic_tag (\"{tag}\") and vlan_id ({vlan_id}) contained the IP address {ip}"
        );
        fields.wrong("ip", words);
    }
    found
}

fn create(call: &mut Call<'_>) -> Outcome {
    made(call, &["belongs_to_uuid", "belongs_to_type", "owner_uuid"])
}

/// An interface on the network or pool that the path names.
fn provision(call: &mut Call<'_>) -> Outcome {
    let id = call.part("network_uuid");
    if named(call.state, &id).is_none() && call.state.pool(&id).is_none() {
        return Err(super::networks::unknown());
    }
    made(call, &["belongs_to_uuid", "belongs_to_type", "owner_uuid"])
}

fn made(call: &mut Call<'_>, required: &[&str]) -> Outcome {
    let given = call.params.clone();
    let mut fields = Fields::of(&given);
    fields.require(required);
    let mut wanted = Wanted::read(&mut fields, call.state);
    fields.check()?;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let (kind, owner, server) = (text(&wanted.kind), text(&wanted.owner), text(&wanted.server));
    wanted.check(&mut fields, &kind, &owner, &server, call.state);
    fields.check()?;
    if wanted.mac.as_deref().is_some_and(|mac| call.state.nic(mac).is_some()) {
        return Err(duplicate("Invalid parameters", "mac"));
    }
    let placed = wanted.place(call.state)?;
    let mut nic = placed.unwrap_or_else(|| Nic { mac: free_mac(call.state), ..Nic::default() });
    if let Some(mac) = wanted.mac.take() {
        nic.mac = mac;
    }
    nic.state = wanted.state.take().unwrap_or_else(|| "provisioning".to_owned());
    nic.more = std::mem::take(&mut wanted.more);
    nic.more.retain(|_, value| *value != Value::Bool(false));
    if !server.is_empty() {
        nic.more.insert("cn_uuid".to_owned(), server.into());
    }
    let (mac, uuid) = (nic.mac.clone(), text(&wanted.uuid));
    if wanted.primary == Some(true) {
        nic.primary = true;
        lead(call.state, &uuid);
    }
    keep_address(call.state, &nic, wanted.reserved);
    let loose = LooseNic {
        nic_tag: if nic.ip.is_empty() { text(&wanted.nic_tag) } else { String::new() },
        nic,
        belongs_to_type: kind,
        belongs_to_uuid: uuid,
        owner_uuid: owner,
        created: call.now,
        modified: call.now,
    };
    call.state.operators.nics.push(loose);
    shown(call, &mac)
}

fn shown(call: &Call<'_>, mac: &str) -> Outcome {
    let held = call.state.nic(mac).ok_or_else(|| missing("nic not found"))?;
    tagged(call, &view(call.state, &held))
}

/// A hardware address of the platform's that no interface has.
fn free_mac(state: &State) -> String {
    loop {
        let digits: String = new_id().chars().filter(char::is_ascii_hexdigit).take(6).collect();
        let made = fields::mac(&format!("90b8d0{digits}")).unwrap_or_default();
        if state.nic(&made).is_none() {
            return made;
        }
    }
}

/// Has no interface of this owner be the primary one any more.
fn lead(state: &mut State, uuid: &str) {
    let macs: Vec<String> =
        state.nics().filter(|held| held.uuid() == uuid && held.nic.primary).map(|held| held.nic.mac.clone()).collect();
    for mac in macs {
        if let Some(nic) = state.nic_mut(&mac) {
            nic.primary = false;
        }
    }
}

/// Notes whether the address of an interface is kept when nothing has it.
fn keep_address(state: &mut State, nic: &Nic, reserved: Option<bool>) {
    let network = state.networks.iter_mut().find(|network| network.id == nic.network);
    if let (Some(reserved), Some(network), Ok(ip)) = (reserved, network, nic.ip.parse()) {
        network.records.entry(ip).or_default().reserved = reserved;
    }
}

fn update(call: &mut Call<'_>) -> Outcome {
    let held = find(call)?;
    check_match(call, &view(call.state, &held))?;
    let mut given = call.params.clone();
    given.remove("mac");
    let mut fields = Fields::of(&given);
    let mut wanted = Wanted::read(&mut fields, call.state);
    fields.check()?;
    let before = (held.kind().to_owned(), held.uuid(), held.owner.to_owned());
    let kind = wanted.kind.clone().unwrap_or(before.0.clone());
    let owner = wanted.owner.clone().unwrap_or(before.2.clone());
    let uuid = wanted.uuid.clone().unwrap_or(before.1.clone());
    let server = wanted.server.clone().unwrap_or(held.server().to_owned());
    let old = held.nic.clone();
    let (created, was_loose) = (held.times().0, matches!(held.by, Holder::Loose(_)));
    let tag = if let Holder::Loose(loose) = held.by { loose.nic_tag.clone() } else { String::new() };
    // Another address of the same network.
    if wanted.ip.is_some() && wanted.network.is_none() && wanted.nic_tag.is_none() && !old.network.is_empty() {
        wanted.network = Some(old.network.clone());
    }
    wanted.check(&mut fields, &kind, &owner, &server, call.state);
    fields.check()?;
    let same_network = wanted.network.as_ref().is_none_or(|id| *id == old.network);
    let same_ip = wanted.ip.is_none_or(|ip| ip.to_string() == old.ip);
    let mut nic = old.clone();
    if !(same_network && same_ip) {
        let placed = wanted.place(call.state)?.unwrap_or_default();
        nic = Nic { mac: old.mac.clone(), primary: old.primary, state: old.state.clone(), more: old.more, ..placed };
        call.state.free(&Nic { more: Map::new(), ..old });
    }
    nic.more.extend(std::mem::take(&mut wanted.more));
    nic.more.retain(|_, value| *value != Value::Bool(false));
    if let Some(primary) = wanted.primary {
        nic.primary = primary;
        if primary {
            lead(call.state, &uuid);
        }
    }
    keep_address(call.state, &nic, wanted.reserved);
    let mac = nic.mac.clone();
    let moved = (kind.clone(), uuid.clone(), owner.clone()) != before;
    if was_loose || moved {
        // What a server tells of its VMs counts for theirs; what belongs to no VM is as the operator says.
        let usual = if was_loose { nic.state.clone() } else { "running".to_owned() };
        nic.state = wanted.state.take().unwrap_or(usual);
        if !server.is_empty() {
            nic.more.insert("cn_uuid".to_owned(), server.into());
        }
        call.state.drop_nic(&mac);
        let nic_tag = wanted.nic_tag.clone().unwrap_or(tag);
        call.state.operators.nics.push(LooseNic {
            nic_tag: if nic.ip.is_empty() { nic_tag } else { String::new() },
            nic,
            belongs_to_type: kind,
            belongs_to_uuid: uuid,
            owner_uuid: owner,
            created,
            modified: call.now,
        });
    } else if let Some(slot) = call.state.nic_mut(&mac) {
        *slot = nic;
    }
    shown(call, &mac)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let held = find(call)?;
    check_match(call, &view(call.state, &held))?;
    let mac = held.nic.mac.clone();
    call.state.drop_nic(&mac);
    Ok(Reply::empty(204))
}

/// The server that an interface is of, if it is of one.
pub(super) fn server_of(state: &State, mac: &str) -> Option<String> {
    let held = state.nic(mac)?;
    (held.kind() == "server" && is_lower_uuid(&held.uuid())).then(|| held.uuid())
}
