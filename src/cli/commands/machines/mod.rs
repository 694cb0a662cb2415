//! Commands about machines that are more than one call of an operation.

pub(crate) mod address_options;
pub(crate) mod changefeed;
pub mod create;
pub(crate) mod disk_add;
pub(crate) mod get;
pub(crate) mod ip;
pub(crate) mod migrate_watch;
pub(crate) mod part_get;
pub(crate) mod reap;
pub(crate) mod run;
pub(crate) mod scp;
pub(crate) mod ssh;
mod ssh_key;
pub(crate) mod vnc;
pub(crate) mod wait;
pub mod why;
