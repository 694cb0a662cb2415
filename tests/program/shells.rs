//! Completion where it happens: in a bash, a zsh and a fish at a terminal. Keys are typed, TAB and Enter among them,
//! and what counts is what the command was then called with, and that nothing else ran.
#![cfg(all(unix, feature = "cli"))]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pty_process::blocking::Pty;

/// Nothing takes as long, on a machine however busy: only what never happens does.
const FOREVER: Duration = Duration::from_secs(60);

/// What is typed of a name, within quotes and without, and the name that there is.
const NAMES: &[(&str, &str, &str)] = &[
    ("key w", r"key\ w", "key with space"),
    ("it", "it", "it's"),
    ("say", "say", "say \"hi\""),
    ("x$(t", r"x\$\(t", "x$(touch F)"),
    ("y`", r"y\`", "y`touch F`"),
    ("semi", "semi", "semi;touch F;"),
    ("pipe", "pipe", "pipe|touch F"),
    ("and", "and", "and&touch F&"),
    ("bang", "bang", "bang!history !! !-1 !\""),
    ("star", "star", "star*"),
    ("~ti", r"\~ti", "~tilde"),
    ("#ha", r"\#ha", "#hash"),
    ("uni", "uni", "unicode-ünï-名前 🦀"),
    ("back", "back", "back\\slash\\"),
    ("percent", "percent", "percent%s%n%1"),
    ("equ", "equ", "equals=~/x=$HOME"),
    ("jill@host:", "jill@host:", "jill@host:laptop"),
    ("more@host:a", "more@host:a", "more@host:a b;touch F"),
    ("home", "home", "home$HOME${HOME}"),
    ("file", "file", "file>F 2>F <in"),
    ("brace", "brace", "brace{a,b}[x]?(y)^z"),
    ("dollar", "dollar", "dollar$'x\\n'$\"y\""),
    ("both", "both", "both'\"'\"\\'"),
    ("end", "end", "end with space "),
    ("=l", r"\=l", "=ls"),
];

/// Names that would deceive: what is typed stays as it was.
const LEFT_OUT: &[(&str, &str)] = &[
    ("newline", "newline\ntouch F"),
    ("return", "return\rtouch F"),
    ("tab", "tab\ttouch F"),
    ("esc", "esc\u{1b}[2J"),
    ("bell", "bell\u{7}"),
    ("ctrl", "ctrl\u{3}touch F"),
    ("rtl", "rtl\u{202e}F"),
    ("nul", "nul\u{0}F"),
    ("c1", "c1\u{9b}2J"),
];

/// Names that would be options where they stand alone.
const OPTIONS: &[&str] = &["-rf", "--url=http://127.0.0.1:1", "-"];

/// A service that has these things, and no others.
fn service(things: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.extend(byte);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
            let body = things(&path);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
            let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes());
        }
    });
    url
}

/// Things of these names.
fn named(names: impl IntoIterator<Item = String>) -> String {
    let thing = |(at, name): (usize, String)| serde_json::json!({ "id": format!("00000000-0000-4000-8000-{at:012}"), "name": name, "login": name, "version": "20240101.1" });
    serde_json::Value::from_iter(names.into_iter().enumerate().map(thing)).to_string()
}

/// The cloud that the shells complete names of.
fn hostile(path: &str) -> String {
    let one = |name: &str| named([name.to_owned()]);
    let last = path.rsplit('/').next().unwrap_or_default();
    match last {
        "images" if path.starts_with("/jill/") => one("from jill"),
        "images" => named(["debian-12", "x$(touch F)"].map(str::to_owned)),
        "keys" => {
            let names = NAMES.iter().map(|(.., name)| *name).chain(LEFT_OUT.iter().map(|(_, name)| *name));
            let long = format!("long{}", "x".repeat(600));
            let more = ["amb a$(touch F)", "amb b;touch F", long.as_str()];
            named(names.chain(OPTIONS.iter().copied()).chain(more).map(str::to_owned))
        }
        "users" => one("~root's $(touch F) `touch F` !! \"user\""),
        "packages" => one("g1-nano;touch F"),
        "policies" => one("~root"),
        "networks" => named(OPTIONS.iter().map(|name| (*name).to_owned())),
        "machines" => one("web 1"),
        "nics" => r#"[{"mac":"be:d8:01:02:03:04","ip":"10.0.0.5"}]"#.to_owned(),
        _ => "[]".to_owned(),
    }
}

