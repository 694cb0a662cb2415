//! A name that nothing has is told with those that may have been meant.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common::cloud::Cloud;

#[test]
fn a_name_that_is_nearly_one_is_told_with_that_one_whatever_it_is_the_name_of() {
    let cloud = Cloud::start();
    let made = ["machines", "snapshots", "create", "web1", "-n", "before", "--wait"];
    assert_eq!(cloud.said(&made, "", &[]).0, 0);
    for (line, meant, list) in [
        ("machines get wbe1", "web1", "machines list"),
        ("machines tags get web1 rol", "role", "machines tags list 3c1f8a52"),
        ("machines tags delete web1 rloe --yes", "role", "machines tags list 3c1f8a52"),
        ("machines tags delete web1 rol/e --yes", "role", "machines tags list 3c1f8a52"),
        ("machines metadata get web1 releas", "release", "machines metadata list 3c1f8a52"),
        ("machines metadata delete web1 relaese --yes", "release", "machines metadata list 3c1f8a52"),
        ("machines snapshots get web1 befor", "before", "machines snapshots list 3c1f8a52"),
        ("machines snapshots delete web1 befor --yes", "before", "machines snapshots list 3c1f8a52"),
        ("keys get emulatr", "emulator", "keys list"),
        ("keys get emulatr emultor", "emulator", "keys list"),
        ("keys delete emulatr --yes", "emulator", "keys list"),
    ] {
        let (code, _, err) = cloud.said(&line.split(' ').collect::<Vec<_>>(), "", &[]);
        assert_eq!(code, 3, "{line}: {err}");
        assert!(err.contains(&format!("hint: did you mean {meant}?\n")), "{line}: {err}");
        assert!(err.contains(&format!("hint: list them: sdc {list}")), "{line}: {err}");
    }
    // Nothing is like these.
    for line in ["machines tags get web1 xyzzy", "keys delete xyzzy --yes"] {
        let (_, _, err) = cloud.said(&line.split(' ').collect::<Vec<_>>(), "", &[]);
        assert!(!err.contains("did you mean") && err.contains("list them"), "{line}: {err}");
    }
    // Where the machine is missing, the tag is not.
    let (_, _, err) = cloud.said(&["machines", "tags", "get", "wbe1", "role"], "", &[]);
    assert!(err.contains("did you mean web1?") && !err.contains("mean role"), "{err}");
}

#[test]
fn a_machine_that_is_gone_is_not_offered() {
    let cloud = Cloud::start();
    let gone = cloud.said(&["machines", "list", "tombstone=true", "state=deleted", "-o", "name", "-H"], "", &[]).1;
    assert_eq!(gone.trim(), "old-web");
    for line in [
        "machines get old-we",
        "machines why old-we",
        "machines start old-we",
        "machines delete old-we --yes",
        "machines get old-we old-wbe",
        "machines ip old-we",
        "wait machines old-we --for ready",
        "wait machines old-we --for deleted",
        "machines audit old-we",
        "machines list old-we",
        "machines list old-we tombstone=true",
    ] {
        let (code, _, err) = cloud.said(&line.split(' ').collect::<Vec<_>>(), "", &[]);
        assert!(code == 3 && !err.contains("old-web"), "{line}: {code} {err}");
    }
}
