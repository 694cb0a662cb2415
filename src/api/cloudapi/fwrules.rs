//! Firewall rules of the account. They act on machines whose firewall is on.

use crate::api::*;

const RULE: &str = "Rule: FROM any TO tag role = web ALLOW tcp PORT 80; checked before it is sent";

/// Rules have no names.
pub static FWRULE: Noun = Noun {
    called: "id or short id",
    ..Noun::new("fwrule", &GET, &LIST).word("firewall rule").named("id").owned(Owner::Operator("global"))
};

/// How a rule is shown.
pub const COLUMNS: &[Column] = &[
    column("shortid").of("id").show(Show::ShortId),
    column("id").long(),
    column("enabled"),
    column("global"),
    column("log"),
    column("rule"),
    column("description").long(),
];

/// ListFirewallRules.
pub static LIST: Op =
    Op::list("ListFirewallRules", "list", "/:login/fwrules", "List the firewall rules of the account");

/// GetFirewallRule.
pub static GET: Op = Op::get("GetFirewallRule", "get", "/:login/fwrules/:fwrule", "Show a firewall rule");

/// CreateFirewallRule. The server's default is a rule that is off, which is seldom meant.
pub static CREATE: Op = Op::create("CreateFirewallRule", "create", "/:login/fwrules", "Make a firewall rule")
    .making(&FWRULE)
    .long(
        "sdc fwrules create 'FROM any TO tag role = web ALLOW tcp (PORT 80 AND PORT 443)'\n\
         The rule is on unless --disabled is given. Try one without making it: sdc fwrules check",
    )
    .fields(&[
        body("rule", Kind::FirewallRule, RULE).positional(),
        body("enabled", Kind::Flag("false"), "Do not switch it on yet").flag("disabled").short('d').default("true"),
        body("log", Kind::Flag("true"), "Log the connections that it lets through or blocks").short('l'),
        body("description", Kind::Text, "Description, at most 255 characters").short('D'),
        ROLE_TAG,
    ]);

/// UpdateFirewallRule.
pub static UPDATE: Op = Op::update("UpdateFirewallRule", "update", "/:login/fwrules/:fwrule", "Change a firewall rule")
    .assigns()
    .fields(&[
        body("rule", Kind::FirewallRule, RULE),
        body("enabled", Kind::Bool, "Whether it is on"),
        body("log", Kind::Bool, "Whether it logs"),
        body("description", Kind::Clearable, "Description, at most 255 characters").short('D'),
    ]);

/// EnableFirewallRule.
pub static ENABLE: Op =
    Op::update("EnableFirewallRule", "enable", "/:login/fwrules/:fwrule/enable", "Switch firewall rules on")
        .each()
        .shows("enabled", "true");

/// DisableFirewallRule.
pub static DISABLE: Op =
    Op::update("DisableFirewallRule", "disable", "/:login/fwrules/:fwrule/disable", "Switch firewall rules off")
        .each()
        .shows("enabled", "false");

/// DeleteFirewallRule.
pub static DELETE: Op =
    Op::delete("DeleteFirewallRule", "delete", "/:login/fwrules/:fwrule", "Delete a firewall rule").each();

/// ListFirewallRuleMachines.
pub static MACHINES: Op = Op::list(
    "ListFirewallRuleMachines",
    "machines",
    "/:login/fwrules/:fwrule/machines",
    "List the machines that a firewall rule is about",
)
.columns(super::machines::COLUMNS)
.fields(&[query("credentials", Kind::Flag("true"), "Show generated passwords in the metadata")]);

/// ListMachineFirewallRules.
pub static OF_MACHINE: Op = Op::list(
    "ListMachineFirewallRules",
    "fwrules list",
    "/:login/machines/:machine/fwrules",
    "List the firewall rules that are about a machine",
)
.columns(COLUMNS);

/// `sdc fwrules`.
pub static FWRULES: Resource = Resource {
    name: "fwrules",
    aliases: &["fwrule"],
    about: "Firewall rules",
    columns: COLUMNS,
    ops: &[&LIST, &GET, &CREATE, &UPDATE, &ENABLE, &DISABLE, &DELETE, &MACHINES],
};
