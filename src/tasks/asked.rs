//! What targets were asked for: the words as they were typed, and what their rows must be like. It resolves nothing.

use std::collections::HashSet;

use super::call::Call;
use super::resolve::{self, Candidate, Candidates};
use super::row_filter::RowFilter;
use super::words::plural;
use crate::api::{Noun, Op, Service, Shape};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::grammar::{range, selector};
use crate::request::Args;

/// More targets than this must be allowed with `--max`.
pub const MAX_TARGETS: usize = 20;
/// The glob of all there are: that there are none is no mistake.
pub const ALL: &str = "*";

/// What stands for names on standard input.
pub const STDIN: &str = "-";

/// What was asked for: the arguments that all calls share, and the targets as they were typed.
#[derive(Clone, Default)]
pub struct Asked {
    /// The arguments, without the target's.
    pub args: Args,
    /// The path's parameters before the target's.
    pub parents: Vec<(&'static str, String)>,
    /// What the resource must be like whose parts they are, where it is not named.
    pub owners: RowFilter,
    /// The names of those resources, where standard input named them.
    pub owner_names: Vec<String>,
    /// The target's parameter.
    pub param: Option<&'static str>,
    /// What was typed for the targets.
    pub typed: Vec<String>,
    /// Whether targets were named at all: standard input may have named none.
    pub named: bool,
    /// Whether some came from standard input.
    pub from_stdin: bool,
    /// Those that standard input named: ids and names, taken literally.
    pub listed: HashSet<String>,
    /// Those that ranges stand for, and nobody typed: names alone, however much like an id they look.
    pub of_ranges: HashSet<String>,
    /// What they must be like beside that.
    pub filter: Filter,
    /// The first word behind a selector that stands for the resource: it may be meant as the name of one.
    pub in_owners_place: Option<String>,
    /// Parts of other resources are asked for too, so that there may be none here.
    pub part_of_many: bool,
}

/// What targets must be like, and how many there may be.
#[derive(Clone, Default)]
pub struct Filter {
    /// What their rows in the list must be like.
    pub rows: RowFilter,
    /// What the service's list can be asked for of that.
    pub query: Args,
    /// The filters as they were typed: what is named so is not meant by them without a doubt.
    pub typed: Vec<String>,
    /// How many there may be.
    pub max: Option<usize>,
    /// How many are worked on at once.
    pub parallel: Option<usize>,
    /// What is not there is no failure.
    pub ignore_missing: bool,
    /// They are only shown, so that there may be any number.
    pub shown: bool,
    /// How many of the newest are none, of those that are meant but for their age.
    pub keep: Option<usize>,
}

impl Filter {
    /// Refuses more of what is called so than are allowed.
    ///
    /// # Errors
    /// A usage error.
    pub fn allows(&self, many: usize, word: &str) -> Result<()> {
        let most = self.max.unwrap_or(MAX_TARGETS);
        if many <= most || self.shown {
            return Ok(());
        }
        let all = plural(word);
        let words = format!("{many} {all} selected, limit is {most}; nothing was done");
        Err(Error::usage(words).hint(format!("to allow them: --max {many}")).hint("to see them: --dry-run"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.keep.is_none()
    }

    /// Looks up what it names. What is named itself and does not fit is no failure, so that the list must have it.
    ///
    /// # Errors
    /// It is not there, or the list of those cannot be read.
    pub async fn settle(&mut self, client: &Client, target: &Noun, named: bool) -> Result<()> {
        if named {
            self.rows.compare_here(&mut self.query);
        }
        resolve::fields(client, target.list, &mut self.query).await?;
        self.rows.settle(client, &self.query).await
    }
}

impl Asked {
    /// Those of these names, ids or globs.
    pub fn named<T: Into<String>>(noun: &Noun, typed: impl IntoIterator<Item = T>) -> Asked {
        let typed = typed.into_iter().map(Into::into).collect();
        Asked { param: Some(noun.name), typed, named: true, ..Asked::default() }
    }

    /// All that are like this.
    pub fn matching(noun: &Noun, filter: Filter) -> Asked {
        Asked { param: Some(noun.name), filter, ..Asked::default() }
    }

    /// Whether the service is asked for anything before the requests themselves.
    pub fn asks_the_service(&self, service: &Service, op: &Op) -> bool {
        let target = self.param.and_then(|param| service.noun(param));
        let named = |text: &String| {
            target.is_some_and(|noun| {
                let several = || self.is_range(noun, text) || noun.list.shape == Shape::Rows && selector::is_glob(text);
                resolve::needs_lookup(noun, text) || several()
            })
        };
        let picks = target.is_some() && (!self.named || !self.filter.is_empty());
        picks || !self.owners.is_empty() || self.typed.iter().any(named) || resolve::is_needed(service, op, &self.args)
    }

    /// Whether it was typed as a glob.
    pub(super) fn is_glob(&self, text: &str) -> bool {
        selector::is_glob(text) && !self.listed.contains(text)
    }

    /// Whether it may be a range of names, as a new machine's name may be one.
    pub(super) fn is_range(&self, noun: &Noun, text: &str) -> bool {
        noun.list.shape == Shape::Rows && text.contains(['{', '}']) && !self.listed.contains(text)
    }

    /// Puts names in the place of ranges that are not the names of what is known, and returns whether there were any.
    ///
    /// # Errors
    /// A usage error for what is not a range, and for too many names.
    pub(super) fn spread(&mut self, noun: &Noun, known: Option<&Candidates>) -> Result<bool> {
        let mut all: Vec<String> = Vec::new();
        for typed in &self.typed {
            let called = || known.is_some_and(|known| !known.called(typed).is_empty());
            let range = match self.is_range(noun, typed) {
                true => range::spread(typed, noun.has_braces(), called)?,
                false => None,
            };
            all.extend(range.unwrap_or_else(|| vec![typed.clone()]));
        }
        let spread = all != self.typed;
        if spread {
            let typed: HashSet<&String> = self.typed.iter().collect();
            self.of_ranges = all.iter().filter(|name| !typed.contains(name)).cloned().collect();
            let mut seen = HashSet::new();
            all.retain(|name| seen.insert(name.clone()));
            self.filter.allows(all.len(), noun.word)?;
            self.typed = all;
        }
        Ok(spread)
    }

    /// What was named so among these.
    ///
    /// # Errors
    /// Not found, or ambiguous.
    pub(super) fn find<'k>(&self, known: &'k Candidates, name: &str, strict: bool) -> Result<&'k Candidate> {
        match self.of_ranges.contains(name) {
            true => known.of_range(name, strict),
            false => known.find_any(name, strict),
        }
    }

    /// The call for one target as it was typed.
    pub fn call(&self, typed: &str) -> Call {
        match self.param {
            Some(param) => Call {
                args: self.args.clone().set(param, typed),
                target: Some((param, typed.to_owned())),
                parents: self.parents.clone(),
            },
            None => Call::new(self.args.clone()),
        }
    }
}
