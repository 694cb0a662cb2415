//! Pages of help: each begins with examples that run, and can be read at 80 columns.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]
// A test may read the environment that the program must not.
#![allow(clippy::disallowed_methods)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sdc::cli::{Console, Streams};
use sdc::emulator::{Options, Pace, ThrowAwayKey};

use crate::common::Kept;
use crate::common::cloud::Cloud;
use crate::common::text;

/// How many run at once.
const AT_ONCE: usize = 6;

/// An access key in examples: its id is the service's own choice, so one is made and its id put here.
const ACCESS_KEY: &str = "fc93c52fdbd847adb70ba8b9766212e0";

/// A job in examples that has not ended: its id is the service's own choice too.
const JOB: &str = "2b6f0a1c";

/// Commands with one example, and why two would say no more.
const ONE: &[(&str, &str)] = &[
    ("images import", "it has one option, which is required"),
    ("config edit", "it has no options"),
    ("stack type list", "it has no options of its own"),
    ("stack function list", "it has one option"),
    ("images clone", "it has no options"),
    ("images share", "it has no options"),
    ("images unshare", "it has no options"),
    ("datacenters foreign list", "only portals may"),
    ("datacenters foreign add", "only portals may"),
];

/// Commands whose examples are not run to their end, and why.
const ENDLESS: &[(&str, &str)] =
    &[("machines vnc", "waits for a viewer"), ("emulator serve", "serves until it is interrupted")];

/// Commands that become another program, or start one that prints by itself.
const APART: &[&str] = &["machines ssh", "machines scp", "emulator exec"];

/// Commands whose examples end with another code than 0, and why.
const CODES: &[(&str, u8, &str)] = &[
    ("datacenters foreign list", 4, "only portals may"),
    ("datacenters foreign add", 4, "only portals may"),
    ("accesskeys update", 5, "services of version 9.20 have no such request"),
    ("users accesskeys update", 5, "services of version 9.20 have no such request"),
    ("admin ca", 1, "there is no such service any more"),
    ("admin jobs resume", 5, "no workflow of the data center has a step that waits for somebody"),
];

/// What must be so before the examples of a command run.
const BEFORE: &[(&str, &[&str])] = &[
    ("machines snapshots get", &["machines snapshots create web1 -n before --wait"]),
    ("machines snapshots delete", &["machines snapshots create web1 -n before --wait"]),
    ("machines snapshots boot", &["machines snapshots create web1 -n before --wait", "machines stop web1 --wait"]),
    ("machines migrate get", &["machines migrate begin web1 --wait"]),
    ("machines migrate watch", &["machines migrate begin web1 --wait"]),
    ("machines migrate sync", &["machines migrate begin web1 --wait"]),
    ("machines migrate pause", &["machines migrate begin web1 --wait", "machines migrate sync web1"]),
    ("machines migrate switch", &["machines migrate begin web1 --wait", "machines migrate sync web1 --wait"]),
    ("machines migrate abort", &["machines migrate begin web1 --wait"]),
    (
        "machines migrate finalize",
        &[
            "machines migrate begin web1 --wait",
            "machines migrate sync web1 --wait",
            "machines migrate switch web1 --wait",
        ],
    ),
    // It has stopped some time after a feed was opened.
    ("machines watch", &["machines stop web1"]),
    ("changefeed", &["machines stop web1"]),
    ("images clone", &["images import e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d03 --from local-2"]),
    ("fabrics vlans delete", &["fabrics vlans create 300 -n frontend"]),
    ("keys delete", &["keys add laptop.pub -n laptop"]),
    ("users keys get", &["users keys add ci laptop.pub -n laptop"]),
    ("users keys delete", &["users keys add ci laptop.pub -n laptop"]),
    ("role-tags remove", &["role-tags set machines/web1 operator", "role-tags set images/acme-web operator"]),
    ("profile use", &["profile create prod --use", "profile create ci --use", "profile use prod"]),
    ("profile delete", &["profile create prod"]),
    ("profile get", &["profile create prod"]),
    ("profile edit", &["profile create prod --use"]),
    ("profile copy", &["profile create prod"]),
    ("profile rename", &["profile create prod", "profile create ci"]),
    ("env", &["profile create prod"]),
    ("admin applications delete", &["admin applications create -n lab --owner admin"]),
    ("admin services delete", &["admin services create -n probe --application sdc"]),
    ("admin manifests get", &["admin manifests create -n motd --path /etc/motd --template motd.txt"]),
    ("admin manifests delete", &["admin manifests create -n motd --path /etc/motd --template motd.txt"]),
    (
        "admin networks delete",
        &["admin networks create -n lab --nic-tag external --vlan 30 --subnet 10.60.0.0/24 \
             --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99"],
    ),
    ("admin nictags update", &["admin nictags create storage"]),
    ("admin nictags delete", &["admin nictags create storage"]),
    ("admin fabrics vlans delete", &["admin fabrics vlans create acme 300 application"]),
    ("admin vms snapshots rollback", &["admin vms snapshots create web1 -n before --wait"]),
    ("admin vms snapshots delete", &["admin vms snapshots create web1 -n before --wait"]),
    ("admin vms internal-metadata get", &["admin vms internal-metadata set web1 ticket=4711 --wait"]),
    ("admin vms internal-metadata delete", &["admin vms internal-metadata set web1 ticket=4711 --wait"]),
    ("admin vms role-tags delete", &["admin vms role-tags add web1 a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61"]),
    ("admin migrations get", &["admin migrations begin web1 --wait"]),
    ("admin migrations sync", &["admin migrations begin web1 --wait"]),
    ("admin migrations pause", &["admin migrations begin web1 --wait", "admin migrations sync web1"]),
    ("admin migrations switch", &["admin migrations begin web1 --wait", "admin migrations sync web1 --wait"]),
    ("admin migrations abort", &["admin migrations begin web1 --wait"]),
    ("admin migrations rollback", MIGRATED),
    ("admin migrations finalize", MIGRATED),
    ("admin jobs cancel", &["admin vms stop web1"]),
];

