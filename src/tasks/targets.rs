//! Which things a command is about: ids, names, globs, selectors, states, ages, and ids from standard input. It
//! looks them up with one list however many there are, shows them, and sends nothing that changes anything.
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
//! use sdc::api::cloudapi::machines::{MACHINE, STOP};
//! use sdc::grammar::selector::Selector;
//! use sdc::tasks::row_filter::RowFilter;
//! use sdc::tasks::targets::{self, Asked, Filter};
//!
//! // By name and glob; each machine counts once.
//! let asked = Asked::named(&MACHINE, ["web*", "web1"]);
//! let targets = targets::resolve(&(), &client, &STOP, asked).await?;
//! assert_eq!(targets.calls.len(), 2);
//!
//! // By tags and state. More than two are refused.
//! let mut rows = RowFilter::default();
//! rows.picks.selector = Some(Selector::parse("role=db,stage!=prod")?);
//! rows.in_states(&MACHINE, vec!["stopped".to_owned()])?;
//! let filter = Filter { rows, max: Some(2), ..Filter::default() };
//! let targets = targets::resolve(&(), &client, &STOP, Asked::matching(&MACHINE, filter)).await?;
//! let about = targets.about(&targets.calls[0]).unwrap();
//! assert_eq!((&*about.name, &*about.state), ("db1", "stopped"));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt;
use serde_json::value::RawValue;

use super::Report;
use super::about::About;
pub use super::asked::{ALL, Asked, Filter, MAX_TARGETS, STDIN};
use super::call::{Call, described};
use super::left_out;
use super::meant;
use super::near;
use super::picks::Newest;
use super::resolve::{self, Candidate, Candidates};
use super::words::{brief, plural};
use crate::answer::{Row, scan};
use crate::api::{Goal, Noun, Op, Service, Shape};
use crate::client::Client;
use crate::error::{CommandLine, Error, Kind, Result, Target};
use crate::grammar::{range, selector};
use crate::request::{Arg as Value, Args};

/// How many are worked on at once unless told otherwise.
pub const PARALLEL: usize = 8;
/// With more names than this the list is asked for once, instead of once a name.
const LOOKUP_THRESHOLD: usize = 3;

/// The targets, resolved.
#[derive(Default)]
pub struct Targets {
    /// One call each.
    pub calls: Vec<Call>,
    /// What went wrong with those that are not among them; to be reported by whoever asked.
    pub failures: Vec<Error>,
    /// Whether they were chosen by more than their names, so that nobody has read all of them.
    pub picked: bool,
    /// Whether an array is due, be there one or none.
    pub several: bool,
    /// Whether ids came from standard input, which tell people nothing.
    pub from_stdin: bool,
    /// What is known of them, by their ids.
    pub known: HashMap<String, About>,
    /// What was named and is there, and is none of them for what else was asked for; and each glob that fits anything.
    pub unfit: Vec<String>,
}

impl Targets {
    /// Returns what is known of the target of a call.
    pub fn about(&self, call: &Call) -> Option<&About> {
        self.known.get(&call.key()?)
    }

    /// One that was typed and is not among them: of several its error is kept, and a single one has nothing else.
    fn missed(&mut self, report: &dyn Report, asked: &Asked, target: &Noun, of: (&str, Error)) -> Result<()> {
        let (typed, error) = of;
        if error.kind() == Kind::NotFound && asked.filter.ignore_missing {
            report.say(&format!("{}: not there", described(&asked.call(typed))));
            return Ok(());
        }
        let error = if asked.listed.contains(typed) { near::of_input(error, typed) } else { error };
        let error = error.on(Target { noun: target.word, id: None, name: typed.to_owned() });
        if !self.several {
            return Err(error);
        }
        self.failures.push(error);
        Ok(())
    }
}

