//! Waiting for a job and for the object that it works on. Either alone may lie: a job from the wrong state fails and
//! leaves the object as it was, and an object that shows what is wanted may be about to change again.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Client;
use super::poll::{End, Poll, late};
use super::wait::Wait;
use crate::answer::{Answer, Row};
use crate::api::{Goal, Jobs, Noun};
use crate::error::{Error, Hint, Kind, Result};
use crate::request::Args;
use crate::response::Response;

/// So long the answer for a job may fail, or say that a job is not there which the service has named itself.
const LOST: Duration = Duration::from_secs(60);
/// So long after the end of its job an object may still be as it was: it is told of by its server.
const AFTER: Duration = Duration::from_secs(30);
/// So long a job that was retried may have no successor.
const RETRY: Duration = Duration::from_secs(10);
/// So many looks the object may not be found: it need not be known everywhere at once.
const NOT_FOUND_YET: u32 = 6;

/// A job that is followed, and its further attempts.
struct Followed {
    /// The attempt that counts.
    id: String,
    /// Those before it.
    past: Vec<String>,
    /// How it stands, in words.
    words: String,
    /// Since when it cannot be asked for.
    unheard: Option<Instant>,
    /// Since when it is known to be retried.
    retried: Option<Instant>,
    /// Since when it has ended well.
    ended: Option<Instant>,
}

