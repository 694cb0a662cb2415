//! The file that says which users, roles and policies an account is to have: parsed and checked, with the keys that it
//! names by their files. It sends no request.

use std::path::Path;

use serde::Deserialize;

use super::super::values::Files;
pub use super::super::values::Folders;
use super::live::{Key, Member};
use crate::auth::PublicKey;
use crate::error::{Error, Hint, Result};
use crate::file;
use crate::grammar::policy;

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
        let place = format!(" at line {} column {}", error.line(), error.column());
        let words = error.to_string();
        let words = words.strip_suffix(&place).unwrap_or(&words);
        let words = match words.split_once(", expected ") {
            Some((found, expected)) => {
                format!("{found}, expected {}", crate::file::json_type(expected).unwrap_or(expected))
            }
            None => words.to_owned(),
        };
        Error::usage(format!("line {}, column {}: {words}", error.line(), error.column()))
            .hint(Hint::run("how such a file looks", "help rbac apply").then(", or: ").then_run("rbac export"))
    })?;
    if let Some(owner) = &text.owner {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let begins = owner.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins || !owner.chars().all(plain) || owner.len() > MAX_OWNER_LEN {
            return Err(Error::usage(format!("'{}' cannot be an owner", owner.escape_debug()))
                .hint(format!("letters, digits, '.', '_' and '-', a letter or digit first, at most {MAX_OWNER_LEN}")));
        }
    }
    let users = text.users.into_iter().map(|user| self::user(user, folders)).collect::<Result<Vec<_>>>()?;
    let roles: Vec<Role> = text.roles.into_iter().map(role).collect::<Result<_>>()?;
    let policies: Vec<Policy> = text.policies.into_iter().map(self::policy).collect::<Result<_>>()?;
    once("user", users.iter().map(|user| user.login.as_str()))?;
    once("role", roles.iter().map(|role| role.name.as_str()))?;
    once("policy", policies.iter().map(|policy| policy.name.as_str()))?;
    Ok(Wanted { owner: text.owner, users, roles, policies })
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
        Some(KeysText::Place(place)) => Some(below(&folders.path(&place)).map_err(about)?),
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
        let lines = if is_line || looks_so { entry.clone() } else { key_file(&folders.path(entry))? };
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
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
    if text.contains("PRIVATE KEY") {
        return Err(Error::usage(format!("{shown} is a private key, which must never be sent anywhere"))
            .hint(format!("the public one is most likely {shown}.pub")));
    }
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

fn policy(text: PolicyText) -> Result<Policy> {
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
    Ok(Policy { name: text.name, description: text.description, rules })
}

impl Wanted {
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
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUGuQxPsNx8zqPXuTjNGyGx8MG3uxhpc1CdwTx2V7B9";

    fn parsed(text: &str) -> Result<Wanted> {
        parse(text.as_bytes(), Folders { folder: Path::new(""), home: None })
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        for (text, words) in [
            ("{", "line 1, column 1: EOF while parsing an object"),
            ("{\n  \"users\": [{\"login\": 7}]}", "line 2, column 23: invalid type: integer `7`, expected a string"),
            ("{\"roles\":[\n{\"name\":\"a\",\"membres\":[]}]}", "line 2, column 21: unknown field `membres`"),
            ("\"x\"", "line 1, column 3: invalid type: string \"x\", expected an object"),
            ("{\"users\":\"x\"}", "line 1, column 12: invalid type: string \"x\", expected a list"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.message().starts_with(words), "{error}");
        }
        for (text, words) in [
            (r#"{"owner":"a/b"}"#, "'a/b' cannot be an owner"),
            (r#"{"roles":[{"name":"a"},{"name":"a"}]}"#, "the role a is there twice"),
            (r#"{"users":[{"login":"j","keys":["ssh-rsa nonsense"]}]}"#, "user j: keys: this public key"),
            (r#"{"users":[{"login":"j","keys":7}]}"#, "line 1, column 32: keys are a list of texts"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.message().starts_with(words), "{error}");
        }
    }

    #[test]
    fn default_members_are_members_and_rules_and_keys_are_there_once() {
        let text = r#"{"users":[{"login":"jill","firstName":"Jill","keys":["KEY a","KEY b"]}],
            "roles":[{"name":"ops","members":["jill","account:x"],"default_members":["jill","ci"]}],
            "policies":[{"name":"p","rules":["CAN ping"," CAN ping "]}]}"#;
        let wanted = parsed(&text.replace("KEY", KEY)).unwrap();
        let members = wanted.roles[0].members.as_ref().unwrap();
        let members: Vec<_> = members.iter().map(|member| (member.name(), member.default)).collect();
        let expected = [("jill", true), ("account:x", false), ("ci", true)].map(|(name, yes)| (name.to_owned(), yes));
        assert_eq!(members, expected);
        assert_eq!(wanted.users[0].keys.as_ref().unwrap().len(), 1);
        assert_eq!(wanted.users[0].fields, [("firstName", "Jill".to_owned())]);
        assert_eq!(wanted.policies[0].rules.as_ref().unwrap(), &["CAN ping"]);
        assert!(wanted.roles[0].policies.is_none() && wanted.policies[0].description.is_none());
    }

    #[test]
    fn keys_come_from_files_and_folders_and_private_ones_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        put("rbac-user-keys/jill.pub", &format!("# hers\n{KEY} laptop\n"));
        put("ci/a.pub", &format!("{KEY} a\n"));
        put("ci/note.txt", "no key");
        put("secret", "-----BEGIN OPENSSH PRIVATE KEY-----");
        let keys = |text: &str| {
            let wanted = parse(text.as_bytes(), Folders { folder: dir.path(), home: Some(dir.path()) })?;
            Ok::<_, Error>(wanted.users[0].keys.clone().map(|keys| keys.len()))
        };
        assert_eq!(keys(r#"{"users":[{"login":"jill"}]}"#).unwrap(), Some(1));
        assert_eq!(keys(r#"{"users":[{"login":"joe"}]}"#).unwrap(), None);
        assert_eq!(keys(r#"{"users":[{"login":"../jill"}]}"#).unwrap(), None);
        assert_eq!(keys(r#"{"users":[{"login":"joe","keys":"ci"}]}"#).unwrap(), Some(1));
        assert_eq!(keys(r#"{"users":[{"login":"joe","keys":["ci/a.pub"]}]}"#).unwrap(), Some(1));
        assert_eq!(keys(r#"{"users":[{"login":"joe","keys":["~/ci/a.pub"]}]}"#).unwrap(), Some(1));
        assert_eq!(keys(r#"{"users":[{"login":"jill","keys":[]}]}"#).unwrap(), Some(0));
        assert!(
            keys(r#"{"users":[{"login":"joe","keys":["secret"]}]}"#).unwrap_err().message().contains("private key")
        );
        assert!(keys(r#"{"users":[{"login":"joe","keys":"gone.pub"}]}"#).unwrap_err().message().contains("gone.pub"));
    }
}
