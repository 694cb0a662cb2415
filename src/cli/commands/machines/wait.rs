//! `sdc wait`: until things are as they should be, whoever does it. It changes nothing.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::api::cloudapi;
use crate::api::cloudapi::{machines, snapshots};
use crate::api::{CLOUDAPI, Column, Noun, Shape};
use crate::cli::App;
use crate::cli::args::addresses;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::args::targets;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::signals::Signals;
use crate::cli::terminal::{exit, resume};
use crate::client::{Client, Condition, Until};
use crate::error::{Error, Kind, Result};
use crate::grammar::selector;
use crate::grammar::shell;
use crate::render;
use crate::request::Args;
use crate::tasks::addresses::{Choice, Machine, Networks};
use crate::tasks::resolve;
use crate::tasks::resolve::Known;
use crate::tasks::words::plural;
use crate::tasks::{explain, route};

/// `sdc wait`.
pub(crate) static COMMAND: Custom = Custom {
    path: "wait",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[(
        "",
        &[&cloudapi::machines::GET, &cloudapi::images::GET, &cloudapi::volumes::GET, &cloudapi::snapshots::GET],
    )],
    examples: &[("", &["wait machines web1 --for ready", "wait images acme-web --for active --timeout 30m"])],
    previews: false,
    settings: Settings::Needed,
};

/// The longest time that can be waited.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// How long is waited unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many are waited for at once; more have to wait for their turn, in the time that all of them have.
const AT_ONCE: usize = 512;
/// How long a machine may take to take a connection, and to greet.
const KNOCK: Duration = Duration::from_secs(4);
/// How much of a greeting is read: an SSH server may say something else first.
const GREETING: usize = 8192;

/// The command and its options.
pub fn command() -> Command {
    let text = clap::builder::NonEmptyStringValueParser::new;
    Command::new("wait")
        .about("Wait until resources meet a condition")
        .before_long_help(
            "CONDITION is one of\n\
             \x20 state=STATE  that state: state=stopped\n\
             \x20 ready        can be used: a machine running, an image active, a volume ready,\n\
             \x20              a snapshot created\n\
             \x20 active       the same as state=active, of images\n\
             \x20 deleted      gone; an id that never existed counts as gone too\n\
             \x20 tag.K=V      the machine has the tag K with the value V\n\
             \x20 port=N       the machine runs and accepts TCP connections on this port\n\
             \x20 ssh          the same on its SSH port, and an SSH server greets\n\n\
             Connections are made from this computer, not through a bastion. Retries on service errors. Fails as \
             soon as the condition can no longer be met.\n\n\
             Exit codes: 0 met by all, 3 not found, 8 one failed or is gone, 9 out of time.",
        )
        .args([
            Arg::new("NOUN").value_name("NOUN").required(true).help("machines, images, volumes or snapshots"),
            Arg::new("ID")
                .value_name("ID")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .value_parser(text())
                .help(
                    "Id, short id or name; several may be given, globs ('web-*'), or - for a list on standard input. \
                     Snapshots: the machine, then their names",
                ),
            Arg::new("for")
                .long("for")
                .value_name("CONDITION")
                .required(true)
                .value_parser(text())
                .help("What to wait for: state=STATE, ready, active, deleted, tag.K=V, port=N, ssh"),
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .help("How long to wait: 90s, 15m, or seconds [default: 10m]"),
        ])
        .args(addresses::options())
        .args(list_options())
}

/// What is waited for.
enum Wanted {
    Condition(Condition),
    /// A connection to this port, or the one of SSH; and whether an SSH server greets there.
    Port(Option<u16>),
}

