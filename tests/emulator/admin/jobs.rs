//! Jobs: who asked for them, what they wait for and how they end; and jobs of odd files.

use sdc::emulator::Options;
use serde_json::{Value, json};

use super::super::ssh_keygen_interop::{changed_with, get as customer, options, put};
use super::{ACME, BUILD, WEB1, ask, errors, get, later, send, start, zone};

/// A machine that has been deleted, with two jobs in its past.
const GONE: &str = "84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const OTHER: &str = "11111111-2222-4333-8444-555555555555";

fn with_services() -> Options {
    Options { admin: true, ..options() }
}

#[tokio::test]
async fn a_job_keeps_who_asked_for_it_and_by_which_request() {
    let emulator = start().await;
    let headers = [("Content-Type", "application/json"), ("x-request-id", OTHER)];
    let mut wanted = zone("asked");
    (wanted["creator_uuid"], wanted["origin"]) = (json!(ACME), json!("adminui"));
    let begin = json!({ "migration_action": "begin", "creator_uuid": ACME, "origin": "adminui" });
    let by = format!("creator_uuid={ACME}&origin=adminui");
    for (target, body) in [
        ("/vms".to_owned(), wanted),
        (format!("/vms/{BUILD}?action=start&{by}"), json!({})),
        (format!("/vms/{BUILD}/tags?{by}"), json!({ "origin": "a tag" })),
        (format!("/vms/{WEB1}?action=migrate"), begin),
    ] {
        let got = send(&emulator, "vmapi", "POST", &target, &headers, &body.to_string()).await;
        assert_eq!(got.status, 202, "{target}: {:?}", got.json());
        let path = format!("/jobs/{}", got.json()["job_uuid"].as_str().unwrap());
        let job = get(&emulator, "workflow", &path).await.json();
        let params = &job["params"];
        assert_eq!(
            (params["creator_uuid"].as_str(), params["origin"].as_str(), params["x-request-id"].as_str()),
            (Some(ACME), Some("adminui"), Some(OTHER)),
            "{target}"
        );
        assert_eq!((&job["creator_uuid"], &job["origin"]), (&params["creator_uuid"], &params["origin"]));
    }
}

#[tokio::test]
async fn a_provision_names_its_server_and_holds_the_ticket_until_it_ends() {
    let emulator = start().await;
    let made = ask(&emulator, "vmapi", "POST", "/vms", &zone("short")).await.json();
    let uuid = made["vm_uuid"].as_str().unwrap();
    let job = async |got: &Value| {
        get(&emulator, "workflow", &format!("/jobs/{}", got["job_uuid"].as_str().unwrap())).await.json()
    };
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    assert!(vm["server_uuid"].is_string());
    assert_eq!(job(&made).await["server_uuid"], vm["server_uuid"]);
    let tickets = format!("/servers/{}/tickets", vm["server_uuid"].as_str().unwrap());
    let gone = ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &Value::Null).await.json();
    let held = get(&emulator, "cnapi", &tickets).await.json();
    let held: Vec<(&str, &str)> = (held.as_array().unwrap().iter())
        .filter(|ticket| ticket["id"] == uuid)
        .map(|ticket| (ticket["action"].as_str().unwrap(), ticket["status"].as_str().unwrap()))
        .collect();
    assert_eq!(held, [("provision", "active"), ("destroy", "queued")]);
    later(&emulator, 2500);
    assert_eq!(
        (&job(&made).await["execution"], &job(&gone).await["execution"]),
        (&json!("succeeded"), &json!("running"))
    );
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json()["state"], "running");
    later(&emulator, 1000);
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json()["state"], "destroyed");
    assert_eq!(job(&gone).await["execution"], "succeeded");
}

#[tokio::test]
async fn a_signal_has_a_name_or_a_number() {
    for (signal, state) in [
        (json!("KILL"), "stopped"),
        (json!("SIGTERM"), "stopped"),
        (json!(9), "stopped"),
        (json!("15"), "stopped"),
        (json!("HUP"), "running"),
        (json!(1), "running"),
    ] {
        let emulator = start().await;
        let body = json!({ "signal": signal });
        assert_eq!(ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=kill"), &body).await.status, 202);
        later(&emulator, 1000);
        assert_eq!(get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["state"], state, "{signal}");
    }
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=kill"), &json!({ "signal": "POKE" })).await;
    assert_eq!((got.status, errors(&got)), (409, vec![("signal".to_owned(), "Invalid".to_owned())]));
}

#[tokio::test]
async fn a_rollback_ends_with_its_vm_running() {
    let emulator = start().await;
    for action in ["create_snapshot", "rollback_snapshot"] {
        let path = format!("/vms/{WEB1}?action={action}");
        assert_eq!(ask(&emulator, "vmapi", "POST", &path, &json!({ "snapshot_name": "before" })).await.status, 202);
        later(&emulator, 3000);
    }
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["state"], "running");
}

