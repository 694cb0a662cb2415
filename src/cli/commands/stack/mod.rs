//! `sdc stack`: templates of Heat, run without OpenStack. It reads the command line and prints; the work itself is done
//! by `crate::stack`.

mod given;
pub(crate) mod types;
mod validate;

use clap::{Arg, ArgMatches, Command};

use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::error::Result;

/// `sdc stack`.
pub(crate) static COMMAND: Custom = Custom {
    path: "stack",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "stack validate -t web.yaml\n\
         stack validate -t web.yaml -e prod.yaml -P size=g1-small --strict\n\
         stack type list\n\
         stack type show SDC::Compute::Machine\n\
         stack type show SDC::Network::SmartNetwork -o name,holds,about\n\
         stack function list --template-version 2016-10-14",
    previews: false,
    settings: Settings::NeededBy(&["preview"]),
};

const VALIDATE_HELP: &str = "\
All faults of the file are told in one run, each with its line and column, and nothing is sent. Without a value, a \
parameter is not known, and what depends on it is checked as far as that goes.

A parameter is given by --parameter, --parameter-file or an environment, the first of these that has it; of several \
environments the last. A file of one line is taken without its line end. What a condition leaves out is not looked \
at: give the values with which the stack is to be made.

What is not wrong but seldom meant is a warning: a parameter that nothing uses, an image without a version, a name that \
DNS cannot have, a value that other readers of YAML take for something else. --strict makes these errors.";

fn command() -> Command {
    Command::new("stack")
        .about("Stacks of machines and networks from templates of Heat")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("validate")
                .about("Check a template: all of its faults in one run")
                .before_long_help(VALIDATE_HELP)
                .args(given::options())
                .arg(
                    Arg::new("strict").long("strict").action(clap::ArgAction::SetTrue).help("Take warnings for errors"),
                ),
        )
        .subcommand(
            group("function", "The functions of templates").subcommand(
                Command::new("list")
                    .about("List the functions of templates")
                    .arg(
                        Arg::new("template-version")
                            .long("template-version")
                            .value_name("VERSION")
                            .help("Only those of this version of the language, such as 2016-10-14"),
                    )
                    .args(list_options()),
            ),
        )
        .subcommand(
            group("type", "The types of resources")
                .subcommand(Command::new("list").about("List the types of resources").args(list_options()))
                .subcommand(
                    Command::new("show")
                        .about("Show the properties and attributes of a type")
                        .arg(Arg::new("type").value_name("TYPE").required(true).help("The type: SDC::Compute::Machine"))
                        .args(list_options()),
                ),
        )
}

fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true).arg_required_else_help(true)
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    match matches.subcommand() {
        Some(("validate", matches)) => validate::run(app, matches),
        Some(("function", below)) => types::functions(app, below.subcommand().map_or(below, |(_, last)| last)),
        Some(("type", below)) => match below.subcommand() {
            Some(("show", matches)) => types::show(app, matches),
            Some((_, matches)) => types::list(app, matches),
            None => Ok(0),
        },
        _ => Ok(0),
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
