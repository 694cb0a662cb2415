//! Filters of lists: what was typed becomes what the service is asked for and what each row of its answer is compared
//! with. The service matches some by prefix, knows others by another meaning, and drops some without a word.
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
//! use sdc::tasks::row_filter::{Reading, RowFilter};
//! use sdc::tasks::values::{Folders, Given};
//!
//! let files = Folders { folder: ".".as_ref(), home: None };
//! let reading = Reading { service: &CLOUDAPI, op: &LIST, now: 0, files: &files };
//! let given = Given { words: vec!["tag.role=web".to_owned(), "memory>=512".to_owned()], ..Given::default() };
//! let mut args = Args::new();
//! let filter = RowFilter::read(&reading, &given, &mut args)?;
//! // The service filters by tag. Memory is compared here: the service knows only equality.
//! assert_eq!((args.text("tag.role"), args.text("memory")), (Some("web"), None));
//! let rows = client.call(&LIST, &args).await?;
//! assert_eq!(rows.rows().filter(|row| filter.fits(row.0)).count(), 2);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod unjudged;

use std::cell::Cell;
use std::time::Duration;

use serde_json::value::RawValue;

use super::filter_errors::{
    a_name, as_jq, empty, known_filters, members, none_of, one_filter, one_value, refuse_secret, unknown,
};
use super::row_condition::{condition, may_be_asked};
use super::row_names::{Named, is_of_all_versions};
use super::values::{Files, Given};
use super::{
    Report, Services, column_filter, judged, pair,
    picks::{Newest, Picks},
    resolve, values, words,
};
use crate::answer::scan;
use crate::api::{self, Column, Field, Holds, Kind, Noun, Op, Paging, Service, Shape, Show, Test};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::grammar::filter::{Condition, Sign, Typed, check_value, unescaped};
use crate::grammar::judge::Query;
use crate::grammar::selector;
use crate::grammar::shell;
use crate::request::{Arg, Args};
use crate::sensitive::quoted;

/// What the rows of a list must be like, and how many are wanted.
#[derive(Clone, Default)]
pub struct RowFilter {
    /// Names, tags and whose they are.
    pub picks: Picks,
    /// The newest of those that fit are left out.
    pub newest: Option<Newest>,
    tests: Vec<One>,
    /// What nobody has typed.
    implied: Option<One>,
    /// In the service's own language.
    queries: Vec<Query>,
    /// How many rows are skipped, and how many are wanted, where rows must be counted here.
    cut: Option<(usize, usize)>,
}

/// What it takes to read the filters of a list.
pub struct Reading<'a> {
    /// The service.
    pub service: &'a Service,
    /// The operation.
    pub op: &'static Op,
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// The files that values name.
    pub files: &'a dyn Files,
}

/// A condition on a row.
#[derive(Clone)]
struct One {
    /// What is compared, by which two conditions on the same are told.
    key: String,
    /// As it was typed, for messages.
    typed: String,
    sign: Sign,
    /// Where a row has the value.
    path: Vec<String>,
    condition: Condition,
    /// A name that stands for an id, as long as it is not looked up.
    named: Option<Named>,
    /// The service is asked for it too.
    asked: bool,
    /// An object in which there is anything.
    filled: bool,
    /// Each row should have the value, so that a list without any is an odd one.
    must_be_seen: bool,
    /// It was compared with a row.
    looked: Cell<bool>,
    /// A row has shown the value.
    seen: Cell<bool>,
    /// The value is one that only some rows may have in a form that has an order.
    ordered: bool,
    /// Says how old a row must be.
    by_age: bool,
    /// Each row shows it in this column.
    due: Option<Column>,
}

/// Whether a word is a filter of a list: a field that it can be asked for, or a column, with an operator.
pub fn is_filter(service: &Service, op: &Op, word: &str) -> bool {
    let Ok(typed) = Typed::parse(word) else { return false };
    let field = op.fields.iter().any(|field| match (field.kind, field.test) {
        (Kind::Pairs(prefix), Test::Member(object)) => {
            let member = typed.name.strip_prefix(object).is_some_and(|rest| rest.starts_with('.'));
            typed.name.starts_with(prefix) || member
        }
        _ => field.is_called(typed.name),
    });
    field || column_filter::is_column(service.columns(op), typed.name)
}

