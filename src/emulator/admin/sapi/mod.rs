//! SAPI: which applications, services and instances there are, and how they are configured.

use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::Kind;
use super::call::{Call, Route, is_lower_uuid, missing, route};
use super::held::{failure, until_ended};
use crate::emulator::datacenter::state::{Sapi, Vm, Work, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static SAPI: Kind = Kind {
    name: "sapi",
    routes: &[ROUTES],
    versions: &[(1, 0, 0), (2, 0, 0)],
    default_version: "~1",
    body_wins: false,
    request_id: false,
};

static ROUTES: &[Route] = &[
    route("GET", "/ping", &["Ping"], ping),
    route("GET", "/mode", &["GetMode"], mode),
    route("POST", "/mode", &["SetMode"], set_mode),
    route("POST", "/cache", &["SyncCache"], |_| Ok(Reply::empty(204))),
    route("GET", "/loglevel", &["LogLevel"], |_| Ok(Reply::json(&json!({ "level": 30 })))),
    route("POST", "/loglevel", &["LogLevel"], |_| Ok(Reply::empty(200))),
    route("GET", "/applications", &["ListApplications"], |call| list(call, &APPLICATION)),
    route("POST", "/applications", &["CreateApplication"], |call| create(call, &APPLICATION)),
    route("GET", "/applications/:uuid", &["GetApplication"], |call| get(call, &APPLICATION)),
    route("PUT", "/applications/:uuid", &["UpdateApplication"], |call| update(call, &APPLICATION)),
    route("DELETE", "/applications/:uuid", &["DeleteApplication"], |call| delete(call, &APPLICATION)),
    route("GET", "/services", &["ListServices"], |call| list(call, &SERVICE)),
    route("POST", "/services", &["CreateService"], |call| create(call, &SERVICE)),
    route("GET", "/services/:uuid", &["GetService"], |call| get(call, &SERVICE)),
    route("PUT", "/services/:uuid", &["UpdateService"], |call| update(call, &SERVICE)),
    route("DELETE", "/services/:uuid", &["DeleteService"], |call| delete(call, &SERVICE)),
    route("GET", "/instances", &["ListInstances"], |call| list(call, &INSTANCE)),
    route("POST", "/instances", &["CreateInstance"], create_instance),
    route("GET", "/instances/:uuid", &["GetInstance"], |call| get(call, &INSTANCE)),
    route("PUT", "/instances/:uuid", &["UpdateInstance"], |call| update(call, &INSTANCE)),
    route("DELETE", "/instances/:uuid", &["DeleteInstance"], delete_instance),
    route("GET", "/instances/:uuid/payload", &["GetInstancePayload"], payload),
    route("PUT", "/instances/:uuid/upgrade", &["UpgradeInstance"], upgrade),
    route("GET", "/manifests", &["ListManifests"], |call| list(call, &MANIFEST)),
    route("POST", "/manifests", &["CreateManifest"], |call| create(call, &MANIFEST)),
    route("GET", "/manifests/:uuid", &["GetManifest"], |call| get(call, &MANIFEST)),
    route("DELETE", "/manifests/:uuid", &["DeleteManifest"], |call| delete(call, &MANIFEST)),
    route("GET", "/configs/:uuid", &["GetConfig"], config),
];

type Object = Map<String, Value>;

/// A kind of what SAPI keeps.
struct What {
    /// The word in messages.
    word: &'static str,
    /// What must be given.
    required: &'static [&'static str],
    /// What is kept of what is given.
    kept: &'static [&'static str],
    list: fn(&Sapi) -> &Vec<Object>,
    list_mut: fn(&mut Sapi) -> &mut Vec<Object>,
}

static APPLICATION: What = What {
    word: "application",
    required: &["name", "owner_uuid"],
    kept: &["name", "owner_uuid", "params", "metadata", "metadata_schema", "manifests", "master"],
    list: |sapi| &sapi.applications,
    list_mut: |sapi| &mut sapi.applications,
};

