//! How a result is to look, by what was typed and what is set, and that it is shown so.

use clap::ArgMatches;

use super::app::App;
use super::args::globals;
use crate::answer::Answer;
use crate::api::{self, Column, Op, Shape};
use crate::config::{Origin, Setting};
use crate::error::{Error, Result};
use crate::render::{self, Chosen, FORMATS, Format, SortKey, View};
use crate::sensitive::{is_secret_name, quoted};
use crate::tasks::targets::{Filter, PARALLEL};

/// Refuses a setting of the output that is no format alone: columns would be those of a single list.
pub(super) fn set_format(value: &str) -> Result<()> {
    if FORMATS.iter().any(|(name, _)| *name == value) {
        return Ok(());
    }
    let word = value.split(':').next().unwrap_or_default();
    if let Some((_, columns)) = value.split_once(':').filter(|_| FORMATS.iter().any(|(name, _)| *name == word)) {
        return Err(Error::usage("the format has columns, which are set by themselves")
            .hint(format!("output: {word}, and columns: {}", quoted(columns))));
    }
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    Err(Error::usage(format!("'{}' is not a format", quoted(word)))
        .hint(format!("the formats are {}", names.join(", "))))
}

impl App {
    /// How the result is to look; wrong formats and columns are refused here, before anything is sent.
    pub(super) fn view(&self, matches: &ArgMatches, known: &'static [Column]) -> Result<View> {
        let is_list = matches.try_contains_id("sort").is_ok();
        let (format, columns) = self.format(known, is_list)?;
        let flag = |id: &str| matches.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or(false);
        let sort = match matches.try_get_one::<String>("sort").ok().flatten() {
            Some(_) if self.globals.jq.is_some() => {
                return Err(Error::usage("--jq works on the JSON as it came, so --sort has no meaning beside it")
                    .hint("--jq 'sort_by(.name)'"));
            }
            Some(text) => render::parse_sort(text, known)?,
            None if is_list && matches!(format, Format::Table | Format::Wide | Format::Csv | Format::Tsv) => {
                self.set_order(known)?
            }
            None => Vec::new(),
        };
        Ok(View {
            format,
            columns,
            known,
            long: self.globals.long,
            header: !flag("no-header"),
            colour: globals::colour(&self.globals, &self.console.env, self.streams.stdout_tty),
            terminal: self.streams.stdout_tty,
            width: self.streams.data_width(),
            safe: self.globals.csv_safe,
            now: self.console.now(),
            sort,
            ..View::default()
        })
    }

    /// The format and the columns: what was typed, else what is set.
    fn format(&self, known: &'static [Column], is_list: bool) -> Result<(Format, Vec<Chosen>)> {
        // It works on the JSON.
        if self.globals.jq.is_some() {
            return Ok((Format::Json, Vec::new()));
        }
        let typed = self.globals.output.as_deref();
        let (format, columns) = match (typed, self.config.defaults.get("output")) {
            (Some(output), _) => render::parse_output(output, known)?,
            (None, Some(Setting { value, origin })) => set_format(value)
                .and_then(|()| render::parse_output(value, known))
                .map_err(|error| error.about(&origin.to_string()))?,
            (None, None) => (Format::Table, Vec::new()),
        };
        let wants = is_list && matches!(format, Format::Table | Format::Csv | Format::Tsv) && !self.globals.long;
        match columns.is_empty() && wants {
            true => Ok((format, self.set_columns(known)?)),
            false => Ok((format, columns)),
        }
    }

    /// The columns that are set: those for all lists where this one has all of them.
    fn set_columns(&self, known: &'static [Column]) -> Result<Vec<Chosen>> {
        self.set("columns", known, |text| render::parse_columns(text, known))
    }

    /// The order that is set: of one for all lists each takes what it has.
    fn set_order(&self, known: &'static [Column]) -> Result<Vec<SortKey>> {
        let part = |keys: &str, known| {
            keys.split(',').filter_map(|key| render::parse_sort(key, known).ok()).flatten().collect()
        };
        self.set("sort", known, |text| {
            render::parse_sort(text, known).or_else(|error| match self.is_narrow("sort") {
                true => Err(error),
                false => Ok(part(text, known)),
            })
        })
    }

    /// Whether this is set for a command alone, whose list must have it.
    fn is_narrow(&self, name: &str) -> bool {
        let setting = self.config.defaults.get(name);
        setting.is_some_and(|setting| matches!(setting.origin, Origin::Own { command: Some(_), .. }))
    }

    /// What is set for lists. A word that no list at all has is a mistake.
    fn set<T>(&self, name: &str, known: &'static [Column], read: impl Fn(&str) -> Result<Vec<T>>) -> Result<Vec<T>> {
        let Some(Setting { value, origin }) = self.config.defaults.get(name) else { return Ok(Vec::new()) };
        let about = |error: Error| error.about(&origin.to_string());
        let reads = |word: &str, known: &[Column]| render::parse_sort(word, known).is_ok();
        let nowhere = |word: &&str| !reads(word, known) && !api::ops().any(|op| reads(word, api::columns(op)));
        match read(value) {
            Err(error) if self.is_narrow(name) => Err(about(error)),
            read => match value.split(',').find(nowhere) {
                Some(word) => {
                    Err(about(Error::usage(format!("there is no column '{}' in any list", quoted(word.trim())))))
                }
                None => Ok(read.unwrap_or_default()),
            },
        }
    }

    /// How many targets are acted on at once.
    pub(super) fn parallel(&self, filter: &Filter) -> usize {
        let set = || self.config.defaults.get("parallel")?.value.parse().ok();
        filter.parallel.or_else(set).unwrap_or(PARALLEL)
    }

    /// How the answer to a change is to look, and whether it is hidden. With --quiet and no format that was typed,
    /// nothing of it is shown but the ids of what was made: a log of CI is no place for tags and metadata. A secret
    /// that the service tells but once is shown as ever. A receipt has the id of what was asked to make it alone.
    pub(super) fn of_change(&self, op: &Op, view: View, is_receipt: bool) -> (View, bool) {
        let says_once = op.columns.iter().any(|column| is_secret_name(column.name));
        match (self.hides_changes(&view), op.makes()) {
            (true, _) if says_once => (view, false),
            (true, Some(_)) if !is_receipt => (View { format: Format::Ids, columns: Vec::new(), ..view }, false),
            (hidden, _) => (view, hidden),
        }
    }

    /// Whether --quiet is about the answer to a change too: no format was typed, and what is set is for people.
    pub(super) fn hides_changes(&self, view: &View) -> bool {
        let typed = self.globals.output.is_some() || self.globals.jq.is_some() || self.globals.long;
        self.globals.quiet && !typed && matches!(view.format, Format::Table | Format::Wide)
    }

    /// Prints an answer.
    pub(super) fn show(&self, answer: &Answer, shape: Shape, view: &View, jq: Option<&render::Program>) -> Result<()> {
        match jq {
            Some(jq) => self.filter(jq, &answer.json()),
            None => self.streams.out(render::render(answer, shape, view).as_bytes()),
        }
    }
}
