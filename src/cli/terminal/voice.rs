//! What the program says: to people as lines, to scripts as JSON, and nothing to those who want no words.

use std::sync::Arc;

use super::exit;
use super::streams::Streams;
use crate::error::{Error, Hint, Part};
use crate::render;

/// To whom the program speaks, and how much.
#[derive(Clone)]
pub struct Voice {
    /// Where it prints.
    pub streams: Streams,
    /// Errors alone are wanted.
    pub quiet: bool,
    /// Scripts read it.
    pub json: bool,
    /// Errors are red and warnings yellow, as their first words say too.
    pub colour: bool,
    /// The options without a value that were typed, `--wait` among them: what is there already is not proposed.
    pub typed: Arc<[String]>,
}

impl Voice {
    /// Words to a person; none when they would get between a script and its JSON errors.
    pub fn say(&self, line: &str) {
        if !self.is_silent() {
            self.streams.say(&render::escaped(line));
        }
    }

    /// A warning: what is told to scripts too, unless they asked for quiet.
    pub fn warn(&self, words: &str) {
        self.to_both("warning", words, &self.marked("warning:", "33", &format!("warning: {}", render::escaped(words))));
    }

    /// A sign of life of what takes long: told to scripts too, unless they asked for quiet.
    pub fn pulse(&self, words: &str) {
        self.to_both("progress", words, &render::escaped(words));
    }

    /// A failure.
    pub fn report(&self, error: &Error) {
        // An error about an option tells how it is used.
        let about = |option: &str| error.message().split(' ').any(|word| word == option);
        let proposes = |hint: &Hint| self.typed_in(hint).is_some_and(|option| !about(option));
        let said = |hint: &Hint| if proposes(hint) { String::new() } else { exit::said(hint) };
        self.streams.say(&match self.json {
            true => exit::json(error, &said),
            false => self.marked("error:", "31", &exit::words(error, &said)),
        });
    }

    /// The option that a hint proposes and that is there: it begins with it, has it alone behind a colon, or says what is
    /// done with it.
    fn typed_in(&self, hint: &Hint) -> Option<&str> {
        let parts = hint.parts();
        let Some(Part::Words(words)) = parts.first() else { return None };
        let words = words.trim_end_matches([':', ' ']);
        let last = words.rsplit_once([':', ' ']).map_or(("", ""), |(before, last)| (before.trim_end(), last));
        let proposed = parts.len() == 1 && words.ends_with(&format!(": {}", last.1)) || last.0.ends_with(" with");
        let first = words.split([' ', ':', ',', ';']).next().unwrap_or_default();
        let there = |word: &str| self.typed.iter().find(|typed| *typed == word).map(String::as_str);
        there(first).or_else(|| there(last.1).filter(|_| proposed))
    }

    /// The line with its first word in colour.
    fn marked(&self, word: &str, colour: &str, line: &str) -> String {
        match line.strip_prefix(word).filter(|_| self.colour) {
            Some(rest) => format!("\x1b[1;{colour}m{word}\x1b[0m{rest}"),
            None => line.to_owned(),
        }
    }

    /// Whether a person hears nothing but errors.
    pub fn is_silent(&self) -> bool {
        self.quiet || self.json
    }

    fn to_both(&self, name: &str, words: &str, line: &str) {
        match (self.quiet, self.json) {
            (true, _) => {}
            (false, true) => self.streams.say(&render::visible_json(&serde_json::json!({ name: words }).to_string())),
            (false, false) => self.streams.say(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::streams::Streams;

    #[test]
    fn a_hint_that_proposes_what_was_typed_is_left_out() {
        let typed = ["--wait".to_owned(), "-w".to_owned(), "--yes".to_owned()];
        let streams = Streams::process();
        let voice = Voice { streams, quiet: false, json: false, colour: false, typed: Arc::from(typed) };
        for there in ["-w waits until it is gone", "--wait: it is waited for", "to go ahead: --yes"] {
            assert!(voice.typed_in(&there.into()).is_some(), "{there}");
        }
        let with =
            Hint::run("it is still being provisioned; what deletes it waits for that with --wait", "machines get M");
        assert!(voice.typed_in(&with).is_some());
        for other in ["leave --wait out", "--wait=running", "to see them: --dry-run", "machines stop web1 --wait", ""] {
            assert!(voice.typed_in(&other.into()).is_none(), "{other}");
        }
    }
}
