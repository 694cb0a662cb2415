//! What is tried again and what must not be, what a wait says, and what an interruption leaves behind.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common;
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crate::common::{against, ended, in_turn, output, sdc, text};
use sdc::emulator::{Emulator, Options, Pace};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const NOT_FOUND: (&str, &str) =
    ("404 Not Found\r\nRequest-Id: x", r#"{"code":"ResourceNotFound","message":"not found"}"#);

#[test]
fn a_delete_of_what_is_not_there_fails_although_it_was_refused_before() {
    for refusal in ["429 Too Many Requests\r\nApi-Version: 9.0.0", "503 Service Unavailable\r\nApi-Version: 9.0.0"] {
        let (url, seen) = in_turn(vec![(refusal, "{}"), NOT_FOUND]);
        let said = sdc(&url, &["keys", "delete", "laptop", "--yes"]);
        // The last one asks for the list, in which names are spelled like it.
        assert_eq!((said.status.code(), seen.load(SeqCst)), (Some(3), 3), "{refusal}");
    }
}

#[test]
fn a_delete_whose_answer_was_lost_has_succeeded_when_the_thing_is_gone() {
    let (url, seen) = in_turn(vec![("504 Gateway Timeout", "<html>"), NOT_FOUND]);
    let said = sdc(&url, &["keys", "delete", "laptop", "--yes"]);
    assert_eq!((said.status.code(), seen.load(SeqCst)), (Some(0), 2));
}

#[test]
fn a_post_is_sent_again_only_when_cloudapi_itself_refused_it() {
    let made = ("202 Accepted\r\nRequest-Id: x", "");
    let (url, seen) = in_turn(vec![("503 Service Unavailable\r\nApi-Version: 9.0.0", "{}"), made]);
    assert_eq!((sdc(&url, &["machines", "stop", ID]).status.code(), seen.load(SeqCst)), (Some(0), 2));
    for unclear in ["503 Service Unavailable", "502 Bad Gateway", "504 Gateway Timeout"] {
        let (url, seen) = in_turn(vec![(unclear, "{}"), made]);
        assert_eq!((sdc(&url, &["machines", "stop", ID]).status.code(), seen.load(SeqCst)), (Some(7), 1), "{unclear}");
    }
}

#[test]
fn the_services_words_are_told_whatever_else_its_error_holds() {
    for body in [
        r#"{"code":"InvalidArgument","message":"too wide","errors":null}"#,
        r#"{"code":"InvalidArgument","message":"too wide","errors":[{"field":null,"code":7}]}"#,
        r#"{"code":42,"message":"too wide"}"#,
        r#"{"message":"too wide"}"#,
    ] {
        let (url, _) = in_turn(vec![("409 Conflict\r\nApi-Version: 9.0.0", body)]);
        let said = sdc(&url, &["machines", "list"]);
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.code() == Some(5) && told.contains("error: too wide"), "{body}: {told}");
    }
}

#[test]
fn paginate_ends_with_limits_of_its_own_and_with_servers_that_ignore_them() {
    let rows = r#"[{"id":"a"},{"id":"b"}]"#;
    let (url, seen) = in_turn(vec![("200 OK\r\nX-Query-Limit: 2", rows)]);
    let said = sdc(&url, &["api", "GET", "/my/machines?limit=2&offset=1", "--paginate"]);
    assert_eq!((said.status.code(), seen.load(SeqCst)), (Some(0), 1));
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), rows);
    let said = sdc(&url, &["api", "GET", "/my/machines", "--paginate"]);
    assert_eq!(said.status.code(), Some(6), "the same page again and again");
    assert_eq!(sdc(&url, &["api", "POST", "/my/machines", "--paginate"]).status.code(), Some(2));
}

