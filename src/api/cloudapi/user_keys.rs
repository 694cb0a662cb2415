//! The keys of a sub-user: SSH keys, by which it signs, and access keys.

use super::accesskeys::{COLUMNS as ACCESS_COLUMNS, FIELDS as ACCESS_FIELDS, WITH_SECRET};
use super::keys::COLUMNS;
use crate::api::*;

/// The server itself finds a user's key by its name or MD5 fingerprint.
pub static USER_KEY: Noun =
    Noun::new("userkey", &GET, &LIST).word("key").ids(Ids::Key, "name", "name or fingerprint").barred("/");

/// The server takes the id only.
pub static USER_ACCESSKEY: Noun = Noun::new("useraccesskey", &ACCESS_GET, &ACCESS_LIST)
    .word("accesskey")
    .ids(Ids::Any, "accesskeyid", "id")
    .named("accesskeyid");

/// ListUserKeys.
pub static LIST: Op =
    Op::list("ListUserKeys", "keys list", "/:login/users/:user/keys", "List the SSH keys of a sub-user")
        .columns(COLUMNS)
        .fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
        .examples("users keys list ci\nusers keys list ci --long");

/// GetUserKey.
pub static GET: Op = Op::get(
    "GetUserKey",
    "keys get",
    "/:login/users/:user/keys/:userkey",
    "Show an SSH key of a sub-user, by name or MD5 fingerprint",
)
.each()
.columns(COLUMNS)
.fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
.examples("users keys get ci laptop\nusers keys get ci laptop -o key");

/// CreateUserKey.
pub static ADD: Op =
    Op::create("CreateUserKey", "keys add", "/:login/users/:user/keys", "Add an SSH public key to a sub-user")
        .making(&USER_KEY)
        .long("Only a public key is taken; the file of a private one is refused before anything is sent.")
        .columns(COLUMNS)
        .fields(&[
            body("key", Kind::PublicKeyFile, "File with the OpenSSH public key, - for standard input").positional(),
            body("name", Kind::Text, "Name of the key; its comment if not given").short('n'),
            body("attestation", Kind::Files, "File (PEM) that attests where the key lives; may be repeated"),
            ROLE_TAG,
        ])
        .examples("users keys add ci laptop.pub\nusers keys add ci laptop.pub -n laptop");

/// DeleteUserKey.
pub static DELETE: Op = Op::delete(
    "DeleteUserKey",
    "keys delete",
    "/:login/users/:user/keys/:userkey",
    "Remove an SSH key from a sub-user",
)
.each()
.examples("users keys delete ci laptop\nusers keys delete ci laptop --yes");

/// ListUserAccessKeys.
pub static ACCESS_LIST: Op = Op::list(
    "ListUserAccessKeys",
    "accesskeys list",
    "/:login/users/:user/accesskeys",
    "List the access keys of a sub-user",
)
.columns(ACCESS_COLUMNS)
.fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
.examples(
    "users accesskeys list ci\n\
     users accesskeys list ci -o accesskeyid,status",
);

/// GetUserAccessKey.
pub static ACCESS_GET: Op = Op::get(
    "GetUserAccessKey",
    "accesskeys get",
    "/:login/users/:user/accesskeys/:useraccesskey",
    "Show an access key of a sub-user",
)
.each()
.columns(ACCESS_COLUMNS)
.fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
.examples(
    "users accesskeys get ci fc93c52fdbd847adb70ba8b9766212e0\n\
     users accesskeys get ci fc93c52fdbd847adb70ba8b9766212e0 -o status",
);

/// CreateUserAccessKey.
pub static ACCESS_CREATE: Op = Op::create(
    "CreateUserAccessKey",
    "accesskeys create",
    "/:login/users/:user/accesskeys",
    "Create an access key for a sub-user",
)
.making(&USER_ACCESSKEY)
.long("The answer holds the secret: newer services never show it again.")
.columns(WITH_SECRET)
.fields(ACCESS_FIELDS)
.examples(
    "users accesskeys create ci\n\
     users accesskeys create ci -d 'Backups' --json",
);

/// UpdateUserAccessKey: of services newer than 9.20.
pub static ACCESS_UPDATE: Op = Op::update(
    "UpdateUserAccessKey",
    "accesskeys update",
    "/:login/users/:user/accesskeys/:useraccesskey",
    "Change an access key of a sub-user",
)
.long("Services of version 9.20 and before know no such request and answer 405.")
.columns(ACCESS_COLUMNS)
.assigns()
.fields(ACCESS_FIELDS)
.examples(
    "users accesskeys update ci fc93c52fdbd847adb70ba8b9766212e0 status=Inactive\n\
     users accesskeys update ci fc93c52fdbd847adb70ba8b9766212e0 description='Backups'",
);

/// DeleteUserAccessKey.
pub static ACCESS_DELETE: Op = Op::delete(
    "DeleteUserAccessKey",
    "accesskeys delete",
    "/:login/users/:user/accesskeys/:useraccesskey",
    "Delete an access key of a sub-user",
)
.each()
.examples(
    "users accesskeys delete ci fc93c52fdbd847adb70ba8b9766212e0\n\
     users accesskeys delete ci fc93c52fdbd847adb70ba8b9766212e0 --yes",
);
