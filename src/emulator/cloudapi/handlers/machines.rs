//! Machines: list, get, delete and audit, and how the API shows one.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use super::super::version::Version;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::Disk;
use crate::emulator::datacenter::state::Work;
use crate::emulator::datacenter::state::{Nic, State, Vm, cloud_state, is_uuid};
use crate::emulator::http::params;
use crate::emulator::http::params::glob;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/machines", "ListMachines", "machines", list),
    Route::head("/:login/machines", "HeadMachines", "machines", list),
    Route::get("/:login/machines/:machine", "GetMachine", "machines", get),
    Route::head("/:login/machines/:machine", "HeadMachine", "machines", get),
    Route::delete("/:login/machines/:machine", "DeleteMachine", "machines", delete),
    Route::get("/:login/machines/:machine/audit", "MachineAudit", "machines", audit),
    Route::head("/:login/machines/:machine/audit", "HeadAudit", "machines", audit),
];

/// The machine that the call names, if it is the account's. Deleted ones are found too.
pub(crate) fn load<'a>(call: &'a Call<'_>) -> Result<&'a Vm, Refusal> {
    let id = call.required("machine")?;
    if !is_uuid(&id) {
        return Err(Refusal::failed("Invalid Parameters", "uuid", "Invalid", "Invalid UUID"));
    }
    let found = call.state.vms.get(&id).filter(|machine| machine.owner_uuid == call.account);
    found.ok_or_else(|| Refusal::new(404, "ResourceNotFound", "VM not found"))
}

/// The same, but a deleted one is answered with 410.
pub(crate) fn load_alive<'a>(call: &'a Call<'_>) -> Result<&'a Vm, Refusal> {
    let machine = load(call)?;
    if machine.is_destroyed() {
        return Err(Refusal::gone(view(call.state, machine, None, call.version)));
    }
    Ok(machine)
}

/// A machine as the changefeed shows it.
pub(crate) fn view_of_feed(state: &State, machine: &Vm) -> Value {
    let mut object = view(state, machine, None, Version(9, 0, 0));
    if let Value::Object(fields) = &mut object {
        fields.insert("package".to_owned(), "".into());
    }
    object
}

/// As the API shows a machine. With `credentials`, its passwords are among the metadata.
pub(crate) fn view(state: &State, machine: &Vm, credentials: Option<&Value>, version: Version) -> Value {
    let mut metadata = machine.customer_metadata.clone();
    let passwords = machine.passwords();
    if credentials.is_some() && !passwords.is_empty() {
        metadata.insert("credentials".to_owned(), Value::Object(passwords));
    }
    let package = state.package(&machine.billing_id);
    let kind = if machine.hvm() { "virtualmachine" } else { "smartmachine" };
    // The machine has not got one yet that is being provisioned.
    let nics: Vec<&Nic> = machine.nics.iter().filter(|nic| nic.state.is_empty()).collect();
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("id", machine.uuid.clone().into());
    put("name", machine.alias.clone().into());
    put("type", kind.into());
    put("brand", machine.brand.clone().into());
    put("state", cloud_state(state.shown_state(machine)).into());
    put("image", machine.image().into());
    put("ips", nics.iter().map(|nic| nic.ip.clone()).collect());
    put("memory", machine.ram.into());
    put("disk", machine.disk().into());
    put("deletion_protection", machine.indestructible_zoneroot.into());
    put("metadata", Value::Object(metadata));
    put("tags", Value::Object(machine.tags.clone()));
    if let Some(credentials) = credentials {
        put("credentials", credentials.clone());
    }
    put("created", iso(machine.create_timestamp).into());
    put("updated", iso(machine.last_modified).into());
    if machine.docker {
        put("docker", true.into());
    }
    if version > Version(7, 0, 0) {
        put("networks", nics.iter().map(|nic| nic.network.clone()).collect());
    }
    if let Some(primary) = nics.iter().find(|nic| nic.primary).or(nics.first()) {
        put("nics", nics.iter().map(|nic| brief(nic)).collect());
        put("primaryIp", primary.ip.clone().into());
    }
    put("firewall_enabled", machine.firewall_enabled.into());
    // Its server was chosen for a machine that is being provisioned, and is not shown yet.
    let node = Some(&machine.server_uuid).filter(|node| !node.is_empty() && machine.state != "provisioning");
    put("compute_node", node.map_or(Value::Null, |node| node.clone().into()));
    put("package", package.map_or("", |package| package.name.as_str()).into());
    if machine.brand == "bhyve" {
        if let Some(package) = package {
            let flexible = package.flexible_disk.unwrap_or(false);
            put("flexible", flexible.into());
            if flexible {
                put("free_space", machine.free_space(package).into());
            }
        }
        put("disks", machine.disks.iter().map(Disk::brief).collect());
    }
    if machine.delegate_dataset {
        put("delegate_dataset", true.into());
    }
    if machine.encrypted() {
        put("encrypted", true.into());
    }
    Value::Object(view)
}

