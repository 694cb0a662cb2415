//! The file that says which users, roles and policies an account is to have: parsed and checked, with the keys that it
//! names by their files. It sends no request.

use std::path::Path;

use serde::Deserialize;

use super::super::secrets::{self, Place};
use super::super::values::Files;
pub use super::super::values::Folders;
use super::live::{Key, Member};
use crate::auth::PublicKey;
use crate::error::{Error, Hint, Result};
use crate::file;
use crate::grammar::policy;
use crate::sensitive;

/// The longest file, in bytes.
pub const MAX_LEN: u64 = 4 * 1024 * 1024;
/// The longest file of keys, in bytes.
const MAX_KEYS_LEN: u64 = 256 * 1024;
/// The longest name of an owner, in characters: it becomes part of the name of a file.
const MAX_OWNER_LEN: usize = 64;

/// The content of the file. `None` stands for whatever it leaves out, which stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The file's owner, under whose name the record is kept.
    pub owner: Option<String>,
    /// Users.
    pub users: Vec<User>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Policies.
    pub policies: Vec<Policy>,
}

/// A user of the file.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Login.
    pub login: String,
    /// Fields, by their names in the API.
    pub fields: Vec<(&'static str, String)>,
    /// Keys.
    pub keys: Option<Vec<Key>>,
}

/// A role of the file.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// Name.
    pub name: String,
    /// Members, default ones among them.
    pub members: Option<Vec<Member>>,
    /// Names of policies.
    pub policies: Option<Vec<String>>,
}

/// A policy of the file.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Rules, each once.
    pub rules: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    owner: Option<String>,
    #[serde(default)]
    users: Vec<UserText>,
    #[serde(default)]
    roles: Vec<RoleText>,
    #[serde(default)]
    policies: Vec<PolicyText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserText {
    login: String,
    email: Option<String>,
    company_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    address: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    phone: Option<String>,
    keys: Option<KeysText>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "keys are a list of texts, or the name of a file or folder")]
enum KeysText {
    Place(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleText {
    name: String,
    members: Option<Vec<String>>,
    default_members: Option<Vec<String>>,
    policies: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyText {
    name: String,
    description: Option<String>,
    rules: Option<Vec<String>>,
}

/// Parses a file and reads the files of keys that it names.
///
/// # Errors
/// A usage error that says where in the file the fault is.
pub fn parse(bytes: &[u8], folders: Folders<'_>) -> Result<Wanted> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text: Text = serde_json::from_slice(bytes).map_err(|error| {
        Error::usage(format!("line {}, column {}: {}", error.line(), error.column(), fault(&error)))
            .hint(Hint::run("how such a file looks", "help rbac apply").then(", or: ").then_run("rbac export"))
    })?;
    if let Some(owner) = &text.owner {
        plain("the owner", Place::Name, owner, folders)?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let begins = owner.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins || !owner.chars().all(plain) || owner.len() > MAX_OWNER_LEN {
            return Err(Error::usage(format!("'{}' cannot be an owner", owner.escape_debug()))
                .hint(format!("letters, digits, '.', '_' and '-', a letter or digit first, at most {MAX_OWNER_LEN}")));
        }
    }
    // Errors name them.
    let names = text.users.iter().map(|user| ("the login of a user", &user.login));
    let names = names.chain(text.roles.iter().map(|role| ("the name of a role", &role.name)));
    for (what, name) in names.chain(text.policies.iter().map(|policy| ("the name of a policy", &policy.name))) {
        plain(what, Place::Name, name, folders)?;
    }
    let users = text.users.into_iter().map(|user| self::user(user, folders)).collect::<Result<Vec<_>>>()?;
    let roles: Vec<Role> = text.roles.into_iter().map(role).collect::<Result<_>>()?;
    let policies: Vec<Policy> = text.policies.into_iter().map(policy).collect();
    once("user", users.iter().map(|user| user.login.as_str()))?;
    once("role", roles.iter().map(|role| role.name.as_str()))?;
    once("policy", policies.iter().map(|policy| policy.name.as_str()))?;
    let wanted = Wanted { owner: text.owner, users, roles, policies };
    wanted.no_secrets(folders)?;
    Ok(wanted)
}

/// What is wrong with the JSON: without the file's values, which may be secrets.
fn fault(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = error.to_string();
    let words = words.strip_suffix(&place).unwrap_or(&words);
    let unknown = words.strip_prefix("unknown field `").and_then(|rest| rest.rsplit_once("`, expected "));
    match (unknown, words.rsplit_once(", expected ")) {
        (Some((field, known)), _) => format!("unknown field `{}`, expected {known}", sensitive::shown(field)),
        (None, Some((_, expected))) => format!("expected {}", file::json_type(expected).unwrap_or(expected)),
        (None, None) => words.to_owned(),
    }
}

fn once<'a>(kind: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut known = std::collections::HashSet::new();
    for name in names {
        if name.is_empty() {
            return Err(Error::usage(format!("a {kind} has an empty name")));
        }
        if !known.insert(name) {
            return Err(Error::usage(format!("the {kind} {name} is there twice")));
        }
    }
    Ok(())
}

