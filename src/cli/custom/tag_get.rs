//! `sdc machines tags get`: one tag, with its type. The service answers a number or boolean as the empty text, and
//! only its list of all tags tells them.

use clap::ArgMatches;
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::api::{Shape, machines, tags};
use crate::cli::{App, resolve, show};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::render;
use crate::request::{Arg, Args};

/// Prints it and returns the exit code.
///
/// # Errors
/// There is no such machine or tag.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let look = app.look(matches, machines::MACHINES.columns)?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let mut args = Args::new();
    for param in tags::GET.path_params() {
        let text = matches.get_one::<String>(param).map(String::as_str).unwrap_or_default();
        if text.is_empty() {
            return Err(Error::usage(format!("the name of the {param} is empty: is a variable unset?")));
        }
        args.push(param, Arg::Text(text.to_owned()));
    }
    let client = match app.globals.dry_run && !resolve::is_needed(&tags::GET, &args) {
        true => app.client_without_key()?,
        false => app.client()?,
    };
    resolve::all(&client, &tags::GET, &mut args).await?;
    if app.globals.dry_run || app.globals.curl {
        return show::requests(app, &client, &[client.request(&tags::GET, &args)?]).await.map(|()| 0);
    }
    let name = args.text("tag").unwrap_or_default();
    let mut answer = client.call(&tags::GET, &args).await.map_err(|error| match error.fault() {
        Some(_) => error.about(&format!("tag {name}")),
        None => error,
    })?;
    if answer.json() == "\"\"" {
        answer = listed(&client, &args, name).await?.unwrap_or(answer);
    }
    app.show(&answer, Shape::Record, &look, jq.as_ref())?;
    Ok(0)
}

/// The same tag from the list of all of them, as the service wrote it.
async fn listed(client: &Client, args: &Args, name: &str) -> Result<Option<Answer>> {
    let machine = Args::new().set("machine", args.text("machine").unwrap_or_default());
    let all = client.call(&tags::LIST, &machine).await?;
    let Some(row) = all.first() else { return Ok(None) };
    let mut all: std::collections::HashMap<String, Box<RawValue>> = row.read()?;
    Ok(all.remove(name).map(Answer::Record))
}
