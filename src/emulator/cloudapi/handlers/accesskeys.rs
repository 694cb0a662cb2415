//! Access keys, of the account and of its sub-users: an id and a secret for other services.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::{Call, Route};
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::AccessKey;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/accesskeys";
const ONE: &str = "/:login/accesskeys/:accesskeyid";
const USERS: &str = "/:login/users/:user/accesskeys";
const USERS_ONE: &str = "/:login/users/:user/accesskeys/:accesskeyid";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListAccessKeys", "accesskeys", list),
    Route::head(ALL, "HeadAccessKeys", "accesskeys", list),
    Route::post(ALL, "CreateAccessKey", "accesskeys", create).typed(),
    Route::get(ONE, "GetAccessKey", "accesskeys", get),
    Route::head(ONE, "HeadAccessKey", "accesskeys", get),
    Route::delete(ONE, "DeleteAccessKey", "accesskeys", delete),
    Route::get(USERS, "ListUserAccessKeys", "accesskeys", list),
    Route::head(USERS, "HeadUserAccessKeys", "accesskeys", list),
    Route::post(USERS, "CreateUserAccessKey", "accesskeys", create).typed(),
    Route::get(USERS_ONE, "GetUserAccessKey", "accesskeys", get),
    Route::head(USERS_ONE, "HeadUserAccessKey", "accesskeys", get),
    Route::delete(USERS_ONE, "DeleteUserAccessKey", "accesskeys", delete),
];

/// The sub-user that the path names, if it does: a body alone cannot.
fn user(call: &Call<'_>) -> Option<String> {
    call.text("user").filter(|_| call.head.path().split('/').nth(2) == Some("users"))
}

/// The keys of the sub-user that the path names, or the account's.
fn keys<'a>(call: &'a mut Call<'_>) -> Result<(String, &'a mut Vec<AccessKey>), Refusal> {
    let user = user(call);
    let account = call.account_mut()?;
    match user {
        None => Ok((account.id.clone(), &mut account.access_keys)),
        Some(name) => {
            let user = account.user_mut(&name).ok_or_else(|| Refusal::not_found(&name))?;
            Ok((user.id.clone(), &mut user.access_keys))
        }
    }
}

/// As the API shows one: the directory's own record of it, secret and all.
fn view(owner: &str, key: &AccessKey) -> Value {
    json!({
        "dn": format!("accesskeyid={}, uuid={owner}, ou=users, o=smartdc", key.id),
        "controls": [],
        "accesskeyid": key.id,
        "accesskeysecret": key.secret,
        "created": iso(key.created),
        "objectclass": "accesskey",
        "status": "Active",
    })
}

fn list(call: &mut Call<'_>) -> Outcome {
    let (owner, keys) = keys(call)?;
    Ok(Reply::json(&keys.iter().map(|key| view(&owner, key)).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let id = call.required("accesskeyid")?;
    let (owner, keys) = keys(call)?;
    let key = keys.iter().find(|key| key.id == id).ok_or_else(|| Refusal::not_found(&id))?;
    Ok(Reply::json(&view(&owner, key)))
}

fn create(call: &mut Call<'_>) -> Outcome {
    let random = || Uuid::new_v4().simple().to_string();
    let key = AccessKey { id: random(), secret: random() + &random(), created: call.now };
    let place = match user(call) {
        None => format!("accesskeys/{}", key.id),
        Some(user) => format!("users/{user}/accesskeys/{}", key.id),
    };
    let location = call.location(&place);
    let (owner, keys) = keys(call)?;
    let reply = Reply::status(201, &view(&owner, &key)).header("Location", location);
    keys.push(key);
    Ok(reply)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let id = call.required("accesskeyid")?;
    let (_, keys) = keys(call)?;
    let at = keys.iter().position(|key| key.id == id).ok_or_else(|| Refusal::not_found(&id))?;
    keys.remove(at);
    Ok(Reply::empty(204))
}
