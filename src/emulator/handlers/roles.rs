//! Roles: who has them, and which policies they have. Their form depends on the version.

use serde_json::{Map, Value, json};

use super::super::rbac::ADMINISTRATOR;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::{Account, Member, Role, State, new_id};
use super::super::version::Version;

const ALL: &str = "/:login/roles";
const ONE: &str = "/:login/roles/:role";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListRoles", "listroles", "roles", list),
    Route::head(ALL, "HeadRoles", "headroles", "roles", list),
    Route::post(ALL, "CreateRole", "createrole", "roles", create).typed(),
    Route::get(ONE, "GetRole", "getrole", "roles", get),
    Route::head(ONE, "HeadRole", "headrole", "roles", get),
    Route::post(ONE, "UpdateRole", "updaterole", "roles", update),
    Route::delete(ONE, "DeleteRole", "deleterole", "roles", delete),
];

fn login<'a>(state: &'a State, account: &'a Account, member: &Member) -> &'a str {
    if member.account {
        state.account(&member.id).map_or("", |account| account.login.as_str())
    } else {
        account.user(&member.id).map_or("", |user| user.login.as_str())
    }
}

/// As the API shows a role: with objects since version 9, with names before.
fn view(call: &Call<'_>, account: &Account, role: &Role) -> Value {
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
    let member = |member: &Member| {
        let kind = if member.account { "account" } else { "subuser" };
        let mut view = json!({ "type": kind, "id": member.id, "login": login(call.state, account, member) });
        if let (true, Value::Object(fields)) = (member.default, &mut view) {
            fields.insert("default".to_owned(), true.into());
        }
        view
    };
    view.insert("members".to_owned(), role.held_by.iter().map(member).collect());
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

fn list(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    Ok(Reply::json(&account.roles.iter().map(|role| view(call, account, role)).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("role")?;
    let account = call.account()?;
    match account.role(&name) {
        Some(role) => Ok(Reply::json(&view(call, account, role))),
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

/// Refuses fields that are not known.
fn only(what: &str, entry: &Value, known: &[&str]) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(fields) = entry else {
        return Err(Refusal::invalid(format!("{what} must be a list of objects")));
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::invalid(format!("{what}: \"{name}\" is not known"))),
        None => Ok(fields.clone()),
    }
}

/// One of the members, as version 9 takes them.
fn member(call: &Call<'_>, entry: &Value) -> Result<Member, Refusal> {
    let fields = only("members", entry, &["type", "login", "id", "default"])?;
    let account = match fields.get("type").and_then(Value::as_str) {
        Some("subuser") => false,
        Some("account") => true,
        _ => return Err(Refusal::invalid("members: type must be \"subuser\" or \"account\"")),
    };
    let default = match fields.get("default") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(default)) => *default,
        Some(_) => return Err(Refusal::invalid("members: default must be a boolean value")),
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(wanted) = text("id").or_else(|| text("login")) else {
        return Err(Refusal::invalid("members: one of id and login is required"));
    };
    let by_id = text("id").is_some();
    let own = call.account()?;
    let found = if account {
        let fits = |a: &&Account| if by_id { a.id == wanted } else { a.login == wanted };
        call.state.accounts.iter().find(fits).map(|account| account.id.clone())
    } else {
        let user = own.users.iter().find(|user| if by_id { user.id == wanted } else { user.login == wanted });
        user.map(|user| user.id.clone())
    };
    let id = found.ok_or_else(|| Refusal::invalid(format!("members: \"{wanted}\" does not exist")))?;
    Ok(Member { account, id, default })
}

/// The ids of the sub-users that a list of logins names.
fn logins(call: &Call<'_>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let Some(list) = array(call, name) else { return Ok(None) };
    let account = call.account()?;
    let id = |entry: &Value| {
        let user = entry.as_str().and_then(|login| account.user(login)).map(|user| user.id.clone());
        let shown = entry.as_str().map_or_else(|| entry.to_string(), str::to_owned);
        user.ok_or_else(|| Refusal::invalid(format!("{name}: \"{shown}\" does not exist")))
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
        let Some(list) = array(call, "members") else { return Ok(have.to_vec()) };
        for entry in &list {
            put(member(call, entry)?);
        }
        return Ok(members);
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
    let Some(list) = array(call, "policies") else { return Ok(have.to_vec()) };
    let account = call.account()?;
    let mut ids = Vec::new();
    for entry in &list {
        let unknown = |name: &str| Refusal::invalid(format!("policies: \"{name}\" does not exist"));
        let found = if call.version >= Version(9, 0, 0) {
            let fields = only("policies", entry, &["id", "name"])?;
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            match (text("id"), text("name")) {
                (Some(id), _) => account.policies.iter().find(|policy| policy.id == id).ok_or_else(|| unknown(id))?,
                (None, Some(name)) => {
                    account.policies.iter().find(|policy| policy.name == name).ok_or_else(|| unknown(name))?
                }
                (None, None) => return Err(Refusal::invalid("policies: one of id and name is required")),
            }
        } else {
            let name = entry.as_str().ok_or_else(|| Refusal::invalid("policies must be a list of names"))?;
            account.policy(name).ok_or_else(|| unknown(name))?
        };
        if !ids.contains(&found.id) {
            ids.push(found.id.clone());
        }
    }
    Ok(ids)
}

/// Refuses a name that cannot be, or that another role has. Names go into lists with commas and
/// into headers.
fn check_name(account: &Account, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    if name == "true" || !name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b',') || name.trim() != name {
        return Err(Refusal::invalid(format!("role name \"{name}\" is invalid")));
    }
    if account.roles.iter().any(|role| role.name == name && own != Some(role.id.as_str())) {
        return Err(Refusal::invalid(format!("role \"{name}\" already exists")));
    }
    Ok(())
}

/// A role as it is after what was given.
fn changed(call: &Call<'_>, mut role: Role) -> Result<Role, Refusal> {
    // A name that is no text is asked for as if it were.
    if let Some(name) = call.text("name") {
        check_name(call.account()?, &name, Some(&role.id))?;
        role.name = name;
    }
    role.held_by = members(call, &role.held_by)?;
    role.policies = policies(call, &role.policies)?;
    if role.name == ADMINISTRATOR && !role.policies.is_empty() {
        return Err(Refusal::invalid("the role administrator cannot have policies"));
    }
    Ok(role)
}

fn create(call: &mut Call<'_>) -> Outcome {
    call.required("name")?;
    let role = changed(call, Role { id: new_id(), ..Role::default() })?;
    let location = call.location(&format!("roles/{}", role.id));
    let reply = Reply::status(201, &view(call, call.account()?, &role)).header("Location", location);
    call.account_mut()?.roles.push(role);
    Ok(reply)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let name = call.required("role")?;
    let old = call.account()?.role(&name).cloned().ok_or_else(|| Refusal::not_found(&name))?;
    let role = changed(call, old)?;
    let reply = Reply::json(&view(call, call.account()?, &role));
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
