//! Servers that are broken or mean no good: each command ends, with an error and its exit code, and the
//! terminal is not steered by them.
#![cfg(feature = "cli")]

mod content;
mod http;
mod size;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{answering, key, sdc, server, told_of};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";

/// The program with all the time it may need, so that what is tested is not a time-out.
fn patient(url: &str, words: &[&str]) -> Output {
    sdc(url, &[words, &["--request-timeout", "120s"]].concat())
}

/// The same in so many MB of memory, all that is mapped included.
fn within(megabytes: u32, url: &str, words: &[&str]) -> Output {
    within_seconds(megabytes, url, words, "120s")
}

fn within_seconds(megabytes: u32, url: &str, words: &[&str], seconds: &str) -> Output {
    bounded(megabytes, url, words, seconds).output().unwrap()
}

/// A process of its own in so many MB of memory, which waits for an answer for so long.
fn bounded(megabytes: u32, url: &str, words: &[&str], seconds: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {} && exec \"$@\"", megabytes * 1024), "sh", env!("CARGO_BIN_EXE_sdc")])
        .args(words)
        .env_clear()
        .envs(told_of(url, "acme", &key().join("key")))
        .env("SDC_REQUEST_TIMEOUT", seconds)
        .stdin(Stdio::null());
    command
}

/// What was said to people, and that nothing but data went to stdout.
#[track_caller]
fn failed(said: &Output, code: i32) -> String {
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(code), "{told}");
    assert!(said.stdout.is_empty(), "nothing but data goes to stdout");
    told
}

/// A server that writes these bytes and nothing else, and keeps the heads of what it is asked.
fn saying(bytes: impl Into<Vec<u8>>) -> (String, Arc<Mutex<Vec<String>>>) {
    let bytes = bytes.into();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (bytes, kept) = (bytes.clone(), Arc::clone(&kept));
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && std::io::Read::read(&mut stream, &mut byte).unwrap_or(0) == 1 {
                    head.extend(byte);
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                let _ = stream.write_all(&bytes);
                // A connection that is closed with bytes unread is reset, and what was written may be lost.
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            });
        }
    });
    (url, heads)
}

#[track_caller]
fn ends(url: &str, code: i32, words: &str) {
    let said = sdc(url, &["machines", "list"]);
    let told = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(code), "{told}");
    assert!(told.contains(words), "{told}");
    assert!(said.stdout.is_empty(), "nothing but data goes to stdout");
}

const OK: &str = "200 OK\r\nContent-Type: application/json";

#[test]
fn half_a_document_is_no_list() {
    ends(&answering(OK, br#"[{"id":"a","name":"web"#.to_vec()), 6, "breaks off");
}

#[test]
fn a_web_page_is_no_answer() {
    let page = || b"<html><body>Welcome</body></html>".to_vec();
    ends(&answering("200 OK\r\nContent-Type: text/html", page()), 6, "web page");
    ends(&answering("404 Not Found\r\nContent-Type: text/html", page()), 6, "web page");
}

#[test]
fn an_object_is_no_list() {
    ends(&answering(OK, b"{}".to_vec()), 6, "object");
}

#[test]
fn no_body_is_no_list() {
    ends(&answering("204 No Content", Vec::new()), 6, "204 where a list was due");
}

#[test]
fn an_error_without_end_is_cut_short() {
    let url = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 500 Oops\r\nContent-Length: 209715200\r\n\r\n");
        let chunk = vec![b'x'; 1024 * 1024];
        let mut sent = 0;
        while sent < 200 && stream.write_all(&chunk).is_ok() {
            sent += 1;
        }
        assert!(sent < 200, "all of it was read");
    });
    ends(&url, 1, "500 Internal Server Error");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let url = server(|stream| {
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(20));
            drop(stream);
        });
    });
    ends(&url, 6, "did not answer within 2s");
}

#[test]
fn a_connection_that_breaks_off_is_tried_again_and_then_told() {
    ends(&server(drop), 6, "broke off the connection");
    let cut = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{\"id\":");
    });
    ends(&cut, 6, "broke off the connection");
}

