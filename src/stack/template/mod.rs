//! Templates of Heat's language, HOT, from 2013-05-23 to 2021-04-16: read, checked as a whole, and evaluated. Nothing here
//! knows a cloud or sends a request; which properties a type has is for `stack::resources` to say.

mod constraint;
pub mod data;
pub mod environment;
mod evaluate;
mod expr;
pub mod fault;
pub mod function;
mod model;
pub mod parameter;
mod python;
mod scalar;
mod scope;
mod section;
mod version;
mod yaml;

#[cfg(test)]
mod golden_tests;

pub(in crate::stack) use self::evaluate::Property;
pub(in crate::stack) use self::fault::unknown;
pub use self::model::{DeletionPolicy, MAX_RESOURCES, Output, Resource, Template};
pub(in crate::stack) use self::scope::Scope;
pub use self::scope::{Contents, Lack, NothingMade, Resources};
pub use self::version::Version;
pub use self::yaml::MAX_LEN;
