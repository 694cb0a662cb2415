//! Images: what machines are made from.

use crate::api::*;

const STATES: &[&str] = &["active", "unactivated", "disabled", "creating", "failed", "all"];
const ASKED: &[State] = &[
    state("active"),
    state("unactivated"),
    state("disabled"),
    state("creating"),
    state("failed"),
    // All of them, so there is nothing to compare.
    state("all").shown("*"),
];
const SYSTEMS: &[&str] = &["smartos", "linux", "windows", "bsd", "illumos", "other"];
const TYPES: &[&str] = &["zone-dataset", "lx-dataset", "zvol", "docker", "lxd", "other"];

/// Several images share a name: the newest one is meant unless a version is named.
pub static IMAGE: Noun = Noun {
    called: "id, short id, name (the newest) or name@version",
    ..Noun::new("image", &GET, &LIST)
        .versions(Some("published_at"))
        .filter("name")
        .fails(&["failed"])
        .owned(Owner::Account("owner"))
        .shared("owner", "public")
        .used_by(Users::Rows(&super::machines::LIST, "image"))
        .picked_by(&[Pick::Tags, Pick::State("state", "all"), Pick::Age("published_at")])
        .states(&["active", "unactivated", "disabled", "creating", "failed", "destroyed"])
        // Of the machine that it is made from.
        .log(&super::machines::AUDIT)
};

/// ListImages.
pub static LIST: Op = Op::list("ListImages", "list", "/:login/images", "List the images that the account can use")
    .long("Only active images without --state, and Docker images only with --type docker; what is named is shown.")
    .fields(&[
        query("name", Kind::Text, "Only images of this name").test(Test::Text("name")),
        query("version", Kind::Text, "Only images of this version").test(Test::Text("version")),
        query("os", Kind::OneOf(SYSTEMS), "Only images with this operating system").value("OS").test(Test::Text("os")),
        query("type", Kind::OneOf(TYPES), "Only images of this type").test(Test::Text("type")),
        query("state", Kind::OneOf(STATES), "Only images in one of these states; active if not given")
            .value("STATE,...")
            .test(Test::State(ASKED, Some(("state", "all")))),
        query("public", Kind::Bool, "Only public images, or only private ones").test(Test::Bool("public")),
        query("owner", Kind::Uuid, "Only images owned by this account, a UUID").test(Test::Text("owner")),
    ])
    .examples(
        "images list os=linux\n\
         images list state=all -o name,version,state,owner",
    );

/// GetImage.
pub static GET: Op = Op::get("GetImage", "get", "/:login/images/:image", "Show an image")
    .each()
    .examples("images get base-64\nimages get base-64@23.4.0 --json");

/// CreateImageFromMachine. The image is always an incremental one.
pub static CREATE: Op =
    Op::create("CreateImageFromMachine", "create", "/:login/images", "Create an image of a machine")
        .making(&IMAGE)
        .long(
            "The service stops a running machine while it makes the image. The image begins in the state creating; \
         --wait waits until it is active.",
        )
        .until(Goal::State("active"), &IMAGE)
        .fields(&[
            body("machine", Kind::Ref(&super::machines::MACHINE), "Machine: id, short id or name").positional(),
            body("name", Kind::Text, "Name of the image, at most 512 characters").positional(),
            body("version", Kind::Text, "Version of the image, at most 128 characters").positional(),
            body("description", Kind::Text, "Description").short('d'),
            body("homepage", Kind::Text, "Page about it").value("URL"),
            body("eula", Kind::Text, "Its licence").value("URL"),
            body("acl", Kind::Words, "Account that may use it too; may be repeated").value("UUID"),
            body("tags", Kind::Object, "Tag NAME=TEXT, NAME:=JSON, or @FILE; may be repeated").flag("tag").short('t'),
            ROLE_TAG,
        ])
        .examples(
            "images create web1 acme-web 1.5.0 --wait\n\
             images create web1 acme-web 1.5.0 -d 'Web server' -t role=web",
        );

