//! CNAPI, IMGAPI and mahi, as far as the other services need them.

use serde_json::{Value, json};

use super::super::ssh_keygen_interop::{get as customer, public_key};
use super::{ACME, BASE, WEB1, ask, get, later, send, start, zone};

const CN: &str = "44454c4c-3200-1042-8050-b6c04f4e3232";
const HEADNODE: &str = "44454c4c-3100-1039-8036-b4c04f4d3132";
const GONE: &str = "11111111-2222-4333-8444-555555555555";
const ADMIN: &str = "930896af-bf8c-48d4-885c-6573a94b1853";

#[tokio::test]
async fn servers_are_computed_from_the_vms_that_are_on_them() {
    let emulator = start().await;
    assert_eq!(get(&emulator, "cnapi", "/ping").await.json()["ready"], true);
    let vm = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    let path = format!("/servers/{}", vm["server_uuid"].as_str().unwrap());
    let server = get(&emulator, "cnapi", &path).await.json();
    assert_eq!((server["status"].as_str(), &server["setup"]), (Some("running"), &json!(true)));
    let on = &server["vms"][WEB1];
    assert_eq!((on["state"].as_str(), &on["max_physical_memory"]), (Some("running"), &vm["ram"]));
    // What there is is what the VMs leave of it.
    let taken: u64 =
        server["vms"].as_object().unwrap().values().map(|vm| vm["max_physical_memory"].as_u64().unwrap()).sum();
    assert_eq!(server["unreserved_ram"], json!(server["ram"].as_u64().unwrap() * 85 / 100 - taken));
    ask(&emulator, "vmapi", "DELETE", &format!("/vms/{WEB1}"), &Value::Null).await;
    later(&emulator, 5000);
    let after = get(&emulator, "cnapi", &path).await.json();
    assert!(after["vms"].get(WEB1).is_none());
    assert!(after["unreserved_ram"].as_u64() > server["unreserved_ram"].as_u64());
    // A VM in the making is on its server already.
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("new")).await.json();
    let uuid = got["vm_uuid"].as_str().unwrap();
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    let path = format!("/servers/{}", vm["server_uuid"].as_str().unwrap());
    assert_eq!(get(&emulator, "cnapi", &path).await.json()["vms"][uuid]["state"], "provisioning");
}

#[tokio::test]
async fn a_list_of_servers_is_strict_and_shows_the_parts_that_are_asked_for() {
    let emulator = start().await;
    let all = get(&emulator, "cnapi", "/servers").await.json();
    let uuids: Vec<&str> = all.as_array().unwrap().iter().map(|one| one["uuid"].as_str().unwrap()).collect();
    assert!(uuids.is_sorted() && uuids.contains(&CN));
    assert!(all[0].get("vms").is_none() && all[0].get("unreserved_ram").is_none());
    let full = get(&emulator, "cnapi", &format!("/servers?uuids={CN}&extras=capacity,vms,nonsense")).await.json();
    assert!(full[0]["unreserved_ram"].is_u64() && full[0]["vms"].is_object() && full[0].get("sysinfo").is_none());
    let head = get(&emulator, "cnapi", "/servers?headnode=true&fields=uuid,hostname").await.json();
    assert_eq!(head, json!([{ "uuid": HEADNODE, "hostname": "headnode" }]));
    let unset = get(&emulator, "cnapi", "/servers?setup=False").await.json();
    assert_eq!(unset.as_array().unwrap().len(), 1);
    let down = get(&emulator, "cnapi", "/servers?hostname=cn3&extras=last_heartbeat").await.json();
    assert_eq!(down[0]["status"], "unknown");
    assert!(down[0]["last_heartbeat"].is_string(), "it says since when");
    let unknown = get(&emulator, "cnapi", "/servers?foo=1").await;
    assert_eq!(
        (unknown.status, unknown.json()),
        (409, json!({ "code": "InvalidArgument", "message": "foo is not an explicitly defined parameter" }))
    );
    let wrong = get(&emulator, "cnapi", "/servers?reserved=maybe").await;
    assert_eq!(
        (wrong.status, wrong.code(), &wrong.json()["errors"][0]),
        (
            500,
            "InvalidParameters".to_owned(),
            &json!({ "field": "reserved", "code": "Invalid", "message": "value was not true or false" })
        )
    );
    assert_eq!(get(&emulator, "cnapi", "/servers?limit=0").await.status, 400);
    assert_eq!(get(&emulator, "cnapi", "/servers/nope").await.message(), "Invalid server_uuid");
    let missing = get(&emulator, "cnapi", &format!("/servers/{GONE}")).await;
    assert_eq!((missing.status, missing.message()), (404, format!("Server {GONE} not found")));
    let platforms = get(&emulator, "cnapi", "/platforms").await.json();
    assert_eq!(platforms["20260115T000102Z"], json!({ "latest": true }));
    let version = send(&emulator, "cnapi", "GET", "/ping", &[("accept-version", "~1")], "").await;
    assert_eq!(version.status, 405);
}

