//! SmartDataCenter / Triton clouds from Rust: CloudAPI requests signed with an SSH key.

pub mod api;
pub mod auth;
pub mod error;
mod file;

pub use error::{Error, Result};
