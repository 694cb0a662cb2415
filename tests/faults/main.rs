//! What each family of commands must make of each thing that can go wrong: the table of docs/guide/reliability.md,
//! cell by cell, against the emulator; and a soak. Every cell also asks the emulator what has really happened.
#![cfg(all(feature = "cli", feature = "emulator"))]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test is told by its environment, and tells figures"
)]

mod commands;
mod soak;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use commands::{COMMANDS, Family};
use sdc::emulator::{Emulator, Options, Pace, Seed};

/// Cells at once: most of them wait.
const AT_ONCE: usize = 6;

/// A cell: which command, what goes wrong with it, and the exit code that the guide promises.
struct Cell {
    family: &'static Family,
    fault: String,
    exit: i32,
}

impl Cell {
    fn name(&self) -> String {
        format!("`{}` with {}", self.family.name, self.fault)
    }
}

/// The cells of every table in the page whose first column is a fault.
fn cells() -> Vec<Cell> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/reliability.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut cells = Vec::new();
    let mut columns: Vec<&'static Family> = Vec::new();
    for line in page.lines() {
        let Some(row) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            columns.clear();
            continue;
        };
        let parts: Vec<&str> = row.split('|').map(str::trim).collect();
        let (first, rest) = parts.split_first().unwrap();
        if *first == "what goes wrong" {
            let family = |name: &&str| COMMANDS.iter().find(|known| known.name == *name);
            columns = rest.iter().map(|name| family(name).unwrap_or_else(|| panic!("no command {name}"))).collect();
            continue;
        }
        if columns.is_empty() || first.starts_with("---") {
            continue;
        }
        let fault = first.rsplit('`').nth(1).unwrap_or_else(|| panic!("no fault in {line}"));
        assert_eq!(rest.len(), columns.len(), "{line}");
        for (cell, family) in rest.iter().zip(&columns) {
            let digits: String = cell.chars().take_while(char::is_ascii_digit).collect();
            let exit = digits.parse().unwrap_or_else(|_| panic!("'{cell}' is no exit code in {line}"));
            cells.push(Cell { family, fault: fault.to_owned(), exit });
        }
    }
    cells
}

/// Runs the program as a script would.
pub(crate) fn sdc(emulator: &Emulator, home: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sdc"))
        .args(words)
        .env_clear()
        .env("HOME", home)
        .env("SDC_URL", emulator.url())
        .env("SDC_ACCOUNT", emulator.account())
        .env("SDC_KEY_FILE", emulator.key_file())
        .env("SDC_REQUEST_TIMEOUT", "1500ms")
        .env("SDC_RATE", "100")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the emulator runs on.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Does the work in a thread of its own while the emulator runs in this one.
pub(crate) fn beside<T: Send>(runtime: &tokio::runtime::Runtime, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let (tell, told) = tokio::sync::oneshot::channel();
        scope.spawn(move || tell.send(work()).ok());
        runtime.block_on(told).expect("the work panicked, as is told above")
    })
}

/// Plants the fault on the request that matters, runs the command, and looks at what came of it.
fn wrong_with(cell: &Cell, key: &Path) -> Option<String> {
    let runtime = runtime();
    let fault = format!("{} {}", cell.family.request, cell.fault);
    let options = Options {
        seed: if cell.family.name == "long list" { Seed::Machines(2500) } else { Seed::Demo },
        pace: Pace::Times(200.0),
        key: Some(key.to_owned()),
        faults: vec![fault.parse().unwrap_or_else(|error| panic!("{}: {error}", cell.name()))],
        ..Options::default()
    };
    let home = tempfile::tempdir().unwrap();
    let emulator = runtime.block_on(Emulator::start(options)).unwrap();
    let (said, wrong) = beside(&runtime, || {
        let said = sdc(&emulator, home.path(), cell.family.words);
        calm(&emulator);
        let wrong = judge(cell, &emulator, home.path(), &said);
        (said, wrong)
    });
    runtime.block_on(emulator.stop()).unwrap();
    wrong.map(|wrong| format!("{}: {wrong}\n{}{}", cell.name(), text(&said.stdout), text(&said.stderr)))
}

/// Everything is well again.
fn calm(emulator: &Emulator) {
    emulator.clear_faults();
    emulator.add_fault("throttle=off".parse().unwrap());
    emulator.clock().set_offset(0);
}

fn judge(cell: &Cell, emulator: &Emulator, home: &Path, said: &Output) -> Option<String> {
    let exit = said.status.code();
    if exit != Some(cell.exit) {
        return Some(format!("ended with {exit:?}, not {}", cell.exit));
    }
    let told = text(&said.stderr);
    if exit != Some(0) && !told.lines().any(|line| line.starts_with("error: ") || line.starts_with("{\"error\"")) {
        return Some("failed without a word".to_owned());
    }
    (cell.family.truth)(emulator, home, exit == Some(0), &text(&said.stdout))
}

#[test]
fn each_cell_of_the_guides_table_holds() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let cells: Vec<Cell> = cells().into_iter().filter(|cell| cell.name().contains(&only)).collect();
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    cells.iter().for_each(|cell| *families.entry(cell.family.name).or_default() += 1);
    if only.is_empty() {
        let all: Vec<&str> = COMMANDS.iter().map(|family| family.name).collect();
        assert!(all.iter().all(|name| families.contains_key(name)), "a family without a column: {families:?}");
        assert!(cells.len() >= 300, "the table has only {} cells", cells.len());
    }
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let (queue, wrong) = (Mutex::new(cells.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(cell) = queue.lock().unwrap().next() else { return };
                    if let Some(words) = wrong_with(cell, &key) {
                        wrong.lock().unwrap().push(words);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cells:\n\n{}", wrong.len(), cells.len(), wrong.join("\n"));
}
