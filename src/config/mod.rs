//! Where every setting comes from: flags, profiles, environment; and which of them won.

pub mod env;
