//! Commands about the internal services that are more than one call of an operation.

pub(crate) mod address_holder;
pub(crate) mod address_usage;
pub(crate) mod ca;
pub(crate) mod create_smart;
pub(crate) mod discover;
pub(crate) mod doctor;
pub(crate) mod health;
pub(crate) mod job_resume;
mod job_steps;
pub(crate) mod job_wait;
pub(crate) mod job_watch;
pub(crate) mod orphan_nics;
pub(crate) mod raw;
pub(crate) mod vm_create;
pub(crate) mod vm_why;
