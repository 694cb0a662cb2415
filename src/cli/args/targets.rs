//! The options that choose targets, and what was typed for them: ids, names, globs, and ids from standard input.

use std::collections::HashSet;

use clap::builder::NonEmptyStringValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::api::{self, Ids, Method, Noun, Op, Pick, Shape, Takes};
use crate::cli::args::given;
use crate::cli::console::Console;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::grammar::duration;
use crate::grammar::selector::Selector;
use crate::request::{Arg as Value, Args};
use crate::sensitive::{self, Sort};
use crate::tasks::picks;
use crate::tasks::picks::Newest;
use crate::tasks::row_filter::{Reading, RowFilter, is_filter};
use crate::tasks::targets::{ALL, Asked, Filter, MAX_TARGETS, PARALLEL, STDIN as STDIN_WORD};
use crate::tasks::values::Given;
use crate::tasks::words::{plural, titled, word};

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

/// The option that selects the resource whose parts are meant, in the place of its name.
pub fn owner_selector(op: &Op) -> Option<Arg> {
    let all = plural(given::owner(op)?.word);
    Some(selector().help(format!("Of the {all} with these tags, instead of one by name: role=web,env!=prod")))
}

/// The option that selects by tags; what it selects is said by whoever takes it.
pub fn selector() -> Arg {
    Arg::new("selector")
        .long("selector")
        .short('l')
        .action(ArgAction::Append)
        .value_name("TAG=VALUE,...")
        .value_parser(NonEmptyStringValueParser::new())
        .help_heading(SELECTION)
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

/// The targets of a command that only shows something of them: names, and the options that pick.
pub fn any_of(noun: &'static Noun) -> Vec<Arg> {
    let help = format!("{}: {}; globs ('web-*'), or - for stdin", titled(&plural(noun.word)), noun.called);
    let typed = Arg::new(noun.name).value_name(noun.word.to_uppercase()).action(ArgAction::Append).num_args(1..);
    let mut all = picks(noun);
    all.insert(0, typed.required_unless_present_any(picking(noun)).help(help));
    all
}

/// Several of a noun, in words.
pub fn all(noun: &Noun) -> String {
    plural(noun.word)
}

/// The options that pick targets, for an operation that takes several.
pub fn options(command: Command, op: &Op, target: &'static Noun) -> Command {
    let [max, parallel] = limits();
    // What is only shown may be any number.
    let mut command = if op.method == Method::Get { command } else { command.arg(max) };
    if op.targets == Takes::Each {
        command = command.arg(parallel);
    }
    command = command.args(picks(target)).args(owner_selector(op));
    if op.method != Method::Delete {
        return command;
    }
    // What deletes parts of several things leaves the things alone.
    let deletes_it = op.path.rsplit(':').next() == Some(target.name);
    let keep = keep(target, given::owner(op)).filter(|_| deletes_it);
    command = command.args(keep);
    with_ignore_missing(command)
}

/// The option that leaves out the newest, of what says when it was made.
fn keep(target: &Noun, owner: Option<&Noun>) -> Option<Arg> {
    made(target)?;
    let of = match owner {
        Some(owner) => format!(" of each {}", owner.word),
        None if target.version_field.is_some() => " of each name".to_owned(),
        None => String::new(),
    };
    let used = if target.users.is_some() { " and use" } else { "" };
    let keep = Arg::new("keep").long("keep").value_name("N").value_parser(value_parser!(u64).range(1..=1_000_000));
    let help = format!("Leave out the N newest {}{of}, whatever their age{used}", plural(target.word));
    Some(keep.help_heading(SELECTION).help(help))
}

/// The same of a list, where what it lists can be deleted so: it shows what would go.
pub fn keep_of_list(op: &Op, listed: &Noun) -> Option<Arg> {
    let deletes = |other: &'static Op| {
        other.method == Method::Delete && other.takes_several() && other.path.rsplit(':').next() == Some(listed.name)
    };
    keep(listed, given::owner(op)).filter(|_| api::service_of(op).ops().any(deletes))
}

