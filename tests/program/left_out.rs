//! What a list leaves out for its state: whoever names it learns what became of it.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common::cloud::Cloud;

const WEB: &str = "84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BROKEN: &str = "f05a1d6c";

fn said(cloud: &Cloud, line: &str) -> (u8, String, String) {
    cloud.said(&line.split(' ').collect::<Vec<_>>(), "", &[])
}

#[test]
fn a_machine_that_has_failed_is_shown_where_it_is_named() {
    let cloud = Cloud::start();
    for (name, rows) in [
        ("broken", "broken\n"),
        (BROKEN, "broken\n"),
        ("f05a1d6c-7d0e-4b6a-9c1d-5e2f8a7b4c6d", "broken\n"),
        ("web1 broken", "web1\nbroken\n"),
        ("broken state=failed", "broken\n"),
        ("broken state=running", ""),
        ("broken package=g1-small", "broken\n"),
        ("broken web1 --sort name", "broken\nweb1\n"),
        ("web1 broken --limit 1", "web1\n"),
    ] {
        let (code, out, err) = said(&cloud, &format!("machines list {name} -o tsv:name -H"));
        assert_eq!((code, &*out, &*err), (0, rows, ""), "{name}");
    }
    assert_eq!(said(&cloud, "machines list broken --count").1, "1\n");
    let (_, out, _) = said(&cloud, "machines list web1 broken --json");
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((rows[0]["name"].as_str(), rows[1]["state"].as_str()), (Some("web1"), Some("failed")));
    assert_eq!(said(&cloud, "machines list broken --jq .[].state").1, "\"failed\"\n");
}

#[test]
fn an_image_that_is_disabled_is_shown_where_it_is_named() {
    let cloud = Cloud::start();
    for name in ["base-64@21.4.1", "base-64@21.4.1 os=smartos"] {
        let (code, out, err) = said(&cloud, &format!("images list {name} -o tsv:version,state -H"));
        assert_eq!((code, &*out, &*err), (0, "21.4.1\tdisabled\n", ""), "{name}");
    }
    // Machines were made from it all the same.
    let (code, out, err) = said(&cloud, "machines list image=base-64@21.4.1 --count");
    assert_eq!((code, &*out, &*err), (0, "0\n", ""));
}

#[test]
fn a_machine_that_is_deleted_is_said_to_be_wherever_it_is_named() {
    let cloud = Cloud::start();
    for line in [
        "machines list old-web",
        "machines list old-web memory=5",
        "machines list old-web --json",
        "machines list old-web -o csv",
        "machines list old-web --count",
        "machines list 84d3e71b",
        "machines list 84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d",
        "machines get old-web",
        "machines start old-web",
        "machines ip old-web",
        "machines ssh --print old-web",
        "machines audit old-web",
    ] {
        let (code, out, err) = said(&cloud, line);
        assert_eq!((code, &*out), (3, ""), "{line}: {err}");
        for told in ["machine old-web is deleted", "since 20", &format!("sdc machines get {WEB}"), "--tombstone"] {
            assert!(err.contains(told), "{line}: {told}: {err}");
        }
    }
    let (code, out, err) = said(&cloud, "machines list web1 old-web -o tsv:name -H");
    assert!(code == 3 && out == "web1\n" && err.contains("old-web is deleted"), "{out}{err}");
    for line in ["machines list old-web --tombstone", "machines list old-web state=deleted"] {
        let (code, out, err) = said(&cloud, &format!("{line} -o tsv:name -H"));
        assert_eq!((code, &*out, &*err), (0, "old-web\n", ""), "{line}");
    }
    assert_eq!(said(&cloud, "machines list old-web state=running -o tsv:name -H"), (0, String::new(), String::new()));
    assert_eq!(said(&cloud, "wait machines old-web --for deleted").0, 0);
}

#[test]
fn a_name_that_was_taken_again_means_the_one_that_is_there() {
    let cloud = Cloud::start();
    assert_eq!(said(&cloud, "machines create base-64 g1-small -n old-web --wait").0, 0);
    for line in ["machines get old-web -o tsv:state -H", "machines list old-web -o tsv:state -H"] {
        assert_eq!(said(&cloud, line).1, "running\n", "{line}");
    }
}

