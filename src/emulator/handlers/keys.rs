//! The account's SSH keys.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::{Account, Key};

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/keys", "ListKeys", "listkeys", "keys", list),
    Route::head("/:login/keys", "HeadKeys", "headkeys", "keys", list),
    Route::post("/:login/keys", "CreateKey", "createkey", "keys", create).typed(),
    Route::get("/:login/keys/:key", "GetKey", "getkey", "keys", get),
    Route::head("/:login/keys/:key", "HeadKey", "headkey", "keys", get),
    Route::delete("/:login/keys/:key", "DeleteKey", "deletekey", "keys", delete),
];

/// All but what `encodeURIComponent` leaves alone.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A name as it stands in a path.
pub(crate) fn encode(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
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

fn create(call: &mut Call<'_>) -> Outcome {
    let line = call.required("key")?;
    let name = call.text("name").unwrap_or_default();
    let Some(key) = Key::new(&name, &line) else {
        return Err(Refusal::invalid("key is not a valid SSH public key"));
    };
    let location = call.location(&format!("keys/{}", encode(&key.name)));
    let account = call.account_mut()?;
    if account.keys.iter().any(|other| other.name == key.name || other.fingerprint == key.fingerprint) {
        return Err(Refusal::invalid(format!("key \"{}\" already exists", key.name)));
    }
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