/// Waits and returns the exit code.
///
/// # Errors
/// Whatever went wrong with the one target, or the interruption; failures of several are reported here.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str).unwrap_or_default();
    let (noun, columns) = waitable(text("NOUN"))?;
    let wanted = wanted(noun, text("for"))?;
    let port = matches!(wanted, Wanted::Port(_));
    if !port && (matches.get_flag("public") || matches.get_flag("private") || matches.contains_id("network")) {
        return Err(Error::usage("--public, --private and --network choose the address for --for ssh and port=N"));
    }
    let timeout = match matches.get_one::<String>("timeout") {
        Some(text) => crate::config::duration("--timeout", text)?,
        None => PATIENCE,
    };
    let look = app.look(matches, columns)?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let typed = typed(app, noun, matches)?;
    let client = app.client()?;
    let time = Time { timeout, end: Instant::now() + timeout.min(LONGEST) };
    let networks = "the networks";
    let (choice, networks) = in_time(
        &time,
        networks,
        |words| app.say(&format!("{networks}: {words}")),
        async || {
            let choice = addresses::choice(&client, matches).await?;
            let networks = route::networks(&client, &choice).await?;
            Ok((choice, networks))
        },
    )
    .await?;
    let (places, several) = expanded(app, &client, noun, typed, &time).await?;
    let progress = Progress::new(app, places.iter().map(|(_, name)| format!("{} {name}", noun.word)).collect());
    let outcomes: RefCell<Vec<(usize, Result<Answer>)>> = RefCell::default();
    let work = async {
        let mut ends = std::pin::pin!(
            futures_util::stream::iter(places.iter().enumerate())
                .map(|(at, (args, name))| {
                    let (client, wanted, progress, door) = (&client, &wanted, &progress, (&choice, &networks));
                    async move {
                        let mut args = args.clone();
                        let outcome = one(client, noun, &mut args, name, wanted, &time, door, |words| {
                            progress.tell(at, if words.is_empty() { "waiting" } else { words });
                        });
                        let outcome = match outcome.await {
                            Err(error) if error.kind() == Kind::FailedState && noun.name == machines::MACHINE.name => {
                                let id = args.text(noun.name).unwrap_or(name);
                                Err(explain::explain(client, id, None, None, error).await)
                            }
                            outcome => outcome,
                        };
                        progress.end(at, if outcome.is_ok() { "done" } else { "" });
                        (at, outcome)
                    }
                })
                .buffer_unordered(AT_ONCE)
        );
        while let Some((at, outcome)) = ends.next().await {
            if let (Err(error), true) = (&outcome, several) {
                app.report(error);
            }
            outcomes.borrow_mut().push((at, outcome));
        }
    };
    let mut signals = Signals::new(app)?;
    let interrupted = tokio::select! {
        () = progress.during(work) => false,
        _ = signals.next() => true,
    };
    drop(progress);
    let mut outcomes = outcomes.into_inner();
    outcomes.sort_by_key(|(at, _)| *at);
    let left: Vec<&str> = places
        .iter()
        .enumerate()
        .filter(|(at, _)| outcomes.iter().all(|(done, _)| done != at))
        .map(|(_, (_, name))| name.as_str())
        .collect();
    let stopped = (interrupted && !left.is_empty()).then(|| interruption(app, noun, &left, matches));
    let mut gravest: Option<Kind> = None;
    let mut found = Vec::new();
    for (_, outcome) in outcomes {
        match outcome {
            Ok(Answer::Record(object)) => found.push(object),
            Ok(_) => {}
            Err(error) if several => {
                gravest = Some(gravest.map_or(error.kind(), |kind| exit::graver(kind, error.kind())));
            }
            Err(error) => return Err(error),
        }
    }
    if (app.globals.output.is_some() || jq.is_some()) && !(interrupted && found.is_empty()) {
        match (several, found.pop()) {
            (false, None) => {}
            (false, Some(only)) => app.show(&Answer::Record(only), Shape::Record, &look, jq.as_ref())?,
            (true, last) => {
                found.extend(last);
                app.show(&Answer::Rows(found), Shape::Rows, &look, jq.as_ref())?;
            }
        }
    }
    match stopped {
        Some(error) => Err(error),
        None => Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0))),
    }
}

/// The time that all of them have together.
#[derive(Clone, Copy)]
struct Time {
    /// As it was said.
    timeout: Duration,
    end: Instant,
}

