//! Transcripts of a terminal: the ```console blocks of tests/cmd/*.md, README.md and docs/guide/*.md, each file run by
//! a shell against a fresh emulator. `$ ` begins a command, `? N` is the exit code that is expected after it. A block
//! with a name, such as ```bash inventory.sh, is a file that the commands after it find in their folder.
//! `OVERWRITE=1 cargo test --test program transcripts` writes what the program says into them: read it before you
//! commit it. `ONLY=machines,roles` runs these files alone.
#![cfg(all(feature = "cli", feature = "emulator"))]
// A test may read the environment that the program must not.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use regex::Regex;
use sdc::emulator::{Emulator, Fault, Options, Pace, Seed};

/// How many files are played at once.
const AT_ONCE: usize = 3;

/// The emulator a file asks for in its first lines, `<!-- emulator: WORDS -->`: `admin`, `empty`, `https`, `throttle`,
/// `fault=SPEC`, `clock=SECONDS`, `pace=N` (twenty times real time unless told otherwise).
fn options(text: &str) -> (Options, bool) {
    let mut options = Options { pace: Pace::Times(20.0), ..Options::default() };
    let mut https = false;
    for line in text.lines().map_while(|line| line.strip_prefix("<!-- emulator: ")?.strip_suffix(" -->")) {
        match line.split_once('=') {
            None if line == "empty" => options.seed = Seed::Empty,
            None if line == "https" => https = true,
            None if line == "throttle" => options.throttle = true,
            None if line == "admin" => options.admin = true,
            Some(("fault", spec)) => options.faults.push(spec.parse::<Fault>().unwrap()),
            Some(("pace", times)) => options.pace = Pace::Times(times.parse().unwrap()),
            Some(("clock", seconds)) => options.clock_offset = seconds.parse().unwrap(),
            _ => panic!("the emulator has no option '{line}'"),
        }
    }
    if https {
        options.https = Some("127.0.0.1:0".parse().unwrap());
    }
    (options, https)
}

/// A running emulator, and what a command is told of it.
struct Running {
    env: Vec<(&'static str, String)>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn start(text: &str) -> Running {
    let (options, https) = options(text);
    let (tell, told) = mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let emulator = Emulator::start(options).await.unwrap();
            let url = if https { emulator.https_url().unwrap() } else { emulator.url() };
            let mut env = vec![
                ("SDC_URL", url.to_owned()),
                ("SDC_ACCOUNT", emulator.account().to_owned()),
                ("SDC_KEY_ID", emulator.key_id().to_owned()),
                ("SDC_KEY_FILE", emulator.key_file().display().to_string()),
            ];
            if let Some(sapi) = emulator.sapi() {
                env.push(("SDC_SAPI_URL", format!("http://{sapi}")));
            }
            if https {
                env.push(("SDC_CACERT", emulator.ca_file().unwrap().display().to_string()));
            }
            tell.send(env).unwrap();
            let _ = stopped.await;
            emulator.stop().await.unwrap();
        });
    });
    Running { env: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
}

/// What differs from run to run, by its name in the transcripts.
struct Redactions(Vec<(Regex, String)>, Regex, Regex);

