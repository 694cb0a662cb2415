//! The plan, case by case.

use serde_json::json;

use super::super::live::{Policy, User};
use super::*;

fn live() -> Live {
    let key = |md5: &str| Key { name: "k".to_owned(), md5: md5.to_owned(), line: String::new() };
    Live {
        users: vec![
            User {
                id: "u1".to_owned(),
                login: "jill".to_owned(),
                object: json!({ "id": "u1", "login": "jill", "email": "jill@x.org", "phone": "1" }),
                keys: vec![key("aa"), key("bb")],
            },
            User { id: "u2".to_owned(), login: "ci".to_owned(), object: json!({}), keys: vec![key("cc")] },
        ],
        roles: vec![
            Role {
                id: "r1".to_owned(),
                name: "ops".to_owned(),
                members: vec![Member::typed("jill", true), Member::typed("account:other", false)],
                policies: vec!["may".to_owned()],
            },
            Role { id: "r2".to_owned(), name: "old".to_owned(), ..Role::default() },
        ],
        policies: vec![Policy {
            id: "p1".to_owned(),
            name: "may".to_owned(),
            description: String::new(),
            rules: vec!["CAN ping".to_owned(), "CAN getmachine".to_owned()],
        }],
        unsure: Vec::new(),
    }
}

fn user(login: &str) -> file::User {
    file::User { login: login.to_owned(), ..file::User::default() }
}

fn role(name: &str) -> file::Role {
    file::Role { name: name.to_owned(), ..file::Role::default() }
}

fn policy(name: &str, rules: &[&str]) -> file::Policy {
    let rules = rules.iter().map(ToString::to_string).collect();
    file::Policy { name: name.to_owned(), rules: Some(rules), description: None }
}

fn owned(kind: Kind, id: &str) -> Owned {
    Owned { kind, id: id.to_owned(), name: String::new(), needs: Vec::new() }
}

fn titles(wanted: &Wanted, on_record: &[Owned], choice: Choice) -> Vec<String> {
    plan(&live(), wanted, on_record, choice).unwrap().steps.iter().map(Step::title).collect()
}

const PRUNE: Choice = Choice { prune: true, adopt: false };
const ADOPT: Choice = Choice { prune: false, adopt: true };

#[test]
fn what_is_so_already_needs_no_step_whatever_the_order() {
    let wanted = Wanted {
        owner: None,
        users: vec![file::User {
            fields: vec![("email", "jill@x.org".to_owned()), ("city", String::new())],
            ..user("jill")
        }],
        roles: vec![file::Role {
            members: Some(vec![Member::typed("account:other", false), Member::typed("jill", true)]),
            policies: Some(vec!["may".to_owned()]),
            ..role("ops")
        }],
        policies: vec![policy("may", &["CAN getmachine", "CAN ping"])],
    };
    assert!(titles(&wanted, &[], Choice::default()).is_empty());
}

#[test]
fn policies_are_made_before_users_and_their_keys_and_roles_last() {
    let key = Key { name: "laptop".to_owned(), md5: "dd".to_owned(), line: "ssh-rsa x".to_owned() };
    let wanted = Wanted {
        owner: None,
        roles: vec![file::Role {
            members: Some(vec![Member::typed("joe", false)]),
            policies: Some(vec!["new".to_owned()]),
            ..role("dev")
        }],
        users: vec![file::User { fields: vec![("email", "j@x.org".to_owned())], keys: Some(vec![key]), ..user("joe") }],
        policies: vec![policy("new", &["CAN ping"])],
    };
    let expected = ["create policy new", "create user joe", "create key dd of user joe", "create role dev"];
    assert_eq!(titles(&wanted, &[], PRUNE), expected);
}

#[test]
fn a_change_tells_each_field_before_and_after() {
    let wanted = Wanted {
        users: vec![file::User { fields: vec![("phone", "2".to_owned()), ("email", String::new())], ..user("jill") }],
        roles: vec![file::Role { members: Some(vec![Member::typed("jill", false)]), ..role("ops") }],
        policies: vec![file::Policy { description: Some("d".to_owned()), ..policy("may", &["CAN ping"]) }],
        owner: None,
    };
    let steps = plan(&live(), &wanted, &[], Choice::default()).unwrap().steps;
    let change = |field: &str, old, new| Change::new(field, old, new);
    assert_eq!(steps[0].changes[0], change("rules", json!(["CAN getmachine", "CAN ping"]), json!(["CAN ping"])));
    assert_eq!(steps[0].changes[1], change("description", Value::Null, json!("d")));
    assert_eq!(steps[1].changes[0], change("phone", json!("1"), json!("2")));
    assert_eq!(steps[1].changes[1], change("email", json!("jill@x.org"), Value::Null));
    assert_eq!(steps[2].changes[0], change("members", json!(["account:other", "jill"]), json!(["jill"])));
    assert_eq!(steps[2].changes[1], change("default_members", json!(["jill"]), json!([])));
    assert_eq!(steps[2].spec, Spec::Members(vec![Member::typed("jill", false)]));
    assert!(steps.iter().all(|step| step.id.is_some() && step.action == Action::Change));
}

