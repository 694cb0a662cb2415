//! `sdc machines ip`: the addresses of machines, one a line, for scripts and configuration.

use std::fmt::Write;

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::StreamExt;

use super::address_options;
use crate::api::cloudapi::machines::{self, MACHINE};
use crate::api::{Column, column};
use crate::cli::app::App;
use crate::cli::args::build::{self, Syntax};
use crate::cli::args::targets;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::error::{Error, Kind, Result};
use crate::grammar::selector::is_glob;
use crate::request::Args;
use crate::tasks::addresses::{AddressChoice, Machine, Networks};
use crate::tasks::call::Call;
use crate::tasks::route;
use crate::tasks::targets::{Targets, resolve};

/// `sdc machines ip`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines ip",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "machines ip web1\nmachines ip web1 web10 --network public",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] =
    &[column("id").long(), column("name").stays(), column("ip").stays(), column("network"), column("primary")];

/// How many machines are asked for at once.
const AT_ONCE: usize = 8;

/// The command and its options.
pub fn command() -> Command {
    Command::new("ip")
        .about("Print the address of a machine")
        .before_long_help(
            "The primary address, or the one that is chosen, or --all of them: one a line, unless -o asks for a \
             format, where id and name are the machine's. Where a machine has no such address, the exit code is \
             3.",
        )
        .args(targets::any_of(&MACHINE))
        .args(address_options::options())
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Every address that fits, not just one"))
        .args(build::list_options_beside(&MACHINE))
}

/// Prints them and returns the exit code.
///
/// # Errors
/// Whatever went wrong with the one machine; failures of several are reported here.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    if app.globals.dry_run || app.globals.curl {
        return Err(Error::usage("an address is not a single request, so it has no preview"));
    }
    // A wrong format or column is refused before anything is asked.
    app.view(matches, COLUMNS)?;
    let asked = targets::read(&app.console, &machines::GET, Args::new(), matches)?;
    let client = app.client()?;
    // A name alone is looked up with the machine's record in one request.
    let several = |name: &String| is_glob(name) || name.contains(['{', '}']);
    let named = asked.filter.rows.is_empty() && asked.listed.is_empty() && !asked.typed.iter().any(several);
    let targets = match named {
        true => Targets {
            several: asked.typed.len() > 1,
            calls: asked.typed.iter().map(|name| Call::on(&MACHINE, name, name)).collect(),
            ..Targets::default()
        },
        false => resolve(app, &client, &machines::GET, asked).await?,
    };
    let choice = address_options::typed(matches).choice(&client).await?;
    let networks = route::networks(&client, &choice).await?;
    let all = matches.get_flag("all");
    if targets.calls.is_empty() && targets.failures.is_empty() {
        return Err(Error::new(Kind::NotFound, "no machine matches"));
    }
    let several = targets.several;
    let ids: Vec<&str> = targets.calls.iter().filter_map(Call::id).collect();
    let mut found =
        std::pin::pin!(futures_util::stream::iter(ids).map(|id| route::machine(&client, id)).buffered(AT_ONCE));
    let mut rows = Vec::new();
    let mut gravest: Option<Kind> = None;
    for error in &targets.failures {
        app.report(error);
        gravest = Some(error.kind().graver(gravest));
    }
    while let Some(machine) = found.next().await {
        match machine.and_then(|machine| addresses(&machine, &choice, &networks, all)) {
            Ok(more) => rows.extend(more),
            Err(error) if several => {
                app.report(&error);
                gravest = Some(error.kind().graver(gravest));
            }
            Err(error) => return Err(error),
        }
    }
    if app.globals.output.is_some() || app.globals.jq.is_some() {
        app.print_rows(&rows, COLUMNS, matches)?;
    } else {
        app.streams.out(plain(&rows).as_bytes())?;
    }
    Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0)))
}

fn addresses(
    machine: &Machine,
    choice: &AddressChoice,
    networks: &Networks,
    all: bool,
) -> Result<Vec<serde_json::Value>> {
    let one = machine.one(choice, networks)?;
    let chosen = if all { machine.fitting(choice, networks) } else { vec![one] };
    let row = |address: &crate::tasks::addresses::Address| {
        serde_json::json!({
            "id": machine.id,
            "name": machine.name,
            "ip": address.ip.to_string(),
            "network": Some(&address.network).filter(|network| !network.is_empty()),
            "primary": address.primary,
        })
    };
    Ok(chosen.into_iter().map(row).collect())
}

fn plain(rows: &[serde_json::Value]) -> String {
    rows.iter().fold(String::new(), |mut out, row| {
        let _ = writeln!(out, "{}", row["ip"].as_str().unwrap_or_default());
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
