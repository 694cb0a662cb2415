//! What the server sent is what the user gets: no token of JSON changes on its way through a format.
#![cfg(feature = "cli")]

use std::collections::HashMap;

use proptest::prelude::*;
use sdc::answer::{Answer, scan, split_rows};
use sdc::api::{Column, Shape, Show, column};
use sdc::error::Kind;
use sdc::render::{Format, Program, SortKey, View, age, json, parse_output, parse_sort, render, visible};
use sdc::response::Response;

const KNOWN: &[Column] = &[
    column("shortid").of("id").show(Show::ShortId),
    column("name"),
    column("image").show(Show::ImageName),
    column("memory").show(Show::Mebibytes),
    column("flags").show(Show::MachineFlags),
    column("age").of("created").show(Show::Age),
    column("id").long(),
    column("ips").long(),
    column("created").named(),
    column("tags").nested(),
    column("metadata").nested(),
];

const ODD: &str = r#"[{"a":1.10,"big":12345678901234567890123,"e":"\u00e9\/","dup":1,"dup":2,"x":1E2,"neg":-0}]"#;

/// 2026-11-23T00:00:00Z
const NOW: i64 = 1_795_392_000_000;

fn look(output: &str) -> View {
    let (format, columns) = parse_output(output, KNOWN).unwrap();
    View { format, columns, known: KNOWN, now: NOW, ..View::default() }
}

fn rows(body: &str) -> Answer {
    Answer::from_rows(body.as_bytes()).unwrap()
}

fn list(body: &str, output: &str) -> String {
    render(&rows(body), Shape::Rows, &look(output))
}

/// The tokens of a document, by a reader of its own.
fn tokens(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_whitespace() {
            continue;
        }
        let mut token = String::from(letter);
        if letter == '"' {
            while let Some(inner) = letters.next() {
                token.push(inner);
                if inner == '\\' {
                    token.extend(letters.next());
                } else if inner == '"' {
                    break;
                }
            }
        } else if !"{}[],:".contains(letter) {
            while let Some(more) = letters.next_if(|next| !"{}[],: \t\r\n".contains(*next)) {
                token.push(more);
            }
        }
        list.push(token);
    }
    list
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1.10".to_owned()),
        Just("1E2".to_owned()),
        Just("-0".to_owned()),
        Just("-0.0e-00".to_owned()),
        Just("12345678901234567890123".to_owned()),
        Just("1e400".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,5})?",
    ]
}

