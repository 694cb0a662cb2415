//! The folders: node-triton's for profiles, ours for the cache, the user's for keys. Nothing here knows what the
//! files in them hold.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::env;

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
        let home = dirs::home_dir();
        let config = if cfg!(windows) {
            dirs::config_dir().map(|dir| dir.join("Joyent").join("Triton"))
        } else {
            // The same on macOS, where node-triton knows no other folder.
            let xdg = env::var_os("XDG_CONFIG_HOME").map(|dir| PathBuf::from(dir).join("triton"));
            xdg.or_else(|| home.as_ref().map(|home| home.join(".triton")))
        };
        Dirs {
            config,
            cache: dirs::cache_dir().map(|dir| dir.join("sdc")),
            ssh: home.as_ref().map(|home| home.join(".ssh")),
            home,
        }
    }
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
