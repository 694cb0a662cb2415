//! Sets the role tags of a thing: with which roles it is tagged from now on.

use serde_json::{Value, json};

use super::super::call::{self, Call, Route};
use super::super::role_tags::{asked, thing};
use crate::emulator::datacenter::state::{Entry, Job, new_id};
use crate::emulator::http::head::Head;
use crate::emulator::http::params;
use crate::emulator::http::params::Params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] = &[
    Route::put("/:login", "ReplaceAccountRoleTags", "role-tags", account).rbac("setroletags"),
    Route::put("/:login/machines/:machine", "ReplaceMachineRoleTags", "role-tags", one).rbac("setroletags"),
    Route::put("/:login/users/:user/keys/:key", "ReplaceUserKeysResourceRoleTags", "role-tags", one)
        .rbac("setroletags"),
    Route::put("/:login/users/:user/:resource_name", "ReplaceUserKeysResourcesRoleTags", "role-tags", of_user)
        .rbac("setroletags"),
    Route::put("/:login/:resource_name", "ReplaceResourcesRoleTags", "role-tags", all).rbac("setroletags"),
    Route::put("/:login/:resource_name/:resource_id", "ReplaceResourceRoleTags", "role-tags", one).rbac("setroletags"),
];

/// What can be tagged.
const KINDS: &[&str] = &[
    "machines",
    "users",
    "roles",
    "packages",
    "images",
    "policies",
    "keys",
    "datacenters",
    "fwrules",
    "networks",
    "services",
];

/// The names that were given, in the body or else in the header.
fn given(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let text = |name: &Value| {
        name.as_str().map(str::to_owned).ok_or_else(|| Refusal::invalid("role-tag must be a list of role names"))
    };
    match call.given.get("role-tag") {
        // Without any, those that it has are shown.
        None | Some(Value::Null) => Ok(asked(call).unwrap_or(present(call)?)),
        Some(Value::Array(names)) => names.iter().map(text).collect(),
        Some(names) => {
            let names = text(names)?;
            Ok(names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
        }
    }
}

/// The names with which the thing is tagged now.
fn present(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let account = call.account()?;
    Ok(account.tags_of(&thing(account, call.head.path(), &call.params).key))
}

/// Tags whatever the path leads to.
fn set(call: &mut Call<'_>) -> Outcome {
    let mut names: Vec<String> = Vec::new();
    for name in given(call)? {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let path = call.head.path().trim_end_matches('/').to_owned();
    let account = call.account()?;
    let unknown: Vec<&str> =
        names.iter().filter(|name| account.role_named(name).is_none()).map(String::as_str).collect();
    if !unknown.is_empty() {
        return Err(Refusal::invalid(format!("Role(s) {} not found", unknown.join(", "))));
    }
    let roles = names.iter().filter_map(|name| account.role_named(name)).map(|role| role.id.clone()).collect();
    // The account is shown by its login, whatever the path calls it.
    let mut shown: Vec<&str> = path.split('/').collect();
    if let Some(named) = shown.get_mut(1).filter(|named| **named == "my") {
        *named = account.login.as_str();
    }
    let shown = params::decode(&shown.join("/"));
    let key = thing(account, &path, &call.params).key;
    // A machine's are set by a job, of which the audit log knows only that it was one.
    let (now, caller) = (call.now, call.caller.clone());
    if let Some(machine) = key.strip_prefix("machines/").filter(|id| call.state.vms.get(id).is_some()) {
        let entry = Entry { action: "unknown".to_owned(), success: true, time: now, caller };
        // A random id: numbered ones may repeat after a file has been edited.
        call.state.history.push(Job { uuid: new_id(), ..Job::past(machine, 0, entry) });
    }
    call.account_mut()?.tag(key, roles);
    Ok(Reply::json(&json!({ "name": shown, "role-tag": names })))
}

/// Refuses what is no kind of thing that can be tagged.
fn check_kind(call: &Call<'_>) -> Result<(), Refusal> {
    let kind = call.head.path().split('/').nth(2).unwrap_or_default();
    if KINDS.contains(&kind) { Ok(()) } else { Err(no_kind(kind)) }
}

fn no_kind(kind: &str) -> Refusal {
    Refusal::new(404, "ResourceNotFound", format!("{kind} is not a valid resource"))
}

fn account(call: &mut Call<'_>) -> Outcome {
    set(call)
}

fn all(call: &mut Call<'_>) -> Outcome {
    check_kind(call)?;
    set(call)
}

fn of_user(call: &mut Call<'_>) -> Outcome {
    let kind = call.required("resource_name")?;
    if kind != "keys" {
        return Err(no_kind(&kind));
    }
    let user = call.required("user")?;
    call.account()?.user(&user).ok_or_else(|| Refusal::not_found(&user))?;
    set(call)
}

fn one(call: &mut Call<'_>) -> Outcome {
    check_kind(call)?;
    look(call)?;
    set(call)
}

/// Refuses what is not there: what a GET of the same path refuses.
fn look(call: &mut Call<'_>) -> Result<(), Refusal> {
    let path = call.head.path().to_owned();
    let head = Head { method: "GET".to_owned(), target: path.clone(), headers: hyper::HeaderMap::new() };
    let found = call::find(call.routes, &head).map_err(|_| Refusal::not_found(&path))?;
    let Some(get) = found.routes.first() else { return Err(Refusal::not_found(&path)) };
    let mut params = found.path;
    // A body can name another machine, and then it is that one which is tagged.
    if let Some(machine) = call.given.get("machine").filter(|_| params.contains_key("machine")) {
        params.insert("machine".to_owned(), machine.clone());
    }
    let mut look = Call {
        cloud: call.cloud,
        routes: call.routes,
        state: &mut *call.state,
        head: &head,
        now: call.now,
        account: call.account.clone(),
        params,
        given: Params::new(),
        version: call.version,
        caller: Value::Null,
        fails: None,
    };
    (get.handler)(&mut look).map(|_| ())
}
