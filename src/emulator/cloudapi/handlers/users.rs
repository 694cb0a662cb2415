//! Sub-users of the account.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::call::{Call, Route};
use super::account::{PROFILE, check_email, profile};
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::{Account, User, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/users";
const ONE: &str = "/:login/users/:user";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListUsers", "users", list),
    Route::head(ALL, "HeadUsers", "users", list),
    Route::post(ALL, "CreateUser", "users", create).typed(),
    Route::get(ONE, "GetUser", "users", get),
    Route::head(ONE, "HeadUser", "users", get),
    Route::post(ONE, "UpdateUser", "users", update),
    Route::post("/:login/users/:user/change_password", "ChangeUserPassword", "users", change_password),
    Route::delete(ONE, "DeleteUser", "users", delete),
];

/// How many passwords are remembered, so that none of them is taken again.
const REMEMBERED: usize = 4;

fn view(user: &User) -> Value {
    let mut view = Map::new();
    view.insert("id".to_owned(), user.id.clone().into());
    view.insert("login".to_owned(), user.login.clone().into());
    view.insert("email".to_owned(), user.email.clone().into());
    view.extend(profile(&user.profile));
    view.insert("created".to_owned(), iso(user.created).into());
    view.insert("updated".to_owned(), iso(user.updated).into());
    Value::Object(view)
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&call.account()?.users.iter().map(view).collect()))
}

/// The names of the roles that a sub-user has; with `default`, of those it acts in without asking.
fn roles(account: &Account, user: &User, default: bool) -> Value {
    let has = |role: &&crate::emulator::datacenter::state::Role| {
        role.held_by.iter().any(|m| !m.account && m.id == user.id && (m.default || !default))
    };
    account.roles.iter().filter(has).map(|role| role.name.clone()).collect()
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("user")?;
    let account = call.account()?;
    let user = account.user(&name).ok_or_else(|| Refusal::not_found(&name))?;
    let mut view = view(user);
    if let (Some(_), Value::Object(fields)) = (call.truthy("membership"), &mut view) {
        fields.insert("roles".to_owned(), roles(account, user, false));
        fields.insert("default_roles".to_owned(), roles(account, user, true));
    }
    Ok(Reply::json(&view))
}

/// The sub-user of this id: a login does not do.
fn by_id<'a>(call: &'a mut Call<'_>) -> Result<&'a mut User, Refusal> {
    let id = call.required("user")?;
    let user = call.account_mut()?.users.iter_mut().find(|user| user.id == id);
    user.ok_or_else(|| Refusal::not_found(&id))
}

/// Whether a sub-user can have such a login.
pub(crate) fn can_be_login(login: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@');
    (3..=32).contains(&login.len()) && login.starts_with(|c: char| c.is_ascii_alphabetic()) && login.chars().all(fits)
}

/// Refuses a login that cannot be, or that another sub-user has.
fn check_login(account: &Account, login: &str, own: Option<&str>) -> Result<(), Refusal> {
    if !can_be_login(login) {
        return Err(Refusal::invalid(format!("login: {login} is invalid")));
    }
    if account.users.iter().any(|user| user.login == login && own != Some(user.id.as_str())) {
        return Err(Refusal::invalid("login is already taken"));
    }
    Ok(())
}

/// A password is kept only as this.
fn digest(user: &str, password: &str) -> String {
    Sha256::digest(format!("{user} {password}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives a sub-user another password, if it is good enough and not one of the last ones.
fn set_password(user: &mut User, password: &str) -> Result<(), Refusal> {
    let has = |fits: fn(&char) -> bool| password.chars().any(|c| fits(&c));
    // The directory's own words, and nothing else.
    if password.chars().count() < 7 {
        return Err(Refusal::invalid("passwordTooShort"));
    }
    if !has(char::is_ascii_alphabetic) || !has(char::is_ascii_digit) {
        return Err(Refusal::invalid("insufficientPasswordQuality"));
    }
    let digest = digest(&user.id, password);
    if user.passwords.contains(&digest) {
        return Err(Refusal::invalid("passwordInHistory"));
    }
    user.passwords.push(digest);
    let old = user.passwords.len().saturating_sub(REMEMBERED);
    user.passwords.drain(..old);
    Ok(())
}

/// The fields that were given, those to empty as empty text.
fn given(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    let mut fields = Map::new();
    for (name, _) in PROFILE.iter().filter(|(name, _)| *name != "email") {
        match call.params.get(*name) {
            None => {}
            Some(Value::Null) => drop(fields.insert((*name).to_owned(), "".into())),
            Some(value) => {
                let text = params::text(value).ok_or_else(|| Refusal::invalid(format!("{name} must be a string")))?;
                fields.insert((*name).to_owned(), text.into());
            }
        }
    }
    Ok(fields)
}

/// Parameters that must be there. All that are missing are told at once.
pub(crate) fn needed<const N: usize>(call: &Call<'_>, names: [&str; N]) -> Result<[String; N], Refusal> {
    let given = names.map(|name| call.text(name));
    let missing = names.iter().zip(&given).filter(|(_, value)| value.is_none());
    let missing: Vec<String> = missing.map(|(name, _)| format!("{name} is required")).collect();
    if missing.is_empty() {
        return Ok(given.map(Option::unwrap_or_default));
    }
    let words = format!("Request is missing required parameters: {}", missing.join(", "));
    Err(Refusal::lacking(&words))
}

fn create(call: &mut Call<'_>) -> Outcome {
    let [email, login, password] = needed(call, ["email", "login", "password"])?;
    check_email(&email)?;
    check_login(call.account()?, &login, None)?;
    let mut user = User {
        id: new_id(),
        login,
        email,
        profile: given(call)?,
        created: call.now,
        updated: call.now,
        ..User::default()
    };
    set_password(&mut user, &password)?;
    let reply = Reply::status(201, &view(&user)).header("Location", call.location(&format!("users/{}", user.login)));
    call.account_mut()?.users.push(user);
    Ok(reply)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let id = by_id(call)?.id.clone();
    let fields = given(call)?;
    let text = |name: &str| match call.params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => call.text(name).map(Some).ok_or_else(|| Refusal::invalid(format!("{name} is invalid"))),
    };
    let (login, email) = (text("login")?, text("email")?);
    if let Some(login) = &login {
        check_login(call.account()?, login, Some(&id))?;
    }
    if let Some(email) = &email {
        check_email(email)?;
    }
    let now = call.now;
    let user = by_id(call)?;
    user.profile.extend(fields);
    user.login = login.unwrap_or_else(|| user.login.clone());
    user.email = email.unwrap_or_else(|| user.email.clone());
    user.updated = now;
    Ok(Reply::json(&view(user)))
}

fn change_password(call: &mut Call<'_>) -> Outcome {
    let [password, confirmation] = needed(call, ["password", "password_confirmation"])?;
    by_id(call)?;
    if password != confirmation {
        return Err(Refusal::invalid("password and password_confirmation must have the same value"));
    }
    let now = call.now;
    let user = by_id(call)?;
    set_password(user, &password)?;
    user.updated = now;
    Ok(Reply::json(&view(user)))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let name = call.required("user")?;
    let account = call.account_mut()?;
    let user = account.user(&name).ok_or_else(|| Refusal::not_found(&name))?;
    if !user.keys.is_empty() || !user.access_keys.is_empty() {
        return Err(Refusal::invalid(format!("{name} still has keys: delete them first")));
    }
    let id = user.id.clone();
    account.users.retain(|user| user.id != id);
    for role in &mut account.roles {
        role.held_by.retain(|member| member.account || member.id != id);
    }
    Ok(Reply::empty(204))
}
