//! Walks JSON text without decoding it: members, elements, strings, pointers. The text has been
//! validated before; on anything else it finds less, and never panics.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2_iter, memmem};
use serde_json::Value;

/// The kind of white space JSON knows.
pub const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// The members of an object as `(name token, value text)`, in the order sent, duplicates included.
pub fn members(json: &str) -> Option<Members<'_>> {
    Some(Members { rest: trimmed(json).strip_prefix('{')?.strip_suffix('}')? })
}

/// The elements of an array, each as its text.
pub fn elements(json: &str) -> Option<Elements<'_>> {
    Some(Elements { rest: trimmed(json).strip_prefix('[')?.strip_suffix(']')? })
}

/// Objects within objects are looked through so many levels deep; no record has more.
const LEVELS: usize = 8;

/// The name of a member that an object has twice, itself or in a part. Readers differ in which of the two they take.
pub fn repeated(json: &str) -> Option<String> {
    repeated_within(json, LEVELS)
}

fn repeated_within(json: &str, levels: usize) -> Option<String> {
    let mut names = HashSet::new();
    for (name, value) in members(json).into_iter().flatten() {
        let name = unquote(name).unwrap_or(Cow::Borrowed(name));
        if names.contains(&name) {
            return Some(name.into_owned());
        }
        names.insert(name);
        if levels > 0
            && let Some(name) = repeated_within(value, levels - 1)
        {
            return Some(name);
        }
    }
    elements(json).into_iter().flatten().find_map(|part| repeated_within(part, levels.checked_sub(1)?))
}

/// See [`members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let name = take(&mut self.rest)?;
        self.rest = after_blanks(self.rest).strip_prefix(':')?;
        let value = take(&mut self.rest)?;
        skip_comma(&mut self.rest);
        Some((name, value))
    }
}

/// See [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let value = take(&mut self.rest)?;
        skip_comma(&mut self.rest);
        Some(value)
    }
}

/// The text from its first character that is not blank. Every value of every row passes here, so it goes by
/// bytes.
fn after_blanks(text: &str) -> &str {
    if !text.starts_with(|first: char| first <= ' ') {
        return text;
    }
    let blanks = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    text.get(blanks..).unwrap_or_default()
}

/// The text without blanks around it, which few have.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim_matches(BLANK),
    }
}

fn skip_comma(rest: &mut &str) {
    *rest = after_blanks(rest);
    *rest = rest.strip_prefix(',').unwrap_or(rest);
}

/// Takes one value off the front of the text.
fn take<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = after_blanks(rest);
    let end = value_end(text.as_bytes());
    let (value, after) = text.split_at_checked(end)?;
    *rest = after;
    if value.is_empty() { None } else { Some(value) }
}

/// Where the value at the start of the text ends. Brackets are counted, not recursed into, so that
/// no depth of nesting can exhaust the stack.
fn value_end(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => return string_end(text, 0),
        Some(b'{' | b'[') => {}
        _ => {
            let ends = |byte: &u8| *byte <= b' ' || matches!(byte, b',' | b':' | b']' | b'}');
            return text.iter().position(ends).unwrap_or(text.len());
        }
    }
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// Where the string that opens at `start` ends, its closing quote included.
pub fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        at += plain(text.get(at..).unwrap_or_default());
        match text.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at += 2,
            None => return text.len(),
        }
    }
}

