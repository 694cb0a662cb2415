//! Accounts, their sub-users and what those may do. Plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) login: String,
    /// The fields that are shown as they are: e-mail, names, address.
    pub(crate) profile: Map<String, Value>,
    pub(crate) cns: bool,
    pub(crate) disabled: bool,
    /// May not make machines yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unapproved: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) keys: Vec<Key>,
    pub(crate) users: Vec<User>,
    pub(crate) roles: Vec<Role>,
    pub(crate) policies: Vec<Policy>,
    #[serde(alias = "accessKeys")]
    pub(crate) access_keys: Vec<AccessKey>,
    /// What it may have at most.
    pub(crate) limits: Vec<Limit>,
    /// The ids of the roles with which a thing is tagged, by its path without the account.
    #[serde(alias = "roleTags")]
    pub(crate) role_tags: BTreeMap<String, Vec<String>>,
    #[serde(alias = "defaultNetwork")]
    pub(crate) default_network: Option<String>,
    /// May do anything with any account.
    pub(crate) operator: bool,
    /// May do so if it asks for the role `_operator`.
    #[serde(alias = "roleOperator")]
    pub(crate) role_operator: bool,
}

/// A sub-user of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) login: String,
    pub(crate) email: String,
    /// The fields that are shown as they are: names, address.
    pub(crate) profile: Map<String, Value>,
    pub(crate) disabled: bool,
    pub(crate) keys: Vec<Key>,
    pub(crate) access_keys: Vec<AccessKey>,
    /// Digests of the last passwords, newest last.
    pub(crate) passwords: Vec<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// A role: who has it, and what its policies allow.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) held_by: Vec<Member>,
    /// The ids of its policies.
    pub(crate) policies: Vec<String>,
    /// How files of an earlier version say all that, in logins and names of actions.
    #[serde(flatten)]
    pub(crate) earlier: EarlierRole,
}

/// One who has a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Another account, and not a sub-user of this one.
    #[serde(default)]
    pub(crate) account: bool,
    pub(crate) id: String,
    /// Acts in it without asking.
    #[serde(default)]
    pub(crate) default: bool,
}

/// A role as it was kept when there were no policies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EarlierRole {
    #[serde(skip_serializing)]
    pub(crate) members: Vec<String>,
    #[serde(skip_serializing)]
    pub(crate) default_members: Vec<String>,
    #[serde(skip_serializing)]
    pub(crate) allows: Vec<String>,
}

/// A policy: rules by which a role may do things.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Each of them can be read by `policy_language`.
    pub(crate) rules: Vec<String>,
    pub(crate) description: String,
}

/// A key for other services: an id and a secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) created: i64,
}

/// How much an account may have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Limit {
    /// 0 is no limit at all, and less allows nothing.
    pub(crate) value: i64,
    /// What is counted: `ram` in MiB, `quota` in GiB, or `machines`, as when it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) by: String,
    /// Counts only machines whose `image`, `os` or `brand` is the value below; all when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) check: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) of: String,
}

/// An SSH key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) fingerprint: String,
    pub(crate) key: String,
}

impl Key {
    /// The key of an OpenSSH line, named so, else by its comment, else by its fingerprint.
    pub(crate) fn new(name: &str, line: &str) -> Option<Key> {
        let read = crate::emulator::datacenter::verify::read_key(line)?;
        let name = [name, read.comment.as_str(), read.fingerprint.as_str()].into_iter().find(|n| !n.is_empty())?;
        Some(Key { name: name.to_owned(), key: line.trim().to_owned(), fingerprint: read.fingerprint })
    }
}

impl Account {
    /// The sub-user of this login or id.
    pub(crate) fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.login == name || user.id == name)
    }

    /// The same, to change it.
    pub(crate) fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.login == name || user.id == name)
    }

    /// Whether the key of that name or fingerprint is here, among this list.
    pub(crate) fn find_key<'a>(keys: &'a [Key], name: &str) -> Option<&'a Key> {
        keys.iter().find(|key| key.fingerprint == name).or_else(|| keys.iter().find(|key| key.name == name))
    }
}
