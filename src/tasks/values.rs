//! From what a user gave to what is sent: text becomes typed arguments, files are read, names are left for `resolve`.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use sdc::api::cloudapi::account::UPDATE;
//! use sdc::tasks::values::{self, Folders, Given};
//!
//! let files = Folders { folder: ".".as_ref(), home: None };
//! let words = vec!["phone=555-0100".to_owned(), "triton_cns_enabled=true".to_owned()];
//! let given = Given { words, ..Given::default() };
//! let args = values::fields(&UPDATE, &given, &files)?;
//! let account = client.call(&UPDATE, &args).await?;
//! // Each value has the type of its field.
//! assert_eq!(account.first().unwrap().text("/phone").unwrap(), "555-0100");
//! assert!(account.json().contains(r#""triton_cns_enabled":true"#));
//!
//! let given = Given { words: vec!["fone=1".to_owned()], ..Given::default() };
//! assert!(values::fields(&UPDATE, &given, &files).is_err());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::path::{Path, PathBuf};

use super::{pair, pair_file, secrets};
use crate::answer::scan;
use crate::api::{Field, Kind, Location, Op, Test};
use crate::auth::{KeyKind, PublicKey};
use crate::error::{Error, Hint, Result};
use crate::grammar::{self, mebibytes};
use crate::request::{Arg, Args};
use crate::sensitive::quoted;

/// The largest body that CloudAPI takes, in bytes; a file that is larger cannot be sent at all.
pub(super) const FILE_LIMIT: u64 = 100_000;

/// What was given for an operation: texts of its fields, in their order, and words without dashes.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The fields.
    pub fields: Vec<(&'static Field, String)>,
    /// `NAME=VALUE`: fields of what assigns, filters of a list.
    pub words: Vec<String>,
}

/// Reads the files that values name.
pub trait Files {
    /// The bytes of a file, or of standard input for `-`, up to this many.
    ///
    /// # Errors
    /// A usage error: nothing has been sent yet.
    fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>>;

    /// The path of a file, whose `~` is the user's home.
    fn path(&self, file: &str) -> PathBuf;

    /// Hears what is to be told of a file.
    fn note(&self, _words: &str) {}

    /// Hears what a file was hardly meant to say.
    fn doubt(&self, _words: &str) {}
}

/// Where files are, for those that are named in a file or by a program. There is no standard input.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// The folder of what has a relative path.
    pub folder: &'a Path,
    /// The user's home, for `~`.
    pub home: Option<&'a Path>,
}

impl Files for Folders<'_> {
    fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>> {
        let fail = |error: std::io::Error| Error::usage(format!("cannot read {}", shown(file))).because(error);
        match file {
            "-" => Err(fail(std::io::ErrorKind::Unsupported.into())),
            file => crate::file::read(&self.path(file), limit).map_err(fail),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(crate::file::expanded(Path::new(file), self.home))
    }
}

/// Turns what was given into arguments. The filters of lists are [`RowFilter`](super::row_filter::RowFilter)'s.
///
/// # Errors
/// A usage error that names the option and the reason.
pub fn fields(op: &Op, given: &Given, files: &dyn Files) -> Result<Args> {
    super::words::no_tags_run_together(op, &given.fields)?;
    let mut args = Args::new();
    for (field, text) in given.fields.iter().filter(|(field, _)| field.test == Test::Nothing) {
        add(&mut args, field, text, files)?;
    }
    if op.assigns {
        given.words.iter().try_for_each(|word| assign(op, &mut args, word, files))?;
    }
    Ok(args)
}

/// `phone=555-1234` and `acl:=[]`: sets the field that is meant.
fn assign(op: &Op, args: &mut Args, text: &str, files: &dyn Files) -> Result<()> {
    let known = || format!("known fields: {}", names(op));
    let (name, value) = text.split_once('=').ok_or_else(|| super::words::no_field(op, text).hint(known()))?;
    let (name, typed) = match name.strip_suffix(':') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let Some(field) = op.fields.iter().find(|field| field.is_called(name)) else {
        return Err(super::words::unknown_field(op, name).hint(known()));
    };
    if typed {
        return assign_json(args, field, value, files);
    }
    if value.is_empty() && !matches!(field.kind, Kind::TextOrEmpty) {
        let error = Error::usage(format!("the value of {name} is empty: is a variable unset?"));
        return Err(match field.kind {
            Kind::Object => error.hint(format!("to clear it: {name}:={{}}")),
            kind if several(kind) => error.hint(format!("to clear it: {name}:=[]")),
            _ => error,
        });
    }
    one_of(field, value)?;
    add(args, field, value, files)
}

