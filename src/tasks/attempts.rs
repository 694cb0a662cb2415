//! Which job follows one that was retried. The service that has started it need not know, and another job of the same
//! task may be somebody else's: workflow does.

use std::time::Duration;

use tokio::time::Instant;

use super::Services;
use super::resolve::is_uuid;
use crate::api::admin::{WORKFLOW, workflow};
use crate::client::Time;
use crate::error::Result;
use crate::request::Args;

/// So long a job that was retried may have no successor, and how long nobody asks again.
const RETRY: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(1500);
/// So many jobs are looked at: the next one is among the newest.
const MAX_JOBS: usize = 100;

/// The job that follows one that was retried, whose `prev_attempt` is this one; none where none comes.
///
/// # Errors
/// Workflow cannot be asked.
pub(super) async fn next(services: &dyn Services, job: &str, time: Time) -> Result<Option<String>> {
    let client = services.client(&WORKFLOW).await?;
    let end = (Instant::now() + RETRY).min(time.end());
    loop {
        let shown = client.call(&workflow::GET, &Args::new().set("job", job)).await?;
        let row = shown.first();
        if let Some(next) = row.map(|row| row.text_or_empty("/next_attempt")).filter(|id| is_uuid(id) && id != job) {
            return Ok(Some(next));
        }
        let vm = row.map(|row| row.text_or_empty("/params/vm_uuid")).filter(|vm| is_uuid(vm));
        let newest = Args::new().set("limit", MAX_JOBS.to_string());
        let newest = vm.into_iter().fold(newest, |args, vm| args.set("vm_uuid", vm));
        let all = client.call(&workflow::LIST, &newest).await?;
        if let Some(next) = all.rows().find(|row| row.text_or_empty("/prev_attempt") == job) {
            return Ok(Some(next.text_or_empty("/uuid")).filter(|id| is_uuid(id)));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        tokio::time::sleep(BETWEEN).await;
    }
}
