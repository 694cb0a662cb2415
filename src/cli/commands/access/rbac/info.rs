//! `sdc rbac info` and `export`: what is, as a tree for people, as JSON, and as the file that apply reads.

use std::fmt::Write;

use clap::ArgMatches;
use serde_json::{Value, json};

use super::{print_json, wants_json};
use crate::answer::Answer;
use crate::cli::app::App;
use crate::error::Result;
use crate::render::visible;
use crate::tasks::rbac;
use crate::tasks::rbac::live::{self, AccessKey, Live, Member};

/// Shows them and returns the exit code.
///
/// # Errors
/// Something could not be read.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let client = app.client()?;
    let with_keys = matches.get_flag("all");
    if wants_json(app) {
        let lists = live::lists(&client).await?;
        warn(app, &lists.unsure);
        let mut text = format!(
            "{{\"users\":{},\"roles\":{},\"policies\":{}",
            lists.users.json(),
            lists.roles.json(),
            lists.policies.json()
        );
        if with_keys {
            let users: Vec<(String, String)> =
                lists.live()?.users.into_iter().map(|user| (user.id, user.login)).collect();
            let keys = live::keys(&client, &users).await?;
            let access = live::access_keys(&client, &users).await?;
            let _ = write!(text, ",\"keys\":{},\"accesskeys\":{}", by_login(&keys), without_secrets(&access));
        }
        text.push('}');
        print_json(app, &text)?;
        return Ok(0);
    }
    let live = live::read(&client, |_, _| with_keys).await?;
    warn(app, &live.unsure);
    let access = match with_keys {
        true => {
            let users: Vec<_> = live.users.iter().map(|user| (user.id.clone(), user.login.clone())).collect();
            Some(live::access_keys(&client, &users).await?)
        }
        false => None,
    };
    app.streams.out(tree(&live, access.as_deref()).as_bytes())?;
    Ok(0)
}

/// Says which default members may be wrong.
fn warn(app: &App, unsure: &[String]) {
    if !unsure.is_empty() {
        app.warn(&format!(
            "the default members of {} are those of the list, which shows too many: the right getrole is missing",
            unsure.join(", ")
        ));
    }
}

/// The keys as the service wrote them, below the logins of their users.
fn by_login(keys: &[(String, Answer)]) -> String {
    let all: Vec<String> =
        keys.iter().map(|(login, answer)| format!("{}:{}", Value::from(login.as_str()), answer.json())).collect();
    format!("{{{}}}", all.join(","))
}

/// The login of a user, and its access keys if they can be seen.
type OfLogin = (String, Option<Vec<AccessKey>>);

/// The access keys by the logins of their users; null where they cannot be seen.
fn without_secrets(access: &[OfLogin]) -> Value {
    let one = |key: &AccessKey| json!({ "accesskeyid": key.id, "status": key.status, "created": key.created });
    let all = |keys: &Option<Vec<AccessKey>>| keys.as_ref().map(|keys| keys.iter().map(one).collect::<Value>());
    Value::Object(access.iter().map(|(login, keys)| (login.clone(), json!(all(keys)))).collect())
}

/// All of it, with keys if the access keys are given, each with the login of its user.
fn tree(live: &Live, access: Option<&[OfLogin]>) -> String {
    let mut out = String::new();
    let mut line = |depth: usize, words: &str| {
        let _ = writeln!(out, "{}{}", "  ".repeat(depth), visible(words));
    };
    line(0, &format!("users ({})", live.users.len()));
    for user in &live.users {
        let email = user.object.get("email").and_then(Value::as_str).unwrap_or_default();
        let roles: Vec<String> = live
            .roles
            .iter()
            .filter_map(|role| {
                let member = role.members.iter().find(|member| !member.account && member.login == user.login)?;
                Some(format!("{}{}", role.name, by_default(member)))
            })
            .collect();
        let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
        line(1, &format!("{} <{email}>: {roles}", user.login));
        if let Some(access) = access {
            for key in &user.keys {
                line(2, &format!("key {} {}", key.md5, key.name));
            }
            let keys = access.iter().find(|(login, _)| *login == user.login).and_then(|(_, keys)| keys.as_ref());
            for key in keys.into_iter().flatten() {
                line(2, format!("access key {} {}", key.id, key.status).trim_end());
            }
            match keys {
                None => {
                    line(2, "access keys not known: the service has none, or the right listuseraccesskeys is missing")
                }
                Some(keys) if keys.is_empty() && user.keys.is_empty() => line(2, "no key"),
                Some(_) => {}
            }
        }
    }
    line(0, &format!("roles ({})", live.roles.len()));
    for role in &live.roles {
        line(1, &role.name);
        let members: Vec<String> =
            role.members.iter().map(|member| format!("{}{}", member.name(), by_default(member))).collect();
        line(2, &format!("members: {}", or_none(&members)));
        line(2, &format!("policies: {}", or_none(&role.policies)));
    }
    line(0, &format!("policies ({})", live.policies.len()));
    for policy in &live.policies {
        let description = if policy.description.is_empty() { "" } else { &format!(": {}", policy.description) };
        line(1, &format!("{}{description}", policy.name));
        for rule in &policy.rules {
            line(2, rule);
        }
    }
    out
}

fn by_default(member: &Member) -> &'static str {
    if member.default { " (default)" } else { "" }
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Writes the file and returns the exit code.
///
/// # Errors
/// Something could not be read.
pub async fn export(app: &App, matches: &ArgMatches) -> Result<i32> {
    let client = app.client()?;
    let live = live::read(&client, |_, _| true).await?.sure()?;
    let text = rbac::export(&live, matches.get_one::<String>("owner").map(String::as_str)).to_string();
    // A file is read by people too, wherever it goes.
    match app.globals.jq {
        Some(_) => print_json(app, &text)?,
        None => {
            let text = crate::render::json::indented(&text);
            let text = if app.streams.stdout_tty { crate::render::visible_json(&text).into_owned() } else { text };
            app.streams.out(format!("{}\n", text.trim_end()).as_bytes())?;
        }
    }
    Ok(0)
}
