//! The commands that are more than one call of an operation, one file each.

pub(crate) mod access;
pub(crate) mod cloud;
pub(crate) mod fwrules;
pub(crate) mod images;
pub(crate) mod local;
pub(crate) mod machines;
pub use super::commands::cloud::doctor::unsettled;
use clap::{ArgMatches, Command};

use super::App;
use super::args::{build, globals};
use crate::api::Op;
use crate::api::cloudapi::{
    changefeed as feed, disks, images as image_ops, machines as machine_ops, metadata, migrations,
    role_tags as role_tag_ops, snapshots, tags, volumes,
};
use crate::error::{Error, Result};

/// Their commands, in the order of the help.
pub fn commands() -> Vec<Command> {
    vec![
        globals::add(super::commands::access::role_tags::command()),
        globals::add(super::commands::access::rbac::command()),
        globals::add(super::commands::machines::wait::command()),
        globals::add(super::commands::cloud::api::command()),
        globals::add(super::commands::machines::changefeed::command()),
        globals::add(super::commands::machines::job::command()),
        globals::add(super::commands::machines::reap::command()),
        globals::add(super::commands::cloud::doctor::command()),
        globals::add(super::commands::local::profile::command()),
        #[cfg(feature = "emulator")]
        super::commands::local::emulator::command(),
        super::commands::local::completion::command(),
        super::commands::local::topics::command(),
        super::commands::local::generate::command(),
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
    Over { path: "machines ssh", command: Some(super::commands::machines::ssh::command), ops: &[] },
    Over { path: "machines scp", command: Some(super::commands::machines::scp::command), ops: &[] },
    Over { path: "machines ip", command: Some(super::commands::machines::ip::command), ops: &[] },
    Over {
        path: "machines why",
        command: Some(super::commands::machines::why::command),
        ops: super::commands::machines::why::READS,
    },
    Over {
        path: "machines watch",
        command: Some(super::commands::machines::changefeed::watch),
        ops: &[&feed::CHANGEFEED],
    },
    Over { path: "machines vnc", command: Some(super::commands::machines::vnc::command), ops: &[&feed::VNC] },
    Over {
        path: "machines migrate watch",
        command: Some(super::commands::machines::migrate_watch::command),
        ops: &[&migrations::WATCH],
    },
    Over { path: "fwrules check", command: Some(super::commands::fwrules::fwcheck::command), ops: &[] },
    Over { path: "machines create", command: None, ops: &[&machine_ops::CREATE] },
    Over { path: "machines disks add", command: None, ops: &[&disks::ADD, &machine_ops::GET] },
    Over { path: "machines tags get", command: None, ops: &[&tags::GET, &tags::LIST] },
    Over { path: "machines metadata get", command: None, ops: &[&metadata::GET, &metadata::LIST] },
    Over {
        path: "images share",
        command: Some(super::commands::images::image_acl::share),
        ops: &[&image_ops::GET, &image_ops::UPDATE],
    },
    Over {
        path: "images unshare",
        command: Some(super::commands::images::image_acl::unshare),
        ops: &[&image_ops::GET, &image_ops::UPDATE],
    },
    Over {
        path: "images tag",
        command: Some(super::commands::images::image_tags::command),
        ops: &[&image_ops::GET, &image_ops::UPDATE],
    },
    Over { path: "config show", command: Some(super::commands::local::config::command), ops: &[] },
];

/// What is laid over the table and keeps its command, with more options.
type Extension = fn(Command) -> Command;
const EXTENSIONS: &[(&str, Extension)] = &[("machines create", super::commands::machines::create::extend)];

/// The table's command, with the options that are laid over it.
pub fn extended(path: &str, command: Command) -> Command {
    EXTENSIONS.iter().filter(|(known, _)| *known == path).fold(command, |command, (_, extend)| extend(command))
}

/// The operations that the commands below no noun of the table call.
static CALLS: &[(&str, &[&Op])] = &[
    ("changefeed", &[&feed::CHANGEFEED]),
    ("wait", &[&machine_ops::GET, &image_ops::GET, &volumes::GET, &snapshots::GET]),
    ("run", &[&machine_ops::CREATE, &machine_ops::GET, &machine_ops::DELETE]),
    ("reap", &[&machine_ops::LIST, &machine_ops::DELETE]),
    ("role-tags set", role_tag_ops::OPS),
    ("role-tags add", role_tag_ops::OPS),
    ("role-tags remove", role_tag_ops::OPS),
    ("role-tags clear", role_tag_ops::OPS),
    ("rbac info", super::commands::access::rbac::READS),
    ("rbac export", super::commands::access::rbac::READS),
    ("rbac apply", super::commands::access::rbac::CALLS),
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
        "machines create" => super::commands::machines::create::run(app, matches).await,
        "machines ssh" => super::commands::machines::ssh::run(app, matches).await,
        "machines scp" => super::commands::machines::scp::run(app, matches).await,
        "machines ip" => super::commands::machines::ip::run(app, matches).await,
        "machines why" => super::commands::machines::why::run(app, matches).await,
        "machines watch" => super::commands::machines::changefeed::run(app, matches).await,
        "machines vnc" => super::commands::machines::vnc::run(app, matches).await,
        "machines migrate watch" => super::commands::machines::migrate_watch::run(app, matches).await,
        "fwrules check" => super::commands::fwrules::fwcheck::run(app, matches),
        "machines disks add" => super::commands::machines::disk_add::run(app, matches).await,
        "machines tags get" => super::commands::machines::part_get::tag(app, matches).await,
        "machines metadata get" => super::commands::machines::part_get::metadata(app, matches).await,
        "images share" => super::commands::images::image_acl::run(app, matches, true).await,
        "images unshare" => super::commands::images::image_acl::run(app, matches, false).await,
        "images tag" => super::commands::images::image_tags::run(app, matches).await,
        "config show" => super::commands::local::config::run(app, matches),
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
        "api" => super::commands::cloud::api::run(app, matches).await,
        "wait" => super::commands::machines::wait::run(app, matches).await,
        "changefeed" => super::commands::machines::changefeed::run(app, matches).await,
        "run" => super::commands::machines::job::run(app, matches).await,
        "reap" => super::commands::machines::reap::run(app, matches).await,
        "role-tags" => super::commands::access::role_tags::run(app, matches).await,
        "rbac" => super::commands::access::rbac::run(app, matches).await,
        "auth" => super::commands::cloud::doctor::run(app, matches).await,
        "profile" => super::commands::local::profile::run(app, matches),
        #[cfg(feature = "emulator")]
        "emulator" => super::commands::local::emulator::run(matches, &app.streams).await,
        "completion" => super::commands::local::completion::run(app, matches),
        "help" => super::commands::local::topics::run(app, matches),
        "generate" => super::commands::local::generate::run(matches),
        _ => Err(Error::usage(format!("there is no command '{word}'"))),
    }
}

fn not_one_request(path: &str) -> Error {
    Error::usage(format!("`sdc {path}` is no single request, so it cannot be shown instead of done"))
}
