//! What a run of the program has of the world outside: streams, variables and the time of day. A test, or a program
//! that calls this one as a library, gives its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::terminal::streams::Streams;
use crate::client::Clock;
use crate::config::{Dirs, Env, paths};
use crate::error::{Error, Result};
use crate::sensitive;
use crate::tasks::values::Files;

/// The world of one run.
#[derive(Clone)]
pub struct Console {
    /// Where it reads and prints.
    pub streams: Streams,
    /// The variables that it sees, and that programs which it starts get.
    pub env: Env,
    /// The time of day.
    pub clock: Clock,
    /// What is to be told of files, once it is known how.
    notes: Arc<Mutex<Vec<String>>>,
    /// What files were hardly meant to say.
    doubts: Arc<Mutex<Vec<String>>>,
}

impl Console {
    /// This process's own.
    pub fn process() -> Console {
        Console::of(Streams::process(), Env::process())
    }

    /// These, with the time of the system.
    pub fn of(streams: Streams, env: Env) -> Console {
        Console { streams, env, clock: Arc::new(SystemTime::now), notes: Arc::default(), doubts: Arc::default() }
    }

    /// Takes what is to be told of files.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes what files were hardly meant to say.
    pub fn take_doubts(&self) -> Vec<String> {
        std::mem::take(&mut *self.doubts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same at another time of day.
    #[must_use]
    pub fn at(self, clock: Clock) -> Console {
        Console { clock, ..self }
    }

    /// The time of day, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// The same as a point in time.
    pub fn timestamp(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.now()).unwrap_or_default()
    }

    /// Whether the terminal cannot move its cursor.
    pub fn is_dumb(&self) -> bool {
        self.env.var("TERM").is_none_or(|term| term == "dumb")
    }

    /// A path whose `~` is the user's home: no shell replaces it after a `=`, in quotes, or in a file.
    pub fn at_home(&self, path: impl AsRef<Path>) -> PathBuf {
        paths::expanded(path.as_ref(), Dirs::of(&self.env).home.as_deref())
    }
}

impl Files for Console {
    fn read(&self, file: &str, limit: u64) -> Result<Vec<u8>> {
        let shown = || match file {
            "-" => "standard input".to_owned(),
            file => sensitive::path(Path::new(file)),
        };
        let fail = |error: std::io::Error| Error::usage(format!("cannot read {}", shown())).because(error);
        if file != "-" {
            return crate::file::read(&self.at_home(file), limit).map_err(fail);
        }
        self.streams.rest(limit).map(|bytes| bytes.to_vec()).map_err(fail)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.at_home(file)
    }

    fn note(&self, words: &str) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(words.to_owned());
    }

    fn doubt(&self, words: &str) {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner).push(words.to_owned());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// What a run says.
    #[derive(Default)]
    pub(crate) struct Said {
        out: Arc<Mutex<Vec<u8>>>,
        err: Arc<Mutex<Vec<u8>>>,
    }

    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(data);
            Ok(data.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Said {
        /// A console without input that says it here.
        pub(crate) fn console(&self, env: Env) -> Console {
            let streams = Streams::of(std::io::empty(), Kept(Arc::clone(&self.out)), Kept(Arc::clone(&self.err)));
            Console::of(streams, env)
        }

        pub(crate) fn err(&self) -> String {
            String::from_utf8(self.err.lock().unwrap().clone()).unwrap()
        }
    }
}
