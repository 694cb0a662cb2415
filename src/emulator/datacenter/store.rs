//! The state on disk: one JSON file, replaced as a whole, readable by its owner only, and of one emulator at a time.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::file::{self, Lock, Manner};

use serde::Deserialize;

use super::state::{FORMAT, State};

/// No longer state is read or written, in bytes.
const MAX_LEN: u64 = 256 << 20;

/// How long one that is about to end may take.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Takes the file for this emulator alone: two would undo each other's changes. Others may read it.
///
/// # Errors
/// A usage error when another emulator has it; otherwise what the system said.
pub(crate) async fn take(path: &Path) -> Result<Lock> {
    let owned = path.to_owned();
    // The wait may be for an emulator in this very runtime.
    let taken = tokio::task::spawn_blocking(move || {
        let target = file::followed(&owned)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        file::lock(&target.with_file_name(format!(".{name}.lock")), LOCK_TIMEOUT)
    });
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut => Error::usage(format!("the state file {} is in use", path.display()))
            .because(error)
            .hint("end the emulator that has it, or name another file"),
        _ => Error::other(format!("cannot lock the state file {}", path.display())).because(error),
    };
    taken.await.map_err(|error| failed(error.into()))?.map_err(failed)
}

/// What every version can read of a file of any.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    format: String,
    now: i64,
}

/// A form that this version does not read.
pub(crate) fn unknown_format(name: &str, format: &str) -> Error {
    let format: String = format.chars().take(60).collect();
    let format = format.escape_debug();
    Error::usage(format!("{name}: this version reads the format \"{FORMAT}\", and not \"{format}\""))
        .hint("use the version that wrote it")
}

/// Reads the state; `None` if there is no such file yet.
pub(crate) fn read(path: &Path) -> Result<Option<State>> {
    let text = match file::read(path, MAX_LEN) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Error::other(format!("cannot read the state file {}", path.display())).because(error));
        }
    };
    let other = || {
        Error::usage(format!("{} holds no state of an emulator", path.display()))
            .hint("name another file, or move this one away")
    };
    // Asked first: a later version may mean other things by the same names.
    let form: Form = serde_json::from_slice(&text).unwrap_or_default();
    match form.format.as_str() {
        "" => {}
        // Somebody wrote it, and would find it replaced by all that it means.
        FORMAT if form.now == 0 => {
            let words = format!("{} is a seed, and not a state that an emulator wrote", path.display());
            return Err(Error::usage(words).hint("give it to --seed, and another file to --state"));
        }
        FORMAT => {}
        other => return Err(unknown_format(&path.display().to_string(), other)),
    }
    match serde_json::from_slice::<State>(&text) {
        // Every field may be absent, so that another program's JSON is a state too; but each has an account.
        Ok(state) if state.accounts.is_empty() => Err(other()),
        Ok(mut state) => {
            state.modernise();
            state.enter_past();
            FORMAT.clone_into(&mut state.format);
            Ok(Some(state))
        }
        Err(error) => Err(other().because(file::json_fault(&error))),
    }
}

/// Writes the state over the file.
pub(crate) fn write(path: &Path, state: &State) -> Result<()> {
    let failed =
        |error: io::Error| Error::other(format!("cannot write the state file {}", path.display())).because(error);
    let text = serde_json::to_vec(state).map_err(|error| failed(error.into()))?;
    if text.len() as u64 > MAX_LEN {
        let words = format!("it would be longer than {MAX_LEN} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, words)));
    }
    file::replace(path, &text, Manner::KEPT).map_err(failed)
}
