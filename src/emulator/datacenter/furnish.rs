//! What the internal services need besides what customers see: servers, the admin network, the zones of the services
//! and what SAPI says of them. It is put into a data center when those services are asked for, and only once; the
//! addresses are put right at every start.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::affinity::{NODE_RAM, NODES};
use super::seed::{DAY, OPERATOR, image, other, package};
use super::state::{
    Account, Aggregation, DOMAIN, Entry, LooseNic, Network, Nic, NicTag, Operators, Package, Server, State, Vm, Work,
    id_of,
};

/// The server that carries the services.
pub(crate) const HEADNODE: &str = "44454c4c-3100-1039-8036-b4c04f4d3132";
/// A server that has booted and is not set up yet.
const UNSET: &str = "44454c4c-6100-1052-8037-b7c04f595a32";
/// A server that nobody has heard from for a while.
const DOWN: &str = "44454c4c-5a00-1060-8041-c7c04f595a33";
const ADMIN: &str = "9d5c1e60-5a7c-4d9e-9fb0-4b5c6d7e8f10";
/// The admin network of one rack, where a data center has grown one.
const RACK: &str = "9d5c1e60-5a7c-4d9e-9fb0-4b5c6d7e8f12";
const UNDERLAY: &str = "9d5c1e60-5a7c-4d9e-9fb0-4b5c6d7e8f11";
const SERVICE_IMAGE: &str = "c58161c0-2547-11e2-8b2d-0050569c0b2c";

/// Services that have a zone, in the order of their addresses.
const ZONES: &[&str] = &[
    "sapi",
    "vmapi",
    "workflow",
    "napi",
    "papi",
    "imgapi",
    "cnapi",
    "mahi",
    "fwapi",
    "ufds",
    "amon",
    "amonredis",
    "adminui",
    "cloudapi",
    "moray",
    "manatee",
    "binder",
    "rabbitmq",
    "assets",
    "dhcpd",
    "sdc",
];
/// Services that were set up later, some of which have no zone.
const LATER: &[&str] = &["volapi", "cns", "cmon", "portolan", "nat", "docker"];
/// Services with a way to ask for their health that are not served: they are not installed here.
const UNSERVED: &[&str] = &["fwapi", "volapi", "amon"];
/// Services of a data center that has grown whose zones are on the admin network of a rack: nothing but their interfaces
/// says where they are.
const ON_RACK: &[&str] = &["cnapi", "imgapi"];
const RACK_TAG: &str = "admin_rack_r1";
const AGENTS: &[&str] = &[
    "cn-agent",
    "vm-agent",
    "net-agent",
    "config-agent",
    "firewaller",
    "amon-agent",
    "amon-relay",
    "hagfish-watcher",
    "smartlogin",
    "cmon-agent",
];

/// The packages of the services' zones: name, memory, swap, quota, cap, and id. Sizes are MiB.
const PACKAGES: &[(&str, u64, u64, u64, u64, &str)] = &[
    ("sdc_64", 64, 256, 25_600, 100, "0ea54d9d-8d4d-4959-a87e-bf47c0f61a47"),
    ("sdc_128", 128, 256, 25_600, 100, "73a1ca34-1e30-48c7-8681-70314a9c67d3"),
    ("sdc_256", 256, 512, 25_600, 150, "78aa629d-04fc-4ee5-881b-0b4a914e0c52"),
    ("sdc_512", 512, 1024, 25_600, 200, "5dd022c8-5388-43e3-9fdd-536df4ea4f9f"),
    ("sdc_768", 768, 1536, 25_600, 250, "1ee2a2ab-2138-8542-b563-a67bb03792f7"),
    ("sdc_1024", 1024, 2048, 25_600, 300, "4769a8f9-de51-4c1e-885f-c3920cc68137"),
    ("sdc_2048", 2048, 4096, 25_600, 400, "8d205d81-3672-4297-b80f-7822eb6c998b"),
    ("sdc_4096", 4096, 8192, 25_600, 400, "0ae33ebc-c216-11e2-9b84-6f7e2a82bc36"),
    ("sdc_8192", 8192, 16_384, 25_600, 400, "16425b42-b818-11e2-90d4-87477f18a688"),
];
const SDC_1024: &str = "4769a8f9-de51-4c1e-885f-c3920cc68137";
const SDC_8192: &str = "16425b42-b818-11e2-90d4-87477f18a688";

