//! The workflow service: jobs are listed, canceled, and noted upon.

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
