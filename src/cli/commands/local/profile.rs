//! `sdc profile`: named settings, in node-triton's own files, so that both tools share them.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::auth::{KeyId, PublicKey, no_passphrase};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::commands::{Custom, Settings};
use crate::cli::editor::Text;
use crate::cli::resume;
use crate::cli::terminal::{exit, prompt};
use crate::config::exports;
use crate::config::own::{self, Section};
use crate::config::profile::{self, Profile};
use crate::config::{Config, Flags, Origin, Sources};
use crate::connect;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::tasks::Report;
use crate::{render, sensitive};

/// `sdc profile`.
pub(crate) static COMMAND: Custom = Custom {
    path: "profile",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "profile list\n\
         profile get prod\n\
         profile get prod --json\n\
         profile list -o name,account,url\n\
         profile create prod -U https://cloudapi.example.com -a acme -k laptop\n\
         profile create ci --use\n\
         profile edit\n\
         profile edit prod\n\
         profile copy prod prod-ci\n\
         profile copy prod prod-ci --force\n\
         profile rename prod production\n\
         profile rename ci build --force\n\
         profile use prod\n\
         profile use -\n\
         profile delete prod\n\
         profile delete prod --yes",
    previews: false,
    settings: Settings::NeededBy(&["create"]),
};

const COLUMNS: &[Column] = &[
    column("current").stays(),
    column("name").stays(),
    column("url"),
    column("account"),
    column("user"),
    column("keyId").long(),
    column("insecure").long(),
    column("roles").long(),
    column("actAsAccount").long(),
];

/// No public key is longer.
const MAX_KEY_LEN: u64 = 64 * 1024;

/// The fields of a profile's file, in its order.
const FIELDS: &[Column] = &[
    column("url"),
    column("account"),
    column("keyId"),
    column("user"),
    column("roles"),
    column("actAsAccount"),
    column("insecure"),
];
const FIELD: &[Column] = &[column("field"), column("value"), column("origin")];

pub fn command() -> Command {
    let name = || Arg::new("NAME").required(true).help("Name of the profile");
    let maybe = || Arg::new("NAME").help("Name of the profile [default: the current one]");
    let new = || Arg::new("NEW").required(true).help("New name");
    // In node-triton, -f is a file.
    let force = || {
        let force = Arg::new("force").long("force").action(ArgAction::SetTrue);
        force.help("Overwrite a profile of this name")
    };
    Command::new("profile")
        .about("Named settings, shared with node-triton")
        .visible_alias("profiles")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("list").visible_alias("ls").about("List the profiles").args(list_options()))
        .subcommand(
            Command::new("get")
                .visible_alias("show")
                .about("Show the fields of a profile")
                .before_long_help("What is used of it, beside options and variables: `sdc config show -p NAME`.")
                .arg(maybe())
                .args(list_options().into_iter().take(1)),
        )
        .subcommand(
            Command::new("create")
                .about("Save the current settings as a profile")
                .before_long_help("Keeps the settings of this call, from options and environment.")
                .arg(name())
                .arg(Arg::new("use").long("use").action(ArgAction::SetTrue).help("Make it the current one"))
                .arg(force()),
        )
        .subcommand(
            Command::new("edit")
                .about("Edit a profile in $VISUAL or $EDITOR")
                .before_long_help(
                    "Opens a copy. It takes the place of the profile once it is one and valid; else it is kept.",
                )
                .arg(maybe()),
        )
        .subcommand(
            Command::new("copy").visible_alias("cp").about("Copy a profile").arg(name()).arg(new()).arg(force()),
        )
        .subcommand(
            Command::new("rename")
                .visible_alias("mv")
                .about("Rename a profile")
                .before_long_help("The current profile stays the current one.")
                .arg(name())
                .arg(new())
                .arg(force()),
        )
        .subcommand(
            Command::new("use")
                .visible_aliases(["set", "set-current"])
                .about("Make a profile the current one")
                .before_long_help("The name - is the profile before this one, and env the environment alone.")
                .arg(name().allow_hyphen_values(true)),
        )
        .subcommand(
            Command::new("delete").visible_alias("rm").about("Delete a profile").arg(name()).arg(
                Arg::new("yes")
                    .long("yes")
                    .short('y')
                    .alias("force")
                    .short_alias('f')
                    .action(ArgAction::SetTrue)
                    .help("Skip the confirmation prompt"),
            ),
        )
}

