//! What each family of commands must make of each thing that can go wrong: the tables of docs/guide/reliability.md,
//! cell by cell, against the emulator; and a soak. Every cell also asks the emulator what has really happened, and
//! whether the fault struck at all.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test is told by its environment, and tells figures"
)]

mod commands;
mod operators;
mod soak;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use self::commands::{Family, families};
use self::truth::{After, ask, quiet};
use sdc::emulator::{Emulator, LoggedRequest, Options, Pace, Seed};

/// Cells at once: most of them wait.
const AT_ONCE: usize = 40;

/// What every family must be asked about, even where the answer is that it has no meaning there.
const KINDS: &[&str] = &[
    "delay",
    "status=429",
    "status=503",
    "status=500",
    "status=401",
    "status=403",
    "html",
    "drop=before",
    "drop=amid",
    "drop=after",
    "hang",
    "cut",
    "empty",
    "json=cut",
    "json=wrong",
    "length",
    "drip",
    "pages",
    "throttle",
    "clock",
    "silent",
    "fail",
    "vanish",
];

/// A cell: which command, what goes wrong with it, and what the guide promises.
struct Cell<'a> {
    family: &'a Family,
    fault: String,
    promise: Promise,
}

#[derive(Clone, Copy, PartialEq)]
enum Promise {
    /// It ends with this exit code, or with the other one, and has told the truth.
    Exit(i32, i32),
    /// The fault has no meaning for the command.
    Untouched,
}

impl Cell<'_> {
    fn name(&self) -> String {
        format!("`{}` with {}", self.family.name, self.fault)
    }

    /// The fault as it is planted. What acts at once is for no request.
    fn planted(&self) -> String {
        match self.fault.split_once('=') {
            Some(("clock" | "throttle", _)) => self.fault.clone(),
            _ => format!("{} {}", self.family.request, self.fault),
        }
    }

    /// How long an answer may take: longer where a page has a thousand rows, or where the service takes so few requests
    /// that each has to be sent again and again.
    fn patience(&self) -> &'static str {
        let long = self.family.machines.is_some() || self.fault.starts_with("throttle=");
        if long { "10s" } else { "1500ms" }
    }

    /// Whether the fault has changed anything of these requests, which took so long together.
    fn struck(&self, seen: &[LoggedRequest], took: Duration) -> bool {
        let planted = self.planted();
        let effect = self.fault.split(' ').next().unwrap_or_default();
        // On a busy machine requests may be so slow that one a second is never exceeded.
        let due = matches!(self.promise, Promise::Exit(..));
        if due && effect == "throttle=1" && usize::try_from(took.as_secs()).is_ok_and(|most| seen.len() <= most + 1) {
            return true;
        }
        seen.iter().any(|seen| match effect.split_once('=').unwrap_or((effect, "")) {
            ("throttle", _) => seen.status == 429,
            ("clock", _) => seen.signed_by.is_none() && (400..500).contains(&seen.status),
            _ if !seen.faults.contains(&planted) => false,
            ("pages", _) => seen.path_and_query.contains("offset="),
            ("cut", least) => seen.bytes > least.parse().unwrap(),
            ("json" | "length" | "drip", _) | ("drop", "amid") => seen.bytes > 0,
            ("fail" | "silent", _) => self.family.works(),
            ("vanish", _) => {
                let names_one = ["/machines/", "/vms/"].iter().any(|list| seen.path_and_query.contains(list));
                self.family.waits()
                    && (names_one
                        || seen.method == "POST"
                            && ["/machines", "/vms"].iter().any(|list| seen.path_and_query.ends_with(list)))
            }
            _ => true,
        })
    }
}

/// The page that promises.
fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/reliability.md")).unwrap()
}

