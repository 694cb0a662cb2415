//! Migrations as operators see them: lists, records and watches.

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::{ACME, BUILD, GLOBEX, WEB1, ask, errors, get, later, send, start};

async fn act(emulator: &Emulator, vm: &str, action: &str) {
    let body = json!({ "migration_action": action });
    let got = ask(emulator, "vmapi", "POST", &format!("/vms/{vm}?action=migrate"), &body).await;
    assert_eq!(got.status, 202, "{action}: {:?}", got.json());
}

#[tokio::test]
async fn a_list_is_narrowed_by_state_and_servers_and_cut() {
    let emulator = start().await;
    let list = async |query: &str| -> Vec<String> {
        let got = get(&emulator, "vmapi", &format!("/migrations?{query}")).await;
        assert_eq!(got.status, 200, "{query}: {:?}", got.json());
        got.json().as_array().unwrap().iter().map(|one| one["vm_uuid"].as_str().unwrap().to_owned()).collect()
    };
    for step in ["begin", "sync", "switch"] {
        act(&emulator, WEB1, step).await;
        later(&emulator, 5000);
    }
    act(&emulator, BUILD, "begin").await;
    let raw = get(&emulator, "vmapi", &format!("/migrations/{WEB1}?format=raw")).await.json();
    let (from, to) = (raw["source_server_uuid"].as_str().unwrap(), raw["target_server_uuid"].as_str().unwrap());
    assert_eq!(list("").await, [BUILD, WEB1], "newest first");
    assert_eq!(list("state=active").await, [BUILD, WEB1], "it is no state");
    assert_eq!(list("state=successful").await, [WEB1]);
    assert_eq!(list("state=running").await, [BUILD]);
    assert_eq!(list("state=paused").await, [""; 0]);
    assert_eq!(list("limit=1").await, [BUILD]);
    assert_eq!(list("limit=1&offset=1").await, [WEB1]);
    assert_eq!(list(&format!("vm_uuid={WEB1}&owner_uuid={ACME}")).await, [WEB1]);
    assert_eq!(list(&format!("owner_uuid={GLOBEX}")).await, [""; 0]);
    assert_eq!(list(&format!("target_server_uuid={to}")).await, [WEB1]);
    assert!(list(&format!("source_server_uuid={from}")).await.contains(&WEB1.to_owned()));
    assert!(list(&format!("source_server_uuid={to}")).await.contains(&WEB1.to_owned()), "it has moved there");
    for (query, field) in [("state=odd", "state"), ("limit=0", "limit"), ("offset=-1", "offset")] {
        let got = get(&emulator, "vmapi", &format!("/migrations?{query}")).await;
        assert_eq!((got.status, errors(&got)), (409, vec![(field.to_owned(), "Invalid".to_owned())]), "{query}");
    }
}

#[tokio::test]
async fn a_record_has_more_fields_when_it_is_asked_for_raw() {
    let emulator = start().await;
    let server = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["server_uuid"].clone();
    act(&emulator, WEB1, "begin").await;
    later(&emulator, 1000);
    act(&emulator, WEB1, "sync").await;
    later(&emulator, 5000);
    let path = format!("/migrations/{WEB1}");
    let public = get(&emulator, "vmapi", &path).await.json();
    assert!(public.get("source_server_uuid").is_none() && public.get("machine").is_none());
    let raw = get(&emulator, "vmapi", &format!("{path}?format=raw")).await.json();
    assert_eq!(
        (&raw["vm_uuid"], &raw["owner_uuid"], &raw["source_server_uuid"], &raw["num_sync_phases"]),
        (&json!(WEB1), &json!(ACME), &server, &json!(1))
    );
    assert!(raw["target_server_uuid"].is_string() && raw["target_server_uuid"] != server);
    assert!(raw["id"].is_string() && raw["duration_ms"].is_u64());
    assert_eq!(get(&emulator, "vmapi", "/migrations?format=raw").await.json(), json!([raw]));
    act(&emulator, WEB1, "switch").await;
    later(&emulator, 1000);
    let moved = get(&emulator, "vmapi", &format!("{path}?format=raw")).await.json();
    let servers = |record: &Value| (record["source_server_uuid"].clone(), record["target_server_uuid"].clone());
    assert_eq!(servers(&moved), servers(&raw), "a switch does not change where it leads");
}

#[tokio::test]
async fn a_watch_reports_what_happens_until_the_step_is_over() {
    let emulator = start().await;
    act(&emulator, WEB1, "begin").await;
    later(&emulator, 1000);
    act(&emulator, WEB1, "sync").await;
    let path = format!("/migrations/{WEB1}/watch");
    let mut watch = std::pin::pin!(send(&emulator, "vmapi", "GET", &path, &[], ""));
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), watch.as_mut()).await;
    assert!(early.is_err(), "the watch ended while the sync runs");
    later(&emulator, 5000);
    let got = watch.await;
    assert_eq!(got.status, 200);
    let text = String::from_utf8(got.body).unwrap();
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let events: Vec<&Value> = events.iter().filter(|event| event.is_object()).collect();
    assert!(events.iter().all(|event| event.get("machine").is_none()));
    assert_eq!((&events[0]["type"], &events[0]["phase"]), (&json!("progress"), &json!("sync")));
    let end = json!({ "type": "end", "phase": "sync", "state": "paused" });
    assert_eq!(events.last(), Some(&&end));
    let over = send(&emulator, "vmapi", "GET", &path, &[], "").await;
    assert!(String::from_utf8(over.body).unwrap().contains(&end.to_string()));
    assert_eq!(get(&emulator, "vmapi", &format!("/migrations/{BUILD}/watch")).await.status, 404);
}
