//! From what is and what is wanted to the steps between them. Pure: nothing is read, asked or sent here.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::file::{self, Wanted};
use super::live::{Key, Live, Member, Role};
use crate::error::{Error, Result};
use crate::grammar;

/// What a step is about. The order is that in which things are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A policy.
    Policy,
    /// A sub-user.
    User,
    /// A key of a sub-user.
    Key,
    /// A role.
    Role,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Policy => "policy",
            Kind::User => "user",
            Kind::Key => "key",
            Kind::Role => "role",
        }
    }
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there yet.
    Create,
    /// It is there and different.
    Change,
    /// It is there, and goes on the record as if it had been created.
    Adopt,
    /// It is there, was made by this file, and is not wanted any more.
    Delete,
}

impl Action {
    /// The sign before a step.
    pub fn sign(self) -> char {
        match self {
            Action::Create => '+',
            Action::Change => '~',
            Action::Adopt => '=',
            Action::Delete => '-',
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Adopt => "adopt",
            Action::Delete => "delete",
        }
    }

    /// The word for it when it has been done.
    pub fn done(self) -> &'static str {
        match self {
            Action::Create => "created",
            Action::Change => "changed",
            Action::Adopt => "adopted",
            Action::Delete => "deleted",
        }
    }
}

/// A field before and after; before is null where the thing is new.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its name.
    pub field: &'static str,
    /// What it is.
    pub old: Value,
    /// What it is to be.
    pub new: Value,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// To what.
    pub kind: Kind,
    /// Its name; of a key its fingerprint.
    pub name: String,
    /// Its id, if it is there.
    pub id: Option<String>,
    /// Of a key, whose it is.
    pub user: Option<String>,
    /// What differs.
    pub changes: Vec<Change>,
    /// Of a role whose members differ, all of them.
    pub members: Option<Vec<Member>>,
    /// Of a key that is to be added.
    pub key: Option<Key>,
}

impl Step {
    fn new(action: Action, kind: Kind, name: &str, id: Option<&str>) -> Step {
        Step {
            action,
            kind,
            name: name.to_owned(),
            id: id.map(str::to_owned),
            user: None,
            changes: Vec::new(),
            members: None,
            key: None,
        }
    }

    fn of_key(action: Action, login: &str, user_id: Option<&str>, key: &Key) -> Step {
        let id = user_id.map(|user| key_id(user, &key.md5));
        let mut step = Step::new(action, Kind::Key, &key.md5, id.as_deref());
        step.user = Some(login.to_owned());
        if action == Action::Create {
            step.key = Some(key.clone());
            if !key.name.is_empty() {
                step.changes.push(Change { field: "name", old: Value::Null, new: key.name.as_str().into() });
            }
        }
        step
    }

    /// What it is about: `key aa:bb of user jill`.
    pub fn thing(&self) -> String {
        match &self.user {
            Some(user) => format!("{} {} of user {user}", self.kind.word(), self.name),
            None => format!("{} {}", self.kind.word(), self.name),
        }
    }

    /// The whole of it: `create role ops`.
    pub fn title(&self) -> String {
        format!("{} {}", self.action.word(), self.thing())
    }
}

/// A thing that the file has made, as the record has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// What it is.
    pub kind: Kind,
    /// Its id; of a key that of its user too.
    pub id: String,
    /// What it was called.
    pub name: String,
}

/// A key is known by its user's id and its fingerprint.
pub fn key_id(user: &str, md5: &str) -> String {
    format!("{user}/{md5}")
}

/// What is to be done beside making and changing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice {
    /// Delete what the file has made and names no longer.
    pub prune: bool,
    /// Put on the record what is there already.
    pub adopt: bool,
}

/// The steps, in their order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is to be done.
    pub steps: Vec<Step>,
    /// What the file has made and names no longer, and stays without `prune`.
    pub left: Vec<String>,
}

