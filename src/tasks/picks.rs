//! What rows are picked by that no single field shows: names and ids, tags, whose they are, whether anything uses them.
//! Lists and actions pick by the same. It prints nothing.
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
//! use sdc::api::cloudapi::images::{IMAGE, LIST};
//! use sdc::request::Args;
//! use sdc::tasks::picks::Picks;
//!
//! // The account's own images that no machine was made from.
//! let mut picks = Picks::default();
//! picks.of_mine(&IMAGE);
//! picks.of_unused(&IMAGE);
//! picks.settle(&client).await?;
//! let images = client.call(&LIST, &Args::new()).await?;
//! assert_eq!(images.rows().filter(|row| picks.fits(row.0)).count(), 0);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use serde_json::Value;
use serde_json::value::RawValue;

use super::resolve;
use super::words::brief;
use crate::answer::{Row, scan};
use crate::api::{Holds, Ids, Noun, Op, Owner, Pick, Shape, Users};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::grammar::selector::{Selector, glob, is_glob};
use crate::grammar::{net, range};
use crate::request::Args;

/// What rows must be like beside their fields.
#[derive(Clone, Default)]
pub struct Picks {
    /// Their tags.
    pub selector: Option<Selector>,
    /// The list must leave out none for its state.
    pub whole: bool,
    names: Option<Names>,
    mine: Option<Mine>,
    unused: Option<Unused>,
}

/// Ids, names and globs of things.
#[derive(Clone)]
struct Names {
    noun: &'static Noun,
    all: Vec<Name>,
    /// The places of those that a row of this very name or id may be meant by.
    exact: HashMap<String, Vec<usize>>,
    /// The places of globs and of beginnings of ids, which are compared with each row.
    others: Vec<usize>,
}

#[derive(Clone)]
pub(super) struct Name {
    pub(super) typed: String,
    pub(super) glob: bool,
    /// The range of which it is one, as it was typed: a row may be called so.
    range: Option<String>,
    found: Cell<bool>,
}

/// Whose things are the account's own.
#[derive(Clone)]
struct Mine {
    owner: Owner,
    /// The account's id, once it was looked up.
    account: Option<String>,
}

/// What nothing refers to.
#[derive(Clone)]
struct Unused {
    noun: &'static Noun,
    users: Users,
    /// The ids and names of what is used, once it was looked up.
    used: HashSet<String>,
    /// The ids of what shows itself that nothing uses it.
    free: HashSet<String>,
}

/// The newest of several, which are left alone or left out.
#[derive(Clone, Copy)]
pub struct Newest {
    /// How many.
    pub count: usize,
    /// The field that says when one was made.
    made: &'static str,
    /// The states of those that are none to keep.
    failed: &'static [&'static str],
    /// The name that several have, of what has versions: so many of each.
    of_each: Option<&'static str>,
}

impl Newest {
    /// So many of these things.
    pub fn of(noun: &Noun, count: usize) -> Newest {
        let made = noun.picks.iter().find_map(|pick| if let Pick::Age(field) = pick { Some(*field) } else { None });
        let of_each = noun.version_field.map(|_| noun.name_field);
        Newest { count, made: made.unwrap_or("created"), failed: noun.failed, of_each }
    }

    /// Which of these rows are the newest. One that does not say when it was made, or what it is called where so many of
    /// each are kept, is not known to be old: it stays, and takes nobody's place. One that has failed is none to keep.
    pub fn among<'a>(&self, rows: impl Iterator<Item = &'a RawValue>) -> HashSet<*const RawValue> {
        let text = |row: &RawValue, field: &str| member(row, field)?.as_str().map(str::to_owned);
        let (mut kept, mut dated) = (HashSet::new(), Vec::new());
        for row in rows {
            let state = scan::member(row.get(), "state").map(|_| text(row, "state"));
            if matches!(&state, Some(Some(state)) if self.failed.contains(&&**state)) {
                continue;
            }
            let made = text(row, self.made).and_then(|made| made.parse::<jiff::Timestamp>().ok());
            match (made, self.of_each.map(|name| text(row, name)), state) {
                (None, ..) | (_, Some(None), _) | (.., Some(None)) => drop(kept.insert(std::ptr::from_ref(row))),
                (Some(made), name, _) => dated.push((made, name.flatten(), row)),
            }
        }
        dated.sort_by_key(|(made, ..)| std::cmp::Reverse(*made));
        let mut counts: HashMap<Option<String>, usize> = HashMap::new();
        for (_, name, row) in dated {
            let count = counts.entry(name).or_default();
            *count += 1;
            if *count <= self.count {
                kept.insert(std::ptr::from_ref(row));
            }
        }
        kept
    }
}

