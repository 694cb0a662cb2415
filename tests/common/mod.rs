//! A server that does as it is told, and the program asking it.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

/// A server that reads a request and then does this with each connection.
pub fn server(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.extend(byte);
            }
            answer(stream);
        }
    });
    url
}

pub fn answering(head: &'static str, body: Vec<u8>) -> String {
    server(move |mut stream| {
        let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        let _ = stream.write_all(&body);
    })
}

pub fn key() -> &'static std::path::Path {
    static KEY: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    let dir = KEY.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(dir.path().join("key"))
            .status();
        assert!(made.unwrap().success());
        dir
    });
    dir.path()
}

pub fn sdc(url: &str, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sdc"))
        .args(words)
        .env_clear()
        .env("HOME", key())
        .env("SDC_URL", url)
        .env("SDC_ACCOUNT", "acme")
        .env("SDC_KEY_FILE", key().join("key"))
        .env("SDC_REQUEST_TIMEOUT", "2s")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A server that gives these answers one after another, the last one again and again; with the request lines it saw.
pub fn in_turn(answers: Vec<(&'static str, &'static str)>) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&seen);
    let url = server(move |mut stream| {
        let at = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let (head, body) = answers[at.min(answers.len() - 1)];
        let _ = stream.write_all(
            format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).as_bytes(),
        );
    });
    (url, seen)
}
