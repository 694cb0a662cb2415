//! The only door to the environment. Nothing else of ours reads it (clippy.toml holds that).

use std::ffi::OsString;
use std::path::PathBuf;

/// The variable's text; `None` when unset or empty. What is not Unicode in it is replaced, so that it is
/// wrong and told, rather than taken for unset.
pub fn var(name: &str) -> Option<String> {
    Some(var_os(name)?.to_string_lossy().into_owned())
}

/// The variable as it is; `None` when unset or empty.
#[allow(clippy::disallowed_methods)]
pub fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Variables that hold a secret themselves. Other programs are started without them.
pub const SECRETS: &[&str] =
    &["SDC_KEY_MATERIAL", "TRITON_KEY_MATERIAL", "SDC_KEY_PASSPHRASE", "TRITON_KEY_PASSPHRASE"];

/// The folder for files that go away again: `TMPDIR` or its like, else the platform's own.
#[allow(clippy::disallowed_methods)]
pub fn temp_dir() -> PathBuf {
    std::env::temp_dir()
}
