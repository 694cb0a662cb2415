//! A list of things, in which they are looked for by id, name, version, or the beginning of an id; and the errors of what
//! is not in it or more than once. It resolves nothing that is typed elsewhere.

mod unfound;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use serde_json::value::RawValue;

use self::unfound::ambiguous;
pub(super) use self::unfound::missing;
use super::whose::Whose;
use crate::answer::{Answer, Row, scan};
use crate::api::{Ids, Noun, Op, Owner};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::grammar::net;
use crate::request::Args;
use crate::response::is_said_once;

/// Whose things are meant, if nothing else is said.
const OWN: &str = "this account";
/// States of what nothing can be done to any more.
const GONE: &[&str] = &["deleted", "destroyed"];

/// States of images that were set aside: nobody makes them ready.
const IDLE: &[&str] = &["disabled", "unactivated"];

/// Whether there is still something to be done with what a row shows.
pub(crate) fn is_there(row: Row<'_>) -> bool {
    row.text("/state").is_none_or(|state| !GONE.contains(&&*state))
}

/// Whether a text may be the beginning of a UUID: four characters, of which one is a digit, so that few words are.
pub(super) fn begins_id(text: &str) -> bool {
    let digit = text.len() >= 8 || text.bytes().any(|byte| byte.is_ascii_digit());
    (4..36).contains(&text.len())
        && digit
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// What something is looked up for: an operation, and what it is asked for.
pub type Asking<'a> = (&'a Op, &'a Args);

/// The name, and the version where one is given behind an @.
pub(super) fn named_version<'a>(noun: &Noun, typed: &'a str) -> (&'a str, Option<&'a str>) {
    match noun.version_field.and_then(|_| typed.rsplit_once('@')) {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => (name, Some(version)),
        _ => (typed, None),
    }
}

/// Whether a thing has exactly this name, and the version that is named with it.
fn is_called(noun: &Noun, thing: &Candidate, typed: &str) -> bool {
    let (name, version) = named_version(noun, typed);
    thing.name == name && version.is_none_or(|version| thing.version == version)
}

/// What was typed, as the ids of these things are written.
fn as_id<'t>(noun: &Noun, typed: &'t str) -> Cow<'t, str> {
    match noun.ids {
        Ids::Mac => net::mac(typed).map_or(Cow::Borrowed(typed), Cow::Owned),
        _ => Cow::Borrowed(typed),
    }
}

/// A thing of a list, as far as its names go.
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Its name; empty where it has none.
    pub name: String,
    version: String,
    /// What tells it apart from others of the name: when it was made, and its state.
    about: String,
    published: String,
    /// All that the list says of it.
    pub row: Box<RawValue>,
}

impl Candidate {
    /// As a list or its own record shows it.
    ///
    /// # Errors
    /// It is not JSON, has no id, or says a thing twice.
    pub fn of(noun: &Noun, row: Row<'_>) -> Result<Candidate> {
        is_said_once(row.json())?;
        let text = |field: &str| row.text(&format!("/{field}")).unwrap_or_default().into_owned();
        // Of several owners' things of one name, these tell which is whose.
        let owner = Some(text("owner_uuid")).filter(|owner| !owner.is_empty() && noun.key == "uuid");
        let owner = owner.map(|owner| format!("of {owner}")).unwrap_or_default();
        let about = [text("state"), text("created"), owner].join(" ");
        let id = if noun.ids == Ids::Mac { net::mac(&text(noun.key)).unwrap_or_default() } else { text(noun.key) };
        // A path without an id would be that of the list.
        if id.trim().is_empty() || matches!(&*id, "." | "..") {
            let words = format!("the service answered a {} without a {}", noun.word, noun.key);
            return Err(Error::new(crate::error::Kind::Unreachable, words));
        }
        Ok(Candidate {
            id,
            name: text(noun.name_field),
            version: noun.version_field.map(text).unwrap_or_default(),
            about: about.trim().to_owned(),
            published: noun.newest_by.map(text).unwrap_or_default(),
            row: RawValue::from_string(row.json().to_owned())
                .map_err(|error| Error::other("the list is not JSON").because(error))?,
        })
    }

