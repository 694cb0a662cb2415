//! Commands about firewall rules that are more than one call of an operation.

pub(crate) mod fwcheck;
