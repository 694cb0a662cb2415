//! The program around the emulator: its signals, its folder, and the settings it prints.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

#[path = "../program/common/signals.rs"]
mod signals;

/// `sdc emulator …`, run by `shell` text in which "$@" is that, with its files in this folder. What this process was
/// told to ignore, by nohup or by a shell in the background, it is not.
fn start(shell: &str, folder: &Path, arguments: &[&str]) -> Child {
    signals::heeded("/bin/sh")
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

#[test]
fn the_file_of_settings_is_there_once_it_listens_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emulator.env");
    let name = file.display().to_string();
    let mut child =
        start("exec \"$@\"", folder.path(), &["serve", "--listen", "127.0.0.1:0", "--env-file", name.as_str()]);
    // As the guide says, and at once.
    let script = format!("until [ -e '{name}' ]; do sleep 0.01; done; . '{name}'; sdc machines list -o ids | wc -l");
    let bin = Path::new(env!("CARGO_BIN_EXE_sdc")).parent().unwrap().display();
    let said = Command::new("/bin/sh")
        .args(["-c", &script])
        .env("PATH", format!("{bin}:/usr/bin:/bin"))
        .env("HOME", tempfile::tempdir().unwrap().path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "7", "{}", String::from_utf8_lossy(&said.stderr));
    send("TERM", &child);
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!((code(child.wait().unwrap()), out.as_str()), (0, ""));
    assert_eq!(files(folder.path()), 0, "neither the file nor the key is left");

    let nowhere = folder.path().join("none/emulator.env").display().to_string();
    let child = start("exec \"$@\"", folder.path(), &["serve", "--listen", "127.0.0.1:0", "--env-file", &nowhere]);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("cannot write"), "{ended:?}");
}

#[test]
fn a_disk_that_is_full_is_answered_500_and_the_file_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json").display().to_string();
    // Nothing changes there by itself, so that the file is written for these requests alone.
    let serve = ["serve", "--listen", "127.0.0.1:0", "--pace", "stepped", "--state", state.as_str()];
    let mut child = start("exec \"$@\"", folder.path(), &serve);
    await_line(&mut BufReader::new(child.stderr.take().unwrap()), "end it");
    send("TERM", &child);
    child.wait().unwrap();
    let size = std::fs::metadata(&state).unwrap().len();
    // No file of it can be longer than a little more.
    let shell = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", size / 512 + 40);
    let mut child = start(&shell, folder.path(), &serve);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let url = await_line(&mut out, "export SDC_URL=");
    await_line(&mut BufReader::new(child.stderr.take().unwrap()), "end it");
    let key = std::fs::read_dir(folder.path()).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let sdc = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
        command.args(words).env_clear().env("HOME", home.path()).env("SDC_ACCOUNT", "acme");
        command.env("SDC_URL", url.trim().trim_start_matches("export SDC_URL=").trim_matches('\''));
        command.env("SDC_KEY_FILE", key.path().join("id_rsa")).output().unwrap()
    };
    assert!(sdc(&["machines", "metadata", "set", "web1", "small=x"]).status.success());
    let before = std::fs::read(&state).unwrap();
    let failed = sdc(&["machines", "metadata", "set", "web1", &format!("large={}", "x".repeat(60_000))]);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    assert!(said.contains("500 InternalError") && said.contains("cannot write the state file"), "{said}");
    assert_eq!(std::fs::read(&state).unwrap(), before);
    assert!(sdc(&["machines", "list"]).status.success(), "it can still be read");
    send("TERM", &child);
    child.wait().unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "the state and its lock: {left:?}");
}

/// What a folder holds, with all below it: each path and, of a file, its bytes.
fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => {
                all.push((path.display().to_string(), Vec::new()));
                all.extend(tree(&path));
            }
            false => all.push((path.display().to_string(), std::fs::read(&path).unwrap())),
        }
    }
    all.sort();
    all
}

/// Makes a home whose current profile is `prod`, a cloud that is not there, and returns it.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for dir in [".triton", "config/triton", "own"] {
        let profiles = home.path().join(dir).join("profiles.d");
        std::fs::create_dir_all(&profiles).unwrap();
        let profile = r#"{"name":"prod","url":"http://127.0.0.1:1","account":"jill","keyId":"a"}"#;
        std::fs::write(profiles.join("prod.json"), profile).unwrap();
        std::fs::write(profiles.parent().unwrap().join("config.json"), r#"{"profile":"prod"}"#).unwrap();
    }
    std::fs::create_dir(home.path().join("cache")).unwrap();
    std::fs::create_dir(home.path().join("tmp")).unwrap();
    home
}

