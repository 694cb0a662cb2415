//! `sdc admin vms create`: disks as each brand wants them, and the keys of the owner. It adds to the table's own
//! command; what is added is found out in `tasks::vm_spec`.

use std::future::Future;
use std::pin::Pin;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::api::admin::vmapi;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute::{self, Completion};
use crate::error::Result;
use crate::request::Args;
use crate::tasks::vm_spec::{Extras, complete};

/// `sdc admin vms create`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin vms create",
    syntax: Syntax::Extended(extend),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&vmapi::CREATE])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

fn extend(command: Command) -> Command {
    command.args([
        Arg::new("disk")
            .long("disk")
            .value_name("SIZE")
            .action(ArgAction::Append)
            .conflicts_with("disks")
            .help("One more disk of a kvm or bhyve VM, such as 20G; remaining is the rest of a bhyve package"),
        Arg::new("keys").long("keys").action(ArgAction::SetTrue).help("Let the keys of its owner log in (mahi)"),
    ])
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let disks = matches.get_many::<String>("disk").into_iter().flatten().cloned().collect();
    let extras = Extras { disks, keys: matches.get_flag("keys") };
    execute::run_completed(app, &vmapi::CREATE, matches, &Completing { app, extras }).await
}

struct Completing<'a> {
    app: &'a App,
    extras: Extras,
}

impl Completion for Completing<'_> {
    fn complete<'a>(&'a self, args: &'a mut Args) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
        Box::pin(complete(self.app, args, &self.extras))
    }
}
