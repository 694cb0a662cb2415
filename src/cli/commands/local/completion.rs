//! `sdc completion SHELL`: the script by which a shell asks the program itself what can follow. It is short, and
//! needs the program of the same version; what it answers is the business of `complete`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use crate::cli::app::App;
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
    examples: "completion bash\ncompletion zsh",
    previews: false,
    settings: Settings::UNNEEDED,
};

pub fn command() -> Command {
    Command::new("completion")
        .about("Print a completion script for your shell")
        .before_long_help(
            "Completes commands, options, and the names of machines, images and the like. Load it when the shell \
             starts:\n\n\
             \x20 bash        source <(sdc completion bash)\n\
             \x20 zsh         source <(sdc completion zsh)    after compinit\n\
             \x20 fish        sdc completion fish | source\n\
             \x20 elvish      eval (sdc completion elvish | slurp)\n\
             \x20 powershell  sdc completion powershell | Out-String | Invoke-Expression",
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
