//! Stacks: templates of Heat on SmartDataCenter, without OpenStack. There is no engine that runs somewhere: whoever uses
//! this is the engine. It knows neither a command line nor a terminal.
//!
//! A template is read and checked as a whole, before anything is sent:
//!
//! ```
//! use sdc::stack::template::environment::Environment;
//! use sdc::stack::template::fault::Faults;
//! use sdc::stack::template::parameter::{Given, Pseudo};
//! use sdc::stack::template::{NothingMade, Template};
//!
//! let text = "
//! heat_template_version: 2021-04-16
//! parameters:
//!   role: {type: string, default: web}
//! resources:
//!   web:
//!     type: SDC::Compute::Machine
//!     properties: {image: base-64@22.4.0, pakage: g1-small, tags: {role: {get_param: role}}}
//! ";
//! let faults = Faults::default();
//! let template = Template::read(text.as_bytes(), &faults).unwrap();
//! let values = template.bind(&Given::default(), &Pseudo::default(), true, &faults);
//! let files = std::collections::BTreeMap::new();
//! sdc::stack::check(&template, &Environment::default(), &values, &NothingMade, &files, &faults);
//! let words: Vec<String> = faults.faults().iter().map(ToString::to_string).collect();
//! assert!(words[0].ends_with("SDC::Compute::Machine needs the property package (Package, by id or name)"));
//! assert!(words[1].ends_with("SDC::Compute::Machine has no property pakage (did you mean package?)"));
//! ```

mod check;
pub mod engine;
pub mod files;
pub mod graph;
#[cfg(test)]
mod hostile_tests;
pub mod maker;
pub mod plan;
#[cfg(test)]
mod random_tests;
pub mod resources;
pub mod state;
pub mod store;
pub mod template;

pub use self::check::{Wanted, check};
