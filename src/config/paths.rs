//! The folders: node-triton's for profiles, ours for the cache, the user's for keys. Nothing here knows what the
//! files in them hold.

use std::path::PathBuf;

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
    /// node-triton's folder: `config.json` and `profiles.d`. `None` where there is no home either.
    pub config: Option<PathBuf>,
    /// Our folder for what can be fetched again.
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
        let config = if cfg!(windows) {
            dirs::config_dir().map(|dir| dir.join("Joyent").join("Triton"))
        } else {
            // The same on macOS, where node-triton knows no other folder.
            let xdg = env.var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(is_path).map(|dir| dir.join("triton"));
            xdg.or_else(|| home.as_ref().map(|home| home.join(".triton")))
        };
        Dirs {
            config,
            cache: env.cache().filter(is_path).map(|dir| dir.join("sdc")),
            ssh: home.as_ref().map(|home| home.join(".ssh")),
            home,
        }
    }
}

/// The variables that name folders of the user's.
const FOLDERS: &[&str] = &["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"];

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
