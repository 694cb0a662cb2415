//! The page for those who come from the two Python libraries: each of its rows is done here, on the emulator, and each
//! command it names is there.
#![cfg(all(feature = "cli", feature = "emulator"))]
#![allow(clippy::cognitive_complexity, reason = "a story is told in one go, and the macros in it count as branches")]

use std::collections::BTreeSet;
use std::time::Duration;

use crate::common::on_a_large_stack;
use sdc::Client;
use sdc::admin::{DataCenter, Given, Pairs, Spec, WaitOptions};
use sdc::api::Op;
use sdc::api::admin::{NAPI, VMAPI};
use sdc::api::cloudapi::{
    account, datacenters, images, keys, machines, metadata, networks, packages, ping, snapshots, tags,
};
use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
use sdc::client::{Condition, Time, Until};
use sdc::emulator::{Emulator, Options, Pace};
use sdc::request::{Arg, Args, Request};
use sdc::tasks::smart_network::SmartNetwork;

const PAGE: &str = include_str!("../../docs/guide/coming-from-sdcadmin.md");
const ACME: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
const LIMIT: Duration = Duration::from_secs(30);

/// The columns of each row of a table of the page: of sdcadmin's, or of py-smartdc's.
fn rows(smartdc: bool) -> Vec<[&'static str; 3]> {
    let (first, second) = PAGE.split_once("## Coming from py-smartdc").unwrap();
    let lines = if smartdc { second } else { first }.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            cells.try_into().unwrap_or_else(|_| panic!("{line}"))
        })
        .collect()
}