/// Where the admin network is on systems with one loopback address only: none of its addresses leads anywhere.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 0);

/// Where the services listen: each by its name, as `HOST` or `HOST:PORT`.
pub(crate) type Addresses = [(String, String)];

/// Which zones the services have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Those that they need, and few more.
    Usual,
    /// One each, and FWAPI and UFDS one that nobody serves: all that `sdcadmin` asks for.
    Single,
    /// What is there after years: some have gone, failed or been forgotten, others have come to stand beside them.
    Grown,
}

impl State {
    /// Puts in what is not there yet, and says where the services are.
    pub(crate) fn furnish(&mut self, now: i64, addresses: &Addresses, layout: Layout) {
        if self.operators.is_bare() {
            self.operators.servers = servers(now);
            let known: Vec<String> = self.operators.nic_tags.iter().map(|tag| tag.name.clone()).collect();
            self.operators.nic_tags.extend(nic_tags().into_iter().filter(|tag| !known.contains(&tag.name)));
            self.networks.extend([admin_network(), underlay_network()]);
            self.more_accounts(now);
            self.server_nics(now);
            self.orphan(now);
            self.packages.extend(core_packages());
            for package in self.packages.iter_mut().filter(|package| package.created == 0) {
                (package.created, package.updated) = (now - 300 * DAY, now - 300 * DAY);
            }
            if !self.images.iter().any(|image| image.id == SERVICE_IMAGE) {
                let mut own =
                    image(SERVICE_IMAGE, "sdc-service", "1.0.0", "smartos", "zone-dataset", "2026-01-15T00:00:00Z");
                own.public = false;
                self.images.push(own);
            }
            for (at, name) in ZONES.iter().chain(LATER).enumerate() {
                self.core_zone(now, name, 0, at);
            }
            match layout {
                // Services with more instances than one, one of which is gone.
                Layout::Usual => {
                    self.core_zone(now, "moray", 1, 40);
                    self.core_zone(now, "vmapi", 9, 41);
                    self.end_zone("vmapi", 9, "destroyed");
                }
                Layout::Single => {}
                Layout::Grown => self.grow(now),
            }
            self.operators.sapi.applications = vec![application(&self.datacenter)];
            self.sapi(layout);
            self.enter_past();
        }
        self.place(addresses);
    }

    /// What becomes of a data center over years.
    fn grow(&mut self, now: i64) {
        // The tenth is there before the second, which is the one that serves.
        self.core_zone(now, "vmapi", 10, 40);
        self.core_zone(now, "vmapi", 2, 41);
        self.core_zone(now, "papi", 1, 42);
        self.core_zone(now, "napi", 1, 43);
        self.end_zone("vmapi", 0, "destroyed");
        self.end_zone("papi", 1, "failed");
        // Of one the server is not heard from, and VMAPI says of its VMs that nobody knows how they are.
        self.core_zone(now, "mahi", 1, 44);
        if let Some(vm) = self.vms.get_mut(&zone_id("mahi", 1)) {
            DOWN.clone_into(&mut vm.server_uuid);
        }
        let mtu = 1500;
        self.operators.nic_tags.push(NicTag {
            uuid: id_of(&format!("nictags/{RACK_TAG}")),
            name: RACK_TAG.to_owned(),
            mtu,
        });
        self.networks.push(Network {
            id: RACK.to_owned(),
            name: RACK_TAG.to_owned(),
            nic_tag: RACK_TAG.to_owned(),
            vlan_id: 4,
            ..admin_network()
        });
        for name in ON_RACK {
            let nic = self.vms.get_mut(&zone_id(name, 0)).and_then(|vm| vm.nics.first_mut());
            nic.into_iter().for_each(|nic| RACK.clone_into(&mut nic.network));
        }
    }

    fn end_zone(&mut self, name: &str, number: usize, state: &str) {
        if let Some(vm) = self.vms.get_mut(&zone_id(name, number)) {
            state.clone_into(&mut vm.state);
        }
    }

