//! VMs: what is sent, which one is meant, and when a change is over.

use super::run::{Said, admin};
use super::script::Script;
use super::{V, filled};

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

/// The same of another task.
fn job_of(task: &str, execution: &str, results: &str) -> String {
    job("$J", execution, results).replace(r#""task":"stop""#, &format!(r#""task":"{task}""#))
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
    assert_eq!(said.well(), "web2\n", "what was to be left out is");
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
                job_of("start", "running", OK),
                vm("$V", "web1", "$A", state),
                job_of("start", "failed", WRONG),
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
fn a_look_that_is_refused_after_a_change_was_taken_does_not_read_as_if_that_was_refused() {
    let taken = r#"POST /vms/$V?action=stop -> 202 {"vm_uuid":"$V","job_uuid":"$J"}"#;
    let (running, queued) = (vm("$V", "web1", "$A", "running"), job("$J", "queued", ""));
    for refusal in [
        r#"401 {"code":"InvalidCredentials","message":"who are you"}"#,
        r#"403 {"code":"NotAuthorized","message":"not for you"}"#,
        r#"409 {"code":"ConflictError","message":"no such thing"}"#,
    ] {
        for looks in [
            format!("* GET /jobs/$J -> {refusal}"),
            format!("* GET /jobs/$J -> 200 {queued}\n* GET /vms/$V -> {refusal}"),
            format!(
                "* GET /jobs/$J -> 200 {}\n* GET /vms/$V/jobs -> {refusal}\n* GET /vms/$V -> 200 {running}",
                job("$J", "retried", "")
            ),
        ] {
            let (said, vmapi) = asked(&format!("{taken}\n{looks}"), "vms stop $V --wait");
            let words = said.failed(9);
            let due = filled("stop was sent and taken: job $J; only the look at its end was refused");
            assert!(words.contains(&due), "{looks}: {words}");
            vmapi.done();
        }
    }
}

#[test]
fn a_wait_whose_job_is_not_there_or_out_of_reach_says_what_is_known_of_the_vm() {
    let missing = r#"404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let away = r#"500 {"code":"InternalError","message":"moray is away"}"#;
    let asked = |action: &str, job: &str, state: &str| {
        asked(
            &format!(
                "POST /vms/$V?action={action} -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
                * GET /jobs/$J -> {job}\n* GET /vms/$V -> 200 {}",
                vm("$V", "web1", "$A", state)
            ),
            &format!("vms {action} $V --wait --timeout 2s -o state -H"),
        )
        .0
    };
    let said = asked("stop", missing, "stopped");
    assert!(said.err.contains(&filled("stopped; its job $J is not there")), "{}", said.err);
    assert_eq!(said.well(), "stopped\n");
    for (action, job, state, due) in [
        ("stop", away, "stopped", &["is stopped, as it was to be; what its job $J has come to is not known"][..]),
        (
            "stop",
            missing,
            "running",
            &["is still running, job not there", "the service says that the job is not there"],
        ),
        ("stop", away, "running", &["is still running, job out of reach", "whether the job goes on is not known"]),
        // It ran before.
        ("reboot", missing, "running", &["is running; what its job $J has come to is not known"]),
    ] {
        let words = asked(action, job, state).failed(9);
        due.iter().for_each(|due| assert!(words.contains(&filled(due)), "{due}: {words}"));
        assert!(!words.contains("goes on;"), "{words}");
    }
    let open = format!("200 {}", job("$J", "running", OK));
    let words = asked("stop", &open, "stopped").failed(9);
    let due = "is stopped, as it was to be; its job is running (last step done: common.validate_params) after 2s";
    assert!(words.contains(due) && words.contains("the job goes on;"), "{words}");
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
            job_of("destroy", "running", OK),
            job_of("destroy", "succeeded", OK),
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

/// What creates a VM without a name.
const CREATE: &str = "vms create --owner $A --brand joyent --image $W --package $K --network '[\"$CN\"]' --uuid $V";

#[test]
fn a_create_that_is_answered_for_another_vm_is_not_believed() {
    let gone = r#"* GET /vms/$V -> 404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    let lines = format!("POST /vms \"*\" -> 202 {{\"vm_uuid\":\"$W\",\"job_uuid\":\"$J\"}}\n{gone}");
    let (said, _) = asked(&lines, &format!("{CREATE} --request-timeout 1"));
    let words = said.failed(6);
    assert!(words.contains(&filled("the record of something else, a job of $W")), "{words}");
    assert!(words.contains(&filled("whether it is there: sdc admin vms get $V")), "{words}");
}

#[test]
fn a_create_that_failed_shows_no_row_of_what_is_not_known() {
    let lines = format!(
        "POST /vms \"*\" -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}\n* GET /jobs/$J -> 200 {}",
        job_of("provision", "failed", WRONG)
    );
    for (words, due) in [("", ""), ("-o state,alias", ""), ("-o uuid -H", "$V\n"), ("--json", r#"{"uuid":"$V"}"#)] {
        let (said, _) = asked(&lines, &format!("{CREATE} --wait {words}"));
        assert_eq!(said.out.trim(), filled(due).trim(), "{words}");
        said.failed(8);
    }
    // What is known is shown.
    let failed = vm("$V", "web0", "$A", "failed");
    let (said, _) = asked(
        &format!(
            "POST /vms \"*\" -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
            * GET /jobs/$J -> 200 {}\n* GET /vms/$V -> 200 {failed}",
            job_of("provision", "running", "")
        ),
        &format!("{CREATE} --wait -o state -H"),
    );
    assert_eq!(said.out, "failed\n");
    said.failed(8);
}

#[test]
fn an_answer_that_is_lost_is_told_with_the_id_that_was_chosen() {
    for (variable, line, words, look) in [
        ("VMAPI_URL", "POST /vms", CREATE, "sdc admin vms get $V"),
        (
            "NAPI_URL",
            "POST /networks",
            "networks create -n lab --nic-tag internal --vlan 7 --subnet 10.7.0.0/24 --provision-start-ip 10.7.0.9 --provision-end-ip 10.7.0.99 --uuid $V",
            "sdc admin networks get $V",
        ),
        (
            "PAPI_URL",
            "POST /packages",
            "packages create -n lab --version 1.0.0 --memory 256 --swap 512 --quota 10G --max-lwps 1000 --zfs-io-priority 10 --cpu-cap 25 --uuid $V",
            "sdc admin packages get $V",
        ),
    ] {
        let home = tempfile::tempdir().unwrap();
        let gone = r#"{"code":"ResourceNotFound","message":"VM not found"}"#;
        let lines = format!("{line} \"*\" -> 502 <html>\n* GET /vms/$V -> 404 {gone}");
        for json in ["", " --json"] {
            let script = Script::new(&filled(&lines));
            let words = filled(&format!("{words} --request-timeout 1{json}"));
            let said = admin(home.path(), &[(variable, &script.address)], &words).failed(7);
            assert!(said.contains(&filled(&format!("whether it is there: {look}"))), "{words}: {said}");
            assert!(json.is_empty() || said.contains(&filled(r#""id":"$V""#)), "{words}: {said}");
        }
    }
    // Also where nobody has typed it.
    let lines = "POST /vms \"*\" -> 502 <html>\n* GET /vms/$OWN -> 404 {\"code\":\"ResourceNotFound\"}";
    let (said, vmapi) = asked(lines, &format!("{} --request-timeout 1", CREATE.replace(" --uuid $V", "")));
    let own = vmapi.lines().remove(1).replace("GET /vms/", "");
    let words = said.failed(7);
    assert!(own.len() == 36 && words.contains(&format!("sdc admin vms get {own}")), "{own}: {words}");
    // What was refused is nowhere.
    let refusal = r#"409 {"code":"NoAllocatableServersError","message":"No compute resources available"}"#;
    let (said, _) = asked(&format!("POST /vms \"*\" -> {refusal}"), &format!("{CREATE} --json"));
    assert!(!said.failed(5).contains(V), "an id that nothing has");
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
    let vmapi = Script::new(&filled(r#"POST /vms "*" -> 202 {"vm_uuid":"$OWN","job_uuid":"$J"}"#));
    let words = filled("vms create --owner $A --brand lx --image $W --ram 1G --network '[\"$CN\"]' --json");
    let said = admin(home.path(), &[("VMAPI_URL", &vmapi.address)], &words).well();
    let sent = vmapi.lines().remove(0);
    let body: serde_json::Value = serde_json::from_str(sent.trim_start_matches("POST /vms ")).unwrap();
    let id = body["uuid"].as_str().unwrap();
    let answer = filled(r#"{"vm_uuid":"$OWN","job_uuid":"$J"}"#).replace("$OWN", id);
    assert_eq!(said.trim(), answer, "the answer as it came");
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
