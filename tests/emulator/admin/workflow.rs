//! The workflow service: jobs are listed, canceled, and noted upon.

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::{WEB1, ask, get, later, start};

#[tokio::test]
async fn jobs_are_listed_newest_first_and_narrowed_by_what_they_are_about() {
    let emulator = start().await;
    let first = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await;
    later(&emulator, 3000);
    let second = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=start"), &json!({})).await;
    let uuids = async |query: &str| -> Vec<String> {
        let rows = get(&emulator, "workflow", &format!("/jobs?{query}")).await.json();
        rows.as_array().unwrap().iter().map(|job| job["uuid"].as_str().unwrap().to_owned()).collect()
    };
    let uuid = |got: &super::Got| got.json()["job_uuid"].as_str().unwrap().to_owned();
    assert_eq!(uuids(&format!("vm_uuid={WEB1}&limit=2")).await, [uuid(&second), uuid(&first)]);
    assert_eq!(uuids(&format!("vm_uuid={WEB1}&task=stop")).await, [uuid(&first)]);
    assert_eq!(uuids(&format!("vm_uuid={WEB1}&execution=running")).await, [uuid(&second)]);
    assert_eq!(uuids("name=start-*").await, [uuid(&second)]);
    let wrong = get(&emulator, "workflow", "/jobs?execution=waiting").await;
    assert_eq!((wrong.status, wrong.code()), (409, "ConflictError".to_owned()));
    assert_eq!(wrong.message(), "Execution must be one of queued, failed, succeeded, canceled or running");
    let workflows = get(&emulator, "workflow", "/workflows?name=stop-*").await.json();
    let job = get(&emulator, "workflow", &format!("/jobs/{}", uuid(&first))).await.json();
    assert_eq!(job["workflow_uuid"], workflows[0]["uuid"]);
}

#[tokio::test]
async fn a_job_is_canceled_once_and_not_after_its_end() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await;
    let path = format!("/jobs/{}", got.json()["job_uuid"].as_str().unwrap());
    later(&emulator, 500);
    let canceled = ask(&emulator, "workflow", "POST", &format!("{path}/cancel"), &json!({})).await;
    assert_eq!((canceled.status, canceled.json()["execution"].as_str()), (200, Some("canceled")));
    let last = canceled.json()["chain_results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["error"], "cancel");
    assert_eq!(ask(&emulator, "workflow", "POST", &format!("{path}/cancel"), &json!({})).await.status, 200);
    later(&emulator, 5000);
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["state"], "running");
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await;
    later(&emulator, 5000);
    let path = format!("/jobs/{}", got.json()["job_uuid"].as_str().unwrap());
    let late = ask(&emulator, "workflow", "POST", &format!("{path}/cancel"), &json!({})).await;
    assert_eq!((late.status, late.message().as_str()), (409, "Finished jobs cannot be canceled"));
    let resumed = ask(&emulator, "workflow", "POST", &format!("{path}/resume"), &json!({ "result": "OK" })).await;
    assert_eq!((resumed.status, resumed.message().as_str()), (409, "Only waiting jobs can be resumed"));
    assert_eq!(get(&emulator, "workflow", &format!("{path}/info")).await.json(), json!([]));
    ask(&emulator, "workflow", "POST", &format!("{path}/info"), &json!({ "message": "looked at" })).await;
    assert_eq!(get(&emulator, "workflow", &format!("{path}/info")).await.json(), json!([{ "message": "looked at" }]));
    let unknown = get(&emulator, "workflow", "/jobs/none").await;
    assert_eq!(
        (unknown.status, unknown.json()["message"].clone()),
        (404, Value::from("Job with uuid 'none' does not exist"))
    );
}

/// A job of a workflow whose first step waits, once it waits.
async fn waiting(emulator: &Emulator, name: &str) -> String {
    let steps = json!([
        { "name": "ask.someone", "body": "function (job, cb) { return cb(null, 'wait'); }" },
        { "name": "ask.end", "body": "function (job, cb) { return cb(null, 'done'); }" },
    ]);
    let made = ask(emulator, "workflow", "POST", "/workflows", &json!({ "name": name, "chain": steps })).await;
    let body = json!({ "workflow": made.json()["uuid"], "target": name });
    let job = ask(emulator, "workflow", "POST", "/jobs", &body).await;
    let early =
        ask(emulator, "workflow", "POST", &format!("/jobs/{}/resume", text(&job.json()["uuid"])), &json!({})).await;
    assert_eq!((early.status, early.message().as_str()), (409, "Only waiting jobs can be resumed"));
    later(emulator, 3_600_000);
    let path = format!("/jobs/{}", text(&job.json()["uuid"]));
    let shown = get(emulator, "workflow", &path).await.json();
    assert_eq!(
        (text(&shown["execution"]), shown["chain_results"].as_array().unwrap().len()),
        ("waiting", 1),
        "{shown}"
    );
    let again = ask(emulator, "workflow", "POST", "/jobs", &body).await;
    assert_eq!(again.status, 409, "a job that waits is under way");
    path
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_job_that_waits_goes_on_or_fails_as_it_is_told_and_can_be_canceled() {
    let emulator = start().await;
    let path = waiting(&emulator, "goes-on").await;
    let told = ask(&emulator, "workflow", "POST", &format!("{path}/resume"), &json!({})).await;
    assert_eq!((told.status, text(&told.json()["execution"])), (200, "queued"));
    assert_eq!(told.json()["chain_results"][0]["result"], "External task: OK");
    later(&emulator, 1000);
    let shown = get(&emulator, "workflow", &path).await.json();
    assert_eq!((text(&shown["execution"]), text(&shown["chain_results"][1]["name"])), ("succeeded", "ask.end"));
    let again = ask(&emulator, "workflow", "POST", &format!("{path}/resume"), &json!({})).await;
    assert_eq!(again.status, 409);

    let path = waiting(&emulator, "fails").await;
    let told = ask(&emulator, "workflow", "POST", &format!("{path}/resume"), &json!({ "error": "no space" })).await;
    assert_eq!((told.status, text(&told.json()["execution"])), (200, "failed"));
    let shown = get(&emulator, "workflow", &path).await.json();
    assert_eq!(shown["execution"], "failed");
    assert_eq!(shown["chain_results"].as_array().unwrap().len(), 1);
    assert_eq!(
        (text(&shown["chain_results"][0]["error"]), text(&shown["chain_results"][0]["result"])),
        ("no space", "")
    );
    let canceled = ask(&emulator, "workflow", "POST", &format!("{path}/cancel"), &json!({})).await;
    assert_eq!((canceled.status, canceled.message().as_str()), (409, "Finished jobs cannot be canceled"));

    let path = waiting(&emulator, "is-canceled").await;
    let canceled = ask(&emulator, "workflow", "POST", &format!("{path}/cancel"), &json!({})).await;
    assert_eq!((canceled.status, text(&canceled.json()["execution"])), (200, "canceled"));
    let late = ask(&emulator, "workflow", "POST", &format!("{path}/resume"), &json!({})).await;
    assert_eq!(late.status, 409);
}
