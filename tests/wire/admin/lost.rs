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

/// A wait for this operation on the VM, whose job is `J`.
fn of_vm(op: &'static sdc::api::Op) -> Wait<'static> {
    let mut before = sdc::client::Before::default();
    before.job = Some(J.to_owned());
    let time = Time::new(Duration::from_secs(3900));
    Wait { op, args: Args::new().set("vm", V), name: "web0", since: None, before, state: None, time }
}

#[tokio::test]
async fn a_vm_may_be_shown_half_a_minute_after_its_job_has_succeeded_and_is_not_gone_after_it() {
    let ended = r#"* GET /jobs/$J -> 200 {"uuid":"$J","name":"provision-8.2.4","execution":"succeeded","params":{}}"#;
    let gone = r#"* GET /vms/$V -> 404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    let script = Script::new(&filled(&format!("{ended}\n{gone}")));
    let (end, seconds) = hastened(client(&VMAPI, &script).wait(of_vm(&vmapi::CREATE), |_| {})).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut, "{error}");
    assert!(error.message().contains("VM web0 has not been seen 30s after its job has succeeded"), "{error}");
    let hints: Vec<String> = error.hints().iter().map(ToString::to_string).collect();
    assert!(hints.iter().any(|hint| hint.ends_with(&filled("admin vms get $V"))), "{hints:?}");
    assert!((30..50).contains(&seconds), "{seconds} s");
    let late = gone.trim_start_matches("* ");
    let seen = r#"GET /vms/$V -> 200 {"uuid":"$V","alias":"web0","state":"running"}"#;
    let script = Script::new(&filled(&format!("{ended}\n{}\n{seen}", [late; 9].join("\n"))));
    let (end, _) = hastened(client(&VMAPI, &script).wait(of_vm(&vmapi::CREATE), |_| {})).await;
    assert!(end.unwrap().first().is_some());
    script.done();
}

#[tokio::test]
async fn a_vm_that_is_as_it_was_to_be_tells_the_end_of_a_change_whose_job_its_service_has_not() {
    let missing = r#"* GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let away = r#"* GET /jobs/$J -> 500 {"code":"InternalError","message":"moray is away"}"#;
    let vm = |state: &str| format!(r#"* GET /vms/$V -> 200 {{"uuid":"$V","alias":"web0","state":"{state}"}}"#);
    let ended = async |op, job: &str, state: &str| {
        let script = Script::new(&filled(&format!("{job}\n{}", vm(state))));
        let mut told = Vec::new();
        let (end, seconds) =
            hastened(client(&VMAPI, &script).wait(of_vm(op), |words| told.push(words.to_owned()))).await;
        assert!((60..80).contains(&seconds), "{job}: {seconds} s");
        (end, told)
    };
    let (end, told) = ended(&vmapi::STOP, missing, "stopped").await;
    assert_eq!(end.unwrap().first().unwrap().text("/state").unwrap(), "stopped");
    assert_eq!(told.last().unwrap(), &filled("stopped; its job $J is not there"));
    for (op, job, state, due) in [
        (&vmapi::STOP, away, "stopped", "VM web0 is stopped, as it was to be: the job $J has not been seen"),
        (&vmapi::STOP, missing, "running", "VM web0 is running: the job $J has not been seen"),
        // It ran before.
        (&vmapi::REBOOT, missing, "running", "VM web0 is running: the job $J has not been seen"),
    ] {
        let error = ended(op, job, state).await.0.unwrap_err();
        given_up(&error, 60, state);
        assert!(error.message().starts_with(&filled(due)), "{error}");
    }
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
            let (ended, seconds) = hastened(client.wait(of_vm(&vmapi::STOP), |_| {})).await;
            given_up(&ended.unwrap_err(), seconds, lost);
        }
    }
}

#[tokio::test]
async fn a_vm_that_is_hidden_for_a_while_is_not_taken_for_gone() {
    let job = |how: &str| format!(r#"* GET /jobs/$J -> 200 {{"uuid":"$J","execution":"{how}","params":{{}}}}"#);
    let no_job = r#"* GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let hidden = r#"GET /vms/$V -> 404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    let shown = |state: &str| format!(r#"GET /vms/$V -> 200 {{"uuid":"$V","alias":"web0","state":"{state}"}}"#);
    let ended = async |lines: String| {
        let script = Script::new(&filled(&lines));
        hastened(client(&VMAPI, &script).wait(of_vm(&vmapi::STOP), |_| {})).await
    };
    let begun = [hidden; 6].join("\n");
    let (end, _) = ended(format!("{}\n{begun}\n* {}", job("succeeded"), shown("stopped"))).await;
    assert_eq!(end.unwrap().first().unwrap().text("/state").unwrap(), "stopped");
    // Amid it too.
    let (end, _) = ended(format!("{}\n{}\n{begun}\n* {}", job("succeeded"), shown("running"), shown("stopped"))).await;
    end.unwrap();
    for (job, seen, kind, seconds, due) in [
        (&*job("running"), "", Kind::TimedOut, 30, "VM web0 has not been seen for 30s, and its job $J is running"),
        (&*job("succeeded"), "", Kind::TimedOut, 30, "VM web0 has not been seen 30s after its job has succeeded"),
        (no_job, "", Kind::Unreachable, 60, "VM web0 has not been seen: the job $J has not been seen for 60s"),
        (no_job, &*shown("running"), Kind::FailedState, 30, "VM web0 is not there any more, nor is its job $J"),
    ] {
        let (end, passed) = ended(format!("{job}\n{seen}\n* {hidden}")).await;
        let error = end.unwrap_err();
        assert_eq!(error.kind(), kind, "{due}: {error}");
        assert!(error.message().starts_with(&filled(due)), "{due}: {error}");
        assert!((seconds..seconds + 20).contains(&passed), "{due}: {passed} s");
    }
}
