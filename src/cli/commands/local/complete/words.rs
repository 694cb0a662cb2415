//! Words that are no names and yet are known: formats and columns behind `-o`, the filters of a list and their states,
//! and what roles can be put on.

use std::ffi::OsStr;
use std::sync::Arc;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::line::Line;
use super::{names_of, offered, tags_of};
use crate::api::cloudapi::{machines, role_tags};
use crate::api::{self, CLOUDAPI, Holds, Kind, Noun, Op, Pick};
use crate::cli::args::hints;
use crate::cli::commands::local::help::TOPICS;
use crate::cli::commands::machines::get::CREATE;
use crate::render::FORMATS;
use crate::tasks::wait_for::waitable;

/// What follows `-o`. The option belongs to all commands of a noun, so the line says which columns there are.
pub fn outputs(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let before: Vec<&str> = line.words.iter().skip(1).filter_map(|word| word.to_str()).collect();
        let op = hints::operation(&(line.tree)(&line.words), &before).map(|(_, op)| op);
        let columns = op.map_or(&[][..], |op| api::columns(op));
        let document = op.is_some_and(|op| std::ptr::eq(op, &machines::GET)).then_some(CREATE);
        let named = || columns.iter().map(|column| column.name);
        let (before, words): (&str, Vec<&str>) = match typed.rfind([':', ',']) {
            Some(at) => (typed.get(..=at).unwrap_or_default(), named().collect()),
            None => ("", FORMATS.iter().map(|(name, _)| *name).chain(document).chain(named()).collect()),
        };
        plain(words.into_iter().map(|word| format!("{before}{word}")), &typed)
    })
}

/// The filters of a list, and their values where those are known.
pub fn filters(op: &'static Op, line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let Some((name, value)) = typed.split_once('=') else {
            let name = |field: &crate::api::Field| match field.kind {
                Kind::Pairs(prefix) => prefix.to_owned(),
                _ => format!("{}=", field.name),
            };
            let fields = op.fields.iter().filter(|field| !field.name.is_empty());
            let known = |column: &&crate::api::Column| !op.fields.iter().any(|field| field.is_called(column.name));
            let columns = api::columns(op).iter().filter(|column| !column.field.is_empty()).filter(known);
            let columns = columns
                .map(|column| if column.nested { format!("{}.", column.name) } else { format!("{}=", column.name) });
            let filters = plain(fields.map(name).chain(columns), &typed);
            // What the list shows can be named too.
            let listed = api::listed_by(op);
            let tagged = typed.split_once('.').filter(|(object, _)| matches!(*object, "tag" | "tags"));
            if let Some(((object, tag), noun)) = tagged.zip(listed.filter(|noun| noun.picks.contains(&Pick::Tags))) {
                let tags = tags_of(noun, &line, tag).into_iter().map(|tag| format!("{object}.{tag}="));
                return plain(tags, &typed);
            }
            let names = listed.map(|noun| offered(names_of(noun, &line, OsStr::new(&*typed)), "")).unwrap_or_default();
            return names.into_iter().chain(filters).collect();
        };
        if let Some(noun) = api::listed_by(op).filter(|_| name.starts_with("tag.") || name.starts_with("tags.")) {
            let (before, tag) = name.split_once('.').unwrap_or_default();
            let tags = tags_of(noun, &line, &format!("{tag}={value}"));
            return plain(tags.into_iter().map(|tag| format!("{before}.{tag}")), &typed);
        }
        let Some(field) = op.fields.iter().find(|field| field.name == name) else {
            return match api::columns(op).iter().find(|column| column.name == name).map(|column| column.holds) {
                Some(Holds::Id(noun) | Holds::Name(noun)) => {
                    offered(names_of(noun, &line, OsStr::new(value)), &format!("{name}="))
                }
                Some(Holds::Truth) => listed(&format!("{name}="), &["true", "false"], &typed),
                _ => Vec::new(),
            };
        };
        let states =
            || CLOUDAPI.nouns.iter().find(|noun| std::ptr::eq(noun.list, op)).map_or(&[][..], |noun| noun.states);
        match field.kind {
            Kind::OneOf(words) if name != "state" => plain(words.iter().map(|word| format!("{name}={word}")), &typed),
            Kind::Flag(word) => listed(&format!("{name}="), &[word], &typed),
            Kind::Bool => listed(&format!("{name}="), &["true", "false"], &typed),
            Kind::Ref(noun) => offered(names_of(noun, &line, OsStr::new(value)), &format!("{name}=")),
            _ if !field.words.is_empty() => listed(&format!("{name}="), field.words, &typed),
            _ if name == "state" => listed(&format!("{name}={}", before_comma(value)), states(), &typed),
            _ => Vec::new(),
        }
    })
}

