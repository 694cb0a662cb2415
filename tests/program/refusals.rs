//! An agent that lists a key and refuses to sign with it, and what `~/.ssh/config` says of agents and keys: the
//! program, in a home of its own.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{Program, against, output, text};
use sdc::auth::PublicKey;
use sdc::emulator::{Emulator, Options};
use tempfile::TempDir;

/// A home whose `~/.ssh` has a key `id_ed25519`, and a cloud whose account has it too.
struct Home {
    dir: TempDir,
    emulator: Emulator,
    public: PublicKey,
}

impl Home {
    async fn new(passphrase: &str) -> Home {
        let dir = tempfile::tempdir().unwrap();
        let ssh = dir.path().join(".ssh");
        std::fs::create_dir(&ssh).unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-a", "1", "-C", "jill", "-N", passphrase, "-f"])
            .arg(ssh.join("id_ed25519"))
            .status();
        assert!(made.unwrap().success());
        let line = std::fs::read_to_string(ssh.join("id_ed25519.pub")).unwrap();
        let emulator = Emulator::start(Options::default()).await.unwrap();
        let home = Home { dir, emulator, public: PublicKey::from_line(&line).unwrap() };
        let file = ssh.join("id_ed25519.pub").display().to_string();
        let added = output(against(&home.emulator, &["keys", "add", &file])).await;
        assert!(added.status.success(), "{}", text(&added.stderr));
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The program in this home, with this agent and no key file.
    fn sdc(&self, words: &[&str], socket: Option<&Path>) -> Program {
        let mut command = against(&self.emulator, words);
        command.env("HOME", self.dir.path()).env_remove("SDC_KEY_FILE");
        command.envs(socket.map(|socket| ("SSH_AUTH_SOCK", socket)));
        command
    }

    async fn login(&self, socket: Option<&Path>) -> Output {
        output(self.sdc(&["account", "get", "--jq", ".login", "--raw"], socket)).await
    }
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let mut all = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    all.extend(bytes);
    all
}

/// An agent that lists this key, and answers a request to sign after a while with a refusal; and how often it was
/// asked to sign.
fn refusing(socket: &Path, public: &PublicKey, after: Duration) -> Arc<AtomicUsize> {
    let listener = UnixListener::bind(socket).unwrap();
    let blob = public.blob().to_vec();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut length = [0; 4];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            let _ = stream.read_exact(&mut request);
            let reply = match request.first() {
                Some(11) => [vec![12, 0, 0, 0, 1], string(&blob), string(b"jill")].concat(),
                _ => {
                    count.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(after);
                    vec![5]
                }
            };
            let _ = stream.write_all(&string(&reply));
        }
    });
    asked
}

