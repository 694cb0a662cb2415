//! `sdc admin ca`: a service that is no longer there. Whoever looks for it learns what there is instead.

use clap::{Arg, ArgAction, Command};

use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::error::Error;

/// `sdc admin ca`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin ca",
    syntax: Syntax::Own(command),
    run: |_, _| Box::pin(async { Err(retired()) }),
    calls: &[],
    examples: "admin ca\nadmin ca list-instrumentations",
    previews: false,
    settings: Settings::UNNEEDED,
};

fn command() -> Command {
    Command::new("ca")
        .about("Say what became of cloud analytics")
        .before_long_help(
            "Cloud analytics was retired in 2019, and no data center has it any longer. Metrics of VMs come from CMON, \
             the container monitor, in the format of Prometheus. The exit code is 1.",
        )
        .arg(
            Arg::new("words")
                .value_name("WORD")
                .num_args(0..)
                .trailing_var_arg(true)
                .action(ArgAction::Append)
                .help("What was typed for it; whatever it is, the answer is the same"),
        )
}

fn retired() -> Error {
    Error::other("cloud analytics (CA) was retired in 2019: no data center has it any longer")
        .hint("metrics of VMs come from CMON, for Prometheus: https://cmon.DATACENTER.DOMAIN:9163")
        .hint("the guide of CMON: https://github.com/TritonDataCenter/triton-cmon")
}
