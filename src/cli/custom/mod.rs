//! The commands that are more than one call of an operation, one file each.

mod api;
mod changefeed;
mod completion;
mod config;
pub mod create;
mod described;
mod disk_add;
mod doctor;
#[cfg(feature = "emulator")]
mod emulator;
mod examples;
mod fwcheck;
pub mod generate;
mod given;
mod image_acl;
mod image_tags;
mod ip;
mod job;
mod migrate_watch;
mod part_get;
mod profile;
mod rbac;
mod reach;
mod reap;
mod reasons;
pub mod role_tags;
mod scp;
mod ssh;
mod topics;
mod vnc;
mod wait;
mod watched;
mod ways;
pub mod why;

use clap::{ArgMatches, Command};
pub use doctor::unsettled;

use super::{App, build, globals};
use crate::api::{
    Op, changefeed as feed, disks, images, machines, metadata, migrations, role_tags as role_tag_ops, snapshots, tags,
    volumes,
};
use crate::error::{Error, Result};

/// Their commands, in the order of the help.
pub fn commands() -> Vec<Command> {
    vec![
        globals::add(role_tags::command()),
        globals::add(rbac::command()),
        globals::add(wait::command()),
        globals::add(api::command()),
        globals::add(changefeed::command()),
        globals::add(job::command()),
        globals::add(reap::command()),
        globals::add(doctor::command()),
        globals::add(profile::command()),
        #[cfg(feature = "emulator")]
        emulator::command(),
        completion::command(),
        topics::command(),
        generate::command(),
    ]
}

/// A command that is laid over the table: it hangs below a noun, beside the noun's operations, or takes the place
/// of one of them.
pub struct Over {
    /// The noun and the verb, with spaces between.
    path: &'static str,
    /// What is typed; the table's own command if there is none.
    command: Option<fn() -> Command>,
    /// The operations that it calls, for those who look for the command of an operation.
    pub ops: &'static [&'static Op],
}

const OVER: &[Over] = &[
    Over { path: "machines ssh", command: Some(ssh::command), ops: &[] },
    Over { path: "machines scp", command: Some(scp::command), ops: &[] },
    Over { path: "machines ip", command: Some(ip::command), ops: &[] },
    Over { path: "machines why", command: Some(why::command), ops: why::READS },
    Over { path: "machines watch", command: Some(changefeed::watch), ops: &[&feed::CHANGEFEED] },
    Over { path: "machines vnc", command: Some(vnc::command), ops: &[&feed::VNC] },
    Over { path: "machines migrate watch", command: Some(migrate_watch::command), ops: &[&migrations::WATCH] },
    Over { path: "fwrules check", command: Some(fwcheck::command), ops: &[] },
    Over { path: "machines create", command: None, ops: &[&machines::CREATE] },
    Over { path: "machines disks add", command: None, ops: &[&disks::ADD, &machines::GET] },
    Over { path: "machines tags get", command: None, ops: &[&tags::GET, &tags::LIST] },
    Over { path: "machines metadata get", command: None, ops: &[&metadata::GET, &metadata::LIST] },
    Over { path: "images share", command: Some(image_acl::share), ops: &[&images::GET, &images::UPDATE] },
    Over { path: "images unshare", command: Some(image_acl::unshare), ops: &[&images::GET, &images::UPDATE] },
    Over { path: "images tag", command: Some(image_tags::command), ops: &[&images::GET, &images::UPDATE] },
    Over { path: "config show", command: Some(config::command), ops: &[] },
];

/// What is laid over the table and keeps its command, with more options.
type Extension = fn(Command) -> Command;
const EXTENSIONS: &[(&str, Extension)] = &[("machines create", create::extend)];

/// The table's command, with the options that are laid over it.
pub fn extended(path: &str, command: Command) -> Command {
    EXTENSIONS.iter().filter(|(known, _)| *known == path).fold(command, |command, (_, extend)| extend(command))
}

/// The operations that the commands below no noun of the table call.
static CALLS: &[(&str, &[&Op])] = &[
    ("changefeed", &[&feed::CHANGEFEED]),
    ("wait", &[&machines::GET, &images::GET, &volumes::GET, &snapshots::GET]),
    ("run", &[&machines::CREATE, &machines::GET, &machines::DELETE]),
    ("reap", &[&machines::LIST, &machines::DELETE]),
    ("role-tags set", role_tag_ops::OPS),
    ("role-tags add", role_tag_ops::OPS),
    ("role-tags remove", role_tag_ops::OPS),
    ("role-tags clear", role_tag_ops::OPS),
    ("rbac info", rbac::READS),
    ("rbac export", rbac::READS),
    ("rbac apply", rbac::CALLS),
];

