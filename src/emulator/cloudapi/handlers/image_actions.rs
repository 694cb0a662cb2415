//! What is done to images: made from machines, imported, changed, exported, cloned, deleted.

use serde_json::{Value, json};

use super::super::call::{Call, Route};
use super::super::version::Version;
use super::images::{find, find_at, view, visible};
use super::machines::allocated;
use super::machines::load;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::seed::OPERATOR;
use crate::emulator::datacenter::state::Work;
use crate::emulator::datacenter::state::{Image, is_uuid, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/images";
const ONE: &str = "/:login/images/:image";

pub(crate) static ROUTES: &[Route] = &[
    Route::post(ALL, "CreateImageFromMachine", "images", create),
    Route::post(ALL, "ImportImageFromDatacenter", "images", import)
        .rbac("createimagefrommachine")
        .action("import-from-datacenter"),
    Route::post(ONE, "UpdateImage", "images", update).action("update"),
    Route::post(ONE, "ExportImage", "images", export).rbac("updateimage").action("export"),
    Route::post(ONE, "CloneImage", "images", clone).rbac("updateimage").action("clone"),
    Route::delete(ONE, "DeleteImage", "images", delete),
];

/// Ancestors of a clone that are cloned with it, at most.
const ANCESTORS: usize = 32;

fn invalid(field: &str, message: &str) -> Refusal {
    Refusal::new(422, "ValidationFailed", "invalid image data").field(field, "Invalid", message)
}

/// The fields of an image that its owner can set.
fn describe(call: &Call<'_>, image: &mut Image) -> Result<(), Refusal> {
    for (name, limit) in [("name", 512), ("version", 128)] {
        let Some(value) = call.params.get(name).filter(|value| !value.is_null()) else { continue };
        let fits = |text: &&str| !text.is_empty() && text.len() <= limit;
        let words = format!("must be a text of 1 to {limit} characters");
        let text = value.as_str().filter(fits).ok_or_else(|| invalid(name, &words))?;
        text.clone_into(if name == "name" { &mut image.name } else { &mut image.version });
    }
    if let Some(value) = call.params.get("description").filter(|value| !value.is_null()) {
        value.as_str().ok_or_else(|| invalid("description", "must be a text"))?.clone_into(&mut image.description);
    }
    for name in ["homepage", "eula"] {
        let Some(value) = call.params.get(name).filter(|value| !value.is_null()) else { continue };
        let fits = |text: &&str| text.is_empty() || text.starts_with("http://") || text.starts_with("https://");
        let text = value.as_str().filter(fits).ok_or_else(|| invalid(name, "must be a URL"))?;
        text.clone_into(if name == "homepage" { &mut image.homepage } else { &mut image.eula });
    }
    if let Some(value) = call.params.get("acl").filter(|value| !value.is_null()) {
        let id = |id: &Value| id.as_str().filter(|id| is_uuid(id)).map(str::to_owned);
        let acl: Option<Vec<String>> = value.as_array().and_then(|list| list.iter().map(id).collect());
        image.acl = acl.ok_or_else(|| invalid("acl", "must be a list of UUIDs"))?;
    }
    match call.params.get("tags") {
        None | Some(Value::Null) => {}
        Some(Value::Object(tags)) => image.tags.clone_from(tags),
        Some(_) => return Err(invalid("tags", "must be an object")),
    }
    Ok(())
}

fn create(call: &mut Call<'_>) -> Outcome {
    // Another action than those that are known falls through the server's chain, to no answer at all.
    if call.text("action").is_some() {
        return Err(Refusal::invalid("unknown action").mute());
    }
    call.required("machine")?;
    for name in ["name", "version"] {
        call.text(name).ok_or_else(|| Refusal::missing(&format!("Image {name}")))?;
    }
    let machine = allocated(call)?;
    // Running or not: while the image is made, the service behind stops a machine that runs.
    let source = load(call)?;
    let parent = call.state.images.iter().find(|image| image.id == source.image());
    let mut image = Image {
        id: new_id(),
        os: parent.map_or_else(|| "other".to_owned(), |parent| parent.os.clone()),
        kind: match source.brand.as_str() {
            "kvm" | "bhyve" => "zvol",
            "lx" => "lx-dataset",
            _ => "zone-dataset",
        }
        .to_owned(),
        owner: call.account.clone(),
        state: "creating".to_owned(),
        // Always incremental.
        origin: source.image().to_owned(),
        ..Image::default()
    };
    if source.hvm() {
        image.image_size = source.disks.first().map(|disk| disk.size).or(parent.and_then(|parent| parent.image_size));
    }
    if let Some(parent) = parent {
        image.requirements.clone_from(&parent.requirements);
        image.needs_password = parent.needs_password;
    }
    describe(call, &mut image)?;
    let mut shown = json!({ "id": image.id, "name": image.name, "version": image.version, "requirements": {} });
    if let (true, Value::Object(fields)) = (call.version >= Version(7, 1, 0), &mut shown) {
        fields.insert("state".to_owned(), image.state.clone().into());
    }
    let id = image.id.clone();
    call.state.images.push(image);
    let work = Work::Image { image: id.clone() };
    let job = call.state.plan(call.now, &machine, work, call.caller.clone(), call.fails.clone());
    let reply = Reply::status(201, &shown).header("Location", call.location(&format!("images/{id}")));
    Ok(reply.header("x-joyent-jobid", job))
}

fn import(call: &mut Call<'_>) -> Outcome {
    let datacenter = call.required("datacenter")?;
    let id = call.required("id")?;
    if !is_uuid(&id) {
        return Err(Refusal::invalid(format!("id \"{id}\" is not a UUID")));
    }
    if datacenter == call.state.datacenter || !call.state.datacenters.contains_key(&datacenter) {
        return Err(Refusal::invalid(format!("datacenter \"{datacenter}\" is not another data center")));
    }
    let found = call.state.elsewhere.iter().find(|other| other.datacenter == datacenter && other.image.id == id);
    let image = match found {
        Some(found) if visible(&found.image, &call.account) => found.image.clone(),
        _ => return Err(Refusal::new(404, "ResourceNotFound", format!("image {id} not found in {datacenter}"))),
    };
    if image.owner == OPERATOR {
        return Err(Refusal::new(403, "OperatorOnly", "operator-only endpoint called by a non-operator"));
    }
    if call.state.images.iter().any(|image| image.id == id) {
        return Err(Refusal::new(409, "ImageUuidAlreadyExists", format!("image uuid \"{id}\" already exists")));
    }
    let shown = view(&image, call.version);
    call.state.images.push(image);
    Ok(Reply::json(&shown))
}

/// Where an image of the caller's own is.
fn own(call: &Call<'_>) -> Result<usize, Refusal> {
    let at = find_at(call)?;
    let image = call.state.images.get(at).filter(|image| image.owner == call.account);
    match image {
        Some(_) => Ok(at),
        None => {
            let id = call.state.images.get(at).map_or("", |image| image.id.as_str());
            let words = format!("account \"{}\" does not own image \"{id}\"", call.account);
            Err(Refusal::new(422, "NotImageOwner", words))
        }
    }
}

fn update(call: &mut Call<'_>) -> Outcome {
    let at = own(call)?;
    let mut image = find(call)?.clone();
    describe(call, &mut image)?;
    let shown = view(&image, call.version);
    if let Some(kept) = call.state.images.get_mut(at) {
        *kept = image;
    }
    Ok(Reply::json(&shown))
}

fn export(call: &mut Call<'_>) -> Outcome {
    let path = call.text("manta_path").ok_or_else(|| Refusal::missing("Image destination manta_path"))?;
    own(call)?;
    let image = find(call)?;
    let login = &call.account()?.login;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if !path.starts_with('/') || parts.first() != Some(&login.as_str()) || parts.contains(&"..") {
        let words = format!("account \"{}\" does not own Manta path \"{path}\"", call.account);
        return Err(Refusal::new(422, "NotMantaPathOwner", words));
    }
    if image.state != "active" {
        return Err(Refusal::invalid(format!("image {} is not active", image.id)));
    }
    // A folder, or the beginning of a name. The folders that everybody has need no stroke at the end.
    let prefix = format!("/{}", parts.join("/"));
    let prefix = if path.ends_with('/') || parts.len() <= 2 {
        format!("{prefix}/{}-{}", image.name, image.version)
    } else {
        prefix
    };
    let compression = image.files.first().and_then(|file| file.get("compression")).and_then(Value::as_str);
    let ending = match compression {
        Some("gzip") => ".gz",
        Some("bzip2") => ".bz2",
        _ => "",
    };
    let manta = call.state.services.get("manta").and_then(Value::as_str).map(str::to_owned);
    let manta = manta.unwrap_or_else(|| format!("https://manta.{}.example.com", call.state.datacenter));
    Ok(Reply::json(&json!({
        "manta_url": manta,
        "image_path": format!("{prefix}.zfs{ending}"),
        "manifest_path": format!("{prefix}.imgmanifest"),
    })))
}

fn clone(call: &mut Call<'_>) -> Outcome {
    let image = find(call)?;
    if !image.acl.contains(&call.account) {
        let words = format!("image \"{}\" is not shared with account \"{}\"", image.id, call.account);
        return Err(Refusal::new(422, "ImageNotShared", words));
    }
    if image.state != "active" {
        return Err(Refusal::invalid(format!("image {} is not active", image.id)));
    }
    let own = |image: &Image, origin: String, state: &str| Image {
        id: new_id(),
        owner: call.account.clone(),
        public: false,
        acl: Vec::new(),
        published_at: iso(call.now),
        origin,
        state: state.to_owned(),
        ..image.clone()
    };
    // Ancestors that the account could not see alone come along, disabled; the eldest first.
    let mut line = Vec::new();
    let mut origin = image.origin.as_str();
    while let Some(parent) = call.state.images.iter().find(|other| other.id == origin) {
        if parent.public || parent.owner == call.account || line.len() == ANCESTORS {
            break;
        }
        line.push(parent);
        origin = parent.origin.as_str();
    }
    let mut origin = origin.to_owned();
    let mut made = Vec::new();
    for parent in line.into_iter().rev() {
        let copy = own(parent, origin, "disabled");
        origin = copy.id.clone();
        made.push(copy);
    }
    let copy = own(image, origin, "active");
    let shown = view(&copy, call.version);
    made.push(copy);
    call.state.images.extend(made);
    Ok(Reply::json(&shown))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let at = own(call)?;
    let id = find(call)?.id.clone();
    let dependents: Vec<&str> =
        call.state.images.iter().filter(|image| image.origin == id).map(|image| image.id.as_str()).collect();
    if !dependents.is_empty() {
        let count = dependents.len();
        let words = format!("image \"{id}\" has {count} dependent incremental image(s): {}", dependents.join(", "));
        return Err(Refusal::new(422, "ImageHasDependentImages", words));
    }
    call.state.images.remove(at);
    Ok(Reply::empty(204))
}
