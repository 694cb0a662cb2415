//! From what people call a thing to its id. Names match exactly: the service's own name filter may
//! match by prefix, and its first row may be the wrong machine.
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
//! use sdc::api::cloudapi::machines::{CREATE, MACHINE};
//! use sdc::request::Args;
//! use sdc::tasks::resolve;
//!
//! assert_eq!(resolve::id(&client, &MACHINE, "web1").await?, "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d");
//! // A part of a name is not the name.
//! let error = resolve::id(&client, &MACHINE, "web").await.unwrap_err();
//! assert_eq!(error.kind(), sdc::error::Kind::NotFound);
//!
//! // Everything that an operation refers to. A name shared by several images means the newest.
//! let mut args = Args::new().set("image", "base-64").set("package", "g1-small");
//! resolve::all(&client, &CREATE, &mut args).await?;
//! assert!(!resolve::is_needed(client.service(), &CREATE, &args));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod named;
mod refer;

#[cfg(feature = "cli")]
pub(crate) use super::candidates::is_there;
pub(super) use super::candidates::{Asking, begins_id};
pub use super::candidates::{Candidate, Candidates};
use super::candidates::{missing, named_version};
use super::left_out;
use super::whose::Whose;
use crate::api::{Ids, Noun, Op, Service, Shape};
use crate::auth::{KeyId, PublicKey};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Result, Target};
pub(crate) use crate::grammar::is_uuid;
use crate::grammar::net;
use crate::request::{Arg, Args};
pub use named::Named;
pub use refer::{elsewhere, fields};

/// Whether this operation of this service with these arguments needs anything looked up.
pub fn is_needed(service: &Service, op: &Op, args: &Args) -> bool {
    let path = op
        .path_params()
        .any(|param| service.noun(param).zip(args.text(param)).is_some_and(|(noun, text)| needs_lookup(noun, text)));
    path || op.fields.iter().any(|field| refer::needs_lookup(field, args))
}

/// Whether what was typed for one of these is no id yet.
pub fn needs_lookup(noun: &Noun, text: &str) -> bool {
    match noun.ids {
        Ids::Any => !noun.travels(text),
        Ids::Uuid => !is_uuid(text),
        Ids::Number => text.parse::<u64>().is_err(),
        Ids::Key => match KeyId::parse(text) {
            Ok(KeyId::Md5(_)) => false,
            Ok(KeyId::Name(name)) => !noun.travels(&name),
            Ok(KeyId::Sha256(_)) | Err(_) => true,
        },
        Ids::Mac => net::mac(text).is_err(),
    }
}

/// Puts ids in the place of names, in the path's parameters and in the fields that refer to things.
///
/// # Errors
/// Not found, ambiguous, or the list could not be read.
pub async fn all(client: &Client, op: &Op, args: &mut Args) -> Result<()> {
    path(client, op, args).await?;
    refer::fields(client, op, args).await
}

/// The same in the path's parameters alone, as far as they are given.
///
/// # Errors
/// As [`all`].
pub async fn path(client: &Client, op: &Op, args: &mut Args) -> Result<()> {
    for param in op.path_params() {
        if let Some((noun, text)) = client.service().noun(param).zip(args.text(param).map(str::to_owned)) {
            // What comes before it in the path is resolved by now: its list hangs there.
            args.push(param, Arg::Text(of_owner(client, noun, &text, op, args).await?));
        }
    }
    Ok(())
}

