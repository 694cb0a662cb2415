//! What an operation answered: nothing, one object, or rows that keep the server's own text.
//! Nothing is decoded before it is asked for, and nothing is ever changed.

pub mod scan;

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Hint, Kind, Result};

/// So many rows an answer may have: more, nobody has asked for. The service has them in pages of a thousand, and cuts
/// only few lists into no pages.
pub const MAX_ROWS: usize = 200_000;

/// So many values one object or row of an answer may have, all that is within it counted: the largest that services have
/// are some thousands. Each costs many times its text once it is read.
pub const MAX_VALUES: usize = 1_000_000;
/// A list may have so many for each row beside that.
const VALUES_OF_ROW: usize = 128;

/// The answer of an operation.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    /// No body.
    #[default]
    Nothing,
    /// One object, as the server wrote it.
    Record(Box<RawValue>),
    /// An array, each element as the server wrote it.
    Rows(Vec<Box<RawValue>>),
}

impl Answer {
    /// Reads a body that must be an array.
    ///
    /// # Errors
    /// [`Kind::Unreachable`], telling what came instead.
    pub fn from_rows(body: &[u8]) -> Result<Answer> {
        Answer::rows_of(body, None)
    }

    /// The same of a body that this service answered.
    pub(crate) fn rows_of(body: &[u8], service: Option<Whose>) -> Result<Answer> {
        Ok(Answer::Rows(rows_of(body, service)?.into_iter().map(ToOwned::to_owned).collect()))
    }

    /// Reads a body that must be one JSON document: an object, or whatever a tag holds.
    ///
    /// # Errors
    /// [`Kind::Unreachable`], telling what came instead.
    pub fn from_record(body: &[u8]) -> Result<Answer> {
        Answer::record_of(body, None)
    }

    /// The same of a body that this service answered.
    pub(crate) fn record_of(body: &[u8], service: Option<Whose>) -> Result<Answer> {
        let text = text_of(body)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| broken(text, &error, service))?;
        few_values(text, MAX_VALUES, service)?;
        Ok(Answer::Record(raw.to_owned()))
    }

    /// The records of several answers as rows, or the last answer as it is.
    pub fn joined(mut all: Vec<Answer>, as_rows: bool) -> Answer {
        if !as_rows && let Some(last) = all.pop() {
            return last;
        }
        let record = |answer| match answer {
            Answer::Record(object) => Some(object),
            _ => None,
        };
        Answer::Rows(all.into_iter().filter_map(record).collect())
    }

    /// The rows; a record counts as one.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        let list = match self {
            Answer::Nothing => &[],
            Answer::Record(record) => std::slice::from_ref(record),
            Answer::Rows(rows) => rows.as_slice(),
        };
        list.iter().map(|raw| Row(raw))
    }

    /// The first row, or the record.
    pub fn first(&self) -> Option<Row<'_>> {
        self.rows().next()
    }

    /// The answer as values, as [`Row::value`] has it.
    pub fn value(&self) -> Value {
        scan::value(&self.json())
    }

    /// Decodes the whole answer: a record into a struct, rows into a `Vec`, nothing into `()`.
    ///
    /// # Errors
    /// [`Kind::Other`] when a field is of another type than `T` wants.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        parse(&self.json())
    }

    /// The answer as one JSON document, every token as the server wrote it; `null` for nothing.
    pub fn json(&self) -> Cow<'_, str> {
        match self {
            Answer::Nothing => Cow::Borrowed("null"),
            Answer::Record(record) => Cow::Borrowed(record.get()),
            Answer::Rows(rows) => {
                let mut out = String::with_capacity(2 + rows.iter().map(|row| row.get().len() + 1).sum::<usize>());
                out.push('[');
                for (index, row) in rows.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(row.get());
                }
                out.push(']');
                Cow::Owned(out)
            }
        }
    }
}

/// One object of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a>(pub &'a RawValue);

impl<'a> Row<'a> {
    /// The server's own text.
    pub fn json(self) -> &'a str {
        self.0.get()
    }

    /// The text at a JSON pointer such as `/name` or `/nics/0/ip`: a string's content, the JSON text
    /// of everything else, `None` when it is absent or null.
    pub fn text(self, pointer: &str) -> Option<Cow<'a, str>> {
        self.text_at(&scan::steps(pointer)?)
    }

    /// The same, and nothing where it is absent or null.
    pub fn text_or_empty(self, pointer: &str) -> String {
        self.text(pointer).unwrap_or_default().into_owned()
    }

    /// The text at these steps of a pointer.
    pub fn text_at<S: AsRef<str>>(self, steps: &[S]) -> Option<Cow<'a, str>> {
        scan::text(scan::at(self.json(), steps)?)
    }

    /// The object with more members behind its own, whose text stays as it is. A member of its own is not replaced.
    pub fn with_members(self, members: &[(&str, Value)]) -> Box<RawValue> {
        let new = members.iter().filter(|(name, _)| scan::member(self.json(), name).is_none());
        let new: Vec<String> = new.map(|(name, value)| format!("{}:{value}", Value::from(*name))).collect();
        let own = self.json().trim().strip_suffix('}').map(str::trim_end).filter(|_| !new.is_empty());
        let joined = own.and_then(|own| {
            let comma = if own.ends_with('{') { "" } else { "," };
            RawValue::from_string(format!("{own}{comma}{}}}", new.join(","))).ok()
        });
        joined.unwrap_or_else(|| self.0.to_owned())
    }

    /// The object as values, whatever is in it: what no reader takes (half of a character, a number without measure,
    /// lists within lists) stands there as text, so that it hides nothing else.
    pub fn value(self) -> Value {
        scan::value(self.json())
    }

    /// Decodes the object.
    ///
    /// # Errors
    /// [`Kind::Other`] when a field is of another type than `T` wants.
    pub fn read<T: DeserializeOwned>(self) -> Result<T> {
        parse(self.json())
    }
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json)
        .map_err(|error| Error::other("the answer is not of the type that was asked for").because(error))
}

