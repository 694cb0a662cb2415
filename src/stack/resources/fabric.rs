//! `SDC::Network::Fabric`: a fabric network, with its VLAN where there is none yet.

use super::kind::{Kind, Type, in_place, optional, required, with_default};
use super::network::ATTRIBUTES;

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Network::Fabric",
    about: "A fabric network of an account, and its VLAN where there is none yet",
    properties: &[
        required("vlan", Kind::Integer(0, 4095), "Its VLAN, which is made where there is none"),
        required("subnet", Kind::Subnet, "Its subnet"),
        required("provision_start", Kind::Address, "First address that machines get"),
        required("provision_end", Kind::Address, "Last address that machines get"),
        in_place(optional(
            "name",
            Kind::Text,
            "Its name; without one the resource's, with the id of the stack behind it",
        )),
        optional("vlan_name", Kind::Text, "Name of a VLAN that is made"),
        optional("gateway", Kind::Address, "Its gateway"),
        in_place(optional("resolvers", Kind::Texts, "Its DNS servers")),
        in_place(optional("routes", Kind::Routes, "Its routes: a map, or SUBNET:ADDRESS with commas between them")),
        with_default("true", optional("internet_nat", Kind::Boolean, "Whether its machines reach the internet")),
        in_place(optional("description", Kind::Text, "Its description")),
    ],
    attributes: ATTRIBUTES,
};