#[tokio::test]
async fn a_list_takes_the_exact_time_of_a_create() {
    let emulator = start().await;
    let vm = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    let time = humantime(vm["create_timestamp"].as_str().unwrap());
    let list = get(&emulator, "vmapi", &format!("/vms?create_timestamp={time}&uuid={WEB1}")).await.json();
    assert_eq!(list[0]["uuid"], WEB1);
    for other in [time - 1, time + 1] {
        let list = get(&emulator, "vmapi", &format!("/vms?create_timestamp={other}")).await.json();
        assert_eq!(list, json!([]));
    }
    let wrong = get(&emulator, "vmapi", "/vms?create_timestamp=today").await;
    assert_eq!((wrong.status, errors(&wrong)), (409, vec![("create_timestamp".to_owned(), "Invalid".to_owned())]));
}

/// The milliseconds since 1970 of a time in ISO 8601.
fn humantime(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // A year begins in March here, so that a leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    ((days * 24 + number(11, 13)) * 60 + number(14, 16)) * 60_000 + number(17, 19) * 1000 + number(20, 23)
}

#[tokio::test]
async fn a_job_keeps_its_newest_hundred_notes() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await.json();
    let path = format!("/jobs/{}/info", got["job_uuid"].as_str().unwrap());
    for number in 0..103 {
        assert_eq!(ask(&emulator, "workflow", "POST", &path, &json!({ "number": number })).await.status, 200);
    }
    let infos = get(&emulator, "workflow", &path).await.json();
    assert_eq!(
        (infos.as_array().unwrap().len(), &infos[0]["number"], &infos[99]["number"]),
        (100, &json!(3), &json!(102))
    );
}

#[tokio::test]
async fn a_new_job_never_has_the_id_of_another() {
    // A file that somebody has shortened: ids that count its entries would start over.
    let (emulator, _dir) = changed_with(with_services, |state| {
        let history = state["history"].as_array_mut().unwrap();
        history.retain(|job| job["machine"] == GONE);
        history.remove(0);
        assert_eq!(history.len(), 1);
        let machines = state["machines"].as_array_mut().unwrap();
        machines.iter_mut().find(|machine| machine["id"] == GONE).unwrap()["state"] = json!("stopped");
    })
    .await;
    let got = put(&emulator, &format!("/acme/machines/{GONE}"), &json!({ "role-tag": ["operator"] })).await;
    assert_eq!(got.status, 200, "{:?}", got.json());
    let jobs = get(&emulator, "workflow", &format!("/jobs?vm_uuid={GONE}")).await.json();
    assert_eq!(jobs.as_array().unwrap().len(), 2);
    assert_ne!(jobs[0]["uuid"], jobs[1]["uuid"]);
}

#[tokio::test]
async fn jobs_of_earlier_files_get_their_times_when_they_are_read() {
    let (emulator, _dir) = changed_with(with_services, |state| {
        let now = state["now"].as_i64().unwrap();
        state["jobs"] = json!([{ "due": now + 600, "machine": WEB1, "work": "stop", "caller": {} }]);
    })
    .await;
    let path = format!("/jobs?vm_uuid={WEB1}&task=stop");
    let before = get(&emulator, "workflow", &path).await.json();
    assert_eq!((&before[0]["execution"], before[0]["created_at"].as_str().unwrap().len()), (&json!("running"), 24));
    assert_ne!(before[0]["created_at"], "1970-01-01T00:00:00.000Z");
    later(&emulator, 1000);
    let after = get(&emulator, "workflow", &path).await.json();
    assert_eq!((&after[0]["execution"], &after[0]["created_at"]), (&json!("succeeded"), &before[0]["created_at"]));
    let since = get(&emulator, "workflow", &format!("{path}&since=2001-01-01T00:00:00.000Z")).await.json();
    assert_eq!(since[0]["uuid"], after[0]["uuid"], "it is found by the time that it shows");
}

