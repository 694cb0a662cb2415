//! From what is typed to what is sent: the program's dry run, against the description of the API. Everything is named
//! by its id, so that nothing is asked of the service.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common::{against, output};
use std::path::PathBuf;

use sdc::emulator::{Emulator, Options};
use serde_json::{Value, json};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const IMAGE: &str = "c2c31b00-1d60-11e9-9a77-ff9f06554b0f";
const PACKAGE: &str = "64e00df4-e08d-11e9-8ba3-4f3a0ee6b0a7";
const LAN: &str = "d6e6e0b0-5b1c-4b4a-9b5e-3f3f8a3c2b10";
const WAN: &str = "e7f7f1c1-6c2d-4c5b-8c6f-4a4a9b4d3c21";

struct Program {
    emulator: Emulator,
    home: tempfile::TempDir,
}

/// What came of a command.
struct Ran {
    code: i32,
    out: String,
    words: String,
}

impl Program {
    async fn new() -> Self {
        Program { emulator: Emulator::start(Options::default()).await.unwrap(), home: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, &[]).await
    }

    async fn run_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = against(&self.emulator, words);
        command.arg("--dry-run").env("HOME", self.home.path()).envs(variables.iter().copied());
        let ran = output(command).await;
        assert!(self.emulator.requests().is_empty(), "{words:?} asked the service");
        Ran {
            code: ran.status.code().unwrap(),
            out: String::from_utf8(ran.stdout).unwrap(),
            words: String::from_utf8(ran.stderr).unwrap(),
        }
    }

    /// The request: its line, its headers, its body.
    async fn request(&self, words: &[&str]) -> (String, Value, Value) {
        let ran = self.run(&[words, &["--json"]].concat()).await;
        assert_eq!((ran.code, ran.words.as_str()), (0, ""), "{words:?}");
        let request: Value = serde_json::from_str(&ran.out).unwrap();
        let url = request["url"].as_str().unwrap();
        let line =
            format!("{} {}", request["method"].as_str().unwrap(), url.strip_prefix(self.emulator.url()).unwrap());
        (line, request["headers"].clone(), request["body"].clone())
    }

    async fn sends(&self, words: &[&str], line: &str, body: Value) {
        let (sent, _, sent_body) = self.request(words).await;
        assert_eq!((sent.as_str(), sent_body), (line, body), "{words:?}");
    }

    /// What a new machine is to be, beside its image and package.
    async fn creates(&self, words: &[&str], more: Value) {
        let given = ["machines", "create", "--image", IMAGE, "--package", PACKAGE];
        let mut body = json!({ "image": IMAGE, "package": PACKAGE });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.sends(&[&given, words].concat(), "POST /acme/machines", body).await;
    }

    /// The words of a refusal, before which nothing is sent.
    async fn refuses(&self, words: &[&str]) -> String {
        let ran = self.run(words).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}: {}", ran.words);
        ran.words
    }

    async fn refuses_to_create(&self, words: &[&str]) -> String {
        self.refuses(&[&["machines", "create", "--image", IMAGE, "--package", PACKAGE], words].concat()).await
    }
}

#[tokio::test]
async fn the_networks_of_a_new_machine_are_ids_or_else_all_of_them_objects() {
    let sdc = Program::new().await;
    sdc.creates(&["--network", LAN, "-N", WAN], json!({ "networks": [LAN, WAN] })).await;
    sdc.creates(&["--network", &format!("{LAN},{WAN},{LAN}")], json!({ "networks": [LAN, WAN] })).await;
    sdc.creates(
        &["--nic", &format!("network={LAN},ip=10.0.0.7")],
        json!({ "networks": [{ "ipv4_uuid": LAN, "ipv4_ips": ["10.0.0.7"] }] }),
    )
    .await;
    sdc.creates(
        &["--nic", &format!("ipv4_uuid={LAN},ipv4_ips=10.0.0.7"), "--network", WAN],
        json!({ "networks": [{ "ipv4_uuid": WAN }, { "ipv4_uuid": LAN, "ipv4_ips": ["10.0.0.7"] }] }),
    )
    .await;
    sdc.creates(&["--default-network", "internal"], json!({ "default_networks": ["internal"] })).await;
    let words = sdc.refuses_to_create(&["--nic", &format!("network={LAN},ip=10.0.0.256")]).await;
    assert!(words.contains("10.0.0.256"), "{words}");
    let words = sdc.refuses_to_create(&["--network", LAN, "--nic", &format!("network={LAN},ip=10.0.0.7")]).await;
    assert!(words.contains("one NIC on a network"), "{words}");
}

