//! Words that were hardly meant as they are read: a selector or a filter that is a name, a name where a selector stands,
//! a condition among names, a resource among the parts of another. Each is refused with what does it.

use super::asked::{Asked, Filter, STDIN};
use super::near;
use super::resolve::Candidate;
use super::resolve::Candidates;
use super::row_filter::{RowFilter, is_filter};
use super::words::{brief, of_several, plural};
use crate::answer::scan;
use crate::api::{self, Noun, Op, Service, Shape};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::grammar::selector::{self, is_glob};
use crate::request::{Arg as Value, Args};

/// Refuses a selector that is the name of something and fits nothing: another tool's `-l` was meant.
pub(super) fn no_selector(rows: &RowFilter, known: &Candidates, noun: &Noun) -> Result<()> {
    let Some(selector) = &rows.picks.selector else { return Ok(()) };
    let named = |tag: &&str| known.things.iter().any(|thing| thing.name == *tag);
    let Some(name) = selector.bare().find(named) else { return Ok(()) };
    let words =
        format!("'{}' is the name of a {}, and -l selects by tag: no {} has it", brief(name), noun.word, noun.word);
    Err(Error::usage(words).hint("more columns: --long"))
}

/// Refuses what was hardly meant by a filter, a selector, or a name behind others.
///
/// # Errors
/// A usage error with the command that is meant; ambiguous for a filter that is a name, too.
pub(super) async fn check(client: &Client, op: &Op, asked: &Asked, known: &Candidates, target: &Noun) -> Result<()> {
    // Whose parts are meant is settled by then.
    if !asked.part_of_many {
        no_owner_named(client.service(), asked, known, target)?;
    }
    no_name(&asked.filter, known, target)?;
    if known.things.iter().all(|thing| !asked.filter.rows.fits(&thing.row)) {
        no_selector(&asked.filter.rows, known, target)?;
    }
    no_owner(client, op, asked, known).await
}

/// Refuses a filter that is the name of something, too: nobody knows which is meant.
fn no_name(filter: &Filter, known: &Candidates, target: &Noun) -> Result<()> {
    let Some(thing) = known.things.iter().find(|thing| filter.typed.contains(&thing.name)) else { return Ok(()) };
    let words = format!("'{}' is a filter, and the name of a {}", brief(&thing.name), target.word);
    Err(Error::new(Kind::Ambiguous, words).hint(format!("that one alone, by its id: {}", thing.id)))
}

/// Refuses the name of a resource where a selector stands for it: the parts of others would be meant instead.
pub(super) fn no_owner_named(service: &Service, asked: &Asked, known: &Candidates, noun: &Noun) -> Result<()> {
    let Some(word) = asked.in_owners_place.as_deref().filter(|word| *word != STDIN) else { return Ok(()) };
    let target = asked.param.and_then(|param| service.noun(param)).filter(|target| target.name != noun.name);
    let is = |list: &Op| is_filter(service, list, word);
    let like = |thing: &Candidate| selector::glob(word, &thing.name);
    let (word, owner) = (brief(word), noun.word);
    let words = if is(noun.list) && target.is_some_and(|target| !is(target.list)) {
        format!("is a filter of {}", plural(owner))
    } else if selector::is_glob(&word) && known.things.iter().any(like) {
        format!("fits a {owner}")
    } else if !selector::is_glob(&word) && known.has(&word, false).is_ok() {
        format!("is a {owner}")
    } else {
        return Ok(());
    };
    let words = format!("'{word}' {words}, and -l picks {} in its place: give one of the two", plural(owner));
    Err(Error::usage(words).hint(format!("where it is no {owner} that is meant, '*' before it stands for all of them")))
}

/// Refuses conditions among the names of pairs, unless one of the resources has a pair of that very name.
pub(super) fn no_conditions(
    service: &Service,
    op: &Op,
    asked: &Asked,
    owner: &Noun,
    owners: &[&Candidate],
) -> Result<()> {
    let target = asked.param.and_then(|param| service.noun(param)).filter(|noun| noun.list.shape == Shape::Map);
    let Some(target) = target else { return Ok(()) };
    let group = target.list.path.rsplit('/').next().unwrap_or_default();
    let has = |name: &str| owners.iter().any(|thing| scan::at(thing.row.get(), &[group, name]).is_some());
    let is_condition = |word: &str| (word.contains(['=', '<', '>']) || word.contains("!~")) && !has(word);
    let (conditions, names): (Vec<_>, Vec<_>) = asked.typed.iter().partition(|word| is_condition(word));
    let Some(first) = conditions.first() else { return Ok(()) };
    let error = Error::usage(format!("'{}' is a condition, and names are expected here", brief(first)));
    // What is no column of the list is a tag.
    let filter = |word: &&String| match is_filter(service, owner.list, word) {
        true => Some((*word).clone()),
        false => (group == "tags").then(|| format!("tag.{word}")),
    };
    let Some(filters) = conditions.iter().map(filter).collect::<Option<Vec<String>>>() else { return Err(error) };
    let name = |word: &&String| word.split(['=', '<', '>', '!']).next().unwrap_or_default().to_owned();
    let names: Vec<String> =
        if names.is_empty() { conditions.iter().map(name).collect() } else { names.into_iter().cloned().collect() };
    Err(error.hint(piped(service, op, owner, &filters, &names)))
}

