//! NICs whose VM is gone, who has an address, and how many are free.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// `sdc admin` with these words, against a NAPI and a VMAPI that answer so.
fn asked(napi: &str, vmapi: &str, words: &str) -> (Said, Script, Script) {
    let home = tempfile::tempdir().unwrap();
    let (napi, vmapi) = (Script::new(&filled(napi)), Script::new(&filled(vmapi)));
    let vars = [("NAPI_URL", napi.address.as_str()), ("VMAPI_URL", vmapi.address.as_str())];
    let said = admin(home.path(), &vars, &filled(words));
    (said, napi, vmapi)
}

fn nic(mac: &str, vm: &str, modified: &str) -> String {
    format!(
        r#"{{"belongs_to_type":"zone","belongs_to_uuid":"{vm}","mac":"{mac}","owner_uuid":"$A","primary":true,"state":"running","created_timestamp":"2026-03-02T10:15:00.300Z"{modified},"ip":"10.0.0.7","network_uuid":"$W"}}"#
    )
}

const OLD: &str = r#","modified_timestamp":"2026-03-02T10:15:45.000Z""#;
const ASKED: &str = "GET /vms?uuids=$V,$J,$K&limit=1000";
const LIST: &str = "GET /nics?belongs_to_type=zone&limit=1000";

fn nics() -> String {
    let young = r#","modified_timestamp":"2999-03-02T10:15:45.000Z""#;
    [
        nic("90:b8:d0:00:00:01", "$V", OLD),
        nic("90:b8:d0:00:00:02", "$V", OLD),
        nic("90:b8:d0:00:00:03", "$J", OLD),
        nic("90:b8:d0:00:00:04", "$K", OLD),
        nic("90:b8:d0:00:00:05", "$K", young),
        // Without times, and without a VM: nothing is known of them.
        r#"{"belongs_to_type":"zone","belongs_to_uuid":"$K","mac":"90:b8:d0:00:00:06"}"#.to_owned(),
        r#"{"belongs_to_type":"zone","mac":"90:b8:d0:00:00:07","modified_timestamp":null}"#.to_owned(),
        r#"{"belongs_to_type":"server","belongs_to_uuid":"$CN","mac":"90:b8:d0:00:00:08"}"#.to_owned(),
    ]
    .join(",")
}

