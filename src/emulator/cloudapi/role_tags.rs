//! Role tags: by which path a thing is tagged, what is tagged when it is made, and the header that
//! shows it. Setting them is an operation, in `handlers`.

use super::call::Call;
use super::version::Version;
use crate::emulator::datacenter::state::{Account, Key, Role};
use crate::emulator::http::params;
use crate::emulator::http::params::Params;
use crate::emulator::http::reply::Reply;

/// What a path leads to, as far as role tags go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    /// Its path without the account.
    pub(crate) key: String,
    /// The path leads to the thing itself, and not to something of it.
    pub(crate) itself: bool,
}

/// The thing that a path leads to. What is of a machine is tagged as the machine is.
pub(crate) fn thing(account: &Account, path: &str, params: &Params) -> Thing {
    let parts: Vec<String> = path.trim_end_matches('/').split('/').skip(2).map(params::decode).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let user = |name: &str| account.user(name).map_or_else(|| name.to_owned(), |user| user.id.clone());
    let (key, rest) = match parts.as_slice() {
        // A body can name another machine.
        ["machines", id, rest @ ..] => {
            let id = params.get("machine").and_then(params::text).unwrap_or_else(|| (*id).to_owned());
            (format!("machines/{id}"), rest)
        }
        ["users", name, "keys"] => (format!("users/{}/keys", user(name)), &[][..]),
        ["users", name, "keys", key, rest @ ..] => (format!("users/{}/keys/{key}", user(name)), rest),
        ["users", name, rest @ ..] => (format!("users/{}", user(name)), rest),
        [kind, id, rest @ ..] => (format!("{kind}/{id}"), rest),
        [kind] => ((*kind).to_owned(), &[][..]),
        [] => (String::new(), &[][..]),
    };
    Thing { key, itself: rest.is_empty() }
}

impl Account {
    /// The names of the roles with which a thing is tagged.
    pub(crate) fn tags_of(&self, key: &str) -> Vec<String> {
        let ids = self.role_tags.get(key).map(Vec::as_slice).unwrap_or_default();
        let name = |id: &String| Some(self.roles.iter().find(|role| role.id == *id)?.name.clone());
        ids.iter().filter_map(name).collect()
    }

    /// Tags a thing with these roles and no others.
    pub(crate) fn tag(&mut self, key: String, roles: Vec<String>) {
        if roles.is_empty() {
            self.role_tags.remove(&key);
        } else {
            self.role_tags.insert(key, roles);
        }
    }

    /// The role of this name.
    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }
}

/// The names in the request's header, if it has one.
pub(crate) fn asked(call: &Call<'_>) -> Option<Vec<String>> {
    let header = call.head.get("role-tag")?;
    Some(header.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
}

/// What there is to do when an operation went well: shows the tags of what was read, tags what was
/// made, and forgets the tags of what is gone.
pub(crate) fn after(call: &mut Call<'_>, active: &[String], reply: &mut Reply) {
    let Ok(account) = call.account() else { return };
    match (call.head.method.as_str(), reply.status) {
        ("GET" | "HEAD", 200) if call.version >= Version(7, 2, 0) => {
            let thing = thing(account, call.head.path(), &call.params);
            let names = if thing.itself { account.tags_of(&thing.key) } else { Vec::new() };
            if !names.is_empty() {
                reply.headers.push(("role-tag", names.join(",")));
            }
        }
        ("POST", 201) => tag_made(call, active, reply),
        ("DELETE", 204) => {
            let thing = thing(account, call.head.path(), &call.params);
            // One that is deleted can still be looked at.
            if thing.itself && !thing.key.starts_with("machines/") {
                let below = format!("{}/", thing.key);
                if let Ok(account) = call.account_mut() {
                    account.role_tags.retain(|key, _| *key != thing.key && !key.starts_with(&below));
                }
            }
        }
        _ => {}
    }
}

/// Tags what was just made with the roles that the header names, else with those that the sub-user
/// acts in. Names that no role has are passed over.
fn tag_made(call: &mut Call<'_>, active: &[String], reply: &Reply) {
    let shown = reply.headers.iter().find(|(name, _)| *name == "Location").map(|(_, location)| location);
    let Some(location) = reply.made.as_ref().or(shown) else { return };
    let asked = asked(call);
    let Ok(account) = call.account_mut() else { return };
    let roles = match asked {
        Some(names) => names.iter().filter_map(|name| account.role_named(name)).map(|role| role.id.clone()).collect(),
        None => active.to_vec(),
    };
    let made = thing(account, location, &Params::new());
    if roles.is_empty() || !made.itself {
        return;
    }
    let key = by_fingerprint(account, &made.key);
    account.tag(key, roles);
}

/// A key is tagged by its fingerprint, whatever path leads to it by its name.
fn by_fingerprint(account: &Account, key: &str) -> String {
    let Some((place, name)) = key.rsplit_once('/') else { return key.to_owned() };
    let keys: &[Key] = match place.split('/').collect::<Vec<_>>().as_slice() {
        ["keys"] => &account.keys,
        ["users", user, "keys"] => account.user(user).map(|user| user.keys.as_slice()).unwrap_or_default(),
        _ => return key.to_owned(),
    };
    Account::find_key(keys, name).map_or_else(|| key.to_owned(), |key| format!("{place}/{}", key.fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::datacenter::state::User;

    #[test]
    fn a_path_is_tagged_without_the_account_and_by_the_id_of_a_user() {
        let user = User { id: "1".to_owned(), login: "bob".to_owned(), ..User::default() };
        let account = Account { users: vec![user], ..Account::default() };
        for (path, key, itself) in [
            ("/acme", "", true),
            ("/acme/machines", "machines", true),
            ("/my/machines/m/", "machines/m", true),
            ("/my/machines/m/snapshots/s", "machines/m", false),
            ("/my/keys/a%3Ab", "keys/a:b", true),
            ("/my/users/bob", "users/1", true),
            ("/my/users/bob/keys", "users/1/keys", true),
            ("/my/users/1/keys/k", "users/1/keys/k", true),
            ("/my/users/1/change_password", "users/1", false),
            ("/my/networks/n/ips", "networks/n", false),
        ] {
            let thing = thing(&account, path, &Params::new());
            assert_eq!((thing.key.as_str(), thing.itself), (key, itself), "{path}");
        }
    }
}
