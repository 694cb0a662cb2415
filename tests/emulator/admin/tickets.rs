//! What jobs wait for: tickets, which keep jobs of one VM apart, the tasks of servers, and runners of the workflow
//! service, which itself may be away for a while.

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::super::ssh_keygen_interop::options;
use super::{BUILD, WEB1, ask, get, later, made, start, zone};

/// The server of the demo's VMs.
const CN: &str = "44454c4c-3200-1042-8050-b6c04f4e3232";

fn plant(emulator: &Emulator, fault: &str) {
    emulator.add_fault(fault.parse().unwrap());
}

async fn state(emulator: &Emulator, vm: &str) -> Value {
    get(emulator, "vmapi", &format!("/vms/{vm}")).await.json()["state"].clone()
}

async fn act(emulator: &Emulator, vm: &str, action: &str) -> String {
    let got = ask(emulator, "vmapi", "POST", &format!("/vms/{vm}?action={action}"), &json!({})).await;
    assert_eq!(got.status, 202, "{action}: {:?}", got.json());
    got.json()["job_uuid"].as_str().unwrap().to_owned()
}

async fn job(emulator: &Emulator, uuid: &str) -> Value {
    get(emulator, "workflow", &format!("/jobs/{uuid}")).await.json()
}

async fn execution(emulator: &Emulator, uuid: &str) -> String {
    job(emulator, uuid).await["execution"].as_str().unwrap().to_owned()
}

/// The name of the last step that is over.
fn last(job: &Value) -> &str {
    job["chain_results"].as_array().unwrap().last().map_or("", |step| step["name"].as_str().unwrap())
}

/// The open tickets of the server.
async fn tickets(emulator: &Emulator) -> Vec<Value> {
    get(emulator, "cnapi", &format!("/servers/{CN}/tickets")).await.json().as_array().unwrap().clone()
}

/// What is said of each: its action and its status.
fn queue(tickets: &[Value]) -> Vec<(&str, &str)> {
    tickets.iter().map(|one| (one["action"].as_str().unwrap(), one["status"].as_str().unwrap())).collect()
}

/// Takes a ticket for a VM, which is good for so many seconds of the demo's time.
async fn take(emulator: &Emulator, vm: &str, seconds: i64) -> Value {
    let expires = jiff::Timestamp::from_millisecond(emulator.clock().now() + seconds * 1000).unwrap();
    let body = json!({ "scope": "vm", "id": vm, "expires_at": expires.to_string(), "action": "update" });
    let got = ask(emulator, "cnapi", "POST", &format!("/servers/{CN}/tickets"), &body).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    got.json()
}

async fn release(emulator: &Emulator, ticket: &Value) -> u16 {
    let path = format!("/tickets/{}/release", ticket.as_str().unwrap());
    ask(emulator, "cnapi", "PUT", &path, &json!({})).await.status
}

#[tokio::test]
async fn jobs_of_a_vm_take_tickets_and_run_one_after_the_other() {
    let emulator = start().await;
    let (stop, begin) = (act(&emulator, WEB1, "stop").await, act(&emulator, WEB1, "start").await);
    let open = tickets(&emulator).await;
    assert_eq!(queue(&open), [("stop", "active"), ("start", "queued")]);
    for (ticket, job) in open.iter().zip([&stop, &begin]) {
        assert_eq!(
            (&ticket["scope"], &ticket["id"], &ticket["server_uuid"], &ticket["extra"]["workflow_job_uuid"]),
            (&json!("vm"), &json!(WEB1), &json!(CN), &json!(job))
        );
        let path = format!("/tickets/{}", ticket["uuid"].as_str().unwrap());
        assert_eq!(get(&emulator, "cnapi", &path).await.json(), *ticket);
    }
    assert_eq!(last(&job(&emulator, &begin).await), "cnapi.acquire_vm_ticket");
    later(&emulator, 1000);
    assert_eq!(queue(&tickets(&emulator).await), [("start", "active")]);
    let path = format!("/tickets/{}", open[0]["uuid"].as_str().unwrap());
    assert_eq!(get(&emulator, "cnapi", &path).await.json()["status"], "finished");
    later(&emulator, 1000);
    assert_eq!((tickets(&emulator).await.len(), state(&emulator, WEB1).await), (0, json!("running")));
    // A job of another VM waits for none of these, and the provision of one has its ticket too.
    let (_, _) = (act(&emulator, WEB1, "stop").await, act(&emulator, BUILD, "start").await);
    ask(&emulator, "vmapi", "POST", "/vms", &zone("third")).await;
    let open = tickets(&emulator).await;
    assert!(queue(&open).iter().all(|(_, status)| *status == "active"), "{open:?}");
}

