//! Waits until things are as they should be, whoever makes them so. It changes nothing, and prints nothing.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use std::time::Duration;
//!
//! use sdc::api::cloudapi::machines::STOP;
//! use sdc::client::Time;
//! use sdc::request::Args;
//! use sdc::tasks::addresses::AddressChoice;
//! use sdc::tasks::wait_for::{Waiting, Wanted, waitable};
//!
//! // Another process stops it.
//! client.call(&STOP, &Args::new().set("machine", "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d")).await?;
//!
//! let (noun, _) = waitable(client.service(), "machines")?;
//! let wanted = Wanted::parse(noun, "state=stopped")?;
//! let (time, networks) = (Time::new(Duration::from_secs(60)), Default::default());
//! let waiting = Waiting {
//!     client: &client, noun, wanted: &wanted, time: &time, choice: &AddressChoice::Usual, networks: &networks,
//! };
//! let mut args = Args::new().set("machine", "web1");
//! let web1 = waiting.one(&mut args, "web1", |state| println!("{state}")).await?;
//! assert_eq!(web1.first().unwrap().text("/state").unwrap(), "stopped");
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::Report;
use super::addresses::{AddressChoice, Machine, Networks};
use super::resolve::{self, Candidate, Candidates};
use super::row_filter::RowFilter;
use super::targets::ALL;
use super::words::plural;
use super::{left_out, near};
use crate::answer::Answer;
use crate::api::cloudapi::{machines, snapshots};
use crate::api::{Column, Noun, Service, Shape};
use crate::client::{Client, Condition, Time, Until};
use crate::error::{Error, Kind, Result};
use crate::grammar::{range, selector};
use crate::request::{Arg, Args};

/// How long a machine may take to take a connection, and to greet.
const KNOCK: Duration = Duration::from_secs(4);
/// How much of a greeting is read: an SSH server may say something else first.
const GREETING: usize = 8192;

/// What is waited for.
pub enum Wanted {
    /// A state, a tag, or that it is gone.
    Condition(Condition),
    /// A connection to this port, or the one of SSH; and whether an SSH server greets there.
    Port(Option<u16>),
}

impl Wanted {
    /// Reads what a condition means for this noun.
    ///
    /// # Errors
    /// A usage error that names the conditions that there are.
    pub fn parse(noun: &Noun, text: &str) -> Result<Wanted> {
        let machine = noun.name == machines::MACHINE.name;
        let state = |state: &str| match noun.states.contains(&state) {
            true => Ok(Wanted::Condition(Condition::State(state.to_owned()))),
            false => Err(super::words::unknown_state(state, noun.states)),
        };
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        match (name, value) {
            ("state", Some("deleted")) | ("deleted", None) => Ok(Wanted::Condition(Condition::Gone)),
            ("state", Some(word)) => state(word),
            ("ready", None) => state(noun.states.first().copied().unwrap_or_default()),
            ("active", None) => state("active"),
            (word, None) if noun.states.contains(&word) => state(word),
            ("ssh", None) if machine => Ok(Wanted::Port(None)),
            ("port", Some(port)) if machine => match port.parse::<u16>() {
                Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => Ok(Wanted::Port(Some(number))),
                _ => Err(Error::usage(format!("'{port}' is not a port from 1 to 65535"))),
            },
            (name, Some(_)) if machine && name.len() > 4 && name.starts_with("tag.") => {
                let (name, value) = super::pair::read(text.get(4..).unwrap_or_default())?;
                let value = match value {
                    Arg::Text(text) => text.into(),
                    Arg::Json(raw) => serde_json::from_str(raw.get())
                        .map_err(|error| Error::usage(format!("'{}' is not JSON", raw.get())).because(error))?,
                };
                Ok(Wanted::Condition(Condition::Tag(name.to_owned(), value)))
            }
            ("ssh", None) | ("port", Some(_)) => {
                Err(Error::usage(format!("only machines take connections, not {}", plural(noun.word))))
            }
            _ => {
                let words = format!("'{text}' is not a condition of {} {}", article(noun.word), noun.word);
                let own = match () {
                    () if machine => ", tag.K=TEXT, port=N, ssh",
                    () if noun.states.contains(&"active") => ", active",
                    () => "",
                };
                Err(Error::usage(words).hint(format!("known are a state, ready, deleted{own}")))
            }
        }
    }
}

