//! Commands about images that are more than one call of an operation.

pub(crate) mod image_acl;
pub(crate) mod image_tags;
