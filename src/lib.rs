//! SmartDataCenter / Triton clouds from Rust: CloudAPI requests signed with an SSH key.

pub mod answer;
pub mod api;
pub mod auth;
pub mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
#[cfg(feature = "cli")]
pub mod render;

#[cfg(feature = "cli")]
pub mod cli;

pub use error::{Error, Result};
