//! What users of the older tools type is known here, or answered with what to type instead: every command of the
//! guide's tables, and the words and options of node-triton, smartdc, the vendor's rewrite and triton-go that stand in
//! none.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::ffi::OsString;

use sdc::cli::{Console, Streams, run};
use sdc::config::Env;

use crate::common::Kept;

const GUIDE: &str = include_str!("../../docs/guide/coming-from-triton.md");

/// What the program says to these words, where it knows no cloud.
fn told(words: &str) -> String {
    let (out, err) = (Kept::default(), Kept::default());
    let home = tempfile::tempdir().unwrap();
    let env = Env::of([("HOME", home.path().display().to_string())]);
    let args: Vec<OsString> = ["sdc"].into_iter().chain(words.split(' ')).map(OsString::from).collect();
    run(&args, &Console::of(Streams::of(std::io::empty(), out.clone(), err.clone()), env));
    out.text() + &err.text()
}

/// Whether what was typed was not understood, whatever is wrong with it: clap says where more is told.
fn is_refused(told: &str) -> bool {
    told.contains("For more information, try") || told.contains("is not a filter")
}

/// What is wrong with an answer: the words are refused, and nothing is said of what to type instead.
fn unhelped(words: &str) -> Option<String> {
    let told = told(words);
    // What is missing is told with how the command is used.
    let used = told.contains("required arguments were not provided") && told.contains("Usage: sdc ");
    let helped = used || told.contains("hint: ") || told.contains("tip: a similar");
    (is_refused(&told) && !helped).then(|| format!("{words}\n{told}"))
}

