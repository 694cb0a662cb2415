//! What roles allow, and how things are tagged with them.

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::ssh_keygen_interop::{
    Got, delete, get, http_date, options, post, public_key, refused, rsa_sha256, send, signed, stepped, with_body,
};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB0: &str = "/acme/machines/51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

/// An emulator of which the account's key is the sub-user `ci`'s too, who has only the role `team`,
/// by default, with these rules.
async fn team(rules: &[&str]) -> Emulator {
    let key = public_key(&stepped().await);
    let more = Options { pace: Pace::Stepped, authorize_user: vec![key], ..options() };
    let emulator = Emulator::start(more).await.unwrap();
    for role in ["operator", "keyadmin"] {
        assert_eq!(post(&emulator, &format!("/acme/roles/{role}"), &json!({ "members": [] })).await.status, 200);
    }
    let got = post(&emulator, "/acme/policies", &json!({ "name": "team", "rules": rules })).await;
    assert_eq!(got.status, 201, "{got:?}");
    let members = json!([{ "type": "subuser", "login": "ci", "default": true }]);
    let role = json!({ "name": "team", "members": members, "policies": [{ "name": "team" }] });
    assert_eq!(post(&emulator, "/acme/roles", &role).await.status, 201);
    emulator
}

/// A request signed with the one key as another one's.
async fn signed_as(
    emulator: &Emulator,
    key_id: &str,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
    body: &str,
) -> Got {
    let date = http_date(0);
    let signature = rsa_sha256(emulator, &format!("date: {date}"));
    let header = format!("Signature keyId=\"{key_id}\",algorithm=\"rsa-sha256\",signature=\"{signature}\"");
    let mut headers = vec![("Date", date.as_str()), ("Authorization", header.as_str())];
    headers.extend_from_slice(more);
    send(emulator, method, path, &headers, body).await
}

async fn ci(emulator: &Emulator, method: &str, path: &str) -> Got {
    signed_as(emulator, "/acme/users/ci/keys/emulator", method, path, &[], "").await
}

async fn ci_json(emulator: &Emulator, method: &str, path: &str, more: &[(&str, &str)], body: Value) -> Got {
    let headers = [&[("Content-Type", "application/json")], more].concat();
    signed_as(emulator, "/acme/users/ci/keys/emulator", method, path, &headers, &body.to_string()).await
}

async fn tag(emulator: &Emulator, path: &str, roles: Value) -> Got {
    with_body(emulator, "PUT", path, &json!({ "role-tag": roles })).await
}

fn denied() -> (u16, String) {
    (403, "NotAuthorized".to_owned())
}

#[tokio::test]
async fn a_rule_without_a_path_needs_the_tag_of_its_role() {
    let emulator = team(&["CAN getmachine, listmachines and headmachine"]).await;
    for path in [WEB1, "/acme/machines"] {
        assert_eq!(refused(&ci(&emulator, "GET", path).await), denied(), "{path}");
        assert_eq!(tag(&emulator, path, json!(["operator"])).await.status, 200);
        assert_eq!(refused(&ci(&emulator, "GET", path).await), denied(), "the tag of another role: {path}");
        assert_eq!(tag(&emulator, path, json!(["operator", "team"])).await.status, 200);
        assert_eq!(ci(&emulator, "GET", path).await.status, 200, "{path}");
    }
    assert_eq!(ci(&emulator, "GET", &WEB1.replace("acme", "my")).await.status, 200, "a tag is not of a spelling");
    assert_eq!(ci(&emulator, "HEAD", WEB1).await.status, 200);
    assert_eq!(ci(&emulator, "HEAD", "/acme/machines").await.status, 403, "an action of its own");
    assert_eq!(refused(&ci(&emulator, "GET", DB0).await), denied(), "one machine's tag is not another's");
    let got = ci(&emulator, "POST", &format!("{WEB1}?action=stop")).await;
    assert_eq!(refused(&got), denied());
    assert_eq!(got.message(), format!("You do not have permission to access {WEB1} (stopmachine)"));
    assert_eq!(tag(&emulator, WEB1, json!([])).await.status, 200);
    assert_eq!(refused(&ci(&emulator, "GET", WEB1).await), denied(), "the tag is gone");
}