/// `sdc emulator exec -- sh -c SCRIPT`, in this home: its output.
fn exec(home: &Path, vars: &[(&str, &str)], script: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
    command.args(["emulator", "exec", "--", "sh", "-euc", script]).env_clear().stdin(Stdio::null());
    command.envs(sdc::config::Env::process().var_os("PATH").map(|path| ("PATH", path)));
    command.env("HOME", home).env("TMPDIR", home.join("tmp"));
    for (name, dir) in vars {
        command.env(name, home.join(dir));
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// The ways in which a user's folders can be named.
const FOLDERS: &[&[(&str, &str)]] = &[
    &[],
    &[("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")],
    &[("SDC_CONFIG_DIR", "own"), ("SDC_CACHE_DIR", "cache"), ("TRITONTEST_CLI_CONFIG_DIR", "own")],
];

#[test]
fn a_command_of_exec_leaves_profiles_records_and_the_cache_of_the_user_alone() {
    let script = r#"
        sdc profile create lab --url "$SDC_URL" --account acme --key-id "$SDC_KEY_ID" -q
        sdc profile set lab -q
        printf '{"owner":"team","policies":[{"name":"may","rules":["CAN ping"]}]}' > "$SDC_CONFIG_DIR/rbac.json"
        sdc rbac apply "$SDC_CONFIG_DIR/rbac.json" --yes -q > "$SDC_CONFIG_DIR/done"
        sdc machines list -o img > "$SDC_CONFIG_DIR/listed"
        ls "$TRITONTEST_CLI_CONFIG_DIR/profiles.d" "$SDC_CONFIG_DIR/sdc-rbac"
        ls "$SDC_CACHE_DIR"/*/images.json | wc -l
    "#;
    for vars in FOLDERS {
        let home = home();
        let before = tree(home.path());
        let said = exec(home.path(), vars, script);
        assert!(said.contains("lab.json") && said.contains("team") && said.trim_end().ends_with('1'), "{said}");
        assert_eq!(tree(home.path()), before, "{vars:?}");
    }
}

#[test]
fn no_profile_of_the_user_is_seen_by_a_command_of_exec_unless_it_says_so() {
    for vars in FOLDERS {
        let home = home();
        // Without the variables that lead to the emulator, nothing else leads anywhere.
        let bare = "unset TRITON_PROFILE SDC_URL TRITON_URL SDC_ACCOUNT TRITON_ACCOUNT";
        assert_eq!(exec(home.path(), vars, &format!("{bare}; sdc profile list -j")).trim(), "[]", "{vars:?}");
        let found = exec(home.path(), vars, &format!("{bare}; sdc config show -j"));
        assert!(!found.contains("jill") && !found.contains("prod"), "{vars:?}: {found}");
        // Even where a current profile is made, that of the user stays out of sight.
        let made =
            "sdc profile create lab --url $SDC_URL --account acme --key-id $SDC_KEY_ID -q; sdc profile set lab -q";
        let asked = exec(home.path(), vars, &format!("{made}; {bare}; sdc machines list -o ids | wc -l"));
        assert_eq!(asked.trim(), "7", "{vars:?}");
        let own = "env SDC_CONFIG_DIR=$HOME/.triton sdc -p prod config show -j";
        assert!(exec(home.path(), vars, own).contains("jill"), "{vars:?}");
    }
}

#[test]
fn serve_offers_the_key_through_an_agent_for_as_long_as_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start("exec \"$@\"", folder.path(), &["serve", "--listen", "127.0.0.1:0", "--agent"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("export no_proxy=") {
        assert_ne!(out.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    // The settings as they are, but for the file of the key: it must be the agent that signs.
    let script = format!("{lines}unset SDC_KEY_FILE TRITON_KEY_FILE; ssh-add -l && \"$0\" account get -o login -H");
    let mut command = Command::new("/bin/sh");
    command.args(["-ec", &script, env!("CARGO_BIN_EXE_sdc")]).env_clear().env("HOME", folder.path());
    let said = command.envs(sdc::config::Env::process().var_os("PATH").map(|path| ("PATH", path))).output().unwrap();
    let (listed, told) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success() && listed.contains("emulator (RSA)") && listed.ends_with("acme\n"), "{listed}{told}");
    let socket = lines.lines().find_map(|line| line.strip_prefix("export SSH_AUTH_SOCK=")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    let around = std::fs::metadata(Path::new(socket).parent().unwrap()).unwrap();
    assert_eq!(around.permissions().mode() & 0o777, 0o700);
    send("TERM", &child);
    assert_eq!(code(child.wait().unwrap()), 0);
    assert!(!Path::new(socket).exists() && files(folder.path()) == 0);
    // Without the option nobody's own agent is put out of the way.
    let (out, _) = settings("", &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!out.contains("SSH_AUTH_SOCK"), "{out}");
}

#[test]
fn where_its_folder_cannot_be_made_another_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    for words in [&["serve", "--listen", "127.0.0.1:0"][..], &["exec", "--", "true"]] {
        let ended = start("exec \"$@\"", &nowhere, words).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(
            said.starts_with(&format!("error: cannot make the folder {}/sdc-emulator-", nowhere.display())),
            "{said}"
        );
        assert!(said.contains("  because: No such file") && said.contains("TMPDIR names another folder"), "{said}");
    }
    // The path of a socket is bounded.
    let deep = folder.path().join("d".repeat(100));
    std::fs::create_dir(&deep).unwrap();
    let ended = start("exec \"$@\"", &deep, &["exec", "--agent", "--", "true"]).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("agent.sock") && said.contains("TMPDIR names another folder"), "{said}");
    assert_eq!(files(&deep), 0);
}
