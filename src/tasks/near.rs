//! Names that are spelled like one that nothing has: a typing error, or a part of the name.
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
//! use sdc::api::cloudapi::keys::GET;
//! use sdc::request::Args;
//! use sdc::tasks::near;
//!
//! let args = Args::new().set("key", "emulatr");
//! let error = client.call(&GET, &args).await.unwrap_err();
//! let error = near::named(&client, &GET, &args, error).await;
//! assert_eq!(error.hints()[0].as_str(), "did you mean emulator?");
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use super::words::brief;
use crate::answer::{Row, scan};
use crate::api::cloudapi::users;
use crate::api::{Field, Ids, Location, Op, Shape};
use crate::auth::PublicKey;
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind};
use crate::grammar::range;
use crate::grammar::selector::is_glob;
use crate::request::Args;

/// So many are offered at most.
const MAX_NAMES: usize = 8;

/// Adds to an error those of these names that are like what was typed.
pub(super) fn offered<'a>(error: Error, typed: &str, names: impl Iterator<Item = &'a str> + Clone) -> Error {
    let is_part = |name: &&str| !name.is_empty() && (name.contains(typed) || typed.contains(name));
    let mut near: Vec<&str> = names.clone().filter(is_part).collect();
    // A typing error, where no name is a part of the other.
    if near.is_empty() {
        near.extend(crate::grammar::nearest(typed, &names.collect::<Vec<_>>()));
    }
    near.sort_unstable();
    near.dedup();
    near.truncate(MAX_NAMES);
    match near.is_empty() {
        true => error,
        false => error.hint(format!("did you mean {}?", near.into_iter().map(brief).collect::<Vec<_>>().join(", "))),
    }
}

/// The error of a name that standard input has, where it was meant as a glob or a range: what is read there is taken
/// literally.
pub(super) fn of_input(error: Error, typed: &str) -> Error {
    let patterns = match typed {
        _ if is_glob(typed) => "globs",
        _ if range::names(typed).is_ok_and(|names| names.is_some()) => "ranges",
        _ => return error,
    };
    Error::new(error.kind(), error.message()).hint(format!("standard input has ids and names, and no {patterns}"))
}

/// The error of an operation on what the service finds by its name, such as a key or a tag, with the names that are
/// there. Only the list of all knows them, and it is asked for where the service found nothing alone.
pub async fn named(client: &Client, op: &Op, args: &Args, error: Error) -> Error {
    let noun = op.path_params().last().and_then(|param| client.service().noun(param));
    // One of another owner than is said is not found either.
    let owned = |field: &Field| field.name == "owner_uuid" && field.place == Location::Query;
    if let Some(noun) = noun.filter(|_| error.kind() == Kind::NotFound && op.fields.iter().any(owned))
        && args.text("owner_uuid").is_some()
    {
        let get = args.command(client.service(), noun.get);
        return error.hint(Hint::run("another account may have it; to see whose it is", get));
    }
    let Some(noun) = noun.filter(|noun| matches!(noun.ids, Ids::Any | Ids::Key)) else { return error };
    let Some(typed) = args.text(noun.name).filter(|_| error.kind() == Kind::NotFound && error.fault().is_some()) else {
        return error;
    };
    let Ok(all) = client.call(noun.list, &args.in_path_of(noun.list)).await else { return error };
    let names: Vec<String> = match noun.list.shape {
        Shape::Map => {
            let members = all.first().and_then(|row| scan::members(row.0.get())).into_iter().flatten();
            members.filter_map(|(name, _)| Some(scan::unquote(name)?.into_owned())).collect()
        }
        _ => {
            let field = format!("/{}", noun.name_field);
            all.rows().filter_map(|row| row.text(&field).map(|name| name.into_owned())).collect()
        }
    };
    // It is there, and something else is not.
    if names.iter().any(|name| name == typed) {
        return error;
    }
    let list = args.command(client.service(), noun.list);
    offered(error, typed, names.iter().map(String::as_str)).hint(Hint::run("list them", list))
}

/// The error of a user of this name who is not deleted, with the lists of both kinds of keys: the service does not say
/// which is left.
pub fn with_keys(op: &'static Op, name: Option<&str>, error: Error) -> Error {
    let refused = std::ptr::eq(op, &users::DELETE) && error.fault().is_some_and(|fault| fault.status == 409);
    let Some(name) = name.filter(|_| refused) else { return error };
    error
        .hint(Hint::run("its access keys", CommandLine::new("users accesskeys list").on(name)))
        .hint(Hint::run("its other keys", CommandLine::new("users keys list").on(name)))
}

/// The error of a key that was refused, where the very same one is there already: under which name. Names and comments
/// may differ, and a request whose answer was lost may have added it.
pub async fn same_key(client: &Client, op: &Op, args: &Args, error: Error) -> Error {
    let sent = args.text("key").and_then(|line| PublicKey::from_line(line).ok());
    let noun = op.makes().filter(|noun| noun.ids == Ids::Key && error.fault().is_some_and(|fault| fault.status == 409));
    let (Some(sent), Some(noun)) = (sent, noun) else { return error };
    let Ok(all) = client.call(noun.list, &args.in_path_of(noun.list)).await else { return error };
    let is_same = |row: &Row<'_>| {
        row.text("/key").and_then(|line| PublicKey::from_line(&line).ok()).is_some_and(|key| key.md5() == sent.md5())
    };
    let Some(name) = all.rows().find(is_same).and_then(|row| Some(row.text("/name")?.into_owned())) else {
        return error;
    };
    let get = args.clone().set(noun.name, name.as_str()).command(client.service(), noun.get);
    error.about(&format!("this key is there already, as {}", brief(&name))).hint(Hint::run("to see it", get))
}