/// A VM that has been migrated, as far as that can still be undone.
const MIGRATED: &[&str] = &[
    "admin migrations begin web1 --wait",
    "admin migrations sync web1 --wait",
    "admin migrations switch web1 --wait --yes",
];

/// Files that examples name, and what is in them.
const FILES: &[(&str, &str)] = &[
    ("boot.sh", "#!/bin/sh\n"),
    ("motd.txt", "Hello\n"),
    ("notes.txt", "Hello\n"),
    ("password.txt", "secret123\n"),
    ("rules.txt", "FROM any TO all vms ALLOW tcp PORT 22\n"),
    ("laptop.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgzAKIkbZBYYqFQ4jVYTu2yFvpTqQWB5oCUKyL3SD3m laptop\n"),
    ("cloud.yaml", "format: sdc-emulator/1\nmachines:\n- {name: web1, tags: {role: web}}\n"),
    ("application.json", r#"{"name": "lab", "owner_uuid": "930896af-bf8c-48d4-885c-6573a94b1853"}"#),
    ("service.json", r#"{"name": "probe", "application_uuid": "sdc", "type": "vm"}"#),
    ("instance.json", r#"{"service_uuid": "papi", "params": {"alias": "papi1"}}"#),
    ("manifest.json", r#"{"name": "motd", "path": "/etc/motd", "template": "Hello\n"}"#),
    (
        "package.yaml",
        "name: tiny\nversion: 1.0.0\nmax_physical_memory: 256\nmax_swap: 512\nquota: 10240\nmax_lwps: 1000\n\
         zfs_io_priority: 10\n",
    ),
    (
        "web.yaml",
        "heat_template_version: 2021-04-16\nparameters: {size: {type: string, default: g1-small}}\nresources:\n  web:\n    \
         type: SDC::Compute::Machine\n    properties: {image: base-64@22.4.0, package: {get_param: size}}\n",
    ),
    ("prod.yaml", "parameters: {size: g1-medium}\n"),
    ("rbac.json", r#"{"owner": "team-a", "policies": [{"name": "may-reboot", "rules": ["CAN rebootmachine"]}]}"#),
];

/// A page of help: the command's words and its text at 80 columns.
struct Page {
    command: String,
    text: String,
}

impl Page {
    /// The examples, without the program's name.
    fn examples(&self) -> Vec<String> {
        let text = self.text.replace(" \\\n      ", " ");
        let lines = text.lines().skip_while(|line| *line != "Examples:").skip(1);
        let lines = lines.take_while(|line| !line.is_empty());
        lines.map(|line| line.strip_prefix("  sdc ").expect(line).to_owned()).collect()
    }

    fn is(&self, command: &str) -> bool {
        self.command == command
    }
}

/// The pages of all commands that can be typed.
fn pages() -> Vec<Page> {
    fn below(command: &mut clap::Command, words: &str, found: &mut Vec<Page>) {
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        if names.is_empty() {
            let text = command.render_long_help().to_string();
            // The options of all commands have a page of their own.
            let text = text.split("Cloud and key:").next().unwrap().trim_end().to_owned();
            found.push(Page { command: words.to_owned(), text });
        }
        for name in names {
            let sub = command.find_subcommand_mut(&name).unwrap();
            if !sub.is_hide_set() {
                below(sub, format!("{words} {name}").trim_start(), found);
            }
        }
    }
    let mut root = sdc::cli::pages().term_width(80);
    root.build();
    let mut found = Vec::new();
    below(&mut root, "", &mut found);
    assert!(found.len() > 140, "{}", found.len());
    found
}

/// The words of a command, as a shell reads them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (_, Some(open)) if open == letter => quote = None,
            (' ', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    assert!(quote.is_none(), "{command}");
    words.extend(word);
    words
}

/// A cloud of its own for each example, with the files and programs that examples use.
struct Stage {
    cloud: Cloud,
    path: String,
}

impl Stage {
    fn new(page: &Page) -> Stage {
        // Something must be under way while these run.
        let slow =
            ["machines watch", "changefeed", "machines migrate pause", "admin migrations pause", "admin jobs cancel"];
        let pace = if slow.iter().any(|command| page.is(command)) { 2.0 } else { 600.0 };
        let admin = page.command.starts_with("admin ");
        let options =
            Options { pace: Pace::Times(pace), throw_away: ThrowAwayKey::Ed25519, admin, ..Options::default() };
        let cloud = Cloud::with(options);
        let home = cloud.home.path();
        for (name, text) in FILES {
            std::fs::write(home.join(name), text).unwrap();
        }
        let mode = |file: &Path, mode| std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
        mode(&home.join("password.txt"), 0o600);
        std::fs::create_dir(home.join("src")).unwrap();
        for program in ["ssh", "scp", "make", "vi"] {
            std::fs::write(home.join(program), "#!/bin/sh\nexit 0\n").unwrap();
            mode(&home.join(program), 0o755);
        }
        let own = Path::new(env!("CARGO_BIN_EXE_sdc")).parent().unwrap();
        let path = format!("{}:{}:/usr/bin:/bin", home.display(), own.display());
        Stage { cloud, path }
    }

    /// Runs a command on a terminal where somebody says yes; its exit code, and what it said.
    fn run(&self, command: &str) -> (u8, String) {
        let home = self.cloud.home.path();
        let at_home = |word: String| {
            let file = FILES.iter().map(|(name, _)| *name).chain(["src"]).find(|name| word.ends_with(name));
            match file {
                Some(name) => word.replace(name, &home.join(name).display().to_string()),
                None => word,
            }
        };
        let words: Vec<String> = words(command).into_iter().map(at_home).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if APART.iter().any(|apart| command.starts_with(apart)) {
            let said = self.cloud.apart(&words, &[("PATH", &self.path)]);
            return (u8::try_from(said.status.code().unwrap()).unwrap(), text(&said.stdout) + &text(&said.stderr));
        }
        let (out, err) = (Kept::default(), Kept::default());
        let input = if words.contains(&"-") { "secret123\n" } else { "y\n" };
        let mut streams = Streams::of(input.as_bytes(), out.clone(), err.clone());
        (streams.stdin_tty, streams.stderr_tty) = (input == "y\n", input == "y\n");
        let code = self.cloud.run(&words, Console::of(streams, self.cloud.env(&[("PATH", &self.path)])));
        (code, out.text() + &err.text())
    }

    /// Runs an example of a command, after what must come before it.
    fn example(&self, page: &Page, example: &str) -> Result<(), String> {
        for command in BEFORE.iter().filter(|(known, _)| page.is(known)).flat_map(|(_, before)| *before) {
            let (code, said) = self.run(command);
            if code != 0 {
                return Err(format!("{command}: {code}\n{said}"));
            }
        }
        let mut example = example.to_owned();
        if example.contains(ACCESS_KEY) {
            let owner =
                if page.command.starts_with("users") { "users accesskeys create ci" } else { "accesskeys create" };
            let (_, id) = self.run(&format!("{owner} -H -o accesskeyid"));
            example = example.replace(ACCESS_KEY, id.lines().next().unwrap_or_default());
        }
        if example.contains(JOB) {
            let (_, ids) = self.run("admin jobs list -H -o uuid --limit 1");
            example = example.replace(JOB, ids.lines().next().unwrap_or_default());
        }
        let mut refused = CODES.iter().filter(|_| !example.contains("--dry-run"));
        let expected = refused.find(|(known, ..)| page.is(known)).map_or(0, |(_, code, _)| *code);
        let (code, said) = self.run(&example);
        if code == expected { Ok(()) } else { Err(format!("{example}: {code}\n{said}")) }
    }
}

#[test]
fn every_example_runs_on_a_new_emulator() {
    let pages = pages();
    let all: Vec<(&Page, String)> =
        pages.iter().flat_map(|page| page.examples().into_iter().map(move |example| (page, example))).collect();
    let only = std::env::var("ONLY").unwrap_or_default();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((page, example)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let endless = ENDLESS.iter().any(|(known, _)| page.is(known));
                    if endless || !page.command.contains(&only) {
                        continue;
                    }
                    if let Err(error) = Stage::new(page).example(page, example) {
                        wrong.lock().unwrap().push(error);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn every_page_begins_with_what_the_command_does_and_two_examples() {
    let mut wrong = Vec::new();
    for page in pages() {
        let expected = if ONE.iter().any(|(known, _)| page.is(known)) { 1 } else { 2 };
        let examples = page.examples();
        let begins = page.text.lines().position(|line| line == "Examples:") == Some(2);
        let own = |example: &String| {
            example.strip_prefix(&page.command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        if !begins || examples.len() != expected || !examples.iter().all(own) {
            wrong.push(format!("{}: {examples:?}\n{}", page.command, page.text));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with the lines of a page.
fn faults(page: &Page) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines: Vec<&str> = page.text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    for (at, line) in lines.iter().enumerate() {
        let words = line.split_whitespace().count();
        let before = at.checked_sub(1).map_or("", |before| lines[before]);
        let after = lines.get(at + 1).copied().unwrap_or_default();
        if line.chars().count() > 80 {
            wrong.push(format!("{} columns: {line}", line.chars().count()));
        }
        // The last line of a paragraph that is one short word.
        let ends = after.is_empty() || indent(after) < indent(line);
        let listed = line.trim().ends_with(']');
        if words == 1 && ends && !listed && before.chars().count() > 60 && line.trim().len() < 8 {
            wrong.push(format!("stranded: {before} / {}", line.trim()));
        }
        // A short line between longer ones of a paragraph was broken by hand, and then once more.
        let next = after.split_whitespace().next().unwrap_or_default();
        let same = [before, after].iter().all(|other| !other.is_empty() && indent(other) == indent(line));
        let room = line.chars().count() + 1 + next.chars().count() <= 72;
        let ended = line.ends_with(['.', ':', ',', '\\']);
        if same && room && !ended && words < 4 && before.chars().count() + line.trim().len() > 80 {
            wrong.push(format!("wrapped twice: {line}"));
        }
    }
    wrong
}

#[test]
fn every_page_can_be_read_at_80_columns() {
    let wrong: Vec<String> = pages()
        .iter()
        .filter_map(|page| {
            let faults = faults(page);
            (!faults.is_empty()).then(|| format!("{}\n    {}", page.command, faults.join("\n    ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_text_of_the_table_has_the_name_of_the_program() {
    for resource in sdc::api::SERVICES.iter().flat_map(|service| service.resources) {
        for op in resource.ops {
            let texts = [op.about, op.long].into_iter().chain(op.examples.lines());
            for text in texts.chain(op.fields.iter().map(|field| field.about)).chain([resource.about]) {
                assert!(!text.contains("sdc "), "{}: {text}", op.id);
            }
            // Only the long text is marked up.
            assert!(op.fields.iter().all(|field| !field.about.contains('`')) && !op.about.contains('`'), "{}", op.id);
            assert!(op.long.matches('`').count() % 2 == 0, "{}", op.id);
        }
    }
}