/// The folder of the profiles.
///
/// # Errors
/// A usage error where there is none.
pub(super) fn folder(app: &App) -> Result<PathBuf> {
    app.config
        .dirs
        .config
        .clone()
        .ok_or_else(|| Error::usage("there is no folder for profiles").hint("export HOME=…, or SDC_CONFIG_DIR=…"))
}

pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let dir = folder(app)?;
    let Some((verb, matches)) = matches.subcommand() else { return Ok(0) };
    let name = || matches.get_one::<String>("NAME").map(String::as_str).unwrap_or_default();
    let new = || matches.get_one::<String>("NEW").map(String::as_str).unwrap_or_default();
    match verb {
        "list" => return list(app, &dir, matches),
        "get" => get(app, &dir, &named(app, &dir, matches)?, matches)?,
        "edit" => edit(app, &dir, &named(app, &dir, matches)?).await?,
        "copy" | "rename" if let Some((option, _)) = app.globals.cloud.first() => {
            let words = format!("--{option} does not count here: a profile is taken as it is");
            let create = CommandLine::new("profile create").on(new()).and(resume::cloud(app));
            return Err(Error::usage(words).hint(Hint::run("a new one, with the other settings in force", create)));
        }
        "copy" => {
            let file = profile::copy(&dir, name(), new(), matches.get_flag("force"))?;
            app.say(&format!("profile {} is in {}", new(), file.display()));
            beside(app, &dir, name(), "copy them too");
        }
        "rename" => {
            let current = profile::rename(&dir, name(), new(), matches.get_flag("force"))?;
            let is = if current { ", and is the current one" } else { "" };
            app.say(&format!("profile {} is called {} now{is}", name(), new()));
            beside(app, &dir, name(), "rename them too");
        }
        "create" => {
            // What cannot be done is refused before anything is said of it.
            let force = matches.get_flag("force");
            if force { profile::check_own_name(name()) } else { profile::check_new_name(&dir, name()) }?;
            let profile = of_settings(app, name())?;
            let file = profile::create(&dir, &profile, force)?;
            app.say(&format!("profile {} is in {}", name(), file.display()));
            beside(app, &dir, name(), "they count for it");
            match matches.get_flag("use") {
                true => make_current(app, &dir, name())?,
                false if profile::current(&dir)?.is_none() => {
                    let choose =
                        Hint::run("no profile is the current one yet", CommandLine::new("profile use").on(name()));
                    app.say(&exit::said(&choose));
                }
                false => {}
            }
        }
        "use" if name().contains('=') => {
            return Err(Error::usage("a profile is chosen by its name, and its fields are changed in an editor")
                .hint(Hint::run("to change fields", "profile edit NAME"))
                .hint(Hint::run("what profiles have no field for", "config edit")));
        }
        "use" => make_current(app, &dir, name())?,
        _ => {
            // A file that cannot be read can still be deleted, one that is not there cannot.
            if profile::file(&dir, name())?.symlink_metadata().is_err() {
                return profile::remove(&dir, name()).map(|_| 0);
            }
            if !matches.get_flag("yes") {
                let known = profile::read(&dir, name()).ok();
                let known =
                    known.map(|known| format!("account {}, at {}", sensitive::shown(&known.account), url(&known.url)));
                let first: Vec<String> = known.into_iter().collect();
                prompt::confirm(&app.streams, "delete", &format!("profile {}", name()), &first)?;
            }
            let was_current = profile::remove(&dir, name())?;
            app.say(&format!("profile {}: deleted", name()));
            beside(app, &dir, name(), "delete them too");
            if was_current {
                app.say("it was the current profile, and there is none now; to choose one: sdc profile use NAME");
            }
        }
    }
    Ok(0)
}

/// Edits it, and says what came of it.
async fn edit(app: &App, dir: &Path, name: &str) -> Result<()> {
    profile::check_own_name(name)?;
    let before = profile::bytes(dir, name)?;
    let text = Text {
        what: &format!("profile {name}"),
        folder: dir,
        name: (&format!("edit-{name}"), ".json"),
        before: &before,
        again: CommandLine::new("profile edit").on(name),
    };
    text.edit(app, |edited| profile::replace(dir, name, &before, edited)).await
}

/// Names the settings of this profile in the file of all others, which only its user changes.
fn beside(app: &App, dir: &Path, name: &str, what: &str) {
    let Ok(own) = own::read(dir) else { return };
    let section = Section::Profile(name.to_owned());
    if let (Some(path), Some((_, line))) = (own.path(), own.sections().iter().find(|(known, _)| *known == section)) {
        let words = format!("{}:{line} has settings of profile {name}: {what} (sdc config edit)", path.display());
        app.warn(&words);
    }
}

