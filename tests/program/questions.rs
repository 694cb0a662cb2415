//! The question before something is destroyed or cut off, as a person sees it on a terminal: where, what, and what of
//! the caller's own rights is lost by it.
#![cfg(all(target_os = "linux", feature = "cli", feature = "emulator"))]

use crate::common;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::{Program, against, output, program, text};
use sdc::emulator::{Emulator, Options, Pace, Seed};

/// What a command says on a terminal of 120 columns whose person answers this, and how it ends.
fn asked(program: &Program, answer: &str) -> (i32, String) {
    let process = program.process();
    let words: Vec<String> = std::iter::once(process.get_program())
        .chain(process.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''")))
        .collect();
    let mut command = Command::new("script");
    command.args(["-qec", &format!("stty cols 160; {}", words.join(" ")), "/dev/null"]);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh").envs(program.vars());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    (said.status.code().unwrap(), text(&said.stdout).replace("\r\n", "\n"))
}

async fn on_terminal(
    emulator: &Emulator,
    words: &[&str],
    more: &[(&str, &str)],
    answer: &'static str,
) -> (i32, String) {
    let mut command = against(emulator, words);
    command.envs(more.iter().copied());
    tokio::task::spawn_blocking(move || asked(&command, answer)).await.unwrap()
}

fn changed(emulator: &Emulator) -> usize {
    emulator.requests().iter().filter(|seen| seen.method != "GET" && seen.method != "HEAD").count()
}

async fn demo() -> Emulator {
    Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn the_question_says_where_and_what_each_target_is() {
    let emulator = demo().await;
    let (code, told) = on_terminal(&emulator, &["machines", "delete", "web1", "build"], &[], "n\n").await;
    assert_eq!((code, changed(&emulator)), (1, 0), "{told}");
    let heading = format!("delete 2 machines of account acme, at {}:", emulator.url());
    assert!(told.contains(&heading), "{told}");
    let line = told.lines().find(|line| line.starts_with("  machine web1 (")).unwrap();
    assert!(line.contains("  running  ") && line.contains(" old  ") && line.contains("role=web"), "{told}");
    assert!(told.contains("delete these 2? [y/N] "), "{told}");
    // An id alone says nothing to a person.
    let id = text(&output(against(&emulator, &["machines", "get", "web1", "-o", "ids"])).await.stdout);
    let (_, told) = on_terminal(&emulator, &["machines", "delete", id.trim()], &[], "n\n").await;
    assert!(told.contains(&format!("delete machine web1 ({})? [y/N]", id.trim())), "{told}");
    let (code, told) = on_terminal(&emulator, &["machines", "delete", "build", "--wait"], &[], "y\n").await;
    assert_eq!((code, changed(&emulator)), (0, 1), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn the_question_about_a_vm_shows_its_owner_its_alias_its_server_and_its_state() {
    let options = Options { pace: Pace::Times(10_000.0), admin: true, ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let (_, sapi) = emulator.admin().iter().find(|(name, _)| name == "sapi").unwrap();
    let home = tempfile::tempdir().unwrap();
    let told_of = [("SDC_SAPI_URL", sapi.as_str()), ("HOME", home.path().to_str().unwrap())];
    let id = "07a5e9d4-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    let sent = || emulator.requests().iter().filter(|seen| seen.method == "DELETE" || seen.method == "POST").count();
    for words in [
        vec!["vms", "delete", "build"],
        vec!["vms", "delete", id],
        vec!["vms", "delete", "build", "web1"],
        vec!["vms", "reprovision", "build", "base-64"],
        vec!["vms", "kill", "build"],
    ] {
        let (code, told) = on_terminal(&emulator, &[&["admin"], words.as_slice()].concat(), &told_of, "n\n").await;
        assert_eq!((code, sent()), (1, 0), "{words:?}: {told}");
        for due in ["build", id, "stopped", "owner a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f", "server 44454c4c-"] {
            assert!(told.contains(due), "{words:?} does not show {due}: {told}");
        }
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn the_profile_is_named_and_no_password_of_its_url() {
    let emulator = demo().await;
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(".triton/profiles.d");
    std::fs::create_dir_all(&dir).unwrap();
    let profile = serde_json::json!({ "url": emulator.url(), "account": "acme", "keyId": emulator.key_id() });
    std::fs::write(dir.join("coal.json"), profile.to_string()).unwrap();
    let home = home.path().to_str().unwrap().to_owned();
    let words = ["keys", "delete", "laptop", "--profile", "coal"];
    let (_, told) = on_terminal(&emulator, &words, &[("HOME", &home)], "n\n").await;
    assert!(told.contains(&format!("of account acme, profile coal, at {}:", emulator.url())), "{told}");
    let url = "http://user:hunter2@cloudapi.example.com";
    let profile = serde_json::json!({ "url": url, "account": "acme", "keyId": "aa" });
    std::fs::write(dir.join("bad.json"), profile.to_string()).unwrap();
    let (_, told) = on_terminal(&emulator, &["profile", "delete", "bad"], &[("HOME", &home)], "n\n").await;
    assert!(told.contains("cloudapi.example.com") && !told.contains("hunter2"), "{told}");
    emulator.stop().await.unwrap();
}

#[test]
fn a_variable_that_wins_over_the_current_profile_is_told_and_the_effective_one_is_marked() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join(".triton/profiles.d");
    std::fs::create_dir_all(&dir).unwrap();
    for name in ["coal", "other"] {
        let profile = serde_json::json!({ "url": "https://x.example.com", "account": "acme", "keyId": "aa" });
        std::fs::write(dir.join(format!("{name}.json")), profile.to_string()).unwrap();
    }
    let run = |words: &[&str], variables: &[(&str, &str)]| {
        let said = Program::new(words, []).env("HOME", home.path()).envs(variables.iter().copied()).output().unwrap();
        assert!(said.status.success(), "{words:?} {variables:?}: {}", text(&said.stderr));
        (text(&said.stdout), text(&said.stderr))
    };
    for (variables, told, effective) in [
        (&[][..], "", "coal"),
        (&[("SDC_PROFILE", "coal")], "", "coal"),
        (&[("TRITON_PROFILE", "other")], "TRITON_PROFILE names another profile", "other"),
        (&[("SDC_PROFILE", "other")], "SDC_PROFILE names another profile", "other"),
        (&[("SDC_PROFILE", "coal"), ("TRITON_PROFILE", "other")], "", "coal"),
        (&[("TRITON_PROFILE", "env")], "TRITON_PROFILE names another profile", ""),
        (&[("SDC_PROFILE", "gone")], "SDC_PROFILE names another profile", ""),
        (&[("SDC_URL", "https://y.example.com")], "SDC_URL is set, and wins over the current profile", "coal"),
        (&[("TRITON_ACCOUNT", "x"), ("SDC_KEY_ID", "bb")], "TRITON_ACCOUNT, SDC_KEY_ID are set, and win", "coal"),
        (&[("SDC_USER", "bob")], "SDC_USER is set", "coal"),
        (&[("SDC_ROLE", "ops")], "SDC_ROLE is set", "coal"),
        (&[("SDC_ACT_AS", "other")], "SDC_ACT_AS is set", "coal"),
        (&[("SDC_TESTING", "1")], "SDC_TESTING is set", "coal"),
        (
            &[("SDC_URL", "https://y.example.com"), ("SDC_ACCOUNT", "x"), ("SDC_KEY_ID", "bb")],
            "SDC_URL, SDC_ACCOUNT, SDC_KEY_ID are set, and win",
            "",
        ),
    ] {
        let (_, words) = run(&["profile", "use", "coal"], variables);
        let warned = words.lines().filter_map(|line| line.strip_prefix("warning: ")).next_back().unwrap_or_default();
        assert!(warned.starts_with(told) && warned.is_empty() == told.is_empty(), "{variables:?}: {words}");
        let (list, _) = run(&["profile", "list", "--json"], variables);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
        let marked: Vec<&str> =
            rows.iter().filter(|row| row["current"] == true).map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(marked, if effective.is_empty() { vec![] } else { vec![effective] }, "{variables:?}");
    }
}

#[tokio::test]
async fn many_targets_are_named_in_columns_before_a_question() {
    let options = Options { seed: Seed::Machines(300), pace: Pace::Times(10_000.0), ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let (_, told) = on_terminal(&emulator, &["machines", "delete", "*", "--max", "300"], &[], "n\n").await;
    let rows: Vec<&str> = told.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(rows.len() < 150, "{told}");
    assert_eq!(rows.iter().flat_map(|row| row.split_whitespace()).count(), 300, "{told}");
    assert!(told.contains("\ndelete these 300? [y/N]"), "{told}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn several_are_not_interrupted_without_a_question_on_a_terminal_and_scripts_go_on() {
    let emulator = demo().await;
    for (verb, words) in [
        ("stop", &["machines", "stop", "web1", "web10"][..]),
        ("reboot", &["machines", "reboot", "web1", "web10"]),
        ("disable firewall of", &["machines", "firewall", "disable", "web1", "web10"]),
        ("enable firewall of", &["machines", "firewall", "enable", "web1", "web10"]),
        ("disable deletion protection of", &["machines", "deletion-protection", "disable", "web1", "web10"]),
    ] {
        emulator.forget_requests();
        let (code, told) = on_terminal(&emulator, words, &[], "n\n").await;
        assert_eq!((code, changed(&emulator)), (1, 0), "{told}");
        assert!(told.contains(&format!("{verb} these 2? [y/N]")), "{told}");
        // One that was named is meant.
        let (code, told) = on_terminal(&emulator, &words[..words.len() - 1], &[], "").await;
        assert_eq!((code, changed(&emulator)), (0, 1), "{told}");
        let said = output(against(&emulator, words)).await;
        assert_eq!((said.status.code(), changed(&emulator)), (Some(0), 3), "{}", text(&said.stderr));
        let (code, told) = on_terminal(&emulator, &[words, &["--yes"]].concat(), &[], "").await;
        assert_eq!((code, changed(&emulator)), (0, 5), "{told}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_deleted_by_ids_from_standard_input_is_named() {
    let emulator = demo().await;
    let list = text(&output(against(&emulator, &["machines", "list", "-o", "ids"])).await.stdout);
    for ids in [list.lines().take(1).collect::<Vec<_>>(), list.lines().take(5).collect()] {
        let mut command = against(&emulator, &["machines", "start", "-"]);
        command.input(format!("{}\n", ids.join("\n")));
        let said = output(command).await;
        let told = text(&said.stderr);
        assert!(told.contains(&format!("  machine web1 ({}), ", ids[0])), "{told}");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_hostile_name_forges_no_line_of_the_question() {
    let body = r#"[{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"a\n  machine z (1)\u001b[2J","state":"run\nning","tags":{"x\ny":"\u202e"}},
        {"id":"b6979942-7d5d-4fe6-a2ec-b812e950625b","name":"b"}]"#;
    let url = common::answering("200 OK", body.as_bytes().to_vec());
    let command = program(&url, "acme", &common::key().join("key"), &["machines", "delete", "*"]);
    let (_, told) = tokio::task::spawn_blocking(move || asked(&command, "n\n")).await.unwrap();
    assert_eq!(told.lines().filter(|line| line.starts_with("  machine ")).count(), 2, "{told}");
    assert!(told.contains(r"a\n  machine z (1)\x1b[2J") && told.contains(r"run\nning"), "{told}");
    assert!(!told.contains('\u{202e}'), "{told}");
}

#[tokio::test]
async fn the_key_that_signs_is_not_deleted_without_a_word() {
    let emulator = demo().await;
    for key in ["emulator", emulator.key_id()] {
        let (code, told) = on_terminal(&emulator, &["keys", "delete", key], &[], "n\n").await;
        assert_eq!((code, changed(&emulator)), (1, 0), "{told}");
        assert!(told.contains("warning: this is the key that signs"), "{told}");
        let said = output(against(&emulator, &["keys", "delete", key])).await;
        assert_eq!((said.status.code(), changed(&emulator)), (Some(2), 0), "{}", text(&said.stderr));
        assert!(text(&said.stderr).contains("hint: this is the key that signs"), "{}", text(&said.stderr));
    }
    let (_, told) = on_terminal(&emulator, &["keys", "delete", "laptop"], &[], "n\n").await;
    assert!(!told.contains("warning"), "{told}");
    emulator.stop().await.unwrap();
}

/// The emulator with a sub-user who has the emulator's own key and may administer everything in the role admins.
async fn with_jill(emulator: &Emulator) {
    let public = format!("{}.pub", emulator.key_file().display());
    for words in [
        &["users", "create", "sam", "--email", "sam@example.com", "--password-file", "-"][..],
        &["users", "keys", "add", "sam", &public, "-n", "own"],
        &["policies", "create", "all", "--rule", "CAN *"],
        &["policies", "create", "none", "--rule", "CAN getaccount"],
        &["roles", "create", "admins", "--default-member", "sam", "--policy", "all"],
        &["roles", "create", "others", "--policy", "none"],
    ] {
        let mut command = against(emulator, words);
        command.input("secret123\n");
        let said = output(command).await;
        assert!(said.status.success(), "{words:?}: {}", text(&said.stderr));
    }
    for thing in [
        "users/sam",
        "users",
        "roles",
        "roles/admins",
        "roles/others",
        "policies",
        "policies/all",
        "policies/none",
        "users/sam/keys",
        "users/sam/keys/own",
    ] {
        let said = output(against(emulator, &["role-tags", "set", thing, "admins"])).await;
        assert!(said.status.success(), "{thing}: {}", text(&said.stderr));
    }
    emulator.forget_requests();
}

#[tokio::test]
async fn what_takes_away_ones_own_rights_is_told_and_asked_about() {
    let emulator = demo().await;
    with_jill(&emulator).await;
    let id = async |noun: &str, name: &str| {
        let said = output(against(&emulator, &[noun, "get", name, "--jq", ".id", "--raw"])).await;
        format!("/:login/{noun}/{}", text(&said.stdout).trim())
    };
    let (admins, all) = (&*id("roles", "admins").await, &*id("policies", "all").await);
    for (words, told) in [
        (&["users", "keys", "delete", "sam", "own"][..], "this is the key that signs"),
        (&["users", "delete", "sam"], "the sub-user as whom it is asked"),
        (&["users", "update", "sam", "login=sammy"], "the sub-user as whom it is asked"),
        (&["roles", "delete", "admins"], "sub-user sam acts in the role admins"),
        (&["roles", "update", "admins", "--member", "bob"], "takes sub-user sam out of the role admins"),
        (&["roles", "update", "admins", "members:=[]"], "takes sub-user sam out of the role admins"),
        (&["roles", "update", "admins", "--policy", "none"], "what it allows changes"),
        (&["policies", "delete", "all"], "one of the role admins, in which sub-user sam acts"),
        (&["policies", "update", "all", "--rule", "CAN getaccount"], "one of the role admins"),
        (&["role-tags", "remove", "roles/admins", "admins"], "sub-user sam acts in the role admins"),
        (&["role-tags", "clear", "users"], "sub-user sam acts in the role admins"),
        (&["api", "DELETE", "/acme/users/sam"], "the sub-user as whom it is asked"),
        (&["api", "DELETE", "/acme/users/sam/keys/own"], "this is the key that signs"),
        (&["api", "DELETE", admins], "sub-user sam acts in the role admins"),
        (&["api", "DELETE", all], "one of the role admins"),
        (&["api", "POST", admins, "-d", r#"{"members":[]}"#], "out of the role admins"),
        (&["api", "PUT", "/:login/users", "-d", r#"{"role-tag":[]}"#], "sub-user sam acts in the role admins"),
    ] {
        let (code, said) = on_terminal(&emulator, words, &[("SDC_USER", "sam")], "n\n").await;
        assert_eq!((code, changed(&emulator)), (1, 0), "{words:?}: {said}");
        assert!(said.contains("warning: ") && said.contains(told), "{words:?}: {said}");
        let mut command = against(&emulator, words);
        command.env("SDC_USER", "sam");
        let said = output(command).await;
        assert_eq!((said.status.code(), changed(&emulator)), (Some(2), 0), "{words:?}: {}", text(&said.stderr));
        let words = text(&said.stderr);
        assert!(words.contains(told) && words.contains("to go ahead: --yes"), "{words}");
    }
    // The service takes the id of a sub-user for its login, and a path with a stroke at its end for the same.
    let sam = id("users", "sam").await;
    let sam = sam.rsplit('/').next().unwrap();
    for (words, told) in [
        (&["users", "delete", "sam"][..], "the sub-user as whom it is asked"),
        (&["users", "keys", "delete", sam, "own"], "this is the key that signs"),
        (&["roles", "delete", "admins"], "acts in the role admins"),
        (&["policies", "delete", "all"], "one of the role admins"),
        (&["api", "DELETE", "/acme/users/sam/"], "the sub-user as whom it is asked"),
        (&["api", "DELETE", "/acme/users/sam/keys/own/"], "this is the key that signs"),
    ] {
        let mut command = against(&emulator, words);
        command.env("SDC_USER", sam);
        let said = output(command).await;
        assert_eq!((said.status.code(), changed(&emulator)), (Some(2), 0), "{words:?}: {}", text(&said.stderr));
        assert!(text(&said.stderr).contains(told), "{words:?}: {}", text(&said.stderr));
    }
    // What is not one's own is changed as ever, without a question.
    for words in
        [&["roles", "update", "others", "--member", "bob"][..], &["roles", "update", "admins", "--member", "sam"]]
    {
        let mut command = against(&emulator, words);
        command.env("SDC_USER", "sam");
        let said = output(command).await;
        assert!(!text(&said.stderr).contains("out of the role"), "{words:?}: {}", text(&said.stderr));
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn what_an_update_of_a_list_takes_away_is_said_and_asked_about_on_a_terminal() {
    let emulator = demo().await;
    for (words, told) in [
        (&["roles", "update", "operator", "members:=[]"][..], "loses members: ci (default)"),
        (&["roles", "update", "operator", "policies:=[]"], "loses policies: operate"),
        (&["policies", "update", "keys", "--rule", "CAN getkey"], "loses rules: CAN *key and *keys *"),
        (&["images", "update", "acme-web", "--tag", "a=b"], "loses tags: "),
        (&["fabrics", "networks", "update", "2", "My-Fabric-Network", "--resolver", "192.0.2.9"], "loses resolvers: "),
    ] {
        let (code, said) = on_terminal(&emulator, words, &[], "n\n").await;
        assert_eq!((code, changed(&emulator)), (1, 0), "{words:?}: {said}");
        assert!(said.contains("warning:") && said.contains(told) && said.contains("? [y/N]"), "{words:?}: {said}");
        let (code, said) = on_terminal(&emulator, &[words, &["--yes"]].concat(), &[], "").await;
        assert!(said.contains(told) && !said.contains("[y/N]"), "{words:?}: {said}");
        assert_eq!((code, changed(&emulator)), (0, 1), "{words:?}: {said}");
        emulator.forget_requests();
    }
    // What was to be taken away is no surprise, and where nothing goes nothing is asked.
    for words in [
        &["roles", "update", "keyadmin", "--remove-member", "ci"][..],
        &["roles", "update", "keyadmin", "--member", "ci"],
        &["policies", "update", "operate", "--add-rule", "CAN getuser"],
    ] {
        let (code, said) = on_terminal(&emulator, words, &[], "").await;
        assert_eq!((code, changed(&emulator)), (0, 1), "{words:?}: {said}");
        assert!(!said.contains("loses") && !said.contains("[y/N]"), "{words:?}: {said}");
        emulator.forget_requests();
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn who_goes_back_to_a_snapshot_is_told_that_the_machine_runs_and_which_snapshots_go() {
    let emulator = demo().await;
    for name in ["before", "after"] {
        let said = output(against(&emulator, &["machines", "snapshots", "create", "web1", "-n", name, "--wait"])).await;
        assert!(said.status.success(), "{}", text(&said.stderr));
    }
    emulator.forget_requests();
    let words = ["machines", "snapshots", "boot", "web1", "before"];
    let (code, said) = on_terminal(&emulator, &words, &[], "n\n").await;
    assert_eq!((code, changed(&emulator)), (1, 0), "{said}");
    for told in ["web1 is running, and is stopped for it", "newer snapshots of web1 go too: after"] {
        assert!(said.contains(told), "{said}");
    }
    let (_, said) = on_terminal(&emulator, &["machines", "snapshots", "boot", "web1", "after"], &[], "n\n").await;
    assert!(said.contains("is stopped for it") && !said.contains("go too"), "{said}");
    emulator.stop().await.unwrap();
}
