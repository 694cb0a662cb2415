//! What a job of a CI relies on: one machine of many tries, and no machine left of a run, whatever happened to it.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use crate::common;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{Program, against, ended, key, output, text};
use sdc::emulator::{Emulator, Options, Pace};

async fn cloud(pace: Pace, faults: &[&str]) -> Emulator {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Emulator::start(Options { pace, faults, ..Options::default() }).await.unwrap()
}

/// Everything comes to its end at once.
const FAST: Pace = Pace::Times(10_000.0);

/// The program where these tools are.
fn with(emulator: &Emulator, path: &Path, words: &[&str]) -> Program {
    let mut command = against(emulator, words);
    command.env("PATH", format!("{}:/usr/bin:/bin", path.display())).env("SDC_REQUEST_TIMEOUT", "6s");
    command
}

async fn said(emulator: &Emulator, path: &Path, words: &[&str]) -> Output {
    output(with(emulator, path, words)).await
}

/// The names of the machines that are there, without those of the demo.
async fn left(emulator: &Emulator, begin: &str) -> Vec<String> {
    let list = said(emulator, key(), &["machines", "list", &format!("name={begin}*"), "-o", "tsv:name", "-H"]).await;
    assert!(list.status.success(), "{}", text(&list.stderr));
    text(&list.stdout).lines().map(str::to_owned).collect()
}

