//! What a list says: only rows that are what was asked for, whatever the service makes of the filters.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common;
use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::common::{against, answering, output, sdc, text};
use sdc::api::{CLOUDAPI, Method, Paging, Shape, Test};
use sdc::emulator::{Emulator, Options};
use serde_json::{Value, json};

const ID: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
const NETWORK: &str = "networks=b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
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
    let lists = CLOUDAPI.resources.iter().flat_map(|resource| resource.ops);
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
        &["machines", "list", "state>running"],
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
        &["machines", "list", "tags!=role"],
        &["machines", "list", "tags=role"],
        &["machines", "list", "tag!=role=web"],
        &["machines", "list", "docker=yes"],
        &["machines", "list", "docker=TRUE"],
        &["machines", "list", "tombstone=false"],
        &["machines", "list", "limit>3"],
        &["machines", "list", "limit=some"],
        &["machines", "list", "state:=\"running\""],
        &["machines", "list", "dataset=x"],
        &["machines", "list", "role=web"],
        &["machines", "list", "name=a", "--name", "b"],
        &["machines", "list", "state=running", "--limit", "0"],
        &["images", "list", "owner=acme"],
        &["images", "list", "state!=all"],
        &["images", "list", "public=maybe"],
        &["images", "list", "limit=3"],
        &["packages", "list", "vcpus=two"],
        &["packages", "list", "name<x"],
        &["volumes", "list", "state=asleep"],
        &["volumes", "list", "state!=ready", "predicate={}"],
        &["networks", "list", "fabric=false"],
        &["machines", "list", "name=~("],
        &["machines", "list", "state=running,Stopped"],
        &["machines", "list", "state=~("],
        &["machines", "list", "package=~("],
    ] {
        let said = sdc("http://127.0.0.1:1", words);
        assert_eq!(said.status.code(), Some(2), "{words:?}: {}", text(&said.stderr));
    }
}

#[test]
fn what_a_hint_says_can_be_typed_and_is_understood() {
    let rows = json!([{ "id": ID, "name": "web1", "state": "running", "package": "g1", "tags": { "role": "web" },
        "memory": 1024 }]);
    let url = answering("200 OK", rows.to_string().into_bytes());
    for filter in [
        "memory=>1G",
        "role=web",
        "role!=db",
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
        assert!(text(&said.stdout).contains("web1"), "{filter} -> {words:?}");
    }
}

/// A service of this many machines that knows pages and no filter; and the queries that it has seen.
fn paged(many: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    paged_by(many, |_, _| false, |limit| limit)
}

