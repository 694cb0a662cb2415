//! Reads a list with the filters that were typed. It prints nothing: who asks takes the rows as they come.
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
//! use sdc::api::CLOUDAPI;
//! use sdc::api::cloudapi::machines::LIST;
//! use sdc::request::Args;
//! use sdc::tasks::call::Call;
//! use sdc::tasks::listing::Listing;
//! use sdc::tasks::row_filter::{Reading, RowFilter};
//! use sdc::tasks::values::{Folders, Given};
//!
//! let files = Folders { folder: ".".as_ref(), home: None };
//! let reading = Reading { service: &CLOUDAPI, op: &LIST, now: 0, files: &files };
//! let given = Given { words: vec!["state=running".to_owned(), "name=web*".to_owned()], ..Given::default() };
//! let mut args = Args::new();
//! let filter = RowFilter::read(&reading, &given, &mut args)?;
//! let call = Call::new(args);
//! let listing = Listing::new(&client, &LIST, &call, &filter, false, &());
//! let found = listing.all().await?;
//! let names: Vec<_> = found.rows().filter_map(|row| row.text("/name")).collect();
//! assert_eq!(names, ["web1", "web10"]);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::cell::{Cell, OnceCell};
use std::collections::HashSet;

use serde_json::value::RawValue;

use super::call::Call;
use super::picks::Newest;
use super::resolve::{self, Candidates};
use super::row_filter::RowFilter;
use super::targets::ALL;
use super::{Report, left_out, near};
use crate::answer::Answer;
use crate::api::{Noun, Op, Paging};
use crate::client::{Client, Page};
use crate::error::{Error, Kind, Result, Target};

/// A list, and which of its rows are wanted.
pub struct Listing<'a> {
    /// The service.
    pub client: &'a Client,
    /// The operation.
    pub op: &'a Op,
    /// What it is asked for.
    pub call: &'a Call,
    /// What the rows must be like.
    pub filter: &'a RowFilter,
    /// The rows are sorted when all of them are there, and cut to the number that is wanted only then.
    pub sorted: bool,
    /// Who hears of filters that no row has shown.
    pub report: &'a dyn Report,
    /// All that there is, once it was looked at for a name that the list does not have.
    everything: OnceCell<Candidates>,
    /// There were rows enough before the list came to its end.
    cut_short: Cell<bool>,
}

