//! Shows several resources, or the parts of several: each row says whose it is.

use futures_util::StreamExt;
use serde_json::value::RawValue;

use super::app::App;
use super::terminal::exit;
use crate::answer::{Answer, Row, scan};
use crate::api::{self, Ids, Noun, Op, Shape, Show};
use crate::client::Client;
use crate::error::{Error, Kind, Result, Target};
use crate::render::{self, Format, View};
use crate::tasks::call::Call;
use crate::tasks::listing::Listing;
use crate::tasks::meant;
use crate::tasks::row_filter::RowFilter;
use crate::tasks::targets::{ALL, Targets, with_owner};
use crate::tasks::words::{brief, plural};

/// What is to be shown of several targets, and how.
pub(super) struct Showing<'a> {
    /// The operation.
    pub op: &'static Op,
    /// What the rows of each must be like.
    pub filter: &'a RowFilter,
    /// How many are asked for at once.
    pub parallel: usize,
    /// How it is to look.
    pub view: View,
    /// What it goes through.
    pub jq: Option<&'a render::Program>,
    /// Their number alone is wanted.
    pub count: bool,
}

/// Shows them in their order, and returns the exit code.
///
/// # Errors
/// What is shown cannot be written; failures of targets are reported here.
pub(super) async fn run(app: &App, client: &Client, targets: Targets, showing: Showing<'_>) -> Result<i32> {
    let Showing { op, filter, parallel, mut view, jq, count: counted } = showing;
    whose(op, &view)?;
    let mut gravest: Option<Kind> = None;
    let mut count = |error: &Error| gravest = Some(error.kind().graver(gravest));
    targets.failures.iter().for_each(&mut count);
    let owner = op.path_params().last().and_then(|param| client.service().noun(param));
    let one = |call: &Call| {
        let call = call.clone();
        async move {
            let answer = match op.shape {
                Shape::Rows => Listing::new(client, op, &call, filter, true, app).all().await,
                _ => match client.call(op, &call.args).await {
                    Err(error) => Err(call.blame(meant::part(client, op, &call.args, error).await)),
                    answer => answer,
                },
            };
            (answer, call)
        }
    };
    let mut asked = std::pin::pin!(futures_util::stream::iter(&targets.calls).map(one).buffered(parallel));
    let (mut rows, mut maps) = (Vec::new(), Vec::new());
    let mut at = 0..;
    while let Some((answer, call)) = asked.next().await {
        let at = at.next().unwrap_or_default();
        match answer {
            Ok(answer) if op.shape == Shape::Map => maps.push((at, answer)),
            Ok(answer) if (op.shape == Shape::Rows || !call.parents.is_empty()) && view.format != Format::Ids => {
                rows.extend(answer.rows().map(|row| with_owner(row, &call, targets.about(&call))));
            }
            Ok(answer) => rows.extend(answer.rows().map(|row| row.0.to_owned())),
            Err(error) => {
                let error = call.of(error);
                count(&error);
                app.report(&error);
            }
        }
    }
    // Of a single place the list itself says so.
    for (noun, name, is_glob) in filter
        .picks
        .unseen()
        .filter(|(_, name, _)| *name != ALL && op.shape == Shape::Rows && !targets.calls.is_empty())
    {
        let (word, name_is) = (noun.word, if is_glob { "that matches" } else { "named" });
        let owners = plural(owner.map_or("target", |owner| owner.word));
        let error =
            Error::new(Kind::NotFound, format!("none of the {owners} has a {word} {name_is} '{}'", brief(name)));
        let error = error.on(Target { noun: noun.word, id: None, name: name.to_owned() });
        count(&error);
        app.report(&error);
    }
    let maps = of_owners(op, maps, &targets, &mut view);
    rows.extend(maps.iter().flat_map(|(_, map)| map.rows()).map(|row| row.0.to_owned()));
    if rows.is_empty()
        && let Some(kind) = gravest
    {
        return Ok(exit::code(kind).0.into());
    }
    if counted {
        app.streams.out(format!("{}\n", rows.len()).as_bytes())?;
        return Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0)));
    }
    let above = parent(op);
    if op.shape == Shape::Rows || above.is_some() {
        name_owners(&mut view, above.or(owner));
    }
    let answer = Answer::Rows(rows);
    if jq.is_none() {
        view.images = app.image_names(client, &view, &answer).await?;
    }
    app.show(&answer, Shape::Rows, &view, jq)?;
    Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0)))
}

