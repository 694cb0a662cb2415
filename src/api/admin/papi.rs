//! PAPI: packages.

use super::{INNER, LIMIT, OFFSET};
use crate::api::*;

/// A package.
pub static PACKAGE: Noun = Noun::new("adminpackage", &GET, &LIST)
    .word("package")
    .versions(None)
    .ids(Ids::Uuid, "uuid", "id, name or name@version")
    .filter("name");

/// ListPackages. A filter that it does not know it drops, and then all packages come.
pub static LIST: Op = Op::list("ListPackages", "list", "/packages", "List the packages, inactive ones too")
    .pages(1000)
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("version", Kind::Text, "Only those of this version").test(Test::Text("version")),
        query("active", Kind::Bool, "Only those that can be used, or cannot").test(Test::Bool("active")),
        query("brand", Kind::Text, "Only those for this brand").test(Test::Text("brand")),
        query("group", Kind::Text, "Only those of this group").test(Test::Text("group")),
        query("filter", Kind::Text, "Only those that this LDAP filter finds: (&(active=true)(vcpus>=4))")
            .test(Test::Service),
        LIMIT,
        OFFSET,
    ])
    .examples("admin packages list\nadmin packages list active=true 'max_physical_memory>=4G'");

/// GetPackage.
pub static GET: Op = Op::get("GetPackage", "get", "/packages/:adminpackage", "Show a package")
    .each()
    .examples("admin packages get g1-small\nadmin packages get g1-small -o name,quota");

/// `sdc admin packages`.
pub static PACKAGES: Resource = Resource {
    name: "packages",
    aliases: &["package"],
    about: "Packages, also those that customers do not see (PAPI)",
    columns: &[
        column("shortid").of("uuid").show(Show::ShortId).brief(),
        column("uuid").long(),
        column("name"),
        column("version"),
        column("active").truth(),
        column("max_physical_memory").show(Show::Mebibytes),
        column("max_swap").show(Show::Mebibytes).long(),
        column("quota").show(Show::Mebibytes),
        column("vcpus").roomy(),
        column("cpu_cap").roomy(),
        column("brand").long(),
        column("group").long(),
        column("max_lwps").named(),
        column("zfs_io_priority").named(),
        column("fss").named(),
        column("os").named(),
        column("default").truth().named(),
        column("flexible_disk").truth().named(),
        column("disks").objects().named(),
        column("owner_uuids").named(),
        column("networks").named(),
        column("traits").nested(),
        column("description").named(),
        column("common_name").named(),
        column("billing_tag").named(),
        column("created_at").time().named(),
        column("updated_at").time().named(),
    ],
    ops: &[&LIST, &GET],
};

/// PAPI.
pub static PAPI: Service = Service { name: "PAPI", resources: &[&PACKAGES], nouns: &[&PACKAGE], ..INNER };
