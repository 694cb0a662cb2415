//! The state on disk: one JSON file, replaced as a whole, readable by its owner only.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

use super::state::State;

/// Opens a new file that only its owner can read.
pub(crate) fn create_private(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads the state; `None` if there is no such file yet.
pub(crate) fn read(path: &Path) -> Result<Option<State>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::other(format!("cannot read the state file {}", path.display())).because(error));
        }
    };
    match serde_json::from_slice::<State>(&text) {
        Ok(mut state) => {
            state.modernise();
            Ok(Some(state))
        }
        Err(error) => {
            let words = format!("{} holds no state of an emulator", path.display());
            Err(Error::usage(words).because(error).hint("name another file, or move this one away"))
        }
    }
}

/// Writes the state beside the file and then over it.
pub(crate) fn write(path: &Path, state: &State) -> Result<()> {
    let failed =
        |error: std::io::Error| Error::other(format!("cannot write the state file {}", path.display())).because(error);
    let text = serde_json::to_vec(state).map_err(|error| failed(error.into()))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", uuid::Uuid::new_v4().simple()));
    let beside = PathBuf::from(beside);
    let written = create_private(&beside)
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}