#[test]
fn a_glob_that_fits_only_what_is_left_out_fits_nothing_and_says_so() {
    let cloud = Cloud::start();
    for (glob, told) in [("old*", "1 deleted"), ("bro*", "1 failed"), ("*o*-web", "1 deleted")] {
        for format in ["", " -j", " -o csv", " --count"] {
            let (code, out, err) = said(&cloud, &format!("machines list {glob}{format}"));
            assert_eq!((code, &*out), (3, ""), "{glob}{format}: {err}");
            let hint = format!("left out by the list: {told}: sdc machines list '{glob}' --tombstone");
            assert!(err.contains(&format!("no machine matches '{glob}'")) && err.contains(&hint), "{glob}: {err}");
        }
    }
    // What was not asked for, or fits something else, is no failure.
    for line in
        ["machines list old* state=running -o ids", "machines list old* --tombstone -o ids", "machines list * -o ids"]
    {
        let (code, _, err) = said(&cloud, line);
        assert_eq!((code, &*err), (0, ""), "{line}");
    }
    assert_eq!(said(&cloud, "machines list old* memory=5 -o ids").0, 3);
}

#[test]
fn a_glob_that_fits_nothing_leaves_stdout_empty() {
    let cloud = Cloud::start();
    for format in ["table", "wide", "csv", "tsv", "json", "jsonl", "yaml", "ids"] {
        let (code, out, err) = said(&cloud, &format!("machines list zz* state=running -o {format}"));
        assert_eq!((code, &*out), (3, ""), "{format}: {err}");
    }
}

#[test]
fn a_machine_that_has_failed_has_no_address_and_that_is_what_is_said() {
    let cloud = Cloud::start();
    for line in ["machines ip broken", "machines ssh --print broken", "machines scp --print file broken:"] {
        let (code, _, err) = said(&cloud, line);
        assert!(code == 3 && err.contains("machine broken is failed: it has no address"), "{line}: {err}");
        assert!(err.contains(&format!("sdc machines why {BROKEN}")) && !err.contains("start"), "{line}: {err}");
    }
    let (code, _, err) = said(&cloud, "machines ssh broken");
    assert!(code == 5 && err.contains("machine broken is failed") && err.contains("machines why"), "{err}");
}

/// What is offered in the place of the last word.
fn offered(cloud: &Cloud, line: &str) -> Vec<String> {
    let words: Vec<&str> = ["--", "sdc"].into_iter().chain(line.split(' ')).collect();
    let (_, out, _) = cloud.said(&words, "", &[("SDC_COMPLETE", "zsh")]);
    out.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn what_has_failed_is_offered_and_what_is_gone_is_not() {
    let cloud = Cloud::start();
    for verb in ["why", "delete", "get", "stop"] {
        assert_eq!(offered(&cloud, &format!("machines {verb} bro")), ["broken"], "{verb}");
        assert!(offered(&cloud, &format!("machines {verb} old")).is_empty(), "{verb}");
    }
    let (_, _, err) = said(&cloud, "machines get brokne");
    assert!(err.contains("did you mean broken?"), "{err}");
}

#[test]
fn tags_and_the_machine_behind_a_login_are_offered() {
    let cloud = Cloud::start();
    let tags = offered(&cloud, "ls tag.");
    assert!(tags.contains(&"tag.role=".to_owned()) && tags.contains(&"tag.stage=".to_owned()), "{tags:?}");
    assert_eq!(offered(&cloud, "ls tag.ro"), ["tag.role="]);
    assert_eq!(offered(&cloud, "machines stop tag.ro"), Vec::<String>::new(), "names are offered there");
    assert_eq!(offered(&cloud, "ssh root@web"), ["root@web1", "root@web10"]);
    assert_eq!(offered(&cloud, "machines ssh --login root bui"), ["build"]);
}
