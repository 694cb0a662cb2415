//! `sdc machines why`: what is known of why a machine failed, or why nothing came of what was asked for. It only
//! asks and tells: it guesses nothing that no answer says, and changes nothing.

use std::fmt::Write;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::error::{CommandLine, Error, Hint, Kind, Result, Target};
use crate::render;
use crate::tasks::diagnosis::{Facts, Verdict, diagnose, image, limits, unread};
use crate::tasks::{explain, resolve};

/// `sdc machines why`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines why",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", explain::READS)],
    examples: "machines why broken\nmachines why broken --json",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] = &[
    column("id"),
    column("name"),
    column("state"),
    column("reason"),
    column("failed").nested(),
    column("limits").named(),
    column("image").nested(),
    column("package").nested(),
    column("request_id").named(),
    column("try").named(),
    column("unread").named(),
];

/// The command and its options.
pub fn command() -> Command {
    Command::new("why")
        .about("Explain why a machine failed, or why an action had no effect")
        .before_long_help(
            "Shows the newest failure in the machine's audit log, the account's limits and how much of them is \
             used, whether its image and its package can still be used, and what to try. Failed and deleted \
             machines are found by their names too.\n\n\
             The service keeps no reasons, only that something failed: where nothing else explains it, that is \
             said. What could not be read is named, and the rest is shown all the same. As data, with all of it: \
             --json.",
        )
        .arg(
            Arg::new("machine")
                .value_name("MACHINE")
                .required(true)
                .value_parser(clap::builder::NonEmptyStringValueParser::new())
                .help("Machine: id, short id or name"),
        )
}

/// Tells it and returns the exit code.
///
/// # Errors
/// No such machine, or the service answered nothing that helps.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    // A wrong format or column is refused before anything is asked.
    let view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    let typed = matches.get_one::<String>("machine").map(String::as_str).unwrap_or_default();
    let client = app.client()?;
    let id = explain::find(&client, typed).await?;
    let facts = explain::gather(&client, &id, None).await;
    let unread = |error: Error| {
        error.about(&format!("machine {typed}")).on(Target {
            noun: "machine",
            id: Some(id.clone()),
            name: typed.to_owned(),
        })
    };
    let nothing_else = facts.audit.is_err();
    if facts.machine.as_ref().is_err_and(|error| nothing_else || matches!(error.kind(), Kind::NotFound | Kind::Auth)) {
        return Err(unread(facts.machine.err().unwrap_or_else(explain::nothing)));
    }
    let told = diagnose(&facts, None);
    if app.globals.output.is_some() || jq.is_some() {
        let answer = Answer::from_record(data((&id, typed), &facts, &told).to_string().as_bytes())?;
        app.show(&answer, Shape::Record, &view, jq.as_ref())?;
    } else {
        app.streams.out(words((&id, typed), &facts, &told).as_bytes())?;
    }
    // What its log tells is told, and yet the machine itself is what was asked about.
    match facts.machine {
        Ok(_) => Ok(0),
        Err(error) => Err(unread(error)),
    }
}

/// As data.
fn data((id, typed): (&str, &str), facts: &Facts, told: &Verdict) -> Value {
    let machine = facts.machine.as_ref().ok();
    let name = machine.map(|machine| machine.name.as_str()).or(Some(typed).filter(|typed| !resolve::is_uuid(typed)));
    let image = image(facts)
        .map(|((id, name, what), usable)| json!({ "id": id, "name": name, "words": what, "usable": usable }));
    let package = facts.package.as_ref().and_then(|package| match package {
        Ok(package) => Some(json!({ "id": package.id, "name": package.name, "usable": true })),
        Err(error) if error.kind() == Kind::NotFound => {
            Some(json!({ "id": null, "name": machine.map(|machine| &machine.package), "usable": false }))
        }
        Err(_) => None,
    });
    let unread: Vec<Value> =
        unread(facts).into_iter().map(|(what, error)| json!({ "what": what, "error": error })).collect();
    json!({
        "id": id,
        "name": name,
        "state": machine.map(|machine| &machine.state),
        "reason": told.reason,
        "explained": told.explained,
        "failed": told.failed.as_ref().map(|entry| &entry.all),
        "limits": facts.limits.is_ok().then(|| limits(facts).map(|limit| limit.data).collect::<Vec<_>>()),
        "image": image,
        "package": package,
        // No answer of the service's has it, and a script need not ask whether it is missing by mistake.
        "request_id": null,
        "try": told.tries.iter().map(exit::said).collect::<Vec<_>>(),
        "unread": unread,
    })
}

/// For people: a line or more for each thing.
fn words((id, typed): (&str, &str), facts: &Facts, told: &Verdict) -> String {
    let mut out = String::new();
    let mut line = |what: &str, words: &str| {
        let _ = writeln!(out, "{what:<9} {}", render::escaped(words));
    };
    match &facts.machine {
        Ok(machine) => line("machine", &format!("{} ({id}) is {}", machine.name, machine.state)),
        Err(_) if typed.eq_ignore_ascii_case(id) => line("machine", &format!("{id} could not be read")),
        Err(_) => line("machine", &format!("{typed} ({id}) could not be read")),
    }
    line("reason", &told.reason);
    match (&facts.audit, &told.failed) {
        (Ok(_), Some(entry)) => {
            let time = entry.time.as_ref().map(|time| format!(" at {time}")).unwrap_or_default();
            line("audit", &format!("{} failed{time}{}", entry.action, entry.by));
            line("", "without a request id: a wait that fails tells it, and --debug shows it");
        }
        (Ok(entries), None) => {
            let newest = entries.first().map(|entry| {
                let time = entry.time.as_ref().map(|time| format!(" at {time}")).unwrap_or_default();
                let by = if told.reason.contains(&entry.by) { "" } else { &entry.by };
                format!("; the newest is {}{time}{by}", entry.action)
            });
            line("audit", &format!("no failed entry among {}{}", entries.len(), newest.unwrap_or_default()));
            if facts.machine.as_ref().is_ok_and(|machine| machine.state != "deleted") {
                line("", "an action that is not among them may be under way, or was lost");
            }
        }
        (Err(_), _) => {}
    }
    if facts.limits.is_ok() {
        let mut what = "limits";
        for limit in limits(facts).filter(|limit| limit.applies) {
            line(what, &format!("{}{}", limit.words, if limit.reached { ": reached" } else { "" }));
            what = "";
        }
        if what == "limits" {
            line(what, "none that counts this machine");
        }
    }
    if let Some(((_, name, what), _)) = image(facts) {
        line("image", &format!("{name} {what}"));
    }
    match (&facts.machine, &facts.package) {
        (_, Some(Ok(package))) => line("package", &format!("{} is there", package.name)),
        (Ok(machine), Some(Err(error))) if error.kind() == Kind::NotFound => {
            line("package", &format!("{} is not there, or not active any more", machine.package));
        }
        _ => {}
    }
    if let Ok(machine) = &facts.machine {
        if machine.protected {
            line("protected", "deletion protection is on: the service refuses to delete it");
        }
        if machine.firewall {
            let rules = CommandLine::new("machines fwrules list").on(id);
            line("firewall", &exit::said(&Hint::run("is on; what it lets in", rules)));
        }
    }
    for (what, error) in unread(facts) {
        line("unread", &format!("{what}: {error}"));
    }
    let mut what = "try";
    for way in &told.tries {
        line(what, &exit::said(way));
        what = "";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
