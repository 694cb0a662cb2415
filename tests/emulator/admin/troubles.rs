//! What operators meet: servers that are not heard from, interfaces that are left behind, refusals that pass, and jobs
//! that do not say how they ended.

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::super::ssh_keygen_interop::{get as customer, options};
use super::{ACME, PRIVATE, WEB1, ask, get, later, made, send, start, zone};

/// The server of the demo's VMs.
const CN: &str = "44454c4c-3200-1042-8050-b6c04f4e3232";

fn plant(emulator: &Emulator, fault: &str) {
    emulator.add_fault(fault.parse().unwrap());
}

async fn vm(emulator: &Emulator, uuid: &str) -> Value {
    get(emulator, "vmapi", &format!("/vms/{uuid}")).await.json()
}

async fn act(emulator: &Emulator, vm: &str, action: &str) -> String {
    let got = ask(emulator, "vmapi", "POST", &format!("/vms/{vm}?action={action}"), &json!({})).await;
    assert_eq!(got.status, 202, "{action}: {:?}", got.json());
    got.json()["job_uuid"].as_str().unwrap().to_owned()
}

async fn job(emulator: &Emulator, uuid: &str) -> Value {
    get(emulator, "workflow", &format!("/jobs/{uuid}")).await.json()
}

/// The names of the steps that are over, and the error of the last one.
fn steps(job: &Value) -> (Vec<&str>, &Value) {
    let results = job["chain_results"].as_array().unwrap();
    (results.iter().map(|step| step["name"].as_str().unwrap()).collect(), &results.last().unwrap()["error"])
}

async fn nics_of(emulator: &Emulator, vm: &str) -> Vec<Value> {
    get(emulator, "napi", &format!("/nics?belongs_to_uuid={vm}")).await.json().as_array().unwrap().clone()
}

#[tokio::test]
async fn jobs_wait_for_a_server_that_is_not_heard_from_and_go_on_when_it_is() {
    let emulator = start().await;
    plant(&emulator, "lost=cn0");
    let server = get(&emulator, "cnapi", &format!("/servers/{CN}")).await.json();
    assert_eq!(server["status"], "unknown");
    assert!(server["last_heartbeat"].is_string(), "it says since when");
    // What is known of the VM is the last that was.
    assert_eq!(
        (&vm(&emulator, WEB1).await["state"], &server["vms"][WEB1]["state"]),
        (&json!("running"), &json!("running"))
    );
    let (stop, begin) = (act(&emulator, WEB1, "stop").await, act(&emulator, WEB1, "start").await);
    later(&emulator, 60_000);
    let waiting = job(&emulator, &stop).await;
    assert_eq!((&waiting["execution"], steps(&waiting).0.last()), (&json!("running"), Some(&"cnapi.stop_vm")));
    let behind = job(&emulator, &begin).await;
    assert_eq!((&behind["execution"], steps(&behind).0.last()), (&json!("running"), Some(&"cnapi.acquire_vm_ticket")));
    assert_eq!(vm(&emulator, WEB1).await["state"], "running");
    let seen = customer(&emulator, &format!("/acme/machines/{WEB1}")).await.json();
    assert_eq!(seen["state"], "running");
    let tickets = get(&emulator, "cnapi", &format!("/servers/{CN}/tickets")).await.json();
    let held: Vec<&Value> =
        tickets.as_array().unwrap().iter().filter(|one| one["id"] == WEB1).map(|one| &one["status"]).collect();
    assert_eq!(held, ["active", "queued"]);
    let asked = get(&emulator, "vmapi", &format!("/vms/{WEB1}/proc")).await;
    assert_eq!((asked.status, asked.code()), (409, "ServerNotRunning".to_owned()));
    // Nothing is placed on it.
    for number in 0..4 {
        let got = ask(&emulator, "vmapi", "POST", "/vms", &zone(&format!("elsewhere{number}"))).await.json();
        assert_ne!(vm(&emulator, got["vm_uuid"].as_str().unwrap()).await["server_uuid"], CN);
    }
    plant(&emulator, "heard=cn0");
    let server = get(&emulator, "cnapi", &format!("/servers/{CN}")).await.json();
    assert_eq!(server["status"], "running");
    assert_eq!(vm(&emulator, WEB1).await["state"], "stopping");
    later(&emulator, 1500);
    assert_eq!(
        (&job(&emulator, &stop).await["execution"], &vm(&emulator, WEB1).await["state"]),
        (&json!("succeeded"), &json!("stopped"))
    );
    later(&emulator, 1000);
    assert_eq!(
        (&job(&emulator, &begin).await["execution"], &vm(&emulator, WEB1).await["state"]),
        (&json!("succeeded"), &json!("running"))
    );
}

