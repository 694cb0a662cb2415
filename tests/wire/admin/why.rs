//! `sdc admin vms why`: what the services know of a VM, in words and as data.

use serde_json::Value;

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

const FAILED: &str = r#"[{"uuid":"$J","name":"provision-8.2.4","execution":"failed","params":{"task":"provision","vm_uuid":"$V"},"created_at":"2026-03-02T11:00:00.000Z","chain_results":[{"name":"cnapi.provision_vm","result":"","error":{"message":{"code":"VmadmError","message":"no space\n    at zfs.js:1"}}}]}]"#;
const SERVER: &str = r#"{"uuid":"$CN","hostname":"cn0","status":"unknown","last_heartbeat":"2026-03-02T10:59:00.000Z","vms":{"$V":{"state":"stopped"}}}"#;
const NIC: &str = r#"[{"mac":"90:b8:d0:1c:2d:3e","ip":"198.18.20.15","network_uuid":"$B","belongs_to_type":"zone","belongs_to_uuid":"$V","state":"provisioning"}]"#;

fn vm(state: &str) -> String {
    format!(r#"{{"uuid":"$V","alias":"web0","state":"{state}","server_uuid":"$CN","billing_id":"$K"}}"#)
}

/// VMAPI, CNAPI, NAPI and PAPI that answer so.
fn why(state: &str, jobs: &str, server: &str, nics: &str, words: &str) -> Said {
    why_of(&vm(state), jobs, server, nics, words)
}

/// The same of a VM with this record.
fn why_of(vm: &str, jobs: &str, server: &str, nics: &str, words: &str) -> Said {
    let home = tempfile::tempdir().unwrap();
    let lines = [
        ("VMAPI_URL", format!("* GET /vms/$V -> 200 {vm}\n* GET /vms/$V/jobs -> {jobs}")),
        ("CNAPI_URL", format!("* GET /servers/$CN -> {server}")),
        ("NAPI_URL", format!("* GET /nics?belongs_to_uuid=$V&belongs_to_type=zone&limit=1000 -> {nics}")),
        (
            "PAPI_URL",
            r#"* GET /packages/$K -> 404 {"code":"ResourceNotFound","message":"Package $K does not exist"}"#.to_owned(),
        ),
    ];
    let scripts: Vec<(&str, Script)> = lines.iter().map(|(name, lines)| (*name, Script::new(&filled(lines)))).collect();
    let vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, &*script.address)).collect();
    admin(home.path(), &vars, &filled(&format!("vms why $V {words}")))
}

#[test]
fn a_failed_provision_says_its_error_its_server_and_what_is_left() {
    let (jobs, server, nics) = (format!("200 {FAILED}"), format!("200 {SERVER}"), format!("200 {NIC}"));
    let said = why("failed", &jobs, &server, &nics, "").well();
    for due in [
        "VM        web0 ($V) is failed",
        "its provision failed in cnapi.provision_vm: no space",
        "server    cn0 ($CN) is not heard from since 2026-03-02T10:59:00.000Z",
        "networks  198.18.20.15 (90:b8:d0:1c:2d:3e) on $B, provisioning",
        "package   is not there any longer",
        "all of its job: sdc admin jobs get $J",
        "to remove it: sdc admin vms delete $V",
        "its NIC with 198.18.20.15 is left; to free the address: sdc admin nics delete 90:b8:d0:1c:2d:3e",
    ] {
        assert!(said.contains(&filled(due)), "{due}: {said}");
    }
    assert!(!said.contains("zfs.js") && !said.contains("[object"), "{said}");
    let data: Value = serde_json::from_str(&why("failed", &jobs, &server, &nics, "--json").well()).unwrap();
    assert_eq!(data["failed"]["error"], "failed in cnapi.provision_vm: no space");
    assert_eq!(data["server"]["heard"], false);
    assert_eq!(data["networks"][0]["ip"], "198.18.20.15");
    assert_eq!(data["package"], Value::Null);
}

#[test]
fn a_server_that_tells_another_state_is_named_and_what_cannot_be_read_hides_nothing() {
    let server = format!("200 {}", SERVER.replace("unknown", "running"));
    let down = r#"500 {"code":"InternalError","message":"moray is away"}"#;
    let said = why("running", "200 []", &server, down, "").well();
    for due in [
        "VMAPI has it as running, and its server cn0 has told stopped",
        "to have VMAPI ask the server: sdc admin vms get $V --sync",
        "unread    networks: moray is away",
    ] {
        assert!(said.contains(&filled(due)), "{due}: {said}");
    }
}

