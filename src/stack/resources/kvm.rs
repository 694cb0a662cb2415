//! `SDC::Compute::KVM`: a hardware virtual machine, as the old plugin had it.

use super::compute::ATTRIBUTES;
use super::kind::Type;
use super::smart_machine::PROPERTIES;

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Compute::KVM",
    about: "A hardware virtual machine under KVM, with the properties of sdc-heat",
    properties: PROPERTIES,
    attributes: ATTRIBUTES,
};
