//! ssh, scp and ip: what the real tools are told, by scripts in their place that print it.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use crate::common;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;

use sdc::emulator::{Emulator, Options, Pace};

/// The commands, as the program calls them.
const SSH: &[&str] = &["machines", "ssh"];
const SCP: &[&str] = &["machines", "scp"];
const IP: &[&str] = &["machines", "ip"];

const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const WEB10: &str = "9e04d7b1-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB0: &str = "51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

/// A cloud, and a folder with the tools.
struct Cloud {
    env: Vec<(&'static str, String)>,
    tools: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Scripts that say what they were told, each word in brackets, but for the key that is first; `$END` is how they end.
fn tools() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["ssh", "scp"] {
        let file = dir.path().join(name);
        std::fs::write(
            &file,
            "#!/bin/sh\n[ \"$1\" = -i ] && key=$2 && shift 2\nprintf '[%s]' \"$@\"\n[ -z \"$END\" ] || eval \"$END\"\n",
        )
        .unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

impl Cloud {
    fn start() -> Cloud {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let emulator = Emulator::start(Options { pace: Pace::Stepped, ..Options::default() }).await.unwrap();
                tell.send(vec![
                    ("SDC_URL", emulator.url().to_owned()),
                    ("SDC_ACCOUNT", emulator.account().to_owned()),
                    ("SDC_KEY_ID", emulator.key_id().to_owned()),
                    ("SDC_KEY_FILE", emulator.key_file().display().to_string()),
                ])
                .unwrap();
                let _ = stopped.await;
                emulator.stop().await.unwrap();
            });
        });
        Cloud { env: told.recv().unwrap(), tools: tools(), stop: Some(stop), thread: Some(thread) }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = sdc(self.tools.path(), words);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, command: &[&str], words: &[&str]) -> Output {
        self.command(&[command, words].concat()).output().unwrap()
    }

    /// What is printed, where that goes well.
    fn told(&self, command: &[&str], words: &[&str]) -> String {
        let output = self.run(command, words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The exit code and the words of a failure, after which no tool was run.
    fn refused(&self, command: &[&str], words: &[&str]) -> (i32, String) {
        refused(&self.run(command, words))
    }

    /// Gives a machine tags, beside those it has.
    fn tag(&self, machine: &str, tags: &serde_json::Value) {
        let path = format!("/:login/machines/{machine}/tags");
        self.told(&["api"], &["POST", &path, "-d", &tags.to_string()]);
        self.told(&["api"], &["POST", "/--emulator/clock", "-d", r#"{"advance":"600s"}"#]);
    }

    /// The paths that were asked for since the last time.
    fn requests(&self) -> Vec<String> {
        let seen = self.told(&["api"], &["GET", "/--emulator/requests"]);
        self.told(&["api"], &["DELETE", "/--emulator/requests"]);
        let seen: Vec<serde_json::Value> = serde_json::from_str(&seen).unwrap();
        seen.iter().map(|request| request["path"].as_str().unwrap().to_owned()).collect()
    }

    fn ip(&self, machine: &str, which: &[&str]) -> String {
        self.told(IP, &[which, &[machine]].concat()).trim_end().to_owned()
    }
}

fn sdc(tools: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
    command.args(words).env_clear().env("HOME", tools).env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
    command.stdin(Stdio::null());
    command
}

fn refused(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn ssh_goes_to_the_primary_address_as_the_user_of_the_image() {
    let cloud = Cloud::start();
    let (web1, db0) = (cloud.ip("web1", &[]), cloud.ip("db0", &[]));
    assert_eq!(cloud.told(SSH, &["web1"]), format!("[-o][HostKeyAlias={WEB1}][root@{web1}]"));
    assert_eq!(cloud.told(SSH, &["db0"]), format!("[-o][HostKeyAlias={DB0}][ubuntu@{db0}]"));
    for words in [&["jill@db0"][..], &["-l", "jill", "db0"], &["--login=jill", "jill@db0"]] {
        assert_eq!(cloud.told(SSH, words), format!("[-o][HostKeyAlias={DB0}][jill@{db0}]"));
    }
    assert_eq!(cloud.told(SSH, &["--no-host-key-alias", "51b7c6ea"]), format!("[ubuntu@{db0}]"));
    let (code, words) = cloud.refused(SSH, &["-l", "jack", "jill@db0"]);
    assert!(code == 2 && words.contains("contradicts"), "{words}");
}

#[test]
fn what_stands_behind_the_machine_reaches_ssh_as_it_is_and_settles_what_it_names() {
    let cloud = Cloud::start();
    cloud.tag(DB0, &serde_json::json!({ "tritoncli.ssh.port": 2222, "tritoncli.ssh.proxy": "web1" }));
    let (web1, db0) = (cloud.ip("web1", &[]), cloud.ip("db0", &[]));
    let whole = format!("[-o][HostKeyAlias={DB0}][-o][ProxyJump=root@{web1}][-p][2222][ubuntu@{db0}]");
    assert_eq!(
        cloud.told(SSH, &["db0", "-L", "8080:localhost:80", "--", "uptime", "--json", "-p"]),
        format!("{whole}[-L][8080:localhost:80][--][uptime][--json][-p]")
    );
    assert_eq!(cloud.told(SSH, &["db0", "--", "ls", "a b", "$x", ""]), format!("{whole}[ls][a b][$x][]"));
    assert_eq!(cloud.told(SSH, &["--", "db0", "ls"]), format!("{whole}[ls]"));
    for (own, expected) in [
        (&["-p", "22"][..], format!("[-o][HostKeyAlias={DB0}][-o][ProxyJump=root@{web1}][ubuntu@{db0}][-p][22]")),
        (&["-Jhop"], format!("[-o][HostKeyAlias={DB0}][-p][2222][ubuntu@{db0}][-Jhop]")),
        (&["-oHostKeyAlias=db"], format!("[-o][ProxyJump=root@{web1}][-p][2222][ubuntu@{db0}][-oHostKeyAlias=db]")),
        (&["-l", "jill"], format!("[-o][HostKeyAlias={DB0}][-o][ProxyJump=jill@{web1}][-p][2222][{db0}][-l][jill]")),
    ] {
        assert_eq!(cloud.told(SSH, &[&["db0"], own].concat()), expected);
    }
}

#[test]
fn tags_name_address_port_and_bastions_in_a_row() {
    let cloud = Cloud::start();
    let inner = cloud.ip("web10", &["--private"]);
    cloud.tag(DB0, &serde_json::json!({ "tritoncli.ssh.proxy": "web10", "tritoncli.ssh.port": "2222" }));
    cloud.tag(
        WEB10,
        &serde_json::json!({
            "tritoncli.ssh.ip": inner, "tritoncli.ssh.port": 2022,
            "tritoncli.ssh.proxy": WEB1, "tritoncli.ssh.proxyuser": "hop",
        }),
    );
    let (web1, db0) = (cloud.ip("web1", &[]), cloud.ip("db0", &[]));
    let aliased = format!("[-o][HostKeyAlias={DB0}]");
    let jump = format!("[-o][ProxyJump=root@{web1},hop@{inner}:2022]");
    assert_eq!(cloud.told(SSH, &["db0"]), format!("{aliased}{jump}[-p][2222][ubuntu@{db0}]"));
    // The user that was typed is who logs in at a bastion too, unless its tag names another.
    let jump = format!("[-o][ProxyJump=jill@{web1},hop@{inner}:2022]");
    assert_eq!(cloud.told(SSH, &["jill@db0"]), format!("{aliased}{jump}[-p][2222][jill@{db0}]"));
    assert_eq!(cloud.told(SSH, &["--no-proxy", "db0"]), format!("{aliased}[-p][2222][ubuntu@{db0}]"));
    let jump = format!("[-o][ProxyJump=root@{web1}]");
    assert_eq!(cloud.told(SSH, &["--proxy", "web1", "db0"]), format!("{aliased}{jump}[-p][2222][ubuntu@{db0}]"));
    // What a bastion says of its own address is for itself alone.
    assert_eq!(
        cloud.told(SSH, &["--no-proxy", "web10"]),
        format!("[-o][HostKeyAlias={WEB10}][-p][2022][root@{inner}]")
    );

    cloud.tag(WEB1, &serde_json::json!({ "tritoncli.ssh.proxy": "db0" }));
    let (code, words) = cloud.refused(SSH, &["db0"]);
    assert!(code == 1 && words.contains("db0 through web10 through web1 through db0"), "{words}");
    let (_, words) = cloud.refused(SSH, &["--proxy", "win", "--no-proxy", "db0"]);
    assert!(words.contains("cannot be used with"), "{words}");
    let (code, words) = cloud.refused(SSH, &["--proxy", "nowhere", "db0"]);
    assert!(code == 3 && words.contains("bastion of db0: no machine named 'nowhere'"), "{words}");
}

#[test]
fn an_address_is_chosen_by_what_reaches_it_or_by_its_network() {
    let cloud = Cloud::start();
    let (public, private) = (cloud.ip("web1", &["--public"]), cloud.ip("web1", &["--private"]));
    assert!(public.starts_with("198.18.") && private.starts_with("192.168."), "{public} {private}");
    cloud.tag(WEB1, &serde_json::json!({ "tritoncli.ssh.ip": public }));
    for (option, ip) in [
        (&["--private"][..], &private),
        (&["--public"], &public),
        (&["--network", "My-Fabric-Network"], &private),
        (&["-N", "f2e6b8ca"], &public),
        (&[], &public),
    ] {
        let words = [option, &["root@web1"]].concat();
        assert_eq!(cloud.told(SSH, &words), format!("[-o][HostKeyAlias={WEB1}][root@{ip}]"), "{option:?}");
    }
    let (code, words) = cloud.refused(SSH, &["--public", "db0"]);
    assert!(code == 3 && words.contains("machine db0 has no public address\n  hint: it has 192.168."), "{words}");
    let (code, _) = cloud.refused(SSH, &["--network", "nowhere", "db0"]);
    assert_eq!(code, 3);
}

#[test]
fn tags_that_would_be_more_than_they_say_never_reach_ssh() {
    let cloud = Cloud::start();
    for (machine, tag, value) in [
        (DB0, "tritoncli.ssh.ip", "-oProxyCommand=reboot"),
        (DB0, "tritoncli.ssh.ip", "203.0.113.7"),
        (DB0, "tritoncli.ssh.port", "22 -oProxyCommand=reboot"),
        (DB0, "tritoncli.ssh.port", "-1"),
        (WEB10, "tritoncli.ssh.proxyuser", "-oProxyCommand=reboot"),
        (WEB10, "tritoncli.ssh.proxyuser", "a@203.0.113.7,b"),
        (WEB10, "tritoncli.ssh.proxyuser", "a\u{1b}[2J"),
        (WEB10, "tritoncli.ssh.port", "22,203.0.113.7"),
    ] {
        cloud.tag(DB0, &serde_json::json!({ "tritoncli.ssh.proxy": "web10" }));
        cloud.tag(machine, &serde_json::json!({ tag: value }));
        let (code, words) = cloud.refused(SSH, &["db0"]);
        assert!(code == 1 && words.contains(&format!("its tag {tag} =")) && !words.contains('\u{1b}'), "{words}");
        assert_eq!(cloud.refused(SCP, &["db0:/etc/hosts", "."]), (code, words));
        cloud.told(&["api"], &["DELETE", &format!("/:login/machines/{machine}/tags")]);
        cloud.told(&["api"], &["POST", "/--emulator/clock", "-d", r#"{"advance":"600s"}"#]);
    }
}

const FEW: &str = "200 OK\r\nContent-Type: application/json";

fn answered(answers: &[(&'static str, &'static str)], words: &[&str]) -> Output {
    let (url, _) = common::in_turn(answers.to_vec());
    let tools = tools();
    let mut command = sdc(tools.path(), words);
    command.env("SDC_URL", url).env("SDC_ACCOUNT", "acme").env("SDC_KEY_FILE", common::key().join("key"));
    command.output().unwrap()
}

#[test]
fn an_image_that_names_an_option_for_a_user_is_refused_and_one_that_is_gone_means_root() {
    let machine = r#"{"id":"51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d","name":"db0","state":"running",
        "image":"c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01","nics":[{"ip":"fd00::7","primary":true,"network":"x"}]}"#;
    let odd = (
        FEW,
        r#"{"id":"c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01","name":"odd","tags":{"default_user":"-oProxyCommand=reboot"}}"#,
    );
    let (code, words) = refused(&answered(&[(FEW, machine), odd], &[SSH, &[DB0]].concat()));
    assert!(code == 1 && words.contains("image odd: its tag default_user = '-oProxyCommand=reboot'"), "{words}");
    let gone = ("404 Not Found", r#"{"code":"ResourceNotFound","message":"image not found"}"#);
    let output = answered(&[(FEW, machine), gone], &[SSH, &[DB0]].concat());
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("[-o][HostKeyAlias={DB0}][root@fd00::7]"));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("warning: ") && words.contains("logging in as root"), "{words}");
    let output = answered(&[(FEW, machine)], &[SCP, &["jill@51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d:x", "."]].concat());
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("[-o][HostKeyAlias={DB0}][--][jill@[fd00::7]:x][.]"));
}

#[test]
fn a_machine_is_asked_for_once_and_its_image_only_where_nobody_was_named() {
    let cloud = Cloud::start();
    cloud.requests();
    let machine = format!("/acme/machines/{DB0}");
    let image = "/acme/images/c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01".to_owned();
    for (words, expected) in [
        (&["jill@51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d"][..], vec![machine.clone()]),
        (&[DB0], vec![machine.clone(), image.clone()]),
        (&[DB0, "-l", "jill"], vec![machine.clone()]),
        (&["jill@db0"], vec!["/acme/machines?name=db0&limit=1000".to_owned()]),
        (&["--private", "jill@51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d"], vec!["/acme/networks".to_owned(), machine]),
    ] {
        cloud.told(SSH, words);
        assert_eq!(cloud.requests(), expected, "{words:?}");
    }
    cloud.told(SCP, &["db0:a", "db0:b", "db0:c", "."]);
    assert_eq!(cloud.requests(), ["/acme/machines?name=db0&limit=1000".to_owned(), image]);
}

#[test]
fn the_end_of_ssh_is_the_end_of_the_command() {
    let cloud = Cloud::start();
    for (end, code, signal) in
        [("exit 255", Some(255), None), ("exit 7", Some(7), None), ("kill -TERM $$", None, Some(15))]
    {
        let output = cloud.command(&[SSH, &["root@web1"]].concat()).env("END", end).output().unwrap();
        assert_eq!((output.status.code(), output.status.signal()), (code, signal), "{end}");
    }
    // A shell tells a signal by 128 and its number.
    let line = format!("'{}' {} root@web1; echo $?", env!("CARGO_BIN_EXE_sdc"), SSH.join(" "));
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &line]).env_clear().env("PATH", cloud.tools.path()).env("HOME", cloud.tools.path());
    shell.env("END", "kill -TERM $$").envs(cloud.env.iter().map(|(name, value)| (name, value)));
    let said = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    assert!(said.trim_end().ends_with("143"), "{said}");
}

#[test]
fn ssh_and_scp_get_no_variable_that_holds_a_secret() {
    let cloud = Cloud::start();
    let secrets = ["SDC_KEY_MATERIAL", "TRITON_KEY_MATERIAL", "SDC_KEY_PASSPHRASE", "TRITON_KEY_PASSPHRASE"];
    let key = cloud.env.iter().find(|(name, _)| *name == "SDC_KEY_FILE").unwrap().1.clone();
    let pem = std::fs::read_to_string(key).unwrap();
    for (words, end) in
        [(&[SSH, &["root@web1"]].concat(), "export -p"), (&[SCP, &["x", "web1:/x"]].concat(), "export -p")]
    {
        let mut command = cloud.command(words);
        command.envs(secrets.map(|name| (name, pem.as_str()))).env_remove("SDC_KEY_FILE").env("END", end);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("SDC_ACCOUNT"), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!secrets.iter().any(|name| said.contains(name)) && !said.contains("PRIVATE"), "{said}");
    }
}