/// The same of a value that was typed as JSON. Of an array each entry is checked as if it stood alone.
fn assign_json(args: &mut Args, field: &Field, json: &str, files: &dyn Files) -> Result<()> {
    let wrong = || Error::usage(format!("{}:={}: this is not a value of {}", field.name, quoted(json), field.name));
    let value: serde_json::Value = serde_json::from_str(json).map_err(|error| wrong().because(error))?;
    match (value, field.kind) {
        (serde_json::Value::Array(entries), kind) if several(kind) && !matches!(kind, Kind::Object) => {
            if entries.is_empty() {
                let name = if matches!(kind, Kind::Members(_)) { "members" } else { field.name };
                args.push(name, Arg::json("[]")?);
            }
            entries.iter().try_for_each(|entry| add(args, field, entry.as_str().ok_or_else(wrong)?, files))
        }
        (serde_json::Value::Object(_), Kind::Object) => add(args, field, json, files),
        (serde_json::Value::String(text), kind) if !matches!(kind, Kind::Bool | Kind::Integer | Kind::Mebibytes) => {
            one_of(field, &text)?;
            add(args, field, &text, files)
        }
        (serde_json::Value::Bool(_), Kind::Bool)
        | (serde_json::Value::Number(_), Kind::Integer | Kind::Mebibytes | Kind::DiskSize) => {
            add(args, field, json, files)
        }
        _ => Err(wrong()),
    }
}

