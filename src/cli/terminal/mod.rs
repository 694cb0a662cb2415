//! The terminal: streams, progress, questions, signals, and how an end is said. It knows no operation.

pub(crate) mod exit;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod signals;
pub(crate) mod streams;
pub(crate) mod voice;
