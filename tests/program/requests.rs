//! How often a command asks the service, counted by the emulator.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common::{against, output, text};
use sdc::emulator::{Emulator, Options};

const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

/// Runs the command and returns the requests it made, as `METHOD path`.
async fn requests(emulator: &Emulator, home: &std::path::Path, words: &[&str]) -> Vec<String> {
    emulator.forget_requests();
    let mut command = against(emulator, words);
    command.env("HOME", home);
    let said = output(command).await;
    assert!(said.status.success(), "{words:?} failed: {}", text(&said.stderr));
    emulator.requests().iter().map(|seen| format!("{} {}", seen.method, seen.path_and_query)).collect()
}

#[tokio::test]
async fn no_command_asks_more_often_than_it_must() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let count = async |words: &[&str]| requests(&emulator, home.path(), words).await.len();

    // While the cache is cold.
    assert_eq!(count(&["machines", "get", WEB1]).await, 1);
    assert_eq!(count(&["machines", "get", "web1"]).await, 2);
    assert_eq!(count(&["machines", "list", "--json"]).await, 1);
    assert_eq!(count(&["machines", "list"]).await, 2, "the machines, and once the images' names");
    assert_eq!(count(&["machines", "list"]).await, 1, "the images' names are known by now");
    assert_eq!(count(&["machines", "get", WEB1]).await, 1);
    assert_eq!(count(&["machines", "get", "web1"]).await, 2);
    assert_eq!(count(&["machines", "stop", WEB1]).await, 1);
    assert_eq!(count(&["machines", "get", WEB1, "--dry-run"]).await, 0);
    assert_eq!(count(&["machines", "list", "name=web", "--curl"]).await, 0);
    assert_eq!(count(&["config", "show"]).await, 0);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn names_that_many_documents_have_in_common_are_looked_up_once() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("machines.yaml");
    let one = "image: base-64\npackage: g1-nano\nnetwork: [backend]\n---\n";
    let path = file.display().to_string();
    let mut counts = Vec::new();
    for many in [1, 12] {
        std::fs::write(&file, one.repeat(many)).unwrap();
        let words = ["machines", "create", "--from", &path, "--dry-run"];
        counts.push(requests(&emulator, home.path(), &words).await.len());
    }
    assert_eq!(counts[0], counts[1], "{counts:?}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn pages_are_asked_for_until_a_short_one_comes() {
    let options = Options { seed: sdc::emulator::Seed::Machines(2500), ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let seen = requests(&emulator, home.path(), &["machines", "list", "--json"]).await;
    for wanted in ["limit=1000", "limit=1000&offset=999", "limit=1000&offset=1998"] {
        assert!(seen.contains(&format!("GET /acme/machines?{wanted}")), "{wanted} in {seen:?}");
    }
    assert!(seen.len() <= 6, "the pages, and at most a window more than there are: {seen:?}");
    let seen = requests(&emulator, home.path(), &["machines", "list", "--json", "--limit", "1200"]).await;
    assert_eq!(seen, ["GET /acme/machines?limit=1000", "GET /acme/machines?limit=201&offset=999"]);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn internal_services_whose_addresses_are_known_are_asked_once() {
    let emulator = Emulator::start(Options { admin: true, ..Options::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let sapi = format!("http://{}", emulator.sapi().unwrap());
    let words = ["admin", "vms", "list", "--json", "--sapi", &sapi];
    assert!(requests(&emulator, home.path(), &words).await.len() > 1, "SAPI and the ping while the cache is cold");
    assert_eq!(requests(&emulator, home.path(), &words).await, ["GET /vms?state=active&limit=1000"]);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn ten_thousand_vms_are_eleven_pages() {
    let seed = sdc::emulator::Seed::Machines(10_000);
    let emulator = Emulator::start(Options { seed, admin: true, ..Options::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let sapi = format!("http://{}", emulator.sapi().unwrap());
    requests(&emulator, home.path(), &["admin", "discover", "--sapi", &sapi]).await;
    let seen = requests(&emulator, home.path(), &["admin", "vms", "list", "--count", "--sapi", &sapi]).await;
    assert!(seen.len() <= 11, "{seen:?}");
    emulator.stop().await.unwrap();
}
