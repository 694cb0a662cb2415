//! Which things a command is about: ids, names, globs, selectors, states, ages, and ids from standard input. It
//! looks them up with one list however many there are, shows them, and sends nothing that changes anything.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::App;
use super::resolve::{self, Known, Thing};
use super::run::{Call, plural, word};
use super::terminal::question::About;
use crate::api::{Method, Noun, Op, Pick, Shape, Takes, noun};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::grammar::selector::{self, Selector};
use crate::request::{Arg as Value, Args};

/// More targets than this must be allowed with `--max`.
const MOST: usize = 20;
/// How many are worked on at once unless told otherwise.
const PARALLEL: usize = 8;
/// With more names than this the list is asked for once, instead of once a name.
const FEW: usize = 3;
/// So much is read from standard input, in bytes: some 50 000 ids.
const STDIN: u64 = 2 << 20;

/// The options that say how many there may be, and how many at once.
pub fn limits() -> [Arg; 2] {
    let own = |id: &'static str| Arg::new(id).long(id).help_heading("Targets");
    [
        own("max")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..=1_000_000))
            .help(format!("Allow so many targets [default: {MOST}]")),
        own("parallel")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..=100))
            .help(format!("Work on so many at once [default: {PARALLEL}]")),
    ]
}

/// The option for whoever only wants things to be gone.
pub fn with_ignore_missing(command: Command) -> Command {
    command.arg(
        Arg::new("ignore-missing")
            .long("ignore-missing")
            .action(ArgAction::SetTrue)
            .help_heading("Targets")
            .help("What is not there (any more) is no failure"),
    )
}

/// The options that pick targets, for an operation that takes several.
pub fn options(command: Command, op: &Op, target: &'static Noun) -> Command {
    let own = |id: &'static str| Arg::new(id).long(id).help_heading("Targets");
    let [max, parallel] = limits();
    let mut command = command.arg(max);
    if op.targets == Takes::Each {
        command = command.arg(parallel);
    }
    for pick in target.picks {
        command = command.arg(match pick {
            Pick::Tags => own("selector")
                .short('l')
                .value_name("TAG=VALUE,...")
                .value_parser(NonEmptyStringValueParser::new())
                .help("Those with these tags: role=web,env!=prod,backup,!old"),
            Pick::State(..) => Arg::new("pick-state")
                .long("state")
                .value_name("STATE,...")
                .value_delimiter(',')
                .value_parser(NonEmptyStringValueParser::new())
                .help_heading("Targets")
                .help("Those in one of these states"),
            Pick::Age(_) => {
                own("older-than").value_name("TIME").help("Those made longer ago than this: 90m, 12h, 30d, 8w, 1y")
            }
        });
    }
    if op.method == Method::Delete { with_ignore_missing(command) } else { command }
}

/// The options of which one is enough for there to be targets.
pub fn picking(target: &Noun) -> Vec<&'static str> {
    let id = |pick: &Pick| match pick {
        Pick::Tags => "selector",
        Pick::State(..) => "pick-state",
        Pick::Age(_) => "older-than",
    };
    target.picks.iter().map(id).collect()
}

/// What was asked for: the arguments that all calls share, and the targets as they were typed.
pub struct Asked {
    /// The arguments, without the target's.
    pub args: Args,
    /// The path's parameters before the target's.
    pub parents: Vec<(&'static str, String)>,
    /// The target's parameter.
    pub param: Option<&'static str>,
    /// What was typed for the targets.
    pub typed: Vec<String>,
    /// Whether targets were named at all: standard input may have named none.
    named: bool,
    from_stdin: bool,
    /// Those that standard input named: ids and names, taken literally.
    listed: HashSet<String>,
    /// What they must be like beside that.
    pub filter: Filter,
}

/// What targets must be like.
#[derive(Default)]
pub struct Filter {
    selector: Option<Selector>,
    states: Vec<String>,
    older: Option<Duration>,
    max: Option<usize>,
    parallel: Option<usize>,
    /// What is not there is no failure.
    pub ignore_missing: bool,
}

impl Filter {
    /// Reads the options, as far as the command has them.
    ///
    /// # Errors
    /// A usage error for what cannot be read.
    pub fn read(matches: &ArgMatches) -> Result<Filter> {
        let text = |id: &str| matches.try_get_one::<String>(id).ok().flatten();
        let number = |id: &str| {
            let number = matches.try_get_one::<u64>(id).ok().flatten();
            number.map(|number| usize::try_from(*number).unwrap_or(usize::MAX))
        };
        let older = text("older-than").map(|text| age("--older-than", text)).transpose()?;
        let states = matches.try_get_many::<String>("pick-state").ok().flatten();
        Ok(Filter {
            selector: text("selector").map(|text| Selector::parse(text)).transpose()?,
            states: states.into_iter().flatten().cloned().collect(),
            older,
            max: number("max"),
            parallel: number("parallel"),
            ignore_missing: matches.try_get_one::<bool>("ignore-missing").ok().flatten().copied().unwrap_or(false),
        })
    }