#[test]
fn the_silence_of_a_server_is_said_once_also_where_a_job_waits_for_it() {
    let home = tempfile::tempdir().unwrap();
    let job = r#"{"uuid":"$J","name":"stop-7.0.8","execution":"running","created_at":"2026-03-02T11:00:00.000Z","params":{"task":"stop","vm_uuid":"$V","server_uuid":"$CN"},"chain":[{"name":"cnapi.stop_vm"},{"name":"cnapi.wait_task"}],"chain_results":[{"name":"cnapi.stop_vm","result":"Task id: $W queued to CNAPI!","error":""}]}"#;
    let lines = [
        ("VMAPI_URL", format!("* GET /vms/$V -> 200 {}\n* GET /vms/$V/jobs -> 200 [{job}]", vm("running"))),
        ("WORKFLOW_URL", format!("* GET /jobs/$J -> 200 {job}")),
        (
            "CNAPI_URL",
            format!(
                "* GET /tasks/$W -> 200 {{\"id\":\"$W\",\"task\":\"machine_shutdown\",\"status\":\"active\"}}\n* GET /servers/$CN -> 200 {SERVER}"
            ),
        ),
        ("NAPI_URL", "* GET /nics?belongs_to_uuid=$V&belongs_to_type=zone&limit=1000 -> 200 []".to_owned()),
        ("PAPI_URL", r#"* GET /packages/$K -> 200 {"uuid":"$K","name":"small"}"#.to_owned()),
    ];
    let scripts: Vec<(&str, Script)> = lines.iter().map(|(name, lines)| (*name, Script::new(&filled(lines)))).collect();
    let vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, &*script.address)).collect();
    let data: Value = serde_json::from_str(&admin(home.path(), &vars, &filled("vms why $V --json")).well()).unwrap();
    let reason = data["reason"].as_str().unwrap();
    assert_eq!(reason.matches("is not heard from since 2026-03-02T10:59:00.000Z").count(), 1, "{reason}");
    assert!(reason.starts_with("its stop is running, and waits, for server cn0"), "{reason}");
    assert!(reason.ends_with("; what is known of the VM is from then"), "{reason}");
}

const WELL: &str = "";
const REFUSED: &str = "Cannot stop a VM from a 'stopped' state";
const BROKEN: &str = "the task failed on the server";
const TO_DONE: &str = "to take the state that it has for done";
const AGAIN: &str = "to send it again";