/// Lists them all, those that cannot be read on standard error.
fn list(app: &App, dir: &Path, matches: &ArgMatches) -> Result<i32> {
    let mut rows = Vec::new();
    let mut code = 0;
    let current = in_effect(app, dir).unwrap_or_else(|error| {
        app.report(&error);
        code = i32::from(exit::code(error.kind()).0);
        None
    });
    for name in profile::list(dir)? {
        match profile::read(dir, &name) {
            Ok(profile) => rows.push(row(&profile, current.as_deref() == Some(&*name))),
            // Deleted since.
            Err(_) if profile::file(dir, &name)?.symlink_metadata().is_err() => {}
            // One broken file must not hide the others.
            Err(error) => {
                app.report(&error);
                code = i32::from(exit::code(error.kind()).0);
            }
        }
    }
    app.print_rows(&rows, COLUMNS, matches)?;
    Ok(code)
}

/// The profile that is named, or the current one.
fn named(app: &App, dir: &Path, matches: &ArgMatches) -> Result<String> {
    let name = matches.get_one::<String>("NAME").cloned();
    let name = match name {
        Some(name) => Some(name),
        // Variables may say all that it could, and it is the current one all the same.
        None => in_effect(app, dir)?.or(profile::current(dir)?),
    };
    match name {
        Some(name) if name != profile::ENV => Ok(name),
        Some(_) => Err(Error::usage("'env' stands for the environment, and has no file")
            .hint(Hint::run("what it says", "config show"))),
        None => Err(Error::usage("there is no current profile")
            .hint(Hint::run("to see all", "profile list"))
            .hint(Hint::run("to choose one", "profile use NAME"))),
    }
}

/// Shows the fields of one: as JSON those of its file.
fn get(app: &App, dir: &Path, name: &str, matches: &ArgMatches) -> Result<()> {
    let record = app.globals.output.is_some() || app.globals.jq.is_some();
    let view = app.view(matches, if record { FIELDS } else { FIELD })?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let mut fields = shown(profile::fields(dir, name)?.into());
    // What another tool keeps there may be a secret, whatever it is called.
    for (field, value) in fields.as_object_mut().into_iter().flatten() {
        let known = FIELDS.iter().any(|column| column.name == field);
        if !known && (value.is_string() || value.is_object() || value.is_array()) {
            *value = "(not read by sdc, not shown)".into();
        }
    }
    if record {
        let answer = Answer::from_record(fields.to_string().as_bytes())?;
        return app.show(&answer, Shape::Record, &view, jq.as_ref());
    }
    let file = profile::file(dir, name)?.display().to_string();
    let known = FIELDS.iter().map(|column| column.name);
    let others = fields.as_object().into_iter().flat_map(|all| all.keys().map(String::as_str));
    let others = others.filter(|field| known.clone().all(|it| it != *field));
    let row = |field: &str| match fields.get(field) {
        Some(value) => json!({ "field": field, "value": value, "origin": file }),
        None => json!({ "field": field, "value": null, "origin": "not set" }),
    };
    let mut rows = vec![json!({ "field": "name", "value": name, "origin": file })];
    rows.extend(known.clone().chain(others).map(row));
    app.print_rows(&rows, FIELD, matches)
}

/// The same without what may be a secret, in names as in texts.
fn shown(value: Value) -> Value {
    match value {
        Value::String(text) => sensitive::shown(&text).into(),
        Value::Array(all) => all.into_iter().map(shown).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(name, value)| (sensitive::shown(&name).into_owned(), shown(value))).collect()
        }
        other => other,
    }
}

/// Makes a profile the current one, and warns where the next command goes elsewhere all the same.
fn make_current(app: &App, dir: &Path, name: &str) -> Result<()> {
    let now = profile::set_current(dir, name)?;
    app.say(&format!("the current profile is {now}"));
    let next = Config::load(&Flags::default(), &Sources::new(app.console.env.clone()));
    let named = ["SDC_PROFILE", "TRITON_PROFILE"].into_iter().find_map(|name| Some((name, app.console.env.var(name)?)));
    // Where one variable is gone, its kin of another tool counts.
    let set: Vec<&str> = exports::meant().filter(|name| app.console.env.var(name).is_some()).collect();
    match (named, next) {
        (Some((_, other)), _) if other == now => {}
        (Some((variable, _)), _) => {
            app.warn(&format!("{variable} names another profile, and the next command goes there"));
            app.say(&format!("to go by the current one: unset {}", set.join(" ")));
        }
        (None, Ok(next)) if !next.overriding().is_empty() && now != profile::ENV => {
            let variables = next.overriding();
            let wins = if variables.len() == 1 { "is set, and wins" } else { "are set, and win" };
            app.warn(&format!("{} {wins} over the current profile in the next command", variables.join(", ")));
            app.say(&format!("to go by the profile alone: unset {}", set.join(" ")));
        }
        _ => {}
    }
    Ok(())
}