fn user(text: UserText, folders: Folders<'_>) -> Result<User> {
    let fields = [
        ("email", text.email),
        ("companyName", text.company_name),
        ("firstName", text.first_name),
        ("lastName", text.last_name),
        ("address", text.address),
        ("postalCode", text.postal_code),
        ("city", text.city),
        ("state", text.state),
        ("country", text.country),
        ("phone", text.phone),
    ];
    let login = text.login;
    let about = |error: Error| error.about(&format!("user {login}"));
    let lines = match text.keys {
        Some(KeysText::List(entries)) => Some(entries),
        Some(KeysText::Place(place)) => Some(place_of_keys(&place, folders).map_err(about)?),
        None => beside(folders.folder, &login),
    };
    let keys = match lines {
        Some(entries) => Some(keys(&entries, folders).map_err(about)?),
        None => None,
    };
    Ok(User { fields: fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(), login, keys })
}

/// The file in which node-triton looks for the keys of a user for whom the file lists none.
fn beside(folder: &Path, login: &str) -> Option<Vec<String>> {
    // A login must not lead out of the folder.
    let plain = !login.is_empty() && !login.starts_with('.') && !login.contains(['/', '\\', ':']);
    let file = folder.join("rbac-user-keys").join(format!("{login}.pub"));
    (plain && file.is_file()).then(|| vec![absolute(&file)])
}

/// The files of keys at a place that the file names.
fn place_of_keys(place: &str, folders: Folders<'_>) -> Result<Vec<String>> {
    // The file's own folder is below the empty text.
    if place.trim().is_empty() {
        return Err(none("keys: the name of the file or folder is empty: is a variable unset?"));
    }
    plain("keys", Place::File, place, folders)?;
    let files = below(&folders.path(place))?;
    match files.is_empty() {
        true => Err(none(&format!("keys: the folder {place} holds no file that ends in .pub"))),
        false => Ok(files),
    }
}

/// No key where there should be one. That a user is to have none must be said: it deletes those there are.
fn none(words: &str) -> Error {
    Error::usage(words).hint("to leave the keys as they are, leave \"keys\" out; to have none: \"keys\": []")
}

/// Refuses a text that may not stand here, and does not repeat it.
fn plain(what: &str, place: Place, text: &str, folders: Folders<'_>) -> Result<()> {
    match place.refuses(text, &folders) {
        Some(sort) => Err(Error::usage(format!("{what} holds {sort}, which does not belong there; nothing was sent"))),
        None => Ok(()),
    }
}

/// A file, or the `.pub` files of a folder by name.
fn below(place: &Path) -> Result<Vec<String>> {
    if !place.is_dir() {
        return Ok(vec![absolute(place)]);
    }
    let fail = |error: std::io::Error| Error::usage(format!("cannot read {}", place.display())).because(error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(place).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|end| end == "pub") {
            files.push(absolute(&path));
        }
    }
    files.sort();
    Ok(files)
}

/// An absolute path, which stays the same when it is joined to the folder again.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

