//! Role tags: the roles that an object is tagged with, and so may act on it. Objects are named as people say them or by
//! their paths; the path decides which operation of the API is called.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = sdc::emulator::Emulator::start(Default::default()).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use sdc::tasks::role_tags::{Edit, Taggable, read};
//!
//! let web1 = Taggable::parse("machines/web1", client.account())?.resolved(&client).await?;
//! let known = read(&client, &web1, "web1").await?;
//! let wanted = Edit::Add.apply(vec!["operator".to_owned()], &known);
//! client.send(&web1.write(&client, &wanted)?).await?;
//! assert_eq!(read(&client, &web1, "web1").await?, ["operator"]);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use percent_encoding::percent_decode_str;
use serde_json::json;

use super::call::Call;
use super::picks::is_tagged;
use super::resolve::{self, Candidate, Candidates};
use super::words::brief;
use crate::answer::Answer;
use crate::api::cloudapi::{account, role_tags, roles, services, user_keys};
use crate::api::{CLOUDAPI, Op, ROLE_TAG};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::grammar::range;
use crate::grammar::selector::{Selector, glob, is_glob};
use crate::request::{Arg, Args, Request};
use crate::response::Response;

/// A change of an object's role tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// These roles and no others.
    Set,
    /// These roles too.
    Add,
    /// All but these roles.
    Remove,
    /// No roles.
    Clear,
}

impl Edit {
    /// The roles after the change, given those before it.
    pub fn apply(self, roles: Vec<String>, known: &[String]) -> Vec<String> {
        match self {
            Edit::Set => roles,
            Edit::Add => {
                let more: Vec<String> = roles.into_iter().filter(|role| !known.contains(role)).collect();
                known.iter().cloned().chain(more).collect()
            }
            Edit::Remove => known.iter().filter(|role| !roles.contains(role)).cloned().collect(),
            Edit::Clear => Vec::new(),
        }
    }

    /// Whether the roles after the change do not depend on those before it.
    pub fn replaces(self) -> bool {
        matches!(self, Edit::Set | Edit::Clear)
    }
}

/// Says which roles something is to be made with that the account does not have: the service makes it without them, and
/// says nothing. Nothing where that cannot be told.
pub async fn unknown(client: &Client, calls: &[Call]) -> Option<String> {
    let of = |call: &Call| match call.args.get(ROLE_TAG.name) {
        Some(Arg::Text(text)) => vec![text.clone()],
        Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
        None => Vec::new(),
    };
    let mut wanted: Vec<String> = calls.iter().flat_map(of).collect();
    if wanted.is_empty() {
        return None;
    }
    let known = client.call(&roles::LIST, &Args::new()).await.ok()?;
    wanted.retain(|role| known.rows().all(|row| row.text("/name").as_deref() != Some(role)));
    wanted.sort_unstable();
    wanted.dedup();
    let names = wanted.iter().map(|role| brief(role)).collect::<Vec<_>>().join(", ");
    (!wanted.is_empty()).then(|| format!("the account has no role {names}: the service leaves it out of the role tags"))
}

/// Whether two lists hold the same roles, in any order.
pub fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|role| other.contains(role))
}

