//! The types of resources: their properties and attributes, one file a type. What a template gives for a property is
//! brought into one form here, so that two ways of writing the same are no change. No request is sent.

mod compute;
mod fabric;
mod firewall_rule;
mod key;
mod kind;
mod kvm;
mod machine;
mod network;
mod smart_machine;
mod smart_network;
mod value;
mod volume;

pub use kind::{Attribute, Kind, Property, Referent, Type, Update};

/// All types, by their names.
pub static TYPES: &[&Type] = &[
    &key::TYPE,
    &kvm::TYPE,
    &machine::TYPE,
    &smart_machine::TYPE,
    &volume::TYPE,
    &fabric::TYPE,
    &firewall_rule::TYPE,
    &network::TYPE,
    &smart_network::TYPE,
];

/// The type of this name.
pub fn find(name: &str) -> Option<&'static Type> {
    TYPES.iter().copied().find(|kind| kind.name == name)
}
