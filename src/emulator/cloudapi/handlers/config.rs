//! The account's configuration: its default network.

use serde_json::json;

use super::super::call::{Call, Route};
use super::networks;
use crate::emulator::datacenter::state::is_uuid;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/config", "GetConfig", "config", get),
    Route::head("/:login/config", "HeadConfig", "config", get),
    Route::put("/:login/config", "UpdateConfig", "config", update),
];

fn get(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&match &call.account()?.default_network {
        Some(network) => json!({ "default_network": network }),
        None => json!({}),
    }))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let wrong = |name: &str, words: &str| Refusal::invalid(format!("property \"{name}\": {words}"));
    // Nothing else may be there, not even a role to act in.
    if let Some(name) = call.given.keys().find(|name| *name != "default_network") {
        return Err(wrong(&name.to_lowercase(), "unsupported property"));
    }
    let Some(id) = call.given.get("default_network") else {
        return Err(wrong("default_network", "is missing and it is required"));
    };
    let Some(id) = id.as_str() else {
        let words = format!("{} - {} value found, but a string is required", js::text(id), js::type_of(id));
        return Err(wrong("default_network", &words));
    };
    if !is_uuid(id) {
        return Err(wrong("default_network", "must be a UUID"));
    }
    if networks::pool(call, id).is_none() && !networks::shown(call).any(|network| network.id == id) {
        return Err(Refusal::invalid("unknown network"));
    }
    let id = id.to_owned();
    call.account_mut()?.default_network = Some(id);
    get(call)
}
