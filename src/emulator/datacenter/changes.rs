//! What has changed on machines, for those who follow the changefeed. Found by comparison, so that
//! nothing that changes a machine has to tell of it; and only while somebody follows.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;
use tokio::sync::watch;

use super::lock;
use super::state::{State, Vm};

/// So many changes are kept for followers who are slow; of more they learn nothing.
const KEPT: usize = 1024;
/// What can change, in the feed's words. The owner never does here.
pub(crate) const KINDS: &[&str] =
    &["alias", "customer_metadata", "destroyed", "nics", "owner_uuid", "server_uuid", "state", "tags"];

/// One change of one machine.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    number: u64,
    pub(crate) owner: String,
    pub(crate) machine: String,
    pub(crate) at: i64,
    pub(crate) kinds: Vec<&'static str>,
    /// The state in the words of the machines' own service.
    pub(crate) state: &'static str,
    pub(crate) object: Value,
}

/// What a machine looked like, a number for each of [`KINDS`].
type Print = [u64; KINDS.len()];

/// How a machine is shown to those who follow.
pub(crate) type View = fn(&State, &Vm) -> Value;

/// The changes since somebody began to follow.
#[derive(Debug)]
pub(crate) struct Changes {
    view: View,
    log: Mutex<Log>,
    /// Has a receiver for each follower that has said what it wants.
    registered: watch::Sender<()>,
    /// The number of the newest change.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Log {
    followers: usize,
    prints: HashMap<String, Print>,
    list: VecDeque<Change>,
    count: u64,
}

/// Somebody who follows. Changes are looked for as long as there is one.
pub(crate) struct Follower<'a> {
    changes: &'a Changes,
    seen: u64,
    told: watch::Receiver<u64>,
}

impl Changes {
    /// Those of machines that are shown so.
    pub(crate) fn new(view: View) -> Changes {
        let (registered, newest) = (watch::Sender::new(()), watch::Sender::new(0));
        Changes { view, log: Mutex::default(), registered, newest }
    }

    /// Counts one more who has said what it wants, until what this gives is dropped.
    pub(crate) fn register(&self) -> watch::Receiver<()> {
        self.registered.subscribe()
    }

    /// How many have said what they want.
    pub(crate) fn registered(&self) -> usize {
        self.registered.receiver_count()
    }

    /// Follows from now on.
    pub(crate) fn follow(&self, state: &State) -> Follower<'_> {
        let mut log = lock(&self.log);
        if log.followers == 0 {
            log.prints = state.vms.iter().map(|machine| (machine.uuid.clone(), print(machine))).collect();
        }
        log.followers += 1;
        Follower { changes: self, seen: log.count, told: self.newest.subscribe() }
    }

    /// Looks for what has changed since the last look.
    pub(crate) fn look(&self, state: &State, now: i64) {
        let mut log = lock(&self.log);
        if log.followers == 0 {
            return;
        }
        let before = log.count;
        for machine in state.vms.iter() {
            let print = print(machine);
            let kinds = match log.prints.get(&machine.uuid) {
                Some(old) if *old == print => continue,
                Some(old) => differences(old, &print),
                None => KINDS.iter().copied().filter(|kind| *kind != "destroyed").collect(),
            };
            log.prints.insert(machine.uuid.clone(), print);
            log.record((self.view)(state, machine), machine, kinds, now);
        }
        if log.count != before {
            self.newest.send_replace(log.count);
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }
}

impl Log {
    fn record(&mut self, object: Value, machine: &Vm, kinds: Vec<&'static str>, now: i64) {
        self.count += 1;
        self.list.push_back(Change {
            number: self.count,
            owner: machine.owner_uuid.clone(),
            machine: machine.uuid.clone(),
            at: now,
            kinds,
            state: raw_state(&machine.state),
            object,
        });
        if self.list.len() > KEPT {
            self.list.pop_front();
        }
    }
}

impl Follower<'_> {
    /// Forgets what was before now.
    pub(crate) fn forget(&mut self) {
        self.seen = self.changes.log().count;
        self.told.mark_unchanged();
    }

    /// Waits for changes. Never ends by itself.
    pub(crate) async fn told(&mut self) {
        // The sender lives as long as this does.
        let _ = self.told.changed().await;
    }

    /// What has happened since it was last asked.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        let log = self.changes.log();
        let new = log.list.iter().filter(|change| change.number > self.seen).cloned().collect();
        self.seen = log.count;
        new
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        let mut log = self.changes.log();
        log.followers = log.followers.saturating_sub(1);
        if log.followers == 0 {
            log.prints = HashMap::new();
            log.list = VecDeque::new();
        }
    }
}

/// The feed tells states as the machines' own service calls them.
fn raw_state(state: &str) -> &'static str {
    match state {
        "provisioning" => "provisioning",
        "ready" => "ready",
        "running" => "running",
        "stopping" => "stopping",
        "stopped" => "stopped",
        "unreachable" => "unreachable",
        "destroyed" => "destroyed",
        "failed" => "failed",
        _ => "unknown",
    }
}

fn print(machine: &Vm) -> Print {
    let of = |text: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        text(&mut hasher);
        hasher.finish()
    };
    let json = |value: serde_json::Result<String>| of(&|hasher| value.as_deref().unwrap_or_default().hash(hasher));
    [
        of(&|hasher| machine.alias.hash(hasher)),
        json(serde_json::to_string(&machine.customer_metadata)),
        u64::from(machine.is_destroyed()),
        json(serde_json::to_string(&machine.nics)),
        of(&|hasher| machine.owner_uuid.hash(hasher)),
        of(&|hasher| machine.server_uuid.hash(hasher)),
        of(&|hasher| machine.state.hash(hasher)),
        json(serde_json::to_string(&machine.tags)),
    ]
}

fn differences(old: &Print, new: &Print) -> Vec<&'static str> {
    KINDS.iter().zip(old.iter().zip(new)).filter(|(_, (old, new))| old != new).map(|(kind, _)| *kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_only_to_those_who_follow() {
        let changes = Changes::new(|_, _| Value::Null);
        let mut state = State::default();
        state.vms.push(Vm { uuid: "a".to_owned(), state: "running".to_owned(), ..Vm::default() });
        state.vms.get_mut("a").unwrap().alias = "before".to_owned();
        changes.look(&state, 1);
        let mut follower = changes.follow(&state);
        state.vms.get_mut("a").unwrap().alias = "after".to_owned();
        state.vms.get_mut("a").unwrap().state = "destroyed".to_owned();
        changes.look(&state, 2);
        changes.look(&state, 3);
        let seen = follower.take();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].at, seen[0].state, seen[0].kinds.as_slice()),
            (2, "destroyed", ["alias", "destroyed", "state"].as_slice())
        );
        assert!(follower.take().is_empty());
        drop(follower);
        assert!(changes.log().list.is_empty() && changes.log().prints.is_empty());
    }
}
