//! What is no HTTP, or HTTP that makes no sense: told as such, and never taken for an answer.

use std::io::Write;

use crate::common::server;
use crate::hostile::{failed, patient, saying};

/// The program fails with 6, and names the server.
#[track_caller]
fn refused(bytes: impl Into<Vec<u8>>) -> String {
    let (url, _) = saying(bytes);
    let told = failed(&patient(&url, &["machines", "list"]), 6);
    assert!(told.contains("127.0.0.1") && told.contains("because: "), "{told}");
    told
}

#[test]
fn status_lines_that_are_none() {
    for line in [
        "HTTP/1.1 99999 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 -200 OK",
        "HTTP/1.1  OK",
        "HTTP/9.9 200 OK",
        "200 OK",
        "ICY 200 OK",
        "\u{1b}[2JHTTP/1.1 200 OK",
    ] {
        let told = refused(format!("{line}\r\nContent-Length: 2\r\n\r\n[]"));
        assert!(told.contains("does not speak") || told.contains("invalid HTTP"), "{line}: {told}");
    }
}

#[test]
fn statuses_that_nobody_has_heard_of_are_failures() {
    for (status, code) in
        [("299 Fine", 6), ("206 Partial Content", 6), ("499 X", 6), ("599 X", 1), ("999 X", 1), ("600 X", 1)]
    {
        let (url, _) = saying(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n[]"));
        let said = patient(&url, &["machines", "list", "--json"]);
        assert_eq!(said.status.code(), Some(code), "{status}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn a_reason_cannot_steer_the_terminal() {
    let (url, _) = saying(b"HTTP/1.1 500 \xc2\x9b2J\xff owned\r\nContent-Length: 0\r\n\r\n".to_vec());
    let told = failed(&patient(&url, &["machines", "list", "--debug"]), 1);
    assert!(!told.contains('\u{9b}') && !told.contains("owned"), "{told}");
}

#[test]
fn chunks_of_impossible_sizes() {
    for size in ["-1", "10000000000000000", "ffffffffffffffffffffffff", "zz", "", "2;\n\n", "2 2"] {
        refused(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\n[]\r\n0\r\n\r\n"));
    }
    // Nothing after the chunk where its end is due.
    refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]0\r\n\r\n");
    refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]");
}

#[test]
fn thousands_of_trailers_are_too_many() {
    let trailers: String = (0..5000).map(|number| format!("X-{number}: a\r\n")).collect();
    refused(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n{trailers}\r\n"));
}

#[test]
fn news_without_end_and_no_answer_run_into_the_time_limit() {
    let url = server(|mut stream| {
        let flood = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(500);
        while stream.write_all(&flood).is_ok() {}
    });
    let said = crate::hostile::within_seconds(400, &url, &["machines", "list"], "2s");
    let told = failed(&said, 6);
    assert!(told.contains("did not answer within 2s"), "{told}");
}

#[test]
fn a_page_without_head_and_another_protocol() {
    let told = refused("<html>Hello</html>\n");
    assert!(told.contains("does not speak") || told.contains("no HTTP"), "{told}");
    // The settings with which an HTTP/2 server begins.
    refused(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00".to_vec());
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

#[test]
fn bytes_after_the_body_belong_to_no_answer() {
    let second = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n[{\"id\":\"evil\"}]";
    for after in ["garbage", second] {
        let (url, heads) = saying(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]{after}"));
        let said = patient(&url, &["machines", "list", "--json"]);
        assert_eq!(String::from_utf8_lossy(&said.stdout), "[]\n", "{}", String::from_utf8_lossy(&said.stderr));
        assert_eq!(heads.lock().unwrap().len(), 1);
    }
}

#[test]
fn an_answer_that_nobody_asked_for_is_not_the_next_ones() {
    // Each connection is good for one answer: the second, sent before it was asked for, is never used.
    let page = format!("[{}]", (0..1000).map(|n| format!("{{\"id\":\"{n}\"}}")).collect::<Vec<_>>().join(","));
    let (url, heads) = saying(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        page.len()
    ));
    let told = failed_with_data(&patient(&url, &["machines", "list", "-o", "id"]));
    assert!(told.contains("again and again"), "{told}");
    assert!(heads.lock().unwrap().len() > 1, "the answer that nobody asked for was taken");
}

fn failed_with_data(said: &std::process::Output) -> String {
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(6), "{told}");
    told
}

#[test]
fn another_protocol_that_nobody_asked_for_is_no_answer() {
    for head in
        ["101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade", "101 X", "199 X\r\nContent-Length: 0"]
    {
        for words in [&["machines", "list"][..], &["api", "GET", "/my"], &["api", "GET", "/my/%2e%2e/x"]] {
            let (url, _) = saying(format!("HTTP/1.1 {head}\r\n\r\n"));
            failed(&patient(&url, words), 6);
        }
    }
}

/// Each would have the server wait for what never comes, or the message contradict itself.
#[test]
fn headers_that_say_how_a_message_travels_cannot_be_given() {
    let names = [
        "Content-Length: 5",
        "content-length: 0",
        "Host:",
        "Host: other.example",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "Keep-Alive: 5",
        "Proxy-Connection: close",
        "TE: trailers",
        "Trailer: X",
        "Upgrade: websocket",
        "Expect: 100-continue",
        "Date: now",
        "Authorization: Basic x",
        "Proxy-Authorization: Basic x",
        "Accept-Encoding: gzip",
        ": x",
        "X Y: z",
        "X: a\u{1}b",
        "X: a\nHost: b",
    ];
    for header in names {
        for words in [&["api", "GET", "/my/machines"][..], &["api", "POST", "/my/machines", "-d", "{}"]] {
            let (url, heads) = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
            let told = failed(&patient(&url, &[words, &["-H", header]].concat()), 2);
            assert!(told.starts_with("error: ") && heads.lock().unwrap().is_empty(), "{header}: {told}");
        }
    }
    let (url, heads) = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
    assert!(patient(&url, &["api", "GET", "/my", "-H", "Accept: text/plain", "-H", "X-Own: 1"]).status.success());
    let head = heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.contains("accept: text/plain\r\n") && head.contains("x-own: 1\r\n"), "{head}");
}

#[test]
fn two_lengths_that_differ_are_none() {
    refused("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 30\r\n\r\n[]");
    for length in ["-2", "2x", "99999999999999999999999", "0x2"] {
        refused(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n[]"));
    }
}
