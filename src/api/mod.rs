//! The table: services and their operations as data. Commands, help, dry run, library calls and the
//! reference pages are read from it. It does nothing and uses nothing else of the crate.
//!
//! To add an endpoint: write one [`Op`] in its noun's file and name it in that file's [`Resource`]. To add a service:
//! write one [`Service`] in a folder of its own, as [`CLOUDAPI`] is.

pub mod cloudapi;
mod column;
mod field;
mod goal;
mod noun;
mod op;
mod resource;
mod service;
mod test;

pub use cloudapi::CLOUDAPI;
pub use column::{Column, Holds, Level, Show, called_otherwise, column};
use field::LIMIT;
pub use field::{Field, Kind, Location, ROLE_TAG, body, query};
pub use goal::Goal;
pub use noun::{Ids, Noun, Owner, Pick, Users};
pub use op::{Method, Op, Paging, Shape, Takes};
pub use resource::{Resource, VERB_ALIASES};
pub use service::{Remedy, Service};
pub use test::{State, Test, state};

/// The services whose commands the program has.
pub static SERVICES: &[&Service] = &[&CLOUDAPI];

/// What a path's parameter stands for, in whatever service.
pub fn noun(param: &str) -> Option<&'static Noun> {
    SERVICES.iter().find_map(|service| service.noun(param))
}
