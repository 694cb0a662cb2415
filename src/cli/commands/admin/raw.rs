//! `sdc admin raw SERVICE METHOD PATH`: any request to an internal service, its answer as it came.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};

use crate::api::admin::named;
use crate::api::{Op, Service};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::cloud::api;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::error::{CommandLine, Error, Result};
use crate::request::Request;

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

/// How long an answer may take that comes at the end: the longest job has more than an hour.
const LONGEST: Duration = Duration::from_secs(7200);

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
    let mut request = api::typed(app, matches, text("PATH"))?;
    if answers_at_the_end(service, &request) {
        request.answer_limit = Some(LONGEST);
    }
    app.program()?;
    let client = app.inner(service).await?;
    if app.globals.dry_run || app.globals.curl {
        return preview::requests(app, &client, &[request]).await.map(|()| 0);
    }
    let path = text("PATH").split('?').next().unwrap_or_default();
    let look = CommandLine::new("admin raw").on(text("SERVICE")).on("GET").on(path);
    api::send(app, &client, &request, matches, &look).await.map_err(|error| app.forgetting(error))
}

/// Whether a request is answered only when what it asks for, or asks about, has come to its end: a wait for a job, a task
/// or a ticket, an action that is to be answered then (`sync=true`), and what takes long by its nature.
fn answers_at_the_end(service: &Service, request: &Request) -> bool {
    let waits = request.path.trim_end_matches('/').ends_with("/wait");
    let sync = request.query.split('&').any(|part| part == "sync=true");
    let long = |op: &'static Op| op.answer_limit.is_some();
    waits || sync || service.operations(request.method.as_str(), &request.path).any(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_are_answered_at_the_end_are_known_by_their_paths() {
        for (service, method, path, held) in [
            ("vmapi", "GET", "/jobs/J/wait", true),
            ("cnapi", "GET", "/tasks/T/wait?timeout=7200", true),
            ("cnapi", "GET", "/tickets/T/wait", true),
            ("vmapi", "POST", "/vms/V?action=stop&sync=true", true),
            ("vmapi", "POST", "/vms/V?action=stop", false),
            ("vmapi", "GET", "/jobs/J", false),
            ("sapi", "DELETE", "/instances/I", true),
            ("sapi", "GET", "/instances/I", false),
        ] {
            let request = Request::raw(method, path).unwrap();
            assert_eq!(answers_at_the_end(named(service).unwrap(), &request), held, "{method} {path}");
        }
    }
    use crate::api::admin::ALL;

    #[test]
    fn each_service_can_be_typed() {
        let names: Vec<String> = ALL.iter().map(|service| service.name.to_ascii_lowercase()).collect();
        assert_eq!(names, NAMES);
    }
}
