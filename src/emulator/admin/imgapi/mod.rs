//! IMGAPI, as far as the other services need it: images are listed and read.

use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::Kind;
use super::call::{Call, Route, is_lower_uuid, missing, route};
use crate::emulator::datacenter::clock::read_iso;
use crate::emulator::datacenter::state::Image;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static IMGAPI: Kind = Kind {
    name: "imgapi",
    routes: &[ROUTES],
    versions: &[(1, 0, 0), (2, 0, 0)],
    default_version: "~1",
    body_wins: false,
    request_id: false,
};

static ROUTES: &[Route] = &[
    route("GET", "/ping", &["Ping"], ping),
    route("GET", "/images", &["ListImages"], list),
    route("GET", "/images/:uuid", &["GetImage"], get),
];

/// Fine; or the error that is asked for, for those who try how they take it.
fn ping(call: &mut Call<'_>) -> Outcome {
    if let Some(code) = call.text("error") {
        let status = match code.as_str() {
            "ResourceNotFound" => 404,
            "InvalidParameter" | "ValidationFailed" => 422,
            "OperatorOnly" | "NotAuthorized" => 403,
            _ => 500,
        };
        return Err(Refusal::new(status, &code, call.text("message").unwrap_or_default()));
    }
    Ok(Reply::json(&json!({ "ping": "pong", "version": "4.13.2", "imgapi": true, "pid": std::process::id() })))
}

/// The manifest of an image: what is not set is left out.
fn manifest(image: &Image) -> Value {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("v", 2.into());
    put("uuid", image.id.clone().into());
    put("owner", image.owner.clone().into());
    put("name", image.name.clone().into());
    put("version", image.version.clone().into());
    put("state", image.state.clone().into());
    put("disabled", (image.state == "disabled").into());
    put("public", image.public.into());
    for (name, text) in [("published_at", &image.published_at), ("type", &image.kind), ("os", &image.os)] {
        // One that is still made has none of them yet.
        let is_known = image.state != "creating" || name == "published_at";
        if is_known && !text.is_empty() {
            put(name, text.clone().into());
        }
    }
    put("files", image.files.clone().into());
    if !image.acl.is_empty() {
        put("acl", json!(image.acl));
    }
    for (name, text) in [("description", &image.description), ("homepage", &image.homepage), ("eula", &image.eula)] {
        if !text.is_empty() {
            put(name, text.clone().into());
        }
    }
    let mut requirements = image.requirements.clone();
    if image.needs_password {
        requirements.insert("password".to_owned(), true.into());
    }
    if !requirements.is_empty() {
        put("requirements", Value::Object(requirements));
    }
    if !image.origin.is_empty() {
        put("origin", image.origin.clone().into());
    }
    if image.kind == "zvol" {
        for (name, value) in [("nic_driver", "virtio"), ("disk_driver", "virtio"), ("cpu_type", "host")] {
            put(name, value.into());
        }
        put("image_size", image.image_size.unwrap_or(10_240).into());
    }
    if !image.tags.is_empty() {
        put("tags", Value::Object(image.tags.clone()));
    }
    if !image.error.is_null() {
        put("error", image.error.clone());
    }
    Value::Object(view)
}

/// 422 `InvalidParameter` about one field.
fn wrong(field: &str, message: &str) -> Refusal {
    Refusal::new(422, "InvalidParameter", message).field(field, "Invalid", message)
}

/// Whether an account may see an image: its own, those that are shared with it, and what is public and ready.
fn is_visible(image: &Image, account: Option<&str>) -> bool {
    account.is_none_or(|account| {
        image.owner == account
            || image.acl.iter().any(|shared| shared == account)
            || image.public && image.state == "active"
    })
}

const STATES: &[&str] = &["active", "disabled", "unactivated", "creating", "failed", "all"];

/// An account that is named to see what it sees.
fn account(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    match call.text("account") {
        Some(account) if !is_lower_uuid(&account) => {
            Err(wrong("account", &format!("invalid \"account\": not a UUID: \"{account}\"")))
        }
        other => Ok(other),
    }
}

