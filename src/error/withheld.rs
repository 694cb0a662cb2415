//! Secrets that this process was given or has sent: whoever repeats them, in whatever spelling, no words of ours do.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;
use secrecy::zeroize::Zeroizing;

/// What stands in the place of a secret.
const MASK: &str = "(hidden)";
/// What has fewer characters may be a part of any word, and is one only where it is a whole one.
const SHORT: usize = 6;
/// What has fewer may be a whole word of any sentence, and is a secret only where it is all that is between quotes.
const SHORTEST: usize = 3;
/// Longer than any password or token, in bytes.
const LONGEST: usize = 64 * 1024;

static KNOWN: RwLock<Vec<Known>> = RwLock::new(Vec::new());

struct Known {
    /// Its characters. Several backslashes in a row are one, since each reader of JSON may have made two of one.
    letters: Zeroizing<Vec<char>>,
    /// What it is in base64, behind any number of other bytes, in both alphabets.
    base64: Vec<Zeroizing<Vec<u8>>>,
}

impl Known {
    fn new(secret: &str) -> Known {
        let mut letters = Zeroizing::new(Vec::with_capacity(secret.len()));
        letters.extend(secret.chars());
        letters.dedup_by(|next, before| *next == '\\' && *before == '\\');
        let mut base64 = Vec::new();
        for before in (0..3_usize).filter(|_| letters.len() >= SHORT) {
            let mut bytes = Zeroizing::new(vec![0; before]);
            bytes.reserve_exact(secret.len());
            bytes.extend_from_slice(secret.as_bytes());
            let whole = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes).into_bytes());
            // The letters that hang on nothing else.
            let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            let own = Zeroizing::new(whole.get(from..to).unwrap_or_default().to_vec());
            let in_urls = own.iter().map(|letter| match letter {
                b'+' => b'-',
                b'/' => b'_',
                other => *other,
            });
            base64.push(Zeroizing::new(in_urls.collect()));
            base64.push(own);
        }
        base64.dedup();
        Known { letters, base64 }
    }

    /// Where it stands in this text.
    fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let mut done = 0;
        for (at, letter) in text.char_indices() {
            // Where each spelling of a character may begin.
            let begins = self.letters.first() == Some(&letter) || matches!(letter, '\\' | '%' | '+' | '&');
            if at >= done
                && begins
                && let Some(length) = self.length_at(text.get(at..).unwrap_or_default())
                && self.is_apart(text, at, at + length)
            {
                done = at + length;
                found.push(at..done);
            }
        }
        let of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
        for form in &self.base64 {
            for at in memmem::find_iter(text.as_bytes(), form.as_slice()) {
                // The letters at its ends hold a part of it too.
                let (before, behind) = text.as_bytes().split_at(at);
                let start = at - before.iter().rev().take_while(|byte| of_base64(byte)).count();
                found.push(start..at + behind.iter().take_while(|byte| of_base64(byte)).count());
            }
        }
    }

    /// How much of the text it takes, if the text begins with it.
    fn length_at(&self, text: &str) -> Option<usize> {
        // A sign that begins the spelling of others may stand for itself or be spelt so.
        [false, true].into_iter().find_map(|spelt_out| {
            let rest =
                self.letters.iter().try_fold(text, |rest, letter| rest.get(spelt(rest, *letter, spelt_out)?..))?;
            Some(text.len() - rest.len())
        })
    }

    /// Whether what it was found in is not a longer word.
    fn is_apart(&self, text: &str, from: usize, to: usize) -> bool {
        let before = text.get(..from).and_then(|before| before.chars().next_back());
        let behind = text.get(to..).and_then(|behind| behind.chars().next());
        let ends = |of: fn(char) -> bool| before.is_none_or(of) && behind.is_none_or(of);
        match self.letters.len() {
            ..SHORTEST => ends(|letter| matches!(letter, '"' | '\'')),
            SHORTEST..SHORT => ends(|letter| !letter.is_alphanumeric()),
            _ => true,
        }
    }
}

