//! Packages: what sizes of machine can be had.

use serde_json::Value;

use super::super::call::{Call, Route};
use crate::emulator::datacenter::state::{Package, is_uuid};
use crate::emulator::http::params::glob;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/packages", "ListPackages", "packages", list),
    Route::head("/:login/packages", "HeadPackages", "packages", list),
    Route::get("/:login/packages/:package", "GetPackage", "packages", get),
    Route::head("/:login/packages/:package", "HeadPackage", "packages", get),
];

/// What customers see of a package.
const SHOWN: &[&str] = &[
    "id",
    "name",
    "version",
    "memory",
    "disk",
    "swap",
    "lwps",
    "vcpus",
    "group",
    "description",
    "default",
    "brand",
    "flexible_disk",
    "disks",
];

fn view(package: &Package) -> Value {
    let mut view = serde_json::to_value(package).unwrap_or_default();
    if let Value::Object(fields) = &mut view {
        fields.retain(|name, _| SHOWN.contains(&name.as_str()));
        // Shown for bhyve only, though others may have it.
        if package.brand != "bhyve" {
            fields.remove("flexible_disk");
            fields.remove("disks");
        }
    }
    view
}

/// The packages that the account may have.
fn own<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Package> {
    call.state.packages.iter().filter(|package| package.visible(&call.account))
}

fn list(call: &mut Call<'_>) -> Outcome {
    let filters: Vec<(&str, String)> =
        ["name", "version", "group", "brand", "memory", "disk", "swap", "lwps", "vcpus", "flexible_disk"]
            .into_iter()
            .filter_map(|name| Some((name, call.text(name)?)))
            .collect();
    let passes = |package: &&Package| {
        !package.inactive
            && filters.iter().all(|(name, want)| match *name {
                "name" => glob(want, &package.name),
                "version" => glob(want, &package.version),
                "group" => glob(want, &package.group),
                "brand" => *want == package.brand,
                "flexible_disk" => *want == package.flexible_disk.unwrap_or(false).to_string(),
                "memory" => *want == package.memory.to_string(),
                "disk" => *want == package.disk.to_string(),
                "swap" => *want == package.swap.to_string(),
                "lwps" => *want == package.lwps.to_string(),
                _ => *want == package.vcpus.to_string(),
            })
    };
    Ok(Reply::json(&own(call).filter(passes).map(view).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let wanted = call.required("package")?;
    match find(call, &wanted) {
        Some(package) => Ok(Reply::json(&view(package))),
        None if is_uuid(&wanted) => Err(unknown(&wanted)),
        None => Err(Refusal::unknown(&wanted)),
    }
}

/// A UUID that no package has: the answer of the service behind.
pub(crate) fn unknown(id: &str) -> Refusal {
    Refusal::not_found(&format!("Package {id}"))
}

/// The package of this id, or the newest active one of this name.
pub(crate) fn find<'a>(call: &'a Call<'_>, wanted: &str) -> Option<&'a Package> {
    let numbers = |package: &Package| -> Vec<u64> {
        package.version.split(['.', '-']).map(|number| number.parse().unwrap_or(0)).collect()
    };
    own(call)
        .find(|package| package.id == wanted)
        .or_else(|| own(call).filter(|p| p.name == wanted && !p.inactive).max_by_key(|p| numbers(p)))
}

/// The package that is asked for, and how. One that is asked for by a UUID is looked up before anything else is done,
/// and refused as another service refuses it.
pub(crate) fn wanted<'a>(call: &'a Call<'_>) -> Result<(String, &'a Package), Refusal> {
    let wanted = call.text("package").ok_or_else(|| Refusal::lacking("package must be specified"))?;
    match find(call, &wanted) {
        Some(package) if package.inactive => {
            Err(Refusal::invalid(format!("{wanted} is inactive. Must use an active package")))
        }
        Some(package) => Ok((wanted, package)),
        None if is_uuid(&wanted) => Err(unknown(&wanted)),
        None => Err(Refusal::invalid(format!("{wanted} is not a valid package"))),
    }
}
