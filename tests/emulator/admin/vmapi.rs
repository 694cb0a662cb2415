//! VMAPI: the flows of its description, one after the other.

use serde_json::{Value, json};

use super::{ACME, BUILD, PRIVATE, WEB1, ask, errors, get, later, made, start, zone};

async fn job(emulator: &sdc::emulator::Emulator, got: &super::Got) -> Value {
    let uuid = got.json()["job_uuid"].as_str().unwrap().to_owned();
    get(emulator, "vmapi", &format!("/jobs/{uuid}")).await.json()
}

#[tokio::test]
async fn a_zone_is_made_by_a_job_that_succeeds() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("web0")).await;
    assert_eq!(got.status, 202);
    assert_eq!(got.header("workflow-api").as_deref(), Some("http://workflow.local-1.example.com"));
    let uuid = got.json()["vm_uuid"].as_str().unwrap().to_owned();
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    assert_eq!(
        (vm["state"].as_str(), &vm["zone_state"], &vm["nics"]),
        (Some("provisioning"), &Value::Null, &json!([]))
    );
    assert!(vm["server_uuid"].is_string(), "the server is chosen before the answer");
    assert_eq!(
        get(&emulator, "vmapi", &format!("/statuses?uuids={uuid}")).await.json(),
        json!({ &uuid: "provisioning" })
    );
    let early = ask(&emulator, "vmapi", "POST", &format!("/vms/{uuid}?action=stop"), &json!({})).await;
    assert_eq!((early.status, early.code()), (409, "UnallocatedVM".to_owned()));
    assert_eq!(early.message(), "Cannot call stop for a VM that has not been provisioned yet");
    let running = job(&emulator, &got).await;
    assert_eq!((running["name"].as_str(), running["execution"].as_str()), (Some("provision-8.2.4"), Some("running")));
    assert_eq!(
        (running["params"]["task"].as_str(), running["params"]["vm_uuid"].as_str()),
        (Some("provision"), Some(uuid.as_str()))
    );
    assert_eq!(running["chain_results"][0]["name"], "common.validate_params");
    later(&emulator, 5000);
    let done = job(&emulator, &got).await;
    assert_eq!((done["execution"].as_str(), done["chain_results"].as_array().unwrap().len()), (Some("succeeded"), 19));
    assert_eq!(done["chain_results"][18]["name"], "cnapi.release_fabric_nat_tickets");
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    assert_eq!((vm["state"].as_str(), vm["zone_state"].as_str()), (Some("running"), Some("running")));
    assert_eq!((vm["nics"][0]["network_uuid"].as_str(), &vm["nics"][0]["primary"]), (Some(PRIVATE), &json!(true)));
    let again = ask(&emulator, "vmapi", "POST", "/vms", &zone("web0")).await;
    assert_eq!((again.status, again.message().as_str()), (409, "Invalid VM parameters"));
    assert_eq!(errors(&again), [("alias".to_owned(), "Duplicate".to_owned())]);
}

#[tokio::test]
async fn what_lacks_or_is_wrong_is_told_all_at_once() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", "/vms", &json!({ "brand": "zone" })).await;
    let expected = [
        ("brand", "Invalid"),
        ("networks", "MissingParameter"),
        ("owner_uuid", "MissingParameter"),
        ("ram", "MissingParameter"),
        ("image_uuid", "MissingParameter"),
    ];
    assert_eq!((got.status, got.code()), (409, "ValidationFailed".to_owned()));
    assert_eq!(errors(&got), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
    let unknown = json!({ "networks": ["11111111-2222-4333-8444-555555555555"], "owner_uuid": ACME });
    let got = ask(&emulator, "vmapi", "POST", "/vms", &unknown).await;
    assert_eq!((got.status, got.code()), (422, "UnprocessableEntityError".to_owned()));
    let mut huge = zone("huge");
    huge["ram"] = json!(9_999_999);
    let got = ask(&emulator, "vmapi", "POST", "/vms", &huge).await;
    assert_eq!((got.status, got.code()), (409, "NoAllocatableServersError".to_owned()));
    assert_eq!(get(&emulator, "vmapi", "/vms?alias=huge").await.json(), json!([]));
}