#[tokio::test]
async fn the_file_of_a_key_signs_where_its_agent_refuses() {
    let home = Home::new("").await;
    let socket = home.path("agent");
    let asked = refusing(&socket, &home.public, Duration::ZERO);
    for id in [None, Some(home.public.md5()), Some("jill".to_owned())] {
        asked.store(0, Ordering::SeqCst);
        // Several requests, of which one asks the agent.
        let mut command = home.sdc(&["machines", "get", "web1", "--jq", ".name", "--raw"], Some(&socket));
        command.envs(id.map(|id| ("SDC_KEY_ID", id)));
        let said = output(command).await;
        let told = text(&said.stderr);
        assert_eq!((said.status.code(), text(&said.stdout).trim()), (Some(0), "web1"), "{told}");
        assert_eq!(told.matches("refused to sign; signed with the key's file").count(), 1, "{told}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "the agent refuses once");
    }
    // Without the .pub file the key is found all the same.
    std::fs::remove_file(home.path(".ssh/id_ed25519.pub")).unwrap();
    assert!(home.login(Some(&socket)).await.status.success());
    // Without the file it is the agent's refusal, and says what to do.
    std::fs::remove_file(home.path(".ssh/id_ed25519")).unwrap();
    let said = home.login(Some(&socket)).await;
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(4), "{told}");
    assert!(told.contains("refused to sign") && told.contains("--key-file FILE"), "{told}");
    home.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_real_agent_that_wants_a_confirmation_which_nobody_gives_is_no_dead_end() {
    let home = Home::new("").await;
    let socket = home.path("agent");
    // Without a program to ask with, every confirmation is denied.
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .env("SSH_ASKPASS", "/bin/false")
        .env_remove("DISPLAY")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let added = Command::new("ssh-add")
        .arg("-qc")
        .arg(home.path(".ssh/id_ed25519"))
        .env("SSH_AUTH_SOCK", &socket)
        .output()
        .unwrap();
    assert!(added.status.success(), "{}", text(&added.stderr));
    let said = home.login(Some(&socket)).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!((said.status.code(), text(&said.stdout).trim()), (Some(0), "acme"), "{}", text(&said.stderr));
    home.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_locked_file_behind_a_refusing_agent_takes_its_passphrase_from_the_file_of_it() {
    let home = Home::new("horse").await;
    let socket = home.path("agent");
    refusing(&socket, &home.public, Duration::ZERO);
    let said = home.login(Some(&socket)).await;
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(4), "{told}");
    assert!(told.contains("refused to sign") && told.contains("the key's file does not help"), "{told}");
    home.write("pass", "horse\n");
    std::fs::set_permissions(home.path("pass"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = home.sdc(&["account", "get", "--jq", ".login", "--raw"], Some(&socket));
    // As a profile or a variable has it: no shell has replaced the ~.
    command.env("SDC_KEY_PASSPHRASE_FILE", "~/pass");
    let said = output(command).await;
    assert_eq!(text(&said.stdout).trim(), "acme", "{}", text(&said.stderr));
    home.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn whoever_waits_for_the_agent_is_told_after_a_second_and_once() {
    let home = Home::new("").await;
    let socket = home.path("agent");
    refusing(&socket, &home.public, Duration::from_millis(2500));
    let said = home.login(Some(&socket)).await;
    let told = text(&said.stderr);
    assert!(said.status.success(), "{told}");
    assert_eq!(told.matches("waiting for touch or confirmation").count(), 1, "{told}");
    // Words on the way are not for those who want none.
    let said = output(home.sdc(&["account", "get", "-q"], Some(&socket))).await;
    assert_eq!(text(&said.stderr), "");
    home.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn the_agent_and_the_keys_that_ssh_is_told_of_are_looked_at() {
    let home = Home::new("").await;
    let real = home.path("the agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&real)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while std::os::unix::net::UnixStream::connect(&real).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let added =
        Command::new("ssh-add").arg("-q").arg(home.path(".ssh/id_ed25519")).env("SSH_AUTH_SOCK", &real).status();
    assert!(added.unwrap().success());
    std::fs::rename(home.path(".ssh/id_ed25519"), home.path("elsewhere")).unwrap();
    std::fs::remove_file(home.path(".ssh/id_ed25519.pub")).unwrap();
    assert_eq!(home.login(None).await.status.code(), Some(4));
    for (config, found) in [
        ("Host *\n  IdentityAgent \"~/the agent\"\n", true),
        ("Match host 127.*\n  IdentityAgent ~/the\\ agent\n", true),
        ("Host example.com\n  IdentityAgent \"~/the agent\"\n", false),
        ("IdentityFile ~/elsewhere\n", true),
        ("IdentityFile %d/elsewhere\nIdentityAgent none\n", true),
        ("IdentityFile ~/nowhere\nIdentityFile none\n", false),
        ("Match exec \"touch %d/ran\"\n  IdentityFile ~/elsewhere\n", false),
    ] {
        home.write(".ssh/config", config);
        let said = home.login(None).await;
        assert_eq!(said.status.success(), found, "{config}: {}", text(&said.stderr));
        let mut command = home.sdc(&["account", "get", "--jq", ".login", "--raw"], None);
        command.env("SDC_KEY_ID", home.public.md5());
        assert_eq!(output(command).await.status.success(), found, "{config}");
    }
    assert!(!home.path("ran").exists());
    // `none` is meant for the agent of the environment too.
    home.write(".ssh/config", "IdentityAgent none\n");
    let said = home.login(Some(&real)).await;
    let told = text(&said.stderr);
    assert!(!said.status.success() && told.contains("not asked: IdentityAgent none"), "{told}");
    // An agent that is gone hides neither the other nor a file.
    home.write(".ssh/config", "IdentityAgent ~/gone\n");
    assert!(home.login(Some(&real)).await.status.success());
    agent.kill().unwrap();
    agent.wait().unwrap();
    home.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_home_that_no_shell_has_replaced_is_found_in_every_setting() {
    let home = Home::new("").await;
    std::fs::create_dir_all(home.path(".triton/profiles.d")).unwrap();
    let profile = serde_json::json!({
        "url": home.emulator.url(), "account": "acme", "keyId": "~/.ssh/id_ed25519.pub",
    });
    home.write(".triton/profiles.d/own.json", &profile.to_string());
    home.write("ca.pem", "");
    let ask = ["account", "get", "--jq", ".login", "--raw"];
    for (words, variables) in [
        (&["--key-file=~/.ssh/id_ed25519"][..], &[][..]),
        (&["--key-id=~/.ssh/id_ed25519"], &[]),
        (&[], &[("SDC_KEY_FILE", "~/.ssh/id_ed25519")]),
        (&[], &[("TRITON_KEY_FILE", "~/.ssh/id_ed25519")]),
        (&[], &[("SDC_KEY_ID", "~/.ssh/id_ed25519.pub")]),
        (&[], &[("SDC_PROFILE", "own")]),
    ] {
        let mut command = home.sdc(&[&ask[..], words].concat(), None);
        command.envs(variables.iter().copied());
        let said = output(command).await;
        assert_eq!(text(&said.stdout).trim(), "acme", "{words:?} {variables:?}: {}", text(&said.stderr));
    }
    // Those that are only shown.
    let ca = home.path("ca.pem").display().to_string();
    for (words, variables) in [(&["--cacert=~/ca.pem"][..], &[][..]), (&[], &[("SDC_CACERT", "~/ca.pem")])] {
        let mut command = home.sdc(&[&["config", "show", "--json"], words].concat(), None);
        command.envs(variables.iter().copied());
        let said = output(command).await;
        assert!(text(&said.stdout).contains(&ca), "{words:?} {variables:?}: {}", text(&said.stdout));
    }
    // Files that an option names behind a =, and that a file names.
    home.write("motd", "hello");
    let words = ["machines", "metadata", "set", "web1", "--file=note=@~/motd", "--dry-run"];
    let mut command = home.sdc(&words, None);
    command.env("SDC_KEY_FILE", "~/.ssh/id_ed25519");
    let said = output(command).await;
    assert!(text(&said.stdout).contains("hello"), "{}{}", text(&said.stdout), text(&said.stderr));
    home.write("passwords", "{}");
    std::fs::set_permissions(home.path("passwords"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    // The second key lies beside the file.
    for key in ["~/.ssh/id_ed25519.pub", ".ssh/id_ed25519.pub"] {
        let team = r#"{"users":[{"login":"joe","email":"joe@example.com","keys":["KEY"]}]}"#;
        home.write("team.json", &team.replace("KEY", key));
        let mut command = home.sdc(&["rbac", "apply", "~/team.json", "--passwords-file=~/passwords", "--plan"], None);
        command.env("SDC_KEY_FILE", "~/.ssh/id_ed25519");
        let said = output(command).await;
        assert!(text(&said.stdout).contains("create key"), "{}{}", text(&said.stdout), text(&said.stderr));
    }
    home.emulator.stop().await.unwrap();
}
