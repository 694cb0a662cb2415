//! `sdc rbac apply`: reads the file and what is, shows the plan, asks, and does it step by step. What has been done
//! when a step fails is told, and goes on the record at once.

use std::collections::HashMap;
use std::fmt::Write;

use clap::ArgMatches;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::file::{self, Wanted};
use super::live::{self, Live, Member};
use super::passwords::Passwords;
use super::plan::{self, Action, Choice, Kind, Owned, Plan, Step, key_id};
use super::record::Record;
use super::rights::{self, Caller};
use super::{print_json, wants_json};
use crate::api::Op;
use crate::api::cloudapi::{policies, roles, user_keys, users};
use crate::cli::terminal::signals::Signals;
use crate::cli::terminal::{prompt, question};
use crate::cli::{App, change};
use crate::client::Client;
use crate::error::{self, Error, Result};
use crate::render::visible;
use crate::request::{Arg, Args};

/// Applies a file and returns the exit code.
///
/// # Errors
/// A usage error before anything is sent; later the failure of the step that failed.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let named = matches.get_one::<String>("file").or_else(|| matches.get_one::<String>("from"));
    let name = named.map(String::as_str).unwrap_or_default();
    let choice = Choice { prune: matches.get_flag("prune"), adopt: matches.get_flag("adopt") };
    let wanted = file::read(name)?;
    if wanted.owner.is_none() && (choice.prune || choice.adopt) {
        let option = if choice.prune { "--prune" } else { "--adopt" };
        return Err(Error::usage(format!("{option} is about what the file has made, and the file names no owner"))
            .hint("add to the file: \"owner\": \"NAME\""));
    }
    let passwords = match matches.get_one::<String>("passwords-file") {
        Some(file) => Passwords::read(file)?,
        None => Passwords::default(),
    };
    wanted.doubts().iter().for_each(|doubt| app.warn(doubt));
    let client = app.client()?;
    let mut record = record(app, &client, &wanted)?;
    let made = record.as_ref().map(|record| record.made.clone()).unwrap_or_default();
    let live = live(&client, &wanted, &made).await?;
    let plan = plan::plan(&live, &wanted, &made, choice)?;
    let only_plan = app.globals.dry_run || matches.get_flag("plan");
    if !wants_json(app) {
        app.streams.out(shown(&plan, client.account()).as_bytes())?;
    }
    notes(app, &plan, &passwords, choice, &made);
    if only_plan || plan.steps.is_empty() {
        if wants_json(app) {
            print_json(app, &as_json(&client, &wanted, &plan, |_| "planned").to_string())?;
        }
        return Ok(0);
    }
    lost(app, &client, &live, &plan).iter().for_each(|words| app.warn(words));
    if !matches.get_flag("yes") {
        let count = plan.steps.len();
        let steps = if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
        let steps = format!("{steps} to the account {}", client.account());
        prompt::confirm(&app.streams, "apply", &steps, &[question::place(app)])?;
    }
    let mut ids: HashMap<String, String> =
        live.users.iter().map(|user| (user.login.clone(), user.id.clone())).collect();
    let mut failure = None;
    let mut done = 0;
    let mut signals = Signals::new(app)?;
    let mut interrupted = false;
    for step in &plan.steps {
        if interrupted {
            failure = Some(Error::new(error::Kind::Interrupted, "interrupted before it was sent"));
            break;
        }
        let outcome = {
            let mut sending = std::pin::pin!(one(&client, step, &mut ids, &passwords));
            loop {
                tokio::select! {
                    outcome = &mut sending => break outcome,
                    // What is on its way is waited for and recorded; the second time it is left.
                    () = signals.next() => {
                        if std::mem::replace(&mut interrupted, true) {
                            let words = "interrupted, and it may have taken effect all the same";
                            break Err(Error::new(error::Kind::Interrupted, words));
                        }
                        app.say("interrupted: what was sent is waited for; once more leaves at once");
                    }
                }
            }
        };
        let recorded = outcome.and_then(|id| {
            let kept = keep(record.as_mut(), step, id);
            kept.map_err(|error| error.about("it was done, but is not on the record of what the file has made"))
        });
        if let Err(error) = recorded {
            failure = Some(error);
            break;
        }
        done += 1;
        app.say(&format!("{}: {}", step.thing(), step.action.done()));
    }
    if wants_json(app) {
        let status = |at: usize| match at.cmp(&done) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "failed",
            std::cmp::Ordering::Greater => "not begun",
        };
        print_json(app, &as_json(&client, &wanted, &plan, status).to_string()).map_err(|error| {
            failure.iter().for_each(|error| app.report(error));
            change::carried_out(error, &titles(plan.steps.get(..done).unwrap_or_default()))
        })?;
    }
    match failure {
        None => Ok(0),
        Some(error) => Err(told(error, &plan.steps, done)),
    }
}