/// Makes the plan.
///
/// # Errors
/// A usage error for what would dangle: members and policies that are nowhere, and what is to be deleted while a role
/// that stays is made of it.
pub fn plan(live: &Live, wanted: &Wanted, owned: &[Owned], choice: Choice) -> Result<Plan> {
    let mut steps = Vec::new();
    let is_owned = |kind, id: &str| owned.iter().any(|owned| owned.kind == kind && owned.id == id);
    let adopt = |steps: &mut Vec<Step>, step: Step| {
        if choice.adopt && step.id.as_deref().is_some_and(|id| !is_owned(step.kind, id)) {
            steps.push(Step { action: Action::Adopt, ..step });
        }
    };
    known_members_and_policies(live, wanted)?;
    for policy in &wanted.policies {
        let now = live.policies.iter().find(|now| now.name == policy.name);
        let id = now.map(|now| now.id.as_str());
        if let Some(step) = policy_step(policy, now)? {
            steps.push(step);
        }
        adopt(&mut steps, Step::new(Action::Adopt, Kind::Policy, &policy.name, id));
    }
    for user in &wanted.users {
        let now = live.users.iter().find(|now| now.login == user.login);
        let id = now.map(|now| now.id.as_str());
        steps.extend(user_step(user, now)?);
        adopt(&mut steps, Step::new(Action::Adopt, Kind::User, &user.login, id));
        for key in user.keys.iter().flatten() {
            match now.filter(|now| now.keys.iter().any(|known| known.md5 == key.md5)) {
                None => steps.push(Step::of_key(Action::Create, &user.login, id, key)),
                Some(_) => adopt(&mut steps, Step::of_key(Action::Adopt, &user.login, id, key)),
            }
        }
    }
    for role in &wanted.roles {
        let now = live.roles.iter().find(|now| now.name == role.name);
        let id = now.map(|now| now.id.as_str());
        steps.extend(role_step(role, now));
        adopt(&mut steps, Step::new(Action::Adopt, Kind::Role, &role.name, id));
    }
    let deletes = deletes(live, wanted, owned);
    if choice.prune {
        nothing_dangles(live, wanted, &deletes)?;
        steps.extend(deletes);
        return Ok(Plan { steps, left: Vec::new() });
    }
    Ok(Plan { steps, left: deletes.iter().map(Step::thing).collect() })
}

fn differs(changes: &mut Vec<Change>, field: &'static str, old: Value, new: Value) {
    if old != new {
        changes.push(Change { field, old, new });
    }
}

/// A text that is there; the empty one is none.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { value.into() }
}

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut all: Vec<&String> = texts.iter().collect();
    all.sort();
    all.dedup();
    all
}

fn policy_step(policy: &file::Policy, now: Option<&super::live::Policy>) -> Result<Option<Step>> {
    let action = if now.is_some() { Action::Change } else { Action::Create };
    let mut step = Step::new(action, Kind::Policy, &policy.name, now.map(|now| now.id.as_str()));
    // What the service has taken once is not refused here.
    let taken = now.map(|now| now.rules.as_slice()).unwrap_or_default();
    for rule in policy.rules.iter().flatten().filter(|rule| !taken.contains(rule)) {
        grammar::policy::check(rule).map_err(|error| error.about(&format!("policy {}", policy.name)))?;
    }
    // The service keeps no order.
    let rules = |rules: &[String]| json!(sorted(rules));
    match (&policy.rules, now) {
        (Some(new), Some(now)) => differs(&mut step.changes, "rules", rules(&now.rules), rules(new)),
        (Some(new), None) => differs(&mut step.changes, "rules", Value::Null, rules(new)),
        (None, Some(_)) => {}
        (None, None) => {
            return Err(Error::usage(format!("policy {} is not there yet, and the file gives no rules", policy.name)));
        }
    }
    if let Some(new) = &policy.description {
        let old = now.map_or(Value::Null, |now| text(&now.description));
        differs(&mut step.changes, "description", old, text(new));
    }
    Ok((now.is_none() || !step.changes.is_empty()).then_some(step))
}

fn user_step(user: &file::User, now: Option<&super::live::User>) -> Result<Option<Step>> {
    let action = if now.is_some() { Action::Change } else { Action::Create };
    let mut step = Step::new(action, Kind::User, &user.login, now.map(|now| now.id.as_str()));
    for (field, new) in &user.fields {
        let old = now.and_then(|now| now.object.get(*field)).and_then(Value::as_str).map_or(Value::Null, text);
        differs(&mut step.changes, field, old, text(new));
    }
    if now.is_none() && step.changes.iter().all(|change| change.field != "email") {
        return Err(Error::usage(format!("user {} is not there yet, and the file gives no email", user.login)));
    }
    Ok((now.is_none() || !step.changes.is_empty()).then_some(step))
}

fn role_step(role: &file::Role, now: Option<&Role>) -> Option<Step> {
    let action = if now.is_some() { Action::Change } else { Action::Create };
    let mut step = Step::new(action, Kind::Role, &role.name, now.map(|now| now.id.as_str()));
    if let Some(members) = &role.members {
        let names = |members: &[Member], default: bool| {
            let chosen = members.iter().filter(|member| !default || member.default);
            let mut names: Vec<String> = chosen.map(Member::name).collect();
            names.sort();
            names
        };
        for (field, default) in [("members", false), ("default_members", true)] {
            let new = names(members, default);
            match now {
                Some(now) => differs(&mut step.changes, field, json!(names(&now.members, default)), json!(new)),
                None if new.is_empty() => {}
                None => differs(&mut step.changes, field, Value::Null, json!(new)),
            }
        }
        if !step.changes.is_empty() {
            step.members = Some(members.clone());
        }
    }
    if let Some(policies) = &role.policies {
        match now {
            Some(now) => {
                differs(&mut step.changes, "policies", json!(sorted(&now.policies)), json!(sorted(policies)));
            }
            None if policies.is_empty() => {}
            None => differs(&mut step.changes, "policies", Value::Null, json!(sorted(policies))),
        }
    }
    (now.is_none() || !step.changes.is_empty()).then_some(step)
}

