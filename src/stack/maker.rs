//! How a backend makes resources: what the engine asks of it, for each type.

use std::collections::BTreeMap;
use std::pin::Pin;

use serde_json::{Map, Value};

use super::resources::Referent;
use crate::error::Result;

/// Work that is under way.
pub type Working<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// A resource that is to be made or changed.
#[derive(Clone, Debug)]
pub struct Order {
    /// The stack's id.
    pub stack: String,
    /// The resource's name in the template.
    pub name: String,
    /// How often it was replaced.
    pub generation: u32,
    /// The name that it gets, or whatever else it is found by.
    pub mark: String,
    /// Its properties; names of images, packages and networks are ids by now.
    pub properties: BTreeMap<String, Value>,
}

/// A resource as its service shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// What else was made for it, such as a VLAN.
    pub also: Map<String, Value>,
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// Why it is of no use, if it is not.
    pub broken: Option<String>,
}

/// Writes down the id of what the service has answered, before anything else is done.
pub type Told<'a> = &'a dyn Fn(&Seen) -> Result<()>;

/// Makes the resources of a type.
pub trait Maker {
    /// The name that a new resource gets, or whatever else it is found by where its answer is lost.
    fn mark(&self, order: &Order) -> String;

    /// Makes a resource, and waits until it is complete.
    fn create<'a>(&'a self, order: &'a Order, told: Told<'a>) -> Working<'a, Seen>;

    /// Looks for a resource by its mark: one that was asked for, and whose answer nobody has written down.
    fn find<'a>(&'a self, order: &'a Order) -> Working<'a, Option<Seen>>;

    /// Waits until a resource that was asked for is complete.
    fn finish<'a>(&'a self, id: &'a str, order: &'a Order) -> Working<'a, Seen>;

    /// Looks at a resource; nothing where the service itself says that it is gone.
    fn read<'a>(&'a self, id: &'a str, also: &'a Map<String, Value>) -> Working<'a, Option<Seen>>;

    /// Changes these properties, and waits for that.
    fn update<'a>(&'a self, id: &'a str, order: &'a Order, changed: &'a [String]) -> Working<'a, Seen>;

    /// Deletes a resource, and waits until it is gone. One that is gone already is.
    fn delete<'a>(&'a self, id: &'a str, also: &'a Map<String, Value>) -> Working<'a, ()>;
}

/// A backend: its makers, and what names mean there.
pub trait Backend {
    /// Who makes resources of this type; nobody where the backend has none.
    fn maker(&self, kind: &str) -> Option<&dyn Maker>;

    /// The id of what has this name; an id is its own.
    fn id<'a>(&'a self, referent: Referent, name: &'a str) -> Working<'a, String>;
}
