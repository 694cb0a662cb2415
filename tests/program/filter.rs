//! `--jq` in the program: an expression without an end is ended by a signal, one that eats memory by itself.
#![cfg(all(target_os = "linux", feature = "cli", feature = "emulator"))]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;

use crate::common::{against, output, text};
use sdc::emulator::{Emulator, Options};

#[tokio::test]
async fn an_expression_without_an_end_is_ended_by_a_signal() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (begun, signal) in [("1, last(range(1e12))", "-INT"), ("repeat(1)", "-TERM")] {
        let words = ["machines", "list", "--jq", begun];
        let mut sdc = against(&emulator, &words).spawn().unwrap();
        let stdout = sdc.stdout.take().unwrap();
        let said = tokio::task::spawn_blocking(move || {
            let mut lines = BufReader::new(stdout).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "1");
            let rest = std::thread::spawn(move || lines.count());
            std::thread::sleep(std::time::Duration::from_millis(500));
            let sent = std::process::Command::new("kill").args([signal, &sdc.id().to_string()]).status().unwrap();
            assert!(sent.success());
            rest.join().unwrap();
            sdc.wait_with_output().unwrap()
        });
        let said = said.await.unwrap();
        // A signal that comes before anybody listens ends it too: shells call both 130.
        assert!(said.status.code() == Some(130) || said.status.signal().is_some(), "{:?}", said.status);
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_expression_that_eats_memory_is_given_up() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let words = ["machines", "list", "--jq", "reduce range(40) as $i (\"x\"; . + .) | length"];
    // What is given up goes on until the process ends.
    let said = output(against(&emulator, &words).process()).await;
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{told}");
    assert!(told.contains("the --jq expression takes more than 512 MiB of memory"), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn expressions_may_begin_with_a_dash() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (expression, result) in [("-1", "-1\n"), ("-(.[0:2] | length)", "-2\n")] {
        let said = output(against(&emulator, &["machines", "list", "--jq", expression])).await;
        assert_eq!(text(&said.stdout), result, "{expression}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn words_of_the_older_tools_and_formats_nearly_right_get_hints_that_work() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (typed, hint) in [
        ("machines list -o csv,name", "-o csv:name"),
        ("machines list -o json,name", "-o json:name"),
        ("machines list -o Name", "did you mean 'name'?"),
        ("machines list -o CSV", "-o csv"),
        ("machines list -o ids,name", "-o ids"),
        ("machines list -t role=web", "sdc machines list tag.NAME=VALUE"),
        ("machines delete web1 --wait-timeout 5", "--wait --timeout TIME"),
        ("machines create --user-script x", "--script FILE"),
        ("machines tag rm web1 --all", "sdc machines tags delete-all MACHINE"),
        ("rbac apply -n x", "sdc rbac apply FILE --dry-run"),
        ("rbac users", "sdc users list"),
        ("rbac roles", "sdc roles list"),
        ("machines list -v", "--debug"),
        ("machines list -i", "--insecure"),
        ("machines create -i IMAGE", "--image IMAGE"),
        ("machines create --pkg x", "--package PACKAGE"),
        ("machine web1", "sdc machines get web1"),
        ("svc", "sdc services list"),
        ("profile show", "sdc profile list"),
        ("metadata web1", "sdc machines metadata list web1"),
        ("metadata", "sdc machines metadata list MACHINE"),
        ("tags web1", "sdc machines tags list web1"),
        ("tag rm web1 x", "sdc machines tags rm web1 x"),
        ("nics web1", "sdc machines nics list web1"),
        ("disks web1", "sdc machines disks list web1"),
        ("snapshots web1", "sdc machines snapshots list web1"),
        ("snap ls web1", "sdc machines snapshots ls web1"),
        ("vlan 2", "sdc fabrics vlans get 2"),
        ("vlans", "sdc fabrics vlans list"),
        ("fw ls", "sdc fwrules ls"),
        ("fw 1e5f8b30", "sdc fwrules get 1e5f8b30"),
        ("restart web1", "sdc machines reboot web1"),
        ("machines restart web1", "sdc machines reboot web1"),
        ("machines resize web1 --package g1-nano", "PACKAGE is a word here: sdc machines resize web1 g1-nano"),
        ("machines resize --package=g1-nano web1", "PACKAGE is a word here: sdc machines resize web1 g1-nano"),
        ("machines nics add web1 --network backend", "NETWORK is a word here: sdc machines nics add web1 backend"),
        ("machines nics add web1 -N backend", "NETWORK is a word here: sdc machines nics add web1 backend"),
        ("machines tags set web1 --tag role=x", "NAME=VALUE is a word here: sdc machines tags set web1 role=x"),
        ("machines tags set web1 -t role=x", "sdc machines tags set web1 role=x"),
        ("machines tags replace web1 -t role=x", "sdc machines tags replace web1 role=x"),
        ("machines metadata set web1 -m a=b", "sdc machines metadata set web1 a=b"),
        ("images create web1 --version 1.0 -n img1", "sdc images create web1 img1 1.0"),
        ("machines rename web1 -n x", "NAME is a word here: sdc machines rename web1 x"),
        ("machines disks resize web1 DISK --size 5G", "sdc machines disks resize web1 DISK 5G"),
        ("fwrules create -d web FROM", "-d is --disabled here, and takes no value; -D is --description"),
        ("images base*", "sdc images list 'base*'"),
        ("packages g1*", "sdc packages list 'g1*'"),
        ("networks p?", "sdc networks list 'p?'"),
        ("keys emulator", "if it is a name: sdc keys get emulator"),
        ("ls name~^web", "sdc machines list 'name=~^web'"),
        ("images list os~linux", "sdc images list 'os=~linux'"),
        ("ls nics=10.10.0.5", "by an address: ips=10.10.0.5"),
        ("api GET /machines?limit=1", "sdc api GET '/:login/machines?limit=1'"),
    ] {
        let words: Vec<&str> = typed.split(' ').collect();
        let said = output(against(&emulator, &words)).await;
        // Errors are JSON where that was asked for.
        let told = text(&said.stderr);
        assert!(told.contains("hint") && told.contains(hint) && !said.status.success(), "{typed}: {hint}\n{told}");
        let usage = told.lines().find(|line| line.starts_with("Usage:")).unwrap_or_default();
        for astray in ["--wait ", "--user ", "--parallel ", "--accept-version"] {
            assert!(!usage.contains(astray), "{typed}: {usage}");
        }
    }
    let words = ["machines", "create", "-M", "motd=@nosuch", "--image", "x", "--package", "y"];
    let told = text(&output(against(&emulator, &words)).await.stderr);
    assert!(told.contains("--metadata-file: cannot read nosuch"), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_firewall_rule_that_is_no_field_is_told_with_its_field() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let said =
        output(against(&emulator, &["fwrules", "update", "1e5f8b30", "FROM any TO all vms ALLOW tcp PORT 22"])).await;
    let told = text(&said.stderr);
    assert!(told.contains("'rule=FROM any TO all vms ALLOW tcp PORT 22'"), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn objects_cannot_be_compared_and_that_there_are_any_can() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for filter in ["nics=198.18.0.10", "nics!=198.18.0.10", "nics=198*", "nics=~198", "disks=5"] {
        let said = output(against(&emulator, &["machines", "list", filter])).await;
        let told = text(&said.stderr);
        assert!(said.status.code() == Some(2) && told.contains("holds objects, and cannot be compared"), "{told}");
    }
    let said = output(against(&emulator, &["machines", "list", "nics=*", "--count"])).await;
    assert_eq!(text(&said.stdout), "7\n");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_comma_between_tags_is_refused_wherever_tags_are_set() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (words, meant) in [
        (&["machines", "create", "base-64", "g1-small", "-t", "role=db,env=prod"][..], "--tag role=db --tag env=prod"),
        (&["machines", "tags", "set", "web1", "role=db,env=prod"], "role=db env=prod"),
        (&["images", "create", "web1", "a", "1", "--tag", "role=db,env=prod"], "--tag role=db --tag env=prod"),
        (&["volumes", "create", "--tag", "role=db,env=prod"], "--tag role=db --tag env=prod"),
    ] {
        let said = output(against(&emulator, &[words, &["--dry-run"]].concat())).await;
        let told = text(&said.stderr);
        let refused = told.contains("a comma does not separate tags") && told.contains(&format!("2 tags: {meant}\n"));
        assert!(said.status.code() == Some(2) && refused, "{words:?}: {told}");
        // The other form that is told makes one tag.
        let whole = told.lines().find_map(|line| line.split_once("in its value: ")).unwrap().1;
        let whole = whole.trim_start_matches("--tag ").trim_matches('\'');
        let one: Vec<&str> = words.iter().map(|word| if word.contains("role=") { whole } else { word }).collect();
        let said = output(against(&emulator, &[&one, &["--dry-run"][..]].concat())).await;
        let sent = text(&said.stdout);
        assert!(said.status.success() && sent.contains("db,env=prod"), "{one:?}: {}", text(&said.stderr));
    }
    let said = output(against(&emulator, &["machines", "tags", "set", "web1", "role=a,b", "--dry-run"])).await;
    assert_eq!(text(&said.stderr), "");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn the_pages_of_the_older_tools_are_found_by_whole_words_and_their_short_forms() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    for (typed, first, not) in [
        ("triton rm", "triton instance delete INST", "permission"),
        ("triton inst rm", "triton instance delete INST", "triton image"),
        ("triton ls", "triton instance list", "delete"),
        ("triton start", "triton instance start INST", "restart"),
        ("triton instance tag", "triton instance tag list INST", "image tag"),
        ("triton img ls", "triton image list", "instance"),
        ("sdc-listmachines", "sdc-listmachines", "sdc-getmachine"),
        ("sdc-enablemachinefirewall", "sdc-enablemachinefirewall", "sdc-disable"),
        ("smartdc machinefirewall", "sdc-enablemachinefirewall", "sdc-listimages"),
    ] {
        let words: Vec<&str> = std::iter::once("help").chain(typed.split(' ')).collect();
        let said = output(against(&emulator, &words)).await;
        let told = text(&said.stdout);
        assert!(told.starts_with(first) && !told.contains(not), "{typed}: {}{told}", text(&said.stderr));
    }
    let said = output(against(&emulator, &["help", "sdc-nosuch"])).await;
    assert_eq!(said.status.code(), Some(2));
    emulator.stop().await.unwrap();
}
