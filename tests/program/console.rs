//! The whole program within this process: streams, variables and the time of day are given to it, and two runs share
//! nothing.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sdc::cli::{Console, Streams};
use sdc::emulator::{Options, Pace};

use crate::common::Kept;
use crate::common::cloud::Cloud;

/// A stream that fails in this way.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_run_reads_and_writes_where_it_is_told_and_knows_only_its_own_variables() {
    let cloud = Cloud::start();
    let (code, out, err) = cloud.said(&["machines", "list", "-o", "name"], "", &[]);
    assert!(code == 0 && out.contains("web1") && err.is_empty(), "{code} {out} {err}");
    let (code, _, err) = cloud.said(&["machines", "list"], "", &[("SDC_PROFILE", "nothing")]);
    assert!(code == 2 && err.contains("nothing"), "{err}");
    let (code, _, err) = cloud.said(&["machines", "lst"], "", &[]);
    assert!(code == 2 && err.contains("list"), "{err}");
    let (code, out, _) = cloud.said(&["config", "show", "--json"], "", &[]);
    assert!(code == 0 && out.contains("SDC_URL"), "{out}");
    let (code, out, _) = cloud.said(&["machines", "get", "web1"], "", &[("CLICOLOR_FORCE", "1")]);
    assert!(code == 0 && out.contains("\u{1b}["), "{out}");
}

#[test]
fn standard_input_is_read_once_in_a_run_and_anew_in_the_next() {
    let cloud = Cloud::start();
    for _ in 0..2 {
        let (code, out, err) = cloud.said(&["machines", "stop", "-", "--dry-run"], "web1\ndb0\n", &[]);
        assert!(code == 0 && out.matches("POST ").count() == 2, "{out}{err}");
    }
    let twice = ["keys", "add", "-", "-n", "x", "--attestation", "-", "--dry-run"];
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgzAKIkbZBYYqFQ4jVYTu2yFvpTqQWB5oCUKyL3SD3m me";
    let (code, _, err) = cloud.said(&twice, key, &[]);
    assert!(code == 2 && err.contains("only once"), "{err}");
}

#[test]
fn a_question_is_asked_of_the_terminal_that_is_given() {
    let cloud = Cloud::start();
    for (answer, expected) in [("n\n", 1), ("", 1), ("y\n", 0)] {
        let (out, err) = (Kept::default(), Kept::default());
        let mut streams = Streams::of(answer.as_bytes(), out.clone(), err.clone());
        (streams.stdin_tty, streams.stderr_tty) = (true, true);
        let code = cloud.run(&["machines", "delete", "build"], Console::of(streams, cloud.env(&[])));
        assert!(code == expected && err.text().contains("? [y/N] "), "{answer:?}: {code} {}", err.text());
    }
    // Without a terminal nobody is asked.
    let (code, _, err) = cloud.said(&["machines", "delete", "web1"], "y\n", &[]);
    assert!(code == 2 && err.contains("--yes"), "{err}");
}

#[test]
fn the_time_of_day_is_the_one_that_is_given() {
    let cloud = Cloud::start();
    let age = |ahead: Duration| {
        let (out, err) = (Kept::default(), Kept::default());
        let console = Console::of(Streams::of(io::empty(), out.clone(), err.clone()), cloud.env(&[]));
        let console = console.at(Arc::new(move || SystemTime::now() + ahead));
        let code = cloud.run(&["machines", "list", "name=web1", "-o", "age", "-H"], console);
        (code, out.text().trim().to_owned(), err.text())
    };
    let now = age(Duration::ZERO);
    let later = age(Duration::from_secs(60));
    assert!(now.0 == 0 && later.0 == 0, "{now:?} {later:?}");
    // Requests are dated by it as well.
    let (code, _, err) = age(Duration::from_secs(3600));
    assert!(code == 4 && err.contains("the clocks differ"), "{err}");
}

#[test]
fn an_output_that_breaks_is_told_by_the_exit_code() {
    let cloud = Cloud::start();
    for (kind, expected) in [(io::ErrorKind::BrokenPipe, 0), (io::ErrorKind::StorageFull, 1)] {
        let err = Kept::default();
        let streams = Streams::of(io::empty(), Broken(kind), err.clone());
        let code = cloud.run(&["machines", "list"], Console::of(streams, cloud.env(&[])));
        assert_eq!(code, expected, "{kind:?}: {}", err.text());
    }
}

#[test]
#[cfg(unix)]
fn programs_that_a_run_starts_get_its_variables_but_no_secret() {
    use std::os::unix::fs::PermissionsExt;
    let cloud = Cloud::with(Options { pace: Pace::Times(600.0), ..Options::default() });
    let home = cloud.home.path();
    std::fs::write(home.join("ssh"), "#!/bin/sh\nenv >> \"$HOME/seen\"\n").unwrap();
    std::fs::set_permissions(home.join("ssh"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", home.display());
    let more = [("PATH", path.as_str()), ("MARK", "here"), ("SDC_KEY_PASSPHRASE", "hunter2secret")];
    let (code, out, err) = cloud.said(&["run", "--image", "base-64", "--package", "g1-small", "--", "true"], "", &more);
    assert_eq!(code, 0, "{out}{err}");
    let seen = std::fs::read_to_string(home.join("seen")).unwrap();
    assert!(seen.contains("MARK=here") && !seen.contains("hunter2secret"), "{seen}");
}
