//! The internal services of a data center: where they are, how they are, and what programs ask of them in a line each.
//! It prints nothing.

pub mod data_center;
pub mod directory;
pub mod headnode;
mod machine;
pub mod ping;
mod survey;

pub use data_center::DataCenter;
pub use directory::{Directory, Given, Place, address};
pub use machine::{Machine, Pairs, Spec, WaitOptions};
pub use survey::{FORGOTTEN, Found, Instance, Survey};
