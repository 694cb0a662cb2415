//! `sdc wait`: which things it waits for, what it says when it is interrupted or late, and what it does not try.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use crate::common;
use std::process::{Command, Output};
use std::time::Duration;

use crate::common::{against, ended, output, text};
use sdc::emulator::{Emulator, Options, Pace, Seed};

const DB1: &str = "db1";

async fn said(emulator: &Emulator, words: &[&str]) -> Output {
    output(against(emulator, words)).await
}

async fn cloud(faults: &[&str]) -> Emulator {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Emulator::start(Options { faults, pace: Pace::Times(10_000.0), ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn globs_and_standard_input_name_what_is_waited_for() {
    let emulator = cloud(&[]).await;
    let globbed =
        said(&emulator, &["wait", "machines", "web*", "cache", "--for", "ready", "-o", "tsv:name", "-H"]).await;
    assert_eq!((globbed.status.code(), &*text(&globbed.stdout)), (Some(0), "web1\nweb10\ncache\n"));
    let nothing = said(&emulator, &["wait", "machines", "nothing-*", "--for", "ready"]).await;
    assert!(text(&nothing.stderr).contains("no machine matches 'nothing-*'"), "{}", text(&nothing.stderr));
    assert_eq!(nothing.status.code(), Some(3));

    let mut listed = against(&emulator, &["wait", "machines", "-", "--for", "ready", "--json"]);
    listed.input("web1\nweb10\n\n");
    let listed = output(listed).await;
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    let none = said(&emulator, &["wait", "machines", "-", "--for", "ready", "--json"]).await;
    assert_eq!((none.status.code(), &*none.stdout), (Some(0), &b"[]\n"[..]), "{}", text(&none.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn that_there_is_nothing_to_wait_for_is_said_as_of_other_commands() {
    let emulator = Emulator::start(Options { seed: Seed::Machines(0), ..Options::default() }).await.unwrap();
    for names in ["-", "*"] {
        let waited = said(&emulator, &["wait", "machines", names, "--for", "ready"]).await;
        let stopped = said(&emulator, &["machines", "stop", names]).await;
        assert_eq!((waited.status.code(), stopped.status.code()), (Some(0), Some(0)));
        assert_eq!(text(&waited.stderr), "no machine matches: nothing to wait for\n");
        assert_eq!(text(&stopped.stderr), "no machine matches: nothing to do\n");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn the_text_7_is_not_the_number_7() {
    let emulator = cloud(&[]).await;
    let set = |pair| ["machines", "tags", "set", "web1", pair, "--wait"];
    let wait = |condition| ["wait", "machines", "web1", "--for", condition, "--timeout", "1s"];
    for (pair, met, missed, words) in [
        ("n:=7", "tag.n:=7.0", "tag.n=7", "still running, with the tag n:=7 of another type after 1s"),
        ("n=7", "tag.n=7", "tag.n:=7", "still running, with the tag n=7 of another type after 1s"),
        ("n:=true", "tag.n:=true", "tag.n=true", "still running, with the tag n:=true of another type after 1s"),
    ] {
        // A change of the type alone is waited for, too.
        assert!(said(&emulator, &set(pair)).await.status.success());
        let tags = said(&emulator, &["machines", "get", "web1", "--jq", ".tags.n"]).await;
        assert_eq!(text(&tags.stdout).contains('"'), pair == "n=7", "{}", text(&tags.stdout));
        assert_eq!(said(&emulator, &wait(met)).await.status.code(), Some(0), "{met}");
        let late = said(&emulator, &wait(missed)).await;
        let told = text(&late.stderr);
        assert!(late.status.code() == Some(9) && told.contains(words), "{told}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_failed_is_found_by_its_name_and_has_failed() {
    let emulator = cloud(&["POST /machines fail times=1"]).await;
    let make = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "new"];
    assert!(said(&emulator, &make).await.status.success());
    let waited = said(&emulator, &["wait", "machines", "new", "--for", "ready"]).await;
    let told = text(&waited.stderr);
    assert!(waited.status.code() == Some(8) && told.contains("new ended in the state failed"), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_missed_is_said() {
    let emulator = cloud(&[]).await;
    for (condition, words) in [
        ("state=running", "machine db1 is still stopped after 1s"),
        ("tag.role=queue", "machine db1 is still stopped, without the tag role=queue after 1s"),
    ] {
        let waited = said(&emulator, &["wait", "machines", DB1, "--for", condition, "--timeout", "1s"]).await;
        let told = text(&waited.stderr);
        assert!(waited.status.code() == Some(9) && told.contains(words), "{told}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_wait_that_makes_no_sense_says_which_one_does() {
    let emulator = cloud(&[]).await;
    for (words, told) in [
        (["machines", "state=active"], "unknown state 'active'"),
        (["images", "ssh"], "only machines take connections"),
        (
            ["images", "soon"],
            "'soon' is not a condition of an image\n  hint: known are a state, ready, deleted, active\n",
        ),
        (["machines", "soon"], "known are a state, ready, deleted, tag.K=TEXT, port=N, ssh\n"),
    ] {
        let waited = said(&emulator, &["wait", words[0], "x", "--for", words[1]]).await;
        assert_eq!(waited.status.code(), Some(2));
        assert!(text(&waited.stderr).contains(told), "{}", text(&waited.stderr));
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_interruption_tells_what_has_come_true_and_goes_on_with_the_rest() {
    let emulator = cloud(&[]).await;
    let words = ["wait", "machines", "web1", DB1, "quiet", "--for", "ready", "--timeout", "5m", "--json"];
    let make = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "quiet"];
    assert!(said(&emulator, &make).await.status.success());
    assert!(said(&emulator, &["machines", "stop", "quiet", "--wait"]).await.status.success());
    emulator.forget_requests();
    let child = against(&emulator, &words).spawn().unwrap();
    // Each of those that are not so is looked at again.
    for _ in 0..6000 {
        if emulator.requests().iter().filter(|seen| !seen.path_and_query.contains('?')).count() >= 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ended = ended(child).await;
    let told = text(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{told}");
    assert!(told.contains("machine db1, quiet is not waited for any more"), "{told}");
    assert!(told.contains("sdc wait machines db1 quiet --for ready --timeout 5m"), "{told}");
    let rows: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(rows[0]["name"], "web1", "{rows}");
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn all_targets_have_the_time_together() {
    let options = Options { seed: Seed::Machines(80), pace: Pace::Stepped, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let words = ["wait", "machines", "*", "--for", "tag.never=yes", "--timeout", "4s", "--rate", "1000"];
    let waited = said(&emulator, &words).await;
    assert_eq!(waited.status.code(), Some(9));
    let late = text(&waited.stderr).lines().filter(|line| line.contains("without the tag never=yes after 4s")).count();
    assert_eq!(late, 80);
    // None has to wait for the end of another.
    let looks: Vec<String> = emulator.requests().into_iter().map(|seen| seen.path_and_query).skip(1).collect();
    let first: std::collections::HashSet<&String> = looks.iter().take(240).collect();
    assert_eq!(first.len(), 80, "of {} looks", looks.len());
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_not_seen_everywhere_yet_is_waited_for() {
    let emulator = cloud(&["GET /machines/* status=404 times=1"]).await;
    let list = said(&emulator, &["machines", "list", "name=web1", "-o", "ids"]).await;
    let id = text(&list.stdout).lines().next().unwrap().to_owned();
    let waited = said(&emulator, &["wait", "machines", &id, "--for", "ready"]).await;
    assert_eq!(waited.status.code(), Some(0), "{}", text(&waited.stderr));
    let never = "00000000-0000-0000-0000-000000000000";
    let waited = said(&emulator, &["wait", "machines", never, "--for", "ready"]).await;
    assert_eq!(waited.status.code(), Some(3), "{}", text(&waited.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_away_for_a_moment_is_survived_before_the_first_look_too() {
    let emulator = cloud(&["GET /networks status=503 times=8"]).await;
    let words = ["wait", "machines", "web1", "--for", "port=22", "--public", "--timeout", "1s", "--rate", "100"];
    let waited = said(&emulator, &words).await;
    assert_eq!(waited.status.code(), Some(9), "{}", text(&waited.stderr));
    emulator.stop().await.unwrap();
}

#[test]
fn who_could_never_ask_says_why_also_without_words() {
    let words = ["wait", "machines", "web1", "--for", "ready", "--timeout", "5s", "-q"];
    let waited = common::sdc("http://127.0.0.1:9", &words);
    let told = text(&waited.stderr);
    assert!(waited.status.code() == Some(9) && told.contains("because: cannot connect to 127.0.0.1:9"), "{told}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_not_tried_for_the_whole_time() {
    let https = Some("127.0.0.1:0".parse().unwrap());
    let emulator = Emulator::start(Options { https, ..Options::default() }).await.unwrap();
    let url = emulator.https_url().unwrap();
    for id in ["web1", "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d"] {
        let words = ["wait", "machines", id, "--for", "ready", "--timeout", "2h", "--url", url];
        let waited = said(&emulator, &words).await;
        let told = text(&waited.stderr);
        assert!(waited.status.code() == Some(6) && told.contains("certificate"), "{told}");
    }
    emulator.stop().await.unwrap();
}
