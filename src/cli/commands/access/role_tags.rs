//! `sdc role-tags`: which roles a thing is tagged with. The thing is named as people say it, and the path says which
//! operation it is.

use clap::{Arg, ArgAction, ArgMatches, Command};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::cloudapi::role_tags;
use crate::api::{CLOUDAPI, Op, Shape};
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::{preview, prompt, question};
use crate::cli::{App, change, own};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::render::{self, Look};
use crate::request::{Arg as Argument, Args, Request};
use crate::tasks::resolve;

/// `sdc role-tags`.
pub(crate) static COMMAND: Custom = Custom {
    path: "role-tags",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("set", role_tags::OPS), ("add", role_tags::OPS), ("remove", role_tags::OPS), ("clear", role_tags::OPS)],
    previews: true,
    settings: Settings::Needed,
};

const RESOURCE_HELP: &str = "\
RESOURCE is how the thing is called:
  account (or /)             the account itself
  machines                   the collection: who may list machines, and make new ones
  machines/web1              one of them: id, short id or name
  images/base-64@23.4.0      likewise packages, networks, fwrules, keys, roles, policies, datacenters
  users/jill, users/jill/keys, users/jill/keys/laptop
  /:login/machines/UUID      the path itself

A key's tags hang on the path as it is typed: those of keys/NAME and of keys/FINGERPRINT are not the same.
What has changed may take some seconds to be known everywhere.";

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
    let verb = |name: &'static str, about: &'static str, more: &str| {
        let long = if more.is_empty() { about.to_owned() } else { format!("{about}\n\n{more}") };
        Command::new(name)
            .about(about)
            .long_about(long)
            .after_long_help(RESOURCE_HELP)
            .arg(resource())
            .args(list_options().into_iter().take(1))
    };
    Command::new("role-tags")
        .about("Tag things with roles, which then may act on them")
        .long_about(
            "Tag things with roles, which then may act on them.\n\n\
             A sub-user may do to a thing what the policies of a role allow, if the thing is tagged with that role.",
        )
        .visible_alias("role-tag")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            verb("get", "Show the roles that a thing is tagged with", "One a line; nothing if there is none.")
                .visible_aliases(["list", "ls", "show"]),
        )
        .subcommand(
            verb(
                "set",
                "Tag a thing with these roles and no others",
                "It asks first if that takes away roles that are there.",
            )
            .arg(roles())
            .arg(yes()),
        )
        .subcommand(
            verb(
                "add",
                "Tag a thing with more roles",
                "They are read and written back, so two at once may undo each other.",
            )
            .arg(roles()),
        )
        .subcommand(
            verb(
                "remove",
                "Take roles off a thing",
                "They are read and written back, so two at once may undo each other. It asks first if that takes away \
                 your own rights.",
            )
            .visible_aliases(["rm", "delete"])
            .arg(roles())
            .arg(yes()),
        )
        .subcommand(verb("clear", "Take all roles off a thing", "It asks first if there are any.").arg(yes()))
}

