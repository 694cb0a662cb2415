//! Tags of a machine: names with a text, number or boolean, by which people find machines and the platform is told
//! what to do with them.

use crate::api::*;

/// Names that the server drops, or takes for something else than a tag.
const RESERVED: &[&str] = &["account", "machine", "uuid", "owner_uuid", "context", "image", "origin", "as-role"];

/// Tags of Docker, which can be neither set nor deleted.
pub const OF_DOCKER: &[&str] = &[
    "sdc_docker",
    "docker:label:triton.",
    "docker:label:com.docker.",
    "docker:label:com.dockerproject.",
    "docker:label:io.docker.",
    "docker:label:io.dockerproject.",
    "docker:label:org.docker.",
    "docker:label:org.dockerproject.",
];

const COLUMNS: &[Column] =
    &[column("name").stays(), column("value").stays(), column("machine").of("/machine/name").named()];
const ALL: &str = "/:login/machines/:machine/tags";
const ONE: &str = "/:login/machines/:machine/tags/:tag";

/// What shows whether tags are there: the tags of the machine.
pub static TAGS: Noun = Noun::new("machine", &LIST, &super::machines::LIST).log(&super::machines::AUDIT);

/// One tag; the server itself finds it by its name.
pub static TAG: Noun = Noun::new("tag", &GET, &LIST).ids(Ids::Any, "name", "name").barred("/");

/// ListMachineTags.
pub static LIST: Op = Op::map("ListMachineTags", "tags list", ALL, "List the tags of a machine")
    .each()
    .columns(COLUMNS)
    .examples("machines tags list web1\nmachines tags list 'web*' --json");

/// GetMachineTag. A number or boolean is answered as the empty text.
pub static GET: Op = Op::get("GetMachineTag", "tags get", ONE, "Show a tag of a machine")
    .examples("machines tags get web1 role\nmachines tags get web1 weight --json");

const GIVEN: &[Field] =
    &[body("", Kind::Tags(RESERVED), "Tag NAME=TEXT, or NAME:=JSON for a number or boolean").flag("TAG").positional()];

/// AddMachineTags. Every query parameter would become a tag.
pub static SET: Op = Op::create("AddMachineTags", "tags set", ALL, "Set tags of a machine, and leave the others")
    .each()
    .long("Roles cannot be taken on for this (--role): the service would store them as a tag; the default roles apply.")
    .answers_map()
    .without_roles()
    .job("set_tags")
    .until(Goal::Holds, &TAGS)
    .columns(COLUMNS)
    .fields(GIVEN)
    .examples(
        "machines tags set web1 role=web weight:=10 triton.cns.disable:=true\n\
         machines tags set web1 release=1.5.0 --wait",
    );

/// ReplaceMachineTags.
pub static REPLACE: Op =
    Op::put("ReplaceMachineTags", "tags replace", ALL, "Set tags of a machine, and remove all others")
        .each()
        .long("`machines tags delete-all MACHINE` removes all of them.")
        .answers_map()
        .without_roles()
        .asks()
        .job("replace_tags")
        .keeps(OF_DOCKER)
        .until(Goal::Audit("replace_tags"), &TAGS)
        .columns(COLUMNS)
        .fields(GIVEN)
        .examples(
            "machines tags replace web1 role=web stage=test\n\
             machines tags replace web1 role=web --yes --wait",
        );

/// DeleteMachineTag.
pub static DELETE: Op = Op::delete("DeleteMachineTag", "tags delete", ONE, "Remove tags from a machine")
    .in_turn()
    .job("remove_tags")
    .until(Goal::Lacks, &TAGS)
    .examples(
        "machines tags delete web1 weight\n\
         machines tags delete web1 stage weight --wait",
    );

/// DeleteMachineTags.
pub static DELETE_ALL: Op = Op::delete("DeleteMachineTags", "tags delete-all", ALL, "Remove all tags from a machine")
    .each()
    .keeps(OF_DOCKER)
    .long(
        "Refused for a machine that has tags of Docker, which stay: `machines tags delete` removes others by their names, and \
         `machines tags replace` with an empty object in its file all others.",
    )
    .job("replace_tags")
    .until(Goal::Empty(&[]), &TAGS)
    .examples(
        "machines tags delete-all web10\n\
         machines tags delete-all -l stage=test --yes --wait",
    );
