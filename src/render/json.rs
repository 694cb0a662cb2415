//! JSON as the server sent it. Only white space is laid out anew: no number, string, escape, key order or
//! duplicate is touched, because nothing is decoded.

use super::cell::{self, Value};
use super::{View, escape};
use crate::answer::scan;

/// Deeper nesting is not indented further, so that a hostile document cannot grow by its depth.
const DEEPEST_INDENT: usize = 32;

/// The document without white space between its tokens.
pub fn compact(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut from, mut at) = (0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = scan::string_end(bytes, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                out.push_str(text.get(from..at).unwrap_or_default());
                at += 1;
                from = at;
            }
            _ => at += 1,
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// The document with a line for every member and element, indented by two spaces.
pub fn indented(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    indent(text, 0, &mut out);
    out
}

/// Appends the document laid out in lines; all but its first are indented by this many levels.
fn indent(text: &str, level: usize, out: &mut String) {
    let bytes = text.as_bytes();
    let mut depth = level;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = scan::string_end(bytes, at);
                out.push_str(text.get(at..end).unwrap_or_default());
                at = end;
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'{' | b'[' => {
                out.push(char::from(byte));
                let inside = text.get(at + 1..).unwrap_or_default().trim_start_matches(scan::BLANK);
                if let Some(close @ ('}' | ']')) = inside.chars().next() {
                    out.push(close);
                    at = text.len() - inside.len();
                } else {
                    depth += 1;
                    new_line(depth, out);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(depth, out);
                out.push(char::from(byte));
            }
            b',' => {
                out.push(',');
                new_line(depth, out);
            }
            b':' => out.push_str(": "),
            _ => {
                let end = bytes.get(at..).into_iter().flatten().position(|b| b",:]}{[\" \t\n\r".contains(b));
                let end = end.map_or(text.len(), |length| at + length);
                out.push_str(text.get(at..end).unwrap_or_default());
                at = end;
                continue;
            }
        }
        at += 1;
    }
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    for _ in 0..depth.min(DEEPEST_INDENT) {
        out.push_str("  ");
    }
}

/// An object of the chosen columns only, each value as it was sent. What the row does not have is left out.
pub(super) fn pick(row: &str, view: &View) -> String {
    let mut out = String::from("{");
    for (column, value) in view.columns.iter().zip(cell::values(row, &view.columns)) {
        if matches!(value, Value::Absent) {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        scan::quote(&column.name, &mut out);
        out.push(':');
        match value {
            Value::Json(json) if !column.made => out.push_str(json),
            other => out.push_str(&cell::made(&other, column.show, view)),
        }
    }
    out.push('}');
    out
}

/// A whole document and a line feed.
pub(super) fn document(text: &str, view: &View, out: &mut String) {
    if view.terminal {
        out.push_str(&escape::visible_json(&indented(text)));
    } else {
        out.push_str(text);
    }
    out.push('\n');
}

/// An element of the list that [`close`] ends.
pub(super) fn item(text: &str, first: bool, view: &View, out: &mut String) {
    out.push(if first { '[' } else { ',' });
    if view.terminal {
        let mut lines = String::from("\n  ");
        indent(text, 1, &mut lines);
        out.push_str(&escape::visible_json(&lines));
    } else {
        out.push_str(text);
    }
}

/// The end of the list.
pub(super) fn close(view: &View, out: &mut String) {
    out.push_str(if view.terminal { "\n]\n" } else { "]\n" });
}
