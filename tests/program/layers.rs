//! The arrows: which room may use which, as docs/design.md draws them.

use std::fs;
use std::path::Path;

/// Every room, and the rooms that it may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("file", &[]),
    ("der", &[]),
    ("thread", &[]),
    ("sensitive", &["error"]),
    ("api", &[]),
    ("answer", &["error"]),
    ("grammar", &["error", "sensitive"]),
    ("models", &[]),
    ("auth", &["der", "error", "file", "sensitive"]),
    ("config", &["error", "file", "grammar", "sensitive"]),
    ("request", &["api", "error", "sensitive"]),
    ("response", &["answer", "api", "error", "grammar", "sensitive"]),
    ("transport", &["api", "config", "der", "error", "file", "response", "sensitive", "thread"]),
    (
        "client",
        &["answer", "api", "auth", "error", "grammar", "request", "response", "sensitive", "thread", "transport"],
    ),
    ("connect", &["api", "auth", "client", "config", "error", "sensitive", "transport"]),
    // Where the internal services are, which is remembered in a file.
    ("admin", &["answer", "api", "client", "config", "error", "request", "response", "sensitive", "tasks", "thread"]),
    ("render", &["answer", "api", "error", "sensitive"]),
    // Work without a terminal: neither render nor config. The record of what is owned, and the keys that a file names,
    // are files.
    ("tasks", &["answer", "api", "auth", "client", "error", "file", "grammar", "request", "response", "sensitive"]),
    // Templates and stacks, without command line and terminal.
    ("stack", &["client", "error", "file", "grammar", "sensitive", "tasks"]),
    // A test of client and emulator together.
    ("service_tests", &["api", "auth", "client", "emulator", "error", "request"]),
    // It must not share a mistake with the client.
    ("emulator", &["error", "file"]),
    (
        "cli",
        &[
            "admin",
            "answer",
            "api",
            "auth",
            "client",
            "config",
            "connect",
            "emulator",
            "error",
            "file",
            "grammar",
            "render",
            "request",
            "response",
            "sensitive",
            "stack",
            "tasks",
            "thread",
        ],
    ),
];

/// Every folder of a room that has some, and what it may use of the room's other parts, by folder or file.
const INSIDE: &[(&str, &[&str])] = &[
    ("emulator/http", &["js", "text"]),
    ("emulator/wire", &["datacenter", "http", "text"]),
    ("emulator/datacenter", &["js", "text"]),
    ("emulator/cloudapi", &["datacenter", "http", "js", "text"]),
    ("emulator/admin", &["datacenter", "http", "js", "text"]),
    ("emulator/document", &["cloudapi", "datacenter", "http", "text"]),
    // Standard input may name targets.
    ("cli/args", &["console"]),
    ("cli/terminal", &["runtime"]),
    (
        "cli/commands",
        &[
            "App", "app", "args", "change", "console", "editor", "execute", "filter", "names", "preview", "question",
            "resume", "run", "runtime", "show", "sources", "terminal", "Console", "Streams",
        ],
    ),
    (
        "cli/execute",
        &[
            "app", "args", "change", "filter", "listed", "names", "preview", "question", "resume", "several",
            "sources", "terminal",
        ],
    ),
    ("cli/show", &["app", "args", "names"]),
    ("cli/editor", &["app", "terminal"]),
    ("cli/listed", &["app", "names", "terminal"]),
    ("cli/several", &["app", "terminal"]),
    ("cli/sources", &["app", "args"]),
    ("cli/change", &["app", "args", "resume", "several", "terminal"]),
    ("cli/app", &["args", "console", "terminal"]),
];

/// What lib.rs shows at the top, and the room that it is of.
const SHOWN: &[(&str, &str)] =
    &[("Client", "client"), ("Error", "error"), ("Result", "error"), ("Settings", "transport")];

