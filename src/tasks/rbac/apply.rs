//! Carries out the steps of a plan, one request each.

use std::collections::{HashMap, HashSet};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::live::{Live, Member};
use super::{Kind, Spec, Step, begun, key_id, texts};
use crate::api::Op;
use crate::api::cloudapi::{policies, roles, user_keys, users};
use crate::client::Client;
use crate::error::{self, Error, Result};
use crate::request::{Arg, Args};
use crate::tasks::plan::{Action, Image, Work};
use crate::tasks::words::brief;

/// Carries out steps one after another, and remembers the ids of new users, which their keys need.
pub struct Worker<'a, P> {
    client: &'a Client,
    /// Ids of users by login.
    ids: HashMap<String, String>,
    /// The ids of all that was there, and has been made: nothing new has one of them.
    taken: HashSet<String>,
    password: P,
}

impl<'a, P: Fn(&str) -> Result<SecretString>> Worker<'a, P> {
    /// `password` is asked for the password of each new user, by login.
    pub fn new(client: &'a Client, live: &Live, password: P) -> Worker<'a, P> {
        let ids = live.users.iter().map(|user| (user.login.clone(), user.id.clone())).collect();
        let users = live.users.iter().map(|user| &user.id);
        let all = users.chain(live.roles.iter().map(|role| &role.id)).chain(live.policies.iter().map(|one| &one.id));
        Worker { client, ids, taken: all.map(|id| id.to_ascii_lowercase()).collect(), password }
    }

    /// The id of the user that a key is a part of; empty for other steps.
    fn user(&self, step: &Step) -> String {
        step.parent.as_ref().and_then(|(_, login)| self.ids.get(login)).cloned().unwrap_or_default()
    }
}

impl<P: Fn(&str) -> Result<SecretString>> Work<Kind, Spec> for Worker<'_, P> {
    /// A key is known by its user and fingerprint.
    fn id(&self, step: &Step) -> Option<String> {
        (step.kind == Kind::Key).then(|| key_id(&self.user(step), &step.name))
    }

    fn image(&self, step: &Step) -> Image {
        begun::image(step)
    }

    /// Deleting a resource that is gone already succeeds, and adopting one sends nothing.
    async fn carry_out(&mut self, step: &Step) -> Result<String> {
        let known = step.id.clone().unwrap_or_default();
        let user = self.user(step);
        if step.action == Action::Adopt {
            return Ok(known);
        }
        let (op, mut args) = request(step, &known, &user)?;
        if (step.kind, step.action) == (Kind::User, Action::Create) {
            args = args.set("password", (self.password)(&step.name)?.expose_secret());
        }
        let answer = match self.client.call(op, &args).await {
            // What is gone already need not be deleted.
            Err(error) if step.action == Action::Delete && error.kind() == error::Kind::NotFound => return Ok(known),
            answer => answer?,
        };
        if step.kind == Kind::Key {
            return Ok(key_id(&user, &step.name));
        }
        // Whose record it is, its name tells where it has one.
        let named = answer.first().and_then(|row| row.text("/login").or_else(|| row.text("/name")));
        if let Some(other) = named.filter(|name| *name != step.name && step.action != Action::Delete) {
            let words = format!("the service answered the record of something else, called {}", brief(&other));
            return Err(Error::new(error::Kind::Unreachable, words).in_doubt());
        }
        let made = answer.first().and_then(|row| row.text("/id").map(|id| id.into_owned()));
        let id = if step.action == Action::Create { made.unwrap_or_default() } else { known };
        if id.is_empty() {
            return Err(Error::new(error::Kind::Unreachable, "it was created, but the answer has no id").in_doubt());
        }
        if step.action == Action::Create && !self.taken.insert(id.to_ascii_lowercase()) {
            let words = format!("the service answered the id of something else, {id}, which was there before");
            return Err(Error::new(error::Kind::Unreachable, words).in_doubt());
        }
        if step.kind == Kind::User {
            self.ids.insert(step.name.clone(), id.clone());
        }
        Ok(id)
    }
}

