//! Commands about the service itself.

pub(crate) mod api;
pub(crate) mod doctor;
pub(crate) mod info;
pub(crate) mod whoami;
