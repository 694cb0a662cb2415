//! The users, roles and policies of an account, read from the service in the forms of API version 9 and of earlier
//! ones.

use futures_util::StreamExt;
use serde_json::Value;

use super::texts;
use crate::answer::{Answer, Row};
use crate::api::cloudapi::{policies, roles, user_keys, users};
use crate::auth::PublicKey;
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::request::Args;

/// Requests for keys or roles that are in flight at once.
const AT_ONCE: usize = 8;

/// Everything of one account.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Users, in the service's order.
    pub users: Vec<User>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Names of roles whose default members could not be read, and are those of the list.
    pub unsure: Vec<String>,
}

/// A sub-user.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// UUID.
    pub id: String,
    /// Login.
    pub login: String,
    /// The object as the service shows it.
    pub object: Value,
    /// Its keys, if they were read.
    pub keys: Vec<Key>,
}

/// A key of a sub-user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Name.
    pub name: String,
    /// MD5 fingerprint.
    pub md5: String,
    /// OpenSSH line.
    pub line: String,
}

/// A member of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Login.
    pub login: String,
    /// Whether it is another account rather than a sub-user.
    pub account: bool,
    /// Whether the role is active without being asked for.
    pub default: bool,
}

impl Member {
    /// A member by the name that files and options have: a login, or `account:LOGIN`.
    pub fn typed(text: &str, default: bool) -> Member {
        match text.strip_prefix("account:") {
            Some(login) => Member { login: login.to_owned(), account: true, default },
            None => Member { login: text.to_owned(), account: false, default },
        }
    }

    /// The name that files and options have.
    pub fn name(&self) -> String {
        if self.account { format!("account:{}", self.login) } else { self.login.clone() }
    }
}

/// A role.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Members, default ones among them.
    pub members: Vec<Member>,
    /// Names of policies.
    pub policies: Vec<String>,
}

/// A policy.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// Empty if there is none.
    pub description: String,
    /// Rules, in no order.
    pub rules: Vec<String>,
}

/// The answers of the three lists.
#[derive(Clone, Debug)]
pub struct Lists {
    /// ListUsers.
    pub users: Answer,
    /// ListRoles, with the default members of GetRole.
    pub roles: Answer,
    /// ListPolicies.
    pub policies: Answer,
    /// Names of roles that the caller may list but not read.
    pub unsure: Vec<String>,
}

/// Calls ListUsers, ListRoles and ListPolicies at once, then GetRole for the roles that show default members.
///
/// # Errors
/// The first failure of a request.
pub async fn lists(client: &Client) -> Result<Lists> {
    let none = Args::new();
    let (users, roles, policies) = futures_util::future::try_join3(
        client.call(&users::LIST, &none),
        client.call(&roles::LIST, &none),
        client.call(&policies::LIST, &none),
    )
    .await?;
    let (roles, unsure) = with_defaults(client, roles).await?;
    Ok(Lists { users, roles, policies, unsure })
}

/// The list of roles with each role's own default members, and the roles that may not be read. ListRoles of API
/// version 9 shows a member as a default one in every role that follows the first in which it is; GetRole does not.
/// It adds and never drops, so a role without default members is as the list shows it.
async fn with_defaults(client: &Client, list: Answer) -> Result<(Answer, Vec<String>)> {
    let Answer::Rows(listed) = list else { return Ok((list, Vec::new())) };
    let mut answers = std::pin::pin!(
        futures_util::stream::iter(listed)
            .map(|row| async move {
                let known = role(&object(Row(&row), "role")?);
                if known.members.iter().all(|member| !member.default) {
                    return Ok((known.name, Ok(Answer::Record(row)), None));
                }
                let shown = client.call(&roles::GET, &Args::new().set("role", &known.id)).await;
                Ok::<_, Error>((known.name, shown, Some(row)))
            })
            .buffered(AT_ONCE)
    );
    let (mut rows, mut unsure) = (Vec::new(), Vec::new());
    while let Some(answer) = answers.next().await {
        match answer? {
            (_, Ok(Answer::Record(role)), _) => rows.push(role),
            // It has been deleted meanwhile.
            (_, Err(error), _) if error.kind() == Kind::NotFound => {}
            (name, Err(error), Some(row))
                if error.kind() == Kind::Auth && error.fault().is_some_and(|fault| fault.status == 403) =>
            {
                unsure.push(name);
                rows.push(row);
            }
            (name, Err(error), _) => return Err(error.about(&format!("role {name}"))),
            (name, Ok(_), _) => {
                return Err(Error::new(Kind::Unreachable, format!("role {name}: the service answered no object")));
            }
        }
    }
    Ok((Answer::Rows(rows), unsure))
}

