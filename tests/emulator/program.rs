//! The program around the emulator: its signals, its folder, and the settings it prints.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// `sdc emulator …`, run by `shell` text in which "$@" is that, with its files in this folder.
fn start(shell: &str, folder: &Path, arguments: &[&str]) -> Child {
    Command::new("/bin/sh")
        .args(["-c", shell, "sh", env!("CARGO_BIN_EXE_sdc"), "emulator"])
        .args(arguments)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads to the line that begins so.
fn await_line(reader: &mut impl BufRead, start: &str) -> String {
    let mut line = String::new();
    while !line.starts_with(start) {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "it ended before it said {start}");
    }
    line
}

fn send(signal: &str, child: &Child) {
    let script = format!("kill -{signal} {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success());
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| panic!("killed by signal {:?}", status.signal()))
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn serve_leaves_no_key_behind_whichever_signal_ends_it() {
    for (signal, expected) in [("INT", 0), ("TERM", 0), ("HUP", 129), ("QUIT", 131)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start("exec \"$@\"", folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
        await_line(&mut BufReader::new(child.stderr.take().unwrap()), "end it");
        assert_eq!(files(folder.path()), 1, "its folder is there");
        send(signal, &child);
        assert_eq!(code(child.wait().unwrap()), expected, "SIG{signal}");
        assert_eq!(files(folder.path()), 0, "SIG{signal} leaves files");
    }
}

#[test]
fn exec_hands_signals_on_and_leaves_no_key_behind() {
    for (signal, expected) in [("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let folder = tempfile::tempdir().unwrap();
        // A shell runs its traps between two commands.
        let script = format!(
            "trap 'echo got; trap - {signal}; kill -{signal} $$' {signal}; echo up; while :; do sleep 0.1; done"
        );
        let mut child = start("exec \"$@\"", folder.path(), &["exec", "--", "sh", "-c", &script]);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        await_line(&mut out, "up");
        send(signal, &child);
        await_line(&mut out, "got");
        assert_eq!(code(child.wait().unwrap()), expected, "SIG{signal}");
        assert_eq!(files(folder.path()), 0, "SIG{signal} leaves files");
    }
}

#[test]
fn nohup_keeps_the_emulator_when_the_terminal_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start("trap '' HUP; exec \"$@\"", folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    await_line(&mut BufReader::new(child.stderr.take().unwrap()), "end it");
    send("HUP", &child);
    send("TERM", &child);
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(out.contains("export SDC_URL="), "{out}");
    assert_eq!(code(child.wait().unwrap()), 0, "ended by the second, not the first");
}

/// What `serve` prints on stdout and stderr with these arguments, under these variables.
fn settings(variables: &str, arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let shell = format!("unset no_proxy NO_PROXY; {variables} exec \"$@\"");
    let mut child = start(&shell, folder.path(), arguments);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("end it") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    send("TERM", &child);
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.wait().unwrap();
    (out, said)
}

#[test]
fn serve_keeps_proxies_away_from_loopback() {
    let (out, _) = settings("", &["serve", "--listen", "127.0.0.1:0"]);
    for name in ["NO_PROXY", "no_proxy"] {
        assert!(out.contains(&format!("export {name}=127.0.0.1,localhost,::1\n")), "{out}");
    }
    let (out, _) = settings("NO_PROXY=intern.example,10.0.0.1", &["serve", "--listen", "127.0.0.1:0"]);
    for name in ["NO_PROXY", "no_proxy"] {
        assert!(out.contains(&format!("export {name}=127.0.0.1,localhost,::1,intern.example,10.0.0.1\n")), "{out}");
    }
}
