//! What stays open: the changefeed, the display of a machine, and the progress of a migration; each by the program
//! and the library against the emulator, or against a server that breaks off where it hurts.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::common::{key, program};
use sdc::api::cloudapi::changefeed::{CHANGEFEED, VNC};
use sdc::api::cloudapi::machines;
use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
use sdc::emulator::{Emulator, Options, Pace};
use sdc::request::Args;
use serde_json::Value;

/// Nothing here takes so long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(60);
const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";

/// The program at work: its lines as they come.
struct Running {
    child: Child,
    lines: Receiver<String>,
    words: Receiver<String>,
}

impl Running {
    fn start(url: &str, account: &str, key_file: &std::path::Path, words: &[&str]) -> Running {
        let mut child = program(url, account, key_file, words).spawn().unwrap();
        let lines = lines(child.stdout.take().unwrap());
        let words = self::lines(child.stderr.take().unwrap());
        Running { child, lines, words }
    }

    fn against(emulator: &Emulator, words: &[&str]) -> Running {
        Running::start(emulator.url(), emulator.account(), emulator.key_file(), words)
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line came: {}", self.told()))
    }

    fn event(&self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn told(&self) -> String {
        self.words.try_iter().collect::<Vec<_>>().join("\n")
    }

    fn end(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end: {}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The feed has registered, and the list that follows has been answered: from here on nothing is missed. The one goes
/// over the feed and the other over another connection, so that either may be there first.
fn followed(emulator: &Emulator, times: usize) {
    until("the feed is registered", || emulator.followers() > 0);
    until("the feed is followed", || {
        let seen = emulator.requests();
        let feeds = seen.iter().enumerate().filter(|(_, seen)| seen.path_and_query.ends_with("/changefeed"));
        let opened: Vec<usize> = feeds.filter(|(_, seen)| seen.status == 101).map(|(at, _)| at).collect();
        let listed = |at: &usize| seen[*at..].iter().any(|seen| seen.path_and_query.contains("/machines?"));
        opened.len() >= times && opened.get(times - 1).is_some_and(listed)
    });
}

fn client(emulator: &Emulator) -> sdc::Client {
    builder(emulator).build().unwrap()
}

fn builder(emulator: &Emulator) -> sdc::client::Builder {
    let key = PrivateKey::read(emulator.key_file(), &mut no_passphrase).unwrap();
    let name = key.public().md5();
    let signer = Signer::new(emulator.account(), Key::File(key), &name).unwrap();
    sdc::Client::builder().url(emulator.url()).account(emulator.account()).signer(signer)
}

async fn id(client: &sdc::Client, name: &str) -> String {
    let answer = client.call(&machines::LIST, &Args::new().set("name", name)).await.unwrap();
    answer.rows().find(|row| row.text("/name").as_deref() == Some(name)).unwrap().text("/id").unwrap().into_owned()
}

async fn stop(client: &sdc::Client, id: &str) {
    client.call(&machines::STOP, &Args::new().set("machine", id)).await.unwrap();
}

/// A thread that does what is asynchronous, while the test itself waits for processes.
struct Runtime {
    handle: tokio::runtime::Handle,
    _until: tokio::sync::oneshot::Sender<()>,
}

impl Runtime {
    fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.handle.block_on(work)
    }
}

fn runtime() -> Runtime {
    let (send, handle) = channel();
    let (until, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        send.send(runtime.handle().clone()).unwrap();
        let _ = runtime.block_on(ended);
    });
    Runtime { handle: handle.recv().unwrap(), _until: until }
}

#[test]
fn a_stop_is_told_step_by_step_as_the_service_writes_it() {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start(Options::default())).unwrap();
    let mut feed = Running::against(&emulator, &["changefeed", "--json", "--count", "2", "--for", "state,tags"]);
    followed(&emulator, 1);
    let client = client(&emulator);
    let web1 = runtime.block_on(async {
        let id = id(&client, "web1").await;
        stop(&client, &id).await;
        id
    });
    for state in ["stopping", "stopped"] {
        let line = feed.line();
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["changedResourceId"], web1.as_str());
        assert_eq!(event["resourceState"], state);
        assert_eq!(event["resourceObject"]["state"], state);
        assert_eq!(event["resourceObject"]["package"], "");
        assert_eq!(event["changeKind"], serde_json::json!({ "resource": "vm", "subResources": ["state"] }));
        assert!(event["published"].as_str().is_some_and(|ms| ms.parse::<i64>().is_ok()));
        assert!(event.get("resync").is_none());
    }
    assert_eq!(feed.end().code(), Some(0), "{}", feed.told());
    until("the socket closes", || emulator.open_sockets() == 0);
}

