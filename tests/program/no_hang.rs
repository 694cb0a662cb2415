//! No command can hang: each is run against servers that accept and then say nothing, or never come to an end, and
//! ends by itself within its time-out.
#![cfg(feature = "cli")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::common::{key, program};
use sdc::api::{self, Field, Ids, Kind, Op, Shape};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
/// After so long a command hangs. Each is told to wait for a second.
const HANGS: Duration = Duration::from_secs(120);
/// How many run at once.
const AT_ONCE: usize = 12;

/// Commands that ask nobody.
const LOCAL: &[&str] = &[
    "stack function list",
    "stack type list",
    "stack type show",
    "stack validate",
    "admin ca",
    "fwrules check",
    "config show",
    "env",
    "config edit",
    "profile copy",
    "profile create",
    "profile delete",
    "profile edit",
    "profile get",
    "profile list",
    "profile rename",
    "profile use",
    "emulator exec",
    "emulator serve",
    "completion",
    "help",
];

/// Commands of more than one request, and those that the table's arguments do not fit.
const OWN: &[(&str, &[&str])] = &[
    ("run", &["--image", ID, "--package", ID, "--", "true"]),
    ("reap", &["--expired", "--yes"]),
    ("machines ssh", &[ID]),
    ("machines scp", &["b6979942-7d5d-4fe6-a2ec-b812e950625a:file", "."]),
    ("machines ip", &[ID]),
    ("machines why", &[ID]),
    ("wait", &["machines", ID, "--for", "ready", "--timeout", "3s"]),
    ("machines watch", &[ID]),
    ("machines vnc", &[ID]),
    ("machines metadata set", &[ID, "a=b"]),
    ("networks ips update", &[ID, "10.0.0.5", "--reserved"]),
    ("machines migrate watch", &[ID]),
    ("images share", &[ID, ID]),
    ("images unshare", &[ID, ID]),
    ("images tag", &[ID, "a=b"]),
    ("role-tags get", &["machines/web0"]),
    ("role-tags set", &["machines", "admin"]),
    ("role-tags add", &["account", "admin"]),
    ("role-tags remove", &["users/bob", "admin"]),
    ("role-tags clear", &["machines", "--yes"]),
    ("rbac info", &[]),
    ("rbac export", &[]),
    ("rbac apply", &["POLICY", "--yes"]),
    ("api", &["GET", "/:login/machines"]),
    ("changefeed", &[]),
    ("auth doctor", &[]),
    ("info", &[]),
    ("whoami", &[]),
    ("admin discover", &[]),
    ("admin health", &[]),
    ("admin raw", &["vmapi", "GET", "/vms"]),
    ("admin jobs wait", &[ID]),
    ("admin vms why", &[ID]),
    ("admin jobs watch", &[ID]),
    ("admin doctor", &[]),
    ("admin networks create-smart", &["-n", "lab"]),
    ("admin networks usage", &[]),
    ("admin nics orphans", &[]),
];

/// A server that does this with each connection, in a thread of its own, and reads nothing.
fn server(each: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || each(stream));
        }
    });
    url
}

/// Holds the connection and says nothing until the other side goes away.
fn silent(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).is_ok_and(|read| read > 0) {}
}

