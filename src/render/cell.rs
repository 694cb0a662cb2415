//! One value, as a table shows it and as CSV holds it.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use super::columns::Chosen;
use super::{View, escape, json};
use crate::answer::scan;
use crate::api::Show;

/// What a table shows for a value that is not there.
pub(super) const MISSING: &str = "-";

/// What a row has for a column.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// Nothing.
    Absent,
    /// JSON text.
    Json(&'a str),
    /// The letters of a column made of several fields.
    Letters(String),
}

/// What the row has for each column, found in one walk over its members.
pub(super) fn values<'a>(row: &'a str, columns: &[Chosen]) -> Vec<Value<'a>> {
    let start = |column: &Chosen| match column.show {
        Show::MachineFlags | Show::ImageFlags => Value::Letters(String::new()),
        Show::Usage => Value::Json(row),
        _ if column.path.is_empty() => Value::Json(row),
        _ => Value::Absent,
    };
    let mut list: Vec<Value<'a>> = columns.iter().map(start).collect();
    let Some(members) = scan::members(row) else {
        // A row that is no object stands in the first column.
        if let Some(first) = list.first_mut() {
            *first = Value::Json(row);
        }
        return list;
    };
    for (name, json) in members {
        let name = scan::unquote(name).unwrap_or_default();
        for (slot, column) in list.iter_mut().zip(columns) {
            if let Value::Letters(letters) = slot {
                letters.extend(letter(column.show, &name, json));
            } else if let Some((first, deeper)) = column.path.split_first()
                && *first == name
            {
                let found = if deeper.is_empty() { Some(json) } else { scan::at(json, deeper) };
                *slot = found.map_or(Value::Absent, Value::Json);
            }
        }
    }
    list
}

/// The letter that a field adds to a column of flags.
fn letter(show: Show, name: &str, json: &str) -> Option<char> {
    let text = || scan::unquote(json).unwrap_or_default();
    let letter = match (show, name) {
        (Show::MachineFlags, "brand") => match &*text() {
            "bhyve" => 'B',
            "kvm" => 'K',
            _ => return None,
        },
        (Show::MachineFlags, "docker") if json == "true" => 'D',
        (Show::MachineFlags, "firewall_enabled") if json == "true" => 'F',
        (Show::MachineFlags, "deletion_protection") if json == "true" => 'P',
        (Show::ImageFlags, "origin") if !text().is_empty() => 'I',
        (Show::ImageFlags, "public") if json == "true" => 'P',
        (Show::ImageFlags, "state") if json.starts_with('"') && text() != "active" => 'X',
        _ => return None,
    };
    Some(letter)
}

fn in_order(letters: &str) -> String {
    let mut list: Vec<char> = letters.chars().collect();
    list.sort_unstable();
    list.into_iter().collect()
}

/// What a table shows.
pub(super) fn shown<'a>(value: &Value<'a>, show: Show, view: &View) -> Cow<'a, str> {
    let text = match value {
        Value::Absent | Value::Json("null") => Cow::Borrowed(MISSING),
        Value::Json(json) => present(json, show, view),
        Value::Letters(letters) => Cow::Owned(in_order(letters)),
    };
    match escape::visible(&text) {
        _ if text.is_empty() => Cow::Borrowed(MISSING),
        Cow::Borrowed(_) => text,
        Cow::Owned(escaped) => Cow::Owned(escaped),
    }
}

/// The first line of a value that has several, or no room, and how large it is; any other value as it is shown.
pub(super) fn one_line<'a>(value: &Value<'_>, shown: Cow<'a, str>, room: usize) -> Cow<'a, str> {
    let Value::Json(json) = value else { return shown };
    let text = plain(json);
    let mut lines = text.trim_end().lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    if lines.next().is_none() && shown.width() <= room {
        return shown;
    }
    let size = match text.len() {
        bytes @ ..1000 => format!("{bytes} B"),
        bytes => format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100),
    };
    let first = escape::visible(first);
    let begin = escape::cut(&first, room.saturating_sub(size.len() + 2));
    Cow::Owned(format!("{}… {size}", begin.trim_end_matches('…').trim_end()))
}

