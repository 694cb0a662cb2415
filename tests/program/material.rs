//! Keys that are given themselves, or were damaged on their way; files that others can read; what a dump of the process
//! shows; public keys of other programs; and what root leaves in a user's folder.
#![cfg(unix)]

use crate::common;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sdc::auth::{Ask, PrivateKey, PublicKey, no_passphrase};
use secrecy::SecretString;

const PASSPHRASE: &str = "correct horse";

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Dir(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), contents).unwrap();
        self.path(name)
    }

    fn sh(&self, line: &str) -> String {
        let output = Command::new("sh").args(["-c", line]).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Keys of every sort that there is, with the public half.
    fn keys(&self) -> Vec<(String, PublicKey)> {
        [
            "-t ed25519 -N ''",
            "-t rsa -b 2048 -m PEM -N ''",
            "-t ecdsa -m PEM -N ''",
            "-t ecdsa -m PKCS8 -N ''",
            "-t rsa -b 2048 -m PEM -N 'correct horse'",
            "-t ecdsa -m PKCS8 -N 'correct horse'",
            "-t ed25519 -a 1 -N 'correct horse'",
        ]
        .iter()
        .enumerate()
        .map(|(at, words)| {
            self.sh(&format!("ssh-keygen -q {words} -f k{at}"));
            let public = std::fs::read_to_string(self.path(&format!("k{at}.pub"))).unwrap();
            (std::fs::read_to_string(self.path(&format!("k{at}"))).unwrap(), PublicKey::from_line(&public).unwrap())
        })
        .collect()
    }
}

fn ask(_: Ask) -> sdc::Result<Option<SecretString>> {
    Ok(Some(PASSPHRASE.into()))
}