#[test]
fn only_what_is_on_the_record_is_deleted_and_only_if_asked_for() {
    let record = [owned(Kind::Role, "r2"), owned(Kind::User, "u2"), owned(Kind::Policy, "gone")];
    let empty = Wanted::default();
    assert!(titles(&empty, &record, Choice::default()).is_empty());
    let left = plan(&live(), &empty, &record, Choice::default()).unwrap().left;
    assert_eq!(left, ["role old", "key cc of user ci", "user ci"]);
    assert_eq!(titles(&empty, &record, PRUNE), ["delete role old", "delete key cc of user ci", "delete user ci"]);
    assert!(titles(&empty, &[], PRUNE).is_empty());
    // The same id of another kind is another thing.
    assert!(titles(&empty, &[owned(Kind::User, "r2")], PRUNE).is_empty());
}

#[test]
fn a_key_is_deleted_only_where_the_file_lists_the_users_keys() {
    let record = [owned(Kind::Key, "u1/aa")];
    let with =
        |keys: Option<Vec<Key>>| Wanted { users: vec![file::User { keys, ..user("jill") }], ..Wanted::default() };
    assert!(titles(&with(None), &record, PRUNE).is_empty());
    assert_eq!(titles(&with(Some(Vec::new())), &record, PRUNE), ["delete key aa of user jill"]);
    let kept = Key { md5: "aa".to_owned(), ..Key::default() };
    assert!(titles(&with(Some(vec![kept])), &record, PRUNE).is_empty());
}

#[test]
fn what_is_there_is_adopted_once() {
    let keys = Some(vec![Key { md5: "aa".to_owned(), ..Key::default() }]);
    let wanted = Wanted {
        users: vec![file::User { keys, ..user("jill") }],
        policies: vec![policy("may", &["CAN ping"])],
        roles: vec![role("ops")],
        owner: None,
    };
    let all =
        ["change policy may", "adopt policy may", "adopt user jill", "adopt key aa of user jill", "adopt role ops"];
    assert_eq!(titles(&wanted, &[], ADOPT), all);
    let record =
        [owned(Kind::Policy, "p1"), owned(Kind::User, "u1"), owned(Kind::Key, "u1/aa"), owned(Kind::Role, "r1")];
    assert_eq!(titles(&wanted, &record, ADOPT), ["change policy may"]);
}

#[test]
fn what_would_dangle_is_refused() {
    let refused = |wanted: &Wanted, record: &[Owned]| plan(&live(), wanted, record, PRUNE).unwrap_err().to_string();
    let roles = |role: file::Role| Wanted { roles: vec![role], ..Wanted::default() };
    let member = file::Role { members: Some(vec![Member::typed("nobody", false)]), ..role("ops") };
    assert_eq!(refused(&roles(member), &[]), "role ops: there is no user nobody, and the file makes none");
    let other = file::Role { policies: Some(vec!["nope".to_owned()]), ..role("ops") };
    assert_eq!(refused(&roles(other), &[]), "role ops: there is no policy nope, and the file makes none");
    let words = "policy may is not in the file and would be deleted, but the role ops needs it";
    assert_eq!(refused(&Wanted::default(), &[owned(Kind::Policy, "p1")]), words);
    let words = "user jill is not in the file and would be deleted, but the role ops needs it";
    assert_eq!(refused(&Wanted::default(), &[owned(Kind::User, "u1")]), words);
    // Out of the role, it may go.
    let out = file::Role { members: Some(Vec::new()), ..role("ops") };
    let steps = titles(&roles(out), &[owned(Kind::User, "u1")], PRUNE);
    assert_eq!(steps.last().map(String::as_str), Some("delete user jill"));
    let new = Wanted { users: vec![user("joe")], ..Wanted::default() };
    assert_eq!(refused(&new, &[]), "user joe is not there yet, and the file gives no email");
}

#[test]
fn new_rules_are_checked_and_those_that_are_there_pass() {
    let mut live = live();
    live.policies[0].rules.push("CAN get* *".to_owned());
    let with = |rules: &[&str]| Wanted { policies: vec![policy("may", rules)], ..Wanted::default() };
    assert!(plan(&live, &with(&["CAN get* *"]), &[], Choice::default()).is_ok());
    let error = plan(&live, &with(&["CAN"]), &[], Choice::default()).unwrap_err();
    assert_eq!(error.message(), "policy may: policy rule: an action is missing");
}