#[test]
fn a_wait_keeps_its_time_although_the_server_does_not_answer() {
    let url = common::server(|mut stream| {
        use std::io::Write;
        static ASKED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        match ASKED.fetch_add(1, SeqCst) {
            // What was in the audit log before.
            0 => drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")),
            1 => drop(stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
            _ => drop(std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(30));
                drop(stream);
            })),
        }
    });
    let begun = Instant::now();
    let words = ["machines", "stop", ID, "--wait", "--timeout", "1s", "--request-timeout", "20s"];
    let said = sdc(&url, &words);
    assert_eq!(said.status.code(), Some(9), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(begun.elapsed() < Duration::from_secs(10), "the wait went on for {:?}", begun.elapsed());
}

#[tokio::test]
async fn an_outage_is_ridden_out_by_what_may_be_sent_again_for_as_long_as_was_said() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    // More than the tries that there are otherwise: no connection survives, or the service says so.
    for (fault, code) in [("drop=before times=5", 6), ("status=503 retry-after=0 times=8", 7)] {
        for (words, code) in
            [(&["machines", "list", "-o", "ids"][..], code), (&["machines", "list", "-o", "ids", "--retry", "30s"], 0)]
        {
            emulator.clear_faults();
            emulator.add_fault(format!("GET /machines {fault}").parse().unwrap());
            let said = output(against(&emulator, &[words, &["--rate", "10000"]].concat())).await;
            assert_eq!(said.status.code(), Some(code), "{fault} {words:?}: {}", text(&said.stderr));
        }
    }
    // What may have been carried out is sent once all the same.
    emulator.clear_faults();
    emulator.add_fault("POST /machines/* drop=before".parse().unwrap());
    emulator.forget_requests();
    let mut stop = against(&emulator, &["machines", "stop", "web1"]);
    stop.env("SDC_RETRY", "30s");
    let said = output(stop).await;
    let sent = emulator.requests().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!((said.status.code(), sent), (Some(6), 1), "{}", text(&said.stderr));
    emulator.stop().await.unwrap();
}