/// The same of a target that a range stands for, and that the list does not have: by its very name it may be among those
/// that the list leaves out for their state.
///
/// # Errors
/// `missing` where it is not; gone, ambiguous, or the list could not be read.
pub(super) async fn path_of_range(
    client: &Client,
    op: &Op,
    args: &mut Args,
    (noun, name): (&'static Noun, &str),
    missing: Error,
) -> Result<()> {
    if noun.ids != Ids::Uuid {
        return path(client, op, args).await;
    }
    let Some((query, value)) = noun.whole() else { return Err(missing) };
    let place = filtered(noun, place(noun, args), name).set(query, value);
    let known = Candidates::list_for(client, noun, &place, Some((op, &*args))).await?.only_called(name);
    let gone = left_out::gone(&known, name);
    match known.there().find(name, op.asks) {
        Err(error) if error.kind() == crate::error::Kind::NotFound => Err(gone.unwrap_or(missing)),
        Err(error) => Err(error),
        Ok(thing) => {
            args.push(noun.name, Arg::Text(thing.id.clone()));
            Ok(())
        }
    }
}

/// The id of what an operation with these arguments is about: one of the account that it is kept to, if it is.
async fn of_owner(client: &Client, noun: &'static Noun, typed: &str, op: &Op, args: &Args) -> Result<String> {
    let id = anywhere(client, noun, place(noun, args), typed, Some((op, args))).await?.id;
    // Of one that was looked up by its name a row has been seen.
    if let Some(whose) = Whose::of(noun, op, args).filter(|_| !needs_lookup(noun, typed)) {
        whose.look(client, noun, &id).await?;
    }
    Ok(id)
}

/// The arguments of the path below which the things of a noun are listed.
pub fn place(noun: &Noun, args: &Args) -> Args {
    args.in_path_of(noun.list)
}

/// The id of the thing that is called so, also of one that the list leaves out for its state.
///
/// # Errors
/// Not found, gone, ambiguous, or the list could not be read.
pub async fn id(client: &Client, noun: &'static Noun, typed: &str) -> Result<String> {
    named(client, noun, typed).await.map(|found| found.id)
}

/// The same, with what its list says of it.
///
/// # Errors
/// As [`id`].
pub async fn named(client: &Client, noun: &'static Noun, typed: &str) -> Result<Named> {
    let found = anywhere(client, noun, Args::new(), typed, None).await;
    let about = || Target { noun: noun.word, id: None, name: typed.to_owned() };
    found.map_err(|error| error.blaming(noun.name, Some(typed)).on(about()))
}

/// All that there is in this place, also what the list leaves out for its state.
///
/// # Errors
/// The list cannot be read.
pub async fn everything(client: &Client, noun: &'static Noun, place: &Args) -> Result<Candidates> {
    let mut place = place.clone();
    if let Some((name, value)) = noun.whole() {
        place.push(name, Arg::Text(value.to_owned()));
    }
    Candidates::list(client, noun, &place).await
}

/// The thing of this name that the operation is to change: one of the account's own.
///
/// # Errors
/// As [`id`].
pub async fn own(client: &Client, noun: &'static Noun, op: &Op, typed: &str) -> Result<Named> {
    within(client, noun, Args::new(), typed, Some((op, &Args::new()))).await
}

/// The same in a list that is a part of something, and among those too that the list leaves out for their state.
async fn anywhere(
    client: &Client,
    noun: &'static Noun,
    place: Args,
    typed: &str,
    asking: Option<Asking<'_>>,
) -> Result<Named> {
    let missing = match (within(client, noun, place.clone(), typed, asking).await, noun.whole()) {
        (Err(error), Some(whole)) if error.kind() == crate::error::Kind::NotFound => (error, whole),
        (Err(error), None) => return Err(with_near(client, noun, &place, typed, error).await),
        (found, _) => return found,
    };
    let all = place.clone();
    let (error, (query, value)) = missing;
    let place = if begins_id(typed) { place } else { filtered(noun, place, typed) };
    let known = Candidates::list_for(client, noun, &place.set(query, value), asking).await?;
    let gone = left_out::gone(&known, typed);
    let known = known.there();
    match known.find(typed, asking.is_some_and(|(op, _)| op.asks)) {
        Err(other) if other.kind() == crate::error::Kind::NotFound => match gone {
            Some(gone) => Err(gone),
            None => Err(with_near(client, noun, &all, typed, error).await),
        },
        found => found.map(Named::from),
    }
}

/// The error for a name that the service's own filter did not find, with those that are spelled like it: of them only
/// the whole list knows.
async fn with_near(client: &Client, noun: &'static Noun, place: &Args, typed: &str, error: Error) -> Error {
    let told = error.hints().len() > 1 || error.kind() != crate::error::Kind::NotFound;
    let was_filtered = noun.filter.is_some_and(|filter| filtered(noun, place.clone(), typed).text(filter).is_some());
    if told || !was_filtered {
        return error;
    }
    let Ok(known) = everything(client, noun, place).await else { return error };
    let fuller = missing(&known, typed);
    if fuller.message() == error.message() { fuller } else { error }
}

/// The same in a list that is a part of something, by the parameters of its path.
async fn within(
    client: &Client,
    noun: &'static Noun,
    place: Args,
    typed: &str,
    asking: Option<Asking<'_>>,
) -> Result<Named> {
    let strict = asking.is_some_and(|(op, _)| op.asks);
    match noun.ids {
        Ids::Any if noun.list.shape == Shape::Map && !noun.travels(typed) => {
            return Err(super::unnamed::error(client, noun, &place, typed).await);
        }
        Ids::Any => return Ok(typed.to_owned().into()),
        Ids::Key => return key_name(client, noun, &place, typed).await.map(Named::from),
        Ids::Uuid if is_uuid(typed) => return Ok(typed.to_ascii_lowercase().into()),
        Ids::Number if !needs_lookup(noun, typed) => return Ok(typed.to_owned().into()),
        Ids::Mac if let Ok(mac) = net::mac(typed) => return Ok(mac.into()),
        Ids::Uuid | Ids::Number | Ids::Mac => {}
    }
    // The name's own list has none of those whose ids begin so; there may be no other list.
    let all = begins_id(typed) && !noun.filter.is_some_and(|filter| must_have(noun, filter));
    let list = if all { place.clone() } else { filtered(noun, place.clone(), typed) };
    let known = match Candidates::list_for(client, noun, &list, asking).await {
        // What the list hangs on is not there.
        Err(error) if noun.list.path_params().next().is_some() && error.kind() == crate::error::Kind::NotFound => {
            let above = noun.list.path_params().last().unwrap_or_default();
            let name = place.text(above).map(super::words::brief).unwrap_or_default();
            return Err(error.about(&format!("{} {name}", super::words::word(above))));
        }
        // Of what has no list, one is asked for by its name.
        Err(error) if noun.list.shape == Shape::Record && error.kind() == crate::error::Kind::NotFound => {
            let words = format!("no {} named '{}'", noun.word, super::words::brief(typed));
            let about = Target { noun: noun.word, id: None, name: typed.to_owned() };
            return Err(Error::new(crate::error::Kind::NotFound, words).on(about));
        }
        known => known?,
    };
    match known.find(typed, strict) {
        Err(error) => known.on(client, typed, error).await.map(Named::from),
        found => found.map(Named::from),
    }
}

/// The list's arguments with the service's own filter for this name, where there is one. It may refuse a name that
/// nothing can have, or read it as a pattern: such a name is only compared here, unless there is no list without it.
fn filtered(noun: &Noun, place: Args, typed: &str) -> Args {
    let name = named_version(noun, typed).0;
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    match noun.filter {
        Some(filter) if plain || must_have(noun, filter) => place.set(filter, name),
        _ => place,
    }
}

/// Whether there is no list without this filter.
fn must_have(noun: &Noun, filter: &str) -> bool {
    noun.list.fields.iter().any(|field| field.name == filter && field.required)
}

/// Keys go by name or MD5 fingerprint, which the service finds itself. A SHA256 one it does not know, and some names
/// it cannot be asked for: such a key is looked up, and goes by its fingerprint.
async fn key_name(client: &Client, noun: &Noun, place: &Args, typed: &str) -> Result<String> {
    let wanted = match KeyId::parse(typed) {
        Ok(KeyId::Md5(md5)) => return Ok(md5),
        Ok(KeyId::Name(name)) if noun.travels(&name) => return Ok(name),
        wanted => wanted,
    };
    let by_fingerprint = matches!(wanted, Ok(KeyId::Sha256(_)));
    let answer = client.call(noun.list, place).await?;
    let mut fitting = answer.rows().filter_map(|row| {
        let key = PublicKey::from_line(&row.text("/key")?).ok()?;
        let fits = match &wanted {
            Ok(id) if by_fingerprint => id.is_of(&key),
            _ => row.text("/name").as_deref() == Some(typed),
        };
        fits.then(|| key.md5())
    });
    match (fitting.next(), wanted) {
        (Some(md5), _) => Ok(md5),
        // What begins like a fingerprint and is none is seldom a name.
        (None, Err(error)) if typed.contains(':') => Err(error),
        (None, _) => {
            let what = if by_fingerprint { "has the fingerprint" } else { "is called" };
            let words = format!("no key here {what} '{}'", super::words::brief(typed));
            let all = Hint::run("list them", CommandLine::of(&client.service().command(noun.list)));
            let names: Vec<_> = answer.rows().filter_map(|row| row.text("/name")).collect();
            let error = Error::new(crate::error::Kind::NotFound, words);
            Err(super::near::offered(error, typed, names.iter().map(AsRef::as_ref)).hint(all))
        }
    }
}