/// A row of a part, with what it is a part of beside its own members: `"machine":{"id":…,"name":…}`. One that has such a
/// member stays as it is.
pub fn with_owner(row: Row<'_>, call: &Call, about: Option<&About>) -> Box<RawValue> {
    let about = about.filter(|_| call.parents.is_empty());
    let owned = call.owner().and_then(|(param, typed, id)| {
        let rest = row.json().trim_start().strip_prefix('{')?;
        if scan::member(row.json(), param).is_some() {
            return None;
        }
        let name = about.map(|about| about.name.as_str()).filter(|name| !name.is_empty());
        let name = name.or(Some(typed).filter(|typed| !typed.eq_ignore_ascii_case(id)));
        let owner = serde_json::json!({ "id": id, "name": name });
        let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
        RawValue::from_string(format!("{{\"{param}\":{owner}{comma}{rest}")).ok()
    });
    owned.unwrap_or_else(|| row.0.to_owned())
}

impl Asked {
    /// The ids of the newest, which are left alone: of those that are named and fit, however old they are.
    fn kept<'a>(&self, known: Option<&'a Candidates>, target: &Noun) -> Vec<&'a str> {
        let Some((count, known)) = self.filter.keep.zip(known) else { return Vec::new() };
        let named = |thing: &Candidate| {
            let is = |typed: &String| {
                let glob = self.is_glob(typed) && known.called(typed).is_empty();
                let found = || self.find(known, typed, false).is_ok_and(|found| found.id == thing.id);
                if glob { selector::glob(typed, &thing.name) } else { found() }
            };
            !self.named || self.typed.iter().any(is)
        };
        let fits = |thing: &&Candidate| named(thing) && self.filter.rows.fits_at_any_age(&thing.row);
        let newest = Newest::of(target, count).among(known.things.iter().filter(fits).map(|thing| &*thing.row));
        let is_kept = |thing: &&Candidate| newest.contains(&std::ptr::from_ref(&*thing.row));
        known.things.iter().filter(is_kept).map(|thing| thing.id.as_str()).collect()
    }

    /// Tells of what failed and is like what is deleted, and stays.
    async fn tell_failed(
        &self,
        report: &dyn Report,
        client: &Client,
        op: &Op,
        known: Option<&Candidates>,
        found: &[Call],
    ) {
        let deletes = matches!(op.goal, Some((Goal::Gone, _))) && !self.filter.rows.picks.whole;
        let globs: Vec<&String> = self.typed.iter().filter(|typed| self.is_glob(typed)).collect();
        let Some(known) = known.filter(|known| deletes && known.noun.whole().is_some()) else { return };
        if globs.is_empty() && self.named {
            return;
        }
        let named = |thing: &Candidate| globs.iter().any(|glob| selector::glob(glob, &thing.name));
        let meant = |thing: &Candidate| (!self.named || named(thing)) && self.filter.rows.fits(&thing.row);
        let found: HashSet<&str> = found.iter().filter_map(Call::id).collect();
        let is_found = |thing: &Candidate| found.contains(thing.id.as_str());
        let above = known.lister.strip_suffix(known.noun.list.verb).unwrap_or_default();
        let command = CommandLine::of(&format!("{above}{}", op.verb));
        left_out::tell_failed(report, client, known, (op, &self.args), command, |thing| {
            meant(thing) && !is_found(thing)
        })
        .await;
    }

    /// Whether a resource that was picked may have a part of this name, as far as its own row shows: tags and metadata
    /// stand in it.
    fn may_have(&self, service: &Service, owner: &Candidate, name: &str) -> bool {
        let Some(noun) = self.param.and_then(|param| service.noun(param)) else { return true };
        let group = noun.list.path.rsplit('/').next().unwrap_or_default();
        let parts = || scan::at(owner.row.get(), &[group]).is_some_and(|parts| parts.starts_with('{'));
        noun.list.shape != Shape::Map || !parts() || scan::at(owner.row.get(), &[group, name]).is_some()
    }

    /// Of several resources, each need not have what fits a glob, and where they were picked what is named of them
    /// either: it is missing where none has it.
    fn in_none(&self, all: &mut Targets, owner: &Noun, part: Option<&Noun>, picked: bool) {
        let word = part.map_or("target", |part| part.word);
        let all_are_names = part.is_some_and(|part| part.list.shape == Shape::Map);
        let of = |error: &Error, name: &str| {
            error.kind() == Kind::NotFound && error.target().is_some_and(|target| target.name == name)
        };
        let whole = all.failures.is_empty();
        // Tags and metadata go by their names alone.
        let is_glob = |name: &str| !all_are_names && self.is_glob(name);
        let counts = |name: &&String| if is_glob(name) { whole && *name != ALL } else { picked };
        for name in self.typed.iter().filter(counts) {
            all.failures.retain(|error| !of(error, name));
            if self.filter.ignore_missing
                || all.unfit.contains(name)
                || all.calls.iter().any(|call| call.target.as_ref().is_some_and(|(_, typed)| typed == name))
            {
                continue;
            }
            let is = if is_glob(name) { "that matches" } else { "named" };
            let words = format!("none of the {} has a {word} {is} '{}'", plural(owner.word), brief(name));
            let target = Target { noun: owner.word, id: None, name: name.clone() };
            all.failures.push(Error::new(Kind::NotFound, words).on(target));
        }
    }
}

