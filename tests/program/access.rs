//! Role tags, rbac, and the small changes of images and tags: the program against a server that keeps users, roles and
//! policies in memory, and against the emulator.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use crate::common;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUGuQxPsNx8zqPXuTjNGyGx8MG3uxhpc1CdwTx2V7B9";

/// What the server holds, and what it was asked.
#[derive(Default)]
struct State {
    things: Vec<(String, Value)>,
    tags: Vec<(String, String)>,
    seen: Vec<(String, String)>,
    refuse: Option<String>,
    count: usize,
}

#[derive(Clone)]
struct Cloud {
    url: String,
    state: Arc<Mutex<State>>,
    home: Arc<tempfile::TempDir>,
}

impl Cloud {
    fn start() -> Cloud {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let cloud = Cloud { url, state, home: Arc::new(tempfile::tempdir().unwrap()) };
        let server = cloud.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                server.answer(stream);
            }
        });
        cloud
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).unwrap();
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        let (status, tags, answer) = self.reply(&method, &path.replace("%3A", ":"), &String::from_utf8_lossy(&body));
        let answer = if method == "HEAD" || status == 204 { String::new() } else { answer.to_string() };
        let tags = tags.map(|tags| format!("role-tag: {tags}\r\n")).unwrap_or_default();
        let _ = write!(
            stream,
            "HTTP/1.1 {status} X\r\nApi-Version: 9.0.0\r\n{tags}Content-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
    }

    fn reply(&self, method: &str, path: &str, body: &str) -> (u16, Option<String>, Value) {
        let mut state = self.state.lock().unwrap();
        let state = &mut *state;
        state.seen.push((format!("{method} {path}"), body.to_owned()));
        if state.refuse.as_ref().is_some_and(|line| *line == format!("{method} {path}")) {
            return match method {
                "GET" => (403, None, json!({ "code": "NotAuthorized", "message": "you may not" })),
                _ => (409, None, json!({ "code": "InvalidArgument", "message": "not so" })),
            };
        }
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let known = |path: &str| state.things.iter().position(|(known, _)| known == path);
        let tags = state.tags.iter().find(|(known, _)| known == path).map(|(_, tags)| tags.clone());
        let parts = path.trim_start_matches("/acme").trim_start_matches('/').split('/').count();
        match (method, known(path)) {
            ("HEAD", _) if path.ends_with("/datacenters") => (405, None, Value::Null),
            // Names and their addresses.
            ("GET", None) if path.ends_with("/datacenters") => (200, tags, json!({ "local": "https://localhost" })),
            ("GET" | "HEAD", Some(at)) => (200, tags, state.things[at].1.clone()),
            ("GET", None) if path == "/acme" => (200, tags, json!({ "id": id(9), "login": "acme" })),
            // A list is what has one part more.
            ("GET" | "HEAD", None) if parts % 2 == 1 => {
                let below = format!("{path}/");
                let mine = state.things.iter().filter(|(known, _)| {
                    known.strip_prefix(&below).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
                });
                let mut list: Value = mine.map(|(_, thing)| thing.clone()).collect();
                if path.ends_with("/roles") {
                    leak_defaults(&mut list);
                }
                (200, tags, list)
            }
            ("PUT", _) => {
                let roles: Vec<&str> =
                    body["role-tag"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect();
                state.tags.retain(|(known, _)| known != path);
                if !roles.is_empty() {
                    state.tags.push((path.to_owned(), roles.join(",")));
                }
                (200, None, json!({ "name": path, "role-tag": roles }))
            }
            ("POST", Some(at)) => {
                for (name, value) in body.as_object().unwrap() {
                    state.things[at].1[name] = value.clone();
                }
                (200, None, state.things[at].1.clone())
            }
            ("POST", None) if parts % 2 == 1 => {
                state.count += 1;
                let id = format!("00000000-0000-4000-8000-{:012}", state.count);
                let mut thing = body;
                thing["id"] = id.as_str().into();
                thing.as_object_mut().unwrap().remove("password");
                let name = if path.ends_with("/keys") { thing["name"].as_str().unwrap().to_owned() } else { id };
                state.things.push((format!("{path}/{name}"), thing.clone()));
                (201, None, thing)
            }
            // Keys are found by their fingerprints; there is one a user here.
            ("DELETE", _) if path.contains("/keys/") => {
                let (list, _) = path.rsplit_once('/').unwrap();
                state.things.retain(|(known, _)| !known.starts_with(&format!("{list}/")));
                (204, None, Value::Null)
            }
            ("DELETE", Some(at)) => {
                state.things.remove(at);
                (204, None, Value::Null)
            }
            _ => (404, None, json!({ "code": "ResourceNotFound", "message": "there is none" })),
        }
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = common::program(&self.url, "acme", &common::key().join("key"), words);
        command.env("HOME", self.home.path()).output().unwrap()
    }

    fn told(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, words: &[&str]) -> (i32, String) {
        let output = self.run(words);
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// What was asked that changes something, since the last time.
    fn writes(&self) -> Vec<(String, String)> {
        let seen = std::mem::take(&mut self.state.lock().unwrap().seen);
        seen.into_iter().filter(|(line, _)| !line.starts_with("GET ") && !line.starts_with("HEAD ")).collect()
    }

    fn lines(&self) -> Vec<String> {
        self.writes().into_iter().map(|(line, _)| line).collect()
    }

    fn put(&self, path: &str, thing: Value) {
        self.state.lock().unwrap().things.push((path.to_owned(), thing));
    }

    fn file(&self, content: &Value) -> String {
        let file = self.home.path().join("rbac.json");
        std::fs::write(&file, content.to_string()).unwrap();
        file.display().to_string()
    }
}

/// What ListRoles of API version 9 does: who is a default member of one role is shown as one of all later roles.
fn leak_defaults(list: &mut Value) {
    let mut leaked: Vec<String> = Vec::new();
    for role in list.as_array_mut().unwrap() {
        for member in role["members"].as_array_mut().into_iter().flatten() {
            let login = member["login"].as_str().unwrap().to_owned();
            if member["default"] == true {
                leaked.push(login);
            } else if leaked.contains(&login) {
                member["default"] = true.into();
            }
        }
    }
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn team() -> Value {
    json!({
        "owner": "team",
        "users": [{ "login": "jill", "email": "jill@example.com", "keys": [format!("{KEY} laptop")] }],
        "policies": [{ "name": "may-reboot", "rules": ["CAN rebootmachine", "CAN getmachine"] }],
        "roles": [{ "name": "ops", "members": ["jill"], "default_members": ["jill"], "policies": ["may-reboot"] }],
    })
}

#[test]
fn role_tags_are_read_set_added_and_taken_away() {
    let cloud = Cloud::start();
    let web1 = format!("/acme/machines/{}", id(9));
    cloud.put(&web1, json!({ "id": id(9), "name": "web1" }));
    assert_eq!(cloud.told(&["role-tags", "get", "machines/web1"]), "");
    assert_eq!(cloud.told(&["role-tags", "add", "machines/web1", "ops", "dev"]), "ops\ndev\n");
    assert_eq!(cloud.writes(), [(format!("PUT {web1}"), r#"{"role-tag":["ops","dev"]}"#.to_owned())]);
    assert_eq!(cloud.told(&["role-tags", "get", &web1]), "ops\ndev\n");
    // What is so already is not sent.
    assert_eq!(cloud.told(&["role-tags", "add", "machines/web1", "dev"]), "ops\ndev\n");
    assert_eq!(cloud.told(&["role-tags", "remove", "machines/web1", "ci"]), "ops\ndev\n");
    assert!(cloud.writes().is_empty());
    let shown = cloud.told(&["role-tags", "get", "machines/web1", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), json!({ "name": web1, "role-tag": ["ops", "dev"] }));
    let (code, words) = cloud.refused(&["role-tags", "set", "machines/web1", "dev"]);
    assert!(code == 2 && words.contains("take away ops from machines/web1"), "{words}");
    assert!(cloud.writes().is_empty());
    assert_eq!(cloud.told(&["role-tags", "set", "machines/web1", "dev,ops,ci"]), "dev\nops\nci\n");
    assert_eq!(cloud.told(&["role-tags", "remove", "machines/web1", "ci"]), "dev\nops\n");
    assert_eq!(cloud.told(&["role-tags", "clear", "machines/web1", "--yes"]), "");
    assert_eq!(cloud.writes().last().unwrap().1, r#"{"role-tag":[]}"#);
}

#[test]
fn every_sort_of_resource_has_its_path() {
    let cloud = Cloud::start();
    cloud.put(&format!("/acme/users/{}", id(1)), json!({ "id": id(1), "login": "jill" }));
    for (typed, path) in [
        ("account", "/acme".to_owned()),
        ("machines", "/acme/machines".to_owned()),
        ("users/jill", format!("/acme/users/{}", id(1))),
        ("users/jill/keys", format!("/acme/users/{}/keys", id(1))),
        ("users/jill/keys/laptop", format!("/acme/users/{}/keys/laptop", id(1))),
        ("keys/laptop", "/acme/keys/laptop".to_owned()),
        ("services", "/acme/services".to_owned()),
    ] {
        let shown = cloud.told(&["role-tags", "set", typed, "ops", "--dry-run", "--json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!((&shown["method"], &shown["body"]), (&json!("PUT"), &json!({ "role-tag": ["ops"] })), "{typed}");
        assert_eq!(shown["url"], format!("{}{path}", cloud.url), "{typed}");
    }
    // Where the service knows no HEAD, it is asked for the thing itself.
    assert_eq!(cloud.told(&["role-tags", "get", "datacenters"]), "");
    let (code, words) = cloud.refused(&["role-tags", "get", "users/nobody"]);
    assert!(code == 3 && words.contains("no user named 'nobody'"), "{words}");
    let (code, words) = cloud.refused(&["role-tags", "get", &format!("machines/{}", id(7))]);
    assert!(code == 3 && words.contains("there is none"), "{words}");
    let (code, words) = cloud.refused(&["role-tags", "set", "volumes/x", "ops"]);
    assert!(code == 2 && words.contains("cannot be tagged"), "{words}");
    assert!(cloud.writes().is_empty());
}

#[test]
fn a_plan_is_shown_and_nothing_is_sent() {
    let cloud = Cloud::start();
    let file = cloud.file(&team());
    let plan = cloud.told(&["rbac", "apply", &file, "--plan"]);
    let expected = [
        "+ create policy may-reboot\n    rules: [\"CAN getmachine\",\"CAN rebootmachine\"]\n",
        "+ create user jill\n    email: \"jill@example.com\"\n",
        "+ create role ops\n    members: [\"jill\"]\n    default_members: [\"jill\"]\n    policies: [\"may-reboot\"]\n",
    ];
    for part in expected {
        assert!(plan.contains(part), "{part} is not in\n{plan}");
    }
    let json: Value = serde_json::from_str(&cloud.told(&["rbac", "apply", &file, "--dry-run", "--json"])).unwrap();
    let kinds: Vec<&str> =
        json["steps"].as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["policy", "user", "key", "role"]);
    assert_eq!(json["steps"][0]["status"], "planned");
    // Without a terminal nobody can be asked.
    let (code, words) = cloud.refused(&["rbac", "apply", &file]);
    assert!(code == 2 && words.contains("4 steps to the account acme"), "{words}");
    assert!(cloud.writes().is_empty());
}

#[test]
fn a_file_is_applied_in_order_and_then_there_is_nothing_to_do() {
    let cloud = Cloud::start();
    let file = cloud.file(&team());
    cloud.told(&["rbac", "apply", &file, "--yes"]);
    let writes = cloud.writes();
    let lines: Vec<&str> = writes.iter().map(|(line, _)| line.as_str()).collect();
    let keys = format!("POST /acme/users/{}/keys", id(2));
    assert_eq!(lines, ["POST /acme/policies", "POST /acme/users", &keys, "POST /acme/roles"]);
    let body: Value = serde_json::from_str(&writes[3].1).unwrap();
    assert_eq!(body["members"], json!([{ "type": "subuser", "login": "jill", "default": true }]));
    assert_eq!(body["policies"], json!([{ "name": "may-reboot" }]));
    let password = serde_json::from_str::<Value>(&writes[1].1).unwrap()["password"].as_str().unwrap().to_owned();
    assert!(password.len() >= 32);
    let again = cloud.told(&["rbac", "apply", &file, "--yes", "--prune"]);
    assert_eq!(again, "nothing to do: the account acme is as the file says\n");
    assert!(cloud.writes().is_empty());
    // What was made can be written down, and that is the same file again.
    let exported = cloud.told(&["rbac", "export", "--owner", "team"]);
    let other = cloud.file(&serde_json::from_str(&exported).unwrap());
    assert!(cloud.told(&["rbac", "apply", &other]).starts_with("nothing to do"));
    let tree = cloud.told(&["rbac", "info", "--all"]);
    for part in ["  jill <jill@example.com>: ops (default)\n", " laptop\n", "    policies: may-reboot\n"] {
        assert!(tree.contains(part), "{part} is not in\n{tree}");
    }
    let json: Value = serde_json::from_str(&cloud.told(&["rbac", "info", "--all", "--json"])).unwrap();
    assert_eq!(json["keys"]["jill"][0]["name"], "laptop");
    assert_eq!(json["roles"][0]["name"], "ops");
}

/// A user who is a default member of the first role, and a member of the administrators.
fn cloud_with_a_leak() -> Cloud {
    let cloud = Cloud::start();
    let member = |default: bool| {
        let mut member = json!({ "type": "subuser", "id": id(1), "login": "jill" });
        if default {
            member["default"] = true.into();
        }
        member
    };
    let role = |number: usize, name: &str, members: Value| {
        let role = json!({ "id": id(number), "name": name, "members": members, "policies": [] });
        cloud.put(&format!("/acme/roles/{}", id(number)), role);
    };
    cloud.put(&format!("/acme/users/{}", id(1)), json!({ "id": id(1), "login": "jill", "email": "jill@example.com" }));
    role(2, "ops", json!([member(true)]));
    role(3, "administrators", json!([member(false)]));
    role(4, "empty", json!([]));
    cloud
}

#[test]
fn a_member_is_a_default_one_only_where_the_role_itself_says_so() {
    let cloud = cloud_with_a_leak();
    let exported: Value = serde_json::from_str(&cloud.told(&["rbac", "export"])).unwrap();
    let defaults: Vec<&Value> =
        exported["roles"].as_array().unwrap().iter().map(|role| &role["default_members"]).collect();
    assert_eq!(defaults, [&json!(["jill"]), &json!([]), &json!([])]);
    let read = std::mem::take(&mut cloud.state.lock().unwrap().seen);
    let single = read.iter().filter(|(line, _)| line.starts_with("GET /acme/roles/")).count();
    assert_eq!(single, 2, "a role without default members need not be asked for");
    let tree = cloud.told(&["rbac", "info"]);
    assert!(tree.contains("jill <jill@example.com>: ops (default), administrators\n"), "{tree}");
    let json: Value = serde_json::from_str(&cloud.told(&["rbac", "info", "--json"])).unwrap();
    assert_eq!(json["roles"][1]["members"][0]["default"], Value::Null, "{json}");
    // What was exported is what is there.
    let told = cloud.told(&["rbac", "apply", &cloud.file(&exported), "--yes"]);
    assert!(told.starts_with("nothing to do"), "{told}");
    // To become a default administrator is a change, although the list shows it already; and then it is one no more.
    let mut wanted = exported;
    wanted["roles"][1]["default_members"] = json!(["jill"]);
    let told = cloud.told(&["rbac", "apply", &cloud.file(&wanted), "--yes"]);
    assert!(told.contains("~ change role administrators\n    default_members: [] -> [\"jill\"]\n"), "{told}");
    assert!(cloud.told(&["rbac", "apply", &cloud.file(&wanted), "--yes"]).starts_with("nothing to do"));
}

#[test]
fn without_the_right_to_read_a_role_nothing_is_made_of_what_the_list_says() {
    let cloud = cloud_with_a_leak();
    cloud.state.lock().unwrap().refuse = Some(format!("GET /acme/roles/{}", id(3)));
    for words in [&["rbac", "export"][..], &["rbac", "apply", &cloud.file(&team()), "--yes"]] {
        let (code, told) = cloud.refused(words);
        assert!(code == 4 && told.contains("default members of administrators cannot be read"), "{told}");
    }
    let shown = cloud.run(&["rbac", "info"]);
    let told = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(shown.status.success() && told.contains("warning: the default members of administrators"), "{told}");
    assert!(cloud.writes().is_empty());
}

#[test]
fn only_what_the_file_made_is_deleted_and_only_when_asked() {
    let cloud = Cloud::start();
    cloud.put("/acme/policies/p", json!({ "id": "p", "name": "others", "rules": ["CAN ping"] }));
    cloud.told(&["rbac", "apply", &cloud.file(&team()), "--yes"]);
    cloud.writes();
    let empty = cloud.file(&json!({ "owner": "team" }));
    let output = cloud.run(&["rbac", "apply", &empty, "--yes"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("left as it is: role ops"), "{output:?}");
    assert!(cloud.writes().is_empty());
    // Another owner has made nothing.
    let other = cloud.file(&json!({ "owner": "other" }));
    assert!(cloud.told(&["rbac", "apply", &other, "--yes", "--prune"]).starts_with("nothing to do"));
    let nobody = cloud.file(&json!({}));
    let (code, words) = cloud.refused(&["rbac", "apply", &nobody, "--yes", "--prune"]);
    assert!(code == 2 && words.contains("names no owner"), "{words}");
    let empty = cloud.file(&json!({ "owner": "team" }));
    cloud.told(&["rbac", "apply", &empty, "--yes", "--prune"]);
    let lines = cloud.lines();
    let targets: Vec<&str> = lines.iter().map(|line| line.rsplit_once('/').unwrap().0).collect();
    let keys = format!("DELETE /acme/users/{}/keys", id(2));
    assert_eq!(targets, ["DELETE /acme/roles", &keys, "DELETE /acme/users", "DELETE /acme/policies"]);
    assert_eq!(cloud.state.lock().unwrap().things.len(), 1, "what others made is gone");
}

#[test]
fn what_is_adopted_may_be_deleted_later() {
    let cloud = Cloud::start();
    cloud.put("/acme/policies/p", json!({ "id": "p", "name": "old", "rules": ["CAN ping"] }));
    let policies = json!({ "owner": "team", "policies": [{ "name": "old", "rules": ["CAN ping"] }] });
    assert_eq!(cloud.told(&["rbac", "apply", &cloud.file(&policies), "--yes", "--adopt"]), "= adopt policy old\n");
    assert!(cloud.writes().is_empty());
    let empty = cloud.file(&json!({ "owner": "team" }));
    assert_eq!(cloud.told(&["rbac", "apply", &empty, "--yes", "--prune"]), "- delete policy old\n");
    assert_eq!(cloud.lines(), ["DELETE /acme/policies/p"]);
}

#[test]
fn a_failure_says_what_was_done_and_the_same_command_goes_on() {
    let cloud = Cloud::start();
    let file = cloud.file(&team());
    cloud.state.lock().unwrap().refuse = Some("POST /acme/users".to_owned());
    let output = cloud.run(&["rbac", "apply", &file, "--yes"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{words}");
    for part in ["create user jill: not so", "done before it: create policy may-reboot", "not begun: create key"] {
        assert!(words.contains(part), "{part} is not in\n{words}");
    }
    cloud.writes();
    cloud.state.lock().unwrap().refuse = Some("POST /acme/roles".to_owned());
    let output = cloud.run(&["rbac", "apply", &file, "--yes", "--json"]);
    assert_eq!(output.status.code(), Some(5));
    let steps: Value = serde_json::from_slice(&output.stdout).unwrap();
    let states: Vec<&str> =
        steps["steps"].as_array().unwrap().iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["done", "done", "failed"]);
    cloud.writes();
    cloud.state.lock().unwrap().refuse = None;
    cloud.told(&["rbac", "apply", &file, "--yes"]);
    assert_eq!(cloud.lines(), ["POST /acme/roles"]);
}

#[test]
fn passwords_come_from_a_file_of_ones_own_and_are_never_shown() {
    let cloud = Cloud::start();
    let file = cloud.file(&team());
    let passwords = cloud.home.path().join("passwords.json");
    std::fs::write(&passwords, r#"{"jill":"hunter2hunter"}"#).unwrap();
    let words = ["rbac", "apply", &file, "--yes", "--debug", "--passwords-file", passwords.to_str().unwrap()];
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, told) = cloud.refused(&words);
    assert!(code == 2 && told.contains("chmod 600"), "{told}");
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = cloud.run(&words);
    assert!(output.status.success());
    for stream in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(stream).contains("hunter2"), "a password is shown");
    }
    assert!(cloud.writes()[1].1.contains("hunter2hunter"), "and it is sent");
    for entry in walk(&cloud.home.path().join(".triton")) {
        assert!(!std::fs::read_to_string(&entry).unwrap().contains("hunter2"), "{entry:?} holds a password");
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn what_is_wrong_in_the_file_is_told_before_anything_is_sent() {
    let cloud = Cloud::start();
    let file = cloud.home.path().join("rbac.json");
    for (text, words) in [
        ("{\"roles\": [\n{\"name\": \"ops\", \"membrs\": []}]}", "line 2, column 24: unknown field `membrs`"),
        (
            "{\"policies\":[{\"name\":\"p\",\"rules\":[\"MAY x\"]}]}",
            "policy p: policy rule: it does not begin with CAN",
        ),
        ("{\"roles\":[{\"name\":\"ops\",\"members\":[\"nobody\"]}]}", "role ops: there is no user nobody"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (code, told) = cloud.refused(&["rbac", "apply", file.to_str().unwrap(), "--yes"]);
        assert!(code == 2 && told.contains(words), "{words} is not in\n{told}");
    }
    std::fs::write(&file, r#"{"policies":[{"name":"p","rules":["CAN getmachin"]}]}"#).unwrap();
    let output = cloud.run(&["rbac", "apply", file.to_str().unwrap(), "--plan"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("no action 'getmachin': is getmachine meant?"), "{told}");
    assert!(cloud.writes().is_empty());
}

#[test]
fn an_image_is_shared_and_tagged_beside_what_was_there() {
    let cloud = Cloud::start();
    let path = format!("/acme/images/{}", id(3));
    let image = json!({ "id": id(3), "owner": id(9), "name": "mine", "version": "1", "acl": [id(1)], "tags": { "role": "web", "n": 1.5 } });
    cloud.put(&path, image);
    let image = |words: &[&str]| cloud.told(&[&["images"], words].concat());
    image(&["share", "mine", &id(2), &id(1)]);
    assert_eq!(cloud.writes(), [(format!("POST {path}?action=update"), json!({ "acl": [id(1), id(2)] }).to_string())]);
    image(&["share", "mine", &id(1)]);
    image(&["unshare", "mine", &id(4)]);
    assert!(cloud.writes().is_empty(), "nothing was to be changed");
    let shown = image(&["unshare", "mine", &id(1), "--dry-run", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["body"], json!({ "acl": [id(2)] }));
    let (code, words) = cloud.refused(&["images", "share", "mine", "jill"]);
    assert!(code == 2 && words.contains("not the UUID of an account"), "{words}");
    let body = |words: &[&str]| {
        let shown = image(&[&["tag", "mine"], words, &["--dry-run", "--json"]].concat());
        serde_json::from_str::<Value>(&shown).unwrap()["body"]["tags"].clone()
    };
    assert_eq!(body(&["a=1", "b:=2", "role=db"]), json!({ "a": "1", "b": 2, "n": 1.5, "role": "db" }));
    assert_eq!(body(&["a=1", "--replace"]), json!({ "a": "1" }));
    assert_eq!(body(&["--delete", "role"]), json!({ "n": 1.5 }));
    assert!(image(&["tag", "mine", "role=web", "--json"]).contains("\"mine\""));
    assert!(cloud.writes().is_empty());
}
