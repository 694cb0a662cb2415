//! Servers, computed from what is known of them and from the VMs that are on them.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, is_lower_uuid, missing, route};
use super::{page, strict, wrong};
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::{PLATFORM, Server, State, Vm};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/servers", &["ServerList"], list),
    route("GET", "/servers/:server_uuid", &["ServerGet"], get),
    route("GET", "/platforms", &["PlatformList"], platforms),
];

/// The platforms, of which the last one is the latest.
const PLATFORMS: &[&str] = &["20251120T000000Z", PLATFORM];

const MIB: u64 = 1 << 20;
/// MiB of the pool of a server.
const POOL: u64 = 1_900_544;
/// Percent of a core, of all cores of a server.
const CPU: u64 = 3200;
/// How much of the memory is kept for the server itself, in percent.
const KEPT: u64 = 15;

const AGENTS: &[&str] =
    &["cn-agent", "vm-agent", "net-agent", "config-agent", "firewaller", "amon-agent", "cmon-agent", "smartlogin"];

/// The VMs on a server, those in the making too, and those that serve volumes.
fn vms(state: &State, server: &Server) -> Vec<Vm> {
    let on = |vm: &Vm| vm.is_active() && state.server_of(vm) == server.uuid;
    let own = state.vms.iter().filter(|vm| on(vm)).cloned();
    own.chain(state.storage_zones().into_iter().filter(|zone| on(zone))).collect()
}

/// Which parts of a server are shown.
struct Extras(Vec<String>);

impl Extras {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one == name || one == "all")
    }
}

fn view(state: &State, server: &Server, now: i64, extras: &Extras) -> Map<String, Value> {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("uuid", server.uuid.clone().into());
    put("hostname", server.hostname.clone().into());
    put("datacenter", state.datacenter.clone().into());
    put("created", iso(server.created).into());
    put("last_boot", iso(server.created).into());
    put("current_platform", PLATFORM.into());
    put("boot_platform", PLATFORM.into());
    put("status", if server.down { "unknown" } else { "running" }.into());
    put("setup", server.setup.into());
    put("setting_up", false.into());
    put("headnode", server.headnode.into());
    put("reserved", server.reserved.into());
    put("reservoir", false.into());
    put("reservation_ratio", json!(0.15));
    put("overprovision_ratios", json!({ "ram": 1 }));
    put("traits", json!({}));
    put("comments", "".into());
    put("rack_identifier", "".into());
    put("boot_params", json!({}));
    put("kernel_flags", json!({}));
    put("boot_modules", json!([]));
    put("default_console", "serial".into());
    put("serial", "ttyb".into());
    put("ram", server.ram.into());
    put("system_type", "SunOS".into());
    put("transitional_status", "".into());
    let vms = vms(state, server);
    if extras.has("last_heartbeat") {
        // Of one that is not heard from, its own field says since when.
        put("last_heartbeat", if server.down { Value::Null } else { iso(now).into() });
    }
    if extras.has("vms") {
        let of = |vm: &Vm| (vm.uuid.clone(), on_server(state, vm));
        put("vms", Value::Object(vms.iter().map(of).collect()));
    }
    if extras.has("agents") {
        let agents = AGENTS.iter().filter(|_| server.setup);
        put("agents", agents.map(|name| json!({ "name": name, "version": "1.0.0" })).collect());
    }
    if extras.has("sysinfo") {
        put("sysinfo", sysinfo(state, server));
    }
    let sizes = Sizes::of(state, server, &vms);
    if extras.has("memory") {
        sizes.memory(&mut put);
    }
    if extras.has("disk") {
        sizes.disk(&mut put);
    }
    if extras.has("capacity") {
        sizes.capacity(&mut put);
    }
    for (name, value) in &server.more {
        put(name, value.clone());
    }
    view
}

fn on_server(state: &State, vm: &Vm) -> Value {
    let cap = cap(state, vm);
    json!({
        "uuid": vm.uuid,
        "owner_uuid": vm.owner_uuid,
        "brand": vm.brand,
        "state": vm.state,
        "zone_state": vm.state,
        "cpu_cap": cap,
        "max_physical_memory": vm.ram,
        "quota": vm.quota / 1024,
        "last_modified": iso(vm.last_modified),
    })
}