/// How many bytes come before the next quote or backslash. Most of a document is inside of strings, so it
/// takes eight of them at a time.
fn plain(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest bit that is set tells the first byte that is zero.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (eights, rest) = text.as_chunks::<8>();
    for (index, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    eights.len() * 8 + rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
}

/// The text of a string token, escapes resolved; `None` for what is no string. Half of a surrogate
/// pair becomes U+FFFD.
pub fn unquote(token: &str) -> Option<Cow<'_, str>> {
    let inner = trimmed(token).strip_prefix('"')?.strip_suffix('"')?;
    let Some(first) = memchr(b'\\', inner.as_bytes()) else { return Some(Cow::Borrowed(inner)) };
    let mut out = String::with_capacity(inner.len());
    let (mut plain, mut rest) = inner.split_at(first);
    loop {
        out.push_str(plain);
        let mut chars = rest.chars();
        if chars.next().is_none() {
            return Some(Cow::Owned(out));
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let (found, used) = code_point(chars.as_str());
                out.push(found);
                chars = chars.as_str().get(used..).unwrap_or_default().chars();
            }
            Some(other) => out.push(other),
            None => return Some(Cow::Owned(out)),
        }
        rest = chars.as_str();
        (plain, rest) = rest.split_at(rest.find('\\').unwrap_or(rest.len()));
    }
}

/// The text that a value shows: a string's content, the JSON text of everything else, nothing for null.
pub fn text(json: &str) -> Option<Cow<'_, str>> {
    if json == "null" { None } else { unquote(json).or(Some(Cow::Borrowed(json))) }
}

/// The character of four hexadecimal digits, or of a surrogate pair, and how much of the text it took.
fn code_point(text: &str) -> (char, usize) {
    let unit = |from: usize| text.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match unit(0) {
        Some(high @ 0xd800..=0xdbff) if text.get(4..6) == Some("\\u") => match unit(6) {
            Some(low @ 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 10)
            }
            _ => ('\u{fffd}', 4),
        },
        Some(code) => (char::from_u32(code).unwrap_or('\u{fffd}'), 4),
        None => ('\u{fffd}', 0),
    }
}

/// Whether a name token spells this name.
pub fn same_name(token: &str, name: &str) -> bool {
    let [b'"', inner @ .., b'"'] = token.as_bytes() else { return false };
    if inner.len() <= name.len() {
        return inner == name.as_bytes();
    }
    // With an escape in it, it is longer than what it spells: by one character at least, and most names are not.
    let escaped = inner.iter().zip(name.as_bytes()).find(|(one, other)| one != other).map_or(b'\\', |(one, _)| *one);
    escaped == b'\\' && inner.contains(&b'\\') && unquote(token).is_some_and(|text| text == name)
}

/// The value of a member; of several the last, as every other reader of JSON has it. What is behind the first is not
/// read where nothing there can be a second.
pub fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    member_unless_again(json, name, |rest, token| memmem::find(rest, token).is_some())
}

/// The name of a member that is looked for in many rows: see [`member`].
pub struct Named<'a> {
    name: &'a str,
    token: memmem::Finder<'static>,
}

impl<'a> Named<'a> {
    /// This name.
    pub fn new(name: &'a str) -> Named<'a> {
        Named { name, token: memmem::Finder::new(format!("\"{name}\"").as_bytes()).into_owned() }
    }

    /// The value of the member of this name.
    pub fn within<'b>(&self, json: &'b str) -> Option<&'b str> {
        member_unless_again(json, self.name, |rest, _| self.token.find(rest).is_some())
    }
}

fn member_unless_again<'a>(json: &'a str, name: &str, again: impl Fn(&[u8], &[u8]) -> bool) -> Option<&'a str> {
    if !after_blanks(json).starts_with('{') {
        return None;
    }
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let text = json.as_bytes();
    // A name may be spelt with escapes, too: letters, digits and the like by their numbers alone.
    let escaped = |at| !plain || memmem::find(text.get(at..).unwrap_or_default(), b"\\u").is_some();
    if memchr(b'\\', text).is_some_and(escaped) {
        return members(json)?.filter(|(token, _)| same_name(token, name)).last().map(|(_, value)| value);
    }
    let (mut from, mut found) = (0, None);
    while let Some((token, value)) = next_named(text, &mut from, name.as_bytes()) {
        found = Some(value);
        if !again(text.get(from..).unwrap_or_default(), text.get(token).unwrap_or_default()) {
            break;
        }
    }
    json.get(found?)
}

