//! Roles and policies, in the forms of each version.

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, delete, get, post, refused, signed, stepped};

fn invalid() -> (u16, String) {
    (409, "InvalidArgument".to_owned())
}

fn missing() -> (u16, String) {
    (404, "ResourceNotFound".to_owned())
}

/// A request of a client that wants this version.
async fn of(version: &str, emulator: &Emulator, method: &str, path: &str, body: &Value) -> Got {
    let headers = [("Content-Type", "application/json"), ("Accept-Version", version)];
    signed(emulator, method, path, &headers, &body.to_string()).await
}

const CI: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e60";
const OPERATE: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e71";

#[tokio::test]
async fn a_role_is_shown_with_objects_since_version_9_and_with_names_before() {
    let emulator = stepped().await;
    for version in ["~9", "*", "~9||~8"] {
        let role = of(version, &emulator, "GET", "/acme/roles/operator", &json!(null)).await.json();
        assert_eq!(role["members"], json!([{ "type": "subuser", "id": CI, "login": "ci", "default": true }]));
        assert_eq!(role["policies"], json!([{ "id": OPERATE, "name": "operate" }]));
        assert_eq!(role.get("default_members"), None);
    }
    for version in ["~8", "~7.2", "~7||~8"] {
        let role = of(version, &emulator, "GET", "/acme/roles/operator", &json!(null)).await.json();
        let lists = ["members", "default_members", "policies"].map(|name| role[name].clone());
        assert_eq!(lists, [json!(["ci"]), json!(["ci"]), json!(["operate"])], "{version}");
    }
    let keyadmin = get(&emulator, "/acme/roles/keyadmin").await.json();
    assert_eq!(keyadmin["members"][0].get("default"), None, "shown only when true");
    assert_eq!(signed(&emulator, "HEAD", "/acme/roles", &[], "").await.status, 200);
}

#[tokio::test]
async fn a_role_is_made_and_changed_list_by_list() {
    let emulator = stepped().await;
    let got = post(&emulator, "/acme/roles", &json!({ "name": "empty" })).await;
    let role = got.json();
    let id = role["id"].as_str().unwrap().to_owned();
    assert_eq!((got.status, got.header("Location")), (201, Some(format!("/acme/roles/{id}"))));
    let lists = ["members", "policies", "default_members"].map(|name| role[name].clone());
    assert_eq!(lists, [json!([]), json!([]), json!([])]);

    let members = json!([
        { "type": "subuser", "login": "ci", "default": true },
        { "type": "account", "login": "globex" },
    ]);
    let body = json!({ "members": members, "policies": [{ "name": "operate" }, { "id": OPERATE }] });
    let role = post(&emulator, "/acme/roles/empty", &body).await.json();
    assert_eq!(role["members"][0], json!({ "type": "subuser", "id": CI, "login": "ci", "default": true }));
    assert_eq!((&role["members"][1]["type"], &role["members"][1]["login"]), (&json!("account"), &json!("globex")));
    assert_eq!(role["policies"], json!([{ "id": OPERATE, "name": "operate" }]));
    assert_eq!(role.get("default_members"), None);

    let got = post(&emulator, &format!("/acme/roles/{id}"), &json!({ "name": "full" })).await;
    let renamed = got.json();
    assert_eq!((got.status, &renamed["members"], &renamed["policies"]), (200, &role["members"], &role["policies"]));
    let emptied = post(&emulator, "/acme/roles/full", &json!({ "members": [] })).await.json();
    assert_eq!((&emptied["members"], &emptied["policies"]), (&json!([]), &role["policies"]));

    assert_eq!(refused(&delete(&emulator, "/acme/roles/full").await), missing(), "by its id only");
    assert_eq!(delete(&emulator, &format!("/acme/roles/{id}")).await.status, 204);
    assert_eq!(refused(&get(&emulator, &format!("/acme/roles/{id}")).await), missing());
}

