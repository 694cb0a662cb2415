//! Commands on many targets: how often they ask, how many they work on at once, and what an interruption leaves.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common;
use std::process::{Command, Stdio};

use crate::common::{against, ended, output, text};
use sdc::emulator::{Document, Emulator, Options, Pace, Seed};

/// Everything comes to its end at once.
const FAST: Pace = Pace::Times(10_000.0);

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
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
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

/// What an interruption says once the first of several requests has been sent.
#[cfg(unix)]
async fn interrupted(words: &[&str]) -> String {
    let emulator = many(Pace::Stepped, &[]).await;
    let names = names(&emulator).await;
    let words: Vec<&str> = words
        .iter()
        .map(|word| word.strip_prefix('$').map_or(*word, |at| &names[at.parse::<usize>().unwrap()]))
        .collect();
    let child = against(&emulator, &words).spawn().unwrap();
    until(&emulator, "POST", 1).await;
    let first = seen(&emulator, "GET");
    until(&emulator, "GET", first + 1).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    emulator.stop().await.unwrap();
    assert_eq!(said.status.code(), Some(130));
    text(&said.stderr)
}

#[cfg(unix)]
#[tokio::test]
async fn whoever_goes_on_after_an_interruption_has_the_same_options() {
    for (words, hints) in [
        (
            &["machines", "stop", "$0", "$1", "--wait", "--timeout", "5m", "--parallel", "1"][..],
            &[" --parallel 1 --wait --timeout 5m"][..],
        ),
        // It runs before and after.
        (
            &["machines", "reboot", "$0", "$1", "-w", "--parallel", "1"],
            &["to see whether it is done: sdc machines audit "],
        ),
        (
            &[
                "machines",
                "create",
                "--image",
                "base-64",
                "--package",
                "g1-nano",
                "-n",
                "new-{1..3}",
                "-w",
                "--parallel",
                "1",
            ],
            &[
                "--for state=running",
                "to make the others: the same command, with -n NAME and without --count, for each of new-2, new-3",
            ],
        ),
        (
            &[
                "machines",
                "create",
                "--image",
                "base-64",
                "--package",
                "g1-nano",
                "-n",
                "new-{1..3}",
                "--wait=running",
                "--parallel",
                "1",
                "--idempotency-key",
                "job",
            ],
            &["to go on: the same command again"],
        ),
    ] {
        let told = interrupted(words).await;
        for hint in hints {
            assert!(told.contains(hint), "{hint} in {told}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_refused_after_an_interruption_is_not_sent_again() {
    let emulator = many(FAST, &["POST /machines/* status=503 retry-after=2"]).await;
    let names = names(&emulator).await;
    let child = against(&emulator, &["machines", "stop", &names[0]]).spawn().unwrap();
    until(&emulator, "POST", 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    emulator.clear_faults();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    let told = text(&said.stderr);
    assert_eq!((said.status.code(), seen(&emulator, "POST")), (Some(130), 1), "{told}");
    assert!(told.contains("interrupted: nothing was sent for machine"), "{told}");
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_deletion_that_the_service_has_not_taken_yet_is_told_as_unsent() {
    let emulator = many(FAST, &["DELETE /machines/* status=409 code=ConflictError"]).await;
    let names = names(&emulator).await;
    let words = ["machines", "delete", &names[0], "--yes", "--wait", "--json"];
    let child = against(&emulator, &words).spawn().unwrap();
    until(&emulator, "DELETE", 1).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    let told: serde_json::Value = serde_json::from_str(text(&said.stderr).trim()).unwrap();
    assert_eq!(said.status.code(), Some(130), "{told}");
    assert_eq!(told["error"]["sent"], serde_json::json!([]), "{told}");
    assert_eq!(told["error"]["unsent"].as_array().unwrap().len(), 1, "{told}");
    // It goes on for nobody who waits no longer, either.
    let said = ended(against(&emulator, &[&words[..], &["--timeout", "300ms"]].concat()).spawn().unwrap()).await;
    let told = text(&said.stderr);
    assert!(said.status.code() == Some(5) && told.contains("did not take the deletion within 300ms"), "{told}");
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn what_may_have_been_made_by_an_earlier_try_is_never_told_as_unsent() {
    let emulator = many(FAST, &["POST /machines drop=before times=1", "POST /machines status=503 retry-after=3"]).await;
    let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "new"];
    let words = [&words[..], &["--idempotency-key", "job", "--request-timeout", "1s"]].concat();
    let child = against(&emulator, &words).spawn().unwrap();
    until(&emulator, "POST", 2).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    let told = text(&said.stderr);
    assert!(!told.contains("nothing was sent"), "{told}");
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn of_many_that_wait_for_their_turn_none_is_made_after_an_interruption() {
    let emulator = many(FAST, &[]).await;
    let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "q-{01..40}"];
    let words = [&words[..], &["--parallel", "40", "--max", "40", "--rate", "4", "--json"]].concat();
    let child = against(&emulator, &words).spawn().unwrap();
    until(&emulator, "POST", 12).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(130), "{told}");
    let made: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let made = made.as_array().unwrap().len();
    assert!(made < 20, "{made} were made: {told}");
    let there = output(against(&emulator, &["machines", "list", "name=q-*", "-o", "ids"])).await;
    assert_eq!(text(&there.stdout).lines().count(), made, "each is told");
    assert!(told.contains("more") && told.contains("to make the others: the same command, with -n NAME"), "{told}");
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn who_leaves_at_once_still_learns_what_was_made() {
    let emulator = many(FAST, &["POST /machines delay=20s skip=1"]).await;
    let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "new-{1..3}"];
    let words = [&words[..], &["--parallel", "1", "-o", "ids"]].concat();
    let child = against(&emulator, &words).spawn().unwrap();
    until(&emulator, "POST", 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let id = child.id().to_string();
    for _ in 0..2 {
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    }
    let said = ended(child).await;
    let told = text(&said.stderr);
    assert_eq!((said.status.code(), text(&said.stdout).lines().count()), (Some(130), 1), "{told}");
    assert!(told.contains("to see what became of it: sdc machines list name=new-2"), "{told}");
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn what_was_there_already_was_not_sent() {
    let emulator = many(Pace::Stepped, &[]).await;
    let names = names(&emulator).await;
    let get = output(against(&emulator, &["machines", "get", &names[0], "-j"])).await;
    let machine: serde_json::Value = serde_json::from_slice(&get.stdout).unwrap();
    let (image, package) = (machine["image"].as_str().unwrap(), machine["package"].as_str().unwrap());
    let words = ["machines", "create", "--image", image, "--package", package, "-n", &names[0], "--if-absent"];
    emulator.forget_requests();
    let child = against(&emulator, &[&words[..], &["--wait=stopped"]].concat()).spawn().unwrap();
    until(&emulator, "GET", 4).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    let told = text(&said.stderr);
    assert!(said.status.code() == Some(130) && !told.contains("was sent"), "{told}");
    assert!(told.contains("is not waited for any more") && told.contains("--for state=stopped"), "{told}");
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_hangup_that_is_ignored_interrupts_nothing() {
    let emulator = many(FAST, &["POST /machines/* delay=1500ms"]).await;
    let names = names(&emulator).await;
    let mut command = Command::new("sh");
    let line = format!("trap '' HUP; exec '{}' machines stop {} --wait", env!("CARGO_BIN_EXE_sdc"), names[0]);
    command.args(["-c", &line]).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command.envs(common::told_of(emulator.url(), emulator.account(), emulator.key_file()));
    let child = command.spawn().unwrap();
    until(&emulator, "GET", 2).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    let said = ended(child).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_glob_destroys_nothing_that_the_list_does_not_show() {
    let emulator = many(FAST, &["POST /machines fail times=2"]).await;
    for name in ["job-1", "job-2"] {
        let words =
            ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", name, "-t", "role=ci", "-w"];
        assert_eq!(output(against(&emulator, &words)).await.status.code(), Some(8));
    }
    let shown = output(against(&emulator, &["machines", "get", "job-1", "--jq", ".state", "--raw"])).await;
    assert_eq!(text(&shown.stdout), "failed\n", "{}", text(&shown.stderr));
    // Nothing can be done to such but to delete it.
    let stopped = output(against(&emulator, &["machines", "stop", "-l", "role=ci"])).await;
    assert!(text(&stopped.stderr).contains("no machine matches"), "{}", text(&stopped.stderr));
    for words in [&["job-*"][..], &["-l", "role=ci"], &["--older-than", "1s", "-l", "role=ci"]] {
        let deleted = output(against(&emulator, &[&["machines", "delete"], words, &["--yes"]].concat())).await;
        assert!(!text(&deleted.stderr).contains("done"), "{words:?}: {}", text(&deleted.stderr));
    }
    let all = output(against(&emulator, &["machines", "delete", "*", "--dry-run"])).await;
    assert!(!text(&all.stderr).contains("job-"), "{}", text(&all.stderr));
    // A name, an id or the state itself says that they are meant.
    let deleted = output(against(&emulator, &["machines", "delete", "job-1", "--yes", "-w"])).await;
    assert!(deleted.status.success(), "{}", text(&deleted.stderr));
    let words = ["machines", "delete", "--state", "failed", "-l", "role=ci", "--yes", "-w"];
    let deleted = output(against(&emulator, &words)).await;
    let told = text(&deleted.stderr);
    assert!(deleted.status.success() && told.contains("job-2") && !told.contains("job-1"), "{told}");
    let again = output(against(&emulator, &["machines", "delete", "-l", "role=ci", "--yes"])).await;
    assert!(text(&again.stderr).contains("no machine matches"), "what is gone is gone: {}", text(&again.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_left_of_a_machine_that_was_gone_is_no_result() {
    let emulator = many(FAST, &[]).await;
    let list = output(against(&emulator, &["machines", "list", "-o", "ids"])).await;
    let ids: Vec<String> = text(&list.stdout).lines().take(2).map(str::to_owned).collect();
    let delete = |ids: &[String]| {
        let mut words = vec!["machines", "delete", "--yes", "-w", "--json"];
        words.extend(ids.iter().map(String::as_str));
        against(&emulator, &words)
    };
    assert!(output(delete(&ids[..1])).await.status.success());
    let both = output(delete(&ids)).await;
    assert_eq!(both.status.code(), Some(3), "{}", text(&both.stderr));
    let told: serde_json::Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_dry_run_of_what_was_picked_is_an_array_of_however_many() {
    let emulator = many(FAST, &[]).await;
    let names = names(&emulator).await;
    for (target, begins) in [(names[0].as_str(), "{"), (&format!("{}*", names[0]), "[{"), ("-", "[]")] {
        let said = output(against(&emulator, &["machines", "stop", target, "--dry-run", "--json"])).await;
        assert!(text(&said.stdout).starts_with(begins), "{target}: {}", text(&said.stdout));
    }
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_table_that_is_piped_in_is_no_list_of_names_and_is_not_repeated() {
    let emulator = many(FAST, &[]).await;
    let pipe = format!("{0} machines list | {0} machines stop -", env!("CARGO_BIN_EXE_sdc"));
    let mut command = Command::new("sh");
    command.args(["-c", &pipe]).stderr(Stdio::piped()).env_clear();
    command.envs(common::told_of(emulator.url(), emulator.account(), emulator.key_file()));
    let said = output(command).await;
    let told = text(&said.stderr);
    assert!(told.contains("their ids alone, one a line: sdc machines list -o ids"), "{told}");
    assert!(told.lines().all(|line| line.chars().count() < 110), "{told}");
    emulator.stop().await.unwrap();
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

/// The command of a hint is one that there is, for every kind of target.
#[test]
fn json_in_the_place_of_ids_is_answered_with_the_list_of_that_noun() {
    let mut seen = 0;
    for op in sdc::api::CLOUDAPI.ops().filter(|op| op.takes_several()) {
        let noun = sdc::api::CLOUDAPI.noun(op.path_params().last().unwrap()).unwrap();
        let command = sdc::api::CLOUDAPI.command(op);
        let words = command.split(' ').map(|word| match word {
            "VLAN" => "2",
            word if word == word.to_uppercase() => "b6979942-7d5d-4fe6-a2ec-b812e950625a",
            word => word,
        });
        let mut words: Vec<&str> = words.collect();
        *words.last_mut().unwrap() = "-";
        let fields = op.fields.iter().filter(|field| field.positional && field.required);
        words.extend(fields.map(|_| "x"));
        let url = "http://127.0.0.1:1";
        let said = common::program(url, "acme", &common::key().join("key"), &words).input("[1]").output();
        let said = text(&said.unwrap().stderr);
        if !said.contains("they are JSON") {
            continue;
        }
        seen += 1;
        let list = sdc::api::CLOUDAPI.command(noun.list);
        assert!(said.contains(&format!("hint: sdc {list} -o ids")), "{words:?}: {said}");
    }
    assert!(seen >= 20, "{seen}");
}

#[tokio::test]
async fn every_verb_takes_several_and_parts_say_whose_they_are() {
    let emulator = Emulator::start(Options { pace: FAST, ..Options::default() }).await.unwrap();
    let run = async |words: &[&str]| {
        let said = output(against(&emulator, words)).await;
        (said.status.code(), text(&said.stdout), text(&said.stderr))
    };
    let json = async |words: &[&str]| -> serde_json::Value {
        let (code, out, err) = run(&[words, &["-j"]].concat()).await;
        assert_eq!(code, Some(0), "{words:?}: {err}");
        serde_json::from_str(&out).unwrap()
    };
    let (a, b, glob) = ("web1", "web10", "web*");
    // What several parts are made of, and lists of them, name their machine.
    let made = json(&["machines", "snapshots", "create", a, b, "-n", "day", "--wait"]).await;
    let owners = |rows: &serde_json::Value| -> Vec<String> {
        rows.as_array().unwrap().iter().map(|row| row["machine"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(owners(&made), [a, b]);
    let listed = json(&["machines", "snapshots", "list", glob]).await;
    assert_eq!(owners(&listed), [a, b]);
    let (_, table, _) = run(&["machines", "snapshots", "list", glob]).await;
    assert!(table.starts_with("MACHINE") && table.contains("day"), "{table}");
    let (code, _, err) = run(&["machines", "snapshots", "delete", "*", "*", "--older-than", "1h", "--yes"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("no snapshot matches: nothing to do"), "{err}");
    let (code, _, err) = run(&["machines", "snapshots", "delete", glob, "day", "--yes", "--wait"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(json(&["machines", "snapshots", "list", glob]).await, serde_json::json!([]));
    // Tags and metadata.
    let set = json(&["machines", "tags", "set", a, b, "colour=red", "--wait"]).await;
    assert_eq!(owners(&set), [a, b]);
    assert_eq!(set[0]["tags"]["colour"], "red");
    let (code, _, err) = run(&["machines", "tags", "set", "-l", "colour=red", "colour=blue", "--wait"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(run(&["machines", "list", "-l", "colour=blue", "--count"]).await.1, "2\n");
    let (code, _, err) =
        run(&["machines", "tags", "delete", glob, "colour", "--yes", "--ignore-missing", "--wait"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(run(&["machines", "list", "-l", "colour", "--count"]).await.1, "0\n");
    // What is shown.
    let (code, out, err) = run(&["machines", "get", a, "nosuch", b, "-o", "tsv:name", "-H"]).await;
    assert_eq!((code, out), (Some(3), format!("{a}\n{b}\n")), "{err}");
    let (code, out, _) = run(&["machines", "ip", a, b]).await;
    assert_eq!((code, out.lines().count()), (Some(0), 2));
    // New names.
    let (code, _, err) = run(&["machines", "rename", a, b, "same"]).await;
    assert!(code == Some(2) && err.contains("cannot all be named 'same'"), "{err}");
    let (code, _, err) = run(&["machines", "rename", a, b, "{name}-old", "--wait"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(run(&["machines", "list", "*-old", "--count"]).await.1, "2\n");
    let (code, _, err) = run(&["machines", "rename", "*-old", "new-*", "--wait"]).await;
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(run(&["machines", "list", "new-*", "--count"]).await.1, "2\n");
    // The package stands behind the machines, whatever options stand between.
    let (code, _, err) = run(&["machines", "resize", "new-*", "--wait", "g1-medium"]).await;
    assert_eq!(code, Some(0), "{err}");
    let (code, _, err) = run(&["machines", "resize", "new-*"]).await;
    assert!(code == Some(2) && err.contains("PACKAGE is missing"), "{err}");
    let (code, _, err) = run(&["machines", "snapshots", "boot", a, b, "day"]).await;
    assert!(code == Some(2) && err.contains("this command takes one machine and one snapshot"), "{err}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn errors_of_several_targets_say_in_json_which_they_are_about() {
    let emulator = many(FAST, &["POST /machines/* status=500 times=1"]).await;
    let list = text(&output(against(&emulator, &["machines", "list", "-o", "tsv:name,id", "-H"])).await.stdout);
    let (name, id) = list.lines().next().unwrap().split_once('\t').unwrap();
    let said = output(against(&emulator, &["machines", "stop", name, "nosuch", "-j", "--parallel", "1"])).await;
    let told: Vec<serde_json::Value> =
        text(&said.stderr).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let targets: Vec<&serde_json::Value> = told.iter().map(|told| &told["error"]["target"]).collect();
    assert_eq!(targets[0], &serde_json::json!({ "noun": "machine", "id": null, "name": "nosuch" }));
    assert_eq!(targets[1], &serde_json::json!({ "noun": "machine", "id": id, "name": name }));
    emulator.stop().await.unwrap();
}

#[test]
fn yes_is_taken_by_every_command() {
    fn leaves(command: &clap::Command, found: &mut Vec<String>) {
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() && !command.get_arguments().any(|arg| arg.get_long() == Some("yes")) {
            found.push(command.get_name().to_owned());
        }
        below.for_each(|sub| leaves(sub, found));
    }
    let mut without = Vec::new();
    leaves(&sdc::cli::tree(), &mut without);
    assert!(without.is_empty(), "{without:?}");
}

/// Whoever may name a machine must not have another one destroyed by it.
#[tokio::test]
async fn a_name_that_is_another_ones_short_id_is_no_name_to_destroy_by() {
    let emulator = Emulator::start(Options { pace: FAST, ..Options::default() }).await.unwrap();
    let listed = output(against(&emulator, &["machines", "list", "-o", "csv:shortid,name"])).await;
    let listed = text(&listed.stdout);
    let short = listed.lines().find_map(|line| line.strip_suffix(",db0").or(line.strip_suffix(",db1"))).unwrap();
    let short = short[..8].to_owned();
    let named = output(against(&emulator, &["machines", "rename", "build", &short, "--wait"])).await;
    assert!(named.status.success(), "{}", text(&named.stderr));
    for words in [&["machines", "delete", "-y", &short][..], &["machines", "delete", "-y", &short, "web10"]] {
        let said = output(against(&emulator, words)).await;
        assert_eq!(said.status.code(), Some(10), "{words:?}: {}", text(&said.stderr));
    }
    emulator.stop().await.unwrap();
}

/// Somebody gives a machine more time while others are being deleted.
#[cfg(unix)]
#[tokio::test]
async fn what_was_given_more_time_meanwhile_is_not_reaped() {
    use std::io::{BufRead, Read};
    let faults = vec!["DELETE /machines/* delay=3s".parse().unwrap()];
    let emulator = Emulator::start(Options { pace: FAST, faults, ..Options::default() }).await.unwrap();
    let run = async |words: &[&str]| {
        let said = output(against(&emulator, words)).await;
        assert!(said.status.success(), "{words:?}: {}", text(&said.stderr));
        text(&said.stdout)
    };
    let names = ["web1", "web10"];
    let mut ids = Vec::new();
    for name in names {
        run(&["machines", "tags", "set", name, "sdc.expires=2020-01-01T00:00:00Z"]).await;
        ids.push(run(&["machines", "get", name, "-o", "ids"]).await.trim().to_owned());
    }
    let words = ["reap", "--expired", "--yes", "--parallel", "1", "--debug"];
    let mut child = against(&emulator, &words).spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    // The emulator runs on this thread, and must not wait for what it says.
    let begun = tokio::task::spawn_blocking(move || {
        let (mut reader, mut told) = (std::io::BufReader::new(stderr), String::new());
        while !told.contains("> DELETE ") && reader.read_line(&mut told).unwrap() > 0 {}
        (reader, told)
    });
    let (mut reader, mut told) = begun.await.unwrap();
    let first = usize::from(told.lines().last().unwrap().contains(&ids[1]));
    run(&["machines", "tags", "set", names[1 - first], "sdc.expires=9000-01-01T00:00:00Z"]).await;
    let rest = tokio::task::spawn_blocking(move || reader.read_to_string(&mut told).map(|_| told));
    let told = rest.await.unwrap().unwrap();
    assert!(told.contains("has changed meanwhile, and is left alone"), "{told}");
    assert_eq!(ended(child).await.status.code(), Some(0));
    let left = run(&["machines", "list", "-o", "csv:name", "-H"]).await;
    assert!(left.lines().any(|name| name == names[1 - first]), "{left}");
    assert!(left.lines().all(|name| name != names[first]), "{left}");
    emulator.stop().await.unwrap();
}

/// A machine that must stay, whose id begins like a name of a range that no machine has.
async fn like_a_range() -> Emulator {
    let machines = r#"[{ "name": "prod-db", "id": "e2e20000-0000-4000-8000-000000000001" }, { "name": "e2e1" },
        { "name": "e2e3" }]"#;
    let text = format!(r#"{{ "format": "sdc-emulator/1", "extends": "empty", "machines": {machines} }}"#);
    let seed = Seed::Document(Document { name: "machines".to_owned(), text: text.into(), folder: Default::default() });
    Emulator::start(Options { seed, pace: FAST, ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn a_name_of_a_range_is_never_an_id_nor_the_beginning_of_one() {
    let emulator = like_a_range().await;
    let id = "e2e20000-0000-4000-8000-00000000000{1..1}";
    let shown = ["-o", "name", "-H"];
    for (words, expected) in [
        (&["machines", "list", "e2e{1..3}", shown[0], shown[1], shown[2]][..], "e2e1\ne2e3\n"),
        (&["machines", "list", id, shown[0], shown[1], shown[2]], ""),
        (&["machines", "get", "e2e{1..3}", shown[0], shown[1], shown[2]], "e2e1\ne2e3\n"),
        (&["machines", "get", id, shown[0], shown[1], shown[2]], ""),
        (&["machines", "ip", "e2e{2..2}"], ""),
        (&["machines", "stop", "e2e{2..2}"], ""),
        (&["machines", "tags", "set", "e2e{2..2}", "a=b"], ""),
        (&["machines", "tags", "list", id], ""),
        (&["role-tags", "add", "machines/e2e{2..2}", "operator"], ""),
        (&["wait", "machines", "e2e{2..2}", "--for", "running"], ""),
        (&["wait", "machines", "e2e{2..2}", "--for", "deleted", "--timeout", "2"], ""),
        (&["machines", "delete", id, "--yes"], ""),
    ] {
        let said = output(against(&emulator, words)).await;
        assert_eq!((said.status.code(), text(&said.stdout).as_str()), (Some(3), expected), "{words:?}");
        assert!(text(&said.stderr).contains("error: no machine named 'e2e2"), "{words:?}: {}", text(&said.stderr));
    }
    let words = ["machines", "delete", "e2e{1..3}", "--ignore-missing", "--yes", "--wait"];
    let said = output(against(&emulator, &words)).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert!(text(&said.stderr).contains("machine e2e2: not there"), "{}", text(&said.stderr));
    assert_eq!(names(&emulator).await, ["prod-db"]);
    // What a list leaves out for its state is found by its name still, and what nothing is called is not.
    let said = output(against(&emulator, &["wait", "machines", "e2e{1..2}", "--for", "deleted"])).await;
    assert_eq!(said.status.code(), Some(3));
    let told = text(&said.stderr);
    assert!(told.contains("machine e2e1: done") && told.contains("no machine named 'e2e2'"), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_short_id_is_told_with_the_name_of_what_is_meant() {
    let emulator = like_a_range().await;
    let called = "machine prod-db (e2e20000-0000-4000-8000-000000000001): ";
    for words in [["machines", "stop", "E2E2", "--wait"], ["machines", "delete", "e2e2", "--yes"]] {
        let said = output(against(&emulator, &words)).await;
        assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
        assert!(text(&said.stderr).lines().all(|line| line.starts_with(called)), "{}", text(&said.stderr));
    }
    emulator.stop().await.unwrap();
}
