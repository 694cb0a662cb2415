//! Every hint that is a command can be followed: it is read to its end, and nothing of it is refused before it would
//! be sent. Hints are those of the transcripts and guides, and those of the sources.
#![cfg(all(unix, feature = "cli"))]

use crate::common;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{key, program, text};
use regex::Regex;

/// How many run at once.
const AT_ONCE: usize = 6;
const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";

fn files(top: &str, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(top)).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(path.to_str().unwrap(), end));
        } else if path.extension().is_some_and(|found| found == end) {
            found.push(path);
        }
    }
    found
}

/// The commands of a hint: from `sdc` to the end of its sentence.
fn commands(hint: &str) -> Vec<String> {
    let start = Regex::new(r"(^|[ `:(|])sdc ([a-z])").unwrap();
    let stop = Regex::new(r#"; |`|, sdc |, for each|, and |, or |, after |, --|, … |: | \| |\)"#).unwrap();
    let mut found = Vec::new();
    for begin in start.captures_iter(hint).map(|found| found.get(2).unwrap().start()) {
        let rest = &hint[begin..];
        let end = stop.find(rest).map_or(rest.len(), |found| found.start());
        let command = rest[..end].trim().trim_end_matches(['.', ',', '?']).trim_end_matches(", or").trim();
        found.push(command.to_owned());
    }
    found
}

/// The words of a command, as a shell would read them.
fn words(command: &str) -> Vec<String> {
    let quoted = Regex::new(r#"'([^']*)'|"([^"]*)"|(\S+)"#).unwrap();
    let word = |found: regex::Captures<'_>| (1..=3).find_map(|at| found.get(at)).unwrap().as_str().to_owned();
    quoted.captures_iter(command).map(word).collect()
}

/// A placeholder with something in its place that could stand there.
fn filled(word: &str, file: &str) -> String {
    let known = [
        ("FILE", file),
        ("RULE", "FROM any TO all vms ALLOW tcp PORT 22"),
        ("VLAN", "100"),
        ("NAME=VALUE", "a=b"),
        ("TIME", "5m"),
        ("NIC", "90:b8:d0:00:00:01"),
        ("STATE", "running"),
        ("MACHINE:PATH", "web0:file"),
        ("RESOURCE", "machines/web0"),
        ("VERB", "list"),
        ("EXPR", ".a"),
        ("COMMAND…", "/bin/true"),
        ("…", "x"),
        ("...", "x"),
    ];
    match known.iter().find(|(name, _)| *name == word) {
        Some((_, value)) => (*value).to_owned(),
        None if Regex::new(r"^\[?UUID\]?$|^ID$|^[A-Z][A-Z-]*$").unwrap().is_match(word) => ID.to_owned(),
        None => word.replace("[UUID]", ID).replace("[MD5]", "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99"),
    }
}

/// The commands of the hints that these files show.
fn shown(files: Vec<PathBuf>) -> BTreeSet<String> {
    let texts = files.into_iter().map(|file| std::fs::read_to_string(file).unwrap());
    let hints = |text: String| -> Vec<String> {
        text.lines().filter_map(|line| line.trim_start().strip_prefix("hint: ")).flat_map(commands).collect()
    };
    texts.flat_map(hints).collect()
}

/// Does something with each, several at once, and returns what was said of them.
fn each(all: &BTreeSet<String>, check: impl Fn(&str) -> Option<String> + Sync) -> Vec<String> {
    let (all, said, next) = (all.iter().collect::<Vec<_>>(), Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(command) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    said.lock().unwrap().extend(check(command));
                }
            });
        }
    });
    said.into_inner().unwrap()
}