/// How many bytes at the beginning of the text spell this character: itself, or as JSON, URLs, HTML or a message of ours
/// write it.
fn spelt(text: &str, letter: char, spelt_out: bool) -> Option<usize> {
    let first = text.chars().next()?;
    match first {
        '\\' => {
            let escapes = text.bytes().take_while(|byte| *byte == b'\\').count();
            if letter == '\\' {
                return Some(escapes);
            }
            let rest = text.get(escapes..)?;
            let escaped = rest.chars().next()?;
            let length = match escaped {
                'u' => code_points(rest, letter)?,
                'n' if letter == '\n' => 1,
                't' if letter == '\t' => 1,
                'r' if letter == '\r' => 1,
                other if other == letter && !other.is_alphanumeric() => other.len_utf8(),
                _ => return None,
            };
            Some(escapes + length)
        }
        '%' if letter == '%' && spelt_out && text.starts_with("%25") => Some("%25".len()),
        _ if first == letter && !(letter == '&' && spelt_out) => Some(first.len_utf8()),
        '%' => {
            let mut bytes = [0; 4];
            let rest = letter.encode_utf8(&mut bytes).bytes().try_fold(text, |rest, byte| {
                let mut digits = rest.strip_prefix('%')?;
                // The sign itself may be encoded too.
                while let Some(inner) = digits.strip_prefix("25").filter(|_| byte != b'%') {
                    digits = inner;
                }
                let two = digits.get(..2)?;
                (u8::from_str_radix(two, 16) == Ok(byte)).then(|| digits.get(2..)).flatten()
            })?;
            Some(text.len() - rest.len())
        }
        '+' if letter == ' ' => Some(1),
        '&' => {
            ENTITIES.iter().find(|(entity, meant)| *meant == letter && text.starts_with(entity)).map(|(e, _)| e.len())
        }
        _ => None,
    }
}

const ENTITIES: &[(&str, char)] = &[
    ("&amp;", '&'),
    ("&lt;", '<'),
    ("&gt;", '>'),
    ("&quot;", '"'),
    ("&#34;", '"'),
    ("&#39;", '\''),
    ("&#x27;", '\''),
    ("&apos;", '\''),
];

/// The length of `u00e9`, of two of these with a backslash between, or of `u{e9}`, where that is this character.
fn code_points(text: &str, letter: char) -> Option<usize> {
    if let Some((digits, _)) = text.strip_prefix("u{").and_then(|rest| rest.split_once('}')) {
        return (u32::from_str_radix(digits, 16) == Ok(u32::from(letter))).then_some(digits.len() + 3);
    }
    let mut units = [0; 2];
    let rest = letter.encode_utf16(&mut units).iter().enumerate().try_fold(text, |rest, (at, unit)| {
        let rest = if at == 0 { rest } else { rest.trim_start_matches('\\') };
        let digits = rest.strip_prefix('u')?;
        (u16::from_str_radix(digits.get(..4)?, 16) == Ok(*unit)).then(|| digits.get(4..)).flatten()
    })?;
    Some(text.len() - rest.len())
}

/// Remembers a secret for as long as this process lives.
pub(crate) fn remember(secret: &str) {
    let secret = secret.trim_matches(['\r', '\n']);
    // What stands in the place of a secret in what was shown is none.
    if secret.trim().is_empty() || secret.len() > LONGEST || secret == "(redacted)" || secret == MASK {
        return;
    }
    let new = Known::new(secret);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if known.iter().all(|known| known.letters != new.letters) {
        known.push(new);
    }
}

/// The text with none of the secrets in it.
pub(crate) fn without(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    masked(text, &known)
}

/// The same of words that are put together already.
pub(crate) fn taken_out(text: String) -> String {
    match without(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(hidden) => hidden,
    }
}

/// The same of JSON, which stays JSON: the names in it are ours.
pub(crate) fn without_in_json(json: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    in_json(json, &known)
}

