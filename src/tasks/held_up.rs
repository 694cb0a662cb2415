//! What an open job waits for: its turn in the queue, a ticket that another action has on the VM, a server that carries
//! out a task, or somebody who resumes it. It asks workflow and CNAPI, now and then and never for long. What they do not
//! tell, or tell oddly, is not known, and is no reason to fail.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio::time::error::Elapsed;

use super::Services;
use super::resolve::is_uuid;
use super::vm_why::Host;
use crate::answer::{Answer, Row};
use crate::api::admin::{CNAPI, WORKFLOW, cnapi, workflow};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::{Args, Request};
use crate::response::fault;

/// How long it may take to find out.
const LIMIT: Duration = Duration::from_secs(3);
/// And how long once the time of the wait is over.
const LAST_LIMIT: Duration = Duration::from_secs(1);
/// So long nothing has moved before it is asked.
const STILL: Duration = Duration::from_secs(4);
/// How long nobody is asked again: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(60));
/// So many jobs of a list are looked at.
const MAX_JOBS: usize = 100;
/// So often a job is followed to its next attempt.
const MAX_ATTEMPTS: usize = 3;

/// What a job waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldUp {
    /// In words, such as `waits for the VM's ticket, which is that of its reboot, taken 12 min ago`.
    pub words: String,
    /// What shows more of it, or ends it.
    pub tries: Vec<Hint>,
    /// Whether they say that its server is not heard from.
    pub of_silence: bool,
}

/// A job that is waited for, and whether it moves.
pub struct Pulse {
    moved: Cell<Instant>,
    known: RefCell<Option<HeldUp>>,
    /// Whether it was asked, and nobody has answered.
    unanswered: Cell<bool>,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse { moved: Cell::new(Instant::now()), known: RefCell::default(), unanswered: Cell::default() }
    }
}

/// Whom a pulse asks, and the time of day, to which ages are counted.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub(super) services: &'a dyn Services,
    begun: (jiff::Timestamp, Instant),
}

impl<'a> Asking<'a> {
    /// Asks the services of this data center; it is this time now.
    pub fn new(services: &'a dyn Services, now: jiff::Timestamp) -> Asking<'a> {
        Asking { services, begun: (now, Instant::now()) }
    }

    fn now(&self) -> jiff::Timestamp {
        let (then, begun) = self.begun;
        then.checked_add(begun.elapsed()).unwrap_or(then)
    }
}

impl Pulse {
    /// The job moves.
    pub fn moved(&self) {
        self.moved.set(Instant::now());
        self.known.take();
    }

    /// Does the work that waits for a job, and tells beside it what the job waits for, once it does not move. An error
    /// at the end of the time says so too.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn beside<T>(
        &self,
        asking: Asking<'_>,
        job: &RefCell<Option<String>>,
        work: impl Future<Output = Result<T>>,
        tell: impl Fn(&str),
    ) -> Result<T> {
        let done = tokio::select! {
            biased;
            done = work => done,
            never = self.asks(asking, job, tell) => match never {},
        };
        let error = match done {
            Err(error) if error.kind() == Kind::TimedOut && !error.is_in_doubt() => error,
            done => return done,
        };
        let job = job.borrow().clone();
        let known = self.known.take();
        // Ages are those of the end. Who did not answer before it does not do so after it.
        let now = match job {
            Some(job) if !self.unanswered.get() && error.source().is_none() => {
                within(LAST_LIMIT, asking, &job).await.unwrap_or_default()
            }
            _ => None,
        };
        let known = now.or(known);
        Err(match known {
            Some(HeldUp { words, tries, .. }) => {
                tries.into_iter().fold(error.hint(format!("the job {words}")), Error::hint)
            }
            None => error,
        })
    }

    /// Asks now and then, for ever.
    async fn asks(&self, asking: Asking<'_>, job: &RefCell<Option<String>>, tell: impl Fn(&str)) -> Infallible {
        let (mut next, mut pause) = (Instant::now(), AGAIN.0);
        loop {
            let due = next.max(self.moved.get() + STILL);
            tokio::time::sleep_until(due).await;
            let moved = self.moved.get();
            let id = job.borrow().clone();
            if moved + STILL > Instant::now() {
                continue;
            }
            next = Instant::now() + pause;
            pause = (pause * 2).min(AGAIN.1);
            let Some(id) = id else { continue };
            self.unanswered.set(true);
            let answer = within(LIMIT, asking, &id).await;
            self.unanswered.set(answer.is_err());
            let found = answer.unwrap_or_default();
            // What has moved meanwhile waits for something else.
            if moved != self.moved.get() {
                continue;
            }
            if let Some(found) = found.as_ref().filter(|found| self.known.borrow().as_ref() != Some(*found)) {
                tell(&found.words);
            }
            self.known.replace(found);
        }
    }
}

