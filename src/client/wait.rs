//! Waiting: asks for an object until it shows the end of an operation, or that the end will not come.

use std::time::{Duration, SystemTime};

use super::{Client, jitter};
use crate::answer::Answer;
use crate::api::{Goal, Method, Noun, Op};
use crate::error::{Error, Kind, Result};
use crate::request::{Args, Request};

/// How often a state is asked for: from the first pause to the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// Every so many looks the audit log is asked whether the job has failed.
const AUDIT: u32 = 4;

/// What is waited for.
pub struct Wait<'a> {
    /// The operation that was answered.
    pub op: &'a Op,
    /// Its arguments, among them the object's id by the noun's name.
    pub args: Args,
    /// What the user calls the object.
    pub name: &'a str,
    /// The `Date` of its answer: the server's clock, to which its audit log belongs.
    pub since: Option<&'a str>,
    /// When to give up.
    pub timeout: Duration,
}

enum Look {
    Done(Answer),
    NotYet(String),
}

impl Client {
    /// Waits until an operation that was answered has come to its end, and returns the object as it
    /// is then; `Nothing` if it is gone without a trace.
    ///
    /// # Errors
    /// [`Kind::FailedState`] when it ended otherwise, [`Kind::TimedOut`] when it did not end in time.
    pub async fn wait(&self, waiting: Wait<'_>, mut progress: impl FnMut(&str)) -> Result<Answer> {
        let Some((goal, noun)) = &waiting.op.goal else { return Ok(Answer::Nothing) };
        let deadline = tokio::time::Instant::now() + waiting.timeout.min(Duration::from_secs(366 * 86_400));
        let mut pause = POLL.0;
        let mut state: Option<String> = None;
        let id = waiting.args.text(noun.name).unwrap_or(waiting.name);
        let show = self.request(noun.get, &Args::new().set(noun.name, id))?;
        for looks in 1.. {
            let look = async {
                let look = self.look(noun, goal, &show, &waiting).await?;
                // A job that fails leaves the object alone: only the audit log knows.
                if matches!(look, Look::NotYet(_)) && looks % AUDIT == 0 {
                    self.no_failed_job(noun, &waiting).await?;
                }
                Ok::<_, Error>(look)
            };
            match tokio::time::timeout_at(deadline, look).await {
                Err(_) => break,
                Ok(Ok(Look::Done(answer))) => return Ok(answer),
                Ok(Ok(Look::NotYet(now))) => {
                    if state.as_ref() != Some(&now) {
                        progress(&now);
                        state = Some(now);
                    }
                }
                Ok(Err(error)) if matches!(error.kind(), Kind::Unreachable | Kind::Throttled | Kind::Other) => {
                    progress(&format!("{error}; still waiting"));
                }
                Ok(Err(error)) => return Err(error),
            }
            let next = tokio::time::Instant::now() + pause.mul_f64(0.75 + jitter() / 2.0);
            if next >= deadline {
                break;
            }
            tokio::time::sleep_until(next).await;
            pause = pause.mul_f64(1.5).min(POLL.1);
        }
        let seen = state.map_or_else(|| "could not be asked for".to_owned(), |state| format!("is still {state}"));
        let words = format!(
            "{} {} {seen} after {:?}: gave up waiting, it may yet come to its end",
            noun.name, waiting.name, waiting.timeout
        );
        Err(Error::new(Kind::TimedOut, words).hint("to wait longer: --timeout TIME"))
    }

    async fn look(&self, noun: &Noun, goal: &Goal, show: &Request, waiting: &Wait<'_>) -> Result<Look> {
        let seen = self.send(show).await?;
        if matches!(seen.status, 404 | 410) && matches!(goal, Goal::Gone) {
            return Ok(Look::Done(
                Answer::from_record(&seen.body).ok().filter(|_| seen.status == 410).unwrap_or(Answer::Nothing),
            ));
        }
        if seen.status == 410 {
            let words = format!("{} {} was deleted meanwhile", noun.name, waiting.name);
            return Err(Error::new(Kind::FailedState, words));
        }
        let answer = seen.answer(noun.get)?;
        let text = |field: &str| {
            answer
                .first()
                .and_then(|row| row.text(&format!("/{field}")).map(|text| text.into_owned()))
                .unwrap_or_default()
        };
        let state = text("state");
        if noun.failed.contains(&state.as_str()) && !matches!(goal, Goal::Gone) {
            let words = format!("{} {} ended in the state {state}", noun.name, waiting.name);
            return Err(
                Error::new(Kind::FailedState, words).hint(format!("what was done to it: {}", audit_of(noun, waiting)))
            );
        }
        let done = match goal {
            Goal::State(wanted) => state == *wanted,
            Goal::Gone => state == "deleted",
            Goal::Field(field) => waiting.args.text(field) == Some(&text(field)),
            Goal::Audit(action) => self.audited(action, noun, waiting).await?,
        };
        Ok(if done { Look::Done(answer) } else { Look::NotYet(state) })
    }

    /// Whether the audit log has this action since the request.
    async fn audited(&self, action: &str, noun: &Noun, waiting: &Wait<'_>) -> Result<bool> {
        let Some(success) = self.newest_audit(action, waiting).await? else { return Ok(false) };
        if success {
            return Ok(true);
        }
        let words = format!("the {action} of {} {} failed", noun.name, waiting.name);
        Err(Error::new(Kind::FailedState, words).hint(format!("what was done to it: {}", audit_of(noun, waiting))))
    }

    async fn no_failed_job(&self, noun: &Noun, waiting: &Wait<'_>) -> Result<()> {
        let action = match waiting.op.fixed {
            [("action", action)] => *action,
            _ if waiting.op.method == Method::Delete => "destroy",
            _ => return Ok(()),
        };
        match self.audited(action, noun, waiting).await {
            Err(error) if error.kind() == Kind::FailedState => Err(error),
            _ => Ok(()),
        }
    }

    /// How the newest entry of this action since the request ended, by the server's own clock.
    async fn newest_audit(&self, action: &str, waiting: &Wait<'_>) -> Result<Option<bool>> {
        let since = waiting.since.and_then(|text| httpdate::parse_http_date(text).ok());
        let id = waiting.args.text("machine").unwrap_or(waiting.name);
        let audit = self.call(&crate::api::machines::AUDIT, &Args::new().set("machine", id)).await?;
        for row in audit.rows() {
            if row.text("/action").as_deref() != Some(action) {
                continue;
            }
            let time = row.text("/time").and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(SystemTime::from);
            // An entry whose time is not known may be an older one's.
            if since.zip(time).is_some_and(|(since, time)| time >= since) {
                return Ok(Some(row.text("/success").as_deref() == Some("yes")));
            }
        }
        Ok(None)
    }
}

fn audit_of(noun: &Noun, waiting: &Wait<'_>) -> String {
    format!("sdc {}s audit {}", noun.name, waiting.args.text(noun.name).unwrap_or(waiting.name))
}
