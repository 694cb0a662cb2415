//! `sdc completion SHELL`: the script by which a shell asks the program itself what can follow. It is short, and
//! needs the program of the same version; what it answers is the business of `complete`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use crate::cli::App;
use crate::cli::args::build::Syntax;
pub use crate::cli::commands::local::complete::{SHELLS, script};
use crate::cli::commands::{Custom, Settings};
use crate::error::Result;

/// `sdc completion`.
pub(crate) static COMMAND: Custom = Custom {
    path: "completion",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    previews: false,
    settings: Settings::UNNEEDED,
};

pub fn command() -> Command {
    Command::new("completion")
        .about("Print a completion script for your shell")
        .long_about(
            "Print a completion script for your shell. It completes commands, options, and the names of machines,\n\
             images and the like; load it when the shell starts:\n\n\
             bash:        source <(sdc completion bash)\n\
             zsh:         source <(sdc completion zsh)      after compinit\n\
             fish:        sdc completion fish | source\n\
             elvish:      eval (sdc completion elvish | slurp)\n\
             powershell:  sdc completion powershell | Out-String | Invoke-Expression",
        )
        .arg(
            Arg::new("SHELL")
                .required(true)
                .value_parser(PossibleValuesParser::new(SHELLS.iter().map(|(shell, _)| *shell))),
        )
}

pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    app.streams.out(script(matches.get_one::<String>("SHELL").map_or("bash", String::as_str))?.as_bytes())?;
    Ok(0)
}
