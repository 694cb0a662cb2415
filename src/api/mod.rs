//! The table: services and their operations as data. Commands, help, dry run, library calls and the
//! reference pages are read from it. It does nothing and uses nothing else of the crate.
//!
//! To add an endpoint: write one [`Op`] in its noun's file and name it in that file's [`Resource`]. To add a service:
//! write one [`Service`] in a folder of its own, as [`CLOUDAPI`] is, or a file in `admin` if it is one of the internal
//! ones.

pub mod admin;
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
pub use column::{Always, Column, Holds, Level, Show, called_otherwise, column};
use field::LIMIT;
pub use field::{Field, Kind, Location, ROLE_TAG, body, query};
pub use goal::{Goal, Names, Parts, PartsEnd, Shown};
pub use noun::{Ids, Jobs, Noun, Owner, Pick, Referred, Users, Usual};
pub use op::{Mark, Method, Op, Otherwise, Paging, Shape, Takes};
pub use resource::{Resource, VERB_ALIASES};
pub use service::{Remedy, Service};
pub use test::{State, Test, state};

/// The services whose commands the program has. No two of them have a path's parameter, or a command, of one name.
pub static SERVICES: &[&Service] = &[
    &CLOUDAPI,
    &admin::SAPI,
    &admin::VMAPI,
    &admin::WORKFLOW,
    &admin::NAPI,
    &admin::PAPI,
    &admin::IMGAPI,
    &admin::CNAPI,
    &admin::MAHI,
];

/// What a path's parameter stands for, in whatever service.
pub fn noun(param: &str) -> Option<&'static Noun> {
    SERVICES.iter().find_map(|service| service.noun(param))
}

/// What stands in a command for a parameter of a path that is not known: `MACHINE`.
pub(crate) fn placeholder(param: &str) -> String {
    noun(param).map_or(param, |noun| noun.word).to_uppercase().replace(' ', "-")
}

/// The operation of a command, by its words without the program's name: `machines tags list`, `admin vms list`.
pub fn operation(words: &str) -> Option<&'static Op> {
    SERVICES.iter().find_map(|service| service.operation(words))
}

/// The service of an operation. What has no command is CloudAPI's.
pub fn service_of(op: &Op) -> &'static Service {
    SERVICES.iter().copied().find(|service| service.resource_of(op).is_some()).unwrap_or(&CLOUDAPI)
}

/// The resource that an operation belongs to; none for one that has no command.
pub fn resource_of(op: &Op) -> Option<&'static Resource> {
    SERVICES.iter().find_map(|service| service.resource_of(op))
}

/// The command of an operation, as [`Service::command`] has it; empty for one that has none.
pub fn command(op: &Op) -> String {
    service_of(op).command(op)
}

/// The words of an operation's command, without its targets: `machines tags set`, `admin vms stop`.
pub fn words(op: &Op) -> String {
    let service = service_of(op);
    let noun = service.resource_of(op).map(|resource| service.path(resource));
    format!("{} {}", noun.unwrap_or_default(), op.verb).trim().to_owned()
}

/// The words of a resource's commands, without their verbs: `machines`, `admin vms`.
pub fn path(resource: &Resource) -> String {
    let service = SERVICES.iter().find(|service| service.resources.iter().any(|known| std::ptr::eq(*known, resource)));
    service.map_or_else(|| resource.name.to_owned(), |service| service.path(resource))
}

/// The columns that an operation's answer is shown in.
pub fn columns(op: &Op) -> &'static [Column] {
    match op.columns {
        [] => resource_of(op).map_or(&[], |resource| resource.columns),
        own => own,
    }
}

/// The noun whose resources an operation lists.
pub fn listed_by(op: &Op) -> Option<&'static Noun> {
    SERVICES.iter().find_map(|service| service.listed_by(op))
}

/// All operations that have commands.
pub fn ops() -> impl Iterator<Item = &'static Op> {
    SERVICES.iter().flat_map(|service| service.ops())
}

/// The resources whose commands stand behind this word; those at the top for an empty one.
pub fn resources(prefix: &str) -> impl Iterator<Item = &'static Resource> {
    let of_prefix = SERVICES.iter().filter(move |service| service.prefix == prefix);
    of_prefix.flat_map(|service| service.resources.iter().copied())
}

/// The resource of this name, or of one that is another name for it, behind this word.
pub fn resource(prefix: &str, word: &str) -> Option<&'static Resource> {
    SERVICES.iter().filter(|service| service.prefix == prefix).find_map(|service| service.resource(word))
}