#[test]
fn every_command_of_the_older_tools_is_known_or_answered_with_ours() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in GUIDE.lines().filter(|line| line.starts_with("| `triton") || line.contains("`sdc-")) {
        let cells = line.trim_matches('|').split('|').collect::<Vec<_>>();
        for cell in &cells[..cells.len() - 1] {
            for command in cell
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|part| part.starts_with("triton ") || part.starts_with("sdc-") && !part.contains("-* "))
            {
                let filled = |word: &str| match word {
                    "RULE" => "x".to_owned(),
                    "K=V…" | "K=V" => "k=v".to_owned(),
                    _ => word.replace("…", "").replace("[USER@]INST", "web1").to_lowercase(),
                };
                let words = command.strip_prefix("triton ").unwrap_or(command);
                let words = words.split(' ').map(filled).collect::<Vec<_>>().join(" ");
                count += 1;
                wrong.extend(unhelped(&words));
                if let Some(word) = words.strip_prefix("sdc-") {
                    count += 1;
                    wrong.extend(unhelped(word));
                }
            }
        }
    }
    assert!(count > 150, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is typed, and what is told: `-` where it is understood as it is.
const TYPED: &[(&str, &str)] = &[
    ("ls", "-"),
    ("insts", "-"),
    ("instances", "-"),
    ("instance list", "-"),
    ("inst ls", "-"),
    ("inst ls -H -o name", "-"),
    ("imgs", "-"),
    ("pkgs", "-"),
    ("nets", "-"),
    ("vols", "-"),
    ("profiles", "-"),
    ("profile get", "-"),
    ("profile edit prod", "-"),
    ("services", "-"),
    ("insts state=running", "-"),
    ("ssh web1", "-"),
    ("ip web1", "-"),
    ("create base-64 g1-small web", "IMAGE PACKAGE -n NAME"),
    ("start web1", "-"),
    ("stop web1", "-"),
    ("reboot web1", "-"),
    ("delete web1", "sdc machines delete"),
    ("rm web1", "-"),
    ("env prod", "-"),
    ("info", "-"),
    ("cloudapi /my/machines", "sdc api GET PATH"),
    ("vlan list", "sdc fabrics vlans"),
    ("vlans", "sdc fabrics vlans"),
    ("disks web1", "sdc machines disks"),
    ("disk list web1", "sdc machines disks"),
    ("snapshots web1", "sdc machines snapshots"),
    ("snapshot list web1", "sdc machines snapshots"),
    ("tags web1", "sdc machines tags"),
    ("tag list web1", "sdc machines tags"),
    ("metadatas web1", "sdc machines metadata"),
    ("metadata list web1", "sdc machines metadata"),
    ("nics web1", "sdc machines nics"),
    ("nic list web1", "sdc machines nics"),
    ("migrations", "sdc machines migrate"),
    ("login", "signed with your SSH key"),
    ("logout", "no session"),
    ("whoami", "-"),
    ("version", "sdc --version"),
    ("docs man", "sdc help"),
    ("shell autocomplete bash", "sdc completion bash"),
    ("instances count", "sdc api HEAD /:login/machines -i"),
    ("instance wait web1 -s running", "sdc wait machines"),
    ("instance start web1 --snapshot=before", "sdc machines snapshots boot"),
    ("instance rename -n web2 web1", "NAME"),
    ("instance resize -p g1-small web1", "PACKAGE"),
    ("instance list -t role=web", "tag.NAME=VALUE"),
    ("instance list -m 1024", "memory=MIB"),
    ("instance list --short", "-o"),
    ("instance create -i base-64 -p g1-small", "--image"),
    ("instance create --near x --image a --package b", "--affinity"),
    ("instance create --far x --image a --package b", "--affinity"),
    ("instance create --strict-locality --image a --package b", "--affinity"),
    ("instance create --user-script x --image a --package b", "--script FILE"),
    ("instance create --userdata x --image a --package b", "--cloud-config FILE"),
    ("instance create --pkg-name x --img-name b", "--package"),
    ("instance create --img-id x --pkg-id b", "--image"),
    ("instance delete -f web1 -w --wait-timeout 60", "--timeout TIME"),
    ("instance tag set web1 a=b -q", "-"),
    ("instance audit web1 --limit 5", "--jq"),
    ("instance disk resize web1 d --size 5", "SIZE"),
    ("instance migration wait web1", "sdc machines migrate watch"),
    ("image create --machine web1 --name a --imageVersion 1", "MACHINE"),
    ("image add-acl a b", "-"),
    ("key add -f FILE", "sdc keys add FILE"),
    ("profile create -f FILE", "--url"),
    ("profile create --copy prod", "sdc profile copy"),
    ("profile create --no-docker x", "Docker"),
    ("profile docker-setup", "Docker"),
    ("profile cmon-certgen", "certificate"),
    ("machines list --no-headers", "--no-header"),
    ("machines list --noheader", "--no-header"),
    ("machines list --output-format json", "-o FORMAT"),
    ("machines list --format json", "-o FORMAT"),
    ("machines list --columns name", "-o COLUMN"),
    ("machines list --sort-by name", "--sort"),
    ("machines list --verbose", "--debug"),
    ("machines list -v", "--debug"),
    ("machines list -i", "--insecure"),
    ("machines list -J us-east", "--url"),
    ("machines list --api-version 8", "--accept-version"),
    ("machines list -A jill", "--user"),
    ("machines list -K aa", "--key-id"),
    ("machines list --key-material x", "SDC_KEY_MATERIAL"),
    ("machines list --emit-payload", "--dry-run"),
    ("machines list -d", "--debug"),
    ("machines list --log-level debug", "--debug"),
    ("machines list -P", "pager"),
    ("machines list -Z", "UTC"),
    ("-V", "-"),
    ("api -X POST /my/machines", "sdc api POST PATH"),
    ("api --method POST /my/machines", "sdc api POST PATH"),
    ("vnc web1 --bind 0.0.0.0", "sdc machines vnc"),
    ("machines vnc web1 --bind 0.0.0.0", "loopback"),
    ("machines vnc web1 --url-only", "printed"),
    ("rbac user -e jill", "sdc users"),
    ("rbac reset -y", "sdc users delete"),
    ("rbac apply -f FILE --dev-create-keys-and-profiles", "sdc users keys add"),
    ("user get jill", "-"),
    ("listmachines --state running", "sdc machines list"),
    ("sdc-listmachines", "sdc machines list"),
    ("sdc-createmachine", "sdc machines create"),
    ("chmod +ops /machines", "sdc role-tags"),
    ("fabric vlan list", "-"),
    ("env -t", "leave it out"),
    ("env -s prod", "leave it out"),
    ("env -d", "Docker"),
    ("env -u", "--unset"),
    ("changefeed --instances aa,bb", "sdc changefeed MACHINE"),
    ("changefeed --instances=aa", "sdc changefeed MACHINE"),
    ("create base-64 g1-small --disk @disk.json", "--disk \"$(cat FILE)\""),
    ("config list", "sdc config show"),
    ("config get output", "sdc config show"),
    ("config unset output", "sdc config edit"),
    ("config set output json -U http://h -a acme -k x", "sdc config edit"),
    ("config set timeout=5m -U http://h -a acme -k x", "sdc config edit"),
    ("config set tls_pin=x -U http://h -a acme -k x", "sdc config edit"),
    ("profile set output=json", "sdc config edit"),
];

#[test]
fn words_and_options_of_the_older_tools_are_answered_with_ours() {
    let mut wrong = Vec::new();
    for (words, expected) in TYPED {
        let told = told(words);
        let hints: String = told.lines().filter(|line| line.contains("hint: ") || line.contains("tip: ")).collect();
        let fits = if *expected == "-" { !is_refused(&told) } else { hints.contains(expected) };
        if !fits {
            wrong.push(format!("{words}: {expected}\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), TYPED.len(), wrong.join("\n"));
}

#[test]
fn tips_are_near_and_lead_to_no_harm() {
    // Of `stop`, `ls` and `list`, which clap finds similar, one is.
    let told = told("machines lst");
    assert!(told.contains("'list'") && !told.contains("stop") && !told.contains("'ls'"), "{told}");
    for (words, never) in [
        ("machines delte web1", "delete"),
        ("machines stp web1", "stop"),
        ("machines rebot web1", "reboot"),
        ("genrate .", "generate"),
        ("machines list --x", "-- --x"),
        ("machines list --nope", "'-- "),
        ("foo", "-- foo"),
    ] {
        let told = self::told(words);
        let tips: String = told.lines().filter(|line| line.contains("tip: ")).collect();
        assert!(!tips.contains(never), "{words}: {told}");
    }
    assert!(self::told("machines strat web1").contains("'start'"));
    assert!(self::told("machnes list").contains("'machines'"));
}

#[test]
fn a_state_that_wait_does_not_take_is_told_with_what_does() {
    let told = told("machines start web0 db0 --wait=running");
    assert_eq!(
        told,
        "error: --wait takes no state here\n  hint: --wait alone waits until it is done\n  hint: until it is in that \
         state: sdc wait machines web0 db0 --for state=running\n"
    );
    let told = self::told("machines start web0 --wait=5m");
    assert!(told.starts_with("error: --wait takes no state here\n") && !told.contains("sdc wait"), "{told}");
}

#[test]
fn a_format_of_another_tool_is_refused_in_words_and_not_as_json() {
    for words in
        ["-o jsonpath={.items} machines list", "machines list -o jsonpath=x", "machines list --output=jsonpath=x"]
    {
        let words = format!("{words} -U http://127.0.0.1:9 -a acme -k x");
        let told = told(&words);
        assert!(told.starts_with("error: unknown format 'jsonpath'\n"), "{words}: {told}");
        assert!(told.contains("table, wide, json") && told.contains("--jq EXPR"), "{told}");
    }
    // Those that are JSON still are.
    for words in ["machines list -o json --nope", "machines lst -ojsonl", "machines lst --output=json:name"] {
        assert!(told(words).starts_with("{\"error\""), "{words}");
    }
}
