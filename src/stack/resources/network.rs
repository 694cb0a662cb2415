//! `SDC::Network::Network`: a network whose addresses the template chooses, as the old plugin had it.

use super::kind::{Attribute, Kind, Type, attribute, endpoint, optional, required, with_default};

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Network::Network",
    about: "A network with the properties of sdc-heat: one of NAPI, or on CloudAPI a fabric network with its VLAN",
    properties: &[
        required("name", Kind::Text, "Its name"),
        required("subnet", Kind::Subnet, "Its subnet"),
        required("provision_start", Kind::Address, "First address that machines get"),
        required("provision_end", Kind::Address, "Last address that machines get"),
        with_default(
            "customer",
            optional("nic_tag", Kind::Text, "NIC tag of the servers' NICs that reach it; not on CloudAPI"),
        ),
        optional("gateway", Kind::Address, "Its gateway"),
        with_default("0", optional("vlan", Kind::Integer(0, 4094), "Its VLAN; on CloudAPI from 2 on")),
        optional("resolvers", Kind::Texts, "Its DNS servers"),
        optional("routes", Kind::Routes, "Its routes: a map, or SUBNET:ADDRESS with commas between them"),
        with_default("", optional("description", Kind::Text, "Its description")),
        optional("owner_uuids", Kind::Texts, "Accounts that may use it; on CloudAPI one's own"),
        endpoint("sapi_endpoint"),
        endpoint("vmapi_endpoint"),
    ],
    attributes: ATTRIBUTES,
};

/// The attributes of a network.
pub(super) static ATTRIBUTES: &[Attribute] = &[
    attribute("uuid", "Its id"),
    attribute("id", "Its id"),
    attribute("name", "Its name"),
    attribute("subnet", "Its subnet"),
    attribute("vlan", "Its VLAN"),
    attribute("gateway", "Its gateway"),
    attribute("provision_start", "First address that machines get"),
    attribute("provision_end", "Last address that machines get"),
];
