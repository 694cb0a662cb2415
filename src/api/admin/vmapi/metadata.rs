//! Metadata and tags of a VM: three objects of texts, numbers and truth values with the same routes.

use super::{OWNER, VM};
use crate::api::cloudapi::tags::OF_DOCKER;
use crate::api::*;

/// What VMAPI computes anew whenever it is read, by the begin of its names.
pub(super) const COMPUTED: &[&str] = &["sdc:"];

/// How metadata is shown.
const COLUMNS: &[Column] =
    &[column("name").stays(), column("value").stays(), column("vm_uuid").named(), column("job_uuid").named()];

const CUSTOMER: &str = "/vms/:vm/customer_metadata";
const CUSTOMER_ONE: &str = "/vms/:vm/customer_metadata/:vm_metadata_key";
const INTERNAL: &str = "/vms/:vm/internal_metadata";
const INTERNAL_ONE: &str = "/vms/:vm/internal_metadata/:vm_internal_key";
const TAGS: &str = "/vms/:vm/tags";
const TAGS_ONE: &str = "/vms/:vm/tags/:vm_tag";
const ROLE_TAGS: &str = "/vms/:vm/role_tags";

/// A key of the metadata that the VM sees.
pub static METADATA_KEY: Noun =
    Noun::new("vm_metadata_key", &GET_METADATA, &LIST_METADATA).word("key").ids(Ids::Any, "name", "name");
/// A key of the metadata that it does not see.
pub static INTERNAL_KEY: Noun =
    Noun::new("vm_internal_key", &GET_INTERNAL, &LIST_INTERNAL).word("key").ids(Ids::Any, "name", "name");
/// A tag.
pub static VM_TAG: Noun = Noun::new("vm_tag", &GET_TAG, &LIST_TAGS).word("tag").ids(Ids::Any, "name", "name");

const fn list(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
    Op::map(id, verb, path, about).each().columns(COLUMNS)
}

const fn set(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
    changed(Op::create(id, verb, path, about).each().assigns(), Shown::Pairs(object(path)))
}

const fn replace(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
    changed(Op::put(id, verb, path, about).each().assigns().asks(), Shown::OnlyPairs(object(path)))
}

const fn delete(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
    changed(Op::delete(id, verb, path, about), Shown::NoPair(object(path)))
}

const fn delete_all(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
    changed(Op::delete(id, verb, path, about).each(), Shown::NoPairs(object(path)))
}

/// A job of an update carries it out, and the VM shows it.
const fn changed(op: Op, shown: Shown) -> Op {
    op.starts_job().task("update").until(Goal::Shows(shown), &VM).columns(COLUMNS)
}