#[tokio::test]
async fn a_ticket_of_somebody_else_holds_the_jobs_behind_it_until_it_is_released() {
    let emulator = start().await;
    let before = act(&emulator, WEB1, "stop").await;
    let taken = take(&emulator, WEB1, 3600).await;
    assert_eq!(queue(taken["queue"].as_array().unwrap()), [("stop", "active"), ("update", "queued")]);
    let path = format!("/tickets/{}", taken["uuid"].as_str().unwrap());
    let waited = {
        let wait = format!("{path}/wait");
        tokio::join!(get(&emulator, "cnapi", &wait), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            later(&emulator, 1000);
        })
        .0
    };
    assert_eq!((waited.status, waited.body.len()), (204, 0), "it is the first now that the job has ended");
    assert_eq!(execution(&emulator, &before).await, "succeeded");
    let (behind, reboot) = (act(&emulator, WEB1, "start").await, act(&emulator, WEB1, "reboot").await);
    later(&emulator, 60_000);
    assert_eq!(queue(&tickets(&emulator).await), [("update", "active"), ("start", "queued"), ("reboot", "queued")]);
    let held = job(&emulator, &behind).await;
    assert_eq!((&held["execution"], last(&held)), (&json!("running"), "cnapi.acquire_vm_ticket"));
    assert_eq!(state(&emulator, WEB1).await, "stopped");
    assert_eq!(release(&emulator, &taken["uuid"]).await, 204);
    assert_eq!(get(&emulator, "cnapi", &path).await.json()["status"], "finished");
    later(&emulator, 1000);
    assert_eq!(
        (execution(&emulator, &behind).await, execution(&emulator, &reboot).await),
        ("succeeded".into(), "running".into())
    );
    later(&emulator, 500);
    assert_eq!(state(&emulator, WEB1).await, "ready", "the reboot is half done");
    later(&emulator, 500);
    assert_eq!((state(&emulator, WEB1).await, tickets(&emulator).await.len()), (json!("running"), 0));
}

#[tokio::test]
async fn a_ticket_that_nobody_releases_expires_and_a_job_that_waits_longer_fails() {
    let emulator = start().await;
    plant(&emulator, "ticket=web1");
    let stop = act(&emulator, WEB1, "stop").await;
    let open = tickets(&emulator).await;
    assert_eq!(queue(&open), [("provision", "active"), ("stop", "queued")]);
    assert!(open[0]["extra"]["workflow_job_uuid"].is_string(), "it says whose it was");
    // A stop may take 530 s, and the ticket is good for 600.
    let begin = {
        later(&emulator, 200_000);
        act(&emulator, WEB1, "start").await
    };
    later(&emulator, 331_000);
    let failed = job(&emulator, &stop).await;
    let error = failed["chain_results"].as_array().unwrap().last().unwrap()["error"].clone();
    assert_eq!(
        (&failed["execution"], last(&failed), error),
        (&json!("failed"), "cnapi.wait_on_vm_ticket", json!("workflow timeout"))
    );
    assert_eq!(
        (execution(&emulator, &begin).await, state(&emulator, WEB1).await),
        ("running".into(), json!("running"))
    );
    plant(&emulator, "ticket=build");
    let other = act(&emulator, BUILD, "start").await;
    later(&emulator, 70_000);
    let path = format!("/tickets/{}", open[0]["uuid"].as_str().unwrap());
    assert_eq!(get(&emulator, "cnapi", &path).await.json()["status"], "expired");
    // It began when the ticket expired, and not when somebody looked.
    let ended = job(&emulator, &begin).await;
    assert_eq!(ended["chain_results"].as_array().unwrap().last().unwrap()["name"], "common.ensure_vm_state");
    assert_eq!(execution(&emulator, &other).await, "running", "a ticket of another VM is nothing to it");
}