/// What a job waits for; nothing where it waits for nothing that is known.
pub async fn why(asking: Asking<'_>, job: &str) -> Option<HeldUp> {
    within(LIMIT, asking, job).await.unwrap_or_default()
}

/// The same.
///
/// # Errors
/// Nobody answers within this time.
async fn within(limit: Duration, asking: Asking<'_>, job: &str) -> Result<Option<HeldUp>, Elapsed> {
    Ok(tokio::time::timeout(limit, asked(asking, job)).await?.unwrap_or_default())
}

async fn asked(asking: Asking<'_>, job: &str) -> Result<Option<HeldUp>> {
    let client = asking.services.client(&WORKFLOW).await?;
    let mut id = job.to_owned();
    for _ in 0..MAX_ATTEMPTS {
        let shown = client.call(&workflow::GET, &Args::new().set("job", &*id)).await?;
        let Some(row) = shown.first() else { return Ok(None) };
        return match row.text_or_empty("/execution").as_str() {
            "queued" => queue(asking, &client, row).await.map(Some),
            "waiting" => Ok(Some(HeldUp {
                words: "waits until somebody resumes it".to_owned(),
                tries: vec![Hint::run("to let it go on", CommandLine::new("admin jobs resume").on(&id))],
                ..HeldUp::default()
            })),
            "running" => match next(row) {
                Some(Next::Ticket) => ticket(asking, &client, row).await,
                Some(Next::Task { step, task }) => server_task(asking, row, &step, task.as_deref()).await,
                None => Ok(None),
            },
            "retried" => {
                id = row.text_or_empty("/next_attempt");
                if is_uuid(&id) {
                    continue;
                }
                Ok(None)
            }
            _ => Ok(None),
        };
    }
    Ok(None)
}

fn time(row: Row<'_>, pointer: &str) -> Option<jiff::Timestamp> {
    row.text(pointer)?.parse().ok()
}

/// How long ago that was, in words; nothing where it is yet to come.
fn ago(since: jiff::Timestamp, now: jiff::Timestamp) -> Option<String> {
    let seconds = now.duration_since(since).as_secs();
    Some(match seconds {
        ..0 => return None,
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    })
}

/// The task of its chain in which a job is.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It waits for the ticket on its VM.
    Ticket,
    /// It waits for what a server has been told to do: the step that told it, and CNAPI's id of the task.
    Task { step: String, task: Option<String> },
}

/// What a running job is at, where that is a wait.
fn next(job: Row<'_>) -> Option<Next> {
    let steps = |pointer: &str| -> Vec<Value> {
        job.text(pointer).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    };
    let name = |step: &Value| step["name"].as_str().unwrap_or_default().to_owned();
    let (chain, done) = (steps("/chain"), steps("/chain_results"));
    let last = done.last()?;
    // After a step that has failed others follow than those of the chain.
    if fault(&last["error"]).is_some() {
        return None;
    }
    let task = last["result"].as_str().and_then(task_in);
    let next = chain.get(done.len()).map(name);
    match next.as_deref() {
        Some("cnapi.wait_on_vm_ticket") => Some(Next::Ticket),
        Some(next) if next.starts_with("cnapi.wait_task") || next.starts_with("cnapi.poll_") => {
            Some(Next::Task { step: name(last), task })
        }
        Some(_) => None,
        // Not everybody shows the chain.
        None if chain.is_empty() && name(last) == "cnapi.acquire_vm_ticket" => Some(Next::Ticket),
        None if chain.is_empty() && task.is_some() => Some(Next::Task { step: name(last), task }),
        None => None,
    }
}

/// The task of which a result says that it is queued: `Task id: T queued to CNAPI!`.
fn task_in(result: &str) -> Option<String> {
    let rest = result.strip_prefix("Task id: ").or_else(|| result.strip_prefix("Provision task: "))?;
    let id = rest.split_whitespace().next()?;
    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then(|| id.to_owned())
}