/// The operations that a command of ours calls, by its words.
pub fn calls(path: &str) -> &'static [&'static Op] {
    let own = || CALLS.iter().find(|(known, _)| *known == path).map_or(&[][..], |(_, ops)| *ops);
    OVER.iter().find(|over| over.path == path).map_or_else(own, |over| over.ops)
}

/// Hangs what is laid over a noun below it.
pub fn lay_over(noun: &str, mut command: Command) -> Command {
    for over in OVER {
        let Some(verb) = over.path.strip_prefix(noun).and_then(|rest| rest.strip_prefix(' ')) else { continue };
        let Some(own) = over.command else { continue };
        command = match verb.split_once(' ') {
            None => command.subcommand(own()),
            Some((group, _)) => build::with_group(command, group).mut_subcommand(group, |sub| sub.subcommand(own())),
        };
    }
    command
}

/// Whether a noun's verb is ours.
pub fn is_over(path: &str) -> bool {
    OVER.iter().any(|over| over.path == path)
}

/// Whether its command is another one than the table's.
pub fn has_own_command(path: &str) -> bool {
    OVER.iter().any(|over| over.path == path && over.command.is_some())
}

/// Runs what is laid over a noun, and returns the exit code.
///
/// # Errors
/// Its own.
pub async fn run_over(app: &App, path: &str, matches: &ArgMatches) -> Result<i32> {
    let shows = matches!(
        path,
        "machines create" | "machines ssh" | "machines scp" | "machines tags get" | "machines metadata get"
    ) || matches!(path, "machines disks add" | "images share" | "images unshare" | "images tag");
    if !shows && (app.globals.dry_run || app.globals.curl) {
        return Err(not_one_request(path));
    }
    match path {
        "machines create" => create::run(app, matches).await,
        "machines ssh" => ssh::run(app, matches).await,
        "machines scp" => scp::run(app, matches).await,
        "machines ip" => ip::run(app, matches).await,
        "machines why" => why::run(app, matches).await,
        "machines watch" => changefeed::run(app, matches).await,
        "machines vnc" => vnc::run(app, matches).await,
        "machines migrate watch" => migrate_watch::run(app, matches).await,
        "fwrules check" => fwcheck::run(app, matches),
        "machines disks add" => disk_add::run(app, matches).await,
        "machines tags get" => part_get::tag(app, matches).await,
        "machines metadata get" => part_get::metadata(app, matches).await,
        "images share" => image_acl::run(app, matches, true).await,
        "images unshare" => image_acl::run(app, matches, false).await,
        "images tag" => image_tags::run(app, matches).await,
        "config show" => config::run(app, matches),
        _ => Err(Error::usage(format!("there is no command '{path}'"))),
    }
}

/// Whether a command gets by without settings: those that help, and those that mend settings which are broken.
pub fn needs_no_settings(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some(("help" | "completion" | "generate" | "emulator", _)) => true,
        Some(("profile", verb)) => !matches!(verb.subcommand_name(), Some("create")),
        Some(("fwrules", verb)) => matches!(verb.subcommand_name(), Some("check")),
        _ => false,
    }
}

/// Runs one and returns the exit code.
///
/// # Errors
/// Its own.
pub async fn run(app: &App, word: &str, matches: &ArgMatches) -> Result<i32> {
    if !matches!(word, "api" | "role-tags" | "rbac" | "run" | "reap") && (app.globals.dry_run || app.globals.curl) {
        return Err(not_one_request(word));
    }
    match word {
        "api" => api::run(app, matches).await,
        "wait" => wait::run(app, matches).await,
        "changefeed" => changefeed::run(app, matches).await,
        "run" => job::run(app, matches).await,
        "reap" => reap::run(app, matches).await,
        "role-tags" => role_tags::run(app, matches).await,
        "rbac" => rbac::run(app, matches).await,
        "auth" => doctor::run(app, matches).await,
        "profile" => profile::run(app, matches),
        #[cfg(feature = "emulator")]
        "emulator" => emulator::run(matches, &app.streams).await,
        "completion" => completion::run(app, matches),
        "help" => topics::run(app, matches),
        "generate" => generate::run(matches),
        _ => Err(Error::usage(format!("there is no command '{word}'"))),
    }
}

fn not_one_request(path: &str) -> Error {
    Error::usage(format!("`sdc {path}` is no single request, so it cannot be shown instead of done"))
}
