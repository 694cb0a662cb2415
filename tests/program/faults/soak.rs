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
    // The services' own zones are there too.
    let made = |row: &&serde_json::Value| row["name"].as_str().is_some_and(|name| name.starts_with("soak"));
    let rows: Vec<_> = books.as_array().unwrap().iter().filter(made).collect();
    let others: Vec<_> = rows.iter().filter(|row| row["state"] != state).collect();
    assert!(others.is_empty(), "not {state}: {others:?}");
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn ids(json: &[u8]) -> BTreeSet<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_slice(json).unwrap_or_default();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The same through the internal services, while the customer lists what there is.
#[test]
fn what_operators_make_and_destroy_through_random_faults_is_the_same_on_both_sides() {
    let _alone = crate::common::heavy();
    let many = size();
    let runtime = runtime();
    let options = Options {
        seed: Seed::Machines(0),
        admin: true,
        pace: Pace::Times(200.0),
        faults: FAULTS.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    };
    let emulator = runtime.block_on(Emulator::start(options)).unwrap();
    beside(&runtime, || both_sides_are_equal(&emulator, many));
    runtime.block_on(emulator.stop()).unwrap();
}

fn both_sides_are_equal(emulator: &Emulator, many: usize) {
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| sdc(emulator, home.path(), "1500ms", words);
    // Who asks again in the end gets an answer: one request in twenty goes wrong.
    let sure = |words: &[&str]| {
        let tries = (0..5).map(|_| run(words));
        let said = tries.into_iter().find(|said| said.status.success()).unwrap_or_else(|| panic!("{words:?}"));
        text(&said.stdout)
    };
    let owner = sure(&["account", "get", "-o", "id", "-H"]);
    let used = || sure(&["admin", "networks", "usage", "private", "-o", "csv:used", "-H"]);
    let before = used();
    let began = Instant::now();
    let done = std::sync::atomic::AtomicBool::new(false);
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let customer = scope.spawn(|| {
            let mut lists = 0;
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                let listed = sure(&["machines", "list", "-o", "ids"]);
                let ids: BTreeSet<&str> = listed.lines().collect();
                assert_eq!(ids.len(), listed.lines().count(), "a machine is listed twice");
                lists += 1;
            }
            lists
        });
        let makers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        if number >= many {
                            return;
                        }
                        make(emulator, &run, number, owner.trim());
                    }
                })
            })
            .collect();
        makers.into_iter().for_each(|maker| maker.join().unwrap());
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        println!("the customer listed {} times meanwhile", customer.join().unwrap());
    });
    let theirs = |state: &str| -> BTreeSet<String> {
        let filter = format!("state={state}");
        let listed = sure(&["admin", "vms", "list", &format!("owner={}", owner.trim()), &filter, "-o", "ids"]);
        listed.lines().map(str::to_owned).collect()
    };
    let ours: BTreeSet<String> = sure(&["machines", "list", "-o", "ids"]).lines().map(str::to_owned).collect();
    assert_eq!(theirs("running"), ours, "both sides after the creation");
    assert_eq!(books(emulator, "running"), ours, "the books after the creation");
    assert_eq!(ours.len(), many);
    let most = many.to_string();
    sure(&["admin", "vms", "delete", "soak-*", "--yes", "--wait", "--ignore-missing", "--max", &most]);
    assert_eq!(books(emulator, "deleted"), ours, "the books after the destruction");
    assert_eq!(sure(&["machines", "list", "-o", "ids"]), "");
    assert_eq!(theirs("destroyed"), ours, "both sides after the destruction");
    assert_eq!(used(), before, "the addresses are free again");
    let requests = emulator.requests();
    let wrong = requests.iter().filter(|seen| !seen.faults.is_empty()).count();
    let part = 100.0 * wrong as f64 / requests.len() as f64;
    println!(
        "{many} VMs in {:.0?}; {} requests, {wrong} of them went wrong ({part:.1} %)",
        began.elapsed(),
        requests.len()
    );
    assert!((3.0..7.0).contains(&part), "{wrong} of {} requests went wrong", requests.len());
}

/// Makes one VM of an id that is chosen here. Where it is said that the outcome is unknown, or that nothing was made,
/// the same id is asked for again: there is never a second one.
fn make(emulator: &Emulator, run: &dyn Fn(&[&str]) -> std::process::Output, number: usize, owner: &str) {
    let (id, name) = (format!("50a40000-0000-4000-8000-{number:012}"), format!("soak-{number:04}"));
    let create = [
        "admin",
        "vms",
        "create",
        "--brand",
        "joyent",
        "--image",
        "base-64",
        "--package",
        "g1-small",
        "--network",
        "private",
        "--owner",
        owner,
        "--uuid",
        &id,
        "-n",
        &name,
        "--wait",
    ];
    for _ in 0..8 {
        let said = run(&create);
        let books = ask(emulator, "machines");
        let there = books.as_array().unwrap().iter().filter(|row| row["id"] == id.as_str()).count();
        assert!(there <= 1, "{id} is there {there} times");
        if said.status.success() {
            assert_eq!(there, 1, "{id} was told, and is not there");
            return;
        }
        assert!(matches!(said.status.code(), Some(1 | 5 | 6 | 7)), "{}", text(&said.stderr));
        // Made all the same, and only its end was not seen.
        if there == 1 {
            return;
        }
    }
    panic!("{id} was not made");
}
