//! Questions at a terminal: one that is killed gives the terminal its echo back, and only a line is an answer.
#![cfg(all(target_os = "linux", feature = "cli"))]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{answering, key, told_of};
use pty_process::blocking::Pty;
use rustix::termios::{LocalModes, tcgetattr};

const ID: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
const FOREVER: Duration = Duration::from_secs(30);

/// The program at a terminal of its own.
struct Asked {
    pty: Arc<Pty>,
    screen: Arc<Mutex<Vec<u8>>>,
    child: Child,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Asked {
    /// Runs the program, by a shell that does this before.
    fn run(before: &str, url: &str, key_file: &Path, words: &[&str]) -> Asked {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        let script = format!("{before}\nexec \"$@\"");
        let command = pty_process::blocking::Command::new("/usr/bin/env")
            .args(["--default-signal", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_sdc")])
            .args(words)
            .env_clear()
            .envs(told_of(url, "acme", key_file));
        let child = command.spawn(pts).unwrap();
        let (pty, screen) = (Arc::new(pty), Arc::new(Mutex::new(Vec::new())));
        let (from, to) = (Arc::clone(&pty), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = (&*from).read(&mut bytes) {
                to.lock().unwrap().extend(&bytes[..read]);
            }
        });
        Asked { pty, screen, child }
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    fn until(&self, what: &str, mut there: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !there() {
            assert!(begun.elapsed() < FOREVER, "no {what}: {}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn echoes(&self) -> bool {
        tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    fn until_unseen(&self, question: &str) {
        self.until(question, || self.screen().contains(question) && !self.echoes());
    }

    fn types(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    fn gets(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn code(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < FOREVER, "it goes on: {}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A key with a passphrase.
fn locked(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("locked");
    let mut made = Command::new("ssh-keygen");
    made.args(["-q", "-t", "ed25519", "-N", "correct horse", "-f"]).arg(&file);
    assert!(made.status().unwrap().success());
    file
}

#[test]
fn a_prompt_that_is_killed_gives_the_terminal_its_echo_back() {
    let folder = tempfile::tempdir().unwrap();
    let (locked, open) = (locked(folder.path()), key().join("key"));
    let url = answering("200 OK", b"[]".to_vec());
    let list: &[&str] = &["machines", "list"];
    let password: &[&str] = &["users", "change-password", ID];
    for (words, file, question) in [(list, &locked, "Passphrase of "), (password, &open, "New password: ")] {
        for end in ["\u{3}", "-INT", "-TERM", "-HUP"] {
            let mut asked = Asked::run("", &url, file, words);
            asked.until_unseen(question);
            asked.types("ab");
            match end.strip_prefix('-') {
                Some(_) => asked.gets(end),
                None => asked.types(end),
            }
            assert_eq!(asked.code(), Some(130), "{words:?} {end:?}: {}", asked.screen());
            assert!(asked.echoes(), "{words:?} {end:?}: {}", asked.screen());
            asked.until("line end", || asked.screen().ends_with('\n'));
            let told = asked.screen();
            assert_eq!(told.lines().count(), 1, "{words:?} {end:?}: {told:?}");
        }
    }
}

#[test]
fn a_signal_that_the_caller_ignores_does_not_end_a_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let url = answering("200 OK", b"[]".to_vec());
    let mut asked = Asked::run("trap '' TERM HUP", &url, &locked(folder.path()), &["machines", "list", "--json"]);
    asked.until_unseen("Passphrase of ");
    asked.gets("-TERM");
    asked.gets("-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!asked.echoes());
    asked.types("correct horse\n");
    assert_eq!(asked.code(), Some(0), "{}", asked.screen());
    assert!(asked.echoes(), "{}", asked.screen());
    asked.until("list", || asked.screen().contains("[]"));
}

#[test]
fn what_was_typed_at_a_prompt_leaves_signals_their_effect() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody answers.
    let url = crate::common::server(|stream| {
        std::thread::sleep(FOREVER);
        drop(stream);
    });
    let mut asked = Asked::run("", &url, &locked(folder.path()), &["machines", "list"]);
    asked.until_unseen("Passphrase of ");
    asked.types("correct horse\n");
    asked.until("echo", || asked.echoes());
    std::thread::sleep(Duration::from_millis(500));
    asked.types("\u{3}");
    assert_eq!(asked.code(), Some(130), "{}", asked.screen());
}

#[test]
fn only_a_line_with_its_end_is_a_yes() {
    let url = crate::common::answered_by(|head, mut stream| {
        assert!(head.starts_with("GET "), "{head}");
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    });
    for keys in ["y\u{4}\u{4}", "yes\u{4}\u{4}", "\u{4}"] {
        let mut asked = Asked::run("", &url, &key().join("key"), &["machines", "delete", ID]);
        asked.until("question", || asked.screen().contains("[y/N] "));
        asked.types(keys);
        assert_eq!(asked.code(), Some(1), "{}", asked.screen());
        asked.until("refusal", || asked.screen().contains("not confirmed, so nothing was done"));
    }
}
