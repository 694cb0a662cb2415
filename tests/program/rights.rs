//! What a sub-user, or a role that was taken on, may not see: waits and the doctor, against the emulator.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use crate::common::{against, head, output, sdc, text};
use sdc::emulator::{Emulator, Options, Pace};

/// Everything comes to its end at once.
const FAST: Pace = Pace::Times(10_000.0);
/// The machine `web1`.
const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

/// A cloud with a sub-user joe, who may do on web1 what this rule says.
struct Cloud {
    emulator: Emulator,
    key: PathBuf,
    _dir: tempfile::TempDir,
}

impl Cloud {
    async fn with(rule: &str) -> Cloud {
        let emulator = Emulator::start(Options { pace: FAST, ..Options::default() }).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("joe");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "joe", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let file = dir.path().join("team.json");
        let team = serde_json::json!({
            "users": [{ "login": "joe", "email": "joe@example.com", "keys": [key.with_extension("pub")] }],
            "policies": [{ "name": "some", "rules": [rule] }],
            "roles": [{ "name": "few", "members": ["joe"], "default_members": ["joe"], "policies": ["some"] }],
        });
        std::fs::write(&file, team.to_string()).unwrap();
        let cloud = Cloud { emulator, key, _dir: dir };
        cloud.done(&["rbac", "apply", &file.display().to_string(), "--yes"]).await;
        cloud.done(&["role-tags", "set", &format!("machines/{WEB1}"), "few"]).await;
        cloud.emulator.forget_requests();
        cloud
    }

    async fn done(&self, words: &[&str]) {
        let said = output(against(&self.emulator, words)).await;
        assert!(said.status.success(), "{words:?}: {}", text(&said.stderr));
    }

    async fn as_joe(&self, words: &[&str]) -> Output {
        let mut command = against(&self.emulator, words);
        command.env("SDC_USER", "joe").env("SDC_KEY_FILE", &self.key);
        output(command).await
    }

    fn posts(&self) -> usize {
        self.emulator.requests().iter().filter(|seen| !matches!(seen.method.as_str(), "GET" | "HEAD")).count()
    }
}

