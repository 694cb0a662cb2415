//! The numbered flows of the description, as far as they concern the services that are whole: each is a script of
//! answers, and the commands with which an operator goes through it. The other direction, requests against the
//! emulator, is in `tests/emulator/admin`. What discovery makes of flow 1 is in `discovery.rs`.

use super::filled;
use super::run::admin;
use super::script::Script;

const ADM: &str = "a2f1c6d4-0b7e-4c55-9d0a-5b1e3f7a9c01";
const IMG: &str = "f3d2c1b0-a987-4654-b321-0fedcba98765";
const PKG: &str = "9e8d7c6b-5a49-4838-b726-1504f3e2d1c0";
const NET: &str = "e8a1b0c2-6d3f-4e57-9a84-0c1d2e3f4a5b";
/// The network that is made, and the package.
const NET2: &str = "b1c2d3e4-6d3f-4e57-9a84-0c1d2e3f4a5b";
const P: &str = "c1d2e3f4-5a49-4838-b726-1504f3e2d1c0";

fn named(text: &str) -> String {
    [("$ADM", ADM), ("$IMG", IMG), ("$PKG", PKG), ("$NET2", NET2), ("$NET", NET), ("$P", P)]
        .into_iter()
        .fold(text.to_owned(), |text, (name, id)| filled(&text.replace(name, id)))
}

/// The service of these variables, then what is typed, what goes over the wire for it, the exit code, and what is said.
type Step<'a> = (&'a str, &'a str, &'a str, u8, &'a [&'a str]);

