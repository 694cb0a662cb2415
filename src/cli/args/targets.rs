//! The options that choose targets, and what was typed for them: ids, names, globs, and ids from standard input.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::api::{CLOUDAPI, Method, Noun, Op, Pick, Takes};
use crate::cli::console::Console;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::grammar::duration;
use crate::grammar::selector::Selector;
use crate::request::{Arg as Value, Args};
use crate::tasks::targets::{Asked, Filter, MAX_TARGETS, PARALLEL, known_states};
use crate::tasks::words::{plural, word};

/// So much is read from standard input, in bytes: some 50 000 ids.
const STDIN: u64 = 2 << 20;

/// The heading of the options that select, in a page of help.
pub const SELECTION: &str = "Selection";

/// The options that say how many there may be, and how many at once.
pub fn limits() -> [Arg; 2] {
    let own = |id: &'static str| Arg::new(id).long(id).help_heading(SELECTION);
    [
        own("max")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..=1_000_000))
            .help(format!("Refuse to act on more than N targets [default: {MAX_TARGETS}]")),
        own("parallel")
            .value_name("N")
            .value_parser(value_parser!(u64).range(1..=100))
            .help(format!("Act on N targets in parallel [default: {PARALLEL}]")),
    ]
}

/// The option for whoever only wants things to be gone.
pub fn with_ignore_missing(command: Command) -> Command {
    command.arg(
        Arg::new("ignore-missing")
            .long("ignore-missing")
            .action(ArgAction::SetTrue)
            .help_heading(SELECTION)
            .help("Treat missing targets as success"),
    )
}

/// The options that pick targets, for an operation that takes several.
pub fn options(command: Command, op: &Op, target: &'static Noun) -> Command {
    let own = |id: &'static str| Arg::new(id).long(id).help_heading(SELECTION);
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
                .help("Select by tag: role=web,env!=prod,backup,!old"),
            Pick::State(..) => Arg::new("pick-state")
                .long("state")
                .value_name("STATE,...")
                .value_delimiter(',')
                .value_parser(NonEmptyStringValueParser::new())
                .help_heading(SELECTION)
                .help("Select by state"),
            Pick::Age(_) => own("older-than")
                .value_name("TIME")
                .help("Select those created longer ago than TIME: 90m, 12h, 30d, 8w, 1y"),
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

/// Reads the options, as far as the command has them.
///
/// # Errors
/// A usage error for what cannot be read.
pub fn filter(matches: &ArgMatches, now: i64) -> Result<Filter> {
    let text = |id: &str| matches.try_get_one::<String>(id).ok().flatten();
    let number = |id: &str| {
        let number = matches.try_get_one::<u64>(id).ok().flatten();
        number.map(|number| usize::try_from(*number).unwrap_or(usize::MAX))
    };
    let older = text("older-than").map(|text| duration::age("--older-than", text)).transpose()?;
    let states = matches.try_get_many::<String>("pick-state").ok().flatten();
    Ok(Filter {
        now,
        selector: text("selector").map(|text| Selector::parse(text)).transpose()?,
        states: states.into_iter().flatten().cloned().collect(),
        older,
        max: number("max"),
        parallel: number("parallel"),
        shown: matches.try_get_one::<bool>("dry-run").ok().flatten() == Some(&true),
        ignore_missing: matches.try_get_one::<bool>("ignore-missing").ok().flatten().copied().unwrap_or(false),
    })
}

/// What was asked for on the command line.
///
/// # Errors
/// A usage error for an empty name, or what cannot be read.
pub fn read(console: &Console, op: &'static Op, args: Args, matches: &ArgMatches) -> Result<Asked> {
    let params: Vec<&'static str> = op.path_params().collect();
    let mut asked = Asked { args, filter: filter(matches, console.now())?, ..Asked::default() };
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
    CLOUDAPI.noun(last).map_or(Ok(()), |noun| known_states(&asked.filter, noun))?;
    let several = op.takes_several();
    for text in matches.get_many::<String>(last).into_iter().flatten() {
        asked.named = true;
        let names = match text.as_str() {
            "-" if several => {
                asked.from_stdin = true;
                let names = from_stdin(console, CLOUDAPI.noun(last))?;
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

/// The ids or names that standard input has, one a line.
///
/// # Errors
/// It cannot be read, or is far too long.
pub fn from_stdin(console: &Console, noun: Option<&Noun>) -> Result<Vec<String>> {
    let word = noun.map_or("target", |noun| noun.word);
    let fail = |words: String| Error::usage(format!("the {} from standard input: {words}", plural(word)));
    let unreadable = |error| fail("they cannot be read".to_owned()).because(error);
    let bytes = console.streams.rest(STDIN).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, error)))?;
    let text = text.trim_start_matches('\u{feff}');
    let json = |text: &str| {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
        values.next().is_some_and(|first| first.is_ok())
    };
    if text.trim_start().starts_with(['{', '[']) && json(text) {
        let error = fail("they are JSON, and ids or names are expected, one a line".to_owned());
        let list = noun.map(|noun| CommandLine::of(&CLOUDAPI.command(noun.list)).with("-o ids"));
        return Err(list.into_iter().map(Hint::command).fold(error, Error::hint));
    }
    if crate::sensitive::is_key(text) {
        return Err(fail("they are a private key".to_owned()));
    }
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
