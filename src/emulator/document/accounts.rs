//! Accounts, with their keys, sub-users, roles and policies.

use crate::emulator::datacenter::state::id_of;
use serde_json::{Map, Value, json};

use super::check::Place;
use super::names::{self, Named};
use super::{Build, fields_of, or};
use crate::emulator::cloudapi::handlers::users;
use crate::emulator::cloudapi::policy_language;
use crate::emulator::datacenter::seed::{ACCOUNT, DAY, FABRIC, USER};
use crate::emulator::datacenter::state::{Account, Key};
use crate::file;

/// Things by their names: the id, and the name.
type Ids = Vec<(String, String)>;

/// No file of a public key is longer, in bytes.
const MAX_KEY_LEN: u64 = 64 * 1024;

impl Build<'_> {
    /// Puts the accounts in the place of the base's. What was the account's of the demo is the first one's.
    pub(super) fn accounts(&mut self, list: Option<Vec<Value>>) {
        let Some(list) = list else { return self.own_key() };
        if list.is_empty() {
            self.faults.add(&Place::Top.field("accounts"), "must hold one account at least");
        }
        self.state.accounts.clear();
        let section = Place::Top.field("accounts");
        for (at, value) in list.into_iter().enumerate() {
            if let Some(account) = self.account(value, &section.entry(at)) {
                self.state.accounts.push(account);
            }
        }
        self.own_key();
        let first = self.first();
        let state = &mut self.state;
        let owners = (state.images.iter_mut().map(|image| &mut image.owner))
            .chain(state.networks.iter_mut().map(|network| &mut network.owner))
            .chain(state.vlans.iter_mut().map(|vlan| &mut vlan.owner))
            .chain(state.firewall_rules.iter_mut().map(|rule| &mut rule.owner))
            .chain(state.volumes.iter_mut().map(|volume| &mut volume.owner))
            .chain(state.elsewhere.iter_mut().map(|remote| &mut remote.image.owner));
        owners.filter(|owner| *owner == ACCOUNT).for_each(|owner| owner.clone_from(&first));
        state.vms.give(ACCOUNT, &first);
    }

    /// The first account always has the emulator's key, without which no machine of its own can be made.
    fn own_key(&mut self) {
        let own = self.own;
        if let Some(first) = self.state.accounts.first_mut()
            && first.keys.iter().all(|key| key.fingerprint != own.fingerprint)
        {
            first.keys.insert(0, own.clone());
        }
    }

    fn account(&mut self, value: Value, place: &Place<'_>) -> Option<Account> {
        let mut fields = fields_of(value);
        let login = self.needed(&fields, "login", place)?;
        if self.state.accounts.iter().any(|account| account.login == login) {
            self.faults.add(&place.field("login"), "another account has it");
        }
        let accounts = std::mem::take(&mut self.state.accounts);
        self.name(&mut fields, &format!("accounts/{login}"), place, |id| accounts.iter().any(|one| one.id == id));
        self.state.accounts = accounts;
        let email = fields.remove("email").unwrap_or_else(|| format!("{login}@example.com").into());
        or(&mut fields, "profile", json!({}));
        if let Some(Value::Object(profile)) = fields.get_mut("profile").filter(|_| !self.kept) {
            or(profile, "email", email);
        }
        self.dated(&mut fields, 365);
        self.keys(&mut fields, place);
        self.access_keys(&mut fields, place);
        self.limits(&fields, place);
        let users = self.within(&mut fields, "users", place, |build, user, place| build.user(user, &login, place));
        let policies =
            self.within(&mut fields, "policies", place, |build, policy, place| build.policy(policy, &login, place));
        let known = (ids(&users, "login"), ids(&policies, "name"));
        let roles =
            self.within(&mut fields, "roles", place, |build, role, place| build.role(role, &login, &known, place));
        self.role_tags(&mut fields, &ids(&roles, "name"), place);
        for (name, list) in [("users", users), ("policies", policies), ("roles", roles)] {
            fields.insert(name.to_owned(), list.into());
        }
        self.typed(Value::Object(fields), place)
    }

    /// The entries of a list within a thing, each made by the same function.
    fn within(
        &mut self,
        fields: &mut Map<String, Value>,
        name: &str,
        place: &Place<'_>,
        make: impl Fn(&mut Self, Map<String, Value>, &Place<'_>) -> Option<Map<String, Value>>,
    ) -> Vec<Value> {
        let Some(Value::Array(list)) = fields.remove(name) else { return Vec::new() };
        let place = place.field(name);
        let mut made: Vec<Value> = Vec::new();
        for (at, one) in list.into_iter().enumerate() {
            let place = place.entry(at);
            let Some(one) = make(self, fields_of(one), &place) else { continue };
            for name in ["id", "login", "name"] {
                if one.get(name).is_some_and(|value| made.iter().any(|other| other.get(name) == Some(value))) {
                    self.faults.add(&place.field(name), "another one has it");
                    break;
                }
            }
            made.push(Value::Object(one));
        }
        made
    }

    /// Ids with secrets, for other services.
    fn access_keys(&mut self, fields: &mut Map<String, Value>, place: &Place<'_>) {
        let place = place.field("access_keys");
        let keys = fields.get_mut("access_keys").and_then(Value::as_array_mut);
        for (at, key) in keys.into_iter().flatten().filter_map(Value::as_object_mut).enumerate() {
            let place = place.entry(at);
            let _ = (self.needed(key, "id", &place), self.needed(key, "secret", &place));
            or(key, "created", self.now - DAY);
        }
    }

    /// How much there may be of what.
    fn limits(&mut self, fields: &Map<String, Value>, place: &Place<'_>) {
        let place = place.field("limits");
        let limits = fields.get("limits").and_then(Value::as_array);
        for (at, limit) in limits.into_iter().flatten().filter_map(Value::as_object).enumerate() {
            let place = place.entry(at);
            if !limit.contains_key("value") {
                self.faults.add(&place.field("value"), "is missing");
            }
            self.one_of(limit, "by", &["machines", "ram", "quota"], &place);
            self.one_of(limit, "check", &["brand", "image", "os"], &place);
            if limit.contains_key("check") != limit.contains_key("of") {
                self.faults.add(&place, "check and of stand together");
            }
        }
    }

    /// When it was made, by default so many days ago.
    fn dated(&self, fields: &mut Map<String, Value>, days: i64) {
        or(fields, "created", self.now - days * DAY);
        let created = fields.get("created").cloned().unwrap_or_default();
        or(fields, "updated", created);
    }

    fn user(&mut self, mut user: Map<String, Value>, account: &str, place: &Place<'_>) -> Option<Map<String, Value>> {
        let login = self.needed(&user, "login", place)?;
        if !self.kept && login != USER && !users::can_be_login(&login) {
            let words = "must have 3 to 32 letters, digits, '_', '.' and '@', the first of them a letter";
            self.faults.add(&place.field("login"), words);
        }
        or(&mut user, "id", id_of(&format!("users/{account}/{login}")));
        or(&mut user, "email", format!("{login}@example.com"));
        self.dated(&mut user, 300);
        self.keys(&mut user, place);
        self.access_keys(&mut user, place);
        Some(user)
    }

    fn policy(
        &mut self,
        mut policy: Map<String, Value>,
        account: &str,
        place: &Place<'_>,
    ) -> Option<Map<String, Value>> {
        let name = self.needed(&policy, "name", place)?;
        or(&mut policy, "id", id_of(&format!("policies/{account}/{name}")));
        let rules = policy.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (at, rule) in rules.iter().enumerate() {
            if let Err(words) = policy_language::Rule::read(rule.as_str().unwrap_or_default()) {
                self.faults.add(&place.field("rules").entry(at), words);
            }
        }
        Some(policy)
    }

    /// A role, whose members and policies are meant by these names.
    fn role(
        &mut self,
        mut role: Map<String, Value>,
        account: &str,
        (users, policies): &(Ids, Ids),
        place: &Place<'_>,
    ) -> Option<Map<String, Value>> {
        let name = self.needed(&role, "name", place)?;
        or(&mut role, "id", id_of(&format!("roles/{account}/{name}")));
        let held_by = place.field("held_by");
        if let Some(Value::Array(members)) = role.get_mut("held_by") {
            for (at, member) in members.iter_mut().enumerate() {
                // A name alone is that of a sub-user who acts in the role without asking for it.
                let mut of = match member.take() {
                    Value::String(login) => fields_of(json!({ "id": login, "default": true })),
                    other => fields_of(other),
                };
                let place = held_by.entry(at);
                let meant = self.needed(&of, "id", &place)?;
                let id = if of.get("account") == Some(&Value::Bool(true)) {
                    let accounts = std::mem::take(&mut self.state.accounts);
                    let found = self.id_of("account before this one", &names::accounts(&accounts), &meant, &place);
                    self.state.accounts = accounts;
                    found
                } else {
                    self.id_of("user", &of_names(users), &meant, &place)
                };
                of.insert("id".to_owned(), id?.into());
                *member = Value::Object(of);
            }
        }
        let place = place.field("policies");
        if let Some(Value::Array(list)) = role.get_mut("policies") {
            for (at, policy) in list.iter_mut().enumerate() {
                let place = place.entry(at);
                let meant = policy.as_str().unwrap_or_default().to_owned();
                *policy = self.id_of("policy", &of_names(policies), &meant, &place)?.into();
            }
        }
        Some(role)
    }

    /// The roles with which things are tagged.
    fn role_tags(&mut self, fields: &mut Map<String, Value>, roles: &[(String, String)], place: &Place<'_>) {
        let Some(Value::Object(tags)) = fields.get_mut("role_tags") else { return };
        let place = place.field("role_tags");
        for (path, list) in tags.iter_mut() {
            let place = place.field(path);
            let Some(list) = list.as_array_mut() else {
                self.faults.add(&place, "must be a list of roles");
                continue;
            };
            for (at, role) in list.iter_mut().enumerate() {
                let meant = role.as_str().unwrap_or_default().to_owned();
                if let Some(id) = self.id_of("role", &of_names(roles), &meant, &place.entry(at)) {
                    *role = id.into();
                }
            }
        }
    }

    /// The keys of an account or a sub-user: as OpenSSH lines, or as files of them. Without the field it is the
    /// emulator's own key.
    fn keys(&mut self, fields: &mut Map<String, Value>, place: &Place<'_>) {
        let Some(Value::Array(list)) = fields.remove("keys") else {
            let own = json!([{ "name": self.own.name, "fingerprint": self.own.fingerprint, "key": self.own.key }]);
            fields.insert("keys".to_owned(), own);
            return;
        };
        let place = place.field("keys");
        let mut keys: Vec<Key> = Vec::new();
        for (at, value) in list.into_iter().enumerate() {
            match self.key(&value) {
                // The next emulator puts its own key in the place of that of this name.
                Ok(key) if !self.kept && key.name == self.own.name && key.fingerprint != self.own.fingerprint => {
                    self.faults.add(&place.entry(at), format!("the key needs a name that is not \"{}\"", key.name));
                }
                Ok(key) if keys.iter().any(|other| other.fingerprint == key.fingerprint) => {
                    self.faults.add(&place.entry(at), "this key is there twice");
                }
                Ok(key) => keys.push(key),
                Err(words) => self.faults.add(&place.entry(at), words),
            }
        }
        fields.insert("keys".to_owned(), serde_json::to_value(keys).unwrap_or_default());
    }

    /// A key. What cannot be read is not shown: it may be the private one.
    fn key(&self, value: &Value) -> Result<Key, String> {
        let given = |name: &str| value.get(name).and_then(Value::as_str);
        let line = value.as_str().or_else(|| given("key")).ok_or("has no key")?;
        let name = given("name").unwrap_or_default();
        let wrong = || "is neither an SSH public key nor the name of a file with one".to_owned();
        if let Some(key) = Key::new(name, line) {
            return Ok(key);
        }
        if !line.ends_with(".pub") || line.contains(char::is_control) {
            return Err(wrong());
        }
        let shown = names::shown(line);
        let bytes = file::read(&self.folder.join(line), MAX_KEY_LEN)
            .map_err(|error| format!("cannot read the file {shown}: {error}"))?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        Key::new(name, text.trim()).ok_or_else(|| format!("the file {shown} does not hold an SSH public key"))
    }

    /// The networks that machines of an account are on by default. They are known only now.
    pub(super) fn default_networks(&mut self) {
        let mut accounts = std::mem::take(&mut self.state.accounts);
        for (at, account) in accounts.iter_mut().enumerate() {
            let place = Place::Top.field("accounts");
            let place = place.entry(at);
            let networks = names::networks(&self.state.networks, &account.id);
            account.default_network = match &account.default_network {
                // The base's network is gone where the document has others.
                Some(id) if id == FABRIC && networks.iter().all(|one| one.id != FABRIC) => None,
                Some(meant) => match names::find("network", &networks, meant) {
                    Ok(id) => Some(id.to_owned()),
                    Err(_) if self.kept => Some(meant.clone()),
                    Err(words) => {
                        self.faults.add(&place.field("default_network"), words);
                        None
                    }
                },
                None if self.kept => None,
                None => networks.iter().find(|one| one.id == FABRIC).map(|one| one.id.to_owned()),
            };
        }
        self.state.accounts = accounts;
    }
}

/// The ids of things, by the field of their names.
fn ids(list: &[Value], name: &str) -> Ids {
    let of = |one: &Value, field: &str| one.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    list.iter().map(|one| (of(one, "id"), of(one, name))).collect()
}

fn of_names(ids: &[(String, String)]) -> Vec<Named<'_>> {
    ids.iter().map(|(id, name)| Named { id, name, version: "" }).collect()
}
