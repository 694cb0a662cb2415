//! What follows `-o`: a format, columns, or both; checked before any request is sent.

use crate::answer::scan;
use crate::api::{Column, Level, Show, called_otherwise};
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
    /// It has a name of its own beside its field's, as `age` has for `created`: every format holds what a table shows.
    pub made: bool,
    /// Stays where a terminal has no room for all columns.
    pub stays: bool,
}

impl Chosen {
    fn of(column: &Column) -> Self {
        let made = column.name != column.field && column.show != Show::Text;
        Chosen { name: column.name.to_owned(), path: path(column.field), show: column.show, made, stays: column.stays }
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
    let long = long || format == Format::Wide;
    let shown = known.iter().filter(|column| match column.level {
        Level::Short => true,
        Level::Brief => !long,
        Level::Long | Level::Roomy => long,
        Level::Named => false,
    });
    let mut list: Vec<Chosen> = Vec::new();
    for column in shown {
        let mut chosen = Chosen::of(column);
        let computed = matches!(column.show, Show::MachineFlags | Show::ImageFlags | Show::Usage);
        if matches!(format, Format::Csv | Format::Tsv) && !computed {
            chosen.name = column.field.trim_start_matches('/').to_owned();
            chosen.made = false;
        }
        if !list.iter().any(|other| other.name == chosen.name) {
            list.push(chosen);
        }
    }
    list
}

/// The columns of a table that is made to fit a terminal.
pub(super) fn roomy(known: &[Column]) -> Vec<Chosen> {
    let shown = known.iter().filter(|column| matches!(column.level, Level::Short | Level::Brief | Level::Roomy));
    shown.map(Chosen::of).collect()
}

/// Which of these columns are shown where a terminal has so many columns for them: first those go that are there only
/// for the room, then others from the end; those stay that say so, and one in any case.
pub(super) fn fitting(columns: &[Chosen], widths: &[usize], known: &[Column], room: usize) -> Vec<usize> {
    const GAP: usize = 2;
    let level = |at: &usize| {
        let name = columns.get(*at).map(|column| column.name.as_str())?;
        known.iter().find(|column| column.name == name).map(|column| column.level)
    };
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let wide = |kept: &[usize]| {
        let cells: usize = kept.iter().filter_map(|at| widths.get(*at)).sum();
        cells + GAP * kept.len().saturating_sub(1) > room
    };
    while wide(&kept) {
        let roomy = kept.iter().rposition(|at| level(at) == Some(Level::Roomy));
        let last = || kept.iter().rposition(|at| columns.get(*at).is_some_and(|column| !column.stays));
        match roomy.or_else(last).filter(|_| kept.len() > 1) {
            Some(at) => {
                kept.remove(at);
            }
            None => break,
        }
    }
    kept
}

/// The columns of a row that no table knows: its plain fields.
pub(super) fn seen(row: &str) -> Vec<Chosen> {
    let plain = scan::members(row).into_iter().flatten().filter(|(_, value)| !value.starts_with(['{', '[']));
    let mut list: Vec<Chosen> = Vec::new();
    for (token, _) in plain.take(32) {
        let name = scan::unquote(token).unwrap_or_default().into_owned();
        if !list.iter().any(|other| other.name == name) {
            list.push(Chosen { path: vec![name.clone()], name, show: Show::Text, made: false, stays: false });
        }
    }
    if list.is_empty() {
        list.push(Chosen { name: "value".to_owned(), path: Vec::new(), show: Show::Text, made: false, stays: false });
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
    let columns = parse_columns(names, known);
    Ok((format, columns.map_err(|error| as_format(value, error))?))
}

/// Reads columns: `COLUMN,...`.
///
/// # Errors
/// A usage error for a column that is not known.
pub fn parse_columns(names: &str, known: &[Column]) -> Result<Vec<Chosen>> {
    names.split(',').map(|name| choose(name.trim(), known)).collect()
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
        return Ok(Chosen { name: name.to_owned(), path, show: Show::Text, made: false, stays: false });
    }
    if known.is_empty() {
        return Ok(Chosen {
            name: name.to_owned(),
            path: vec![name.to_owned()],
            show: Show::Text,
            made: false,
            stays: false,
        });
    }
    if let Some((first, rest)) = name.split_once('.').filter(|(_, rest)| !rest.is_empty()) {
        // As filters have it: `tag.role`.
        let column = known.iter().find(|column| column.name == first).or_else(|| called_otherwise(known, first));
        match column {
            Some(column) if column.nested => {
                let mut path = path(column.field);
                path.push(rest.to_owned());
                return Ok(Chosen { name: name.to_owned(), path, show: Show::Text, made: false, stays: false });
            }
            // What a part is a part of has two.
            Some(column) if matches!(rest, "id" | "name") && column.field == format!("/{first}/name") => {
                let path = vec![first.to_owned(), rest.to_owned()];
                return Ok(Chosen { name: name.to_owned(), path, show: Show::Text, made: false, stays: false });
            }
            Some(_) => {
                let message = format!("column '{first}' has no parts, so there is no '{name}'");
                return Err(listing(Error::usage(message), known));
            }
            None => {}
        }
    }
    if let Some(column) = filtered(name, known) {
        return Ok(Chosen { name: name.to_owned(), ..Chosen::of(column) });
    }
    let mut error = Error::usage(format!("there is no column '{name}'"));
    let small = name.to_lowercase();
    if let Some(near) = known.iter().find(|column| column.name == small || column.field == small).map(|it| it.name) {
        error = error.hint(format!("did you mean '{near}'?"));
    } else if let Some(column) = called_otherwise(known, name) {
        error = error.hint(format!("did you mean '{}'?", column.name));
    } else if let Some(near) = nearest(name, known.iter().map(|column| column.name)) {
        error = error.hint(format!("did you mean '{near}'?"));
    } else if name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        // A record has more than its table.
        error = error.hint(format!("a field that is no column: /{name}"));
    }
    Err(listing(error, known))
}

