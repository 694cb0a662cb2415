//! What a service says it has done, and has not: a job that succeeded and changed nothing, a job of somebody else's, an
//! answer that hides what was asked for.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// `sdc admin` with these words, against services that answer so.
fn asked(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&filled(lines));
    let vars = ["VMAPI_URL", "NAPI_URL", "PAPI_URL", "WORKFLOW_URL"].map(|name| (name, script.address.as_str()));
    (admin(home.path(), &vars, &filled(words)), script)
}

const SUCCEEDED: &str = r#"* GET /jobs/$J -> 200 {"uuid":"$J","name":"x-1.0","execution":"succeeded","params":{"vm_uuid":"$V"},"chain_results":[{"name":"x","result":"OK","error":""}]}"#;
const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;
const VM: &str = r#"{"uuid":"$V","alias":"web1","state":"running","autoboot":true,"tags":{"role":"web"},"customer_metadata":{"a":"b"},"internal_metadata":{},"nics":[{"mac":"90:b8:d0:1c:2d:3e","ip":"10.0.0.7"}],"snapshots":[{"name":"old"}],"disks":[{"pci_slot":"0:4:1","size":10240}],"image_uuid":"$K"}"#;

/// What is asked beside the change: the maps of the VM are looked at before they go.
const LOOKS: &str = r#"* GET /vms/$V/tags -> 200 {"role":"web"}
    * GET /vms/$V/customer_metadata -> 200 {"a":"b"}
    * GET /vms/$V/internal_metadata -> 200 {}"#;

