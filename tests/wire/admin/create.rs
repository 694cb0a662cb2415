//! Making VMs: what names stand for, what each brand has for disks, and which keys it lets in.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

const NET: &str = "e8a1b0c2-6d3f-4e57-9a84-0c1d2e3f4a5b";

/// `sdc admin vms create` against services that answer so, by their variables.
fn made(scripts: &[(&str, &str)], words: &str) -> (Said, Vec<Script>) {
    let home = tempfile::tempdir().unwrap();
    let scripts: Vec<(String, Script)> =
        scripts.iter().map(|(name, lines)| ((*name).to_owned(), Script::new(&named(lines)))).collect();
    let vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (&**name, &*script.address)).collect();
    let said = admin(home.path(), &vars, &named(&format!("vms create {words}")));
    (said, scripts.into_iter().map(|(_, script)| script).collect())
}

fn named(text: &str) -> String {
    filled(text).replace("$NET", NET)
}

/// mahi, PAPI, IMGAPI and NAPI, which know one thing each.
const MAHI: (&str, &str) = (
    "MAHI_URL",
    r#"* GET /accounts?login=alice -> 200 {"roles":{},"account":{"type":"account","uuid":"$A","login":"alice"}}
    * GET /accounts?login=nobody -> 404 {"code":"AccountDoesNotExist","message":"nobody does not exist"}
    * GET /accounts/$A -> 200 {"roles":{},"account":{"uuid":"$A","login":"alice","keys":{"a4:93:e0:e6:59:bd:5e:0e:be:ad:f9:d7:f9:bd:c2:85":"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"}}}
    * GET /accounts/$B -> 200 {"roles":{},"account":{"uuid":"$B","login":"bob","keys":{}}}"#,
);
const PAPI: (&str, &str) = (
    "PAPI_URL",
    r#"* GET /packages?active=true&name=small&limit=1000 -> 200 [{"uuid":"$W","name":"small","version":"1.9.0"},{"uuid":"$K","name":"small","version":"1.10.0"}]
    * GET /packages?active=true&name=twice&limit=1000 -> 200 [{"uuid":"$W","name":"twice","version":"1.0.0"},{"uuid":"$K","name":"twice","version":"1.0.0"}]
    * GET /packages/$K -> 200 {"uuid":"$K","name":"small","version":"1.10.0","quota":25600,"max_physical_memory":4096}
    * GET /packages/$W -> 200 {"uuid":"$W","name":"flex","version":"1.0.0","quota":"51200","flexible_disk":true,"max_physical_memory":1024}"#,
);
const IMGAPI: (&str, &str) = (
    "IMGAPI_URL",
    r#"* GET /images?name=base&limit=1000 -> 200 [{"uuid":"$J","name":"base","version":"1","published_at":"2026-01-01T00:00:00.000Z"},{"uuid":"$CN","name":"base","version":"2","published_at":"2026-02-01T00:00:00.000Z"}]
    * GET /images/$CN -> 200 {"uuid":"$CN","name":"base","version":"2","image_size":10240}"#,
);
const NAPI: (&str, &str) = (
    "NAPI_URL",
    r#"* GET /networks?provisionable_by=$A&name=external&limit=1000 -> 200 [{"uuid":"$NET","name":"external"}]
    * GET /network_pools?provisionable_by=$A&name=external&limit=1000 -> 200 []
    * GET /networks?provisionable_by=$A&name=both&limit=1000 -> 200 [{"uuid":"$NET","name":"both"}]
    * GET /network_pools?provisionable_by=$A&name=both&limit=1000 -> 200 [{"uuid":"$W","name":"both"}]"#,
);

const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;

#[test]
fn names_become_ids_of_the_services_that_know_them() {
    let body = r#"{"owner_uuid":"$A","brand":"joyent","networks":[{"ipv4_uuid":"$NET"},{"ipv4_uuid":"$NET","ipv4_ips":["10.0.0.7"]}],"billing_id":"$K","image_uuid":"$CN","alias":"web0","uuid":"$V"}"#;
    let vmapi = ("VMAPI_URL", &*format!("POST /vms {body} -> {TAKEN}"));
    let words = "--owner alice --brand joyent --image base --package small --network external --network network=external,ip=10.0.0.7 -n web0 --uuid $V";
    let (said, scripts) = made(&[MAHI, PAPI, IMGAPI, NAPI, vmapi], words);
    assert!(said.err.contains(&filled("VM web0 ($V): create requested, job $J")), "{said:?}");
    said.well();
    scripts.last().unwrap().done();
    // An exact version is another package, and an id needs no look-up.
    let body = r#"{"owner_uuid":"$A","brand":"joyent","networks":[{"ipv4_uuid":"$NET"}],"billing_id":"$W","image_uuid":"$J","uuid":"$V"}"#;
    let vmapi = ("VMAPI_URL", &*format!("POST /vms {body} -> {TAKEN}"));
    let words = "--owner $A --brand joyent --image base@1 --package small@1.9.0 --network $NET --uuid $V";
    made(&[PAPI, IMGAPI, vmapi], words).0.well();
}

