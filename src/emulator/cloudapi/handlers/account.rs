//! The ping, and the account itself.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use super::super::version;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::Account;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/--ping", "Ping", "account", ping).rbac("").unsigned(),
    Route::head("/--ping", "HeadPing", "account", ping).rbac("").unsigned(),
    Route::get("/:login", "GetAccount", "account", get),
    Route::head("/:login", "HeadAccount", "account", get),
    Route::post("/:login", "UpdateAccount", "account", update),
];

fn ping(call: &mut Call<'_>) -> Outcome {
    let versions: Vec<String> = version::ALL.iter().map(ToString::to_string).collect();
    let body = json!({ "ping": "pong", "cloudapi": { "versions": versions } });
    Ok(Reply::json(&body).header("Triton-Datacenter-Name", call.state.datacenter.clone()))
}

/// The fields that say who someone is, in the order of the API, and other names that are taken for them.
pub(crate) const PROFILE: &[(&str, &str)] = &[
    ("email", "email"),
    ("companyName", "company"),
    ("firstName", "givenName"),
    ("lastName", "sn"),
    ("address", "address"),
    ("postalCode", "postalCode"),
    ("city", "city"),
    ("state", "state"),
    ("country", "country"),
    ("phone", "phone"),
];

/// Those of the fields that are not empty, in order.
pub(crate) fn profile(of: &Map<String, Value>) -> Map<String, Value> {
    let fields = PROFILE.iter().filter_map(|(name, _)| Some(((*name).to_owned(), of.get(*name)?.clone())));
    fields.filter(|(_, value)| value.as_str() != Some("")).collect()
}

/// Refuses what cannot be an address of e-mail.
pub(crate) fn check_email(email: &str) -> Result<(), Refusal> {
    let fits =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    match email.split_once('@') {
        Some((name, host)) if fits(name) && fits(host) => Ok(()),
        _ => Err(Refusal::invalid(format!("email: {email} is invalid"))),
    }
}

fn view(account: &Account) -> Value {
    let mut view = Map::new();
    view.insert("id".to_owned(), account.id.clone().into());
    view.insert("login".to_owned(), account.login.clone().into());
    view.extend(profile(&account.profile));
    view.insert("created".to_owned(), iso(account.created).into());
    view.insert("updated".to_owned(), iso(account.updated).into());
    view.insert("triton_cns_enabled".to_owned(), account.cns.into());
    Value::Object(view)
}

fn get(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&view(call.account()?)))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let cns = match call.params.get("triton_cns_enabled") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(on)) => Some(*on),
        Some(Value::String(word)) if matches!(word.as_str(), "true" | "false") => Some(word == "true"),
        Some(_) => return Err(Refusal::invalid("triton_cns_enabled must be a boolean value")),
    };
    let mut changes = Map::new();
    for (name, other) in PROFILE {
        // What counts as false is passed over, so that nothing can be emptied here.
        let given = call.truthy(name).or_else(|| call.truthy(other));
        if let Some(value) = given.and_then(params::text) {
            changes.insert((*name).to_owned(), value.into());
        }
    }
    if let Some(email) = changes.get("email").and_then(Value::as_str) {
        check_email(email)?;
    }
    let now = call.now;
    let account = call.account_mut()?;
    account.profile.extend(changes);
    account.cns = cns.unwrap_or(account.cns);
    account.updated = now;
    Ok(Reply::json(&view(account)))
}
