//! Machines: lists, creation, and states that change as the clock is stepped.

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace, Seed};
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, authorization, get, http_date, options, post, send, signed, stepped};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB0: &str = "/acme/machines/51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB1: &str = "/acme/machines/c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const GONE: &str = "/acme/machines/84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const UBUNTU: &str = "c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01";
const PUBLIC: &str = "f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01";
const BACKEND: &str = "b55ec213-5a7c-4d9e-9fb0-4b5c6d7e8f04";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

async fn state(emulator: &Emulator, path: &str) -> String {
    get(emulator, path).await.json()["state"].as_str().unwrap_or_default().to_owned()
}

async fn act(emulator: &Emulator, path: &str, action: &str) -> Got {
    signed(emulator, "POST", &format!("{path}?action={action}"), &[], "").await
}

/// The newest entry of the audit log.
async fn newest(emulator: &Emulator, path: &str) -> (String, String) {
    let entry = get(emulator, &format!("{path}/audit")).await.json()[0].clone();
    (entry["action"].as_str().unwrap().to_owned(), entry["success"].as_str().unwrap().to_owned())
}

fn names(got: &Got) -> Vec<String> {
    got.json().as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_machine_is_provisioned_then_running() {
    let emulator = stepped().await;
    let ask = json!({
        "name": "app-{{shortId}}", "image": BASE, "package": "g1-small",
        "tag.role": "app", "tag.n": 5, "tag.on": true, "metadata.k": "v", "metadata.x_pw": "secret",
        "tags": { "ignored": "yes" }, "metadata": { "ignored": "yes" },
        "firewall_enabled": true, "deletion_protection": "true",
    });
    let got = post(&emulator, "/acme/machines", &ask).await;
    assert_eq!(got.status, 201, "{got:?}");
    let made = got.json();
    let id = made["id"].as_str().unwrap();
    let path = format!("/acme/machines/{id}");
    assert_eq!(got.header("Location").as_deref(), Some(path.as_str()));
    assert_eq!(made["name"], format!("app-{}", &id[..8]));
    assert_eq!((&made["state"], &made["package"]), (&json!("provisioning"), &json!("")));
    assert_eq!((&made["ips"], &made["compute_node"], made.get("nics")), (&json!([]), &Value::Null, None));
    assert_eq!(made["tags"], json!({ "role": "app", "n": 5, "on": true }));
    assert_eq!(made["metadata"]["k"], "v");
    assert_eq!((made["metadata"].get("ignored"), made["metadata"].get("x_pw")), (None, None));
    assert!(made["metadata"]["root_authorized_keys"].as_str().unwrap().starts_with("ssh-rsa "));
    // A word is no truth.
    assert_eq!((&made["firewall_enabled"], &made["deletion_protection"]), (&json!(true), &json!(false)));

    let got = act(&emulator, &path, "stop").await;
    assert_eq!((got.status, got.code().as_str()), (409, "UnallocatedVM"));
    later(&emulator, 1999);
    assert_eq!(state(&emulator, &path).await, "provisioning");
    later(&emulator, 1);
    let running = get(&emulator, &path).await.json();
    assert_eq!((&running["state"], &running["package"]), (&json!("running"), &json!("g1-small")));
    assert_eq!(running["primaryIp"], running["ips"][0]);
    assert_eq!(running["nics"][0]["network"], "4d8e1b73-5a7c-4d9e-9fb0-4b5c6d7e8f07");
    assert_eq!(running["nics"].as_array().unwrap().len(), 2);
    assert_eq!(newest(&emulator, &path).await, ("provision".to_owned(), "yes".to_owned()));
}

#[tokio::test]
async fn stop_start_and_reboot_take_their_time() {
    let emulator = stepped().await;
    let got = act(&emulator, WEB1, "stop").await;
    assert_eq!((got.status, got.header("Content-Length")), (202, None));
    assert_eq!(got.header("Transfer-Encoding").as_deref(), Some("chunked"));
    assert_eq!(got.body, b"0\r\n\r\n");
    assert_eq!(state(&emulator, WEB1).await, "stopping");
    later(&emulator, 1000);
    assert_eq!(state(&emulator, WEB1).await, "stopped");
    act(&emulator, WEB1, "start").await;
    assert_eq!(state(&emulator, WEB1).await, "stopped");
    later(&emulator, 1000);
    assert_eq!(state(&emulator, WEB1).await, "running");
    act(&emulator, WEB1, "reboot").await;
    later(&emulator, 500);
    assert_eq!(state(&emulator, WEB1).await, "ready");
    later(&emulator, 500);
    assert_eq!(state(&emulator, WEB1).await, "running");
    assert_eq!(newest(&emulator, WEB1).await, ("reboot".to_owned(), "yes".to_owned()));
}

#[tokio::test]
async fn work_in_the_wrong_state_is_accepted_and_fails_in_the_audit_log_alone() {
    let emulator = stepped().await;
    for (path, action, state_after) in
        [(WEB1, "start", "running"), (DB1, "stop", "stopped"), (DB1, "reboot", "stopped")]
    {
        assert_eq!(act(&emulator, path, action).await.status, 202);
        later(&emulator, 5000);
        assert_eq!(state(&emulator, path).await, state_after);
        assert_eq!(newest(&emulator, path).await, (action.to_owned(), "no".to_owned()));
    }
}

#[tokio::test]
async fn a_start_right_after_a_stop_waits_for_it() {
    let emulator = stepped().await;
    act(&emulator, WEB1, "stop").await;
    later(&emulator, 300);
    act(&emulator, WEB1, "start").await;
    later(&emulator, 5000);
    assert_eq!(state(&emulator, WEB1).await, "running");
}

#[tokio::test]
async fn a_deleted_machine_is_gone_with_its_body_but_its_parts_are_there() {
    let emulator = stepped().await;
    let delete = || signed(&emulator, "DELETE", WEB1, &[], "");
    assert_eq!(delete().await.status, 204);
    assert_eq!(delete().await.status, 204);
    later(&emulator, 1000);
    for got in
        [get(&emulator, WEB1).await, delete().await, act(&emulator, WEB1, "start").await, get(&emulator, GONE).await]
    {
        assert_eq!((got.status, &got.json()["state"], got.json().get("code")), (410, &json!("deleted"), None));
    }
    assert_eq!(signed(&emulator, "HEAD", WEB1, &[], "").await.status, 410);
    for part in ["tags", "metadata", "audit"] {
        assert_eq!(get(&emulator, &format!("{WEB1}/{part}")).await.status, 200, "{part}");
    }
    assert_eq!(act(&emulator, WEB1, "enable_deletion_protection").await.status, 202);
}

#[tokio::test]
async fn a_protected_machine_is_not_deleted() {
    let emulator = stepped().await;
    let got = signed(&emulator, "DELETE", DB0, &[], "").await;
    assert_eq!((got.status, got.code().as_str()), (409, "CannotDestroyMachineError"));
    assert_eq!(act(&emulator, DB0, "disable_deletion_protection").await.status, 202);
    later(&emulator, 1000);
    assert_eq!(signed(&emulator, "DELETE", DB0, &[], "").await.status, 204);
}

#[tokio::test]
async fn rename_resize_and_firewall_show_when_they_are_done() {
    let emulator = stepped().await;
    assert_eq!(post(&emulator, WEB1, &json!({ "action": "rename", "name": "front" })).await.status, 202);
    assert_eq!(post(&emulator, WEB1, &json!({ "action": "resize", "package": "g1-medium" })).await.status, 202);
    assert_eq!(act(&emulator, WEB1, "disable_firewall").await.status, 202);
    assert_eq!(get(&emulator, WEB1).await.json()["name"], "web1");
    later(&emulator, 1000);
    let now = get(&emulator, WEB1).await.json();
    assert_eq!((&now["name"], &now["package"], &now["memory"]), (&json!("front"), &json!("g1-medium"), &json!(4096)));
    assert_eq!(now["firewall_enabled"], false);
    let got = post(&emulator, WEB1, &json!({ "action": "rename", "name": "web10" })).await;
    assert_eq!((got.status, &got.json()["errors"][0]["code"]), (409, &json!("Duplicate")));
    for (action, code) in [("fly", "InvalidArgument"), ("", "MissingParameter")] {
        let got = act(&emulator, WEB1, action).await;
        assert_eq!((got.status, got.code().as_str()), (409, code));
    }
}

#[tokio::test]
async fn lists_are_filtered_as_the_real_server_filters() {
    let emulator = stepped().await;
    let all = ["web1", "web10", "db0", "db1", "build", "win", "cache"];
    for (query, want) in [
        ("", &all[..]),
        ("?name=web1", &["web1", "web10"]),
        ("?state=stopped", &["db1", "build"]),
        ("?state=provisioning", &all),
        ("?state=destroyed", &["old-web"]),
        ("?brand=bhyve", &["db0", "db1"]),
        ("?brand=nope", &[]),
        ("?type=virtualmachine", &["db0", "db1", "win"]),
        ("?memory=8192", &["db1"]),
        ("?docker=true", &["cache"]),
        ("?image=c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01", &["db0"]),
        ("?image=00000000-0000-4000-8000-000000000000", &[]),
        ("?dataset=c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01", &all),
        ("?tag.role=db&tag.stage=prod", &["db0"]),
        ("?tag.role=w*", &["web1", "web10"]),
        ("?tag.primary=true", &["db0"]),
        ("?tag.weight=10", &["web1", "web10"]),
        ("?tags=*&name=db", &["web1", "web10", "db0", "db1", "cache"]),
        ("?tombstone=false&name=b", &["build", "broken"]),
        ("?limit=2&offset=1", &["web10", "db0"]),
        ("?offset=100", &[]),
    ] {
        let got = get(&emulator, &format!("/acme/machines{query}")).await;
        assert_eq!(got.status, 200, "{query}: {got:?}");
        assert_eq!(names(&got), want, "{query}");
        assert_eq!(got.header("x-resource-count"), Some(want.len().to_string()), "{query}");
        assert_eq!(got.header("x-query-limit").is_some(), !query.contains("tags=*"), "{query}");
    }
    for query in
        ["limit=0", "limit=1001", "limit=-1", "limit=abc", "memory=x", "state=failed", "type=x", "docker=maybe"]
    {
        let got = get(&emulator, &format!("/acme/machines?{query}")).await;
        assert_eq!(got.status, 409, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_to_a_short_one() {
    let chosen = Options { seed: Seed::Machines(2500), pace: Pace::Stepped, ..options() };
    let emulator = Emulator::start(chosen).await.unwrap();
    let mut seen = std::collections::HashSet::new();
    for (offset, count) in [(0, 1000), (1000, 1000), (2000, 500), (2500, 0)] {
        let got = get(&emulator, &format!("/acme/machines?offset={offset}")).await;
        assert_eq!(got.header("x-query-limit").as_deref(), Some("1000"));
        assert_eq!(got.header("x-resource-count"), Some(count.to_string()));
        seen.extend(names(&got));
    }
    assert_eq!(seen.len(), 2500);
}

#[tokio::test]
async fn an_id_that_is_none_is_invalid_and_an_unknown_one_is_not_there() {
    let emulator = stepped().await;
    let got = get(&emulator, "/acme/machines/web1").await;
    assert_eq!((got.status, got.code().as_str()), (409, "ValidationFailed"));
    let got = get(&emulator, "/acme/machines/00000000-0000-4000-8000-000000000000").await;
    assert_eq!((got.status, got.code().as_str()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn credentials_are_shown_only_when_asked_for() {
    let emulator = stepped().await;
    assert_eq!(get(&emulator, WEB1).await.json()["metadata"].get("credentials"), None);
    let got = get(&emulator, &format!("{WEB1}?credentials=false")).await.json();
    assert!(got["metadata"]["credentials"]["root"].is_string());
}

#[tokio::test]
async fn what_cannot_be_made_is_refused() {
    let emulator = stepped().await;
    let good = json!({ "image": BASE, "package": "g1-small" });
    let cases = [
        (json!({ "image": null }), 409, "MissingParameter"),
        (json!({ "package": null }), 409, "MissingParameter"),
        (json!({ "image": "base-64" }), 409, "InvalidArgument"),
        (json!({ "image": "00000000-0000-4000-8000-000000000000" }), 404, "ResourceNotFound"),
        (json!({ "image": "60c5e91a-1c3e-4f5a-9b7c-0d1e2f3a4b03" }), 409, "InvalidArgument"),
        (json!({ "package": "nope" }), 409, "InvalidArgument"),
        (json!({ "package": "d14b7f60-4f6b-4c8d-8eaf-3a4b5c6d7e09" }), 409, "InvalidArgument"),
        (json!({ "image": UBUNTU, "package": "g1-nano" }), 409, "InvalidArgument"),
        (json!({ "brand": "joyent" }), 409, "InvalidArgument"),
        (json!({ "brand": "kvm" }), 409, "InvalidArgument"),
        (json!({ "name": "web1" }), 409, "ValidationFailed"),
        (json!({ "name": "-x" }), 409, "ValidationFailed"),
        (json!({ "name": "x".repeat(190) }), 409, "ValidationFailed"),
        (json!({ "tag.triton.nope": "x" }), 409, "ValidationFailed"),
        (json!({ "tag.triton.cns.disable": "true" }), 409, "ValidationFailed"),
        (json!({ "tag.x": [] }), 409, "ValidationFailed"),
        (json!({ "affinity": ["nonsense"] }), 409, "InvalidArgument"),
        (json!({ "affinity": ["instance==a"], "locality": {} }), 409, "InvalidArgument"),
        (json!({ "networks": ["00000000-0000-4000-8000-000000000000"] }), 409, "InvalidArgument"),
        (json!({ "networks": ["public"] }), 500, ""),
        (json!({ "networks": [BACKEND, { "ipv4_uuid": PUBLIC }] }), 409, "InvalidArgument"),
        (json!({ "networks": [{ "ipv4_uuid": PUBLIC, "ipv4_ips": ["198.18.0.99"] }] }), 409, "InvalidArgument"),
        (json!({ "networks": [{ "ipv4_uuid": BACKEND, "ipv4_ips": ["10.11.0.1"] }] }), 422, "InvalidParameters"),
    ];
    for (change, status, code) in cases {
        let mut ask = good.clone();
        ask.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let got = post(&emulator, "/acme/machines", &ask).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{change}: {got:?}");
    }
    assert_eq!(get(&emulator, "/acme/machines").await.header("x-resource-count").as_deref(), Some("7"));
}

#[tokio::test]
async fn an_address_that_was_asked_for_is_given_once() {
    let emulator = stepped().await;
    let networks = json!([{ "ipv4_uuid": BACKEND, "ipv4_ips": ["10.10.0.77"] }]);
    let ask = json!({ "image": BASE, "package": "g1-small", "networks": networks });
    let id = post(&emulator, "/acme/machines", &ask).await.json()["id"].as_str().unwrap().to_owned();
    later(&emulator, 2000);
    assert_eq!(get(&emulator, &format!("/acme/machines/{id}")).await.json()["primaryIp"], "10.10.0.77");
    let got = post(&emulator, "/acme/machines", &ask).await;
    assert_eq!((got.status, &got.json()["errors"][0]["code"]), (422, &json!("UsedBy")));
}

#[tokio::test]
async fn an_account_without_keys_makes_no_machine() {
    // The sub-user has the same key, and keeps it.
    let public = std::fs::read_to_string(stepped().await.key_file().with_extension("pub")).unwrap();
    let emulator = Emulator::start(Options { authorize_user: vec![public], ..options() }).await.unwrap();
    let key = format!("/acme/keys/{}", emulator.key_id());
    assert_eq!(signed(&emulator, "DELETE", &key, &[], "").await.status, 204);
    assert_eq!(get(&emulator, "/acme").await.status, 401);
    let date = http_date(0);
    let authorization = authorization(&emulator, &date).replace("/acme/keys/", "/acme/users/ci/keys/");
    let headers = [("Date", date.as_str()), ("Authorization", &authorization), ("Content-Type", "application/json")];
    let ask = json!({ "image": BASE, "package": "g1-small" }).to_string();
    let got = send(&emulator, "POST", "/acme/machines", &headers, &ask).await;
    assert_eq!((got.status, got.code().as_str()), (409, "KeyRequired"), "{got:?}");
}

#[tokio::test]
async fn tags_are_merged_replaced_and_removed() {
    let emulator = stepped().await;
    let tags = format!("{WEB1}/tags");
    let got = post(&emulator, &tags, &json!({ "a": "b", "n": 1.5 })).await;
    assert_eq!(got.status, 200);
    assert!(got.header("x-job-uuid").is_some());
    assert_eq!(got.json(), json!({ "role": "web", "stage": "prod", "weight": 10, "a": "b", "n": 1.5 }));
    assert_eq!(get(&emulator, &tags).await.json().get("a"), None);
    later(&emulator, 200);
    assert_eq!(get(&emulator, &tags).await.json()["a"], "b");
    assert_eq!(get(&emulator, &format!("{tags}/a")).await.body, b"\"b\"");
    assert_eq!(get(&emulator, &format!("{tags}/n")).await.body, b"\"\"");
    assert_eq!(signed(&emulator, "GET", &format!("{tags}/a"), &[("Accept", "text/plain")], "").await.body, b"b");
    let json = ("Content-Type", "application/json");
    assert_eq!(signed(&emulator, "PUT", &tags, &[json], "{\"z\":true}").await.json(), json!({ "z": true }));
    later(&emulator, 200);
    assert_eq!(get(&emulator, &tags).await.json(), json!({ "z": true }));
    assert_eq!(post(&emulator, &tags, &json!({})).await.status, 409);
    // Whatever is in the query becomes a tag.
    post(&emulator, &format!("{tags}?as-role=operator"), &json!({ "y": "1" })).await;
    later(&emulator, 200);
    assert_eq!(get(&emulator, &tags).await.json()["as-role"], "operator");
    assert_eq!(signed(&emulator, "DELETE", &format!("{tags}/z"), &[], "").await.status, 204);
    assert_eq!(signed(&emulator, "DELETE", &format!("{tags}/none"), &[], "").await.status, 404);
    assert_eq!(signed(&emulator, "DELETE", &tags, &[], "").await.status, 204);
    // One job of a machine after the other.
    later(&emulator, 400);
    assert_eq!(get(&emulator, &tags).await.json(), json!({}));
}

#[tokio::test]
async fn metadata_is_merged_and_some_of_it_is_kept() {
    let emulator = stepped().await;
    let all = format!("{WEB1}/metadata");
    let got = post(&emulator, &all, &json!({ "k": "v", "n": 1, "root_pw": "x" })).await;
    assert_eq!((&got.json()["k"], got.json().get("root_pw")), (&json!("v"), None));
    later(&emulator, 200);
    assert_eq!(get(&emulator, &format!("{all}/k")).await.body, b"\"v\"");
    assert_eq!(get(&emulator, &format!("{all}/n")).await.status, 404);
    let got = signed(&emulator, "DELETE", &format!("{all}/root_authorized_keys"), &[], "").await;
    assert_eq!((got.status, got.code().as_str()), (409, "InvalidArgument"));
    assert_eq!(post(&emulator, &all, &json!({ "o": {} })).await.code(), "ValidationFailed");
    assert_eq!(signed(&emulator, "DELETE", &all, &[], "").await.status, 204);
    later(&emulator, 200);
    let owner = get(&emulator, "/acme").await.json()["id"].clone();
    let id = WEB1.rsplit('/').next();
    assert_eq!(get(&emulator, &all).await.json(), json!({ "uuid": id, "owner_uuid": owner }));
}

#[tokio::test]
async fn passwords_are_shown_only_if_credentials_are_asked_for_with_a_word() {
    let emulator = stepped().await;
    let ask = json!({
        "name": "secret", "image": BASE, "package": "g1-small", "metadata.credentials": { "root": "hunter2" },
    });
    let id = post(&emulator, "/acme/machines", &ask).await.json()["id"].as_str().unwrap().to_owned();
    later(&emulator, 5000);
    for path in [format!("/acme/machines/{id}"), "/acme/machines".to_owned(), format!("/acme/machines/{id}/metadata")] {
        for (query, shown) in [("", false), ("?credentials=", false), ("?credentials=false", true)] {
            let got = get(&emulator, &format!("{path}{query}")).await;
            assert_eq!(String::from_utf8_lossy(&got.body).contains("hunter2"), shown, "{path}{query}");
        }
    }
}

#[tokio::test]
async fn a_machine_deleted_twice_is_destroyed_once() {
    let emulator = stepped().await;
    for _ in 0..2 {
        assert_eq!(signed(&emulator, "DELETE", WEB1, &[], "").await.status, 204);
    }
    later(&emulator, 5000);
    let rows = get(&emulator, &format!("{WEB1}/audit")).await.json();
    let destroyed: Vec<_> = rows.as_array().unwrap().iter().filter(|row| row["action"] == "destroy").collect();
    assert_eq!((destroyed.len(), &destroyed[0]["success"]), (1, &json!("yes")));
}

#[tokio::test]
async fn the_first_version_shows_no_networks_of_a_machine() {
    let emulator = stepped().await;
    for (range, shown) in [("~7.0.0", false), ("~7.1.0", true), ("~9", true)] {
        let one = signed(&emulator, "GET", WEB1, &[("Accept-Version", range)], "").await.json();
        let all = signed(&emulator, "GET", "/acme/machines", &[("Accept-Version", range)], "").await.json();
        assert_eq!((one.get("networks").is_some(), all[0].get("networks").is_some()), (shown, shown), "{range}");
        assert!(one.get("ips").is_some());
    }
}
