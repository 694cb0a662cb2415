//! From an answer and columns to text. Pure: no I/O, no clock, no environment.

mod cell;
mod columns;
pub mod csv;
mod escape;
pub mod failure;
pub mod ids;
pub mod jq;
mod jq_bounds;
mod jq_builtins;
mod jq_given;
mod jq_paths;
mod jq_terms;
mod jq_values;
pub mod json;
pub mod jsonl;
pub mod progress;
mod record;
mod sort;
mod table;
pub mod tsv;
pub mod yaml;

use std::collections::HashMap;

pub use cell::{age, bar, mebibytes};
pub use columns::{Chosen, FORMATS, Format, defaults, parse_columns, parse_output};
pub use escape::{cut, escaped, safe, visible, visible_json, visible_lines};
pub use jq::Program;
pub use jq_given::Given;
pub use sort::{SortKey, parse_sort};
pub use table::in_columns;

use crate::answer::{Answer, scan};
use crate::api::{Column, Shape, column};

/// The columns of what is only told that it was accepted.
pub const RECEIPT_COLUMNS: &[Column] = &[column("id").stays(), column("action").stays()];

/// The columns of a [`Shape::Map`]: its keys and values.
pub const MAP_COLUMNS: &[Column] = &[column("name").stays(), column("value").stays()];

/// How an answer is to look.
#[derive(Clone, Debug)]
pub struct View {
    /// The format.
    pub format: Format,
    /// The columns the user named; none for the format's own choice, which for JSON is everything.
    pub columns: Vec<Chosen>,
    /// Nobody chose these columns: some of them may be left out where a terminal has no room.
    pub proposed: bool,
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
    /// How wide the terminal is, in columns: a table of nobody's own columns leaves out what has no room.
    pub width: Option<usize>,
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
    /// How wide the names of a map are, where it is one.
    pub names: Option<usize>,
}

impl View {
    /// Whether a table is made to fit a terminal: nobody has chosen columns.
    fn fits(&self) -> bool {
        self.width.is_some()
            && self.format == Format::Table
            && !self.long
            && (self.columns.is_empty() || self.proposed)
            && !self.known.is_empty()
    }

    /// How wide a value of a map may be, where a person sees names and values beside each other: long texts and texts of
    /// many lines would push all others out of sight.
    fn room_for_values(&self) -> Option<usize> {
        let whole = self.long || self.format != Format::Table || !(self.columns.is_empty() || self.proposed);
        let room = self.width.filter(|_| !whole)?;
        // The quotes around a name are as wide as the gap behind it. Of several maps, it is not known before the end.
        let names = self.names.map_or(room / 2, |names| names.max("NAME".len() + 2));
        Some(room.saturating_sub(names).max(LEAST_VALUE))
    }
}

/// So much of a value is shown on the narrowest of terminals.
const LEAST_VALUE: usize = 24;

impl Default for View {
    fn default() -> Self {
        View {
            format: Format::Table,
            columns: Vec::new(),
            proposed: false,
            known: &[],
            long: false,
            header: true,
            colour: false,
            terminal: false,
            width: None,
            safe: false,
            now: 0,
            images: HashMap::new(),
            sort: Vec::new(),
            skip: 0,
            most: usize::MAX,
            names: None,
        }
    }
}

/// The text of a whole answer. It ends in a line feed unless it is empty.
pub fn render(answer: &Answer, shape: Shape, view: &View) -> String {
    let mut out = String::new();
    match answer {
        Answer::Nothing => {}
        Answer::Record(object) if shape == Shape::Map => map(object.get(), view, &mut out),
        Answer::Record(object) => one(object.get(), view, &mut out),
        Answer::Rows(rows) => {
            let mut printer = Printer::new(view);
            for row in rows {
                printer.row(row.get(), &mut out);
            }
            printer.end(&mut out);
        }
    }
    out
}

/// Objects as a table of all their plain members.
fn rows_of(rows: &[&str], view: &View) -> String {
    let view = View { known: &[], columns: Vec::new(), sort: Vec::new(), format: Format::Table, ..view.clone() };
    let (mut out, mut printer) = (String::new(), Printer::new(&view));
    rows.iter().for_each(|row| printer.row(row, &mut out));
    printer.end(&mut out);
    out
}

/// A single object.
fn one(object: &str, view: &View, out: &mut String) {
    // A mere value has none of the columns that objects have.
    if !object.trim_start().starts_with('{') && view.columns.is_empty() && !view.known.is_empty() {
        return one(object, &View { known: &[], ..view.clone() }, out);
    }
    match view.format {
        Format::Json => json::document(&picked(object, view), view, out),
        Format::Yaml => yaml::document(&picked(object, view), out),
        Format::Table | Format::Wide if view.columns.is_empty() => record::write(object, view, out),
        _ => {
            let mut printer = Printer::new(view);
            printer.row(object, out);
            printer.end(out);
        }
    }
}