/// Runs a verb and returns the exit code.
///
/// # Errors
/// There is no such thing, or the service refuses.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let Some((verb, matches)) = matches.subcommand() else { return Ok(0) };
    let typed = matches.get_one::<String>("resource").map(String::as_str).unwrap_or_default();
    let place = Place::parse(typed, app.config.target().unwrap_or("my"))?;
    let roles = typed_roles(matches)?;
    let look = app.look(matches, role_tags::ACCOUNT.columns)?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let shown = app.globals.dry_run || app.globals.curl;
    let blind = verb == "get" || matches!(verb, "set" | "clear");
    let client = match shown && blind && !app.globals.curl && !place.needs_lookup() {
        // Nothing is asked of the service, so no key is needed.
        true => app.client_without_key()?,
        false => app.client()?,
    };
    let place = place.resolved(&client).await?;
    let read = place.request(&client, None)?;
    if verb == "get" {
        if shown {
            return preview::requests(app, &client, &[read]).await.map(|()| 0);
        }
        let roles = tags(&client, &read, typed).await?;
        return print(app, &answer(&read, &roles)?, &look, jq.as_ref()).map(|()| 0);
    }
    let sure = matches.try_get_one::<bool>("yes").ok().flatten().copied().unwrap_or(false);
    let known = match blind && (shown || sure) {
        true => None,
        false => Some(tags(&client, &read, typed).await?),
    };
    let wanted = wanted(verb, roles, known.as_deref().unwrap_or_default());
    if known.as_ref().is_some_and(|known| same(known, &wanted)) {
        let words = match (verb, wanted.is_empty()) {
            (_, true) => "is tagged with no role",
            ("remove", false) => "is not tagged with that",
            (_, false) => "is tagged so already",
        };
        app.say(&format!("{typed} {words}; nothing was sent"));
        return match shown {
            true => preview::requests(app, &client, &[]).await.map(|()| 0),
            false => print(app, &answer(&read, &wanted)?, &look, jq.as_ref()).map(|()| 0),
        };
    }
    let write = place.request(&client, Some(&wanted))?;
    if shown {
        return preview::requests(app, &client, &[write]).await.map(|()| 0);
    }
    let lost: Vec<&String> = known.iter().flatten().filter(|role| !wanted.contains(role)).collect();
    let own = if sure { Vec::new() } else { own::lost_tags(app, &client, typed, &lost).await };
    if (verb != "remove" || !own.is_empty()) && !sure && !lost.is_empty() {
        let names: Vec<String> = lost.into_iter().cloned().collect();
        let roles = format!("{} from {typed}", names.join(", "));
        prompt::confirm(&app.streams, "take away", &roles, &[vec![question::place(app)], own].concat())?;
    }
    let answer = client.answered(place.op(), &write).await.map_err(|error| error.about(typed))?.1;
    print(app, &answer, &look, jq.as_ref())
        .map_err(|error| change::carried_out(error, &format!("{verb} role tags of {typed}")))?;
    Ok(0)
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

fn wanted(verb: &str, roles: Vec<String>, known: &[String]) -> Vec<String> {
    match verb {
        "set" => roles,
        "add" => {
            let more: Vec<String> = roles.into_iter().filter(|role| !known.contains(role)).collect();
            known.iter().cloned().chain(more).collect()
        }
        "remove" => known.iter().filter(|role| !roles.contains(role)).cloned().collect(),
        _ => Vec::new(),
    }
}

fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|role| other.contains(role))
}

/// The roles that a thing is tagged with. HEAD says it without the thing itself; where it is refused, and for the
/// words of a refusal, which a HEAD has not, the thing is asked for.
async fn tags(client: &Client, read: &Request, typed: &str) -> Result<Vec<String>> {
    let mut answer = client.send(read).await?;
    if !answer.is_success() || !answer.is_own() {
        answer = client.send(&Request { method: reqwest::Method::GET, ..read.clone() }).await?;
    }
    answer.taken().map_err(|error| error.about(typed))?;
    let mut roles: Vec<String> = Vec::new();
    for role in answer.headers.get_all("role-tag").iter().filter_map(|value| value.to_str().ok()) {
        roles.extend(role.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned));
    }
    Ok(roles)
}

/// What the service answers to a write, for a read.
fn answer(read: &Request, roles: &[String]) -> Result<Answer> {
    let name = percent_decode_str(&read.path).decode_utf8_lossy();
    Answer::from_record(json!({ "name": name, "role-tag": roles }).to_string().as_bytes())
}

fn print(app: &App, answer: &Answer, look: &Look, jq: Option<&render::Program>) -> Result<()> {
    if app.globals.output.is_some() || jq.is_some() {
        return app.show(answer, Shape::Record, look, jq);
    }
    let object: Value = serde_json::from_str(&answer.json()).unwrap_or_default();
    let roles = object.get("role-tag").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let lines: String = roles.map(|role| format!("{}\n", render::visible(role))).collect();
    app.streams.out(lines.as_bytes())
}

