//! PAPI: packages.

use super::napi::NETWORK;
use super::{BRANDS, INNER, LIMIT, OFFSET, OWNERS};
use crate::api::*;

/// A package.
pub static PACKAGE: Noun = Noun::new("adminpackage", &GET, &LIST)
    .word("package")
    .versions(None)
    .ids(Ids::Uuid, "uuid", "id, name or name@version")
    .referred(&[("active", Referred::Value("true"))])
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
        query("filter", Kind::LdapFilter, "Only those that this LDAP filter finds: (&(active=true)(vcpus>=4))")
            .test(Test::Service),
        LIMIT,
        OFFSET,
    ])
    .examples("admin packages list\nadmin packages list active=true 'max_physical_memory>=4G'");

/// GetPackage.
pub static GET: Op = Op::get("GetPackage", "get", "/packages/:adminpackage", "Show a package")
    .each()
    .examples("admin packages get g1-small\nadmin packages get g1-small -o name,quota");

const ACTIVE: Field = body("active", Kind::Bool, "Whether VMs can be made with it");
const BRAND: Field = body("brand", Kind::OneOf(BRANDS), "Brand that it is for");
const ON: Field =
    body("networks", Kind::Refs(&NETWORK), "Network that its VMs get: id, short id or name; may be repeated")
        .flag("network");
const GROUP: Field = body("group", Kind::Text, "Group that it is shown in");
const DESCRIPTION: Field = body("description", Kind::Text, "Description");
const COMMON: Field = body("common_name", Kind::Text, "Name that people see");
const BILLING: Field = body("billing_tag", Kind::Text, "Word for the bill");
const PARENT: Field = body("parent", Kind::Text, "Package that it comes from");
const TRAITS: Field = body("traits", Kind::Json, "Traits that its servers must have, as JSON");
const PLATFORM: Field = body("min_platform", Kind::Json, "Oldest platform of its servers, as JSON");
const SHARES: Field = body("fss", Kind::Integer, "Shares of CPU");
const SPREAD: Field = body(
    "alloc_server_spread",
    Kind::OneOf(&["min-ram", "random", "min-owner"]),
    "How its VMs are spread over servers",
);
const FLEXIBLE: Field = body("flexible_disk", Kind::Bool, "Whether its bhyve VMs divide their disk space themselves");
const DISKS: Field = body("disks", Kind::Json, r#"Disks of such VMs: [{},{"size":"remaining"}]"#);
const DEFAULT: Field = body("default", Kind::Bool, "Whether it is the default one");
const CHECK: Field = body("skip_validation", Kind::Flag("true"), "Let the service take values that it would refuse");

/// CreatePackage.
pub static CREATE: Op = Op::create("CreatePackage", "create", "/packages", "Create a package")
    .making(&PACKAGE)
    .long("Name, version and sizes can never be changed: a new size is a new package.")
    .fields(&[
        body("name", Kind::Text, "Name").short('n').required(),
        body("version", Kind::Text, "Version: 1.0.0").required(),
        Field { default: Some("true"), ..ACTIVE },
        body("max_physical_memory", Kind::Mebibytes, "Memory, in MiB or with a unit; at least 64")
            .flag("memory")
            .required(),
        body("max_swap", Kind::Mebibytes, "Swap, in MiB or with a unit; at least as much").flag("swap").required(),
        body("quota", Kind::Mebibytes, "Disk space, in MiB or with a unit; a multiple of 1G").required(),
        body("max_lwps", Kind::Integer, "Limit of threads, at least 250").required(),
        body("zfs_io_priority", Kind::Integer, "Priority of input and output, 0 to 16383").required(),
        body("cpu_cap", Kind::Integer, "Limit of CPU, in percent of one core; at least 20"),
        body("vcpus", Kind::Integer, "Processors, 1 to 64"),
        body("uuid", Kind::Uuid, "Id, one that nothing has yet"),
        body("os", Kind::Text, "Operating system that it is for"),
        BRAND,
        OWNERS,
        ON,
        GROUP,
        DESCRIPTION,
        COMMON,
        BILLING,
        PARENT,
        TRAITS,
        PLATFORM,
        SHARES,
        SPREAD,
        FLEXIBLE,
        DISKS,
        DEFAULT,
        CHECK,
    ])
    .assigns()
    .examples(
        "admin packages create -n tiny --version 1.0.0 --memory 256 --swap 512 --quota 10G --max-lwps 1000 \
         --zfs-io-priority 10 --cpu-cap 25\n\
         admin packages create --from package.yaml --dry-run",
    );

/// UpdatePackage: what may be changed at all.
pub static UPDATE: Op = Op::put("UpdatePackage", "update", "/packages/:adminpackage", "Change a package")
    .long("Name, version and sizes stay: VMs have them. A list that is given replaces the one that is there.")
    .fields(&[
        ACTIVE,
        BRAND,
        OWNERS,
        ON,
        GROUP,
        DESCRIPTION,
        COMMON,
        BILLING,
        PARENT,
        TRAITS,
        PLATFORM,
        SHARES,
        SPREAD,
        FLEXIBLE,
        DISKS,
        DEFAULT,
        CHECK,
    ])
    .replaces(&["owner_uuids", "networks"])
    .assigns()
    .examples("admin packages update g1-small active=false\nadmin packages update g1-small --group general");

/// DeletePackage. Without force the service refuses every package.
pub static DELETE: Op = Op::delete("DeletePackage", "delete", "/packages/:adminpackage", "Delete a package")
    .each()
    .long("VMs that have it keep its id. To have no new ones made with it: `admin packages update NAME active=false`.")
    .fields(&[query("force", Kind::Flag("true"), "Delete it: packages are there to stay, and this is not asked again")
        .required()])
    .examples("admin packages delete g0-old --force\nadmin packages delete g0-old --force --dry-run");

/// `sdc admin packages`.
pub static PACKAGES: Resource = Resource {
    name: "packages",
    aliases: &["package"],
    about: "Packages, also those that customers do not see (PAPI)",
    columns: &[
        column("shortid").of("uuid").show(Show::ShortId).brief().stays(),
        column("uuid").always().long(),
        column("name").always().stays(),
        column("version").always(),
        column("active").always().truth(),
        column("max_physical_memory").always().show(Show::Mebibytes),
        column("max_swap").always().show(Show::Mebibytes).long(),
        column("quota").always().show(Show::Mebibytes),
        column("vcpus").roomy(),
        column("cpu_cap").roomy(),
        column("brand").long(),
        column("group").long(),
        column("max_lwps").always().named(),
        column("zfs_io_priority").always().named(),
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
    ops: &[&LIST, &GET, &CREATE, &UPDATE, &DELETE],
};

/// PAPI.
pub static PAPI: Service = Service { name: "PAPI", resources: &[&PACKAGES], nouns: &[&PACKAGE], ..INNER };
