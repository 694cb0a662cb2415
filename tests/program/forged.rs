//! Names from the service: no line of a list, a question, an error, a note or a progress report is theirs.
#![cfg(feature = "cli")]

use crate::common::{answering, sdc, text};
use serde_json::json;

const ID: &str = "b8a2d4e6-1c3e-4f5a-9b7c-0d1e2f3a4b01";
const OTHER: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
/// Begins lines in every way that a terminal or an editor knows, and hides what is in it.
const NAME: &str = "web\nerror: FORGED\r\nwarning: FORGED\n  hint: FORGED\u{2028}FORGED\u{85}FORGED\u{b}FORGED\u{c}FORGED\u{1b}[1A\u{9b}2K\u{200d}\u{ad}\u{3164}\u{2800}\u{e0041}";

fn machines() -> String {
    let row = |id: &str| {
        json!({ "id": id, "name": NAME, "state": "running", "created": "2020-01-01T00:00:00Z", "tags": { NAME: NAME },
                "brand": NAME, "primaryIp": NAME })
    };
    json!([row(ID), row(OTHER)]).to_string()
}

#[test]
fn no_name_begins_a_line_or_hides_in_one() {
    let url = answering("200 OK", machines().into_bytes());
    for words in [
        &["machines", "list"][..],
        &["machines", "list", "-o", "wide"],
        &["machines", "list", "-o", "name,tags,brand"],
        &["machines", "list", "-o", "ids"],
        &["machines", "get", "web"],
        &["machines", "get", NAME],
        &["machines", "stop", NAME],
        &["machines", "stop", "web*"],
        &["machines", "delete", "*"],
        &["machines", "delete", NAME],
        &["machines", "delete", "*", "--dry-run"],
        &["machines", "delete", ID],
        &["machines", "list", NAME],
        &["machines", "list", &format!("tag.x=~{NAME}")],
        &["machines", "list", "--state", NAME],
        &["machines", NAME],
        &[NAME],
        &["machines", "list", &format!("--{NAME}")],
        &["wait", "machines", NAME, "--for", "state=running", "--timeout", "1s"],
        &["images", "delete", NAME, "--yes"],
        &["packages", "get", NAME],
    ] {
        let said = sdc(&url, words);
        let lines = format!("{}\n{}", text(&said.stdout), text(&said.stderr));
        for line in lines.lines() {
            let begin = line.trim_start();
            let forged =
                begin.strip_prefix("error: ").or(begin.strip_prefix("warning: ")).or(begin.strip_prefix("hint: "));
            assert!(!forged.unwrap_or(begin).starts_with("FORGED"), "{words:?}: {lines}");
        }
        let hidden = |letter: char| {
            letter != '\n'
                && (letter.is_control() || "\u{200d}\u{ad}\u{3164}\u{2800}\u{e0041}\u{2028}".contains(letter))
        };
        assert_eq!(lines.chars().find(|letter| hidden(*letter)), None, "{words:?}: {lines:?}");
    }
}

#[test]
fn what_the_service_says_is_one_line_of_an_error() {
    let fault = json!({ "code": NAME, "message": NAME, "errors": [{ "field": NAME, "code": NAME, "message": NAME }] });
    let url = answering("409 Conflict", fault.to_string().into_bytes());
    for words in [&["machines", "list"][..], &["machines", "get", ID], &["machines", "stop", ID]] {
        let said = sdc(&url, words);
        let told = text(&said.stderr);
        assert!(told.lines().all(|line| !line.trim_start().starts_with("FORGED")), "{told}");
        assert!(told.lines().filter(|line| line.starts_with("error: ")).count() == 1, "{told}");
        let said = sdc(&url, &[words, &["--json"]].concat());
        let told: serde_json::Value = serde_json::from_slice(&said.stderr).unwrap();
        assert!(told["error"]["message"].as_str().unwrap().contains(NAME), "JSON is faithful");
    }
}

