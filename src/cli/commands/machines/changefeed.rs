//! `sdc changefeed [MACHINE...]`, also `sdc machines watch`: a line for each change of a machine. The
//! feed tells of changes only while it is open, so what happened while it was not is found by
//! comparing lists; and where there is no feed, that is all there is.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::api::cloudapi::changefeed as feed;
use crate::api::cloudapi::changefeed::SUBRESOURCES;
use crate::api::cloudapi::machines;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::client::{Client, Feed, backoff};
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::render::{self, visible, visible_json};
use crate::request::Args;
use crate::tasks::machine_diff;
use crate::tasks::machine_diff::{Event, Known, Machine};
use crate::tasks::resolve;

/// `sdc machines watch`.
pub(crate) static WATCH: Custom = Custom {
    path: "machines watch",
    syntax: Syntax::Own(watch),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&feed::CHANGEFEED])],
    examples: "machines watch web1 --for state --count 1\n\
         machines watch --count 1 --json",
    previews: false,
    settings: Settings::Needed,
};

/// `sdc changefeed`.
pub(crate) static COMMAND: Custom = Custom {
    path: "changefeed",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&feed::CHANGEFEED])],
    examples: "changefeed --for state,nics --count 1\nchangefeed --count 1 --json",
    previews: false,
    settings: Settings::Needed,
};

/// So much is kept of what the feed tells, in bytes.
const MAX_TOLD: usize = 64 << 20;
/// The first pause before a feed that was lost is opened again.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A feed that was open for so long was a good one: the next pause is short again.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// So many lists later the service is asked for a feed again.
const POLLS_PER_TRY: u32 = 60;

pub fn command() -> Command {
    Command::new("changefeed")
        .about("Stream machine changes")
        .before_long_help(
            "Until interrupted, or --count or --timeout ends it. With --json each change is one line, exactly as \
             the service sent it.\n\n\
             What changed while the connection was lost is found by listing the machines again, and shown with \
             \"resync\":true. A service without a changefeed is asked for the list every --interval.",
        )
        .args([
            Arg::new("machine")
                .value_name("MACHINE")
                .num_args(0..)
                .help("Machine: id, short id or name; all of them if not given"),
            Arg::new("for")
                .long("for")
                .visible_alias("only")
                .value_name("PART,...")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(PossibleValuesParser::new(SUBRESOURCES))
                .help("Only changes of these parts; all of them if not given"),
            Arg::new("count")
                .long("count")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("End after this many changes"),
            Arg::new("timeout").long("timeout").value_name("TIME").help("End after this time: 30s, 5m, 1h"),
            Arg::new("interval")
                .long("interval")
                .value_name("TIME")
                .default_value("10s")
                .help("How often to list the machines where the service has no changefeed"),
        ])
}

/// The same, as a verb of machines.
pub fn watch() -> Command {
    command().name("watch")
}

/// Follows until interrupted, or as long as was asked for.
///
/// # Errors
/// No machine of that name, no key, refused; a connection that is lost is none.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let texts = |id: &str| matches.get_many::<String>(id).into_iter().flatten().cloned().collect::<Vec<_>>();
    let time = |id: &str| {
        let text = matches.get_one::<String>(id);
        text.map(|text| config::duration(&format!("--{id}"), text)).transpose()
    };
    let deadline = time("timeout")?.map(|time| Instant::now() + time);
    if let Some(output) = app.globals.output.as_deref().filter(|output| !matches!(*output, "json" | "jsonl")) {
        return Err(Error::usage(format!("changes are told as they come, so --output {output} has no meaning here"))
            .hint("--json, or --jq EXPR"));
    }
    let mut kinds = texts("for");
    if kinds.is_empty() {
        kinds = SUBRESOURCES.iter().map(|kind| (*kind).to_owned()).collect();
    }
    let jq = app.program()?;
    let client = app.client()?;
    let typed = texts("machine");
    let mut watch = Watch {
        app,
        client: &client,
        jq,
        kinds,
        machines: Vec::new(),
        interval: time("interval")?.unwrap_or(Duration::from_secs(10)),
        left: matches.get_one::<u64>("count").copied(),
        known: Known::new(),
        told: 0,
    };
    let mut signals = Signals::new(&app.heard)?;
    let ended = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = watch.run(&typed) => done.map(|()| 0),
        () = ended => Ok(0),
        _ = signals.next() => Ok(130),
    }
}

