//! Answers that are held until something has come about, such as the end of a job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::{Call, missing};
use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::state::{Job, State};
use crate::emulator::http::reply::{Later, Outcome, Refusal, Reply};

/// No answer is held longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is answered at this time, if it is time to answer; it is, where the last says so.
type Look = Box<dyn Fn(&mut State, i64, bool) -> Option<Outcome> + Send>;

/// An answer that comes when it is time.
struct Held {
    cloud: Arc<DataCenter>,
    until: Instant,
    look: Look,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Held").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Later for Held {
    fn now(&mut self) -> Option<Reply> {
        let mut state = self.cloud.lock_state();
        let now = self.cloud.clock.now();
        let caught_up = state.catch_up(now);
        let outcome = (self.look)(&mut state, now, Instant::now() >= self.until);
        let answer = outcome.map(|outcome| outcome.unwrap_or_else(Refusal::into_reply));
        // An answer may tidy up after a job that has failed.
        if caught_up || answer.is_some() {
            // Nobody has asked for this change: it comes again with the time.
            let _ = self.cloud.changed(&mut state, now);
        }
        answer
    }
}

/// The answer that comes when this has one, or is told that it has to, after so long at most.
pub(super) fn until(
    call: &Call<'_>,
    longest: Duration,
    look: impl Fn(&mut State, i64, bool) -> Option<Outcome> + Send + 'static,
) -> Reply {
    let until = Instant::now() + longest.min(LONGEST);
    Reply::later(Box::new(Held { cloud: Arc::clone(call.cloud), until, look: Box::new(look) }))
}

/// The answer about a job when it has ended.
pub(super) fn until_ended(
    call: &Call<'_>,
    job: &str,
    about: impl Fn(&mut State, &Job, i64) -> Outcome + Send + 'static,
) -> Reply {
    let uuid = job.to_owned();
    until(call, LONGEST, move |state, now, over| {
        let Some(job) = state.job(&uuid).cloned() else {
            // A planted fault took it back.
            return Some(Err(missing(format!("Job with uuid '{uuid}' does not exist"))));
        };
        (job.end.is_some() || over).then(|| about(state, &job, now))
    })
}

/// Why a job did not do what it was to do, as those say who wait for it: its error in words.
pub(super) fn failure(job: &Job) -> Option<String> {
    let name = job.work.chain().map(|chain| chain.name()).unwrap_or_default();
    let failure = job.end.as_ref().and_then(|end| end.failure.as_ref());
    match (job.execution(), failure.map(|failure| (&failure.step, &failure.error))) {
        ("canceled", _) => Some(format!("Job {name} ({}) was canceled", job.uuid)),
        ("failed", Some((_, serde_json::Value::Object(error)))) => {
            Some(error.get("message").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
        }
        ("failed", Some((step, error))) => {
            let error = error.as_str().unwrap_or_default();
            Some(format!("job {name} ({}) failed: {step}: {error}", job.uuid))
        }
        _ => None,
    }
}
