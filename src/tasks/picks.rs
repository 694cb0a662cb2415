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

use serde_json::value::RawValue;

use super::column_filter::values;
use super::resolve;
use crate::answer::{Row, scan};
use crate::api::{Ids, Noun, Owner, Pick, Shape, Users};
use crate::client::Client;
use crate::error::Result;
use crate::grammar::net;
use crate::grammar::selector::{Selector, glob, is_glob};
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
}

#[derive(Clone)]
struct Name {
    typed: String,
    glob: bool,
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
    /// What is referred to, once it was looked up.
    used: HashSet<String>,
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

    /// Which of these rows are the newest. One that does not say when it was made is not known to be old, and one that
    /// has failed is none to keep.
    pub fn among<'a>(&self, rows: impl Iterator<Item = &'a RawValue>) -> HashSet<*const RawValue> {
        let text = |row: &RawValue, field: &str| Row(row).text(&format!("/{field}")).map(|text| text.into_owned());
        let failed = |row: &&RawValue| text(row, "state").is_some_and(|state| self.failed.contains(&&*state));
        let mut rows: Vec<&RawValue> = rows.filter(|row| !failed(row)).collect();
        rows.sort_by_cached_key(|row| {
            let made = text(row, self.made);
            std::cmp::Reverse((made.is_none(), made))
        });
        let name = |row: &RawValue| self.of_each.and_then(|name| text(row, name));
        let mut kept: HashMap<Option<String>, usize> = HashMap::new();
        let is_kept = |row: &&RawValue| {
            let count = kept.entry(name(row)).or_default();
            *count += 1;
            *count <= self.count
        };
        rows.into_iter().filter(is_kept).map(std::ptr::from_ref).collect()
    }
}

impl Unused {
    /// Whether nothing uses a row.
    fn fits(&self, row: &RawValue) -> bool {
        match self.users {
            Users::Rows(..) => {
                let used = |field: &str| self.used.contains(&*Row(row).text(&format!("/{field}")).unwrap_or_default());
                !used(self.noun.key) && !used(self.noun.name_field)
            }
            Users::Field(field) => {
                let mut found = Vec::new();
                let row = serde_json::from_str(row.get()).unwrap_or_default();
                values(&row, &[field.to_owned()], &mut found);
                found.is_empty()
            }
        }
    }
}

impl Picks {
    /// Only those of these names, ids and globs. What standard input `listed` is taken literally.
    pub fn of_names(&mut self, noun: &'static Noun, typed: Vec<String>, listed: &HashSet<String>) {
        let name =
            |typed: String| Name { glob: is_glob(&typed) && !listed.contains(&typed), typed, found: Cell::new(false) };
        self.names = Some(Names { noun, all: typed.into_iter().map(name).collect() });
    }

    /// Only what the account owns.
    pub fn of_mine(&mut self, noun: &Noun) {
        self.mine = noun.owner.map(|owner| Mine { owner, account: None });
    }

    /// Only what nothing of the account uses.
    pub fn of_unused(&mut self, noun: &'static Noun) {
        self.unused = noun.users.map(|users| Unused { noun, users, used: HashSet::new() });
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
        self.mine.as_ref().is_some_and(|mine| matches!(mine.owner, Owner::Account(_)))
            || self.unused.as_ref().is_some_and(|unused| matches!(unused.users, Users::Rows(..)))
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
        if let Some(Unused { users: Users::Rows(list, field), used, .. }) = &mut self.unused {
            let path = [(*field).to_owned()];
            let mut found = Vec::new();
            for row in client.call(list, &Args::new()).await?.rows() {
                let row = serde_json::from_str(row.json()).unwrap_or_default();
                values(&row, &path, &mut found);
            }
            used.extend(found);
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
        // A list that shows no tags cannot prove that a tag is absent.
        let tagged = self.selector.as_ref().is_none_or(|selector| {
            let tags = scan::member(row.get(), "tags").filter(|tags| tags.starts_with('{'));
            tags.is_some_and(|tags| selector.fits(|name| tag(tags, name)))
        });
        let own = self.mine.as_ref().is_none_or(|mine| match mine.owner {
            Owner::Operator(field) => text(field) != "true",
            Owner::Account(field) => mine.account.as_ref().is_some_and(|account| text(field) == *account),
        });
        self.names.as_ref().is_none_or(|names| names.fit(&text)) && tagged && own
    }

    /// Whether several things may be meant by the names.
    pub fn has_several_names(&self) -> bool {
        self.names.as_ref().is_some_and(|names| names.all.len() > 1)
    }

    /// Whether a row has one of these names or ids.
    pub(super) fn are_names_of(&self, typed: &[String], row: &RawValue) -> bool {
        let text = |field: &str| Row(row).text(&format!("/{field}")).unwrap_or_default().into_owned();
        self.names.as_ref().is_some_and(|names| typed.iter().any(|typed| names.is(typed, &text)))
    }

    /// The names that no row had.
    pub fn unseen(&self) -> impl Iterator<Item = (&'static Noun, &str, bool)> {
        self.names.iter().flat_map(|names| {
            let unseen = names.all.iter().filter(|name| !name.found.get());
            unseen.map(|name| (names.noun, name.typed.as_str(), name.glob))
        })
    }
}

impl Names {
    fn fit(&self, text: &impl Fn(&str) -> String) -> bool {
        let name = text(self.noun.name_field);
        let mut any = false;
        for one in &self.all {
            // All are marked: a row may be meant by several.
            if self.is(&one.typed, text) || one.glob && glob(&one.typed, &name) {
                one.found.set(true);
                any = true;
            }
        }
        any
    }

    /// Whether this is a name or an id of a row.
    fn is(&self, typed: &str, text: &impl Fn(&str) -> String) -> bool {
        let noun = self.noun;
        let (mut id, name) = (text(noun.key), text(noun.name_field));
        if noun.ids == Ids::Mac {
            id = net::mac(&id).unwrap_or(id);
        }
        let version = noun.version_field.map(text).unwrap_or_default();
        let print = if noun.ids == Ids::Key { text("fingerprint") } else { String::new() };
        let short = noun.ids == Ids::Uuid && resolve::begins_id(typed);
        let mac = noun.ids == Ids::Mac && net::mac(typed).is_ok_and(|typed| typed == id);
        let versioned = || typed.strip_prefix(&*name).and_then(|rest| rest.strip_prefix('@')) == Some(&version);
        name == typed
            || id.eq_ignore_ascii_case(typed)
            || mac
            || !version.is_empty() && !name.is_empty() && versioned()
            || !print.is_empty() && print == typed
            || short && id.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
    }
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