/// Splits the body of a list into its rows, each borrowed from the body. The whole body has then been
/// found to be valid UTF-8 and JSON, and may be passed on as it is.
///
/// # Errors
/// [`Kind::Unreachable`], telling what came instead.
pub fn split_rows(body: &[u8]) -> Result<Vec<&RawValue>> {
    rows_of(body, None)
}

/// The service that must have answered.
#[derive(Clone, Copy)]
pub(crate) struct Whose {
    /// Its name.
    pub(crate) name: &'static str,
    /// The command that finds what is wrong with its URL.
    pub(crate) doctor: &'static str,
}

impl Whose {
    /// What to ask where an answer cannot be the service's.
    pub(crate) fn hint(self) -> Hint {
        Hint::from(format!("is the URL that of {} itself? try: ", self.name)).then_run(self.doctor)
    }
}

/// The rows of a list that this service answered.
pub(crate) fn rows_of(body: &[u8], service: Option<Whose>) -> Result<Vec<&RawValue>> {
    let text = text_of(body)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let rows = RowsOf(MAX_ROWS).deserialize(&mut reader).and_then(|rows| reader.end().map(|()| rows));
    let rows = rows.map_err(|error| {
        if error.to_string().starts_with(TOO_MANY) {
            let words = format!("the answer has more than {MAX_ROWS} rows, more than were asked for");
            service.map(Whose::hint).into_iter().fold(Error::new(Kind::Unreachable, words), Error::hint)
        } else if error.is_data() {
            Error::new(Kind::Unreachable, format!("the answer is {} where a list was expected", kind_of(text)))
        } else {
            broken(text, &error, service)
        }
    })?;
    if scan::has_more_values(text, MAX_VALUES) {
        few_values(text, MAX_VALUES + VALUES_OF_ROW * rows.len(), service)?;
        rows.iter().try_for_each(|row| few_values(row.get(), MAX_VALUES, service))?;
    }
    Ok(rows)
}

/// Refuses what would cost far more memory than its text, and time with it. It is no better next time.
fn few_values(text: &str, most: usize, service: Option<Whose>) -> Result<()> {
    if !scan::has_more_values(text, most) {
        return Ok(());
    }
    let words = format!("the answer has more than {most} values, more than anything has that was asked for");
    let error = Error::new(Kind::Unreachable, words).lasting();
    Err(service.map(Whose::hint).into_iter().fold(error, Error::hint))
}

/// Refuses a document that is read as a whole, whatever it is, where it has more values than an answer may have.
///
/// # Errors
/// [`Kind::Unreachable`].
#[cfg(feature = "cli")]
pub(crate) fn bounded(json: &str) -> Result<()> {
    if !scan::has_more_values(json, MAX_VALUES) {
        return Ok(());
    }
    let rows = scan::elements(json).map_or(0, Iterator::count);
    few_values(json, MAX_VALUES + VALUES_OF_ROW * rows.min(MAX_ROWS), None)
}

/// How the reader's own error begins.
const TOO_MANY: &str = "too many rows";

/// Reads an array of so many elements at most: a small body can hold millions of them, each of which costs more than
/// its text.
struct RowsOf(usize);

impl<'de> DeserializeSeed<'de> for RowsOf {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsOf {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = list.next_element::<&RawValue>()? {
            if rows.len() == self.0 {
                return Err(serde::de::Error::custom(TOO_MANY));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

fn text_of(body: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Error::new(Kind::Unreachable, format!("the answer is not text: no UTF-8 at byte {at}")).because(error)
    })?;
    if text.trim_matches(scan::BLANK).is_empty() {
        return Err(Error::new(Kind::Unreachable, "the answer is empty where JSON was expected"));
    }
    Ok(text)
}

/// The error for a body that is no JSON.
fn broken(text: &str, error: &serde_json::Error, service: Option<Whose>) -> Error {
    let start = text.trim_start();
    if start.starts_with('<') {
        let page = Error::new(Kind::Unreachable, "the answer is a web page, not JSON");
        let check = |Whose { name, .. }| {
            format!("check that the URL is that of a {name}, and that no proxy or login page stands before it")
        };
        return service.map(check).into_iter().fold(page, Error::hint);
    }
    if error.is_eof() {
        return Error::new(Kind::Unreachable, format!("the answer breaks off after {} bytes", text.len()));
    }
    let at = offset(text, error.line(), error.column());
    let words = format!("the answer is not JSON: wrong at byte {at} of {}", text.len());
    let error = Error::new(Kind::Unreachable, words).because(error.to_string());
    service.map(Whose::hint).into_iter().fold(error, Error::hint)
}

fn kind_of(text: &str) -> &'static str {
    match text.trim_start_matches(scan::BLANK).as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The byte that a line and column (both from 1, the column in bytes) name.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}