    /// A value of the list's row as text; nothing for null.
    pub fn text(&self, path: &[&str]) -> Option<Cow<'_, str>> {
        let pointer: String =
            path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
        Row(&self.row).text(&pointer)
    }

    /// Whether a field of the list's row is true.
    fn is_true(&self, field: &str) -> bool {
        self.text(&[field]).is_some_and(|text| text == "true")
    }

    /// `name@version`, where it has a version.
    pub fn versioned(&self) -> String {
        match self.version.as_str() {
            "" => self.name.clone(),
            version => format!("{}@{version}", self.name),
        }
    }

    /// Whether there is still something to be done with it.
    pub fn is_there(&self) -> bool {
        is_there(Row(&self.row))
    }

    /// The tags, `NAME=VALUE`.
    pub fn tags(&self) -> Vec<String> {
        let members = scan::at(self.row.get(), &["tags"]).and_then(scan::members).into_iter().flatten();
        let text = |json| scan::unquote(json).unwrap_or(Cow::Borrowed(json));
        members.map(|(name, value)| format!("{}={}", text(name), text(value))).collect()
    }
}

/// A list of things, in which they are looked for.
pub struct Candidates {
    pub(super) noun: &'static Noun,
    /// The command that lists them.
    pub(super) lister: String,
    /// What can be meant.
    pub things: Vec<Candidate>,
    /// What is in the list and cannot be meant, since others own it.
    others: Vec<Candidate>,
    /// Who must own what is meant, in words.
    owner: String,
    /// The account that asks, where another one may have given a thing the name of one of its own.
    account: Option<String>,
    /// Where in both what is called so is.
    index: OnceLock<Index>,
    other_index: OnceLock<Index>,
    /// How many names were missing so far.
    missed: AtomicUsize,
}

/// The places of things in a list, by their names and their ids.
struct Index {
    names: HashMap<String, Vec<usize>>,
    ids: BTreeMap<String, usize>,
}

impl Index {
    fn of(things: &[Candidate]) -> Index {
        let (mut names, mut ids) = (HashMap::<String, Vec<usize>>::new(), BTreeMap::new());
        for (at, thing) in things.iter().enumerate() {
            names.entry(thing.name.clone()).or_default().push(at);
            ids.entry(thing.id.to_ascii_lowercase()).or_insert(at);
        }
        Index { names, ids }
    }

    fn called(&self, name: &str) -> &[usize] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// Those whose ids begin so, in the order of the list.
    fn beginning(&self, id: &str) -> Vec<usize> {
        let begin = id.to_ascii_lowercase();
        let from = self.ids.range::<str, _>((Bound::Included(begin.as_str()), Bound::Unbounded));
        let mut found: Vec<usize> = from.take_while(|(id, _)| id.starts_with(&begin)).map(|(_, at)| *at).collect();
        found.sort_unstable();
        found
    }
}

impl Candidates {
    /// Asks for the list.
    ///
    /// # Errors
    /// The list cannot be read.
    pub async fn list(client: &Client, noun: &'static Noun, place: &Args) -> Result<Candidates> {
        let answer = client.call(noun.list, &place.clone().usual(noun)).await?;
        let mut known = Candidates::read(client, noun, place, &answer)?;
        if client.service().account.is_some() && known.is_any_doubtful() {
            // Who may not ask who it is goes by what is everybody's.
            known.account = client.account_id().await.ok().map(str::to_owned);
        }
        Ok(known)
    }

    /// The same, of a list that nothing is missing in: for whoever goes by what is not there.
    ///
    /// # Errors
    /// The list cannot be read, or is not the service's own.
    pub async fn whole(client: &Client, noun: &'static Noun, place: &Args) -> Result<Candidates> {
        let answer = client.whole(noun.list, &place.clone().usual(noun)).await?;
        Candidates::read(client, noun, place, &answer)
    }