#[tokio::test]
async fn whoever_waits_for_a_ticket_is_told_when_it_expires_or_is_deleted() {
    let emulator = start().await;
    take(&emulator, WEB1, 3600).await;
    let (short, other) = (take(&emulator, WEB1, 60).await, take(&emulator, WEB1, 3600).await);
    let path = |ticket: &Value| format!("/tickets/{}", ticket["uuid"].as_str().unwrap());
    let waits = [format!("{}/wait", path(&short)), format!("{}/wait", path(&other))];
    let (expired, deleted, ()) =
        tokio::join!(get(&emulator, "cnapi", &waits[0]), get(&emulator, "cnapi", &waits[1]), async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            later(&emulator, 60_000);
            ask(&emulator, "cnapi", "DELETE", &path(&other), &Value::Null).await;
        });
    assert_eq!((expired.status, &expired.json()["message"]), (500, &json!("ticket has expired")));
    assert_eq!((deleted.status, &deleted.json()["message"]), (404, &json!("no such ticket")));
}

#[tokio::test]
async fn tickets_are_deleted_one_by_one_and_all_together() {
    let emulator = start().await;
    let (first, second) = (take(&emulator, WEB1, 3600).await, take(&emulator, WEB1, 3600).await);
    let rows = second["queue"].as_array().unwrap();
    assert_eq!(queue(rows), [("update", "active"), ("update", "queued")]);
    let stop = act(&emulator, WEB1, "stop").await;
    let path = format!("/tickets/{}", first["uuid"].as_str().unwrap());
    assert_eq!(ask(&emulator, "cnapi", "DELETE", &path, &Value::Null).await.status, 204);
    for (method, target) in [("GET", path.clone()), ("DELETE", path.clone()), ("PUT", format!("{path}/release"))] {
        let got = ask(&emulator, "cnapi", method, &target, &Value::Null).await;
        let words = format!("ticket {} not found", first["uuid"].as_str().unwrap());
        assert_eq!(
            (got.status, got.json()),
            (404, json!({ "code": "ResourceNotFound", "message": words })),
            "{method}"
        );
    }
    let wait = get(&emulator, "cnapi", &format!("{path}/wait")).await;
    assert_eq!((wait.status, &wait.json()["message"]), (404, &json!("no such ticket")));
    assert_eq!(queue(&tickets(&emulator).await), [("update", "active"), ("stop", "queued")]);
    let all = format!("/servers/{CN}/tickets");
    let refused = ask(&emulator, "cnapi", "DELETE", &all, &Value::Null).await;
    assert_eq!((refused.status, &refused.json()["code"]), (412, &json!("PreconditionFailed")));
    assert_eq!(refused.json()["message"], "Will not delete all tickets without ?force=true");
    assert_eq!(ask(&emulator, "cnapi", "DELETE", &format!("{all}?force=true"), &Value::Null).await.status, 204);
    assert_eq!(tickets(&emulator).await.len(), 0);
    later(&emulator, 1000);
    assert_eq!(execution(&emulator, &stop).await, "succeeded");
}

#[tokio::test]
async fn whoever_releases_the_ticket_of_a_job_lets_the_next_one_in() {
    let emulator = start().await;
    act(&emulator, WEB1, "create_snapshot").await;
    let stop = act(&emulator, WEB1, "stop").await;
    let open = tickets(&emulator).await;
    assert_eq!(release(&emulator, &open[0]["uuid"]).await, 204);
    assert_eq!(queue(&tickets(&emulator).await), [("stop", "active")]);
    later(&emulator, 1000);
    assert_eq!(execution(&emulator, &stop).await, "succeeded");
}

#[tokio::test]
async fn a_ticket_is_for_one_thing_on_one_server() {
    let emulator = start().await;
    let body = json!({ "scope": "vm", "id": WEB1, "expires_at": "2100-01-01T00:00:00.000Z" });
    let other = "44454c4c-3100-1039-8036-b4c04f4d3132";
    for server in ["default", other] {
        let got = ask(&emulator, "cnapi", "POST", &format!("/servers/{server}/tickets"), &body).await;
        assert_eq!((got.status, got.json()["queue"].as_array().unwrap().len()), (202, 1), "{server}");
        assert_eq!(get(&emulator, "cnapi", &format!("/servers/{server}/tickets")).await.json(), got.json()["queue"]);
    }
    let stop = act(&emulator, WEB1, "stop").await;
    later(&emulator, 1000);
    assert_eq!(execution(&emulator, &stop).await, "succeeded");
    let path = format!("/servers/{CN}/tickets");
    for (field, value) in [("scope", json!(7)), ("id", json!("")), ("expires_at", json!("soon")), ("extra", json!(1))] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let got = ask(&emulator, "cnapi", "POST", &path, &wrong).await;
        assert_eq!((got.status, super::errors(&got)), (500, vec![(field.to_owned(), "Invalid".to_owned())]));
    }
    let unknown = "11111111-2222-4333-8444-555555555555";
    let got = ask(&emulator, "cnapi", "POST", &format!("/servers/{unknown}/tickets"), &body).await;
    assert_eq!((got.status, &got.json()["message"]), (404, &json!(format!("Server {unknown} not found"))));
    let got = get(&emulator, "cnapi", &format!("{path}?foo=1")).await;
    assert_eq!((got.status, &got.json()["message"]), (409, &json!("foo is not an explicitly defined parameter")));
}

