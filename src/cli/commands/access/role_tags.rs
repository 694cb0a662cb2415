//! `sdc role-tags`: shows and changes the roles that an object is tagged with. `tasks::role_tags` does the work.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

use crate::answer::Answer;
use crate::api::Shape;
use crate::api::cloudapi::role_tags;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::change;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::cli::question;
use crate::cli::resume;
use crate::cli::terminal::prompt;
use crate::client::Client;
use crate::error::{CommandLine, Error, Result};
use crate::render::{self, View};
use crate::tasks::lockout;
use crate::tasks::role_tags::{Edit, Taggable, answer, read as read_tags, same};

/// `sdc role-tags`.
pub(crate) static COMMAND: Custom = Custom {
    path: "role-tags",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("set", role_tags::OPS), ("add", role_tags::OPS), ("remove", role_tags::OPS), ("clear", role_tags::OPS)],
    examples: "role-tags get machines/web1\n\
         role-tags get machines --json\n\
         role-tags set machines/web1 operator\n\
         role-tags set networks/public operator keyadmin\n\
         role-tags add machines/web1 operator\n\
         role-tags add account operator\n\
         role-tags remove machines/web1 operator\n\
         role-tags remove images/acme-web operator --yes\n\
         role-tags clear machines/web1\n\
         role-tags clear users/ci --yes",
    previews: true,
    settings: Settings::Needed,
};

const RESOURCE_HELP: &str = "\
RESOURCE is one of
  account (or /)             the account itself
  machines                   the collection: who may list and create machines
  machines/web1              one of them: id, short id or name
  images/base-64@23.4.0      likewise packages, networks, fwrules, keys, roles,
                             policies, datacenters
  users/jill, users/jill/keys, users/jill/keys/laptop
  /:login/machines/UUID      the path itself

A key's tags hang on the path as it is typed: those of keys/NAME and of \
keys/FINGERPRINT are not the same. What has changed may take some seconds to be \
known everywhere.";

/// The command and its verbs.
pub fn command() -> Command {
    let resource =
        || Arg::new("resource").value_name("RESOURCE").required(true).help("machines/web1, users, account, ...");
    let roles = || {
        Arg::new("roles")
            .value_name("ROLE")
            .required(true)
            .action(ArgAction::Append)
            .num_args(1..)
            .value_delimiter(',')
            .help("Name of a role; several may be given")
    };
    let yes = || {
        Arg::new("yes")
            .long("yes")
            .short('y')
            .alias("force")
            .action(ArgAction::SetTrue)
            .help("Skip the confirmation prompt")
    };
    let verb = |name: &'static str, about: &'static str, more: &'static str| {
        Command::new(name)
            .about(about)
            .before_long_help(more)
            .after_long_help(RESOURCE_HELP)
            .arg(resource())
            .args(list_options().into_iter().take(1))
    };
    Command::new("role-tags")
        .about("Tag resources with roles, which may then act on them")
        .before_long_help(
            "A sub-user may do to a resource what the policies of a role allow, if it is tagged with that role.",
        )
        .visible_alias("role-tag")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            verb("get", "Show the roles that a resource is tagged with", "One a line; nothing if there is none.")
                .visible_aliases(["list", "ls", "show"]),
        )
        .subcommand(
            verb(
                "set",
                "Tag a resource with these roles and no others",
                "Asks first if that takes away roles that are there.",
            )
            .arg(roles())
            .arg(yes()),
        )
        .subcommand(
            verb(
                "add",
                "Tag a resource with more roles",
                "They are read and written back, so two at once may undo each other.",
            )
            .arg(roles()),
        )
        .subcommand(
            verb(
                "remove",
                "Take roles off a resource",
                "They are read and written back, so two at once may undo each other. Asks first if that takes away \
                 your own rights.",
            )
            .visible_aliases(["rm", "delete"])
            .arg(roles())
            .arg(yes()),
        )
        .subcommand(verb("clear", "Take all roles off a resource", "Asks first if there are any.").arg(yes()))
}