/// Looks the targets up, and says which they are where more than their names chose them.
///
/// # Errors
/// The list cannot be read; too many; a single one that is not there.
pub async fn resolve(report: &dyn Report, client: &Client, op: &'static Op, asked: Asked) -> Result<Targets> {
    let globbed = |(param, text): &(&'static str, String)| {
        let noun = client.service().noun(param).filter(|noun| noun.list.shape == Shape::Rows)?;
        let several = selector::is_glob(text) || range::names(text).transpose().is_some() && !noun.has_braces();
        (several && noun.list.path_params().count() == 0).then_some((noun, text.clone()))
    };
    let listed = |(param, text): &(&'static str, String)| {
        let noun = client.service().noun(param).filter(|noun| noun.list.shape == Shape::Rows)?;
        (text == STDIN).then_some((noun, text.clone()))
    };
    match asked.parents.first().and_then(|parent| globbed(parent).or_else(|| listed(parent))) {
        Some((noun, glob)) => of_each(report, client, op, asked, noun, &glob).await,
        None => of_one(report, client, op, asked).await,
    }
}

/// So many resources are asked for their parts at once.
const AT_ONCE: usize = 8;

/// The targets that are parts of all resources whose names fit a glob.
async fn of_each(
    report: &dyn Report,
    client: &Client,
    op: &'static Op,
    mut asked: Asked,
    noun: &'static Noun,
    glob: &str,
) -> Result<Targets> {
    asked.owners.settle(client, &Args::new()).await?;
    let above = Candidates::list_for(client, noun, &Args::new(), Some((op, &asked.args))).await?;
    let range = match glob {
        STDIN => None,
        _ => range::spread(glob, noun.has_braces(), || !above.called(glob).is_empty())?,
    };
    let picked = range.is_none();
    let mut all = Targets { picked, several: true, from_stdin: asked.from_stdin, ..Targets::default() };
    let fits = |thing: &&Candidate| selector::glob(glob, &thing.name) && asked.owners.fits(&thing.row);
    let mut fitting: Vec<&Candidate> = Vec::new();
    if glob == STDIN {
        all.from_stdin = true;
        for name in &asked.owner_names {
            match above.find_any(name, op.asks) {
                Ok(thing) => fitting.push(thing),
                Err(error) => {
                    let target = Target { noun: noun.word, id: None, name: name.clone() };
                    all.failures.push(near::of_input(error, name).on(target));
                }
            }
        }
    } else if let Some(names) = &range {
        asked.filter.allows(names.len(), noun.word)?;
        fitting = ranged(report, &above, (op, &asked), names, &mut all.failures);
    } else {
        meant::no_owner_named(client.service(), &asked, &above, noun)?;
        fitting.extend(above.things.iter().filter(fits));
        meant::no_conditions(client.service(), op, &asked, noun, &fitting)?;
    }
    let all_of_none = glob == ALL && above.is_empty();
    if fitting.is_empty() && (glob == STDIN || all_of_none || !asked.owners.is_empty()) {
        meant::no_selector(&asked.owners, &above, noun)?;
        asked.owners.tell_unseen(report, above.things.len());
        report.say(&format!("no {} matches: nothing to do", noun.word));
    } else if fitting.is_empty() && range.is_none() {
        return Err(above.nothing_like(glob));
    }
    let any = !fitting.is_empty();
    let of_parts = asked.param.and_then(|param| client.service().noun(param));
    if let Some(part) = of_parts {
        asked.spread(part, None)?;
    }
    let word = of_parts.map_or("target", |noun| noun.word);
    let part = |thing: &Candidate| {
        let mut part = asked.clone();
        if op.asks {
            part.typed.retain(|name| asked.may_have(client.service(), thing, name));
        }
        part.args.push(noun.name, Value::Text(thing.id.clone()));
        if let Some((_, name)) = part.parents.first_mut() {
            name.clone_from(&thing.name);
        }
        // The sum of them is what is bounded, and what is told.
        (part.filter.shown, part.part_of_many) = (true, true);
        part
    };
    let resolved: Vec<(Result<Targets>, String)> = futures_util::stream::iter(fitting)
        .map(|thing| (part(thing), thing))
        .filter(|(part, _)| std::future::ready(asked.typed.is_empty() || !part.typed.is_empty()))
        .map(|(part, thing)| async { (of_one(report, client, op, part).await, thing.name.clone()) })
        .buffered(AT_ONCE)
        .collect()
        .await;
    for (part, name) in resolved {
        let part = match part {
            Ok(part) => part,
            Err(error) => {
                let target = Target { noun: noun.word, id: None, name: name.clone() };
                all.failures.push(error.about(&format!("{} {name}", noun.word)).on(target));
                continue;
            }
        };
        all.picked |= part.picked;
        all.calls.extend(part.calls);
        let about = format!("{} {name}", noun.word);
        all.failures.extend(part.failures.into_iter().map(|error| error.about(&about)));
        all.known.extend(part.known);
        all.unfit.extend(part.unfit);
    }
    if any {
        asked.in_none(&mut all, noun, of_parts, glob != STDIN && op.asks);
    }
    asked.filter.allows(all.calls.len(), word)?;
    if all.calls.is_empty() && all.failures.is_empty() && any {
        report.say(&format!("no {word} matches: nothing to do"));
    }
    Ok(all)
}