/// Where the name and the value of the next member of this name are, from the beginning of an object or from behind a
/// member on; moves behind the one that is found. Most of a row passes here for each filter of a list.
fn next_named(json: &[u8], from: &mut usize, name: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let after_blanks = |mut at: usize| {
        while json.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    let (mut at, mut depth) = (*from, usize::from(*from > 0));
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => {
                let token = at..string_end(json, at);
                at = token.end;
                // Of the texts at this level, names alone have a colon behind them.
                let is_text = depth == 1 && token.len() == name.len() + 2;
                if !is_text || json.get(token.start + 1..token.end - 1) != Some(name) {
                    continue;
                }
                let colon = after_blanks(at);
                if json.get(colon) == Some(&b':') {
                    let begin = after_blanks(colon + 1);
                    let end = begin + value_end(json.get(begin..)?);
                    *from = end;
                    return (end > begin).then_some((token, begin..end));
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The value at a path of member names and array positions.
pub fn at<'a, S: AsRef<str>>(json: &'a str, path: &[S]) -> Option<&'a str> {
    path.iter().try_fold(json, |inner, step| {
        let step = step.as_ref();
        match after_blanks(inner).as_bytes().first() {
            Some(b'{') => member(inner, step),
            Some(b'[') => elements(inner)?.nth(step.parse().ok()?),
            _ => None,
        }
    })
}

/// The steps of a JSON pointer (RFC 6901); `None` when it does not start with a slash.
pub fn steps(pointer: &str) -> Option<Vec<String>> {
    let rest = pointer.strip_prefix('/')?;
    Some(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// How deep [`value`] looks into what no reader takes as a whole.
const MAX_DEPTH: usize = 16;

/// The text as values. Where it cannot be read as a whole, each part that can be is, and any other is its own text:
/// half of a character, a number without measure, what nests too deep.
pub fn value(json: &str) -> Value {
    part(json, MAX_DEPTH)
}

fn part(json: &str, depth: usize) -> Value {
    if let Ok(value) = serde_json::from_str(json) {
        return value;
    }
    let inner = |value| part(value, depth - 1);
    match trimmed(json).as_bytes().first() {
        Some(b'"') => unquote(trimmed(json)).unwrap_or_default().into(),
        Some(b'{') if depth > 0 => {
            let all = members(json).into_iter().flatten();
            Value::Object(all.map(|(name, value)| (unquote(name).unwrap_or_default().into(), inner(value))).collect())
        }
        Some(b'[') if depth > 0 => elements(json).into_iter().flatten().map(inner).collect(),
        _ => json.into(),
    }
}

/// How deep the text nests.
pub fn depth(json: &str) -> usize {
    let text = json.as_bytes();
    let (mut depth, mut deepest, mut at) = (0usize, 0usize, 0usize);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// Whether a document holds more values than this: whole objects and arrays, and all that is in them. Few do, and that
/// is found out without a look at what is a string.
pub fn has_more_values(json: &str, most: usize) -> bool {
    let text = json.as_bytes();
    // Each has a character at least.
    if text.len() < most {
        return false;
    }
    let signs = memchr_iter(b',', text).count() + memchr2_iter(b'[', b'{', text).count();
    signs >= most && values(text) > most
}

/// One for the document, one for each comma, and one for what each bracket opens.
fn values(text: &[u8]) -> usize {
    let (mut values, mut at) = (1, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b',' | b'[' | b'{' => values += 1,
            _ => {}
        }
        at += 1;
    }
    values
}

/// The length of the longest number, in bytes: to read one takes time with the square of it.
pub fn longest_number(json: &str) -> usize {
    let text = json.as_bytes();
    let (mut longest, mut now, mut at) = (0usize, 0usize, 0usize);
    while let Some(&byte) = text.get(at) {
        if byte == b'"' {
            at = string_end(text, at);
            now = 0;
            continue;
        }
        now = if byte.is_ascii_digit() { now + 1 } else { 0 };
        longest = longest.max(now);
        at += 1;
    }
    longest
}

/// Writes text as a JSON string token. Nothing but what must be escaped is.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_an_object_has_twice_is_found_wherever_it_is() {
        for (json, name) in [
            (r#"{"a":1,"b":2,"a":1}"#, Some("a")),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (r#"{"tags":{"role":"web","role":"db"}}"#, Some("role")),
            (r#"{"nics":[{"mac":1},{"mac":2,"mac":3}]}"#, Some("mac")),
            (r#"{"a":{"b":1},"b":[{"a":1},{"a":2}]}"#, None),
            ("[]", None),
            ("7", None),
        ] {
            assert_eq!(repeated(json).as_deref(), name, "{json}");
        }
        // However deep, it ends.
        assert_eq!(repeated(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))), None);
    }

    #[test]
    fn what_no_reader_takes_hides_nothing_else() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let whole = format!(r#"{{"a": "\ud83d", "b": {{"c": 1e999, "d": [7, "\ud83d!"]}}, "e": {deep}, "f": true}}"#);
        assert!(serde_json::from_str::<Value>(&whole).is_err());
        let read = value(&whole);
        assert_eq!(read["a"], "\u{fffd}");
        assert_eq!((&read["b"]["c"], &read["b"]["d"][0]), (&"1e999".into(), &7.into()));
        assert_eq!((&read["b"]["d"][1], &read["f"]), (&"\u{fffd}!".into(), &true.into()));
        assert!(read["e"][0][0].is_array());
        assert_eq!(value("nonsense"), "nonsense");
        assert_eq!(value(r#"{"a":1}"#), serde_json::json!({ "a": 1 }));
    }

    #[test]
    fn the_last_of_several_members_counts_however_it_is_spelt() {
        for (json, found) in [
            (r#"{"id":"a","name":"b"}"#, Some(r#""a""#)),
            (r#"{"id":"a","x":{"id":7},"id":"c"}"#, Some(r#""c""#)),
            (r#"{"id":"a","\u0069d":"c"}"#, Some(r#""c""#)),
            (r#"{"\u0069d":"a","id":"c"}"#, Some(r#""c""#)),
            (r#"{"name":"id"}"#, None),
            (r#"{"x":"id","y":["id",{"id":1}],"id" : 7 ,"z":"id"}"#, Some("7")),
            (r#"{"x":{"id":1}}"#, None),
            ("{ \"a\":\"}\",\"b\":\"{[\",\n\"id\":[1,{\"id\":2}] }", Some(r#"[1,{"id":2}]"#)),
            (r#"{"a":"\"id\":1","id":2}"#, Some("2")),
            ("{}", None),
        ] {
            assert_eq!(member(json, "id"), found, "{json}");
            assert_eq!(Named::new("id").within(json), found, "{json}");
            let own = members(json).unwrap().filter(|(name, _)| unquote(name).is_some_and(|name| name == "id"));
            assert_eq!(own.last().map(|(_, value)| value), found, "{json}");
        }
    }

    #[test]
    fn values_are_counted_and_not_the_signs_within_strings() {
        assert_eq!(values(br#"{"a":[1,2,{"b":null}],"c":"[,,,{"}"#), 7);
        for (json, most) in [("[0,0,0]", 4), ("7", 1), (r#"["a,b",",,,,,,"]"#, 3), (r#"{"\",":{},",":1}"#, 4)] {
            assert!(!has_more_values(json, most) && has_more_values(json, most - 1), "{json}");
        }
    }

    #[test]
    fn a_long_number_is_seen_before_it_is_read() {
        let long = "9".repeat(20_000);
        assert_eq!(longest_number(&format!(r#"[{{"a":{long},"b":"{long}1"}},12]"#)), 20_000);
        assert_eq!(longest_number(r#"["123456", 1.25, -7e10]"#), 2);
    }
}