/// ImportImageFromDatacenter. The request itself lasts as long as the copying.
pub static IMPORT: Op = Op::create(
    "ImportImageFromDatacenter",
    "import",
    "/:login/images",
    "Copy an image of yours from another data center to this one",
)
.making(&IMAGE)
.long(
    "It keeps its id. The answer comes when the image is here, which may take long: --request-timeout 30m. \
     `datacenters list` has the names of the data centers.",
)
.fixed(&[("action", "import-from-datacenter")])
.until(Goal::State("active"), &IMAGE)
.fields(&[
    query("id", Kind::Uuid, "The image's id in the other data center, a UUID").positional(),
    query("datacenter", Kind::Text, "Name of the other data center").flag("from").value("DATACENTER").required(),
])
.examples("images import e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d02 --from local-2");

/// UpdateImage. `acl` and `tags` replace what was there.
pub static UPDATE: Op = Op::update("UpdateImage", "update", "/:login/images/:image", "Update an image's metadata")
    .long("Only its owner may. --acl and --tag replace the whole list; `images share` and `images tag` change it.")
    .fixed(&[("action", "update")])
    .assigns()
    .replaces(&["acl", "tags"])
    .fields(&[
        body("name", Kind::Text, "Name, at most 512 characters").short('n'),
        body("version", Kind::Text, "Version, at most 128 characters"),
        body("description", Kind::TextOrEmpty, "Description").short('d'),
        body("homepage", Kind::TextOrEmpty, "Page about it").value("URL"),
        body("eula", Kind::TextOrEmpty, "URL of its licence"),
        body("acl", Kind::Words, "Accounts that may use it too; replaces those that may now").value("UUID"),
        body("tags", Kind::Object, "Tag NAME=TEXT, NAME:=JSON, or @FILE; replaces all tags").flag("tag").short('t'),
    ])
    .examples(
        "images update acme-web description='Web server'\n\
         images update acme-web --homepage https://www.example.com",
    );

/// ExportImage.
pub static EXPORT: Op =
    Op::update("ExportImage", "export", "/:login/images/:image", "Copy an image of yours to Manta, the object store")
        .fixed(&[("action", "export")])
        .columns(&[column("manta_url"), column("image_path"), column("manifest_path")])
        .fields(
            &[query("manta_path", Kind::Text, "Folder in Manta, or the beginning of the files' names").positional()],
        )
        .examples(
            "images export acme-web /acme/stor/images\n\
             images export acme-web /acme/stor/images -o manta_url",
        );

/// CloneImage.
pub static CLONE: Op =
    Op::update("CloneImage", "clone", "/:login/images/:image", "Copy a shared image into your account")
        .each()
        .of_others()
        .fixed(&[("action", "clone")])
        .making(&IMAGE)
        .examples("images clone e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d03");

/// DeleteImage.
pub static DELETE: Op = Op::delete("DeleteImage", "delete", "/:login/images/:image", "Delete an image of yours")
    .each()
    .examples("images delete acme-web\nimages delete acme-web@1.4.0 --yes");

/// `sdc images`.
pub static IMAGES: Resource = Resource {
    name: "images",
    aliases: &["image", "imgs", "img"],
    about: "Images that machines are made from",
    columns: &[
        column("shortid").of("id").show(Show::ShortId).brief().stays(),
        column("id").always().long(),
        column("name").always().stays(),
        column("version").always(),
        column("state").long().stays(),
        column("flags").of("").show(Show::ImageFlags),
        column("os"),
        column("type"),
        column("age").of("published_at").time().show(Show::Age).brief(),
        column("pubdate").of("published_at").time().show(Show::Day).long(),
        column("published_at").time().named(),
        column("description").named(),
        column("requirements").nested(),
        column("image_size").named().show(Show::Mebibytes),
        column("files").objects().named(),
        column("tags").nested(),
        column("homepage").named(),
        column("owner").named(),
        column("public").truth().named(),
        column("eula").named(),
        column("acl").named(),
        column("origin").named(),
        column("error").nested(),
    ],
    ops: &[&LIST, &GET, &CREATE, &IMPORT, &UPDATE, &EXPORT, &CLONE, &DELETE],
};
