//! Commands in hints are pasted: whatever a user typed or a service sent is one word of them, and runs nothing.
#![cfg(all(unix, feature = "cli"))]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{answered_by, answering, key, program, text};

const ID: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
/// What a shell, or the program itself, would read as more than a name.
const NAMES: &[&str] = &[
    "my laptop",
    "x;touch${IFS}PWN",
    "$(touch PWN)",
    "`touch PWN`",
    "a'b",
    "a\"b",
    "-x",
    "--all",
    "w*",
    "a\nb",
    "=ls",
    "~root",
    "#x",
    "{a,b}",
    ">PWN",
    "a&b",
];

/// The words of each command of a text, as a shell reads them that has a program `sdc`.
fn pasted(text: &str) -> Vec<Vec<String>> {
    let Some(at) = text.find("sdc ") else { return Vec::new() };
    let folder = tempfile::tempdir().unwrap();
    let script = format!("sdc() {{ printf '%s\\0' \"$@\"; printf '\\n\\0'; }}\n{}", &text[at..]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).current_dir(&folder).env_clear().stdin(Stdio::null());
    let said = shell.output().unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{text}");
    let said = String::from_utf8(said.stdout).unwrap();
    let commands = said.split("\n\0").filter(|words| !words.is_empty());
    commands.map(|words| words.split_terminator('\0').map(str::to_owned).collect()).collect()
}

/// The hints of an error as JSON.
fn hints(stderr: &[u8]) -> Vec<String> {
    let told = text(stderr);
    let Some(last) = told.lines().rev().find(|line| line.starts_with("{\"error\"")) else { return Vec::new() };
    let told: Value = serde_json::from_str(last).unwrap();
    told["error"]["hints"].as_array().into_iter().flatten().map(|hint| hint.as_str().unwrap().to_owned()).collect()
}

/// Whether the name is one word, or all of one behind an equals sign, and never an option.
fn is_one_word(words: &[String], name: &str) -> bool {
    let name = name.replace('\n', "\\n");
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.iter().enumerate().any(|(at, word)| {
        let own = *word == name && (!name.starts_with('-') || at > end);
        own || word.split_once('=').is_some_and(|(_, value)| value == name)
    })
}

