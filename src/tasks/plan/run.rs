//! Carries a plan out: one step after another, each on the record before the next one begins.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Action, Image, Kind, OpenRecord, Owned, Step};
use crate::error::{self, Error, Result};
use crate::tasks::Report;

/// How the steps of a plan are carried out.
pub trait Work<K, S> {
    /// The id that a resource will have once it is created, if that is known beforehand.
    fn id(&self, step: &Step<K, S>) -> Option<String>;

    /// The fields of a resource that is about to be created, as the service will show them. No secrets: the record
    /// keeps it.
    fn image(&self, step: &Step<K, S>) -> Image {
        let fields = step.changes.iter().filter(|change| !change.new.is_null());
        fields.map(|change| (change.field.clone(), change.new.clone())).collect()
    }

    /// Carries out a step and returns the resource's id.
    ///
    /// # Errors
    /// The request's failure. Only after an [error in doubt](Error::is_in_doubt) the step may have taken effect.
    fn carry_out(&mut self, step: &Step<K, S>) -> impl Future<Output = Result<String>>;
}

/// How far a run has come.
#[derive(Debug, Default)]
pub struct Run {
    /// Steps that were begun, done ones among them.
    pub begun: Cell<usize>,
    /// Steps that are done and on the record.
    pub done: Cell<usize>,
    /// Set from outside to begin no further step.
    pub stop: Arc<AtomicBool>,
}

impl Run {
    /// Carries the steps out. Before a resource is created, the record says so; after each step, the record has its
    /// outcome. So whatever ends the process, a later [`settle`](super::Record::settle) finds what was created, and
    /// tells it from what others have.
    ///
    /// # Errors
    /// The first step's that fails, after which no other one is begun; or that it was told to stop.
    pub async fn carry_out<K: Kind, S>(
        &self,
        steps: &[Step<K, S>],
        mut record: Option<OpenRecord<K>>,
        work: &mut impl Work<K, S>,
        report: &dyn Report,
    ) -> Result<()> {
        for step in steps {
            if self.stop.load(Ordering::SeqCst) {
                return Err(Error::new(error::Kind::Interrupted, "interrupted before it was sent"));
            }
            self.begun.set(self.begun.get() + 1);
            self::step(step, record.as_mut(), work).await?;
            self.done.set(self.done.get() + 1);
            report.say(&format!("{}: {}", step.target(), step.action.done()));
        }
        Ok(())
    }
}