#[tokio::test]
async fn a_provision_that_is_forced_to_fail_says_where_and_leaves_nothing() {
    let emulator = start().await;
    let mut wanted = zone("doomed");
    wanted["internal_metadata"] = json!({ "force_provision_failure": true });
    let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
    assert_eq!(got.status, 202);
    later(&emulator, 5000);
    let failed = job(&emulator, &got).await;
    let last = failed["chain_results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(failed["execution"], "failed");
    assert_eq!(
        (last["name"].as_str(), last["error"].as_str()),
        (Some("cnapi.provision_vm"), Some("force_provision_failure set, failing"))
    );
    let uuid = got.json()["job_uuid"].as_str().unwrap().to_owned();
    let whole = get(&emulator, "workflow", &format!("/jobs/{uuid}")).await.json();
    let names: Vec<&str> =
        whole["onerror_results"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[1], names.last()), ("napi.cleanup_nics", "set_post_back_failed", Some(&"On error")));
    let vm = got.json()["vm_uuid"].as_str().unwrap().to_owned();
    let vm = get(&emulator, "vmapi", &format!("/vms/{vm}")).await.json();
    assert_eq!((vm["state"].as_str(), vm["zone_state"].as_str()), (Some("failed"), Some("failed")));
    assert_eq!(get(&emulator, "vmapi", "/vms?alias=doomed&state=active").await.json(), json!([]));
}

#[tokio::test]
async fn a_job_is_planned_to_fail_at_a_step_of_its_chain() {
    let emulator = start().await;
    emulator.add_fault("POST /vms fail=cnapi.ensure_image".parse().unwrap());
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("imageless")).await;
    later(&emulator, 5000);
    let failed = job(&emulator, &got).await;
    let last = failed["chain_results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((failed["execution"].as_str(), last["name"].as_str()), (Some("failed"), Some("cnapi.ensure_image")));
    let vm = got.json()["vm_uuid"].as_str().unwrap().to_owned();
    assert_eq!(get(&emulator, "vmapi", &format!("/statuses?uuids={vm}")).await.json(), json!({ &vm: "failed" }));
}

#[tokio::test]
async fn a_stop_from_the_wrong_state_is_accepted_and_its_job_fails() {
    let emulator = start().await;
    let path = format!("/vms/{BUILD}?action=stop");
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({})).await;
    assert_eq!(got.status, 202);
    later(&emulator, 3000);
    let uuid = got.json()["job_uuid"].as_str().unwrap().to_owned();
    let waited = get(&emulator, "vmapi", &format!("/jobs/{uuid}/wait")).await;
    assert_eq!(
        (waited.status, waited.json()),
        (500, json!({ "code": "Error", "message": "Cannot stop a VM from a 'stopped' state" }))
    );
    let failed = job(&emulator, &got).await;
    let last = failed["chain_results"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (last["name"].as_str(), last["error"]["message"].as_str()),
        (Some("common.ensure_vm_state"), Some("Cannot stop a VM from a 'stopped' state"))
    );
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "idempotent": true })).await;
    later(&emulator, 3000);
    assert_eq!(job(&emulator, &got).await["execution"], "succeeded");
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "idempotent": "yes" })).await;
    assert_eq!(errors(&got), [("idempotent".to_owned(), "Invalid".to_owned())]);
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{BUILD}?action=fly"), &json!({})).await;
    assert_eq!(errors(&got), [("action".to_owned(), "Invalid".to_owned())]);
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{BUILD}"), &json!({})).await;
    assert_eq!(errors(&got), [("action".to_owned(), "MissingParameter".to_owned())]);
}

#[tokio::test]
async fn what_is_deleted_is_destroyed_and_its_record_stays() {
    let emulator = start().await;
    let uuid = made(&emulator, "gone").await;
    let got = ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &Value::Null).await;
    assert_eq!(got.status, 202);
    later(&emulator, 5000);
    let done = job(&emulator, &got).await;
    assert_eq!((done["name"].as_str(), done["execution"].as_str()), (Some("destroy-7.1.6"), Some("succeeded")));
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    assert_eq!((vm["state"].as_str(), vm["zone_state"].as_str()), (Some("destroyed"), Some("destroyed")));
    assert!(vm["destroyed"].is_string() && vm["nics"].as_array().unwrap().len() == 1);
    assert_eq!(get(&emulator, "vmapi", &format!("/vms?uuid={uuid}")).await.json()[0]["state"], "destroyed");
    assert_eq!(get(&emulator, "vmapi", &format!("/vms?uuid={uuid}&state=active")).await.json(), json!([]));
    let other = get(&emulator, "vmapi", &format!("/vms/{WEB1}?owner_uuid=5c8e1d27-5b6e-4c7d-8e9f-0a1b2c3d4e80")).await;
    assert_eq!((other.status, other.message().as_str()), (404, "VM not found"));
    let unknown = ask(&emulator, "vmapi", "DELETE", "/vms/11111111-2222-4333-8444-555555555555", &Value::Null).await;
    assert_eq!((unknown.status, unknown.message().as_str()), (404, "VM not found"));
    let odd = get(&emulator, "vmapi", "/vms/nope").await;
    assert_eq!((odd.status, errors(&odd)), (409, vec![("uuid".to_owned(), "Invalid".to_owned())]));
}

