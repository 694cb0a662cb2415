//! `sdc role-tags`: shows and changes the roles that an object is tagged with. `tasks::role_tags` does the work.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

use crate::answer::Answer;
use crate::api::Shape;
use crate::api::cloudapi::role_tags;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::args::targets::{limits, selector};
use crate::cli::change;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::cli::question;
use crate::cli::resume;
use crate::cli::terminal::{exit, prompt};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::grammar::selector::Selector;
use crate::render::{self, View, visible};
use crate::request::Request;
use crate::tasks::lockout;
use crate::tasks::role_tags::{Edit, Taggable, answer, read as read_tags, same};
use crate::tasks::targets::Filter;

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
         role-tags add machines -l role=web operator\n\
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
  'machines/web*'            all of the collection whose names fit
  /:login/machines/UUID      the path itself

A key's tags hang on the path as it is typed: those of keys/NAME and of \
keys/FINGERPRINT are not the same. What has changed may take some seconds to be \
known everywhere.";

/// The command and its verbs.
pub fn command() -> Command {
    let resource = || {
        Arg::new("resource")
            .value_name("RESOURCE")
            .required(true)
            .help("machines/web1, 'machines/web*', users, account, ...")
    };
    let resources = || resource().action(ArgAction::Append).num_args(1..);
    let roles = || {
        Arg::new("roles")
            .value_name("ROLE")
            .required(true)
            .action(ArgAction::Append)
            .num_args(1..)
            .value_delimiter(',')
            .help("Name of a role; several may be given, and more resources before them: what has a / is one")
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
            .arg(if matches!(name, "get" | "clear") { resources() } else { resource() })
            .arg(selector().help("Of the collection machines those with these tags: role=web,env!=prod"))
            .args(limits().into_iter().take(1))
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
/// There is no such thing, or the service refuses; failures of several are reported here.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(0) };
    let (typed, roles) = words(matches)?;
    let login = app.config.target().unwrap_or("my");
    let places = typed.iter().map(|typed| Ok((typed.clone(), Taggable::parse(typed, login)?)));
    let places = places.collect::<Result<Vec<(String, Taggable)>>>()?;
    let selector = matches.get_one::<String>("selector").map(|text| Selector::parse(text)).transpose()?;
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
    let looks_up = selector.is_some() || places.iter().any(|(_, place)| place.needs_lookup());
    let client = match shown && blind && !app.globals.curl && !looks_up {
        // Nothing is asked of the service, so no key is needed.
        true => app.client_without_key()?,
        false => app.client()?,
    };
    let several = places.len() > 1 || selector.is_some() || places.iter().any(|(_, place)| place.is_glob());
    let places = picked(&client, places, selector.as_ref()).await?;
    let most = matches.get_one::<u64>("max").and_then(|max| usize::try_from(*max).ok());
    Filter { max: most, shown: shown || verb == "get", ..Filter::default() }.allows(places.len(), "resource")?;
    if several && places.is_empty() {
        app.say("no resource matches: nothing to do");
    }
    let sure = matches.try_get_one::<bool>("yes").ok().flatten().copied().unwrap_or(false);
    let asked = Verb { verb, edit, blind, sure, shown };
    let (mut plans, mut gravest) = (Vec::new(), None::<Kind>);
    let mut failed = |error: Error| -> Result<()> {
        if !several {
            return Err(error);
        }
        app.report(&error);
        gravest = Some(error.kind().graver(gravest));
        Ok(())
    };
    for (typed, place) in places {
        match plan(app, &client, asked, (typed, place), roles.clone()).await {
            Ok(plan) => plans.push(plan),
            Err(error) => failed(error)?,
        }
    }
    confirm(app, &plans)?;
    let (mut requests, mut answers, mut interrupted) = (Vec::new(), Vec::new(), None);
    for plan in plans {
        match plan {
            Plan::Show(request) => requests.push(request),
            Plan::Tell(answer) => answers.extend(answer),
            Plan::Write(change) => match change.send(app, &client, verb).await {
                Ok((answer, none_or_more)) => {
                    answers.push(answer);
                    interrupted = none_or_more;
                }
                Err(error) => failed(error)?,
            },
        }
        if interrupted.is_some() {
            break;
        }
    }
    let code = gravest.map_or(0, |kind| i32::from(exit::code(kind).0));
    if shown {
        let many = several || requests.len() != 1;
        return preview::requests_of(app, &client, &requests, many).await.map(|()| code);
    }
    let what = format!("{verb} role tags of {}", typed.join(", "));
    if !answers.is_empty() && (verb == "get" || !app.hides_changes(&view)) {
        let printed = match several {
            true => app.show(&Answer::joined(answers, true), Shape::Rows, &view, jq.as_ref()),
            false => print(app, &Answer::joined(answers, false), &view, jq.as_ref()),
        };
        printed.map_err(|error| if verb == "get" { error } else { change::carried_out(error, &what) })?;
    }
    interrupted.map_or(Ok(code), Err)
}

/// What is to be done to each, and how.
#[derive(Clone, Copy)]
struct Verb<'a> {
    verb: &'a str,
    edit: Edit,
    /// The roles that are there do not matter.
    blind: bool,
    /// It was confirmed already.
    sure: bool,
    /// Requests are shown in the place of being sent.
    shown: bool,
}

