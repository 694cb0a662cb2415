//! The account's SSH public keys: who may sign requests, and who may log in to machines.

use crate::api::*;

/// The server itself finds a key by its name or MD5 fingerprint.
pub static KEY: Noun = Noun::new("key", &GET, &LIST).ids(Ids::Key, "name", "name or fingerprint").barred("/");

/// ListKeys.
pub static LIST: Op = Op::list("ListKeys", "list", "/:login/keys", "List the SSH keys of the account")
    .fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
    .examples("keys list\nkeys list --long");

/// GetKey.
pub static GET: Op = Op::get("GetKey", "get", "/:login/keys/:key", "Show an SSH key, by name or MD5 fingerprint")
    .each()
    .fields(&[query("sync", Kind::Flag("true"), "Read past the service's cache")])
    .examples("keys get emulator\nkeys get emulator -o key");

/// CreateKey.
pub static ADD: Op = Op::create("CreateKey", "add", "/:login/keys", "Add an SSH public key to the account")
    .making(&KEY)
    .long("Only a public key is taken; the file of a private one is refused before anything is sent.")
    .fields(&[
        body("key", Kind::PublicKeyFile, "File with the OpenSSH public key, - for standard input").positional(),
        body("name", Kind::Text, "Name of the key; its comment if not given").short('n'),
        body("attestation", Kind::Files, "File (PEM) that attests where the key lives; may be repeated"),
        ROLE_TAG,
    ])
    .examples("keys add laptop.pub\nkeys add laptop.pub -n laptop");

/// DeleteKey.
pub static DELETE: Op = Op::delete("DeleteKey", "delete", "/:login/keys/:key", "Remove an SSH key from the account")
    .each()
    .examples("keys delete laptop\nkeys delete laptop --yes");

/// How an SSH key is shown, whosever it is.
pub const COLUMNS: &[Column] = &[
    column("fingerprint").always().stays(),
    column("name").always().stays(),
    column("key").always().long(),
    column("attested").truth().named(),
    column("multifactor").named(),
];

/// `sdc keys`.
pub static KEYS: Resource = Resource {
    name: "keys",
    aliases: &["key"],
    about: "SSH keys of the account",
    columns: COLUMNS,
    ops: &[&LIST, &GET, &ADD, &DELETE],
};