/// The roles that an object is tagged with. HEAD answers it without the object itself. Where that is refused, or is not
/// the service's own whole answer, the object is read, and must be the one that was asked for: the tags of another one
/// would be written over its own. Errors of the service call the object by `name`.
///
/// # Errors
/// The object does not exist, or the service refuses; [`Kind::Unreachable`] for the answer about something else.
pub async fn read(client: &Client, place: &Taggable, name: &str) -> Result<Vec<String>> {
    let request = place.read(client)?;
    let mut answer = client.send(&request).await?;
    if answer.status != 200 || answer.is_called_html() || !has_all_headers(&answer) {
        answer = client.send(&Request { method: reqwest::Method::GET, ..request }).await?;
        answer.answer(place.shown_by()).map_err(|error| error.about(name))?;
        // A redirect has no tags, whatever it leads to has.
        if answer.status != 200 {
            let words = format!("{name}: the service answered {} where 200 was due", answer.status);
            return Err(Error::new(Kind::Unreachable, words));
        }
    }
    // They are in a header: without those of CloudAPI, none need not mean none, and unknown ones would be removed.
    if !has_all_headers(&answer) {
        let words = format!("{name}: the answer has not all of CloudAPI's headers, one of which holds the role tags");
        return Err(Error::new(Kind::Unreachable, words).hint("is there a proxy or a balancer that takes them away?"));
    }
    let mut roles: Vec<String> = Vec::new();
    for role in &answer.headers.get_all("role-tag") {
        let unread = |_| Error::new(Kind::Unreachable, format!("{name}: a role tag is not ASCII, and would be lost"));
        let role = role.to_str().map_err(unread)?;
        roles.extend(role.split(',').map(str::trim).filter(|role| !role.is_empty()).map(str::to_owned));
    }
    Ok(roles)
}

/// Whether an answer has the service's headers. A proxy that passes the usual ones alone leaves `Server`, and takes
/// `Api-Version` and `Role-Tag` away.
fn has_all_headers(answer: &Response) -> bool {
    answer.is_own_by_headers() && answer.header("api-version").is_some()
}

/// The answer that the service gives to a write, for the roles that a read has found.
///
/// # Errors
/// None that a request of [`Taggable::read`] can cause.
pub fn answer(read: &Request, roles: &[String]) -> Result<Answer> {
    let name = percent_decode_str(&read.path).decode_utf8_lossy();
    Answer::from_record(json!({ "name": name, "role-tag": roles }).to_string().as_bytes())
}

