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
//! use sdc::api::cloudapi::machines::{LIST, MACHINES};
//! use sdc::request::Args;
//! use sdc::tasks::row_filter::{Reading, RowFilter};
//! use sdc::tasks::values::{Folders, Given};
//!
//! let files = Folders { folder: ".".as_ref(), home: None };
//! let reading = Reading { op: &LIST, columns: MACHINES.columns, now: 0, files: &files };
//! let given = Given { words: vec!["tag.role=web".to_owned(), "memory>=512".to_owned()], ..Given::default() };
//! let mut args = Args::new();
//! let filter = RowFilter::read(&reading, &given, false, &mut args)?;
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

use std::cell::Cell;

use serde_json::value::RawValue;

use super::filter_errors::{a_name, empty, one_filter, one_value, unknown};
use super::values::{Files, Given};
use super::{Report, filter_as_jq as query, resolve, secrets, values};
use crate::answer::{Row, scan};
use crate::api::{Column, Field, Kind, Method, Op, Paging, Shape, Test};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::grammar::filter::{Condition, Sign, Typed, check_value};
use crate::grammar::shell;
use crate::grammar::{mebibytes, selector};
use crate::request::{Arg, Args};
use crate::sensitive::{self, quoted};

/// What the rows of a list must be like, and how many are wanted.
#[derive(Default)]
pub struct RowFilter {
    tests: Vec<One>,
    /// How many rows are skipped, and how many are wanted, where rows must be counted here.
    cut: Option<(usize, usize)>,
}

/// What it takes to read the filters of a list.
pub struct Reading<'a> {
    /// The operation.
    pub op: &'static Op,
    /// The columns of its rows.
    pub columns: &'a [Column],
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// The files that values name.
    pub files: &'a dyn Files,
}

/// A condition on a row.
struct One {
    field: &'static Field,
    /// As it was typed, for messages.
    typed: String,
    sign: Sign,
    /// Where a row has the value.
    path: Vec<String>,
    condition: Condition,
    /// A name that stands for an id, as long as it is not looked up.
    name: Option<String>,
    /// The service is asked for it too.
    asked: bool,
    /// A row has shown the value.
    seen: Cell<bool>,
}

/// Whether the filters of an operation are read here.
pub fn is_list(op: &Op) -> bool {
    op.method == Method::Get && op.shape == Shape::Rows
}

