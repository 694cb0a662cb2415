//! An emulator with data of somebody's own, by what it answers.

use std::path::{Path, PathBuf};

use sdc::emulator::{Document, Emulator, Options, Pace, Seed};
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, authorization, get, http_date, options, post, send, signed};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/emulator").join(name)
}

async fn with(seed: Document) -> sdc::Result<Emulator> {
    Emulator::start(Options { seed: seed.into(), pace: Pace::Stepped, ..options() }).await
}

/// The names and states of an account's machines.
async fn machines(emulator: &Emulator, account: &str) -> Vec<String> {
    let list = get(emulator, &format!("/{account}/machines")).await.json();
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let list = list.as_array().unwrap_or_else(|| panic!("{list}"));
    let mut all: Vec<String> = list.iter().map(|one| format!("{} {}", text(one, "name"), text(one, "state"))).collect();
    all.sort();
    all
}

/// An account, as it sees itself when it has the emulator's key.
async fn get_as(emulator: &Emulator, account: &str) -> Got {
    let date = http_date(0);
    let signed = authorization(emulator, &date);
    let signed = signed.replace(&format!("/{}/keys", emulator.account()), &format!("/{account}/keys"));
    send(emulator, "GET", &format!("/{account}"), &[("Date", &date), ("Authorization", &signed)], "").await
}

#[tokio::test]
async fn accounts_of_a_seed_are_used_with_the_emulator_s_key_and_see_what_is_theirs() {
    let emulator = with(Document::read(&data("seed-1.json")).unwrap()).await.unwrap();
    assert_eq!(emulator.account(), "jill");
    let account = get(&emulator, "/jill").await.json();
    let field = |name: &str| account[name].as_str().unwrap_or_default().to_owned();
    assert_eq!((field("email"), field("companyName")), ("jill@example.com".to_owned(), "Jill and Sons".to_owned()));
    let expected = [
        "box running",
        "db running",
        "going stopping",
        "lost unknown",
        "making provisioning",
        "old stopped",
        "web1 running",
        "web2 running",
        "whole running",
        "win running",
    ];
    assert_eq!(machines(&emulator, "jill").await, expected);
    emulator.clock().advance(std::time::Duration::from_secs(10));
    let later = machines(&emulator, "jill").await;
    assert!(later.contains(&"making running".to_owned()) && later.contains(&"going stopped".to_owned()), "{later:?}");
    // One with keys of its own has no other; one without has the emulator's, but this one is disabled.
    for (account, refused) in [("jack", (401, "InvalidCredentials")), ("new", (403, "NotAuthorized"))] {
        let got = get_as(&emulator, account).await;
        assert_eq!((got.status, got.code().as_str()), refused, "{account}");
    }
    // The id is that which the guide says how to compute.
    let web1 = get(&emulator, "/jill/machines/7fae40e0-d663-5909-b607-d27ee9b7f7c9").await.json();
    assert_eq!(web1["name"], "web1");
    assert_eq!(web1["ips"], json!(["198.51.100.10", "10.0.0.10"]));
    assert_eq!(web1["tags"], json!({ "role": "web", "weight": 10, "canary": true }));
    assert_eq!(web1["created"], "2025-01-31T18:00:00.000Z");
    let rules = get(&emulator, "/jill/machines/7fae40e0-d663-5909-b607-d27ee9b7f7c9/fwrules").await.json();
    assert_eq!(rules.as_array().unwrap().len(), 2, "{rules}");
}

