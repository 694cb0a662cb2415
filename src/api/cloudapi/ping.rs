//! Whether anybody is there.

use crate::api::*;

/// Ping: needs no account and no key.
pub static PING_OP: Op = Op::get("Ping", "", "/--ping", "Ask whether CloudAPI is there, and which versions it speaks")
    .unsigned()
    .examples(&["ping", "ping --json"]);

/// `sdc ping`: a noun that is a command itself.
pub static PING: Resource = Resource {
    name: "ping",
    aliases: &[],
    about: "Ask whether CloudAPI is there, and which versions it speaks",
    columns: &[column("ping"), column("cloudapi").nested()],
    ops: &[&PING_OP],
};
