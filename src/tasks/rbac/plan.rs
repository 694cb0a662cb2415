//! The steps from what an account has to what a file wants. Pure: it reads no file and sends no request.

use serde_json::{Value, json};

use super::file::{self, Wanted};
use super::live::{self, Key, Live, Member, Role};
use super::{Kind, Owned, Spec, Step, key_id};
use crate::error::{Error, Hint, Result};
use crate::grammar;
use crate::tasks::plan::{self, Action, Change};

/// What to do in addition to creating and changing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice {
    /// Delete what the file has made and no longer names.
    pub prune: bool,
    /// Put on the record what exists already.
    pub adopt: bool,
}

/// The steps, in their order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Without `prune`, what the file has made and no longer names, in words.
    pub left: Vec<String>,
}

/// Makes the plan. `owned` is what the record has for the file's owner.
///
/// # Errors
/// A usage error for what would dangle: members and policies that exist nowhere, and users and policies that would be
/// deleted while a role that stays needs them.
pub fn plan(live: &Live, wanted: &Wanted, owned: &[Owned], choice: Choice) -> Result<Plan> {
    let mut steps = Vec::new();
    let is_owned = |kind, id: &str| owned.iter().any(|owned| owned.is(kind, id));
    let adopt = |steps: &mut Vec<Step>, step: Step| {
        if choice.adopt && step.id.as_deref().is_some_and(|id| !is_owned(step.kind, id)) {
            steps.push(step);
        }
    };
    known_members_and_policies(live, wanted)?;
    for policy in &wanted.policies {
        let now = live.policies.iter().find(|now| now.name == policy.name);
        let id = now.map(|now| now.id.as_str());
        if let Some(step) = policy_step(policy, now)? {
            steps.push(step);
        }
        adopt(&mut steps, step(Action::Adopt, Kind::Policy, &policy.name, id));
    }
    for user in &wanted.users {
        let now = live.users.iter().find(|now| now.login == user.login);
        let id = now.map(|now| now.id.as_str());
        steps.extend(user_step(user, now)?);
        adopt(&mut steps, step(Action::Adopt, Kind::User, &user.login, id));
        for key in user.keys.iter().flatten() {
            match now.filter(|now| now.keys.iter().any(|known| known.md5 == key.md5)) {
                None => steps.push(key_step(Action::Create, &user.login, id, key)),
                Some(_) => adopt(&mut steps, key_step(Action::Adopt, &user.login, id, key)),
            }
        }
    }
    for role in &wanted.roles {
        let now = live.roles.iter().find(|now| now.name == role.name);
        let id = now.map(|now| now.id.as_str());
        steps.extend(role_step(role, now));
        let needs = needs(Some(role), now);
        adopt(&mut steps, Step { needs, ..step(Action::Adopt, Kind::Role, &role.name, id) });
    }
    let deletes = deletes(live, wanted, owned);
    if choice.prune {
        nothing_dangles(live, wanted, &deletes)?;
        steps.extend(deletes);
        return Ok(Plan { steps: plan::in_order(steps)?, left: Vec::new() });
    }
    Ok(Plan { steps: plan::in_order(steps)?, left: deletes.iter().map(Step::target).collect() })
}

fn step(action: Action, kind: Kind, name: &str, id: Option<&str>) -> Step {
    Step::new(action, kind, name, id, Spec::None)
}

pub(super) fn key_step(action: Action, login: &str, user_id: Option<&str>, key: &Key) -> Step {
    let id = user_id.map(|user| key_id(user, &key.md5));
    let user = (Kind::User, login.to_owned());
    let mut step = step(action, Kind::Key, &key.md5, id.as_deref());
    step.needs.push(user.clone());
    step.parent = Some(user);
    if action == Action::Create {
        step.spec = Spec::Key(key.clone());
        if !key.name.is_empty() {
            step.changes.push(Change::new("name", Value::Null, key.name.as_str().into()));
        }
    }
    step
}

/// What a role refers to once it is as the file says: its policies, and the sub-users among its members.
fn needs(role: Option<&file::Role>, now: Option<&Role>) -> Vec<(Kind, String)> {
    let members = role.and_then(|role| role.members.as_ref()).or(now.map(|now| &now.members));
    let policies = role.and_then(|role| role.policies.as_ref()).or(now.map(|now| &now.policies));
    let users = members.into_iter().flatten().filter(|member| !member.account);
    let policies = policies.into_iter().flatten().map(|name| (Kind::Policy, name.clone()));
    policies.chain(users.map(|member| (Kind::User, member.login.clone()))).collect()
}

