//! The table: every operation of CloudAPI as data. Commands, help, dry run, library calls and the
//! reference pages are read from it. Nothing here does anything, and it uses nothing else of ours.
//!
//! To add an endpoint: write one [`Op`] in its noun's file and name it in that file's [`Resource`].

pub mod cloudapi;
mod column;
mod field;
mod goal;
mod noun;
mod op;
mod resource;
mod test;

pub use column::{Column, Level, Show, column};
use field::LIMIT;
pub use field::{Field, Kind, Place, ROLE_TAG, body, query};
pub use goal::Goal;
pub use noun::{Ids, Noun, Owner, Pick};
pub use op::{Method, Op, Paging, Shape, Takes};
pub use resource::{Resource, VERB_ALIASES};
pub use test::{State, Test, state};

/// Every noun, in the order of the help.
pub const RESOURCES: &[&Resource] = &[
    &crate::api::cloudapi::machines::MACHINES,
    &crate::api::cloudapi::images::IMAGES,
    &crate::api::cloudapi::packages::PACKAGES,
    &crate::api::cloudapi::networks::NETWORKS,
    &crate::api::cloudapi::fabrics::FABRICS,
    &crate::api::cloudapi::fwrules::FWRULES,
    &crate::api::cloudapi::volumes::VOLUMES,
    &crate::api::cloudapi::account::ACCOUNT,
    &crate::api::cloudapi::keys::KEYS,
    &crate::api::cloudapi::accesskeys::ACCESSKEYS,
    &crate::api::cloudapi::users::USERS,
    &crate::api::cloudapi::roles::ROLES,
    &crate::api::cloudapi::policies::POLICIES,
    &crate::api::cloudapi::config::CONFIG,
    &crate::api::cloudapi::datacenters::DATACENTERS,
    &crate::api::cloudapi::services::SERVICES,
    &crate::api::cloudapi::ping::PING,
];

/// How each path parameter is named by people: one row a parameter.
pub const NOUNS: &[&Noun] = &[
    &crate::api::cloudapi::machines::MACHINE,
    &crate::api::cloudapi::images::IMAGE,
    &crate::api::cloudapi::packages::PACKAGE,
    &crate::api::cloudapi::networks::NETWORK,
    &crate::api::cloudapi::networks::IP,
    &crate::api::cloudapi::fabrics::VLAN,
    &crate::api::cloudapi::fabrics::FABRIC_NETWORK,
    &crate::api::cloudapi::fwrules::FWRULE,
    &crate::api::cloudapi::volumes::VOLUME,
    &crate::api::cloudapi::keys::KEY,
    &crate::api::cloudapi::accesskeys::ACCESSKEY,
    &crate::api::cloudapi::users::USER,
    &crate::api::cloudapi::user_keys::USER_KEY,
    &crate::api::cloudapi::user_keys::USER_ACCESSKEY,
    &crate::api::cloudapi::roles::ROLE,
    &crate::api::cloudapi::policies::POLICY,
    &crate::api::cloudapi::snapshots::SNAPSHOT,
    &crate::api::cloudapi::disks::DISK,
    &crate::api::cloudapi::nics::NIC,
    &crate::api::cloudapi::tags::TAG,
    &crate::api::cloudapi::metadata::METADATA_KEY,
    &crate::api::cloudapi::datacenters::DATACENTER,
];

/// The row of a path parameter.
pub fn noun(param: &str) -> Option<&'static Noun> {
    NOUNS.iter().copied().find(|noun| noun.name == param)
}

/// The operations that a request is one of, by its method and its path without the query.
pub fn operations(method: &str, path: &str) -> impl Iterator<Item = &'static Op> {
    let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    let method = method.to_owned();
    RESOURCES.iter().flat_map(|resource| resource.ops.iter().copied()).filter(move |op| {
        let known: Vec<&str> = op.path.split('/').collect();
        let same = |(known, part): (&&str, &String)| known.starts_with(':') && !part.is_empty() || *known == part;
        op.method.as_str() == method && known.len() == parts.len() && known.iter().zip(&parts).all(same)
    })
}
