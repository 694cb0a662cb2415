//! From an answer and columns to text. Pure: no I/O, no clock, no environment.

mod cell;
mod columns;
pub mod csv;
mod escape;
pub mod ids;
pub mod jq;
mod jq_bounds;
mod jq_paths;
mod jq_terms;
mod jq_values;
pub mod json;
pub mod jsonl;
mod record;
mod sort;
mod table;
pub mod tsv;
pub mod yaml;

use std::collections::HashMap;

pub use cell::age;
pub use columns::{Chosen, FORMATS, Format, defaults, parse_output};
pub use escape::{cut, visible, visible_json, visible_lines};
pub use jq::Program;
pub use sort::{SortKey, parse_sort};

use crate::answer::{Answer, scan};
use crate::api::{Column, Shape, column};

/// The columns of a [`Shape::Map`]: its keys and values.
pub const MAP_COLUMNS: &[Column] = &[column("name"), column("value")];

/// How an answer is to look.
#[derive(Clone, Debug)]
pub struct Look {
    /// The format.
    pub format: Format,
    /// The columns the user named; none for the format's own choice, which for JSON is everything.
    pub columns: Vec<Chosen>,
    /// The columns there are; those of [`defaults`] are taken from them.
    pub known: &'static [Column],
    /// More columns than usual.
    pub long: bool,
    /// A line of headers in tables, CSV and TSV.
    pub header: bool,
    /// Colours, which never carry a meaning of their own.
    pub colour: bool,
    /// A person reads: JSON is laid out in lines, and nothing from a server may steer the terminal.
    pub terminal: bool,
    /// Cells of CSV and TSV that a spreadsheet would take for formulas are made plain text.
    pub safe: bool,
    /// The time by which ages are told, in milliseconds since 1970.
    pub now: i64,
    /// `name@version` by image id.
    pub images: HashMap<String, String>,
    /// The order of the rows; none for the server's own.
    pub sort: Vec<SortKey>,
    /// How many of the sorted rows are left out first.
    pub skip: usize,
    /// How many of the sorted rows are shown.
    pub most: usize,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            format: Format::Table,
            columns: Vec::new(),
            known: &[],
            long: false,
            header: true,
            colour: false,
            terminal: false,
            safe: false,
            now: 0,
            images: HashMap::new(),
            sort: Vec::new(),
            skip: 0,
            most: usize::MAX,
        }
    }
}

/// The text of a whole answer. It ends in a line feed unless it is empty.
pub fn render(answer: &Answer, shape: Shape, look: &Look) -> String {
    let mut out = String::new();
    match answer {
        Answer::Nothing => {}
        Answer::Record(object) if shape == Shape::Map => map(object.get(), look, &mut out),
        Answer::Record(object) => one(object.get(), look, &mut out),
        Answer::Rows(rows) => {
            let mut printer = Printer::new(look);
            for row in rows {
                printer.row(row.get(), &mut out);
            }
            printer.end(&mut out);
        }
    }
    out
}

/// A single object.
fn one(object: &str, look: &Look, out: &mut String) {
    match look.format {
        Format::Json => json::document(&picked(object, look), look, out),
        Format::Yaml => yaml::document(&picked(object, look), out),
        Format::Table | Format::Wide if look.columns.is_empty() => record::write(object, look, out),
        _ => {
            let mut printer = Printer::new(look);
            printer.row(object, out);
            printer.end(out);
        }
    }
}

/// An object whose keys are data.
fn map(object: &str, look: &Look, out: &mut String) {
    match look.format {
        Format::Json if look.columns.is_empty() => return json::document(object, look, out),
        Format::Jsonl if look.columns.is_empty() => return jsonl::line(object, look, out),
        Format::Yaml if look.columns.is_empty() => return yaml::document(object, out),
        Format::Ids => {
            return scan::members(object).into_iter().flatten().for_each(|(name, _)| ids::line(name, out));
        }
        _ => {}
    }
    // What keys and values are called here, if the noun has words of its own for them.
    let known = if look.known.len() == 2 { look.known } else { MAP_COLUMNS };
    let (first, second) = match known {
        [first, second] => (first.field, second.field),
        _ => ("name", "value"),
    };
    let look = Look { known, ..look.clone() };
    let mut printer = Printer::new(&look);
    for (name, value) in scan::members(object).into_iter().flatten() {
        printer.row(&format!("{{\"{first}\":{name},\"{second}\":{value}}}"), out);
    }
    printer.end(out);
}