struct Watch<'a> {
    app: &'a App,
    client: &'a Client,
    jq: Option<render::Program>,
    /// What changes are told of.
    kinds: Vec<String>,
    /// The ids of the machines; all of them if empty.
    machines: Vec<String>,
    interval: Duration,
    /// How many changes are still to be told.
    left: Option<u64>,
    known: Known,
    /// How much of what has been told is kept, in bytes.
    told: usize,
}

impl Watch<'_> {
    async fn run(&mut self, typed: &[String]) -> Result<()> {
        for typed in typed {
            let id = resolve::id(self.client, &machines::MACHINE, typed).await?;
            if !self.machines.contains(&id) {
                self.machines.push(id);
            }
        }
        self.known = self.list().await?;
        for id in self.machines.clone() {
            // Not every machine is in the list: one that has failed is not. One that is not there at all is told here.
            if !self.known.contains_key(&id) {
                let shown = self.client.call(&machines::GET, &Args::new().set("machine", &id)).await;
                let shown = shown.map_err(|error| error.about(&id))?;
                self.known.extend(shown.first().and_then(Machine::read));
            }
        }
        let mut tries = 0;
        loop {
            let kinds: Vec<&str> = self.kinds.iter().map(String::as_str).collect();
            let wanted = (!self.machines.is_empty()).then_some(self.machines.as_slice());
            let lost = match self.client.follow(&kinds, wanted).await {
                Ok(feed) => {
                    let begun = Instant::now();
                    let lost = match self.feed(feed).await {
                        Ok(()) => return Ok(()),
                        Err(lost) => lost,
                    };
                    if begun.elapsed() > STABLE_AFTER {
                        tries = 0;
                    }
                    lost
                }
                Err(error) if has_no_feed(&error) => {
                    let words = format!("the service has no changefeed ({error}); the machines are listed every");
                    self.app.warn(&format!("{words} {:?}", self.interval));
                    if self.poll().await? {
                        return Ok(());
                    }
                    continue;
                }
                Err(error) => error,
            };
            if !lost.passes() {
                return Err(lost);
            }
            tries += 1;
            if tries == 1 {
                self.app.warn(&format!("{lost}; opening the changefeed again"));
            }
            tokio::time::sleep(backoff(tries, FIRST_PAUSE)).await;
            // Lists may come through where no feed does, and nobody should have to wait for news.
            if tries > 1 && self.look_again().await? {
                return Ok(());
            }
        }
    }

    /// Tells what an open feed tells, and first what has changed before it was open. Ends well only
    /// when enough has been told.
    async fn feed(&mut self, mut feed: Feed) -> Result<()> {
        self.app.say(&format!("following the changes of {} machines", self.known.len()));
        if self.compare().await? {
            feed.close().await;
            return Ok(());
        }
        loop {
            let Some(text) = feed.next().await? else {
                return Err(Error::new(Kind::Unreachable, "the service closed the changefeed"));
            };
            let event = Event::told(&text)?;
            if self.tell(event)? {
                feed.close().await;
                return Ok(());
            }
        }
    }

    /// Lists the machines again and again. Whether enough has been told.
    async fn poll(&mut self) -> Result<bool> {
        for _ in 0..POLLS_PER_TRY {
            if self.look_again().await? {
                return Ok(true);
            }
            tokio::time::sleep(self.interval).await;
        }
        Ok(false)
    }

    /// The same as [`Self::compare`], but a list that cannot be had is only said to be so.
    async fn look_again(&mut self) -> Result<bool> {
        match self.compare().await {
            Err(error) if error.passes() => {
                self.app.warn(&format!("{error}; asking again"));
                Ok(false)
            }
            compared => compared,
        }
    }

    /// Tells what a list shows that is not known yet. Whether enough has been told.
    async fn compare(&mut self) -> Result<bool> {
        let mut now = self.list().await?;
        let missing = self.known.iter().filter(|(id, machine)| !now.contains_key(*id) && !machine.is_gone());
        let missing: Vec<String> = missing.map(|(id, _)| id.clone()).collect();
        for id in missing {
            if let Some(machine) = self.gone(&id).await? {
                now.insert(id, machine);
            }
        }
        let mut changed: Vec<(String, Machine)> = now.into_iter().collect();
        changed.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (id, machine) in changed {
            let differs = machine_diff::differences(self.known.get(&id), &machine);
            let wanted: Vec<&str> = differs.into_iter().filter(|kind| self.kinds.iter().any(|w| w == kind)).collect();
            if wanted.is_empty() {
                self.keep(id, machine)?;
            } else if self.tell(Event::found(&id, &wanted, machine, self.app.console.timestamp()))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Remembers a machine as it is now.
    ///
    /// # Errors
    /// More would be kept than all machines of an account take.
    fn keep(&mut self, id: String, machine: Machine) -> Result<()> {
        let more = machine.weight() + id.len();
        let before = self.known.insert(id, machine).map_or(0, |machine| machine.weight());
        self.told = (self.told + more).saturating_sub(before);
        match self.told <= MAX_TOLD {
            true => Ok(()),
            false => Err(Error::new(Kind::Unreachable, "the changefeed tells of more machines than can be kept")),
        }
    }

    async fn list(&self) -> Result<Known> {
        let answer = self.client.call(&machines::LIST, &Args::new()).await?;
        let mut known: Known = answer.rows().filter_map(Machine::read).collect();
        if !self.machines.is_empty() {
            known.retain(|id, _| self.machines.contains(id));
        }
        Ok(known)
    }

    /// A machine that the list does not show any more; `None` if nothing at all is left of it.
    async fn gone(&self, id: &str) -> Result<Option<Machine>> {
        let read = |answer: &Answer| answer.first().and_then(Machine::read).map(|(_, machine)| machine);
        match self.client.call(&machines::GET, &Args::new().set("machine", id)).await {
            Ok(answer) => Ok(read(&answer)),
            Err(error) if error.kind() == Kind::NotFound => {
                let left = error.body().and_then(|body| Answer::from_record(body.as_bytes()).ok());
                Ok(left.as_ref().and_then(read).or_else(|| self.known.get(id).and_then(Machine::deleted)))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether enough has been told.
    fn tell(&mut self, event: Event) -> Result<bool> {
        let streams = &self.app.streams;
        match &self.jq {
            Some(jq) => self.app.filter(jq, &event.json)?,
            None if self.app.globals.json() && streams.stdout_tty => {
                streams.out(format!("{}\n", visible_json(&event.json)).as_bytes())?;
            }
            None if self.app.globals.json() => streams.out(format!("{}\n", event.json).as_bytes())?,
            None => streams.out(format!("{}\n", line(&event, &self.known)).as_bytes())?,
        }
        if let Some(machine) = event.object {
            self.keep(event.machine, machine)?;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        Ok(self.left == Some(0))
    }
}

/// Whether this is how a service answers that knows no changefeed, or a proxy before it that lets no
/// WebSocket through.
fn has_no_feed(error: &Error) -> bool {
    error.fault().is_some_and(|fault| match fault.status {
        400 | 404 | 405 | 426 | 501 => true,
        // Without the upgrade, which a proxy may have taken away, the service has no code for what is wrong.
        500 => fault.code.is_empty(),
        _ => false,
    })
}

/// A change as a line to a person.
fn line(event: &Event, known: &Known) -> String {
    let name = match &event.object {
        Some(object) => object.name.as_str(),
        None => known.get(&event.machine).map_or("?", |machine| machine.name.as_str()),
    };
    let at = event.at.map_or_else(|| "?".to_owned(), |at| format!("{at:.0}"));
    let short = event.machine.get(..8).unwrap_or(&event.machine);
    let late = if event.late { "  (found by listing)" } else { "" };
    let kinds = event.kinds.join(",");
    format!(
        "{at}  {:<16}  {:<8}  {:<13}  {}{late}",
        visible(name),
        visible(short),
        visible(&event.state),
        visible(&kinds)
    )
}