    fn read(client: &Client, noun: &'static Noun, place: &Args, answer: &Answer) -> Result<Candidates> {
        // The service is not trusted to have left out what it was to leave out.
        let out = place.implies(noun).map_or(&[][..], |usual| usual.without);
        let is_out = |row: Row<'_>| out.contains(&row.text_or_empty(&format!("/{}", noun.state_field)).as_str());
        let things = answer.rows().filter(|row| !is_out(*row)).map(|row| Candidate::of(noun, row));
        let lister = place.command(client.service(), noun.list).to_string();
        Ok(Candidates {
            noun,
            lister,
            things: things.collect::<Result<_>>()?,
            others: Vec::new(),
            owner: OWN.to_owned(),
            account: None,
            index: OnceLock::new(),
            other_index: OnceLock::new(),
            missed: AtomicUsize::new(0),
        })
    }

    /// Whether a name is that of things of several owners, of which not all are everybody's.
    fn is_any_doubtful(&self) -> bool {
        self.noun.shared.is_some_and(|(owner, public)| {
            // The index is made of what is left in the end.
            let doubtful = |at: &Vec<usize>| {
                let named: Vec<&Candidate> = at.iter().filter_map(|at| self.things.get(*at)).collect();
                owners(&named, owner) > 1 && !named.iter().all(|thing| thing.is_true(public))
            };
            Index::of(&self.things).names.values().any(doubtful)
        })
    }

    /// Whether a thing is this account's or everybody's. Others are shown by their owners, under names of their choice:
    /// they must not come in the place of what is nearer.
    fn is_near(&self, thing: &Candidate) -> bool {
        self.noun.shared.is_none_or(|(owner, public)| {
            let own = |account| thing.text(&[owner]).is_some_and(|of| of == account);
            thing.is_true(public) || self.account.as_deref().is_some_and(own)
        })
    }

    /// Asks for the list in which the targets of an operation are: what others own is not among them, unless the
    /// operation is about that too; nor what another account has than the one that the operation is kept to.
    ///
    /// # Errors
    /// The list cannot be read, or nobody says whose these things are.
    pub async fn list_for(
        client: &Client,
        noun: &'static Noun,
        place: &Args,
        asking: Option<Asking<'_>>,
    ) -> Result<Candidates> {
        let mut known = Candidates::list(client, noun, place).await?;
        if let Some(whose) = asking.and_then(|(op, args)| Whose::of(noun, op, args)) {
            known.owner = whose.words();
            (known.things, known.others) = known.things.into_iter().partition(|thing| whose.has(Row(&thing.row)));
            known = known.indexed_anew();
        }
        let Some(owner) = noun.owner.filter(|_| asking.is_some_and(|(op, _)| !op.others)) else { return Ok(known) };
        if known.things.is_empty() {
            return Ok(known);
        }
        let own: Box<dyn Fn(&Candidate) -> bool> = match owner {
            Owner::Operator(field) => Box::new(move |thing| thing.text(&[field]).is_none_or(|text| text != "true")),
            Owner::Account(field) => {
                let account = client.account_id().await.map_err(|error| {
                    let all = super::words::plural(noun.word);
                    error
                        .about(&format!("which {all} are the account's own"))
                        .hint("those that are named by their full ids need no such look")
                })?;
                Box::new(move |thing| thing.text(&[field]).is_some_and(|text| text == account))
            }
        };
        (known.things, known.others) = known.things.into_iter().partition(own);
        Ok(known.indexed_anew())
    }

