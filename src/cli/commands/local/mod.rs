//! Commands that need no service: profiles, help, completion, the emulator.

pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod described;
#[cfg(feature = "emulator")]
pub(crate) mod emulator;
pub(crate) mod examples;
pub mod generate;
pub(crate) mod profile;
pub(crate) mod topics;