#[tokio::test]
async fn interfaces_come_and_go_by_jobs() {
    let emulator = start().await;
    let path = |action: &str| format!("/vms/{WEB1}?action={action}");
    let wanted = json!({ "networks": [{ "uuid": PRIVATE, "ip": "10.64.0.77" }] });
    let got = ask(&emulator, "vmapi", "POST", &path("add_nics"), &wanted).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    later(&emulator, 5000);
    let done = job(&emulator, &got).await;
    assert_eq!((done["name"].as_str(), done["params"]["task"].as_str()), (Some("add-nics-7.3.1"), Some("add_nics")));
    let nics = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["nics"].clone();
    let last = nics.as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["ip"].as_str(), last["ips"][0].as_str()), (Some("10.64.0.77"), Some("10.64.0.77/14")));
    let none = ask(&emulator, "vmapi", "POST", &path("add_nics"), &json!({})).await;
    assert_eq!(errors(&none), [("missing networks or macs".to_owned(), "MissingParameter".to_owned())]);
    let taken = ask(&emulator, "vmapi", "POST", &path("add_nics"), &wanted).await;
    assert_eq!(
        (taken.status, taken.json()["errors"][0].clone()),
        (
            422,
            json!({
                "field": "ip", "code": "UsedBy", "type": "zone", "id": WEB1, "message": format!("IP in use by zone \"{WEB1}\""),
            })
        )
    );
    let mac = last["mac"].as_str().unwrap();
    let changed = json!({ "nics": [{ "mac": mac, "primary": true }] });
    assert_eq!(ask(&emulator, "vmapi", "POST", &path("update_nics"), &changed).await.status, 202);
    later(&emulator, 5000);
    let nics = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json()["nics"].clone();
    let primary: Vec<&str> = nics
        .as_array()
        .unwrap()
        .iter()
        .filter(|nic| nic["primary"] == true)
        .map(|nic| nic["mac"].as_str().unwrap())
        .collect();
    assert_eq!(primary, [mac]);
    let got = ask(&emulator, "vmapi", "POST", &path("remove_nics"), &json!({ "macs": [mac] })).await;
    assert_eq!(got.status, 202);
    later(&emulator, 5000);
    let after = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    assert_eq!((after["nics"].as_array().unwrap().len(), after["state"].as_str()), (2, Some("running")));
}

#[tokio::test]
async fn a_list_is_strict_about_its_parameters() {
    let emulator = start().await;
    for (query, field) in [
        ("include_destroyed=true", "include_destroyed"),
        ("state=failed", "state"),
        ("limit=1001", "limit"),
        ("limit=0", "limit"),
        ("fields=nics", "fields"),
        ("sort=color", "sort"),
        ("alias=web*", "alias"),
        ("uuid=ABC", "uuid"),
        ("marker=%7B%7D", "marker"),
        ("marker=7", "marker"),
        ("predicate=%7B%7D", "predicate"),
        ("query=state", "query"),
    ] {
        let got = get(&emulator, "vmapi", &format!("/vms?{query}")).await;
        assert_eq!((got.status, errors(&got)), (409, vec![(field.to_owned(), "Invalid".to_owned())]), "{query}");
    }
    let both = get(&emulator, "vmapi", "/vms?offset=1&marker=%7B%22uuid%22%3A%22a%22%7D").await;
    assert_eq!(both.json()["errors"][0]["code"], "ConflictingParameters");
}

