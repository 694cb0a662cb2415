//! What a list says: only rows that are what was asked for, whatever the service makes of the filters.
#![cfg(all(feature = "cli", feature = "emulator"))]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{against, answering, output, sdc, text};
use sdc::api::{Method, Paging, RESOURCES, Shape, Test};
use sdc::emulator::{Emulator, Options};
use serde_json::{Value, json};

const ID: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
const OTHER: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";

/// The names of the rows that are shown of this list, which is all that the service ever sends.
fn shown(rows: &Value, words: &[&str]) -> Vec<String> {
    let url = answering("200 OK", rows.to_string().into_bytes());
    let said = sdc(&url, &[words, &["--json"]].concat());
    assert_eq!(said.status.code(), Some(0), "{words:?}: {}", text(&said.stderr));
    let list: Vec<Value> = serde_json::from_slice(&said.stdout).unwrap();
    list.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_filter_of_every_list_is_compared_or_is_none() {
    let none = ["limit", "offset", "tombstone", "credentials", "sync"];
    let lists = RESOURCES.iter().flat_map(|resource| resource.ops);
    for op in lists.filter(|op| op.method == Method::Get && op.shape == Shape::Rows) {
        for field in op.fields {
            let is_none = none.contains(&field.name);
            assert_eq!(field.test == Test::Nothing, is_none, "{} {}", op.id, field.name);
            // The service validates it field by field, and rows have not all of its fields.
            assert_eq!(field.test == Test::Service, field.name == "predicate", "{} {}", op.id, field.name);
        }
        assert!(op.paging == Paging::None || op.fields.iter().any(|field| field.name == "limit"), "{}", op.id);
    }
}

#[test]
fn a_service_that_ignores_the_filters_is_compared_with_them() {
    let machines = json!([
        { "id": ID, "name": "a", "state": "running", "brand": "lx", "type": "smartmachine", "image": ID, "memory": 1024,
          "tags": { "role": "web", "n": 10, "b": true }, "docker": true },
        { "id": OTHER, "name": "b", "state": "stopped", "brand": "kvm", "type": "virtualmachine", "image": OTHER,
          "memory": 2048, "tags": {} },
    ]);
    let list = |filter: &str| shown(&machines, &["machines", "list", filter]);
    let only_a = [
        "state=running",
        "state!=stopped",
        "state==running",
        "brand=lx",
        "brand!=kvm",
        "brand=l?",
        "type=smartmachine",
        "memory=1G",
        "memory<2G",
        "memory<=1024",
        "memory!=2G",
        "tag.role=web",
        "tag.role=w*",
        "tag.role==web",
        "tags.role=web",
        "tag.n=10",
        "tag.n:=10",
        "tag.n>9",
        "tag.b=true",
        "tag.b:=true",
        "tags=*",
        "tagged=*",
        "docker=true",
        "docker!=false",
        "name=a",
        "name=*a",
        "name!=b",
        "tag=role=web",
    ];
    for filter in only_a {
        assert_eq!(list(filter), ["a"], "{filter}");
    }
    for filter in ["state=stopped", "docker=false", "tag.role!=web", "tag.role!=*", "memory>1G", "tag.n!=10"] {
        assert_eq!(list(filter), ["b"], "{filter}");
    }
    for filter in [
        "state=provisioning",
        "state=stopping",
        "state=ready",
        "state=offline",
        "state=failed",
        "state=deleted",
        "state=destroyed",
        "state=unknown",
        "tag.x=1",
        "name=c",
        "tag.role=we",
        "tag.n>10",
    ] {
        assert!(list(filter).is_empty(), "{filter}");
    }
    let image = |filter: String| shown(&machines, &["machines", "list", &filter]);
    assert_eq!((image(format!("image={ID}")), image(format!("image!={ID}"))), (vec!["a".into()], vec!["b".into()]));
    for words in [&["--tagged", "state=stopped"][..], &["--tombstone", "state=failed"], &["--tag", "role=db"]] {
        assert!(shown(&machines, &[&["machines", "list"], words].concat()).is_empty(), "{words:?}");
    }
    for words in [&["--tagged"][..], &["--state", "running"], &["--tag", "role!=db", "--docker"], &["--name", "*a"]] {
        assert_eq!(shown(&machines, &[&["machines", "list"], words].concat()), ["a"], "{words:?}");
    }
    let images = json!([
        { "id": ID, "name": "a", "version": "1.10", "os": "linux", "type": "zvol", "state": "active", "public": true, "owner": ID },
        { "id": OTHER, "name": "b", "version": "1.1", "os": "bsd", "type": "lxd", "state": "failed", "owner": OTHER },
    ]);
    for filter in [
        "name=a",
        "version=1.10",
        "os=linux",
        "type=zvol",
        "state=active",
        "state!=failed",
        "public=true",
        "public!=false",
        &format!("owner={ID}"),
        &format!("owner={}", ID.to_uppercase()),
    ] {
        assert_eq!(shown(&images, &["images", "list", filter]), ["a"], "{filter}");
    }
    assert_eq!(shown(&images, &["images", "list", "state=all"]), ["a", "b"]);
    let packages = json!([
        { "id": ID, "name": "a", "version": "1", "memory": 1024, "disk": 10, "swap": 2, "lwps": 4000, "vcpus": 1,
          "group": "g", "flexible_disk": true, "brand": "bhyve" },
        { "id": OTHER, "name": "b", "memory": 2048, "disk": 20, "swap": 4, "vcpus": 0 },
    ]);
    for filter in [
        "name=a",
        "name!=b",
        "version=1",
        "memory=1G",
        "disk=10",
        "swap<4",
        "lwps=4000",
        "lwps>1",
        "vcpus=1",
        "group=g",
        "group=*",
        "flexible_disk=true",
        "flexible-disk=true",
        "brand=bhyve",
    ] {
        assert_eq!(shown(&packages, &["packages", "list", filter]), ["a"], "{filter}");
    }
    let volumes = json!([
        { "id": ID, "name": "a", "state": "ready", "type": "tritonnfs", "size": 10240 },
        { "id": OTHER, "name": "b", "state": "creating", "type": "other" },
    ]);
    for filter in ["name=a", "name=?", "state=ready", "state!=creating", "size=10G", "size>1G", "type=tritonnfs"] {
        let rows = shown(&volumes, &["volumes", "list", filter]);
        assert_eq!(rows.first().map(String::as_str), Some("a"), "{filter}");
        assert_eq!(rows.len(), if filter == "name=?" { 2 } else { 1 }, "{filter}");
    }
    let networks = json!([{ "id": ID, "name": "a", "fabric": true }, { "id": OTHER, "name": "b", "public": true }]);
    assert_eq!(shown(&networks, &["networks", "list", "fabric=true"]), ["a"]);
    assert_eq!(shown(&networks, &["networks", "list", "--fabric"]), ["a"]);
}

#[test]
fn a_filter_that_is_not_understood_is_refused_before_anything_is_sent() {
    for words in [
        &["machines", "list", "state=active"][..],
        &["machines", "list", "--state", "active"],
        &["machines", "list", "state=Running"],
        &["machines", "list", "state=running,stopped"],
        &["machines", "list", "state>running"],
        &["machines", "list", "name=~web"],
        &["machines", "list", "name!~web"],
        &["machines", "list", "tag.role~=web"],
        &["machines", "list", "name=~"],
        &["machines", "list", "--name", "=~web"],
        &["machines", "list", "--name", "!=web"],
        &["machines", "list", "name=!web"],
        &["machines", "list", "memory=lots"],
        &["machines", "list", "memory=-1"],
        &["machines", "list", "memory>>1"],
        &["machines", "list", "tag.role>web"],
        &["machines", "list", "tag.=x"],
        &["machines", "list", "tag.x="],
        &["machines", "list", "tag.x!="],
        &["machines", "list", "tag.x"],
        &["machines", "list", "=x"],
        &["machines", "list", "tags!=*"],
        &["machines", "list", "tags=role"],
        &["machines", "list", "tag!=role=web"],
        &["machines", "list", "docker=yes"],
        &["machines", "list", "docker=TRUE"],
        &["machines", "list", "tombstone=false"],
        &["machines", "list", "limit>3"],
        &["machines", "list", "limit=some"],
        &["machines", "list", "state:=\"running\""],
        &["machines", "list", "dataset=x"],
        &["machines", "list", "created>2020"],
        &["machines", "list", "role=web"],
        &["machines", "list", "image=a*"],
        &["machines", "list", "name=a", "--name", "b"],
        &["machines", "list", "state=running", "--limit", "0"],
        &["images", "list", "owner=acme"],
        &["images", "list", "state!=all"],
        &["images", "list", "public=maybe"],
        &["images", "list", "tag.x=1"],
        &["images", "list", "limit=3"],
        &["packages", "list", "vcpus=two"],
        &["packages", "list", "name<x"],
        &["volumes", "list", "state=asleep"],
        &["volumes", "list", "state!=ready", "predicate={}"],
        &["networks", "list", "fabric=false"],
        &["networks", "list", "public=true"],
    ] {
        let said = sdc("http://127.0.0.1:1", words);
        assert_eq!(said.status.code(), Some(2), "{words:?}: {}", text(&said.stderr));
    }
}

#[test]
fn what_a_hint_says_can_be_typed_and_is_understood() {
    let rows = json!([{ "id": ID, "name": "web1", "package": "g1", "tags": { "role": "web" }, "memory": 1024 }]);
    let url = answering("200 OK", rows.to_string().into_bytes());
    for filter in [
        "name=~web",
        "name=~^web",
        "tag.role=~w.*b$",
        "memory=>1G",
        "role=web",
        "role!=db",
        "package=g1",
        "tag.role",
        "state:running",
        "nme=web1",
        "name=!db",
        "memory=<2G",
        "!tag.zone",
        "state<>stopped",
    ] {
        let said = sdc(&url, &["machines", "list", filter, "--json"]);
        assert_eq!(said.status.code(), Some(2), "{filter}");
        let told: Value = serde_json::from_slice(&said.stderr).unwrap();
        let hint = told["error"]["hints"][0].as_str().unwrap().to_owned();
        // "what it is: what to type", with the quotes of a shell.
        let typed = hint.strip_prefix("did you mean ").map(|name| format!("{}=web1", name.trim_end_matches('?')));
        let typed = typed.unwrap_or_else(|| hint.rsplit(": ").next().unwrap().to_owned());
        let words: Vec<String> = match typed.strip_prefix("--jq ") {
            Some(jq) => vec!["--jq".to_owned(), jq.trim_matches('\'').to_owned()],
            None => vec![typed.trim_matches('\'').to_owned()],
        };
        let words: Vec<&str> =
            ["machines", "list", "--json"].into_iter().chain(words.iter().map(String::as_str)).collect();
        let said = sdc(&url, &words);
        assert_eq!(said.status.code(), Some(0), "{filter} -> {words:?}: {}", text(&said.stderr));
        let found = !["state:running", "state<>stopped"].contains(&filter);
        assert_eq!(text(&said.stdout).contains("web1"), found || filter.contains("<>"), "{filter} -> {words:?}");
    }
}

/// A service of this many machines that knows pages and no filter; and the queries that it has seen.
fn paged(many: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let queries = Arc::clone(&seen);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = common::head(&mut stream);
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let number = |name: &str| {
                let pairs = target.split(['?', '&']);
                pairs.filter_map(|pair| pair.strip_prefix(name)).find_map(|text| text.parse::<usize>().ok())
            };
            let (limit, offset) = (number("limit=").unwrap_or(1000), number("offset=").unwrap_or(0));
            let row = |n: usize| json!({ "id": format!("{n:08}-0000-4000-8000-000000000000"), "name": format!("m{n}"), "memory": many - n, "state": if n.is_multiple_of(2) { "running" } else { "stopped" } });
            let rows: Vec<Value> = (offset..many.min(offset + limit)).map(row).collect();
            queries.lock().unwrap().push(target.clone());
            let body = Value::from(rows).to_string();
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nx-query-limit: {limit}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    (url, seen)
}

#[test]
fn a_limit_counts_what_fits_and_what_is_sorted_first() {
    let (url, seen) = paged(1500);
    let list = |words: &[&str]| {
        let said = sdc(&url, &[&["machines", "list", "-o", "tsv:name", "-H", "--rate", "1000"], words].concat());
        assert_eq!(said.status.code(), Some(0), "{words:?}: {}", text(&said.stderr));
        text(&said.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(&["state=stopped", "--limit", "2"]), ["m1", "m3"]);
    assert_eq!(seen.lock().unwrap().len(), 1, "no page is asked for that is not needed");
    assert_eq!(list(&["state=stopped", "--limit", "2", "--offset", "600"]), ["m1201", "m1203"]);
    assert_eq!(list(&["state=stopped"]).len(), 750);
    assert_eq!(list(&["--limit", "2", "--offset", "1"]), ["m1", "m2"]);
    // The least memory is on the last page.
    assert_eq!(list(&["--sort", "memory", "--limit", "2"]), ["m1499", "m1498"]);
    assert_eq!(list(&["--sort", "memory", "--limit", "1", "--offset", "2", "state=running"]), ["m1494"]);
    assert_eq!(list(&["--sort", "memory", "--offset", "1499"]), ["m0"]);
    assert!(list(&["--sort", "memory", "--offset", "1500"]).is_empty());
    seen.lock().unwrap().clear();
    assert_eq!(list(&["--limit", "5"]).len(), 5);
    assert_eq!(*seen.lock().unwrap(), ["/acme/machines?limit=5"]);
}

#[test]
fn a_field_that_no_row_has_is_told() {
    let url = answering("200 OK", json!([{ "id": ID, "name": "a" }]).to_string().into_bytes());
    let said = sdc(&url, &["machines", "list", "brand=lx", "-o", "name"]);
    assert_eq!((said.status.code(), text(&said.stdout)), (Some(0), "NAME\n".to_owned()));
    assert!(text(&said.stderr).contains("no row of the service's list has the field brand"), "{}", text(&said.stderr));
}

#[tokio::test]
async fn pickers_choose_only_what_the_account_owns() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let run = async |words: &[&str]| output(against(&emulator, words)).await;
    let own = text(&run(&["images", "list", "name=acme-web", "-o", "ids"]).await.stdout);
    for words in [
        &["images", "delete", "--older-than", "1h"][..],
        &["images", "delete", "*"],
        &["images", "delete", "acme-web"],
        &["images", "delete", "--state", "active"],
        &["images", "delete", "acme*", "base*"],
    ] {
        let said = run(&[words, &["--yes", "--dry-run", "--jq", "..|.url?|strings", "--raw"]].concat()).await;
        // A glob of others' images alone is an error; what it says is not about this account's.
        let urls = text(&said.stdout);
        let wrong = urls.lines().find(|url| !url.ends_with(own.trim()));
        assert_eq!(wrong, None, "{words:?}");
        assert!(words.contains(&"base*") || !urls.is_empty(), "{words:?}: {}", text(&said.stderr));
    }
    for words in [
        &["images", "delete", "base-64", "--yes"][..],
        &["images", "delete", "base*", "--yes"],
        &["images", "update", "base-64", "description=x"],
        &["images", "tag", "base-64", "a=b"],
    ] {
        let said = run(words).await;
        assert_eq!(said.status.code(), Some(3), "{words:?}: {}", text(&said.stderr));
    }
    let changes = emulator.requests().iter().filter(|seen| seen.method != "GET").count();
    assert_eq!(changes, 0);
    emulator.stop().await.unwrap();
}

#[test]
fn what_nobody_can_tell_the_owner_of_is_not_picked() {
    // The list is there, and the account may not be read.
    let rows = json!([{ "id": ID, "name": "a", "owner": OTHER, "published_at": "2020-01-01T00:00:00Z" }]).to_string();
    let list = rows.clone();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = common::head(&mut stream);
            let (status, body) = match head.starts_with("GET /acme/images") {
                true => ("200 OK", list.as_str()),
                false => ("403 Forbidden", r#"{"code":"NotAuthorized","message":"no"}"#),
            };
            let _ = stream.write_all(
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                    .as_bytes(),
            );
        }
    });
    let said = sdc(&url, &["images", "delete", "--older-than", "30d", "--yes"]);
    assert_eq!(said.status.code(), Some(4), "{}", text(&said.stderr));
    assert!(text(&said.stderr).contains("which images are the account's own"), "{}", text(&said.stderr));
    let rules = json!([{ "id": ID, "rule": "FROM any TO all vms ALLOW tcp PORT 1", "enabled": true, "global": true }]);
    let url = answering("200 OK", rules.to_string().into_bytes());
    let said = sdc(&url, &["fwrules", "delete", "*", "--dry-run"]);
    assert_eq!((said.status.code(), text(&said.stdout)), (Some(3), String::new()), "{}", text(&said.stderr));
}