/// What roles can be put on: a collection, or one thing of it.
pub fn resources(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let text = typed.to_string_lossy();
        match text.split_once('/') {
            None => plain(role_tags::COLLECTIONS.iter().map(|(name, _)| (*name).to_owned()), &text),
            Some((collection, name)) => match role_tags::by_name(collection) {
                Some(noun) => offered(names_of(noun, &line, OsStr::new(name)), &format!("{collection}/")),
                None => Vec::new(),
            },
        }
    })
}

/// What stands before the last of several words, with its comma.
fn before_comma(typed: &str) -> &str {
    typed.rfind(',').map_or("", |at| typed.get(..=at).unwrap_or_default())
}

fn listed(before: &str, words: &[&str], typed: &str) -> Vec<CompletionCandidate> {
    plain(words.iter().map(|word| format!("{before}{word}")), typed)
}

/// Several of these words, with commas between.
pub fn several(words: &'static [&'static str]) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        listed(before_comma(&typed), words, &typed)
    })
}

/// One of these words.
pub fn known(words: &'static [&'static str]) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| listed("", words, &typed.to_string_lossy()))
}

/// What `sdc wait` waits for.
pub const WAITABLE: &[&str] = &["machines", "images", "volumes", "snapshots"];

/// The noun of `sdc wait`, which the line has before.
fn waited_noun(line: &Line) -> Option<&'static Noun> {
    let word = line.words.get(2)?.to_str()?;
    waitable(&CLOUDAPI, word).ok().map(|(noun, _)| noun)
}

/// The things that `sdc wait` can wait for.
pub fn waited(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        waited_noun(&line).map(|noun| offered(names_of(noun, &line, typed), "")).unwrap_or_default()
    })
}

/// The conditions of `sdc wait --for`.
pub fn conditions(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let noun = waited_noun(&line);
        let states = noun.map_or(&[][..], |noun| noun.states).iter().map(|state| format!("state={state}"));
        let machine = noun.is_some_and(|noun| noun.name == "machine");
        let own = ["ready", "deleted"].into_iter().chain(["ssh", "port=", "tag."].into_iter().filter(|_| machine));
        plain(own.map(str::to_owned).chain(states), &typed.to_string_lossy())
    })
}

/// The columns that `--sort` takes.
pub fn sorts(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let before: Vec<&str> = line.words.iter().skip(1).filter_map(|word| word.to_str()).collect();
        let op = hints::operation(&(line.tree)(&line.words), &before).map(|(_, op)| op);
        let columns = op.map_or(&[][..], |op| api::columns(op));
        let begin = before_comma(&typed);
        let minus = if typed.get(begin.len()..).is_some_and(|rest| rest.starts_with('-')) { "-" } else { "" };
        plain(columns.iter().map(|column| format!("{begin}{minus}{}", column.name)), &typed)
    })
}

/// The tags by which a noun's things are selected.
pub fn selectors(noun: &'static Noun, line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let begin = before_comma(&typed);
        let last = typed.get(begin.len()..).unwrap_or_default();
        plain(tags_of(noun, &line, last).into_iter().map(|tag| format!("{begin}{tag}")), &typed)
    })
}

/// The commands and topics that `sdc help` has a page of.
pub fn pages(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let mut tree = (line.tree)(&line.words);
        let mut topics = Vec::new();
        let above: Vec<&str> = line.words.iter().skip(2).filter_map(|word| word.to_str()).collect();
        if above.is_empty() {
            topics.extend(TOPICS.iter().map(|(topic, _)| (*topic).to_owned()));
        }
        for word in above {
            match tree.find_subcommand(word).cloned() {
                Some(sub) => tree = sub,
                None => return Vec::new(),
            }
        }
        let names = tree.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| sub.get_name().to_owned());
        plain(names.chain(topics), &typed.to_string_lossy())
    })
}

fn plain(words: impl Iterator<Item = String>, typed: &str) -> Vec<CompletionCandidate> {
    words.filter(|word| word.starts_with(typed)).map(CompletionCandidate::new).collect()
}