/// The keys of lines and files, each once.
fn keys(entries: &[String], folders: Folders<'_>) -> Result<Vec<Key>> {
    let mut keys: Vec<Key> = Vec::new();
    for entry in entries {
        let is_line = entry.trim().contains([' ', '\t']) && PublicKey::from_line(entry).is_ok();
        let looks_so = ["ssh-", "ecdsa-", "sk-"].iter().any(|begin| entry.trim_start().starts_with(begin));
        let lines = match is_line || looks_so {
            true => entry.clone(),
            false if entry.trim().is_empty() => return Err(none("keys: an element is empty: is a variable unset?")),
            false => {
                plain("keys", Place::File, entry, folders)?;
                key_file(&folders.path(entry))?
            }
        };
        let lines: Vec<&str> =
            lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        if lines.is_empty() {
            return Err(none(&format!("keys: {entry} holds no key")));
        }
        for line in lines {
            if sensitive::is_key(line) {
                return Err(Error::usage("keys: the comment of a key holds a private key; nothing was sent"));
            }
            let key = PublicKey::from_line(line).map_err(|error| error.about("keys"))?;
            let md5 = key.md5();
            if keys.iter().all(|known| known.md5 != md5) {
                keys.push(Key { name: key.comment().to_owned(), md5, line: key.openssh_line() });
            }
        }
    }
    Ok(keys)
}

fn key_file(path: &Path) -> Result<String> {
    let shown = path.display();
    let bytes = file::read(path, MAX_KEYS_LEN)
        .map_err(|error| Error::usage(format!("cannot read the keys in {shown}")).because(error))?;
    let text = String::from_utf8(bytes).map_err(|_| Error::usage(format!("{shown} is not text (UTF-8)")))?;
    secrets::no_private_key(&shown.to_string(), &text)
        .map_err(|error| error.hint(format!("the public one is most likely {shown}.pub")))?;
    Ok(text)
}

fn role(text: RoleText) -> Result<Role> {
    let mut members: Vec<Member> = Vec::new();
    let typed = [(&text.members, false), (&text.default_members, true)];
    let given = typed.iter().any(|(list, _)| list.is_some());
    for (list, default) in typed {
        for login in list.iter().flatten() {
            let member = Member::typed(login, default);
            if member.login.is_empty() {
                return Err(Error::usage(format!("role {}: a member has an empty login", text.name)));
            }
            match members.iter_mut().find(|known| known.name() == member.name()) {
                Some(known) => known.default |= default,
                None => members.push(member),
            }
        }
    }
    let policies = text.policies.map(|mut policies| {
        let mut known = std::collections::HashSet::new();
        policies.retain(|name| known.insert(name.clone()));
        policies
    });
    Ok(Role { name: text.name, members: given.then_some(members), policies })
}

fn policy(text: PolicyText) -> Policy {
    let rules = match text.rules {
        None => None,
        Some(given) => {
            let mut rules: Vec<String> = Vec::new();
            for rule in given {
                let rule = rule.trim().to_owned();
                if !rules.contains(&rule) {
                    rules.push(rule);
                }
            }
            Some(rules)
        }
    };
    Policy { name: text.name, description: text.description, rules }
}

impl Wanted {
    /// Refuses what the commands for one user, role or policy refuse too: private keys in fields that are sent, and
    /// that the plan shows.
    fn no_secrets(&self, folders: Folders<'_>) -> Result<()> {
        let check = |what: String, place, text: &str| plain(&what, place, text, folders);
        for user in &self.users {
            for (field, text) in &user.fields {
                check(format!("user {}: {field}", user.login), Place::of_text(field), text)?;
            }
        }
        for role in &self.roles {
            let members = role.members.iter().flatten().map(|member| ("members", &member.login));
            let policies = role.policies.iter().flatten().map(|policy| ("policies", policy));
            for (field, text) in members.chain(policies) {
                check(format!("role {}: {field}", role.name), Place::Name, text)?;
            }
        }
        for policy in &self.policies {
            let rules = policy.rules.iter().flatten().map(|rule| ("rules", rule));
            for (field, text) in policy.description.iter().map(|text| ("description", text)).chain(rules) {
                check(format!("policy {}: {field}", policy.name), Place::Text, text)?;
            }
        }
        Ok(())
    }

    /// Rules that most likely mean something else than was intended, one sentence for each.
    pub fn doubts(&self) -> Vec<String> {
        let rules =
            self.policies.iter().flat_map(|policy| policy.rules.iter().flatten().map(move |rule| (policy, rule)));
        rules
            .flat_map(|(policy, rule)| policy::doubts(rule).into_iter().map(move |doubt| (policy, doubt)))
            .map(|(policy, doubt)| format!("policy {}: {doubt}", policy.name))
            .collect()
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