/// The names of an operation's fields, as they are typed before a `=`.
pub fn names(op: &Op) -> String {
    let names = op.fields.iter().map(|field| match field.kind {
        Kind::Pairs(prefix) => format!("{prefix}NAME"),
        _ => field.name.to_owned(),
    });
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Refuses a word that is not among those of its field.
///
/// # Errors
/// A usage error with those that are.
pub fn one_of(field: &Field, value: &str) -> Result<()> {
    match field.kind {
        Kind::OneOf(words) if field.name == "state" && !words.contains(&value) => {
            Err(super::words::unknown_state(&quoted(value), words))
        }
        Kind::OneOf(words) if !words.contains(&value) => {
            Err(Error::usage(format!("'{}' is not a valid {}", quoted(value), field.name))
                .hint(format!("known: {}", words.join(", "))))
        }
        _ => Ok(()),
    }
}

/// Adds a field from its text.
///
/// # Errors
/// A usage error that names the option and the reason.
pub fn add(args: &mut Args, field: &Field, text: &str, files: &dyn Files) -> Result<()> {
    let option = || format!("--{}", field.long_name());
    // The service takes an empty filter for none at all, and a script's unset variable for everything.
    let nothing = match field.kind {
        Kind::Pairs(_) => text.split_once('=').is_some_and(|(_, value)| value.is_empty()),
        _ => text.is_empty(),
    };
    if field.place == Location::Query && nothing && !matches!(field.kind, Kind::TextOrEmpty) {
        let words = format!("the filter {} is empty, which would choose everything: is a variable unset?", field.name);
        return Err(Error::usage(words));
    }
    if !several(field.kind) && args.get(field.name).is_some() {
        return Err(Error::usage(format!("{} is given twice", field.name)));
    }
    let pairs = matches!(field.kind, Kind::Object | Kind::Pairs(_) | Kind::FlatPairs(_) | Kind::Tags(_));
    if pairs && field.place == Location::Body {
        if text.trim_start().starts_with('{') {
            return add_object(args, field, text, files).map_err(|error| error.about(&option()));
        }
        if let Some(file) = text.strip_prefix('@') {
            return add_pairs(args, field, file, files);
        }
    }
    match field.kind {
        Kind::CopyOf(_) => Ok(()),
        Kind::Object
        | Kind::FlatPairs(_)
        | Kind::Tags(_)
        | Kind::FlatFiles(_)
        | Kind::Pairs(_)
        | Kind::PairFiles(_) => add_named(args, field, text, files),
        Kind::Files | Kind::Secret | Kind::File | Kind::PublicKeyFile => add_contents(args, field, text, files),
        kind if several(kind) => add_to_list(args, field, text),
        _ => {
            args.push(field.name, value(field, text)?);
            Ok(())
        }
    }
}

/// The value of a field that has one.
fn value(field: &Field, text: &str) -> Result<Arg> {
    let about = |error: Error| error.about(&format!("--{}", field.long_name()));
    let typed = |json: &str| match field.place {
        // In a query everything is text.
        Location::Query | Location::Header => Ok(Arg::Text(json.to_owned())),
        Location::Body => Arg::json(json),
    };
    match field.kind {
        Kind::Uuid if !super::resolve::is_uuid(text) => {
            Err(Error::usage(format!("'{}' is not a UUID", quoted(text))).about(field.name))
        }
        Kind::Uuid => Ok(Arg::Text(text.to_ascii_lowercase())),
        Kind::FirewallRule if text == "-" => {
            let error = Error::usage("one rule is taken here, and none from standard input");
            Err(error.hint(Hint::run("for each line of a file", "fwrules create RULE")))
        }
        Kind::FirewallRule => grammar::fwrule::parse(text).map(|_| Arg::Text(text.to_owned())),
        Kind::LdapFilter => grammar::ldap::check(text).map(|()| Arg::Text(text.to_owned())).map_err(about),
        Kind::Predicate => grammar::predicate::check(text).map(|()| Arg::Text(text.to_owned())).map_err(about),
        Kind::Json => Arg::json(text).map_err(about),
        Kind::Nic => {
            let nic = grammar::nic::parse(text)?;
            match nic.ip {
                // Every version of the API knows the plain form.
                None => Ok(Arg::Text(nic.network)),
                Some(_) => Arg::json(&nic.body(&nic.network).to_string()),
            }
        }
        Kind::DiskSize if text == "remaining" => Ok(Arg::Text(text.to_owned())),
        Kind::DiskSize | Kind::Mebibytes if text.starts_with('+') => {
            let error = Error::usage(format!("the new size is wanted, not how much it grows: '{}'", quoted(text)));
            Err(about(error.hint("such as 40G")))
        }
        // Nobody means a disk of 10 MiB.
        Kind::DiskSize if text.parse::<u64>().is_ok_and(|number| number < 1024) => {
            Err(Error::usage(format!("{text} of which unit?")).hint(format!("{text}G, or {text}M")))
        }
        Kind::DiskSize | Kind::Mebibytes => typed(&mebibytes(text).map_err(about)?.to_string()),
        Kind::Flag(value) => typed(value),
        Kind::Bool if matches!(text, "true" | "false") => typed(text),
        Kind::Bool => Err(about(Error::usage(format!("'{}' is neither true nor false", quoted(text))))),
        Kind::Integer => match text.parse::<u64>() {
            Ok(number) => typed(&number.to_string()),
            Err(_) => Err(about(Error::usage(format!("'{}' is not a whole number", quoted(text))))),
        },
        _ => Ok(Arg::Text(text.to_owned())),
    }
}

/// Adds to the elements of an array.
fn add_to_list(args: &mut Args, field: &Field, text: &str) -> Result<()> {
    match field.kind {
        Kind::Words | Kind::SomeOf(_) => {
            words(field, text)?.into_iter().try_for_each(|word| append(args, field.name, word.into()))
        }
        Kind::NamedList => {
            words(field, text)?.into_iter().try_for_each(|name| append(args, field.name, named("name", name)))
        }
        Kind::Members(default) => words(field, text)?.into_iter().try_for_each(|word| add_member(args, word, default)),
        Kind::Affinity => {
            grammar::affinity::check(text)?;
            append(args, field.name, text.into())
        }
        Kind::PolicyRules => {
            grammar::policy::check(text)?;
            append(args, field.name, text.into())
        }
        Kind::Nics => {
            let nic = grammar::nic::parse(text)?;
            append(args, "networks", nic.body(&nic.network))
        }
        Kind::Interfaces(_) => set(args, field.name, &[list(args, field.name), grammar::nic::many(text)?].concat()),
        Kind::Mounts => append(args, field.name, grammar::mount::parse(text)?.body()),
        Kind::Disks => {
            // Two disks of one size are two disks.
            let disks = [list(args, field.name), vec![grammar::disk::parse(text)?]].concat();
            grammar::disk::check(&disks)?;
            set(args, field.name, &disks)
        }
        _ => append(args, field.name, text.into()),
    }
}

/// Adds a name with its value, of which there may be any number.
fn add_named(args: &mut Args, field: &Field, text: &str, files: &dyn Files) -> Result<()> {
    let option = format!("--{}", field.long_name());
    match field.kind {
        // All of a file, or what one name is to have.
        Kind::PairFiles(_) | Kind::FlatFiles(_) if !text.contains('=') => {
            add_pairs(args, field, text.strip_prefix('@').unwrap_or(text), files)
        }
        Kind::PairFiles(_) | Kind::FlatFiles(_) => {
            let there = |file: &str| files.path(file).exists();
            let pair = pair::file(text, there, |file| read_text(file, files));
            let (name, value) = pair.map_err(|error| error.about(&option))?;
            add_one(args, field, name, Arg::Text(value))
        }
        Kind::FlatPairs(reserved) => {
            let (name, value) = pair::hidden(text)?;
            pair_file::check_name(name, reserved)?;
            pair::no_file(&value, name, ("", "--file "))?;
            add_one(args, field, name, value)
        }
        Kind::Pairs("metadata.") => {
            let (name, value) = pair::hidden(text).map_err(|error| error.about(&option))?;
            pair::no_file(&value, name, ("--metadata ", "--metadata-file "))?;
            add_one(args, field, name, value)
        }
        Kind::Tags(_) => {
            let (name, value) = pair::read(text)?;
            add_one(args, field, name, value)
        }
        _ => {
            let read = if field.deep { pair::read_any } else { pair::read };
            let (name, value) = read(text).map_err(|error| error.about(&option))?;
            add_one(args, field, name, value)
        }
    }
}

/// Adds the pairs of a file, `-` for standard input.
fn add_pairs(args: &mut Args, field: &Field, file: &str, files: &dyn Files) -> Result<()> {
    let text = read_text(file, files)?;
    let pairs = pair_file::read(field, &shown(file), &text, &mut |words| files.doubt(words))?;
    if pairs.is_empty() {
        files.note(&format!("{} holds no pairs", shown(file)));
    }
    let (added, pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| pair_file::is_added(field, name));
    if !added.is_empty() {
        let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
        files.note(&format!("{}: {} left out, which the service sets itself", shown(file), names.join(" and ")));
    }
    let mut add = |name: &str, value| pair::check_name(name).and_then(|()| add_one(args, field, name, value));
    pairs.into_iter().try_for_each(|(name, value)| add(&name, value).map_err(|error| error.about(&shown(file))))
}

/// Adds one value under its name.
pub(super) fn add_one(args: &mut Args, field: &Field, name: &str, value: Arg) -> Result<()> {
    match field.kind {
        Kind::Object => {
            if field.name == "tags" && name == grammar::tag::EXPIRES {
                grammar::tag::check_time(&typed_tag(&value))?;
            }
            add_member_of(args, field, name, value)
        }
        Kind::FlatPairs(reserved) | Kind::FlatFiles(reserved) => {
            pair_file::check_name(name, reserved)?;
            add_pair(args, "", name, value)
        }
        Kind::Tags(reserved) => {
            pair_file::check_name(name, reserved)?;
            grammar::tag::check(name, &typed_tag(&value))?;
            add_pair(args, "", name, value)
        }
        Kind::Pairs(prefix) | Kind::PairFiles(prefix) => {
            check_new_metadata(prefix, name)?;
            if prefix == "tag." && field.place == Location::Body {
                grammar::tag::check_new(name, &typed_tag(&value))?;
            }
            add_pair(args, prefix, name, value)
        }
        _ => Ok(()),
    }
}

/// Adds a member of an object.
fn add_member_of(args: &mut Args, field: &Field, name: &str, value: Arg) -> Result<()> {
    let object = match args.get(field.name) {
        Some(Arg::Json(raw)) => raw.get(),
        _ => "{}",
    };
    let members: Vec<_> = scan::members(object).into_iter().flatten().collect();
    if members.iter().any(|(known, _)| scan::unquote(known).is_some_and(|known| known == name)) {
        let words = format!("{} is given twice", quoted(name));
        return Err(Error::usage(words).about(&format!("--{}", field.long_name())));
    }
    // A number stays as it was typed: decoded, it would lose digits.
    let value = match value {
        Arg::Text(text) => serde_json::Value::from(text).to_string(),
        Arg::Json(raw) => raw.get().to_owned(),
    };
    let own = format!("{}:{value}", serde_json::Value::from(name));
    let all = members.iter().map(|(name, value)| format!("{name}:{value}")).chain([own]).collect::<Vec<_>>();
    args.push(field.name, Arg::json(&format!("{{{}}}", all.join(",")))?);
    Ok(())
}

/// Adds what is in a file.
fn add_contents(args: &mut Args, field: &Field, text: &str, files: &dyn Files) -> Result<()> {
    let about = |error: Error| error.about(&format!("--{}", field.long_name()));
    match field.kind {
        Kind::Files => {
            let attested = read_text(text, files)?;
            secrets::no_private_key(text, &attested).map_err(about)?;
            return append(args, field.name, attested.into());
        }
        Kind::Secret => args.push(field.name, Arg::Text(secrets::password(text, files).map_err(about)?)),
        Kind::PublicKeyFile => {
            args.push(field.name, Arg::Text(public_key(text, &files.read(text, FILE_LIMIT)?)?));
        }
        _ => {
            let script = read_text(text, files)?;
            // A script may well hold one, but none begins with it.
            let begin = script.trim_start_matches(['\u{feff}', '>', ' ', '\n', '\r', '\t']);
            if ["-----BEGIN", "PuTTY-User-Key-File"].iter().any(|armour| begin.starts_with(armour)) {
                secrets::no_private_key(text, &script).map_err(about)?;
            }
            args.push(field.name, Arg::Text(script));
        }
    }
    Ok(())
}

/// The words between commas.
fn words<'a>(field: &Field, text: &'a str) -> Result<Vec<&'a str>> {
    let words: Vec<&str> = text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        [] => Err(Error::usage(format!("{} holds nothing", field.name)).about(&field.long_name())),
        _ => Ok(words),
    }
}