#[tokio::test]
async fn a_rule_with_a_wildcard_path_needs_no_tag_and_sees_the_path_as_it_came() {
    let emulator = team(&["CAN getmachine /acme/machines/*", "CAN listkeys /acme/keys", "CAN getnetwork *"]).await;
    assert_eq!(ci(&emulator, "GET", WEB1).await.status, 200);
    assert_eq!(ci(&emulator, "GET", &format!("{WEB1}?credentials=true")).await.status, 200);
    let my = WEB1.replace("acme", "my");
    let got = ci(&emulator, "GET", &my).await;
    assert_eq!(refused(&got), denied());
    assert_eq!(got.message(), format!("You do not have permission to access {my} (getmachine)"));
    // An exact path does not stand for a tag.
    assert_eq!(refused(&ci(&emulator, "GET", "/acme/keys").await), denied());
    assert_eq!(tag(&emulator, "/acme/keys", json!(["team"])).await.status, 200);
    assert_eq!(ci(&emulator, "GET", "/acme/keys").await.status, 200);
    assert_eq!(refused(&ci(&emulator, "GET", "/my/keys").await), denied());
    for (login, status) in [("acme", 200), ("my", 200), ("whoever", 403)] {
        let path = format!("/{login}/networks/f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01");
        assert_eq!(ci(&emulator, "GET", &path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn what_is_of_a_machine_is_tagged_as_the_machine_is() {
    let emulator = team(&["CAN listmachinetags and machineaudit and addmachinetags"]).await;
    assert_eq!(tag(&emulator, WEB1, json!(["team"])).await.status, 200);
    for sub in ["tags", "audit"] {
        assert_eq!(ci(&emulator, "GET", &format!("{WEB1}/{sub}")).await.status, 200, "{sub}");
        assert_eq!(refused(&ci(&emulator, "GET", &format!("{DB0}/{sub}")).await), denied(), "{sub}");
    }
    let body = json!({ "x": "y" });
    assert_eq!(ci_json(&emulator, "POST", &format!("{WEB1}/tags"), &[], body.clone()).await.status, 200);
    // A body that names another machine is about that one, and so is the question whether it may.
    let other = json!({ "x": "y", "machine": DB0.rsplit('/').next() });
    assert_eq!(refused(&ci_json(&emulator, "POST", &format!("{WEB1}/tags"), &[], other).await), denied());
}

#[tokio::test]
async fn conditions_are_about_the_request_and_the_machine() {
    let rules = [
        "CAN getmachine * WHEN tag_role::string = web",
        "CAN listmachines * WHEN user-agent LIKE *triton* and sourceip = 127.0.0.0/8",
        "CAN listkeys * WHEN method = POST",
        "CAN listnetworks * IF activeRoles = team and datacenter = local-1",
        "CAN listimages * WHEN date < 2000-01-01",
    ];
    let emulator = team(&rules).await;
    assert_eq!(ci(&emulator, "GET", WEB1).await.status, 200);
    assert_eq!(refused(&ci(&emulator, "GET", DB0).await), denied(), "its role is another");
    assert_eq!(refused(&ci(&emulator, "GET", "/acme/machines").await), denied());
    let agent = [("User-Agent", "triton/7.17")];
    let id = "/acme/users/ci/keys/emulator";
    assert_eq!(signed_as(&emulator, id, "GET", "/acme/machines", &agent, "").await.status, 200);
    assert_eq!(refused(&ci(&emulator, "GET", "/acme/keys").await), denied());
    assert_eq!(ci(&emulator, "GET", "/acme/networks").await.status, 200);
    assert_eq!(refused(&ci(&emulator, "GET", "/acme/images").await), denied());
}

#[tokio::test]
async fn roles_act_by_default_or_when_asked_for() {
    let emulator = team(&["CAN listmachines *"]).await;
    post(&emulator, "/acme/policies", &json!({ "name": "keys2", "rules": ["CAN listkeys *"] })).await;
    let members = json!([{ "type": "subuser", "login": "ci" }]);
    let role = json!({ "name": "keyring", "members": members, "policies": [{ "name": "keys2" }] });
    assert_eq!(post(&emulator, "/acme/roles", &role).await.status, 201);
    for (path, status) in [
        ("/acme/machines", 200),
        ("/acme/keys", 403),
        ("/acme/keys?as-role=keyring", 200),
        // What is asked for comes instead of the default roles.
        ("/acme/machines?as-role=keyring", 403),
        ("/acme/machines?as-role=keyring,team", 200),
        ("/acme/keys?as-role=team,keyring", 200),
        ("/acme/keys?as-role=", 403),
    ] {
        assert_eq!(ci(&emulator, "GET", path).await.status, status, "{path}");
    }
    for role in ["operator", "nobody", "keyring,nobody", "keyring, team", "administrator"] {
        let got = ci(&emulator, "GET", &format!("/acme/keys?as-role={}", role.replace(' ', "%20"))).await;
        assert_eq!(refused(&got), denied(), "not held: {role}");
        assert_eq!(got.message(), "You do not have permission to access acme");
    }
}

#[tokio::test]
async fn an_administrator_may_do_everything() {
    let emulator = team(&["CAN listmachines *"]).await;
    let members = json!([{ "type": "subuser", "login": "ci" }]);
    post(&emulator, "/acme/roles", &json!({ "name": "administrator", "members": members })).await;
    assert_eq!(refused(&ci(&emulator, "GET", "/acme/keys").await), denied());
    assert_eq!(ci(&emulator, "GET", "/acme/keys?as-role=administrator").await.status, 200);
    let members = json!([{ "type": "subuser", "login": "ci", "default": true }]);
    post(&emulator, "/acme/roles/administrator", &json!({ "members": members })).await;
    assert_eq!(ci(&emulator, "GET", "/acme/keys").await.status, 200);
    assert_eq!(ci_json(&emulator, "POST", "/acme/roles", &[], json!({ "name": "more" })).await.status, 201);
}

#[tokio::test]
async fn new_machines_get_the_keys_of_those_who_are_administrators_by_default() {
    let emulator = team(&["CAN listmachines *"]).await;
    let line = super::ssh_keygen_interop::new_key("ci-laptop");
    post(&emulator, "/acme/users/ci/keys", &json!({ "key": line })).await;
    let create = json!({ "image": "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02", "package": "g1-small" });
    let keys = async || {
        let machine = post(&emulator, "/acme/machines", &create).await.json();
        machine["metadata"]["root_authorized_keys"].as_str().unwrap().contains("ci-laptop")
    };
    for (default, there) in [(false, false), (true, true)] {
        let members = json!([{ "type": "subuser", "login": "ci", "default": default }]);
        let role = json!({ "name": "administrator", "members": members });
        let path = if default { "/acme/roles/administrator" } else { "/acme/roles" };
        assert!(post(&emulator, path, &role).await.status < 300);
        assert_eq!(keys().await, there);
    }
}

#[tokio::test]
async fn tags_are_shown_on_what_carries_them_and_nowhere_else() {
    let emulator = stepped().await;
    let image = "/acme/images/2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
    let package = "/acme/packages/5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02";
    let network = "/acme/networks/f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01";
    for path in [
        "/acme",
        "/acme/machines",
        "/acme/users",
        "/acme/roles",
        "/acme/packages",
        "/acme/images",
        "/acme/policies",
        "/acme/keys",
        "/acme/networks",
        "/acme/users/ci/keys",
        "/acme/users/ci",
        "/acme/roles/operator",
        "/acme/policies/operate",
        "/acme/keys/emulator",
        WEB1,
        image,
        package,
        network,
    ] {
        assert_eq!(get(&emulator, path).await.header("role-tag"), None, "{path}");
        let got = tag(&emulator, path, json!(["operator", "keyadmin"])).await;
        assert_eq!((got.status, got.json()), (200, json!({ "name": path, "role-tag": ["operator", "keyadmin"] })));
        for method in ["GET", "HEAD"] {
            let got = signed(&emulator, method, path, &[], "").await;
            assert_eq!(got.header("role-tag").as_deref(), Some("operator,keyadmin"), "{method} {path}");
        }
        let old = signed(&emulator, "GET", path, &[("Accept-Version", "~7.1")], "").await;
        assert_eq!(old.header("role-tag"), None, "{path}");
        assert_eq!(tag(&emulator, path, json!([])).await.json()["role-tag"], json!([]));
        assert_eq!(get(&emulator, path).await.header("role-tag"), None, "{path}");
    }
    tag(&emulator, WEB1, json!(["operator"])).await;
    let entry = get(&emulator, &format!("{WEB1}/audit")).await.json()[0].clone();
    assert_eq!((&entry["action"], &entry["caller"]["type"]), (&json!("unknown"), &json!("signature")));
    assert_eq!(get(&emulator, DB0).await.header("role-tag"), None);
    assert_eq!(get(&emulator, &format!("{WEB1}/tags")).await.header("role-tag"), None);
    // The header of a request does as well as the body.
    let got = signed(&emulator, "PUT", "/acme/keys", &[("role-tag", "keyadmin, operator,keyadmin")], "").await;
    assert_eq!(got.json()["role-tag"], json!(["keyadmin", "operator"]));
    // A tag is of the role, and not of its name.
    post(&emulator, "/acme/roles/keyadmin", &json!({ "name": "keymaster" })).await;
    assert_eq!(get(&emulator, "/acme/keys").await.header("role-tag").as_deref(), Some("keymaster,operator"));
    delete(&emulator, "/acme/roles/a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e62").await;
    assert_eq!(get(&emulator, "/acme/keys").await.header("role-tag").as_deref(), Some("operator"));
}

#[tokio::test]
async fn what_cannot_be_tagged_is_refused() {
    let emulator = stepped().await;
    let invalid = (409, "InvalidArgument".to_owned());
    let missing = (404, "ResourceNotFound".to_owned());
    assert_eq!(refused(&tag(&emulator, WEB1, json!(["nobody"])).await), invalid);
    assert_eq!(refused(&tag(&emulator, WEB1, json!([1])).await), invalid);
    let got = with_body(&emulator, "PUT", WEB1, &json!({})).await;
    assert_eq!((got.status, &got.json()["role-tag"]), (200, &json!([])), "nothing is asked for");
    for path in [
        "/acme/nonsense",
        "/acme/nonsense/x",
        "/acme/limits",
        "/acme/accesskeys",
        "/acme/machines/3c1f8a52-0000-4b6a-9c1d-5e2f8a7b4c6d",
        "/acme/users/nobody",
        "/acme/users/nobody/keys",
        "/acme/users/ci/keys/none",
        "/acme/users/ci/accesskeys",
        "/acme/keys/none",
        "/acme/roles/none",
        "/acme/networks/public",
    ] {
        assert_eq!(refused(&tag(&emulator, path, json!(["operator"])).await), missing, "{path}");
    }
    assert_eq!(tag(&emulator, "/acme/datacenters", json!(["operator"])).await.status, 200);
    assert_eq!(tag(&emulator, "/acme/services", json!(["operator"])).await.status, 200);
}

#[tokio::test]
async fn a_tag_hangs_on_the_path_and_a_new_key_s_is_its_fingerprint() {
    let emulator = stepped().await;
    let line = super::ssh_keygen_interop::new_key("laptop");
    let body = json!({ "key": line }).to_string();
    let headers = [("Content-Type", "application/json"), ("role-tag", "operator,nobody")];
    let got = signed(&emulator, "POST", "/acme/keys", &headers, &body).await;
    assert_eq!(got.status, 201, "an unknown name is passed over");
    let fingerprint = got.json()["fingerprint"].as_str().unwrap().to_owned();
    let by_fingerprint = get(&emulator, &format!("/acme/keys/{fingerprint}")).await;
    assert_eq!(by_fingerprint.header("role-tag").as_deref(), Some("operator"));
    let encoded = get(&emulator, &format!("/acme/keys/{}", fingerprint.replace(':', "%3A"))).await;
    assert_eq!(encoded.header("role-tag").as_deref(), Some("operator"));
    assert_eq!(get(&emulator, "/acme/keys/laptop").await.header("role-tag"), None);
    // Gone with the key.
    delete(&emulator, &format!("/acme/keys/{fingerprint}")).await;
    post(&emulator, "/acme/keys", &json!({ "key": line })).await;
    assert_eq!(get(&emulator, &format!("/acme/keys/{fingerprint}")).await.header("role-tag"), None);
}

#[tokio::test]
async fn what_is_made_carries_the_roles_that_are_named_or_acted_in() {
    let emulator = team(&["CAN createmachine and createuser and createpolicy *"]).await;
    let create = json!({ "image": "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02", "package": "g1-small" });
    let tags = async |got: Got| {
        assert_eq!(got.status, 201, "{got:?}");
        get(&emulator, &got.header("Location").unwrap()).await.header("role-tag")
    };
    let owners = post(&emulator, "/acme/machines", &create).await;
    assert_eq!(tags(owners).await, None);
    let made = ci_json(&emulator, "POST", "/acme/machines", &[], create.clone()).await;
    assert_eq!(tags(made).await.as_deref(), Some("team"));
    let named = [("role-tag", "operator,nobody")];
    let made = ci_json(&emulator, "POST", "/acme/machines", &named, create).await;
    assert_eq!(tags(made).await.as_deref(), Some("operator"));
    let user = json!({ "login": "bob", "email": "b@x.example", "password": "secret123" });
    let made = ci_json(&emulator, "POST", "/acme/users", &[], user).await;
    assert_eq!(tags(made).await.as_deref(), Some("team"));
    let id = get(&emulator, "/acme/users/bob").await.json()["id"].as_str().unwrap().to_owned();
    let by_id = get(&emulator, &format!("/acme/users/{id}")).await;
    assert_eq!(by_id.header("role-tag").as_deref(), Some("team"), "whatever names it");
    let policy = json!({ "name": "p", "rules": ["CAN getmachine"] });
    let made = ci_json(&emulator, "POST", "/acme/policies", &[], policy).await;
    assert_eq!(tags(made).await.as_deref(), Some("team"));
}

#[tokio::test]
async fn to_tag_is_an_action_too() {
    let emulator = team(&["CAN setroletags and getmachine"]).await;
    let body = || json!({ "role-tag": ["team"] });
    assert_eq!(refused(&ci_json(&emulator, "PUT", WEB1, &[], body()).await), denied());
    tag(&emulator, WEB1, json!(["team"])).await;
    assert_eq!(ci_json(&emulator, "PUT", WEB1, &[], body()).await.status, 200);
    assert_eq!(refused(&ci_json(&emulator, "PUT", DB0, &[], body()).await), denied());
}

/// A state of an emulator in which other accounts have the one key, changed by this.
async fn others(change: impl FnOnce(&mut Value)) -> (tempfile::TempDir, Emulator) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    emulator.stop().await.unwrap();
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let keys = state["accounts"][0]["keys"].clone();
    for account in state["accounts"].as_array_mut().unwrap() {
        account["keys"] = keys.clone();
    }
    change(&mut state);
    std::fs::write(&file, state.to_string()).unwrap();
    (dir, Emulator::start(kept()).await.unwrap())
}

#[tokio::test]
async fn another_account_may_do_what_the_roles_that_name_it_allow() {
    let (_dir, emulator) = others(|_| {}).await;
    let globex = async |path: &str| signed_as(&emulator, "/globex/keys/emulator", "GET", path, &[], "").await;
    assert_eq!(globex("/globex").await.status, 200);
    assert_eq!(globex("/my").await.json()["login"], "globex");
    let got = globex("/acme/machines").await;
    assert_eq!(refused(&got), denied());
    assert_eq!(got.message(), "You do not have permission to access /acme/machines (listmachines)");
    let set = async |default: bool| {
        let members = json!([{ "type": "account", "login": "globex", "default": default }]);
        assert_eq!(post(&emulator, "/acme/roles/operator", &json!({ "members": members })).await.status, 200);
    };
    set(true).await;
    assert_eq!(globex("/acme/machines").await.json().as_array().unwrap().len(), 7);
    assert_eq!(refused(&signed_as(&emulator, "/globex/keys/emulator", "POST", "/acme", &[], "").await), denied());
    set(false).await;
    assert_eq!(refused(&globex("/acme/machines").await), denied());
    assert_eq!(globex("/acme/machines?as-role=operator").await.status, 200);
    assert_eq!(refused(&globex("/acme/machines?as-role=keyadmin").await), denied());
    assert_eq!(refused(&globex("/nobody/machines").await), (404, "ResourceNotFound".to_owned()));
}

#[tokio::test]
async fn operators_may_act_on_any_account() {
    let (_dir, emulator) = others(|state| state["accounts"][2]["role_operator"] = true.into()).await;
    let got = async |who: &str, path: &str| signed_as(&emulator, who, "GET", path, &[], "").await;
    assert_eq!(got("/admin/keys/emulator", "/acme").await.json()["login"], "acme");
    assert_eq!(got("/admin/keys/emulator", "/acme/machines").await.json().as_array().unwrap().len(), 7);
    assert_eq!(refused(&got("/globex/keys/emulator", "/acme").await), denied());
    assert_eq!(got("/globex/keys/emulator", "/acme?as-role=_operator").await.json()["login"], "acme");
    assert_eq!(refused(&got("/acme/keys/emulator", "/globex?as-role=_operator").await), denied());
    assert_eq!(refused(&got("/acme/keys/emulator", "/acme?as-role=_operator").await), denied());
}

#[tokio::test]
async fn roles_that_an_earlier_version_kept_go_on_as_they_were() {
    let (_dir, emulator) = others(|state| {
        let account = &mut state["accounts"][0];
        account.as_object_mut().unwrap().remove("policies");
        account["roles"] = json!([{
            "id": "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61",
            "name": "operator",
            "members": ["ci"],
            "default_members": ["ci"],
            "allows": ["list*", "getmachine"],
        }]);
        account["users"][0]["keys"] = account["keys"].clone();
    })
    .await;
    assert_eq!(ci(&emulator, "GET", "/my/machines").await.status, 200);
    assert_eq!(ci(&emulator, "GET", WEB1).await.status, 200);
    assert_eq!(refused(&ci(&emulator, "GET", "/my").await), denied());
    let role = get(&emulator, "/acme/roles/operator").await.json();
    assert_eq!((&role["members"][0]["login"], &role["policies"][0]["name"]), (&json!("ci"), &json!("operator")));
}

#[tokio::test]
async fn roles_and_their_tags_outlast_an_emulator() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    post(&emulator, "/acme/roles", &json!({ "name": "web", "policies": [{ "name": "operate" }] })).await;
    tag(&emulator, WEB1, json!(["web"])).await;
    let role = get(&emulator, "/acme/roles/web").await.json();
    emulator.stop().await.unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    assert_eq!(get(&emulator, "/acme/roles/web").await.json(), role);
    assert_eq!(get(&emulator, WEB1).await.header("role-tag").as_deref(), Some("web"));
}