/// A path that can be tagged.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Account,
    Collection(&'static str),
    One(&'static str, String),
    UserKeys(String),
    UserKey(String, String),
}

impl Place {
    /// # Errors
    /// A usage error that names what can be tagged.
    fn parse(typed: &str, account: &str) -> Result<Place> {
        let parts: Vec<String> = match typed.strip_prefix('/') {
            None if typed == "account" => return Ok(Place::Account),
            // The name of a thing may hold anything but what leads to the keys of a user.
            None => match typed.split_once('/') {
                None => vec![typed.to_owned()],
                Some((word, name)) if collection(word) == Some("users") => {
                    let words = std::iter::once(word).chain(name.splitn(3, '/'));
                    words.map(str::to_owned).collect()
                }
                Some((word, name)) => vec![word.to_owned(), name.to_owned()],
            },
            Some(path) => {
                let decoded = |part: &str| {
                    let text = percent_decode_str(part).decode_utf8();
                    text.map(|text| text.into_owned())
                        .map_err(|_| Error::usage(format!("'{typed}' is no text (UTF-8)")))
                };
                let mut parts = path.split('/').map(decoded).collect::<Result<Vec<_>>>()?;
                let login = parts.remove(0);
                if ![":login", "my", account, ""].contains(&login.as_str()) || login.is_empty() && !parts.is_empty() {
                    return Err(Error::usage(format!("the path '{typed}' is not one of the account {account}"))
                        .hint(format!("in the account {login}: --act-as {login}")));
                }
                if parts.is_empty() {
                    return Ok(Place::Account);
                }
                parts
            }
        };
        if parts.iter().any(String::is_empty) {
            return Err(Error::usage(format!("a part of '{typed}' is empty: is a variable unset?")));
        }
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let unknown = || {
            let known: Vec<&str> = role_tags::COLLECTIONS.iter().map(|(name, _)| *name).collect();
            Error::usage(format!("'{typed}' cannot be tagged with roles"))
                .hint(format!("account, {}; one of them: machines/NAME; a user's: users/LOGIN/keys", known.join(", ")))
        };
        let Some(found) = words.first().and_then(|word| collection(word)) else { return Err(unknown()) };
        match (found, &words[1..]) {
            (_, []) => Ok(Place::Collection(found)),
            (_, [name]) => Ok(Place::One(found, (*name).to_owned())),
            ("users", [user, "keys"]) => Ok(Place::UserKeys((*user).to_owned())),
            ("users", [user, "keys", key]) => Ok(Place::UserKey((*user).to_owned(), (*key).to_owned())),
            _ => Err(unknown()),
        }
    }

    fn op(&self) -> &'static Op {
        match self {
            Place::Account => &role_tags::ACCOUNT,
            Place::Collection(_) => &role_tags::COLLECTION,
            Place::One("machines", _) => &role_tags::MACHINE,
            Place::One(..) => &role_tags::RESOURCE,
            Place::UserKeys(_) => &role_tags::USER_KEYS,
            Place::UserKey(..) => &role_tags::USER_KEY,
        }
    }

    /// The parameters of the path, as far as they are known.
    fn args(&self) -> Args {
        let args = Args::new();
        match self {
            Place::Account => args,
            Place::Collection(name) => args.set("resource_name", *name),
            Place::One("machines", id) => args.set("machine", id),
            Place::One(name, id) => args.set("resource_name", *name).set("resource_id", id),
            Place::UserKeys(user) => args.set("user", user).set("resource_name", "keys"),
            Place::UserKey(user, key) => args.set("user", user).set("userkey", key),
        }
    }

    fn needs_lookup(&self) -> bool {
        match self {
            // The operation's own parameter does not say what the thing is.
            Place::One(name, id) => role_tags::by_name(name).is_some_and(|noun| resolve::needs_lookup(noun, id)),
            _ => resolve::is_needed(self.op(), &self.args()),
        }
    }

    /// Ids in the place of names.
    async fn resolved(self, client: &Client) -> Result<Place> {
        Ok(match self {
            Place::One(name, typed) => match role_tags::by_name(name) {
                Some(noun) => Place::One(name, resolve::id(client, noun, &typed).await?),
                None => Place::One(name, typed),
            },
            other => {
                let mut args = other.args();
                resolve::all(client, other.op(), &mut args).await?;
                let text = |name: &str| args.text(name).unwrap_or_default().to_owned();
                match other {
                    Place::UserKeys(_) => Place::UserKeys(text("user")),
                    Place::UserKey(..) => Place::UserKey(text("user"), text("userkey")),
                    other => other,
                }
            }
        })
    }

    /// The request that writes these roles, or the one that reads them.
    fn request(&self, client: &Client, roles: Option<&[String]>) -> Result<Request> {
        let args = |roles: &[String]| -> Result<Args> {
            let mut args = self.args();
            args.push("role-tag", Argument::json(&json!(roles).to_string())?);
            Ok(args)
        };
        let mut request = client.request(self.op(), &args(roles.unwrap_or_default())?)?;
        if roles.is_none() {
            request.method = reqwest::Method::HEAD;
            request.body = None;
        }
        Ok(request)
    }
}

