//! What all types of machines have.

use super::kind::{Attribute, attribute};

/// The attributes of a machine.
pub(super) static ATTRIBUTES: &[Attribute] = &[
    attribute("network_ip", "Address on the first of its networks"),
    attribute("external_ip", "Addresses on public networks, with commas between them"),
    attribute("internal_ip", "Addresses on private networks, with commas between them"),
    attribute("id", "Its id"),
    attribute("name", "Its name"),
    attribute("state", "Its state"),
    attribute("ips", "All its addresses, as a list"),
    attribute("image", "The id of its image"),
    attribute("package", "The name of its package; its id on the admin side"),
];

/// The addresses that a machine of the old plugin may have: their names and ids, with commas between them.
pub(super) const NETWORKS: &str = "Networks, by id or name, the first for network_ip; a list, or a text with commas";
