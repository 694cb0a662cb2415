//! Makes what a server sent harmless on a terminal, and visible.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::withheld;
use crate::sensitive;

/// Characters that steer a terminal, make a line read otherwise than it is, or are not seen: controls, formats,
/// fillers, selectors of variants, tags, and blanks other than the usual one. Unicode calls most of them default
/// ignorable.
fn is_hidden(letter: char) -> bool {
    if letter.is_ascii() {
        return letter.is_ascii_control();
    }
    letter.is_control()
        || letter.is_whitespace()
        || is_noncharacter(letter)
        || matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}'
        | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Code points that are no characters and never will be.
fn is_noncharacter(letter: char) -> bool {
    matches!(letter, '\u{fdd0}'..='\u{fdef}') || u32::from(letter) & 0xfffe == 0xfffe
}

/// So many marks may stand on one letter: more than any script has, and fewer than cover the lines around it.
const MAX_MARKS: usize = 5;

/// The letters of a text, and whether each is spelled out: those that are not seen, and marks that stand on no letter
/// or on top of too many others.
fn letters(text: &str) -> impl Iterator<Item = (char, bool)> {
    // On what a mark cannot stand, it stands on whatever is before the text.
    let mut marks = MAX_MARKS;
    text.chars().map(move |letter| {
        let hidden = is_hidden(letter);
        let mark = !hidden && !letter.is_ascii() && letter.width() == Some(0);
        marks = match (mark, hidden || letter == ' ') {
            (true, _) => marks.saturating_add(1),
            (false, true) => MAX_MARKS,
            (false, false) => 0,
        };
        (letter, hidden || mark && marks > MAX_MARKS)
    })
}

/// The text with control characters, terminal escapes and changes of writing direction spelled out:
/// `\n`, `\x1b`, `\u{202e}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if plain(text) || !letters(text).any(|(_, hide)| hide) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (letter, hide) in letters(text) {
        match letter {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hidden if hide => {
                let code = u32::from(hidden);
                let _ = if code < 0x100 { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
            }
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// The same for several lines of data, where line feeds and tabs are meant.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    if !letters(text).any(|(letter, hide)| hide && !matches!(letter, '\n' | '\t')) {
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
    let harmful = |(letter, hide): (char, bool)| hide && !matches!(letter, '\n' | '\r' | '\t');
    if plain_json(text) || !letters(text).any(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (letter, hide) in letters(text) {
        if harmful((letter, hide)) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// The text, no wider than this: what comes from elsewhere has no room beyond it in a question or an error.
pub fn cut(text: &str, widest: usize) -> Cow<'_, str> {
    if text.len() <= widest || text.len() <= widest.saturating_mul(8) && text.width() <= widest {
        return Cow::Borrowed(text);
    }
    let (mut out, mut wide) = (String::new(), 1);
    for letter in text.chars() {
        wide += letter.width().unwrap_or(0);
        // Letters without a width take room too.
        if wide > widest || out.len() > widest.saturating_mul(8) {
            break;
        }
        out.push(letter);
    }
    out.push('…');
    Cow::Owned(out)
}

/// Printable ASCII and nothing else: the usual case, found out quickly.
fn plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn plain_json(text: &str) -> bool {
    text.bytes().all(|byte| byte < 0x7f)
}

/// No line of words to a person is longer. As JSON it is whole.
const MAX_LEN: usize = 4000;

/// Words without a private key or a secret of this run: the last one who looks, where a tag or a service's answer brought one along.
pub fn safe(text: &str) -> Cow<'_, str> {
    match sensitive::has_key_in_it(text) {
        true => "(words with a private key in them, not shown)".into(),
        false => withheld::without(text),
    }
}

/// Words that may hold a server's text, as one line: its line feeds and control characters are shown, not obeyed.
pub fn escaped(text: &str) -> String {
    cut(&visible(&safe(text)), MAX_LEN).into_owned()
}

/// The same for words that have lines of our own, which stand below the first.
pub fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = safe(text).split('\n').map(|line| cut(&visible(line), MAX_LEN).into_owned()).collect();
    lines.join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each sort that Unicode has of what is not seen.
    const UNSEEN: &str = "\u{7f}\u{80}\u{85}\u{9b}\u{a0}\u{ad}\u{34f}\u{600}\u{61c}\u{115f}\u{1160}\u{1680}\u{17b4}\u{180b}\u{180e}\u{2000}\u{200b}\u{200c}\u{200d}\u{200e}\u{2028}\u{2029}\u{202a}\u{202e}\u{202f}\u{205f}\u{2060}\u{2061}\u{2065}\u{2066}\u{206a}\u{206f}\u{2800}\u{3000}\u{3164}\u{fdd0}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fff9}\u{fffe}\u{110bd}\u{13430}\u{1bca0}\u{1d159}\u{1d173}\u{1fffe}\u{e0001}\u{e0041}\u{e007f}\u{e0100}\u{e01ef}\u{e0fff}";

    #[test]
    fn whatever_is_not_seen_is_spelled_out() {
        for letter in UNSEEN.chars() {
            let name = format!("we{letter}b");
            for shown in [visible(&name), visible_lines(&name)] {
                assert!(shown.is_ascii() && shown.len() > 4 && shown.starts_with("we\\"), "{letter:?}: {shown}");
            }
            let json = serde_json::Value::from(name.as_str()).to_string();
            let shown = visible_json(&json);
            assert!(shown.is_ascii(), "{letter:?}: {shown}");
            assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), name, "the value stays what it was");
        }
    }

    #[test]
    fn marks_that_pile_up_or_stand_on_nothing_are_spelled_out() {
        let flood = format!("z{}algo", "\u{301}\u{489}\u{334}".repeat(50));
        let shown = visible(&flood);
        assert!(shown.starts_with("z\u{301}\u{489}\u{334}\u{301}\u{489}\\u{334}\\u{301}"), "{shown}");
        assert_eq!(shown.chars().filter(|letter| letter.width() == Some(0)).count(), MAX_MARKS);
        assert_eq!(visible_lines(&flood), shown);
        let json = serde_json::Value::from(flood.as_str()).to_string();
        assert_eq!(serde_json::from_str::<String>(&visible_json(&json)).unwrap(), flood);
        for name in ["\u{301}web", "a \u{301}b", "a\u{200b}\u{301}", "\u{20dd}"] {
            assert!(visible(name).contains("\\u{301}") || visible(name).contains("\\u{20dd}"), "{name:?}");
        }
        // As thick as writing gets.
        for name in ["שָׁלוֹם", "ที่นี่", "नमस्ते", "ཧཱུྃ", "أُمَّ", "e\u{323}\u{302}\u{301}"]
        {
            assert!(matches!(visible(name), Cow::Borrowed(_)), "{name}");
        }
    }

    #[test]
    fn a_text_is_cut_by_its_width() {
        assert_eq!(cut("web", 10), "web");
        assert_eq!(cut("a machine with a long name", 10), "a machine…");
        assert_eq!(cut("日本語の名前", 7), "日本語…");
        assert!(cut(&"\u{301}".repeat(5000), 10).len() < 100);
    }

    #[test]
    fn letters_of_all_scripts_stay() {
        for name in ["web-1", "büro", "ß", "веб", "ウェブ", "网站", "웹", "שרת", "خادم", "เว็บ", "e\u{301}", "😀", "�"]
        {
            assert!(matches!(visible(name), Cow::Borrowed(same) if same == name), "{name}");
        }
    }
}