/// The cells of every table in the page whose first column is a fault.
fn cells(families: &[Family]) -> Vec<Cell<'_>> {
    let page = page();
    let mut cells = Vec::new();
    let mut columns: Vec<&Family> = Vec::new();
    for line in page.lines() {
        let Some(row) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            columns.clear();
            continue;
        };
        let parts: Vec<&str> = row.split('|').map(str::trim).collect();
        let (first, rest) = parts.split_first().unwrap();
        if *first == "what goes wrong" {
            let family = |name: &&str| families.iter().find(|known| known.name == *name);
            columns = rest.iter().map(|name| family(name).unwrap_or_else(|| panic!("no command {name}"))).collect();
            continue;
        }
        if columns.is_empty() || first.starts_with("---") {
            continue;
        }
        let fault = first.rsplit('`').nth(1).unwrap_or_else(|| panic!("no fault in {line}"));
        assert_eq!(rest.len(), columns.len(), "{line}");
        for (cell, family) in rest.iter().zip(&columns) {
            let promise = match *cell {
                "–" => Promise::Untouched,
                codes => {
                    let code =
                        |text: &str| text.parse().unwrap_or_else(|_| panic!("'{text}' is not a exit code in {line}"));
                    let (one, other) = codes.split_once(" or ").unwrap_or((codes, codes));
                    Promise::Exit(code(one), code(other))
                }
            };
            cells.push(Cell { family, fault: fault.to_owned(), promise });
        }
    }
    cells
}