/// The object of a VM that a path is about.
const fn object(path: &'static str) -> &'static str {
    // A path of tags has a `t` behind `/vms/:vm/`, and so on.
    match path.as_bytes()[9] {
        b't' => "tags",
        b'c' => "customer_metadata",
        _ => "internal_metadata",
    }
}

/// Those of the platform and of Docker are known by their names.
const TAG_PAIRS: Field = body("", Kind::Tags(&[]), "Tag NAME=TEXT, or NAME:=JSON for a number or boolean")
    .flag("TAG")
    .positional()
    .optional();

const fn pairs(about: &'static str, word: &'static str) -> Field {
    body("", Kind::FlatPairs(&[]), about).flag(word).positional().optional()
}

/// ListCustomerMetadata.
pub static LIST_METADATA: Op = list("ListCustomerMetadata", "metadata list", CUSTOMER, "List the metadata of a VM")
    .examples("admin vms metadata list web1\nadmin vms metadata list web1 --json");
/// GetCustomerMetadata.
pub static GET_METADATA: Op =
    Op::get("GetCustomerMetadata", "metadata get", CUSTOMER_ONE, "Show a metadata value of a VM")
        .examples("admin vms metadata get web1 release\nadmin vms metadata get web1 user-script");
/// AddCustomerMetadata.
pub static SET_METADATA: Op =
    set("AddCustomerMetadata", "metadata set", CUSTOMER, "Set metadata of a VM, and leave the rest")
        .fields(&[pairs("Metadata NAME=TEXT, or NAME:=JSON for a number or boolean", "METADATA")])
        .examples(
            "admin vms metadata set web1 release=1.5.0 --wait\nadmin vms metadata set web1 release=1.5.0 --dry-run",
        );
/// SetCustomerMetadata. What becomes of a key that gets an empty or false value nobody knows.
pub static REPLACE_METADATA: Op =
    replace("SetCustomerMetadata", "metadata replace", CUSTOMER, "Replace all metadata of a VM")
        .fields(&[pairs("Metadata NAME=TEXT, or NAME:=JSON for a number or boolean", "METADATA")])
        .examples(
            "admin vms metadata replace web1 release=1.5.0 --wait\n\
         admin vms metadata replace web1 release=1.5.0 --dry-run",
        );
/// DeleteCustomerMetadata.
pub static DELETE_METADATA: Op =
    delete("DeleteCustomerMetadata", "metadata delete", CUSTOMER_ONE, "Remove metadata from a VM")
        .in_turn()
        .examples("admin vms metadata delete web1 release --yes\nadmin vms metadata delete web1 release --wait --yes");
/// DeleteAllCustomerMetadata.
pub static DELETE_ALL_METADATA: Op =
    delete_all("DeleteAllCustomerMetadata", "metadata delete-all", CUSTOMER, "Remove all metadata from a VM")
        .each()
        .examples("admin vms metadata delete-all web1 --yes\nadmin vms metadata delete-all web1 --wait --yes");

/// ListInternalMetadata.
pub static LIST_INTERNAL: Op =
    list("ListInternalMetadata", "internal-metadata list", INTERNAL, "List the metadata that a VM does not see")
        .examples("admin vms internal-metadata list web1\nadmin vms internal-metadata list web1 --json");
/// GetInternalMetadata.
pub static GET_INTERNAL: Op =
    Op::get("GetInternalMetadata", "internal-metadata get", INTERNAL_ONE, "Show a value that a VM does not see")
        .examples("admin vms internal-metadata get web1 ticket\nadmin vms internal-metadata get web1 ticket --json");
/// AddInternalMetadata.
pub static SET_INTERNAL: Op = set(
    "AddInternalMetadata",
    "internal-metadata set",
    INTERNAL,
    "Set metadata that a VM does not see, and leave the rest",
)
.fields(&[pairs("Metadata NAME=TEXT, or NAME:=JSON for a number or boolean", "METADATA")])
.keeps(COMPUTED)
.examples(
    "admin vms internal-metadata set web1 ticket=4711 --wait\n\
     admin vms internal-metadata set web1 ticket=4711 --dry-run",
);
/// SetInternalMetadata. What becomes of a key that gets an empty or false value nobody knows.
pub static REPLACE_INTERNAL: Op = replace(
    "SetInternalMetadata",
    "internal-metadata replace",
    INTERNAL,
    "Replace all metadata that a VM does not see",
)
.fields(&[pairs("Metadata NAME=TEXT, or NAME:=JSON for a number or boolean", "METADATA")])
.keeps(COMPUTED)
.examples(
    "admin vms internal-metadata replace web1 ticket=4711 --wait\n\
         admin vms internal-metadata replace web1 ticket=4711 --dry-run",
);
/// DeleteInternalMetadata.
pub static DELETE_INTERNAL: Op = delete(
    "DeleteInternalMetadata",
    "internal-metadata delete",
    INTERNAL_ONE,
    "Remove metadata that a VM does not see",
)
.in_turn()
.keeps(COMPUTED)
.examples(
    "admin vms internal-metadata delete web1 ticket --yes\n\
             admin vms internal-metadata delete web1 ticket --wait --yes",
);
/// DeleteAllInternalMetadata.
pub static DELETE_ALL_INTERNAL: Op = delete_all(
    "DeleteAllInternalMetadata",
    "internal-metadata delete-all",
    INTERNAL,
    "Remove all metadata that a VM does not see",
)
.each()
.keeps(COMPUTED)
.examples(
    "admin vms internal-metadata delete-all web1 --yes\n\
     admin vms internal-metadata delete-all web1 --wait --yes",
);

/// ListTags.
pub static LIST_TAGS: Op = list("ListTags", "tags list", TAGS, "List the tags of a VM")
    .examples("admin vms tags list web1\nadmin vms tags list web1 --json");
/// GetTag.
pub static GET_TAG: Op = Op::get("GetTag", "tags get", TAGS_ONE, "Show a tag of a VM")
    .examples("admin vms tags get web1 role\nadmin vms tags get web1 role --json");
/// AddTags.
pub static SET_TAGS: Op = set("AddTags", "tags set", TAGS, "Set tags of a VM, and leave the rest")
    .fields(&[TAG_PAIRS])
    .examples("admin vms tags set web1 stage=prod --wait\nadmin vms tags set -l role=web stage=prod --dry-run");
/// SetTags. What becomes of a key that gets an empty or false value nobody knows.
pub static REPLACE_TAGS: Op = replace("SetTags", "tags replace", TAGS, "Replace all tags of a VM")
    .fields(&[TAG_PAIRS])
    .keeps(OF_DOCKER)
    .examples(
        "admin vms tags replace web1 stage=prod --wait\n\
         admin vms tags replace web1 stage=prod --dry-run",
    );
/// DeleteTag.
pub static DELETE_TAG: Op = delete("DeleteTag", "tags delete", TAGS_ONE, "Remove tags from a VM")
    .in_turn()
    .examples("admin vms tags delete web1 stage --yes\nadmin vms tags delete web1 stage --wait --yes");
/// DeleteAllTags.
pub static DELETE_ALL_TAGS: Op = delete_all("DeleteAllTags", "tags delete-all", TAGS, "Remove all tags from a VM")
    .each()
    .keeps(OF_DOCKER)
    .examples("admin vms tags delete-all web1 --yes\nadmin vms tags delete-all web1 --wait --yes");

const ROLE_COLUMNS: &[Column] = &[column("role_tags").stays()];
const ROLES: Field =
    body("role_tags", Kind::Texts, "Ids of roles of the VM's owner").flag("role").value("ROLE").positional();

/// AddRoleTags.
pub static ADD_ROLE_TAGS: Op = Op::update("AddRoleTags", "role-tags add", ROLE_TAGS, "Add role tags to a VM")
    .adds()
    .fields(&[ROLES, OWNER])
    .columns(ROLE_COLUMNS)
    .examples(
        "admin vms role-tags add web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61\n\
         admin vms role-tags add web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61 --dry-run",
    );
/// SetRoleTags.
pub static SET_ROLE_TAGS: Op = Op::put("SetRoleTags", "role-tags set", ROLE_TAGS, "Replace the role tags of a VM")
    .fields(&[ROLES, OWNER])
    .asks()
    .columns(ROLE_COLUMNS)
    .examples(
        "admin vms role-tags set web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61\n\
         admin vms role-tags set web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61 --dry-run",
    );
/// DeleteRoleTag.
pub static DELETE_ROLE_TAG: Op = Op {
    // It answers what is left.
    shape: Shape::Record,
    ..Op::delete("DeleteRoleTag", "role-tags delete", "/vms/:vm/role_tags/:role_tag", "Remove a role tag from a VM")
        .fields(&[OWNER])
        .columns(ROLE_COLUMNS)
        .examples(
            "admin vms role-tags delete web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61\n\
             admin vms role-tags delete web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61 --dry-run",
        )
};
/// DeleteAllRoleTags.
pub static DELETE_ALL_ROLE_TAGS: Op =
    Op::delete("DeleteAllRoleTags", "role-tags delete-all", ROLE_TAGS, "Remove all role tags from a VM")
        .fields(&[OWNER])
        .each()
        .examples("admin vms role-tags delete-all web1 --yes\nadmin vms role-tags delete-all web1 --dry-run");