async fn step<K: Kind, S>(
    step: &Step<K, S>,
    record: Option<&mut OpenRecord<K>>,
    work: &mut impl Work<K, S>,
) -> Result<()> {
    let Some(record) = record else { return work.carry_out(step).await.map(drop) };
    let begun: Option<Owned<K>> =
        (step.action == Action::Create).then(|| step.owned(work.id(step).unwrap_or_default()));
    if let Some(begun) = &begun {
        record.begin(begun.clone(), work.image(step)).map_err(|error| error.hint("it was not sent"))?;
    }
    let id = match (work.carry_out(step).await, &begun) {
        (Ok(id), _) => id,
        (Err(error), Some(begun)) if !error.is_in_doubt() => {
            // The failure itself matters more; at worst the record claims a resource that does not exist.
            let _ = record.refused(begun);
            return Err(error);
        }
        (Err(error), _) => return Err(error),
    };
    let kept = match step.action {
        Action::Create | Action::Adopt => record.put(step.owned(id)),
        Action::Delete => record.remove(step.kind, &id),
        Action::Change if record.made().iter().any(|known| known.is(step.kind, &id)) => record.put(step.owned(id)),
        Action::Change => Ok(()),
    };
    kept.map_err(|error| error.about("it was done, but the record does not say so yet"))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::super::Record;
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    struct Part;

    impl Kind for Part {
        fn word(self) -> &'static str {
            "part"
        }
    }

    /// Fails at the part of this name, and keeps what the record said when each request was sent.
    struct Fake<'a> {
        dir: &'a tempfile::TempDir,
        /// Where it fails, and whether it leaves a doubt.
        fails: Option<(&'static str, bool)>,
        seen: Vec<(String, Vec<String>)>,
        stop: Option<Arc<AtomicBool>>,
    }

    impl Work<Part, ()> for Fake<'_> {
        fn id(&self, _: &Step<Part, ()>) -> Option<String> {
            None
        }

        async fn carry_out(&mut self, step: &Step<Part, ()>) -> Result<String> {
            self.seen.push((step.title(), begun(self.dir)));
            self.stop.iter().for_each(|stop| stop.store(true, Ordering::SeqCst));
            match self.fails {
                Some((name, true)) if name == step.name => Err(Error::other("lost").in_doubt()),
                Some((name, false)) if name == step.name => Err(Error::other("no")),
                _ => Ok(format!("id-of-{}", step.name)),
            }
        }
    }

    fn record(dir: &tempfile::TempDir) -> Record<Part> {
        Record::read(&dir.path().join("records"), "host", "acme", "team").unwrap()
    }

    fn begun(dir: &tempfile::TempDir) -> Vec<String> {
        record(dir).begun().map(|begun| begun.name.clone()).collect()
    }

    fn made(dir: &tempfile::TempDir) -> Vec<String> {
        record(dir).made().iter().map(|made| made.id.clone()).collect()
    }

    fn steps() -> Vec<Step<Part, ()>> {
        [(Action::Create, "a"), (Action::Change, "b"), (Action::Adopt, "c"), (Action::Create, "d")]
            .map(|(action, name)| Step::new(action, Part, name, None, ()))
            .into()
    }

    async fn run(work: &mut Fake<'_>, run: &Run) -> Result<()> {
        let open = record(work.dir).open().unwrap();
        run.carry_out(&steps(), Some(open), work, &()).await
    }

    fn fake(dir: &tempfile::TempDir) -> Fake<'_> {
        Fake { dir, fails: None, seen: Vec::new(), stop: None }
    }

    #[tokio::test]
    async fn a_resource_is_on_the_record_before_its_request_is_sent_and_made_after_the_answer() {
        let dir = tempfile::tempdir().unwrap();
        let mut work = fake(&dir);
        run(&mut work, &Run::default()).await.unwrap();
        let open: Vec<&[String]> = work.seen.iter().map(|(_, begun)| begun.as_slice()).collect();
        assert_eq!(open, [&["a".to_owned()][..], &[], &[], &["d".to_owned()]]);
        assert!(begun(&dir).is_empty());
        assert_eq!(made(&dir), ["id-of-a", "id-of-c", "id-of-d"]);
    }

    #[tokio::test]
    async fn a_refusal_leaves_nothing_begun_and_a_doubt_does() {
        for (doubt, left) in [(false, &[][..]), (true, &["d"])] {
            let dir = tempfile::tempdir().unwrap();
            let mut work = Fake { fails: Some(("d", doubt)), ..fake(&dir) };
            let state = Run::default();
            run(&mut work, &state).await.unwrap_err();
            assert_eq!((state.begun.get(), state.done.get()), (4, 3));
            assert_eq!(begun(&dir), left);
        }
    }

    #[tokio::test]
    async fn a_stop_lets_the_step_that_was_begun_end_and_begins_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let state = Run::default();
        let mut work = Fake { stop: Some(Arc::clone(&state.stop)), ..fake(&dir) };
        let error = run(&mut work, &state).await.unwrap_err();
        assert_eq!(error.kind(), error::Kind::Interrupted);
        assert_eq!((state.begun.get(), state.done.get()), (1, 1));
        assert_eq!(made(&dir), ["id-of-a"]);
    }

    #[tokio::test]
    async fn a_record_that_can_no_longer_be_written_stops_the_run_before_the_request() {
        let dir = tempfile::tempdir().unwrap();
        let open = record(&dir).open().unwrap();
        let folder = dir.path().join("records");
        let file = folder.join("host@acme@team.json");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        let mut work = fake(&dir);
        let error = Run::default().carry_out(&steps()[..1], Some(open), &mut work, &()).await.unwrap_err();
        assert!(error.message().ends_with("cannot be written"), "{error}");
        assert!(work.seen.is_empty());
    }
}
