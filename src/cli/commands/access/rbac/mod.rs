//! `sdc rbac`: shows users, roles and policies together, writes them to a file, and makes them as a file says. It reads
//! the command line, asks, prints and handles signals; the work itself is done by `tasks::rbac`.

mod apply;
mod info;
mod passwords;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::api::Op;
use crate::api::cloudapi::{policies, roles, user_keys, users};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::error::{Error, Result};
use crate::render;

/// `sdc rbac`.
pub(crate) static COMMAND: Custom = Custom {
    path: "rbac",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("info", INFO_READS), ("export", READS), ("apply", CALLS)],
    examples: "rbac info\n\
         rbac info --all\n\
         rbac export\n\
         rbac export --owner team-a\n\
         rbac apply rbac.json --plan\n\
         rbac apply rbac.json --prune --yes",
    previews: true,
    settings: Settings::Needed,
};

/// What is read to show.
pub static INFO_READS: &[&Op] =
    &[&users::LIST, &roles::LIST, &roles::GET, &policies::LIST, &user_keys::LIST, &user_keys::ACCESS_LIST];

/// What is read to export.
pub static READS: &[&Op] = &[&users::LIST, &roles::LIST, &roles::GET, &policies::LIST, &user_keys::LIST];

/// What applying may call.
pub static CALLS: &[&Op] = &[
    &users::LIST,
    &roles::LIST,
    &roles::GET,
    &policies::LIST,
    &user_keys::LIST,
    &users::CREATE,
    &users::UPDATE,
    &users::DELETE,
    &user_keys::ADD,
    &user_keys::DELETE,
    &roles::CREATE,
    &roles::UPDATE,
    &roles::DELETE,
    &policies::CREATE,
    &policies::UPDATE,
    &policies::DELETE,
];

const APPLY_HELP: &str = "\
Shows what it would do, asks, and does it step by step: policies first, then users with their keys, then roles; what \
is to be deleted last, roles first. If a step fails, what was done stays, and running it again continues.

The file is JSON, and what it leaves out stays as it is:
  {
    \"owner\": \"team-a\",
    \"users\": [{ \"login\": \"jill\", \"email\": \"jill@example.com\",
                \"keys\": [\"ssh-ed25519 AAAA... laptop\"] }],
    \"policies\": [{ \"name\": \"may-reboot\", \"rules\": [\"CAN rebootmachine\"] }],
    \"roles\": [{ \"name\": \"ops\", \"members\": [\"jill\"], \"default_members\": [],
                \"policies\": [\"may-reboot\"] }]
  }

A key is its line, or a file next to this file; \"keys\" may also be one file, or a folder of .pub files. Without \
\"keys\", those of rbac-user-keys/LOGIN.pub are taken if there is such a file, and otherwise the user's keys are left \
alone. \"account:LOGIN\" is a member of another account. Keys are compared by fingerprint, rules as a set.

Nothing is deleted without --prune, and then only what this file has made: of what apply creates for an \"owner\", it \
keeps a record with your profiles (sdc-rbac/), one for each cloud, account and owner. --adopt puts what is in the file \
and there already on that record. What others have made is never deleted. If a run did not end, what it was about to \
create is on the record if it exists as it was sent; if it differs, a warning says so. A key that is not in the file \
stays unless it is on the record; the members and policies of a role, and the rules of a policy, are changed to those \
given.

A new user needs a password: from --passwords-file, or a random one, not shown. Users sign with their keys, \
and a password can be set later: 'sdc users change-password LOGIN'.";

/// The command and its verbs.
pub fn command() -> Command {
    let switch = |id: &'static str, help: &'static str| Arg::new(id).long(id).action(ArgAction::SetTrue).help(help);
    Command::new("rbac")
        .about("Users, roles and policies together: info, export, apply")
        .after_help("One by one: sdc users, sdc roles, sdc policies, sdc role-tags")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("info")
                .about("Show users, roles and policies, and how they relate")
                .arg(switch("all", "Show the keys of each user too: one more request for each")),
        )
        .subcommand(
            Command::new("export")
                .about("Write users, roles and policies as the file that 'sdc rbac apply' reads")
                .arg(
                    Arg::new("owner")
                        .long("owner")
                        .value_name("NAME")
                        .help("Owner to write into the file, so that --prune may delete its own"),
                ),
        )
        .subcommand(
            Command::new("apply")
                .about("Bring users, roles and policies to the state in a file")
                .before_long_help(APPLY_HELP)
                .arg(
                    Arg::new("file")
                        .value_name("FILE")
                        .required_unless_present("from")
                        .help("The file, - for standard input"),
                )
                .arg(
                    Arg::new("from")
                        .long("file")
                        .short('f')
                        .value_name("FILE")
                        .conflicts_with("file")
                        .help("The file, as an option"),
                )
                .arg(switch("plan", "Show what would be done, and do nothing; the same as --dry-run"))
                .arg(switch("prune", "Delete what the file has made and no longer names"))
                .arg(switch("adopt", "Put what is there already on the record of what the file has made"))
                .arg(
                    Arg::new("passwords-file")
                        .long("passwords-file")
                        .value_name("FILE")
                        .help("Passwords of new users, only yours to read: {\"LOGIN\": \"PASSWORD\"}"),
                )
                .arg(switch("yes", "Skip the confirmation prompt").short('y').alias("force")),
        )
}

/// Runs a verb and returns the exit code.
///
/// # Errors
/// Its own.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(0) };
    if let Some(output) = app.globals.output.as_deref().filter(|output| *output != "json") {
        return Err(Error::usage(format!("this is text or JSON, so --output {output} has no meaning here"))
            .hint("--json, or --jq EXPR"));
    }
    if app.globals.curl || app.globals.dry_run && verb != "apply" {
        let words = format!("'sdc rbac {verb}' is not a single request, so it has no preview");
        return Err(Error::usage(words));
    }
    match verb {
        "info" => info::run(app, matches).await,
        "export" => info::export(app, matches).await,
        _ => apply::run(app, matches).await,
    }
}

/// Whether the answer is wanted as JSON.
fn wants_json(app: &App) -> bool {
    app.globals.json() || app.globals.jq.is_some()
}

/// Prints JSON, through a jq expression if there is one.
fn print_json(app: &App, text: &str) -> Result<()> {
    let print = |line: &str| app.streams.out(format!("{line}\n").as_bytes());
    match app.program()? {
        Some(jq) => app.filter(&jq, text),
        None if app.streams.stdout_tty => print(render::visible_json(render::json::indented(text).trim_end()).as_ref()),
        None => print(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