#[test]
fn a_tool_that_is_not_there_and_a_machine_that_does_not_run_are_told() {
    let cloud = Cloud::start();
    let mut command = cloud.command(&[SSH, &["root@web1"]].concat());
    let (code, words) = refused(&command.env("PATH", "/nowhere").output().unwrap());
    assert!(code == 1 && words.contains("there is no ssh in the search path"), "{words}");
    let output = cloud.run(SSH, &["root@db1"]);
    let (code, words) = refused(&output);
    assert!(code == 5 && words.contains("machine db1 is stopped, and nothing answers there"), "{words}");
    assert!(words.contains("hint: to start it: sdc machines start "), "{words}");
    assert!(output.stdout.is_empty(), "no ssh was started");
    let (code, words) = cloud.refused(SCP, &["a", "db1:b"]);
    assert!(code == 5 && words.contains("machine db1 is stopped"), "{words}");
    let printed = cloud.run(SSH, &["--print", "root@db1"]);
    assert!(String::from_utf8_lossy(&printed.stdout).contains("root@192.168."));
    assert!(String::from_utf8_lossy(&printed.stderr).contains("machine db1 is stopped, and may not answer"));
    let (code, words) = cloud.refused(SSH, &["nobody"]);
    assert!(code == 3 && words.contains("no machine named 'nobody'"), "{words}");
    let (code, words) = cloud.refused(SSH, &["-o", "Compression=yes", "web1"]);
    assert!(code == 2 && words.contains("sdc machines ssh MACHINE -o Compression=yes"), "{words}");
    let (code, words) = cloud.refused(SSH, &["--", "-A", "web1"]);
    assert!(code == 2 && words.contains("sdc machines ssh MACHINE -A"), "{words}");
}

