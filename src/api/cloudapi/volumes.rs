//! Volumes: file systems on a fabric network that machines mount by NFS.

use crate::api::*;

const TYPES: &[&str] = &["tritonnfs"];

/// What every volume fits, whatever its state: a list without it leaves out those that failed. The service takes only
/// states that volumes have.
const ANY_STATE: &str = r#"{"or":[{"eq":["state","creating"]},{"eq":["state","ready"]},{"eq":["state","failed"]},{"eq":["state","deleting"]}]}"#;

const ASKED: &[State] = &[state("creating"), state("ready"), state("failed"), state("deleting")];

/// Looked up by name in the whole list: the server's name filter would leave nothing to suggest. Volumes that have
/// failed are not in it, and are found by their ids.
pub static VOLUME: Noun = Noun::new("volume", &GET, &LIST)
    .fails(&["failed"])
    .used_by(Users::Field("refs"))
    .states(&["ready", "creating", "deleting", "failed"])
    .picked_by(&[Pick::Tags, Pick::State("predicate", ANY_STATE), Pick::Age("created")]);

/// ListVolumes. It refuses every parameter that it does not know, `as-role` too.
pub static LIST: Op = Op::list("ListVolumes", "list", "/:login/volumes", "List the volumes of the account")
    .long("Volumes that failed are left out unless --state or --predicate is given, or they are named.")
    .without_roles()
    .fields(&[
        query("name", Kind::Text, "Only volumes of this name; * and ? stand for anything").test(Test::Text("name")),
        query("size", Kind::Mebibytes, "Only volumes of this size, in MiB or with a unit").test(Test::Number("size")),
        query(
            "state",
            Kind::OneOf(&["creating", "ready", "failed", "deleting"]),
            "Only volumes in one of these states",
        )
        .value("STATE,...")
        .test(Test::State(ASKED, Some(("predicate", ANY_STATE)))),
        query("type", Kind::OneOf(TYPES), "Only volumes of this type").test(Test::Text("type")),
        query("predicate", Kind::Json, r#"Any condition, such as {"ne":["state","ready"]}"#).test(Test::Service),
    ])
    .examples("volumes list\nvolumes list 'name=da*' -o name,size,filesystem_path");

/// GetVolume.
pub static GET: Op = Op::get("GetVolume", "get", "/:login/volumes/:volume", "Show a volume")
    .each()
    .examples("volumes get data\nvolumes get data -o filesystem_path,refs");

/// CreateVolume.
pub static CREATE: Op = Op::create("CreateVolume", "create", "/:login/volumes", "Create a volume")
    .making(&VOLUME)
    .long("`volumes sizes` lists the sizes that there are.")
    .until(Goal::State("ready"), &VOLUME)
    .fields(&[
        body("name", Kind::Text, "Name, 2 to 256 characters; made up by the service if not given").short('n'),
        body("size", Kind::Mebibytes, "Size in MiB or with a unit; 10G if not given").short('s'),
        body("type", Kind::OneOf(TYPES), "Type (only tritonnfs)").short('t').default("\"tritonnfs\""),
        body("networks", Kind::Refs(&super::networks::NETWORK), "Fabric network; the default one if not given")
            .flag("network")
            .short('N'),
        body("affinity", Kind::Affinity, "Placement rule on tags, such as role!=db; may be repeated"),
        body("tags", Kind::Object, "Tag NAME=TEXT, or @FILE of pairs; may be repeated").flag("tag"),
    ])
    .examples(
        "volumes create -n backup -s 20G --wait\n\
         volumes create -n backup -s 20G --network My-Fabric-Network --tag stage=prod",
    );

/// UpdateVolume, which no older tool reaches.
pub static RENAME: Op = Op::update("UpdateVolume", "rename", "/:login/volumes/:volume", "Rename a volume")
    .each()
    .renames()
    .long("Not while a machine uses it.")
    .fields(&[body("name", Kind::Text, "New name").positional()])
    .examples("volumes rename scratch archive\nvolumes rename e85a2c64 archive");

/// DeleteVolume.
pub static DELETE: Op = Op::delete("DeleteVolume", "delete", "/:login/volumes/:volume", "Delete a volume")
    .each()
    .long("Not while a machine uses it: `volumes get VOLUME -o refs` shows which do.")
    .until(Goal::Gone, &VOLUME)
    .examples(
        "volumes delete scratch --wait\n\
         volumes delete -l stage=test --older-than 7d --yes",
    );

/// ListVolumeSizes.
pub static SIZES: Op =
    Op::list("ListVolumeSizes", "sizes", "/:login/volumesizes", "List the sizes that volumes can have")
        .columns(&[column("type"), column("size").show(Show::Mebibytes)])
        .fields(&[query("type", Kind::OneOf(TYPES), "Only sizes of this type").test(Test::Text("type"))])
        .examples("volumes sizes\nvolumes sizes --json");

/// `sdc volumes`.
pub static VOLUMES: Resource = Resource {
    name: "volumes",
    aliases: &["volume", "vols", "vol"],
    about: "Volumes that machines share",
    columns: &[
        column("shortid").of("id").show(Show::ShortId).brief().stays(),
        column("id").always().long(),
        column("name").always().stays(),
        column("size").show(Show::Mebibytes),
        column("type").always(),
        column("resource").of("filesystem_path").long(),
        column("state").always().stays(),
        column("age").of("created").time().show(Show::Age).brief(),
        column("created").always().time().long(),
        column("filesystem_path").named(),
        column("networks").always_many().ids_of(&super::networks::NETWORK).named(),
        column("refs").named(),
        column("tags").nested(),
        column("owner_uuid").always().named(),
    ],
    ops: &[&LIST, &GET, &CREATE, &RENAME, &DELETE, &SIZES],
};
