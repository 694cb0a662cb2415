//! `SDC::Compute::Machine`: a machine of any brand, with all that CreateMachine takes.

use super::compute::ATTRIBUTES;
use super::kind::{Kind, Referent, Type, in_place, optional, required, with_default};

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Compute::Machine",
    about: "A machine of any brand",
    properties: &[
        required("image", Kind::Refers(Referent::Image), "Image, by id, name or name@version"),
        required("package", Kind::Refers(Referent::Package), "Package, by id or name"),
        optional("name", Kind::Text, "Its name; without one the resource's, with the id of the stack behind it"),
        optional(
            "networks",
            Kind::RefersAll(Referent::Network),
            "Networks, by id or name; without any the default ones",
        ),
        in_place(optional("metadata", Kind::Scalars, "Metadata")),
        in_place(optional("tags", Kind::Scalars, "Tags")),
        in_place(optional("user_script", Kind::Text, "Script that it runs at every boot: the metadata user-script")),
        in_place(optional(
            "cloud_config",
            Kind::Text,
            "Configuration for cloud-init: the metadata cloud-init:user-data",
        )),
        with_default("false", in_place(optional("firewall_enabled", Kind::Boolean, "Whether its firewall is on"))),
        with_default("false", in_place(optional("deletion_protection", Kind::Boolean, "Whether nobody can delete it"))),
        optional(
            "brand",
            Kind::OneOf(&["joyent", "joyent-minimal", "lx", "kvm", "bhyve"]),
            "Brand, where the image leaves the choice",
        ),
        optional("affinity", Kind::Texts, "Where to place it: instance!=web*, role==~db"),
        optional("volumes", Kind::Maps, "Volumes to mount: maps with name, mountpoint and mode"),
        optional("disks", Kind::Maps, "Disks of a bhyve machine: maps with size, and block_size"),
        optional("delegate_dataset", Kind::Boolean, "Whether it administers a ZFS dataset itself"),
        optional("encrypted", Kind::Boolean, "Whether it is placed on a server with encrypted disks"),
        optional("allow_shared_images", Kind::Boolean, "Whether its image may be one that another account shares"),
        optional(
            "ssh_keys",
            Kind::Texts,
            "Keys that may log in as root, on the admin side; CloudAPI adds the account's own",
        ),
        optional("owner", Kind::Text, "Account that owns it; on CloudAPI one's own"),
    ],
    attributes: ATTRIBUTES,
};
