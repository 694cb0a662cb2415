//! The tables of the internal services against their list of endpoints, and what each operation sends.

use sdc::api::admin::napi::*;
use sdc::api::admin::sapi::*;
use sdc::api::admin::vmapi::{self, *};
use sdc::api::admin::{self, cnapi, imgapi, mahi, papi, workflow};
use sdc::api::{Column, Level, Op, Service};

use crate::{Vector, json, request};

/// The internal services that have commands.
fn services() -> impl Iterator<Item = &'static Service> {
    sdc::api::SERVICES.iter().copied().filter(|service| service.is_inner())
}

/// Endpoints without an operation that have a command all the same, or will have one: pings are `health`, a HEAD counts
/// what a list counts too.
const WITHOUT: &[&str] = &["Ping", "HeadVms", "HeadVm", "WatchMigration"];

/// Service, operation, methods, path, command.
fn endpoints() -> impl Iterator<Item = [&'static str; 5]> {
    include_str!("../../data/admin-endpoints.tsv").lines().skip(1).map(|line| {
        let row: Vec<&str> = line.split('\t').collect();
        [row[0], row[1], row[2], row[3], row[6]]
    })
}

fn shape(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    path.split('/').map(|part| if part.starts_with(':') { ":" } else { part }).collect::<Vec<_>>().join("/")
}

/// The name of an operation: one endpoint may be several.
fn name(op: &Op) -> &'static str {
    op.id.split(' ').next().unwrap()
}