/// That a job is in the queue: how many are before it, and whether any runs.
async fn queue(asking: Asking<'_>, client: &Client, job: Row<'_>) -> Result<HeldUp> {
    let (id, made) = (job.text_or_empty("/uuid"), time(job, "/created_at"));
    if let Some(begin) = time(job, "/exec_after").filter(|begin| *begin > asking.now()) {
        return Ok(HeldUp { words: format!("is not to begin before {begin}"), ..HeldUp::default() });
    }
    let some = |execution: &str| Args::new().set("execution", execution).set("limit", MAX_JOBS.to_string());
    let older = match job.text("/created_at") {
        Some(made) => some("queued").set("until", made),
        None => some("queued"),
    };
    let queued = client.call(&workflow::LIST, &older).await?;
    let running = client.call(&workflow::LIST, &some("running").set("limit", "1")).await?;
    let in_queue = |row: &Row<'_>| row.text_or_empty("/execution") == "queued" && row.text_or_empty("/uuid") != id;
    // The service is not trusted to have filtered.
    let before = |row: &Row<'_>| made.is_none_or(|made| time(*row, "/created_at").is_some_and(|other| other < made));
    let before = queued.rows().filter(in_queue).filter(before).count();
    let before = match before {
        0 => "is the next in the queue".to_owned(),
        1 => "is in the queue, with one job before it".to_owned(),
        many if many + 1 >= MAX_JOBS => format!("is in the queue, with {many} jobs or more before it"),
        many => format!("is in the queue, with {many} jobs before it"),
    };
    let runs = running.rows().any(|row| row.text_or_empty("/execution") == "running");
    let words = match runs {
        true => format!("{before}, and others run"),
        false => format!("{before}, and none runs: workflow's runners may be down"),
    };
    let list = |execution: &str| CommandLine::new("admin jobs list").on(format!("execution={execution}"));
    let (what, list) = match runs {
        true => ("the jobs that run", list("running")),
        false => ("the queue", list("queued")),
    };
    Ok(HeldUp { words, tries: vec![Hint::run(what, list)], of_silence: false })
}

/// That another action has the ticket of the VM.
async fn ticket(asking: Asking<'_>, workflow: &Client, job: Row<'_>) -> Result<Option<HeldUp>> {
    let (server, vm) = (job.text_or_empty("/params/server_uuid"), job.text_or_empty("/params/vm_uuid"));
    if !is_uuid(&server) || !is_uuid(&vm) {
        return Ok(None);
    }
    let all = shown_at(asking.services, &format!("/servers/{server}/tickets")).await?;
    let all = Answer::from_rows(&all)?;
    let of_vm = |row: &Row<'_>| row.text_or_empty("/scope") == "vm" && row.text_or_empty("/id") == vm;
    let open = |row: &Row<'_>| matches!(row.text_or_empty("/status").as_str(), "active" | "queued");
    let open: Vec<Row<'_>> = all.rows().filter(of_vm).filter(open).collect();
    let active = open.iter().find(|row| row.text_or_empty("/status") == "active");
    let Some(holder) = active.or_else(|| open.iter().min_by_key(|row| row.text_or_empty("/created_at"))) else {
        return Ok(None);
    };
    let (id, request) = (holder.text_or_empty("/uuid"), holder.text_or_empty("/reqid"));
    // Its own turn has come.
    if !is_uuid(&id) || !request.is_empty() && request == job.text_or_empty("/params/x-request-id") {
        return Ok(None);
    }
    let of_vm = Args::new().set("vm_uuid", &*vm).set("limit", MAX_JOBS.to_string());
    let jobs = workflow.call(&workflow::LIST, &of_vm).await.unwrap_or_default();
    let mut others = jobs.rows().filter(|row| row.text_or_empty("/uuid") != job.text_or_empty("/uuid"));
    let own = others.find(|row| !request.is_empty() && row.text_or_empty("/params/x-request-id") == request);
    let taken = time(*holder, "/created_at").and_then(|taken| ago(taken, asking.now()));
    let taken = taken.map_or_else(String::new, |taken| format!(", taken {taken}"));
    let by = match (&own, request.as_str()) {
        (Some(row), _) => {
            format!(" by the job {}, which is {}", row.text_or_empty("/uuid"), row.text_or_empty("/execution"))
        }
        (None, "") => String::new(),
        (None, request) => format!(" by the request {request}"),
    };
    let words = format!(
        "waits for the VM's ticket, which is that of its {}{taken}{by} (ticket {id})",
        some_of(holder.text_or_empty("/action"), "action without a name"),
    );
    let release = CommandLine::new("admin raw").on("cnapi").on("PUT").on(format!("/tickets/{id}/release"));
    let warning =
        "to take the ticket away, only where whoever has it has ended: else two actions work on the VM at once";
    let shown = own
        .map(|row| Hint::run("the job that has it", CommandLine::new("admin jobs get").on(row.text_or_empty("/uuid"))));
    let tries = shown.into_iter().chain([Hint::run(warning, release)]).collect();
    Ok(Some(HeldUp { words, tries, of_silence: false }))
}