/// The beginning of an answer, and then nothing.
fn half(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n[");
    silent(stream);
}

/// An answer without end, each byte of it in time.
fn dripping(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n[");
    while stream.write_all(b" ").is_ok() {
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The same of a head.
fn dripping_head(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
    while stream.write_all(b"x").is_ok() {
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// How a run ended: its exit code, `None` if it hung, and what it said.
struct Ended {
    code: Option<i32>,
    told: String,
}

/// The addresses of the internal services that commands wait for.
const INNER: &[&str] = &["VMAPI_URL", "WORKFLOW_URL", "CNAPI_URL", "NAPI_URL", "PAPI_URL", "IMGAPI_URL", "MAHI_URL"];

fn run(url: &str, words: &[String], env: &[(&str, &str)]) -> Ended {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = program(url, "acme", &key().join("key"), &words);
    let mut child =
        command.env("SDC_SAPI_URL", url).env("SDC_REQUEST_TIMEOUT", "1s").envs(env.iter().copied()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > HANGS {
            child.kill().unwrap();
            child.wait().unwrap();
            return Ended { code: None, told: "it hung".to_owned() };
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    Ended { code: said.status.code(), told }
}

/// Something that stands for a part of the path.
fn sample_param(param: &str) -> &'static str {
    match api::noun(param).map(|noun| noun.ids) {
        Some(Ids::Uuid) => ID,
        Some(Ids::Number) => "2",
        Some(Ids::Mac) => "90:b8:d0:aa:bb:cc",
        Some(Ids::Any | Ids::Key) => "sample",
        None if param == "ip" => "10.0.0.5",
        None => ID,
    }
}

/// A value that the field takes.
fn sample(field: &Field, files: &Path) -> String {
    let file = |name: &str| files.join(name).display().to_string();
    match field.kind {
        Kind::Uuid | Kind::Ref(_) | Kind::Refs(_) | Kind::Nic | Kind::Interfaces(_) => ID.to_owned(),
        // One that needs nothing more.
        Kind::OneOf(words) if words.contains(&"joyent") => "joyent".to_owned(),
        Kind::SomeOf(words) | Kind::OneOf(words) => words[0].to_owned(),
        Kind::Integer => "2".to_owned(),
        Kind::Mebibytes | Kind::DiskSize | Kind::Disks => "1024".to_owned(),
        Kind::Pairs(_) | Kind::FlatPairs(_) | Kind::Tags(_) | Kind::Object => "a=b".to_owned(),
        Kind::PairFiles(_) | Kind::FlatFiles(_) => format!("a=@{}", file("text")),
        Kind::Json => "{}".to_owned(),
        Kind::Affinity => "instance!=web*".to_owned(),
        Kind::FirewallRule => "FROM any TO all vms ALLOW tcp PORT 22".to_owned(),
        Kind::PolicyRules => "CAN getmachine".to_owned(),
        Kind::Nics => format!("network={ID}"),
        Kind::Mounts => format!("{ID}:/data"),
        Kind::Secret | Kind::File | Kind::Files => file("text"),
        Kind::PublicKeyFile => file("key.pub"),
        _ => match field.name {
            "subnet" => "10.0.0.0/24",
            "provision_start_ip" => "10.0.0.10",
            "provision_end_ip" => "10.0.0.20",
            _ => "sample",
        }
        .to_owned(),
    }
}

/// What is typed for an operation: what it needs, and one field more where it changes nothing without.
fn arguments(op: &Op, files: &Path) -> Vec<String> {
    let mut words: Vec<String> = op.path_params().map(|param| sample_param(param).to_owned()).collect();
    let typed = |field: &&Field| !matches!(field.kind, Kind::CopyOf(_));
    let needed: Vec<&Field> = op.fields.iter().filter(typed).filter(|field| field.required).collect();
    let optional = op.fields.iter().filter(typed).find(|field| !matches!(field.kind, Kind::Flag(_) | Kind::Bool));
    let changes = needed.is_empty() && !matches!(op.shape, Shape::Rows | Shape::Map) && op.method.as_str() != "GET";
    // Of some it needs one.
    let one = op.fields.iter().find(|field| op.one_of.first() == Some(&field.name));
    let more = one.or(optional.filter(|_| changes));
    for field in needed.into_iter().chain(more) {
        if !field.positional {
            let name = field.flag.map_or_else(|| field.name.replace('_', "-"), str::to_owned);
            words.push(format!("--{name}"));
        }
        words.push(sample(field, files));
    }
    if op.asks || op.fields.iter().any(|field| field.asks) {
        words.push("--yes".to_owned());
    }
    words
}

/// Every command that asks the service, and what is typed after it.
fn commands(files: &Path) -> Vec<(String, Vec<String>)> {
    let own = |(path, words): &(&str, &[&str])| {
        let policy = files.join("policy.json").display().to_string();
        let words = words.iter().map(|word| if *word == "POLICY" { policy.clone() } else { (*word).to_owned() });
        ((*path).to_owned(), words.collect())
    };
    let table = api::ops().map(|op| (api::words(op), arguments(op, files)));
    let mut all: Vec<(String, Vec<String>)> = OWN.iter().map(own).collect();
    all.extend(table.filter(|(path, _)| OWN.iter().all(|(known, _)| known != path)).collect::<Vec<_>>());
    all
}

fn files() -> tempfile::TempDir {
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("text"), "s3cret-text\n").unwrap();
    std::fs::write(files.path().join("policy.json"), r#"{"users":[],"roles":[],"policies":[]}"#).unwrap();
    std::fs::copy(key().join("key.pub"), files.path().join("key.pub")).unwrap();
    files
}

/// Runs each, some at once, and returns what did not end with the code.
fn failing(url: &str, commands: &[(String, Vec<String>)], code: i32) -> Vec<String> {
    failing_to(url, commands, |ended| ended.code == Some(code))
}

/// The same, and returns what did not end as it should.
fn failing_to(url: &str, commands: &[(String, Vec<String>)], is_right: impl Fn(&Ended) -> bool + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((path, more)) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let words: Vec<String> = path.split(' ').map(str::to_owned).chain(more.iter().cloned()).collect();
                    let ended = run(url, &words, &[]);
                    if !is_right(&ended) {
                        let line = format!("sdc {}: {:?}\n{}", words.join(" "), ended.code, ended.told);
                        wrong.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// A line that was typed whole.
fn typed(line: &str) -> (String, Vec<String>) {
    (line.to_owned(), Vec::new())
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// The commands of the table that change something by their first request.
fn changes(commands: &[(String, Vec<String>)]) -> Vec<(String, Vec<String>)> {
    let changes = |path: &str| {
        // Of the internal services SAPI is read first.
        let ops = api::CLOUDAPI.ops().filter(|op| op.method.as_str() != "GET");
        ops.map(api::words).any(|words| words == path)
    };
    // These read first.
    let reads = |path: &str| path != "machines metadata set" && OWN.iter().any(|(known, _)| *known == path);
    let reads = |path: &str| reads(path) || path == "machines disks add";
    commands.iter().filter(|(path, _)| changes(path) && !reads(path)).cloned().collect()
}

#[test]
fn every_change_whose_answer_was_lost_has_an_unknown_outcome_and_a_command_to_look() {
    let files = files();
    let all = changes(&commands(files.path()));
    assert!(all.len() > 60, "{}", all.len());
    let told = |told: &str| {
        told.contains("the outcome is unknown: the request may have taken effect")
            && ["to see what became of it: sdc ", "whether it is there: sdc "].iter().any(|look| told.contains(look))
    };
    let wrong = failing_to(&server(silent), &all, |ended| ended.code == Some(6) && told(&ended.told));
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn every_command_ends_although_the_server_never_answers() {
    let files = files();
    // To wait is to survive just that, for as long as it was told.
    let (waits, others) = commands(files.path()).into_iter().partition::<Vec<_>, _>(|(path, _)| path == "wait");
    // That a service is down is what this one tells.
    let (tells, others) =
        others.into_iter().partition::<Vec<_>, _>(|(path, _)| path == "admin health" || path == "admin doctor");
    let url = server(silent);
    let wrong = [failing(&url, &others, 6), failing(&url, &waits, 9), failing(&url, &tells, 1)].concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The last commands of the tree, by their words.
fn leaves(command: &clap::Command, words: &mut Vec<String>, all: &mut BTreeSet<String>) {
    let below: Vec<&clap::Command> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if below.is_empty() {
        all.insert(words.join(" "));
    }
    for sub in below {
        words.push(sub.get_name().to_owned());
        leaves(sub, words, all);
        words.pop();
    }
}

#[test]
fn no_command_is_left_out() {
    let files = files();
    let mut all = BTreeSet::new();
    leaves(&sdc::cli::tree(), &mut Vec::new(), &mut all);
    let tried: BTreeSet<String> = commands(files.path())
        .into_iter()
        .map(|(path, _)| path)
        .chain(LOCAL.iter().map(|path| (*path).to_owned()))
        .collect();
    let missing: Vec<&String> = all.difference(&tried).collect();
    assert!(missing.is_empty(), "nobody knows whether these hang: {missing:?}");
    let stale: Vec<&String> = tried.difference(&all).collect();
    assert!(stale.is_empty(), "these are no commands: {stale:?}");
    for words in api::ops().map(api::words) {
        assert!(tried.contains(&words), "{words}");
    }
}

#[test]
fn an_answer_that_never_comes_to_its_end_is_given_up_too() {
    let representative: Vec<(String, Vec<String>)> = [
        "machines list",
        "machines get b6979942-7d5d-4fe6-a2ec-b812e950625a",
        "machines stop b6979942-7d5d-4fe6-a2ec-b812e950625a",
        "machines delete b6979942-7d5d-4fe6-a2ec-b812e950625a --yes",
        "machines why b6979942-7d5d-4fe6-a2ec-b812e950625a",
        "machines tags list web0",
        "images list",
        "images create web0 image 1.0",
        "api GET /:login/networks --paginate",
        "rbac export",
        "changefeed",
        "auth doctor",
    ]
    .into_iter()
    .map(typed)
    .collect();
    for each in [half, dripping, dripping_head] as [fn(TcpStream); 3] {
        let wrong = failing(&server(each), &representative, 6);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn a_wait_whose_request_is_never_answered_ends_with_the_request() {
    let lines: Vec<(String, Vec<String>)> = [
        "machines stop b6979942-7d5d-4fe6-a2ec-b812e950625a --wait",
        "machines create --image b6979942-7d5d-4fe6-a2ec-b812e950625a --package b6979942-7d5d-4fe6-a2ec-b812e950625a --wait",
        "volumes create --name data --wait --timeout 1h",
        "machines delete web0 web1 --yes --wait",
    ]
    .into_iter()
    .map(typed)
    .collect();
    let wrong = failing(&server(silent), &lines, 6);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is typed for the commands of the internal services that can wait, and wait for so long.
fn inner_waits(files: &Path) -> Vec<Vec<String>> {
    let ops = api::ops().filter(|op| op.goal.is_some() && api::words(op).starts_with("admin "));
    let line = |op: &'static Op| {
        let more = ["--wait", "--timeout", "2s"].map(str::to_owned);
        words(&api::words(op)).into_iter().chain(arguments(op, files)).chain(more).collect()
    };
    ops.map(line).collect()
}

/// Runs each against a server of its own, and returns what did not end with the code.
fn each_alone(lines: &[Vec<String>], code: i32, server: impl Fn() -> String + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(words) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let url = server();
                    let env: Vec<(&str, &str)> = INNER.iter().map(|name| (*name, &*url)).collect();
                    let ended = run(&url, words, &env);
                    if ended.code != Some(code) {
                        let line = format!("sdc {}: {:?}\n{}", words.join(" "), ended.code, ended.told);
                        wrong.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

#[test]
fn an_operators_wait_ends_although_no_service_ever_answers() {
    let files = files();
    let lines = inner_waits(files.path());
    assert!(lines.len() > 30, "{}", lines.len());
    for each in [silent, half, dripping, dripping_head] as [fn(TcpStream); 4] {
        let url = server(each);
        let wrong = each_alone(&lines, 6, || url.clone());
        assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), lines.len(), wrong.join("\n"));
    }
}

/// A request, as far as it has come: its first line and its body.
fn request(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return (head.lines().next().unwrap_or_default().to_owned(), body.to_owned());
            }
        }
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            _ => return Default::default(),
        }
    }
}

/// A service that takes what is sent to it, and then answers no look at what becomes of it.
fn taking_and_then(each: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let taken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        for mut stream in listener.incoming().flatten() {
            let taken = taken.clone();
            std::thread::spawn(move || {
                let (line, body) = request(&mut stream);
                let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
                let vm = format!(r#"{{"uuid":"{ID}","alias":"web0","state":"running","owner_uuid":"{ID}","nics":[]}}"#);
                let missing = r#"{"code":"ResourceNotFound","message":"it is not there"}"#.to_owned();
                let (status, answer) = match (line.starts_with("GET "), path.as_str()) {
                    (true, _) if taken.load(Ordering::SeqCst) => return each(stream),
                    (true, path) if path == format!("/vms/{ID}") => (200, vm),
                    (true, path) if path.starts_with("/migrations/") => (404, missing),
                    (true, _) => (200, "[]".to_owned()),
                    // This one starts no job.
                    (false, _) if line.contains("migration_action=finalize") => {
                        taken.store(true, Ordering::SeqCst);
                        (200, String::new())
                    }
                    // Its id was chosen by who has sent it.
                    (false, _) => {
                        taken.store(true, Ordering::SeqCst);
                        let id = body.split(r#""uuid":""#).nth(1).filter(|_| path == "/vms");
                        let id = id.and_then(|rest| rest.get(..36)).unwrap_or(ID);
                        (202, format!(r#"{{"vm_uuid":"{id}","job_uuid":"{ID}"}}"#))
                    }
                };
                let head = "Content-Type: application/json\r\nConnection: close";
                let length = answer.len();
                let _ = stream.write_all(
                    format!("HTTP/1.1 {status} x\r\n{head}\r\nContent-Length: {length}\r\n\r\n{answer}").as_bytes(),
                );
            });
        }
    });
    url
}

#[test]
fn an_operators_wait_keeps_its_time_although_nobody_tells_how_far_it_is() {
    let files = files();
    let lines = inner_waits(files.path());
    for each in [silent, half, dripping, dripping_head] as [fn(TcpStream); 4] {
        let wrong = each_alone(&lines, 9, || taking_and_then(each));
        assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), lines.len(), wrong.join("\n"));
    }
}

/// A shell waits for its suggestions, and shows nothing else of them: none are no failure.
#[test]
fn completion_offers_nothing_rather_than_hang() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let url = server(|stream| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        silent(stream);
    });
    let env = [("SDC_COMPLETE", "zsh")];
    let ended = run(&url, &words("-- sdc machines get we"), &env);
    assert_eq!((ended.code, ended.told.as_str()), (Some(0), ""));
    assert!(ASKED.load(Ordering::SeqCst) > 0, "the service was asked for names");
}

#[test]
fn completion_asks_nothing_of_the_internal_services_nor_anybody_else_in_their_place() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let url = server(|stream| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        silent(stream);
    });
    for line in ["-- sdc admin vms get we", "-- sdc admin networks delete ex", "-- sdc admin jobs list vm_uuid="] {
        let ended = run(&url, &words(line), &[("SDC_COMPLETE", "zsh")]);
        assert_eq!(ended.code, Some(0), "{line}: {}", ended.told);
    }
    assert_eq!(ASKED.load(Ordering::SeqCst), 0, "a service was asked for names");
}
