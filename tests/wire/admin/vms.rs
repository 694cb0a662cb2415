//! VMs: what is sent, which one is meant, and when a change is over.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// The program against a VMAPI that answers so.
fn asked(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(&filled(lines));
    let said = admin(home.path(), &[("VMAPI_URL", &vmapi.address)], &filled(words));
    (said, vmapi)
}

fn vm(id: &str, alias: &str, owner: &str, state: &str) -> String {
    format!(
        r#"{{"uuid":"{id}","alias":"{alias}","owner_uuid":"{owner}","state":"{state}","server_uuid":"$CN","nics":[]}}"#
    )
}

fn job(id: &str, execution: &str, results: &str) -> String {
    format!(
        r#"{{"uuid":"{id}","name":"stop-7.0.8","execution":"{execution}","params":{{"task":"stop","vm_uuid":"$V"}},"created_at":"2026-03-02T11:00:00.000Z","chain_results":[{results}]}}"#
    )
}

const OK: &str = r#"{"name":"common.validate_params","result":"All parameters OK!","error":""}"#;
const WRONG: &str = r#"{"name":"common.ensure_vm_state","result":"","error":{"name":"Error","message":"Cannot stop a VM from a 'stopped' state"}}"#;

#[test]
fn a_name_is_the_one_active_vm_of_exactly_that_alias() {
    let (running, other) = (vm("$V", "web1", "$A", "running"), vm("$W", "web10", "$A", "running"));
    let (said, vmapi) = asked(
        &format!(
            "GET /vms?alias=web1&state=active&limit=1000 -> 200 [{running},{other}]
            POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}"
        ),
        "vms stop web1 -o job_uuid -H",
    );
    assert!(said.err.contains(&filled("VM web1 ($V): stop requested, job $J")), "{}", said.err);
    assert_eq!(said.well().trim(), filled("$J"));
    vmapi.done();
}

#[test]
fn vms_of_two_owners_with_one_alias_are_an_error_that_lists_both() {
    let (one, two) = (vm("$V", "web1", "$A", "running"), vm("$W", "web1", "$B", "running"));
    let (said, vmapi) =
        asked(&format!("GET /vms?alias=web1&state=active&limit=1000 -> 200 [{one},{two}]"), "vms stop web1");
    let words = said.failed(10);
    for id in ["$V", "$W", "$A", "$B"] {
        assert!(words.contains(&filled(id)), "{words}");
    }
    vmapi.done();
}