/// A folder with a tool that says what it was told and then does this.
fn tools(ssh: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, script) in [("ssh", ssh), ("scp", "echo scp \"$@\" >>\"$HOME_OF_TOOLS/log\"")] {
        let file = dir.path().join(name);
        let script = script.replace("$HOME_OF_TOOLS", &dir.path().display().to_string());
        std::fs::write(&file, format!("#!/bin/sh\nfor last; do :; done\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

/// Lets in, and does what it is told here.
const SSH: &str = "echo ssh \"$@\" >>\"$HOME_OF_TOOLS/log\"\n[ \"$last\" = true ] && exit 0\nexec /bin/sh -c \"$last\"";

const NEW: &[&str] = &["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "new", "-o", "ids"];
const RUN: &[&str] = &["run", "--image", "base-64", "--package", "g1-nano"];

fn posts(emulator: &Emulator) -> usize {
    emulator.requests().iter().filter(|seen| seen.method == "POST").count()
}

#[tokio::test]
async fn with_a_key_a_lost_answer_makes_one_machine() {
    for fault in ["drop=after times=1", "drop=before times=1", "html times=1", "drop=amid times=1", "empty times=1"] {
        let emulator = cloud(FAST, &[&format!("POST /machines {fault}")]).await;
        let keyed = [NEW, &["--idempotency-key", "job-1"]].concat();
        let first = said(&emulator, key(), &keyed).await;
        assert_eq!(first.status.code(), Some(0), "{fault}: {}", text(&first.stderr));
        let second = said(&emulator, key(), &keyed).await;
        assert_eq!((second.status.code(), &first.stdout), (Some(0), &second.stdout), "{fault}");
        assert_eq!(left(&emulator, "new").await, ["new"], "{fault}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_service_that_is_slower_than_the_client_waits_makes_one_machine_all_the_same() {
    let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-o", "ids"];
    let keyed = [&words[..], &["--idempotency-key", "job-1", "--request-timeout", "6s"]].concat();
    let emulator = cloud(FAST, &["POST /machines delay=11s times=1"]).await;
    let first = said(&emulator, key(), &keyed).await;
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let second = said(&emulator, key(), &keyed).await;
    assert_eq!((posts(&emulator), first.stdout), (1, second.stdout));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_slower_than_anybody_looks_makes_one_since_the_name_is_the_same_each_time() {
    let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-o", "ids"];
    let keyed = [&words[..], &["--idempotency-key", "job-1", "--request-timeout", "2s"]].concat();
    // The second try takes its time too, until the first has come to its end.
    let slow = ["POST /machines delay=7s times=1", "POST /machines delay=1500ms skip=1 times=1"];
    for named in [&["-n", "w-{{shortId}}"][..], &[]] {
        let emulator = cloud(FAST, &slow).await;
        let first = said(&emulator, key(), &[&keyed[..], named].concat()).await;
        assert!(first.status.success(), "{}", text(&first.stderr));
        let all = said(&emulator, key(), &["machines", "list", "tag.sdc.idempotency-key=job-1", "-o", "ids"]).await;
        assert_eq!(all.stdout, first.stdout, "{}", text(&all.stdout));
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn one_that_fails_at_once_is_what_came_of_a_lost_answer_and_an_older_one_is_not() {
    let keyed = [NEW, &["--idempotency-key", "job-1", "--wait"]].concat();
    let emulator = cloud(FAST, &["POST /machines fail drop=after times=2"]).await;
    for tries in 1..=2 {
        let failed = said(&emulator, key(), &keyed).await;
        assert_eq!((failed.status.code(), posts(&emulator)), (Some(8), tries), "{}", text(&failed.stderr));
    }
    let well = said(&emulator, key(), &keyed).await;
    assert_eq!((well.status.code(), posts(&emulator)), (Some(0), 3), "{}", text(&well.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn two_jobs_at_once_get_the_same_machine() {
    for own in [&["--if-absent"][..], &["--idempotency-key", "job-1"]] {
        // Both have looked before either has sent its request.
        let emulator = cloud(FAST, &["POST /machines delay=700ms"]).await;
        let words = [NEW, own].concat();
        let (one, other) = tokio::join!(said(&emulator, key(), &words), said(&emulator, key(), &words));
        let told = [text(&one.stderr), text(&other.stderr)].concat();
        assert_eq!((one.status.code(), other.status.code()), (Some(0), Some(0)), "{told}");
        assert_eq!(one.stdout, other.stdout, "{told}");
        assert_eq!((posts(&emulator), left(&emulator, "new").await.len()), (2, 1), "{told}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_answer_under_if_absent_is_looked_for_by_the_name() {
    let emulator = cloud(FAST, &["POST /machines drop=after times=1"]).await;
    let output = said(&emulator, key(), &[NEW, &["--if-absent"]].concat()).await;
    assert_eq!((output.status.code(), posts(&emulator)), (Some(0), 1), "{}", text(&output.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_key_it_is_sent_once_and_the_error_names_the_option() {
    for (fault, made) in [("drop=after", 1), ("drop=before", 0)] {
        let emulator = cloud(FAST, &[&format!("POST /machines {fault} times=1")]).await;
        let output = said(&emulator, key(), NEW).await;
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{words}");
        assert!(words.contains("--idempotency-key"), "{words}");
        assert_eq!((posts(&emulator), left(&emulator, "new").await.len()), (1, made), "{fault}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn of_several_those_are_made_again_that_are_not_there() {
    let emulator = cloud(FAST, &["POST /machines status=409 skip=1 times=1"]).await;
    let words =
        ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "new-{1..3}", "--parallel", "1"];
    let keyed = [&words[..], &["--idempotency-key", "job-1", "--json"]].concat();
    let output = said(&emulator, key(), &keyed).await;
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert_eq!(left(&emulator, "new").await.len(), 2);
    let output = said(&emulator, key(), &keyed).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = made.as_array().unwrap().iter().map(|machine| machine["name"].as_str().unwrap()).collect();
    assert_eq!((names, posts(&emulator)), (vec!["new-1", "new-2", "new-3"], 4));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_failed_once_is_looked_at_and_asked_again() {
    let emulator = cloud(FAST, &["POST /machines status=500 times=1"]).await;
    let output = said(&emulator, key(), &[NEW, &["--idempotency-key", "job-1"]].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!((posts(&emulator), left(&emulator, "new").await.len()), (2, 1));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_nobody_could_ask_for_is_not_deleted() {
    let emulator = cloud(FAST, &["GET /machines/* status=500"]).await;
    let failing = ["--idempotency-key", "job-1", "--wait", "--timeout", "2s", "--on-failure", "delete"];
    let output = said(&emulator, key(), &[NEW, &failing].concat()).await;
    let words = text(&output.stderr);
    assert!(output.status.code() == Some(9) && words.contains("it is kept"), "{words}");
    assert_eq!(left(&emulator, "new").await.len(), 1);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn of_a_machine_that_took_too_long_and_is_deleted_nobody_says_that_it_may_come() {
    let emulator = cloud(Pace::Times(1.0), &[]).await;
    let late = ["--wait", "--timeout", "1s", "--on-failure", "delete"];
    let output = said(&emulator, key(), &[NEW, &late].concat()).await;
    let words = text(&output.stderr);
    assert!(output.status.code() == Some(9) && words.contains("gave up waiting"), "{words}");
    assert!(words.contains("deleted, since it did not come to its end") && !words.contains("may yet"), "{words}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_being_made_is_deleted_as_soon_as_it_can_be() {
    let emulator = cloud(Pace::Times(4.0), &[]).await;
    assert!(said(&emulator, key(), NEW).await.status.success());
    let output = said(&emulator, key(), &["machines", "delete", "new", "--yes", "--wait"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let refused = emulator.requests().iter().filter(|seen| seen.status == 409).count();
    assert!(refused > 0, "it was too early once");
    assert_eq!(left(&emulator, "new").await, [""; 0]);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_not_done_is_printed_in_every_format() {
    let emulator = cloud(Pace::Stepped, &[]).await;
    for format in ["ids", "name", "table", "json"] {
        let name = format!("late-{format}");
        let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "--wait", "--timeout", "1s"];
        let output = said(&emulator, key(), &[&words[..], &["-n", &name, "-o", format]].concat()).await;
        assert_eq!(output.status.code(), Some(9));
        assert!(!output.stdout.is_empty(), "{format}: {}", text(&output.stderr));
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn several_that_nobody_answers_for_are_told_apart() {
    let emulator = cloud(FAST, &["POST /machines/* drop=after"]).await;
    let output = said(&emulator, key(), &["machines", "stop", "web1", "web10"]).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{told}");
    assert!(told.contains("error: machine web1 (") && told.contains("error: machine web10 ("), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_ends_with_the_commands_code_and_leaves_nothing() {
    let emulator = cloud(FAST, &[]).await;
    let tools = tools(SSH);
    for (line, code, out) in
        [("echo hello; exit 7", 7, "hello\n"), ("exit 0", 0, ""), ("echo 'a  b' >&2; exit 255", 255, "")]
    {
        // What it starts writes past it.
        let output = output(with(&emulator, tools.path(), &[RUN, &["--", line]].concat()).process()).await;
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(code), out),
            "{}",
            text(&output.stderr)
        );
        assert!(!text(&output.stderr).contains("error:"), "{}", text(&output.stderr));
        assert_eq!(left(&emulator, "run-").await, [""; 0]);
    }
    // Several words arrive as they are.
    let words = [RUN, &["--", "printf", "[%s]", "a  b", "$HOME", "it's"]].concat();
    let output = output(with(&emulator, tools.path(), &words).process()).await;
    assert_eq!(text(&output.stdout), "[a  b][$HOME][it's]", "{}", text(&output.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_whose_service_is_slower_than_anybody_looks_leaves_nothing() {
    let faults = ["POST /machines delay=11s times=1", "POST /machines delay=3500ms skip=1 times=1"];
    let emulator = cloud(FAST, &faults).await;
    let tools = tools(SSH);
    let words = [RUN, &["-n", "run-{{shortId}}", "--request-timeout", "4s", "--", "true"]].concat();
    let output = said(&emulator, tools.path(), &words).await;
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), posts(&emulator)), (Some(0), 2), "{told}");
    assert_eq!(left(&emulator, "run-").await, [""; 0], "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_sends_nothing_more_when_its_time_is_over_and_deletes_what_was_made() {
    for (fault, code, posted, words) in [
        // Made, and known only after its time.
        ("POST /machines delay=3s times=1", 9, 1, "not ready after 1s"),
        // Never made: nobody looks for ever, and it is not sent again.
        ("POST /machines drop=before times=9", 6, 1, "looking whether it was carried out"),
        // Refused for now.
        ("POST /machines status=429 times=9", 9, 1, "no machine was made in 1s"),
    ] {
        let emulator = cloud(FAST, &[fault]).await;
        let tools = tools(SSH);
        let words_of_run = [RUN, &["--timeout", "1s", "--request-timeout", "4s", "--", "true"]].concat();
        let output = said(&emulator, tools.path(), &words_of_run).await;
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{fault}: {told}");
        assert!(told.contains(words) && told.contains("no machine is known after 1s"), "{fault}: {told}");
        assert!(posts(&emulator) >= posted && posts(&emulator) < 5, "{fault}: {}: {told}", posts(&emulator));
        assert_eq!(left(&emulator, "run-").await, [""; 0], "{fault}: {told}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_run_makes_no_machine() {
    let emulator = cloud(FAST, &[]).await;
    let tools = tools(SSH);
    let output = said(&emulator, tools.path(), &[RUN, &["--", " "]].concat()).await;
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("is a variable unset?"));
    let mut without = with(&emulator, tools.path(), &[RUN, &["--", "true"]].concat());
    without.env("PATH", "/nowhere");
    let output = common::output(without).await;
    assert!(text(&output.stderr).contains("there is no ssh in the search path"), "{}", text(&output.stderr));
    assert_eq!(posts(&emulator), 0);
    emulator.stop().await.unwrap();
}

/// A program in the place of ssh that reads its key as ssh does: one of its owner's alone, whole, and not encrypted.
const STRICT_SSH: &str = r#"key=
while [ $# -gt 1 ]; do [ "$1" = -i ] && key=$2; shift; done
[ "$(stat -Lc %a "$key")" = 600 ] && ssh-keygen -y -P '' -f "$key" >>"$HOME_OF_TOOLS/log" && exit 0
echo "Load key \"$key\": error in libcrypto" >&2
echo 'Permission denied (publickey).' >&2
exit 255"#;

#[tokio::test]
async fn every_key_that_sdc_reads_is_one_that_ssh_can_use() {
    use base64::Engine as _;
    let emulator = cloud(FAST, &[]).await;
    let tools = tools(STRICT_SSH);
    let temporary = tools.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let plain = std::fs::read_to_string(emulator.key_file()).unwrap();
    let locked = tools.path().join("locked");
    std::fs::write(&locked, &plain).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o600)).unwrap();
    let sealed = Command::new("ssh-keygen").args(["-q", "-p", "-P", "", "-N", "hush hush", "-f"]).arg(&locked).status();
    assert!(sealed.unwrap().success());
    let passphrase = tools.path().join("passphrase");
    std::fs::write(&passphrase, "hush hush\n").unwrap();
    std::fs::set_permissions(&passphrase, PermissionsExt::from_mode(0o600)).unwrap();
    let files = [
        ("as it is", plain.clone(), 0o600),
        ("readable", plain.clone(), 0o644),
        ("open", plain.clone(), 0o666),
        ("of Windows", plain.replace('\n', "\r\n"), 0o600),
        ("cut", plain.trim_end().to_owned(), 0o600),
        ("base64", base64::engine::general_purpose::STANDARD.encode(&plain), 0o600),
        ("literal", plain.replace('\n', "\\n"), 0o600),
        ("one line", plain.replace('\n', " "), 0o600),
        ("encrypted", std::fs::read_to_string(&locked).unwrap(), 0o600),
    ];
    let logins = |log: &str| log.lines().filter(|line| line.starts_with("ssh-ed25519 ")).count();
    let mut expected = 0;
    let mut runs = Vec::new();
    for (name, text, mode) in files {
        let file = tools.path().join(name);
        std::fs::write(&file, &text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        runs.push((name, "SDC_KEY_FILE", file.display().to_string()));
    }
    runs.push(("in a variable", "SDC_KEY_MATERIAL", plain));
    for (name, variable, value) in runs {
        let mut run = with(&emulator, tools.path(), &[RUN, &["--timeout", "20s", "--", "true"]].concat());
        run.env("SDC_KEY_FILE", "").env(variable, value).env("TMPDIR", &temporary).env("SSH_AUTH_SOCK", "/nowhere");
        run.env("SDC_KEY_PASSPHRASE_FILE", &passphrase);
        let output = output(run).await;
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output.stderr));
        // To see whether it lets in, and the command.
        expected += 2;
        assert_eq!(logins(&std::fs::read_to_string(tools.path().join("log")).unwrap()), expected, "{name}");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{name}");
    }
    // Where there is no place for the copy, nothing is made.
    let made = posts(&emulator);
    let open = tools.path().join("open");
    let mut run = with(&emulator, tools.path(), &[RUN, &["--", "true"]].concat());
    run.env("SDC_KEY_FILE", open).env("TMPDIR", "/nowhere");
    let output = output(run).await;
    assert_eq!((output.status.code(), posts(&emulator)), (Some(2), made), "{}", text(&output.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_run_leaves_no_copy_of_the_key() {
    for signal in ["-INT", "-TERM", "-HUP", "-QUIT"] {
        let emulator = cloud(FAST, &[]).await;
        let tools = tools("[ \"$last\" = true ] && exit 0\ntouch \"$HOME_OF_TOOLS/running\"\nexec sleep 600");
        let temporary = tools.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let mut run = with(&emulator, tools.path(), &[RUN, &["--", "x"]].concat());
        let key = std::fs::read_to_string(emulator.key_file()).unwrap();
        run.env("SDC_KEY_FILE", "").env("SDC_KEY_MATERIAL", key).env("TMPDIR", &temporary);
        let child = run.spawn().unwrap();
        while !tools.path().join("running").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 1);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = ended(child).await;
        assert_eq!(output.status.code(), Some(130), "{signal}: {}", text(&output.stderr));
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{signal}");
        assert_eq!(left(&emulator, "run-").await, [""; 0]);
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn why_ssh_lets_nobody_in_is_told_while_it_is_waited_for_and_at_the_end() {
    let emulator = cloud(FAST, &[]).await;
    let tools =
        tools("echo 'Load key \"k\": bad permissions' >&2\necho 'Permission denied (publickey).' >&2\nexit 255");
    let output = said(&emulator, tools.path(), &[RUN, &["--timeout", "5s", "--", "true"]].concat()).await;
    let (told, why) = (text(&output.stderr), "Load key \"k\": bad permissions; Permission denied (publickey).");
    assert_eq!(output.status.code(), Some(9), "{told}");
    assert!(told.contains(&format!("waiting for ssh: {why}")) && told.contains(&format!("ssh says: {why}")), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_that_is_taken_again_has_the_time_that_is_asked_for() {
    let emulator = cloud(FAST, &[]).await;
    for own in [&["--idempotency-key", "job-1", "-n", "keyed"][..], &["--if-absent", "-n", "named"]] {
        let words = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-o", "json"];
        let with_time = |time: &'static str| [&words[..], own, &["-t", time]].concat();
        let time = |output: &Output| -> String {
            let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            shown["tags"]["sdc.expires"].as_str().unwrap().to_owned()
        };
        let first = said(&emulator, key(), &with_time("sdc.expires=2020-01-31T18:00:00Z")).await;
        assert!(first.status.success(), "{}", text(&first.stderr));
        // Over: it is said even to those who want quiet.
        let second = said(&emulator, key(), &[with_time("sdc.expires=2h"), vec!["-q"]].concat()).await;
        let told = text(&second.stderr);
        assert!(second.status.success() && told.contains("not 2020-01-31T18:00:00Z, which is over"), "{told}");
        let renewed = time(&second);
        assert!(renewed.as_str() > "2026", "{renewed}");
        // Nothing is left for the reaper.
        let reap = said(&emulator, key(), &["reap", "--expired", "--dry-run", "-j"]).await;
        let made: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
        let id = made["id"].as_str().unwrap();
        assert!(!text(&reap.stdout).contains(id), "{}", text(&reap.stdout));
        // Sooner than asked for; and later, which stays.
        let third = said(&emulator, key(), &with_time("sdc.expires=2100-01-31T18:00:00Z")).await;
        assert_eq!(time(&third), "2100-01-31T18:00:00Z");
        let fourth = said(&emulator, key(), &with_time("sdc.expires=2h")).await;
        assert_eq!(time(&fourth), "2100-01-31T18:00:00Z");
        // Nothing is asked for, and its time is over.
        let over = ["machines", "tags", "set", id, "sdc.expires=2020-01-31T18:00:00Z", "-w"];
        assert!(said(&emulator, key(), &over).await.status.success());
        let without = said(&emulator, key(), &[&words[..], own, &["-q"]].concat()).await;
        assert!(text(&without.stderr).contains("may be deleted at any time"), "{}", text(&without.stderr));
    }
    assert_eq!(left(&emulator, "").await.iter().filter(|name| ["keyed", "named"].contains(&name.as_str())).count(), 2);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_machine_whose_time_is_over_and_that_is_gone_by_then_is_made_anew() {
    let emulator = cloud(FAST, &["POST /machines/*/tags status=410"]).await;
    let old = ["-n", "old", "--idempotency-key", "job-1", "-t"];
    let words = |time: &'static str| {
        let all = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-o", "ids"];
        [&all[..], &old, &[time]].concat()
    };
    let first = said(&emulator, key(), &words("sdc.expires=2020-01-31T18:00:00Z")).await;
    let id = text(&first.stdout).trim().to_owned();
    let (delete, renewing) = (["machines", "delete", &id, "--yes", "-w"], words("sdc.expires=2h"));
    let (one, other) = tokio::join!(said(&emulator, key(), &delete), said(&emulator, key(), &renewing));
    assert!(one.status.success(), "{}", text(&one.stderr));
    // The name may be taken still; never is the old one handed out.
    assert!(!text(&other.stdout).contains(&id), "{}", text(&other.stdout));
    let again = said(&emulator, key(), &words("sdc.expires=2h")).await;
    assert!(again.status.success() && again.stdout != first.stdout, "{}", text(&again.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_machine_that_is_taken_has_otherwise_is_named() {
    let emulator = cloud(FAST, &[]).await;
    let plain = [NEW, &["--idempotency-key", "job-1"]].concat();
    let keyed = [&plain[..], &["-t", "role=web"]].concat();
    assert!(said(&emulator, key(), &keyed).await.status.success());
    let same = said(&emulator, key(), &keyed).await;
    assert!(!text(&same.stderr).contains("note:"), "{}", text(&same.stderr));
    let other = [&plain[..], &["-t", "role=db", "-m", "a=s3cret", "--firewall"]].concat();
    let differs = said(&emulator, key(), &other).await;
    let told = text(&differs.stderr);
    assert!(differs.status.success() && differs.stdout == same.stdout, "{told}");
    for name in ["tag role", "metadata a", "firewall-enabled"] {
        assert!(told.contains(name), "{told}");
    }
    assert!(!told.contains("s3cret"), "{told}");
    assert!(said(&emulator, key(), &[&other[..], &["-q"]].concat()).await.stderr.is_empty());
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn errors_of_what_is_made_say_which_it_is_for_scripts() {
    let emulator = cloud(FAST, &["POST /machines fail times=1"]).await;
    for (name, code, has_id) in [("new", 8, true), ("web1", 5, false)] {
        let words = ["machines", "create", "base-64", "g1-nano", "-n", name, "-w", "-j"];
        let output = said(&emulator, key(), &words).await;
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        let line = text(&output.stderr).lines().last().unwrap().to_owned();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        let target = &told["error"]["target"];
        assert_eq!((&target["noun"], &target["name"]), (&"machine".into(), &name.into()), "{line}");
        assert_eq!(target["id"].is_string(), has_id, "{line}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_became_of_a_machine_that_failed_is_in_the_error() {
    let words = ["machines", "create", "base-64", "g1-nano", "-n", "new", "-w", "--on-failure", "delete"];
    for (faults, timeout, cleanup) in
        [(&["POST /machines fail"][..], "60s", "deleted"), (&["GET /machines/* status=500"], "2s", "kept")]
    {
        let emulator = cloud(FAST, faults).await;
        let output = said(&emulator, key(), &[&words[..], &["--timeout", timeout, "-j"]].concat()).await;
        let line = text(&output.stderr).lines().last().unwrap().to_owned();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["error"]["cleanup"], cleanup, "{line}");
        assert_eq!(told["error"]["request_id"].is_string(), cleanup == "deleted", "{line}");
        emulator.stop().await.unwrap();
    }
    let emulator = cloud(FAST, &["POST /machines fail"]).await;
    let output = said(&emulator, key(), &[RUN, &["-n", "job", "-j", "--", "true"]].concat()).await;
    let line = text(&output.stderr).lines().last().unwrap().to_owned();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    let target = &told["error"]["target"];
    assert!(target["noun"] == "machine" && target["name"] == "job" && target["id"].is_string(), "{line}");
    assert_eq!(told["error"]["cleanup"], "deleted", "{line}");
    // Nothing is left that could be deleted, and another command makes no run.
    for untrue in ["stays", "machines delete", "machines create"] {
        assert!(!line.contains(untrue), "{untrue}: {line}");
    }
    emulator.stop().await.unwrap();
    let emulator = cloud(FAST, &["POST /machines fail"]).await;
    let quiet = said(&emulator, key(), &[&words[..], &["-q"]].concat()).await;
    assert!(text(&quiet.stderr).contains("it is deleted, since it did not"), "{}", text(&quiet.stderr));
    emulator.stop().await.unwrap();
}

/// The service says 201, and then that there is no such machine.
#[tokio::test]
async fn what_was_answered_as_made_is_deleted_although_no_look_finds_it() {
    let create = [NEW, &["--wait", "--on-failure", "delete"]].concat();
    let keyed = [&create[..], &["--idempotency-key", "k"]].concat();
    let run = [RUN, &["-n", "new"]].concat();
    for words in [&run, &create, &keyed] {
        let words = [&words[..], &["--timeout", "2s"]].concat();
        let words = if words[0] == "run" { [&words[..], &["--", "true"]].concat() } else { words };
        let emulator = cloud(FAST, &["GET /machines/* status=404"]).await;
        let told = text(&said(&emulator, tools(SSH).path(), &words).await.stderr);
        assert_eq!(left(&emulator, "new").await, [""; 0], "{words:?}: {told}");
        emulator.stop().await.unwrap();
        // Not even its deletion finds it: nobody knows whether it is there.
        let emulator = cloud(FAST, &["GET /machines/* status=404", "DELETE /machines/* status=404"]).await;
        let output = said(&emulator, tools(SSH).path(), &words).await;
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(9), "{words:?}: {told}");
        assert!(told.contains("not found, and so not deleted") && !told.contains("deleted again"), "{words:?}: {told}");
        assert!(told.contains("whether it is there: sdc machines get "), "{words:?}: {told}");
        assert_eq!(words[0] == "run", told.contains("sdc reap --expired"), "{words:?}: {told}");
        assert!(emulator.requests().iter().any(|seen| seen.method == "DELETE"), "{words:?}: {told}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_service_that_wants_no_request_for_longer_than_anybody_waits_is_not_asked_again() {
    for status in [429, 503] {
        let emulator = cloud(FAST, &[&format!("GET /machines status={status} retry-after=3600")]).await;
        let output = said(&emulator, key(), &["machines", "list"]).await;
        let told = text(&output.stderr);
        assert!(output.status.code() == Some(7) && told.contains("it wants no request for 3600s"), "{told}");
        assert_eq!(
            emulator.requests().iter().filter(|seen| seen.path_and_query.contains("/machines")).count(),
            1,
            "{told}"
        );
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_machine_that_is_too_young_to_be_deleted_names_the_option_that_waits() {
    let emulator = cloud(Pace::Stepped, &[]).await;
    assert!(said(&emulator, key(), NEW).await.status.success());
    let output = said(&emulator, key(), &["machines", "delete", "new", "-y"]).await;
    let told = text(&output.stderr);
    assert!(output.status.code() == Some(5) && told.contains("--wait waits until it is old enough"), "{told}");
    let waited = said(&emulator, key(), &["machines", "delete", "new", "-y", "-w", "--timeout", "1s"]).await;
    let told = text(&waited.stderr);
    let not_taken = told.contains("machine new: the service did not take the deletion within 1s");
    assert!(waited.status.code() == Some(5) && not_taken, "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_nobody_put_in_the_place_of_its_variable_is_told_as_that() {
    let emulator = cloud(FAST, &[]).await;
    for unexpanded in ["${{ secrets.KEY }}", "$(cat key)", "${KEY}"] {
        let mut list = with(&emulator, key(), &["machines", "list"]);
        list.env("SDC_KEY_FILE", "").env("SDC_KEY_MATERIAL", unexpanded);
        let told = text(&output(list).await.stderr);
        assert!(told.contains("SDC_KEY_MATERIAL holds an unexpanded variable") && !told.contains(unexpanded), "{told}");
        for name in ["SDC_URL", "SDC_ACCOUNT", "SDC_KEY_ID", "SDC_KEY_FILE", "SDC_ROLE", "SDC_TIMEOUT", "SDC_PACKAGE"] {
            let mut list = with(&emulator, key(), &["machines", "list"]);
            list.env(name, unexpanded);
            let output = output(list).await;
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{name}: {told}");
            assert!(told.contains(&format!("{name} holds an unexpanded variable")), "{told}");
            assert!(!told.contains(unexpanded), "{told}");
        }
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn white_space_around_a_variable_is_no_part_of_it() {
    let emulator = cloud(FAST, &[]).await;
    let mut list = with(&emulator, key(), &["machines", "list", "-o", "ids"]);
    list.env("SDC_URL", format!("{}\n", emulator.url())).env("SDC_ACCOUNT", format!(" {}\r\n", emulator.account()));
    let output = output(list).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_copies_a_folder_first_and_logs_in_as_whom_it_is_told() {
    let emulator = cloud(FAST, &[]).await;
    let tools = tools(SSH);
    let dir = tools.path().canonicalize().unwrap();
    let words = [RUN, &["--copy", dir.to_str().unwrap(), "--login", "jill", "-t", "role=ci", "--", "uptime"]].concat();
    let output = said(&emulator, tools.path(), &words).await;
    assert!(text(&output.stderr).contains("deleted"), "{}", text(&output.stderr));
    let log = std::fs::read_to_string(tools.path().join("log")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let [probe, copy, command] = lines.as_slice() else { panic!("{log}") };
    assert!(probe.contains("BatchMode=yes") && probe.contains("HostKeyAlias=") && probe.ends_with(" true"), "{log}");
    assert!(copy.starts_with("scp -rq ") && copy.contains(&format!("-- {} jill@", dir.display())), "{log}");
    assert!(command.starts_with("ssh ") && command.ends_with(" uptime") && command.contains("jill@"), "{log}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_fails_on_the_way_leaves_nothing_and_says_why() {
    let refuses = "echo 'Permission denied (publickey).' >&2\nexit 255";
    for (faults, ssh, words, code, why) in [
        (&["POST /machines fail"][..], SSH, &["--", "true"][..], 8, "ended in the state failed"),
        (&[], refuses, &["--timeout", "1s", "--", "true"], 9, "Permission denied (publickey)."),
        (&[], SSH, &["--ttl", "2s", "--", "exec sleep 600"], 9, "its time of 2s ran out"),
        (&["POST /machines drop=after times=1"], SSH, &["--", "exit 3"], 3, "deleted"),
        (&["DELETE /machines/* status=503 times=2"], SSH, &["--", "exit 3"], 3, "deleted"),
        (&[], SSH, &["--copy", "/nowhere", "--", "true"], 2, "cannot read /nowhere"),
    ] {
        let emulator = cloud(FAST, faults).await;
        let tools = tools(ssh);
        let output = said(&emulator, tools.path(), &[RUN, words].concat()).await;
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
        assert!(told.contains(why), "{words:?}: {told}");
        assert_eq!(left(&emulator, "run-").await, [""; 0], "{words:?}");
        emulator.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_machine_that_cannot_be_deleted_is_no_success_and_is_named() {
    let emulator = cloud(FAST, &["DELETE /machines/* status=403"]).await;
    let tools = tools(SSH);
    let output = said(&emulator, tools.path(), &[RUN, &["--", "exit 0"]].concat()).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(
        told.contains("is left") && told.contains("sdc machines delete ") && told.contains("sdc reap --expired"),
        "{told}"
    );
    let output = said(&emulator, tools.path(), &[RUN, &["--", "exit 3"]].concat()).await;
    assert_eq!(output.status.code(), Some(3), "the command's own code: {}", text(&output.stderr));
    assert_eq!(left(&emulator, "run-").await.len(), 2);
    emulator.stop().await.unwrap();
}

/// Where a run is when it is interrupted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Creating,
    Waiting,
    Running,
    /// The command has ended, and the machine is being deleted.
    Deleting,
}

#[tokio::test]
async fn an_interrupted_run_leaves_nothing() {
    for at in [At::Creating, At::Waiting, At::Running, At::Deleting] {
        for signal in ["-INT", "-TERM"] {
            let faults: &[&str] = match at {
                At::Creating => &["POST /machines delay=1500ms"],
                At::Deleting => &["DELETE /machines/* status=503 times=3"],
                _ => &[],
            };
            let emulator = cloud(if at == At::Waiting { Pace::Times(5.0) } else { FAST }, faults).await;
            let line = if at == At::Deleting { "true" } else { "true; sleep 600" };
            let tools = tools("[ \"$last\" = true ] && exit 0\ntouch \"$HOME_OF_TOOLS/running\"\nexec sleep 600");
            let child = with(&emulator, tools.path(), &[RUN, &["--", line]].concat()).spawn().unwrap();
            let id = child.id().to_string();
            let running = tools.path().join("running");
            let there = || match at {
                // The image and the package have been looked up; what follows is the request.
                At::Creating => emulator.requests().iter().filter(|seen| seen.method == "GET").count() >= 2,
                At::Waiting => posts(&emulator) == 1,
                At::Running => running.exists(),
                At::Deleting => emulator.requests().iter().any(|seen| seen.method == "DELETE"),
            };
            let mut looks = 0;
            while !there() {
                looks += 1;
                assert!(looks < 6000, "{at:?} never came");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            if at == At::Creating {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            }
            assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
            let output = ended(child).await;
            let told = text(&output.stderr);
            assert_eq!(output.status.code(), Some(130), "{at:?} {signal}: {told}");
            assert_eq!(left(&emulator, "run-").await, [""; 0], "{at:?} {signal}: {told}");
            emulator.stop().await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_cancels_a_create_that_is_never_answered_does_not_wait_for_its_time_outs() {
    let emulator = cloud(FAST, &["POST /machines hang"]).await;
    let tools = tools(SSH);
    let words = ["machines", "create", "base-64", "g1-nano", "-n", "job-7", "--idempotency-key", "job-7"];
    let words = [&words[..], &["--request-timeout", "120"]].concat();
    let child = with(&emulator, tools.path(), &words).spawn().unwrap();
    for looks in 0.. {
        assert!(looks < 3000, "it was never sent");
        if posts(&emulator) == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let output = ended(child).await;
    let told = text(&output.stderr);
    assert!(told.contains("there is no answer after another 20 s") && told.contains("whether it is there"), "{told}");
    assert_eq!(posts(&emulator), 1, "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn where_standard_output_is_closed_no_machine_is_made() {
    let emulator = cloud(FAST, &[]).await;
    let tools = tools(SSH);
    let run = with(&emulator, tools.path(), &[RUN, &["--", "echo", "x"]].concat());
    let mut shell = Command::new("/bin/sh");
    let process = run.process();
    shell.args(["-c", "exec \"$@\" >&-", "sh"]).arg(process.get_program()).args(process.get_args()).env_clear();
    shell.envs(run.vars());
    let said = output(shell).await;
    assert_eq!(said.status.code(), Some(1), "{}", text(&said.stderr));
    assert!(text(&said.stderr).contains("standard output is closed"), "{}", text(&said.stderr));
    assert_eq!(posts(&emulator), 0);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_interruption_leaves_at_once_and_says_what_is_left() {
    // Nothing comes to its end here, and so the deletion is waited for without end.
    let emulator = cloud(Pace::Stepped, &[]).await;
    let tools = tools(SSH);
    let url = emulator.url().to_owned();
    let mut child = with(&emulator, tools.path(), &[RUN, &["-U", &url, "--", "true"]].concat()).spawn().unwrap();
    let kill = |id: u32| assert!(Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap().success());
    let stderr = child.stderr.take().unwrap();
    let id = child.id();
    let told = tokio::task::spawn_blocking(move || {
        use std::io::{BufRead, Read};
        let mut reader = std::io::BufReader::new(stderr);
        let mut told = String::new();
        while !told.contains("create requested") && reader.read_line(&mut told).unwrap() > 0 {}
        // Twice at once is once: so `timeout` does it.
        kill(id);
        kill(id);
        while !told.contains("once more leaves at once") && reader.read_line(&mut told).unwrap() > 0 {}
        std::thread::sleep(std::time::Duration::from_millis(400));
        kill(id);
        reader.read_to_string(&mut told).unwrap();
        told
    });
    let told = told.await.unwrap();
    assert_eq!(ended(child).await.status.code(), Some(130), "{told}");
    assert!(told.contains("may still be there"), "{told}");
    // Both commands go to the cloud of this run.
    for (purpose, command) in [("to delete it: ", "sdc machines delete "), ("time is over: ", "sdc reap --expired")] {
        let line = told.lines().find(|line| line.contains(purpose)).unwrap();
        assert!(line.contains(command) && line.ends_with(&format!(" --url {url}")), "{told}");
    }
    emulator.stop().await.unwrap();
}
