//! Clients that misbehave, by mistake or on purpose: they harm nobody else, and are told what is wrong.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sdc::emulator::{Emulator, Options, ThrowAwayKey};

use super::ssh_keygen_interop::{authorization, get, http_date, options, raw, send, stepped};

/// Nothing here takes as long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn pages_of_a_browser_do_not_get_to_the_emulator_itself() {
    let emulator = stepped().await;
    let ask = async |method: &str, target: &str, headers: &str| {
        let request = format!("{method} {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        raw(&emulator, request.as_bytes()).await.unwrap().status
    };
    let state = "/--emulator/state";
    for host in ["127.0.0.1", "127.0.0.1:8087", "localhost:1", "LOCALHOST", "[::1]:80"] {
        assert_eq!(ask("GET", state, &format!("Host: {host}\r\n")).await, 200, "{host}");
    }
    for headers in [
        // A name of the page's own that leads to loopback by now.
        "Host: evil.example\r\n",
        "Host: evil.example:8087\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: 10.0.0.1\r\n",
        "Host: \r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        // What another page sends.
        "Host: localhost\r\nOrigin: http://evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nOrigin: http://localhost\r\n",
    ] {
        for (method, target) in [("GET", state), ("DELETE", "/--emulator/faults"), ("OPTIONS", "/--emulator")] {
            assert_eq!(ask(method, target, headers).await, 403, "{method} {headers:?}");
        }
    }
    let absolute = "http://evil.example/--emulator/state";
    assert_eq!(ask("GET", absolute, "Host: localhost\r\n").await, 403);
    // Who has the key is known, by whatever name the service is called.
    let date = http_date(0);
    let signed = [("Date", date.as_str()), ("Origin", "http://x"), ("Authorization", &authorization(&emulator, &date))];
    assert_eq!(send(&emulator, "GET", "/acme", &signed, "").await.status, 200);
}

#[tokio::test]
async fn a_body_however_long_gets_its_413_to_be_read() {
    let emulator = stepped().await;
    let address = emulator.url().strip_prefix("http://").unwrap().to_owned();
    let date = http_date(0);
    let authorization = authorization(&emulator, &date);
    let answered = tokio::task::spawn_blocking(move || {
        let length = 100 << 20;
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /acme/machines HTTP/1.1\r\nHost: localhost\r\nDate: {date}\r\nAuthorization: {authorization}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let part = vec![b' '; 1 << 20];
        for _ in 0..length / part.len() {
            stream.write_all(&part).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answered.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("PayloadTooLargeError"), "{answer}");
    assert_eq!(get(&emulator, "/acme").await.status, 200);
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let emulator = stepped().await;
    let request = format!("GET /--ping HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(2 << 20));
    let got = raw(&emulator, request.as_bytes()).await;
    assert!(got.is_none_or(|got| got.status == 431));
    let many = "X: x\r\n".repeat(20_000);
    let request = format!("GET /--ping HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    let got = raw(&emulator, request.as_bytes()).await;
    assert!(got.is_none_or(|got| got.status == 431));
    assert_eq!(get(&emulator, "/acme").await.status, 200);
}

#[tokio::test]
async fn requests_sent_at_once_are_answered_one_after_another() {
    let emulator = stepped().await;
    let one = "GET /--ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let last = "GET /--ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let got = raw(&emulator, format!("{}{last}", one.repeat(20)).as_bytes()).await.unwrap();
    let rest = String::from_utf8(got.body).unwrap();
    assert_eq!((got.status, rest.matches("HTTP/1.1 200 OK").count()), (200, 20));
}

/// One that has few file handles, so that few clients are enough to take them all.
#[cfg(all(unix, feature = "cli"))]
#[test]
fn clients_that_say_nothing_make_room_for_those_that_do() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new("/bin/sh")
        .args(["-c", "ulimit -n 64; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_sdc")])
        .args(["emulator", "serve", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("listening on http://").unwrap().to_owned();
    // Some have begun to say something.
    let silent: Vec<TcpStream> = (0..300)
        .map(|at| {
            let mut stream = TcpStream::connect(&address).unwrap();
            if at % 3 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
            }
            stream
        })
        .collect();
    let mut stream = TcpStream::connect(&address).unwrap();
    // If each had to be waited for, it would take six times the quarter of a minute that a client has for its headers.
    stream.set_read_timeout(Some(Duration::from_secs(45))).unwrap();
    stream.write_all(b"GET /--ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(read.is_ok() && answer.starts_with("HTTP/1.1 200 "), "{read:?} {answer}");
    drop(silent);
}

#[tokio::test]
async fn the_throw_away_key_is_quickly_made_known_or_new() {
    let line = async |throw_away| {
        let emulator = Emulator::start(Options { throw_away, ..Options::default() }).await.unwrap();
        let line = std::fs::read_to_string(emulator.key_file().with_extension("pub")).unwrap();
        emulator.stop().await.unwrap();
        line
    };
    assert_eq!(Options::default().throw_away, ThrowAwayKey::Ed25519);
    let new = line(ThrowAwayKey::Ed25519).await;
    assert!(new.starts_with("ssh-ed25519 ") && new.ends_with(" emulator\n"), "{new}");
    assert_ne!(new, line(ThrowAwayKey::Ed25519).await);
    let known = line(ThrowAwayKey::KnownRsa).await;
    assert!(known.starts_with("ssh-rsa "), "{known}");
    assert_eq!(known, line(ThrowAwayKey::KnownRsa).await);
    let new = line(ThrowAwayKey::NewRsa).await;
    assert!(new.starts_with("ssh-rsa ") && new != known, "{new}");
    assert!(options().key.is_some(), "these tests have one of their own");
}
