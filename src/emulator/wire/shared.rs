//! What all connections of one emulator share.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use super::fault::{Fault, Faults, Limit};
use super::sockets::Sockets;
use crate::emulator::cloudapi::auth::Frozen;
use crate::emulator::cloudapi::throttle::Throttle;
use crate::emulator::datacenter::clock::Clock;
use crate::emulator::datacenter::state::State;
use crate::emulator::datacenter::store;
use crate::emulator::http::reply::Refusal;
use crate::file::Lock;

/// How many requests are remembered; older ones are forgotten.
const REMEMBERED: usize = 10_000;
/// How many bytes they may take together.
const REMEMBERED_BYTES: usize = 8 << 20;
/// How many bytes of one text of a request are remembered.
const REMEMBERED_TEXT: usize = 4096;

/// A request that the emulator has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// HTTP method.
    pub method: String,
    /// Path and query, as they came; of very long ones the first 4096 bytes.
    pub path_and_query: String,
    /// The status that was answered; 0 when a fault kept the answer back.
    pub status: u16,
    /// The key id of a good signature.
    pub signed_by: Option<String>,
    /// How many bytes the body of its answer has, or had to have before a fault spoilt it.
    pub bytes: usize,
    /// The planted faults that struck it, as they were written.
    pub faults: Vec<String>,
}

/// The requests seen so far, oldest first: so many that anyone may send any, unsigned ones too.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    list: VecDeque<Seen>,
    bytes: usize,
}

impl Remembered {
    fn push(&mut self, mut seen: Seen) {
        shorten(&mut seen.method);
        shorten(&mut seen.path_and_query);
        seen.signed_by.iter_mut().chain(&mut seen.faults).for_each(shorten);
        self.bytes += size(&seen);
        self.list.push_back(seen);
        while self.list.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.list.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&oldest));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Seen> {
        self.list.iter()
    }

    pub(crate) fn clear(&mut self) {
        *self = Remembered::default();
    }
}

/// About what a request takes.
fn size(seen: &Seen) -> usize {
    let texts: usize = seen.signed_by.iter().chain(&seen.faults).map(|text| size_of::<String>() + text.len()).sum();
    size_of::<Seen>() + seen.method.len() + seen.path_and_query.len() + texts
}

fn shorten(text: &mut String) {
    if text.len() > REMEMBERED_TEXT {
        let end = (0..=REMEMBERED_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) frozen: Frozen,
    pub(crate) latency: Duration,
    pub(crate) state_file: Option<PathBuf>,
    /// Kept for as long as anybody could still write the file.
    pub(crate) _state_lock: Option<Lock>,
    /// The state has changed since it was last written.
    pub(crate) dirty: AtomicBool,
    pub(crate) state: Mutex<State>,
    pub(crate) faults: Mutex<Faults>,
    /// Whether requests are counted and refused.
    pub(crate) throttled: AtomicBool,
    pub(crate) throttle: Mutex<Throttle>,
    pub(crate) seen: Mutex<Remembered>,
    /// Why the state could not be written, the last time it could not.
    pub(crate) trouble: Mutex<Option<String>>,
    pub(crate) sockets: Sockets,
}

/// A lock whose holder panicked is still good: nothing here is left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn lock_state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Remembers a request.
    pub(crate) fn saw(&self, seen: Seen) {
        lock(&self.seen).push(seen);
    }

    /// Counts a request, if requests are counted at all.
    pub(crate) fn throttle(&self, who: &str, group: &'static str) -> Result<(), Refusal> {
        match self.throttled.load(Ordering::Relaxed) {
            true => lock(&self.throttle).take(who, group, self.clock.wall()),
            false => Ok(()),
        }
    }

    /// Looks at the state as it is by now, outside of a request.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let mut state = self.lock_state();
        self.catch_up(&mut state, false);
        look(&state)
    }

    /// Lets machines catch up with the time, for those who follow their changes and send no requests.
    /// What changed by itself is compared at once, and everything when `all` is set.
    pub(crate) fn look_for_changes(&self, all: bool) {
        self.catch_up(&mut self.lock_state(), all);
    }

    fn catch_up(&self, state: &mut State, all: bool) {
        let now = self.clock.now();
        let moved = state.catch_up(now);
        if moved || all {
            self.sockets.changes.look(state, now);
        }
        if moved {
            self.dirty.store(true, Ordering::Relaxed);
            // Nobody has asked for this change: it comes again with the time.
            let _ = self.save(state);
        }
    }

    /// Writes the state to its file, if it has one. What goes wrong is kept for `stop` to tell too.
    ///
    /// # Errors
    /// The answer to who wants it kept. It is done all the same, and written with the next change that can be.
    pub(crate) fn save(&self, state: &mut State) -> Result<(), Refusal> {
        state.now = self.clock.now();
        let Some(file) = &self.state_file else { return Ok(()) };
        let Err(error) = store::write(file, state) else {
            self.dirty.store(false, Ordering::Relaxed);
            *lock(&self.trouble) = None;
            return Ok(());
        };
        let words = error.to_string();
        *lock(&self.trouble) = Some(words.clone());
        Err(Refusal::new(500, "InternalError", words))
    }

    /// The server's time of day as a header.
    pub(crate) fn http_date(&self) -> String {
        let ms = u64::try_from(self.clock.wall()).unwrap_or(0);
        // Beyond year 9999 there is no way to write it.
        let time = UNIX_EPOCH + Duration::from_millis(ms.min(253_402_300_799_000));
        httpdate::fmt_http_date(time)
    }
}

impl Shared {
    /// Plants a fault. Those of the clock and of the limit act at once.
    pub(crate) fn plant(&self, fault: Fault) {
        if let Some(offset) = fault.effect.clock {
            self.clock.set_offset(offset);
        }
        if let Some(limit) = fault.effect.throttle {
            *lock(&self.throttle) = match limit {
                Limit::Off | Limit::Usual => Throttle::default(),
                Limit::Rate(rate) => Throttle::of(rate),
            };
            self.throttled.store(limit != Limit::Off, Ordering::Relaxed);
        }
        lock(&self.faults).plant(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten_when_all_are_too_long_or_too_many() {
        let seen = |text: String| Seen {
            method: "GET".to_owned(),
            path_and_query: text,
            status: 401,
            signed_by: None,
            bytes: 0,
            faults: vec!["* status=401".to_owned()],
        };
        let mut long = Remembered::default();
        (0..REMEMBERED).for_each(|_| long.push(seen("\u{e9}x".repeat(30_000))));
        assert!(long.bytes <= REMEMBERED_BYTES && long.list.len() < REMEMBERED && long.list.len() > 1000);
        assert_eq!(long.bytes, long.iter().map(size).sum::<usize>());
        let mut many = Remembered::default();
        (0..=REMEMBERED).for_each(|at| many.push(seen(at.to_string())));
        assert_eq!(
            (many.list.len(), many.iter().next().map(|seen| seen.path_and_query.as_str())),
            (REMEMBERED, Some("1"))
        );
    }
}
