//! What other services know by names: in filters, in the path, and in what targets must be like.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// `sdc admin` with these words, against services that answer so, by their variables.
fn asked(scripts: &[(&str, &str)], words: &str) -> Said {
    let home = tempfile::tempdir().unwrap();
    let scripts: Vec<(&str, Script)> =
        scripts.iter().map(|(name, lines)| (*name, Script::new(&filled(lines)))).collect();
    let vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, &*script.address)).collect();
    let said = admin(home.path(), &vars, &filled(words));
    scripts.into_iter().for_each(|(_, script)| script.done());
    said
}

const MAHI: (&str, &str) = (
    "MAHI_URL",
    r#"GET /accounts?login=alice -> 200 {"roles":{},"account":{"type":"account","uuid":"$A","login":"alice"}}"#,
);
const VMS: &str = r#"[{"uuid":"$V","alias":"web1","owner_uuid":"$A","state":"running"},{"uuid":"$W","alias":"web2","owner_uuid":"$B","state":"running"}]"#;

#[test]
fn a_list_is_asked_by_the_id_and_rows_of_another_one_are_left_out() {
    let vmapi = format!("GET /vms?owner_uuid=$A&state=active&limit=1000 -> 200 {VMS}");
    let said = asked(&[MAHI, ("VMAPI_URL", &vmapi)], "vms list owner=alice -o ids");
    assert_eq!(said.well().trim(), filled("$V"));
    // An id needs nobody else.
    let said = asked(&[("VMAPI_URL", &vmapi)], "vms list owner=$A -o ids");
    assert_eq!(said.well().trim(), filled("$V"));
    // Logins are looked up one by one.
    let said = asked(&[("MAHI_URL", ""), ("VMAPI_URL", "")], "vms list owner=~^ali");
    assert!(said.failed(2).contains("accounts are looked up one by one"));
}

#[test]
fn targets_are_those_of_the_account_alone() {
    let vmapi = format!(
        "GET /vms?owner_uuid=$A&state=active&limit=1000 -> 200 {VMS}\nPOST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}"
    );
    asked(&[MAHI, ("VMAPI_URL", &vmapi)], "vms stop owner=alice --yes -q").well();
}

#[test]
fn the_owner_of_a_fabric_is_called_by_the_login() {
    let napi = r#"GET /fabrics/$A/vlans?limit=1000 -> 200 [{"vlan_id":2,"name":"default","owner_uuid":"$A"}]"#;
    let said = asked(&[MAHI, ("NAPI_URL", napi)], "fabrics vlans list alice -o name -H");
    assert_eq!(said.well(), "default\n");
    let napi = r#"GET /fabrics/$A/vlans/2 -> 200 {"vlan_id":2,"name":"default","owner_uuid":"$A"}"#;
    let said = asked(&[MAHI, ("NAPI_URL", napi)], "fabrics vlans get alice 2 -o name -H");
    assert_eq!(said.well(), "default\n");
    let mahi =
        ("MAHI_URL", r#"GET /accounts?login=bob -> 404 {"code":"AccountDoesNotExist","message":"bob does not exist"}"#);
    let said = asked(&[mahi, ("NAPI_URL", "")], "fabrics vlans list bob");
    assert!(said.failed(3).contains("bob does not exist"));
}
