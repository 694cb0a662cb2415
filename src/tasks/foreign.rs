//! Targets that are named by what other services of a data center know: the VLANs of an account, the VMs of a package.
//! Each service knows the ids of the others' things alone.

use super::Services;
use super::resolve;
use super::targets::{Asked, STDIN};
use crate::api::{self, Op};
use crate::error::Result;
use crate::grammar::selector;
use crate::request::{Arg, Args};

impl Asked {
    /// Puts ids in the place of names of what other services have: in the path, and in what targets must be like.
    ///
    /// # Errors
    /// Not found, ambiguous, a list could not be read, or nobody knows where that service is.
    pub async fn elsewhere(&mut self, services: &dyn Services, op: &'static Op) -> Result<()> {
        let own = api::service_of(op);
        for (param, typed) in &mut self.parents {
            let id = resolve::param_elsewhere(services, op, param, typed).await?;
            if id != *typed {
                self.args.push(*param, Arg::Text(id));
            }
        }
        if let Some(param) = self.param {
            for typed in self.typed.iter_mut().filter(|typed| *typed != STDIN && !selector::is_glob(typed)) {
                *typed = resolve::param_elsewhere(services, op, param, typed).await?;
            }
            if let Some(noun) = own.noun(param) {
                resolve::elsewhere(services, noun.list, &mut self.filter.query).await?;
            }
        }
        self.filter.rows.settle_elsewhere(services, own, &self.filter.query).await?;
        self.owners.settle_elsewhere(services, own, &Args::new()).await
    }
}