/// An object whose keys are data.
fn map(object: &str, view: &View, out: &mut String) {
    match view.format {
        Format::Json if view.columns.is_empty() => return json::document(object, view, out),
        Format::Jsonl if view.columns.is_empty() => return jsonl::line(object, view, out),
        Format::Yaml if view.columns.is_empty() => return yaml::document(object, out),
        Format::Ids => {
            return scan::members(object).into_iter().flatten().for_each(|(name, _)| ids::line(name, out));
        }
        _ => {}
    }
    // What keys and values are called here, if the noun has words of its own for them.
    let known = if view.known.len() >= 2 { view.known } else { MAP_COLUMNS };
    let (first, second) = match known {
        // Of a value with parts, each may have a column.
        [first, second, ..] => {
            (first.field, second.field.trim_start_matches('/').split('/').next().unwrap_or_default())
        }
        _ => ("name", "value"),
    };
    let names = scan::members(object).into_iter().flatten().map(|(name, _)| name.len());
    let view = View { known, names: names.max(), ..view.clone() };
    let mut printer = Printer::new(&view);
    for (name, value) in scan::members(object).into_iter().flatten() {
        printer.row(&format!("{{\"{first}\":{name},\"{second}\":{value}}}"), out);
    }
    printer.end(out);
}

/// The row itself, or an object of the chosen columns only.
fn picked<'a>(row: &'a str, view: &View) -> std::borrow::Cow<'a, str> {
    if view.columns.is_empty() { row.into() } else { json::pick(row, view).into() }
}

/// Prints rows as they come, one page after another; sorted ones, and tables, at the end.
pub struct Printer<'l> {
    view: &'l View,
    columns: Vec<Chosen>,
    grid: Option<table::Grid>,
    held: Vec<(sort::Keys, String)>,
    /// How many bytes those are.
    bytes: usize,
    count: usize,
}

impl<'l> Printer<'l> {
    /// Begins a list.
    pub fn new(view: &'l View) -> Self {
        let mut columns = view.columns.clone();
        if columns.is_empty() && !view.known.is_empty() {
            columns = defaults(view.format, view.long, view.known);
        }
        let grid = matches!(view.format, Format::Table | Format::Wide).then(table::Grid::default);
        if view.fits() {
            // Whose it is stands before what the table has.
            let owner = columns.drain(..).next().filter(|_| view.proposed);
            columns = owner.into_iter().chain(columns::roomy(view.known)).collect();
        }
        Printer { view, columns, grid, held: Vec::new(), bytes: 0, count: 0 }
    }

    /// Takes a row and appends what can be told by now.
    pub fn row(&mut self, row: &str, out: &mut String) {
        if self.columns.is_empty() {
            // A list of things the table knows nothing of: its first row tells what there is.
            self.columns = columns::seen(row);
        }
        if let Some(grid) = &mut self.grid {
            grid.add(row, &self.columns, self.view);
        } else if self.view.sort.is_empty() {
            self.write(row, out);
        } else {
            self.bytes += row.len() + size_of::<(sort::Keys, String)>();
            self.held.push((sort::keys(row, self.view), row.to_owned()));
        }
    }

    /// How many bytes it keeps until the end.
    pub fn bytes(&self) -> usize {
        self.grid.as_ref().map_or(self.bytes, table::Grid::bytes)
    }

    /// Ends the list and appends the rest.
    pub fn end(mut self, out: &mut String) {
        if let Some(grid) = self.grid.take() {
            return grid.finish(&self.columns, self.view, out);
        }
        let mut held = std::mem::take(&mut self.held);
        held.sort_by(|(a, _), (b, _)| sort::compare(a, b, &self.view.sort));
        for (_, row) in held.into_iter().skip(self.view.skip).take(self.view.most) {
            self.write(&row, out);
        }
        match (self.view.format, self.count) {
            (Format::Json, 0) => out.push_str("[]\n"),
            (Format::Json, _) => json::close(self.view, out),
            (Format::Yaml, 0) => out.push_str("[]\n"),
            (Format::Csv, 0) if self.view.header => csv::header(&self.columns, self.view, out),
            (Format::Tsv, 0) if self.view.header => tsv::header(&self.columns, self.view, out),
            _ => {}
        }
    }

