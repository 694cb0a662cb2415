//! What takes away the caller's own rights: the key that signs, the sub-user or the roles by which it is allowed. It
//! is told before it is done, since nobody can take it back without another key.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use sdc::api::cloudapi::keys::{DELETE, KEY};
//! use sdc::tasks::call::Call;
//! use sdc::tasks::lockout::{self, Identity};
//!
//! let key = client.signer().unwrap().key().public().md5();
//! let call = Call::on(&KEY, &key, "emulator");
//! let lost = lockout::lost(&Identity::default(), &client, &DELETE, &[call]).await;
//! assert!(lost[0].starts_with("this is the key that signs"));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use percent_encoding::percent_decode_str;

use super::call::Call;
use crate::answer::{Answer, Row};
use crate::api;
use crate::api::Op;
use crate::api::cloudapi::{keys, policies, roles, user_keys, users};
use crate::client::Client;
use crate::grammar::is_uuid;
use crate::request::{Arg as Argument, Args, Request};

/// Who asks, as roles know them.
struct Caller<'a> {
    /// The sub-user, or the account that acts on another one: by its login, and by its id where that was given.
    names: Vec<String>,
    /// Whether it is a sub-user.
    user: bool,
    roles: &'a [String],
}

impl Caller<'_> {
    fn is(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    fn who(&self) -> String {
        let name = self.names.first().map(String::as_str).unwrap_or_default();
        format!("{} {name}", if self.user { "sub-user" } else { "account" })
    }
}

/// In whose name requests are sent.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The login or id of the sub-user.
    pub user: Option<String>,
    /// The account itself, where it acts on another one.
    pub acting: Option<String>,
    /// The roles that are taken on.
    pub roles: Vec<String>,
}

async fn caller<'a>(who: &'a Identity, client: &Client) -> Option<Caller<'a>> {
    let roles = who.roles.as_slice();
    let (name, user) = match (&who.user, &who.acting) {
        (Some(user), _) => (user, true),
        (None, Some(account)) => (account, false),
        // The owner of an account may do everything there, whatever its roles say.
        _ => return None,
    };
    let mut names = vec![name.clone()];
    // The service takes the id of a sub-user for its login, and shows both.
    if user && is_uuid(name) {
        let shown = client.call(&users::GET, &Args::new().set("user", name)).await.ok();
        let login =
            shown.as_ref().and_then(Answer::first).and_then(|row| row.text("/login").map(|login| login.into_owned()));
        names.extend(login);
    }
    Some(Caller { names, user, roles })
}

/// What of the caller's own would be lost, in sentences; nothing where that cannot be found out.
pub async fn lost(who: &Identity, client: &Client, op: &'static Op, calls: &[Call]) -> Vec<String> {
    let is = |known: &'static Op| std::ptr::eq(op, known);
    let mut lost = Vec::new();
    for call in calls {
        let words = if is(&keys::DELETE) && who.user.is_none() {
            own_key(client, op, call, &keys::GET).await
        } else if is(&user_keys::DELETE) && is_caller(who, client, call).await {
            own_key(client, op, call, &user_keys::GET).await
        } else if is(&users::DELETE) && is_caller(who, client, call).await {
            Some(
                "this is the sub-user as whom it is asked, and its keys: nothing can be done with them any longer"
                    .to_owned(),
            )
        } else if is(&users::UPDATE) && call.args.get("login").is_some() && is_caller(who, client, call).await {
            Some(
                "this is the sub-user as whom it is asked: under its old login nothing can be done any longer"
                    .to_owned(),
            )
        } else if is(&roles::DELETE) || is(&roles::UPDATE) {
            own_role(who, client, op, call).await
        } else if is(&policies::DELETE) || is(&policies::UPDATE) && call.args.get("rules").is_some() {
            own_policy(who, client, call).await
        } else {
            None
        };
        lost.extend(words);
    }
    lost
}

