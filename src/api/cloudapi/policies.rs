//! Policies: rules in words, such as `CAN rebootmachine`, that roles are made of.

use crate::api::*;

/// Changing and deleting take the UUID only, so a name is looked up.
pub static POLICY: Noun = Noun::new("policy", &GET, &LIST);

/// ListPolicies.
pub static LIST: Op = Op::list("ListPolicies", "list", "/:login/policies", "List the policies of the account")
    .examples("policies list\npolicies list --json");

/// GetPolicy.
pub static GET: Op = Op::get("GetPolicy", "get", "/:login/policies/:policy", "Show a policy")
    .each()
    .examples("policies get operate\npolicies get operate -o rules");

/// CreatePolicy.
pub static CREATE: Op = Op::create("CreatePolicy", "create", "/:login/policies", "Create a policy")
    .making(&POLICY)
    .long("Rules are checked before they are sent. An action is the name of an operation in lower case.")
    .fields(&[
        body("name", Kind::Text, "Name of the policy").positional(),
        body("rules", Kind::PolicyRules, "Rule: CAN action, action and action [WHEN conditions]; may be repeated")
            .flag("rule")
            .required(),
        body("description", Kind::Text, "Description").short('d'),
        ROLE_TAG,
    ])
    .examples(
        "policies create may-reboot --rule 'CAN rebootmachine and getmachine'\n\
         policies create readers --rule 'CAN get*, list*' --rule 'CAN machineaudit'",
    );

/// UpdatePolicy. Rules that are sent replace all rules. By the UUID only: an unknown one would be made.
pub static UPDATE: Op = Op::update("UpdatePolicy", "update", "/:login/policies/:policy", "Change a policy")
    .long(
        "Rules that are given replace all that were there, and what goes by it is said and asked about. --add-rule and \
         --remove-rule read them, change them and write them back, so two at once may undo each other.",
    )
    .locks_out()
    .replaces(&["rules"])
    .assigns()
    .fields(&[
        body("name", Kind::Text, "New name").short('n'),
        body("rules", Kind::PolicyRules, "Rule; may be repeated; replaces all rules").flag("rule"),
        body("description", Kind::TextOrEmpty, "Description; the empty one clears it").short('d'),
    ])
    .examples(
        "policies update keys --add-rule 'CAN listusers'\n\
         policies update keys description='SSH keys'",
    );

/// DeletePolicy.
pub static DELETE: Op = Op::delete("DeletePolicy", "delete", "/:login/policies/:policy", "Delete a policy")
    .each()
    .examples("policies delete keys\npolicies delete operate keys --yes");

/// `sdc policies`.
pub static POLICIES: Resource = Resource {
    name: "policies",
    aliases: &["policy"],
    about: "Policies: the rules that roles are made of",
    columns: &[
        column("shortid").of("id").show(Show::ShortId).named(),
        column("id").always().long(),
        column("name").always().stays(),
        column("description").long(),
        column("rules").always_many().stays(),
    ],
    ops: &[&LIST, &GET, &CREATE, &UPDATE, &DELETE],
};
