//! Jobs that are canceled: whatever they had begun goes back to what it was.

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::super::ssh_keygen_interop::{get as customer, post};
use super::{BUILD, PRIVATE, WEB1, ask, get, later, start, zone};

async fn vm(emulator: &Emulator, uuid: &str) -> Value {
    get(emulator, "vmapi", &format!("/vms/{uuid}")).await.json()
}

/// Does something to a VM, and cancels its job after so long.
async fn canceled(emulator: &Emulator, target: &str, body: &Value, ms: u64) {
    let got = ask(emulator, "vmapi", "POST", target, body).await;
    assert_eq!(got.status, 202, "{target} {:?}", got.json());
    later(emulator, ms);
    cancel(emulator, got.json()["job_uuid"].as_str().unwrap()).await;
}

async fn cancel(emulator: &Emulator, job: &str) {
    let got = ask(emulator, "workflow", "POST", &format!("/jobs/{job}/cancel"), &json!({})).await;
    assert_eq!((got.status, got.json()["execution"].as_str()), (200, Some("canceled")));
}

/// The id of the job of a VM that is under way, for those who are not told.
async fn running(emulator: &Emulator, vm: &str) -> String {
    let jobs = get(emulator, "workflow", &format!("/jobs?vm_uuid={vm}&execution=running")).await.json();
    jobs[0]["uuid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn changes_of_interfaces_leave_the_vm_running_with_those_it_had() {
    for ms in [100, 700] {
        let emulator = start().await;
        let before = vm(&emulator, WEB1).await["nics"].clone();
        for (action, body) in [
            ("add_nics", json!({ "networks": [{ "uuid": PRIVATE }] })),
            ("remove_nics", json!({ "macs": [before[1]["mac"]] })),
            ("reboot", json!({})),
        ] {
            canceled(&emulator, &format!("/vms/{WEB1}?action={action}"), &body, ms).await;
            later(&emulator, 5000);
            let after = vm(&emulator, WEB1).await;
            assert_eq!((after["state"].as_str(), &after["nics"]), (Some("running"), &before), "{action} after {ms} ms");
        }
    }
}

#[tokio::test]
async fn only_the_own_half_of_a_reboot_goes() {
    let emulator = start().await;
    ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=reboot"), &json!({})).await;
    canceled(&emulator, &format!("/vms/{WEB1}?action=update"), &json!({ "alias": "front" }), 100).await;
    later(&emulator, 500);
    assert_eq!(vm(&emulator, WEB1).await["state"], "ready", "the reboot is still under way");
    later(&emulator, 1000);
    assert_eq!(vm(&emulator, WEB1).await["state"], "running");
}

#[tokio::test]
async fn a_job_that_waits_for_its_ticket_leaves_the_work_of_the_other_alone() {
    let emulator = start().await;
    let path = format!("/vms/{WEB1}?action=stop");
    ask(&emulator, "vmapi", "POST", &path, &json!({})).await;
    canceled(&emulator, &path, &json!({}), 100).await;
    assert_eq!(vm(&emulator, WEB1).await["state"], "stopping");
    later(&emulator, 5000);
    assert_eq!(vm(&emulator, WEB1).await["state"], "stopped");
}

#[tokio::test]
async fn a_provision_ends_failed_and_frees_its_alias() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("half")).await.json();
    later(&emulator, 500);
    cancel(&emulator, got["job_uuid"].as_str().unwrap()).await;
    assert_eq!(vm(&emulator, got["vm_uuid"].as_str().unwrap()).await["state"], "failed");
    assert_eq!(ask(&emulator, "vmapi", "POST", "/vms", &zone("half")).await.status, 202);
}

#[tokio::test]
async fn disks_keep_their_sizes_and_have_no_work_left() {
    let emulator = start().await;
    let all = get(&emulator, "vmapi", "/vms?alias=db1").await.json();
    let (uuid, before) = (all[0]["uuid"].as_str().unwrap().to_owned(), all[0]["disks"].clone());
    let action = |action: &str| format!("/vms/{uuid}?action={action}");
    let shown = async || customer(&emulator, &format!("/acme/machines/{uuid}/disks")).await.json();
    let seen = shown().await;
    let last = before.as_array().unwrap().last().unwrap().clone();
    let bigger = json!({ "pci_slot": last["pci_slot"], "size": last["size"].as_u64().unwrap() + 1024 });
    canceled(&emulator, &action("resize_disk"), &bigger, 100).await;
    assert_eq!(shown().await, seen);
    canceled(&emulator, &action("delete_disk"), &json!({ "pci_slot": last["pci_slot"] }), 100).await;
    assert_eq!(shown().await, seen);
    canceled(&emulator, &action("create_disk"), &json!({ "size": 1024 }), 100).await;
    assert_eq!(shown().await, seen);
    later(&emulator, 5000);
    assert_eq!(vm(&emulator, &uuid).await["disks"], before);
}

#[tokio::test]
async fn snapshots_and_images_fail() {
    let emulator = start().await;
    let wanted = json!({ "snapshot_name": "half" });
    canceled(&emulator, &format!("/vms/{WEB1}?action=create_snapshot"), &wanted, 100).await;
    let snapshot = customer(&emulator, &format!("/acme/machines/{WEB1}/snapshots/half")).await.json();
    assert_eq!(snapshot["state"], "failed");
    let body = json!({ "machine": BUILD, "name": "half", "version": "1" });
    let image = post(&emulator, "/acme/images", &body).await.json();
    later(&emulator, 100);
    cancel(&emulator, &running(&emulator, BUILD).await).await;
    let path = format!("/acme/images/{}", image["id"].as_str().unwrap());
    assert_eq!(customer(&emulator, &path).await.json()["state"], "failed");
}

#[tokio::test]
async fn a_step_of_a_migration_fails_so_that_it_can_be_aborted() {
    for steps in [&["begin"][..], &["begin", "sync"], &["begin", "sync", "switch"]] {
        let emulator = start().await;
        let act = async |action: &str| {
            let body = json!({ "migration_action": action });
            let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=migrate"), &body).await;
            assert_eq!(got.status, 202, "{action}: {:?}", got.json());
            got.json()["job_uuid"].as_str().unwrap().to_owned()
        };
        let (last, before) = steps.split_last().unwrap();
        for step in before {
            act(step).await;
            later(&emulator, 5000);
        }
        let job = act(last).await;
        later(&emulator, 600);
        cancel(&emulator, &job).await;
        later(&emulator, 5000);
        let migration = get(&emulator, "vmapi", &format!("/migrations/{WEB1}")).await.json();
        assert_eq!((migration["phase"].as_str(), migration["state"].as_str()), (Some(*last), Some("failed")));
        // An abort that is canceled has not happened.
        let job = act("abort").await;
        cancel(&emulator, &job).await;
        assert_eq!(get(&emulator, "vmapi", &format!("/migrations/{WEB1}")).await.json()["state"], "failed");
        act("abort").await;
        later(&emulator, 1000);
        assert_eq!(get(&emulator, "vmapi", &format!("/migrations/{WEB1}")).await.status, 404);
    }
}
