//! Refusals that pass, those that do not, a job that is queued already, and answers that take long.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// The program against a service that answers so, by its variable.
fn asked(variable: &str, lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&filled(lines));
    let said = admin(home.path(), &[(variable, &script.address)], &filled(words));
    (said, script)
}

const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;

#[test]
fn a_refusal_that_passes_is_sent_again_soon() {
    for refusal in [
        r#"500 {"code":"InternalError","message":"deadlock detected"}"#,
        r#"409 {"code":"EtagConflictError","message":"vmapi_vms has changed"}"#,
        r#"503 {"code":"ServiceUnavailableError","message":"Server is still initializing"}"#,
        r#"500 {"code":"InternalError","message":"Initial network data not loaded"}"#,
    ] {
        let line = format!("POST /vms/$V?action=stop -> {refusal}\nPOST /vms/$V?action=stop -> {TAKEN}");
        let (said, vmapi) = asked("VMAPI_URL", &line, "vms stop $V");
        said.well();
        assert_eq!(vmapi.lines().len(), 2, "{refusal}");
    }
    let initializing = r#"503 {"code":"ServiceUnavailableError","message":"Server is still initializing"}"#;
    let list = "GET /networks?limit=1000";
    let (said, napi) = asked("NAPI_URL", &format!("{list} -> {initializing}\n{list} -> 200 []"), "networks list");
    said.well();
    assert_eq!(napi.lines().len(), 2);
}

#[test]
fn it_is_sent_so_often_only_and_what_is_wrong_with_a_request_never_again() {
    let line = r#"* POST /vms/$V?action=stop -> 500 {"code":"InternalError","message":"deadlock detected"}"#;
    let (said, vmapi) = asked("VMAPI_URL", line, "vms stop $V --request-timeout 1");
    assert!(said.failed(1).contains("deadlock detected"));
    let many = vmapi.lines().len();
    assert!((2..=6).contains(&many), "{many}");
    for refusal in [
        r#"409 {"code":"ValidationFailed","message":"deadlock detected","errors":[{"field":"alias","code":"Invalid"}]}"#,
        r#"422 {"code":"InvalidParameters","message":"etag conflict","errors":[{"field":"ip","code":"UsedBy"}]}"#,
        r#"412 {"code":"PreconditionFailed","message":"if-match 'A' didn't match etag 'B'"}"#,
        r#"409 {"code":"UnallocatedVM","message":"Cannot call stop for a VM that has not been provisioned yet"}"#,
    ] {
        let (said, vmapi) = asked("VMAPI_URL", &format!("POST /vms/$V?action=stop -> {refusal}"), "vms stop $V");
        said.failed(5);
        assert_eq!(vmapi.lines().len(), 1, "{refusal}");
    }
}

#[test]
fn a_job_that_is_queued_already_is_named_and_a_wait_joins_it() {
    let job = |execution: &str| {
        format!(
            r#"{{"uuid":"$J","name":"stop-7.0.8","execution":"{execution}","params":{{"task":"stop","vm_uuid":"$V"}},"chain_results":[]}}"#
        )
    };
    let refused = format!(
        r#"POST /vms/$V?action=stop -> 409 {{"code":"InvalidArgument","message":"Another job with the same target and params is already queued"}}
        GET /vms/$V/jobs -> 200 [{{"uuid":"$K","execution":"succeeded","params":{{"task":"stop"}}}},{}]"#,
        job("queued")
    );
    let (said, vmapi) = asked("VMAPI_URL", &refused, "vms stop $V");
    let words = said.failed(5);
    assert!(words.contains(&filled("hint: that job: sdc admin vms job $J")), "{words}");
    vmapi.done();
    let waits = format!(
        "{refused}\nGET /jobs/$J -> 200 {}\nGET /vms/$V -> 200 {{\"uuid\":\"$V\",\"state\":\"stopped\"}}",
        job("succeeded")
    );
    let (said, vmapi) = asked("VMAPI_URL", &waits, "vms stop $V --wait");
    assert!(said.err.contains(&filled("joins the job $J that is queued already")), "{said:?}");
    said.well();
    vmapi.done();
}

#[test]
fn a_limit_that_is_said_counts_for_answers_that_take_long_by_their_nature_too() {
    let found = r#"* GET /instances/$V -> 200 {"uuid":"$V","service_uuid":"$W"}"#;
    let lines = format!(
        "{found}\nDELETE /instances/$V -> 204@1500\nPUT /instances/$V/upgrade {{\"image_uuid\":\"$W\"}} -> 200@1500 {{\"uuid\":\"$V\"}}"
    );
    for words in ["instances delete $V --yes", "instances upgrade $V $W --yes"] {
        let words = asked("SAPI_URL", &lines, &format!("{words} --request-timeout 1")).0.failed(6);
        assert!(words.contains("did not answer within 1s"), "{words}");
    }
}