impl Client {
    /// Waits until the job that an operation has started has ended well, and its object shows it.
    ///
    /// # Errors
    /// As [`Client::wait`]; [`Kind::Unreachable`] where nobody tells of the job for a minute.
    pub(super) async fn wait_for_job(
        &self,
        waiting: &Wait<'_>,
        (goal, noun, jobs): (&Goal, &'static Noun, Jobs),
        job: &str,
        progress: impl FnMut(&str),
    ) -> Result<Answer> {
        let show = self.request(noun.get, &waiting.args.in_path_of(noun.get))?;
        let mut job = Followed::new(job);
        let mut was_there = false;
        let mut moved = waiting.before.moved;
        let end = self
            .poll(waiting.time, progress, async |client, looks| {
                if job.ended.is_none() {
                    client.look_at_job(&mut job, waiting, noun, jobs).await?;
                }
                let seen = client.send(&show).await?;
                if seen.is_gone() && !matches!(goal, Goal::Gone) && !was_there && looks < NOT_FOUND_YET {
                    return Ok(Poll::NotYet(job.words.clone()));
                }
                was_there |= seen.is_success();
                let state = state(&seen);
                if !matches!(goal, Goal::Gone) && noun.gone.contains(&state.as_str()) {
                    let words = format!("{} {} was {state} meanwhile", noun.word, waiting.name);
                    return Err(client.of_job(&job, jobs, Error::new(Kind::FailedState, words)));
                }
                // A state that does not last may be over before the job is.
                let passes = waiting.state.is_some();
                let look =
                    match client.look(noun, goal, seen, waiting, (moved || !matches!(goal, Goal::Gone), true)).await {
                        // What the object cannot say, its job does.
                        Err(error) if error.kind() == Kind::FailedState && job.ended.is_none() => {
                            let told = client.look_at_job(&mut job, waiting, noun, jobs).await;
                            return Err(told
                                .err()
                                .filter(|told| told.kind() == Kind::FailedState)
                                .unwrap_or_else(|| client.of_job(&job, jobs, error)));
                        }
                        look => look?,
                    };
                moved |= !state.is_empty() && !noun.failed.contains(&state.as_str());
                match (look, job.ended) {
                    (Poll::Done(answer), Some(_)) => Ok(Poll::Done(answer)),
                    (Poll::Done(answer), None) if passes => Ok(Poll::Done(answer)),
                    (Poll::NotYet(state), Some(ended)) if ended.elapsed() > AFTER => Err(behind(waiting, noun, &state)),
                    _ => Ok(Poll::NotYet(standing(&state, &job))),
                }
            })
            .await?;
        match end {
            End::Done(answer) => Ok(answer),
            End::Late(seen, last) => {
                let error = late(noun.word, waiting.name, seen.as_deref(), waiting.time, last);
                Err(self.of_job(&job, jobs, error))
            }
        }
    }

    /// Looks how far the job is.
    async fn look_at_job(&self, job: &mut Followed, waiting: &Wait<'_>, noun: &Noun, jobs: Jobs) -> Result<()> {
        let param = jobs.get.path_params().last().unwrap_or_default();
        let ask = self.request(jobs.get, &Args::new().set(param, &job.id))?;
        let seen = self.send(&ask).await.and_then(|seen| seen.answer(jobs.get));
        let answer = match seen {
            Ok(answer) => answer,
            Err(error) => {
                let since = *job.unheard.get_or_insert_with(Instant::now);
                job.words = "its job cannot be asked for".to_owned();
                return match since.elapsed() > LOST {
                    true => {
                        let words = format!("the job {} has not been seen for {LOST:?}, and may go on", job.id);
                        let error = Error::new(Kind::Unreachable, words).because(error).lasting();
                        Err(self.of_job(job, jobs, error))
                    }
                    false => Ok(()),
                };
            }
        };
        job.unheard = None;
        let Some(row) = answer.first() else { return Ok(()) };
        let execution = row.text("/execution").unwrap_or_default().into_owned();
        let step = last_step(row);
        job.words = match &step {
            Some(step) if execution == "running" => format!("job running, {} done", step.name),
            _ => format!("job {execution}"),
        };
        let fault = step.filter(|step| !step.error.is_empty());
        match (execution.as_str(), fault) {
            ("succeeded", None) => job.ended = Some(Instant::now()),
            ("canceled", Some(step)) if step.error == "cancel" => {
                return Err(self.failed(job, waiting, noun, jobs, "was canceled"));
            }
            ("canceled", None) => {
                return Err(self.failed(job, waiting, noun, jobs, "was canceled, as jobs are whose runner is lost"));
            }
            ("failed" | "canceled" | "succeeded", Some(step)) => {
                let words = format!("failed in {}: {}", step.name, step.error);
                return Err(self.failed(job, waiting, noun, jobs, &words));
            }
            ("failed", None) => {
                return Err(self.failed(job, waiting, noun, jobs, "failed, and its job does not say why"));
            }
            ("retried", _) => return self.next_attempt(job, row, waiting, noun, jobs).await,
            _ => {}
        }
        Ok(())
    }

    /// Goes on with the next attempt of a job that is retried.
    async fn next_attempt(
        &self,
        job: &mut Followed,
        row: Row<'_>,
        waiting: &Wait<'_>,
        noun: &Noun,
        jobs: Jobs,
    ) -> Result<()> {
        let since = *job.retried.get_or_insert_with(Instant::now);
        let text = |row: Row<'_>, field: &str| row.text(field).unwrap_or_default().into_owned();
        let all = self.call(jobs.of_one, &waiting.args.in_path_of(jobs.of_one)).await?;
        let follows = |next: &Row<'_>| {
            let new = next.text("/uuid").is_some_and(|id| id != job.id && !job.past.iter().any(|past| *past == id));
            new && match next.text("/prev_attempt") {
                Some(before) => before == job.id,
                // Who does not show it is asked for the next one of the same task.
                None => {
                    text(*next, "/params/task") == text(row, "/params/task")
                        && text(*next, "/created_at") >= text(row, "/created_at")
                }
            }
        };
        // The record itself may say which one follows.
        let told = row.text("/next_attempt");
        let is_next = |next: &Row<'_>| match &told {
            Some(id) => text(*next, "/uuid") == **id,
            None => follows(next),
        };
        let next = all.rows().filter(is_next).min_by_key(|next| text(*next, "/created_at"));
        match next.map(|next| text(next, "/uuid")) {
            Some(id) => {
                job.past.push(std::mem::replace(&mut job.id, id));
                job.retried = None;
                job.words = "job retried".to_owned();
                Ok(())
            }
            None if since.elapsed() < RETRY => Ok(()),
            None => Err(self.failed(job, waiting, noun, jobs, "was retried as often as it may be, and failed")),
        }
    }

    /// The error of a job that has failed.
    fn failed(&self, job: &Followed, waiting: &Wait<'_>, noun: &Noun, jobs: Jobs, how: &str) -> Error {
        let words = format!("the {} of {} {} {how}", waiting.op.verb, noun.word, waiting.name);
        self.of_job(job, jobs, Error::new(Kind::FailedState, words))
    }

    /// The error, with the command that shows the job.
    fn of_job(&self, job: &Followed, jobs: Jobs, error: Error) -> Error {
        let param = jobs.get.path_params().last().unwrap_or_default();
        let command = Args::new().set(param, &job.id).command(self.service, jobs.get);
        error.hint(Hint::run("its job", command))
    }
}

impl Followed {
    fn new(id: &str) -> Followed {
        Followed {
            id: id.to_owned(),
            past: Vec::new(),
            words: "job begun".to_owned(),
            unheard: None,
            retried: None,
            ended: None,
        }
    }
}

