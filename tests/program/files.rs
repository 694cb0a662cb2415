//! Files that the program writes, with many of its processes at once, and with writes that fail or are cut short: what
//! is read is whole, what was there stays, and no change is lost.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use sdc::emulator::{Emulator, Options};
use serde_json::{Value, json};

const PROCESSES: usize = 8;
const ROUNDS: usize = 20;
const KEY_ID: &str = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";

/// A home folder with the profile `home` as the current one, and with keys in `config.json` that are not ours.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".triton/profiles.d");
    fs::create_dir_all(&folder).unwrap();
    let profile = json!({ "url": "http://127.0.0.1:1", "account": "acme", "keyId": KEY_ID });
    fs::write(folder.join("home.json"), profile.to_string()).unwrap();
    fs::write(settings(home.path()), r#"{"cacheDir":"x","profile":"home","n":7}"#).unwrap();
    home
}

fn settings(home: &Path) -> PathBuf {
    home.join(".triton/config.json")
}

fn profile_file(home: &Path, name: &str) -> PathBuf {
    home.join(format!(".triton/profiles.d/{name}.json"))
}

/// `sdc WORDS`, run by this `sh` text in which "$@" is that.
fn by_shell(shell: &str, home: &Path, words: &[&str]) -> Output {
    Command::new("/bin/sh")
        .args(["-c", shell, "sh", env!("CARGO_BIN_EXE_sdc")])
        .args(words)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn sdc(home: &Path, words: &[&str]) -> Output {
    by_shell("exec \"$@\"", home, words)
}

/// What it prints, if all is well.
fn done(said: &Output) -> String {
    assert!(said.status.success(), "{:?}: {}", said.status, String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout.clone()).unwrap()
}

fn create(home: &Path, name: &str, account: &str, more: &[&str]) -> Output {
    let words = ["profile", "create", name, "--url", "http://127.0.0.1:1", "--account", account, "--key-id", KEY_ID];
    sdc(home, &[&words, more].concat())
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn temporaries(home: &Path) -> usize {
    let folders = [home.join(".triton"), home.join(".triton/profiles.d")];
    folders.iter().flat_map(|folder| files(folder)).filter(|name| name.ends_with(".tmp")).count()
}

/// The JSON of a file, which must be whole; none if there is no file.
fn whole(file: &Path) -> Option<Value> {
    let text = fs::read_to_string(file).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}: {text:?}", file.display())))
}

/// A profile that `config.json` names and that is gone.
fn named_but_gone(home: &Path) -> Option<String> {
    let named = |key: &str| Some(whole(&settings(home)).unwrap()[key].as_str()?.to_owned());
    ["profile", "oldProfile"].into_iter().find_map(|key| {
        let name = named(key)?;
        // Deleted after it was named: then it is named no longer.
        let gone = !profile_file(home, &name).exists();
        (gone && named(key).as_ref() == Some(&name)).then_some(name)
    })
}

#[test]
fn profiles_and_the_current_one_are_changed_by_many_at_once_and_nothing_is_lost() {
    let home = home();
    let home = home.path();
    let writing = AtomicUsize::new(PROCESSES);
    std::thread::scope(|scope| {
        for process in 0..PROCESSES {
            let writing = &writing;
            scope.spawn(move || {
                // The readers end even if this fails.
                let _ended = Ended(writing);
                for round in 0..ROUNDS {
                    let name = format!("p{process}-{round}");
                    done(&create(home, &name, "acme", &["--use"]));
                    if round % 2 == 0 {
                        done(&sdc(home, &["profile", "delete", &name, "--yes"]));
                    }
                }
            });
        }
        scope.spawn(|| {
            while writing.load(SeqCst) > 0 {
                let rows = done(&sdc(home, &["profile", "list", "--json"]));
                let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
                assert!(rows.iter().all(|row| row["account"] == "acme" && row["keyId"] == KEY_ID), "{rows:?}");
                assert!(rows.iter().any(|row| row["name"] == "home"), "{rows:?}");
            }
        });
        while writing.load(SeqCst) > 0 {
            let config = whole(&settings(home)).unwrap();
            assert_eq!((&config["cacheDir"], &config["n"]), (&json!("x"), &json!(7)));
            assert_eq!(named_but_gone(home), None);
            for name in files(&home.join(".triton/profiles.d")).iter().filter(|name| name.ends_with(".json")) {
                let profile = whole(&home.join(".triton/profiles.d").join(name));
                assert!(profile.is_none_or(|profile| profile["account"] == "acme"), "{name}");
            }
        }
    });
    let kept =
        (0..PROCESSES).flat_map(|process| (1..ROUNDS).step_by(2).map(move |round| format!("p{process}-{round}")));
    let mut expected: Vec<String> = kept.chain(["home".to_owned()]).map(|name| format!("{name}.json")).collect();
    expected.sort();
    assert_eq!(files(&home.join(".triton/profiles.d")), expected);
    assert_eq!(files(&home.join(".triton")), [".sdc.lock", "config.json", "profiles.d"]);
    assert_eq!(named_but_gone(home), None);
}

struct Ended<'a>(&'a AtomicUsize);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn of_many_that_create_the_same_profile_one_has_made_it_and_the_others_are_told() {
    let home = home();
    let home = home.path();
    let together = Barrier::new(PROCESSES);
    let run = |process: usize| -> Vec<bool> {
        let account = format!("acme{process}");
        let one = |round: usize| {
            together.wait();
            create(home, &format!("same{round}"), &account, &[])
        };
        // Looked at when all are through, or the others would wait for ever.
        let said: Vec<Output> = (0..ROUNDS).map(one).collect();
        let made = said.iter().map(|said| {
            let words = String::from_utf8_lossy(&said.stderr);
            match said.status.code() {
                Some(0) => true,
                Some(2) if words.contains("already") => false,
                code => panic!("{code:?}: {words}"),
            }
        });
        made.collect()
    };
    let run = &run;
    let made: Vec<Vec<bool>> = std::thread::scope(|scope| {
        let processes: Vec<_> = (0..PROCESSES).map(|process| scope.spawn(move || run(process))).collect();
        processes.into_iter().map(|process| process.join().unwrap()).collect()
    });
    (0..ROUNDS).for_each(|round| {
        let makers: Vec<usize> = (0..PROCESSES).filter(|process| made[*process][round]).collect();
        let account = whole(&profile_file(home, &format!("same{round}"))).unwrap()["account"].clone();
        assert_eq!((makers.len(), account), (1, json!(format!("acme{}", makers[0]))), "round {round}");
    });
}

