//! The account itself.

use super::*;

/// GetAccount.
pub static GET: Op = Op::get("GetAccount", "get", "/:login", "Show the account");

/// `sdc account`.
pub static ACCOUNT: Resource = Resource {
    name: "account",
    aliases: &[],
    about: "The account: owner, address, settings",
    columns: &[
        column("id"),
        column("login"),
        column("email"),
        column("companyName"),
        column("firstName"),
        column("lastName"),
        column("address"),
        column("postalCode"),
        column("city"),
        column("state"),
        column("country"),
        column("phone"),
        column("triton_cns_enabled"),
        column("created"),
        column("updated"),
    ],
    ops: &[&GET],
};
