//! Shows several resources, or the parts of several: each row says whose it is.

use futures_util::StreamExt;

use super::app::App;
use super::terminal::exit;
use crate::answer::Answer;
use crate::api::{Noun, Op, Shape, Show};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::render::{self, Format, View};
use crate::tasks::call::Call;
use crate::tasks::listing::Listing;
use crate::tasks::row_filter::RowFilter;
use crate::tasks::targets::{Targets, with_owner};

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
    let mut gravest: Option<Kind> = None;
    let mut count = |error: &Error| gravest = Some(error.kind().graver(gravest));
    targets.failures.iter().for_each(&mut count);
    let noun = op.path_params().last().and_then(|param| client.service().noun(param));
    let one = |call: &Call| {
        let call = call.clone();
        async move {
            let answer = match op.shape {
                Shape::Rows => Listing { client, op, call: &call, filter, sorted: true, report: app }.all().await,
                _ => client.call(op, &call.args).await.map_err(|error| call.blame(error)),
            };
            (answer, call)
        }
    };
    let mut asked = std::pin::pin!(futures_util::stream::iter(&targets.calls).map(one).buffered(parallel));
    let mut rows = Vec::new();
    while let Some((answer, call)) = asked.next().await {
        match answer {
            Ok(answer) if op.shape == Shape::Rows && view.format != Format::Ids => {
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
    if counted {
        app.streams.out(format!("{}\n", rows.len()).as_bytes())?;
        return Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0)));
    }
    if op.shape == Shape::Rows {
        name_owners(&mut view, noun);
    }
    view.images = app.image_names(client, &view).await;
    app.show(&Answer::Rows(rows), Shape::Rows, &view, jq)?;
    Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0)))
}

/// Tables of parts begin with what each is a part of.
pub(super) fn name_owners(view: &mut View, owner: Option<&Noun>) {
    let Some(owner) = owner.filter(|_| view.columns.is_empty()) else { return };
    if matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml | Format::Ids) {
        return;
    }
    let name = render::Chosen {
        name: owner.word.replace(' ', "_"),
        path: vec![owner.name.to_owned(), "name".to_owned()],
        show: Show::Text,
        made: false,
    };
    view.columns = std::iter::once(name).chain(render::defaults(view.format, view.long, view.known)).collect();
}