#[test]
fn the_command_line_is_printed_as_a_shell_and_as_a_program_reads_it() {
    let cloud = Cloud::start();
    let web1 = cloud.ip("web1", &[]);
    let key = &cloud.env.iter().find(|(name, _)| *name == "SDC_KEY_FILE").unwrap().1;
    let expected = format!("ssh -i {key} -o HostKeyAlias={WEB1} root@{web1} ls 'a b' '$x'\n");
    for option in ["--print", "--dry-run"] {
        assert_eq!(cloud.told(SSH, &[option, "web1", "ls", "a b", "$x"]), expected);
    }
    let words: Vec<String> = serde_json::from_str(&cloud.told(SSH, &["--print", "--json", "web1"])).unwrap();
    assert_eq!(words, ["ssh", "-i", key, "-o", &format!("HostKeyAlias={WEB1}"), &format!("root@{web1}")]);
}

#[test]
fn the_key_of_sdc_is_given_to_the_tools_unless_their_own_options_name_one() {
    let cloud = Cloud::start();
    let key = &cloud.env.iter().find(|(name, _)| *name == "SDC_KEY_FILE").unwrap().1;
    let told = |command: &[&str], words: &[&str]| {
        let mut command = cloud.command(&[command, words].concat());
        String::from_utf8(command.env("END", "printf \"$key\"").output().unwrap().stdout).unwrap()
    };
    assert!(told(SSH, &["web1"]).ends_with(&format!("]{key}")), "{}", told(SSH, &["web1"]));
    assert!(told(SCP, &["a", "web1:b"]).ends_with(&format!("]{key}")));
    for own in [&["-i", "other"][..], &["-oIdentityFile=other"]] {
        assert!(told(SSH, &[&["web1"], own].concat()).ends_with(']'), "{own:?}");
        assert!(told(SCP, &[&["--"], own, &["a", "web1:b"]].concat()).ends_with(']'), "{own:?}");
    }
}