/// Jobs from the newest to the oldest: task, execution, and what went wrong.
fn jobs(all: &[(&str, &str, &str)]) -> String {
    let job = |(at, (task, execution, wrong)): (usize, &(&str, &str, &str))| {
        let error = if *wrong == WELL { String::new() } else { format!(r#","error":{{"message":"{wrong}"}}"#) };
        format!(
            r#"{{"uuid":"c7d6e5f4-0312-4a5b-8c9d-7e6f5a4b3c{at:02}","execution":"{execution}","params":{{"task":"{task}","vm_uuid":"$V"}},"created_at":"2026-03-02T11:00:{:02}.000Z","chain_results":[{{"name":"common.step","result":""{error}}}]}}"#,
            59 - at
        )
    };
    format!("200 [{}]", all.iter().enumerate().map(job).collect::<Vec<_>>().join(","))
}

/// What is said of a VM in this state, with these jobs, whose server tells the same of it.
fn of_jobs(state: &str, all: &[(&str, &str, &str)]) -> String {
    let server = format!("200 {}", SERVER.replace("unknown", "running").replace("stopped", state));
    why(state, &jobs(all), &server, "200 []", "").well()
}

#[test]
fn a_start_stop_or_reboot_that_failed_is_past_once_a_later_job_has_ended_well() {
    for task in ["start", "stop", "reboot"] {
        for later in ["start", "reboot", "update"] {
            let said = of_jobs("running", &[(later, "succeeded", WELL), (task, "failed", REFUSED)]);
            assert!(
                said.contains("its records show nothing wrong") && !said.contains("try "),
                "{task} {later}: {said}"
            );
        }
        // What was given up, retried, or has gone wrong itself shows nothing.
        for (execution, wrong) in [("canceled", "cancel"), ("retried", WELL), ("succeeded", BROKEN)] {
            let said = of_jobs("running", &[("update", execution, wrong), (task, "failed", BROKEN)]);
            assert!(!said.contains("nothing wrong"), "{task} {execution}: {said}");
        }
    }
    // An update is another thing than a start that went well.
    let said = of_jobs("running", &[("start", "succeeded", WELL), ("update", "failed", BROKEN)]);
    assert!(said.contains("its update failed in common.step"), "{said}");
}

#[test]
fn no_command_is_given_that_changes_the_state_of_a_vm_which_was_refused_for_another() {
    for (task, state, due) in [
        ("stop", "stopped", Some(TO_DONE)),
        ("start", "running", Some(TO_DONE)),
        ("stop", "running", None),
        ("start", "stopped", None),
        ("reboot", "running", None),
        ("reboot", "stopped", None),
        ("start", "failed", None),
    ] {
        let said = of_jobs(state, &[(task, "failed", REFUSED)]);
        assert!(said.contains(&format!("its {task} failed in common.step")), "{task} {state}: {said}");
        let given = [TO_DONE, AGAIN].into_iter().find(|words| said.contains(words));
        assert_eq!(given, due, "{task} {state}: {said}");
    }
    for (task, state, due) in [
        ("stop", "running", Some(AGAIN)),
        ("start", "stopped", Some(AGAIN)),
        ("reboot", "running", Some(AGAIN)),
        ("reboot", "stopped", None),
        ("start", "incomplete", None),
    ] {
        let said = of_jobs(state, &[(task, "failed", BROKEN)]);
        let given = [TO_DONE, AGAIN].into_iter().find(|words| said.contains(words));
        assert_eq!(given, due, "{task} {state}: {said}");
    }
    // Nobody knows whether it is stopped.
    let server = format!("200 {}", SERVER.replace("unknown", "running").replace("stopped", "running"));
    let said = why("stopped", &jobs(&[("stop", "failed", REFUSED)]), &server, "200 []", "").well();
    assert!(!said.contains("vms stop") && said.contains("--sync"), "{said}");
}

#[test]
fn nothing_is_sent_again_while_a_job_is_open() {
    for open in ["queued", "running", "waiting"] {
        let all = [("start", open, WELL), ("stop", open, WELL), ("stop", "canceled", "cancel")];
        let said = of_jobs("running", &all);
        assert!(said.contains(&format!("its stop is {open}")) && said.contains("its stop was canceled"), "{said}");
        assert!(!said.contains("admin vms "), "{said}");
    }
    let said = of_jobs("failed", &[("destroy", "queued", WELL), ("provision", "failed", BROKEN)]);
    assert!(said.contains("its destroy is queued") && !said.contains("vms delete"), "{said}");
}

#[test]
fn a_vm_is_destroyed_because_a_job_has_destroyed_it() {
    let before = [("start", "failed", BROKEN), ("provision", "failed", BROKEN)];
    let said = of_jobs("destroyed", &[[("destroy", "succeeded", WELL)].as_slice(), &before].concat());
    assert!(said.contains("reason    its destroy of 2026-03-02T11:00:59.000Z has succeeded\n"), "{said}");
    assert!(!said.contains("try "), "{said}");
    // One that went wrong has left something; and some were never made.
    let said = of_jobs("destroyed", &[[("destroy", "failed", BROKEN)].as_slice(), &before].concat());
    assert!(said.contains("reason    its destroy failed in common.step") && !said.contains("admin vms"), "{said}");
    let said = of_jobs("destroyed", &before);
    assert!(said.contains("reason    its provision failed in common.step") && !said.contains("admin vms"), "{said}");
    let said = of_jobs("destroyed", &before[..1]);
    assert!(said.contains("reason    it is destroyed, and its records show nothing wrong"), "{said}");
}

#[test]
fn the_nics_of_others_are_not_left_by_a_vm() {
    let others = NIC.replace("$V", "$W").replace("2d:3e", "00:01");
    let nobodys = r#"{"mac":"90:b8:d0:1c:00:02","ip":"198.18.20.17"}"#;
    let all = format!("200 [{},{},{nobodys}]", others.trim_matches(['[', ']']), NIC.trim_matches(['[', ']']));
    let server = format!("200 {SERVER}");
    for state in ["failed", "destroyed", "running"] {
        let said = why(state, "200 []", &server, &all, "").well();
        assert!(said.contains("90:b8:d0:1c:2d:3e"), "{said}");
        assert!(!said.contains("00:01") && !said.contains("00:02"), "{said}");
        assert_eq!(said.contains("nics delete 90:b8:d0:1c:2d:3e"), state != "running", "{said}");
    }
    let data: Value = serde_json::from_str(&why("failed", "200 []", &server, &all, "--json").well()).unwrap();
    assert_eq!(data["networks"].as_array().unwrap().len(), 1);
}

#[test]
fn nics_that_vmapi_alone_lists_are_a_reason() {
    let record = |state: &str| {
        let nics = r#"[{"mac":"90:B8:D0:1C:2D:3E"},{"mac":"90:b8:d0:00:00:01"},{"mac":"90:b8:d0:00:00:02"}]"#;
        vm(state).replace(r#""billing_id""#, &format!(r#""nics":{nics},"billing_id""#))
    };
    let said = |state: &str, nics: &str| {
        let server = format!("200 {}", SERVER.replace("unknown", "running").replace("stopped", state));
        why_of(&record(state), "200 []", &server, nics, "").well()
    };
    let due = "VMAPI lists NICs of it that NAPI does not have: 90:b8:d0:00:00:01, 90:b8:d0:00:00:02\n";
    for state in ["running", "stopped"] {
        let words = said(state, &format!("200 {NIC}"));
        assert!(words.contains(&format!("reason    {due}")), "{words}");
    }
    let none = said("running", "200 []");
    assert!(none.contains("does not have: 90:B8:D0:1C:2D:3E, 90:b8:d0:00:00:01,"), "{none}");
    // Of one that is gone none is due; and what could not be read is not missing.
    for words in [said("destroyed", "200 []"), said("failed", "200 []"), said("running", "500 {}")] {
        assert!(!words.contains("VMAPI lists"), "{words}");
    }
}
