//! Roles: who has them, and which policies they have. Their form depends on the version.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use super::super::rbac::ADMINISTRATOR;
use super::super::version::Version;
use crate::emulator::datacenter::state::{Account, Member, Role, State, User, is_uuid, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

const ALL: &str = "/:login/roles";
const ONE: &str = "/:login/roles/:role";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListRoles", "roles", list),
    Route::head(ALL, "HeadRoles", "roles", list),
    Route::post(ALL, "CreateRole", "roles", create).typed(),
    Route::get(ONE, "GetRole", "roles", get),
    Route::head(ONE, "HeadRole", "roles", get),
    Route::post(ONE, "UpdateRole", "roles", update),
    Route::delete(ONE, "DeleteRole", "roles", delete),
];

fn login<'a>(state: &'a State, account: &'a Account, member: &Member) -> &'a str {
    if member.account {
        state.account(&member.id).map_or("", |account| account.login.as_str())
    } else {
        account.user(&member.id).map_or("", |user| user.login.as_str())
    }
}

/// As the API shows a role: with objects since version 9, with names before. `known` are the sub-users that this
/// request has shown as default members: since version 9 the real server notes that in the record that it keeps of the
/// sub-user, so every role that a list shows after it has them as default members too.
fn view(call: &Call<'_>, account: &Account, role: &Role, known: &mut HashSet<String>) -> Value {
    let policies: Vec<_> = role.policies.iter().filter_map(|id| account.policy(id)).collect();
    let mut view = Map::new();
    view.insert("id".to_owned(), role.id.clone().into());
    view.insert("name".to_owned(), role.name.clone().into());
    if call.version < Version(9, 0, 0) {
        let users = || role.held_by.iter().filter(|member| !member.account);
        let logins = |members: &mut dyn Iterator<Item = &Member>| -> Value {
            members.map(|member| login(call.state, account, member)).collect()
        };
        view.insert("members".to_owned(), logins(&mut users()));
        view.insert("default_members".to_owned(), logins(&mut users().filter(|member| member.default)));
        view.insert("policies".to_owned(), policies.iter().map(|policy| policy.name.clone()).collect());
        return Value::Object(view);
    }
    let mut member = |member: &Member| {
        if member.default && !member.account {
            known.insert(member.id.clone());
        }
        let default = member.default || (!member.account && known.contains(&member.id));
        let kind = if member.account { "account" } else { "subuser" };
        let mut view = json!({ "type": kind, "id": member.id, "login": login(call.state, account, member) });
        if let (true, Value::Object(fields)) = (default, &mut view) {
            fields.insert("default".to_owned(), true.into());
        }
        view
    };
    view.insert("members".to_owned(), role.held_by.iter().map(&mut member).collect());
    let shown = policies.iter().map(|policy| json!({ "id": policy.id, "name": policy.name }));
    view.insert("policies".to_owned(), shown.collect());
    // A leftover of the older form, for roles that have nothing.
    if role.held_by.is_empty() && policies.is_empty() {
        view.insert("default_members".to_owned(), json!([]));
    }
    Value::Object(view)
}

impl Account {
    /// The role of this id or name.
    fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == name).or_else(|| self.role_named(name))
    }
}

/// A role alone, as it is.
fn alone(call: &Call<'_>, role: &Role) -> Result<Value, Refusal> {
    Ok(view(call, call.account()?, role, &mut HashSet::new()))
}

fn list(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let mut known = HashSet::new();
    Ok(Reply::json(&account.roles.iter().map(|role| view(call, account, role, &mut known)).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("role")?;
    let account = call.account()?;
    match account.role(&name) {
        Some(role) => Ok(Reply::json(&alone(call, role)?)),
        None => Err(Refusal::not_found(&name)),
    }
}

/// A list that was given, if it was: an array, a single thing, or text with commas or with JSON.
fn array(call: &Call<'_>, name: &str) -> Option<Vec<Value>> {
    match call.params.get(name)? {
        Value::Null => None,
        Value::Array(list) => Some(list.clone()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(list)) => Some(list),
            _ => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Some(words.map(|word| word.into()).collect())
            }
        },
        one => Some(vec![one.clone()]),
    }
}