/// `a machine`, `an image`.
fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// Returns the noun of the table that is meant, and its columns.
///
/// # Errors
/// A usage error for what has no state.
pub fn waitable(service: &Service, word: &str) -> Result<(&'static Noun, &'static [Column])> {
    if matches!(word, "snapshots" | "snapshot") {
        return Ok((&snapshots::SNAPSHOT, snapshots::GET.columns));
    }
    let resource = service.resources.iter().find(|resource| {
        resource.name == word || resource.aliases.contains(&word) || resource.name.strip_suffix('s') == Some(word)
    });
    let own = resource.and_then(|resource| {
        let get = resource.ops.iter().find(|op| op.verb == "get")?;
        let noun = service.noun(get.path_params().last()?).filter(|noun| !noun.states.is_empty())?;
        Some((noun, resource.columns))
    });
    own.ok_or_else(|| {
        let words = match resource {
            Some(resource) => format!("{} have no state that could be waited for", resource.name),
            None => format!("'{word}' is nothing that could be waited for"),
        };
        Error::usage(words).hint("known are machines, images, volumes, snapshots")
    })
}

/// The targets as they were typed.
pub struct Typed {
    /// What they are parts of, if of anything.
    pub place: Args,
    /// Their own parameter.
    pub own: &'static str,
    /// Ids, names and globs.
    pub names: Vec<String>,
    /// Those that standard input named, which are taken literally.
    pub listed: HashSet<String>,
    /// What they must be like as well; without names it stands for them.
    pub rows: Option<RowFilter>,
    /// Whether that they are gone is waited for.
    pub gone: bool,
}

/// What is waited for.
#[derive(Default)]
pub struct Expanded {
    /// Each with its arguments, and what it is called.
    pub targets: Vec<(Args, String)>,
    /// What of ranges is not there.
    pub failures: Vec<Error>,
    /// Whether an array is due.
    pub several: bool,
}

