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
//! let listing = Listing { client: &client, op: &LIST, call: &call, filter: &filter, sorted: false, report: &() };
//! let found = listing.all().await?;
//! let names: Vec<_> = found.rows().filter_map(|row| row.text("/name")).collect();
//! assert_eq!(names, ["web1", "web10"]);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use super::Report;
use super::call::Call;
use super::picks::Newest;
use super::row_filter::RowFilter;
use crate::answer::Answer;
use crate::api::Op;
use crate::client::{Client, Page};
use crate::error::{Error, Kind, Result};
use serde_json::value::RawValue;

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
}

impl Listing<'_> {
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
        let (mut skip, mut room) = self.filter.cut().filter(|_| !self.sorted).unwrap_or((0, usize::MAX));
        let (mut come, mut enough) = (0, false);
        let taken = self.client.pages(self.op, &self.call.args, |mut page| {
            come += page.rows.len();
            let before = page.rows.len();
            if !self.filter.is_idle() {
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
        self.filter.tell_unseen(self.report, come);
        Ok(())
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
        Ok(())
    }
}
