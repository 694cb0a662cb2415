//! What may be typed shorter than the tree has it: machines at the top level, and nouns without a verb, which list
//! (`sdc pkgs -j`, `sdc insts state=running`). It makes the long form of the arguments, so that all that follows knows
//! one form only: options, help, completion, errors.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

use crate::api::admin::PREFIX;
use crate::api::{self, Op};
use crate::cli::args::{build, globals, inner};

/// Words of the top level, and what they stand for.
pub const SHORTCUTS: &[(&str, [&str; 2])] = &[
    ("ls", ["machines", "list"]),
    ("get", ["machines", "get"]),
    ("ip", ["machines", "ip"]),
    ("ssh", ["machines", "ssh"]),
    ("create", ["machines", "create"]),
    ("start", ["machines", "start"]),
    ("stop", ["machines", "stop"]),
    ("reboot", ["machines", "reboot"]),
    ("rm", ["machines", "delete"]),
];

/// The verb of a list.
const LIST: &str = "list";

/// What a shortcut stands for.
pub fn meant(word: &str) -> Option<[&'static str; 2]> {
    SHORTCUTS.iter().find(|(known, _)| *known == word).map(|(_, words)| *words)
}

/// The arguments in their long form; `None` where they have it already. The first is the program's name.
pub fn spelled_out(args: &[OsString]) -> Option<Vec<OsString>> {
    let at = first_word(args)?;
    let word = args.get(at)?.to_str()?;
    if let Some(words) = meant(word) {
        return Some(replaced(args, at..at + 1, &words));
    }
    let (prefix, at) = if word == PREFIX { (PREFIX, admin_noun(args, at + 1)?) } else { ("", at) };
    let rest = args.get(at + 1..)?;
    let behind = behind_noun(prefix, args.get(at)?.to_str()?, rest)?;
    Some(replaced(args, at + 1 + behind..at + 1 + behind, &[LIST]))
}

/// Where the noun of an internal service is, from this argument on.
fn admin_noun(args: &[OsString], from: usize) -> Option<usize> {
    if !is_option(args.get(from)?) {
        return Some(from);
    }
    let options = inner::add(globals::add_here(Command::new(PREFIX)));
    words(&options, args.get(from..)?).next().map(|at| from + at)
}

fn replaced(args: &[OsString], at: std::ops::Range<usize>, words: &[&str]) -> Vec<OsString> {
    let mut all = args.to_vec();
    all.splice(at, words.iter().map(OsString::from));
    all
}

/// Where the first word is that is neither an option nor the value of one.
pub fn first_word(args: &[OsString]) -> Option<usize> {
    match args.get(1)?.to_str()? {
        "--" => None,
        word if !word.starts_with('-') => Some(1),
        _ => words(&globals::add_here(Command::new("sdc")), args.get(1..)?).next().map(|at| at + 1),
    }
}

/// Where a list's verb is missing, counted from behind the noun: nothing but options and filters follow it there.
fn behind_noun(prefix: &str, word: &str, rest: &[OsString]) -> Option<usize> {
    let Some(noun) = api::resource(prefix, word) else {
        let own = super::with_verbs(word).filter(|_| prefix.is_empty())?;
        let list = own.find_subcommand(LIST).filter(|list| list.get_positionals().all(|arg| !arg.is_required_set()))?;
        return only_options_and_filters(rest, || Some(list.clone().args(options(&own)))).then_some(0);
    };
    let group = rest.first().and_then(|word| build::group_of(noun, word.to_str()?));
    let (behind, verb) = match group {
        Some(group) => (1, format!("{group} {LIST}")),
        None => (0, LIST.to_owned()),
    };
    let takes_nothing = |op: &&&Op| op.verb == verb && op.path_params().next().is_none();
    noun.ops.iter().find(takes_nothing)?;
    let list = || {
        let words: Vec<&str> = verb.split(' ').collect();
        let mut command = build::only(noun, &words, super::syntax, add_options(prefix))?;
        for word in words {
            command = command.find_subcommand(word)?.clone();
        }
        Some(command)
    };
    only_options_and_filters(rest.get(behind..)?, list).then_some(behind)
}

/// What gives a command behind this word the options that all of them have.
pub fn add_options(prefix: &str) -> fn(Command) -> Command {
    match prefix {
        PREFIX => |command| inner::add(globals::add_here(command)),
        _ => globals::add_here,
    }
}

/// The options of all commands, where this one has them.
fn options(own: &Command) -> Vec<Arg> {
    own.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect()
}

/// Whether these are options with their values and filters alone, and none that asks for help. The command, which says which take
/// values, is made only where that is to be known.
fn only_options_and_filters(rest: &[OsString], list: impl Fn() -> Option<Command>) -> bool {
    if rest.iter().any(|word| word == "--help" || word == "-h" || word == "--") {
        return false;
    }
    let fits = |word: &OsString| is_option(word) || is_filter(word);
    rest.iter().all(fits)
        || rest.first().is_some_and(fits)
            && list().is_some_and(|list| words(&list, rest).all(|at| rest.get(at).is_some_and(|word| is_filter(word))))
}

/// Whether this is like `state=running` or `memory>=4G`, as no verb is.
fn is_filter(word: &OsStr) -> bool {
    word.as_encoded_bytes().iter().any(|byte| b"=<>".contains(byte)) && !is_option(word)
}

