//! One test a code: how a user comes by it, against the emulator; in words, and as JSON that says the same code.
#![cfg(all(feature = "cli", feature = "emulator"))]

#[cfg(target_os = "linux")]
use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::common::{against, ended, key, output};
use sdc::emulator::{Emulator, Options, Pace};

/// An emulator with these faults planted.
async fn cloud(faults: &[&str]) -> Emulator {
    let faults = faults.iter().map(|spec| spec.parse().unwrap()).collect();
    Emulator::start(Options { faults, ..Options::default() }).await.unwrap()
}

/// The last line of stderr as the error that it is.
fn error(said: &Output) -> serde_json::Value {
    let told = String::from_utf8_lossy(&said.stderr);
    let last = told.lines().last().unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
    told["error"].clone()
}

/// Runs it twice, and expects this code and this kind of error; in words one that says this.
async fn ends(cloud: &Emulator, line: &str, code: i32, kind: &str, words: &str) {
    let typed: Vec<&str> = line.split(' ').collect();
    let said = output(against(cloud, &typed)).await;
    let told = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(code), "sdc {line}: {told}");
    assert!(told.contains(words), "sdc {line}: {told}");
    let said = output(against(cloud, &[&typed[..], &["--json"]].concat())).await;
    let error = error(&said);
    assert_eq!(said.status.code(), Some(code), "sdc {line} --json: {error}");
    assert_eq!((error["exit"].as_i64(), error["kind"].as_str()), (Some(i64::from(code)), Some(kind)), "{error}");
}

