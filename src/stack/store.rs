//! Where states are kept: a file each, replaced whole and synced to the disk, readable by its owner alone, with the one of
//! the run before beside it. One run at a time has a stack: its lock says who that is.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::state::{MAX_LEN, State};
use crate::error::{Error, Kind, Result};
use crate::file::{self, Lock, Manner};

/// All characters but those that neither lead out of a folder nor separate the parts of a name.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');
/// The longest note of who has a lock, in bytes.
const MAX_NOTE: u64 = 64 * 1024;

/// Keeps a state.
pub trait Store {
    /// Writes the state down, so that it outlasts whatever comes.
    ///
    /// # Errors
    /// It cannot be written; nothing more is to be begun then.
    fn write(&self, state: &State) -> Result<()>;
}

/// A state in a file.
#[derive(Debug)]
pub struct FileStore {
    file: PathBuf,
}

/// A state that this run alone may change.
#[derive(Debug)]
pub struct Locked {
    store: FileStore,
    note: PathBuf,
    _lock: Lock,
}

/// Who has a stack.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Its process.
    pub pid: u32,
    /// Its machine.
    pub host: &'a str,
    /// What it does.
    pub command: &'a str,
    /// Since when.
    pub since: &'a str,
}

impl FileStore {
    /// The file of this stack in a folder of states: below it one folder for each endpoint and account.
    pub fn of(folder: &Path, endpoint: &str, account: &str, stack: &str) -> FileStore {
        let part = |text: &str| utf8_percent_encode(text, UNSAFE).to_string();
        let cloud = format!("{}@{}", part(endpoint), part(account));
        FileStore { file: folder.join(cloud).join(format!("{}.json", part(stack))) }
    }

    /// This very file.
    pub fn at(file: impl Into<PathBuf>) -> FileStore {
        FileStore { file: file.into() }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The state; nothing where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is not a state.
    pub fn read(&self) -> Result<Option<State>> {
        let about = |error: Error| {
            let backup = self.backup();
            let error = error.about(&self.file.display().to_string());
            if backup.exists() { error.hint(format!("the one before it is {}", backup.display())) } else { error }
        };
        match file::read(&self.file, MAX_LEN) {
            Ok(bytes) => State::parse(&bytes).map(Some).map_err(about),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::other(format!("{} cannot be read", self.file.display())).because(error)),
        }
    }

    fn backup(&self) -> PathBuf {
        self.beside("bak")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        self.file.with_file_name(format!("{name}.{ending}"))
    }

    /// Takes the stack for this run, and keeps the state as it is as the one of the run before.
    ///
    /// # Errors
    /// Another run has it ([`Kind::Refused`]); a file cannot be written.
    pub fn lock(self, holder: &Holder<'_>) -> Result<Locked> {
        let fail = |error: io::Error| {
            Error::other(format!("the state {} cannot be written", self.file.display()))
                .because(error)
                .hint("nothing was changed")
        };
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        file::make_private_dir(folder).map_err(fail)?;
        let (path, note) = (self.beside("lock"), self.beside("holder"));
        let lock = match file::lock(&path, Duration::ZERO) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                let words = format!("another run has the stack: {}", self.holder());
                return Err(Error::new(Kind::Refused, words).hint("nothing was changed; wait for its end"));
            }
            Err(error) => return Err(fail(error)),
        };
        if !lock.is_real() {
            let words = format!("the file system of {} has no locks, so that two runs could meet", path.display());
            return Err(Error::other(words).hint("keep the state elsewhere: --state FILE"));
        }
        let Holder { pid, host, command, since } = holder;
        let text = json!({ "pid": pid, "host": host, "command": command, "since": since }).to_string();
        file::replace(&note, text.as_bytes(), Manner { durable: false, ..Manner::KEPT }).map_err(fail)?;
        if let Ok(bytes) = file::read(&self.file, MAX_LEN) {
            file::replace(&self.backup(), &bytes, Manner::KEPT).map_err(fail)?;
        }
        Ok(Locked { store: self, note, _lock: lock })
    }

    /// Who has the stack, in words.
    pub fn holder(&self) -> String {
        let note = file::read(&self.beside("holder"), MAX_NOTE).ok();
        let value: Value = note.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let text =
            |name: &str| value[name].as_str().map_or_else(|| "?".to_owned(), |text| text.chars().take(200).collect());
        match value["pid"].as_u64() {
            Some(pid) => format!("'{}', process {pid} on {}, since {}", text("command"), text("host"), text("since")),
            None => "nobody says who it is".to_owned(),
        }
    }
}

impl Locked {
    /// The state as it is now: it may have changed since it was read without the lock.
    ///
    /// # Errors
    /// As [`FileStore::read`].
    pub fn read(&self) -> Result<Option<State>> {
        self.store.read()
    }

    /// Removes the state: the stack is gone. The one of the run before stays.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self) -> Result<()> {
        match std::fs::remove_file(&self.store.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::other(format!("{} cannot be removed", self.store.file.display())).because(error))
            }
            _ => Ok(()),
        }
    }
}

impl Store for Locked {
    fn write(&self, state: &State) -> Result<()> {
        let text = state.to_json()?;
        file::replace(&self.store.file, text.as_bytes(), Manner::KEPT).map_err(|error| {
            Error::other(format!("the state {} cannot be written", self.store.file.display())).because(error)
        })
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::state::tests::empty;

    const HOLDER: Holder<'_> =
        Holder { pid: 4711, host: "build1", command: "sdc stack update demo", since: "2026-11-30T10:00:00Z" };

    #[test]
    fn a_state_is_read_as_it_was_written_and_the_one_before_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = || FileStore::of(folder.path(), "https://cloud.example.com:443/x", "acme", "demo");
        assert_eq!(store().read().unwrap(), None);
        let mut state = empty("demo");
        store().lock(&HOLDER).unwrap().write(&state).unwrap();
        assert_eq!(store().read().unwrap().unwrap(), state);
        state.reason = "changed".to_owned();
        let locked = store().lock(&HOLDER).unwrap();
        locked.write(&state).unwrap();
        assert_eq!(locked.read().unwrap().unwrap().reason, "changed");
        let backup = FileStore::at(store().backup()).read().unwrap().unwrap();
        assert_eq!(backup.reason, "");
        locked.remove().unwrap();
        assert_eq!(store().read().unwrap(), None);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&store().backup()), 0o600);
            assert_eq!(mode(store().file().parent().unwrap()), 0o700);
        }
    }

    #[test]
    fn one_run_at_a_time_has_a_stack_and_is_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = || FileStore::at(folder.path().join("demo.json"));
        let locked = store().lock(&HOLDER).unwrap();
        let error = store().lock(&HOLDER).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        let words =
            "another run has the stack: 'sdc stack update demo', process 4711 on build1, since 2026-11-30T10:00:00Z";
        assert_eq!(error.message(), words);
        drop(locked);
        store().lock(&HOLDER).unwrap();
    }

    #[test]
    fn what_is_not_a_state_is_refused_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::at(folder.path().join("demo.json"));
        std::fs::write(store.file(), "{").unwrap();
        std::fs::write(store.backup(), "{}").unwrap();
        let error = store.read().unwrap_err();
        assert!(error.message().ends_with("demo.json: the state of the stack is damaged"), "{error}");
        assert!(error.hints()[0].as_str().ends_with("demo.json.bak"), "{error:?}");
    }
}
