//! The operations of CloudAPI, a file a noun. Data only.

pub mod accesskeys;
pub mod account;
pub mod changefeed;
pub mod config;
pub mod datacenters;
pub mod disks;
pub mod fabrics;
pub mod fwrules;
pub mod images;
pub mod keys;
pub mod machines;
pub mod metadata;
pub mod migrations;
pub mod networks;
pub mod nics;
pub mod packages;
pub mod ping;
pub mod policies;
pub mod role_tags;
pub mod roles;
pub mod services;
pub mod snapshots;
pub mod tags;
pub mod user_keys;
pub mod users;
pub mod volumes;
