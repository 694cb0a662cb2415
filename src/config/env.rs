//! The only door to the environment. Nothing else of ours reads the process's own (clippy.toml holds that); whoever
//! needs a variable is handed an [`Env`].

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use crate::sensitive;

/// Variables that hold a secret themselves. Other programs are started without them.
const SECRETS: &[&str] = &["SDC_KEY_MATERIAL", "TRITON_KEY_MATERIAL", "SDC_KEY_PASSPHRASE", "TRITON_KEY_PASSPHRASE"];

/// The variables of a run: those of the process, or others that stand in for them.
#[derive(Clone, Default)]
pub struct Env {
    /// Nothing for those of the process.
    own: Option<Arc<HashMap<String, OsString>>>,
    /// Those of the process that are for this service, read at once: a run asks for many that are not set.
    ours: Arc<OnceLock<Vec<(OsString, OsString)>>>,
}

/// How the names of all tools for this service begin.
pub(super) const FAMILIES: [&str; 2] = ["SDC_", "TRITON_"];

fn is_ours(name: &[u8]) -> bool {
    FAMILIES.iter().any(|family| name.starts_with(family.as_bytes()))
}

impl Env {
    /// Those of this process.
    pub fn process() -> Env {
        Env::default()
    }

    /// These and no others. Programs that are started get these too.
    pub fn of<N: Into<String>, V: Into<OsString>>(vars: impl IntoIterator<Item = (N, V)>) -> Env {
        let own = vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Env { own: Some(Arc::new(own)), ours: Arc::default() }
    }

    /// The variable's text; `None` when unset or empty. Bytes that are not Unicode are replaced, so that the value is
    /// wrong and reported instead of taken for unset.
    pub fn var(&self, name: &str) -> Option<String> {
        Some(self.var_os(name)?.to_string_lossy().into_owned())
    }

    /// The variable as it is; `None` when unset or empty.
    #[allow(clippy::disallowed_methods)]
    pub fn var_os(&self, name: &str) -> Option<OsString> {
        let value = match &self.own {
            None if is_ours(name.as_bytes()) => {
                self.ours().iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            }
            None => std::env::var_os(name),
            Some(vars) => vars.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    #[allow(clippy::disallowed_methods)]
    fn ours(&self) -> &[(OsString, OsString)] {
        let read = || std::env::vars_os().filter(|(name, _)| is_ours(name.as_encoded_bytes())).collect();
        self.ours.get_or_init(read)
    }

    /// The folder for temporary files: `TMPDIR` or its like, else the platform's own.
    #[allow(clippy::disallowed_methods)]
    pub fn temp_dir(&self) -> PathBuf {
        match &self.own {
            None => std::env::temp_dir(),
            Some(_) => self.var_os("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        }
    }

    /// The user's home.
    pub(super) fn home(&self) -> Option<PathBuf> {
        match &self.own {
            None => dirs::home_dir(),
            Some(_) => self.var_os("HOME").map(PathBuf::from),
        }
    }

    /// The user's folder for what can be fetched again.
    pub(super) fn cache(&self) -> Option<PathBuf> {
        match &self.own {
            None => dirs::cache_dir(),
            Some(_) => {
                let named = self.var_os("XDG_CACHE_HOME").map(PathBuf::from);
                named.or_else(|| Some(self.home()?.join(".cache")))
            }
        }
    }

    /// All variables as text, in the order of their names, for the eyes of the user: without those that are secrets, or
    /// hold a private key.
    #[allow(clippy::disallowed_methods)]
    pub fn shown(&self) -> Vec<(String, String)> {
        let text = |text: &OsStr| text.to_string_lossy().into_owned();
        let mut all: Vec<(String, String)> = match &self.own {
            None => std::env::vars_os().map(|(name, value)| (text(&name), text(&value))).collect(),
            Some(vars) => vars.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        };
        all.retain(|(name, value)| !SECRETS.contains(&name.as_str()) && !sensitive::is_key(value));
        all.sort();
        all
    }

    /// The names of the variables of all tools for this service, in their order, and whether each is empty.
    pub(super) fn for_this_service(&self) -> Vec<(String, bool)> {
        let mut all: Vec<(String, bool)> = match &self.own {
            None => self.ours().iter().map(|(name, value)| (name.to_string_lossy().into(), value.is_empty())).collect(),
            Some(vars) => {
                let ours = vars.iter().filter(|(name, _)| is_ours(name.as_bytes()));
                ours.map(|(name, value)| (name.clone(), value.is_empty())).collect()
            }
        };
        all.sort();
        all
    }

    /// Gives a program that is to be started these variables, without those that are secrets.
    pub fn hand_on(&self, command: &mut Command) {
        if let Some(vars) = &self.own {
            command.env_clear().envs(vars.iter());
        }
        for name in SECRETS {
            command.env_remove(name);
        }
    }
}

/// Without values: they may be secrets.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.own.is_some() { "Env(given)" } else { "Env(process)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_with_secrets_are_not_shown() {
        let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        let secrets = SECRETS.iter().map(|name| (*name, "hush"));
        let all = [("PAGER", "less"), ("DEPLOY_KEY", key), ("EDITOR", "vi")].into_iter().chain(secrets);
        let pairs = [("EDITOR", "vi"), ("PAGER", "less")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(Env::of(all).shown(), pairs);
    }
}
