//! What was typed for an operation's fields: clap's matches become plain texts here.

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::api::{self, Field, Kind, Noun, Op, Pick};
use crate::error::{CommandLine, Error, Hint, Result};
use crate::grammar::selector::is_glob;
use crate::sensitive::quoted;
use crate::tasks::row_filter::is_filter;
use crate::tasks::targets::ALL;
use crate::tasks::values::Given;

/// Words without dashes of a command that takes several targets and, behind them, fields.
#[derive(Default)]
pub struct Words {
    /// What was typed for the targets.
    pub targets: Vec<String>,
    /// What was typed for the fields.
    pub fields: Vec<(&'static Field, String)>,
}

/// Whether targets and fields are typed in a row: `machines resize web1 web2 g1-small`.
pub fn is_shared(op: &Op) -> bool {
    op.takes_several() && op.fields.iter().any(|field| field.positional)
}

/// The words for the last parameter of the path. Where a selector stands for the resource that the others are parts of,
/// the word in its place is one of them.
pub fn typed(op: &Op, matches: &ArgMatches) -> Vec<String> {
    let mut params: Vec<&str> = op.path_params().collect();
    if !selects_owner(op, matches) {
        params = params.pop().into_iter().collect();
    }
    let words = params.into_iter().flat_map(|param| matches.get_many::<String>(param).into_iter().flatten());
    words.skip(usize::from(of_all(op, matches))).cloned().collect()
}

/// The noun whose tags select the resource that an operation's targets, or the rows of its list, are parts of.
pub fn owner(op: &Op) -> Option<&'static Noun> {
    let mut params = op.path_params();
    let noun = api::noun(params.next()?)?;
    let of_parts = params.next().is_some() || op.is_list() && !op.takes_several();
    (of_parts && op.takes_globs() && noun.picks.contains(&Pick::Tags)).then_some(noun)
}

/// Whether the selector was typed in the place of that resource.
pub fn selects_owner(op: &Op, matches: &ArgMatches) -> bool {
    owner(op).is_some() && matches.value_source("selector") == Some(ValueSource::CommandLine)
}

/// The filter that stands for the resource: `nics list package=g1-small`.
pub fn filters_owner<'a>(op: &Op, matches: &'a ArgMatches) -> Option<(&'static Noun, &'a String)> {
    let noun = owner(op).filter(|_| !selects_owner(op, matches))?;
    let word = matches.try_get_one::<String>(noun.name).ok().flatten()?;
    is_filter(api::service_of(noun.list), noun.list, word).then_some((noun, word))
}

/// The words of a command whose resource a selector picks: the first, which stands where that is named, and whether more
/// follow.
fn first_of<'a>(op: &Op, matches: &'a ArgMatches) -> Option<(&'a String, bool)> {
    let params: Vec<&str> = op.path_params().filter(|_| selects_owner(op, matches)).chain(["FILTER"]).collect();
    let words = |id: &&str| matches.try_get_many::<String>(id).ok().flatten();
    let mut words = params.iter().filter_map(words).flatten();
    let first = matches.try_get_one::<String>(params[0]).ok().flatten()?;
    words.next();
    Some((first, words.next().is_some()))
}

/// Whether the glob of all stands for the resource, which a selector then narrows.
pub fn of_all(op: &Op, matches: &ArgMatches) -> bool {
    selects_owner(op, matches) && first_of(op, matches).is_some_and(|(first, more)| first == ALL && more)
}

/// The first word, as far as it would name the resource if no selector stood for that.
pub fn in_owners_place<'a>(op: &Op, matches: &'a ArgMatches) -> Option<&'a String> {
    let (first, more) = first_of(op, matches)?;
    let named = !is_glob(first) || first != ALL && (more || op.is_list());
    named.then_some(first)
}

/// Whether any number of a field's values is typed: `role=web stage=test`.
fn is_pairs(field: &Field) -> bool {
    matches!(field.kind, Kind::FlatPairs(_) | Kind::Tags(_))
}

