//! Words that are no names and yet are known: formats and columns behind `-o`, the filters of a list and their states,
//! and what roles can be put on.

use std::ffi::OsStr;
use std::sync::Arc;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::line::Line;
use super::{names_of, offered};
use crate::api::cloudapi::role_tags;
use crate::api::{CLOUDAPI, Kind, Op};
use crate::cli::args::hints;
use crate::render::FORMATS;

/// What follows `-o`. The option belongs to all commands of a noun, so the line says which columns there are.
pub fn outputs(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let before: Vec<&str> = line.words.iter().skip(1).filter_map(|word| word.to_str()).collect();
        let columns = hints::operation(&(line.tree)(), &before).map_or(&[][..], |(_, op)| CLOUDAPI.columns(op));
        let named = || columns.iter().map(|column| column.name);
        let (before, words): (&str, Vec<&str>) = match typed.rfind([':', ',']) {
            Some(at) => (typed.get(..=at).unwrap_or_default(), named().collect()),
            None => ("", FORMATS.iter().map(|(name, _)| *name).chain(named()).collect()),
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
            return plain(op.fields.iter().filter(|field| !field.name.is_empty()).map(name), &typed);
        };
        let Some(field) = op.fields.iter().find(|field| field.name == name) else { return Vec::new() };
        let states =
            || CLOUDAPI.nouns.iter().find(|noun| std::ptr::eq(noun.list, op)).map_or(&[][..], |noun| noun.states);
        match field.kind {
            Kind::OneOf(words) => plain(words.iter().map(|word| format!("{name}={word}")), &typed),
            Kind::Flag(_) => plain(["true", "false"].iter().map(|word| format!("{name}={word}")), &typed),
            Kind::Ref(noun) => offered(names_of(noun, &line, OsStr::new(value)), &format!("{name}=")),
            _ if name == "state" => plain(states().iter().map(|word| format!("{name}={word}")), &typed),
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

fn plain(words: impl Iterator<Item = String>, typed: &str) -> Vec<CompletionCandidate> {
    words.filter(|word| word.starts_with(typed)).map(CompletionCandidate::new).collect()
}