fn in_json<'a>(json: &'a str, known: &[Known]) -> Cow<'a, str> {
    if known.is_empty() {
        return json.into();
    }
    let (mut out, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(start) = rest.find('"') {
        let inside = rest.get(start + 1..).unwrap_or_default();
        let mut escaped = false;
        let end = inside.find(|letter| {
            let ends = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        });
        let (text, behind) = inside.split_at(end.unwrap_or(inside.len()));
        out.push_str(rest.get(..=start).unwrap_or_default());
        match behind.get(1..).is_some_and(|behind| behind.trim_start().starts_with(':')) {
            true => out.push_str(text),
            false => out.push_str(&masked(text, known)),
        }
        let quote = behind.len().min(1);
        out.push_str(behind.get(..quote).unwrap_or_default());
        rest = behind.get(quote..).unwrap_or_default();
    }
    out.push_str(rest);
    out.into()
}

fn masked<'a>(text: &'a str, known: &[Known]) -> Cow<'a, str> {
    let mut found = Vec::new();
    known.iter().for_each(|known| known.find(text, &mut found));
    if found.is_empty() {
        return text.into();
    }
    found.sort_unstable_by_key(|range| range.start);
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for range in found {
        if range.start >= done {
            out.push_str(text.get(done..range.start).unwrap_or_default());
            out.push_str(MASK);
        }
        done = done.max(range.end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secret: &str, text: &str) -> String {
        masked(text, &[Known::new(secret)]).into_owned()
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_spelt() {
        let secret = r#"hü"n\ter 2/x"#;
        for spelt in [
            secret,
            r#"hü\"n\\ter 2\/x"#,
            r#"h\u00FC\"n\\ter 2/x"#,
            r#"h\\u00fc\\\"n\\\\ter 2/x"#,
            "h%C3%BC%22n%5Cter%202%2Fx",
            "h%c3%bc%22n%5cter+2/x",
            "h%25C3%25BC%2522n%255Cter%25202%252Fx",
            r"hü&quot;n\ter 2/x",
            r#"h\u{fc}"n\\ter 2/x"#,
        ] {
            assert_eq!(hidden(secret, &format!("a {spelt} b{spelt}")), "a (hidden) b(hidden)", "{spelt}");
        }
        assert_eq!(hidden("pass%word", "pass%word pass%25word"), "(hidden) (hidden)");
        assert_eq!(hidden("a😀bcdef", r"x a\ud83d\ude00bcdef y"), "x (hidden) y");
        assert_eq!(hidden("hunter2xyz", "hunter2 hunter2xy Hunter2xyz"), "hunter2 hunter2xy Hunter2xyz");
    }

    #[test]
    fn a_secret_is_hidden_in_base64_whatever_stands_before_it() {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        for before in ["", "a", "ab", "jill:", "x?>x"] {
            for behind in ["", "\n", "ab"] {
                let whole = format!("{before}hunt?>>2xyz{behind}");
                for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    let text = format!("Basic {encoded}, so");
                    assert_eq!(hidden("hunt?>>2xyz", &text), "Basic (hidden), so", "{whole:?}");
                }
            }
        }
    }

    #[test]
    fn a_short_secret_is_one_only_as_a_word_and_a_shorter_one_only_between_quotes() {
        assert_eq!(
            hidden("test", "a tester said 'test', test2 and test"),
            "a tester said '(hidden)', test2 and (hidden)"
        );
        assert_eq!(hidden("a", r#"a machine "a" is a"#), r#"a machine "(hidden)" is a"#);
    }

    #[test]
    fn secrets_that_overlap_are_hidden_as_one() {
        let known = [Known::new("hunter2"), Known::new("ter2xyz")];
        assert_eq!(masked("<hunter2xyz>", &known), "<(hidden)>");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn json_stays_json_and_keeps_its_names() {
        let known = [Known::new("message"), Known::new("1234567")];
        let json = r#"{"message":"the \"message\" is", "n" : 1234567,"x":["message","\\"]}"#;
        let hidden = r#"{"message":"the \"(hidden)\" is", "n" : 1234567,"x":["(hidden)","\\"]}"#;
        assert_eq!(in_json(json, &known), hidden);
    }
}