/// Refuses a role that would be made of what is neither there nor in the file. Members of other accounts cannot be
/// looked up.
fn known_members_and_policies(live: &Live, wanted: &Wanted) -> Result<()> {
    for role in &wanted.roles {
        for member in role.members.iter().flatten().filter(|member| !member.account) {
            let login = &member.login;
            let there = live.users.iter().any(|user| user.login == *login);
            if !there && wanted.users.iter().all(|user| user.login != *login) {
                let words = format!("role {}: there is no user {login}, and the file makes none", role.name);
                return Err(Error::usage(words).hint(format!("of another account: \"account:{login}\"")));
            }
        }
        for name in role.policies.iter().flatten() {
            let there = live.policies.iter().any(|policy| policy.name == *name);
            if !there && wanted.policies.iter().all(|policy| policy.name != *name) {
                let words = format!("role {}: there is no policy {name}, and the file makes none", role.name);
                return Err(Error::usage(words).hint("all of them: sdc policies list"));
            }
        }
    }
    Ok(())
}

/// What is on the record, still there, and not in the file; roles first, then keys, users and policies.
fn deletes(live: &Live, wanted: &Wanted, owned: &[Owned]) -> Vec<Step> {
    let is_owned = |kind, id: &str| owned.iter().any(|owned| owned.kind == kind && owned.id == id);
    let mut steps = Vec::new();
    for role in &live.roles {
        if is_owned(Kind::Role, &role.id) && wanted.roles.iter().all(|other| other.name != role.name) {
            steps.push(Step::new(Action::Delete, Kind::Role, &role.name, Some(&role.id)));
        }
    }
    let mut users = Vec::new();
    for user in &live.users {
        let in_file = wanted.users.iter().find(|other| other.login == user.login);
        let goes = in_file.is_none() && is_owned(Kind::User, &user.id);
        for key in &user.keys {
            let named = match in_file {
                // What the file does not say stays as it is.
                Some(in_file) => in_file.keys.as_ref().is_none_or(|keys| keys.iter().any(|new| new.md5 == key.md5)),
                None => false,
            };
            // A user is deleted only without keys.
            if goes || !named && is_owned(Kind::Key, &key_id(&user.id, &key.md5)) {
                steps.push(Step::of_key(Action::Delete, &user.login, Some(&user.id), key));
            }
        }
        if goes {
            users.push(Step::new(Action::Delete, Kind::User, &user.login, Some(&user.id)));
        }
    }
    steps.extend(users);
    for policy in &live.policies {
        if is_owned(Kind::Policy, &policy.id) && wanted.policies.iter().all(|other| other.name != policy.name) {
            steps.push(Step::new(Action::Delete, Kind::Policy, &policy.name, Some(&policy.id)));
        }
    }
    steps
}

/// Refuses to delete what a role that stays is made of.
fn nothing_dangles(live: &Live, wanted: &Wanted, deletes: &[Step]) -> Result<()> {
    let goes = |kind, name: &str| deletes.iter().any(|step| step.kind == kind && step.name == name);
    let refused = |kind: &str, name: &str, role: &str| {
        Err(Error::usage(format!(
            "{kind} {name} is not in the file and would be deleted, but the role {role} needs it"
        ))
        .hint(format!("put the {kind} into the file, or take it out of the role {role} there")))
    };
    let none = Vec::new();
    let live_roles = live.roles.iter().filter(|role| !goes(Kind::Role, &role.name)).map(|role| role.name.as_str());
    let new_roles = wanted.roles.iter().map(|role| role.name.as_str());
    for name in live_roles.chain(new_roles) {
        let now = live.roles.iter().find(|role| role.name == name);
        let new = wanted.roles.iter().find(|role| role.name == name);
        let members = new.and_then(|new| new.members.as_ref()).or(now.map(|now| &now.members)).unwrap_or(&none);
        if let Some(member) = members.iter().find(|member| !member.account && goes(Kind::User, &member.login)) {
            return refused("user", &member.login, name);
        }
        let kept = new.and_then(|new| new.policies.as_ref()).or(now.map(|now| &now.policies));
        if let Some(policy) = kept.into_iter().flatten().find(|policy| goes(Kind::Policy, policy)) {
            return refused("policy", policy, name);
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
