//! Where the services are.

use super::filled;
use super::run::admin;
use super::script::Script;

pub(super) const SAPI_PING: &str =
    r#"* GET /ping -> 200 {"mode":"full","storType":"MorayLocalStorage","storAvailable":true}"#;
pub(super) const VMAPI_PING: &str = r#"* GET /ping -> 200 {"healthy":true,"initialization":{"moray":{"status":"BUCKETS_REINDEX_DONE"}},"pid":1,"pingErrors":{},"status":"OK","services":{"moray":"online","wfapi":"online"}}"#;
pub(super) const WORKFLOW_PING: &str = r#"* GET /ping -> 200 {"pid":7,"backend":"up"}"#;

/// The lines with which SAPI tells of VMAPI and the workflow service. `metadata` is the application's.
pub(super) fn sapi(metadata: &str, instances: &str) -> String {
    format!(
        r#"{SAPI_PING}
        GET /applications?name=sdc -> 200 [{{"uuid":"c0d1e2f3-a4b5-4c6d-97e8-f90a1b2c3d4e","name":"sdc","metadata":{{"datacenter_name":"dc1","dns_domain":"nowhere.invalid"{metadata}}}}}]
        GET /services -> 200 [{{"uuid":"d1e2f3a4-b5c6-4d7e-88f9-0a1b2c3d4e5f","name":"vmapi","type":"vm"}},{{"uuid":"d2e2f3a4-b5c6-4d7e-88f9-0a1b2c3d4e5f","name":"workflow","type":"vm"}}]
        GET /instances -> 200 [{instances}]"#
    )
}

