//! The SSH keys of sub-users.

use super::super::call::{Call, Route};
use super::super::version;
use super::keys::{check_new, encode, given, view};
use crate::emulator::datacenter::state::{Account, Key};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/users/:user/keys";
const ONE: &str = "/:login/users/:user/keys/:key";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListUserKeys", "users", list).versions(version::FROM_7_2),
    Route::head(ALL, "HeadUserKeys", "users", list).versions(version::FROM_7_2),
    Route::post(ALL, "CreateUserKey", "users", create).typed().versions(version::FROM_7_2),
    Route::get(ONE, "GetUserKey", "users", get).versions(version::FROM_7_2),
    Route::head(ONE, "HeadUserKey", "users", get).versions(version::FROM_7_2),
    Route::delete(ONE, "DeleteUserKey", "users", delete).versions(version::FROM_7_2),
];

/// The keys of the sub-user that the path names.
fn keys<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Vec<Key>, Refusal> {
    let name = call.required("user")?;
    let user = call.account_mut()?.user_mut(&name).ok_or_else(|| Refusal::not_found(&name))?;
    Ok(&mut user.keys)
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&keys(call)?.iter().map(view).collect()))
}

/// The key that the path names, and the others.
fn find<'a>(call: &'a mut Call<'_>) -> Result<(Key, &'a mut Vec<Key>), Refusal> {
    let name = call.required("key")?;
    let keys = keys(call)?;
    let key = Account::find_key(keys, &name).cloned().ok_or_else(|| Refusal::not_found(&name))?;
    Ok((key, keys))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let (key, _) = find(call)?;
    Ok(Reply::json(&view(&key)))
}

fn create(call: &mut Call<'_>) -> Outcome {
    let user = call.required("user")?;
    // A body without a key is refused only for a sub-user that is there.
    keys(call)?;
    let key = given(call)?;
    let location = call.location(&format!("users/{user}/keys/{}", encode(&key.fingerprint)));
    let keys = keys(call)?;
    check_new(keys, &key)?;
    let reply = Reply::status(201, &view(&key)).header("Location", location);
    keys.push(key);
    Ok(reply)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let (key, keys) = find(call)?;
    keys.retain(|other| other.fingerprint != key.fingerprint);
    Ok(Reply::empty(204))
}