/// Runs a verb and returns the exit code.
///
/// # Errors
/// There is no such thing, or the service refuses.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(0) };
    let typed = matches.get_one::<String>("resource").map(String::as_str).unwrap_or_default();
    let place = Taggable::parse(typed, app.config.target().unwrap_or("my"))?;
    let roles = typed_roles(matches)?;
    let view = app.view(matches, role_tags::ACCOUNT.columns)?;
    let jq = app.program()?;
    let shown = app.globals.dry_run || app.globals.curl;
    let edit = match verb {
        "set" => Edit::Set,
        "add" => Edit::Add,
        "remove" => Edit::Remove,
        _ => Edit::Clear,
    };
    let blind = verb == "get" || edit.replaces();
    let client = match shown && blind && !app.globals.curl && !place.needs_lookup() {
        // Nothing is asked of the service, so no key is needed.
        true => app.client_without_key()?,
        false => app.client()?,
    };
    let place = place.resolved(&client).await?;
    let read = place.read(&client)?;
    let tags = async || read_tags(&client, &read, typed).await;
    if verb == "get" {
        if shown {
            return preview::requests(app, &client, &[read]).await.map(|()| 0);
        }
        let roles = tags().await?;
        return print(app, &answer(&read, &roles)?, &view, jq.as_ref()).map(|()| 0);
    }
    let sure = matches.try_get_one::<bool>("yes").ok().flatten().copied().unwrap_or(false);
    let known = match blind && (shown || sure) {
        true => None,
        false => Some(tags().await?),
    };
    let wanted = edit.apply(roles, known.as_deref().unwrap_or_default());
    if known.as_ref().is_some_and(|known| same(known, &wanted)) {
        let words = match (verb, wanted.is_empty()) {
            (_, true) => "is tagged with no role",
            ("remove", false) => "is not tagged with that",
            (_, false) => "is tagged so already",
        };
        app.say(&format!("{typed} {words}; nothing was sent"));
        return match shown {
            true => preview::requests(app, &client, &[]).await.map(|()| 0),
            false => print_changed(app, &answer(&read, &wanted)?, &view, jq.as_ref()).map(|()| 0),
        };
    }
    let write = place.write(&client, &wanted)?;
    if shown {
        return preview::requests(app, &client, &[write]).await.map(|()| 0);
    }
    let lost: Vec<&String> = known.iter().flatten().filter(|role| !wanted.contains(role)).collect();
    let own = if sure { Vec::new() } else { lockout::lost_tags(&app.identity(), &client, typed, &lost).await };
    if (verb != "remove" || !own.is_empty()) && !sure && !lost.is_empty() {
        let names: Vec<String> = lost.into_iter().cloned().collect();
        let roles = format!("{} from {typed}", names.join(", "));
        prompt::confirm(&app.streams, "take away", &roles, &[vec![question::place(app)], own].concat())?;
    }
    let what = format!("{verb} role tags of {typed}");
    let look = CommandLine::new("role-tags get").on(typed);
    let send = async |client: &Client| client.answered(place.op(), &write).await.map_err(|error| error.about(typed));
    let ((_, answer), interrupted) = resume::sent(app, &client, &what, &look, send).await?;
    print_changed(app, &answer, &view, jq.as_ref()).map_err(|error| change::carried_out(error, &what))?;
    interrupted.map_or(Ok(0), Err)
}

fn typed_roles(matches: &ArgMatches) -> Result<Vec<String>> {
    let mut roles: Vec<String> = Vec::new();
    for role in matches.try_get_many::<String>("roles").ok().flatten().into_iter().flatten() {
        let role = role.trim();
        if role.is_empty() {
            return Err(Error::usage("the name of a role is empty: is a variable unset?"));
        }
        if !roles.iter().any(|known| known == role) {
            roles.push(role.to_owned());
        }
    }
    Ok(roles)
}

/// The tags as they are now: not with --quiet alone.
fn print_changed(app: &App, answer: &Answer, view: &View, jq: Option<&render::Program>) -> Result<()> {
    if app.hides_changes(view) { Ok(()) } else { print(app, answer, view, jq) }
}

fn print(app: &App, answer: &Answer, view: &View, jq: Option<&render::Program>) -> Result<()> {
    if app.globals.output.is_some() || jq.is_some() {
        return app.show(answer, Shape::Record, view, jq);
    }
    let object = answer.value();
    let roles = object.get("role-tag").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let lines: String = roles.map(|role| format!("{}\n", render::visible(role))).collect();
    app.streams.out(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
