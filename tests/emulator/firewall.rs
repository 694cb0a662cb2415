//! Firewall rules, and the machines that they are about.

use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, delete, get, post, refused, signed, stepped};

const RULES: &str = "/acme/fwrules";
const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const WEB10: &str = "9e04d7b1-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB0: &str = "51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB1: &str = "c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

fn ids(got: &Got) -> Vec<String> {
    got.json().as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The path of a new rule.
async fn made(emulator: &sdc::emulator::Emulator, rule: &str) -> String {
    let got = post(emulator, RULES, &json!({ "rule": rule })).await;
    assert_eq!(got.status, 201, "{got:?}");
    format!("{RULES}/{}", got.json()["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_rule_is_made_in_its_fixed_form_and_not_enabled() {
    let emulator = stepped().await;
    let text = "from tag role=web to (vm 51B7C6EA-7d0e-4b6a-9c1d-5e2f8a7b4c6d or tag role=db) allow TCP (port 443 and port 80)";
    let got = post(&emulator, RULES, &json!({ "rule": text })).await;
    assert_eq!(got.status, 201, "{got:?}");
    let rule = got.json();
    let form =
        format!("FROM tag \"role\" = \"web\" TO (tag \"role\" = \"db\" OR vm {DB0}) ALLOW tcp (PORT 80 AND PORT 443)");
    assert_eq!(rule, json!({ "id": rule["id"], "rule": form, "enabled": false, "log": false }));
    let path = format!("{RULES}/{}", rule["id"].as_str().unwrap());
    assert_eq!(get(&emulator, &path).await.json(), rule);
    assert!(ids(&get(&emulator, RULES).await).contains(&rule["id"].as_str().unwrap().to_owned()));
    assert_eq!(signed(&emulator, "HEAD", &path, &[], "").await.status, 200);

    assert_eq!(post(&emulator, &format!("{path}/enable"), &Value::Null).await.json()["enabled"], true);
    assert_eq!(get(&emulator, &path).await.json()["enabled"], true);
    assert_eq!(post(&emulator, &format!("{path}/disable"), &Value::Null).await.json()["enabled"], false);
    let change = json!({ "log": true, "enabled": "true", "description": "x" });
    let got = post(&emulator, &path, &change).await;
    let shown = json!({ "id": rule["id"], "rule": form, "enabled": true, "log": true, "description": "x" });
    assert_eq!((got.status, got.json()), (200, shown.clone()));
    // Nothing is required.
    assert_eq!(post(&emulator, &path, &json!({})).await.json(), shown);
    assert_eq!(delete(&emulator, &path).await.status, 204);
    for got in [get(&emulator, &path).await, delete(&emulator, &path).await, post(&emulator, &path, &json!({})).await] {
        assert_eq!(refused(&got), (404, "ResourceNotFound".to_owned()));
    }
}

#[tokio::test]
async fn bad_text_is_refused_with_the_field() {
    let emulator = stepped().await;
    let rules = get(&emulator, RULES).await.json();
    let own = format!("{RULES}/{}", rules[1]["id"].as_str().unwrap());
    for path in [RULES, &own] {
        for (body, field) in [
            (json!({ "rule": "FROM any TO any ALLOW tcp PORT 80" }), "rule"),
            (json!({ "rule": "nonsense" }), "rule"),
            (json!({ "rule": 5 }), "rule"),
            (json!({ "rule": "FROM any TO all vms ALLOW ah", "enabled": "yes" }), "enabled"),
            (json!({ "rule": "FROM any TO all vms ALLOW ah", "log": 1 }), "log"),
            (json!({ "rule": "FROM any TO all vms ALLOW ah", "description": "x".repeat(256) }), "description"),
        ] {
            let got = post(&emulator, path, &body).await;
            assert_eq!(refused(&got), (422, "InvalidParameters".to_owned()), "{body}");
            assert_eq!(got.json()["errors"][0]["field"], field, "{body}");
        }
    }
    assert_eq!(refused(&post(&emulator, RULES, &json!({})).await), (409, "MissingParameter".to_owned()));
    assert_eq!(get(&emulator, RULES).await.json(), rules);
}

#[tokio::test]
async fn a_global_rule_is_shown_but_not_changed() {
    let emulator = stepped().await;
    let rules = get(&emulator, RULES).await.json();
    let rules = rules.as_array().unwrap();
    let global: Vec<&Value> = rules.iter().filter(|rule| rule["global"] == true).collect();
    assert_eq!(global.len(), 1);
    assert!(rules.iter().all(|rule| rule["global"] == true || rule.get("global").is_none()));
    let path = format!("{RULES}/{}", global[0]["id"].as_str().unwrap());
    for got in [
        post(&emulator, &path, &json!({ "enabled": false })).await,
        post(&emulator, &format!("{path}/disable"), &Value::Null).await,
        post(&emulator, &format!("{path}/enable"), &Value::Null).await,
        delete(&emulator, &path).await,
    ] {
        assert_eq!(refused(&got), (409, "InvalidArgument".to_owned()));
    }
    assert_eq!(&get(&emulator, &path).await.json(), global[0]);
}

#[tokio::test]
async fn a_rule_is_about_the_machines_that_are_its_source_or_destination() {
    let emulator = stepped().await;
    let all = ids(&get(&emulator, "/acme/machines").await);
    for (rule, wanted) in [
        ("FROM any TO tag role = web ALLOW tcp PORT 80".to_owned(), vec![WEB1, WEB10]),
        ("FROM tag role = web TO tag primary = true ALLOW tcp PORT 80".to_owned(), vec![WEB1, WEB10, DB0]),
        (format!("FROM vm {DB1} TO ip 10.0.0.1 BLOCK udp PORT 53"), vec![DB1]),
        ("FROM tag colour TO any BLOCK udp PORT 53".to_owned(), vec![]),
        ("FROM all vms TO any BLOCK udp PORT 53".to_owned(), all.iter().map(String::as_str).collect()),
    ] {
        let path = format!("{}/machines", made(&emulator, &rule).await);
        let got = get(&emulator, &path).await;
        assert_eq!(ids(&got), wanted, "{rule}");
        assert_eq!(got.header("x-resource-count"), Some(wanted.len().to_string()));
        assert_eq!(got.header("x-query-limit"), None);
        assert_eq!(
            signed(&emulator, "HEAD", &path, &[], "").await.header("x-resource-count"),
            got.header("x-resource-count")
        );
    }
    let path = format!("{}/machines", made(&emulator, &format!("FROM any TO vm {WEB1} ALLOW tcp PORT 1")).await);
    assert_eq!(get(&emulator, &path).await.json()[0]["metadata"].get("credentials"), None);
    let told = get(&emulator, &format!("{path}?credentials=true")).await.json();
    assert!(told[0]["metadata"]["credentials"].is_object(), "{told}");
}

#[tokio::test]
async fn the_rules_of_a_machine_follow_its_tags() {
    let emulator = stepped().await;
    let path = made(&emulator, "FROM any TO tag colour = red ALLOW tcp PORT 80").await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    let list = format!("/acme/machines/{DB1}/fwrules");
    let before = get(&emulator, &list).await;
    let global = get(&emulator, RULES).await.json()[0]["id"].as_str().unwrap().to_owned();
    assert!(ids(&before).contains(&global), "{before:?}");
    assert!(!ids(&before).contains(&id));
    post(&emulator, &format!("/acme/machines/{DB1}/tags"), &json!({ "colour": "red" })).await;
    emulator.clock().advance(std::time::Duration::from_secs(1));
    assert!(ids(&get(&emulator, &list).await).contains(&id));
    assert_eq!(signed(&emulator, "HEAD", &list, &[], "").await.status, 200);
    assert_eq!(get(&emulator, "/acme/machines/00000000-7d0e-4b6a-9c1d-5e2f8a7b4c6d/fwrules").await.status, 404);
}
