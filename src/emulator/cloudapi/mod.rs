//! CloudAPI over the data center: who asks, what they may, and what each route does.

pub(crate) mod auth;
pub(crate) mod call;
pub(crate) mod denied;
pub(crate) mod handlers;
pub(crate) mod identity;
pub(crate) mod pipeline;
pub(crate) mod policy_language;
pub(crate) mod predicate;
pub(crate) mod presigned;
pub(crate) mod rbac;
pub(crate) mod role_tags;
pub(crate) mod routes;
pub(crate) mod sockets;
pub(crate) mod throttle;
pub(crate) mod triton_tags;
pub(crate) mod version;
pub(crate) mod volume_fields;
