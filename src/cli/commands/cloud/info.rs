//! `sdc info`: the account at a glance.

use std::fmt::Write;

use clap::{ArgMatches, Command};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::render;
use crate::tasks::overview::{self, Overview, Usage};

/// `sdc info`.
pub(crate) static COMMAND: Custom = Custom {
    path: "info",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", overview::READS)],
    examples: "info\ninfo --jq '.machines.running'",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] = &[
    column("login"),
    column("user"),
    column("act_as").named(),
    column("id").named(),
    column("name"),
    column("email"),
    column("url"),
    column("datacenter"),
    column("server"),
    column("machines").nested(),
    column("memory").nested(),
    column("disk").nested(),
    column("limits").named(),
    column("key").nested(),
    column("clock").nested(),
    column("unread").named(),
];

pub fn command() -> Command {
    Command::new("info").about("Show account, machines, limits, key and clock at a glance").before_long_help(
        "Memory and disk are those that the account's limits count, or those of all machines where it has no such \
         limit; in JSON they are in MiB, and the clock is the seconds that this machine is ahead. What a sub-user \
         may not read is named, and the rest is shown all the same. A part that cannot be read for another reason \
         sets the exit code.",
    )
}

pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let client = app.client()?;
    let seen = overview::gather(&client).await?;
    if app.globals.output.is_some() || jq.is_some() {
        let answer = Answer::from_record(data(app, &client, &seen)?.to_string().as_bytes())?;
        app.show(&answer, Shape::Record, &view, jq.as_ref())?;
    } else {
        app.streams.out(words(app, &client, &seen)?.as_bytes())?;
    }
    Ok(seen.gravest().map_or(0, |kind| i32::from(exit::code(kind).0)))
}

/// Who asks, as it was said: the service tells no sub-user's login.
pub(super) fn who(app: &App) -> Result<Value> {
    let text = |setting: &Option<crate::config::Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let config = &app.config;
    Ok(json!({
        "login": config.account()?,
        "user": text(&config.user),
        "act_as": text(&config.act_as),
        "url": config.url()?,
    }))
}

/// The key that signs, and where it is from.
pub(super) fn key(app: &App, client: &Client) -> Value {
    let public = client.signer().map(|signer| signer.key().public());
    json!({
        "fingerprint": public.map(|key| key.md5()),
        "sha256": public.map(|key| key.sha256()),
        "type": public.map(|key| key.kind().to_string()),
        "from": app.key_origin(),
    })
}

/// As data. The fields are always there.
fn data(app: &App, client: &Client, seen: &Overview) -> Result<Value> {
    let account = seen.account.as_ref().ok();
    let place = seen.place.as_ref().ok();
    let usage = |usage: &Usage| json!({ "of": usage.of, "used": number(usage.used), "limit": usage.limit.map(number) });
    let part =
        |part: Option<Usage>| part.map(|part| json!({ "used": number(part.used), "limit": part.limit.map(number) }));
    let machines = seen.machines.as_ref().ok().map(|machines| {
        let mut states = serde_json::Map::new();
        states.insert("total".to_owned(), machines.total().into());
        // A script need not ask whether one of these is missing.
        for state in ["running", "stopped"] {
            states.insert(state.to_owned(), 0.into());
        }
        states.extend(machines.states.iter().map(|(state, count)| (state.clone(), (*count).into())));
        states
    });
    let mut all = who(app)?;
    let more = json!({
        "id": account.map(|account| &account.id),
        "name": account.map(|account| &account.name),
        "email": account.map(|account| &account.email),
        "datacenter": place.and_then(|place| place.datacenter.as_ref()),
        "server": place.and_then(|place| place.server.as_ref()),
        "machines": machines,
        "memory": part(seen.memory()),
        "disk": part(seen.disk()),
        "limits": seen.limits.as_ref().ok().map(|_| seen.others().map(usage).collect::<Vec<_>>()),
        "key": key(app, client),
        "clock": { "skew": place.and_then(|place| place.skew) },
        "unread": seen.unread().iter().map(|(what, error)| json!({ "what": what, "error": error.to_string() }))
            .collect::<Vec<_>>(),
    });
    if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
        all.extend(more);
    }
    Ok(all)
}

/// Whole where it is.
fn number(amount: f64) -> Value {
    if amount.fract() == 0.0 && (0.0..9e15).contains(&amount) { json!(amount as u64) } else { json!(amount) }
}

