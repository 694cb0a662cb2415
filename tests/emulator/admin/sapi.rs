//! SAPI: what discovery asks for, and what is kept there.

use serde_json::{Value, json};

use super::{WEB1, ask, get, later, send, start};

const NEWER: &[(&str, &str)] = &[("accept-version", "~2")];

#[tokio::test]
async fn everything_is_found_from_sapi_alone() {
    let emulator = start().await;
    let ping = get(&emulator, "sapi", "/ping").await;
    assert_eq!(ping.json(), json!({ "mode": "full", "storType": "MorayLocalStorage", "storAvailable": true }));
    let got = send(&emulator, "sapi", "GET", "/applications?name=sdc", NEWER, "").await.json();
    let metadata = &got[0]["metadata"];
    assert_eq!(
        (metadata["datacenter_name"].as_str(), metadata["dns_domain"].as_str()),
        (Some("local-1"), Some("example.com"))
    );
    let vmapi = emulator.admin().iter().find(|(name, _)| name == "vmapi").unwrap().1.clone();
    assert_eq!(metadata["vmapi_admin_ips"], vmapi.as_str());
    let newer = send(&emulator, "sapi", "GET", "/services?name=vmapi", NEWER, "").await.json();
    assert_eq!((newer.as_array().unwrap().len(), newer[0]["type"].as_str()), (1, Some("vm")));
    let older = get(&emulator, "sapi", "/services?name=vmapi").await.json();
    assert!(older[0].get("type").is_none() && older[0]["uuid"] == newer[0]["uuid"]);
    // The first version hides agents.
    assert_eq!(get(&emulator, "sapi", "/services?name=cn-agent").await.json(), json!([]));
    assert_eq!(send(&emulator, "sapi", "GET", "/services?name=cn-agent", NEWER, "").await.json()[0]["type"], "agent");
    assert_eq!(get(&emulator, "sapi", "/services?name=nosuch").await.json(), json!([]));
    let service = newer[0]["uuid"].as_str().unwrap();
    let instances = get(&emulator, "sapi", &format!("/instances?service_uuid={service}")).await.json();
    let one = instances.as_array().unwrap().iter().find(|one| one["params"]["alias"] == "vmapi0").unwrap();
    assert_eq!(one["metadata"]["ADMIN_IP"], vmapi.as_str());
    let vm = get(&emulator, "vmapi", &format!("/vms?uuid={}", one["uuid"].as_str().unwrap())).await.json();
    assert_eq!(
        (vm[0]["nics"][0]["nic_tag"].as_str(), vm[0]["tags"]["smartdc_role"].as_str()),
        (Some("admin"), Some("vmapi"))
    );
    let missing = get(&emulator, "sapi", "/services/nope").await;
    assert_eq!(
        (missing.status, missing.json()),
        (404, json!({ "code": "ResourceNotFound", "message": "no such service: nope" }))
    );
}

#[tokio::test]
async fn objects_are_made_merged_replaced_and_deleted() {
    let emulator = start().await;
    let lacking = ask(&emulator, "sapi", "POST", "/applications", &json!({})).await;
    assert_eq!(
        (lacking.status, lacking.code(), lacking.message().as_str()),
        (409, "MissingParameter".to_owned(), "missing required keys: name, owner_uuid")
    );
    let body = json!({ "name": "app", "owner_uuid": super::ACME, "metadata": { "a": 1, "b": 2 } });
    let made = ask(&emulator, "sapi", "POST", "/applications", &body).await;
    let path = format!("/applications/{}", made.json()["uuid"].as_str().unwrap());
    assert_eq!(made.status, 200);
    let merged = ask(&emulator, "sapi", "PUT", &path, &json!({ "metadata": { "b": 3, "c": 4 } })).await;
    assert_eq!(merged.json()["metadata"], json!({ "a": 1, "b": 3, "c": 4 }));
    let less = ask(&emulator, "sapi", "PUT", &path, &json!({ "action": "delete", "metadata": { "a": null } })).await;
    assert_eq!(less.json()["metadata"], json!({ "b": 3, "c": 4 }));
    let whole = ask(&emulator, "sapi", "PUT", &path, &json!({ "action": "replace", "metadata": {} })).await;
    assert_eq!(whole.json()["metadata"], json!({}));
    let wrong = ask(&emulator, "sapi", "PUT", &path, &json!({ "action": "fly" })).await;
    assert_eq!((wrong.status, wrong.code(), wrong.message().as_str()), (409, "InvalidArgument".to_owned(), ""));
    assert_eq!(ask(&emulator, "sapi", "DELETE", &path, &json!({})).await.status, 204);
    let again = ask(&emulator, "sapi", "DELETE", &path, &json!({})).await;
    assert_eq!((again.status, again.body.len()), (404, 0));
    assert_eq!(ask(&emulator, "sapi", "PUT", &path, &json!({ "metadata": {} })).await.status, 500);
}