/// A shell at a terminal of its own. `sdc` there is the program when the shell asks, and otherwise writes down what it
/// was called with.
struct Shell {
    name: &'static str,
    home: tempfile::TempDir,
    pty: Arc<Pty>,
    screen: Arc<Mutex<Vec<u8>>>,
    child: Child,
    /// Lines that were entered.
    entered: usize,
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_sdc");

impl Shell {
    /// Starts a shell that is set up as its users are told to.
    fn start(name: &'static str, url: &str) -> Shell {
        let setup = match name {
            "bash" => format!("PS1='> '\nPROMPT_COMMAND='echo >>~/prompts'\nsource <({PROGRAM} completion bash)\n"),
            "zsh" => format!(
                "PS1='> '\nprecmd() {{ print >>~/prompts }}\nautoload -Uz compinit; compinit -u -d ~/.zcompdump\n\
                 source <({PROGRAM} completion zsh)\n"
            ),
            _ => format!(
                "set -g fish_greeting\nfunction fish_prompt; echo '> '; end\n\
                 function told --on-event fish_prompt; echo >>~/prompts; end\n{PROGRAM} completion fish | source\n"
            ),
        };
        Shell::set_up(name, url, &setup)
    }

    fn set_up(name: &'static str, url: &str, setup: &str) -> Shell {
        let home = tempfile::tempdir().unwrap();
        for dir in ["bin", "work", ".triton/profiles.d", ".config/fish"] {
            std::fs::create_dir_all(home.path().join(dir)).unwrap();
        }
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(home.path().join("key"));
        assert!(keygen.status().unwrap().success());
        let script = format!(
            "#!/bin/sh\n[ -z \"$SDC_COMPLETE\" ] || exec {PROGRAM} \"$@\"\n\
             printf '%s\\0' \"$@\" >\"$HOME/ran.new\"\nmv \"$HOME/ran.new\" \"$HOME/ran\"\n"
        );
        std::fs::write(home.path().join("bin/sdc"), script).unwrap();
        std::fs::set_permissions(home.path().join("bin/sdc"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let config = match name {
            "bash" => ".bashrc",
            "zsh" => ".zshrc",
            _ => ".config/fish/config.fish",
        };
        std::fs::write(home.path().join(config), setup).unwrap();
        let program = ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map(|dir| Path::new(dir).join(name));
        let program = program.into_iter().find(|file| file.exists());
        let program =
            program.unwrap_or_else(|| panic!("{name} is needed, see CONTRIBUTING.md: apt-get install {name}"));
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(50, 200)).unwrap();
        let mut command = pty_process::blocking::Command::new(program).env_clear().envs(environment(home.path(), url));
        command = match name {
            "bash" => command.args(["--noprofile", "-i"]),
            "zsh" => command.args(["--no-global-rcs", "-i"]),
            _ => command.args(["-i"]),
        };
        let child = command.current_dir(home.path().join("work")).spawn(pts).unwrap();
        let pty = Arc::new(pty);
        let screen = Arc::new(Mutex::new(Vec::new()));
        let (from, to) = (Arc::clone(&pty), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = (&*from).read(&mut bytes) {
                to.lock().unwrap().extend(&bytes[..read]);
            }
        });
        Shell { name, home, pty, screen, child, entered: 0 }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The program, asked for what can stand in the place of the last word until it knows: the shell's own question
    /// then needs no service, which may be slow to answer on a busy machine.
    fn warm(&self, url: &str, words: &[&str]) {
        self.until(&format!("names for {words:?}"), || {
            let mut ask = Command::new(PROGRAM);
            ask.env_clear().envs(environment(self.home.path(), url)).env("SDC_COMPLETE", "zsh").arg("--").args(words);
            !ask.output().unwrap().stdout.is_empty()
        });
    }

    /// The end of what the terminal shows.
    fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap();
        String::from_utf8_lossy(&screen[screen.len().saturating_sub(2000)..]).into_owned()
    }