fn differs(changes: &mut Vec<Change>, field: &'static str, old: Value, new: Value) {
    if old != new {
        changes.push(Change::new(field, old, new));
    }
}

/// A text; the empty one counts as none.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { value.into() }
}

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut all: Vec<&String> = texts.iter().collect();
    all.sort();
    all.dedup();
    all
}

pub(super) fn policy_step(policy: &file::Policy, now: Option<&live::Policy>) -> Result<Option<Step>> {
    let action = if now.is_some() { Action::Change } else { Action::Create };
    let mut step = step(action, Kind::Policy, &policy.name, now.map(|now| now.id.as_str()));
    // A rule that the service has accepted once is not refused here.
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

pub(super) fn user_step(user: &file::User, now: Option<&live::User>) -> Result<Option<Step>> {
    let action = if now.is_some() { Action::Change } else { Action::Create };
    let mut step = step(action, Kind::User, &user.login, now.map(|now| now.id.as_str()));
    for (field, new) in &user.fields {
        let old = now.and_then(|now| now.object.get(*field)).and_then(Value::as_str).map_or(Value::Null, text);
        differs(&mut step.changes, field, old, text(new));
    }
    if now.is_none() && step.changes.iter().all(|change| change.field != "email") {
        return Err(Error::usage(format!("user {} is not there yet, and the file gives no email", user.login)));
    }
    Ok((now.is_none() || !step.changes.is_empty()).then_some(step))
}

pub(super) fn role_step(role: &file::Role, now: Option<&Role>) -> Option<Step> {
    let action = if now.is_some() { Action::Change } else { Action::Create };
    let mut step = step(action, Kind::Role, &role.name, now.map(|now| now.id.as_str()));
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
            step.spec = Spec::Members(members.clone());
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
    step.needs = needs(Some(role), now);
    (now.is_none() || !step.changes.is_empty()).then_some(step)
}

/// Refuses a role whose members or policies neither exist nor are in the file. Members of other accounts cannot be
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
                return Err(Error::usage(words).hint(Hint::run("list them", "policies list")));
            }
        }
    }
    Ok(())
}

/// Deletes whatever is on the record, still exists and is not in the file: roles, keys, users and policies.
fn deletes(live: &Live, wanted: &Wanted, owned: &[Owned]) -> Vec<Step> {
    let is_owned = |kind, id: &str| owned.iter().any(|owned| owned.is(kind, id));
    let mut steps = Vec::new();
    for role in &live.roles {
        if is_owned(Kind::Role, &role.id) && wanted.roles.iter().all(|other| other.name != role.name) {
            let needs = needs(None, Some(role));
            steps.push(Step { needs, ..step(Action::Delete, Kind::Role, &role.name, Some(&role.id)) });
        }
    }
    let mut users = Vec::new();
    for user in &live.users {
        let in_file = wanted.users.iter().find(|other| other.login == user.login);
        let goes = in_file.is_none() && is_owned(Kind::User, &user.id);
        for key in &user.keys {
            let named = match in_file {
                // A file that lists no keys leaves them as they are.
                Some(in_file) => in_file.keys.as_ref().is_none_or(|keys| keys.iter().any(|new| new.md5 == key.md5)),
                None => false,
            };
            // The service deletes only users without keys.
            if goes || !named && is_owned(Kind::Key, &key_id(&user.id, &key.md5)) {
                steps.push(key_step(Action::Delete, &user.login, Some(&user.id), key));
            }
        }
        if goes {
            users.push(step(Action::Delete, Kind::User, &user.login, Some(&user.id)));
        }
    }
    steps.extend(users);
    for policy in &live.policies {
        if is_owned(Kind::Policy, &policy.id) && wanted.policies.iter().all(|other| other.name != policy.name) {
            steps.push(step(Action::Delete, Kind::Policy, &policy.name, Some(&policy.id)));
        }
    }
    steps
}

/// Refuses to delete a user or policy that a role needs which stays.
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
