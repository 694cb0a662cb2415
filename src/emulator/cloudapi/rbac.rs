//! What someone's roles allow: which roles they act in, and what the policies of those say about a
//! request. Reads the state and changes nothing of it, but for states that earlier versions wrote.

use serde_json::Value;

use super::call::Route;
use super::identity::Who;
use super::policy_language::{Fact, Question, Rule};
use super::role_tags;
use crate::emulator::datacenter::state::{Account, Member, Policy, Role, State, new_id};
use crate::emulator::http::head::Head;
use crate::emulator::http::params;
use crate::emulator::http::params::Params;
use crate::emulator::http::reply::Refusal;

/// The role that may do everything, and can have no policies.
pub(crate) const ADMINISTRATOR: &str = "administrator";
/// The role in which some accounts act as operators.
const OPERATOR: &str = "_operator";

/// A request that roles are asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) head: &'a Head,
    pub(crate) route: &'a Route,
    pub(crate) params: &'a Params,
    /// The address of the other end.
    pub(crate) ip: &'a str,
    /// The time of day.
    pub(crate) wall: i64,
}

impl Asking<'_> {
    /// The roles that are to be acted in; `None` when it is left to the default ones.
    fn roles(&self) -> Option<Vec<String>> {
        let names: Vec<String> = match self.params.get("as-role")? {
            Value::String(names) => names.split(',').map(str::to_owned).collect(),
            Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => return None,
        };
        if names.iter().all(String::is_empty) { None } else { Some(names) }
    }

    fn refused(&self) -> Refusal {
        Refusal::forbidden(&format!("{} ({})", self.head.path(), self.route.called()))
    }
}

/// Who someone is to the account that they work on.
#[derive(Clone, Copy, Debug)]
enum Standing<'a> {
    /// May do anything there.
    Owner,
    /// May do what their roles allow. Sub-users and other accounts differ in where roles name them.
    Member { id: &'a str, account: bool },
}

/// The id of the account that the path names, if they may work on it at all.
pub(crate) fn target(state: &State, who: &Who, named: &str, asking: &Asking<'_>) -> Result<String, Refusal> {
    if named == "my" {
        return Ok(who.account.clone());
    }
    // The account that a sub-user names in the path is not looked up: nothing there is tagged with a role of theirs,
    // whether it exists or not.
    if who.user.is_some() {
        let own = state.account(&who.account).is_some_and(|own| own.login == named || own.id == named);
        return if own { Ok(who.account.clone()) } else { Err(asking.refused()) };
    }
    let account = state.account(named).ok_or_else(|| Refusal::not_found(named))?;
    let member = account.roles.iter().flat_map(|role| &role.held_by).any(|m| m.account && m.id == who.account);
    if account.id == who.account || member || operates(state, who, asking) {
        return Ok(account.id.clone());
    }
    Err(asking.refused())
}

/// Whether they act as an operator.
fn operates(state: &State, who: &Who, asking: &Asking<'_>) -> bool {
    let Some(own) = state.account(&who.account).filter(|_| who.user.is_none()) else { return false };
    let asked = || asking.roles().is_some_and(|names| names.iter().any(|name| name == OPERATOR));
    own.operator || (own.role_operator && asked())
}

/// Checks the roles that are asked for, and whether the roles they act in allow this. Gives the ids
/// of those that a sub-user acts in; owners and operators need none.
pub(crate) fn allow(state: &State, who: &Who, target: &str, asking: &Asking<'_>) -> Result<Vec<String>, Refusal> {
    let Some(account) = state.account(target) else { return Ok(Vec::new()) };
    let operator = operates(state, who, asking);
    let standing = match &who.user {
        Some(user) => Standing::Member { id: user, account: false },
        None if operator || who.account == account.id => Standing::Owner,
        None => Standing::Member { id: &who.account, account: true },
    };
    let asked = asking.roles();
    for name in asked.iter().flatten() {
        let holds = account.roles.iter().any(|role| role.name == *name && standing.holds(role));
        let owner = matches!(standing, Standing::Owner) && (name == ADMINISTRATOR || (operator && name == OPERATOR));
        if !holds && !owner {
            return Err(Refusal::forbidden(&account.login));
        }
    }
    let Standing::Member { .. } = standing else { return Ok(Vec::new()) };
    let acts = |role: &&Role| match &asked {
        Some(names) => names.contains(&role.name) && standing.holds(role),
        None => standing.member(role).is_some_and(|member| member.default),
    };
    let active: Vec<&Role> = account.roles.iter().filter(acts).collect();
    if !may(state, account, &active, asking) {
        return Err(asking.refused());
    }
    Ok(active.iter().map(|role| role.id.clone()).collect())
}