    fn until(&self, what: &str, mut there: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !there() {
            assert!(begun.elapsed() < FOREVER, "{}: no {what}\n{}", self.name, self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types these keys at the prompt, and Enter. What did the command get?
    fn enter(&mut self, keys: &str) -> Vec<String> {
        let (prompts, ran) = (self.file("prompts"), self.file("ran"));
        let count = || std::fs::read(&prompts).map_or(0, |lines| lines.len());
        self.until("prompt", || count() > self.entered);
        self.entered += 1;
        (&*self.pty).write_all(format!("{keys}\r").as_bytes()).unwrap();
        self.until(&format!("command after {keys:?}"), || ran.exists());
        let args = std::fs::read(&ran).unwrap();
        std::fs::remove_file(&ran).unwrap();
        let args = String::from_utf8(args).unwrap();
        args.strip_suffix('\0').unwrap_or_default().split('\0').map(str::to_owned).collect()
    }

    /// What the command gets when these keys are typed, among them TAB.
    fn expect(&mut self, keys: &str, args: &[&str]) {
        let got = self.enter(keys);
        assert_eq!(got, args, "{}: {keys:?}", self.name);
        let there: Vec<_> = std::fs::read_dir(self.file("work")).unwrap().flatten().map(|file| file.path()).collect();
        assert!(there.is_empty(), "{}: {keys:?} ran something: {there:?}", self.name);
    }
}

fn environment(home: &Path, url: &str) -> Vec<(&'static str, String)> {
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", home.join("bin").display());
    let key = home.join("key").display().to_string();
    [("HOME", home.display().to_string()), ("PATH", path), ("SDC_URL", url.to_owned()), ("SDC_KEY_FILE", key)]
        .into_iter()
        .chain(
            [("SDC_ACCOUNT", "acme"), ("TERM", "xterm"), ("LANG", "C.UTF-8")]
                .map(|(name, value)| (name, value.to_owned())),
        )
        .collect()
}

/// Everything that holds in each of the shells.
fn completes(name: &'static str) -> Shell {
    let url = service(hostile);
    let mut shell = Shell::start(name, &url);
    names_stay_one_word(&mut shell, &url);
    parts_of_words_are_completed(&mut shell, &url);
    options_of_the_cloud_count(&mut shell, &url);
    shell
}

fn names_stay_one_word(shell: &mut Shell, url: &str) {
    shell.warm(url, &["sdc", "keys", "get", "key"]);
    for (quoted, plain, name) in NAMES {
        shell.expect(&format!("sdc keys get {plain}\t"), &["keys", "get", name]);
        for quote in ['\'', '"'] {
            let typed = match (quote, shell.name) {
                ('"', "fish") => quoted.replace('$', "\\$"),
                ('"', _) => quoted.replace('$', "\\$").replace('`', "\\`"),
                _ => (*quoted).to_owned(),
            };
            shell.expect(&format!("sdc keys get {quote}{typed}\t"), &["keys", "get", name]);
        }
    }
    let long = format!("long{}", "x".repeat(600));
    shell.expect("sdc keys get lon\t", &["keys", "get", &long]);
    for (typed, _) in LEFT_OUT {
        shell.expect(&format!("sdc keys get {typed}\t"), &["keys", "get", typed]);
    }
    // From nothing: there is one user, and of the networks none that can be typed.
    shell.warm(url, &["sdc", "users", "get", "~"]);
    shell.expect("sdc users get \t", &["users", "get", "~root's $(touch F) `touch F` !! \"user\""]);
    shell.warm(url, &["sdc", "networks", "get", "--", "-r"]);
    for typed in ["-r", "--url=", "--url=http"] {
        shell.expect(&format!("sdc networks get {typed}\t"), &["networks", "get", typed]);
    }
    shell.expect("sdc networks get -- -r\t", &["networks", "get", "--", "-rf"]);
}

fn parts_of_words_are_completed(shell: &mut Shell, url: &str) {
    shell.warm(url, &["sdc", "images", "get", "debian"]);
    for typed in ["debian-12@", "'debian-12@", "\"debian-12@20"] {
        shell.expect(&format!("sdc images get {typed}\t"), &["images", "get", "debian-12@20240101.1"]);
    }
    shell.expect("sdc images get x\t", &["images", "get", "x$(touch F)"]);
    shell.warm(url, &["sdc", "machines", "create", "--package", "g1"]);
    let create = ["machines", "create", "--package=g1-nano;touch F"];
    for typed in ["--package=g1-", "--package='g1-", "--package=\"g1-"] {
        shell.expect(&format!("sdc machines create {typed}\t"), &create);
    }
    shell.expect("sdc machines create --package g1\t", &["machines", "create", "--package", "g1-nano;touch F"]);
    let image = ["machines", "create", "--image=debian-12@20240101.1"];
    shell.expect("sdc machines create --image=debian-12@2\t", &image);
    shell.warm(url, &["sdc", "machines", "nics", "get", "web 1", "be"]);
    for typed in ["be:d8", "be:d8:", "'be:d8:01", "b"] {
        let keys = format!("sdc machines nics get 'web 1' {typed}\t");
        shell.expect(&keys, &["machines", "nics", "get", "web 1", "be:d8:01:02:03:04"]);
    }
    shell.expect("sdc mach\t li\t --js\t", &["machines", "list", "--json"]);
    // Lists of words, and values behind a name.
    shell.expect("sdc ls -o name,primaryI\t", &["ls", "-o", "name,primaryIp"]);
    shell.expect("sdc ls -s name,-primaryI\t", &["ls", "-s", "name,-primaryIp"]);
    shell.expect("sdc ls --state running,provi\t", &["ls", "--state", "running,provisioning"]);
    shell.expect("sdc ls state=running,provi\t", &["ls", "state=running,provisioning"]);
    shell.expect("sdc ls deletion_prot\ttr\t", &["ls", "deletion_protection=true"]);
}

fn options_of_the_cloud_count(shell: &mut Shell, url: &str) {
    let other = service(|path| match path.rsplit('/').next() {
        Some("images") => named(["other image".to_owned()]),
        _ => "[]".to_owned(),
    });
    let key = shell.file("key").display().to_string();
    let profile = serde_json::json!({ "url": other, "account": "acme", "keyId": key });
    std::fs::write(shell.file(".triton/profiles.d/other.json"), profile.to_string()).unwrap();
    shell.expect("sdc -p oth\t images list", &["-p", "other", "images", "list"]);
    shell.expect("sdc images list --profile=oth\t", &["images", "list", "--profile=other"]);
    shell.expect("sdc profile use oth\t", &["profile", "use", "other"]);
    for (options, typed, name) in [
        (&["-p", "other"][..], "oth", "other image"),
        (&["-U", &other], "oth", "other image"),
        (&["-a", "jill"], "fro", "from jill"),
        (&["--act-as", "jill"], "fro", "from jill"),
        (&["-u", "sub"], "deb", "debian-12"),
        (&["-k", &key], "deb", "debian-12"),
        (&["--role", "list", "--insecure"], "deb", "debian-12"),
    ] {
        let before = [&["sdc"], options, &["images", "get"]].concat();
        shell.warm(url, &[&before[..], &[typed]].concat());
        shell.expect(&format!("{} {typed}\t", before.join(" ")), &[&before[1..], &[name]].concat());
        let after = [&["sdc", "images", "get"], options].concat();
        shell.expect(&format!("{} {typed}\t", after.join(" ")), &[&after[1..], &[name]].concat());
    }
}

#[test]
fn in_bash_a_name_is_completed_as_one_word_and_nothing_of_it_runs() {
    let mut shell = completes("bash");
    // Of several, what they have in common; all at once with M-*, where readline takes the quote away.
    shell.expect("sdc keys get amb\t", &["keys", "get", "amb "]);
    shell.expect("sdc keys get 'amb\t'", &["keys", "get", "amb "]);
    for typed in ["amb", "'amb", "\"amb"] {
        let args = ["keys", "get", "amb a$(touch F)", "amb b;touch F"];
        shell.expect(&format!("sdc keys get {typed}\u{1b}*"), &args);
    }
    // The line has more before the command and behind the cursor.
    shell.expect("FOO=1 sdc keys get jill@\t", &["keys", "get", "jill@host:laptop"]);
    shell.expect("cd . && sdc keys get 2>/dev/null x\\$\t", &["keys", "get", "x$(touch F)"]);
    shell.expect("sdc keys get 'x'\u{1b}[D\t", &["keys", "get", "x$(touch F)"]);
    // However a user has set up bash.
    for setup in
        ["set -f", "shopt -u hostcomplete", "set -o posix", "COMP_WORDBREAKS=' '", "IFS=x", "shopt -s nullglob"]
    {
        let mut shell = shell_after(setup);
        shell.expect("sdc keys get star\t", &["keys", "get", "star*"]);
        shell.expect("sdc keys get more@host:a\t", &["keys", "get", "more@host:a b;touch F"]);
    }
}

/// A bash in which this was said before the completion was loaded.
fn shell_after(setup: &str) -> Shell {
    let url = service(hostile);
    let setup = format!("source <({PROGRAM} completion bash)\n{setup}\nPROMPT_COMMAND='echo >>~/prompts'\n");
    let shell = Shell::set_up("bash", &url, &setup);
    shell.warm(&url, &["sdc", "keys", "get", "key"]);
    shell
}

#[test]
fn in_zsh_a_name_is_completed_as_one_word_and_nothing_of_it_runs() {
    let mut shell = completes("zsh");
    shell.expect("sdc keys get amb\t", &["keys", "get", "amb "]);
    // Between backticks zsh quotes once too little: what would run there is not offered.
    for typed in ["semi", "y", "x", "both"] {
        shell.expect(&format!("true `sdc keys get {typed}\t`"), &["keys", "get", typed]);
    }
    shell.expect("true `sdc keys get jill@host:\t`", &["keys", "get", "jill@host:laptop"]);
}

#[test]
fn in_fish_a_name_is_completed_as_one_word_and_nothing_of_it_runs() {
    let mut shell = completes("fish");
    let url = service(hostile);
    shell.warm(&url, &["sdc", "policies", "get", "~"]);
    // It would be a home folder, unless the tilde is quoted already.
    shell.expect("sdc policies get \t", &["policies", "get"]);
    for typed in ["\\~", "'~", "\"~", "'"] {
        shell.expect(&format!("sdc policies get {typed}\t"), &["policies", "get", "~root"]);
    }
}

#[test]
fn zsh_says_what_to_do_where_its_own_completion_is_not_loaded() {
    let setup = format!("precmd() {{ print >>~/prompts }}\nsource <({PROGRAM} completion zsh)\n");
    let mut shell = Shell::set_up("zsh", "http://127.0.0.1:1", &setup);
    shell.expect("sdc images list", &["images", "list"]);
    // What the terminal shows is read beside the test.
    let advice = "autoload -Uz compinit && compinit";
    shell.until("advice", || shell.screen().contains(advice));
    let screen = shell.screen();
    assert!(!screen.contains("command not found"), "{screen}");
}

#[test]
fn zsh_loads_the_script_from_a_folder_of_functions_too() {
    let url = service(hostile);
    let setup = format!(
        "precmd() {{ print >>~/prompts }}\nmkdir ~/functions; {PROGRAM} completion zsh >~/functions/_sdc\n\
         fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u -d ~/.zcompdump\n"
    );
    let mut shell = Shell::set_up("zsh", &url, &setup);
    shell.warm(&url, &["sdc", "keys", "get", "key"]);
    shell.expect("sdc keys get key\\ w\t", &["keys", "get", "key with space"]);
    shell.expect("sdc keys get x\\$\t", &["keys", "get", "x$(touch F)"]);
}
