//! Sets the role tags of a thing: with which roles it is tagged from now on.

use serde_json::{Value, json};

use super::super::auth::Head;
use super::super::params::Params;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::role_tags::{asked, thing};
use super::super::route::{self, Call, Route};
use super::super::state::Entry;

pub(crate) static ROUTES: &[Route] = &[
    Route::put("/:login", "ReplaceAccountRoleTags", "setroletags", "role-tags", account),
    Route::put("/:login/machines/:machine", "ReplaceMachineRoleTags", "setroletags", "role-tags", one),
    Route::put("/:login/users/:user/keys/:key", "ReplaceUserKeysResourceRoleTags", "setroletags", "role-tags", one),
    Route::put(
        "/:login/users/:user/:resource_name",
        "ReplaceUserKeysResourcesRoleTags",
        "setroletags",
        "role-tags",
        of_user,
    ),
    Route::put("/:login/:resource_name", "ReplaceResourcesRoleTags", "setroletags", "role-tags", all),
    Route::put("/:login/:resource_name/:resource_id", "ReplaceResourceRoleTags", "setroletags", "role-tags", one),
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
        None | Some(Value::Null) => asked(call).ok_or_else(|| Refusal::missing("role-tag")),
        Some(Value::Array(names)) => names.iter().map(text).collect(),
        Some(names) => {
            let names = text(names)?;
            Ok(names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
        }
    }
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
    let mut roles = Vec::new();
    for name in &names {
        let role = account.role_named(name).ok_or_else(|| Refusal::invalid(format!("Role(s) {name} not found")))?;
        roles.push(role.id.clone());
    }
    let key = thing(account, &path, &call.params).key;
    // A machine's are set by a job, of which the audit log knows only that it was one.
    let (now, caller) = (call.now, call.caller.clone());
    if let Some(machine) = key.strip_prefix("machines/").and_then(|id| call.state.machines.get_mut(id)) {
        machine.audit.push(Entry { action: "unknown".to_owned(), success: true, time: now, caller });
    }
    call.account_mut()?.tag(key, roles);
    Ok(Reply::json(&json!({ "name": path, "role-tag": names })))
}

/// Refuses what is no kind of thing that can be tagged.
fn check_kind(call: &Call<'_>) -> Result<(), Refusal> {
    let kind = call.head.path().split('/').nth(2).unwrap_or_default();
    if KINDS.contains(&kind) { Ok(()) } else { Err(Refusal::not_found(kind)) }
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
        return Err(Refusal::not_found(&kind));
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
    let found = route::find(&head).map_err(|_| Refusal::not_found(&path))?;
    let Some(get) = found.routes.first() else { return Err(Refusal::not_found(&path)) };
    let mut params = found.path;
    // A body can name another machine, and then it is that one which is tagged.
    if let Some(machine) = call.given.get("machine").filter(|_| params.contains_key("machine")) {
        params.insert("machine".to_owned(), machine.clone());
    }
    let mut look = Call {
        state: &mut *call.state,
        head: &head,
        now: call.now,
        account: call.account.clone(),
        params,
        given: Params::new(),
        version: call.version,
        caller: Value::Null,
        fails: false,
    };
    (get.handler)(&mut look).map(|_| ())
}
