//! Options that mean something else in the older tools, values that cannot be what an option takes, and paths as they
//! are typed: nothing is silently done to something else.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use crate::common;
use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::common::{head, key, program, text};

const ID: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";

/// A server that answers everything with an empty list, and the request lines that it saw.
fn seeing() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let line = head(&mut stream).lines().next().unwrap_or_default().to_owned();
            lines.lock().unwrap().push(line);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]");
        }
    });
    (url, seen)
}

/// Exit code, words, and the request lines that were sent.
fn run(words: &[&str]) -> (Option<i32>, String, Vec<String>) {
    let (url, seen) = seeing();
    let said = program(&url, "acme", &key().join("key"), words).output().unwrap();
    let seen = seen.lock().unwrap().clone();
    (said.status.code(), text(&said.stderr), seen)
}

/// Every letter of node-triton 7.17.0 and smartdc 9.0.1 that is another option here, as it is typed there, and what is
/// told instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("machines create -i base-64 --package p -a instance!=web*", "unexpected argument"),
    ("machines create --image base-64 --package p -a instance!=web*", "--affinity"),
    ("machines create --image base-64 --package p -a role==~db", "--affinity"),
    ("run --image base-64 --package p -a instance!=web* -- true", "--affinity"),
    ("machines create --image base-64 -p g1-small", "--package"),
    ("machines create --image base-64 --package p -f", "--firewall"),
    ("machines create --image base-64 --package p -u https://cloudapi.example.com", "--url"),
    ("machines create --image base-64 --package p -w 9ec60129-9034-47b4-b111-3026f9b1a10f", "cannot be used with"),
    ("machines list -l 5", "'5' is not a selector"),
    ("machines list -o 5", "5"),
    ("machines list -s running", "running"),
    ("machines list -u https://cloudapi.example.com", "--url"),
    ("machines list -a acme/ci", "--account acme --user ci"),
    ("machines resize web0 -p g1-small", "PACKAGE"),
    ("machines resize web0 g1-small -p g1-small", "no profile"),
    ("machines vnc web0 -p 8080", "--port PORT"),
    ("machines vnc -p 8080 web0", "--port PORT"),
    ("machines nics add -p web0 external", "--primary"),
    ("machines nics add web0 external -p", "a value is required"),
    ("machines nics add -p web0 external more", "--primary"),
    ("machines migrate begin -a instance!=web* web0", "--affinity"),
    ("machines migrate automatic -a role==~db web0", "--affinity"),
    ("machines tags set web0 -f tags.json", "cannot read tags.json"),
    ("machines tags replace web0 -f tags.json", "cannot read tags.json"),
    ("machines tags replace web0 a=b -f tags.json", "cannot read tags.json"),
    ("machines metadata set web0 -f metadata.json", "cannot read metadata.json"),
    ("machines tags delete web0 -a", "a value is required"),
    ("machines metadata delete -a web0", "KEY"),
    ("images list -a", "a value is required"),
    ("images list -a name=base", "state=all"),
    ("images get -a base-64", "IMAGE"),
    ("packages list -p", "a value is required"),
    ("fabrics networks create 2 -n net -s 10.0.0.0/24 -S 10.0.0.5 -E 10.0.0.9 -r 8.8.8.8", "--resolver"),
    ("fabrics networks create 2 -n net -s 10.0.0.0/24 -S 10.0.0.5 -E 10.0.0.9 -r 8.8.8.8 -r 8.8.4.4", "--resolver"),
    ("fabrics networks create 2 -n net -s 10.0.0.0/24 -S 10.0.0.5 -E 10.0.0.9 -r 10.1.0.0/24=10.0.0.1", "--route"),
    ("fabrics networks create 2 -n net -s 10.0.0.0/24 -S 10.0.0.5 -E 10.0.0.9 -r ops", "cannot take a role on"),
    ("fabrics networks update 2 net -r 8.8.8.8", "--resolver"),
    ("fabrics vlans update 2 -f vlan.json", "cannot read vlan.json"),
    ("networks ips update net 10.0.0.5 -f ip.json", "cannot read ip.json"),
    ("fwrules create -r 'FROM", "RULE"),
    ("fwrules update 0b31c42b log=true -f rule.json", "cannot read rule.json"),
    ("volumes create -n v -a role!=db", "--affinity"),
    ("account update -f account.json", "cannot read account.json"),
    ("accesskeys update id -f key.json", "cannot read key.json"),
    ("profile create work -f profile.json", "--url"),
    ("rbac apply -f /nonexistent/rbac.json", "/nonexistent/rbac.json"),
    ("rbac info -a", "a value is required"),
    ("role-tags set machines/web0 ops -f", "unexpected argument"),
    ("machines list -a", "--account LOGIN"),
    ("machines list -u", "--url URL"),
    ("machines list -p", "--profile NAME"),
    ("machines list -r", "--role ROLE"),
    ("machines list --jq .x -r", "--raw"),
    ("machines vnc web0 -p", "--port PORT"),
    ("machines nics add web0 net -p", "--primary"),
    ("machines tags delete web0 -a", "delete-all"),
    ("images list -a", "state=all"),
    ("packages list -p", "--json"),
    ("rbac info -a", "--all"),
    ("fabrics networks create 2 -n net -r", "--resolver"),
    ("machines create --image base-64 -p g1-small", "a package: --package"),
    ("machines create --image base-64 --package p -p g1-small", "a package: --package"),
    ("run --image base-64 --package p -p g1-small -- true", "a package: --package"),
    ("fabrics networks create 2 -n net -s 10.0.0.0/24 -S 10.0.0.5 -E 10.0.0.9 -r ns1.example.com", "--resolver"),
    ("users create -f u.json", "rbac apply FILE"),
    ("users create jill -f u.json", "rbac apply FILE"),
    ("roles create ops -f r.json", "rbac apply FILE"),
    ("policies create p -f p.json", "rbac apply FILE"),
    ("rbac user -a u.json", "rbac apply FILE"),
    ("rbac role -a r.json", "rbac apply FILE"),
    ("rbac policy -a p.json", "rbac apply FILE"),
    ("rbac key -a jill k.pub", "sdc users keys add USER FILE"),
    ("keys add -f k.pub", "sdc keys add FILE"),
    ("users keys add jill -f k.pub", "sdc users keys add USER FILE"),
    ("users accesskeys update jill id -f k.json", "cannot read k.json"),
    ("images update base-64 -f i.json", "cannot read i.json"),
    ("volumes create -f v.json", "sdc volumes create --help"),
    ("images create web0 a 1 -f i.json", "sdc images create --help"),
    ("machines list -f x", "sdc machines list --help"),
    ("machines stop --force web0", "to skip the question: --yes"),
    ("machines reboot web0 --force", "to skip the question: --yes"),
    ("machines stop -f web0", "sdc machines stop --help"),
    ("machines start --force web0", "nothing is asked here"),
    ("machines list -r 10.0.0.1", "--role ROLE"),
    ("machines list -r a,10.0.0.1", "--role ROLE"),
    ("machines list -r fe80::1", "--role ROLE"),
    ("machines list -a *", "--account LOGIN"),
    ("machines list -a 10.0.0.1", "--account LOGIN"),
    ("machines list --act-as https://x.example.com", "is a URL"),
    ("machines tags set web0 a=b -r ops", "cannot take a role on"),
    ("machines tags replace web0 a=b -y -r ops", "cannot take a role on"),
    ("machines metadata set web0 a=b --role ops", "cannot take a role on"),
    ("config set default_network=net -r ops", "cannot take a role on"),
    ("volumes list -r ops", "cannot take a role on"),
    ("api POST /:login/machines/x/tags -d {} -r ops", "cannot take a role on"),
    ("api PUT /:login/config -d {} -r ops", "cannot take a role on"),
];