#[tokio::test]
async fn what_has_begun_waits_too_over_a_restart_and_ends_when_it_has_taken_too_long() {
    let dir = tempfile::tempdir().unwrap();
    let state_file = Some(dir.path().join("state.json"));
    let begin = || Options { pace: Pace::Stepped, admin: true, state_file: state_file.clone(), ..options() };
    let emulator = Emulator::start(begin()).await.unwrap();
    let (stop, update) = (act(&emulator, WEB1, "reboot").await, {
        let body = json!({ "alias": "front" });
        let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=update"), &body).await.json();
        got["job_uuid"].as_str().unwrap().to_owned()
    });
    later(&emulator, 300);
    plant(&emulator, &format!("lost={CN}"));
    later(&emulator, 5000);
    emulator.stop().await.unwrap();
    let emulator = Emulator::start(begin()).await.unwrap();
    assert_eq!(job(&emulator, &stop).await["execution"], "running");
    assert_eq!(vm(&emulator, WEB1).await["state"], "running", "it is not down before its server says so");
    later(&emulator, 590_000);
    let late = job(&emulator, &stop).await;
    assert_eq!(
        (&late["execution"], steps(&late)),
        (
            &json!("failed"),
            (
                vec![
                    "common.validate_params",
                    "common.setup_request",
                    "cnapi.acquire_vm_ticket",
                    "cnapi.wait_on_vm_ticket",
                    "common.ensure_vm_state",
                    "cnapi.reboot_vm",
                    "cnapi.wait_task",
                ],
                &json!("workflow timeout"),
            )
        )
    );
    plant(&emulator, "heard=cn0");
    later(&emulator, 1000);
    // The other one waited for its ticket alone, and not so long.
    let late = job(&emulator, &update).await;
    assert_eq!(
        steps(&late),
        (
            vec![
                "common.validate_params",
                "common.setup_request",
                "cnapi.acquire_vm_ticket",
                "cnapi.wait_on_vm_ticket"
            ],
            &json!("workflow timeout"),
        )
    );
    let again =
        ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=update"), &json!({ "alias": "front" })).await;
    assert_eq!(again.status, 202);
    later(&emulator, 1000);
    assert_eq!(
        (&vm(&emulator, WEB1).await["state"], &vm(&emulator, WEB1).await["alias"]),
        (&json!("running"), &json!("front"))
    );
}

#[tokio::test]
async fn sapi_can_have_the_vms_of_such_a_server_shown_as_unknown() {
    let emulator = start().await;
    let service = get(&emulator, "sapi", "/services?name=vmapi").await.json();
    let path = format!("/services/{}", service[0]["uuid"].as_str().unwrap());
    let on = json!({ "metadata": { "server_state_affects_vm_state": true } });
    assert_eq!(ask(&emulator, "sapi", "PUT", &path, &on).await.status, 200);
    assert_eq!(vm(&emulator, WEB1).await["state"], "running");
    plant(&emulator, "lost=cn0");
    assert_eq!(vm(&emulator, WEB1).await["state"], "unknown");
    let listed = get(&emulator, "vmapi", &format!("/vms?uuid={WEB1}")).await.json();
    assert_eq!(listed[0]["state"], "unknown");
    assert_eq!(customer(&emulator, &format!("/acme/machines/{WEB1}")).await.json()["state"], "unknown");
    // The map of states is the last that was known all the same.
    let statuses = get(&emulator, "vmapi", &format!("/statuses?uuids={WEB1}")).await.json();
    assert_eq!(statuses, json!({ WEB1: "running" }));
}