/// A home with what commands read from files, and an `ssh` that lets in and does what it is told here.
fn home(key: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let ssh = "#!/bin/sh\nfor last; do :; done\n[ \"$last\" = true ] && exit 0\nexec /bin/sh -c \"$last\"\n";
    for (name, content) in [("password", "passw0rd1\n"), ("new.pub", key), ("ssh", ssh)] {
        std::fs::write(home.path().join(name), content).unwrap();
    }
    std::fs::set_permissions(home.path().join("ssh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

/// Runs the program as a script would.
pub(crate) fn sdc(emulator: &Emulator, home: &Path, patience: &str, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sdc"))
        .args(words)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PATH", home)
        .env("SDC_URL", emulator.url())
        .env("SDC_ACCOUNT", emulator.account())
        .env("SDC_KEY_FILE", emulator.key_file())
        .env("SDC_REQUEST_TIMEOUT", patience)
        .env("SDC_RATE", "100")
        .envs(emulator.sapi().map(|sapi| ("SDC_SAPI_URL", format!("http://{sapi}"))))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The words of a line, as a shell reads them: what is between quotes is one.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    parts.flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }).collect()
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
fn wrong_with(cell: &Cell<'_>, key: &Path) -> Option<String> {
    let runtime = runtime();
    let fault = cell.planted().parse().unwrap_or_else(|error| panic!("{}: {error}", cell.name()));
    let options = Options {
        seed: cell.family.machines.map_or(Seed::Demo, Seed::Machines),
        pace: Pace::Times(cell.family.pace),
        key: Some(key.to_owned()),
        admin: cell.family.operators,
        ..Options::default()
    };
    let home = home(&std::fs::read_to_string(key.with_file_name("other.pub")).unwrap());
    let emulator = runtime.block_on(Emulator::start(options)).unwrap();
    let wrong = beside(&runtime, || {
        let run = |line: &str| sdc(&emulator, home.path(), cell.patience(), &words(line));
        let mut line = cell.family.line.clone();
        let mut this = String::new();
        for before in &cell.family.before {
            let said = run(&before.replace("THIS", &this));
            assert!(said.status.success(), "{before}: {}", text(&said.stderr));
            text(&said.stdout).trim().clone_into(&mut this);
        }
        line = line.replace("THIS", &this);
        // Where the services are is known: what goes wrong is the command's own request.
        if cell.family.operators {
            assert!(run("admin discover").status.success());
        }
        emulator.forget_requests();
        emulator.add_fault(fault);
        let begun = Instant::now();
        let said = run(&line);
        let took = begun.elapsed();
        let seen = emulator.requests();
        calm(&emulator);
        let wrong = judge(cell, &emulator, (&line, &said), cell.struck(&seen, took), &run);
        wrong.map(|wrong| {
            let said = [text(&said.stdout), text(&said.stderr)].concat();
            // A list of thousands helps nobody.
            let said: String = said.chars().take(3000).collect();
            format!("{}: {wrong}\n{said}", cell.name())
        })
    });
    runtime.block_on(emulator.stop()).unwrap();
    wrong
}

/// Everything is well again.
fn calm(emulator: &Emulator) {
    emulator.clear_faults();
    emulator.add_fault("throttle=off".parse().unwrap());
    emulator.clock().set_offset(0);
}

fn judge(
    cell: &Cell<'_>,
    emulator: &Emulator,
    (line, said): (&str, &Output),
    struck: bool,
    run: &dyn Fn(&str) -> Output,
) -> Option<String> {
    let (code, out, err) = (said.status.code(), text(&said.stdout), text(&said.stderr));
    let well = code == Some(0);
    match (cell.promise, struck) {
        (Promise::Untouched, true) => return Some(format!("the fault has a meaning: it ended with {code:?}")),
        (Promise::Untouched, false) if !well => return Some(format!("ended with {code:?} for no reason")),
        (Promise::Exit(..), false) => return Some(format!("the fault never struck, and it ended with {code:?}")),
        (Promise::Exit(one, other), true) if code != Some(one) && code != Some(other) => {
            return Some(format!("ended with {code:?}, not {one}"));
        }
        _ => {}
    }
    if !well
        && !cell.family.tells
        && !err.lines().any(|line| line.starts_with("error: ") || line.starts_with("{\"error\""))
    {
        return Some("failed without a word".to_owned());
    }
    let books = if well { ask(emulator, "state") } else { quiet(emulator) };
    cell.family.truth.wrong(&After { emulator, well, out: &out, err: &err, books: &books, line, run })
}

/// Makes the key that every emulator of this run has, and another one.
fn make_keys(dir: &Path) -> std::path::PathBuf {
    for (name, kind) in [("key", ["-t", "rsa", "-b", "2048", "-m", "PEM"].as_slice()), ("other", &["-t", "ed25519"])] {
        let made = Command::new("ssh-keygen").args(["-q", "-N", "", "-f"]).arg(dir.join(name)).args(kind).status();
        assert!(made.unwrap().success());
    }
    dir.join("key")
}

#[test]
fn every_family_is_asked_about_every_kind_of_fault() {
    let families = families();
    let mut asked: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for cell in cells(&families) {
        assert!(asked.entry(cell.family.name).or_default().insert(cell.fault.clone()), "twice: {}", cell.name());
    }
    for family in &families {
        let faults = asked.get(family.name).unwrap_or_else(|| panic!("no column for {}", family.name));
        for kind in KINDS {
            // What a list is asked for page by page, and what work is waited for.
            let asked = match *kind {
                "pages" => family.machines.is_some() && !family.operators,
                "silent" | "fail" | "vanish" => family.works(),
                // The internal services limit nobody, and nobody signs for them.
                "throttle" | "clock" => !family.operators,
                _ => true,
            };
            let has = faults.iter().any(|fault| fault.starts_with(kind));
            assert!(has || !asked, "`{}` and {kind}", family.name);
        }
    }
}

#[test]
fn the_guide_counts_its_cells_right() {
    let families = families();
    let (cells, page) = (cells(&families), page().replace('\n', " "));
    let count = |is: fn(Promise) -> bool| cells.iter().filter(|cell| is(cell.promise)).count();
    let exits = count(|promise| matches!(promise, Promise::Exit(..)));
    let untouched = count(|promise| promise == Promise::Untouched);
    for words in [
        format!("There are {} {:03} cells:", cells.len() / 1000, cells.len() % 1000),
        format!("* {exits} have an exit code."),
        format!("* {untouched} have `–`:"),
    ] {
        assert!(page.contains(&words), "{words}");
    }
}

#[test]
fn each_cell_of_the_guides_tables_holds() {
    let _alone = crate::common::heavy();
    let only = std::env::var("ONLY").unwrap_or_default();
    let families = families();
    let mut cells: Vec<Cell<'_>> =
        cells(&families).into_iter().filter(|cell| only.split(',').any(|only| cell.name().contains(only))).collect();
    // Some of these take two minutes, in which the others are done.
    cells.sort_by_key(|cell| cell.family.name != "end of run");
    let told: usize = cells.iter().filter(|cell| matches!(cell.promise, Promise::Exit(..))).count();
    let dir = tempfile::tempdir().unwrap();
    let key = make_keys(dir.path());
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
    println!("{} cells, {told} of them with an exit code", cells.len());
    assert!(wrong.is_empty(), "{} of {} cells:\n\n{}", wrong.len(), cells.len(), wrong.join("\n"));
}
