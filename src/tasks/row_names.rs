//! What a filter names in another list: the image of a machine, its networks. It looks them up, and prints nothing.

use super::resolve::{self, Candidate, Candidates};
use super::words;
use crate::api::{self, Noun};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::grammar::filter::{Condition, Sign};
use crate::grammar::selector;
use crate::request::Args;

/// A name, a glob or a pattern of the things to which a field refers.
#[derive(Clone)]
pub(super) struct Named {
    pub(super) noun: &'static Noun,
    /// The field of those things by which rows refer to them.
    pub(super) field: &'static str,
    /// The argument that holds the id once it was looked up.
    pub(super) argument: Option<&'static str>,
    pub(super) name: String,
}

/// Whether what a filter says of a noun's things may be the name of several versions: all of them are meant, since older
/// ones than the newest are in use, and nothing that a name excludes may be picked for that.
pub(super) fn is_of_all_versions(noun: &Noun, text: &str) -> bool {
    noun.version_field.is_some() && resolve::needs_lookup(noun, text)
}

impl Named {
    /// The condition on the field of a row, once it is known what is meant.
    ///
    /// # Errors
    /// Nothing is called so, or it is ambiguous; the list could not be read.
    pub(super) async fn condition(&self, client: &Client, args: &Args, sign: Sign) -> Result<Condition> {
        let by_id = self.field == self.noun.key;
        let one = !sign.is_regex() && !selector::is_glob(&self.name);
        if by_id && one && is_of_all_versions(self.noun, &self.name) && !self.is_elsewhere(client) {
            let known = resolve::everything(client, self.noun, &Args::new()).await?;
            if !known.called(&self.name).is_empty() {
                // It may be meant as the beginning of another one's id.
                if resolve::begins_id(&self.name) {
                    known.find(&self.name, false)?;
                }
                return self.several(&known, sign);
            }
        }
        if by_id && one {
            let id = match self.argument.and_then(|name| args.text(name)) {
                Some(id) => id.to_owned(),
                None if self.is_elsewhere(client) && !resolve::is_uuid(&self.name) => return Err(self.needs_id()),
                None => resolve::id(client, self.noun, &self.name).await?,
            };
            return Ok(Condition::exactly(sign, &id));
        }
        if self.is_elsewhere(client) {
            return Err(self.needs_id());
        }
        match by_id {
            true => self.several(&resolve::everything(client, self.noun, &Args::new()).await?, sign),
            false => self.by_name(&Candidates::list(client, self.noun, &Args::new()).await?, sign),
        }
    }

    /// Whether another service has what is meant: the one that is asked for the rows knows its ids alone.
    fn is_elsewhere(&self, client: &Client) -> bool {
        !std::ptr::eq(api::service_of(self.noun.list), client.service())
    }

    fn needs_id(&self) -> Error {
        let word = self.noun.word;
        Error::usage(format!("'{}' is not the id of one of the {}", words::brief(&self.name), words::plural(word)))
            .hint(format!("names of {} are looked up for NAME=VALUE alone", words::plural(word)))
    }

    /// All that a glob or a pattern fits, as a table shows them too.
    fn several(&self, known: &Candidates, sign: Sign) -> Result<Condition> {
        let pattern = if sign.is_regex() { Some(Condition::pattern(Sign::Like, &self.name)?) } else { None };
        let fits = |name: &str| match &pattern {
            Some(pattern) => pattern.fits(Some(name)),
            None => selector::glob(&self.name, name),
        };
        let fitting = known.things.iter().filter(|thing| fits(&thing.name) || fits(&thing.versioned()));
        let ids: Vec<String> = fitting.map(|thing| thing.id.clone()).collect();
        match ids.is_empty() {
            true => Err(known.nothing_like(&self.name)),
            false => Ok(Condition::one_of(if sign.is_negative() { Sign::IsNot } else { Sign::Is }, ids)),
        }
    }

    /// The name that rows have. One that is on no list may still be in rows, and fits no others; that rows must not have
    /// it would fit all.
    fn by_name(&self, known: &Candidates, sign: Sign) -> Result<Condition> {
        let found = known.with_id(&self.name).map_or_else(|| known.find(&self.name, false), Ok);
        let name = |thing: &Candidate| thing.text(&[self.field]).map_or(String::new(), |text| text.into_owned());
        match found {
            Ok(thing) => Ok(Condition::exactly(sign, &name(thing))),
            Err(error) if error.kind() == Kind::NotFound && sign == Sign::Is => {
                Ok(Condition::exactly(sign, &self.name))
            }
            Err(error) => Err(error),
        }
    }
}
