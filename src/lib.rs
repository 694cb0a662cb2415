//! SmartDataCenter / Triton clouds from Rust: CloudAPI requests signed with an SSH key.

pub mod answer;
pub mod api;
pub mod auth;
pub mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
mod file;
#[cfg(feature = "cli")]
pub mod render;

pub use answer::Answer;
pub use config::Config;
pub use error::{Error, Result};
