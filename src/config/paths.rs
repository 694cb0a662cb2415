//! The folders: node-triton's for profiles, ours for the cache, the user's for keys. And how a file in one
//! of them is replaced. Nothing here knows what the files hold.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

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

/// Makes a folder that only its owner can look into, and those above it.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Puts a file in place at once, whole or not at all, readable by its owner only. A symbolic link at `path`
/// is replaced, not followed.
pub(crate) fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unique = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_file_name(format!(".{name}.{}-{unique}.tmp", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        if durable { file.sync_all() } else { Ok(()) }
    });
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}
