//! The interfaces of a machine. To get one or to lose one it is rebooted.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::super::version::FROM_7_2;
use super::{machines, networks};
use crate::emulator::cloudapi::denied::refusal;
use crate::emulator::datacenter::state::Work;
use crate::emulator::datacenter::state::{Nic, Vm};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/machines/:machine/nics";
const ONE: &str = "/:login/machines/:machine/nics/:mac";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListNics", "nics", list).versions(FROM_7_2),
    Route::head(ALL, "HeadNics", "nics", list).rbac("listnics").versions(FROM_7_2),
    Route::post(ALL, "AddNic", "nics", add).versions(FROM_7_2),
    Route::get(ONE, "GetNic", "nics", get).versions(FROM_7_2),
    Route::head(ONE, "HeadNic", "nics", get).rbac("getnic").versions(FROM_7_2),
    Route::delete(ONE, "RemoveNic", "nics", remove).versions(FROM_7_2),
];

fn view(machine: &Vm, nic: &Nic) -> Value {
    let state = match machine.state.as_str() {
        _ if !nic.state.is_empty() => nic.state.as_str(),
        "stopped" => "stopped",
        "provisioning" => "provisioning",
        _ => "running",
    };
    let mut view = Map::new();
    view.insert("mac".to_owned(), nic.mac.clone().into());
    view.insert("primary".to_owned(), nic.primary.into());
    view.insert("ip".to_owned(), nic.ip.clone().into());
    view.insert("netmask".to_owned(), nic.netmask.clone().into());
    if !nic.gateway.is_empty() {
        view.insert("gateway".to_owned(), nic.gateway.clone().into());
    }
    view.insert("state".to_owned(), state.into());
    view.insert("network".to_owned(), nic.network.clone().into());
    Value::Object(view)
}

/// The address that is named in the path, which has no colons there.
fn mac(call: &Call<'_>) -> Result<String, Refusal> {
    let text = call.required("mac")?;
    let text = text.get(..12).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Refusal::invalid("mac has invalid format"));
    }
    let digits: Vec<char> = text.to_ascii_lowercase().chars().collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    Ok(pairs.join(":"))
}

fn unknown() -> Refusal {
    Refusal::unknown("nic")
}

/// The account's interfaces with their machines: those too of machines in the making. Machines that
/// are gone have given theirs back.
fn all<'a>(call: &'a Call<'_>) -> impl Iterator<Item = (&'a Vm, &'a Nic)> {
    let held = call.state.held().filter(|held| held.owner == call.account);
    held.filter_map(|held| Some((call.state.vms.get(held.machine?)?, held.nic)))
}

fn list(call: &mut Call<'_>) -> Outcome {
    let id = &machines::load(call)?.uuid;
    let nics = all(call).filter(|(machine, _)| machine.uuid == *id);
    let rows: Vec<Value> = nics.map(|(machine, nic)| view(machine, nic)).collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count))
}

/// As on the real server, the interface may be of any machine of the account.
fn get(call: &mut Call<'_>) -> Outcome {
    machines::load(call)?;
    let mac = mac(call)?;
    match all(call).find(|(_, nic)| nic.mac == mac) {
        Some((machine, nic)) => Ok(Reply::json(&view(machine, nic))),
        None => Err(unknown()),
    }
}

fn location(call: &Call<'_>, machine: &str, mac: &str) -> String {
    call.location(&format!("machines/{machine}/nics/{}", mac.replace(':', "")))
}

fn add(call: &mut Call<'_>) -> Outcome {
    let id = machines::allocated(call)?;
    let entry = call.params.get("network").filter(|value| !matches!(value, Value::Null));
    let entry = entry.cloned().ok_or_else(|| Refusal::lacking("network must be specified"))?;
    let primary = match call.params.get("primary") {
        None | Some(Value::Null) => false,
        Some(value) => params::flag(value).ok_or_else(|| Refusal::invalid("primary must be true or false"))?,
    };
    let (network, ip) = networks::wanted(call, &entry).map_err(|refusal| match refusal.status {
        500 => Refusal::invalid("network argument has invalid format"),
        _ if networks::is_unknown(&refusal) => refusal.saying("network not found"),
        _ => refusal,
    })?;
    let members: Vec<&str> = call.state.members(&network);
    let there = machines::load(call)?.nics.iter().find(|nic| members.contains(&nic.network.as_str()));
    if let Some(nic) = there {
        return Ok(Reply::empty(302).header("Location", location(call, &id, &nic.mac)));
    }
    let used = call.state.used(&[&network]);
    let mut nic = call.state.interface(&network, ip, &used, &[]).map_err(refusal)?;
    nic.state = "provisioning".to_owned();
    let mac = nic.mac.clone();
    let Some(machine) = call.state.vms.get_mut(&id) else { return Err(unknown()) };
    nic.primary = primary || machine.nics.is_empty();
    let shown = view(machine, &nic);
    machine.nics.push(nic);
    let location = location(call, &id, &mac);
    call.state.plan(call.now, &id, Work::AddNics { macs: vec![mac] }, call.caller.clone(), call.fails.clone());
    Ok(Reply::status(201, &shown).header("Location", location))
}

fn remove(call: &mut Call<'_>) -> Outcome {
    let id = machines::allocated(call)?;
    let mac = mac(call)?;
    if !machines::load(call)?.nics.iter().any(|nic| nic.mac == mac) {
        return Err(unknown());
    }
    // It is on its way out already: nothing more to do.
    let leaves = |work: &Work| matches!(work, Work::RemoveNics { macs } if macs.contains(&mac));
    if !call.state.jobs.iter().any(|job| job.vm_uuid == id && leaves(&job.work)) {
        call.state.plan(call.now, &id, Work::RemoveNics { macs: vec![mac] }, call.caller.clone(), call.fails.clone());
    }
    Ok(Reply::empty(204))
}
