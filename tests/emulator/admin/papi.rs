//! PAPI: packages, as its description has them, and what customers see of them.

use serde_json::{Value, json};

use super::super::ssh_keygen_interop::{get as customer, post};
use super::{ACME, BASE, GLOBEX, Got, PRIVATE, SMALL, ask, errors, get, start};

const ID: &str = "11111111-2222-4333-8444-555555555555";

fn tiny() -> Value {
    json!({
        "name": "tiny", "version": "1.0.0", "active": true, "max_physical_memory": 256, "max_swap": 512,
        "quota": 10240, "max_lwps": 1000, "zfs_io_priority": 10, "cpu_cap": 25, "uuid": ID,
    })
}

/// What is told of each field.
fn told(got: &Got) -> Vec<(String, String)> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let list = got.json()["errors"].as_array().cloned().unwrap_or_default();
    list.iter().map(|entry| (text(entry, "field"), text(entry, "message"))).collect()
}

fn pair(field: &str, message: &str) -> (String, String) {
    (field.to_owned(), message.to_owned())
}

#[tokio::test]
async fn a_package_is_made_changed_and_deleted_by_force() {
    let emulator = start().await;
    let got = ask(&emulator, "papi", "POST", "/packages", &tiny()).await;
    assert_eq!((got.status, got.header("Location")), (201, Some(format!("/packages/{ID}"))));
    assert!(got.header("x-request-id").is_some());
    let made = got.json();
    assert_eq!((&made["v"], &made["quota"], &made["default"]), (&json!(1), &json!(10240), &json!(false)));
    assert!(made["created_at"].is_string() && made.get("vcpus").is_none());
    let path = format!("/packages/{ID}");
    assert_eq!(get(&emulator, "papi", &path).await.json(), made);
    let again = ask(&emulator, "papi", "POST", "/packages", &tiny()).await;
    assert_eq!(
        (again.status, again.json()),
        (409, json!({ "code": "ConflictError", "message": "A package with the given UUID already exists" }))
    );
    let old = ask(&emulator, "papi", "PUT", &path, &json!({ "active": false, "description": "old" })).await;
    assert_eq!((old.status, &old.json()["active"], &old.json()["description"]), (200, &json!(false), &json!("old")));
    let none = ask(&emulator, "papi", "PUT", &path, &json!({ "description": null, "quota": 10240 })).await;
    assert!(none.status == 200 && none.json().get("description").is_none());
    let fixed = ask(&emulator, "papi", "PUT", &path, &json!({ "quota": 20480 })).await;
    assert_eq!(
        (fixed.status, fixed.code(), fixed.message().as_str(), told(&fixed)),
        (409, "InvalidArgument".to_owned(), "Attempt to update immutables", vec![pair("quota", "is immutable")])
    );
    let forced = ask(&emulator, "papi", "PUT", &path, &json!({ "quota": 20480, "force": true })).await;
    assert_eq!((forced.status, &forced.json()["quota"]), (200, &json!(20480)));
    let wrong = ask(&emulator, "papi", "PUT", &path, &json!({ "quota": 1000, "force": true })).await;
    assert_eq!(wrong.message(), "Updated package is invalid");
    let refused = ask(&emulator, "papi", "DELETE", &path, &Value::Null).await;
    assert_eq!(
        (refused.status, refused.json()),
        (405, json!({ "code": "BadMethod", "message": "Packages cannot be deleted" }))
    );
    assert_eq!(ask(&emulator, "papi", "DELETE", &format!("{path}?force=true"), &Value::Null).await.status, 204);
    let gone = ask(&emulator, "papi", "DELETE", &format!("{path}?force=true"), &Value::Null).await;
    assert_eq!((gone.status, gone.message()), (404, format!("Package {ID} does not exist")));
    assert_eq!(get(&emulator, "papi", "/packages/nonsense").await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_package_is_told_by_its_attributes() {
    let emulator = start().await;
    let unknown = ask(&emulator, "papi", "POST", "/packages", &json!({ "ram": 1, "quota": 1 })).await;
    assert_eq!(
        (unknown.message().as_str(), told(&unknown)),
        ("Unrecognised attributes", vec![pair("ram", "is an unsupported attribute")])
    );
    let poor = ask(&emulator, "papi", "POST", "/packages", &json!({ "name": "x", "quota": 1000 })).await;
    assert_eq!((poor.status, poor.message().as_str()), (409, "Package is invalid"));
    let seen = told(&poor);
    assert_eq!(errors(&poor)[0], ("active".to_owned(), "Missing".to_owned()));
    assert_eq!(seen[0], pair("active", "is missing"));
    assert!(seen.contains(&pair("quota", "must be greater or equal to 1024")), "{seen:?}");
    assert!(seen.contains(&pair("quota", "must be a multiple of 1024")), "{seen:?}");
    for (change, expected) in [
        (json!({ "max_swap": 128 }), pair("max_swap", "cannot be less than max_physical_memory")),
        (json!({ "max_physical_memory": "256" }), pair("max_physical_memory", "must be integer")),
        (json!({ "active": "true" }), pair("active", "must be boolean")),
        (json!({ "owner_uuids": ["x"] }), pair("owner_uuids", "must only contain UUIDs")),
        (json!({ "networks": "x" }), pair("networks", "must be an array")),
        (json!({ "traits": "x" }), pair("traits", "must be a hash")),
        (json!({ "version": "" }), pair("version", "is empty")),
        (json!({ "uuid": "x" }), pair("uuid", "must be UUID")),
        (json!({ "cpu_cap": 10 }), pair("cpu_cap", "must be greater or equal to 20")),
        (json!({ "brand": "xen" }), pair("brand", "must be one of: bhyve, joyent, joyent-minimal, kvm, lx")),
        (json!({ "disks": [{}] }), pair("disks", "disks can be specified only for flexible_disk packages")),
    ] {
        let mut body = tiny();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let got = ask(&emulator, "papi", "POST", "/packages", &body).await;
        assert_eq!((got.status, told(&got)), (409, vec![expected]), "{change}");
    }
    let mut loose = json!({ "name": "loose", "skip_validation": true });
    assert_eq!(ask(&emulator, "papi", "POST", "/packages", &loose).await.status, 201);
    loose["name"] = json!("tiny");
    // Names and versions may be the same.
    ask(&emulator, "papi", "POST", "/packages", &tiny()).await;
    assert_eq!(ask(&emulator, "papi", "POST", "/packages", &loose).await.status, 201);
}

#[tokio::test]
async fn packages_are_listed_by_what_they_are() {
    let emulator = start().await;
    let names = async |query: &str| -> Vec<String> {
        let rows = get(&emulator, "papi", &format!("/packages?{query}")).await.json();
        rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    ask(&emulator, "papi", "POST", "/packages", &tiny()).await;
    let got = get(&emulator, "papi", "/packages?name=ti*").await;
    assert_eq!((got.header("x-resource-count").as_deref(), got.json().as_array().unwrap().len()), (Some("1"), 1));
    assert_eq!(names("name=%5B%22tiny%22%2C%22g0-old%22%5D").await, ["g0-old", "tiny"]);
    assert_eq!(names("max_physical_memory=256&active=true&sort=name&order=DESC").await, ["tiny", "sdc_256", "g1-nano"]);
    assert_eq!(names("filter=%28%26%28name%3Dg1-*%29%28quota%3C%3D25600%29%29").await, ["g1-nano", "g1-small"]);
    assert_eq!(names("nonsense=1").await.len(), names("").await.len());
    let theirs = names(&format!("owner_uuids={ACME}")).await;
    assert!(theirs.contains(&"tiny".to_owned()) && !theirs.contains(&"sdc_1024".to_owned()), "{theirs:?}");
    assert_eq!(names("limit=2&offset=1").await, names("").await[1..3]);
    for name in ["default", "disks", "alloc_server_spread"] {
        assert_eq!(get(&emulator, "papi", &format!("/packages?{name}=x")).await.status, 500, "{name}");
    }
    let nothing = get(&emulator, "papi", "/packages?traits=x").await;
    assert_eq!((nothing.status, nothing.body.len()), (404, 0));
    let broken = get(&emulator, "papi", "/packages?filter=%28name").await;
    assert_eq!((broken.status, broken.message().as_str()), (409, "Provided search filter is not valid"));
    assert_eq!(get(&emulator, "papi", "/ping").await.json()["backend"], "up");
}

#[tokio::test]
async fn customers_buy_the_packages_that_are_active_and_theirs() {
    let emulator = start().await;
    let with = |more: Value| {
        let mut body = tiny();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let names = async || -> Vec<String> {
        let rows = customer(&emulator, "/acme/packages").await.json();
        rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let path = format!("/packages/{ID}");
    ask(&emulator, "papi", "POST", "/packages", &with(json!({ "owner_uuids": [GLOBEX] }))).await;
    assert!(!names().await.contains(&"tiny".to_owned()));
    assert_eq!(customer(&emulator, &format!("/acme{path}")).await.status, 404);
    assert_eq!(get(&emulator, "papi", &format!("{path}?owner_uuids={ACME}")).await.status, 404);
    ask(&emulator, "papi", "PUT", &path, &json!({ "owner_uuids": [GLOBEX, ACME] })).await;
    let shown = customer(&emulator, &format!("/acme{path}")).await.json();
    assert_eq!(
        (shown["memory"].as_u64(), shown["disk"].as_u64(), shown["lwps"].as_u64()),
        (Some(256), Some(10240), Some(1000))
    );
    for name in ["cpu_cap", "zfs_io_priority", "owners", "created", "more"] {
        assert!(shown.get(name).is_none(), "{name}");
    }
    let wanted = json!({ "name": "little", "image": BASE, "package": "tiny", "networks": [PRIVATE] });
    let got = post(&emulator, "/acme/machines", &wanted).await;
    assert_eq!(got.status, 201, "{:?}", got.json());
    let vm = get(&emulator, "vmapi", &format!("/vms/{}", got.json()["id"].as_str().unwrap())).await.json();
    assert_eq!((vm["cpu_cap"].as_u64(), vm["billing_id"].as_str()), (Some(25), Some(ID)));
    ask(&emulator, "papi", "PUT", &path, &json!({ "active": false })).await;
    assert!(!names().await.contains(&"tiny".to_owned()));
    let late = post(&emulator, "/acme/machines", &json!({ "image": BASE, "package": ID, "networks": [PRIVATE] })).await;
    assert_eq!((late.status, late.message()), (409, format!("{ID} is inactive. Must use an active package")));
    assert!(names().await.contains(&"g1-small".to_owned()));
    assert_eq!(customer(&emulator, &format!("/acme/packages/{SMALL}")).await.json()["name"], "g1-small");
}
