//! `sdc machines migrate watch MACHINE`: the progress of a migration, to its end. The stream tells
//! only what happens while it is open and may be silent for long, so the record is asked before it,
//! after it, and whenever it is too quiet.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use serde_json::value::RawValue;

use crate::answer::Row;
use crate::api::cloudapi::machines;
use crate::api::cloudapi::migrations;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::client::{Client, Lines, backoff};
use crate::config;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::render::{self, visible, visible_json};
use crate::request::{Request, segment};
use crate::tasks::resolve;

/// `sdc machines migrate watch`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines migrate watch",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&migrations::WATCH])],
    examples: "machines migrate watch web1\n\
         machines migrate watch web1 --timeout 4h",
    previews: false,
    settings: Settings::Needed,
};

/// A stream that is silent for so long may be dead: the record tells.
const MAX_SILENCE: Duration = Duration::from_secs(60);
/// The first pause after a stream that ended before the migration did.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// So many lines are remembered, not to be told twice.
const REMEMBERED: usize = 100_000;

pub fn command() -> Command {
    Command::new("watch")
        .about("Follow the progress of a migration to its end")
        .before_long_help(
            "Shows what has happened so far, and then each step.\n\n\
             Exit codes: 0 when it ended well or is paused, 3 when there is no migration, 8 when it failed, 9 \
             when --timeout is over.",
        )
        .args([
            Arg::new("machine").value_name("MACHINE").required(true).help("Machine: id, short id or name"),
            Arg::new("timeout").long("timeout").value_name("TIME").default_value("1h").help("Time limit"),
        ])
}

/// Watches a migration to its end.
///
/// # Errors
/// [`Kind::NotFound`] without a migration, [`Kind::FailedState`] when it failed, [`Kind::TimedOut`] when
/// it took too long.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let typed = matches.get_one::<String>("machine").map(String::as_str).unwrap_or_default();
    let patience = config::duration("--timeout", matches.get_one::<String>("timeout").map_or("1h", String::as_str))?;
    if let Some(output) = app.globals.output.as_deref().filter(|output| !matches!(*output, "json" | "jsonl")) {
        return Err(Error::usage(format!("progress is told as it comes, so --output {output} has no meaning here"))
            .hint("--json, or --jq EXPR"));
    }
    let jq = app.program()?;
    let client = app.client()?;
    let mut signals = Signals::new(&app.heard)?;
    let work = async {
        let id = resolve::id(&client, &machines::MACHINE, typed).await?;
        let (get, watch) = requests(&client, &id)?;
        let mut watching = Watching {
            app,
            client: &client,
            typed,
            get,
            watch,
            jq,
            told: HashSet::new(),
            hasher: RandomState::new(),
            automatic: false,
            phase: None,
        };
        watching.run().await
    };
    tokio::select! {
        ended = tokio::time::timeout(patience, work) => match ended {
            Ok(ended) => ended.map(|()| 0),
            Err(_) => Err(Error::new(
                Kind::TimedOut,
                format!("the migration of machine {typed} has not ended after {patience:?}: gave up watching, it goes on"),
            )
            .hint("to watch longer: --timeout TIME")),
        },
        _ = signals.next() => Ok(130),
    }
}

/// Those for the record, and for the stream.
fn requests(client: &Client, id: &str) -> Result<(Request, Request)> {
    let (account, id) = (segment("account", client.account())?, segment("machine", id)?);
    let mut get = Request::raw("GET", &format!("/{account}/migrations/{id}"))?;
    let mut watch = Request::raw("POST", &format!("/{account}/machines/{id}/migrate?action=watch"))?;
    client.add_roles(&mut get);
    client.add_roles(&mut watch);
    Ok((get, watch))
}

struct Watching<'a> {
    app: &'a App,
    client: &'a Client,
    typed: &'a str,
    get: Request,
    watch: Request,
    jq: Option<render::Program>,
    /// What was told, as numbers: the lines themselves may be long.
    told: HashSet<u64>,
    hasher: RandomState,
    /// Its steps follow one another by themselves.
    automatic: bool,
    /// The phase it was in when it was last seen.
    phase: Option<String>,
}

