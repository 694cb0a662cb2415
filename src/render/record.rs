//! A single object as `key: value` lines.

use super::cell::{self, Value};
use super::{View, escape, json};
use crate::answer::scan;
use crate::api::Show;

/// Appends a line for every field of the object; lists and objects in it are JSON. Amounts and times stay as they are:
/// here is room for them.
pub(super) fn write(object: &str, view: &View, out: &mut String) {
    let Some(members) = scan::members(object) else {
        out.push_str(&escape::visible_lines(&cell::plain(object)));
        out.push('\n');
        return;
    };
    for (name, value) in members {
        let name = scan::unquote(name).unwrap_or_default();
        let (bold, plain) = if view.colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        out.push_str(bold);
        out.push_str(&escape::visible(&name));
        out.push(':');
        out.push_str(plain);
        out.push(' ');
        if value.starts_with(['{', '[']) {
            out.push_str(&escape::visible_json(&json::compact(value)));
        } else {
            out.push_str(&cell::shown(&Value::Json(value), Show::Text, view));
        }
        out.push('\n');
    }
}