#[tokio::test]
async fn what_a_failed_provision_leaves_behind_depends_on_how_far_it_got() {
    for (step, left, state) in [
        ("cnapi.ensure_image", 0, "failed"),
        ("cnapi.provision_vm", 0, "failed"),
        ("cnapi.wait_task", 1, "failed"),
        ("fwapi.update", 1, "running"),
    ] {
        let emulator = start().await;
        plant(&emulator, &format!("POST /vms fail={step}"));
        let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("half")).await.json();
        later(&emulator, 5000);
        let uuid = got["vm_uuid"].as_str().unwrap();
        assert_eq!(job(&emulator, got["job_uuid"].as_str().unwrap()).await["execution"], "failed");
        let half = vm(&emulator, uuid).await;
        assert_eq!((half["state"].as_str(), half["nics"].as_array().unwrap().len()), (Some(state), 1), "{step}");
        let nics = nics_of(&emulator, uuid).await;
        assert_eq!(nics.len(), left, "{step}: {nics:?}");
        let ip = half["nics"][0]["ip"].as_str().unwrap();
        let address = get(&emulator, "napi", &format!("/networks/{PRIVATE}/ips/{ip}")).await.json();
        assert_eq!(address["free"], left == 0, "{step}");
        // Whatever it is, it can be deleted, and then nothing is left.
        assert_eq!(ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &Value::Null).await.status, 202);
        later(&emulator, 5000);
        assert_eq!(
            (&vm(&emulator, uuid).await["state"], nics_of(&emulator, uuid).await.len()),
            (&json!("destroyed"), 0)
        );
    }
}

#[tokio::test]
async fn a_destroy_that_fails_behind_its_server_leaves_interfaces_that_napi_can_free() {
    for (step, state, left) in
        [("cnapi.destroy_vm", "running", 1), ("napi.remove_nics", "destroyed", 1), ("fwapi.update", "destroyed", 0)]
    {
        let emulator = start().await;
        let uuid = made(&emulator, "leaving").await;
        plant(&emulator, &format!("DELETE /vms/* fail={step}"));
        let gone = ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &Value::Null).await.json();
        later(&emulator, 5000);
        assert_eq!(job(&emulator, gone["job_uuid"].as_str().unwrap()).await["execution"], "failed");
        assert_eq!(vm(&emulator, &uuid).await["state"], state, "{step}");
        let nics = nics_of(&emulator, &uuid).await;
        assert_eq!(nics.len(), left, "{step}: {nics:?}");
        let Some(nic) = nics.first().filter(|_| state == "destroyed") else { continue };
        assert_eq!((&nic["owner_uuid"], &nic["belongs_to_type"]), (&json!(ACME), &json!("zone")));
        let (mac, ip) = (nic["mac"].as_str().unwrap().replace(':', ""), nic["ip"].as_str().unwrap());
        let path = format!("/networks/{PRIVATE}/ips/{ip}");
        assert_eq!(get(&emulator, "napi", &path).await.json()["belongs_to_uuid"], uuid.as_str());
        assert_eq!(ask(&emulator, "napi", "DELETE", &format!("/nics/{mac}"), &Value::Null).await.status, 204);
        assert_eq!(get(&emulator, "napi", &path).await.json()["free"], true);
    }
}

#[tokio::test]
async fn work_that_fails_behind_its_servers_part_is_done() {
    for (step, state) in
        [("cnapi.wait_task", "running"), ("vmapi.put_vm", "stopped"), ("cnapi.release_vm_ticket", "stopped")]
    {
        let emulator = start().await;
        plant(&emulator, &format!("POST /vms/* fail={step}"));
        let uuid = act(&emulator, WEB1, "stop").await;
        later(&emulator, 5000);
        let failed = job(&emulator, &uuid).await;
        assert_eq!((failed["execution"].as_str(), steps(&failed).0.last()), (Some("failed"), Some(&step)));
        assert_eq!(vm(&emulator, WEB1).await["state"], state, "{step}");
    }
}

#[tokio::test]
async fn the_same_request_is_refused_while_its_job_is_under_way() {
    let emulator = start().await;
    let one = "11111111-2222-4333-8444-555555555555";
    let stop = async |id: &str| {
        let headers = [("Content-Type", "application/json"), ("x-request-id", id)];
        send(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &headers, "{}").await
    };
    assert_eq!(stop(one).await.status, 202);
    let again = stop(one).await;
    let words = "Another job with the same target and params is already queued";
    assert_eq!((again.status, again.json()), (409, json!({ "code": "InvalidArgument", "message": words })));
    // Another request has other parameters.
    assert_eq!(stop("22222222-3333-4444-8555-666666666666").await.status, 202);
    // So do a snapshot that was refused and one that was not.
    let snapshot = async || {
        let headers = [("Content-Type", "application/json"), ("x-request-id", one)];
        let path = format!("/vms/{WEB1}?action=create_snapshot");
        send(&emulator, "vmapi", "POST", &path, &headers, "{\"snapshot_name\":\"s\"}").await
    };
    assert_eq!((snapshot().await.status, snapshot().await.status), (202, 409));
    later(&emulator, 60_000);
    assert_eq!(vm(&emulator, WEB1).await["snapshots"].as_array().unwrap().len(), 1);
    assert_eq!(stop(one).await.status, 202, "the first one has ended");
}