fn string() -> impl Strategy<Value = String> {
    // Every escape there is, half surrogate pairs among them, between letters of every kind.
    let piece = prop_oneof![
        "[a-z:#,\\[\\]{} '-]{1,6}",
        Just("\\u00e9".to_owned()),
        Just("\\/".to_owned()),
        Just("\\\\".to_owned()),
        Just("\\\"".to_owned()),
        Just("\\n\\t\\r\\b\\f".to_owned()),
        Just("\\u001b[31m".to_owned()),
        Just("\\ud83d\\ude00".to_owned()),
        Just("\\ud800".to_owned()),
        Just("\u{9b}31m\u{202e}\u{7f}".to_owned()),
        Just("é漢😀".to_owned()),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn blank() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

fn value() -> impl Strategy<Value = String> {
    let leaf =
        prop_oneof![number(), string(), Just("true".to_owned()), Just("false".to_owned()), Just("null".to_owned())];
    leaf.prop_recursive(6, 48, 6, |inner| {
        let element = (blank(), inner.clone(), blank()).prop_map(|(a, value, b)| format!("{a}{value}{b}"));
        prop_oneof![
            (prop::collection::vec(element, 0..6), blank()).prop_map(|(all, space)| {
                if all.is_empty() { format!("[{space}]") } else { format!("[{}]", all.join(",")) }
            }),
            object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let name = prop_oneof![
        string(),
        Just("\"id\"".to_owned()),
        Just("\"name\"".to_owned()),
        Just("\"n\\u0061me\"".to_owned())
    ];
    let member = (blank(), name, blank(), blank(), inner, blank())
        .prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"));
    (prop::collection::vec(member, 0..6), blank())
        .prop_map(|(all, space)| if all.is_empty() { format!("{{{space}}}") } else { format!("{{{}}}", all.join(",")) })
}

fn document() -> impl Strategy<Value = String> {
    prop::collection::vec(object(value()), 0..5).prop_map(|rows| format!("[{}]", rows.join(" ,\n")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_layout_of_json_changes_a_token(text in value()) {
        let before = tokens(&text);
        prop_assert_eq!(&tokens(&json::compact(&text)), &before);
        prop_assert_eq!(&tokens(&json::indented(&text)), &before);
        prop_assert_eq!(json::compact(&json::indented(&text)), before.concat());
    }

    #[test]
    fn text_that_is_no_json_is_laid_out_without_panic_and_is_no_answer(text in "([\\[\\]{}:,\"\\\\ eu0-9-]|\\PC){0,60}") {
        let _ = (json::compact(&text), json::indented(&text), scan::depth(&text), scan::unquote(&text));
        let _ = scan::members(&text).into_iter().flatten().count();
        let _ = scan::elements(&text).into_iter().flatten().count();
        let _ = scan::at(&text, &["a", "0"]);
        let valid = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Answer::from_record(text.as_bytes()).is_ok(), valid);
    }

    #[test]
    fn no_format_lets_a_name_or_value_steer_a_terminal(
        name in "[a\u{1b}\u{9b}\u{7f}\n\t]{0,6}", text in "[a\u{1b}\u{9b}\u{7f}\r\n\t,\"]{0,6}",
        output in prop::sample::select(vec!["table", "wide", "json", "jsonl", "yaml", "csv", "tsv", "ids"]),
    ) {
        let row = serde_json::json!({ name.as_str(): text, "id": text, "deep": { name.as_str(): [text] } }).to_string();
        let record = Answer::from_record(row.as_bytes()).unwrap();
        let list = rows(&format!("[{row}]"));
        // Columns that the table knows, and those that the server names.
        for known in [KNOWN, &[]] {
            let look = View { terminal: true, known, ..look(output) };
            for shown in [
                render(&list, Shape::Rows, &look), render(&record, Shape::Record, &look), render(&record, Shape::Map, &look),
            ] {
                prop_assert!(!shown.contains(|letter: char| letter.is_control() && !"\n\t".contains(letter)), "{shown:?}");
            }
        }
    }

    #[test]
    fn every_failure_says_something(
        status in 300_u16..600,
        code in prop_oneof![Just("null".to_owned()), Just("\" \"".to_owned()), string()],
        message in prop_oneof![Just("\"\"".to_owned()), Just("\" \\n\"".to_owned()), string(), number()],
        other in prop_oneof![value(), Just("<html>".to_owned())],
    ) {
        for body in [format!("{{\"code\":{code},\"message\":{message},\"errors\":{other}}}"), other] {
            let headers = Default::default();
            let response = Response { status, headers, body: body.into_bytes(), sent: String::new(), path: String::new(), service: &sdc::api::CLOUDAPI };
            let error = response.failure();
            prop_assert!(!error.message().trim().is_empty(), "{error:?}");
            prop_assert_eq!(error.fault().map(|fault| fault.status), Some(status));
        }
    }

    #[test]
    fn rows_come_out_as_they_came_in(text in document()) {
        let answer = rows(&text);
        let before = tokens(&text);
        prop_assert_eq!(&tokens(&render(&answer, Shape::Rows, &look("json"))), &before);
        let lines = render(&answer, Shape::Rows, &look("jsonl"));
        let joined = format!("[{}]", lines.lines().collect::<Vec<_>>().join(","));
        prop_assert_eq!(tokens(&joined).concat(), before.concat());
        for (row, line) in split_rows(text.as_bytes()).unwrap().iter().zip(lines.lines()) {
            prop_assert!(text.contains(row.get()));
            prop_assert_eq!(tokens(row.get()).concat(), line);
        }
    }

    #[test]
    fn a_terminal_shows_the_same_values_and_no_control_characters(text in document()) {
        let shown = render(&rows(&text), Shape::Rows, &View { terminal: true, ..look("json") });
        prop_assert!(!shown.contains(|letter: char| letter.is_control() && letter != '\n'));
        let strings = |text: &str| -> Vec<String> {
            // Half pairs are no string to serde_json, but stay the same token.
            tokens(text).iter().map(|token| serde_json::from_str::<String>(token).unwrap_or_else(|_| token.clone())).collect()
        };
        if !text.contains("\\ud800") {
            prop_assert_eq!(strings(&shown), strings(&text));
        }
    }

    #[test]
    fn a_picked_value_keeps_its_text(value in value(), other in value()) {
        let body = format!("[{{\"x\":{other},\"n\\u0061me\" : {value} ,\"memory\":1.10}}]");
        let out = list(&body, "json:memory,name");
        let expected = format!("[{{\"memory\":1.10,\"name\":{value}}}]");
        prop_assert_eq!(tokens(&out), tokens(&expected));
    }

    #[test]
    fn yaml_is_read_as_the_same_text_by_another_reader(
        text in prop_oneof![
            any::<String>(),
            "[-+.~!&*?:,#|>%@`'\" 0-9a-zA-Z_]{0,12}",
            "(0x|0o|0b|0|-|\\+|\\.)?[0-9_a-fA-F.eE:]{1,10}",
            "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:]{1,8}Z?)?",
            "(?i)(y|n|yes|no|on|off|true|false|null|~|[+-]?\\.?(inf|nan)|=|<<)",
        ],
    ) {
        let object = format!("{{\"k\":{}}}", serde_json::to_string(&text).unwrap());
        let yaml = render(&Answer::from_record(object.as_bytes()).unwrap(), Shape::Record, &look("yaml"));
        let read: HashMap<String, serde_json::Value> = serde_saphyr::from_str(&yaml).unwrap();
        prop_assert_eq!(read.get("k"), Some(&serde_json::Value::String(text.clone())), "{}", yaml);
        // As the name of a member too.
        let object = format!("{{{}:\"v\"}}", serde_json::to_string(&text).unwrap());
        let yaml = render(&Answer::from_record(object.as_bytes()).unwrap(), Shape::Record, &look("yaml"));
        let read: HashMap<String, String> = serde_saphyr::from_str(&yaml).unwrap();
        prop_assert_eq!(read.get(&text).map(String::as_str), Some("v"), "{}", yaml);
    }

    #[test]
    fn yaml_keeps_the_shape_of_any_document(text in document()) {
        // A reader of types refuses numbers as great as some of these; their text is looked at elsewhere.
        let number = |token: String| if token.starts_with(|c: char| c == '-' || c.is_ascii_digit()) { "7".to_owned() } else { token };
        let text: String = tokens(&text).into_iter().map(number).collect();
        let yaml = render(&rows(&text), Shape::Rows, &look("yaml"));
        let read: Result<serde_json::Value, _> = serde_saphyr::from_str(&yaml);
        let read = read.map_err(|error| TestCaseError::fail(format!("{error}\n{yaml}")))?;
        if let Ok(sent) = serde_json::from_str::<serde_json::Value>(&text) {
            prop_assert_eq!(outline(&read), outline(&sent), "{}", yaml);
        }
    }

    #[test]
    fn csv_is_read_back_as_it_was_written(cells in prop::collection::vec(any::<String>(), 2..6)) {
        let body: Vec<String> =
            cells.iter().map(|cell| format!("{{\"name\":{0},\"memory\":{0}}}", serde_json::to_string(cell).unwrap())).collect();
        let csv = list(&format!("[{}]", body.join(",")), "csv:name,memory");
        let read = read_csv(&csv);
        prop_assert_eq!(&read[0], &["name", "memory"]);
        for (line, cell) in read[1..].iter().zip(&cells) {
            prop_assert_eq!(line, &[cell.as_str(), cell.as_str()]);
        }
        prop_assert_eq!(read.len(), cells.len() + 1);
    }

    #[test]
    fn no_bytes_make_the_reader_of_answers_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Answer::from_rows(&bytes);
        let _ = Answer::from_record(&bytes);
    }

    #[test]
    fn no_document_makes_a_format_panic(text in document(), cut in any::<prop::sample::Index>()) {
        let _ = Answer::from_rows(text.as_bytes().get(..cut.index(text.len())).unwrap_or_default());
        let answer = rows(&text);
        for output in ["table", "wide", "json", "jsonl", "yaml", "csv", "tsv", "ids", "name,tags.a,/nics/0/ip"] {
            for terminal in [true, false] {
                let mut look = View { terminal, ..look(output) };
                let _ = render(&answer, Shape::Rows, &look);
                look.sort = parse_sort("-name,age,memory", KNOWN).unwrap();
                let sorted = render(&answer, Shape::Rows, &look);
                if matches!(look.format, Format::Table | Format::Wide) {
                    prop_assert!(!sorted.contains(|letter: char| letter.is_control() && letter != '\n'));
                    prop_assert_eq!(sorted.lines().count(), answer.rows().count() + 1);
                }
            }
        }
        for row in answer.rows() {
            let one = Answer::from_record(row.json().as_bytes()).unwrap();
            for shape in [Shape::Record, Shape::Map] {
                for output in ["table", "json", "yaml", "csv", "ids"] {
                    let _ = render(&one, shape, &look(output));
                }
            }
        }
    }

    #[test]
    fn scanning_text_that_is_no_json_does_not_panic(text in "[\\[\\]{}:,\"\\\\u0-9a-f \n-]{0,40}") {
        use sdc::answer::scan;
        let _ = scan::members(&text).into_iter().flatten().count();
        let _ = scan::elements(&text).into_iter().flatten().count();
        let _ = (scan::unquote(&text), scan::depth(&text), scan::at(&text, &["a", "0"]));
        let _ = (json::compact(&text), json::indented(&text), visible(&text));
    }

    #[test]
    fn numbers_sort_as_numbers(mut numbers in prop::collection::vec(-1_000_000i64..1_000_000, 2..20)) {
        let body: Vec<String> = numbers.iter().map(|n| format!("{{\"memory\":{n}}}")).collect();
        let sorted = View { sort: parse_sort("memory", KNOWN).unwrap(), ..look("jsonl:memory") };
        let out = render(&rows(&format!("[{}]", body.join(","))), Shape::Rows, &sorted);
        numbers.sort_unstable();
        let expected: String = numbers.iter().map(|n| format!("{{\"memory\":{n}}}\n")).collect();
        prop_assert_eq!(out, expected);
    }
}

/// A document without its scalars' types and white space: what YAML must keep.
fn outline(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Array(all) => all.iter().map(outline).collect(),
        // Of two like names one is kept, and half pairs are not told apart.
        Value::Object(all) => {
            let mut names: Vec<&String> = all.keys().collect();
            names.sort();
            Value::Array(names.into_iter().map(|name| serde_json::json!([name, outline(&all[name])])).collect())
        }
        Value::Number(_) => Value::Null,
        other => other.clone(),
    }
}

/// RFC 4180, read by the letter.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut table, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                table.push(std::mem::take(&mut line));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && cell.is_empty() && line.is_empty(), "an unfinished line");
    table
}

#[test]
fn the_oddest_document_passes_unchanged() {
    assert_eq!(list(ODD, "json"), format!("{ODD}\n"));
    assert_eq!(list(ODD, "jsonl"), format!("{}\n", &ODD[1..ODD.len() - 1]));
    let shown = render(&rows(ODD), Shape::Rows, &View { terminal: true, ..look("json") });
    assert_eq!(tokens(&shown), tokens(ODD));
    assert!(shown.starts_with("[\n  {\n    \"a\": 1.10,\n"), "{shown}");
    assert!(shown.ends_with("\n  }\n]\n"), "{shown}");
}

#[test]
fn an_empty_list_is_empty_in_every_format() {
    let outputs = ["json", "jsonl", "yaml", "ids"].map(|output| list("[]", output));
    assert_eq!(outputs, ["[]\n", "", "[]\n", ""].map(str::to_owned));
    assert_eq!(list("[ ]", "csv:id,name"), "id,name\n");
    assert_eq!(list("[]", "name,memory"), "NAME  MEMORY\n");
    let bare = View { header: false, ..look("name") };
    assert_eq!(render(&rows("[]"), Shape::Rows, &bare), "");
    assert_eq!(render(&Answer::Nothing, Shape::Nothing, &look("json")), "");
}

#[test]
fn a_broken_answer_is_named() {
    let said = |body: &[u8]| {
        let error = Answer::from_rows(body).unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable);
        error.to_string()
    };
    assert_eq!(said(b"<!DOCTYPE html><html>"), "the answer is a web page, not JSON");
    assert_eq!(said(b"[{\"id\":\"a\"},{\"i"), "the answer breaks off after 15 bytes");
    assert_eq!(said(b"{\"code\":\"x\"}"), "the answer is an object where a list was expected");
    assert_eq!(said(b"null"), "the answer is null where a list was expected");
    assert_eq!(said(b" \n"), "the answer is empty where JSON was expected");
    assert_eq!(said(b"[1,\n oops]"), "the answer is not JSON: wrong at byte 5 of 10");
    assert_eq!(said(b"[\"\xff\"]"), "the answer is not text: no UTF-8 at byte 2");
    assert!(Answer::from_record(b"[1]{").is_err());
}

#[test]
fn a_library_user_reads_text_by_pointer_and_types_by_serde() {
    #[derive(serde::Deserialize)]
    struct Machine {
        name: String,
    }
    let answer = rows(r#"[{"name":"web\u0030","nics":[{"ip":"10.0.0.1"}],"a/b":{"~":1.10},"none":null}]"#);
    let row = answer.first().unwrap();
    assert_eq!(row.text("/name").unwrap(), "web0");
    assert_eq!(row.text("/nics/0/ip").unwrap(), "10.0.0.1");
    assert_eq!(row.text("/a~1b/~0").unwrap(), "1.10");
    assert_eq!(row.text("/none"), None);
    assert_eq!(row.text("/nics/1/ip"), None);
    assert_eq!(row.text("name"), None);
    assert_eq!(row.read::<Machine>().unwrap().name, "web0");
    assert_eq!(answer.read::<Vec<Machine>>().unwrap().len(), 1);
    assert!(answer.read::<Machine>().is_err());
}

const MACHINES: &str = r#"[
 {"id":"b6d4a1f0-4d4c-4a4b-9c43-cf8b1b9e2e5a","name":"web0","image":"11111111-2222-3333-4444-555555555555",
  "memory":1024,"brand":"bhyve","docker":true,"firewall_enabled":true,"deletion_protection":true,
  "created":"2026-11-20T00:00:00.000Z","ips":["10.0.0.1","192.168.0.2"],"tags":{"role":"db","a.b":1.10},"package":""},
 {"id":"short","name":"\u001b[31mred\u202e","image":"99999999-2222-3333-4444-555555555555",
  "memory":1536,"brand":"kvm","created":"2026-11-24T00:00:00Z","ips":[],"tags":{}},
 {"id":null,"name":"漢字","memory":25600}]"#;

#[test]
fn a_table_shows_what_people_want_to_see() {
    let images = HashMap::from([("11111111-2222-3333-4444-555555555555".to_owned(), "base@24.4.1".to_owned())]);
    let out = render(&rows(MACHINES), Shape::Rows, &View { images, ..look("table") });
    let expected = "\
SHORTID   NAME                 IMAGE        MEMORY  FLAGS  AGE
b6d4a1f0  web0                 base@24.4.1  1G      BDFP   3d
short     \\x1b[31mred\\u{202e}  99999999     1.5G    K      0s
-         漢字                 -            25G     -      -
";
    assert_eq!(out, expected);
}

#[test]
fn named_columns_reach_into_objects_and_lists() {
    let out = list(MACHINES, "tags.role,tags.a.b,/ips/1,ips");
    assert_eq!(
        out,
        "TAGS.ROLE  TAGS.A.B  /ips/1       IPS\n\
         db         1.10      192.168.0.2  10.0.0.1,192.168.0.2\n\
         -          -         -            -\n\
         -          -         -            -\n"
    );
}

#[test]
fn csv_and_tsv_hold_what_was_sent() {
    let out = list(MACHINES, "csv");
    assert_eq!(out.lines().next().unwrap(), "id,name,image,memory,flags,created");
    assert_eq!(
        out.lines().nth(1).unwrap(),
        "b6d4a1f0-4d4c-4a4b-9c43-cf8b1b9e2e5a,web0,11111111-2222-3333-4444-555555555555,1024,\"bhyve,docker,firewall,deletion-protection\",2026-11-20T00:00:00.000Z"
    );
    let body = r#"[{"name":"=1+1","tags":{"a": [1.10]}},{"name":"a\tb\n\\c","memory":""}]"#;
    assert_eq!(
        list(body, "csv:name,tags,memory"),
        "name,tags,memory\n=1+1,\"{\"\"a\"\":[1.10]}\",\n\"a\tb\n\\c\",,\"\"\n"
    );
    assert_eq!(list(body, "tsv:name,tags"), "name\ttags\n=1+1\t{\"a\":[1.10]}\na\\tb\\n\\\\c\t\n");
    let bare = View { header: false, terminal: true, ..look("csv:name") };
    assert_eq!(render(&rows(r#"[{"name":"\u001b]0;x\u0007"}]"#), Shape::Rows, &bare), "\\x1b]0;x\\x07\n");
}

#[test]
fn ids_fall_back_to_what_tells_things_apart() {
    let body = r#"[{"name":"n","id":"i"},{"id":null,"mac":"90:b8"},{"name":"k","fingerprint":"aa:bb"},{"login":"l"},{},"x\ny",7]"#;
    assert_eq!(list(body, "ids"), "i\n90:b8\naa:bb\nl\nx\\ny\n7\n");
}

#[test]
fn a_single_object_is_lines_of_key_and_value() {
    let object = br#"{"id":"i","tags":{"a": 1.10},"ips":["1","2"],"evil\u001b":"a\nb","none":null,"memory":1024}"#;
    let answer = Answer::from_record(object).unwrap();
    let out = render(&answer, Shape::Record, &look("table"));
    assert_eq!(out, "id: i\ntags:\n  a: 1.10\nips: 1,2\nevil\\x1b: a\\nb\nnone: -\nmemory: 1024 (1G)\n");
    let bare = View { header: false, ..look("memory") };
    assert_eq!(render(&answer, Shape::Record, &bare), "1G\n");
    assert_eq!(render(&answer, Shape::Record, &look("ids")), "i\n");
    assert_eq!(render(&answer, Shape::Record, &look("json:id")), "{\"id\":\"i\"}\n");
    let text = Answer::from_record(b"\"just text\"").unwrap();
    assert_eq!(render(&text, Shape::Record, &look("table")), "just text\n");
    assert_eq!(render(&text, Shape::Record, &look("json")), "\"just text\"\n");
}

#[test]
fn an_object_whose_keys_are_data_is_rows_of_name_and_value() {
    let answer = Answer::from_record(br#"{"role":"db","n":1.10,"deep":{"x": 1}}"#).unwrap();
    let out = |output: &str| {
        let (format, columns) = parse_output(output, sdc::render::MAP_COLUMNS).unwrap();
        render(&answer, Shape::Map, &View { format, columns, ..View::default() })
    };
    assert_eq!(out("table"), "NAME  VALUE\nrole  db\nn     1.10\ndeep  {\"x\":1}\n");
    assert_eq!(out("json"), "{\"role\":\"db\",\"n\":1.10,\"deep\":{\"x\": 1}}\n");
    assert_eq!(out("csv"), "name,value\nrole,db\nn,1.10\ndeep,\"{\"\"x\"\":1}\"\n");
    assert_eq!(out("ids"), "role\nn\ndeep\n");
    assert_eq!(out("yaml"), "role: db\n\"n\": 1.10\ndeep:\n  x: 1\n");
    assert_eq!(out("value"), "VALUE\ndb\n1.10\n{\"x\":1}\n");
}

#[test]
fn rows_that_no_table_knows_show_their_plain_fields() {
    let look = View::default();
    assert_eq!(render(&rows(r#"[{"b":1,"c":{},"a":"x"}]"#), Shape::Rows, &look), "B  A\n1  x\n");
    assert_eq!(render(&rows(r#"["x","y"]"#), Shape::Rows, &look), "VALUE\nx\ny\n");
}

#[test]
fn yaml_is_what_people_would_write() {
    let body = r#"[{"id":"b6d4a1f0-4d4c","name":"on","tags":{"role":"db","empty":{},"list":[1.10,[],[true,{"a":"x: y"}]]},"ips":["10.0.0.1"],"dup":1,"dup":1E2},{},"x"]"#;
    let expected = "\
- id: b6d4a1f0-4d4c
  name: \"on\"
  tags:
    role: db
    empty: {}
    list:
      - 1.10
      - []
      - - true
        - a: \"x: y\"
  ips:
    - \"10.0.0.1\"
  dup: 1E2
- {}
- x
";
    assert_eq!(list(body, "yaml"), expected);
}

#[test]
fn a_very_deep_document_neither_grows_without_bound_nor_overflows_the_stack() {
    let deep = format!("[{{\"a\":{}1{}}}]", "[".repeat(200_000), "]".repeat(200_000));
    let answer = rows(&deep);
    for output in ["json", "jsonl", "yaml", "csv:name", "table", "ids"] {
        let look = View { terminal: true, ..look(output) };
        assert!(render(&answer, Shape::Rows, &look).len() < 100 * deep.len());
    }
    let program = Program::new(".").unwrap();
    assert!(program.run(&deep, false, false, |_| Ok(())).unwrap_err().message().contains("nested deeper"));
}

#[test]
fn a_wrong_column_is_refused_with_the_known_ones() {
    let error = parse_output("name,stat", &[column("name"), column("state"), column("tags").nested()]).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.to_string(), "there is no column 'stat'");
    assert_eq!(error.hints(), ["did you mean 'state'?", "the columns are name, state, tags (tags.KEY)"]);
    let error = parse_output("jsno", KNOWN).unwrap_err();
    assert_eq!(error.to_string(), "unknown format 'jsno', did you mean 'json'?");
    assert_eq!(
        parse_output("name.first", KNOWN).unwrap_err().to_string(),
        "column 'name' has no parts, so there is no 'name.first'"
    );
    for wrong in ["", "name,", "json:", "json:nope", "tags.", "ids:name", "JSON"] {
        assert_eq!(parse_output(wrong, KNOWN).unwrap_err().kind(), Kind::Usage, "{wrong}");
    }
    assert_eq!(parse_sort("-nam", KNOWN).unwrap_err().to_string(), "there is no column 'nam'");
}

#[test]
fn a_format_may_be_followed_by_columns_and_columns_may_stand_alone() {
    let names = |value: &str| {
        let (format, columns) = parse_output(value, KNOWN).unwrap();
        (format, columns.into_iter().map(|column| column.name).collect::<Vec<_>>().join("|"))
    };
    assert_eq!(names("yaml"), (Format::Yaml, String::new()));
    assert_eq!(names("csv:name, memory"), (Format::Csv, "name|memory".to_owned()));
    assert_eq!(names("name,tags.role"), (Format::Table, "name|tags.role".to_owned()));
    assert_eq!(names("metadata.cloud-init:user-data"), (Format::Table, "metadata.cloud-init:user-data".to_owned()));
    assert_eq!(names("json:metadata.a:b,/nics/0/ip"), (Format::Json, "metadata.a:b|/nics/0/ip".to_owned()));
}

fn sorted(body: &str, by: &str) -> String {
    let sort: Vec<SortKey> = parse_sort(by, KNOWN).unwrap();
    let json = render(&rows(body), Shape::Rows, &View { sort: sort.clone(), ..look("jsonl:name") });
    let table = render(&rows(body), Shape::Rows, &View { sort, header: false, ..look("name") });
    let names: Vec<&str> =
        json.lines().map(|line| line.trim_start_matches("{\"name\":\"").trim_end_matches("\"}")).collect();
    assert_eq!(names, table.lines().collect::<Vec<_>>(), "a table sorts as JSON does");
    names.join(" ")
}

#[test]
fn rows_sort_by_value_and_what_is_missing_comes_last() {
    let body = r#"[{"name":"a","memory":10},{"name":"b","memory":9},{"name":"c"},{"name":"d","memory":9.5},
        {"name":"e","memory":1e30},{"name":"f","memory":-2},{"name":"g","memory":null},{"name":"h","memory":1000000000000000000000000000001}]"#;
    assert_eq!(sorted(body, "memory"), "f b d a e h c g");
    assert_eq!(sorted(body, "-memory"), "h e a d b f c g");
    let body = r#"[{"name":"old","created":"2020-01-01T00:00:00Z"},{"name":"new","created":"2026-01-01T00:00:00Z"}]"#;
    assert_eq!(sorted(body, "age"), "new old");
    assert_eq!(sorted(body, "created"), "old new");
    let body = r#"[{"name":"a","ips":"10.0.0.10"},{"name":"b","ips":"10.0.0.9"},{"name":"c","ips":"9.1.1.1"}]"#;
    assert_eq!(sorted(body, "ips"), "c b a");
    let body = r#"[{"name":"x","memory":1},{"name":"b","memory":2},{"name":"a","memory":1}]"#;
    assert_eq!(sorted(body, "-memory,name"), "b a x");
}

#[test]
fn ages_have_one_unit_and_round_down() {
    let second = 1000;
    let told = |ago: i64| age("2026-11-23T00:00:00.000Z", NOW + ago * second).unwrap();
    let cases =
        [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400, "1d")];
    for (ago, text) in cases.into_iter().chain([(7 * 86_400, "1w"), (364 * 86_400, "52w"), (365 * 86_400, "1y")]) {
        assert_eq!(told(ago), text);
    }
    assert_eq!(age("yesterday", NOW), None);
}

#[test]
fn amounts_are_told_exactly() {
    let shown = |amount: &str| list(&format!("[{{\"memory\":{amount}}}]"), "memory").lines().nth(1).unwrap().to_owned();
    let cases =
        [("0", "0M"), ("512", "512M"), ("1024", "1G"), ("1536", "1.5G"), ("25600", "25G"), ("1000000", "1000000M")];
    for (amount, text) in cases.into_iter().chain([
        ("1048576", "1T"),
        ("1572864", "1.5T"),
        ("1.5", "1.5"),
        ("\"remaining\"", "remaining"),
    ]) {
        assert_eq!(shown(amount), text);
    }
}

#[test]
fn cells_are_never_wrapped_or_cut() {
    let long = "x".repeat(100_000);
    let out = list(&format!("[{{\"name\":\"{long}\",\"memory\":1}},{{\"name\":\"漢\",\"memory\":2}}]"), "name,memory");
    assert_eq!(out.lines().count(), 3);
    assert!(out.lines().nth(1).unwrap() == format!("{long}  1M"));
    assert_eq!(out.lines().nth(2).unwrap(), "漢    2M");
}

#[test]
fn colour_changes_nothing_but_colour() {
    let body = r#"[{"name":"a","state":"running"},{"name":"b","state":"failed"},{"name":"c","state":"odd"}]"#;
    let known: &[Column] = const { &[column("name"), column("state")] };
    let plain = render(&rows(body), Shape::Rows, &View { known, ..View::default() });
    let coloured = render(&rows(body), Shape::Rows, &View { known, colour: true, ..View::default() });
    assert_ne!(plain, coloured);
    let styled = regex::Regex::new("\x1b\\[[0-9;]*m(running|failed)\x1b").unwrap();
    assert_eq!(styled.find_iter(&coloured).count(), 2, "{coloured:?}");
    assert_eq!(regex::Regex::new("\x1b\\[[0-9;]*m").unwrap().replace_all(&coloured, ""), plain);
}

fn jq(expression: &str, json: &str, raw: bool) -> sdc::Result<Vec<String>> {
    let mut lines = Vec::new();
    Program::new(expression)?.run(json, raw, true, |line| {
        lines.push(line.to_owned());
        Ok(())
    })?;
    Ok(lines)
}

#[test]
fn jq_gives_a_result_a_line_and_keeps_numbers() {
    assert_eq!(
        jq(".[0] | .a, .big, .x, .e", ODD, false).unwrap(),
        ["1.10", "12345678901234567890123", "1E2", "\"é/\""]
    );
    assert_eq!(jq(".[].e", ODD, true).unwrap(), ["é/"]);
    assert_eq!(jq("map(keys) | .[0][:2]", ODD, false).unwrap(), ["[\"a\",\"big\"]"]);
    assert_eq!(jq(".[0]", "[\"\\u001b[31m\"]", true).unwrap(), ["\\x1b[31m"]);
}

#[test]
fn a_wrong_jq_expression_shows_where() {
    let said = |expression: &str| {
        let error = Program::new(expression).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        (error.to_string(), error.hints().iter().map(ToString::to_string).collect::<String>())
    };
    assert_eq!(
        said(".[] | nmae"),
        (
            "the --jq expression is wrong at character 7: there is no filter 'nmae'".to_owned(),
            ".[] | nmae\n      ^".to_owned()
        )
    );
    assert!(said(".[] | (.a").0.contains("at character 10: expected closing parenthesis"), "{:?}", said(".[] | (.a"));
    assert!(said(".a |").1.ends_with("\n    ^"), "{:?}", said(".a |"));
    assert!(said("\"é\" | §").0.contains("at character 7"), "{:?}", said("\"é\" | §"));
    assert!(said("$x").0.contains("there is no variable '$x'"), "{:?}", said("$x"));
}

#[test]
fn a_failing_jq_expression_gives_what_came_before() {
    let mut lines = Vec::new();
    let program = Program::new(".[] | .a.b").unwrap();
    let error = program
        .run(r#"[{"a":{"b":1}},{"a":"text"}]"#, false, false, |line| {
            lines.push(line.to_owned());
            Ok(())
        })
        .unwrap_err();
    assert_eq!((lines, error.kind()), (vec!["1".to_owned()], Kind::Other));
    let stop = |_: &str| Err(sdc::Error::new(Kind::ClosedPipe, "gone"));
    assert_eq!(Program::new("repeat(1)").unwrap().run("1", false, false, stop).unwrap_err().kind(), Kind::ClosedPipe);
}

#[test]
fn flags_are_letters_in_order_and_picked_json_keeps_null() {
    let known: &[Column] = const { &[column("name"), column("flags").show(Show::ImageFlags)] };
    let body = r#"[{"state":"disabled","public":true,"origin":"x","name":null},{"state":"active","public":false}]"#;
    let out = |output: &str| {
        let (format, columns) = parse_output(output, known).unwrap();
        render(&rows(body), Shape::Rows, &View { format, columns, known, ..View::default() })
    };
    assert_eq!(out("flags"), "FLAGS\nIPX\n-\n");
    assert_eq!(
        out("json:name,flags"),
        "[{\"name\":null,\"flags\":[\"incremental\",\"public\",\"inactive\"]},{\"flags\":[]}]\n"
    );
    assert_eq!(out("csv"), "name,flags\n,\"incremental,public,inactive\"\n,\"\"\n");
}
