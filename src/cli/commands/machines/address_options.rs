//! The options that choose one of a machine's addresses.

use clap::{Arg, ArgAction, ArgMatches};

use crate::tasks::addresses::Typed;

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

/// What they choose, as it was typed.
pub fn typed(matches: &ArgMatches) -> Typed<'_> {
    Typed {
        network: matches.get_one::<String>("network").map(String::as_str),
        public: matches.get_flag("public"),
        private: matches.get_flag("private"),
    }
}