/// An object that can be tagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taggable {
    /// The account itself.
    Account,
    /// A collection, such as `machines`.
    Collection(&'static str),
    /// An object of a collection, by name or id.
    One(&'static str, String),
    /// The keys of a user.
    UserKeys(String),
    /// A key of a user.
    UserKey(String, String),
}

impl Taggable {
    /// The object that is meant: `account`, `machines/web1`, `users/jill/keys/laptop`, or a path of the account.
    ///
    /// # Errors
    /// A usage error that lists the objects that can be tagged.
    pub fn parse(typed: &str, account: &str) -> Result<Taggable> {
        let parts: Vec<String> = match typed.strip_prefix('/') {
            None if typed == "account" => return Ok(Taggable::Account),
            // A name may hold anything; only those of users can be followed by their keys.
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
                        .map_err(|_| Error::usage(format!("'{typed}' is not text (UTF-8)")))
                };
                let mut parts = path.split('/').map(decoded).collect::<Result<Vec<_>>>()?;
                let login = parts.remove(0);
                if ![":login", "my", account, ""].contains(&login.as_str()) || login.is_empty() && !parts.is_empty() {
                    return Err(Error::usage(format!("the path '{typed}' is not one of the account {account}"))
                        .hint(format!("of another account: --act-as {}", crate::grammar::shell::quoted(&login))));
                }
                match (parts.is_empty(), login.is_empty()) {
                    (true, true) => return Err(Error::usage("'/' names nothing: is a variable unset?").hint("account")),
                    (true, false) => return Ok(Taggable::Account),
                    _ => parts,
                }
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
            (_, []) => Ok(Taggable::Collection(found)),
            (_, [name]) => Ok(Taggable::One(found, (*name).to_owned())),
            ("users", [user, "keys"]) => Ok(Taggable::UserKeys((*user).to_owned())),
            ("users", [user, "keys", key]) => Ok(Taggable::UserKey((*user).to_owned(), (*key).to_owned())),
            _ => Err(unknown()),
        }
    }

    /// The operation that replaces its role tags.
    pub fn op(&self) -> &'static Op {
        match self {
            Taggable::Account => &role_tags::ACCOUNT,
            Taggable::Collection(_) => &role_tags::COLLECTION,
            Taggable::One("machines", _) => &role_tags::MACHINE,
            Taggable::One(..) => &role_tags::RESOURCE,
            Taggable::UserKeys(_) => &role_tags::USER_KEYS,
            Taggable::UserKey(..) => &role_tags::USER_KEY,
        }
    }

    /// The operation that shows it.
    fn shown_by(&self) -> &'static Op {
        match self {
            Taggable::Account => &account::GET,
            Taggable::Collection(name) => role_tags::by_name(name).map_or(&services::LIST, |noun| noun.list),
            Taggable::One(name, _) => role_tags::by_name(name).map_or(&services::LIST, |noun| noun.get),
            Taggable::UserKeys(_) => &user_keys::LIST,
            Taggable::UserKey(..) => &user_keys::GET,
        }
    }

    /// The parameters of its path.
    fn args(&self) -> Args {
        let args = Args::new();
        match self {
            Taggable::Account => args,
            Taggable::Collection(name) => args.set("resource_name", *name),
            Taggable::One("machines", id) => args.set("machine", id),
            Taggable::One(name, id) => args.set("resource_name", *name).set("resource_id", id),
            Taggable::UserKeys(user) => args.set("user", user).set("resource_name", "keys"),
            Taggable::UserKey(user, key) => args.set("user", user).set("userkey", key),
        }
    }

    /// Whether [`Taggable::resolved`] has to send a request.
    pub fn needs_lookup(&self) -> bool {
        match self {
            // The operation's own parameter does not say which noun it is.
            Taggable::One(name, id) => {
                self.is_glob() || role_tags::by_name(name).is_some_and(|noun| resolve::needs_lookup(noun, id))
            }
            _ => resolve::is_needed(&CLOUDAPI, self.op(), &self.args()),
        }
    }

    /// Whether it is a pattern of several of a collection: a glob, or a range of names.
    pub fn is_glob(&self) -> bool {
        let Taggable::One(name, typed) = self else { return false };
        let range = || typed.contains(['{', '}']);
        role_tags::by_name(name).is_some_and(|noun| is_glob(typed) || range() && !noun.has_braces())
    }

    /// Those of its collection whose names fit, with what each is called here; nothing where it is no pattern.
    ///
    /// # Errors
    /// None fits, or one of a range is not there; what is not a range; the list could not be read.
    pub async fn matching(&self, client: &Client) -> Result<Option<Vec<(String, Taggable)>>> {
        let Taggable::One(name, typed) = self else { return Ok(None) };
        let Some(noun) = role_tags::by_name(name).filter(|_| self.is_glob()) else { return Ok(None) };
        let known = Candidates::list(client, noun, &Args::new()).await?.there();
        let range = range::spread(typed, noun.has_braces(), || !known.called(typed).is_empty())?;
        let mut all = Vec::new();
        for typed in range.unwrap_or_else(|| vec![typed.clone()]) {
            let fits = |thing: &&Candidate| glob(&typed, &thing.name) || glob(&typed, &thing.versioned());
            let before = all.len();
            all.extend(known.things.iter().filter(fits).map(|thing| called(name, thing)));
            if all.len() == before {
                return Err(if is_glob(&typed) { known.nothing_like(&typed) } else { known.missing(&typed) });
            }
        }
        Ok(Some(all))
    }

    /// Those of this collection that have these tags.
    ///
    /// # Errors
    /// A usage error for what is no collection of things with tags; the list could not be read.
    pub async fn with_tags(&self, client: &Client, selector: &Selector) -> Result<Option<Vec<(String, Taggable)>>> {
        let Taggable::Collection(name @ "machines") = self else {
            return Err(Error::usage("only machines have tags by which they are chosen").hint("machines -l TAG=VALUE"));
        };
        let Some(noun) = role_tags::by_name(name) else { return Ok(None) };
        let known = Candidates::list(client, noun, &Args::new()).await?.there();
        let fits = |thing: &&Candidate| is_tagged(selector, &thing.row);
        Ok(Some(known.things.iter().filter(fits).map(|thing| called(name, thing)).collect()))
    }

    /// Replaces names with ids.
    ///
    /// # Errors
    /// No object has the name, or several have it; the service refuses.
    pub async fn resolved(self, client: &Client) -> Result<Taggable> {
        Ok(match self {
            Taggable::One(name, typed) => match role_tags::by_name(name) {
                Some(noun) => Taggable::One(name, resolve::id(client, noun, &typed).await?),
                None => Taggable::One(name, typed),
            },
            other => {
                let mut args = other.args();
                resolve::all(client, other.op(), &mut args).await?;
                let text = |name: &str| args.text(name).unwrap_or_default().to_owned();
                match other {
                    Taggable::UserKeys(_) => Taggable::UserKeys(text("user")),
                    Taggable::UserKey(..) => Taggable::UserKey(text("user"), text("userkey")),
                    other => other,
                }
            }
        })
    }

    /// The request that replaces its role tags.
    ///
    /// # Errors
    /// A part of the path cannot be sent.
    pub fn write(&self, client: &Client, roles: &[String]) -> Result<Request> {
        let mut args = self.args();
        args.push("role-tag", Arg::json(&json!(roles).to_string())?);
        client.request(self.op(), &args)
    }

    /// The request that reads its role tags: a HEAD of the object itself.
    ///
    /// # Errors
    /// A part of the path cannot be sent.
    pub fn read(&self, client: &Client) -> Result<Request> {
        Ok(Request { method: reqwest::Method::HEAD, body: None, ..self.write(client, &[])? })
    }
}