    /// How many are worked on at once.
    pub fn parallel(&self) -> usize {
        self.parallel.unwrap_or(PARALLEL)
    }

    /// Refuses more of what is called so than are allowed.
    ///
    /// # Errors
    /// A usage error.
    pub fn allows(&self, app: &App, many: usize, word: &str) -> Result<()> {
        let most = self.max.unwrap_or(MOST);
        if many <= most || app.globals.dry_run {
            return Ok(());
        }
        let all = plural(word);
        let words = format!("this is about {many} {all}, and no more than {most} are allowed: nothing was done");
        Err(Error::usage(words).hint(format!("to allow them: --max {many}")).hint("to see them: --dry-run"))
    }

    fn is_empty(&self) -> bool {
        self.selector.is_none() && self.states.is_empty() && self.older.is_none()
    }

    fn fits(&self, noun: &Noun, thing: &Thing, now: i64) -> bool {
        noun.picks.iter().all(|pick| match pick {
            // Of what tells no tags, nobody knows that it has one not.
            Pick::Tags if self.selector.is_some() && thing.text(&["tags"]).is_none() => false,
            Pick::Tags => self.selector.as_ref().is_none_or(|selector| selector.fits(|tag| thing.text(&["tags", tag]))),
            Pick::State(..) => {
                let state = thing.text(&["state"]);
                self.states.is_empty() || state.is_some_and(|state| self.states.iter().any(|one| *one == state))
            }
            Pick::Age(field) => self.older.is_none_or(|older| {
                let made = thing.text(&[field]).and_then(|time| time.parse::<jiff::Timestamp>().ok());
                // Of what does not say when it was made, nobody knows that it is old.
                made.is_some_and(|made| {
                    u128::try_from(now - made.as_millisecond()).is_ok_and(|age| age > older.as_millis())
                })
            }),
        })
    }
}

/// The targets, resolved.
pub struct Targets {
    /// One call each.
    pub calls: Vec<Call>,
    /// What went wrong with those that are not among them; to be reported by whoever asked.
    pub failures: Vec<Error>,
    /// Whether they were chosen by more than their names, so that nobody has read all of them.
    pub picked: bool,
    /// Whether an array is due, be there one or none.
    pub several: bool,
    /// Whether ids came from standard input, which tell people nothing.
    pub from_stdin: bool,
    /// What is known of them, by their ids.
    pub known: HashMap<String, About>,
}

impl Asked {
    /// What was asked for on the command line.
    ///
    /// # Errors
    /// A usage error for an empty name, or what cannot be read.
    pub fn read(op: &'static Op, args: Args, matches: &ArgMatches) -> Result<Asked> {
        let params: Vec<&'static str> = op.path_params().collect();
        let mut asked = Asked {
            args,
            parents: Vec::new(),
            param: None,
            typed: Vec::new(),
            named: false,
            from_stdin: false,
            listed: HashSet::new(),
            filter: Filter::read(matches)?,
        };
        let Some((last, before)) = params.split_last() else { return Ok(asked) };
        for param in &params {
            if matches.get_many::<String>(param).into_iter().flatten().any(String::is_empty) {
                return Err(Error::usage(format!("the name of the {} is empty: is a variable unset?", word(param))));
            }
        }
        for param in before {
            if let Some(text) = matches.get_one::<String>(param) {
                asked.args.push(*param, Value::Text(text.clone()));
                asked.parents.push((*param, text.clone()));
            }
        }
        asked.param = Some(last);
        noun(last).map_or(Ok(()), |noun| known_states(&asked.filter, noun))?;
        let several = op.takes_several();
        for text in matches.get_many::<String>(last).into_iter().flatten() {
            asked.named = true;
            let names = match text.as_str() {
                "-" if several => {
                    asked.from_stdin = true;
                    let names = from_stdin(word(last))?;
                    asked.listed.extend(names.iter().cloned());
                    names
                }
                _ => vec![text.clone()],
            };
            for name in names {
                if !asked.typed.contains(&name) {
                    asked.typed.push(name);
                }
            }
        }
        Ok(asked)
    }

