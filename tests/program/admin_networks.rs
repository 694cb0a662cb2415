//! Networks that are created at the same time, on the emulator, which accepts what overlaps as the service does.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::collections::HashSet;
use std::process::{Command, Stdio};

use sdc::Client;
use sdc::api::admin::NAPI;
use sdc::api::admin::napi::LIST_NETWORKS;
use sdc::emulator::{Emulator, Options};
use sdc::grammar::net::{Cidr, cidr};
use sdc::request::Args;
use sdc::tasks::smart_network::SmartNetwork;
use sdc::tasks::stop::Stop;

/// No two of them share a VLAN or an address.
#[track_caller]
fn are_apart(networks: &[(u64, Cidr)]) {
    let vlans: HashSet<u64> = networks.iter().map(|(vlan, _)| *vlan).collect();
    assert_eq!(vlans.len(), networks.len(), "{networks:?}");
    for (at, (_, one)) in networks.iter().enumerate() {
        let overlap = |(_, other): &&(u64, Cidr)| one.first() <= other.last() && other.first() <= one.last();
        assert_eq!(networks[at + 1..].iter().find(overlap), None, "{networks:?}");
    }
}

#[test]
fn four_processes_that_create_ten_networks_never_collide() {
    const ROUNDS: usize = 20;
    let script = format!(
        r#"for round in $(seq {ROUNDS}); do
            for process in 1 2 3 4; do
                for n in $(seq $((process < 3 ? 3 : 2))); do
                    "$0" admin networks create-smart -q -n "smart-$round-$process-$n" --nic-tag internal --vlans 200-599 || exit 1
                done &
                all="$all $!"
            done
            for process in $all; do wait "$process" || exit 1; done
            all=
        done
        exec "$0" admin networks list 'name=~^smart-' -o csv:vlan_id,subnet -H"#
    );
    let exe = env!("CARGO_BIN_EXE_sdc");
    let home = tempfile::tempdir().unwrap();
    let mut sdc = Command::new(exe);
    sdc.args(["emulator", "exec", "--admin", "--", "sh", "-c", &script, exe]).stdin(Stdio::null());
    let said = sdc.env("HOME", home.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{out}{err}");
    let row = |line: &str| {
        let (vlan, subnet) = line.split_once(',')?;
        Some((vlan.parse().ok()?, cidr(subnet.trim()).ok()?))
    };
    let networks: Vec<(u64, Cidr)> = out.lines().filter_map(row).collect();
    assert_eq!(networks.len(), 10 * ROUNDS, "{out}{err}");
    are_apart(&networks);
}

#[test]
fn ten_that_are_created_at_once_never_collide() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let cloud = Emulator::start(Options { admin: true, ..Options::default() }).await.unwrap();
        let (_, napi) = cloud.admin().iter().find(|(name, _)| name == "napi").unwrap();
        let client = Client::builder().service(&NAPI).url(format!("http://{napi}")).build().unwrap();
        let stop = Stop::default();
        let wanted: Vec<SmartNetwork> = (0..10)
            .map(|n| SmartNetwork { nic_tag: "internal".to_owned(), ..SmartNetwork::new(format!("smart-{n}")) })
            .collect();
        let created = wanted.iter().map(|network| network.create(&client, &stop, &()));
        for made in futures_util::future::join_all(created).await {
            made.unwrap();
        }
        let all = client.call(&LIST_NETWORKS, &Args::new()).await.unwrap();
        let smart = all.rows().filter(|row| row.text("/name").is_some_and(|name| name.starts_with("smart-")));
        let networks: Vec<(u64, Cidr)> = smart
            .map(|row| (row.text("/vlan_id").unwrap().parse().unwrap(), cidr(&row.text("/subnet").unwrap()).unwrap()))
            .collect();
        assert_eq!(networks.len(), 10);
        are_apart(&networks);
        cloud.stop().await.unwrap();
    });
}
