//! The account itself, its configuration, its limits, and its access keys.

use serde_json::{Value, json};

use super::ssh_keygen_interop::{delete, get, post, refused, send, signed, stepped, with_body};

#[tokio::test]
async fn an_account_is_updated_but_never_emptied() {
    let emulator = stepped().await;
    let before = get(&emulator, "/acme").await.json();
    let changes = json!({ "city": "", "phone": "+1 555 0100", "email": "new@acme.example.com", "login": "other" });
    let got = post(&emulator, "/acme", &changes).await;
    assert_eq!(got.status, 200, "{got:?}");
    let after = got.json();
    assert_eq!((after["city"].as_str(), after["login"].as_str()), (Some("Vancouver"), Some("acme")));
    assert_eq!((after["phone"].as_str(), after["email"].as_str()), (Some("+1 555 0100"), Some("new@acme.example.com")));
    assert_ne!(before["updated"], after["updated"]);
    assert_eq!(get(&emulator, "/acme").await.json(), after);
    // The names that the directory uses are taken too.
    let got = post(&emulator, "/acme", &json!({ "givenName": "Grace", "sn": "Other", "company": "Acme Ltd" })).await;
    let names = ["firstName", "lastName", "companyName"].map(|name| got.json()[name].as_str().unwrap().to_owned());
    assert_eq!(names, ["Grace", "Other", "Acme Ltd"]);
    assert_eq!(
        refused(&post(&emulator, "/acme", &json!({ "email": "nobody" })).await),
        (409, "InvalidArgument".into())
    );
}

#[tokio::test]
async fn names_in_dns_are_switched_by_a_boolean_or_its_word() {
    let emulator = stepped().await;
    for (value, on) in [(json!(true), true), (json!("false"), false), (json!("true"), true), (json!(false), false)] {
        let got = post(&emulator, "/acme", &json!({ "triton_cns_enabled": value })).await;
        assert_eq!((got.status, got.json()["triton_cns_enabled"].as_bool()), (200, Some(on)), "{value}");
    }
    for value in [json!("yes"), json!(1), json!([])] {
        let got = post(&emulator, "/acme", &json!({ "triton_cns_enabled": value, "city": "Elsewhere" })).await;
        assert_eq!(refused(&got), (409, "InvalidArgument".into()), "{value}");
    }
    assert_eq!(get(&emulator, "/acme").await.json()["city"], "Vancouver", "nothing is changed by what is refused");
}

#[tokio::test]
async fn the_configuration_takes_a_network_and_nothing_else() {
    let emulator = stepped().await;
    let path = "/acme/config";
    let public = "f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01";
    let good = json!({ "default_network": public });
    let got = with_body(&emulator, "PUT", path, &good).await;
    assert_eq!((got.status, got.json()), (200, good.clone()));
    assert_eq!(get(&emulator, path).await.json(), good);
    assert_eq!(signed(&emulator, "HEAD", path, &[], "").await.status, 200);
    for body in [
        json!({}),
        json!({ "default_network": "public" }),
        json!({ "default_network": 7 }),
        json!({ "default_network": "f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8fff" }),
        json!({ "default_network": public, "more": 1 }),
    ] {
        let got = with_body(&emulator, "PUT", path, &body).await;
        assert_eq!(refused(&got), (409, "InvalidArgument".into()), "{body}");
    }
    let got = with_body(&emulator, "PUT", &format!("{path}?as-role=operator"), &good).await;
    assert_eq!(refused(&got), (409, "InvalidArgument".into()), "not even a role");
}

#[tokio::test]
async fn limits_count_what_there_is_and_are_kept_to() {
    let emulator = stepped().await;
    let limits = get(&emulator, "/acme/limits").await.json();
    let kvm =
        |limits: &Value| limits.as_array().unwrap().iter().find(|limit| limit["check"] == "brand").cloned().unwrap();
    assert_eq!(kvm(&limits), json!({ "value": 2, "by": "machines", "check": "brand", "brand": "kvm", "used": 1 }));
    // Neither the deleted machine counts nor the failed one.
    assert_eq!(limits[0], json!({ "value": 100, "by": "machines", "used": 7 }));
    let small = json!({ "image": "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02", "package": "g1-small", "name": "more" });
    let windows =
        json!({ "image": "77b04c9e-2d4f-4a6b-8c8d-1e2f3a4b5c04", "package": "k1-medium", "password": "s3cretword" });
    assert_eq!(post(&emulator, "/acme/machines", &windows).await.status, 201);
    let after = get(&emulator, "/acme/limits").await.json();
    assert_eq!(kvm(&after)["used"], 2);
    assert_eq!(after[1]["used"].as_u64().unwrap(), limits[1]["used"].as_u64().unwrap() + 4096);
    let got = post(&emulator, "/acme/machines", &windows).await;
    assert_eq!(refused(&got), (403, "NotAuthorized".into()));
    assert!(got.message().starts_with("Quota exceeded"), "{}", got.message());
    assert_eq!(post(&emulator, "/acme/machines", &small).await.status, 201, "others are not bound by that limit");
    let got = signed(&emulator, "HEAD", "/acme/limits", &[], "").await;
    assert_eq!(got.status, 405);
}

#[tokio::test]
async fn access_keys_show_their_secret_whenever_they_are_looked_at() {
    let emulator = stepped().await;
    for all in ["/acme/accesskeys", "/acme/users/ci/accesskeys"] {
        assert_eq!(get(&emulator, all).await.json(), json!([]));
        let got = post(&emulator, all, &json!({ "status": "Inactive" })).await;
        let key = got.json();
        let id = key["accesskeyid"].as_str().unwrap().to_owned();
        assert_eq!((got.status, got.header("Location")), (201, Some(format!("{all}/{id}"))));
        let secret = key["accesskeysecret"].as_str().unwrap();
        let hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        assert!((id.len(), secret.len()) == (32, 64) && hex(&id) && hex(secret), "{key}");
        assert_eq!(key["status"], "Active", "what is asked for is not looked at");
        for residue in ["dn", "controls", "objectclass", "created"] {
            assert!(key.get(residue).is_some(), "{residue}");
        }
        assert_eq!(get(&emulator, all).await.json(), json!([key]));
        let one = format!("{all}/{id}");
        assert_eq!(get(&emulator, &one).await.json(), key);
        assert_eq!(post(&emulator, &one, &json!({ "status": "Inactive" })).await.status, 405, "cannot be updated");
        let other = post(&emulator, all, &json!({})).await.json();
        assert_ne!((&other["accesskeyid"], &other["accesskeysecret"]), (&key["accesskeyid"], &key["accesskeysecret"]));
        assert_eq!(delete(&emulator, &one).await.status, 204);
        assert_eq!(refused(&get(&emulator, &one).await), (404, "ResourceNotFound".into()));
        assert_eq!(refused(&delete(&emulator, &one).await), (404, "ResourceNotFound".into()));
        assert_eq!(signed(&emulator, "HEAD", all, &[], "").await.status, 200);
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        assert_eq!(signed(&emulator, "POST", all, &form, "a=b").await.status, 415);
    }
    let got = post(&emulator, "/acme/users/nobody/accesskeys", &json!({})).await;
    assert_eq!(refused(&got), (404, "ResourceNotFound".into()));
    // A body that names a sub-user does not make the account's key that one's.
    post(&emulator, "/acme/accesskeys", &json!({ "user": "ci" })).await;
    assert_eq!(get(&emulator, "/acme/accesskeys").await.json().as_array().unwrap().len(), 2);
    assert_eq!(send(&emulator, "GET", "/acme/accesskeys", &[], "").await.status, 401);
}