/// How a command is given the resources that filters pick.
fn piped(service: &Service, op: &Op, owner: &Noun, filters: &[String], words: &[String]) -> Hint {
    let all = CommandLine::of(&service.command(owner.list)).on_all(filters).with("-o ids");
    let command = CommandLine::of(&api::words(op)).on("-").on_all(words);
    Hint::run(format!("on the {} that fit", plural(owner.word)), all).then(" | ").then_run(command)
}

/// The error for pairs that would be set on all that was picked, and are filters of their list: these pick nothing here.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only commands ask"))]
pub fn filters_set(service: &Service, op: &Op, pairs: &Args, picked: Option<usize>) -> Option<Error> {
    let many = picked.filter(|many| *many > 1)?;
    let owner = op.path_params().last().and_then(|param| service.noun(param))?;
    let (mut filters, mut others) = (Vec::new(), Vec::new());
    for (name, value) in pairs.iter().filter(|(name, _)| op.path_params().all(|param| param != *name)) {
        let (sign, value) = match value {
            Value::Text(text) => ("=", text.as_str()),
            Value::Json(json) => (":=", json.get()),
        };
        let filter = format!("{name}={value}");
        if is_filter(service, owner.list, &filter) {
            filters.push(filter)
        } else {
            others.push(format!("{name}{sign}{value}"))
        }
    }
    filters.first()?;
    let group = op.path.rsplit('/').next().unwrap_or_default();
    let is = if filters.len() == 1 { "is a filter" } else { "are filters" };
    let words = format!(
        "{} would be set as {group} of {many} {}, and {is} of their list",
        filters.iter().map(|filter| brief(filter)).collect::<Vec<_>>().join(" and "),
        plural(owner.word)
    );
    let error = Error::usage(words);
    Some(if others.is_empty() { error } else { error.hint(piped(service, op, owner, &filters, &others)) })
}

/// The error of an operation on a part, as [`near::named`] tells it, and where another resource is called so how the
/// parts of several are named.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only commands ask"))]
pub async fn part(client: &Client, op: &Op, args: &Args, error: Error) -> Error {
    let typed = op.path_params().last().and_then(|param| args.text(param)).unwrap_or_default();
    let error = near::named(client, op, args, error).await;
    if error.kind() == Kind::NotFound
        && let Some(owner) = owner_called(client, op, typed).await
    {
        return error.hint(of_several(owner.word));
    }
    error
}

/// Refuses a part that is not among those that are known, where another resource is called so. With a glob behind it,
/// parts of the first would be taken, and none of it.
async fn no_owner(client: &Client, op: &Op, asked: &Asked, known: &Candidates) -> Result<()> {
    let is_part = |name: &&String| is_glob(name) || known.with_id(name).is_some() || !known.called(name).is_empty();
    let checks = op.asks && !asked.part_of_many;
    for typed in asked.typed.iter().filter(|name| checks && !is_part(name)) {
        let Some(owner) = owner_called(client, op, typed).await else { continue };
        let (part, first) = (known.noun.word, asked.parents.first().map_or("", |(_, name)| name.as_str()));
        let (word, first) = (owner.word, brief(first));
        let words = format!("'{}' is a {word}, and no {part} of {word} {first}: nothing was sent", brief(typed));
        return Err(Error::usage(words).hint(of_several(owner.word)));
    }
    Ok(())
}

/// What the parts of an operation are of, if that has a list of its own and one of it is called so.
async fn owner_called(client: &Client, op: &Op, typed: &str) -> Option<&'static Noun> {
    let owner = op.path_params().next().filter(|first| op.path_params().last() != Some(first))?;
    let owner = client.service().noun(owner)?;
    if owner.list.shape != Shape::Rows || owner.list.path_params().next().is_some() {
        return None;
    }
    let known = Candidates::list(client, owner, &Args::new()).await.ok()?;
    (!known.called(typed).is_empty()).then_some(owner)
}