#[tokio::test]
async fn refusals_that_pass_have_the_words_of_the_services() {
    let emulator = start().await;
    for (word, status, code, message) in [
        ("deadlock", 500, "InternalError", "deadlock detected"),
        ("initializing", 503, "ServiceUnavailableError", "Server is still initializing"),
        ("loading", 503, "ServiceUnavailableError", "Initial network data not loaded"),
        ("queued", 409, "InvalidArgument", "Another job with the same target and params is already queued"),
        ("etag", 409, "EtagConflict", "the object has another etag than was expected"),
    ] {
        plant(&emulator, &format!("GET /networks refuse={word} times=1"));
        let got = get(&emulator, "napi", "/networks").await;
        assert_eq!((got.status, got.json()), (status, json!({ "code": code, "message": message })), "{word}");
        assert_eq!(get(&emulator, "napi", "/networks").await.status, 200);
    }
}

#[tokio::test]
async fn a_job_says_that_it_succeeded_though_its_last_result_is_an_error() {
    let emulator = start().await;
    plant(&emulator, "POST /vms/* fail says=succeeded times=1");
    let stop = act(&emulator, WEB1, "stop").await;
    later(&emulator, 5000);
    let said = job(&emulator, &stop).await;
    assert_eq!((&said["execution"], steps(&said).1), (&json!("succeeded"), &json!("the task failed on the server")));
    assert_eq!(vm(&emulator, WEB1).await["state"], "running");
    let waited = get(&emulator, "vmapi", &format!("/jobs/{stop}/wait")).await;
    assert_eq!((waited.status, waited.json()["chain_results"].as_array().unwrap().len()), (200, 7));
}

#[tokio::test]
async fn a_job_is_retried_by_another_one_that_names_it() {
    let emulator = start().await;
    plant(&emulator, "POST /vms/* fail=cnapi.stop_vm says=retried times=1");
    let first = act(&emulator, WEB1, "stop").await;
    later(&emulator, 1000);
    let before = job(&emulator, &first).await;
    assert_eq!(
        (&before["execution"], before.get("prev_attempt"), &before["num_attempts"]),
        (&json!("retried"), None, &json!(0))
    );
    let next = before["next_attempt"].as_str().unwrap().to_owned();
    let after = job(&emulator, &next).await;
    assert_eq!(
        (&after["execution"], &after["prev_attempt"], &after["num_attempts"], &after["name"]),
        (&json!("running"), &json!(first), &json!(1), &json!("stop-7.0.8"))
    );
    assert_eq!(vm(&emulator, WEB1).await["state"], "stopping");
    later(&emulator, 1000);
    assert_eq!(
        (&job(&emulator, &next).await["execution"], &vm(&emulator, WEB1).await["state"]),
        (&json!("succeeded"), &json!("stopped"))
    );
    // A VM in the making stays in the making.
    plant(&emulator, "POST /vms fail=cnapi.provision_vm says=retried times=1");
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("twice")).await.json();
    let uuid = got["vm_uuid"].as_str().unwrap();
    later(&emulator, 2500);
    assert_eq!(
        (&vm(&emulator, uuid).await["state"], nics_of(&emulator, uuid).await.len()),
        (&json!("provisioning"), 1)
    );
    later(&emulator, 2500);
    assert_eq!(vm(&emulator, uuid).await["state"], "running");
    let jobs = get(&emulator, "workflow", &format!("/jobs?vm_uuid={uuid}")).await.json();
    let said: Vec<&str> = jobs.as_array().unwrap().iter().map(|job| job["execution"].as_str().unwrap()).collect();
    assert_eq!(said, ["succeeded", "retried"]);
}