    /// Another operator, and customers whom operators have to see to: one who may make nothing yet, and one who may do
    /// nothing any more.
    fn more_accounts(&mut self, now: i64) {
        for (login, operator, unapproved, disabled) in
            [("oncall", true, false, false), ("newcomer", false, true, false), ("suspended", false, false, true)]
        {
            if self.account(login).is_none() {
                let account = other(now, &id_of(&format!("accounts/{login}")), login, operator);
                self.accounts.push(Account { unapproved, disabled, ..account });
            }
        }
    }

    /// The interfaces of the servers: one on the admin network, which provides the tags of all networks, and on servers
    /// with fabrics one on the network below those. Two of the last server's are used as one.
    fn server_nics(&mut self, now: i64) {
        let servers = self.operators.servers.clone();
        for (at, server) in servers.iter().enumerate() {
            let nic = |last: usize, network: &str, ip: String, tags: &[&str]| LooseNic {
                nic: Nic {
                    mac: format!("00:25:90:aa:{at:02x}:{last:02x}"),
                    primary: network == ADMIN,
                    netmask: if ip.is_empty() { String::new() } else { "255.255.255.0".to_owned() },
                    network: network.to_owned(),
                    ip,
                    state: "running".to_owned(),
                    more: map(json!({ "nic_tags_provided": tags })),
                    ..Nic::default()
                },
                belongs_to_type: "server".to_owned(),
                belongs_to_uuid: server.uuid.clone(),
                owner_uuid: OPERATOR.to_owned(),
                nic_tag: String::new(),
                created: server.created,
                modified: now - 300 * DAY,
            };
            let tags: &[&str] = if server.setup { &["admin", "external", "internal", "customer"] } else { &["admin"] };
            let mut nics = vec![nic(1, ADMIN, server.admin_ip.clone(), tags)];
            if server.setup && !server.headnode {
                let mut below = nic(2, UNDERLAY, format!("10.21.0.{}", 4 + at), &["sdc_underlay"]);
                below.nic.more.insert("underlay".to_owned(), true.into());
                nics.extend([below, nic(3, "", String::new(), &[]), nic(4, "", String::new(), &[])]);
            }
            self.operators.nics.extend(nics);
        }
        let last = servers.iter().enumerate().rfind(|(_, server)| server.setup);
        if let Some((at, server)) = last {
            self.operators.aggregations.push(Aggregation {
                name: "aggr0".to_owned(),
                belongs_to_uuid: server.uuid.clone(),
                lacp_mode: "active".to_owned(),
                macs: vec![format!("00:25:90:aa:{at:02x}:03"), format!("00:25:90:aa:{at:02x}:04")],
                nic_tags_provided: Vec::new(),
            });
        }
    }

    /// An interface that was left behind by a VM of which nothing else is known any more.
    fn orphan(&mut self, now: i64) {
        let network =
            self.networks.iter().find(|network| !network.public && !network.fabric && network.owner.is_empty());
        let Some(id) = network.map(|network| network.id.clone()) else { return };
        let used = self.used(&[&id]);
        let Ok(nic) = self.interface(&id, None, &used, &[]) else { return };
        self.operators.nics.push(LooseNic {
            nic: Nic { state: "stopped".to_owned(), ..nic },
            belongs_to_type: "zone".to_owned(),
            belongs_to_uuid: id_of("zones/left-behind"),
            owner_uuid: OPERATOR.to_owned(),
            nic_tag: String::new(),
            created: now - 30 * DAY,
            modified: now - 30 * DAY,
        });
    }