impl RowFilter {
    /// Reads the filters, and adds to the arguments what the service is asked for. `sorted` says that the rows are to
    /// be sorted.
    ///
    /// # Errors
    /// A usage error with what works instead.
    pub fn read(reading: &Reading<'_>, given: &Given, sorted: bool, args: &mut Args) -> Result<RowFilter> {
        let mut filter = RowFilter::default();
        if !is_list(reading.op) {
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
        filter.count(reading.op, args, sorted)?;
        Ok(filter)
    }

    /// Takes the number of rows that are wanted from the request where the service would count others: those that do
    /// not fit, those that are sorted behind, those that it leaves out itself.
    fn count(&mut self, op: &Op, args: &mut Args, sorted: bool) -> Result<()> {
        let here = sorted || !self.tests.is_empty() || matches!(op.paging, Paging::Sparse(_));
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
        let known = || format!("known filters: {}", values::names(op));
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
            if !field.is_called(typed.name) {
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
        Err(unknown(op, reading.columns, &typed, reading.now).hint(known()))
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
        let value = value.trim();
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
            Kind::Flag(word) if sign != Sign::Is => return Err(plain(word)),
            Kind::Flag(word) if value != word => {
                return Err(Error::usage(format!("the filter {name} takes only {name}={word}")));
            }
            _ if matches!(field.test, Test::Nothing | Test::Service) && sign != Sign::Is => return Err(plain(value)),
            _ => {}
        }
        values::one_of(field, value)?;
        match field.test {
            Test::Nothing => values::add(args, field, value, reading.files),
            _ => self.add(reading, args, field, &Typed { value, ..*typed }, value),
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
            let jq = query::either(&[object, tag], typed.sign, &[typed.value]);
            return Err(Error::usage(format!("{0} goes before the name of a tag once", field.name))
                .hint(shell::quoted(&format!("{}.{shown}", field.name)))
                .hint(format!("if the tag is really called {}: {jq}", quoted(tag))));
        }
        if selector::is_glob(tag) && !typed.value.is_empty() {
            let words = format!("{}.{} is not one tag: * and ? stand only in values", field.name, quoted(tag));
            return Err(Error::usage(words).hint(query::members(object, tag, typed)));
        }
        if !typed.json {
            one_value(&[object, tag], &format!("{}.{tag}", field.name), typed.sign, typed.value)?;
        }
        let value = match typed.json {
            false => typed.value.to_owned(),
            // Typed values are compared by their text: 1.10 is not 1.1.
            true => {
                let word = format!("{tag}:={}", typed.value);
                match values::pair(&word)? {
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
            secrets::check_name(name)?;
        }
        if value.is_empty() {
            return Err(empty(&key, sign));
        }
        // A tag may hold a URL with a login, and then it is looked for.
        let sort = sensitive::sort(value).filter(|sort| match sort {
            // The words alone are no key.
            sensitive::Sort::Key => !member || sensitive::has_key_in_it(value),
            _ => !member,
        });
        if matches!(sort, Some(sensitive::Sort::Key | sensitive::Sort::Login)) {
            return sensitive::refuse(quoted(name), value, "what to look for");
        }
        if field.test == Test::Service {
            return values::add(args, field, value, reading.files);
        }
        if let Test::Text(row) | Test::Begins(row) = field.test {
            one_value(&[row], &key, sign, value)?;
            if row == "name" {
                a_name(&key, sign, value, matches!(field.test, Test::Begins(_)))?;
            }
        }
        let shown =
            format!("{}{}{}", quoted(&key), if sign == Sign::Is { "=" } else { sign.as_str() }, quoted(typed.value));
        if sign == Sign::Is && self.tests.iter().any(|one| one.key() == key && one.sign == Sign::Is) {
            return Err(Error::usage(format!("{key} is given twice")));
        }
        let (condition, query) = condition(field, &key, typed, value)?;
        let condition = match field.test {
            // The service finds what begins so; of `==` all of it counts.
            Test::Begins(_) if exact => Some(Condition::text(sign, value)),
            _ => condition,
        };
        let mut path = vec![field.test.field().unwrap_or_default().to_owned()];
        path.extend(member.then(|| name.to_owned()));
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
        let name = matches!(field.test, Test::Id(_)).then(|| value.to_owned());
        self.tests.extend(condition.map(|condition| One {
            field,
            typed: shown,
            sign,
            path,
            condition,
            name,
            asked,
            seen: Cell::new(false),
        }));
        Ok(())
    }

    /// Whether a name must be looked up that is not among the arguments.
    pub fn asks_the_service(&self) -> bool {
        self.tests.iter().any(|one| match (one.field.kind, &one.name) {
            (Kind::Ref(noun), Some(name)) => resolve::needs_lookup(noun, name),
            _ => false,
        })
    }

    /// Puts ids in the place of names: those of the arguments have been looked up by now.
    ///
    /// # Errors
    /// Not found, ambiguous, or the list could not be read.
    pub async fn settle(&mut self, client: &Client, args: &Args) -> Result<()> {
        for one in &mut self.tests {
            let (Kind::Ref(noun), Some(name)) = (one.field.kind, one.name.take()) else { continue };
            let id = match args.text(one.field.name).filter(|_| one.asked) {
                Some(id) => id.to_owned(),
                None => resolve::id(client, noun, &name).await?,
            };
            one.condition = Condition::exactly(one.sign, &id);
        }
        Ok(())
    }

    /// Whether there is nothing to be done to the rows.
    pub fn is_idle(&self) -> bool {
        self.tests.is_empty() && self.cut.is_none()
    }

    /// How many rows are skipped and how many are shown, if they are counted here.
    pub fn cut(&self) -> Option<(usize, usize)> {
        self.cut
    }

    /// Whether a row is what was asked for.
    pub fn fits(&self, row: &RawValue) -> bool {
        self.tests.iter().all(|one| one.fits(row))
    }

    /// Says what no row has shown, so that nobody takes an empty list for an answer.
    pub fn tell_unseen(&self, report: &dyn Report, rows: usize) {
        let unseen = |one: &&One| !one.seen.get() && one.must_be_seen();
        for one in self.tests.iter().filter(unseen).filter(|_| rows > 0) {
            report.say(&format!(
                "note: {}: no row of the service's list has the field {}",
                one.typed,
                one.path.join(".")
            ));
        }
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
    fn key(&self) -> String {
        match self.field.test {
            Test::Member(_) => format!("{}.{}", self.field.name, self.path.last().map_or("", String::as_str)),
            _ => self.field.name.to_owned(),
        }
    }

    /// Whether each row should have the value, so that a list without any is an odd one.
    fn must_be_seen(&self) -> bool {
        matches!(self.field.test, Test::Text(_) | Test::Id(_) | Test::Begins(_) | Test::Number(_) | Test::State(..))
    }

    fn fits(&self, row: &RawValue) -> bool {
        if let Test::Filled(field) = self.field.test {
            let members = scan::member(row.get(), field).and_then(scan::members);
            return members.is_some_and(|mut members| members.next().is_some());
        }
        let pointer: String =
            self.path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect();
        let value = Row(row).text(&pointer);
        if value.is_some() && !self.seen.get() {
            self.seen.set(true);
        }
        self.condition.fits(value.as_deref())
    }
}

/// What the service is asked for.
type Query = Option<(String, String)>;

/// A filter that was typed as an option.
fn option<'a>(field: &Field, value: &'a str) -> Typed<'a> {
    Typed { name: field.name, sign: Sign::Is, value, json: false, exact: false }
}

/// The condition of a filter, if there is something to compare, and what the service is asked for. It is asked only
/// for what it knows by the same meaning, or by a wider one.
fn condition(field: &Field, key: &str, typed: &Typed<'_>, value: &str) -> Result<(Option<Condition>, Query)> {
    let sign = typed.sign;
    let shown = quoted(value);
    let numeric = matches!(field.test, Test::Number(_) | Test::Member(_));
    if sign.orders() && !numeric {
        let known =
            if matches!(field.test, Test::Text(_) | Test::Begins(_)) { "; * and ? stand for anything" } else { "" };
        return Err(Error::usage(format!("{key} is not a number, so it takes only = and !={known}"))
            .hint(format!("{key}={shown}")));
    }
    let globs = selector::is_glob(value);
    let same = |value: &str| Some((key.to_owned(), value.to_owned())).filter(|_| sign == Sign::Is);
    Ok(match field.test {
        Test::Text(_) => {
            if matches!(field.kind, Kind::Uuid) && !resolve::is_uuid(value) {
                return Err(Error::usage(format!("'{shown}' is not a UUID")).about(key));
            }
            let value = if matches!(field.kind, Kind::Uuid) { value.to_ascii_lowercase() } else { value.to_owned() };
            (Some(Condition::text(sign, &value)), same(&value).filter(|_| !globs))
        }
        Test::Id(_) if globs || value.contains([',', '|']) => {
            let words = format!("{key} takes one {}, and no globs", field.name);
            return Err(Error::usage(words).hint(format!("{key}=NAME, or its id")));
        }
        Test::Id(_) => (Some(Condition::exactly(sign, value)), same(value)),
        Test::Begins(_) => {
            // Of a glob the service can find what it begins with.
            let begin = value.split(['*', '?']).next().filter(|begin| !begin.is_empty());
            (Some(Condition::begins(sign, value)), begin.and_then(same))
        }
        Test::Number(_) => {
            let number = match field.kind {
                Kind::Mebibytes => mebibytes(value).map_err(|error| error.about(key))?,
                _ => value.parse().map_err(|_| Error::usage(format!("'{shown}' is not a whole number")).about(key))?,
            };
            (Some(Condition::number(sign, number as f64)), same(&number.to_string()))
        }
        Test::Bool(_) => match value {
            "true" | "false" => (Some(Condition::truth(sign, value == "true")), same(value)),
            _ => return Err(Error::usage(format!("'{shown}' is neither true nor false")).about(key)),
        },
        Test::State(states, others) => {
            let state = states.iter().find(|state| state.word == value);
            let state = state.ok_or_else(|| {
                let known: Vec<&str> = states.iter().map(|state| state.word).collect();
                super::words::unknown_state(&shown, &known)
            })?;
            let query = if sign == Sign::Is { state.query } else { others };
            let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
            match (state.shown, sign) {
                ("*", Sign::Is) => (None, query),
                ("*", _) => return Err(Error::usage(format!("{key}!={value} fits nothing"))),
                (state, sign) => (Some(Condition::exactly(sign, state)), query),
            }
        }
        Test::Member(_) if sign.orders() => {
            let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
            let words = || format!("{key}{}{shown}: only numbers can be less or greater", sign.as_str());
            (Some(Condition::number(sign, number.ok_or_else(|| Error::usage(words()))?)), None)
        }
        Test::Member(_) => (Some(Condition::text(sign, value)), same(value).filter(|_| !globs)),
        Test::Filled(_) => (Some(Condition::truth(sign, true)), None),
        Test::Nothing | Test::Service => (None, None),
    })
}
