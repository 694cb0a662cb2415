//! `sdc images tag`: tags of an image. The service takes only all of them at once, so they are read, changed and
//! written back.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::value::RawValue;

use super::image_acl::{Found, image};
use crate::api::cloudapi::images;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::commands::{Custom, Settings};
use crate::error::{Error, Result};
use crate::request::Arg as Argument;
use crate::tasks::pair;

/// `sdc images tag`.
pub(crate) static COMMAND: Custom = Custom {
    path: "images tag",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&images::GET, &images::UPDATE])],
    examples: "images tag acme-web role=web weight:=10\n\
         images tag acme-web release=1.5 --delete team",
    previews: true,
    settings: Settings::Needed,
};

/// Tags by their names, each as it was written: 1.10 is not 1.1.
type Tags = BTreeMap<String, Box<RawValue>>;

/// The command and its options.
pub fn command() -> Command {
    Command::new("tag")
        .about("Set tags of an image of yours, and leave the others")
        .before_long_help("All tags are read and written back, so two at once may undo each other.")
        .arg(image())
        .arg(
            Arg::new("tags")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .num_args(1..)
                .required_unless_present("delete")
                .help("Tag NAME=TEXT, or NAME:=JSON for a number or boolean"),
        )
        .arg(
            Arg::new("delete")
                .long("delete")
                .value_name("NAME")
                .action(ArgAction::Append)
                .conflicts_with("replace")
                .help("Remove this tag; may be repeated"),
        )
        .arg(
            Arg::new("replace")
                .long("replace")
                .action(ArgAction::SetTrue)
                .help("Remove all tags that are not given here"),
        )
        .args(list_options().into_iter().take(1))
}

/// Does it and returns the exit code.
///
/// # Errors
/// There is no such image, or it is not one's own.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let mut given = Tags::new();
    for typed in matches.get_many::<String>("tags").into_iter().flatten() {
        let (name, value) = pair::read(typed)?;
        let Argument::Json(value) = (match value {
            Argument::Text(text) => Argument::json(&serde_json::Value::from(text).to_string())?,
            json => json,
        }) else {
            continue;
        };
        if given.insert(name.to_owned(), value).is_some() {
            return Err(Error::usage(format!("{name} is given twice")));
        }
    }
    let gone: Vec<&String> = matches.get_many::<String>("delete").into_iter().flatten().collect();
    if let Some(name) = gone.iter().find(|name| given.contains_key(**name)) {
        return Err(Error::usage(format!("the tag {name} is to be set, and to be deleted")));
    }
    let found = Found::new(app, matches, "tags").await?;
    let now: Tags = found.part("tags")?;
    for name in gone.iter().filter(|name| !now.contains_key(**name)) {
        app.say(&format!("tag {name}: the image has none of this name"));
    }
    let wanted = merged(&now, given, &gone, matches.get_flag("replace"));
    let text = |tags: &Tags| serde_json::to_string(tags).map_err(|error| Error::other("no JSON").because(error));
    let (before, after) = (text(&now)?, text(&wanted)?);
    found.update(app, matches, "tags", (before != after).then_some(after.as_str())).await
}

fn merged(now: &Tags, given: Tags, gone: &[&String], replace: bool) -> Tags {
    let mut all = if replace { Tags::new() } else { now.clone() };
    all.retain(|name, _| !gone.contains(&name));
    all.extend(given);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(json: &str) -> Tags {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn tags_are_merged_and_those_that_stay_keep_their_digits() {
        let now = tags(r#"{"a":1.10,"b":12345678901234567890123,"c":"x"}"#);
        let shown = |tags: Tags| serde_json::to_string(&tags).unwrap();
        let gone = "c".to_owned();
        let all = merged(&now, tags(r#"{"d":true}"#), &[&gone], false);
        assert_eq!(shown(all), r#"{"a":1.10,"b":12345678901234567890123,"d":true}"#);
        assert_eq!(shown(merged(&now, tags(r#"{"d":"y"}"#), &[], true)), r#"{"d":"y"}"#);
    }
}