    /// A zone of a service, with its interface on the admin network.
    fn core_zone(&mut self, now: i64, name: &str, number: usize, at: usize) {
        // Set up later, and never given a zone.
        if LATER.contains(&name) && name != "volapi" {
            return;
        }
        let uuid = zone_id(name, number);
        let ip = format!("10.20.0.{}", 20 + at);
        let billing = if name == "ufds" { SDC_8192 } else { SDC_1024 };
        let created = now - 300 * DAY;
        let mut vm = Vm {
            uuid,
            owner_uuid: OPERATOR.to_owned(),
            alias: format!("{name}{number}"),
            brand: "joyent-minimal".to_owned(),
            state: "running".to_owned(),
            image_uuid: SERVICE_IMAGE.to_owned(),
            create_timestamp: created,
            last_modified: created + 40_000,
            server_uuid: HEADNODE.to_owned(),
            tags: map(json!({ "smartdc_role": name, "smartdc_type": "core" })),
            nics: vec![Nic {
                mac: format!("90:b8:d0:20:00:{:02x}", 20 + at),
                ip,
                primary: true,
                netmask: "255.255.255.0".to_owned(),
                network: ADMIN.to_owned(),
                ..Nic::default()
            }],
            more: map(json!({ "maintain_resolvers": true })),
            earlier: vec![Entry {
                action: "provision".to_owned(),
                success: true,
                time: created + 40_000,
                caller: json!({ "type": "operator" }),
            }],
            ..Vm::default()
        };
        if let Some(package) = self.package(billing) {
            vm.fit(&package.clone());
        }
        self.vms.push(vm);
    }

    /// The services of the application, and their instances.
    fn sapi(&mut self, layout: Layout) {
        let domain = format!("{}.{DOMAIN}", self.datacenter);
        let application = application_id();
        let sapi = &mut self.operators.sapi;
        for name in ZONES.iter().chain(LATER) {
            sapi.services.push(map(json!({
                "uuid": id_of(&format!("sapi/services/{name}")),
                "name": name,
                "application_uuid": application,
                "params": {
                    "billing_id": if *name == "ufds" { SDC_8192 } else { SDC_1024 },
                    "image_uuid": SERVICE_IMAGE,
                    "networks": ["admin"],
                    "maintain_resolvers": true,
                    "tags": { "smartdc_role": name, "smartdc_type": "core" },
                },
                "metadata": { "SERVICE_NAME": name, "SERVICE_DOMAIN": format!("{name}.{domain}") },
                "manifests": {},
                "type": "vm",
            })));
        }
        for name in AGENTS {
            sapi.services.push(map(json!({
                "uuid": id_of(&format!("sapi/services/{name}")),
                "name": name,
                "application_uuid": application,
                "params": {},
                "metadata": { "SERVICE_NAME": name },
                "manifests": {},
                "type": "agent",
            })));
            sapi.instances.push(map(json!({
                "uuid": id_of(&format!("sapi/instances/{name}")),
                "service_uuid": id_of(&format!("sapi/services/{name}")),
                "params": { "server_uuid": HEADNODE },
                "metadata": {},
                "manifests": {},
                "type": "agent",
            })));
        }
        let zones: Vec<(String, String, String)> = (self.vms.iter())
            .filter(|vm| vm.tags.get("smartdc_type") == Some(&Value::from("core")))
            .filter_map(|vm| {
                Some((vm.uuid.clone(), vm.alias.clone(), vm.tags.get("smartdc_role")?.as_str()?.to_owned()))
            })
            .collect();
        let installed = |role: &str| !UNSERVED.contains(&role) || (layout, role) == (Layout::Single, "fwapi");
        for (uuid, alias, role) in zones.into_iter().filter(|(.., role)| installed(role)) {
            // Those who look for nothing but this need it of all.
            let metadata = if layout == Layout::Single { json!({ "ADMIN_IP": "" }) } else { json!({}) };
            self.operators.sapi.instances.push(map(json!({
                "uuid": uuid,
                "service_uuid": id_of(&format!("sapi/services/{role}")),
                "params": { "alias": alias, "server_uuid": HEADNODE },
                "metadata": metadata,
                "manifests": {},
                "type": "vm",
            })));
        }
        if layout == Layout::Grown {
            // Of one nobody knows the zone any more.
            self.vms.forget(&zone_id("napi", 1));
            let is_vmapi = |one: &&mut Map<String, Value>| one.get("name").is_some_and(|name| name == "vmapi");
            let vmapi = self.operators.sapi.services.iter_mut().find(is_vmapi);
            let metadata = vmapi.and_then(|one| one.get_mut("metadata")).and_then(Value::as_object_mut);
            metadata.into_iter().for_each(|metadata| {
                metadata.insert("server_state_affects_vm_state".to_owned(), true.into());
            });
        }
    }