#[test]
fn safe_cells_are_about_csv_and_tsv_alone() {
    let rows = json!([{ "id": ID, "name": "=1+1", "memory": -5, "tags": { "=k": "@v" } }]);
    let url = answering("200 OK", rows.to_string().into_bytes());
    let out = |words: &[&str]| text(&sdc(&url, &[&["machines", "list"], words].concat()).stdout);
    assert_eq!(out(&["-o", "csv:name,memory,tags.=k", "--csv-safe"]), "name,memory,tags.=k\n'=1+1,-5,'@v\n");
    assert_eq!(out(&["-o", "tsv:name", "-H", "--csv-safe"]), "'=1+1\n");
    assert_eq!(out(&["-o", "csv:name", "-H"]), "=1+1\n");
    for words in [&["machines", "list", "--csv-safe"][..], &["machines", "list", "--csv-safe", "-j"]] {
        assert_eq!(sdc(&url, words).status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn no_line_of_a_question_or_an_error_is_longer_than_a_person_reads() {
    let long = "x".repeat(5000);
    let zalgo = format!("z{}", "\u{301}\u{489}".repeat(2500));
    for name in [long.as_str(), &zalgo, &"\u{e0041}".repeat(5000), &"日本".repeat(2500)] {
        let row = |id: &str| json!({ "id": id, "name": name, "state": name, "tags": { "role": name, name: name } });
        let url = answering("200 OK", json!([row(ID), row(OTHER)]).to_string().into_bytes());
        for words in [
            &["machines", "delete", "*"][..],
            &["machines", "delete", "*", "--dry-run"],
            &["machines", "delete", "x*", "z*"],
            &["machines", "delete", name],
            &["machines", "get", name],
            &["machines", "stop", name],
            &["machines", "get", "x"],
            &["images", "delete", "z", "--yes"],
        ] {
            let said = sdc(&url, words);
            let told = text(&said.stderr);
            let longest = told.lines().map(str::len).max().unwrap_or_default();
            assert!(longest < 3000, "{words:.20?} {longest}: {told:.400}");
            let marks = told.matches(['\u{301}', '\u{489}']).count();
            assert!(marks < 200 && !told.contains('\u{e0041}'), "{marks}: {told:.400}");
        }
        let fault =
            json!({ "code": name, "message": name, "errors": [{ "field": name, "code": name, "message": name }] });
        let url = answering("409 Conflict", fault.to_string().into_bytes());
        let told = text(&sdc(&url, &["machines", "stop", ID]).stderr);
        assert!(told.lines().all(|line| line.len() < 40_000), "{told:.400}");
        // As JSON it is whole.
        let said = sdc(&url, &["machines", "stop", ID, "--json"]);
        let told: serde_json::Value = serde_json::from_slice(&said.stderr).unwrap();
        assert!(told["error"]["message"].as_str().unwrap().contains(name) || name.len() > 5000);
    }
}

#[test]
fn what_is_not_seen_is_shown_in_tables_and_marks_do_not_pile_up() {
    let name = "w\u{17b4}\u{180b}\u{180f}\u{fff9}\u{fe0f}\u{e0100}\u{e0001}\u{e007f}\u{2060}\u{206f}\u{202e}\u{2066}b";
    let zalgo = format!("{name}{}", "\u{301}\u{334}\u{489}".repeat(40));
    let rows = json!([{ "id": ID, "name": zalgo, "state": "running", "tags": { name: zalgo } }]);
    let url = answering("200 OK", rows.to_string().into_bytes());
    for words in [&["-o", "name,tags"][..], &["-o", "record"], &["-o", "wide"], &[]] {
        let said = sdc(&url, &[&["machines", "list"], words].concat());
        let out = text(&said.stdout);
        let hidden = out.chars().find(|letter| name.contains(*letter) && !letter.is_ascii());
        assert_eq!(hidden, None, "{words:?}: {out:?} {}", text(&said.stderr));
        let marks = out.matches(['\u{301}', '\u{334}', '\u{489}']).count();
        assert!(marks <= 20, "{words:?}: {marks} {out:?}");
    }
    let said = sdc(&url, &["machines", "list", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(told[0]["name"], zalgo, "JSON is faithful");
}