    /// Their rows, as the list shows them.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &RawValue> {
        self.things.iter().map(|thing| &*thing.row)
    }

    /// The same without those that are gone.
    pub fn there(mut self) -> Candidates {
        self.things.retain(Candidate::is_there);
        self.indexed_anew()
    }

    /// Those that a wait for several may be about: what is there and was not set aside, and what has failed unless
    /// another one has taken its name.
    pub(super) fn waited(self) -> Candidates {
        let known = self.there();
        let failed =
            |thing: &Candidate| thing.text(&["state"]).is_some_and(|state| known.noun.failed.contains(&&*state));
        let idle = |thing: &Candidate| thing.text(&["state"]).is_some_and(|state| IDLE.contains(&&*state));
        let taken = |thing: &Candidate| {
            !thing.name.is_empty()
                && known
                    .index()
                    .called(&thing.name)
                    .iter()
                    .any(|at| known.things.get(*at).is_some_and(|other| !failed(other)))
        };
        let keep = known.things.iter().map(|thing| !(idle(thing) || failed(thing) && taken(thing))).collect();
        known.only(keep)
    }

    /// The same without what is called otherwise: nothing is found in it by its id alone.
    pub(super) fn only_called(self, name: &str) -> Candidates {
        let is = |thing: &Candidate| self.noun.ids != Ids::Uuid || is_called(self.noun, thing, name);
        let keep = self.things.iter().map(is).collect();
        self.only(keep)
    }

    /// Those that are kept, in their order.
    fn only(mut self, keep: Vec<bool>) -> Candidates {
        let mut keep = keep.into_iter();
        self.things.retain(|_| keep.next().unwrap_or_default());
        self.indexed_anew()
    }

    /// The same, once its things are other ones: an index of before would tell one for another.
    fn indexed_anew(mut self) -> Candidates {
        (self.index, self.other_index) = (OnceLock::new(), OnceLock::new());
        self
    }

    /// Whether there is anything of this name, id or glob.
    ///
    /// # Errors
    /// There is nothing, with what is spelled like it.
    pub fn has(&self, typed: &str, is_glob: bool) -> Result<()> {
        let like = || self.things.iter().any(|thing| crate::grammar::selector::glob(typed, &thing.name));
        match (self.with_id(typed), is_glob) {
            (Some(_), _) => Ok(()),
            (None, true) if like() => Ok(()),
            (None, true) => Err(self.nothing_like(typed)),
            (None, false) => match self.find(typed, false) {
                Err(error) if error.kind() == crate::error::Kind::Ambiguous => Ok(()),
                found => found.map(drop),
            },
        }
    }

    /// The one with this id, however its letters are written.
    pub fn with_id(&self, typed: &str) -> Option<&Candidate> {
        let thing = self.things.get(*self.index().ids.get(&typed.to_ascii_lowercase())?)?;
        thing.id.eq_ignore_ascii_case(typed).then_some(thing)
    }

    /// Whether there are none at all, not even those of others.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty() && self.others.is_empty()
    }

    /// Those whose name is exactly this.
    pub fn called(&self, typed: &str) -> Vec<&Candidate> {
        let (name, version) = named_version(self.noun, typed);
        let named = self.index().called(name).iter().filter_map(|at| self.things.get(*at));
        named.filter(|thing| thing.name == name && version.is_none_or(|version| thing.version == version)).collect()
    }

    /// Those whose ids begin so.
    fn beginning(&self, id: &str) -> Vec<&Candidate> {
        let begins = |thing: &&Candidate| thing.id.get(..id.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(id));
        self.index().beginning(id).into_iter().filter_map(|at| self.things.get(at)).filter(begins).collect()
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.things))
    }

    /// The one that is meant: by its exact name, or by the beginning of its id. What is to be destroyed must be
    /// named without a doubt: of several, the newest is not good enough.
    ///
    /// # Errors
    /// Not found, or ambiguous.
    pub fn find(&self, typed: &str, strict: bool) -> Result<&Candidate> {
        let noun = self.noun;
        let mut named = self.standing(typed);
        if named.is_empty() && noun.ids == Ids::Uuid && begins_id(typed) {
            let typed = typed.to_ascii_lowercase();
            return match self.beginning(&typed).as_slice() {
                [one] => Ok(one),
                [] => Err(self.missing(&typed)),
                many => Err(ambiguous(noun, &typed, many)),
            };
        }
        // Whoever names a resource like the short id of another one must not have it taken for that one.
        if !named.is_empty() && noun.ids == Ids::Uuid && begins_id(typed) {
            let many = named.len();
            named.extend(self.beginning(typed).into_iter().filter(|thing| thing.name != typed));
            if named.len() > many {
                return Err(ambiguous(noun, typed, &named));
            }
        }
        self.one_of(named, typed, strict)
    }

    /// The one of a name that nobody typed, since a range stands for it: what begins like an id, or is one, is a name
    /// too. Numbers and addresses people write themselves, so that a range may have them.
    ///
    /// # Errors
    /// As [`Candidates::find`].
    pub fn of_range(&self, name: &str, strict: bool) -> Result<&Candidate> {
        match self.noun.ids {
            Ids::Uuid => self.one_of(self.standing(name), name, strict),
            _ => self.find_any(name, strict),
        }
    }

    /// The one of this id, name, or beginning of an id.
    ///
    /// # Errors
    /// As [`Candidates::find`].
    pub fn find_any(&self, typed: &str, strict: bool) -> Result<&Candidate> {
        let id = as_id(self.noun, typed);
        self.with_id(&id).map_or_else(|| self.find(typed, strict), Ok)
    }

    /// Those of exactly this name. What has failed has not kept its name from others, and what another account shows
    /// does not take the name of what is this account's or everybody's.
    fn standing(&self, typed: &str) -> Vec<&Candidate> {
        let failed =
            |thing: &&Candidate| thing.text(&["state"]).is_some_and(|state| self.noun.failed.contains(&&*state));
        let mut named = self.called(typed);
        if !named.iter().all(failed) {
            named.retain(|thing| !failed(thing));
        }
        if named.iter().any(|thing| self.is_near(thing)) {
            named.retain(|thing| self.is_near(thing));
        }
        named
    }

    fn one_of<'k>(&self, named: Vec<&'k Candidate>, typed: &str, strict: bool) -> Result<&'k Candidate> {
        let noun = self.noun;
        match named.as_slice() {
            [one] => Ok(one),
            [] => Err(self.missing(typed)),
            many if strict || named_version(noun, typed).1.is_some() => Err(ambiguous(noun, typed, many)),
            many if self.are_strange(many) => Err(ambiguous(noun, typed, many)),
            many => newest(noun, many).ok_or_else(|| ambiguous(noun, typed, many)),
        }
    }

    /// Whether these are of several other accounts, of which none is nearer than the others.
    fn are_strange(&self, named: &[&Candidate]) -> bool {
        let several = |(owner, _)| owners(named, owner) > 1;
        self.noun.shared.is_some_and(several) && !named.iter().any(|thing| self.is_near(thing))
    }

    /// The one that belongs to the thing of this name, where it has none of its own: the NIC on a network.
    ///
    /// # Errors
    /// `missing`, where there is no such thing; none belongs to it, or several.
    pub(super) async fn on(&self, client: &Client, typed: &str, missing: Error) -> Result<&Candidate> {
        use crate::error::Kind::NotFound;
        let Some((noun, field)) = self.noun.on.filter(|_| missing.kind() == NotFound) else { return Err(missing) };
        let all = Candidates::list(client, noun, &Args::new()).await?;
        let of = match all.with_id(typed).map_or_else(|| all.find(typed, true), Ok) {
            Err(error) if error.kind() == NotFound => return Err(missing),
            found => found?,
        };
        let is_on = |thing: &&Candidate| thing.text(&[field]).is_some_and(|id| id == of.id);
        let on: Vec<&Candidate> = self.things.iter().filter(is_on).collect();
        match on.as_slice() {
            [one] => Ok(one),
            [] => {
                let words = format!("no {} is on the {} '{}'", self.noun.word, noun.word, super::words::brief(typed));
                Err(Error::new(NotFound, words).hint(Hint::run("list them", CommandLine::of(&self.lister))))
            }
            many => Err(ambiguous(self.noun, typed, many)),
        }
    }

    /// Nothing is called so, or only what others own.
    pub(super) fn missing(&self, typed: &str) -> Error {
        let word = self.noun.word;
        let index = self.other_index.get_or_init(|| Index::of(&self.others));
        let short = if begins_id(typed) { index.beginning(typed) } else { Vec::new() };
        let named = index.called(named_version(self.noun, typed).0).iter().filter_map(|at| self.others.get(*at));
        let mut named = named.filter(|thing| is_called(self.noun, thing, typed));
        match named.next().or_else(|| self.others.get(*short.first()?)) {
            Some(thing) => {
                let words = format!("{} owns no {word} named '{}'", self.owner, super::words::brief(typed));
                let version = if thing.version.is_empty() { String::new() } else { format!("@{}", thing.version) };
                let other = format!("{} {}{version}", thing.id, super::words::brief(&thing.name));
                Error::new(crate::error::Kind::NotFound, words).hint(format!("{other} belongs to another account"))
            }
            None => missing(self, typed),
        }
    }

    /// A glob that fits nothing, or only what others own.
    pub fn nothing_like(&self, typed: &str) -> Error {
        let noun = self.noun;
        let others = self.others.iter().filter(|thing| crate::grammar::selector::glob(typed, &thing.name)).count();
        let (word, typed) = (noun.word, super::words::brief(typed));
        let missing = |words: String| Error::new(crate::error::Kind::NotFound, words);
        match others {
            0 => missing(format!("no {word} matches '{typed}'"))
                .hint(Hint::run("list them", CommandLine::of(&self.lister))),
            many => missing(format!("{} owns no {word} that matches '{typed}'", self.owner))
                .hint(format!("left alone because others own them: {many}")),
        }
    }
}