#[test]
fn an_alias_that_only_destroyed_vms_had_is_not_found_and_these_are_named() {
    let gone = vm("$V", "web1", "$A", "destroyed");
    let (said, vmapi) = asked(
        &format!(
            "* GET /vms?alias=web1&state=active&limit=1000 -> 200 []
            * GET /vms?state=active&limit=1000 -> 200 []
            GET /vms?alias=web1&predicate={{\"ne\":[\"state\",\"none\"]}}&limit=1000 -> 200 [{gone}]"
        ),
        "vms stop web1",
    );
    let words = said.failed(3);
    assert!(words.contains("VM web1 is destroyed"), "{words}");
    for hint in ["what is left of it: sdc admin vms get $V", "all of them: sdc admin vms list web1 state=destroyed"] {
        assert!(words.contains(&filled(&format!("hint: {hint}"))), "{hint}: {words}");
    }
    vmapi.done();
}

#[test]
fn lists_are_asked_by_what_the_service_knows_and_compared_again() {
    let rows = [vm("$V", "web1", "$A", "failed"), vm("$W", "web2", "$A", "running")].join(",");
    let (said, vmapi) = asked(
        &format!("GET /vms?predicate={{\"eq\":[\"state\",\"failed\"]}}&limit=1000 -> 200 [{rows}]"),
        "vms list --state failed -o ids",
    );
    assert_eq!(said.well().trim(), filled("$V"), "a row that does not fit is left out");
    vmapi.done();
    let (said, vmapi) = asked(
        &format!("GET /vms?alias=web&owner_uuid=$A&state=active&limit=1000 -> 200 [{rows}]"),
        "vms list 'alias=web*' owner=$A -H -o alias",
    );
    assert_eq!(said.well(), "web1\nweb2\n");
    vmapi.done();
    let (said, vmapi) =
        asked("GET /vms?predicate={\"ne\":[\"state\",\"none\"]}&limit=1000 -> 200 []", "vms list --all --count");
    assert_eq!(said.well(), "0\n");
    vmapi.done();
}

#[test]
fn a_long_list_is_read_by_markers() {
    let id = |n: usize| format!("{n:08x}-6e5f-4a3b-92c1-d0e1f2a3b4c5");
    let page = |from: usize, many: usize| {
        (from..from + many).map(|n| vm(&id(n), &format!("vm{n}"), "$A", "running")).collect::<Vec<_>>().join(",")
    };
    let (said, vmapi) = asked(
        &format!(
            "GET /vms?state=active&limit=1000 -> 200 [{}]
            GET /vms?state=active&limit=1000&marker={{\"uuid\":\"{}\"}} -> 200 [{}]",
            page(0, 1000),
            id(999),
            page(1000, 5)
        ),
        "vms list --count",
    );
    assert_eq!(said.well(), "1005\n");
    vmapi.done();
    // The same page again and again is no list.
    let (said, _) = asked(
        &format!(
            "* GET /vms?state=active&limit=1000 -> 200 [{}]
            * GET /vms?state=active&limit=1000&marker={{\"uuid\":\"{}\"}} -> 200 [{}]",
            page(0, 1000),
            id(999),
            page(0, 1000)
        ),
        "vms list --count",
    );
    assert!(said.failed(6).contains("same page"));
}

#[test]
fn a_wait_ends_when_the_job_has_succeeded_and_the_vm_shows_it() {
    let (running, stopped) = (vm("$V", "web1", "$A", "running"), vm("$V", "web1", "$A", "stopped"));
    let (said, vmapi) = asked(
        &format!(
            "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            GET /jobs/$J -> 200 {}
            GET /vms/$V -> 200 {running}
            GET /jobs/$J -> 200 {}
            GET /vms/$V -> 200 {stopped}
            GET /jobs/$J -> 200 {}
            GET /vms/$V -> 200 {running}
            GET /vms/$V -> 200 {stopped}",
            job("$J", "queued", ""),
            job("$J", "running", OK),
            job("$J", "succeeded", OK),
        ),
        "vms stop $V --wait --json",
    );
    assert!(said.well().contains(r#""state":"stopped""#));
    vmapi.done();
}

#[test]
fn a_job_that_fails_ends_the_wait_at_once_with_its_task_and_its_error() {
    for execution in ["failed", "succeeded"] {
        let (said, vmapi) = asked(
            &format!(
                "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
                GET /jobs/$J -> 200 {}",
                job("$J", execution, &[OK, WRONG].join(","))
            ),
            "vms stop $V --wait",
        );
        let words = said.failed(8);
        assert!(words.contains("failed in common.ensure_vm_state: Cannot stop a VM from a 'stopped' state"), "{words}");
        assert!(words.contains(&filled("sdc admin vms job $J")), "{words}");
        vmapi.done();
    }
    let (said, _) = asked(
        &format!(
            "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            GET /jobs/$J -> 200 {}",
            job("$J", "canceled", OK)
        ),
        "vms stop $V --wait",
    );
    assert!(said.failed(8).contains("was canceled, as jobs are whose runner is lost"));
}

#[test]
fn a_job_that_is_retried_is_followed_to_the_next_of_its_task_where_nobody_knows_its_next_attempt() {
    let stopped = vm("$V", "web1", "$A", "stopped");
    let (said, vmapi) = asked(
        &format!(
            "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            GET /jobs/$J -> 200 {}
            GET /vms/$V/jobs -> 200 [{},{}]
            GET /vms/$V -> 200 {stopped}
            GET /jobs/$K -> 200 {}
            GET /vms/$V -> 200 {stopped}",
            job("$J", "retried", OK),
            job("$K", "queued", "").replace("11:00:00", "11:00:09"),
            job("$J", "retried", OK),
            job("$K", "succeeded", OK),
        ),
        "vms stop $V --wait -o state -H",
    );
    assert_eq!(said.well(), "stopped\n");
    vmapi.done();
}

#[test]
fn a_vm_that_fails_or_is_destroyed_meanwhile_ends_the_wait() {
    for (state, said_so) in [("failed", "failed in common.ensure_vm_state"), ("destroyed", "was destroyed meanwhile")] {
        let (said, _) = asked(
            &format!(
                "POST /vms/$V?action=start -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
                GET /jobs/$J -> 200 {}
                GET /vms/$V -> 200 {}
                * GET /jobs/$J -> 200 {}",
                job("$J", "running", OK),
                vm("$V", "web1", "$A", state),
                job("$J", "failed", WRONG),
            ),
            "vms start $V --wait",
        );
        let words = said.failed(8);
        assert!(words.contains(said_so), "{state}: {words}");
    }
}

#[test]
fn the_time_of_a_wait_ends_with_9_and_says_how_far_its_job_is() {
    let (said, _) = asked(
        &format!(
            "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            * GET /jobs/$J -> 200 {}
            * GET /vms/$V -> 200 {}",
            job("$J", "queued", ""),
            vm("$V", "web1", "$A", "running")
        ),
        "vms stop $V --wait --timeout 1s",
    );
    let words = said.failed(9);
    assert!(words.contains("is still running, job queued after 1s"), "{words}");
}

#[test]
fn a_deletion_is_over_when_the_vm_is_destroyed_and_its_job_too() {
    let destroyed = vm("$V", "web1", "$A", "destroyed");
    let (said, vmapi) = asked(
        &format!(
            "GET /vms/$V -> 200 {}
            DELETE /vms/$V -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            GET /jobs/$J -> 200 {}
            GET /vms/$V -> 200 {destroyed}
            GET /jobs/$J -> 200 {}
            GET /vms/$V -> 200 {destroyed}",
            vm("$V", "web1", "$A", "running"),
            job("$J", "running", OK),
            job("$J", "succeeded", OK),
        ),
        "vms delete $V --wait --yes",
    );
    said.well();
    vmapi.done();
}

#[test]
fn what_an_action_takes_is_sent_as_the_service_wants_it() {
    let answer = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;
    // Whose it is, is looked at first where that was said.
    let shown = format!("* GET /vms/$V -> 200 {}", vm("$V", "web1", "$A", "running"));
    for (words, line) in [
        ("vms stop $V --idempotent", r#"POST /vms/$V?action=stop {"idempotent":true}"#),
        ("vms start $V --owner $A", "POST /vms/$V?action=start&owner_uuid=$A"),
        ("vms kill $V --signal SIGTERM --yes", r#"POST /vms/$V?action=kill {"signal":"SIGTERM"}"#),
        ("vms reprovision $V $W --yes", r#"POST /vms/$V?action=reprovision {"image_uuid":"$W"}"#),
        ("vms metadata set $V release=1.10 n:=2", r#"POST /vms/$V/customer_metadata {"release":"1.10","n":2}"#),
        ("vms internal-metadata delete $V a.b --yes", "DELETE /vms/$V/internal_metadata/a.b"),
        ("vms tags set $V role=web", r#"POST /vms/$V/tags {"role":"web"}"#),
    ] {
        let (said, vmapi) = asked(&format!("{shown}\n{line} -> {answer}"), words);
        said.well();
        vmapi.done();
    }
}

#[test]
fn an_answer_about_another_vm_is_not_believed() {
    let (said, _) = asked("POST /vms/$V?action=stop -> 202 {\"vm_uuid\":\"$W\",\"job_uuid\":\"$J\"}", "vms stop $V");
    assert!(said.failed(6).contains(&filled("a job of $W")));
}

#[test]
fn refusals_keep_their_words_and_their_codes() {
    for (status, body, code, said_so) in [
        (
            409,
            r#"{"code":"UnallocatedVM","message":"Cannot call stop for a VM that has not been provisioned yet"}"#,
            5,
            "not been provisioned",
        ),
        (404, r#"{"code":"ResourceNotFound","message":"VM not found"}"#, 3, "VM not found"),
        (
            409,
            r#"{"code":"ValidationFailed","message":"Invalid Parameters","errors":[{"field":"idempotent","code":"Invalid","message":"Invalid parameter"}]}"#,
            5,
            "idempotent",
        ),
        (404, r#"{"code":"ResourceNotFound","message":"/vms/$V does not exist"}"#, 6, "does not exist"),
    ] {
        let (said, _) = asked(&format!("POST /vms/$V?action=stop -> {status} {body}"), "vms stop $V");
        let words = said.failed(code);
        assert!(words.contains(said_so), "{words}");
    }
}

#[test]
fn a_create_whose_answer_is_lost_is_looked_up_and_never_sent_again() {
    let words = "vms create --owner $A --brand joyent --image $W --package $K --network '[{\"ipv4_uuid\":\"$CN\"}]' -n web0 --uuid $V";
    let body = r#"{"owner_uuid":"$A","brand":"joyent","networks":[{"ipv4_uuid":"$CN"}],"billing_id":"$K","image_uuid":"$W","alias":"web0","uuid":"$V"}"#;
    for (status, answer) in [(500, r#"{"code":"InternalError","message":"oops"}"#), (202, ""), (502, "<html>")] {
        let (said, vmapi) = asked(
            &format!(
                "POST /vms {body} -> {status} {answer}
                GET /vms/$V -> 404 {{\"code\":\"ResourceNotFound\",\"message\":\"VM not found\"}}
                GET /vms/$V -> 200 {}
                GET /vms/$V/jobs -> 200 [{}]
                GET /jobs/$J -> 200 {}
                GET /vms/$V -> 200 {}",
                vm("$V", "web0", "$A", "provisioning"),
                job("$J", "running", ""),
                job("$J", "succeeded", OK),
                vm("$V", "web0", "$A", "running"),
            ),
            &format!("{words} --wait -o state -H"),
        );
        assert_eq!(said.well(), "running\n", "{status}");
        vmapi.done();
    }
    // What a failure may have made is looked for, and not sent again.
    let missing = r#"* GET /vms/$V -> 404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    for (status, refusal) in
        [(500, r#"{"code":"InternalError","message":"oops"}"#), (503, "<html>no server is available</html>")]
    {
        let lines = format!("POST /vms {body} -> {status} {refusal}\n{missing}");
        let (said, vmapi) = asked(&lines, &format!("{words} --request-timeout 2"));
        assert!([1, 6, 7].contains(&said.code), "{said:?}");
        vmapi.done();
    }
    // Also what the service says it could not do for now is looked for, before it is sent again.
    for (status, refusal) in [
        (503, r#"{"code":"ServiceUnavailableError","message":"Workflow API is unavailable"}"#),
        (503, r#"{"code":"MorayBucketsNotSetup","message":"Moray buckets are not setup"}"#),
        (500, r#"{"code":"InternalError","message":"deadlock detected"}"#),
    ] {
        let there = format!(
            "POST /vms {body} -> {status} {refusal}\nGET /vms/$V -> 200 {}\nGET /vms/$V/jobs -> 200 [{}]",
            vm("$V", "web0", "$A", "provisioning"),
            job("$J", "running", ""),
        );
        let (said, vmapi) = asked(&there, &format!("{words} --jq .job_uuid"));
        assert_eq!(said.well(), filled("\"$J\"\n"), "{refusal}");
        vmapi.done();
    }
    // What is refused is not looked for, and has its own words.
    let refusal = r#"{"code":"NoAllocatableServersError","message":"No compute resources available: ..."}"#;
    let (said, vmapi) = asked(&format!("POST /vms {body} -> 409 {refusal}"), words);
    assert!(said.failed(5).contains("No compute resources available"));
    vmapi.done();
}

#[test]
fn a_vm_gets_an_id_that_is_chosen_here() {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(&filled(r#"POST /vms "*" -> 202 {"vm_uuid":"$V","job_uuid":"$J"}"#));
    let words = filled("vms create --owner $A --brand lx --image $W --ram 1G --network '[\"$CN\"]' --json");
    let said = admin(home.path(), &[("VMAPI_URL", &vmapi.address)], &words).well();
    assert_eq!(said.trim(), filled(r#"{"vm_uuid":"$V","job_uuid":"$J"}"#), "the answer as it came");
    let sent = vmapi.lines().remove(0);
    let body: serde_json::Value = serde_json::from_str(sent.trim_start_matches("POST /vms ")).unwrap();
    let id = body["uuid"].as_str().unwrap();
    assert!(id.len() == 36 && &id[14..15] == "4", "{sent}");
    assert_eq!(body["ram"], 1024);
}

#[test]
fn nics_without_networks_or_addresses_are_refused_by_name_before_anything_is_sent() {
    let (said, vmapi) = asked("", "vms nics add web1 --owner $A");
    let words = said.failed(2);
    assert!(words.contains("--network") && words.contains("--mac") && !words.contains("--selector"), "{words}");
    assert!(vmapi.lines().is_empty());
    for (words, line) in [
        ("--mac 90:b8:d0:1c:2d:3e", r#"{"macs":["90:b8:d0:1c:2d:3e"]}"#),
        (r#"--network '[{"ipv4_uuid":"$CN"}]'"#, r#"{"networks":[{"ipv4_uuid":"$CN"}]}"#),
    ] {
        let answer = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;
        let line = format!("POST /vms/$V?action=add_nics {line} -> {answer}");
        let (said, vmapi) = asked(&line, &format!("vms nics add $V {words}"));
        said.well();
        vmapi.done();
    }
}

#[test]
fn the_help_of_a_part_is_about_vms() {
    for (words, about) in [("vms tags --help", "Tags of a VM"), ("fabrics vlans --help", "VLANs of an account")] {
        let (said, _) = asked("", words);
        let said = said.well();
        assert!(said.contains(about) && !said.contains("machine"), "{said}");
    }
}
