//! The folders: node-triton's for profiles, ours for the cache, the user's for keys. Nothing here knows what the
//! files in them hold.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::env;
use crate::error::Result;
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
        // A value that is not even a path is nowhere, and would be shown with every path below it.
        let is_path = |dir: &PathBuf| dir.is_dir() || sensitive::hidden(dir).is_none();
        let home = dirs::home_dir().filter(is_path);
        let config = if cfg!(windows) {
            dirs::config_dir().map(|dir| dir.join("Joyent").join("Triton"))
        } else {
            // The same on macOS, where node-triton knows no other folder.
            let xdg = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(is_path).map(|dir| dir.join("triton"));
            xdg.or_else(|| home.as_ref().map(|home| home.join(".triton")))
        };
        Dirs {
            config,
            cache: dirs::cache_dir().filter(is_path).map(|dir| dir.join("sdc")),
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
pub(super) fn check(var: &dyn Fn(&str) -> Option<String>) -> Result<()> {
    FOLDERS.iter().try_for_each(|name| match var(name).map(PathBuf::from) {
        Some(folder) if !folder.is_dir() => sensitive::refuse_path(name, &folder, "the path of a folder"),
        _ => Ok(()),
    })
}

/// A path whose `~` is the home: a shell leaves it as it is behind a `=`, in quotes, and in files.
pub fn expanded(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Makes a folder that only its owner can look into, and those above it.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_private_dir(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        made => made.and_then(|()| {
            let folder = if cfg!(unix) { fs::File::open(dir)? } else { return Ok(()) };
            crate::file::give_to_owner_of_folder(dir, &folder)
        }),
    }
}
