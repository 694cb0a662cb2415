//! Images: what machines are made from.

use super::*;

const STATES: &[&str] = &["active", "unactivated", "disabled", "creating", "failed", "all"];
const SYSTEMS: &[&str] = &["smartos", "linux", "windows", "bsd", "illumos", "other"];
const TYPES: &[&str] = &["zone-dataset", "lx-dataset", "zvol", "docker", "lxd", "other"];

/// Several images share a name: the newest one is meant unless a version is named.
pub static IMAGE: Noun = Noun {
    name: "image",
    called: "id, short id, name (the newest) or name@version",
    get: &GET,
    failed: &["failed"],
    list: Some(&LIST),
    filter: Some("name"),
    name_field: "name",
    version_field: Some("version"),
    newest_by: Some("published_at"),
    lister: "sdc images list",
};

/// ListImages.
pub static LIST: Op = Op::list("ListImages", "list", "/:login/images", "List the images that the account can use")
    .long("Only active images unless --state says otherwise. Docker images only with --type docker.")
    .fields(&[
        query("name", Kind::Text, "Only images of this name"),
        query("version", Kind::Text, "Only images of this version"),
        query("os", Kind::OneOf(SYSTEMS), "Only images with this operating system"),
        query("type", Kind::OneOf(TYPES), "Only images of this type"),
        query("state", Kind::OneOf(STATES), "Only images in this state; active if not given"),
        query("public", Kind::Bool, "Only public images, or only private ones"),
        query("owner", Kind::Text, "Only images owned by this account, a UUID"),
    ]);

/// GetImage.
pub static GET: Op = Op::get("GetImage", "get", "/:login/images/:image", "Show an image");

/// `sdc images`.
pub static IMAGES: Resource = Resource {
    name: "images",
    aliases: &["image", "imgs", "img"],
    about: "Images that machines are made from",
    columns: &[
        column("shortid").of("id").show(Show::ShortId),
        column("id").long(),
        column("name"),
        column("version"),
        column("state").long(),
        column("flags").of("").show(Show::ImageFlags),
        column("os"),
        column("type"),
        column("age").of("published_at").show(Show::Age),
        column("published_at").long(),
        column("description").named(),
        column("requirements").nested(),
        column("image_size").named().show(Show::Mebibytes),
        column("files").named(),
        column("tags").nested(),
        column("homepage").named(),
        column("owner").named(),
        column("public").named(),
        column("eula").named(),
        column("acl").named(),
        column("origin").named(),
        column("error").nested(),
    ],
    ops: &[&LIST, &GET],
};
