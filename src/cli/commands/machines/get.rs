//! `sdc machines get`: the operation itself, and with `-o create` the document that `machines create --from` takes.

use std::fmt::Write;

use clap::ArgMatches;

use crate::answer::Answer;
use crate::api::Shape;
use crate::api::cloudapi::{images, machines, networks, packages};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::targets as chosen;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute;
use crate::cli::terminal::exit;
use crate::error::{Error, Kind, Result};
use crate::render::{self, Format, View};
use crate::request::Args;
use crate::tasks::call::described;
use crate::tasks::recipe::{self, NOT_HERE, Recipe};
use crate::tasks::targets;

/// `sdc machines get`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines get",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&machines::GET, &images::LIST, &packages::LIST, &networks::LIST])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// The word behind `-o` for the document.
pub const CREATE: &str = "create";

/// Shows them, and returns the exit code.
///
/// # Errors
/// Those of the operation.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    match app.globals.output.as_deref() {
        Some(CREATE) => documents(app, matches).await,
        _ => execute::run(app, &machines::GET, matches).await,
    }
}

async fn documents(app: &App, matches: &ArgMatches) -> Result<i32> {
    if app.globals.jq.is_some() || app.globals.dry_run || app.globals.curl {
        return Err(Error::usage("-o create prints a document of YAML, so --jq, --dry-run and --curl have no meaning"));
    }
    let asked = chosen::read(&app.console, &machines::GET, Args::new(), matches)?;
    let client = app.client()?;
    let found = targets::resolve(app, &client, &machines::GET, asked).await?;
    let names = recipe::Names::load(&client).await?;
    let (mut gravest, mut out): (Option<Kind>, String) = (None, String::new());
    let mut fail = |error: Error| {
        app.report(&error);
        gravest = Some(error.kind().graver(gravest));
    };
    found.failures.into_iter().for_each(&mut fail);
    for call in &found.calls {
        match recipe::of(&client, &names, call.id().unwrap_or_default()).await {
            Ok(made) => {
                // What reads this on makes another machine without it.
                let told = made.left_out.iter().filter(|words| recipe::is_told(words));
                told.for_each(|words| app.warn(&format!("the document of {} leaves out {words}", described(call))));
                written(&made, &mut out)?;
            }
            Err(error) if !found.several => return Err(call.of(call.blame(error))),
            Err(error) => fail(call.of(call.blame(error))),
        }
    }
    app.streams.out(out.as_bytes())?;
    Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0)))
}

/// Adds a document of YAML, with comments about what is not in it.
fn written(made: &Recipe, out: &mut String) -> Result<()> {
    if !out.is_empty() {
        out.push_str("---\n");
    }
    let view = View { format: Format::Yaml, ..View::default() };
    out.push_str(&render::render(&Answer::from_record(made.document.as_bytes())?, Shape::Record, &view));
    for words in &made.left_out {
        let _ = writeln!(out, "{NOT_HERE}{}", render::visible(words));
    }
    Ok(())
}