impl RowFilter {
    /// Reads the filters, and adds to the arguments what the service is asked for.
    ///
    /// # Errors
    /// A usage error with what works instead.
    pub fn read(reading: &Reading<'_>, given: &Given, args: &mut Args) -> Result<RowFilter> {
        let mut filter = RowFilter::default();
        if !reading.op.is_list() {
            return Ok(filter);
        }
        for (field, text) in given.fields.iter().filter(|(field, _)| field.test != Test::Nothing) {
            match field.kind {
                Kind::Flag(_) | Kind::Integer => filter.add(reading, args, field, &option(field, text), text)?,
                Kind::Pairs(prefix) => filter.add_word(reading, args, &format!("{prefix}{text}"))?,
                _ => {
                    if field.test != Test::Service {
                        check_value(field.name, Sign::Is, text)?;
                    }
                    filter.add(reading, args, field, &option(field, text), text)?;
                }
            }
        }
        given.words.iter().try_for_each(|word| filter.add_word(reading, args, word))?;
        Ok(filter)
    }

    /// Only things in one of these states, whatever the list leaves out.
    ///
    /// # Errors
    /// A usage error for a state in which nothing can be: it would silently pick nothing.
    pub fn in_states(&mut self, noun: &Noun, states: Vec<String>) -> Result<()> {
        if states.is_empty() {
            return Ok(());
        }
        if let Some(state) = states.iter().find(|state| !noun.states.is_empty() && !noun.states.contains(&&***state)) {
            return Err(super::words::unknown_state(&quoted(state), noun.states));
        }
        let typed = format!("state={}", states.join(","));
        self.tests.push(One::own("state", typed, Sign::Is, Condition::one_of(Sign::Is, states)));
        self.picks.whole = true;
        Ok(())
    }

    /// None of what the list leaves out without being told to, which the service is asked for too.
    pub fn without(&mut self, noun: &Noun, states: &[&str]) {
        let condition = Condition::one_of(Sign::IsNot, states.iter().map(|state| (*state).to_owned()).collect());
        self.implied = Some(One::own(noun.state_field, String::new(), Sign::IsNot, condition));
    }

    /// Only things that were made longer ago than this, by the field that says when. One that does not say it is not
    /// known to be old. `now` is in milliseconds since 1970.
    pub fn older_than(&mut self, field: &str, age: Duration, now: i64) {
        let then = now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let typed = format!("--older-than {age:?}");
        self.tests.push(One { by_age: true, ..One::own(field, typed, Sign::Below, Condition::before(then)) });
    }

    /// Takes the number of rows that are wanted from the request where the service would count others: those that do
    /// not fit, those that are sorted behind, those that it leaves out itself. `sorted` says that they are to be sorted.
    ///
    /// # Errors
    /// None are wanted.
    pub fn count(&mut self, op: &Op, args: &mut Args, sorted: bool) -> Result<()> {
        let here = sorted || !self.is_idle() || matches!(op.paging, Paging::Sparse(_));
        if op.paging == Paging::None || !here {
            return Ok(());
        }
        let mut number = |name: &str| {
            let text = args.text(name).map(str::to_owned)?;
            args.remove(name);
            text.parse::<usize>().ok()
        };
        let (limit, offset) = (number("limit"), number("offset"));
        if limit == Some(0) {
            return Err(Error::usage("--limit must be at least 1"));
        }
        if limit.is_some() || offset.is_some() {
            self.cut = Some((offset.unwrap_or(0), limit.unwrap_or(usize::MAX)));
        }
        Ok(())
    }

