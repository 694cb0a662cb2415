//! Lists in pages: asked for several at once, handed over in order, each as soon as it is complete.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::Client;
use crate::answer::{Answer, Row, rows_of};
use crate::api::{Mark, Op, Paging, Service};
use crate::error::{Error, Kind, Result};
use crate::request::{Arg, Args, Request};
use crate::response::{Response, check_rows, is_said_once, whose};

/// How many pages are asked for at once, at most.
const WINDOW: usize = 8;
/// More rows than this no account has: a service that sends them sends them for ever.
const MAX_ROWS: usize = 2_000_000;

/// So many pages in a row may be empty although the service counts more rows.
const MAX_EMPTY: usize = 100;
/// So many pages of a list may have less than a tenth of what was asked for, although others come after them...
const MAX_THIN: usize = 100;
/// ...and so long they may take.
const THIN_TIME: Duration = Duration::from_secs(60);
/// The size of a page where none is asked for: the service's own.
const USUAL: usize = 1000;

/// One page of a list.
pub struct Page<'a> {
    /// The server's own text.
    pub text: &'a [u8],
    /// Its rows.
    pub rows: Vec<&'a RawValue>,
    /// Whether it is the only one.
    pub only: bool,
}

/// Returns the arguments of a list's first request, as [`Client::pages`] sends it.
pub fn first_page(op: &Op, args: Args) -> Args {
    match op.paging {
        // The service gathers everything by itself for `tags=*`.
        Paging::Offset(_) if args.get("tags").is_some() => args,
        Paging::Offset(most) | Paging::Sparse(most) | Paging::Marker(most, _) => {
            let wanted = args.text("limit").and_then(|limit| limit.parse::<usize>().ok());
            let limit = wanted.map_or(most, |wanted| wanted.min(most));
            args.set("limit", limit.to_string())
        }
        Paging::None => args,
    }
}

/// Looks at the response of a page before it is read.
type Seen<'a> = &'a dyn Fn(&Response) -> Result<()>;

