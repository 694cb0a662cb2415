//! Images.

use serde_json::Value;

use super::super::call::{Call, Route};
use super::super::version::Version;
use crate::emulator::datacenter::state::{Image, is_uuid};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/images", "ListImages", "images", list),
    Route::head("/:login/images", "HeadImages", "images", list),
    Route::get("/:login/images/:image", "GetImage", "images", get),
    Route::head("/:login/images/:image", "HeadImage", "images", get),
];

/// What customers see of an image.
const SHOWN: &[&str] = &[
    "id",
    "name",
    "version",
    "os",
    "type",
    "description",
    "requirements",
    "image_size",
    "files",
    "tags",
    "homepage",
    "eula",
    "published_at",
    "owner",
    "public",
    "state",
    "acl",
    "origin",
    "error",
];

/// Fields that the first version of the API did not show.
const SINCE_7_1: &[&str] = &["files", "owner", "public", "state", "eula", "acl", "origin", "error"];

/// The word for an image's type in version 7.
fn old_type(kind: &str) -> &'static str {
    if kind == "zvol" { "virtualmachine" } else { "smartmachine" }
}

pub(crate) fn view(image: &Image, version: Version) -> Value {
    let mut view = serde_json::to_value(image).unwrap_or_default();
    if let Value::Object(fields) = &mut view {
        fields.retain(|name, _| SHOWN.contains(&name.as_str()));
        if let Some(Value::Object(requirements)) = fields.get_mut("requirements") {
            for (ram, memory) in [("min_ram", "min_memory"), ("max_ram", "max_memory")] {
                for (from, to) in [(ram, memory), (memory, ram)] {
                    if let Some(same) = requirements.get(from).cloned() {
                        requirements.entry(to).or_insert(same);
                    }
                }
            }
        }
        if version < Version(8, 0, 0) {
            fields.insert("type".to_owned(), old_type(&image.kind).into());
        }
        if version < Version(7, 1, 0) {
            fields.retain(|name, _| !SINCE_7_1.contains(&name.as_str()));
        }
    }
    view
}

/// Whether an account may see and use an image.
pub(crate) fn visible(image: &Image, account: &str) -> bool {
    image.public || image.owner == account || image.acl.iter().any(|id| id == account)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let old = call.version < Version(8, 0, 0);
    let kind = call.text("type");
    if let Some(kind) = &kind
        && old
        && !matches!(kind.as_str(), "smartmachine" | "virtualmachine")
    {
        return Err(Refusal::invalid(format!("{kind} is not a valid type")));
    }
    let (name, os, version) = (call.text("name"), call.text("os"), call.text("version"));
    let (public, owner, state) = (call.text("public"), call.text("owner"), call.text("state"));
    let same = |want: &Option<String>, have: &str| want.as_deref().is_none_or(|want| want == have);
    let passes = |image: &&Image| {
        visible(image, &call.account)
            && match state.as_deref() {
                Some("all") => true,
                Some(state) => image.state == state,
                None => image.state == "active",
            }
            && match kind.as_deref() {
                Some(kind) if old => old_type(&image.kind) == kind && image.kind != "docker",
                Some(kind) => image.kind == kind,
                None => image.kind != "docker",
            }
            // A tilde asks for part of a name.
            && name.as_deref().is_none_or(|name| match name.strip_prefix('~') {
                Some(part) => image.name.contains(part),
                None => image.name == name,
            })
            && same(&os, &image.os)
            && same(&version, &image.version)
            && same(&owner, &image.owner)
            && same(&public, if image.public { "true" } else { "false" })
    };
    let rows = call.state.images.iter().filter(passes).map(|image| view(image, call.version));
    Ok(Reply::json(&rows.collect()))
}

/// Where the image is that the call names.
pub(crate) fn find_at(call: &Call<'_>) -> Result<usize, Refusal> {
    let id = call.required("image")?;
    if !is_uuid(&id) {
        return Err(Refusal::unknown(&id));
    }
    let found = call.state.images.iter().position(|image| image.id == id && visible(image, &call.account));
    found.ok_or_else(unknown)
}

/// The image that the call names.
pub(crate) fn find<'a>(call: &'a Call<'_>) -> Result<&'a Image, Refusal> {
    call.state.images.get(find_at(call)?).ok_or_else(unknown)
}

fn unknown() -> Refusal {
    Refusal::unknown("image")
}

fn get(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&view(find(call)?, call.version)))
}
