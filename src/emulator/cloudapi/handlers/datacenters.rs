//! Data centers and services: names with URLs.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const FOREIGN: &str = "/:login/foreigndatacenters";

/// None has a HEAD.
pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/datacenters", "ListDatacenters", "datacenters", list),
    Route::get("/:login/datacenters/:datacenter", "GetDatacenter", "datacenters", get),
    Route::get(FOREIGN, "ListForeignDatacenters", "datacenters", foreign),
    Route::post(FOREIGN, "AddForeignDatacenter", "datacenters", foreign),
    Route::get("/:login/services", "ListServices", "services", services),
];

/// The own URL under this name, before the others. A file of an earlier version may hold an old one.
fn with_own(name: &str, url: &str, others: &Map<String, Value>) -> Map<String, Value> {
    let own = (name.to_owned(), Value::from(url));
    let others = others.iter().filter(|(other, _)| *other != name);
    std::iter::once(own).chain(others.map(|(other, url)| (other.clone(), url.clone()))).collect()
}

fn datacenters(call: &Call<'_>) -> Map<String, Value> {
    with_own(&call.state.datacenter, &call.state.url, &call.state.datacenters)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let body = Value::Object(datacenters(call));
    Ok(Reply::json(&body).header("Triton-Datacenter-Name", call.state.datacenter.clone()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("datacenter")?;
    let datacenters = datacenters(call);
    let Some(url) = datacenters.get(&name).and_then(Value::as_str) else {
        return Err(Refusal::new(404, "ResourceNotFound", format!("{name} is not an available datacenter")));
    };
    let body = json!({ "code": "ResourceMoved", "message": format!(" {name} {url}") });
    Ok(Reply::status(302, &body).header("Location", url))
}

/// Those of other clouds are the portal's affair: whoever signs with a key of their own, and no delegated token, is
/// refused.
fn foreign(call: &mut Call<'_>) -> Outcome {
    Err(Refusal::new(403, "Forbidden", format!("{} is for delegated callers only", call.head.path())))
}

fn services(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&Value::Object(with_own("cloudapi", &call.state.url, &call.state.services))))
}
