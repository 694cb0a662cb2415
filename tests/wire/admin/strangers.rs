//! Others who answer in a service's place: a gateway that knows no such route, a mesh that lost the connection, another
//! service at the address. None of them says that something is gone, or that nothing was done.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

fn asked(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&filled(lines));
    let vars = ["VMAPI_URL", "NAPI_URL", "PAPI_URL", "WORKFLOW_URL"].map(|name| (name, script.address.as_str()));
    (admin(home.path(), &vars, &filled(words)), script)
}

const NETWORK: &str = r#"{"uuid":"$W","name":"lab","nic_tag":"external","vlan_id":30,"subnet":"10.60.0.0/24"}"#;

/// What says 404 of a route or a host, and nothing of what was asked for.
const STRANGERS: &[&str] = &[
    r#"404!kong/3.4.2 {"message":"no Route matched with those values"}"#,
    "404!istio-envoy",
    r#"404!uvicorn {"detail":"Not Found"}"#,
    r#"404!cloudapi/9.20.0 {"code":"ResourceNotFound","message":"x"}"#,
    r#"404!VMAPI {"code":"ResourceNotFound","message":"x"}"#,
    r#"404 {"timestamp":1,"status":404,"error":"Not Found","path":"/networks"}"#,
    r#"404 {"kind":"Status","code":404,"reason":"NotFound"}"#,
    "404",
    "410!AkamaiGHost",
];

#[test]
fn a_stranger_does_not_say_that_something_is_gone() {
    for stranger in STRANGERS {
        for words in ["networks delete $W --yes", "networks delete $W --yes --ignore-missing"] {
            let lines = format!("* GET /networks/$W -> 200 {NETWORK}\n* DELETE /networks/$W -> {stranger}");
            let (said, _) = asked(&lines, words);
            let told = said.failed(6);
            assert!(!told.contains("deleted") && !told.contains("not there"), "{stranger}: {told}");
        }
    }
    // The service itself does.
    let own = r#"404!NAPI {"code":"ResourceNotFound","message":"network not found"}"#;
    let lines = format!("* GET /networks/$W -> 200 {NETWORK}\nDELETE /networks/$W -> {own}");
    asked(&lines, "networks delete $W --yes --ignore-missing").0.well();
}

#[test]
fn what_a_stranger_turns_away_is_not_sent_again() {
    for stranger in [
        r#"503!istio-envoy upstream connect error or disconnect/reset before headers"#,
        r#"503!kong/3.4.2 {"message":"The upstream server is currently unavailable"}"#,
        r#"429!kong/3.4.2 {"message":"API rate limit exceeded"}"#,
        r#"503!cloudapi {"code":"ServiceUnavailableError","message":"x"}"#,
        r#"500!nginx {"code":"InternalError","message":"deadlock detected"}"#,
        "503",
    ] {
        let (said, script) = asked(&format!("POST /vms/$V?action=reboot -> {stranger}"), "vms reboot $V");
        assert_ne!(said.code, 0, "{stranger}: {said:?}");
        script.done();
        assert_eq!(script.lines().len(), 1, "{stranger}: {:?}", script.lines());
    }
    // The service itself was not able to, and is asked again.
    let own = r#"503!VMAPI {"code":"ServiceUnavailableError","message":"still initializing"}"#;
    let lines = format!(
        "POST /vms/$V?action=reboot -> {own}\nPOST /vms/$V?action=reboot -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}"
    );
    let (said, script) = asked(&lines, "vms reboot $V");
    said.well();
    script.done();
}

#[test]
fn a_list_that_is_not_there_does_not_say_that_a_name_is_nobodys() {
    let list = "* GET /networks?name=lab&limit=1000";
    for stranger in STRANGERS.iter().chain(&[r#"404!NAPI {"code":"ResourceNotFound","message":"x"}"#]) {
        let (said, _) = asked(&format!("{list} -> {stranger}"), "networks delete lab --yes --ignore-missing");
        said.failed(6);
    }
}