/// Tells the targets from the fields behind them. Pairs are told by their sign.
///
/// # Errors
/// A usage error for what is missing.
pub fn shared(op: &'static Op, matches: &ArgMatches) -> Result<Words> {
    if !is_shared(op) {
        return Ok(Words::default());
    }
    let Some(noun) = op.path_params().last().and_then(|param| api::noun(param)) else {
        return Ok(Words::default());
    };
    let typed = typed(op, matches).into_iter();
    let mut words = Words::default();
    let fields: Vec<&'static Field> = op.fields.iter().filter(|field| field.positional).collect();
    match fields.as_slice() {
        [field] if is_pairs(field) => {
            for word in typed {
                // A condition is no pair.
                let name = word.split('=').next().unwrap_or_default();
                if !word.starts_with('@')
                    && word.contains('=')
                    && (name.ends_with(['!', '<', '>']) || word.contains("=~"))
                {
                    return Err(Error::usage(format!(
                        "'{}' is a condition, and NAME=VALUE is set here",
                        quoted(&word)
                    ))
                    .hint("to select by tags or state: --selector, --state"));
                }
                match word.contains('=') || word.starts_with(['@', '{']) {
                    true => words.fields.push((field, word)),
                    false => words.targets.push(word),
                }
            }
            words.fields.extend(sources(matches).map(|file| (*field, format!("@{file}"))));
            if field.required && words.fields.is_empty() {
                let pair = shown(field);
                return Err(Error::usage(match words.targets.as_slice() {
                    [_, .., last] => format!("'{}' is not {pair}", quoted(last)),
                    _ => format!("what to set is missing: {pair}, or --from FILE"),
                }));
            }
        }
        fields => {
            words.targets = typed.collect();
            if let [Field { kind: Kind::Nic, .. }] = fields {
                join_nic(&mut words.targets);
            }
            let Some(at) = words.targets.len().checked_sub(fields.len()) else {
                let missing = fields.get(words.targets.len()).map(|field| shown(field)).unwrap_or_default();
                return Err(Error::usage(format!("{missing} is missing behind the {}", super::targets::all(noun))));
            };
            words.fields = fields.iter().copied().zip(words.targets.split_off(at)).collect();
        }
    }
    let picked =
        super::targets::picking(noun).iter().any(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    if !words.targets.is_empty() || picked {
        return Ok(words);
    }
    let missing = match fields.first().filter(|field| !is_pairs(field)) {
        Some(field) => shown(field),
        None => noun.word.to_uppercase(),
    };
    Err(Error::usage(format!("{missing} is missing"))
        .hint(Hint::run("how it is typed", CommandLine::of(&format!("{} --help", words_of(op))))))
}

/// Joins the parts of a network that were typed as words of their own: `network=backend ip=10.10.0.20`.
fn join_nic(words: &mut Vec<String>) {
    let begins = |word: &String| ["network=", "ipv4_uuid="].iter().any(|name| word.starts_with(name));
    if let Some(at) = words.iter().position(begins).filter(|at| words[at + 1..].iter().all(|word| word.contains('='))) {
        let nic = words.split_off(at).join(",");
        words.push(nic);
    }
}

/// How the ids of arguments begin that may be typed without the option's name.
pub const WORD: &str = "word-";

/// The option for a file of what is set.
pub const FROM: &str = "from";

/// The files of `--from`.
pub fn sources(matches: &ArgMatches) -> impl Iterator<Item = &String> {
    matches.try_get_many::<String>(FROM).ok().flatten().into_iter().flatten()
}

/// Whether pairs are set behind the targets.
pub fn sets_pairs(op: &Op) -> bool {
    is_shared(op) && op.fields.iter().any(|field| field.positional && is_pairs(field))
}

/// The command of an operation without its targets.
pub fn words_of(op: &Op) -> String {
    api::words(op)
}

/// The word that stands for a field in help.
pub fn shown(field: &Field) -> String {
    match is_pairs(field) {
        true => "NAME=VALUE".to_owned(),
        false => field.value.unwrap_or(field.flag.unwrap_or(field.name)).to_uppercase(),
    }
}

/// Reads the options of the fields that were typed, in the order of the fields, and the words without dashes.
///
/// # Errors
/// A usage error for what is missing.
pub fn read(op: &'static Op, matches: &ArgMatches) -> Result<Given> {
    let mut given = Given::default();
    let in_a_row = is_shared(op);
    if in_a_row {
        given.fields = shared(op, matches)?.fields;
    }
    for field in op.fields.iter().filter(|field| !matches!(field.kind, Kind::CopyOf(_))) {
        if in_a_row && field.positional {
            continue;
        }
        if field.or_word
            && let Some(text) = matches.try_get_one::<String>(&format!("{WORD}{}", field.name)).ok().flatten()
        {
            given.fields.push((field, text.clone()));
        }
        if matches.value_source(field.name) != Some(ValueSource::CommandLine) {
            continue;
        }
        match field.kind {
            Kind::Flag(value) => given.fields.push((field, value.to_owned())),
            Kind::Integer => {
                given.fields.extend(matches.get_one::<u64>(field.name).map(|number| (field, number.to_string())));
            }
            _ => {
                let texts = matches.get_many::<String>(field.name).into_iter().flatten();
                given.fields.extend(texts.map(|text| (field, text.clone())));
            }
        }
    }
    // Those of a list are names too: `targets` tells them apart.
    if !op.is_list() {
        let words = matches.try_get_many::<String>("FILTER").ok().flatten();
        given.words.extend(words.into_iter().flatten().cloned());
    }
    Ok(given)
}