/// An answer of the service's.
fn own_json(body: &str) -> String {
    let head = "HTTP/1.1 200 OK\r\nServer: cloudapi/9.20.0\r\nContent-Type: application/json\r\nConnection: close";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The hints of what is said by these words, with `--json` before them.
fn told(url: &str, words: &[&str]) -> Vec<String> {
    let said = program(url, "acme", &key().join("key"), &[&["--json"], words].concat()).output().unwrap();
    hints(&said.stderr)
}

#[test]
fn a_name_that_was_typed_is_one_word_of_every_command_in_a_hint() {
    let url = answering("200 OK\r\nServer: cloudapi/9.20.0\r\nContent-Type: application/json", b"[]".to_vec());
    let mut seen = 0;
    for name in NAMES {
        let filter = format!("name={name}");
        let rule = format!("FROM vm {name} TO all vms ALLOW tcp PORT 22");
        for words in [
            &["machines", "get", "--", name][..],
            &["machines", "ssh", &format!("state={name}")],
            &["machines", "delete", "--yes", "--", "web1", name],
            &["keys", "get", "--", name],
            &["machines", name],
            &["images", name],
            &["machines", "ssh", name],
            &["machines", "stop", name, "--wait=stopped"],
            &["machines", "tags", "delete", ID, "--", name],
            &["machines", "metadata", "delete", ID, "--", name],
            &["wait", "machines", &filter, "--for", "deleted"],
            &["fwrules", "create", &rule],
            &["role-tags", "get", &format!("machines/{name}")],
            &["profile", "use", "--", name],
            &["api", "GET", &format!("/machines/{name}")],
            &["images", "get", "--", name],
            &["networks", "ips", "list", "--", name],
        ] {
            for hint in told(&url, words) {
                for command in pasted(&hint) {
                    let name = name.replace('\n', "\\n");
                    let there = command.iter().any(|word| word.contains(&name));
                    let whole = is_one_word(&command, &name) || command.iter().any(|word| word.ends_with(&filter));
                    let path = command.iter().any(|word| word.ends_with(&format!("/machines/{name}")));
                    assert!(!there || whole || path, "{words:?}: {hint}");
                    seen += usize::from(there);
                }
            }
        }
    }
    assert!(seen >= NAMES.len(), "{seen}");
}

#[test]
fn an_id_that_a_service_sent_is_one_word_of_every_command_in_a_hint() {
    for name in NAMES {
        let machine = json!({ "id": name, "name": "web", "state": "stopped", "brand": "kvm", "ips": ["10.0.0.1"],
                              "image": ID, "package": "p", "tags": {}, "firewall_enabled": true });
        let list = json!([machine]).to_string();
        let one = machine.to_string();
        let url = answered_by(move |head, mut stream| {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = if path.split('?').next().unwrap().ends_with("/machines") { &list } else { &one };
            let _ = stream.write_all(own_json(body).as_bytes());
        });
        for words in [&["machines", "ssh", "web"][..], &["machines", "vnc", "web"], &["machines", "scp", "web:f", "g"]]
        {
            for hint in told(&url, words) {
                for command in pasted(&hint) {
                    let name = name.replace('\n', "\\n");
                    let there = command.iter().any(|word| word.contains(&name));
                    assert!(!there || is_one_word(&command, &name), "{words:?}: {hint}");
                }
            }
        }
    }
}

#[test]
fn a_refusal_names_only_what_is_a_path_and_an_action() {
    for (path, action) in [("/acme/machines/$(touch${IFS}PWN)", "getmachine"), ("/acme/machines/x", "getmachine;touch")]
    {
        let words = format!("You do not have permission to access {path} ({action})");
        let body = json!({ "code": "NotAuthorized", "message": words }).to_string();
        let url = answering("403 Forbidden\r\nServer: cloudapi/9.20.0\r\nContent-Type: application/json", body.into());
        let hints = told(&url, &["-u", "ci", "machines", "get", ID]);
        assert!(!hints.is_empty());
        for hint in hints {
            assert!(!hint.contains("CAN getmachine;"), "{hint}");
            for command in pasted(&hint) {
                assert_eq!(command[..2], ["role-tags", "add"], "{hint}");
                assert!(command.iter().any(|word| word == "machines/$(touch${IFS}PWN)"), "{hint}");
            }
        }
    }
}

/// What `keys delete` of these says when it is interrupted while the first is deleted.
fn interrupted(names: &[&str]) -> Vec<String> {
    let (begun, wait) = mpsc::channel();
    let rows =
        [&["one"], names].concat().iter().map(|name| json!({ "name": name, "key": "", "fingerprint": "" })).collect();
    let list = Value::Array(rows).to_string();
    let url = answered_by(move |head, mut stream| {
        if head.starts_with("GET ") {
            let _ = stream.write_all(own_json(&list).as_bytes());
            return;
        }
        begun.send(()).unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nServer: cloudapi/9.20.0\r\nConnection: close\r\n\r\n");
    });
    let words = [&["--json", "keys", "delete", "-y", "--parallel", "1", "--", "one"], names].concat();
    let child = program(&url, "acme", &key().join("key"), &words).spawn().unwrap();
    let begun = wait.recv_timeout(Duration::from_secs(10));
    if begun.is_err() {
        panic!("{names:?}: {}", text(&child.wait_with_output().unwrap().stderr));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(130), "{}", text(&said.stderr));
    hints(&said.stderr)
}

#[test]
fn the_command_that_goes_on_names_what_is_left_and_nothing_else() {
    for name in ["my laptop", "x;touch PWN", "it's", "$(touch PWN)", "-x"] {
        let hints = interrupted(&[name]);
        let commands: Vec<_> = hints.iter().flat_map(|hint| pasted(hint)).collect();
        let mut words = commands[0].clone();
        words.retain(|word| word != "--");
        words[2..].sort();
        let mut expected = ["--parallel", "1", "--yes", name].map(str::to_owned);
        expected.sort();
        assert_eq!(
            (&words[..2], &words[2..]),
            (&["keys".to_owned(), "delete".to_owned()][..], &expected[..]),
            "{hints:?}"
        );
        assert!(is_one_word(&commands[0], name), "{hints:?}");
    }
    // A glob means others as soon as the key of this name is gone.
    for name in ["w*", "a?"] {
        let hints = interrupted(&[name]);
        // Standard input names them literally.
        let by_ids = |hint: &String| hint.contains("delete - ");
        assert!(hints.iter().all(|hint| pasted(hint).is_empty() || by_ids(hint)), "{hints:?}");
        assert!(hints.iter().any(|hint| hint.ends_with("the same command again")), "{hints:?}");
    }
}

/// Whether nothing of a text outside of single quotes is run by a shell.
fn is_quoted(text: &str) -> bool {
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for letter in text.chars() {
        match letter {
            _ if std::mem::take(&mut escaped) => {}
            '\\' if !quoted => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted && before == '$' => return false,
            '`' if !quoted => return false,
            _ => {}
        }
        before = letter;
    }
    true
}

#[test]
fn a_part_of_a_command_in_a_hint_is_quoted_too() {
    let url = answering("200 OK\r\nServer: cloudapi/9.20.0\r\nContent-Type: application/json", b"[]".to_vec());
    let evil = "$(touch PWN)";
    let mut seen = 0;
    for words in [
        &["machines", "metadata", "set", ID, &format!("x=@'{evil}'")][..],
        &["machines", "create", "--image", ID, "--package", ID, "-m", &format!("x=@{evil}")],
        &["machines", "list", &format!("name:{evil}")],
        &["machines", "list", &format!("name:={evil}")],
        &["role-tags", "get", &format!("/x{evil}/machines")],
        &["machines", "nics", "add", ID, "--nic", &format!("networ={evil}")],
        &["machines", "create", "--image", ID, "--package", ID, "--disk", &format!("siz={evil}")],
        &["machines", "tags", "set", ID, &format!("x:={evil}")],
    ] {
        // What has a mark below it shows what was typed, and is no part of a command.
        for hint in told(&url, words).into_iter().filter(|hint| !hint.contains('^')) {
            assert!(is_quoted(&hint), "{words:?}: {hint}");
            seen += usize::from(hint.contains(evil));
        }
    }
    // The values of metadata, which may be secrets, are in none.
    assert!(seen >= 5, "{seen}");
}

#[test]
fn a_name_that_is_not_seen_for_what_it_is_is_in_no_command() {
    for name in ["a\u{a0}b", "👨\u{200d}👩", "a\nb", "a\u{202e}b"] {
        let rows = json!({ format!("x/{name}"): "1", "other": name }).to_string();
        let url = answering("200 OK\r\nServer: cloudapi/9.20.0\r\nContent-Type: application/json", rows.into_bytes());
        for noun in ["tags", "metadata"] {
            for hint in told(&url, &["machines", noun, "delete", ID, "-y", "--", &format!("x/{name}")]) {
                assert!(
                    !hint.contains("sdc") || pasted(&hint).iter().all(|words| !words.iter().any(|w| w.contains('\\'))),
                    "{hint}"
                );
            }
        }
    }
}

#[test]
fn metadata_whose_name_has_an_equals_sign_is_emptied_by_a_request_of_its_own() {
    let rows = json!({ "a/b=c": "1", "a/b": "keep" }).to_string();
    let url = answering("200 OK\r\nServer: cloudapi/9.20.0\r\nContent-Type: application/json", rows.into_bytes());
    let hints = told(&url, &["machines", "metadata", "delete", ID, "-y", "--", "a/b=c"]);
    let commands: Vec<_> = hints.iter().flat_map(|hint| pasted(hint)).collect();
    let path = format!("/my/machines/{ID}/metadata");
    assert_eq!(commands[0], ["api", "POST", &path, "-d", r#"{"a/b=c":""}"#], "{hints:?}");
}
