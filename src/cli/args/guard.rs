//! Keeps secrets that were typed in the wrong place from being shown or sent: everything typed is looked at once, before
//! anything else is done with it. What a secret looks like, `sensitive` knows; here is what may stand where.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::api::cloudapi::machines;
use crate::api::{CLOUDAPI, Field, Kind, Op};
use crate::error::{Error, Result};
use crate::sensitive::{self, Sort};
use crate::tasks::secrets;
use crate::tasks::values::Files;

/// What an argument may hold.
#[derive(Clone, Copy)]
enum Class {
    /// Data, or a command for elsewhere: it is nobody's business here.
    Data,
    /// Text that may be long and have lines, but is no key.
    Text,
    /// A name, a number, a word: nothing that may be a secret.
    Name,
    /// An address of mail, which may be longer than a name.
    Address,
    /// Conditions on tags: their names are looked at, their values are data.
    Selector,
    /// The path of a file.
    File,
}

/// So many parts of a path are looked at.
const MAX_PARTS: usize = 300;

/// Body fields that are prose.
const PROSE: &[&str] = &["description", "homepage", "eula", "address", "companyName"];

/// Refuses a secret where none belongs.
///
/// # Errors
/// A usage error that names the argument and does not repeat its value.
pub fn check(command: &Command, matches: &ArgMatches, files: &dyn Files) -> Result<()> {
    let (mut command, mut matches, mut words) = (command, matches, Vec::new());
    loop {
        let op = operation(&words);
        for arg in command.get_arguments() {
            each(arg, matches, op, &words, files)?;
        }
        let Some((word, below)) = matches.subcommand() else { return Ok(()) };
        let Some(next) = command.find_subcommand(word) else { return Ok(()) };
        words.push(next.get_name());
        (command, matches) = (next, below);
    }
}

/// A key that is a word of its own begins with dashes, so that clap takes it for an option that it does not know. What is
/// wrong with it is where it stands.
pub fn misplaced(root: &Command, args: &[OsString], files: &dyn Files) -> Option<Error> {
    let typed: Vec<&str> = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default()).collect();
    let at =
        typed.iter().position(|arg| arg.starts_with("-----BEGIN") || arg.starts_with('-') && sensitive::is_key(arg))?;
    // Without quotes it is many words.
    let text = typed.get(at..)?.join(" ");
    let (mut chain, mut words) = (vec![root], Vec::new());
    for word in typed.get(..at)? {
        if let Some(next) = chain.last()?.find_subcommand(word) {
            words.push(next.get_name());
            chain.push(next);
        }
    }
    let before = at.checked_sub(1).and_then(|before| typed.get(before)).copied().unwrap_or_default();
    let is_meant = |arg: &&Arg| match (before.strip_prefix("--"), before.strip_prefix('-')) {
        (Some(long), _) => arg.get_long_and_visible_aliases().is_some_and(|names| names.contains(&long)),
        (None, Some(short)) => arg.get_short().is_some_and(|letter| short.ends_with(letter)),
        (None, None) => false,
    };
    let takes = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let option = chain.iter().flat_map(|command| command.get_arguments()).filter(takes).find(is_meant);
    let arg = option.or_else(|| chain.last()?.get_positionals().next())?;
    let field = operation(&words).and_then(|op| op.fields.iter().find(|field| field.name == arg.get_id().as_str()));
    let class = field.map_or_else(|| of_own(arg, &words, 0), |field| of_field(field, &words, &text).0);
    refuse(arg, class, &text, files).err()
}

/// The operation of these words, whose fields say what an argument is.
fn operation(words: &[&str]) -> Option<&'static Op> {
    match words {
        ["run"] => Some(&machines::CREATE),
        [noun, verb @ ..] => {
            let resource = CLOUDAPI.resources.iter().find(|resource| resource.name == *noun)?;
            let verb = verb.join(" ");
            resource.ops.iter().copied().find(|op| op.verb == verb)
        }
        [] => None,
    }
}