fn cap(state: &State, vm: &Vm) -> Option<u64> {
    let own = vm.more.get("cpu_cap").and_then(Value::as_u64);
    own.or_else(|| Some(state.package(&vm.billing_id)?.cap()))
}

/// The sum of sizes. State files may hold any, so it must not overflow.
fn sum(all: impl Iterator<Item = u64>) -> u64 {
    all.fold(0, u64::saturating_add)
}

/// What a server has, and what its VMs take of it, in MiB and percent of a core.
struct Sizes {
    ram: u64,
    taken_ram: u64,
    taken_cpu: u64,
    zones: u64,
    hvm: u64,
    cores: u64,
}

impl Sizes {
    fn of(state: &State, server: &Server, vms: &[Vm]) -> Sizes {
        let disk = |fits: &dyn Fn(&Vm) -> bool| -> u64 {
            sum(vms.iter().filter(|vm| fits(vm)).map(|vm| vm.quota.saturating_add(vm.disk_space())))
        };
        let core = |vm: &Vm| vm.tags.get("smartdc_type").is_some_and(|kind| kind == "core");
        Sizes {
            ram: server.ram,
            taken_ram: sum(vms.iter().map(|vm| vm.ram)),
            taken_cpu: sum(vms.iter().filter_map(|vm| cap(state, vm))),
            zones: disk(&|vm| !vm.hvm() && !core(vm)),
            hvm: disk(&|vm| vm.hvm()),
            cores: disk(&core),
        }
    }

    fn memory(&self, put: &mut impl FnMut(&str, Value)) {
        let free = self.ram.saturating_sub(self.taken_ram);
        put("memory_total_bytes", self.ram.saturating_mul(MIB).into());
        put("memory_available_bytes", free.saturating_mul(MIB).into());
        put("memory_arc_bytes", (self.ram / 16).saturating_mul(MIB).into());
        put("memory_provisionable_bytes", self.unreserved_ram().saturating_mul(MIB).into());
    }

    fn disk(&self, put: &mut impl FnMut(&str, Value)) {
        for (name, mib) in [
            ("disk_pool_size_bytes", POOL),
            ("disk_pool_alloc_bytes", self.zones.saturating_add(self.hvm).saturating_add(self.cores)),
            ("disk_installed_images_used_bytes", 2048),
            ("disk_system_used_bytes", 4096),
            ("disk_zone_quota_bytes", self.zones),
            ("disk_zone_quota_used_bytes", 0),
            ("disk_kvm_quota_bytes", self.hvm),
            ("disk_kvm_quota_used_bytes", 0),
            ("disk_kvm_zvol_used_bytes", 0),
            ("disk_kvm_zvol_volsize_bytes", self.hvm),
            ("disk_cores_quota_bytes", self.cores),
            ("disk_cores_quota_used_bytes", 0),
        ] {
            put(name, mib.saturating_mul(MIB).into());
        }
    }

    fn capacity(&self, put: &mut impl FnMut(&str, Value)) {
        let taken = self.zones.saturating_add(self.hvm).saturating_add(self.cores);
        put("unreserved_cpu", CPU.saturating_sub(self.taken_cpu).into());
        put("unreserved_ram", self.unreserved_ram().into());
        put("unreserved_disk", POOL.saturating_sub(taken).into());
    }

    /// What there is for more VMs: not what is kept for the server, nor what its VMs have.
    fn unreserved_ram(&self) -> u64 {
        (self.ram.saturating_mul(100 - KEPT) / 100).saturating_sub(self.taken_ram)
    }
}

