//! Faults that are planted, and the way in for other processes.

use std::time::{Duration, Instant};

use serde_json::json;

use super::ssh_keygen_interop::{authorization, delete, get, http_date, post, raw, send, signed, stepped};

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
async fn each_request_tells_which_faults_struck_it() {
    let emulator = stepped().await;
    for fault in ["* delay=1ms", "GET /keys status=503 times=1"] {
        emulator.add_fault(fault.parse().unwrap());
    }
    get(&emulator, "/acme/keys").await;
    get(&emulator, "/acme/keys").await;
    emulator.clear_faults();
    get(&emulator, "/acme/keys").await;
    let seen: Vec<Vec<String>> = emulator.requests().into_iter().map(|seen| seen.faults).collect();
    assert_eq!(seen, [vec!["GET /keys status=503 times=1", "* delay=1ms"], vec!["* delay=1ms"], vec![]]);
    let rows = send(&emulator, "GET", "/--emulator/requests", &[], "").await.json();
    assert_eq!(rows[1]["faults"], json!(["* delay=1ms"]));
    // How much there was to spoil is told too, whatever came of it.
    emulator.add_fault("GET /keys empty times=1".parse().unwrap());
    assert_eq!(get(&emulator, "/acme/keys").await.body.len(), 0);
    let whole = get(&emulator, "/acme/keys").await.body.len();
    let bytes: Vec<usize> = emulator.requests().iter().rev().take(2).map(|seen| seen.bytes).collect();
    assert_eq!(bytes, [whole, whole]);
}