    /// A filter that was typed without dashes.
    fn add_word(&mut self, reading: &Reading<'_>, args: &mut Args, word: &str) -> Result<()> {
        let op = reading.op;
        let known = || known_filters(op, reading.service.columns(op));
        let typed = Typed::parse(word).map_err(|error| error.hint(known()))?;
        one_filter(op, &typed)?;
        for field in op.fields {
            let tag = match (field.kind, field.test) {
                // As it is on the wire, as the column has it, and as the option is called.
                (Kind::Pairs(prefix), Test::Member(object)) => {
                    let member = typed.name.strip_prefix(object).and_then(|rest| rest.strip_prefix('.'));
                    typed.name.strip_prefix(prefix).or(member)
                }
                _ => None,
            };
            match tag {
                Some("") => {
                    return Err(Error::usage(format!("'{}' names no {}", quoted(word), field.name)).hint(known()));
                }
                Some(tag) => return self.add_tag(reading, args, field, tag, &Typed { name: tag, ..typed }),
                None => {}
            }
            let called = |name: &str| field.is_called(name) || field.is_called(&name.to_ascii_lowercase());
            if !called(typed.name) {
                continue;
            }
            return match (field.kind, typed.sign) {
                (Kind::Pairs(prefix), Sign::Is) if !typed.json => {
                    self.add_word(reading, args, &format!("{prefix}{}", typed.value))
                }
                (Kind::Pairs(prefix), _) => Err(Error::usage(format!("'{}' names no {}", quoted(word), field.name))
                    .hint(format!("{prefix}NAME=VALUE"))),
                _ => self.add_named(reading, args, field, &typed),
            };
        }
        self.add_column(reading, args, &typed)
            .unwrap_or_else(|| Err(unknown(op, reading.service.columns(reading.op), &typed).hint(known())))
    }