/// The objects of a list, as version 9 takes them: anything else is refused. `None` when there is nothing.
fn objects(call: &Call<'_>, name: &str) -> Result<Option<Vec<Map<String, Value>>>, Refusal> {
    let wrong = || Refusal::invalid(format!("Role \"{name}\" must be an array of objects"));
    let Some(given) = call.truthy(name) else { return Ok(None) };
    let list = given.as_array().ok_or_else(wrong)?;
    list.iter().map(|entry| entry.as_object().cloned().ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

/// Refuses a field of a reference that is not of its type. `what` is the reference.
fn check_fields(what: &str, entry: &Map<String, Value>, known: &[&str], of: &str) -> Result<(), Refusal> {
    for (name, value) in entry {
        let (fits, kind) = match name.as_str() {
            name if !known.contains(&name) => {
                let words = format!("{what} references may only contain {of} properties, not \"{name}\"");
                return Err(Refusal::invalid(words));
            }
            "id" => (value.as_str().is_some_and(is_uuid), "string UUID"),
            "default" => (value.is_boolean(), "boolean"),
            _ => (value.is_string(), "string"),
        };
        if !fits {
            return Err(Refusal::invalid(format!("{what} \"{name}\" property must be a {kind}")));
        }
    }
    Ok(())
}

/// Refuses what is not one of the members, as version 9 takes them. Gives whether it is an account.
fn check_member(entry: &Map<String, Value>) -> Result<bool, Refusal> {
    let account = match entry.get("type") {
        Some(Value::String(kind)) if kind == "subuser" => false,
        Some(Value::String(kind)) if kind == "account" => true,
        Some(Value::String(kind)) => {
            return Err(Refusal::invalid(format!("Member \"type\" is not supported: \"{kind}\"")));
        }
        _ => {
            let words = "Role \"member\" references must have a string \"type\" property";
            return Err(Refusal::invalid(words));
        }
    };
    let of = "\"type\", \"login\", \"id\", or \"default\"";
    check_fields("Member", entry, &["type", "login", "id", "default"], of)?;
    Ok(account)
}

/// One of the members, or what is wrong with it.
fn member(call: &Call<'_>, entry: &Map<String, Value>, account: bool) -> Result<Member, String> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = if account { "account" } else { "subuser" };
    let by_id = text("id").is_some();
    let Some(wanted) = text("id").or_else(|| text("login")) else {
        return Err(format!("Invalid member: {}", Value::Object(entry.clone())));
    };
    let found = if account {
        let fits = |a: &&Account| if by_id { a.id == wanted } else { a.login == wanted };
        call.state.accounts.iter().find(fits).map(|account| account.id.clone())
    } else {
        let own = call.account().ok();
        let fits = |user: &&User| if by_id { user.id == wanted } else { user.login == wanted };
        own.and_then(|own| own.users.iter().find(fits)).map(|user| user.id.clone())
    };
    let default = entry.get("default") == Some(&Value::Bool(true));
    found.map(|id| Member { account, id, default }).ok_or_else(|| format!("Invalid {kind}: {wanted}"))
}

/// The ids of the sub-users that a list of logins names.
fn logins(call: &Call<'_>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let Some(list) = array(call, name) else { return Ok(None) };
    let account = call.account()?;
    let id = |entry: &Value| {
        let user = entry.as_str().and_then(|login| account.user(login)).map(|user| user.id.clone());
        let shown = entry.as_str().map_or_else(|| entry.to_string(), str::to_owned);
        user.ok_or_else(|| Refusal::invalid(format!("Invalid subuser: {shown}")))
    };
    list.iter().map(id).collect::<Result<_, _>>().map(Some)
}

/// The members that are wanted, given those that there are. What is not sent stays as it is.
fn members(call: &Call<'_>, have: &[Member]) -> Result<Vec<Member>, Refusal> {
    let mut members: Vec<Member> = Vec::new();
    let mut put = |member: Member| match members.iter_mut().find(|m| m.account == member.account && m.id == member.id) {
        Some(other) => other.default |= member.default,
        None => members.push(member),
    };
    if call.version >= Version(9, 0, 0) {
        let Some(list) = objects(call, "members")? else { return Ok(have.to_vec()) };
        let kinds = list.iter().map(check_member).collect::<Result<Vec<bool>, _>>()?;
        let mut wrong = Vec::new();
        for (entry, account) in list.iter().zip(kinds) {
            match member(call, entry, account) {
                Ok(member) => put(member),
                Err(words) => wrong.push(words),
            }
        }
        return if wrong.is_empty() { Ok(members) } else { Err(Refusal::invalid(wrong.join(", "))) };
    }
    let own = || have.iter().filter(|member| !member.account);
    let sent = logins(call, "members")?;
    // Who is a default member is a member, and stays one for as long as that list is not sent too.
    let defaults = logins(call, "default_members")?
        .unwrap_or_else(|| own().filter(|member| member.default).map(|member| member.id.clone()).collect());
    // This form does not know other accounts, and leaves them alone.
    have.iter().filter(|member| member.account).cloned().for_each(&mut put);
    let ids = sent.unwrap_or_else(|| own().map(|member| member.id.clone()).collect());
    for id in ids.iter().chain(&defaults) {
        put(Member { account: false, id: id.clone(), default: defaults.contains(id) });
    }
    Ok(members)
}

/// The ids of the policies that are wanted, given those that there are.
fn policies(call: &Call<'_>, have: &[String]) -> Result<Vec<String>, Refusal> {
    let list = if call.version >= Version(9, 0, 0) {
        objects(call, "policies")?.map(|list| list.into_iter().map(Value::Object).collect())
    } else {
        array(call, "policies").map(|list| list.into_iter().map(|name| json!({ "name": name })).collect())
    };
    let Some(list): Option<Vec<Value>> = list else { return Ok(have.to_vec()) };
    let account = call.account()?;
    let (mut ids, mut wrong) = (Vec::new(), Vec::new());
    for entry in list.iter().filter_map(Value::as_object) {
        if call.version >= Version(9, 0, 0) {
            check_fields("Policy", entry, &["id", "name"], "\"name\" or \"id\"")?;
        }
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let by_name = text("name").and_then(|name| account.policies.iter().find(|policy| policy.name == name));
        let found = by_name.or_else(|| account.policies.iter().find(|policy| Some(policy.id.as_str()) == text("id")));
        match found {
            Some(found) if ids.contains(&found.id) => {}
            Some(found) => ids.push(found.id.clone()),
            None => {
                let shown = text("id").or(text("name")).map_or_else(|| js::inspect(&json!(entry)), str::to_owned);
                wrong.push(format!("Invalid policy: {shown}"));
            }
        }
    }
    if wrong.is_empty() { Ok(ids) } else { Err(Refusal::invalid(wrong.join(", "))) }
}

/// Refuses a name that cannot be, or that another role has. Names go into lists with commas and
/// into headers.
fn check_name(account: &Account, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    if name == "true" {
        return Err(Refusal::invalid("\"true\" is not a valid role name"));
    }
    if !name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b',') || name.trim() != name {
        return Err(Refusal::invalid(format!("role name \"{name}\" is invalid")));
    }
    if account.roles.iter().any(|role| role.name == name && own != Some(role.id.as_str())) {
        return Err(Refusal::invalid(format!("role \"{name}\" already exists")));
    }
    Ok(())
}

/// A role as it is after what was given.
fn changed(call: &Call<'_>, mut role: Role) -> Result<Role, Refusal> {
    if call.version >= Version(9, 0, 0) && call.truthy("name").is_some_and(|name| !name.is_string()) {
        return Err(Refusal::invalid("Role \"name\" must be a string"));
    }
    if let Some(name) = call.text("name") {
        check_name(call.account()?, &name, Some(&role.id))?;
        role.name = name;
    }
    role.held_by = members(call, &role.held_by)?;
    role.policies = policies(call, &role.policies)?;
    if role.name == ADMINISTRATOR && !role.policies.is_empty() {
        return Err(Refusal::invalid("Administrator role cannot have policies"));
    }
    Ok(role)
}

fn create(call: &mut Call<'_>) -> Outcome {
    let role = changed(call, Role { id: new_id(), ..Role::default() })?;
    if role.name.is_empty() {
        return Err(Refusal::lacking("Request is missing required parameter: name"));
    }
    let location = call.location(&format!("roles/{}", role.id));
    let reply = Reply::status(201, &alone(call, &role)?).header("Location", location);
    call.account_mut()?.roles.push(role);
    Ok(reply)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let name = call.required("role")?;
    let old = call.account()?.role(&name).cloned().ok_or_else(|| Refusal::not_found(&name))?;
    let role = changed(call, old)?;
    let reply = Reply::json(&alone(call, &role)?);
    if let Some(slot) = call.account_mut()?.roles.iter_mut().find(|other| other.id == role.id) {
        *slot = role;
    }
    Ok(reply)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let id = call.required("role")?;
    let account = call.account_mut()?;
    if !account.roles.iter().any(|role| role.id == id) {
        return Err(Refusal::not_found(&id));
    }
    account.roles.retain(|role| role.id != id);
    account.role_tags.retain(|_, roles| {
        roles.retain(|role| *role != id);
        !roles.is_empty()
    });
    Ok(Reply::empty(204))
}