/// For people: a line for each thing.
fn words(app: &App, client: &Client, seen: &Overview) -> Result<String> {
    let mut out = String::new();
    let mut line = |what: &str, words: &str| {
        let _ = writeln!(out, "{what:<9} {}", render::escaped(words));
    };
    let config = &app.config;
    let login = config.account()?;
    line(
        "account",
        &match &seen.account {
            Ok(account) => {
                let email = Some(&account.email).filter(|email| !email.is_empty()).map(|email| format!("<{email}>"));
                let named = Some(&account.name).filter(|name| !name.is_empty()).cloned();
                let parts: Vec<String> = [named, email].into_iter().flatten().collect();
                format!("{}, {}", account.login, parts.join(" ")).trim_end_matches(", ").to_owned()
            }
            Err(error) => format!("{login} ({})", denied(error)),
        },
    );
    if let Some(user) = &config.user {
        line("user", &user.value);
    }
    if let Some(other) = &config.act_as {
        line("act as", &format!("{}, with the key of {login}", other.value));
    }
    if let Some(roles) = &config.roles {
        line("roles", &roles.value.join(", "));
    }
    line("url", config.url()?);
    match &seen.place {
        Ok(place) => {
            if let Some(name) = &place.datacenter {
                line("cloud", name);
            }
            line("server", place.server.as_deref().unwrap_or("-"));
        }
        Err(error) => line("server", &denied(error)),
    }
    match &seen.machines {
        Ok(machines) => {
            let states: Vec<String> = machines.states.iter().map(|(state, count)| format!("{count} {state}")).collect();
            let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
            line("machines", &format!("{}{states}", machines.total()));
        }
        Err(error) => line("machines", &denied(error)),
    }
    let bars = app.streams.stdout_tty;
    for part in [seen.memory(), seen.disk()].into_iter().flatten() {
        let no_limit = part.limit.is_none() && seen.limits.is_ok();
        line(&part.of, &format!("{}{}", amount(&part, bars), if no_limit { ", no limit" } else { "" }));
    }
    match &seen.limits {
        Ok(_) => seen.others().for_each(|limit| line("limit", &format!("{}: {}", limit.of, amount(limit, bars)))),
        Err(error) => line("limits", &denied(error)),
    }
    let key = key(app, client);
    let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
    line("key", &format!("{} {} from {}", text("type"), text("fingerprint"), text("from")));
    if let Some(skew) = seen.place.as_ref().ok().and_then(|place| place.skew) {
        line(
            "clock",
            &match skew {
                0 => "the same as the service's".to_owned(),
                _ => format!("{} s {} the service's", skew.abs(), if skew > 0 { "ahead of" } else { "behind" }),
            },
        );
    }
    Ok(out)
}

/// Why a part is missing, in a line. The service names the right that is.
fn denied(error: &Error) -> String {
    let message = error.to_string();
    let message = message.lines().next().unwrap_or_default();
    let right = message.rsplit_once('(').and_then(|(_, right)| right.strip_suffix(')'));
    match (error.fault().map(|fault| fault.status), right) {
        (Some(403), Some(right)) => format!("not readable without the right {right}"),
        _ => format!("not known: {message}"),
    }
}

/// How much of a limit is used: in round units and with a bar for people, in MiB for what reads a pipe.
fn amount(usage: &Usage, bar: bool) -> String {
    let sized = matches!(usage.of.split(' ').next(), Some("memory" | "disk"));
    let shown = |amount: f64| match (sized, bar) {
        (true, true) => render::mebibytes(&format!("{amount:.0}")).unwrap_or_default(),
        _ => number(amount).to_string(),
    };
    let unit = if sized && !bar { " MiB" } else { "" };
    match usage.limit {
        None => format!("{}{unit}", shown(usage.used)),
        Some(0.0) => format!("{}{unit}, nothing allowed", shown(usage.used)),
        Some(limit) => {
            let words = format!("{} of {}{unit}", shown(usage.used), shown(limit));
            if bar { format!("{}  {words}", render::bar(usage.used, limit)) } else { words }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_numbers_and_a_terminal_bars() {
        let usage = |of: &str, used: f64, limit: Option<f64>| Usage { of: of.to_owned(), used, limit };
        let memory = usage("memory", 23_552.0, Some(524_288.0));
        assert_eq!(amount(&memory, false), "23552 of 524288 MiB");
        assert_eq!(amount(&memory, true), "---------- 4%  23G of 512G");
        assert_eq!(amount(&usage("disk", 1536.0, None), true), "1.5G");
        assert_eq!(amount(&usage("machines of brand kvm", 0.0, Some(0.0)), true), "0, nothing allowed");
        assert_eq!(amount(&usage("machines", 50.0, Some(100.0)), true), "#####----- 50%  50 of 100");
        assert_eq!(amount(&usage("disk", 0.5, Some(10.0)), false), "0.5 of 10 MiB");
    }
}