/// The sources below a folder: their names and texts.
fn below(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().display());
        if entry.path().is_dir() {
            found.extend(below(&name));
        } else if name.ends_with(".rs") {
            found.push((name, fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

/// The code of a file: without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The words and signs of a text, without comments and literals.
fn tokens(text: &str) -> Vec<&str> {
    let literals = r##"//[^\n]*|/\*.*?\*/|b?r#+".*?"#+|b?r"[^"]*"|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^\\'])'|\s+"##;
    let pattern = regex::Regex::new(&format!(r"(?s)(?:{literals})|(r#\w+|\w+|::|.)")).unwrap();
    pattern.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str()).collect()
}

/// Follows a path, with its groups, from this module on, and returns where it ends.
fn follow<'a>(tokens: &[&'a str], mut at: usize, mut path: Vec<&'a str>, found: &mut Vec<Vec<&'a str>>) -> usize {
    let token = |at: usize| tokens.get(at).copied().unwrap_or_default();
    loop {
        match token(at) {
            "{" => {
                at += 1;
                while !matches!(token(at), "}" | "") {
                    at = follow(tokens, at, path.clone(), found).max(at + 1);
                    at += usize::from(token(at) == ",");
                }
                return at + 1;
            }
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            name => path.push(name.trim_start_matches("r#")),
        }
        at += 1;
        // What follows may be a generic argument: `::<`.
        let more = |next: &str| matches!(next, "{" | "*") || next.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if token(at) == "::" && more(token(at + 1)) {
            at += 1;
            continue;
        }
        found.push(path);
        return if token(at) == "as" { at + 2 } else { at };
    }
}

/// The module of a file of `src`, by its path from the root.
fn module(file: &str) -> Vec<&str> {
    file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect()
}