/// A thing of a list of objects, by its id or else by what it is called.
fn named(name: &str, text: &str) -> serde_json::Value {
    match super::resolve::is_uuid(text) {
        true => serde_json::json!({ "id": text.to_ascii_lowercase() }),
        false => serde_json::json!({ name: text }),
    }
}

/// Adds a member of a role. Whoever is named as a default member too is one member, who is active by default.
fn add_member(args: &mut Args, text: &str, default: bool) -> Result<()> {
    let (kind, name) = match text.strip_prefix("account:") {
        Some(name) => ("account", name),
        None => ("subuser", text),
    };
    let mut member = named("login", name);
    member["type"] = kind.into();
    let mut all = list(args, "members");
    let same = |known: &serde_json::Value| ["type", "login", "id"].iter().all(|key| known.get(key) == member.get(key));
    match all.iter_mut().find(|known| same(known)) {
        Some(known) if default => known["default"] = true.into(),
        Some(_) => {}
        None => {
            if default {
                member["default"] = true.into();
            }
            all.push(member);
        }
    }
    args.push("members", Arg::json(&serde_json::Value::from(all).to_string())?);
    Ok(())
}

/// The pairs of a JSON object, each as if it were typed as `NAME:=JSON`.
fn add_object(args: &mut Args, field: &Field, text: &str, files: &dyn Files) -> Result<()> {
    let pairs: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> = serde_json::from_str(text)
        .map_err(|error| Error::usage(format!("'{}' is not a JSON object", quoted(text))).because(error))?;
    match field.kind {
        Kind::Object if pairs.is_empty() => args.push(field.name, Arg::json("{}")?),
        _ if pairs.is_empty() => files.note("{} holds no pairs"),
        _ => {}
    }
    pairs.keys().try_for_each(|name| pair::check_name(name))?;
    pairs.iter().try_for_each(|(name, value)| match name.contains('=') {
        true => Err(Error::usage(format!("'{}' cannot be a name here: it holds a =", quoted(name)))),
        false => add(args, field, &format!("{name}:={value}"), files),
    })
}