impl<'a> Listing<'a> {
    /// A list of what fits this filter. `sorted` says that rows are sorted when all of them are there.
    pub fn new(
        client: &'a Client,
        op: &'a Op,
        call: &'a Call,
        filter: &'a RowFilter,
        sorted: bool,
        report: &'a dyn Report,
    ) -> Listing<'a> {
        let (everything, cut_short) = (OnceCell::new(), Cell::new(false));
        Listing { client, op, call, filter, sorted, report, everything, cut_short }
    }

    /// Returns all rows that are wanted.
    ///
    /// # Errors
    /// As [`Client::pages`].
    pub async fn all(&self) -> Result<Answer> {
        let mut rows = Vec::new();
        let taken = self.pages(|page, _| {
            rows.extend(page.rows.iter().map(|row| (*row).to_owned()));
            Ok(())
        });
        taken.await?;
        Ok(Answer::Rows(rows))
    }

    /// Hands over each page with those of its rows that are wanted, and whether these are all of them.
    ///
    /// # Errors
    /// As [`Client::pages`]; and what `take` returns.
    pub async fn pages(&self, mut take: impl FnMut(Page<'_>, bool) -> Result<()>) -> Result<()> {
        if let Some(newest) = self.filter.newest {
            return self.without(newest, take).await;
        }
        if let Some(rows) = self.few().await? {
            self.cut_short.set(true);
            take(Page { text: b"", rows: rows.rows().map(|row| row.0).collect(), only: false }, false)?;
            return Ok(());
        }
        let (mut skip, mut room) = self.filter.cut().filter(|_| !self.sorted).unwrap_or((0, usize::MAX));
        let (mut come, mut unjudged, mut enough) = (0, 0, false);
        let taken = self.client.pages(self.op, &self.call.args, |mut page| {
            come += page.rows.len();
            let before = page.rows.len();
            if !self.filter.is_idle() {
                unjudged += page.rows.iter().filter(|row| self.filter.is_unjudged(row)).count();
                page.rows.retain(|row| self.filter.fits(row));
                let skipped = skip.min(page.rows.len());
                page.rows.drain(..skipped);
                skip -= skipped;
                page.rows.truncate(room);
                room -= page.rows.len();
            }
            let whole = page.rows.len() == before;
            take(page, whole)?;
            enough = room == 0;
            // No further page is asked for.
            if enough { Err(Error::new(Kind::ClosedPipe, "enough rows")) } else { Ok(()) }
        });
        match taken.await {
            Err(_) if enough => {}
            taken => taken.map_err(|error| self.call.blame(error))?,
        }
        self.cut_short.set(enough);
        let more = self.left_out().await?;
        let more: Vec<&RawValue> = more.iter().map(|row| &**row).skip(skip).take(room).collect();
        if !more.is_empty() {
            take(Page { text: b"", rows: more, only: false }, false)?;
        }
        self.filter.tell_unseen(self.report, come);
        self.filter.tell_unjudged(self.report, unjudged);
        Ok(())
    }
    /// The rows of one page that is no longer than what is wanted, where the service is asked for all filters, and has kept
    /// to them. CloudAPI finds by the beginnings of names what is compared as a whole.
    async fn few(&self) -> Result<Option<Answer>> {
        let most = match self.op.paging {
            Paging::Offset(most) | Paging::Marker(most, _) if self.client.service().is_inner() => most,
            _ => return Ok(None),
        };
        let cut = self.filter.cut().filter(|_| !self.sorted && self.filter.is_asked());
        let Some((0, wanted)) = cut.filter(|(_, wanted)| *wanted < most) else { return Ok(None) };
        let args = self.call.args.clone().set("limit", wanted.to_string());
        let answer = self.client.call(self.op, &args).await.map_err(|error| self.call.blame(error))?;
        let kept = answer.rows().all(|row| self.filter.fits(row.0));
        Ok(Some(answer).filter(|_| kept))
    }

    /// The rows as one page without the newest of them.
    async fn without(&self, newest: Newest, mut take: impl FnMut(Page<'_>, bool) -> Result<()>) -> Result<()> {
        let answer = self.client.call(self.op, &self.call.args).await.map_err(|error| self.call.blame(error))?;
        let fits_at_any_age = |row: &&RawValue| self.filter.fits_at_any_age(row);
        let newest = newest.among(answer.rows().map(|row| row.0).filter(fits_at_any_age));
        let rows = answer.rows().map(|row| row.0);
        let rows = rows.filter(|row| self.filter.fits(row) && !newest.contains(&std::ptr::from_ref(*row)));
        let (skip, most) = self.filter.cut().filter(|_| !self.sorted).unwrap_or((0, usize::MAX));
        take(Page { text: &[], rows: rows.skip(skip).take(most).collect(), only: false }, false)?;
        self.filter.tell_unseen(self.report, answer.rows().count());
        self.filter.tell_unjudged(self.report, answer.rows().filter(|row| self.filter.is_unjudged(row.0)).count());
        Ok(())
    }

    /// What the list leaves out for its state, and was named all the same: it exists.
    async fn left_out(&self) -> Result<Vec<Box<RawValue>>> {
        let names: Vec<_> = self.filter.picks.unseen_names().filter(|(_, name)| !name.glob).collect();
        let Some((noun, ..)) = names.first().filter(|(noun, ..)| noun.whole().is_some() && !self.cut_short.get())
        else {
            return Ok(Vec::new());
        };
        let names: HashSet<&str> = names.iter().map(|(_, name)| name.typed.as_str()).collect();
        let there = self.everything(noun).await?.things.iter().filter(|thing| thing.is_there());
        let named = there.filter(|thing| self.filter.picks.are_names_of(&names, &thing.row));
        Ok(named.filter(|thing| self.filter.fits_if_listed(&thing.row)).map(|thing| thing.row.clone()).collect())
    }

    /// All that there is, asked for once.
    async fn everything(&self, noun: &'static Noun) -> Result<&Candidates> {
        if let Some(known) = self.everything.get() {
            return Ok(known);
        }
        let known = resolve::everything(self.client, noun, &resolve::place(noun, &self.call.args)).await?;
        Ok(self.everything.get_or_init(|| known))
    }

    /// The errors of the names that are those of nothing, or of what the list leaves out, once its rows have come.
    ///
    /// # Errors
    /// What there is cannot be read.
    pub async fn missing(&self) -> Result<Vec<Error>> {
        let mut errors = Vec::new();
        for (noun, one) in self.filter.picks.unseen_names().filter(|(_, name)| name.typed != ALL) {
            let all = self.everything(noun).await?;
            let (name, is_glob) = (one.typed.as_str(), one.glob);
            let has = match one.is_of_range(noun) && !is_glob && all.called(name).is_empty() {
                true => Err(all.missing(name)),
                false => all.has(name, is_glob),
            };
            let error = match has {
                // A glob that is taken literally comes from standard input.
                Err(error) if !is_glob => Some(near::of_input(error, name)),
                Err(error) => Some(error),
                // It is there, and its row was not reached, or is not what was asked for.
                Ok(()) if self.cut_short.get() || self.asks_for_states(noun) => None,
                Ok(()) if is_glob => left_out::none_listed(all, name, self.filter.has_fields()),
                Ok(()) => left_out::gone(all, name),
            };
            let target = Target { noun: noun.word, id: None, name: name.to_owned() };
            errors.extend(error.map(|error| error.on(target)));
        }
        Ok(errors)
    }

    /// Whether it was said in which states things must be.
    fn asks_for_states(&self, noun: &Noun) -> bool {
        let whole = noun.whole().is_some_and(|(name, value)| self.call.args.text(name) == Some(value));
        whole || self.filter.compares("state")
    }
}