#[test]
fn a_letter_of_the_older_tools_is_never_silently_something_else() {
    let mut wrong = Vec::new();
    for (typed, told) in ELSEWHERE {
        let words: Vec<&str> = typed.split(' ').collect();
        let (code, words, seen) = run(&words);
        if code != Some(2) || !words.contains(told) || !seen.is_empty() {
            wrong.push(format!("{typed}: {told} is not in ({code:?}) {words} {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rule_of_the_firewall_is_not_a_role() {
    for words in
        [&["fwrules", "update", "0b31c42b"][..], &["fwrules", "update", "0b31c42b", "log=true"], &["fwrules", "create"]]
    {
        let (code, told, seen) = run(&[words, &["-r", "FROM any TO all vms ALLOW tcp PORT 22"]].concat());
        assert!(code == Some(2) && seen.is_empty(), "{words:?}: {told} {seen:?}");
        let meant = if words[1] == "update" { "--rule 'FROM any" } else { "RULE" };
        assert!(told.contains(meant), "{words:?}: {told}");
    }
}

#[test]
fn a_login_or_role_that_the_service_does_not_know_may_be_another_option_of_the_older_tools() {
    let refused = br#"{"code":"InvalidCredentials","message":"no"}"#.to_vec();
    let url = common::answering("401 Unauthorized", refused);
    for (words, meant) in [
        (&["machines", "list", "-u", "host.example.com"][..], Some("--url URL")),
        (&["machines", "list", "-r", "ns1.example.com"], Some("a role, by its name")),
        (&["machines", "create", "--image", ID, "--package", ID, "-a", "db0"], Some("--affinity RULE")),
        (&["volumes", "create", "-n", "v", "-a", "db0"], Some("--affinity RULE")),
        (&["machines", "list", "-u", "ci"], None),
        (&["machines", "list", "-a", "acme"], None),
    ] {
        let said = common::sdc(&url, words);
        let told = text(&said.stderr);
        assert_eq!(said.status.code(), Some(4), "{words:?}: {told}");
        match meant {
            Some(meant) => assert!(told.contains("as in other tools") && told.contains(meant), "{words:?}: {told}"),
            None => assert!(!told.contains("as in other tools"), "{words:?}: {told}"),
        }
    }
}

#[test]
fn a_file_of_rules_is_no_yes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rbac.json");
    std::fs::write(&file, r#"{"users":[{"login":"jill","email":"jill@example.com"}]}"#).unwrap();
    let file = file.to_str().unwrap();
    for words in [&["rbac", "apply", "-f", file][..], &["rbac", "apply", file]] {
        let (code, words, seen) = run(words);
        assert_eq!(code, Some(2), "{words}");
        assert!(words.contains("--yes") && seen.iter().all(|line| line.starts_with("GET ")), "{words} {seen:?}");
    }
}

#[test]
fn roles_of_a_variable_are_left_out_where_none_can_be_taken_on() {
    let (url, seen) = seeing();
    let words = ["api", "PUT", "/:login/config", "-d", "{}"];
    let said = program(&url, "acme", &key().join("key"), &words).env("SDC_ROLE", "ops").output().unwrap();
    assert!(said.status.success(), "{}", text(&said.stderr));
    assert!(text(&said.stderr).contains("the roles ops are not sent"), "{}", text(&said.stderr));
    assert_eq!(*seen.lock().unwrap(), ["PUT /acme/config HTTP/1.1"]);
}

#[test]
fn a_request_of_ones_own_is_sent_as_it_is_typed() {
    for (typed, sent) in [
        ("/:login/machines/a%2Fb", "/acme/machines/a%2Fb"),
        ("/:login//machines///x", "/acme//machines///x"),
        ("/:login/machines/", "/acme/machines/"),
        ("/:login/machines/%7Ea~b", "/acme/machines/%7Ea~b"),
        ("/:login/machines/...", "/acme/machines/..."),
        ("/:login/machines/..a/.b", "/acme/machines/..a/.b"),
        ("/:login/machines/%2e%2ea", "/acme/machines/%2e%2ea"),
        ("/:login/machines/%252e%252e", "/acme/machines/%252e%252e"),
        ("/:login/machines/é", "/acme/machines/%C3%A9"),
        ("/:login/machines/a\\..\\b", "/acme/machines/a%5C..%5Cb"),
        ("/:login/machines/a;b=c,d:e@f!$&'()*+", "/acme/machines/a;b=c,d:e@f!$&'()*+"),
        ("/:login/machines?a=%2F&b=/..&c=+&d=%zz&&e", "/acme/machines?a=%2F&b=/..&c=+&d=%zz&&e"),
        ("/:login/machines?a=?b=é", "/acme/machines?a=?b=%C3%A9"),
        ("//other.example.com/x", "//other.example.com/x"),
    ] {
        let (code, words, seen) = run(&["api", "GET", typed]);
        assert_eq!((code, seen.as_slice()), (Some(0), &[format!("GET {sent} HTTP/1.1")][..]), "{typed}: {words}");
    }
}

#[test]
fn a_step_up_in_a_path_never_becomes_a_request_for_something_else() {
    for typed in ["..", ".", "%2e%2e", "%2E%2e", ".%2e", "%2e", "web0/../..", "../web0", "./x", "../?force=%2e&a=/.."] {
        let (_, words, seen) = run(&["api", "DELETE", &format!("/:login/machines/{typed}")]);
        let sent = format!("DELETE /acme/machines/{typed} HTTP/1.1");
        assert_eq!(seen.first(), Some(&sent), "{typed}: {words}");
        assert!(seen.iter().all(|line| *line == sent), "{typed}: {seen:?}");
    }
    for typed in [".", ".."] {
        let (code, words, seen) = run(&["machines", "snapshots", "delete", "web0", typed, "--yes"]);
        let deletes = seen.iter().filter(|line| !line.starts_with("GET ")).count();
        assert!(code != Some(0) && deletes == 0, "{typed}: {words} {seen:?}");
    }
}

#[tokio::test]
async fn a_step_in_a_path_is_signed_and_shown_as_it_is_sent() {
    let emulator = sdc::emulator::Emulator::start(Default::default()).await.unwrap();
    let said = common::output(common::against(&emulator, &["api", "GET", "/:login/machines/%2e%2e"])).await;
    // The signature was good, and no machine has such an id.
    assert_eq!(said.status.code(), Some(5), "{said:?}");
    assert!(text(&said.stderr).contains("service: 409 ValidationFailed"), "{said:?}");
    let said = common::output(common::against(&emulator, &["api", "GET", "/:login/machines/..", "--dry-run"])).await;
    let first = format!("GET {}/acme/machines/..\n", emulator.url());
    assert!(text(&said.stdout).starts_with(&first), "{said:?}");
    let said = common::output(common::against(&emulator, &["api", "GET", "/:login/machines/..", "--curl"])).await;
    let last = format!(" --path-as-is {}/acme/machines/..\n", emulator.url());
    assert!(text(&said.stdout).ends_with(&last), "{said:?}");
}

#[test]
fn a_step_in_a_path_goes_through_no_proxy_and_past_no_time_out() {
    let (url, seen) = seeing();
    let (proxy, asked) = seeing();
    let words = ["api", "DELETE", "/:login/machines/.."];
    let said = program(&url, "acme", &key().join("key"), &words).env("http_proxy", proxy).output().unwrap();
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    assert!(text(&said.stderr).contains("through a proxy") && text(&said.stderr).contains("http_proxy"), "{said:?}");
    assert!(seen.lock().unwrap().is_empty() && asked.lock().unwrap().is_empty());
    let silent = common::server(std::mem::forget);
    let said = program(&silent, "acme", &key().join("key"), &words).env("SDC_REQUEST_TIMEOUT", "1s").output().unwrap();
    assert_eq!(said.status.code(), Some(6), "{said:?}");
    assert!(text(&said.stderr).contains("did not answer within 1s"), "{said:?}");
}