fn present<'a>(token: &'a str, show: Show, view: &View) -> Cow<'a, str> {
    let text = plain(token);
    match show {
        Show::ShortId => shortened(text),
        Show::Age => age(&text, view.now).map_or(text, Cow::Owned),
        Show::Day => match text.split_once('T') {
            Some((day, _)) => Cow::Owned(day.to_owned()),
            None => text,
        },
        Show::Mebibytes => mebibytes(&text).map_or(text, Cow::Owned),
        Show::ImageName => match view.images.get(&*text).filter(|name| !name.is_empty()) {
            Some(name) => Cow::Owned(name.clone()),
            None => shortened(text),
        },
        Show::Names => names(token).map_or(text, Cow::Owned),
        Show::Caller => caller(token).map_or(text, Cow::Owned),
        Show::Usage => {
            let usage = usage(token);
            let people = matches!(view.format, super::Format::Table | super::Format::Wide);
            let percent =
                usage.split_once(' ').filter(|(bar, _)| !people && bar.chars().all(|sign| "#-".contains(sign)));
            Cow::Owned(percent.map_or(usage.clone(), |(_, percent)| percent.to_owned()))
        }
        _ => text,
    }
}

/// The logins or names of an array of objects; older versions of the API have them bare.
fn names(token: &str) -> Option<String> {
    let list: Vec<serde_json::Value> = serde_json::from_str(token).ok()?;
    let name = |one: &serde_json::Value| {
        let text = one.get("login").or_else(|| one.get("name")).unwrap_or(one).as_str()?;
        let default = one.get("default").and_then(serde_json::Value::as_bool).unwrap_or(false);
        Some(if default { format!("{text}*") } else { text.to_owned() })
    };
    Some(list.iter().map(name).collect::<Option<Vec<_>>>()?.join(","))
}

/// Who asked: a key, a user without one, or `operator`.
fn caller(token: &str) -> Option<String> {
    let caller: serde_json::Value = serde_json::from_str(token).ok()?;
    ["keyId", "user", "type"].into_iter().find_map(|name| Some(caller.get(name)?.as_str()?.to_owned()))
}

/// `########-- 80%`: how much of a limit is used.
pub fn bar(used: f64, limit: f64) -> String {
    const WIDTH: f64 = 10.0;
    let part = (used / limit).clamp(0.0, 1.0);
    let full = (part * WIDTH).round() as usize;
    format!("{}{} {:.0}%", "#".repeat(full), "-".repeat(WIDTH as usize - full), used / limit * 100.0)
}

/// The same of a row.
fn usage(row: &str) -> String {
    let number = |name: &str| scan::member(row, name)?.parse::<f64>().ok();
    match (number("used"), number("value")) {
        (_, Some(limit)) if limit < 0.0 => "nothing allowed".to_owned(),
        (_, Some(0.0)) => "no limit".to_owned(),
        (Some(used), Some(limit)) => bar(used, limit),
        _ => String::new(),
    }
}

/// A string's content, a list of plain values joined by commas, any other JSON without white space.
pub(super) fn plain(token: &str) -> Cow<'_, str> {
    match token.as_bytes().first() {
        Some(b'"') => scan::unquote(token).unwrap_or(Cow::Borrowed(token)),
        Some(b'[') if scan::elements(token).is_some_and(|mut all| !all.any(|one| one.starts_with(['{', '[']))) => {
            let all: Vec<Cow<'_, str>> = scan::elements(token).into_iter().flatten().map(plain).collect();
            Cow::Owned(all.join(","))
        }
        Some(b'{') if scan::members(token).is_some_and(|mut all| all.next().is_none()) => Cow::Borrowed(""),
        Some(b'{' | b'[') => Cow::Owned(json::compact(token)),
        _ => Cow::Borrowed(token),
    }
}

/// The words for the letters of a column of flags, in their order.
fn words(letters: &str, show: Show) -> Vec<&'static str> {
    let word = |letter: char| match (show, letter) {
        (Show::MachineFlags, 'B') => "bhyve",
        (Show::MachineFlags, 'D') => "docker",
        (Show::MachineFlags, 'F') => "firewall",
        (Show::MachineFlags, 'K') => "kvm",
        (Show::MachineFlags, _) => "deletion-protection",
        (_, 'I') => "incremental",
        (_, 'X') => "inactive",
        _ => "public",
    };
    in_order(letters).chars().map(word).collect()
}

/// A made column as JSON: flags are an array of words, and all else is the text of a table.
pub(super) fn made(value: &Value<'_>, show: Show, view: &View) -> String {
    match value {
        Value::Letters(letters) => serde_json::json!(words(letters, show)).to_string(),
        Value::Absent => "null".to_owned(),
        Value::Json(json) => serde_json::Value::from(present(json, show, view)).to_string(),
    }
}