/// Refuses names of metadata that the service leaves out of a new machine without a word.
fn check_new_metadata(prefix: &str, name: &str) -> Result<()> {
    let word = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if prefix != "metadata." || word && !name.ends_with("_pw") {
        return Ok(());
    }
    let words = format!("'{}' cannot be a name of metadata here: the service would drop it", quoted(name));
    Err(match name.ends_with("_pw") {
        true => Error::usage(words).hint("passwords: -M credentials=@FILE, which holds {\"USER\": \"PASSWORD\"}"),
        false => Error::usage(words),
    })
}

/// Whether a field may be given more than once.
pub(super) fn several(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pairs(_)
            | Kind::PairFiles(_)
            | Kind::Refs(_)
            | Kind::Texts
            | Kind::Words
            | Kind::SomeOf(_)
            | Kind::NamedList
            | Kind::Members(_)
            | Kind::Affinity
            | Kind::PolicyRules
            | Kind::Files
            | Kind::Object
            | Kind::FlatPairs(_)
            | Kind::Tags(_)
            | Kind::FlatFiles(_)
            | Kind::Nics
            | Kind::Interfaces(_)
            | Kind::Mounts
            | Kind::Disks
    )
}

/// Adds a value to the array of this name; one that is there already is not added again.
fn append(args: &mut Args, name: &str, value: serde_json::Value) -> Result<()> {
    let mut all = list(args, name);
    if !all.contains(&value) {
        all.push(value);
    }
    set(args, name, &all)
}

