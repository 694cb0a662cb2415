//! Waits for a change whose job is retried: workflow knows the attempts.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

const WRONG: &str = r#"{"name":"cnapi.wait_task","result":"","error":{"message":"no space"}}"#;
const SERVERS: &str = "* GET /servers?extras=last_heartbeat&limit=1000 -> 200 []";

fn job(id: &str, task: &str, execution: &str, more: &str) -> String {
    format!(
        r#"{{"uuid":"{id}","execution":"{execution}","created_at":"2026-03-02T11:00:00.000Z","params":{{"task":"{task}","vm_uuid":"$V"}},"chain_results":[{WRONG}]{more}}}"#
    )
}

fn vm(state: &str) -> String {
    format!(r#"{{"uuid":"$V","alias":"web0","owner_uuid":"$A","state":"{state}","server_uuid":"$CN"}}"#)
}

/// The program against VMAPI and workflow, which answer so.
fn asked(vmapi: &str, workflow: &str, words: &str) -> (Said, [Script; 2]) {
    let home = tempfile::tempdir().unwrap();
    let [vmapi, workflow, cnapi] = [vmapi, workflow, SERVERS].map(|lines| Script::new(&filled(lines)));
    let vars = [("VMAPI_URL", &*vmapi.address), ("WORKFLOW_URL", &*workflow.address), ("CNAPI_URL", &*cnapi.address)];
    let said = admin(home.path(), &vars, &filled(words));
    (said, [vmapi, workflow])
}

const STOP: &str = r#"POST /vms/$V?action=stop -> 202 {"vm_uuid":"$V","job_uuid":"$J"}"#;

#[test]
fn a_last_attempt_says_what_it_has_failed_with_and_which_job_it_is() {
    let last = job("$J", "stop", "retried", "");
    let (said, _) = asked(
        &format!("{STOP}\n* GET /jobs/$J -> 200 {last}\n* GET /vms/$V -> 200 {}", vm("running")),
        &format!("* GET /jobs/$J -> 200 {last}\n* GET /jobs?limit=100&vm_uuid=$V -> 200 [{last}]"),
        "vms stop $V --wait",
    );
    let words = said.failed(8);
    for due in [
        "was retried as often as it may be, and failed in cnapi.wait_task: no space",
        "its job: sdc admin vms job $J",
        // For ten seconds.
        "running, job retried",
    ] {
        assert!(words.contains(&filled(due)), "{due}: {words}");
    }
}

#[test]
fn a_deletion_is_over_when_the_vm_is_destroyed_though_its_last_attempt_failed() {
    let last = job("$J", "destroy", "retried", "");
    let (said, _) = asked(
        &format!(
            "GET /vms/$V -> 200 {}
            DELETE /vms/$V -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            * GET /jobs/$J -> 200 {last}
            * GET /vms/$V -> 200 {}
            * GET /vms/$V/jobs -> 200 [{last}]",
            vm("running"),
            vm("destroyed")
        ),
        &format!("* GET /jobs/$J -> 200 {last}\n* GET /jobs?limit=100&vm_uuid=$V -> 200 [{last}]"),
        "vms delete $V --wait --yes",
    );
    said.well();
}

#[test]
fn attempts_that_follow_one_another_in_a_circle_are_not_asked_for_without_a_pause() {
    let (first, second) = (job("$J", "stop", "retried", ""), job("$K", "stop", "retried", ""));
    let told =
        |job: &str, next: &str| job.replace(r#","execution""#, &format!(r#","next_attempt":"{next}","execution""#));
    let (said, scripts) = asked(
        &format!(
            "{STOP}\n* GET /jobs/$J -> 200 {first}\n* GET /jobs/$K -> 200 {second}\n* GET /vms/$V -> 200 {}",
            vm("running")
        ),
        &format!(
            "* GET /jobs/$J -> 200 {}\n* GET /jobs/$K -> 200 {}\n* GET /jobs?limit=100&vm_uuid=$V -> 200 []",
            told(&first, "$K"),
            told(&second, "$J")
        ),
        "vms stop $V --wait --timeout 3s",
    );
    let words = said.failed(9);
    assert!(words.contains("is still running, job retried after 3s"), "{words}");
    for script in scripts {
        let asked = script.lines().iter().filter(|line| line.contains("/jobs/")).count();
        assert!(asked <= 16, "{asked} times in 3 s");
    }
}
