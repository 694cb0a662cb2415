//! Packages: how large a machine is.

use crate::api::*;

/// Looked up by name; the versions of one name are told apart as `name@version`.
pub static PACKAGE: Noun =
    Noun::new("package", &GET, &LIST).versions(None).used_by(Users::Rows(&super::machines::LIST, "package"));

/// ListPackages.
pub static LIST: Op =
    Op::list("ListPackages", "list", "/:login/packages", "List the packages that the account can use")
        .fields(&[
            query("name", Kind::Text, "Only packages of this name; * stands for anything").test(Test::Text("name")),
            query("memory", Kind::Mebibytes, "Only packages with this much memory, in MiB or with a unit: 2G")
                .test(Test::Number("memory")),
            query("disk", Kind::Mebibytes, "Only packages with this much disk, in MiB or with a unit")
                .test(Test::Number("disk")),
            query("swap", Kind::Mebibytes, "Only packages with this much swap, in MiB or with a unit")
                .test(Test::Number("swap")),
            query("lwps", Kind::Integer, "Only packages with this many lightweight processes")
                .test(Test::Number("lwps")),
            query("vcpus", Kind::Integer, "Only packages with this many virtual processors")
                .test(Test::Number("vcpus")),
            query("version", Kind::Text, "Only packages of this version; * stands for anything")
                .test(Test::Text("version")),
            query("group", Kind::Text, "Only packages of this group; * stands for anything").test(Test::Text("group")),
            query("flexible_disk", Kind::Bool, "Only packages with flexible disks, or without")
                .test(Test::Bool("flexible_disk")),
            query("brand", Kind::Text, "Only packages of this brand").test(Test::Text("brand")),
        ])
        .examples("packages list\npackages list 'memory>=4G' brand=bhyve");

/// GetPackage.
pub static GET: Op = Op::get("GetPackage", "get", "/:login/packages/:package", "Show a package")
    .each()
    .examples("packages get g1-small\npackages get g1-large@1.1.0 --json");

/// `sdc packages`.
pub static PACKAGES: Resource = Resource {
    name: "packages",
    aliases: &["package", "pkgs", "pkg"],
    about: "Packages: sizes of machines",
    columns: &[
        column("shortid").of("id").show(Show::ShortId).brief().stays(),
        column("id").always().long(),
        column("name").always().stays(),
        column("version").brief(),
        column("memory").always().show(Show::Mebibytes),
        column("swap").always().show(Show::Mebibytes),
        column("disk").always().show(Show::Mebibytes),
        column("vcpus").always(),
        column("group").named(),
        column("brand").named(),
        column("description").long(),
        column("lwps").named(),
        column("default").always().truth().named(),
        column("flexible_disk").truth().named(),
        column("disks").objects().named(),
    ],
    ops: &[&LIST, &GET],
};
