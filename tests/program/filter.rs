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