impl Client {
    /// Calls a list operation and hands over its pages in order, each as soon as it is complete.
    /// `limit` and `offset` among the arguments count rows over all pages.
    ///
    /// # Errors
    /// See [`Kind`]; and what `take` returns.
    pub async fn pages(&self, op: &Op, args: &Args, take: impl FnMut(Page<'_>) -> Result<()>) -> Result<()> {
        self.pages_seen(op, args, &|_| Ok(()), take).await
    }

    /// All rows of a list, for whoever goes by what is not in it: each of its pages is the service's own, and has as
    /// many rows as the service says.
    ///
    /// # Errors
    /// See [`Kind`]; [`Kind::Unreachable`] for a page of somebody else, or one that lacks rows.
    pub async fn whole(&self, op: &Op, args: &Args) -> Result<Answer> {
        let mut rows = Vec::new();
        let seen = |response: &Response| is_whole(op, response);
        let taken = self.pages_seen(op, args, &seen, |page| {
            page.rows.iter().try_for_each(|row| is_said_once(row.get()))?;
            rows.extend(page.rows.iter().map(|row| (*row).to_owned()));
            Ok(())
        });
        taken.await?;
        Ok(Answer::Rows(rows))
    }

    /// The pages, each of whose responses is seen before it is read.
    async fn pages_seen(
        &self,
        op: &Op,
        args: &Args,
        seen: Seen<'_>,
        take: impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<()> {
        let read = self.pages_read(op, args, seen, take).await;
        read.map_err(|error| match self.request(op, args) {
            Ok(request) => self.named(&request, error),
            Err(_) => error,
        })
    }

    async fn pages_read(
        &self,
        op: &Op,
        args: &Args,
        seen: Seen<'_>,
        mut take: impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<()> {
        let take = |page: Page<'_>| {
            check_rows(self.service, op, page.rows.iter().copied())?;
            take(page)
        };
        let key = self.key(op);
        let most = match op.paging {
            // The service gathers everything by itself for `tags=*`.
            Paging::Offset(most) if args.get("tags").is_none() => most,
            Paging::Sparse(most) => return self.sparse_pages(op, args, most, seen, take).await,
            Paging::Marker(most, mark) => return self.marked_pages(op, args, (most, mark), seen, take).await,
            _ => return self.pages_by((key, seen), Span::default(), |_| self.request(op, args), take).await,
        };
        let span = Span { wanted: count(args, "limit")?, start: count(args, "offset")?.unwrap_or(0), most: Some(most) };
        let request = |cut: Cut| {
            let mut args = args.clone();
            args.push("limit", Arg::Text(cut.limit.unwrap_or(most).to_string()));
            if cut.offset > 0 {
                args.push("offset", Arg::Text(cut.offset.to_string()));
            }
            self.request(op, &args)
        };
        self.pages_by((key, seen), span, request, take).await
    }

    /// The pages of a list of which the service leaves rows out after it has cut them: only an empty page is the
    /// last, and that only where the service counts no more. `limit` counts what it looks at.
    async fn sparse_pages(
        &self,
        op: &Op,
        args: &Args,
        most: usize,
        seen: Seen<'_>,
        mut take: impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<()> {
        let wanted = count(args, "limit")?;
        let begin = count(args, "offset")?.unwrap_or(0);
        let mut known = Known { key: self.key(op), ..Known::default() };
        let mut offset = begin;
        let (mut stale, mut empty, mut thin) = (0, 0, Thin::default());
        while wanted.is_none_or(|wanted| offset - begin < wanted) {
            let limit = wanted.map_or(most, |wanted| most.min(wanted - (offset - begin)));
            let mut args = args.clone();
            args.push("limit", Arg::Text(limit.to_string()));
            if offset > 0 {
                args.push("offset", Arg::Text(offset.to_string()));
            }
            let answer = self.send(&self.request(op, &args)?).await?;
            seen(&answer)?;
            let all = answer.header("x-resource-count").and_then(|text| text.parse::<usize>().ok());
            let body = answer.into_list()?;
            let mut page = self.page(&body, false)?;
            check_rows(self.service, op, page.rows.iter().copied())?;
            offset += limit;
            if page.rows.is_empty() {
                // All rows of this page may be left out, and others come after it.
                empty += 1;
                match all.filter(|all| offset < *all) {
                    Some(_) if empty > MAX_EMPTY => return Err(endless(known.come)),
                    Some(_) => continue,
                    None => return Ok(()),
                }
            }
            empty = 0;
            // Where the service counts its rows, it has said how many pages there are.
            if all.is_none_or(|all| offset >= all) {
                thin.count(self.service, page.rows.len(), limit, known.come)?;
            }
            page.rows = known.sieve(&page.rows);
            // Rows that came meanwhile may push a page of old ones before it, but not two.
            stale = if page.rows.is_empty() { stale + 1 } else { 0 };
            if stale > 1 {
                return Err(same_page());
            }
            if offset - begin > MAX_ROWS {
                return Err(endless(known.come));
            }
            if !page.rows.is_empty() {
                take(page)?;
            }
        }
        Ok(())
    }

    /// The pages of a list of which each begins behind the last row of the one before. A short one is the last, unless
    /// the service counts more rows.
    async fn marked_pages(
        &self,
        op: &Op,
        args: &Args,
        (most, mark): (usize, Mark),
        seen: Seen<'_>,
        mut take: impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<()> {
        let wanted = count(args, "limit")?;
        if wanted == Some(0) {
            return Err(Error::usage("the limit must be at least 1"));
        }
        let (field, overlap) = match mark {
            Mark::Object(field) => (field, 0),
            Mark::Text(field) => (field, 1),
        };
        let mut known = Known { key: Some(field), wanted, ..Known::default() };
        let mut overlapping = 0;
        loop {
            let limit = wanted.map_or(most, |wanted| most.min(wanted - known.seen + overlapping));
            let mut args = args.clone();
            args.push("limit", Arg::Text(limit.to_string()));
            let mut request = self.request(op, &args)?;
            match (mark, &known.last) {
                (_, None) => {}
                (Mark::Object(field), Some(last)) => {
                    request.add_query("marker", &serde_json::json!({ field: last }).to_string());
                }
                (Mark::Text(_), Some(last)) => request.add_query("marker", last),
            }
            let answer = self.send(&request).await?;
            seen(&answer)?;
            let count = ["x-joyent-resource-count", "x-resource-count"].into_iter();
            let all = count.filter_map(|name| answer.header(name)?.parse::<usize>().ok()).next();
            let body = answer.into_list()?;
            let mut page = self.page(&body, known.last.is_none())?;
            let here = page.rows.len();
            // A first page that is all there is has nothing that was seen before, nor twice: that is refused.
            let end = wanted == Some(here) || all.map_or(here < limit, |all| here >= all);
            if known.come == 0 && end && wanted.is_none_or(|wanted| here <= wanted) {
                return take(page);
            }
            let before = known.seen;
            page.rows = known.sieve(&page.rows);
            let done = wanted.is_some_and(|wanted| known.seen >= wanted) || here == 0;
            let more = !done && all.map_or(here >= limit, |all| known.seen < all);
            page.only &= !more && page.rows.len() == here;
            if !more {
                return if page.rows.is_empty() && before > 0 { Ok(()) } else { take(page) };
            }
            if known.seen == before {
                // A short page of old rows only: others have gone meanwhile.
                return if here < limit { Ok(()) } else { Err(same_page()) };
            }
            if known.come > MAX_ROWS {
                return Err(endless(known.come));
            }
            take(page)?;
            overlapping = overlap;
        }
    }

    /// The pages of any list. The service says by `x-query-limit` how it cuts the list; without it and
    /// without a size of one's own, the first answer is all there is.
    ///
    /// # Errors
    /// See [`Kind`]; and what `request` and `take` return.
    pub async fn pages_of(
        &self,
        span: Span,
        request: impl Fn(Cut) -> Result<Request>,
        take: impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<()> {
        self.pages_by((None, &|_| Ok(())), span, request, take).await
    }

    fn page<'a>(&self, text: &'a [u8], only: bool) -> Result<Page<'a>> {
        Ok(Page { text, rows: rows_of(text, Some(whose(self.service)))?, only })
    }

    /// What the rows of a list are known by: see [`Known::key`].
    fn key(&self, op: &Op) -> Option<&'static str> {
        self.service.listed_by(op).map(|noun| noun.key)
    }

    /// Reads backwards from a page before which rows have gone, until one is known: some that nobody has seen lie
    /// before it now. Hands over those that are new, in order, and returns how far the list goes by what was read.
    async fn gap<F: Future<Output = Result<Response>>>(
        &self,
        (offset, size, step): (usize, usize, usize),
        page: impl Fn(usize) -> F,
        known: &mut Known,
        take: &mut impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<usize> {
        let mut gap = Vec::new();
        let (mut from, mut reach) = (offset, 0);
        let mut back = (size / 2).max(1);
        while from > 0 {
            from = from.saturating_sub(back);
            back = step;
            let back = page(from).await?.into_list()?;
            let rows = self.page(&back, false)?.rows;
            reach = reach.max(from + rows.len());
            let met = rows.iter().any(|row| known.has(id_of(row, known.key).as_deref()));
            gap.push(back);
            if met {
                break;
            }
        }
        for back in gap.iter().rev() {
            let mut back = self.page(back, false)?;
            back.rows = known.sieve(&back.rows);
            if !back.rows.is_empty() {
                take(back)?;
            }
        }
        Ok(reach)
    }

    /// The same of rows that are known by what is at these names, with slashes between.
    async fn pages_by(
        &self,
        (key, seen): (Option<&'static str>, Seen<'_>),
        span: Span,
        request: impl Fn(Cut) -> Result<Request>,
        mut take: impl FnMut(Page<'_>) -> Result<()>,
    ) -> Result<()> {
        let Span { wanted, start, most } = span;
        if wanted == Some(0) {
            return Err(Error::usage("the limit must be at least 1"));
        }
        if start > MAX_ROWS {
            return Err(Error::usage(format!("the offset must be at most {MAX_ROWS}")));
        }
        let page = |cut: Cut| {
            let request = request(cut);
            async move {
                let response = self.send(&request?).await?;
                seen(&response).map(|()| response)
            }
        };
        let asked = most.map(|most| most.min(wanted.unwrap_or(most)));
        let first = page(Cut { offset: start, limit: asked.or(wanted) }).await?;
        let told = first.header("x-query-limit").and_then(|text| text.parse::<usize>().ok()).filter(|told| *told > 0);
        let first = first.into_list()?;
        let mut rows = self.page(&first, true)?;
        // A service that knows no pages sends more than was wanted.
        if let Some(wanted) = wanted.filter(|wanted| *wanted < rows.rows.len()) {
            rows.rows.truncate(wanted);
            rows.only = false;
        }
        // A server may be set to shorter pages than were asked for; one that sends more knows no pages.
        // Nor is it set to shorter pages than it has just sent.
        let size = told.or(asked).unwrap_or(0).max(if told.is_some() { rows.rows.len() } else { 0 });
        let size = size.min(asked.unwrap_or(usize::MAX));
        let full = |rows: usize, seen: usize| size > 0 && rows == size && wanted.is_none_or(|wanted| seen < wanted);
        if !full(rows.rows.len(), rows.rows.len()) {
            return take(rows);
        }
        let mut known = Known { key, wanted, ..Known::default() };
        let (mut thin, due) = (Thin::default(), asked.or(wanted).unwrap_or(USUAL));
        thin.count(self.service, rows.rows.len(), due, 0)?;
        known.sieve(&rows.rows);
        take(Page { only: false, ..rows })?;
        drop(first);
        // Each page begins with the last row of the one before it, so that it shows when rows have come or gone
        // meanwhile. Rows without ids cannot show it.
        let overlap = usize::from(known.last.is_some() && size > 1);
        let step = size - overlap;
        // How many pages there are cannot be known. One is asked for, then two, then four: an account of
        // just one page costs a single request too many, a large one soon has a full window under way.
        let mut next = step;
        let mut batch = 1;
        loop {
            let from = next;
            let offsets = (0..batch).map(|n| from + n * step);
            let offsets = offsets.take_while(|offset| wanted.is_none_or(|wanted| *offset + overlap < wanted));
            let cut = |offset: usize| Cut {
                offset: start + offset,
                limit: Some(wanted.map_or(size, |wanted| size.min(wanted - offset))),
            };
            let asked = offsets.map(|offset| async move { (offset, page(cut(offset)).await) });
            let mut pages = std::pin::pin!(futures_util::stream::iter(asked).buffered(WINDOW));
            while let Some((offset, answer)) = pages.next().await {
                let mut body = answer?.into_list()?;
                let mut rows = self.page(&body, false)?;
                let last = known.last.clone();
                let begins = rows.rows.first().and_then(|row| id_of(row, known.key));
                // A page that does not begin with the last row of the one before it, or has no row at all.
                if overlap > 0 && (begins.is_none() || begins != last && !known.has(begins.as_deref())) {
                    let before = |offset: usize| page(Cut { offset: start + offset, limit: Some(size) });
                    let reach = self.gap((offset, size, step), before, &mut known, &mut take).await?;
                    if wanted.is_some_and(|wanted| known.seen >= wanted) {
                        return Ok(());
                    }
                    // An empty page is the end of a list that has not been shown to go on there.
                    if rows.rows.is_empty() && reach > offset {
                        body = page(cut(offset)).await?.into_list()?;
                        rows = self.page(&body, false)?;
                        if rows.rows.is_empty() {
                            return Err(breaks_off(offset));
                        }
                    }
                }
                let mut new = known.sieve(&rows.rows);
                if new.is_empty() && rows.rows.len() == size {
                    // The same page again: perhaps by mistake, perhaps for ever.
                    body = page(cut(offset)).await?.into_list()?;
                    rows = self.page(&body, false)?;
                    new = known.sieve(&rows.rows);
                    if new.is_empty() && rows.rows.len() == size {
                        return Err(same_page());
                    }
                }
                let here = rows.rows.len();
                if known.come > MAX_ROWS {
                    return Err(endless(known.come));
                }
                thin.count(self.service, here, due, known.come)?;
                if !new.is_empty() {
                    take(Page { rows: new, ..rows })?;
                }
                if !full(here, known.seen) {
                    return Ok(());
                }
            }
            next += batch * step;
            batch = (batch * 2).min(WINDOW);
        }
    }
}

/// The error for a list that ends before rows that the service has shown.
fn breaks_off(rows: usize) -> Error {
    let words = format!("the service answered no rows behind {rows} of a list of which it has shown more");
    Error::new(Kind::Unreachable, words).hint("the same command again")
}

/// Refuses a page of a list that somebody else has sent, or that has fewer rows than its service says. Those of the
/// internal services count all pages, of which nobody knows here how many there are.
fn is_whole(op: &Op, response: &Response) -> Result<()> {
    let service = response.service;
    let refused = |words: String| {
        let error = Error::new(Kind::Unreachable, format!("{} {words}", service.command(op)));
        Err(error.hint(whose(service).hint()))
    };
    if !response.is_success() {
        return Ok(());
    }
    if !response.is_own_by_headers() {
        return refused(format!("was not answered by {} itself, so that nothing can be told from it", service.name));
    }
    let count = response.header("x-resource-count").and_then(|text| text.parse::<usize>().ok());
    let rows = rows_of(&response.body, Some(whose(service)))?.len();
    match count.filter(|count| !service.is_inner() && rows < *count) {
        Some(count) => refused(format!("has {rows} rows of {count} that {} counts", service.name)),
        None => Ok(()),
    }
}

/// The rows that have been seen, by their ids.
#[derive(Default)]
struct Known {
    /// Where the id is, where that is known: the names, with slashes between.
    key: Option<&'static str>,
    keys: HashSet<String>,
    /// How many are wanted in all.
    wanted: Option<usize>,
    /// How many were new.
    seen: usize,
    /// How many have come at all.
    come: usize,
    last: Option<String>,
}

impl Known {
    /// Whether a row of this id has been seen.
    fn has(&self, key: Option<&str>) -> bool {
        key.is_some_and(|key| self.keys.contains(key))
    }

    /// The rows that are new, in their order, and no more than are wanted. What has no id is always new.
    fn sieve<'a>(&mut self, rows: &[&'a RawValue]) -> Vec<&'a RawValue> {
        if let Some(last) = rows.last() {
            self.last = id_of(last, self.key);
        }
        let room = self.wanted.map_or(usize::MAX, |wanted| wanted.saturating_sub(self.seen));
        let key = self.key;
        let new = rows.iter().copied().filter(|row| id_of(row, key).is_none_or(|id| self.keys.insert(id)));
        let new: Vec<&RawValue> = new.take(room).collect();
        self.come += rows.len();
        self.seen += new.len();
        new
    }
}

/// Pages that have far less than was asked for, although more come after them.
#[derive(Default)]
struct Thin {
    pages: usize,
    since: Option<Instant>,
}

impl Thin {
    /// Counts a page of so many rows, of which so many were due.
    fn count(&mut self, service: &Service, rows: usize, due: usize, come: usize) -> Result<()> {
        if rows * 10 >= due.min(USUAL) {
            return Ok(());
        }
        self.pages += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        if self.pages > MAX_THIN || since.elapsed() > THIN_TIME {
            let words =
                format!("{} pages of the service's list had {} rows, and it does not end", self.pages, come.max(rows));
            return Err(Error::new(Kind::Unreachable, words).hint(whose(service).hint()));
        }
        Ok(())
    }
}

fn same_page() -> Error {
    Error::new(Kind::Unreachable, "the service sends the same page of the list again and again")
}

fn endless(rows: usize) -> Error {
    Error::new(Kind::Unreachable, format!("the service's list does not end: it has sent {rows} rows"))
}

/// The id of a row, where these names lead; without them its id or its address.
fn id_of(row: &RawValue, key: Option<&str>) -> Option<String> {
    let row = Row(row);
    let id = match key {
        Some(key) => row.text_at(&key.split('/').collect::<Vec<_>>()),
        None => row.text("/id").or_else(|| row.text("/ip")),
    };
    id.map(|id| id.into_owned())
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// How many rows in all; everything if not set.
    pub wanted: Option<usize>,
    /// How many rows to skip first.
    pub start: usize,
    /// The largest page to ask for; the service's own size if not set.
    pub most: Option<usize>,
}

/// Which part of a list one request is for.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Its `offset`.
    pub offset: usize,
    /// Its `limit`; the service's own if not set.
    pub limit: Option<usize>,
}

fn count(args: &Args, name: &str) -> Result<Option<usize>> {
    let Some(value) = args.get(name) else { return Ok(None) };
    let text = match value {
        crate::request::Arg::Text(text) => text.as_str(),
        crate::request::Arg::Json(raw) => raw.get(),
    };
    text.parse().map(Some).map_err(|_| Error::usage(format!("'{text}' is not a number for {name}")))
}
