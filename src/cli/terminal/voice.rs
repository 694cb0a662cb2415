//! What the program says: to people as lines, to scripts as JSON, and nothing to those who want no words.

use super::exit;
use super::streams::Streams;
use crate::error::Error;
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
        self.streams.say(&match self.json {
            true => exit::json(error),
            false => self.marked("error:", "31", &exit::words(error)),
        });
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