    /// Puts the addresses where clients look for them: the metadata of the application and of the instances, and, where
    /// they are addresses alone, the interfaces of the zones.
    fn place(&mut self, addresses: &Addresses) {
        let domain = format!("{}.{DOMAIN}", self.datacenter);
        let first = addresses.iter().find_map(|(_, address)| address.split(':').next()?.parse().ok());
        self.move_admin_network(first.filter(|ip| *ip != Ipv4Addr::LOCALHOST).unwrap_or(ELSEWHERE));
        let Operators { sapi, .. } = &mut self.operators;
        // Those that are not served are nowhere but where their zones are.
        for instance in &mut sapi.instances {
            let Some(uuid) = instance.get("uuid").and_then(Value::as_str) else { continue };
            let nic = self.vms.get(uuid).and_then(|vm| vm.nics.first());
            let place = instance.get_mut("metadata").and_then(|metadata| metadata.get_mut("ADMIN_IP"));
            if let (Some(nic), Some(place)) = (nic, place) {
                *place = nic.ip.clone().into();
            }
        }
        for (name, address) in addresses {
            let is_there = |uuid: &String| self.vms.get(uuid).is_some_and(Vm::is_active);
            let uuid = [0, 2].map(|number| zone_id(name, number)).into_iter().find(is_there);
            let uuid = uuid.unwrap_or_else(|| zone_id(name, 0));
            let plain = address.parse::<Ipv4Addr>().is_ok();
            let mut on_rack = false;
            let nic = self.vms.get_mut(&uuid).and_then(|vm| vm.nics.first_mut()).filter(|_| plain);
            if let Some(nic) = nic {
                nic.ip.clone_from(address);
                on_rack = nic.network == RACK;
            }
            let instance = sapi.instances.iter_mut().find(|one| one.get("uuid") == Some(&Value::from(uuid.as_str())));
            if let Some(metadata) = instance.and_then(|one| one.get_mut("metadata")).and_then(Value::as_object_mut) {
                metadata.insert("ADMIN_IP".to_owned(), address.clone().into());
                metadata.retain(|key, _| key != "ADMIN_IP" || !on_rack);
            }
            let application = sapi.applications.iter_mut().find_map(|one| one.get_mut("metadata")?.as_object_mut());
            if let Some(metadata) = application {
                metadata.insert(format!("{name}_admin_ips"), address.clone().into());
                metadata.retain(|key, _| *key != format!("{name}_admin_ips") || !on_rack);
                metadata.insert(format!("{name}_domain"), format!("{name}.{domain}").into());
                metadata.insert(format!("{}_SERVICE", name.to_uppercase()), format!("{name}.{domain}").into());
                if name == "sapi" {
                    metadata.insert("sapi-url".to_owned(), format!("http://{address}").into());
                }
            }
        }
    }
}

