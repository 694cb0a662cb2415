//! Disks of bhyve machines: those that a machine is made with, and those that come and go later.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::super::version::FROM_7_2;
use super::machines::allocated;
use super::machines::load;
use crate::emulator::datacenter::state::Disk;
use crate::emulator::datacenter::state::Work;
use crate::emulator::datacenter::state::{Image, Package, Vm, is_uuid, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

const ALL: &str = "/:login/machines/:machine/disks";
const ONE: &str = "/:login/machines/:machine/disks/:disk";

pub(crate) static ROUTES: &[Route] = &[
    Route::post(ALL, "CreateMachineDisk", "machines", create).versions(FROM_7_2),
    Route::get(ALL, "ListMachineDisks", "machines", list).versions(FROM_7_2),
    Route::head(ALL, "HeadMachineDisks", "machines", list).rbac("listmachinedisks").versions(FROM_7_2),
    Route::get(ONE, "GetMachineDisk", "machines", get).versions(FROM_7_2),
    Route::head(ONE, "HeadMachineDisk", "machines", get).rbac("getmachinedisk").versions(FROM_7_2),
    Route::post(ONE, "ResizeMachineDisk", "machines", resize).versions(FROM_7_2),
    Route::delete(ONE, "DeleteMachineDisk", "machines", delete).versions(FROM_7_2),
];

/// As many as a machine may have.
const MAX: usize = 8;
const TOO_MANY: &str = "A maximum of 8 disks per VM are supported";
const OVER_QUOTA: &str = "The size of the disks must not be greater than the package quota";

fn view(machine: &Vm, at: usize, disk: &Disk) -> Value {
    let mut view = Map::new();
    view.insert("id".to_owned(), machine.disk_id(at).into());
    if !disk.pci_slot.is_empty() {
        view.insert("pci_slot".to_owned(), disk.pci_slot.clone().into());
    }
    view.insert("size".to_owned(), disk.size.into());
    if let Some(block_size) = disk.block_size {
        view.insert("block_size".to_owned(), block_size.into());
    }
    view.insert("boot".to_owned(), disk.boot.into());
    // Without one of its own it has the machine's, in the words of the service behind.
    let state = if disk.state.is_empty() { &machine.state } else { &disk.state };
    view.insert("state".to_owned(), state.as_str().into());
    Value::Object(view)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let machine = load(call)?;
    let rows: Vec<Value> = machine.disks.iter().enumerate().map(|(at, disk)| view(machine, at, disk)).collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count))
}

