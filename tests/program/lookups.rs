//! From what is typed to what is asked: queries that the service takes, and names that no path can hold.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::process::Output;

use crate::common::{against, key, output, text};
use sdc::emulator::{Emulator, Options, Pace};
use serde_json::Value;

/// Everything comes to its end at once.
const FAST: Pace = Pace::Times(10_000.0);
/// The machine `web1`.
const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
/// States that a predicate may name: the service refuses all others with 409.
const STATES: &[&str] = &["creating", "ready", "failed", "deleting"];

async fn cloud() -> Emulator {
    Emulator::start(Options { pace: FAST, ..Options::default() }).await.unwrap()
}

async fn said(cloud: &Emulator, words: &[&str]) -> Output {
    output(against(cloud, words)).await
}

/// Every comparison of a predicate: its field and its value.
fn comparisons(predicate: &Value, found: &mut Vec<(String, Value)>) {
    for (word, rest) in predicate.as_object().unwrap() {
        match (word.as_str(), rest.as_array().unwrap().as_slice()) {
            ("and" | "or", parts) => {
                assert!(!parts.is_empty());
                parts.iter().for_each(|part| comparisons(part, found));
            }
            ("eq" | "ne" | "gt" | "lt" | "ge" | "le", [Value::String(field), value]) => {
                found.push((field.clone(), value.clone()));
            }
            other => panic!("{other:?} is not a part of a predicate"),
        }
    }
}

