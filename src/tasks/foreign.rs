//! Targets that are named by what other services of a data center know: the VLANs of an account, the VMs of a package.
//! Each service knows the ids of the others' things alone.

use super::Services;
use super::resolve;
use super::targets::{Asked, Targets};
use crate::api::{self, Op};
use crate::error::Result;
use crate::request::Args;

impl Asked {
    /// Puts ids in the place of names of what other services have: in the path, and in what targets must be like.
    ///
    /// # Errors
    /// Not found, ambiguous, a list could not be read, or nobody knows where that service is.
    pub async fn elsewhere(&mut self, services: &dyn Services, op: &'static Op) -> Result<()> {
        let own = api::service_of(op);
        resolve::elsewhere(services, op, &mut self.args).await?;
        if let Some(noun) = self.param.and_then(|param| own.noun(param)) {
            resolve::elsewhere(services, noun.list, &mut self.filter.query).await?;
        }
        self.filter.rows.settle_elsewhere(services, own, &self.filter.query).await?;
        self.owners.settle_elsewhere(services, own, &Args::new()).await
    }
}

impl Targets {
    /// The same of the targets themselves, which keep the names that were typed for them.
    ///
    /// # Errors
    /// As [`Asked::elsewhere`].
    pub async fn elsewhere(&mut self, services: &dyn Services, op: &'static Op) -> Result<()> {
        for call in &mut self.calls {
            resolve::elsewhere(services, op, &mut call.args).await.map_err(|error| call.of(error))?;
        }
        Ok(())
    }
}