#[tokio::test]
async fn jobs_hold_tickets_and_begin_tasks() {
    let emulator = start().await;
    let stop = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await.json();
    let start = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=start"), &json!({})).await.json();
    let vm = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    let server = vm["server_uuid"].as_str().unwrap();
    let tickets = get(&emulator, "cnapi", &format!("/servers/{server}/tickets")).await.json();
    let seen: Vec<(&str, &str, &Value)> = (tickets.as_array().unwrap().iter())
        .filter(|one| one["id"] == WEB1)
        .map(|one| {
            (one["action"].as_str().unwrap(), one["status"].as_str().unwrap(), &one["extra"]["workflow_job_uuid"])
        })
        .collect();
    assert_eq!(seen, [("stop", "active", &stop["job_uuid"]), ("start", "queued", &start["job_uuid"])]);
    let path = format!("/tickets/{}", tickets[0]["uuid"].as_str().unwrap());
    assert_eq!(get(&emulator, "cnapi", &path).await.json(), tickets[0]);
    later(&emulator, 5000);
    assert_eq!(get(&emulator, "cnapi", &path).await.json()["status"], "finished");
    let job = get(&emulator, "workflow", &format!("/jobs/{}", stop["job_uuid"].as_str().unwrap())).await.json();
    let step = job["chain_results"].as_array().unwrap().iter().find(|one| one["name"] == "cnapi.stop_vm").unwrap();
    let id = step["result"].as_str().unwrap().split(' ').nth(2).unwrap();
    let task = get(&emulator, "cnapi", &format!("/tasks/{id}")).await.json();
    assert_eq!(
        (task["task"].as_str(), task["status"].as_str(), task["history"][0]["name"].as_str()),
        (Some("machine_shutdown"), Some("complete"), Some("finish"))
    );
    let unknown = get(&emulator, "cnapi", "/tasks/nope").await;
    assert_eq!((unknown.status, unknown.message().as_str()), (404, "no such task found"));
}

