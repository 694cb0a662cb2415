//! What follows `-o`: a format, columns, or both; checked before any request is sent.

use crate::answer::scan;
use crate::api::{Column, Level, Show};
use crate::error::{Error, Result};

/// A format of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns, or `key: value` lines for a single object.
    Table,
    /// A table with the long columns.
    Wide,
    /// JSON as the server sent it.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// YAML.
    Yaml,
    /// Comma-separated values (RFC 4180, with LF at the end of lines).
    Csv,
    /// Tab-separated values.
    Tsv,
    /// One id a line.
    Ids,
}

/// Every format by its name.
pub const FORMATS: &[(&str, Format)] = &[
    ("table", Format::Table),
    ("wide", Format::Wide),
    ("json", Format::Json),
    ("jsonl", Format::Jsonl),
    ("yaml", Format::Yaml),
    ("csv", Format::Csv),
    ("tsv", Format::Tsv),
    ("ids", Format::Ids),
];

/// A column that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its name, as the user typed it.
    pub name: String,
    /// The way to its value: names of members, positions in arrays.
    pub path: Vec<String>,
    /// How a table shows it.
    pub show: Show,
}

impl Chosen {
    fn of(column: &Column) -> Self {
        Chosen { name: column.name.to_owned(), path: path(column.field), show: column.show }
    }

    /// What stands above it in a table.
    pub fn header(&self) -> String {
        if self.name.starts_with('/') { self.name.clone() } else { self.name.to_uppercase() }
    }
}

fn path(field: &str) -> Vec<String> {
    scan::steps(field).unwrap_or_else(|| vec![field.to_owned()])
}

/// The columns of a format when none were named. CSV and TSV name them after the fields, since they hold
/// what the server sent rather than what a table shows.
pub fn defaults(format: Format, long: bool, known: &[Column]) -> Vec<Chosen> {
    let level = if long || format == Format::Wide { Level::Long } else { Level::Short };
    let shown = known.iter().filter(|column| column.level <= level);
    let mut list: Vec<Chosen> = Vec::new();
    for column in shown {
        let mut chosen = Chosen::of(column);
        let computed = matches!(column.show, Show::MachineFlags | Show::ImageFlags | Show::Usage);
        if matches!(format, Format::Csv | Format::Tsv) && !computed {
            chosen.name = column.field.trim_start_matches('/').to_owned();
        }
        if !list.iter().any(|other| other.name == chosen.name) {
            list.push(chosen);
        }
    }
    list
}

/// The columns of a row that no table knows: its plain fields.
pub(super) fn seen(row: &str) -> Vec<Chosen> {
    let plain = scan::members(row).into_iter().flatten().filter(|(_, value)| !value.starts_with(['{', '[']));
    let mut list: Vec<Chosen> = Vec::new();
    for (token, _) in plain.take(32) {
        let name = scan::unquote(token).unwrap_or_default().into_owned();
        if !list.iter().any(|other| other.name == name) {
            list.push(Chosen { path: vec![name.clone()], name, show: Show::Text });
        }
    }
    if list.is_empty() {
        list.push(Chosen { name: "value".to_owned(), path: Vec::new(), show: Show::Text });
    }
    list
}

/// Reads the value of `-o`: `FORMAT`, `FORMAT:COLUMNS` or `COLUMNS`. With no columns known (an answer the
/// table has no row for) every name is taken for a field's.
///
/// # Errors
/// A usage error for a column that is not known, with those that are.
pub fn parse_output(value: &str, known: &[Column]) -> Result<(Format, Vec<Chosen>)> {
    let format_of = |word: &str| FORMATS.iter().find(|(name, _)| *name == word).map(|(_, format)| *format);
    if let Some(format) = format_of(value) {
        return Ok((format, Vec::new()));
    }
    if let Some(error) = mixed(value).or_else(|| of_another_tool(value)) {
        return Err(error);
    }
    let (format, names) = match value.split_once(':') {
        Some((word, names)) if format_of(word).is_some() => (format_of(word).unwrap_or(Format::Table), names),
        _ => (Format::Table, value),
    };
    if format == Format::Ids {
        return Err(Error::usage("the format 'ids' has no columns").hint("-o ids"));
    }
    let columns = names.split(',').map(|name| choose(name.trim(), known)).collect::<Result<Vec<_>>>();
    Ok((format, columns.map_err(|error| as_format(value, error))?))
}