/// The name of the profile that a command with these options goes by, none where variables say all that a profile
/// could.
fn in_effect(app: &App, dir: &Path) -> Result<Option<String>> {
    let without_options = Config::load(&Flags::default(), &Sources::new(app.console.env.clone()));
    // `env` stands there too where the settings cannot be read at all.
    if let Some(typed) = app.config.profile.as_ref().filter(|profile| matches!(profile.origin, Origin::Flag(_)))
        && (typed.value != profile::ENV || without_options.is_ok())
    {
        return Ok(Some(typed.value.clone()));
    }
    match without_options {
        Ok(config) => Ok(config.profile.map(|profile| profile.value)),
        // Of settings that cannot be taken the name alone is known.
        Err(_) => match app.console.env.var("SDC_PROFILE").or_else(|| app.console.env.var("TRITON_PROFILE")) {
            Some(name) => Ok(Some(name)),
            None => profile::current(dir),
        },
    }
}

/// A profile's URL without what its use takes off: a token may be there.
fn url(text: &str) -> std::borrow::Cow<'_, str> {
    sensitive::url(text.split(['?', '#']).next().unwrap_or_default())
}

fn row(profile: &Profile, current: bool) -> Value {
    json!({
        "current": current,
        "name": profile.name,
        "url": url(&profile.url),
        "account": sensitive::shown(&profile.account),
        "user": profile.user.as_deref().map(sensitive::shown),
        "keyId": sensitive::shown(&profile.key_id),
        "insecure": profile.insecure,
        "roles": profile.roles.iter().map(|role| sensitive::shown(role)).collect::<Vec<_>>(),
        "actAsAccount": profile.act_as.as_deref().map(sensitive::shown),
    })
}