fn set(args: &mut Args, name: &str, all: &[serde_json::Value]) -> Result<()> {
    args.push(name, Arg::json(&serde_json::Value::from(all).to_string())?);
    Ok(())
}

/// What the array of this name holds so far.
fn list(args: &Args, name: &str) -> Vec<serde_json::Value> {
    match args.get(name) {
        Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// A tag's value with the type it was given.
pub(super) fn typed_tag(value: &Arg) -> serde_json::Value {
    match value {
        Arg::Text(text) => serde_json::Value::from(text.as_str()),
        Arg::Json(raw) => serde_json::from_str(raw.get()).unwrap_or_default(),
    }
}

/// What is allowed but most likely not meant, in sentences for a warning.
pub fn doubts(op: &Op, args: &Args) -> Vec<String> {
    let mut doubts: Vec<String> = super::network_addresses::gateway_doubt(op, args).into_iter().collect();
    if args.get("metadata.root_authorized_keys").is_some() {
        let words = "the service writes the keys of the account there, and drops what was given";
        doubts.push(format!("metadata root_authorized_keys: {words}"));
    }
    for field in op.fields {
        let texts = || list(args, field.name).into_iter().filter_map(|text| text.as_str().map(str::to_owned));
        match field.kind {
            Kind::Affinity => doubts
                .extend(texts().filter_map(|text| grammar::affinity::check(&text).ok()).flat_map(|rule| rule.doubts())),
            Kind::PolicyRules => doubts.extend(texts().flat_map(|text| grammar::policy::doubts(&text))),
            Kind::Tags(_) => doubts.extend(args.iter().filter_map(|(name, _)| grammar::tag::doubt(name))),
            Kind::Pairs(prefix @ "tag.") if field.place == Location::Body => {
                let names = args.iter().filter_map(|(name, _)| name.strip_prefix(prefix));
                doubts.extend(names.filter_map(grammar::tag::doubt));
            }
            Kind::Object if field.name == "tags" => {
                let Some(Arg::Json(raw)) = args.get(field.name) else { continue };
                let names = scan::members(raw.get()).into_iter().flatten().filter_map(|(name, _)| scan::unquote(name));
                let names: Vec<_> = names.collect();
                doubts.extend(names.iter().filter_map(|name| grammar::tag::doubt(name)));
                if names.iter().any(|name| name == grammar::tag::EXPIRES) && !is_of_machine(op) {
                    let words = "only machines are deleted once that is over: `reap` leaves everything else";
                    doubts.push(format!("{}: {words}", grammar::tag::EXPIRES));
                }
            }
            _ => {}
        }
    }
    doubts
}

/// Whether what an operation makes or changes is a machine, by whichever service.
fn is_of_machine(op: &Op) -> bool {
    let changed = || op.path_params().last().and_then(|param| crate::api::service_of(op).noun(param));
    op.makes().or_else(changed).is_some_and(|noun| matches!(noun.word, "machine" | "VM"))
}

/// A name given twice is most likely a mistake, and one of the values would be lost.
fn add_pair(args: &mut Args, prefix: &str, name: &str, value: Arg) -> Result<()> {
    let key = format!("{prefix}{name}");
    if args.get(&key).is_some() {
        return Err(Error::usage(format!("{} is given twice", quoted(&key))));
    }
    args.push(key, value);
    Ok(())
}

fn read_text(file: &str, files: &dyn Files) -> Result<String> {
    String::from_utf8(files.read(file, FILE_LIMIT)?)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| Error::usage(format!("{} is not text (UTF-8)", shown(file))))
}

/// A file as it can be shown in a message.
pub(super) fn shown(file: &str) -> String {
    if file == "-" { pair_file::STDIN.to_owned() } else { crate::sensitive::path(Path::new(file)) }
}

/// One OpenSSH public key line from a file's text. Anything else stays here, a private key above all; of what
/// it is instead, nothing is shown.
///
/// # Errors
/// A usage error that names the file.
pub fn public_key(file: &str, text: &[u8]) -> Result<String> {
    let named = if file == "-" { file.to_owned() } else { shown(file) };
    let key = PublicKey::from_file(&named, text)?;
    if key.kind() == KeyKind::Certificate {
        let error = Error::usage(format!("{named} is a certificate, and the service takes only keys"));
        return Err(match file.strip_suffix("-cert.pub") {
            Some(stem) => error.hint(format!("the key that it certifies: {}", shown(&format!("{stem}.pub")))),
            None => error.hint("the file of the key that it certifies, which ends in .pub"),
        });
    }
    Ok(key.openssh_line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_what_was_typed_unless_its_type_is_asked_for() {
        for (typed, name, value) in
            [("version=1.10", "version", "1.10"), ("zip=01234", "zip", "01234"), ("k=", "k", "")]
        {
            let (key, Arg::Text(text)) = pair::read(typed).unwrap() else { panic!("{typed} is not text") };
            assert_eq!((key, text.as_str()), (name, value));
        }
        let (key, Arg::Json(raw)) = pair::read("count:=1.10").unwrap() else { panic!("not typed") };
        assert_eq!((key, raw.get()), ("count", "1.10"));
        // Also where several are one object.
        let mut args = Args::new();
        let field = crate::api::cloudapi::volumes::CREATE.fields.iter().find(|field| field.name == "tags").unwrap();
        let folders = Folders { folder: Path::new(""), home: None };
        for typed in
            ["b:=1e-400", "a:=1.10", "it's \"c\"=12345678901234567890123", "d:=12345678901234567890123", "e:=true"]
        {
            add_named(&mut args, field, typed, &folders).unwrap();
        }
        let Some(Arg::Json(tags)) = args.get("tags") else { panic!("no tags") };
        let expected =
            r#"{"b":1e-400,"a":1.10,"it's \"c\"":"12345678901234567890123","d":12345678901234567890123,"e":true}"#;
        assert_eq!(tags.get(), expected);
        assert!(
            add_named(&mut args, field, "it's \"c\"=1", &folders).unwrap_err().message().contains("is given twice")
        );
        assert_eq!(
            pair::read("a:={}").unwrap_err().to_string(),
            "'a:={}': only text, numbers, true and false can be kept"
        );
        assert_eq!(pair::read("a:=yes").unwrap_err().hints(), ["as text: a=yes"]);
    }
}