#[test]
fn nonsense_instead_of_http_is_told() {
    ends(&server(|mut stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n"))), 6, "127.0.0.1");
}

#[test]
fn ten_thousand_headers_are_too_many() {
    let url = server(|mut stream| {
        let mut head = String::from("HTTP/1.1 200 OK\r\n");
        for number in 0..10_000 {
            head.push_str(&format!("X-{number}: a\r\n"));
        }
        let _ = stream.write_all(format!("{head}Content-Length: 2\r\n\r\n[]").as_bytes());
    });
    ends(&url, 6, "127.0.0.1");
}

#[test]
fn a_redirect_is_never_followed_with_a_signature() {
    let (told, seen) = std::sync::mpsc::channel();
    let elsewhere = server(move |_| told.send(()).unwrap());
    let url = server(move |mut stream| {
        let _ = stream.write_all(
            format!("HTTP/1.1 302 Found\r\nLocation: {elsewhere}/acme/machines\r\nContent-Length: 0\r\n\r\n")
                .as_bytes(),
        );
    });
    ends(&url, 6, "redirects are not followed");
    assert!(seen.try_recv().is_err(), "the other server was asked");
}

#[test]
fn names_cannot_steer_the_terminal() {
    let body = "[{\"id\":\"a\",\"name\":\"\\u001b]0;owned\\u0007\\u202eweb\",\"state\":\"ru\\nnning\"}]";
    let said = sdc(&answering(OK, body.as_bytes().to_vec()), &["machines", "list", "-o", "name,state"]);
    let shown = String::from_utf8(said.stdout).unwrap();
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}') && !shown.contains('\u{202e}'), "{shown:?}");
    assert_eq!(shown.lines().count(), 2, "{shown:?}");
    let words = "{\"code\":\"X\",\"message\":\"\\u001b[2Jgone\"}";
    let said = sdc(&answering("409 Conflict", words.as_bytes().to_vec()), &["machines", "list"]);
    assert_eq!(said.status.code(), Some(5));
    assert!(!String::from_utf8_lossy(&said.stderr).contains('\u{1b}'));
}

#[test]
fn json_comes_out_byte_for_byte() {
    let body = r#"[{"id":"i","a":1.10,"big":12345678901234567890123,"e":"\u00e9\/","dup":1,"dup":2,"x":1E2,"neg":-0}]"#;
    let said = sdc(&answering(OK, body.as_bytes().to_vec()), &["machines", "list", "--json"]);
    assert_eq!(String::from_utf8(said.stdout).unwrap(), format!("{body}\n"));
}

#[test]
fn a_server_that_ignores_offsets_does_not_keep_us_for_ever() {
    let rows: Vec<String> = (0..1000).map(|at| format!("{{\"id\":\"{at}\"}}")).collect();
    let page = format!("[{}]", rows.join(","));
    ends(&answering(OK, page.into_bytes()), 6, "again and again");
}

#[test]
fn a_list_without_end_is_given_up() {
    let number = std::sync::atomic::AtomicUsize::new(0);
    let url = server(move |mut stream| {
        let at = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let row = format!("{{\"id\":\"{at}\"}}");
        let page = format!("[{row}{}]", ",0".repeat(199_999));
        let head = format!("HTTP/1.1 {OK}\r\nX-Query-Limit: 200000\r\nContent-Length: {}\r\n\r\n", page.len());
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(page.as_bytes());
    });
    let said = sdc(&url, &["api", "GET", "/acme/machines", "--paginate", "--request-timeout", "30s"]);
    let told = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.code() == Some(6) && told.contains("does not end"), "{told}");
}

#[test]
fn a_post_whose_answer_was_lost_is_not_sent_twice() {
    let (told, seen) = std::sync::mpsc::channel();
    let url = server(move |_| told.send(()).unwrap());
    let said = sdc(&url, &["machines", "stop", "b6979942-7d5d-4fe6-a2ec-b812e950625a"]);
    assert_eq!(said.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&said.stderr).contains("may have taken effect"));
    assert_eq!(seen.try_iter().count(), 1);
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let rows: Vec<String> = (0..100_000).map(|at| format!("{{\"id\":\"{at}\",\"name\":\"x\"}}")).collect();
    let url = answering(OK, format!("[{}]", rows.join(",")).into_bytes());
    let script = format!("{} machines list -o name | head -1; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_sdc"));
    let said = Command::new("bash")
        .args(["-c", &script])
        .envs(told_of(&url, "acme", &key().join("key")))
        .env("SDC_REQUEST_TIMEOUT", "10s")
        .env_remove("SSH_AUTH_SOCK")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "NAME\n0\n", "{}", String::from_utf8_lossy(&said.stderr));
}