impl State {
    /// Has the admin network be the one of this address: what is on it keeps the ends of its addresses. None of them is
    /// one of a real network, so that whoever asks for what is not served is refused by this machine itself.
    fn move_admin_network(&mut self, near: Ipv4Addr) {
        let [first, second, third, _] = near.octets();
        let there = |ip: Ipv4Addr| Ipv4Addr::new(first, second, third, ip.octets()[3]);
        let moved = |text: &mut String| {
            if let Ok(ip) = text.parse() {
                *text = there(ip).to_string();
            }
        };
        let is_admin = |id: &str| id == ADMIN || id == RACK;
        for network in self.networks.iter_mut().filter(|network| is_admin(&network.id)) {
            network.subnet = format!("{}/24", Ipv4Addr::new(first, second, third, 0));
            moved(&mut network.provision_start_ip);
            moved(&mut network.provision_end_ip);
            network.records =
                std::mem::take(&mut network.records).into_iter().map(|(ip, one)| (there(ip), one)).collect();
        }
        self.operators.servers.iter_mut().for_each(|server| moved(&mut server.admin_ip));
        let planned = self.jobs.iter_mut().filter_map(|job| match &mut job.work {
            Work::Provision { nics, .. } => Some(nics),
            _ => None,
        });
        (self.vms.iter_mut().flat_map(|vm| vm.nics.iter_mut()))
            .chain(planned.flatten())
            .chain(self.operators.nics.iter_mut().map(|loose| &mut loose.nic))
            .filter(|nic| is_admin(&nic.network))
            .for_each(|nic| moved(&mut nic.ip));
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The id of a service's zone, and of its instance.
fn zone_id(name: &str, number: usize) -> String {
    id_of(&format!("zones/{name}{number}"))
}

fn application_id() -> String {
    id_of("sapi/applications/sdc")
}

fn application(datacenter: &str) -> Map<String, Value> {
    map(json!({
        "uuid": application_id(),
        "name": "sdc",
        "owner_uuid": OPERATOR,
        "params": {},
        "metadata": {
            "datacenter_name": datacenter,
            "region_name": "region-1",
            "dns_domain": DOMAIN,
            "datacenter_location": "Example City",
            "datacenter_company_name": "Example",
            "ufds_admin_uuid": OPERATOR,
            "ufds_admin_login": "admin",
            "ufds_ldap_root_dn": "cn=root",
            "ufds_ldap_root_pw": "example-only",
            "ufds_is_master": true,
            "ufds_remote_ip": "",
            "dns_resolvers": "192.0.2.53,192.0.2.54",
            "mail_from": "ops@example.com",
            "mail_to": "ops@example.com",
        },
        "manifests": {},
    }))
}

fn servers(now: i64) -> Vec<Server> {
    let server = |uuid: &str, hostname: &str, last: u8| Server {
        uuid: uuid.to_owned(),
        hostname: hostname.to_owned(),
        setup: true,
        ram: NODE_RAM,
        admin_ip: format!("10.20.0.{last}"),
        created: now - 400 * DAY,
        ..Server::default()
    };
    let mut all = vec![Server { headnode: true, reserved: true, ..server(HEADNODE, "headnode", 4) }];
    all.extend(
        NODES.iter().enumerate().map(|(at, uuid)| server(uuid, &format!("cn{at}"), 5 + u8::try_from(at).unwrap_or(0))),
    );
    all.push(Server {
        down: true,
        more: map(json!({ "last_heartbeat": super::clock::iso(now - 2 * 3_600_000) })),
        ..server(DOWN, "cn3", 8)
    });
    all.push(Server { setup: false, ..server(UNSET, "00-25-90-aa-bb-31", 9) });
    all
}

fn nic_tags() -> Vec<NicTag> {
    let tag = |name: &str, mtu: u64| NicTag { uuid: id_of(&format!("nictags/{name}")), name: name.to_owned(), mtu };
    ["admin", "external", "internal", "customer"]
        .map(|name| tag(name, 1500))
        .into_iter()
        .chain([tag("sdc_overlay", 1400), tag("sdc_underlay", 9000)])
        .collect()
}

/// The network of servers and services.
fn admin_network() -> Network {
    Network {
        id: ADMIN.to_owned(),
        name: "admin".to_owned(),
        nic_tag: "admin".to_owned(),
        subnet: "10.20.0.0/24".to_owned(),
        provision_start_ip: "10.20.0.100".to_owned(),
        provision_end_ip: "10.20.0.250".to_owned(),
        owner: OPERATOR.to_owned(),
        ..Network::default()
    }
}

/// The network below all fabrics.
fn underlay_network() -> Network {
    Network {
        id: UNDERLAY.to_owned(),
        name: "sdc_underlay".to_owned(),
        nic_tag: "sdc_underlay".to_owned(),
        mtu: 9000,
        vlan_id: 3,
        subnet: "10.21.0.0/24".to_owned(),
        provision_start_ip: "10.21.0.100".to_owned(),
        provision_end_ip: "10.21.0.250".to_owned(),
        owner: OPERATOR.to_owned(),
        ..Network::default()
    }
}

/// The packages of the services' zones, which customers do not see.
fn core_packages() -> Vec<Package> {
    let made = PACKAGES.iter().map(|(name, memory, swap, quota, cap, id)| Package {
        swap: *swap,
        lwps: 1000,
        cpu_cap: Some(*cap),
        zfs_io_priority: Some(10),
        owners: vec![OPERATOR.to_owned()],
        ..package(id, name, *memory, *quota, 1, "sdc")
    });
    made.collect()
}