fn each(arg: &Arg, matches: &ArgMatches, op: Option<&Op>, words: &[&str], files: &dyn Files) -> Result<()> {
    let id = arg.get_id().as_str();
    // Switches have no text of their own; and an option of the root is unknown to some commands.
    if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        return Ok(());
    }
    let Ok(Some(values)) = matches.try_get_raw(id) else { return Ok(()) };
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return Ok(());
    }
    let field = op.and_then(|op| op.fields.iter().find(|field| field.name == id));
    for (at, value) in values.enumerate() {
        let text = value.to_string_lossy();
        let (class, text) = match id {
            "FILTER" => filter(op, &text),
            _ => match field {
                Some(field) => of_field(field, words, &text),
                None => (of_own(arg, words, at), &*text),
            },
        };
        refuse(arg, class, text, files)?;
    }
    Ok(())
}

/// `NAME=VALUE` without dashes: what the field of this name may hold.
fn filter<'a>(op: Option<&Op>, text: &'a str) -> (Class, &'a str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if name.starts_with("tag.") || name.starts_with("metadata.") {
        return (if sensitive::sort(name).is_some() { Class::Name } else { Class::Data }, name);
    }
    let name = name.trim_end_matches(':');
    match op.and_then(|op| op.fields.iter().find(|field| field.is_called(name))) {
        Some(field) => of_field(field, &[], value),
        None => (Class::Name, text),
    }
}

fn of_field<'a>(field: &Field, words: &[&str], text: &'a str) -> (Class, &'a str) {
    let file = |text: &'a str| {
        let text = text.split_once('=').map_or(text, |(_, file)| file);
        (Class::File, text.strip_prefix('@').unwrap_or(text))
    };
    let class = match field.kind {
        Kind::PairFiles(_) | Kind::FlatFiles(_) => return file(text),
        Kind::File | Kind::Files | Kind::PublicKeyFile | Kind::Secret => Class::File,
        // The addresses of data centers, which are pairs like metadata.
        Kind::FlatPairs(_) if words.first() == Some(&"datacenters") => Class::Name,
        Kind::FlatPairs(_) | Kind::Tags(_) | Kind::Pairs(_) => Class::Data,
        Kind::Object if field.name == "tags" => Class::Data,
        Kind::FirewallRule | Kind::PolicyRules | Kind::Affinity | Kind::Json | Kind::Disks | Kind::Object => {
            Class::Text
        }
        Kind::Text | Kind::TextOrEmpty if field.name == "email" => Class::Address,
        Kind::Text | Kind::TextOrEmpty if PROSE.contains(&field.name) => Class::Text,
        _ => Class::Name,
    };
    (class, text)
}

/// The arguments of commands that are no single operation.
fn of_own(arg: &Arg, words: &[&str], at: usize) -> Class {
    let shown = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    match (arg.get_id().as_str(), words) {
        ("FILE", ["machines", "scp"]) => Class::Text,
        // What follows the machine is for ssh.
        ("machine", ["machines", "ssh"]) if at > 0 => Class::Data,
        ("command", ["run"]) | ("COMMAND", ["emulator", ..]) => Class::Data,
        ("selector", _) => Class::Selector,
        ("data" | "tags", _) => Class::Data,
        ("jq" | "RULE" | "PATH", _) => Class::Text,
        _ if matches!(shown, "FILE" | "DIR") => Class::File,
        _ => Class::Name,
    }
}

/// A key, or a line of one, within a path. A slash is a letter of base64 too, so one may begin at any part of the path and
/// go on over others.
fn within_path(path: &str) -> Option<Sort> {
    let ends = path.match_indices(['/', '?', '&', '=']).map(|(at, _)| at);
    let begins = std::iter::once(0).chain(ends.clone().map(|at| at + 1));
    // Names are short: what is longer than any line of a key is looked at as a whole.
    let parts = begins.flat_map(|begin| {
        let whole = path.get(begin..).unwrap_or_default();
        let word = whole.split(['?', '&', '=']).next().unwrap_or_default();
        [whole, word, word.split('/').next().unwrap_or_default()]
    });
    parts.take(MAX_PARTS).filter_map(sensitive::sort).find(|sort| matches!(sort, Sort::Key | Sort::Line))
}

