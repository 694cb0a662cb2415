//! `sdc machines tags get` and `metadata get`: one of them, as it is. The service answers a number or boolean as the
//! empty text or as not found, and does not find a name with a slash; only its list of all of them shows these.

use clap::ArgMatches;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::api::cloudapi::{machines, metadata, tags};
use crate::api::{CLOUDAPI, Noun, Op, Shape};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::client::Client;
use crate::error::{Error, Hint, Kind, Result};
use crate::request::{Arg, Args};
use crate::tasks::{meant, resolve};

/// `sdc machines tags get`.
pub(crate) static TAG: Custom = Custom {
    path: "machines tags get",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(tag(app, matches)),
    calls: &[("", &[&tags::GET, &tags::LIST])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// `sdc machines metadata get`.
pub(crate) static METADATA: Custom = Custom {
    path: "machines metadata get",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(metadata(app, matches)),
    calls: &[("", &[&metadata::GET, &metadata::LIST])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// Prints a tag and returns the exit code.
///
/// # Errors
/// There is no such machine or tag.
pub async fn tag(app: &App, matches: &ArgMatches) -> Result<i32> {
    run(app, matches, &tags::TAG, &tags::TAGS).await
}

/// Prints a metadata value and returns the exit code.
///
/// # Errors
/// There is no such machine or key.
pub async fn metadata(app: &App, matches: &ArgMatches) -> Result<i32> {
    run(app, matches, &metadata::METADATA_KEY, &metadata::METADATA).await
}

async fn run(app: &App, matches: &ArgMatches, part: &'static Noun, all: &'static Noun) -> Result<i32> {
    let (get, list): (&'static Op, &'static Op) = (part.get, all.get);
    let view = app.view(matches, machines::MACHINES.columns)?;
    let jq = app.program()?;
    let mut args = Args::new();
    for param in get.path_params() {
        let text = matches.get_one::<String>(param).map(String::as_str).unwrap_or_default();
        if text.is_empty() {
            let word = if param == part.name { part.word } else { param };
            return Err(Error::usage(format!("the name of the {word} is empty: is a variable unset?")));
        }
        args.push(param, Arg::Text(text.to_owned()));
    }
    let name = args.text(part.name).unwrap_or_default().to_owned();
    // Only the machine is looked up: the name is compared here, or by the service.
    let mut machine = Args::new().set("machine", args.text("machine").unwrap_or_default());
    let client = match app.globals.dry_run && !resolve::is_needed(&CLOUDAPI, list, &machine) {
        true => app.client_without_key()?,
        false => app.client()?,
    };
    resolve::all(&client, list, &mut machine).await?;
    args.push("machine", Arg::Text(machine.text("machine").unwrap_or_default().to_owned()));
    // The service hands the name on unescaped, and so may answer another one.
    let alone = part.travels(&name) && !name.contains(['?', '#', '%']);
    if app.globals.dry_run || app.globals.curl {
        let request = if alone { client.request(get, &args)? } else { client.request(list, &machine)? };
        return preview::requests(app, &client, &[request]).await.map(|()| 0);
    }
    let missing = || {
        Error::new(Kind::NotFound, format!("no {} named '{name}'", part.word))
            .hint(Hint::run("list them", machine.command(&CLOUDAPI, list)))
    };
    let answer = match alone {
        true => {
            let called = matches.get_one::<String>("machine").map(String::as_str).unwrap_or_default();
            let called = format!("{} {name} of machine {called}", part.word);
            by_itself(&client, (get, &args), (list, &machine), &name, &called).await?
        }
        false => listed(&client, list, &machine, &name).await?.ok_or_else(missing)?,
    };
    app.show(&answer, Shape::Record, &view, jq.as_ref())?;
    Ok(0)
}

/// Asks for it by its name, and in the list where that answer does not show what it is.
async fn by_itself(
    client: &Client,
    (get, args): (&Op, &Args),
    (list, machine): (&Op, &Args),
    name: &str,
    called: &str,
) -> Result<Answer> {
    let about = |error: Error| if error.fault().is_some() { error.about(called) } else { error };
    match client.call(get, args).await {
        Ok(answer) if answer.json() == "\"\"" => Ok(listed(client, list, machine, name).await?.unwrap_or(answer)),
        Err(error) if error.kind() == Kind::NotFound => match listed(client, list, machine, name).await {
            Ok(Some(answer)) => Ok(answer),
            _ => Err(about(meant::part(client, get, args, error).await)),
        },
        answer => answer.map_err(about),
    }
}

/// The same from the list of all of them, as the service wrote it.
async fn listed(client: &Client, list: &Op, machine: &Args, name: &str) -> Result<Option<Answer>> {
    let all = client.call(list, machine).await?;
    let Some(row) = all.first() else { return Ok(None) };
    let mut all: std::collections::HashMap<String, Box<RawValue>> = row.read()?;
    Ok(all.remove(name).map(Answer::Record))
}
