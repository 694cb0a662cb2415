//! What the operations do, one file a noun. They see parameters and state, never the wire.

pub(super) mod account;
pub(super) mod actions;
pub(super) mod create;
pub(super) mod datacenters;
pub(super) mod images;
pub(super) mod keys;
pub(super) mod machines;
pub(super) mod metadata;
pub(super) mod networks;
pub(super) mod packages;
pub(super) mod tags;
