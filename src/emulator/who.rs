//! Who a request comes from, and what they may do: key ids, accounts, sub-users and roles.

use serde_json::{Value, json};

use super::auth::Presented;
use super::params::{Params, glob};
use super::reply::Refusal;
use super::route::Route;
use super::state::{Account, State};
use super::verify;
use super::version::Version;

/// Someone whose signature was good.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// The account's id.
    pub(crate) account: String,
    /// The sub-user's login, if it is one.
    pub(crate) user: Option<String>,
    pub(crate) key_id: String,
}

impl Who {
    /// As the audit log shows them.
    pub(crate) fn caller(&self, ip: &str) -> Value {
        json!({ "type": "signature", "ip": ip, "keyId": self.key_id })
    }
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
            let user = account.users.iter().find(|u| u.login == name || u.id == name).ok_or_else(wrong)?;
            (&user.keys, Some(user.login.clone()), account.disabled || user.disabled)
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

/// The id of the account that the path names, if they may work on it at all.
pub(crate) fn target(state: &State, who: &Who, named: &str, path: &str, route: &Route) -> Result<String, Refusal> {
    // The account that a sub-user names in the path is not even looked up.
    if named == "my" || who.user.is_some() {
        return Ok(who.account.clone());
    }
    match state.account(named) {
        Some(account) if account.id == who.account => Ok(account.id.clone()),
        Some(_) => Err(Refusal::forbidden(&format!("{path} ({})", route.rbac))),
        None => Err(Refusal::not_found(named)),
    }
}

/// Checks the roles that are asked for, and whether a sub-user's roles allow this. The owner of
/// the account may do anything.
pub(crate) fn allow(state: &State, who: &Who, params: &Params, path: &str, route: &Route) -> Result<(), Refusal> {
    let Some(account) = state.account(&who.account) else { return Ok(()) };
    let asked = params.get("as-role").and_then(Value::as_str).filter(|roles| !roles.is_empty());
    let asked: Option<Vec<&str>> = asked.map(|roles| roles.split(',').collect());
    for name in asked.iter().flatten() {
        let held = account
            .roles
            .iter()
            .any(|role| role.name == *name && who.user.as_ref().is_none_or(|user| role.members.contains(user)));
        if !held && *name != "administrator" {
            return Err(Refusal::forbidden(&account.login));
        }
    }
    let Some(user) = &who.user else { return Ok(()) };
    let active = |role: &&super::state::Role| match &asked {
        Some(names) => names.contains(&role.name.as_str()),
        None => role.default_members.contains(user),
    };
    let may = account.roles.iter().filter(active).flat_map(|role| &role.allows).any(|rule| glob(rule, route.rbac));
    // Passes everything there, so it must be held.
    let administrator = asked.is_some_and(|names| names.contains(&"administrator"));
    if may || administrator {
        return Ok(());
    }
    Err(Refusal::forbidden(&format!("{path} ({})", route.rbac)))
}
