//! The errors for what is not in a list, with what is spelled like it, and for what is in it more than once. It looks for
//! nothing itself.

use std::sync::atomic::Ordering;

use super::{Candidate, Candidates};
use crate::api::{Ids, Noun, Shape};
use crate::error::{CommandLine, Error, Hint, Kind};

/// How many candidates an error names.
const CANDIDATES: usize = 8;
/// For so many names that are missing what is spelled like them is looked for, each time among all there is.
pub(super) const SUGGESTED: usize = 8;

/// The error for a name that nothing has.
pub(in crate::tasks) fn missing(known: &Candidates, typed: &str) -> Error {
    let Candidates { noun, lister, things, .. } = known;
    let error = Error::new(Kind::NotFound, format!("no {} named '{}'", noun.word, crate::tasks::words::brief(typed)));
    // A line of a table that was piped here.
    if typed.trim().contains(char::is_whitespace) {
        return error.hint(Hint::run("their ids alone, one a line", CommandLine::of(lister).with("-o ids")));
    }
    // A filter of a list stands where one name is expected.
    if noun.list.shape == Shape::Rows && typed.contains(['=', '<', '>']) {
        return error.hint(Hint::run("those", CommandLine::of(lister).on(typed)));
    }
    // `name~^web`: the operator of a regular expression has two signs.
    if let Some((field, pattern)) = typed.split_once('~').filter(|_| noun.list.shape == Shape::Rows)
        && (field == noun.name_field || noun.list.fields.iter().any(|known| known.is_called(field)))
    {
        return error.hint(Hint::run("those", CommandLine::of(lister).on(format!("{field}=~{pattern}"))));
    }
    if noun.list.shape == Shape::Rows && crate::grammar::selector::is_glob(typed) {
        return error.hint(format!("this takes the name of one {}, not a glob", noun.word));
    }
    if noun.list.shape == Shape::Rows && crate::grammar::range::names(typed).is_ok_and(|names| names.is_some()) {
        return error.hint(format!("this takes the name of one {}, not a range", noun.word));
    }
    // What is gone is of no use in its place.
    let there = things.iter().filter(|thing| thing.is_there());
    let error = match known.missed.fetch_add(1, Ordering::Relaxed) < SUGGESTED {
        true => crate::tasks::near::offered(error, typed, there.map(|thing| thing.name.as_str())),
        false => error,
    };
    let error = error.hint(Hint::run("list them", CommandLine::of(lister)));
    // The name of another owner may stand there; an address is none.
    let owner = noun.list.path_params().next().filter(|_| noun.list.takes_globs());
    match owner.filter(|_| noun.ids != Ids::Mac || !typed.contains(['.', ':'])) {
        Some(owner) => error.hint(crate::tasks::words::of_several(crate::tasks::words::word(owner))),
        None => error,
    }
}

/// The error for what several are called, or how their ids begin.
pub(super) fn ambiguous(noun: &Noun, typed: &str, found: &[&Candidate]) -> Error {
    let words = format!(
        "'{}' fits {} {}",
        crate::tasks::words::brief(typed),
        found.len(),
        crate::tasks::words::plural(noun.word)
    );
    let mut error = Error::new(Kind::Ambiguous, words);
    for thing in found.iter().take(CANDIDATES) {
        let version = if thing.version.is_empty() { String::new() } else { format!("@{}", thing.version) };
        error = error.hint(
            format!(
                "{} {}{version} {}",
                thing.id,
                crate::tasks::words::brief(&thing.name),
                crate::tasks::words::brief(&thing.about)
            )
            .trim_end()
            .to_owned(),
        );
    }
    error.hint("use the id of the one that is meant")
}