/// Whether a text is what is wanted: exactly, or in part where that begins with a tilde.
fn is_like(wanted: Option<&String>, has: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.strip_prefix('~').map_or(wanted == has, |part| has.contains(part)))
}

/// Whether a text is what is wanted, or is not where that begins with an exclamation mark.
fn is_or_is_not(wanted: Option<&String>, has: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.strip_prefix('!').map_or(wanted == has, |other| other != has))
}

/// The first image of a page: it is part of the page itself. A marker is an image, or a time.
fn behind<'a>(call: &Call<'_>, images: Vec<&'a Image>) -> Result<Vec<&'a Image>, Refusal> {
    let Some(marker) = call.text("marker") else { return Ok(images) };
    if is_lower_uuid(&marker) {
        let at = images.iter().position(|image| image.id == marker);
        let at = at.ok_or_else(|| wrong("marker", &format!("invalid marker: \"{marker}\"")))?;
        return Ok(images.into_iter().skip(at).collect());
    }
    let since = read_iso(&marker);
    let since = since.ok_or_else(|| wrong("marker", &format!("invalid marker: \"{marker}\" is not a UUID or date")))?;
    Ok(images.into_iter().filter(|image| read_iso(&image.published_at).is_some_and(|at| at >= since)).collect())
}

fn list(call: &mut Call<'_>) -> Outcome {
    let state = call.text("state").unwrap_or_else(|| "active".to_owned());
    if !STATES.contains(&state.as_str()) {
        return Err(wrong("state", &format!("invalid state: \"{state}\"")));
    }
    let account = account(call)?;
    let limit = match call.text("limit").map(|text| (text.parse::<usize>(), text)) {
        None => 1000,
        Some((Ok(limit), _)) if (1..=1000).contains(&limit) => limit,
        Some((_, text)) => return Err(wrong("state", &format!("invalid limit: \"{text}\""))),
    };
    let descending = match call.text("sort").as_deref() {
        None | Some("published_at" | "published_at.asc") => false,
        Some("published_at.desc") => true,
        Some(other) => {
            let words = format!("invalid 'sort': not a valid sorting attribute: '{other}'");
            return Err(wrong("sort", &words));
        }
    };
    let (name, version) = (call.text("name"), call.text("version"));
    let (os, kind, owner) = (call.text("os"), call.text("type"), call.text("owner"));
    let public = call.params.get("public").and_then(params::flag);
    let tags: Vec<(String, String)> = (call.query.iter())
        .filter_map(|(name, value)| Some((name.strip_prefix("tag.")?.to_owned(), params::text(value)?)))
        .collect();
    let mut found: Vec<&Image> = (call.state.images.iter())
        .filter(|image| {
            (state == "all" || image.state == state)
                && is_visible(image, account.as_deref())
                && is_like(name.as_ref(), &image.name)
                && is_like(version.as_ref(), &image.version)
                && is_or_is_not(os.as_ref(), &image.os)
                && is_or_is_not(kind.as_ref(), &image.kind)
                && owner.as_ref().is_none_or(|owner| *owner == image.owner)
                && public.is_none_or(|public| public == image.public)
                && tags
                    .iter()
                    .all(|(tag, wanted)| image.tags.get(tag).and_then(params::text).is_some_and(|has| has == *wanted))
        })
        .collect();
    found.sort_by(|one, other| one.published_at.cmp(&other.published_at));
    if descending {
        found.reverse();
    }
    let rows = behind(call, found)?.into_iter().take(limit);
    Ok(Reply::json(&rows.map(manifest).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let uuid = call.part("uuid");
    if !is_lower_uuid(&uuid) {
        return Err(missing("URL does not exist"));
    }
    let account = account(call)?;
    let found = call.state.images.iter().find(|image| image.id == uuid && is_visible(image, account.as_deref()));
    let view = manifest(found.ok_or_else(|| missing("image not found"))?);
    let digest = Sha1::digest(view.to_string().as_bytes());
    let tag: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if call.head.get("if-none-match").is_some_and(|header| header.trim_matches('"') == tag) {
        return Ok(Reply::empty(304).header("Etag", tag));
    }
    Ok(Reply::json(&view).header("Etag", tag))
}
