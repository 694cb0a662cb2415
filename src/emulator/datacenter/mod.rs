//! What a data center holds, and what happens in it over time. No HTTP here: several services show one data center.

pub(crate) mod addresses;
pub(crate) mod affinity;
pub(crate) mod changes;
pub(crate) mod clock;
pub(crate) mod fwrule;
pub(crate) mod jobs;
pub(crate) mod pattern;
pub(crate) mod seed;
pub(crate) mod state;
pub(crate) mod store;
pub(crate) mod volume;
