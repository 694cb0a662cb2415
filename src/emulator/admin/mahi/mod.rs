//! mahi: accounts, their sub-users and roles, as services that check requests read them. What customers and operators
//! change is here at once.

use serde_json::{Map, Value, json};

use super::Kind;
use super::call::{Call, Route, route};
use crate::emulator::datacenter::state::{Account, Key, Role, User};
use crate::emulator::datacenter::verify;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static MAHI: Kind = Kind {
    name: "mahi",
    routes: &[ROUTES],
    versions: &[(1, 0, 0)],
    default_version: "*",
    body_wins: false,
    request_id: false,
};

static ROUTES: &[Route] = &[
    route("GET", "/ping", &["Ping"], |_| Ok(Reply::empty(204))),
    route("GET", "/accounts", &["GetAccount"], by_login),
    route("GET", "/accounts/:accountid", &["GetAccountByUuid"], by_id),
    route("GET", "/users", &["GetUser"], user_by_login),
    route("GET", "/users/:userid", &["GetUserByUuid"], user_by_id),
    route("GET", "/uuids", &["NameToUuid"], uuids),
    route("GET", "/names", &["UuidToName"], names),
    route("GET", "/lookup", &["Lookup"], lookup),
];

fn unknown(code: &str, words: String) -> Refusal {
    Refusal::new(404, code, words)
}

fn lacking(name: &str) -> Refusal {
    Refusal::new(400, "BadRequestError", format!("{name} is required"))
}

/// Keys by their fingerprints, in the form of OpenSSL.
fn keys(keys: &[Key]) -> Value {
    let pem = |key: &Key| Some((key.fingerprint.clone(), Value::from(verify::pem(&key.key)?)));
    Value::Object(keys.iter().filter_map(pem).collect())
}

fn view(account: &Account) -> Value {
    let groups: &[&str] = if account.operator { &["operators"] } else { &[] };
    json!({
        "type": "account",
        "uuid": account.id,
        "login": account.login,
        "groups": groups,
        "approved_for_provisioning": !account.unapproved,
        "triton_cns_enabled": account.cns,
        "keys": keys(&account.keys),
        "isOperator": account.operator,
    })
}

/// The roles that a sub-user has, or those alone that it acts in without asking.
fn roles_of<'a>(account: &'a Account, user: &'a User, by_default: bool) -> impl Iterator<Item = &'a Role> {
    let holds = move |role: &&Role| {
        role.held_by.iter().any(|member| !member.account && member.id == user.id && (member.default || !by_default))
    };
    account.roles.iter().filter(holds)
}

fn view_user(account: &Account, user: &User) -> Value {
    let ids =
        |by_default: bool| -> Vec<&str> { roles_of(account, user, by_default).map(|role| role.id.as_str()).collect() };
    json!({
        "type": "user",
        "uuid": user.id,
        "account": account.id,
        "login": user.login,
        "keys": keys(&user.keys),
        "roles": ids(false),
        "defaultRoles": ids(true),
    })
}

/// A role, with the rules of its policies. What a rule means is not spelt out.
fn view_role(account: &Account, role: &Role) -> Value {
    let policies = account.policies.iter().filter(|policy| role.policies.contains(&policy.id));
    let rules: Vec<Value> = policies.flat_map(|policy| &policy.rules).map(|rule| json!([rule, Value::Null])).collect();
    json!({
        "type": "role",
        "uuid": role.id,
        "name": role.name,
        "account": account.id,
        "policies": role.policies,
        "rules": rules,
    })
}

/// The answer about an account, and about one of its sub-users.
fn about(account: &Account, user: Option<&User>) -> Reply {
    let mut view = Map::new();
    let roles = user.into_iter().flat_map(|user| roles_of(account, user, false));
    let roles = roles.map(|role| (role.id.clone(), view_role(account, role))).collect();
    view.insert("roles".to_owned(), Value::Object(roles));
    view.insert("account".to_owned(), self::view(account));
    if let Some(user) = user {
        view.insert("user".to_owned(), view_user(account, user));
    }
    Reply::json(&Value::Object(view))
}

fn account<'a>(call: &'a Call<'_>, login: &str) -> Result<&'a Account, Refusal> {
    let found = call.state.accounts.iter().find(|account| account.login == login);
    found.ok_or_else(|| unknown("AccountDoesNotExist", format!("{login} does not exist")))
}

