//! The connections of one listener: as many as there is room for. Of those that only wait for a request, the one that
//! has waited longest makes room for a new one, so that nobody is kept out by others who say nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::task::{AbortHandle, JoinSet};

use crate::emulator::datacenter::lock;

/// Whether there is work on a connection, and since when there is none.
#[derive(Debug)]
pub(crate) struct Activity {
    busy: AtomicUsize,
    since: Mutex<Instant>,
}

impl Activity {
    fn new() -> Arc<Activity> {
        Arc::new(Activity { busy: AtomicUsize::new(0), since: Mutex::new(Instant::now()) })
    }

    /// From now on there is work, for as long as what is returned is kept.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Busy(Arc::clone(self))
    }

    /// Since when it has waited; nothing while it works.
    fn waits(&self) -> Option<Instant> {
        (self.busy.load(Ordering::SeqCst) == 0).then(|| *lock(&self.since))
    }
}

/// Work on a connection.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        *lock(&self.0.since) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Those that are open.
pub(crate) struct Connections {
    tasks: JoinSet<()>,
    open: Vec<(AbortHandle, Arc<Activity>)>,
    most: usize,
}

impl Connections {
    pub(crate) fn new(most: usize) -> Connections {
        Connections { tasks: JoinSet::new(), open: Vec::new(), most }
    }

    /// Whether a new one can be taken, be it in the place of another.
    pub(crate) fn have_room(&self) -> bool {
        self.open.len() < self.most || self.open.iter().any(|(_, activity)| activity.waits().is_some())
    }

    /// Serves a new one.
    pub(crate) fn add<F: Future<Output = ()> + Send + 'static>(&mut self, serve: impl FnOnce(Arc<Activity>) -> F) {
        if self.open.len() >= self.most {
            self.close_one();
        }
        let activity = Activity::new();
        let task = self.tasks.spawn(serve(Arc::clone(&activity)));
        self.open.push((task, activity));
    }

    /// Closes the one that has waited longest. Whether there was one.
    pub(crate) fn close_one(&mut self) -> bool {
        let waiting = self.open.iter().enumerate().filter_map(|(at, (_, activity))| Some((activity.waits()?, at)));
        let Some((_, at)) = waiting.min() else { return false };
        self.open.swap_remove(at).0.abort();
        true
    }

    /// Waits until one has ended.
    pub(crate) async fn ended(&mut self) {
        if self.tasks.join_next().await.is_none() {
            return std::future::pending().await;
        }
        self.open.retain(|(task, _)| !task.is_finished());
    }

    /// Ends them all.
    pub(crate) async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_has_waited_longest_makes_room() {
        let mut connections = Connections::new(3);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let work = |connections: &mut Connections| {
            let tell = tell.clone();
            connections.add(|activity| async move {
                let _ = tell.send(activity);
                std::future::pending().await
            });
        };
        for _ in 0..3 {
            work(&mut connections);
        }
        let first = told.recv().await.unwrap();
        let second = told.recv().await.unwrap();
        let busy = first.begin();
        work(&mut connections);
        assert_eq!(connections.open.len(), 3);
        assert!(connections.open.iter().any(|(_, activity)| Arc::ptr_eq(activity, &first)), "it works");
        assert!(!connections.open.iter().any(|(_, activity)| Arc::ptr_eq(activity, &second)));
        drop(busy);
        work(&mut connections);
        assert!(connections.open.iter().any(|(_, activity)| Arc::ptr_eq(activity, &first)), "it has worked since");
        let _busy: Vec<Busy> = connections.open.iter().map(|(_, activity)| activity.begin()).collect();
        assert!(!connections.have_room() && !connections.close_one());
    }
}
