//! Commands that need no service: profiles, help, completion, the emulator.

pub(crate) mod complete;
pub(crate) mod completion;
pub(crate) mod config;
#[cfg(feature = "emulator")]
pub(crate) mod emulator;
pub(crate) mod env;
pub(crate) mod examples;
mod exit_codes;
pub mod generate;
pub(crate) mod help;
pub(crate) mod help_json;
pub(crate) mod profile;
