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
        r#"{{"belongs_to_type":"zone","belongs_to_uuid":"{vm}","mac":"{mac}","owner_uuid":"$A","primary":true,"state":"stopped","created_timestamp":"2026-03-02T10:15:00.300Z"{modified},"ip":"10.0.0.7","network_uuid":"$W"}}"#
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

/// A NAPI with these NICs of one VM each, and those of them that VMAPI knows, as running.
fn data_center(nics: &[(&str, &str)], known: &[&str]) -> (String, String) {
    let vm = |at: usize| format!("0a9b8c7d-6e5f-4a3b-92c1-d0e1f2a3b4{at:02}");
    let all = nics.iter().enumerate().map(|(at, (mac, state))| nic(mac, &vm(at), OLD).replace("stopped", state));
    let all: Vec<String> = all.collect();
    let at = |mac: &str| nics.iter().position(|nic| nic.0 == mac).unwrap();
    let shown = known.iter().map(|mac| format!(r#"{{"uuid":"{}","state":"running"}}"#, vm(at(mac))));
    let ids = (0..nics.len()).map(vm).collect::<Vec<_>>().join(",");
    let mut napi = format!("* {LIST} -> 200 [{}]", all.join(","));
    let mut vmapi = format!("* GET /vms?uuids={ids}&limit=1000 -> 200 [{}]", shown.collect::<Vec<_>>().join(","));
    for (at, (mac, _)) in nics.iter().enumerate() {
        let mac = mac.replace(':', "");
        napi += &format!("\n* GET /nics/{mac} -> 200 {}\n* DELETE /nics/{mac} -> 204", all[at]);
        vmapi +=
            &format!("\n* GET /vms/{} -> 404 {{\"code\":\"ResourceNotFound\",\"message\":\"VM not found\"}}", vm(at));
    }
    (napi, vmapi)
}

const ONE: &str = "90:b8:d0:00:00:01";
const TWO: &str = "90:b8:d0:00:00:02";
const THREE: &str = "90:b8:d0:00:00:03";

fn deletions(napi: &Script) -> Vec<String> {
    let deletes = napi.lines().into_iter().filter(|line| line.starts_with("DELETE"));
    deletes.collect()
}

#[test]
fn a_vmapi_that_does_not_know_the_vms_has_nothing_deleted() {
    let nics = [(ONE, "stopped"), (TWO, "stopped"), (THREE, "stopped")];
    for (known, due) in [
        ([].as_slice(), "VMAPI knows none of the 3 VMs that NAPI has NICs of"),
        ([ONE].as_slice(), "VMAPI knows 1 alone of the 3 VMs"),
    ] {
        let (napi, vmapi) = data_center(&nics, known);
        for words in ["nics orphans --yes", "nics orphans 90:b8:d0:00:00:03 --yes --max 100"] {
            let (said, napi, _) = asked(&napi, &vmapi, words);
            let said = said.failed(5);
            assert!(said.contains(due) && said.contains("of another data center"), "{said}");
            assert_eq!(deletions(&napi).len(), 0);
        }
        // They are shown, and nobody is told to delete them so.
        let (said, _, _) = asked(&napi, &vmapi, "nics orphans -H -o mac");
        assert!(said.err.contains(due) && !said.err.contains("orphans --yes"), "{}", said.err);
        assert!(said.well().contains(THREE));
    }
    // Half of them will do.
    let (napi, vmapi) = data_center(&nics[..2], &[ONE]);
    let (said, napi, _) = asked(&napi, &vmapi, "nics orphans --yes -H -o mac");
    assert_eq!(said.well(), format!("{TWO}\n"));
    assert_eq!(deletions(&napi), ["DELETE /nics/90b8d0000002"]);
}

#[test]
fn a_running_nic_is_deleted_only_where_it_is_named() {
    let nics = [(ONE, "stopped"), (TWO, "running"), (THREE, "provisioning"), ("90:b8:d0:00:00:04", "running")];
    let (napi, vmapi) = data_center(&nics, &[ONE, "90:b8:d0:00:00:04"]);
    let (said, script, _) = asked(&napi, &vmapi, "nics orphans --yes -H -o mac,state");
    assert!(said.err.contains("note: 1 in the state running are left alone, unless named"), "{}", said.err);
    assert!(said.err.contains("1 of 1 deleted"), "{}", said.err);
    assert_eq!(said.well(), format!("{THREE}  provisioning\n"));
    assert_eq!(deletions(&script), ["DELETE /nics/90b8d0000003"]);
    let (said, script, _) = asked(&napi, &vmapi, "nics orphans 90-B8-D0-0-0-2 --yes -H -o mac");
    assert_eq!(said.well(), format!("{TWO}\n"));
    assert_eq!(deletions(&script), ["DELETE /nics/90b8d0000002"]);
    // One that is named and has its VM is left alone, and the other one is not.
    let (said, script, _) = asked(&napi, &vmapi, &format!("nics orphans {ONE} {THREE} --yes"));
    assert!(said.failed(3).contains("NIC 90:b8:d0:00:00:01 is none"));
    assert_eq!(deletions(&script), ["DELETE /nics/90b8d0000003"]);
    // One that runs by now was not meant.
    let by_now = napi.replacen(
        &format!(
            "GET /nics/90b8d0000003 -> 200 {}",
            nic(THREE, "0a9b8c7d-6e5f-4a3b-92c1-d0e1f2a3b402", OLD).replace("stopped", "provisioning")
        ),
        &format!(
            "GET /nics/90b8d0000003 -> 200 {}",
            nic(THREE, "0a9b8c7d-6e5f-4a3b-92c1-d0e1f2a3b402", OLD).replace("stopped", "running")
        ),
        1,
    );
    let (said, script, _) = asked(&by_now, &vmapi, "nics orphans --yes");
    assert!(said.failed(5).contains("running by now"));
    assert_eq!(deletions(&script).len(), 0);
}

#[test]
fn more_orphans_than_allowed_are_refused() {
    let macs: Vec<String> = (0..42).map(|at| format!("90:b8:d0:00:00:{at:02}")).collect();
    let nics: Vec<(&str, &str)> = macs.iter().map(|mac| (mac.as_str(), "stopped")).collect();
    let known: Vec<&str> = macs[..21].iter().map(String::as_str).collect();
    let (napi, vmapi) = data_center(&nics, &known);
    let (said, script, _) = asked(&napi, &vmapi, "nics orphans --yes");
    let words = said.failed(2);
    assert!(words.contains("21 NICs selected, limit is 20; nothing was done"), "{words}");
    assert!(words.contains("to allow them: --max 21") && !words.contains("--dry-run"), "{words}");
    assert_eq!(deletions(&script).len(), 0);
    let (said, script, _) = asked(&napi, &vmapi, "nics orphans --yes --max 21");
    said.well();
    assert_eq!(deletions(&script).len(), 21);
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