#[test]
fn a_key_that_ssh_would_not_read_is_given_as_a_private_copy_that_is_removed_again() {
    let cloud = Cloud::start();
    let key = &cloud.env.iter().find(|(name, _)| *name == "SDC_KEY_FILE").unwrap().1;
    let temporary = cloud.tools.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let open = cloud.tools.path().join("open");
    std::fs::copy(key, &open).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).unwrap();
    let command = |command: &[&str], words: &[&str], end: &str| {
        let mut command = cloud.command(&[command, words].concat());
        command.env("SDC_KEY_FILE", &open).env("TMPDIR", &temporary).env("END", end);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let there = || std::fs::read_dir(&temporary).unwrap().count();
    let look = "stat -c %a \"$key\" \"$(dirname \"$key\")\"; ssh-keygen -y -P '' -f \"$key\"; exit 7";
    for (tool, words) in [(SSH, &["web1"][..]), (SCP, &["a", "web1:b"])] {
        let output = command(tool, words, look).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("600\n700\nssh-ed25519 "), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!((output.status.code(), there()), (Some(7), 0));
    }
    // A signal for this program is the tool's, and the copy goes all the same.
    for (signal, code) in [("-TERM", 143), ("-INT", 130), ("-HUP", 129), ("-QUIT", 131)] {
        let child = command(SSH, &["web1"], "touch \"$HOME/begun\"; exec sleep 600").spawn().unwrap();
        let begun = cloud.tools.path().join("begun");
        while !begun.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(there(), 1);
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), there()), (Some(code), 0), "{signal}");
        std::fs::remove_file(begun).unwrap();
    }
}

