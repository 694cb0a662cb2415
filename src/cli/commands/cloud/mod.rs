//! Commands about the service itself.

pub(crate) mod api;
pub(crate) mod doctor;
