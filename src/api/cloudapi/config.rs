//! The account's settings at the service: which fabric network a new machine gets.

use crate::api::*;

/// GetConfig.
pub static GET: Op = Op::get("GetConfig", "get", "/:login/config", "Show the account's settings at the service")
    .maybe_empty()
    .examples("config get\nconfig get -o default_network");

/// UpdateConfig. It refuses every parameter but its own.
pub static SET: Op = Op::put("UpdateConfig", "set", "/:login/config", "Change the account's settings at the service")
    .without_roles()
    .maybe_empty()
    .assigns()
    .fields(&[body(
        "default_network",
        Kind::Ref(&super::networks::NETWORK),
        "Network that machines and volumes get unless told otherwise: id, short id or name",
    )])
    .examples(
        "config set default_network=My-Fabric-Network\n\
         config set --default-network backend",
    );

/// `sdc config`: these, and what the program itself is set to.
pub static CONFIG: Resource = Resource {
    name: "config",
    aliases: &[],
    about: "Settings of this program, and of the account at the service",
    columns: &[column("default_network")],
    ops: &[&GET, &SET],
};
