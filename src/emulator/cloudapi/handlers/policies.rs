//! Policies: rules that say what the roles that have them may do.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use crate::emulator::cloudapi::policy_language::Rule;
use crate::emulator::datacenter::state::{Account, Policy, is_uuid, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/policies";
const ONE: &str = "/:login/policies/:policy";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListPolicies", "policies", list),
    Route::head(ALL, "HeadPolicies", "policies", list),
    Route::post(ALL, "CreatePolicy", "policies", create).typed(),
    Route::get(ONE, "GetPolicy", "policies", get),
    Route::head(ONE, "HeadPolicy", "policies", get),
    Route::post(ONE, "UpdatePolicy", "policies", update),
    Route::delete(ONE, "DeletePolicy", "policies", delete),
];

fn view(policy: &Policy) -> Value {
    let mut view = Map::new();
    view.insert("id".to_owned(), policy.id.clone().into());
    view.insert("name".to_owned(), policy.name.clone().into());
    view.insert("rules".to_owned(), policy.rules.clone().into());
    if !policy.description.is_empty() {
        view.insert("description".to_owned(), policy.description.clone().into());
    }
    Value::Object(view)
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&call.account()?.policies.iter().map(view).collect()))
}

impl Account {
    /// The policy of this id or name.
    pub(crate) fn policy(&self, name: &str) -> Option<&Policy> {
        let by_id = self.policies.iter().find(|policy| policy.id == name);
        by_id.or_else(|| self.policies.iter().find(|policy| policy.name == name))
    }
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("policy")?;
    match call.account()?.policy(&name) {
        Some(policy) => Ok(Reply::json(&view(policy))),
        None => Err(Refusal::not_found(&name)),
    }
}

/// The rules that were given, if any were: a list, or one alone. Each must make sense.
fn rules(call: &Call<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let wrong = || Refusal::invalid("rules must be a list of strings");
    let rules: Vec<String> = match call.truthy("rules") {
        None => return Ok(None),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => {
            let text = |rule: &Value| rule.as_str().map(str::to_owned).ok_or_else(wrong);
            list.iter().map(text).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(wrong()),
    };
    if rules.is_empty() {
        return Err(Refusal::invalid("rules must not be empty"));
    }
    let troubles: Vec<String> = rules.iter().filter_map(|rule| Rule::read(rule).err()).collect();
    if troubles.is_empty() { Ok(Some(rules)) } else { Err(Refusal::invalid(troubles.join(", "))) }
}

/// Refuses a name that another policy has.
fn check_name(call: &Call<'_>, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    if call.account()?.policies.iter().any(|policy| policy.name == name && own != Some(policy.id.as_str())) {
        return Err(Refusal::invalid(format!("policy \"{name}\" already exists")));
    }
    Ok(())
}

/// A policy as it was given, complete, of this id.
fn given(call: &Call<'_>, id: String) -> Result<Policy, Refusal> {
    let name = call.text("name").unwrap_or_default();
    let missing = [("name", name.is_empty()), ("rules", call.truthy("rules").is_none())];
    let missing: Vec<String> =
        missing.iter().filter(|(_, missing)| *missing).map(|(name, _)| format!("{name} is required")).collect();
    if !missing.is_empty() {
        let words = format!("Request is missing required parameters: {}", missing.join(", "));
        return Err(Refusal::lacking(&words));
    }
    let rules = rules(call)?.unwrap_or_default();
    check_name(call, &name, None)?;
    Ok(Policy { id, name, rules, description: call.text("description").unwrap_or_default() })
}

fn create(call: &mut Call<'_>) -> Outcome {
    let policy = given(call, new_id())?;
    let location = call.location(&format!("policies/{}", policy.id));
    let reply = Reply::status(201, &view(&policy)).header("Location", location);
    call.account_mut()?.policies.push(policy);
    Ok(reply)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let id = call.required("policy")?;
    if !is_uuid(&id) {
        return Err(Refusal::not_found(&id));
    }
    if !call.account()?.policies.iter().any(|policy| policy.id == id) {
        // It is written by its id, whether there was one of it or not.
        let policy = given(call, id)?;
        let reply = Reply::json(&view(&policy));
        call.account_mut()?.policies.push(policy);
        return Ok(reply);
    }
    let (name, rules) = (call.text("name"), rules(call)?);
    if let Some(name) = &name {
        check_name(call, name, Some(&id))?;
    }
    let description = call.params.get("description").map(|text| params::text(text).unwrap_or_default());
    let policies = &mut call.account_mut()?.policies;
    let policy = policies.iter_mut().find(|policy| policy.id == id).ok_or_else(|| Refusal::not_found(&id))?;
    policy.name = name.unwrap_or_else(|| policy.name.clone());
    policy.rules = rules.unwrap_or_else(|| policy.rules.clone());
    policy.description = description.unwrap_or_else(|| policy.description.clone());
    Ok(Reply::json(&view(policy)))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let id = call.required("policy")?;
    let account = call.account_mut()?;
    if !account.policies.iter().any(|policy| policy.id == id) {
        return Err(Refusal::not_found(&id));
    }
    account.policies.retain(|policy| policy.id != id);
    for role in &mut account.roles {
        role.policies.retain(|policy| *policy != id);
    }
    Ok(Reply::empty(204))
}
