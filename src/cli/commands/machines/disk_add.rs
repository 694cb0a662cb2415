//! `sdc machines disks add`: the operation itself, after a look at the machine. The service never answers for one
//! that is not bhyve, and nobody should wait a minute to learn that.

use clap::ArgMatches;

use crate::api::cloudapi::{disks, machines};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute;
use crate::error::{Error, Kind, Result};
use crate::request::Args;
use crate::tasks::resolve;

/// `sdc machines disks add`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines disks add",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&disks::ADD, &machines::GET])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// Adds the disk and returns the exit code.
///
/// # Errors
/// A machine of another brand; and those of the operation.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let typed = matches.get_one::<String>("machine").map(String::as_str).unwrap_or_default();
    if !typed.is_empty() && !app.globals.dry_run && !app.globals.curl {
        let client = app.client()?;
        let id = resolve::id(&client, &machines::MACHINE, typed).await?;
        let shown = client.call(&machines::GET, &Args::new().set("machine", &id)).await;
        let shown = shown.map_err(|error| error.about(&format!("machine {typed}")))?;
        let brand = shown.first().and_then(|row| row.text("/brand").map(|brand| brand.into_owned()));
        if let Some(brand) = brand.filter(|brand| brand != "bhyve") {
            let words = format!("machine {typed} is of the brand {brand}, and only bhyve machines can get disks");
            return Err(Error::new(Kind::Refused, words));
        }
    }
    execute::run(app, &disks::ADD, matches).await
}