/// The column of what a filter calls so: `owner` of the field `owner_uuid`.
fn filtered<'a>(name: &str, known: &'a [Column]) -> Option<&'a Column> {
    let plain = name.replace('-', "_");
    let of = |wanted: &str| known.iter().find(|column| column.name == wanted);
    let by_suffix = || of(&format!("{plain}_uuid")).or_else(|| of(&format!("{plain}_name")));
    // What belongs to things of several kinds says of which.
    let of_server = || of("cn_uuid").or_else(|| of("belongs_to_uuid").filter(|_| of("belongs_to_type").is_none()));
    let by_word = || match &*plain {
        "server" => of_server(),
        "source" | "target" => of(&format!("{plain}_server_uuid")),
        _ => None,
    };
    of(&plain).or_else(by_suffix).or_else(by_word)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Test, column};

    #[test]
    fn what_has_no_room_is_left_out_from_the_end_and_what_tells_a_row_stays() {
        let known = [
            column("shortid").stays(),
            column("name").stays(),
            column("img"),
            column("package").roomy(),
            column("state").stays(),
            column("ip").roomy(),
            column("age"),
        ];
        let columns = roomy(&known);
        let widths = [8, 5, 10, 9, 7, 12, 3];
        let shown = |room: usize| -> Vec<&str> {
            fitting(&columns, &widths, &known, room).iter().map(|at| columns[*at].name.as_str()).collect()
        };
        assert_eq!(shown(66), ["shortid", "name", "img", "package", "state", "ip", "age"]);
        assert_eq!(shown(65), ["shortid", "name", "img", "package", "state", "age"]);
        assert_eq!(shown(41), ["shortid", "name", "img", "state", "age"]);
        assert_eq!(shown(40), ["shortid", "name", "img", "state"]);
        assert_eq!(shown(30), ["shortid", "name", "state"]);
        assert_eq!(shown(1), ["shortid", "name", "state"]);
        // Where none says that it stays, one does.
        let known = [column("a"), column("b")];
        assert_eq!(fitting(&roomy(&known), &[9, 9], &known, 1), [0]);
    }

    #[test]
    fn what_a_list_is_filtered_by_is_a_column_too_under_the_name_of_its_option() {
        let mut count = 0;
        for op in crate::api::SERVICES.iter().flat_map(|service| service.ops()) {
            let known = crate::api::columns(op);
            for field in op.fields {
                let (Test::Id(of) | Test::Text(of)) = field.test else { continue };
                // A list of several is called by their plural alone.
                let many = Some(crate::api::Always::Many);
                if known.iter().any(|column| column.name == of && column.always != many) {
                    let chosen = choose(&field.long_name(), known);
                    assert!(chosen.is_ok(), "{} -o {}", op.id, field.long_name());
                    count += 1;
                }
            }
        }
        assert!(count > 10, "{count}");
        let known = [column("owner_uuid").show(Show::ShortId)];
        let owner = choose("owner", &known).unwrap();
        assert_eq!(
            (owner.header(), owner.path, owner.made),
            ("OWNER".to_owned(), vec!["owner_uuid".to_owned()], false)
        );
    }
}