#[test]
fn only_the_machines_and_parts_that_were_asked_for_are_told_of() {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start(Options::default())).unwrap();
    let mut feed = Running::against(&emulator, &["machines", "watch", "web10", "--count", "1", "--only", "alias"]);
    followed(&emulator, 1);
    let client = client(&emulator);
    runtime.block_on(async {
        let (web1, web10) = (id(&client, "web1").await, id(&client, "web10").await);
        stop(&client, &web1).await;
        stop(&client, &web10).await;
        let rename = |id: &str, name: &str| Args::new().set("machine", id).set("name", name);
        client.call(&machines::RENAME, &rename(&web1, "other")).await.unwrap();
        client.call(&machines::RENAME, &rename(&web10, "renamed")).await.unwrap();
    });
    let line = feed.line();
    assert!(line.contains("renamed") && line.contains("9e04d7b1") && line.contains("alias"), "{line}");
    assert_eq!(feed.end().code(), Some(0));
}

#[test]
fn what_changes_while_the_feed_is_lost_is_told_when_it_is_back() {
    let runtime = runtime();
    let options = Options { pace: Pace::Stepped, ..Options::default() };
    let emulator = runtime.block_on(Emulator::start(options)).unwrap();
    let feed = Running::against(&emulator, &["changefeed", "--json"]);
    followed(&emulator, 1);
    emulator.add_fault("GET /changefeed status=503 code=ServiceUnavailableError".parse().unwrap());
    assert!(emulator.drop_sockets() > 0);
    until("all sockets are dropped", || emulator.open_sockets() == 0);
    let client = client(&emulator);
    let (web1, web10) = runtime.block_on(async {
        let (web1, web10) = (id(&client, "web1").await, id(&client, "web10").await);
        stop(&client, &web1).await;
        client.call(&machines::DELETE, &Args::new().set("machine", &web10)).await.unwrap();
        (web1, web10)
    });
    emulator.clock().advance(Duration::from_secs(10));
    emulator.clear_faults();
    // In between it may have been seen in the list that one is stopping.
    let mut left = vec![(web10.as_str(), "destroyed", "deleted"), (web1.as_str(), "stopped", "stopped")];
    while !left.is_empty() {
        let event = feed.event();
        assert_eq!(event["resync"], true, "{event}");
        left.retain(|(id, state, shown)| {
            event["changedResourceId"] != *id
                || event["resourceState"] != *state
                || event["resourceObject"]["state"] != *shown
        });
    }
    // And from now on by the feed again.
    followed(&emulator, 2);
    let start = Args::new().set("machine", &web1);
    runtime.block_on(client.call(&machines::START, &start)).unwrap();
    emulator.clock().advance(Duration::from_secs(10));
    let event = feed.event();
    assert_eq!((&event["resourceState"], event.get("resync")), (&"running".into(), None));
    let told = feed.told();
    assert!(told.contains(r#"{"warning":""#) && told.contains("opening the changefeed again"), "{told}");
}

#[test]
fn a_service_without_a_changefeed_is_asked_again_and_again() {
    for status in ["405", "404", "500"] {
        let runtime = runtime();
        let fault = format!("GET /changefeed status={status}").parse().unwrap();
        let options = Options { faults: vec![fault], ..Options::default() };
        let emulator = runtime.block_on(Emulator::start(options)).unwrap();
        let words = ["changefeed", "web1", "--json", "--count", "1", "--interval", "50ms"];
        let mut feed = Running::against(&emulator, &words);
        let lists = || emulator.requests().iter().filter(|seen| seen.path_and_query.contains("/machines?")).count();
        until("it lists again and again", || lists() > 3);
        let client = client(&emulator);
        runtime.block_on(async {
            let web1 = id(&client, "web1").await;
            stop(&client, &web1).await;
        });
        let event = feed.event();
        assert_eq!(event["resync"], true);
        assert_eq!(event["changeKind"]["subResources"], serde_json::json!(["state"]));
        assert_eq!(feed.end().code(), Some(0));
    }
}

#[test]
fn following_ends_with_its_time_with_an_interruption_and_at_once_without_the_machine() {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start(Options::default())).unwrap();
    let mut timed = Running::against(&emulator, &["changefeed", "--timeout", "300ms"]);
    assert_eq!(timed.end().code(), Some(0));
    let mut missing = Running::against(&emulator, &["changefeed", ID]);
    assert_eq!(missing.end().code(), Some(3), "{}", missing.told());
    let mut odd = Running::against(&emulator, &["changefeed", "-o", "csv"]);
    assert_eq!(odd.end().code(), Some(2));
    if cfg!(unix) {
        emulator.forget_requests();
        let mut feed = Running::against(&emulator, &["changefeed"]);
        followed(&emulator, 1);
        let sent = Command::new("kill").args(["-INT", &feed.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(feed.end().code(), Some(130));
    }
}

#[test]
fn the_library_follows_until_the_emulator_ends() {
    let runtime = runtime();
    runtime.block_on(async {
        let emulator = Emulator::start(Options::default()).await.unwrap();
        let client = client(&emulator);
        let web1 = id(&client, "web1").await;
        let mut feed = client.follow(&["state"], Some(std::slice::from_ref(&web1))).await.unwrap();
        stop(&client, &web1).await;
        let text = tokio::time::timeout(PATIENCE, feed.next()).await.unwrap().unwrap().unwrap();
        assert!(text.contains(&web1) && text.contains("\"stopping\""), "{text}");
        let error = client.follow(&["colour"], None).await.err().unwrap();
        assert_eq!(error.kind(), sdc::error::Kind::Usage);
        tokio::time::timeout(PATIENCE, emulator.stop()).await.unwrap().unwrap();
        while let Ok(Some(_)) = tokio::time::timeout(PATIENCE, feed.next()).await.unwrap() {}
    });
}

#[test]
fn sockets_are_refused_as_the_service_refuses_them() {
    let runtime = runtime();
    runtime.block_on(async {
        let emulator = Emulator::start(Options::default()).await.unwrap();
        let new = client(&emulator);
        let old = builder(&emulator).accept_version("~9").build().unwrap();
        let feed = new.request(&CHANGEFEED, &Args::new()).unwrap();
        let plain = new.send(&feed).await.unwrap();
        let body: Value = serde_json::from_slice(&plain.body).unwrap();
        assert_eq!((plain.status, body.get("code"), body["message"].is_string()), (500, None, true));
        let offered = new.socket(&feed, Some("binary")).await.err().unwrap();
        assert_eq!(offered.fault().map(|fault| (fault.status, fault.code.as_str())), Some((500, "")));

        let vnc = |id: &str| new.request(&VNC, &Args::new().set("machine", id)).unwrap();
        let (db0, db1, web1) = (id(&new, "db0").await, id(&new, "db1").await, id(&new, "web1").await);
        let said =
            |error: sdc::Error| error.fault().map(|fault| (fault.status, fault.code.clone(), fault.message.clone()));
        let refused = said(old.socket(&vnc(&db0), None).await.err().unwrap()).unwrap();
        assert_eq!((refused.0, refused.1.as_str()), (400, "InvalidVersion"));
        let plain = new.send(&vnc(&db0)).await.unwrap();
        let plain = said(plain.failure()).unwrap();
        assert_eq!((plain.0, plain.1.as_str()), (400, "UpgradeRequiredError"));
        for (id, code) in [(&db1, "MachineStoppedError"), (&web1, "MachineHasNoVNCError")] {
            let (status, said, words) = said(new.socket(&vnc(id), Some("binary")).await.err().unwrap()).unwrap();
            assert_eq!((status, said.as_str(), words.starts_with("null ")), (400, code, true));
        }
        assert_eq!(emulator.open_sockets(), 0);
        for protocol in [None, Some("binary"), Some("rfb")] {
            let mut socket = new.socket(&vnc(&db0), protocol).await.unwrap();
            assert_eq!(socket.next().await.unwrap().as_deref(), Some(b"RFB 003.008\n".as_slice()));
            socket.close().await;
        }
    });
}

#[test]
fn sockets_work_over_tls_as_every_other_request_does() {
    let runtime = runtime();
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let emulator = runtime.block_on(Emulator::start(Options { https: Some(listen), ..Options::default() })).unwrap();
    let url = emulator.https_url().unwrap();
    let ca_file = emulator.ca_file().unwrap().to_str().unwrap();
    let words = ["changefeed", "--cacert", ca_file, "--json", "--count=1"];
    let mut feed = Running::start(url, emulator.account(), emulator.key_file(), &words);
    followed(&emulator, 1);
    let client = client(&emulator);
    runtime.block_on(async {
        let web1 = id(&client, "web1").await;
        stop(&client, &web1).await;
    });
    assert_eq!(feed.event()["resourceState"], "stopping");
    assert_eq!(feed.end().code(), Some(0));
}

#[test]
fn a_frame_that_is_not_masked_ends_the_socket_and_a_ping_is_answered() {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start(Options::default())).unwrap();
    let client = client(&emulator);
    let request = client.request(&CHANGEFEED, &Args::new()).unwrap();
    let open = || {
        let wire = runtime.block_on(client.wire(&request)).unwrap();
        let mut head = format!("GET {} HTTP/1.1\r\nHost: localhost\r\n", wire.url.path());
        for (name, value) in &wire.headers {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        head += "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n";
        head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let mut stream = TcpStream::connect(emulator.url().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 The Watershed Moment\r\n"), "{answer}");
        assert!(
            answer.to_ascii_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"),
            "{answer}"
        );
        stream
    };
    let mut stream = open();
    // A masked ping, whose mask changes nothing.
    stream.write_all(b"\x89\x82\0\0\0\0hi").unwrap();
    let mut pong = [0; 4];
    stream.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\x8a\x02hi");
    let mut stream = open();
    stream.write_all(b"\x89\x02hi").unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"\x8a"), "{rest:?}");
    until("only the good socket is open", || emulator.open_sockets() == 1);
    let mut control = TcpStream::connect(emulator.url().trim_start_matches("http://")).unwrap();
    let head = "POST /--emulator/sockets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    control.write_all(head.as_bytes()).unwrap();
    let mut said = String::new();
    control.read_to_string(&mut said).unwrap();
    assert!(said.ends_with(r#"{"dropped":1}"#), "{said}");
    until("no socket is open", || emulator.open_sockets() == 0);
}

#[test]
fn an_answer_that_opens_no_websocket_is_not_taken_for_one() {
    let heads = [
        "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA",
        "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade",
        "200 OK",
    ];
    for head in heads {
        let url = common::answering(head, b"{}".to_vec());
        let runtime = runtime();
        let error = runtime.block_on(async {
            let key = PrivateKey::read(&key().join("key"), &mut no_passphrase).unwrap();
            let name = key.public().md5();
            let signer = Signer::new("acme", Key::File(key), &name).unwrap();
            let client = sdc::Client::builder().url(url).account("acme").signer(signer).build().unwrap();
            client.follow(&["state"], None).await.err().unwrap()
        });
        assert_eq!(error.kind(), sdc::error::Kind::Unreachable, "{head}: {error}");
    }
}

#[test]
fn a_viewer_reaches_the_display_through_loopback_alone_and_one_viewer_only() {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start(Options::default())).unwrap();
    let mut bridge = Running::against(&emulator, &["machines", "vnc", "db0"]);
    let url = bridge.line();
    let port: u16 = url.strip_prefix("vnc://127.0.0.1:").unwrap().parse().unwrap();
    if cfg!(target_os = "linux") {
        // One that listens everywhere could be reached there too.
        assert!(TcpStream::connect(("127.0.0.2", port)).is_err());
    }
    let viewer = TcpStream::connect(("127.0.0.1", port)).unwrap();
    viewer.set_read_timeout(Some(PATIENCE)).unwrap();
    let take = |count: usize| {
        let mut bytes = vec![0; count];
        (&viewer).read_exact(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(take(12), b"RFB 003.008\n");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "a second viewer came in");
    (&viewer).write_all(b"RFB 003.008\n").unwrap();
    assert_eq!(take(2), [1, 1]);
    (&viewer).write_all(&[1]).unwrap();
    assert_eq!(take(4), [0; 4]);
    (&viewer).write_all(&[1]).unwrap();
    assert_eq!(take(24)[20..], [0, 0, 0, 3]);
    assert_eq!(take(3), b"db0");
    (&viewer).write_all(&[3, 0, 0, 0, 0, 0, 0, 16, 0, 16]).unwrap();
    assert_eq!(take(16)[..4], [0, 0, 0, 1]);
    assert_eq!(take(16 * 16 * 4), vec![0; 1024]);
    viewer.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(bridge.end().code(), Some(0), "{}", bridge.told());
}

#[test]
fn a_machine_without_a_display_is_told_before_anybody_listens() {
    let runtime = runtime();
    let emulator = runtime.block_on(Emulator::start(Options::default())).unwrap();
    for (words, code, told) in [
        (["machines", "vnc", "web1", "-q"], 5, "of the brand joyent"),
        (["machines", "vnc", "db1", "-q"], 5, "it is stopped, not running"),
        (["machines", "vnc", "nothing", "-q"], 3, "no machine named"),
        (["machines", "vnc", "db0", "--timeout=50ms"], 9, "no viewer came"),
    ] {
        let mut bridge = Running::against(&emulator, &words);
        assert_eq!(bridge.end().code(), Some(code), "{words:?}");
        let said: Vec<String> = bridge.words.iter().collect();
        assert!(said.join("\n").contains(told), "{said:?}");
    }
}

const RUNNING: &str = r#"{"machine":"b6979942-7d5d-4fe6-a2ec-b812e950625a","phase":"sync","state":"running","progress_history":[
 {"type":"progress","phase":"begin","state":"successful","current_progress":100,"total_progress":100,"message":"reserved"}]}"#;
const HALF: &str = r#"{"type":"progress","phase":"sync","state":"running","current_progress":50,"total_progress":100}"#;
const BEGUN: &str = r#"{"type":"progress","phase":"begin","state":"successful","current_progress":100,"total_progress":100,"message":"reserved"}"#;

/// Answers in turn: a status with a body, or with half of what is promised.
fn service(answers: Vec<(&'static str, String, bool)>) -> (String, std::sync::Arc<AtomicUsize>) {
    let seen = std::sync::Arc::new(AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&seen);
    let url = common::server(move |mut stream| {
        let at = count.fetch_add(1, SeqCst);
        let (head, body, whole) = &answers[at.min(answers.len() - 1)];
        let length = if *whole { body.len() } else { body.len() + 100 };
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body.as_bytes());
    });
    (url, seen)
}

fn watch(url: &str, more: &[&str]) -> Running {
    let words = [&["machines", "migrate", "watch", ID], more].concat();
    Running::start(url, "acme", &key().join("key"), &words)
}

fn end_event(state: &str) -> String {
    format!(r#"{{"type":"end","phase":"sync","state":"{state}"}}"#)
}

#[test]
fn a_migration_is_watched_through_a_stream_that_is_cut_and_nothing_is_told_twice() {
    let (url, seen) = service(vec![
        ("200 OK", RUNNING.to_owned(), true),
        ("200 OK\r\nContent-Type: application/x-json-stream", format!("{BEGUN}\n{HALF}\n{{\"ty"), false),
        ("200 OK", RUNNING.to_owned(), true),
        ("200 OK\r\nContent-Type: application/x-json-stream", format!("{HALF}\n\n{}", end_event("paused")), true),
    ]);
    let mut watch = watch(&url, &["--json"]);
    assert_eq!(watch.end().code(), Some(0), "{}", watch.told());
    let lines: Vec<String> = watch.lines.iter().collect();
    assert_eq!(lines, [BEGUN, HALF, &end_event("paused")]);
    assert_eq!(seen.load(SeqCst), 4);
}

#[test]
fn an_automatic_migration_that_pauses_between_its_steps_is_not_over() {
    let automatic = |state: &str| {
        let record = RUNNING.replacen('{', r#"{"automatic":true,"#, 1);
        record.replace(r#""state":"running","progress"#, &format!(r#""state":"{state}","progress"#))
    };
    let (url, seen) = service(vec![
        ("200 OK", automatic("running"), true),
        ("200 OK", end_event("paused"), true),
        ("200 OK", automatic("paused"), true),
        ("200 OK", HALF.to_owned(), true),
        ("200 OK", automatic("successful"), true),
    ]);
    let mut watch = watch(&url, &[]);
    assert_eq!(watch.end().code(), Some(0), "{}", watch.told());
    assert_eq!(seen.load(SeqCst), 5, "the pause was taken for the end");
}

#[test]
fn the_stream_of_another_server_tells_nothing_of_a_migration() {
    let done = RUNNING.replace(r#""state":"running","progress"#, r#""state":"successful","progress"#);
    let (url, seen) = service(vec![
        ("200 OK", RUNNING.to_owned(), true),
        ("200 OK\r\nServer: nginx", end_event("failed"), true),
        ("200 OK", done, true),
    ]);
    let mut watch = watch(&url, &[]);
    assert_eq!((watch.end().code(), seen.load(SeqCst)), (Some(0), 3), "{}", watch.told());
    assert!(watch.told().contains("another server answered where a stream"), "{}", watch.told());
}

#[test]
fn how_a_migration_ended_is_in_the_exit_code() {
    let failed = RUNNING.replace(r#""state":"running","progress"#, r#""state":"failed","error":"no room","progress"#);
    let gone = r#"{"code":"ResourceNotFound","message":"Migration not found"}"#;
    for (answers, code, told) in [
        (vec![("404 Not Found", gone.to_owned(), true)], 3, "is not being migrated"),
        (vec![("200 OK", failed, true)], 8, "failed in the phase sync: no room"),
        (
            vec![("200 OK", RUNNING.to_owned(), true), ("200 OK", end_event("failed"), true)],
            8,
            "failed in the phase sync",
        ),
        (
            vec![
                ("200 OK", RUNNING.to_owned(), true),
                ("200 OK", HALF.to_owned(), true),
                ("404 Not Found", gone.to_owned(), true),
            ],
            8,
            "has been aborted",
        ),
        (
            vec![(
                "200 OK",
                RUNNING.replace(r#""state":"running","progress"#, r#""state":"successful","progress"#),
                true,
            )],
            0,
            "the migration is successful",
        ),
    ] {
        let (url, _) = service(answers);
        let mut watch = watch(&url, &[]);
        assert_eq!(watch.end().code(), Some(code), "{told}");
        let said: Vec<String> = watch.words.iter().collect();
        assert!(said.join("\n").contains(told), "{told}: {said:?}");
    }
}

#[test]
fn watching_a_migration_that_never_ends_ends_with_its_time() {
    let (url, _) = service(vec![("200 OK", RUNNING.to_owned(), true)]);
    let mut watch = watch(&url, &["--timeout", "1s"]);
    assert_eq!(watch.end().code(), Some(9));
    let line = watch.line();
    assert!(line.starts_with("begin     successful  100%  reserved"), "{line}");
}

#[test]
fn a_line_without_end_is_refused() {
    let (url, _) = service(vec![("200 OK", "x".repeat(2 << 20), true)]);
    let runtime = runtime();
    runtime.block_on(async {
        let client = sdc::Client::builder().url(url).account("acme").build().unwrap();
        let mut request = sdc::request::Request::raw("GET", "/acme/stream").unwrap();
        request.signed = false;
        let mut lines = client.lines(&request).await.unwrap();
        let error = lines.next().await.unwrap_err();
        assert!(error.message().contains("a line of more than"), "{error}");
    });
}

/// A server that opens a WebSocket and then does this with it.
fn websocket(then: impl Fn(TcpStream) + Send + 'static) -> String {
    use base64::Engine;
    use sha1::Digest;
    common::answered_by(move |head, mut stream| {
        let key = head.lines().find(|line| line.to_lowercase().starts_with("sec-websocket-key:"));
        let Some(key) = key.and_then(|line| line.split_once(": ")) else {
            // Every other request is for the list.
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]");
            return;
        };
        let accept = sha1::Sha1::digest(format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key.1.trim()));
        let accept = base64::engine::general_purpose::STANDARD.encode(accept);
        let head = "HTTP/1.1 101 The Watershed Moment\r\nUpgrade: websocket\r\nConnection: Upgrade";
        let _ = stream.write_all(format!("{head}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n").as_bytes());
        then(stream);
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_pings_by_a_server_that_reads_nothing_costs_no_memory() {
    let (sent, written) = channel();
    let url = websocket(move |mut stream| {
        // The longest ping there is, again and again.
        let ping = [&[0x89, 125][..], &[b'x'; 125]].concat().repeat(1000);
        let bytes = (0..800).take_while(|_| stream.write_all(&ping).is_ok()).count() * ping.len();
        let _ = sent.send(bytes);
        std::thread::sleep(PATIENCE);
    });
    let key_file = key().join("key");
    let mut child = program(&url, "acme", &key_file, &["changefeed"]).spawn().unwrap();
    let bytes = written.recv_timeout(PATIENCE * 2).expect("the pings are read");
    assert!(bytes > 50_000_000, "{bytes} bytes of pings were taken");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert!(peak < 100_000, "{peak} kB");
}

/// Small messages at full speed leave no room for anything else, unless the reader makes it.
#[cfg(unix)]
#[test]
fn a_flood_of_messages_lets_an_interruption_through() {
    for frame in [&[0x81, 0x07, b'{', b'"', b'a', b'"', b':', b'1', b'}'][..], &[0x82, 0x00], &[0x8a, 0x00]] {
        let frame = frame.to_vec();
        let url = websocket(move |mut stream| {
            // What answers the ping behind the registration.
            let _ = stream.write_all(&[&[0x8a, 10][..], b"registered"].concat());
            let flood = frame.repeat(10_000);
            while stream.write_all(&flood).is_ok() {}
        });
        let key_file = key().join("key");
        let mut command = program(&url, "acme", &key_file, &["changefeed"]).process();
        let mut child =
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(2));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "not heard");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(code, Some(130));
    }
}

#[test]
fn changes_without_end_before_the_registration_is_answered_are_given_up() {
    let url = websocket(|mut stream| {
        let text = [&[0x81, 126, 0xff, 0xff][..], &[b'x'; 65_535]].concat();
        while stream.write_all(&text).is_ok() {}
    });
    let key_file = key().join("key");
    let running = Running::start(&url, "acme", &key_file, &["changefeed"]);
    let told = running.words.recv_timeout(PATIENCE).unwrap();
    assert!(told.contains("sends changes and does not answer"), "{told}");
}

#[test]
fn a_stream_of_empty_lines_is_read_in_the_time_that_its_bytes_take() {
    let url = common::server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50000001\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(&vec![b'\n'; 50_000_000]);
        let _ = stream.write_all(b"x");
    });
    let client = sdc::Client::builder().url(url).account("acme").build().unwrap();
    let mut request = sdc::request::Request::raw("GET", "/acme/stream").unwrap();
    request.signed = false;
    let line = runtime().block_on(async { client.lines(&request).await.unwrap().next().await });
    assert_eq!(line.unwrap().as_deref(), Some("x"));
}