/// Whether the key that signs is deleted, as far as the names tell.
pub fn deletes_own_key(client: &Client, op: &'static Op, calls: &[Call]) -> bool {
    let Some(signer) = client.signer() else { return false };
    let (public, key_id) = (signer.key().public(), signer.key_id());
    let name = key_id.rsplit('/').next().unwrap_or_default();
    let own = |call: &Call| call.id().is_some_and(|id| id == name || id == public.md5());
    (std::ptr::eq(op, &keys::DELETE) || std::ptr::eq(op, &user_keys::DELETE)) && calls.iter().any(own)
}

/// What would be lost by a request of one's own, by the operation that it is one of.
pub async fn lost_by(who: &Identity, client: &Client, request: &Request) -> Vec<String> {
    // The service knows no difference between a path with a stroke at its end and one without.
    let path = request.path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let mut lost = Vec::new();
    // Role tags are set by a PUT on what has them.
    let tags = |body: &serde_json::Value| {
        let list = body.get("role-tag")?.as_array()?.iter();
        Some(list.filter_map(|role| Some(role.as_str()?.to_owned())).collect::<Vec<String>>())
    };
    let sent = request.body.as_ref().and_then(|(_, body)| serde_json::from_slice::<serde_json::Value>(body).ok());
    if let Some(wanted) = sent.as_ref().and_then(tags).filter(|_| request.method == reqwest::Method::PUT) {
        let read = Request { method: reqwest::Method::HEAD, body: None, ..request.clone() };
        let known = match client.send(&read).await {
            Ok(answer) => answer.header("role-tag").unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        };
        let known: Vec<String> = known.split(',').map(|role| role.trim().to_owned()).collect();
        let taken: Vec<&String> = known.iter().filter(|role| !role.is_empty() && !wanted.contains(role)).collect();
        return lost_tags(who, client, path, &taken).await;
    }
    for op in api::CLOUDAPI.operations(request.method.as_str(), path) {
        let parts = op.path.split('/').zip(path.split('/'));
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let params = parts.filter_map(|(known, part)| Some((known.strip_prefix(':')?, decoded(part))));
        let mut call = Call::default();
        for name in op.path_params() {
            if let Some((_, value)) = params.clone().find(|(known, _)| *known == name) {
                call.parents.extend(call.target.take());
                call.args.push(name, Argument::Text(value.clone()));
                call.target = Some((name, value));
            }
        }
        for (name, value) in sent.as_ref().and_then(serde_json::Value::as_object).into_iter().flatten() {
            let json = Argument::json(&value.to_string());
            call.args.push(name, json.unwrap_or_else(|_| Argument::Text(String::new())));
        }
        lost.extend(self::lost(who, client, op, &[call]).await);
    }
    lost
}

/// What would be lost by taking these roles off a thing: the caller acts in one of them.
pub async fn lost_tags(who: &Identity, client: &Client, typed: &str, taken: &[&String]) -> Vec<String> {
    let Some(caller) = caller(who, client).await.filter(|_| !taken.is_empty()) else { return Vec::new() };
    let Ok(known) = client.call(&roles::LIST, &Args::new()).await else {
        // Who may not list roles knows those that were taken on.
        let mine = taken.iter().filter(|role| caller.roles.contains(role));
        return mine.map(|role| tag_lost(&caller, role, typed)).collect();
    };
    let known: Vec<serde_json::Value> = known.rows().map(Row::value).collect();
    let mine = taken.iter().filter(|taken| {
        known.iter().any(|role| {
            role.get("name").and_then(serde_json::Value::as_str) == Some(taken.as_str()) && acts_in(&caller, role)
        })
    });
    mine.map(|role| tag_lost(&caller, role, typed)).collect()
}

fn tag_lost(caller: &Caller<'_>, role: &str, typed: &str) -> String {
    format!("{} acts in the role {role}: what it allows is no longer allowed to {typed}", caller.who())
}

/// The record of what a call is about.
async fn record(client: &Client, call: &Call, get: &'static Op) -> Option<Answer> {
    let place = get.path_params().filter_map(|name| Some((name, call.args.text(name)?)));
    let place = place.fold(Args::new(), |args, (name, text)| args.set(name, text));
    client.call(get, &place).await.ok()
}

