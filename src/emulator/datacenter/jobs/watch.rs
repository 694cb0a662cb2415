//! The events of a migration that a watch streams, one a line.

use serde_json::{Value, json};

use super::super::state::{Migration, State};

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