#[tokio::test]
async fn jobs_stay_queued_while_no_runner_is_free() {
    let emulator = start().await;
    let running = act(&emulator, WEB1, "stop").await;
    plant(&emulator, "runner=none");
    let begin = act(&emulator, WEB1, "start").await;
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("later")).await.json();
    let (vm, make) = (got["vm_uuid"].as_str().unwrap().to_owned(), got["job_uuid"].as_str().unwrap().to_owned());
    later(&emulator, 86_400_000);
    assert_eq!(execution(&emulator, &running).await, "succeeded", "it had its runner");
    for service in ["workflow", "vmapi"] {
        let queued = get(&emulator, service, "/jobs?execution=queued").await.json();
        let uuids: Vec<&str> = queued.as_array().unwrap().iter().map(|job| job["uuid"].as_str().unwrap()).collect();
        assert_eq!(uuids, [&make, &begin], "{service}");
        assert_eq!(queued[0]["chain_results"], json!([]));
        assert_eq!(get(&emulator, service, "/jobs?execution=running").await.json(), json!([]));
    }
    let held = job(&emulator, &begin).await;
    assert_eq!((&held["runner_id"], &held["elapsed"], held.get("started")), (&Value::Null, &json!(0.0), None));
    assert_eq!(get(&emulator, "workflow", "/stats").await.json()["all_time"]["queued"], 2);
    assert_eq!((state(&emulator, WEB1).await, state(&emulator, &vm).await), (json!("stopped"), json!("provisioning")));
    plant(&emulator, "runner=free");
    assert_eq!(execution(&emulator, &begin).await, "running");
    later(&emulator, 2000);
    assert_eq!((state(&emulator, WEB1).await, state(&emulator, &vm).await), (json!("running"), json!("running")));
    let done = job(&emulator, &begin).await;
    let first = done["chain_results"][0]["finished_at"].as_str().unwrap().to_owned();
    assert!(first.as_str() > done["created_at"].as_str().unwrap(), "it began when a runner took it: {first}");
}

#[tokio::test]
async fn a_queued_job_is_canceled_and_leaves_the_vm_alone() {
    let emulator = start().await;
    plant(&emulator, "runner=none");
    let stop = act(&emulator, WEB1, "stop").await;
    let got = ask(&emulator, "workflow", "POST", &format!("/jobs/{stop}/cancel"), &json!({})).await;
    assert_eq!((got.status, &got.json()["execution"]), (200, &json!("canceled")));
    assert_eq!(got.json()["chain_results"].as_array().unwrap().len(), 1, "those who read the audit need one");
    plant(&emulator, "runner=free");
    later(&emulator, 5000);
    assert_eq!(state(&emulator, WEB1).await, "running");
}

#[tokio::test]
async fn what_waits_for_a_ticket_on_a_lost_server_needs_both() {
    let emulator = start().await;
    plant(&emulator, "ticket=web1");
    let reboot = act(&emulator, WEB1, "reboot").await;
    plant(&emulator, "lost=cn0");
    plant(&emulator, "heard=cn0");
    assert_eq!(queue(&tickets(&emulator).await), [("provision", "active"), ("reboot", "queued")]);
    plant(&emulator, "lost=cn0");
    let ticket = tickets(&emulator).await[0]["uuid"].clone();
    assert_eq!(release(&emulator, &ticket).await, 204);
    later(&emulator, 60_000);
    assert_eq!(
        (execution(&emulator, &reboot).await, state(&emulator, WEB1).await),
        ("running".into(), json!("running"))
    );
    plant(&emulator, "heard=cn0");
    later(&emulator, 500);
    assert_eq!(state(&emulator, WEB1).await, "ready");
    later(&emulator, 500);
    assert_eq!(
        (execution(&emulator, &reboot).await, state(&emulator, WEB1).await),
        ("succeeded".into(), json!("running"))
    );
}