#[tokio::test]
async fn the_cache_is_whole_whoever_writes_it_and_whoever_reads_it() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut list = Command::new(env!("CARGO_BIN_EXE_sdc"));
    list.args(["machines", "list", "-o", "name,img"])
        .env_clear()
        .env("HOME", home.path())
        .env("XDG_CACHE_HOME", home.path())
        .env("SDC_URL", emulator.url())
        .env("SDC_ACCOUNT", emulator.account())
        .env("SDC_KEY_FILE", emulator.key_file());
    let host = emulator.url().trim_start_matches("http://").replace(':', "%3a");
    let file = home.path().join(format!("sdc/{}@{host}/images.json", emulator.account()));
    let at = file.clone();
    let work = move || {
        let run = |list: &mut Command| done(&list.stdin(Stdio::null()).output().unwrap()).lines().count();
        let rows = run(&mut list);
        let names = whole(&at).expect("the names of images are kept");
        assert!(rows > 1 && names.as_object().is_some_and(|names| !names.is_empty()));
        let program = list.get_program().to_owned();
        let (words, vars): (Vec<_>, Vec<_>) = (
            list.get_args().map(ToOwned::to_owned).collect(),
            list.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect(),
        );
        let writing = AtomicUsize::new(PROCESSES);
        let reads = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..PROCESSES {
                scope.spawn(|| {
                    let _ended = Ended(&writing);
                    for _ in 0..ROUNDS {
                        // So that it is fetched and written again.
                        let _ = fs::remove_file(&at);
                        let mut list = Command::new(&program);
                        list.args(&words).env_clear().envs(vars.iter().cloned());
                        assert_eq!(run(&mut list), rows);
                    }
                });
            }
            while writing.load(SeqCst) > 0 {
                if let Some(seen) = whole(&at) {
                    assert_eq!(seen, names);
                    reads.fetch_add(1, SeqCst);
                }
            }
        });
        assert!(reads.load(SeqCst) > 0, "nobody wrote it again");
    };
    tokio::task::spawn_blocking(work).await.unwrap();
    let left = files(file.parent().unwrap());
    assert!(left.iter().all(|name| !name.ends_with(".tmp")), "{left:?}");
    emulator.stop().await.unwrap();
}

