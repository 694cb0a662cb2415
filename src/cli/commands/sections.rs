//! What the file of settings says of commands, compared with the commands that there are.

use std::ffi::OsString;

use clap::Command;

use super::{find, shortcuts};
use crate::api::{self, Op, Shape, Takes};
use crate::config::own::{Own, Section};
use crate::render;
use crate::sensitive::shown;

/// What is wrong with the sections of commands, each with its line: commands that are none, or have another name, and
/// settings that mean nothing to them. `tree` makes all commands.
pub(crate) fn faults(own: &Own, tree: fn() -> Command) -> Vec<(usize, String)> {
    let mut all = None;
    let mut faults = Vec::new();
    for (section, line) in own.sections() {
        let Section::Command(words) = section else { continue };
        if let Some(op) = api::operation(words) {
            let entries = own.of_command(words).filter(|(name, ..)| !means(op, name));
            faults.extend(entries.map(|(name, line, _)| (line, format!("{name} means nothing to '{words}'"))));
        } else if find(words).is_none() {
            let all = all.get_or_insert_with(tree);
            faults.extend(unknown(words, all).map(|fault| (*line, fault)));
        }
    }
    faults
}

/// The columns of commands that their lists do not have, each with its line.
pub(crate) fn unknown_columns(own: &Own) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    for (section, _) in own.sections() {
        let Section::Command(words) = section else { continue };
        let Some(op) = api::operation(words) else { continue };
        let known = api::columns(op);
        for (name, line, text) in own.of_command(words) {
            let read = match name {
                "columns" => render::parse_columns(text, known).map(|_| ()),
                "sort" => render::parse_sort(text, known).map(|_| ()),
                _ => Ok(()),
            };
            faults.extend(read.err().map(|error| (line, format!("{name} of '{words}': {}", error.message()))));
        }
    }
    faults
}

/// Whether a setting means something to an operation's command.
fn means(op: &Op, name: &str) -> bool {
    match name {
        "output" => op.shape != Shape::Nothing || op.takes_several(),
        "columns" | "sort" => matches!(op.shape, Shape::Rows | Shape::Map),
        "timeout" => op.goal.is_some(),
        "parallel" => op.targets == Takes::Each,
        name => op.fields.iter().any(|field| field.or_setting && field.long_name() == name),
    }
}

/// What is wrong with the name of a command.
fn unknown(words: &str, tree: &Command) -> Option<String> {
    let called = |name: &str| format!("the command '{}' is called '{name}'", shown(words));
    let typed: Vec<OsString> = std::iter::once("sdc").chain(words.split_whitespace()).map(OsString::from).collect();
    let long = shortcuts::spelled_out(&typed);
    let long: Vec<&str> = long.as_deref().unwrap_or(&typed).iter().skip(1).filter_map(|word| word.to_str()).collect();
    let (mut known, mut last) = (Vec::new(), tree);
    for word in long {
        let Some(next) = last.find_subcommand(word) else { return Some(unheard(words)) };
        known.push(next.get_name());
        last = next;
    }
    match known.join(" ") {
        _ if last.has_subcommands() || known.is_empty() => Some(unheard(words)),
        known if known != words => Some(called(&known)),
        _ => None,
    }
}

/// A command that is not there, with one that ends so.
fn unheard(words: &str) -> String {
    let names = api::ops().map(api::words);
    let near = names.into_iter().find(|name| name.strip_suffix(words).is_some_and(|rest| rest.ends_with(' ')));
    match near {
        Some(near) => format!("there is no command '{}': did you mean '{near}'?", shown(words)),
        None => format!("there is no command '{}'", shown(words)),
    }
}
