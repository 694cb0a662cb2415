//! Comma-separated values after RFC 4180, lines ended by LF as every Unix tool wants them. Values are the
//! server's, not what a table shows of them; lists and objects are JSON text. A missing value is empty, an
//! empty text is `""`. Cells that a spreadsheet may take for a formula are left as they are
//! unless `--csv-safe` is given.

use super::columns::Chosen;
use super::{View, cell};

/// Appends the line of headers.
pub(super) fn header(columns: &[Chosen], view: &View, out: &mut String) {
    let titles: Vec<_> = columns.iter().map(|column| cell::title(column, view)).collect();
    line(titles.iter().map(|title| Some(&**title)), out);
}

/// Appends a row.
pub(super) fn row(row: &str, columns: &[Chosen], view: &View, out: &mut String) {
    let cells: Vec<_> =
        cell::values(row, columns).iter().zip(columns).map(|(value, column)| cell::raw(value, column, view)).collect();
    line(cells.iter().map(Option::as_deref), out);
}

fn line<'a>(cells: impl Iterator<Item = Option<&'a str>>, out: &mut String) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        let Some(text) = cell else { continue };
        let quoted = text.is_empty()
            || text.starts_with(char::is_whitespace)
            || text.ends_with(char::is_whitespace)
            || text.contains(['"', ',', '\n', '\r']);
        if quoted {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(text);
        }
    }
    out.push('\n');
}
