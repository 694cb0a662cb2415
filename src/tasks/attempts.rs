//! Which job follows one that was retried. The service that has started it need not know, and another job of the same
//! task may be somebody else's: workflow does.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

use tokio::sync::OnceCell;

use super::Services;
use super::resolve::is_uuid;
use crate::api::admin::{WORKFLOW, workflow};
use crate::client::{Attempts, Client};
use crate::error::{Error, Kind, Result};
use crate::request::Args;

/// So many jobs are looked at: the next one is among the newest.
const MAX_JOBS: usize = 100;

/// Asks workflow for the attempts of a job.
pub(super) struct OfWorkflow<'a> {
    services: &'a dyn Services,
    /// Workflow, once it is asked; nothing where nobody knows where it is.
    client: OnceCell<Option<Client>>,
    /// The attempt that is followed.
    followed: &'a RefCell<Option<String>>,
}

impl<'a> OfWorkflow<'a> {
    pub(super) fn new(services: &'a dyn Services, followed: &'a RefCell<Option<String>>) -> OfWorkflow<'a> {
        OfWorkflow { services, client: OnceCell::new(), followed }
    }

    /// The job whose `prev_attempt` is this one, where it is there by now.
    async fn next(&self, job: &str) -> Result<Option<String>> {
        let client = self.client.get_or_init(async || self.services.client(&WORKFLOW).await.ok()).await;
        let Some(client) = client else { return Err(Error::new(Kind::Unreachable, "nobody knows where workflow is")) };
        let shown = client.call(&workflow::GET, &Args::new().set("job", job)).await?;
        let row = shown.first();
        if let Some(next) = row.map(|row| row.text_or_empty("/next_attempt")).filter(|id| is_uuid(id) && id != job) {
            return Ok(Some(next));
        }
        let vm = row.map(|row| row.text_or_empty("/params/vm_uuid")).filter(|vm| is_uuid(vm));
        let newest = Args::new().set("limit", MAX_JOBS.to_string());
        let newest = vm.into_iter().fold(newest, |args, vm| args.set("vm_uuid", vm));
        let all = client.call(&workflow::LIST, &newest).await?;
        let next = all.rows().find(|row| row.text_or_empty("/prev_attempt") == job);
        Ok(next.map(|next| next.text_or_empty("/uuid")).filter(|id| is_uuid(id)))
    }
}

impl Attempts for OfWorkflow<'_> {
    fn after<'a>(&'a self, job: &'a str) -> Pin<Box<dyn Future<Output = Result<Option<String>>> + 'a>> {
        Box::pin(self.next(job))
    }

    fn follow(&self, job: &str) {
        self.followed.replace(Some(job.to_owned()));
    }
}