/// What CSV and TSV hold: the value itself, or what a table shows of a made column; `None` when it is absent or null.
pub(super) fn raw<'a>(value: &Value<'a>, column: &Chosen, view: &View) -> Option<Cow<'a, str>> {
    let text = match value {
        Value::Json(json) if column.made && *json != "null" => harmless(present(json, column.show, view), view),
        Value::Absent | Value::Json("null") => return None,
        Value::Json(json) if json.starts_with(['{', '[']) => Cow::Owned(json::compact(json)),
        Value::Json(json) if json.starts_with('"') => harmless(plain(json), view),
        Value::Json(json) => plain(json),
        Value::Letters(letters) => Cow::Owned(words(letters, column.show).join(",")),
    };
    if view.terminal
        && let Cow::Owned(escaped) = escape::visible_lines(&text)
    {
        return Some(Cow::Owned(escaped));
    }
    Some(text)
}

/// What CSV and TSV have above a column. Where nobody chose the columns, their names are the server's.
pub(super) fn title<'a>(column: &'a Chosen, view: &View) -> Cow<'a, str> {
    let name = harmless(Cow::Borrowed(column.name.as_str()), view);
    match view.terminal.then(|| escape::visible_lines(&name).into_owned()) {
        Some(shown) => Cow::Owned(shown),
        None => name,
    }
}

/// With `--csv-safe`, a text that a spreadsheet would take for a formula begins with an apostrophe.
fn harmless<'a>(text: Cow<'a, str>, view: &View) -> Cow<'a, str> {
    // The wide ones are formulas where Chinese and Japanese are written; blanks before them may be dropped.
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    match view.safe && (formula || text.starts_with(['\t', '\r', '\n'])) {
        true => Cow::Owned(format!("'{text}")),
        false => text,
    }
}

/// The first part of a UUID; anything else stays whole.
fn shortened(text: Cow<'_, str>) -> Cow<'_, str> {
    let uuid = text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    match text.get(..8) {
        Some(short) if uuid => Cow::Owned(short.to_owned()),
        _ => text,
    }
}

/// How long ago an RFC 3339 time was, in one unit, rounded down: `3d`. `None` for what is no time.
pub fn age(time: &str, now: i64) -> Option<String> {
    let then = time.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    let seconds = now.saturating_sub(then).max(0) / 1000;
    let units = [(31_536_000, 'y'), (604_800, 'w'), (86_400, 'd'), (3600, 'h'), (60, 'm')];
    let found = units.iter().find(|(size, _)| seconds >= *size);
    Some(found.map_or_else(|| format!("{seconds}s"), |(size, unit)| format!("{}{unit}", seconds / size)))
}

/// MiB in the unit that suits: `512M`, `1.5G`, `2T`. `None` for what is no whole number.
pub fn mebibytes(text: &str) -> Option<String> {
    let amount: u64 = text.parse().ok()?;
    let (size, unit) = match amount {
        0..1024 => return Some(format!("{amount}M")),
        1024..1_048_576 => (1024, 'G'),
        _ => (1_048_576, 'T'),
    };
    let tenths = (amount % size) * 10 / size;
    // What a tenth cannot tell is told exactly, in the smaller unit.
    match (amount % size) * 10 % size {
        0 if tenths == 0 => Some(format!("{}{unit}", amount / size)),
        0 => Some(format!("{}.{tenths}{unit}", amount / size)),
        _ if unit == 'T' && amount.is_multiple_of(1024) => Some(format!("{}G", amount / 1024)),
        _ => Some(format!("{amount}M")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_finds_no_formula_in_a_safe_cell() {
        let safe = View { safe: true, ..View::default() };
        let plain = Chosen { name: "x".to_owned(), path: Vec::new(), show: Show::Text, made: false, stays: false };
        let cell = |json: &str, view: &View| raw(&Value::Json(json), &plain, view).unwrap().into_owned();
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\\t=1", "\\n=1", "\\r1", " =1", "\u{3000}=1", "＝1", "－1"] {
            let json = format!("\"{text}\"");
            let plain = cell(&json, &View::default());
            assert_eq!(cell(&json, &safe), format!("'{plain}"), "{text}");
        }
        // Numbers and JSON are what they are.
        for json in ["-5", "1.10", "true", "\"web-1\"", "\"a=b\"", "\"\"", "[\"=1\"]", "{\"=1\":1}"] {
            assert_eq!(cell(json, &safe), cell(json, &View::default()), "{json}");
        }
        let column = Chosen { name: "=1".to_owned(), path: Vec::new(), show: Show::Text, made: false, stays: false };
        assert_eq!((title(&column, &safe), title(&column, &View::default())), ("'=1".into(), "=1".into()));
    }
}
