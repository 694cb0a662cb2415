//! Shows a list: its rows as they come, how many there are, and which names are those of nothing.

use super::app::App;
use super::names;
use super::terminal::exit;
use crate::error::{Error, Result, Target};
use crate::render::{self, Format, Printer, View};
use crate::tasks::listing::Listing;
use crate::tasks::resolve;
use crate::tasks::targets::ALL;

/// So many bytes are kept for a table, or for sorting.
const MAX_HELD: usize = 512 << 20;

/// Prints how many rows there are, and returns the exit code.
///
/// # Errors
/// The list cannot be read.
pub(super) async fn count(app: &App, listing: &Listing<'_>) -> Result<i32> {
    let mut many = 0;
    listing
        .pages(|page, _| {
            many += page.rows.len();
            Ok(())
        })
        .await?;
    end(app, listing, many, || app.streams.out(format!("{many}\n").as_bytes())).await
}

/// Shows what is left to be shown, and tells which names are those of nothing. Where they are all that was asked for,
/// nothing is shown: who reads the output alone must not take it for an empty list.
async fn end(app: &App, listing: &Listing<'_>, rows: usize, show: impl FnOnce() -> Result<()>) -> Result<i32> {
    if rows > 0 {
        show()?;
        return missing(app, listing).await;
    }
    match missing(app, listing).await? {
        0 => show().map(|()| 0),
        code => Ok(code),
    }
}

/// Tells which of the names are those of nothing, and returns the exit code.
///
/// # Errors
/// The one name is that of nothing.
async fn missing(app: &App, listing: &Listing<'_>) -> Result<i32> {
    let Listing { client, filter: sieve, call, .. } = *listing;
    let mut code = 0;
    let unseen: Vec<_> = sieve.picks.unseen().filter(|(_, name, _)| *name != ALL).collect();
    let Some((noun, ..)) = unseen.first() else { return Ok(code) };
    let all = resolve::everything(client, noun, &resolve::place(noun, &call.args)).await?;
    for (noun, name, is_glob) in &unseen {
        let Err(error) = all.has(name, *is_glob) else {
            // It is there, and not what was asked for; or the list leaves it out.
            if !sieve.has_fields() {
                app.say(&format!("note: {} {name} is left out by the list", noun.word));
            }
            continue;
        };
        let error = error.on(Target { noun: noun.word, id: None, name: (*name).to_owned() });
        if unseen.len() == 1 && !sieve.picks.has_several_names() {
            return Err(error);
        }
        code = code.max(exit::code(error.kind()).0.into());
        app.report(&error);
    }
    Ok(code)
}

/// Prints the rows as they come, or sorted when all of them are there, and returns the exit code.
///
/// # Errors
/// The list cannot be read, or is too large for a table.
pub(super) async fn list(
    app: &App,
    listing: &Listing<'_>,
    mut view: View,
    jq: Option<&render::Program>,
) -> Result<i32> {
    let op = listing.op;
    if listing.sorted {
        (view.skip, view.most) = listing.filter.cut().unwrap_or((0, usize::MAX));
    }
    if let Some(jq) = jq {
        let rows = listing.all().await?;
        return end(app, listing, rows.rows().count(), || app.show(&rows, op.shape, &view, Some(jq))).await;
    }
    let cached = app.cached_image_names(&view);
    if cached.is_none() {
        // The names come while the list comes, and are waited for no longer than it takes a person to wonder.
        let names = async { Ok(names::images(app, listing.client).await) };
        let (rows, names) = futures_util::future::try_join(listing.all(), names).await?;
        view.images = names;
        return end(app, listing, rows.rows().count(), || app.show(&rows, op.shape, &view, None)).await;
    }
    view.images = cached.unwrap_or_default();
    let as_sent = view.format == Format::Json && view.columns.is_empty() && view.sort.is_empty() && !view.terminal;
    let mut printer = Printer::new(&view);
    let mut out = String::new();
    let (mut passed, mut many) = (false, 0);
    let shown = listing.pages(|page, whole| {
        many += page.rows.len();
        if as_sent && whole && page.only && many > 0 {
            // The one page as it came: nothing of it is touched.
            passed = true;
            return app.streams.out(page.text.trim_ascii()).and_then(|()| app.streams.out(b"\n"));
        }
        for row in &page.rows {
            printer.row(row.get(), &mut out);
        }
        if printer.bytes() > MAX_HELD {
            let words = format!("the list has more than {} MiB, too much for a table", MAX_HELD >> 20);
            return Err(Error::other(words).hint("as it comes, unsorted: -o jsonl").hint("a part of it: --limit N"));
        }
        app.streams.out(std::mem::take(&mut out).as_bytes())
    });
    shown.await?;
    end(app, listing, many, || {
        if !passed {
            printer.end(&mut out);
        }
        app.streams.out(out.as_bytes())
    })
    .await
}
