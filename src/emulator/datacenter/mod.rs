//! What a data center holds, and what happens in it over time. No HTTP here: several services show one data center.

pub(crate) mod addresses;
pub(crate) mod affinity;
pub(crate) mod chains;
pub(crate) mod changes;
pub(crate) mod clock;
pub(crate) mod denied;
pub(crate) mod furnish;
pub(crate) mod fwrule;
pub(crate) mod jobs;
pub(crate) mod nics;
pub(crate) mod seed;
pub(crate) mod state;
pub(crate) mod store;
pub(crate) mod verify;
pub(crate) mod volume;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use changes::Changes;
use clock::Clock;
use state::State;

use crate::file::Lock;

/// A data center: its state, its time, and who follows its changes.
#[derive(Debug)]
pub(crate) struct DataCenter {
    pub(crate) clock: Clock,
    pub(crate) changes: Changes,
    state: Mutex<State>,
    state_file: Option<PathBuf>,
    /// Kept for as long as anybody could still write the file.
    _state_lock: Option<Lock>,
    /// The state has changed since it was last written.
    dirty: AtomicBool,
    /// Why the state could not be written, the last time it could not.
    trouble: Mutex<Option<String>>,
}

/// A lock whose holder panicked is still good: nothing here is left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DataCenter {
    /// One with this state, which is kept in the file, if there is one.
    pub(crate) fn new(
        state: State,
        clock: Clock,
        changes: Changes,
        state_file: Option<PathBuf>,
        state_lock: Option<Lock>,
    ) -> DataCenter {
        DataCenter {
            clock,
            changes,
            state: Mutex::new(state),
            state_file,
            _state_lock: state_lock,
            dirty: AtomicBool::new(true),
            trouble: Mutex::new(None),
        }
    }

    pub(crate) fn lock_state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Looks at the state as it is by now, outside of a request.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let mut state = self.lock_state();
        self.catch_up(&mut state, false);
        look(&state)
    }

    /// Runs jobs that are due, for those who follow changes and send no requests. What changed by itself is compared
    /// at once, and everything when `all` is set.
    pub(crate) fn look_for_changes(&self, all: bool) {
        self.catch_up(&mut self.lock_state(), all);
    }

    fn catch_up(&self, state: &mut State, all: bool) {
        let now = self.clock.now();
        let moved = state.catch_up(now);
        if moved || all {
            self.changes.look(state, now);
        }
        if moved {
            self.dirty.store(true, Ordering::Relaxed);
            // Nobody has asked for this change: it comes again with the time.
            let _ = self.save(state);
        }
    }

    /// Notes that the state has changed, and writes it.
    ///
    /// # Errors
    /// As [`DataCenter::save`].
    pub(crate) fn changed(&self, state: &mut State, now: i64) -> Result<(), String> {
        self.changes.look(state, now);
        self.dirty.store(true, Ordering::Relaxed);
        self.save(state)
    }

    /// Has something happen that nobody has asked for.
    pub(crate) fn happen(&self, event: impl FnOnce(&mut State, i64)) {
        let mut state = self.lock_state();
        let now = self.clock.now();
        state.catch_up(now);
        event(&mut state, now);
        // What goes wrong is kept, and told when the emulator ends.
        let _ = self.changed(&mut state, now);
    }

    /// Writes the state to its file, if it has one. What goes wrong is kept for `finish` to tell too.
    ///
    /// # Errors
    /// Why it could not be written. What was done stays done, and is written with the next change that can be.
    pub(crate) fn save(&self, state: &mut State) -> Result<(), String> {
        state.now = self.clock.now();
        let Some(file) = &self.state_file else { return Ok(()) };
        let Err(error) = store::write(file, state) else {
            self.dirty.store(false, Ordering::Relaxed);
            *lock(&self.trouble) = None;
            return Ok(());
        };
        let words = error.to_string();
        *lock(&self.trouble) = Some(words.clone());
        Err(words)
    }

    /// Writes the state, if it has a file and has changed.
    ///
    /// # Errors
    /// Why it, or an earlier one, could not be written.
    pub(crate) fn finish(&self) -> Result<(), String> {
        let mut state = self.lock_state();
        let now = self.clock.now();
        let passed = state.now != now;
        if state.catch_up(now) || passed || self.dirty.load(Ordering::Relaxed) {
            // It is told below.
            let _ = self.save(&mut state);
        }
        lock(&self.trouble).take().map_or(Ok(()), Err)
    }
}
