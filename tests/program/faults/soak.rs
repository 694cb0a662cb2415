//! Many machines made and destroyed while a part of all requests goes wrong. The emulator's books and what the client
//! told must be equal: nothing lost, nothing made twice.

use std::collections::BTreeSet;
use std::time::Instant;

use sdc::emulator::{Emulator, Options, Pace, Seed};

use crate::faults::truth::ask;
use crate::faults::{beside, runtime, sdc, text};

/// What goes wrong, and with which part of the requests: one in twenty together. The seed makes a run like the last
/// one.
const FAULTS: &[&str] = &[
    "* status=503 p=0.01 seed=11",
    "* status=429 p=0.01 seed=12",
    "* drop=before p=0.01 seed=13",
    "* drop=after p=0.01 seed=14",
    "* html p=0.005 seed=15",
    "* json=cut p=0.005 seed=16",
];

/// How many machines: more with `SDC_SOAK`.
fn size() -> usize {
    std::env::var("SDC_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(100)
}

#[test]
fn through_random_faults_nothing_is_lost_and_nothing_is_made_twice() {
    let _alone = crate::common::heavy();
    let many = size();
    let runtime = runtime();
    let options = Options {
        seed: Seed::Machines(0),
        pace: Pace::Times(200.0),
        faults: FAULTS.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    };
    let emulator = runtime.block_on(Emulator::start(options)).unwrap();
    beside(&runtime, || books_are_equal(&emulator, many));
    runtime.block_on(emulator.stop()).unwrap();
}

fn books_are_equal(emulator: &Emulator, many: usize) {
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let most = many.to_string();
        let all = [words, &["--wait", "--json", "--max", &most, "--parallel", "8"]].concat();
        sdc(emulator, home.path(), "1500ms", &all)
    };
    let began = Instant::now();
    let names = format!("soak-{{0001..{many:04}}}");
    let create = [
        "machines",
        "create",
        "--image",
        "base-64",
        "--package",
        "g1-small",
        "-n",
        &names,
        "--idempotency-key",
        "soak",
    ];
    let made = run(&create);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let told = ids(&made.stdout);
    assert_eq!(told.len(), many, "as many machines were told as were asked for");

    assert_eq!(books(emulator, "running"), told, "the books after the creation");
    let gone = run(&["machines", "delete", "soak-*", "--yes"]);
    assert_eq!(gone.status.code(), Some(0), "{}", text(&gone.stderr));
    assert_eq!(ids(&gone.stdout), told, "as many were told to be gone as had been made");
    assert_eq!(books(emulator, "deleted"), told, "the books after the destruction");

    let requests = emulator.requests();
    let wrong = requests.iter().filter(|seen| !seen.faults.is_empty()).count();
    let part = wrong as f64 / requests.len() as f64;
    println!(
        "{many} machines made and destroyed in {:.0?}; {} requests, {wrong} of them went wrong ({:.1} %)",
        began.elapsed(),
        requests.len(),
        100.0 * part
    );
    assert!(wrong > 0 && (0.03..0.07).contains(&part), "{wrong} of {} requests went wrong", requests.len());
}

/// The ids of all machines ever made, every one of which must be in this state.
fn books(emulator: &Emulator, state: &str) -> BTreeSet<String> {
    let books = ask(emulator, "machines");
    let rows = books.as_array().unwrap();
    let others: Vec<_> = rows.iter().filter(|row| row["state"] != state).collect();
    assert!(others.is_empty(), "not {state}: {others:?}");
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn ids(json: &[u8]) -> BTreeSet<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(json).unwrap_or_default();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}
