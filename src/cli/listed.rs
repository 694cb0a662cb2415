//! Shows a list: its rows as they come, how many there are, and which names are those of nothing.

use super::app::App;
use super::names;
use super::terminal::exit;
use crate::answer::{Answer, Row};
use crate::api::Op;
use crate::error::{Error, Result};
use crate::render::{self, Chosen, Format, Printer, View};
use crate::tasks::listing::Listing;
use crate::tasks::vm_notes::{self, Listed};

/// So many bytes are kept for a table, or for sorting.
const MAX_HELD: usize = 512 << 20;

/// Prints how many rows there are, and returns the exit code.
///
/// # Errors
/// The list cannot be read, or the one name is that of nothing.
pub(super) async fn count(app: &App, listing: &Listing<'_>) -> Result<i32> {
    let mut many = 0;
    listing
        .pages(|page, _| {
            many += page.rows.len();
            Ok(())
        })
        .await?;
    let missing = missing(listing).await?;
    if is_told(many, &missing) {
        app.streams.out(format!("{many}\n").as_bytes())?;
    }
    Ok(told(app, &missing))
}

/// What was named and is not there.
///
/// # Errors
/// The one name is that of nothing: the error says it all, and nothing is shown.
async fn missing(listing: &Listing<'_>) -> Result<Vec<Error>> {
    let mut errors = listing.missing().await?;
    match errors.pop() {
        Some(only) if !listing.filter.picks.has_several_names() => Err(only),
        last => {
            errors.extend(last);
            Ok(errors)
        }
    }
}

/// Whether the list itself is shown: one without rows is not where names are those of nothing, since who reads it alone
/// must not take it for an empty list.
fn is_told(rows: usize, missing: &[Error]) -> bool {
    rows > 0 || missing.is_empty()
}

/// What else is known of the one row of a list, or of several that people read.
async fn known(app: &App, op: &Op, rows: &Answer, of_servers: bool) {
    let mut all = rows.rows();
    if let (Some(only), None) = (all.next(), all.next()) {
        app.note(op, Some(only)).await;
    } else if of_servers {
        app.note_listed(&rows.rows().filter_map(Listed::read).collect::<Vec<_>>()).await;
    }
}

/// Whether servers are asked how old the rows are: where people read them, and not for a script.
fn is_of_servers(op: &Op, view: &View) -> bool {
    vm_notes::are_of_servers(op) && matches!(view.format, Format::Table | Format::Wide)
}

/// Tells what is not there, and returns the exit code.
fn told(app: &App, missing: &[Error]) -> i32 {
    missing.iter().for_each(|error| app.report(error));
    missing.iter().map(|error| i32::from(exit::code(error.kind()).0)).max().unwrap_or(0)
}

/// Prints the rows as they come, or sorted when all of them are there, and returns the exit code.
///
/// # Errors
/// The list cannot be read, or is too large for a table; the one name is that of nothing.
pub(super) async fn list(
    app: &App,
    listing: &Listing<'_>,
    mut view: View,
    jq: Option<&render::Program>,
) -> Result<i32> {
    if listing.sorted {
        (view.skip, view.most) = listing.filter.cut().unwrap_or((0, usize::MAX));
    }
    let column = if jq.is_some() { None } else { names::image_column(&view) };
    let cached = column.as_ref().map(|_| names::cached_images(app));
    // Scripts get all names: rows wait until it is known that none is lacking.
    let waits = column.is_some() && !matches!(view.format, Format::Table | Format::Wide);
    if jq.is_some() || waits || cached.as_ref().is_some_and(Option::is_none) {
        return whole(app, listing, view, jq, column.as_ref()).await;
    }
    view.images = cached.flatten().unwrap_or_default();
    let as_sent = view.format == Format::Json && view.columns.is_empty() && view.sort.is_empty() && !view.terminal;
    // What is named may be in no page of the list, and comes after it.
    let as_sent = as_sent && listing.filter.picks.is_empty();
    let mut printer = Printer::new(&view);
    let mut out = String::new();
    let (mut passed, mut many, mut lacking, mut last) = (false, 0, false, None);
    let (of_servers, mut vms) = (is_of_servers(listing.op, &view), Vec::new());
    let shown = listing.pages(|page, whole| {
        let rows = || page.rows.iter().map(|row| Row(row));
        lacking |= column.as_ref().is_some_and(|column| !names::are_known(&view.images, column, rows()));
        if lacking && many == 0 {
            return Err(Error::other("the names of images are out of date"));
        }
        many += page.rows.len();
        if as_sent && whole && page.only {
            // The one page as it came: nothing of it is touched.
            passed = true;
            return app.streams.out(page.text.trim_ascii()).and_then(|()| app.streams.out(b"\n"));
        }
        if of_servers {
            vms.extend(rows().filter_map(Listed::read));
        }
        last = page.rows.first().filter(|_| page.rows.len() == 1).map(|row| (*row).to_owned());
        out.reserve(page.rows.iter().map(|row| row.get().len() + 2).sum());
        for row in &page.rows {
            printer.row(row.get(), &mut out);
        }
        // What is done to all of these ids would be done to some of them, had the list broken off.
        if view.format == Format::Ids && out.len() <= MAX_HELD {
            return Ok(());
        }
        if printer.bytes() > MAX_HELD || view.format == Format::Ids {
            let words = format!("the list has more than {} MiB, too much for a table", MAX_HELD >> 20);
            return Err(Error::other(words).hint("as it comes, unsorted: -o jsonl").hint("a part of it: --limit N"));
        }
        app.streams.out(std::mem::take(&mut out).as_bytes())
    });
    match shown.await {
        // Nothing is printed yet.
        Err(_) if lacking && many == 0 => return whole(app, listing, view, jq, column.as_ref()).await,
        shown => shown?,
    }
    if lacking {
        app.forget_images();
        app.warn("images that are new are shown by their short ids: the next list has their names");
    }
    let missing = missing(listing).await?;
    if !passed && is_told(many, &missing) {
        printer.end(&mut out);
        app.streams.out(out.as_bytes())?;
    }
    match last.filter(|_| many == 1) {
        Some(row) => app.note(listing.op, Some(Row(&row))).await,
        None => app.note_listed(&vms).await,
    }
    Ok(told(app, &missing))
}

/// Prints the list in one piece, with the names of its images if a column shows them.
async fn whole(
    app: &App,
    listing: &Listing<'_>,
    mut view: View,
    jq: Option<&render::Program>,
    column: Option<&Chosen>,
) -> Result<i32> {
    let rows = match column {
        None => listing.all().await?,
        Some(_) if names::cached_images(app).is_some() => {
            let rows = listing.all().await?;
            view.images = app.image_names(listing.client, &view, &rows).await?;
            rows
        }
        // They come while the list comes.
        Some(column) => {
            let asked = app.asked_images(listing.client, &view);
            let (rows, images) = futures_util::future::try_join(listing.all(), asked).await?;
            view.images = app.told(images).map(|images| app.kept(images, column, &rows)).unwrap_or_default();
            rows
        }
    };
    let missing = missing(listing).await?;
    if is_told(rows.rows().count(), &missing) {
        app.show(&rows, listing.op.shape, &view, jq)?;
        known(app, listing.op, &rows, jq.is_none() && is_of_servers(listing.op, &view)).await;
    }
    Ok(told(app, &missing))
}
