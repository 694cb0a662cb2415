//! A firewall rule as text with a place in it: words, numbers and signs are taken one by one.

use super::{fault, nearest};
use crate::error::{Error, Result};

/// A rule's text and how far it has been read.
pub(super) struct Text<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Text { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Past the blanks: where the next piece begins.
    pub(super) fn next(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.next() == self.text.len()
    }

    /// A fault at this place.
    pub(super) fn wrong(&self, at: usize, message: &str, expected: &str) -> Error {
        fault("firewall rule", self.text, at, message, expected)
    }

    /// Takes a sign, if it is the next.
    pub(super) fn sign(&mut self, sign: char) -> bool {
        self.next();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    /// The next word without taking it: everything up to a blank or a sign that is a word of its own.
    pub(super) fn peek(&mut self) -> &'a str {
        self.next();
        let rest = self.rest();
        let end = rest.find(|letter: char| letter.is_whitespace() || "()=,\"/".contains(letter)).unwrap_or(rest.len());
        &rest[..end]
    }

    /// The next word and its place.
    pub(super) fn word(&mut self) -> (usize, &'a str) {
        let word = self.peek();
        let at = self.at;
        self.at += word.len();
        (at, word)
    }

    /// Takes the keyword, if it is the next: all of it in capitals, or all in small letters.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let word = self.peek();
        let found = word == keyword || word == keyword.to_ascii_lowercase();
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes one of the keywords, which must be next.
    pub(super) fn one_of<'k>(&mut self, keywords: &[&'k str]) -> Result<&'k str> {
        match keywords.iter().find(|keyword| self.keyword(keyword)) {
            Some(keyword) => Ok(keyword),
            None => Err(self.unexpected(keywords, &either(keywords))),
        }
    }

    /// The fault of a next word that is none of the keywords, nor anything else that is expected.
    pub(super) fn unexpected(&mut self, keywords: &[&str], expected: &str) -> Error {
        let at = self.next();
        let word = self.peek();
        let expected = format!("expected {expected}");
        if self.rest().is_empty() {
            return self.wrong(at, "unexpected end of the rule", &expected);
        }
        if let Some(keyword) = keywords.iter().find(|keyword| keyword.eq_ignore_ascii_case(word)) {
            let message = format!("keywords are all in capitals or all in small letters, not '{word}'");
            return self.wrong(at, &message, &format!("expected {keyword} or {}", keyword.to_ascii_lowercase()));
        }
        let message = match (word, self.rest().chars().next()) {
            ("", Some(sign)) => format!("unexpected '{sign}'"),
            _ => format!("unexpected '{}'", short(word)),
        };
        match nearest(word, keywords) {
            Some(near) => self.wrong(at, &message, &expected).hint(format!("did you mean {near}?")),
            None => self.wrong(at, &message, &expected),
        }
    }

    /// A number within these bounds.
    pub(super) fn number(&mut self, what: &str, low: u16, high: u16) -> Result<u16> {
        let at = self.next();
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let bounds = format!("a number from {low} to {high}");
        if end == 0 {
            return Err(self.unexpected(&[], &bounds));
        }
        let expected = format!("expected {bounds}");
        self.at += end;
        // A range goes on with its hyphen, and everything else with a blank or a sign.
        if self.rest().starts_with(|letter: char| letter.is_alphanumeric() || "._:".contains(letter)) {
            let word = short(rest.split_whitespace().next().unwrap_or_default());
            return Err(self.wrong(at, &format!("'{word}' is not a {what}"), &expected));
        }
        match rest[..end].parse::<u16>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number),
            _ => Err(self.wrong(at, &format!("there is no {what} {}", short(&rest[..end])), &expected)),
        }
    }

    /// The name or value of a tag: a word, or anything at all in quotes.
    pub(super) fn tag_word(&mut self, what: &str) -> Result<String> {
        let start = self.next();
        if self.sign('"') {
            return self.quoted(start);
        }
        let (at, word) = self.word();
        if word.is_empty() {
            return Err(self.unexpected(&[], &format!("the {what} of a tag, in quotes if it is not a plain word")));
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        match word.char_indices().find(|(_, letter)| !plain(*letter)) {
            None if self.rest().starts_with('/') => {
                Err(self.wrong(self.at, "'/' needs quotes around the word", "expected letters, digits, - _"))
            }
            None => Ok(word.to_owned()),
            Some((off, letter)) => {
                let message = format!("'{letter}' needs quotes around the word");
                let error = self.wrong(at + off, &message, "expected letters, digits, - _");
                Err(error.hint(format!("in quotes: \"{}\"", short(word))))
            }
        }
    }

    /// The rest of a quoted text. A backslash begins an escape as in JSON; before any other letter it stands for
    /// itself.
    fn quoted(&mut self, start: usize) -> Result<String> {
        let rest = self.rest();
        let mut text = String::new();
        let mut at = 0;
        while let Some(letter) = rest.get(at..).and_then(|rest| rest.chars().next()) {
            match letter {
                '"' => {
                    self.at += at + 1;
                    return Ok(text);
                }
                '\\' => {
                    let (letter, length) = escape(&rest[at + 1..]);
                    text.push(letter);
                    at += 1 + length;
                }
                other => {
                    text.push(other);
                    at += other.len_utf8();
                }
            }
        }
        Err(self.wrong(start, "the quotes are not closed", "expected another \" after this one"))
    }
}

/// What a backslash and the text behind it stand for, and how much of that text it takes.
fn escape(text: &str) -> (char, usize) {
    let unit = |at: usize| text.get(at..at + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    match text.chars().next() {
        Some(letter @ ('"' | '\\' | '/')) => (letter, 1),
        Some('b') => ('\u{8}', 1),
        Some('f') => ('\u{c}', 1),
        Some('n') => ('\n', 1),
        Some('r') => ('\r', 1),
        Some('t') => ('\t', 1),
        Some('u') if let Some(first) = unit(1) => {
            // Two of them may be one letter.
            let second = text.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7));
            let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            match (char::from_u32(u32::from(first)), pair) {
                (Some(letter), _) => (letter, 5),
                (None, Some(letter)) => (letter, 11),
                (None, None) => (char::REPLACEMENT_CHARACTER, 5),
            }
        }
        _ => ('\\', 0),
    }
}

/// `ANY, IP or TAG`.
pub(super) fn either(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A word as it can stand in a message.
pub(super) fn short(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &word[..at]),
        None => word.to_owned(),
    }
}
