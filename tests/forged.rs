//! Names from the service: no line of a list, a question, an error, a note or a progress report is theirs.
#![cfg(feature = "cli")]

mod common;

use common::{answering, sdc, text};
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
