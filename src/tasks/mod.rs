//! Work that takes more than one request: names to ids, which resources are meant, create once, delete until gone,
//! diagnose, find the route to a machine, plan and carry out users, roles and policies, tag with roles. It has no
//! command line, no terminal and no environment: what it has to say on the way goes to a [`Report`].

pub mod about;
pub mod addresses;
mod asked;
mod attempts;
pub mod call;
mod candidates;
pub mod change;
pub mod column_filter;
pub mod create;
pub mod diagnosis;
pub mod document;
pub mod explain;
mod filter_errors;
mod foreign;
#[cfg(feature = "cli")]
pub(crate) mod held_up;
mod judged;
mod left_out;
pub mod listing;
pub mod lockout;
pub mod machine_diff;
pub(crate) mod meant;
pub mod near;
pub mod network_addresses;
mod nic_network;
pub mod orphan_nics;
pub mod overview;
pub mod pair;
mod pair_file;
pub mod permission;
pub mod picks;
#[cfg(feature = "cli")]
pub(crate) mod placement;
pub mod plan;
mod queued;
pub mod rbac;
pub mod recipe;
pub mod rename;
pub mod replacing;
pub mod resolve;
pub mod role_tags;
pub mod route;
mod row_condition;
pub mod row_filter;
mod row_names;
pub mod secrets;
pub mod smart_network;
pub mod stop;
pub mod targets;
mod unnamed;
pub mod values;
#[cfg(feature = "cli")]
pub(crate) mod vm_notes;
pub(crate) mod vm_spec;
#[cfg(feature = "cli")]
pub(crate) mod vm_why;
pub mod wait_for;
mod whose;
pub mod words;

use std::future::Future;
use std::pin::Pin;

use crate::api::Service;
use crate::client::Client;
use crate::error::{Hint, Result};
pub use pair_file::nothing_set;

/// The services of one data center, for a task that needs more than one of them.
pub trait Services {
    /// A client of this one. It fails where nobody knows where that service is.
    fn client<'a>(&'a self, service: &'static Service) -> Pin<Box<dyn Future<Output = Result<Client>> + 'a>>;
}

/// Where a task says on its way what it does.
pub trait Report {
    /// Tells the user something.
    fn say(&self, words: &str);
    /// Tells the user of a step that each of several targets takes.
    fn step(&self, words: &str) {
        self.say(words);
    }
    /// Warns the user, and scripts too. The words may have commands among them.
    fn warn(&self, words: &Hint);
    /// Warns even those who want to hear of errors alone: what they are given may be gone in a moment.
    fn urge(&self, words: &Hint) {
        self.warn(words);
    }
    /// Gives a target, by its number, another name: a resource that is being made has none before.
    fn name(&self, _target: usize, _name: &str) {}
    /// Tells the state of a target that is waited for.
    fn state(&self, _target: usize, _state: &str) {}
}

/// Nobody is told.
impl Report for () {
    fn say(&self, _: &str) {}
    fn warn(&self, _: &Hint) {}
}
