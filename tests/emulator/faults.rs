//! Faults that are planted, and the way in for other processes.

use std::time::{Duration, Instant};

use serde_json::json;

use super::peer::{authorization, get, http_date, post, raw, send, signed, stepped};

/// A signed request as bytes.
fn bytes(emulator: &sdc::emulator::Emulator, method: &str, target: &str) -> Vec<u8> {
    let date = http_date(0);
    let authorization = authorization(emulator, &date);
    format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nDate: {date}\r\n\
         Authorization: {authorization}\r\n\r\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn a_planted_status_is_answered_as_often_as_it_was_planted() {
    let emulator = stepped().await;
    emulator.add_fault("GET /machines status=503 retry-after=1 times=2".parse().unwrap());
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&emulator, "/acme/machines").await.status);
    }
    assert_eq!(statuses, [503, 503, 200]);
    emulator.add_fault("/keys status=429".parse().unwrap());
    let got = get(&emulator, "/acme/keys").await;
    assert_eq!((got.status, got.code().as_str()), (429, "TooManyRequestsError"));
    emulator.clear_faults();
    assert_eq!(get(&emulator, "/acme/keys").await.status, 200);
}

#[tokio::test]
async fn a_connection_is_dropped_before_amid_or_after_the_work() {
    let emulator = stepped().await;
    let web1 = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    emulator.add_fault("POST /machines/* drop=before times=1".parse().unwrap());
    assert!(raw(&emulator, &bytes(&emulator, "POST", &format!("{web1}?action=stop"))).await.is_none());
    assert_eq!(get(&emulator, web1).await.json()["state"], "running");
    emulator.add_fault("POST /machines/* drop=after times=1".parse().unwrap());
    assert!(raw(&emulator, &bytes(&emulator, "POST", &format!("{web1}?action=stop"))).await.is_none());
    assert_eq!(get(&emulator, web1).await.json()["state"], "stopping");
    emulator.add_fault("GET /machines drop=amid times=1".parse().unwrap());
    let got = raw(&emulator, &bytes(&emulator, "GET", "/acme/machines")).await.unwrap();
    let length: usize = got.header("Content-Length").unwrap().parse().unwrap();
    assert_eq!((got.status, got.body.len()), (200, length / 2));
    let statuses: Vec<u16> = emulator.requests().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [0, 200, 0, 200, 200]);
}

#[tokio::test]
async fn a_body_is_cut_short_or_missing_or_no_json_or_huge() {
    let emulator = stepped().await;
    emulator.add_fault("GET /machines cut=7 times=1".parse().unwrap());
    assert_eq!(raw(&emulator, &bytes(&emulator, "GET", "/acme/machines")).await.unwrap().body.len(), 7);
    emulator.add_fault("GET /machines empty times=1".parse().unwrap());
    let got = get(&emulator, "/acme/machines").await;
    assert_eq!((got.status, got.body.len()), (204, 0));
    emulator.add_fault("GET /machines html times=1".parse().unwrap());
    let got = get(&emulator, "/acme/machines").await;
    assert_eq!((got.status, got.header("Content-Type").as_deref()), (502, Some("text/html")));
    emulator.add_fault("GET /machines big=3000000 times=1".parse().unwrap());
    let got = get(&emulator, "/acme/machines").await;
    assert!(got.status == 500 && got.body.len() > 3_000_000);
}

#[tokio::test]
async fn a_delay_is_waited_for_and_a_hang_never_ends() {
    let emulator = stepped().await;
    emulator.add_fault("GET /keys delay=300ms times=1".parse().unwrap());
    let began = Instant::now();
    assert_eq!(get(&emulator, "/acme/keys").await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(300));
    emulator.add_fault("GET /keys hang times=1".parse().unwrap());
    let answer = tokio::time::timeout(Duration::from_millis(300), get(&emulator, "/acme/keys")).await;
    assert!(answer.is_err());
    // And it does not keep the emulator from ending.
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn work_can_be_made_to_fail() {
    let emulator = stepped().await;
    emulator.add_fault("POST /machines fail times=1".parse().unwrap());
    let ask = json!({ "image": "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02", "package": "g1-small" });
    let id = post(&emulator, "/acme/machines", &ask).await.json()["id"].as_str().unwrap().to_owned();
    emulator.clock().advance(Duration::from_secs(3));
    let path = format!("/acme/machines/{id}");
    assert_eq!(get(&emulator, &path).await.json()["state"], "failed");
    assert_eq!(get(&emulator, &format!("{path}/audit")).await.json()[0]["success"], "no");
}

#[tokio::test]
async fn a_server_whose_clock_is_wrong_refuses_good_signatures_and_tells_its_time() {
    let emulator = stepped().await;
    emulator.add_fault("clock=+3600s".parse().unwrap());
    let got = get(&emulator, "/acme").await;
    assert_eq!((got.status, got.code().as_str()), (400, "InvalidHeader"));
    let date = httpdate::parse_http_date(&got.header("Date").unwrap()).unwrap();
    assert!(date.duration_since(std::time::SystemTime::now()).unwrap() > Duration::from_secs(3500));
    emulator.clock().set_offset(0);
    assert_eq!(get(&emulator, "/acme").await.status, 200);
}

#[tokio::test]
async fn what_was_seen_is_told_with_who_signed_it() {
    let emulator = stepped().await;
    get(&emulator, "/acme/keys?x=1").await;
    send(&emulator, "GET", "/acme/keys", &[], "").await;
    let seen = emulator.requests();
    assert_eq!((seen[0].method.as_str(), seen[0].path_and_query.as_str()), ("GET", "/acme/keys?x=1"));
    assert_eq!((seen[0].status, seen[1].status), (200, 401));
    assert_eq!(seen[0].signed_by.as_deref(), Some(format!("/acme/keys/{}", emulator.key_id()).as_str()));
    assert_eq!(seen[1].signed_by, None);
}

#[tokio::test]
async fn other_processes_have_a_way_in_that_is_not_counted() {
    let emulator = stepped().await;
    let web1 = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    signed(&emulator, "POST", &format!("{web1}?action=stop"), &[], "").await;
    let got = send(&emulator, "POST", "/--emulator/clock", &[], "{\"advance\":\"10s\"}").await;
    assert_eq!(got.status, 200);
    assert_eq!(get(&emulator, web1).await.json()["state"], "stopped");
    let fault = "{\"fault\":\"/keys status=500\"}";
    assert_eq!(send(&emulator, "POST", "/--emulator/faults", &[], fault).await.status, 204);
    assert_eq!(get(&emulator, "/acme/keys").await.status, 500);
    let got = send(&emulator, "POST", "/--emulator/faults", &[], "{\"fault\":\"stats=1\"}").await;
    assert!(got.status == 400 && got.message().contains("stats=1"));
    let rows = send(&emulator, "GET", "/--emulator/requests", &[], "").await.json();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert_eq!(emulator.requests().len(), 3);
}
