//! The terminal: streams, progress, questions, signals, and how an end is said. It knows no operation.

pub(crate) mod exit;
pub(crate) mod filter;
pub(crate) mod preview;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod question;
pub(crate) mod resume;
pub(crate) mod signals;
pub(crate) mod streams;
