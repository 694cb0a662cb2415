//! A server that does as it is told, and the program asking it.
#![allow(dead_code)]

#[cfg(all(feature = "cli", feature = "emulator"))]
pub mod cloud;
#[cfg(feature = "cli")]
mod run;
#[cfg(unix)]
pub mod signals;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "cli")]
pub use run::{Kept, Program, Run};

/// Held by tests that load the machine for minutes or measure time limits: they run one after another.
pub fn heavy() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server that reads a request and then does this with each connection.
pub fn server(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    answered_by(move |_, stream| answer(stream))
}

/// The same, by what the request says.
pub fn answered_by(answer: impl Fn(&str, std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let head = head(&mut stream);
            answer(&head, stream);
        }
    });
    url
}

/// A request up to the blank line before its body, if it has one.
pub fn head(stream: &mut std::net::TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

pub fn answering(head: &'static str, body: Vec<u8>) -> String {
    server(move |mut stream| {
        let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        let _ = stream.write_all(&body);
    })
}

pub fn key() -> &'static Path {
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

/// The program, told of this service, account and key and of nothing else. Nobody can be asked.
#[cfg(feature = "cli")]
pub fn program(url: &str, account: &str, key_file: &Path, words: &[&str]) -> Program {
    Program::new(words, told_of(url, account, key_file))
}

/// The variables that tell the program of this service, account and key.
pub fn told_of(url: &str, account: &str, key_file: &Path) -> [(&'static str, OsString); 4] {
    [
        ("HOME", key().into()),
        ("SDC_URL", url.into()),
        ("SDC_ACCOUNT", account.into()),
        ("SDC_KEY_FILE", key_file.into()),
    ]
}

/// What the program says of a service that answers within two seconds or never.
#[cfg(feature = "cli")]
pub fn sdc(url: &str, words: &[&str]) -> Output {
    program(url, "acme", &key().join("key"), words).env("SDC_REQUEST_TIMEOUT", "2s").output().unwrap()
}

/// The program against an emulator.
#[cfg(all(feature = "cli", feature = "emulator"))]
pub fn against(emulator: &sdc::emulator::Emulator, words: &[&str]) -> Program {
    program(emulator.url(), emulator.account(), emulator.key_file(), words)
}

/// What a run of the program says, or a process. The emulator goes on meanwhile.
pub async fn output(mut run: impl Run) -> Output {
    tokio::task::spawn_blocking(move || run.said()).await.unwrap().unwrap()
}

/// The same of one that was begun before.
pub async fn ended(child: Child) -> Output {
    tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap()
}

/// What a story that is told in one go needs, built without optimization.
pub fn on_a_large_stack<F: Future<Output = ()>>(story: impl FnOnce() -> F + Send + 'static) {
    let told = std::thread::Builder::new().stack_size(32 << 20).spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(story());
    });
    told.unwrap().join().unwrap();
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