#[tokio::test]
async fn images_are_manifests_and_an_account_sees_its_own() {
    let emulator = start().await;
    assert_eq!(get(&emulator, "imgapi", "/ping").await.json()["ping"], "pong");
    let failed = get(&emulator, "imgapi", "/ping?error=ResourceNotFound&message=no").await;
    assert_eq!((failed.status, failed.json()), (404, json!({ "code": "ResourceNotFound", "message": "no" })));
    let got = get(&emulator, "imgapi", &format!("/images/{BASE}")).await;
    let image = got.json();
    assert_eq!((&image["v"], image["uuid"].as_str(), image["state"].as_str()), (&json!(2), Some(BASE), Some("active")));
    assert_eq!(
        (&image["disabled"], &image["public"], image["owner"].as_str()),
        (&json!(false), &json!(true), Some(ADMIN))
    );
    let tag = got.header("Etag").unwrap();
    let again = send(&emulator, "imgapi", "GET", &format!("/images/{BASE}"), &[("If-None-Match", &tag)], "").await;
    assert_eq!(again.status, 304);
    let ids = async |query: &str| -> Vec<String> {
        let rows = get(&emulator, "imgapi", &format!("/images?{query}")).await.json();
        rows.as_array().unwrap().iter().map(|row| row["uuid"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids("state=all").await;
    let theirs = ids(&format!("account={ACME}&state=all")).await;
    assert!(theirs.len() < all.len(), "the image of the services is the operator's alone");
    let hidden = all.iter().find(|id| !theirs.contains(id)).unwrap();
    let denied = get(&emulator, "imgapi", &format!("/images/{hidden}?account={ACME}")).await;
    assert_eq!((denied.status, denied.message().as_str()), (404, "image not found"));
    // What a customer sees is what IMGAPI shows for the customer.
    let seen = customer(&emulator, "/acme/images").await.json();
    let mut seen: Vec<String> =
        seen.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let mut shown = ids(&format!("account={ACME}&type=!docker")).await;
    seen.sort();
    shown.sort();
    assert_eq!(seen, shown);
    let active = ids("").await;
    assert_eq!(ids(&format!("marker={}&limit=2", active[1])).await, active[1..3], "a marker is part of its page");
    assert!(ids("name=~base").await.contains(&BASE.to_owned()) && ids("name=bas").await.is_empty());
    for (query, message) in [
        ("state=nice", "invalid state: \"nice\""),
        ("limit=0", "invalid limit: \"0\""),
        ("sort=name", "invalid 'sort': not a valid sorting attribute: 'name'"),
    ] {
        let got = get(&emulator, "imgapi", &format!("/images?{query}")).await;
        assert_eq!((got.status, got.code(), got.message().as_str()), (422, "InvalidParameter".to_owned(), message));
    }
}

#[tokio::test]
async fn accounts_are_those_that_customers_are_with_their_keys() {
    let emulator = start().await;
    assert_eq!(get(&emulator, "mahi", "/ping").await.status, 204);
    let got = get(&emulator, "mahi", "/accounts?login=acme").await.json();
    let account = &got["account"];
    assert_eq!(
        (account["uuid"].as_str(), &account["isOperator"], &account["approved_for_provisioning"]),
        (Some(ACME), &json!(false), &json!(true))
    );
    let own = customer(&emulator, "/acme/keys").await.json();
    let fingerprint = own[0]["fingerprint"].as_str().unwrap();
    let pem = account["keys"][fingerprint].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"), "{pem}");
    assert!(!public_key(&emulator).is_empty());
    assert_eq!(get(&emulator, "mahi", &format!("/accounts/{ACME}")).await.json(), got);
    let admin = get(&emulator, "mahi", "/accounts?login=admin").await.json();
    assert_eq!(admin["account"]["groups"], json!(["operators"]));
    let user = get(&emulator, "mahi", "/users?account=acme&login=ci").await.json();
    let role = user["user"]["defaultRoles"][0].as_str().unwrap();
    assert_eq!((user["user"]["login"].as_str(), user["roles"][role]["name"].as_str()), (Some("ci"), Some("operator")));
    let id = user["user"]["uuid"].as_str().unwrap();
    assert_eq!(get(&emulator, "mahi", &format!("/users/{id}")).await.json(), user);
    let nobody = get(&emulator, "mahi", "/users?account=acme&login=nobody").await.json();
    assert!(nobody.get("user").is_none() && nobody["account"]["login"] == "acme");
    let names = get(&emulator, "mahi", &format!("/names?uuid={ACME}&uuid={id}&uuid={GONE}")).await.json();
    assert_eq!(names, json!({ ACME: "acme", id: "ci" }));
    let uuids = get(&emulator, "mahi", "/uuids?account=acme&type=role&name=operator&name=none").await.json();
    assert_eq!(uuids, json!({ "account": ACME, "uuids": { "operator": role } }));
    for (path, status, code) in [
        ("/accounts?login=nobody", 404, "AccountDoesNotExist"),
        ("/accounts", 400, "BadRequestError"),
        (&*format!("/accounts/{GONE}"), 404, "AccountIdDoesNotExist"),
        (&*format!("/accounts/{id}"), 400, "WrongType"),
        ("/users?account=acme&login=nobody&fallback=false", 404, "UserDoesNotExist"),
        (&*format!("/users/{GONE}"), 404, "UserIdDoesNotExist"),
    ] {
        let got = get(&emulator, "mahi", path).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{path}");
    }
    assert_eq!(get(&emulator, "mahi", "/lookup").await.json()[ACME], json!({ "approved": true, "login": "acme" }));
}