#[tokio::test]
async fn other_processes_see_everything_as_it_is_by_now() {
    let emulator = stepped().await;
    post(&emulator, &format!("{WEB1}?action=stop"), &json!({})).await;
    let look = async || send(&emulator, "GET", "/--emulator/state", &[], "").await.json();
    let state = |books: &serde_json::Value| {
        let id = WEB1.rsplit('/').next();
        let row = books["machines"].as_array().unwrap().iter().find(|row| row["id"].as_str() == id);
        row.unwrap()["state"].as_str().unwrap().to_owned()
    };
    let books = look().await;
    assert_eq!((state(&books).as_str(), books["jobs"].as_array().unwrap().len()), ("stopping", 1));
    emulator.clock().advance(Duration::from_secs(600));
    let books = look().await;
    assert_eq!((state(&books).as_str(), &books["jobs"]), ("stopped", &json!([])));
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

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

#[tokio::test]
async fn json_is_cut_or_of_another_type_and_the_length_is_right() {
    let emulator = stepped().await;
    let whole = raw(&emulator, &bytes(&emulator, "GET", "/acme/machines")).await.unwrap().body;
    emulator.add_fault("GET /machines json=cut times=1".parse().unwrap());
    let got = raw(&emulator, &bytes(&emulator, "GET", "/acme/machines")).await.unwrap();
    assert_eq!(got.header("Content-Length").unwrap(), (whole.len() / 2).to_string());
    assert_eq!(got.body, whole[..whole.len() / 2]);
    emulator.add_fault("json=wrong".parse().unwrap());
    assert!(get(&emulator, "/acme/machines").await.json().is_object());
    assert!(get(&emulator, WEB1).await.json().is_array());
}

#[tokio::test]
async fn the_length_that_is_said_is_more_or_less_than_what_comes() {
    let emulator = stepped().await;
    let whole = raw(&emulator, &bytes(&emulator, "GET", WEB1)).await.unwrap().body;
    for (off, comes) in [(5, whole.len()), (-5, whole.len() - 5)] {
        emulator.clear_faults();
        emulator.add_fault(format!("length={off:+}").parse().unwrap());
        let got = raw(&emulator, &bytes(&emulator, "GET", WEB1)).await.unwrap();
        let said: i64 = got.header("Content-Length").unwrap().parse().unwrap();
        assert_eq!((said - whole.len() as i64, got.body.len()), (off, comes));
    }
}

#[tokio::test]
async fn a_body_drips_and_still_comes_whole() {
    let emulator = stepped().await;
    let whole = get(&emulator, "/acme/keys").await.body;
    let rate = whole.len() * 2;
    emulator.add_fault(format!("drip={rate}").parse().unwrap());
    let began = Instant::now();
    assert_eq!(get(&emulator, "/acme/keys").await.body, whole);
    assert!(began.elapsed() >= Duration::from_millis(300), "it came at once");
}

#[tokio::test]
async fn a_page_comes_twice_or_shifted_but_never_the_first_one() {
    let emulator = stepped().await;
    let page = async |offset: usize| -> Vec<String> {
        let rows = get(&emulator, &format!("/acme/machines?limit=2&offset={offset}")).await.json();
        rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let right = [page(0).await, page(1).await, page(2).await, page(3).await];
    for (fault, wanted) in [("pages=twice", 0), ("pages=+1", 3), ("pages=-1", 1)] {
        emulator.clear_faults();
        emulator.add_fault(format!("GET /machines {fault}").parse().unwrap());
        assert_eq!(page(2).await, right[wanted], "{fault}");
        assert_eq!(page(0).await, right[0], "{fault}");
    }
}

#[tokio::test]
async fn an_action_fails_in_silence() {
    let emulator = stepped().await;
    let audit = async || get(&emulator, &format!("{WEB1}/audit")).await.json().as_array().unwrap().len();
    let before = audit().await;
    emulator.add_fault("POST /machines/* silent times=1".parse().unwrap());
    assert_eq!(post(&emulator, &format!("{WEB1}?action=stop"), &json!({})).await.status, 202);
    emulator.clock().advance(Duration::from_secs(600));
    assert_eq!(get(&emulator, WEB1).await.json()["state"], "running");
    assert_eq!(audit().await, before);
}

#[tokio::test]
async fn a_machine_vanishes_and_the_books_forget_it_while_a_deleted_one_stays_in_them() {
    let emulator = stepped().await;
    let image = "/acme/images?name=base-64";
    let image = get(&emulator, image).await.json()[0]["id"].clone();
    let body = json!({ "name": "ghost", "image": image, "package": "g1-small" });
    emulator.add_fault("POST /machines vanish times=1".parse().unwrap());
    let made = post(&emulator, "/acme/machines", &body).await;
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(get(&emulator, &format!("/acme/machines/{id}")).await.status, 404);
    let kept = post(&emulator, "/acme/machines", &body).await.json()["id"].as_str().unwrap().to_owned();
    emulator.clock().advance(Duration::from_secs(600));
    assert_eq!(delete(&emulator, &format!("/acme/machines/{kept}")).await.status, 204);
    emulator.clock().advance(Duration::from_secs(600));
    let books = get(&emulator, "/--emulator/machines").await.json();
    let row = |id: &str| books.as_array().unwrap().iter().find(|row| row["id"] == id).cloned();
    assert_eq!(row(&id), None);
    let kept = row(&kept).unwrap();
    assert_eq!((&kept["state"], &kept["name"], &kept["account"]), (&json!("deleted"), &json!("ghost"), &json!("acme")));
}

#[tokio::test]
async fn the_limit_of_requests_is_switched_on_and_off_while_it_runs() {
    let emulator = stepped().await;
    let refused = async || {
        // All at once: on a busy machine the limit would refill between them.
        let answers = futures_util::future::join_all((0..40).map(|_| get(&emulator, "/acme/keys"))).await;
        answers.iter().filter(|answer| answer.status == 429).count()
    };
    assert_eq!(refused().await, 0);
    emulator.add_fault("throttle=on".parse().unwrap());
    assert!(refused().await > 0);
    emulator.add_fault("throttle=2".parse().unwrap());
    // More than the usual limit, which lets at least thirty pass.
    assert!(refused().await > 10);
    emulator.add_fault("throttle=off".parse().unwrap());
    assert_eq!(refused().await, 0);
}
