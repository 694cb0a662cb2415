//! The emulator beside the notes of how the real service answers where an emulator may easily answer otherwise:
//! differences.txt has the refusals, a probe each, and the tests here the rest of them, a row each.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::ssh_keygen_interop::{
    Got, authorization, changed, delete, get, http_date, new_key, post, public_key, put, raw, refused, rsa_sha256,
    send, signed, stepped,
};

const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB0: &str = "51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const POOL: &str = "4d8e1b73-5a7c-4d9e-9fb0-4b5c6d7e8f06";
const POOLED: &str = "4d8e1b73-5a7c-4d9e-9fb0-4b5c6d7e8f07";
const PUBLIC: &str = "f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
const FABRIC: &str = "6d40b97f-5a7c-4d9e-9fb0-4b5c6d7e8f03";
const ACCOUNT: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f";
const SHARED: &str = "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d09";

/// What `$NAME` stands for in differences.txt. Longer names come before those that they begin with.
const NAMES: &[(&str, &str)] = &[
    ("$NONE", "00000000-5d2a-4705-a025-edc9ba20930c"),
    ("$WEB1", WEB1),
    ("$DB0", DB0),
    ("$DB1", "c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d"),
    ("$WINDOWS", "77b04c9e-2d4f-4a6b-8c8d-1e2f3a4b5c04"),
    ("$WIN", "e6f1b023-7d0e-4b6a-9c1d-5e2f8a7b4c6d"),
    ("$DISK", "8b2c4d11-0002-4a2b-8c3d-4e5f6a7b8c9d"),
    ("$BASE_GONE", "60c5e91a-1c3e-4f5a-9b7c-0d1e2f3a4b03"),
    ("$BASE", BASE),
    ("$UBUNTU", "c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01"),
    ("$DEBIAN_LX", "4fa8067d-2d4f-4a6b-8c8d-1e2f3a4b5c02"),
    ("$SHARED", SHARED),
    ("$OWN", "d0c4f6a8-3e5a-4b7c-9d9e-2f3a4b5c6d01"),
    ("$OLD", "d14b7f60-4f6b-4c8d-8eaf-3a4b5c6d7e09"),
    ("$TRAITS", "6c18d3a5-4f6b-4c8d-8eaf-3a4b5c6d7e04"),
    ("$POOL", POOL),
    ("$PUBLIC", PUBLIC),
    ("$FABRIC", FABRIC),
    ("$GLOBAL", "7a9c4e12-6b8d-4eaf-a0c1-5c6d7e8f9a01"),
    ("$ACCOUNT", ACCOUNT),
    ("$CI", "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e60"),
];

/// A request, and what it is answered with.
#[derive(Debug)]
struct Probe {
    name: String,
    request: String,
    wanted: String,
}

fn probes(text: &str) -> Vec<Probe> {
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let blocks = text.join("\n");
    let blocks = blocks.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    let probe = |block: &str| {
        let mut lines = block.splitn(3, '\n').map(str::to_owned);
        let mut next = || lines.next().unwrap_or_else(|| panic!("too few lines: {block}"));
        Probe { name: next(), request: next(), wanted: next() }
    };
    blocks.map(probe).collect()
}

/// An answer as differences.txt writes it.
fn written(got: &Got) -> (u16, String, String, Value) {
    let mut body = got.json();
    let mut take = |name: &str| body.as_object_mut().and_then(|body| body.remove(name)).unwrap_or_default();
    let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let (code, message) = (text(take("code")), text(take("message")));
    (got.status, code, message, body)
}

/// What an answer should be: `STATUS CODE | MESSAGE | +{MORE}`.
fn wanted(text: &str) -> (u16, String, String, Value) {
    let (head, rest) = text.split_once(" | ").unwrap();
    let (status, code) = head.split_once(' ').unwrap();
    let (message, more) = match rest.split_once(" | +") {
        Some((message, more)) => (message, serde_json::from_str(more).unwrap()),
        None => (rest, json!({})),
    };
    (status.parse().unwrap(), code.to_owned(), message.to_owned(), more)
}

