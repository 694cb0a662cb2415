//! Commands on many targets: how often they ask, how many they work on at once, and what an interruption leaves.
#![cfg(all(feature = "cli", feature = "emulator"))]

mod common;

use std::process::{Child, Command, Output, Stdio};

use common::key;
use sdc::emulator::{Emulator, Options, Pace, Seed};

fn against(emulator: &Emulator, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
    command
        .args(words)
        .env_clear()
        .env("HOME", key())
        .env("SDC_URL", emulator.url())
        .env("SDC_ACCOUNT", emulator.account())
        .env("SDC_KEY_FILE", emulator.key_file())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Everything comes to its end at once.
const FAST: Pace = Pace::Times(10_000.0);

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

async fn ended(child: Child) -> Output {
    tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn many(pace: Pace, faults: &[&str]) -> Emulator {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Emulator::start(Options { seed: Seed::Machines(40), pace, faults, ..Options::default() }).await.unwrap()
}

/// The requests so far, as `METHOD path`, without their queries.
fn seen(emulator: &Emulator, method: &str) -> usize {
    emulator.requests().iter().filter(|seen| seen.method == method).count()
}

async fn until(emulator: &Emulator, method: &str, wanted: usize) {
    for _ in 0..6000 {
        if seen(emulator, method) >= wanted {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{wanted} {method} never came");
}

async fn names(emulator: &Emulator) -> Vec<String> {
    let list = output(against(emulator, &["machines", "list", "-o", "tsv:name", "-H"])).await;
    let names = text(&list.stdout).lines().map(str::to_owned).collect();
    emulator.forget_requests();
    names
}

#[tokio::test]
async fn however_many_names_there_are_the_list_is_asked_for_once() {
    let emulator = many(FAST, &[]).await;
    let names = names(&emulator).await;
    let ten: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    let said = output(against(&emulator, &[&["machines", "stop"], ten.as_slice()].concat())).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert_eq!((seen(&emulator, "GET"), seen(&emulator, "POST")), (1, 10));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn more_than_twenty_must_be_allowed() {
    let emulator = many(FAST, &[]).await;
    let said = output(against(&emulator, &["machines", "stop", "*"])).await;
    assert_eq!((said.status.code(), seen(&emulator, "POST")), (Some(2), 0));
    assert!(text(&said.stderr).contains("--max 40"), "{}", text(&said.stderr));
    let said = output(against(&emulator, &["machines", "stop", "*", "--max", "40", "--json", "--rate", "1000"])).await;
    assert_eq!((said.status.code(), seen(&emulator, "POST")), (Some(0), 40), "{}", text(&said.stderr));
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(told.as_array().unwrap().len(), 40);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn no_more_are_worked_on_at_once_than_was_said() {
    // What was stopped never comes to its end here, so that only those which are waited for have been sent.
    let emulator = many(Pace::Stepped, &[]).await;
    let words = ["machines", "stop", "*", "--max", "40", "--parallel", "3", "--wait", "--timeout", "2s"];
    let child = against(&emulator, &words).spawn().unwrap();
    until(&emulator, "POST", 3).await;
    let id = child.id().to_string();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(seen(&emulator, "POST"), 3);
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(ended(child).await.status.code(), Some(130));
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn an_interruption_says_what_goes_on_and_how_to_go_on() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let emulator = many(Pace::Stepped, &[]).await;
        let names = names(&emulator).await;
        let four: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
        let words = [&["machines", "stop"], four.as_slice(), &["--wait", "--parallel", "2"]].concat();
        let child = against(&emulator, &words).spawn().unwrap();
        until(&emulator, "POST", 2).await;
        // Both are waited for by now.
        let first = seen(&emulator, "GET");
        until(&emulator, "GET", first + 2).await;
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let said = ended(child).await;
        let told = text(&said.stderr);
        assert_eq!((said.status.code(), seen(&emulator, "POST")), (Some(130), 2), "{signal}: {told}");
        for words in [
            "stop was sent for machine",
            "; nothing was sent for machine",
            "to wait for it: sdc wait machines ",
            "--for state=stopped",
            "to go on with the others: sdc machines stop ",
        ] {
            assert!(told.contains(words), "{signal}: {words} in {told}");
        }
        emulator.stop().await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_request_on_its_way_is_waited_for_and_a_second_interruption_leaves_it() {
    for twice in [false, true] {
        let wait = if twice { "POST /machines/* delay=30s" } else { "POST /machines/* delay=2s" };
        let emulator = many(FAST, &[wait]).await;
        let names = names(&emulator).await;
        let words = ["machines", "stop", &names[0], &names[1], &names[2], "--parallel", "1"];
        let mut child = against(&emulator, &words).spawn().unwrap();
        // The names have been looked up, so that what follows is the request.
        until(&emulator, "GET", 3).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let kill = |id: u32| assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
        kill(child.id());
        let stderr = child.stderr.take().unwrap();
        let told = tokio::task::spawn_blocking(move || {
            use std::io::BufRead;
            let mut reader = std::io::BufReader::new(stderr);
            let mut told = String::new();
            while !told.contains("once more leaves at once") && reader.read_line(&mut told).unwrap() > 0 {}
            (told, reader)
        });
        let (mut told, mut reader) = told.await.unwrap();
        if twice {
            kill(child.id());
        }
        let said = ended(child).await;
        std::io::Read::read_to_string(&mut reader, &mut told).unwrap();
        assert_eq!(said.status.code(), Some(130), "{told}");
        if twice {
            assert!(told.contains("stop was sent for machine"), "{told}");
        } else {
            assert_eq!(seen(&emulator, "POST"), 1, "the one that was on its way: {told}");
            assert!(told.contains("stop requested"), "{told}");
        }
        assert!(told.contains("nothing was sent for machine"), "{told}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn one_refusal_slows_all_down_and_nobody_fails() {
    // The service's real buckets, and a client that is told to go far too fast.
    let options = Options { seed: Seed::Machines(60), pace: FAST, throttle: true, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let words = ["machines", "stop", "*", "--max", "60", "--parallel", "20", "--rate", "500", "--json"];
    let said = output(against(&emulator, &words)).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let refused = emulator.requests().iter().filter(|seen| seen.status == 429).count();
    let stopped = emulator.requests().iter().filter(|seen| seen.method == "POST" && seen.status == 202).count();
    assert_eq!(stopped, 60);
    assert!((1..60).contains(&refused), "refused {refused} times: the first refusals held the others back");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn at_its_own_rate_nothing_is_ever_refused() {
    let options = Options { seed: Seed::Machines(60), pace: FAST, throttle: true, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let said =
        output(against(&emulator, &["machines", "stop", "*", "--max", "60", "--parallel", "20", "--json"])).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert_eq!(emulator.requests().iter().filter(|seen| seen.status == 429).count(), 0);
    emulator.stop().await.unwrap();
}
