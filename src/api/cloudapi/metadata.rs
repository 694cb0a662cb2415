//! Metadata of a machine: names with a text that the machine itself can read, scripts and passwords among them.

use crate::api::*;

/// Names that the server drops, keeps for itself, or takes for something else.
const RESERVED: &[&str] = &["account", "machine", "+uuid", "+owner_uuid", "+credentials", "image", "as-role", "*_pw"];

/// What is there still when all of it is deleted.
const KEPT: &[&str] = &["root_authorized_keys", "administrator_pw", "uuid", "owner_uuid"];

const COLUMNS: &[Column] =
    &[column("name").stays(), column("value").stays(), column("machine").of("/machine/name").named()];
/// Whoever sets a password is not to find it in a log: its name says that it is there.
const NAMES: &[Column] =
    &[column("name").stays(), column("value").long(), column("machine").of("/machine/name").named()];
const ALL: &str = "/:login/machines/:machine/metadata";
const ONE: &str = "/:login/machines/:machine/metadata/:metadata_key";

/// What shows whether metadata is there: that of the machine.
pub static METADATA: Noun = Noun::new("machine", &LIST, &super::machines::LIST).log(&super::machines::AUDIT);

/// One entry; the server itself finds it by its name. It hands the name on in a path of its own, unescaped.
pub static METADATA_KEY: Noun =
    Noun::new("metadata_key", &GET, &LIST).word("key").ids(Ids::Any, "name", "name").barred("/?#%");

/// ListMachineMetadata.
pub static LIST: Op = Op::map("ListMachineMetadata", "metadata list", ALL, "List the metadata of a machine")
    .each()
    .columns(COLUMNS)
    .fields(&[query("credentials", Kind::Flag("true"), "Show generated passwords too")])
    .examples(
        "machines metadata list web1\n\
         machines metadata list web1 --credentials --json",
    );

/// GetMachineMetadata. Only texts are answered; `credentials` is an object.
pub static GET: Op = Op::get("GetMachineMetadata", "metadata get", ONE, "Show a metadata value of a machine").examples(
    "machines metadata get web1 release\n\
     machines metadata get web1 user-script",
);

/// UpdateMachineMetadata, which the server's routes call AddMachineMetadata. Every query parameter would be stored.
pub static SET: Op =
    Op::create("UpdateMachineMetadata", "metadata set", ALL, "Set metadata of a machine, and leave the rest")
        .each()
        .long(
            "The table has the names of what is there, and with --long the values too.\n\nRoles cannot be taken on for \
             this (--role): the service would store them; the default roles apply.",
        )
        .answers_map()
        .without_roles()
        .job("set_metadata")
        .until(Goal::Holds, &METADATA)
        .columns(NAMES)
        .fields(&[
            body("", Kind::FlatPairs(RESERVED), "Metadata NAME=TEXT, or NAME:=JSON for a number or boolean")
                .flag("METADATA")
                .positional()
                .optional(),
            body("file", Kind::FlatFiles(RESERVED), "Metadata NAME=@FILE: the value is the file's contents").short('M'),
            body("user-script", Kind::File, "File that the machine runs at every boot, - for standard input")
                .flag("script"),
            body("cloud-init:user-data", Kind::File, "File with the configuration for cloud-init").flag("cloud-config"),
        ])
        .assigns()
        .examples(
            "machines metadata set web1 release=1.5.0 --script boot.sh\n\
             machines metadata set web1 --file motd=@motd.txt --wait",
        );

/// DeleteMachineMetadata.
pub static DELETE: Op = Op::delete("DeleteMachineMetadata", "metadata delete", ONE, "Remove metadata from a machine")
    .in_turn()
    .job("remove_metadata")
    .until(Goal::Lacks, &METADATA)
    .examples(
        "machines metadata delete web1 release\n\
         machines metadata delete web1 release user-script --wait",
    );

/// DeleteAllMachineMetadata. It keeps two keys, and leaves two of the server's own behind.
pub static DELETE_ALL: Op =
    Op::delete("DeleteAllMachineMetadata", "metadata delete-all", ALL, "Remove all metadata from a machine")
        .each()
        .long("The service keeps root_authorized_keys and administrator_pw.")
        .job("replace_metadata")
        .until(Goal::Empty(KEPT), &METADATA)
        .examples(
            "machines metadata delete-all web1\n\
             machines metadata delete-all web1 web10 --yes --wait",
        );