/// The demo, with what some probes need besides.
async fn prepared() -> (Emulator, tempfile::TempDir) {
    changed(|state| {
        let account = &mut state["accounts"][0];
        (account["operator"], account["limits"]) = (true.into(), json!([]));
        let mut robot = account["users"][0].clone();
        (robot["id"], robot["login"]) = ("00000062-5b6e-4c7d-8e9f-0a1b2c3d4e60".into(), "robot".into());
        account["users"].as_array_mut().unwrap().push(robot);
        let packages = state["packages"].as_array_mut().unwrap();
        for (id, name, memory) in [("a1", "huge", 1_048_576), ("a2", "tiny", 128)] {
            packages.push(json!({ "id": format!("000000{id}-4f6b-4c8d-8eaf-3a4b5c6d7e0a"), "name": name,
                "version": "1.0.0", "memory": memory, "disk": 10_240, "swap": 512, "lwps": 4000, "vcpus": 1 }));
        }
        state["images"].as_array_mut().unwrap().push(json!({ "id": SHARED, "name": "theirs", "version": "1",
            "os": "smartos", "type": "zone-dataset", "requirements": {}, "state": "active", "public": false,
            "owner": "b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99", "acl": [ACCOUNT] }));
    })
    .await
}

#[tokio::test]
async fn every_refusal_has_the_status_code_and_words_of_the_real_service() {
    let (emulator, _dir) = prepared().await;
    let own_key = public_key(&emulator).split(' ').take(2).collect::<Vec<_>>().join(" ");
    let long = "x".repeat(190);
    let filled = |text: &str| {
        let text = text.replace("$OWN_KEY", &own_key).replace("$LONG", &long);
        NAMES.iter().fold(text, |text, (name, id)| text.replace(name, id))
    };
    let mut wrong = Vec::new();
    let probes = probes(include_str!("differences.txt"));
    for probe in &probes {
        let request = filled(&probe.request);
        let (method, rest) = request.split_once(' ').unwrap();
        let (path, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let header = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')?.split_once(": "));
        let (headers, body) = match header {
            Some(header) => (vec![header], ""),
            None => (vec![("Content-Type", "application/json")], rest),
        };
        let got = signed(&emulator, method, path, &headers, body).await;
        let (got, wanted) = (written(&got), wanted(&filled(&probe.wanted)));
        if got != wanted {
            wrong.push(format!("{}\n  {request}\n  got    {got:?}\n  wanted {wanted:?}", probe.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), probes.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_list_of_roles_shows_a_default_member_as_one_of_every_later_role_too() {
    let (emulator, _dir) = changed(|state| {
        let roles = state["accounts"][0]["roles"].as_array_mut().unwrap();
        // The order is what counts: `operator`, of which ci is a default member, comes first.
        let mut first = roles[1].clone();
        first["id"] = "00000061-5b6e-4c7d-8e9f-0a1b2c3d4e60".into();
        first["name"] = "before".into();
        roles.insert(0, first);
    })
    .await;
    let default = |role: &Value| role["members"][0].get("default").cloned();
    let list = get(&emulator, "/acme/roles").await.json();
    let shown: Vec<_> =
        list.as_array().unwrap().iter().map(|role| (role["name"].as_str().unwrap(), default(role))).collect();
    let yes = Some(Value::Bool(true));
    assert_eq!(shown, [("before", None), ("operator", yes.clone()), ("keyadmin", yes.clone())]);
    for (name, is) in [("before", None), ("operator", yes), ("keyadmin", None)] {
        assert_eq!(default(&get(&emulator, &format!("/acme/roles/{name}")).await.json()), is, "{name}");
    }
    let old = signed(&emulator, "GET", "/acme/roles", &[("Accept-Version", "~8")], "").await.json();
    let defaults: Vec<&Value> = old.as_array().unwrap().iter().map(|role| &role["default_members"]).collect();
    assert_eq!(defaults, [&json!([]), &json!(["ci"]), &json!([])]);
}

/// A header that signs the date with the key of the account, which the sub-user has got too.
fn as_sub_user(emulator: &Emulator, date: &str) -> String {
    let signature = rsa_sha256(emulator, &format!("date: {date}"));
    let key = emulator.key_id();
    format!("Signature keyId=\"/acme/users/ci/keys/{key}\",algorithm=\"rsa-sha256\",signature=\"{signature}\"")
}

#[tokio::test]
async fn a_sub_user_is_refused_on_the_path_of_another_account() {
    let (emulator, _dir) = changed(|state| {
        state["accounts"][0]["users"][0]["keys"] = state["accounts"][0]["keys"].clone();
        let mut frozen = state["accounts"][2].clone();
        frozen["id"] = "00000080-5b6e-4c7d-8e9f-0a1b2c3d4e80".into();
        (frozen["login"], frozen["disabled"]) = ("frozen".into(), true.into());
        state["accounts"].as_array_mut().unwrap().push(frozen);
    })
    .await;
    let date = http_date(0);
    let authorization = as_sub_user(&emulator, &date);
    let headers = [("Date", date.as_str()), ("Authorization", authorization.as_str())];
    for path in ["/my/machines".to_owned(), "/acme/machines".to_owned(), format!("/{ACCOUNT}/machines")] {
        let got = send(&emulator, "GET", &path, &headers, "").await;
        assert_eq!(got.status, 200, "{path} {got:?}");
    }
    for (path, action) in [
        ("/globex/machines", "listmachines"),
        ("/nosuch/machines", "listmachines"),
        ("/frozen/machines", "listmachines"),
        ("/globex/keys", "listkeys"),
        ("/nosuch", "getaccount"),
        ("/globex/volumes", "listvolumes"),
    ] {
        let got = send(&emulator, "GET", path, &headers, "").await;
        assert_eq!(refused(&got), (403, "NotAuthorized".to_owned()), "{path}");
        assert_eq!(got.message(), format!("You do not have permission to access {path} ({action})"));
    }
}

#[tokio::test]
async fn a_token_that_nobody_gave_out_is_refused_in_spite_of_a_good_signature() {
    let emulator = stepped().await;
    for (token, words) in [
        ("junk", "Invalid authorization credentials supplied"),
        ("{\"data\":\"x\"}", "The token provided is not authorized for this application"),
    ] {
        let got = signed(&emulator, "GET", "/acme/machines", &[("X-Auth-Token", token)], "").await;
        assert_eq!((refused(&got), got.message()), ((401, "InvalidCredentials".to_owned()), words.to_owned()));
    }
    assert_eq!(send(&emulator, "GET", "/--ping", &[("X-Auth-Token", "junk")], "").await.status, 200);
}

/// A request whose body is these bytes, compressed.
async fn compressed(emulator: &Emulator, path: &str, body: &[u8]) -> Got {
    let date = http_date(0);
    let authorization = authorization(emulator, &date);
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nDate: {date}\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    raw(emulator, &request).await.unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_body_is_understood_and_bounded() {
    let emulator = stepped().await;
    let path = format!("/acme/machines/{WEB1}/tags");
    let got = compressed(&emulator, &path, &gzip(br#"{"packed":"yes"}"#)).await;
    assert_eq!((got.status, &got.json()["packed"]), (200, &json!("yes")));
    // A few hundred bytes that become a hundred megabytes.
    let bomb = gzip(&vec![b' '; 100_000_000]);
    let got = compressed(&emulator, &path, &bomb).await;
    assert_eq!(refused(&got), (413, "PayloadTooLargeError".to_owned()));
    let got = compressed(&emulator, &path, br#"{"packed":"no"}"#).await;
    assert_eq!(refused(&got), (400, "InvalidContent".to_owned()));
}

#[tokio::test]
async fn an_image_is_made_of_a_running_machine_too() {
    let emulator = stepped().await;
    let ask = json!({ "machine": WEB1, "name": "golden", "version": "1" });
    let got = post(&emulator, "/acme/images", &ask).await;
    assert_eq!((got.status, &got.json()["state"]), (201, &json!("creating")));
    emulator.clock().advance(std::time::Duration::from_secs(3600));
    let path = got.header("Location").unwrap();
    assert_eq!(get(&emulator, &path).await.json()["state"], "active");
    assert_eq!(get(&emulator, &format!("/acme/machines/{WEB1}")).await.json()["state"], "running");
}

#[tokio::test]
async fn a_list_of_machines_of_an_image_that_there_is_not_is_empty() {
    let emulator = stepped().await;
    for query in ["image=base-64", "image=00000000-5d2a-4705-a025-edc9ba20930c", "brand=foo"] {
        let got = get(&emulator, &format!("/acme/machines?{query}")).await;
        assert_eq!((got.status, got.json()), (200, json!([])), "{query}");
    }
    let all = get(&emulator, "/acme/machines").await.json();
    assert_eq!(get(&emulator, "/acme/machines?dataset=base-64").await.json(), all);
}

#[tokio::test]
async fn pools_come_first_and_the_first_public_one_serves_new_machines() {
    let emulator = stepped().await;
    let networks = get(&emulator, "/acme/networks").await.json();
    let ids: Vec<&str> = networks.as_array().unwrap().iter().map(|network| network["id"].as_str().unwrap()).collect();
    assert_eq!(ids[..3], [POOL, PUBLIC, PRIVATE]);
    assert!(!ids.contains(&POOLED));
    for (more, wanted) in [
        (json!({}), vec![POOLED, PRIVATE]),
        (json!({ "default_networks": ["external"] }), vec![POOLED]),
        (json!({ "default_networks": ["internal"] }), vec![PRIVATE]),
        // Anything but a list is not looked at.
        (json!({ "networks": FABRIC }), vec![POOLED, PRIVATE]),
        (json!({ "networks": [PRIVATE, PUBLIC] }), vec![PRIVATE, PUBLIC]),
        (json!({ "networks": [] }), vec![]),
    ] {
        let mut ask = json!({ "image": BASE, "package": "g1-small" });
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let got = post(&emulator, "/acme/machines", &ask).await;
        assert_eq!(got.status, 201, "{got:?}");
        emulator.clock().advance(std::time::Duration::from_secs(60));
        let machine = get(&emulator, &got.header("Location").unwrap()).await.json();
        assert_eq!(machine["networks"], json!(wanted), "{more}");
        if let Some(public) = wanted.iter().find(|id| [POOLED, PUBLIC].contains(id)) {
            let nics = machine["nics"].as_array().unwrap();
            let primary = nics.iter().find(|nic| nic["primary"] == true).unwrap();
            assert_eq!((&primary["network"], &primary["ip"]), (&json!(public), &machine["primaryIp"]), "{more}");
        }
    }
}

#[tokio::test]
async fn an_account_that_is_not_approved_makes_no_machines() {
    let (emulator, _dir) = changed(|state| state["accounts"][0]["unapproved"] = true.into()).await;
    let got = post(&emulator, "/acme/machines", &json!({ "image": BASE, "package": "g1-small" })).await;
    assert_eq!(refused(&got), (409, "InvalidArgument".to_owned()));
    assert_eq!(got.message(), "User is not currently approved for provisioning");
    assert_eq!(get(&emulator, "/acme/machines").await.status, 200);
}

#[tokio::test]
async fn what_is_made_has_the_location_that_the_real_service_sends_or_none() {
    let emulator = stepped().await;
    for path in ["/acme/keys", "/acme/users/ci/keys"] {
        let got = post(&emulator, path, &json!({ "name": "a b", "key": new_key("laptop") })).await;
        let fingerprint = got.json()["fingerprint"].as_str().unwrap().replace(':', "%3A");
        assert_eq!(got.header("Location"), Some(format!("{path}/{fingerprint}")));
    }
    for (path, ask) in [
        ("/acme/fwrules", json!({ "rule": "FROM any TO all vms ALLOW tcp PORT 80" })),
        ("/acme/fabrics/default/vlans", json!({ "vlan_id": 77, "name": "more" })),
        (
            "/acme/fabrics/default/vlans/2/networks",
            json!({ "name": "more", "subnet": "10.30.0.0/24", "provision_start_ip": "10.30.0.5",
                "provision_end_ip": "10.30.0.250" }),
        ),
        ("/acme/volumes", json!({ "type": "tritonnfs", "name": "more" })),
    ] {
        let got = post(&emulator, path, &ask).await;
        assert_eq!((got.status, got.header("Location")), (201, None), "{path} {got:?}");
    }
}

#[tokio::test]
async fn a_job_is_named_where_tags_and_metadata_are_written_and_not_where_they_are_deleted() {
    let emulator = stepped().await;
    let machine = format!("/acme/machines/{WEB1}");
    let is_job = |got: &Got| got.header("x-job-uuid").is_some();
    for part in ["tags", "metadata"] {
        let path = format!("{machine}/{part}");
        assert!(is_job(&post(&emulator, &path, &json!({ "a": "b" })).await), "{part}");
        emulator.clock().advance(std::time::Duration::from_secs(60));
        let got = delete(&emulator, &format!("{path}/a")).await;
        assert_eq!((got.status, is_job(&got)), (204, false), "{part}");
        let got = delete(&emulator, &path).await;
        assert_eq!((got.status, is_job(&got)), (204, false), "{part}");
    }
    assert!(is_job(&put(&emulator, &format!("{machine}/tags"), &json!({ "a": "b" })).await));
}

#[tokio::test]
async fn role_tags_are_shown_with_the_login_whatever_the_path_calls_the_account() {
    let emulator = stepped().await;
    for path in ["keys".to_owned(), format!("machines/{WEB1}")] {
        let got = put(&emulator, &format!("/my/{path}"), &json!({ "role-tag": ["operator"] })).await;
        assert_eq!(got.json(), json!({ "name": format!("/acme/{path}"), "role-tag": ["operator"] }));
        let got = put(&emulator, &format!("/my/{path}"), &json!({})).await;
        assert_eq!((got.status, &got.json()["role-tag"]), (200, &json!(["operator"])));
    }
}

#[tokio::test]
async fn an_address_that_is_reserved_belongs_to_nobody() {
    let emulator = stepped().await;
    let path = format!("/acme/networks/{FABRIC}/ips/192.168.128.77");
    let got = put(&emulator, &path, &json!({ "reserved": true })).await;
    assert_eq!(got.json(), json!({ "ip": "192.168.128.77", "reserved": true, "managed": false }));
    assert_eq!(get(&emulator, &path).await.json(), got.json());
}

#[tokio::test]
async fn tags_of_docker_are_taken_when_a_machine_is_made() {
    let emulator = stepped().await;
    let ask =
        json!({ "image": BASE, "package": "g1-small", "tag.sdc_docker": true, "tag.docker:label:com.docker.x": "y" });
    let got = post(&emulator, "/acme/machines", &ask).await;
    assert_eq!(got.status, 201, "{got:?}");
    let tags = get(&emulator, &format!("{}/tags", got.header("Location").unwrap())).await.json();
    assert_eq!(tags, json!({ "sdc_docker": true, "docker:label:com.docker.x": "y" }));
    let path = format!("{}/tags/sdc_docker", got.header("Location").unwrap());
    assert_eq!(refused(&delete(&emulator, &path).await), (409, "ValidationFailed".to_owned()));
}

#[tokio::test]
async fn names_with_a_stroke_are_in_the_list_alone() {
    let emulator = stepped().await;
    for part in ["tags", "metadata"] {
        let path = format!("/acme/machines/{WEB1}/{part}");
        let odd = json!({ "a/b": "x", ".": "y", "..": "z" });
        assert_eq!(post(&emulator, &path, &odd).await.status, 200);
        emulator.clock().advance(std::time::Duration::from_secs(60));
        let list = get(&emulator, &path).await.json();
        for name in ["a%2Fb", ".", "..", "%2e%2E"] {
            for method in ["GET", "DELETE"] {
                let got = signed(&emulator, method, &format!("{path}/{name}"), &[], "").await;
                assert_eq!(refused(&got), (404, "ResourceNotFound".to_owned()), "{method} {part} {name}");
            }
        }
        assert_eq!(get(&emulator, &path).await.json(), list);
        assert_eq!(list["a/b"], "x");
    }
}

#[tokio::test]
async fn what_the_operator_has_switched_off_is_refused_in_the_services_words() {
    let (emulator, _dir) = changed(|state| {
        state["switches"] = json!({ "bhyve_snapshots": false, "delegated_datasets": false, "user_migrations": false });
        state["accounts"][0]["default_network"] = Value::Null;
    })
    .await;
    let create = json!({ "image": BASE, "package": "g1-small", "delegate_dataset": true });
    let migrate = format!("/acme/machines/{WEB1}/migrate");
    let network = format!("/acme/fabrics/default/vlans/2/networks/{FABRIC}");
    for (got, status, code, words) in [
        (
            post(&emulator, &format!("{migrate}?action=begin"), &json!({})).await,
            412,
            "PreconditionFailed",
            "User migration on this VM not allowed",
        ),
        (get(&emulator, &migrate).await, 412, "PreconditionFailed", "User migration on this VM not allowed"),
        (
            post(&emulator, "/acme/machines", &create).await,
            409,
            "InvalidArgument",
            "Support for delegated datasets is not enabled (experimental_cloudapi_delegate_dataset in SAPI)",
        ),
        (
            post(&emulator, "/acme/volumes", &json!({ "type": "tritonnfs" })).await,
            409,
            "DefaultFabricNetworkNotConfiguredError",
            "default_network is not configured for account",
        ),
        (delete(&emulator, &network).await, 500, "", "Could not get default network"),
    ] {
        assert_eq!((got.status, got.code().as_str(), got.message().as_str()), (status, code, words));
    }
    let (emulator, _dir) = changed(|state| state["fabrics_off"] = true.into()).await;
    let got = get(&emulator, "/acme/fabrics/default/vlans").await;
    assert_eq!((refused(&got).0, got.message().as_str()), (501, "fabrics not enabled for this datacenter"));
}

#[tokio::test]
async fn answers_keep_the_connection_and_are_plain_text_for_those_who_accept_nothing_else() {
    let emulator = stepped().await;
    let date = http_date(0);
    let authorization = authorization(&emulator, &date);
    let ask = |path: &str, connection: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nDate: {date}\r\nAuthorization: {authorization}\r\n\
             Accept: text/plain\r\n{connection}\r\n"
        )
    };
    // The second one ends the connection, so that there is an end to read to.
    let two = ask("/acme/datacenters", "") + &ask("/acme/machines/web1", "Connection: close\r\n");
    let got = raw(&emulator, two.as_bytes()).await.unwrap();
    let rest = String::from_utf8_lossy(&got.body).into_owned();
    assert_eq!(got.header("Connection").as_deref(), Some("Keep-Alive"));
    assert_eq!(got.header("Content-Type").as_deref(), Some("text/plain"));
    assert!(rest.starts_with("{\"local-1\":"), "{rest}");
    assert!(rest.to_lowercase().contains("\r\nconnection: close\r\n"), "{rest}");
    assert!(rest.contains("\r\n\r\nInvalid Parameters"), "{rest}");
    for accept in ["application/json", "*/*", "text/plain, application/json"] {
        let got = signed(&emulator, "GET", "/acme/datacenters", &[("Accept", accept)], "").await;
        assert_eq!(got.header("Content-Type").as_deref(), Some("application/json"), "{accept}");
    }
}
