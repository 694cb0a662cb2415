//! Sub-users and their keys.

use serde_json::{Value, json};

use super::ssh_keygen_interop::{delete, get, new_key, post, refused, signed, stepped};

fn bob() -> Value {
    json!({ "login": "bob", "email": "bob@acme.example.com", "password": "secret123", "firstName": "Bob" })
}

fn invalid() -> (u16, String) {
    (409, "InvalidArgument".to_owned())
}

fn missing() -> (u16, String) {
    (404, "ResourceNotFound".to_owned())
}

#[tokio::test]
async fn a_sub_user_is_made_changed_and_removed() {
    let emulator = stepped().await;
    let got = post(&emulator, "/acme/users", &bob()).await;
    let user = got.json();
    assert_eq!((got.status, got.header("Location").as_deref()), (201, Some("/acme/users/bob")));
    assert_eq!(user["firstName"], "Bob");
    assert!(!String::from_utf8_lossy(&got.body).contains("secret123"), "the password is not shown");
    let id = user["id"].as_str().unwrap();
    let by_id = format!("/acme/users/{id}");
    for path in ["/acme/users/bob", &by_id] {
        assert_eq!(get(&emulator, path).await.json(), user);
        assert_eq!(signed(&emulator, "HEAD", path, &[], "").await.status, 200);
    }
    let logins: Vec<Value> = get(&emulator, "/acme/users")
        .await
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["login"].clone())
        .collect();
    assert_eq!(logins, ["ci", "bob"]);

    let got = post(&emulator, &by_id, &json!({ "login": "robert", "firstName": "", "city": "Ghent" })).await;
    assert_eq!(got.status, 200, "{got:?}");
    let changed = get(&emulator, "/acme/users/robert").await.json();
    assert_eq!((changed.get("firstName"), changed["city"].as_str()), (None, Some("Ghent")));
    assert_eq!(changed["email"], "bob@acme.example.com");
    assert_eq!(refused(&get(&emulator, "/acme/users/bob").await), missing());
    let got = post(&emulator, "/acme/users/robert", &json!({ "city": "Lyon" })).await;
    assert_eq!(refused(&got), missing(), "a login does not do here");

    assert_eq!(delete(&emulator, "/acme/users/robert").await.status, 204);
    assert_eq!(refused(&delete(&emulator, &by_id).await), missing());
}

#[tokio::test]
async fn what_cannot_be_a_sub_user_is_refused() {
    let emulator = stepped().await;
    let without = |name: &str| {
        let mut body = bob();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for name in ["login", "email", "password"] {
        let got = post(&emulator, "/acme/users", &without(name)).await;
        assert_eq!(refused(&got), (409, "MissingParameter".to_owned()), "{name}");
        assert!(got.message().contains(name), "{}", got.message());
    }
    for (name, value) in [
        ("login", "bo"),
        ("login", "1bob"),
        ("login", "bob-by"),
        ("login", &"b".repeat(33)),
        ("email", "bob"),
        ("email", "bob@a@b"),
        ("email", "b ob@x"),
        ("password", "short1"),
        ("password", "onlyletters"),
        ("password", "1234567890"),
    ] {
        let mut body = bob();
        body[name] = value.into();
        assert_eq!(refused(&post(&emulator, "/acme/users", &body).await), invalid(), "{name} {value}");
    }
    assert_eq!(post(&emulator, "/acme/users", &bob()).await.status, 201);
    assert_eq!(refused(&post(&emulator, "/acme/users", &bob()).await), invalid(), "twice");
    let id = get(&emulator, "/acme/users/bob").await.json()["id"].as_str().unwrap().to_owned();
    for body in [json!({ "login": "ci" }), json!({ "login": "" }), json!({ "email": "nothing" })] {
        assert_eq!(refused(&post(&emulator, &format!("/acme/users/{id}"), &body).await), invalid(), "{body}");
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let got = signed(&emulator, "POST", "/acme/users", &form, "login=x").await;
    assert_eq!(refused(&got), (415, "UnsupportedMediaTypeError".to_owned()));
}

#[tokio::test]
async fn a_password_is_changed_by_id_and_to_a_new_one_only() {
    let emulator = stepped().await;
    let user = post(&emulator, "/acme/users", &bob()).await.json();
    let path = format!("/acme/users/{}/change_password", user["id"].as_str().unwrap());
    let both = |password: &str| json!({ "password": password, "password_confirmation": password });
    let got = post(&emulator, &path, &both("another456")).await;
    assert_eq!((got.status, got.json()["login"].as_str()), (200, Some("bob")));
    assert!(!String::from_utf8_lossy(&got.body).contains("another456"));
    for (body, code) in [
        (json!({ "password": "third789" }), "MissingParameter"),
        (json!({ "password_confirmation": "third789" }), "MissingParameter"),
        (json!({ "password": "third789", "password_confirmation": "third780" }), "InvalidArgument"),
        (both("weak"), "InvalidArgument"),
        (both("secret123"), "InvalidArgument"),
        (both("another456"), "InvalidArgument"),
    ] {
        assert_eq!(refused(&post(&emulator, &path, &body).await), (409, code.to_owned()), "{body}");
    }
    let got = post(&emulator, "/acme/users/bob/change_password", &both("third789")).await;
    assert_eq!(refused(&got), missing());
}

#[tokio::test]
async fn passwords_are_kept_nowhere_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let options = sdc::emulator::Options { state_file: Some(file.clone()), ..super::ssh_keygen_interop::options() };
    let emulator = sdc::emulator::Emulator::start(options).await.unwrap();
    post(&emulator, "/acme/users", &bob()).await;
    emulator.stop().await.unwrap();
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("bob@acme.example.com") && !kept.contains("secret123"));
}