#[tokio::test]
async fn volumes_and_disks_of_a_new_machine_are_objects() {
    let sdc = Program::new().await;
    sdc.creates(
        &["--volume", "data:/mnt:ro", "-v", "logs:/var/log/app"],
        json!({ "volumes": [
            { "name": "data", "mountpoint": "/mnt", "mode": "ro" },
            { "name": "logs", "mountpoint": "/var/log/app" },
        ] }),
    )
    .await;
    sdc.creates(
        &["--disk", "10G", "--disk", "size=2048,block_size=4096", "--disk", "remaining"],
        json!({ "disks": [{ "size": 10240 }, { "size": 2048, "block_size": 4096 }, { "size": "remaining" }] }),
    )
    .await;
    sdc.creates(
        &["--disk", "image", "--disk", "1G", "--disk", "1G"],
        json!({ "disks": [{}, { "size": 1024 }, { "size": 1024 }] }),
    )
    .await;
    for wrong in [["--volume", "data"], ["--volume", "data:mnt"], ["--disk", "10X"], ["--disk", "1G,block_size=1000"]] {
        sdc.refuses_to_create(&wrong).await;
    }
    sdc.refuses_to_create(&["--disk", "remaining", "--disk", "remaining"]).await;
}

#[tokio::test]
async fn a_placement_rule_is_sent_as_it_is_and_a_wrong_one_is_pointed_at() {
    let sdc = Program::new().await;
    sdc.creates(
        &["--affinity", "instance!=web*", "--affinity", "role==~db"],
        json!({ "affinity": ["instance!=web*", "role==~db"] }),
    )
    .await;
    let words = sdc.refuses_to_create(&["--affinity", "instance=web"]).await;
    let lines: Vec<&str> = words.lines().map(str::trim_start).collect();
    assert!(words.contains("'=' is not an operator"), "{words}");
    assert!(lines.iter().any(|line| line.starts_with("^ ")), "no caret in {words}");
}