static SERVICE: What = What {
    word: "service",
    required: &["name", "application_uuid"],
    kept: &["name", "application_uuid", "params", "metadata", "manifests", "type", "master"],
    list: |sapi| &sapi.services,
    list_mut: |sapi| &mut sapi.services,
};

static INSTANCE: What = What {
    word: "instance",
    required: &["service_uuid"],
    kept: &["service_uuid", "params", "metadata", "manifests", "type", "master"],
    list: |sapi| &sapi.instances,
    list_mut: |sapi| &mut sapi.instances,
};

static MANIFEST: What = What {
    word: "manifest",
    required: &["name", "path", "template"],
    kept: &["name", "path", "template", "post_cmd", "post_cmd_linux", "version", "master"],
    list: |sapi| &sapi.manifests,
    list_mut: |sapi| &mut sapi.manifests,
};

/// Sections of an object that are merged key by key.
const SECTIONS: &[&str] = &["params", "metadata", "manifests"];

fn ping(_: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&json!({ "mode": "full", "storType": "MorayLocalStorage", "storAvailable": true })))
}

fn mode(_: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&"full".into()))
}

fn set_mode(call: &mut Call<'_>) -> Outcome {
    match call.text("mode").as_deref() {
        Some("full") => Ok(Reply::empty(204)),
        Some(mode) => Err(Refusal::invalid(format!("invalid mode: {mode}"))),
        None => Err(Refusal::lacking("missing \"mode\" parameter")),
    }
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// As a version shows an object: the first one knows no types.
fn shown(call: &Call<'_>, object: &Object) -> Value {
    let mut view = object.clone();
    if call.version.0 < 2 {
        view.remove("type");
    }
    Value::Object(view)
}

/// Whether the first version hides an object: agents, unless a list of instances names their service.
fn is_hidden(call: &Call<'_>, object: &Object) -> bool {
    call.version.0 < 2 && text(object, "type") == Some("agent") && call.text("service_uuid").is_none()
}

fn list(call: &mut Call<'_>, what: &What) -> Outcome {
    let names = ["name", "owner_uuid", "application_uuid", "service_uuid", "type", "version"];
    let filters: Vec<(&str, String)> = names.iter().filter_map(|name| Some((*name, call.text(name)?))).collect();
    let all = (what.list)(&call.state.operators.sapi).iter();
    let fits = |object: &&Object| filters.iter().all(|(name, wanted)| text(object, name) == Some(wanted));
    let rows = all.filter(|object| !is_hidden(call, object)).filter(fits).map(|object| shown(call, object));
    Ok(Reply::json(&rows.collect()))
}

fn find<'a>(call: &'a Call<'_>, what: &What) -> Result<&'a Object, Refusal> {
    let uuid = call.part("uuid");
    let found = (what.list)(&call.state.operators.sapi).iter().find(|object| text(object, "uuid") == Some(&uuid));
    found.ok_or_else(|| missing(format!("no such {}: {uuid}", what.word)))
}

fn get(call: &mut Call<'_>, what: &What) -> Outcome {
    Ok(Reply::json(&shown(call, find(call, what)?)))
}

/// What a request says an object is. One of the id of another takes its place.
fn given(call: &Call<'_>, what: &What) -> Result<Object, Refusal> {
    let lacks: Vec<&str> =
        what.required.iter().copied().filter(|name| call.params.get(*name).is_none_or(Value::is_null)).collect();
    if !lacks.is_empty() {
        return Err(Refusal::lacking(&format!("missing required keys: {}", lacks.join(", "))));
    }
    let mut object = Object::new();
    object.insert("uuid".to_owned(), call.text("uuid").unwrap_or_else(new_id).into());
    for name in what.kept {
        if let Some(value) = call.params.get(*name) {
            object.insert((*name).to_owned(), value.clone());
        }
    }
    Ok(object)
}

fn keep(call: &mut Call<'_>, what: &What, object: Object) -> Value {
    let uuid = text(&object, "uuid").unwrap_or_default().to_owned();
    let list = (what.list_mut)(&mut call.state.operators.sapi);
    list.retain(|other| text(other, "uuid") != Some(&uuid));
    list.push(object.clone());
    shown(call, &object)
}

fn create(call: &mut Call<'_>, what: &What) -> Outcome {
    let mut object = given(call, what)?;
    if what.word == "service" {
        object.entry("type").or_insert_with(|| "vm".into());
    }
    let version = object.get("version").and_then(Value::as_str);
    if version.is_some_and(|version| version.split('.').filter(|part| part.parse::<u32>().is_ok()).count() != 3) {
        return Err(Refusal::invalid("invalid manifest version"));
    }
    Ok(Reply::json(&keep(call, what, object)))
}

/// Merges sections, replaces them, or takes keys out of them, as `action` says.
fn update(call: &mut Call<'_>, what: &What) -> Outcome {
    let action = call.text("action").unwrap_or_else(|| "update".to_owned());
    if !["update", "replace", "delete"].contains(&action.as_str()) {
        return Err(Refusal::invalid(""));
    }
    let uuid = call.part("uuid");
    let Ok(found) = find(call, what) else {
        let words = format!("updateObject failed: no record for bucket sapi_{}s object {uuid}", what.word);
        return Err(Refusal::new(500, "InternalError", words));
    };
    let mut object = found.clone();
    for name in what.kept {
        let Some(value) = call.params.get(*name) else { continue };
        let section = SECTIONS.contains(name);
        match (action.as_str(), value) {
            ("update", Value::Object(more)) if section => {
                let has = object.entry(*name).or_insert_with(|| json!({}));
                if let Some(has) = has.as_object_mut() {
                    has.extend(more.clone());
                }
            }
            ("delete", Value::Object(keys)) if section => {
                if let Some(has) = object.get_mut(*name).and_then(Value::as_object_mut) {
                    has.retain(|key, _| !keys.contains_key(key));
                }
            }
            ("delete", _) => drop(object.remove(*name)),
            (_, value) => drop(object.insert((*name).to_owned(), value.clone())),
        }
    }
    let list = (what.list_mut)(&mut call.state.operators.sapi);
    if let Some(place) = list.iter_mut().find(|other| text(other, "uuid") == Some(&uuid)) {
        place.clone_from(&object);
    }
    Ok(Reply::json(&shown(call, &object)))
}

fn delete(call: &mut Call<'_>, what: &What) -> Outcome {
    let uuid = call.part("uuid");
    let list = (what.list_mut)(&mut call.state.operators.sapi);
    let before = list.len();
    list.retain(|object| text(object, "uuid") != Some(&uuid));
    Ok(Reply::empty(if list.len() < before { 204 } else { 404 }))
}

/// The section of an object, as a map.
fn section(object: Option<&Object>, name: &str) -> Object {
    object.and_then(|object| object.get(name)).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The service and the application of an instance.
fn above<'a>(call: &'a Call<'_>, instance: &Object) -> (Option<&'a Object>, Option<&'a Object>) {
    let sapi = &call.state.operators.sapi;
    let find = |list: &'a Vec<Object>, uuid: Option<&str>| list.iter().find(|object| text(object, "uuid") == uuid);
    let service = find(&sapi.services, text(instance, "service_uuid"));
    let application = service.and_then(|service| find(&sapi.applications, text(service, "application_uuid")));
    (service, application)
}

/// What VMAPI is asked to make for an instance: what its application, its service and it say, the later ones first.
fn parameters(call: &Call<'_>, instance: &Object) -> Object {
    let (service, application) = above(call, instance);
    let mut all = Object::new();
    for object in [application, service, Some(instance)] {
        all.extend(section(object, "params"));
    }
    let uuid = text(instance, "uuid").unwrap_or_default();
    all.insert("uuid".to_owned(), uuid.into());
    let owner = application.and_then(|application| text(application, "owner_uuid")).unwrap_or_default();
    all.insert("owner_uuid".to_owned(), owner.into());
    all
}

fn payload(call: &mut Call<'_>) -> Outcome {
    match find(call, &INSTANCE) {
        Ok(instance) => Ok(Reply::json(&Value::Object(parameters(call, instance)))),
        Err(_) => Ok(Reply::empty(404)),
    }
}

/// Makes an instance, and its VM with it, unless that is there or the service is an agent's.
fn create_instance(call: &mut Call<'_>) -> Outcome {
    let mut instance = given(call, &INSTANCE)?;
    let (service, _) = above(call, &instance);
    let Some(service) = service else {
        let uuid = text(&instance, "service_uuid").unwrap_or_default();
        return Err(missing(format!("no such service: {uuid}")));
    };
    let uuid = text(&instance, "uuid").unwrap_or_default().to_owned();
    let is_agent = text(service, "type") == Some("agent");
    instance.insert("type".to_owned(), if is_agent { "agent" } else { "vm" }.into());
    let exists = call.params.get("exists").and_then(params::flag) == Some(true);
    if exists && call.state.vms.get(&uuid).is_none() {
        return Err(Refusal::invalid(format!("no such zone: {uuid}")));
    }
    if is_agent || exists {
        return Ok(Reply::json(&keep(call, &INSTANCE, instance)));
    }
    let wanted = parameters(call, &instance);
    let job = provision(call, &uuid, &wanted)?;
    let mut view = keep(call, &INSTANCE, instance);
    let asynchronous = call.params.get("async").and_then(params::flag) == Some(true);
    if let (true, Some(fields)) = (asynchronous, view.as_object_mut()) {
        fields.insert("job_uuid".to_owned(), job.into());
        return Ok(Reply::json(&view));
    }
    // Others have the answer when the zone is there. Without one there is no instance either.
    Ok(until_ended(call, &job, move |state, job, _| match failure(job) {
        None => Ok(Reply::json(&view)),
        Some(words) => {
            state.operators.sapi.instances.retain(|one| text(one, "uuid") != Some(&uuid));
            Err(Refusal::new(500, "ProvisionFailedError", words))
        }
    }))
}

/// Begins to make the VM of an instance.
fn provision(call: &mut Call<'_>, uuid: &str, wanted: &Object) -> Result<String, Refusal> {
    let failed = |words: &str| Refusal::new(500, "ProvisionFailedError", words);
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if !is_lower_uuid(uuid) {
        return Err(failed("Invalid VM parameters: uuid: Invalid UUID"));
    }
    if call.state.has_vm(uuid) {
        return Err(failed("Invalid VM parameters: uuid: Already exists"));
    }
    if !call.state.images.iter().any(|image| image.id == text("image_uuid") && image.state == "active") {
        return Err(failed("Invalid VM parameters: image_uuid: image not found"));
    }
    let mut vm = Vm {
        uuid: uuid.to_owned(),
        owner_uuid: text("owner_uuid"),
        alias: text("alias"),
        brand: "joyent-minimal".to_owned(),
        state: "provisioning".to_owned(),
        image_uuid: text("image_uuid"),
        tags: section(Some(wanted), "tags"),
        customer_metadata: section(Some(wanted), "customer_metadata"),
        internal_metadata: section(Some(wanted), "internal_metadata"),
        create_timestamp: call.now,
        last_modified: call.now,
        ram: 1024,
        quota: 25_600,
        ..Vm::default()
    };
    if let Some(package) = call.state.package(&text("billing_id")).cloned() {
        vm.fit(&package);
    }
    if !vm.alias.is_empty() && call.state.is_taken(&vm.owner_uuid, &vm.alias, None) {
        return Err(failed(&format!("alias \"{}\" exists already", vm.alias)));
    }
    let admin = call.state.networks.iter().find(|network| network.name == "admin").map(|network| network.id.clone());
    let Some(admin) = admin else { return Err(failed("there is no network \"admin\"")) };
    let used = call.state.used(&[&admin]);
    let mut nic = call.state.interface(&admin, None, &used, &[]).map_err(|_| failed("no more free IPs"))?;
    nic.primary = true;
    let headnode = call.state.operators.servers.iter().find(|server| server.headnode);
    let server = match text("server_uuid") {
        given if !given.is_empty() => given,
        _ => headnode.map(|server| server.uuid.clone()).unwrap_or_default(),
    };
    server.clone_into(&mut vm.server_uuid);
    call.state.vms.push(vm);
    let work = Work::Provision { nics: vec![nic], compute_node: server };
    Ok(call.state.plan(call.now, uuid, work, call.caller.clone(), call.fails.clone()))
}

/// Deletes an instance and its VM.
fn delete_instance(call: &mut Call<'_>) -> Outcome {
    let uuid = call.part("uuid");
    if call.state.vms.get(&uuid).is_none_or(Vm::is_destroyed) {
        return delete(call, &INSTANCE);
    }
    let job = call.state.plan(call.now, &uuid, Work::Destroy, call.caller.clone(), call.fails.clone());
    let reply = delete(call, &INSTANCE)?;
    let status = reply.status;
    Ok(until_ended(call, &job, move |_, job, _| match failure(job) {
        None => Ok(Reply::empty(status)),
        Some(words) => Err(Refusal::new(500, "InternalError", words)),
    }))
}

fn upgrade(call: &mut Call<'_>) -> Outcome {
    let uuid = text(find(call, &INSTANCE)?, "uuid").unwrap_or_default().to_owned();
    let Some(image) = call.text("image_uuid") else {
        return Err(Refusal::lacking("missing required keys: image_uuid"));
    };
    let failed = |words: String| Refusal::new(500, "ReprovisionFailedError", words);
    if !call.state.images.iter().any(|known| known.id == image) {
        return Err(failed(format!("image {image} not found")));
    }
    if call.state.vms.get(&uuid).is_none() {
        return Err(failed(format!("no such zone: {uuid}")));
    }
    let work = Work::Reprovision { image };
    let job = call.state.plan(call.now, &uuid, work, call.caller.clone(), call.fails.clone());
    let view = shown(call, find(call, &INSTANCE)?);
    Ok(until_ended(call, &job, move |_, job, _| match failure(job) {
        None => Ok(Reply::json(&view)),
        Some(words) => Err(Refusal::new(500, "ReprovisionFailedError", words)),
    }))
}

/// The configuration of an instance: the metadata of its application, service and its own together.
fn config(call: &mut Call<'_>) -> Outcome {
    let Ok(instance) = find(call, &INSTANCE) else { return Ok(Reply::empty(404)) };
    let (service, application) = above(call, instance);
    let (mut metadata, mut manifests) = (Object::new(), Object::new());
    for object in [application, service, Some(instance)] {
        metadata.extend(section(object, "metadata"));
        manifests.extend(section(object, "manifests"));
    }
    metadata.remove("user-script");
    let uuid = text(instance, "uuid").unwrap_or_default();
    let server = call.state.vms.get(uuid).map(|vm| vm.server_uuid.clone()).unwrap_or_default();
    for (name, value) in [("SERVER_UUID", server.as_str()), ("ZONE_UUID", uuid), ("INSTANCE_UUID", uuid)] {
        metadata.insert(name.to_owned(), value.into());
    }
    let known = &call.state.operators.sapi.manifests;
    let found = manifests.values().filter_map(Value::as_str);
    let found = found.filter_map(|id| known.iter().find(|manifest| text(manifest, "uuid") == Some(id)));
    let body = json!({ "manifests": found.collect::<Vec<_>>(), "metadata": metadata });
    let digest = Sha1::digest(body.to_string().as_bytes());
    let tag = format!("\"{}\"", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    if call.head.get("if-none-match").as_deref() == Some(&tag) {
        return Ok(Reply::empty(304).header("Etag", tag));
    }
    Ok(Reply::json(&body).header("Etag", tag))
}
