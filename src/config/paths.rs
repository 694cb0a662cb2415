//! The folders: node-triton's for profiles, ours for the cache, the user's for keys. Nothing here knows what the
//! files in them hold.

use std::path::{Path, PathBuf};

use super::Env;
use crate::error::Result;
pub use crate::file::expanded;
pub(crate) use crate::file::make_private_dir;
use crate::sensitive;

/// Where files are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirs {
    /// The user's home.
    pub home: Option<PathBuf>,
    /// Profiles and records: `config.json`, `profiles.d`, `sdc-rbac`. The folder of `SDC_CONFIG_DIR`, or else
    /// node-triton's. `None` where there is no home either.
    pub config: Option<PathBuf>,
    /// Our folder for what can be fetched again: that of `SDC_CACHE_DIR`, or else one in the user's.
    pub cache: Option<PathBuf>,
    /// `~/.ssh`.
    pub ssh: Option<PathBuf>,
}

impl Dirs {
    /// Those of this user on this system.
    pub fn system() -> Dirs {
        Dirs::of(&Env::process())
    }

    /// Those that these variables name.
    pub fn of(env: &Env) -> Dirs {
        // A value that is not even a path is nowhere, and would be shown with every path below it.
        let is_path = |dir: &PathBuf| dir.is_dir() || sensitive::hidden(dir).is_none();
        let home = env.home().filter(is_path);
        let own = |name| Some(expanded(Path::new(&env.var_os(name)?), home.as_deref())).filter(is_path);
        let usual = if cfg!(windows) {
            dirs::config_dir().map(|dir| dir.join("Joyent").join("Triton"))
        } else {
            // The same on macOS, where node-triton knows no other folder.
            let xdg = env.var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(is_path).map(|dir| dir.join("triton"));
            xdg.or_else(|| home.as_ref().map(|home| home.join(".triton")))
        };
        Dirs {
            config: own("SDC_CONFIG_DIR").or(usual),
            cache: own("SDC_CACHE_DIR").or_else(|| env.cache().filter(is_path).map(|dir| dir.join("sdc"))),
            ssh: home.as_ref().map(|home| home.join(".ssh")),
            home,
        }
    }
}

/// The variables that name folders of the user's.
const FOLDERS: &[&str] = &["HOME", "SDC_CONFIG_DIR", "SDC_CACHE_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"];

/// Refuses a variable that should name a folder of the user's and may hold a secret.
///
/// # Errors
/// A usage error that names the variable and does not repeat it.
pub(super) fn check(env: &Env) -> Result<()> {
    FOLDERS.iter().try_for_each(|name| match env.var(name).map(PathBuf::from) {
        Some(folder) if !folder.is_dir() => sensitive::refuse_path(name, &folder, "the path of a folder"),
        _ => Ok(()),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_named_goes_before_those_of_the_user() {
        let of = |vars: &[(&str, &str)]| {
            let dirs = Dirs::of(&Env::of([("HOME", "/home/jo")].iter().chain(vars).copied()));
            [dirs.config, dirs.cache].map(|dir| dir.unwrap().display().to_string())
        };
        assert_eq!(of(&[]), ["/home/jo/.triton", "/home/jo/.cache/sdc"]);
        let xdg = [("XDG_CONFIG_HOME", "/etc/jo"), ("XDG_CACHE_HOME", "/var/jo")];
        assert_eq!(of(&xdg), ["/etc/jo/triton", "/var/jo/sdc"]);
        let own = [("SDC_CONFIG_DIR", "/own"), ("SDC_CACHE_DIR", "~/kept"), xdg[0], xdg[1]];
        assert_eq!(of(&own), ["/own", "/home/jo/kept"]);
        assert_eq!(of(&[("SDC_CONFIG_DIR", ""), xdg[0]])[0], "/etc/jo/triton");
    }
}
