//! Compares what a run was about to create with what there is. Both are seen as the step that would create it: what the
//! two steps say is the same only if the service shows nothing else than what the run has sent.

use serde_json::Value;

use super::export::FIELDS;
use super::live::{self, Live};
use super::plan::{key_step, policy_step, role_step, user_step};
use super::{Kind, Owned, Spec, Step, file, key_id};
use crate::tasks::plan::{Action, Found, Image};

/// The fields of the resource that a step creates, as the service will show them. Passwords are not among them.
pub(super) fn image(step: &Step) -> Image {
    let fields = step.changes.iter().filter(|change| !change.new.is_null());
    let mut image: Image = fields.map(|change| (change.field.clone(), change.new.clone())).collect();
    if let Spec::Key(key) = &step.spec {
        let bare: Vec<&str> = key.line.split_whitespace().take(2).collect();
        image.insert("key".to_owned(), bare.join(" ").into());
        // The name of a key without one is its fingerprint.
        image.entry("name").or_insert_with(|| key.md5.as_str().into());
    }
    image
}

/// The resource that has the kind and name of one that a run was about to create; a key, the user and fingerprint.
pub fn find(live: &Live, begun: &Owned) -> Option<Found> {
    let name = &begun.name;
    // What no step would create was not created by one: it has no image that equals another.
    let found = |id: &str, step: Option<Step>| Found {
        id: id.to_owned(),
        image: step.map_or_else(Image::new, |step| image(&step)),
        created: None,
    };
    match begun.kind {
        Kind::Policy => {
            let policy = live.policies.iter().find(|one| one.name == *name)?;
            Some(found(&policy.id, policy_step(&wanted(policy), None).ok().flatten()))
        }
        Kind::Role => {
            let role = live.roles.iter().find(|one| one.name == *name)?;
            let wanted = file::Role {
                name: role.name.clone(),
                members: Some(role.members.clone()),
                policies: Some(role.policies.clone()),
            };
            Some(found(&role.id, role_step(&wanted, None)))
        }
        Kind::User => {
            let user = live.users.iter().find(|one| one.login == *name)?;
            let step = user_step(&shown(user), None).ok().flatten();
            Some(Found { created: created(&user.object), ..found(&user.id, step) })
        }
        Kind::Key => live.users.iter().find_map(|user| {
            let key = user.keys.iter().find(|key| key_id(&user.id, &key.md5) == begun.id)?;
            Some(found(&begun.id, Some(key_step(Action::Create, &user.login, Some(&user.id), key))))
        }),
    }
}

fn wanted(policy: &live::Policy) -> file::Policy {
    file::Policy {
        name: policy.name.clone(),
        description: Some(policy.description.clone()),
        rules: Some(policy.rules.clone()),
    }
}

/// A user with all fields that the service shows.
fn shown(user: &live::User) -> file::User {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = FIELDS.iter().filter_map(|field| Some((*field, text(user.object.get(*field)?))));
    file::User { login: user.login.clone(), fields: fields.collect(), keys: None }
}

/// When the service says that it was created, in seconds since 1970. A time that cannot be read is before all others.
fn created(object: &Value) -> Option<i64> {
    let time = object.get("created").filter(|time| !time.is_null())?;
    let time = time.as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    Some(time.map_or(i64::MIN, jiff::Timestamp::as_second))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::live::{Key, Member, Policy, Role, User};
    use super::*;

    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUGuQxPsNx8zqPXuTjNGyGx8MG3uxhpc1CdwTx2V7B9";

    fn live() -> Live {
        let key = Key { name: "laptop".to_owned(), md5: "aa".to_owned(), line: format!("{LINE} laptop") };
        let one = "same".to_owned();
        let object = json!({ "login": "same", "email": "a@example.com", "created": "2026-01-01T00:00:00.000Z" });
        Live {
            users: vec![User { id: "u".to_owned(), login: one.clone(), keys: vec![key], object }],
            roles: vec![Role {
                id: "r".to_owned(),
                name: one.clone(),
                members: vec![Member::typed("jill", true), Member::typed("account:bob", false)],
                policies: vec!["p2".to_owned(), "p1".to_owned()],
            }],
            policies: vec![Policy {
                id: "p".to_owned(),
                name: one,
                rules: vec!["CAN ping".to_owned(), "CAN getmachine".to_owned()],
                description: String::new(),
            }],
            ..Live::default()
        }
    }

    fn begun(kind: Kind, name: &str, id: &str) -> Owned {
        Owned { kind, id: id.to_owned(), name: name.to_owned(), needs: Vec::new() }
    }

    #[test]
    fn what_was_begun_is_found_by_its_kind_and_name_and_a_key_by_its_user_and_fingerprint() {
        for (kind, name, id, found) in [
            (Kind::User, "same", "", Some("u")),
            (Kind::Role, "same", "", Some("r")),
            (Kind::Policy, "same", "", Some("p")),
            (Kind::Role, "other", "", None),
            (Kind::Key, "aa", "u/aa", Some("u/aa")),
            (Kind::Key, "aa", "other/aa", None),
        ] {
            let begun = begun(kind, name, id);
            assert_eq!(find(&live(), &begun).map(|found| found.id).as_deref(), found, "{begun:?}");
        }
    }

    #[test]
    fn what_exists_equals_the_step_that_has_created_it_and_no_other() {
        let text = format!(
            r#"{{
                "users": [{{ "login": "same", "email": "a@example.com", "city": "", "keys": ["{LINE} laptop"] }}],
                "roles": [{{ "name": "same", "members": ["account:bob"], "default_members": ["jill"],
                            "policies": ["p1", "p2"] }}],
                "policies": [{{ "name": "same", "rules": ["CAN getmachine", "CAN ping"], "description": "" }}]
            }}"#
        );
        let folders = file::Folders { folder: std::path::Path::new(""), home: None };
        let wanted = file::parse(text.as_bytes(), folders).unwrap();
        let key = key_step(Action::Create, "same", None, &wanted.users[0].keys.as_ref().unwrap()[0]);
        let steps = [
            policy_step(&wanted.policies[0], None).unwrap().unwrap(),
            user_step(&wanted.users[0], None).unwrap().unwrap(),
            role_step(&wanted.roles[0], None).unwrap(),
            key,
        ];
        let found = |live: &Live, step: &Step| {
            let id = if step.kind == Kind::Key { "u/aa" } else { "" };
            find(live, &begun(step.kind, if id.is_empty() { "same" } else { "aa" }, id)).unwrap()
        };
        for step in &steps {
            assert_eq!(found(&live(), step).image, image(step), "{}", step.title());
        }
        assert_eq!(found(&live(), &steps[1]).created, Some(1_767_225_600));
        let mut other = live();
        other.policies[0].description = "mine".to_owned();
        other.users[0].object["firstName"] = json!("Jo");
        other.users[0].object["created"] = json!("yesterday");
        other.users[0].keys[0].name = "desk".to_owned();
        other.roles[0].members[0].default = false;
        for step in &steps {
            assert_ne!(found(&other, step).image, image(step), "{}", step.title());
        }
        assert_eq!(found(&other, &steps[1]).created, Some(i64::MIN));
        // What this program would not create.
        other.policies[0].rules = vec!["no rule".to_owned()];
        assert!(found(&other, &steps[0]).image.is_empty());
    }
}