/// One of a collection, and what it is called.
fn called(collection: &'static str, thing: &Candidate) -> (String, Taggable) {
    let name = if thing.name.is_empty() { thing.id.clone() } else { thing.versioned() };
    (format!("{collection}/{name}"), Taggable::One(collection, thing.id.clone()))
}

/// A collection by its name or an alias.
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
    fn a_thing_is_named_as_people_say_it_or_by_its_path() {
        let one = |name, id: &str| Taggable::One(name, id.to_owned());
        for (typed, expected) in [
            ("account", Taggable::Account),
            ("/:login", Taggable::Account),
            ("/acme", Taggable::Account),
            ("machines", Taggable::Collection("machines")),
            ("/my/machines", Taggable::Collection("machines")),
            ("services", Taggable::Collection("services")),
            ("machines/web1", one("machines", "web1")),
            ("inst/web1", one("machines", "web1")),
            ("images/base@1/2", one("images", "base@1/2")),
            ("/acme/keys/my%20key", one("keys", "my key")),
            ("keys/my%20key", one("keys", "my%20key")),
            ("users/jill", one("users", "jill")),
            ("users/jill/keys", Taggable::UserKeys("jill".to_owned())),
            ("user/jill/keys/a/b", Taggable::UserKey("jill".to_owned(), "a/b".to_owned())),
        ] {
            assert_eq!(Taggable::parse(typed, "acme").unwrap(), expected, "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_tagged_is_refused() {
        for typed in [
            "",
            "/",
            "volumes",
            "config",
            "machines/",
            "/acme//x",
            "//machines",
            "/other/machines",
            "users/jill/nope",
            "/acme/machines/a/b",
        ] {
            assert!(Taggable::parse(typed, "acme").is_err(), "{typed}");
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
        assert_eq!(Edit::Add.apply(roles(&["dev", "ci"]), &known), roles(&["ops", "dev", "ci"]));
        assert_eq!(Edit::Remove.apply(roles(&["dev", "ci"]), &known), roles(&["ops"]));
        assert_eq!(Edit::Set.apply(roles(&["ci"]), &known), roles(&["ci"]));
        assert_eq!(Edit::Clear.apply(roles(&[]), &known), roles(&[]));
        assert!(same(&known, &roles(&["dev", "ops"])) && !same(&known, &roles(&["dev"])));
    }
}
