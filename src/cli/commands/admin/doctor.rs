//! `sdc admin doctor`: what is found of the internal services, how, what does not answer, and what to do.

use std::future::Future;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use serde_json::json;
use tokio::time::Instant;

use crate::admin::directory::{Line, Row};
use crate::admin::ping::State;
use crate::admin::{Directory, Instance};
use crate::answer::Answer;
use crate::api::admin::{CNAPI, SAPI, VMAPI};
use crate::api::{Column, Service, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::config;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::render;

/// `sdc admin doctor`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin doctor",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "admin doctor\nadmin doctor --timeout 10s --json",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] =
    &[column("status").stays(), column("check").stays(), column("message"), column("fix").roomy()];

fn command() -> Command {
    Command::new("doctor")
        .about("Check how the internal services are found, and whether they answer")
        .before_long_help(
            "Checks the address of SAPI and where it comes from, how each service is found, and every instance. Each \
             line is ok, note, warn or fail, with what to do; a note is no fault. The exit code is 1 if a line is warn \
             or fail. What has not answered when --timeout is over fails.",
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .default_value("60s")
                .help("Time limit for all checks together"),
        )
        .args(list_options())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let mut view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    let limit = config::duration("--timeout", matches.get_one::<String>("timeout").map_or("60s", String::as_str))?;
    let mut found = Findings::default();
    match app.directory() {
        Ok(directory) => Box::pin(examine(&directory, limit, &mut found)).await,
        Err(error) => found.fail("settings", &error),
    }
    let rows: Vec<String> = found.rows.iter().map(ToString::to_string).collect();
    view.known = COLUMNS;
    app.show(&Answer::from_rows(format!("[{}]", rows.join(",")).as_bytes())?, Shape::Rows, &view, jq.as_ref())?;
    if view.format == render::Format::Table {
        for row in found.rows.iter().filter(|row| row["fix"] != "") {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            app.say(&format!("fix: {}: {}", text("check"), text("fix")));
        }
    }
    Ok(i32::from(found.bad))
}

#[derive(Default)]
struct Findings {
    rows: Vec<serde_json::Value>,
    /// A line is neither ok nor a note.
    bad: bool,
}

impl Findings {
    fn add(&mut self, status: &str, check: &str, message: &str, fix: &str) {
        self.bad |= matches!(status, "warn" | "fail");
        let (message, fix) = (render::safe(message), render::safe(fix));
        self.rows.push(json!({ "status": status, "check": check, "message": message, "fix": fix }));
    }

    fn fail(&mut self, check: &str, error: &Error) {
        let words: Vec<String> = [error.message().to_owned()].into_iter().chain(error.causes()).collect();
        // Not to come here once more.
        let hints = error.hints().iter().map(exit::said).filter(|hint| !hint.ends_with(COMMAND.path));
        let fix: Vec<String> = hints.collect();
        self.add("fail", check, &words.join(": "), &fix.join("; "));
    }
}

async fn examine(directory: &Directory<'_>, limit: Duration, found: &mut Findings) {
    let end = Instant::now() + limit;
    match directory.given().place(&SAPI) {
        Ok(Some(place)) => found.add("ok", "address", &format!("SAPI is at {} ({})", place.url, place.how), ""),
        Ok(None) => {
            found.add("note", "address", "of SAPI it is not given, so only services that are given are known", "")
        }
        Err(error) => found.fail("address", &error),
    }
    directory.forget();
    let (rows, lines) = tokio::join!(within(end, limit, directory.rows()), within(end, limit, directory.health()));
    match &rows {
        Ok(rows) => rows.iter().for_each(|row| service(row, found)),
        Err(error) => found.fail("discovery", error),
    }
    match lines {
        Ok((lines, notes)) => {
            // Discovery has told of them already.
            let notes = notes.iter().filter(|_| rows.is_err());
            notes.for_each(|note| found.add("note", "instances", note, ""));
            let well = |line: &&Line| line.health.state != State::Down;
            let answers = |service: &Service| lines.iter().filter(well).any(|line| line.service == service.name);
            lines.iter().for_each(|line| instance(line, &answers, found));
        }
        // It is the same one where discovery has failed.
        Err(error) if rows.is_ok() => found.fail("instances", &error),
        Err(_) => {}
    }
}

async fn within<T>(end: Instant, limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout_at(end, work).await.unwrap_or_else(|_| {
        let words = format!("not done after {limit:?}: a service takes connections and does not answer");
        Err(Error::new(Kind::TimedOut, words).hint("more time: --timeout TIME"))
    })
}

/// How a service is found.
fn service(row: &Row, found: &mut Findings) {
    let name = row.service.name.to_ascii_lowercase();
    let notes = row.notes.join("; ");
    match (&row.place, row.answers, row.installed) {
        (Some(place), true, _) => {
            found.add("ok", &name, &format!("answers at {} ({})", place.url, place.how), "");
            row.notes.iter().for_each(|note| found.add("note", &name, note, ""));
        }
        (Some(place), false, _) => {
            let fix = format!("the address comes from {}: another one with --service {name}=HOST[:PORT]", place.how);
            found.add("fail", &name, &format!("does not answer at {}: {notes}", place.url), &fix);
        }
        (None, _, true) => {
            let fix =
                format!("is its zone up, and this machine on the admin network? else --service {name}=HOST[:PORT]");
            found.add("fail", &name, &format!("is installed, and answers nowhere: {notes}"), &fix);
        }
        (None, _, false) => found.add("note", &name, "has no instance in SAPI", ""),
    }
}

/// How an instance is. `answers` says which services do.
fn instance(line: &Line, answers: &dyn Fn(&Service) -> bool, found: &mut Findings) {
    let (service, health) = (line.service.to_ascii_lowercase(), &line.health);
    let check = if line.instance.is_empty() { &service } else { &line.instance };
    let status = match health.state {
        State::Up => return found.add("ok", check, "up", ""),
        State::Degraded => "warn",
        State::Down => "fail",
    };
    let fix = line.of.as_ref().map_or(String::new(), |one| fix(one, answers));
    found.add(status, check, &format!("{}: {}", health.state.word(), health.why), &fix);
}

/// What can be looked at where an instance is not well: by what answers, and by its id, which an alias need not be.
fn fix(one: &Instance, answers: &dyn Fn(&Service) -> bool) -> String {
    let vm = || Hint::run("its zone", CommandLine::new("admin vms get").on(&one.uuid));
    let record = || Hint::run("its record in SAPI", CommandLine::new("admin instances get").on(&one.uuid));
    let there = !one.is_gone();
    exit::said(&match &one.server {
        Some(server) if one.is_unheard() && answers(&CNAPI) => {
            Hint::run("its server, which is not heard from", CommandLine::new("admin servers get").on(server))
        }
        Some(server) if one.is_unheard() => Hint::from(format!("is its server {server} up?")),
        _ if one.is_unheard() => Hint::from("is its server up?"),
        _ if one.recorded && answers(&VMAPI) && there => vm().then("; in it: svcs -x"),
        _ if one.recorded && answers(&VMAPI) => vm(),
        _ if answers(&SAPI) && there => record().then("; in its zone: svcs -x"),
        _ if answers(&SAPI) => record(),
        _ => Hint::from("in its zone: svcs -x"),
    })
}
