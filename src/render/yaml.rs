//! YAML, written from the JSON text: numbers keep their text, and a string is quoted whenever YAML 1.1 or
//! 1.2 would read it as something else. Of a member that occurs twice the last one is written, since
//! YAML allows only one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use super::escape::visible_json;
use super::json;
use crate::answer::scan;

/// Deeper nesting is written as JSON, which is YAML too.
const MAX_DEPTH: usize = 48;

/// Appends a whole document.
pub(super) fn document(text: &str, out: &mut String) {
    value(text, 0, false, out);
    out.push('\n');
}

/// Appends an element of a list that is the document.
pub(super) fn item(text: &str, out: &mut String) {
    out.push_str("- ");
    value(text, 1, true, out);
    out.push('\n');
}

/// Appends a value; `inline` when something stands before it on the line.
fn value(text: &str, level: usize, inline: bool, out: &mut String) {
    let text = text.trim_matches(scan::BLANK);
    match text.as_bytes().first() {
        Some(b'"') => scalar(&scan::unquote(text).unwrap_or_default(), out),
        Some(b'{' | b'[') if level > MAX_DEPTH => out.push_str(&flow(text)),
        Some(b'{') => mapping(text, level, inline, out),
        Some(b'[') => sequence(text, level, inline, out),
        _ => out.push_str(text),
    }
}

fn sequence(text: &str, level: usize, inline: bool, out: &mut String) {
    let mut first = true;
    for element in scan::elements(text).into_iter().flatten() {
        if !(first && inline) {
            start_line(level, first, out);
        }
        first = false;
        out.push_str("- ");
        value(element, level + 1, true, out);
    }
    if first {
        out.push_str("[]");
    }
}

fn mapping(text: &str, level: usize, inline: bool, out: &mut String) {
    let members: Vec<(Cow<'_, str>, &str)> = scan::members(text)
        .into_iter()
        .flatten()
        .map(|(name, value)| (scan::unquote(name).unwrap_or_default(), value))
        .collect();
    let last: HashMap<&str, usize> = members.iter().enumerate().map(|(index, (name, _))| (&**name, index)).collect();
    let mut first = true;
    for (index, (name, member)) in members.iter().enumerate() {
        if last.get(&**name) != Some(&index) {
            continue;
        }
        if !(first && inline) {
            start_line(level, first, out);
        }
        first = false;
        let start = out.len();
        scalar(name, out);
        // YAML looks no further than 1024 characters for the colon of a plain key.
        if out.len() - start > 1000 {
            out.insert_str(start, "? ");
            start_line(level, false, out);
        }
        out.push(':');
        let member = member.trim_matches(scan::BLANK);
        let nested = member.starts_with(['{', '[']) && level < MAX_DEPTH && !is_empty(member);
        if nested {
            start_line(level + 1, false, out);
            value(member, level + 1, true, out);
        } else {
            out.push(' ');
            value(member, level + 1, true, out);
        }
    }
    if first {
        out.push_str("{}");
    }
}

fn is_empty(container: &str) -> bool {
    container.get(1..container.len().saturating_sub(1)).unwrap_or_default().trim_matches(scan::BLANK).is_empty()
}

fn start_line(level: usize, first: bool, out: &mut String) {
    if !(first && (out.is_empty() || out.ends_with('\n'))) {
        out.push('\n');
    }
    for _ in 0..level {
        out.push_str("  ");
    }
}

fn flow(text: &str) -> String {
    // YAML wants a space after the colon; JSON strings are YAML strings but for hidden characters.
    visible_json(&json::compact(text)).into_owned()
}

/// Appends a string, quoted if it must be.
fn scalar(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if must_escape(hidden) => {
                let code = u32::from(hidden);
                let _ = match code {
                    0..0x100 => write!(out, "\\x{code:02x}"),
                    0x100..0x10000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn must_escape(letter: char) -> bool {
    !matches!(super::visible(letter.encode_utf8(&mut [0; 4])), Cow::Borrowed(_))
        || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

/// Words that YAML 1.1 or 1.2, or a reader that is generous, takes for something else than text.
const WORDS: &[&str] =
    &["null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity", "=", "<<"];

fn is_plain(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().last()) else { return false };
    let bare = text.trim_start_matches(['+', '-']).trim_start_matches('.');
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text) || word.eq_ignore_ascii_case(bare));
    // Numbers, versions, addresses and times of either YAML; `0x1F`, `0o17`, `0b1`; dates.
    let numeric = text.chars().all(|letter| letter.is_ascii_digit() || "_.,:+-eE".contains(letter));
    let based =
        bare.len() > 2 && bare.starts_with('0') && bare.chars().all(|l| l.is_ascii_hexdigit() || "xXoO_".contains(l));
    let date =
        matches!(text.as_bytes(), [a, b, c, d, b'-', e, ..] if [a, b, c, d, e].iter().all(|x| x.is_ascii_digit()));
    !(is_word
        || numeric
        || based
        || date
        || "-?:,[]{}#&*!|>'\"%@`".contains(first)
        || first.is_whitespace()
        || last.is_whitespace()
        || last == ':'
        || text.contains(": ")
        || text.contains(" #")
        || text.chars().any(|letter| letter == '\t' || must_escape(letter)))
}