pub(super) fn instance(of: &str, uuid: &str, alias: &str, ip: &str) -> String {
    let metadata = if ip.is_empty() { String::new() } else { format!(r#","metadata":{{"ADMIN_IP":"{ip}"}}"#) };
    format!(
        r#"{{"uuid":"{uuid}","service_uuid":"{of}e2f3a4-b5c6-4d7e-88f9-0a1b2c3d4e5f","params":{{"alias":"{alias}"}}{metadata}}}"#
    )
}

pub(super) const V0: &str = "e2f3a4b5-c6d7-4e8f-99a0-1b2c3d4e5f60";
pub(super) const W0: &str = "e3f3a4b5-c6d7-4e8f-99a0-1b2c3d4e5f60";

#[test]
fn four_requests_tell_of_all_services_and_later_runs_ask_none_of_them() {
    let home = tempfile::tempdir().unwrap();
    let workflow = Script::new(WORKFLOW_PING);
    workflow.add("GET /jobs?limit=1000 -> 200 []");
    let vmapi = Script::new(VMAPI_PING);
    let address = &workflow.address;
    vmapi.add(&format!(
        r#"GET /vms?uuids={V0},{W0}&limit=1000 -> 200 [{{"uuid":"{V0}","state":"running","nics":[]}},{{"uuid":"{W0}","state":"running","nics":[{{"nic_tag":"external","ip":"192.0.2.1"}},{{"nic_tag":"admin_rack_r1","ip":"{address}"}}]}}]
        GET /vms?state=active&limit=1000 -> 200 []
        GET /vms?state=active&limit=1000 -> 200 []"#
    ));
    let instances = [instance("d1", V0, "vmapi0", ""), instance("d2", W0, "workflow0", "")].join(",");
    let told = Script::new(&sapi(&format!(r#","vmapi_admin_ips":"{}""#, vmapi.address), &instances));
    let at = format!("http://{}", told.address);
    let vars = [("SDC_SAPI_URL", at.as_str())];
    admin(home.path(), &vars, "vms list").well();
    assert_eq!(told.lines().len(), 3, "{:?}", told.lines());
    for asked in told.asked() {
        assert!(asked.headers.contains("accept-version: ~2") && asked.headers.contains("x-request-id: "), "{asked:?}");
        assert!(!asked.headers.contains("authorization") && !asked.headers.contains("\r\ndate:"), "{asked:?}");
    }
    // What was found is remembered, of the other services too.
    admin(home.path(), &vars, "vms list").well();
    admin(home.path(), &vars, "jobs list").well();
    assert_eq!(told.lines().len(), 3);
    for script in [&told, &vmapi, &workflow] {
        script.done();
    }
}

#[test]
fn an_address_that_is_remembered_and_does_not_answer_is_looked_up_once_more() {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(VMAPI_PING);
    let list = r"GET /vms?state=active&limit=1000 -> 200 []";
    vmapi.add(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []\n{list}"));
    let told = Script::new(&sapi("", &instance("d1", V0, "vmapi0", &vmapi.address)));
    let at = format!("http://{}", told.address);
    // It was elsewhere a minute ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = home.path().join(".cache/sdc");
    std::fs::create_dir_all(&folder).unwrap();
    admin(home.path(), &[("SAPI_URL", &at)], "vms list").well();
    let file = files(&folder).into_iter().find(|file| file.ends_with("services.json")).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(&vmapi.address), "{text}");
    std::fs::write(&file, text.replace(&vmapi.address, &gone.to_string())).unwrap();
    let again = sapi("", &instance("d1", V0, "vmapi0", &vmapi.address));
    told.add(&again);
    vmapi.add(list);
    admin(home.path(), &[("SAPI_URL", &at)], "vms list").well();
    told.done();
    vmapi.done();
}

/// What was found is remembered at another address now.
fn moved(home: &std::path::Path, from: &str, to: &str) {
    let file = files(&home.join(".cache/sdc")).into_iter().find(|file| file.ends_with("services.json")).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
}

#[test]
fn where_another_service_answers_at_a_remembered_address_it_is_looked_up_within_the_same_run() {
    let taken = filled(r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#);
    let list = "GET /vms?state=active&limit=1000";
    for (other, words, line) in [
        (
            format!(
                "{WORKFLOW_PING}\n{list} -> 404 {{\"code\":\"ResourceNotFound\",\"message\":\"/vms does not exist\"}}"
            ),
            "vms list",
            format!("{list} -> 200 []"),
        ),
        (
            format!(
                "{SAPI_PING}\n{list} -> 400 {{\"code\":\"InvalidVersion\",\"message\":\"~9 is not supported by GET /vms\"}}"
            ),
            "vms list",
            format!("{list} -> 200 []"),
        ),
        // What changes something is sent to nobody else.
        (WORKFLOW_PING.to_owned(), "vms stop $V", format!("POST /vms/$V?action=stop -> {taken}")),
    ] {
        let home = tempfile::tempdir().unwrap();
        let vmapi = Script::new(VMAPI_PING);
        vmapi.add(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []\n{list} -> 200 []"));
        let lines = sapi("", &instance("d1", V0, "vmapi0", &vmapi.address));
        let told = Script::new(&lines);
        let vars = [("SAPI_URL", told.address.as_str())];
        admin(home.path(), &vars, "vms list").well();
        let other = Script::new(&other);
        moved(home.path(), &vmapi.address, &other.address);
        told.add(&lines);
        // Whether its server is heard from is asked of CNAPI, which this data center does not have.
        if !words.ends_with("list") {
            told.add(&lines);
        }
        vmapi.add(&filled(&line));
        admin(home.path(), &vars, &filled(words)).well();
        for script in [&told, &vmapi, &other] {
            script.done();
        }
        // The address that is right is remembered, and a list costs one request.
        let before = vmapi.lines().len();
        vmapi.add(&format!("{list} -> 200 []"));
        admin(home.path(), &vars, "vms list").well();
        assert_eq!(vmapi.lines().len(), before + 1);
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn instances_whose_vm_is_gone_are_passed_over_and_named() {
    let home = tempfile::tempdir().unwrap();
    let (vmapi, workflow) = (Script::new(VMAPI_PING), Script::new(WORKFLOW_PING));
    let ids = ["f0", "f1", "f2", "f3"].map(|begin| format!("{begin}f3a4b5-c6d7-4e8f-99a0-1b2c3d4e5f60"));
    let states = ["destroyed", "failed", "unknown", "running"];
    let aliases = ["workflow1", "workflow2", "workflow3", "workflow10"];
    let vms: Vec<String> = ids
        .iter()
        .zip(states)
        .map(|(id, state)| {
            format!(r#"{{"uuid":"{id}","state":"{state}","nics":[{{"nic_tag":"admin","ip":"{}"}}]}}"#, workflow.address)
        })
        .collect();
    let all = [&[V0.to_owned()], ids.as_slice()].concat().join(",");
    vmapi.add(&format!("GET /vms?uuids={all}&limit=1000 -> 200 [{}]", vms.join(",")));
    let mut instances: Vec<String> =
        ids.iter().zip(aliases).rev().map(|(id, alias)| instance("d2", id, alias, "")).collect();
    instances.push(instance("d1", V0, "vmapi0", &vmapi.address));
    let told = Script::new(&sapi("", &instances.join(",")));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "discover -o service,url,how");
    assert!(said.out.contains(&format!("http://{}  admin NIC of workflow10", workflow.address)), "{}", said.out);
    for (alias, state) in aliases.iter().zip(states).take(3) {
        assert!(said.err.contains(&format!("workflow: {alias}: its VM is {state}")), "{}", said.err);
    }
    assert!(said.out.contains("no instance in SAPI") && said.code == 0, "{said:?}");
    vmapi.done();
}

#[test]
fn what_is_no_sapi_is_told_by_what_it_is() {
    let home = tempfile::tempdir().unwrap();
    let odd = |lines: &str| {
        let script = Script::new(lines);
        let said = admin(home.path(), &[("SDC_SAPI_URL", &script.address)], "vms list").failed(6);
        assert!(said.contains(&script.address), "{said}");
        said
    };
    let missing = r#"{"code":"ResourceNotFound","message":"/services does not exist"}"#;
    let lists = |answer: &str| {
        ["/applications?name=sdc", "/services", "/instances"].map(|path| format!("* GET {path} -> {answer}")).join("\n")
    };
    let said = odd(&format!("{}\n{VMAPI_PING}", lists(&format!("404 {missing}"))));
    assert!(said.contains("SAPI is not at") && said.contains("VMAPI answers there"), "{said}");
    let said = odd(&format!("{}\n* GET /ping -> 200 <html>hello</html>", lists("200 <html>hello</html>")));
    assert!(said.contains("a web page is there"), "{said}");
    // As CloudAPI answers: without a signature, and to a version other than its own.
    for ping in [
        r#"401 {"code":"InvalidCredentials","message":"You must make authenticated requests to use CloudAPI"}"#,
        r#"400 {"code":"InvalidVersion","message":"~2 is not supported by GET /ping"}"#,
        r#"200 {"ping":"pong","cloudapi":{"versions":["9.20.0"]}}"#,
    ] {
        let refused = r#"400 {"code":"InvalidVersion","message":"~2 is not supported by GET /services"}"#;
        let said = odd(&format!("{}\n* GET /ping -> {ping}", lists(refused)));
        assert!(said.contains("that is CloudAPI, the customers' service"), "{ping}: {said}");
    }
    // Nothing is there at all.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let said = admin(home.path(), &[("SDC_SAPI_URL", &gone)], "vms list").failed(6);
    assert!(said.contains(&format!("SAPI at http://{gone} (SDC_SAPI_URL)")), "{said}");
    let said = admin(home.path(), &[], "vms list").failed(2);
    assert!(said.contains("the address of SAPI is not known") && said.contains("--sapi HOST"), "{said}");
    let said = admin(home.path(), &[], "vms list --service vmapi").failed(2);
    assert!(said.contains("--service vmapi=HOST"), "{said}");
}

#[test]
fn another_service_at_an_address_is_named_and_a_service_without_an_instance_hurts_no_other() {
    let home = tempfile::tempdir().unwrap();
    let workflow = Script::new(WORKFLOW_PING);
    workflow.add("GET /jobs?limit=1000 -> 200 []");
    let instances =
        [instance("d1", V0, "vmapi0", &workflow.address), instance("d2", W0, "workflow0", &workflow.address)];
    // A run that finds something at the wrong place remembers nothing.
    let lines = sapi("", &instances.join(","));
    let told = Script::new(&[lines.as_str(); 3].join("\n"));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "vms list").failed(6);
    assert!(
        said.contains("VMAPI answers at none of its addresses") && said.contains("WORKFLOW answers there"),
        "{said}"
    );
    assert!(said.contains("--service vmapi=HOST"), "{said}");
    admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "jobs list").well();
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "networks list").failed(3);
    assert!(said.contains("NAPI has no instance in SAPI"), "{said}");
    workflow.done();
}

#[test]
fn health_asks_every_instance_and_is_0_only_where_all_are_up() {
    let home = tempfile::tempdir().unwrap();
    let (vmapi, workflow) = (Script::new(VMAPI_PING), Script::new(WORKFLOW_PING));
    let bad = Script::new(r#"* GET /ping -> 200 {"pid":7,"backend":"down","backend_error":"no moray"}"#);
    vmapi.add(&format!("* GET /vms?uuids={V0},{W0}&limit=1000 -> 200 []"));
    let lines = |second: &Script| {
        let both = [instance("d1", V0, "vmapi0", &vmapi.address), instance("d2", W0, "workflow0", &second.address)];
        sapi("", &both.join(","))
    };
    let told = Script::new(&lines(&workflow));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "health -H -o service,instance,state").well();
    let rows: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [vec!["sapi", "-", "up"], vec!["vmapi", "vmapi0", "up"], vec!["workflow", "workflow0", "up"]],
        "{said}"
    );
    told.add(&lines(&bad));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "health --json");
    assert_eq!(said.code, 1, "{said:?}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&said.out).unwrap();
    assert_eq!(rows[2]["state"], "down");
    assert_eq!(rows[2]["why"], "its store is down: no moray");
}

#[test]
fn any_request_goes_to_a_service_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let fwapi = Script::new(&filled(
        r#"POST /rules {"rule":"x","owner_uuid":"$A"} -> 202 {"uuid":"$B"}
        GET /rules/none -> 404 {"code":"ResourceNotFound","message":"Rule not found"}"#,
    ));
    let vars = [("FWAPI_URL", fwapi.address.as_str())];
    let said =
        admin(home.path(), &vars, &filled(r#"raw fwapi POST /rules -d '{"rule":"x","owner_uuid":"$A"}'"#)).well();
    assert_eq!(said.trim(), filled(r#"{"uuid":"$B"}"#));
    let said = admin(home.path(), &vars, "raw fwapi GET /rules/none").failed(3);
    assert!(said.contains("Rule not found"), "{said}");
    fwapi.done();
}

#[test]
fn secrets_of_sapi_are_hidden_unless_they_are_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let sapi = Script::new(
        r#"* GET /applications -> 200 [{"uuid":"c0d1e2f3-a4b5-4c6d-97e8-f90a1b2c3d4e","name":"sdc","metadata":{"ufds_ldap_root_pw":"hush","rabbitmq":"guest:hush:10.20.0.20:5672","dns_domain":"example.com"}}]"#,
    );
    let vars = [("SAPI_URL", sapi.address.as_str())];
    for words in ["applications list --json", "raw sapi GET /applications", "applications list --json --debug=bodies"] {
        let said = admin(home.path(), &vars, words);
        assert!(said.out.contains("example.com") && said.out.contains("(redacted)"), "{said:?}");
        assert!(!said.out.contains("hush") && !said.err.contains("hush"), "{said:?}");
    }
    let said = admin(home.path(), &vars, "applications list --json --show-secrets").well();
    assert!(said.contains("hush"), "{said}");
}

#[test]
fn a_cloudapi_that_was_given_for_a_service_is_recognised() {
    let home = tempfile::tempdir().unwrap();
    let cloud = Script::new(
        r#"GET /vms?state=active&limit=1000 -> 401 {"code":"InvalidCredentials","message":"You must make authenticated requests to use CloudAPI"}"#,
    );
    let said = admin(home.path(), &[("VMAPI_URL", &cloud.address)], "vms list").failed(5);
    assert!(said.contains("that is CloudAPI, the customers' service"), "{said}");
    // Internal services refuse a version that they lack in the same words, so that this alone does not tell which it is.
    for (ping, whose) in [
        (r#"* GET /ping -> 200 {"ping":"pong","cloudapi":{"versions":["9.20.0"]}}"#, "that is CloudAPI"),
        (VMAPI_PING, "VMAPI answers there"),
    ] {
        let refused = |path: &str| {
            format!(r#"* GET {path} -> 400 {{"code":"InvalidVersion","message":"~2 is not supported by GET {path}"}}"#)
        };
        let lists = ["/applications", "/applications?name=sdc", "/services", "/instances"].map(refused).join("\n");
        let other = Script::new(&format!("{ping}\n{lists}"));
        let vars = [("SAPI_URL", other.address.as_str())];
        let said = admin(home.path(), &vars, "applications list").failed(5);
        assert!(said.contains("another service is there, perhaps CloudAPI; which one: sdc admin discover"), "{said}");
        let said = admin(home.path(), &vars, "discover").failed(6);
        assert!(said.contains(whose), "{said}");
    }
}

#[test]
fn a_given_address_counts_once_its_service_answers_there_too() {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(VMAPI_PING);
    vmapi.add(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []"));
    let other = Script::new(WORKFLOW_PING);
    let told = |wrong: &str| {
        let told = Script::new(&sapi("", &instance("d1", V0, "vmapi0", &vmapi.address)));
        let at = told.address.clone();
        let said = admin(home.path(), &[("SAPI_URL", &at)], &format!("discover --service {wrong} -o service,url -H"));
        told.done();
        said
    };
    told(&format!("workflow={}", other.address)).well();
    let said = told(&format!("napi={}", other.address));
    assert!(said.out.contains(&format!("napi      http://{}", other.address)), "the address stays: {}", said.out);
    assert!(said.failed(1).contains("napi: PAPI or WORKFLOW answers there"));
}

#[test]
fn an_address_in_a_variable_hurts_only_who_asks_for_its_service() {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new("* GET /vms?state=active&limit=1000 -> 200 []");
    let vars = [("MAHI_URL", "a b"), ("VMAPI_URL", &vmapi.address)];
    admin(home.path(), &vars, "vms list").well();
    let said = admin(home.path(), &vars, "accounts find acme").failed(2);
    assert!(said.contains("MAHI_URL") && said.contains("'a b' is not an address"), "{said}");
    admin(home.path(), &vars, "vms list --service 'mahi=a b'").failed(2);
}

#[test]
fn health_has_a_line_for_what_is_installed_and_has_no_live_instance() {
    let home = tempfile::tempdir().unwrap();
    let (vmapi, workflow) = (Script::new(VMAPI_PING), Script::new(WORKFLOW_PING));
    let other = "f1f3a4b5-c6d7-4e8f-99a0-1b2c3d4e5f60";
    for (states, rows, noted) in [
        (["running", "destroyed"], vec!["workflow workflow0 up"], "workflow1: its VM is destroyed"),
        (["running", "failed"], vec!["workflow workflow0 up"], "workflow1: its VM is failed"),
        (["running", "unknown"], vec!["workflow workflow0 up", "workflow workflow1 down"], ""),
        (["failed", "destroyed"], vec!["workflow workflow0 down", "workflow workflow1 down"], ""),
    ] {
        vmapi.add(&format!(
            r#"GET /vms?uuids={V0},{W0},{other}&limit=1000 -> 200 [{{"uuid":"{W0}","state":"{}"}},{{"uuid":"{other}","state":"{}"}}]"#,
            states[0], states[1]
        ));
        let instances = [
            instance("d1", V0, "vmapi0", &vmapi.address),
            instance("d2", W0, "workflow0", &workflow.address),
            instance("d2", other, "workflow1", "192.0.2.1"),
        ];
        let told = Script::new(&sapi("", &instances.join(",")));
        let before = vmapi.lines().len();
        let said = admin(home.path(), &[("SAPI_URL", &told.address)], "health -H -o service,instance,state");
        let shown: Vec<String> =
            said.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(shown[2..], rows, "{states:?}: {said:?}");
        assert_eq!(said.code, u8::from(rows.iter().any(|row| row.ends_with("down"))), "{said:?}");
        assert!(said.err.contains(noted), "{said:?}");
        assert!(said.err.contains("napi has no instance in SAPI"), "{said:?}");
        assert_eq!(vmapi.lines()[before..].iter().filter(|line| line.contains("/ping")).count(), 1, "once");
    }
}

#[test]
fn an_instance_whose_vm_is_not_known_is_named_and_never_asked_for_at_the_name_of_the_service() {
    let home = tempfile::tempdir().unwrap();
    let (vmapi, workflow) = (Script::new(VMAPI_PING), Script::new(WORKFLOW_PING));
    let other = "f1f3a4b5-c6d7-4e8f-99a0-1b2c3d4e5f60";
    let asked = |place: &str, words: &str| {
        let nics = if place.is_empty() { String::new() } else { format!(r#"{{"nic_tag":"admin","ip":"{place}"}}"#) };
        let known = if place.is_empty() {
            String::new()
        } else {
            format!(r#"{{"uuid":"{W0}","state":"running","nics":[{nics}]}}"#)
        };
        vmapi.add(&format!("GET /vms?uuids={V0},{W0},{other}&limit=1000 -> 200 [{known}]"));
        let instances = [
            instance("d1", V0, "vmapi0", &vmapi.address),
            instance("d2", W0, "workflow0", ""),
            instance("d2", other, "workflow1", ""),
        ];
        let told = Script::new(&sapi("", &instances.join(",")));
        admin(home.path(), &[("SAPI_URL", &told.address)], words)
    };
    let note = "workflow1: its VM is not known to VMAPI";
    let said = asked(&workflow.address, "discover");
    assert!(said.err.contains(&format!("workflow: {note}")), "{said:?}");
    let said = asked(&workflow.address, "health");
    assert!(said.err.contains(note) && !said.out.contains("workflow1"), "{said:?}");
    assert_eq!(said.code, 0, "{said:?}");
    // Where none is left, the service is down for that.
    let said = asked("", "health -H -o instance,state,why");
    let row = said.out.lines().find(|line| line.starts_with("workflow1")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>().join(" "), "workflow1 down its VM is not known to VMAPI");
    assert_eq!((said.code, said.out.contains("nowhere.invalid")), (1, false), "{said:?}");
}

#[test]
fn health_asks_a_service_that_only_its_admin_ips_tell_of() {
    let home = tempfile::tempdir().unwrap();
    let (vmapi, workflow) = (Script::new(VMAPI_PING), Script::new(WORKFLOW_PING));
    vmapi.add(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []"));
    let metadata = format!(r#","workflow_admin_ips":"{}""#, workflow.address);
    let told = Script::new(&sapi(&metadata, &instance("d1", V0, "vmapi0", &vmapi.address)));
    let said = admin(home.path(), &[("SAPI_URL", &told.address)], "health -H -o service,state,url").well();
    let row: Vec<&str> = said.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(row, ["workflow", "up", &format!("http://{}", workflow.address)], "{said}");
}

#[test]
fn an_account_is_shown_by_its_id_and_by_its_login() {
    let home = tempfile::tempdir().unwrap();
    let account = filled(r#"200 {"account":{"uuid":"$A","login":"alice@example.com"},"roles":{}}"#);
    let mahi = Script::new(&filled(&format!(
        "GET /accounts?login=alice@example.com -> {account}
        GET /accounts/$A -> {account}
        GET /accounts/$A -> {account}
        GET /accounts?login=bob -> 404 {{\"code\":\"AccountDoesNotExist\",\"message\":\"bob does not exist\"}}"
    )));
    let get = |who: &str| {
        let words = filled(&format!("accounts get {who} -H -o uuid,login"));
        admin(home.path(), &[("MAHI_URL", &mahi.address)], &words)
    };
    for who in ["alice@example.com", "$A"] {
        assert_eq!(get(who).well(), filled("$A  alice@example.com\n"));
    }
    assert!(get("bob").failed(3).contains("no account named 'bob'"));
    mahi.done();
    let said = admin(home.path(), &[], "accounts get --help").well();
    assert!(said.contains("Account: id or login") && !said.contains("ACCOUNTID"), "{said}");
}

#[test]
fn a_package_is_deleted_only_by_force() {
    let home = tempfile::tempdir().unwrap();
    let papi = Script::new(&filled("DELETE /packages/$B?force=true -> 204"));
    let run = |words: &str| admin(home.path(), &[("PAPI_URL", &papi.address)], &filled(words));
    for words in ["packages delete $B", "packages delete $B --yes"] {
        let said = run(words).failed(2);
        assert!(said.contains("--force"), "{said}");
    }
    assert!(papi.lines().is_empty());
    run("packages delete $B --force").well();
    papi.done();
}

/// The folder of the settings, with this file.
fn settings(home: &std::path::Path, text: &str) -> String {
    let folder = home.join("settings");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("sdc.yaml"), text).unwrap();
    folder.display().to_string()
}

#[test]
fn each_data_center_of_the_settings_has_its_own_services() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (Script::new(""), Script::new(""));
    let folder = settings(
        home.path(),
        &format!(
            "profiles:\n  dc1: {{services: [vmapi={}]}}\n  dc2: {{sapi: nowhere.invalid, services: vmapi={}}}\n",
            one.address, two.address
        ),
    );
    let list = "GET /vms?state=active&limit=1000 -> 200 []";
    let vars = [("SDC_CONFIG_DIR", folder.as_str())];
    one.add(list);
    admin(home.path(), &vars, "vms list --profile dc1").well();
    two.add(list);
    admin(home.path(), &[vars[0], ("SDC_PROFILE", "dc2")], "vms list").well();
    // What is typed or a variable says comes before it.
    one.add(&format!("{list}\n{list}"));
    admin(home.path(), &vars, &format!("vms list --profile dc2 --service vmapi={}", one.address)).well();
    admin(home.path(), &[vars[0], ("VMAPI_URL", &one.address)], "vms list --profile dc2").well();
    one.done();
    two.done();
    let words = admin(home.path(), &vars, "vms list --profile dc3").failed(2);
    assert!(words.contains("dc3"), "{words}");
    let folder = settings(home.path(), "sapi: a b\nservices: vmapi\n");
    let words = admin(home.path(), &[("SDC_CONFIG_DIR", &folder)], "vms list").failed(2);
    assert!(words.contains("sdc.yaml:2: services: 'vmapi' does not say where a service is"), "{words}");
}

#[test]
fn a_sapi_that_is_typed_is_not_mixed_with_addresses_of_another_data_center() {
    let home = tempfile::tempdir().unwrap();
    let other = Script::new("");
    let vmapi = Script::new(VMAPI_PING);
    vmapi.add(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []\n* GET /vms?state=active&limit=1000 -> 200 []"));
    let told = Script::new(
        &sapi("", &instance("d1", V0, "vmapi0", &vmapi.address)).replace("GET /", "* GET /").replace("* * ", "* "),
    );
    let folder =
        settings(home.path(), &format!("profiles:\n  dc1: {{sapi: {0}, services: [vmapi={0}]}}\n", other.address));
    let (dir, variable) = (("SDC_CONFIG_DIR", folder.as_str()), ("VMAPI_URL", other.address.as_str()));
    let (typed, profile) = (format!("vms list --json --sapi {}", told.address), ("SDC_PROFILE", "dc1"));
    let environment = ("SDC_SAPI_URL", told.address.as_str());
    for (vars, words, due) in [
        (vec![variable], &*typed, "VMAPI_URL is not used, for --sapi says which data center is meant"),
        (vec![dir, profile], &typed, "sdc.yaml:2: services is not used, for --sapi says"),
        (vec![dir, profile, environment], "vms list --json", "services is not used, for SDC_SAPI_URL says"),
    ] {
        let said = admin(home.path(), &vars, words);
        assert_eq!(said.err.matches(due).count(), 1, "{due}: {}", said.err);
        assert_eq!(said.well(), "[]\n");
    }
    assert!(other.lines().is_empty(), "{:?}", other.lines());
    // What is typed for one service counts, and so do variables that speak of the same data center.
    other.add("* GET /vms?state=active&limit=1000 -> 200 []");
    let both = format!("{typed} --service vmapi={}", other.address);
    for (vars, words) in [
        (vec![], &*both),
        (vec![variable, environment], "vms list --json"),
        (vec![variable, environment], &typed),
        (vec![variable, dir, profile], "vms list --json"),
    ] {
        let said = admin(home.path(), &vars, words);
        assert_eq!(said.err, "", "{words}");
        said.well();
    }
    assert_eq!(other.lines().len(), 4);
}

#[test]
fn a_headnodes_file_says_where_sapi_is() {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(VMAPI_PING);
    vmapi.add(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []\nGET /vms?state=active&limit=1000 -> 200 []"));
    let told = Script::new(&sapi("", &instance("d1", V0, "vmapi0", &vmapi.address)));
    let file = home.path().join("config");
    std::fs::write(&file, format!("datacenter_name=dc1\nsapi_admin_ips={}\n", told.address)).unwrap();
    admin(home.path(), &[], &format!("vms list --sapi {}", file.display())).well();
    told.done();
    told.add(&sapi("", &instance("d1", V0, "vmapi0", &vmapi.address)));
    let folder = settings(home.path(), "sapi: ~/config\n");
    let said = admin(home.path(), &[("SDC_CONFIG_DIR", &folder)], "discover --json");
    assert!(said.out.contains(&format!("sapi_admin_ips of {}", file.display())), "{}", said.out);
    std::fs::write(&file, "{}").unwrap();
    let words = admin(home.path(), &[], &format!("vms list --sapi {}", file.display())).failed(2);
    assert!(words.contains("(--sapi): it does not say where SAPI is"), "{words}");
    let words = admin(home.path(), &[("SAPI_URL", "./gone")], "vms list").failed(2);
    assert!(words.contains("gone (SAPI_URL): cannot be read"), "{words}");
}

#[test]
fn a_doctor_tells_what_does_not_answer_within_its_limit() {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(VMAPI_PING);
    vmapi.add(&format!("* GET /vms?uuids={V0},{W0}&limit=1000 -> 200 []"));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let instances = [instance("d1", V0, "vmapi0", &vmapi.address), instance("d2", W0, "workflow0", &gone)].join(",");
    let told = Script::new(&sapi("", &instances).replace("GET /", "* GET /").replace("* * ", "* "));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "doctor --json");
    let rows: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let rows: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["status"], row["check"], row["message"]).replace('"', ""))
        .collect();
    let has = |begin: &str| assert!(rows.iter().any(|row| row.starts_with(begin)), "{begin}: {rows:#?}");
    has(&format!("ok address SAPI is at http://{} (SDC_SAPI_URL)", told.address));
    has("ok vmapi answers at");
    has("fail workflow is installed, and answers nowhere");
    has("note napi has no instance in SAPI");
    has("ok vmapi0 up");
    has("fail workflow0 down");
    assert_eq!(said.code, 1);
    // One that takes connections and never answers, and no SAPI at all.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let begun = std::time::Instant::now();
    let at = silent.local_addr().unwrap().to_string();
    let said = admin(home.path(), &[("SDC_SAPI_URL", &at)], "doctor --json --timeout 1s");
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(said.out.contains("not done after 1s") && said.out.trim_end().ends_with(']'), "{}", said.out);
    assert_eq!(said.code, 1);
    let said = admin(home.path(), &[], "doctor --json");
    assert!(said.out.contains("the address of SAPI is not known"), "{}", said.out);
    assert_eq!(said.code, 1);
    let said = admin(home.path(), &[("SDC_SAPI_URL", "ftp://x")], "doctor");
    assert!(said.out.contains("neither an http nor an https address"), "{}", said.out);
    assert_eq!(said.code, 1);
}

#[test]
fn a_vmapi_that_hangs_is_waited_for_a_few_seconds_and_that_is_said() {
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = hanging.local_addr().unwrap().to_string();
    let workflow = Script::new(WORKFLOW_PING);
    let own = [instance("d1", V0, "vmapi0", &address), instance("d2", W0, "workflow0", &workflow.address)].join(",");
    // Of the second one nobody knows the address, and the name of its service is not that of it.
    let alone = [instance("d1", V0, "vmapi0", &address), instance("d2", W0, "workflow0", "")].join(",");
    for (words, instances, said_so) in [
        ("discover", &own, "it has not answered for 5s"),
        ("health", &alone, "its address is not known"),
        ("doctor", &alone, "down: its address is not known"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let lines = sapi("", instances);
        let told = Script::new(&[lines.as_str(); 2].join("\n"));
        let begun = std::time::Instant::now();
        let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], words);
        assert!(begun.elapsed() < std::time::Duration::from_secs(13), "{words}: {:?}", begun.elapsed());
        let waiting = format!("waiting for VMAPI at http://{address}, which has not answered for 4s");
        assert!(said.err.contains(&waiting), "{words}: {}", said.err);
        assert_eq!(said.err.matches(&waiting).count(), 1, "{words}: {}", said.err);
        assert!(format!("{}{}", said.out, said.err).contains(said_so), "{words}: {said:?}");
        assert_eq!(said.code, 1, "{words}: {said:?}");
    }
    // Whoever names VMAPI is told of it too.
    let home = tempfile::tempdir().unwrap();
    let told = Script::new(&sapi("", &own));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address), ("VMAPI_URL", &address)], "discover");
    assert!(said.err.contains("waiting for VMAPI"), "{}", said.err);
}