    /// Whether the service is asked for anything before the requests themselves.
    pub fn asks_the_service(&self, op: &Op) -> bool {
        let target = self.param.and_then(noun);
        let named = |text: &String| {
            target.is_some_and(|noun| {
                resolve::needs_lookup(noun, text) || noun.list.shape == Shape::Rows && selector::is_glob(text)
            })
        };
        let picks = target.is_some() && (!self.named || !self.filter.is_empty());
        picks || self.typed.iter().any(named) || resolve::is_needed(op, &self.args)
    }

    /// Whether it was typed as a glob.
    fn is_glob(&self, text: &str) -> bool {
        selector::is_glob(text) && !self.listed.contains(text)
    }

    /// The call for one target as it was typed.
    pub fn call(&self, typed: &str) -> Call {
        match self.param {
            Some(param) => Call {
                args: self.args.clone().set(param, typed),
                target: Some((param, typed.to_owned())),
                parents: self.parents.clone(),
            },
            None => Call { args: self.args.clone(), target: None, parents: Vec::new() },
        }
    }
}

/// Looks the targets up, and says which they are where more than their names chose them.
///
/// # Errors
/// The list cannot be read; too many; a single one that is not there.
pub async fn resolve(app: &App, client: &Client, op: &'static Op, mut asked: Asked) -> Result<Targets> {
    let mut targets = Targets {
        calls: Vec::new(),
        failures: Vec::new(),
        picked: false,
        several: false,
        from_stdin: asked.from_stdin,
        known: HashMap::new(),
    };
    let target = asked.param.and_then(noun);
    // What all have in common is looked up once.
    resolve::path(client, op, &mut asked.args).await?;
    resolve::fields(client, op, &mut asked.args).await?;
    let Some(target) = target else {
        targets.calls.push(asked.call(asked.typed.first().map_or("", String::as_str)));
        return Ok(targets);
    };
    let globs =
        op.takes_several() && target.list.shape == Shape::Rows && asked.typed.iter().any(|text| asked.is_glob(text));
    let filters = !asked.filter.is_empty();
    targets.picked = globs || filters || asked.from_stdin;
    targets.several = targets.picked || asked.typed.len() > 1;
    let lookups = asked.typed.iter().filter(|text| resolve::needs_lookup(target, text)).count();
    let known = match target.list.shape == Shape::Rows && (globs || filters || lookups > FEW) {
        true => Some(list(client, op, target, &asked).await?),
        false => None,
    };
    let mut found = Vec::new();
    let mut about: HashMap<String, About> = HashMap::new();
    let now = super::now();
    let fits = |thing: &Thing| !filters || asked.filter.fits(target, thing, now);
    let mut add = |call: Call, row: Option<&Thing>| {
        // A name and its id mean the same thing, which is acted on once.
        if found.iter().all(|known: &Call| known.id().is_none() || known.id() != call.id()) {
            if let (Some(id), Some(thing)) = (call.id(), row) {
                about.insert(id.to_owned(), About::of(thing, now));
            }
            found.push(call);
        }
    };
    let of = |thing: &Thing| {
        let mut call = asked.call(if thing.name.is_empty() { &thing.id } else { &thing.name });
        call.args.push(target.name, Value::Text(thing.id.clone()));
        call
    };
    if !asked.named
        && let Some(known) = &known
    {
        known.things.iter().filter(|thing| fits(thing)).for_each(|thing| add(of(thing), Some(thing)));
    }
    for typed in &asked.typed {
        let outcome = match &known {
            Some(known) if globs && asked.is_glob(typed) && known.called(typed).is_empty() => {
                let named = |thing: &&Thing| selector::glob(typed, &thing.name);
                let mut these = known.things.iter().filter(named).peekable();
                match these.peek() {
                    Some(_) => {
                        these.filter(|thing| fits(thing)).for_each(|thing| add(of(thing), Some(thing)));
                        Ok(())
                    }
                    None => Err(known.nothing_like(typed)),
                }
            }
            Some(known) if filters || resolve::needs_lookup(target, typed) => {
                let thing = match known.with_id(typed) {
                    Some(thing) => Ok(thing),
                    None => known.find(typed, op.asks),
                };
                let mut call = asked.call(typed);
                match thing {
                    Ok(thing) if fits(thing) => {
                        call.args.push(target.name, Value::Text(thing.id.clone()));
                        add(call, Some(thing));
                        Ok(())
                    }
                    Ok(_) => Ok(()),
                    // The list need not have those that failed.
                    Err(error) if error.kind() == Kind::NotFound && !filters => {
                        resolve::path(client, op, &mut call.args).await.map(|()| add(call, None))
                    }
                    Err(error) => Err(error),
                }
            }
            known => {
                let mut call = asked.call(typed);
                let thing = known.as_ref().and_then(|known| known.with_id(typed));
                resolve::path(client, op, &mut call.args).await.map(|()| add(call, thing))
            }
        };
        match outcome {
            Ok(()) => {}
            Err(error) if error.kind() == Kind::NotFound && asked.filter.ignore_missing => {
                app.say(&format!("{} {typed}: not there", target.word));
            }
            Err(error) if targets.several => targets.failures.push(error),
            Err(error) => return Err(error),
        }
    }
    (targets.calls, targets.known) = (found, about);
    let many = targets.calls.len();
    asked.filter.allows(app, many, target.word)?;
    if targets.picked && many == 0 && targets.failures.is_empty() {
        app.say(&format!("no {} fits: nothing to do", target.word));
    }
    Ok(targets)
}

/// These things of a list as targets: shown, and no more than are allowed.
///
/// # Errors
/// A usage error for too many.
pub fn chosen(app: &App, target: &'static Noun, filter: &Filter, things: &[&Thing]) -> Result<Targets> {
    filter.allows(app, things.len(), target.word)?;
    let call = |thing: &&Thing| Call {
        args: Args::new().set(target.name, &thing.id),
        target: Some((target.name, if thing.name.is_empty() { thing.id.clone() } else { thing.name.clone() })),
        parents: Vec::new(),
    };
    let calls: Vec<Call> = things.iter().map(call).collect();
    let now = super::now();
    let known = things.iter().map(|thing| (thing.id.clone(), About::of(thing, now))).collect();
    if calls.is_empty() {
        app.say(&format!("no {} fits: nothing to do", target.word));
    }
    Ok(Targets { calls, failures: Vec::new(), picked: true, several: true, from_stdin: false, known })
}

/// The list in which all of them are. What it hides for its state is meant by an id, a name, or `--state` alone: nobody
/// destroys what `list` does not show.
async fn list(client: &Client, op: &Op, target: &'static Noun, asked: &Asked) -> Result<Known> {
    let place = resolve::place(target, &asked.args);
    match target.whole() {
        Some((name, value)) if !asked.filter.states.is_empty() => {
            Known::list_for(client, target, &place.set(name, value), Some(op)).await
        }
        _ => Known::list_for(client, target, &place, Some(op)).await,
    }
}

/// An age, which must say whether it is minutes or days: a mistake would be about far too many.
///
/// # Errors
/// A usage error for anything else.
pub fn age(option: &str, text: &str) -> Result<Duration> {
    // An age in the tables may be one of years.
    if let Some(years) = text.trim().strip_suffix('y').and_then(|years| years.parse::<u16>().ok()) {
        return crate::config::duration(option, &format!("{}d", u32::from(years) * 365));
    }
    if text.trim().ends_with(|letter: char| letter.is_ascii_digit()) {
        return Err(Error::usage(format!("{option} {}: of which unit?", crate::sensitive::quoted(text)))
            .hint(format!("{option} {text}d, {text}h")));
    }
    crate::config::duration(option, text)
}

/// A state that nothing can be in would silently pick nothing.
fn known_states(filter: &Filter, noun: &Noun) -> Result<()> {
    match filter.states.iter().find(|state| !noun.states.contains(&state.as_str())) {
        Some(state) if !noun.states.is_empty() => Err(Error::usage(format!("a {} has no state '{state}'", noun.word))
            .hint(format!("known are {}", noun.states.join(", ")))),
        _ => Ok(()),
    }
}

/// The ids or names that standard input has, one a line.
///
/// # Errors
/// It cannot be read, or is far too long.
pub fn from_stdin(word: &str) -> Result<Vec<String>> {
    let fail = |words: String| Error::usage(format!("the {} from standard input: {words}", plural(word)));
    let mut text = String::new();
    super::terminal::streams::stdin()
        .and_then(|stdin| stdin.take(STDIN + 1).read_to_string(&mut text))
        .map_err(|error| fail("they cannot be read".to_owned()).because(error))?;
    if text.len() as u64 > STDIN {
        return Err(fail(format!("they are longer than {STDIN} bytes")));
    }
    if crate::sensitive::is_key(&text) {
        return Err(fail("they are a private key".to_owned()));
    }
    Ok(text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
