//! Interruptions: Ctrl-C and what else asks a program to end. The first is a request to stop, the second is an order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::cli::App;
use crate::error::{Error, Result};

/// How long the end may take after an interruption before it is told that it takes time.
const MOMENT: Duration = Duration::from_millis(200);

/// Signals that come so close together are one: `timeout` sends its own to the program and to its whole group.
const SAME: Duration = Duration::from_millis(150);

/// The signals, from the moment it is made.
pub struct Signals {
    last: Option<Instant>,
    #[cfg(unix)]
    kinds: [tokio::signal::unix::Signal; 2],
    /// Not where a terminal that goes is to end nothing.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// From now on they end the process no more by themselves.
    ///
    /// # Errors
    /// The system does not let them be caught.
    pub fn new() -> Result<Signals> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let caught = |kind| signal(kind).map_err(|error| Error::other("cannot catch signals").because(error));
            let kinds = [caught(SignalKind::interrupt())?, caught(SignalKind::terminate())?];
            let hangup = if hangup_is_ignored() { None } else { Some(caught(SignalKind::hangup())?) };
            Ok(Signals { last: None, kinds, hangup })
        }
        #[cfg(not(unix))]
        Ok(Signals { last: None })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        loop {
            self.any().await;
            let before = self.last.replace(Instant::now());
            if before.is_none_or(|before| before.elapsed() > SAME) {
                return;
            }
        }
    }

    async fn any(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.kinds;
            let hangup = async {
                match &mut self.hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Whether this program was started with SIGHUP ignored, as nohup does. Linux tells; elsewhere a shell does that
/// outlives its own SIGHUP, since what is started inherits it.
#[cfg(unix)]
pub fn hangup_is_ignored() -> bool {
    let told = std::fs::read_to_string("/proc/self/status").ok();
    let mask = told.as_deref().and_then(|told| told.lines().find_map(|line| line.strip_prefix("SigIgn:")));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => mask & 1 == 1,
        None => {
            let shell = std::process::Command::new("/bin/sh").args(["-c", "kill -HUP $$"]).status();
            shell.is_ok_and(|status| status.success())
        }
    }
}

/// Whether to stop: set once by the first interruption.
#[derive(Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    told: tokio::sync::Notify,
}

impl Stop {
    /// Does the work to its end, which the first interruption hastens and the second cuts off. Returns whether
    /// there was one.
    ///
    /// # Errors
    /// The second interruption's.
    pub async fn heeded(&self, app: &App, work: impl Future<Output = ()>, left: impl Fn() -> Error) -> Result<bool> {
        let mut signals = Signals::new()?;
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                () = &mut work => return Ok(self.is_asked()),
                () = signals.next() => {
                    if self.asked.swap(true, Ordering::SeqCst) {
                        return Err(left());
                    }
                    self.told.notify_waiters();
                    // What only waited ends by itself.
                    if tokio::time::timeout(MOMENT, &mut work).await.is_ok() {
                        return Ok(true);
                    }
                    app.say("interrupted: nothing more is begun, what was sent is waited for; once more leaves at once");
                }
            }
        }
    }

    /// Whether it is time to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// The word itself, for whoever must not begin anything after it.
    pub fn word(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Waits until it is time to stop.
    pub async fn asked(&self) {
        let told = self.told.notified();
        if !self.is_asked() {
            told.await;
        }
    }
}
