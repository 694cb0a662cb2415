//! What files say beside the options (`--from`): the fields of a change, and the machines that are to be made. An option
//! wins over the file. It sends nothing but the lookups of names.

use std::collections::HashMap;

use clap::ArgMatches;

use super::app::App;
use super::args::given;
use crate::api::{self, Field, Kind, Op, Shape};
use crate::client::Client;
use crate::config::Setting;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::request::{Arg, Args};
use crate::tasks::values::Files;
use crate::tasks::{document, resolve, values};

/// The arguments of each document with those of the options, which are `typed`; these alone where there is no file.
///
/// # Errors
/// A usage error that names the file: it cannot be read, something is missing, or there are too many documents.
pub fn merged(app: &App, op: &Op, matches: &ArgMatches, typed: Args) -> Result<Vec<Args>> {
    // Pairs of a file are fields already.
    if given::sets_pairs(op) {
        return Ok(vec![typed]);
    }
    let mut all = Vec::new();
    for file in given::sources(matches) {
        let documents = document::read(op, file, &app.console)?;
        warn_of_secrets(app, op, file, &documents);
        all.extend(documents.into_iter().map(|document| over(document, &typed)));
    }
    if all.is_empty() {
        let mut typed = typed;
        complete(app, op, &mut typed)?;
        return Ok(vec![typed]);
    }
    let many = all.len();
    for (at, args) in all.iter_mut().enumerate() {
        complete(app, op, args).map_err(|error| match many {
            1 => error.hint("or in the file"),
            _ => error.about(&format!("document {}", at + 1)),
        })?;
    }
    let typed = |option: &str| matches.try_get_raw(option).is_ok_and(|there| there.is_some());
    match op.makes {
        None if many > 1 => Err(Error::usage(format!("there are {many} documents, and the fields of one are set"))),
        Some(_) if many > 1 && typed("name") => {
            Err(Error::usage(format!("one --name for {many} documents"))
                .hint("the names stand in the file, as name: NAME"))
        }
        Some(_) if many > 1 && typed("idempotency-key") => {
            Err(Error::usage(format!("one --idempotency-key for {many} documents"))
                .hint("with names in the file, --if-absent makes none of them twice"))
        }
        _ => Ok(all),
    }
}

/// Other ways to say what a field says: where one of them is given, the setting does not count.
const INSTEAD: &[(&str, &[&str])] = &[("networks", &["nic", "default_networks"])];

/// Puts what is set in the places of the fields that nobody gave.
///
/// # Errors
/// A usage error for what is still missing, or cannot be read.
pub fn complete(app: &App, op: &Op, args: &mut Args) -> Result<()> {
    if op.makes.is_none() {
        return Ok(());
    }
    let given = |args: &Args, name: &str| args.get(name).is_some();
    for field in op.fields.iter().filter(|field| field.or_setting) {
        let others = INSTEAD.iter().filter(|(name, _)| *name == field.name).flat_map(|(_, others)| *others);
        if let Some(Setting { value, origin }) = app.config.defaults.get(&field.long_name())
            && !given(args, field.name)
            && !others.into_iter().any(|other| given(args, other))
        {
            let many = matches!(field.kind, Kind::Refs(_));
            for one in value.split(',').take(if many { usize::MAX } else { 1 }) {
                let text = if many { one.trim() } else { value };
                values::add(args, field, text, &app.console).map_err(|error| error.about(&origin.to_string()))?;
            }
        }
    }
    let missing = |field: &&Field| field.required && !matches!(field.kind, Kind::Secret) && !given(args, field.name);
    let missing: Vec<&Field> = op.fields.iter().filter(missing).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    let names: Vec<String> = missing.iter().map(|field| field.long_name()).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let error = Error::usage(format!("{} {verb} missing", names.join(" and ")));
    let list = match first.kind {
        Kind::Ref(noun) if noun.list.shape == Shape::Rows => {
            Some(Hint::run("to see them", CommandLine::of(&api::command(noun.list))))
        }
        _ => None,
    };
    let shown = |field: &&Field| match (field.kind, field.value) {
        (Kind::File, _) => "FILE".to_owned(),
        (_, Some(value)) => value.to_owned(),
        _ => field.long_name().to_uppercase(),
    };
    let options: Vec<String> =
        missing.iter().map(|field| format!("--{} {}", field.long_name(), shown(field))).collect();
    let words = op.fields.iter().filter(|field| field.or_word).map(|field| field.long_name().to_uppercase());
    let words = words.collect::<Vec<_>>().join(" ");
    let or = if words.is_empty() { words } else { format!(", or as words: {words}") };
    let error = error.hint(format!("{}{or}", options.join(" ")));
    let error = list.into_iter().fold(error, Error::hint);
    match missing.iter().any(|field| field.or_setting) {
        true => Err(error.hint(Hint::run("to set one for all", "help settings"))),
        false => Err(error),
    }
}

/// The arguments of a document, with those of the options in their place.
fn over(mut document: Args, typed: &Args) -> Args {
    typed.iter().for_each(|(name, value)| document.push(name, value.clone()));
    document
}

/// Warns of a file with a password that others can read.
fn warn_of_secrets(app: &App, op: &Op, file: &str, documents: &[Args]) {
    let secret = |args: &Args| {
        op.fields.iter().any(|field| matches!(field.kind, Kind::Secret) && args.get(field.name).is_some())
    };
    if file != "-"
        && documents.iter().any(secret)
        && let Some(how) = crate::file::open_to_others(&app.console.path(file))
    {
        app.warn(&format!("the file of --from, with a password in it, {how}"));
    }
}

/// What names were found to mean, so that those of many documents are looked up once.
#[derive(Default)]
pub struct Known(HashMap<(&'static str, String), Arg>);

impl Known {
    /// Remembers what became of the names of these arguments.
    pub fn learn(&mut self, op: &Op, typed: &Args, found: &Args) {
        for field in op.fields.iter().filter(|field| matches!(field.kind, Kind::Ref(_) | Kind::Refs(_))) {
            if let (Some(typed), Some(found)) = (typed.get(field.name), found.get(field.name)) {
                self.0.insert((field.name, key(typed)), found.clone());
            }
        }
    }

    /// Puts ids in the places of names.
    ///
    /// # Errors
    /// Something is not there, or a list cannot be read.
    pub async fn resolve(&mut self, client: &Client, op: &Op, args: &mut Args) -> Result<()> {
        let typed = args.clone();
        for field in op.fields {
            let known = args.get(field.name).and_then(|typed| self.0.get(&(field.name, key(typed)))).cloned();
            if let Some(known) = known {
                args.push(field.name, known);
            }
        }
        resolve::fields(client, op, args).await?;
        self.learn(op, &typed, args);
        Ok(())
    }
}

fn key(value: &Arg) -> String {
    match value {
        Arg::Text(text) => text.clone(),
        Arg::Json(raw) => raw.get().to_owned(),
    }
}
