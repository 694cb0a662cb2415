//! Secrets in the wrong place: whatever is typed, set or kept in a profile, a private key, a password or what may be
//! one comes out nowhere. Every option and argument that `sdc help --json` tells of is tried.

use crate::common::{self, Program};
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A secret, and words of it that are in nothing else.
#[derive(Clone)]
struct Secret {
    name: &'static str,
    text: String,
    pieces: Vec<String>,
    /// A long or broken text, which prose and commands may well be.
    weak: bool,
}

/// Letters and digits in a row, for anything else may be escaped on its way.
fn pieces(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| word.len() >= 10);
    let words = words.filter(|word| !["BEGIN", "PRIVATE", "OPENSSH"].contains(word));
    words.map(|word| word[..word.len().min(24)].to_owned()).collect()
}

/// An Ed25519 key in DER.
const DIGITS: &str = "302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

/// A line from the middle of a key of OpenSSH's.
const LINE: &str = "QyNTUxOQAAACAxDrVJb8P3JIYVtGT2fE7g0QyWl3VUnQ6vRhVx7yzKcwAAAJjLwK3Uy8Ct";

fn secrets() -> Vec<Secret> {
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let strong = [
        ("a key", pem.trim_end().to_owned()),
        ("a key on one line", pem.trim_end().replace('\n', " ")),
        ("a key with \\n", pem.trim_end().replace('\n', "\\n")),
        ("base64 of a key", STANDARD.encode(&pem)),
        ("base64 of a key in UTF-16, one letter behind", STANDARD.encode([b"x".as_slice(), &wide(&pem)].concat())),
        ("a bare body", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3vVpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g".to_owned()),
        ("a body in hexadecimal digits", DIGITS.to_owned()),
        ("a password in a URL", "https://jill:Zx81QuackWord@127.0.0.1:1/".to_owned()),
        ("a password behind an @ that is encoded", "http://jill:Zx82QuackWord%40127.0.0.1:1".to_owned()),
        ("a password in a URL without its second slash", "http:/jill:Zx83QuackWord@127.0.0.1:1".to_owned()),
        ("a password in a URL without a scheme", "//jill:Zx84QuackWord@127.0.0.1:1".to_owned()),
    ];
    let weak = [
        ("a name with a password", "jill:Zx85QuackWord@127.0.0.1:1".to_owned()),
        ("a line of a key", LINE.to_owned()),
        ("a short line of a key", LINE[..64].to_owned()),
        ("a token", format!("tok{}", "Qv7XkP2mNs9Rt4Yw".repeat(15))),
        ("two lines", "hunter2PassWord\nsecondLineOfIt".to_owned()),
    ];
    let make = |weak: bool| {
        move |(name, text): (&'static str, String)| {
            let pieces = pieces(&text);
            assert!(!pieces.is_empty(), "{name}");
            Secret { name, text, pieces, weak }
        }
    };
    strong.into_iter().map(make(false)).chain(weak.into_iter().map(make(true))).collect()
}

/// A service that keeps all it receives.
fn service() -> (String, Arc<Mutex<Vec<u8>>>) {
    let received = Arc::new(Mutex::new(Vec::new()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let kept = Arc::clone(&received);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(2)));
                let mut some = [0; 65_536];
                let mut all = Vec::new();
                while let Ok(count @ 1..) = stream.read(&mut some) {
                    all.extend_from_slice(&some[..count]);
                    if all.windows(4).any(|end| end == b"\r\n\r\n") {
                        break;
                    }
                }
                kept.lock().unwrap().extend(all);
                let _ = std::io::Write::write_all(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]",
                );
            });
        }
    });
    (url, received)
}

/// One run: what it is called in a failure, and how it is begun.
struct Case {
    name: String,
    pieces: Vec<String>,
    command: Program,
}

/// Runs them all, some at once, and tells which gave something away.
fn run(cases: Vec<Case>) {
    let total = cases.len();
    let next = AtomicUsize::new(0);
    let cases: Vec<Mutex<Case>> = cases.into_iter().map(Mutex::new).collect();
    let leaks = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let case = case.lock().unwrap();
                    let output = case.command.output().unwrap();
                    let said = [output.stdout, output.stderr].concat();
                    let said = common::text(&said);
                    if let Some(piece) = case.pieces.iter().find(|piece| said.contains(*piece)) {
                        leaks.lock().unwrap().push(format!("{}: {piece}\n{said}", case.name));
                    }
                    if said.contains("panicked") {
                        leaks.lock().unwrap().push(format!("{}: {said}", case.name));
                    }
                }
            });
        }
    });
    let leaks = leaks.into_inner().unwrap();
    assert!(
        leaks.is_empty(),
        "{} of {total} gave something away:\n{}",
        leaks.len(),
        leaks[..leaks.len().min(12)].join("\n")
    );
}