#[test]
fn scp_copies_to_and_from_machines_by_their_names() {
    let cloud = Cloud::start();
    cloud.tag(DB0, &serde_json::json!({ "tritoncli.ssh.port": 2222 }));
    let (web1, web10, db0) = (cloud.ip("web1", &[]), cloud.ip("web10", &[]), cloud.ip("db0", &[]));
    let alias = format!("[-o][HostKeyAlias={DB0}]");
    assert_eq!(
        cloud.told(SCP, &["--", "-rp", "-l", "100", "./a:b", "db0:/tmp/x y"]),
        format!("{alias}[-P][2222][-rp][-l][100][--][./a:b][ubuntu@{db0}:/tmp/x y]")
    );
    assert_eq!(
        cloud.told(SCP, &["--", "-P", "22", "--", "-file", "jill@db0:"]),
        format!("{alias}[-P][22][--][-file][jill@{db0}:]")
    );
    assert_eq!(
        cloud.told(SCP, &["db0:a", "db0:b"]),
        format!("[-3]{alias}[-P][2222][--][ubuntu@{db0}:a][ubuntu@{db0}:b]")
    );
    assert_eq!(cloud.told(SCP, &["web1:a", "jill@web10:/b"]), format!("[-3][--][root@{web1}:a][jill@{web10}:/b]"));
    // Ports that differ have a place in a URI only.
    assert_eq!(
        cloud.told(SCP, &["web1:/a b", "db0:c"]),
        format!("[-3][--][scp://root@{web1}:22//a%20b][scp://ubuntu@{db0}:2222/c]")
    );
    cloud.tag(WEB10, &serde_json::json!({ "tritoncli.ssh.proxy": "web1" }));
    let (code, words) = cloud.refused(SCP, &["web10:a", "db0:b"]);
    assert!(code == 2 && words.contains("machines web10 and db0 are behind different bastions"), "{words}");
    for words in [&["a", "b"][..], &["db0:a"], &["C:\\a", "b"]] {
        assert_eq!(cloud.refused(SCP, words).0, 2, "{words:?}");
    }
}

