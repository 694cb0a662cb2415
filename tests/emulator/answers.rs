//! What every answer has in common: versions, headers, bodies, routes that are none.

use sdc::emulator::{Emulator, Options};
use serde_json::json;

use super::ssh_keygen_interop::{get, options, post, raw, send, signed, stepped};

#[tokio::test]
async fn the_version_is_agreed_upon_by_semver_ranges() {
    let emulator = stepped().await;
    for range in ["~9||~8", "*", "", ">=7", "^9", "~7.2", "9"] {
        let got = signed(&emulator, "GET", "/my", &[("Accept-Version", range)], "").await;
        assert_eq!((got.status, got.header("Api-Version").as_deref()), (200, Some("9.0.0")), "{range}");
    }
    for range in ["9.20.0", "9.1.0", "~10", "6.5.0", "junk"] {
        let got = signed(&emulator, "GET", "/my", &[("Accept-Version", range)], "").await;
        assert_eq!((got.status, got.code().as_str()), (400, "InvalidVersion"), "{range}");
        assert_eq!(got.message(), format!("{range} is not supported by GET /my"));
        assert_eq!(got.header("Request-Id"), None);
    }
    assert_eq!(signed(&emulator, "GET", "/my", &[("Api-Version", "~10")], "").await.status, 200);
    assert_eq!(signed(&emulator, "GET", "/my", &[("X-Api-Version", "~10")], "").await.status, 400);
}

#[tokio::test]
async fn version_7_calls_the_types_of_images_by_their_old_names() {
    let emulator = stepped().await;
    let path = "/my/images?name=ubuntu-24.04";
    let new = signed(&emulator, "GET", path, &[("Accept-Version", "~8")], "").await.json();
    assert_eq!(new[0]["type"], "zvol");
    let old = signed(&emulator, "GET", path, &[("Accept-Version", "~7.2")], "").await.json();
    assert_eq!(old[0]["type"], "virtualmachine");
    let oldest = signed(&emulator, "GET", path, &[("Accept-Version", "~7.0")], "").await.json();
    assert_eq!(oldest[0].get("state"), None);
}

#[tokio::test]
async fn unknown_routes_are_refused_methods_before_anyone_asks_who_it_is() {
    let emulator = stepped().await;
    let got = send(&emulator, "GET", "/acme/nope", &[], "").await;
    assert_eq!((got.status, got.code().as_str()), (405, "MethodNotAllowedError"));
    assert_eq!((got.message().as_str(), got.header("Allow").as_deref()), ("GET is not allowed", Some("PUT")));
    assert_eq!(got.header("Server"), None);
    for (method, path) in [
        ("HEAD", "/acme/datacenters"),
        ("HEAD", "/acme/services"),
        ("HEAD", "/acme/machines/x/metadata/key"),
        ("GET", "/acme/instances"),
        ("DELETE", "/acme"),
    ] {
        assert_eq!(send(&emulator, method, path, &[], "").await.status, 405, "{method} {path}");
    }
    let got = send(&emulator, "GET", "/a/b/c/d/e/f?x=1", &[], "").await;
    assert_eq!((got.status, got.message().as_str()), (404, "/a/b/c/d/e/f?x=1 does not exist"));
}

#[tokio::test]
async fn the_headers_are_those_of_the_real_server() {
    let emulator = stepped().await;
    let got = signed(&emulator, "GET", "/acme/keys", &[("Request-Id", "my own words")], "").await;
    assert_eq!(got.header("Request-Id").as_deref(), Some("my own words"));
    assert_eq!(got.header("Server").as_deref(), Some("cloudapi/9.20.0"));
    assert_eq!(got.header("Content-Type").as_deref(), Some("application/json"));
    assert_eq!(got.header("Access-Control-Allow-Origin").as_deref(), Some("*"));
    assert_eq!(got.header("Content-Length"), Some(got.body.len().to_string()));
    assert!(
        got.header("Response-Time").is_some() && got.header("Date").is_some() && got.header("Content-MD5").is_some()
    );
    assert_eq!(got.header("X-Request-Id"), None);
    assert_eq!(got.header("Triton-Datacenter-Name"), None);
    let got = signed(&emulator, "GET", "/acme/keys", &[("X-Request-Id", "other")], "").await;
    assert_eq!(got.header("Request-Id").as_deref(), Some("other"));
    assert_eq!(get(&emulator, "/acme/keys").await.header("Request-Id").map(|id| id.len()), Some(36));
    for path in ["/--ping", "/acme/datacenters"] {
        assert_eq!(get(&emulator, path).await.header("Triton-Datacenter-Name").as_deref(), Some("local-1"));
    }
}

