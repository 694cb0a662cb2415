//! The options that say where the internal services are: every command behind `admin` has them.

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The heading of these options in a page of help.
pub const SERVICES: &str = "Internal services";

/// Adds them to a command, and to all below it.
pub fn add(command: Command) -> Command {
    let option = |long: &'static str, value: &'static str, help: &'static str| {
        let text = NonEmptyStringValueParser::new();
        let arg = Arg::new(format!("{long}-at")).long(long).value_name(value).value_parser(text);
        arg.global(true).help_heading(SERVICES).help(help)
    };
    command.args([
        option(
            "sapi",
            "HOST[:PORT]",
            "Address of SAPI, which tells of the others, or the path of a headnode's configuration file [env: SDC_SAPI_URL, SAPI_URL]",
        ),
        option(
            "service",
            "NAME=HOST[:PORT]",
            "Address of another service; may be repeated [env: VMAPI_URL, NAPI_URL, …]",
        )
        .action(ArgAction::Append),
        Arg::new("show-secrets")
            .long("show-secrets")
            .action(ArgAction::SetTrue)
            .global(true)
            .help_heading(SERVICES)
            .help("Show the secrets in SAPI's answers"),
    ])
}

/// What was typed of them, at whatever level of the command line.
pub fn typed(levels: &[&ArgMatches]) -> (Option<String>, Vec<String>, bool) {
    let last = levels.last();
    let sapi = last.and_then(|last| last.try_get_one::<String>("sapi-at").ok().flatten()).cloned();
    let services = last.and_then(|last| last.try_get_many::<String>("service-at").ok().flatten());
    let show = last.and_then(|last| last.try_get_one::<bool>("show-secrets").ok().flatten()) == Some(&true);
    (sapi, services.into_iter().flatten().cloned().collect(), show)
}