#[tokio::test]
async fn tickets_and_queued_jobs_outlast_the_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let begin = async || {
        let file = Some(folder.path().join("state.json"));
        Emulator::start(Options { pace: Pace::Stepped, admin: true, state_file: file, ..options() }).await.unwrap()
    };
    let emulator = begin().await;
    plant(&emulator, "ticket=web1");
    let stop = act(&emulator, WEB1, "stop").await;
    plant(&emulator, "runner=none");
    let start = act(&emulator, BUILD, "start").await;
    emulator.stop().await.unwrap();
    let emulator = begin().await;
    assert_eq!(
        (execution(&emulator, &stop).await, execution(&emulator, &start).await),
        ("running".into(), "queued".into())
    );
    let ticket = tickets(&emulator).await[0]["uuid"].clone();
    release(&emulator, &ticket).await;
    plant(&emulator, "runner=free");
    later(&emulator, 1000);
    assert_eq!(
        (execution(&emulator, &stop).await, execution(&emulator, &start).await),
        ("succeeded".into(), "succeeded".into())
    );
}

#[tokio::test]
async fn a_task_is_told_of_when_it_is_over_or_when_the_time_is() {
    let emulator = start().await;
    let stop = act(&emulator, WEB1, "stop").await;
    later(&emulator, 900);
    let seen = job(&emulator, &stop).await;
    let step = seen["chain_results"].as_array().unwrap().iter().find(|step| step["name"] == "cnapi.stop_vm").unwrap();
    let id = step["result"].as_str().unwrap().split(' ').nth(2).unwrap().to_owned();
    let task = get(&emulator, "cnapi", &format!("/tasks/{id}")).await.json();
    assert_eq!(
        (&task["id"], &task["task"], &task["status"]),
        (&json!(id), &json!("machine_shutdown"), &json!("active"))
    );
    assert!(task.get("history").is_none());
    let early = get(&emulator, "cnapi", &format!("/tasks/{id}/wait?timeout=0")).await;
    assert_eq!((early.status, &early.json()["status"]), (200, &json!("active")));
    let wait = format!("/tasks/{id}/wait?timeout=60");
    let (over, ()) = tokio::join!(get(&emulator, "cnapi", &wait), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        later(&emulator, 5000);
    });
    assert_eq!((over.status, &over.json()["status"]), (200, &json!("complete")));
    assert_eq!(over.json()["history"][0]["name"], "finish");
    for path in ["/tasks/none", "/tasks/none/wait"] {
        let got = get(&emulator, "cnapi", path).await;
        assert_eq!((got.status, &got.json()["message"]), (404, &json!("no such task found")), "{path}");
    }
}

#[tokio::test]
async fn the_workflow_service_is_away_for_a_while_and_the_others_are_not() {
    let emulator = start().await;
    let stop = act(&emulator, WEB1, "stop").await;
    for (fault, status, code) in [
        ("GET /jobs/* status=503 for=30s at=workflow", 503, "ServiceUnavailableError"),
        ("GET /jobs/* status=404 for=30s at=workflow", 404, "ResourceNotFound"),
    ] {
        plant(&emulator, fault);
        let path = format!("/jobs/{stop}");
        let got = get(&emulator, "workflow", &path).await;
        assert_eq!((got.status, &got.json()["code"]), (status, &json!(code)));
        assert_eq!(get(&emulator, "vmapi", &path).await.status, 200);
        later(&emulator, 29_999);
        assert_eq!(get(&emulator, "workflow", &path).await.status, status);
        later(&emulator, 1);
        assert_eq!(get(&emulator, "workflow", &path).await.json()["execution"], "succeeded");
    }
}

#[tokio::test]
async fn the_customer_waits_for_the_operators_ticket_too() {
    let emulator = start().await;
    let vm = made(&emulator, "shared").await;
    let taken = take(&emulator, &vm, 3600).await;
    let target = format!("/acme/machines/{vm}?action=stop");
    let got = super::super::ssh_keygen_interop::post(&emulator, &target, &json!({})).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    later(&emulator, 60_000);
    assert_eq!(state(&emulator, &vm).await, "running");
    release(&emulator, &taken["uuid"]).await;
    later(&emulator, 1000);
    assert_eq!(state(&emulator, &vm).await, "stopped");
}
