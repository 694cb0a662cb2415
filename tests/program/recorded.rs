//! The record of `rbac apply`: whatever ends a run, `--prune` finds what it has made.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{self, Program, Run, against, ended, output, text};
use sdc::emulator::{Emulator, Options};

/// A cloud, and a home with the record.
struct Cloud {
    emulator: Emulator,
    home: tempfile::TempDir,
}

impl Cloud {
    /// The fault strikes one request.
    async fn with(fault: &str) -> Cloud {
        let fault = fault.parse().unwrap();
        let emulator = Emulator::start(Options { faults: vec![fault], ..Options::default() }).await.unwrap();
        Cloud { emulator, home: tempfile::tempdir().unwrap() }
    }

    fn file(&self, content: &Value) -> String {
        let file = self.home.path().join("team.json");
        std::fs::write(&file, content.to_string()).unwrap();
        file.display().to_string()
    }

    fn apply(&self, file: &str, more: &[&str]) -> Program {
        let mut command = against(&self.emulator, &[&["rbac", "apply", file, "--yes"], more].concat());
        command.env("HOME", self.home.path());
        command
    }

    async fn told(&self, run: impl Run) -> (Option<i32>, String, String) {
        let said = output(run).await;
        (said.status.code(), text(&said.stdout), text(&said.stderr))
    }

    /// Begins to apply, and waits until this request has come.
    async fn begun(&self, file: &str, path: &str) -> Child {
        let mut child = self.apply(file, &[]).spawn().unwrap();
        let mut tries = 0..600;
        while !self.writes().iter().any(|line| line == path) {
            if tries.next().is_none() {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("{path} was never sent");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        child
    }

    /// The requests that change something.
    fn writes(&self) -> Vec<String> {
        let seen = self.emulator.requests();
        let writes = seen.iter().filter(|seen| !matches!(seen.method.as_str(), "GET" | "HEAD"));
        writes.map(|seen| format!("{} {}", seen.method, seen.path_and_query)).collect()
    }

    fn record(&self) -> PathBuf {
        let folder = self.home.path().join(".triton/sdc-rbac");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut records = files.filter(|file| file.extension().is_some_and(|end| end == "json"));
        records.next().unwrap()
    }

    fn recorded(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.record()).unwrap()).unwrap()
    }

    async fn roles_and_policies(&self) -> String {
        let mut all = String::new();
        for noun in ["roles", "policies", "users"] {
            let (_, names, _) = self.told(against(&self.emulator, &[noun, "list", "--json"])).await;
            all.push_str(&names);
        }
        all
    }
}