/// A step of a job's chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The task, such as `cnapi.stop_vm`.
    pub name: String,
    /// What went wrong, in a sentence; empty where nothing did.
    pub error: String,
}

/// The last step of a job that has ended.
pub fn last_step(job: Row<'_>) -> Option<Step> {
    let steps: Vec<Value> = serde_json::from_str(&job.text("/chain_results")?).ok()?;
    let last = steps.last()?;
    let name = last.get("name").and_then(Value::as_str).unwrap_or("a step without a name").to_owned();
    Some(Step { name, error: sentence(&last["error"]).unwrap_or_default() })
}

/// How deep errors may be wrapped in others.
const DEPTH: usize = 8;

/// The error of a service as one sentence: services wrap those of others, as objects and as text.
pub fn sentence(error: &Value) -> Option<String> {
    told(error, DEPTH)
}

fn told(error: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match error {
        Value::String(text) => {
            let text = text.trim();
            if let Some(inner) = serde_json::from_str::<Value>(text).ok().filter(Value::is_object) {
                return told(&inner, depth);
            }
            // What follows is where in the service it happened.
            let first = text.lines().find(|line| !line.trim().is_empty())?.trim();
            match first.contains("[object Object]") {
                true => Some("an error without words".to_owned()),
                false => Some(first.to_owned()),
            }
        }
        Value::Object(members) => {
            let inner = ["message", "error", "body", "jse_cause", "err"].into_iter();
            let message = inner.filter_map(|name| told(members.get(name)?, depth)).next();
            let fields = members.get("errors").and_then(Value::as_array).into_iter().flatten();
            let fields: Vec<String> = fields
                .filter_map(|one| {
                    let field = one.get("field").and_then(Value::as_str);
                    let words = told(one.get("message").or_else(|| one.get("code"))?, depth)?;
                    Some(field.map_or_else(|| words.clone(), |field| format!("{field}: {words}")))
                })
                .collect();
            let code =
                || members.get("code").or_else(|| members.get("name")).and_then(Value::as_str).map(str::to_owned);
            let message = message.or_else(code);
            match (message, fields.is_empty()) {
                (message, true) => message,
                (Some(message), false) => Some(format!("{message} ({})", fields.join("; "))),
                (None, false) => Some(fields.join("; ")),
            }
        }
        Value::Array(all) => all.iter().find_map(|one| told(one, depth)),
        _ => None,
    }
}

/// The object's state as it and its job have it.
fn standing(state: &str, job: &Followed) -> String {
    match state {
        "" => job.words.clone(),
        state => format!("{state}, {}", job.words),
    }
}

fn state(seen: &Response) -> String {
    let record = Answer::from_record(&seen.body).ok().filter(|_| seen.is_success());
    record.and_then(|record| Some(record.first()?.text("/state")?.into_owned())).unwrap_or_default()
}

/// The error where a job has ended well, and the object does not show it.
fn behind(waiting: &Wait<'_>, noun: &Noun, state: &str) -> Error {
    let words = format!("{} {} is {state} {AFTER:?} after its job has succeeded", noun.word, waiting.name);
    Error::new(Kind::TimedOut, words).hint("its server may not be heard from: what is known of it is old")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(json: &str) -> Option<String> {
        sentence(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn errors_of_services_become_one_sentence() {
        for (error, said) in [
            (r#""""#, None),
            ("null", None),
            ("{}", None),
            (r#""task timeout error""#, Some("task timeout error")),
            (
                r#"{"name":"Error","message":"Cannot stop a VM from a 'stopped' state"}"#,
                Some("Cannot stop a VM from a 'stopped' state"),
            ),
            (r#"{"code":"SubnetFull"}"#, Some("SubnetFull")),
            (r#""{\"message\":{\"message\":\"no space\"}}""#, Some("no space")),
            (r#""Error: no route\n    at Socket.connect (net.js:1)""#, Some("Error: no route")),
            (r#""failed: [object Object]""#, Some("an error without words")),
            (
                r#"{"message":"Invalid parameters","errors":[{"field":"ip","code":"UsedBy","message":"IP in use"},{"code":"X"}]}"#,
                Some("Invalid parameters (ip: IP in use; X)"),
            ),
        ] {
            assert_eq!(words(error).as_deref(), said, "{error}");
        }
    }

    #[test]
    fn an_error_that_is_wrapped_for_ever_is_not_followed_for_ever() {
        let deep = (0..20).fold(serde_json::json!("x"), |inner, _| serde_json::json!({ "message": inner }));
        assert_eq!(sentence(&deep), None);
    }
}
