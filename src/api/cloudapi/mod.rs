//! CloudAPI, the public API: the service, and its operations in a file a noun. Data only.

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
mod remedies;
pub mod role_tags;
pub mod roles;
pub mod services;
pub mod snapshots;
pub mod tags;
pub mod user_keys;
pub mod users;
pub mod volumes;

use super::Service;

/// CloudAPI.
pub static CLOUDAPI: Service = Service {
    name: "CloudAPI",
    prefix: "",
    resources: &[
        &machines::MACHINES,
        &images::IMAGES,
        &packages::PACKAGES,
        &networks::NETWORKS,
        &fabrics::FABRICS,
        &fwrules::FWRULES,
        &volumes::VOLUMES,
        &account::ACCOUNT,
        &keys::KEYS,
        &accesskeys::ACCESSKEYS,
        &users::USERS,
        &roles::ROLES,
        &policies::POLICIES,
        &config::CONFIG,
        &datacenters::DATACENTERS,
        &services::SERVICES,
        &ping::PING,
    ],
    nouns: &[
        &machines::MACHINE,
        &images::IMAGE,
        &packages::PACKAGE,
        &networks::NETWORK,
        &networks::IP,
        &fabrics::VLAN,
        &fabrics::FABRIC_NETWORK,
        &fwrules::FWRULE,
        &volumes::VOLUME,
        &keys::KEY,
        &accesskeys::ACCESSKEY,
        &users::USER,
        &user_keys::USER_KEY,
        &user_keys::USER_ACCESSKEY,
        &roles::ROLE,
        &policies::POLICY,
        &snapshots::SNAPSHOT,
        &disks::DISK,
        &nics::NIC,
        &tags::TAG,
        &metadata::METADATA_KEY,
        &datacenters::DATACENTER,
    ],
    signed: true,
    traced: false,
    secret: false,
    account_in_path: true,
    doctor: "auth doctor",
    // What node-triton and node-smartdc ask for too, and what VNC needs.
    versions: Some("~9||~8"),
    first: 6,
    account: Some(&account::GET),
    server: "cloudapi",
    missing: &["ResourceNotFound", "VolumeNotFound"],
    denied: &["Forbidden", "InvalidCredentials", "NotAuthorized", "OperatorOnly", "ResourceMoved", "Unauthorized"],
    passing: &[],
    queued: "",
    remedies: remedies::REMEDIES,
};
