//! `SDC::Network::FirewallRule`: a rule of the account's firewall.

use super::kind::{Kind, Type, attribute, in_place, optional, required, with_default};

/// The type.
pub(super) static TYPE: Type = Type {
    name: "SDC::Network::FirewallRule",
    about: "A firewall rule of an account",
    properties: &[
        in_place(required("rule", Kind::Text, "The rule: FROM any TO tag role = web ALLOW tcp PORT 80")),
        with_default("true", in_place(optional("enabled", Kind::Boolean, "Whether it counts"))),
        with_default("false", in_place(optional("log", Kind::Boolean, "Whether connections are logged"))),
        in_place(optional("description", Kind::Text, "Its description")),
    ],
    attributes: &[
        attribute("id", "Its id"),
        attribute("rule", "The rule, as the service writes it"),
        attribute("enabled", "Whether it counts"),
    ],
};