impl Time {
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// What is not waited for any more, and the command that goes on with it.
fn interruption(app: &App, noun: &Noun, left: &[&str], matches: &ArgMatches) -> Error {
    let words = format!("interrupted: {} {} is not waited for any more", noun.word, left.join(", "));
    let again = ["NOUN", "for", "timeout"].map(|id| matches.get_one::<String>(id));
    let [Some(word), Some(condition), timeout] = again else { return Error::new(Kind::Interrupted, words) };
    let parents = noun.get.path_params().count().saturating_sub(1);
    let parents = matches.get_many::<String>("ID").into_iter().flatten().take(parents).map(String::as_str);
    let mut command = format!("sdc wait {word}");
    for name in parents.chain(left.iter().copied()) {
        command.push_str(&format!(" {}", shell::quoted(name)));
    }
    command.push_str(&format!(" --for {}", shell::quoted(condition)));
    if let Some(timeout) = timeout {
        command.push_str(&format!(" --timeout {}", shell::quoted(timeout)));
    }
    for switch in ["public", "private"] {
        if matches.get_flag(switch) {
            command.push_str(&format!(" --{switch}"));
        }
    }
    if let Some(network) = matches.get_one::<String>("network") {
        command.push_str(&format!(" --network {}", shell::quoted(network)));
    }
    command.push_str(&resume::cloud(app));
    Error::new(Kind::Interrupted, words).hint(format!("to go on: {command}"))
}

/// The targets, with what globs stand for in their place; and whether an array is due.
async fn expanded(
    app: &App,
    client: &Client,
    noun: &'static Noun,
    typed: Typed,
    time: &Time,
) -> Result<(Vec<(Args, String)>, bool)> {
    let Typed { place, own, names, listed } = typed;
    let is_glob = |name: &str| noun.list.shape == Shape::Rows && selector::is_glob(name) && !listed.contains(name);
    let several = names.len() != 1 || !listed.is_empty() || names.iter().any(|name| is_glob(name));
    let target = |place: &Args, id: &str, name: &str| (place.clone().set(own, id), name.to_owned());
    if !names.iter().any(|name| is_glob(name)) {
        return Ok((names.iter().map(|name| target(&place, name, name)).collect(), several));
    }
    let what = format!("the list of {}", plural(noun.word));
    let (place, known) = in_time(
        time,
        &what,
        |words| app.say(&format!("{what}: {words}")),
        async || {
            let mut place = place.clone();
            resolve::path(client, noun.list, &mut place).await?;
            let known = Known::list(client, noun, &place).await?;
            Ok((place, known))
        },
    )
    .await?;
    let mut targets: Vec<(Args, String)> = Vec::new();
    let mut add = |new: (Args, String)| {
        if targets.iter().all(|(known, _)| known.text(own) != new.0.text(own)) {
            targets.push(new);
        }
    };
    for name in &names {
        if !is_glob(name) || !known.called(name).is_empty() {
            add(target(&place, name, name));
            continue;
        }
        let mut fitting = known.things.iter().filter(|thing| selector::glob(name, &thing.name)).peekable();
        if fitting.peek().is_none() {
            return Err(known.nothing_like(name));
        }
        fitting.for_each(|thing| add(target(&place, &thing.id, &thing.name)));
    }
    Ok((targets, several))
}

/// The noun of the table that is meant, and its columns.
fn waitable(word: &str) -> Result<(&'static Noun, &'static [Column])> {
    if matches!(word, "snapshots" | "snapshot") {
        return Ok((&snapshots::SNAPSHOT, snapshots::GET.columns));
    }
    let resource = CLOUDAPI.resources.iter().find(|resource| {
        resource.name == word || resource.aliases.contains(&word) || resource.name.strip_suffix('s') == Some(word)
    });
    let own = resource.and_then(|resource| {
        let get = resource.ops.iter().find(|op| op.verb == "get")?;
        let noun = CLOUDAPI.noun(get.path_params().last()?).filter(|noun| !noun.states.is_empty())?;
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

/// What the condition means for this noun.
fn wanted(noun: &Noun, text: &str) -> Result<Wanted> {
    let machine = noun.name == machines::MACHINE.name;
    let state = |state: &str| match noun.states.contains(&state) {
        true => Ok(Wanted::Condition(Condition::State(state.to_owned()))),
        false => {
            let words = format!("{} {} has no state '{state}'", article(noun.word), noun.word);
            Err(Error::usage(words).hint(format!("known are {}", noun.states.join(", "))))
        }
    };
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    match (name, value) {
        ("state", Some("deleted")) | ("deleted", None) => Ok(Wanted::Condition(Condition::Gone)),
        ("state", Some(word)) => state(word),
        ("ready", None) => state(noun.states.first().copied().unwrap_or_default()),
        ("active", None) => state("active"),
        ("ssh", None) if machine => Ok(Wanted::Port(None)),
        ("port", Some(port)) if machine => match port.parse::<u16>() {
            Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => Ok(Wanted::Port(Some(number))),
            _ => Err(Error::usage(format!("'{port}' is not a port from 1 to 65535"))),
        },
        (name, Some(value)) if machine && name.len() > 4 && name.starts_with("tag.") => {
            let name = name.get(4..).unwrap_or_default().to_owned();
            Ok(Wanted::Condition(Condition::Tag(name, value.to_owned())))
        }
        ("ssh", None) | ("port", Some(_)) => {
            Err(Error::usage(format!("only machines take connections, not {}", plural(noun.word))))
        }
        _ => {
            let words = format!("'{text}' is not a condition of {} {}", article(noun.word), noun.word);
            // Who types a state means it.
            if noun.states.contains(&text) {
                return Err(Error::usage(words).hint(format!("--for state={text}")));
            }
            let own = match () {
                () if machine => ", tag.K=V, port=N, ssh",
                () if noun.states.contains(&"active") => ", active",
                () => "",
            };
            Err(Error::usage(words).hint(format!("known are state=STATE, ready, deleted{own}")))
        }
    }
}

/// `a machine`, `an image`.
fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The targets as they were typed.
struct Typed {
    /// What they are parts of, if of anything.
    place: Args,
    /// Their own parameter.
    own: &'static str,
    names: Vec<String>,
    /// Those that standard input named, which are taken literally.
    listed: HashSet<String>,
}

fn typed(app: &App, noun: &Noun, matches: &ArgMatches) -> Result<Typed> {
    let mut words = matches.get_many::<String>("ID").into_iter().flatten();
    let params: Vec<&'static str> = noun.get.path_params().collect();
    let (own, parents) = params.split_last().map_or((noun.name, &[][..]), |(own, parents)| (*own, parents));
    let mut typed = Typed { place: Args::new(), own, names: Vec::new(), listed: HashSet::new() };
    for parent in parents {
        if let Some(name) = words.next() {
            typed.place = typed.place.set(*parent, name);
        }
    }
    let mut named = false;
    for word in words {
        named = true;
        let names = match word.as_str() {
            "-" => {
                let names = targets::from_stdin(&app.console, noun.word)?;
                typed.listed.extend(names.iter().cloned());
                names
            }
            _ => vec![word.clone()],
        };
        for name in names {
            if !typed.names.contains(&name) {
                typed.names.push(name);
            }
        }
    }
    if let Some(word) = typed.names.iter().find(|word| word.contains('=') && noun.name == machines::MACHINE.name) {
        return Err(Error::usage(format!("'{word}' is not a name of a machine, and sdc wait takes no selector"))
            .hint(format!("sdc machines list tag.{word} -o ids | sdc wait machines - --for CONDITION")));
    }
    if !named {
        let words = format!("no {} was named, only its {}", noun.word, parents.join(" and "));
        return Err(Error::usage(words).hint(format!("sdc wait {}s MACHINE NAME", noun.word)));
    }
    Ok(typed)
}

/// Asks for something before there is anything to wait for: a service that is away for a while may be so then too.
async fn in_time<T>(
    time: &Time,
    what: &str,
    progress: impl Fn(&str),
    mut ask: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let late = |last: Option<Error>| {
        let error = Error::new(Kind::TimedOut, format!("{what} could not be looked up in {:?}", time.timeout));
        match last {
            Some(last) => error.because(last),
            None => error,
        }
    };
    let mut last = None;
    loop {
        let error = match tokio::time::timeout_at(time.end, ask()).await {
            Ok(Err(error)) if !error.passes() => return Err(error),
            Ok(Err(error)) if time.left().is_zero() => return Err(late(Some(error))),
            Ok(Err(error)) => error,
            Ok(found) => return found,
            Err(_) => return Err(late(last)),
        };
        progress(&format!("{error}; still waiting"));
        last = Some(error);
        tokio::time::sleep(KNOCK.min(time.left())).await;
    }
}

#[expect(clippy::too_many_arguments, reason = "what one wait is made of")]
async fn one(
    client: &Client,
    noun: &'static Noun,
    args: &mut Args,
    name: &str,
    wanted: &Wanted,
    time: &Time,
    (choice, networks): (&Choice, &Networks),
    progress: impl Fn(&str),
) -> Result<Answer> {
    let typed = args.clone();
    *args = in_time(time, &format!("{} {name}", noun.word), &progress, async || {
        let mut args = typed.clone();
        resolve::all(client, noun.get, &mut args).await.map(|()| args)
    })
    .await?;
    let condition = match wanted {
        Wanted::Condition(condition) => condition.clone(),
        Wanted::Port(_) => Condition::State("running".to_owned()),
    };
    let until = Until { noun, args: args.clone(), name, condition, timeout: time.left() };
    let waited = client.until_also(&until, &progress, async |object| {
        let Wanted::Port(port) = wanted else { return Ok(None) };
        let Some(row) = object.first() else { return Ok(Some(String::new())) };
        let machine = Machine::read(row)?;
        let ip = match machine.login_address(choice, networks) {
            Ok(ip) => ip,
            Err(error) if error.kind() == Kind::NotFound && machine.addresses.is_empty() => {
                return Ok(Some("running, without an address yet".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let number = port.map_or_else(|| machine.port().map(|port| port.unwrap_or(22)), Ok)?;
        let place = SocketAddr::new(ip, number);
        let open =
            tokio::time::timeout(KNOCK.min(time.left() / 2), knock(place, port.is_none())).await.unwrap_or(false);
        let what = if port.is_none() { "no SSH server answers" } else { "nobody answers" };
        Ok((!open).then(|| format!("running, {what} on {place} yet")))
    });
    waited.await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