impl Unused {
    /// Whether nothing uses a row, as far as is known for sure.
    fn fits(&self, row: &RawValue) -> bool {
        let text = |field: &str| member(row, field).and_then(|value| value.as_str().map(folded));
        let Some(id) = text(self.noun.key) else { return false };
        match self.users {
            Users::Rows(..) => {
                let name = text(self.noun.name_field);
                !self.used.contains(&id) && name.is_some_and(|name| !self.used.contains(&name))
            }
            Users::Field(_) => self.free.contains(&id),
        }
    }

    /// Looks up what is used. It goes by what is not in a list, so that each row of it must be there and say so.
    async fn settle(&mut self, client: &Client) -> Result<()> {
        let (list, field) = match self.users {
            Users::Rows(list, field) => (list, field),
            Users::Field(field) => (self.noun.list, field),
        };
        let of_ids = |holds| matches!(holds, Holds::Id(_));
        let columns = client.service().columns(list).iter();
        let ids =
            matches!(self.users, Users::Field(_)) || columns.filter(|it| it.field == field).any(|it| of_ids(it.holds));
        for row in client.whole(list, &Args::new()).await?.rows() {
            let found = match (scan::member(row.json(), field), self.users) {
                // Without any it has no such field.
                (None, Users::Field(_)) => Some(Vec::new()),
                _ => references(row.0, field, ids),
            };
            let found = found.ok_or_else(|| unreadable(client, list, row, field))?;
            match self.users {
                Users::Rows(..) => self.used.extend(found),
                Users::Field(_) if found.is_empty() => {
                    self.free.extend(member(row.0, self.noun.key).and_then(|id| id.as_str().map(folded)));
                }
                Users::Field(_) => {}
            }
        }
        Ok(())
    }
}

/// A member of a row by its name, whatever the others are; nothing where it cannot be read.
fn member(row: &RawValue, field: &str) -> Option<Value> {
    serde_json::from_str(scan::member(row.get(), field)?).ok()
}

/// An id as it is compared; names stay as they are.
fn folded(text: &str) -> String {
    if resolve::is_uuid(text) { text.to_ascii_lowercase() } else { text.to_owned() }
}

/// What a field of a row refers to: a text or several, and ids where `ids` says so. Nothing where that cannot be read.
fn references(row: &RawValue, field: &str, ids: bool) -> Option<Vec<String>> {
    let all = match member(row, field)? {
        Value::Array(all) => all,
        Value::String(one) => vec![Value::String(one)],
        _ => return None,
    };
    // An address of no network is null among those of networks.
    let text = |value: &Value| Some(folded(value.as_str().filter(|text| !ids || resolve::is_uuid(text))?));
    all.iter().filter(|value| !value.is_null()).map(text).collect()
}

/// The error for a row that does not say what it uses.
fn unreadable(client: &Client, list: &Op, row: Row<'_>, field: &str) -> Error {
    let noun = client.service().listed_by(list);
    let (word, key) = noun.map_or(("row", "id"), |noun| (noun.word, noun.key));
    let id = row.text_or_empty(&format!("/{key}"));
    let words = format!("{word} {} shows no {field} that can be read, so that nobody knows what is unused", brief(&id));
    Error::new(Kind::Unreachable, words)
}

impl Picks {
    /// Only those of these names, ids and globs. What standard input `listed` is taken literally.
    ///
    /// # Errors
    /// A usage error for what is not a range of names, and for more names than one range may stand for.
    pub fn of_names(&mut self, noun: &'static Noun, typed: Vec<String>, listed: &HashSet<String>) -> Result<()> {
        let mut all = Vec::new();
        for typed in typed {
            let literal = listed.contains(&typed);
            let name = |typed: String, range: Option<String>| {
                let glob = is_glob(&typed) && !literal;
                Name { typed, glob, range, found: Cell::new(false) }
            };
            let range = if literal { None } else { range::spread(&typed, noun.has_braces(), || false)? };
            match range {
                Some(names) => all.extend(names.into_iter().map(|one| name(one, Some(typed.clone())))),
                None => all.push(name(typed, None)),
            }
        }
        if all.len() > range::MAX_LEN {
            return Err(Error::usage(format!("more than {} names", range::MAX_LEN)));
        }
        self.names = Some(Names::of(noun, all));
        Ok(())
    }