/// Those of a range of names, each of which may be a glob; what is not there is a failure or told.
fn ranged<'k>(
    report: &dyn Report,
    known: &'k Candidates,
    (op, asked): (&Op, &Asked),
    names: &[String],
    failures: &mut Vec<Error>,
) -> Vec<&'k Candidate> {
    let mut found: Vec<&Candidate> = Vec::new();
    let mut add = |thing: &'k Candidate| {
        if asked.owners.fits(&thing.row) && found.iter().all(|known| known.id != thing.id) {
            found.push(thing);
        }
    };
    for name in names {
        let is_glob = selector::is_glob(name);
        let error = match known.of_range(name, op.asks) {
            Ok(thing) => {
                add(thing);
                continue;
            }
            Err(_) if is_glob => {
                let mut like = known.things.iter().filter(|thing| selector::glob(name, &thing.name)).peekable();
                if like.peek().is_some() {
                    like.for_each(&mut add);
                    continue;
                }
                known.nothing_like(name)
            }
            Err(error) => error,
        };
        match error.kind() {
            Kind::NotFound if asked.filter.ignore_missing => {
                report.say(&format!("{} {name}: not there", known.noun.word))
            }
            _ => failures.push(error.on(Target { noun: known.noun.word, id: None, name: name.clone() })),
        }
    }
    found
}