    /// A filter by a column that the service does not filter by.
    fn add_column(&mut self, reading: &Reading<'_>, args: &mut Args, typed: &Typed<'_>) -> Option<Result<()>> {
        if typed.json || typed.value.is_empty() {
            return None;
        }
        // `img`: the column of a field that can be asked for.
        let column = reading
            .service
            .columns(reading.op)
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(typed.name) && column.field != column.name);
        let field = column.and_then(|column| reading.op.fields.iter().find(|field| field.is_called(column.field)));
        if let Some(field) = field.filter(|_| !column.is_some_and(|column| column.show == Show::Age)) {
            return Some(self.add_named(reading, args, field, &Typed { name: field.name, ..*typed }));
        }
        let value = if typed.sign.is_regex() { typed.value.into() } else { unescaped(typed.value) };
        let meant = Typed { value: &value, ..*typed };
        let read = column_filter::read(reading.service.columns(reading.op), &meant, reading.now)?;
        Some(read.and_then(|read| {
            let shown = as_typed(typed.name, typed.sign, typed.value);
            refuse_secret(typed.name, typed.value, read.path.len() > 1)?;
            let mut one = One::own(&read.path.join("."), shown, typed.sign, read.condition);
            // What it holds is called by the names of other things.
            one.named = match read.holds {
                Holds::Id(noun) if typed.sign.is_regex() || resolve::needs_lookup(noun, typed.value) => {
                    Some(Named { noun, field: noun.key, argument: None, name: value.to_string() })
                }
                // A pattern is compared with the names in the rows, of which some may be on no list any more.
                Holds::Name(noun) if !typed.sign.is_regex() && !selector::is_glob(typed.value) => {
                    Some(Named { noun, field: noun.name_field, argument: None, name: value.to_string() })
                }
                _ => None,
            };
            if !typed.sign.is_regex() {
                one_value(&[&read.path.join(".")], typed.name, typed.sign, typed.value)?;
            }
            one.ordered = typed.sign.orders() && read.path.len() > 1;
            one.due = reading.due(&read.path);
            one.path = read.path;
            self.tests.push(one);
            Ok(())
        }))
    }

    /// A filter by the name of its field.
    fn add_named(
        &mut self,
        reading: &Reading<'_>,
        args: &mut Args,
        field: &'static Field,
        typed: &Typed<'_>,
    ) -> Result<()> {
        let Typed { name, sign, value, json, .. } = *typed;
        let (value, is_filled) = (value.trim(), matches!(field.test, Test::Filled(_)));
        if json {
            return Err(Error::usage(format!("{name}:= means nothing in a filter"))
                .hint(crate::grammar::shell::quoted(&format!("{name}={value}"))));
        }
        let plain = |example: &str| {
            Error::usage(format!("{name} takes only ="))
                .hint(crate::grammar::shell::quoted(&format!("{name}={example}")))
        };
        match field.kind {
            // `tags=*` is how the service spells it; anything else would be taken for the same.
            Kind::Flag(word) if value == word && (sign == Sign::Is || is_filled && sign == Sign::IsNot) => {}
            Kind::Flag(word) if sign != Sign::Is => return Err(plain(word)),
            Kind::Flag(word) => {
                let error = if value.is_empty() { Some(none_of(empty(name, sign), name)) } else { None };
                return Err(error
                    .filter(|_| is_filled)
                    .unwrap_or_else(|| Error::usage(format!("the filter {name} takes only {name}={word}"))));
            }
            _ if matches!(field.test, Test::Nothing | Test::Service) && sign != Sign::Is => return Err(plain(value)),
            _ => {}
        }
        if !sign.is_regex() && !matches!(field.test, Test::State(..)) {
            values::one_of(field, value)?;
        }
        if matches!(field.test, Test::State(..)) && sign == Sign::IsNot {
            self.whole_but_gone(reading, args, field);
        }
        match field.test {
            Test::Nothing => values::add(args, field, value, reading.files),
            // The service finds what begins so. Whoever acts on `name=web1` does not mean web10.
            Test::Begins(_) => self.add(reading, args, field, &Typed { value, exact: true, ..*typed }, value),
            _ => self.add(reading, args, field, &Typed { value, ..*typed }, value),
        }
    }

    /// What is not in a state may have failed, which a list leaves out by itself; what is gone is no answer.
    fn whole_but_gone(&mut self, reading: &Reading<'_>, args: &mut Args, field: &'static Field) {
        let noun = reading.service.listed_by(reading.op);
        let Some((noun, (name, value))) = noun.and_then(|noun| Some((noun, noun.whole()?))) else { return };
        if args.get(name).is_none() && name != field.name {
            args.push(name, Arg::Text(value.to_owned()));
            let gone = noun.gone.iter().map(|state| (*state).to_owned()).collect();
            let condition = Condition::one_of(Sign::IsNot, gone);
            let shown = as_typed(field.name, Sign::IsNot, &noun.gone.join(","));
            let one = One::own(field.name, shown, Sign::IsNot, condition);
            self.tests.push(One { key: format!("{} gone", field.name), ..one });
        }
    }

    /// A filter by a member of an object.
    fn add_tag(
        &mut self,
        reading: &Reading<'_>,
        args: &mut Args,
        field: &'static Field,
        tag: &str,
        typed: &Typed<'_>,
    ) -> Result<()> {
        let object = field.test.field().unwrap_or_default();
        if let Some(own) = ["tag.", "tags.", "tag:", "tags:"].iter().find_map(|prefix| tag.strip_prefix(prefix)) {
            let shown = format!("{}{}{}", quoted(own), typed.sign.typed(), quoted(typed.value));
            let jq = as_jq(object, tag, typed);
            return Err(Error::usage(format!("{0} goes before the name of a tag once", field.name))
                .hint(shell::quoted(&format!("{}.{shown}", field.name)))
                .hint(format!("if the tag is really called {}: {jq}", quoted(tag))));
        }
        if selector::is_glob(tag) && !typed.value.is_empty() {
            let words = format!("{}.{} is not one tag: * and ? stand only in values", field.name, quoted(tag));
            return Err(Error::usage(words).hint(members(object, tag, typed)));
        }
        if !typed.json && !typed.sign.is_regex() {
            one_value(&[object, tag], &format!("{}.{tag}", field.name), typed.sign, typed.value)?;
        }
        let value = match typed.json {
            false if typed.sign.is_regex() => typed.value.to_owned(),
            false => unescaped(typed.value).into_owned(),
            // Typed values are compared by their text: 1.10 is not 1.1.
            true => {
                let word = format!("{tag}:={}", typed.value);
                match pair::read(&word)? {
                    (_, Arg::Json(raw)) => {
                        scan::unquote(raw.get()).map_or(raw.get().to_owned(), |text| text.into_owned())
                    }
                    (_, Arg::Text(text)) => text,
                }
            }
        };
        self.add(reading, args, field, &Typed { name: tag, ..*typed }, &value)
    }

    /// Adds a condition, and asks the service for it where it knows the same.
    fn add(
        &mut self,
        reading: &Reading<'_>,
        args: &mut Args,
        field: &'static Field,
        typed: &Typed<'_>,
        value: &str,
    ) -> Result<()> {
        let Typed { name, sign, exact, .. } = *typed;
        let member = matches!(field.test, Test::Member(_));
        let key = if member { format!("{}.{name}", field.name) } else { field.name.to_owned() };
        if member {
            pair::check_name(name)?;
        }
        if value.is_empty() {
            return Err(if member { none_of(empty(&key, sign), &key) } else { empty(&key, sign) });
        }
        refuse_secret(name, value, member)?;
        if field.test == Test::Service {
            values::add(args, field, value, reading.files)?;
            self.queries.extend(judged::read(field.kind, value)?);
            return Ok(());
        }
        if let Test::Text(row) | Test::Begins(row) = field.test
            && !sign.is_regex()
        {
            one_value(&[row], &key, sign, value)?;
            if row == "name" {
                a_name(&key, sign, value, matches!(field.test, Test::Begins(_)))?;
            }
        }
        let value = &*if sign.is_regex() { value.into() } else { unescaped(value) };
        let shown = as_typed(&key, sign, typed.value);
        if sign == Sign::Is && self.tests.iter().any(|one| one.key == key && one.sign == Sign::Is) {
            return Err(Error::usage(format!("{key} is given twice")));
        }
        let several = matches!(field.test, Test::State(..)) && value.contains(',');
        if several && sign == Sign::Is {
            return self.add_states(reading, args, field, value);
        }
        let (condition, query) = condition(field, &key, typed, value)?;
        let query = query.filter(|query| !reading.service.is_inner() || may_be_asked(field.test, query));
        let condition = match field.test {
            // The service finds what begins so; of `==` all of it counts.
            Test::Begins(_) if exact && !sign.is_regex() => Some(Condition::text(sign, value)),
            _ => condition,
        };
        let mut path: Vec<String> = field.test.field().unwrap_or_default().split('/').map(str::to_owned).collect();
        path.extend(member.then(|| name.to_owned()));
        // The service takes the id of one.
        let query = query.filter(|_| match (field.test, field.kind) {
            (Test::Id(_), Kind::Ref(noun)) => !is_of_all_versions(noun, value),
            _ => true,
        });
        let asked = query.is_some();
        if let Some((name, value)) = query {
            match args.get(&name) {
                None => args.push(name, Arg::Text(value)),
                Some(Arg::Text(other)) if *other == value => {}
                Some(_) => {
                    return Err(Error::usage(format!(
                        "{shown}: the list cannot be asked for this together with {name}"
                    )));
                }
            }
        }
        let named = match (field.test, field.kind) {
            (Test::Id(_), Kind::Ref(noun)) => {
                Some(Named { noun, argument: asked.then_some(field.name), name: value.to_owned(), field: noun.key })
            }
            _ => None,
        };
        self.tests.extend(condition.map(|condition| One {
            due: reading.due(&path),
            path,
            named,
            asked,
            filled: matches!(field.test, Test::Filled(_)),
            ordered: member && sign.orders(),
            must_be_seen: field.test.must_be_seen(),
            ..One::own(&key, shown, sign, condition)
        }));
        Ok(())
    }

    /// Several states, of which a thing must be in one. The list is asked for all there are.
    fn add_states(&mut self, reading: &Reading<'_>, args: &mut Args, field: &'static Field, value: &str) -> Result<()> {
        let states: Vec<String> =
            value.split(',').map(str::trim).filter(|state| !state.is_empty()).map(str::to_owned).collect();
        for state in &states {
            values::one_of(field, state)?;
        }
        let Test::State(known, _) = field.test else { return Ok(()) };
        let shown = |word: &String| {
            known.iter().find(|state| state.word == word.as_str()).map_or(word.as_str(), |state| state.shown).to_owned()
        };
        let condition = Condition::one_of(Sign::Is, states.iter().map(shown).collect());
        let noun = reading.service.listed_by(reading.op);
        if let Some((name, value)) = noun.and_then(Noun::whole) {
            args.push(name, Arg::Text(value.to_owned()));
        }
        let shown = as_typed(field.name, Sign::Is, value);
        let one = One::own(field.name, shown, Sign::Is, condition);
        self.tests.push(One { must_be_seen: true, due: reading.due(&one.path), ..one });
        Ok(())
    }

    /// Refuses fields that say how much of a list is shown: of targets they would say nothing, or hide some.
    ///
    /// # Errors
    /// A usage error that names the field.
    pub fn only_filters(op: &Op, words: &[String]) -> Result<()> {
        for word in words {
            let Ok(typed) = Typed::parse(word) else { continue };
            let shows = |field: &&Field| field.is_called(typed.name) && field.test == Test::Nothing;
            if let Some(field) = op.fields.iter().find(shows) {
                let words = format!("{} says what a list shows, and selects nothing", field.name);
                return Err(Error::usage(words));
            }
        }
        Ok(())
    }

    /// Takes back what the service would be asked for and is compared here too, so that it hides nothing that was
    /// named.
    pub fn compare_here(&mut self, args: &mut Args) {
        for one in self.tests.iter_mut().filter(|one| one.asked) {
            args.remove(&one.key);
            one.asked = false;
        }
    }

    /// Whether a name must be looked up that is not among the arguments.
    pub fn asks_the_service(&self) -> bool {
        let named = |one: &One| one.named.as_ref().is_some_and(|named| resolve::needs_lookup(named.noun, &named.name));
        self.picks.asks_the_service() || self.tests.iter().any(named)
    }

    /// The same for the names of what other services have.
    ///
    /// # Errors
    /// As [`RowFilter::settle`]; a usage error for a pattern where names are looked up one by one.
    pub async fn settle_elsewhere(&mut self, services: &dyn Services, own: &Service, args: &Args) -> Result<()> {
        for one in &mut self.tests {
            let other = |named: &mut Named| !std::ptr::eq(api::service_of(named.noun.list), own);
            let Some(named) = one.named.take_if(other) else { continue };
            let noun = named.noun;
            let several = one.sign.is_regex() || selector::is_glob(&named.name);
            let id = named.argument.and_then(|name| args.text(name)).unwrap_or(&named.name);
            if !several && !resolve::needs_lookup(noun, id) {
                one.condition = Condition::exactly(one.sign, id);
                continue;
            }
            if several && noun.list.shape != Shape::Rows {
                let words = format!("{}: {} are looked up one by one", one.typed, words::plural(noun.word));
                return Err(Error::usage(words).hint(format!("its {}", noun.called)));
            }
            let client = services.client(api::service_of(noun.list)).await?;
            one.condition = named.condition(&client, args, one.sign).await?;
        }
        Ok(())
    }

    /// Puts ids in the place of names: those of the arguments have been looked up by now.
    ///
    /// # Errors
    /// Not found, ambiguous, or a list could not be read.
    pub async fn settle(&mut self, client: &Client, args: &Args) -> Result<()> {
        self.picks.settle(client).await?;
        for one in &mut self.tests {
            if let Some(named) = one.named.take() {
                one.condition = named.condition(client, args, one.sign).await?;
            }
        }
        Ok(())
    }

    /// Whether the service is asked for all that rows must be like.
    pub fn is_asked(&self) -> bool {
        self.tests.iter().all(|one| one.asked) && self.picks.is_empty() && self.newest.is_none()
    }

    /// Whether there is nothing to be done to the rows.
    pub fn is_idle(&self) -> bool {
        self.is_empty() && self.implied.is_none() && self.cut.is_none() && self.newest.is_none()
    }

    /// Whether rows must be like something beside their names.
    pub fn has_fields(&self) -> bool {
        !self.tests.is_empty() || !self.queries.is_empty() || self.picks.has_more()
    }

    /// Whether this field of rows is compared with something.
    pub(super) fn compares(&self, field: &str) -> bool {
        self.tests.iter().any(|one| one.key == field)
    }

    /// Whether there is nothing that rows must be like.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.queries.is_empty() && self.picks.is_empty()
    }

    /// How many rows are skipped and how many are shown, if they are counted here.
    pub fn cut(&self) -> Option<(usize, usize)> {
        self.cut
    }

    /// Whether a row is what was asked for.
    pub fn fits(&self, row: &RawValue) -> bool {
        self.fits_if_listed(row) & self.implied.as_ref().is_none_or(|one| one.fits(row))
    }

    /// The same, be it one that the list leaves out by itself or not.
    pub fn fits_if_listed(&self, row: &RawValue) -> bool {
        // What is named and does not fit is there all the same.
        self.picks.fits(row) & self.is_like(row, |_| false)
    }

    /// Whether a row is what was asked for, however old it is, and whatever uses it.
    pub fn fits_at_any_age(&self, row: &RawValue) -> bool {
        self.picks.fits_used_or_not(row) & self.is_like(row, |one| one.by_age)
    }

    fn is_like(&self, row: &RawValue, but_for: impl Fn(&One) -> bool) -> bool {
        let fits = |query: &Query| judged::may_fit(query, row);
        self.tests.iter().all(|one| but_for(one) || one.fits(row)) && self.queries.iter().all(fits)
    }

    /// Says which filters a request that is only shown does not have.
    pub fn tell_unasked(&self, report: &dyn Report) {
        let unasked: Vec<&str> = self.tests.iter().filter(|one| !one.asked).map(|one| one.typed.as_str()).collect();
        if !unasked.is_empty() {
            report.say(&format!("note: the rows of the answer are compared here with {}", unasked.join(", ")));
        }
    }
}

