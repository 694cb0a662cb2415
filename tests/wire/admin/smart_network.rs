//! Networks whose VLAN and subnet are chosen here.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// `sdc admin networks create-smart` with these words, against a NAPI that answers so.
fn created(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let napi = Script::new(&filled(lines));
    let said =
        admin(home.path(), &[("NAPI_URL", &napi.address)], &filled(&format!("networks create-smart -n lab {words}")));
    (said, napi)
}

/// A network as NAPI shows it.
fn network(uuid: &str, vlan: u16, subnet: &str) -> String {
    format!(r#"{{"uuid":"{uuid}","name":"lab","nic_tag":"customer","vlan_id":{vlan},"subnet":"{subnet}"}}"#)
}

#[test]
fn the_first_free_vlan_and_subnet_are_taken_and_looked_at_again() {
    let (other, own) = (network("$W", 2, "10.0.0.0/24"), network("$OWN", 3, "10.0.1.0/24"));
    let own = own.replace('}', r#","owner_uuids":["$A"]}"#);
    let (said, napi) = created(
        &format!(
            r#"GET /networks?limit=1000 -> 200 [{other}]
            POST /networks "*" -> 200 {own}
            GET /networks?limit=1000 -> 200 [{own},{other}]"#
        ),
        "--owner $A -H -o vlan_id,subnet",
    );
    assert_eq!(said.well().trim(), "3  10.0.1.0/24");
    let body = &napi.lines()[1];
    for part in [
        r#""vlan_id":3"#,
        r#""subnet":"10.0.1.0/24""#,
        r#""provision_start_ip":"10.0.1.1""#,
        r#""provision_end_ip":"10.0.1.254""#,
        r#""nic_tag":"customer""#,
        r#""uuid":"#,
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    assert!(body.contains(&filled(r#""owner_uuids":["$A"]"#)) && !body.contains("gateway"), "{body}");
    napi.done();
}

#[test]
fn who_sees_another_network_in_the_way_deletes_its_own() {
    for other in [network("$W", 2, "192.168.0.0/24"), network("$W", 99, "10.0.0.128/25")] {
        let own = network("$OWN", 2, "10.0.0.0/24");
        let again = r#"{"uuid":"$OWN","name":"lab","nic_tag":"customer","vlan_id":%VLAN,"subnet":"%SUBNET"}"#;
        let (said, napi) = created(
            &format!(
                r#"GET /networks?limit=1000 -> 200 []
                POST /networks "*" -> 200 {own}
                GET /networks?limit=1000 -> 200 [{own},{other}]
                DELETE /networks/$OWN -> 204
                GET /networks?limit=1000 -> 200 [{other}]
                POST /networks "*" -> 200 {again}
                GET /networks?limit=1000 -> 200 [{other},{again}]"#
            ),
            "-o uuid -H",
        );
        assert!(said.err.contains(&filled("network $W is in the way of VLAN 2 and 10.0.0.0/24")), "{}", said.err);
        let second = &napi.lines()[5];
        assert!(second.contains(&format!(r#""uuid":"{}""#, said.well().trim())), "{second}");
        let free = |taken: &str| !other.contains(taken) || !second.contains(taken);
        assert!(free(r#""vlan_id":2,"#) && free(r#""vlan_id":99,"#), "{second}");
        assert!(!other.contains("10.0.0.128") || !second.contains("10.0.0.0/24"), "{second}");
        napi.done();
    }
}

#[test]
fn a_network_that_cannot_be_checked_is_deleted_or_named() {
    let own = network("$OWN", 2, "10.0.0.0/24");
    let refused = r#"409 {"code":"InternalError","message":"no moray"}"#;
    let lines = format!(
        r#"GET /networks?limit=1000 -> 200 []
        POST /networks "*" -> 200 {own}
        GET /networks?limit=1000 -> {refused}"#
    );
    let (said, napi) = created(&format!("{lines}\nDELETE /networks/$OWN -> 204"), "");
    let words = said.failed(5);
    assert!(words.contains("no moray") && !words.contains("may be left"), "{words}");
    napi.done();
    let (said, napi) = created(&format!("{lines}\nDELETE /networks/$OWN -> {refused}"), "");
    let words = said.failed(5);
    let own = napi.lines().remove(3).replace("DELETE /networks/", "");
    assert!(words.contains(&format!("network {own} may be left")), "{words}");
    assert!(words.contains(&format!("sdc admin networks delete {own}")), "{words}");
    napi.done();
}

#[test]
fn what_is_exhausted_or_refused_is_said_and_nothing_sent() {
    let list = |row: String| format!("GET /networks?limit=1000 -> 200 [{row}]");
    for (rows, words, said_so) in [
        (network("$W", 7, "172.16.0.0/16"), "--vlans 7", "the VLANs are exhausted: networks have each of 7 to 7"),
        (network("$W", 7, "10.0.0.0/8"), "", "the subnets are exhausted: no /24 is free in 10.0.0.0/8"),
    ] {
        let (said, napi) = created(&list(rows), words);
        assert!(said.failed(5).contains(said_so), "{said_so}");
        napi.done();
    }
    for (words, said_so) in [
        ("--vlans 9-x", "'9-x' is not a range of VLANs"),
        ("--vlans 1-9", "1-9 is not a range of VLANs"),
        ("--prefix 31", "a network cannot be a /31"),
        ("--within 10.0.0.0/25", "a /24 does not fit into 10.0.0.0/25"),
        ("--within 10.0.0.1/24", "--within: subnet '10.0.0.1/24'"),
    ] {
        let (said, _napi) = created("", words);
        assert!(said.failed(2).contains(said_so), "{said_so}");
    }
    let taken = r#"422 {"code":"InvalidParameters","message":"name is in use by another network","errors":[{"field":"name","code":"Duplicate","message":"Already exists"}]}"#;
    let (said, napi) = created(&format!("GET /networks?limit=1000 -> 200 []\nPOST /networks \"*\" -> {taken}"), "");
    assert!(said.failed(5).contains("network lab: name is in use by another network"));
    napi.done();
}

#[test]
fn a_network_that_no_list_shows_is_looked_at_twice_and_deleted_and_no_other_is_made() {
    let own = network("$OWN", 2, "10.0.0.0/24");
    let refused = r#"409 {"code":"InternalError","message":"no moray"}"#;
    for (by_id, gone, words) in [
        (format!("200 {own}"), "204", "NAPI shows it by its id, and no list of it does"),
        (r#"404 {"code":"ResourceNotFound","message":"network not found"}"#.to_owned(), "204", "neither by its id nor"),
        (format!("200 {own}"), refused, " may be left, and in another one's way"),
    ] {
        let (said, napi) = created(
            &format!(
                r#"GET /networks?limit=1000 -> 200 []
                POST /networks "*" -> 200 {own}
                GET /networks?limit=1000 -> 200 []
                GET /networks/$OWN -> {by_id}
                GET /networks?limit=1000 -> 200 []
                DELETE /networks/$OWN -> {gone}"#
            ),
            "",
        );
        let said = said.failed(6);
        assert!(said.contains(", VLAN 2, 10.0.0.0/24) was created"), "{said}");
        assert!(said.contains(words) && said.contains("was deleted again") == (gone == "204"), "{said}");
        napi.done();
    }
    // One that comes late is as good.
    let (said, napi) = created(
        &format!(
            r#"GET /networks?limit=1000 -> 200 []
            POST /networks "*" -> 200 {own}
            GET /networks?limit=1000 -> 200 []
            GET /networks/$OWN -> 200 {own}
            GET /networks?limit=1000 -> 200 [{own}]"#
        ),
        "-o uuid -H",
    );
    assert_eq!(said.well().trim().len(), 36);
    napi.done();
}