/// The same, with pages that are empty at some offsets, by how often they were asked for before, and with another limit
/// in its header.
fn paged_by(
    many: usize,
    empty: impl Fn(usize, usize) -> bool + Send + 'static,
    told: impl Fn(usize) -> usize + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
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
            let before = queries.lock().unwrap().iter().filter(|query| **query == target).count();
            let end = if empty(offset, before) { offset } else { many.min(offset + limit) };
            let rows: Vec<Value> = (offset..end).map(row).collect();
            queries.lock().unwrap().push(target.clone());
            let limit = told(limit);
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
fn a_list_is_not_over_where_the_service_has_shown_more_of_it() {
    let count = |url: &str| sdc(url, &["machines", "list", "--jq", "length", "--rate", "1000"]);
    // An empty page although the row before it, which it begins with, is there: it is asked for once more.
    let (url, _) = paged_by(1500, |offset, before| offset == 999 && before == 0, |limit| limit);
    assert_eq!(text(&count(&url).stdout).trim(), "1500");
    let (url, _) = paged_by(1500, |offset, _| offset == 999, |limit| limit);
    let said = count(&url);
    assert_eq!(said.status.code(), Some(6), "{}", text(&said.stdout));
    assert!(text(&said.stderr).contains("of which it has shown more"), "{}", text(&said.stderr));
    // One that has become shorter meanwhile is whole.
    let (url, _) = paged_by(1000, |_, _| false, |limit| limit);
    assert_eq!(text(&count(&url).stdout).trim(), "1000");
    // A page that is as long as was asked for is full, whatever its header says.
    for told in [1, 500, 999] {
        let (url, _) = paged_by(1500, |_, _| false, move |_| told);
        assert_eq!(text(&count(&url).stdout).trim(), "1500", "{told}");
    }
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

/// The expression that an error gives first.
fn expression(told: &[u8]) -> Option<String> {
    let told: Value = serde_json::from_slice(told).unwrap();
    let hints = told["error"]["hints"].as_array().unwrap().clone();
    hints.iter().find_map(|hint| {
        let (_, jq) = hint.as_str()?.split_once("--jq ")?;
        // As a shell reads it.
        let read = std::process::Command::new("sh").args(["-c", &format!("printf %s {jq}")]).output().unwrap();
        Some(String::from_utf8(read.stdout).unwrap())
    })
}

#[test]
fn rows_are_compared_by_any_column_that_the_service_does_not_filter_by() {
    let machines = json!([
        { "id": ID, "name": "a", "compute_node": "g1-small", "created": "2025-03-01T00:00:00.000Z", "image": ID,
          "ips": ["10.0.0.5", null], "networks": [ID], "disk": 25600, "metadata": { "x": 1, "a b": "c" },
          "firewall_enabled": true, "tags": { "role": "web", "n": 2025 } },
        { "id": OTHER, "name": "b", "compute_node": "b1", "created": "2999-01-01T00:00:00.000Z", "ips": ["10.0.0.50"],
          "networks": [], "disk": 1024, "metadata": {}, "tags": { "role": "db", "ro": "web" } },
    ]);
    let url = answering("200 OK", machines.to_string().into_bytes());
    let short = &ID[..6];
    for (filter, names) in [
        ("compute_node=g1-small", &["a"][..]),
        ("compute_node==g1-small", &["a"]),
        ("compute_node!=g1-small", &["b"]),
        ("compute_node=g1*", &["a"]),
        ("compute_node!=g1*", &["b"]),
        ("compute_node=g?", &[]),
        ("ips=10.0.0.5", &["a"]),
        ("ip=10.0.0.5", &["a"]),
        ("ips!=10.0.0.5", &["b"]),
        ("ips=10.0.0.5?", &["b"]),
        (&format!("networks={ID}"), &["a"]),
        ("created=2025", &["a"]),
        ("created == 2025", &["a"]),
        ("created!=2025", &["b"]),
        ("created>2025-06", &["b"]),
        ("created<2025-06-01T00:00:00Z", &["a"]),
        ("age>1w", &["a"]),
        ("age < 1w", &["b"]),
        ("AGE>9y", &[]),
        ("disk>20G", &["a"]),
        ("disk=1G", &["b"]),
        ("disk!=1024", &["a"]),
        ("metadata.x=1", &["a"]),
        ("metadata.x!=1", &["b"]),
        ("metadata.x>0", &["a"]),
        ("metadata.x<5", &["a"]),
        ("metadata.a b=c", &["a"]),
        ("firewall_enabled=true", &["a"]),
        ("firewall_enabled!=true", &["b"]),
        (&format!("id={ID}"), &["a"]),
        (&format!("shortid={short}"), &["a"]),
        ("compute_node=~^g1", &["a"]),
        ("compute_node!~^g1", &["b"]),
        ("tag.role=~^(web|db)$", &["a", "b"]),
        ("name=~[ab]", &["a", "b"]),
        ("ips=~^10[.]0[.]0[.]5$", &["a"]),
        ("created>=2025-03-01", &["a", "b"]),
        ("created<=2025-03-01", &["a"]),
        ("created>2025-03-01", &["b"]),
    ] {
        let said = sdc(&url, &["machines", "list", filter, "-o", "tsv:name", "-H"]);
        let out = text(&said.stdout);
        assert_eq!(said.status.code(), Some(0), "{filter}: {}", text(&said.stderr));
        assert_eq!(out.lines().collect::<Vec<_>>(), names, "{filter}");
    }
    for (filter, names) in [
        ("tag.role=web,other", &["a"][..]),
        ("tag.role=web|db", &["a", "b"]),
        ("tag.role!=web,db", &[]),
        ("tag.n=2025,1", &["a"]),
        ("tag.*=web", &["a", "b"]),
        ("tag.ro*=db", &["b"]),
        ("tag.ro?=web", &[]),
        ("tags.tag.x=1", &[]),
        ("name=a,b", &["a", "b"]),
    ] {
        let said = sdc(&url, &["machines", "list", filter, "--json"]);
        assert_eq!((said.status.code(), text(&said.stdout)), (Some(2), String::new()), "{filter}");
        // Another filter does it, or an expression.
        let told: Value = serde_json::from_slice(&said.stderr).unwrap();
        let hint = told["error"]["hints"][0].as_str().unwrap().rsplit(": ").next().unwrap().to_owned();
        let said = match expression(&said.stderr) {
            Some(jq) => sdc(&url, &["machines", "list", "--jq", &format!("{jq}|.[].name"), "--raw"]),
            None => sdc(&url, &["machines", "list", hint.trim_matches('\''), "-o", "tsv:name", "-H"]),
        };
        assert_eq!(said.status.code(), Some(0), "{filter} -> {hint}: {}", text(&said.stderr));
        let out = text(&said.stdout);
        assert_eq!(out.lines().collect::<Vec<_>>(), names, "{filter} -> {hint}");
    }
}

#[test]
fn every_list_is_filtered_by_its_columns() {
    for (words, filter, row) in [
        (&["users", "list"][..], "login=jill", json!({ "id": ID, "login": "jill" })),
        (&["users", "list"], "age>1w", json!({ "id": ID, "login": "jill", "created": "2020-01-01T00:00:00.000Z" })),
        (
            &["roles", "list"],
            "members=jill",
            json!({ "id": ID, "name": "r", "members": [{ "type": "subuser", "login": "jill" }] }),
        ),
        (&["policies", "list"], "rules=CAN get*", json!({ "id": ID, "name": "p", "rules": ["CAN getmachine"] })),
        (&["keys", "list"], "name=laptop", json!({ "name": "laptop", "fingerprint": "aa", "key": "x" })),
        (&["fwrules", "list"], "enabled=true", json!({ "id": ID, "enabled": true, "rule": "x" })),
        (&["networks", "list"], "public=true", json!({ "id": ID, "name": "n", "public": true })),
        (&["networks", "list"], "vlan=2", json!({ "id": ID, "name": "n", "vlan_id": 2 })),
        (&["images", "list"], "age>1w", json!({ "id": ID, "name": "i", "published_at": "2020-01-01T00:00:00Z" })),
        (&["images", "list"], "tags.a=b", json!({ "id": ID, "name": "i", "tags": { "a": "b" } })),
        (&["volumes", "list"], NETWORK, json!({ "id": ID, "name": "v", "networks": [ID] })),
        (&["packages", "list"], "disk<=2G", json!({ "id": ID, "name": "p", "disk": 2048 })),
        (&["fabrics", "vlans", "list"], "name=dev", json!({ "vlan_id": 2, "name": "dev" })),
        (&["machines", "snapshots", "list", ID], "state=created", json!({ "name": "s", "state": "created" })),
        (&["machines", "disks", "list", ID], "size>=1G", json!({ "id": ID, "size": 2048 })),
        (&["machines", "nics", "list", ID], "ip=10.0.0.1", json!({ "mac": "90:b8:d0:00:00:01", "ip": "10.0.0.1" })),
        (&["accesskeys", "list"], "status=Active", json!({ "accesskeyid": "k", "status": "Active" })),
    ] {
        let rows = json!([row]).to_string();
        let url = answering("200 OK", rows.into_bytes());
        let said = sdc(&url, &[words, &[filter, "--json"]].concat());
        assert_eq!(said.status.code(), Some(0), "{words:?} {filter}: {}", text(&said.stderr));
        let found: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(found, json!([row]), "{words:?} {filter}");
        // And it does tell apart.
        let (name, sign, value) = ["=", ">=", "<=", ">", "<"]
            .iter()
            .filter_map(|sign| filter.split_once(sign).map(|(name, value)| (name, *sign, value)))
            .min_by_key(|(name, sign, _)| (name.len(), std::cmp::Reverse(sign.len())))
            .unwrap();
        let other = match sign {
            "=" => format!("{name}!={value}"),
            ">=" => format!("{name}<{value}"),
            "<=" => format!("{name}>{value}"),
            _ => format!("{name}<{value}"),
        };
        let said = sdc(&url, &[words, &[&other, "--json"]].concat());
        assert_eq!(text(&said.stdout), "[]\n", "{words:?} {other}: {}", text(&said.stderr));
    }
}

#[test]
fn what_can_fit_nothing_is_refused_with_the_way_to_say_it() {
    let url = answering("200 OK", b"[]".to_vec());
    for (filter, hint) in [
        ("tag.role=web&state=stopped", "tag.role=web state=stopped"),
        ("name=web1 state=running", "name=web1 state=running"),
        ("name=web1;state=running", "name=web1 state=running"),
        ("name=web1 AND state!=running", "name=web1 'state!=running'"),
        ("name=web1, tag.role=web", "name=web1 tag.role=web"),
        ("tag:role=web", "tag.role=web"),
        ("name=web%", "'name=web*'"),
        ("name=%web", "'name=*web'"),
        ("name=web 1", "'name=web?1'"),
        ("tags[role]=web", "tag.role=web"),
        ("label.role=web", "tag.role=web"),
        ("tag.tag.role=web", "tag.role=web"),
        ("tags.tag:role!=web", "'tag.role!=web'"),
        ("!state=running", "'state!=running'"),
        ("!tag.role=web", "'tag.role!=web'"),
        ("name=^web", "'name=web*'"),
        ("name=web.*", "'name=*web**'"),
        ("name=%web%", "'name=*web*'"),
        ("name=\"web1\"", "name=web1"),
        ("tag.role='web'", "tag.role=web"),
        ("role=web", "tag.role=web"),
    ] {
        let said = sdc(&url, &["machines", "list", filter, "--json"]);
        assert_eq!((said.status.code(), text(&said.stdout)), (Some(2), String::new()), "{filter}");
        let told: Value = serde_json::from_slice(&said.stderr).unwrap();
        assert!(told["error"]["hints"][0].as_str().unwrap().ends_with(hint), "{filter}: {}", text(&said.stderr));
        // What the hint says is understood.
        let words: Vec<&str> = hint.split(' ').map(|word| word.trim_matches('\'')).collect();
        let said = sdc(&url, &[&["machines", "list", "--json"], &words[..]].concat());
        assert_eq!(said.status.code(), Some(0), "{filter} -> {hint}: {}", text(&said.stderr));
    }
    for (filter, words) in [
        ("ip=", "the filter ip is empty"),
        ("tag.age=", "the filter tag.age is empty"),
        ("package!=", "the filter package is empty"),
        ("age=1w", "asked with < and >"),
        ("age>1", "has a unit"),
        ("age>soon", "has a unit"),
        ("created>1w", "is a time"),
        ("created>yesterday", "is a time"),
        ("ips>10.0.0.1", "only numbers, amounts and times"),
        ("package>g1", "only numbers, amounts and times"),
        ("disk=big", "is not an amount"),
        ("flags=D", "flags is made of several fields"),
        ("xyz>1w", "there is no filter 'xyz'"),
        ("image=a,b", "takes one image"),
    ] {
        let said = sdc(&url, &["machines", "list", filter]);
        assert_eq!((said.status.code(), text(&said.stdout)), (Some(2), String::new()), "{filter}");
        assert!(text(&said.stderr).contains(words), "{filter}: {}", text(&said.stderr));
        assert!(!text(&said.stderr).contains("by a tag"), "{filter}: {}", text(&said.stderr));
    }
    // What can be meant so is looked for as it is.
    for filter in [
        "tag.q=a b",
        "tag.url=http://x/?a=1&b=2",
        "tag.triton.cns.services=web,db",
        "tag.list:=\"a,b\"",
        "tag.list=a?b",
        "tag.b64=YWJj=",
    ] {
        let said = sdc(&url, &["machines", "list", filter, "--json"]);
        assert_eq!(
            (said.status.code(), text(&said.stdout)),
            (Some(0), "[]\n".to_owned()),
            "{filter}: {}",
            text(&said.stderr)
        );
    }
}

/// A service that answers everything with these bytes, and the request lines that it has seen.
fn saying(body: &Value) -> (String, Arc<Mutex<Vec<String>>>) {
    let (body, seen) = (body.to_string(), Arc::new(Mutex::new(Vec::new())));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lines = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let line = common::head(&mut stream).lines().next().unwrap_or_default().to_owned();
            lines.lock().unwrap().push(line);
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    (url, seen)
}

/// The words that list things of a noun.
fn lister(noun: &sdc::api::Noun) -> Vec<String> {
    let parent = |word: &str| match word {
        "VLAN" => "2".to_owned(),
        word if word == word.to_uppercase() => ID.to_owned(),
        word => word.to_owned(),
    };
    sdc::api::CLOUDAPI.command(noun.list).split(' ').map(parent).collect()
}

#[test]
fn a_row_without_an_id_of_its_own_is_not_cloudapis_on_any_noun() {
    let nouns = sdc::api::CLOUDAPI.nouns.iter().filter(|noun| noun.list.shape == Shape::Rows);
    let mut many = 0;
    for noun in nouns {
        many += 1;
        let number = noun.ids == sdc::api::Ids::Number;
        let other = if number { json!("2") } else { json!(7) };
        let one = if number { json!(2) } else { json!(ID) };
        let with = |id: Value| json!([{ noun.key: id, "other": "a" }]);
        let bad = [
            json!([{}]),
            json!([null]),
            json!([1]),
            json!([{ "other": "a" }]),
            with(Value::Null),
            with(json!("")),
            with(json!(" ")),
            // A key may be called so, and is not deleted by its name then.
            with(if noun.ids == sdc::api::Ids::Key { json!("") } else { json!("..") }),
            with(json!([])),
            with(json!({})),
            with(json!(-1.5)),
            with(other),
            json!([{ noun.key: one }, {}]),
            json!([{ noun.key: one }, { noun.key: one }]),
        ];
        let list = lister(noun);
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        for rows in &bad {
            let url = answering("200 OK", rows.to_string().into_bytes());
            for output in [&["--json"][..], &[], &["-o", "ids"]] {
                let said = sdc(&url, &[&list[..], output].concat());
                let told = text(&said.stderr);
                assert_eq!(
                    (said.status.code(), text(&said.stdout)),
                    (Some(6), String::new()),
                    "{list:?} {rows}: {told}"
                );
            }
        }
        let url = answering("200 OK", json!([{ noun.key: one, "other": "a" }]).to_string().into_bytes());
        let paged = noun.list.paging != Paging::None;
        let said = sdc(&url, &[&list[..], &["--json"]].concat());
        // One row without an id does not hide the others.
        let rows = json!([{ noun.key: one, "other": "a" }, { noun.key: "", "other": "b" }, { "other": "c" }]);
        if !paged {
            let said = sdc(&answering("200 OK", rows.to_string().into_bytes()), &[&list[..], &["--json"]].concat());
            assert!(said.status.success() && text(&said.stdout).contains("\"c\""), "{list:?}: {}", text(&said.stderr));
        }
        // The addresses of a network are asked for until a page is empty.
        assert!(said.status.success() || paged, "{list:?}: {}", text(&said.stderr));
    }
    assert!(many > 15, "{many}");
}

#[test]
fn nothing_without_an_id_is_destroyed() {
    for list in [
        &["machines"][..],
        &["images"],
        &["volumes"],
        &["fwrules"],
        &["users"],
        &["roles"],
        &["policies"],
        &["accesskeys"],
        &["machines", "snapshots"],
        &["machines", "disks"],
        &["machines", "nics"],
    ] {
        for rows in [json!([{}]), json!([{ "name": "", "id": "" }]), json!([{ "id": 5, "mac": 5, "name": 5 }])] {
            let (url, seen) = saying(&rows);
            let machine = if list.len() > 1 { vec![ID] } else { Vec::new() };
            for targets in [&["*"][..], &["a*", "*"], &["a", "b", "c", "d", "e"]] {
                // What is typed is the id itself there.
                if targets.len() > 2 && matches!(list.last(), Some(&"accesskeys" | &"snapshots")) {
                    continue;
                }
                let words = [list, &["delete"], &machine, targets, &["--yes"]].concat();
                let said = sdc(&url, &words);
                let seen = seen.lock().unwrap();
                assert!(seen.iter().all(|line| line.starts_with("GET ")), "{words:?} {rows}: {seen:?}");
                assert_ne!(said.status.code(), Some(0), "{words:?} {rows}");
                let told = text(&said.stderr);
                assert!(!told.contains("machine \n") && !told.contains("machine :"), "{words:?}: {told}");
            }
        }
    }
    // One of them by its id, which answers with another sort of id.
    for record in [json!({ "id": 5 }), json!({ "id": "" }), json!({ "name": "a" }), json!({ "id": null })] {
        let said = sdc(&answering("200 OK", record.to_string().into_bytes()), &["machines", "get", ID]);
        assert_eq!(said.status.code(), Some(6), "{record}: {}", text(&said.stderr));
    }
}

#[tokio::test]
async fn an_action_with_the_words_of_a_list_touches_what_the_list_shows() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let run = async |words: &[&str]| output(against(&emulator, words)).await;
    for (noun, verb, words) in [
        ("machines", "stop", &["web*"][..]),
        ("machines", "stop", &["web*", "name!=web1"]),
        ("machines", "stop", &["package=g1-*", "memory>=4G"]),
        ("machines", "stop", &["image=acme*"]),
        ("machines", "stop", &["img=acme-web"]),
        ("machines", "stop", &["-l", "role=web"]),
        ("machines", "stop", &["-l", "role", "state=running"]),
        ("machines", "stop", &["--state", "stopped,failed"]),
        ("machines", "stop", &["state=stopped,failed"]),
        ("machines", "stop", &["--older-than", "10w", "brand!=kvm"]),
        ("machines", "stop", &["web1", "db0", "state=running"]),
        ("machines", "stop", &["name=~^w", "created<2026"]),
        ("machines", "delete", &["tag.stage=test"]),
        ("images", "delete", &["--mine"]),
        ("images", "delete", &["--mine", "name=acme*", "--older-than", "1d"]),
        ("volumes", "delete", &["--unused"]),
        ("volumes", "delete", &["size>=10G"]),
        ("fwrules", "disable", &["enabled=true", "--mine"]),
        ("users", "delete", &["login=b*"]),
    ] {
        let listed = run(&[&[noun, "list", "-o", "ids"], words].concat()).await;
        assert_eq!(listed.status.code(), Some(0), "{noun} {words:?}: {}", text(&listed.stderr));
        let ids = text(&listed.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
        let yes: &[&str] = if verb == "delete" { &["--yes"] } else { &[] };
        let asked = run(&[&[noun, verb, "--dry-run", "-j"], words, yes].concat()).await;
        assert_eq!(asked.status.code(), Some(0), "{noun} {words:?}: {}", text(&asked.stderr));
        let requests: Value = serde_json::from_slice(&asked.stdout).unwrap();
        let url = |request: &Value| {
            let url = request["url"].as_str().unwrap().split('?').next().unwrap().to_owned();
            url.trim_end_matches("/disable").rsplit('/').next().unwrap().to_owned()
        };
        let touched: Vec<String> = requests.as_array().unwrap().iter().map(url).collect();
        assert_eq!(touched, ids, "{noun} {verb} {words:?}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_list_shows_what_is_named_and_says_what_is_not_there() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let run = async |words: &[&str]| {
        let said = output(against(&emulator, &[words, &["-o", "tsv:name", "-H"]].concat())).await;
        (said.status.code(), text(&said.stdout), text(&said.stderr))
    };
    let id = text(&output(against(&emulator, &["machines", "get", "db0", "-o", "ids"])).await.stdout);
    for (words, names) in [
        (&["web1"][..], "web1\n"),
        (&["web?", "db*"], "web1\ndb0\ndb1\n"),
        (&[id.trim(), &id[..8]], "db0\n"),
        (&["web*", "-l", "role=db"], ""),
        (&["web1", "state=stopped"], ""),
    ] {
        assert_eq!(run(&[&["machines", "list"], words].concat()).await, (Some(0), names.to_owned(), String::new()));
    }
    let (code, out, err) = run(&["machines", "list", "web1", "nosuch", "x-*"]).await;
    assert_eq!((code, out.as_str()), (Some(3), "web1\n"), "{err}");
    assert!(err.contains("no machine named 'nosuch'") && err.contains("no machine matches 'x-*'"), "{err}");
    for words in
        [&["keys", "list", "nosuch"][..], &["machines", "list", "nosuch", "-j"], &["machines", "list", "nosuch"]]
    {
        let said = output(against(&emulator, words)).await;
        assert_eq!((said.status.code(), text(&said.stdout)), (Some(3), String::new()), "{words:?}");
    }
    // What is on no list any more is still in rows, and typed where it must not be it would fit all.
    assert_eq!(run(&["machines", "list", "package=retired"]).await.0, Some(0));
    assert_eq!(run(&["machines", "list", "package!=retired"]).await.0, Some(3));
    let nics = output(against(&emulator, &["machines", "nics", "list", "web1", "network=public", "--count"])).await;
    assert_eq!(text(&nics.stdout), "1\n", "{}", text(&nics.stderr));
    for (words, many) in
        [(&["machines", "list", "--count"][..], "7\n"), (&["machines", "list", "--count", "web*"], "2\n")]
    {
        assert_eq!(text(&output(against(&emulator, words)).await.stdout), many);
    }
    let mut piped = against(&emulator, &["machines", "list", "-", "-o", "tsv:name", "-H"]);
    piped.input("web1\ndb0\n");
    assert_eq!(text(&output(piped).await.stdout), "web1\ndb0\n");
    let mut none = against(&emulator, &["machines", "list", "-", "-o", "tsv:name", "-H"]);
    none.input("");
    assert_eq!(text(&output(none).await.stdout), "");
    let said = output(against(&emulator, &["machines", "list", "-l"])).await;
    assert!(text(&said.stderr).contains("more columns: --long"), "{}", text(&said.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_selects_targets_is_never_wider_than_it_was_meant() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let run = async |words: &[&str]| output(against(&emulator, words)).await;
    // One name, however it is written; not those that begin so.
    for word in ["name=web1", "NAME=web1", "name==web1"] {
        let said = run(&["machines", "stop", word, "--dry-run", "--jq", "length"]).await;
        assert_eq!(text(&said.stdout), "1\n", "{word}: {}", text(&said.stderr));
    }
    for word in [
        "limit=1",
        "offset=1",
        "tombstone=true",
        "State!=Running",
        "state!~^(runing)$",
        "package!=g1-smal",
        "image!=acme-wbe",
        "networks!=zz*",
        "created<20260101",
        "created<2026-6",
        "created<2026-13",
        "created!=2026-02-30",
        "deletion_protection!=yes",
        "firewall_enabled!=no",
        "metadata!=x",
        "nics!=x",
        "memory!~1G",
    ] {
        let said = run(&["machines", "delete", word, "--yes"]).await;
        assert!(matches!(said.status.code(), Some(2 | 3)), "{word}: {}", text(&said.stderr));
    }
    assert!(emulator.requests().iter().all(|seen| seen.method == "GET"), "something was deleted");
    // A column in capitals is the same column, and a pattern is about names.
    for (word, many) in
        [("IMG!=debian*", "4\n"), ("img!~debian", "4\n"), ("IMG=acme-web", "2\n"), ("package!=5be92d07", "4\n")]
    {
        assert_eq!(text(&run(&["machines", "list", word, "--count"]).await.stdout), many, "{word}");
    }
    // What is named like a filter is not meant by it without a doubt.
    let file = common::key().join("key.pub").display().to_string();
    assert!(run(&["keys", "add", &file, "-n", "name=emulator"]).await.status.success());
    let said = run(&["keys", "delete", "name=emulator", "--yes"]).await;
    assert_eq!(said.status.code(), Some(10), "{}", text(&said.stderr));
    assert!(text(&said.stderr).contains("is a filter, and the name of a key"), "{}", text(&said.stderr));
    emulator.stop().await.unwrap();
}

/// A service that answers each request with the body of the first path that its line begins with, under these headers;
/// and the lines that change something.
pub fn of_paths(headers: &'static str, bodies: Vec<(&'static str, String)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lines = Arc::clone(&changes);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let line = common::head(&mut stream).lines().next().unwrap_or_default().to_owned();
            let body =
                bodies.iter().find(|(path, _)| line.strip_prefix("GET ").is_some_and(|rest| rest.starts_with(path)));
            let (status, body) = body.map_or(("204 No Content", ""), |(_, body)| ("200 OK", body.as_str()));
            if !line.starts_with("GET ") {
                lines.lock().unwrap().push(line);
            }
            let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}{length}\r\n");
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    (url, changes)
}

const OWN: &str = "Server: cloudapi/9.20.0\r\nApi-Version: 9.0.0\r\n";

/// What `images delete --unused` ends with and changes where the machines are these: one image is theirs, one is not.
fn unused(headers: &'static str, machines: &str) -> (Option<i32>, Vec<String>, String) {
    let image =
        |id: &str, name: &str| json!({ "id": id, "name": name, "version": "1", "owner": ID, "state": "active" });
    let bodies = vec![
        ("/acme/machines", machines.to_owned()),
        ("/acme/images", json!([image(ID, "used"), image(OTHER, "unused")]).to_string()),
        ("/acme ", json!({ "id": ID, "login": "acme", "email": "a@example.com" }).to_string()),
    ];
    let (url, changes) = of_paths(headers, bodies);
    let said = sdc(&url, &["images", "delete", "--unused", "--yes"]);
    let changes = changes.lock().unwrap().clone();
    (said.status.code(), changes, text(&said.stderr))
}

#[test]
fn what_is_unused_is_told_by_a_whole_list_of_cloudapis_own_alone() {
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let machine = |members: &str| format!(r#"[{{"id":"{OTHER}","name":"m","state":"running"{members}}}]"#);
    // What else cannot be read in a row is no reason to take its image for unused, nor to refuse.
    for odd in ["\"\\ud83d\"", "1e999", &nested] {
        let (code, changes, told) = unused(OWN, &machine(&format!(r#","image":"{ID}","tags":{{"a":{odd}}}"#)));
        assert_eq!((code, changes.len()), (Some(0), 1), "{odd}: {told}");
        assert!(changes[0].starts_with(&format!("DELETE /acme/images/{OTHER}")), "{changes:?}");
    }
    let fine = machine(&format!(r#","image":"{ID}""#));
    let short = "Server: cloudapi/9.20.0\r\nApi-Version: 9.0.0\r\nX-Resource-Count: 2\r\n";
    for (headers, machines) in [
        (OWN, machine("")),
        (OWN, machine(r#","image":null"#)),
        (OWN, machine(r#","image":"""#)),
        (OWN, machine(r#","image":"x""#)),
        (OWN, machine(r#","image":"\ud83d""#)),
        (OWN, machine(r#","image":{}"#)),
        (OWN, machine(&format!(r#","image":"{ID}","image":"{OTHER}""#))),
        (short, fine.clone()),
        (short, "[]".to_owned()),
        ("Server: nginx\r\n", "[]".to_owned()),
        ("Server: nginx\r\n", fine.clone()),
        ("", "[]".to_owned()),
    ] {
        let (code, changes, told) = unused(headers, &machines);
        assert_eq!((code, changes), (Some(6), Vec::new()), "{headers} {machines}: {told}");
        assert!(told.contains("image") || told.contains("machines list"), "{told}");
    }
    let volume = |refs: &str| format!(r#"[{{"id":"{ID}","name":"v","state":"ready"{refs}}}]"#);
    for (headers, refs, code, many) in [
        (OWN, String::new(), 0, 1),
        (OWN, r#","refs":[],"tags":{"a":"\ud83d"}"#.to_owned(), 0, 1),
        (OWN, format!(r#","refs":["{OTHER}"],"tags":{{"a":"\ud83d"}}"#), 0, 0),
        (OWN, r#","refs":"\ud83d""#.to_owned(), 6, 0),
        (OWN, r#","refs":{}"#.to_owned(), 6, 0),
        ("Server: nginx\r\n", String::new(), 6, 0),
    ] {
        let (url, changes) = of_paths(headers, vec![("/acme/volumes", volume(&refs))]);
        let said = sdc(&url, &["volumes", "delete", "--unused", "--yes"]);
        let many_changes = changes.lock().unwrap().len();
        assert_eq!((said.status.code(), many_changes), (Some(code), many), "{headers} {refs}: {}", text(&said.stderr));
    }
}

#[test]
fn a_row_that_says_two_things_of_itself_is_no_target() {
    let row = |members: &str| format!(r#"[{{"id":"{ID}","state":"running"{members}}}]"#);
    for (members, words) in [
        (r#","name":"web10","name":"web1""#, &["name=web1"][..]),
        (r#","name":"web1","tags":{"env":"prod","env":"test"}"#, &["-l", "env=test"]),
        (r#","name":"web1","deletion_protection":true,"state":"stopped""#, &["--state", "stopped"]),
    ] {
        let (url, changes) = of_paths(OWN, vec![("/acme/machines", row(members))]);
        let said = sdc(&url, &[&["machines", "delete", "--yes"], words].concat());
        let told = text(&said.stderr);
        assert_eq!((said.status.code(), changes.lock().unwrap().len()), (Some(6), 0), "{words:?}: {told}");
        assert!(told.contains("twice"), "{told}");
    }
}

#[test]
fn a_row_without_what_each_has_is_picked_neither_for_it_nor_for_its_opposite() {
    for (noun, filters, lacking) in [
        (
            "machines",
            &["state!=running", "name!=x", "brand!=lx", "package!=x*", "memory!=1G", "deletion_protection=false"][..],
            &[
                "",
                r#","state":"\ud83d","name":"\ud83d","brand":{},"package":["a"],"memory":1e999,"deletion_protection":"no""#,
            ][..],
        ),
        (
            "fwrules",
            &["enabled=false", "enabled!=true", "log=false", "rule!~x"],
            &["", r#","enabled":0,"log":"no","rule":[]"#],
        ),
        (
            "volumes",
            &["state!=ready", "name!=x", "owner_uuid!=x"],
            &["", r#","state":null,"name":null,"owner_uuid":null"#],
        ),
        ("users", &["login!=x", "email!=x"], &["", r#","login":null,"email":{}"#]),
    ] {
        let path: &'static str = Box::leak(format!("/acme/{noun}").into_boxed_str());
        for (filter, members) in filters.iter().flat_map(|filter| lacking.iter().map(move |members| (filter, members)))
        {
            let body = format!(r#"[{{"id":"{ID}"{members}}}]"#);
            let (url, changes) = of_paths(OWN, vec![(path, body)]);
            let said = sdc(&url, &[noun, "delete", filter, "--yes"]);
            let told = text(&said.stderr);
            assert_eq!((said.status.code(), changes.lock().unwrap().len()), (Some(0), 0), "{filter} {members}: {told}");
            assert!(
                told.contains("does not show what") || told.contains("has the field"),
                "{filter} {members}: {told}"
            );
            let listed = sdc(&url, &[noun, "list", filter, "-o", "ids"]);
            assert_eq!(text(&listed.stdout), "", "{filter} {members}");
        }
    }
    // What only some rows have may be missing.
    let (url, _) = of_paths(OWN, vec![("/acme/machines", format!(r#"[{{"id":"{ID}","state":"running"}}]"#))]);
    let said = sdc(&url, &["machines", "list", "docker=false", "state!=stopped", "-o", "ids"]);
    assert_eq!((text(&said.stdout), text(&said.stderr)), (format!("{ID}\n"), String::new()));
}

#[test]
fn an_image_that_does_not_say_when_it_was_made_takes_no_place_of_those_that_are_kept() {
    let image = |name: &str, id: &str, made: &str| {
        format!(r#"{{"id":"{id}","name":"{name}","version":"1","owner":"{ID}"{made}}}"#)
    };
    let old = |id: &str, year: &str| image("a", id, &format!(r#","published_at":"{year}-01-01T00:00:00Z""#));
    let rows = [
        image("a", "11111111-1c3e-4f5a-9b7c-0d1e2f3a4b02", ""),
        image("a", "22222222-1c3e-4f5a-9b7c-0d1e2f3a4b02", r#","published_at":"\ud83d""#),
        old(ID, "2020"),
        old(OTHER, "2021"),
    ];
    let bodies = vec![
        ("/acme/images", format!("[{}]", rows.join(","))),
        ("/acme ", json!({ "id": ID, "login": "acme", "email": "a@example.com" }).to_string()),
    ];
    let (url, changes) = of_paths(OWN, bodies);
    let said = sdc(&url, &["images", "delete", "*", "--keep", "1", "--yes"]);
    let changes = changes.lock().unwrap().clone();
    assert_eq!((said.status.code(), changes.len()), (Some(0), 1), "{changes:?} {}", text(&said.stderr));
    assert!(changes[0].starts_with(&format!("DELETE /acme/images/{ID}")), "{changes:?}");
}