#[test]
fn every_endpoint_that_a_command_is_meant_for_is_an_operation() {
    let mut missing = Vec::new();
    for [service, id, _, _, command] in endpoints() {
        let meant = !command.starts_with("raw") && command != "none" && !WITHOUT.contains(&id);
        let known = admin::named(service).unwrap().ops().any(|op| name(op) == id);
        if meant != known {
            missing.push(format!("{service} {id}: {command}"));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_operation_is_an_endpoint_of_the_same_method_and_path() {
    for service in services() {
        for op in service.ops() {
            let of = service.name.to_ascii_lowercase();
            let [_, _, methods, path, _] =
                endpoints().find(|[service, id, ..]| *service == of && *id == name(op)).unwrap();
            assert!(methods.split('|').any(|method| method == op.method.as_str()), "{}", op.id);
            assert_eq!(shape(path), shape(op.path), "{}", op.id);
        }
    }
}

fn reads() -> Vec<Vector> {
    vec![
        (
            &vmapi::LIST,
            &[("alias", "web"), ("tag.role", "web"), ("ram", "1024")],
            "GET /vms?alias=web&tag.role=web&ram=1024",
            "",
        ),
        (&vmapi::GET, &[("vm", "v"), ("sync", "true"), ("owner_uuid", "a")], "GET /vms/v?sync=true&owner_uuid=a", ""),
        (&PROC, &[("vm", "v")], "GET /vms/v/proc", ""),
        (&STATUSES, &[("uuids:", r#"["a","b"]"#)], "GET /statuses?uuids=a,b", ""),
        (&JOBS, &[("vm", "v"), ("task", "stop")], "GET /vms/v/jobs?task=stop", ""),
        (&GET_JOB, &[("vmjob", "j")], "GET /jobs/j", ""),
        (&LIST_JOBS, &[("vm_uuid", "v"), ("execution", "failed")], "GET /jobs?vm_uuid=v&execution=failed", ""),
        (&LIST_METADATA, &[("vm", "v")], "GET /vms/v/customer_metadata", ""),
        (&GET_METADATA, &[("vm", "v"), ("vm_metadata_key", "a/b")], "GET /vms/v/customer_metadata/a%2Fb", ""),
        (&LIST_INTERNAL, &[("vm", "v")], "GET /vms/v/internal_metadata", ""),
        (&GET_INTERNAL, &[("vm", "v"), ("vm_internal_key", "k")], "GET /vms/v/internal_metadata/k", ""),
        (&LIST_TAGS, &[("vm", "v")], "GET /vms/v/tags", ""),
        (&GET_TAG, &[("vm", "v"), ("vm_tag", "k")], "GET /vms/v/tags/k", ""),
        (&LIST_MIGRATIONS, &[("state", "paused"), ("format", "raw")], "GET /migrations?state=paused&format=raw", ""),
        (&GET_MIGRATION, &[("vm", "v")], "GET /migrations/v", ""),
        (&workflow::LIST, &[("execution", "failed"), ("limit", "5")], "GET /jobs?execution=failed&limit=5", ""),
        (&workflow::GET, &[("job", "j")], "GET /jobs/j", ""),
        (&workflow::INFO, &[("job", "j")], "GET /jobs/j/info", ""),
        (&workflow::STATS, &[], "GET /stats", ""),
        (&workflow::LIST_FLOWS, &[], "GET /workflows", ""),
        (&workflow::GET_FLOW, &[("workflow", "w")], "GET /workflows/w", ""),
        (&papi::LIST, &[("name", "g1"), ("active", "true")], "GET /packages?name=g1&active=true", ""),
        (&papi::GET, &[("adminpackage", "p")], "GET /packages/p", ""),
        (&imgapi::LIST, &[("name", "base"), ("state", "all")], "GET /images?name=base&state=all", ""),
        (&imgapi::GET, &[("adminimage", "i")], "GET /images/i", ""),
        (&cnapi::LIST, &[("headnode", "false"), ("extras", "vms")], "GET /servers?headnode=false&extras=vms", ""),
        (&cnapi::GET, &[("server", "s")], "GET /servers/s", ""),
        (&mahi::LOOKUP, &[("login", "alice")], "GET /accounts?login=alice", ""),
        (&mahi::GET, &[("adminaccount", "a")], "GET /accounts/a", ""),
        (&LIST_APPLICATIONS, &[("name", "sdc")], "GET /applications?name=sdc", ""),
        (&GET_APPLICATION, &[("application", "a")], "GET /applications/a", ""),
        (&LIST_SERVICES, &[("type", "vm")], "GET /services?type=vm", ""),
        (&GET_SERVICE, &[("service", "s")], "GET /services/s", ""),
        (&LIST_INSTANCES, &[("service_uuid", "s")], "GET /instances?service_uuid=s", ""),
        (&GET_INSTANCE, &[("instance", "i")], "GET /instances/i", ""),
        (&PAYLOAD, &[("instance", "i")], "GET /instances/i/payload", ""),
        (&CONFIG, &[("instance", "i")], "GET /configs/i", ""),
        (&LIST_MANIFESTS, &[("include_master", "true")], "GET /manifests?include_master=true", ""),
        (&GET_MANIFEST, &[("manifest", "m")], "GET /manifests/m", ""),
        (
            &LIST_NETWORKS,
            &[("nic_tag", "external"), ("vlan_id", "20")],
            "GET /networks?nic_tag=external&vlan_id=20",
            "",
        ),
        (&GET_NETWORK, &[("adminnetwork", "n"), ("provisionable_by", "a")], "GET /networks/n?provisionable_by=a", ""),
        (&LIST_POOLS, &[("networks", "n")], "GET /network_pools?networks=n", ""),
        (&GET_POOL, &[("pool", "p")], "GET /network_pools/p", ""),
        (&LIST_NIC_TAGS, &[("limit", "5")], "GET /nic_tags?limit=5", ""),
        (&GET_NIC_TAG, &[("nictag", "external")], "GET /nic_tags/external", ""),
        (&LIST_NICS, &[("belongs_to_uuid", "v")], "GET /nics?belongs_to_uuid=v", ""),
        (&GET_NIC, &[("adminnic", "90b8d01c2d3e")], "GET /nics/90b8d01c2d3e", ""),
        (&LIST_IPS, &[("adminnetwork", "n")], "GET /networks/n/ips", ""),
        (&GET_IP, &[("adminnetwork", "n"), ("adminip", "10.0.0.7")], "GET /networks/n/ips/10.0.0.7", ""),
        (&WHO, &[("ip", "10.0.0.7")], "GET /search/ips?ip=10.0.0.7", ""),
        (&LIST_VLANS, &[("adminaccount", "a")], "GET /fabrics/a/vlans", ""),
        (&GET_VLAN, &[("adminaccount", "a"), ("adminvlan", "2")], "GET /fabrics/a/vlans/2", ""),
        (&LIST_FABRICS, &[("adminaccount", "a"), ("adminvlan", "2")], "GET /fabrics/a/vlans/2/networks", ""),
        (
            &GET_FABRIC,
            &[("adminaccount", "a"), ("adminvlan", "2"), ("adminfabricnetwork", "n")],
            "GET /fabrics/a/vlans/2/networks/n",
            "",
        ),
        (&LIST_AGGREGATIONS, &[("macs", "00:25:90:aa:bb:01")], "GET /aggregations?macs=00:25:90:aa:bb:01", ""),
        (&GET_AGGREGATION, &[("aggregation", "s-aggr0")], "GET /aggregations/s-aggr0", ""),
    ]
}

fn vms() -> Vec<Vector> {
    vec![
        (
            &vmapi::CREATE,
            &[
                ("owner_uuid", "a"),
                ("brand", "lx"),
                ("networks:", r#"["n"]"#),
                ("ram:", "512"),
                ("tags:", r#"{"a":1}"#),
            ],
            "POST /vms",
            r#"{"owner_uuid":"a","brand":"lx","networks":["n"],"ram":512,"tags":{"a":1}}"#,
        ),
        (&START, &[("vm", "v"), ("idempotent:", "true")], "POST /vms/v?action=start", r#"{"idempotent":true}"#),
        (&STOP, &[("vm", "v")], "POST /vms/v?action=stop", ""),
        (&REBOOT, &[("vm", "v")], "POST /vms/v?action=reboot", ""),
        (&KILL, &[("vm", "v"), ("signal", "SIGTERM")], "POST /vms/v?action=kill", r#"{"signal":"SIGTERM"}"#),
        (&REPROVISION, &[("vm", "v"), ("image_uuid", "i")], "POST /vms/v?action=reprovision", r#"{"image_uuid":"i"}"#),
        (
            &UPDATE,
            &[("vm", "v"), ("alias", "w"), ("ram:", "2048")],
            "POST /vms/v?action=update",
            r#"{"alias":"w","ram":2048}"#,
        ),
        (&vmapi::DELETE, &[("vm", "v"), ("owner_uuid", "a")], "DELETE /vms/v?owner_uuid=a", ""),
        (
            &ADD_NICS,
            &[("vm", "v"), ("networks:", r#"[{"uuid":"n","ip":"10.60.0.77"}]"#)],
            "POST /vms/v?action=add_nics",
            r#"{"networks":[{"uuid":"n","ip":"10.60.0.77"}]}"#,
        ),
        (
            &UPDATE_NICS,
            &[("vm", "v"), ("nics:", r#"[{"mac":"90:b8:d0:aa:bb:cc","primary":true}]"#)],
            "POST /vms/v?action=update_nics",
            r#"{"nics":[{"mac":"90:b8:d0:aa:bb:cc","primary":true}]}"#,
        ),
        (
            &REMOVE_NICS,
            &[("vm", "v"), ("macs:", r#"["90:b8:d0:aa:bb:cc"]"#)],
            "POST /vms/v?action=remove_nics",
            r#"{"macs":["90:b8:d0:aa:bb:cc"]}"#,
        ),
        (
            &CREATE_SNAPSHOT,
            &[("vm", "v"), ("snapshot_name", "s")],
            "POST /vms/v?action=create_snapshot",
            r#"{"snapshot_name":"s"}"#,
        ),
        (
            &ROLLBACK_SNAPSHOT,
            &[("vm", "v"), ("snapshot_name", "s")],
            "POST /vms/v?action=rollback_snapshot",
            r#"{"snapshot_name":"s"}"#,
        ),
        (
            &DELETE_SNAPSHOT,
            &[("vm", "v"), ("snapshot_name", "s")],
            "POST /vms/v?action=delete_snapshot",
            r#"{"snapshot_name":"s"}"#,
        ),
        (
            &CREATE_DISK,
            &[("vm", "v"), ("size", "remaining")],
            "POST /vms/v?action=create_disk",
            r#"{"size":"remaining"}"#,
        ),
        (
            &RESIZE_DISK,
            &[("vm", "v"), ("size:", "2048"), ("pci_slot", "0:4:1")],
            "POST /vms/v?action=resize_disk",
            r#"{"size":2048,"pci_slot":"0:4:1"}"#,
        ),
        (
            &DELETE_DISK,
            &[("vm", "v"), ("pci_slot", "0:4:1")],
            "POST /vms/v?action=delete_disk",
            r#"{"pci_slot":"0:4:1"}"#,
        ),
        (
            &SET_METADATA,
            &[("vm", "v"), ("a", "b"), ("n:", "1.10")],
            "POST /vms/v/customer_metadata",
            r#"{"a":"b","n":1.10}"#,
        ),
        (&REPLACE_METADATA, &[("vm", "v"), ("a", "b")], "PUT /vms/v/customer_metadata", r#"{"a":"b"}"#),
        (&DELETE_METADATA, &[("vm", "v"), ("vm_metadata_key", "k")], "DELETE /vms/v/customer_metadata/k", ""),
        (&DELETE_ALL_METADATA, &[("vm", "v")], "DELETE /vms/v/customer_metadata", ""),
        (&SET_INTERNAL, &[("vm", "v"), ("a", "b")], "POST /vms/v/internal_metadata", r#"{"a":"b"}"#),
        (&REPLACE_INTERNAL, &[("vm", "v"), ("a", "b")], "PUT /vms/v/internal_metadata", r#"{"a":"b"}"#),
        (&DELETE_INTERNAL, &[("vm", "v"), ("vm_internal_key", "k")], "DELETE /vms/v/internal_metadata/k", ""),
        (&DELETE_ALL_INTERNAL, &[("vm", "v")], "DELETE /vms/v/internal_metadata", ""),
        (&SET_TAGS, &[("vm", "v"), ("a", "b")], "POST /vms/v/tags", r#"{"a":"b"}"#),
        (&REPLACE_TAGS, &[("vm", "v"), ("a", "b")], "PUT /vms/v/tags", r#"{"a":"b"}"#),
        (&DELETE_TAG, &[("vm", "v"), ("vm_tag", "k")], "DELETE /vms/v/tags/k", ""),
        (&DELETE_ALL_TAGS, &[("vm", "v")], "DELETE /vms/v/tags", ""),
        (&ADD_ROLE_TAGS, &[("vm", "v"), ("role_tags:", r#"["r"]"#)], "POST /vms/v/role_tags", r#"{"role_tags":["r"]}"#),
        (&SET_ROLE_TAGS, &[("vm", "v"), ("role_tags:", r#"["r"]"#)], "PUT /vms/v/role_tags", r#"{"role_tags":["r"]}"#),
        (&DELETE_ROLE_TAG, &[("vm", "v"), ("role_tag", "r")], "DELETE /vms/v/role_tags/r", ""),
        (&DELETE_ALL_ROLE_TAGS, &[("vm", "v")], "DELETE /vms/v/role_tags", ""),
        (
            &BEGIN,
            &[("vm", "v"), ("override_server_uuid", "s")],
            "POST /vms/v?action=migrate&migration_action=begin",
            r#"{"override_server_uuid":"s"}"#,
        ),
        (&AUTOMATIC, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=begin&migration_automatic=true", ""),
        (&SYNC, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=sync", ""),
        (&SWITCH, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=switch", ""),
        (&PAUSE, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=pause", ""),
        (&ABORT, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=abort", ""),
        (&ROLLBACK, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=rollback", ""),
        (&FINALIZE, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=finalize", ""),
        (&ESTIMATE, &[("vm", "v")], "POST /vms/v?action=migrate&migration_action=estimate", ""),
        (&workflow::CANCEL, &[("job", "j")], "POST /jobs/j/cancel", ""),
        (&workflow::RESUME, &[("job", "j"), ("result", "OK")], "POST /jobs/j/resume", r#"{"result":"OK"}"#),
    ]
}

fn networks() -> Vec<Vector> {
    vec![
        (
            &CREATE_NETWORK,
            &[
                ("name", "lab"),
                ("nic_tag", "external"),
                ("vlan_id:", "30"),
                ("subnet", "10.60.0.0/24"),
                ("provision_start_ip", "10.60.0.10"),
                ("provision_end_ip", "10.60.0.99"),
                ("owner_uuids:", r#"["a"]"#),
                ("routes:", r#"{"10.1.0.0/16":"10.60.0.2"}"#),
            ],
            "POST /networks",
            r#"{"name":"lab","nic_tag":"external","vlan_id":30,"subnet":"10.60.0.0/24","provision_start_ip":"10.60.0.10","provision_end_ip":"10.60.0.99","owner_uuids":["a"],"routes":{"10.1.0.0/16":"10.60.0.2"}}"#,
        ),
        (
            &UPDATE_NETWORK,
            &[("adminnetwork", "n"), ("resolvers:", r#"["198.18.0.53"]"#)],
            "PUT /networks/n",
            r#"{"resolvers":["198.18.0.53"]}"#,
        ),
        (&DELETE_NETWORK, &[("adminnetwork", "n")], "DELETE /networks/n", ""),
        (
            &CREATE_POOL,
            &[("name", "p"), ("networks:", r#"["n"]"#)],
            "POST /network_pools",
            r#"{"name":"p","networks":["n"]}"#,
        ),
        (&UPDATE_POOL, &[("pool", "p"), ("name", "q")], "PUT /network_pools/p", r#"{"name":"q"}"#),
        (&DELETE_POOL, &[("pool", "p")], "DELETE /network_pools/p", ""),
        (
            &CREATE_NIC_TAG,
            &[("name", "storage"), ("mtu:", "9000")],
            "POST /nic_tags",
            r#"{"name":"storage","mtu":9000}"#,
        ),
        (&UPDATE_NIC_TAG, &[("nictag", "storage"), ("mtu:", "1500")], "PUT /nic_tags/storage", r#"{"mtu":1500}"#),
        (&DELETE_NIC_TAG, &[("nictag", "storage")], "DELETE /nic_tags/storage", ""),
        (
            &CREATE_NIC,
            &[
                ("owner_uuid", "a"),
                ("belongs_to_type", "zone"),
                ("belongs_to_uuid", "v"),
                ("network_uuid", "n"),
                ("primary:", "true"),
            ],
            "POST /nics",
            r#"{"owner_uuid":"a","belongs_to_type":"zone","belongs_to_uuid":"v","network_uuid":"n","primary":true}"#,
        ),
        (
            &PROVISION_NIC,
            &[
                ("adminnetwork", "n"),
                ("owner_uuid", "a"),
                ("belongs_to_type", "zone"),
                ("belongs_to_uuid", "v"),
                ("ip", "10.0.0.7"),
            ],
            "POST /networks/n/nics",
            r#"{"owner_uuid":"a","belongs_to_type":"zone","belongs_to_uuid":"v","ip":"10.0.0.7"}"#,
        ),
        (
            &UPDATE_NIC,
            &[("adminnic", "90b8d01c2d3e"), ("primary:", "true")],
            "PUT /nics/90b8d01c2d3e",
            r#"{"primary":true}"#,
        ),
        (&DELETE_NIC, &[("adminnic", "90b8d01c2d3e")], "DELETE /nics/90b8d01c2d3e", ""),
        (
            &UPDATE_IP,
            &[("adminnetwork", "n"), ("adminip", "10.0.0.7"), ("reserved:", "true")],
            "PUT /networks/n/ips/10.0.0.7",
            r#"{"reserved":true}"#,
        ),
        (
            &CREATE_VLAN,
            &[("adminaccount", "a"), ("vlan_id:", "2"), ("name", "app")],
            "POST /fabrics/a/vlans",
            r#"{"vlan_id":2,"name":"app"}"#,
        ),
        (
            &UPDATE_VLAN,
            &[("adminaccount", "a"), ("adminvlan", "2"), ("name", "b")],
            "PUT /fabrics/a/vlans/2",
            r#"{"name":"b"}"#,
        ),
        (&DELETE_VLAN, &[("adminaccount", "a"), ("adminvlan", "2")], "DELETE /fabrics/a/vlans/2", ""),
        (
            &CREATE_FABRIC,
            &[("adminaccount", "a"), ("adminvlan", "2"), ("name", "lan"), ("internet_nat:", "false")],
            "POST /fabrics/a/vlans/2/networks",
            r#"{"name":"lan","internet_nat":false}"#,
        ),
        (
            &UPDATE_FABRIC,
            &[("adminaccount", "a"), ("adminvlan", "2"), ("adminfabricnetwork", "n"), ("name", "b")],
            "PUT /fabrics/a/vlans/2/networks/n",
            r#"{"name":"b"}"#,
        ),
        (
            &DELETE_FABRIC,
            &[("adminaccount", "a"), ("adminvlan", "2"), ("adminfabricnetwork", "n")],
            "DELETE /fabrics/a/vlans/2/networks/n",
            "",
        ),
        (
            &CREATE_AGGREGATION,
            &[("name", "aggr0"), ("macs:", r#"["00:25:90:aa:bb:01"]"#), ("lacp_mode", "off")],
            "POST /aggregations",
            r#"{"name":"aggr0","macs":["00:25:90:aa:bb:01"],"lacp_mode":"off"}"#,
        ),
        (
            &UPDATE_AGGREGATION,
            &[("aggregation", "s-aggr0"), ("lacp_mode", "off")],
            "PUT /aggregations/s-aggr0",
            r#"{"lacp_mode":"off"}"#,
        ),
        (&DELETE_AGGREGATION, &[("aggregation", "s-aggr0")], "DELETE /aggregations/s-aggr0", ""),
    ]
}

fn setup() -> Vec<Vector> {
    vec![
        (
            &papi::CREATE,
            &[
                ("name", "tiny"),
                ("version", "1.0.0"),
                ("max_physical_memory:", "256"),
                ("max_swap:", "512"),
                ("quota:", "10240"),
                ("max_lwps:", "1000"),
                ("zfs_io_priority:", "10"),
                ("cpu_cap:", "25"),
            ],
            "POST /packages",
            r#"{"name":"tiny","version":"1.0.0","max_physical_memory":256,"max_swap":512,"quota":10240,"max_lwps":1000,"zfs_io_priority":10,"cpu_cap":25,"active":true}"#,
        ),
        (&papi::UPDATE, &[("adminpackage", "p"), ("active:", "false")], "PUT /packages/p", r#"{"active":false}"#),
        (&papi::DELETE, &[("adminpackage", "p"), ("force", "true")], "DELETE /packages/p?force=true", ""),
        (
            &CREATE_APPLICATION,
            &[("name", "x"), ("owner_uuid", "a"), ("metadata:", r#"{"k":"v"}"#)],
            "POST /applications",
            r#"{"name":"x","owner_uuid":"a","metadata":{"k":"v"}}"#,
        ),
        (
            &UPDATE_APPLICATION,
            &[("application", "a"), ("action", "delete"), ("metadata:", r#"{"k":"v"}"#)],
            "PUT /applications/a",
            r#"{"action":"delete","metadata":{"k":"v"}}"#,
        ),
        (&DELETE_APPLICATION, &[("application", "a")], "DELETE /applications/a", ""),
        (
            &CREATE_SERVICE,
            &[("name", "x"), ("application_uuid", "a")],
            "POST /services",
            r#"{"name":"x","application_uuid":"a"}"#,
        ),
        (&UPDATE_SERVICE, &[("service", "s"), ("params:", "{}")], "PUT /services/s", r#"{"params":{}}"#),
        (&DELETE_SERVICE, &[("service", "s")], "DELETE /services/s", ""),
        (&CREATE_INSTANCE, &[("service_uuid", "s")], "POST /instances?async=true", r#"{"service_uuid":"s"}"#),
        (&UPDATE_INSTANCE, &[("instance", "i"), ("params:", "{}")], "PUT /instances/i", r#"{"params":{}}"#),
        (&UPGRADE, &[("instance", "i"), ("image_uuid", "m")], "PUT /instances/i/upgrade", r#"{"image_uuid":"m"}"#),
        (&DELETE_INSTANCE, &[("instance", "i")], "DELETE /instances/i", ""),
        (
            &CREATE_MANIFEST,
            &[("name", "m"), ("path", "/x"), ("template", "y")],
            "POST /manifests",
            r#"{"name":"m","path":"/x","template":"y"}"#,
        ),
        (&DELETE_MANIFEST, &[("manifest", "m")], "DELETE /manifests/m", ""),
    ]
}

#[test]
fn each_operation_of_the_internal_services_sends_what_they_describe() {
    let vectors = [reads(), vms(), networks(), setup()].concat();
    for vector in &vectors {
        let (op, arguments, line, body) = vector;
        let request = request(vector);
        assert_eq!(format!("{} {}", request.method, request.target()), *line, "{} {arguments:?}", op.id);
        let sent = request.body.map(|(_, body)| json(&body));
        assert_eq!(sent, (!body.is_empty()).then(|| json(body.as_bytes())), "{} {arguments:?}", op.id);
    }
    for op in services().flat_map(Service::ops) {
        assert!(vectors.iter().any(|(known, ..)| std::ptr::eq(*known, op)), "no vector for {}", op.id);
    }
}

#[test]
fn what_a_thing_is_called_stays_where_a_terminal_is_narrow() {
    let mut wrong = Vec::new();
    for service in sdc::api::SERVICES {
        for noun in service.nouns {
            let columns = service.columns(noun.list);
            let of = |field: &str| -> Vec<&Column> {
                columns.iter().filter(|column| column.field.trim_start_matches('/') == field).collect()
            };
            // What has no name of its own is called by its id.
            let called = if of(noun.name_field).is_empty() { of(noun.key) } else { of(noun.name_field) };
            if !called.iter().any(|column| column.stays && column.level <= Level::Brief) {
                wrong.push(format!("{} {}", service.name, noun.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn filters_of_the_services_are_checked_before_they_are_sent() {
    use super::run::admin;
    let home = tempfile::tempdir().unwrap();
    let script = super::script::Script::new(
        r#"GET /vms?query=(&(ram>=1024)(brand=lx))&limit=1000 -> 200 []
        GET /vms?predicate={"ge":["ram",1024]}&limit=1000 -> 200 []
        GET /packages?filter=(vcpus>=4)&limit=1000 -> 200 []"#,
    );
    let vars = [("VMAPI_URL", script.address.as_str()), ("PAPI_URL", script.address.as_str())];
    for (words, said) in [
        ("vms list --query '(ram>1024)'", "(ram>1024)\n            ^ expected <= or >="),
        ("vms list 'query=(state=running'", "(state=running\n                      ^ expected )"),
        ("vms list --predicate '{\"gt\":[\"ram\",1]}'", "^ use ge"),
        ("packages list --filter 'vcpus=4'", "vcpus=4\n        ^ expected (NAME=VALUE)"),
    ] {
        let words = admin(home.path(), &vars, words).failed(2);
        assert!(words.contains(said), "{words}");
    }
    assert!(script.lines().is_empty());
    admin(home.path(), &vars, "vms list --query '(&(ram>=1024)(brand=lx))'").well();
    admin(home.path(), &vars, "vms list --predicate '{\"ge\":[\"ram\",1024]}'").well();
    admin(home.path(), &vars, "packages list --filter '(vcpus>=4)'").well();
    script.done();
}