/// What stands between backticks.
fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn each_command_of_the_page_is_there() {
    let tree = sdc::cli::tree();
    let mut count = 0;
    for [theirs, _, command] in [rows(false), rows(true)].concat() {
        let mut before: Vec<&str> = Vec::new();
        for text in code(command).filter(|text| !text.starts_with("--") && !text.starts_with("SDC_")) {
            let words: Vec<&str> = match text.strip_prefix("sdc ") {
                Some(text) => text.split(' ').collect(),
                // `sdc admin vms start`, `stop`, `delete`: of the same noun, as far as the words differ.
                None => {
                    let own: Vec<&str> = text.split(' ').collect();
                    [&before[..before.len().saturating_sub(own.len())], &own].concat()
                }
            };
            let mut group = Some(&tree);
            let named: Vec<&str> = words
                .iter()
                .copied()
                .take_while(|word| {
                    let below = group.and_then(|group| group.find_subcommand(word));
                    group = below.or(group);
                    below.is_some()
                })
                .collect();
            assert!(group.is_some_and(|group| !group.has_subcommands()), "{theirs}: no command `{text}`");
            before = named;
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}

/// Calls a method, and notes its name.
macro_rules! done {
    ($done:ident, $of:expr, $method:ident($($arg:expr),*)) => {{
        $done.insert(stringify!($method).to_owned());
        $of.$method($($arg),*).await
    }};
}

#[test]
fn each_row_of_sdcadmin_is_done() {
    on_a_large_stack(sdcadmin);
}

async fn sdcadmin() {
    let options = Options { admin: true, pace: Pace::Times(200.0), ..Options::default() };
    let cloud = Emulator::start(options).await.unwrap();
    let mut done = BTreeSet::from(["discover".to_owned(), "Spec".to_owned()]);
    let dc = DataCenter::discover(&format!("http://{}", cloud.sapi().unwrap())).await.unwrap();
    let none = Args::new();
    let wait = || WaitOptions { timeout: LIMIT };
    assert!(done!(done, dc, is_healthy()).unwrap());
    let active = done!(done, dc, list_machines(&Args::new().set("owner_uuid", ACME))).unwrap().len();
    assert!(active > 3, "{active}");
    assert!(!done!(done, dc, list_smart_machines(Some(ACME))).unwrap().is_empty());
    assert!(!done!(done, dc, list_kvm_machines(Some(ACME))).unwrap().is_empty());
    assert!(done!(done, dc, get_machine("3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d")).unwrap().is_some());
    assert!(dc.get_machine("00000000-0000-4000-8000-000000000000").await.unwrap().is_none());
    let spec = |alias: &str, image: &str, package: &str| Spec {
        owner: "acme".to_owned(),
        networks: vec!["private".to_owned()],
        package: Some(package.to_owned()),
        image: Some(image.to_owned()),
        alias: Some(alias.to_owned()),
        keys: true,
        ..Spec::default()
    };
    let vm = done!(done, dc, create_smart_machine(spec("py1", "base-64", "g1-small"))).unwrap();
    let running = done!(done, vm, wait_until("running", wait())).unwrap();
    assert!(done!(done, running, is_running()).unwrap());
    let kvm = done!(done, dc, create_kvm_machine(spec("py2", "windows-2022", "k1-medium"))).unwrap();
    done!(done, kvm, wait_while("provisioning", wait())).unwrap();
    done!(done, vm, stop()).unwrap();
    vm.wait_until("stopped", wait()).await.unwrap();
    assert!(done!(done, vm, is_stopped()).unwrap());
    done!(done, vm, start()).unwrap();
    vm.wait_until("running", wait()).await.unwrap();
    assert_eq!(done!(done, vm, status()).unwrap(), "running");
    assert!(vm.add_nic("nowhere", None).await.is_err());
    done!(done, vm, add_nic("public", None)).unwrap();
    let mut mac = None;
    for _ in 0..200 {
        let now = done!(done, vm, refreshed()).unwrap();
        let row: serde_json::Value = serde_json::from_str(now.json()).unwrap();
        mac = row["nics"]
            .as_array()
            .filter(|nics| nics.len() == 2)
            .map(|nics| nics[1]["mac"].as_str().unwrap().to_owned());
        if mac.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    done!(done, vm, remove_nic(&mac.unwrap())).unwrap();
    done!(done, vm, replace_pairs(Pairs::Customer, &Args::new().set("a", "b"))).unwrap();
    vm.replace_pairs(Pairs::Tags, &Args::new().set("role", "py")).await.unwrap();
    assert!(done!(done, dc, list_networks(&none)).unwrap().rows().count() > 3);
    assert!(done!(done, dc, get_network(PRIVATE)).unwrap().is_some());
    let mut fields = Args::new()
        .set("name", "py-lab")
        .set("nic_tag", "external")
        .set("subnet", "10.77.0.0/24")
        .set("provision_start_ip", "10.77.0.10")
        .set("provision_end_ip", "10.77.0.99");
    fields.push("vlan_id", Arg::json("77").unwrap());
    let made = done!(done, dc, create_network(&fields)).unwrap();
    let uuid = made.first().unwrap().text("/uuid").unwrap().into_owned();
    done!(done, dc, delete_network(&uuid)).unwrap();
    let smart = SmartNetwork { nic_tag: "internal".to_owned(), ..SmartNetwork::new("py-smart") };
    done!(done, dc, create_smart_network(&smart)).unwrap();
    done.insert("SmartNetwork::new".to_owned());
    assert!(done!(done, dc, list_packages(&none)).unwrap().rows().count() > 3);
    assert!(done!(done, dc, get_package("5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02")).unwrap().is_some());
    let jobs = done!(done, dc, list_jobs(&none)).unwrap();
    let job = jobs.first().unwrap().text("/uuid").unwrap().into_owned();
    assert!(done!(done, dc, get_job(&job)).unwrap().is_some());
    done!(done, vm, delete()).unwrap();
    vm.wait_until("destroyed", wait()).await.unwrap();
    more_of_sdcadmin(&dc, &cloud, &mut done).await;
    for [theirs, ours, _] in rows(false) {
        for text in code(ours) {
            let name = text.split(['(', ' ']).next().unwrap().trim_start_matches("DataCenter::");
            assert!(name == "None" || done.contains(name), "{theirs}: {name} was not done");
        }
    }
    cloud.stop().await.unwrap();
}

/// What is no method of its own here.
async fn more_of_sdcadmin(dc: &DataCenter, cloud: &Emulator, done: &mut BTreeSet<String>) {
    let of = |name: &str| cloud.admin().iter().find(|(known, _)| known == name).unwrap().1.clone();
    let found = dc.directory().place(&VMAPI).await.unwrap();
    assert!(found.url.ends_with(&of("vmapi")), "{}", found.url);
    let mut given = Given::default();
    given.add("vmapi", &of("vmapi"), "this test").unwrap();
    let there = DataCenter::of(given, None);
    let vm = there.get_machine("3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d").await.unwrap().unwrap();
    assert_eq!(vm.brand(), "joyent");
    assert!(vm.status().await.unwrap() != "destroyed");
    let now: serde_json::Value = serde_json::from_str(vm.refreshed().await.unwrap().json()).unwrap();
    let on = |network: &str| now["nics"].as_array().unwrap().iter().any(|nic| nic["network_uuid"] == network);
    assert!(on("f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01") && !on(PRIVATE), "{now}");
    let napi = dc.client(&NAPI).await.unwrap();
    let request = Request::raw("GET", "/networks?name=private").unwrap();
    let networks: serde_json::Value = serde_json::from_slice(&napi.send(&request).await.unwrap().body).unwrap();
    assert_eq!(networks[0]["uuid"], PRIVATE);
    let wanted = SmartNetwork { prefix: 26, nic_tag: "internal".to_owned(), ..SmartNetwork::new("py-next") };
    let next = wanted.args(&napi).await.unwrap();
    assert!(next.text("subnet").unwrap().ends_with("/26") && next.get("vlan_id").is_some());
    for name in ["of", "directory", "place", "client", "brand", "json", "Request::raw", "SmartNetwork", "args"] {
        done.insert(name.to_owned());
    }
}

/// The public methods of sdcadmin 0.2.
const METHODS: &[&str] = &[
    "DataCenter",
    "request",
    "get_ip_for_service",
    "healthcheck_vmapi",
    "list_smart_machines",
    "list_machines",
    "list_kvm_machines",
    "create_smart_machine",
    "create_kvm_machine",
    "get_smart_machine",
    "get_kvm_machine",
    "get_machine",
    "list_jobs",
    "get_job",
    "list_packages",
    "get_package",
    "list_networks",
    "get_network",
    "create_network",
    "create_smart_network",
    "next_free_vlan",
    "next_free_network",
    "Machine.status",
    "Machine.refresh",
    "Machine.is_running",
    "is_stopped",
    "Machine.is_destroyed",
    "Machine.is_attached_to_network",
    "Machine.start",
    "stop",
    "delete",
    "Machine.add_nic",
    "Machine.remove_nic",
    "Machine.poll_until",
    "Machine.poll_while",
    "Network.refresh",
    "Network.delete",
];

#[test]
fn each_method_of_sdcadmin_has_a_row() {
    let named: BTreeSet<&str> =
        rows(false).iter().flat_map(|[theirs, ..]| code(theirs)).map(|text| text.split('(').next().unwrap()).collect();
    let missing: Vec<&&str> = METHODS.iter().filter(|method| !named.contains(**method)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Calls an operation, and notes its name.
macro_rules! call {
    ($done:ident, $client:ident, $module:ident::$op:ident, $args:expr) => {{
        let op: &Op = &$module::$op;
        $done.insert(format!("{}::{}", stringify!($module), stringify!($op)));
        $client.call(op, &$args).await.unwrap_or_else(|error| panic!("{}: {error}", op.id))
    }};
}

#[test]
fn each_row_of_py_smartdc_is_done() {
    on_a_large_stack(py_smartdc);
}

async fn py_smartdc() {
    let cloud = Emulator::start(Options { pace: Pace::Times(200.0), ..Options::default() }).await.unwrap();
    let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase).unwrap();
    let name = key.public().md5();
    let signer = Signer::new(cloud.account(), Key::File(key), &name).unwrap();
    let client = Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build().unwrap();
    let mut done: BTreeSet<String> = ["Client::builder", "url", "account", "signer", "client.call", "client.until"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let none = Args::new();
    let until = async |id: &str, condition: Condition| {
        let args = Args::new().set("machine", id);
        let until = Until { noun: &machines::MACHINE, args, name: "py", condition, time: Time::new(LIMIT) };
        client.until(&until, |_| {}).await.unwrap()
    };
    call!(done, client, ping::PING_OP, none);
    call!(done, client, account::GET, none);
    call!(done, client, datacenters::LIST, none);
    let there = client.call(&datacenters::LIST, &none).await.unwrap().read::<serde_json::Map<_, _>>().unwrap();
    call!(done, client, datacenters::GET, Args::new().set("datacenter", there.keys().next().unwrap()));
    let mine = call!(done, client, keys::LIST, none).first().unwrap().text("/name").unwrap().into_owned();
    call!(done, client, keys::GET, Args::new().set("key", &mine));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("new");
    let made =
        std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).status();
    assert!(made.unwrap().success());
    let line = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    call!(done, client, keys::ADD, Args::new().set("name", "py").set("key", line.trim()));
    call!(done, client, keys::DELETE, Args::new().set("key", "py"));
    let image = call!(done, client, images::LIST, Args::new().set("name", "base-64"));
    let image = image.first().unwrap().text("/id").unwrap().into_owned();
    call!(done, client, images::GET, Args::new().set("image", &image));
    let package = call!(done, client, packages::LIST, Args::new().set("name", "g1-small"));
    let package = package.first().unwrap().text("/id").unwrap().into_owned();
    call!(done, client, packages::GET, Args::new().set("package", &package));
    let network = call!(done, client, networks::LIST, none).first().unwrap().text("/id").unwrap().into_owned();
    call!(done, client, networks::GET, Args::new().set("network", &network));
    let before = call!(done, client, machines::LIST, none).rows().count();
    let new = Args::new().set("name", "py").set("image", &image).set("package", &package);
    let id = call!(done, client, machines::CREATE, new).first().unwrap().text("/id").unwrap().into_owned();
    let on = || Args::new().set("machine", &id);
    let running = until(&id, Condition::AnotherState("provisioning".to_owned())).await;
    assert_eq!(running.first().unwrap().text("/state").unwrap(), "running");
    done.extend(["Condition::AnotherState".to_owned(), "Condition::State".to_owned()]);
    assert_eq!(client.call(&machines::LIST, &none).await.unwrap().rows().count(), before + 1);
    let seen = call!(done, client, machines::GET, on().set("credentials", "true"));
    done.extend(["credentials".to_owned(), "/ips".to_owned()]);
    assert!(seen.first().unwrap().text("/ips").is_some());
    call!(done, client, metadata::SET, on().set("user-script", "#!/bin/sh"));
    call!(done, client, metadata::LIST, on());
    call!(done, client, metadata::DELETE, on().set("metadata_key", "user-script"));
    call!(done, client, metadata::DELETE_ALL, on());
    call!(done, client, tags::SET, on().set("role", "py"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    call!(done, client, tags::LIST, on());
    call!(done, client, tags::GET, on().set("tag", "role"));
    call!(done, client, tags::DELETE, on().set("tag", "role"));
    call!(done, client, tags::DELETE_ALL, on());
    call!(done, client, snapshots::CREATE, on().set("name", "py"));
    let snapshot = || on().set("snapshot", "py");
    tokio::time::sleep(Duration::from_millis(300)).await;
    call!(done, client, snapshots::LIST, on());
    call!(done, client, snapshots::GET, snapshot());
    call!(done, client, machines::REBOOT, on());
    tokio::time::sleep(Duration::from_millis(300)).await;
    call!(done, client, machines::RESIZE, on().set("package", "a40c6f38-4f6b-4c8d-8eaf-3a4b5c6d7e03"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    call!(done, client, machines::STOP, on());
    until(&id, Condition::State("stopped".to_owned())).await;
    call!(done, client, snapshots::BOOT, snapshot());
    until(&id, Condition::State("running".to_owned())).await;
    call!(done, client, snapshots::DELETE, snapshot());
    client.call(&machines::STOP, &on()).await.unwrap();
    until(&id, Condition::State("stopped".to_owned())).await;
    call!(done, client, machines::START, on());
    until(&id, Condition::State("running".to_owned())).await;
    call!(done, client, machines::DELETE, on());
    until(&id, Condition::Gone).await;
    for [theirs, ours, _] in rows(true) {
        assert!(code(ours).next().is_some(), "{theirs}");
        for text in code(ours) {
            assert!(done.contains(text), "{theirs}: {text} was not done");
        }
    }
    cloud.stop().await.unwrap();
}
