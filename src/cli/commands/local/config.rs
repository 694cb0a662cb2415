//! `sdc config show`: every setting, and where it came from.

use clap::{ArgMatches, Command};

use crate::answer::Answer;
use crate::api::CLOUDAPI;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::commands::{Custom, Settings};
use crate::config::Origin;
use crate::error::Result;

/// `sdc config show`.
pub(crate) static COMMAND: Custom = Custom {
    path: "config show",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    examples: "config show\nconfig show -o name,value",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] = &[column("name"), column("value"), column("origin")];

pub fn command() -> Command {
    Command::new("show")
        .about("Show every setting of sdc and where it came from")
        .before_long_help(
            "An option wins over a named profile (-p, SDC_PROFILE), that over the environment (SDC_*, then \
             TRITON_*), and that over the current profile.",
        )
        .args(list_options())
}

pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let rows: Vec<serde_json::Value> = app
        .config
        .rows()
        .into_iter()
        .map(|(name, value, origin)| match name {
            // The client's own choice, of which the settings know nothing.
            "accept-version" if value.is_empty() => {
                (name, CLOUDAPI.versions.unwrap_or_default().to_owned(), Origin::Default.to_string())
            }
            _ => (name, value, origin),
        })
        .map(|(name, value, origin)| serde_json::json!({ "name": name, "value": value, "origin": origin }))
        .collect();
    app.print_rows(&rows, COLUMNS, matches)?;
    Ok(0)
}

impl App {
    /// Prints rows of our own making under the options that every list has.
    pub(crate) fn print_rows(
        &self,
        rows: &[serde_json::Value],
        known: &'static [Column],
        matches: &ArgMatches,
    ) -> Result<()> {
        let view = self.view(matches, known)?;
        let jq = self.program()?;
        let answer = Answer::from_rows(serde_json::Value::from(rows.to_vec()).to_string().as_bytes())?;
        self.show(&answer, Shape::Rows, &view, jq.as_ref())
    }
}