#[tokio::test]
async fn code_0_what_was_asked_for_is_done() {
    let cloud = cloud(&[]).await;
    for line in ["machines list", "machines stop web1 --wait", "machines delete web1 --yes", "help exit-codes"] {
        let said = output(against(&cloud, &line.split(' ').collect::<Vec<_>>())).await;
        assert_eq!(said.status.code(), Some(0), "sdc {line}: {}", String::from_utf8_lossy(&said.stderr));
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_1_the_service_failed_inside() {
    let cloud = cloud(&["GET /machines status=500"]).await;
    ends(&cloud, "machines list", 1, "failed", "service: 500").await;
    cloud.stop().await.unwrap();
}

/// What a terminal shows when this is typed at the question of a delete, and the exit code.
#[cfg(target_os = "linux")]
async fn asked(cloud: &Emulator, typed: &str) -> (Option<i32>, String) {
    let sdc = against(cloud, &[]);
    let mut command = Command::new("script");
    let line = format!("{} machines delete web1", env!("CARGO_BIN_EXE_sdc"));
    command.args(["-qec", &line, "/dev/null"]).env_clear().env("SHELL", "/bin/sh").env("PATH", "/usr/bin:/bin");
    command.env("NO_COLOR", "1").envs(sdc.vars());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let typed = typed.to_owned();
    let said = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut shown, mut byte) = (Vec::new(), [0]);
        while !shown.ends_with(b"[y/N] ") && screen.read(&mut byte).unwrap() == 1 {
            shown.extend(byte);
        }
        keyboard
            .write_all(typed.as_bytes())
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&shown)));
        // The end of what is typed is Ctrl-D.
        drop(keyboard);
        screen.read_to_end(&mut shown).unwrap();
        (child.wait().unwrap().code(), String::from_utf8(shown).unwrap().replace('\r', ""))
    });
    said.await.unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn code_1_a_question_is_not_answered_with_yes() {
    let cloud = cloud(&[]).await;
    for (typed, echo) in [("n\n", "n\n"), ("\n", "\n"), ("", "\n")] {
        let (code, shown) = asked(&cloud, typed).await;
        let refused = format!("? [y/N] {echo}error: delete: not confirmed, so nothing was done\n");
        assert!(code == Some(1) && shown.ends_with(&refused), "{typed:?}: {code:?} {shown:?}");
    }
    assert!(cloud.requests().iter().all(|seen| seen.method == "GET"), "{:?}", cloud.requests());
    let (code, shown) = asked(&cloud, "y\n").await;
    assert_eq!(code, Some(0), "{shown}");
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_2_the_command_makes_no_sense_and_nothing_is_sent() {
    let cloud = cloud(&[]).await;
    for line in ["machines list --nope", "machines list nope=1", "machines delete 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d"]
    {
        ends(&cloud, line, 2, "usage", "").await;
    }
    assert!(cloud.requests().is_empty(), "{:?}", cloud.requests());
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_3_it_is_not_there_or_is_gone() {
    let cloud = cloud(&[]).await;
    ends(&cloud, "machines get nope", 3, "not-found", "no machine named 'nope'").await;
    ends(&cloud, "machines get 84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d", 3, "not-found", "deleted").await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_4_the_key_is_not_the_accounts() {
    let cloud = cloud(&[]).await;
    let stranger = key().join("key").display().to_string();
    ends(&cloud, &format!("machines list -k {stranger}"), 4, "auth", "sdc auth doctor").await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_5_the_service_refuses() {
    let cloud = cloud(&["POST /volumes status=403 code=NotAuthorized"]).await;
    ends(&cloud, "machines rename web1 web10", 5, "refused", "Already exists").await;
    // Rights are another matter than a limit.
    ends(&cloud, "volumes create -n data", 4, "auth", "403").await;
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s3cretword\n").unwrap();
    let image = "77b04c9e-2d4f-4a6b-8c8d-1e2f3a4b5c04";
    let create =
        format!("machines create --image {image} --package k1-medium --password-file {}", secret.path().display());
    // Of machines of this brand two are allowed, and one is there.
    let made = output(against(&cloud, &create.split(' ').collect::<Vec<_>>())).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    ends(&cloud, &create, 5, "refused", "sdc account limits").await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_6_nobody_answers() {
    let cloud = cloud(&["GET /machines hang", "GET /networks drop=before"]).await;
    ends(&cloud, "machines list --request-timeout 500ms", 6, "unreachable", "did not answer within 500ms").await;
    ends(&cloud, "networks list", 6, "unreachable", "broke off the connection").await;
    // Port 9 of this machine belongs to nobody.
    ends(&cloud, "images list -U http://127.0.0.1:9", 6, "unreachable", "127.0.0.1:9").await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_7_the_service_is_busy_after_all_retries() {
    let cloud = cloud(&["GET /machines status=503", "GET /images status=429"]).await;
    ends(&cloud, "machines list --request-timeout 500ms", 7, "unavailable", "service: 503").await;
    ends(&cloud, "images list --request-timeout 500ms", 7, "unavailable", "service: 429").await;
    assert!(cloud.requests().len() > 4, "each was sent again");
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_8_what_was_waited_for_failed() {
    let cloud = cloud(&["POST /machines fail", "POST /machines/* fail"]).await;
    let create = "machines create --image base-64 --package g1-small --wait";
    ends(&cloud, create, 8, "failed-state", "ended in the state failed").await;
    ends(&cloud, "machines stop web1 --wait", 8, "failed-state", "the stop of machine web1").await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_9_the_time_was_over_first() {
    let cloud = Emulator::start(Options { pace: Pace::Stepped, ..Options::default() }).await.unwrap();
    ends(&cloud, "machines stop web1 --wait --timeout 500ms", 9, "timed-out", "gave up waiting").await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_9_its_end_cannot_be_seen() {
    let cloud = cloud(&["GET /machines/*/audit status=403 code=NotAuthorized"]).await;
    let words = "reboot requested; its end cannot be seen without the right machineaudit";
    ends(&cloud, "machines reboot web1 --wait", 9, "timed-out", words).await;
    cloud.stop().await.unwrap();
    let cloud = self::cloud(&["GET /machines/* status=401 code=InvalidCredentials"]).await;
    let words = "stop was sent and taken; only the look at its end was refused";
    ends(&cloud, "machines stop web1 --wait", 9, "timed-out", words).await;
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn code_10_the_name_fits_several() {
    let cloud = cloud(&[]).await;
    // Of the account's own images; others have several of one name too, but those are not its to delete.
    let made = output(against(&cloud, &["images", "create", "db1", "acme-web", "1.5.0", "--wait"])).await;
    assert!(made.status.success(), "{made:?}");
    ends(&cloud, "images delete acme-web --yes", 10, "ambiguous", "fits 2 images").await;
    cloud.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn code_130_somebody_interrupted_it() {
    let cloud = Emulator::start(Options { pace: Pace::Stepped, ..Options::default() }).await.unwrap();
    for json in [&[][..], &["--json"]] {
        cloud.forget_requests();
        let child = against(&cloud, &[&["machines", "reboot", "web1", "--wait"], json].concat()).spawn().unwrap();
        // It waits once it asks for what has become of the reboot.
        let waits = || {
            let seen = cloud.requests();
            seen.iter().position(|seen| seen.method == "POST").is_some_and(|sent| sent + 1 < seen.len())
        };
        while !waits() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let said = ended(child).await;
        assert_eq!(said.status.code(), Some(130), "{}", String::from_utf8_lossy(&said.stderr));
        if !json.is_empty() {
            assert_eq!((&error(&said)["exit"], &error(&said)["kind"]), (&130.into(), &"interrupted".into()));
        }
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn the_page_lists_these_codes_each_with_a_cause_and_what_to_do() {
    let cloud = cloud(&[]).await;
    let said = output(against(&cloud, &["help", "exit-codes"])).await;
    let page = String::from_utf8(said.stdout).unwrap();
    let mut codes = Vec::new();
    // Each code with its meaning, a cause and what to do, on as many lines as they need.
    let mut rows: Vec<Vec<&str>> = Vec::new();
    for line in page.lines() {
        match line.trim_start().starts_with(|first: char| first.is_ascii_digit()) && !line.starts_with("    ") {
            true => rows.push(vec![line]),
            false => rows.last_mut().unwrap().push(line.trim_start()),
        }
    }
    for row in rows {
        let (code, meaning) = row[0].trim_start().split_once("  ").unwrap();
        let begins = |word: &str| row.iter().filter(|line| line.starts_with(word)).count();
        assert!(!meaning.is_empty() && begins("such as  ") == 1 && begins("then     ") == 1, "{row:?}");
        codes.push(code.parse::<u8>().unwrap());
    }
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130]);
    cloud.stop().await.unwrap();
}