/// Refuses ids alone where these are names that parts of several have: nobody could tell whose they are.
fn whose(op: &Op, view: &View) -> Result<()> {
    let listed = api::listed_by(op).filter(|noun| noun.ids == Ids::Any && noun.key == noun.name_field);
    let owner = op.path_params().last().and_then(|param| api::noun(param));
    let (Some(noun), Some(owner)) = (listed.filter(|_| view.format == Format::Ids), owner) else { return Ok(()) };
    let words = format!("the name of a {} does not say whose it is: no ids of those of several", noun.word);
    Err(Error::usage(words).hint(format!("-H -o tsv:{}.id,{}", owner.name, noun.key)))
}

/// What the targets of an operation are parts of.
fn parent(op: &Op) -> Option<&'static Noun> {
    let above = op.path_params().count().checked_sub(2)?;
    api::noun(op.path_params().nth(above)?)
}

/// Of parts of several resources each says whose it is. Maps are rows in tables, and else the objects that they are:
/// `{"machine":{…},"tags":{…}}`.
pub(super) fn of_owners(
    op: &Op,
    done: Vec<(usize, Answer)>,
    targets: &Targets,
    view: &mut View,
) -> Vec<(usize, Answer)> {
    let owner = api::noun(op.path_params().last().unwrap_or_default());
    let is_map = op.shape == Shape::Map;
    let ids = view.format == Format::Ids;
    let of_parts = targets.calls.iter().any(|call| !call.parents.is_empty());
    if owner.is_none() || !is_map && (op.makes.is_none() && !of_parts || ids) {
        return done;
    }
    let owner = if of_parts { parent(op) } else { owner };
    let cells = !matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml | Format::Ids);
    if is_map && cells && view.known.len() < 2 {
        view.known = render::MAP_COLUMNS;
    }
    let (key, value) = match view.known {
        [key, value, ..] => (key.field, value.field),
        _ => ("name", "value"),
    };
    name_owners(view, owner);
    let group = op.path.rsplit('/').next().unwrap_or_default();
    let rows = |map: &RawValue, call: &Call| match (is_map, cells) {
        _ if ids => vec![serde_json::json!({ "id": call.id() }).to_string()],
        (false, _) => vec![map.get().to_owned()],
        (true, false) => vec![format!("{{\"{group}\":{}}}", map.get())],
        (true, true) => scan::members(map.get())
            .into_iter()
            .flatten()
            .map(|(name, member)| format!("{{\"{key}\":{name},\"{value}\":{member}}}"))
            .collect(),
    };
    let mut all = Vec::new();
    for (at, answer) in done {
        match (answer, targets.calls.get(at)) {
            (Answer::Record(object), Some(call)) => {
                let made = rows(&object, call).into_iter().filter_map(|row| RawValue::from_string(row).ok());
                let owned =
                    |row: Box<RawValue>| if ids { row } else { with_owner(Row(&row), call, targets.about(call)) };
                all.extend(made.map(|row| (at, Answer::Record(owned(row)))));
            }
            (answer, _) => all.push((at, answer)),
        }
    }
    all
}

/// Tables of parts begin with what each is a part of.
fn name_owners(view: &mut View, owner: Option<&Noun>) {
    let Some(owner) = owner.filter(|_| view.columns.is_empty()) else { return };
    if matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml | Format::Ids) {
        return;
    }
    let name = render::Chosen {
        name: owner.word.replace(' ', "_"),
        path: vec![owner.name.to_owned(), "name".to_owned()],
        show: Show::Text,
        made: false,
        stays: true,
    };
    view.proposed = true;
    view.columns = std::iter::once(name).chain(render::defaults(view.format, view.long, view.known)).collect();
}
