//! What `--quiet` leaves of a change: the ids of what was made, and nothing else, since a log of CI keeps what is printed.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common::cloud::Cloud;

/// Changes of what is there, one after another.
const CHANGES: &[&str] = &[
    "machines tags set web1 password=s3cret",
    "machines tags set web1 web10 password=s3cret --wait",
    "machines tags replace web1 password=s3cret --yes",
    "machines metadata set web1 password=s3cret",
    "machines metadata set web1 web10 password=s3cret --wait",
    "machines stop web1",
    "machines start web1 --wait",
    "account update phone=1",
    "config set default_network=backend",
    "images update acme-web --description s3cret",
    "images tag acme-web password=s3cret",
    "images share acme-web 1a2b3c4d-7d0e-4b6a-9c1d-5e2f8a7b4c6d",
    "role-tags set machines/web1 operator",
    "role-tags add machines/web1 keyadmin",
    "role-tags add machines/web1 keyadmin",
    "users update ci --phone 1",
];

#[test]
fn a_change_that_is_quiet_prints_nothing_and_one_with_a_format_what_was_asked_for() {
    let cloud = Cloud::start();
    for line in CHANGES {
        let words: Vec<&str> = line.split(' ').chain(["-q"]).collect();
        assert_eq!(cloud.said(&words, "", &[]), (0, String::new(), String::new()), "{line}");
    }
    for format in [&["-j"][..], &["-o", "name,value"], &["--jq", "."]] {
        let words = [&["machines", "metadata", "set", "web1", "password=s3cret", "-q"][..], format].concat();
        let (code, out, _) = cloud.said(&words, "", &[]);
        assert!(code == 0 && out.contains("s3cret"), "{words:?}: {out}");
    }
    // What is set is heeded where it is for scripts.
    let words = ["machines", "metadata", "set", "web1", "password=s3cret", "-q"];
    for (set, hides) in [("json", false), ("ids", false), ("table", true), ("wide", true)] {
        let (_, out, _) = cloud.said(&words, "", &[("SDC_OUTPUT", set)]);
        assert_eq!(out.is_empty(), hides, "{set}: {out}");
    }
    // What only reads is data.
    let (_, out, _) = cloud.said(&["machines", "metadata", "get", "web1", "password", "-q"], "", &[]);
    assert!(out.contains("s3cret"), "{out}");
}

#[test]
fn what_was_made_quietly_is_told_by_its_id_alone() {
    let cloud = Cloud::start();
    for (line, many) in [
        ("machines create base-64 g1-nano -n job", 1),
        ("machines create base-64 g1-nano -n job --if-absent", 1),
        ("machines create base-64 g1-nano -n job --count 2", 2),
        ("machines snapshots create web1 -n before", 1),
        ("machines snapshots create web1 web10 -n after", 2),
        ("machines nics add web1 network=backend", 1),
        ("volumes create -n more", 1),
        ("fabrics vlans create 300 -n front", 1),
        ("roles create ops", 1),
        ("users create jill --email jill@example.com --password-file PASSWORD", 1),
    ] {
        let file = cloud.home.path().join("password");
        std::fs::write(&file, "s3cret-and-long1").unwrap();
        let line = line.replace("PASSWORD", &file.display().to_string());
        let words: Vec<&str> = line.split(' ').chain(["-q"]).collect();
        let (code, out, err) = cloud.said(&words, "", &[]);
        assert_eq!((code, out.split_whitespace().count(), out.lines().count()), (0, many, many), "{line}: {out}{err}");
    }
    // The service tells a secret but once.
    let (_, out, _) = cloud.said(&["accesskeys", "create", "-q"], "", &[]);
    assert!(out.contains("ACCESSKEYSECRET"), "{out}");
    // The answer to a new disk is none: the machine's id would be taken for it.
    let made =
        ["machines", "create", "ubuntu-24.04", "b1-flex", "-n", "flex", "--disk", "10G", "--disk", "20G", "-w", "-q"];
    assert_eq!(cloud.said(&made, "", &[]).0, 0);
    cloud.said(&["machines", "stop", "flex", "-w", "-q"], "", &[]);
    let (code, out, err) = cloud.said(&["machines", "disks", "add", "flex", "1024", "-q"], "", &[]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
}