#[tokio::test]
async fn a_head_has_the_headers_of_its_get_and_no_body() {
    let emulator = stepped().await;
    let got = signed(&emulator, "HEAD", "/acme/machines?limit=2", &[], "").await;
    assert_eq!((got.status, got.body.len()), (200, 0));
    assert_eq!(got.header("x-resource-count").as_deref(), Some("2"));
    assert_eq!(got.header("x-query-limit").as_deref(), Some("2"));
}

#[tokio::test]
async fn only_json_and_text_are_accepted() {
    let emulator = stepped().await;
    for (accept, status) in [("text/html", 406), ("application/xml", 406), ("text/plain", 200), ("*/*", 200)] {
        let got = signed(&emulator, "GET", "/acme/keys", &[("Accept", accept)], "").await;
        assert_eq!(got.status, status, "{accept}");
    }
}

#[tokio::test]
async fn a_body_is_bounded_checked_and_must_be_json_if_it_says_so() {
    let emulator = stepped().await;
    let json = ("Content-Type", "application/json");
    let path = "/acme/machines";
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(100_000));
    let got = signed(&emulator, "POST", path, &[json], &long).await;
    assert_eq!((got.status, got.code().as_str()), (413, "PayloadTooLargeError"));
    let got = signed(&emulator, "POST", path, &[json], "{").await;
    assert_eq!((got.status, got.code().as_str()), (400, "InvalidContent"));
    let got = signed(&emulator, "POST", path, &[json, ("Content-MD5", "AAAA")], "{}").await;
    assert_eq!((got.status, got.code().as_str()), (400, "BadDigest"));
    let got = signed(&emulator, "POST", path, &[json, ("Content-MD5", "mZFLkyvTelC5g8XnyQrpOw==")], "{}").await;
    assert_eq!((got.status, got.code().as_str()), (409, "MissingParameter"));
}

#[tokio::test]
async fn a_form_is_understood_but_not_where_keys_are_made() {
    let emulator = stepped().await;
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let web1 = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    assert_eq!(signed(&emulator, "POST", web1, &[form], "action=stop").await.status, 202);
    let got = signed(&emulator, "POST", "/acme/keys", &[form, ("Accept-Version", "~10")], "name=x").await;
    assert_eq!((got.status, got.code().as_str()), (415, "UnsupportedMediaTypeError"));
    // A body of another type is silently ignored.
    let got = signed(&emulator, "POST", web1, &[("Content-Type", "text/plain")], "action=stop").await;
    assert_eq!((got.status, got.code().as_str()), (409, "MissingParameter"));
}

#[tokio::test]
async fn the_body_overrides_the_query_and_even_the_path() {
    let emulator = stepped().await;
    let web1 = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    let db0 = "51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    let path = format!("/acme/machines/{web1}?action=start");
    let got = post(&emulator, &path, &json!({ "action": "stop", "machine": db0 })).await;
    assert_eq!(got.status, 202);
    assert_eq!(get(&emulator, &format!("/acme/machines/{db0}")).await.json()["state"], "stopping");
    assert_eq!(get(&emulator, &format!("/acme/machines/{web1}")).await.json()["state"], "running");
}

#[tokio::test]
async fn a_data_center_is_a_redirect() {
    let emulator = stepped().await;
    let got = get(&emulator, "/acme/datacenters/local-2").await;
    assert_eq!((got.status, got.code().as_str()), (302, "ResourceMoved"));
    assert_eq!(got.header("Location").as_deref(), Some("https://local-2.api.example.com"));
    assert_eq!(got.message(), " local-2 https://local-2.api.example.com");
    assert_eq!(get(&emulator, "/acme/datacenters/nowhere").await.status, 404);
}

