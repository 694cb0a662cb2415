//! The internal services over the data center: each is a list of routes and a [`Kind`] that says in what the services
//! differ. They ask for no signature: who reaches the admin network may do everything. Written from the description of
//! the services, and not from the client's table.

pub(crate) mod call;
mod cnapi;
mod held;
mod imgapi;
mod job_filter;
mod mahi;
mod napi;
mod papi;
mod pipeline;
mod predicate;
mod sapi;
mod vmapi;
mod workflow;

use std::sync::Arc;

pub(crate) use pipeline::AdminService;

use super::datacenter::DataCenter;
use super::http::service::Service;
use call::Route;

/// What a service is, beside its routes.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its name in SAPI and in the names of its addresses.
    pub(crate) name: &'static str,
    /// Its routes.
    pub(crate) routes: &'static [&'static [Route]],
    /// Its versions; none where it has no versions at all.
    pub(crate) versions: &'static [(u16, u16, u16)],
    /// What is asked for by those who ask for no version.
    pub(crate) default_version: &'static str,
    /// Of a name in the query and in the body, the body's counts.
    pub(crate) body_wins: bool,
    /// Takes the id of a request from `request-id` too, and sends it back so.
    pub(crate) request_id: bool,
}

/// The internal services that are emulated.
pub(crate) static SERVICES: &[&Kind] = &[
    &sapi::SAPI,
    &vmapi::VMAPI,
    &workflow::WORKFLOW,
    &napi::NAPI,
    &papi::PAPI,
    &imgapi::IMGAPI,
    &cnapi::CNAPI,
    &mahi::MAHI,
];

/// An operation of an internal service that has a handler here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The service's name, such as `vmapi`.
    pub service: &'static str,
    /// The operation's, such as `StopVm`.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path, with parameters as `:uuid`. Operations of one path are told apart by their parameters.
    pub path: &'static str,
}

/// Every operation of the internal services that has a handler.
pub fn operations() -> impl Iterator<Item = Operation> {
    SERVICES.iter().flat_map(|kind| {
        let routes = kind.routes.iter().flat_map(|routes| routes.iter());
        routes.flat_map(|route| {
            let of =
                |name: &&'static str| Operation { service: kind.name, name, method: route.method, path: route.path };
            route.names.iter().map(of)
        })
    })
}

/// Their names, in the order of the list.
pub(crate) fn names() -> Vec<&'static str> {
    SERVICES.iter().map(|kind| kind.name).collect()
}

impl Kind {
    /// The service over a data center.
    pub(crate) fn over(&'static self, cloud: Arc<DataCenter>) -> Arc<dyn Service> {
        Arc::new(AdminService { kind: self, cloud })
    }
}