/// The field that says when one was made.
fn made(noun: &Noun) -> Option<&'static str> {
    noun.picks.iter().find_map(|pick| if let Pick::Age(field) = pick { Some(*field) } else { None })
}

/// The options by which things are picked, beside their names: for lists and for actions.
pub fn picks(target: &'static Noun) -> Vec<Arg> {
    let own = |id: &'static str| Arg::new(id).long(id).help_heading(SELECTION);
    let flag = |id: &'static str| own(id).action(ArgAction::SetTrue);
    let all = plural(target.word);
    let pick = |pick: &Pick| match pick {
        Pick::Tags => selector().help("Select by tag: role=web,env!=prod,backup,!old; may be repeated"),
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
    };
    let mut options: Vec<Arg> = target.picks.iter().map(pick).collect();
    if target.owner.is_some() {
        options.push(flag("mine").help(format!("Select the {all} that this account owns")));
    }
    if target.users.is_some() {
        options.push(flag("unused").help(format!("Select the {all} that no machine of this account uses")));
    }
    options
}

/// The options of which one is enough for there to be targets.
pub fn picking(target: &'static Noun) -> Vec<String> {
    picks(target).iter().map(|option| option.get_id().to_string()).collect()
}

/// What rows must be like, as far as the command has options for it. Words are filters by fields of the rows.
///
/// # Errors
/// A usage error for what cannot be read.
pub fn add_picks(matches: &ArgMatches, noun: &'static Noun, now: i64, rows: &mut RowFilter) -> Result<()> {
    let text = |id: &str| matches.try_get_one::<String>(id).ok().flatten();
    let flag = |id: &str| matches.try_get_one::<bool>(id).ok().flatten() == Some(&true);
    // Several are one with commas.
    let selectors = matches.try_get_many::<String>("selector").ok().flatten();
    let selector = selectors.map(|all| all.map(String::as_str).collect::<Vec<_>>().join(","));
    if let Some(number) = selector.as_ref().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())) {
        let error = Error::usage(format!("'{number}' is not a selector: -l selects by tags, as in role=web"));
        // The older tools' `-l` is a limit in lists.
        let limited = matches.try_contains_id("limit").is_ok();
        return Err(if limited { error.hint(format!("the first {number}: --limit {number}")) } else { error });
    }
    // That of parts selects what they are parts of.
    if noun.picks.contains(&Pick::Tags) {
        rows.picks.selector = selector.as_deref().map(Selector::parse).transpose()?;
    }
    let states = matches.try_get_many::<String>("pick-state").ok().flatten();
    rows.in_states(noun, states.into_iter().flatten().cloned().collect())?;
    if let Some(text) = text("older-than") {
        let age = duration::age("--older-than", text)?;
        rows.older_than(made(noun).unwrap_or("created"), age, now);
    }
    if flag("mine") {
        rows.picks.of_mine(noun);
    }
    if flag("unused") {
        rows.picks.of_unused(noun);
    }
    Ok(())
}

/// Reads the options, as far as the command has them, and the filters among the words.
///
/// # Errors
/// A usage error for what cannot be read.
pub fn filter(
    matches: &ArgMatches,
    noun: Option<&'static Noun>,
    words: Vec<String>,
    console: &Console,
) -> Result<Filter> {
    let number = |id: &str| {
        let number = matches.try_get_one::<u64>(id).ok().flatten();
        number.map(|number| usize::try_from(*number).unwrap_or(usize::MAX))
    };
    let flag = |id: &str| matches.try_get_one::<bool>(id).ok().flatten() == Some(&true);
    let (mut query, mut named) = (Args::new(), Vec::new());
    let mut rows = RowFilter::default();
    if let Some(noun) = noun {
        let reading =
            Reading { service: api::service_of(noun.list), op: noun.list, now: console.now(), files: console };
        RowFilter::only_filters(noun.list, &words)?;
        named.clone_from(&words);
        rows = RowFilter::read(&reading, &Given { words, ..Given::default() }, &mut query)?;
        add_picks(matches, noun, console.now(), &mut rows)?;
    }
    Ok(Filter {
        rows,
        query,
        typed: named,
        max: number("max"),
        parallel: number("parallel"),
        shown: flag("dry-run"),
        ignore_missing: flag("ignore-missing"),
        keep: number("keep"),
    })
}