/// The settings that a profile has no field for, unless the file of settings has them for all.
fn lost(config: &Config) -> Vec<String> {
    let lost = |origin: &Origin| !matches!(origin, Origin::Own { profile: None, .. } | Origin::Default);
    let key = key_file(config).filter(|_| config.key_file.as_ref().is_none_or(|file| lost(&file.origin)));
    let key = key.map(|file| ("key-file", sensitive::path(&file)));
    let key = key.or_else(|| config.key_material.as_ref().map(|_| ("key-file", "FILE".to_owned())));
    let file = config.cacert.as_ref().filter(|file| lost(&file.origin));
    let pins = config.pins.as_ref().filter(|pins| lost(&pins.origin));
    let pins = pins.map(|pins| pins.value.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    let signing = Some(&config.signing).filter(|signing| lost(&signing.origin));
    let proxy = config.proxy.as_ref().filter(|proxy| lost(&proxy.origin));
    let lost = [
        key,
        file.map(|file| ("cacert", sensitive::path(&file.value))),
        pins.map(|pins| ("tls-pin", pins)),
        signing.map(|signing| ("signing", signing.value.clone())),
        // It may have a password.
        proxy.map(|_| ("proxy", "URL".to_owned())),
    ];
    lost.into_iter().flatten().map(|(setting, value)| format!("{setting}: {value}")).collect()
}

/// The settings in force, as a profile: what node-triton knows of them.
fn of_settings(app: &App, name: &str) -> Result<Profile> {
    let config = &app.config;
    let (url, account) = (config.url()?, config.account()?);
    let (key_id, key_origin) = fingerprint(app)?;
    let lost = lost(config);
    if !lost.is_empty() {
        // A script that hears of nothing would have a profile that cannot sign.
        let words = format!("not saved, since profiles have no such field: {}; to keep it", lost.join(", "));
        let words = Hint::run(words, "config edit").then(", in the section of the profile");
        // `--key-id` may name a file too.
        let named = config.key_id.as_ref().filter(|key| key.value.contains('/')).map(|key| &key.origin);
        let origins = [config.key_file.as_ref().map(|file| &file.origin), named];
        match origins.into_iter().flatten().any(|origin| matches!(origin, Origin::Flag(_))) {
            true => Report::urge(app, &words),
            false => Report::warn(app, &words),
        }
    }
    let mut kept: Vec<String> = Vec::new();
    let mut keep = |what: &str, value: &str, origin: Option<&Origin>| {
        if let Some(origin) = origin.filter(|origin| !matches!(origin, Origin::Flag(_) | Origin::Default)) {
            kept.push(format!("{what}{value} from {origin}"));
        }
    };
    keep("url ", url, config.url.as_ref().map(|url| &url.origin));
    keep("account ", account, config.account.as_ref().map(|account| &account.origin));
    for (what, setting) in [("sub-user ", &config.user), ("act-as ", &config.act_as)] {
        keep(what, setting.as_ref().map_or("", |setting| &setting.value), setting.as_ref().map(|set| &set.origin));
    }
    let roles = config.roles.as_ref();
    keep("roles ", &roles.map(|roles| roles.value.join(",")).unwrap_or_default(), roles.map(|roles| &roles.origin));
    keep("insecure", "", Some(&config.insecure.origin).filter(|_| config.insecure.value));
    if let Some(origin) = key_origin {
        kept.push(format!("key {key_id} from {origin}"));
    }
    if !kept.is_empty() {
        app.say(&format!("kept: {}", kept.join(", ")));
    }
    Ok(Profile {
        name: name.to_owned(),
        url: url.to_owned(),
        account: account.to_owned(),
        key_id,
        insecure: config.insecure.value.then_some(true),
        user: config.user.as_ref().map(|user| user.value.clone()),
        roles: config.roles.as_ref().map(|roles| roles.value.clone()).unwrap_or_default(),
        act_as: config.act_as.as_ref().map(|account| account.value.clone()),
        ..Profile::default()
    })
}

/// The fingerprint of the key, for node-triton knows keys by nothing else; and where it came from, unless an option
/// of this call said it.
fn fingerprint(app: &App) -> Result<(String, Option<String>)> {
    let setting = connect::key_id(&app.config);
    let origin = setting.map(|id| &id.origin).or(connect::key_origin(&app.config));
    let told = |found: &str| match origin {
        Some(Origin::Flag(_)) => None,
        Some(origin) => Some(origin.to_string()),
        None => Some(found.to_owned()),
    };
    if let Some(id) = setting {
        // A public file is enough, wherever the private one is.
        if let Some(public) = public_in(&id.value) {
            return Ok((public.md5(), told("")));
        }
        if let Ok(KeyId::Md5(_) | KeyId::Sha256(_)) = KeyId::parse(&id.value) {
            return Ok((id.value.clone(), told("")));
        }
    }
    let found = app.key()?;
    Ok((found.key.public().md5(), told(&found.origin)))
}

/// What the other tools know the key by: its fingerprint, or the setting as it is where no key is found.
pub(super) fn key_id(config: &Config) -> Option<String> {
    let setting = connect::key_id(config).map(|id| id.value.clone());
    if let Some(public) = setting.as_deref().and_then(public_in) {
        return Some(public.md5());
    }
    match setting.as_deref().map(KeyId::parse) {
        Some(Ok(KeyId::Md5(_) | KeyId::Sha256(_))) => setting,
        _ => connect::key(config, &mut no_passphrase).map(|found| found.key.public().md5()).ok().or(setting),
    }
}

/// The key's file, where a fingerprint alone would not lead to it.
fn key_file(config: &Config) -> Option<PathBuf> {
    let id = connect::key_id(config).map_or("", |id| &id.value);
    let is_fingerprint = matches!(KeyId::parse(id), Ok(KeyId::Md5(_) | KeyId::Sha256(_)));
    if is_fingerprint || !(id.contains('/') || id.ends_with(".pub")) {
        return config.key_file.as_ref().map(|file| file.value.clone());
    }
    // The id names a file itself.
    let file = std::path::absolute(id.strip_suffix(".pub").unwrap_or(id)).ok()?;
    (file.is_file() && file.parent() != config.dirs.ssh.as_deref()).then_some(file)
}

/// The public key in the file of this path, if it is one.
fn public_in(path: &str) -> Option<PublicKey> {
    let text = path.ends_with(".pub").then(|| crate::file::read(Path::new(path), MAX_KEY_LEN).ok())??;
    PublicKey::from_file(path, &text).ok()
}