impl Watching<'_> {
    async fn run(&mut self) -> Result<()> {
        let mut tries = 0;
        loop {
            match self.record().await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // Who has never answered is not waited for.
                Err(error) if error.passes() && self.phase.is_some() => {
                    self.app.warn(&format!("{error}; still watching"))
                }
                Err(error) => return Err(error),
            }
            let before = self.told.len();
            match self.client.lines(&self.watch).await {
                Ok(lines) => {
                    if self.stream(lines).await? {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == Kind::Auth => return Err(error),
                // It may have ended meanwhile, and then there is nothing to watch: the record tells.
                Err(error) if tries == 0 => self.app.warn(&format!("{error}; asking for its record instead")),
                Err(_) => {}
            }
            tries = if self.told.len() > before { 1 } else { tries + 1 };
            tokio::time::sleep(backoff(tries, FIRST_PAUSE).min(Duration::from_secs(10))).await;
        }
    }

    /// Tells what the record holds. Whether it is over.
    async fn record(&mut self) -> Result<bool> {
        let answer = self.client.send(&self.get).await?;
        if answer.status == 404 && answer.is_gone() {
            return self.vanished(answer.failure());
        }
        let record = answer.answer(&migrations::GET)?;
        let Some(row) = record.first() else { return Ok(false) };
        let history = row.text("/progress_history").unwrap_or_default();
        let history: Vec<&RawValue> = serde_json::from_str(&history).unwrap_or_default();
        for event in history {
            self.tell(event)?;
        }
        let text = |field: &str| row.text(field).unwrap_or_default().into_owned();
        let (phase, state) = (text("/phase"), text("/state"));
        // Between its steps an automatic migration pauses by itself.
        self.automatic = text("/automatic") == "true";
        let over = !(state == "paused" && self.automatic) && self.ended(&phase, &state, &text("/error"))?;
        self.phase = Some(phase);
        Ok(over)
    }

    /// A record ends with a finalized migration, and with an aborted one.
    fn vanished(&self, error: Error) -> Result<bool> {
        match self.phase.as_deref() {
            None => Err(Error::new(Kind::NotFound, format!("machine {} is not being migrated", self.typed))
                .because(error)
                .hint("list them: sdc machines migrate list")),
            Some("switch" | "finalize") => {
                self.app.say("the migration has been finalized");
                Ok(true)
            }
            Some(_) => {
                Err(Error::new(Kind::FailedState, format!("the migration of machine {} has been aborted", self.typed)))
            }
        }
    }

    /// Whether it is over; an error if it ended badly.
    fn ended(&self, phase: &str, state: &str, why: &str) -> Result<bool> {
        match state {
            "failed" | "aborted" => {
                let because = if why.is_empty() { String::new() } else { format!(": {why}") };
                let words = format!("the migration of machine {} {state} in the phase {phase}{because}", self.typed);
                Err(Error::new(Kind::FailedState, words)
                    .hint(Hint::run("to give it up", CommandLine::new("machines migrate abort").on(self.typed))))
            }
            "paused" | "successful" => {
                self.app.say(&format!("the migration is {state} after the phase {phase}"));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Tells what the stream tells. Whether the migration is over; the stream itself may end any time.
    async fn stream(&mut self, mut lines: Lines) -> Result<bool> {
        loop {
            let line = match tokio::time::timeout(MAX_SILENCE, lines.next()).await {
                Ok(Ok(Some(line))) => line,
                Ok(Err(error)) => {
                    self.app.warn(&format!("{error}; still watching"));
                    return Ok(false);
                }
                Ok(Ok(None)) | Err(_) => return Ok(false),
            };
            let Ok(event) = serde_json::from_str::<&RawValue>(&line) else {
                self.app.say("the service sent a line that is not JSON");
                continue;
            };
            self.tell(event)?;
            let row = Row(event);
            let text = |field: &str| row.text(field).unwrap_or_default();
            if !text("/phase").is_empty() {
                self.phase = Some(text("/phase").into_owned());
            }
            if text("/type") == "end" {
                // What it ended in may not be known there: the record knows.
                return match &*text("/state") {
                    "paused" if self.automatic => Ok(false),
                    state => self.ended(&text("/phase"), state, &text("/message")),
                };
            }
        }
    }

    /// Tells of one step, unless it has been told: the stream repeats what the record holds.
    fn tell(&mut self, event: &RawValue) -> Result<()> {
        let json = event.get().replace(['\n', '\r'], " ");
        if self.told.len() >= REMEMBERED {
            self.told.clear();
        }
        if !self.told.insert(self.hasher.hash_one(&json)) {
            return Ok(());
        }
        let streams = &self.app.streams;
        match &self.jq {
            Some(jq) => self.app.filter(jq, &json),
            None if self.app.globals.json() && streams.stdout_tty => {
                streams.out(format!("{}\n", visible_json(&json)).as_bytes())
            }
            None if self.app.globals.json() => streams.out(format!("{json}\n").as_bytes()),
            None => streams.out(format!("{}\n", line_of(Row(event))).as_bytes()),
        }
    }
}

/// One step as a line to a person: phase, state, how far, what is being done.
fn line_of(row: Row<'_>) -> String {
    let text = |field: &str| row.text(field).unwrap_or_default();
    let number = |field: &str| text(field).parse::<f64>().ok();
    let share = match (number("/current_progress"), number("/total_progress")) {
        (Some(current), Some(total)) if total > 0.0 => format!("{:.0}%", (current / total * 100.0).clamp(0.0, 100.0)),
        _ => String::new(),
    };
    let words = [text("/message"), text("/error")].join(" ");
    let eta = number("/eta_ms").map(|ms| format!("  ({:.0} s left)", ms / 1000.0)).unwrap_or_default();
    let line = format!(
        "{:<8}  {:<10}  {share:>4}  {}{eta}",
        visible(&text("/phase")),
        visible(&text("/state")),
        visible(words.trim())
    );
    line.trim_end().to_owned()
}