/// What is wrong with a format that is not set off by a colon, or that is in other letters.
fn mixed(value: &str) -> Option<Error> {
    let (word, rest) = value.split_at(value.find([':', ',', '=']).unwrap_or(value.len()));
    let small = word.trim().to_lowercase();
    let (name, format) = FORMATS.iter().find(|(name, _)| *name == small)?;
    let columns = rest.get(1..).unwrap_or_default().trim();
    if word == *name && rest.starts_with(':') && !columns.is_empty() {
        return None;
    }
    let right = match (columns, format) {
        ("", _) | (_, Format::Ids) => format!("-o {name}"),
        (columns, _) => format!("-o {name}:{columns}"),
    };
    Some(Error::usage(format!("'{value}' is not a format with columns: FORMAT:COLUMN,...")).hint(right))
}

/// What is wrong with `FORMAT=…`, as in kubectl's `jsonpath={.items}`: no format here takes an argument so, and no
/// column has such a name.
fn of_another_tool(value: &str) -> Option<Error> {
    let (word, _) = value.split_once('=').filter(|(word, _)| !word.contains([':', ',', '/', '"', '[']))?;
    let formats: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let error = Error::usage(format!("unknown format '{word}'"));
    let error = error.hint(format!("the formats are {}, or COLUMN,...", formats.join(", ")));
    Some(error.hint("a part of the JSON: --jq EXPR"))
}

/// The longest hint that is a line of 80 columns with what stands before it.
const HINT: usize = 72;

/// A word that is nearly a format was more likely meant as one.
fn as_format(value: &str, error: Error) -> Error {
    let formats = FORMATS.iter().map(|(name, _)| *name);
    let format = |word: &str| FORMATS.iter().any(|(name, _)| *name == word);
    // It has a format, or a column is nearer.
    let nearer = error.hints().first().is_some_and(|hint| hint.as_str().starts_with("did you mean"));
    if value.split_once(':').is_some_and(|(word, _)| format(word)) || nearer {
        return error;
    }
    let word = value.split(':').next().unwrap_or(value);
    match nearest(word, formats.clone()) {
        Some(name) => Error::usage(format!("unknown format '{word}', did you mean '{name}'?")),
        None if value.contains([',', '.']) => error,
        None => error.hint(format!("the formats are {}", formats.collect::<Vec<_>>().join(", "))),
    }
}

/// The column of this name: a known one, a part of a nested one, or a JSON pointer.
pub(super) fn choose(name: &str, known: &[Column]) -> Result<Chosen> {
    if name.is_empty() {
        return Err(listing(Error::usage("an empty name in the list of columns"), known));
    }
    if let Some(column) = known.iter().find(|column| column.name == name) {
        return Ok(Chosen::of(column));
    }
    if let Some(path) = scan::steps(name) {
        return Ok(Chosen { name: name.to_owned(), path, show: Show::Text });
    }
    if known.is_empty() {
        return Ok(Chosen { name: name.to_owned(), path: vec![name.to_owned()], show: Show::Text });
    }
    if let Some((first, rest)) = name.split_once('.').filter(|(_, rest)| !rest.is_empty()) {
        match known.iter().find(|column| column.name == first) {
            Some(column) if column.nested => {
                let mut path = path(column.field);
                path.push(rest.to_owned());
                return Ok(Chosen { name: name.to_owned(), path, show: Show::Text });
            }
            Some(_) => {
                let message = format!("column '{first}' has no parts, so there is no '{name}'");
                return Err(listing(Error::usage(message), known));
            }
            None => {}
        }
    }
    let mut error = Error::usage(format!("there is no column '{name}'"));
    let small = name.to_lowercase();
    if let Some(near) = known.iter().find(|column| column.name == small || column.field == small).map(|it| it.name) {
        error = error.hint(format!("did you mean '{near}'?"));
    } else if let Some(near) = nearest(name, known.iter().map(|column| column.name)) {
        error = error.hint(format!("did you mean '{near}'?"));
    }
    Err(listing(error, known))
}

/// Adds the names of the columns as hints, each a line of a terminal.
fn listing(error: Error, known: &[Column]) -> Error {
    let mut lines = vec!["the columns are".to_owned()];
    for (at, column) in known.iter().enumerate() {
        let comma = if at + 1 < known.len() { "," } else { "" };
        let name = column.name;
        let word = if column.nested { format!("{name} ({name}.KEY){comma}") } else { format!("{name}{comma}") };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= HINT => *line = format!("{line} {word}"),
            _ => lines.push(word),
        }
    }
    lines.into_iter().fold(error, Error::hint)
}

/// The word spelled most like this one, if any is near.
fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: String = word.chars().take(64).collect::<String>().to_lowercase();
    let measured = words.map(|other| (strsim::osa_distance(&word, &other.to_lowercase()), other));
    let (steps, best) = measured.min_by_key(|(steps, _)| *steps)?;
    (steps <= 1 + word.chars().count() / 4).then_some(best)
}