/// What a server says of itself.
fn sysinfo(state: &State, server: &Server) -> Value {
    let own = state.nics().filter(|held| held.kind() == "server" && held.uuid() == server.uuid);
    let (mut real, mut virtual_nics) = (Map::new(), Map::new());
    for (at, held) in own.enumerate() {
        let tags = held.nic.more.get("nic_tags_provided").cloned().unwrap_or_else(|| json!([]));
        if held.nic.more.contains_key("underlay") {
            let nic =
                json!({ "MAC Address": held.nic.mac, "ip4addr": held.nic.ip, "Overlay Nic Tags": ["sdc_overlay"] });
            virtual_nics.insert("sdc_underlay0".to_owned(), nic);
        } else {
            let nic = json!({
                "MAC Address": held.nic.mac, "ip4addr": held.nic.ip, "Link Status": "up", "NIC Names": tags,
            });
            real.insert(format!("ixgbe{at}"), nic);
        }
    }
    json!({
        "Live Image": PLATFORM,
        "System Type": "SunOS",
        "Boot Time": (server.created / 1000).to_string(),
        "Datacenter Name": state.datacenter,
        "SDC Version": "7.0",
        "Manufacturer": "Example Inc",
        "Product": "R1",
        "VM Capable": true,
        "Bhyve Capable": true,
        "CPU Type": "Example CPU 2.4GHz",
        "CPU Virtualization": "vmx",
        "CPU Physical Cores": 2,
        "CPU Total Cores": CPU / 100,
        "UUID": server.uuid,
        "Hostname": server.hostname,
        "Setup": server.setup.to_string(),
        "MiB of Memory": server.ram.to_string(),
        "Zpool": "zones",
        "Zpool Size in GiB": POOL / 1024,
        "Boot Parameters": { "headnode": server.headnode.to_string() },
        "Network Interfaces": real,
        "Virtual Network Interfaces": virtual_nics,
    })
}

const FLAGS: &[&str] = &["setup", "headnode", "reserved", "reservoir"];

fn list(call: &mut Call<'_>) -> Outcome {
    let known = [FLAGS, &["uuids", "hostname", "extras", "fields", "limit", "offset"]].concat();
    strict(call, &known)?;
    let mut flags: Vec<(&str, bool)> = Vec::new();
    for name in FLAGS {
        match call.text(name).map(|text| text.to_ascii_lowercase()).as_deref() {
            None => {}
            Some("true") => flags.push((name, true)),
            Some("false") => flags.push((name, false)),
            Some(_) => return Err(wrong(500, name, "value was not true or false")),
        }
    }
    let (uuids, hostname) = (call.list("uuids"), call.text("hostname"));
    let extras = Extras(call.list("extras").unwrap_or_default());
    let fields = call.list("fields");
    let mut servers: Vec<&Server> = call.state.operators.servers.iter().collect();
    servers.sort_by(|one, other| one.uuid.cmp(&other.uuid));
    let rows = servers.into_iter().map(|server| view(call.state, server, call.now, &extras));
    let text =
        |row: &Map<String, Value>, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = rows.filter(|row| {
        flags.iter().all(|(name, is)| (row.get(*name) == Some(&Value::Bool(true))) == *is)
            && uuids.as_ref().is_none_or(|uuids| uuids.contains(&text(row, "uuid")))
            && hostname.as_ref().is_none_or(|hostname| *hostname == text(row, "hostname"))
    });
    let shown = page(call, rows.collect())?.into_iter().map(|mut row: Map<String, Value>| {
        if let Some(fields) = &fields {
            row.retain(|name, _| fields.contains(name));
        }
        Value::Object(row)
    });
    Ok(Reply::json(&shown.collect()))
}

/// The server that the path names.
pub(super) fn find<'a>(call: &'a Call<'_>) -> Result<&'a Server, Refusal> {
    let uuid = call.part("server_uuid");
    if !is_lower_uuid(&uuid) {
        return Err(Refusal::invalid("Invalid server_uuid"));
    }
    call.state.server(&uuid).ok_or_else(|| missing(format!("Server {uuid} not found")))
}

fn get(call: &mut Call<'_>) -> Outcome {
    strict(call, &[])?;
    let server = find(call)?;
    let all = Extras(vec!["all".to_owned()]);
    Ok(Reply::json(&Value::Object(view(call.state, server, call.now, &all))))
}

/// The platforms; with `os`, of which system each is.
fn platforms(call: &mut Call<'_>) -> Outcome {
    strict(call, &["os"])?;
    let with_os = match call.text("os").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(wrong(500, "os", "value was not true or false")),
    };
    let mut all = Map::new();
    for (at, stamp) in PLATFORMS.iter().enumerate() {
        let mut about = Map::new();
        if with_os {
            about.insert("os".to_owned(), "smartos".into());
        }
        if at + 1 == PLATFORMS.len() {
            about.insert("latest".to_owned(), true.into());
        }
        all.insert((*stamp).to_owned(), Value::Object(about));
    }
    Ok(Reply::json(&Value::Object(all)))
}