/// How many of the newest a list leaves out, of each thing whose parts they are.
pub fn kept(matches: &ArgMatches, noun: &Noun) -> Option<Newest> {
    let count = matches.try_get_one::<u64>("keep").ok().flatten()?;
    Some(Newest::of(noun, usize::try_from(*count).unwrap_or(usize::MAX)))
}

/// What is typed without dashes for a noun: names, those of standard input, and filters of its list.
#[derive(Default)]
pub struct Words {
    /// Ids, names and globs.
    pub names: Vec<String>,
    /// Those that standard input named.
    pub listed: HashSet<String>,
    /// Whether standard input was asked for them.
    pub from_stdin: bool,
    /// `state=running`.
    pub filters: Vec<String>,
}

impl Words {
    /// Tells names from filters, and reads the names of standard input for `-`.
    ///
    /// # Errors
    /// Standard input cannot be read.
    pub fn read<'a>(
        console: &Console,
        noun: Option<&'static Noun>,
        typed: impl Iterator<Item = &'a String>,
        is_filter: impl Fn(&str) -> bool,
    ) -> Result<Words> {
        let mut words = Words::default();
        for text in typed {
            let names = match text.as_str() {
                "-" => {
                    words.from_stdin = true;
                    let names = from_stdin(console, noun)?;
                    words.listed.extend(names.iter().cloned());
                    names
                }
                text if is_filter(text) => {
                    words.filters.push(text.to_owned());
                    continue;
                }
                text => vec![text.to_owned()],
            };
            for name in names {
                if !words.names.contains(&name) {
                    words.names.push(name);
                }
            }
        }
        Ok(words)
    }
}

/// The words of a list: what it shows, and the filters.
///
/// # Errors
/// Standard input cannot be read; an empty word.
pub fn of_list(console: &Console, op: &Op, matches: &ArgMatches) -> Result<Words> {
    let noun = api::listed_by(op).filter(|noun| picks::is_nameable(noun));
    let first = op.path_params().next().filter(|_| given::selects_owner(op, matches) && !given::of_all(op, matches));
    let first = first.and_then(|param| matches.get_many::<String>(param)).into_iter().flatten();
    let typed = first.chain(matches.try_get_many::<String>("FILTER").ok().flatten().into_iter().flatten());
    if let (Some(noun), true) = (noun, typed.clone().any(String::is_empty)) {
        return Err(Error::usage(format!("the name of the {} is empty: is a variable unset?", noun.word)));
    }
    // Without names every word is meant as a filter, and refused as one.
    Words::read(console, noun, typed, |word| noun.is_none() || !may_be_name(word))
}

/// Whether a word of a list names something rather than say what it must be like.
fn may_be_name(word: &str) -> bool {
    let spelling = word.starts_with('!') || ["tag.", "tags."].iter().any(|prefix| word.starts_with(prefix));
    let other = word.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(char::is_alphabetic));
    !spelling && !other && !word.contains(['=', '<', '>']) && !word.contains("!~")
}

