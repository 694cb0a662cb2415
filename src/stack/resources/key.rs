//! `SDC::Access::Key`: an SSH key of the account.

use super::kind::{Kind, Type, attribute, optional, required};

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Access::Key",
    about: "An SSH key of the account",
    properties: &[
        required("key", Kind::Text, "The public key, in a line of OpenSSH"),
        optional("name", Kind::Text, "Its name; without one the resource's, with the id of the stack behind it"),
    ],
    attributes: &[
        attribute("id", "Its fingerprint"),
        attribute("name", "Its name"),
        attribute("fingerprint", "Its fingerprint, in MD5"),
    ],
};