/// An interface as it is shown within its machine.
fn brief(nic: &Nic) -> Value {
    let shown = Nic { more: Map::new(), ..nic.clone() };
    json!(shown)
}

/// Which machines a list asks for.
struct Filter {
    kind: Option<String>,
    brand: Option<String>,
    name: Option<String>,
    image: Option<String>,
    memory: Option<u64>,
    docker: Option<bool>,
    state: Option<String>,
    tombstone: bool,
    tags: Vec<(String, String)>,
}

/// The states that a list can be narrowed to.
const STATES: &[&str] = &["running", "stopped", "active", "provisioning", "stopping", "unknown", "destroyed"];

impl Filter {
    fn read(call: &Call<'_>) -> Result<Filter, Refusal> {
        let text = |name: &str| call.params.get(name).map(js::text);
        if call.text("image").is_some() && call.text("dataset").is_some() {
            return Err(Refusal::invalid("image and dataset are mutually exclusive parameters."));
        }
        let one_of = |name: &str, known: &[&str]| match text(name) {
            Some(word) if !known.contains(&word.as_str()) => {
                Err(Refusal::invalid(format!("{word} is not a valid {name}")))
            }
            word => Ok(word),
        };
        let state = one_of("state", STATES)?;
        let kind = one_of("type", &["smartmachine", "virtualmachine"])?;
        let docker = match text("docker").as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(word) => return Err(Refusal::invalid(format!("{word} is not a valid boolean"))),
        };
        let tags = call.params.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("tag.")?;
            Some((name.to_owned(), params::text(value)?))
        });
        Ok(Filter {
            kind,
            brand: call.text("brand"),
            name: call.text("name"),
            image: call.text("image"),
            memory: whole(call, "memory", "ram")?,
            docker,
            state,
            tombstone: call.text("tombstone").is_some(),
            tags: tags.collect(),
        })
    }

    fn passes(&self, machine: &Vm) -> bool {
        let same = |want: &Option<String>, have: &str| want.as_deref().is_none_or(|want| want == have);
        let alive = machine.is_active();
        let state = match self.state.as_deref() {
            None => alive || self.tombstone,
            Some("active" | "provisioning" | "stopping") => alive,
            Some("destroyed") => machine.is_destroyed(),
            Some(state) => cloud_state(&machine.state) == state,
        };
        state
            && same(&self.kind, if machine.hvm() { "virtualmachine" } else { "smartmachine" })
            && same(&self.brand, &machine.brand)
            && same(&self.image, machine.image())
            // A prefix, whatever the documentation says.
            && self.name.as_deref().is_none_or(|name| machine.alias.starts_with(name))
            && self.memory.is_none_or(|memory| machine.ram == memory)
            && self.docker.is_none_or(|docker| machine.docker == docker)
            && self.tags.iter().all(|(name, pattern)| {
                machine.tags.get(name).and_then(params::text).is_some_and(|value| glob(pattern, &value))
            })
    }
}

/// A parameter that must be a whole number, if it is there, and what the service behind calls it.
fn whole(call: &Call<'_>, name: &str, field: &str) -> Result<Option<u64>, Refusal> {
    match call.text(name) {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| invalid(field)),
    }
}

/// A parameter of a list that makes no sense.
fn invalid(field: &str) -> Refusal {
    Refusal::failed("Invalid Parameters", field, "Invalid", "Invalid parameter")
}

