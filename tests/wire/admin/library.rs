//! The library's data center against scripts of answers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use sdc::admin::{DataCenter, Given, Machine, WaitOptions};
use sdc::error::Kind;
use sdc::request::{Arg, Args};

use super::discovery::{V0, VMAPI_PING, instance, sapi};
use super::script::Script;
use super::{J, K, V, filled};

/// The data center whose services are at these addresses.
fn at(places: &[(&str, &str)]) -> DataCenter {
    let mut given = Given::default();
    for (name, place) in places {
        given.add(name, place, "a test").unwrap();
    }
    DataCenter::of(given, None)
}

fn vm(state: &str) -> String {
    format!(r#"{{"uuid":"$V","alias":"web0","brand":"joyent","state":"{state}"}}"#)
}

fn job(execution: &str, more: &str) -> String {
    format!(r#"{{"uuid":"$J","name":"reboot-7.0.6","execution":"{execution}","params":{{"task":"reboot"}}{more}}}"#)
}

const WRONG: &str = r#","chain_results":[{"name":"cnapi.wait_task","result":"","error":{"message":"no such server"}}]"#;
const SHORT: WaitOptions = WaitOptions { timeout: Duration::from_secs(10) };

async fn machine(dc: &DataCenter) -> Machine<'_> {
    dc.get_machine(V).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_wait_for_a_state_that_a_vm_has_already_waits_for_the_job_of_the_change_too() {
    let vmapi = Script::new(&filled(&format!(
        "* GET /vms/$V -> 200 {}\nPOST /vms/$V?action=reboot -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}",
        vm("running")
    )));
    let lines = [job("queued", ""), job("running", ""), job("succeeded", "")];
    let lines = lines.map(|job| format!("GET /jobs/$J -> 200 {job}")).join("\n");
    let workflow = Script::new(&filled(&lines));
    let dc = at(&[("vmapi", &vmapi.address), ("workflow", &workflow.address)]);
    let vm = machine(&dc).await;
    assert_eq!(vm.reboot().await.unwrap(), J);
    assert_eq!(vm.wait_until("running", SHORT).await.unwrap().uuid(), V);
    workflow.done();
}

#[tokio::test]
async fn a_wait_ends_with_the_job_that_fails_though_the_vm_is_as_it_was_wanted() {
    let vmapi = Script::new(&filled(&format!(
        "* GET /vms/$V -> 200 {}\nPOST /vms/$V?action=reboot -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
        * GET /jobs/$J -> 200 {}",
        vm("running"),
        job("failed", WRONG)
    )));
    // Where workflow is not known VMAPI tells of the job, and one that was retried is followed by its name.
    let workflow = Script::new(&filled(&format!(
        "GET /jobs/$J -> 200 {}\nGET /jobs/$K -> 200 {}",
        job("retried", r#","next_attempt":"$K""#),
        job("failed", WRONG).replace("$J", "$K"),
    )));
    for dc in [at(&[("vmapi", &vmapi.address)]), at(&[("vmapi", &vmapi.address), ("workflow", &workflow.address)])] {
        vmapi.add(&filled("POST /vms/$V?action=reboot -> 202 {\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}"));
        let vm = machine(&dc).await;
        vm.reboot().await.unwrap();
        let error = vm.wait_until("running", SHORT).await.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), Kind::FailedState);
        assert!(error.message().contains("the reboot of VM web0 failed in cnapi.wait_task: no such server"), "{error}");
    }
    workflow.done();
}

#[tokio::test]
async fn a_vm_that_is_destroyed_is_so_though_the_last_attempt_of_its_deletion_failed() {
    for (state, due) in [("destroyed", None), ("running", Some(Kind::FailedState))] {
        for execution in ["failed", "retried"] {
            let vmapi = Script::new(&filled(&format!(
                "GET /vms/$V -> 200 {}\nDELETE /vms/$V -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
                * GET /vms/$V -> 200 {}",
                vm("running"),
                vm(state)
            )));
            let workflow = Script::new(&filled(&format!("* GET /jobs/$J -> 200 {}", job(execution, WRONG))));
            let dc = at(&[("vmapi", &vmapi.address), ("workflow", &workflow.address)]);
            let vm = machine(&dc).await;
            vm.delete().await.unwrap();
            let soon = WaitOptions { timeout: Duration::from_secs(20) };
            let end = vm.wait_until("destroyed", soon).await;
            assert_eq!(end.err().map(|error| error.kind()), due, "{state}, {execution}");
        }
    }
}

#[tokio::test]
async fn a_state_on_the_way_counts_at_once() {
    let vmapi = Script::new(&filled(&format!(
        "* GET /vms/$V -> 200 {}\nPOST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}",
        vm("stopping")
    )));
    let workflow = Script::new(&filled(&format!("* GET /jobs/$J -> 200 {}", job("running", ""))));
    let dc = at(&[("vmapi", &vmapi.address), ("workflow", &workflow.address)]);
    let stopping = machine(&dc).await;
    stopping.stop().await.unwrap();
    stopping.wait_until("stopping", SHORT).await.unwrap();
    stopping.wait_while("running", SHORT).await.unwrap();
}

#[tokio::test]
async fn a_job_that_vmapi_has_named_and_workflow_does_not_show_has_not_ended() {
    let vmapi = Script::new(&filled(&format!(
        "* GET /vms/$V -> 200 {}\n* POST /vms/$V?action=reboot -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}",
        vm("running")
    )));
    let gone = r#"GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    // It need not be known there at once.
    let running = format!("GET /jobs/$J -> 200 {}", job("running", ""));
    for (ended, due) in [(job("succeeded", ""), None), (job("failed", WRONG), Some(Kind::FailedState))] {
        let workflow = Script::new(&filled(&format!("{gone}\n{gone}\n{running}\nGET /jobs/$J -> 200 {ended}")));
        let dc = at(&[("vmapi", &vmapi.address), ("workflow", &workflow.address)]);
        let vm = machine(&dc).await;
        vm.reboot().await.unwrap();
        assert_eq!(vm.wait_until("running", SHORT).await.err().map(|error| error.kind()), due);
        workflow.done();
    }
    // It may be that of another data center.
    let workflow = Script::new(&filled(&format!("* {gone}")));
    let dc = at(&[("vmapi", &vmapi.address), ("workflow", &workflow.address)]);
    let vm = machine(&dc).await;
    vm.reboot().await.unwrap();
    let soon = WaitOptions { timeout: Duration::from_secs(2) };
    let error = vm.wait_until("running", soon).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut, "{error}");
}