#[tokio::test]
async fn what_follows_fits_what_the_seed_has_made() {
    let seed = json!({
        "format": "sdc-emulator/1",
        "accounts": [{ "login": "jill", "limits": [{ "value": 3, "by": "machines" }] }],
        "networks": [{ "name": "lan", "subnet": "10.0.0.0/29" }],
        "machines": [{ "name": "a" }, { "name": "b", "networks": [{ "network": "lan", "ip": "10.0.0.3" }] }],
    });
    let emulator = with(Document::json(seed.to_string())).await.unwrap();
    let image = get(&emulator, "/jill/images?name=base-64").await.json()[0]["id"].clone();
    let make = async |name: &str| {
        let wanted = json!({ "name": name, "image": image, "package": "g1-nano" });
        post(&emulator, "/jill/machines", &wanted).await
    };
    assert_eq!(make("a").await.status, 409, "the name is taken");
    assert_eq!(make("c").await.status, 201);
    emulator.clock().advance(std::time::Duration::from_secs(5));
    let list = get(&emulator, "/jill/machines").await.json();
    let mut ips: Vec<&str> = list.as_array().unwrap().iter().map(|one| one["primaryIp"].as_str().unwrap()).collect();
    ips.sort_unstable();
    assert_eq!(ips, ["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
    let refused = make("d").await;
    assert_eq!((refused.status, refused.message().as_str()), (403, "Quota exceeded: at most 3 machines allowed"));
}

#[tokio::test]
async fn a_file_that_state_wrote_is_a_seed_and_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept).await.unwrap();
    signed(&emulator, "POST", "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d?action=stop", &[], "").await;
    emulator.clock().advance(std::time::Duration::from_millis(86_400_000));
    signed(&emulator, "POST", "/acme/machines/9e04d7b1-7d0e-4b6a-9c1d-5e2f8a7b4c6d?action=stop", &[], "").await;
    let (then, before) = (emulator.clock().now(), machines(&emulator, "acme").await);
    emulator.stop().await.unwrap();
    let written = std::fs::read(&file).unwrap();
    assert!(written.starts_with(b"{\"format\":\"sdc-emulator/1\","));

    let emulator = with(Document::read(&file).unwrap()).await.unwrap();
    assert_eq!(emulator.clock().now(), then, "time does not go back");
    assert_eq!(machines(&emulator, "acme").await, before);
    assert!(before.contains(&"web10 stopping".to_owned()), "{before:?}");
    emulator.clock().advance(std::time::Duration::from_secs(5));
    assert!(machines(&emulator, "acme").await.contains(&"web10 stopped".to_owned()));
    emulator.stop().await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), written, "it is only read");
}

#[tokio::test]
async fn files_of_the_first_version_and_of_those_before_it_are_states() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let start = async || Emulator::start(Options { state_file: Some(file.clone()), ..options() }).await;
    std::fs::copy(data("state-1.json"), &file).unwrap();
    let emulator = start().await.unwrap();
    let made = machines(&emulator, "acme").await;
    emulator.stop().await.unwrap();
    assert!(made.iter().any(|machine| machine.starts_with("fresh ")), "{made:?}");
    // Those before it had no format, and wrote four names otherwise.
    let mut earlier: Value = serde_json::from_slice(&std::fs::read(data("state-1.json")).unwrap()).unwrap();
    earlier.as_object_mut().unwrap().remove("format");
    for account in earlier["accounts"].as_array_mut().unwrap() {
        let account = account.as_object_mut().unwrap();
        for (name, was) in [
            ("access_keys", "accessKeys"),
            ("role_tags", "roleTags"),
            ("default_network", "defaultNetwork"),
            ("role_operator", "roleOperator"),
        ] {
            let value = account.remove(name).unwrap();
            account.insert(was.to_owned(), value);
        }
    }
    std::fs::write(&file, earlier.to_string()).unwrap();
    let emulator = start().await.unwrap();
    assert_eq!(machines(&emulator, "acme").await.len(), made.len());
    assert_eq!(get(&emulator, "/acme/accesskeys").await.json().as_array().unwrap().len(), 1);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_seed_is_not_taken_for_a_state_nor_a_later_version_for_this_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cloud.json");
    let start = async || Emulator::start(Options { state_file: Some(file.clone()), ..options() }).await.unwrap_err();
    std::fs::copy(data("seed-1.json"), &file).unwrap();
    let error = start().await;
    assert!(error.message().ends_with("cloud.json is a seed, and not a state that an emulator wrote"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(data("seed-1.json")).unwrap());
    let later = r#"{"format":"sdc-emulator/7","accounts":"elsewhere"}"#;
    std::fs::write(&file, later).unwrap();
    for error in [start().await, with(Document::read(&file).unwrap()).await.unwrap_err()] {
        let words = "cloud.json: this version reads the format \"sdc-emulator/1\", and not \"sdc-emulator/7\"";
        assert!(error.message().ends_with(words), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), later);
}

#[tokio::test]
async fn a_key_for_a_user_who_is_not_there_is_refused() {
    let key = super::ssh_keygen_interop::new_key("x");
    let seed = Seed::from(Document::json(r#"{"format":"sdc-emulator/1","accounts":[{"login":"jill"}]}"#));
    let error = Emulator::start(Options { seed, authorize_user: vec![key], ..options() }).await.unwrap_err();
    assert_eq!(error.message(), "jill has no sub-user ci, who would get the key");
}
