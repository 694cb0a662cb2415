//! `sdc completion SHELL`: the script by which a shell asks the program itself what can follow. It is short, and
//! needs the program of the same version; what it may answer is `cli::complete`'s.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::env::Shells;

use crate::cli::App;
use crate::error::{Error, Result};

/// Shell, and the name of its script below `completions/`.
pub const SHELLS: &[(&str, &str)] =
    &[("bash", "sdc.bash"), ("zsh", "_sdc"), ("fish", "sdc.fish"), ("powershell", "_sdc.ps1"), ("elvish", "sdc.elv")];

pub fn command() -> Command {
    Command::new("completion")
        .about("Print a completion script for your shell")
        .long_about(
            "Print a completion script for your shell. It completes commands, options, and the names of machines,\n\
             images and the like; load it when the shell starts:\n\n\
             bash:        source <(sdc completion bash)\n\
             zsh:         source <(sdc completion zsh)\n\
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
    app.streams.out(&script(matches.get_one::<String>("SHELL").map_or("bash", String::as_str))?)?;
    Ok(0)
}

/// The script for a shell.
///
/// # Errors
/// A usage error for a shell that is not known.
pub fn script(shell: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    Shells::builtins()
        .completer(shell)
        .ok_or_else(|| Error::usage(format!("there is no completion for '{shell}'")))?
        .write_registration(crate::cli::complete::VARIABLE, "sdc", "sdc", "sdc", &mut out)
        .map_err(|error| Error::other("cannot write the completion script").because(error))?;
    Ok(out)
}