#[tokio::test]
async fn what_was_done_without_the_right_to_see_its_end_is_no_failure_of_rights() {
    let cloud = Cloud::with(
        "CAN getmachine and rebootmachine and resizemachine and replacemachinetags and listmachinetags and getpackage",
    )
    .await;
    let package = output(against(&cloud.emulator, &["packages", "get", "g1-medium", "--jq", ".id", "--raw"])).await;
    let package = text(&package.stdout).trim().to_owned();
    for words in [
        &["machines", "reboot", WEB1, "--wait"][..],
        &["machines", "resize", WEB1, &package, "--wait"],
        &["machines", "tags", "replace", WEB1, "role=db", "--yes", "--wait"],
    ] {
        cloud.emulator.forget_requests();
        let said = cloud.as_joe(words).await;
        let told = text(&said.stderr);
        assert_eq!((said.status.code(), cloud.posts()), (Some(9), 1), "{words:?}: {told}");
        let error = "requested; its end cannot be seen without the right machineaudit";
        assert!(told.contains(error), "{words:?}: {told}");
    }
    cloud.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_repeated_needs_no_right_that_the_first_one_did_not() {
    let cloud = Cloud::with("CAN createmachine and listmachines and getmachine *").await;
    let id = async |words: &[&str]| {
        let said = output(against(&cloud.emulator, words)).await;
        text(&said.stdout).lines().next().unwrap().to_owned()
    };
    let image = id(&["images", "list", "name=base-64", "-o", "ids"]).await;
    let package = id(&["packages", "list", "name=g1-nano", "-o", "ids"]).await;
    let new = ["machines", "create", "--image", &image, "--package", &package, "-n"];
    for own in [&["k", "--idempotency-key", "k"][..], &["n", "--if-absent"]] {
        let ids = [&new[..], own, &["-w", "-o", "ids"]].concat();
        let first = cloud.as_joe(&ids).await;
        assert!(first.status.success(), "{}", text(&first.stderr));
        let again = cloud.as_joe(&ids).await;
        let told = text(&again.stderr);
        assert_eq!((again.status.code(), &again.stdout), (Some(0), &first.stdout), "{told}");
        assert!(told.contains("is taken without a look at its package") && told.contains("(getpackage)"), "{told}");
    }
    // More time for it is a change of its tags.
    let short = [&new[..], &["t", "--idempotency-key", "t", "-o", "ids", "-t", "sdc.expires=1s"]].concat();
    assert!(cloud.as_joe(&short).await.status.success());
    let more = [&new[..], &["t", "--idempotency-key", "t", "-o", "ids", "-q", "-t", "sdc.expires=2h"]].concat();
    let said = cloud.as_joe(&more).await;
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(0), "{told}");
    assert!(told.contains("its time is over or sooner than asked for, and stays") && told.contains("(addmachinetags)"));
    // Where the answer to the first is lost, it is found all the same.
    let lost = "POST /machines drop=after times=1".parse().unwrap();
    cloud.emulator.add_fault(lost);
    let lost = [&new[..], &["l", "--idempotency-key", "l", "-o", "ids", "--request-timeout", "2s"]].concat();
    let said = cloud.as_joe(&lost).await;
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    cloud.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_refusal_says_all_that_a_sub_user_lacks() {
    let cloud = Cloud::with("CAN getmachine and listmachines").await;
    // The rule is there, and the collection has no tag.
    let said = cloud.as_joe(&["machines", "list"]).await;
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(4), "{told}");
    for words in ["CAN listmachines", "sdc role-tags add machines ROLE", "sdc machines get UUID", "sub-user joe"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let said = cloud.as_joe(&["machines", "list", "--role", "few"]).await;
    let told = text(&said.stderr);
    assert!(told.contains("in few (--role)") && !told.contains("is there a role"), "{told}");
    // And that helps.
    cloud.done(&["role-tags", "add", "machines", "few"]).await;
    assert_eq!(cloud.as_joe(&["machines", "list"]).await.status.code(), Some(0));
    let told = text(&cloud.as_joe(&["machines", "stop", WEB1]).await.stderr);
    assert!(
        told.contains("CAN stopmachine") && told.contains(&format!("role-tags add machines/{WEB1} ROLE")),
        "{told}"
    );
    let told = text(&cloud.as_joe(&["machines", "list", "--role", "nobody"]).await.stderr);
    assert!(told.contains("is there a role nobody (--role)"), "{told}");
    cloud.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_exported_can_be_changed_and_applied() {
    let emulator = Emulator::start(Default::default()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rbac.json").display().to_string();
    let run = async |words: &[&str]| {
        let said = output(against(&emulator, words)).await;
        assert!(said.status.success(), "{words:?}: {}", text(&said.stderr));
        (text(&said.stdout), text(&said.stderr))
    };
    // A rule that our own grammar knows nothing of.
    let odd = r#"{"name":"odd","rules":["CAN listmachines getmachine"]}"#;
    run(&["api", "POST", "/:login/policies", "-d", odd]).await;
    let (exported, _) = run(&["rbac", "export"]).await;
    for (from, to) in [
        ("CAN *key and *keys *", "CAN *key and *keys *"),
        ("machineaudit *", "machineaudit * WHEN sourceip = 127.0.0.0/8"),
        ("CAN *key and *keys *", "CAN listmachines *"),
        ("\"default_members\": []", "\"default_members\": [\"ci\"]"),
        ("ci@acme", "bob@acme"),
    ] {
        assert!(exported.contains(from), "{exported}");
        std::fs::write(&file, exported.replace(from, to)).unwrap();
        run(&["rbac", "apply", &file, "--yes"]).await;
        let (told, _) = run(&["rbac", "apply", &file, "--plan"]).await;
        assert!(told.contains("nothing to do"), "{to}: {told}");
        let (again, _) = run(&["rbac", "export"]).await;
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        assert!(bare(&again).contains(&bare(to)), "{to}: {again}");
    }
    // A new rule that can mean nothing is refused.
    std::fs::write(&file, exported.replace("CAN *key and *keys *", "CAN listmachines ping")).unwrap();
    let said = output(against(&emulator, &["rbac", "apply", &file, "--yes"])).await;
    assert_eq!(said.status.code(), Some(2), "{}", text(&said.stderr));
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_wait_that_may_not_look_at_the_machine_says_which_right_it_wants() {
    let cloud = Cloud::with("CAN stopmachine and rebootmachine").await;
    for (action, right) in [("stop", "getmachine"), ("reboot", "machineaudit")] {
        let said = cloud.as_joe(&["machines", action, WEB1, "--wait", "--json"]).await;
        let told = text(&said.stderr);
        let error: serde_json::Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        assert_eq!((said.status.code(), &error["error"]["kind"]), (Some(9), &"timed-out".into()), "{told}");
        let words = format!("{action} requested; its end cannot be seen without the right {right}");
        assert!(told.contains(&words), "{told}");
    }
    // Without the right to do it, nothing is under way.
    let said = cloud.as_joe(&["machines", "start", WEB1, "--wait"]).await;
    assert_eq!(said.status.code(), Some(4), "{}", text(&said.stderr));
    cloud.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn the_doctor_warns_of_a_right_that_nobody_needs_and_fails_for_what_is_wrong() {
    let cloud = Cloud::with("CAN getmachine").await;
    let said = cloud.as_joe(&["auth", "doctor"]).await;
    let told = text(&said.stdout);
    assert!(said.status.success() && told.contains("ok    signature  accepted"), "{told}");
    assert!(told.contains("warn  login      sub-user joe (SDC_USER); without the right getaccount"), "{told}");
    let said = cloud.as_joe(&["auth", "doctor", "--role", "few"]).await;
    let told = text(&said.stdout);
    assert!(said.status.success() && told.contains("warn  roles      few taken on (--role)"), "{told}");
    for wrong in [["--role", "nobody"], ["--user", "nobody"]] {
        let said = output(against(&cloud.emulator, &[&["auth", "doctor"][..], &wrong].concat())).await;
        assert_eq!(said.status.code(), Some(4), "{wrong:?}: {}", text(&said.stdout));
    }
    cloud.emulator.stop().await.unwrap();
}

/// A service that takes these signatures, and shows this date.
fn service(takes: fn(&str) -> bool, date: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = head(&mut stream);
            let (status, body) = match head.starts_with("GET /--ping ") {
                true => (200, r#"{"ping":"pong","cloudapi":{"versions":["9.0.0"]}}"#),
                false if takes(&head) => (200, r#"{"id":"x","login":"acme"}"#),
                false => (401, r#"{"code":"InvalidCredentials","message":"not so"}"#),
            };
            heads.lock().unwrap().push(head);
            let length = body.len();
            let date = if date.is_empty() { String::new() } else { format!("Date: {date}\r\n") };
            let head = format!("HTTP/1.1 {status} X\r\n{date}Content-Length: {length}\r\nConnection: close");
            let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
        }
    });
    (url, seen)
}

/// A date that is only a header's, and ages ago.
const LONG_AGO: &str = "Thu, 01 Jan 2015 00:00:00 GMT";

#[test]
fn after_a_401_the_doctor_tries_a_signature_over_the_date_once_and_says_so() {
    let of_signed = |seen: &Mutex<Vec<String>>| {
        let seen = seen.lock().unwrap();
        seen.iter().filter(|head| head.to_lowercase().contains("authorization:")).count()
    };
    // A proxy changes the path, so only the date verifies.
    let (url, seen) = service(|head| !head.contains("(request-target)"), "");
    let said = sdc(&url, &["auth", "doctor"]);
    let told = text(&said.stdout);
    assert_eq!((said.status.code(), of_signed(&seen)), (Some(4), 2), "{told}");
    assert!(told.contains("a signature over the date alone is accepted"), "{told}");
    assert!(told.contains("fix: --signing date, or SDC_SIGNING=date"), "{told}");
    // And that helps.
    let said = sdc(&url, &["auth", "doctor", "--signing", "date"]);
    assert!(said.status.success(), "{}", text(&said.stdout));
    let (url, seen) = service(|_| false, "");
    let told = text(&sdc(&url, &["auth", "doctor"]).stdout);
    assert!(of_signed(&seen) == 2 && told.contains("--signing date was tried too, and is refused"), "{told}");
    let (url, seen) = service(|_| false, "");
    let told = text(&sdc(&url, &["auth", "doctor", "--signing", "date"]).stdout);
    assert!(of_signed(&seen) == 1 && !told.contains("tried too"), "{told}");
}

#[test]
fn the_doctor_tries_the_signature_even_if_the_clocks_differ() {
    let (url, _) = service(|_| true, LONG_AGO);
    let said = sdc(&url, &["auth", "doctor"]);
    let told = text(&said.stdout);
    assert!(said.status.success() && told.contains("ok    signature  accepted"), "{told}");
    assert!(told.contains("warn  clock") && told.contains("the signature was accepted all the same"), "{told}");
    let (url, _) = service(|_| false, LONG_AGO);
    let said = sdc(&url, &["auth", "doctor"]);
    let told = text(&said.stdout);
    assert!(
        said.status.code() == Some(4) && told.contains("fail  clock") && told.contains("fail  signature"),
        "{told}"
    );
}