#[tokio::test]
async fn sizes_and_times_at_their_limits_are_computed_with() {
    let (emulator, _dir) = changed_with(with_services, |state| {
        for machine in state["machines"].as_array_mut().unwrap() {
            for size in ["memory", "disk"] {
                machine[size] = json!(u64::MAX);
            }
            machine["package"] = json!("");
            (machine["created"], machine["updated"]) = (json!(i64::MIN), json!(i64::MAX));
        }
        let job = |created: i64, due: i64, end: Value| {
            json!({
                "uuid": uuid_of(created ^ due), "created": created, "begins": created, "due": due, "machine": WEB1,
                "work": "start", "caller": {}, "end": end,
            })
        };
        let end = |at: i64| json!({ "at": at, "execution": "succeeded" });
        state["history"] = json!([job(i64::MIN, i64::MAX, end(i64::MAX)), job(i64::MAX, i64::MIN, end(i64::MIN))]);
        state["jobs"] = json!([job(i64::MIN, i64::MAX, Value::Null)]);
    })
    .await;
    for (service, path) in [
        ("vmapi", "/vms"),
        ("vmapi", "/jobs"),
        ("cnapi", "/servers?extras=all"),
        ("workflow", "/jobs"),
        ("workflow", "/stats"),
    ] {
        let got = get(&emulator, service, path).await;
        assert_eq!(got.status, 200, "{service} {path}: {:?}", got.json());
    }
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["max_swap"], json!(u64::MAX));
    assert_eq!(customer(&emulator, &format!("/acme/machines/{WEB1}")).await.status, 200);
}

/// Some id, another for every number.
fn uuid_of(number: i64) -> String {
    format!("{:08x}-0000-4000-8000-000000000000", number.rotate_left(16) as u32)
}

#[tokio::test]
async fn a_workflow_that_a_program_brings_is_kept_and_its_jobs_end_well() {
    let emulator = start().await;
    let brought = json!({
        "name": "tidy-1.0.0", "version": "1.0.0", "timeout": 60,
        "chain": [{ "name": "tidy.look", "body": "function (job, cb) { cb(null); }", "timeout": 10 }], "onerror": [],
    });
    let made = ask(&emulator, "workflow", "POST", "/workflows", &brought).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let path = format!("/workflows/{}", made["uuid"].as_str().unwrap());
    assert_eq!((&made["name"], &made["max_attempts"]), (&json!("tidy-1.0.0"), &json!(10)));
    assert_eq!(get(&emulator, "workflow", "/workflows?name=tidy-*").await.json(), json!([made]));
    let twice = ask(&emulator, "workflow", "POST", "/workflows", &brought).await;
    let words = "Workflow.name must be unique. A workflow with name \"tidy-1.0.0\" already exists";
    assert_eq!((twice.status, &twice.json()["message"]), (409, &json!(words)));
    let changed = ask(&emulator, "workflow", "PUT", &path, &json!({ "timeout": 90 })).await.json();
    assert_eq!((&changed["timeout"], &changed["name"]), (&json!(90), &json!("tidy-1.0.0")));

    let none = ask(&emulator, "workflow", "POST", "/jobs", &json!({ "target": "/x" })).await;
    assert_eq!((none.status, &none.json()["message"]), (409, &json!("\"j.workflow\" is required")));
    let wanted = json!({ "workflow": made["uuid"], "target": "/x", "task": "tidy" });
    let job = ask(&emulator, "workflow", "POST", "/jobs", &wanted).await;
    assert_eq!((job.status, &job.json()["execution"]), (201, &json!("queued")));
    let again = ask(&emulator, "workflow", "POST", "/jobs", &wanted).await;
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("InvalidArgument")));
    later(&emulator, 1000);
    let uuid = job.json()["uuid"].as_str().unwrap().to_owned();
    let ended = get(&emulator, "workflow", &format!("/jobs/{uuid}")).await.json();
    assert_eq!((&ended["execution"], &ended["chain_results"][0]["result"]), (&json!("succeeded"), &json!("OK")));
    let listed = get(&emulator, "workflow", "/jobs?task=tidy&execution=succeeded").await.json();
    assert_eq!(listed, json!([ended]));
    assert_eq!(get(&emulator, "workflow", "/jobs?task=tidy&execution=failed").await.json(), json!([]));
    let late = ask(&emulator, "workflow", "POST", &format!("/jobs/{uuid}/cancel"), &Value::Null).await;
    assert_eq!((late.status, &late.json()["message"]), (409, &json!("Finished jobs cannot be canceled")));
    assert_eq!(ask(&emulator, "workflow", "DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(get(&emulator, "workflow", &path).await.status, 404);
    let own = get(&emulator, "workflow", "/workflows?name=stop-*").await.json();
    let own = format!("/workflows/{}", own[0]["uuid"].as_str().unwrap());
    assert_eq!(ask(&emulator, "workflow", "DELETE", &own, &Value::Null).await.status, 409);
}
