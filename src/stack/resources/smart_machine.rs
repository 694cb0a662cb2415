//! `SDC::Compute::SmartMachine`: a container of SmartOS or Linux, as the old plugin had it.

use super::compute::{ATTRIBUTES, NETWORKS};
use super::kind::{Kind, Property, Referent, Type, endpoint, in_place, optional, required, with_default};

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Compute::SmartMachine",
    about: "A container of SmartOS or Linux, with the properties of sdc-heat",
    properties: PROPERTIES,
    attributes: ATTRIBUTES,
};

/// The properties that `SDC::Compute::KVM` has too.
pub(super) static PROPERTIES: &[Property] = &[
    required("package", Kind::Refers(Referent::Package), "Package, by id or name"),
    required("image", Kind::Refers(Referent::Image), "Image, by id, name or name@version"),
    required("networks", Kind::RefersAll(Referent::Network), NETWORKS),
    with_default(
        "",
        optional("instance_alias", Kind::Text, "Beginning of its name, which goes on with the id of the stack"),
    ),
    optional("name", Kind::Text, "Its name, exactly; instead of instance_alias"),
    with_default("", in_place(optional("user_script", Kind::Text, "Script that it runs at every boot"))),
    optional(
        "ssh_keys",
        Kind::Texts,
        "Keys that may log in as root, on the admin side; CloudAPI adds the account's own",
    ),
    optional("user_uuid", Kind::Text, "Account that owns it; on CloudAPI one's own"),
    endpoint("sapi_endpoint"),
    endpoint("vmapi_endpoint"),
];
