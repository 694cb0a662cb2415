//! Puts JSON through `--jq` and prints what comes of it. While there is no result, memory and signals are watched.

use super::app::App;
use crate::error::{Error, Kind, Result};
use crate::render::Program;

/// An expression may take so much memory, beside what it reads.
const MAX_HELD: u64 = 512 << 20;
/// So many bytes a byte of JSON takes at most once it is read.
const PARSED: u64 = 24;

impl App {
    /// The expression of `--jq` with what it is given, if there is one.
    ///
    /// # Errors
    /// It is wrong.
    pub(crate) fn program(&self) -> Result<Option<Program>> {
        let Some(jq) = &self.globals.jq else { return Ok(None) };
        let given = self.globals.given.clone();
        let given = match jq.contains("env") || jq.contains("ENV") {
            true => given.with_env(self.console.env.shown()),
            false => given,
        };
        Program::with(jq, given).map(Some)
    }

    /// Prints the results of an expression over a document, a line each.
    ///
    /// # Errors
    /// What the expression failed with; that it took too much memory, or was interrupted.
    pub(crate) fn filter(&self, jq: &Program, json: &str) -> Result<()> {
        let before = resident();
        // What it reads takes memory too, before it has done anything.
        let most = MAX_HELD.saturating_add(PARSED.saturating_mul(json.len() as u64));
        let _filtering = self.heard.filter();
        let idle = || {
            self.heard.listen();
            if self.heard.is_asked() {
                return Err(Error::new(Kind::Interrupted, "interrupted: the --jq expression had not come to its end"));
            }
            match (before, resident()) {
                (Some(before), Some(now)) if now.saturating_sub(before) > most => {
                    let words = format!("the --jq expression takes more than {} MiB of memory", MAX_HELD >> 20);
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