/// What the plan takes away of the caller's own rights.
fn lost(app: &App, client: &Client, live: &Live, plan: &Plan) -> Vec<String> {
    let (Some(user), Some(signer)) = (&app.config.user, client.signer()) else { return Vec::new() };
    let roles = app.config.roles.as_ref().map(|roles| roles.value.as_slice()).unwrap_or_default();
    let caller = Caller { login: &user.value, roles, key: &signer.key().public().md5() };
    rights::lost(&caller, live, plan)
}

/// What steps do, in words.
fn titles(steps: &[Step]) -> String {
    match steps {
        [] => "nothing".to_owned(),
        steps => steps.iter().map(Step::title).collect::<Vec<_>>().join("; "),
    }
}

/// Says of a failure what was done before it and what not.
fn told(error: Error, steps: &[Step], done: usize) -> Error {
    let at = steps.get(done).map(Step::title).unwrap_or_default();
    let rest = steps.get(done + 1..).unwrap_or_default();
    error
        .about(&at)
        .hint(format!("done before it: {}", titles(steps.get(..done).unwrap_or_default())))
        .hint(format!("not begun: {}", titles(rest)))
        .hint("what was done stays; the same command again goes on with what is left")
}

/// The record of the file's owner, if it names one.
fn record(app: &App, client: &Client, wanted: &Wanted) -> Result<Option<Record>> {
    let Some(owner) = &wanted.owner else { return Ok(None) };
    let dir = app.config.dirs.config.as_deref().ok_or_else(|| {
        Error::usage("there is no folder for the record of what the file makes").hint("set HOME or XDG_CONFIG_HOME")
    })?;
    let host = app.config.host().unwrap_or_default();
    Record::read(dir, &host, client.account(), owner).map(Some)
}

/// What is, with the keys that the plan needs.
async fn live(client: &Client, wanted: &Wanted, made: &[Owned]) -> Result<Live> {
    live::read(client, |id, login| {
        let listed = wanted.users.iter().any(|user| user.login == login && user.keys.is_some());
        let of_user = |owned: &Owned| match owned.kind {
            Kind::User => owned.id == id,
            Kind::Key => owned.id.strip_prefix(id).is_some_and(|rest| rest.starts_with('/')),
            Kind::Policy | Kind::Role => false,
        };
        listed || made.iter().any(of_user)
    })
    .await?
    .sure()
}

/// What should be known beside the plan.
fn notes(app: &App, plan: &Plan, passwords: &Passwords, choice: Choice, made: &[Owned]) {
    let new: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.kind == Kind::User && step.action == Action::Create)
        .map(|step| step.name.as_str())
        .collect();
    let without: Vec<&str> = new.iter().copied().filter(|login| !passwords.has(login)).collect();
    if !without.is_empty() {
        app.say(&format!(
            "note: random passwords, which nobody learns, for {}: they sign with their keys; to set one: sdc users \
             change-password LOGIN",
            without.join(", ")
        ));
    }
    let mut unused: Vec<&str> = passwords.logins().filter(|login| !new.contains(login)).collect();
    unused.sort_unstable();
    if !unused.is_empty() {
        app.warn(&format!("passwords are for new users only, and not used for {}", unused.join(", ")));
    }
    if !plan.left.is_empty() {
        app.say(&format!(
            "note: made by this file, in it no longer, and left as it is: {}; to delete it: --prune",
            plan.left.join(", ")
        ));
    }
    if choice.prune && made.is_empty() {
        app.say("note: the record of what this file has made is empty here, so there is nothing to delete");
    }
}

fn shown(plan: &Plan, account: &str) -> String {
    if plan.steps.is_empty() {
        return format!("nothing to do: the account {} is as the file says\n", visible(account));
    }
    let mut out = String::new();
    for step in &plan.steps {
        let _ = writeln!(out, "{} {}", step.action.sign(), visible(&step.title()));
        for change in &step.changes {
            let value = |value: &Value| match value {
                Value::Null => "(none)".to_owned(),
                other => other.to_string(),
            };
            let words = match step.action {
                Action::Create => format!("{}: {}", change.field, value(&change.new)),
                _ => format!("{}: {} -> {}", change.field, value(&change.old), value(&change.new)),
            };
            let _ = writeln!(out, "    {}", visible(&words));
        }
    }
    out
}

fn as_json(client: &Client, wanted: &Wanted, plan: &Plan, status: impl Fn(usize) -> &'static str) -> Value {
    let steps = plan.steps.iter().enumerate().map(|(at, step)| {
        let changes =
            step.changes.iter().map(|change| json!({ "field": change.field, "old": change.old, "new": change.new }));
        json!({
            "action": step.action.word(),
            "kind": step.kind.word(),
            "name": step.name,
            "user": step.user,
            "id": step.id,
            "changes": changes.collect::<Vec<_>>(),
            "status": status(at),
        })
    });
    json!({
        "account": client.account(),
        "owner": wanted.owner,
        "steps": steps.collect::<Vec<_>>(),
        "left": plan.left,
    })
}