#[tokio::test]
async fn what_is_common_to_all_services_is_as_the_library_has_it() {
    let emulator = start().await;
    let unknown = get(&emulator, "vmapi", "/nope?a=1").await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (404, json!({ "code": "ResourceNotFound", "message": "/nope does not exist" }))
    );
    let method = ask(&emulator, "vmapi", "PATCH", "/vms", &json!({})).await;
    assert_eq!(
        (method.status, method.code(), method.message().as_str()),
        (405, "MethodNotAllowedError".to_owned(), "PATCH is not allowed")
    );
    assert_eq!(method.header("Allow").as_deref(), Some("GET, POST"));
    let broken = send(&emulator, "vmapi", "POST", "/vms", &[("Content-Type", "application/json")], "{").await;
    assert_eq!((broken.status, broken.code()), (400, "InvalidContent".to_owned()));
    let version = send(&emulator, "vmapi", "GET", "/ping", &[("accept-version", "~9")], "").await;
    assert_eq!((version.status, version.message().as_str()), (400, "~9 is not supported by GET /ping"));
    let accept = send(&emulator, "vmapi", "GET", "/ping", &[("accept", "text/html")], "").await;
    assert_eq!((accept.status, accept.code()), (406, "NotAcceptableError".to_owned()));
    let echoed = send(&emulator, "vmapi", "GET", "/ping", &[("x-request-id", "abc")], "").await;
    assert_eq!(
        (echoed.header("x-request-id").as_deref(), echoed.header("x-server-name").as_deref()),
        (Some("abc"), Some("vmapi0"))
    );
    let head = send(&emulator, "vmapi", "HEAD", "/vms?alias=web", &[], "").await;
    assert_eq!((head.status, head.header("x-joyent-resource-count").as_deref(), head.body.len()), (200, Some("2"), 0));
}

#[tokio::test]
async fn an_instance_takes_over_no_vm_and_is_refused_what_a_vm_is_refused() {
    let emulator = start().await;
    let service = get(&emulator, "sapi", "/services?name=papi").await.json()[0].clone();
    let body = |uuid: &str, params: Value| json!({ "service_uuid": service["uuid"], "uuid": uuid, "params": params });
    let fresh = |number: u8| format!("11111111-2222-4333-8444-{number:012}");
    let before = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    for wrong in [
        body(WEB1, json!({ "alias": "papi1" })),
        body("papi1", json!({ "alias": "papi1" })),
        body(&fresh(1).to_uppercase().replace('1', "A"), json!({ "alias": "papi1" })),
        body(&fresh(1), json!({ "alias": "papi1", "image_uuid": fresh(9) })),
        body(&fresh(1), json!({ "alias": "papi0" })),
    ] {
        let got = ask(&emulator, "sapi", "POST", "/instances?async=true", &wrong).await;
        assert_eq!((got.status, got.code()), (500, "ProvisionFailedError".to_owned()), "{wrong}");
    }
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json(), before);
    let kept = get(&emulator, "sapi", "/instances").await.json();
    assert!(kept.as_array().unwrap().iter().all(|one| one["params"]["alias"] != "papi1"), "{kept}");
    // Without an alias there is none that could be taken.
    for number in [1, 2] {
        let wanted = body(&fresh(number), json!({ "alias": "" }));
        let got = ask(&emulator, "sapi", "POST", "/instances?async=true", &wanted).await;
        assert_eq!(got.status, 200, "{:?}", got.json());
    }
    later(&emulator, 5000);
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{}", fresh(2))).await.json()["state"], "running");
}
