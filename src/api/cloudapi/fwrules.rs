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
    column("shortid").of("id").show(Show::ShortId).brief().stays(),
    column("id").always().long(),
    column("enabled").always().truth().stays(),
    column("global").truth(),
    column("log").always().truth(),
    column("rule").always().stays(),
    column("description").long(),
];

/// Of rules that are about a machine.
const OF_MACHINES: &[Column] = &[
    COLUMNS[0],
    COLUMNS[1],
    COLUMNS[2],
    COLUMNS[3],
    COLUMNS[4],
    COLUMNS[5],
    COLUMNS[6],
    column("machine").of("/machine/name").named(),
];

/// ListFirewallRules.
pub static LIST: Op =
    Op::list("ListFirewallRules", "list", "/:login/fwrules", "List the firewall rules of the account")
        .examples("fwrules list\nfwrules list --long --sort rule");

/// GetFirewallRule.
pub static GET: Op = Op::get("GetFirewallRule", "get", "/:login/fwrules/:fwrule", "Show a firewall rule")
    .each()
    .examples("fwrules get 1e5f8b30\nfwrules get 1e5f8b30 -o rule");

/// CreateFirewallRule. The server's default is a rule that is off, which is seldom meant.
pub static CREATE: Op = Op::create("CreateFirewallRule", "create", "/:login/fwrules", "Create a firewall rule")
    .making(&FWRULE)
    .long("The rule is on unless --disabled is given. `fwrules check` reads one without making it.")
    .fields(&[
        body("rule", Kind::FirewallRule, RULE).positional(),
        body("enabled", Kind::Flag("false"), "Do not switch it on yet").flag("disabled").short('d').default("true"),
        body("log", Kind::Flag("true"), "Log the connections that it lets through or blocks").short('l'),
        body("description", Kind::Text, "Description, at most 255 characters").short('D'),
        ROLE_TAG,
    ])
    .examples(
        "fwrules create 'FROM any TO tag role = web ALLOW tcp PORT 443'\n\
         fwrules create 'FROM any TO all vms BLOCK tcp PORT 25' --disabled",
    );

/// UpdateFirewallRule.
pub static UPDATE: Op = Op::update("UpdateFirewallRule", "update", "/:login/fwrules/:fwrule", "Change a firewall rule")
    .assigns()
    .fields(&[
        body("rule", Kind::FirewallRule, RULE),
        body("enabled", Kind::Bool, "Whether it is on"),
        body("log", Kind::Bool, "Whether it logs"),
        body("description", Kind::TextOrEmpty, "Description, at most 255 characters").short('D'),
    ])
    .examples(
        "fwrules update 90b7e1f5 enabled=true\n\
         fwrules update 1e5f8b30 --rule 'FROM any TO all vms ALLOW tcp PORT 80'",
    );

/// EnableFirewallRule.
pub static ENABLE: Op =
    Op::update("EnableFirewallRule", "enable", "/:login/fwrules/:fwrule/enable", "Switch firewall rules on")
        .each()
        .shows("enabled", "true")
        .examples("fwrules enable 90b7e1f5\nfwrules enable 1e5f8b30 90b7e1f5");

/// DisableFirewallRule.
pub static DISABLE: Op =
    Op::update("DisableFirewallRule", "disable", "/:login/fwrules/:fwrule/disable", "Switch firewall rules off")
        .each()
        .shows("enabled", "false")
        .examples("fwrules disable 1e5f8b30\nfwrules disable 1e5f8b30 90b7e1f5");

/// DeleteFirewallRule.
pub static DELETE: Op = Op::delete("DeleteFirewallRule", "delete", "/:login/fwrules/:fwrule", "Delete a firewall rule")
    .each()
    .examples("fwrules delete 90b7e1f5\nfwrules delete 1e5f8b30 90b7e1f5 --yes");

/// ListFirewallRuleMachines.
pub static MACHINES: Op = Op::list(
    "ListFirewallRuleMachines",
    "machines",
    "/:login/fwrules/:fwrule/machines",
    "List the machines that a firewall rule is about",
)
.matching()
.columns(super::machines::COLUMNS)
.fields(&[query("credentials", Kind::Flag("true"), "Show generated passwords in the metadata")])
.examples(
    "fwrules machines 1e5f8b30\n\
     fwrules machines 1e5f8b30 -o name,firewall_enabled",
);

/// ListMachineFirewallRules.
pub static OF_MACHINE: Op = Op::list(
    "ListMachineFirewallRules",
    "fwrules list",
    "/:login/machines/:machine/fwrules",
    "List the firewall rules that are about a machine",
)
.matching()
.columns(OF_MACHINES)
.examples("machines fwrules list web1\nmachines fwrules list web1 -o rule");

/// `sdc fwrules`.
pub static FWRULES: Resource = Resource {
    name: "fwrules",
    aliases: &["fwrule"],
    about: "Firewall rules",
    columns: COLUMNS,
    ops: &[&LIST, &GET, &CREATE, &UPDATE, &ENABLE, &DISABLE, &DELETE, &MACHINES],
};
