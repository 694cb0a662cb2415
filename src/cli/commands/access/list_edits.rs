//! `sdc roles update` and `sdc policies update`: the operations themselves, with options that add to their lists or take
//! from them. The service takes only the whole list, so it is read, changed and written back.

use std::future::Future;
use std::pin::Pin;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

use crate::answer::Answer;
use crate::api::cloudapi::{policies, roles};
use crate::api::{self, Noun, Op, Shape};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::given;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute::{self, Completion};
use crate::cli::preview;
use crate::error::Result;
use crate::render::Format;
use crate::request::Args;
use crate::tasks::rbac::edit::{self, Edit};
use crate::tasks::resolve;

/// `sdc roles update`.
pub(crate) static ROLES: Custom = Custom {
    path: "roles update",
    syntax: Syntax::Extended(|command| extend(command, OF_ROLES)),
    run: |app, matches| Box::pin(run(app, matches, &roles::UPDATE, &roles::ROLE, OF_ROLES)),
    calls: &[("", &[&roles::UPDATE, &roles::GET])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// `sdc policies update`.
pub(crate) static POLICIES: Custom = Custom {
    path: "policies update",
    syntax: Syntax::Extended(|command| extend(command, OF_POLICIES)),
    run: |app, matches| Box::pin(run(app, matches, &policies::UPDATE, &policies::POLICY, OF_POLICIES)),
    calls: &[("", &[&policies::UPDATE, &policies::GET])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// An option that changes a list: that of the field, whose own option replaces it.
struct Change {
    name: &'static str,
    field: &'static str,
    adds: bool,
    value: &'static str,
    help: &'static str,
}

const fn add(name: &'static str, field: &'static str, value: &'static str, help: &'static str) -> Change {
    Change { name, field, adds: true, value, help }
}

const fn remove(name: &'static str, field: &'static str, value: &'static str, help: &'static str) -> Change {
    Change { name, field, adds: false, value, help }
}

const OF_ROLES: &[Change] = &[
    add("add-member", "members", "LOGIN", "Login of a sub-user, or account:LOGIN, who becomes a member too"),
    add("add-default-member", "default-members", "LOGIN", "The same, and the role is active without being asked for"),
    remove("remove-member", "members", "LOGIN", "One who is a member no longer, a default one neither"),
    add("add-policy", "policies", "POLICY", "Name of one more policy"),
    remove("remove-policy", "policies", "POLICY", "Name of a policy that it is to lose"),
];

const OF_POLICIES: &[Change] = &[
    add("add-rule", "rules", "RULE", "One more rule"),
    remove("remove-rule", "rules", "RULE", "A rule that it is to lose, as it is shown"),
];

fn extend(command: Command, options: &'static [Change]) -> Command {
    let replacing = |field: &'static str| match field {
        "members" | "default-members" => vec!["members", "default-members"],
        field => vec![field],
    };
    command.args(options.iter().map(|option| {
        Arg::new(option.name)
            .long(option.name)
            .value_name(option.value)
            .value_parser(clap::builder::NonEmptyStringValueParser::new())
            .action(ArgAction::Append)
            .conflicts_with_all(replacing(option.field))
            .help(format!("{}; may be repeated", option.help))
    }))
}

async fn run(
    app: &App,
    matches: &ArgMatches,
    op: &'static Op,
    noun: &'static Noun,
    options: &'static [Change],
) -> Result<i32> {
    let typed = options.iter().flat_map(|option| {
        let values = matches.get_many::<String>(option.name).into_iter().flatten();
        values.map(|value| Edit { field: option.field, adds: option.adds, value: value.clone() })
    });
    let edits: Vec<Edit> = typed.collect();
    if edits.is_empty() {
        return execute::run(app, op, matches).await;
    }
    let view = app.view(matches, api::columns(op))?;
    let jq = app.program()?;
    let given = given::read(op, matches)?;
    let named = matches.get_one::<String>(noun.name).map(String::as_str).unwrap_or_default();
    let client = app.client()?;
    let mut reads: Vec<&'static str> = edits.iter().map(|edit| edit.list()).collect();
    reads.dedup();
    let found = resolve::named(&client, noun, named).await?;
    let answer = client.call(noun.get, &Args::new().set(noun.name, &found.id)).await;
    let answer = answer.map_err(|error| error.about(&format!("{} {named}", noun.word)))?;
    found.check(noun, named, &answer, &reads)?;
    let now = answer.first().map(edit::read).unwrap_or_default();
    let mut changed = Args::new();
    let idle = edit::apply(op, &now, &edits, &mut changed, &app.console)?;
    idle.iter().for_each(|words| app.say(&format!("{} {named} {words}", noun.word)));
    if changed.iter().next().is_none()
        && given.fields.is_empty()
        && given.words.is_empty()
        && given::sources(matches).next().is_none()
    {
        app.say("nothing was sent");
        if app.globals.dry_run || app.globals.curl {
            return preview::requests(app, &client, &[]).await.map(|()| 0);
        }
        return match (answer, view.format) {
            _ if app.hides_changes(&view) => Ok(0),
            (Answer::Record(row), Format::Table | Format::Wide) if jq.is_none() => {
                app.show(&Answer::Rows(vec![row]), Shape::Rows, &view, None).map(|()| 0)
            }
            (answer, _) => app.show(&answer, Shape::Record, &view, jq.as_ref()).map(|()| 0),
        };
    }
    execute::run_completed(app, op, matches, &Editing { app, op, now, edits, reads }).await
}

struct Editing<'a> {
    app: &'a App,
    op: &'static Op,
    /// The role or policy as it is.
    now: Value,
    edits: Vec<Edit>,
    /// The lists that are changed.
    reads: Vec<&'static str>,
}

impl Completion for Editing<'_> {
    fn complete<'a>(&'a self, args: &'a mut Args) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
        Box::pin(async move { edit::apply(self.op, &self.now, &self.edits, args, &self.app.console).map(drop) })
    }

    fn reads(&self) -> &[&'static str] {
        &self.reads
    }
}