    fn write(&mut self, row: &str, out: &mut String) {
        let first = self.count == 0;
        self.count += 1;
        let view = self.view;
        match view.format {
            Format::Json => json::item(&picked(row, view), first, view, out),
            Format::Jsonl => jsonl::line(&picked(row, view), view, out),
            Format::Yaml => yaml::item(&picked(row, view), out),
            Format::Ids => ids::line(row, out),
            Format::Csv => {
                if first && view.header {
                    csv::header(&self.columns, self.view, out);
                }
                csv::row(row, &self.columns, view, out);
            }
            Format::Tsv => {
                if first && view.header {
                    tsv::header(&self.columns, self.view, out);
                }
                tsv::row(row, &self.columns, view, out);
            }
            // These are gathered in the grid.
            Format::Table | Format::Wide => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_parts_keeps_whose_each_is_where_there_is_no_room() {
        static KNOWN: &[Column] = &[column("ip"), column("mac"), column("state").stays(), column("network")];
        let owner = Chosen {
            name: "machine".into(),
            path: vec!["machine".into()],
            show: crate::api::Show::Text,
            made: false,
            stays: true,
        };
        let columns = std::iter::once(owner).chain(defaults(Format::Table, false, KNOWN)).collect();
        let view = View { known: KNOWN, columns, proposed: true, width: Some(30), ..View::default() };
        let row = r#"{"machine":"web1","ip":"10.0.0.1","mac":"90:b8:d0:00:00:01","state":"running","network":"x"}"#;
        let rows = Answer::from_rows(format!("[{row}]").as_bytes()).unwrap();
        assert_eq!(render(&rows, Shape::Rows, &view), "MACHINE  IP        STATE\nweb1     10.0.0.1  running\n");
        let chosen = View { proposed: false, ..view };
        assert!(render(&rows, Shape::Rows, &chosen).contains("NETWORK"), "what was chosen stays");
    }

    #[test]
    fn long_objects_of_a_record_stand_below_their_key_and_objects_of_objects_as_a_table() {
        let long = "k".repeat(220);
        let json = format!(
            r#"{{"account":{{"login":"acme","keys":{{"one":"{long}"}},"groups":{{}}}},"short":{{"a":{{"b":1}}}}}}"#
        );
        let record = Answer::record_of(json.as_bytes(), None).unwrap();
        let shown = render(&record, Shape::Record, &View::default());
        let below = format!("account:\n  login: acme\n  keys:\n    one: {long}\n  groups: -\n");
        assert!(shown.starts_with(&below) && shown.contains("short:\n  a: {\"b\":1}\n"), "{shown}");
        let json = format!(r#"{{"vms":{{"v1":{{"state":"running","note":"{long}"}},"v2":{{"state":"stopped"}}}}}}"#);
        let shown = render(&Answer::record_of(json.as_bytes(), None).unwrap(), Shape::Record, &View::default());
        assert!(shown.starts_with("vms:\n  KEY  STATE    NOTE\n  v1   running  k"), "{shown}");
    }

    #[test]
    fn a_long_value_of_a_map_is_one_line_with_its_size_at_a_terminal_and_whole_everywhere_else() {
        let (keys, script) = ("ssh-rsa AAAA ".repeat(200).trim_end().to_owned(), "#!/bin/sh\\necho\\n");
        let json = format!(r#"{{"keys":"{keys}","user-script":"{script}","release":"1.4.0"}}"#);
        let map = Answer::record_of(json.as_bytes(), None).unwrap();
        let terminal = View { width: Some(60), known: MAP_COLUMNS, ..View::default() };
        let shown = render(&map, Shape::Map, &terminal);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[1].ends_with("AA… 2.5 KB") && lines[1].len() <= 62, "{shown}");
        assert_eq!(lines[2..], ["user-script  #!/bin/sh… 15 B", "release      1.4.0"]);
        let columns = defaults(Format::Table, false, MAP_COLUMNS);
        for whole in [
            View { width: None, ..terminal.clone() },
            View { long: true, ..terminal.clone() },
            View { columns, ..terminal.clone() },
            View { format: Format::Json, ..terminal.clone() },
            View { format: Format::Tsv, ..terminal.clone() },
        ] {
            assert!(render(&map, Shape::Map, &whole).contains(&keys), "{whole:?}");
        }
        // Of a record that has such a map, the values in it.
        let json = format!(r#"{{"metadata":{{"keys":"{keys}","user-script":"{script}"}}}}"#);
        let record = Answer::record_of(json.as_bytes(), None).unwrap();
        let shown = render(&record, Shape::Record, &terminal);
        assert!(shown.contains("A… 2.5 KB\n") && shown.ends_with("  user-script: #!/bin/sh… 15 B\n"), "{shown}");
        assert!(render(&record, Shape::Record, &View { long: true, ..terminal }).contains(&keys));
    }

    #[test]
    fn the_parts_of_what_a_map_holds_have_columns() {
        static KNOWN: &[Column] = &[column("period").of("name"), column("failed").of("/value/failed")];
        let map = Answer::record_of(br#"{"past_hour":{"failed":2}}"#, None).unwrap();
        let view = View { known: KNOWN, columns: defaults(Format::Table, false, KNOWN), ..View::default() };
        assert_eq!(render(&map, Shape::Map, &view), "PERIOD     FAILED\npast_hour  2\n");
    }
}
