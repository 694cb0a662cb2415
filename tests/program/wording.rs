//! Texts of help and errors, as a reader in a hurry meets them.
#![cfg(feature = "cli")]

use crate::common::{key, program, sdc, text};

/// Nothing listens there.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn no_topic_of_help_is_wider_than_80_columns() {
    for topic in ["exit-codes", "environment", "selectors", "formatting", "triton", "smartdc", "options"] {
        let page = text(&sdc(NOBODY, &["help", topic]).stdout);
        assert!(!page.is_empty(), "{topic}");
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{topic}: {line}");
        }
    }
}

#[test]
fn a_number_is_refused_in_words_and_not_in_a_range_of_rust() {
    for (words, expected) in [
        ("machines stop web1 --max 0", "error: --max must be at least 1"),
        ("machines stop web1 --max x", "error: --max: 'x' is not a number"),
        ("machines stop web1 --parallel 101", "error: --parallel must be at most 100"),
        ("machines list --limit 1.5", "error: --limit: '1.5' is not a whole number"),
        ("machines list --limit 99999999999999999999", "error: --limit: 99999999999999999999 is too large"),
        ("fabrics vlans create x -n a", "error: VLAN_ID: 'x' is not a number"),
    ] {
        let said = sdc(NOBODY, &words.split(' ').collect::<Vec<_>>());
        assert_eq!((said.status.code(), text(&said.stderr).trim()), (Some(2), expected));
    }
}

#[test]
fn an_unknown_state_is_told_in_the_same_words_everywhere() {
    for words in ["machines stop --state runing", "wait machines web1 --for state=runing", "machines list state=runing"]
    {
        let said = text(&sdc(NOBODY, &words.split(' ').collect::<Vec<_>>()).stderr);
        assert!(said.starts_with("error: unknown state 'runing', did you mean 'running'?\n"), "{words}: {said}");
        assert!(said.contains("\n  hint: the states are running, "), "{words}: {said}");
    }
}

#[test]
fn a_word_that_is_nearly_a_format_is_told_without_the_columns() {
    let said = text(&sdc(NOBODY, &["machines", "list", "-o", "tabel"]).stderr);
    assert_eq!(said.trim(), "error: unknown format 'tabel', did you mean 'table'?");
    let said = text(&sdc(NOBODY, &["machines", "list", "-o", "nosuchthing"]).stderr);
    assert!(said.lines().all(|line| line.len() <= 80) && said.contains("deletion_protection"), "{said}");
}

#[test]
fn a_profile_can_be_created_that_is_named_as_the_one_in_use() {
    let md5 = "0b:72:0d:dd:2f:97:9a:4e:cc:13:93:96:8e:80:87:c5";
    for by_variable in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let words: &[&str] = &["profile", "create", "nosuch", "-k", md5];
        let words = if by_variable { words.to_vec() } else { [&["-p", "nosuch"], words].concat() };
        let mut command = program(NOBODY, "acme", &key().join("key"), &words);
        command.env("SDC_CONFIG_DIR", dir.path());
        if by_variable {
            command.env("SDC_PROFILE", "nosuch");
        }
        let said = command.output().unwrap();
        assert!(said.status.success(), "{}", text(&said.stderr));
        assert!(dir.path().join("profiles.d/nosuch.json").exists());
    }
}
