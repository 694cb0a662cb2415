//! A single object as `key: value` lines, laid out for people: amounts in a unit, times with how long ago they were, names
//! beside ids, objects and lists of objects below their key.

use super::cell::{self, Value};
use super::{View, age, escape, json};
use crate::answer::scan;
use crate::api::{Column, Level, Show};
use crate::sensitive::is_secret_name;

/// A list of more objects, and an object of more members, stays JSON.
const MAX_BELOW: usize = 50;
/// A value that is longer stays on the line of its key.
const MAX_LEN: usize = 200;
/// Deeper objects stay JSON.
const MAX_LEVEL: usize = 3;

/// Appends a line for every field of the object.
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
        // Who wants it says so by its name.
        let hidden = |column: &&Column| column.field == name && column.level == Level::Named && !column.nested;
        // A switch is none.
        if is_secret_name(&name)
            && !matches!(value.trim_matches('"'), "true" | "false")
            && let Some(column) = view.known.iter().find(hidden)
        {
            out.push_str(&format!(" (hidden; to see it: -o {})\n", column.name));
            continue;
        }
        if let Some(lines) = below(value, view, 1) {
            out.push('\n');
            out.push_str(&lines);
            continue;
        }
        out.push(' ');
        if value.starts_with(['{', '[']) && !is_plain_list(value) {
            out.push_str(&escape::visible_json(&json::compact(value)));
        } else {
            out.push_str(&cell::shown(&Value::Json(value), Show::Text, view));
            out.push_str(&beside(&name, value, view));
        }
        out.push('\n');
    }
}

/// A list of texts and numbers, which is told with commas between.
fn is_plain_list(value: &str) -> bool {
    scan::elements(value).is_some_and(|elements| {
        let all: Vec<&str> = elements.collect();
        !all.is_empty() && all.iter().all(|one| !one.starts_with(['{', '[']) && !one.contains(','))
    })
}

/// What stands behind a value: `1024 (1G)`, `2025-11-21T10:00:00Z (3d ago)`, `ID (name@version)`.
fn beside(name: &str, value: &str, view: &View) -> String {
    let text = scan::unquote(value).unwrap_or_default();
    let show = view.known.iter().find(|column| column.field == name).map(|column| column.show);
    let shows = |show: Show| view.known.iter().any(|column| column.field == name && column.show == show);
    let more = match show {
        _ if shows(Show::Mebibytes) => cell::mebibytes(value).filter(|amount| amount.trim_end_matches('M') != value),
        _ if shows(Show::ImageName) => view.images.get(&*text).filter(|name| !name.is_empty()).cloned(),
        _ if value.starts_with('"') && text.ends_with('Z') => age(&text, view.now).map(|age| format!("{age} ago")),
        _ => None,
    };
    more.map_or(String::new(), |more| format!(" ({})", escape::visible(&more)))
}

/// An object, a line a member, and those of members that are too long for a line below it; or a list of objects as a
/// table, and an object of nothing but objects likewise. All of it below their key, so many levels deep.
fn below(value: &str, view: &View, level: usize) -> Option<String> {
    if value.starts_with('{') {
        let members: Vec<(&str, &str)> = scan::members(value)?.collect();
        if members.is_empty() || members.len() > MAX_BELOW {
            return None;
        }
        if value.len() > MAX_LEN && members.iter().all(|(_, member)| member.starts_with('{')) {
            let rows: Vec<String> = members.iter().filter_map(|(name, member)| row(name, member)).collect();
            return Some(table(&rows.iter().map(String::as_str).collect::<Vec<_>>(), view, level));
        }
        let mut lines = String::new();
        for (name, value) in members {
            let deeper = match value.starts_with(['{', '[']) && value.len() > MAX_LEN {
                true if level == MAX_LEVEL => return None,
                true => Some(below(value, view, level + 1)?),
                false => None,
            };
            lines.push_str(&"  ".repeat(level));
            lines.push_str(&escape::visible(&scan::unquote(name).unwrap_or_default()));
            match deeper {
                Some(deeper) => lines.push_str(&format!(":\n{deeper}")),
                None => {
                    let value = Value::Json(value);
                    let shown = cell::shown(&value, Show::Text, view);
                    let cuts = view.width.is_some() && !view.long;
                    let shown = if cuts { cell::one_line(&value, shown, MAX_LEN) } else { shown };
                    lines.push_str(&format!(": {shown}\n"));
                }
            }
        }
        return Some(lines);
    }
    let rows: Vec<&str> = scan::elements(value)?.collect();
    if rows.is_empty() || rows.len() > MAX_BELOW || !rows.iter().all(|row| row.starts_with('{')) {
        return None;
    }
    Some(table(&rows, view, level))
}

/// An object of a list whose rows have names.
fn row(name: &str, object: &str) -> Option<String> {
    let inner = object.strip_prefix('{')?.trim_start();
    let comma = if inner.starts_with('}') { "" } else { "," };
    Some(format!("{{\"key\":{name}{comma}{inner}"))
}

fn table(rows: &[&str], view: &View, level: usize) -> String {
    let indent = "  ".repeat(level);
    super::rows_of(rows, view).lines().map(|line| format!("{indent}{line}\n")).collect()
}
