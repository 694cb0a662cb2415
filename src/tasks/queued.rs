//! A job that the service refuses because the same one is queued already: which one that is.

use super::call::Call;
use crate::answer::{Answer, Row};
use crate::api::{Op, Service};
use crate::client::Client;
use crate::error::{CommandLine, Error, Result};
use crate::request::Args;

/// A job that is queued already.
pub(super) struct Queued {
    /// Its id.
    pub id: String,
    /// What the service would have answered, had it been the first.
    pub answer: Answer,
    /// What shows it.
    pub show: CommandLine,
}

/// Whether a service refuses a job since the same one is queued already.
pub(super) fn says(service: &Service, error: &Error) -> bool {
    let words = service.queued;
    !words.is_empty() && error.fault().is_some_and(|fault| fault.message.contains(words))
}

/// The open job that an operation would have started; none where no such job is found.
pub(super) async fn job(client: &Client, op: &Op, call: &Call) -> Result<Option<Queued>> {
    let Some((jobs, noun)) = op.goal.and_then(|(_, noun)| Some((noun.jobs?, noun))) else { return Ok(None) };
    let Some(thing) = call.args.text(noun.name) else { return Ok(None) };
    let all = client.call(jobs.of_one, &Args::new().set(noun.name, thing)).await?;
    let text = |row: &Row<'_>, pointer: &str| row.text(pointer).unwrap_or_default().into_owned();
    let open = |row: &Row<'_>| matches!(text(row, "/execution").as_str(), "queued" | "running");
    let open: Vec<Row<'_>> = all.rows().filter(open).collect();
    let named = open.iter().find(|row| op.job_task().is_some_and(|task| text(row, "/params/task") == task));
    let Some(found) = named.or(if open.len() == 1 { open.first() } else { None }) else { return Ok(None) };
    let id = text(found, "/uuid");
    let answer = serde_json::json!({ jobs.thing: thing, "job_uuid": id }).to_string();
    let show = Args::new().set(jobs.get.path_params().last().unwrap_or_default(), &id);
    let show = show.command(client.service(), jobs.get);
    Ok(Some(Queued { answer: Answer::from_record(answer.as_bytes())?, show, id }))
}