fn by_login(call: &mut Call<'_>) -> Outcome {
    let login = call.text("login").ok_or_else(|| lacking("login"))?;
    Ok(about(account(call, &login)?, None))
}

fn by_id(call: &mut Call<'_>) -> Outcome {
    let id = call.part("accountid");
    if call.state.accounts.iter().any(|account| account.users.iter().any(|user| user.id == id)) {
        return Err(Refusal::new(400, "WrongType", format!("{id} is not an account")));
    }
    let found = call.state.accounts.iter().find(|account| account.id == id);
    let found = found.ok_or_else(|| unknown("AccountIdDoesNotExist", format!("{id} does not exist")))?;
    Ok(about(found, None))
}

/// A sub-user; of one that there is not, the account alone, unless that is not wanted.
fn user_by_login(call: &mut Call<'_>) -> Outcome {
    let (login, name) = (call.text("account"), call.text("login"));
    let login = login.ok_or_else(|| lacking("account"))?;
    let name = name.ok_or_else(|| lacking("login"))?;
    let account = account(call, &login)?;
    let user = account.users.iter().find(|user| user.login == name);
    if user.is_none() && call.params.get("fallback").and_then(params::flag) == Some(false) {
        let words = format!("user {name} does not exist in account {login}");
        return Err(unknown("UserDoesNotExist", words));
    }
    Ok(about(account, user))
}

fn user_by_id(call: &mut Call<'_>) -> Outcome {
    let id = call.part("userid");
    if call.state.accounts.iter().any(|account| account.id == id) {
        return Err(Refusal::new(400, "WrongType", format!("{id} is not a user")));
    }
    let mut users =
        call.state.accounts.iter().flat_map(|account| account.users.iter().map(move |user| (account, user)));
    let found = users.find(|(_, user)| user.id == id);
    let (account, user) = found.ok_or_else(|| unknown("UserIdDoesNotExist", format!("{id} does not exist")))?;
    Ok(about(account, Some(user)))
}

/// The names and ids of an account's things of one kind.
fn things<'a>(account: &'a Account, kind: &str) -> Option<Vec<(&'a str, &'a str)>> {
    Some(match kind {
        "user" => account.users.iter().map(|user| (user.login.as_str(), user.id.as_str())).collect(),
        "role" => account.roles.iter().map(|role| (role.name.as_str(), role.id.as_str())).collect(),
        "policy" => account.policies.iter().map(|policy| (policy.name.as_str(), policy.id.as_str())).collect(),
        _ => return None,
    })
}

/// The ids of names. Those that nothing has are left out.
fn uuids(call: &mut Call<'_>) -> Outcome {
    let login = call.text("account").ok_or_else(|| lacking("account"))?;
    let account = account(call, &login)?;
    let names = call.list("name").unwrap_or_default();
    let mut found = Map::new();
    if !names.is_empty() {
        let kind = call.text("type").ok_or_else(|| lacking("type"))?;
        let wrong = || Refusal::new(400, "WrongType", format!("{kind} is not a type"));
        let known = things(account, &kind).ok_or_else(wrong)?;
        let named = known.into_iter().filter(|(name, _)| names.iter().any(|wanted| wanted == name));
        found.extend(named.map(|(name, id)| (name.to_owned(), id.into())));
    }
    Ok(Reply::json(&json!({ "account": account.id, "uuids": found })))
}

/// The names of ids. Those that nothing has are left out.
fn names(call: &mut Call<'_>) -> Outcome {
    let wanted = call.list("uuid").unwrap_or_default();
    let mut found = Map::new();
    for account in &call.state.accounts {
        let own = (account.login.as_str(), account.id.as_str());
        let kinds = ["user", "role", "policy"].into_iter().filter_map(|kind| things(account, kind)).flatten();
        let named = std::iter::once(own).chain(kinds).filter(|(_, id)| wanted.iter().any(|one| one == id));
        found.extend(named.map(|(name, id)| (id.to_owned(), name.into())));
    }
    Ok(Reply::json(&Value::Object(found)))
}

/// Every account: whether it may make VMs, and its login.
fn lookup(call: &mut Call<'_>) -> Outcome {
    let one =
        |account: &Account| (account.id.clone(), json!({ "approved": !account.unapproved, "login": account.login }));
    Ok(Reply::json(&Value::Object(call.state.accounts.iter().map(one).collect())))
}
