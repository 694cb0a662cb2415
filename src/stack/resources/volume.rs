//! `SDC::Compute::Volume`: a volume that machines share.

use super::kind::{Kind, Referent, Type, attribute, in_place, optional};

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Compute::Volume",
    about: "A volume that machines share, over NFS",
    properties: &[
        in_place(optional(
            "name",
            Kind::Text,
            "Its name; without one the resource's, with the id of the stack behind it",
        )),
        optional("size", Kind::Size, "Its size in MiB, or such as 10G; the smallest without one"),
        optional("networks", Kind::RefersAll(Referent::Network), "Private network, by id or name"),
        optional("affinity", Kind::Texts, "Where to place it"),
        optional("tags", Kind::Scalars, "Tags"),
    ],
    attributes: &[
        attribute("id", "Its id"),
        attribute("name", "Its name"),
        attribute("size", "Its size in MiB"),
        attribute("filesystem_path", "What machines mount: ADDRESS:/exports/data"),
    ],
};