fn is_option(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-") && word != "-"
}

/// Where words are that are neither options of this command nor their values.
fn words<'a>(command: &'a Command, args: &'a [OsString]) -> impl Iterator<Item = usize> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(word) = args.get(at) {
            let here = at;
            at += 1;
            if !is_option(word) {
                return Some(here);
            }
            at += values_behind(command, &word.to_string_lossy());
        }
        None
    })
}

/// How many of the next words are values of this option.
fn values_behind(command: &Command, word: &str) -> usize {
    match option(&[command], word) {
        Some((arg, false)) => arg.get_num_args().map_or(usize::from(takes_value(arg)), |range| range.min_values()),
        _ => 0,
    }
}

/// Whether an option must have a value.
pub fn takes_value(arg: &Arg) -> bool {
    let takes = matches!(arg.get_action(), clap::ArgAction::Set | clap::ArgAction::Append);
    arg.get_num_args().map_or(takes, |range| range.min_values() > 0)
}

/// The option of one of these commands that a word is, and whether its value is in the word too. Of short ones in one
/// word, the one that takes the rest, or the last.
pub fn option<'c>(commands: &[&'c Command], word: &str) -> Option<(&'c Arg, bool)> {
    let arguments = || commands.iter().flat_map(|command| command.get_arguments());
    if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
        let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
        let is = |arg: &&Arg| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        };
        return Some((arguments().find(is)?, value.is_some()));
    }
    let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    let mut found = None;
    for (at, letter) in letters.char_indices() {
        let is = |arg: &&Arg| arg.get_short_and_visible_aliases().is_some_and(|letters| letters.contains(&letter));
        let arg = arguments().find(is)?;
        let rest = letters.get(at + letter.len_utf8()..).unwrap_or_default();
        found = Some((arg, !rest.is_empty()));
        if takes_value(arg) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(typed: &str) -> String {
        let args: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
        let spelled = spelled_out(&args).unwrap_or(args);
        spelled.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_shortcut_stands_for_its_noun_and_verb_wherever_it_stands() {
        assert_eq!(spelled("sdc ls -j"), "sdc machines list -j");
        assert_eq!(spelled("sdc -p coal --url=http://h rm web1"), "sdc -p coal --url=http://h machines delete web1");
        assert_eq!(spelled("sdc -p ls"), "sdc -p ls", "the value of an option");
        assert_eq!(spelled("sdc ssh web1 ls"), "sdc machines ssh web1 ls");
        assert_eq!(spelled("sdc -- ls"), "sdc -- ls");
        assert_eq!(spelled("sdc"), "sdc");
        assert_eq!(spelled("sdc --help"), "sdc --help");
    }

    #[test]
    fn no_shortcut_hides_a_noun_or_leads_nowhere() {
        for (word, words) in SHORTCUTS {
            assert!(crate::cli::tree().find_subcommand(word).is_none(), "{word}");
            assert!(
                crate::cli::tree().find_subcommand(words[0]).unwrap().find_subcommand(words[1]).is_some(),
                "{word}"
            );
        }
    }

    #[test]
    fn a_noun_without_a_verb_lists() {
        for (typed, long) in [
            ("sdc machines", "sdc machines list"),
            ("sdc insts", "sdc insts list"),
            ("sdc pkgs -j", "sdc pkgs list -j"),
            ("sdc keys -o name -s -name", "sdc keys list -o name -s -name"),
            ("sdc keys -o name --no-header", "sdc keys list -o name --no-header"),
            ("sdc -p coal services -jp other", "sdc -p coal services list -jp other"),
            ("sdc machines --limit 3", "sdc machines list --limit 3"),
            ("sdc insts state=running -o name", "sdc insts list state=running -o name"),
            ("sdc insts -o name 'memory>=4G'", "sdc insts list -o name 'memory>=4G'"),
            ("sdc fabrics vlans", "sdc fabrics vlans list"),
            ("sdc fabrics vlan -o name", "sdc fabrics vlan list -o name"),
            ("sdc profile -o name", "sdc profile list -o name"),
            ("sdc profiles", "sdc profiles list"),
            ("sdc admin vms", "sdc admin vms list"),
            ("sdc admin vms --service vmapi=h state=running", "sdc admin vms list --service vmapi=h state=running"),
            ("sdc admin --sapi 10.0.0.1 networks -j", "sdc admin --sapi 10.0.0.1 networks list -j"),
            ("sdc -j admin vms owner=acme", "sdc -j admin vms list owner=acme"),
        ] {
            assert_eq!(spelled(typed), long);
        }
    }

    #[test]
    fn a_verb_help_or_a_list_that_needs_more_leaves_a_noun_as_it_is() {
        for typed in [
            "sdc machines lst",
            "sdc machines list",
            "sdc machines -p coal get web1",
            "sdc machines -j list",
            "sdc machines --help",
            "sdc machines -j -h",
            "sdc machines -",
            "sdc machines --",
            "sdc fabrics",
            "sdc fabrics networks",
            "sdc account",
            "sdc ping",
            "sdc role-tags",
            "sdc nothing",
        ] {
            assert_eq!(spelled(typed), typed);
        }
    }
}
