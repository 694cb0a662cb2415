//! Fields that refer to other things: names in them become ids. A field may refer to what another service of the data
//! center has, such as a VM to its package.

use futures_util::future::join;
use serde_json::Value;

use super::{id, is_uuid, with_near, within};
use crate::api::cloudapi::networks::NETWORK;
use crate::api::{self, Field, Kind, Method, Noun, Op, Referred};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind as Failure, Result, Target};
use crate::grammar::nic::{self, Nic};
use crate::request::{Arg, Args};
use crate::tasks::{Services, words};

/// Whether a name in this field has to be looked up.
pub(super) fn needs_lookup(field: &Field, args: &Args) -> bool {
    match (field.kind, args.get(field.name)) {
        (Kind::Ref(noun), Some(Arg::Text(text))) => super::needs_lookup(noun, text),
        (Kind::Refs(noun) | Kind::Interfaces(noun), Some(Arg::Json(raw))) => {
            entries(raw.get()).iter().any(|entry| named(entry).is_some_and(|text| super::needs_lookup(noun, text)))
        }
        (Kind::Nic, Some(Arg::Text(text))) => super::needs_lookup(&NETWORK, text),
        (Kind::Nic, Some(Arg::Json(raw))) => named(&serde_json::from_str(raw.get()).unwrap_or_default())
            .is_some_and(|text| super::needs_lookup(&NETWORK, text)),
        _ => false,
    }
}

/// What a field refers to, where that is a noun of the table.
fn noun_of(field: &Field) -> Option<&'static Noun> {
    match field.kind {
        Kind::Ref(noun) | Kind::Refs(noun) | Kind::Interfaces(noun) => Some(noun),
        _ => None,
    }
}

/// Puts ids in the place of the names of what other services have, in fields and in the path. What the operation's own
/// service has is left to [`fields`] and [`super::path`].
///
/// # Errors
/// Not found, ambiguous, a list could not be read, or nobody knows where that service is.
pub async fn elsewhere(services: &dyn Services, op: &Op, args: &mut Args) -> Result<()> {
    let own = api::service_of(op);
    for param in op.path_params() {
        let Some((noun, text)) = api::noun(param).zip(args.text(param).map(str::to_owned)) else { continue };
        let other = api::service_of(noun.list);
        if !std::ptr::eq(own, other) && super::needs_lookup(noun, &text) {
            let client = services.client(other).await?;
            args.push(param, Arg::Text(id(&client, noun, &text).await?));
        }
    }
    for field in op.fields.iter().filter(|field| needs_lookup(field, args)).collect::<Vec<_>>() {
        let Some(noun) = noun_of(field) else { continue };
        let other = api::service_of(noun.list);
        if !std::ptr::eq(own, other) {
            let client = services.client(other).await?;
            one(&client, op, field, args).await?;
        }
    }
    Ok(())
}

/// Puts ids in the place of names in the fields that refer to things.
///
/// # Errors
/// Not found, ambiguous, or the list could not be read; a usage error for the name of what another service has.
pub async fn fields(client: &Client, op: &Op, args: &mut Args) -> Result<()> {
    for field in op.fields {
        if let Some(noun) = noun_of(field).filter(|_| needs_lookup(field, args))
            && !std::ptr::eq(api::service_of(noun.list), client.service())
            && client.service().is_inner()
        {
            let service = api::service_of(noun.list).name;
            return Err(Error::usage(format!("{service} knows the names of {}", words::plural(noun.word)))
                .about(&format!("--{}", field.long_name()))
                .hint("its id needs no look-up"));
        }
        one(client, op, field, args).await?;
    }
    Ok(())
}

async fn one(client: &Client, op: &Op, field: &Field, args: &mut Args) -> Result<()> {
    match (field.kind, args.get(field.name).cloned()) {
        (Kind::Ref(noun), Some(Arg::Text(text))) => {
            args.push(field.name, Arg::Text(referred(client, op, noun, &text, args).await?));
        }
        (Kind::Refs(noun), Some(Arg::Json(raw))) => {
            let mut found: Vec<Value> = Vec::new();
            for entry in entries(raw.get()) {
                let entry = with_id(client, op, noun, entry, args).await?;
                if !found.contains(&entry) {
                    found.push(entry);
                }
            }
            // The service takes either ids or objects, and not both in one list.
            if found.iter().any(Value::is_object) {
                for entry in found.iter_mut().filter(|entry| entry.is_string()) {
                    *entry = serde_json::json!({ "ipv4_uuid": entry });
                }
                let networks = found.iter().filter_map(named);
                let nics: Vec<Nic> = networks.map(|id| Nic { network: id.to_owned(), ip: None }).collect();
                nic::check(&nics)?;
            }
            args.push(field.name, Arg::json(&Value::from(found).to_string())?);
        }
        (Kind::Interfaces(noun), Some(Arg::Json(raw))) => {
            let mut found: Vec<Value> = Vec::new();
            for entry in entries(raw.get()) {
                found.push(with_id(client, op, noun, entry, args).await?);
            }
            args.push(field.name, Arg::json(&Value::from(found).to_string())?);
        }
        (Kind::Nic, Some(Arg::Text(text))) => {
            args.push(field.name, Arg::Text(referred(client, op, &NETWORK, &text, args).await?));
        }
        (Kind::Nic, Some(Arg::Json(raw))) => {
            let nic = serde_json::from_str(raw.get()).unwrap_or_default();
            let nic = with_id(client, op, &NETWORK, nic, args).await?;
            args.push(field.name, Arg::json(&nic.to_string())?);
        }
        _ => {}
    }
    Ok(())
}