    /// Only what the account owns.
    pub fn of_mine(&mut self, noun: &Noun) {
        self.mine = noun.owner.map(|owner| Mine { owner, account: None });
    }

    /// Only what nothing of the account uses.
    pub fn of_unused(&mut self, noun: &'static Noun) {
        self.unused = noun.users.map(|users| Unused { noun, users, used: HashSet::new(), free: HashSet::new() });
    }

    /// Whether everything is picked.
    pub fn is_empty(&self) -> bool {
        !self.has_more() && self.names.is_none()
    }

    /// Whether there is more than names.
    pub fn has_more(&self) -> bool {
        self.selector.is_some() || self.mine.is_some() || self.unused.is_some()
    }

    /// Whether something must be looked up first.
    pub fn asks_the_service(&self) -> bool {
        self.mine.as_ref().is_some_and(|mine| matches!(mine.owner, Owner::Account(_))) || self.unused.is_some()
    }

    /// Looks up what it takes to tell.
    ///
    /// # Errors
    /// A list or the account cannot be read.
    pub async fn settle(&mut self, client: &Client) -> Result<()> {
        if let Some(Mine { owner: Owner::Account(_), account }) = &mut self.mine
            && account.is_none()
        {
            *account = Some(client.account_id().await?.to_owned());
        }
        if let Some(unused) = &mut self.unused {
            unused.settle(client).await?;
        }
        Ok(())
    }

    /// Whether a row is picked.
    pub fn fits(&self, row: &RawValue) -> bool {
        self.fits_used_or_not(row) && self.unused.as_ref().is_none_or(|unused| unused.fits(row))
    }

    /// Whether a row is picked, whatever uses it.
    pub fn fits_used_or_not(&self, row: &RawValue) -> bool {
        let text = |field: &str| Row(row).text(&format!("/{field}")).unwrap_or_default().into_owned();
        let tagged = self.selector.as_ref().is_none_or(|selector| is_tagged(selector, row));
        let own = self.mine.as_ref().is_none_or(|mine| match mine.owner {
            Owner::Operator(field) => matches!(&*text(field), "" | "false"),
            Owner::Account(field) => mine.account.as_ref().is_some_and(|account| text(field) == *account),
        });
        self.names.as_ref().is_none_or(|names| names.fit(&text)) && tagged && own
    }

    /// Whether several things may be meant by the names.
    pub fn has_several_names(&self) -> bool {
        self.names.as_ref().is_some_and(|names| names.all.len() > 1)
    }

    /// Whether a row has one of these names or ids.
    pub(super) fn are_names_of(&self, typed: &HashSet<&str>, row: &RawValue) -> bool {
        let text = |field: &str| Row(row).text(&format!("/{field}")).unwrap_or_default().into_owned();
        let named = |names: &Names| {
            let row = Called::of(names.noun, &text);
            names.likely(&row).any(|one| typed.contains(one.typed.as_str()) && row.is(names.noun, one))
        };
        self.names.as_ref().is_some_and(named)
    }

    /// The names that no row had.
    pub fn unseen(&self) -> impl Iterator<Item = (&'static Noun, &str, bool)> {
        self.unseen_names().map(|(noun, name)| (noun, name.typed.as_str(), name.glob))
    }

    pub(super) fn unseen_names(&self) -> impl Iterator<Item = (&'static Noun, &Name)> {
        self.names.iter().flat_map(|names| {
            let unseen = names.all.iter().filter(|name| !name.found.get());
            unseen.map(|name| (names.noun, name))
        })
    }
}

impl Name {
    /// Whether a range stands for it, so that it is a name alone, where nobody writes ids himself.
    pub(super) fn is_of_range(&self, noun: &Noun) -> bool {
        self.range.is_some() && noun.ids == Ids::Uuid
    }
}