impl Standing<'_> {
    fn member<'r>(&self, role: &'r Role) -> Option<&'r Member> {
        let Standing::Member { id, account } = *self else { return None };
        role.held_by.iter().find(|member| member.account == account && member.id == id)
    }

    fn holds(&self, role: &Role) -> bool {
        matches!(self, Standing::Owner) || self.member(role).is_some()
    }
}

/// Whether one of these roles allows it: by a rule that allows the action, and either names things
/// like this one or belongs to a role with which the thing is tagged.
fn may(state: &State, account: &Account, active: &[&Role], asking: &Asking<'_>) -> bool {
    let thing = role_tags::thing(account, asking.head.path(), asking.params);
    let tags = account.role_tags.get(&thing.key).map(Vec::as_slice).unwrap_or_default();
    let attribute = |name: &str| attribute(name, state, account, active, asking);
    let called = asking.route.called();
    let question = Question { action: &called, path: asking.head.path(), attribute: &attribute };
    active.iter().any(|role| {
        let rules = account.policies.iter().filter(|policy| role.policies.contains(&policy.id));
        let mut rules = rules.flat_map(|policy| &policy.rules).filter_map(|rule| Rule::read(rule).ok());
        role.name == ADMINISTRATOR
            || rules.any(|rule| (rule.names_things() || tags.contains(&role.id)) && rule.allows(&question))
    })
}

/// What rules can ask about a request.
fn attribute(name: &str, state: &State, account: &Account, active: &[&Role], asking: &Asking<'_>) -> Option<Fact> {
    Some(match name {
        "date" | "day" | "time" => Fact::Time(asking.wall),
        "sourceip" | "ip" => Fact::Text(asking.ip.to_owned()),
        "method" => Fact::Text(asking.head.method.clone()),
        "user-agent" => Fact::Text(asking.head.get("user-agent")?),
        "datacenter" => Fact::Text(state.datacenter.clone()),
        "activeRoles" => Fact::List(active.iter().flat_map(|role| [role.id.clone(), role.name.clone()]).collect()),
        _ => {
            let tag = name.strip_prefix("tag_")?;
            let machine = asking.params.get("machine").and_then(params::text)?;
            let machine = state.vms.get(&machine).filter(|machine| machine.owner_uuid == account.id)?;
            Fact::Text(machine.tags.get(tag).and_then(params::text)?)
        }
    })
}

impl State {
    /// Turns what an earlier version wrote about roles into what this one keeps.
    pub(crate) fn modernise(&mut self) {
        for account in &mut self.accounts {
            for role in &mut account.roles {
                let earlier = std::mem::take(&mut role.earlier);
                for login in &earlier.members {
                    if let Some(user) = account.users.iter().find(|user| user.login == *login) {
                        let default = earlier.default_members.contains(login);
                        role.held_by.push(Member { account: false, id: user.id.clone(), default });
                    }
                }
                if !earlier.allows.is_empty() {
                    let rules = vec![format!("CAN {} *", earlier.allows.join(" and "))];
                    let policy = Policy { id: new_id(), name: role.name.clone(), rules, ..Policy::default() };
                    role.policies.push(policy.id.clone());
                    account.policies.push(policy);
                }
            }
        }
    }
}
