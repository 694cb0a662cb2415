//! `sdc machines create` for scripts: a machine that is there already is not made again, several are made at once,
//! and one that fails can be removed. It adds to the table's own command; how it is done is in `tasks::create`.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::api::cloudapi::machines;
use crate::cli::app::App;
use crate::cli::args::build::{self, CREATION, Syntax};
use crate::cli::args::targets;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute;
use crate::error::Result;
use crate::tasks::create::{CreateOptions, check_key};

/// `sdc machines create`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines create",
    syntax: Syntax::Extended(extend),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&machines::CREATE])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// The options beside those of the table.
pub fn extend(command: Command) -> Command {
    let own = |id: &'static str| Arg::new(id).long(id).help_heading(CREATION);
    command
        .override_usage("sdc machines create IMAGE PACKAGE [OPTIONS]\n       sdc machines create --from FILE [OPTIONS]")
        .args([
            own("idempotency-key")
                .value_name("KEY")
                .value_parser(NonEmptyStringValueParser::new())
                .help("Create at most one per KEY and name (tag sdc.idempotency-key); excludes --if-absent"),
            own("if-absent")
                .action(ArgAction::SetTrue)
                .conflicts_with("idempotency-key")
                .help("Do nothing if a machine with this name, image and package exists"),
            own("count")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..=10_000))
                .help("Create N machines: -n web gives web-1, web-2, ...; -n 'web-{01..10}' gives each name once"),
            own("on-failure")
                .value_name("ACTION")
                .value_parser(PossibleValuesParser::new(["keep", "delete"]))
                .requires("wait")
                .help("Keep or delete one that fails or takes too long [default: keep]"),
        ])
        .arg(
            build::from_file("File of machines, - for stdin: YAML documents or JSON, with the fields of this command")
                .action(ArgAction::Append)
                .help_heading(CREATION),
        )
        .args(targets::limits().map(|limit| limit.help_heading(CREATION)))
}

/// Makes them and returns the exit code.
///
/// # Errors
/// Those of the operation; a machine that is there and differs.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    execute::run_making(app, &machines::CREATE, matches, &making(matches)?).await
}

/// Reads the options.
///
/// # Errors
/// A usage error for a key that no tag can keep.
fn making(matches: &ArgMatches) -> Result<CreateOptions> {
    let key = matches.get_one::<String>("idempotency-key").cloned();
    key.as_deref().map(check_key).transpose()?;
    let mut making = CreateOptions::new(key, matches.get_flag("if-absent"));
    making.count = matches.get_one::<u64>("count").map(|count| usize::try_from(*count).unwrap_or(usize::MAX));
    making.delete_failed = matches.get_one::<String>("on-failure").is_some_and(|what| what == "delete");
    Ok(making)
}
