//! Updates that replace lists: what is lost is said, other changes are refused, and the outcome is read back.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// `sdc admin` with these words, against services that answer so.
fn updated(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&filled(lines));
    let vars = ["NAPI_URL", "PAPI_URL", "SAPI_URL"].map(|name| (name, script.address.as_str()));
    (admin(home.path(), &vars, &filled(words)), script)
}

fn network(resolvers: &str, more: &str) -> String {
    format!(r#"{{"uuid":"$V","name":"lab","resolvers":{resolvers},"mtu":1500{more}}}"#)
}

const OLD: &str = r#"["10.0.0.2","10.0.0.3"]"#;
const NEW: &str = r#"["10.0.0.3","10.0.0.4"]"#;

fn script(after: &str) -> String {
    format!(
        "GET /networks/$V -> 200 {}\nPUT /networks/$V {{\"resolvers\":{NEW}}} -> 200 {}\nGET /networks/$V -> 200 {after}",
        network(OLD, ""),
        network(NEW, "")
    )
}

const UPDATE: &str = "networks update $V --resolver 10.0.0.3 --resolver 10.0.0.4";

#[test]
fn what_is_lost_is_said_and_the_outcome_read_back() {
    // In another order, and with what is empty.
    let (said, napi) =
        updated(&script(&network(r#"["10.0.0.4","10.0.0.3"]"#, r#","routes":{},"modified_timestamp":7"#)), UPDATE);
    assert!(said.err.contains("loses resolvers: 10.0.0.2"), "{}", said.err);
    said.well();
    napi.done();
}

#[test]
fn an_update_that_did_nothing_or_too_much_is_a_failure() {
    for (after, words) in [
        (network(OLD, ""), "NAPI accepted the update, but resolvers is not as it was asked for"),
        (network(NEW, r#","owner_uuids":["$A"]"#), "more has changed than was asked for: owner_uuids too"),
        (network(NEW, "").replace("1500", "9000"), "more has changed than was asked for: mtu too"),
    ] {
        let (said, napi) = updated(&script(&after), UPDATE);
        let told = said.failed(8);
        assert!(told.contains(words) && told.contains(&filled("sdc admin networks get $V")), "{words}: {told}");
        napi.done();
    }
}

#[test]
fn what_replaces_nothing_asks_for_nothing_more() {
    let put = r#"PUT /networks/$V {"description":"x"} -> 200 {"uuid":"$V","description":"x"}"#;
    let (said, napi) = updated(put, "networks update $V --description x -q");
    said.well();
    napi.done();
}

#[test]
fn metadata_of_sapi_is_merged_replaced_or_removed() {
    let service = |metadata: &str| format!(r#"{{"uuid":"$V","name":"vmapi","metadata":{metadata}}}"#);
    let before = r#"{"a":"1","root_pw":"hush"}"#;
    for (action, sent, after, words) in [
        ("", r#""metadata":{"b":"2"}"#, r#"{"a":"1","root_pw":"hush","b":"2"}"#, ""),
        ("", r#""metadata":{"b":"2"}"#, r#"{"b":"2"}"#, "metadata is not as it was asked for"),
        ("--action replace", r#""action":"replace","metadata":{"b":"2"}"#, r#"{"b":"2"}"#, ""),
        (
            "--action delete",
            r#""action":"delete","metadata":{"b":"2"}"#,
            r#"{"a":"1","b":"2","root_pw":"hush"}"#,
            "metadata is not as",
        ),
    ] {
        let lines = format!(
            "GET /services/$V -> 200 {}\nPUT /services/$V {{{sent}}} -> 200 {}\nGET /services/$V -> 200 {}",
            service(before),
            service(after),
            service(after)
        );
        let (said, sapi) = updated(&lines, &format!("services update $V {action} --metadata b=2"));
        assert_eq!(said.err.contains("loses metadata: a, root_pw"), action.contains("replace"), "{}", said.err);
        assert!(!said.err.contains("hush"));
        match words {
            "" => drop(said.well()),
            words => assert!(said.failed(8).contains(words)),
        }
        sapi.done();
    }
}

#[test]
fn what_was_looked_at_is_changed_only_as_it_was_then_where_the_service_has_etags() {
    let lines = |put: &str| {
        format!("GET /networks/$V -> 200#old {}\nPUT /networks/$V {{\"resolvers\":{NEW}}} -> {put}", network(OLD, ""))
    };
    let done = format!(
        "{}\nGET /networks/$V -> 200#new {}",
        lines(&format!("200#new {}", network(NEW, ""))),
        network(NEW, "")
    );
    let (said, napi) = updated(&done, UPDATE);
    said.well();
    let asked = napi.asked();
    assert!(asked[1].line.starts_with("PUT ") && asked[1].headers.contains("if-match: old"), "{asked:?}");
    // Somebody else was faster: nothing is changed, and nothing is sent again.
    let stale = lines(r#"412 {"code":"PreconditionFailed","message":"if-match 'old' didn't match etag 'new'"}"#);
    let (said, napi) = updated(&stale, UPDATE);
    assert!(said.failed(5).contains("didn't match etag"));
    napi.done();
}

#[test]
fn an_update_whose_answer_lacks_the_text_that_was_sent_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    let papi = |answer: &str| {
        let script = Script::new(&filled(&format!(
            r#"* GET /packages/$K -> 200 {{"uuid":"$K","name":"small","version":"1.0.0"}}
            PUT /packages/$K {{"parent":"xyz"}} -> 200 {answer}"#
        )));
        let said = admin(home.path(), &[("PAPI_URL", &script.address)], &filled("packages update $K --parent xyz"));
        assert!(script.lines().iter().any(|line| line.starts_with("PUT ")), "{said:?}");
        said
    };
    papi(r#"{"uuid":"$K","name":"small","version":"1.0.0","parent":"xyz"}"#).well();
    let words = papi(r#"{"uuid":"$K","name":"small","version":"1.0.0"}"#).failed(6);
    assert!(words.contains("whose parent is not what was sent"), "{words}");
}