/// Calls ListUserKeys for users, given by id and login, and returns each answer with the user's login.
///
/// # Errors
/// The first failure of a request.
pub async fn keys(client: &Client, users: &[(String, String)]) -> Result<Vec<(String, Answer)>> {
    let mut answers = std::pin::pin!(
        futures_util::stream::iter(users.iter().cloned())
            .map(|(id, login)| async move {
                let answer = client.call(&user_keys::LIST, &Args::new().set("user", id)).await;
                answer.map(|keys| (login.clone(), keys)).map_err(|error| error.about(&format!("keys of user {login}")))
            })
            .buffered(AT_ONCE)
    );
    let mut all = Vec::new();
    while let Some(answer) = answers.next().await {
        all.push(answer?);
    }
    Ok(all)
}

/// An access key of a sub-user, without its secret, which older services list too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// Id.
    pub id: String,
    /// Whether it counts: `Active`, `Inactive`, `Expired`.
    pub status: String,
    /// When it was made, in the service's own form.
    pub created: String,
}

/// Calls ListUserAccessKeys for users, given by id and login, and returns what each login has; nothing where the service
/// has no such keys, or does not let the caller see them.
///
/// # Errors
/// The first other failure of a request.
pub async fn access_keys(client: &Client, users: &[(String, String)]) -> Result<Vec<(String, Option<Vec<AccessKey>>)>> {
    let mut answers = std::pin::pin!(
        futures_util::stream::iter(users.iter().cloned())
            .map(|(id, login)| async move {
                match client.call(&user_keys::ACCESS_LIST, &Args::new().set("user", id)).await {
                    Ok(answer) => Ok((login, Some(answer.rows().map(access_key).collect()))),
                    Err(error) if error.fault().is_some_and(|fault| matches!(fault.status, 403..=405)) => {
                        Ok((login, None))
                    }
                    Err(error) => Err(error.about(&format!("access keys of user {login}"))),
                }
            })
            .buffered(AT_ONCE)
    );
    let mut all = Vec::new();
    while let Some(answer) = answers.next().await {
        all.push(answer?);
    }
    Ok(all)
}

fn access_key(row: Row<'_>) -> AccessKey {
    AccessKey {
        id: row.text_or_empty("/accesskeyid"),
        status: row.text_or_empty("/status"),
        created: row.text_or_empty("/created"),
    }
}

/// Reads everything, with the keys of those users that `with_keys` chooses by id and login.
///
/// # Errors
/// The first failure of a request; an answer is not of the API's form.
pub async fn read(client: &Client, with_keys: impl Fn(&str, &str) -> bool) -> Result<Live> {
    let lists = lists(client).await?;
    let mut live = lists.live()?;
    let chosen: Vec<(String, String)> = live
        .users
        .iter()
        .filter(|user| with_keys(&user.id, &user.login))
        .map(|user| (user.id.clone(), user.login.clone()))
        .collect();
    for (login, answer) in keys(client, &chosen).await? {
        if let Some(user) = live.users.iter_mut().find(|user| user.login == login) {
            user.keys = answer.rows().map(|row| row.read().map(|key: Value| self::key(&key))).collect::<Result<_>>()?;
        }
    }
    Ok(live)
}

impl Lists {
    /// Decodes them; users have no keys yet.
    ///
    /// # Errors
    /// A row is not a JSON object, or has no name.
    pub fn live(&self) -> Result<Live> {
        let users = values(&self.users, "user", "login", &[])?.into_iter().map(|object| User {
            id: text(&object, "id"),
            login: text(&object, "login"),
            object,
            keys: Vec::new(),
        });
        let policies = values(&self.policies, "policy", "name", &["rules"])?.into_iter().map(|policy| Policy {
            id: text(&policy, "id"),
            name: text(&policy, "name"),
            description: text(&policy, "description"),
            rules: texts(policy.get("rules")),
        });
        Ok(Live {
            users: users.collect(),
            roles: values(&self.roles, "role", "name", &["members", "policies"])?.iter().map(role).collect(),
            policies: policies.collect(),
            unsure: self.unsure.clone(),
        })
    }
}

impl Live {
    /// Refuses default members that are only those of the list, which shows too many.
    ///
    /// # Errors
    /// The right getrole is missing for a role.
    pub fn sure(self) -> Result<Live> {
        match self.unsure.as_slice() {
            [] => Ok(self),
            roles => Err(Error::auth(format!("the default members of {} cannot be read", roles.join(", ")))
                .hint("the right getrole is missing; the list of roles does not show them reliably")),
        }
    }
}