fn team() -> Value {
    json!({
        "owner": "team",
        "policies": [{ "name": "may-reboot", "rules": ["CAN rebootmachine"] }],
        "roles": [{ "name": "rebooters", "policies": ["may-reboot"] }],
    })
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn a_role_whose_answer_a_killed_run_never_saw_is_deleted_by_prune() {
    // The role is made, and its answer comes so slowly that nobody sees its end.
    let cloud = Cloud::with("POST /roles drip=1").await;
    let child = cloud.begun(&cloud.file(&team()), "POST /acme/roles").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    signal(&child, "-KILL");
    assert_eq!(ended(child).await.status.code(), None);
    assert!(cloud.roles_and_policies().await.contains("rebooters"));
    let recorded = cloud.recorded();
    assert_eq!((&recorded["made"][0]["name"], recorded["made"].as_array().unwrap().len()), (&json!("may-reboot"), 1));
    assert_eq!(recorded["begun"][0]["name"], "rebooters");
    // A plan says so and writes nothing.
    let file = cloud.file(&json!({ "owner": "team" }));
    let (code, plan, notes) = cloud.told(cloud.apply(&file, &["--prune", "--plan"])).await;
    assert_eq!((code, plan.as_str()), (Some(0), "- delete role rebooters\n- delete policy may-reboot\n"), "{notes}");
    assert!(notes.contains("made by a run of this file that did not end, and on its record now: role rebooters"));
    assert_eq!(cloud.recorded(), recorded);
    let (code, _, words) = cloud.told(cloud.apply(&file, &["--prune"])).await;
    assert_eq!(code, Some(0), "{words}");
    let left = cloud.roles_and_policies().await;
    assert!(!left.contains("rebooters") && !left.contains("may-reboot"), "{left}");
    assert_eq!((&cloud.recorded()["made"], cloud.recorded().get("begun")), (&json!([]), None));
}

/// What a file can make, one of each kind, with the request that makes it. Of the user, the key is a part.
fn each() -> [(&'static str, Value); 4] {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUGuQxPsNx8zqPXuTjNGyGx8MG3uxhpc1CdwTx2V7B9 laptop";
    let user = json!({ "login": "other", "email": "other@example.com", "firstName": "Jo", "keys": [] });
    let policy = json!({ "name": "other", "description": "ping", "rules": ["CAN rebootmachine", "CAN  getmachine"] });
    let member = json!({ "login": "other", "email": "other@example.com", "keys": [key] });
    [
        ("/policies", json!({ "owner": "team", "policies": [policy] })),
        ("/users", json!({ "owner": "team", "users": [user] })),
        (
            "/roles",
            json!({ "owner": "team", "policies": [policy], "users": [user],
                "roles": [{ "name": "other", "default_members": ["other"], "policies": ["other"] }] }),
        ),
        ("/users/*/keys", json!({ "owner": "team", "users": [member] })),
    ]
}

/// Applies until the request of this path is sent, and kills the run then.
async fn killed(cloud: &Cloud, path: &str, file: &Value) {
    let mut child = cloud.apply(&cloud.file(file), &[]).spawn().unwrap();
    let last = path.rsplit('/').next().unwrap();
    let mut tries = 0..600;
    while !cloud.writes().iter().any(|line| line.ends_with(&format!("/{last}"))) && tries.next().is_some() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill().unwrap();
    assert_eq!(ended(child).await.status.code(), None, "{path}");
    let begun = cloud.recorded()["begun"].clone();
    assert_eq!(begun.as_array().map(Vec::len), Some(1), "{path}: {begun}");
    assert!(!begun.to_string().contains("password"), "{begun}");
}

#[tokio::test]
async fn what_a_killed_run_has_made_is_pruned_whatever_its_kind() {
    for (path, file) in each() {
        let cloud = Cloud::with(&format!("POST {path} drip=1")).await;
        killed(&cloud, path, &file).await;
        let (code, told, words) = cloud.told(cloud.apply(&cloud.file(&json!({ "owner": "team" })), &["--prune"])).await;
        assert!(code == Some(0) && words.contains("on its record now: "), "{path}: {told}{words}");
        assert!(!words.contains("warning"), "{path}: {words}");
        let left = cloud.roles_and_policies().await;
        assert!(!left.contains("\"other"), "{path}: {left}");
    }
}

#[tokio::test]
async fn what_others_make_after_a_request_that_never_came_is_theirs() {
    let theirs: [&[&str]; 3] = [
        &["policies", "create", "other", "--rule", "CAN deletemachine"],
        &["users", "create", "other", "--email", "else@example.com", "--password-file", "PASSWORD"],
        &["roles", "create", "other"],
    ];
    for ((path, file), theirs) in each().into_iter().zip(theirs) {
        let cloud = Cloud::with(&format!("POST {path} hang")).await;
        killed(&cloud, path, &file).await;
        cloud.emulator.clear_faults();
        let password = cloud.home.path().join("password").display().to_string();
        std::fs::write(&password, "secret123").unwrap();
        let words: Vec<&str> = theirs.iter().map(|word| if *word == "PASSWORD" { &*password } else { word }).collect();
        let (code, _, words) = cloud.told(against(&cloud.emulator, &words)).await;
        assert_eq!(code, Some(0), "{words}");
        let noun = theirs[0];
        let (_, before, _) = cloud.told(against(&cloud.emulator, &[noun, "get", "other", "--json"])).await;
        // However old the record is.
        let mut recorded = cloud.recorded();
        let since = recorded["begun"][0]["since"].as_u64().unwrap() - 30 * 24 * 3600;
        recorded["begun"][0]["since"] = since.into();
        std::fs::write(cloud.record(), recorded.to_string()).unwrap();
        let nothing = cloud.file(&json!({ "owner": "team" }));
        let (code, told, words) = cloud.told(cloud.apply(&nothing, &["--prune"])).await;
        assert_eq!(code, Some(0), "{path}: {words}");
        assert!(words.contains("may be somebody else's") && words.contains("--adopt"), "{path}: {words}");
        let (_, after, _) = cloud.told(against(&cloud.emulator, &[noun, "get", "other", "--json"])).await;
        assert_eq!((before, cloud.recorded().get("begun")), (after, None), "{path}: {told}");
        assert!(cloud.recorded()["made"].as_array().unwrap().is_empty(), "{path}");
        // It can be taken over.
        let (code, told, words) = cloud.told(cloud.apply(&cloud.file(&file), &["--adopt"])).await;
        assert!(
            code == Some(0) && told.contains("= adopt ") && !words.contains("somebody else's"),
            "{path}: {told}{words}"
        );
        // The same name as before, and so the same path.
        cloud.file(&json!({ "owner": "team" }));
        let (code, _, words) = cloud.told(cloud.apply(&nothing, &["--prune"])).await;
        assert!(code == Some(0) && !cloud.roles_and_policies().await.contains("\"other"), "{path}: {words}");
    }
}

#[tokio::test]
async fn a_record_that_does_not_say_how_something_was_begun_owns_nothing() {
    let cloud = Cloud::with("POST /policies drop=after times=1").await;
    cloud.told(cloud.apply(&cloud.file(&team()), &[])).await;
    let mut recorded = cloud.recorded();
    assert!(recorded["begun"][0].as_object_mut().unwrap().remove("image").is_some());
    std::fs::write(cloud.record(), recorded.to_string()).unwrap();
    let (code, told, words) = cloud.told(cloud.apply(&cloud.file(&json!({ "owner": "team" })), &["--prune"])).await;
    assert!(code == Some(0) && told.starts_with("nothing to do"), "{told}{words}");
    assert!(words.contains("was about to create policy may-reboot, but"), "{words}");
    assert!(cloud.roles_and_policies().await.contains("may-reboot"));
}

#[tokio::test]
async fn what_a_killed_run_has_made_is_on_the_record_even_if_there_is_nothing_else_to_do() {
    let cloud = Cloud::with("POST /policies drip=1").await;
    let policies = json!({ "owner": "team", "policies": team()["policies"] });
    let child = cloud.begun(&cloud.file(&policies), "POST /acme/policies").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    signal(&child, "-KILL");
    ended(child).await;
    let (code, told, words) = cloud.told(cloud.apply(&cloud.file(&policies), &[])).await;
    assert!(code == Some(0) && told.starts_with("nothing to do"), "{told}{words}");
    assert!(words.contains("on its record now: policy may-reboot"), "{words}");
    assert_eq!(cloud.recorded()["made"][0]["name"], "may-reboot");
    let (_, told, words) = cloud.told(cloud.apply(&cloud.file(&json!({ "owner": "team" })), &["--prune"])).await;
    assert_eq!((told.as_str(), words.as_str()), ("- delete policy may-reboot\n", "policy may-reboot: deleted\n"));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_resource_to_prune_and_a_refusal_does_not() {
    let cloud = Cloud::with("POST /policies drop=after times=1").await;
    let (code, _, words) = cloud.told(cloud.apply(&cloud.file(&team()), &[])).await;
    assert_eq!(code, Some(6), "{words}");
    let file = cloud.file(&json!({ "owner": "team" }));
    let (_, told, words) = cloud.told(cloud.apply(&file, &["--prune"])).await;
    assert_eq!(told, "- delete policy may-reboot\n", "{words}");
    // A policy that somebody else makes after a refusal is nobody's but theirs.
    let fault = "POST /policies status=409 code=InvalidArgument times=1".parse().unwrap();
    cloud.emulator.clear_faults();
    cloud.emulator.add_fault(fault);
    let (code, _, words) = cloud.told(cloud.apply(&cloud.file(&team()), &[])).await;
    assert_eq!(code, Some(5), "{words}");
    let words = ["policies", "create", "may-reboot", "--rule", "CAN ping"];
    let (code, _, words) = cloud.told(against(&cloud.emulator, &words)).await;
    assert_eq!(code, Some(0), "{words}");
    let file = cloud.file(&json!({ "owner": "team" }));
    let (_, told, _) = cloud.told(cloud.apply(&file, &["--prune"])).await;
    assert!(told.starts_with("nothing to do"), "{told}");
}

#[tokio::test]
async fn an_interruption_waits_for_the_request_that_is_out_and_records_it() {
    for name in ["-INT", "-TERM"] {
        let cloud = Cloud::with("POST /policies drip=30").await;
        let file = cloud.file(&team());
        let child = cloud.begun(&file, "POST /acme/policies").await;
        signal(&child, name);
        let said = ended(child).await;
        let words = text(&said.stderr);
        assert_eq!(said.status.code(), Some(130), "{name}: {words}");
        assert!(words.contains("policy may-reboot: created"), "{words}");
        assert!(words.contains("create role rebooters: interrupted before it was sent"), "{words}");
        assert_eq!(cloud.writes(), ["POST /acme/policies"], "{name}");
        let recorded = cloud.recorded();
        assert_eq!((&recorded["made"][0]["name"], recorded.get("begun")), (&json!("may-reboot"), None), "{name}");
    }
}

#[tokio::test]
async fn a_second_interruption_leaves_at_once_and_the_record_says_what_was_begun() {
    let cloud = Cloud::with("POST /policies drip=1").await;
    let child = cloud.begun(&cloud.file(&team()), "POST /acme/policies").await;
    signal(&child, "-INT");
    // Those that come close together are one.
    tokio::time::sleep(Duration::from_millis(400)).await;
    signal(&child, "-INT");
    let said = ended(child).await;
    let words = text(&said.stderr);
    assert_eq!(said.status.code(), Some(130), "{words}");
    assert!(words.contains("may have taken effect all the same"), "{words}");
    assert_eq!(cloud.recorded()["begun"][0]["name"], "may-reboot");
    let (_, told, words) = cloud.told(cloud.apply(&cloud.file(&json!({ "owner": "team" })), &["--prune"])).await;
    assert_eq!(told, "- delete policy may-reboot\n", "{words}");
}

/// Applies where the record cannot be written, and says what came of it.
async fn unwritable(spoil: impl Fn(&Path), limit: bool) -> (Option<i32>, String) {
    let cloud = Cloud::with("GET /volumes hang").await;
    let folder = cloud.home.path().join(".triton/sdc-rbac");
    std::fs::create_dir_all(&folder).unwrap();
    spoil(&folder);
    let file = cloud.file(&team());
    // Not a byte may be written to a file, and the signal for it is ignored: the disk is as good as full.
    let full = if limit { "trap '' XFSZ; ulimit -f 0; exec \"$@\"" } else { "exec \"$@\"" };
    let mut command = Command::new("/bin/sh");
    command.args(["-c", full, "sh", env!("CARGO_BIN_EXE_sdc"), "rbac", "apply", &file, "--yes"]).env_clear();
    let (emulator, home) = (&cloud.emulator, cloud.home.path());
    command.envs(common::told_of(emulator.url(), emulator.account(), emulator.key_file())).env("HOME", home);
    let (code, _, words) = cloud.told(command).await;
    assert!(cloud.writes().is_empty(), "{:?}", cloud.writes());
    (code, words)
}

#[tokio::test]
async fn without_a_record_nothing_is_changed() {
    let (code, words) = unwritable(|_| {}, true).await;
    assert!(code == Some(1) && words.contains("cannot be written") && words.contains("nothing was changed"), "{words}");
    // A file where the folder of the records should be.
    let spoil = |folder: &Path| {
        std::fs::remove_dir(folder).unwrap();
        std::fs::write(folder, "").unwrap();
    };
    let (code, words) = unwritable(spoil, false).await;
    assert!(code == Some(1) && words.contains("the record"), "{words}");
    // A folder that nobody may write to, but for root.
    let read_only = |folder: &Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    };
    let probe = tempfile::tempdir().unwrap();
    read_only(probe.path());
    if std::fs::write(probe.path().join("probe"), "").is_err() {
        let (code, words) = unwritable(read_only, false).await;
        assert!(code == Some(1) && words.contains("cannot be written"), "{words}");
    }
}
