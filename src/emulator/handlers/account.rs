//! The ping, the account itself, and its configuration.

use serde_json::{Map, Value, json};

use super::super::clock::iso;
use super::super::reply::{Outcome, Reply};
use super::super::route::{Call, Route};
use super::super::version;

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/--ping", "Ping", "", "account", ping).unsigned(),
    Route::head("/--ping", "HeadPing", "", "account", ping).unsigned(),
    Route::get("/:login", "GetAccount", "getaccount", "account", get),
    Route::head("/:login", "HeadAccount", "headaccount", "account", get),
    Route::get("/:login/config", "GetConfig", "getconfig", "config", config),
    Route::head("/:login/config", "HeadConfig", "headconfig", "config", config),
];

fn ping(call: &mut Call<'_>) -> Outcome {
    let versions: Vec<String> = version::ALL.iter().map(ToString::to_string).collect();
    let body = json!({ "ping": "pong", "cloudapi": { "versions": versions } });
    Ok(Reply::json(&body).header("Triton-Datacenter-Name", call.state.datacenter.clone()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let mut view = Map::new();
    view.insert("id".to_owned(), account.id.clone().into());
    view.insert("login".to_owned(), account.login.clone().into());
    view.extend(account.profile.clone());
    view.insert("created".to_owned(), iso(account.created).into());
    view.insert("updated".to_owned(), iso(account.updated).into());
    view.insert("triton_cns_enabled".to_owned(), account.cns.into());
    Ok(Reply::json(&Value::Object(view)))
}

fn config(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&match &call.account()?.default_network {
        Some(network) => json!({ "default_network": network }),
        None => json!({}),
    }))
}