fn entries(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// What is named by an entry: the text itself, or the network of an object.
fn named(entry: &Value) -> Option<&str> {
    entry.as_str().or_else(|| entry.get("ipv4_uuid")?.as_str())
}

/// The entry with an id in the place of the name.
async fn with_id(client: &Client, op: &Op, noun: &'static Noun, mut entry: Value, args: &Args) -> Result<Value> {
    let Some(name) = named(&entry) else { return Ok(entry) };
    let id = Value::from(referred(client, op, noun, name, args).await?);
    match entry.get_mut("ipv4_uuid") {
        Some(place) => *place = id,
        None => entry = id,
    }
    Ok(entry)
}

/// The id of one to which a field of the operation refers. What is made or put into something must be in the list.
async fn referred(client: &Client, op: &Op, noun: &'static Noun, typed: &str, args: &Args) -> Result<String> {
    if op.method == Method::Get {
        return id(client, noun, typed).await;
    }
    let place = place(noun, args);
    let missing = |error: &Error| error.kind() == Failure::NotFound;
    let Some(other) = noun.beside.filter(|_| super::needs_lookup(noun, typed)) else {
        let found = id_within(client, noun, place.clone(), typed).await;
        return blamed(client, noun, &place, typed, found).await;
    };
    let beside = id_within(client, other, self::place(other, args), typed);
    match join(id_within(client, noun, place.clone(), typed), beside).await {
        (Ok(one), Ok(two)) => {
            let words = format!("'{}' is both a {} and a {}", words::brief(typed), noun.word, other.word);
            let error = Error::new(Failure::Ambiguous, words);
            let error = error.hint(format!("the {}: {one}", noun.word)).hint(format!("the {}: {two}", other.word));
            Err(error.hint("use the id of the one that is meant"))
        }
        (Ok(found), Err(error)) | (Err(error), Ok(found)) if missing(&error) => Ok(found),
        (Err(error), Err(second)) if missing(&error) && !missing(&second) => Err(second),
        (Err(error), Err(_)) if missing(&error) => {
            let near = with_near(client, noun, &place, typed, error).await;
            // Others of that name there may be.
            let whose = noun.referred.iter().any(|(query, _)| place.get(query).is_some());
            let may = if whose { " that the account may use" } else { "" };
            let words = format!("no {} or {} named '{}'{may}", noun.word, other.word, words::brief(typed));
            let error = near.hints().iter().cloned().fold(Error::new(Failure::NotFound, words), Error::hint);
            let pools = Hint::run("and these", CommandLine::of(&client.service().command(other.list)));
            Err(error.hint(pools).on(Target { noun: noun.word, id: None, name: typed.to_owned() }))
        }
        (found, _) => blamed(client, noun, &place, typed, found).await,
    }
}

/// What the list is asked for, so that it has what may be referred to.
fn place(noun: &Noun, args: &Args) -> Args {
    let mut place = Args::new();
    for (query, value) in noun.referred {
        let value = match value {
            Referred::Value(value) => Some(*value),
            Referred::Field(field) => args.text(field).filter(|id| is_uuid(id)),
        };
        if let Some(value) = value {
            place.push(*query, Arg::Text(value.to_owned()));
        }
    }
    place
}

async fn id_within(client: &Client, noun: &'static Noun, place: Args, typed: &str) -> Result<String> {
    within(client, noun, place, typed, None).await.map(|found| found.id)
}

/// An error says what was typed for what, and what is spelled like it.
async fn blamed(
    client: &Client,
    noun: &'static Noun,
    place: &Args,
    typed: &str,
    found: Result<String>,
) -> Result<String> {
    match found {
        Err(error) => Err(with_near(client, noun, place, typed, error)
            .await
            .blaming(noun.name, Some(typed))
            .on(Target { noun: noun.word, id: None, name: typed.to_owned() })),
        found => found,
    }
}
