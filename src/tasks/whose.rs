//! Whose things an operation takes, where it was said: `vms delete 'web*' --owner acme`. The service refuses what another
//! account has, and is not trusted to: what a row or a record shows is compared here before anything is sent.

use crate::answer::Row;
use crate::api::{Location, Noun, Op, Test};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::request::Args;

/// The account that the things of a noun must belong to.
pub(super) struct Whose<'a> {
    /// The field of a row that shows it.
    field: &'static str,
    account: &'a str,
}

impl<'a> Whose<'a> {
    /// What an operation with these arguments is kept to: it has a query of the name by which the list of the noun is
    /// filtered. That of a list is a filter, which is compared where its rows are read.
    pub(super) fn of(noun: &Noun, op: &Op, args: &'a Args) -> Option<Whose<'a>> {
        let queries = op.fields.iter().filter(|field| field.place == Location::Query && !op.is_list());
        queries.into_iter().find_map(|query| {
            let filter = noun.list.fields.iter().find(|field| field.name == query.name)?;
            let Test::Id(field) = filter.test else { return None };
            Some(Whose { field, account: args.text(query.name)? })
        })
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        format!("account {}", super::words::brief(self.account))
    }

    /// Whether it has what a row shows.
    pub(super) fn has(&self, row: Row<'_>) -> bool {
        row.text(&format!("/{}", self.field)).is_some_and(|owner| owner.eq_ignore_ascii_case(self.account))
    }

    /// Looks whether it has the one of this id.
    ///
    /// # Errors
    /// [`Kind::NotFound`] where it has not, and what the service says.
    pub(super) async fn look(&self, client: &Client, noun: &Noun, id: &str) -> Result<()> {
        let found = client.call(noun.get, &Args::new().set(noun.name, id)).await;
        let found = found.map_err(|error| error.about(&format!("{} {id}", noun.word)))?;
        if found.first().is_some_and(|row| self.has(row)) {
            return Ok(());
        }
        let words = format!("{} does not own the {} {id}", self.words(), noun.word);
        let owner = found.first().and_then(|row| row.text(&format!("/{}", self.field)).map(|text| text.into_owned()));
        let error = Error::new(Kind::NotFound, words);
        Err(match owner {
            Some(owner) => error.hint(format!("it belongs to {}", super::words::brief(&owner))),
            None => error,
        })
    }
}