#[test]
fn a_write_that_fails_leaves_what_was_there_and_nothing_beside_it() {
    let home = home();
    let home = home.path();
    done(&create(home, "lab", "acme", &[]));
    let before = fs::read(settings(home)).unwrap();
    // Not a byte may be written to a file, and the signal for it is ignored: the write fails.
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    for (words, file) in [
        (["profile", "use", "lab"].as_slice(), "config.json"),
        (&["profile", "delete", "home", "--yes"], "config.json"),
        (&["profile", "create", "new", "--url", "http://[::1]", "--account", "a", "--key-id", KEY_ID], "new.json"),
    ] {
        let said = by_shell(full, home, words);
        let told = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(1), "{words:?}: {told}");
        assert!(told.contains("error: cannot write") && told.contains(file), "{words:?}: {told}");
        assert_eq!(fs::read(settings(home)).unwrap(), before, "{words:?}");
        assert_eq!(files(&home.join(".triton/profiles.d")), ["home.json", "lab.json"], "{words:?}");
        assert_eq!(temporaries(home), 0, "{words:?}");
    }
    // A folder in the file's place.
    fs::create_dir(profile_file(home, "folder")).unwrap();
    assert_eq!(create(home, "folder", "acme", &[]).status.code(), Some(2));
    assert_eq!(temporaries(home), 0);
}

#[test]
fn a_file_that_may_not_grow_is_an_error_that_leaves_what_was_there_and_nothing_else() {
    let home = home();
    let home = home.path();
    let before = fs::read(settings(home)).unwrap();
    let limited = "ulimit -c 0; ulimit -f 0; exec \"$@\"";
    let words = ["profile", "create", "new", "--url", "http://[::1]", "--account", "a", "--key-id", KEY_ID, "--use"];
    for _ in 0..2 {
        let said = by_shell(limited, home, &words);
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.code() == Some(1) && told.contains("File too large"), "{:?} {told}", said.status);
    }
    assert_eq!(fs::read(settings(home)).unwrap(), before);
    assert_eq!(temporaries(home), 0);
    assert_eq!(done(&sdc(home, &["profile", "list", "-o", "name", "--no-header"])), "home\n");
    // Neither its files nor its lock.
    done(&sdc(home, &words));
    assert_eq!(done(&sdc(home, &["profile", "list", "-o", "current,name", "--no-header"])).lines().count(), 2);
    assert_eq!(whole(&settings(home)).unwrap()["profile"], "new");
}

#[test]
fn what_is_left_over_in_the_folder_is_taken_for_no_profile() {
    let home = home();
    let home = home.path();
    let profile = fs::read(profile_file(home, "home")).unwrap();
    for name in [
        ".sdc-00112233445566778899aabbccddeeff.tmp",
        ".home.json.17-0.tmp",
        ".home.json.swp",
        ".old.json",
        "old.json~",
        "old.json.tmp",
        "env.json",
    ] {
        fs::write(home.join(".triton/profiles.d").join(name), &profile).unwrap();
    }
    assert_eq!(done(&sdc(home, &["profile", "list", "-o", "name", "--no-header"])), "home\n");
    let said = sdc(home, &["machines", "list", "-p", ".old"]);
    assert_eq!(said.status.code(), Some(2), "{}", String::from_utf8_lossy(&said.stderr));
}

/// An emulator as a process, and what leads a client to it.
fn serve(folder: &Path, state: &Path) -> (Child, Vec<(String, String)>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sdc"))
        .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--state"])
        .arg(state)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let vars = lines.filter_map(|line| {
        let line = line.unwrap();
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    });
    let vars: Vec<_> = vars.take_while(|(name, _)| name != "no_proxy").collect();
    (child, vars)
}

/// What `sdc emulator serve` says that is told to write its settings to this file, if it does not serve at all.
fn refused(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    // One that serves all the same is not waited for.
    let mut child = Command::new("timeout")
        .args(["20", env!("CARGO_BIN_EXE_sdc"), "emulator", "serve", "--listen", "127.0.0.1:0"])
        .args(words)
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("HOME", folder.to_str().unwrap()), ("TMPDIR", folder.to_str().unwrap())])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn a_file_that_no_emulator_wrote_is_neither_replaced_nor_deleted_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let theirs = [
        ("key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n"),
        (".env", "DATABASE_URL=postgres://db/x\n"),
        ("own.env", "unset SDC_PROFILE SDC_USER\nexport SDC_URL=http://127.0.0.1:1\nexport OTHER=1\n"),
        ("long", &"x".repeat(100_000)),
        ("package.json", r#"{"name":"x","version":"1"}"#),
        ("empty.json", "{}"),
        ("list.json", "[]"),
    ];
    for (name, text) in theirs {
        fs::write(path(name), text).unwrap();
    }
    std::os::unix::fs::symlink("key", path("link")).unwrap();
    for name in ["key", ".env", "own.env", "long", "link", "package.json"] {
        let file = path(name).display().to_string();
        let (code, said) = refused(folder.path(), &["--env-file", &file]);
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains(name) && said.contains("was not written by an emulator"), "{said}");
    }
    for name in ["key", ".env", "link", "package.json", "empty.json", "list.json"] {
        let file = path(name).display().to_string();
        let (code, said) = refused(folder.path(), &["--state", &file]);
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains("holds no state of an emulator"), "{said}");
    }
    for (name, text) in theirs {
        assert_eq!(fs::read_to_string(path(name)).unwrap(), text, "{name}");
    }
    assert!(path("link").is_symlink());
}