/// Does a step, and returns the id of the thing; new users are remembered for their keys.
async fn one(client: &Client, step: &Step, ids: &mut HashMap<String, String>, passwords: &Passwords) -> Result<String> {
    let known = step.id.clone().unwrap_or_default();
    let user = step.user.as_ref().and_then(|login| ids.get(login)).cloned().unwrap_or_default();
    if step.action == Action::Adopt {
        return Ok(known);
    }
    let (op, mut args) = request(step, &known, &user)?;
    if (step.kind, step.action) == (Kind::User, Action::Create) {
        args = args.set("password", passwords.of(&step.name)?.expose_secret());
    }
    let answer = match client.call(op, &args).await {
        // What is gone already need not be deleted.
        Err(error) if step.action == Action::Delete && error.kind() == error::Kind::NotFound => return Ok(known),
        answer => answer?,
    };
    if step.kind == Kind::Key {
        return Ok(key_id(&user, &step.name));
    }
    let made = answer.first().and_then(|row| row.text("/id").map(|id| id.into_owned()));
    let id = if step.action == Action::Create { made.unwrap_or_default() } else { known };
    if id.is_empty() {
        return Err(Error::new(error::Kind::Unreachable, "it was created, but the answer has no id"));
    }
    if step.kind == Kind::User {
        ids.insert(step.name.clone(), id.clone());
    }
    Ok(id)
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
            let key = step.key.clone().unwrap_or_default();
            let args = Args::new().set("user", user).set("key", key.line);
            return Ok((&user_keys::ADD, if key.name.is_empty() { args } else { args.set("name", key.name) }));
        }
    };
    let mut args = if param.is_empty() { Args::new() } else { Args::new().set(param, id) };
    if step.action == Action::Create {
        args = args.set(if step.kind == Kind::User { "login" } else { "name" }, &step.name);
    }
    for change in &step.changes {
        let value = match change.field {
            "members" | "default_members" => continue,
            "policies" => {
                let names: Vec<Value> =
                    super::texts(Some(&change.new)).iter().map(|name| json!({ "name": name })).collect();
                Arg::json(&Value::from(names).to_string())?
            }
            _ => match &change.new {
                Value::String(text) => Arg::Text(text.clone()),
                // The empty text clears a field.
                Value::Null => Arg::Text(String::new()),
                other => Arg::json(&other.to_string())?,
            },
        };
        args.push(change.field, value);
    }
    if let Some(members) = &step.members {
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

/// Puts on the record what has been made, and takes off it what has been deleted.
fn keep(record: Option<&mut Record>, step: &Step, id: String) -> Result<()> {
    let Some(record) = record else { return Ok(()) };
    let thing = Owned { kind: step.kind, id, name: step.name.clone() };
    match step.action {
        Action::Create | Action::Adopt => record.add(thing),
        Action::Delete => record.remove(&thing),
        Action::Change => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(action: Action, kind: Kind) -> Step {
        Step {
            action,
            kind,
            name: "ops".to_owned(),
            id: Some("id".to_owned()),
            user: None,
            changes: Vec::new(),
            members: None,
            key: None,
        }
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
        role.members = Some(vec![Member::typed("jill", true), Member::typed("account:x", false)]);
        role.changes = vec![
            plan::Change { field: "members", old: json!([]), new: json!(["account:x", "jill"]) },
            plan::Change { field: "policies", old: json!([]), new: json!(["may"]) },
        ];
        let (line, sent) = body(&role);
        assert_eq!(line, "POST /acme/roles/id");
        let members = r#"[{"type":"subuser","login":"jill","default":true},{"type":"account","login":"x"}]"#;
        assert_eq!(sent, format!(r#"{{"policies":[{{"name":"may"}}],"members":{members}}}"#));
    }

    #[test]
    fn a_field_that_is_to_be_none_is_sent_as_the_empty_text() {
        let mut user = step(Action::Change, Kind::User);
        user.changes = vec![plan::Change { field: "phone", old: json!("1"), new: Value::Null }];
        assert_eq!(body(&user), ("POST /acme/users/id".to_owned(), r#"{"phone":""}"#.to_owned()));
        let mut key = step(Action::Delete, Kind::Key);
        key.name = "aa:bb".to_owned();
        assert_eq!(body(&key).0, "DELETE /acme/users/user-id/keys/aa%3Abb");
    }

    #[test]
    fn a_failure_says_what_was_done_and_what_was_not_begun() {
        let steps = [Kind::Policy, Kind::User, Kind::Role].map(|kind| step(Action::Create, kind));
        let error = told(Error::new(error::Kind::Refused, "no"), &steps, 1);
        assert_eq!((error.kind(), error.message()), (error::Kind::Refused, "create user ops: no"));
        assert_eq!(error.hints()[..2], ["done before it: create policy ops", "not begun: create role ops"]);
    }
}