/// That a server is to carry out a task.
async fn server_task(asking: Asking<'_>, job: Row<'_>, step: &str, task: Option<&str>) -> Result<Option<HeldUp>> {
    let server = job.text_or_empty("/params/server_uuid");
    if !is_uuid(&server) {
        return Ok(None);
    }
    let task = match task {
        Some(id) => shown_at(asking.services, &format!("/tasks/{id}")).await.ok(),
        None => None,
    };
    let task = task.and_then(|body| Answer::from_record(&body).ok());
    let task = task.as_ref().and_then(Answer::first);
    // What is over is not waited for any more.
    if task.is_some_and(|row| matches!(row.text_or_empty("/status").as_str(), "complete" | "failure")) {
        return Ok(None);
    }
    let name = some_of(task.map(|row| row.text_or_empty("/task")).unwrap_or_default(), step);
    let since = task.and_then(|row| ago(time(row, "/timestamp")?, asking.now()));
    let since = since.map_or_else(String::new, |since| format!(", told to {since}"));
    let client = asking.services.client(&CNAPI).await?;
    let host = client.call(&cnapi::GET, &Args::new().set("server", &*server)).await?;
    let Some(host) = host.first().map(|row| Host::read(row, "")) else { return Ok(None) };
    // What matters most comes first: a line of a terminal is short.
    let words = match (host.is_heard(), host.last.as_str()) {
        (false, _) => format!("waits, for {}; it is to carry out {name}{since}", host.silence()),
        (true, "") => format!("waits for server {} to carry out {name}{since}", host.name),
        (true, last) => {
            format!(
                "waits for server {} to carry out {name}{since}; the server was heard from last at {last}",
                host.name
            )
        }
    };
    let of_silence = !host.is_heard();
    let shown = CommandLine::new("admin servers get").on(some_of(host.name, &server));
    Ok(Some(HeldUp { words, tries: vec![Hint::run("the server", shown)], of_silence }))
}

/// The text, or the other one where it is empty.
fn some_of(text: String, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text }
}

/// The body of what CNAPI shows at this path, of what has no command.
async fn shown_at(services: &dyn Services, path: &str) -> Result<Vec<u8>> {
    let seen = services.client(&CNAPI).await?.send(&Request::raw("GET", path)?).await?;
    match seen.is_success() {
        true => Ok(seen.body),
        false => Err(seen.failure()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_at_the_task_that_follows_those_it_has_done() {
        let ticket = r#"{"name":"cnapi.acquire_vm_ticket","result":"OK","error":""}"#;
        let told = r#"{"name":"cnapi.stop_vm","result":"Task id: 6b26b228-7805 queued to CNAPI!","error":""}"#;
        let failed = r#"{"name":"cnapi.acquire_vm_ticket","result":"","error":{"message":"no"}}"#;
        let task = || Some(Next::Task { step: "cnapi.stop_vm".to_owned(), task: Some("6b26b228-7805".to_owned()) });
        for (chain, done, due) in [
            (r#"[{"name":"cnapi.acquire_vm_ticket"},{"name":"cnapi.wait_on_vm_ticket"}]"#, ticket, Some(Next::Ticket)),
            ("[]", ticket, Some(Next::Ticket)),
            (r#"[{"name":"cnapi.acquire_vm_ticket"},{"name":"common.ensure_vm_state"}]"#, ticket, None),
            (r#"[{"name":"cnapi.acquire_vm_ticket"},{"name":"cnapi.wait_on_vm_ticket"}]"#, failed, None),
            (r#"[{"name":"cnapi.stop_vm"},{"name":"cnapi.wait_task"}]"#, told, task()),
            (r#"[{"name":"cnapi.stop_vm"},{"name":"cnapi.poll_stop_task"}]"#, told, task()),
            ("[]", told, task()),
            ("null", "", None),
            ("7", r#"{"name":7}"#, None),
        ] {
            let job = format!(r#"{{"chain":{chain},"chain_results":[{done}]}}"#);
            let job = Answer::from_record(job.as_bytes()).unwrap();
            assert_eq!(next(job.first().unwrap()), due, "{chain} {done}");
        }
    }

    #[test]
    fn a_task_is_named_by_the_result_of_the_step_that_queued_it() {
        for (result, due) in [
            ("Task id: 6b26b228 queued to CNAPI!", Some("6b26b228")),
            ("Provision task: 6b26b228 queued!", Some("6b26b228")),
            ("Task id: ../../vms queued to CNAPI!", None),
            ("Ensure image task queued!", None),
            ("Task id: ", None),
        ] {
            assert_eq!(task_in(result).as_deref(), due, "{result}");
        }
    }

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let now: jiff::Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        for (since, due) in [
            ("2026-03-02T11:59:30Z", Some("30 s ago")),
            ("2026-03-02T11:48:00Z", Some("12 min ago")),
            ("2026-03-02T08:00:00Z", Some("4 h ago")),
            ("2026-02-20T12:00:00Z", Some("10 days ago")),
            ("2026-03-02T12:00:30Z", None),
        ] {
            assert_eq!(ago(since.parse().unwrap(), now).as_deref(), due, "{since}");
        }
    }
}