/// A VMAPI that goes away after it has shown its list once.
fn fleeting(list: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 4096];
            let length = stream.read(&mut asked).unwrap_or(0);
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            let answer = match asked.split(' ').nth(1) {
                Some("/ping") => VMAPI_PING.split_once("-> 200 ").unwrap().1,
                Some("/vms?limit=1000") => &list,
                Some(_) => "[]",
                None => continue,
            };
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            if asked.contains("/vms?limit=1000") {
                return;
            }
        }
    });
    address
}

#[tokio::test]
async fn a_service_that_has_moved_is_looked_up_once_more() {
    let old = fleeting(filled(&format!("[{}]", vm("running"))));
    let two = format!("[{},{}]", vm("running"), vm("stopped").replace("$V", "$W"));
    let new = Script::new(VMAPI_PING);
    new.add(&filled(&format!("* GET /vms?uuids={V0}&limit=1000 -> 200 []\n* GET /vms?limit=1000 -> 200 {two}")));
    let told = Script::new(&sapi("", &instance("d1", V0, "vmapi0", &old)));
    let dc = DataCenter::discover(&told.address).await.unwrap();
    assert_eq!(dc.list_machines(&Args::new()).await.unwrap().len(), 1);
    told.add(&sapi("", &instance("d1", V0, "vmapi0", &new.address)));
    assert_eq!(dc.list_machines(&Args::new()).await.unwrap().len(), 2);
    told.done();
    // One that was given is nowhere else.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = at(&[("vmapi", &gone)]).list_machines(&Args::new()).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}

#[tokio::test]
async fn a_job_is_created_by_the_name_of_its_workflow() {
    let made = job("queued", "");
    let workflow = Script::new(&filled(&format!(
        "GET /workflows -> 200 [{{\"uuid\":\"$K\",\"name\":\"reap-1.0.0\"}}]
        POST /jobs {{\"workflow\":\"$K\",\"target\":\"/reap-$V\",\"params\":{{\"vm_uuid\":\"$V\",\"deep\":true}}}} -> 201 {made}
        POST /jobs {{\"workflow\":\"$K\",\"target\":\"/reap-$V\"}} -> 409 {{\"code\":\"InvalidArgument\",\"message\":\"Another job with the same target and params is already queued\"}}
        POST /jobs {{\"workflow\":\"$K\",\"target\":\"x\"}} -> 500 {{\"code\":\"InternalError\",\"message\":\"oops\"}}"
    )));
    let dc = at(&[("workflow", &workflow.address)]);
    let target = Args::new().set("target", format!("/reap-{V}"));
    let mut fields = target.clone();
    fields.push("params", Arg::json(&format!(r#"{{"vm_uuid":"{V}","deep":true}}"#)).unwrap());
    let job = dc.create_job("reap-1.0.0", &fields).await.unwrap();
    assert_eq!(job.first().unwrap().text("/uuid").unwrap(), J);
    let error = dc.create_job(K, &target).await.unwrap_err();
    assert!(error.message().contains("already queued") && !error.is_in_doubt(), "{error}");
    let error = dc.create_job(K, &Args::new().set("target", "x")).await.unwrap_err();
    assert!(error.is_in_doubt(), "{error}");
    workflow.done();
}

#[tokio::test]
async fn a_program_deletes_no_nic_on_the_word_of_a_vmapi_that_knows_too_few_vms() {
    use sdc::api::admin::{NAPI, VMAPI};
    use sdc::tasks::orphan_nics;
    let nic = r#"{"belongs_to_type":"zone","belongs_to_uuid":"$V","mac":"90:b8:d0:00:00:03","state":"stopped","created_timestamp":"2026-03-02T10:15:00.300Z"}"#;
    let client = |service, script: &Script| {
        sdc::Client::builder().service(service).url(format!("http://{}", script.address)).build().unwrap()
    };
    let napi = Script::new(&filled(&format!("GET /nics?belongs_to_type=zone&limit=1000 -> 200 [{nic}]")));
    let vmapi = Script::new(&filled("GET /vms?uuids=$V&limit=1000 -> 200 []"));
    let (at_napi, at_vmapi) = (client(&NAPI, &napi), client(&VMAPI, &vmapi));
    let found = orphan_nics::find(&at_napi, &at_vmapi, "2026-04-02T10:15:00Z".parse().unwrap()).await.unwrap();
    let error = orphan_nics::delete(&at_napi, &at_vmapi, &found, &found.orphans[0]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.message().contains("VMAPI knows none of the 1 VMs"), "{error}");
    // Nothing more was asked of either.
    assert_eq!((napi.lines().len(), vmapi.lines().len()), (1, 1));
}
