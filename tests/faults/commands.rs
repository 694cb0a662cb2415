//! The families of commands that the table has columns for: one command of each, the request that the fault is planted
//! on, and how the truth is found afterwards.

use std::path::Path;

use sdc::emulator::Emulator;

use crate::{sdc, text};

/// A family of commands.
pub struct Family {
    /// The column's head.
    pub name: &'static str,
    /// What is typed.
    pub words: &'static [&'static str],
    /// The request that goes wrong.
    pub request: &'static str,
    /// Says what is wrong with what has really happened. It is told whether the command said that it succeeded, and
    /// what it printed.
    pub truth: fn(&Emulator, &Path, bool, &str) -> Option<String>,
}

const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BUILD: &str = "07a5e9d4-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const NEW: &[&str] = &[
    "machines",
    "create",
    "--image",
    "base-64",
    "--package",
    "g1-small",
    "-n",
    "new",
    "--wait",
    "--timeout",
    "6s",
    "-o",
    "ids",
];
const KEYED: &[&str] = &[
    "machines",
    "create",
    "--image",
    "base-64",
    "--package",
    "g1-small",
    "-n",
    "new",
    "--wait",
    "--timeout",
    "6s",
    "-o",
    "ids",
    "--idempotency-key",
    "job-1",
];

pub const COMMANDS: &[Family] = &[
    Family { name: "list", words: &["machines", "list", "-o", "ids"], request: "GET /machines", truth: all_listed },
    Family {
        name: "long list",
        words: &["machines", "list", "-o", "ids"],
        request: "GET /machines",
        truth: all_listed,
    },
    Family {
        name: "get",
        words: &["machines", "get", WEB1, "-o", "ids"],
        request: "GET /machines/*",
        truth: one_shown,
    },
    Family { name: "create", words: NEW, request: "POST /machines", truth: never_two },
    Family { name: "create with a key", words: KEYED, request: "POST /machines", truth: exactly_one },
    Family {
        name: "action",
        words: &["machines", "stop", WEB1, "--wait", "--timeout", "6s"],
        request: "POST /machines/*",
        truth: |emulator, home, well, _| state_is(emulator, home, WEB1, "stopped", well),
    },
    Family {
        name: "delete",
        words: &["machines", "delete", BUILD, "--yes", "--wait", "--timeout", "6s"],
        request: "DELETE /machines/*",
        truth: |emulator, home, well, _| {
            let there = listed(emulator, home).iter().any(|id| id == BUILD);
            (well && there).then(|| "it is still there".to_owned())
        },
    },
    Family {
        name: "set",
        words: &["machines", "tags", "set", WEB1, "ticket=42", "--wait", "--timeout", "6s"],
        request: "POST /machines/*/tags",
        truth: |emulator, home, well, _| {
            let tags = text(&sdc(emulator, home, &["machines", "tags", "list", WEB1, "--json"]).stdout);
            (well && !tags.contains("ticket")).then(|| format!("the tag is not there: {tags}"))
        },
    },
    Family {
        name: "many",
        words: &["machines", "stop", "web*", "--wait", "--timeout", "6s", "--json"],
        request: "POST /machines/*",
        truth: |emulator, home, well, out| {
            let two = serde_json::from_str::<serde_json::Value>(out)
                .is_ok_and(|value| value.as_array().is_some_and(|a| a.len() == 2));
            if well && !two {
                return Some("it does not tell of both".to_owned());
            }
            state_is(emulator, home, WEB1, "stopped", well)
        },
    },
    Family {
        name: "wait",
        words: &["wait", "machines", WEB1, "--for", "state=running", "--timeout", "8s"],
        request: "GET /machines/*",
        truth: |_, _, _, _| None,
    },
];

/// The ids of the machines there are.
fn listed(emulator: &Emulator, home: &Path) -> Vec<String> {
    text(&sdc(emulator, home, &["machines", "list", "-o", "ids"]).stdout).lines().map(str::to_owned).collect()
}

fn all_listed(emulator: &Emulator, home: &Path, well: bool, out: &str) -> Option<String> {
    let truth = listed(emulator, home);
    let mut told: Vec<&str> = out.lines().collect();
    if well && told != truth {
        return Some(format!("it listed {} of {}", told.len(), truth.len()));
    }
    told.sort_unstable();
    told.dedup();
    (told.len() != out.lines().count()).then(|| "it listed a machine twice".to_owned())
}

fn one_shown(_: &Emulator, _: &Path, well: bool, out: &str) -> Option<String> {
    (well && out.trim() != WEB1).then(|| "it is not the machine that was asked for".to_owned())
}

fn made(emulator: &Emulator, home: &Path) -> Vec<String> {
    let out = sdc(emulator, home, &["machines", "list", "name=new", "--tombstone", "-o", "ids"]);
    text(&out.stdout).lines().map(str::to_owned).collect()
}

fn never_two(emulator: &Emulator, home: &Path, well: bool, out: &str) -> Option<String> {
    match made(emulator, home).as_slice() {
        [] if well => Some("nothing was made".to_owned()),
        [one] if well && out.trim() != one => Some(format!("it told another id than {one}")),
        [] | [_] => None,
        many => Some(format!("{} were made", many.len())),
    }
}

fn exactly_one(emulator: &Emulator, home: &Path, well: bool, out: &str) -> Option<String> {
    if let Some(wrong) = never_two(emulator, home, well, out) {
        return Some(wrong);
    }
    // However it ended: the same command again ends with that machine, and not with another.
    let again = sdc(emulator, home, KEYED);
    // One that failed is no machine, and the service's own list leaves it out.
    let alive = text(&sdc(emulator, home, &["machines", "list", "name=new", "-o", "ids"]).stdout);
    let alive: Vec<&str> = alive.lines().collect();
    match (again.status.code(), alive.as_slice()) {
        (Some(0), [one]) if text(&again.stdout).trim() == *one => None,
        (code, many) => Some(format!("repeated, it ended with {code:?}, and {} are there", many.len())),
    }
}

fn state_is(emulator: &Emulator, home: &Path, id: &str, state: &str, well: bool) -> Option<String> {
    let out = text(&sdc(emulator, home, &["machines", "get", id, "--jq", ".state", "--raw"]).stdout);
    (well && out.trim() != state).then(|| format!("it is {}, not {state}", out.trim()))
}