/// The words of a change, its request, and how the VM differs from what was asked for.
const CHANGES: &[(&str, &str, &str)] = &[
    ("vms tags replace $V x=1 --yes", r#"PUT /vms/$V/tags {"x":"1"}"#, "tags still has role, tags has no x"),
    ("vms tags set $V x=1", r#"POST /vms/$V/tags {"x":"1"}"#, "tags has no x"),
    ("vms tags set $V role=db", r#"POST /vms/$V/tags {"role":"db"}"#, "tags has another role"),
    ("vms tags delete $V role --yes", "DELETE /vms/$V/tags/role", "tags still has role"),
    ("vms tags delete-all $V --yes", "DELETE /vms/$V/tags", "tags still has role"),
    ("vms metadata set $V x=1", r#"POST /vms/$V/customer_metadata {"x":"1"}"#, "customer_metadata has no x"),
    (
        "vms metadata replace $V a=c --yes",
        r#"PUT /vms/$V/customer_metadata {"a":"c"}"#,
        "customer_metadata has another a",
    ),
    ("vms metadata delete $V a --yes", "DELETE /vms/$V/customer_metadata/a", "customer_metadata still has a"),
    ("vms metadata delete-all $V --yes", "DELETE /vms/$V/customer_metadata", "customer_metadata still has a"),
    ("vms internal-metadata set $V n:=7", r#"POST /vms/$V/internal_metadata {"n":7}"#, "internal_metadata has no n"),
    ("vms update $V -n web2", r#"POST /vms/$V?action=update {"alias":"web2"}"#, "alias is web1"),
    ("vms update $V autoboot=false", r#"POST /vms/$V?action=update {"autoboot":false}"#, "autoboot is true"),
    (
        "vms update $V --new-owner $B --yes",
        r#"POST /vms/$V?action=update {"new_owner_uuid":"$B"}"#,
        "owner_uuid is not there",
    ),
    (
        "vms update $V -t x=1 --yes",
        r#"POST /vms/$V?action=update {"tags":{"x":"1"}}"#,
        "tags still has role, tags has no x",
    ),
    ("vms reprovision $V $W --yes", r#"POST /vms/$V?action=reprovision {"image_uuid":"$W"}"#, "image_uuid is $K"),
    (
        "vms nics add $V --network '[{\"uuid\":\"$W\"}]'",
        r#"POST /vms/$V?action=add_nics {"networks":[{"uuid":"$W"}]}"#,
        "0 of 1 new NICs are there",
    ),
    (
        "vms nics add $V --mac 90:b8:d0:aa:bb:cc",
        r#"POST /vms/$V?action=add_nics {"macs":["90:b8:d0:aa:bb:cc"]}"#,
        "NIC 90:b8:d0:aa:bb:cc is not there",
    ),
    (
        "vms nics remove $V --mac 90:b8:d0:1c:2d:3e --yes",
        r#"POST /vms/$V?action=remove_nics {"macs":["90:b8:d0:1c:2d:3e"]}"#,
        "NIC 90:b8:d0:1c:2d:3e is still there",
    ),
    (
        "vms nics update $V --nics '[{\"mac\":\"90:b8:d0:1c:2d:3e\",\"primary\":true}]'",
        r#"POST /vms/$V?action=update_nics {"nics":[{"mac":"90:b8:d0:1c:2d:3e","primary":true}]}"#,
        "NIC 90:b8:d0:1c:2d:3e: primary is not there",
    ),
    (
        "vms snapshots create $V -n new",
        r#"POST /vms/$V?action=create_snapshot {"snapshot_name":"new"}"#,
        "snapshot new is not there",
    ),
    ("vms snapshots create $V", "POST /vms/$V?action=create_snapshot", "0 of 1 new snapshots are there"),
    (
        "vms snapshots delete $V -n old --yes",
        r#"POST /vms/$V?action=delete_snapshot {"snapshot_name":"old"}"#,
        "snapshot old is still there",
    ),
    (
        "vms disks resize $V 20G --pci-slot 0:4:1",
        r#"POST /vms/$V?action=resize_disk {"size":20480,"pci_slot":"0:4:1"}"#,
        "disk 0:4:1: size is 10240",
    ),
    (
        "vms disks delete $V --pci-slot 0:4:1 --yes",
        r#"POST /vms/$V?action=delete_disk {"pci_slot":"0:4:1"}"#,
        "disk 0:4:1 is still there",
    ),
];

#[test]
fn a_job_that_succeeded_and_did_nothing_is_told_with_what_is_not_there() {
    std::thread::scope(|scope| {
        for (words, request, due) in CHANGES {
            scope.spawn(move || {
                let lines = format!("{request} -> {TAKEN}\n{SUCCEEDED}\n* GET /vms/$V -> 200 {VM}\n{LOOKS}");
                let (said, script) = asked(&lines, &format!("{words} --wait --timeout 1s"));
                script.done();
                assert!(!said.err.contains(": done"), "{words}: {}", said.err);
                let due = format!("VM $V is not as it was asked to be after its job $J has succeeded: {due}");
                let told = said.failed(9);
                assert!(told.contains(&filled(&due)), "{words}: {told}");
                // Without a wait nobody looks.
                let (said, _) = asked(&lines, words);
                said.well();
            });
        }
    });
}

#[test]
fn what_the_service_settles_computes_or_does_not_show_is_no_difference() {
    let with = |more: &str| VM.replace(r#""image_uuid":"$K""#, &format!(r#""image_uuid":"$K",{more}"#));
    let update = |body: &str| format!("POST /vms/$V?action=update {body}");
    let computed = VM.replace(r#""internal_metadata":{}"#, r#""internal_metadata":{"z":"1","sdc:volumes":"[]"}"#);
    let only_computed = computed.replace(r#""z":"1","#, "");
    let nic = r#"{"mac":"90:b8:d0:1c:2d:3e","mtu":1500,"no_such":"x"}"#;
    for (words, request, vm) in [
        (
            "vms disks resize $V remaining --pci-slot 0:4:1",
            r#"POST /vms/$V?action=resize_disk {"size":"remaining","pci_slot":"0:4:1"}"#.to_owned(),
            VM.to_owned(),
        ),
        (
            "vms internal-metadata replace $V z=1 --yes",
            r#"PUT /vms/$V/internal_metadata {"z":"1"}"#.to_owned(),
            computed.clone(),
        ),
        (
            "vms internal-metadata delete-all $V --yes",
            "DELETE /vms/$V/internal_metadata".to_owned(),
            only_computed.clone(),
        ),
        (
            "vms internal-metadata set $V sdc:volumes=x",
            r#"POST /vms/$V/internal_metadata {"sdc:volumes":"x"}"#.to_owned(),
            computed.clone(),
        ),
        (
            "vms update $V 'internal_metadata:={\"z\":\"1\"}' --yes",
            update(r#"{"internal_metadata":{"z":"1"}}"#),
            computed.clone(),
        ),
        ("vms update $V --quota 30", update(r#"{"quota":30}"#), with(r#""flexible_disk_size":51200,"quota":null"#)),
        ("vms update $V --quota 30", update(r#"{"quota":30}"#), with(r#""flexible_disk_size":51200,"quota":10"#)),
        ("vms update $V --tmpfs 512", update(r#"{"tmpfs":512}"#), VM.to_owned()),
        ("vms update $V indestructible_zoneroot=true", update(r#"{"indestructible_zoneroot":true}"#), VM.to_owned()),
        (
            "vms update $V max_physical_memory=2048",
            update(r#"{"max_physical_memory":2048}"#),
            with(r#""vcpus":2,"max_physical_memory":3072"#),
        ),
        (
            "vms nics update $V --nics '[{\"mac\":\"90:b8:d0:1c:2d:3e\",\"mtu\":1500,\"no_such\":\"x\"}]'",
            format!(r#"POST /vms/$V?action=update_nics {{"nics":[{nic}]}}"#),
            VM.to_owned(),
        ),
    ] {
        let looks = LOOKS.replace("internal_metadata -> 200 {}", r#"internal_metadata -> 200 {"sdc:volumes":"[]"}"#);
        let lines = format!("{request} -> {TAKEN}\n{SUCCEEDED}\n* GET /vms/$V -> 200 {vm}\n{looks}");
        let (said, script) = asked(&lines, &format!("{words} --wait --timeout 5s"));
        assert!(!said.err.contains("sdc:volumes"), "{words}: {}", said.err);
        assert!(said.err.contains(": done"), "{words}: {}", said.err);
        said.well();
        script.done();
    }
    // What is always shown is compared, and of what is shown a number is to be there.
    for (words, request, vm, due) in [
        ("vms update $V --quota 30", update(r#"{"quota":30}"#), with(r#""quota":10"#), "quota is 10"),
        ("vms update $V max_swap=1024", update(r#"{"max_swap":1024}"#), VM.to_owned(), "max_swap is not there"),
        (
            "vms disks resize $V remaining --pci-slot 0:4:1",
            r#"POST /vms/$V?action=resize_disk {"size":"remaining","pci_slot":"0:4:1"}"#.to_owned(),
            VM.replace(r#","size":10240"#, ""),
            "disk 0:4:1: size is not there",
        ),
    ] {
        let lines = format!("{request} -> {TAKEN}\n{SUCCEEDED}\n* GET /vms/$V -> 200 {vm}");
        let (said, _) = asked(&lines, &format!("{words} --wait --timeout 1s"));
        let told = said.failed(9);
        assert!(told.contains(due), "{words}: {told}");
    }
}

#[test]
fn an_update_that_replaces_a_map_says_what_is_lost_and_asks() {
    let vm = VM.replace(r#""internal_metadata":{}"#, r#""internal_metadata":{"ticket":"7","sdc:volumes":"[]"}"#);
    for (words, body, lost) in [
        ("--metadata x=1", r#"{"customer_metadata":{"x":"1"}}"#, "loses customer metadata: a"),
        ("--tag x=1", r#"{"tags":{"x":"1"}}"#, "loses tags: role"),
        ("tags:={}", r#"{"tags":{}}"#, "loses tags: role"),
        ("internal_metadata:={}", r#"{"internal_metadata":{}}"#, "loses internal metadata: ticket\n"),
    ] {
        let show = format!("* GET /vms/$V -> 200 {vm}");
        let (said, _) = asked(&show, &format!("vms update $V {words}"));
        assert!(said.err.contains(lost) && said.err.contains("--yes"), "{words}: {}", said.err);
        assert_eq!(said.code, 2, "{words}: {}", said.err);
        let (said, _) = asked(&show, &format!("vms update $V {words} --dry-run"));
        assert!(said.err.contains(lost), "{words}: {}", said.err);
        said.well();
        let lines = format!("{show}\nPOST /vms/$V?action=update {body} -> {TAKEN}");
        let (said, script) = asked(&lines, &format!("vms update $V {words} --yes"));
        assert!(said.err.contains(lost), "{words}: {}", said.err);
        said.well();
        script.done();
    }
    // What loses nothing says nothing.
    let show = format!("* GET /vms/$V -> 200 {VM}");
    let (said, _) = asked(&show, "vms update $V --tag role=db --dry-run");
    assert!(!said.err.contains("loses"), "{}", said.err);
}

#[test]
fn what_a_rollback_has_set_back_nothing_shows() {
    let request = r#"POST /vms/$V?action=rollback_snapshot {"snapshot_name":"old"}"#;
    let lines = format!("{request} -> {TAKEN}\n{SUCCEEDED}\n* GET /vms/$V -> 200 {VM}");
    let (said, _) = asked(&lines, "vms snapshots rollback $V -n old --yes --wait");
    assert!(said.err.contains(": done"), "{}", said.err);
    said.well();
}

#[test]
fn a_step_of_a_migration_is_over_when_the_migration_shows_it() {
    let migration = |phase: &str, state: &str| {
        format!(r#"* GET /migrations/$V -> 200 {{"vm_uuid":"$V","phase":"{phase}","state":"{state}"}}"#)
    };
    for (step, before, after) in [
        ("sync", ("begin", "paused"), ("sync", "paused")),
        ("switch", ("sync", "paused"), ("switch", "successful")),
        ("pause", ("sync", "running"), ("sync", "paused")),
        ("abort", ("sync", "paused"), ("abort", "paused")),
        ("rollback", ("switch", "successful"), ("rollback", "successful")),
    ] {
        let lines = |(phase, state): (&str, &str)| {
            let request = format!("POST /vms/$V?action=migrate&migration_action={step}");
            format!(
                "{request} -> 202 {{\"job_uuid\":\"$J\"}}\n{SUCCEEDED}\n{}\n* GET /vms/$V -> 200 {VM}",
                migration(phase, state)
            )
        };
        let yes = if matches!(step, "switch" | "abort" | "rollback") { " --yes" } else { "" };
        let words = format!("migrations {step} $V{yes} --wait --timeout 1s");
        let (said, _) = asked(&lines(before), &words);
        said.failed(9);
        let (said, _) = asked(&lines(after), &words);
        said.well();
    }
    // What was never begun is not seen.
    let gone = r#"* GET /migrations/$V -> 404 {"code":"ResourceNotFound","message":"migration not found"}"#;
    let begin = r#"POST /vms/$V?action=migrate&migration_action=begin -> 202 {"job_uuid":"$J","migration":{}}"#;
    let (said, _) = asked(
        &format!("{begin}\n{SUCCEEDED}\n{gone}\n* GET /vms/$V -> 200 {VM}"),
        "migrations begin $V --wait --timeout 5s",
    );
    assert!(!said.failed(9).contains("not there any more"));
}

#[test]
fn a_job_that_is_not_of_the_request_is_not_believed() {
    let job = |task: &str, vm: &str, made: &str| {
        format!(
            r#"* GET /jobs/$J -> 200 {{"uuid":"$J","execution":"succeeded","params":{{"task":"{task}","vm_uuid":"{vm}"}},"created_at":"{made}","chain_results":[{{"name":"x","result":"OK","error":"","finished_at":"2026-03-02T12:00:02Z"}}]}}"#
        )
    };
    let stop = "POST /vms/$V?action=stop -> 202~2026-03-02T12:00:00Z {\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}";
    let stopped = VM.replace("running", "stopped");
    for (job, due) in [
        (job("start", "$V", "2026-03-02T12:00:00Z"), "its task is start"),
        (job("stop", "$W", "2026-03-02T12:00:00Z"), "it works on $W"),
        (job("stop", "$V", "2026-03-02T11:00:00Z"), "it has worked for 3602 s, longer than it is waited for"),
    ] {
        let (said, _) = asked(&format!("{stop}\n{job}\n* GET /vms/$V -> 200 {stopped}"), "vms stop $V --wait");
        let words = said.failed(6);
        assert!(words.contains(&filled(&format!("which is not one of this request: {due}"))), "{words}");
        assert!(words.contains(&filled("sdc admin vms job $J")), "{words}");
    }
    // Its server's clock and that of workflow need not be the same, and it says nothing of what it is about.
    let job = job("stop", "$V", "2026-03-02T11:58:30Z");
    for (date, job) in [
        ("2026-03-02T12:00:00Z", SUCCEEDED),
        ("2026-03-02T12:11:00Z", &job),
        ("2026-03-02T16:00:00Z", &job),
        ("2026-03-02T08:00:00Z", &job),
    ] {
        let stop = stop.replace("2026-03-02T12:00:00Z", date);
        let (said, _) = asked(&format!("{stop}\n{job}\n* GET /vms/$V -> 200 {stopped}"), "vms stop $V --wait");
        said.well();
    }
}

const IP: &str = "/networks/$W/ips/10.0.0.7";

#[test]
fn an_address_that_is_taken_from_nothing_is_not_updated() {
    let ip =
        |more: &str| format!(r#"200 {{"ip":"10.0.0.7","network_uuid":"$W","reserved":false,"owner_uuid":"$A"{more}}}"#);
    let held = ip(r#","free":false,"belongs_to_type":"zone","belongs_to_uuid":"$V""#);
    let put = |body: &str, answer: &str| format!("* GET {IP} -> {held}\nPUT {IP} {body} -> {answer}");
    let words = "ips update $W 10.0.0.7";
    let (said, _) = asked(&put(r#"{"unassign":true}"#, &held), &format!("{words} --unassign --yes"));
    let told = said.failed(6);
    assert!(told.contains("which still has belongs_to_type") && !told.contains("updated"), "{told}");
    let (said, _) = asked(&put(r#"{"unassign":true}"#, &ip(r#","free":false"#)), &format!("{words} --unassign --yes"));
    said.well();
    let owned = ip(r#","free":true"#);
    let (said, _) = asked(&put(r#"{"free":true}"#, &owned), &format!("{words} --free --yes"));
    assert!(said.failed(6).contains("which still has owner_uuid"));
}

#[test]
fn an_answer_that_hides_what_was_sent_is_read_back() {
    let package = |more: &str| format!(r#"{{"uuid":"$V","name":"g1-nano","version":"1.0.0"{more}}}"#);
    let nic = |more: &str| {
        format!(r#"{{"mac":"90:b8:d0:1c:2d:3e","belongs_to_uuid":"$W","ip":"10.0.0.7","network_uuid":"$W"{more}}}"#)
    };
    let (mac, address) = ("/nics/90b8d01c2d3e", r#"{"ip":"10.0.0.7","network_uuid":"$W","free":false,"reserved":"#);
    let on_address = |reserved: &str| format!("\n* GET {IP} -> 200 {address}{reserved}}}");
    for (words, path, body, before, after, more, name) in [
        (
            "packages update $V fss=77",
            "/packages/$V",
            r#"{"fss":77}"#,
            package(""),
            package(r#","fss":77"#),
            None,
            "fss",
        ),
        (
            "nics update 90:b8:d0:1c:2d:3e allow_ip_spoofing=true",
            mac,
            r#"{"allow_ip_spoofing":true}"#,
            nic(""),
            nic(r#","allow_ip_spoofing":true"#),
            None,
            "allow_ip_spoofing",
        ),
        (
            "nics update 90:b8:d0:1c:2d:3e reserved=true",
            mac,
            r#"{"reserved":true}"#,
            nic(""),
            nic(""),
            Some(("false", "true")),
            "reserved",
        ),
    ] {
        let lines = |now: &str, reserved: Option<&str>| {
            let address = reserved.map_or_else(String::new, on_address);
            format!("PUT {path} {body} -> 200 {before}\nGET {path} -> 200 {now}{address}")
        };
        let (said, script) = asked(&lines(&before, more.map(|(old, _)| old)), words);
        let told = said.failed(8);
        assert!(told.contains(&format!("accepted the update, but {name} is not as it was asked for")), "{told}");
        assert!(!told.contains(": updated"), "{told}");
        script.done();
        let (said, script) = asked(&lines(&after, more.map(|(_, new)| new)), words);
        said.well();
        script.done();
    }
    // What is off need not be shown.
    let put = format!(r#"PUT {mac} {{"allow_ip_spoofing":false}} -> 200 {}"#, nic(""));
    let (said, _) = asked(&put, "nics update 90:b8:d0:1c:2d:3e allow_ip_spoofing=false");
    said.well();
}

#[test]
fn metadata_that_has_not_changed_is_no_success_before_it_is_an_error() {
    let service = r#"{"uuid":"$V","name":"vmapi","metadata":{"old":"x"}}"#;
    for noun in ["services", "applications", "instances"] {
        let lines = format!(
            "* GET /{noun}/$V -> 200 {service}\nPUT /{noun}/$V {{\"metadata\":{{\"ntp_host\":\"10.0.0.1\"}}}} -> 200 {service}"
        );
        let (home, script) = (tempfile::tempdir().unwrap(), Script::new(&filled(&lines)));
        let words = filled(&format!("{noun} update $V --metadata ntp_host=10.0.0.1"));
        let said = admin(home.path(), &[("SAPI_URL", &script.address)], &words);
        assert_eq!(said.out, "", "{noun}");
        assert!(!said.err.contains(": updated"), "{}", said.err);
        assert!(said.failed(8).contains("accepted the update, but metadata is not as it was asked for"));
        script.done();
    }
}

#[test]
fn what_a_list_leaves_out_by_itself_is_left_out_here_where_the_service_does_not() {
    let vm = |id: &str, alias: &str, state: &str| format!(r#"{{"uuid":"{id}","alias":"{alias}","state":"{state}"}}"#);
    let all = [vm("$V", "web1", "running"), vm("$W", "broken", "failed"), vm("$K", "gone", "destroyed")].join(",");
    let lines = format!("* GET /vms?state=active&limit=1000 -> 200 [{all}]");
    let (said, _) = asked(&lines, "vms list -H -o alias");
    assert_eq!(said.well(), "web1\n");
    let (said, _) = asked(&lines, "vms list --count");
    assert_eq!(said.well(), "1\n");
    let whole = format!("* GET /vms?predicate={{\"ne\":[\"state\",\"none\"]}}&limit=1000 -> 200 [{all}]");
    let (said, script) = asked(&format!("{lines}\n{whole}"), "vms delete 'bro*' --yes");
    assert_ne!(said.code, 0, "{}", said.err);
    assert!(script.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", script.lines());
    // Who asks for them gets them.
    let (said, _) = asked(&whole, "vms list --all --count");
    assert_eq!(said.well(), "3\n");
}

#[test]
fn a_path_that_a_service_does_not_have_is_not_there_and_nothing_was_done() {
    let own = r#"PUT /nope -> 404 {"code":"ResourceNotFound","message":"/nope does not exist"}"#;
    let (said, _) = asked(own, "raw vmapi PUT /nope");
    let words = said.failed(3);
    assert!(words.contains("VMAPI has no such path") && !words.contains("not VMAPI's own"), "{words}");
    for other in [
        "PUT /nope -> 404 <html>/nope does not exist</html>",
        r#"PUT /nope -> 404 {"code":"ResourceNotFound","message":"/another does not exist"}"#,
        r#"PUT /nope -> 404 {"error":"not found"}"#,
    ] {
        let (said, _) = asked(other, "raw vmapi PUT /nope");
        assert_ne!(said.code, 0, "{other}");
        assert!(other.contains("error") || said.code == 6, "{other}: {}", said.err);
    }
}

/// Creates with their request, another thing's record, and what betrays it.
const CREATES: &[(&str, &str, &str, &str)] = &[
    (
        "nics create --owner $A --belongs-to-type other --belongs-to-uuid $V --mac 90:B8:D0:11:22:33 --ip 198.18.20.97",
        "POST /nics \"*\"",
        r#"{"mac":"00:25:90:aa:00:01","ip":"198.18.20.97","owner_uuid":"$A","belongs_to_uuid":"$V","belongs_to_type":"other"}"#,
        "mac",
    ),
    (
        "nics provision $W --owner $A --belongs-to-type other --belongs-to-uuid $V",
        "POST /networks/$W/nics \"*\"",
        r#"{"mac":"90:b8:d0:11:22:33","ip":"198.18.20.97","owner_uuid":"$A","belongs_to_uuid":"$B","belongs_to_type":"other"}"#,
        "belongs_to_uuid",
    ),
    (
        "packages create -n p --version 9.9.9 --memory 512 --swap 512 --quota 10G --max-lwps 1000 --zfs-io-priority 10 --cpu-cap 25",
        "POST /packages \"*\"",
        r#"{"uuid":"$K","name":"p","version":"1.0.0","max_physical_memory":512}"#,
        "version",
    ),
    (
        "networks create -n lab --nic-tag external --vlan 30 --subnet 10.60.0.0/24 --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99 --owner $A",
        "POST /networks \"*\"",
        r#"{"uuid":"$K","name":"lab","nic_tag":"external","vlan_id":30,"subnet":"10.60.0.0/24","provision_start_ip":"10.60.0.10","provision_end_ip":"10.60.0.99"}"#,
        "owner_uuids",
    ),
    (
        "fabrics vlans create $A 300 v300",
        "POST /fabrics/$A/vlans \"*\"",
        r#"{"vlan_id":200,"name":"v300","owner_uuid":"$A"}"#,
        "vlan_id",
    ),
    (
        "networks create -n lab --nic-tag external --vlan 30 --subnet 10.60.0.0/24 --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99",
        "POST /networks \"*\"",
        r#"{"uuid":"$K","name":"lab","nic_tag":"external","vlan_id":77,"subnet":"10.60.0.0/24"}"#,
        "vlan_id",
    ),
];

#[test]
fn the_record_of_another_thing_is_not_that_of_what_was_made() {
    for (words, request, record, field) in CREATES {
        let (said, _) = asked(&format!("{request} -> 200 {record}"), words);
        let told = said.failed(6);
        assert!(told.contains(&format!("the record of something else, whose {field} is not")), "{words}: {told}");
    }
    let home = tempfile::tempdir().unwrap();
    let other = r#"{"uuid":"$K","service_uuid":"$W","params":{"alias":"papi0"}}"#;
    let sapi = Script::new(&filled(&format!("* POST /instances?async=true \"*\" -> 200 {other}")));
    let words = filled("instances create --of $W --param alias=papi1");
    let told = admin(home.path(), &[("SAPI_URL", &sapi.address)], &words).failed(6);
    assert!(told.contains("the record of something else, whose params is not what was sent"), "{told}");
    // What stands in the path is in the record.
    let words = "fabrics networks create $A 100 -n b --subnet 10.44.0.0/24 --provision-start-ip 10.44.0.2 --provision-end-ip 10.44.0.9 --gateway 10.44.0.1";
    for (record, field) in [
        (r#"{"uuid":"$K","name":"b","vlan_id":101,"owner_uuid":"$A"}"#, "vlan_id"),
        (r#"{"uuid":"$K","name":"b","vlan_id":100,"owner_uuid":"$B"}"#, "owner_uuid"),
    ] {
        let (said, _) = asked(&format!("POST /fabrics/$A/vlans/100/networks \"*\" -> 200 {record}"), words);
        let told = said.failed(6);
        assert!(told.contains(&format!("of another {field} than was asked for")), "{told}");
    }
}

#[test]
fn a_vm_that_was_made_otherwise_is_told_with_what_differs() {
    let create = "vms create --brand joyent --image $K --package $W --owner $A --network $B -n web9 -t a=1 --uuid $V --wait --timeout 90s";
    let vm = |more: &str| format!(r#"{{"uuid":"$V","alias":"web9","state":"running",{more}}}"#);
    for (shown, differs) in [
        (r#""owner_uuid":"$B","tags":{"a":"1"}"#, "owner_uuid is $B"),
        (r#""owner_uuid":"$A","tags":{"q":1}"#, "tags has no a"),
        (r#""owner_uuid":"$A","billing_id":"$K","tags":{"a":"1"}"#, "billing_id is $K"),
        (r#""owner_uuid":"$A","billing_id":"$W","tags":{"a":1,"more":true}"#, ""),
    ] {
        let lines = format!("POST /vms \"*\" -> {TAKEN}\n{SUCCEEDED}\n* GET /vms/$V -> 200 {}", vm(shown));
        let (said, _) = asked(&lines, create);
        match differs {
            "" => drop(said.well()),
            _ => {
                let told = said.failed(9);
                assert!(told.contains(&filled(&format!("has succeeded: {differs}"))), "{told}");
            }
        }
    }
}

#[test]
fn a_job_that_waits_still_was_not_resumed() {
    let job = r#"{"uuid":"$J","name":"x-1.0","execution":"waiting","params":{},"chain_results":[]}"#;
    let lines = format!("* GET /jobs/$J -> 200 {job}\n* POST /jobs/$J/resume \"*\" -> 200 {job}");
    let told = asked(&lines, "jobs resume $J --result OK").0.failed(6);
    assert!(told.contains("is waiting still"), "{told}");
}

#[test]
fn what_was_made_may_be_written_otherwise_and_with_more_in_it() {
    for (words, request, record) in [
        (
            "nics create --owner $A --belongs-to-type other --belongs-to-uuid $V --mac 90:B8:D0:11:22:33 --ip 198.18.20.97",
            "POST /nics \"*\"",
            r#"{"mac":"90:b8:d0:11:22:33","ip":"198.18.20.97","owner_uuid":"$A","belongs_to_uuid":"$V","belongs_to_type":"other","state":"running","network_uuid":"$W"}"#,
        ),
        // A fabric adds the number of its virtual network to the tag.
        (
            "nics create --owner $A --belongs-to-type other --belongs-to-uuid $V --nic-tag sdc_overlay --vlan 100 --ip 10.44.0.77",
            "POST /nics \"*\"",
            r#"{"mac":"90:b8:d0:11:22:33","ip":"10.44.0.77","vlan_id":"100","owner_uuid":"$A","belongs_to_uuid":"$V","nic_tag":"sdc_overlay/5376147"}"#,
        ),
        (
            "nics update 90:b8:d0:11:22:33 --network $W --yes",
            "* GET /nics/90b8d0112233 -> 200 {\"mac\":\"90:b8:d0:11:22:33\"}\n* PUT /nics/90b8d0112233 \"*\"",
            r#"{"mac":"90:b8:d0:11:22:33","network_uuid":"$K","ip":"10.0.0.9"}"#,
        ),
        // Of a pool there is one of its networks.
        (
            "nics create --owner $A --belongs-to-type other --belongs-to-uuid $V --network $W",
            "POST /nics \"*\"",
            r#"{"mac":"90:b8:d0:11:22:33","owner_uuid":"$A","belongs_to_uuid":"$V","network_uuid":"$K"}"#,
        ),
        (
            "networks create -n lab --nic-tag external --vlan 30 --subnet 10.60.0.0/24 --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99 --owner $A",
            "POST /networks \"*\"",
            r#"{"uuid":"$K","name":"lab","nic_tag":"external","vlan_id":30,"subnet":"10.60.0.0/24","provision_start_ip":"10.60.0.10","provision_end_ip":"10.60.0.99","owner_uuids":["$A"],"mtu":1500,"resolvers":[]}"#,
        ),
    ] {
        asked(&format!("{request} -> 200 {record}"), words).0.well();
    }
}

#[test]
fn a_vm_is_not_destroyed_by_the_word_of_another_vms_record() {
    let stop = "POST /vms/$V?action=stop";
    let own = r#"{"uuid":"$V","alias":"web1","state":"stopped"}"#;
    for (shown, code) in [
        (r#"{"uuid":"$W","alias":"web2","state":"destroyed"}"#, 9),
        (r#"{"uuid":"$V","alias":"web1","state":"destroyed"}"#, 8),
        (own, 0),
    ] {
        let lines = format!("{stop} -> {TAKEN}\n{SUCCEEDED}\n* GET /vms/$V -> 200 {shown}");
        let (said, _) = asked(&lines, "vms stop $V --yes --wait --timeout 3s");
        match code {
            0 => drop(said.well()),
            code => {
                let told = said.failed(code);
                assert_eq!(told.contains("destroyed meanwhile"), code == 8, "{told}");
            }
        }
    }
}