/// What is to become of one.
enum Plan {
    /// The request is shown, and not sent.
    Show(Request),
    /// Nothing is sent that changes anything; its tags, where they are shown.
    Tell(Option<Answer>),
    Write(Change),
}

/// A resource whose tags are written.
struct Change {
    typed: String,
    place: Taggable,
    write: Request,
    /// The roles that go.
    lost: Vec<String>,
    /// Which of the caller's own rights go with them.
    own: Vec<String>,
    /// Somebody must be asked first.
    asks: bool,
}

impl Change {
    /// The answer, and an interruption that came meanwhile.
    async fn send(self, app: &App, client: &Client, verb: &str) -> Result<(Answer, Option<Error>)> {
        let Change { typed, place, write, .. } = self;
        let what = format!("{verb} role tags of {typed}");
        let look = CommandLine::new("role-tags get").on(typed.as_str());
        let send =
            async |client: &Client| client.answered(place.op(), &write).await.map_err(|error| error.about(&typed));
        let ((_, answer), interrupted) = resume::sent(app, client, &what, &look, send).await?;
        Ok((answer, interrupted))
    }
}

async fn plan(
    app: &App,
    client: &Client,
    asked: Verb<'_>,
    (typed, place): (String, Taggable),
    roles: Vec<String>,
) -> Result<Plan> {
    let Verb { verb, edit, blind, sure, shown } = asked;
    let place = place.resolved(client).await?;
    let read = place.read(client)?;
    let tags = async || read_tags(client, &place, &typed).await;
    if verb == "get" {
        return match shown {
            true => Ok(Plan::Show(read)),
            false => Ok(Plan::Tell(Some(answer(&read, &tags().await?)?))),
        };
    }
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
        let answer = if shown { None } else { Some(answer(&read, &wanted)?) };
        return Ok(Plan::Tell(answer));
    }
    let write = place.write(client, &wanted)?;
    if shown {
        return Ok(Plan::Show(write));
    }
    let lost: Vec<&String> = known.iter().flatten().filter(|role| !wanted.contains(role)).collect();
    let own = if sure { Vec::new() } else { lockout::lost_tags(&app.identity(), client, &typed, &lost).await };
    let asks = (verb != "remove" || !own.is_empty()) && !sure && !lost.is_empty();
    let lost = lost.into_iter().cloned().collect();
    Ok(Plan::Write(Change { typed, place, write, lost, own, asks }))
}

/// Asks once about all that lose roles.
fn confirm(app: &App, plans: &[Plan]) -> Result<()> {
    let changes = plans.iter().filter_map(|plan| match plan {
        Plan::Write(change) if change.asks => Some(change),
        _ => None,
    });
    let changes: Vec<&Change> = changes.collect();
    let lost = |change: &Change| format!("{} from {}", change.lost.join(", "), change.typed);
    let own = changes.iter().flat_map(|change| change.own.iter().cloned());
    match changes.as_slice() {
        [] => Ok(()),
        [one] => {
            let first: Vec<String> = std::iter::once(question::place(app)).chain(own).collect();
            prompt::confirm(&app.streams, "take away", &lost(one), &first)
        }
        many => {
            let own: Vec<String> = own.collect();
            if app.streams.stdin_tty && app.streams.stderr_tty {
                let rows = many.iter().map(|change| format!("  {}", visible(&lost(change))));
                let warnings = own.iter().map(|words| format!("warning: {}", visible(words)));
                let lines = std::iter::once(question::place(app)).chain(rows).chain(warnings);
                lines.for_each(|line: String| app.streams.say(&line));
            }
            let names: Vec<String> = many.iter().map(|change| change.typed.clone()).collect();
            prompt::confirm_shown(&app.streams, ("take away", "take roles from"), &names, &own)
        }
    }
}

/// The things that are meant, those of globs and of the selector among them: each by its collection and name.
async fn picked(
    client: &Client,
    places: Vec<(String, Taggable)>,
    selector: Option<&Selector>,
) -> Result<Vec<(String, Taggable)>> {
    let mut all: Vec<(String, Taggable)> = Vec::new();
    for (typed, place) in places {
        let more = match selector {
            Some(selector) => place.with_tags(client, selector).await?,
            None => place.matching(client).await?,
        };
        let more = more.unwrap_or_else(|| vec![(typed, place)]);
        all.extend(more.into_iter().filter(|(name, _)| all.iter().all(|(known, _)| known != name)).collect::<Vec<_>>());
    }
    Ok(all)
}

/// The resources and the roles. No role has a stroke in its name, so that what has one is a resource wherever it stands.
fn words(matches: &ArgMatches) -> Result<(Vec<String>, Vec<String>)> {
    let first: Vec<String> = matches.get_many::<String>("resource").into_iter().flatten().cloned().collect();
    let (more, roles): (Vec<_>, Vec<_>) = typed_roles(matches)?.into_iter().partition(|word| word.contains('/'));
    if roles.is_empty() && matches.try_contains_id("roles").unwrap_or(false) {
        let words = "the name of a role is needed: RESOURCE... ROLE";
        return Err(Error::usage(words).hint(Hint::run("the roles there are", "roles list")));
    }
    Ok((first.into_iter().chain(more).collect(), roles))
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