#[tokio::test]
async fn a_list_is_narrowed_sorted_and_cut_by_a_marker() {
    let emulator = start().await;
    let aliases = async |query: &str| -> Vec<String> {
        let got = get(&emulator, "vmapi", &format!("/vms?{query}")).await;
        assert_eq!(got.status, 200, "{query}: {:?}", got.json());
        got.json().as_array().unwrap().iter().map(|vm| vm["alias"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(aliases("alias=web&sort=alias").await, ["web1", "web10"]);
    assert_eq!(aliases(&format!("owner_uuid={ACME}&state=stopped&sort=alias.desc")).await, ["db1", "build"]);
    // What no state can be asked for, a predicate finds.
    assert_eq!(aliases("predicate=%7B%22eq%22%3A%5B%22state%22%2C%22failed%22%5D%7D").await, ["broken"]);
    assert_eq!(
        aliases(&format!("query=(%26(owner_uuid={ACME})(!(state=running))(ram%3E%3D4096))&sort=alias")).await,
        ["build", "db1"]
    );
    assert_eq!(aliases("tag.role=db&sort=alias").await, ["db0", "db1"]);
    assert_eq!(aliases("docker=true").await, ["cache"]);
    // The pages of a marker are the list, each row once.
    let all = aliases(&format!("owner_uuid={ACME}&sort=alias")).await;
    let mut paged = Vec::new();
    let mut marker = String::new();
    loop {
        let got = get(&emulator, "vmapi", &format!("/vms?owner_uuid={ACME}&sort=alias&limit=4{marker}")).await;
        assert_eq!(got.header("x-joyent-resource-count"), Some(all.len().to_string()));
        let rows = got.json().as_array().unwrap().clone();
        let Some(last) = rows.last() else { break };
        marker = format!(
            "&marker=%7B%22uuid%22%3A%22{}%22%2C%22alias%22%3A%22{}%22%7D",
            last["uuid"].as_str().unwrap(),
            last["alias"].as_str().unwrap()
        );
        paged.extend(rows.iter().map(|vm| vm["alias"].as_str().unwrap().to_owned()));
    }
    assert_eq!(paged, all);
    let fields = get(&emulator, "vmapi", "/vms?alias=web1&fields=uuid,alias&limit=1").await.json();
    assert_eq!(fields[0].as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn pairs_are_merged_replaced_and_deleted_by_jobs() {
    let emulator = start().await;
    let path = format!("/vms/{WEB1}/tags");
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "tier": "gold" })).await;
    assert_eq!(got.status, 202);
    later(&emulator, 1000);
    assert_eq!(get(&emulator, "vmapi", &format!("{path}/tier")).await.json(), json!("gold"));
    let got = ask(&emulator, "vmapi", "PUT", &path, &json!({ "role": "app" })).await;
    later(&emulator, 1000);
    assert_eq!(job(&emulator, &got).await["params"]["subtask"], "metadata");
    assert_eq!(get(&emulator, "vmapi", &path).await.json(), json!({ "role": "app" }));
    assert_eq!(ask(&emulator, "vmapi", "DELETE", &format!("{path}/role"), &Value::Null).await.status, 202);
    later(&emulator, 1000);
    assert_eq!(get(&emulator, "vmapi", &path).await.json(), json!({}));
    let missing = get(&emulator, "vmapi", &format!("{path}/role")).await;
    assert_eq!((missing.status, missing.message().as_str()), (404, "tag \"role\" not found"));
    assert_eq!(ask(&emulator, "vmapi", "POST", &path, &json!({})).await.status, 409);
    let wrong =
        ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}/customer_metadata"), &json!({ "root_pw": "x" })).await;
    assert_eq!(errors(&wrong), [("customer_metadata.root_pw".to_owned(), "Invalid".to_owned())]);
    let unknown = get(&emulator, "vmapi", &format!("/vms/{WEB1}/nothing")).await;
    assert_eq!((unknown.status, unknown.message().as_str()), (404, "Route does not exist"));
}

#[tokio::test]
async fn an_update_changes_what_it_can_and_refuses_the_rest() {
    let emulator = start().await;
    let path = format!("/vms/{WEB1}?action=update");
    let none = ask(&emulator, "vmapi", "POST", &path, &json!({ "color": "red" })).await;
    assert_eq!(
        (none.status, none.message().as_str(), none.json()["errors"].clone()),
        (409, "No VM parameters provided", json!([]))
    );
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "alias": "front", "cpu_cap": 150, "quota": 30 })).await;
    later(&emulator, 1000);
    assert_eq!(job(&emulator, &got).await["params"]["subtask"], "rename");
    let vm = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    assert_eq!(
        (vm["alias"].as_str(), vm["cpu_cap"].as_u64(), vm["quota"].as_u64()),
        (Some("front"), Some(150), Some(30))
    );
    let kvm = get(&emulator, "vmapi", "/vms?alias=win").await.json()[0]["uuid"].as_str().unwrap().to_owned();
    let refused = ask(&emulator, "vmapi", "POST", &format!("/vms/{kvm}?action=update"), &json!({ "ram": 1024 })).await;
    assert_eq!(refused.json()["errors"][0]["message"], "Cannot resize a kvm VM");
    let bhyve = get(&emulator, "vmapi", "/vms?alias=db0").await.json()[0]["uuid"].as_str().unwrap().to_owned();
    let refused =
        ask(&emulator, "vmapi", "POST", &format!("/vms/{bhyve}?action=update"), &json!({ "ram": 1024 })).await;
    assert_eq!((refused.status, refused.code()), (409, "VmNotStopped".to_owned()));
    let taken = ask(&emulator, "vmapi", "POST", &path, &json!({ "alias": "web10" })).await;
    assert_eq!(errors(&taken), [("alias".to_owned(), "Duplicate".to_owned())]);
}

