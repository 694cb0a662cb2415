//! The program: arguments in, text and an exit code out.

pub mod custom;
pub mod streams;
