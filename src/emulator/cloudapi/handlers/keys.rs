//! The account's SSH keys.

use serde_json::{Value, json};

use super::super::call::{Call, Route};
use crate::emulator::datacenter::state::{Account, Key};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/keys", "ListKeys", "keys", list),
    Route::head("/:login/keys", "HeadKeys", "keys", list),
    Route::post("/:login/keys", "CreateKey", "keys", create).typed(),
    Route::get("/:login/keys/:key", "GetKey", "keys", get),
    Route::head("/:login/keys/:key", "HeadKey", "keys", get),
    Route::delete("/:login/keys/:key", "DeleteKey", "keys", delete),
];

/// A fingerprint as it stands in a `Location`.
pub(crate) fn encode(fingerprint: &str) -> String {
    fingerprint.replace(':', "%3A")
}

/// As the API shows a key.
pub(crate) fn view(key: &Key) -> Value {
    json!({ "name": key.name, "fingerprint": key.fingerprint, "key": key.key })
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&call.account()?.keys.iter().map(view).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("key")?;
    match Account::find_key(&call.account()?.keys, &name) {
        Some(key) => Ok(Reply::json(&view(key))),
        None => Err(Refusal::not_found(&name)),
    }
}

/// What is said of a key that cannot be, and of one that is there already.
const REFUSED: &str = "key already exists or is invalid";

/// The key that was given.
pub(crate) fn given(call: &Call<'_>) -> Result<Key, Refusal> {
    let line = match call.truthy("key") {
        None => return Err(Refusal::missing("key")),
        Some(Value::String(line)) => line,
        Some(_) => return Err(Refusal::invalid("key must be a String")),
    };
    if !line.contains(' ') {
        return Err(Refusal::invalid("key is invalid"));
    }
    let name = call.text("name").unwrap_or_default();
    Key::new(&name, line).ok_or_else(|| Refusal::invalid(REFUSED))
}

/// Refuses a key that is there already, by its name or as it is.
pub(crate) fn check_new(keys: &[Key], key: &Key) -> Result<(), Refusal> {
    if keys.iter().any(|other| other.name == key.name || other.fingerprint == key.fingerprint) {
        return Err(Refusal::invalid(REFUSED));
    }
    Ok(())
}

fn create(call: &mut Call<'_>) -> Outcome {
    let key = given(call)?;
    let location = call.location(&format!("keys/{}", encode(&key.fingerprint)));
    let account = call.account_mut()?;
    check_new(&account.keys, &key)?;
    let reply = Reply::status(201, &view(&key)).header("Location", location);
    account.keys.push(key);
    Ok(reply)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let name = call.required("key")?;
    let account = call.account_mut()?;
    let Some(fingerprint) = Account::find_key(&account.keys, &name).map(|key| key.fingerprint.clone()) else {
        return Err(Refusal::not_found(&name));
    };
    account.keys.retain(|key| key.fingerprint != fingerprint);
    Ok(Reply::empty(204))
}