/// Whether the key is the one that signs.
async fn own_key(client: &Client, op: &'static Op, call: &Call, get: &'static Op) -> Option<String> {
    let signer = client.signer()?;
    let md5 = signer.key().public().md5();
    let typed = call.args.text(op.path_params().last()?)?;
    let own = typed == md5 || {
        let record = record(client, call, get).await?;
        record.first()?.text("/fingerprint")? == md5
    };
    own.then(|| format!("this is the key that signs ({md5}): nothing can be done with it any longer"))
}

/// Whether the sub-user that a call names is the one as whom it is asked.
async fn is_caller(who: &Identity, client: &Client, call: &Call) -> bool {
    let Some(caller) = caller(who, client).await.filter(|caller| caller.user) else { return false };
    let named = call.target.iter().chain(&call.parents).any(|(param, name)| *param == "user" && caller.is(name));
    named || {
        let record = record(client, call, &users::GET).await;
        let row = record.as_ref().and_then(Answer::first);
        row.is_some_and(|row| {
            ["/login", "/id"].iter().any(|field| row.text(field).is_some_and(|name| caller.is(&name)))
        })
    }
}

/// A role as the service shows it, in the forms of API version 9 and of those before.
fn acts_in(caller: &Caller<'_>, role: &serde_json::Value) -> bool {
    let name = role.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
    caller.roles.iter().any(|role| role == name)
        || ["members", "default_members"].iter().any(|field| names(role, field, caller.user).any(|one| caller.is(one)))
}

/// The logins and ids of sub-users, or of other accounts, in a list of members.
fn names<'a>(role: &'a serde_json::Value, field: &str, users: bool) -> impl Iterator<Item = &'a str> {
    role.get(field).and_then(serde_json::Value::as_array).into_iter().flatten().flat_map(move |one| {
        let text = |field: &str| one.get(field).and_then(serde_json::Value::as_str);
        let fits = (text("type") == Some("account")) != users || one.is_string();
        [one.as_str(), text("login"), text("id")].into_iter().flatten().filter(move |_| fits)
    })
}

async fn own_role(who: &Identity, client: &Client, op: &'static Op, call: &Call) -> Option<String> {
    let caller = caller(who, client).await?;
    let json = |name: &str| match call.args.get(name) {
        Some(Argument::Json(raw)) => serde_json::from_str::<serde_json::Value>(raw.get()).ok(),
        _ => None,
    };
    let (members, policies) = (json("members"), json("policies"));
    let renamed = call.args.get("name").is_some() && !caller.roles.is_empty();
    let deletes = std::ptr::eq(op, &roles::DELETE);
    if !deletes && members.is_none() && policies.is_none() && !renamed {
        return None;
    }
    let role = record(client, call, &roles::GET).await?.first()?.value();
    if !acts_in(&caller, &role) {
        return None;
    }
    let name = role.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
    let stays = members.is_none_or(|members| {
        let wanted = serde_json::json!({ "members": members });
        names(&wanted, "members", caller.user).any(|one| caller.is(one))
    });
    match (deletes, stays) {
        (true, _) => {
            Some(format!("{} acts in the role {name}: what only this role allows is allowed no longer", caller.who()))
        }
        (false, false) => Some(format!("this takes {} out of the role {name}", caller.who())),
        (false, true) => Some(format!("{} acts in the role {name}: what it allows changes", caller.who())),
    }
}

async fn own_policy(who: &Identity, client: &Client, call: &Call) -> Option<String> {
    let caller = caller(who, client).await?;
    let policy = record(client, call, &policies::GET).await?.first()?.value();
    let text = |field: &str| policy.get(field).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (id, name) = (text("id"), text("name"));
    let known = client.call(&roles::LIST, &Args::new()).await.ok()?;
    let holds = |role: &serde_json::Value| {
        let policies = role.get("policies").and_then(serde_json::Value::as_array).into_iter().flatten();
        policies
            .filter_map(|one| one.as_str().or_else(|| one.get("name")?.as_str()).or_else(|| one.get("id")?.as_str()))
            .any(|one| one == name || one == id)
    };
    let mine = known.rows().map(Row::value);
    let role = mine.into_iter().find(|role| acts_in(&caller, role) && holds(role))?;
    let role = role.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some(format!("the policy {name} is one of the role {role}, in which {} acts", caller.who()))
}