impl Names {
    fn of(noun: &'static Noun, all: Vec<Name>) -> Names {
        let (mut exact, mut others) = (HashMap::<String, Vec<usize>>::new(), Vec::new());
        for (at, one) in all.iter().enumerate() {
            let mac = net::mac(&one.typed).ok().filter(|_| noun.ids == Ids::Mac);
            let mut keys = vec![one.typed.clone(), one.typed.to_ascii_lowercase()];
            // A row may be called as the range is.
            keys.extend(mac.into_iter().chain(one.range.clone()));
            keys.sort_unstable();
            keys.dedup();
            keys.into_iter().for_each(|key| exact.entry(key).or_default().push(at));
            if one.glob || noun.ids == Ids::Uuid && resolve::begins_id(&one.typed) && !one.is_of_range(noun) {
                others.push(at);
            }
        }
        Names { noun, all, exact, others }
    }

    fn fit(&self, text: &impl Fn(&str) -> String) -> bool {
        let row = Called::of(self.noun, text);
        let mut any = false;
        // All are marked: a row may be meant by several.
        for one in self.likely(&row) {
            let called = || one.range.as_deref() == Some(&*row.name);
            if row.is(self.noun, one) || one.glob && glob(&one.typed, &row.name) || called() {
                one.found.set(true);
                any = true;
            }
        }
        any
    }

    /// Those that may be meant by a row: what it is called, and what must be compared with each.
    fn likely(&self, row: &Called) -> impl Iterator<Item = &Name> {
        let versioned = format!("{}@{}", row.name, row.version);
        let keys = [row.name.as_str(), &row.id, &row.id.to_ascii_lowercase(), &versioned, &row.print];
        let exact = keys.into_iter().filter_map(|key| self.exact.get(key)).flatten();
        let mut at: Vec<usize> = exact.chain(&self.others).copied().collect();
        at.sort_unstable();
        at.dedup();
        at.into_iter().filter_map(|at| self.all.get(at))
    }
}

/// What a row is called.
struct Called {
    id: String,
    name: String,
    version: String,
    /// The fingerprint of a key.
    print: String,
}

impl Called {
    fn of(noun: &Noun, text: &impl Fn(&str) -> String) -> Called {
        let id = text(noun.key);
        Called {
            id: if noun.ids == Ids::Mac { net::mac(&id).unwrap_or(id) } else { id },
            name: text(noun.name_field),
            version: noun.version_field.map(text).unwrap_or_default(),
            print: if noun.ids == Ids::Key { text("fingerprint") } else { String::new() },
        }
    }

    /// Whether this is its name or its id.
    fn is(&self, noun: &Noun, one: &Name) -> bool {
        let Called { id, name, version, print } = self;
        let typed = one.typed.as_str();
        let by_id = !one.is_of_range(noun);
        let short = by_id && noun.ids == Ids::Uuid && resolve::begins_id(typed);
        let mac = noun.ids == Ids::Mac && net::mac(typed).is_ok_and(|typed| typed == *id);
        let versioned = || typed.strip_prefix(&**name).and_then(|rest| rest.strip_prefix('@')) == Some(version);
        name == typed
            || by_id && id.eq_ignore_ascii_case(typed)
            || mac
            || !version.is_empty() && !name.is_empty() && versioned()
            || !print.is_empty() && print == typed
            || short && id.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
    }
}

/// The field of a row that holds its tags.
pub(super) const TAGS: &str = "tags";

/// Whether a row has tags that fit. One that shows none cannot prove that a tag is absent.
pub(super) fn is_tagged(selector: &Selector, row: &RawValue) -> bool {
    scan::member(row.get(), TAGS)
        .filter(|tags| scan::members(tags).is_some())
        .is_some_and(|tags| selector.compared().all(|name| is_tag(tags, name)) && selector.fits(|name| tag(tags, name)))
}

/// Whether a tag is there as a text, a number or a boolean, or is not there: anything else cannot be compared.
pub(super) fn is_tag(tags: &str, name: &str) -> bool {
    scan::member(tags, name).is_none_or(|value| !value.starts_with(['{', '[']))
}

/// The value of a tag as text.
fn tag<'a>(tags: &'a str, name: &str) -> Option<std::borrow::Cow<'a, str>> {
    let value = scan::member(tags, name).filter(|value| *value != "null")?;
    Some(scan::unquote(value).unwrap_or(std::borrow::Cow::Borrowed(value)))
}

/// Whether the things of a noun can be named in its list.
pub fn is_nameable(noun: &Noun) -> bool {
    noun.list.shape == Shape::Rows
}