/// What was asked for on the command line.
///
/// # Errors
/// A usage error for an empty name, or what cannot be read.
pub fn read(console: &Console, op: &'static Op, args: Args, matches: &ArgMatches) -> Result<Asked> {
    let params: Vec<&'static str> = op.path_params().collect();
    let mut asked = Asked { args, ..Asked::default() };
    let Some((last, before)) = params.split_last() else {
        asked.filter = filter(matches, None, Vec::new(), console)?;
        return Ok(asked);
    };
    for param in &params {
        if matches.get_many::<String>(param).into_iter().flatten().any(String::is_empty) {
            return Err(Error::usage(format!("the name of the {} is empty: is a variable unset?", word(param))));
        }
    }
    let owner = given::owner(op).filter(|_| given::selects_owner(op, matches));
    let filtered = owner.is_none() && given::filters_owner(op, matches).is_some();
    if let Some(noun) = owner {
        add_picks(matches, noun, console.now(), &mut asked.owners)?;
        asked.parents.push((noun.name, "*".to_owned()));
        asked.in_owners_place = given::in_owners_place(op, matches).cloned();
    } else if let Some((noun, word)) = given::filters_owner(op, matches) {
        let mut query = Args::new();
        let reading =
            Reading { service: api::service_of(noun.list), op: noun.list, now: console.now(), files: console };
        asked.owners = RowFilter::read(&reading, &Given { words: vec![word.clone()], ..Given::default() }, &mut query)?;
        asked.owners.compare_here(&mut query);
        asked.parents.push((noun.name, ALL.to_owned()));
    } else {
        for (at, param) in before.iter().enumerate() {
            if let Some(text) = matches.get_one::<String>(param) {
                if at == 0 && text == STDIN_WORD && op.takes_globs() {
                    asked.owner_names = from_stdin(console, api::noun(param))?;
                }
                asked.args.push(*param, Value::Text(text.clone()));
                asked.parents.push((*param, text.clone()));
            }
        }
    }
    asked.param = Some(last);
    let noun = api::noun(last);
    let several = noun.filter(|_| op.takes_several());
    let typed = if given::is_shared(op) { given::shared(op, matches)?.targets } else { given::typed(op, matches) };
    let Some(noun) = several else {
        if before.is_empty() && (owner.is_some() || filtered) {
            // The list is that of the parts of all that fit.
            (asked.filter.rows, asked.owners, asked.parents) =
                (std::mem::take(&mut asked.owners), RowFilter::default(), Vec::new());
            asked.filter.shown = true;
            return Ok(asked);
        }
        asked.typed = typed;
        if op.takes_globs() && asked.typed == [STDIN_WORD] {
            asked.typed = from_stdin(console, noun)?;
            asked.listed.extend(asked.typed.iter().cloned());
            (asked.from_stdin, asked.named) = (true, true);
            asked.filter.shown = true;
            return Ok(asked);
        }
        asked.named = !asked.typed.is_empty();
        asked.filter = filter(matches, None, Vec::new(), console)?;
        asked.filter.shown |= op.method == Method::Get;
        return Ok(asked);
    };
    // Names of other things may have such signs in them.
    let odd = |word: &str| noun.ids == Ids::Uuid && !may_be_name(word);
    let is_filter =
        |word: &str| noun.list.is_list() && (odd(word) || is_filter(api::service_of(noun.list), noun.list, word));
    let words = Words::read(console, Some(noun), typed.iter(), is_filter)?;
    let picked = picking(noun).iter().any(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    if owner.is_some() && typed.is_empty() && !picked {
        let all = if noun.list.shape == Shape::Rows { "; all of them: '*'" } else { "" };
        return Err(Error::usage(format!("{} is missing", noun.word.to_uppercase()))
            .hint(format!("--selector stands for the name before it{all}")));
    }
    asked.named = !words.names.is_empty() || words.from_stdin;
    asked.filter = filter(matches, Some(noun), words.filters, console)?;
    asked.filter.shown |= op.method == Method::Get;
    (asked.typed, asked.listed, asked.from_stdin) = (words.names, words.listed, words.from_stdin);
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
        let list = noun.map(|noun| CommandLine::of(&api::command(noun.list)).with("-o ids"));
        return Err(list.into_iter().map(Hint::command).fold(error, Error::hint));
    }
    if sensitive::is_key(text) {
        return Err(fail("they are a private key".to_owned()));
    }
    // As where they are typed: neither a line of a key nor a password is looked up, nor repeated.
    for (at, line) in text.lines().enumerate() {
        if let Some(sort @ (Sort::Key | Sort::Line | Sort::Login | Sort::Userinfo)) = sensitive::sort(line.trim()) {
            return Err(fail(format!("line {} holds {sort}, which does not belong there", at + 1)));
        }
    }
    // A name may begin or end with blanks, and without them be that of another one.
    let lines = text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::to_owned).collect())
}