fn list(call: &mut Call<'_>) -> Outcome {
    let credentials = call.truthy("credentials").cloned();
    let mine = |machine: &&Vm| machine.owner_uuid == call.account;
    // `tags=*` puts every other filter out of force, and shows what is gone too.
    if call.text("tags").as_deref() == Some("*") {
        let rows: Vec<Value> = call
            .state
            .vms
            .iter()
            .filter(mine)
            .filter(|machine| !machine.tags.is_empty())
            .map(|machine| view(call.state, machine, credentials.as_ref(), call.version))
            .collect();
        let count = rows.len().to_string();
        return Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count));
    }
    let filter = Filter::read(call)?;
    let limit = match whole(call, "limit", "limit")? {
        None => 1000,
        Some(limit @ 1..=1000) => limit,
        Some(_) => return Err(invalid("limit")),
    };
    let offset = whole(call, "offset", "offset")?.unwrap_or(0);
    let rows: Vec<Value> = call
        .state
        .vms
        .iter()
        .filter(mine)
        .filter(|machine| filter.passes(machine))
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(1000))
        .map(|machine| view(call.state, machine, credentials.as_ref(), call.version))
        .collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-query-limit", limit.to_string()).header("x-resource-count", count))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let machine = load(call)?;
    let mut shown = view(call.state, machine, call.truthy("credentials"), call.version);
    if machine.is_destroyed() {
        return Err(Refusal::gone(shown));
    }
    let account = call.account()?;
    if let (true, Value::Object(fields)) = (account.cns, &mut shown) {
        let domain = format!("{}.{}.cns.example.com", account.id, call.state.datacenter);
        fields.insert("dns_names".to_owned(), dns_names(machine, &domain).into());
    }
    Ok(Reply::json(&shown))
}

/// The names that the naming service gives a machine: its own ones, and those of its services
/// as long as it says that it is up.
fn dns_names(machine: &Vm, domain: &str) -> Vec<String> {
    if machine.tags.get("triton.cns.disable") == Some(&Value::Bool(true)) {
        return Vec::new();
    }
    let mut names = vec![format!("{}.inst.{domain}", machine.uuid), format!("{}.inst.{domain}", machine.alias)];
    let up = machine.customer_metadata.get("triton.cns.status").and_then(Value::as_str) != Some("down");
    let services = machine.tags.get("triton.cns.services").and_then(Value::as_str).unwrap_or_default();
    for service in services.split(',').filter(|_| up) {
        let label = service.split(':').next().unwrap_or_default().trim();
        let name = format!("{label}.svc.{domain}");
        if !label.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let machine = load_alive(call)?;
    let id = machine.uuid.clone();
    if machine.indestructible_zoneroot {
        let words = "Instance has \"deletion_protection\" enabled, preventing deletion";
        return Err(Refusal::new(409, "CannotDestroyMachineError", words));
    }
    if machine.state == "provisioning" {
        return Err(Refusal::new(409, "ConflictError", "VM has not been allocated to a server yet"));
    }
    // One is on its way already: nothing more to do.
    if call.state.jobs.iter().any(|job| job.vm_uuid == id && matches!(job.work, Work::Destroy)) {
        return Ok(Reply::empty(204));
    }
    call.state.plan(call.now, &id, Work::Destroy, call.caller.clone(), call.fails.clone());
    Ok(Reply::empty(204))
}

fn audit(call: &mut Call<'_>) -> Outcome {
    let uuid = load(call)?.uuid.as_str();
    let jobs = call.state.history.iter().rev().filter(|job| job.vm_uuid == uuid);
    let rows = jobs.filter_map(|job| {
        let (action, end) = (job.work.audited()?, job.end.as_ref()?);
        let success = if job.succeeded() { "yes" } else { "no" };
        Some(json!({ "action": action, "success": success, "time": iso(end.at), "caller": job.caller }))
    });
    Ok(Reply::json(&rows.collect()))
}

/// The id of a machine on which something can be done now.
pub(crate) fn allocated(call: &Call<'_>) -> Result<String, Refusal> {
    let machine = load_alive(call)?;
    if machine.state == "provisioning" {
        return Err(Refusal::new(409, "UnallocatedVM", "VM has not been allocated to a server yet"));
    }
    Ok(machine.uuid.clone())
}
