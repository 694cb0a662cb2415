//! A job that nobody tells of any longer: it is asked for for a minute, and then the wait gives up. The minute passes
//! faster here than on the wall.

use std::time::Duration;

use sdc::api::admin::{VMAPI, WORKFLOW, vmapi, workflow};
use sdc::client::{Time, Wait, Whence};
use sdc::error::Kind;
use sdc::request::Args;
use sdc::{Client, Error};

use super::script::Script;
use super::{J, V, filled};

/// Lets a second pass for every few milliseconds, in which an answer of this machine comes, until the work is done; and
/// returns how many passed.
async fn hastened<T>(work: impl Future<Output = T>) -> (T, u64) {
    tokio::time::pause();
    // As long as this lasts, time passes only where it is told to.
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let held = tokio::task::spawn_blocking(move || _ = ends.recv());
    let begun = tokio::time::Instant::now();
    let passes = async {
        loop {
            let _ = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(15))).await;
            tokio::time::advance(Duration::from_millis(500)).await;
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = passes => unreachable!(),
    };
    drop(end);
    let _ = held.await;
    let passed = begun.elapsed().as_secs();
    tokio::time::resume();
    (done, passed)
}

fn client(service: &'static sdc::api::Service, script: &Script) -> Client {
    Client::builder().service(service).url(format!("http://{}", script.address)).build().unwrap()
}

#[track_caller]
fn given_up(error: &Error, seconds: u64, what: &str) {
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.message().contains("has not been seen for 60s, and may go on"), "{error}");
    assert!((60..80).contains(&seconds), "{what}: {seconds} s");
}

#[tokio::test]
async fn a_job_that_cannot_be_asked_for_is_tried_for_a_minute() {
    let running = r#"GET /jobs/$J -> 200 {"uuid":"$J","name":"stop-7.0.8","execution":"running","params":{}}"#;
    for lost in [
        r#"* GET /jobs/$J -> 500 {"code":"InternalError","message":"moray is away"}"#,
        r#"* GET /jobs/$J -> 503 {"code":"ServiceUnavailable","message":"not yet"}"#,
        // It has shown the job itself.
        r#"* GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#,
        "* GET /jobs/$J -> 502 <html>",
    ] {
        let script = Script::new(&filled(&format!("{running}\n{lost}")));
        let client = client(&WORKFLOW, &script);
        let wait = client.end_of_job(&workflow::GET, J, Time::new(Duration::from_secs(3900)), |_| {});
        let (ended, seconds) = hastened(wait).await;
        given_up(&ended.unwrap_err(), seconds, lost);
    }
}

#[tokio::test]
async fn a_job_that_was_never_seen_is_tried_for_a_minute_where_its_service_has_named_it() {
    let gone = r#"* GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let script = Script::new(&filled(gone));
    let client = client(&WORKFLOW, &script);
    let time = Time::new(Duration::from_secs(3900));
    for whence in [Whence::Named, Whence::Resumed] {
        let wait = client.watch_job((&workflow::GET, J, whence), time, |_| {}, |_| Ok(()));
        let (ended, seconds) = hastened(wait).await;
        given_up(&ended.unwrap_err(), seconds, gone);
    }
    let error = client.watch_job((&workflow::GET, J, Whence::Typed), time, |_| {}, |_| Ok(())).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_job_that_comes_back_within_the_minute_is_waited_for() {
    let down = r#"GET /jobs/$J -> 500 {"code":"InternalError","message":"moray is away"}"#;
    let ended = r#"GET /jobs/$J -> 200 {"uuid":"$J","name":"stop-7.0.8","execution":"succeeded","params":{}}"#;
    let script = Script::new(&filled(&[[down; 8].join("\n").as_str(), ended].join("\n")));
    let client = client(&WORKFLOW, &script);
    let wait = client.end_of_job(&workflow::GET, J, Time::new(Duration::from_secs(3900)), |_| {});
    let (end, seconds) = hastened(wait).await;
    assert_eq!(end.unwrap().fault, None);
    assert!((10..60).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_change_whose_job_is_lost_is_given_up_after_a_minute_too() {
    for lost in [
        r#"* GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#,
        r#"* GET /jobs/$J -> 500 {"code":"InternalError","message":"moray is away"}"#,
    ] {
        for vm in [
            r#"* GET /vms/$V -> 200 {"uuid":"$V","alias":"web0","state":"running"}"#,
            r#"* GET /vms/$V -> 500 {"code":"InternalError","message":"moray is away"}"#,
        ] {
            let script = Script::new(&filled(&format!("{lost}\n{vm}")));
            let client = client(&VMAPI, &script);
            let mut before = sdc::client::Before::default();
            before.job = Some(J.to_owned());
            let time = Time::new(Duration::from_secs(3900));
            let args = Args::new().set("vm", V);
            let wait = Wait { op: &vmapi::STOP, args, name: "web0", since: None, before, state: None, time };
            let (ended, seconds) = hastened(client.wait(wait, |_| {})).await;
            given_up(&ended.unwrap_err(), seconds, lost);
        }
    }
}
