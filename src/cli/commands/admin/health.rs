//! `sdc admin health`: how every instance of the internal services is.

use clap::{ArgMatches, Command};
use serde_json::json;

use crate::admin::directory::Line;
use crate::admin::ping::State;
use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::error::Result;
use crate::render;

/// `sdc admin health`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin health",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "admin health\nadmin health --json",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] =
    &[column("service"), column("instance"), column("state").stays(), column("why"), column("url").roomy()];

fn command() -> Command {
    Command::new("health")
        .about("Ask every instance of the internal services how it is")
        .before_long_help(
            "up: it does all it is for. degraded: it answers, and lacks something. down: it does not answer. The exit \
             code is 1 unless every line is up.",
        )
        .args(list_options())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    let (lines, notes) = app.directory()?.health().await?;
    notes.iter().for_each(|note| app.say(&format!("note: {}", render::escaped(note))));
    let shown: Vec<String> = lines.iter().map(line).collect();
    app.show(&Answer::from_rows(format!("[{}]", shown.join(",")).as_bytes())?, Shape::Rows, &view, jq.as_ref())?;
    Ok(if lines.iter().all(|line| line.health.state == State::Up) { 0 } else { 1 })
}

fn line(line: &Line) -> String {
    let (service, state) = (line.service.to_ascii_lowercase(), line.health.state.word());
    json!({ "service": service, "instance": line.instance, "state": state, "why": line.health.why, "url": line.url })
        .to_string()
}