/// The row itself, or an object of the chosen columns only.
fn picked<'a>(row: &'a str, look: &Look) -> std::borrow::Cow<'a, str> {
    if look.columns.is_empty() { row.into() } else { json::pick(row, look).into() }
}

/// Prints rows as they come, one page after another; sorted ones, and tables, at the end.
pub struct Printer<'l> {
    look: &'l Look,
    columns: Vec<Chosen>,
    grid: Option<table::Grid>,
    held: Vec<(sort::Keys, String)>,
    /// How many bytes those are.
    bytes: usize,
    count: usize,
}

impl<'l> Printer<'l> {
    /// Begins a list.
    pub fn new(look: &'l Look) -> Self {
        let mut columns = look.columns.clone();
        if columns.is_empty() && !look.known.is_empty() {
            columns = defaults(look.format, look.long, look.known);
        }
        let grid = matches!(look.format, Format::Table | Format::Wide).then(table::Grid::default);
        Printer { look, columns, grid, held: Vec::new(), bytes: 0, count: 0 }
    }

    /// Takes a row and appends what can be told by now.
    pub fn row(&mut self, row: &str, out: &mut String) {
        if self.columns.is_empty() {
            // A list of things the table knows nothing of: its first row tells what there is.
            self.columns = columns::seen(row);
        }
        if let Some(grid) = &mut self.grid {
            grid.add(row, &self.columns, self.look);
        } else if self.look.sort.is_empty() {
            self.write(row, out);
        } else {
            self.bytes += row.len() + size_of::<(sort::Keys, String)>();
            self.held.push((sort::keys(row, self.look), row.to_owned()));
        }
    }

    /// How many bytes it keeps until the end.
    pub fn bytes(&self) -> usize {
        self.grid.as_ref().map_or(self.bytes, table::Grid::bytes)
    }

    /// Ends the list and appends the rest.
    pub fn end(mut self, out: &mut String) {
        if let Some(grid) = self.grid.take() {
            return grid.finish(&self.columns, self.look, out);
        }
        let mut held = std::mem::take(&mut self.held);
        held.sort_by(|(a, _), (b, _)| sort::compare(a, b, &self.look.sort));
        for (_, row) in held.into_iter().skip(self.look.skip).take(self.look.most) {
            self.write(&row, out);
        }
        match (self.look.format, self.count) {
            (Format::Json, 0) => out.push_str("[]\n"),
            (Format::Json, _) => json::close(self.look, out),
            (Format::Yaml, 0) => out.push_str("[]\n"),
            (Format::Csv, 0) if self.look.header => csv::header(&self.columns, self.look, out),
            (Format::Tsv, 0) if self.look.header => tsv::header(&self.columns, self.look, out),
            _ => {}
        }
    }

    fn write(&mut self, row: &str, out: &mut String) {
        let first = self.count == 0;
        self.count += 1;
        let look = self.look;
        match look.format {
            Format::Json => json::item(&picked(row, look), first, look, out),
            Format::Jsonl => jsonl::line(&picked(row, look), look, out),
            Format::Yaml => yaml::item(&picked(row, look), out),
            Format::Ids => ids::line(row, out),
            Format::Csv => {
                if first && look.header {
                    csv::header(&self.columns, self.look, out);
                }
                csv::row(row, &self.columns, look, out);
            }
            Format::Tsv => {
                if first && look.header {
                    tsv::header(&self.columns, self.look, out);
                }
                tsv::row(row, &self.columns, look, out);
            }
            // These are gathered in the grid.
            Format::Table | Format::Wide => {}
        }
    }
}
