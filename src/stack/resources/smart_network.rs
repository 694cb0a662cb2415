//! `SDC::Network::SmartNetwork`: a network on a free VLAN and in a free subnet, as the old plugin had it.

use super::kind::{Kind, Type, endpoint, optional, required, with_default};
use super::network::ATTRIBUTES;

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Network::SmartNetwork",
    about: "A network on a free VLAN and in a free subnet",
    properties: &[
        required("name", Kind::Text, "Beginning of its name, which goes on with a point and an id"),
        with_default("24", optional("mask_bits", Kind::Integer(8, 30), "Length of its subnet's prefix")),
        with_default("", optional("description", Kind::Text, "Its description")),
        optional(
            "nic_tag",
            Kind::Text,
            "NIC tag of the servers' NICs that reach it, customer without one; not on CloudAPI",
        ),
        optional("owner_uuids", Kind::Texts, "Accounts that may use it; on CloudAPI one's own"),
        endpoint("sapi_endpoint"),
        endpoint("vmapi_endpoint"),
    ],
    attributes: ATTRIBUTES,
};