#[tokio::test]
async fn tags_stay_what_was_typed_and_those_of_the_platform_have_their_type() {
    let sdc = Program::new().await;
    sdc.creates(
        &["--tag", "version=1.10", "-t", "zip=01234", "-t", "on=true", "-t", "weight:=10", "-t", "off:=false"],
        json!({ "tag.version": "1.10", "tag.zip": "01234", "tag.on": "true", "tag.weight": 10, "tag.off": false }),
    )
    .await;
    sdc.creates(
        &["-t", r#"{"role":"web","weight":10,"eq":"a=b"}"#],
        json!({ "tag.role": "web", "tag.weight": 10, "tag.eq": "a=b" }),
    )
    .await;
    sdc.creates(
        &["-t", "triton.cns.disable:=true", "-t", "triton.cns.services=web:80,_sip._udp:5060:priority=1"],
        json!({
            "tag.triton.cns.disable": true,
            "tag.triton.cns.services": "web:80,_sip._udp:5060:priority=1",
        }),
    )
    .await;
    let words = sdc.refuses_to_create(&["-t", "triton.cns.disable=true"]).await;
    assert!(words.contains("triton.cns.disable:=true"), "{words}");
    for wrong in ["triton.cns.servcies=web", "triton.cns.services:=1", "a:={}", "a:=null", "a"] {
        sdc.refuses_to_create(&["-t", wrong]).await;
    }
    sdc.refuses_to_create(&["-t", "a=1", "-t", "a=2"]).await;
    // The service takes Docker's tags of a new machine, and of none that is there.
    let docker = &["-t", "sdc_docker:=true", "-t", "docker:label:com.docker.x=1"];
    sdc.creates(docker, json!({ "tag.sdc_docker": true, "tag.docker:label:com.docker.x": "1" })).await;
    for verb in ["set", "replace"] {
        let ran = sdc.run(&["machines", "tags", verb, ID, "sdc_docker:=true"]).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{verb}");
        assert!(ran.words.contains("sdc_docker belongs to Docker"), "{verb}: {}", ran.words);
    }
}

#[tokio::test]
async fn metadata_of_a_new_machine_comes_from_words_and_files() {
    let sdc = Program::new().await;
    let script = sdc.file("boot.sh", "#!/bin/sh\necho hello\n");
    let cloud = sdc.file("cloud.yaml", "#cloud-config\n");
    let motd = sdc.file("motd.txt", "welcome\n");
    sdc.creates(
        &["--script", &script, "--cloud-config", &cloud, "-M", &format!("motd=@{motd}"), "-m", "n=1", "-m", "m:=1"],
        json!({
            "metadata.user-script": "#!/bin/sh\necho hello\n",
            "metadata.cloud-init:user-data": "#cloud-config\n",
            "metadata.motd": "welcome\n",
            "metadata.n": "1",
            "metadata.m": 1,
        }),
    )
    .await;
    // As the older tool has it.
    sdc.creates(&["-M", &format!("motd={motd}")], json!({ "metadata.motd": "welcome\n" })).await;
    let words = sdc.refuses_to_create(&["-m", &format!("motd=@{motd}")]).await;
    assert!(words.contains("--metadata-file"), "{words}");
    let words = sdc.refuses_to_create(&["-m", "root_pw=secret"]).await;
    assert!(words.contains("would drop it"), "{words}");
    sdc.refuses_to_create(&["-m", "-x=1"]).await;
    sdc.refuses_to_create(&["--script", "/nowhere/boot.sh"]).await;
}

#[tokio::test]
async fn switches_of_a_new_machine_are_json_true_or_absent() {
    let sdc = Program::new().await;
    sdc.creates(&[], json!({})).await;
    sdc.creates(
        &[
            "--firewall",
            "--deletion-protection",
            "--delegate-dataset",
            "--encrypted",
            "--allow-shared-images",
            "--name",
            "web-{{shortId}}",
            "-b",
            "bhyve",
        ],
        json!({
            "firewall_enabled": true,
            "deletion_protection": true,
            "delegate_dataset": true,
            "encrypted": true,
            "allow_shared_images": true,
            "name": "web-{{shortId}}",
            "brand": "bhyve",
        }),
    )
    .await;
    let create = ["machines", "create", "--image", IMAGE, "--package", PACKAGE, "--role-tag", "ops,web"];
    let (_, headers, body) = sdc.request(&create).await;
    assert_eq!((headers["Role-Tag"].as_str(), body.get("role-tag")), (Some("ops,web"), None));
    let list = ["machines", "list", "--tombstone", "--docker=false", "tag.role=web", "memory=2G"];
    let (line, ..) = sdc.request(&list).await;
    let query = line.strip_prefix("GET /acme/machines?").unwrap();
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    assert_eq!(pairs, ["docker=false", "limit=1000", "memory=2048", "tag.role=web", "tombstone=true"]);
    // The service would drop all other filters beside its tags=*.
    let (line, ..) = sdc.request(&["machines", "list", "--tagged"]).await;
    assert_eq!(line, "GET /acme/machines?limit=1000");
    let (line, ..) = sdc.request(&["machines", "list", "--limit", "1200"]).await;
    assert_eq!(line, "GET /acme/machines?limit=1000", "the first page of two");
    // The service would take it for yes.
    sdc.refuses(&["machines", "list", "tombstone=false"]).await;
    sdc.refuses(&["machines", "list", "credentials=false"]).await;
}

#[tokio::test]
async fn an_image_has_tags_of_any_type_and_a_list_of_accounts() {
    let sdc = Program::new().await;
    sdc.sends(
        &["images", "create", ID, "acme-web", "1.10", "-t", "team=web", "--tag", "n:=1", "--acl", LAN, "--acl", WAN],
        "POST /acme/images",
        json!({
            "machine": ID, "name": "acme-web", "version": "1.10",
            "tags": { "team": "web", "n": 1 }, "acl": [LAN, WAN],
        }),
    )
    .await;
    let update = format!("POST /acme/images/{ID}?action=update");
    sdc.sends(
        &["images", "update", ID, "version=1.10", "description=", "--tag", "on:=true"],
        &update,
        json!({ "version": "1.10", "description": "", "tags": { "on": true } }),
    )
    .await;
    sdc.sends(&["images", "update", ID, "acl:=[]", "tags:={}"], &update, json!({ "acl": [], "tags": {} })).await;
    let words = sdc.refuses(&["images", "update", ID, "acl="]).await;
    assert!(words.contains("acl:=[]"), "{words}");
    sdc.sends(
        &["images", "export", ID, "/acme/stor/images"],
        &format!("POST /acme/images/{ID}?action=export&manta_path=/acme/stor/images"),
        Value::Null,
    )
    .await;
    let import = format!("POST /acme/images?action=import-from-datacenter&datacenter=us-west-1&id={ID}");
    let (line, ..) = sdc.request(&["images", "import", ID, "--from", "us-west-1"]).await;
    let sorted = |line: &str| {
        let (path, query) = line.split_once('?').unwrap();
        let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
        pairs.sort_unstable();
        (path.to_owned(), pairs)
    };
    assert_eq!(sorted(&line), sorted(&import));
}

#[tokio::test]
async fn a_fabric_network_has_routes_resolvers_and_numbers() {
    let sdc = Program::new().await;
    sdc.sends(
        &["fabrics", "vlans", "create", "100", "-n", "backend", "-D", "databases"],
        "POST /acme/fabrics/default/vlans",
        json!({ "vlan_id": 100, "name": "backend", "description": "databases" }),
    )
    .await;
    let networks = "POST /acme/fabrics/default/vlans/100/networks";
    let given = [
        "fabrics",
        "networks",
        "create",
        "100",
        "-n",
        "lan",
        "-s",
        "10.10.0.0/24",
        "-S",
        "10.10.0.5",
        "-E",
        "10.10.0.250",
        "--gateway",
        "10.10.0.1",
    ];
    let body = json!({
        "name": "lan", "subnet": "10.10.0.0/24", "gateway": "10.10.0.1",
        "provision_start_ip": "10.10.0.5", "provision_end_ip": "10.10.0.250",
    });
    sdc.sends(&given, networks, body.clone()).await;
    let more = [
        "--resolver",
        "8.8.8.8",
        "--resolver",
        "9.9.9.9",
        "-R",
        "10.25.1.0/21=10.10.0.2",
        "--route",
        "10.50.1.0/24=10.10.0.3",
        "--no-nat",
    ];
    let mut all = body;
    all.as_object_mut().unwrap().extend(
        json!({
            "gateway": "10.10.0.1",
            "resolvers": ["8.8.8.8", "9.9.9.9"],
            "routes": { "10.25.1.0/21": "10.10.0.2", "10.50.1.0/24": "10.10.0.3" },
            "internet_nat": false,
        })
        .as_object()
        .unwrap()
        .clone(),
    );
    sdc.sends(&[&given[..], &more].concat(), networks, all).await;
    sdc.sends(
        &["fabrics", "networks", "update", "100", ID, "resolvers:=[]", "routes:={\"10.25.1.0/21\":\"10.10.0.2\"}"],
        &format!("PUT /acme/fabrics/default/vlans/100/networks/{ID}"),
        json!({ "resolvers": [], "routes": { "10.25.1.0/21": "10.10.0.2" } }),
    )
    .await;
    sdc.sends(
        &["networks", "ips", "update", ID, "10.0.0.7", "reserved=false"],
        &format!("PUT /acme/networks/{ID}/ips/10.0.0.7"),
        json!({ "reserved": false }),
    )
    .await;
}

#[tokio::test]
async fn a_role_has_members_default_members_and_policies() {
    let sdc = Program::new().await;
    sdc.sends(
        &[
            "roles",
            "create",
            "ops",
            "--member",
            "jill,account:umbrella",
            "--default-member",
            "ci",
            "--policy",
            "may-reboot",
            "--policy",
            ID,
        ],
        "POST /acme/roles",
        json!({
            "name": "ops",
            "members": [
                { "type": "subuser", "login": "jill" },
                { "type": "account", "login": "umbrella" },
                { "type": "subuser", "login": "ci", "default": true },
            ],
            "policies": [{ "name": "may-reboot" }, { "id": ID }],
        }),
    )
    .await;
    // The older tool wanted a default member in both lists.
    sdc.sends(
        &["roles", "create", "ops", "--member", "jill,ci", "--default-member", "ci"],
        "POST /acme/roles",
        json!({
            "name": "ops",
            "members": [
                { "type": "subuser", "login": "jill" },
                { "type": "subuser", "login": "ci", "default": true },
            ],
        }),
    )
    .await;
    sdc.sends(
        &["roles", "update", ID, "name=operators", "members:=[]", "policies=may-reboot"],
        &format!("POST /acme/roles/{ID}"),
        json!({ "name": "operators", "members": [], "policies": [{ "name": "may-reboot" }] }),
    )
    .await;
    sdc.sends(
        &["policies", "create", "may-reboot", "--rule", "CAN rebootmachine", "--rule", "CAN getmachine"],
        "POST /acme/policies",
        json!({ "name": "may-reboot", "rules": ["CAN rebootmachine", "CAN getmachine"] }),
    )
    .await;
    sdc.refuses(&["policies", "create", "may-reboot", "--rule", "reboot"]).await;
}

#[tokio::test]
async fn a_firewall_rule_is_on_unless_it_is_to_be_off() {
    let sdc = Program::new().await;
    let rule = "FROM any TO tag role = web ALLOW tcp PORT 80";
    let create = ["fwrules", "create", rule];
    sdc.sends(&create, "POST /acme/fwrules", json!({ "rule": rule, "enabled": true })).await;
    sdc.sends(
        &[&create[..], &["--disabled", "--log", "-D", "web"]].concat(),
        "POST /acme/fwrules",
        json!({ "rule": rule, "enabled": false, "log": true, "description": "web" }),
    )
    .await;
    let update = format!("POST /acme/fwrules/{ID}");
    for (words, body) in [
        (&["enabled=false", "log=true"][..], json!({ "enabled": false, "log": true })),
        (&["--enabled=false", "--log"], json!({ "enabled": false, "log": true })),
        (&["enabled:=true", "description="], json!({ "enabled": true, "description": "" })),
        (&[&format!("rule={rule}")], json!({ "rule": rule })),
    ] {
        sdc.sends(&[&["fwrules", "update", ID], words].concat(), &update, body).await;
    }
    sdc.refuses(&["fwrules", "update", ID]).await;
    sdc.refuses(&["fwrules", "update", ID, "enabled=yes"]).await;
    sdc.refuses(&["fwrules", "create", "FROM any TO any ALLOW tcp PORT"]).await;
}

#[tokio::test]
async fn tags_and_metadata_of_a_machine_are_flat_and_some_names_are_refused() {
    let sdc = Program::new().await;
    let tags = format!("/acme/machines/{ID}/tags");
    let given = ["role=web", "weight:=10", "triton.cns.disable:=true", "machine.name=x"];
    let body = json!({ "role": "web", "weight": 10, "triton.cns.disable": true, "machine.name": "x" });
    sdc.sends(&[&["machines", "tags", "set", ID][..], &given].concat(), &format!("POST {tags}"), body.clone()).await;
    sdc.sends(&[&["machines", "tags", "replace", ID][..], &given].concat(), &format!("PUT {tags}"), body).await;
    for name in ["account", "machine", "uuid", "owner_uuid", "context", "image", "origin"] {
        sdc.refuses(&["machines", "tags", "set", ID, &format!("{name}=x")]).await;
        sdc.refuses(&["machines", "tags", "set", ID, &format!("{{\"{name}\":\"x\"}}")]).await;
    }
    sdc.refuses(&["machines", "tags", "set", ID]).await;

    let script = sdc.file("boot.sh", "#!/bin/sh\n");
    let motd = sdc.file("motd.txt", "welcome\n");
    let metadata = format!("POST /acme/machines/{ID}/metadata");
    sdc.sends(
        &["machines", "metadata", "set", ID, "release=1.10", "--file", &format!("motd=@{motd}"), "--script", &script],
        &metadata,
        json!({ "release": "1.10", "motd": "welcome\n", "user-script": "#!/bin/sh\n" }),
    )
    .await;
    sdc.sends(
        &["machines", "metadata", "set", ID, "file=a", "n:=1", "on:=true"],
        &metadata,
        json!({ "file": "a", "n": 1, "on": true }),
    )
    .await;
    for name in ["account", "machine", "uuid", "owner_uuid", "credentials", "image", "root_pw"] {
        sdc.refuses(&["machines", "metadata", "set", ID, &format!("{name}=x")]).await;
        sdc.refuses(&["machines", "metadata", "set", ID, "--file", &format!("{name}=@{motd}")]).await;
    }
    sdc.refuses(&["machines", "metadata", "set", ID]).await;
}

#[tokio::test]
async fn disks_and_interfaces_of_a_machine_are_numbers_words_and_objects() {
    let sdc = Program::new().await;
    let disks = format!("POST /acme/machines/{ID}/disks");
    sdc.sends(&["machines", "disks", "add", ID, "remaining"], &disks, json!({ "size": "remaining" })).await;
    sdc.sends(
        &["machines", "disks", "add", ID, "10G", "--pci-slot", "0:4:1"],
        &disks,
        json!({ "size": 10240, "pci_slot": "0:4:1" }),
    )
    .await;
    sdc.sends(
        &["machines", "disks", "resize", ID, LAN, "512", "--dangerous-allow-shrink"],
        &format!("{disks}/{LAN}"),
        json!({ "size": 512, "dangerous_allow_shrink": true }),
    )
    .await;
    let nics = format!("POST /acme/machines/{ID}/nics");
    sdc.sends(&["machines", "nics", "add", ID, LAN], &nics, json!({ "network": LAN })).await;
    sdc.sends(
        &["machines", "nics", "add", ID, &format!("network={LAN},ip=10.0.0.7"), "--primary"],
        &nics,
        json!({ "network": { "ipv4_uuid": LAN, "ipv4_ips": ["10.0.0.7"] }, "primary": true }),
    )
    .await;
    sdc.sends(
        &["machines", "nics", "remove", ID, "90:B8:d0:aa:bb:cc"],
        &format!("DELETE /acme/machines/{ID}/nics/90b8d0aabbcc"),
        Value::Null,
    )
    .await;
    sdc.sends(
        &["machines", "migrate", "begin", ID, "--affinity", "instance!=web*"],
        &format!("POST /acme/machines/{ID}/migrate?action=begin"),
        json!({ "affinity": ["instance!=web*"] }),
    )
    .await;
}

#[tokio::test]
async fn settings_of_the_account_are_typed_as_name_and_value() {
    let sdc = Program::new().await;
    let body = json!({ "phone": "555-1234", "companyName": "Acme", "triton_cns_enabled": true });
    let words = ["account", "update", "phone=555-1234", "companyName=Acme", "triton_cns_enabled=true"];
    sdc.sends(&words, "POST /acme", body.clone()).await;
    sdc.sends(&["account", "update", "phone=555-1234", "company-name=Acme", "cns:=true"], "POST /acme", body.clone())
        .await;
    let words = ["account", "update", "--phone", "555-1234", "--company-name", "Acme", "--cns"];
    sdc.sends(&words, "POST /acme", body).await;
    let words = sdc.refuses(&["account", "update", "colour=red"]).await;
    assert!(words.contains("colour") && words.contains("triton_cns_enabled") && !words.contains("filter"), "{words}");
    // The service would skip it, and say that all is well.
    let words = sdc.refuses(&["account", "update", "phone="]).await;
    assert!(words.contains("is empty"), "{words}");
    sdc.refuses(&["account", "update", "phone=1", "phone=2"]).await;
    sdc.refuses(&["account", "update", "triton_cns_enabled=maybe"]).await;
    sdc.sends(
        &["config", "set", &format!("default_network={LAN}")],
        "PUT /acme/config",
        json!({ "default_network": LAN }),
    )
    .await;
}

#[tokio::test]
async fn a_dry_run_shows_no_password() {
    let sdc = Program::new().await;
    let secret = sdc.file("password", "s3cret-99\n");
    #[cfg(unix)]
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let create = ["users", "create", "jill", "--email", "jill@acme.example", "--password-file", &secret];
    let change = ["users", "change-password", ID, "--password-file", &secret];
    let machine = ["machines", "create", "--image", IMAGE, "--package", PACKAGE, "--admin-password-file", &secret];
    for words in [&create[..], &change, &machine] {
        for form in [&[][..], &["--json"]] {
            let ran = sdc.run(&[words, form].concat()).await;
            assert_eq!(ran.code, 0, "{words:?}: {}", ran.words);
            assert!(!ran.out.contains("s3cret") && !ran.words.contains("s3cret"), "{words:?} shows the password");
        }
    }
    sdc.sends(&create, "POST /acme/users", json!({ "login": "jill", "email": "jill@acme.example", "password": "***" }))
        .await;
    sdc.sends(
        &change,
        &format!("POST /acme/users/{ID}/change_password"),
        json!({ "password": "***", "password_confirmation": "***" }),
    )
    .await;
    sdc.refuses(&["users", "create", "jill", "--email", "j@acme.example", "--password-file", "/nowhere"]).await;
}

#[tokio::test]
async fn a_volume_has_a_type_and_its_size_is_a_number() {
    let sdc = Program::new().await;
    sdc.sends(&["volumes", "create"], "POST /acme/volumes", json!({ "type": "tritonnfs" })).await;
    sdc.sends(
        &["volumes", "create", "-n", "data", "-s", "20G", "-N", LAN, "--tag", "team=web", "--affinity", "role!=db"],
        "POST /acme/volumes",
        json!({
            "type": "tritonnfs", "name": "data", "size": 20480, "networks": [LAN],
            "tags": { "team": "web" }, "affinity": ["role!=db"],
        }),
    )
    .await;
    sdc.sends(
        &["volumes", "list", "size=10G", "state=failed"],
        "GET /acme/volumes?size=10240&state=failed",
        Value::Null,
    )
    .await;
}

#[tokio::test]
async fn roles_are_not_taken_on_where_the_service_would_take_them_for_something_else() {
    let sdc = Program::new().await;
    let (line, ..) = sdc.request(&["machines", "get", ID, "--role", "ops"]).await;
    assert_eq!(line, format!("GET /acme/machines/{ID}?as-role=ops"));
    for (words, path) in [
        (&["machines", "tags", "set", ID, "role=web"][..], format!("/acme/machines/{ID}/tags")),
        (&["machines", "tags", "replace", ID, "role=web"], format!("/acme/machines/{ID}/tags")),
        (&["machines", "metadata", "set", ID, "a=b"], format!("/acme/machines/{ID}/metadata")),
        (&["fabrics", "vlans", "list"], "/acme/fabrics/default/vlans".to_owned()),
        (&["fabrics", "networks", "list", "100"], "/acme/fabrics/default/vlans/100/networks".to_owned()),
        (&["config", "set", &format!("default_network={LAN}")], "/acme/config".to_owned()),
        (&["volumes", "list"], "/acme/volumes".to_owned()),
    ] {
        let ran = sdc.run(&[words, &["--role", "ops"]].concat()).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}");
        assert!(ran.words.contains("cannot take a role on"), "{words:?}: {}", ran.words);
        // A role that a variable has for all commands is left out.
        let ran = sdc.run_with(&[words, &["--json"]].concat(), &[("SDC_ROLE", "ops")]).await;
        assert_eq!(ran.code, 0, "{words:?}");
        let request: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(request["url"], format!("{}{path}", sdc.emulator.url()), "{words:?}");
        assert!(!ran.out.contains("as-role"), "{words:?}");
        let warning: Value = serde_json::from_str(&ran.words).unwrap();
        assert!(warning["warning"].as_str().unwrap().contains("the roles ops are not sent"), "{}", ran.words);
    }
}
