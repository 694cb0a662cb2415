//! Firewall rules, the machines that a rule is about, and the rules that are about a machine.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::machines;
use crate::emulator::datacenter::fwrule;
use crate::emulator::datacenter::state::FirewallRule;
use crate::emulator::datacenter::state::new_id;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/fwrules";
const ONE: &str = "/:login/fwrules/:id";
const MACHINES: &str = "/:login/fwrules/:id/machines";
const OF_MACHINE: &str = "/:login/machines/:machine/fwrules";

/// The bucket that these requests are counted in is that of the machines.
const GROUP: &str = "machines";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListFirewallRules", GROUP, list),
    Route::head(ALL, "HeadFirewallRules", GROUP, list),
    Route::post(ALL, "CreateFirewallRule", GROUP, create),
    Route::get(ONE, "GetFirewallRule", GROUP, get),
    Route::head(ONE, "HeadFirewallRule", GROUP, get),
    Route::post(ONE, "UpdateFirewallRule", GROUP, update),
    Route::delete(ONE, "DeleteFirewallRule", GROUP, delete),
    Route::post("/:login/fwrules/:id/enable", "EnableFirewallRule", GROUP, enable),
    Route::post("/:login/fwrules/:id/disable", "DisableFirewallRule", GROUP, disable),
    Route::get(MACHINES, "ListFirewallRuleMachines", GROUP, list_machines),
    Route::head(MACHINES, "HeadFirewallRuleMachines", GROUP, list_machines),
    Route::get(OF_MACHINE, "ListMachineFirewallRules", GROUP, of_machine),
    Route::head(OF_MACHINE, "HeadMachineFirewallRules", GROUP, of_machine),
];

fn view(rule: &FirewallRule) -> Value {
    let mut view = Map::new();
    view.insert("id".to_owned(), rule.id.clone().into());
    view.insert("rule".to_owned(), rule.rule.clone().into());
    view.insert("enabled".to_owned(), rule.enabled.into());
    view.insert("log".to_owned(), rule.log.into());
    if rule.global {
        view.insert("global".to_owned(), true.into());
    }
    if !rule.description.is_empty() {
        view.insert("description".to_owned(), rule.description.clone().into());
    }
    Value::Object(view)
}

/// The rules that the account sees: its own and the global ones.
fn visible<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a FirewallRule> {
    call.state.firewall_rules.iter().filter(|rule| rule.global || rule.owner == call.account)
}

fn load<'a>(call: &'a Call<'_>) -> Result<&'a FirewallRule, Refusal> {
    let id = call.required("id")?;
    visible(call).find(|rule| rule.id == id).ok_or_else(unknown)
}

/// The same, to change it; global rules are the operator's.
fn load_own<'a>(call: &'a mut Call<'_>) -> Result<&'a mut FirewallRule, Refusal> {
    let rule = load(call)?;
    if rule.global {
        return Err(Refusal::invalid("global rules cannot be modified"));
    }
    let id = rule.id.clone();
    let found = call.state.firewall_rules.iter_mut().find(|rule| rule.id == id);
    found.ok_or_else(unknown)
}

fn unknown() -> Refusal {
    Refusal::unknown("Rule")
}

fn wrong(field: &str, words: &str) -> Refusal {
    Refusal::new(422, "InvalidParameters", "Invalid parameters").field(field, "InvalidParameter", words)
}

/// Puts what was given into a rule.
fn apply(call: &Call<'_>, rule: &mut FirewallRule) -> Result<(), Refusal> {
    if let Some(text) = call.params.get("rule") {
        let text = text.as_str().ok_or_else(|| wrong("rule", "must be a string"))?;
        rule.rule = fwrule::parse(text).map_err(|words| wrong("rule", &words))?.to_string();
    }
    let flag = |name: &str, slot: &mut bool| -> Result<(), Refusal> {
        if let Some(value) = call.params.get(name).filter(|value| !value.is_null()) {
            *slot = params::flag(value).ok_or_else(|| wrong(name, "must be true or false"))?;
        }
        Ok(())
    };
    flag("enabled", &mut rule.enabled)?;
    flag("log", &mut rule.log)?;
    if let Some(text) = call.params.get("description").filter(|value| !value.is_null()) {
        let text = text.as_str().ok_or_else(|| wrong("description", "must be a string"))?;
        if text.chars().count() > 255 {
            return Err(wrong("description", "must not be longer than 255 characters"));
        }
        text.clone_into(&mut rule.description);
    }
    Ok(())
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&visible(call).map(view).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&view(load(call)?)))
}

fn create(call: &mut Call<'_>) -> Outcome {
    call.required("rule")?;
    let mut rule = FirewallRule { id: new_id(), owner: call.account.clone(), ..FirewallRule::default() };
    apply(call, &mut rule)?;
    let reply = Reply::status(201, &view(&rule)).made(call.location(&format!("fwrules/{}", rule.id)));
    call.state.firewall_rules.push(rule);
    Ok(reply)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let mut changed = load_own(call)?.clone();
    apply(call, &mut changed)?;
    let reply = Reply::json(&view(&changed));
    *load_own(call)? = changed;
    Ok(reply)
}

fn switch(call: &mut Call<'_>, on: bool) -> Outcome {
    let rule = load_own(call)?;
    rule.enabled = on;
    Ok(Reply::json(&view(rule)))
}

fn enable(call: &mut Call<'_>) -> Outcome {
    switch(call, true)
}

fn disable(call: &mut Call<'_>) -> Outcome {
    switch(call, false)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let id = load_own(call)?.id.clone();
    call.state.firewall_rules.retain(|rule| rule.id != id);
    Ok(Reply::empty(204))
}

fn list_machines(call: &mut Call<'_>) -> Outcome {
    let rule = load(call)?;
    let credentials = call.truthy("credentials");
    let own = call.state.vms.iter().filter(|machine| machine.owner_uuid == call.account);
    let alive = own.filter(|machine| machine.is_active());
    let rows: Vec<Value> = alive
        .filter(rule.matcher())
        .map(|machine| machines::view(call.state, machine, credentials, call.version))
        .collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count))
}

fn of_machine(call: &mut Call<'_>) -> Outcome {
    let machine = machines::load(call)?;
    Ok(Reply::json(&visible(call).filter(|rule| rule.matcher()(&machine)).map(view).collect()))
}