#[test]
#[cfg(feature = "emulator")]
fn every_hint_of_a_transcript_without_a_placeholder_is_run() {
    // These go on until they are ended.
    const ENDLESS: &[&str] = &["emulator", "machines changefeed", "machines vnc", "machines ssh"];
    // And these are about profiles that their transcripts have made, or need an editor.
    const MADE: &[&str] = &["profile use", "profile delete", "profile edit", "config edit"];
    let mut all = shown(files("tests/cmd", "md"));
    all.retain(|command| {
        let literal = words(command)
            .iter()
            .all(|word| filled(word, "FILE") == *word && !word.contains("[UUID]") && !word.contains("..."));
        literal && words(command).len() > 1 && ![ENDLESS, MADE].concat().iter().any(|begin| command.starts_with(begin))
    });
    assert!(all.len() > 20, "{}", all.len());
    let exe = env!("CARGO_BIN_EXE_sdc");
    let wrong = each(&all, |command| {
        let home = tempfile::tempdir().unwrap();
        let mut sdc = std::process::Command::new(exe);
        let services = command.starts_with("admin ").then_some("--admin");
        sdc.args(["emulator", "exec"]).args(services).args(["--", exe]).args(words(command)).stdin(Stdio::null());
        let said = sdc.env("HOME", home.path()).output().unwrap();
        let told = text(&said.stderr);
        // The bare name of a command says where to look.
        let bare = words(command).len() <= 2 && told.contains("required arguments were not provided");
        let bad = said.status.code() == Some(2) || told.contains("there is no command");
        // Nobody is there to be asked; the words are right.
        let asks = told.contains("without confirmation");
        (bad && !bare && !asks)
            .then(|| format!("sdc {command}\n    {}", told.lines().take(3).collect::<Vec<_>>().join("\n    ")))
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// A source without its comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The commands that a source puts together from words: each with `HOLE` for what is not in the source.
fn put_together(text: &str) -> Vec<String> {
    let argument = r"\( (?: [^()] | \( (?: [^()] | \([^()]*\) )* \) )* \)";
    let whole =
        format!(r#"(?x) CommandLine::new\("([^"]*)"\) ((?: \s* \. (?:on|on_all|with|option|word) {argument} )*)"#);
    let (whole, call) = (Regex::new(&whole).unwrap(), Regex::new(&format!(r"(?x) \. (\w+) ({argument})")).unwrap());
    let literal = Regex::new(r#"^\((?:format!\()?"([^"]*)"(\))?"#).unwrap();
    let command = |found: regex::Captures<'_>| {
        let mut command = format!("sdc {}", &found[1]);
        for call in call.captures_iter(&found[2]) {
            let said = literal.captures(&call[2]).map_or("HOLE".to_owned(), |found| found[1].to_owned());
            match &call[1] {
                "option" => command.push_str(&format!(" {said} HOLE")),
                // An option, or a word of another program's.
                "word" => {}
                _ => command.push_str(&format!(" {said}")),
            }
        }
        command
    };
    whole.captures_iter(text).map(command).collect()
}

#[test]
fn every_hint_that_is_a_command_is_read_to_its_end() {
    let mut all = shown([files("tests/cmd", "md"), files("docs", "md")].concat());
    let shown = all.len();
    let literal = Regex::new(r#"hint\(\s*(?:format!\(\s*)?"((?:[^"\\]|\\.)*)""#).unwrap();
    // Commands as values have no name of the program before them.
    let value = Regex::new(
        r#"(?x) (?: Hint::command\( | then_run\( | \.run\( | Hint::run\( \s*
            (?: format!\( (?: [^()] | \([^()]*\) )* \) | "(?:[^"\\]|\\.)*" | \w+ ) \s*, )
            \s* "((?:[^"\\]|\\.)*)""#,
    );
    let value = value.unwrap();
    let hole = Regex::new(r"\{[^}]*\}").unwrap();
    let mut values = 0;
    for file in files("src", "rs") {
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let hints = literal.captures_iter(text).map(|found| found[1].to_owned());
        let commands_alone = value.captures_iter(text).map(|found| format!("sdc {}", &found[1]));
        let commands_alone: Vec<String> = commands_alone.chain(put_together(&code(text))).collect();
        values += commands_alone.len();
        for hint in hints.chain(commands_alone).map(|found| found.replace("\\\"", "\"")) {
            // What is filled in at run time is some word; a command whose verb it is cannot be read here.
            let hint = hole.replace_all(&hint, "HOLE").into_owned();
            let known = |command: &String| !command.split(' ').take(3).any(|word| word.contains("HOLE"));
            all.extend(commands(&hint).into_iter().filter(known));
        }
    }
    // The first goes on until it is ended; what belongs to the second is said in words after it.
    all.retain(|command| !command.starts_with("emulator serve") && command != "machines tags replace HOLE");
    assert!(shown > 30 && values > 50 && all.len() > shown, "{shown} {values} {}", all.len());
    let file = key().join("key.pub");
    // Whatever is read to its end is refused at once.
    let refused = br#"{"code":"InvalidCredentials","message":"no"}"#.to_vec();
    let url = common::answering("401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close", refused);
    let wrong = each(&all, |command| {
        let words: Vec<String> = words(command).iter().map(|word| filled(word, file.to_str().unwrap())).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let home = tempfile::tempdir().unwrap();
        let mut sdc = program(&url, "acme", &key().join("key"), &words);
        let said = sdc.env("HOME", home.path()).output().unwrap();
        let told = text(&said.stderr);
        // The bare name of a command says where to look.
        if words.len() <= 2 && told.contains("required arguments were not provided") {
            return None;
        }
        let bad = ["For more information, try", "Usage:", "there is no command"].iter().any(|bad| told.contains(bad));
        bad.then(|| format!("sdc {command}\n    {}", told.lines().take(3).collect::<Vec<_>>().join("\n    ")))
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}