fn refuse(arg: &Arg, class: Class, text: &str, files: &dyn Files) -> Result<()> {
    let part = if arg.get_id() == "PATH" { within_path(text) } else { None };
    let sort = part.or_else(|| sort(text));
    if matches!(class, Class::File) && is_public(text) && !Path::new(text).exists() {
        let what = arg.get_long().map_or_else(|| "the argument".to_owned(), |long| format!("--{long}"));
        let error = Error::usage(format!("{what} is a public key itself, where its file is expected"));
        return Err(error.hint("the file that ends in .pub; or - and the key on standard input: … | sdc keys add -"));
    }
    let fits = match class {
        Class::Data => true,
        // An expression may well write a URL.
        Class::Text if arg.get_id() == "jq" => !sensitive::has_key_in_it(text),
        Class::Text => part.is_none() && !matches!(sort, Some(Sort::Key | Sort::Login)),
        // A header may well carry a token, which looks the same.
        Class::Name => sort.is_none() || arg.get_id() == "header" && sort == Some(Sort::Line),
        Class::Address => match sort {
            Some(Sort::Long(count)) => count <= LONGEST_EMAIL && sensitive::in_text(text).is_none(),
            sort => sort.is_none(),
        },
        Class::Selector => text.split(',').all(|part| secrets::check_name(part).is_ok()),
        Class::File => text == "-" || sensitive::hidden(&files.path(text)).is_none(),
    };
    let Some(sort) = sort.filter(|_| !fits) else { return Ok(()) };
    let shown =
        arg.get_value_names().and_then(|names| names.first()).map_or(arg.get_id().as_str(), |name| name.as_str());
    let what = match arg.get_long() {
        Some(long) => format!("--{}", long.trim_start_matches("as-")),
        None => shown.to_owned(),
    };
    let expected = match (class, arg.get_id().as_str(), sort) {
        (Class::File, _, Sort::Key | Sort::Line) => "the path of one".to_owned(),
        (Class::File, ..) => "the path of a file".to_owned(),
        (_, "key-id", _) => "the fingerprint or name of one".to_owned(),
        _ => arg.get_help().map_or_else(|| shown.to_owned(), |help| format!("what is expected: {help}")),
    };
    let error = Error::usage(format!("{what} holds {sort}, not {expected}"));
    Err(match (arg.get_id().as_str(), sort) {
        ("key-file" | "key-id", Sort::Key | Sort::Line) => {
            error.hint("the key itself: --key-file - reads it from standard input, SDC_KEY_MATERIAL holds it")
        }
        ("key", Sort::Key | Sort::Line) if matches!(class, Class::File) => {
            error.hint("the file of the public key, which ends in .pub, or - for standard input")
        }
        (_, Sort::Lines) if arg.get_num_args().is_some_and(|range| range.max_values() > 1) => error
            .hint("several are several arguments: without quotes around $(…), or one a line with - on standard input"),
        _ => error,
    })
}

/// No address is longer, in characters.
const LONGEST_EMAIL: usize = 320;

/// What makes a text one that may be a secret. A list may be long: its elements are judged.
fn sort(text: &str) -> Option<Sort> {
    match sensitive::sort(text) {
        Some(Sort::Long(_)) if text.contains(',') => text.split(',').find_map(sensitive::sort),
        sort => sort,
    }
}

/// A line of a public key's file.
fn is_public(text: &str) -> bool {
    text.split_once(' ')
        .is_some_and(|(kind, _)| ["ssh-", "ecdsa-sha2-", "sk-"].iter().any(|known| kind.starts_with(known)))
}

/// Takes out of an error of clap's what may be a secret.
pub fn veil(error: &mut clap::Error) {
    let masked = |text: &str| sensitive::sort(text).map(|sort| format!("({sort}, not shown)"));
    let known: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| {
            let new = match value {
                ContextValue::String(text) => ContextValue::String(masked(text)?),
                ContextValue::Strings(all) if all.iter().any(|text| masked(text).is_some()) => {
                    ContextValue::Strings(all.iter().map(|text| masked(text).unwrap_or_else(|| text.clone())).collect())
                }
                ContextValue::StyledStr(text) if masked(&text.to_string()).is_some() => ContextValue::None,
                ContextValue::StyledStrs(all) if all.iter().any(|text| masked(&text.to_string()).is_some()) => {
                    ContextValue::None
                }
                _ => return None,
            };
            Some((kind, new))
        })
        // How a command is used is ours, and long.
        .filter(|(kind, _)| *kind != ContextKind::Usage)
        .collect();
    // What it proposes is made of what was typed.
    if !known.is_empty() {
        let proposed = [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
        proposed.iter().for_each(|kind| drop(error.remove(*kind)));
    }
    for (kind, value) in known {
        match value {
            ContextValue::None => drop(error.remove(kind)),
            value => drop(error.insert(kind, value)),
        }
    }
}
