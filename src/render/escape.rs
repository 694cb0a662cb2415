//! Makes what a server sent harmless on a terminal, and visible.

use std::borrow::Cow;
use std::fmt::Write;

/// Characters that steer a terminal, or make a line read otherwise than it is.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text with control characters, terminal escapes and changes of writing direction spelled out:
/// `\n`, `\x1b`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if plain(text) || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if is_hidden(hidden) => {
                let code = u32::from(hidden);
                let _ = if code < 0x100 { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
            }
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// The same for several lines of data, where line feeds and tabs are meant.
pub(super) fn visible_lines(text: &str) -> Cow<'_, str> {
    let harmful = |letter: char| is_hidden(letter) && !matches!(letter, '\n' | '\t');
    if !text.chars().any(harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_inclusive(['\n', '\t']).fold(String::new(), |mut out, part| {
        let body = part.trim_end_matches(['\n', '\t']);
        out.push_str(&visible(body));
        out.push_str(part.get(body.len()..).unwrap_or_default());
        out
    }))
}

/// The same for a JSON document: inside its strings JSON's own escapes say it, so that the values stay
/// what they were.
pub fn visible_json(text: &str) -> Cow<'_, str> {
    let harmful = |letter: char| is_hidden(letter) && !matches!(letter, '\n' | '\r' | '\t');
    if plain_json(text) || !text.chars().any(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if harmful(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Printable ASCII and nothing else: the usual case, found out quickly.
fn plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn plain_json(text: &str) -> bool {
    text.bytes().all(|byte| byte < 0x7f)
}