/// The disk that the call names, and its place among the machine's.
fn find<'a>(call: &Call<'_>, machine: &'a Vm) -> Result<(usize, &'a Disk), Refusal> {
    let id = call.required("disk")?;
    let found = machine.disks.iter().enumerate().find(|(at, _)| machine.disk_id(*at) == id);
    found.ok_or_else(|| Refusal::unknown("disk"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let machine = load(call)?;
    let (at, disk) = find(call, machine)?;
    Ok(Reply::json(&view(machine, at, disk)))
}

fn check_stopped(machine: &Vm) -> Result<(), Refusal> {
    if machine.state == "stopped" {
        return Ok(());
    }
    Err(Refusal::invalid("VM must be stopped"))
}

/// MiB that can still be given to disks.
fn free_space(call: &Call<'_>, machine: &Vm) -> Result<u64, Refusal> {
    match call.state.package(&machine.billing_id).filter(|package| package.flexible_disk == Some(true)) {
        Some(package) => Ok(machine.free_space(package)),
        None => Err(Refusal::new(409, "VmWithoutFlexibleDiskSize", "VM has no flexible disk size")),
    }
}

fn no_space(wanted: u64, free: u64) -> Refusal {
    let words = format!("Insufficient disk space: {wanted} MiB wanted, {free} MiB free");
    Refusal::new(409, "InsufficientDiskSpace", words)
}

/// A size in MiB that is more than nothing. Digits are as good as a number.
fn mib(size: &Value) -> Result<u64, Refusal> {
    let text = params::text(size).unwrap_or_default();
    text.parse().ok().filter(|size| *size > 0).ok_or_else(|| Refusal::invalid("size must be a number"))
}

/// The size that is asked for.
fn wanted_size<'a>(call: &'a Call<'_>) -> Result<&'a Value, Refusal> {
    call.truthy("size").ok_or_else(|| Refusal::lacking("size must be specified"))
}

/// `bus:device:function`, where a device of its own has some of the places.
fn check_slot(slot: &str) -> Result<(), Refusal> {
    let numbers: Vec<u8> = slot.split(':').filter_map(|number| number.parse().ok()).collect();
    let plain = slot.bytes().all(|b| b.is_ascii_digit() || b == b':') && slot.matches(':').count() == 2;
    match numbers.as_slice() {
        [_, device, function] if plain && *device < 30 && !matches!(device, 0 | 6) && *function < 8 => Ok(()),
        _ => Err(Refusal::invalid("pci_slot has wrong format")),
    }
}

/// On a machine of another kind the real server's refusal goes wrong, and is never sent.
fn create(call: &mut Call<'_>) -> Outcome {
    let id = allocated(call)?;
    let machine = load(call)?;
    if machine.brand != "bhyve" {
        return Err(Refusal::invalid("Disk Creation is supported only for BHYVE VMs").mute());
    }
    check_stopped(machine)?;
    let asked = wanted_size(call)?;
    let all_that_is_left = asked == "remaining";
    let size = if all_that_is_left { 0 } else { mib(asked)? };
    let slot = call.text("pci_slot");
    if let Some(slot) = &slot {
        check_slot(slot)?;
        if machine.disks.iter().any(|disk| disk.pci_slot == *slot) {
            return Err(Refusal::invalid(format!("pci_slot \"{slot}\" is in use")));
        }
    }
    if machine.disks.len() >= MAX {
        return Err(Refusal::invalid(TOO_MANY));
    }
    if all_that_is_left && free_space(call, machine).is_err() {
        let words = "remaining is only supported for VMs created with flexible_disk_size packages";
        return Err(Refusal::invalid(words));
    }
    let free = free_space(call, machine)?;
    let size = if all_that_is_left { free } else { size };
    if size > free || free == 0 {
        return Err(no_space(size, free));
    }
    let disk = new_id();
    let named = slot.is_some();
    let mut shown = Value::Null;
    if let Some(machine) = call.state.vms.get_mut(&id) {
        machine.settle_disks();
        let pci_slot = slot.unwrap_or_else(|| machine.free_slot());
        let state = "creating".to_owned();
        machine.disks.push(Disk { id: disk.clone(), pci_slot, size, state, ..Disk::default() });
        let last = machine.disks.iter().enumerate().next_back();
        shown = last.map_or(Value::Null, |(at, disk)| view(machine, at, disk));
    }
    let location = call.location(&format!("machines/{id}/disks/{disk}"));
    call.state.plan(call.now, &id, Work::CreateDisk { disk }, call.caller.clone(), call.fails.clone());
    // Only the place makes it possible to find the disk again, there.
    Ok(if named { Reply::json(&shown).header("Location", location) } else { Reply::empty(202) })
}

/// The machine and the disk with its id, if something can be done to them.
fn settled(call: &Call<'_>) -> Result<(String, Disk), Refusal> {
    let id = allocated(call)?;
    let machine = load(call)?;
    let (at, disk) = find(call, machine)?;
    check_stopped(machine)?;
    let disk = Disk { id: machine.disk_id(at), ..disk.clone() };
    if !disk.state.is_empty() {
        return Err(Refusal::invalid(format!("disk {} is in state {}", disk.id, disk.state)));
    }
    Ok((id, disk))
}

fn resize(call: &mut Call<'_>) -> Outcome {
    let (id, disk) = settled(call)?;
    let size = mib(wanted_size(call)?)?;
    if call.params.get("dangerous_allow_shrink").is_some_and(|allow| !allow.is_boolean()) {
        return Err(Refusal::invalid("dangerous_allow_shrink must be a boolean"));
    }
    if size < disk.size && !call.is_true("dangerous_allow_shrink") {
        let words = "Reducing disk size is a dangerous operation";
        return Err(Refusal::validation("dangerous_allow_shrink", "Invalid", words));
    }
    let free = free_space(call, load(call)?)?;
    let more = size.saturating_sub(disk.size);
    if more > free {
        return Err(no_space(more, free));
    }
    let mut shown = Value::Null;
    if let Some(machine) = call.state.vms.get_mut(&id) {
        machine.settle_disks();
        if let Some(disk) = machine.disks.iter_mut().find(|other| other.id == disk.id) {
            disk.state = "resizing".to_owned();
            disk.wanted = Some(size);
        }
        let found = machine.disks.iter().enumerate().find(|(_, other)| other.id == disk.id);
        shown = found.map_or(Value::Null, |(at, disk)| view(machine, at, disk));
    }
    call.state.plan(call.now, &id, Work::ResizeDisk { disk: disk.id }, call.caller.clone(), call.fails.clone());
    Ok(Reply::json(&shown))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let (id, disk) = settled(call)?;
    if disk.boot {
        return Err(Refusal::validation("pci_slot", "Invalid", "Cannot delete the boot disk"));
    }
    if let Some(machine) = call.state.vms.get_mut(&id) {
        machine.settle_disks();
        if let Some(disk) = machine.disks.iter_mut().find(|other| other.id == disk.id) {
            disk.state = "deleting".to_owned();
        }
    }
    call.state.plan(call.now, &id, Work::DeleteDisk { disk: disk.id }, call.caller.clone(), call.fails.clone());
    Ok(Reply::empty(204))
}

/// The disks of a new machine: those asked for, else the package's, else the image's and the rest.
pub(crate) fn planned(call: &Call<'_>, brand: &str, image: &Image, package: &Package) -> Result<Vec<Disk>, Refusal> {
    let asked = match call.params.get("disks") {
        None | Some(Value::Null) => None,
        // Those of machines without any of their own are not looked at.
        Some(_) if !matches!(brand, "bhyve" | "kvm") => None,
        Some(_) if brand == "kvm" || package.flexible_disk != Some(true) => {
            return Err(Refusal::invalid(
                "The use of `disks` is only supported if the package has the flexible_disk attr set to true",
            ));
        }
        Some(Value::Array(list)) if list.len() > MAX => return Err(Refusal::invalid(TOO_MANY)),
        Some(Value::Array(list)) if !list.is_empty() => Some(list.as_slice()),
        Some(_) => return Err(Refusal::invalid("disks must be a list of disks")),
    };
    if !matches!(brand, "bhyve" | "kvm") {
        return Ok(Vec::new());
    }
    let flexible = package.flexible_disk == Some(true);
    let first = image.image_size.unwrap_or(10_240);
    let list = match asked {
        Some(list) => list,
        None if !package.disks.is_empty() && flexible => package.disks.as_slice(),
        None => {
            let rest = if flexible { package.disk.saturating_sub(first) } else { package.disk };
            let boot = Disk { size: first, boot: true, image: image.id.clone(), ..Disk::default() };
            let mut disks = vec![boot];
            if rest > 0 {
                disks.push(Disk { size: rest, ..Disk::default() });
            }
            return Ok(numbered(disks));
        }
    };
    let mut disks: Vec<Disk> = Vec::new();
    let mut left = package.disk;
    let mut remaining = None;
    for (at, entry) in list.iter().enumerate() {
        let mut disk = described(entry, at, image)?;
        match entry.get("size") {
            Some(Value::String(word)) if word == "remaining" && remaining.is_none() => remaining = Some(at),
            Some(Value::String(word)) if word == "remaining" => {
                return Err(Refusal::invalid("Only one disk.size can be set to `remaining`"));
            }
            Some(size) if !size.is_null() => disk.size = mib(size)?,
            _ if at == 0 => disk.size = first,
            _ => return Err(Refusal::lacking("disk.size must be set if disk is not the boot disk")),
        }
        left = left.checked_sub(disk.size).ok_or_else(|| Refusal::invalid(OVER_QUOTA))?;
        if !disk.id.is_empty() && disks.iter().any(|other| other.id == disk.id) {
            return Err(Refusal::invalid(format!("disk id {} is given twice", disk.id)));
        }
        disks.push(disk);
    }
    if let Some(disk) = remaining.and_then(|at| disks.get_mut(at)) {
        if left == 0 {
            return Err(Refusal::invalid("nothing remains for the disk of size \"remaining\""));
        }
        disk.size = left;
    }
    if disks.first().is_some_and(|disk| disk.size < first) {
        let words = "Size must be greater than or equal to image size for the boot disk";
        return Err(Refusal::invalid(words));
    }
    Ok(numbered(disks))
}

/// What an entry says of its disk, but for the size.
fn described(entry: &Value, at: usize, image: &Image) -> Result<Disk, Refusal> {
    let first = at == 0;
    if !entry.is_object() {
        return Err(Refusal::invalid("disks must be a list of objects"));
    }
    let given = |name: &str| entry.get(name).filter(|value| !value.is_null());
    let mut disk = Disk { boot: first, ..Disk::default() };
    if let Some(id) = given("id") {
        let id = id.as_str().filter(|id| is_uuid(id)).ok_or_else(|| Refusal::invalid("disk id is not a UUID"))?;
        id.clone_into(&mut disk.id);
    }
    if given("boot").is_some_and(|boot| *boot != Value::Bool(first)) {
        return Err(Refusal::invalid("boot must be true on the first disk and on no other"));
    }
    match given("image") {
        Some(_) if !first => return Err(Refusal::invalid("only the first disk can have an image")),
        Some(id) if *id != image.id.as_str() => {
            return Err(Refusal::invalid("the image of the first disk is not the machine's"));
        }
        _ => {}
    }
    if let Some(block_size) = given("block_size") {
        if first {
            return Err(Refusal::invalid("Cannot set block_size and image_uuid."));
        }
        let fits = |size: &u64| (512..=131_072).contains(size) && size.is_power_of_two();
        let given = js::text(block_size);
        let words = format!("Invalid block_size: {given} on disk: {at}. Must be 512-131072 and a power of 2.");
        disk.block_size = Some(block_size.as_u64().filter(fits).ok_or_else(|| Refusal::invalid(words))?);
    }
    if first {
        disk.image.clone_from(&image.id);
    }
    Ok(disk)
}

/// With ids and places.
fn numbered(mut disks: Vec<Disk>) -> Vec<Disk> {
    for (at, disk) in disks.iter_mut().enumerate() {
        if disk.id.is_empty() {
            disk.id = new_id();
        }
        disk.pci_slot = format!("0:4:{at}");
    }
    disks
}
