//! The only door to the environment. Nothing else of ours reads it (clippy.toml holds that).

use std::ffi::OsString;

/// The variable's text; `None` when unset, empty, or not Unicode.
pub fn var(name: &str) -> Option<String> {
    var_os(name)?.into_string().ok()
}

/// The variable as it is; `None` when unset or empty.
#[allow(clippy::disallowed_methods)]
pub fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
