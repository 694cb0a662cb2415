//! IMGAPI: images, as far as VMs need them.

use super::mahi::ACCOUNT;
use super::{INNER, LIMIT};
use crate::api::*;

/// An image.
pub static IMAGE: Noun = Noun::new("adminimage", &GET, &LIST)
    .word("image")
    .versions(Some("published_at"))
    .ids(Ids::Uuid, "uuid", "id, name or name@version")
    .shared("owner", "public")
    .filter("name");

/// ListImages, of all accounts.
pub static LIST: Op = Op::list("ListImages", "list", "/images", "List the images of all accounts")
    .marker_pages(1000, Mark::Text("uuid"))
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("version", Kind::Text, "Only those of this version").test(Test::Text("version")),
        query(
            "state",
            Kind::OneOf(&["active", "disabled", "unactivated", "creating", "failed", "all"]),
            "Only those in this state; all shows those that cannot be used too",
        )
        .test(Test::Service),
        query("owner", Kind::Ref(&ACCOUNT), "Only those of this account: login or id").test(Test::Id("owner")),
        query("os", Kind::Text, "Only those with this operating system").test(Test::Text("os")),
        query("type", Kind::Text, "Only those of this type: zone-dataset, lx-dataset, zvol, docker, lxd")
            .test(Test::Text("type")),
        query("public", Kind::Bool, "Only those that all accounts may use, or none of them").test(Test::Bool("public")),
        LIMIT,
    ])
    .examples("admin images list\nadmin images list os=smartos --sort -published_at");

/// GetImage.
pub static GET: Op = Op::get("GetImage", "get", "/images/:adminimage", "Show an image")
    .each()
    .examples("admin images get base-64\nadmin images get base-64 -o name,version,owner");

/// `sdc admin images`.
pub static IMAGES: Resource = Resource {
    name: "images",
    aliases: &["image"],
    about: "Images of all accounts (IMGAPI)",
    columns: &[
        column("shortid").of("uuid").show(Show::ShortId).brief().stays(),
        column("uuid").always().long(),
        column("name").always().stays(),
        column("version").always(),
        column("state").always().stays(),
        column("type"),
        column("os"),
        column("public").always().truth().roomy(),
        column("published").of("published_at").time().show(Show::Day),
        column("published_at").time().long(),
        column("owner").always().long(),
        column("origin").named(),
        column("disabled").always().truth().named(),
        column("description").named(),
        column("acl").named(),
        column("files").objects().named(),
        column("requirements").nested(),
        column("tags").nested(),
        column("image_size").named().show(Show::Mebibytes),
    ],
    ops: &[&LIST, &GET],
};

/// IMGAPI.
pub static IMGAPI: Service =
    Service { name: "IMGAPI", resources: &[&IMAGES], nouns: &[&IMAGE], versions: Some("*"), first: 1, ..INNER };
