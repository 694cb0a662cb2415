//! The examples of docs/guide/testing.md: taken from the page as they stand there, put into files of the names that they
//! have there, and run by the tools that they are for.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

mod data_center;
mod example;

use std::path::Path;
use std::process::{Command, Stdio};

const PAGE: &str = include_str!("../../../docs/guide/testing.md");

/// The blocks of the page: what stands behind the backticks, and the text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = PAGE.split("\n```").collect();
    // Every other one is within.
    parts.chunks(2).filter_map(|pair| pair.get(1)?.split_once('\n')).collect()
}

/// The text of the one block with these words.
fn block(words: &str) -> &'static str {
    let found: Vec<_> = blocks().into_iter().filter(|(name, _)| *name == words).collect();
    assert_eq!(found.len(), 1, "blocks with the words {words:?}");
    found[0].1
}

/// A folder with the files of the page, and with a home, settings and a path as on a machine where sdc is installed.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        for (words, text) in blocks() {
            if let Some((_, name)) = words.split_once(' ') {
                std::fs::write(place.dir.path().join(name), format!("{text}\n")).unwrap();
            }
        }
        for name in ["bin", "home", "tmp"] {
            std::fs::create_dir(place.dir.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sdc"), place.dir.path().join("bin/sdc")).unwrap();
        place
    }

    /// Runs a command there, and returns what it said. Nothing is left of an emulator afterwards.
    fn runs(&self, program: &str, words: &[&str]) -> String {
        let env = sdc::config::Env::process();
        let path = format!("{}:{}", self.dir.path().join("bin").display(), env.var("PATH").unwrap());
        let mut command = Command::new("/usr/bin/env");
        command.arg("-i").arg(format!("PATH={path}"));
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            command.arg(format!("{name}={}", self.dir.path().join(folder).display()));
        }
        // The home of the user has more of Python than that of the test, on some machines.
        command.args(env.var("PYENV_ROOT").map(|root| format!("PYENV_ROOT={root}")));
        command.arg(program).args(words).current_dir(self.dir.path()).stdin(Stdio::null());
        let done = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{program} {words:?}: {}\n{out}\n{err}", done.status);
        let left: Vec<_> = std::fs::read_dir(self.dir.path().join("tmp")).unwrap().collect();
        assert!(left.iter().all(|entry| !format!("{entry:?}").contains("sdc-emulator")), "{left:?}");
        format!("{out}{err}")
    }
}

/// Whether the example of this file is what the page shows.
fn is_shown(file: &str) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    assert_eq!(block("rust"), text.trim_end(), "{file} and docs/guide/testing.md");
}

#[test]
fn the_example_for_rust_is_the_one_that_runs_here() {
    is_shown("tests/program/guide_tests/example.rs");
}

#[test]
fn the_example_for_python_runs_without_pytest() {
    let said = Place::new().runs("python3", &["-m", "unittest", "fleet_unittest.py"]);
    assert!(said.contains("Ran 1 test"), "{said}");
}

#[test]
#[ignore = "needs pytest, which .ci/run installs"]
fn the_examples_for_python_run_with_pytest() {
    let said = Place::new().runs("python3", &["-m", "pytest", "-q", "test_fleet.py", "fleet_unittest.py"]);
    assert!(said.contains("2 passed"), "{said}");
}

#[test]
fn the_example_for_node_runs() {
    let said = Place::new().runs("node", &["--test", "fleet.test.mjs"]);
    assert!(said.contains("pass 2") && said.contains("fail 0"), "{said}");
}

#[test]
fn the_line_for_a_shell_runs() {
    Place::new().runs("sh", &["-euc", block("sh")]);
}

#[test]
fn a_test_that_fails_is_seen_to_fail() {
    let place = Place::new();
    let cloud = place.dir.path().join("cloud.json");
    let changed = std::fs::read_to_string(&cloud).unwrap().replace("\"web2\"", "\"web3\"");
    std::fs::write(&cloud, changed).unwrap();
    for (program, words) in
        [("python3", &["-m", "unittest", "fleet_unittest.py"][..]), ("node", &["--test", "fleet.test.mjs"])]
    {
        let failed = std::panic::catch_unwind(|| place.runs(program, words));
        assert!(failed.is_err(), "{program}");
    }
}
