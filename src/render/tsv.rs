//! Tab-separated values: one line a row, whatever is in it. Tabs, line ends and backslashes are written
//! `\t`, `\n`, `\r`, `\\`; a missing value is empty. Values are the server's, not what a table shows.

use super::columns::Chosen;
use super::{View, cell};

/// Appends the line of headers.
pub(super) fn header(columns: &[Chosen], view: &View, out: &mut String) {
    for (index, column) in columns.iter().enumerate() {
        put(index, &cell::title(column, view), out);
    }
    out.push('\n');
}

/// Appends a row.
pub(super) fn row(row: &str, columns: &[Chosen], view: &View, out: &mut String) {
    for (index, (value, column)) in cell::values(row, columns).iter().zip(columns).enumerate() {
        put(index, &cell::raw(value, column, view).unwrap_or_default(), out);
    }
    out.push('\n');
}

fn put(index: usize, text: &str, out: &mut String) {
    if index > 0 {
        out.push('\t');
    }
    for letter in text.chars() {
        match letter {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
}
