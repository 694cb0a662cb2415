//! How it ends: the exit code of a failure, and its words.

use crate::error::{Error, Hint, Kind, Part};
use crate::render::{self, failure};

/// Exit code and name of a kind; `sdc help exit-codes` lists them.
pub fn code(kind: Kind) -> (u8, &'static str) {
    match kind {
        Kind::ClosedPipe => (0, "done"),
        Kind::Usage => (2, "usage"),
        Kind::NotFound => (3, "not-found"),
        Kind::Auth => (4, "auth"),
        Kind::Refused => (5, "refused"),
        Kind::Unreachable => (6, "unreachable"),
        Kind::Throttled => (7, "unavailable"),
        Kind::FailedState => (8, "failed-state"),
        Kind::TimedOut => (9, "timed-out"),
        Kind::Ambiguous => (10, "ambiguous"),
        Kind::Interrupted => (130, "interrupted"),
        _ => (1, "failed"),
    }
}

/// The failure in words to a person, several lines, without a final newline.
pub fn words(error: &Error, said: failure::Said<'_>) -> String {
    failure::words(error, said)
}

/// The failure as one JSON object on one line.
pub fn json(error: &Error, said: failure::Said<'_>) -> String {
    failure::json(error, code(error.kind()), said)
}

/// A hint as it can be typed: the program's name stands before each command.
pub fn said(hint: &Hint) -> String {
    let part = |part| match part {
        Part::Words(words) => words.to_owned(),
        // What is spelled out would be another word once it is pasted.
        Part::Command(command) if render::visible(command) != command => {
            "(a command with characters that cannot be shown)".to_owned()
        }
        Part::Command(command) => format!("sdc {command}"),
    };
    hint.parts().into_iter().map(part).collect()
}
