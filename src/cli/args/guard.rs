//! Keeps secrets that were typed in the wrong place from being shown or sent: everything typed is looked at once,
//! before anything else is done with it. What a secret looks like, `sensitive` knows; here is what may stand where.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::api::cloudapi::machines;
use crate::api::{self, Field, Kind, Op};
use crate::cli::args::given;
use crate::error::{Error, Hint, Result};
use crate::sensitive::{self, Sort};
use crate::tasks::secrets::{Place, is_public};
use crate::tasks::values::Files;

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

/// A key that is a word of its own begins with dashes, so that clap takes it for an option that it does not know. What
/// is wrong with it is where it stands.
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
    let place = field.map_or_else(
        || of_own(arg, &words, 0),
        |field| Place::of_field(field, words.first().copied().unwrap_or_default(), &text).0,
    );
    refuse(arg, place, &text, files).err()
}

/// The operation of these words, whose fields say what an argument is.
fn operation(words: &[&str]) -> Option<&'static Op> {
    match words {
        ["run"] => Some(&machines::CREATE),
        words => api::operation(&words.join(" ")),
    }
}

/// The field whose pairs are typed behind the targets, if this is their argument.
fn pairs_behind(op: &'static Op, id: &str) -> Option<&'static Field> {
    let shared = given::is_shared(op) && op.path_params().last() == Some(id);
    op.fields
        .iter()
        .find(|field| shared && field.positional && matches!(field.kind, Kind::FlatPairs(_) | Kind::Tags(_)))
}

fn each(arg: &Arg, matches: &ArgMatches, op: Option<&'static Op>, words: &[&str], files: &dyn Files) -> Result<()> {
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
    let noun = words.first().copied().unwrap_or_default();
    for (at, value) in values.enumerate() {
        let text = value.to_string_lossy();
        let (place, text) = match id {
            "FILTER" => Place::of_filter(op, &text),
            // Pairs behind targets are told by their sign.
            _ if text.contains('=')
                && let Some(field) = op.and_then(|op| pairs_behind(op, id)) =>
            {
                Place::of_field(field, noun, &text)
            }
            _ => match field {
                Some(field) => Place::of_field(field, noun, &text),
                None => (of_own(arg, words, at), &*text),
            },
        };
        refuse(arg, place, text, files)?;
    }
    Ok(())
}

/// The arguments of commands that are no single operation.
fn of_own(arg: &Arg, words: &[&str], at: usize) -> Place {
    let shown = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    match (arg.get_id().as_str(), words) {
        ("FILE", ["machines", "scp"]) => Place::Text,
        // What follows the machine is for ssh.
        ("machine", ["machines", "ssh"]) if at > 0 => Place::Data,
        ("command", ["run"]) | ("COMMAND", ["emulator", ..]) => Place::Data,
        ("selector", _) => Place::Selector,
        ("data" | "tags", _) => Place::Data,
        ("RULE", _) => Place::Text,
        ("PATH", _) => Place::Path,
        ("jq", _) => Place::Expression,
        ("arg" | "argjson", _) if at % 2 == 1 => Place::Data,
        ("header", _) => Place::Header,
        _ if matches!(shown, "FILE" | "DIR") => Place::File,
        _ => Place::Name,
    }
}

fn refuse(arg: &Arg, place: Place, text: &str, files: &dyn Files) -> Result<()> {
    if matches!(place, Place::File) && is_public(text) && !Path::new(text).exists() {
        let what = arg.get_long().map_or_else(|| "the argument".to_owned(), |long| format!("--{long}"));
        let error = Error::usage(format!("{what} is a public key itself, where its file is expected"));
        return Err(error.hint("the file that ends in .pub; or - and the key on standard input: … | sdc keys add -"));
    }
    let Some(sort) = place.refuses(text, files) else { return Ok(()) };
    let shown =
        arg.get_value_names().and_then(|names| names.first()).map_or(arg.get_id().as_str(), |name| name.as_str());
    let what = match arg.get_long() {
        Some(long) => format!("--{}", long.trim_start_matches("as-")),
        None => shown.to_owned(),
    };
    let expected = match (place, arg.get_id().as_str(), sort) {
        (Place::File, _, Sort::Key | Sort::Line) => "the path of one".to_owned(),
        (Place::File, ..) => "the path of a file".to_owned(),
        (_, "key-id", _) => "the fingerprint or name of one".to_owned(),
        _ => arg.get_help().map_or_else(|| shown.to_owned(), |help| format!("what is expected: {help}")),
    };
    let error = Error::usage(format!("{what} holds {sort}, not {expected}"));
    Err(match (arg.get_id().as_str(), sort) {
        ("key-file" | "key-id", Sort::Key | Sort::Line) => {
            error.hint("the key itself: --key-file - reads it from standard input, SDC_KEY_MATERIAL holds it")
        }
        ("key", Sort::Key | Sort::Line) if matches!(place, Place::File) => {
            error.hint("the file of the public key, which ends in .pub, or - for standard input")
        }
        (_, Sort::Return) => error.hint("the lines of a file from Windows end so; without: tr -d '\\r'"),
        (_, Sort::Lines) if arg.get_num_args().is_some_and(|range| range.max_values() > 1) => error
            .hint("several are several arguments: without quotes around $(…), or one a line with - on standard input"),
        _ => error,
    })
}

/// Options of pairs whose values may be secrets.
const OF_METADATA: &[&str] = &["-m", "-M", "--metadata", "--metadata-file"];

/// Takes out of an error of clap's a word beside metadata that nothing takes: where a name and its value were typed as
/// two words, it is the value. Returns how they are typed.
pub fn stray_value(error: &mut clap::Error, args: &[OsString]) -> Option<Hint> {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else { return None };
    let beside = args.iter().filter_map(|arg| arg.to_str()).any(|arg| OF_METADATA.contains(&arg));
    if error.kind() != ErrorKind::UnknownArgument || wrong.starts_with('-') || !beside {
        return None;
    }
    let shown = ContextValue::String("(a word beside metadata, not shown)".to_owned());
    drop(error.insert(ContextKind::InvalidArg, shown));
    let proposed = [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    proposed.iter().for_each(|kind| drop(error.remove(*kind)));
    Some(Hint::from("a name and its value are one word: -m NAME=VALUE; what is secret: -M NAME=@FILE"))
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