#[tokio::test]
async fn a_sub_user_with_keys_cannot_be_removed() {
    let emulator = stepped().await;
    post(&emulator, "/acme/users", &bob()).await;
    let keys = "/acme/users/bob/keys";
    let line = new_key("bob@home");
    let got = post(&emulator, keys, &json!({ "key": line })).await;
    let key = got.json();
    let fingerprint = key["fingerprint"].as_str().unwrap();
    let place = format!("{keys}/{}", fingerprint.replace(':', "%3A"));
    assert_eq!((got.status, got.header("Location")), (201, Some(place)));
    for path in ["bob%40home".to_owned(), fingerprint.to_owned(), fingerprint.replace(':', "%3A")] {
        assert_eq!(get(&emulator, &format!("{keys}/{path}")).await.json(), key, "{path}");
    }
    assert_eq!(get(&emulator, keys).await.json(), json!([key]));
    assert_eq!(get(&emulator, "/acme/keys").await.json().as_array().unwrap().len(), 1, "not the account's");
    for (body, code) in [
        (json!({ "key": line, "name": "again" }), "InvalidArgument"),
        (json!({ "key": new_key("x"), "name": "bob@home" }), "InvalidArgument"),
        (json!({ "key": "nonsense" }), "InvalidArgument"),
        (json!({ "name": "none" }), "MissingParameter"),
    ] {
        assert_eq!(refused(&post(&emulator, keys, &body).await), (409, code.to_owned()), "{body}");
    }
    assert_eq!(refused(&delete(&emulator, "/acme/users/bob").await), invalid());
    assert_eq!(delete(&emulator, &format!("{keys}/{fingerprint}")).await.status, 204);
    assert_eq!(refused(&delete(&emulator, &format!("{keys}/{fingerprint}")).await), missing());
    assert_eq!(delete(&emulator, "/acme/users/bob").await.status, 204);
    assert_eq!(refused(&get(&emulator, keys).await), missing());
}

#[tokio::test]
async fn keys_of_sub_users_are_not_there_for_older_versions() {
    let emulator = stepped().await;
    let old = [("Accept-Version", "~7.1")];
    let got = signed(&emulator, "GET", "/acme/users/ci/keys", &old, "").await;
    assert_eq!(refused(&got), (400, "InvalidVersion".to_owned()));
    let old = [("Accept-Version", "~7.2")];
    assert_eq!(signed(&emulator, "GET", "/acme/users/ci/keys", &old, "").await.status, 200);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(signed(&emulator, "POST", "/acme/users/ci/keys", &form, "a=b").await.status, 415);
}

#[tokio::test]
async fn membership_shows_the_roles_of_a_sub_user_whatever_it_says() {
    let emulator = stepped().await;
    let plain = get(&emulator, "/acme/users/ci").await.json();
    assert_eq!((plain.get("roles"), plain.get("default_roles")), (None, None));
    for word in ["true", "false", "1"] {
        let user = get(&emulator, &format!("/acme/users/ci?membership={word}")).await.json();
        assert_eq!(user["roles"], json!(["operator", "keyadmin"]));
        assert_eq!(user["default_roles"], json!(["operator"]));
    }
    assert_eq!(get(&emulator, "/acme/users/ci?membership=").await.json().get("roles"), None);
}
