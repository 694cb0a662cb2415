//! What a new cloud holds. Ids are fixed, so that transcripts of it stay the same; times are
//! relative to its start.

mod sdcadmin;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::state::{
    Account, Entry, FORMAT, Image, Limit, Member, Network, Nic, Package, Policy, RemoteImage, Role, State, User, Vm,
};
use crate::emulator::datacenter::state::Disk;
use crate::emulator::datacenter::state::FirewallRule;
use crate::emulator::datacenter::state::{Mount, Volume};
use crate::emulator::datacenter::state::{Pool, Vlan};

/// What a new cloud holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// An account that looks lived in.
    Demo,
    /// The account, images, packages and networks, but no machine.
    Empty,
    /// The same, with this many machines, all alike.
    Machines(usize),
    /// What the tests of `sdcadmin` are configured for.
    Sdcadmin,
}

/// The account that everything belongs to.
const LOGIN: &str = "acme";
/// The sub-user of it, to whom the emulator's user can give keys.
pub(crate) const USER: &str = "ci";

pub(crate) const ACCOUNT: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f";
const CI: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e60";
/// What the ids of roles and policies have in common.
const ALIKE: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e";
/// Another customer.
const GLOBEX: &str = "5c8e1d27-5b6e-4c7d-8e9f-0a1b2c3d4e80";
/// Another account, of another data center.
const PARTNER: &str = "b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99";
/// Whose the images are that come with a data center.
pub(crate) const OPERATOR: &str = "930896af-bf8c-48d4-885c-6573a94b1853";
const NODE: &str = "44454c4c-3200-1042-8050-b6c04f4e3232";
pub(crate) const DAY: i64 = 86_400_000;

const BASE_OLD: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
const BASE_NEW: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const BASE_GONE: &str = "60c5e91a-1c3e-4f5a-9b7c-0d1e2f3a4b03";
const UBUNTU: &str = "c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01";
const DEBIAN_LX: &str = "4fa8067d-2d4f-4a6b-8c8d-1e2f3a4b5c02";
const DEBIAN: &str = "13e6d2b8-2d4f-4a6b-8c8d-1e2f3a4b5c03";
const WINDOWS: &str = "77b04c9e-2d4f-4a6b-8c8d-1e2f3a4b5c04";
const OWN: &str = "d0c4f6a8-3e5a-4b7c-9d9e-2f3a4b5c6d01";

const SMALL: &str = "5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02";
const MEDIUM: &str = "a40c6f38-4f6b-4c8d-8eaf-3a4b5c6d7e03";
const HVM: &str = "38f1c7a2-4f6b-4c8d-8eaf-3a4b5c6d7e06";
const FLEX: &str = "9a62be51-4f6b-4c8d-8eaf-3a4b5c6d7e07";
const KVM: &str = "c37d80f4-4f6b-4c8d-8eaf-3a4b5c6d7e08";

const PUBLIC: &str = "f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
/// The one network of the pool.
const POOLED: &str = "4d8e1b73-5a7c-4d9e-9fb0-4b5c6d7e8f07";
/// The network that machines of the account are on by default.
pub(crate) const FABRIC: &str = "6d40b97f-5a7c-4d9e-9fb0-4b5c6d7e8f03";

const DATA: &str = "3b6f0d91-8d0f-4ac1-b2e3-7e8f9a0b1c01";

