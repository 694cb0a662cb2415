//! How it ends: the exit code of a failure, and its words.

use std::fmt::Write;

use crate::error::{Error, Kind};
use crate::render::{visible, visible_json};

/// Exit code and name of a kind; the table of `sdc help exit-codes`.
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

/// What each exit code means, in order.
pub const CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "failed otherwise"),
    (2, "usage: nothing was sent"),
    (3, "not found, or gone"),
    (4, "no usable key, refused credentials, not authorized"),
    (5, "the service refused the request: conflict, invalid, quota"),
    (6, "could not reach the service, or it did not answer"),
    (7, "throttled or unavailable after all retries"),
    (8, "it ended in a failed state"),
    (9, "the wait ran out of time"),
    (10, "ambiguous name"),
    (130, "interrupted"),
];

/// Of several failures the gravest is told: the one that was least the thing's own.
pub fn graver(a: Kind, b: Kind) -> Kind {
    const ORDER: [Kind; 11] = [
        Kind::Interrupted,
        Kind::Auth,
        Kind::Unreachable,
        Kind::Throttled,
        Kind::FailedState,
        Kind::TimedOut,
        Kind::Other,
        Kind::Refused,
        Kind::Ambiguous,
        Kind::NotFound,
        Kind::Usage,
    ];
    let rank = |kind| ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len());
    if rank(b) < rank(a) { b } else { a }
}

/// The failure in words to a person, several lines, without a final newline.
pub fn words(error: &Error) -> String {
    let mut text = format!("error: {}", escaped(error.message()));
    for cause in error.causes() {
        let _ = write!(text, "\n  because: {}", escaped(&cause));
    }
    if let Some(fault) = error.fault() {
        for field in &fault.fields {
            let _ =
                write!(text, "\n  {}: {}: {}", escaped(&field.field), escaped(&field.code), escaped(&field.message));
        }
        let code = if fault.code.is_empty() { String::new() } else { format!(" {}", escaped(&fault.code)) };
        let id = fault.request_id.as_deref().map(|id| format!(", request id {}", escaped(id))).unwrap_or_default();
        let _ = write!(text, "\n  service: {}{code}{id}", fault.status);
    }
    for hint in error.hints() {
        // Further lines stand below the first, so that a mark points at its place.
        let _ = write!(text, "\n  hint: {}", escaped(hint).replace("\n    ", "\n        "));
    }
    text
}

/// The failure as one JSON object on one line.
pub fn json(error: &Error) -> String {
    let (exit, kind) = code(error.kind());
    let mut object = serde_json::json!({
        "kind": kind,
        "exit": exit,
        "message": error.message(),
    });
    if let Some(fault) = error.fault() {
        object["status"] = fault.status.into();
        object["code"] = fault.code.as_str().into();
        object["request_id"] = fault.request_id.as_deref().into();
        let fields = fault.fields.iter();
        object["errors"] = fields
            .map(|field| serde_json::json!({ "field": field.field, "code": field.code, "message": field.message }))
            .collect();
    }
    object["causes"] = error.causes().into();
    object["hints"] = error.hints().to_vec().into();
    visible_json(&serde_json::json!({ "error": object }).to_string()).into_owned()
}

/// Words that may hold a server's text: its control characters are shown, not obeyed.
pub fn escaped(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_cannot_steer_the_terminal_as_text_or_as_json() {
        let error = Error::other("\u{1b}[2J\u{9b}31m\u{202e}gone\u{7f}\nand more").hint("\u{200b}");
        for told in [words(&error), json(&error)] {
            assert!(!told.chars().any(|c| c != '\n' && (c.is_control() || "\u{202e}\u{200b}".contains(c))), "{told:?}");
        }
    }
}