/// The targets of one place.
async fn of_one(report: &dyn Report, client: &Client, op: &'static Op, mut asked: Asked) -> Result<Targets> {
    let mut targets = Targets { from_stdin: asked.from_stdin, ..Targets::default() };
    let target = asked.param.and_then(|param| client.service().noun(param));
    // What all have in common is looked up once.
    resolve::path(client, op, &mut asked.args).await?;
    resolve::fields(client, op, &mut asked.args).await?;
    let Some(target) = target else {
        targets.calls.push(asked.call(asked.typed.first().map_or("", String::as_str)));
        return Ok(targets);
    };
    let globs =
        op.takes_globs() && target.list.shape == Shape::Rows && asked.typed.iter().any(|text| asked.is_glob(text));
    let ranges = op.takes_globs() && asked.typed.iter().any(|text| asked.is_range(target, text));
    let filters = !asked.filter.is_empty();
    targets.picked = globs || filters || asked.from_stdin;
    targets.several = targets.picked || asked.typed.len() > 1 || asked.part_of_many;
    let lookups = asked.typed.iter().filter(|text| resolve::needs_lookup(target, text)).count();
    asked.filter.settle(client, target, asked.named).await?;
    let looks = globs || ranges || filters || lookups > LOOKUP_THRESHOLD || asked.part_of_many && op.asks;
    let known = match target.list.shape == Shape::Rows && looks {
        true => Some(list(client, op, target, &asked).await?),
        false => None,
    };
    if let Some(known) = &known {
        targets.several |= ranges && asked.spread(target, Some(known))?;
        meant::check(client, op, &asked, known, target).await?;
    }
    let mut found = Vec::new();
    let mut about: HashMap<String, About> = HashMap::new();
    let kept = asked.kept(known.as_ref(), target);
    let fits = |thing: &Candidate| asked.filter.rows.fits(&thing.row) && !kept.contains(&thing.id.as_str());
    let mut seen: HashSet<String> = HashSet::new();
    let mut add = |call: Call, row: Option<&Candidate>| {
        // A name and its id mean the same thing, which is acted on once.
        if call.id().is_none_or(|id| seen.insert(id.to_owned())) {
            if let (Some(key), Some(thing)) = (call.key(), row) {
                about.insert(key, About::of(thing));
            }
            found.push(call);
        }
    };
    let of = |thing: &Candidate| {
        let mut call = asked.call(if thing.name.is_empty() { &thing.id } else { &thing.name });
        call.args.push(target.name, Value::Text(thing.id.clone()));
        call
    };
    if !asked.named
        && let Some(known) = &known
    {
        known.things.iter().filter(|thing| fits(thing)).for_each(|thing| add(of(thing), Some(thing)));
    }
    let is_sought = |typed: &String| {
        filters || asked.part_of_many || asked.of_ranges.contains(typed) || resolve::needs_lookup(target, typed)
    };
    for typed in &asked.typed {
        let outcome = match &known {
            Some(known) if globs && asked.is_glob(typed) && known.called(typed).is_empty() => {
                let named = |thing: &&Candidate| selector::glob(typed, &thing.name);
                let these: Vec<&Candidate> = known.things.iter().filter(named).collect();
                let is_no_fault = !these.is_empty() || asked.part_of_many || typed == ALL && known.is_empty();
                if !these.is_empty() {
                    targets.unfit.push(typed.clone());
                }
                these.into_iter().filter(|thing| fits(thing)).for_each(|thing| add(of(thing), Some(thing)));
                match is_no_fault {
                    true => Ok(()),
                    false => Err(left_out::nothing_like(client, known, &asked.args, typed).await),
                }
            }
            Some(known) if is_sought(typed) => match named(client, (op, &asked), known, typed, !filters).await {
                Ok((_, Some(thing))) if !fits(thing) => {
                    targets.unfit.push(typed.clone());
                    Ok(())
                }
                found => found.map(|(call, thing)| add(call, thing)),
            },
            known => {
                let mut call = asked.call(typed);
                let thing = known.as_ref().and_then(|known| known.with_id(typed));
                resolve::path(client, op, &mut call.args).await.map(|()| add(call, thing))
            }
        };
        if let Err(error) = outcome {
            targets.missed(report, &asked, target, (typed, error))?;
        }
    }
    if let Some(known) = &known {
        asked.filter.rows.tell_unlike(report, known.rows(), found.is_empty() && !asked.part_of_many);
    }
    let whole = known.as_ref().filter(|_| targets.failures.is_empty());
    asked.tell_failed(report, client, op, whole, &found).await;
    (targets.calls, targets.known) = (found, about);
    counted(report, &asked, target, targets)
}