type Damage = (&'static str, fn(&str) -> Vec<u8>);

fn wide(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

/// What happens to keys in variables, in settings of CI, and in clipboards.
const DAMAGES: &[Damage] = &[
    ("blanks for line breaks", |key| key.trim_end().replace('\n', " ").into()),
    ("\\n for line breaks", |key| key.replace('\n', "\\n").into()),
    ("\\\\n for line breaks", |key| key.replace('\n', "\\\\n").into()),
    ("\\r\\n for line breaks", |key| key.replace('\n', "\\r\\n").into()),
    ("# for line breaks", |key| key.replace('\n', "#").into()),
    ("commas for line breaks", |key| key.replace('\n', ",").into()),
    ("; for line breaks", |key| key.replace('\n', ";").into()),
    ("| for line breaks", |key| key.trim_end().replace('\n', "|").into()),
    ("hexadecimal digits", |key| key.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into()),
    ("no line breaks", |key| key.replace('\n', "").into()),
    ("carriage returns", |key| key.replace('\n', "\r\n").into()),
    ("carriage returns alone", |key| key.replace('\n', "\r").into()),
    ("base64", |key| STANDARD.encode(key).into()),
    ("base64 of a URL", |key| URL_SAFE_NO_PAD.encode(key).into()),
    ("base64 in lines", |key| {
        STANDARD.encode(key).as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n").into()
    }),
    ("base64 twice", |key| STANDARD.encode(STANDARD.encode(key)).into()),
    ("base64 of UTF-16", |key| STANDARD.encode(wide(key, u16::to_le_bytes)).into()),
    ("double quotes", |key| format!("\"{}\"", key.trim_end()).into()),
    ("single quotes", |key| format!("'{}'\n", key.trim_end()).into()),
    ("quotes and \\n", |key| format!("\"{}\"", key.replace('\n', "\\n")).into()),
    ("blanks around", |key| format!("\n\n  {key}  \n\n").into()),
    ("UTF-16, little end", |key| [b"\xff\xfe".to_vec(), wide(key, u16::to_le_bytes)].concat()),
    ("UTF-16, big end", |key| [b"\xfe\xff".to_vec(), wide(key, u16::to_be_bytes)].concat()),
    ("UTF-16 without a mark", |key| wide(key, u16::to_le_bytes)),
    ("a mark of UTF-8", |key| format!("\u{feff}{key}").into()),
    ("indented", |key| key.lines().map(|line| format!("      {line}\n")).collect::<String>().into()),
    ("no last line break", |key| key.trim_end().into()),
    ("no BEGIN line", |key| key.split_once('\n').unwrap().1.into()),
    ("encoded for a URL", |key| key.replace('\n', "%0A").replace(' ', "%20").replace('+', "%2B").into()),
    ("a dash too few", |key| key.replace("-----BEGIN", "----BEGIN").into()),
    ("a certificate before", |key| {
        format!(
            "Bag Attributes\n    friendlyName: x\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n{key}"
        )
        .into()
    }),
    ("a certificate behind", |key| {
        format!("{key}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").into()
    }),
];

#[test]
fn a_key_that_was_damaged_in_a_usual_way_is_read() {
    let dir = Dir::new();
    for (key, public) in dir.keys() {
        for (name, damage) in DAMAGES {
            match PrivateKey::parse(&damage(&key), "FILE", &mut ask) {
                Ok(read) => assert_eq!(read.public().blob(), public.blob(), "{name}"),
                Err(error) => panic!("{name}: {error} of {}", key.lines().next().unwrap()),
            }
        }
        // Without any armour it is known by what it is; but an old encryption stands in the armour alone.
        if !key.contains("DEK-Info") {
            let bare: String =
                key.lines().filter(|line| !line.contains("-----")).map(|line| format!("{line}\n")).collect();
            let read = PrivateKey::parse(bare.as_bytes(), "FILE", &mut ask).unwrap();
            assert_eq!(read.public().blob(), public.blob());
        }
    }
}

#[test]
fn of_a_key_that_is_not_whole_the_damage_and_the_command_are_told() {
    let dir = Dir::new();
    let (key, _) = dir.keys().swap_remove(1);
    let mut lines: Vec<&str> = key.lines().collect();
    lines.remove(5);
    let key = lines.join("\n");
    for (name, words, command) in [
        ("blanks for line breaks", "its line breaks are lost", "sed -E"),
        ("\\n for line breaks", "\\n stands for its line breaks", "sed 's/\\\\n/\\n/g' < FILE"),
        ("# for line breaks", "# stands for its line breaks", "{ tr '#' '\\n'; echo; } < FILE > FILE.new"),
        ("commas for line breaks", ", stands for its line breaks", "{ tr ',' '\\n'; echo; } < FILE > FILE.new"),
        ("| for line breaks", "| stands for its line breaks", "{ tr '|' '\\n'; echo; } < FILE > FILE.new"),
        ("hexadecimal digits", "it is written in hexadecimal digits", "xxd -r -p < FILE > FILE.new"),
        ("base64", "it is base64 of a file", "base64 -d < FILE > FILE.new"),
        ("double quotes", "it has quotes around it", "{ tr -d \"'\\\"\"; echo; } < FILE > FILE.new"),
        ("UTF-16, little end", "it is UTF-16", "iconv -f UTF-16 -t UTF-8 < FILE > FILE.new"),
    ] {
        let (_, damage) = DAMAGES.iter().find(|(known, _)| *known == name).unwrap();
        let error = PrivateKey::parse(&damage(&key), "FILE", &mut no_passphrase).unwrap_err();
        assert_eq!(error.message(), format!("FILE is damaged: {words}, and what is left is not a whole key"));
        assert!(error.hints()[0].as_str().contains(command), "{:?}", error.hints());
    }
}

/// Each command makes of the damaged file one that ssh-keygen reads, and that nobody else can.
#[test]
fn the_commands_that_are_told_repair_what_they_are_told_of() {
    let dir = Dir::new();
    let (key, public) = dir.keys().swap_remove(0);
    let mut lines: Vec<&str> = key.lines().collect();
    lines.remove(3);
    let cut = lines.join("\n");
    let repaired = |name: &str, hint: &str| {
        dir.sh(&format!(
            "umask 022; rm -f FILE.new; {hint}; test $(stat -c %a FILE.new) = 600; sed -i '/^$/d' FILE.new"
        ));
        let line = dir.sh("chmod 600 FILE.new; ssh-keygen -y -P '' -f FILE.new");
        assert_eq!(PublicKey::from_line(&line).unwrap().blob(), public.blob(), "{name}");
    };
    for name in [
        "\\n for line breaks",
        "# for line breaks",
        "commas for line breaks",
        "; for line breaks",
        "| for line breaks",
        "base64",
        "double quotes",
        "UTF-16, little end",
        "blanks for line breaks",
    ] {
        let (_, damage) = DAMAGES.iter().find(|(known, _)| *known == name).unwrap();
        let error = PrivateKey::parse(&damage(&cut), "FILE", &mut no_passphrase).unwrap_err();
        dir.write("FILE", damage(&key));
        repaired(name, error.hints()[0].as_str());
    }
    // Packed keys are not read, whole or not.
    dir.write("FILE.txt", &key);
    for command in ["gzip -c FILE.txt > FILE", "gzip -c FILE.txt | base64 -w 0 > FILE"] {
        dir.sh(command);
        let error = PrivateKey::read(&dir.path("FILE"), &mut no_passphrase).unwrap_err();
        assert!(error.message().contains("gzip"), "{error}");
        repaired(command, error.hints()[0].as_str());
    }
}

/// The program with this key and nothing else, against a service that takes anything.
fn sdc(dir: &Dir, words: &[&str], vars: &[(&str, &str)], stdin: &[u8]) -> Output {
    let url = common::answering("200 OK\r\nContent-Type: application/json", b"[]".to_vec());
    let mut command = common::program(&url, "acme", Path::new("/nowhere"), words);
    command.env_remove("SDC_KEY_FILE").env("HOME", dir.0.path()).envs(vars.iter().copied()).input(stdin);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    common::text(&[output.stdout.as_slice(), &output.stderr].concat())
}

#[test]
fn the_key_comes_from_a_variable_as_it_is_or_by_its_path_and_from_standard_input() {
    let dir = Dir::new();
    let (key, public) = dir.keys().swap_remove(0);
    let (path, md5) = (dir.path("k0"), public.md5());
    let path = path.to_str().unwrap();
    let trace = ["api", "GET", "/my/machines", "--debug"];
    for vars in [
        &[("SDC_KEY_MATERIAL", key.as_str())][..],
        &[("TRITON_KEY_MATERIAL", &key)],
        &[("SDC_KEY_MATERIAL", path)],
        &[("SDC_KEY_MATERIAL", "~/k0")],
        &[("SDC_KEY_MATERIAL", &key), ("SDC_KEY_ID", &md5)],
        &[("SDC_KEY_MATERIAL", &key), ("TRITON_KEY_MATERIAL", "no key")],
        &[("SDC_KEY_FILE", path), ("SDC_KEY_MATERIAL", "no key")],
        &[("SDC_KEY_MATERIAL", &key), ("TRITON_KEY_FILE", "/nowhere")],
    ] {
        let output = sdc(&dir, &trace, vars, b"");
        assert!(output.status.success(), "{vars:?}: {}", said(&output));
    }
    let output = sdc(&dir, &["api", "GET", "/my/machines", "--key-file", "-"], &[], key.as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    let output = sdc(&dir, &["config", "show"], &[("SDC_KEY_MATERIAL", &key)], b"");
    let row = said(&output).lines().find(|line| line.starts_with("key-material")).unwrap().to_owned();
    assert_eq!(
        row.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect::<Vec<_>>(),
        ["key-material", "(a key, not shown)", "SDC_KEY_MATERIAL"]
    );
    let other =
        [("SDC_KEY_MATERIAL", key.as_str()), ("SDC_KEY_ID", "SHA256:cJWC62VOZ5ZyQ6bbM2rCMTdT5yLRX4bJf8HGFs4zO3w")];
    let output = sdc(&dir, &trace, &other, b"");
    assert!(said(&output).contains(&format!("error: the key in SDC_KEY_MATERIAL is {md5}")), "{}", said(&output));
    assert_eq!(output.status.code(), Some(4));
    let output = sdc(&dir, &trace, &[("SDC_KEY_MATERIAL", "/no/such/file")], b"");
    let words = "SDC_KEY_MATERIAL holds neither a key nor the path of one: there is no such file";
    assert!(said(&output).contains(words), "{}", said(&output));
    let doctor = said(&sdc(&dir, &["auth", "doctor"], &[("SDC_KEY_MATERIAL", "/no/such/file")], b""));
    assert!(doctor.contains(words) && !doctor.contains("chmod"), "{doctor}");
    let output = sdc(&dir, &["api", "GET", "/my/machines", "--key-file", "-"], &[], b"nothing");
    let told = "error: what came on standard input is not a key\n  hint: sdc … --key-file - < FILE";
    assert!(said(&output).starts_with(told), "{}", said(&output));
    assert!(!said(&output).contains("/no/such/file"), "{}", said(&output));
}

#[test]
fn a_key_a_fingerprint_or_a_public_key_where_the_path_of_a_key_belongs_is_called_what_it_is() {
    let dir = Dir::new();
    let (key, public) = dir.keys().swap_remove(0);
    let (key, line) = (key.trim_end(), std::fs::read_to_string(dir.path("k0.pub")).unwrap());
    let md5 = public.md5();
    let no_key = "the key itself: --key-file - reads it from standard input, SDC_KEY_MATERIAL holds it";
    for (words, message, hint) in [
        (&["machines", "list", "--key-file", key][..], "--key-file holds a key, not the path of one", no_key),
        (&["--key-file", key, "machines", "list"], "--key-file holds a key, not the path of one", no_key),
        (&["machines", "list", "-k", key], "--key-id holds a key, not the fingerprint or name of one", no_key),
        (&["machines", "list", "--tls-pin", key], "--tls-pin holds a key, not what is expected: ", ""),
        (&["keys", "add", key], "FILE holds a key, not the path of one", "the file of the public key"),
        (&["machines", "get", key], "MACHINE holds a key, not what is expected: ", ""),
        (&["machines", "get", "-----BEGIN", "OPENSSH PRIVATE KEY-----", "x"], "MACHINE holds a key", ""),
        (&["machines", "list", "--key-file", &md5], "there is no file", "a fingerprint is given by --key-id"),
        (&["keys", "add", line.trim_end()], "the argument is a public key itself", "… | sdc keys add -"),
        (&["machines", "list", "--cacert", "-"], "--cacert takes the path of a file, and - is none", "/dev/stdin"),
    ] {
        let told = said(&sdc(&dir, words, &[], b""));
        let (first, rest) = told.split_once('\n').unwrap_or((&told, ""));
        assert!(first.contains(message) && rest.contains(hint), "{words:?}: {told}");
        assert!(!told.contains(key.lines().nth(2).unwrap()), "{told}");
        let json = said(&sdc(&dir, &[words, &["--json"]].concat(), &[], b""));
        assert!(json.contains("\"message\"") && json.contains(message), "{json}");
    }
    for (variable, text, hint) in [
        ("SDC_KEY_ID", key, "the key itself: SDC_KEY_MATERIAL"),
        ("SDC_KEY_FILE", md5.as_str(), "a fingerprint is given by --key-id, or SDC_KEY_ID"),
        ("SDC_KEY_FILE", "-", "/dev/stdin"),
    ] {
        let told = said(&sdc(&dir, &["machines", "list"], &[(variable, text)], b""));
        assert!(told.contains(hint), "{variable}: {told}");
    }
}

#[test]
fn of_two_keys_in_a_file_the_first_is_read_and_it_is_said() {
    let dir = Dir::new();
    let keys = dir.keys();
    let file = dir.write("both", format!("{}{}", keys[0].0, keys[1].0));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let vars = [("SDC_KEY_FILE", file.to_str().unwrap())];
    let words = format!("holds more than one private key, and only the first is read: {}", keys[0].1.md5());
    let told = said(&sdc(&dir, &["machines", "list"], &vars, b""));
    assert!(told.contains(&format!("note: {} {words}", file.display())), "{told}");
    assert!(said(&sdc(&dir, &["auth", "doctor"], &vars, b"")).contains(&words));
}

/// Each ends by itself, within what a file may take, and says what is the matter.
#[test]
fn what_is_no_file_is_an_error_wherever_a_file_is_read() {
    let dir = Dir::new();
    dir.keys();
    dir.sh("mkfifo pipe; mkdir folder");
    let (fifo, folder, key) = (dir.path("pipe"), dir.path("folder"), dir.path("k0"));
    let key = key.to_str().unwrap();
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for path in
            [fifo.to_str().unwrap(), folder.to_str().unwrap(), "/dev/zero", "/proc/kmsg", "/dev/tty", "/dev/null"]
        {
            for words in [
                vec!["machines", "list", "--key-file", path],
                vec!["machines", "list", "--key-id", path],
                vec!["machines", "list", "--cacert", path],
                vec!["keys", "add", path],
            ] {
                let dir = &dir;
                scope.spawn(move || {
                    let own = words.contains(&"--key-file") || words.contains(&"--key-id");
                    let vars: &[(&str, &str)] = if own { &[] } else { &[("SDC_KEY_FILE", key)] };
                    let output = sdc(dir, &words, vars, b"");
                    assert!(matches!(output.status.code(), Some(2 | 4)), "{words:?}: {}", said(&output));
                    assert!(said(&output).starts_with("error: "), "{words:?}: {}", said(&output));
                });
            }
        }
    });
    assert!(began.elapsed() < std::time::Duration::from_secs(100), "{:?}", began.elapsed());
    // What a shell's <(…) is, and standard input by its path.
    let line = format!("cat {key} | SDC_KEY_FILE=/dev/stdin {} config show", env!("CARGO_BIN_EXE_sdc"));
    dir.sh(&line);
    let line = format!("{} api GET /my/machines --dry-run --key-file /dev/stdin < {key}", env!("CARGO_BIN_EXE_sdc"));
    assert!(dir.sh(&format!("SDC_URL=http://127.0.0.1:1 SDC_ACCOUNT=acme {line}")).contains("GET"));
}

#[test]
fn variables_of_other_tools_are_named_once() {
    let dir = Dir::new();
    let vars = [("TRITON_SKIP_TLS_VERIFY", "1"), ("TRITON_RBAC_USER", "u"), ("SDC_KEY_PASSPHRASE", "hunter2secret")];
    let output = sdc(&dir, &["config", "show"], &vars, b"");
    assert_eq!(
        common::text(&output.stderr),
        "warning: set, and not read by sdc: TRITON_SKIP_TLS_VERIFY (here: SDC_TLS_INSECURE), TRITON_RBAC_USER (here: \
         SDC_USER), SDC_KEY_PASSPHRASE (here: SDC_KEY_PASSPHRASE_FILE)\n"
    );
    assert!(!said(&output).contains("hunter2secret"));
    // What says the same as a setting of sdc's own, as `sdc env` has it, is not a mistake.
    let vars = [("TRITON_SKIP_TLS_VERIFY", "true"), ("SDC_TLS_INSECURE", "true")];
    assert_eq!(common::text(&sdc(&dir, &["config", "show"], &vars, b"").stderr), "");
}

#[test]
fn a_passphrase_or_a_key_that_others_can_read_is_taken_with_a_warning_and_the_doctor_says_so() {
    let dir = Dir::new();
    dir.keys();
    let pass = dir.write("pass", "correct horse\n");
    let (key, pass) = (dir.path("k6"), pass.to_str().unwrap().to_owned());
    let mode = |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let vars = [("SDC_KEY_FILE", key.to_str().unwrap()), ("SDC_KEY_PASSPHRASE_FILE", &pass)];
    for (of_pass, of_key) in
        [(0o600, 0o600), (0o444, 0o600), (0o640, 0o600), (0o666, 0o640), (0o400, 0o644), (0o400, 0o602)]
    {
        mode(Path::new(&pass), of_pass);
        mode(&key, of_key);
        let output = sdc(&dir, &["machines", "list"], &vars, b"");
        assert!(output.status.success(), "{}", said(&output));
        let words = common::text(&output.stderr);
        assert_eq!(
            words.contains("warning: the file that SDC_KEY_PASSPHRASE_FILE names can be"),
            of_pass & 0o077 != 0,
            "{words}"
        );
        assert_eq!(words.contains("warning: the private key"), of_key & 0o077 != 0, "{words}");
        let doctor = common::text(&sdc(&dir, &["auth", "doctor"], &vars, b"").stdout);
        assert_eq!(doctor.contains("warn  passphrase"), of_pass & 0o077 != 0, "{doctor}");
        assert_eq!(doctor.contains("warn  key"), of_key & 0o077 != 0, "{doctor}");
    }
}

/// Beside another program that is ended in the same way and leaves one.
#[cfg(target_os = "linux")]
#[test]
fn no_core_dump_of_the_program_is_left() {
    use std::os::unix::process::ExitStatusExt as _;
    let dir = Dir::new();
    let aborted = |program: &str| {
        let line = format!("ulimit -c unlimited 2>/dev/null; exec {program}");
        let mut child = Command::new("sh")
            .args(["-c", &line])
            .current_dir(dir.0.path())
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        // It runs when it has said something.
        let mut first = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
        Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
        child.wait().unwrap().core_dumped()
    };
    let dumped = aborted(&format!("{} emulator serve --listen 127.0.0.1:0", env!("CARGO_BIN_EXE_sdc")));
    assert!(!dumped, "the program was dumped, and another one: {}", aborted("sh -c 'echo x; exec sleep 60'"));
}

/// What a program that is started inherits would take the dumps from it too.
#[test]
fn a_program_that_is_started_can_be_dumped_as_before() {
    let dir = Dir::new();
    let mut command = common::program(
        "",
        "",
        Path::new(""),
        &["emulator", "exec", "--", "sh", "-c", "ulimit -c; stat -c %u /proc/self/mem"],
    );
    let inside = common::text(&command.env("PATH", "/usr/bin:/bin").process().output().unwrap().stdout);
    assert_eq!(inside, dir.sh("ulimit -c; stat -c %u /proc/self/mem"));
}

#[test]
fn too_few_open_files_are_an_error_and_no_panic() {
    let dir = Dir::new();
    dir.keys();
    for limit in 4..=12 {
        for words in ["machines list", "auth doctor", "keys add k0.pub", "profile create x", "machines watch --count 1"]
        {
            let line = format!("ulimit -n {limit}; exec {} {words}", env!("CARGO_BIN_EXE_sdc"));
            let output = Command::new("sh")
                .args(["-c", &line])
                .current_dir(dir.0.path())
                .env_clear()
                .envs(common::told_of("http://127.0.0.1:1", "acme", &dir.path("k0")))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let words = said(&output);
            assert!(!words.contains("panicked"), "{limit}: {words}");
            // Some 120: the shell or the loader had too few itself.
            assert!(output.status.code().is_some_and(|code| code != 101), "{limit}: {:?} {words}", output.status);
        }
    }
}

/// What asks the service for names while somebody types does so on a thread of its own.
#[cfg(target_os = "linux")]
#[test]
fn where_no_thread_can_start_completion_offers_no_names_and_does_not_panic() {
    use std::os::unix::process::CommandExt as _;
    // The limit is not for the superuser.
    const NOBODY: u32 = 91_031;
    let (dir, is_root) = (Dir::new(), rustix::process::geteuid().is_root());
    dir.keys();
    let asked = |words: &str| {
        let line = format!("cd /; ulimit -u 1 && exec {} {words}", env!("CARGO_BIN_EXE_sdc"));
        let mut command = Command::new("bash");
        command.args(["-c", &line]).env_clear().envs(common::told_of("http://127.0.0.1:1", "acme", &dir.path("k0")));
        command.env("SDC_COMPLETE", "bash").stdin(Stdio::null());
        if is_root {
            command.uid(NOBODY);
        }
        command.output().unwrap()
    };
    // Another user need not reach the program, and not every system knows the limit.
    if asked("-- 'sdc machi' machi 9").status.code() != Some(0) {
        return;
    }
    for words in ["'sdc machines stop w' w 18", "'sdc machines list -l ro' ro 23"] {
        let said = asked(&format!("-- {words}"));
        let told = (said.status.code(), String::from_utf8_lossy(&said.stdout).into_owned());
        assert_eq!(told, (Some(0), String::new()), "{words}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn public_keys_of_other_programs_come_with_the_command_that_converts_them() {
    let dir = Dir::new();
    dir.sh("ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -C x -f key");
    dir.sh("ssh-keygen -e -m RFC4716 -f key.pub > rfc; ssh-keygen -e -m PKCS8 -f key.pub > spki; ssh-keygen -e -m PEM -f key.pub > pkcs1");
    dir.sh("iconv -t UTF-16 < key.pub > wide; printf '\\357\\273\\277' | cat - key.pub > marked; cat key.pub key.pub > two");
    dir.sh("openssl req -x509 -key key -subj /CN=x -out cert 2>/dev/null");
    let public = PublicKey::from_line(&dir.sh("cat key.pub")).unwrap();
    for (name, what) in [
        ("rfc", "is a public key in the form of RFC 4716"),
        ("spki", "is a public key in PEM (SPKI)"),
        ("pkcs1", "is a public key in PEM (PKCS#1)"),
        ("wide", "is UTF-16"),
        ("two", "holds 2 keys, and one is expected"),
        ("cert", "is a certificate, not a public key"),
    ] {
        let error = PublicKey::from_file(name, &std::fs::read(dir.path(name)).unwrap()).unwrap_err();
        assert_eq!(error.message(), format!("{name} {what}"));
        // What stands before the last pipe is the key as OpenSSH writes it.
        let hint = error.hints()[0].as_str();
        let hint = hint.split_once(": ").map_or(hint, |(_, command)| command);
        let command = hint.rsplit_once(" | keys add -").unwrap().0;
        assert_eq!(PublicKey::from_line(&dir.sh(command)).unwrap().blob(), public.blob(), "{command}");
    }
    assert_eq!(
        PublicKey::from_file("marked", &std::fs::read(dir.path("marked")).unwrap()).unwrap().blob(),
        public.blob()
    );
    let ppk = PublicKey::from_file("x.ppk", b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n").unwrap_err();
    assert_eq!(ppk.hints(), ["puttygen x.ppk -L | keys add -"]);
    let output = sdc(
        &dir,
        &["keys", "add", dir.path("two").to_str().unwrap()],
        &[("SDC_KEY_FILE", dir.path("key").to_str().unwrap())],
        b"",
    );
    assert!(said(&output).contains("holds 2 keys, and one is expected"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(2));
    let named = sdc(&dir, &["machines", "list", "--key-id", "./two.pub"], &[], b"");
    assert_eq!(named.status.code(), Some(4));
}

#[test]
fn a_mark_before_a_profile_and_before_ids_is_no_part_of_them() {
    let dir = Dir::new();
    dir.sh("mkdir -p .triton/profiles.d; ssh-keygen -q -t ed25519 -N '' -f key");
    dir.write(
        ".triton/profiles.d/p.json",
        "\u{feff}{\"url\":\"http://127.0.0.1:1\",\"account\":\"acme\",\"keyId\":\"aa:bb\"}",
    );
    dir.write(".triton/config.json", "\u{feff}{\"profile\":\"p\"}");
    let home = dir.0.path();
    let output =
        common::program("", "", Path::new(""), &["config", "show", "--jq", ".[]|select(.name==\"account\").value"])
            .env("HOME", home)
            .env_remove("SDC_URL")
            .env_remove("SDC_ACCOUNT")
            .env_remove("SDC_KEY_FILE")
            .output()
            .unwrap();
    assert_eq!(said(&output), "\"acme\"\n");
    let ids = "\u{feff}a5894692-bd32-4ca1-908a-e2dda3c3a5e6\n";
    let key = [("SDC_KEY_FILE", dir.path("key").to_str().unwrap().to_owned())];
    let vars: Vec<(&str, &str)> = key.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = sdc(&dir, &["machines", "stop", "-", "--dry-run"], &vars, ids.as_bytes());
    assert!(
        said(&output).contains("/acme/machines/a5894692-bd32-4ca1-908a-e2dda3c3a5e6?action=stop"),
        "{}",
        said(&output)
    );
}

/// Only root can try it; who is not root has nothing to lose.
#[test]
fn what_root_makes_in_a_users_folder_is_the_users() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = Dir::new();
    let am_root = std::fs::metadata(dir.write("mine", "")).unwrap().uid() == 0;
    std::fs::create_dir(dir.path("home")).unwrap();
    let owner = if am_root { 12_345 } else { std::fs::metadata(dir.path("mine")).unwrap().uid() };
    if am_root {
        std::os::unix::fs::chown(dir.path("home"), Some(owner), Some(owner)).unwrap();
    }
    let key_id = "SHA256:cJWC62VOZ5ZyQ6bbM2rCMTdT5yLRX4bJf8HGFs4zO3w";
    let words = ["profile", "create", "p", "--use", "--key-id", key_id];
    let mut command = common::program("http://127.0.0.1:1", "acme", Path::new("/nowhere"), &words);
    let output = command.env("HOME", dir.path("home")).env_remove("SDC_KEY_FILE").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for name in
        [".triton", ".triton/config.json", ".triton/profiles.d", ".triton/profiles.d/p.json", ".triton/.sdc.lock"]
    {
        assert_eq!(std::fs::metadata(dir.path("home").join(name)).unwrap().uid(), owner, "{name}");
    }
}