/// What is answered to a request that is held, once time has passed. It is not answered before.
async fn held<T>(emulator: &sdc::emulator::Emulator, asks: impl Future<Output = T>) -> T {
    let mut asks = std::pin::pin!(asks);
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), asks.as_mut()).await;
    assert!(early.is_err(), "answered while the job is under way");
    later(emulator, 10_000);
    tokio::time::timeout(std::time::Duration::from_secs(10), asks).await.expect("no answer")
}

#[tokio::test]
async fn a_wait_for_a_job_is_answered_when_it_has_ended() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await.json();
    let path = format!("/jobs/{}/wait", got["job_uuid"].as_str().unwrap());
    let waited = held(&emulator, get(&emulator, "vmapi", &path)).await;
    assert_eq!((waited.status, waited.json()["execution"].as_str()), (200, Some("succeeded")));
    assert!(waited.header("x-request-id").is_some());
    // Whoever comes later has it at once.
    assert_eq!(get(&emulator, "vmapi", &path).await.json(), waited.json());
}

#[tokio::test]
async fn whoever_asks_for_it_is_answered_when_the_job_has_ended() {
    let emulator = start().await;
    let stop = format!("/vms/{WEB1}?action=stop&sync=true");
    let stopped = held(&emulator, ask(&emulator, "vmapi", "POST", &stop, &json!({}))).await;
    assert_eq!((stopped.status, stopped.json()["vm_uuid"].as_str()), (202, Some(WEB1)));
    let again = held(&emulator, ask(&emulator, "vmapi", "POST", &stop, &json!({}))).await;
    assert_eq!(
        (again.status, again.json()),
        (500, json!({ "code": "Error", "message": "Cannot stop a VM from a 'stopped' state" }))
    );
    let wrong = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=start&sync=maybe"), &json!({})).await;
    assert_eq!((wrong.status, errors(&wrong)), (409, vec![("sync".to_owned(), "Invalid".to_owned())]));
}

#[tokio::test]
async fn an_instance_is_there_when_its_zone_is_and_not_without_it() {
    let emulator = start().await;
    let services = get(&emulator, "sapi", "/services?name=papi").await.json();
    let body = |alias: &str| json!({ "service_uuid": services[0]["uuid"], "params": { "alias": alias } });
    let made = held(&emulator, ask(&emulator, "sapi", "POST", "/instances", &body("papi1"))).await;
    assert_eq!(made.status, 200, "{:?}", made.json());
    let uuid = made.json()["uuid"].as_str().unwrap().to_owned();
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json()["state"], "running");
    let begun = ask(&emulator, "sapi", "POST", "/instances?async=true", &body("papi2")).await.json();
    assert!(begun["job_uuid"].is_string());
    let path = format!("/instances/{uuid}");
    let deleted = held(&emulator, ask(&emulator, "sapi", "DELETE", &path, &Value::Null)).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json()["state"], "destroyed");
    let mut doomed = body("papi3");
    doomed["params"]["internal_metadata"] = json!({ "force_provision_failure": true });
    let failed = held(&emulator, ask(&emulator, "sapi", "POST", "/instances", &doomed)).await;
    assert_eq!((failed.status, failed.code()), (500, "ProvisionFailedError".to_owned()));
    let left = get(&emulator, "sapi", "/instances").await.json();
    assert!(left.as_array().unwrap().iter().all(|one| one["params"]["alias"] != "papi3"));
}