/// How many owners these have.
fn owners(named: &[&Candidate], field: &str) -> usize {
    named.iter().map(|thing| thing.text(&[field])).collect::<BTreeSet<_>>().len()
}

/// The newest of several that share a name, where the noun says how to tell.
fn newest<'a>(noun: &Noun, found: &[&'a Candidate]) -> Option<&'a Candidate> {
    noun.version_field?;
    let order = |thing: &&Candidate| match noun.newest_by {
        Some(_) => (thing.published.clone(), Vec::new()),
        None => (String::new(), version_order(&thing.version)),
    };
    let best = found.iter().map(order).max()?;
    let mut of_best = found.iter().filter(|thing| order(thing) == best);
    match (of_best.next(), of_best.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Versions by their numbers: 1.10.0 is after 1.9.0.
fn version_order(version: &str) -> Vec<(u64, String)> {
    version.split(['.', '-', '+']).map(|part| (part.parse().unwrap_or(0), part.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::unfound::SUGGESTED;
    use super::*;
    use crate::api::cloudapi::images::IMAGE;
    use crate::api::cloudapi::machines::MACHINE;

    /// Machines m0, m1 and so on, whose ids begin with their numbers.
    fn machines(count: usize) -> Candidates {
        let one = |at: usize| {
            let row = format!(r#"{{"id":"{at:08x}-0000-4000-8000-00000000000A","name":"m{at}"}}"#);
            Candidate::of(&MACHINE, Row(&RawValue::from_string(row).unwrap())).unwrap()
        };
        Candidates {
            noun: &MACHINE,
            lister: "machines list".to_owned(),
            things: (0..count).map(one).collect(),
            others: Vec::new(),
            owner: OWN.to_owned(),
            account: None,
            index: OnceLock::new(),
            other_index: OnceLock::new(),
            missed: AtomicUsize::new(0),
        }
    }

    /// Images of one name, each with its id, owner and day, and whether it is everybody's.
    fn images(rows: &[(&str, &str, u8, bool)]) -> Candidates {
        let one = |(id, owner, day, public): &(&str, &str, u8, bool)| {
            let row = format!(
                r#"{{"id":"{id}","name":"base","version":"1","owner":"{owner}","public":{public},"published_at":"2026-01-0{day}"}}"#
            );
            Candidate::of(&IMAGE, Row(&RawValue::from_string(row).unwrap())).unwrap()
        };
        Candidates { noun: &IMAGE, things: rows.iter().map(one).collect(), ..machines(0) }
    }

    #[test]
    fn what_is_taken_out_of_a_list_leaves_no_index_of_before() {
        let rows = [("aa11", "me", 1, false), ("bb11", "admin", 2, true), ("cc11", "me", 3, false)];
        let known = images(&rows);
        assert!(known.is_any_doubtful());
        let mut known = known;
        assert_eq!(known.with_id("cc11").unwrap().id, "cc11");
        // Even one that was forgotten finds nothing rather than another one.
        (known.things, known.others) = known.things.into_iter().partition(|image| image.is_true("public"));
        assert!(known.with_id("cc11").is_none() && known.beginning("cc11").is_empty());
        assert!(known.indexed_anew().with_id("bb11").is_some());
    }

    #[test]
    fn an_image_that_another_account_shows_does_not_take_the_name_of_a_nearer_one() {
        let found = |account: Option<&str>, typed, rows: &[_]| {
            let known = Candidates { account: account.map(str::to_owned), ..images(rows) };
            assert!(known.is_any_doubtful());
            known.find(typed, false).map(|image| image.id.clone()).map_err(|error| error.kind())
        };
        let all = [("public", "admin", 1, true), ("own", "me", 2, false), ("theirs", "eve", 3, false)];
        assert_eq!(found(Some("me"), "base", &all), Ok("own".to_owned()));
        assert_eq!(found(None, "base", &all), Ok("public".to_owned()));
        assert_eq!(found(Some("me"), "base@1", &all[1..]), Ok("own".to_owned()));
        let of_two = [("hers", "eve", 1, false), ("his", "mallory", 2, false)];
        assert_eq!(found(Some("me"), "base", &of_two), Err(crate::error::Kind::Ambiguous));
        // Of one owner the newest is meant, also of a neighbour: there is no doubt.
        let of_one = images(&[("old", "eve", 1, false), ("new", "eve", 2, false)]);
        assert!(!of_one.is_any_doubtful());
        assert_eq!(of_one.find("base", false).unwrap().id, "new");
    }

    #[test]
    fn what_is_named_is_found_where_it_is_and_not_by_a_look_at_all() {
        let known = machines(300);
        let index = known.index();
        assert_eq!(index.called("m17"), [17]);
        assert!(index.called("m").is_empty());
        assert_eq!(index.beginning("0000001"), (16..32).collect::<Vec<_>>());
        assert_eq!(index.beginning("00000012-"), [18]);
        assert_eq!(known.with_id("0000002a-0000-4000-8000-00000000000a").unwrap().name, "m42");
        assert_eq!(known.find("m42", true).unwrap().name, "m42");
        assert_eq!(known.find("0000002A", true).unwrap().name, "m42");
        assert_eq!(known.find("0000002", true).err().map(|error| error.kind()), Some(crate::error::Kind::Ambiguous));
        assert!(known.of_range("0000002a", true).is_err());
        // What is left out of the list is not found by an index of before.
        let known = known.only_called("m42");
        assert_eq!((known.things.len(), known.called("m42").len(), known.called("m17").len()), (1, 1, 0));
    }

    #[test]
    fn what_is_spelled_like_a_name_is_looked_for_of_the_first_ones_alone() {
        let known = machines(30);
        let suggested = |at: usize| {
            let error = known.find(&format!("m{at}x"), false).err().unwrap();
            error.hints().iter().any(|hint| hint.as_str().starts_with("did you mean"))
        };
        assert_eq!((0..20).filter(|at| suggested(*at)).collect::<Vec<_>>(), (0..SUGGESTED).collect::<Vec<_>>());
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        assert!(version_order("1.10.0") > version_order("1.9.0"));
        assert!(version_order("20.1") > version_order("3.99"));
    }

    #[test]
    fn a_short_id_is_the_beginning_of_a_uuid() {
        for text in ["a5894692", "a5894692-bd32", "A5894692-BD32-4ca1", "a589469"] {
            assert!(begins_id(text), "{text}");
        }
        for text in ["a5894692b", "web-0000", "a5894692-bd32-4ca1-908a-e2dda3c3a5e6"] {
            assert!(!begins_id(text), "{text}");
        }
        for (text, may) in [("a589", true), ("3C1F", true), ("a58", false), ("beef", false), ("beefcafe", true)] {
            assert_eq!(begins_id(text), may, "{text}");
        }
    }
}
