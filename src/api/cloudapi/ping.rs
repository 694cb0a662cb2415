//! Whether anybody is there.

use crate::api::*;

/// Ping: needs no account and no key.
pub static PING_OP: Op =
    Op::get("Ping", "", "/--ping", "Check CloudAPI and show its API versions").unsigned().examples("ping\nping --json");

/// `sdc ping`: a noun that is a command itself.
pub static PING: Resource = Resource {
    name: "ping",
    aliases: &[],
    about: "Check CloudAPI and show its API versions",
    columns: &[column("ping"), column("cloudapi").nested()],
    ops: &[&PING_OP],
};