/// The paths that a file of `src` uses, its tests included, from the root on.
fn paths(file: &str, text: &str) -> Vec<Vec<String>> {
    let mut module = module(file);
    // The depth of braces at which each module within the file ends.
    let (mut ends, mut depth) = (Vec::new(), 0);
    let tokens = tokens(text);
    // Files below this one, whose names begin paths here.
    let children: Vec<&str> = tokens.windows(3).filter(|w| w[0] == "mod" && w[2] == ";").map(|w| w[1]).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let next = |by: usize| tokens.get(at + by).copied().unwrap_or_default();
        let follows = at > 0 && tokens[at - 1] == "::";
        match tokens[at] {
            "mod" if next(2) == "{" => {
                module.push(next(1));
                ends.push(depth);
                depth += 1;
                at += 3;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if ends.last() == Some(&depth) {
                    ends.pop();
                    module.pop();
                }
            }
            "crate" | "super" | "self" if !follows && next(1) == "::" => {
                at = follow(&tokens, at, module.clone(), &mut found);
                continue;
            }
            "crate" if next(1) == "as" || at > 0 && tokens[at - 1] == "extern" => found.push(Vec::new()),
            name if ends.is_empty() && !follows && next(1) == "::" && children.contains(&name) => {
                at = follow(&tokens, at, module.clone(), &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found.into_iter().map(|path| path.into_iter().map(str::to_owned).collect()).collect()
}

/// The rooms that a file of `src` uses, its tests included, but for its own. What is in no room, or
/// may be in any (`crate::*`), stands for itself.
fn used(file: &str, text: &str) -> Vec<String> {
    let own = module(file);
    let room = |path: &Vec<String>| {
        let first = path.first().map_or("crate", String::as_str);
        SHOWN.iter().find(|(shown, _)| *shown == first).map_or(first, |(_, room)| room).to_owned()
    };
    let mut rooms: Vec<String> = paths(file, text).iter().map(room).filter(|room| room != own[0]).collect();
    rooms.sort();
    rooms.dedup();
    rooms
}

/// What a file uses and must not.
fn trespasses(file: &str, text: &str) -> Vec<String> {
    let room = file.trim_start_matches("src/").trim_end_matches(".rs").split('/').next().unwrap();
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{file} is in no room that ALLOWED names")];
    };
    let used = used(file, text).into_iter().filter(|used| !allowed.contains(&used.as_str()));
    used.map(|used| format!("{file} uses {used}")).collect()
}

/// A row of the arrows as docs/design.md has it.
fn arrows(rows: &[(&str, &[&str])]) -> String {
    let mut text = String::new();
    for (room, uses) in rows {
        let mut line = format!("{room:<21}");
        for (at, used) in uses.iter().enumerate() {
            let word = if at + 1 < uses.len() { format!("{used}, ") } else { (*used).to_owned() };
            if line.len() + word.trim_end().len() > 118 {
                text += &format!("{}\n", line.trim_end());
                line = " ".repeat(21);
            }
            line += &word;
        }
        text += &format!("{}\n", line.trim_end());
    }
    text
}

#[test]
fn the_page_draws_the_arrows_that_hold() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(top.join("docs/design.md")).unwrap();
    for (name, rows) in [("ALLOWED", ALLOWED), ("INSIDE", INSIDE)] {
        let drawn = format!("```\n{}```", arrows(rows));
        assert!(page.contains(&drawn), "{name} in docs/design.md should be:\n{drawn}");
    }
}

#[test]
fn no_room_uses_one_that_it_must_not() {
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        // These two put the rooms together.
        if !["src/lib.rs", "src/main.rs"].contains(&file.as_str()) {
            wrong.extend(trespasses(&file, &text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a file of a folder within a room uses of the room's other parts and must not.
fn inner_trespasses(file: &str, text: &str) -> Vec<String> {
    let own = module(file);
    let [room, folder, ..] = own.as_slice() else { return Vec::new() };
    let here = format!("{room}/{folder}");
    let Some((_, allowed)) = INSIDE.iter().find(|(name, _)| *name == here) else { return Vec::new() };
    let others = paths(file, &code(text)).into_iter().filter_map(|path| match path.as_slice() {
        [first, second, ..] if first == room && second != folder => Some(second.clone()),
        [first] if first == room => Some("the room itself".to_owned()),
        _ => None,
    });
    let mut wrong: Vec<String> = others.filter(|other| !allowed.contains(&other.as_str())).collect();
    wrong.sort();
    wrong.dedup();
    wrong.iter().map(|other| format!("{file} uses {other}")).collect()
}

#[test]
fn no_folder_of_a_room_uses_one_that_it_must_not() {
    let wrong: Vec<String> = below("src").iter().flat_map(|(file, text)| inner_trespasses(file, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let file = "src/emulator/datacenter/jobs.rs";
    assert_eq!(inner_trespasses(file, "use crate::emulator::http::reply::Reply;"), [format!("{file} uses http")]);
    assert_eq!(inner_trespasses(file, "use super::super::wire::shared;"), [format!("{file} uses wire")]);
    assert!(inner_trespasses(file, "use super::state::State; use crate::emulator::text;").is_empty());
}

/// Groups of files that use each other in a circle. A file may use the face of a folder that it lies in (`mod.rs`)
/// without an arrow: that is one thing with it.
fn circles(files: &[(String, String)]) -> Vec<Vec<String>> {
    let modules: Vec<Vec<String>> =
        files.iter().map(|(file, _)| module(file).into_iter().map(str::to_owned).collect()).collect();
    let at = |path: &[String]| {
        (1..=path.len()).rev().find_map(|end| modules.iter().position(|module| *module == path[..end]))
    };
    let uses: Vec<Vec<usize>> = files
        .iter()
        .zip(&modules)
        .map(|((file, text), own)| {
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
            let found = paths(file, text).into_iter().filter_map(|path| at(&path));
            found.filter(|other| !own.starts_with(&modules[*other])).collect()
        })
        .collect();
    // Who can be reached from where; two that reach each other are of one circle.
    let reached = |from: usize| {
        let (mut seen, mut next) = (vec![false; files.len()], uses[from].clone());
        while let Some(file) = next.pop() {
            if !std::mem::replace(&mut seen[file], true) {
                next.extend(&uses[file]);
            }
        }
        seen
    };
    let reached: Vec<Vec<bool>> = (0..files.len()).map(reached).collect();
    let mut circles: Vec<Vec<String>> = Vec::new();
    for (from, to) in reached.iter().enumerate() {
        let circle: Vec<String> = to
            .iter()
            .enumerate()
            .filter(|(at, there)| **there && reached[*at][from])
            .map(|(at, _)| files[at].0.clone())
            .collect();
        if !circle.is_empty() && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

#[test]
fn no_more_than_two_files_use_each_other() {
    let mut files = below("src");
    // The table is data: what is about machines names machines, and they name it.
    files.retain(|(file, _)| {
        !file.starts_with("src/api/cloudapi/") && !file.starts_with("src/api/admin/") && !file.ends_with("_tests.rs")
    });
    let large: Vec<String> =
        circles(&files).into_iter().filter(|circle| circle.len() > 2).map(|circle| circle.join(" ")).collect();
    assert!(large.is_empty(), "{}", large.join("\n"));
    let file = |name: &str, text: &str| (format!("src/a/{name}.rs"), text.to_owned());
    let three = [file("b", "use super::c;"), file("c", "use crate::a::d::X;"), file("d", "fn f() { super::b::g() }")];
    assert_eq!(circles(&three).len(), 1);
    assert!(circles(&three[..2]).is_empty());
    assert!(circles(&[file("mod", "use self::b::X;"), file("b", "use super::Y;")]).is_empty());
    // A path that begins with the name of a file below is one as well.
    let mut below = three[..2].to_vec();
    below.push(("src/a/e/mod.rs".to_owned(), "mod f; const X: Y = f::Y;".to_owned()));
    below.push(("src/a/e/f.rs".to_owned(), "use crate::a::c::Z;".to_owned()));
    below[1].1 = "use super::e::X;".to_owned();
    assert_eq!(circles(&below).len(), 1);
}

#[test]
fn a_use_that_is_not_allowed_is_seen_however_it_is_written() {
    for (file, text, expected) in [
        ("src/api/keys.rs", "use crate::error::Error;", "error"),
        ("src/api/mod.rs", "use super::error;", "error"),
        ("src/emulator/mod.rs", "use crate::{client, error::{self, Error}};", "client"),
        (
            "src/emulator/mod.rs",
            "use crate::{\n    error::Error, // fine\n    config::{env, load::{self}},\n};",
            "config",
        ),
        ("src/emulator/handlers/keys.rs", "use super::{super::{super::request::Args, state}, tags};", "request"),
        ("src/emulator/handlers/keys.rs", "fn f() { self::super::super::super::client::call(); }", "client"),
        ("src/emulator/agent.rs", "mod unix { use super::super::super::auth::Key; }", "auth"),
        ("src/emulator/agent.rs", "mod unix { fn f() {} } use super::super::auth::Key;", "auth"),
        ("src/emulator/dir.rs", "fn f(_: &crate :: config\n:: Config) {}", "config"),
        ("src/emulator/dir.rs", "use {crate::error::Error, crate::r#transport as t};", "transport"),
        ("src/emulator/dir.rs", "#[cfg(test)]\nmod tests { use crate::Client; }", "client"),
        ("src/answer.rs", "pub use crate::api as table;", "api"),
        ("src/answer.rs", "fn f() -> Vec<crate::api::Op> { g::<crate::error::Error>() }", "api"),
        ("src/answer/scan.rs", "use crate::*;", "*"),
        ("src/request.rs", "use super::*;", "*"),
        ("src/request.rs", "use crate as all;", "crate"),
        ("src/request.rs", "extern crate self as sdc;", "crate"),
        ("src/auth/key.rs", r#"const A: &str = "//"; use crate::client::Client;"#, "client"),
        ("src/auth/key.rs", r"const A: char = '\''; const B: char = '\u{7b}'; use crate::client::Client;", "client"),
    ] {
        assert_eq!(trespasses(file, text), [format!("{file} uses {expected}")], "{text}");
    }
    assert_eq!(trespasses("src/new/mod.rs", "").len(), 1);
}

#[test]
fn uses_that_are_allowed_and_words_that_are_none_pass() {
    for (file, text) in [
        ("src/emulator/agent.rs", "mod unix { use super::super::dir::{put, KEY as K}; use super::*; }"),
        ("src/emulator/handlers/keys.rs", "use super::super::{reply::Reply, state}; use crate::{Error, Result};"),
        (
            "src/api/mod.rs",
            "//! See [`crate::client`].\n/* crate::client */ pub(crate) const A: &str = \"crate::client\";",
        ),
        (
            "src/api/keys.rs",
            r###"const A: &str = r#"say "crate::client""#; pub(in crate::api) fn f<'a>(_: &'a str) {}"###,
        ),
        ("src/client.rs", "use crate::{answer::{self, Answer}, auth::Signer, transport::*}; fn f(&self) { self.g(); }"),
    ] {
        assert!(trespasses(file, text).is_empty(), "{text}: {:?}", trespasses(file, text));
    }
}

#[test]
fn what_calls_any_service_knows_no_operation_of_one() {
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        let room = module(&file)[0];
        // The feed of changes is CloudAPI's own.
        if !["client", "request", "response", "transport"].contains(&room) || file == "src/client/socket.rs" {
            continue;
        }
        let knows = |path: &Vec<String>| {
            ["cloudapi", "admin"].iter().any(|of| path.starts_with(&["api".to_owned(), (*of).to_owned()]))
        };
        wrong.extend(
            paths(&file, &code(&text))
                .iter()
                .filter(|path| knows(path))
                .map(|path| format!("{file} uses {}", path.join("::"))),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_file_prints_and_only_one_reads_the_environment() {
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        let text = code(&text);
        let prints = ["println!", "eprintln!", "print!(", "eprint!(", "io::stdout()", "io::stderr()"];
        if file != "src/cli/terminal/streams.rs" && prints.iter().any(|word| text.contains(word)) {
            wrong.push(format!("{file} prints"));
        }
        // The emulator has a reason to ask for one folder; see there.
        let asks = [("src/config/env.rs", "std::env::"), ("src/emulator/wire/private_dir.rs", "std::env::temp_dir")];
        for word in ["std::env::var", "std::env::home_dir", "std::env::temp_dir", "use std::env"] {
            let allowed = asks.iter().any(|(door, words)| file == *door && word.starts_with(words));
            if text.contains(word) && !allowed {
                wrong.push(format!("{file} reads the environment"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_thread_is_started_so_that_it_must_be_there() {
    let tests = regex::Regex::new(r"#\[cfg\((all\()?test[^\n]*\n(#[^\n]*\n)*mod ").unwrap();
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        // A test may panic, and an emulator is no program that somebody works with.
        let outside = !file.starts_with("src/emulator/") && !file.ends_with("_tests.rs");
        let text = tests.split(&text).next().unwrap_or(&text);
        // A name is looked up on a thread, too.
        for word in ["thread::spawn", "thread::scope", "spawn_blocking", "TcpStream::connect((", "lookup_host"] {
            if outside && code(text).contains(word) {
                wrong.push(format!("{file} panics where no thread can start: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The string literals of a file, without those of its tests.
fn literals(text: &str) -> Vec<&str> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let others = r"//[^\n]*|/\*.*?\*/|b?'(?:\\.[^']*|[^\\'])'";
    let pattern = format!(r##"(?s){others}|(b?r#+".*?"#+|b?r"[^"]*"|b?"(?:\\.|[^"\\])*")"##);
    let pattern = regex::Regex::new(&pattern).unwrap();
    pattern.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str()).collect()
}

/// The first words of all commands: the table's, and those of the rows in `src/cli/commands`.
fn command_words() -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    words.push(sdc::api::admin::PREFIX.to_owned());
    for resource in sdc::api::CLOUDAPI.resources {
        words.extend([resource.name].iter().chain(resource.aliases).map(|word| (*word).to_owned()));
    }
    let row = regex::Regex::new(r#"\bpath: "([a-z-]+)"#).unwrap();
    for (_, text) in below("src/cli/commands") {
        words.extend(row.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    words
}

/// Files of the program that put words into a text with commands, each of which is the table's or quoted there.
const QUOTED: &[&str] = &["src/cli/args/hints.rs", "src/cli/commands/access/rbac/mod.rs"];

#[test]
fn no_word_from_outside_is_put_into_a_command_unquoted() {
    let typed = regex::Regex::new(&format!(r"\bsdc[\s\\]+(?:{})\b[^;`]*\{{", command_words().join("|"))).unwrap();
    let filled = |text: &str| literals(text).into_iter().find(|literal| typed.is_match(literal)).map(str::to_owned);
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        if module(&file)[0] != "emulator" && !file.ends_with("_tests.rs") && !QUOTED.contains(&file.as_str()) {
            wrong.extend(filled(&text).map(|literal| format!("{file}: {literal}")));
        }
    }
    assert!(wrong.is_empty(), "put it together with CommandLine:\n{}", wrong.join("\n"));
    assert!(filled(r#"f(format!("to go on: sdc machines stop {id} --wait"))"#).is_some());
    assert!(filled(r#"f("all: sdc machines stop '*'")"#).is_none());
}

#[test]
fn only_the_program_puts_its_name_before_a_command() {
    let words = command_words();
    assert!(
        words.len() > 30 && ["machines", "auth", "rbac"].iter().all(|word| words.iter().any(|known| known == word))
    );
    let typed = regex::Regex::new(&format!(r"\bsdc[\s\\]+(?:…|(?:{})\b)", words.join("|"))).unwrap();
    let named = |text: &str| literals(text).into_iter().find(|literal| typed.is_match(literal)).map(str::to_owned);
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        // The emulator shares nothing with the client; the help texts of the table still have whole commands in them.
        if !["cli", "emulator", "api"].contains(&module(&file)[0]) && !file.ends_with("_tests.rs") {
            wrong.extend(named(&text).map(|literal| format!("{file}: {literal}")));
        }
    }
    assert!(wrong.is_empty(), "say it with Hint::run:\n{}", wrong.join("\n"));
    for text in
        [r#"f("to see it: sdc machines get ID")"#, "f(\"x | sdc \\\n  keys add -\")", r##"f(r#"sdc … --json"#)"##]
    {
        assert!(named(text).is_some(), "{text}");
    }
    for text in [r#"f("which sdc does not read")"#, "// sdc machines list\n/* \"sdc keys list\" */", "f('\"', \"a\")"] {
        assert!(named(text).is_none(), "{text}");
    }
}

#[test]
fn nothing_is_left_for_later_and_no_file_is_endless() {
    let mut wrong = Vec::new();
    for (file, text) in below("src") {
        for word in ["todo!", "unimplemented!", "not implemented", "FIXME", "XXX"] {
            if code(&text).contains(word) {
                wrong.push(format!("{file} says {word}"));
            }
        }
        if text.lines().count() > 700 {
            wrong.push(format!("{file} has {} lines", text.lines().count()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{file} does not say what it is for"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The code of the examples in a file's docs, those that are only compiled or ignored left out.
fn examples(text: &str) -> String {
    let docs =
        text.lines().filter_map(|line| line.trim_start().strip_prefix("//!").or(line.trim_start().strip_prefix("///")));
    let (mut code, mut runs, mut inside) = (String::new(), false, false);
    for line in docs {
        match line.trim().strip_prefix("```") {
            Some(tag) => {
                inside = !inside;
                runs = inside && tag.is_empty();
            }
            None if runs => code.extend([line, "\n"]),
            None => {}
        }
    }
    code
}

#[test]
fn each_public_module_of_tasks_has_an_example_that_runs() {
    let files = below("src/tasks");
    let room = &files.iter().find(|(file, _)| file == "src/tasks/mod.rs").unwrap().1;
    let names: Vec<&str> = room.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(names.len() > 20, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let own = [format!("src/tasks/{name}.rs"), format!("src/tasks/{name}/mod.rs")];
        let text = &files.iter().find(|(file, _)| own.contains(file)).unwrap().1;
        let code = examples(text);
        // It uses the module itself, and says what comes of it.
        if !code.contains("use sdc::tasks::") || !code.contains(name) || !code.contains("assert") {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "without an example: {wrong:?}");
    assert_eq!(examples("//! ```no_run\n//! use a;\n//! ```\n/// ```\n/// use b;\n/// ```\n"), " use b;\n");
}
