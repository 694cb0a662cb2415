//! Every failure says what it is about, to people and to scripts, and says no more than is known.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{against, ended, output, text};
use sdc::emulator::{Emulator, Options, Pace};

const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const WEB10: &str = "9e04d7b1-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const NOBODY: &str = "00000000-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const NEW: &[&str] = &["machines", "create", "--image", "base-64", "--package", "g1-nano"];

async fn cloud(faults: &[&str]) -> Emulator {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Emulator::start(Options { pace: Pace::Times(100.0), faults, ..Options::default() }).await.unwrap()
}

async fn said(emulator: &Emulator, words: &[&str]) -> Output {
    output(against(emulator, words)).await
}

/// What is told of each failure, as JSON.
fn failures(said: &Output) -> Vec<Value> {
    let told = text(&said.stderr);
    let all = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    all.filter_map(|mut line| Some(line.get_mut("error")?.take())).collect()
}

#[tokio::test]
async fn an_id_that_was_typed_is_the_id_of_the_target() {
    let emulator = cloud(&[]).await;
    let wait = ["wait", "machines", "--for", "stopped", "--timeout", "1s", "-j"];
    for (ids, code) in [(&[WEB1][..], 9), (&[NOBODY], 3), (&[WEB1, WEB10], 9)] {
        let said = said(&emulator, &[&wait[..], ids].concat()).await;
        assert_eq!(said.status.code(), Some(code), "{}", text(&said.stderr));
        let told: Vec<Value> = failures(&said).iter().map(|error| error["target"]["id"].clone()).collect();
        assert!(ids.len() == told.len() && ids.iter().all(|id| told.contains(&json!(id))), "{told:?}");
    }
    let mut listed = against(&emulator, &[&wait[..], &["-"]].concat());
    listed.input(format!("{WEB1}\n"));
    assert_eq!(failures(&output(listed).await)[0]["target"]["id"], WEB1);
    for words in [["machines", "why", NOBODY, "-j"], ["machines", "stop", NOBODY, "-j"]] {
        let target = failures(&said(&emulator, &words).await)[0]["target"].clone();
        assert_eq!((&target["noun"], &target["id"]), (&json!("machine"), &json!(NOBODY)), "{words:?}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_error_of_an_action_names_its_target_also_where_it_is_the_only_one() {
    for (fault, words, told) in [
        ("POST /machines status=500", [NEW, &["-n", "s-1"]].concat(), "error: 's-1': planted fault"),
        ("POST /machines drop=after", [NEW, &["-n", "s-1"]].concat(), "error: 's-1': "),
        ("POST /machines/* drop=after", vec!["machines", "reboot", WEB1], "error: machine 3c1f8a52"),
        ("POST /machines/* drop=after", vec!["machines", "stop", "web1"], "error: machine web1 (3c1f8a52"),
        ("DELETE /machines/* hang", vec!["machines", "delete", "web1", "-y"], "error: machine web1 (3c1f8a52"),
        ("POST /machines/*/tags drop=after", vec!["machines", "tags", "set", "web1", "a=b"], "error: machine web1 ("),
    ] {
        let emulator = cloud(&[fault]).await;
        let mut command = against(&emulator, &words);
        command.env("SDC_REQUEST_TIMEOUT", "1s");
        let said = text(&output(command).await.stderr);
        assert!(said.lines().any(|line| line.starts_with(told)), "{words:?}: {said}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_machine_that_cannot_be_made_is_given_up_soon_and_said_to_have_been_looked_for() {
    let emulator = cloud(&["POST /machines status=500"]).await;
    for once in [&["--if-absent"][..], &["--idempotency-key", "job-1"]] {
        emulator.forget_requests();
        let begun = Instant::now();
        let given_up = said(&emulator, &[NEW, &["-n", "s-1"], once].concat()).await;
        let told = text(&given_up.stderr);
        assert_eq!(given_up.status.code(), Some(1), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let posts = emulator.requests().iter().filter(|seen| seen.method == "POST").count();
        assert_eq!(posts, 3, "{told}");
        for words in ["looking whether it was carried out", "so far: sending it again", "it was looked for until now"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(!told.contains("look before sending it again"), "{told}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn many_that_are_refused_do_not_add_up_their_tries() {
    let emulator = cloud(&["POST /machines status=429"]).await;
    let begun = Instant::now();
    let many = said(&emulator, &[NEW, &["-n", "s-{1..3}"]].concat()).await;
    assert_eq!(many.status.code(), Some(7), "{}", text(&many.stderr));
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    assert!(!text(&many.stderr).contains("waiting for an answer"), "{}", text(&many.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_nothing_is_known_of_any_more_is_not_said_to_have_been_deleted() {
    let emulator = cloud(&["POST /machines vanish"]).await;
    let words = [NEW, &["-n", "s-1", "--wait", "--on-failure", "delete", "-j"]].concat();
    let gone = failures(&said(&emulator, &words).await).remove(0);
    assert_eq!((&gone["exit"], &gone["cleanup"]), (&json!(9), &json!("unknown")), "{gone}");
    let hints = gone["hints"].to_string();
    assert!(hints.contains("it was not found, and so not deleted") && !hints.contains("it is deleted"), "{hints}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_somebody_else_deletes_meanwhile_is_not_said_to_be_left() {
    let emulator = cloud(&["POST /machines fail", "DELETE /machines/* delay=5s status=409 times=1"]).await;
    let words = [NEW, &["-n", "s-1", "--wait", "--on-failure", "delete", "-j"]].concat();
    let child = against(&emulator, &words).process().spawn().unwrap();
    let begun = Instant::now();
    while said(&emulator, &["machines", "list", "name=s-1", "state=failed", "-o", "ids"]).await.stdout.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Its own deletion is on the way by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let other = said(&emulator, &["machines", "delete", "s-1", "--state", "failed", "--yes", "--wait"]).await;
    assert!(other.status.success(), "{}", text(&other.stderr));
    let gone = failures(&ended(child).await).remove(0);
    assert_eq!(gone["cleanup"], "deleted", "{gone}");
    assert!(gone["hints"].to_string().contains("it was gone already"), "{gone}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_signal_while_a_failed_machine_is_deleted_is_answered_and_a_second_one_leaves() {
    // The deletion never comes to its end.
    let emulator = cloud(&["POST /machines fail", "DELETE /machines/* silent"]).await;
    let words = [NEW, &["-n", "s-1", "--wait", "--on-failure", "delete", "-q"]].concat();
    let child = against(&emulator, &words).process().stderr(std::process::Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let begun = Instant::now();
    while !emulator.requests().iter().any(|seen| seen.method == "DELETE") {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }
    let left = ended(child).await;
    let told = text(&left.stderr);
    assert!(left.status.code() == Some(130) && begun.elapsed() < Duration::from_secs(30), "{told}");
    assert!(told.contains("once more leaves at once"), "{told}");
    assert!(told.contains("is being deleted and may still be there") && told.contains("machines delete "), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn scripts_and_secrets_are_in_no_trace_and_no_preview_and_no_message() {
    let emulator = cloud(&[]).await;
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("boot.sh");
    std::fs::write(&script, "#!/bin/sh\nexport API_TOKEN=tok_abc123\necho hello-from-boot\n").unwrap();
    let script = script.to_str().unwrap();
    let create =
        [NEW, &["-n", "s-1", "--script", script, "-m", "env=DB_PASSWORD=tok_abc123", "-m", "motd=hi"]].concat();
    for more in [&["--dry-run"][..], &["--debug=bodies"]] {
        let shown = said(&emulator, &[&create, more].concat()).await;
        assert!(shown.status.success(), "{}", text(&shown.stderr));
        let told = if more == ["--dry-run"] { text(&shown.stdout) } else { text(&shown.stderr) };
        assert!(told.contains("(redacted)") && told.contains("motd"), "{told}");
        assert!(!told.contains("tok_abc123") && !told.contains("hello-from-boot"), "{told}");
    }
    let whole = said(&emulator, &[&create, &["--dry-run", "-j"][..]].concat()).await;
    assert!(text(&whole.stdout).contains("hello-from-boot"), "what is asked for as data has all of it");
    for metadata in [
        &["-m", "token", "tok_abc123"][..],
        &["--metadata", "token", "tok_abc123", "-j"],
        &["-M", "token", "tok_abc123"],
    ] {
        let refused = said(&emulator, &[&["machines", "create", "base-64", "g1-nano"], metadata].concat()).await;
        let told = text(&refused.stderr);
        assert!(refused.status.code() == Some(2) && !told.contains("tok_abc123"), "{told}");
        assert!(told.contains("-m NAME=VALUE"), "{told}");
    }
    emulator.stop().await.unwrap();
}
