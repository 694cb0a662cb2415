//! The commands: the table's and those with a row of their own, with their pages of help. It runs none of them.

use std::ffi::OsString;

use clap::Command;

use super::args::pages::documented;
use super::args::{build, globals, inner};
use super::commands;
use super::commands::shortcuts::{self, SHORTCUTS};
use crate::api::admin::PREFIX;
use crate::api::{self, CLOUDAPI, Resource};

const ABOUT: &str = "SmartDataCenter / Triton clouds from the command line";
/// The commands in groups, as the help of the program shows them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Compute", &["machines", "images", "packages", "volumes", "stack", "run", "wait", "reap"]),
    ("Network", &["networks", "fabrics", "fwrules"]),
    ("Access", &["account", "keys", "accesskeys", "users", "roles", "policies", "role-tags", "rbac"]),
    ("Cloud", &["info", "whoami", "datacenters", "services", "changefeed", "ping", "api", "admin"]),
    ("This program", &["auth", "env", "profile", "config", "emulator", "completion", "help"]),
];

/// What a newcomer types first.
const FIRST: &str = "\
Try it without a cloud:  sdc emulator exec -- sdc ls
Save URL, account, key:  sdc profile create NAME --use, with -U, -a and -k
";

/// What `help` knows beside commands.
const TOPICS: &str = "Topics: options, formatting, selectors, settings, exit-codes, triton, smartdc";

/// The command that these arguments ask for, as small as they allow: building the whole tree takes
/// longer than a signature.
pub fn command(args: &[OsString]) -> Command {
    let words: Vec<&str> = args.iter().skip(1).map_while(|arg| arg.to_str()).take(4).collect();
    let (prefix, words) = match words.as_slice() {
        [PREFIX, words @ ..] => (PREFIX, words),
        words => ("", words),
    };
    let noun = words.first().and_then(|word| api::resource(prefix, word));
    let only = noun.and_then(|noun| build::only(noun, &words[1..], commands::syntax, shortcuts::add_options(prefix)));
    match only {
        Some(noun) if prefix.is_empty() => root().subcommand(noun),
        Some(noun) => root().subcommand(Command::new(PREFIX).subcommand(noun)),
        None => tree(),
    }
}

fn root() -> Command {
    Command::new("sdc")
        .about(ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
}

/// The whole tree.
pub fn tree() -> Command {
    globals::add_here(root())
        .subcommands(CLOUDAPI.resources.iter().copied().map(of_noun))
        .subcommands(commands::top_level())
        .subcommand(admin())
}

/// Behind so many others a command stands.
const LAST: usize = 100;

/// The internal services with all their commands.
fn admin() -> Command {
    let command = Command::new(PREFIX)
        .about("Internal services of the data center, for its operators")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(api::resources(PREFIX).map(of_noun));
    let own = commands::lay_over(PREFIX, Command::new(PREFIX));
    // Behind the nouns, in their own order.
    let own = own.get_subcommands().cloned().zip(LAST..);
    inner::add(command.subcommands(own.map(|(command, at)| globals::add(command).display_order(at))))
}

/// The commands that these words may mean, where more words may follow: those of one noun where it is named.
pub fn completing(words: &[OsString]) -> Command {
    let first = shortcuts::first_word(words).and_then(|at| words.get(at)?.to_str());
    let noun = first.and_then(|word| api::resource("", word));
    let nouns = CLOUDAPI.resources.iter().copied();
    match (first, noun) {
        (_, Some(noun)) => globals::add_here(root()).subcommand(of_noun(noun)),
        // Their names are enough.
        (None, _) => globals::add_here(root()).subcommands(nouns.map(build::name)).subcommands(commands::top_level()),
        (Some(_), None) => tree(),
    }
}

/// A noun with all its commands.
fn of_noun(noun: &'static Resource) -> Command {
    globals::add(commands::lay_over(&api::path(noun), build::resource(noun, commands::syntax)))
}

/// The whole tree with its pages of help.
pub fn pages() -> Command {
    let tree = documented(tree(), "", commands::examples);
    let short: Vec<&str> = SHORTCUTS.iter().map(|(word, _)| *word).collect();
    let page = format!("{FIRST}Machines, in short:      sdc {}\n{}{TOPICS}", short.join(", "), grouped(&tree));
    tree.help_template("{about}: {usage}{after-help}").after_help(page)
}

/// The commands in their groups, a line each.
fn grouped(tree: &Command) -> String {
    let mut text = String::new();
    for (group, names) in GROUPS {
        text.push_str(&format!("{group}:\n"));
        for command in names.iter().filter_map(|name| tree.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {:<12} {about}\n", command.get_name()));
        }
    }
    text
}