/// The collection that is called so, by its name or another word for it.
fn collection(word: &str) -> Option<&'static str> {
    let named = |name: &&str| {
        CLOUDAPI
            .resources
            .iter()
            .any(|resource| resource.name == *name && (*name == word || resource.aliases.contains(&word)))
    };
    role_tags::COLLECTIONS.iter().map(|(name, _)| *name).find(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_thing_is_named_as_people_say_it_or_by_its_path() {
        let one = |name, id: &str| Place::One(name, id.to_owned());
        for (typed, expected) in [
            ("account", Place::Account),
            ("/", Place::Account),
            ("/:login", Place::Account),
            ("/acme", Place::Account),
            ("machines", Place::Collection("machines")),
            ("/my/machines", Place::Collection("machines")),
            ("services", Place::Collection("services")),
            ("machines/web1", one("machines", "web1")),
            ("inst/web1", one("machines", "web1")),
            ("images/base@1/2", one("images", "base@1/2")),
            ("/acme/keys/my%20key", one("keys", "my key")),
            ("keys/my%20key", one("keys", "my%20key")),
            ("users/jill", one("users", "jill")),
            ("users/jill/keys", Place::UserKeys("jill".to_owned())),
            ("user/jill/keys/a/b", Place::UserKey("jill".to_owned(), "a/b".to_owned())),
        ] {
            assert_eq!(Place::parse(typed, "acme").unwrap(), expected, "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_tagged_is_refused() {
        for typed in [
            "",
            "volumes",
            "config",
            "machines/",
            "/acme//x",
            "//machines",
            "/other/machines",
            "users/jill/nope",
            "/acme/machines/a/b",
        ] {
            assert!(Place::parse(typed, "acme").is_err(), "{typed}");
        }
    }

    #[test]
    fn every_collection_is_one_of_the_table() {
        for (name, param) in role_tags::COLLECTIONS {
            assert_eq!(collection(name), Some(*name));
            assert_eq!(role_tags::by_name(name).is_some(), param.is_some(), "{name}");
        }
    }

    #[test]
    fn roles_are_added_and_taken_away_by_name() {
        let roles = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let known = roles(&["ops", "dev"]);
        assert_eq!(wanted("add", roles(&["dev", "ci"]), &known), roles(&["ops", "dev", "ci"]));
        assert_eq!(wanted("remove", roles(&["dev", "ci"]), &known), roles(&["ops"]));
        assert_eq!(wanted("set", roles(&["ci"]), &known), roles(&["ci"]));
        assert_eq!(wanted("clear", roles(&[]), &known), roles(&[]));
        assert!(same(&known, &roles(&["dev", "ops"])) && !same(&known, &roles(&["dev"])));
    }
}