fn vms(words: &str) -> String {
    format!(r#"{ASKED} -> 200 [{{"uuid":"$V","state":"running"}},{{"uuid":"$J","state":"destroyed"}}]{words}"#)
}

#[test]
fn orphans_are_listed_and_left_alone() {
    let (said, napi, vmapi) =
        asked(&format!("{LIST} -> 200 [{}]", nics()), &vms(""), "nics orphans -H -o mac,belongs_to_uuid,vm_state");
    assert!(said.err.contains("2 of NICs without a VM are younger than an hour"), "{}", said.err);
    assert!(said.err.contains("nothing was changed; to delete them: sdc admin nics orphans --yes"), "{}", said.err);
    let due = "90:b8:d0:00:00:03  $J  destroyed\n90:b8:d0:00:00:04  $K  unknown to VMAPI\n";
    assert_eq!(said.well(), filled(due));
    napi.done();
    vmapi.done();
}

#[test]
fn each_orphan_is_looked_at_once_more_before_it_is_deleted() {
    let one = nic("90:b8:d0:00:00:03", "$J", OLD);
    let again = |answer: &str| format!("GET /nics/90b8d0000003 -> 200 {one}\n{answer}");
    let list = format!("{LIST} -> 200 [{}]", nics());
    let gone = r#"404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    // Of the other one, the VM has come back; nobody has deleted it.
    let napi = format!(
        "{list}\n{}\nGET /nics/90b8d0000004 -> 200 {}",
        again("DELETE /nics/90b8d0000003 -> 204"),
        nic("90:b8:d0:00:00:04", "$K", OLD)
    );
    let more = format!("\nGET /vms/$J -> {gone}\nGET /vms/$K -> 200 {{\"uuid\":\"$K\",\"state\":\"running\"}}");
    let (said, napi, vmapi) = asked(&napi, &vms(&more), "nics orphans --yes -H -o mac");
    assert_eq!(said.out, "90:b8:d0:00:00:03\n");
    let words = said.failed(5);
    assert!(words.contains(&filled("NIC 90:b8:d0:00:00:04: its VM $K is there after all")), "{words}");
    assert!(words.contains("1 of 2 deleted"), "{words}");
    napi.done();
    vmapi.done();
}

#[test]
fn a_vmapi_that_fails_has_nothing_deleted() {
    let failed = format!(r#"{ASKED} -> 503 {{"code":"ServiceUnavailable","message":"no moray"}}"#);
    let many = format!("* {failed}");
    let (said, napi, _) = asked(&format!("{LIST} -> 200 [{}]", nics()), &many, "nics orphans --yes");
    assert!(said.failed(7).contains("no moray"));
    assert_eq!(napi.lines().len(), 1);
}

#[test]
fn who_has_an_address_is_told_by_names() {
    let napi = r#"GET /search/ips?ip=10.0.0.7 -> 200 [{"ip":"10.0.0.7","network_uuid":"$W","reserved":false,"free":false,"belongs_to_type":"zone","belongs_to_uuid":"$V","owner_uuid":null},{"ip":"10.0.0.7","network_uuid":"$K","reserved":false,"free":true}]
        GET /networks/$W -> 200 {"uuid":"$W","name":"lab","subnet":"10.0.0.0/24"}
        GET /networks/$K -> 404 {"code":"ResourceNotFound","message":"network not found"}
        GET /nics?belongs_to_uuid=$V&limit=1000 -> 200 [{"mac":"90:b8:d0:00:00:01","ip":"10.0.0.8","network_uuid":"$W"},{"mac":"90:b8:d0:00:00:02","ip":"10.0.0.7","network_uuid":"$W"}]"#;
    let vmapi = r#"GET /vms/$V -> 200 {"uuid":"$V","alias":"web0","state":"running"}"#;
    let words = "ips who 10.0.0.7 -H -o ip,network,nic,vm,vm_state,free";
    let (said, napi, vmapi) = asked(napi, vmapi, words);
    // CNAPI was not needed, but its address is not known.
    assert!(said.err.contains("CNAPI is not asked"), "{}", said.err);
    let due = "10.0.0.7  lab  90:b8:d0:00:00:02  web0  running  false\n10.0.0.7  -    -                  -     -        true\n";
    assert_eq!(said.well(), due);
    napi.done();
    vmapi.done();
}

#[test]
fn used_and_free_addresses_are_numbers() {
    let network = r#"{"uuid":"$W","name":"lab","subnet":"10.0.0.0/24","provision_start_ip":"10.0.0.10","provision_end_ip":"10.0.0.19"}"#;
    let other = r#"{"uuid":"$K","name":"six","subnet":"fd00::/64","provision_start_ip":"fd00::1","provision_end_ip":"fd00::ffff:ffff:ffff:ffff"}"#;
    let odd = r#"{"uuid":"$J","name":"odd","subnet":null}"#;
    let napi = format!(
        r#"GET /networks?limit=1000 -> 200 [{network},{other},{odd}]
        GET /networks/$W/ips?limit=1000 -> 200 [{{"ip":"10.0.0.9","free":true}},{{"ip":"10.0.0.10","free":false,"belongs_to_type":"zone","belongs_to_uuid":"$V"}},{{"ip":"10.0.0.11","free":false,"reserved":true}}]
        GET /networks/$K/ips?limit=1000 -> 200 []"#
    );
    let (said, napi, _) = asked(&napi, "", "networks usage -H -o name,total,used,reserved,free");
    assert_eq!(said.out, "lab  10                    1  1  8\nsix  18446744073709551615  0  0  18446744073709551615\n");
    assert!(said.failed(6).contains("network odd does not say which addresses it gives out"));
    napi.done();
}
