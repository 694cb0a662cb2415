//! Commands about users, roles and policies that are more than one call of an operation.

pub(crate) mod list_edits;
pub(crate) mod rbac;
pub mod role_tags;
