//! `sdc admin vms why`: what the services know of a VM, in words and as data.

use serde_json::Value;

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

const FAILED: &str = r#"[{"uuid":"$J","name":"provision-8.2.4","execution":"failed","params":{"task":"provision","vm_uuid":"$V"},"created_at":"2026-03-02T11:00:00.000Z","chain_results":[{"name":"cnapi.provision_vm","result":"","error":{"message":{"code":"VmadmError","message":"no space\n    at zfs.js:1"}}}]}]"#;
const SERVER: &str = r#"{"uuid":"$CN","hostname":"cn0","status":"unknown","last_heartbeat":"2026-03-02T10:59:00.000Z","vms":{"$V":{"state":"stopped"}}}"#;
const NIC: &str = r#"[{"mac":"90:b8:d0:1c:2d:3e","ip":"198.18.20.15","network_uuid":"$B","state":"provisioning"}]"#;

fn vm(state: &str) -> String {
    format!(r#"{{"uuid":"$V","alias":"web0","state":"{state}","server_uuid":"$CN","billing_id":"$K"}}"#)
}

/// VMAPI, CNAPI, NAPI and PAPI that answer so.
fn why(state: &str, jobs: &str, server: &str, nics: &str, words: &str) -> Said {
    let home = tempfile::tempdir().unwrap();
    let lines = [
        ("VMAPI_URL", format!("* GET /vms/$V -> 200 {}\n* GET /vms/$V/jobs -> {jobs}", vm(state))),
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
