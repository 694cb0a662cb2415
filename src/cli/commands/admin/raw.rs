//! `sdc admin raw SERVICE METHOD PATH`: any request to an internal service, its answer as it came.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use crate::api::admin::named;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::cloud::api;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::error::{CommandLine, Error, Result};

/// `sdc admin raw`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin raw",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "admin raw vmapi GET '/vms?limit=5'\n\
         admin raw cnapi GET /servers --jq '.[].hostname'",
    previews: true,
    settings: Settings::Needed,
};

/// The services as they are typed.
const NAMES: [&str; 11] =
    ["sapi", "vmapi", "workflow", "napi", "papi", "imgapi", "cnapi", "mahi", "fwapi", "volapi", "amon"];

fn command() -> Command {
    Command::new("raw")
        .about("Send a request to an internal service and print the answer unchanged")
        .before_long_help("A status of 400 or more is printed too, and the exit code says so.")
        .arg(
            Arg::new("SERVICE")
                .required(true)
                .ignore_case(true)
                .value_parser(PossibleValuesParser::new(NAMES))
                .help("Service, by the name that SAPI has for it"),
        )
        .args(api::arguments("Path and query, encoded: /vms?limit=5"))
        .arg(api::include())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str).unwrap_or_default();
    let service = named(text("SERVICE")).ok_or_else(|| Error::usage("there is no such service"))?;
    let request = api::typed(app, matches, text("PATH"))?;
    app.program()?;
    let client = app.inner(service).await?;
    if app.globals.dry_run || app.globals.curl {
        return preview::requests(app, &client, &[request]).await.map(|()| 0);
    }
    let path = text("PATH").split('?').next().unwrap_or_default();
    let look = CommandLine::new("admin raw").on(text("SERVICE")).on("GET").on(path);
    api::send(app, &client, &request, matches, &look).await.map_err(|error| app.forgetting(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::admin::ALL;

    #[test]
    fn each_service_can_be_typed() {
        let names: Vec<String> = ALL.iter().map(|service| service.name.to_ascii_lowercase()).collect();
        assert_eq!(names, NAMES);
    }
}
