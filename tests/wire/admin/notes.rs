//! What is said of VMs beyond what was asked for: servers that are not heard from, NICs that are left, migrations.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// The program against services that answer so, by their variables.
fn asked(lines: &[(&str, &str)], words: &str) -> (Said, Vec<Script>) {
    let home = tempfile::tempdir().unwrap();
    let scripts: Vec<(&str, Script)> = lines.iter().map(|(name, lines)| (*name, Script::new(&filled(lines)))).collect();
    let vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, &*script.address)).collect();
    let said = admin(home.path(), &vars, &filled(words));
    (said, scripts.into_iter().map(|(_, script)| script).collect())
}

const RUNNING: &str =
    r#"* GET /vms/$V -> 200 {"uuid":"$V","alias":"web0","state":"running","server_uuid":"$CN","tags":{}}"#;
const SILENT: &str =
    r#"{"uuid":"$CN","hostname":"cn0","status":"unknown","last_heartbeat":"2026-03-02T10:59:00.000Z"}"#;
const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;
const NIC: &str = r#"GET /nics?belongs_to_uuid=$V&belongs_to_type=zone&limit=1000 -> 200 [{"mac":"90:b8:d0:1c:2d:3e","ip":"198.18.20.15","belongs_to_uuid":"$V"}]"#;
const FREE: &str = "NAPI still has its NIC 90:b8:d0:1c:2d:3e with the address 198.18.20.15; to free that: sdc admin nics delete 90:b8:d0:1c:2d:3e";

#[test]
fn a_vm_on_a_server_that_is_not_heard_from_is_shown_as_last_known() {
    let cnapi = format!("* GET /servers/$CN -> 200 {SILENT}");
    let (said, _) = asked(&[("VMAPI_URL", RUNNING), ("CNAPI_URL", &cnapi)], "vms get $V -o state -H");
    assert_eq!(said.out, "running\n");
    let note =
        "note: server cn0 is not heard from since 2026-03-02T10:59:00.000Z: this is what was known of the VM then";
    assert!(said.err.contains(note), "{}", said.err);
    let list = r#"GET /vms?state=active&limit=1000 -> 200 [{"uuid":"$V","alias":"web0","state":"running","server_uuid":"$CN"}]"#;
    let (said, _) = asked(&[("VMAPI_URL", list), ("CNAPI_URL", &cnapi)], "vms list -o alias -H");
    assert!(said.err.contains(note) && said.out == "web0\n", "{said:?}");
    // Where it is heard from there is nothing to say, and without CNAPI nothing can be said.
    let heard = cnapi.replace("unknown", "running");
    for lines in [&[("VMAPI_URL", RUNNING), ("CNAPI_URL", &heard)][..], &[("VMAPI_URL", RUNNING)]] {
        let (said, _) = asked(lines, "vms get $V -o state -H");
        assert_eq!((said.err.as_str(), said.code), ("", 0));
    }
}

