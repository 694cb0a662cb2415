//! An account's users, roles and policies as the file that [`parse`](super::file::parse) reads. Pure.

use serde_json::{Map, Value, json};

use super::live::{Live, Member};

/// The fields of a user that the file holds.
pub(super) const FIELDS: &[&str] =
    &["email", "companyName", "firstName", "lastName", "address", "postalCode", "city", "state", "country", "phone"];

/// The file's JSON, with the keys that `live` holds, and the owner if one is given.
pub fn export(live: &Live, owner: Option<&str>) -> Value {
    let users = live.users.iter().map(|user| {
        let mut all = Map::new();
        all.insert("login".to_owned(), user.login.as_str().into());
        for field in FIELDS {
            if let Some(text) = user.object.get(*field).and_then(Value::as_str).filter(|text| !text.is_empty()) {
                all.insert((*field).to_owned(), text.into());
            }
        }
        let keys = user.keys.iter().map(|key| {
            // Where a key is added without a name, its comment becomes the name.
            let bare: Vec<&str> = key.line.split_whitespace().take(2).collect();
            Value::from(format!("{} {}", bare.join(" "), key.name).trim_end())
        });
        all.insert("keys".to_owned(), keys.collect());
        Value::from(all)
    });
    let roles = live.roles.iter().map(|role| {
        let default: Vec<String> = role.members.iter().filter(|member| member.default).map(Member::name).collect();
        json!({
            "name": role.name,
            "members": role.members.iter().map(Member::name).collect::<Vec<_>>(),
            "default_members": default,
            "policies": role.policies,
        })
    });
    let policies = live.policies.iter().map(|policy| {
        let mut all = json!({ "name": policy.name, "rules": policy.rules });
        if let (false, Some(all)) = (policy.description.is_empty(), all.as_object_mut()) {
            all.insert("description".to_owned(), policy.description.as_str().into());
        }
        all
    });
    let mut all = Map::new();
    if let Some(owner) = owner {
        all.insert("owner".to_owned(), owner.into());
    }
    all.insert("users".to_owned(), users.collect());
    all.insert("policies".to_owned(), policies.collect());
    all.insert("roles".to_owned(), roles.collect());
    all.into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::{self, Folders};
    use super::super::live::{Key, Policy, Role, User};
    use super::super::plan::{Choice, plan};
    use super::*;
    use crate::auth::PublicKey;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUGuQxPsNx8zqPXuTjNGyGx8MG3uxhpc1CdwTx2V7B9";

    #[test]
    fn an_account_is_as_its_export_says() {
        let md5 = PublicKey::from_line(KEY).unwrap().md5();
        let key = Key { name: "my laptop".to_owned(), md5, line: format!("{KEY} old@comment") };
        let user = |login: &str, keys: Vec<Key>| User {
            id: format!("id-of-{login}"),
            login: login.to_owned(),
            object: json!({ "login": login, "email": "a@b.org", "phone": "", "city": "Basel", "updated": "now" }),
            keys,
        };
        let role = Role {
            id: "r".to_owned(),
            name: "ops".to_owned(),
            members: vec![Member::typed("jill", true), Member::typed("account:x", false)],
            policies: vec!["may".to_owned()],
        };
        let policy = |name: &str, description: &str| Policy {
            id: name.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            rules: vec!["CAN ping".to_owned()],
        };
        let live = Live {
            users: vec![user("jill", vec![key]), user("ci", Vec::new())],
            roles: vec![role],
            policies: vec![policy("may", "why"), policy("other", "")],
            ..Live::default()
        };
        let file = export(&live, Some("team"));
        assert_eq!(file["users"][0]["keys"], json!([format!("{KEY} my laptop")]));
        assert_eq!((&file["users"][0]["city"], file["users"][0].get("phone")), (&json!("Basel"), None));
        assert_eq!(file["roles"][0]["members"], json!(["jill", "account:x"]));
        assert_eq!(file["policies"][1].get("description"), None);
        let folders = Folders { folder: Path::new(""), home: None };
        let wanted = file::parse(file.to_string().as_bytes(), folders).unwrap();
        assert_eq!(wanted.owner.as_deref(), Some("team"));
        assert!(plan(&live, &wanted, &[], Choice::default()).unwrap().steps.is_empty());
    }
}
