//! `sdc admin discover`: where each internal service is, and how that was found out.

use clap::{ArgMatches, Command};
use serde_json::json;

use crate::admin::directory::Row;
use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::error::Result;
use crate::render;

/// `sdc admin discover`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin discover",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "admin discover\nadmin discover --json",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] = &[column("service"), column("url").stays(), column("how"), column("notes").roomy()];

fn command() -> Command {
    Command::new("discover")
        .about("Show where each internal service is, and how that was found out")
        .before_long_help(
            "SAPI tells of the others: --sapi HOST, or SDC_SAPI_URL. An address counts once its service has answered \
             there, and is remembered for five minutes; this command looks anew.",
        )
        .args(list_options())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let mut view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    let directory = app.directory()?;
    directory.forget();
    let rows = directory.rows().await?;
    let installed = |row: &&Row| row.installed || row.place.is_some();
    let found = rows.iter().filter(installed).all(|row| row.answers);
    let shown: Vec<String> = rows.iter().map(row).collect();
    view.known = COLUMNS;
    app.show(&Answer::from_rows(format!("[{}]", shown.join(",")).as_bytes())?, Shape::Rows, &view, jq.as_ref())?;
    if view.format == render::Format::Table {
        for row in rows.iter().filter(|row| !row.notes.is_empty()) {
            let name = row.service.name.to_ascii_lowercase();
            row.notes.iter().for_each(|note| app.say(&format!("note: {name}: {}", render::escaped(note))));
        }
    }
    Ok(if found { 0 } else { 1 })
}

fn row(row: &Row) -> String {
    let place = row.place.as_ref();
    let how = match place {
        Some(place) => place.how.as_str(),
        None if row.installed => "not found",
        None => "no instance in SAPI",
    };
    let service = row.service.name.to_ascii_lowercase();
    json!({ "service": service, "url": place.map(|place| &place.url), "how": how, "notes": row.notes }).to_string()
}