/// A cloud as it is at this time, without keys.
pub(crate) fn state(base: Base, now: i64) -> State {
    let mut state = State {
        format: FORMAT.to_owned(),
        accounts: [vec![account(now)], others(now)].concat(),
        images: images(),
        packages: packages(),
        networks: networks(),
        pools: pools(),
        elsewhere: elsewhere(),
        vlans: vlans(),
        datacenter: "local-1".to_owned(),
        datacenters: map(json!({ "local-2": "https://local-2.api.example.com" })),
        services: map(json!({
            "cmon": "https://cmon.local-1.example.com:9163",
            "docker": "tcp://docker.local-1.example.com:2376",
        })),
        ..State::default()
    };
    match base {
        Base::Empty => {}
        Base::Demo => demo(&mut state, now),
        Base::Machines(count) => many(&mut state, now, count),
        Base::Sdcadmin => sdcadmin::fill(&mut state, now),
    }
    state.enter_past();
    state
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn account(now: i64) -> Account {
    Account {
        id: ACCOUNT.to_owned(),
        login: LOGIN.to_owned(),
        profile: map(json!({
            "email": "ops@acme.example.com",
            "companyName": "Acme",
            "firstName": "Ada",
            "lastName": "Example",
            "city": "Vancouver",
            "country": "Canada",
        })),
        created: now - 900 * DAY,
        updated: now - 30 * DAY,
        users: vec![User {
            id: CI.to_owned(),
            login: USER.to_owned(),
            email: "ci@acme.example.com".to_owned(),
            created: now - 300 * DAY,
            updated: now - 300 * DAY,
            ..User::default()
        }],
        roles: vec![role("61", "operator", "71", true), role("62", "keyadmin", "72", false)],
        policies: vec![
            policy("71", "operate", "CAN get*, list*, head*, *machine and machineaudit *"),
            policy("72", "keys", "CAN *key and *keys *"),
        ],
        default_network: Some(FABRIC.to_owned()),
        ..Account::default()
    }
}

/// A role of the sub-user, with this policy. Ids are given by their ends.
fn role(id: &str, name: &str, policy: &str, default: bool) -> Role {
    Role {
        id: format!("{ALIKE}{id}"),
        name: name.to_owned(),
        held_by: vec![Member { account: false, id: CI.to_owned(), default }],
        policies: vec![format!("{ALIKE}{policy}")],
        ..Role::default()
    }
}

fn policy(id: &str, name: &str, rule: &str) -> Policy {
    Policy { id: format!("{ALIKE}{id}"), name: name.to_owned(), rules: vec![rule.to_owned()], ..Policy::default() }
}

/// Accounts beside the one that everything belongs to: an operator's, and a stranger's. They have no keys.
fn others(now: i64) -> Vec<Account> {
    vec![other(now, OPERATOR, "admin", true), other(now, GLOBEX, "globex", false)]
}

/// An account without keys.
pub(crate) fn other(now: i64, id: &str, login: &str, operator: bool) -> Account {
    Account {
        id: id.to_owned(),
        login: login.to_owned(),
        profile: map(json!({ "email": format!("{login}@example.com") })),
        created: now - 1000 * DAY,
        updated: now - 1000 * DAY,
        operator,
        ..Account::default()
    }
}

/// An image that everyone may use, ready.
pub(crate) fn image(id: &str, name: &str, version: &str, os: &str, kind: &str, published: &str) -> Image {
    Image {
        id: id.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        os: os.to_owned(),
        kind: kind.to_owned(),
        description: format!("{name} {version}, ready to use."),
        published_at: published.to_owned(),
        owner: OPERATOR.to_owned(),
        public: true,
        state: "active".to_owned(),
        files: vec![
            json!({ "compression": "gzip", "sha1": "97a2b1ac0d3e4f5a6b7c8d9e0f1a2b3c4d5e6f70", "size": 110_742_036 }),
        ],
        ..Image::default()
    }
}

fn images() -> Vec<Image> {
    let lx = json!({ "brand": "lx", "min_ram": 256 });
    vec![
        Image {
            state: "disabled".to_owned(),
            ..image(BASE_GONE, "base-64", "21.4.1", "smartos", "zone-dataset", "2022-01-18T10:00:00Z")
        },
        image(BASE_OLD, "base-64", "23.4.0", "smartos", "zone-dataset", "2024-01-09T12:30:00Z"),
        image(BASE_NEW, "base-64", "24.4.1", "smartos", "zone-dataset", "2025-01-21T09:15:00Z"),
        Image {
            requirements: map(json!({ "min_ram": 512 })),
            image_size: Some(10_240),
            tags: map(json!({ "default_user": "ubuntu", "role": "os" })),
            homepage: "https://images.example.com/ubuntu".to_owned(),
            ..image(UBUNTU, "ubuntu-24.04", "20250115", "linux", "zvol", "2025-01-15T08:00:00Z")
        },
        Image {
            requirements: map(lx),
            ..image(DEBIAN_LX, "debian-12-lx", "20240612", "linux", "lx-dataset", "2024-06-12T08:00:00Z")
        },
        Image {
            image_size: Some(10_240),
            ..image(DEBIAN, "debian-12", "20240612", "linux", "zvol", "2024-06-12T09:00:00Z")
        },
        Image {
            requirements: map(json!({ "min_ram": 3840, "brand": "kvm" })),
            image_size: Some(61_440),
            needs_password: true,
            ..image(WINDOWS, "windows-2022", "1.0.0", "windows", "zvol", "2023-09-30T16:45:00Z")
        },
        Image {
            owner: ACCOUNT.to_owned(),
            public: false,
            origin: BASE_NEW.to_owned(),
            tags: map(json!({ "team": "web" })),
            ..image(OWN, "acme-web", "1.4.0", "smartos", "zone-dataset", "2025-02-03T14:20:00Z")
        },
    ]
}

/// Images of the other data center: one of the account's, one that others share with it, one of the operator's.
fn elsewhere() -> Vec<RemoteImage> {
    let own = Image {
        owner: ACCOUNT.to_owned(),
        public: false,
        ..image(
            "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d02",
            "acme-db",
            "2.0.1",
            "smartos",
            "zone-dataset",
            "2025-03-04T10:00:00Z",
        )
    };
    let shared = Image {
        owner: PARTNER.to_owned(),
        public: false,
        acl: vec![ACCOUNT.to_owned()],
        ..image(
            "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d03",
            "partner-app",
            "7.2.0",
            "smartos",
            "zone-dataset",
            "2025-03-05T10:00:00Z",
        )
    };
    let operators = image(
        "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d04",
        "base-64",
        "25.1.0",
        "smartos",
        "zone-dataset",
        "2025-04-08T10:00:00Z",
    );
    [own, shared, operators].map(|image| RemoteImage { datacenter: "local-2".to_owned(), image }).to_vec()
}

/// A package with these sizes, in MiB.
pub(crate) fn package(id: &str, name: &str, memory: u64, disk: u64, vcpus: u64, group: &str) -> Package {
    Package {
        id: id.to_owned(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        memory,
        disk,
        swap: memory * 4,
        lwps: 4000,
        vcpus,
        group: group.to_owned(),
        ..Package::default()
    }
}

fn packages() -> Vec<Package> {
    let brand = |brand: &str, package: Package| Package { brand: brand.to_owned(), ..package };
    vec![
        Package { default: true, ..package("f7206e1b-4f6b-4c8d-8eaf-3a4b5c6d7e01", "g1-nano", 256, 5_120, 1, "g1") },
        package(SMALL, "g1-small", 1_024, 25_600, 1, "g1"),
        package(MEDIUM, "g1-medium", 4_096, 102_400, 2, "g1"),
        Package {
            traits: map(json!({ "ssd": false })),
            ..package("6c18d3a5-4f6b-4c8d-8eaf-3a4b5c6d7e04", "g1-large", 16_384, 409_600, 8, "g1")
        },
        Package {
            version: "1.1.0".to_owned(),
            ..package("0ed95bf4-4f6b-4c8d-8eaf-3a4b5c6d7e05", "g1-large", 16_384, 512_000, 8, "g1")
        },
        brand("bhyve", package(HVM, "b1-medium", 4_096, 51_200, 2, "b1")),
        Package { flexible_disk: Some(true), ..brand("bhyve", package(FLEX, "b1-flex", 8_192, 204_800, 4, "b1")) },
        brand("kvm", package(KVM, "k1-medium", 4_096, 102_400, 2, "k1")),
        Package { inactive: true, ..package("d14b7f60-4f6b-4c8d-8eaf-3a4b5c6d7e09", "g0-old", 512, 10_240, 1, "g0") },
    ]
}

fn networks() -> Vec<Network> {
    let network = |id: &str, name: &str, subnet: &str, start: &str, end: &str, gateway: &str| Network {
        id: id.to_owned(),
        name: name.to_owned(),
        subnet: subnet.to_owned(),
        provision_start_ip: start.to_owned(),
        provision_end_ip: end.to_owned(),
        gateway: gateway.to_owned(),
        resolvers: vec!["192.0.2.53".to_owned(), "192.0.2.54".to_owned()],
        ..Network::default()
    };
    let fabric = |vlan_id: u64, nat: bool, network: Network| Network {
        fabric: true,
        vlan_id,
        internet_nat: nat,
        owner: ACCOUNT.to_owned(),
        ..network
    };
    // More addresses than the documentation ranges hold, so that machines never run out of them.
    let public = network(PUBLIC, "public", "198.18.0.0/16", "198.18.0.10", "198.18.255.250", "198.18.0.1");
    vec![
        Network { public: true, description: "Internet".to_owned(), ..public },
        Network {
            public: true,
            ..network(POOLED, "public-b", "198.19.0.0/16", "198.19.0.10", "198.19.255.250", "198.19.0.1")
        },
        network(PRIVATE, "private", "10.64.0.0/14", "10.64.0.10", "10.67.255.250", "10.64.0.1"),
        Network {
            description: "Default fabric".to_owned(),
            ..fabric(
                2,
                true,
                network(
                    FABRIC,
                    "My-Fabric-Network",
                    "192.168.128.0/22",
                    "192.168.128.5",
                    "192.168.131.250",
                    "192.168.128.1",
                ),
            )
        },
        fabric(
            100,
            false,
            network("b55ec213-5a7c-4d9e-9fb0-4b5c6d7e8f04", "backend", "10.10.0.0/24", "10.10.0.5", "10.10.0.250", ""),
        ),
        fabric(
            200,
            true,
            network(
                "803f6ad9-5a7c-4d9e-9fb0-4b5c6d7e8f05",
                "storage",
                "10.20.0.0/24",
                "10.20.0.5",
                "10.20.0.250",
                "10.20.0.1",
            ),
        ),
    ]
}

/// A pool of public networks, from which machines get their addresses unless they ask for another.
fn pools() -> Vec<Pool> {
    vec![Pool {
        id: "4d8e1b73-5a7c-4d9e-9fb0-4b5c6d7e8f06".to_owned(),
        name: "public-pool".to_owned(),
        public: true,
        description: "Internet, any subnet".to_owned(),
        networks: vec![POOLED.to_owned()],
        ..Pool::default()
    }]
}

/// The VLANs of the fabric networks.
fn vlans() -> Vec<Vlan> {
    let vlan = |vlan_id: u64, name: &str, description: &str| Vlan {
        owner: ACCOUNT.to_owned(),
        vlan_id,
        name: name.to_owned(),
        description: description.to_owned(),
    };
    vec![
        vlan(2, "default", "Where the default fabric is"),
        vlan(100, "backend", ""),
        vlan(200, "storage", "Backups and shared files"),
    ]
}

fn firewall_rules() -> Vec<FirewallRule> {
    let rule = |id: &str, rule: &str, description: &str| FirewallRule {
        id: id.to_owned(),
        owner: ACCOUNT.to_owned(),
        rule: rule.to_owned(),
        enabled: true,
        description: description.to_owned(),
        ..FirewallRule::default()
    };
    vec![
        FirewallRule {
            owner: String::new(),
            global: true,
            ..rule(
                "7a9c4e12-6b8d-4eaf-a0c1-5c6d7e8f9a01",
                "FROM any TO all vms ALLOW icmp TYPE 8 CODE 0",
                "Anyone may ping",
            )
        },
        rule(
            "1e5f8b30-6b8d-4eaf-a0c1-5c6d7e8f9a02",
            "FROM any TO tag \"role\" = \"web\" ALLOW tcp (PORT 80 AND PORT 443)",
            "The web is for everyone",
        ),
        FirewallRule {
            log: true,
            ..rule(
                "c4d2a697-6b8d-4eaf-a0c1-5c6d7e8f9a03",
                "FROM tag \"role\" = \"web\" TO tag \"role\" = \"db\" ALLOW tcp PORT 5432",
                "",
            )
        },
        FirewallRule {
            enabled: false,
            ..rule(
                "90b7e1f5-6b8d-4eaf-a0c1-5c6d7e8f9a04",
                "FROM subnet 203.0.113.0/24 TO all vms ALLOW tcp PORT 22",
                "From the office",
            )
        },
    ]
}

/// Volumes on the default fabric, served from addresses that no machine has got yet.
fn volumes(now: i64) -> Vec<Volume> {
    let volume = |id: &str, name: &str, size: u64, last: u8, created: i64| Volume {
        id: id.to_owned(),
        owner: ACCOUNT.to_owned(),
        name: name.to_owned(),
        state: "ready".to_owned(),
        created,
        size,
        networks: vec![FABRIC.to_owned()],
        nic: Nic {
            mac: format!("90:b8:d0:a8:83:{last:02x}"),
            ip: format!("192.168.131.{last}"),
            primary: true,
            gateway: "192.168.128.1".to_owned(),
            netmask: "255.255.252.0".to_owned(),
            network: FABRIC.to_owned(),
            ..Nic::default()
        },
        ..Volume::default()
    };
    vec![
        volume(DATA, "data", 10_240, 200, now - 30 * DAY),
        Volume {
            tags: map(json!({ "stage": "test" })),
            ..volume("e85a2c64-8d0f-4ac1-b2e3-7e8f9a0b1c02", "scratch", 51_200, 201, now - 10 * DAY)
        },
    ]
}

/// Puts a machine into a cloud, with addresses if it got that far.
fn add(state: &mut State, mut machine: Vm, networks: &[&str]) {
    for id in networks {
        if let Some(network) = state.networks.iter_mut().find(|network| network.id == *id)
            && !network.went_round()
            && let Ok(mut nic) = network.give(None, &HashSet::new())
        {
            nic.primary = machine.nics.is_empty();
            machine.nics.push(nic);
        }
    }
    if let Some(package) = state.package(&machine.billing_id) {
        machine.fit(package);
    }
    if machine.brand == "kvm" && machine.disks.is_empty() {
        machine.disks = kvm_disks(state, &machine);
    }
    state.vms.push(machine);
}

/// What a KVM VM boots from, and its data.
fn kvm_disks(state: &State, machine: &Vm) -> Vec<Disk> {
    let image = state.images.iter().find(|image| image.id == machine.image_uuid);
    let size = image.and_then(|image| image.image_size).unwrap_or(10_240);
    let data = state.package(&machine.billing_id).map_or(0, |package| package.disk);
    let disk = |slot: u8, size: u64| Disk { pci_slot: format!("0:4:{slot}"), size, ..Disk::default() };
    vec![Disk { boot: true, image: machine.image_uuid.clone(), ..disk(0, size) }, disk(1, data)]
}

fn machine((id, name): (&str, &str), brand: &str, state: &str, image: &str, package: &str, created: i64) -> Vm {
    let provisioned = Entry {
        action: "provision".to_owned(),
        success: state != "failed",
        time: created + 40_000,
        caller: json!({ "type": "operator" }),
    };
    Vm {
        uuid: format!("{id}-7d0e-4b6a-9c1d-5e2f8a7b4c6d"),
        owner_uuid: ACCOUNT.to_owned(),
        alias: name.to_owned(),
        brand: brand.to_owned(),
        state: state.to_owned(),
        image_uuid: image.to_owned(),
        billing_id: package.to_owned(),
        create_timestamp: created,
        last_modified: created + 40_000,
        server_uuid: if state == "failed" { String::new() } else { NODE.to_owned() },
        earlier: vec![provisioned],
        ..Vm::default()
    }
}

/// What the demo account may have at most.
fn limits() -> Vec<Limit> {
    let limit = |value: i64, by: &str| Limit { value, by: by.to_owned(), ..Limit::default() };
    let kvm = Limit { check: "brand".to_owned(), of: "kvm".to_owned(), ..limit(2, "machines") };
    vec![limit(100, "machines"), limit(524_288, "ram"), kvm]
}

fn demo(state: &mut State, now: i64) {
    if let Some(account) = state.account_mut(LOGIN) {
        account.limits = limits();
    }
    state.firewall_rules = firewall_rules();
    state.volumes = volumes(now);
    let both = &[PUBLIC, FABRIC][..];
    let tags = |value: Value, machine: Vm| Vm { tags: map(value), ..machine };
    let disks = |image: &str, size: u64| {
        vec![
            Disk {
                id: "5d7e9f10-0001-4a2b-8c3d-4e5f6a7b8c9d".to_owned(),
                pci_slot: "0:4:0".to_owned(),
                size: 10_240,
                boot: true,
                image: image.to_owned(),
                ..Disk::default()
            },
            Disk {
                id: "8b2c4d11-0002-4a2b-8c3d-4e5f6a7b8c9d".to_owned(),
                pci_slot: "0:4:1".to_owned(),
                size,
                ..Disk::default()
            },
        ]
    };
    let web = json!({ "role": "web", "stage": "prod", "weight": 10 });
    let mut web1 = tags(web.clone(), machine(("3c1f8a52", "web1"), "joyent", "running", OWN, SMALL, now - 90 * DAY));
    web1.firewall_enabled = true;
    web1.customer_metadata = map(json!({ "user-script": "#!/bin/sh\nsvcadm enable nginx\n", "release": "1.4.0" }));
    web1.set_passwords(map(json!({ "root": "3xample-pw", "admin": "an0ther-pw" })));
    add(state, web1, both);
    let web10 = tags(web, machine(("9e04d7b1", "web10"), "joyent", "running", OWN, SMALL, now - 60 * DAY));
    add(state, web10, both);
    let mut db0 = tags(
        json!({ "role": "db", "stage": "prod", "primary": true }),
        machine(("51b7c6ea", "db0"), "bhyve", "running", UBUNTU, HVM, now - 200 * DAY),
    );
    db0.indestructible_zoneroot = true;
    db0.disks = disks(UBUNTU, 51_200);
    add(state, db0, &[FABRIC]);
    let mut db1 = tags(
        json!({ "role": "db", "stage": "test", "primary": false }),
        machine(("c82d3f90", "db1"), "bhyve", "stopped", DEBIAN, FLEX, now - 20 * DAY),
    );
    db1.disks = disks(DEBIAN, 40_960);
    add(state, db1, &[FABRIC]);
    let mut build = machine(("07a5e9d4", "build"), "lx", "stopped", DEBIAN_LX, MEDIUM, now - 12 * DAY);
    build.volumes = vec![Mount { volume: DATA.to_owned(), mountpoint: "/data".to_owned(), mode: "rw".to_owned() }];
    add(state, build, &[FABRIC]);
    add(state, machine(("e6f1b023", "win"), "kvm", "running", WINDOWS, KVM, now - 400 * DAY), &[PUBLIC]);
    let docker = tags(
        json!({ "sdc_docker": true }),
        machine(("2b94c8f7", "cache"), "lx", "running", DEBIAN_LX, SMALL, now - 3 * DAY),
    );
    add(state, Vm { docker: true, ..docker }, &[FABRIC]);
    add(state, machine(("f05a1d6c", "broken"), "joyent", "failed", BASE_OLD, SMALL, now - DAY), &[]);
    let mut gone = machine(("84d3e71b", "old-web"), "joyent", "destroyed", BASE_OLD, SMALL, now - 700 * DAY);
    gone.last_modified = now - 5 * DAY;
    gone.earlier.push(Entry {
        action: "destroy".to_owned(),
        success: true,
        time: gone.last_modified,
        caller: json!({ "type": "operator" }),
    });
    add(state, gone, &[]);
}

fn many(state: &mut State, now: i64, count: usize) {
    for at in 0..count {
        let age = i64::try_from(count - at).unwrap_or(i64::MAX).saturating_mul(1000);
        let created = now.saturating_sub(age);
        let mut machine = machine(("", &format!("m{at:06}")), "joyent", "running", BASE_NEW, SMALL, created);
        machine.uuid = format!("{at:08x}-0000-4e6f-8a1b-2c3d4e5f6a7b");
        if at % 10 == 9 {
            machine.state = "stopped".to_owned();
        }
        machine.tags.insert("group".to_owned(), (at % 100).into());
        machine.earlier.clear();
        add(state, machine, &[PRIVATE]);
    }
}