#[test]
fn a_state_file_may_be_new_in_a_folder_with_a_long_path() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join(["a-folder-with-a-name"; 12].join("/"));
    fs::create_dir_all(&deep).unwrap();
    let state = deep.join("state.json").display().to_string();
    assert!(state.len() > 200);
    done(&sdc(folder.path(), &["emulator", "exec", "--state", &state, "--", "/bin/true"]));
    assert!(whole(Path::new(&state)).is_some());
}

/// Serves until the file is there, and once it has been looked at, until it has ended.
fn served(folder: &Path, file: &Path, meanwhile: impl FnOnce()) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sdc"))
        .args(["emulator", "serve", "--listen", "127.0.0.1:0", "--env-file"])
        .arg(file)
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let end = lines.find(|line| line.as_ref().unwrap().contains("end it with"));
    assert!(end.is_some());
    meanwhile();
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_emulator_ends_with_its_standard_input_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emulator.env");
    let serve = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
        command.args(["emulator", "serve", "--listen", "127.0.0.1:0", "--end-with-stdin", "--env-file"]).arg(&file);
        command.args(more).env("TMPDIR", folder.path()).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = serve(&[]);
    let stderr = child.stderr.take().unwrap();
    assert!(BufReader::new(stderr).lines().any(|line| line.unwrap().contains("end it with")));
    // What is written to it does not matter.
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(b"stop\n").unwrap();
    assert!(file.exists() && child.try_wait().unwrap().is_none());
    drop(pipe);
    assert!(child.wait().unwrap().success() && !file.exists());
    // Both cannot have it.
    assert_eq!(serve(&["--seed", "-"]).wait().unwrap().code(), Some(2));
}

#[test]
fn an_emulators_own_file_is_replaced_also_through_a_link_and_goes_unless_it_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("real.env"), folder.path().join("link.env"));
    std::os::unix::fs::symlink("real.env", &link).unwrap();
    let mut left = String::new();
    served(folder.path(), &link, || left = fs::read_to_string(&file).unwrap());
    assert!(left.contains("export SDC_URL=http://127.0.0.1:"), "{left}");
    assert!(!file.exists() && link.is_symlink(), "what was written goes, and the link was not");
    // As one leaves it that was killed, and one that mktemp made.
    for before in [left.as_str(), ""] {
        fs::write(&file, before).unwrap();
        served(folder.path(), &file, || assert_ne!(fs::read_to_string(&file).unwrap(), left));
        assert!(!file.exists());
    }
    served(folder.path(), &file, || fs::write(&file, "A=1\n").unwrap());
    assert_eq!(fs::read_to_string(&file).unwrap(), "A=1\n");
}

#[test]
fn an_emulator_that_is_killed_amid_its_work_has_kept_what_it_said_it_had_done() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..3 {
        let (mut child, vars) = serve(folder.path(), &state);
        let run = |words: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
            command.args(words).env_clear().envs(vars.iter().cloned()).env("HOME", folder.path());
            command.env("SDC_REQUEST_TIMEOUT", "2s").stdin(Stdio::null()).output().unwrap()
        };
        let lost = || -> Vec<&String> {
            let shown = done(&run(&["machines", "tags", "list", "web1", "--json"]));
            let tags: Value = serde_json::from_str(&shown).unwrap();
            acknowledged.iter().filter(|tag| tags[tag.as_str()] != "x").collect()
        };
        // What was accepted may not have been its turn yet: jobs of a machine run one after the other.
        let given_up = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !lost().is_empty() && std::time::Instant::now() < given_up {
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let lost = lost();
        assert!(lost.is_empty(), "{lost:?} of {acknowledged:?}");

        let (count, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let write = |writer: usize| {
            let mut told = Vec::new();
            for number in 0..100 {
                let tag = format!("t{round}-{writer}-{number}");
                if over.load(SeqCst) || !run(&["machines", "tags", "set", "web1", &format!("{tag}=x")]).status.success()
                {
                    break;
                }
                count.fetch_add(1, SeqCst);
                told.push(tag);
            }
            told
        };
        let write = &write;
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(writer))).collect();
            while count.load(SeqCst) < 10 && writers.iter().any(|writer| !writer.is_finished()) {
                std::thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            over.store(true, SeqCst);
            acknowledged.extend(writers.into_iter().flat_map(|writer| writer.join().unwrap()));
        });
        assert!(whole(&state).is_some() && acknowledged.len() >= 10 * (round + 1), "{acknowledged:?}");
    }
}