#[tokio::test]
async fn volumes_are_looked_up_with_queries_that_the_service_takes() {
    let cloud = cloud().await;
    for (words, code) in [
        (&["volumes", "get", "absent"][..], 3),
        (&["volumes", "get", "a b*"], 3),
        (&["volumes", "rename", "absent", "other"], 3),
        (&["volumes", "delete", "absent", "--yes"], 3),
        (&["volumes", "delete", "absent", "--yes", "--ignore-missing"], 0),
        (&["volumes", "delete", "absent-*", "--yes"], 3),
        (&["volumes", "delete", "-l", "role=none", "--yes"], 0),
        (&["volumes", "delete", "--state", "failed", "--yes"], 0),
        (&["volumes", "delete", "--older-than", "1000d", "--yes"], 0),
        (&["wait", "volumes", "absent", "--for", "ready", "--timeout", "2s"], 3),
        (&["wait", "volumes", "scratch", "--for", "ready"], 0),
        (&["volumes", "delete", "scra*", "--yes"], 0),
    ] {
        let said = said(&cloud, words).await;
        assert_eq!(said.status.code(), Some(code), "{words:?}: {}", text(&said.stderr));
    }
    let mut found = Vec::new();
    for seen in cloud.requests() {
        assert_ne!(seen.status, 409, "{seen:?}");
        let url = url::Url::parse(&format!("http://x{}", seen.path_and_query)).unwrap();
        for (name, value) in url.query_pairs().filter(|_| url.path().ends_with("/volumes")) {
            assert_eq!(name, "predicate");
            comparisons(&serde_json::from_str(&value).unwrap(), &mut found);
        }
    }
    assert!(!found.is_empty(), "failed volumes are never looked for");
    for (field, value) in found {
        assert!(field == "state" && STATES.contains(&value.as_str().unwrap()), "{field} {value}");
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn only_a_plain_name_is_left_to_the_services_own_filter() {
    let cloud = cloud().await;
    for name in ["web 1", "we*x", "~web1", "web1??", "a&b"] {
        cloud.forget_requests();
        let said = said(&cloud, &["machines", "get", name]).await;
        assert_eq!(said.status.code(), Some(3), "{name}: {}", text(&said.stderr));
        assert!(cloud.requests().iter().all(|seen| !seen.path_and_query.contains("name=")), "{:?}", cloud.requests());
    }
    cloud.forget_requests();
    assert!(said(&cloud, &["machines", "get", "web1"]).await.status.success());
    assert!(cloud.requests().iter().any(|seen| seen.path_and_query.contains("name=web1")));
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn a_tag_whose_name_no_path_can_hold_is_read_from_the_list() {
    let cloud = cloud().await;
    let names = ["a/b", ".", "..", "c?d", "e#f", "50%"];
    for group in ["tags", "metadata"] {
        for name in names {
            let pair = format!("{name}=value of {name}");
            let set = said(&cloud, &["machines", group, "set", WEB1, &pair, "--wait"]).await;
            assert!(set.status.success(), "{group} {name}: {}", text(&set.stderr));
            cloud.forget_requests();
            let got = said(&cloud, &["machines", group, "get", "web1", name, "--jq", ".", "--raw"]).await;
            assert_eq!(text(&got.stdout), format!("value of {name}\n"), "{group} {name}: {}", text(&got.stderr));
            let absent = said(&cloud, &["machines", group, "get", "web1", &format!("no/{name}")]).await;
            assert_eq!(absent.status.code(), Some(3), "{}", text(&absent.stderr));
            assert!(cloud.requests().iter().all(|seen| !seen.path_and_query.contains('%')), "{:?}", cloud.requests());
            let shown = said(&cloud, &["machines", group, "get", WEB1, name, "--dry-run"]).await;
            let shown = text(&shown.stdout);
            assert!(shown.lines().next().is_some_and(|line| line.ends_with(&format!("/{group}"))), "{shown}");
        }
    }
    // Neither text nor found by itself.
    assert!(said(&cloud, &["machines", "metadata", "set", WEB1, "n:=20", "--wait"]).await.status.success());
    let got = said(&cloud, &["machines", "metadata", "get", WEB1, "n", "--json"]).await;
    assert_eq!(text(&got.stdout), "20\n", "{}", text(&got.stderr));
    cloud.stop().await.unwrap();
}

/// The command of a hint, as a shell would read it.
fn typed(hint: &str) -> Vec<String> {
    let command = &hint[hint.find("sdc ").unwrap()..];
    let words = std::process::Command::new("sh").args(["-c", &format!("printf '%s\\n' {command}")]).output().unwrap();
    text(&words.stdout).lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn such_a_tag_is_not_deleted_and_the_hint_does_it() {
    let cloud = cloud().await;
    for name in ["a/b", "..", "."] {
        let pair = format!("{name}=it's");
        let set = ["machines", "tags", "set", WEB1, &pair, "n:=20", "on:=true", "text=20", "two words=a  b", "--wait"];
        assert!(said(&cloud, &set).await.status.success());
        let all = said(&cloud, &["machines", "tags", "list", WEB1, "--json"]).await;
        let mut wanted: Value = serde_json::from_slice(&all.stdout).unwrap();
        wanted.as_object_mut().unwrap().remove(name).unwrap();
        cloud.forget_requests();
        let refused = said(&cloud, &["machines", "tags", "delete", "web1", name, "--yes"]).await;
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{told}");
        assert!(cloud.requests().iter().all(|seen| seen.method == "GET"), "{:?}", cloud.requests());
        let hint = told.lines().find(|line| line.contains("sdc machines tags replace")).unwrap();
        let typed = typed(hint);
        let mut words: Vec<&str> = typed.iter().map(String::as_str).collect();
        words.extend(["--yes", "--wait"]);
        let done = said(&cloud, &words).await;
        assert!(done.status.success(), "{words:?}: {}", text(&done.stderr));
        let all = said(&cloud, &["machines", "tags", "list", WEB1, "--json"]).await;
        assert_eq!(serde_json::from_slice::<Value>(&all.stdout).unwrap(), wanted);
    }
    // The only one.
    let only = ["machines", "tags", "replace", WEB1, "a/b=c", "--yes", "--wait"];
    assert!(said(&cloud, &only).await.status.success());
    let refused = said(&cloud, &["machines", "tags", "delete", WEB1, "a/b", "--yes"]).await;
    assert!(text(&refused.stderr).contains(&format!("sdc machines tags delete-all {WEB1}")));
    // What is not there is not there.
    let absent = said(&cloud, &["machines", "tags", "delete", WEB1, "c/d", "--yes"]).await;
    assert_eq!(absent.status.code(), Some(3), "{}", text(&absent.stderr));
    let absent = said(&cloud, &["machines", "tags", "delete", WEB1, "c/d", "--yes", "--ignore-missing"]).await;
    assert_eq!(absent.status.code(), Some(0), "{}", text(&absent.stderr));
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn metadata_of_such_a_name_is_not_deleted_and_can_be_emptied() {
    let cloud = cloud().await;
    for name in ["a/b", "..", "c?d"] {
        let pair = format!("{name}=text");
        assert!(said(&cloud, &["machines", "metadata", "set", WEB1, &pair, "--wait"]).await.status.success());
        cloud.forget_requests();
        let refused = said(&cloud, &["machines", "metadata", "delete", WEB1, name, "--yes"]).await;
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{told}");
        assert!(cloud.requests().iter().all(|seen| seen.method == "GET"), "{:?}", cloud.requests());
        let typed = typed(told.lines().find(|line| line.contains("sdc machines metadata set")).unwrap());
        let mut words: Vec<&str> = typed.iter().map(String::as_str).collect();
        words.push("--wait");
        let done = said(&cloud, &words).await;
        assert!(done.status.success(), "{words:?}: {}", text(&done.stderr));
        let got = said(&cloud, &["machines", "metadata", "get", WEB1, name, "--json"]).await;
        assert_eq!(text(&got.stdout), "\"\"\n");
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn a_key_whose_name_no_path_can_hold_goes_by_its_fingerprint() {
    let cloud = cloud().await;
    let file = key().join("key.pub");
    let file = file.display().to_string();
    let fingerprint = std::process::Command::new("ssh-keygen").args(["-l", "-E", "md5", "-f", &file]).output().unwrap();
    let fingerprint = text(&fingerprint.stdout).split_whitespace().nth(1).unwrap().replacen("MD5:", "", 1);
    for name in ["jill/laptop", "..", "J\u{fc}rgen", "a\"b"] {
        let added = said(&cloud, &["keys", "add", &file, "-n", name]).await;
        assert!(added.status.success(), "{name}: {}", text(&added.stderr));
        let got = said(&cloud, &["keys", "get", name, "--jq", ".fingerprint", "--raw"]).await;
        assert_eq!(text(&got.stdout).trim(), fingerprint, "{name}: {}", text(&got.stderr));
        let deleted = said(&cloud, &["keys", "delete", name, "--yes"]).await;
        assert!(deleted.status.success(), "{name}: {}", text(&deleted.stderr));
        let absent = said(&cloud, &["keys", "get", name]).await;
        assert_eq!(absent.status.code(), Some(3), "{name}: {}", text(&absent.stderr));
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn a_nic_is_called_by_its_network_where_only_one_is_on_it() {
    let cloud = cloud().await;
    for (words, code, told) in [
        (&["machines", "nics", "get", "web1", "My-Fabric-Network", "-o", "tsv:ip", "-H"][..], 0, "192.168.128.5\n"),
        (&["machines", "nics", "get", "web1", "f2e6b8ca", "-o", "tsv:ip", "-H"], 0, "198.18.0.10\n"),
        (&["machines", "nics", "get", "web1", "backend"], 3, "no nic is on the network 'backend'"),
        (&["machines", "nics", "get", "web1", "nothing"], 3, "no nic named 'nothing'"),
        (
            &["machines", "nics", "remove", "web1", "backend", "public", "--yes", "--wait"],
            3,
            "on the network 'backend'",
        ),
        (&["machines", "nics", "list", "web1", "-o", "tsv:ip", "-H"], 0, "192.168.128.5\n"),
    ] {
        let said = said(&cloud, words).await;
        let told_all = text(&said.stdout) + &text(&said.stderr);
        assert!(said.status.code() == Some(code) && told_all.contains(told), "{words:?}: {told_all}");
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn a_tag_is_a_column_by_the_name_that_filters_have_for_it() {
    let cloud = cloud().await;
    let list = |column: &'static str| ["machines", "list", "web1", "build", "-o", column, "--sort", "-tag.role"];
    let said_of = async |column| text(&said(&cloud, &list(column)).await.stdout);
    assert_eq!(said_of("csv:name,tag.role").await, "name,tag.role\nweb1,web\nbuild,\n");
    assert_eq!(said_of("name,tag.role").await, "NAME   TAG.ROLE\nweb1   web\nbuild  -\n");
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn a_column_is_filtered_by_what_people_call_it_and_told_by_its_name() {
    let cloud = cloud().await;
    for filter in ["pkg=g1-small", "img=acme-web", "ip=192.168.128.5", "alias=web1", "ram=1G"] {
        let listed = said(&cloud, &["machines", "list", filter, "-o", "tsv:name", "-H"]).await;
        assert!(text(&listed.stdout).contains("web1\n"), "{filter}: {}", text(&listed.stderr));
    }
    for (column, name) in [("ip", "ips"), ("pkg", "package"), ("ram", "memory"), ("status", "state")] {
        let listed = said(&cloud, &["machines", "list", "-o", column]).await;
        assert!(text(&listed.stderr).contains(&format!("did you mean '{name}'?")), "{}", text(&listed.stderr));
    }
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_object_sets_nothing() {
    let cloud = cloud().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{}\n").unwrap();
    let file = file.path().to_str().unwrap();
    for (words, code, words_of_it) in [
        (&["tags", "set", "web1", "--from", file][..], 0, "holds no pairs"),
        (&["tags", "set", "web1", "{}"], 0, "{} holds no pairs"),
        (&["metadata", "set", "web1", "--from", file], 0, "holds no pairs"),
        (&["metadata", "set", "web1", "--file", file], 0, "holds no pairs"),
        (&["metadata", "set", "web1", "{}"], 0, "holds no pairs"),
    ] {
        let said = said(&cloud, &[&["machines"], words].concat()).await;
        let told = text(&said.stderr);
        assert!(said.status.code() == Some(code) && told.contains(words_of_it), "{words:?}: {told}");
    }
    assert!(cloud.requests().iter().all(|seen| seen.method == "GET"), "{:?}", cloud.requests());
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_object_in_the_place_of_all_leaves_none() {
    let cloud = cloud().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{}\n").unwrap();
    let file = file.path().to_str().unwrap();
    let at = format!("@{file}");
    for words in [&["--from", file][..], &["{}"], &[&at]] {
        cloud.forget_requests();
        let command = [&["machines", "tags", "replace", "web1"], words].concat();
        let unconfirmed = said(&cloud, &command).await;
        assert_eq!(unconfirmed.status.code(), Some(2), "{}", text(&unconfirmed.stderr));
        assert!(cloud.requests().iter().all(|seen| seen.method == "GET"), "{:?}", cloud.requests());
        let removed = said(&cloud, &[&command, &["--yes"][..]].concat()).await;
        let told = text(&removed.stderr);
        assert!(removed.status.success() && told.contains("holds no pairs: all are to be removed"), "{told}");
        assert!(cloud.requests().iter().any(|seen| seen.method == "DELETE"), "{:?}", cloud.requests());
    }
    let nothing = said(&cloud, &["machines", "tags", "replace", "web1", "--yes"]).await;
    assert_eq!(nothing.status.code(), Some(2), "{}", text(&nothing.stderr));
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_dockers_stays_when_a_copy_of_the_tags_is_put_back() {
    let cloud = cloud().await;
    let machine = "2b94c8f7-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    let tags = ["machines", "tags", "list", machine, "--json"];
    let before = text(&said(&cloud, &tags).await.stdout);
    assert!(before.contains("sdc_docker"), "{before}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &before).unwrap();
    let file = file.path().to_str().unwrap();
    for words in
        [&["set", machine, "owner=me", "--from", file][..], &["replace", machine, "owner=me", "-f", file, "--yes"]]
    {
        let put = said(&cloud, &[&["machines", "tags"], words, &["--wait"]].concat()).await;
        let told = text(&put.stderr);
        assert!(put.status.success() && told.contains("sdc_docker left out"), "{words:?}: {told}");
    }
    let put = said(&cloud, &["machines", "tags", "replace", machine, "owner=me", "--yes", "--wait"]).await;
    assert!(put.status.success(), "{}", text(&put.stderr));
    let after: serde_json::Value = serde_json::from_slice(&said(&cloud, &tags).await.stdout).unwrap();
    assert_eq!(after, serde_json::json!({ "sdc_docker": true, "owner": "me" }));
    let recipe = text(&said(&cloud, &["machines", "get", machine, "-o", "create"]).await.stdout);
    assert!(recipe.contains("# not here: tag sdc_docker"), "{recipe}");
    cloud.stop().await.unwrap();
}

#[test]
fn an_option_is_not_shortened_and_the_whole_one_is_told() {
    for (words, told) in [
        (&["machines", "list", "--dry"][..], "did you mean --dry-run?"),
        (&["machines", "list", "--out", "json"], "did you mean --output?"),
        (&["machines", "list", "--out=json"], "did you mean --output?"),
        (&["machines", "delete", "web1", "--ye"], "did you mean --yes?"),
        (&["machines", "create", "--meta", "a=b"], "did you mean --metadata or --metadata-file?"),
        (&["machines", "create", "--if-missing"], "hint: --if-absent"),
        (&["wait", "machines", "x", "--fo", "ready"], "did you mean --for?"),
        (
            &["wait", "machines", "x", "--until", "ready"],
            "sdc wait machines MACHINE --for state=running; or --for ready",
        ),
    ] {
        let said = crate::common::sdc("http://127.0.0.1:9", words);
        assert!(
            said.status.code() == Some(2) && text(&said.stderr).contains(told),
            "{words:?}: {}",
            text(&said.stderr)
        );
    }
}

#[tokio::test]
async fn the_newest_are_kept_of_each_machine_whatever_their_age() {
    let cloud = cloud().await;
    for name in ["a", "b", "c"] {
        let made = said(&cloud, &["machines", "snapshots", "create", "web*", "-n", name, "--wait"]).await;
        assert!(made.status.success(), "{}", text(&made.stderr));
    }
    let delete = |more: &'static [&'static str]| [&["machines", "snapshots", "delete"], more].concat();
    for (words, code, told) in [
        // What is shown is what would be done.
        (delete(&["web*", "*", "--keep", "2", "--dry-run"]), 0, "snapshot a of machine web10, created"),
        (delete(&["web*", "*", "--keep", "3", "--yes"]), 0, "no snapshot matches"),
        // All are young, and of the old ones there are none.
        (delete(&["web1", "--older-than", "30d", "--keep", "1", "--yes"]), 0, "no snapshot matches"),
        (delete(&["web1", "a", "b", "--keep", "1", "--yes", "--wait"]), 0, "snapshot a of machine web1: done"),
        (delete(&["web10", "--older-than", "1ms", "--keep", "1", "--yes", "--wait"]), 0, "delete: 2 of 2 done"),
        // By itself it selects nothing.
        (delete(&["web1", "--keep", "1", "--yes"]), 2, "SNAPSHOT"),
        (delete(&["web1", "*", "--keep", "0", "--yes"]), 2, "--keep"),
    ] {
        let said = said(&cloud, &words).await;
        let all = text(&said.stderr);
        assert!(said.status.code() == Some(code) && all.contains(told), "{words:?}: {all}");
    }
    let left = said(&cloud, &["machines", "snapshots", "list", "web*", "-o", "tsv:machine,name", "-H"]).await;
    assert_eq!(text(&left.stdout), "web1\tb\nweb1\tc\nweb10\tc\n");
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn targets_that_are_typed_by_their_ids_are_told_by_their_names_in_every_line() {
    let cloud = cloud().await;
    let mut stop = against(&cloud, &["machines", "stop", "-", "--wait"]);
    stop.input(format!("{WEB1}\n9e04d7b1-7d0e-4b6a-9c1d-5e2f8a7b4c6d\n"));
    let told = text(&output(stop).await.stderr);
    let of_web1: Vec<&str> = told.lines().filter(|line| line.contains(WEB1)).collect();
    assert!(of_web1.len() >= 3, "{told}");
    assert!(of_web1.iter().all(|line| line.contains(&format!("machine web1 ({WEB1})"))), "{told}");
    cloud.stop().await.unwrap();
}

#[tokio::test]
async fn names_of_images_that_the_service_does_not_tell_are_missed_aloud() {
    for fault in ["GET /images status=500", "GET /images hang"] {
        let faults = vec![fault.parse().unwrap()];
        let cloud = Emulator::start(Options { pace: FAST, faults, ..Options::default() }).await.unwrap();
        for format in ["csv:name,img", "jsonl:name,img"] {
            let told = said(&cloud, &["machines", "list", "-o", format, "--request-timeout", "1s"]).await;
            assert!(!told.status.success() && told.stdout.is_empty(), "{format}: {}", text(&told.stdout));
            assert!(text(&told.stderr).contains("the names of images"), "{}", text(&told.stderr));
        }
        let table = said(&cloud, &["machines", "list", "-o", "name,img", "--request-timeout", "1s"]).await;
        assert!(table.status.success() && text(&table.stdout).contains("web1"), "{}", text(&table.stderr));
        assert!(text(&table.stderr).contains("images are shown by their short ids"), "{}", text(&table.stderr));
        cloud.stop().await.unwrap();
    }
}