#[tokio::test]
async fn older_versions_write_roles_with_names() {
    let emulator = stepped().await;
    let body = json!({ "login": "bob", "email": "b@x.example", "password": "secret123" });
    post(&emulator, "/acme/users", &body).await;
    let old = "~7.2";
    let all = "/acme/roles";
    let body = json!({ "name": "web", "members": ["ci", "bob"], "default_members": "bob", "policies": "operate,keys" });
    // The lists may also be text, but not in the newest form.
    assert_eq!(refused(&of("~9", &emulator, "POST", all, &body).await), invalid());
    let got = of(old, &emulator, "POST", all, &body).await;
    assert_eq!(got.status, 201, "{got:?}");
    let one = "/acme/roles/web";
    let lists = |role: Value| ["members", "default_members", "policies"].map(|name| role[name].clone());
    let shown = lists(of(old, &emulator, "GET", one, &json!(null)).await.json());
    assert_eq!(shown, [json!(["ci", "bob"]), json!(["bob"]), json!(["operate", "keys"])]);
    let got = of(old, &emulator, "POST", one, &json!({ "default_members": ["ci"] })).await;
    assert_eq!(lists(got.json()), [json!(["ci", "bob"]), json!(["ci"]), json!(["operate", "keys"])]);
    let got = of(old, &emulator, "POST", one, &json!({ "members": "[\"bob\"]", "policies": [] })).await;
    assert_eq!(lists(got.json()), [json!(["bob", "ci"]), json!(["ci"]), json!([])], "a list not sent is left as it is");
    let got = of(old, &emulator, "POST", one, &json!({ "members": ["bob"], "default_members": [] })).await;
    assert_eq!(lists(got.json()), [json!(["bob"]), json!([]), json!([])]);
    for body in [
        json!({ "members": ["nobody"] }),
        json!({ "default_members": [7] }),
        json!({ "policies": ["none"] }),
        json!({ "policies": [{ "name": "operate" }] }),
    ] {
        assert_eq!(refused(&of(old, &emulator, "POST", one, &body).await), invalid(), "{body}");
    }
    // Members of other accounts are neither shown nor lost.
    let members = json!([{ "type": "account", "login": "globex" }, { "type": "subuser", "login": "bob" }]);
    post(&emulator, one, &json!({ "members": members })).await;
    let got = of(old, &emulator, "POST", one, &json!({ "members": ["ci"] })).await;
    assert_eq!(got.json()["members"], json!(["ci"]));
    let logins: Vec<Value> = get(&emulator, one).await.json()["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["login"].clone())
        .collect();
    assert_eq!(logins, ["globex", "ci"]);
}

#[tokio::test]
async fn what_cannot_be_a_role_is_refused() {
    let emulator = stepped().await;
    let all = "/acme/roles";
    assert_eq!(refused(&post(&emulator, all, &json!({})).await), (409, "MissingParameter".to_owned()));
    for body in [
        json!({ "name": "true" }),
        json!({ "name": "a,b" }),
        json!({ "name": "a\r\nb" }),
        json!({ "name": "operator" }),
        json!({ "name": "x", "members": ["ci"] }),
        json!({ "name": "x", "members": [{ "login": "ci" }] }),
        json!({ "name": "x", "members": [{ "type": "user", "login": "ci" }] }),
        json!({ "name": "x", "members": [{ "type": "subuser" }] }),
        json!({ "name": "x", "members": [{ "type": "subuser", "login": "nobody" }] }),
        json!({ "name": "x", "members": [{ "type": "subuser", "login": "globex" }] }),
        json!({ "name": "x", "members": [{ "type": "account", "login": "ci" }] }),
        json!({ "name": "x", "members": [{ "type": "subuser", "login": "ci", "default": "yes" }] }),
        json!({ "name": "x", "members": [{ "type": "subuser", "login": "ci", "more": 1 }] }),
        json!({ "name": "x", "policies": ["operate"] }),
        json!({ "name": "x", "policies": [{}] }),
        json!({ "name": "x", "policies": [{ "name": "none" }] }),
        json!({ "name": "x", "policies": [{ "name": "operate", "rules": [] }] }),
        json!({ "name": "administrator", "policies": [{ "name": "operate" }] }),
    ] {
        assert_eq!(refused(&post(&emulator, all, &body).await), invalid(), "{body}");
    }
    let count = get(&emulator, all).await.json().as_array().unwrap().len();
    assert_eq!(count, 2, "nothing was made");
    assert_eq!(post(&emulator, all, &json!({ "name": "administrator" })).await.status, 201);
    let body = json!({ "policies": [{ "name": "operate" }] });
    assert_eq!(refused(&post(&emulator, "/acme/roles/administrator", &body).await), invalid());
    assert_eq!(refused(&post(&emulator, "/acme/roles/operator", &json!({ "name": "administrator" })).await), invalid());
    assert_eq!(refused(&post(&emulator, "/acme/roles/none", &json!({ "name": "y" })).await), missing());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(signed(&emulator, "POST", all, &form, "name=x").await.status, 415);
}

#[tokio::test]
async fn a_policy_is_made_changed_and_taken_from_the_roles_that_have_it() {
    let emulator = stepped().await;
    let all = "/acme/policies";
    let body = json!({ "name": "look", "rules": ["CAN getmachine", "CAN listmachines"], "description": "To look" });
    let got = post(&emulator, all, &body).await;
    let policy = got.json();
    let id = policy["id"].as_str().unwrap().to_owned();
    let one = format!("{all}/{id}");
    assert_eq!((got.status, got.header("Location")), (201, Some(one.clone())));
    for path in [one.as_str(), "/acme/policies/look"] {
        assert_eq!(get(&emulator, path).await.json(), policy);
        assert_eq!(signed(&emulator, "HEAD", path, &[], "").await.status, 200);
    }
    assert_eq!(get(&emulator, all).await.json().as_array().unwrap().len(), 3);

    let got =
        post(&emulator, &one, &json!({ "rules": "CAN startmachine WHEN sourceip = 10.0.0.0/8", "description": "" }))
            .await;
    let changed = json!({ "id": id, "name": "look", "rules": ["CAN startmachine WHEN sourceip = 10.0.0.0/8"] });
    assert_eq!((got.status, got.json()), (200, changed));
    assert_eq!(refused(&post(&emulator, "/acme/policies/look", &json!({ "name": "x" })).await), missing());

    post(&emulator, "/acme/roles/operator", &json!({ "policies": [{ "id": id }, { "name": "operate" }] })).await;
    assert_eq!(refused(&delete(&emulator, "/acme/policies/look").await), missing(), "by its id only");
    assert_eq!(delete(&emulator, &one).await.status, 204);
    let role = get(&emulator, "/acme/roles/operator").await.json();
    assert_eq!(role["policies"], json!([{ "id": OPERATE, "name": "operate" }]));
    assert_eq!(refused(&get(&emulator, &one).await), missing());
}

#[tokio::test]
async fn a_policy_of_an_unknown_id_is_made_by_an_update() {
    let emulator = stepped().await;
    let one = "/acme/policies/0d5e6f70-0001-4a2b-8c3d-4e5f6a7b8c9d";
    assert_eq!(refused(&post(&emulator, one, &json!({ "name": "new" })).await), (409, "MissingParameter".to_owned()));
    let got = post(&emulator, one, &json!({ "name": "new", "rules": ["CAN getmachine"] })).await;
    assert_eq!((got.status, get(&emulator, one).await.json()), (200, got.json()));
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused() {
    let emulator = stepped().await;
    let all = "/acme/policies";
    for (body, code) in [
        (json!({ "rules": ["CAN getmachine"] }), "MissingParameter"),
        (json!({ "name": "x" }), "MissingParameter"),
        (json!({ "name": "x", "rules": [] }), "InvalidArgument"),
        (json!({ "name": "x", "rules": ["getmachine"] }), "InvalidArgument"),
        (json!({ "name": "x", "rules": ["CAN getmachine", "CAN"] }), "InvalidArgument"),
        (json!({ "name": "x", "rules": ["CAN getmachine WHEN"] }), "InvalidArgument"),
        (json!({ "name": "x", "rules": ["CAN getmachine WHEN moon = full"] }), "InvalidArgument"),
        (json!({ "name": "x", "rules": [7] }), "InvalidArgument"),
        (json!({ "name": "x", "rules": { "a": 1 } }), "InvalidArgument"),
        (json!({ "name": "operate", "rules": ["CAN getmachine"] }), "InvalidArgument"),
    ] {
        assert_eq!(refused(&post(&emulator, all, &body).await), (409, code.to_owned()), "{body}");
    }
    let got = post(&emulator, all, &json!({ "name": "x", "rules": ["CAN a WHEN moon = full"] })).await;
    assert!(got.message().contains("moon"), "{}", got.message());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(signed(&emulator, "POST", all, &form, "name=x").await.status, 415);
}