/// What was named so in the list, or, where nothing else is asked for, among those that the list leaves out.
async fn named<'k>(
    client: &Client,
    (op, asked): (&Op, &Asked),
    known: &'k Candidates,
    typed: &str,
    is_all: bool,
) -> Result<(Call, Option<&'k Candidate>)> {
    let mut call = asked.call(typed);
    let found = match asked.find(known, typed, op.asks) {
        Err(error) => known.on(client, typed, error).await,
        found => found,
    };
    match found {
        Ok(thing) => {
            call.args.push(known.noun.name, Value::Text(thing.id.clone()));
            Ok((call, Some(thing)))
        }
        // The list need not have those that failed.
        Err(error) if error.kind() == Kind::NotFound && is_all && !asked.part_of_many => {
            match asked.of_ranges.contains(typed) {
                true => resolve::path_of_range(client, op, &mut call.args, (known.noun, typed), error).await?,
                false => resolve::path(client, op, &mut call.args).await?,
            }
            Ok((call, None))
        }
        Err(error) => Err(error),
    }
}

/// The same, if they are not more than are allowed. That there are none is told.
fn counted(report: &dyn Report, asked: &Asked, target: &Noun, targets: Targets) -> Result<Targets> {
    let many = targets.calls.len();
    asked.filter.allows(many, target.word)?;
    if targets.picked && many == 0 && targets.failures.is_empty() && !asked.part_of_many {
        report.say(&format!("no {} matches: nothing to do", target.word));
    }
    Ok(targets)
}

/// These things of a list as targets: shown, and no more than are allowed.
///
/// # Errors
/// A usage error for too many.
pub fn chosen(report: &dyn Report, target: &'static Noun, filter: &Filter, things: &[&Candidate]) -> Result<Targets> {
    filter.allows(things.len(), target.word)?;
    let call =
        |thing: &&Candidate| Call::on(target, &thing.id, if thing.name.is_empty() { &thing.id } else { &thing.name });
    let calls: Vec<Call> = things.iter().map(call).collect();
    let known = things.iter().map(|thing| (thing.id.clone(), About::of(thing))).collect();
    if calls.is_empty() {
        report.say(&format!("no {} matches: nothing to do", target.word));
    }
    Ok(Targets { calls, picked: true, several: true, known, ..Targets::default() })
}

/// The list in which all of them are. What it hides for its state is meant by an id, a name, or `--state` alone: nobody
/// destroys what `list` does not show.
async fn list(client: &Client, op: &Op, target: &'static Noun, asked: &Asked) -> Result<Candidates> {
    let mut place = resolve::place(target, &asked.args);
    if let Some((name, value)) = target.whole().filter(|_| asked.filter.rows.picks.whole) {
        place.push(name, Value::Text(value.to_owned()));
    }
    for (name, value) in asked.filter.query.iter() {
        place.push(name, value.clone());
    }
    Candidates::list_for(client, target, &place, Some((op, &asked.args))).await
}
