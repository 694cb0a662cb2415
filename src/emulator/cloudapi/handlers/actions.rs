//! What can be done to a machine with a POST: one path, told apart by the parameter `action`.
//!
//! As on the real server, start, stop and reboot do not look at the state: 202, and a job that
//! may fail later, which only the audit log shows.

use super::super::call::{Call, Route};
use super::create::check_name;
use super::machines::{self, load};
use super::packages;
use crate::emulator::datacenter::state::Work;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const PATH: &str = "/:login/machines/:machine";

pub(crate) static ROUTES: &[Route] = &[
    Route::post(PATH, "StartMachine", "machines", start).action("start"),
    Route::post(PATH, "StopMachine", "machines", stop).action("stop"),
    Route::post(PATH, "RebootMachine", "machines", reboot).action("reboot"),
    Route::post(PATH, "RenameMachine", "machines", rename).action("rename"),
    Route::post(PATH, "ResizeMachine", "machines", resize).action("resize"),
    Route::post(PATH, "EnableMachineFirewall", "machines", enable_firewall).action("enable_firewall"),
    Route::post(PATH, "DisableMachineFirewall", "machines", disable_firewall).action("disable_firewall"),
    Route::post(PATH, "EnableMachineDeletionProtection", "machines", protect)
        .rbac("enable_deletion_protectionmachine")
        .action("enable_deletion_protection"),
    Route::post(PATH, "DisableMachineDeletionProtection", "machines", unprotect)
        .rbac("disable_deletion_protectionmachine")
        .action("disable_deletion_protection"),
];

fn plan(call: &mut Call<'_>, work: Work) -> Outcome {
    let id = machines::allocated(call)?;
    call.state.plan(call.now, &id, work, call.caller.clone(), call.fails.clone());
    Ok(Reply::empty(202))
}

fn start(call: &mut Call<'_>) -> Outcome {
    plan(call, Work::Start)
}

fn stop(call: &mut Call<'_>) -> Outcome {
    plan(call, Work::Stop)
}

fn reboot(call: &mut Call<'_>) -> Outcome {
    plan(call, Work::Reboot)
}

fn rename(call: &mut Call<'_>) -> Outcome {
    let id = machines::allocated(call)?;
    let name = call.text("name").ok_or_else(|| Refusal::lacking("New name must be specified"))?;
    if name.encode_utf16().count() > 189 {
        return Err(Refusal::invalid("Name cannot be longer than 189 characters."));
    }
    check_name(call, &name, Some(&id), "Invalid VM parameters")?;
    plan(call, Work::Rename { name })
}

fn resize(call: &mut Call<'_>) -> Outcome {
    machines::allocated(call)?;
    let machine = load(call)?;
    let brand = machine.brand.as_str();
    if brand == "kvm" {
        return Err(Refusal::invalid("resize is not supported for KVM virtualmachines"));
    }
    let (wanted, package) = packages::wanted(call)?;
    let package_id = package.id.clone();
    let image = call.state.images.iter().find(|image| image.id == machine.image());
    let bound = |name: &str| image.and_then(|image| image.requirements.get(name)?.as_u64());
    for (bound, word, outside) in [
        (bound("min_ram"), "less", u64::gt as fn(&u64, &u64) -> bool),
        (bound("max_ram"), "more", u64::lt as fn(&u64, &u64) -> bool),
    ] {
        if let Some(bound) = bound.filter(|bound| outside(bound, &package.memory)) {
            let ram = package.memory;
            let words = format!("Package RAM ({ram}) is {word} than allowed by the image ({bound})");
            return Err(Refusal::invalid(words));
        }
    }
    let now = call.state.package(&machine.billing_id);
    if now.is_some_and(|now| now.traits != package.traits) {
        return Err(Refusal::invalid("Resizing to a package with differing traits not supported"));
    }
    if brand == "bhyve" && package.flexible_disk != Some(true) {
        return Err(Refusal::invalid("Resizing to a package without flexible disk space is not supported"));
    }
    if !package.brand.is_empty() && package.brand != brand {
        return Err(Refusal::invalid(format!("package \"{wanted}\" is not for {brand} machines")));
    }
    let taken = machine.disk_space();
    if brand == "bhyve" && package.disk < taken {
        let words = format!("Insufficient disk space: the disks of the machine take {taken} MiB");
        return Err(Refusal::new(409, "InsufficientDiskSpace", words));
    }
    plan(call, Work::Resize { package: package_id })
}

fn firewall(call: &mut Call<'_>, on: bool) -> Outcome {
    let id = machines::allocated(call)?;
    // Nothing to do: accepted, without a job.
    if call.state.vms.get(&id).is_some_and(|machine| machine.firewall_enabled == on) {
        return Ok(Reply::empty(202));
    }
    plan(call, Work::Firewall { on })
}

fn enable_firewall(call: &mut Call<'_>) -> Outcome {
    firewall(call, true)
}

fn disable_firewall(call: &mut Call<'_>) -> Outcome {
    firewall(call, false)
}

/// Accepted even for a deleted machine.
fn protection(call: &mut Call<'_>, on: bool) -> Outcome {
    let machine = load(call)?;
    let id = machine.uuid.clone();
    if machine.state == "provisioning" {
        machines::allocated(call)?;
    }
    if load(call)?.indestructible_zoneroot != on {
        call.state.plan(call.now, &id, Work::DeletionProtection { on }, call.caller.clone(), call.fails.clone());
    }
    Ok(Reply::empty(202))
}

fn protect(call: &mut Call<'_>) -> Outcome {
    protection(call, true)
}

fn unprotect(call: &mut Call<'_>) -> Outcome {
    protection(call, false)
}