impl One {
    /// One that the service is not asked for.
    fn own(field: &str, typed: String, sign: Sign, condition: Condition) -> One {
        One {
            key: field.to_owned(),
            typed,
            sign,
            path: vec![field.to_owned()],
            condition,
            named: None,
            asked: false,
            filled: false,
            must_be_seen: false,
            looked: Cell::new(false),
            seen: Cell::new(false),
            ordered: false,
            by_age: false,
            due: None,
        }
    }

    fn fits(&self, row: &RawValue) -> bool {
        self.looked.set(true);
        let Some((first, rest)) = self.path.split_first() else { return false };
        // Each look goes through the row.
        let member = scan::member(row.get(), first);
        if self.due.is_some_and(|column| !self.shows(member, &column)) {
            return false;
        }
        if self.filled {
            let any = member.and_then(scan::members).is_some_and(|mut members| members.next().is_some());
            return any != self.sign.is_negative();
        }
        let value = member.and_then(|json| scan::at(json, rest)).and_then(scan::text);
        if let Some(value) = value.filter(|value| !value.starts_with(['[', '{'])) {
            self.seen.set(self.seen.get() || self.condition.compares(&value));
            return self.condition.fits(Some(&value));
        }
        // Of an array every element counts, and of an object all that is in it.
        let mut found = Vec::new();
        if let Some(value) = member.and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok()) {
            column_filter::values(&value, rest, &mut found);
        }
        self.seen.set(self.seen.get() || found.iter().any(|value| self.condition.compares(value)));
        match found.is_empty() {
            true => self.condition.fits(None),
            false => self.condition.fits_some(found.iter().map(String::as_str)),
        }
    }
}

/// A filter as it was typed, for messages.
fn as_typed(key: &str, sign: Sign, value: &str) -> String {
    format!("{}{}{}", quoted(key), sign.typed(), quoted(value))
}

/// A filter that was typed as an option.
fn option<'a>(field: &Field, value: &'a str) -> Typed<'a> {
    Typed { name: field.name, sign: Sign::Is, value, json: false, exact: false }
}
