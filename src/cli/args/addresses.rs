//! The options that choose one of a machine's addresses.

use clap::{Arg, ArgAction, ArgMatches};

use crate::api::cloudapi::networks;
use crate::client::Client;
use crate::error::Result;
use crate::tasks::addresses::Choice;
use crate::tasks::resolve;

/// The options that choose an address.
pub fn options() -> [Arg; 3] {
    let switch = |id: &'static str, other: &'static str, help: &'static str| {
        Arg::new(id).long(id).action(ArgAction::SetTrue).conflicts_with_all([other, "network"]).help(help)
    };
    [
        switch("public", "private", "A public address"),
        switch("private", "public", "A private address"),
        Arg::new("network")
            .long("network")
            .short('N')
            .value_name("NETWORK")
            .value_parser(clap::builder::NonEmptyStringValueParser::new())
            .help("The address in this network: id, short id or name"),
    ]
    .map(|arg| arg.help_heading("Address"))
}

/// What they choose.
///
/// # Errors
/// There is no such network.
pub async fn choice(client: &Client, matches: &ArgMatches) -> Result<Choice> {
    Ok(match matches.get_one::<String>("network") {
        Some(typed) => Choice::Network(resolve::id(client, &networks::NETWORK, typed).await?),
        None if matches.get_flag("public") => Choice::Public,
        None if matches.get_flag("private") => Choice::Private,
        None => Choice::Usual,
    })
}
