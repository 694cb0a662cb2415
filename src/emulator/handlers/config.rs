//! The account's configuration: its default network.

use serde_json::json;

use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::is_uuid;

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/config", "GetConfig", "getconfig", "config", get),
    Route::head("/:login/config", "HeadConfig", "headconfig", "config", get),
    Route::put("/:login/config", "UpdateConfig", "updateconfig", "config", update),
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
        return Err(wrong(name, "unsupported property"));
    }
    let Some(id) = call.given.get("default_network") else {
        return Err(wrong("default_network", "is missing and it is required"));
    };
    let Some(id) = id.as_str().filter(|id| is_uuid(id)).map(str::to_owned) else {
        return Err(wrong("default_network", "must be a UUID"));
    };
    if !call.state.networks.iter().any(|network| network.id == id) {
        return Err(wrong("default_network", "unknown network"));
    }
    call.account_mut()?.default_network = Some(id);
    get(call)
}
