//! What the operations do, one file a noun. They see parameters and state, never the wire.

pub(super) mod accesskeys;
pub(super) mod account;
pub(super) mod actions;
pub(super) mod config;
pub(super) mod create;
pub(super) mod datacenters;
pub(super) mod images;
pub(super) mod keys;
pub(super) mod limits;
pub(super) mod machines;
pub(super) mod metadata;
pub(super) mod networks;
pub(super) mod packages;
pub(super) mod policies;
pub(super) mod role_tags;
pub(super) mod roles;
pub(super) mod tags;
pub(super) mod user_keys;
pub(super) mod users;
