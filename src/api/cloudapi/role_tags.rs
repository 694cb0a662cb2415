//! SetRoleTags: which roles a thing is tagged with. One request, on whatever path the thing has; `sdc role-tags`
//! picks the operation by the path. They are read from the `role-tag` header of a GET on the same path.

use crate::api::*;

const COLUMNS: &[Column] = &[column("name").stays(), column("role-tag").stays()];
const FIELDS: &[Field] = &[body("role-tag", Kind::Words, "The roles; none clears the tags").required()];

/// The collections that the service keeps tags of, and the parameter by which one of their things is looked up.
pub const COLLECTIONS: &[(&str, Option<&str>)] = &[
    ("machines", Some("machine")),
    ("users", Some("user")),
    ("roles", Some("role")),
    ("packages", Some("package")),
    ("images", Some("image")),
    ("policies", Some("policy")),
    ("keys", Some("key")),
    ("datacenters", Some("datacenter")),
    ("fwrules", Some("fwrule")),
    ("networks", Some("network")),
    ("services", None),
];

/// Of the account itself.
pub static ACCOUNT: Op = tag("SetRoleTags", "/:login");
/// Of a collection, such as `machines`.
pub static COLLECTION: Op = tag("SetRoleTags (collection)", "/:login/:resource_name");
/// Of one thing.
pub static RESOURCE: Op = tag("SetRoleTags (resource)", "/:login/:resource_name/:resource_id");
/// Of one machine: a route of its own on the server, with the same effect.
pub static MACHINE: Op = tag("SetRoleTags (machine)", "/:login/machines/:machine");
/// Of the keys of a sub-user.
pub static USER_KEYS: Op = tag("SetRoleTags (user keys collection)", "/:login/users/:user/:resource_name");
/// Of one key of a sub-user.
pub static USER_KEY: Op = tag("SetRoleTags (user key)", "/:login/users/:user/keys/:userkey");

/// All of them.
pub static OPS: &[&Op] = &[&ACCOUNT, &COLLECTION, &RESOURCE, &MACHINE, &USER_KEYS, &USER_KEY];

const fn tag(id: &'static str, path: &'static str) -> Op {
    Op::put(id, "set", path, "Tag with roles").fields(FIELDS).columns(COLUMNS)
}

/// What a collection has in it, if its things can be looked up.
pub fn by_name(collection: &str) -> Option<&'static Noun> {
    COLLECTIONS.iter().find(|(name, _)| *name == collection).and_then(|(_, param)| super::CLOUDAPI.noun((*param)?))
}