/// The targets, with what globs and ranges stand for in their place.
///
/// # Errors
/// Nothing is called so, or the list could not be read in time.
pub async fn expanded(
    report: &dyn Report,
    client: &Client,
    noun: &'static Noun,
    typed: Typed,
    time: &Time,
) -> Result<Expanded> {
    let Typed { place, own, mut names, listed, rows, gone } = typed;
    let fits = |thing: &Candidate| rows.as_ref().is_none_or(|rows| rows.fits(&thing.row));
    if rows.is_some() && names.is_empty() {
        names.push(ALL.to_owned());
    }
    let is_glob = |name: &str| noun.list.shape == Shape::Rows && selector::is_glob(name) && !listed.contains(name);
    let is_range = |name: &str| noun.list.shape == Shape::Rows && name.contains(['{', '}']) && !listed.contains(name);
    let ranges = names.iter().any(|name| is_range(name));
    let mut several =
        rows.is_some() || names.len() != 1 || !listed.is_empty() || names.iter().any(|name| is_glob(name));
    let nothing = |report: &dyn Report| report.say(&format!("no {} matches: nothing to wait for", noun.word));
    if names.is_empty() {
        nothing(report);
    }
    let target = |place: &Args, id: &str, name: &str| (place.clone().set(own, id), name.to_owned());
    if rows.is_none() && !ranges && !names.iter().any(|name| is_glob(name)) {
        let targets = names.iter().map(|name| target(&place, name, name)).collect();
        return Ok(Expanded { targets, several, ..Expanded::default() });
    }
    let what = format!("the list of {}", plural(noun.word));
    let (place, known) = in_time(
        time,
        &what,
        |words| report.say(&format!("{what}: {words}")),
        async || {
            let mut place = place.clone();
            resolve::path(client, noun.list, &mut place).await?;
            // What is gone is not in it.
            let known = if gone {
                Candidates::whole(client, noun, &place).await?
            } else {
                // The list leaves out what has failed, which the wait must tell, and what is not ready yet.
                resolve::everything(client, noun, &place).await?.waited()
            };
            Ok((place, known))
        },
    )
    .await?;
    if let Some(rows) = &rows {
        rows.tell_unlike(report, known.rows(), true);
        if let Some(thing) = known.things.iter().find(|thing| gone && rows.is_unjudged(&thing.row)) {
            let words = format!("{} {} may be one of those, and does not show it", noun.word, thing.id);
            return Err(Error::new(Kind::Unreachable, words));
        }
    }
    let typed = std::mem::take(&mut names);
    let mut of_ranges: HashSet<String> = HashSet::new();
    for name in typed.clone() {
        let range = match is_range(&name) {
            true => range::spread(&name, noun.has_braces(), || !known.called(&name).is_empty())?,
            false => None,
        };
        of_ranges.extend(range.iter().flatten().filter(|name| !typed.contains(name)).cloned());
        names.extend(range.unwrap_or_else(|| vec![name]));
    }
    several |= names.len() > 1;
    let mut targets: Vec<(Args, String)> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut add = |new: (Args, String)| {
        if seen.insert(new.0.text(own).unwrap_or_default().to_owned()) {
            targets.push(new);
        }
    };
    let mut failures = Vec::new();
    for name in &names {
        if of_ranges.contains(name) && !is_glob(name) {
            match known.of_range(name, false) {
                Ok(thing) if fits(thing) => add(target(&place, &thing.id, &thing.name)),
                Ok(_) => {}
                Err(error) => match error.kind() == Kind::NotFound && gone {
                    true => match left_out::gone_id(client, noun, name, true).await? {
                        Some(id) => add(target(&place, &id, name)),
                        None => failures.push(error),
                    },
                    false => failures.push(error),
                },
            }
            continue;
        }
        let called = known.called(name);
        if !is_glob(name) || !called.is_empty() {
            // What is not there is told of by its own wait.
            if called.is_empty() || called.iter().any(|thing| fits(thing)) {
                add(target(&place, name, name));
            }
            continue;
        }
        let mut fitting = known.things.iter().filter(|thing| selector::glob(name, &thing.name)).peekable();
        if fitting.peek().is_none() && !(name == ALL && known.is_empty()) {
            return Err(known.nothing_like(name));
        }
        fitting.filter(|thing| fits(thing)).for_each(|thing| add(target(&place, &thing.id, &thing.name)));
    }
    if targets.is_empty() && failures.is_empty() {
        // That nothing is left is what was waited for, and else nothing is as it should be.
        if let (Some(_), false) = (&rows, gone) {
            return Err(Error::new(Kind::NotFound, format!("no {} matches", noun.word)));
        }
        nothing(report);
    }
    Ok(Expanded { targets, failures, several })
}

/// Asks for something before there is anything to wait for: a service that is away for a while may be so then too.
///
/// # Errors
/// What `ask` returned and will not pass, or that the time is over.
pub async fn in_time<T>(
    time: &Time,
    what: &str,
    progress: impl Fn(&str),
    mut ask: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let late = |last: Option<Error>| {
        let error = Error::new(Kind::TimedOut, format!("{what} could not be looked up in {:?}", time.said()));
        match last {
            Some(last) => error.because(last),
            None => error,
        }
    };
    let mut last = None;
    loop {
        let error = match tokio::time::timeout_at(time.end(), ask()).await {
            Ok(Err(error)) if !error.passes() => return Err(error),
            Ok(Err(error)) if time.left().is_zero() => return Err(late(Some(error))),
            Ok(Err(error)) => error,
            Ok(found) => return found,
            Err(_) => return Err(late(last)),
        };
        progress(&format!("out of reach ({error})"));
        last = Some(error);
        tokio::time::sleep(KNOCK.min(time.left())).await;
    }
}

