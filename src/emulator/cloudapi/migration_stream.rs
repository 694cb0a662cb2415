//! What a client that watches a migration is told, line by line; and the body that tells it, by
//! looking at the state every now and then, as long as the client stays.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::time::Sleep;

use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::state::Migration;
use crate::emulator::datacenter::state::State;
use crate::emulator::http::stream::Lines;

/// How long between two looks, in real time: the machines' clock may stand still, or be stepped.
const LOOK: Duration = Duration::from_millis(50);
/// So many looks, an hour's, and a watch that has seen no end is over.
const LOOKS: u32 = 72_000;

/// How far a watch of a migration has come.
#[derive(Debug)]
pub(crate) struct Watch {
    machine: String,
    /// Tells the migration from a later one of the same machine.
    created: i64,
    /// The entry of the history that was told last, or is the first to tell.
    at: usize,
    /// What was told of it.
    told: Value,
    phase: String,
}

impl Watch {
    /// Begins with the entry that is running; earlier ones are never told.
    pub(crate) fn new(migration: &Migration) -> Watch {
        let at = migration.history.iter().position(|progress| progress.state == "running");
        Watch {
            machine: migration.machine.clone(),
            created: migration.created,
            at: at.unwrap_or(migration.history.len()),
            told: Value::Null,
            phase: migration.phase.clone(),
        }
    }

    /// What is new, a line each, and whether that was the last of it.
    pub(crate) fn news(&mut self, state: &State) -> (Vec<u8>, bool) {
        let mut lines = Vec::new();
        let mut tell = |event: &Value| {
            lines.extend(event.to_string().into_bytes());
            lines.push(b'\n');
        };
        let Some(migration) = state.migration(&self.machine).filter(|now| now.created == self.created) else {
            // An abort or finalize was meant to end so.
            let meant = matches!(self.phase.as_str(), "abort" | "finalize");
            let state = if meant { "successful" } else { "unknown" };
            tell(&json!({ "type": "end", "phase": self.phase, "state": state }));
            return (lines, true);
        };
        self.phase.clone_from(&migration.phase);
        for (at, progress) in migration.history.iter().enumerate().skip(self.at) {
            let event = progress.view();
            if at > self.at || event != self.told {
                tell(&event);
            }
            (self.at, self.told) = (at, event);
        }
        if migration.state == "running" {
            return (lines, false);
        }
        let mut end = json!({ "type": "end", "phase": migration.phase, "state": migration.state });
        if let (false, Value::Object(end)) = (migration.error.is_empty(), &mut end) {
            end.insert("message".to_owned(), migration.error.clone().into());
        }
        tell(&end);
        (lines, true)
    }
}

/// A body of lines that come over time.
#[derive(Debug)]
pub(crate) struct MigrationLines {
    watch: Watch,
    cloud: Arc<DataCenter>,
    pause: Option<Pin<Box<Sleep>>>,
    looks: u32,
}

impl MigrationLines {
    pub(crate) fn new(watch: Watch, cloud: Arc<DataCenter>) -> MigrationLines {
        MigrationLines { watch, cloud, pause: None, looks: LOOKS }
    }
}

impl Lines for MigrationLines {
    fn now(&mut self) -> Vec<u8> {
        let watch = &mut self.watch;
        let (lines, over) = self.cloud.look(|state| watch.news(state));
        self.looks = if over { 0 } else { self.looks.saturating_sub(1) };
        lines
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if self.looks == 0 {
                return Poll::Ready(None);
            }
            let lines = self.now();
            if self.looks > 0 {
                self.pause = Some(Box::pin(tokio::time::sleep(LOOK)));
            }
            if !lines.is_empty() {
                return Poll::Ready(Some(Bytes::from(lines)));
            }
        }
    }
}