#[tokio::test]
async fn keys_are_added_found_by_name_and_fingerprint_and_removed() {
    let emulator = stepped().await;
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";
    let got = post(&emulator, "/acme/keys", &json!({ "key": line, "name": "lap top" })).await;
    let fingerprint = got.json()["fingerprint"].as_str().unwrap().to_owned();
    let place = format!("/acme/keys/{}", fingerprint.replace(':', "%3A"));
    assert_eq!((got.status, got.header("Location")), (201, Some(place)));
    assert_eq!(fingerprint.len(), 47);
    assert_eq!(get(&emulator, "/acme/keys/lap%20top").await.json()["key"], line);
    assert_eq!(get(&emulator, &format!("/acme/keys/{fingerprint}")).await.json()["name"], "lap top");
    let again = post(&emulator, "/acme/keys", &json!({ "key": line, "name": "other" })).await;
    assert_eq!((again.status, again.code().as_str()), (409, "InvalidArgument"));
    let bad = post(&emulator, "/acme/keys", &json!({ "key": "ssh-rsa nonsense" })).await;
    assert_eq!((bad.status, bad.code().as_str()), (409, "InvalidArgument"));
    assert_eq!(signed(&emulator, "DELETE", &format!("/acme/keys/{fingerprint}"), &[], "").await.status, 204);
    let got = get(&emulator, "/acme/keys/lap%20top").await;
    assert_eq!((got.status, got.code().as_str()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn packages_are_found_by_name_newest_first_and_by_pattern() {
    let emulator = stepped().await;
    assert_eq!(get(&emulator, "/acme/packages/g1-large").await.json()["version"], "1.1.0");
    assert_eq!(get(&emulator, "/acme/packages/g0-old").await.status, 404);
    let names = |got: super::ssh_keygen_interop::Got| got.json().as_array().unwrap().len();
    assert_eq!(names(get(&emulator, "/acme/packages?name=g1-*").await), 5);
    assert_eq!(names(get(&emulator, "/acme/packages?memory=1024").await), 1);
    assert_eq!(names(get(&emulator, "/acme/packages?limit=1").await), 8);
}

#[tokio::test]
async fn inactive_images_are_hidden_unless_asked_for() {
    let emulator = stepped().await;
    let count = |got: super::ssh_keygen_interop::Got| got.json().as_array().unwrap().len();
    assert_eq!(count(get(&emulator, "/acme/images").await), 7);
    assert_eq!(count(get(&emulator, "/acme/images?state=all").await), 8);
    assert_eq!(count(get(&emulator, "/acme/images?name=base-64").await), 2);
    assert_eq!(count(get(&emulator, "/acme/images?public=false").await), 1);
    assert_eq!(get(&emulator, "/acme/images/base-64").await.status, 404);
}

#[tokio::test]
async fn another_account_is_refused_and_an_unknown_one_is_not_there() {
    let emulator = stepped().await;
    assert_eq!(get(&emulator, "/nobody/machines").await.status, 404);
}

#[tokio::test]
async fn requests_are_counted_only_when_asked_for() {
    let emulator = Emulator::start(Options { throttle: true, ..options() }).await.unwrap();
    let mut last = None;
    for _ in 0..60 {
        let got = send(&emulator, "GET", "/--ping", &[], "").await;
        if got.status != 200 {
            last = Some(got);
            break;
        }
    }
    let got = last.expect("nothing was refused");
    assert_eq!((got.status, got.code().as_str()), (429, "TooManyRequestsError"));
    assert_eq!(got.message(), "You have exceeded your request rate of 10 r/s.");
    assert_eq!(got.header("Retry-After"), None);
}

#[tokio::test]
async fn nonsense_on_the_wire_does_no_harm() {
    let emulator = stepped().await;
    for request in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET /%00%ff%zz?%=&&=%&a[b]=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /acme/machines HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Signature keyId=\"\xff\xfe\"\r\nConnection: close\r\n\r\n",
        b"GET /--emulator/../../etc HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"POST /--emulator/clock HTTP/1.1\r\nConnection: close\r\nContent-Length: 19\r\n\r\n{\"advance\":\"9e999\"}",
    ] {
        raw(&emulator, request).await;
    }
    let many: String = (0..500).map(|at| format!("X-{at}: y\r\n")).collect();
    raw(&emulator, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).await;
    assert_eq!(get(&emulator, "/acme").await.status, 200);
}