#[test]
fn a_name_that_is_nobodys_or_two_things_is_refused_before_anything_is_made() {
    for (words, code, said_so) in [
        ("--owner nobody --network $NET --package $K", 3, vec!["nobody"]),
        (
            "--owner alice --network both --package $K",
            10,
            vec!["'both' is both a network and a network pool", NET, "$W"],
        ),
        ("--owner alice --network external --package twice", 10, vec!["'twice' fits 2 packages", "$W", "$K"]),
    ] {
        let (said, scripts) =
            made(&[MAHI, PAPI, NAPI, ("VMAPI_URL", "")], &format!("{words} --brand joyent --image $CN --uuid $V"));
        let words = said.failed(code);
        for one in said_so {
            assert!(words.contains(&filled(one)), "{one}: {words}");
        }
        assert!(scripts.last().unwrap().lines().is_empty());
    }
}

#[test]
fn disks_are_as_the_brand_and_the_package_want_them() {
    let image = r#"{"image_uuid":"$CN"}"#;
    for (words, disks) in [
        ("--brand kvm --image $CN --package $K", format!(r#"[{image},{{"size":25600}}]"#)),
        ("--brand bhyve --image $CN --package $K", format!(r#"[{image},{{"size":25600}}]"#)),
        ("--brand bhyve --image $CN --package $W", format!(r#"[{image},{{"size":40960}}]"#)),
        (
            "--brand bhyve --image $CN --package $W --disk 20G --disk remaining",
            format!(r#"[{image},{{"size":20480}},{{"size":"remaining"}}]"#),
        ),
        ("--brand kvm --image $CN --ram 1G", format!("[{image}]")),
        (
            r#"--brand bhyve --image $CN --package $W --disks '[{"size":20480},{"size":1024}]'"#,
            r#"[{"size":20480,"image_uuid":"$CN"},{"size":1024}]"#.to_owned(),
        ),
    ] {
        let home = tempfile::tempdir().unwrap();
        let scripts = [PAPI, IMGAPI].map(|(name, lines)| (name, Script::new(&named(lines))));
        let vmapi = Script::new(&named(&format!("POST /vms \"*\" -> {TAKEN}")));
        let mut vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, &*script.address)).collect();
        vars.push(("VMAPI_URL", &vmapi.address));
        admin(home.path(), &vars, &named(&format!("vms create --owner $A --network $NET --uuid $V {words}"))).well();
        let sent = vmapi.lines().remove(0);
        let body: serde_json::Value = serde_json::from_str(sent.trim_start_matches("POST /vms ")).unwrap();
        let due: serde_json::Value = serde_json::from_str(&named(&disks)).unwrap();
        assert_eq!(body["disks"], due, "{words}");
        assert!(body.get("image_uuid").is_none(), "{sent}");
    }
    for (words, said_so) in [
        ("--brand lx --image $CN --ram 1G --disk 20G", "a VM of the brand lx has no disks of its own"),
        ("--brand kvm --ram 1G", "a kvm VM boots from an image"),
        ("--brand kvm --image $CN --ram 1G --disk remaining", "only a bhyve VM"),
        ("--brand kvm --image $CN --ram 1G --disk 20", "20 of which unit?"),
        (r#"--brand kvm --image $CN --ram 1G --disks '[{"image_uuid":"$W"}]'"#, "the first of --disks has the image"),
    ] {
        let (said, _) = made(&[("VMAPI_URL", "")], &format!("--owner $A --network $NET {words}"));
        let words = said.failed(2);
        assert!(words.contains(said_so), "{words}");
    }
}

#[test]
fn the_keys_of_the_owner_are_let_in() {
    let words = "--brand joyent --image $CN --package $K --network $NET --uuid $V --keys";
    let body = r#"{"owner_uuid":"$A","brand":"joyent","networks":[{"ipv4_uuid":"$NET"}],"billing_id":"$K","image_uuid":"$CN","uuid":"$V","customer_metadata":{"a":"b","root_authorized_keys":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh\n"}}"#;
    let vmapi = ("VMAPI_URL", &*format!("POST /vms {body} -> {TAKEN}"));
    let (said, scripts) = made(&[MAHI, vmapi], &format!("--owner $A {words} -m a=b"));
    said.well();
    scripts.last().unwrap().done();
    let (said, _) = made(&[MAHI, ("VMAPI_URL", "")], &format!("--owner $B {words}"));
    assert!(said.failed(5).contains("has no keys: nobody could log in"));
    let (said, _) = made(&[MAHI, ("VMAPI_URL", "")], &format!("--owner $A {words} -m root_authorized_keys=x"));
    assert!(said.failed(2).contains("--keys sets the metadata root_authorized_keys"));
}

#[test]
fn a_refusal_of_placement_says_how_many_servers_are_left() {
    let words = "--owner $A --brand joyent --image $CN --package $K --network $NET --uuid $V";
    let refusal =
        |message: &str| format!(r#"POST /vms "*" -> 409 {{"code":"NoAllocatableServersError","message":{message}}}"#);
    let cnapi = (
        "CNAPI_URL",
        r#"GET /servers?extras=capacity&limit=1000 -> 200 [{"uuid":"$CN","hostname":"cn0","setup":true,"status":"running","reserved":false,"unreserved_ram":2048},{"uuid":"$W","hostname":"cn1","setup":true,"status":"unknown","reserved":false}]"#,
    );
    let lines = refusal(r#""No compute resources available""#);
    let (said, scripts) = made(&[cnapi, PAPI, ("VMAPI_URL", &lines)], words);
    let said = said.failed(5);
    let left = "of 2 servers 2 are set up, of these 1 are heard from, of these 1 take new VMs, of these 0 have 4096 MiB of memory to spare (the most is 2048)";
    assert!(said.contains(left) && said.contains("No compute resources available"), "{said}");
    scripts.iter().for_each(Script::done);
    // Some versions say it themselves.
    let told = r#""No compute resources available: [{\"step\":\"Running servers\",\"remaining\":[\"a\"]},{\"step\":\"RAM\",\"remaining\":[]}]""#;
    let (said, _) = made(&[("VMAPI_URL", &refusal(told))], words);
    assert!(said.failed(5).contains("Running servers: 1 left, RAM: 0 left"));
}

const GONE: &str = r#"GET /vms/$V -> 404 {"code":"ResourceNotFound","message":"VM $V not found"}"#;
const THERE: &str = r#"GET /vms/$V -> 200 {"uuid":"$V","alias":"web0","state":"provisioning"}
    GET /vms/$V/jobs -> 200 [{"uuid":"$J","execution":"queued","params":{"task":"provision","vm_uuid":"$V"}}]"#;
const INITIALIZING: &str = r#"503 {"code":"ServiceUnavailableError","message":"Server is still initializing"}"#;
const DEADLOCK: &str = r#"500 {"code":"InternalError","message":"deadlock detected"}"#;

/// Creates a VM of this id, where VMAPI answers so; how often it was told to is returned too.
fn sent(lines: &str, words: &str) -> (Said, usize) {
    let words = format!("--owner $A --brand joyent --image $CN --package $K --network $NET --uuid $V {words}");
    let (said, scripts) = made(&[("VMAPI_URL", lines)], &words);
    scripts.iter().for_each(Script::done);
    let lines = scripts[0].lines();
    let posts: Vec<&String> = lines.iter().filter(|line| line.starts_with("POST /vms ")).collect();
    assert!(posts.iter().all(|line| *line == posts[0]), "{posts:?}");
    let twice = lines.windows(2).find(|two| two.iter().all(|line| line.starts_with("POST")));
    assert_eq!(twice, None, "nobody looked between");
    (said, posts.len())
}

#[test]
fn after_a_refusal_that_passes_the_same_id_is_sent_again_once_a_look_says_that_it_is_not_there() {
    for refusal in [
        INITIALIZING,
        DEADLOCK,
        r#"500 {"code":"InternalError","message":"Initial network data not loaded"}"#,
        r#"409 {"code":"EtagConflictError","message":"vmapi_vms has changed"}"#,
    ] {
        let post = format!(r#"POST /vms "*" -> {refusal}"#);
        let taken = format!(r#"POST /vms "*" -> {TAKEN}"#);
        let (said, posts) = sent(&[&post, GONE, &post, GONE, &taken].join("\n"), "");
        said.well();
        assert_eq!(posts, 3, "{refusal}");
        // It was made all the same.
        let (said, posts) = sent(&[&post, THERE].join("\n"), "");
        assert!(said.err.contains(&filled("($V): create requested, job $J")), "{said:?}");
        said.well();
        assert_eq!(posts, 1, "{refusal}");
        // Or between the look and the second time.
        let used = r#"POST /vms "*" -> 409 {"code":"ValidationFailed","message":"Invalid VM parameters","errors":[{"field":"uuid","code":"Duplicate"}]}"#;
        let (said, posts) = sent(&[&post, GONE, used, THERE].join("\n"), "");
        said.well();
        assert_eq!(posts, 2, "{refusal}");
    }
}

#[test]
fn it_is_sent_again_within_bounds_and_never_after_a_failure_or_a_look_that_says_nothing() {
    let post = format!(r#"* POST /vms "*" -> {INITIALIZING}"#);
    let (said, posts) = sent(&format!("{post}\n* {GONE}"), "--request-timeout 2");
    assert!(said.failed(7).contains("still initializing"));
    assert!((2..=6).contains(&posts), "{posts}");
    let unclear = "* GET /vms/$V -> 502 <html>";
    for (refusal, look) in [("202 {", GONE), (DEADLOCK, unclear)] {
        let lines = format!("POST /vms \"*\" -> {refusal}\n* {}", look.trim_start_matches("* "));
        let (said, posts) = sent(&lines, "--request-timeout 1");
        assert_ne!(said.code, 0, "{refusal}");
        assert_eq!(posts, 1, "{refusal}");
    }
}