#[test]
fn ip_prints_addresses_a_line_each_and_all_that_is_known_as_json() {
    let cloud = Cloud::start();
    let (public, private) = (cloud.ip("web1", &["--public"]), cloud.ip("web1", &["--private"]));
    let db0 = cloud.ip(DB0, &[]);
    assert_eq!(cloud.told(IP, &["web1", "db0", "web1"]), format!("{public}\n{db0}\n"));
    assert_eq!(cloud.told(IP, &["--all", "web1"]), format!("{public}\n{private}\n"));
    assert_eq!(cloud.told(IP, &["--all", "--network", "public", "web1"]), format!("{public}\n"));
    let rows: serde_json::Value = serde_json::from_str(&cloud.told(IP, &["web1", "--private", "--json"])).unwrap();
    let fabric = "6d40b97f-5a7c-4d9e-9fb0-4b5c6d7e8f03";
    let expected =
        serde_json::json!([{ "id": WEB1, "name": "web1", "ip": private, "network": fabric, "primary": false }]);
    assert_eq!(rows, expected);
    assert_eq!(cloud.told(IP, &["web1", "-o", "tsv:name,ip", "-H"]), format!("web1\t{public}\n"));

    let (code, words) = cloud.refused(IP, &["db0", "--public"]);
    assert!(code == 3 && words.contains("machine db0 has no public address"), "{words}");
    let output = cloud.run(IP, &["db0", "web1", "nobody", "--public"]);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()),
        (Some(3), format!("{public}\n"))
    );
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("db0 has no public address") && words.contains("no machine named 'nobody'"), "{words}");
    assert_eq!(cloud.refused(IP, &["broken"]).0, 3);
    assert_eq!(cloud.refused(IP, &[""]).0, 2);
}