fn not_received(received: &Mutex<Vec<u8>>, secrets: &[Secret]) {
    let received = common::text(&received.lock().unwrap());
    for secret in secrets.iter().filter(|secret| !secret.weak) {
        for piece in &secret.pieces {
            assert!(!received.contains(piece.as_str()), "{} was sent", secret.name);
        }
    }
}

/// Ways to be shown.
const SHOWN: &[&[&str]] = &[&[], &["-j"], &["--dry-run"], &["--curl"], &["--debug"], &["-o", "yaml"], &["-q"]];

fn described() -> Value {
    let output = common::program("http://127.0.0.1:1", "acme", Path::new("/nowhere"), &["help", "--json"]).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// Every command: its words, and the options and arguments that take a value.
fn commands(command: &Value, all: &mut Vec<(Vec<String>, Vec<Value>)>) {
    let words = command["path"].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    let both = [&command["options"], &command["arguments"]];
    let taking = both.iter().flat_map(|list| list.as_array().unwrap()).filter(|arg| arg["value_name"].is_string());
    all.push((words, taking.cloned().collect()));
    command["subcommands"].as_array().unwrap().iter().for_each(|below| commands(below, all));
}

/// What holds data: tags, metadata, and commands for elsewhere.
fn is_data(words: &[String], arg: &Value) -> bool {
    let (long, value) = (arg["long"].as_str().unwrap_or_default(), arg["value_name"].as_str().unwrap());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(long, "tag" | "metadata" | "internal-metadata" | "param" | "manifest" | "selector" | "data")
        || matches!((words.as_slice(), value), (["machines", "tags" | "metadata", "set" | "replace"], "NAME=VALUE"))
        || matches!((words.as_slice(), value), (["images", "tag"], "NAME=VALUE"))
        || matches!((words.as_slice(), value), (["run"] | ["emulator", "exec"], "COMMAND"))
}

/// What may be long, or have lines.
fn is_prose(words: &[String], arg: &Value) -> bool {
    let (long, value) = (arg["long"].as_str().unwrap_or_default(), arg["value_name"].as_str().unwrap());
    matches!(
        long,
        "description" | "homepage" | "eula" | "address" | "company-name" | "jq" | "disk" | "route" | "affinity"
    ) || matches!(value, "RULE" | "JSON" | "PATH")
        || words.last().is_some_and(|word| word == "scp")
}

#[test]
fn no_option_and_no_argument_gives_a_secret_away() {
    let _alone = crate::common::heavy();
    let (url, received) = service();
    let secrets = secrets();
    let mut all = Vec::new();
    commands(&described(), &mut all);
    let mut cases = Vec::new();
    let mut globals = 0;
    for (words, args) in &all {
        for arg in args {
            // Every command knows the global options: a few will do.
            if arg["global"] == true || words.is_empty() {
                globals += 1;
                if globals > 60 {
                    continue;
                }
            }
            if is_data(words, arg) {
                continue;
            }
            for secret in secrets.iter().filter(|secret| !(secret.weak && is_prose(words, arg))) {
                let mut typed: Vec<String> = words.clone();
                let at_file = arg["value_name"] == "NAME=@FILE";
                let text = if at_file { format!("n=@{}", secret.text) } else { secret.text.clone() };
                match arg["long"].as_str() {
                    Some(long) if cases.len() % 2 == 0 => typed.push(format!("--{long}={text}")),
                    Some(long) => typed.extend([format!("--{long}"), text]),
                    None => typed.push(text),
                }
                typed.extend(SHOWN[cases.len() % SHOWN.len()].iter().map(|word| (*word).to_owned()));
                let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
                let command = common::program(&url, "acme", &common::key().join("key"), &typed);
                let name = format!("{} of {words:?} {}", secret.name, arg["long"].as_str().unwrap_or("argument"));
                cases.push(Case { name, pieces: secret.pieces.clone(), command });
            }
        }
    }
    assert!(cases.len() > 2000, "{}", cases.len());
    run(cases);
    not_received(&received, &secrets);
}

#[test]
fn no_word_that_is_mistyped_gives_a_secret_away() {
    let _alone = crate::common::heavy();
    let (url, received) = service();
    let secrets = secrets();
    let mut cases = Vec::new();
    for secret in &secrets {
        let text = secret.text.as_str();
        let with = |before: &str| format!("{before}{text}");
        for typed in [
            vec![with("")],
            vec!["machines".into(), with("")],
            vec!["machines".into(), "list".into(), with("--")],
            vec!["machines".into(), "list".into(), with("-x")],
            vec!["machines".into(), "list".into(), "--limit".into(), with("")],
            vec!["machines".into(), "list".into(), with("--nonsense=")],
            vec!["machines".into(), "list".into(), with("name=")],
            vec!["machines".into(), "list".into(), with("nonsense=")],
            vec!["machines".into(), "get".into(), "web1".into(), with("")],
            vec!["machines".into(), "tags".into(), "get".into(), "web1".into(), with("")],
            vec!["machines".into(), "start".into(), "--wait".into(), with("")],
            vec!["images".into(), "update".into(), "x".into(), with("name=")],
            vec!["help".into(), with("")],
            vec!["help".into(), "machines".into(), with("")],
            vec!["wait".into(), "machines".into(), "web1".into(), "--for".into(), with("state=")],
            vec!["completion".into(), with("")],
            vec!["config".into(), "set".into(), with("default_network=")],
            vec!["datacenters".into(), "foreign".into(), "add".into(), with("x=")],
            vec!["api".into(), with(""), "/x".into()],
            vec!["-o".into(), with(""), "machines".into(), "list".into()],
        ] {
            for shown in [&[][..], &["-j"], &["--debug"]] {
                let mut typed: Vec<&str> = typed.iter().map(String::as_str).collect();
                typed.extend(shown);
                let command = common::program(&url, "acme", &common::key().join("key"), &typed);
                let name = format!("{} in {:?}", secret.name, &typed[..typed.len().min(3)]);
                cases.push(Case { name, pieces: secret.pieces.clone(), command });
            }
        }
    }
    run(cases);
    not_received(&received, &secrets);
}

/// The variables that hold a setting, or that other programs share.
const VARIABLES: &[&str] = &[
    "SDC_PROFILE",
    "TRITON_PROFILE",
    "SDC_URL",
    "TRITON_URL",
    "SDC_ACCOUNT",
    "TRITON_ACCOUNT",
    "SDC_USER",
    "TRITON_USER",
    "SDC_ROLE",
    "TRITON_ROLE",
    "SDC_ACT_AS",
    "TRITON_ACT_AS",
    "SDC_KEY_ID",
    "TRITON_KEY_ID",
    "SDC_KEY_FILE",
    "TRITON_KEY_FILE",
    "SDC_KEY_PASSPHRASE_FILE",
    "SDC_CACERT",
    "SDC_SIGNING",
    "SDC_ACCEPT_VERSION",
    "SDC_CONNECT_TIMEOUT",
    "SDC_REQUEST_TIMEOUT",
    "SDC_RETRY",
    "SDC_RATE",
    "SDC_PROXY",
    "SDC_PACKAGE",
    "SDC_IMAGE",
    "SDC_NETWORK",
    "SDC_OUTPUT",
    "SDC_COLUMNS",
    "SDC_SORT",
    "SDC_TIMEOUT",
    "SDC_PARALLEL",
    "SDC_TLS_INSECURE",
    "SDC_TESTING",
    "SDC_TLS_PIN",
    "HTTP_PROXY",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "HOME",
    "SDC_CONFIG_DIR",
    "SDC_CACHE_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
];

const ASKING: &[&[&str]] = &[
    &["machines", "list"],
    &["machines", "list", "-j"],
    &["auth", "doctor"],
    &["auth", "doctor", "-j"],
    &["config", "show"],
    &["config", "show", "-j"],
    &["env"],
    &["whoami"],
    &["info", "-j"],
    &["profile", "list"],
    &["profile", "get"],
    &["profile", "create", "new"],
    &["machines", "list", "--dry-run"],
    &["machines", "list", "--curl"],
    &["machines", "get", "web1", "--debug"],
    &["api", "GET", "/:login/machines", "--debug"],
    &["COMPLETE"],
];

/// The program in a home of its own, asking this service.
fn asking(url: &str, home: &Path, words: &[&str]) -> Program {
    let typed: &[&str] = if words == ["COMPLETE"] { &["--", "sdc", "machines", "get", ""] } else { words };
    let mut command = common::program(url, "acme", &common::key().join("key"), typed);
    command.env("HOME", home).env("SDC_REQUEST_TIMEOUT", "3s");
    if words == ["COMPLETE"] {
        command.envs([("SDC_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "3"), ("_CLAP_IFS", "\n")]);
    }
    command
}

#[test]
fn no_variable_gives_a_secret_away() {
    let _alone = crate::common::heavy();
    let (url, received) = service();
    let (secrets, home) = (secrets(), tempfile::tempdir().unwrap());
    let mut cases = Vec::new();
    let passphrase =
        Secret { name: "a passphrase", text: "correcthorse9".into(), pieces: vec!["correcthorse9".into()], weak: true };
    for (at, variable) in VARIABLES.iter().enumerate() {
        let of_file = *variable == "SDC_KEY_PASSPHRASE_FILE";
        for secret in secrets.iter().chain(Some(&passphrase).filter(|_| of_file)) {
            for (number, words) in ASKING.iter().enumerate() {
                // Each of half the ways: the other variables take the other half.
                if (at + number).is_multiple_of(2) && !of_file && (secret.weak || number > 5) {
                    continue;
                }
                let mut command = asking(&url, home.path(), words);
                command.env(variable, &secret.text);
                let name = format!("{} in {variable}, {words:?}", secret.name);
                cases.push(Case { name, pieces: secret.pieces.clone(), command });
            }
        }
    }
    run(cases);
    not_received(&received, &secrets);
}

#[test]
fn no_field_of_a_profile_gives_a_secret_away() {
    let _alone = crate::common::heavy();
    let (url, received) = service();
    let secrets = secrets();
    let (mut cases, mut homes) = (Vec::new(), Vec::new());
    for field in ["url", "account", "keyId", "user", "roles", "actAsAccount", "insecure", "NAME", "current"] {
        for secret in &secrets {
            let home = tempfile::tempdir().unwrap();
            let dir = home.path().join(".triton");
            std::fs::create_dir_all(dir.join("profiles.d")).unwrap();
            let mut profile = serde_json::json!({ "url": url, "account": "acme", "keyId": "aa:bb" });
            let mut current = Value::from("p");
            match field {
                "roles" => profile["roles"] = serde_json::json!([secret.text]),
                "NAME" => profile[&secret.text] = true.into(),
                "current" => current = secret.text.as_str().into(),
                field => profile[field] = secret.text.as_str().into(),
            }
            std::fs::write(dir.join("profiles.d/p.json"), profile.to_string()).unwrap();
            std::fs::write(dir.join("config.json"), serde_json::json!({ "profile": current }).to_string()).unwrap();
            for words in ASKING {
                let mut command = asking(&url, home.path(), words);
                ["SDC_URL", "SDC_ACCOUNT", "SDC_KEY_FILE"].iter().for_each(|name| {
                    command.env_remove(name);
                });
                let name = format!("{} in {field} of a profile, {words:?}", secret.name);
                cases.push(Case { name, pieces: secret.pieces.clone(), command });
            }
            homes.push(home);
        }
    }
    run(cases);
    not_received(&received, &secrets);
}

#[test]
fn no_line_of_the_file_of_settings_gives_a_secret_away() {
    let _alone = crate::common::heavy();
    let (url, received) = service();
    let secrets = secrets();
    let (mut cases, mut homes) = (Vec::new(), Vec::new());
    let names = sdc::config::own::KNOWN.iter().map(|known| known.name).chain(["NAME", "PROFILE", "COMMAND"]);
    for (at, name) in names.enumerate() {
        for (number, secret) in secrets.iter().enumerate() {
            let home = tempfile::tempdir().unwrap();
            let dir = home.path().join(".triton");
            std::fs::create_dir_all(&dir).unwrap();
            let text = secret.text.as_str();
            let settings = match name {
                "NAME" => serde_json::json!({ text: "json" }),
                "PROFILE" => serde_json::json!({ "profiles": { text: { "rate": 2 } } }),
                "COMMAND" => serde_json::json!({ "commands": { text: { "sort": "name" } } }),
                name => serde_json::json!({ name: text }),
            };
            std::fs::write(dir.join("sdc.yaml"), settings.to_string()).unwrap();
            for (way, words) in ASKING.iter().chain([&["machines", "create", "--dry-run"][..]].iter()).enumerate() {
                // Each in a third of the ways: others take the other two.
                if !(at + number + way).is_multiple_of(3) && *words != ["config", "show"] {
                    continue;
                }
                let name = format!("{} in {name} of the settings, {words:?}", secret.name);
                cases.push(Case { name, pieces: secret.pieces.clone(), command: asking(&url, home.path(), words) });
            }
            homes.push(home);
        }
    }
    run(cases);
    not_received(&received, &secrets);
}

#[test]
fn a_key_in_the_place_of_its_path_is_said_to_be_one() {
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    for (variable, expected) in [
        ("SDC_KEY_FILE", "error: SDC_KEY_FILE holds a key, not the path of one"),
        ("SDC_KEY_ID", "error: SDC_KEY_ID holds a key, not the fingerprint or name of one"),
        ("SDC_ACCOUNT", "error: SDC_ACCOUNT holds a key, not a login"),
    ] {
        let output = asking("http://127.0.0.1:1", common::key(), &["machines", "list"]).env(variable, &pem).output();
        let output = output.unwrap();
        assert!(common::text(&output.stderr).starts_with(expected), "{}", common::text(&output.stderr));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn ids_on_standard_input_that_are_a_key_are_not_repeated() {
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    let (url, received) = service();
    let all = secrets();
    for words in [&["machines", "delete", "-", "--yes"][..], &["wait", "machines", "-", "--for", "running"]] {
        let mut command = common::program(&url, "acme", &common::key().join("key"), words);
        let output = command.input(&pem).output().unwrap();
        let said = common::text(&[output.stdout, output.stderr].concat());
        assert!(!all[0].pieces.iter().any(|piece| said.contains(piece)), "{said}");
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
    not_received(&received, &all);
}

/// Files of private keys, by what they are; in PEM, on one line, without armour, in base64, in UTF-16.
fn key_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    let body: String = pem.lines().filter(|line| !line.contains("--")).collect();
    let lines: Vec<&str> = pem.lines().filter(|line| !line.contains("--")).collect();
    let texts: Vec<(&str, Vec<u8>)> = vec![
        ("pem", pem.clone().into_bytes()),
        ("one-line", pem.trim_end().replace('\n', " ").into_bytes()),
        ("body", body.into_bytes()),
        ("middle", lines[1..].join("\n").into_bytes()),
        ("base64", STANDARD.encode(&pem).into_bytes()),
        ("utf16", pem.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    let write = |(name, bytes): (&str, Vec<u8>)| {
        let file = folder.join(name);
        std::fs::write(&file, &bytes).unwrap();
        (file.display().to_string(), bytes)
    };
    texts.into_iter().map(write).collect()
}

/// What the program says that gets this on its standard input.
fn fed(url: &str, words: &[&str], input: &[u8]) -> (Option<i32>, String) {
    let output = common::program(url, "acme", &common::key().join("key"), words).input(input).output().unwrap();
    (output.status.code(), common::text(&[output.stdout, output.stderr].concat()))
}

const IMAGE: &str = "a5894692-bd32-4ca1-908a-e2dda3c3a5e6";

#[test]
fn a_private_key_is_never_sent_as_a_password() {
    let (url, received) = service();
    let folder = tempfile::tempdir().unwrap();
    let all = secrets();
    let own: Vec<String> = key_files(folder.path())
        .iter()
        .filter(|(name, _)| !name.ends_with("utf16"))
        .flat_map(|(_, bytes)| pieces(&common::text(bytes)))
        .collect();
    let create = ["machines", "create", "--image", IMAGE, "--package", IMAGE];
    for (words, option) in [
        (&["users", "create", "jill", "--email", "j@example.com"][..], "--password-file"),
        (&["users", "change-password", "jill"], "--password-file"),
        (&create, "--admin-password-file"),
        (&create, "--password-file"),
    ] {
        for (file, bytes) in key_files(folder.path()) {
            for more in [&[][..], &["--dry-run"]] {
                for value in [file.as_str(), "-"] {
                    let typed = [words, &[option, value], more].concat();
                    let (code, said) = fed(&url, &typed, &bytes);
                    assert_eq!(code, Some(2), "{typed:?}: {said}");
                    let expected =
                        if file.ends_with("middle") { "lines, and a password is one" } else { "private key" };
                    assert!(said.contains(expected), "{typed:?}: {said}");
                    assert!(!own.iter().any(|piece| said.contains(piece)), "{said}");
                }
            }
        }
    }
    assert!(received.lock().unwrap().is_empty());
    not_received(&received, &all);
}

#[test]
fn a_private_key_is_never_sent_as_a_script_an_attestation_or_a_body() {
    let (url, received) = service();
    let folder = tempfile::tempdir().unwrap();
    let (key, _) = key_files(folder.path()).swap_remove(0);
    let public = common::key().join("key.pub").display().to_string();
    let (at, text) = (format!("@{key}"), std::fs::read_to_string(&key).unwrap());
    for words in [
        &["machines", "metadata", "set", IMAGE, "--script", &key][..],
        &["machines", "create", "--image", IMAGE, "--package", IMAGE, "--cloud-config", &key],
        &["keys", "add", &public, "--attestation", &key],
        &["api", "POST", "/:login/keys", "-d", &at],
        &["api", "POST", "/:login/keys", "-d", &text],
    ] {
        let (code, said) = fed(&url, words, b"");
        assert_eq!(code, Some(2), "{words:?}: {said}");
        assert!(said.contains("private key, which must never be sent anywhere"), "{words:?}: {said}");
    }
    assert!(received.lock().unwrap().is_empty());
    // A script may hold one, and so may JSON.
    let script = folder.path().join("script");
    std::fs::write(&script, format!("#!/bin/sh\ncat > key <<EOF\n{text}EOF\n")).unwrap();
    let script = script.display().to_string();
    let body = serde_json::json!({ "key": text }).to_string();
    for words in
        [&["machines", "metadata", "set", IMAGE, "--script", &script][..], &["api", "POST", "/:login/x", "-d", &body]]
    {
        let (code, said) = fed(&url, words, b"");
        assert_ne!(code, Some(2), "{words:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_password_is_the_only_line_of_its_file_and_others_should_not_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let name = file.display().to_string();
    let words = ["users", "create", "jill", "--email", "j@example.com", "--password-file", &name, "--dry-run"];
    let said = |text: &str, mode: u32| {
        std::fs::write(&file, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&file, mode).unwrap();
        fed("http://127.0.0.1:1", &words, b"")
    };
    // One that was made by chance may look like a line of a key.
    for text in ["s3cretword", "s3cretword\n", "\u{feff}s3cretword\r\n", &format!("{}\n", &LINE[..64])] {
        let (code, words) = said(text, 0o600);
        assert!(code == Some(0) && words.contains("(redacted)") && !words.contains("warning"), "{words}");
    }
    let (code, words) = said("s3cretword\n", 0o644);
    assert!(code == Some(0) && words.contains("warning: the file of --password-file can be read by others"), "{words}");
    for text in ["s3cretword\nmore9words\n", "s3cretword\rmore9words", "\n", ""] {
        let (code, words) = said(text, 0o600);
        assert!(code == Some(2) && !words.contains("s3cret") && !words.contains("more9"), "{words}");
    }
}

#[test]
fn a_private_key_is_never_sent_as_the_name_of_a_tag() {
    let (url, received) = service();
    let folder = tempfile::tempdir().unwrap();
    let mut texts: Vec<String> =
        key_files(folder.path()).into_iter().filter_map(|(_, bytes)| String::from_utf8(bytes).ok()).collect();
    // No argument has a zero byte.
    texts.retain(|text| !text.contains('\0'));
    // Its padding parts it, at the end or before more; and a part of it alone.
    for body in texts.clone() {
        let body = body.trim_end().trim_end_matches('=');
        texts.extend([format!(" {body}=="), format!("{body}=x"), format!("-{body}=")]);
    }
    texts.push(format!("{LINE}="));
    texts.push(format!("{LINE}=x"));
    let create = |option: &'static str| vec!["machines", "create", "--image", IMAGE, "--package", IMAGE, option];
    for text in &texts {
        let own = pieces(text);
        let (joined, typed) = (format!("--metadata={text}"), format!("{text}:=1"));
        let object = serde_json::json!({ (text.clone()): "x" }).to_string();
        let mut all = Vec::new();
        for value in [text.as_str(), &typed, &object] {
            all.extend([
                vec!["machines", "metadata", "set", IMAGE, "--", value],
                vec!["machines", "tags", "set", IMAGE, "--", value],
                vec!["machines", "tags", "replace", IMAGE, "--", value],
                vec!["images", "tag", IMAGE, "--", value],
                [create("--tag"), vec![value]].concat(),
                [create("--metadata"), vec![value, "--dry-run"]].concat(),
                vec!["volumes", "create", "--tag", value],
                vec!["images", "create", IMAGE, "--name", "x", "--version", "1", "--tag", value],
            ]);
        }
        all.push(vec!["machines", "create", "--image", IMAGE, "--package", IMAGE, &joined]);
        let filter = format!("tag.{text}");
        all.push(vec!["machines", "list", &filter]);
        all.push(vec!["machines", "list", "--tag", text]);
        for words in all {
            let (code, said) = fed(&url, &words, b"");
            assert_eq!(code, Some(2), "{words:?}: {said}");
            assert!(!own.iter().any(|piece| said.contains(piece)), "{words:?}: {said}");
        }
    }
    assert!(received.lock().unwrap().is_empty(), "{}", common::text(&received.lock().unwrap()));
}

#[test]
fn long_lists_and_words_that_only_name_the_armour_are_no_secrets() {
    let (url, _) = service();
    let many = |word: &str, count: usize| vec![word; count].join(",");
    let uuids = many(IMAGE, 6);
    let members = (0..40).map(|at| format!("member{at}")).collect::<Vec<_>>().join(",");
    let pins = many("sha256//cJWC62VOZ5ZyQ6bbM2rCMTdT5yLRX4bJf8HGFs4zO3w=", 5);
    let columns = format!("json:{}", many("name,image,package", 20));
    let email = format!("{}@{}com", "a".repeat(64), "example.".repeat(18));
    for words in [
        &["images", "create", IMAGE, "x", "1", "--acl", &uuids, "--dry-run"][..],
        &["roles", "create", "x", "--member", &members, "--dry-run"],
        &["machines", "list", "--tls-pin", &pins, "--dry-run"],
        &["machines", "list", "-o", &columns],
        &["users", "update", IMAGE, "--email", &email, "--dry-run"],
        &["users", "update", IMAGE, &format!("email={email}"), "--dry-run"],
        &["machines", "list", "--jq", "map(select(.x==\"PRIVATE KEY\"))"],
        &["machines", "list", "tag.x=PRIVATE KEY"],
        &["machines", "list", "--tag", "x=PRIVATE KEY"],
    ] {
        let (code, said) = fed(&url, words, b"");
        assert_eq!(code, Some(0), "{words:?}: {said}");
    }
    // What is in a list is judged as it is alone.
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    let with = |text: &str| format!("{uuids},{text}");
    for text in [with(LINE), with("https://jill:Zx81QuackWord@h/"), with(&"x".repeat(201)), with(&pem)] {
        let (code, said) = fed(&url, &["images", "create", IMAGE, "x", "1", "--acl", &text, "--dry-run"], b"");
        assert_eq!(code, Some(2), "{text}: {said}");
        assert!(!pieces(&text)[0..].iter().any(|piece| said.contains(piece.as_str())), "{said}");
    }
}

#[test]
fn a_key_in_a_selector_a_query_or_an_expression_is_neither_shown_nor_sent() {
    let (url, received) = service();
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    let lines: Vec<&str> = pem.lines().filter(|line| !line.contains("--")).collect();
    let whole: String = pem.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let texts = [
        lines.concat(),
        lines[1..].concat(),
        lines[1..].join(" "),
        format!("role=web,{}", lines[1..].concat()),
        pem.replace(' ', "_"),
        pem.replace([' ', '\n'], ""),
        pem.replace(' ', "%2520").replace('\n', "%250A"),
        whole.clone(),
        whole.replace('%', "%25"),
    ];
    for text in &texts {
        let path = format!("/my/machines?x={text}");
        for words in [
            &["machines", "delete", "-y", "-l", text][..],
            &["machines", "stop", "-l", text, "--dry-run"],
            &["machines", "list", "--jq", text],
            &["api", "GET", &path],
        ] {
            // What has lines of the middle alone may be anything to jq and in a query.
            if lines[1..].iter().all(|line| text.contains(line)) && !text.contains("BEGIN") && words[1] != "delete" {
                continue;
            }
            let (code, said) = fed(&url, words, b"");
            assert_eq!(code, Some(2), "{words:?}: {said}");
            assert!(!pieces(text).iter().any(|piece| said.contains(piece)), "{words:?}: {said}");
        }
    }
    assert!(received.lock().unwrap().is_empty(), "{}", common::text(&received.lock().unwrap()));
}

#[test]
fn json_in_the_place_of_ids_is_called_so_also_where_it_holds_a_key() {
    let pem = std::fs::read_to_string(common::key().join("key")).unwrap();
    let rows = serde_json::json!([{ "id": IMAGE, "metadata": { "key": pem } }]);
    for input in [rows.to_string(), format!(" {rows:#}"), rows[0].to_string(), "[]".to_owned()] {
        for words in [&["machines", "delete", "-", "-y"][..], &["wait", "machines", "-", "--for", "state=running"]] {
            let (code, said) = fed("http://127.0.0.1:1", words, input.as_bytes());
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains("they are JSON") && said.contains("sdc machines list -o ids"), "{said}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_list_of_profiles_shows_of_a_url_what_is_used_and_waits_for_no_pipe() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".triton/profiles.d");
    std::fs::create_dir_all(&folder).unwrap();
    let profile = r#"{"url":"http://h.example/?token=Zx81Quack#Zx82Quack","account":"a","keyId":"aa:bb"}"#;
    std::fs::write(folder.join("one.json"), profile).unwrap();
    std::fs::write(folder.join("twice.json"), profile.replace("account", "url")).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("pipe.json")).status().unwrap().success());
    let output = asking("http://127.0.0.1:1", home.path(), &["profile", "list", "-o", "wide"]).output().unwrap();
    let (out, said) = (common::text(&output.stdout), common::text(&output.stderr));
    assert!(out.contains("http://h.example/ ") && !out.contains("Quack"), "{out}");
    assert!(said.contains("'url' is given twice") && !said.contains("Quack"), "{said}");
    assert!(!said.contains("pipe") && !said.contains("nothing came"), "{said}");
}

#[test]
fn a_password_in_the_address_of_sapi_is_not_shown_however_it_is_written() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.json");
    let near = ["http://u:PW@127.0.0.1:1", "u:PW@127.0.0.1:1", "https:/u:PW@127.0.0.1:1", r"https:\\u:PW@127.0.0.1:1"];
    let more = ["//u:PW@127.0.0.1:1", "http://127.0.0.1:1/#PW", "http://127.0.0.1:1?password=PW", "127.0.0.1:1/PW"];
    for typed in near.into_iter().chain(more).map(|typed| typed.replace("PW", "Zx83Quack")) {
        std::fs::write(&file, format!(r#"{{"sapi_domain":{}}}"#, Value::from(typed.as_str()))).unwrap();
        for value in [typed.as_str(), file.to_str().unwrap()] {
            for words in [&["doctor"][..], &["health"], &["discover"], &["vms", "list"]] {
                for form in [&[][..], &["-j"]] {
                    let words = [&["admin"], words, form].concat();
                    let mut sdc = asking("http://127.0.0.1:1", home.path(), &words);
                    let output = sdc.env("SDC_SAPI_URL", value).env("SDC_RETRY", "1s").output().unwrap();
                    let said = common::text(&output.stdout) + &common::text(&output.stderr);
                    assert!(!said.contains("Quack") && !output.status.success(), "{value} {words:?}: {said}");
                }
            }
        }
    }
}

#[test]
fn a_hint_that_repeats_the_line_leaves_out_the_value_of_an_option_that_is_called_as_a_secret_is() {
    for option in ["--password Zx84Quack", "--password=Zx84Quack", "--token Zx84Quack"] {
        let line = ["users", "create", "--login", "jj"].into_iter().chain(option.split(' ')).collect::<Vec<_>>();
        let (code, said) = fed("http://127.0.0.1:1", &line, b"");
        assert!(code == Some(2) && said.contains("sdc users create") && !said.contains("Quack"), "{said}");
    }
}

#[test]
fn a_certificate_is_not_added_as_a_key() {
    let folder = tempfile::tempdir().unwrap();
    for (name, ext) in [("id", "pub"), ("ca", "pub"), ("id", ""), ("ca", "")] {
        let to = folder.path().join(name).with_extension(ext);
        std::fs::copy(common::key().join("key").with_extension(ext), to).unwrap();
    }
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-s", "ca", "-I", "jill", "-n", "jill", "id.pub"])
        .current_dir(folder.path())
        .status();
    assert!(signed.unwrap().success());
    let certificate = folder.path().join("id-cert.pub").display().to_string();
    for words in [&["keys", "add", &certificate][..], &["users", "keys", "add", IMAGE, &certificate, "--dry-run"]] {
        let (code, said) = fed("http://127.0.0.1:1", words, b"");
        assert_eq!(code, Some(2), "{words:?}: {said}");
        assert!(said.contains("is a certificate") && said.contains("id.pub"), "{said}");
    }
}

#[test]
fn tags_and_words_that_are_searched_for_are_still_repeated_but_not_without_end() {
    let sdc = |words: &[&str]| {
        let output = common::program("http://127.0.0.1:1", "acme", &common::key().join("key"), words).output().unwrap();
        common::text(&output.stderr)
    };
    let long = "x".repeat(5000);
    let said = sdc(&["machines", "list", "-l", &format!("{long};")]);
    assert!(said.contains(&"x".repeat(50)) && !said.contains(&"x".repeat(201)), "{said}");
    assert!(sdc(&["machines", "tags", "set", "web1", "colour"]).contains("'colour'"));
    assert!(sdc(&["machines", "list", "colour=red"]).contains("'colour'"));
}

#[test]
fn a_private_key_in_the_path_of_a_request_is_neither_sent_nor_shown() {
    let (url, received) = service();
    let folder = tempfile::tempdir().unwrap();
    for (kind, bits) in [("rsa", "2048"), ("rsa", "4096"), ("ed25519", "256")] {
        let file = folder.path().join(format!("{kind}{bits}"));
        let form = if kind == "rsa" { "PEM" } else { "PKCS8" };
        let mut made = Command::new("ssh-keygen");
        made.args(["-q", "-t", kind, "-b", bits, "-m", form, "-N", "", "-f"]).arg(&file);
        assert!(made.status().unwrap().success());
        let pem = std::fs::read_to_string(&file).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for before in ["/acme/", "/acme/x/", "/acme/keys/", "/my/machines/", "/acme/keys?name="] {
            let words = ["api", "GET", &format!("{before}{body}")];
            let output = common::program(&url, "acme", &common::key().join("key"), &words).output().unwrap();
            let said = common::text(&[output.stdout.as_slice(), &output.stderr].concat());
            assert_eq!(output.status.code(), Some(2), "{before}: {said}");
            assert!(!said.contains(&body[..40]), "{before}: {said}");
        }
    }
    // Each line of one too, though slashes part it.
    let rsa = std::fs::read_to_string(folder.path().join("rsa2048")).unwrap();
    let lines = rsa.lines().filter(|line| line.len() == 64 && (1..=5).contains(&line.matches('/').count()));
    for line in lines.take(6) {
        for path in [
            format!("/acme/{line}"),
            format!("/acme/machines/{line}?action=stop"),
            format!("/acme/machines?name={line}"),
        ] {
            let words = ["api", "GET", path.as_str()];
            let output = common::program(&url, "acme", &common::key().join("key"), &words).output().unwrap();
            let said = common::text(&[output.stdout.as_slice(), &output.stderr].concat());
            assert!(output.status.code() == Some(2) && !said.contains(&line[..30]), "{path}: {said}");
        }
    }
    assert!(received.lock().unwrap().is_empty(), "something was sent");
    // Paths of the service are none.
    for path in [
        "/acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a/disks/d6e6e0b0-5b1c-4b4a-9b5e-3f3f8a3c2b10",
        "/:login/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a/tags/Environment-Of-The-Team?x=Production2024",
        "/my/users/b6979942-7d5d-4fe6-a2ec-b812e950625a/keys/0d:40:e2:4a:54:d4:17:a2:05:c1:5f:b9:1c:62:6b:d5",
        "/my/images?name=Base-64-LTS&version=24.4.1&state=active&limit=1000&offset=20&owner=b6979942-7d5d-4fe6-a2ec-b812e950625a",
    ] {
        let words = ["api", "GET", path, "--dry-run"];
        let output = common::program(&url, "acme", &common::key().join("key"), &words).output().unwrap();
        assert!(output.status.success(), "{path}: {}", common::text(&output.stderr));
    }
}
