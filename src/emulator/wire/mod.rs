//! The wire: listeners, TLS, faults, the control endpoint, sockets. It must not know what a request is about.

pub(crate) mod addresses;
pub(crate) mod agent;
pub(crate) mod connections;
pub(crate) mod control;
pub(crate) mod fault;
pub(crate) mod private_dir;
pub(crate) mod server;
pub(crate) mod server_state;
pub(crate) mod sockets;
pub(crate) mod tls;
pub(crate) mod write_timeout;