/// The rows of a list, each with its name and what it always holds: what is not in a file is deleted by its name, and
/// what one holds is replaced.
fn values(answer: &Answer, word: &str, name: &str, lists: &[&str]) -> Result<Vec<Value>> {
    let checked = |row: Row<'_>| {
        let value = object(row, word)?;
        if text(&value, name).is_empty() {
            return Err(unread(word, &value, name));
        }
        lists.iter().try_for_each(|list| check(word, &value, list)).map(|()| value)
    };
    answer.rows().map(checked).collect()
}

fn object(row: Row<'_>, word: &str) -> Result<Value> {
    row.read().map_err(|error| Error::new(Kind::Unreachable, format!("a {word} cannot be read")).because(error))
}

/// Refuses an object of which a list is not shown, or has an element that cannot be named: it would be lost where the
/// list is written back. `list` is `members`, `policies` or `rules`, each of which the service always shows.
///
/// # Errors
/// It is so.
pub fn check(word: &str, object: &Value, list: &str) -> Result<()> {
    let is_name = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let is_one = |value: &Value| match (list, value) {
        ("members", Value::Object(member)) => {
            member.get("login").is_some_and(is_name)
                && member.get("type").is_none_or(|kind| matches!(kind.as_str(), Some("subuser" | "account")))
                && member.get("default").is_none_or(Value::is_boolean)
        }
        ("policies", Value::Object(policy)) => policy.get("name").is_some_and(is_name),
        _ => is_name(value),
    };
    if !object[list].as_array().is_some_and(|all| all.iter().all(is_one)) {
        return Err(unread(word, object, list));
    }
    // Only earlier versions show them apart, and version 9 by mistake where there are none.
    match object.get("default_members") {
        Some(value) if list == "members" && !value.as_array().is_some_and(|all| all.iter().all(is_name)) => {
            Err(unread(word, object, "default_members"))
        }
        _ => Ok(()),
    }
}

fn unread(word: &str, object: &Value, field: &str) -> Error {
    let id = super::super::words::brief(&text(object, "id"));
    Error::new(Kind::Unreachable, format!("{word} {id} shows no {field} that can be read"))
}

fn text(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A key, whose fingerprint is computed from its line rather than believed.
fn key(object: &Value) -> Key {
    let line = text(object, "key");
    let md5 = PublicKey::from_line(&line).map_or_else(|_| text(object, "fingerprint"), |key| key.md5());
    Key { name: text(object, "name"), md5, line }
}

/// A role as the service shows it. Members are objects under version 9, and logins before.
pub fn role(object: &Value) -> Role {
    let mut members: Vec<Member> = Vec::new();
    let listed = |field: &str| object.get(field).and_then(Value::as_array).into_iter().flatten();
    for member in listed("members") {
        let member = match member {
            Value::String(login) => Member { login: login.clone(), account: false, default: false },
            other => Member {
                login: text(other, "login"),
                account: other.get("type").and_then(Value::as_str) == Some("account"),
                default: other.get("default").and_then(Value::as_bool).unwrap_or(false),
            },
        };
        if !member.login.is_empty() && !members.contains(&member) {
            members.push(member);
        }
    }
    for login in listed("default_members").filter_map(Value::as_str) {
        match members.iter_mut().find(|member| member.login == login && !member.account) {
            Some(member) => member.default = true,
            None => members.push(Member { login: login.to_owned(), account: false, default: true }),
        }
    }
    let policies = listed("policies").map(|policy| policy.as_str().map_or_else(|| text(policy, "name"), str::to_owned));
    Role { id: text(object, "id"), name: text(object, "name"), members, policies: policies.collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_read_in_the_forms_of_every_version() {
        let nine = role(&json!({ "id": "r", "name": "ops", "policies": [{ "id": "p", "name": "may" }], "members": [
            { "type": "subuser", "id": "u", "login": "jill", "default": true },
            { "type": "account", "id": "a", "login": "other" },
        ]}));
        let eight = role(
            &json!({ "id": "r", "name": "ops", "policies": ["may"], "members": ["jill"], "default_members": ["jill"] }),
        );
        let names = |role: &Role| role.members.iter().map(|member| (member.name(), member.default)).collect::<Vec<_>>();
        assert_eq!(names(&nine), [("jill".to_owned(), true), ("account:other".to_owned(), false)]);
        assert_eq!(names(&eight), [("jill".to_owned(), true)]);
        assert_eq!((nine.policies, eight.policies), (vec!["may".to_owned()], vec!["may".to_owned()]));
        assert!(role(&json!({ "name": 7, "members": "jill", "policies": [null] })).members.is_empty());
    }
}
