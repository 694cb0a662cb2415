//! The commands that are more than one call of an operation, one file each.

mod api;
mod completion;
mod config;
mod doctor;
#[cfg(feature = "emulator")]
mod emulator;
mod fwcheck;
pub mod generate;
mod profile;
mod topics;

use clap::{ArgMatches, Command};
pub use doctor::unsettled;

use super::{App, globals};
use crate::error::{Error, Result};

/// Their commands, in the order of the help.
pub fn commands() -> Vec<Command> {
    vec![
        globals::add(api::command()),
        globals::add(doctor::command()),
        globals::add(config::command()),
        globals::add(profile::command()),
        globals::add(fwcheck::command().name("fwrule-check").hide(true)),
        #[cfg(feature = "emulator")]
        emulator::command(),
        completion::command(),
        topics::command(),
        generate::command(),
    ]
}

/// Whether a command gets by without settings: those that help, and those that mend settings which are broken.
pub fn needs_no_settings(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some(("help" | "completion" | "generate" | "emulator" | "fwrule-check", _)) => true,
        Some(("profile", verb)) => !matches!(verb.subcommand_name(), Some("create")),
        _ => false,
    }
}

/// Runs one and returns the exit code.
///
/// # Errors
/// Its own.
pub async fn run(app: &App, word: &str, matches: &ArgMatches) -> Result<i32> {
    if word != "api" && (app.globals.dry_run || app.globals.curl) {
        return Err(Error::usage(format!("`sdc {word}` is no single request, so it cannot be shown instead of done")));
    }
    match word {
        "api" => api::run(app, matches).await,
        "auth" => doctor::run(app, matches).await,
        "profile" => profile::run(app, matches),
        "config" => config::run(app, matches),
        "fwrule-check" => fwcheck::run(app, matches),
        #[cfg(feature = "emulator")]
        "emulator" => emulator::run(matches, &app.streams).await,
        "completion" => completion::run(app, matches),
        "help" => topics::run(app, matches),
        "generate" => generate::run(matches),
        _ => Err(Error::usage(format!("there is no command '{word}'"))),
    }
}