/// Goes through a flow: each step has all of its script asked, and nothing else.
#[track_caller]
fn flow(steps: &[Step<'_>]) {
    for (service, words, lines, code, due) in steps {
        let home = tempfile::tempdir().unwrap();
        let script = Script::new(&named(lines));
        let said = admin(home.path(), &[(service, &script.address)], &named(words));
        assert_eq!(said.code, *code, "{words}: {:#?} {}{}", script.lines(), said.out, said.err);
        for due in *due {
            let all = format!("{}{}", said.out, said.err);
            assert!(all.contains(&named(due)), "{words} does not say {due}: {all}");
        }
        script.done();
    }
}

#[test]
fn flow_1_sapi_tells_of_applications_services_and_instances() {
    let sapi = "SAPI_URL";
    let vmapi = r#"{"uuid":"d1e2f3a4-b5c6-4d7e-88f9-0a1b2c3d4e5f","name":"vmapi","type":"vm"}"#;
    let of_vmapi = "service_uuid=d1e2f3a4-b5c6-4d7e-88f9-0a1b2c3d4e5f";
    flow(&[
        (
            sapi,
            "raw sapi GET /ping",
            r#"GET /ping -> 200 {"mode":"full","storType":"MorayLocalStorage","storAvailable":true}"#,
            0,
            &["full"],
        ),
        (
            sapi,
            "applications list name=sdc -o name,owner_uuid -H",
            r#"GET /applications?name=sdc -> 200 [{"uuid":"$P","name":"sdc","owner_uuid":"$ADM","metadata":{"vmapi_admin_ips":"10.20.0.27"}}]"#,
            0,
            &["sdc  $ADM"],
        ),
        (
            sapi,
            "services list name=vmapi -o name,type -H",
            &format!("GET /services?name=vmapi -> 200 [{vmapi}]"),
            0,
            &["vmapi  vm"],
        ),
        (sapi, "services list name=nosuch --count", "GET /services?name=nosuch -> 200 []", 0, &["0\n"]),
        (
            sapi,
            &format!("instances list {of_vmapi} -o alias -H"),
            &format!(
                r#"GET /instances?{of_vmapi} -> 200 [{{"uuid":"$V",{},"params":{{"alias":"vmapi0"}}}}]"#,
                of_vmapi.replacen("service_uuid=", r#""service_uuid":""#, 1) + "\""
            ),
            0,
            &["vmapi0\n"],
        ),
        (
            VMAPI,
            "raw vmapi GET /vms?uuid=$V --jq .[].nics[].ip",
            r#"GET /vms?uuid=$V -> 200 [{"uuid":"$V","nics":[{"nic_tag":"admin","ip":"10.20.0.27"}]}]"#,
            0,
            &["10.20.0.27"],
        ),
        (
            sapi,
            "raw sapi GET /services/nope",
            r#"GET /services/nope -> 404 {"code":"ResourceNotFound","message":"no such service: nope"}"#,
            3,
            &["no such service: nope"],
        ),
    ]);
}

const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;
const VMAPI: &str = "VMAPI_URL";
const NAPI: &str = "NAPI_URL";
const PAPI: &str = "PAPI_URL";
const WORKFLOW: &str = "WORKFLOW_URL";

fn job(name: &str, task: &str, execution: &str, results: &str) -> String {
    format!(
        r#"200 {{"uuid":"$J","name":"{name}","execution":"{execution}","params":{{"task":"{task}","vm_uuid":"$V","server_uuid":"$CN"}},"chain_results":[{results}]}}"#
    )
}

const VALID: &str = r#"{"name":"common.validate_params","result":"All parameters OK!","error":""}"#;
const CREATE: &str = "vms create --owner $A --brand joyent --image $IMG --package $PKG --network '[{\"uuid\":\"$NET\"}]' -n web0 --uuid $V";
const BODY: &str = r#"{"owner_uuid":"$A","brand":"joyent","image_uuid":"$IMG","billing_id":"$PKG","networks":[{"uuid":"$NET"}],"alias":"web0","uuid":"$V"}"#;

#[test]
fn flow_2_a_zone_is_created_and_its_job_succeeds() {
    let last = r#"{"name":"cnapi.release_fabric_nat_tickets","result":"OK","error":""}"#;
    let running = job("provision-8.2.4", "provision", "running", VALID);
    let succeeded = job("provision-8.2.4", "provision", "succeeded", &[VALID, last].join(","));
    let provisioning = r#"200 {"uuid":"$V","alias":"web0","owner_uuid":"$A","state":"provisioning","zone_state":null,"server_uuid":"$CN","nics":[]}"#;
    let there = r#"200 {"uuid":"$V","alias":"web0","owner_uuid":"$A","state":"running","zone_state":"running","server_uuid":"$CN","nics":[{"ip":"198.18.20.15","primary":true,"mac":"90:b8:d0:1c:2d:3e"}]}"#;
    let made = format!(
        "POST /vms {BODY} -> {TAKEN}
        GET /jobs/$J -> {running}
        GET /vms/$V -> {provisioning}
        GET /jobs/$J -> {succeeded}
        GET /vms/$V -> {there}"
    );
    let unallocated = r#"POST /vms/$V?action=stop -> 409 {"code":"UnallocatedVM","message":"Cannot call stop for a VM that has not been provisioned yet"}"#;
    let nic = r#"GET /nics/90b8d01c2d3e -> 200 {"mac":"90:b8:d0:1c:2d:3e","belongs_to_uuid":"$V","state":"running","ip":"198.18.20.15"}"#;
    let ip = r#"GET /networks/$NET/ips/198.18.20.15 -> 200 {"ip":"198.18.20.15","free":false,"belongs_to_type":"zone","belongs_to_uuid":"$V"}"#;
    let twice = format!(
        r#"POST /vms {BODY} -> 409 {{"code":"ValidationFailed","message":"Invalid VM parameters","errors":[{{"field":"alias","code":"Duplicate","message":"Already exists for this owner_uuid"}}]}}"#
    );
    let wrong = r#"POST /vms {"brand":"zone"} -> 409 {"code":"ValidationFailed","message":"Invalid VM parameters","errors":[{"field":"brand","code":"Invalid","message":"Must be one of: joyent, kvm"},{"field":"networks","code":"MissingParameter","message":"Missing parameter"},{"field":"owner_uuid","code":"MissingParameter","message":"Missing parameter"}]}"#;
    flow(&[
        (VMAPI, &format!("{CREATE} --wait -o state,nics -H"), &made, 0, &["running", "198.18.20.15"]),
        (VMAPI, "vms get $V -o state,zone_state -H", &format!("GET /vms/$V -> {provisioning}"), 0, &["provisioning"]),
        (VMAPI, "vms statuses $V", r#"GET /statuses?uuids=$V -> 200 {"$V":"provisioning"}"#, 0, &["provisioning"]),
        (VMAPI, "vms stop $V", unallocated, 5, &["VM $V: Cannot call stop for a VM that has not been provisioned yet"]),
        (VMAPI, "vms job $J", &format!("GET /jobs/$J -> {running}"), 0, &["provision-8.2.4", "running"]),
        // It is held until the job is over.
        (
            VMAPI,
            "raw vmapi GET /jobs/$J/wait",
            &format!("GET /jobs/$J/wait -> {}", succeeded.replacen("200", "200@1200", 1)),
            0,
            &["cnapi.release_fabric_nat_tickets"],
        ),
        (NAPI, "nics get 90b8d01c2d3e -o ip,state -H", nic, 0, &["198.18.20.15", "running"]),
        (NAPI, "ips get $NET 198.18.20.15 -o free,belongs_to_uuid -H", ip, 0, &["false", "$V"]),
        (VMAPI, CREATE, &twice, 5, &["alias: Duplicate: Already exists for this owner_uuid"]),
        (
            VMAPI,
            r#"raw vmapi POST /vms -d '{"brand":"zone"}'"#,
            wrong,
            5,
            &["brand: Invalid: Must be one of: joyent, kvm", "networks: MissingParameter", "owner_uuid: Missing"],
        ),
    ]);
}

#[test]
fn flow_3a_a_create_without_capacity_is_refused_at_once() {
    let refused = format!(
        r#"POST /vms {BODY} -> 409 {{"code":"NoAllocatableServersError","message":"No compute resources available: ..."}}"#
    );
    flow(&[(VMAPI, &format!("{CREATE} --wait"), &refused, 5, &["No compute resources available"])]);
}

#[test]
fn flow_3b_a_create_without_an_address_is_refused_at_once() {
    let refused = format!(
        r#"POST /vms {BODY} -> 507 {{"code":"SubnetFull","message":"no more free IPs","network_uuid":"$NET"}}"#
    );
    flow(&[(VMAPI, &format!("{CREATE} --wait"), &refused, 5, &["no more free IPs", "sdc admin networks usage $NET"])]);
}

#[test]
fn flow_3c_a_create_that_fails_in_its_job_is_8_with_the_task() {
    let words = format!("{CREATE} --internal-metadata force_provision_failure:=true --wait");
    let body =
        BODY.replace(r#","uuid":"$V"}"#, r#","uuid":"$V","internal_metadata":{"force_provision_failure":true}}"#);
    let failed = job(
        "provision-8.2.4",
        "provision",
        "failed",
        &[VALID, r#"{"name":"cnapi.provision_vm","result":"","error":"force_provision_failure set, failing"}"#]
            .join(","),
    );
    let lines = format!("POST /vms {body} -> {TAKEN}\nGET /jobs/$J -> {failed}");
    let onerror = failed.replace(
        r#""chain_results""#,
        r#""onerror_results":[{"name":"napi.cleanup_nics","result":"NICs removed"},{"name":"On error","error":"Error executing job"}],"chain_results""#,
    );
    flow(&[
        (VMAPI, &words, &lines, 8, &["failed in cnapi.provision_vm: force_provision_failure set, failing"]),
        (WORKFLOW, "jobs get $J --json", &format!("GET /jobs/$J -> {onerror}"), 0, &["napi.cleanup_nics"]),
        (
            VMAPI,
            "vms get $V -o state -H",
            r#"GET /vms/$V -> 200 {"uuid":"$V","state":"failed","zone_state":"failed"}"#,
            0,
            &["failed"],
        ),
        (VMAPI, "vms list -o ids", "GET /vms?state=active&limit=1000 -> 200 []", 0, &[]),
        (
            NAPI,
            "nics list belongs_to_uuid=$V --count",
            "GET /nics?belongs_to_uuid=$V&limit=1000 -> 200 []",
            0,
            &["0\n"],
        ),
    ]);
}

#[test]
fn flow_4_a_stop_from_the_wrong_state_fails_in_its_job() {
    let wrong = r#"{"name":"common.ensure_vm_state","result":"","error":{"name":"Error","message":"Cannot stop a VM from a 'stopped' state"}}"#;
    let failed = job("stop-7.0.8", "stop", "failed", &[VALID, wrong].join(","));
    let done = r#"{"name":"common.ensure_vm_state","result":"VM is stopped, action is idempotent","error":""}"#;
    let succeeded = job("stop-7.0.8", "stop", "succeeded", &[VALID, done].join(","));
    let stopped = r#"200 {"uuid":"$V","alias":"web0","state":"stopped"}"#;
    flow(&[
        (
            VMAPI,
            "vms stop $V --wait",
            &format!("POST /vms/$V?action=stop -> {TAKEN}\nGET /jobs/$J -> {failed}"),
            8,
            &["failed in common.ensure_vm_state: Cannot stop a VM from a 'stopped' state", "$J"],
        ),
        (
            VMAPI,
            "raw vmapi GET /jobs/$J/wait",
            r#"GET /jobs/$J/wait -> 500 {"code":"Error","message":"Cannot stop a VM from a 'stopped' state"}"#,
            1,
            &["Cannot stop a VM from a 'stopped' state"],
        ),
        (
            VMAPI,
            "vms stop $V --idempotent --wait",
            &format!(
                "POST /vms/$V?action=stop {{\"idempotent\":true}} -> {TAKEN}\nGET /jobs/$J -> {succeeded}\nGET /vms/$V -> {stopped}"
            ),
            0,
            &[],
        ),
        (
            VMAPI,
            r#"raw vmapi POST /vms/$V?action=stop -d '{"idempotent":"yes"}'"#,
            r#"POST /vms/$V?action=stop {"idempotent":"yes"} -> 409 {"code":"ValidationFailed","message":"Invalid Parameters","errors":[{"field":"idempotent","code":"Invalid","message":"Invalid parameter"}]}"#,
            5,
            &["idempotent: Invalid: Invalid parameter"],
        ),
        (
            VMAPI,
            "raw vmapi POST /vms/$V?action=fly",
            r#"POST /vms/$V?action=fly -> 409 {"code":"ValidationFailed","message":"Invalid Parameters","errors":[{"field":"action","code":"Invalid","message":"Invalid parameter"}]}"#,
            5,
            &["action: Invalid"],
        ),
        (
            VMAPI,
            "raw vmapi POST /vms/$V",
            r#"POST /vms/$V -> 409 {"code":"ValidationFailed","message":"Invalid Parameters","errors":[{"field":"action","code":"MissingParameter","message":"Missing parameter"}]}"#,
            5,
            &["action: MissingParameter"],
        ),
    ]);
}

#[test]
fn flow_5_a_vm_is_deleted_and_so_are_its_nic_and_its_address() {
    let queued = r#"{"name":"cnapi.destroy_vm","result":"Task id: T queued to CNAPI!","error":""}"#;
    let removed = r#"{"name":"napi.remove_nics","result":"NICs removed","error":""}"#;
    let running = job("destroy-7.1.6", "destroy", "running", queued);
    let succeeded = job("destroy-7.1.6", "destroy", "succeeded", &[queued, removed].join(","));
    let there = r#"200 {"uuid":"$V","alias":"web0","owner_uuid":"$A","server_uuid":"$CN","state":"running"}"#;
    let gone = r#"{"uuid":"$V","alias":"web0","owner_uuid":"$A","server_uuid":"$CN","state":"destroyed","zone_state":"destroyed","destroyed":"2026-03-02T12:30:00.000Z"}"#;
    let deleted = format!(
        "GET /vms/$V -> {there}\nDELETE /vms/$V -> {TAKEN}
        GET /jobs/$J -> {running}\nGET /vms/$V -> {there}
        GET /jobs/$J -> {succeeded}\nGET /vms/$V -> 200 {gone}"
    );
    let missing = r#"404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    flow(&[
        (VMAPI, "vms delete $V --wait --yes", &deleted, 0, &[]),
        (VMAPI, "vms get $V -o state,destroyed -H", &format!("GET /vms/$V -> 200 {gone}"), 0, &["destroyed"]),
        (
            NAPI,
            "nics get 90b8d01c2d3e",
            r#"GET /nics/90b8d01c2d3e -> 404 {"code":"ResourceNotFound","message":"nic not found"}"#,
            3,
            &["nic not found"],
        ),
        (
            NAPI,
            "ips get $NET 198.18.20.15 -o free,reserved -H",
            r#"GET /networks/$NET/ips/198.18.20.15 -> 200 {"ip":"198.18.20.15","free":true,"reserved":false}"#,
            0,
            &["true", "false"],
        ),
        (
            VMAPI,
            "raw vmapi GET /vms?uuid=$V --jq .[].state",
            &format!("GET /vms?uuid=$V -> 200 [{gone}]"),
            0,
            &["destroyed"],
        ),
        (VMAPI, "raw vmapi GET /vms?uuid=$V&state=active", "GET /vms?uuid=$V&state=active -> 200 []", 0, &["[]"]),
        (VMAPI, "raw vmapi DELETE /vms/$W", &format!("DELETE /vms/$W -> {missing}"), 3, &["VM not found"]),
        (
            VMAPI,
            "raw vmapi DELETE /vms/$V?owner_uuid=$B",
            &format!("DELETE /vms/$V?owner_uuid=$B -> {missing}"),
            3,
            &["VM not found"],
        ),
    ]);
}

#[test]
fn flow_6_a_nic_is_added_and_removed() {
    let add = r#"POST /vms/$V?action=add_nics {"networks":[{"uuid":"$NET2","ip":"10.60.0.77"}]}"#;
    let words = r#"vms nics add $V --network '[{"uuid":"$NET2","ip":"10.60.0.77"}]'"#;
    let nic = |name: &str, mac: &str, ip: &str| format!(r#"{{"interface":"{name}","mac":"{mac}","ip":"{ip}"}}"#);
    let vm = |nics: &str| format!(r#"200 {{"uuid":"$V","alias":"web0","state":"running","nics":[{nics}]}}"#);
    let first = nic("net0", "90:b8:d0:1c:2d:3e", "198.18.20.15");
    let one = vm(&first);
    let both = vm(&[first, nic("net1", "90:b8:d0:aa:bb:cc", "10.60.0.77")].join(","));
    let added = |execution: &str| {
        job("add-nics-7.3.1", "add_nics", execution, VALID)
            .replace(r#""vm_uuid""#, r#""add_nics":[{"mac":"90:b8:d0:aa:bb:cc"}],"vm_uuid""#)
    };
    let waited = format!(
        "GET /vms/$V -> {one}\n{add} -> {TAKEN}\nGET /jobs/$J -> {}\nGET /vms/$V -> {one}\nGET /jobs/$J -> {}\nGET /vms/$V -> {both}",
        added("running"),
        added("succeeded"),
    );
    let removal = r#"POST /vms/$V?action=remove_nics {"macs":["90:b8:d0:aa:bb:cc"]}"#;
    flow(&[
        (VMAPI, &format!("{words} --wait --json"), &waited, 0, &["10.60.0.77"]),
        (VMAPI, "vms job $J -o name", &format!("GET /jobs/$J -> {}", added("running")), 0, &["add-nics-7.3.1"]),
        (
            VMAPI,
            "raw vmapi POST /vms/$V?action=add_nics -d '{}'",
            r#"POST /vms/$V?action=add_nics {} -> 409 {"code":"ValidationFailed","message":"Invalid Parameters","errors":[{"field":"missing networks or macs","code":"MissingParameter","message":"Missing parameter"}]}"#,
            5,
            &["missing networks or macs: MissingParameter"],
        ),
        (
            VMAPI,
            words,
            &format!(
                r#"{add} -> 422 {{"code":"InvalidParameters","message":"Invalid parameters","errors":[{{"field":"ip","code":"UsedBy","type":"zone","id":"$V","message":"IP in use by zone \"$V\""}}]}}"#
            ),
            5,
            &[r#"ip: UsedBy: IP in use by zone "$V""#],
        ),
        (
            VMAPI,
            r#"vms nics update $V --nics '[{"mac":"90:b8:d0:aa:bb:cc","primary":true}]'"#,
            &format!(
                r#"POST /vms/$V?action=update_nics {{"nics":[{{"mac":"90:b8:d0:aa:bb:cc","primary":true}}]}} -> {TAKEN}"#
            ),
            0,
            &["$J"],
        ),
        (VMAPI, "vms nics remove $V --mac 90:b8:d0:aa:bb:cc --yes", &format!("{removal} -> {TAKEN}"), 0, &["$J"]),
        (
            NAPI,
            "nics get 90:b8:d0:aa:bb:cc",
            r#"GET /nics/90b8d0aabbcc -> 404 {"code":"ResourceNotFound","message":"nic not found"}"#,
            3,
            &["nic not found"],
        ),
    ]);
}

const LAB: &str = r#"{"uuid":"$NET2","family":"ipv4","mtu":1500,"nic_tag":"external","name":"lab","vlan_id":30,"subnet":"10.60.0.0/24","provision_start_ip":"10.60.0.10","provision_end_ip":"10.60.0.99","resolvers":[],"gateway":"10.60.0.1","owner_uuids":["$A"],"netmask":"255.255.255.0"}"#;

#[test]
fn flow_7_a_network_is_created_changed_and_deleted_and_each_error_is_said() {
    let words = "networks create -n lab --nic-tag external --vlan 30 --subnet 10.60.0.0/24 --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99 --gateway 10.60.0.1 --owner $A";
    let sent = r#"POST /networks {"name":"lab","nic_tag":"external","vlan_id":30,"subnet":"10.60.0.0/24","provision_start_ip":"10.60.0.10","provision_end_ip":"10.60.0.99","gateway":"10.60.0.1","owner_uuids":["$A"]}"#;
    let changed = LAB.replace(r#""resolvers":[]"#, r#""resolvers":["198.18.0.53"]"#);
    flow(&[
        (NAPI, &format!("{words} -o ids"), &format!("{sent} -> 200 {LAB}"), 0, &["$NET2"]),
        (
            NAPI,
            "ips list $NET2 -H -o ip,reserved,free",
            r#"GET /networks/$NET2/ips?limit=1000 -> 200 [{"ip":"10.60.0.1","reserved":true,"free":false,"belongs_to_type":"other","belongs_to_uuid":"$ADM","owner_uuid":"$ADM"},{"ip":"10.60.0.9","reserved":false,"free":true},{"ip":"10.60.0.100","reserved":false,"free":true},{"ip":"10.60.0.255","reserved":true,"free":false}]"#,
            0,
            &["10.60.0.1    true   false\n10.60.0.9    false  true\n", "10.60.0.255  true   false\n"],
        ),
        (
            NAPI,
            "raw napi POST /networks -d '{}'",
            r#"POST /networks {} -> 422 {"code":"InvalidParameters","message":"Missing parameters","errors":[{"field":"name","code":"MissingParameter","message":"Missing parameter"},{"field":"nic_tag","code":"MissingParameter","message":"Missing parameter"},{"field":"vlan_id","code":"MissingParameter","message":"Missing parameter"}]}"#,
            5,
            &[
                "Missing parameters",
                "name: Missing",
                "nic_tag: Missing",
                "vlan_id: MissingParameter: Missing parameter",
            ],
        ),
        (
            NAPI,
            words,
            &format!(
                r#"{sent} -> 422 {{"code":"InvalidParameters","message":"name is in use by another network","errors":[{{"field":"name","code":"Duplicate","message":"Already exists"}}]}}"#
            ),
            5,
            &["name is in use by another network", "name: Duplicate: Already exists"],
        ),
        (
            NAPI,
            "networks create -n odd --nic-tag nope --vlan 5000 --subnet 10.60.0.1/24",
            r#"POST /networks {"name":"odd","nic_tag":"nope","vlan_id":5000,"subnet":"10.60.0.1/24"} -> 422 {"code":"InvalidParameters","message":"Invalid parameters","errors":[{"field":"nic_tag","code":"InvalidParameter","message":"nic tag does not exist"},{"field":"subnet","code":"InvalidParameter","message":"invalid CIDR format"},{"field":"vlan_id","code":"InvalidParameter","message":"VLAN ID must be a number between 0 and 4094, and not 1"}]}"#,
            5,
            &[
                "nic tag does not exist",
                "invalid CIDR format",
                "VLAN ID must be a number between 0 and 4094, and not 1",
            ],
        ),
        (
            NAPI,
            r#"raw napi PUT /networks/$NET2 -d '{"vlan_id":31}'"#,
            r#"PUT /networks/$NET2 {"vlan_id":31} -> 422 {"code":"InvalidParameters","message":"Invalid parameters","errors":[{"field":"vlan_id","code":"InvalidParameter","message":"Network updates for this field are not supported"}]}"#,
            5,
            &["vlan_id: InvalidParameter: Network updates for this field are not supported"],
        ),
        // What cannot be changed is not even sent by the command that is there for changes.
        (NAPI, "networks update $NET2 vlan_id=31", "", 2, &["vlan_id cannot be changed here"]),
        (
            NAPI,
            "networks update $NET2 --resolver 198.18.0.53 -o resolvers -H",
            &format!(
                "GET /networks/$NET2 -> 200 {LAB}\nPUT /networks/$NET2 {{\"resolvers\":[\"198.18.0.53\"]}} -> 200 {changed}\nGET /networks/$NET2 -> 200 {changed}"
            ),
            0,
            &["198.18.0.53"],
        ),
        (
            NAPI,
            "networks get $NET2 --provisionable-by $B",
            r#"GET /networks/$NET2?provisionable_by=$B -> 403 {"code":"NotAuthorized","message":"owner cannot provision on network"}"#,
            5,
            &["owner cannot provision on network"],
        ),
        (
            NAPI,
            "raw napi GET /networks?bogus=1",
            r#"GET /networks?bogus=1 -> 422 {"code":"InvalidParameters","message":"Invalid parameters","errors":[{"field":["bogus"],"code":"UnknownParameters","message":"Unknown parameters: bogus"}]}"#,
            5,
            &["bogus: UnknownParameters: Unknown parameters: bogus"],
        ),
        (
            NAPI,
            "networks delete $NET2 --yes",
            r#"DELETE /networks/$NET2 -> 422 {"code":"InUse","message":"network must have no NICs provisioned","errors":[{"type":"nic","id":"90:b8:d0:aa:bb:cc","code":"UsedBy","message":"In use by nic \"90:b8:d0:aa:bb:cc\""}]}"#,
            5,
            &["network must have no NICs provisioned", r#"In use by nic "90:b8:d0:aa:bb:cc""#],
        ),
        (NAPI, "networks delete $NET2 --yes", "DELETE /networks/$NET2 -> 204", 0, &[]),
        (
            NAPI,
            "networks get $NET2",
            r#"GET /networks/$NET2 -> 404 {"code":"ResourceNotFound","message":"network not found"}"#,
            3,
            &["network not found"],
        ),
    ]);
}

const TINY: &str = r#"{"name":"tiny","version":"1.0.0","active":true,"max_physical_memory":256,"max_swap":512,"quota":10240,"max_lwps":1000,"zfs_io_priority":10,"cpu_cap":25"#;

#[test]
fn flow_8_a_package_is_created_changed_and_deleted_by_force_alone() {
    let tiny = format!(r#"{TINY},"uuid":"$P","v":1}}"#);
    let old = format!(r#"{TINY},"uuid":"$P","v":1,"description":"old"}}"#).replace("true", "false");
    let missing = r#"404 {"code":"ResourceNotFound","message":"Package $P does not exist"}"#;
    flow(&[
        (
            PAPI,
            "packages create -n tiny --version 1.0.0 --memory 256 --swap 512 --quota 10G --max-lwps 1000 --zfs-io-priority 10 --cpu-cap 25 -o ids",
            &format!("POST /packages {TINY}}} -> 201 {tiny}"),
            0,
            &["$P"],
        ),
        (
            PAPI,
            r#"raw papi POST /packages -d '{"name":"x","quota":1000}'"#,
            r#"POST /packages {"name":"x","quota":1000} -> 409 {"code":"InvalidArgument","message":"Package is invalid","errors":[{"field":"active","code":"Missing","message":"is missing"},{"field":"quota","code":"Invalid","message":"must be greater or equal to 1024"},{"field":"quota","code":"Invalid","message":"must be a multiple of 1024"}]}"#,
            5,
            &[
                "Package is invalid",
                "active: Missing: is missing",
                "must be greater or equal to 1024",
                "quota: Invalid: must be a multiple of 1024",
            ],
        ),
        (
            PAPI,
            r#"raw papi POST /packages -d '{"ram":1}'"#,
            r#"POST /packages {"ram":1} -> 409 {"code":"InvalidArgument","message":"Unrecognised attributes","errors":[{"field":"ram","code":"Invalid","message":"is an unsupported attribute"}]}"#,
            5,
            &["ram: Invalid: is an unsupported attribute"],
        ),
        (
            PAPI,
            "packages update $P active=false --description old -o active,description -H",
            &format!(r#"PUT /packages/$P {{"active":false,"description":"old"}} -> 200 {old}"#),
            0,
            &["false  old"],
        ),
        (PAPI, "packages update $P quota=20G", "", 2, &["quota cannot be changed here"]),
        (
            PAPI,
            r#"raw papi PUT /packages/$P -d '{"quota":20480}'"#,
            r#"PUT /packages/$P {"quota":20480} -> 409 {"code":"InvalidArgument","message":"Attempt to update immutables","errors":[{"field":"quota","code":"Invalid","message":"is immutable"}]}"#,
            5,
            &["quota: Invalid: is immutable"],
        ),
        (
            PAPI,
            r#"raw papi PUT /packages/$P -d '{"quota":20480,"force":true}'"#,
            &format!(r#"PUT /packages/$P {{"quota":20480,"force":true}} -> 200 {tiny}"#),
            0,
            &[],
        ),
        (
            PAPI,
            "raw papi GET /packages?name=ti* --jq .[].name",
            &format!("GET /packages?name=ti* -> 200 [{tiny}]"),
            0,
            &["tiny"],
        ),
        // A glob is compared here: what the service takes for one is its own affair.
        (
            PAPI,
            "packages list 'name=ti*' -o name -H",
            &format!(r#"GET /packages?limit=1000 -> 200 [{tiny},{{"uuid":"$PKG","name":"big"}}]"#),
            0,
            &["tiny\n"],
        ),
        (
            PAPI,
            "raw papi DELETE /packages/$P",
            r#"DELETE /packages/$P -> 405 {"code":"BadMethod","message":"Packages cannot be deleted"}"#,
            5,
            &["Packages cannot be deleted"],
        ),
        (PAPI, "packages delete $P --force", "DELETE /packages/$P?force=true -> 204", 0, &[]),
        (
            PAPI,
            "packages delete $P --force",
            &format!("DELETE /packages/$P?force=true -> {missing}"),
            3,
            &["Package $P does not exist"],
        ),
    ]);
}

#[test]
fn flow_11_servers_say_what_room_they_have() {
    flow(&[
        (
            "CNAPI_URL",
            "servers list --extras capacity --json",
            r#"GET /servers?extras=capacity&limit=1000 -> 200 [{"uuid":"$CN","status":"running","unreserved_ram":90112}]"#,
            0,
            &[r#""unreserved_ram":90112"#],
        ),
        (
            "CNAPI_URL",
            "raw cnapi GET /servers?foo=1",
            r#"GET /servers?foo=1 -> 409 {"code":"InvalidArgument","message":"foo is not an explicitly defined parameter"}"#,
            5,
            &["foo is not an explicitly defined parameter"],
        ),
    ]);
}

#[test]
fn flow_12_jobs_are_listed_canceled_resumed_and_noted() {
    let one = |execution: &str| job("stop-7.0.8", "stop", execution, VALID);
    let newest = one("running").replacen("200 ", "", 1);
    flow(&[
        (
            WORKFLOW,
            "raw workflow GET /jobs?vm_uuid=$V&limit=1 --jq .[].execution",
            &format!("GET /jobs?vm_uuid=$V&limit=1 -> 200 [{newest}]"),
            0,
            &["running"],
        ),
        // Nobody is trusted to have filtered, so the limit counts those that fit.
        (
            WORKFLOW,
            "jobs list vm_uuid=$V --limit 1 -o uuid -H",
            &format!(
                r#"GET /jobs?vm_uuid=$V&limit=1 -> 200 [{{"uuid":"$K","execution":"queued","params":{{"vm_uuid":"$W"}}}}]
                GET /jobs?vm_uuid=$V&limit=1000 -> 200 [{{"uuid":"$K","execution":"queued","params":{{"vm_uuid":"$W"}}}},{newest}]"#
            ),
            0,
            &["$J\n"],
        ),
        (
            WORKFLOW,
            "raw workflow GET /jobs?execution=waiting",
            r#"GET /jobs?execution=waiting -> 409 {"code":"ConflictError","message":"Execution must be one of queued, failed, succeeded, canceled or running"}"#,
            5,
            &["Execution must be one of queued, failed, succeeded, canceled or running"],
        ),
        // So those that wait are looked for among all.
        (
            WORKFLOW,
            "jobs list execution=waiting --count",
            &format!("GET /jobs?limit=1000 -> 200 [{newest}]"),
            0,
            &["0\n"],
        ),
        (
            WORKFLOW,
            "jobs cancel $J --yes -o execution -H",
            &format!("POST /jobs/$J/cancel -> {}", one("canceled")),
            0,
            &["canceled\n"],
        ),
        (
            WORKFLOW,
            "jobs cancel $J --yes",
            r#"POST /jobs/$J/cancel -> 409 {"code":"ConflictError","message":"Finished jobs cannot be canceled"}"#,
            5,
            &["job $J: Finished jobs cannot be canceled"],
        ),
        // One that goes on is not canceled, whatever the status says.
        (
            WORKFLOW,
            "jobs cancel $J --yes",
            &format!("POST /jobs/$J/cancel -> {}", one("running")),
            6,
            &["whose execution is not canceled"],
        ),
        (
            WORKFLOW,
            "jobs resume $J --result OK -o execution -H",
            &format!(r#"POST /jobs/$J/resume {{"result":"OK"}} -> {}"#, one("queued")),
            0,
            &["queued\n"],
        ),
        (
            WORKFLOW,
            "jobs resume $J --result OK",
            r#"POST /jobs/$J/resume {"result":"OK"} -> 409 {"code":"ConflictError","message":"Only waiting jobs can be resumed"}"#,
            5,
            &["job $J: Only waiting jobs can be resumed"],
        ),
        (WORKFLOW, "jobs info $J --count", "GET /jobs/$J/info -> 200 []", 0, &["0\n"]),
        (
            WORKFLOW,
            "raw workflow GET /jobs/none",
            r#"GET /jobs/none -> 404 {"code":"ResourceNotFound","message":"Job with uuid 'none' does not exist"}"#,
            3,
            &["Job with uuid 'none' does not exist"],
        ),
    ]);
}
