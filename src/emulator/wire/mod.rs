//! The wire: listeners, TLS, faults, the control endpoint, sockets. It must not know what a request is about.

pub(crate) mod agent;
pub(crate) mod connections;
pub(crate) mod control;
pub(crate) mod dir;
pub(crate) mod fault;
pub(crate) mod patient;
pub(crate) mod server;
pub(crate) mod shared;
pub(crate) mod sockets;
pub(crate) mod tls;