impl Redactions {
    fn new(running: &Running, home: &Path) -> Self {
        let value = |name: &str| running.env.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        let keys = Path::new(value("SDC_KEY_FILE")).parent().unwrap().display().to_string();
        let host = value("SDC_URL").split_once("://").unwrap().1;
        let literal =
            [(value("SDC_URL"), "[URL]"), (host, "[HOST]"), (&keys, "[KEYS]"), (value("SDC_KEY_ID"), "[MD5]")];
        let mut all: Vec<(Regex, String)> = literal
            .iter()
            .map(|(text, name)| (Regex::new(&regex::escape(text)).unwrap(), (*name).to_owned()))
            .collect();
        all.push((Regex::new(&regex::escape(&home.display().to_string())).unwrap(), "[HOME]".to_owned()));
        for (pattern, name) in [
            (r"request id [^\s]+", "request id [ID]"),
            (r#""request_id":"[^"]+""#, r#""request_id":"[ID]""#),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
            (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "[DATE]"),
            (r#"signature="[A-Za-z0-9+/=]+""#, r#"signature="[SIGNATURE]""#),
            (r"in \d+ ms", "in [MS]"),
            // What was made just now may be a second old on a busy machine.
            (r"\b[0-9]+s old\b", "0s old"),
            // Each emulator has a network of its own for its internal services, and a port where it may not have 80.
            (r"\b127\.[1-9]\d*\.\d+\.\d+(:\d+)?\b", "[ADMIN]"),
            // A second may just have passed.
            (r"\b[01] s from the service's", "0 s from the service's"),
            (r"clock skew of [\d.]+s", "clock skew of [SECONDS]"),
            (r"\d+ s apart", "[SECONDS] s apart"),
            (r"Response-Time: \d+", "Response-Time: [MS]"),
            (r"([0-9a-f]{2}:){15}[0-9a-f]{2}", "[MD5]"),
            (r"SHA256:[A-Za-z0-9+/]{43}", "[SHA256]"),
            (r"SHA256(:[0-9A-F]{2}){32}", "[FINGERPRINT]"),
            (r"[A-Za-z0-9+/]{22}==", "[DIGEST]"),
            (r"w-[0-9a-f]{8}", "w-[SHORTID]"),
            // Which states a wait sees on its way depends on the machine.
            (r"(?m)^machine [^\n]*: (provisioning|stopping|stopped|running|ready|deleted|creating)\n", ""),
            (r"(?m)^[^\n]*VM [^\n]*: [a-z]+, job [a-z]+[^\n]*\n", ""),
            (r"(?m)^job [^\n]*: (queued|running)[^\n]*\n", ""),
            (
                r"(?m)^(image|volume|nic|disk) [^\n]*: (provisioning|creating|running|active|ready|deleting|resizing)\n",
                "",
            ),
            (r"(?m)^snapshot [^\n]*: (queued|running|created|stopped|ready)\n", ""),
            (r"(127\.0\.0\.1|\[::ffff:7f00:1\]):\d{4,5}", "[HOST]"),
            // SAPI is asked for three lists at once, of which any may fail first.
            (r"request: GET /(applications|services|instances) at", "request: GET [LIST] at"),
            // So are users, roles and policies.
            (r"request: GET /acme/(users|roles|policies) at 127\.0\.0\.1:1\b", "request: GET [LIST] at 127.0.0.1:1"),
            (r"sdc/\d+\.\d+\.\d+", "sdc/[VERSION]"),
        ] {
            all.push((Regex::new(pattern).unwrap(), name.to_owned()));
        }
        let made = Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap();
        Redactions(all, made, Regex::new(r"(?m)^(\S+ +)(URL|-|http://\[ADMIN\]) +").unwrap())
    }

    /// Ids of the seed are the same in each run and stay; those made anew have a name.
    fn apply(&self, text: &str) -> String {
        let mut text = self.0.iter().fold(text.to_owned(), |text, (pattern, name)| {
            pattern.replace_all(&text, regex::NoExpand(name)).into_owned()
        });
        // The column is as wide as the widest of them.
        if text.contains("[ADMIN]") {
            let padded = |cells: &regex::Captures| format!("{}{:<14}  ", &cells[1], &cells[2]);
            text = self.2.replace_all(&text, padded).into_owned();
        }
        let seeds = include_str!("../../src/emulator/datacenter/seed.rs");
        let found: Vec<String> = self.1.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
        for id in found.iter().filter(|id| !seeds.contains(&id[..8])) {
            text = text.replace(id.as_str(), "[UUID]");
        }
        text
    }
}

/// Runs one file and returns it as it ought to be; the same text if the program does what it says.
fn play(text: &str) -> String {
    let running = start(text);
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    let redactions = Redactions::new(&running, home.path());
    let bin = Path::new(env!("CARGO_BIN_EXE_sdc")).parent().unwrap().display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if let Some((_, name)) = line.strip_prefix("```").and_then(|words| words.split_once(' ')) {
            let mut file = String::new();
            while let Some(line) = lines.next_if(|line| *line != "```") {
                file.push_str(&format!("{line}\n"));
            }
            std::fs::write(home.path().join(name), &file).unwrap();
            out.push_str(&file);
            continue;
        }
        if line != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let said = Command::new("bash")
                .args(["-c", &format!("exec 2>&1; {command}")])
                .env_clear()
                .env("PATH", &path)
                .env("HOME", home.path())
                .env("TERM", "dumb")
                .envs(running.env.iter().map(|(name, value)| (name, value)))
                .current_dir(home.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            out.push_str(line);
            out.push('\n');
            if let Some(code) = said.status.code().filter(|code| *code != 0) {
                out.push_str(&format!("? {code}\n"));
            }
            let mut told = redactions.apply(&String::from_utf8_lossy(&said.stdout));
            if !told.is_empty() && !told.ends_with('\n') {
                told.push('\n');
            }
            out.push_str(&told);
        }
    }
    out
}

/// The first place where two texts differ, with what stands around it.
fn difference(expected: &str, actual: &str) -> String {
    let (mut left, mut right) = (expected.lines(), actual.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let rest: Vec<&str> = b.into_iter().chain(right).take(6).collect();
                let (a, b) = (a.unwrap_or("(the end)"), rest.join("\n           "));
                return format!("line {number}\n  expected {a}\n  actual   {b}");
            }
        }
    }
    String::from("the end of the file")
}

#[test]
fn the_terminal_shows_what_the_transcripts_say() {
    let _alone = crate::common::heavy();
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = vec![top.join("README.md")];
    for dir in ["tests/cmd", "docs/guide", "docs/examples"] {
        files.extend(std::fs::read_dir(top.join(dir)).into_iter().flatten().map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|end| end == "md"));
    if let Ok(only) = std::env::var("ONLY") {
        files.retain(|file| only.split(',').any(|name| file.file_stem().is_some_and(|stem| stem == name)));
    }
    files.sort();
    // Each has an emulator and a home of its own, so some can be played at once.
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let text = std::fs::read_to_string(file).unwrap();
                    let actual = play(&text);
                    if actual == text {
                        continue;
                    }
                    if std::env::var_os("OVERWRITE").is_some() {
                        std::fs::write(file, actual).unwrap();
                    } else {
                        wrong.lock().unwrap().push(format!("{}: {}", file.display(), difference(&text, &actual)));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