/// What one wait has in common with the others of a command.
#[derive(Clone, Copy)]
pub struct Waiting<'a> {
    /// The service.
    pub client: &'a Client,
    /// What is waited for.
    pub noun: &'static Noun,
    /// How it must be.
    pub wanted: &'a Wanted,
    /// How long.
    pub time: &'a Time,
    /// Which address of a machine is meant.
    pub choice: &'a AddressChoice,
    /// Which networks are public.
    pub networks: &'a Networks,
}

impl Waiting<'_> {
    /// Waits for one, and returns it as it was seen last. Names among the arguments are ids then.
    ///
    /// # Errors
    /// It failed or is gone; the time is over; not found.
    pub async fn one(&self, args: &mut Args, name: &str, progress: impl Fn(&str)) -> Result<Answer> {
        let typed = args.clone();
        *args = in_time(self.time, &format!("{} {name}", self.noun.word), &progress, async || {
            let mut args = typed.clone();
            match resolve::all(self.client, self.noun.get, &mut args).await {
                // A name of what is gone by now is waited for as its id would be.
                Err(error) if error.kind() == Kind::NotFound && self.waits_for_the_end() => {
                    let id =
                        left_out::gone_id(self.client, self.noun, typed.text(self.noun.name).unwrap_or(name), false)
                            .await?;
                    id.map(|id| typed.clone().set(self.noun.name, id)).ok_or(near::of_input(error, name))
                }
                // Globs that were typed are names by now.
                Err(error) if error.kind() == Kind::NotFound => Err(near::of_input(error, name)),
                found => found.map(|()| args),
            }
        })
        .await?;
        let condition = match self.wanted {
            Wanted::Condition(condition) => condition.clone(),
            Wanted::Port(_) => Condition::State("running".to_owned()),
        };
        let until = Until { noun: self.noun, args: args.clone(), name, condition, time: *self.time };
        let waited = self.client.until_also(&until, &progress, async |object| {
            let Wanted::Port(port) = self.wanted else { return Ok(None) };
            let Some(row) = object.first() else { return Ok(Some(String::new())) };
            let machine = Machine::read(row)?;
            let ip = match machine.login_address(self.choice, self.networks) {
                Ok(ip) => ip,
                Err(error) if error.kind() == Kind::NotFound && machine.addresses.is_empty() => {
                    return Ok(Some("running, without an address yet".to_owned()));
                }
                Err(error) => return Err(error),
            };
            let number = port.map_or_else(|| machine.port().map(|port| port.unwrap_or(22)), Ok)?;
            let place = SocketAddr::new(ip, number);
            let open = tokio::time::timeout(KNOCK.min(self.time.left() / 2), knock(place, port.is_none()))
                .await
                .unwrap_or(false);
            let what = if port.is_none() { "no SSH server answers" } else { "nobody answers" };
            Ok((!open).then(|| format!("running, {what} on {place} yet")))
        });
        waited.await
    }

    fn waits_for_the_end(&self) -> bool {
        matches!(self.wanted, Wanted::Condition(Condition::Gone))
    }
}

/// Whether somebody answers there, with a greeting of SSH if that is wanted.
async fn knock(place: SocketAddr, ssh: bool) -> bool {
    let Ok(mut stream) = tokio::net::TcpStream::connect(place).await else { return false };
    let mut greeting = Vec::new();
    let mut part = [0; 256];
    if !ssh {
        return true;
    }
    loop {
        match stream.read(&mut part).await {
            Ok(read) if read > 0 && greeting.len() < GREETING => {
                greeting.extend(part.get(..read).unwrap_or_default());
                if greeting.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"SSH-")) {
                    return true;
                }
            }
            _ => return false,
        }
    }
}
