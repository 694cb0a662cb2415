//! The operator's line of README.md, as it stands there, by whoever types it, again and again and several at once.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::text;

const README: &str = include_str!("../../README.md");
/// The user and the group of those who are nobody, wherever there is one.
const NOBODY: u32 = 65534;

/// The line, and nothing but one.
fn line() -> &'static str {
    let lines: Vec<&str> = README.lines().filter(|line| line.starts_with("    sdc emulator exec --admin")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].trim()
}

/// The program where anybody may run it, and a home for each user.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        std::fs::set_permissions(place.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(place.path("bin")).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_sdc"), place.path("bin/sdc")).unwrap();
        for path in ["bin", "bin/sdc"] {
            std::fs::set_permissions(place.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn is_roots(&self) -> bool {
        std::fs::metadata(self.dir.path()).unwrap().uid() == 0
    }

    /// A new home of this user, or of whoever runs the tests.
    fn home(&self, name: &str, user: Option<u32>) -> PathBuf {
        let home = self.path(name);
        std::fs::create_dir(&home).unwrap();
        std::os::unix::fs::chown(&home, user, user).unwrap();
        home
    }

    /// Begins the line, with nothing in the environment but a path and this home.
    fn begins(&self, home: &Path, user: Option<u32>) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line()]).env_clear().env("HOME", home).current_dir(home);
        command.env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()));
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// It has found the services and listed the VMs, and what the operator has stopped is stopped for the customer.
#[track_caller]
fn is_done(run: Child) {
    let said = run.wait_with_output().unwrap();
    let (out, err) = (text(&said.stdout), text(&said.stderr));
    assert!(said.status.success(), "{}: {out}{err}", said.status);
    for due in ["vmapi", "http://127.", "ADMIN_IP of vmapi0", "web1", "running"] {
        assert!(out.contains(due), "{due}: {out}{err}");
    }
    assert!(out.ends_with("STATE\nstopped\n"), "{out}{err}");
}

#[test]
fn the_operators_line_works_twice_in_a_row_and_twice_at_once_for_root_and_for_others() {
    let _alone = crate::common::heavy();
    let place = Place::new();
    let users = if place.is_roots() { vec![None, Some(NOBODY)] } else { vec![None] };
    let mut homes = Vec::new();
    for (number, user) in users.into_iter().enumerate() {
        let home = place.home(&format!("home{number}"), user);
        is_done(place.begins(&home, user));
        is_done(place.begins(&home, user));
        let both = [place.begins(&home, user), place.begins(&home, user)];
        both.into_iter().for_each(is_done);
        homes.push((home, user));
    }
    // All of them together.
    let all: Vec<Child> = homes.iter().map(|(home, user)| place.begins(home, *user)).collect();
    all.into_iter().for_each(is_done);
}