#[test]
fn vms_of_a_list_on_a_server_that_is_not_heard_from_are_told_as_last_known_in_one_request() {
    let vm = |alias: &str, state: &str, server: &str| {
        format!(r#"{{"uuid":"{alias}","alias":"{alias}","state":"{state}","server_uuid":"{server}"}}"#)
    };
    let mut vms: Vec<String> = (0..7).map(|at| vm(&format!("web{at}"), "running", "$CN")).collect();
    vms.extend([vm("db0", "running", "$K"), vm("old", "failed", "$CN"), vm("new", "provisioning", "")]);
    let vmapi = format!("* GET /vms?state=active&limit=1000 -> 200 [{}]", vms.join(","));
    let servers = "GET /servers?extras=last_heartbeat&limit=1000";
    let silent = format!(r#"{servers} -> 200 [{SILENT},{{"uuid":"$K","hostname":"cn1","status":"running"}}]"#);
    for words in ["vms list -o alias", "vms list -o alias --sort alias", "vms list -o wide"] {
        let (said, scripts) = asked(&[("VMAPI_URL", &vmapi), ("CNAPI_URL", &silent)], words);
        let due = "note: server cn0 is not heard from since 2026-03-02T10:59:00.000Z: of web0, web1, web2, web3, web4 and 2 more this is what was known then\n";
        assert_eq!(said.err, due, "{words}");
        said.well();
        scripts.iter().for_each(Script::done);
    }
    // Scripts pay for nothing, and nobody needs CNAPI for a list.
    for words in ["vms list --json", "vms list -o ids", "vms list --jq length", "vms list -o alias --quiet"] {
        let (said, scripts) = asked(&[("VMAPI_URL", &vmapi), ("CNAPI_URL", "")], words);
        assert_eq!((said.err.as_str(), said.code, scripts[1].lines().len()), ("", 0, 0), "{words}");
    }
    let down = format!(r#"* {servers} -> 500 {{"code":"InternalError","message":"moray is away"}}"#);
    for lines in [&[("VMAPI_URL", vmapi.as_str())][..], &[("VMAPI_URL", &vmapi), ("CNAPI_URL", &down)]] {
        let (said, _) = asked(lines, "vms list -o alias -H");
        assert_eq!((said.err.as_str(), said.code), ("", 0));
    }
}

#[test]
fn that_a_job_will_wait_for_its_server_is_said_before_it_is_sent() {
    let vmapi = format!("{RUNNING}\nPOST /vms/$V?action=stop -> {TAKEN}");
    let cnapi = format!("GET /servers?extras=last_heartbeat&limit=1000 -> 200 [{SILENT}]");
    let (said, scripts) = asked(&[("VMAPI_URL", &vmapi), ("CNAPI_URL", &cnapi)], "vms stop $V");
    let warned = said.err.find("server cn0 is not heard from since 2026-03-02T10:59:00.000Z: its job will wait for it");
    let sent = said.err.find("stop requested");
    assert!(warned.is_some() && warned < sent, "{}", said.err);
    scripts.iter().for_each(Script::done);
}

#[test]
fn nics_that_are_left_are_named_with_the_command_that_frees_them() {
    let job = r#"{"uuid":"$J","name":"destroy-7.1.6","execution":"succeeded","params":{"task":"destroy"},"chain_results":[]}"#;
    let vmapi = format!(
        "{}\nDELETE /vms/$V -> {TAKEN}\n* GET /jobs/$J -> 200 {job}\n* GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"state\":\"destroyed\"}}",
        RUNNING.trim_start_matches("* ")
    );
    let (said, scripts) = asked(&[("VMAPI_URL", &vmapi), ("NAPI_URL", NIC)], "vms delete $V --wait --yes");
    assert!(said.err.contains(FREE), "{}", said.err);
    said.well();
    scripts.iter().for_each(Script::done);
    let job = r#"{"uuid":"$J","name":"provision-8.2.4","execution":"failed","params":{"task":"provision"},"chain_results":[{"name":"cnapi.provision_vm","result":"","error":"no space"}]}"#;
    let vmapi = format!(
        "POST /vms \"*\" -> {TAKEN}\n* GET /jobs/$J -> 200 {job}\n* GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"state\":\"failed\"}}"
    );
    let words = "vms create --owner $A --brand joyent --image $W --ram 1G --network $B --uuid $V --wait";
    let (said, scripts) = asked(&[("VMAPI_URL", &vmapi), ("NAPI_URL", NIC)], words);
    let words = said.failed(8);
    assert!(words.contains("failed in cnapi.provision_vm: no space") && words.contains(FREE), "{words}");
    scripts.iter().for_each(Script::done);
}

#[test]
fn what_cannot_be_migrated_is_refused_before_it_is_begun() {
    let core = RUNNING.replace(r#""tags":{}"#, r#""tags":{"smartdc_type":"core"}"#);
    let migration = |phase: &str, state: &str| {
        format!(
            r#"{RUNNING}
        * GET /migrations/$V -> 200 {{"vm_uuid":"$V","phase":"{phase}","state":"{state}","automatic":false}}"#
        )
    };
    for (lines, due) in [
        (core, vec!["is a core instance, which cannot be migrated"]),
        (
            migration("sync", "paused"),
            vec!["is being migrated: sync paused", "sdc admin migrations switch $V", "sdc admin migrations abort $V"],
        ),
        (
            migration("switch", "successful"),
            vec!["is not finalized", "sdc admin migrations finalize $V", "sdc admin migrations rollback $V"],
        ),
    ] {
        let (said, scripts) = asked(&[("VMAPI_URL", &lines)], "migrations begin $V");
        let words = said.failed(5);
        for due in due.iter().chain(&["nothing was sent"]) {
            assert!(words.contains(&filled(due)), "{due}: {words}");
        }
        assert!(scripts[0].lines().iter().all(|line| line.starts_with("GET ")), "{:?}", scripts[0].lines());
    }
    let missing = r#"GET /migrations/$V -> 404 {"code":"ResourceNotFound","message":"migration not found"}"#;
    let begins =
        r#"POST /vms/$V?action=migrate&migration_action=begin -> 202 {"job_uuid":"$J","migration":{"vm_uuid":"$V"}}"#;
    let (said, scripts) = asked(&[("VMAPI_URL", &format!("{RUNNING}\n{missing}\n{begins}"))], "migrations begin $V");
    said.well();
    scripts[0].done();
}

#[test]
fn each_state_of_a_migration_says_which_step_is_right() {
    let shown =
        r#"* GET /migrations/$V -> 200 {"vm_uuid":"$V","phase":"switch","state":"successful","automatic":false}"#;
    let (said, _) = asked(&[("VMAPI_URL", shown)], "migrations get $V -o phase -H");
    for due in ["to keep it where it is now", "sdc admin migrations finalize $V", "sdc admin migrations rollback $V"] {
        assert!(said.err.contains(&filled(due)), "{due}: {}", said.err);
    }
    let refused = format!(
        "{shown}\nPOST /vms/$V?action=migrate&migration_action=abort -> 412 {{\"code\":\"PreconditionFailed\",\"message\":\"Cannot abort\"}}"
    );
    let (said, _) = asked(&[("VMAPI_URL", &refused)], "migrations abort $V --yes");
    let words = said.failed(5);
    assert!(words.contains(&filled("sdc admin migrations rollback $V")), "{words}");
}
