//! The other services of this data center, such as Docker or CMON, and their addresses.

use crate::api::*;

/// ListServices.
pub static LIST: Op =
    Op::map("ListServices", "list", "/:login/services", "List the services of the data center and their addresses")
        .examples("services list\nservices list --json");

/// `sdc services`.
pub static SERVICES: Resource = Resource {
    name: "services",
    aliases: &["service", "svcs"],
    about: "Services of the data center",
    columns: &[column("name").stays(), column("endpoint").stays()],
    ops: &[&LIST],
};
