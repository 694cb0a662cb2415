//! How much an account may have, and whether a new machine would be too much.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use crate::emulator::datacenter::state::{Image, Limit, Package, Vm};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] =
    &[Route::get("/:login/limits", "GetAccountLimits", "account", list).rbac("getprovisioninglimits")];

/// Whether a machine with this brand and image is among those that a limit counts.
fn counts(limit: &Limit, brand: &str, image: Option<&Image>) -> bool {
    let is = |value: &str| limit.of == "any" || limit.of == value;
    match limit.check.as_str() {
        "brand" => is(brand),
        "image" => is(image.map_or("", |image| image.name.as_str())),
        "os" => is(image.map_or("", |image| image.os.as_str())),
        _ => true,
    }
}

/// What a machine of this size uses up, in MiB or machines.
fn uses(limit: &Limit, memory: u64, disk: u64) -> u64 {
    match limit.by.as_str() {
        "ram" => memory,
        "quota" => disk,
        _ => 1,
    }
}

/// What the account uses up so far, in MiB or machines.
fn used(call: &Call<'_>, limit: &Limit) -> u64 {
    let image = |machine: &Vm| call.state.images.iter().find(|image| image.id == machine.image());
    let alive = |machine: &&Vm| machine.is_active();
    let mine = call.state.vms.iter().filter(|machine| machine.owner_uuid == call.account).filter(alive);
    mine.filter(|machine| counts(limit, &machine.brand, image(machine)))
        .map(|machine| uses(limit, machine.ram, machine.disk()))
        .fold(0, u64::saturating_add)
}

/// In the limit's own unit: disks are counted in GiB.
fn in_unit(limit: &Limit, amount: u64) -> u64 {
    if limit.by == "quota" { amount.div_ceil(1024) } else { amount }
}

fn list(call: &mut Call<'_>) -> Outcome {
    let view = |limit: &Limit| {
        let mut view = Map::new();
        view.insert("value".to_owned(), limit.value.into());
        if !limit.by.is_empty() {
            view.insert("by".to_owned(), limit.by.clone().into());
        }
        if !limit.check.is_empty() {
            view.insert("check".to_owned(), limit.check.clone().into());
            view.insert(limit.check.clone(), limit.of.clone().into());
        }
        view.insert("used".to_owned(), in_unit(limit, used(call, limit)).into());
        Value::Object(view)
    };
    Ok(Reply::json(&call.account()?.limits.iter().map(view).collect()))
}

/// Refuses a new machine that would be more than the account may have.
pub(crate) fn check(call: &Call<'_>, brand: &str, image: &Image, package: &Package) -> Result<(), Refusal> {
    for limit in call.account()?.limits.iter().filter(|limit| limit.value != 0) {
        if !counts(limit, brand, Some(image)) {
            continue;
        }
        let after = used(call, limit).saturating_add(uses(limit, package.memory, package.disk));
        if u64::try_from(limit.value).is_ok_and(|most| in_unit(limit, after) <= most) {
            continue;
        }
        let what = if limit.by.is_empty() { "machines" } else { limit.by.as_str() };
        let words = format!("Quota exceeded: at most {} {what} allowed", limit.value.max(0));
        return Err(Refusal::new(403, "NotAuthorized", words));
    }
    Ok(())
}
