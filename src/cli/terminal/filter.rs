//! Puts JSON through `--jq` and prints what comes of it. While there is no result, memory and signals are watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::signals::Signals;
use crate::cli::App;
use crate::error::{Error, Kind, Result};
use crate::render::Program;

/// An expression may take so much memory.
const MOST_HELD: u64 = 512 << 20;

impl App {
    /// Prints the results of an expression over a document, a line each.
    ///
    /// # Errors
    /// What the expression failed with; that it took too much memory, or was interrupted.
    pub(crate) fn filter(&self, jq: &Program, json: &str) -> Result<()> {
        let before = resident();
        let mut stop = None;
        let idle = || {
            let stop = stop.get_or_insert_with(listen);
            if stop.load(Ordering::SeqCst) {
                return Err(Error::new(Kind::Interrupted, "interrupted: the --jq expression had not come to its end"));
            }
            match (before, resident()) {
                (Some(before), Some(now)) if now.saturating_sub(before) > MOST_HELD => {
                    let words = format!("the --jq expression takes more than {} MiB of memory", MOST_HELD >> 20);
                    Err(Error::other(words).hint("a part of a list: --limit N"))
                }
                _ => Ok(()),
            }
        };
        let print = |line: &str| self.streams.out(format!("{line}\n").as_bytes());
        jq.run_while(json, self.globals.raw, self.streams.stdout_tty, idle, print)
    }
}

/// The bytes of this process that are in memory. Linux tells.
fn resident() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let words = told.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    words.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// Set by the next signal that asks the process to end. The runtime that would hear it waits for the expression, and so
/// cannot.
fn listen() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    // Without a thread, signals end the process by themselves, or as those that caught them before think fit.
    let _ = std::thread::Builder::new().spawn(move || {
        let Ok(runtime) = crate::cli::runtime() else { return };
        runtime.block_on(async {
            if let Ok(mut signals) = Signals::new() {
                signals.next().await;
                asked.store(true, Ordering::SeqCst);
            }
        });
    });
    stop
}
