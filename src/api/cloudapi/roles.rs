//! Roles: which sub-users may do what the role's policies say, on what is tagged with it.

use crate::api::*;

/// Deleting takes the UUID only, so a name is looked up.
pub static ROLE: Noun = Noun::new("role", &GET, &LIST);

/// ListRoles.
pub static LIST: Op = Op::list("ListRoles", "list", "/:login/roles", "List the roles of the account")
    .long(
        "The list may show a member as a default one in a role where it is not. `roles get ROLE` and `rbac info` are \
     right.",
    )
    .examples("roles list\nroles list --json");

/// GetRole.
pub static GET: Op = Op::get("GetRole", "get", "/:login/roles/:role", "Show a role")
    .each()
    .examples("roles get operator\nroles get operator --json");

/// CreateRole, in the form of API version 9.
pub static CREATE: Op = Op::create("CreateRole", "create", "/:login/roles", "Create a role")
    .making(&ROLE)
    .long(
        "A default member acts in the role without asking; others say --role. What the role is for is tagged with \
         it: `role-tags set machines/web1 ops`.",
    )
    .fields(&[
        body("name", Kind::Text, "Name of the role").positional(),
        body(
            "members",
            Kind::Members(false),
            "Login of a sub-user, or account:LOGIN of another account; may be repeated",
        )
        .value("LOGIN")
        .flag("member"),
        body("default-members", Kind::Members(true), "The same, and the role is active without being asked for")
            .value("LOGIN")
            .flag("default-member"),
        body("policies", Kind::NamedList, "Name of a policy; may be repeated").flag("policy"),
        ROLE_TAG,
    ])
    .examples(
        "roles create ops --member ci --policy operate\n\
         roles create ops --default-member ci --policy operate --policy keys",
    );

/// UpdateRole. A list that is sent replaces the whole list.
pub static UPDATE: Op = Op::update("UpdateRole", "update", "/:login/roles/:role", "Change a role")
    .long(
        "Members and policies that are given replace all that were there, and who goes by it is said and asked about; a \
         list that is not given stays as it is. The options with add and remove read the list, change it and write it \
         back, so two at once may undo each other.",
    )
    .locks_out()
    .replaces(&["members", "policies"])
    .assigns()
    .fields(&[
        body("name", Kind::Text, "New name").short('n'),
        body("members", Kind::Members(false), "Login of a sub-user, or account:LOGIN; may be repeated; replaces all")
            .value("LOGIN")
            .flag("member"),
        body("default-members", Kind::Members(true), "The same, and the role is active without being asked for")
            .value("LOGIN")
            .flag("default-member"),
        body("policies", Kind::NamedList, "Name of a policy; may be repeated; replaces all policies").flag("policy"),
    ])
    .examples(
        "roles update keyadmin --add-policy operate\n\
         roles update operator name=operators",
    );

/// DeleteRole.
pub static DELETE: Op = Op::delete("DeleteRole", "delete", "/:login/roles/:role", "Delete a role")
    .each()
    .examples("roles delete keyadmin\nroles delete operator keyadmin --yes");

/// `sdc roles`.
pub static ROLES: Resource = Resource {
    name: "roles",
    aliases: &["role"],
    about: "Roles: who may do what",
    columns: &[
        column("shortid").of("id").show(Show::ShortId).named(),
        column("id").always().long(),
        column("name").always().stays(),
        column("policies").always_many().show(Show::Names).stays(),
        column("members").always_many().show(Show::Names),
        column("default_members").named(),
    ],
    ops: &[&LIST, &GET, &CREATE, &UPDATE, &DELETE],
};
