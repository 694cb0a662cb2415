//! What a list leaves out for its state, and how whoever named it learns of it.

use std::borrow::Cow;

use super::Report;
use super::resolve::{self, Candidate, Candidates};
use super::whose::Whose;
use super::words::{brief, plural};
use crate::answer::Row;
use crate::api::{self, Kind, Noun};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind as Why, Result};
use crate::grammar::selector;
use crate::request::Args;

/// What was called so and is gone: of several, the one that was made last. None where one is still there.
pub(super) fn last_gone<'a>(known: &'a Candidates, typed: &str) -> Option<&'a Candidate> {
    let begin = typed.to_ascii_lowercase();
    let short = resolve::begins_id(typed) || resolve::is_uuid(typed);
    let meant = |thing: &&Candidate| thing.name == typed || short && thing.id.starts_with(&begin);
    let (there, gone): (Vec<_>, Vec<_>) = known.things.iter().filter(meant).partition(|thing| thing.is_there());
    let made = |thing: &&Candidate| {
        thing.text(&["created"]).or_else(|| thing.text(&["create_timestamp"])).map(Cow::into_owned)
    };
    gone.into_iter().filter(|_| there.is_empty()).max_by_key(made)
}

/// The id of what was called so and is gone, as far as the service still tells of it: by its `name` alone, or by its id
/// too.
///
/// # Errors
/// The list cannot be read.
pub(super) async fn gone_id(client: &Client, noun: &'static Noun, typed: &str, name: bool) -> Result<Option<String>> {
    if noun.whole().is_none() {
        return Ok(None);
    }
    let all = resolve::everything(client, noun, &Args::new()).await?;
    let all = if name { all.only_called(typed) } else { all };
    Ok(last_gone(&all, typed).map(|thing| thing.id.clone()))
}

/// The error for a name or an id of what is gone.
pub(super) fn gone(known: &Candidates, typed: &str) -> Option<Error> {
    let (noun, thing) = (known.noun, last_gone(known, typed)?);
    let name = if thing.name.is_empty() { &thing.id } else { &thing.name };
    let state = state(thing);
    let since = thing
        .text(&["updated"])
        .or_else(|| thing.text(&["last_modified"]))
        .map_or(String::new(), |time| format!("since {}, and ", brief(&time)));
    let above = known.lister.strip_suffix(noun.list.verb).unwrap_or_default();
    let get = CommandLine::of(&format!("{above}{}", noun.get.verb)).on(&thing.id);
    let error = Error::new(Why::NotFound, format!("{} {} is {state}", noun.word, brief(name)));
    let error = error.hint(Hint::run(format!("{since}what is left of it"), get));
    // By its id alone a log is found still.
    let error = match noun.log {
        Some(log) => error.hint(Hint::run("what was done to it", CommandLine::of(&api::words(log)).on(&thing.id))),
        None => error,
    };
    Some(error.hint(Hint::run("all of them", whole_list(known, name, &[&state]))))
}

/// The error for a glob that fits none of a list but those that it leaves out. Where rows must be like something else
/// too, what has not failed and is not gone may be among those that are not.
pub(super) fn none_listed(known: &Candidates, glob: &str, has_fields: bool) -> Option<Error> {
    let fitting: Vec<&Candidate> = known.things.iter().filter(|thing| selector::glob(glob, &thing.name)).collect();
    let failed = |thing: &&Candidate| known.noun.failed.contains(&&*state(thing)) || !thing.is_there();
    if has_fields && !fitting.iter().all(failed) {
        return None;
    }
    let mut states: Vec<String> = fitting.iter().map(|thing| state(thing)).collect();
    states.sort_unstable();
    states.dedup();
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    let words = format!("left out by the list: {} {}", fitting.len(), states.join(" or "));
    Some(known.nothing_like(glob).hint(Hint::run(words, whole_list(known, glob, &states))))
}

/// The error for a glob that fits none of a list, with what the list leaves out that it fits.
pub(super) async fn nothing_like(client: &Client, known: &Candidates, args: &Args, glob: &str) -> Error {
    let none = known.nothing_like(glob);
    if known.noun.whole().is_none() {
        return none;
    }
    match resolve::everything(client, known.noun, &resolve::place(known.noun, args)).await {
        Ok(all) if all.has(glob, true).is_ok() => none_listed(&all, glob, true).unwrap_or(none),
        _ => none,
    }
}

/// So many ids are told.
const MAX_NAMED: usize = 8;

/// Tells of what has failed and is not deleted with the rest of its kind: the list leaves it out, and whoever deletes
/// all of it should know.
pub(super) async fn tell_failed(
    report: &dyn Report,
    client: &Client,
    known: &Candidates,
    asking: resolve::Asking<'_>,
    command: CommandLine,
    meant: impl Fn(&Candidate) -> bool,
) {
    let (noun, (op, args)) = (known.noun, asking);
    let (place, whose) = (resolve::place(noun, args), Whose::of(noun, op, args));
    let Ok(all) = resolve::everything(client, noun, &place).await else { return };
    let own = |thing: &Candidate| whose.as_ref().is_none_or(|whose| whose.has(Row(&thing.row)));
    let failed = |thing: &&Candidate| own(thing) && thing.is_there() && noun.failed.contains(&&*state(thing));
    let left = all.things.iter().filter(failed).filter(|thing| meant(thing) && known.with_id(&thing.id).is_none());
    let ids: Vec<&str> = left.map(|thing| thing.id.as_str()).collect();
    let command = ids.iter().take(MAX_NAMED).fold(command, |command, id| command.on(*id));
    match ids.len() {
        0 => {}
        1 => report.urge(&Hint::run(format!("one {} that failed is left out; to delete it too", noun.word), command)),
        many => {
            let words = format!("{many} {} that failed are left out; to delete them too", plural(noun.word));
            let more = if many > MAX_NAMED { format!(", and {} more", many - MAX_NAMED) } else { String::new() };
            report.urge(&Hint::run(words, command).then(more));
        }
    }
}

fn state(thing: &Candidate) -> String {
    thing.text(&["state"]).map_or_else(|| "in another state".to_owned(), |state| brief(&state))
}

/// The command that lists these in spite of their states.
fn whole_list(known: &Candidates, name: &str, states: &[&str]) -> CommandLine {
    let list = CommandLine::of(&known.lister).on(name);
    let field = known.noun.whole().and_then(|(whole, _)| known.noun.list.fields.iter().find(|it| it.name == whole));
    match field {
        Some(field) if matches!(field.kind, Kind::Flag(_)) => list.word(format!("--{}", field.long_name())),
        _ => list.on(format!("state={}", states.join(","))),
    }
}
