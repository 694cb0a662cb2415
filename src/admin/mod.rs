//! The internal services of a data center: where they are, and how they are. It asks nobody by itself and prints
//! nothing.

pub mod directory;
pub mod headnode;
pub mod ping;
mod survey;

pub use directory::{Directory, Given, Place, address};
pub use survey::{Found, Instance, Survey};
