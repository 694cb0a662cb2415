//! What an action takes: each row is compared here with all filters that were given, whatever the service has sent.

use std::io::{Read, Write};
use std::net::TcpListener;

use sdc::api::{Always, Ids, Kind, Method, Noun, Op, Service, Shape, Test};

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

fn asked(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let vmapi = Script::new(&filled(lines));
    let said = admin(home.path(), &[("VMAPI_URL", &vmapi.address)], &filled(words));
    (said, vmapi)
}

fn vm(id: &str, alias: &str, owner: &str) -> String {
    format!(r#"{{"uuid":"{id}","alias":"{alias}","owner_uuid":"{owner}","state":"running","ram":1024,"nics":[]}}"#)
}

/// Whoever deletes is told of those of all states.
const FAILED: &str = r#"* GET /vms?predicate={"ne":["state","none"]}&limit=1000 -> 200 []"#;
const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;

#[test]
fn a_vm_of_another_owner_than_was_given_is_neither_counted_nor_shown_nor_changed() {
    let rows = [vm("$V", "web1", "$A"), vm("$W", "web2", "$B")].join(",");
    let list = format!("GET /vms?state=active&limit=1000 -> 200 [{rows}]");
    let (said, vmapi) = asked(
        &format!("{list}\n{FAILED}\nDELETE /vms/$V?owner_uuid=$A -> {TAKEN}"),
        "vms delete 'web*' --owner $A --max 1 --yes",
    );
    said.well();
    vmapi.done();
    let (said, vmapi) =
        asked(&format!("{list}\nPOST /vms/$V?action=stop&owner_uuid=$A -> {TAKEN}"), "vms stop 'web*' --owner $A");
    assert!(!said.err.contains("web2"), "{}", said.err);
    said.well();
    vmapi.done();
    // By a filter among the words, and by one that VMAPI has not kept to.
    let (said, vmapi) = asked(
        &format!("GET /vms?owner_uuid=$A&state=active&limit=1000 -> 200 [{rows}]\n{FAILED}\nDELETE /vms/$V -> {TAKEN}"),
        "vms delete owner=$A --yes",
    );
    said.well();
    vmapi.done();
    let nobody = format!("{FAILED}\nGET /vms?state=active&limit=1000 -> 200 [{}]", vm("$W", "web2", "$B"));
    let (said, vmapi) = asked(&nobody, "vms delete 'web*' --owner $A --yes");
    let words = said.failed(3);
    assert!(words.contains(&filled("account $A owns no VM that matches 'web*'")), "{words}");
    vmapi.done();
}

#[test]
fn a_name_or_an_id_is_that_of_the_owner_who_was_given() {
    let both = [vm("$V", "web1", "$A"), vm("$W", "web1", "$B")].join(",");
    let (said, vmapi) = asked(
        &format!(
            "GET /vms?alias=web1&state=active&limit=1000 -> 200 [{both}]\nDELETE /vms/$V?owner_uuid=$A -> {TAKEN}"
        ),
        "vms delete web1 --owner $A --yes",
    );
    said.well();
    vmapi.done();
    let (said, vmapi) = asked(&format!("GET /vms/$W -> 200 {}", vm("$W", "web2", "$B")), "vms delete $W --owner $A -y");
    let words = said.failed(3);
    assert!(words.contains(&filled("account $A does not own the VM $W")), "{words}");
    assert!(words.contains(&filled("it belongs to $B")), "{words}");
    vmapi.done();
    let (said, vmapi) = asked(
        &format!("* GET /vms/$V -> 200 {}\nDELETE /vms/$V?owner_uuid=$A -> {TAKEN}", vm("$V", "web1", "$A")),
        "vms delete $V --owner $A --yes",
    );
    said.well();
    vmapi.done();
    // A part of a VM goes by whose that is.
    let (said, vmapi) =
        asked(&format!("GET /vms/$W -> 200 {}", vm("$W", "web2", "$B")), "vms role-tags delete $W $J --owner $A --yes");
    said.failed(3);
    vmapi.done();
}

#[test]
fn a_row_that_visibly_does_not_fit_a_query_is_neither_listed_nor_taken() {
    let rows = [vm("$V", "web1", "$A"), vm("$W", "db1", "$A")].join(",");
    for filter in ["query=(&(alias=web*)(hidden=x))", "predicate={\"eq\":[\"alias\",\"web1\"]}"] {
        let list = format!("GET /vms?{filter}&limit=1000 -> 200 [{rows}]");
        let (said, vmapi) = asked(&list, &format!("vms list '{filter}' -o alias -H"));
        assert_eq!(said.well(), "web1\n");
        vmapi.done();
        let (said, vmapi) =
            asked(&format!("{list}\n{FAILED}\nDELETE /vms/$V -> {TAKEN}"), &format!("vms delete '{filter}' -y"));
        said.well();
        vmapi.done();
        let (said, vmapi) =
            asked(&format!("{list}\nPOST /vms/$V?action=stop -> {TAKEN}"), &format!("vms stop '*' '{filter}'"));
        said.well();
        vmapi.done();
        // One that is named and is none of them is left alone.
        let (said, vmapi) = asked(&list, &format!("vms delete db1 '{filter}' -y"));
        assert!(said.err.contains("nothing to do"), "{}", said.err);
        said.well();
        vmapi.done();
    }
}

/// Two values of a filter, and what shows each in a row.
fn values(service: &Service, field: &sdc::api::Field) -> Option<[(String, String); 2]> {
    let text = |value: &str| (value.to_owned(), format!("\"{value}\""));
    let plain = |value: &str| (value.to_owned(), value.to_owned());
    let ids = || [super::A, super::B].map(text);
    Some(match (field.test, field.kind) {
        (Test::Nothing | Test::Service | Test::Filled(_), _) => return None,
        // An id of another service's thing would be looked for there.
        (Test::Id(_), _) | (_, Kind::Uuid) => ids(),
        (Test::State(states, _), _) => {
            [states[0], states[1]].map(|one| (one.word.to_owned(), format!("\"{}\"", one.shown)))
        }
        (_, Kind::OneOf(words)) => [text(words[0]), text(words[words.len() - 1])],
        (Test::Number(_), _) => ["512", "1024"].map(plain),
        (Test::Bool(_), _) => ["true", "false"].map(plain),
        (Test::Moment(_), _) => [
            ("1772446500120".to_owned(), "\"2026-03-02T10:15:00.120Z\"".to_owned()),
            ("0".to_owned(), "\"1970-01-01T00:00:00.000Z\"".to_owned()),
        ],
        (Test::Among("uuid"), _) => return None,
        (Test::Member(_), _) => ["web", "db"].map(text),
        _ if service.name == "CloudAPI" => return None,
        _ => ["aa", "bb"].map(text),
    })
}

/// A row with this value at this place.
fn row(service: &Service, noun: &Noun, id: &str, field: &sdc::api::Field, value: &str) -> String {
    let path = field.test.field().unwrap();
    let name = if path == noun.name_field { String::new() } else { format!(r#""{}":"n{id}","#, noun.name_field) };
    let value = match field.test {
        Test::Member(_) => format!("{{\"role\":{value}}}"),
        _ if service.columns(noun.list).iter().any(|one| one.field == path && one.always == Some(Always::Many)) => {
            format!("[{value}]")
        }
        _ => value.to_owned(),
    };
    let (key, own) =
        if noun.name_field == noun.key { (String::new(), name) } else { (format!(r#""{}":"{id}","#, noun.key), name) };
    let (last, above) = path.split('/').rev().fold((String::new(), true), |(inner, first), step| {
        let inner = if first { value.clone() } else { inner };
        (format!("{{\"{step}\":{inner}}}"), false)
    });
    assert!(!above);
    format!("{{{key}{own}{}", last.strip_prefix('{').unwrap())
}

/// A service that answers every list with these rows, whatever it was asked.
fn unfiltered(path: String, rows: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.extend(byte);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let is_list = head.split(' ').nth(1).is_some_and(|target| target.split('?').next() == Some(&path));
            let (status, body) = if is_list { (200, rows.as_str()) } else { (404, r#"{"code":"ResourceNotFound"}"#) };
            let _ = stream.write_all(
                format!(
                    "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            );
        }
    });
    address
}

/// The first operation that changes several of this noun, and needs no more than them.
fn action(service: &Service, noun: &Noun) -> Option<&'static Op> {
    let plain = |op: &&'static Op| {
        let needs = op.fields.iter().any(|field| field.required) || op.assigns || !op.one_of.is_empty();
        op.method != Method::Get && op.takes_several() && !needs
    };
    let on = |op: &&'static Op| op.path_params().last() == Some(noun.name);
    service.ops().filter(on).find(plain)
}

#[test]
fn no_action_takes_a_row_that_does_not_fit_a_filter_of_its_list() {
    let mut tried = Vec::new();
    for service in sdc::api::SERVICES.iter().filter(|service| service.is_inner()) {
        for noun in service.nouns.iter().filter(|noun| noun.list.shape == Shape::Rows) {
            let Some(op) = action(service, noun).filter(|_| noun.list.path_params().next().is_none()) else { continue };
            for field in noun.list.fields {
                let Some([(typed, fitting), (_, other)]) = values(service, field) else { continue };
                let (fits, does_not) = match noun.ids {
                    Ids::Mac => ("90b8d0000001", "90b8d0000002"),
                    _ => (super::V, super::W),
                };
                let rows =
                    [row(service, noun, fits, field, &fitting), row(service, noun, does_not, field, &other)].join(",");
                let address = unfiltered(noun.list.path.to_owned(), format!("[{rows}]"));
                let home = tempfile::tempdir().unwrap();
                let name =
                    if let Kind::Pairs(prefix) = field.kind { format!("{prefix}role") } else { field.name.to_owned() };
                let words =
                    format!("{} '{name}={typed}' --dry-run", sdc::api::words(op).strip_prefix("admin ").unwrap());
                let said = admin(home.path(), &[(&format!("{}_URL", service.name), &address)], &words);
                let place = format!("{} {words}: {rows}: {}{}", service.name, said.out, said.err);
                assert_eq!(said.code, 0, "{place}");
                assert!(said.out.contains(fits) && !said.out.contains(does_not), "{place}");
                tried.push(format!("{} {}", noun.name, field.name));
            }
        }
    }
    for due in ["vm owner_uuid", "vm tag", "vm state", "adminnic network_uuid", "adminnetwork vlan_id", "pool networks"]
    {
        assert!(tried.iter().any(|one| one == due), "{due}: {tried:#?}");
    }
}