/// The operation of a step and its arguments.
fn request(step: &Step, id: &str, user: &str) -> Result<(&'static Op, Args)> {
    let (op, param): (&'static Op, &str) = match (step.kind, step.action) {
        (Kind::Policy, Action::Create) => (&policies::CREATE, ""),
        (Kind::Policy, Action::Delete) => (&policies::DELETE, "policy"),
        (Kind::Policy, _) => (&policies::UPDATE, "policy"),
        (Kind::User, Action::Create) => (&users::CREATE, ""),
        (Kind::User, Action::Delete) => (&users::DELETE, "user"),
        (Kind::User, _) => (&users::UPDATE, "user"),
        (Kind::Role, Action::Create) => (&roles::CREATE, ""),
        (Kind::Role, Action::Delete) => (&roles::DELETE, "role"),
        (Kind::Role, _) => (&roles::UPDATE, "role"),
        (Kind::Key, Action::Delete) => {
            return Ok((&user_keys::DELETE, Args::new().set("user", user).set("userkey", &step.name)));
        }
        (Kind::Key, _) => {
            let Spec::Key(key) = step.spec.clone() else { return Err(Error::other("the step has no key")) };
            let args = Args::new().set("user", user).set("key", key.line);
            return Ok((&user_keys::ADD, if key.name.is_empty() { args } else { args.set("name", key.name) }));
        }
    };
    let mut args = if param.is_empty() { Args::new() } else { Args::new().set(param, id) };
    if step.action == Action::Create {
        args = args.set(if step.kind == Kind::User { "login" } else { "name" }, &step.name);
    }
    for change in &step.changes {
        let value = match change.field.as_str() {
            "members" | "default_members" => continue,
            "policies" => {
                let names: Vec<Value> = texts(Some(&change.new)).iter().map(|name| json!({ "name": name })).collect();
                Arg::json(&Value::from(names).to_string())?
            }
            _ => match &change.new {
                Value::String(text) => Arg::Text(text.clone()),
                // The empty text clears a field.
                Value::Null => Arg::Text(String::new()),
                other => Arg::json(&other.to_string())?,
            },
        };
        args.push(&change.field, value);
    }
    if let Spec::Members(members) = &step.spec {
        let members: Vec<Value> = members.iter().map(member).collect();
        args.push("members", Arg::json(&Value::from(members).to_string())?);
    }
    Ok((op, args))
}

fn member(member: &Member) -> Value {
    let mut object = json!({ "type": if member.account { "account" } else { "subuser" }, "login": member.login });
    if let (true, Some(fields)) = (member.default, object.as_object_mut()) {
        fields.insert("default".to_owned(), true.into());
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::plan::Change;

    fn step(action: Action, kind: Kind) -> Step {
        Step::new(action, kind, "ops", Some("id"), Spec::None)
    }

    fn body(step: &Step) -> (String, String) {
        let (op, args) = request(step, "id", "user-id").unwrap();
        let request = crate::request::Request::new(op, &args, "acme").unwrap();
        let body = request.body.map(|(_, body)| String::from_utf8(body).unwrap()).unwrap_or_default();
        (format!("{} {}", request.method, request.path), body)
    }

    #[test]
    fn a_role_is_sent_in_the_form_of_version_9() {
        let mut role = step(Action::Change, Kind::Role);
        role.spec = Spec::Members(vec![Member::typed("jill", true), Member::typed("account:x", false)]);
        role.changes = vec![
            Change::new("members", json!([]), json!(["account:x", "jill"])),
            Change::new("policies", json!([]), json!(["may"])),
        ];
        let (line, sent) = body(&role);
        assert_eq!(line, "POST /acme/roles/id");
        let members = r#"[{"type":"subuser","login":"jill","default":true},{"type":"account","login":"x"}]"#;
        assert_eq!(sent, format!(r#"{{"policies":[{{"name":"may"}}],"members":{members}}}"#));
    }

    #[test]
    fn a_field_that_is_to_be_none_is_sent_as_the_empty_text() {
        let mut user = step(Action::Change, Kind::User);
        user.changes = vec![Change::new("phone", json!("1"), Value::Null)];
        assert_eq!(body(&user), ("POST /acme/users/id".to_owned(), r#"{"phone":""}"#.to_owned()));
        let mut key = step(Action::Delete, Kind::Key);
        key.name = "aa:bb".to_owned();
        assert_eq!(body(&key).0, "DELETE /acme/users/user-id/keys/aa%3Abb");
    }
}
