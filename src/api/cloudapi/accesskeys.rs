//! The account's access keys: for the services that speak S3's kind of authentication.

use crate::api::*;

const STATUS: &[&str] = &["Active", "Inactive", "Expired"];

/// The server takes the id only, and so nothing is looked up.
pub static ACCESSKEY: Noun = Noun::new("accesskey", &GET, &LIST)
    .ids(Ids::Any, "accesskeyid", "id")
    .named("accesskeyid")
    .picked_by(&[Pick::Age("created")]);

/// Parameters of a new or changed access key.
pub const FIELDS: &[Field] = &[
    body("status", Kind::OneOf(STATUS), "Whether it counts; services of version 9.20 know only Active").short('s'),
    body("description", Kind::Text, "Description, at most 150 characters; version 9.20 ignores it").short('d'),
];

/// ListAccessKeys.
pub static LIST: Op = Op::list("ListAccessKeys", "list", "/:login/accesskeys", "List the access keys of the account")
    .long("The JSON of services of version 9.20 holds the secrets too: keep it where nobody else reads.")
    .fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
    .examples("accesskeys list\naccesskeys list -o accesskeyid,status");

/// GetAccessKey.
pub static GET: Op = Op::get("GetAccessKey", "get", "/:login/accesskeys/:accesskey", "Show an access key")
    .each()
    .fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
    .examples(
        "accesskeys get fc93c52fdbd847adb70ba8b9766212e0\n\
         accesskeys get fc93c52fdbd847adb70ba8b9766212e0 -o status",
    );

/// CreateAccessKey.
pub static CREATE: Op = Op::create("CreateAccessKey", "create", "/:login/accesskeys", "Create an access key")
    .making(&ACCESSKEY)
    .long("The answer holds the secret: newer services never show it again.")
    .columns(WITH_SECRET)
    .fields(FIELDS)
    .examples("accesskeys create\naccesskeys create -d 'Backups' --json");

/// UpdateAccessKey: of services newer than 9.20.
pub static UPDATE: Op =
    Op::update("UpdateAccessKey", "update", "/:login/accesskeys/:accesskey", "Change an access key")
        .long("Services of version 9.20 and before know no such request and answer 405.")
        .assigns()
        .fields(FIELDS)
        .examples(
            "accesskeys update fc93c52fdbd847adb70ba8b9766212e0 status=Inactive\n\
             accesskeys update fc93c52fdbd847adb70ba8b9766212e0 description='Backups'",
        );

/// DeleteAccessKey.
pub static DELETE: Op =
    Op::delete("DeleteAccessKey", "delete", "/:login/accesskeys/:accesskey", "Delete an access key").each().examples(
        "accesskeys delete fc93c52fdbd847adb70ba8b9766212e0\n\
         accesskeys delete fc93c52fdbd847adb70ba8b9766212e0 --yes",
    );

/// How an access key is shown; its secret only when it is asked for by name.
pub const COLUMNS: &[Column] = &[
    column("accesskeyid").always().stays(),
    column("status").always().stays(),
    column("credentialtype"),
    column("updated").time(),
    column("description").long(),
    column("created").always().time().long(),
    column("expiration").time().long(),
    column("accesskeysecret").named(),
];

/// The same just after its making.
pub const WITH_SECRET: &[Column] = &[
    column("accesskeyid"),
    column("accesskeysecret"),
    column("status"),
    column("created").time().long(),
    column("credentialtype").long(),
    column("expiration").time().long(),
    column("description").long(),
];

/// `sdc accesskeys`.
pub static ACCESSKEYS: Resource = Resource {
    name: "accesskeys",
    aliases: &["accesskey"],
    about: "Access keys of the account",
    columns: COLUMNS,
    ops: &[&LIST, &GET, &CREATE, &UPDATE, &DELETE],
};
