//! Who a request comes from: key ids, accounts and sub-users. What they may do is in `rbac`.

use serde_json::{Value, json};

use super::auth::Presented;
use super::version::Version;
use crate::emulator::datacenter::state::{Account, State};
use crate::emulator::datacenter::verify;
use crate::emulator::http::head::Head;
use crate::emulator::http::reply::Refusal;

/// Someone whose signature was good.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// The account's id.
    pub(crate) account: String,
    /// The sub-user's id, if it is one.
    pub(crate) user: Option<String>,
    pub(crate) key_id: String,
}

impl Who {
    /// As the audit log shows them.
    pub(crate) fn caller(&self, ip: &str) -> Value {
        json!({ "type": "signature", "ip": ip, "keyId": self.key_id })
    }
}

/// Refuses a token of delegated access: there is nobody here who gives any out.
pub(crate) fn check_token(head: &Head) -> Result<(), Refusal> {
    let Some(token) = head.get("x-auth-token").filter(|token| !token.is_empty()) else { return Ok(()) };
    Err(refused(match serde_json::from_str::<Value>(&token) {
        Ok(_) => "The token provided is not authorized for this application",
        Err(_) => "Invalid authorization credentials supplied",
    }))
}

fn refused(words: impl Into<String>) -> Refusal {
    Refusal::new(401, "InvalidCredentials", words)
}

/// Finds the key that the id names and checks the signature with it.
pub(crate) fn identify(state: &State, presented: &Presented, version: Version) -> Result<Who, Refusal> {
    let wrong = || refused("Invalid authorization credentials supplied");
    let key_id = presented.key_id.as_str();
    let shape = || refused(format!("Invalid KeyId {key_id} in authorization header"));
    let parts: Vec<&str> = key_id.split('/').collect();
    let (login, user, key) = match parts.as_slice() {
        ["", login, "keys", key] => (*login, None, *key),
        // The third word is not looked at.
        ["", login, _, user, "keys", key] if version >= Version(7, 2, 0) => (*login, Some(*user), *key),
        _ => return Err(shape()),
    };
    if key.is_empty() {
        return Err(Refusal::new(500, "InternalError", "Internal error"));
    }
    let account = state.account(login).ok_or_else(wrong)?;
    let (keys, user, disabled) = match user {
        None => (&account.keys, None, account.disabled),
        Some(name) => {
            let user = account.user(name).ok_or_else(wrong)?;
            (&user.keys, Some(user.id.clone()), account.disabled || user.disabled)
        }
    };
    let key = Account::find_key(keys, key).ok_or_else(wrong)?;
    if !verify::good(&key.key, presented.algorithm, &presented.covered, &presented.signature) {
        return Err(wrong());
    }
    if disabled {
        return Err(Refusal::new(403, "NotAuthorized", "Account or user is disabled"));
    }
    Ok(Who { account: account.id.clone(), user, key_id: key_id.to_owned() })
}