#[test]
fn an_outage_is_ridden_out_no_longer_than_was_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let words = ["machines", "list", "-o", "ids", "--retry", "2s"];
    let begun = Instant::now();
    let said = sdc(&format!("http://{free}"), &words);
    assert_eq!(said.status.code(), Some(6), "{}", text(&said.stderr));
    assert!((Duration::from_millis(700)..Duration::from_secs(8)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    assert!(text(&said.stderr).contains("trying again"), "{}", text(&said.stderr));
}

#[tokio::test]
async fn a_job_that_fails_ends_the_wait_for_it() {
    let fault = "POST /machines/* fail".parse().unwrap();
    let emulator = Emulator::start(Options { faults: vec![fault], ..Options::default() }).await.unwrap();
    for words in [["rename", "web1", "web2"].as_slice(), &["stop", "web1"]] {
        let all = [&["machines"], words, &["--wait", "--timeout", "60s"]].concat();
        let said = output(against(&emulator, &all)).await;
        assert_eq!(said.status.code(), Some(8), "{words:?}: {}", String::from_utf8_lossy(&said.stderr));
    }
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_bulk_command_sends_nothing_more_and_says_what_goes_on() {
    // Nothing ever comes to its end here, so that the first eight are waited for.
    let seed = sdc::emulator::Seed::Machines(20);
    let emulator = Emulator::start(Options { seed, pace: Pace::Stepped, ..Options::default() }).await.unwrap();
    let ids = text(&output(against(&emulator, &["machines", "list", "-o", "ids"])).await.stdout);
    let words: Vec<&str> = ["machines", "stop"].into_iter().chain(ids.lines()).chain(["--wait"]).collect();
    emulator.forget_requests();
    let child = against(&emulator, &words).spawn().unwrap();
    let posts = || emulator.requests().iter().filter(|seen| seen.method == "POST").count();
    while posts() < 8 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let said = ended(child).await;
    let told = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(130), "{told}");
    assert_eq!(posts(), 8, "nothing was sent after the interruption");
    assert!(told.contains("interrupted: stop was sent for 8 machines, and goes on; nothing was sent for "), "{told}");
    assert!(told.contains(" machines\n  hint: ") && told.lines().all(|line| line.len() < 1200), "{told}");
    emulator.stop().await.unwrap();
}

/// What a command says and ends with that is interrupted once while its change is out, or twice.
#[cfg(unix)]
async fn interrupted(emulator: &Emulator, words: &[&str], twice: bool) -> (Option<i32>, String) {
    use std::io::{BufRead, Read};
    // Its trace says when the change goes out.
    let mut child = against(emulator, &[words, &["--debug"]].concat()).spawn().unwrap();
    let id = child.id().to_string();
    let kill = move || assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let stderr = child.stderr.take().unwrap();
    let told = tokio::task::spawn_blocking(move || {
        let (mut reader, mut told) = (std::io::BufReader::new(stderr), String::new());
        let out = |told: &str| ["\n> POST ", "\n> PUT ", "\n> DELETE "].iter().any(|sent| told.contains(sent));
        told.push('\n');
        while !out(&told) && reader.read_line(&mut told).unwrap() > 0 {}
        std::thread::sleep(Duration::from_millis(300));
        kill();
        while twice && !told.contains("once more leaves at once") && reader.read_line(&mut told).unwrap() > 0 {}
        if twice {
            kill();
        }
        reader.read_to_string(&mut told).unwrap();
        told
    });
    let told = told.await.unwrap();
    (ended(child).await.status.code(), told)
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_wait_gives_the_command_that_goes_on_with_it() {
    const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    // Nothing ever comes to its end here.
    let emulator = Emulator::start(Options { pace: Pace::Stepped, admin: true, ..Options::default() }).await.unwrap();
    let mac = text(&output(against(&emulator, &["machines", "nics", "list", "db0", "-H", "-o", "mac"])).await.stdout);
    let mac = mac.lines().next().unwrap().to_owned();
    let sapi = format!("http://{}", emulator.sapi().unwrap());
    let cases: &[(&[&str], &str)] = &[
        (&["machines", "snapshots", "create", "web1", "--name", "z"], &format!("wait snapshots {WEB1} z --for state=")),
        (&["machines", "nics", "remove", "db0", &mac, "--yes"], "machines nics get 51b7c6ea-"),
        (&["machines", "tags", "delete", "web1", "role", "stage", "--yes"], "machines tags list 3c1f8a52-"),
        (&["machines", "migrate", "begin", "db1"], "machines migrate get c82d3f90-"),
        (&["machines", "stop", "web10"], "wait machines 9e04d7b1-7d0e-4b6a-9c1d-5e2f8a7b4c6d --for state=stopped"),
        (&["admin", "vms", "stop", "cache", "--sapi", &sapi], "admin jobs wait "),
    ];
    for (words, command) in cases {
        let (code, told) = interrupted(&emulator, &[words, &["--wait"][..]].concat(), false).await;
        assert_eq!(code, Some(130), "{words:?}: {told}");
        assert!(told.contains(", and goes on"), "{words:?}: {told}");
        assert!(told.contains(&format!(": sdc {command}")), "{words:?}: {told}");
        assert_eq!(words[0] == "admin", told.contains(&format!(" --sapi {sapi}\n")), "{told}");
    }
    emulator.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn parts_that_an_interruption_leaves_say_whose_they_are_and_how_to_go_on() {
    let seed = sdc::emulator::Seed::Machines(6);
    // What is deleted never comes to its end.
    let emulator = Emulator::start(Options { seed, pace: Pace::Stepped, ..Options::default() }).await.unwrap();
    let ids = text(&output(against(&emulator, &["machines", "list", "-o", "ids"])).await.stdout);
    let ids: Vec<&str> = ids.lines().collect();
    let before: [&[&str]; 3] = [
        &["snapshots", "create", "*", "--name", "a"],
        &["snapshots", "create", "*", "--name", "b"],
        &["tags", "set", "*", "role=x", "stage=y"],
    ];
    for words in before {
        let said = output(against(&emulator, &[&["machines"], words, &["--yes"]].concat())).await;
        assert!(said.status.success(), "{}", text(&said.stderr));
        emulator.clock().advance(Duration::from_secs(10));
    }
    // Few enough for a command each, and too many.
    for owner in [ids[0], "*"] {
        for (group, first, second) in [("snapshots", "a", "b"), ("tags", "role", "stage")] {
            let words = ["machines", group, "delete", owner, first, second, "--yes", "--json", "-w"];
            let (code, told) = interrupted(&emulator, &words, false).await;
            assert_eq!(code, Some(130), "{told}");
            let json = told.lines().rev().find(|line| line.starts_with("{\"error\"")).unwrap();
            let error = serde_json::from_str::<serde_json::Value>(json).unwrap()["error"].clone();
            let sent = error["sent"][0].clone();
            assert!(ids.iter().any(|id| sent["machine"] == *id) && sent["id"] == first, "{error}");
            assert_eq!(error["unsent"][0], serde_json::json!({ "machine": sent["machine"], "id": second }));
            let command = match owner {
                "*" => format!("for each: sdc machines {group} delete MACHINE {}", named_behind(group)),
                owner => format!("to go on with the others: sdc machines {group} delete {owner} {second} "),
            };
            assert!(error["hints"].to_string().contains(&command), "{command}: {error}");
        }
    }
    emulator.stop().await.unwrap();
}

/// What is named behind a machine.
#[cfg(unix)]
fn named_behind(group: &str) -> &str {
    if group == "tags" { "TAG" } else { "SNAPSHOT" }
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupted_change_is_waited_for_and_says_that_it_may_have_taken_effect() {
    const ACCOUNT: &str = "b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99";
    let commands: &[&[&str]] = &[
        &["images", "share", "acme-web", ACCOUNT],
        &["images", "unshare", "acme-web", ACCOUNT],
        &["images", "tag", "acme-web", "release=1.5"],
        &["role-tags", "set", "machines/web1", "operator"],
        &["role-tags", "add", "machines/web1", "keyadmin"],
        &["role-tags", "remove", "machines/web1", "keyadmin"],
        &["role-tags", "clear", "machines/web1", "--yes"],
        &["api", "POST", "/:login/config", "-d", "{}"],
        &["api", "PUT", "/:login/config", "-d", "{}"],
        &["api", "DELETE", "/:login/keys/none"],
    ];
    for words in commands {
        for twice in [true, false] {
            let faults = ["POST * delay=3s", "PUT * delay=3s", "DELETE * delay=3s"].map(|fault| fault.parse().unwrap());
            let options = Options { pace: Pace::Times(10_000.0), faults: faults.to_vec(), ..Options::default() };
            let emulator = Emulator::start(options).await.unwrap();
            if ["unshare", "remove", "clear"].contains(&words[1]) {
                let before: &[&str] = match words[1] {
                    "unshare" => commands[0],
                    _ => &["role-tags", "set", "machines/web1", "operator", "keyadmin", "--yes"],
                };
                assert!(output(against(&emulator, before)).await.status.success());
            }
            let (code, told) = interrupted(&emulator, words, twice).await;
            assert!(told.contains("what was sent is waited for"), "{words:?}: {told}");
            match twice {
                true => assert!(told.contains(" was sent\n") && told.contains("may have taken effect"), "{told}"),
                false if words[0] == "api" => {}
                false => assert!(told.contains(" was carried out\n"), "{words:?}: {told}"),
            }
            assert!(code == Some(130) || words[0] == "api" && !twice, "{words:?}: {code:?} {told}");
            emulator.stop().await.unwrap();
        }
    }
}

#[test]
fn every_command_of_its_own_that_sends_a_change_heeds_interruptions() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/commands");
    let mut folders = vec![folder];
    let mut senders = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            if text.contains(".answered(") || text.contains(".send_reporting_doubt(") {
                senders += 1;
                assert!(text.contains("resume::sent("), "{}", entry.path().display());
            }
        }
    }
    assert_eq!(senders, 3);
}
