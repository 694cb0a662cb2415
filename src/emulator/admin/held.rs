//! Answers that are held until a job has ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::{Call, missing};
use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::state::{Job, State};
use crate::emulator::http::reply::{Later, Outcome, Refusal, Reply};

/// No answer is held longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is answered about a job at this time.
type About = Box<dyn Fn(&mut State, &Job, i64) -> Outcome + Send>;

/// An answer that comes when a job has ended.
struct Held {
    cloud: Arc<DataCenter>,
    job: String,
    until: Instant,
    about: About,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Held").field("job", &self.job).finish_non_exhaustive()
    }
}

impl Later for Held {
    fn now(&mut self) -> Option<Reply> {
        let mut state = self.cloud.lock_state();
        let now = self.cloud.clock.now();
        let mut changed = state.catch_up(now);
        let Some(job) = state.job(&self.job).cloned() else {
            // A planted fault took it back.
            return Some(missing(format!("Job with uuid '{}' does not exist", self.job)).into_reply());
        };
        let over = Some(job).filter(|job| job.end.is_some() || Instant::now() >= self.until);
        let answer = over.map(|job| {
            // It may tidy up after a job that has failed.
            changed |= job.end.is_some();
            (self.about)(&mut state, &job, now).unwrap_or_else(Refusal::into_reply)
        });
        if changed {
            // Nobody has asked for this change: it comes again with the time.
            let _ = self.cloud.changed(&mut state, now);
        }
        answer
    }
}

/// The answer about a job when it has ended.
pub(super) fn until_ended(
    call: &Call<'_>,
    job: &str,
    about: impl Fn(&mut State, &Job, i64) -> Outcome + Send + 'static,
) -> Reply {
    let held = Held {
        cloud: Arc::clone(call.cloud),
        job: job.to_owned(),
        until: Instant::now() + LONGEST,
        about: Box::new(about),
    };
    Reply::later(Box::new(held))
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
